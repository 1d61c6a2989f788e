"""Time slots of the two-qubit gates in one round of a region's stabilizer measurements.

Every plaquette touches its sites in one of two orders, in five slots:

    order  NW NE SW SE   last pair
    H       1  2  3  5   SW-SE, a horizontal hook
    V       1  4  3  5   NE-SE, a vertical hook

NW, SW and SE come at the same time for all plaquettes and NE at one of two free times, so no site
is touched twice in a slot, and neighbours touch their two common sites in the same order: every
plaquette may choose for itself.  A hook must not help the errors that run between two boundaries
of its type, so it lies along the nearest rim of its plaquette's own type and across the nearest
rim of the other.  In a region with X all H and Z all V, or the reverse, the usual four slots do
(Tomita and Svore, arXiv:1404.3747).

A region with mixed seams takes seven slots: its plain plaquettes come one slot later, and every
cat (see `code.Code`) grows from its outer end in slots 1 and 2 and shrinks again in 6 and 7.  Its
outer end may touch sites from 2 to 6, its inner end from 3 to 5, and the tables below fit between
all plain plaquettes whatever their hooks; for twists, with the hooks that the rule gives there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.backends.stim.code import Code, Ints, Wall, edges_by_side, far_tile, origin
from qwasmc.ir.surgery import STEP, Edge, Letter, Side, Tile

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Neighbours = dict[Tile, list[tuple[Tile, Edge]]]

FIVE = {"H": (1, 2, 3, 5), "V": (1, 4, 3, 5)}
FOUR = {"H": (1, 2, 3, 4), "V": (1, 3, 2, 4)}
"""Slots of NW, NE, SW, SE."""

CAT_SLOTS = {
    Wall.VERTICAL: ((0, 3, 0, 5), (2, 0, 4, 0)),
    Wall.HORIZONTAL: ((3, 5, 0, 0), (0, 0, 4, 6)),
    Wall.TWIST_N: ((3, 0, 4, 0), (0, 3, 4, 6)),
    Wall.TWIST_E: ((0, 0, 4, 5), (3, 5, 2, 0)),
    Wall.TWIST_S: ((0, 3, 0, 5), (2, 3, 4, 0)),
    Wall.TWIST_W: ((3, 5, 0, 0), (0, 5, 4, 6)),
}
"""The same for a cat's inner and outer end, 0 where it has no site."""

FORCED = {Wall.TWIST_N: {(-2, 0): True, (-1, 1): False}}
"""Plaquettes, from the crossing, whose hooks the table needs turned, or not; elsewhere it needs
none, or those that the patch's own rims give."""

CAT_GATES = {
    1: ("outer", "bridge"),
    2: ("bridge", "inner"),
    6: ("bridge", "inner"),
    7: ("outer", "bridge"),
}
"""A cat's own CX gates by slot: control and target."""

DELAY = 1
"""Slots by which plain plaquettes are late in a region with cats."""


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """Slots, counted from 1, for a code with k stabilizers."""

    slots: Ints
    """(k, 2, 4) slot in which a stabilizer touches a member, 0 where it has none."""
    depth: int
    """The number of slots."""


def schedule(code: Code) -> Schedule:
    """The slots of a region."""
    turned = turned_hooks(code)
    for cat in code.cats:
        for offset, is_turned in FORCED.get(cat.wall, {}).items():
            face = np.add(cat.bridge, offset)
            turned[(code.faces[:, 0] == face).all(axis=1)] = is_turned
    table = FIVE if code.cats or (turned.any() and not turned.all()) else FOUR
    horizontal = (code.letters[:, 0].max(axis=1) == Letter.Z) == turned
    slots = np.zeros_like(code.members)
    slots[:, 0] = np.where(horizontal[:, None], table["H"], table["V"])
    if code.cats:
        slots += DELAY
        slots[code.cat_rows] = [CAT_SLOTS[cat.wall] for cat in code.cats]
    slots[code.letters == 0] = 0
    return Schedule(slots, max(CAT_GATES) if code.cats else int(slots.max()))


def _neighbours(code: Code, tiles: list[Tile]) -> Neighbours:
    """The tiles each tile is merged with."""
    neighbours: Neighbours = {tile: [] for tile in tiles}
    for edge in code.join.edges:
        far = far_tile(edge)
        neighbours[edge.tile].append((far, edge))
        neighbours[far].append((edge.tile, edge))
    return neighbours


