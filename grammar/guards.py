"""Guards of instructions: from an expression over measurement results to one bit.

APPLY_X q if a==1 && b!=0        %both = "qw.and"(%a, %b); "qw.x" on %q, predicated on %both
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from qwasmc.grammar.evaluator import (
    Choice,
    Compare,
    Context,
    LineError,
    Literal,
    Node,
    Substitution,
    Template,
    Unary,
    Variable,
)
from qwasmc.grammar.evaluator import Value as Constant
from qwasmc.ir.program import Block, Value


class Guards(ABC):
    """Appends functions of bits to a block."""

    def __init__(self, block: Block, context: Context) -> None:
        self.block = block
        self.context = context
        self.bits: dict[str, Value] = {}
        """Measurement results by name."""
        self.forget()

    @abstractmethod
    def bit(self, name: str, where: Node | None) -> Value:
        """A measurement result by name."""

    def forget(self) -> None:
        """Use no values again that were computed before."""
        self._one: Value | None = None
        self._inverses: dict[Value, Value] = {}

    def logic(self, op: str, bits: Sequence[Value], loc: int) -> Value:
        """Append a function of bits; of one bit it is that bit."""
        if len(bits) == 1:
            return bits[0]
        (result,) = self.block.append(op, bits, loc=loc)
        return result

    def inverted(self, bit: Value, loc: int) -> Value:
        """Append the negation of a bit, unless there is one already."""
        if bit not in self._inverses:
            if self._one is None:
                (self._one,) = self.block.append("const", attrs={"value": 1}, loc=loc)
            inverse = self.logic("xor", [bit, self._one], loc)
            self._inverses[bit], self._inverses[inverse] = inverse, bit
        return self._inverses[bit]

    def guard(self, node: Node, loc: int) -> Value:
        """The bit that a guard's tree comes to."""
        if isinstance(node, Choice):
            # a or b is not (not a and not b).
            bits = [self.guard(item, loc) for item in node.items]
            if not node.decides:
                return self.logic("and", bits, loc)
            none = [self.inverted(bit, loc) for bit in bits]
            return self.inverted(self.logic("and", none, loc), loc)
        if isinstance(node, Unary) and node.operator in ("!", "not"):
            return self.inverted(self.guard(node.operand, loc), loc)
        if isinstance(node, Compare):
            return self.comparison(node, loc)
        value = self.side(node)
        if isinstance(value, int):
            raise LineError("a guard depends on measurement results", node, label="not a bit")
        return value

    def comparison(self, node: Compare, loc: int) -> Value:
        """`a == 1`, `a != b`."""
        if len(node.items) != 2 or node.operators[0] not in ("==", "!="):
            raise LineError("a guard compares bits with == and !=", node)
        sides = [self.side(item) for item in node.items]
        bits = [side for side in sides if isinstance(side, Value)]
        if not bits:
            raise LineError("a guard depends on measurement results", node)
        return self.compare_bits(node, sides, loc)

    def compare_bits(self, node: Compare, sides: Sequence[Value | int], loc: int) -> Value:
        """Append whether the sides of a comparison, bits or 0 or 1, are equal or differ."""
        bits = [side for side in sides if isinstance(side, Value)]
        # The sides differ where the parity of everything on both of them is odd.
        inverted = sum(side for side in sides if isinstance(side, int)) % 2 == 1
        differ = self.logic("xor", bits, loc)
        if inverted == (node.operators[0] == "!="):
            return self.inverted(differ, loc)
        return differ

    def side(self, node: Node) -> Value | int:
        """A side of a comparison: a bit, or 0 or 1."""
        if isinstance(node, Variable):
            value: Constant = node.name
            if node.name not in self.bits:
                found = self.context.find(node.name)
                value = found if isinstance(found, int) else node.name
        elif isinstance(node, (Literal, Substitution, Template)):
            value = node.evaluate(self.context)
        else:
            raise LineError("a guard compares bits with == and !=", node)
        if isinstance(value, str):
            return self.bit(value, node)
        if isinstance(value, int) and value in (0, 1):
            return int(value)
        raise LineError("a measurement result is 0 or 1", node)
