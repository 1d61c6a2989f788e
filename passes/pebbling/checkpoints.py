"""Checkpoints on a line: what games with ghosts compute again.

As for chains, some positions are checkpoints.  Let F(p, q, s) be the least T that repairs what is
between positions p and q, from the nodes at or before p that are used there, in room s with them:

    F(p, q, s) = min over m of  cost from p to m + F(m, q, s - kept) + F(p, m, s),  F(p, p+1, s) = 0

From p to m only those nodes are computed that are used beyond m, or are needed for them; each goes
as soon as it can.  Nodes at or before p that are used before m stay.  So do those that were used
before p, which someone else may have kept.  On chains of any costs this is the optimum, on trees
nearly: on some, to go back in another order saves a few per cent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.kernel import kernel
from qwasmc.passes.pebbling.chains import NEVER
from qwasmc.passes.pebbling.lines import EARLY, NODE, Line

LONGEST = 200
"""Most positions of a line for tables: they take cubic time."""


class Checkpoints:
    """The best plans of a line, for all rooms up to a bound.

    Args:
        line: at most `LONGEST` nodes and acts.
        room: the bound.
    """

    def __init__(self, line: Line, room: int) -> None:
        size = len(line.nodes)
        self.split = np.zeros((size, size, room + 1), np.int16)
        uses = next_uses(line, False), next_uses(line, True)
        columns = (line.kind, line.cost, line.extra, line.start, line.inputs)
        self.cost = _fill(*columns, *uses, self.split)
        """By room, the T of all COMPUTEs; NEVER if there is not enough."""

    def at(self, p: int, q: int, room: int) -> int:
        """The best checkpoint between two positions."""
        return int(self.split[p, q, room])


def next_uses(line: Line, ever: bool) -> NDArray[np.int32]:
    """By position x and v, the next position after x that uses v, or one beyond the end.

    Args:
        line: the line.
        ever: also uses that are only on the way there.
    """
    size = len(line.nodes)
    use = np.full((size, size), size, np.int32)
    for x in range(size - 1, 0, -1):
        use[x - 1] = use[x]
        if ever or line.kind[x] != EARLY:
            use[x - 1, line.inputs[line.start[x] : line.start[x + 1]]] = x
    return use


def walk(line: Line, at: Callable[[int, int, int], int], room: int) -> list[tuple[int, bool]]:
    """Nodes in the order in which they come (True) and go (False).

    Args:
        line: the line.
        at: the checkpoint between two positions, from these and the room there.
        room: the ancillas.
    """
    return _Walk(line).run(at, room)


class _Walk:
    def __init__(self, line: Line) -> None:
        self.line = line
        self.end = len(line.nodes) - 1
        self.back, self.ever = next_uses(line, False), next_uses(line, True)
        self.here = np.zeros(len(line.nodes), np.bool_)
        """By position, whether the node is present."""
        self.found: list[tuple[int, bool]] = []

    def run(self, at: Callable[[int, int, int], int], room: int) -> list[tuple[int, bool]]:
        tasks = [("go", 0, self.end, 0, room)]
        while tasks:
            kind, p, q, m, room = tasks.pop()
            if kind == "go" and q > p + 1:
                m = at(p, q, room)
                held, stay = self.groups(p, m, q)
                wanted = self.advance(p, m, q, held, stay)
                unused = stay & (self.back[p] > m)
                tasks.append(("go", p, m, 0, room - int(unused.sum())))
                tasks.append(("drop", p, q, m, 0))
                tasks.append(("go", m, q, 0, room - int((stay & ~wanted).sum())))
            elif kind == "drop":
                held, stay = self.groups(p, m, q)
                held[p + 1 : m + 1] = True
                self.leave(np.flatnonzero(held & ~stay))
        self.leave(np.flatnonzero(self.here))
        return self.found

    def uses(self, q: int) -> NDArray[np.int32]:
        """The next uses that count up to a position: if it is the end, we are on the way there."""
        return self.ever if q == self.end else self.back

    def groups(self, p: int, m: int, q: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """By position, whether a node is held at p for q, and stays when m is the checkpoint."""
        held = self.uses(q)[p] <= q
        held[p + 1 :] = False
        return held, held & ((np.diagonal(self.back) <= p) | (self.back[p] <= m))

    def advance(
        self, p: int, m: int, q: int, held: NDArray[np.bool_], stay: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Go from p to m; by position, whether a node is held there for q."""
        line, there = self.line, q == self.end
        wanted: NDArray[np.bool_] = self.uses(q)[m] <= q
        wanted[m + 1 :] = False
        last = dict.fromkeys(np.flatnonzero(wanted).tolist(), m + 1)
        taken = []
        for v in range(m, p, -1):
            if v in last if line.kind[v] == NODE else there and line.kind[v] == EARLY:
                taken.append(v)
                for other in self.inputs(v):
                    last.setdefault(other, v)
        self.leave(v for v in np.flatnonzero(held & ~stay).tolist() if v not in last)
        for v in reversed(taken):
            if line.kind[v] == NODE:
                self.here[v] = True
                self.found.append((int(line.nodes[v]), True))
            self.leave(other for other in self.inputs(v) if last[other] == v and not stay[other])
        return wanted

    def inputs(self, v: int) -> list[int]:
        found: list[int] = self.line.inputs[self.line.start[v] : self.line.start[v + 1]].tolist()
        return found

    def leave(self, places: Iterable[int]) -> None:
        """Those of the nodes that are present go, the last first."""
        for v in sorted(places, reverse=True):
            if self.here[v]:
                self.here[v] = False
                self.found.append((int(self.line.nodes[v]), False))


