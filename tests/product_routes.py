"""Routes of ancilla tiles for one slab: cheapest paths over (tile, letter carried).

What a region may look like is written down in `regions`.  A route may change its letter at mixed
edges, at a price.  All searches are A* with ties broken by order of discovery (newest first), so
results are reproducible.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from product_regions import (
    BORN,
    FIRST,
    GOAL,
    HELPER,
    LOOPS,
    MIXED_COST,
    OPPOSITE,
    SIDES,
    START,
    STEP_COST,
    Corner,
    Node,
    Region,
    Step,
    clash,
    edge,
    letter_at,
    neighbour,
    other,
    sides_of,
    y_loop,
)

from qwasmc.ir.surgery import Join, Letter, Side, Term, Tile

NOTHING: Mapping[Tile, Letter] = {}

Free = Callable[[Tile], bool]


@dataclass(slots=True)
class Search:
    """A best-first search that remembers how each node was reached."""

    expand: Callable[[Node], Iterable[Step]]
    estimate: Callable[[Tile], int] = lambda tile: 0
    """A lower bound for what is left to pay at a tile (the search is A* then)."""
    walls: Mapping[Tile, Sequence[Side]] = field(default_factory=dict)
    """The sides at which tiles have a mixed edge already."""
    cost: dict[Node, int] = field(default_factory=dict)
    parent: dict[Node, tuple[Node, Step]] = field(default_factory=dict)

    def run(self, starts: Iterable[Node], done: Callable[[Node], bool]) -> Node | None:
        """The first settled node that is `done`."""
        heap: list[tuple[int, int, int, Node]] = []
        for node in starts:
            self.cost[node] = 0
            heapq.heappush(heap, (self.estimate(node.tile), len(heap), 0, node))
        order = len(heap)
        while heap:
            _, _, cost, node = heapq.heappop(heap)
            if cost > self.cost[node]:
                continue
            if done(node):
                return node
            came_from, walls = None, self.walls.get(node.tile, ())
            if node in self.parent:
                before, step = self.parent[node]
                came_from = before.tile
                walls = (OPPOSITE[step.side],) if step.mixed and node.stage != HELPER else ()
            for step in self.expand(node):
                if step.node.tile == came_from:
                    continue
                if step.mixed and any(clash(node.letter, step.side, wall) for wall in walls):
                    continue
                new = cost + STEP_COST + (MIXED_COST if step.mixed else 0)
                if new < self.cost.get(step.node, new + 1):
                    self.cost[step.node] = new
                    self.parent[step.node] = (node, step)
                    order += 1
                    bound = new + self.estimate(step.node.tile)
                    heapq.heappush(heap, (bound, -order, new, step.node))
        return None

    def path(self, node: Node) -> list[tuple[Node, Step]]:
        """(node left, step taken) from a start to `node`."""
        steps = []
        while node in self.parent:
            before, step = self.parent[node]
            steps.append((before, step))
            node = before
        return steps[::-1]


def distance_cost(tile: Tile, goal: Tile) -> int:
    """A lower bound for the cost of a path between two tiles."""
    return STEP_COST * (abs(tile[0] - goal[0]) + abs(tile[1] - goal[1]))


def route_steps(node: Node, free: Free, stage: int) -> Iterable[Step]:
    """Steps onto free route tiles, plain and mixed."""
    for side in exits(node):
        tile = neighbour(node.tile, side)
        if free(tile):
            yield Step(Node(tile, node.letter, stage), side, False)
            yield Step(Node(tile, other(node.letter), stage), side, True)


def exits(node: Node) -> tuple[Side, ...]:
    """The sides a route may leave by: all of a route tile's, those of the letter of a patch."""
    return sides_of(node.letter) if node.stage % 2 else SIDES


def patch_step(node: Node, side: Side, stage: int) -> Step:
    """The step onto a patch across this side, measuring the letter that the side allows."""
    letter = letter_at(side)
    return Step(Node(neighbour(node.tile, side), letter, stage), side, letter != node.letter)


