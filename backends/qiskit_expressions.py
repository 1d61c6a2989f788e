"""Expressions of structured programs as Qiskit's.

An integer is a `Uint(64)`: sums, differences and products of two's complement are those of
unsigned integers, and so are orders once the sign bits are flipped.

    cmpi slt a 5         less(a ^ 2^63, 5 ^ 2^63)
    shrsi a 2            ((a ^ 2^63) >> 2) - 2^61
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from qiskit.circuit import ClassicalRegister, Clbit
from qiskit.circuit.classical import expr, types

from qwasmc.backends.refusals import refusal
from qwasmc.backends.structured.tree import Apply, Constant, Expression, Read, Variable
from qwasmc.diagnostics import Locations
from qwasmc.ops import Type
from qwasmc.scalars import WORD, unsigned

INTEGER = types.Uint(WORD)
SIGN = 1 << (WORD - 1)

Place: TypeAlias = "Clbit | ClassicalRegister | expr.Var"
"""What holds a variable."""

TYPES = {Type.I1: types.Bool(), Type.I64: INTEGER, Type.F64: types.Float()}

BINARY: dict[str, Callable[..., expr.Expr]] = {
    "xor": expr.bit_xor,
    "and": expr.bit_and,
    "addi": expr.add,
    "subi": expr.sub,
    "muli": expr.mul,
    "divui": expr.div,
    "andi": expr.bit_and,
    "ori": expr.bit_or,
    "xori": expr.bit_xor,
    "addf": expr.add,
    "subf": expr.sub,
    "mulf": expr.mul,
    "divf": expr.div,
}
"""Operations that Qiskit has, too."""

RELATIONS: dict[str, Callable[..., expr.Expr]] = {
    "eq": expr.equal,
    "ne": expr.not_equal,
    "lt": expr.less,
    "le": expr.less_equal,
    "gt": expr.greater,
    "ge": expr.greater_equal,
}

FLOAT_RELATIONS = {"oeq", "olt", "ole", "ogt", "oge", "une"}
"""Predicates of `cmpf` that are Qiskit's relations, also of what is not a number."""


class Expressions:
    """Translates expressions, given what holds each variable."""

    def __init__(self, places: Mapping[Variable, Place], locations: Locations) -> None:
        self.places = places
        self.locations = locations

    def value(self, node: Expression) -> expr.Expr:
        """An expression; raises CompileError for what Qiskit has no operation for."""
        if isinstance(node, Constant):
            return self.constant(node)
        if isinstance(node, Read):
            return expr.lift(self.places[node.variable])
        found = self.applied(node)
        if found is None:
            message = f"Qiskit's expressions have nothing for '{node.name}' of results"
            raise refusal(self.locations, message, node.loc)
        return found

    def constant(self, node: Constant) -> expr.Expr:
        """A constant."""
        if node.type is Type.I1:
            return expr.lift(bool(node.value))
        if node.type is Type.F64:
            return expr.lift(float(node.value), types.Float())
        return _integer(int(node.value))

    def applied(self, node: Apply) -> expr.Expr | None:
        """An operation, or None if there is no way to write it."""
        name = node.name
        if name in ("shli", "shrui", "shrsi"):
            return self.shifted(node)
        operands = [self.value(operand) for operand in node.operands]
        if name == "not":
            return expr.logic_not(*operands)
        if name in BINARY:
            return BINARY[name](*operands)
        if name == "extui":
            return expr.cast(*operands, INTEGER)
        if name == "trunci":
            return expr.not_equal(expr.bit_and(*operands, _integer(1)), _integer(0))
        if name == "extsi":
            return _sign_extended(operands[0], int(node.attr))
        if name == "uitofp":
            return expr.cast(*operands, types.Float())
        if name == "cmpi":
            return _compared(str(node.attr), *operands)
        if name == "cmpf" and node.attr in FLOAT_RELATIONS:
            return RELATIONS[str(node.attr)[1:]](*operands)
        return None

    def shifted(self, node: Apply) -> expr.Expr | None:
        """A shift by a known number of bits; what others are is not the same everywhere."""
        amount = node.operands[1]
        if not isinstance(amount, Constant):
            return None
        by, value = int(amount.value), self.value(node.operands[0])
        if node.name == "shrsi":
            by = by if 0 <= by < WORD else WORD - 1
            moved = expr.shift_right(expr.bit_xor(value, _integer(SIGN)), _integer(by))
            return expr.sub(moved, _integer(SIGN >> by))
        if not 0 <= by < WORD:
            return _integer(0)
        shift = expr.shift_left if node.name == "shli" else expr.shift_right
        return shift(value, _integer(by))


def _integer(value: int) -> expr.Value:
    return expr.Value(unsigned(value), INTEGER)


def _sign_extended(value: expr.Expr, bits: int) -> expr.Expr:
    """The lowest bits, with the highest one of them repeated."""
    sign = 1 << (bits - 1)
    low = expr.bit_and(value, _integer(2 * sign - 1))
    return expr.sub(expr.bit_xor(low, _integer(sign)), _integer(sign))


def _compared(predicate: str, left: expr.Expr, right: expr.Expr) -> expr.Expr:
    """A comparison of two integers."""
    if predicate in ("eq", "ne"):
        return RELATIONS[predicate](left, right)
    if predicate[0] == "s":
        left, right = _flipped(left), _flipped(right)
    return RELATIONS[predicate[1:]](left, right)


def _flipped(value: expr.Expr) -> expr.Expr:
    """An integer with its sign bit flipped, which makes signed order unsigned order."""
    if isinstance(value, expr.Value):
        return _integer(value.value ^ SIGN)
    return expr.bit_xor(value, _integer(SIGN))
