"""Complete plans from when nodes are present: acts and repairs as early as they can be.

An act never stands in the way of what comes later, unless it spoils data, and then it waits until
the nodes computed from them are settled.  A repair is free to come as soon as the inputs are there
after the node is gone for good.  So earliest is best, and a plan is given by its COMPUTEs and by
when nodes go.
"""

from __future__ import annotations

from collections.abc import Sequence

from qwasmc.passes.pebbling.game import Game, Move, Step


def weave(game: Game, presence: Sequence[tuple[int, bool]]) -> list[Step] | None:
    """Steps in which nodes come (True) and go (False) in this order.

    None if acts or repairs are left over, or an act that makes data is too late.
    """
    return _Weaver(game, presence).run()


class _Weaver:
    def __init__(self, game: Game, presence: Sequence[tuple[int, bool]]) -> None:
        n = len(game.nodes)
        self.game = game
        self.presence = presence
        self.last = [-1] * n
        """By node, when it goes for the last time."""
        for time, (v, _) in enumerate(presence):
            self.last[v] = time
        self.steps: list[Step] = []
        self.present = [False] * n
        self.owed = [False] * n
        """By node, whether it is gone for good and its ghosts are left."""
        self.done = [False] * len(game.acts)
        self.waits = [len(act.after) for act in game.acts]
        """By act, how many acts and nodes that must be done before it are not."""
        self.next_acts: list[list[int]] = [[] for _ in game.acts]
        self.needed_by: list[list[int]] = [[] for _ in range(n)]
        self.inputs_of: list[list[int]] = [[] for _ in range(n)]
        for index, act in enumerate(game.acts):
            for other in act.after:
                self.next_acts[other].append(index)
            for v in act.needs:
                self.needed_by[v].append(index)
        for v, node in enumerate(game.nodes):
            for other in node.inputs:
                self.inputs_of[other].append(v)
            for index in node.spoilt_by:
                self.waits[index] += 1

    def run(self) -> list[Step] | None:
        for index in range(len(self.game.acts)):
            self.act(index)
        for time, (v, comes) in enumerate(self.presence):
            if comes:
                if not all(self.done[index] for index in self.game.nodes[v].made_by):
                    return None
                self.come(v)
            else:
                self.go(v, time == self.last[v])
        return self.steps if all(self.done) and not any(self.owed) else None

    def come(self, v: int) -> None:
        """Compute a node, and do what waited for it."""
        self.steps.append(Step(Move.COMPUTE, v))
        self.present[v] = True
        for other in self.inputs_of[v]:
            if self.owed[other] and self.has(self.game.nodes[other].inputs):
                self.steps.append(Step(Move.REPAIR, other))
                self.settle(other)
        for index in self.needed_by[v]:
            self.act(index)

    def go(self, v: int, for_good: bool) -> None:
        """Undo a node, for good if its inputs are there, or leave a ghost."""
        self.present[v] = False
        undo = not self.game.ghosts or (for_good and self.has(self.game.nodes[v].inputs))
        self.steps.append(Step(Move.UNDO if undo else Move.GHOST, v))
        if for_good and undo:
            self.settle(v)
        elif for_good:
            self.owed[v] = True

    def has(self, nodes: Sequence[int]) -> bool:
        return all(self.present[v] for v in nodes)

    def settle(self, v: int) -> None:
        """A node is gone for good and has no ghosts: acts may spoil its data."""
        self.owed[v] = False
        for index in self.game.nodes[v].spoilt_by:
            self.waits[index] -= 1
            self.act(index)

    def act(self, index: int) -> None:
        """Do an act if it can be, and those that waited for it."""
        waiting = [index]
        while waiting:
            now = waiting.pop()
            if self.done[now] or self.waits[now] or not self.has(self.game.acts[now].needs):
                continue
            self.done[now] = True
            self.steps.append(Step(Move.ACT, now))
            for later in self.next_acts[now]:
                self.waits[later] -= 1
                waiting.append(later)
