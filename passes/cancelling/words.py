"""Circuits to words of items, see `cancel_runs`."""

from __future__ import annotations

import numpy as np

from qwasmc.ir.circuit import VARIADIC
from qwasmc.ir.wires import COUNT, MAKES_QUBIT, TAKES_QUBITS
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
    Ints,
    Word,
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
EVERYWHERE = np.array(
    [spec.name in ("rev_begin", "rev_end", "uncompute", "syndrome") for spec in OPS]
)
"""Rows that are about the gates before and after them on all wires."""


@kernel
def read(
    op: Ints, operands: Ints, pool: Ints, made: Ints, cond: Ints, angle: Ints, n_wires: int
) -> tuple[Word, Ints]:
    """The items of a circuit and the pool of the wires of its rows.

    Wire `n_wires` is there to keep what makes or takes bits, or starts or ends a qubit, in order.
    """
    n = len(op)
    word = Word(
        KIND[op],
        operands[:, :2].copy(),
        LABELS[op].astype(np.int8),
        VALUE[op].astype(np.int32),
        angle.copy(),
        np.arange(n).astype(np.int32),
    )
    wires = [n_wires]
    used = np.zeros(n_wires, np.bool_)
    touched = [n_wires]
    for row in range(n):
        code = op[row]
        if cond[row] >= 0:
            word.kind[row] = ROW
            for p in range(3):
                if code == PAULIS[p]:
                    word.kind[row] = PAULI
                    word.labels[row, 0] = p
                    word.wires[row, 1] = n_wires
        start = len(wires)
        _wires_of_row(code, operands[row], pool, made[row], wires)
        for wire in wires[start:]:
            if not used[wire]:
                used[wire] = True
                touched.append(wire)
        if word.kind[row] != ROW:
            del wires[start:]
            continue
        if EVERYWHERE[code]:
            for wire in touched[1:]:
                used[wire] = False
                wires.append(wire)
            del touched[1:]
        if cond[row] >= 0 or not FREELY[code]:
            wires.append(n_wires)
        word.wires[row, 0] = start
        word.wires[row, 1] = len(wires) - start
    return word, np.array(wires)


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


@kernel
def reverse(word: Word) -> Word:
    """The inverse items in the opposite order; other rows stay what they are."""
    value = word.value[::-1].copy()
    kind = word.kind[::-1].copy()
    for place in range(len(kind)):
        if kind[place] == TURN:
            value[place] = -value[place]
        elif kind[place] == FRAME:
            value[place] = INVERSE[value[place]]
    return Word(
        kind,
        word.wires[::-1].copy(),
        word.labels[::-1].copy(),
        value,
        -word.angle[::-1],
        word.source[::-1].copy(),
    )
