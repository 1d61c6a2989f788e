"""The optimum of small games: A* over what is present, haunted and done.

That is a search by cost so far and a bound on the rest (Hart, Nilsson, Raphael, IEEE Trans. SSC 4,
100 (1968)).

Without loss, acts come as soon as they stand in nobody's way, repairs that are free as soon as they
can, only nodes that are still needed are computed, and a ghost is left only where there is no room
to compute.  What remains costs at least one COMPUTE of each node that is needed and absent, and one
UNDO or REPAIR of each that is present, haunted or yet to be computed.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import NamedTuple

from qwasmc.passes.pebbling.game import Game, Move, Step

WORK = 6_000
"""Positions looked at."""


class Position(NamedTuple):
    """Sets as bits."""

    here: int
    """Nodes present."""
    ghosts: int
    done: int
    """Acts done."""


class TooLarge(Exception):
    """The search was given up."""


def search(game: Game, room: int) -> list[Step] | None:
    """The steps of least T within a room; None if there are none.

    Raises:
        TooLarge: not known after looking at `WORK` positions.
    """
    return _Search(game, room).run()


class _Search:
    def __init__(self, game: Game, room: int) -> None:
        self.game = game
        self.room = room
        self.inputs = [_bits(node.inputs) for node in game.nodes]
        self.made = [_bits(node.made_by) for node in game.nodes]
        self.spoilt = [_bits(node.spoilt_by) for node in game.nodes]
        self.needs = [_bits(act.needs) for act in game.acts]
        self.after = [_bits(act.after) for act in game.acts]
        self.spoils = [0] * len(game.acts)
        for v, node in enumerate(game.nodes):
            for act in node.spoilt_by:
                self.spoils[act] |= 1 << v
        self.roomy = 1 + max((node.extra for node in game.nodes), default=0)

    def run(self) -> list[Step] | None:
        start, steps = self.settle(Position(0, 0, 0))
        goal = Position(0, 0, (1 << len(self.game.acts)) - 1)
        best = {start: 0}
        came: dict[Position, tuple[Position | None, list[Step]]] = {start: (None, steps)}
        queue = [(self.rest(start), 0, 0, start)]
        count, looked = 0, 0
        while queue:
            _, _, _, position = heapq.heappop(queue)
            if position == goal:
                return _path(came, goal)
            cost = best[position]
            if cost < 0:
                continue
            best[position] = -1
            looked += 1
            if looked > WORK:
                raise TooLarge
            for step, t, moved in self.moves(position):
                after, free = self.settle(moved)
                if after not in best or cost + t < best[after]:
                    best[after] = cost + t
                    came[after] = position, [step, *free]
                    count -= 1
                    total = cost + t + self.rest(after)
                    heapq.heappush(queue, (total, -after.done.bit_count(), count, after))
        return None

    def moves(self, position: Position) -> Iterator[tuple[Step, int, Position]]:
        """Steps to choose from, with T and what follows."""
        here, ghosts, done = position
        needed = self.needed(position)
        held = here.bit_count()
        for v, node in enumerate(self.game.nodes):
            bit = 1 << v
            ready = not (self.inputs[v] & ~here or self.made[v] & ~done or self.spoilt[v] & done)
            if here & bit:
                if ready:
                    yield Step(Move.UNDO, v), node.undo, Position(here ^ bit, ghosts & ~bit, done)
                full = held + self.roomy > self.room
                if self.game.ghosts and full and (node.undo or not ready):
                    yield Step(Move.GHOST, v), 0, Position(here ^ bit, ghosts | bit, done)
            elif ready:
                if needed & bit and held + 1 + node.extra <= self.room:
                    yield Step(Move.COMPUTE, v), node.cost, Position(here | bit, ghosts, done)
                if ghosts & bit and node.undo:
                    yield Step(Move.REPAIR, v), node.undo, Position(here, ghosts ^ bit, done)

    def settle(self, position: Position) -> tuple[Position, list[Step]]:
        """Acts and free repairs that stand in nobody's way."""
        here, ghosts, done = position
        steps = []
        for v, node in enumerate(self.game.nodes):
            blocked = self.inputs[v] & ~here or self.spoilt[v] & done
            if ghosts >> v & 1 and not node.undo and not blocked:
                ghosts ^= 1 << v
                steps.append(Step(Move.REPAIR, v))
        again = True
        while again:
            again = False
            for index, needs in enumerate(self.needs):
                bit = 1 << index
                if done & bit or needs & ~here or self.after[index] & ~done:
                    continue
                later = Position(here, ghosts, done | bit)
                if self.spoils[index] & (here | ghosts | self.needed(later)):
                    continue
                done |= bit
                steps.append(Step(Move.ACT, index))
                again = True
        return Position(here, ghosts, done), steps

    def needed(self, position: Position) -> int:
        """Nodes that must be present at some time from now on."""
        here, ghosts, done = position
        found = 0
        for index, needs in enumerate(self.needs):
            if not done >> index & 1:
                found |= needs
        alive = here | ghosts
        for v in range(len(self.inputs) - 1, -1, -1):
            if (alive | found) >> v & 1:
                found |= self.inputs[v]
        return found

    def rest(self, position: Position) -> int:
        """T that is still to come, at least."""
        needed = self.needed(position)
        found = 0
        for v, node in enumerate(self.game.nodes):
            absent = needed & ~position.here
            if absent >> v & 1:
                found += node.cost
            if (absent | position.here | position.ghosts) >> v & 1:
                found += node.undo
        return found


def _bits(indices: tuple[int, ...]) -> int:
    return sum(1 << index for index in set(indices))


def _path(came: dict[Position, tuple[Position | None, list[Step]]], goal: Position) -> list[Step]:
    found: list[list[Step]] = []
    position: Position | None = goal
    while position is not None:
        position, steps = came[position]
        found.append(steps)
    return [step for steps in reversed(found) for step in steps]
