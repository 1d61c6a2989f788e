"""Parts of a pebble game that are played one after the other, each with all of the room.

Nodes that share a descendant or an act are in one part, and so are nodes and acts that must come
before and after each other.  The least T of the game is the sum of that of its parts, and the least
room is the largest.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from qwasmc.passes.pebbling.game import Act, Game, Move, Node, Step
from qwasmc.passes.pebbling.order import arrange, needed


class Part(NamedTuple):
    """A game by itself."""

    game: Game
    nodes: list[int]
    """By node, the one it is in the whole game."""
    acts: list[int]

    def outside(self, steps: list[Step]) -> list[Step]:
        """Steps of the part as steps of the whole game."""
        names = self.nodes, self.acts
        return [Step(move, names[move == Move.ACT][index]) for move, index in steps]


def parts(game: Game) -> list[Part]:
    """The parts of a game that has a plan, in an order in which they can be played."""
    n = len(game.nodes)
    piece = _pieces(game)
    before: list[dict[int, None]] = [{} for _ in range(n + len(game.acts))]
    for v, node in enumerate(game.nodes):
        for act in node.made_by:
            before[piece[v]][piece[n + act]] = None
        for act in node.spoilt_by:
            before[piece[n + act]][piece[v]] = None
    for index, each in enumerate(game.acts):
        for other in each.after:
            before[piece[n + index]][piece[n + other]] = None
    knot = _knots([list(each) for each in before])
    whole: dict[int, Part] = {}
    where = [0] * n
    used = needed(game)
    for item in range(n + len(game.acts)):
        part = whole.setdefault(knot[piece[item]], Part(game, [], []))
        if item >= n:
            part.acts.append(item - n)
        elif used[item]:
            where[item] = len(part.nodes)
            part.nodes.append(item)
    entry = {part: number for number, part in enumerate(whole)}
    order: list[dict[int, None]] = [{} for _ in whole]
    for item, earlier in enumerate(before):
        if knot[item] in entry:
            others = {entry[knot[other]]: None for other in earlier if knot[other] != knot[item]}
            order[entry[knot[item]]] |= others
    found = list(whole.values())
    goals = sorted(range(len(found)), key=lambda each: min(found[each].acts, default=-1))
    placed = arrange([list(each) for each in order], goals, [False] * len(found))
    return [_cut(game, found[each], where) for each in placed if found[each].acts]


def _pieces(game: Game) -> list[int]:
    """By node and then by act, one item for all of those that nodes connect."""
    n = len(game.nodes)
    leader = list(range(n + len(game.acts)))

    def find(item: int) -> int:
        while leader[item] != item:
            leader[item] = leader[leader[item]]
            item = leader[item]
        return item

    used = needed(game)
    for v, node in enumerate(game.nodes):
        if used[v]:
            for other in node.inputs:
                leader[find(v)] = find(other)
    for index, act in enumerate(game.acts):
        for v in act.needs:
            leader[find(n + index)] = find(v)
    return [find(item) for item in range(len(leader))]


def _knots(before: list[list[int]]) -> list[int]:
    """By item, one item of all that come both before and after it.

    The strongly connected components (Tarjan, SIAM J. Comput. 1, 146 (1972)).
    """
    number: dict[int, int] = {}
    low = list(range(len(before)))
    knot = [-1] * len(before)
    stack: list[int] = []
    for goal in range(len(before)):
        path = [] if goal in number else [(goal, iter(before[goal]))]
        while path:
            item, rest = path[-1]
            if item not in number:
                number[item] = low[item] = len(number)
                stack.append(item)
            for other in rest:
                if other not in number:
                    path.append((other, iter(before[other])))
                    break
                if knot[other] < 0:
                    low[item] = min(low[item], number[other])
            else:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[item])
                while low[item] == number[item] and knot[item] < 0:
                    knot[stack.pop()] = item
    return knot


def _cut(game: Game, part: Part, where: list[int]) -> Part:
    """A part with its game; `where` has the number of each node in its part."""
    place = {act: number for number, act in enumerate(part.acts)}

    def inner(acts: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(place[act] for act in acts if act in place)

    def node(each: Node) -> Node:
        inputs = tuple(where[v] for v in each.inputs)
        made, spoilt = inner(each.made_by), inner(each.spoilt_by)
        return replace(each, inputs=inputs, made_by=made, spoilt_by=spoilt)

    acts = [game.acts[index] for index in part.acts]
    inside = Game(
        tuple(node(game.nodes[v]) for v in part.nodes),
        tuple(Act(tuple(where[v] for v in each.needs), inner(each.after)) for each in acts),
        game.ghosts,
    )
    return part._replace(game=inside)
