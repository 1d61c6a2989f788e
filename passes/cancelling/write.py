"""Words of items, see `runs`, to rows of a circuit.

One-qubit Clifford gates go where they are needed: a turn needs its Pauli to be Z, a pair one of its
two.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from qwasmc.kernel import kernel
from qwasmc.ops import CODE
from qwasmc.passes.cancelling.axes import ARRANGEMENT, GATE, STEP, arrangements
from qwasmc.passes.cancelling.frames import (
    IDENTITY,
    IMAGE,
    INVERSE,
    NAMES,
    NUMBER,
    PRODUCT,
    WORD,
    X,
    Z,
)
from qwasmc.passes.cancelling.frames import (
    PAULI as PAULI_GATE,
)
from qwasmc.passes.cancelling.runs import (
    FRAME,
    NONE,
    PAIR,
    PAULI,
    ROTATION,
    SWAP,
    TURN,
    Ints,
)

PAULIS = np.array([CODE[name] for name in "xyz"])
CLIFFORD = np.array([CODE[name] for name in NAMES])
"""By number in `frames.NAMES`, the op code."""
CX, CZ, T, TDG, RZ, SWAP_CODE = (CODE[name] for name in ("cx", "cz", "t", "tdg", "rz", "swap"))
NOTHING, CONDITION, ALL = range(3)


class Rows(NamedTuple):
    """Rows of a circuit that grow; `used` is how many there are."""

    op: Ints
    operands: Ints
    source: Ints
    """The row of the old circuit that it stems from, or -1."""
    keeps: Ints
    """What it keeps of that row: NOTHING, its CONDITION, or ALL."""
    angle: Ints
    used: Ints
    frame: Ints
    """By wire: the gate that takes the word's qubit to the circuit's."""
    latest: Ints
    """By wire: the source of its last row."""


def write(word: Ints, pool: Ints, n_wires: int) -> Rows:
    """The rows of a word."""
    room = 5 * len(word) + 2 * (len(pool) + n_wires)
    rows = Rows(
        op=np.empty(room, np.uint8),
        operands=np.full((room, 3), NONE, np.int32),
        source=np.empty(room, np.int32),
        keeps=np.zeros(room, np.uint8),
        angle=np.zeros(room),
        used=np.zeros(1, np.int64),
        frame=np.full(n_wires + 1, IDENTITY),
        latest=np.full(n_wires + 1, NONE),
    )
    _write(rows, word, pool, n_wires)
    n = rows.used[0]
    return rows._replace(
        op=rows.op[:n],
        operands=rows.operands[:n],
        source=rows.source[:n],
        keeps=rows.keeps[:n],
        angle=rows.angle[:n],
    )


@kernel
def _write(rows: Rows, word: Ints, pool: Ints, n_wires: int) -> None:
    places = arrangements(word, pool, n_wires)
    for place in range(len(word)):
        _item(rows, word, place, pool, places)
    for wire in range(n_wires):
        _finish(rows, wire)


@kernel
def _item(rows: Rows, word: Ints, place: int, pool: Ints, places: Ints) -> None:
    kind, source = word[place].kind, word[place].source
    a, b = word[place].wires
    p = word[place].labels[0]
    if kind in (PAIR, TURN, ROTATION, PAULI):
        _arrange(rows, a, places[place, 0], source)
    if kind == FRAME:
        rows.frame[a] = PRODUCT[rows.frame[a], INVERSE[word[place].value]]
        if source != NONE:
            rows.latest[a] = source
    elif kind == PAIR:
        _arrange(rows, b, places[place, 1], source)
        _pair(rows, word, place)
    elif kind == TURN:
        positive = (IMAGE[rows.frame[a], p] < 3) == (word[place].value > 0)
        _row(rows, T if positive else TDG, a, NONE, source)
    elif kind == ROTATION:
        angle = word[place].angle
        rows.angle[rows.used[0]] = angle if IMAGE[rows.frame[a], p] < 3 else -angle
        _row(rows, RZ, a, NONE, source)
    elif kind == PAULI:
        rows.keeps[rows.used[0]] = CONDITION
        _row(rows, PAULIS[IMAGE[rows.frame[a], p] % 3], a, NONE, source)
    elif kind == SWAP:
        rows.frame[a], rows.frame[b] = rows.frame[b], rows.frame[a]
        _row(rows, SWAP_CODE, a, b, max(rows.latest[a], rows.latest[b]))
    else:
        for slot in range(a, a + b):
            _finish(rows, pool[slot])
        rows.keeps[rows.used[0]] = ALL
        _row(rows, 0, pool[a], NONE, source)
        for slot in range(a, a + b):
            rows.latest[pool[slot]] = source


@kernel
def _row(rows: Rows, code: int, a: int, b: int, source: int) -> None:
    at = rows.used[0]
    rows.used[0] += 1
    rows.op[at] = code
    rows.operands[at, 0] = a
    rows.operands[at, 1] = b
    rows.source[at] = source
    rows.latest[a] = source
    if b != NONE:
        rows.latest[b] = source


@kernel
def _gate(rows: Rows, wire: int, gate: int, source: int) -> None:
    """A one-qubit Clifford gate."""
    rows.frame[wire] = PRODUCT[NUMBER[gate], rows.frame[wire]]
    _row(rows, CLIFFORD[gate], wire, NONE, source)


@kernel
def _finish(rows: Rows, wire: int) -> None:
    """Make a wire hold the word's qubit as it is."""
    for gate in WORD[INVERSE[rows.frame[wire]]]:
        if gate != NONE:
            _gate(rows, wire, gate, rows.latest[wire])


@kernel
def _arrange(rows: Rows, wire: int, arrangement: int, source: int) -> None:
    """Change the arrangement of a wire, see `axes`."""
    step = STEP[ARRANGEMENT[rows.frame[wire]], arrangement]
    for gate in WORD[GATE[step]]:
        if gate != NONE:
            _gate(rows, wire, gate, source)


@kernel
def _pair(rows: Rows, word: Ints, place: int) -> None:
    """C(P, Q) as cx or cz; the signs of P and Q become Pauli gates later."""
    a, b = word[place].wires
    p, q = IMAGE[rows.frame[a], word[place].labels[0]], IMAGE[rows.frame[b], word[place].labels[1]]
    source = word[place].source
    if p % 3 == Z:
        _row(rows, CX if q % 3 == X else CZ, a, b, source)
    else:
        _row(rows, CX, b, a, source)
    # C(-P, Q) = C(P, Q) Q.
    if p >= 3:
        rows.frame[b] = PRODUCT[PAULI_GATE[q % 3], rows.frame[b]]
    if q >= 3:
        rows.frame[a] = PRODUCT[PAULI_GATE[p % 3], rows.frame[a]]
