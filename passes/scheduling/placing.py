"""List scheduling, slab by slab.

In each slab, the tasks whose patches are ready are tried in order of urgency (how many slabs the
rest of the program takes from them on at least), ties in program order; those for which no route
is left wait.  After some failures in a slab the rest waits as well, so that the time is linear in
the number of tasks, whatever they are and however crowded the chip is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.kernel import kernel
from qwasmc.passes.scheduling.board import LENGTH, NO_LIMIT, Board, Work
from qwasmc.passes.scheduling.joins import find_control, find_magic, find_product, find_stock
from qwasmc.passes.scheduling.order import CONTROL, IDLE, MAGIC, MEASURE, PRODUCT, TURN, Order, Y
from qwasmc.passes.scheduling.queues import (
    BUSY,
    DETOUR,
    DONE,
    FAR,
    FLOOR,
    HUNGRY,
    LATER,
    MASK,
    NEWEST,
    READY,
    SLAB,
    STUCK,
    Program,
    State,
    admit,
    drain,
    enqueue,
    heap_pop,
    is_branched,
    next_use,
    release,
    use,
)

Ints = NDArray[Any]

FAILURES = 16
"""Tasks for which no route is found in a slab before all others wait for the next one."""

DETOURS = 32
"""How much more than in a straight line a route may cost; longer ones take room from others."""

PATIENCE = 16
"""Slabs that a task waits before its route may be of any length."""

ENDED = (0, 3, 6)
"""By letter: the loops, as bits, that measure Y of a patch that is measured out in this letter at
the end of that slab; see rule 6 of `regions`."""


@kernel
def place(
    program: Program, order: Order, board: Board, work: Work, state: State, task: int
) -> bool:
    """Find room for a task in the present slab, and say so everywhere; False if there is none."""
    slab = state.clock[SLAB]
    if slab - state.stalls[task] > PATIENCE:
        state.clock[DETOUR] = NO_LIMIT
    act, first = program.act[task], program.start[task]
    patch, letter = program.patch[first], program.letter[first] & 1
    tile = state.patch[patch].home
    last = slab
    if act == CONTROL:
        if not control(program, order, board, work, state, task):
            return False
        last = slab + 1
    elif act == PRODUCT:
        if not product(program, order, board, work, state, task):
            return False
    elif act == TURN:
        if not find_stock(board, work, tile, letter, slab):
            return False
    else:
        if not find_magic(board, work, tile, letter, slab, state.clock[DETOUR]):
            return False
        last = slab + 2
    if act in (TURN, MAGIC):
        use(state, patch, slab)
    state.slab[task] = slab
    state.stalls[task] = slab - state.stalls[task]
    state.clock[BUSY] = max(state.clock[BUSY], last)
    state.clock[NEWEST] = max(state.clock[NEWEST], last)
    return True


@kernel
def product(
    program: Program, order: Order, board: Board, work: Work, state: State, task: int
) -> bool:
    """Place a PRODUCT.

    A patch of which Y was measured idles for a slab before it is measured out, unless its loop is
    one that does without; so does one that is measured out in its letter (see `BRANCHED`).
    """
    slab = state.clock[SLAB]
    first, end = program.start[task], program.start[task + 1]
    tiles = np.empty(end - first, np.int64)
    for pair in range(first, end):
        tiles[pair - first] = state.patch[program.patch[pair]].home
    if not find_product(board, work, tiles, program.letter[first:end], slab, state.clock[DETOUR]):
        return False
    for pair in range(first, end):
        patch, after = program.patch[pair], next_use(program, order, pair)
        use(state, patch, slab)
        if after < 0 or not is_end(program, order, after):
            continue
        letter = program.letter[after]
        if program.letter[pair] == Y:
            done = ENDED[letter] >> board.tile[state.patch[patch].home].loop & 1
            state.patch[patch].ready += 1 - done
        elif program.letter[pair] == letter and is_branched(program, order, pair):
            state.patch[patch].ready += 1
    return True


@kernel
def is_end(program: Program, order: Order, pair: int) -> bool:
    """Whether a patch is measured out in X or Z."""
    ends: bool = program.act[order.owner[pair]] == MEASURE and program.letter[pair] != Y
    return ends


@kernel
def control(
    program: Program, order: Order, board: Board, work: Work, state: State, task: int
) -> bool:
    """Place a CONTROL: the patch with more to do first, unless one of them is not ready yet."""
    slab, pair = state.clock[SLAB], program.start[task]
    urgent = order.urgency[pair + 1] > order.urgency[pair]
    for way in range(2):
        swapped = urgent ^ (way == 1)
        one, two = pair + swapped, pair + 1 - swapped
        p, q = program.patch[one], program.patch[two]
        if state.patch[p].ready > slab:
            continue
        if find_control(
            board,
            work,
            state.patch[p].home,
            program.letter[one] & 1,
            state.patch[q].home,
            program.letter[two] & 1,
            slab,
            state.clock[DETOUR],
        ):
            state.swapped[task] = swapped
            use(state, p, slab)
            use(state, q, slab + 1)
            return True
    return False


@kernel
def open_ports(board: Board, slab: int) -> int:
    """How many ports can deliver a state to a join of this slab."""
    count = 0
    for port in board.ports:
        count += port.ready < slab
    return count


@kernel
def next_task(state: State, ports: int) -> int:
    """Take the most urgent task that can start, or -1; one that needs a state if a port is open."""
    which = READY
    if not state.size[READY] or state.queue[HUNGRY, 0] < state.queue[READY, 0]:
        which = HUNGRY if ports and state.size[HUNGRY] else READY
    return heap_pop(state, which) & MASK if state.size[which] else -1


@kernel
def fill_slab(
    program: Program,
    order: Order,
    board: Board,
    work: Work,
    state: State,
    pool: Ints,
    used: Ints,
) -> Ints:
    """Place what can be placed in the present slab; the pool, which may have grown."""
    slab = state.clock[SLAB]
    while state.size[LATER] and state.queue[LATER, 0] >> 32 <= slab:
        enqueue(program, order, state, heap_pop(state, LATER) & MASK)
    ports = open_ports(board, slab)
    empty = state.clock[BUSY] < slab - 1 and ports == len(board.ports)
    failed = 0
    while failed < FAILURES:
        task = next_task(state, ports)
        if task < 0:
            break
        state.clock[DETOUR] = NO_LIMIT if empty else DETOURS
        if not place(program, order, board, work, state, task):
            if empty:
                state.clock[STUCK] = task
                break
            state.waiting[failed] = task
            failed += 1
            continue
        empty = False
        if program.act[task] == MAGIC:
            ports -= 1
        size = work.counts[LENGTH]
        if used[0] + size > len(pool):
            pool = grown(pool, used[0] + size, len(program.act), state.clock[DONE])
        state.offset[task] = used[0]
        state.length[task] = size
        copy(pool, used[0], work.out, 0, size)
        used[0] += size
        release(program, order, state, task)
    for at in range(failed):
        enqueue(program, order, state, state.waiting[at])
    return pool


@kernel
def grown(pool: Ints, needed: int, tasks: int, done: int) -> Ints:
    """The pool with room for about as much as all tasks will need, judging by those done."""
    size = needed + max(needed // 4, needed * tasks // (done + 1000))
    larger = np.empty(size, pool.dtype)
    copy(larger, 0, pool, 0, len(pool))
    return larger


@kernel
def copy(target: Ints, to: int, source: Ints, at: int, size: int) -> None:
    """Copy integers; slices take long to compile."""
    for each in range(size):
        target[to + each] = source[at + each]


@kernel
def advance(board: Board, state: State) -> None:
    """Go to the next slab in which something can happen."""
    slab = state.clock[SLAB] + 1
    if state.size[READY] == 0:
        soon = FAR
        if state.size[LATER]:
            soon = state.queue[LATER, 0] >> 32
        if state.size[HUNGRY]:
            for port in board.ports:
                soon = min(soon, port.ready + 1)
        slab = max(slab, soon)
    state.clock[SLAB] = slab


@kernel
def idle(state: State, board: Board, task: int) -> None:
    """All patches idle for a slab: whatever comes later happens later.

    A patch that idles in its first slab has done so before, as this one may be too short for that.
    Factories idle too, and what they make appears as long after that slab as after the start.
    """
    slab = max(state.clock[NEWEST] + 1, state.clock[FLOOR])
    for patch in range(len(state.patch)):
        if state.patch[patch].unborn >= 0:
            slab = max(slab, state.patch[patch].ready)
    for patch in range(len(state.patch)):
        use(state, patch, slab)
    state.slab[task] = slab
    state.clock[NEWEST] = slab
    state.clock[FLOOR] = state.clock[SLAB] = slab + 1
    for port in range(len(board.ports)):
        first = slab + 1 + board.ports[port].first
        board.ports[port].ready = max(board.ports[port].ready, first)


@kernel
def finish(state: State) -> None:
    """Patches that nothing was done to appear in the newest slab."""
    slab = state.clock[NEWEST]
    for patch in range(len(state.patch)):
        if state.patch[patch].unborn >= 0:
            slab = max(slab, state.patch[patch].ready - state.patch[patch].early)
    for patch in range(len(state.patch)):
        if state.patch[patch].unborn >= 0:
            state.slab[state.patch[patch].unborn] = slab
    state.clock[NEWEST] = slab


@kernel
def run(program: Program, order: Order, board: Board, work: Work, state: State, pool: Ints) -> Ints:
    """Place all tasks; their geometries, in order of placement, in the pool or a larger one."""
    used = np.zeros(1, np.int64)
    n, first = len(program.act), 0
    while first <= n:
        end = first
        while end < n and program.act[end] != IDLE:
            end += 1
        for task in range(first, end):
            if order.waits[task] == 0:
                admit(program, order, state, task)
                drain(program, order, state)
        while state.size[READY] + state.size[HUNGRY] + state.size[LATER]:
            pool = fill_slab(program, order, board, work, state, pool, used)
            if state.clock[STUCK] >= 0:
                return pool
            advance(board, state)
        if end < n:
            idle(state, board, end)
        first = end + 1
    finish(state)
    return pool


@kernel
def gather(pool: Ints, offset: Ints, start: Ints) -> Ints:
    """The geometries in order of tasks."""
    out = np.empty(start[-1], np.int32)
    for task in range(len(offset)):
        copy(out, start[task], pool, offset[task], start[task + 1] - start[task])
    return out
