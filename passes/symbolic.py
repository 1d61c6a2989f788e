"""Values that depend on measurement results, and what classical operations make of them.

| type | known | depends on results |
|---|---|---|
| i1 | 0 or 1 | a bit of the `Bits` network |
| i64 | int | a word of bits |
| f64 | float | a `Choice` |
| qubit | the number of a wire | a `Choice` |

Where paths of a program meet, values that differ become a `Phi`, which is worked out when it is
used: what nobody uses any more may be anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from qwasmc.ops import Type
from qwasmc.passes import words
from qwasmc.passes.bits import Bits
from qwasmc.passes.words import Integer, Word
from qwasmc.scalars import (
    FLOAT,
    FLOAT_PREDICATES,
    FUNCTIONS,
    INTEGER,
    INTEGER_PREDICATES,
    float_bits,
    to_integer,
    unsigned,
)

MAX_ALTERNATIVES = 64
"""Values that a number, an address or a qubit may have, depending on measurement results."""

Attr = str | int | float

Fault = Callable[[int, str], None]
"""Told that what is being done is an error of the program where a bit is 1."""


class Refusal(Exception):
    """Something is not supported; it is at `loc`, or where the program is being run."""

    def __init__(self, message: str, label: str = "", help: str = "", loc: int | None = None):
        super().__init__(message)
        self.message, self.label, self.help, self.loc = message, label, help, loc


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """One of several known values: the one whose bit is 1, which is so for one of them."""

    items: tuple[tuple[int, Any], ...]


class Phi:
    """`then` where `bit` is 1, else `otherwise`; None stands for a value that was never given."""

    __slots__ = ("bit", "otherwise", "settled", "then", "type")

    def __init__(self, type: Type, bit: int, then: Symbol, otherwise: Symbol) -> None:
        self.type = type
        self.bit = bit
        self.then = then
        self.otherwise = otherwise
        self.settled: tuple[Symbol, int] | None = None
        """The value, and the bit that is 1 where it was never given."""


Symbol = int | float | Word | Choice | Phi | None

DIVISIONS: dict[str, tuple[Callable[[Bits, Integer, Integer], tuple[Integer, Integer]], int]] = {
    "divsi": (words.divide_signed, 0),
    "remsi": (words.divide_signed, 1),
    "divui": (words.divide_unsigned, 0),
    "remui": (words.divide_unsigned, 1),
}
"""Who divides, and which of quotient and remainder is wanted."""

SHIFTS: dict[str, Callable[[Integer, int], Integer]] = {
    "shli": words.shift_left,
    "shrsi": words.shift_right,
    "shrui": words.shift_right_unsigned,
}

WORDS: dict[str, Callable[[Bits, Integer, Integer], Integer]] = {
    "addi": words.add,
    "subi": words.subtract,
    "muli": words.multiply,
    "andi": lambda bits, a, b: words.bitwise(bits.conj, a, b),
    "ori": lambda bits, a, b: words.bitwise(bits.either, a, b),
    "xori": lambda bits, a, b: words.bitwise(bits.xor, a, b),
}

COMPARISONS: dict[str, Callable[[Bits, Integer, Integer], int]] = {
    "eq": words.equal,
    "ne": lambda bits, a, b: words.equal(bits, a, b) ^ 1,
    "slt": words.less,
    "sge": lambda bits, a, b: words.less(bits, a, b) ^ 1,
    "sgt": lambda bits, a, b: words.less(bits, b, a),
    "sle": lambda bits, a, b: words.less(bits, b, a) ^ 1,
    "ult": words.less_unsigned,
    "uge": lambda bits, a, b: words.less_unsigned(bits, a, b) ^ 1,
    "ugt": lambda bits, a, b: words.less_unsigned(bits, b, a),
    "ule": lambda bits, a, b: words.less_unsigned(bits, b, a) ^ 1,
}

CONCRETE: dict[str, Callable[..., int | float]] = {
    **INTEGER,
    **FLOAT,
    "trunci": lambda a: a & 1,
    "sitofp": float,
    "uitofp": lambda a: float(unsigned(a)),
    "fptosi": to_integer,
    "fptoui": to_integer,
}
"""Operations without attributes on known integers and numbers."""


def same(a: Symbol, b: Symbol) -> bool:
    """Whether two values are seen to be equal."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        assert isinstance(b, float)
        return float_bits(a) == float_bits(b)
    return a == b


