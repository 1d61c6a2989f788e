"""Gates of Qiskit as rows of the op table.

    cu3(a, b, c)   ->  p(...) 0; p(...) 1; cx 0, 1; rz(...) 1; ry(...) 1; cx 0, 1; ...

A standard gate that the op table has is its row, a rotation about a Pauli product is `ppr`.  A gate
under two or more controls is made of Toffolis and fresh qubits, which collect the controls: the
definitions in Qiskit turn by angles that would have to be synthesised.  A composite gate under
controls is a control region around what it consists of, so that a pass can leave the controls away
where they make no difference.  Any other gate is what Qiskit says it consists of: its definition,
or what Qiskit's synthesis makes of it.  Templates share their parts, so that a gate whose
definition doubles forty times costs forty steps to measure, before anything is written.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias, cast

from qiskit.circuit import (
    AnnotatedOperation,
    ControlledGate,
    ControlModifier,
    Gate,
    Instruction,
    InverseModifier,
    Operation,
    ParameterExpression,
    QuantumCircuit,
)
from qiskit.circuit.library import Barrier, PauliProductRotationGate, Reset, UnitaryGate
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Pauli
from qiskit.transpiler.passes import HighLevelSynthesis

from qwasmc.controlled import can_be_controlled, controlled
from qwasmc.diagnostics import Kind
from qwasmc.grammar.evaluator import LineError
from qwasmc.ops import OPS

ROWS = {spec.qiskit: spec for spec in OPS if spec.is_gate and spec.qiskit}
"""Rows of the op table by Qiskit's name of the gate."""

ALIASES = {"u1": "p", "cu1": "cp"}
"""Older names in Qiskit of gates that are rows."""

PAULI_ROTATIONS = {"rxx": "XX", "ryy": "YY", "rzz": "ZZ", "rzx": "ZX"}

IDENTITIES = frozenset({"id", "global_phase"})
"""Gates that do nothing, up to a global phase."""

EULER = {"u": (0, 1, 2), "u3": (0, 1, 2), "u2": (None, 0, 1)}
"""By gate, which parameters are theta, phi, lambda; u2 has theta = pi/2."""

MAX_DEPTH = 128
"""Definitions in definitions."""

MAX_SIZE = 10_000_000
"""Operations that one gate may consist of."""

Angle: TypeAlias = "float | ParameterExpression | None"


@dataclass(frozen=True, slots=True)
class Step:
    """A row on some of the qubits of a gate."""

    name: str
    qubits: tuple[int, ...]
    angle: Angle = None
    paulis: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """Another template on some of the qubits of a gate."""

    template: Template
    qubits: tuple[int, ...]


@dataclass(slots=True)
class Template:
    """What a gate consists of, on its qubits and, numbered after them, fresh ones."""

    steps: list[Step | Part] = field(default_factory=list)
    n_fresh: int = 0
    """Qubits that are |0> before and after it."""
    size: int = 1
    """One more than the operations it and its parts have: an empty gate takes time as well."""
    phase: float | ParameterExpression = 0.0
    """By which the steps differ from the gate: the angle of a global phase."""

    def add(self, step: Step | Part) -> None:
        """Append a step."""
        self.steps.append(step)
        if isinstance(step, Part):
            self.size += step.template.size
            self.phase = self.phase + step.template.phase
        else:
            self.size += 1
        if self.size > MAX_SIZE:
            message = f"a gate may consist of {MAX_SIZE:,} operations"
            raise LineError(f"limit passed: {message}", kind=Kind.LIMIT)


def angle_of(parameter: Any) -> float | ParameterExpression:
    """A parameter of a gate as a number, unless it depends on something."""
    if isinstance(parameter, ParameterExpression) and parameter.parameters:
        return parameter
    try:
        angle = float(parameter)
    except (TypeError, ValueError, OverflowError):
        raise LineError(f"the angle {str(parameter)[:64]} is not a number") from None
    if not math.isfinite(angle):
        raise LineError(f"the angle {angle} is not a finite number")
    return angle


def row_of(name: str, params: Sequence[Any]) -> tuple[str, Angle] | None:
    """The row that a standard gate is, and its angle."""
    row = ROWS.get(ALIASES.get(name, name))
    if row is None:
        return None
    return row.name, angle_of(params[0]) if row.angle else None


