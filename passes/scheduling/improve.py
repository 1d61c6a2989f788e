"""Better schedules by trial: other homes for the patches, other orders of tasks.

Homes are found by annealing (`qwasmc.passes.mapping.placement`), orders by adding a little noise to
the urgencies.  The best schedule is the one with the fewest slabs and then the shortest routes.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.passes.mapping.placement import place
from qwasmc.passes.scheduling.order import CONTROL, MAGIC, PRODUCT, make_order
from qwasmc.passes.scheduling.plan import Plan
from qwasmc.passes.scheduling.scheduler import Schedule, Unroutable, make_schedule
from qwasmc.passes.scheduling.tasks import Tasks

Ints = NDArray[Any]

SAMPLE = 20_000
"""Tasks from the start of a program by which homes are judged; of longer programs, only these."""

TRIES = 12

NOISE = 3
"""Slabs that are added to an urgency are fewer than this."""


def best_schedule(
    tasks: Tasks, plan: Plan, tries: int = TRIES, seconds: float | None = None
) -> tuple[Schedule, bool]:
    """The best of several schedules, and whether time ran out first.

    The tries after the first are for patches on other homes, and, if the program is not too long,
    tasks in other orders.  It ends early when no schedule can have fewer slabs.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    sample = first_tasks(tasks, SAMPLE)
    bound = least_slabs(sample)
    sites = np.arange(tasks.n_patches)
    best: Schedule | None = None
    refused: Unroutable | None = None
    late = False
    for number in range(tries):
        late = number > 0 and deadline is not None and time.monotonic() > deadline
        if late or (best is not None and best.slabs <= bound):
            break
        if number == 1:
            weights, hunger = meetings(tasks)
        other = homes(plan, weights, hunger, number) if number % 2 else sites
        noise = None
        if number > 1:
            noise = np.random.default_rng(number).integers(0, NOISE, len(sample.patch))
        try:
            found = make_schedule(sample, plan, other, noise)
        except Unroutable as problem:  # but perhaps with other homes
            refused = refused or problem
            continue
        if best is None or (found.slabs, len(found.pool)) < (best.slabs, len(best.pool)):
            best, sites = found, other
    if best is None:
        assert refused is not None
        raise refused
    if len(sample) < len(tasks):
        best = make_schedule(tasks, plan, sites)
    return best, late


def first_tasks(tasks: Tasks, count: int) -> Tasks:
    """The first tasks of a program."""
    count = min(count, len(tasks))
    end = int(tasks.start[count])
    return Tasks(
        tasks.act[:count],
        tasks.start[: count + 1],
        tasks.patch[:end],
        tasks.letter[:end],
        tasks.n_patches,
    )


def least_slabs(tasks: Tasks) -> int:
    """A number of slabs that no schedule can do without, by the longest chain of tasks."""
    return int(make_order(tasks).urgency.max(initial=0))


def meetings(tasks: Tasks) -> tuple[Ints, Ints]:
    """(m, 3) pairs of patches, and how often they meet; (patches,) how many T each of them has."""
    first = tasks.patch[np.minimum(tasks.start[:-1], max(0, len(tasks.patch) - 1))]
    meets = np.isin(tasks.act, (CONTROL, PRODUCT)) & (np.diff(tasks.start) > 1)
    follows = np.repeat(meets, np.diff(tasks.start))
    follows[tasks.start[:-1][meets]] = False
    later = np.flatnonzero(follows)
    pairs = np.sort(np.stack([tasks.patch[later - 1], tasks.patch[later]], axis=1), axis=1)
    pairs, counts = np.unique(pairs, axis=0, return_counts=True)
    hunger = np.bincount(first[tasks.act == MAGIC], minlength=tasks.n_patches)
    return np.column_stack([pairs, counts]), hunger


def homes(plan: Plan, weights: Ints, hunger: Ints, seed: int) -> Ints:
    """The number of the home of each patch: near those it meets, and near ports if it has T."""
    ports = np.array([port.tile for port in plan.ports], np.int64).reshape(-1, 2)
    return place(len(hunger), weights, np.array(plan.homes), hunger, ports, seed=seed)
