"""The least recomputing of a chain: nodes of equal cost, each computed from the one before.

With ghosts this is checkpointing, as in reverse-mode differentiation (Griewank, Walther, ACM TOMS
26, 19 (2000)).  Let F(l, s) be the least number of COMPUTEs that repair l nodes behind one that is
present, with room s.  One of them can be repaired at once: F(1, s) = 0.  Else the m-th becomes
present, by m COMPUTEs that keep at most two nodes at a time, and stays until all behind it are
repaired:

    F(l, s) = min over m of  m + F(l - m, s - 1) + F(m, s)

The game itself is the same, but the last node is to be present once: G(1, s) = 1 and

    G(l, s) = min over m of  m + G(l - m, s - 1) + F(m, s)

Without ghosts, let F(l, s) be the least number of steps that make the l-th node present, all others
absent (Bennett, SIAM J. Comput. 18, 766 (1989); Knill, arXiv:math/9508218):

    F(l, s) = min over m of  F(m, s) + F(l - m, s - 1) + F(m, s - 1),    F(1, s) = 1
    G(l, s) = min over m of  F(m, s) + G(l - m, s - 1) + F(m, s),        G(1, s) = 2

F and G are convex in l, so the best m for l + 1 is the one for l or the next.

Acts cost nothing: whatever the plan, first COMPUTEs ascend and last UNDOs descend.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.kernel import kernel

TABLE = 4_000_000
"""Most entries of a table; beyond, a chain does not use all of its room."""

MOVES = 4_000_000
"""Most COMPUTEs of a chain: with little room there are n^2 / 2 or, without ghosts, more."""

NEVER = 1 << 29
"""The cost of what cannot be done; sums of three fit into 32 bits."""


class Chain:
    """The best plans of a chain.

    Args:
        length: number of nodes.
        extra: ancillas that computing one takes beside its own.
        ghosts: whether there are ghosts.
        room: the ancillas, at least 1.
    """

    def __init__(self, length: int, extra: int, ghosts: bool, room: int) -> None:
        self.length = length
        self.ghosts = ghosts
        self.room = min(room - extra, length, max(64, TABLE // length))
        self.split = np.zeros((2, max(self.room, 0) + 1, length + 1), np.int32)
        """By table (F, G), room without extra, and length, the best m."""
        self.moves = int(_fill(self.split, ghosts))
        """COMPUTEs, and without ghosts UNDOs; NEVER if there are too many."""

    def presence(self) -> list[tuple[int, bool]]:
        """Nodes in the order in which they come (True) and go (False)."""
        found: list[tuple[int, bool]] = []
        tasks = [("whole", -1, self.length, self.room)]
        while tasks:
            kind, at, length, room = tasks.pop()
            m = int(self.split[int(kind == "whole"), room, length])
            if kind == "go":
                found.append((at, False))
            elif length == 1 and kind == "repair":
                continue
            elif length == 1:
                found += [(at + 1, True)] * (kind != "remove")
                found += [(at + 1, False)] * (kind != "place")
            elif self.ghosts:
                found += _advance(at, m)
                tasks.append(("repair", at, m, room))
                tasks.append(("go", at + m, 0, 0))
                tasks.append((kind, at + m, length - m, room - 1))
            else:
                tasks.append(("remove", at, m, room - (kind == "place")))
                tasks.append((kind, at + m, length - m, room - 1))
                tasks.append(("place", at, m, room - (kind == "remove")))
        return found


def _advance(at: int, m: int) -> list[tuple[int, bool]]:
    """From a node that is present to the m-th behind it, by way of the others."""
    found = [(at + 1, True)]
    for v in range(at + 2, at + m + 1):
        found += [(v, True), (v - 1, False)]
    return found


@kernel
def _fill(split: NDArray[Any], ghosts: bool) -> int:
    """Fill in the best m of both tables; the value of G for all of the length and the room."""
    _, rooms, lengths = split.shape
    f = np.full((2, rooms, lengths), NEVER, np.int64)
    for room in range(rooms):
        for whole in range(2):
            if room > 0 or (ghosts and not whole):
                f[whole, room, 1] = whole if ghosts else 1 + whole
            for length in range(2, lengths if room > 0 else 0):
                guess = max(split[whole, room, length - 1], 1)
                for m in range(guess, min(guess + 2, length)):
                    if ghosts:
                        there = m if m == 1 or room > 1 else NEVER
                        back = f[0, room, m]
                    else:
                        there = f[0, room, m]
                        back = f[0, room - 1 + whole, m]
                    value = min(there + f[whole, room - 1, length - m] + back, NEVER)
                    if value < f[whole, room, length] or m == guess:
                        f[whole, room, length] = value
                        split[whole, room, length] = m
    return f[1, rooms - 1, lengths - 1] if f[1, rooms - 1, lengths - 1] <= MOVES else NEVER
