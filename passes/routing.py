"""Routes of ancilla tiles for one slab: cheapest paths over (tile, letter carried).

A route that carries Z leaves a patch at its north or south side, one that carries X at its east
or west side.  It may change its letter at any mixed edge, at a price.  All searches are
A* with ties broken by order of discovery (newest first), so results are reproducible.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, field
from typing import NamedTuple

from qwasmc.ir.surgery import STEP, Edge, Join, Letter, RouteTile, Side, Term, Tile

STEP_COST = 2
MIXED_COST = 3
"""A mixed edge makes the rounds of its slab three layers longer: it costs more than a tile."""

SIDES = (Side.S, Side.E, Side.N, Side.W)
VERTICAL = (Side.S, Side.N)
HORIZONTAL = (Side.E, Side.W)

Free = Callable[[Tile], bool]


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
class Search:
    """A best-first search that remembers how each node was reached."""

    expand: Callable[[Node], Iterable[Step]]
    estimate: Callable[[Tile], int] = lambda tile: 0
    """A lower bound for what is left to pay at a tile (the search is A* then)."""
    walled: Set[Tile] = frozenset()
    """Tiles that have a mixed edge already: two of them could need the same corner plaquette."""
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
            came_from, walled = None, node.tile in self.walled
            if node in self.parent:
                before, step = self.parent[node]
                came_from, walled = before.tile, step.mixed and node.stage != HELPER
            for step in self.expand(node):
                if step.node.tile == came_from or (step.mixed and walled):
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


def has_exit(term: Term, free: Free) -> bool:
    """Whether some side of a patch that measures its letter has a free tile next to it.

    Without one a search would flood the whole chip before it failed.
    """
    return any(free(neighbour(term.tile, side)) for side in sides_of(term.letter))


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


@dataclass(slots=True)
class Region:
    """A region that grows path by path into a `Join`."""

    terms: dict[Tile, Letter] = field(default_factory=dict)
    route: dict[Tile, Letter] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)

    def add_path(self, path: Sequence[tuple[Node, Step]]) -> None:
        """Add the tiles and edges of a path; its patches must be terms already."""
        for before, step in path:
            for node in (before, step.node):
                if node.stage % 2 == 0:
                    self.route[node.tile] = node.letter
            self.edges.append(edge(before.tile, step.side, step.mixed))

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


def walled_tiles(region: Region) -> set[Tile]:
    """The tiles with a mixed edge."""
    walled = set()
    for tile, side, mixed in region.edges:
        if mixed:
            walled |= {tile, neighbour(tile, side)}
    return walled


def is_simple(region: Region) -> bool:
    """Whether no tile was used twice: a tree has one edge less than tiles."""
    tiles = {*region.terms, *region.route}
    return len(region.edges) == len(region.terms) + len(region.route) - 1 == len(tiles) - 1


def find_product(terms: Sequence[Term], free: Free) -> Join | None:
    """A tree of routes for a joint measurement of X and Z letters, grown patch by patch."""
    region = Region(dict([terms[0]]))
    waiting = dict(terms[1:])

    def unused(tile: Tile) -> bool:
        return free(tile) and tile not in region.route

    def expand(node: Node) -> Iterable[Step]:
        for side in exits(node):
            step = patch_step(node, side, GOAL)
            if waiting.get(step.node.tile) == step.node.letter:
                yield step
        yield from route_steps(node, unused, FIRST)

    while waiting:
        search = Search(
            expand,
            lambda tile: min(distance_cost(tile, goal) for goal in waiting),
            walled_tiles(region),
        )
        # a patch attached twice would be measured with each neighbour instead of in the product
        starts = [Node(tile, letter, FIRST) for tile, letter in region.route.items()]
        if len(region.terms) == 1:
            starts = [Node(*terms[0], START)]
        goal = search.run(starts, lambda node: node.stage == GOAL)
        if goal is None:
            return None
        region.terms[goal.tile] = waiting.pop(goal.tile)
        region.add_path(search.path(goal))
    return region.join() if is_simple(region) else None


def find_interaction(
    first: Term, second: Term, free_first: Free, free_second: Free
) -> tuple[Join, Join, Term] | None:
    """Two joins that share a helper patch: first with helper, then helper with second.

    The helper is the tile at which the path turns: entered through one letter's side and left
    through the other's.  The returned term is the helper with the letter of the *first* join.
    """

    def expand(node: Node) -> Iterable[Step]:
        if node.stage in (START, FIRST):
            for side in exits(node):
                step = patch_step(node, side, HELPER)
                if free_first(step.node.tile) and free_second(step.node.tile):
                    yield step
            yield from route_steps(node, free_first, FIRST)
            return
        if node.stage == HELPER:  # leave through the sides of the letter not used yet
            node = Node(node.tile, other(node.letter), HELPER)
        for side in exits(node):
            step = patch_step(node, side, GOAL)
            if (step.node.tile, step.node.letter) == second:
                yield step
        yield from route_steps(node, free_second, SECOND)

    if not (has_exit(first, free_first) and has_exit(second, free_second)):
        return None
    search = Search(expand, lambda tile: distance_cost(tile, second.tile))
    goal = search.run([Node(first.tile, first.letter, START)], lambda n: n.stage == GOAL)
    if goal is None:
        return None
    path = search.path(goal)
    turn = next(i for i, (before, _) in enumerate(path) if before.stage == HELPER)
    helper = Term(path[turn][0].tile, path[turn][0].letter)
    one = Region({first.tile: first.letter, helper.tile: helper.letter})
    one.add_path(path[:turn])
    two = Region({helper.tile: other(helper.letter), second.tile: second.letter})
    two.add_path(path[turn:])
    return (one.join(), two.join(), helper) if is_simple(one) and is_simple(two) else None


def find_port(first: Term, free_before: Free, free_now: Free) -> Join | None:
    """A join of a patch with the Z of the nearest tile that is free now and in the slab before."""

    def expand(node: Node) -> Iterable[Step]:
        for side in exits(node):
            tile = neighbour(node.tile, side)
            if side in VERTICAL and free_before(tile) and free_now(tile):
                yield patch_step(node, side, GOAL)
        yield from route_steps(node, free_now, FIRST)

    search = Search(expand)
    goal = search.run([Node(first.tile, first.letter, START)], lambda n: n.stage == GOAL)
    if goal is None:
        return None
    region = Region({first.tile: first.letter, goal.tile: goal.letter})
    region.add_path(search.path(goal))
    return region.join() if is_simple(region) else None


LOOPS = ((Side.N, Side.E), (Side.E, Side.S), (Side.S, Side.W), (Side.W, Side.N))
"""The corners a Y loop can turn around: from the first side of the patch to the second.

