"""Values of a function as expressions: which of them are needed, and which are variables.

    %m (measured), arguments of blocks, what is loaded or selected        variables
    %a = xor %m, %n                                                      m ^ n, where it is used
    %b = addi %i, %one; used twice                                       a variable

What is used where it is not defined means the same there: whatever runs again in between, in a
loop, also runs the definition again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from qwasmc.backends.structured.constants import Constants
from qwasmc.backends.structured.tree import (
    Apply,
    Constant,
    Expression,
    Read,
    Variable,
    conjunction,
    negation,
    parity,
)
from qwasmc.ir.program import Block, Op, Value
from qwasmc.ops import Type

MAX_SIZE = 32
"""Most variables and operations in one expression."""

SMALL = 2
"""Size of an expression that is written again wherever it is used, such as `not m`."""


def needed(blocks: Sequence[Block], constants: Constants, idle: Collection[Op]) -> Counter[Value]:
    """How often classical values are used by what has an effect, directly or not.

    What is not there is not needed.  Operations that are `idle` have no effect.
    """
    makers = {value: op for block in blocks for op in block.ops for value in op.results}
    incoming: dict[Value, list[Value]] = {}
    roots: list[Value] = []
    for block in blocks:
        for op in block.ops:
            if op not in idle:
                roots += _roots(op)
        for target in constants.targets(block.ops[-1]):
            for argument, value in zip(target.block.args, target.args, strict=True):
                incoming.setdefault(argument, []).append(value)
    uses: Counter[Value] = Counter()
    todo = roots
    while todo:
        value = todo.pop()
        if value in constants.values:
            continue
        uses[value] += 1
        if uses[value] > 1:
            continue
        todo += incoming.get(value, ())
        maker = makers.get(value)
        if maker is not None and not maker.spec.qubits:
            todo += [operand for operand in maker.operands if operand.type is not Type.QUBIT]
    return uses


def _roots(op: Op) -> list[Value]:
    """The classical values that an operation with an effect uses."""
    acts = op.spec.qubits or op.spec.ends_block or not op.results
    if not acts or op.name in ("return", "insert"):
        return []
    found = [value for value in op.operands if value.type is not Type.QUBIT]
    return found if op.cond is None else [*found, op.cond]


class Values:
    """What classical values are, as far as they have been defined."""

    def __init__(self, constants: Constants, uses: Counter[Value]) -> None:
        self.constants = constants
        self.uses = uses
        self._expressions: dict[Value, Expression] = {}
        self._sizes: dict[Value, int] = {}

    def __getitem__(self, value: Value) -> Expression:
        """The expression of a value."""
        if value in self.constants.values:
            return Constant(self.constants.values[value], value.type)
        return self._expressions[value]

    def variable(self, value: Value) -> Variable:
        """The variable of a value that is one; asking for it makes it one."""
        found = self._expressions.get(value)
        if not isinstance(found, Read):
            found = Read(Variable(value.type, value.name))
            self._expressions[value] = found
            self._sizes[value] = 1
        return found.variable

    def set(self, value: Value, expression: Expression) -> None:
        """A value is what this expression says."""
        self._expressions[value] = expression
        self._sizes[value] = 1

    def alias(self, argument: Value, value: Value) -> bool:
        """Let an argument be the expression of a value, unless that is long and used again."""
        size = self._sizes.get(value, 0)
        if self.uses[argument] > 1 and size > SMALL:
            return False
        self._expressions[argument] = self[value]
        self._sizes[argument] = size
        return True

    def define(self, op: Op) -> tuple[Variable, Expression] | None:
        """Take note of an operation on values; the variable that keeps the result, if one does."""
        (value,) = op.results
        operands = [self[operand] for operand in op.operands]
        size = 1 + sum(self._sizes.get(operand, 0) for operand in op.operands)
        made = _expression(op, operands)
        most = SMALL if self.uses[value] > 1 else MAX_SIZE
        if isinstance(made, Constant | Read) or size <= most:
            self._expressions[value] = made
            self._sizes[value] = size
            return None
        return self.variable(value), made


def _expression(op: Op, operands: list[Expression]) -> Expression:
    if op.name == "xor":
        return parity(operands)
    if op.name == "and":
        return conjunction(operands)
    attr = next(iter((op.attrs or {}).values()), "")
    assert not isinstance(attr, float)
    if op.name == "cmpi" and attr in ("eq", "ne"):
        truth = _truth(operands, positive=attr == "ne")
        if truth is not None:
            return truth
    if op.name == "trunci":
        truth = _bit(operands[0])
        if truth is not None:
            return truth
    return Apply(op.name, tuple(operands), op.results[0].type, attr, op.loc)


def _truth(operands: list[Expression], *, positive: bool) -> Expression | None:
    """The bit that a comparison of a bit's number with 0 or 1 is."""
    for one, other in (operands, operands[::-1]):
        bit = _bit(one)
        if bit is not None and isinstance(other, Constant) and other.value in (0, 1):
            return bit if positive != bool(other.value) else negation(bit)
    return None


def _bit(number: Expression) -> Expression | None:
    """The bit that a number of one bit is."""
    if not isinstance(number, Apply):
        return None
    if number.name == "extui":
        return number.operands[0]
    if number.name in ("andi", "ori", "xori"):
        bits = [
            Constant(operand.value, Type.I1)
            if isinstance(operand, Constant) and operand.value in (0, 1)
            else _bit(operand)
            for operand in number.operands
        ]
        a, b = bits
        if a is None or b is None:
            return None
        if number.name == "ori":
            return negation(conjunction([negation(a), negation(b)]))
        return conjunction([a, b]) if number.name == "andi" else parity([a, b])
    return None
