"""Expressions of structured programs in OpenQASM 3.

    and(not m, n)             !m && n
    xor(m, cmpi slt i 5)      bool(m) != (i < 5)
    andi i 6                  int[64](uint[64](i) & uint[64](6))

Integers are `int[64]`; bits of integers are those of `uint[64]`, as the language has it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from qwasmc.backends.refusals import refusal
from qwasmc.backends.structured.tree import Apply, Constant, Expression, Read, Variable
from qwasmc.diagnostics import Locations
from qwasmc.ops import Type
from qwasmc.scalars import WORD, signed

SIGNED = {"addi": "+", "subi": "-", "muli": "*", "divsi": "/", "remsi": "%"}
UNSIGNED = {"divui": "/", "remui": "%", "andi": "&", "ori": "|", "xori": "^"}
SHIFTS = ("shli", "shrui", "shrsi")
SIGN = 1 << (WORD - 1)
FLOAT = {"addf": "+", "subf": "-", "mulf": "*", "divf": "/"}
RELATIONS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
CASTS = {"extui": "int[64]", "sitofp": "float[64]", "fptosi": "int[64]"}
FUNCTIONS = {
    **{name: name for name in ("sqrt", "exp", "sin", "cos", "tan", "log", "floor")},
    **{"asin": "arcsin", "acos": "arccos", "atan": "arctan", "ceil": "ceiling"},
}
"""By `function` of `mathf`, the one that the language has."""


class Text(NamedTuple):
    """An expression as text."""

    text: str
    is_atom: bool = True
    """Whether it needs no parentheses."""

    @property
    def inner(self) -> str:
        """The text as part of another expression."""
        return self.text if self.is_atom else f"({self.text})"


class Expressions:
    """Writes expressions, given the name of each variable; those in `bits` are of type `bit`."""

    def __init__(
        self, names: Mapping[Variable, str], bits: set[Variable], locations: Locations
    ) -> None:
        self.names = names
        self.bits = bits
        self.locations = locations

    def text(self, node: Expression) -> str:
        """The text of an expression; raises CompileError for what the language has not."""
        return self.write(node).text

    def write(self, node: Expression) -> Text:
        """The text of an expression, and what it is."""
        if isinstance(node, Read):
            return Text(self.names[node.variable])
        if isinstance(node, Constant):
            return self.constant(node)
        found = self.applied(node, [self.write(operand) for operand in node.operands])
        if found is None:
            message = f"OpenQASM 3 has nothing for '{node.name}' of results"
            raise refusal(self.locations, message, node.loc)
        return found

    def constant(self, node: Constant) -> Text:
        """A constant."""
        if node.type is Type.I1:
            return Text("true" if node.value else "false")
        if node.type is Type.F64 and not math.isfinite(node.value):
            raise refusal(self.locations, f"OpenQASM 3 has no number {node.value}", -1)
        text = repr(node.value)
        return Text(text, is_atom=not text.startswith("-"))

    def applied(self, node: Apply, operands: list[Text]) -> Text | None:
        """An operation, or None if there is no way to write it."""
        name, inner = node.name, [operand.inner for operand in operands]
        if name == "not":
            return Text(f"!{inner[0]}")
        if name == "and":
            return Text(" && ".join(inner), is_atom=False)
        if name == "xor":
            truths = list(map(self.truth, node.operands, inner))
            return Text(" != ".join(truths), is_atom=False)
        if name in SIGNED | FLOAT:
            return Text(f" {(SIGNED | FLOAT)[name]} ".join(inner), is_atom=False)
        if name in CASTS:
            return Text(f"{CASTS[name]}({operands[0].text})")
        if name == "uitofp":
            return Text(f"float[64](uint[64]({operands[0].text}))")
        if name == "fptoui":
            return Text(f"int[64](uint[64]({operands[0].text}))")
        if name == "mathf" and node.attr in FUNCTIONS:
            return Text(f"{FUNCTIONS[str(node.attr)]}({operands[0].text})")
        if name == "powf":
            return Text(f"pow({operands[0].text}, {operands[1].text})")
        if name == "cmpf":
            return _float_relation(str(node.attr), inner)
        return self.of_bits(node, operands)

    def truth(self, node: Expression, text: str) -> str:
        """A `bool` as part of another expression, given what it is otherwise."""
        return f"bool({text})" if isinstance(node, Read) and node.variable in self.bits else text

    def of_bits(self, node: Apply, operands: list[Text]) -> Text | None:
        """An operation on the bits of integers, or an order of them."""
        name, bits = node.name, [f"uint[64]({operand.text})" for operand in operands]
        if name in ("andi", "ori", "xori") and isinstance(node.operands[0], Constant):
            bits = bits[::-1]  # the QDK takes what follows a constant for one
        if name in UNSIGNED:
            return Text(f"int[64]({bits[0]} {UNSIGNED[name]} {bits[1]})")
        if name == "cmpi":
            predicate = str(node.attr)
            relation = RELATIONS.get(predicate) or RELATIONS[predicate[1:]]
            sides = [operand.inner for operand in operands]
            if predicate[0] == "u":
                sides = [_flipped(*side) for side in zip(node.operands, bits, strict=True)]
            return Text(f" {relation} ".join(sides), is_atom=False)
        if name == "trunci":
            return Text(f"({bits[0]} & 1) != 0", is_atom=False)
        if name == "extsi":
            width = int(node.attr)
            sign = 1 << (width - 1)
            if width == WORD:
                return operands[0]
            text = f"int[64](({bits[0]} & {2 * sign - 1}) ^ {sign}) - {sign}"
            return Text(text, is_atom=False)
        if name in SHIFTS:
            return _shift(name, node.operands[1], operands[0])
        return None


def _float_relation(predicate: str, inner: list[str]) -> Text | None:
    """A comparison of numbers; ordered ones are the language's, but for `!=`."""
    if predicate in ("oeq", "olt", "ole", "ogt", "oge", "une"):
        return Text(f" {RELATIONS[predicate[1:]]} ".join(inner), is_atom=False)
    return None


def _flipped(node: Expression, bits: str) -> str:
    """An integer with its sign bit flipped, which makes unsigned order that of integers.

    The QDK orders unsigned integers as if they were signed.
    """
    if isinstance(node, Constant):
        return str(signed(int(node.value) ^ SIGN))
    return f"int[64]({bits} ^ {SIGN})"


def _shift(name: str, amount: Expression, value: Text) -> Text | None:
    """A shift by a known number of bits; to the right by division, as the QDK repeats signs."""
    if not isinstance(amount, Constant):
        return None
    by = int(amount.value)
    if by == 0:
        return value
    outside = not 0 < by < WORD
    if name == "shrsi":
        return _divided(value, by) if not outside and by < WORD - 1 else _signs(value)
    if outside:
        return Text("0")
    if name == "shli":
        return Text(f"int[64](uint[64]({value.text}) << {by})")
    moved = _divided(value, by) if by < WORD - 1 else _signs(value)
    return Text(f"int[64](uint[64]({moved.text}) & {(1 << (WORD - by)) - 1})")


def _divided(value: Text, by: int) -> Text:
    """An integer divided by 2^by, rounded down; `%` has the sign of what is divided."""
    part = 1 << by
    inner = value.inner
    return Text(f"({inner} - (({inner} % {part}) + {part}) % {part}) / {part}", is_atom=False)


def _signs(value: Text) -> Text:
    """Nothing but the sign of an integer: -1 or 0."""
    return Text(f"-int[64]({value.inner} < 0)", is_atom=False)
