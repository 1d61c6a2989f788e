"""Nodes and acts of a pebble game in one order, for plans that go along it and back.

On the way there nodes are computed and acts done, on the way back nodes are undone or repaired for
good, and the acts that spoil data are done.  Not all games have such plans.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.passes.pebbling.game import Game
from qwasmc.passes.pebbling.order import Cycle, arrange, precedence

LONGEST = 2500
"""Most nodes and acts on a line."""

NODE, EARLY, LATE = 0, 1, 2
"""Kinds: nodes; acts on the way there; acts on the way back."""


class Line(NamedTuple):
    """Nodes and acts of a game in one order, at positions from 1."""

    nodes: NDArray[np.int32]
    """By position, the node, or -1; the first entry stands for the start."""
    kind: NDArray[np.int32]
    cost: NDArray[np.int32]
    extra: NDArray[np.int32]
    start: NDArray[np.int32]
    """By position, where its inputs start in `inputs`; one entry more."""
    inputs: NDArray[np.int32]
    """Positions that each is computed from or needs."""


def line(game: Game) -> Line | None:
    """The line of a game that has a plan; None if there is none, or it is too long."""
    n = len(game.nodes)
    late = _late(game)
    if any(late[:n]):
        return None
    weights = _weights(game)

    def heaviest_first(nodes: tuple[int, ...]) -> list[int]:
        return sorted(dict.fromkeys(nodes), key=lambda v: (-weights[v], v))

    before = [
        [n + act for act in dict.fromkeys(node.made_by + node.spoilt_by)]
        + heaviest_first(node.inputs)
        for node in game.nodes
    ]
    before += [heaviest_first(act.needs) for act in game.acts]
    for index, act in enumerate(game.acts):
        for other in dict.fromkeys(act.after):
            if not late[2 * n + index]:
                before[n + index].append(n + other)
            elif late[2 * n + other]:
                before[n + other].append(n + index)
    eager = [False] * n + [True] * len(game.acts)
    try:
        order = _items(game, arrange(before, range(n, len(before)), eager))
    except Cycle:
        return None
    return _columns(game, order, late) if len(order) <= LONGEST else None


def _weights(game: Game) -> list[float]:
    """By node, T to compute it from nothing if no node is shared."""
    found: list[float] = []
    for node in game.nodes:
        found.append(float(node.cost) + sum(found[v] for v in node.inputs))
    return found


def _late(game: Game) -> list[bool]:
    """By event, whether it comes after the last UNDO or REPAIR of some node."""
    n, before = len(game.nodes), precedence(game)
    late = [False] * len(before)
    for event in arrange(before, range(len(before)), [False] * len(before)):
        late[event] = n <= event < 2 * n or any(late[other] for other in before[event])
    return late


def _items(game: Game, order: list[int]) -> list[int]:
    """Without the acts that need only inputs of the next node: they are done on the way to it."""
    n = len(game.nodes)
    found: list[int] = []
    inputs: set[int] = set()
    for item in reversed(order):
        if item < n:
            inputs = set(game.nodes[item].inputs)
        if item < n or not inputs.issuperset(game.acts[item - n].needs):
            found.append(item)
    return found[::-1]


def _columns(game: Game, order: list[int], late: list[bool]) -> Line:
    n = len(game.nodes)
    paid = not game.ghosts  # With ghosts, each is undone once whatever the plan.
    place = {item: position for position, item in enumerate(order, 1)}
    nodes, kind, cost, extra, start, inputs = [-1], [LATE], [0], [0], [0, 0], []
    for item in order:
        is_node = item < n
        nodes.append(item if is_node else -1)
        kind.append(NODE if is_node else LATE if late[n + item] else EARLY)
        cost.append(game.nodes[item].cost + paid * game.nodes[item].undo if is_node else 0)
        extra.append(game.nodes[item].extra if is_node else 0)
        uses = game.nodes[item].inputs if is_node else game.acts[item - n].needs
        inputs += [place[v] for v in dict.fromkeys(uses)]
        start.append(len(inputs))
    columns = (nodes, kind, cost, extra, start, inputs)
    return Line(*(np.array(each, np.int32) for each in columns))
