"""Light cones: what a Pauli product meets on its way through a circuit.

The product of an event is taken forward from row to row, past those rows only that act on its wires
at the time.  In a circuit on thousands of qubits these are few, even if the product is, seen from
the start of the circuit, on all of them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.kernel import kernel
from qwasmc.passes.folding.frame_rows import (
    CX,
    CY,
    CZ,
    DIAGONAL,
    FREE,
    MEASURED,
    NOTHING,
    OPAQUE,
    OPAQUE_Z,
    RESET,
    SWAP,
    SX,
    SXDG,
    XOR,
    H,
    Source,
)

Ints = NDArray[Any]
Records = NDArray[Any]


PLACE = np.dtype({"names": ["wire", "due", "parts"], "formats": ["i4", "i4", "u1"]}, align=True)
"""A wire that the product is on: the next row there, and its part; 1 is X, 2 is Z, 3 is Y."""


class Cone(NamedTuple):
    """A product at some time, up to a sign, and the way on."""

    rows: Records
    operands: Records
    next: NDArray[np.int32]
    """By operand, the next row on that wire."""
    event: NDArray[np.int32]
    """By row, its rotation's event, or -1."""
    places: Records
    place: NDArray[np.int32]
    """By wire, its place, or -1."""
    size: NDArray[np.int64]
    """How many places there are."""


def cone(source: Source, rows: int) -> Cone:
    """The first rows of a circuit, linked by wires, without events, and no product."""
    wires = len(source.column)
    found = Cone(
        source.rows[:rows],
        source.operands,
        np.empty(len(source.operands), dtype=np.int32),
        np.full(rows, -1, dtype=np.int32),
        np.empty(wires, dtype=PLACE),
        np.full(wires, -1, dtype=np.int32),
        np.zeros(1, dtype=np.int64),
    )
    _link(found.rows, found.operands, found.next, np.full(wires, rows, dtype=np.int32))
    return found


@kernel
def _link(rows: Records, operands: Records, following: Ints, last: Ints) -> None:
    """Link operands to the next row; `last` is by wire, at first behind all rows."""
    for row in range(len(rows) - 1, -1, -1):
        if rows[row].kind not in (NOTHING, XOR):
            start = rows[row].start
            for place in range(start, start + rows[row].count):
                wire = operands[place].item
                following[place] = last[wire]
                last[wire] = row


@kernel
def reaches(cone: Cone, alive: Ints, eighths: Ints, effort: Ints, row: int, stop: int) -> bool:
    """Whether the product of a row's event commutes with all between it and the row `stop`.

    Each step takes some of the `effort` that is left; when it is used up the answer is no.
    """
    rows, operands, following, events, places, place, size = cone
    while size[0]:
        _leave(places, place, size, places[0].wire)
    start = rows[row].start
    for at in range(start, start + rows[row].count):
        mine = _join(operands, following, places, place, size, at)
        places[mine].parts = operands[at].letter if rows[row].kind == MEASURED else 2
    while True:
        row = stop
        for at in range(size[0]):
            row = min(row, places[at].due)
        effort[0] -= size[0]
        if row == stop:
            return True
        if effort[0] < 0:
            return False
        event = events[row]
        blocks = event >= 0 and alive[event]
        kind, start, count = rows[row].kind, rows[row].start, rows[row].count
        odd = 0
        for at in range(start, start + count):
            parts = places[_join(operands, following, places, place, size, at)].parts
            odd ^= _meets(kind, parts, operands[at].letter, blocks)
            if odd and kind != MEASURED:
                return False
        if odd:
            return False
        a, b = place[operands[start].item], place[operands[start + count - 1].item]
        _conjugate(places, kind, a, b, event < 0 and eighths[row] & 2)
        for at in range(start, start + count):
            wire = operands[at].item
            if not places[place[wire]].parts:
                _leave(places, place, size, wire)


@kernel
def _join(
    operands: Records, following: Ints, places: Records, place: Ints, size: Ints, at: int
) -> int:
    """The place of the wire of an operand; the row after it is due."""
    wire = operands[at].item
    if place[wire] < 0:
        place[wire] = size[0]
        places[size[0]].wire = wire
        places[size[0]].parts = 0
        size[0] += 1
    places[place[wire]].due = following[at]
    return int(place[wire])


@kernel
def _leave(places: Records, place: Ints, size: Ints, wire: int) -> None:
    """Take a wire from the product."""
    size[0] -= 1
    places[place[wire]] = places[size[0]]
    place[places[size[0]].wire] = place[wire]
    place[wire] = -1


@kernel
def _meets(kind: int, parts: int, letter: int, blocks: bool) -> int:
    """Whether the part of a product on a wire anticommutes with what a row does there."""
    if kind == MEASURED:
        return int((parts & letter >> 1 ^ parts >> 1 & letter) & 1)
    if kind in (RESET, FREE, OPAQUE):
        return int(parts != 0)
    if kind == OPAQUE_Z or (kind == DIAGONAL and blocks):
        return int(parts & 1)
    return 0


@kernel
def _conjugate(places: Records, kind: int, a: int, b: int, quarter: bool) -> None:
    """Take a product past a Clifford gate at places a and b, or at a; `quarter`: past S."""
    of_a, of_b = places[a].parts, places[b].parts
    if kind == CX:
        places[a].parts = of_a ^ (of_b & 2)
        places[b].parts = of_b ^ (of_a & 1)
    elif kind == H:
        places[a].parts = (of_a & 1) << 1 | of_a >> 1
    elif kind == DIAGONAL and quarter:
        places[a].parts = of_a ^ (of_a & 1) << 1
    elif kind in (SX, SXDG):
        places[a].parts = of_a ^ of_a >> 1
    elif kind == CZ:
        places[a].parts = of_a ^ (of_b & 1) << 1
        places[b].parts = of_b ^ (of_a & 1) << 1
    elif kind == CY:
        places[a].parts = of_a ^ (of_b ^ of_b << 1) & 2
        places[b].parts = of_b ^ 3 * (of_a & 1)
    elif kind == SWAP:
        places[a].parts, places[b].parts = of_b, of_a
