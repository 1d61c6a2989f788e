"""Stabilizer codes of merged regions, from geometry alone.

The chip carries one checkerboard that never changes: data sites at integer (x, y), y growing to
the south; plaquette (px, py) touches the sites NW = (px, py), NE, SW and SE = (px + 1, py + 1) and
is of type X when px + py is even, else Z.  Tile (tx, ty) owns the d x d sites from (tx P, ty P)
with pitch P = d + 1; the row or column between two tiles is their seam.  A `Code` is what a
`Join` looks like at distance d: its sites, its stabilizers (rim and corner rules of rotated
surface codes; stretched plaquettes across mixed seams, as in Litinski and von Oppen,
arXiv:1709.02318, section 3; twists where such a seam ends) and who owns which site.  The idle
patch is the region of one term with letter I.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.ir.surgery import STEP, Edge, Join, Letter, RouteTile, Side, Term, Tile

Ints = NDArray[np.int64]
Site = tuple[int, int]

CORNERS = np.array([(0, 0), (1, 0), (0, 1), (1, 1)], dtype=np.int64)
"""Offsets of a plaquette's sites in the order NW, NE, SW, SE."""

OTHER = {Letter.X: Letter.Z, Letter.Z: Letter.X}

IDLE = Join((Term((0, 0), Letter.I),), (), ())
"""The region of a patch on its own."""


class Wall(Enum):
    """What a cat stands on: a mixed seam, or the crossing where one ends in a twist."""

    VERTICAL = 0
    HORIZONTAL = 1
    TWIST_N = 2  # the seam leaves the crossing to the north
    TWIST_E = 3
    TWIST_S = 4
    TWIST_W = 5


class Cat(NamedTuple):
    """A cat: the plaquettes at its ends, its bridge site, and what it stands on."""

    inner: Site
    outer: Site
    bridge: Site
    wall: Wall


TWISTS = {
    Side.N: (Wall.TWIST_N, (-1, 0), (0, 0)),
    Side.E: (Wall.TWIST_E, (-1, 0), (-1, -1)),
    Side.S: (Wall.TWIST_S, (0, -1), (-1, -1)),
    Side.W: (Wall.TWIST_W, (0, -1), (0, 0)),
}
"""By the side to which the seam leaves a crossing: inner and outer plaquette from the crossing."""


class UnsupportedJoin(ValueError):
    """A join whose geometry this back end cannot realise."""


@dataclass(frozen=True, slots=True, eq=False)
class Code:
    """A region's sites (n of them) and stabilizers (k: plain X, then cats, then plain Z).

    Most stabilizers are plaquettes, measured by one ancilla.  A *cat* is a stretched plaquette or
    a twist: two plaquettes on either side of an empty seam, measured by a three-qubit cat state of
    their ancillas and the seam site between them, its bridge.  The first half of `faces` and
    `members` is the plaquette, or a cat's inner end, and the second a cat's outer end, where its
    state begins and its value is read.
    """

    join: Join
    distance: int
    sites: Ints
    """(n, 2) coordinates, sorted by y, then x."""
    owner: Ints
    """(n,) index of the term whose patch owns the site, or -1: fresh, from route or seam."""
    start: Ints
    """(n,) letter in whose +1 eigenstate a fresh site starts, and in which it ends; else 0."""
    faces: Ints
    """(k, 2, 2) plaquette coordinates of both halves; the second is (0, 0) unless a cat."""
    members: Ints
    """(k, 2, 4) site indices NW, NE, SW, SE of both halves, -1 where not touched."""
    letters: Ints
    """(k, 2, 4) the stabilizer's Pauli letter on each member, 0 where not touched."""
    cats: tuple[Cat, ...]
    """Of length c."""
    first_cat: int
    """Stabilizers first_cat, ..., first_cat + c - 1 are the cats."""

    @property
    def cat_rows(self) -> slice:
        """The stabilizers that are cats."""
        return slice(self.first_cat, self.first_cat + len(self.cats))


def plaquette_types(faces: Ints) -> Ints:
    """The letters of plaquettes, (..., 2) -> (...)."""
    types: Ints = np.where(faces.sum(axis=-1) % 2 == 0, int(Letter.X), int(Letter.Z))
    return types


def origin(tile: Tile, distance: int) -> Site:
    """A tile's north-west data site."""
    return tile[0] * (distance + 1), tile[1] * (distance + 1)


