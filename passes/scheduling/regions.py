"""Regions: the tiles and edges that are merged for a joint measurement; loops for the letter Y.

A route that carries Z leaves a patch at its north or south side, one that carries X at its east
or west side, and it attaches each patch of those letters once.  The rules:

1. Y of a patch takes a loop of three free route tiles around one of its corners: `one`
   beyond the first side, `three` beyond the last, and the `corner` tile between them.  `one` and
   `corner` carry the letter of the first side, `three` the other letter; the edge between `corner`
   and `three` is mixed, the other three edges of the loop are plain.
2. The rest of the region may be attached at any tiles of the loop, at any of their other sides, by
   plain and mixed edges, and also at several of them.
3. Without the edges from `three` to their patches, the region is a tree: every tile is used once
   and nothing else closes a loop.
4. Loops may share one route tile if both give it the same letter (then they are attached to each
   other by it), never two: the distance would be d - 1.
5. A route tile may have mixed edges at opposite sides, and at adjacent ones except north and east
   or south and west if it carries Z, north and west or south and east if it carries X.
6. Any corner does for a patch that was on the chip in the slab before and is there in the next,
   whatever it does then; it need not idle.  A patch that is prepared in the slab of its loop, or
   measured out at its end, is restricted to some corners: with the other corners a fault of
   distance d - 1 joins the twist to the patch's boundary in time, unless the rest of the region is
   attached at the loop's corner tile alone.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from qwasmc.kernel import kernel
from qwasmc.passes.scheduling.board import (
    BEFORE,
    EDGES,
    FIRST,
    HELPER,
    IN_Y,
    LENGTH,
    RECENT,
    REGIONS,
    ROUTE,
    SECOND,
    WALKS,
    Board,
    Work,
    is_free,
)

Ints = NDArray[Any]


@kernel
def clash(letter: int, side: int, walls: int) -> bool:
    """Whether a tile with this letter may not have a mixed edge here, for those it has.

    Forbidden are north and east or south and west for Z, north and west or south and east for X.
    """
    return walls >> (3 - side if letter else side ^ 1) & 1 == 1


@kernel
def walls_at(work: Work, tile: int) -> int:
    """The sides of a tile at which the region has mixed edges, as bits."""
    walls: int = (
        work.mark[tile].wall & 15 if work.mark[tile].wall >> 4 == work.counts[REGIONS] else 0
    )
    return walls


@kernel
def loop_at(board: Board, work: Work, node: int, slab: int) -> int:
    """A loop around a patch of which Y is wanted, through the node at the end of a path, or -1.

    Loop k turns around the corner between sides k and k + 1 of the patch; the tiles beyond these
    sides and the one between them are its tiles 0, 2 and 1.  Tiles 0 and 1 carry the letter of side
    k, tile 2 the other one, and the edge between 1 and 2 is mixed.  The answer is 4 times the loop
    plus the tile that the node is.
    """
    end, letter = node >> 3, node & 1
    walls = walls_at(work, end)
    way = work.nodes[node, BEFORE]
    if way >= 0 and way & 1:
        walls |= 1 << ((way >> 1) & 3 ^ 2)
    mark_path(work, node)
    for loop in range(4):
        first, last = board.step[loop], board.step[(loop + 1) & 3]
        for at in range(3):
            offset = first * (at != 2) + last * (at != 0)
            patch = end - offset
            if board.tile[patch].goal != IN_Y or letter != (loop & 1) ^ (at == 2):
                continue
            if at and clash(letter, loop ^ 2 if at == 1 else loop, walls):
                continue
            if has_room(board, work, patch, loop, end, slab):
                return 4 * loop + at
    return -1


@kernel
def loop_tile(board: Board, patch: int, loop: int, at: int) -> int:
    """One of the three tiles of a loop."""
    tile = patch
    if at != 2:
        tile += board.step[loop]
    if at != 0:
        tile += board.step[(loop + 1) & 3]
    return tile


@kernel
def has_room(board: Board, work: Work, patch: int, loop: int, end: int, slab: int) -> bool:
    """Whether the tiles of a loop but `end` are free, and neither in the region nor on the path."""
    for at in range(3):
        tile = loop_tile(board, patch, loop, at)
        if tile == end:
            continue
        if not is_free(board, tile, slab) or work.mark[tile].seen == work.counts[WALKS]:
            return False
        if work.mark[tile].mine == work.counts[REGIONS]:
            return False
    return True


@kernel
def start_region(work: Work) -> None:
    """Start a region without tiles."""
    work.counts[REGIONS] += 1
    work.counts[ROUTE] = work.counts[EDGES] = 0


@kernel
def add_tile(work: Work, tile: int, letter: int) -> None:
    """Add a route tile to the region."""
    at = work.counts[ROUTE]
    work.route[at, 0] = tile
    work.route[at, 1] = letter
    work.mark[tile].mine = work.counts[REGIONS]
    work.counts[ROUTE] += 1


@kernel
def add_edge(board: Board, work: Work, tile: int, side: int, mixed: int) -> None:
    """Add the edge across a side of a tile to the region, named by its north or west tile."""
    beyond = tile + board.step[side]
    if mixed:
        add_wall(work, tile, side)
        add_wall(work, beyond, side ^ 2)
    at = work.counts[EDGES]
    work.edge[at, 0] = beyond if side in (0, 3) else tile
    work.edge[at, 1] = side ^ 2 if side in (0, 3) else side
    work.edge[at, 2] = mixed
    work.counts[EDGES] += 1


@kernel
def add_wall(work: Work, tile: int, side: int) -> None:
    """The region has a mixed edge at a side of a tile."""
    region = work.counts[REGIONS]
    if work.mark[tile].wall >> 4 != region:
        work.mark[tile].wall = 16 * region
    work.mark[tile].wall |= 1 << side


@kernel
def add_path(board: Board, work: Work, node: int) -> None:
    """Add the tiles and edges of the path to a node to the region, from its start or its helper."""
    while work.nodes[node, BEFORE] >= 0:
        way = work.nodes[node, BEFORE]
        if (node >> 1) & 3 in (FIRST, SECOND):
            add_tile(work, node >> 3, node & 1)
        node = way >> 3
        add_edge(board, work, node >> 3, (way >> 1) & 3, way & 1)
        if (node >> 1) & 3 == HELPER:
            break


@kernel
def add_loop(board: Board, work: Work, patch: int, loop: int) -> None:
    """Add a loop around a patch to the region, which may have one of its tiles."""
    one, three = loop_tile(board, patch, loop, 0), loop_tile(board, patch, loop, 2)
    for at in range(3):
        tile = loop_tile(board, patch, loop, at)
        if work.mark[tile].mine != work.counts[REGIONS]:
            add_tile(work, tile, (loop & 1) ^ (at == 2))
    board.tile[patch].loop = loop
    after = (loop + 1) & 3
    add_edge(board, work, patch, loop, 0)
    add_edge(board, work, one, after, 0)
    add_edge(board, work, three, loop, 1)
    add_edge(board, work, patch, after, 0)


@kernel
def mark_path(work: Work, node: int) -> bool:
    """Mark the tiles of the path to a node, from its start or its helper on, as seen.

    False if it is twice on a tile.
    """
    work.counts[WALKS] += 1
    while work.mark[node >> 3].seen != work.counts[WALKS]:
        work.mark[node >> 3].seen = work.counts[WALKS]
        if work.nodes[node, BEFORE] < 0:
            return True
        node = work.nodes[node, BEFORE] >> 3
        if (node >> 1) & 3 == HELPER:
            once: bool = work.mark[node >> 3].seen != work.counts[WALKS]
            return once
    return False


@kernel
def put(work: Work, value: int) -> None:
    """Append an integer to the geometry."""
    work.out[work.counts[LENGTH]] = value
    work.counts[LENGTH] += 1


@kernel
def put_term(board: Board, work: Work, tile: int, letter: int) -> None:
    """Append a tile and a physical letter."""
    put(work, board.tile[tile].x)
    put(work, board.tile[tile].y)
    put(work, letter)


@kernel
def put_region(board: Board, work: Work) -> None:
    """Append the route and the edges of the region."""
    for at in range(work.counts[ROUTE]):
        put_term(board, work, work.route[at, 0], 2 - work.route[at, 1])
    for at in range(work.counts[EDGES]):
        tile = work.edge[at, 0]
        put(work, board.tile[tile].x)
        put(work, board.tile[tile].y)
        put(work, work.edge[at, 1])
        put(work, work.edge[at, 2])


@kernel
def put_counts(work: Work, terms: int) -> None:
    """Append the numbers of terms, route tiles and edges."""
    put(work, terms)
    put(work, work.counts[ROUTE])
    put(work, work.counts[EDGES])


@kernel
def take(board: Board, work: Work, slab: int) -> None:
    """The route of the region is used in a slab."""
    for at in range(work.counts[ROUTE]):
        board.taken[slab & RECENT, work.route[at, 0]] = slab
