"""Is this Program well-formed?

Operations fit the op table, values are defined before they are used, each qubit value is used
exactly once and none is leaked; only qubits still live at the end of `main` may be.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from qwasmc.ir.program import Attr, Block, Function, Op, Program, Value
from qwasmc.ops import BY_NAME, OpSpec, Type
from qwasmc.verify.problems import Problems, paulis_problem

TERMINATOR = BY_NAME["return"]


def verify_program(program: Program, problems: Problems) -> None:
    """Add the problems of a program."""
    names = Counter(function.name for function in program.functions)
    for name, count in names.items():
        if count > 1:
            problems.add(f"there are {count} functions named '{name}'")
    if "main" not in names:
        problems.add("there is no function named 'main'")
    for function in program.functions:
        if not function.blocks:
            problems.add(f"function '{function.name}' has no blocks")
        for number, block in enumerate(function.blocks):
            if number:
                problems.add(f"no operation leads to block {number} of function '{function.name}'")
            _BlockCheck(function, block, problems).run()


class _BlockCheck:
    """A walk over a block.  No operation branches, so what dominates a use stands before it."""

    def __init__(self, function: Function, block: Block, problems: Problems) -> None:
        self.function = function
        self.block = block
        self.problems = problems
        self.defined: set[Value] = set()
        self.live: dict[Value, int] = {}
        """Qubit values not yet used, with the location they were made at."""
        self.result_names: set[str] = set()

    def run(self) -> None:
        """Check the operations in order, then what is left."""
        for argument in self.block.args:
            self.define(argument, -1)
        for op in self.block.ops:
            self.operation(op)
        self.end()

    def operation(self, op: Op) -> None:
        """One operation against its row, its operands against the values so far."""
        for message in _misfits(op):
            self.problems.add(f"'{op.name}': {message}", op.loc)
        for value in op.operands:
            self.use(value, op)
        if op.cond is not None:
            self.use(op.cond, op)
        for value in op.results:
            self.define(value, op.loc)
        if op.spec is TERMINATOR and op is not self.block.ops[-1]:
            self.problems.add(f"'{op.name}' is not the last operation of its block", op.loc)
        if op.name == "result":
            self.name(str((op.attrs or {}).get("name", "")), op)

    def use(self, value: Value, op: Op) -> None:
        """An operand."""
        if value not in self.defined:
            self.problems.add(f"'{op.name}': {_called(value)} is not defined here", op.loc)
        elif value.type == Type.QUBIT and self.live.pop(value, None) is None:
            self.problems.add(f"'{op.name}': {_called(value)} was already used", op.loc)

    def define(self, value: Value, loc: int) -> None:
        """A result of an operation, or an argument."""
        if value in self.defined:
            self.problems.add(f"{_called(value)} is defined twice", loc)
            return
        self.defined.add(value)
        if value.type == Type.QUBIT:
            self.live[value] = loc

    def name(self, name: str, op: Op) -> None:
        """The name of a classical result of the program."""
        if name in self.result_names:
            self.problems.add(f"there are two results named '{name}'", op.loc)
        self.result_names.add(name)

    def end(self) -> None:
        """The block ends in a terminator, and leaks no qubit."""
        name = self.function.name
        last = self.block.ops[-1] if self.block.ops else None
        if last is None or last.spec is not TERMINATOR:
            loc = last.loc if last else -1
            self.problems.add(f"a block of function '{name}' does not end in a return", loc)
        if name != "main":
            for value, loc in self.live.items():
                self.problems.add(f"{_called(value)} is still live at the end of '{name}'", loc)


def _called(value: Value) -> str:
    kind = "qubit" if value.type == Type.QUBIT else "value"
    return f"{kind} %{value.name}" if value.name else f"a {kind}"


def _misfits(op: Op) -> Iterator[str]:
    """What does not fit the row of an operation's spec."""
    spec = op.spec
    n_qubits = len(op.operands) if spec.qubits < 0 else spec.qubits
    n_bits = len(op.operands) if spec.bits < 0 else spec.bits
    takes = [Type.QUBIT] * n_qubits + [Type.I1] * n_bits
    makes = [Type.QUBIT] * spec.made_qubits(n_qubits) + [Type.I1] * spec.makes_bit
    taken = [value.type for value in op.operands]
    made = [value.type for value in op.results]
    if taken != takes:
        yield f"takes {_listed(takes)}, not {_listed(taken)}"
    if made != makes:
        yield f"makes {_listed(makes)}, not {_listed(made)}"
    if op.cond is not None and not spec.may_be_predicated:
        yield "cannot depend on a bit, because it is more than a change of qubits"
    if op.cond is not None and op.cond.type != Type.I1:
        yield f"a condition is an i1, not {op.cond.type.value}"
    yield from _attribute_misfits(spec, op.attrs or {}, n_qubits)


def _listed(types: Sequence[Type]) -> str:
    shown = ", ".join(type.value for type in types[:8])
    return f"({shown}{', ...' if len(types) > 8 else ''})"


def _attribute_misfits(spec: OpSpec, attrs: dict[str, Attr], n_qubits: int) -> Iterator[str]:
    wanted = {key for key in (spec.attr, "angle" if spec.angle else "") if key}
    for key in sorted(wanted - attrs.keys()):
        yield f"needs the attribute '{key}'"
    for key in sorted(attrs.keys() - wanted):
        yield f"has no attribute '{key}'"
    if spec.angle and "angle" in attrs:
        angle = attrs["angle"]
        if not isinstance(angle, int | float) or not math.isfinite(angle):
            yield f"the angle {angle!r} is not a finite number"
    if spec.attr in attrs:
        yield from _value_misfits(spec, attrs[spec.attr], n_qubits)


def _value_misfits(spec: OpSpec, value: Attr, n_qubits: int) -> Iterator[str]:
    if not isinstance(value, str if spec.attr_is_text else int):
        yield f"'{spec.attr}' must be {'text' if spec.attr_is_text else 'an integer'}"
    elif isinstance(value, str):
        if spec.attr == "paulis" and (problem := paulis_problem(value, n_qubits)):
            yield problem
    elif value < 0 or (spec.attr == "value" and value > 1):
        yield f"{spec.attr} = {value} is out of range"
