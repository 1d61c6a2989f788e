"""What must come before what in a pebble game, and orders that compute each node once.

From its first COMPUTE to its last UNDO or REPAIR a node has a lifetime.  Lifetimes of inputs
contain those of what is computed from them, and acts come before, within or after lifetimes.  Any
plan remains one if each node stays present for all of its lifetime, so there is a plan at all if
and only if these relations have no cycle.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from qwasmc.passes.pebbling.game import Game, Impossible, Move, Step


class Cycle(Exception):
    """Items each of which must come before the next, and the last before the first."""

    def __init__(self, items: list[int]) -> None:
        super().__init__(str(items))
        self.items = items


def arrange(
    before: Sequence[Sequence[int]], goals: Iterable[int], eager: Sequence[bool]
) -> list[int]:
    """The goals and all they depend on, depth first; linear time.

    Args:
        before: by item, the items that must come before it, each once.
        goals: the items to reach, in this order.
        eager: by item, whether it comes as soon as it can, before the goal that asks for it.

    Raises:
        Cycle: they depend on each other.
    """
    missing = [len(each) for each in before]
    after: list[list[int]] = [[] for _ in before]
    for item, earlier in enumerate(before):
        for other in earlier:
            after[other].append(item)
    order: list[int] = []
    placed = [False] * len(before)
    for goal in goals:
        path = [] if placed[goal] else [goal]
        on_path = set(path)
        left = {goal: list(reversed(before[goal]))}
        while path:
            item = path[-1]
            while left[item] and placed[left[item][-1]]:
                left[item].pop()
            if not placed[item] and left[item]:
                other = left[item].pop()
                if other in on_path:
                    raise Cycle(path[path.index(other) :][::-1])
                path.append(other)
                on_path.add(other)
                left[other] = list(reversed(before[other]))
                continue
            path.pop()
            on_path.remove(item)
            ready = [] if placed[item] else [item]
            while ready:
                now = ready.pop()
                placed[now] = True
                order.append(now)
                for later in after[now]:
                    missing[later] -= 1
                    if not missing[later] and eager[later]:
                        ready.append(later)
    return order


def needed(game: Game) -> list[bool]:
    """By node, whether an act needs it or something computed from it."""
    found = [False] * len(game.nodes)
    for act in game.acts:
        for index in act.needs:
            found[index] = True
    for index in range(len(found) - 1, -1, -1):
        if found[index]:
            for other in game.nodes[index].inputs:
                found[other] = True
    return found


def widths(game: Game) -> list[int]:
    """By node, the ancillas that computing it takes with ghosts and no recomputing.

    That is the number of Sethi and Ullman (J. ACM 17, 715 (1970)): the least if no node is an input
    of two others.
    """
    found: list[int] = []
    for node in game.nodes:
        inputs = sorted((found[each] for each in node.inputs), reverse=True)
        own = len(inputs) + 1 + node.extra
        found.append(max([own, *(width + held for held, width in enumerate(inputs))]))
    return found


def widest_first(nodes: Iterable[int], width: Sequence[int]) -> list[int]:
    """Nodes in the order in which computing all of them takes the fewest ancillas."""
    return sorted(nodes, key=lambda each: (-width[each], each))


def precedence(game: Game) -> list[list[int]]:
    """By event, the events before it; what the needs of an act do not ask for has none.

    With n nodes, event v is the first COMPUTE of node v, n + v its last UNDO or REPAIR, and 2n + a
    act a.
    """
    n = len(game.nodes)
    used, width = needed(game), widths(game)
    before: list[list[int]] = [[] for _ in range(2 * n + len(game.acts))]
    for index, act in enumerate(game.acts):
        before[2 * n + index] += [2 * n + other for other in dict.fromkeys(act.after)]
    for v, node in enumerate(game.nodes):
        if not used[v]:
            continue
        before[v] += [2 * n + other for other in dict.fromkeys(node.made_by)]
        before[v] += widest_first(dict.fromkeys(node.inputs), width)
        before[n + v].append(v)
        for other in dict.fromkeys(node.inputs):
            before[n + other].append(n + v)
        for act_index in dict.fromkeys(node.spoilt_by):
            before[2 * n + act_index].append(n + v)
    for index, act in enumerate(game.acts):
        needs = widest_first(dict.fromkeys(act.needs), width)
        before[2 * n + index] += needs
        for v in needs:
            before[n + v].append(2 * n + index)
    return before


def once(game: Game, acts: Sequence[int] | None = None) -> list[Step]:
    """Steps that compute each node at most once, and undo it early.

    Args:
        game: the game.
        acts: the acts in an order to follow where possible, by default their own.

    Raises:
        Impossible: no order works.
    """
    n, before = len(game.nodes), precedence(game)
    eager = [False] * n + [True] * (len(before) - n)
    goals = [2 * n + act for act in (range(len(game.acts)) if acts is None else acts)]
    undone = [n + v for v, is_used in enumerate(needed(game)) if is_used]
    try:
        order = arrange(before, [*goals, *undone], eager)
    except Cycle as cycle:
        raise Impossible(None, tuple(_step(event, n) for event in cycle.items)) from None
    return [_step(event, n) for event in order]


def _step(event: int, n: int) -> Step:
    if event >= 2 * n:
        return Step(Move.ACT, event - 2 * n)
    return Step(Move.UNDO, event - n) if event >= n else Step(Move.COMPUTE, event)
