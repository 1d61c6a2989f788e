"""What each classical operation computes: a table from op names to functions of numbers.

Integers are Python ints in the signed range of 64 bits, bits are 0 or 1, numbers are floats.
"""

from __future__ import annotations

import math
import operator
import struct
from collections.abc import Callable

Scalar = int | float

WORD = 64
"""Bits of an integer."""

_MASK = (1 << WORD) - 1


def signed(value: int, bits: int = WORD) -> int:
    """The lowest `bits` bits as a number in two's complement."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def unsigned(value: int) -> int:
    """The 64 bits of an integer as a number that is not negative."""
    return value & _MASK


def float_bits(value: float) -> int:
    """The 64 bits of IEEE 754 of a number, as an integer."""
    found: int = struct.unpack("<q", struct.pack("<d", value))[0]
    return found


def bits_float(bits: int) -> float:
    """The number that 64 bits spell in IEEE 754."""
    found: float = struct.unpack("<d", struct.pack("<q", signed(bits)))[0]
    return found


def _quotient(a: int, b: int) -> int:
    """Rounded towards 0; ZeroDivisionError as usual."""
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


INTEGER: dict[str, Callable[[int, int], int]] = {
    "addi": lambda a, b: signed(a + b),
    "subi": lambda a, b: signed(a - b),
    "muli": lambda a, b: signed(a * b),
    "divsi": lambda a, b: signed(_quotient(a, b)),
    "divui": lambda a, b: signed(unsigned(a) // unsigned(b)),
    "remsi": lambda a, b: a - b * _quotient(a, b),
    "remui": lambda a, b: signed(unsigned(a) % unsigned(b)),
    "andi": operator.and_,
    "ori": operator.or_,
    "xori": operator.xor,
    "shli": lambda a, b: signed(a << b) if 0 <= b < WORD else 0,
    "shrsi": lambda a, b: a >> (b if 0 <= b < WORD else WORD - 1),
    "shrui": lambda a, b: signed(unsigned(a) >> b) if 0 <= b < WORD else 0,
}
"""Operations on two integers; a division may raise ZeroDivisionError."""

INTEGER_PREDICATES: dict[str, Callable[[int, int], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "slt": operator.lt,
    "sle": operator.le,
    "sgt": operator.gt,
    "sge": operator.ge,
    "ult": lambda a, b: unsigned(a) < unsigned(b),
    "ule": lambda a, b: unsigned(a) <= unsigned(b),
    "ugt": lambda a, b: unsigned(a) > unsigned(b),
    "uge": lambda a, b: unsigned(a) >= unsigned(b),
}
"""What `cmpi` asks of two integers."""


def _fdiv(a: float, b: float) -> float:
    if b:
        return a / b
    if not a or math.isnan(a) or math.isnan(b):
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def _frem(a: float, b: float) -> float:
    return math.nan if math.isinf(a) or not b else math.fmod(a, b)


def _pow(a: float, b: float) -> float:
    try:
        return math.pow(a, b)
    except ValueError:  # a fraction of a negative number, or a negative power of 0
        if a:
            return math.nan
    except OverflowError:
        pass
    odd = math.isfinite(b) and abs(math.fmod(b, 2.0)) == 1.0
    return math.copysign(math.inf, a) if odd else math.inf


def _total(function: Callable[[float], float]) -> Callable[[float], float]:
    """The function with nan outside its domain; overflow has the sign of the argument."""

    def wrapped(value: float) -> float:
        try:
            return function(value)
        except ValueError:
            return math.nan
        except OverflowError:
            return math.copysign(math.inf, value)

    return wrapped


def _logarithm(function: Callable[[float], float]) -> Callable[[float], float]:
    total = _total(function)
    return lambda value: total(value) if value else -math.inf


def _whole(function: Callable[[float], int]) -> Callable[[float], float]:
    """The function that rounds a number, keeping its sign where that gives 0."""

    def wrapped(value: float) -> float:
        if not math.isfinite(value):
            return value
        return math.copysign(float(function(value)), value)

    return wrapped


def _round(value: float) -> int:
    whole = math.trunc(value)
    return whole + int(math.copysign(1, value)) * (abs(value - whole) >= 0.5)


FLOAT: dict[str, Callable[[float, float], float]] = {
    "addf": operator.add,
    "subf": operator.sub,
    "mulf": operator.mul,
    "divf": _fdiv,
    "remf": _frem,
    "powf": _pow,
}
"""Operations on two numbers; none raises."""

_ORDERED: dict[str, Callable[[float, float], bool]] = {
    "eq": operator.eq,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
    "ne": lambda a, b: a < b or a > b,
}


def _unordered(test: Callable[[float, float], bool]) -> Callable[[float, float], bool]:
    return lambda a, b: math.isnan(a) or math.isnan(b) or test(a, b)


FLOAT_PREDICATES: dict[str, Callable[[float, float], bool]] = {
    **{f"o{name}": test for name, test in _ORDERED.items()},
    **{f"u{name}": _unordered(test) for name, test in _ORDERED.items()},
    "ord": lambda a, b: not (math.isnan(a) or math.isnan(b)),
    "uno": lambda a, b: math.isnan(a) or math.isnan(b),
}
"""What `cmpf` asks of two numbers."""

_cosh = _total(math.cosh)

FUNCTIONS: dict[str, Callable[[float], float]] = {
    **{
        name: _total(getattr(math, name))
        for name in (
            *("sqrt", "exp", "exp2", "fabs"),
            *("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "tanh"),
        )
    },
    "cosh": lambda value: _cosh(abs(value)),
    **{name: _logarithm(getattr(math, name)) for name in ("log", "log2", "log10")},
    "floor": _whole(math.floor),
    "ceil": _whole(math.ceil),
    "trunc": _whole(math.trunc),
    "round": _whole(_round),
}
"""The functions of `mathf`; `round` takes halves away from 0."""


def to_integer(value: float) -> int:
    """A number rounded towards 0, as `fptosi` and `fptoui`; ValueError if it does not fit."""
    if not math.isfinite(value) or not -(2.0**63) <= math.trunc(value) < 2.0**64:
        raise ValueError(f"{value} does not fit an integer")
    return signed(math.trunc(value))
