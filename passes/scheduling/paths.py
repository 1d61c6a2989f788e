"""Paths of route tiles through a slab, by A* over (tile, letter carried).

A route that carries Z leaves a patch at its north or south side, one that carries X at its east
or west side, and a mixed edge, which changes the letter, costs more than a tile, as it makes the
rounds of its slab longer.  No path has two: it would be cheaper without them.  Estimates never
exceed the cost left, and fall by no more than a step costs, so the queue is a ring of buckets.
Equal costs are settled newest first.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from qwasmc.kernel import kernel
from qwasmc.passes.scheduling.board import (
    BEFORE,
    BUCKETS,
    CONTROL,
    COST,
    ENTRIES,
    FIRST,
    GOAL,
    HELPER,
    LAST_BUCKET,
    LINK,
    LOOP,
    LOOPS,
    MAGIC,
    NODE,
    ONLY,
    PAID,
    QUEUED,
    RECENT,
    SEARCHES,
    SECOND,
    STAMP,
    STOCK,
    TREE,
    Board,
    Work,
)
from qwasmc.passes.scheduling.regions import clash, loop_at, walls_at

Ints = NDArray[Any]

STEP_COST = 2

MIXED_COST = 3

SOUTH = 2


@kernel
def estimate(board: Board, guide: int, wanted: int, tile: int, letter: int) -> int:
    """A lower bound for what is left to pay; `wanted`: the letter at the end, or -1 for any."""
    bound: int = MIXED_COST if 0 <= wanted != letter else 0
    if guide >= 0:
        bound += distance_cost(board, tile, guide)
    return bound


@kernel
def begin(work: Work, node: int, bound: int) -> None:
    """Start a search at a node."""
    for bucket in range(BUCKETS):
        work.head[bucket] = -1
    work.counts[SEARCHES] += 1
    work.counts[ENTRIES] = work.counts[QUEUED] = 0
    also_at(work, node, bound)


@kernel
def also_at(work: Work, node: int, bound: int) -> None:
    """Start the search at one more node, which has the same estimate."""
    work.nodes[node, STAMP] = work.counts[SEARCHES]
    work.nodes[node, COST] = 0
    work.nodes[node, BEFORE] = -1
    add_entry(work.entries, work.head, work.counts, node, 0, bound & LAST_BUCKET)


@kernel
def search(
    board: Board, work: Work, what: int, slab: int, guide: int, wanted: int, limit: int
) -> int:
    """The cheapest node at an end, or -1; the path to it is in `work.nodes`.

    `slab`: of its part before the helper, if it has one.  `guide`: the tile to go to, or ANYWHERE;
    `wanted`: the letter to bring there, or -1 for any; `limit`: the most that a path may cost.
    """
    head, entries, bucket = work.head, work.entries, 0
    while work.counts[QUEUED]:
        while head[bucket] < 0:
            bucket = (bucket + 1) & LAST_BUCKET
        entry = head[bucket]
        head[bucket] = entries[entry, LINK]
        work.counts[QUEUED] -= 1
        node: int = entries[entry, NODE]
        if entries[entry, PAID] > work.nodes[node, COST]:
            continue
        if (node >> 1) & 3 == GOAL:
            return node
        if what == LOOPS and board.tile[node >> 3].lane:
            work.counts[LOOP] = loop_at(board, work, node, slab)
            if work.counts[LOOP] >= 0:
                return node
        expand(board, work, what, slab, guide, wanted, limit, node)
    return -1


@kernel
def expand(
    board: Board,
    work: Work,
    what: int,
    slab: int,
    guide: int,
    wanted: int,
    limit: int,
    node: int,
) -> None:
    """Queue the nodes after a settled one; see `search`."""
    tiles, taken, step = board.tile, board.taken, board.step
    nodes, entries, head, stamp = work.nodes, work.entries, work.head, work.counts[SEARCHES]
    tile, stage, letter = node >> 3, (node >> 1) & 3, node & 1
    behind, cost = nodes[node, BEFORE] >> 6, nodes[node, COST]
    at_patch = stage == HELPER or not tiles[tile].lane
    letter ^= stage == HELPER  # go on with the letter not used yet
    walls = walls_at(work, tile)
    now, only = slab + (stage != FIRST), work.counts[ONLY]
    halfway, many = what == CONTROL and stage == FIRST, what in (TREE, LOOPS)
    for side in range(4):
        to = tile + step[side]
        if to == behind or (at_patch and side & 1 != letter):
            continue
        free = tiles[to].lane != 0 and taken[now & RECENT, to] != now
        walled = clash(letter, side, walls)
        far = distance_cost(board, to, guide) if guide >= 0 else 0
        turns = halfway and free and taken[(slab + 1) & RECENT, to] != slab + 1
        turns = turns and (only < 0 or to == only)
        if what == STOCK:
            ends = free and not side & 1 and taken[(slab - 1) & RECENT, to] != slab - 1
        elif what == MAGIC:
            ends = (
                side == SOUTH and tiles[to].port >= 0 and board.ports[tiles[to].port].ready < slab
            )
        else:
            ends = tiles[to].goal == 1 + (side & 1) and not halfway and not (many and at_patch)
        for way in range(4):  # to an end, onto a helper, plain, mixed
            carried = side & 1 if way < 2 else letter ^ (way - 2)
            mixed = carried ^ letter
            after, left = (FIRST, carried ^ halfway) if stage == FIRST else (SECOND, carried)
            if way == 0:
                after, allowed = GOAL, ends
            elif way == 1:
                after, left, allowed = HELPER, carried ^ 1, turns
            else:
                allowed = free
            if not allowed or (mixed and walled):
                continue
            reached = 8 * to + 2 * after + carried
            bound = price = cost + STEP_COST + mixed * MIXED_COST
            if way:
                bound += far + (MIXED_COST if 0 <= wanted != left else 0)
            known = nodes[reached, STAMP] == stamp and nodes[reached, COST] <= price
            if known or bound > limit:
                continue
            nodes[reached, STAMP] = stamp
            nodes[reached, COST] = price
            nodes[reached, BEFORE] = 8 * node + 2 * side + mixed
            add_entry(entries, head, work.counts, reached, price, bound & LAST_BUCKET)


@kernel
def add_entry(entries: Ints, head: Ints, count: Ints, node: int, price: int, bucket: int) -> None:
    """Put a node into a bucket of the queue."""
    entry = count[ENTRIES]
    entries[entry, LINK] = head[bucket]
    entries[entry, NODE] = node
    entries[entry, PAID] = price
    head[bucket] = entry
    count[ENTRIES] += 1
    count[QUEUED] += 1


@kernel
def distance_cost(board: Board, tile: int, other: int) -> int:
    """A lower bound for the cost of a path between two tiles."""
    dx, dy = board.tile[tile].x - board.tile[other].x, board.tile[tile].y - board.tile[other].y
    cost: int = STEP_COST * (abs(dx) + abs(dy))
    return cost
