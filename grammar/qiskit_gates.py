"""Gates of Qiskit as rows of the op table.

    cu3(a, b, c)   ->  p(...) 0; p(...) 1; cx 0, 1; rz(...) 1; ry(...) 1; cx 0, 1; ...

A standard gate that the op table has is its row, a rotation about a Pauli product is `ppr`.  A gate
under two or more controls is made of Toffolis and fresh qubits, which collect the controls: the
definitions in Qiskit turn by angles that would have to be synthesised.  Any other gate is what
Qiskit says it consists of: its definition, or what Qiskit's synthesis makes of it.  Templates share
their parts, so that a gate whose definition doubles forty times costs forty steps to measure,
before anything is written.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from qiskit.circuit import (
    AnnotatedOperation,
    ControlledGate,
    ControlModifier,
    Gate,
    Instruction,
    Operation,
    ParameterExpression,
    QuantumCircuit,
)
from qiskit.circuit.library import Barrier, PauliProductRotationGate, Reset
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Pauli
from qiskit.transpiler.passes import HighLevelSynthesis

from qwasmc.diagnostics import Kind
from qwasmc.grammar.controlled import can_be_controlled, controlled
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

    def add(self, step: Step | Part) -> None:
        """Append a step."""
        self.steps.append(step)
        self.size += step.template.size if isinstance(step, Part) else 1
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
        primitive = _primitive(operation, standard)
        if primitive is not None:
            for row in primitive:
                made.add(row)
            return made
        under = _under_controls(operation)
        if under is not None:
            _put_under_controls(under, made)
            return made
        body = definition(operation)
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
        elif qubits:
            yield Part(self.template(inner.operation, standard, depth + 1), qubits)


def is_unitary(operation: Operation) -> bool:
    """Whether this is a gate; what is no instruction is a gate that is to be synthesised."""
    return isinstance(operation, Gate) or not isinstance(operation, Instruction)


def _primitive(operation: Operation, standard: bool) -> list[Step] | None:
    """A gate that is not taken apart by its definition."""
    name = operation.name
    if isinstance(operation, PauliProductRotationGate):
        letters, qubits = factors(operation.pauli())
        angle = angle_of(operation.params[0])
        return [Step("ppr", qubits, angle, letters)] if qubits else []
    if standard and name in PAULI_ROTATIONS:
        return [Step("ppr", (0, 1), angle_of(operation.params[0]), PAULI_ROTATIONS[name])]
    if standard and name in EULER:
        return _euler(name, operation.params)
    return [] if standard and name in IDENTITIES else None


def _under_controls(operation: Operation) -> ControlledGate | None:
    """The operation, if it is a gate of the op table under two or more controls."""
    if isinstance(operation, AnnotatedOperation) and len(operation.modifiers) == 1:
        modifier, base = operation.modifiers[0], operation.base_op
        if isinstance(modifier, ControlModifier) and _is_row(base):
            count, state = modifier.num_ctrl_qubits, modifier.ctrl_state
            operation = base.control(count, ctrl_state=state, annotated=False)
    if not isinstance(operation, ControlledGate) or operation.num_ctrl_qubits < 2:
        return None
    width = operation.num_ctrl_qubits + operation.base_gate.num_qubits
    # MCXRecursive (gone in Qiskit 3) has more qubits, which it leaves as they are in any state.
    known = operation.num_qubits == width or operation.name.startswith("mcx_recursive")
    return operation if known and _is_row(operation.base_gate) else None


def _is_row(operation: Operation) -> bool:
    """Whether this is a standard gate of Qiskit that has a row, and forms under controls."""
    if getattr(operation, "_standard_gate", None) is None:
        return False
    name = ALIASES.get(operation.name, operation.name)
    return name in ROWS and can_be_controlled(ROWS[name].name)


def _put_under_controls(operation: ControlledGate, made: Template) -> None:
    """Toffolis that collect the controls, the gate under one or two, and the Toffolis undone."""
    base, n_controls = operation.base_gate, operation.num_ctrl_qubits
    row = row_of(base.name, base.params)
    assert row is not None
    controls = range(n_controls)
    flipped = [at for at in controls if not operation.ctrl_state >> at & 1]
    steps = _Steps(made, operation.num_qubits)
    for at in flipped:
        steps.apply("x", [at])
    targets = range(n_controls, n_controls + base.num_qubits)
    # The angle is only handed on, so it may be a parameter.
    controlled(steps, row[0], controls, targets, cast("float | None", row[1]))
    for at in flipped:
        steps.apply("x", [at])


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


def _euler(name: str, params: Sequence[Any]) -> list[Step]:
    """U(theta, phi, lambda) = rz(phi) ry(theta) rz(lambda), up to a global phase."""
    theta, phi, lam = (math.pi / 2 if at is None else angle_of(params[at]) for at in EULER[name])
    turns = (("rz", lam), ("ry", theta), ("rz", phi))
    return [Step(row, (0,), angle) for row, angle in turns if angle]


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
    made: QuantumCircuit = HighLevelSynthesis(basis_gates=sorted(ROWS))(circuit)
    if [inst.name for inst in made.data] == [operation.name]:
        raise QiskitError("nothing says what it does")
    return made
