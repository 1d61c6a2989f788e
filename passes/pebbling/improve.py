"""Better plans from plans: nodes stay where there is room, and no node comes for nothing.

A stay is the time from a COMPUTE of a node to where it goes.  Two stays of a node become one if
there is room in between.  A stay becomes longer if there is room, so that what is computed from the
node can be undone at once.  A stay with which nothing is done goes.  Acts come no later than
before.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from qwasmc.passes.pebbling.game import Game, Move, Step
from qwasmc.passes.pebbling.weave import weave

ROUNDS = 10
WORK = 30_000_000
"""Most steps between stays that are looked at in a round; longer plans stay as they are."""


def improve(game: Game, steps: list[Step], room: int) -> list[Step]:
    """Steps within the same room that take at most as many T gates."""
    price = cost(game, steps)
    for _ in range(ROUNDS):
        better: list[Step] | None = steps
        for change in (_Stays.join, _Stays.prune):
            if better is not None:
                stays = _Stays(game, better)
                change(stays, room)
                better = weave(game, stays.presence())
        if better is None or cost(game, better) >= price:
            break
        steps, price = better, cost(game, better)
    return steps


def cost(game: Game, steps: Sequence[Step]) -> int:
    """T gates of steps."""
    free = (Move.GHOST, Move.ACT)
    return sum(
        game.nodes[index].cost if move == Move.COMPUTE else game.nodes[index].undo
        for move, index in steps
        if move not in free
    )


class _Stays:
    """When nodes are present; times count steps in which nodes come and go."""

    def __init__(self, game: Game, steps: Sequence[Step]) -> None:
        self.game = game
        self.come: list[list[int]] = [[] for _ in game.nodes]
        self.go: list[list[int]] = [[] for _ in game.nodes]
        self.acts: list[tuple[int, int]] = []
        """Times, each that of the last step before, and acts."""
        self.length = 0
        for move, index in steps:
            if move == Move.ACT:
                self.acts.append((self.length - 1, index))
            elif move != Move.REPAIR:
                (self.come if move == Move.COMPUTE else self.go)[index].append(self.length)
                self.length += 1

    def presence(self) -> list[tuple[int, bool]]:
        """Nodes in the order in which they come (True) and go (False)."""
        found = [(time, -v, True) for v, times in enumerate(self.come) for time in times]
        found += [(time, -v, False) for v, times in enumerate(self.go) for time in times]
        return [(-v, comes) for _, v, comes in sorted(found)]

    def prune(self, room: int) -> None:
        """Only stays that are used, the last of each node up to where it can be undone."""
        taken = self.taken()
        used: list[set[int]] = [set() for _ in self.game.nodes]
        """By node, the numbers of stays."""

        def use(nodes: Sequence[int], time: int) -> None:
            for v in nodes:
                used[v].add(bisect_right(self.come[v], time) - 1)

        for time, act in self.acts:
            use(self.game.acts[act].needs, time)
        for v in range(len(used) - 1, -1, -1):
            inputs = self.game.nodes[v].inputs
            mine = sorted(used[v])
            for stay in mine:
                use(inputs, self.come[v][stay])
                if not self.game.ghosts:
                    use(inputs, self.go[v][stay])
            if mine and self.game.ghosts:
                end = self.go[v][mine[-1]]
                for other in inputs:
                    self.lengthen(other, end, taken, room)
                use(inputs, self.meeting(inputs, end))
            self.come[v] = [self.come[v][stay] for stay in mine]
            self.go[v] = [self.go[v][stay] for stay in mine]

    def lengthen(self, v: int, end: int, taken: NDArray[np.int64], room: int) -> None:
        """Let the stay of a node before some time last until then, if there is room.

        Nodes that go at the same time do so in descending order.
        """
        stay = bisect_right(self.come[v], end) - 1
        start = self.go[v][stay]
        if start < end and taken[start:end].max() < room:
            taken[start:end] += 1
            self.go[v][stay] = end

    def meeting(self, nodes: Sequence[int], time: int) -> int:
        """The first time from one on when nodes are all present."""
        missing = True
        while missing:
            missing = False
            for v in nodes:
                stay = bisect_left(self.go[v], time)
                if self.come[v][stay] > time:
                    time, missing = self.come[v][stay], True
        return time

    def join(self, room: int) -> None:
        """Make one stay of two where there is room, short gaps first."""
        gaps = []
        for v in range(len(self.game.nodes)):
            for start, end in zip(self.go[v], self.come[v][1:], strict=False):
                gaps.append((end - start, v, start, end))
        if sum(gap[0] for gap in gaps) > WORK:
            return
        taken = self.taken()
        for _, v, start, end in sorted(gaps):
            if taken[start:end].max() < room:
                taken[start:end] += 1
                self.go[v].remove(start)
                self.come[v].remove(end)

    def taken(self) -> NDArray[np.int64]:
        """By time, the ancillas that are taken."""
        change = np.zeros(self.length, np.int64)
        extra = np.zeros(self.length, np.int64)
        for v, node in enumerate(self.game.nodes):
            change[self.come[v]] = 1
            change[self.go[v]] = -1
            extra[self.come[v]] = node.extra
        return np.cumsum(change) + extra
