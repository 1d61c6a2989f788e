"""What the scheduler knows of patches and tasks, and which tasks can start when."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.kernel import kernel
from qwasmc.passes.scheduling.order import (
    ALIGN,
    APPEAR,
    CONTROL,
    MAGIC,
    MEASURE,
    PRODUCT,
    TURN,
    Order,
    Y,
)

Ints = NDArray[Any]

SLAB, NEWEST, FLOOR, BUSY, STUCK, STACKED, DONE, DETOUR = range(8)
"""The clock: the slab that is being filled, the newest one in use, the first one after the last
IDLE, the newest one with a route; a task without route, tasks on the stack, tasks placed."""

READY, HUNGRY, LATER = range(3)
"""Queues: tasks that can start, those of them that need magic states, those that cannot yet."""

FAR = 1 << 30

MASK = (1 << 32) - 1


class Program(NamedTuple):
    """The columns of `Tasks`."""

    act: Ints
    start: Ints
    patch: Ints
    letter: Ints


BRANCHED = 3
"""A route to so many patches may branch.  Then a patch that is prepared or measured out in the
letter of the product, in its slab, costs a unit of distance: a chain of hooks leads from the rim at
the branch to the patch's boundary in time.  A patch that idles for a slab is far from that."""

PATCH = np.dtype([(name, np.int32) for name in ("home", "ready", "unborn", "early")])
"""`home`: its tile; `ready`: the first slab in which it can take part in something; `unborn`: the
APPEAR whose slab is not known yet, or -1; `early`: how many slabs before its first use it appears.
"""


class State(NamedTuple):
    """What has been decided, and what the scheduler has to know to go on."""

    patch: Ints
    """By patch: a `PATCH`."""
    queue: Ints
    """(3, patches + 1): heaps of keys with the task in the lower 32 bits."""
    size: Ints
    """(3,)"""
    stack: Ints
    """Tasks that wait for no other, to be queued."""
    waiting: Ints
    """(FAILURES,): tasks without a route in the present slab."""
    slab: Ints
    swapped: Ints
    stalls: Ints
    """By task; `stalls` has the slab in which it could start until that is known."""
    offset: Ints
    """By task: where its geometry is in the pool, in order of placement."""
    length: Ints
    """By task."""
    clock: Ints


@kernel
def heap_push(state: State, which: int, key: int) -> None:
    """Add a key to a binary heap."""
    at = state.size[which]
    state.size[which] += 1
    while at > 0 and state.queue[which, (at - 1) >> 1] > key:
        state.queue[which, at] = state.queue[which, (at - 1) >> 1]
        at = (at - 1) >> 1
    state.queue[which, at] = key


@kernel
def heap_pop(state: State, which: int) -> int:
    """Remove the least key of a binary heap."""
    least: int = state.queue[which, 0]
    state.size[which] -= 1
    size, key = state.size[which], state.queue[which, state.size[which]]
    at = 0
    while True:
        child = 2 * at + 1
        if child + 1 < size and state.queue[which, child + 1] < state.queue[which, child]:
            child += 1
        if child >= size or state.queue[which, child] >= key:
            break
        state.queue[which, at] = state.queue[which, child]
        at = child
    state.queue[which, at] = key
    return least


@kernel
def start_of(program: Program, state: State, task: int) -> int:
    """The first slab in which the patches of a task are ready for it."""
    act, first = program.act[task], program.start[task]
    if act == CONTROL:
        one, two = (
            state.patch[program.patch[first]].ready,
            state.patch[program.patch[first + 1]].ready,
        )
        earliest: int = max(min(one, two), max(one, two) - 1)
        return earliest
    slab = 0
    for pair in range(first, program.start[task + 1]):
        slab = max(slab, state.patch[program.patch[pair]].ready)
    return slab


@kernel
def enqueue(program: Program, order: Order, state: State, task: int) -> None:
    """Put a task into the queue it belongs to now."""
    slab = state.stalls[task]
    if program.act[task] in (TURN, MAGIC):  # a helper or a magic state appears a slab before
        slab = max(slab, state.clock[FLOOR] + 1)
    if slab > state.clock[SLAB]:
        heap_push(state, LATER, slab << 32 | task)
        return
    urgency = 0
    for pair in range(program.start[task], program.start[task + 1]):
        urgency = max(urgency, order.urgency[pair])
    which = HUNGRY if program.act[task] == MAGIC else READY
    heap_push(state, which, (FAR - urgency) << 32 | task)


