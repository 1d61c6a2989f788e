"""The first Toffoli onto a qubit in |0> comes before other gates that add to it.

    x w                  ccx a, b, w
    cx c, w        =     x w                if w is in |0> at first
    ccx a, b, w          cx c, w

Onto |0> it takes fewer T gates (`toffolis.and_gadget`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.ir.circuit import VARIADIC
from qwasmc.ir.wires import MAKES_QUBIT, Wired, wires_of
from qwasmc.kernel import kernel
from qwasmc.passes.reversible.dead import find_writes
from qwasmc.passes.toffolis.legs import CCX, KIND, Z

Ints = NDArray[Any]


def products_first(wired: Wired) -> Wired:
    """The circuit with such Toffolis in front, where nothing changes their controls meanwhile."""
    writes = find_writes(wired)
    place = _place(
        wired.op,
        wired.operands,
        wired.pool,
        wired.made,
        writes.here,
        writes.from_zero,
        wired.n_wires,
    )
    return wired.take(np.argsort(place, kind="stable"))


@kernel
def _place(
    op: Ints,
    operands: Ints,
    pool: Ints,
    made: Ints,
    here: NDArray[np.bool_],
    from_zero: NDArray[np.bool_],
    n_wires: int,
) -> NDArray[np.int64]:
    """By row, where it goes: twice its number, or less than twice that of the row it passes."""
    place = 2 * np.arange(len(op))
    changed = np.full(n_wires, -1)  # by wire, the last row that may change its basis value
    begun = np.full(n_wires, -1)  # by wire, the first of some x and cx onto |0>, while unread
    for row in range(len(op)):
        code = op[row]
        if MAKES_QUBIT[code]:
            changed[made[row]] = row
        wires = wires_of(row, op, operands, pool)
        first = -1
        if here[row]:
            target = wires[-1]
            first = row if from_zero[row] else begun[target]
        for wire in wires:
            begun[wire] = -1
        if code != CCX and first >= 0:
            begun[target] = first
        elif first >= 0 and changed[wires[0]] < first and changed[wires[1]] < first:
            place[row] = 2 * first - (first < row)
        for slot, wire in enumerate(wires):
            if VARIADIC[code] or KIND[code, slot] != Z:
                changed[wire] = row
    return place
