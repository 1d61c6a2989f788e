"""What has to wait for what, and how urgent it is."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.ir.surgery import Letter
from qwasmc.kernel import kernel
from qwasmc.passes.scheduling.tasks import Act, Tasks

Ints = NDArray[Any]

APPEAR, MEASURE, PRODUCT, CONTROL, TURN, MAGIC, ALIGN, IDLE = (int(act) for act in Act)
X, Z, Y = int(Letter.X), int(Letter.Z), int(Letter.Y)


class Order(NamedTuple):
    """Tasks as a graph.  A pair is a patch in a task; `Tasks.start` says which are a task's."""

    follow: Ints
    """By pair: the next pair of its patch before an IDLE, or -1."""
    owner: Ints
    """By pair: its task."""
    waits: Ints
    """By task: how many of its pairs follow others."""
    urgency: Ints
    """By pair: slabs from it to the end of the program at least, if there were room for all."""


def make_order(tasks: Tasks) -> Order:
    """The dependences among tasks and their urgencies."""
    pairs = len(tasks.patch)
    order = Order(
        np.full(pairs, -1, np.int32),
        np.repeat(np.arange(len(tasks), dtype=np.int32), np.diff(tasks.start)),
        np.zeros(len(tasks), np.int32),
        np.zeros(pairs, np.int32),
    )
    last = np.full(tasks.n_patches, -1, np.int32)
    link(tasks.act, tasks.start, tasks.patch, order, last)
    after = np.zeros(tasks.n_patches, np.int32)
    rank(tasks.act, tasks.start, tasks.patch, tasks.letter, order.urgency, after)
    return order


@kernel
def link(act: Ints, start: Ints, patch: Ints, order: Order, last: Ints) -> None:
    """Fill in what follows what; `last`: -1 for each patch."""
    first = 0
    for task in range(len(act)):
        if act[task] == IDLE:
            first = start[task + 1]
        for pair in range(start[task], start[task + 1]):
            before = last[patch[pair]]
            if before >= first:
                order.follow[before] = pair
                order.waits[task] += 1
            last[patch[pair]] = pair


@kernel
def rank(act: Ints, start: Ints, patch: Ints, letter: Ints, urgency: Ints, after: Ints) -> None:
    """Fill in urgencies from the end of the program; `after`: 0 for each patch."""
    for task in range(len(act) - 1, -1, -1):
        first, end = start[task], start[task + 1]
        if act[task] == IDLE:
            longest = 0
            for each in after:
                longest = max(longest, each)
            for each in range(len(after)):
                after[each] = longest + 1
        elif act[task] == CONTROL:  # the two joins are in consecutive slabs, in either order
            one, two = after[patch[first]], after[patch[first + 1]]
            after[patch[first]] = max(1 + one, two)
            after[patch[first + 1]] = max(1 + two, one)
        elif act[task] in (APPEAR, MEASURE):
            after[patch[first]] += letter[first] == Y
        else:
            longest = 0
            for pair in range(first, end):
                longest = max(longest, after[patch[pair]])
            for pair in range(first, end):
                after[patch[pair]] = longest + (act[task] != ALIGN)
        for pair in range(first, end):
            urgency[pair] = after[patch[pair]]
