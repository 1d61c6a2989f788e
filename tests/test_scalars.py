"""What classical operations compute, against numpy's arithmetic on 64 bits."""

from __future__ import annotations

import decimal
import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qwasmc import scalars
from qwasmc.ops import OPS, Type

LEAST, GREATEST = -(2**63), 2**63 - 1
EDGES = [0, 1, -1, 2, 63, 64, 65, 2**31, 2**53 + 1, LEAST, LEAST + 1, GREATEST]
INTEGERS = st.sampled_from(EDGES) | st.integers(LEAST, GREATEST) | st.integers(-9, 99)
BIG = 1.7976931348623157e308
FLOAT_EDGES = [
    *(0.0, 0.5, 1.0, 1.5, 2.5, 3.0, 0.49999999999999994, 2.0**52 + 1, 2.0**53, 2.0**63, 710.0),
    *(5e-324, 1e-308, BIG, math.inf, math.nan),
]
FLOATS = (
    st.sampled_from([*FLOAT_EDGES, *(-edge for edge in FLOAT_EDGES)])
    | st.floats()
    | st.integers(-9, 9).map(float)
)

Oracle = Callable[[np.ndarray, np.ndarray], np.ndarray]


def unsigned(function: Oracle) -> Oracle:
    return lambda a, b: function(a.view(np.uint64), b.view(np.uint64))


