"""Which values of a function are constant, and which of its blocks can be reached.

Sparse conditional constant propagation (Wegman and Zadeck, "Constant propagation with conditional
branches", 1991): blocks are reached only where branches on constants lead, and an argument is
constant if all ways that are taken to its block give it the same constant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from qwasmc.ir.program import Block, Function, Op, Target, Value
from qwasmc.ops import Type
from qwasmc.scalars import (
    FLOAT,
    FLOAT_PREDICATES,
    FUNCTIONS,
    INTEGER,
    INTEGER_PREDICATES,
    Scalar,
    signed,
    to_integer,
    unsigned,
)

FRESH = 1 << 32
"""The first number of a slot or cell that the program does not choose itself."""

LITERALS = {"const": "value", "const_i64": "int", "const_f64": "real"}
"""By operation that makes a constant, its attribute."""


@dataclass(slots=True)
class Constants:
    """`values` are those that are constant, `reached` the blocks in the order they are found."""

    values: dict[Value, Scalar] = field(default_factory=dict)
    reached: dict[Block, None] = field(default_factory=dict)

    def targets(self, op: Op) -> tuple[Target, ...]:
        """Where the end of a block may lead."""
        if op.name != "cond_br" or op.operands[0] not in self.values:
            return op.targets
        return op.targets[:1] if self.values[op.operands[0]] else op.targets[1:]


def constants(function: Function) -> Constants:
    """Propagate constants through a function without calls."""
    return _Propagation(function).run()


class _Propagation:
    def __init__(self, function: Function) -> None:
        self.entry = function.blocks[0]
        self.found = Constants()
        self.varying: set[Value] = set()
        self.users = _users(function)
        self.blocks: list[Block] = []
        """Blocks that are reached and not yet looked at."""
        self.changed: list[Value] = []
        self.fresh = FRESH

    def run(self) -> Constants:
        self.reach(self.entry)
        while self.blocks or self.changed:
            if self.blocks:
                for op in self.blocks.pop().ops:
                    self.evaluate(op)
                continue
            for block, op in self.users.get(self.changed.pop(), ()):
                if block in self.found.reached:
                    self.evaluate(op)
        for value in self.varying:
            self.found.values.pop(value, None)
        return self.found

    def reach(self, block: Block) -> None:
        if block not in self.found.reached:
            self.found.reached[block] = None
            self.blocks.append(block)

    def lower(self, value: Value, scalar: Scalar | None) -> None:
        """A value may be this constant, or if None any."""
        if value in self.varying:
            return
        known = self.found.values.get(value)
        if scalar is None or (known is not None and not _same(known, scalar)):
            self.varying.add(value)
            self.changed.append(value)
        elif known is None:
            self.found.values[value] = scalar
            self.changed.append(value)

    def evaluate(self, op: Op) -> None:
        if op.targets:
            self.leave(op)
        elif len(op.results) == 1 and op.results[0].type is not Type.QUBIT:
            self.compute(op, op.results[0])
        else:
            for value in op.results:
                self.lower(value, None)

    def compute(self, op: Op, result: Value) -> None:
        """An operation with one result."""
        if op.name in ("slot", "allocate"):
            # Each has a number of its own.  Where one is run again, what it made before is only
            # still there if it was merged with another number, and so is not constant.
            if result not in self.found.values:
                self.lower(result, self.fresh)
                self.fresh += FRESH
            return
        if any(value in self.varying for value in op.operands):
            self.lower(result, None)
        elif all(value in self.found.values for value in op.operands):
            self.lower(result, scalar(op, [self.found.values[value] for value in op.operands]))

    def leave(self, op: Op) -> None:
        """The end of a block: arguments of those that it may lead to."""
        targets = op.targets
        if op.name == "cond_br" and op.operands[0] not in self.varying:
            if op.operands[0] not in self.found.values:
                return
            targets = self.found.targets(op)
        for target in targets:
            for argument, value in zip(target.block.args, target.args, strict=True):
                if argument.type is Type.QUBIT or value in self.varying:
                    self.lower(argument, None)
                elif value in self.found.values:
                    self.lower(argument, self.found.values[value])
            self.reach(target.block)


def _users(function: Function) -> dict[Value, list[tuple[Block, Op]]]:
    found: dict[Value, list[tuple[Block, Op]]] = {}
    for block in function.blocks:
        for op in block.ops:
            passed = (value for target in op.targets for value in target.args)
            for value in dict.fromkeys([*op.operands, *passed]):
                found.setdefault(value, []).append((block, op))
    return found


def _same(a: Scalar, b: Scalar) -> bool:
    return repr(a) == repr(b)  # as text: 0.0 and -0.0 are equal


def scalar(op: Op, operands: Sequence[Scalar]) -> Scalar | None:
    """What an operation makes of constants; None if that is not known, or a fault."""
    attrs = op.attrs or {}
    if op.name in LITERALS:
        value = attrs[LITERALS[op.name]]
        assert not isinstance(value, str)
        return value
    try:
        return _computed(op.name, str(next(iter(attrs.values()), "")), operands)
    except (ZeroDivisionError, ValueError):
        return None


def _computed(name: str, attr: str, operands: Sequence[Scalar]) -> Scalar | None:
    integers = [int(value) for value in operands if not isinstance(value, float)]
    numbers = [float(value) for value in operands]
    if name in INTEGER:
        return INTEGER[name](*integers)
    if name in FLOAT:
        return FLOAT[name](*numbers)
    if name == "cmpi":
        return int(INTEGER_PREDICATES[attr](*integers))
    if name == "cmpf":
        return int(FLOAT_PREDICATES[attr](*numbers))
    if name == "mathf":
        return FUNCTIONS[attr](numbers[0])
    if name == "extsi":
        return signed(integers[0], int(attr))
    if name in ("fptosi", "fptoui"):
        return to_integer(numbers[0])
    if name.startswith("select_"):
        return operands[1] if operands[0] else operands[2]
    if name == "xor":
        return sum(integers) % 2
    if name == "and":
        return int(all(integers))
    return _converted(name, operands)


def _converted(name: str, operands: Sequence[Scalar]) -> Scalar | None:
    """A constant as one of another type; None if that is not what the operation does."""
    if name == "extui":
        return operands[0]
    if name == "trunci":
        return int(operands[0]) & 1
    if name == "sitofp":
        return float(operands[0])
    return float(unsigned(int(operands[0]))) if name == "uitofp" else None
