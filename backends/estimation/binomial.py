"""How many units of distillation are needed, where each may fail."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

EXACT = 1000
"""From so many trials on, quantiles are approximated as the QDK's library does."""

WIDE = 80.0
"""Variance above which that is done by normal distributions."""

NEWTON_STEPS = 1000
DAMPING = 0.999

MAX_UNITS = 10**15


@lru_cache(maxsize=1 << 16)
def least_units(states: int, per_unit: int, failure: float, level: float) -> int | None:
    """The least number of units that make `states`, each `per_unit` or, if it fails, none.

    They make fewer with a probability below `level`.  None if that takes `MAX_UNITS`.
    """
    units = -(-states // per_unit)
    while quantile(units, failure, level) * per_unit < states:
        units *= 2
        if units >= MAX_UNITS:
            return None
    low, high = units // 2, units
    while low < high:
        middle = (low + high) // 2
        if quantile(middle, failure, level) * per_unit >= states:
            high = middle
        else:
            low = middle + 1
    return high


def quantile(trials: int, failure: float, level: float) -> int:
    """The least number that successes in `trials` do not exceed with a probability of `level`."""
    success = 1.0 - failure
    if trials >= EXACT:
        variance = trials * success * failure
        if variance > WIDE:
            return max(0, math.floor(_normal(success, trials * success, variance, level)))
        found = _by_newton(trials, success, failure, level)
        if found is not None:
            return found
    if success < failure:
        return _from_below(trials, success, failure, level)
    return _from_above(trials, success, failure, level)


def _from_below(trials: int, success: float, failure: float, level: float) -> int:
    """The quantile, by adding up probabilities from 0 successes on."""
    successes, term = 0, failure**trials
    total = term - level
    while total < 0.0 and successes < trials:
        successes += 1
        term *= success / failure * ((trials - successes + 1) / successes)
        total += term
    return successes


def _from_above(trials: int, success: float, failure: float, level: float) -> int:
    """The quantile, by adding up probabilities from 0 failures on."""
    failures, term = 0, success**trials
    total = (1.0 - level) - term
    while total >= 0.0 and failures < trials:
        failures += 1
        term *= failure / success * ((trials - failures + 1) / failures)
        total -= term
    return trials - failures


def _by_newton(trials: int, success: float, failure: float, level: float) -> int | None:
    """The quantile or a number next to it, by Newton's method from the mode; None if it diverges.

    The library that the QDK uses does not end then.
    """
    now, damping = float(math.ceil(success * (trials + 1)) - 1), 1.0
    for _ in range(NEWTON_STEPS):
        if not 0 <= now < trials:
            return None
        mass, total = _mass(trials, success, failure, int(now))
        if not mass:
            return None
        step = damping * (level - total) / mass
        if abs(step) < 0.5:
            return int(now)
        now, damping = now + step, damping * DAMPING
    return None


def _mass(trials: int, success: float, failure: float, successes: int) -> tuple[float, float]:
    """The probabilities of so many successes, and of no more, for a small variance."""
    rare, usual, count = success, failure, successes
    if failure < success:
        rare, usual, count = failure, success, trials - successes
    total = term = usual**trials
    for i in range(1, count + 1):
        term *= rare / usual * ((trials - i + 1) / i)
        total += term
        if not term:
            break
    return term, total if rare == success else 1.0 - total + term


def _normal(p: float, mean: float, variance: float, level: float) -> float:
    """The quantile's expansion about that of the normal distribution, to the order 1/variance^2.

    S. Moorhead, "Efficient evaluation of the inverse binomial cumulative distribution function
    where the number of trials is large" (Oxford, 2013), page 7, with two slips of the library that
    the QDK uses, as its numbers come from them: the term in w/36 lacks a division by the deviation,
    and of `second` only the last summand is divided by 1620.
    """
    w = NormalDist().inv_cdf(level)
    deviation = math.sqrt(variance)
    odd, mixed = 2.0 * p - 1.0, (p + 1.0) * (p - 2.0)
    zeroth = (p + 1.0) / 3.0 - odd * w**2 / 6.0 - w * _at(p, 1, -7, 7) / 36.0
    first = w**3 * _at(p, -1, -2, 2) / 72.0
    second = odd * mixed * (3.0 * w**4 + 7.0 * w**2 - 16.0 / 1620.0)
    third = w**5 * _at(p, -23, 52, -48, -8, 4) / 17280.0
    third += w**3 * _at(p, -137, 403, -147, -512, 256) / 38880.0
    third -= w * _at(p, -671, 1354, -921, -866, 433) / 38880.0
    fourth = w**6 * _at(p, 1, -1, 1) * _at(p, 19, -1, 1) / 34020.0
    fourth += w**4 * _at(p, -25, 44, -35, -18, 9) / 15120.0
    fourth += w**2 * _at(p, 5189, -4348, 5271, -1846, 923) / 408240.0
    fourth -= 4.0 * mixed * _at(p, 2, -23, 23) / 25515.0
    return (
        mean
        + deviation * w
        + zeroth
        + first / deviation
        + second / variance
        + third / (variance * deviation)
        + odd * fourth / variance**2
    )


def _at(x: float, *coefficients: float) -> float:
    """The value of a polynomial, its constant coefficient first."""
    value = 0.0
    for coefficient in reversed(coefficients):
        value = value * x + coefficient
    return value
