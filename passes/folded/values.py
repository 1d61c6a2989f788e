"""Classical values of a folded run: what they are now, and what they are as functions of inputs.

A piece of a program that is run once and used many times (`record`) has *inputs*: its arguments,
and what it finds in memory.  A value in it is one of

    int, float     the same whatever the inputs are
    Affine         an integer that is a sum of multiples of inputs: it is known for any inputs
    Test           a comparison of two such integers, not yet asked for
    Opaque         known now, and whenever the inputs that it comes from are what they are now
    UNKNOWN        depends on a measurement result

What the run relies on is collected in `Premises`: inputs that must be what they are (*pinned*), and
sums of inputs that must lie in a range.  So a subroutine that is called with other qubit numbers,
or a loop with a higher counter, does the same as before if the premises hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias

from qwasmc.ir.program import Attr
from qwasmc.passes.symbolic import compute_known
from qwasmc.scalars import INTEGER_PREDICATES, WORD, signed

LEAST, MOST = -(1 << (WORD - 1)), (1 << (WORD - 1)) - 1
"""The range of an integer."""

Linear: TypeAlias = tuple[tuple[int, int], ...]
"""Inputs by number with factors that are not 0, in order: a sum of multiples of inputs."""


class Unknown(Enum):
    """The value that depends on measurement results."""

    UNKNOWN = "unknown"


UNKNOWN = Unknown.UNKNOWN

Raw: TypeAlias = "int | float | Unknown"
"""What a value is now."""


@dataclass(frozen=True, slots=True)
class Affine:
    """`value` = the sum `linear` + `const`, without wrapping around."""

    value: int
    linear: Linear
    const: int


@dataclass(frozen=True, slots=True)
class Test:
    """The bit `value`: whether `a` and `b` are as the `predicate` of a cmpi says."""

    value: int
    predicate: str
    a: int | Affine
    b: int | Affine


@dataclass(frozen=True, slots=True)
class Opaque:
    """Follows in some way from the inputs with these numbers."""

    value: int | float
    sources: tuple[int, ...]


Val: TypeAlias = "int | float | Affine | Test | Opaque | Unknown"


def raw(value: Val) -> Raw:
    """What a value is now."""
    return value.value if isinstance(value, Affine | Test | Opaque) else value


def combined(a: Linear, x: int, b: Linear, y: int) -> Linear:
    """x a + y b."""
    total = {number: x * factor for number, factor in a}
    for number, factor in b:
        total[number] = total.get(number, 0) + y * factor
    return tuple(sorted((number, factor) for number, factor in total.items() if factor))


@dataclass(slots=True)
class Premises:
    """What a run relied on: pinned inputs, and for sums of inputs the least and the most."""

    pinned: dict[int, None] = field(default_factory=dict)
    ranges: dict[Linear, tuple[int, int]] = field(default_factory=dict)

    def require(self, linear: Linear, least: int, most: int) -> None:
        """A sum of inputs lies in a range."""
        found = self.ranges.get(linear)
        if found is None:
            self.ranges[linear] = least, most
        elif least > found[0] or most < found[1]:
            self.ranges[linear] = max(least, found[0]), min(most, found[1])

    def pin(self, value: Val) -> None:
        """A value is what it is now."""
        if isinstance(value, Affine):
            self.pinned.update((number, None) for number, _ in value.linear)
        elif isinstance(value, Opaque):
            self.pinned.update(dict.fromkeys(value.sources))
        elif isinstance(value, Test):
            self.decide(value)

    def known(self, value: Val) -> Any:
        """The number that a value is now, which the run relies on from now on."""
        self.pin(value)
        return raw(value)

    def affine(self, value: int, linear: Linear, const: int) -> int | Affine:
        """The integer linear + const, which is `value` but for wrapping around."""
        if not linear:
            return signed(value)
        if not LEAST <= value <= MOST:
            self.pinned.update((number, None) for number, _ in linear)
            return signed(value)
        self.require(linear, LEAST - const, MOST - const)
        return Affine(value, linear, const)

    def decide(self, test: Test) -> int:
        """The bit of a comparison."""
        a, b = split(test.a), split(test.b)
        predicate = test.predicate
        if predicate.startswith("u"):
            if a[0] < 0 or b[0] < 0:
                self.pin(test.a)
                self.pin(test.b)
                return test.value
            for _, linear, const in (a, b):
                if linear:
                    self.require(linear, -const, MOST - const)
        linear = combined(a[1], 1, b[1], -1)
        if not linear:
            return test.value
        least, most = _answers(predicate, a[0] - b[0])
        shift = a[2] - b[2]
        self.require(linear, least - shift, most - shift)
        return test.value

    def bit(self, value: Val) -> int:
        """A bit that is known."""
        if isinstance(value, Test):
            return self.decide(value)
        found: int = self.known(value)
        return found


WIDE = 1 << (WORD + 1)
"""More than the difference of two integers."""


def _answers(predicate: str, difference: int) -> tuple[int, int]:
    """The range of differences around one of them in which a comparison has the same answer."""
    if predicate in ("eq", "ne"):
        if difference == 0:
            return 0, 0
        return (1, WIDE) if difference > 0 else (-WIDE, -1)
    if predicate[1:] in ("lt", "ge"):
        return (-WIDE, -1) if difference < 0 else (0, WIDE)
    return (-WIDE, 0) if difference <= 0 else (1, WIDE)


def split(value: int | Affine) -> tuple[int, Linear, int]:
    """What an integer is now, its sum of inputs, and what is added to that."""
    if isinstance(value, Affine):
        return value.value, value.linear, value.const
    return value, (), value


# -- operations ------------------------------------------------------------------------------------


def compute(premises: Premises, name: str, attrs: dict[str, Attr], values: Sequence[Val]) -> Val:
    """What a classical operation makes of values; it may raise ArithmeticError or ValueError."""
    kinds = {type(value) for value in values}
    if kinds <= PLAIN:
        return concrete(name, attrs, values)
    if name == "and" and any(value == 0 and type(value) is int for value in values):
        return 0
    if name.startswith("select_"):
        return _select(premises, values)
    if Unknown in kinds:
        return UNKNOWN
    if Opaque not in kinds:
        if name in SUMS:
            found: Val = SUMS[name](premises, *values)
            return found
        if name == "cmpi" and Test not in kinds:
            a, b = values
            predicate = str(attrs["predicate"])
            answer = int(INTEGER_PREDICATES[predicate](raw(a), raw(b)))  # type: ignore[arg-type]
            return Test(answer, predicate, a, b)  # type: ignore[arg-type]
        if name == "extsi":
            return _extend(premises, values[0], int(attrs["bits"]))
        if Test in kinds:
            return concrete(name, attrs, [premises.known(value) for value in values])
    sources: dict[int, None] = {}
    for value in values:
        if isinstance(value, Affine):
            sources.update((number, None) for number, _ in value.linear)
        elif isinstance(value, Opaque):
            sources.update(dict.fromkeys(value.sources))
        elif isinstance(value, Test):
            premises.decide(value)
    return Opaque(concrete(name, attrs, [raw(value) for value in values]), tuple(sources))


PLAIN = {int, float}


def concrete(name: str, attrs: dict[str, Attr], values: Sequence[Any]) -> int | float:
    """The result of an operation on known values."""
    if name == "xor":
        return int(sum(values)) & 1
    if name == "and":
        return int(all(values))
    if name == "extui":
        return int(values[0])
    if name.startswith("select_"):
        found: int | float = values[1] if values[0] else values[2]
        return found
    return compute_known(name, attrs, values)


def _select(premises: Premises, values: Sequence[Val]) -> Val:
    condition, then, otherwise = values
    if condition is UNKNOWN:
        return then if then == otherwise and type(then) is type(otherwise) else UNKNOWN
    return then if premises.bit(condition) else otherwise


def _sum(premises: Premises, a: Any, b: Any, sign: int) -> Val:
    (x, p, c), (y, q, d) = split(a), split(b)
    return premises.affine(x + sign * y, combined(p, 1, q, sign), c + sign * d)


def _product(premises: Premises, a: Any, b: Any) -> Val:
    if isinstance(a, Affine) and isinstance(b, Affine):
        sources = tuple(dict.fromkeys(number for number, _ in (*a.linear, *b.linear)))
        return Opaque(signed(a.value * b.value), sources)
    one, factor = (a, b) if isinstance(a, Affine) else (b, a)
    linear = combined(one.linear, factor, (), 0) if factor else ()
    return premises.affine(one.value * factor, linear, one.const * factor)


def _shift(premises: Premises, a: Any, by: Any) -> Val:
    amount = premises.known(by)
    if not 0 <= amount < WORD - 1 or not isinstance(a, Affine):
        return concrete("shli", {}, [premises.known(a), amount])
    return _product(premises, a, 1 << amount)


SUMS: dict[str, Any] = {
    "addi": lambda premises, a, b: _sum(premises, a, b, 1),
    "subi": lambda premises, a, b: _sum(premises, a, b, -1),
    "muli": _product,
    "shli": _shift,
}
"""Operations that make sums of inputs."""


def _extend(premises: Premises, value: Any, bits: int) -> Val:
    """Sign extension, which changes nothing where the value has so few bits."""
    half = 1 << (bits - 1)
    if not isinstance(value, Affine) or not -half <= value.value < half:
        return concrete("extsi", {"bits": bits}, [premises.known(value)])
    premises.require(value.linear, -half - value.const, half - 1 - value.const)
    return value


def substituted(premises: Premises, value: Val, inputs: Sequence[Val]) -> Val:
    """A value of one run as a value of another one, in which the first one's inputs are values."""
    if isinstance(value, Affine):
        return affine_of(premises, value.linear, value.const, inputs)
    if isinstance(value, Test):
        a, b = (substituted(premises, each, inputs) for each in (value.a, value.b))
        return compute(premises, "cmpi", {"predicate": value.predicate}, [a, b])
    assert not isinstance(value, Opaque), "what leaves a run is pinned"
    return value


def affine_of(
    premises: Premises, linear: Linear, const: int, inputs: Sequence[Val]
) -> int | Affine:
    """A sum of inputs of one run as an integer of another one."""
    total, sum_of, rest = const, EMPTY, const
    for number, factor in linear:
        value = inputs[number]
        if not isinstance(value, Affine):
            value = premises.known(value)
        x, other, c = split(value)
        total, rest = total + factor * x, rest + factor * c
        sum_of = combined(sum_of, 1, other, factor)
    if not sum_of:
        return total
    return Affine(total, sum_of, rest)


EMPTY: Linear = ()