def toward_zero(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Numpy rounds down; a fraction is truncated."""
    quotient = int(Fraction(int(a[0]), int(b[0])))
    return np.array([quotient % 2**64], dtype=np.uint64)


INTEGER: dict[str, Oracle] = {
    "addi": np.add,
    "subi": np.subtract,
    "muli": np.multiply,
    "divsi": toward_zero,
    "divui": unsigned(np.floor_divide),
    "remsi": np.fmod,
    "remui": unsigned(np.fmod),
    "andi": np.bitwise_and,
    "ori": np.bitwise_or,
    "xori": np.bitwise_xor,
    "shli": unsigned(np.left_shift),
    "shrsi": np.right_shift,
    "shrui": unsigned(np.right_shift),
}
INTEGER_PREDICATES: dict[str, Oracle] = {
    "eq": np.equal,
    "ne": np.not_equal,
    "slt": np.less,
    "sle": np.less_equal,
    "sgt": np.greater,
    "sge": np.greater_equal,
    "ult": unsigned(np.less),
    "ule": unsigned(np.less_equal),
    "ugt": unsigned(np.greater),
    "uge": unsigned(np.greater_equal),
}
FLOAT: dict[str, Oracle] = {
    "addf": np.add,
    "subf": np.subtract,
    "mulf": np.multiply,
    "divf": np.divide,
    "remf": np.fmod,
    "powf": np.power,
}
COMPARISONS: dict[str, Oracle] = {
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
}


def half_away(value: np.ndarray) -> np.ndarray:
    number = float(value[0])
    if not math.isfinite(number):
        return value
    with decimal.localcontext(decimal.Context(prec=400)):
        whole = decimal.Decimal(number).quantize(decimal.Decimal(1), decimal.ROUND_HALF_UP)
    return np.array([float(whole)])


FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    **{
        name: getattr(np, name)
        for name in (
            *("sqrt", "exp", "exp2", "log", "log2", "log10", "fabs", "sin", "cos", "tan"),
            *("sinh", "cosh", "tanh", "floor", "ceil", "trunc"),
        )
    },
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "round": half_away,
}

SPECIAL = {
    *("const_i64", "const_f64", "select_i1", "select_i64", "select_f64", "allocate", "slot"),
    *("load_i1", "load_i64", "load_f64", "store_i1", "store_i64", "store_f64"),
    *("extract", "insert", "result_i64", "result_f64", "cmpi", "cmpf", "mathf"),
    *("extsi", "extui", "trunci", "sitofp", "uitofp", "fptosi", "fptoui"),
}
"""Rows that have tests of their own here, or move values about."""


def test_every_row_has_its_function():
    rows = {spec.name for spec in OPS if spec.takes or spec.makes}
    assert rows - SPECIAL == set(scalars.INTEGER) | set(scalars.FLOAT)
    for table, oracle in (
        (scalars.INTEGER, INTEGER),
        (scalars.FLOAT, FLOAT),
        (scalars.INTEGER_PREDICATES, INTEGER_PREDICATES),
        (scalars.FUNCTIONS, FUNCTIONS),
    ):
        assert set(table) == set(oracle)
    unordered = {"ord", "uno", *(f"{a}{b}" for a in "ou" for b in COMPARISONS)}
    assert set(scalars.FLOAT_PREDICATES) == unordered
    for spec in OPS:
        if spec.name in scalars.INTEGER:
            assert (spec.takes, spec.makes) == ((Type.I64,) * 2, (Type.I64,))
        if spec.name in scalars.FLOAT:
            assert (spec.takes, spec.makes) == ((Type.F64,) * 2, (Type.F64,))


def words(*values: int) -> list[np.ndarray]:
    return [np.array([value], dtype=np.int64) for value in values]


def numbers(*values: float) -> list[np.ndarray]:
    return [np.array([value], dtype=np.float64) for value in values]


@pytest.mark.parametrize("name", INTEGER)
@given(a=INTEGERS, b=INTEGERS)
@example(a=LEAST, b=-1)
@example(a=1, b=64)
@example(a=-1, b=-1)
def test_integers(name: str, a: int, b: int):
    if not b and name in ("divsi", "divui", "remsi", "remui"):
        with pytest.raises(ZeroDivisionError):
            scalars.INTEGER[name](a, b)
        return
    if name == "shrsi" and b < 0:  # numpy shifts by signed numbers of places only
        b = 64
    with np.errstate(all="ignore"):
        expected = INTEGER[name](*words(a, b)).view(np.int64)
    assert scalars.INTEGER[name](a, b) == int(expected[0])


@pytest.mark.parametrize("b", [64, 65, -1, LEAST, GREATEST])
def test_arithmetic_shifts_by_many_places_leave_the_sign(b: int):
    assert scalars.INTEGER["shrsi"](LEAST, b) == -1
    assert scalars.INTEGER["shrsi"](GREATEST, b) == 0


@pytest.mark.parametrize("name", INTEGER_PREDICATES)
@given(a=INTEGERS, b=INTEGERS)
@example(a=1, b=1)
@example(a=-1, b=1)
def test_integer_predicates(name: str, a: int, b: int):
    assert scalars.INTEGER_PREDICATES[name](a, b) == INTEGER_PREDICATES[name](*words(a, b))[0]


def agree(found: float, expected: float, *, exact: bool) -> bool:
    """Whether two numbers are the same; unless `exact`, up to a few units in the last place."""
    assert isinstance(found, float)
    if math.isnan(expected):
        return math.isnan(found)
    signs = math.copysign(1, found) == math.copysign(1, expected)
    if exact or not math.isfinite(expected):
        return signs and found == expected
    return signs and math.isclose(found, expected, rel_tol=1e-14, abs_tol=5e-322)


@pytest.mark.parametrize("name", FLOAT)
@given(a=FLOATS, b=FLOATS)
@example(a=0.0, b=-1.0)
@example(a=-0.0, b=-1.0)
@example(a=-0.0, b=-2.0)
@example(a=-2.0, b=1e5 + 1)
@example(a=-8.0, b=1 / 3)
@example(a=-BIG, b=3.0)
@example(a=0.0, b=-math.inf)
def test_floats(name: str, a: float, b: float):
    with np.errstate(all="ignore"):
        expected = float(FLOAT[name](*numbers(a, b))[0])
    assert agree(scalars.FLOAT[name](a, b), expected, exact=name != "powf")


@pytest.mark.parametrize("name", COMPARISONS)
@given(a=FLOATS, b=FLOATS)
@example(a=0.0, b=-0.0)
@example(a=math.nan, b=math.nan)
def test_float_predicates(name: str, a: float, b: float):
    unordered = bool(np.isnan(a)) or bool(np.isnan(b))
    test = bool(COMPARISONS[name](*numbers(a, b))[0])
    table = scalars.FLOAT_PREDICATES
    assert table[f"o{name}"](a, b) == (test and not unordered)
    assert table[f"u{name}"](a, b) == (test or unordered)
    assert table["uno"](a, b) == unordered
    assert table["ord"](a, b) != unordered


@pytest.mark.parametrize("name", FUNCTIONS)
@given(value=FLOATS)
@example(value=-0.5)
@example(value=-1000.0)
@example(value=1000.0)
def test_functions(name: str, value: float):
    with np.errstate(all="ignore"):
        expected = float(FUNCTIONS[name](numbers(value)[0])[0])
    exact = name in ("sqrt", "fabs", "floor", "ceil", "trunc", "round")
    assert agree(scalars.FUNCTIONS[name](value), expected, exact=exact)


@given(INTEGERS, st.integers(1, 64))
@example(LEAST, 64)
@example(1, 1)
def test_sign_extension(value: int, bits: int):
    up = np.uint64(64 - bits)
    shifted = (words(value)[0].view(np.uint64) << up).view(np.int64) >> np.int64(up)
    assert scalars.signed(value, bits) == int(shifted[0])


@given(INTEGERS)
def test_the_same_bits_without_a_sign(value: int):
    assert scalars.unsigned(value) == int(words(value)[0].view(np.uint64)[0])


@given(FLOATS)
def test_bits_of_a_float(value: float):
    bits = scalars.float_bits(value)
    assert bits == int(numbers(value)[0].view(np.int64)[0])
    assert agree(scalars.bits_float(bits), value, exact=True)
    assert agree(scalars.bits_float(bits % 2**64), value, exact=True)


@given(FLOATS)
@example(-0.9)
@example(-(2.0**63))
@example(1.8446744073709550e19)
def test_floats_to_integers(value: float):
    number = numbers(value)[0]
    with np.errstate(all="ignore"):
        if -(2.0**63) <= value < 2.0**63:
            assert scalars.to_integer(value) == int(number.astype(np.int64)[0])
        elif 2.0**63 <= value < 2.0**64:
            expected = number.astype(np.uint64).view(np.int64)
            assert scalars.to_integer(value) == int(expected[0])
        else:
            with pytest.raises(ValueError, match="does not fit an integer"):
                scalars.to_integer(value)