class Symbols:
    """Operations on values, as bits of a network."""

    def __init__(self, bits: Bits) -> None:
        self.bits = bits

    # -- one of two values

    def phi(self, type: Type, bit: int, a: Symbol, b: Symbol) -> Symbol:
        """a where the bit is 1, else b; not worked out yet."""
        if bit < 2:
            return a if bit else b
        return a if same(a, b) else Phi(type, bit, a, b)

    def settle(self, symbol: Symbol) -> tuple[Symbol, int]:
        """A value worked out, and the bit that is 1 where it was never given."""
        stack = [symbol] if isinstance(symbol, Phi) else []
        while stack:
            top = stack[-1]
            inner = (top.then, top.otherwise)
            waiting = [each for each in inner if isinstance(each, Phi) and each.settled is None]
            if waiting:
                stack += waiting
            else:
                stack.pop()
                top.settled = top.settled or self._join(top)
        return _settled(symbol)

    def _join(self, phi: Phi) -> tuple[Symbol, int]:
        a, no_a = _settled(phi.then)
        b, no_b = _settled(phi.otherwise)
        missing = self.bits.mux(phi.bit, no_a, no_b)
        if a is None or b is None:
            return (b if a is None else a), missing
        return self.mux(phi.type, phi.bit, a, b), missing

    def mux(self, type: Type, bit: int, a: Any, b: Any) -> Any:
        """a where the bit is 1, else b, both worked out."""
        if bit < 2 or same(a, b):
            return a if bit else b
        if type is Type.I1:
            return self.bits.mux(bit, a, b)
        if type is Type.I64:
            return words.select(self.bits, bit, a, b)
        conj = self.bits.conj
        chosen = [(conj(bit, each), value) for each, value in self.alternatives(a)]
        chosen += [(conj(bit ^ 1, each), value) for each, value in self.alternatives(b)]
        return self._choice(chosen)

    def combine(self, type: Type, items: Sequence[tuple[int, Any]]) -> Any:
        """The value whose bit is 1, which is so for one of them."""
        *others, (_, found) = items
        for bit, value in reversed(others):
            found = self.mux(type, bit, value, found)
        return found

    # -- one of many values

    def alternatives(self, symbol: Any, given: int = 1) -> Sequence[tuple[int, Any]]:
        """Every value that a number, an integer or a qubit can have where `given` is 1."""
        if isinstance(symbol, Choice):
            return symbol.items
        if isinstance(symbol, tuple):
            return self._values(symbol, given)
        return [(1, symbol)]

    def _values(self, word: Word, given: int) -> list[tuple[int, int]]:
        """Bit by bit, with a case for each value of the bits so far that can occur."""
        size, tables = self.bits.wide_tables([*word, given]) or (0, [])
        region = tables.pop() if tables else 0
        if not region:  # too many outcomes to tell what can occur
            size, tables = 0, [0] * len(word)
        cases = [(1, 0, region)]
        for at, (bit, table) in enumerate(zip(word, tables, strict=True)):
            weight = 1 << at if at < len(word) - 1 else -(1 << at)
            before, cases = cases, []
            for condition, value, region in before:
                one, zero = region & table, region & ~table
                if size and not (one and zero):
                    cases.append((condition, value + weight if one else value, region))
                    continue
                for found, more, part in ((bit ^ 1, 0, zero), (bit, weight, one)):
                    if both := self.bits.conj(condition, found):
                        cases.append((both, value + more, part))
            _check_count(cases)
        return [(condition, value) for condition, value, _ in cases]

    def _choice(self, items: Sequence[tuple[int, Any]]) -> Any:
        """One of values, equal ones put together."""
        found: dict[Any, tuple[int, Any]] = {}
        for bit, value in items:
            if bit:
                key = float_bits(value) if isinstance(value, float) else value
                found[key] = self.bits.xor(bit, found.get(key, (0, None))[0]), value
        if len(found) > MAX_ALTERNATIVES:
            found = {key: item for key, item in found.items() if self._is_possible(item[0])}
        _check_count(found)
        chosen = tuple(found.values())
        return chosen[0][1] if len(chosen) == 1 else Choice(chosen)

    def _is_possible(self, bit: int) -> bool:
        wide = self.bits.wide_tables([bit])
        return wide is None or wide[1][0] != 0

    def lift(self, type: Type, function: Callable[..., Any], values: Sequence[Any]) -> Any:
        """A function of known values, for each of the alternatives."""
        results = []
        for combination in product(*(self.alternatives(value) for value in values)):
            bit = self.bits.conj(*(each for each, _ in combination))
            if bit:
                results.append((bit, function(*(value for _, value in combination))))
        if type is Type.F64:
            return self._choice(results)
        return self.combine(type, results)

    # -- operations

    def compute(
        self, name: str, attrs: dict[str, Attr], values: Sequence[Any], fault: Fault
    ) -> Any:
        """The result of an operation on values that are worked out."""
        bits = self.bits
        if name == "xor":
            return bits.parity(values)
        if name == "and":
            return bits.conj(*values)
        if name == "extui":
            return words.to_integer((values[0], 0))
        if name.startswith("select_"):
            return self.mux(SELECTED[name], *values)
        if name in WORDS:
            return WORDS[name](bits, *values)
        if name == "cmpi":
            return COMPARISONS[str(attrs["predicate"])](bits, *values)
        if name == "trunci":
            return words.to_word(values[0])[0]
        if name == "extsi":
            return words.extend(values[0], int(attrs["bits"]))
        if name in SHIFTS:
            return self._shift(SHIFTS[name], *values)
        if name in DIVISIONS:
            return self._divide(name, values[0], values[1], fault)
        if name in ("fptosi", "fptoui"):
            return self._to_integer(values[0], fault)
        if name == "cmpf":
            test = FLOAT_PREDICATES[str(attrs["predicate"])]
            return self.lift(Type.I1, lambda a, b: int(test(a, b)), values)
        function = FUNCTIONS[str(attrs["function"])] if name == "mathf" else CONCRETE[name]
        return self.lift(Type.F64, function, values)

    def _shift(self, shift: Callable[[Integer, int], Integer], a: Integer, by: Integer) -> Integer:
        found = [(bit, shift(a, amount)) for bit, amount in self.alternatives(by)]
        shifted: Integer = self.combine(Type.I64, found)
        return shifted

    def _divide(self, name: str, a: Integer, b: Integer, fault: Fault) -> Integer:
        fault(words.equal(self.bits, b, 0), "division by zero")
        divide, which = DIVISIONS[name]
        return divide(self.bits, a, b)[which]

    def _to_integer(self, number: float | Choice, fault: Fault) -> Integer:
        found = []
        for bit, value in self.alternatives(number):
            try:
                found.append((bit, to_integer(value)))
            except ValueError as wrong:
                fault(bit, str(wrong))
                found.append((bit, 0))
        whole: Integer = self.combine(Type.I64, found)
        return whole


SELECTED = {"select_i1": Type.I1, "select_i64": Type.I64, "select_f64": Type.F64}


def compute_known(name: str, attrs: dict[str, Attr], values: Sequence[Any]) -> int | float:
    """The result of an operation on known integers and numbers; it may raise ArithmeticError."""
    if name in CONCRETE:
        return CONCRETE[name](*values)
    if name == "cmpi":
        return int(INTEGER_PREDICATES[str(attrs["predicate"])](*values))
    if name == "cmpf":
        return int(FLOAT_PREDICATES[str(attrs["predicate"])](*values))
    if name == "extsi":
        return int(words.extend(values[0], int(attrs["bits"])))  # type: ignore[arg-type]
    return FUNCTIONS[str(attrs["function"])](*values)


def _settled(symbol: Symbol) -> tuple[Symbol, int]:
    if isinstance(symbol, Phi):
        assert symbol.settled is not None
        return symbol.settled
    return symbol, int(symbol is None)


def _check_count(items: Sequence[Any] | dict[Any, Any]) -> None:
    if len(items) > MAX_ALTERNATIVES:
        raise Refusal(
            f"more than {MAX_ALTERNATIVES} values are possible here",
            "which one it is depends on measurement results",
        )
