"""Slabs: the rows of a Surgery by time, with the regions that share the chip in each.

Joined patches and their routes make a region each, and so does every other living patch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from qwasmc.backends.stim.code import IDLE, UnsupportedJoin, normalise
from qwasmc.backends.stim.shape import Shape, shape
from qwasmc.diagnostics import CompileError
from qwasmc.ir.surgery import Row, Surgery, Tile

BIRTHS = (Row.INPUT, Row.PREPARE, Row.INJECT)
"""Rows that bring a patch to life."""


class Region(NamedTuple):
    """A region of a slab: what stands where, and the join row that made it (-1 for none)."""

    shape: Shape
    tile: Tile
    patches: list[Tile]
    """The tiles of the terms."""
    route: list[Tile]
    row: int


class Slab(NamedTuple):
    """The rows and regions of a slab."""

    births: list[int]
    regions: list[Region]
    measures: list[int]
    outputs: list[int]
    waits: list[int]


def slabs(surgery: Surgery, distance: int) -> Iterator[Slab]:
    """Who lives where, slab by slab."""
    timed = np.flatnonzero(
        np.isin(surgery.kind, [*BIRTHS, Row.JOIN, Row.MEASURE, Row.OUTPUT, Row.WAIT])
    )
    order = timed[np.argsort(surgery.slab[timed], kind="stable")]
    cuts = np.searchsorted(surgery.slab[order], np.arange(1, surgery.slabs))
    idle = shape(IDLE, distance)
    alive: dict[Tile, None] = {}
    for rows in np.split(order, cuts):
        slab = Slab([], [], [], [], [])
        for row in rows.tolist():
            match Row(surgery.kind[row]):
                case Row.JOIN:
                    slab.regions.append(_joined(surgery, row, distance))
                case Row.MEASURE:
                    slab.measures.append(row)
                case Row.OUTPUT:
                    slab.outputs.append(row)
                case Row.WAIT:
                    slab.waits.append(row)
                case _:
                    slab.births.append(row)
                    _require(surgery.tile(row) not in alive, row, "its tile holds a patch")
                    alive[surgery.tile(row)] = None
        _check_tenancy(slab.regions, alive)
        busy = {tile for region in slab.regions for tile in region.patches}
        slab.regions.extend(
            Region(idle, tile, [tile], [], -1) for tile in alive if tile not in busy
        )
        yield slab
        for row in slab.measures + slab.outputs:
            _require(surgery.tile(row) in alive, row, "there is no patch")
            del alive[surgery.tile(row)]


def _require(holds: bool, row: int, problem: str) -> None:
    if not holds:
        raise ValueError(f"row {row}: {problem}")


def _joined(surgery: Surgery, row: int, distance: int) -> Region:
    """The region of a join row."""
    join, (dx, dy) = normalise(surgery.join(row))
    try:
        found = shape(join, distance)
    except UnsupportedJoin as problem:
        message = f"this join cannot be emitted: {problem}"
        refused = surgery.locations.diagnostic(message, int(surgery.loc[row]))
        raise CompileError(refused) from problem
    tiles = [(x + dx, y + dy) for x, y in join.tiles()]
    return Region(found, (dx, dy), tiles[: len(join.terms)], tiles[len(join.terms) :], row)


def _check_tenancy(joined: list[Region], alive: dict[Tile, None]) -> None:
    """Joins need a living patch at each term, a free tile for each route tile, one join a tile."""
    taken: set[Tile] = set()
    for region in joined:
        tiles = {*region.patches, *region.route}
        _require(taken.isdisjoint(tiles), region.row, "a tile is in two joins of one slab")
        _require(alive.keys() >= set(region.patches), region.row, "a term is no patch")
        _require(alive.keys().isdisjoint(region.route), region.row, "the route crosses a patch")
        taken |= tiles
