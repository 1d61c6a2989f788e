"""What a Qiskit circuit needs, found out before anything is written.

Which clbits are ever written; whether control flow needs blocks of its own, or all of it is short
bodies of gates that can be predicated; and whether a loop can stay a loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from qiskit.circuit import (
    BoxOp,
    BreakLoopOp,
    ClassicalRegister,
    Clbit,
    ContinueLoopOp,
    Delay,
    IfElseOp,
    Instruction,
    Measure,
    Parameter,
    ParameterExpression,
    QuantumCircuit,
    Store,
    SwitchCaseOp,
)
from qiskit.circuit.classical import expr
from qiskit.circuit.library import PauliProductMeasurement

from qwasmc.diagnostics import Kind
from qwasmc.grammar.evaluator import LineError
from qwasmc.grammar.qiskit_angles import Environment, bound, slope
from qwasmc.grammar.qiskit_expressions import Bits
from qwasmc.grammar.qiskit_gates import (
    MAX_DEPTH,
    definition,
    is_standard,
    is_unitary,
    under_controls,
)

LEAVING = BreakLoopOp | ContinueLoopOp

MAX_PREDICATED = 256
"""Instructions of a body that is predicated; a longer one becomes a block."""


@dataclass(slots=True)
class Survey:
    """What was found in a circuit."""

    written: set[int] = field(default_factory=set)
    """Clbits, by number."""
    variables: dict[expr.Var, None] = field(default_factory=dict)
    """Variables in order of declaration."""
    branches: bool = False
    """Whether more than one block is needed."""

    def add(self, circuit: QuantumCircuit, bits: Bits, depth: int = 0) -> None:
        """Look at a circuit; `bits` are the numbers of its clbits."""
        check_depth(depth)
        self.variables.update(dict.fromkeys(circuit.iter_declared_vars()))
        for inst in circuit.data:
            if inst.is_standard_gate():
                continue
            operation = inst.operation
            if isinstance(operation, Store):
                self.written.update(bits[clbit] for clbit in stored(operation.lvalue))
            elif inst.is_control_flow():
                self.branches = self.branches or not is_straight(operation)
                for block in operation.blocks:
                    self.add(block, inner_bits(block, inst.clbits, bits), depth + 1)
            elif isinstance(operation, LEAVING):
                self.branches = True
            elif inst.clbits and is_composite(operation):
                body = definition(operation)
                self.add(body, inner_bits(body, inst.clbits, bits), depth + 1)
            else:
                self.written.update(bits[clbit] for clbit in inst.clbits)


def check_depth(depth: int) -> None:
    """Refuse what is nested too deep."""
    if depth > MAX_DEPTH:
        message = f"limit passed: blocks may be nested {MAX_DEPTH} deep"
        raise LineError(message, kind=Kind.LIMIT)


def inner_bits(body: QuantumCircuit, clbits: Iterable[Clbit], bits: Bits) -> Bits:
    """The numbers of the clbits of a body that is run on these clbits."""
    return {inner: bits[outer] for inner, outer in zip(body.clbits, clbits, strict=True)}


def is_composite(operation: Any) -> bool:
    """Whether this is an instruction that is run by its definition, one after the other."""
    return (
        isinstance(operation, Instruction)
        and not is_unitary(operation)
        and not isinstance(operation, Measure | PauliProductMeasurement)
        and operation.definition is not None
    )


def stored(target: expr.Expr) -> list[Clbit]:
    """The clbits that a store may change."""
    if isinstance(target, expr.Index):
        return stored(target.target)
    if not isinstance(target, expr.Var):
        return []
    if isinstance(target.var, Clbit):
        return [target.var]
    return list(target.var) if isinstance(target.var, ClassicalRegister) else []


def is_straight(operation: Any) -> bool:
    """Whether control flow can be written as predicated operations."""
    if isinstance(operation, IfElseOp | SwitchCaseOp):
        return _straight_size(operation.blocks) <= MAX_PREDICATED
    return isinstance(operation, BoxOp)


def _straight_size(blocks: Iterable[QuantumCircuit]) -> int:
    """How many instructions would be predicated; a number too large if that cannot be."""
    total = 0
    for block in blocks:
        for inst in block.data:
            total += 1
            if inst.is_standard_gate():
                continue
            operation = inst.operation
            if isinstance(operation, LEAVING):
                return MAX_PREDICATED + 1
            if inst.is_control_flow():
                if not isinstance(operation, IfElseOp | SwitchCaseOp | BoxOp):
                    return MAX_PREDICATED + 1
                total += _straight_size(operation.blocks)
            elif inst.clbits and is_composite(operation):
                total += _straight_size([definition(operation)])
            if total > MAX_PREDICATED:
                return total
    return total


def instructions(circuit: QuantumCircuit) -> int:
    """How many instructions a circuit has, those in blocks included."""
    total = 1
    for inst in circuit.data:
        total += 1
        if inst.is_control_flow():
            total += sum(instructions(block) for block in inst.operation.blocks)
    return total


def is_linear(body: QuantumCircuit, parameter: Parameter, environment: Environment) -> bool:
    """Whether every angle in the body of a loop is a linear function of the loop's variable."""
    return all(
        slope(bound(angle, environment), parameter) is not None
        for angle in _angles(body)
        if parameter in angle.parameters
    )


def _angles(body: QuantumCircuit) -> Iterator[ParameterExpression]:
    """The computed angles of a circuit.

    The definitions of standard gates are linear in their parameters; those of others are not known
    to be.
    """
    for inst in body.data:
        operation = inst.operation
        if inst.is_control_flow():
            for block in operation.blocks:
                yield from _angles(block)
        elif any(isinstance(param, ParameterExpression) for param in inst.params):
            yield from _angles_of(inst.operation, inst.is_standard_gate())


def _angles_of(operation: Any, standard: bool) -> Iterator[ParameterExpression]:
    """The computed angles of an operation, and those of its global phase."""
    under = None if standard else under_controls(operation)
    if under is not None:
        yield from _angles_of(under.base, is_standard(under.base))
        return
    body = None if standard else getattr(operation, "definition", None)
    found = operation.params if body is None else [body.global_phase]
    if not isinstance(operation, Delay):
        yield from (angle for angle in found if isinstance(angle, ParameterExpression))
    if body is not None:
        yield from _angles(body)