class Gates:
    """The templates of gates, each made once.

    With `by_name`, equal names and parameters mean equal gates, as in OpenQASM 2; otherwise that
    is so for standard gates, and any other gate is known by its object.
    """

    def __init__(self, by_name: bool = False) -> None:
        self.by_name = by_name
        self._made: dict[object, Template] = {}
        self._kept: list[Operation] = []
        """Operations that are known by their `id`, which is theirs as long as they live."""

    def template(self, operation: Operation, standard: bool, depth: int = 0) -> Template:
        """The template of a gate; `standard` if Qiskit says that it is its own one."""
        if depth > MAX_DEPTH:
            message = f"limit passed: definitions may be nested {MAX_DEPTH} deep"
            raise LineError(message, kind=Kind.LIMIT)
        if standard or self.by_name:
            # Qiskit calls its gates X under any number of controls "mcx".
            own = (type(operation), operation.num_qubits, operation.name)
            key: object = (standard, *own, *getattr(operation, "params", ()))
        else:
            key = id(operation)
        if key not in self._made:
            self._kept.append(operation)
            self._made[key] = self._make(operation, standard, depth)
        return self._made[key]

    def _make(self, operation: Operation, standard: bool, depth: int) -> Template:
        made = Template()
        if _put_primitive(operation, standard, made):
            return made
        under = under_controls(operation)
        if under is not None and not under.is_well_defined(standard):
            if _is_row(under.base):
                _put_under_controls(under, operation.num_qubits, made)
            else:
                self._put_region(under, depth, made)
            return made
        body = definition(operation)
        made.phase = angle_of(body.global_phase)
        place = {qubit: number for number, qubit in enumerate(body.qubits)}
        for inner in body.data:
            for step in self._steps(inner, tuple(place[qubit] for qubit in inner.qubits), depth):
                made.add(step)
        return made

    def _steps(self, inner: Any, qubits: tuple[int, ...], depth: int) -> Iterator[Step | Part]:
        """An instruction of a definition."""
        standard = inner.is_standard_gate()
        row = row_of(inner.name, inner.params) if standard else None
        if row is not None:
            yield Step(row[0], qubits, row[1])
        elif isinstance(inner.operation, Barrier):
            yield Step("barrier", qubits)
        elif inner.clbits or isinstance(inner.operation, Reset):
            raise LineError(f"a gate contains '{inner.name}', which is not a gate")
        else:
            yield Part(self.template(inner.operation, standard, depth + 1), qubits)

    def _put_region(self, under: Under, depth: int, made: Template) -> None:
        """A control region around an operation, and the phase that its steps differ by."""
        inner = self.template(under.base, is_standard(under.base), depth + 1)
        under.flip(made)
        made.add(Step("ctrl_begin", under.controls))
        made.add(Part(inner, under.targets))
        if isinstance(inner.phase, ParameterExpression) or inner.phase:
            made.add(Step("p", (0,), inner.phase))
        made.phase = 0.0
        made.add(Step("ctrl_end", ()))
        under.flip(made)


def is_unitary(operation: Operation) -> bool:
    """Whether this is a gate; what is no instruction is a gate that is to be synthesised."""
    return isinstance(operation, Gate) or not isinstance(operation, Instruction)


def _put_primitive(operation: Operation, standard: bool, made: Template) -> bool:
    """Make a gate that is not taken apart by its definition, if it is one."""
    name = operation.name
    if isinstance(operation, PauliProductRotationGate):
        letters, qubits = factors(operation.pauli())
        angle = angle_of(operation.params[0])
        if qubits:
            made.add(Step("ppr", qubits, angle, letters))
        else:
            made.phase = -angle / 2
    elif not standard:
        return False
    elif name in PAULI_ROTATIONS:
        made.add(Step("ppr", (0, 1), angle_of(operation.params[0]), PAULI_ROTATIONS[name]))
    elif name in EULER:
        _put_euler(name, operation.params, made)
    elif name == "global_phase":
        made.phase = angle_of(operation.params[0])
    else:
        return name in IDENTITIES
    return True


class Under(NamedTuple):
    """An operation under controls, which are the first qubits."""

    base: Operation
    n_controls: int
    state: int
    """The values of the controls, the first one the least bit."""

    @property
    def controls(self) -> tuple[int, ...]:
        """The places of the controls."""
        return tuple(range(self.n_controls))

    @property
    def targets(self) -> tuple[int, ...]:
        """The places of the operation's own qubits."""
        return tuple(range(self.n_controls, self.n_controls + self.base.num_qubits))

    def is_well_defined(self, standard: bool) -> bool:
        """Whether the definition by Qiskit is good: that of its own gates, or from a matrix."""
        return self.n_controls == 1 and (standard or isinstance(self.base, UnitaryGate))

    def flip(self, made: Template) -> None:
        """Exchange |0> and |1> of the controls that are to be 0."""
        for at in self.controls:
            if not self.state >> at & 1:
                made.add(Step("x", (at,)))


