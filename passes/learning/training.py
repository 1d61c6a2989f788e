"""Training of a policy's weights by what circuits cost in the end.

The cross-entropy method (Rubinstein, Methodol. Comput. Appl. Probab. 1, 127, 1999): candidates are
drawn around a mean, in pairs that lie opposite each other; mean and spread follow the best of them.
All weights are integers.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from qwasmc.passes.learning.ranking import Late, Weights
from qwasmc.passes.rewriting.features import FEATURES, ranks

POPULATION = 24
"""Candidates of a generation, besides the mean."""

ELITE = 6
"""How many of them the next mean is made of."""

BASE = 4
"""How much more what an objective counts first weighs in the beginning than what comes next."""

LEAST_FIRST = 32
LEAST_SPREAD = 2
"""Least spread in the beginning, and later."""


def first_weights(objective: str) -> tuple[Weights, Weights]:
    """Where training begins, and how far it looks from there: by and large at fixed order."""
    rank = ranks(objective)
    counted = np.argsort(rank, kind="stable")[np.count_nonzero(rank == 0) :]
    start = np.zeros(len(FEATURES), dtype=np.int64)
    start[counted] = BASE ** np.arange(1, len(counted) + 1)
    return start.tolist(), np.maximum(start, LEAST_FIRST).tolist()


def train(
    start: Weights,
    spread: Weights,
    losses: Callable[[list[Weights]], list[int]],
    seed: int,
    generations: int,
) -> Weights | None:
    """The weights under which least is lost.

    The search begins around `start`, where each weight varies by its `spread`.  None if there was
    no time for a single generation.
    """
    mean, width = np.array(start), np.array(spread)
    best: tuple[int, Weights] | None = None
    try:
        for generation in range(generations):
            drawn = draw(mean.tolist(), width.tolist(), seed + generation)
            found = losses(drawn)
            order = sorted(range(len(drawn)), key=found.__getitem__)
            if best is None or found[order[0]] < best[0]:
                best = found[order[0]], drawn[order[0]]
            mean, width = _fitted(np.array([drawn[at] for at in order[:ELITE]]), width)
    except Late:
        pass
    return best and best[1]


def draw(mean: Weights, spread: Weights, seed: int) -> list[Weights]:
    """Candidates: the mean, and pairs around it."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((POPULATION // 2, len(mean))) * np.array(spread)
    steps = np.rint(noise).astype(np.int64)
    middle = np.array(mean)[None]
    drawn: list[Weights] = np.concatenate([middle, middle + steps, middle - steps]).tolist()
    return drawn


def _fitted(
    elite: NDArray[np.int64], width: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Mean and spread of the best; a spread shrinks by half at most, lest it be lost by chance."""
    mean = elite.sum(axis=0) // len(elite)
    squares = ((elite - mean) ** 2).sum(axis=0) // len(elite)
    spread = np.array([isqrt(each) for each in squares.tolist()])
    return mean, np.maximum(np.maximum(spread, width // 2), LEAST_SPREAD)
