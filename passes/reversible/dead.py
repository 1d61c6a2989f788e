"""Values that are computed into qubits in |0> and undone, with nothing to show for it.

A *life* of a wire lasts from a write in |0> to the write that leads there again.  It is needed if
anything but a write reads it, or a write of a life that is needed; the others are left out:

    ccx a, b, v                         life of v begins
    ccx v, c, w      life of w begins
    ccx v, c, w      and ends, unread: left out
    ccx a, b, v                         and ends, read by what is left out: left out as well
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.ir.wires import COUNT, Wired, wires_of
from qwasmc.kernel import kernel
from qwasmc.ops import CODE
from qwasmc.passes.reversible.numbers import is_zero, value_numbers

Ints = NDArray[Any]
Flags = NDArray[np.bool_]

WRITES = ("x", "cx", "ccx")


class Writes(NamedTuple):
    """By row: whether it adds to the basis value of its last qubit, whatever bits are."""

    here: Flags
    from_zero: Flags
    """And whether that is certainly in |0> before it,"""
    to_zero: Flags
    """or behind it."""

    def of(self, rows: Ints) -> Writes:
        """Those of some rows."""
        return Writes(self.here[rows], self.from_zero[rows], self.to_zero[rows])


def find_writes(wired: Wired) -> Writes:
    """The rows of a circuit that are x, cx or ccx without a predicate."""
    here = np.isin(wired.op, [CODE[name] for name in WRITES]) & (wired.cond < 0)
    numbers = value_numbers(wired)
    row, target = np.arange(len(wired)), np.where(here, COUNT[wired.op] - 1, 0)
    before, after = (is_zero(side[row, target]) for side in numbers)
    return Writes(here, here & before, here & after)


def needed_rows(wired: Wired, writes: Writes) -> Flags:
    """By row, whether it is more than a write of a life that is not needed."""
    own, needed = _lives(wired.op, wired.operands, wired.pool, *writes, wired.n_wires)
    return (own < 0) | needed[own]


@kernel
def _lives(
    op: Ints,
    operands: Ints,
    pool: Ints,
    here: Flags,
    from_zero: Flags,
    to_zero: Flags,
    n_wires: int,
) -> tuple[NDArray[np.int32], Flags]:
    """By row the number of the life that it writes, or -1; and which lives are needed."""
    life = np.full(n_wires, -1, dtype=np.int32)  # by wire, the one that goes on
    own = np.full(len(op), -1, dtype=np.int32)  # by row, the one it writes
    feeds = np.full((len(op), 2), -1, dtype=np.int32)  # by row, those it reads
    earlier = np.full(len(op), -1, dtype=np.int32)  # by row, the write of its life before it
    last = np.full(len(op), -1, dtype=np.int32)  # by life, its last write
    needed = np.zeros(len(op), dtype=np.bool_)  # by life
    count = 0
    for row in range(len(op)):
        wires = wires_of(row, op, operands, pool)
        reads = len(wires) - here[row]
        if here[row]:
            wire = wires[reads]
            if from_zero[row]:
                life[wire] = count
                count += 1
            own[row] = life[wire]
            if own[row] >= 0:
                earlier[row], last[own[row]] = last[own[row]], row
        for slot in range(reads):
            read = life[wires[slot]]
            if read >= 0 and own[row] < 0:
                needed[read] = True
            elif read >= 0:
                feeds[row, slot] = read
        if to_zero[row]:
            life[wires[reads]] = -1
    for each in life:
        if each >= 0:
            needed[each] = True
    waiting = list(np.flatnonzero(needed))
    while waiting:
        row = last[waiting.pop()]
        while row >= 0:
            for read in feeds[row]:
                if read >= 0 and not needed[read]:
                    needed[read] = True
                    waiting.append(read)
            row = earlier[row]
    return own, needed