The loop carries the first side's letter around the corner tile and changes it at the mixed edge
between the corner tile and the last one (surface-code Y letters; a quarter turn with X and Z
exchanged maps one corner to the next).
"""

START_OF = {LOOPS[0]: Letter.Z, LOOPS[2]: Letter.X}
"""The letter in which a patch may be prepared in the slab of its Y loop, by the loop's corner.

It may then be measured in the other letter at the end of that slab.  With another corner or
letter, a fault of distance d - 1 joins the twist to the patch's boundary in time (found with
Stim at d = 5 and 7), unless what is measured along with Y is attached at the corner tile.
"""


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
    )


def find_y(patch: Tile, start: Letter, free: Free) -> Join | None:
    """The loop that measures Y of a patch where it stands; see `START_OF`."""
    loop = next(y_loop(patch, *loop) for loop, letter in START_OF.items() if letter == start)
    return loop.join() if all(free(tile) for tile in loop.route) else None


def find_product_with_y(first: Term, free: Free) -> tuple[Join, Letter] | None:
    """A join of a patch's letter with Y of a helper, and the letter to prepare the helper in.

    The helper is the nearest free tile that has room for its loop.
    """
    found: list[tuple[Join, Letter]] = []

    def done(node: Node) -> bool:
        if node.stage != FIRST:
            return False
        path = search.path(node)
        used = {step.node.tile for _, step in path[:-1]}
        for loop, start in loops_through(node):
            walled = path[-1][1].mixed and node.tile in walled_tiles(loop)
            tiles = [*loop.terms, *loop.route]
            if not walled and all(free(tile) and tile not in used for tile in tiles):
                loop.terms[first.tile] = first.letter
                loop.add_path(path)
                found.append((loop.join(), start))
                return True
        return False

    search = Search(lambda node: route_steps(node, free, FIRST))
    search.run([Node(first.tile, first.letter, START)], done)
    return found[0] if found else None


def loops_through(node: Node) -> Iterable[tuple[Region, Letter]]:
    """The Y loops that have this tile in their route with this letter, and their start letter."""
    for first, last in LOOPS:
        before, aside = (neighbour(node.tile, OPPOSITE[side]) for side in (first, last))
        if node.letter == letter_at(first):
            corner = neighbour(before, OPPOSITE[last])
            yield y_loop(corner, first, last), START_OF.get((first, last), Letter.Z)
        if (first, last) in START_OF:
            patch = before if node.letter == letter_at(first) else aside
            yield y_loop(patch, first, last), START_OF[first, last]


OPPOSITE = {Side.N: Side.S, Side.S: Side.N, Side.E: Side.W, Side.W: Side.E}