def far_tile(edge: Edge) -> Tile:
    """The tile on the other side of an edge."""
    step = STEP[edge.side]
    return edge.tile[0] + step[0], edge.tile[1] + step[1]


def edges_by_side(join: Join) -> dict[tuple[Tile, Side], Edge]:
    """Every merged side of a tile, with its edge."""
    edges = {}
    for edge in join.edges:
        edges[edge.tile, edge.side] = edge
        edges[far_tile(edge), Side((edge.side + 2) % 4)] = edge
    return edges


def normalise(join: Join) -> tuple[Join, Tile]:
    """The join moved so that its least tile coordinates are 0, and the move undone."""
    tiles = list(join.tiles())
    dx, dy = min(x for x, _ in tiles), min(y for _, y in tiles)

    def moved(tile: Tile) -> Tile:
        return tile[0] - dx, tile[1] - dy

    return (
        Join(
            tuple(Term(moved(term.tile), term.letter) for term in join.terms),
            tuple(RouteTile(moved(route.tile), route.frame) for route in join.route),
            tuple(Edge(moved(edge.tile), edge.side, edge.mixed) for edge in join.edges),
        ),
        (dx, dy),
    )


class _Index:
    """Site or plaquette coordinates -> position in a sorted array, -1 when absent."""

    def __init__(self, coordinates: Ints) -> None:
        self.low = coordinates.min(axis=0)
        self.stride = int(np.ptp(coordinates[:, 0])) + 1
        keys = self.keys(coordinates)
        self.order = np.argsort(keys)
        self.sorted = keys[self.order]

    def keys(self, coordinates: Ints) -> Ints:
        local = coordinates - self.low
        keys: Ints = local[..., 1] * self.stride + local[..., 0]
        return keys

    def find(self, coordinates: Ints) -> Ints:
        """Positions of coordinates, shape (..., 2) -> (...)."""
        keys = self.keys(coordinates)
        at = np.minimum(np.searchsorted(self.sorted, keys), len(self.sorted) - 1)
        column = coordinates[..., 0] - self.low[0]
        known = (self.sorted[at] == keys) & (column >= 0) & (column < self.stride)
        found: Ints = np.where(known, self.order[at], -1)
        return found


class _Geometry:
    """Frames of a join's tiles and edges, checked for consistency."""

    def __init__(self, join: Join, distance: int) -> None:
        self.join, self.distance = join, distance
        self.tiles = list(join.tiles())
        known = set(self.tiles)
        if len(known) < len(self.tiles):
            raise UnsupportedJoin("a tile occurs twice in a join")
        self.route = {route.tile: route.frame for route in join.route}
        self.edges = edges_by_side(join)
        for edge in join.edges:
            far = far_tile(edge)
            if edge.side not in (Side.E, Side.S):
                raise UnsupportedJoin("an edge names its northern or western tile first")
            if not known.issuperset((edge.tile, far)):
                raise UnsupportedJoin(f"{edge} leaves the region")
            if (self.frame(edge.tile, edge.side) == self.frame(far, edge.side)) == edge.mixed:
                raise UnsupportedJoin(f"the frames at {edge} do not match")

    def frame(self, tile: Tile, side: Side) -> Letter:
        """The letter carried through a side of a tile: a patch's N and S carry Z, E and W X."""
        patch = Letter.Z if side in (Side.N, Side.S) else Letter.X
        return self.route.get(tile, patch)

    def crossings(self) -> list[tuple[Site, list[Edge]]]:
        """Every crossing site with all four edges around it merged, and these: N, E, S, W."""
        found = []
        for x, y in self.tiles:
            around = (
                ((x, y), Side.E),
                ((x + 1, y), Side.S),
                ((x, y + 1), Side.E),
                ((x, y), Side.S),
            )
            edges = [self.edges[key] for key in around if key in self.edges]
            if len(edges) == 4:
                x0, y0 = origin((x, y), self.distance)
                found.append(((x0 + self.distance, y0 + self.distance), edges))
        return found


