"""Circuits on wires as graphs, and back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.ir.circuit import MAX_FIXED, VARIADIC
from qwasmc.ir.wires import COUNT, MAKES_QUBIT, TAKES_BITS, TAKES_QUBITS, Wired
from qwasmc.kernel import kernel
from qwasmc.ops import CODE, OPS
from qwasmc.passes.pauli.items import FENCE
from qwasmc.passes.rewriting.graph import (
    BASE,
    BITS,
    COND,
    COUNTED,
    ERA,
    KEY,
    MADE,
    N_BITS,
    NEXT,
    OP,
    OWNER,
    PREV,
    SLOTS,
    WIRE,
    WORD,
    Graph,
    arrange,
    arranged,
    by_need,
)
from qwasmc.passes.rewriting.patterns import letters_of, word
from qwasmc.passes.rewriting.tables import CHAINED
from qwasmc.rules.rule import MAX_QUBITS

Ints = NDArray[Any]

OTHER = -1
"""The word of rows that no pattern may match: products of many letters, allocs and ends of the
program's qubits."""

FAR = 1 << 10
"""Rows that are further apart than this in the order are just far apart."""

NEW_SLOTS = MAX_QUBITS + 1
"""Slots of a row that a rule makes."""

_FENCE = FENCE | np.array([spec.is_marker for spec in OPS])
_KEEPS_ORDER = np.array(
    [spec.qubits == 0 and not spec.makes_qubit and not spec.makes_bit for spec in OPS]
)
_ALLOC, _FREE, _PPM = CODE["alloc"], CODE["free"], CODE["ppm"]


