"""In which order to do acts, so that computing each node once takes few ancillas.

After some acts, the nodes below one of them and below another act are present.  On the way to the
next act the nodes below that come to them.  A beam search over the sets of acts that are done looks
for an order in which there are few at any time.
"""

from __future__ import annotations

from typing import NamedTuple

from qwasmc.passes.pebbling.game import Game, Step, replay
from qwasmc.passes.pebbling.order import once

WIDTH = 16
"""Most sets of acts that are kept of each size."""

NODES = 5_000
"""Most nodes: sets of them are bits."""

WORK = 400_000
"""About the most sets that are looked at; with more acts than that allows, fewer are kept."""


class _State(NamedTuple):
    most: int
    """The most nodes present up to now."""
    held: int
    """Nodes that are present, as bits."""
    done: int
    """Acts that are done, as bits."""
    order: list[int]
    """The same as they come."""


def once_in_little_room(game: Game) -> list[Step]:
    """Steps that compute each node once, with the acts in their order or in a better one.

    Raises:
        Impossible: no order works.
    """
    steps = once(game)
    count = len(game.acts)
    width = min(WIDTH, WORK // max(1, count * count))
    if width == 0 or len(game.nodes) > NODES:
        return steps
    below = _below(game)
    if replay(game, steps).room == max((each.bit_count() for each in below), default=0):
        return steps
    other = once(game, _order(game, below, width))
    return min(steps, other, key=lambda each: replay(game, each).room)


def _order(game: Game, below: list[int], width: int) -> list[int]:
    """Acts in an order in which few nodes are present, each behind those it must come after."""
    after = [sum(1 << other for other in set(act.after)) for act in game.acts]
    beam = [_State(0, 0, 0, [])]
    for _ in below:
        found: dict[int, tuple[int, int, int, int, int]] = {}
        for number, state in enumerate(beam):
            rest = [act for act in range(len(below)) if not state.done >> act & 1]
            for act, others in zip(rest, _others([below[act] for act in rest]), strict=True):
                if after[act] & ~state.done:
                    continue
                now = state.held | below[act]
                most = max(state.most, now.bit_count())
                held = now & others
                entry = most, held.bit_count(), number, act, held
                done = state.done | 1 << act
                found[done] = min(found.get(done, entry), entry)
        best = sorted(found.values())[:width]
        beam = [
            _State(most, held, beam[k].done | 1 << act, [*beam[k].order, act])
            for most, _, k, act, held in best
        ]
    return beam[0].order


def _below(game: Game) -> list[int]:
    """By act, the nodes it needs and all they are computed from, as bits."""
    below: list[int] = []
    for v, node in enumerate(game.nodes):
        below.append(1 << v)
        for other in node.inputs:
            below[v] |= below[other]
    found = [0] * len(game.acts)
    for index, act in enumerate(game.acts):
        for v in act.needs:
            found[index] |= below[v]
    return found


def _others(sets: list[int]) -> list[int]:
    """By set, the union of all others."""
    found, union = [0] * len(sets), 0
    for index, each in enumerate(sets):
        found[index] |= union
        union |= each
    union = 0
    for index in range(len(sets) - 1, -1, -1):
        found[index] |= union
        union |= sets[index]
    return found
