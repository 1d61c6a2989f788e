"""The rules of pebble games once more: a referee, and the optimum of small games.

A position is three numbers: bits of the nodes that are present, of those that have a ghost, and of
the acts that are done.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from dataclasses import replace

from hypothesis import strategies as st

from qwasmc.passes.pebbling.game import Act, Game, Move, Node, Step

Position = tuple[int, int, int]


def bits(indices) -> int:
    return sum(1 << index for index in set(indices))


class Rules:
    def __init__(self, game: Game):
        self.game = game
        self.inputs = [bits(node.inputs) for node in game.nodes]
        self.made = [bits(node.made_by) for node in game.nodes]
        self.spoilt = [bits(node.spoilt_by) for node in game.nodes]
        self.needs = [bits(act.needs) for act in game.acts]
        self.after = [bits(act.after) for act in game.acts]
        self.goal = (0, 0, (1 << len(game.acts)) - 1)

    def moves(self, position: Position) -> Iterator[tuple[Step, int, int, Position]]:
        """Each step allowed, its T gates, the ancillas it takes at once, the position after it."""
        here, ghosts, done = position
        for index, (needs, after) in enumerate(zip(self.needs, self.after, strict=True)):
            bit = 1 << index
            if not done & bit and needs & ~here == 0 and after & ~done == 0:
                yield Step(Move.ACT, index), 0, here.bit_count(), (here, ghosts, done | bit)
        for v, node in enumerate(self.game.nodes):
            bit = 1 << v
            if self.game.ghosts and here & bit:
                room = here.bit_count()
                yield Step(Move.GHOST, v), 0, room, (here & ~bit, ghosts | bit, done)
            if self.inputs[v] & ~here or self.made[v] & ~done or self.spoilt[v] & done:
                continue
            if here & bit:
                after_undo = (here & ~bit, ghosts & ~bit, done)
                yield Step(Move.UNDO, v), node.undo, here.bit_count(), after_undo
            else:
                room = here.bit_count() + 1 + node.extra
                yield Step(Move.COMPUTE, v), node.cost, room, (here | bit, ghosts, done)
            if ghosts & bit:
                room = here.bit_count()
                yield Step(Move.REPAIR, v), node.undo, room, (here, ghosts & ~bit, done)


def referee(game: Game, steps) -> tuple[int, int]:
    """T gates and room of steps that win the game; fails if they do not."""
    rules = Rules(game)
    position, cost, room = (0, 0, 0), 0, 0
    for step in steps:
        allowed = {move: rest for move, *rest in rules.moves(position)}
        assert step in allowed, (step, position)
        t, ancillas, position = allowed[step]
        cost, room = cost + t, max(room, ancillas)
    assert position == rules.goal
    return cost, room


def optimum(game: Game, room: int) -> int | None:
    """The least T gates within a room, by Dijkstra's algorithm; None if there is no way."""
    rules = Rules(game)
    best = {(0, 0, 0): 0}
    queue = [(0, (0, 0, 0))]
    while queue:
        cost, position = heapq.heappop(queue)
        if position == rules.goal:
            return cost
        if cost > best[position]:
            continue
        for _, t, ancillas, after in rules.moves(position):
            if ancillas <= room and cost + t < best.get(after, cost + t + 1):
                best[after] = cost + t
                heapq.heappush(queue, (cost + t, after))
    return None


def most_room(game: Game) -> int:
    """Room with which nothing is out of reach."""
    return len(game.nodes) + max((node.extra for node in game.nodes), default=0)


def least_room(game: Game) -> int | None:
    """The least room with a plan; None if no order works."""
    rooms = range(most_room(game) + 1)
    return next((room for room in rooms if optimum(game, room) is not None), None)


def chain(n: int, ghosts: bool, extra: int = 0) -> Game:
    """Nodes of 4 T, each computed from the one before, and an act that needs the last."""
    undo = 0 if ghosts else 4
    nodes = tuple(Node((v - 1,) if v else (), 4, undo, extra) for v in range(n))
    return Game(nodes, (Act((n - 1,)),), ghosts)


def carries(n: int, ghosts: bool = True) -> Game:
    """A ripple-carry adder in place: act v needs carry v and spoils the data of carry v + 1."""
    undo = 0 if ghosts else 4
    nodes = tuple(Node((v - 1,) if v else (), 4, undo, 0, (), (v,)) for v in range(n))
    return Game(nodes, tuple(Act((v - 1,) if v else ()) for v in range(n + 1)), ghosts)


