"""What a merged region may look like: patches, route tiles, the edges between them, Y loops.

A second reading, in Python, of the rules in `qwasmc.passes.scheduling.regions`; numbers of rules
are those there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

from qwasmc.ir.surgery import STEP, Edge, Join, Letter, RouteTile, Side, Term, Tile

STEP_COST = 2
MIXED_COST = 3
"""A mixed edge makes the rounds of its slab three layers longer: it costs more than a tile."""

SIDES = (Side.S, Side.E, Side.N, Side.W)
VERTICAL = (Side.S, Side.N)
HORIZONTAL = (Side.E, Side.W)
OPPOSITE = {Side.N: Side.S, Side.S: Side.N, Side.E: Side.W, Side.W: Side.E}

Corner = tuple[Side, Side]

LOOPS = ((Side.N, Side.E), (Side.E, Side.S), (Side.S, Side.W), (Side.W, Side.N))
"""The corners a Y loop can turn around: from the first side of the patch to the second.

The loop carries the first side's letter around the corner tile and changes it at the mixed edge
between the corner tile and the last one (surface-code Y letters; a quarter turn with X and Z
exchanged maps one corner to the next).
"""

NE, ES, SW, WN = LOOPS

BORN = {Letter.Z: (NE, WN), Letter.X: (SW, WN)}
"""By letter: the corners for a patch that is prepared in it in the slab of its loop."""

ENDED = {Letter.X: (NE, ES), Letter.Z: (ES, SW)}
"""By letter: the corners for a patch that is measured out in it at the end of that slab.

Both tables were found with Stim at d = 5 and 7 (tests/benchmarks/distances.py).
"""

START_OF = {NE: Letter.Z, SW: Letter.X}
"""The corners for a patch that lives for that slab alone, with the letter it is prepared in; it is
measured out in the other one."""


def neighbour(tile: Tile, side: Side) -> Tile:
    """The tile next to a tile."""
    dx, dy = STEP[side]
    return tile[0] + dx, tile[1] + dy


def letter_at(side: Side) -> Letter:
    """The letter measured through this side of a plain patch."""
    return Letter.Z if side in VERTICAL else Letter.X


def sides_of(letter: Letter) -> tuple[Side, ...]:
    """The sides of a plain patch through which this letter (X or Z) is measured."""
    return VERTICAL if letter == Letter.Z else HORIZONTAL


def other(letter: Letter) -> Letter:
    """X for Z and Z for X."""
    return Letter(letter ^ Letter.Y)


class Node(NamedTuple):
    """A state of a search.  `stage` tells patches (odd) from routes (even) along the way."""

    tile: Tile
    letter: Letter
    stage: int


START, FIRST, HELPER, SECOND, GOAL = -1, 0, 1, 2, 3


class Step(NamedTuple):
    """A way on: across `side` of the tile it leaves."""

    node: Node
    side: Side
    mixed: bool


@dataclass(slots=True)
class Region:
    """A region that grows path by path into a `Join`."""

    terms: dict[Tile, Letter] = field(default_factory=dict)
    route: dict[Tile, Letter] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    loops: list[set[Tile]] = field(default_factory=list)
    """The route tiles of each Y loop."""

    def add_path(self, path: Sequence[tuple[Node, Step]]) -> None:
        """Add the tiles and edges of a path; its patches must be terms already."""
        for before, step in path:
            for node in (before, step.node):
                if node.stage % 2 == 0:
                    self.route[node.tile] = node.letter
            self.edges.append(edge(before.tile, step.side, step.mixed))

    def joined(self, path: Sequence[tuple[Node, Step]], end: Region) -> Region | None:
        """This region, a path that leaves it, and what the path comes to: a patch or a loop.

        A loop may lie on route tiles of this region that carry the same letters.  None if the
        whole is not sound.
        """
        loops = [*self.loops, *end.loops]
        whole = Region(self.terms | end.terms, dict(self.route), list(self.edges), loops)
        whole.add_path(path)
        whole.edges += [edge for edge in end.edges if edge not in whole.edges]
        if any(whole.route.get(tile, letter) != letter for tile, letter in end.route.items()):
            return None
        whole.route |= end.route
        return whole if whole.is_sound() else None

    def walls(self) -> dict[Tile, list[Side]]:
        """The sides at which tiles have a mixed edge."""
        walls: dict[Tile, list[Side]] = {}
        for tile, side, mixed in self.edges:
            if mixed:
                walls.setdefault(tile, []).append(side)
                walls.setdefault(neighbour(tile, side), []).append(OPPOSITE[side])
        return walls

    def is_sound(self) -> bool:
        """Whether this is a tree but for the loops, and no mixed edges and no loops clash."""
        tiles = self.terms.keys() | self.route.keys()
        is_tree = len(self.edges) - len(self.loops) == len(tiles) - 1
        return (
            is_tree
            and len(tiles) == len(self.terms) + len(self.route)
            and all(len(one & two) < 2 for one, two in combinations(self.loops, 2))
            and not any(
                clash(self.route[tile], one, two)
                for tile, sides in self.walls().items()
                if tile in self.route
                for one, two in combinations(sides, 2)
            )
        )

    def cost(self) -> int:
        """What this costs, in the terms of a search."""
        mixed = sum(edge.mixed for edge in self.edges)
        return STEP_COST * len(self.route) + MIXED_COST * mixed

    def join(self) -> Join:
        """The finished region."""
        return Join(
            tuple(Term(tile, letter) for tile, letter in self.terms.items()),
            tuple(RouteTile(tile, frame) for tile, frame in self.route.items()),
            tuple(self.edges),
        )


def edge(tile: Tile, side: Side, mixed: bool) -> Edge:
    """The edge across a side of a tile, in the form that names its north or west tile."""
    if side in (Side.N, Side.W):
        return Edge(neighbour(tile, side), Side.S if side == Side.N else Side.E, mixed)
    return Edge(tile, side, mixed)


def clash(frame: Letter, one: Side, two: Side) -> bool:
    """Whether mixed edges on these sides of a route tile need the same corner plaquette.

    They do at the corners whose plaquette has the tile's own type.
    """
    corners = ({0, 1}, {2, 3}) if frame == Letter.Z else ({3, 0}, {1, 2})
    return {one, two} in corners


def y_loop(patch: Tile, first: Side, last: Side) -> Region:
    """The three route tiles and four edges that measure Y of a patch around one corner."""
    one = neighbour(patch, first)
    corner = neighbour(one, last)
    three = neighbour(patch, last)
    letter = letter_at(first)
    return Region(
        {patch: Letter.Y},
        {one: letter, corner: letter, three: other(letter)},
        [
            edge(patch, first, False),
            edge(one, last, False),
            edge(three, first, True),
            edge(patch, last, False),
        ],
        [{one, corner, three}],
    )