def under_controls(operation: Operation) -> Under | None:
    """The operation as one under controls, if it is nothing else than that."""
    if isinstance(operation, AnnotatedOperation):
        base, n_controls, state = operation.base_op, 0, 0
        for modifier in operation.modifiers:  # which commute; the last one has the first qubits
            if isinstance(modifier, ControlModifier):
                state = state << modifier.num_ctrl_qubits | modifier.ctrl_state
                n_controls += modifier.num_ctrl_qubits
            elif isinstance(modifier, InverseModifier) and isinstance(base, Gate):
                base = base.inverse()
            else:
                base = AnnotatedOperation(base, modifier)
        return Under(base, n_controls, state) if n_controls else None
    if not isinstance(operation, ControlledGate):
        return None
    base, n_controls = operation.base_gate, operation.num_ctrl_qubits
    # MCXRecursive (gone in Qiskit 3) has more qubits, which it leaves as they are in any state.
    known = operation.num_qubits == n_controls + base.num_qubits
    if not known and not operation.name.startswith("mcx_recursive"):
        return None
    return Under(base, n_controls, operation.ctrl_state)


def is_standard(operation: Operation) -> bool:
    """Whether Qiskit says that this is its own gate."""
    circuit = QuantumCircuit(operation.num_qubits)
    circuit.append(operation, circuit.qubits)
    return bool(circuit.data[0].is_standard_gate())


def _is_row(operation: Operation) -> bool:
    """Whether this is a standard gate of Qiskit that has a row, and forms under controls."""
    name = ALIASES.get(operation.name, operation.name)
    return name in ROWS and can_be_controlled(ROWS[name].name) and is_standard(operation)


def _put_under_controls(under: Under, n_qubits: int, made: Template) -> None:
    """Toffolis that collect the controls, the gate under one or two, and the Toffolis undone."""
    row = row_of(under.base.name, under.base.params)
    assert row is not None
    steps = _Steps(made, n_qubits)
    under.flip(made)
    # The angle is only handed on, so it may be a parameter.
    controlled(steps, row[0], under.controls, under.targets, cast("float | None", row[1]))
    under.flip(made)


class _Steps:
    """Gates under controls go to a template."""

    def __init__(self, made: Template, n_qubits: int) -> None:
        self.made = made
        self.n_qubits = n_qubits

    def apply(self, name: str, qubits: Sequence[int], angle: Any = None) -> None:
        """Add a gate of the op table."""
        self.made.add(Step(name, tuple(qubits), angle))

    def borrow(self) -> int:
        """One more fresh qubit."""
        self.made.n_fresh += 1
        return self.n_qubits + self.made.n_fresh - 1

    def give_back(self, qubit: int) -> None:
        """A fresh qubit is |0> again; it is freed after the gate."""


def _put_euler(name: str, params: Sequence[Any], made: Template) -> None:
    """U(theta, phi, lambda) = exp(i (phi + lambda) / 2) rz(phi) ry(theta) rz(lambda)."""
    theta, phi, lam = (math.pi / 2 if at is None else angle_of(params[at]) for at in EULER[name])
    for row, angle in (("rz", lam), ("ry", theta), ("rz", phi)):
        if angle:
            made.add(Step(row, (0,), angle))
    # What is under the controls of a CUGate has the angle of its phase as well.
    made.phase = (phi + lam) / 2 + sum(map(angle_of, params[3:]))


def factors(pauli: Pauli) -> tuple[str, tuple[int, ...]]:
    """The letters of a Pauli product but for the identities, and their qubits; no sign."""
    letters = pauli.to_label().lstrip("-")[::-1]
    qubits = tuple(at for at, letter in enumerate(letters) if letter != "I")
    return "".join(letters[at] for at in qubits), qubits


def definition(operation: Operation) -> QuantumCircuit:
    """What an operation consists of, as Qiskit says."""
    try:
        found = getattr(operation, "definition", None)
        if found is None:
            found = _synthesised(operation)
    except (QiskitError, ValueError, MemoryError) as problem:
        reason = str(problem).strip("'\"").partition("\n")[0][:200] or type(problem).__name__
        raise LineError(f"'{operation.name}' has no definition: {reason}") from None
    assert isinstance(found, QuantumCircuit)
    return found


def _synthesised(operation: Operation) -> QuantumCircuit:
    circuit = QuantumCircuit(operation.num_qubits)
    circuit.append(operation, circuit.qubits)
    made: QuantumCircuit = HighLevelSynthesis(basis_gates=sorted({*ROWS, *EULER}))(circuit)
    if [inst.name for inst in made.data] == [operation.name]:
        raise QiskitError("nothing says what it does")
    return made
