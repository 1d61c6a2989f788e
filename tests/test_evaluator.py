"""The assembly-time evaluator: agrees with Python where it computes, and refuses the rest."""

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwasmc.diagnostics import Kind
from qwasmc.grammar.evaluator import FUNCTIONS, Context, Limits, LineError
from qwasmc.grammar.syntax import parse_substitution


def evaluate(text, limits=None, **variables):
    limits = limits or Limits()
    node, _ = parse_substitution(text, limits)
    return node.evaluate(Context(limits, globals=dict(variables)))


def kind_of_failure(text, limits=None, **variables):
    with pytest.raises(LineError) as caught:
        evaluate(text, limits, **variables)
    return caught.value.kind


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0x1F + 0b101", 36),
        ("1.5e3 + .5 + 2.", 1502.5),
        ("2 ** 3 ** 2", 512),
        ("-2 ** 2", -4),
        ("2 ** -1", 0.5),
        ("7 / 2", 3.5),
        ("-7 // 2", -4),
        ("-7 % 3", 2),
        ("--1", 1),
        ("1 < 2 <= 2 != 3", True),
        ("not 1 == 2", True),
        ("!(1 == 2) && 5 || 0", 5),
        ("0 or 'x'", "x"),
        ("xs[-1][0]", "c"),
        ("[i * i for i in 0..3]", [0, 1, 4, 9]),
        ("[i for i in 3..2]", []),
        ("[i for i in 1..2.5]", [1, 2]),
        ("[a + b for a in 'ab' for b in 'cd' if a != b]", ["ac", "ad", "bc", "bd"]),
        ("[i * x for i, x in enumerate([5, 6])]", [0, 6]),
        ("', '.join([f'q{i}' for i in range(n)])", "q0, q1, q2"),
        ('"{prefix}{i}" + "{{}}"', "w7{}"),
        ("f'{pi:.3f} {n:03d}'", "3.142 003"),
        (r"'a\"b\\n\n'", 'a"b\\n\n'),
        ("min(3, 1) + max([4, 5]) + abs(-1) + round(2.6) + int('7') + len('abc')", 20),
        ("str([1, 'a']) + str(float(2))", "[1, 'a']2.0"),
        ("range(5, 0, -2)", [5, 3, 1]),
        ("[0] * 3 + [1]", [0, 0, 0, 1]),
        ("2 * 'ab'", "abab"),
        ("math.sqrt(16) + math.floor(2.5) + math.e", 6 + math.e),
        ("True + 1", 2),
    ],
)
def test_values(text, value):
    found = evaluate(text, xs=["a", ["c"]], n=3, prefix="w", i=7)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(("text", "value"), [("8 / 2", 4), ("8 / -2", -4), ("2**70 / 2", 2**69)])
def test_even_division_of_integers_is_an_integer(text, value):
    assert evaluate(text) == value
    assert isinstance(evaluate(text), int)


@pytest.mark.parametrize(
    "text",
    [
        "x.__class__",
        "''.join.__self__",
        "'a'.format(1)",
        "().__class__",
        "__import__('os')",
        "open('f')",
        "eval('1')",
        "math.factorial(10)",
        "math.__loader__",
        "(1).real",
        "[1].append(2)",
        "lambda: 0",
        "len",
        "'%s' % 1",
        "f'{1:{2}}'",
        "'{1:>9999}'",
        "xs[0:1]",
        "[*xs]",
        "len(*xs)",
        "1 if 1 else 0",
        "'a' 'b'",
        "1j",
    ],
)
def test_nothing_else_is_allowed(text):
    assert kind_of_failure(text, x=1, xs=[1]) is Kind.PROGRAM


@pytest.mark.parametrize(
    "text",
    [
        "2 ** 10 ** 10",
        "(2 ** 4000) * (2 ** 4000)",
        "9" * 5000,
        "'ab' * 10 ** 9",
        "[0] * 10 ** 12",
        "range(10 ** 15)",
        "range(0, -10 ** 15, -1)",
        "[i for i in 0..10 ** 18]",
        "[0 for i in 0..10 ** 9 for j in 0..10 ** 9 if 0]",
        "round(1, -10 ** 9)",
        "int('9' * 100000)",
        "(" * 100_000 + "1" + ")" * 100_000,
        "[" * 100_000,
        "-" * 100_000 + "1",
        "1" + "+1" * 100_000,
        "not " * 100_000 + "1",
    ],
)
def test_limits_are_passed_quickly(text):
    start = time.perf_counter()
    assert kind_of_failure(text, Limits(steps=1_000_000)) is Kind.LIMIT
    assert time.perf_counter() - start < 5


