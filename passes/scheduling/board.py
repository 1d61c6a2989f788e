"""The chip as arrays: what its tiles are for, who has them, and scratch space for searches.

Tiles are numbered row by row, with a rim of one tile around the chip.  Letters of routes are 0 for
Z and 1 for X: the lowest bit of the physical letter, and the parity of the sides through which it
is measured, N and S for Z, E and W for X.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.kernel import kernel
from qwasmc.passes.scheduling.plan import Plan

Ints = NDArray[Any]

BUCKETS = 16

LAST_BUCKET = BUCKETS - 1
"""More than an estimate and a cost can grow by in one step."""

PAIR, TREE, LOOPS, CONTROL, STOCK, MAGIC = range(6)
"""What is searched for: the other patch of two; the next one of many; the next one of many of which
some have letter Y; a helper where the path turns and then a patch; a free tile for a helper; a
port."""

IN_Y = 4
"""What `Board.goal` has where Y is wanted."""

FIRST, HELPER, SECOND, GOAL = range(4)
"""Where a node is on its way: before the helper, on it, after it, at the end."""

ANYWHERE = -1
"""No guide."""

NO_LIMIT = 1 << 30

ENTRIES, QUEUED, SEARCHES, ONLY, REGIONS, WALKS, ROUTE, EDGES, LENGTH, LOOP = range(10)
"""Counters."""

STAMP, COST, BEFORE = range(3)
"""Columns of nodes."""

LINK, NODE, PAID = range(3)
"""Columns of the queue's entries."""

AGES = 4

RECENT = AGES - 1
"""Slabs whose occupancy is kept, and the bits of a slab's number that tell them apart."""


TILE = np.dtype([(name, np.int32) for name in ("lane", "port", "goal", "loop", "x", "y")])
"""`lane`: 1 where routes may be; `port`: the number of the one whose states appear here, or -1;
`goal`: 1 + the letter that is wanted of the patch that lives here, IN_Y, or 0; `loop`: the one by
which Y of that patch was measured last."""

PORT = np.dtype([(name, np.int32) for name in ("tile", "first", "ready", "period", "lead")])
"""`first`: the first slab in which a state can appear; `ready`: the first one for the next state;
`period`: slabs from one state to the next at least; `lead`: slabs before a state appears for which
its tile is in use."""

MARK = np.dtype([("wall", np.int64), ("mine", np.int32), ("seen", np.int32)])
"""`wall`: the last region that has mixed edges at a tile, times 16, plus their sides as bits;
`mine`: the last region that has the tile in its route; `seen`: the last path on it."""


class Board(NamedTuple):
    """The chip."""

    tile: Ints
    """By tile: a `TILE`."""
    taken: Ints
    """(AGES, tiles): the last slab of this number modulo AGES in which a tile was taken."""
    ports: Ints
    """By port: a `PORT`."""
    step: Ints
    """(4,): from a tile to its neighbours."""


class Work(NamedTuple):
    """Arrays that searches use again and again; stamps tell what is of an earlier one."""

    nodes: Ints
    """By node, 8 tile + 2 stage + letter: the last search that reached it, its cost, and the node
    it was reached from, times 8, plus twice the side, plus whether the edge is mixed; or -1."""
    entries: Ints
    """By entry of the queue: the next one of its bucket, its node, the cost of this node then."""
    head: Ints
    """(BUCKETS,): the newest entry of each bucket, or -1."""
    mark: Ints
    """By tile: a `MARK`."""
    route: Ints
    """(tiles, 2): the tiles of the region that is being made and the letters they carry."""
    edge: Ints
    """(tiles, 3): its edges: tile, side, mixed."""
    out: Ints
    """The encoded geometry of a task, as in `Schedule.pool`."""
    counts: Ints


def make_board(plan: Plan) -> Board:
    """The board of a plan on which nothing has happened."""
    stride = plan.width + 2
    tiles = stride * (plan.height + 2)
    lane = np.zeros((plan.height + 2, stride), dtype=np.int32)
    lane[1:-1, 1:-1] = plan.lanes
    tile = np.zeros(tiles, TILE)
    tile["lane"] = lane.ravel()
    y, x = np.divmod(np.arange(tiles), stride)
    tile["x"], tile["y"], tile["port"] = x - 1, y - 1, -1
    ports = np.zeros(len(plan.ports), PORT)
    for number, port in enumerate(plan.ports):
        at = tile_number(plan, *port.tile)
        tile[at]["port"] = number
        source = port.source
        ports[number] = at, source.first, source.first, source.period, source.lead
    return Board(
        tile=tile,
        taken=np.full((AGES, tiles), -1, dtype=np.int32),
        ports=ports,
        step=np.array([-stride, 1, stride, -1], dtype=np.int32),
    )


def make_work(board: Board, longest: int) -> Work:
    """Scratch arrays for searches on a board, for tasks of at most this many patches."""
    tiles = len(board.tile)
    ints = np.int32
    return Work(
        nodes=np.zeros((8 * tiles, 3), ints),
        entries=np.zeros((64 * tiles, 3), ints),
        head=np.full(BUCKETS, -1, ints),
        mark=np.zeros(tiles, MARK),
        route=np.zeros((tiles, 2), ints),
        edge=np.zeros((tiles, 3), ints),
        out=np.zeros(16 * tiles + 3 * longest + 16, ints),
        counts=np.zeros(10, np.int64),
    )


def tile_number(plan: Plan, x: int, y: int) -> int:
    """The number of a tile."""
    return (y + 1) * (plan.width + 2) + x + 1


@kernel
def is_free(board: Board, tile: int, slab: int) -> bool:
    """Whether a route or a helper can be on a tile in a slab."""
    free: bool = board.tile[tile].lane != 0 and board.taken[slab & RECENT, tile] != slab
    return free
