"""Plan and counts -> expectation values with standard errors.

    value = sum over terms of coefficient * product over pieces of a parity's mean

The error is that of first order in the errors of the means, which are independent of each other;
a mean that several terms use enters with the sum of its derivatives.  Terms that were drawn at
random add the error of that draw.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qwasmc.backends.cutting.plan import Estimate, Observable, Part, Plan
from qwasmc.diagnostics import error

MAX_SHOTS = 1 << 62
"""Most shots with an outcome."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How often an experiment gave which results: as many weights as rows of bits (0 or 1)."""

    column: Mapping[str, int]
    bits: NDArray[np.uint8]
    weights: Floats

    def mean(self, names: Sequence[str]) -> float:
        """The mean of (-1)^parity of some results."""
        parity = self.bits[:, [self.column[name] for name in names]].sum(axis=1, dtype=np.int64) % 2
        return float(np.average(1 - 2 * parity, weights=self.weights))


def outcomes(counts: object, name: str) -> Outcomes:
    """The outcomes in what `qwasmc simulate` wrote about an experiment."""
    found = counts if isinstance(counts, dict) else {}
    results, seen = found.get("results"), found.get("counts")
    if not isinstance(results, list) or not isinstance(seen, dict) or not seen:
        raise error(
            f"there are no counts of experiment {name}", help="`qwasmc simulate` makes them"
        )
    column = {str(result): at for at, result in enumerate(results)}
    if len(column) < len(results):
        raise error(f"experiment {name} has two results of one name")
    for key, times in seen.items():
        spelled = len(key) == len(results) and not key.strip("01")
        if not spelled or type(times) is not int or not 0 < times < MAX_SHOTS:
            raise error(f"experiment {name} has counts of something else than bits: '{key}'")
    digits = np.frombuffer("".join(seen).encode(), dtype=np.uint8) - ord("0")
    bits = digits.reshape(len(seen), -1)
    return Outcomes(column, bits, np.array(list(seen.values()), dtype=np.float64))


def knit(plan: Plan, results: Mapping[str, Outcomes]) -> list[Estimate]:
    """The expectation value of each observable, from the outcomes of each experiment by name.

    Weights of outcomes are numbers of shots.  Raises CompileError if outcomes are missing.
    """
    for piece in plan["pieces"]:
        for experiment in piece["experiments"]:
            if experiment["name"] not in results:
                raise error(f"there are no results of experiment {experiment['name']}")
    return [_estimate(plan, observable, results) for observable in plan["observables"]]


def _estimate(plan: Plan, observable: Observable, results: Mapping[str, Outcomes]) -> Estimate:
    coefficients = np.array([term["coefficient"] for term in plan["terms"]])
    numbers = [
        np.array([term["experiments"][at][part["group"]] for term in plan["terms"]])
        for at, part in enumerate(observable["parts"])
    ]
    means, variances = zip(
        *(
            _parities(plan, at, part, numbers[at], results)
            for at, part in enumerate(observable["parts"])
        ),
        strict=True,
    )
    factors = np.array([mean[number] for mean, number in zip(means, numbers, strict=True)])
    products = factors.prod(axis=0)
    variance = _variance_of_draws(plan, products)
    for at, number in enumerate(numbers):
        others = np.delete(factors, at, axis=0).prod(axis=0)
        slope = np.bincount(number, weights=coefficients * others, minlength=len(means[at]))
        variance += float((slope**2 * variances[at]).sum())
    value = observable["sign"] * float(coefficients @ products)
    return Estimate(name=observable["name"], value=value, error=math.sqrt(variance))


def _parities(
    plan: Plan, piece: int, part: Part, numbers: Ints, results: Mapping[str, Outcomes]
) -> tuple[Floats, Floats]:
    """The means of what a piece's experiments measure of an observable, and their variances."""
    experiments = plan["pieces"][piece]["experiments"]
    means, variances = np.zeros(len(experiments)), np.zeros(len(experiments))
    for number in np.unique(numbers).tolist():
        experiment = experiments[number]
        found = results[experiment["name"]]
        names = [*part["bits"], *experiment["signs"]]
        for name in names:
            if name not in found.column:
                raise error(f"experiment {experiment['name']} has no result '{name}'")
        means[number] = found.mean(names)
        variances[number] = (1 - means[number] ** 2) / found.weights.sum()
    return means, variances


def _variance_of_draws(plan: Plan, products: Floats) -> float:
    """What the random choice of terms adds to the variance."""
    drawn = np.array([term["sampled"] for term in plan["terms"]])
    if not drawn.any():
        return 0.0
    coefficients = np.array([term["coefficient"] for term in plan["terms"]])[drawn]
    weights = np.abs(coefficients)
    values = np.sign(coefficients) * products[drawn]
    mean = np.average(values, weights=weights)
    spread = np.average((values - mean) ** 2, weights=weights)
    return float(weights.sum() ** 2 * spread / plan["draws"])
