"""Slabs: the rows of a Surgery by time, with the regions that share the chip in each.

Joined patches and their routes make a region each, and so does every other living patch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from qwasmc.backends.stim.code import IDLE, UnsupportedJoin, normalise
from qwasmc.backends.stim.inplace_y import in_place_y
from qwasmc.backends.stim.shape import Shape, shape
from qwasmc.diagnostics import CompileError
from qwasmc.ir.surgery import Join, Letter, Row, Surgery, Tile, decode_join

BIRTHS = (Row.INPUT, Row.PREPARE, Row.INJECT)
"""Rows that bring a patch to life."""

MEASURES = (Row.MEASURE, Row.ADAPT)
"""Rows that measure a patch out."""

IN_Y = {(int(Row.PREPARE), int(Letter.Y)), (int(Row.MEASURE), int(Letter.Y)), (int(Row.ADAPT), 0)}
"""Kind and `aux` of rows that prepare a patch in Y or measure it out in Y."""


class Region(NamedTuple):
    """A region of a slab: what stands where, and the join row that made it (-1 for none)."""

    shape: Shape
    tile: Tile
    patches: list[Tile]
    """The tiles of the terms."""
    route: list[Tile]
    row: int


class Slab(NamedTuple):
    """The rows and regions of a slab, or of `length` slabs in a row in which nothing happens."""

    births: list[int]
    regions: list[Region]
    measures: list[int]
    outputs: list[int]
    waits: list[int]
    length: int = 1


def slabs(surgery: Surgery, distance: int) -> Iterator[Slab]:
    """Who lives where, slab by slab."""
    timed = np.flatnonzero(
        np.isin(surgery.kind, [*BIRTHS, Row.JOIN, *MEASURES, Row.OUTPUT, Row.WAIT])
    )
    order = timed[np.argsort(surgery.slab[timed], kind="stable")]
    numbers, cuts = np.unique(surgery.slab[order], return_index=True)
    alive: dict[Tile, None] = {}
    waits: list[int] = []
    quiet = reached = 0
    """Slabs in a row in which nothing happens, and the slabs so far."""
    for number, rows in zip(numbers.tolist(), np.split(order, cuts)[1:], strict=True):
        quiet += number - reached
        reached = number + 1
        if (surgery.kind[rows] == Row.WAIT).all():
            quiet += 1
            waits += rows.tolist()
            continue
        if quiet:
            yield Slab([], _idling(alive, distance), [], [], waits, quiet)
            quiet, waits = 0, []
        yield _advance(surgery, rows.tolist(), distance, alive)
    if quiet:
        yield Slab([], _idling(alive, distance), [], [], waits, quiet)


def _advance(surgery: Surgery, rows: list[int], distance: int, alive: dict[Tile, None]) -> Slab:
    """The slab of some rows; brings the tiles of living patches up to date."""
    slab = Slab([], [], [], [], [])
    for row in rows:
        match Row(surgery.kind[row]):
            case Row.JOIN:
                slab.regions.append(_joined(surgery, row, distance))
            case Row.MEASURE | Row.ADAPT:
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
    slab.regions.extend(_in_y(surgery, slab, busy, distance))
    slab.regions.extend(_idling((tile for tile in alive if tile not in busy), distance))
    for row in slab.measures + slab.outputs:
        _require(surgery.tile(row) in alive, row, "there is no patch")
        del alive[surgery.tile(row)]
    return slab


def is_in_y(surgery: Surgery, row: int) -> bool:
    """Whether a row prepares a patch in Y or measures it out in Y."""
    return (int(surgery.kind[row]), int(surgery.aux[row])) in IN_Y


def _in_y(surgery: Surgery, slab: Slab, busy: set[Tile], distance: int) -> Iterator[Region]:
    """Patches that are prepared or measured out in Y; they become `busy`."""
    for rows, prepared in ((slab.births, True), (slab.measures, False)):
        for row in rows:
            if is_in_y(surgery, row):
                tile = surgery.tile(row)
                _require(tile not in busy, row, "its patch does not idle in this slab")
                busy.add(tile)
                yield Region(in_place_y(distance, prepared=prepared), tile, [tile], [], -1)


def _idling(tiles: Iterable[Tile], distance: int) -> list[Region]:
    """Patches on their own."""
    idle = shape(IDLE, distance)
    return [Region(idle, tile, [tile], [], -1) for tile in tiles]


def _require(holds: bool, row: int, problem: str) -> None:
    if not holds:
        raise ValueError(f"row {row}: {problem}")


def _joined(surgery: Surgery, row: int, distance: int) -> Region:
    """The region of a join row."""
    encoded = surgery.pool[surgery.start[row] : surgery.start[row + 1]]
    join, (dx, dy) = _decoded(encoded.tobytes())
    try:
        found = shape(join, distance)
    except UnsupportedJoin as problem:
        message = f"this join cannot be emitted: {problem}"
        refused = surgery.locations.diagnostic(message, int(surgery.loc[row]))
        raise CompileError(refused) from problem
    tiles = [(x + dx, y + dy) for x, y in join.tiles()]
    return Region(found, (dx, dy), tiles[: len(join.terms)], tiles[len(join.terms) :], row)


@lru_cache(maxsize=4096)
def _decoded(join: bytes) -> tuple[Join, Tile]:
    """A join in its normal place, and where it is."""
    return normalise(decode_join(np.frombuffer(join, dtype=np.int32).tolist()))


def _check_tenancy(joined: list[Region], alive: dict[Tile, None]) -> None:
    """Joins need a living patch at each term, a free tile for each route tile, one join a tile."""
    taken: set[Tile] = set()
    for region in joined:
        tiles = {*region.patches, *region.route}
        _require(taken.isdisjoint(tiles), region.row, "a tile is in two joins of one slab")
        _require(alive.keys() >= set(region.patches), region.row, "a term is no patch")
        _require(alive.keys().isdisjoint(region.route), region.row, "the route crosses a patch")
        taken |= tiles
