"""Do counts follow a distribution?  Pearson's chi-square test."""

from __future__ import annotations

import math
from collections.abc import Mapping

RARE = 5
"""Outcomes expected fewer times than this are counted together."""


def check(counts: Mapping[str, int], exact: Mapping[str, float]) -> None:
    """Assert that counts may be of a distribution: impossible outcomes do not occur, and the
    statistic is not five standard deviations above its mean.
    """
    shots = sum(counts.values())
    possible = {outcome: p for outcome, p in exact.items() if p > 1e-12}
    assert counts.keys() <= possible.keys(), counts.keys() - possible.keys()
    expected, seen = [0.0], [0]
    for outcome, p in possible.items():
        if p * shots < RARE:
            expected[0] += p * shots
            seen[0] += counts.get(outcome, 0)
        else:
            expected.append(p * shots)
            seen.append(counts.get(outcome, 0))
    statistic = sum((s - e) ** 2 / e for s, e in zip(seen, expected, strict=True) if e > 0)
    freedom = len(expected) - 1
    assert statistic <= freedom + 5 * math.sqrt(2 * freedom) + 5, (statistic, freedom)