def find_product(
    terms: Sequence[Term], free: Free, born: Mapping[Tile, Letter] = NOTHING
) -> Join | None:
    """A region that measures a product of X, Y and Z letters; see `regions`.

    `free` says which tiles a route may use, and is false for all patches.  `born` holds the
    letters of the patches that are prepared in this slab.  A region grows from its first X or Z
    patch, or from each corner of its first patch (then the cheapest is taken), by the shortest
    path to one patch after another; if that leads nowhere, from the other patches in turn.
    """
    for first in sorted(terms, key=lambda term: term.letter == Letter.Y):
        regions = []
        for start in beginnings(first, len(terms), born):
            region = grow(start, terms, free, born) if all(map(free, start.route)) else None
            if region is not None:
                regions.append(region)
        if regions:
            return min(regions, key=Region.cost).join()
    return None


def beginnings(first: Term, n_terms: int, born: Mapping[Tile, Letter]) -> Iterator[Region]:
    """What a region may grow from: a patch, a loop of its Y, or, alone, it and a tile beside."""
    tile, letter = first
    if letter == Letter.Y:
        for corner in corners(tile, born):
            yield y_loop(tile, *corner)
    elif n_terms > 1:
        yield Region({tile: letter})
    else:
        for side in sides_of(letter):
            beside = neighbour(tile, side)
            yield Region({tile: letter}, {beside: letter}, [edge(tile, side, False)])


def grow(
    region: Region, terms: Sequence[Term], free: Free, born: Mapping[Tile, Letter]
) -> Region | None:
    """The region with all terms, the nearest first; None if there is no way to one."""
    grown: Region | None = region
    while grown is not None and len(grown.terms) < len(terms):
        waiting = {tile: letter for tile, letter in terms if tile not in grown.terms}
        grown = with_nearest(grown, waiting, free, born)
    return grown


def corners(patch: Tile, born: Mapping[Tile, Letter]) -> Sequence[Corner]:
    """The corners around which a loop may measure Y of a patch; see `find_product`."""
    return BORN[born[patch]] if patch in born else LOOPS


def with_nearest(
    region: Region, waiting: Mapping[Tile, Letter], free: Free, born: Mapping[Tile, Letter]
) -> Region | None:
    """The region and the nearest of the patches that wait, if there is a way to one."""

    def unused(tile: Tile) -> bool:
        return free(tile) and tile not in region.route

    def expand(node: Node) -> Iterable[Step]:
        for side in exits(node):
            step = patch_step(node, side, GOAL)
            if waiting.get(step.node.tile) == step.node.letter:
                yield step
        yield from route_steps(node, unused, FIRST)

    def estimate(tile: Tile) -> int:
        # a loop may begin at its corner, two steps from the patch
        return min(
            max(distance_cost(tile, goal) - 2 * STEP_COST * (letter == Letter.Y), 0)
            for goal, letter in waiting.items()
        )

    def ends(node: Node) -> Iterator[Region]:
        if node.stage == GOAL:
            yield Region({node.tile: node.letter})
        elif node.stage == FIRST:
            for patch, corner in loops_through(node):
                if waiting.get(patch) == Letter.Y and corner in corners(patch, born):
                    end = y_loop(patch, *corner)
                    if all(free(tile) or tile in region.route for tile in end.route):
                        yield end

    found: list[Region] = []

    def done(node: Node) -> bool:
        for end in ends(node):
            longer = region.joined(search.path(node), end)
            # two patches merged directly have no place where more could be attached
            if longer is not None and (longer.route or len(waiting) == 1):
                found.append(longer)
                return True
        return False

    search = Search(expand, estimate, region.walls())
    # a patch attached twice would be measured with each neighbour instead of in the product
    starts = [Node(tile, letter, FIRST) for tile, letter in region.route.items()]
    search.run(starts or [Node(*term, START) for term in region.terms.items()], done)
    return found[0] if found else None


def loops_through(node: Node) -> Iterator[tuple[Tile, Corner]]:
    """The patches and corners of the Y loops that have this tile with this letter."""
    for first, last in LOOPS:
        corner = (first, last)
        if node.letter == letter_at(first):
            one = neighbour(node.tile, OPPOSITE[first])
            yield one, corner
            yield neighbour(one, OPPOSITE[last]), corner
        else:
            yield neighbour(node.tile, OPPOSITE[last]), corner
