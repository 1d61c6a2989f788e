"""What rows do to their wires: which actions commute, and which undo each other.

On each of its wires a row acts in a way that commutes with Z (as a control, or T), with X (as the
target of a Toffoli), or otherwise (`toffolis.legs`).  Two rows commute if on each wire that they
share both commute with Z, or both with X.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.ir.circuit import VARIADIC
from qwasmc.ir.wires import COUNT, TAKES_QUBITS, Wired
from qwasmc.kernel import kernel
from qwasmc.ops import CODE, OPS
from qwasmc.passes.toffolis.legs import KIND, NEITHER, X, Z

SORTED = {(0, 2): ("cz", "cp", "swap", "ccx"), (0, 3): ("ccz",), (1, 3): ("cswap",)}
"""Gates by the operands whose order means nothing: from the first up to the last."""

KINDS = {"X": X, "Y": NEITHER, "Z": Z}
"""By letter, what a rotation about a Pauli product does to a qubit."""

INVERSE = np.array([CODE[spec.inverse] if spec.inverse else -1 for spec in OPS])
ACTS = TAKES_QUBITS & np.array([not spec.is_marker and spec.name != "barrier" for spec in OPS])
PPR = CODE["ppr"]


class Gates(NamedTuple):
    """The columns of a circuit that say what its rows do; see `Wired`."""

    op: NDArray[np.uint8]
    operands: NDArray[np.int32]
    """Sorted where their order means nothing."""
    pool: NDArray[np.int32]
    kinds: NDArray[np.int8]
    """By entry of the pool, the kind of action on the wire."""
    angle: NDArray[np.float64]
    attr: NDArray[np.int32]
    cond: NDArray[np.int32]


def gates_of(wired: Wired) -> Gates:
    """The columns of a circuit."""
    operands = wired.operands.copy()
    for (first, end), names in SORTED.items():
        some = np.isin(wired.op, [CODE[name] for name in names])
        operands[some, first:end] = np.sort(operands[some, first:end], axis=1)
    kinds = np.full(len(wired.pool), NEITHER, dtype=np.int8)
    for row in np.flatnonzero(wired.op == PPR).tolist():
        at = int(wired.operands[row, 0])
        letters = wired.names[wired.attr[row]]
        kinds[at : at + len(letters)] = [KINDS[letter] for letter in letters]
    angle = wired.angle + 0.0  # no negative zeros
    return Gates(wired.op, operands, wired.pool, kinds, angle, wired.attr, wired.cond)


@kernel
def count_of(gates: Gates, row: int) -> int:
    """How many wires a row acts on."""
    code = gates.op[row]
    if not ACTS[code]:
        return 0
    return int(gates.operands[row, 1]) if VARIADIC[code] else int(COUNT[code])


@kernel
def leg_of(gates: Gates, row: int, slot: int) -> tuple[int, int]:
    """A wire that a row acts on, and how it does."""
    code = gates.op[row]
    if VARIADIC[code]:
        at = gates.operands[row, 0] + slot
        return gates.pool[at], gates.kinds[at]
    return gates.operands[row, slot], KIND[code, slot]


@kernel
def counts_of(gates: Gates, rows: NDArray[Any]) -> NDArray[np.int64]:
    """By row, how many wires it acts on."""
    found = np.empty(len(rows), dtype=np.int64)
    for place, row in enumerate(rows):
        found[place] = count_of(gates, row)
    return found


@kernel
def undoes(gates: Gates, row: int, other: int) -> bool:
    """Whether a gate is the inverse of another one."""
    if gates.op[row] != INVERSE[gates.op[other]] or gates.cond[row] != gates.cond[other]:
        return False
    if gates.angle[row] != -gates.angle[other]:
        return False
    if gates.op[row] == PPR and gates.attr[row] != gates.attr[other]:
        return False
    count = count_of(gates, row)
    if count != count_of(gates, other):
        return False
    for slot in range(count):
        if leg_of(gates, row, slot)[0] != leg_of(gates, other, slot)[0]:
            return False
    return True


@kernel
def clash(kind: int, other: int) -> bool:
    """Whether actions of two kinds on one wire do not commute."""
    return kind == NEITHER or kind != other
