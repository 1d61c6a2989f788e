"""A circuit as a graph of rows with links along wires, and an order that can be changed at will.

Each row has a slot per wire, with links to the slots before and after it on this wire.  Besides
those of qubits there are two wires that keep an order: one of all measurements and resets, because
the k-th one of a circuit is the k-th one of what is made from it, and one of rows without qubits,
such as results.  A new *era* begins behind each row that waits for everything before it, such as
`syndrome`.

The order of rows is a list with links, and labels that grow along it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.kernel import kernel

Ints = NDArray[Any]

OP, BASE, COUNTED, SLOTS, COND, MADE, WORD, KEY, ERA, LEVEL, TAIL, BEFORE, AFTER = range(13)
SETTLED, BITS, N_BITS = range(13, 16)
"""Columns of rows: op code; first slot, number of qubits, number of slots; bits that it depends on
and makes; letters of a product as a word; the row of the given circuit that it stems from; era;
longest paths to its end and from its start on; the rows before and after it in the order; whether
it was put there without gain; first bit that it reads, and how many."""

WIRE, PREV, NEXT, OWNER = range(4)
"""Columns of slots."""

GAP = 1 << 30
"""Between the labels of successive rows."""


class Graph(NamedTuple):
    """See the columns above; there is room for new rows."""

    rows: Ints
    slots: Ints
    label: NDArray[np.int64]
    mark: NDArray[np.int64]
    """By row, for whoever looks at some rows."""
    touched: NDArray[np.int64]
    """By wire, and then by bit, the same."""
    angle: NDArray[np.float64]
    maker: Ints
    """By bit, the row that makes it, or -1."""
    waits: Ints
    """By bit, the longest path from a row that reads it."""
    read: Ints
    """Bits that rows read, in their order."""
    n_rows: int
    """Rows from this number on are new."""
    n_wires: int
    """Wires from this number on only keep an order."""


@kernel
def head(rows: Ints) -> int:
    """The place before the first row of the order, and after the last one."""
    return len(rows) - 1


def arrange(graph: Graph) -> None:
    """Put the rows that are not new in the order of their numbers."""
    end = [head(graph.rows)]
    around = np.concatenate([end, np.arange(graph.n_rows), end])
    graph.rows[around[:-1], AFTER] = around[1:]
    graph.rows[around[1:], BEFORE] = around[:-1]
    graph.label[around[:-1]] = GAP * np.arange(graph.n_rows + 1)


def arranged(graph: Graph) -> Ints:
    """The rows in their order."""
    return _arranged(graph.rows)


@kernel
def _arranged(rows: Ints) -> Ints:
    found = np.empty(len(rows), np.int32)
    count = 0
    row = rows[len(rows) - 1, AFTER]
    while row != len(rows) - 1:
        found[count] = row
        count += 1
        row = rows[row, AFTER]
    return found[:count].copy()


def by_need(graph: Graph, seeds: Ints) -> Ints:
    """The given rows, each right behind those that it needs and that come later among them."""
    return _by_need(graph.rows, graph.slots, graph.maker, graph.read, seeds)


@kernel
def needed(rows: Ints, slots: Ints, maker: Ints, read: Ints, row: int, which: int) -> int:
    """The row that a row needs for its slot, its condition or a bit that it reads, or -1."""
    n_slots = rows[row, SLOTS]
    if which < n_slots:
        before = slots[rows[row, BASE] + which, PREV]
        return slots[before, OWNER] if before >= 0 else -1
    bit = rows[row, COND] if which == n_slots else read[rows[row, BITS] + which - n_slots - 1]
    return maker[bit] if bit >= 0 else -1


@kernel
def n_needed(rows: Ints, row: int) -> int:
    """For how many `which` there is something in `needed`."""
    return int(rows[row, SLOTS] + 1 + rows[row, N_BITS])


@kernel
def _by_need(rows: Ints, slots: Ints, maker: Ints, read: Ints, seeds: Ints) -> Ints:
    found = np.empty(len(seeds), np.int32)
    progress = np.full(len(rows), -1, np.int32)
    waiting = np.empty(len(seeds), np.int32)
    count = 0
    for seed in seeds:
        if progress[seed] >= 0:
            continue
        depth = 0
        waiting[0], progress[seed] = seed, 0
        while depth >= 0:
            row = waiting[depth]
            if progress[row] == n_needed(rows, row):
                found[count] = row
                count += 1
                depth -= 1
                continue
            before = needed(rows, slots, maker, read, row, progress[row])
            progress[row] += 1
            if before >= 0 and progress[before] < 0:
                depth += 1
                waiting[depth], progress[before] = before, 0
    return found