@kernel
def _fill(
    kind: NDArray[Any],
    cost: NDArray[Any],
    extra: NDArray[Any],
    start: NDArray[Any],
    inputs: NDArray[Any],
    back: NDArray[Any],
    ever: NDArray[Any],
    split: NDArray[Any],
) -> NDArray[Any]:
    """Fill in the best checkpoints; by room, the least cost from start to end."""
    size, _, rooms = split.shape
    end = size - 1
    f = np.full((size, size, rooms), NEVER, np.int32)
    held, last, stays = np.zeros(size, np.int32), np.zeros(size, np.int32), np.zeros(size, np.int32)
    for length in range(1, size):
        for p in range(size - length):
            q = p + length
            use = ever if q == end else back
            count = 0
            for v in range(1, p + 1):
                if use[p, v] <= q:
                    held[count] = v
                    count += 1
            if length == 1:
                f[p, q, count:] = 0
            for m in range(p + 1, q):
                for k in range(count):
                    last[held[k]] = size if use[m, held[k]] <= q else 0
                total = _mark(kind, cost, start, inputs, use, last, p, m, q, q == end)
                # What stays beyond m: 1 until that is repaired, 2 always.
                passive, idle, alive, most = 0, 0, 0, count
                for k in range(count):
                    v = held[k]
                    kept = back[p, v] <= m
                    stays[v] = 2 if back[v, v] <= p else 1 if kept else 0
                    idle += stays[v] == 2 and not kept
                    passive += stays[v] > 0 and use[m, v] > q
                    alive += stays[v] > 0 or last[v] > 0
                stays[p + 1 : m + 1] = 0
                for v in range(p + 1, m + 1):
                    if kind[v] == NODE and last[v]:
                        alive += 1
                        most = max(most, alive + extra[v])
                    elif not (q == end and kind[v] == EARLY):
                        continue
                    for k in range(start[v], start[v + 1]):
                        alive -= last[inputs[k]] == v and stays[inputs[k]] == 0
                for room in range(max(most, passive, idle), rooms):
                    value = total + f[p, m, room - idle] + f[m, q, room - passive]
                    if value < f[p, q, room]:
                        f[p, q, room] = value
                        split[p, q, room] = m
    least: NDArray[Any] = f[0, end]
    return least


@kernel
def _mark(
    kind: NDArray[Any],
    cost: NDArray[Any],
    start: NDArray[Any],
    inputs: NDArray[Any],
    use: NDArray[Any],
    last: NDArray[Any],
    p: int,
    m: int,
    q: int,
    there: bool,
) -> int:
    """T to go from p to m; `last` by position: its last use on the way, the size if beyond, or 0.

    For nodes that are held at p it has the uses beyond.
    """
    for v in range(p + 1, m + 1):
        last[v] = len(kind) if use[m, v] <= q else 0
    total = 0
    for v in range(m, p, -1):
        if last[v] if kind[v] == NODE else there and kind[v] == EARLY:
            total += cost[v]
            for k in range(start[v], start[v + 1]):
                last[inputs[k]] = max(last[inputs[k]], v)
    return total