class _Sites:
    """The data sites of a region with their owners; see `Code` for the columns."""

    def __init__(self, geometry: _Geometry) -> None:
        d, join = geometry.distance, geometry.join
        block = np.array([(x, y) for y in range(d) for x in range(d)], dtype=np.int64)
        line = np.arange(d, dtype=np.int64)
        parts: list[tuple[Ints, int, int]] = []  # sites, owner, frame
        for i, tile in enumerate(geometry.tiles):
            here = block + origin(tile, d)
            if i < len(join.terms):
                parts.append((here, i, 0))
            else:
                frame = geometry.route[tile]
                parts.append((_without_corners(here, geometry, tile, frame), -1, frame))
        for edge in join.edges:
            if not edge.mixed:
                seam = np.full((d, 2), d, dtype=np.int64)
                seam[:, 1 if edge.side == Side.E else 0] = line
                seam += origin(edge.tile, d)
                frame = geometry.frame(edge.tile, edge.side)
                parts.append((seam, -1, frame))
        for site, around in geometry.crossings():
            if not any(edge.mixed for edge in around):
                frame = geometry.frame(around[0].tile, around[0].side)
                parts.append((np.array([site]), -1, frame))
        coordinates = np.concatenate([part[0] for part in parts])
        sizes = [len(part[0]) for part in parts]
        order = np.lexsort((coordinates[:, 0], coordinates[:, 1]))
        self.coordinates: Ints = coordinates[order]
        self.owner: Ints = np.repeat([part[1] for part in parts], sizes)[order]
        self.frame: Ints = np.repeat([part[2] for part in parts], sizes)[order]
        self.index = _Index(self.coordinates)

    def members(self, faces: Ints) -> Ints:
        """(m, 2) plaquettes -> (m, 4) site indices, -1 where there is none."""
        return self.index.find(faces[:, None, :] + CORNERS)


def _without_corners(sites: Ints, geometry: _Geometry, tile: Tile, frame: Letter) -> Ints:
    """Drop the convex rim corners whose plaquette has the rim's own type.

    Such a corner would carry a one-body stabilizer, and the region one logical qubit too many.
    """
    d = geometry.distance
    x0, y0 = origin(tile, d)
    corners = {
        # With d odd, the corner plaquettes at NW and SE are of type X, the other two of type Z.
        Letter.X: {(Side.N, Side.W): (0, 0), (Side.S, Side.E): (d - 1, d - 1)},
        Letter.Z: {(Side.N, Side.E): (d - 1, 0), (Side.S, Side.W): (0, d - 1)},
    }
    keep = np.ones(len(sites), dtype=np.bool_)
    for sides, (x, y) in corners[frame].items():
        if not any((tile, side) in geometry.edges for side in sides):
            keep &= (sites != (x0 + x, y0 + y)).any(axis=1)
    return sites[keep]


def _stretched(geometry: _Geometry) -> tuple[list[Cat], list[Site]]:
    """The stretched plaquettes of all mixed seams, and all the plaquettes they leave unused."""
    d = geometry.distance
    cats, unused = [], []
    for edge in geometry.join.edges:
        if not edge.mixed:
            continue
        x0, y0 = origin(edge.tile, d)
        frame = geometry.frame(edge.tile, edge.side)
        # Of the two end plaquettes of the seam, the one of the rim's own type stays.
        kept = -1 if frame == Letter.Z else d - 1
        shift = 1 if frame == Letter.Z else 0  # spreads the bridges over the seam's d sites
        for i in range(-1, d):
            if edge.side == Side.E:
                outer, inner = (x0 + d - 1, y0 + i), (x0 + d, y0 + i)
                cat = Cat(inner, outer, (x0 + d, y0 + i + shift), Wall.VERTICAL)
            else:
                inner, outer = (x0 + i, y0 + d - 1), (x0 + i, y0 + d)
                cat = Cat(inner, outer, (x0 + i + shift, y0 + d), Wall.HORIZONTAL)
            if 0 <= i < d - 1 or i == kept:
                cats.append(cat)
            else:
                unused += [inner, outer]
    return cats, unused


def _twists(geometry: _Geometry, unused: list[Site]) -> list[Cat]:
    """The twists, one at each crossing with a mixed edge.

    The seam's last plaquettes at the crossing fuse; the other two, of weight three, anticommute,
    and their product is the twist.
    """
    cats = []
    terms = geometry.join.terms
    patches = {term.tile for term in terms}
    in_loops: set[Edge] = set()
    for (x, y), around in geometry.crossings():
        sides = [side for side, edge in zip(Side, around, strict=True) if edge.mixed]
        if not sides:
            continue
        if any(edge.mixed and patches & {edge.tile, far_tile(edge)} for edge in around):
            raise UnsupportedJoin("a loop of tiles has its mixed edge at its patch")
        if not in_loops.isdisjoint(around):
            raise UnsupportedJoin("two loops share two tiles: their twists are too close")
        in_loops.update(around)
        wall, inner, outer = TWISTS[sides[0]]
        faces = {(x - 1, y - 1), (x, y - 1), (x - 1, y), (x, y)}
        if len(sides) > 1 or not faces.isdisjoint(unused):
            raise UnsupportedJoin("a loop of tiles has its mixed edge in the wrong place")
        cats.append(Cat((x + inner[0], y + inner[1]), (x + outer[0], y + outer[1]), (x, y), wall))
    if len(cats) != sum(term.letter == Letter.Y for term in terms):
        raise UnsupportedJoin("the loop of a Y term is not the three tiles around a corner")
    return cats


