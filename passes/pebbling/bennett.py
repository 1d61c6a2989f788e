"""Recomputing on a line without ghosts: a node can only be undone while its inputs are present.

The *front* of a position is the nodes at or before it that are used beyond it.  Let F(p, q, s) be
the least T that, from the front of p, makes the front of q present as well, and nothing else, with
room s beside the front of p; G(p, s) is the game from p on.  By way of the front of m, as Bennett
(SIAM J. Comput. 18, 766 (1989)) and Knill (arXiv:math/9508218) do it on chains, where this is the
optimum:

    F(p, q, s) = min over m of  F(p, m, s) + F(m, q, s - new(p, m)) + F(p, m, s - new(p, q))
    G(p, s) = min over m of  F(p, m, s) + G(m, s - new(p, m)) + F(p, m, s)

new(p, m) is the number of nodes in the front of m and not in that of p.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.kernel import kernel
from qwasmc.passes.pebbling.chains import NEVER
from qwasmc.passes.pebbling.lines import NODE, Line


class Fronts:
    """The best plans of a line, for all rooms up to a bound.

    Args:
        line: at most `checkpoints.LONGEST` nodes and acts, which cost a COMPUTE and an UNDO.
        room: the bound.
    """

    def __init__(self, line: Line, room: int) -> None:
        size = len(line.nodes)
        self.split = np.zeros((size, size, room + 1), np.int16)
        new = _new(_last_uses(line))
        self.cost = _fill(line.kind, line.cost, line.extra, new, self.split)
        """By room, twice the T of a plan at most; NEVER if there is not enough."""

    def at(self, p: int, q: int, room: int) -> int:
        """The best position to go by between two."""
        return int(self.split[p, q, room])


def walk(line: Line, at: Callable[[int, int, int], int], room: int) -> list[tuple[int, bool]]:
    """Nodes in the order in which they come (True) and go (False).

    Args:
        line: the line.
        at: the position to go by between two, from these and the room there.
        room: the ancillas.
    """
    last = _last_uses(line)
    new = _new(last)
    end = len(last) - 1
    held = np.zeros(end + 1, np.int32)
    here = [False] * (end + 1)
    found: list[tuple[int, bool]] = []
    tasks = [("all", 0, end, room)]
    while tasks:
        kind, p, q, room = tasks.pop()
        if kind in ("hold", "let go"):
            held[1 : p + 1] += (1 if kind == "hold" else -1) * (last[1 : p + 1] > q)
            continue
        if q == p + 1:
            comes = kind == "place"
            if line.kind[q] == NODE and here[q] != comes and (comes or not held[q]):
                here[q] = comes
                found.append((int(line.nodes[q]), comes))
            continue
        m = at(p, q, room)
        inner, less = room - int(new[p, m]), room - int(new[p, q])
        # The front of q stays while what led to it is removed, or made again to remove it.
        hold, let_go = ("hold", m, q, 0), ("let go", m, q, 0)
        if kind == "all":
            tasks += [("remove", p, m, room), ("all", m, end, inner), ("place", p, m, room)]
        elif kind == "place":
            tasks += [let_go, ("remove", p, m, less), hold]
            tasks += [("place", m, q, inner), ("place", p, m, room)]
        else:
            tasks += [("remove", p, m, room), ("remove", m, q, inner)]
            tasks += [let_go, ("place", p, m, less), hold]
    return found


def _last_uses(line: Line) -> NDArray[np.int32]:
    """By position, the last one that uses it."""
    last = np.zeros(len(line.nodes), np.int32)
    for position in range(1, len(last)):
        last[line.inputs[line.start[position] : line.start[position + 1]]] = position
    return last


def _new(last: NDArray[np.int32]) -> NDArray[np.int32]:
    """By positions p and q, how many nodes are in the front of q and not in that of p."""
    size = len(last)
    new = np.zeros((size, size), np.int32)
    for q in range(size):
        in_front = np.append(last[1 : q + 1] > q, False)
        new[: q + 1, q] = np.cumsum(in_front[::-1])[::-1]
    return new


@kernel
def _fill(
    kind: NDArray[Any],
    cost: NDArray[Any],
    extra: NDArray[Any],
    new: NDArray[Any],
    split: NDArray[Any],
) -> NDArray[Any]:
    """Fill in the best positions; by room, the least cost of all."""
    size, _, rooms = split.shape
    end = size - 1
    f = np.full((size, size, rooms), NEVER, np.int32)
    f[end - 1, end] = 0
    for p in range(end - 1, -1, -1):
        if p + 1 < end:
            f[p, p + 1, 1 + extra[p + 1] if kind[p + 1] == NODE else 0 :] = cost[p + 1]
        for q in range(p + 2, size):
            for m in range(p + 1, q):
                back = 0 if q == end else new[p, q]
                for room in range(max(new[p, m], back), rooms):
                    value = f[p, m, room] + f[m, q, room - new[p, m]] + f[p, m, room - back]
                    if value < f[p, q, room]:
                        f[p, q, room] = value
                        split[p, q, room] = m
    least: NDArray[Any] = f[0, end]
    return least