def test_lists_that_share_their_parts_are_counted_in_full():
    shared = [1]
    for _ in range(7):
        shared = [shared] * 100
    assert kind_of_failure("[xs]", xs=shared) is Kind.LIMIT
    deep = [1]
    for _ in range(20):
        deep = [deep]
    assert kind_of_failure("[xs]", xs=deep) is Kind.LIMIT


def test_positions_count_from_the_start_of_the_line():
    with pytest.raises(LineError) as caught:
        evaluate("1 + 'ab{  missing}'")
    assert caught.value.span == (10, 17)


def test_every_function_is_pure():
    """The tables hold only what the language lists; a new entry must be added here too."""
    plain = {name for name in FUNCTIONS if not name.startswith("math.")}
    assert plain == {
        *("len", "range", "enumerate", "min", "max", "abs", "round", "int", "float", "str"),
        ".join",
    }


# ---------------------------------------------------------------- agreement with Python
#
# An example is a pair: the expression for us, and for Python.  They differ in `/` alone, which
# keeps integers integers where it can.

numbers = st.one_of(
    st.integers(0, 99).map(lambda i: (str(i), str(i))),
    st.floats(0, 99, allow_nan=False).map(lambda x: (repr(x), repr(x))),
    st.sampled_from([("n", "n"), ("y", "y")]),
)


def joined(pattern):
    """Both sides of the pairs put into a pattern."""
    return lambda parts: tuple(pattern.format(*side) for side in zip(*parts, strict=True))


def larger(children):
    two = st.tuples(children, children)
    operators = st.sampled_from(["+", "-", "*", "//", "%", "<", "<=", "==", "!=", "and", "or"])
    return st.one_of(
        st.tuples(operators, two).map(lambda p: joined(f"({{}}) {p[0]} ({{}})")(p[1])),
        two.map(lambda p: (f"({p[0][0]}) / ({p[1][0]})", f"div({p[0][1]}, {p[1][1]})")),
        st.tuples(children, st.integers(0, 3)).map(lambda p: joined(f"({{}}) ** {p[1]}")([p[0]])),
        st.tuples(children).map(joined("-({})")),
        st.tuples(children).map(joined("not ({})")),
        st.tuples(children, children, children).map(joined("({}) < ({}) <= ({})")),
        two.map(joined("[{}, {}][0]")),
        two.map(joined("min({}, {})")),
        st.tuples(children).map(joined("abs({})")),
        st.tuples(children).map(joined("round({})")),
        st.tuples(children).map(joined("int({})")),
        st.tuples(children).map(joined("float({})")),
        st.tuples(children).map(joined("len(str({}))")),
        st.tuples(children).map(joined("math.atan({})")),
        st.tuples(children).map(joined("max([k + ({}) for k in range(3) if k != 1])")),
        st.tuples(children).map(joined("len(', '.join([str({}), 'b']))")),
    )


def divide(a, b):
    both = isinstance(a, int) and isinstance(b, int) and b
    return a // b if both and a % b == 0 else a / b


@given(st.recursive(numbers, larger, max_leaves=12), st.integers(-9, 9), st.floats(-9, 9))
def test_agrees_with_python(pair, n, y):
    ours, python = pair
    names = {"n": n, "y": y, "div": divide, "math": math}
    try:
        expected = eval(python, {**names})
    except (ArithmeticError, ValueError):
        assert kind_of_failure(ours, n=n, y=y) is Kind.PROGRAM
        return
    assert repr(evaluate(ours, n=n, y=y)) == repr(expected)


@given(st.text(st.characters(codec="utf-8"), max_size=40) | st.text("ab01 .,()[]{}'\"+*-/%<=!fi:"))
def test_any_text_has_a_value_or_an_error_in_it(text):
    span = (0, 0)
    try:
        evaluate(text)
    except LineError as problem:
        span = problem.span
    assert 0 <= span[0] <= span[1] <= len(text) + 1
