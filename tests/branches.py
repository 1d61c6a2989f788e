"""Every way a run with random outcomes can go, with its probability."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable

import numpy as np

IMPOSSIBLE = 1e-9
"""Probability below which an outcome does not happen."""


class Improbable(Exception):
    """This run is too improbable to be followed to its end."""


class Choices:
    """Outcomes of one run: first the given ones, then 0 wherever that is possible."""

    def __init__(self, given: list[int], least: float) -> None:
        self.taken = list(given)
        self.given = len(given)
        self.at = 0
        self.least = least
        self.probability = 1.0
        self.others: list[list[int]] = []
        """Other outcomes for later runs."""

    def pick(self, one: float) -> int:
        """An outcome that is 1 with this probability."""
        if one < IMPOSSIBLE or one > 1 - IMPOSSIBLE:
            return int(one > 0.5)
        if self.at == len(self.taken):
            self.others.append([*self.taken, 1])
            self.taken.append(0)
        outcome = self.taken[self.at]
        self.at += 1
        self.probability *= one if outcome else 1 - one
        if self.probability < self.least:
            raise Improbable
        return outcome


def explore(run: Callable[[Choices], Hashable], least: float = 1e-6) -> dict[Hashable, float]:
    """The probability of each result of a run; those of runs below `least` are left out."""
    total: dict[Hashable, float] = defaultdict(float)
    waiting: list[list[int]] = [[]]
    while waiting:
        choices = Choices(waiting.pop(), least)
        try:
            result = run(choices)
        except Improbable:
            pass
        else:
            total[result] += choices.probability
        waiting += choices.others
    return dict(total)


def apply(state: np.ndarray, matrix: np.ndarray, axes: list[int]) -> np.ndarray:
    """A matrix, whose first qubit is the most significant bit, on some axes of a state."""
    k = len(axes)
    moved = np.tensordot(matrix.reshape((2,) * (2 * k)), state, axes=(range(k, 2 * k), axes))
    return np.moveaxis(moved, range(k), axes)


def measure(state: np.ndarray, axis: int, choices: Choices) -> tuple[int, np.ndarray]:
    """The outcome of a measurement of Z, and the normalised state after it."""
    norm = np.vdot(state, state).real
    ones = np.take(state, [1], axis)
    outcome = choices.pick(float(np.vdot(ones, ones).real / norm))
    kept = np.zeros_like(state)
    index = [slice(None)] * state.ndim
    index[axis] = slice(outcome, outcome + 1)
    kept[tuple(index)] = state[tuple(index)]
    return outcome, kept / np.linalg.norm(kept)


def same(a: dict[Hashable, float], b: dict[Hashable, float], within: float = 1e-5) -> bool:
    """Whether two distributions agree."""
    return all(abs(a.get(key, 0) - b.get(key, 0)) < within for key in {*a, *b})