@st.composite
def games(draw, nodes: int = 5, acts: int = 3, most_inputs: int = 2) -> Game:
    """Random games with costs, extra ancillas, and relations to acts (cycles among them)."""
    ghosts = draw(st.booleans())
    count = draw(st.integers(1, acts))
    some_acts = st.lists(st.integers(0, count - 1), max_size=1, unique=True).map(tuple)
    found = []
    for v in range(draw(st.integers(1, nodes))):
        inputs = draw(st.sets(st.integers(0, v - 1), max_size=most_inputs)) if v else set()
        cost = draw(st.sampled_from([4, 4, 4, 8, 11, 0]))
        related = draw(st.integers(0, 3)) == 0
        found.append(
            Node(
                tuple(sorted(inputs)),
                cost,
                0 if ghosts else cost,
                draw(st.sampled_from([0, 0, 0, 1])),
                draw(some_acts) if related else (),
                draw(some_acts) if related else (),
            )
        )
    return Game(tuple(found), tuple(_acts(draw, len(found), count)), ghosts)


def _acts(draw, nodes: int, count: int) -> Iterator[Act]:
    for index in range(count):
        needs = draw(st.sets(st.integers(0, nodes - 1), max_size=2))
        earlier = draw(st.sets(st.integers(0, index - 1), max_size=1)) if index else set()
        yield Act(tuple(sorted(needs)), tuple(sorted(earlier)))


def random_tree(rng: random.Random, n: int, ghosts: bool, kind: str = "tree") -> Game:
    """A tree, or a chain, of nodes with any costs and some extra ancillas."""
    nodes: list[Node] = []
    parents = [v + 1 if kind == "chain" else rng.randint(v + 1, n - 1) for v in range(n - 1)]
    for v in range(n):
        cost = rng.choice([4, 4, 8, 0, 11])
        inputs = tuple(u for u in range(v) if parents[u] == v)
        nodes.append(Node(inputs, cost, 0 if ghosts else cost, ghosts and rng.random() < 0.2))
    return Game(tuple(nodes), (Act((rng.randrange(n),)), Act((n - 1,))), ghosts)


def random_dag(rng: random.Random, n: int, ghosts: bool) -> Game:
    """Nodes with up to two inputs nearby, and acts: one for each node that is no input."""
    nodes: list[Node] = []
    unused: list[int] = []
    for v in range(n):
        inputs = set(unused[: rng.choice([0, 1, 1, 2])]) | set(
            range(max(0, v - rng.randint(0, 1)), v)
        )
        inputs = set(rng.sample(sorted(inputs), min(2, len(inputs))))
        unused = [u for u in unused if u not in inputs] + [v]
        nodes.append(Node(tuple(sorted(inputs)), 4, 0 if ghosts else 4))
    acts = tuple(Act((v,)) for v in [rng.randrange(n), *unused])
    return Game(tuple(nodes), acts, ghosts)


def random_products(rng: random.Random, n: int, ghosts: bool) -> Game:
    """Products of two of a few values or earlier products; the last ones in a chain."""
    nodes = [Node((), 4, 0 if ghosts else 4) for _ in range(3)]
    while len(nodes) < n:
        inputs = {rng.randrange(3), rng.randrange(len(nodes)), len(nodes) - 1}
        inputs = rng.sample(sorted(inputs), min(2, len(inputs)))
        nodes.append(Node(tuple(sorted(inputs)), 4, 0 if ghosts else 4))
    used = {v for node in nodes for v in node.inputs}
    acts = tuple(Act((v,)) for v in range(n) if v not in used)
    return Game(tuple(nodes), acts, ghosts)


def with_relations(rng: random.Random, game: Game, order) -> Game:
    """A game with more acts, some in order, and data that they make and spoil.

    `order` has the steps of a plan for the game that computes each node once: it fits still.
    """
    times = {step: time for time, step in enumerate(order)}
    acts = list(game.acts)
    when = [times[Move.ACT, index] for index in range(len(acts))]
    for _ in range(len(game.nodes) // 2):
        when.append(rng.randrange(len(order)))
        here = {v for v in range(len(game.nodes)) if present(times, v, when[-1])}
        acts.append(Act(tuple(rng.sample(sorted(here), min(len(here), rng.randint(0, 2))))))
    for index, act in enumerate(acts):
        earlier = [other for other in range(len(acts)) if when[other] < when[index]]
        after = rng.sample(earlier, min(len(earlier), rng.randint(0, 1)))
        acts[index] = Act(act.needs, tuple(after))
    nodes = []
    for v, node in enumerate(game.nodes):
        made = [a for a in range(len(acts)) if when[a] < times[Move.COMPUTE, v]]
        spoilt = [a for a in range(len(acts)) if when[a] > times[Move.UNDO, v]]
        made = rng.sample(made, min(len(made), rng.randint(0, 1)))
        spoilt = rng.sample(spoilt, min(len(spoilt), rng.randint(0, 1)))
        nodes.append(replace(node, made_by=tuple(made), spoilt_by=tuple(spoilt)))
    return Game(tuple(nodes), tuple(acts), game.ghosts)


def present(times, v: int, time: int) -> bool:
    return times[Move.COMPUTE, v] < time < times[Move.UNDO, v]
