"""What Toffolis have in common with each other and with the rows between them.

In the basis in which a Toffoli is ccz its qubits have the same part.  Such a qubit, with its basis,
is a *leg*: twice the wire, plus the kind of action on it, Z for a control and X for the target.
Rows *keep* a leg if all of them together commute with that Pauli on that wire.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.ir.circuit import MAX_FIXED, VARIADIC
from qwasmc.ir.wires import COUNT, TAKES_QUBITS, Wired, wires_of
from qwasmc.kernel import kernel
from qwasmc.ops import CODE, OPS
from qwasmc.passes.reversible.dead import find_writes

Z, X, NEITHER = 0, 1, 2
"""Kinds of action on a qubit: what commutes with Z, with X, and all else."""

ACTION = {
    **dict.fromkeys(("z", "s", "sdg", "t", "tdg", "rz", "p", "measure_z"), "Z"),
    **dict.fromkeys(("x", "sx", "sxdg", "rx", "measure_x"), "X"),
    **dict.fromkeys(("cz", "cp", "crz"), "ZZ"),
    **{"cx": "ZX", "cy": "Z-", "ccx": "ZZX", "ccz": "ZZZ", "cswap": "Z--"},
}
"""By operation, how it acts on its qubits; any other acts otherwise."""

KIND = np.array([["ZX-".index(c) for c in ACTION.get(spec.name, "").ljust(3, "-")] for spec in OPS])
FLIPS = np.array([[spec.name in ("x", "y"), spec.name in ("z", "y")] for spec in OPS])
"""By op code: whether it anticommutes with Z, and with X."""

H, CCX, CCZ = CODE["h"], CODE["ccx"], CODE["ccz"]


def toffoli_legs(wired: Wired) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """The rows that are ccx or ccz, and their legs in order."""
    rows = np.flatnonzero((wired.op == CCX) | (wired.op == CCZ))
    legs = np.sort(2 * wired.operands[rows] + KIND[wired.op[rows]], axis=1)
    return rows, legs.astype(np.int32)


def zero_targets(wired: Wired) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """By row, whether it certainly is a Toffoli with its target in |0> before it; and behind it."""
    writes, toffolis = find_writes(wired), wired.op == CCX
    return toffolis & writes.from_zero, toffolis & writes.to_zero


@kernel
def touch(
    row: int,
    op: NDArray[Any],
    operands: NDArray[Any],
    pool: NDArray[Any],
    cond: NDArray[Any],
    other: NDArray[np.int32],
    flips: NDArray[np.int32],
) -> None:
    """Take a row into account in two columns by leg.

    `other` is the last row that does not keep it, and `flips` counts Paulis that anticommute, which
    keep it in pairs.
    """
    code = op[row]
    for slot, wire in enumerate(wires_of(row, op, operands, pool)):
        for kind in (Z, X):
            leg = 2 * wire + kind
            if cond[row] < 0 and FLIPS[code, kind]:
                flips[leg] += 1
            elif VARIADIC[code] or KIND[code, slot] != kind:
                other[leg] = row


def merge_hadamards(wired: Wired) -> Wired:
    """The circuit without pairs of H, and with ccz for ccx between H on its target, and back."""
    op, operands = wired.op.copy(), wired.operands.copy()
    kept = _merge(op, operands, wired.pool, wired.cond, wired.n_wires)
    return replace(wired, op=op, operands=operands).take(kept)


@kernel
def _merge(
    op: NDArray[Any],
    operands: NDArray[Any],
    pool: NDArray[Any],
    cond: NDArray[Any],
    n_wires: int,
) -> NDArray[np.bool_]:
    """Change rows in place, and give which are left; `before` has the rows that led to them."""
    kept = np.ones(len(op), dtype=np.bool_)
    last = np.full(n_wires, -1, dtype=np.int32)
    before = np.full((len(op), MAX_FIXED), -1, dtype=np.int32)
    for row in range(len(op)):
        code = op[row]
        if not TAKES_QUBITS[code]:
            continue
        if VARIADIC[code]:
            for wire in wires_of(row, op, operands, pool):
                last[wire] = row
            continue
        wire = operands[row, 0]
        earlier = last[wire]
        if code == H and cond[row] < 0 and earlier >= 0 and cond[earlier] < 0:
            if op[earlier] == H:
                kept[row] = kept[earlier] = False
                last[wire] = before[earlier, 0]
                continue
            if op[earlier] == CCX or op[earlier] == CCZ:
                slot = 0
                while operands[earlier, slot] != wire:
                    slot += 1
                first = before[earlier, slot]
                around = first >= 0 and op[first] == H and cond[first] < 0
                if around and (op[earlier] == CCZ or slot == 2):
                    kept[row] = kept[first] = False
                    op[earlier] = CCX if op[earlier] == CCZ else CCZ
                    operands[earlier, slot] = operands[earlier, 2]
                    operands[earlier, 2] = wire
                    before[earlier, slot] = before[earlier, 2]
                    before[earlier, 2] = before[first, 0]
                    continue
        for slot in range(COUNT[code]):
            wire = operands[row, slot]
            before[row, slot] = last[wire]
            last[wire] = row
    return kept
