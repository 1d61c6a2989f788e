"""What counts say: error rates with their intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sinter

from qwasmc.backends.sampling.batch import Tally

LIKELIHOOD_FACTOR = math.exp(1.959964**2 / 2)
"""How much less likely than the best rate the ends of a 95% interval are: the logarithm of the
likelihood ratio is half a chi-squared variable (Wilks, Ann. Math. Statist. 9, 60, 1938)."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Errors among shots, the rate per shot and its 95% likelihood interval."""

    shots: int
    errors: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Sampled:
    """Error rates by observable name, and of any observable; `stats` are sinter's."""

    observables: Mapping[str, Rate]
    total: Rate
    discards: int
    """Shots on top of the rates', discarded by post-selection."""
    stats: sinter.TaskStats

    @property
    def csv(self) -> str:
        """The counts as a file that sinter reads."""
        return f"{sinter.CSV_HEADER}\n{self.stats.to_csv_line()}\n"

    def to_json(self) -> dict[str, Any]:
        """`{"observables": {name: rate}, "total": rate, "discards": shots}`, ready for JSON."""
        return {
            "observables": {name: asdict(rate) for name, rate in self.observables.items()},
            "total": asdict(self.total),
            "discards": self.discards,
        }


def rate(shots: int, errors: int) -> Rate:
    """The error rate and the rates not less likely than it by more than a 95% test allows."""
    fit = sinter.fit_binomial(
        num_shots=shots, num_hits=errors, max_likelihood_factor=LIKELIHOOD_FACTOR
    )
    return Rate(shots, errors, errors / shots, fit.low, fit.high)


def sampled(tally: Tally, labels: Sequence[str], stats: sinter.TaskStats) -> Sampled:
    """The rates of what was counted; at least one shot was kept."""
    kept = tally.shots - tally.discards
    errors = [0] * len(labels)
    for marks, times in tally.mistakes.items():
        for index, mark in enumerate(marks):
            errors[index] += times * (mark == "E")
    return Sampled(
        observables={label: rate(kept, n) for label, n in zip(labels, errors, strict=True)},
        total=rate(kept, tally.errors),
        discards=tally.discards,
        stats=stats,
    )
