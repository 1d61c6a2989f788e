"""Plans with ghosts in any room that is enough: one order, and what it needs is brought again.

The first COMPUTEs, acts and last repairs of a plan that computes each node once are done in their
order.  Before each of them the nodes that it takes are brought, if need be by bringing their inputs
first, the widest first (Sethi and Ullman).  Where there is no room, of the nodes that are not in
use that one goes whose next use in the order is farthest (Belady, IBM Syst. J. 5, 78 (1966)).
"""

from __future__ import annotations

from collections.abc import Sequence

from qwasmc.passes.pebbling.game import Game, Move, Step
from qwasmc.passes.pebbling.order import widest_first, widths

MOVES = 500_000
"""Most times that nodes come and go; with little room there may be more of them by far."""


def sweep(game: Game, order: Sequence[Step], room: int) -> list[tuple[int, bool]] | None:
    """Nodes in the order in which they come and go; None if the room or `MOVES` is not enough.

    Args:
        game: with ghosts.
        order: steps that win the game with more room and compute each node once.
        room: the ancillas.
    """
    return _Sweep(game, order, room).run()


class _Sweep:
    def __init__(self, game: Game, order: Sequence[Step], room: int) -> None:
        n = len(game.nodes)
        self.game = game
        self.order = order
        self.room = room
        width = widths(game)
        self.inputs = [widest_first(dict.fromkeys(node.inputs), width) for node in game.nodes]
        self.here: dict[int, None] = {}
        self.locks = [0] * n
        self.found: list[tuple[int, bool]] = []
        self.uses: list[list[int]] = [[] for _ in range(n)]
        """By node, the steps that take it and are not done, the next one last."""
        acts = [widest_first(dict.fromkeys(act.needs), width) for act in game.acts]
        self.takes = [(acts if move == Move.ACT else self.inputs)[index] for move, index in order]
        for time in range(len(order) - 1, -1, -1):
            for v in self.takes[time]:
                self.uses[v].append(time)

    def run(self) -> list[tuple[int, bool]] | None:
        for time, (move, index) in enumerate(self.order):
            computes = move == Move.COMPUTE
            if not self.bring([index] if computes else self.takes[time]):
                return None
            for v in self.takes[time]:
                self.uses[v].pop()
            if move == Move.UNDO and index in self.here:
                self.leave(index)
        return self.found

    def bring(self, goals: Sequence[int]) -> bool:
        """Have nodes present at once; whether there is room for it."""
        path: list[tuple[int, Sequence[int], int]] = [(-1, goals, 0)]
        while path:
            v, needs, count = path.pop()
            if count < len(needs) and needs[count] in self.here:
                self.locks[needs[count]] += 1
                path.append((v, needs, count + 1))
            elif count < len(needs):
                path.append((v, needs, count))
                path.append((needs[count], self.inputs[needs[count]], 0))
            else:
                if v >= 0 and not self.compute(v):
                    return False
                for other in needs:
                    self.locks[other] -= 1
        return True

    def compute(self, v: int) -> bool:
        """Compute a node whose inputs are locked; whether there is room for it."""
        while len(self.here) + 1 + self.game.nodes[v].extra > self.room:
            idle = [other for other in self.here if not self.locks[other]]
            if not idle or len(self.found) > MOVES:
                return False
            self.leave(max(idle, key=self.next_use))
        self.here[v] = None
        self.found.append((v, True))
        return True

    def next_use(self, v: int) -> tuple[int, int]:
        return (self.uses[v][-1] if self.uses[v] else len(self.order)), v

    def leave(self, v: int) -> None:
        del self.here[v]
        self.found.append((v, False))
