"""Plans of pebble games: the least T, within a room if there is one.

What can be played one after the other is planned by itself (`parts`).  With room to compute each
node once, that has the least T (`order`, `beam`).  Else it is the optimum for chains of equal nodes
(`chains`) and for small games (`search`), and the best that is found for others: checkpoints on a
line (`lines`, `checkpoints`, `bennett`), or nodes brought again where they are used (`sweep`), with
what is left of the room put to use (`improve`).  Each plan is played by the rules (`game`) before
it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property

from qwasmc.passes.pebbling import bennett, checkpoints
from qwasmc.passes.pebbling.beam import once_in_little_room
from qwasmc.passes.pebbling.chains import NEVER, Chain
from qwasmc.passes.pebbling.even import Even
from qwasmc.passes.pebbling.game import Game, Impossible, Plan, Step, replay
from qwasmc.passes.pebbling.improve import cost, improve
from qwasmc.passes.pebbling.lines import Line, line
from qwasmc.passes.pebbling.order import once
from qwasmc.passes.pebbling.parts import parts
from qwasmc.passes.pebbling.search import TooLarge, search
from qwasmc.passes.pebbling.sweep import sweep
from qwasmc.passes.pebbling.weave import weave

WIDTHS = (1, 2, 3, 5, 8, 13)
"""Of fronts of lines that are too long for tables."""

MOVES = 100_000
"""Most COMPUTEs of nodes on such a line."""

SMALL = 16
"""Most nodes for a search for the optimum, which may still be given up."""


def play(game: Game, room: int | None = None) -> Plan:
    """A plan of little T, within a number of ancillas if one is given.

    Without a room each node is computed once, and the order is one that takes few ancillas.

    Raises:
        Impossible: no order works, or no plan was found within the room.
    """
    once(game)  # or there is no plan at all
    players = [(part, _Player(part.game)) for part in parts(game)]
    found: list[Step] = []
    for part, player in players:
        steps = player.once if room is None else player.within(max(room, 0))
        if steps is None:
            raise Impossible(max(each.least() for _, each in players))
        found += part.outside(steps)
    plan = replay(game, found)
    if room is not None and plan.room > room:
        raise ValueError(f"the plan takes {plan.room} ancillas, not {room}")
    return plan


def fewest(game: Game) -> int:
    """The least room for which `play` has a plan.

    It is the least there is for chains, for up to `SMALL` nodes, and with ghosts for trees.

    Raises:
        Impossible: no order works.
    """
    once(game)
    return max((_Player(part.game).least() for part in parts(game)), default=0)


class _Player:
    """Plans of a part."""

    def __init__(self, game: Game) -> None:
        self.game = game
        self.once = once_in_little_room(game)
        self.most = replay(game, self.once).room

    def least(self) -> int:
        """The least room with a plan, if more room is never worse."""
        nodes = self.game.nodes
        room = max((len(set(node.inputs)) + 1 + node.extra for node in nodes), default=0)
        too_little = room - 1
        while room < self.most and not self.fits(room):
            too_little, room = room, max(room + 1, room * 5 // 4)
        room = min(room, self.most)
        while room - too_little > 1:
            middle = (room + too_little) // 2
            if self.fits(middle):
                room = middle
            else:
                too_little = middle
        return room

    def fits(self, room: int) -> bool:
        """Whether a plan is found."""
        if not self.is_chain and next(self.plans(room), None) is not None:
            return True
        with suppress(TooLarge):
            return self.optimum(room) is not None
        return False

    def within(self, room: int) -> list[Step] | None:
        """The best steps that are found within a room."""
        try:
            return self.optimum(room)
        except TooLarge:
            found = [improve(self.game, steps, room) for steps in self.plans(room)]
            return min(found, key=lambda steps: cost(self.game, steps), default=None)

    def optimum(self, room: int) -> list[Step] | None:
        """Steps of the least T in a room, if there are any.

        Raises:
            TooLarge: it is not known how to find them.
        """
        if room >= self.most:
            return self.once
        if self.is_chain:
            node = self.game.nodes[0]
            chain = Chain(len(self.game.nodes), node.extra, self.game.ghosts, room)
            return weave(self.game, chain.presence()) if chain.moves < NEVER else None
        if len(self.game.nodes) > SMALL:
            raise TooLarge
        return search(self.game, room)

    def plans(self, room: int) -> Iterator[list[Step]]:
        """Steps by methods that may find none."""
        for presence in self.presences(room):
            steps = weave(self.game, presence)
            if steps is not None and replay(self.game, steps).room <= room:
                yield steps

    def presences(self, room: int) -> Iterator[list[tuple[int, bool]]]:
        """Nodes in the orders in which they come and go."""
        if self.line is not None:
            walk = checkpoints.walk if self.game.ghosts else bennett.walk
            for at in self.ways(self.line, room):
                yield walk(self.line, at, room)
        if self.game.ghosts:
            brought = sweep(self.game, self.once, room)
            if brought is not None:
                yield brought

    def ways(self, line: Line, room: int) -> Iterator[Callable[[int, int, int], int]]:
        """Where to go by on a line."""
        if self.table is None:
            for width in WIDTHS:
                even = Even(line, self.game.ghosts, room, width)
                if even.chain.moves < MOVES:
                    yield even.at
        elif self.table.cost[room] < NEVER:
            yield self.table.at

    @cached_property
    def line(self) -> Line | None:
        return line(self.game)

    @cached_property
    def table(self) -> checkpoints.Checkpoints | bennett.Fronts | None:
        """The best plans on the line, unless it is too long."""
        if self.line is None or len(self.line.nodes) > checkpoints.LONGEST:
            return None
        kind = checkpoints.Checkpoints if self.game.ghosts else bennett.Fronts
        return kind(self.line, self.most)

    @cached_property
    def is_chain(self) -> bool:
        """Whether each node is computed from the one before, all alike, and one act needs one.

        The acts must also allow COMPUTEs in ascending and UNDOs in descending order.
        """
        ghosts = self.game.ghosts
        prices = {(each.cost + each.undo * (not ghosts), each.extra) for each in self.game.nodes}
        inputs = [(v - 1,) if v else () for v in range(len(self.game.nodes))]
        alike = len(prices) == 1 and inputs == [each.inputs for each in self.game.nodes]
        if not alike or any(len(act.needs) > 1 for act in self.game.acts):
            return False
        rising = [(v, True) for v in range(len(inputs))]
        falling = [(v, False) for v in reversed(range(len(inputs)))]
        return weave(self.game, rising + falling) is not None
