"""What is to be seen of a surgery program: patches with their lives, and joint measurements.

Both the page and the drawings are made from these columns.  All of them are numpy arrays of
integers; rows of `Patches` are in order of the first slab, those of `Joins` in order of the slab.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.diagnostics import Kind, error
from qwasmc.ir.surgery import STEP, Letter, Row, Side, Surgery, Tile

Ints = NDArray[Any]

MAX_TILES = 4096
"""Most tiles along an axis that are drawn."""

MAX_ROWS = 4_000_000
"""Most patches and parts of joint measurements, together, that a page holds."""

TERM, ROUTE, EDGE = 3, 3, 4
"""Integers of each part of an encoded join; see `qwasmc.ir.surgery.encode_join`."""


@dataclass(frozen=True, slots=True)
class Patches:
    """A patch is on tile (x, y) from the slab `first` to the slab `last`.

    `begin` and `end` are the rows with which it appears and goes; `end` is -1 if it stays.
    """

    x: Ints
    y: Ints
    first: Ints
    last: Ints
    begin: Ints
    end: Ints


@dataclass(frozen=True, slots=True)
class Joins:
    """Joint measurements: their rows and slabs, and their parts one behind the other.

    Join i has the parts terms[term[i]:term[i + 1]], and likewise for route tiles and edges.
    """

    row: Ints
    slab: Ints
    term: Ints
    route: Ints
    edge: Ints
    terms: Ints
    """(n, 3): x, y, letter."""
    routes: Ints
    """(n, 3): x, y, letter carried."""
    edges: Ints
    """(n, 4): x, y, side, whether it is mixed."""

    def slab_of(self, starts: Ints) -> Ints:
        """The slab of every part, of the kind that begins at `starts`."""
        slabs: Ints = np.repeat(self.slab, np.diff(starts))
        return slabs


@dataclass(frozen=True, slots=True)
class Scene:
    """A surgery program as it is drawn.

    `box` is (west, north, east, south): the tiles of the chip, east and south excluded.
    """

    patches: Patches
    joins: Joins
    box: tuple[int, int, int, int]
    slabs: int


def make_scene(surgery: Surgery) -> Scene:
    """The scene of a surgery program that is well formed; CompileError if it is too large."""
    patches, joins = _patches(surgery), _joins(surgery)
    rows = len(patches.x) + len(joins.terms) + len(joins.routes) + len(joins.edges)
    if rows > MAX_ROWS:
        raise error(
            f"the program has {rows} patches and parts of joint measurements, a page holds "
            f"{MAX_ROWS}",
            kind=Kind.LIMIT,
            help="view a part of the program",
        )
    return Scene(patches, joins, _box(surgery, patches, joins), surgery.slabs)


def _patches(surgery: Surgery) -> Patches:
    """Rows in which patches appear and go alternate on each tile."""
    appears = np.isin(surgery.kind, (Row.INPUT, Row.PREPARE, Row.INJECT))
    rows = np.flatnonzero(appears | np.isin(surgery.kind, (Row.MEASURE, Row.ADAPT, Row.OUTPUT)))
    order = rows[np.lexsort((rows, surgery.y[rows], surgery.x[rows]))]
    begins = np.flatnonzero(appears[order])
    follows = np.minimum(begins + 1, len(order) - 1)
    ended = (begins + 1 < len(order)) & ~appears[order[follows]]
    begin, end = order[begins], np.where(ended, order[follows], -1)
    first = surgery.slab[begin]
    last = np.where(ended, surgery.slab[end], surgery.slabs - 1)
    sort = np.argsort(first, kind="stable")
    x, y = surgery.x[begin], surgery.y[begin]
    return Patches(x[sort], y[sort], first[sort], last[sort], begin[sort], end[sort])


def _joins(surgery: Surgery) -> Joins:
    rows = np.flatnonzero(surgery.kind == Row.JOIN)
    rows = rows[np.argsort(surgery.slab[rows], kind="stable")]
    at = surgery.start[rows].astype(np.int64)
    counts = surgery.pool[at[:, None] + np.arange(3)]
    at += 3
    starts, parts = [], []
    for column, width in enumerate((TERM, ROUTE, EDGE)):
        count = counts[:, column]
        starts.append(np.append(0, np.cumsum(count, dtype=np.int64)))
        parts.append(surgery.pool[_slices(at, count * width)].reshape(-1, width))
        at += count * width
    return Joins(rows, surgery.slab[rows], *starts, *parts)


def _slices(begin: Ints, length: Ints) -> Ints:
    """The indices of slices, one behind the other."""
    ends = np.cumsum(length, dtype=np.int64)
    total = int(ends[-1]) if len(ends) else 0
    indices: Ints = np.repeat(begin - ends + length, length) + np.arange(total)
    return indices


def _box(surgery: Surgery, patches: Patches, joins: Joins) -> tuple[int, int, int, int]:
    """The tiles of the chip, or those that are used where no row says more."""
    chip = np.flatnonzero(surgery.kind == Row.CHIP)
    xs = np.concatenate([patches.x, joins.terms[:, 0], joins.routes[:, 0], surgery.x[chip] - 1])
    ys = np.concatenate([patches.y, joins.terms[:, 1], joins.routes[:, 1], surgery.y[chip] - 1])
    west, north = int(xs.min(initial=0)), int(ys.min(initial=0))
    east, south = int(xs.max(initial=0)) + 1, int(ys.max(initial=0)) + 1
    if max(east - west, south - north) > MAX_TILES:
        message = f"the chip has {east - west} x {south - north} tiles"
        help = f"at most {MAX_TILES} tiles along each axis are drawn"
        raise error(message, kind=Kind.LIMIT, help=help)
    return west, north, east, south


def patch_of_terms(scene: Scene) -> Ints:
    """For each term of the joins, the patch that it is about."""
    patches, joins = scene.patches, scene.joins
    west, north, east, _ = scene.box
    width = east - west

    def key(x: Ints, y: Ints, slab: Ints) -> Ints:
        tile = (y.astype(np.int64) - north) * width + (x - west)
        numbered: Ints = tile * (scene.slabs + 1) + slab
        return numbered

    keys = key(patches.x, patches.y, patches.first)
    order = np.argsort(keys)
    wanted = key(joins.terms[:, 0], joins.terms[:, 1], joins.slab_of(joins.term))
    found: Ints = order[np.searchsorted(keys, wanted, side="right", sorter=order) - 1]
    return found


def slab_rounds(surgery: Surgery, scene: Scene, distance: int) -> int:
    """Rounds of all slabs: d each, two more where a joint measurement has a Y letter.

    A slab that waits lasts as long as its row says.
    """
    joins = scene.joins
    in_y = joins.slab_of(joins.term)[joins.terms[:, 2] == Letter.Y]
    waits = np.flatnonzero(surgery.kind == Row.WAIT)
    waited = int(surgery.aux[waits].sum(dtype=np.int64))
    return (scene.slabs - len(waits)) * distance + 2 * len(np.unique(in_y)) + waited


def parts_of(joins: Joins, number: int) -> tuple[list[list[int]], list[list[int]], list[list[int]]]:
    """The terms, route tiles and edges of a joint measurement."""
    terms = joins.terms[joins.term[number] : joins.term[number + 1]]
    routes = joins.routes[joins.route[number] : joins.route[number + 1]]
    edges = joins.edges[joins.edge[number] : joins.edge[number + 1]]
    return terms.tolist(), routes.tolist(), edges.tolist()


def carried(route: Mapping[Tile, int], tile: Tile, side: int) -> int:
    """The letter carried across an edge: that of a route tile there, or what the side is for."""
    dx, dy = STEP[Side(side)]
    found = route.get(tile) or route.get((tile[0] + dx, tile[1] + dy))
    return found or (Letter.X if side == Side.E else Letter.Z)


def twists(terms: Sequence[Sequence[int]], edges: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """The crossings at which the twists of one join are: (x, y) is the corner of tile (x, y).

    A twist is where a mixed edge ends at a crossing whose four edges are all merged.
    """
    if not any(letter == Letter.Y for _, _, letter in terms):
        return []
    merged = {(x, y, side) for x, y, side, _ in edges}
    found = []
    for x, y, side, mixed in edges:
        if not mixed:
            continue
        ends = [(x + 1, y), (x + 1, y + 1)] if side == Side.E else [(x, y + 1), (x + 1, y + 1)]
        for cx, cy in ends:
            level = {(cx - 1, cy - 1, Side.E), (cx - 1, cy, Side.E)}
            around = level | {(cx - 1, cy - 1, Side.S), (cx, cy - 1, Side.S)}
            if around <= merged:
                found.append((cx, cy))
    return found