def _distinct(places: Ints) -> Ints:
    """(m, 2) places in order, each once."""
    low, stride = places.min(axis=0), int(np.ptp(places[:, 1])) + 1
    keys = np.unique((places - low) @ np.array([stride, 1]))
    distinct: Ints = np.stack([keys // stride, keys % stride], axis=1) + low
    return distinct


def _plain(sites: _Sites, taken: Sequence[Site]) -> tuple[Ints, Ints, Ints]:
    """The plain plaquettes outside `taken`: (m, 2) faces, (m, 4) members, (m,) types."""
    around = (sites.coordinates[:, None, :] - CORNERS).reshape(-1, 2)
    faces = _distinct(around)
    if taken:
        faces = faces[_Index(np.array(taken, dtype=np.int64)).find(faces) < 0]
    members = sites.members(faces)
    present = members >= 0
    weight = present.sum(axis=1)
    types = plaquette_types(faces)
    frame = np.where(present, sites.frame[members], 0).max(axis=1)
    # A plaquette with no fresh site is at a patch's own rim: X north and south, Z east and west.
    level = (present[:, 0] & present[:, 1]) | (present[:, 2] & present[:, 3])
    rim = np.where(frame > 0, frame, np.where(level, int(Letter.X), int(Letter.Z)))
    keep = (weight == 4) | ((weight >= 2) & (types == rim))
    return faces[keep], members[keep], types[keep]


def _join_halves(members: Ints, letters: Ints) -> None:
    """Give the site that a twist's halves share to the outer one, with the letter Y."""
    shared = (members[:, 0, :, None] == members[:, 1, None, :]) & (members[:, 0, :, None] >= 0)
    stabilizer, inner, outer = np.nonzero(shared)
    members[stabilizer, 0, inner] = -1
    letters[stabilizer, 0, inner] = 0
    letters[stabilizer, 1, outer] = Letter.Y


def region_code(join: Join, distance: int) -> Code:
    """The code of a join's merged region at odd `distance`."""
    geometry = _Geometry(join, distance)
    sites = _Sites(geometry)
    stretched, unused = _stretched(geometry)
    cats = stretched + _twists(geometry, unused)
    fused = [site for cat in cats for site in (cat.inner, cat.outer)]
    if len(set(fused)) < len(fused):
        raise UnsupportedJoin("two mixed seams meet at a corner")
    faces, members, types = _plain(sites, unused + fused)
    is_x = types == Letter.X
    halves = np.array([(cat.inner, cat.outer) for cat in cats], dtype=np.int64).reshape(-1, 2, 2)
    inner, outer = sites.members(halves[:, 0]), sites.members(halves[:, 1])

    def in_order(plain: Ints, of_cats: Ints, absent: int) -> Ints:
        """Plain X, cats, plain Z; plain ones get a second half that is absent."""
        both = np.stack([plain, np.full_like(plain, absent)], axis=1)
        return np.concatenate([both[is_x], of_cats, both[~is_x]])

    all_members = in_order(members, np.stack([inner, outer], axis=1), -1)
    all_types = in_order(types, plaquette_types(halves), 0)
    letters = np.where(all_members >= 0, all_types[:, :, None], 0)
    _join_halves(all_members, letters)
    return Code(
        join=join,
        distance=distance,
        sites=sites.coordinates,
        owner=sites.owner,
        start=np.where(sites.frame > 0, 3 - sites.frame, 0),
        faces=in_order(faces, halves, 0),
        members=all_members,
        letters=letters,
        cats=tuple(cats),
        first_cat=int(is_x.sum()),
    )


@lru_cache(maxsize=64)
def patch_code(distance: int) -> Code:
    """The code of a patch on its own at the origin."""
    return region_code(IDLE, distance)
