"""Which qubits are born with X and Z exchanged, so that fewer joins need a mixed edge.

A join of letters that differ on the chip needs a mixed edge, and so does an interaction of equal
ones, whose helper turns from one letter to the other; magic states and |Y> come with the letter Z.
A patch may be born either way: this is a maximum cut with loops, improved patch by patch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qwasmc.ir.surgery import Letter
from qwasmc.passes.scheduling.tasks import Act, Tasks

SWEEPS = 20
"""Most sweeps over all qubits; few programs need more than five."""


def choose_labels(
    tasks: Tasks, life: NDArray[np.int32], n_lives: int, fixed: list[int]
) -> NDArray[np.bool_]:
    """(n_lives,) whether a qubit is born exchanged; `life` says whose each pair of a task is."""
    one, two, differ = _pairs(tasks)
    ends = np.stack([life[one], life[two]])
    prefers = (tasks.letter[one] != tasks.letter[two]) ^ differ  # one of the two exchanged
    single = np.repeat(np.isin(tasks.act, (Act.MAGIC, Act.TURN)), np.diff(tasks.start))
    pull = np.zeros(n_lives, dtype=np.int64)
    """How many walls a qubit saves by itself if it is exchanged."""
    np.add.at(pull, life[single], np.where(tasks.letter[single] == Letter.X, 1, -1))
    key, weight = _weights(ends, prefers, n_lives)
    neighbours: list[list[tuple[int, int]]] = [[] for _ in range(n_lives)]
    for a, b, w in zip((key // n_lives).tolist(), (key % n_lives).tolist(), weight, strict=True):
        neighbours[a].append((b, w))
        neighbours[b].append((a, w))
    return _improve(pull.tolist(), neighbours, set(fixed))


def _pairs(tasks: Tasks) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Neighbouring X and Z terms of a task, and whether their letters had better differ."""
    of_task = np.repeat(np.arange(len(tasks)), np.diff(tasks.start))
    act = tasks.act[of_task]
    plain = np.isin(act, (Act.PRODUCT, Act.CONTROL)) & (tasks.letter != Letter.Y)
    use = np.flatnonzero(plain)
    together = of_task[use[1:]] == of_task[use[:-1]]
    one, two = use[:-1][together], use[1:][together]
    return one, two, act[one] == Act.CONTROL


def _weights(
    ends: NDArray[np.int32], prefers: NDArray[np.bool_], n_lives: int
) -> tuple[NDArray[np.int64], list[int]]:
    """Pairs of qubits as a * n_lives + b, and by how much exchanging one of the two pays."""
    low, high = ends.min(axis=0).astype(np.int64), ends.max(axis=0)
    key, inverse = np.unique(low * n_lives + high, return_inverse=True)
    weight = np.zeros(len(key), dtype=np.int64)
    np.add.at(weight, inverse, np.where(prefers, 1, -1))
    return key, weight.tolist()


def _improve(
    pull: list[int], neighbours: list[list[tuple[int, int]]], fixed: set[int]
) -> NDArray[np.bool_]:
    """Exchange qubits as long as that saves walls."""
    exchanged = [False] * len(pull)
    for _ in range(SWEEPS):
        changed = False
        for qubit, others in enumerate(neighbours):
            gain = pull[qubit] + sum(-w if exchanged[other] else w for other, w in others)
            if qubit not in fixed and (-gain if exchanged[qubit] else gain) > 0:
                exchanged[qubit] = not exchanged[qubit]
                changed = True
        if not changed:
            break
    return np.array(exchanged, dtype=np.bool_)
