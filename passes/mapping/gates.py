"""The gates of a circuit that cost a step, and which of them must wait for which.

CX, T and T^-1 cost a step each; other gates of one qubit are free.  On each qubit the gates form
groups: a group starts when the one before it on that qubit is done, and the gates of a group may
come in any order, one at a time.  In program order each group has one gate:

    t 0; cx 0, 1; cx 0, 2; h 0; t 0     qubit 0: {t} {cx} {cx} {t}

With commutation a group has all successive gates that act on the qubit by the same Pauli letter:
Z for T and for the control of a CX, X for its target, seen through the free gates before it.

    t 0; cx 0, 1; cx 0, 2; h 0; t 0     qubit 0: {t, cx, cx} {t}

Gates that act on all the qubits they share by the same letters commute, up to free gates that
move along: with C the free gates so far, C^-1 T C is a rotation about the letter.  (Both may
be run in the other order by undoing the free gates first, running T, and redoing them.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.ir.circuit import Circuit
from qwasmc.kernel import kernel
from qwasmc.ops import CODE, OPS

Array = NDArray[Any]

NONE = -1

X, Y, Z = range(3)
LETTERS = {
    **dict.fromkeys(("x", "y", "z"), (X, Y, Z)),
    "h": (Z, Y, X),
    **dict.fromkeys(("s", "sdg"), (Y, X, Z)),
    **dict.fromkeys(("sx", "sxdg"), (X, Z, Y)),
}
"""By free gate, what becomes of X, Y and Z when it is undone behind them, without signs."""

BAD, SKIPPED, MAGIC, CONTROLLED, WALL, FRAME = range(6)
"""What a row is to us; rows of gates that change frames are FRAME + their row in `FRAMES`."""

FRAMES = np.array(list(LETTERS.values()), np.int64)


def _kinds() -> Array:
    """By op code."""
    kind = np.full(len(OPS), BAD, np.int64)
    for name in ("alloc", "input", "free", "output", "barrier", "result"):
        kind[CODE[name]] = SKIPPED
    for name in ("measure_z", "measure_x", "measure_y", "reset"):
        kind[CODE[name]] = WALL
    for name in ("t", "tdg"):
        kind[CODE[name]] = MAGIC
    kind[CODE["cx"]] = CONTROLLED
    for number, name in enumerate(LETTERS):
        kind[CODE[name]] = FRAME + number
    return kind


KIND = _kinds()


@dataclass(frozen=True, slots=True)
class Gates:
    """m gates on n qubits, in program order; qubits without such a gate are left out."""

    row: NDArray[Any]
    """(m,): the row of the circuit."""
    qubits: NDArray[Any]
    """(m, 2): control and target of a CX; the qubit of a T, and `NONE`."""
    group: NDArray[Any]
    """(m, 2): the groups on these qubits; `NONE` where there is no qubit."""
    after: NDArray[Any]
    """(k,): the group that follows on the same qubit, or `NONE`."""
    wire: NDArray[Any]
    """(n,): the wire of the circuit (as `Circuit.wires` counts them) that each qubit is."""

    def __len__(self) -> int:
        return len(self.row)

    @property
    def n_qubits(self) -> int:
        """How many qubits have a gate."""
        return len(self.wire)


def read_gates(circuit: Circuit, commute: bool = False) -> Gates:
    """The gates of a circuit of Clifford and T gates.

    Raises ValueError where a row is predicated, or is anything but CX, a gate of one qubit in
    the Clifford group or T, or the birth, reset, measurement or end of a qubit.
    """
    kind = KIND[circuit.op]
    wrong = np.flatnonzero((kind == BAD) | ((circuit.cond >= 0) & (kind != SKIPPED)))
    if len(wrong):
        name = OPS[circuit.op[wrong[0]]].name
        raise ValueError(f"row {wrong[0]}: {name} is not a plain Clifford or T gate")
    wires = circuit.wires()
    row = np.flatnonzero((kind == MAGIC) | (kind == CONTROLLED))
    pairs = wires[circuit.operands[row, :2]]
    pairs[circuit.operands[row, 1] < 0, 1] = NONE
    wire = np.unique(pairs[pairs != NONE])
    number = np.full(wires.max(initial=0) + 1, NONE, np.int64)
    number[wire] = np.arange(len(wire))
    qubits = np.where(pairs == NONE, NONE, number[pairs])
    acts = np.flatnonzero(kind >= MAGIC)
    on = number[wires[circuit.operands[acts, :2]]]
    group = np.full((len(row), 2), NONE, np.int64)
    after = np.full(2 * len(row), NONE, np.int64)
    count = split(kind[acts], on, FRAMES, len(wire), commute, group, after)
    return Gates(row, qubits, group, after[:count].copy(), wire)


@kernel
def split(
    kind: Array,
    on: Array,
    frames: Array,
    n_qubits: int,
    commute: bool,
    group: Array,
    after: Array,
) -> int:
    """Fill in the groups of the gates and what follows each; returns how many there are."""
    frame = np.empty((n_qubits, 3), np.int64)
    frame[:] = np.arange(3)
    last = np.full(n_qubits, NONE, np.int64)
    letter = np.full(n_qubits, NONE, np.int64)
    count = gate = 0
    for i in range(len(kind)):
        if kind[i] >= FRAME:
            q = on[i, 0]
            if q != NONE:
                frame[q] = frame[q][frames[kind[i] - FRAME]]
        elif kind[i] == WALL:
            if on[i, 0] != NONE:
                letter[on[i, 0]] = NONE
        else:
            for side in range(1 + (kind[i] == CONTROLLED)):
                q = on[i, side]
                acts = frame[q, X if side else Z]
                if not commute or acts != letter[q]:
                    if last[q] != NONE:
                        after[last[q]] = count
                    last[q], letter[q] = count, acts
                    count += 1
                group[gate, side] = last[q]
            gate += 1
    return count


def bounds(gates: Gates) -> tuple[Array, Array, Array]:
    """Lower bounds, which hold even if no path is ever in the way.

    Steps before each gate (m,); steps from each gate to the end, itself included (m,); steps
    after each group is done (k,).  No schedule has fewer than head + tail of any gate.  The gates
    of a group take one step each, so one with earliest steps e_0 <= e_1 <= ... lasts until
    e_i + (size - i) for each i.
    """
    before = np.full(len(gates.after), NONE, np.int64)
    has = gates.after != NONE
    before[gates.after[has]] = np.flatnonzero(has)
    head, _ = sweep(gates.group, before)
    tail, done = sweep(np.ascontiguousarray(gates.group[::-1]), gates.after)
    return head, tail[::-1] + 1, np.where(has, done[gates.after], 0)


@kernel
def sweep(group: Array, before: Array) -> tuple[Array, Array]:
    """The earliest step of each gate, and when each group is done at the earliest.

    The gates come in an order in which they could run.
    """
    m = len(group)
    size = np.zeros(len(before) + 1, np.int64)
    for g in range(m):
        for side in range(2):
            size[group[g, side] + 1] += 1
    size[0] = 0  # it counted the places where there is no group
    start = np.cumsum(size)
    filled = start[:-1].copy()
    head, done = np.zeros(m, np.int64), np.zeros(len(before), np.int64)
    heads = np.zeros(start[-1], np.int64)
    for g in range(m):
        for side in range(2):
            if group[g, side] != NONE and before[group[g, side]] != NONE:
                head[g] = max(head[g], done[before[group[g, side]]])
        for side in range(2):
            k = group[g, side]
            if k != NONE:
                heads[filled[k]] = head[g]
                filled[k] += 1
                if filled[k] == start[k + 1]:
                    ordered = np.sort(heads[start[k] : start[k + 1]])
                    for i in range(len(ordered)):
                        done[k] = max(done[k], ordered[i] + len(ordered) - i)
    return head, done


def bound(gates: Gates) -> int:
    """The least number of steps if no path were ever in the way."""
    head, tail, _ = bounds(gates)
    return int((head + tail).max(initial=0))