@kernel
def release(program: Program, order: Order, state: State, task: int) -> None:
    """A task is placed: those that waited for it and for no other any more are queued.

    Tasks without routes happen at once.
    """
    unlock(program, order, state, task)
    drain(program, order, state)


@kernel
def drain(program: Program, order: Order, state: State) -> None:
    """Admit the tasks on the stack."""
    while state.clock[STACKED]:
        state.clock[STACKED] -= 1
        task = state.stack[state.clock[STACKED]]
        admit(program, order, state, task)


@kernel
def admit(program: Program, order: Order, state: State, task: int) -> None:
    """Queue a task that waits for no other, or do what it says if it needs no route."""
    act, first = program.act[task], program.start[task]
    order.waits[task] = -1
    slab = start_of(program, state, task)
    if act not in (APPEAR, MEASURE, ALIGN):
        state.stalls[task] = slab
        enqueue(program, order, state, task)
        return
    state.slab[task] = slab
    patch = program.patch[first]
    if act == APPEAR:
        state.patch[patch].unborn = task
        state.patch[patch].early = program.letter[first] == Y or idles_first(program, order, first)
        state.patch[patch].ready += state.patch[patch].early
    elif act == MEASURE:
        measure(state, task, patch, program.letter[first])
    else:
        for pair in range(first, program.start[task + 1]):
            state.patch[program.patch[pair]].ready = slab
    unlock(program, order, state, task)


@kernel
def next_use(program: Program, order: Order, pair: int) -> int:
    """The next pair of a patch that is not an ALIGN's, or -1."""
    pair = order.follow[pair]
    while pair >= 0 and program.act[order.owner[pair]] == ALIGN:
        pair = order.follow[pair]
    return pair


@kernel
def idles_first(program: Program, order: Order, pair: int) -> bool:
    """Whether a patch that appears has to be there a slab before its first use; see `BRANCHED`."""
    after = next_use(program, order, pair)
    if after < 0 or program.act[order.owner[after]] != PRODUCT:
        return False
    letter = program.letter[after]
    return letter == Y or (letter == program.letter[pair] and is_branched(program, order, after))


@kernel
def is_branched(program: Program, order: Order, pair: int) -> bool:
    """Whether a pair belongs to a joint measurement of `BRANCHED` patches or more."""
    task = order.owner[pair]
    branched: bool = program.start[task + 1] - program.start[task] >= BRANCHED
    return branched


@kernel
def unlock(program: Program, order: Order, state: State, task: int) -> None:
    """Put the tasks that waited for this one only onto the stack."""
    state.clock[DONE] += 1
    for pair in range(program.start[task], program.start[task + 1]):
        follow = order.follow[pair]
        if follow >= 0:
            after = order.owner[follow]
            order.waits[after] -= 1
            if order.waits[after] == 0:
                state.stack[state.clock[STACKED]] = after
                state.clock[STACKED] += 1


@kernel
def use(state: State, patch: int, slab: int) -> None:
    """A patch takes part in something in a slab, and so it is there."""
    if state.patch[patch].unborn >= 0:
        state.slab[state.patch[patch].unborn] = slab - state.patch[patch].early
        state.patch[patch].unborn = -1
    state.patch[patch].ready = slab + 1
    state.clock[NEWEST] = max(state.clock[NEWEST], slab)


@kernel
def measure(state: State, task: int, patch: int, letter: int) -> None:
    """A patch is measured out; in Y at the end of a slab in which it idles."""
    idles = letter == Y
    if state.patch[patch].unborn >= 0:
        born = state.patch[patch].ready - state.patch[patch].early
        state.slab[state.patch[patch].unborn] = born
        state.patch[patch].unborn = -1
        state.patch[patch].ready = born + 1
        idles = idles and state.patch[patch].early
    state.patch[patch].ready += idles
    state.slab[task] = state.patch[patch].ready - 1
    state.clock[NEWEST] = max(state.clock[NEWEST], state.slab[task])
