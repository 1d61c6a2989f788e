"""A circuit without its one-qubit Clifford gates: rotations and two-qubit gates in any basis.

One-qubit Clifford gates are pushed back through what follows them, up to the next row that is not a
gate known here, so that blocks of gates can be compared and replaced whatever basis they are in:

    h a; cx a, b; t a; measure_z a   =    C(X_a, X_b); rotation about X_a; h a; measure_z a

An *item* is a row of six integers, with signed Paulis and Clifford gates as in `cancelling.frames`:

    TURN    wire, -1, signed Pauli, 0, row     the rotation of that row (t, tdg or rz) about a Pauli
    GATE    wire, wire, P, Q, row              C(P, Q), see `network`
    SWAP    wire, wire, 0, 0, row
    LOCAL   wire, -1, Clifford gate, 0, row    where such gates cannot go on
    OPAQUE  -1, -1, 0, 0, row                  any other row
    GONE                                       nothing
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.ir.circuit import VARIADIC
from qwasmc.ir.wires import COUNT, MAKES_QUBIT, TAKES_QUBITS, Wired
from qwasmc.kernel import kernel
from qwasmc.ops import CODE, OPS
from qwasmc.passes.cancelling.frames import (
    IDENTITY,
    IMAGE,
    INVERSE,
    NAMES,
    NUMBER,
    PAULI,
    PRODUCT,
    WORD,
    X,
    Y,
    Z,
)

Ints = NDArray[Any]

TURN, GATE, SWAP, LOCAL, OPAQUE, GONE = range(6)
KIND, A, B, P, Q, ROW = range(6)

PULL = IMAGE[INVERSE]
"""(24, 6): the signed Pauli C^-1 P C."""


def _by_op(numbers: dict[str, int]) -> Ints:
    return np.array([numbers.get(spec.name, -1) for spec in OPS])


_CLIFFORD = _by_op(dict(zip(NAMES, NUMBER.tolist(), strict=True)))
_TURNS = np.isin(np.arange(len(OPS)), [CODE[name] for name in ("t", "tdg", "rz")])
_FIRST = _by_op({"cx": Z, "cy": Z, "cz": Z})
_SECOND = _by_op({"cx": X, "cy": Y, "cz": Z})
_SWAP, _CX_CODE, _CZ_CODE = CODE["swap"], CODE["cx"], CODE["cz"]
FENCE = np.array(
    [spec.qubits == 0 and not (spec.makes_qubit or spec.makes_bit or spec.bits) for spec in OPS]
)
"""Rows without qubits that stand at a certain time: nothing moves across them."""
FENCE[CODE["pragma"]] = False

_GATE_CODE = np.array([CODE[name] for name in NAMES])
_H, _SX, _SDG = (int(NUMBER[NAMES.index(name)]) for name in ("h", "sx", "sdg"))

_TO_Z = np.array([_H, _SX, IDENTITY])
"""By letter, a gate that makes it Z or -Z."""

_CX, _XC, _CZ = range(3)
_FORM = np.full((3, 3, 3), IDENTITY)
"""By letters P and Q: gates before and cx, cx the other way, or cz, that together are C(P, Q)."""
for _p, _q, _form in (
    (X, X, (_H, IDENTITY, _CX)),
    (X, Y, (IDENTITY, _SX, _XC)),
    (X, Z, (IDENTITY, IDENTITY, _XC)),
    (Y, X, (_SX, IDENTITY, _CX)),
    (Y, Y, (_SX, _SDG, _CX)),
    (Y, Z, (_SDG, IDENTITY, _XC)),
    (Z, X, (IDENTITY, IDENTITY, _CX)),
    (Z, Y, (IDENTITY, _SDG, _CX)),
    (Z, Z, (IDENTITY, IDENTITY, _CZ)),
):
    _FORM[_p, _q] = _form


@kernel
def put(item: Ints, kind: int, a: int, b: int, p: int, q: int, row: int) -> None:
    """Fill an item."""
    item[KIND], item[A], item[B], item[P], item[Q], item[ROW] = kind, a, b, p, q, row


@kernel
def push(item: Ints, frame: Ints) -> None:
    """Push the Clifford gates on wires, in `frame`, from before an item to behind it."""
    kind, a, b = item[KIND], item[A], item[B]
    if kind == TURN:
        item[P] = PULL[frame[a], item[P]]
    elif kind == GATE:
        p, q = PULL[frame[a], item[P]], PULL[frame[b], item[Q]]
        item[P], item[Q] = p % 3, q % 3
        # C(-P, Q) is C(P, Q) and then Q.
        if p > Z:
            frame[b] = PRODUCT[frame[b], PAULI[q % 3]]
        if q > Z:
            frame[a] = PRODUCT[frame[a], PAULI[p % 3]]
    elif kind == SWAP:
        frame[a], frame[b] = frame[b], frame[a]
    elif kind == LOCAL:
        item[P] = PRODUCT[item[P], frame[a]]
        frame[a] = IDENTITY


@kernel
def wires_of(row: int, op: Ints, operands: Ints, pool: Ints, made: Ints, out: Ints) -> int:
    """Fill `out` with the wires of a row, also one that it makes; how many."""
    if MAKES_QUBIT[op[row]]:
        out[0] = made[row]
        return 1
    if not TAKES_QUBITS[op[row]]:
        return 0
    variadic = VARIADIC[op[row]]
    count = operands[row, 1] if variadic else COUNT[op[row]]
    for slot in range(count):
        out[slot] = pool[operands[row, 0] + slot] if variadic else operands[row, slot]
    return int(count)


def to_items(wired: Wired) -> Ints:
    """The items of a circuit, (n, 6)."""
    size = 4 * len(wired) + len(wired.pool)
    return _to_items(
        wired.op, wired.operands, wired.pool, wired.made, wired.cond, wired.n_wires, size
    )


@kernel
def _to_items(
    op: Ints, operands: Ints, pool: Ints, made: Ints, cond: Ints, n_wires: int, size: int
) -> Ints:
    items = np.empty((size, 6), np.int32)
    frame = np.full(n_wires, IDENTITY)
    latest = np.zeros(n_wires, np.int64)
    open_wires = np.zeros(n_wires, np.int64)
    is_open = np.zeros(n_wires, np.int64)
    n_open = count = 0
    wires = np.zeros(max(3, n_wires), np.int64)
    for row in range(len(op) + 1):
        code = op[row] if row < len(op) else _SWAP
        if row == len(op) or FENCE[code]:
            for at in range(n_open):
                put(items[count], LOCAL, open_wires[at], -1, IDENTITY, 0, latest[open_wires[at]])
                push(items[count], frame)
                is_open[open_wires[at]] = 0
                count += 1
            n_open = 0
            if row == len(op):
                break
        taken = wires_of(row, op, operands, pool, made, wires)
        known = _CLIFFORD[code] >= 0 or _TURNS[code] or _FIRST[code] >= 0 or code == _SWAP
        if not known or cond[row] >= 0:
            for wire in wires[:taken]:
                put(items[count], LOCAL, wire, -1, IDENTITY, 0, latest[wire])
                push(items[count], frame)
                count += is_open[wire]
            put(items[count], OPAQUE, -1, -1, 0, 0, row)
            count += 1
            continue
        for wire in wires[:taken]:
            latest[wire] = row
            if not is_open[wire]:
                is_open[wire] = 1
                open_wires[n_open] = wire
                n_open += 1
        if _CLIFFORD[code] >= 0:
            frame[wires[0]] = PRODUCT[_CLIFFORD[code], frame[wires[0]]]
            continue
        if _TURNS[code]:
            put(items[count], TURN, wires[0], -1, Z, 0, row)
        elif code == _SWAP:
            put(items[count], SWAP, wires[0], wires[1], 0, 0, row)
        else:
            put(items[count], GATE, wires[0], wires[1], _FIRST[code], _SECOND[code], row)
        push(items[count], frame)
        count += 1
    return items[:count].copy()


def from_items(items: Ints, wired: Wired) -> Wired:
    """The circuit of items that were made from `wired`; new rows have the places of old ones."""
    op, operands, row, flipped, copied = _from_items(items, wired.op, wired.n_wires)
    t, tdg = CODE["t"], CODE["tdg"]
    opposite = np.where(op == t, tdg, np.where(op == tdg, t, op))
    angle = np.where(copied | (op == CODE["rz"]), wired.angle[row], 0.0)
    return replace(
        wired,
        op=np.where(flipped, opposite, op).astype(np.uint8),
        operands=np.where(copied[:, None], wired.operands[row], operands),
        made=np.where(copied, wired.made[row], np.int32(-1)),
        cond=np.where(copied, wired.cond[row], np.int32(-1)),
        angle=np.where(flipped, -angle, angle),
        attr=np.where(copied, wired.attr[row], np.int32(0)),
        loc=wired.loc[row],
    )


@kernel
def _from_items(items: Ints, op: Ints, n_wires: int) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """Op codes, operands, rows that they stem from, and which are flipped turns or copies."""
    size = 3 * len(items)
    code, row = np.empty(size, np.uint8), np.empty(size, np.int32)
    operands = np.full((size, 3), -1, np.int32)
    flipped, copied = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
    frame = np.full(n_wires, IDENTITY)
    count = 0
    for at in range(len(items)):
        item = items[at].copy()
        kind, a, b = item[KIND], item[A], item[B]
        push(item, frame)
        before_a = before_b = IDENTITY
        if kind == TURN:
            before_a = _TO_Z[item[P] % 3]
        elif kind == GATE:
            before_a, before_b, form = _FORM[item[P], item[Q]]
        elif kind == LOCAL:
            before_a = item[P]
        for wire, gate in ((a, before_a), (b, before_b)):
            for name in WORD[gate]:
                if name >= 0:
                    code[count], operands[count, 0] = _GATE_CODE[name], wire
                    row[count] = item[ROW]
                    count += 1
        if kind == LOCAL:
            continue
        row[count] = item[ROW]
        if kind == OPAQUE:
            code[count] = op[item[ROW]]
            copied[count] = True
        elif kind == TURN:
            frame[a] = PRODUCT[frame[a], INVERSE[before_a]]
            code[count], operands[count, 0] = op[item[ROW]], a
            flipped[count] = IMAGE[before_a, item[P]] > Z
        elif kind == SWAP:
            code[count], operands[count, 0], operands[count, 1] = _SWAP, a, b
        else:
            code[count] = _CZ_CODE if form == _CZ else _CX_CODE
            operands[count, 0] = b if form == _XC else a
            operands[count, 1] = a if form == _XC else b
            p, q = IMAGE[before_a, item[P]], IMAGE[before_b, item[Q]]
            frame[a] = PRODUCT[frame[a], INVERSE[before_a]]
            frame[b] = PRODUCT[frame[b], INVERSE[before_b]]
            if p > Z:
                frame[b] = PRODUCT[frame[b], PAULI[q % 3]]
            if q > Z:
                frame[a] = PRODUCT[frame[a], PAULI[p % 3]]
        count += 1
    return code[:count], operands[:count], row[:count], flipped[:count], copied[:count]
