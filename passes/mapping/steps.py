"""Runs gates step by step on a grid, each as early as its turn and a free path allow.

In each step the gates that are ready come in order of urgency: how many steps there must be from
here to the end, plus `stretch` for each tile between their qubits (long paths first: short ones
find a way around them).  Each takes a shortest path over tiles still free in this step, or waits.
With more than one try, those that had to wait go first in the next one.

A CX takes a path from above or below its control to the left or right of its target, a T one from
above or below its qubit to the left or right of a magic state.  Tiles are numbered row by row,
with a frame of blocked tiles around the grid, so that every tile has four neighbours.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.kernel import kernel
from qwasmc.passes.mapping.gates import NONE, Gates, bounds
from qwasmc.passes.mapping.grid import Grid

Array = NDArray[Any]

SCALE = 1 << 16
"""Urgency counts in these; what is below breaks ties."""

NO_LIMIT = 1 << 60

SEARCH = 16
"""The effort of a search is the number of tiles it came to, and this much for what is around it."""

BUSY, DONE = -2, -1
NOW, BEST = range(2)


class Work(NamedTuple):
    """The gates of `Gates`, as kernels take them."""

    qubits: Array
    group: Array
    start: Array
    """Group k has the gates member[start[k]:start[k + 1]]."""
    member: Array
    after: Array
    wait: Array
    """How many steps there must be after each group."""
    opening: Array
    """The groups that are open from the start."""


class Board(NamedTuple):
    """A grid with its frame."""

    width: int
    site: Array
    """(s,): the number of each tile for a qubit."""
    blocked: Array
    """By tile: whether no path may use it, now that the qubits are where they are."""
    port: Array
    """By tile: whether it is beside a magic state."""


class Record(NamedTuple):
    """What a run writes down."""

    when: Array
    """(m,): the step of each gate."""
    start: Array
    end: Array
    """(m,): its path is path[start:end], from its end to its start."""
    path: Array
    """As many tiles as fit."""


class Scratch(NamedTuple):
    """Memory of a run, used again by the next one."""

    clock: Array
    """(3,): the number of this step, and of this search, and the effort, counted over all runs."""
    taken: Array
    """By tile: the last step it was used in."""
    seen: Array
    """By tile: the last search that came by; and the tile before."""
    back: Array
    queue: Array
    busy: Array
    """By qubit: the last step it had a gate in."""
    left: Array
    """By group: gates to come."""
    missing: Array
    """By gate: groups that are not open yet, or `DONE`."""
    ready: Array
    key: Array
    order: Array
    gate: Array
    """(2, m): the gates of this step: in this try, and in the best one."""
    end: Array
    """(2, m): where their paths end in `tile`."""
    tile: Array


def work_of(gates: Gates) -> Work:
    """Gates by group, and what must follow."""
    real = gates.group != NONE
    groups = gates.group[real]
    start = np.zeros(len(gates.after) + 1, np.int64)
    start[1:] = np.cumsum(np.bincount(groups, minlength=len(gates.after)))
    member = np.nonzero(real)[0][np.argsort(groups, kind="stable")]
    opening = np.setdiff1d(np.arange(len(gates.after)), gates.after)
    wait = bounds(gates)[2]
    return Work(gates.qubits, gates.group, start, member, gates.after, wait, opening)


def board_of(grid: Grid) -> Board:
    """A grid without qubits."""
    width = grid.width + 2
    blocked = np.ones((grid.height + 2, width), np.uint8)
    blocked[1:-1, 1:-1] = 0
    magic = (grid.magic[:, 1] + 1) * width + grid.magic[:, 0] + 1
    blocked.ravel()[magic] = 1
    port = np.zeros(blocked.size, np.uint8)
    port[magic - 1] = port[magic + 1] = 1
    site = (grid.sites[:, 1] + 1) * width + grid.sites[:, 0] + 1
    return Board(width, site, blocked.ravel(), port)


def scratch_of(work: Work, board: Board, n_qubits: int) -> Scratch:
    """Memory for runs of this work on this board."""
    tiles, m = len(board.blocked), len(work.qubits)
    taken, seen, back, queue = np.zeros((4, tiles), np.int64)
    missing, ready, key, order = np.zeros((4, m), np.int64)
    gate, end = np.zeros((2, 2, m), np.int64)
    busy, left = np.zeros(n_qubits, np.int64), np.zeros(len(work.after), np.int64)
    clock = np.zeros(3, np.int64)
    tile = np.zeros((2, tiles), np.int64)
    state = (clock, taken, seen, back, queue, busy, left, missing, ready, key)
    return Scratch(*state, order, gate, end, tile)


def record_of(n_gates: int, n_tiles: int) -> Record:
    """Room for the steps of so many gates, and for so many tiles of their paths."""
    when, start, end = np.zeros((3, n_gates), np.int64)
    return Record(when, start, end, np.zeros(n_tiles, np.int64))


@kernel
def route(board: Board, scratch: Scratch, source: int, target: int, turn: int) -> int:
    """The end of a shortest path, of which `back` has the tile before each; or `NONE`.

    It leads from above or below `source` to beside `target`, or to a port if that is `NONE`.
    `turn` (0 or 1) says what is tried first where paths are equally long.
    """
    step, width = scratch.clock[0], board.width
    scratch.clock[1] += 1
    search = scratch.clock[1]
    head = tail = 0
    found: int = NONE
    for k in range(2):
        to = source - width if k == turn else source + width
        if not board.blocked[to] and scratch.taken[to] != step:
            scratch.seen[to] = search
            scratch.back[to] = NONE
            scratch.queue[tail] = to
            tail += 1
    while head < tail:
        at = scratch.queue[head]
        head += 1
        if (target == NONE and board.port[at]) or (target != NONE and abs(at - target) == 1):
            found = at
            break
        for k in range(4):
            way = k if turn else 3 - k
            to = at + (-width if way == 0 else -1 if way == 1 else 1 if way == 2 else width)
            free = not board.blocked[to] and scratch.taken[to] != step
            if free and scratch.seen[to] != search:
                scratch.seen[to] = search
                scratch.back[to] = at
                scratch.queue[tail] = to
                tail += 1
    scratch.clock[2] += SEARCH + tail
    return found


@kernel
def open_group(work: Work, scratch: Scratch, k: int, n_ready: int) -> int:
    """Gates of a group that waited for nothing else are ready; how many are now."""
    for j in range(work.start[k], work.start[k + 1]):
        g = work.member[j]
        scratch.missing[g] -= 1
        if scratch.missing[g] == 0:
            scratch.ready[n_ready] = g
            n_ready += 1
    return n_ready


@kernel
def urgency(work: Work, scratch: Scratch, g: int) -> int:
    """How many steps there must be until the end, if this gate is next on its qubits."""
    k = work.group[g, 0]
    found = scratch.left[k] + work.wait[k]
    k = work.group[g, 1]
    if k != NONE:
        found = max(found, scratch.left[k] + work.wait[k])
    return found  # type: ignore[no-any-return]


@kernel
def distance(board: Board, one: int, other: int) -> int:
    """The Manhattan distance of two tiles."""
    rows = abs(one // board.width - other // board.width)
    return rows + abs(one % board.width - other % board.width)


@kernel
def sort_ready(
    work: Work, board: Board, home: Array, bias: Array, stretch: float, scratch: Scratch, n: int
) -> int:
    """Put the first n ready gates in order; the highest urgency."""
    worst = 0
    for i in range(n):
        g = scratch.ready[i]
        u = urgency(work, scratch, g)
        worst = max(worst, u)
        key = u * SCALE + bias[g]
        if work.qubits[g, 1] != NONE:
            away = distance(board, home[work.qubits[g, 0]], home[work.qubits[g, 1]])
            key += np.int64(stretch * SCALE * away)
        scratch.key[g] = key
        j = i
        while j > 0 and scratch.key[scratch.ready[j - 1]] < key:
            scratch.ready[j] = scratch.ready[j - 1]
            j -= 1
        scratch.ready[j] = g
    return worst


@kernel
def attempt(work: Work, board: Board, home: Array, g: int, turn: int, scratch: Scratch) -> int:
    """The end of a path for a gate, `NONE` if it has none, `BUSY` if a qubit has a gate already."""
    one, other = work.qubits[g, 0], work.qubits[g, 1]
    now = scratch.clock[0]
    if scratch.busy[one] == now or (other != NONE and scratch.busy[other] == now):
        return BUSY
    target = NONE if other == NONE else home[other]
    at: int = route(board, scratch, home[one], target, turn)
    if at != NONE:
        scratch.busy[one] = now
        if other != NONE:
            scratch.busy[other] = now
    return at


@kernel
def fill(
    work: Work, board: Board, home: Array, bias: Array, n: int, trial: int, scratch: Scratch
) -> tuple[int, int]:
    """Fill a step with the first n gates of `order`, as far as they find paths.

    Returns how many run, and how many found no path; these are at the front of `order` then.
    """
    scratch.clock[0] += 1
    count = tiles = stuck = 0
    for i in range(n):
        g = scratch.order[i]
        at = attempt(work, board, home, g, (bias[g] + trial) & 1, scratch)
        if at == NONE:
            for j in range(i, stuck, -1):
                scratch.order[j] = scratch.order[j - 1]
            scratch.order[stuck] = g
            stuck += 1
        elif at != BUSY:
            while at != NONE:
                scratch.taken[at] = scratch.clock[0]
                scratch.tile[NOW, tiles] = at
                tiles += 1
                at = scratch.back[at]
            scratch.gate[NOW, count], scratch.end[NOW, count] = g, tiles
            count += 1
    return count, stuck


@kernel
def best_step(
    work: Work,
    board: Board,
    home: Array,
    bias: Array,
    tries: int,
    worst: int,
    n: int,
    scratch: Scratch,
) -> int:
    """Put the best of some ways to fill a step into row `BEST`; how many gates run in it.

    Each try starts with the gates that found no path in the one before.  A gate counts half as
    much as one that is more urgent by a step.
    """
    scratch.order[:n] = scratch.ready[:n]
    most, value = 0, 0.0
    for trial in range(tries):
        count, stuck = fill(work, board, home, bias, n, trial, scratch)
        found = 0.0
        for i in range(count):
            found += 2.0 ** (urgency(work, scratch, scratch.gate[NOW, i]) - worst)
        if found > value:
            most, value = count, found
            tiles = scratch.end[NOW, count - 1]
            scratch.gate[BEST, :count] = scratch.gate[NOW, :count]
            scratch.end[BEST, :count] = scratch.end[NOW, :count]
            scratch.tile[BEST, :tiles] = scratch.tile[NOW, :tiles]
        if stuck == 0:
            break
    return most


@kernel
def run(
    work: Work,
    board: Board,
    home: Array,
    bias: Array,
    stretch: float,
    tries: int,
    limit: int,
    record: Record,
    scratch: Scratch,
) -> int:
    """The number of steps with each qubit on the tile `home`; more than `limit` if there are more.

    `bias` (m,), from 0 to `SCALE` - 1, settles ties, and which way a path turns.  A run that
    cannot end within the limit stops early; then it returns a lower bound, and `record` is partial.
    It returns `NO_LIMIT` where a gate has no path even alone.
    """
    m = len(work.qubits)
    scratch.left[:] = work.start[1:] - work.start[:-1]
    scratch.missing[:] = 1
    for g in range(m):
        scratch.missing[g] += work.group[g, 1] != NONE
    n_ready = step = done = written = 0
    for k in work.opening:
        n_ready = open_group(work, scratch, k, n_ready)
    while done < m:
        worst = sort_ready(work, board, home, bias, stretch, scratch, n_ready)
        if step + worst > limit:
            return step + worst
        count = best_step(work, board, home, bias, tries, worst, n_ready, scratch)
        if count == 0:
            return NO_LIMIT
        written = write_step(record, scratch, step, count, written)
        n_ready = commit(work, scratch, count, n_ready)
        done += count
        step += 1
    return step


@kernel
def write_step(record: Record, scratch: Scratch, step: int, count: int, written: int) -> int:
    """Write down the step in row `BEST`; where the next path goes."""
    first = 0
    for i in range(count):
        g, end = scratch.gate[BEST, i], scratch.end[BEST, i]
        record.when[g], record.start[g] = step, written
        for j in range(first, end):
            if written < len(record.path):
                record.path[written] = scratch.tile[BEST, j]
            written += 1
        record.end[g] = written
        first = end
    return written


@kernel
def commit(work: Work, scratch: Scratch, count: int, n_ready: int) -> int:
    """Run the gates in row `BEST`; how many are ready afterwards."""
    for i in range(count):
        scratch.missing[scratch.gate[BEST, i]] = DONE
    kept = 0
    for i in range(n_ready):
        g = scratch.ready[i]
        if scratch.missing[g] != DONE:
            scratch.ready[kept] = g
            kept += 1
    for i in range(count):
        for side in range(2):
            k = work.group[scratch.gate[BEST, i], side]
            if k != NONE:
                scratch.left[k] -= 1
                if scratch.left[k] == 0 and work.after[k] != NONE:
                    kept = open_group(work, scratch, work.after[k], kept)
    return kept
