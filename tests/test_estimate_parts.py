"""Parts of the QDK's model: how many units of distillation there are, and formulas of users."""

from __future__ import annotations

import random
from decimal import Decimal
from math import comb, isclose

import pytest

from qwasmc.backends.estimation.binomial import least_units, quantile
from qwasmc.backends.estimation.formula import Formula
from qwasmc.diagnostics import CompileError

# -- how many units --------------------------------------------------------------------------------


def exact_quantile(trials: int, failure: float, level: float) -> int:
    total, q = 0.0, Decimal(failure)
    for successes in range(trials + 1):
        ways = comb(trials, successes)
        total += float(ways * (1 - q) ** successes * q ** (trials - successes))
        if total >= level:
            return successes
    return trials


@pytest.mark.parametrize("failure", [0.9, 0.5, 0.3, 0.01, 1e-5])
def test_quantiles(failure: float):
    for trials in (1, 2, 7, 30, 200):
        for level in (0.01, 0.01 / 3, 0.4, 0.97):
            expected = exact_quantile(trials, failure, level)
            assert quantile(trials, failure, level) == expected


def test_quantiles_of_many_trials_are_near():
    """Where they are approximate, as the QDK's are."""
    for failure in (0.3, 0.5, 0.7):
        expected = exact_quantile(1000, failure, 0.003)
        assert abs(quantile(1000, failure, 0.003) - expected) <= 3


def test_quantiles_by_newton_are_next_to_the_right_ones():
    for trials, failure in ((1500, 0.01), (2000, 0.995), (1000, 0.93)):
        for level in (0.003, 0.01, 0.3):
            expected = exact_quantile(trials, failure, level)
            assert abs(quantile(trials, failure, level) - expected) <= 1


def test_least_units():
    for states, per_unit, failure in ((1, 1, 0.3), (15, 1, 0.05), (40, 4, 0.5)):
        units = least_units(states, per_unit, failure, 0.005)
        assert units is not None
        assert exact_quantile(units, failure, 0.005) * per_unit >= states
        assert exact_quantile(units - 1, failure, 0.005) * per_unit < states


# -- formulas --------------------------------------------------------------------------------------


def random_formula(rng: random.Random, depth: int) -> str:
    if depth == 0:
        return rng.choice(["x", "y", "2", "0.3", "7e-1", ".5"])
    one, other = random_formula(rng, depth - 1), random_formula(rng, depth - 1)
    forms = (
        f"({one}) + {other}",
        f"({one}) - ({other})",
        f"({one}) * ({other})",
        f"({one}) / (1.5 + abs({other}))",
        f"-({one})",
        f"max({one}, {other}, 1)",
        f"floor(3 * ({one}))",
        f"(1 + abs({one})) ^ 1.25",
        f"{one} + {other} - x * y / 3 + 1",
    )
    return rng.choice(forms)


def test_formulas_mean_what_python_means():
    rng = random.Random(5)
    names = {"abs": abs, "max": max, "floor": lambda x: x // 1}
    for _ in range(200):
        text = random_formula(rng, rng.randint(0, 4))
        x, y = rng.uniform(0.1, 9), rng.uniform(0.1, 9)
        expected = eval(text.replace("^", "**"), names, {"x": x, "y": y})
        found = Formula(text, ["x", "y"], "test")({"x": x, "y": y})
        assert isclose(found, expected, rel_tol=1e-9, abs_tol=1e-12), text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 ^ 3 ^ 2", 512),
        ("-2 ^ 2", 4),  # a sign binds tighter
        ("2 * 7 % 4", 6),
        ("12 / 2 * 3", 18),
        ("10 - 2 - 3 + 4", 9),
        ("log(2, 8) + log(100) + int(2.9)", 7),
        ("round(2.5) + round(5, 13)", 18),
        ("min(4, 2, 3) * (e() - e() + 1)", 2),
    ],
)
def test_formula_values(text: str, value: float):
    assert Formula(text, [], "test")({}) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2 +", "ends too early"),
        ("2 $ 3", "has an error at '\\$ 3'"),
        ("codeDistanc", "unknown variable"),
        ("sqrt(4)", "calls 'sqrt' with 1"),
        ("1 / 0", "has no value"),
        ("(0 - 1) ^ 0.5", "has no value"),
        ("(" * 40 + "1" + ")" * 40, "nests deeper"),
        ("1 + " * 300 + "1", "longer than"),
        ("1e308 * 10", "is not finite"),
    ],
)
def test_formulas_that_are_none(text: str, message: str):
    with pytest.raises(CompileError, match=message):
        Formula(text, ["codeDistance"], "test")({"codeDistance": 3})
