"""Is this joint measurement well-formed by itself, wherever and whenever it happens?

Its region is a graph of merged tiles.  Without its Y terms that is a tree, of which the Z and X
terms are leaves.  A Y term has one edge for its Z part and one for its X part, and so closes
exactly one loop with the tree; that loop holds exactly one mixed edge.  At each edge both sides
carry the same letter, or different ones if it is mixed: a route tile carries its frame; a term
carries Z at its north and south sides and X at its east and west sides.  Two mixed edges at
adjacent sides of a route tile would need the same plaquette if the corner between them is of the
tile's own type: they may not meet at a north-east or south-west corner of a tile that carries Z,
nor at a north-west or south-east corner of one that carries X.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import NamedTuple

from qwasmc.ir.surgery import STEP, Join, Letter, Side, Tile

SHARED = {
    Letter.Z: ((Side.N, Side.E), (Side.S, Side.W)),
    Letter.X: ((Side.N, Side.W), (Side.S, Side.E)),
}
"""By the letter a tile carries: sides whose mixed edges need the same plaquette."""


def join_problems(join: Join) -> list[str]:
    """What is wrong with a joint measurement."""
    check = _JoinCheck(join)
    for stage in (check.parts, check.edges, check.attachments, check.shape, check.corners):
        found = list(stage())
        if found:
            return found
    return []


class _Step(NamedTuple):
    """An edge of a tree, from a tile to the one it was reached from."""

    parent: Tile
    depth: int
    mixed: int


class _JoinCheck:
    """The checks of a region, in stages: a later one relies on the earlier ones."""

    def __init__(self, join: Join) -> None:
        self.join = join
        self.letter = {term.tile: term.letter for term in join.terms}
        self.frame = {route.tile: route.frame for route in join.route}
        self.neighbours: dict[Tile, list[tuple[Tile, Side, bool]]] = {
            tile: [] for tile in join.tiles()
        }

    def parts(self) -> Iterator[str]:
        """Terms and route."""
        if not self.join.terms:
            yield "measures nothing"
        if len(self.neighbours) != len(self.join.terms) + len(self.join.route):
            yield "a tile appears twice"
        for tile, letter in self.letter.items():
            if letter == Letter.I:
                yield f"the term at {tile} has no letter"
        for tile, frame in self.frame.items():
            if frame not in (Letter.X, Letter.Z):
                yield f"the route at {tile} carries {frame.name}"

    def edges(self) -> Iterator[str]:
        """Edges connect tiles of the region, each pair at most once; makes `neighbours`."""
        seen = set()
        for (x, y), side, mixed in self.join.edges:
            dx, dy = STEP[side]
            near, far = (x, y), (x + dx, y + dy)
            if side not in (Side.E, Side.S):
                yield f"an edge at {near} goes {side.name}; edges go E or S"
            elif near not in self.neighbours or far not in self.neighbours:
                yield f"the edge {near}-{far} leaves the region"
            elif (near, far) in seen:
                yield f"the edge {near}-{far} appears twice"
            else:
                seen.add((near, far))
                self.neighbours[near].append((far, side, mixed))
                self.neighbours[far].append((near, Side((side + 2) % 4), mixed))
                yield from self.frames(near, far, side, mixed)

    def frames(self, near: Tile, far: Tile, side: Side, mixed: bool) -> Iterator[str]:
        """Both sides of an edge carry the same letter, or different ones if it is mixed."""
        a, b = self.carried(near, side), self.carried(far, side)
        if (a != b) != mixed:
            kind = "mixed" if mixed else "plain"
            yield f"{near} carries {a.name} and {far} carries {b.name}, but their edge is {kind}"

    def carried(self, tile: Tile, side: Side) -> Letter:
        """The letter on a tile's side of an edge (opposite sides agree)."""
        if tile in self.frame:
            return self.frame[tile]
        return Letter.Z if side in (Side.N, Side.S) else Letter.X

    def attachments(self) -> Iterator[str]:
        """A term has one edge for each part of its letter, at a side that fits."""
        for tile, letter in self.letter.items():
            sides = [side for _, side, _ in self.neighbours[tile]]
            parts = sorted(self.carried(tile, side) for side in sides)
            wanted = [part for part in (Letter.X, Letter.Z) if letter & part]
            if parts != wanted:
                shown = ", ".join(side.name for side in sides) or "no side"
                yield f"the {letter.name} term at {tile} is attached at {shown}"

    def shape(self) -> Iterator[str]:
        """A tree, but for one loop with one mixed edge per Y term."""
        twists = [tile for tile, letter in self.letter.items() if letter == Letter.Y]
        rest = self.neighbours.keys() - twists
        if not rest:
            yield "a Y term has no route"
            return
        root = next(tile for tile in self.neighbours if tile in rest)
        above = self.tree(root, rest)
        n_ends = sum(far in rest for tile in rest for far, *_ in self.neighbours[tile])
        if len(above) != len(rest):
            yield "the region is not connected, or only through a Y term"
        elif n_ends != 2 * len(rest) - 2:
            yield "the region has a loop that no Y term closes"
        else:
            for tile in twists:
                yield from self.loop(tile, above)

    def tree(self, root: Tile, rest: Set[Tile]) -> dict[Tile, _Step]:
        """How each tile of `rest` that the root reaches is reached, breadth first."""
        above = {root: _Step(root, 0, 0)}
        queue = [root]
        for tile in queue:
            step = above[tile]
            for far, _, mixed in self.neighbours[tile]:
                if far in rest and far not in above:
                    above[far] = _Step(tile, step.depth + 1, int(mixed))
                    queue.append(far)
        return above

    def loop(self, twist: Tile, above: dict[Tile, _Step]) -> Iterator[str]:
        """The loop that a Y term closes: its two edges, and the path between their far ends."""
        (a, _, mixed_a), (b, _, mixed_b) = self.neighbours[twist]
        if a not in above or b not in above:
            yield f"the Y term at {twist} is attached to another Y term"
            return
        count = mixed_a + mixed_b
        while a != b:
            if above[a].depth < above[b].depth:
                a, b = b, a
            count += above[a].mixed
            a = above[a].parent
        if count != 1:
            yield f"the loop of the Y term at {twist} has {count} mixed edges instead of one"

    def corners(self) -> Iterator[str]:
        """No two mixed edges of a route tile share a corner whose plaquette has the tile's type."""
        for tile, frame in self.frame.items():
            mixed = {side for _, side, is_mixed in self.neighbours[tile] if is_mixed}
            for one, two in SHARED[frame]:
                if {one, two} <= mixed:
                    yield (
                        f"{tile} has mixed edges on adjacent sides {one.name} and {two.name}, "
                        f"which a tile that carries {frame.name} cannot have"
                    )
