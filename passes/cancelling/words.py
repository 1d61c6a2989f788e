"""Circuits to words of items, see `runs`."""

from __future__ import annotations

import numpy as np

from qwasmc.ir.circuit import VARIADIC
from qwasmc.ir.wires import COUNT, MAKES_QUBIT, TAKES_QUBITS, Wired
from qwasmc.kernel import kernel
from qwasmc.ops import CODE, OPS
from qwasmc.passes.cancelling.frames import (
    INVERSE,
    NAMES,
    NUMBER,
    X,
    Y,
    Z,
)
from qwasmc.passes.cancelling.runs import (
    FRAME,
    PAIR,
    PAULI,
    ROTATION,
    ROW,
    SWAP,
    TURN,
    WORD,
    Ints,
)

KIND = np.full(len(OPS), ROW, dtype=np.uint8)
"""By op code, where the row is not predicated."""
LABELS = np.full((len(OPS), 2), Z)
VALUE = np.zeros(len(OPS), dtype=np.int64)
"""By op code: of a turn, k; of a one-qubit Clifford gate, which one."""

for _name, _number in zip(NAMES, NUMBER, strict=True):
    KIND[CODE[_name]] = FRAME
    VALUE[CODE[_name]] = _number
for _name, _p in (("cx", X), ("cy", Y), ("cz", Z)):
    KIND[CODE[_name]] = PAIR
    LABELS[CODE[_name], 1] = _p
KIND[CODE["swap"]] = SWAP
KIND[CODE["rz"]] = ROTATION
KIND[[CODE["t"], CODE["tdg"]]] = TURN
VALUE[[CODE["t"], CODE["tdg"]]] = 1, -1

PAULIS = np.array([CODE[name] for name in "xyz"])

FREELY = np.array([spec.is_gate for spec in OPS])
"""Whether other such rows on other wires may change places with one that is not predicated."""
EVERYWHERE = np.array([spec.is_marker or spec.name in ("syndrome", "require") for spec in OPS])
"""Rows that are about the gates before and after them on all wires."""


def read(wired: Wired) -> tuple[Ints, Ints]:
    """The items of a circuit and the pool of the wires of its rows.

    Wire `n_wires` is there to keep what makes or takes bits, or starts or ends a qubit, in order.
    """
    op = wired.op
    word = np.empty(len(op), WORD)
    word["kind"], word["labels"], word["value"] = KIND[op], LABELS[op], VALUE[op]
    word["wires"], word["angle"] = wired.operands[:, :2], wired.angle
    word["source"] = np.arange(len(op))
    columns = op, wired.operands, wired.pool, wired.made, wired.cond
    return word, _read_rows(word, *columns, wired.n_wires)


@kernel
def _read_rows(
    word: Ints, op: Ints, operands: Ints, pool: Ints, made: Ints, cond: Ints, n_wires: int
) -> Ints:
    """Fill in the items of rows and of predicated Paulis; the pool."""
    wires = [n_wires]
    used = np.zeros(n_wires, np.bool_)
    touched = [n_wires]
    for row in range(len(op)):
        code = op[row]
        if cond[row] >= 0:
            word[row].kind = ROW
            for p in range(3):
                if code == PAULIS[p]:
                    word[row].kind = PAULI
                    word[row].labels[0] = p
                    word[row].wires[1] = n_wires
        start = len(wires)
        _wires_of_row(code, operands[row], pool, made[row], wires)
        for wire in wires[start:]:
            if not used[wire]:
                used[wire] = True
                touched.append(wire)
        if word[row].kind != ROW:
            del wires[start:]
            continue
        if EVERYWHERE[code]:
            del wires[start:]  # which are touched now, if they were not before
            for wire in touched[1:]:
                used[wire] = False
                wires.append(wire)
            del touched[1:]
        if cond[row] >= 0 or not FREELY[code]:
            wires.append(n_wires)
        word[row].wires[0] = start
        word[row].wires[1] = len(wires) - start
    return np.array(wires)


@kernel
def _wires_of_row(code: int, operands: Ints, pool: Ints, made: int, wires: list[int]) -> None:
    if MAKES_QUBIT[code]:
        wires.append(made)
    elif TAKES_QUBITS[code] and VARIADIC[code]:
        for slot in range(operands[0], operands[0] + operands[1]):
            wires.append(pool[slot])
    elif TAKES_QUBITS[code]:
        for slot in range(COUNT[code]):
            wires.append(operands[slot])


def reverse(word: Ints) -> Ints:
    """The inverse items in the opposite order; other rows stay what they are."""
    new = word[::-1].copy()
    value, turns, frames = new["value"], new["kind"] == TURN, new["kind"] == FRAME
    value[turns] = -value[turns]
    value[frames] = INVERSE[value[frames]]
    new["angle"] = -new["angle"]
    return new