def load(wired: Wired) -> Graph:
    """The graph of a circuit, with rows on a wire close to each other.

    They are in the order in which they are given or, if that is better, ordered depth first: from
    the last ones of each era, each right behind what it needs.
    """
    return _linked(wired, _local_order(wired), len(wired) // 4 + 1024)


def _local_order(wired: Wired) -> Ints:
    """The order that `load` puts rows into."""
    given = np.arange(len(wired))
    graph = _linked(wired, given, 1)
    eras = 2 * graph.rows[: len(wired), ERA] + _FENCE[wired.op]
    deep = by_need(graph, np.lexsort((-given, eras)))
    place = np.empty(len(wired), dtype=np.int64)
    place[deep] = given
    return deep if _stretch(graph, place) < _stretch(graph, given) else given


def _linked(given: Wired, order: Ints, spare: int) -> Graph:
    """The graph of a circuit with its rows in some order, with room for so many new ones."""
    wired = given.take(order)
    size, room = len(wired), len(wired) + spare
    n_pooled = int(wired.operands[VARIADIC[wired.op], 1].sum())
    rows = np.full((room, 16), -1, dtype=np.int32)
    rows[:size, OP] = wired.op
    rows[:size, COND] = wired.cond
    rows[:size, MADE] = np.where(MAKES_QUBIT[wired.op], -1, wired.made)
    rows[:size, WORD] = _words(wired)
    rows[:size, KEY] = order
    angle = np.zeros(room)
    angle[:size] = wired.angle
    wide = abs(angle) > np.pi
    angle[wide] = np.arctan2(np.sin(angle[wide]), np.cos(angle[wide]))
    old_slots = 4 * size + n_pooled
    slots = np.full((old_slots + NEW_SLOTS * (room - size), 4), -1, dtype=np.int32)
    maker = np.full(wired.n_bits, -1, dtype=np.int32)
    read = np.empty(max(n_pooled + int(_KEEPS_ORDER[wired.op].sum()), 1), dtype=np.int32)
    pool = _sorted_products(wired)
    _link(rows, slots, maker, read, wired.operands, pool, wired.made, wired.n_wires)
    new = np.arange(room - size, dtype=np.int32)
    rows[size:, BASE] = old_slots + NEW_SLOTS * new
    slots[old_slots:, OWNER] = np.repeat(size + new, NEW_SLOTS)
    graph = Graph(
        rows,
        slots,
        np.zeros(room, dtype=np.int64),
        np.zeros(room, dtype=np.int64),
        np.zeros(wired.n_wires + 2 + wired.n_bits, dtype=np.int64),
        angle,
        maker,
        np.zeros(wired.n_bits, dtype=np.int32),
        read,
        size,
        wired.n_wires,
    )
    arrange(graph)
    return graph


def _sorted_products(wired: Wired) -> Ints:
    """The pool with the wires of short products in the order of their letters."""
    pool = wired.pool.copy()
    products = np.flatnonzero(wired.op == _PPM)
    for attr in np.unique(wired.attr[products]).tolist():
        letters = wired.names[attr]
        if len(letters) <= MAX_QUBITS:
            first = wired.operands[products[wired.attr[products] == attr], 0]
            order = sorted(range(len(letters)), key=letters.__getitem__)
            for to, at in enumerate(order):
                pool[first + to] = wired.pool[first + at]
    return pool


def _words(wired: Wired) -> Ints:
    """By row, the number that edges of the tree compare."""
    by_name = np.array(
        [
            word("".join(sorted(name))) if len(name) <= MAX_QUBITS and not name.strip("XYZ") else -1
            for name in wired.names
        ]
        or [OTHER],
        dtype=np.int32,
    )
    named = np.array([bool(name) for name in wired.names] or [False])
    ours = np.ones(wired.n_wires, dtype=np.bool_)
    allocs = np.flatnonzero(wired.op == _ALLOC)
    ours[wired.made[allocs]] = named[wired.attr[allocs]]
    found = np.zeros(len(wired), dtype=np.int32)
    products = wired.op == _PPM
    found[products] = by_name[wired.attr[products]]
    found[allocs] = np.where(ours[wired.made[allocs]], OTHER, 0)
    frees = wired.op == _FREE
    found[frees] = np.where(ours[wired.operands[frees, 0]], OTHER, 0)
    return found


@kernel
def _link(
    rows: Ints,
    slots: Ints,
    maker: Ints,
    read: Ints,
    operands: Ints,
    pool: Ints,
    made: Ints,
    n_wires: int,
) -> None:
    """Fill in slots, eras and bits of rows."""
    last = np.full(n_wires + 2, -1, np.int32)
    used = n_read = era = 0
    for row in range(len(operands)):
        code = rows[row, OP]
        rows[row, BASE], rows[row, ERA] = used, era
        rows[row, BITS], rows[row, N_BITS] = n_read, 0
        count = 0
        if MAKES_QUBIT[code]:
            slots[used, WIRE] = made[row]
            count = 1
        else:
            variadic = VARIADIC[code]
            n = operands[row, 1] if variadic else COUNT[code]
            for k in range(n):
                item = pool[operands[row, 0] + k] if variadic else operands[row, k]
                if TAKES_QUBITS[code]:
                    slots[used + k, WIRE] = item
                elif TAKES_BITS[code]:
                    read[n_read + k] = item
            if TAKES_QUBITS[code]:
                count = n
            elif TAKES_BITS[code]:
                rows[row, N_BITS] = n
                n_read += n
        rows[row, COUNTED] = count
        if CHAINED[code]:
            slots[used + count, WIRE] = n_wires
            count += 1
        elif _KEEPS_ORDER[code]:
            slots[used + count, WIRE] = n_wires + 1
            count += 1
        rows[row, SLOTS] = count
        for slot in range(used, used + count):
            before = last[slots[slot, WIRE]]
            slots[slot, PREV], slots[slot, OWNER] = before, row
            if before >= 0:
                slots[before, NEXT] = slot
            last[slots[slot, WIRE]] = slot
        used += count
        if rows[row, MADE] >= 0:
            maker[rows[row, MADE]] = row
        era += _FENCE[code]


def _stretch(graph: Graph, place: Ints) -> int:
    """How far apart rows are that follow each other on a wire, if each has this place."""
    after = np.flatnonzero((graph.slots[:, PREV] >= 0) & (graph.slots[:, WIRE] < graph.n_wires))
    before = graph.slots[after, PREV]
    apart = place[graph.slots[after, OWNER]] - place[graph.slots[before, OWNER]]
    return int(np.minimum(apart, FAR).sum())


def unload(graph: Graph, wired: Wired) -> Wired:
    """The circuit of a graph that was made from `wired`, as near to its order as may be."""
    order = arranged(graph)
    order = by_need(graph, order[np.argsort(graph.rows[order, KEY], kind="stable")])
    rows = graph.rows[order]
    key = rows[:, KEY]
    old = order < len(wired)
    products = np.flatnonzero(~old & (rows[:, OP] == _PPM))
    names = list(wired.names)
    numbers = {name: at for at, name in enumerate(names)}
    attr = np.where(old | (rows[:, OP] == _ALLOC), wired.attr[key], 0)
    first = rows[:, BASE, None] + np.arange(MAX_FIXED)
    wires = np.where(
        np.arange(MAX_FIXED) < rows[:, COUNTED, None],
        graph.slots[np.minimum(first, len(graph.slots) - 1), WIRE],
        -1,
    )
    is_alloc = rows[:, OP] == _ALLOC
    made = np.where(is_alloc, wires[:, 0], rows[:, MADE])
    wires[is_alloc] = -1
    pool = [wired.pool]
    used = len(wired.pool)
    for at in products.tolist():
        letters = letters_of(int(rows[at, WORD]))
        if letters not in numbers:
            numbers[letters] = len(names)
            names.append(letters)
        attr[at] = numbers[letters]
        wires[at] = used, len(letters), 0
        base = int(rows[at, BASE])
        pool.append(graph.slots[base : base + len(letters), WIRE])
        used += len(letters)
    return replace(
        wired,
        op=rows[:, OP].astype(np.uint8),
        operands=np.where(old[:, None], wired.operands[key], wires).astype(np.int32),
        made=np.where(old, wired.made[key], made).astype(np.int32),
        cond=rows[:, COND],
        angle=np.where(old, wired.angle[key], graph.angle[order]),
        attr=attr.astype(np.int32),
        loc=wired.loc[key],
        pool=np.concatenate(pool).astype(np.int32),
        names=names,
    )