def turned_hooks(code: Code) -> Bools:
    """(k,) whether Z hooks lie level and X hooks stand, the reverse of a patch on its own.

    That is so where the nearest rim is of type Z and north or south, or of type X and east or west.
    Distances are Chebyshev's; of rims equally near, the one seen most squarely counts.  Rims are
    looked for in a plaquette's tile and those around it, which keeps this linear.
    """
    turned = np.zeros(len(code.faces), dtype=np.bool_)
    tiles = list(code.join.tiles())
    if len(tiles) == 1:
        return turned
    neighbours, rims = _neighbours(code, tiles), _rims(code, tiles)
    home = np.floor_divide(code.faces[:, 0] + 1, code.distance + 1)
    order = np.lexsort((home[:, 0], home[:, 1]))
    cuts = np.flatnonzero((np.diff(home[order], axis=0) != 0).any(axis=1)) + 1
    for here in np.split(order, cuts):
        x, y = home[here[0]].tolist()
        near = _rims_around(rims, neighbours, (x, y))
        if near:
            turned[here] = _nearest(code.faces[here, 0] + 0.5, near)
    return turned


class _Rim(NamedTuple):
    """A straight piece of rim: its middle, half its extent, and its type."""

    middle: tuple[float, float]
    half: tuple[float, float]
    is_z: bool


def _rims(code: Code, tiles: list[Tile]) -> dict[Tile, list[_Rim]]:
    """The rims of each tile."""
    d = code.distance
    merged = edges_by_side(code.join)
    frames = {route.tile: route.frame for route in code.join.route}
    rims: dict[Tile, list[_Rim]] = {tile: [] for tile in tiles}
    for tile in tiles:
        x, y = origin(tile, d)
        for side in Side:
            if (tile, side) in merged:
                continue
            (dx, dy), level = STEP[side], side in (Side.N, Side.S)
            middle = (x + (d - 1 + dx * d) / 2, y + (d - 1 + dy * d) / 2)
            half = (d / 2, 0.0) if level else (0.0, d / 2)
            is_z = frames[tile] == Letter.Z if tile in frames else not level
            rims[tile].append(_Rim(middle, half, is_z))
    for edge in code.join.edges:
        if not edge.mixed:
            rims[edge.tile] += _seam_rims(edge, d, merged.keys(), frames)
    return rims


def _seam_rims(
    edge: Edge, d: int, merged: Set[tuple[Tile, Side]], frames: dict[Tile, Letter]
) -> Iterator[_Rim]:
    """The ends of a plain seam that are not inside a block of four tiles: rims of one site."""
    tile, level = edge.tile, edge.side == Side.E
    x, y = origin(tile, d)
    frame = frames.get(tile) or frames.get(far_tile(edge)) or (Letter.X if level else Letter.Z)
    before = (tile[0], tile[1] - 1) if level else (tile[0] - 1, tile[1])
    for crossing, along in ((before, -0.5), (tile, d - 0.5)):
        east = (crossing[0] + 1, crossing[1])
        south = (crossing[0], crossing[1] + 1)
        around = {(crossing, Side.E), (crossing, Side.S), (east, Side.S), (south, Side.E)}
        if not around <= merged:
            middle = (x + d, y + along) if level else (x + along, y + d)
            yield _Rim(middle, (0.5, 0.0) if level else (0.0, 0.5), frame == Letter.Z)


def _rims_around(rims: dict[Tile, list[_Rim]], neighbours: Neighbours, home: Tile) -> list[_Rim]:
    """The rims of a tile and of those around it (diagonal ones too) at most two edges away.

    A mixed seam is seen as if it were not there: what lies behind it is one step nearer, and
    there X and Z are swapped.
    """
    seen = {home: (0, 0, False, 0)}
    queue = deque([home])
    while queue:
        tile = queue.popleft()
        x, y, swapped, steps = seen[tile]
        # a third step around a corner would come to a tile beside home that it is not merged with
        for other, edge in neighbours.get(tile, ()) if steps < 2 else ():
            if other not in seen and max(abs(other[0] - home[0]), abs(other[1] - home[1])) <= 1:
                dx, dy = (tile[0] - other[0], tile[1] - other[1]) if edge.mixed else (0, 0)
                seen[other] = (x + dx, y + dy, swapped != edge.mixed, steps + 1)
                queue.append(other)
    return [
        _Rim((rim.middle[0] + x, rim.middle[1] + y), rim.half, rim.is_z != swapped)
        for tile, (x, y, swapped, _) in seen.items()
        for rim in rims.get(tile, ())
    ]


def _nearest(centres: Floats, rims: list[_Rim]) -> Bools:
    """For plaquette centres (m, 2): whether the nearest rim turns the hooks."""
    middle = np.array([rim.middle for rim in rims])
    half = np.array([rim.half for rim in rims])
    away = np.maximum(np.abs(centres[:, None, :] - middle) - half, 0.0)
    dx, dy = away[..., 0], away[..., 1]
    vertical = np.where(dx == dy, half[:, 0] > half[:, 1], dy > dx)
    turns = vertical == np.array([rim.is_z for rim in rims])
    # All of these are whole numbers: by distance, then obliqueness, then rather not turned.
    distance, oblique = np.maximum(dx, dy), np.minimum(dx, dy)
    rank = (distance * (1 + distance.max()) + oblique) * 2 + turns
    best: Bools = turns[np.arange(len(centres)), rank.argmin(axis=1)]
    return best
