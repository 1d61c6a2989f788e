"""Where rules match: a walk through the tree of patterns, from one row along its wires."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.kernel import kernel
from qwasmc.passes.rewriting import graph as g
from qwasmc.passes.rewriting import tables as t
from qwasmc.passes.rewriting.graph import Graph
from qwasmc.passes.rewriting.patterns import BACK, MAKER, START
from qwasmc.passes.rewriting.tables import KIND, Sides, Tree
from qwasmc.passes.rotations.synthesis import EIGHTH, TOLERANCE
from qwasmc.rules.rule import MAX_QUBITS, MAX_STEPS

Ints = NDArray[Any]

MAX_FOUND = 256
"""Most matches that are looked at from one row."""


class Found(NamedTuple):
    """Matches from one row, as far as there are some, and room for the walk to them."""

    variant: Ints
    rows: Ints
    """(matches, steps): in the order of the walk."""
    wires: Ints
    """(matches, qubits)."""
    stack: Ints
    """By step: node, move, edge, row of the move, slot that it enters, and whether its two qubits
    are exchanged."""
    path: Ints
    """Rows of the steps so far."""
    known: Ints
    """Wires of the qubits so far, and bits behind."""
    ends: Ints
    """(2, qubits): slots around a match, see `features`."""
    levels: Ints
    """(2, steps): room for `features`."""


def room() -> Found:
    """Room for matches."""
    return Found(
        np.zeros(MAX_FOUND, dtype=np.int32),
        np.zeros((MAX_FOUND, MAX_STEPS), dtype=np.int32),
        np.zeros((MAX_FOUND, MAX_QUBITS), dtype=np.int32),
        np.zeros((MAX_STEPS + 1, 6), dtype=np.int32),
        np.zeros(MAX_STEPS, dtype=np.int32),
        np.zeros(MAX_QUBITS + MAX_STEPS, dtype=np.int32),
        np.zeros((2, MAX_QUBITS + 1), dtype=np.int32),
        np.zeros((2, MAX_STEPS), dtype=np.int32),
    )


NODE, MOVE, EDGE, TARGET, ENTERED, SWAPPED = range(6)


@kernel
def find(anchor: int, graph: Graph, tree: Tree, found: Found) -> int:
    """Fill in the matches that are anchored at a row; how many there are."""
    rows, slots, maker = graph.rows, graph.slots, graph.maker
    nodes, moves, edges, heads = tree.nodes, tree.moves, tree.edges, tree.heads
    beside, leaves = tree.slots, tree.leaves
    stack, path, known = found.stack, found.path, found.known
    count = depth = 0
    stack[0, NODE], stack[0, MOVE], stack[0, EDGE] = 0, -1, -1
    while depth >= 0:
        node = stack[depth, NODE]
        edge = stack[depth, EDGE]
        if edge < 0:
            stack[depth, MOVE] += 1
            if stack[depth, MOVE] == nodes[node, t.N_MOVES]:
                depth -= 1
                continue
            move = nodes[node, t.FIRST_MOVE] + stack[depth, MOVE]
            row, entered, swapped = _moved(move, moves, anchor, rows, slots, maker, stack, path)
            if row < 0 or KIND[rows[row, g.OP]] < 0 or rows[row, g.ERA] != rows[anchor, g.ERA]:
                continue
            stack[depth, EDGE] = heads[move, KIND[rows[row, g.OP]]]
            stack[depth, TARGET], stack[depth, ENTERED] = row, entered
            stack[depth, SWAPPED] = swapped
            continue
        stack[depth, EDGE] = edges[edge, t.SIBLING]
        row, entered = stack[depth, TARGET], stack[depth, ENTERED]
        if entered >= 0:
            exchanged = entered ^ edges[edge, t.ENTERED]
            if edges[edge, t.ENTERED] >= 0 and exchanged and not edges[edge, t.SYMMETRY]:
                continue
            stack[depth, SWAPPED] = exchanged if edges[edge, t.SYMMETRY] else 0
        swap = stack[depth, SWAPPED]
        if not _fits(edge, edges, beside, row, swap, rows, slots, stack, path, known):
            continue
        path[depth] = row
        depth += 1
        node = edges[edge, t.NODE]
        stack[depth, NODE], stack[depth, MOVE], stack[depth, EDGE] = node, -1, -1
        first = nodes[node, t.FIRST_LEAF]
        for leaf in range(first, first + nodes[node, t.N_LEAVES]):
            if count == MAX_FOUND:
                return count
            found.variant[count] = leaves[leaf]
            found.rows[count, :depth] = path[:depth]
            found.wires[count] = known[:MAX_QUBITS]
            count += 1
    return count


@kernel
def _moved(
    move: int,
    moves: Ints,
    anchor: int,
    rows: Ints,
    slots: Ints,
    maker: Ints,
    stack: Ints,
    path: Ints,
) -> tuple[int, int, int]:
    """The row that a move leads to, the slot that it enters, and whether its qubits are exchanged;
    -1 where there is none."""
    way, step = moves[move, t.WAY], moves[move, t.FROM]
    if way >= START:
        return anchor, -1, way - START
    if way == MAKER:
        return maker[rows[path[step], g.COND]], -1, 0
    slot = rows[path[step], g.BASE] + (moves[move, t.SLOT] ^ stack[step, SWAPPED])
    at = slots[slot, g.PREV if way == BACK else g.NEXT]
    if at < 0:
        return -1, -1, 0
    row = slots[at, g.OWNER]
    return row, at - rows[row, g.BASE], 0


@kernel
def _fits(
    edge: int,
    edges: Ints,
    beside: Ints,
    row: int,
    swap: int,
    rows: Ints,
    slots: Ints,
    stack: Ints,
    path: Ints,
    known: Ints,
) -> bool:
    """Whether a row is as an edge wants it; then its qubits and bits are known."""
    if rows[row, g.COUNTED] != edges[edge, t.COUNT] or rows[row, g.WORD] != edges[edge, t.WORD]:
        return False
    base = rows[row, g.BASE]
    n_known = edges[edge, t.N_QUBITS]
    for k in range(edges[edge, t.COUNT]):
        slot = base + (k ^ swap)
        wire, qubit = slots[slot, g.WIRE], beside[edge, k, t.QUBIT]
        if qubit < n_known:
            if known[qubit] != wire:
                return False
        else:
            for other in range(n_known):
                if known[other] == wire:
                    return False
            known[qubit] = wire
        for way, link in ((t.BEHIND, g.PREV), (t.AHEAD, g.NEXT)):
            code = beside[edge, k, way]
            if code >= 0:
                step = code >> 2
                there = rows[path[step], g.BASE] + ((code & 3) ^ stack[step, SWAPPED])
                if slots[slot, link] != there:
                    return False
    if edges[edge, t.COND] < 0:
        if rows[row, g.COND] >= 0:
            return False
    elif not _same_bit(edges[edge, t.COND], rows[row, g.COND], edges[edge, t.N_BITS], known):
        return False
    return edges[edge, t.MADE] < 0 or _same_bit(
        edges[edge, t.MADE], rows[row, g.MADE], edges[edge, t.N_BITS], known
    )


@kernel
def _same_bit(number: int, bit: int, n_known: int, known: Ints) -> bool:
    """Whether a bit is the one of this number in a pattern; if that is new, it is from now on."""
    if bit < 0:
        return False
    if number < n_known:
        return bool(known[MAX_QUBITS + number] == bit)
    for other in range(n_known):
        if known[MAX_QUBITS + other] == bit:
            return False
    known[MAX_QUBITS + number] = bit
    return True


@kernel
def angle_of(number: int, hit: int, graph: Graph, sides: Sides, found: Found) -> float:
    """The value of a sum, for a match, in [-pi, pi]; multiples of pi/4 are exact."""
    begin, end, eighths = sides.sums[number]
    total = eighths * EIGHTH
    for at in range(begin, end):
        total += sides.terms[at, 1] * graph.angle[found.rows[hit, sides.terms[at, 0]]]
    total -= 2 * np.pi * np.round(total / (2 * np.pi))
    turns = np.round(total / EIGHTH)
    exact = turns * EIGHTH
    return float(exact if abs(total - exact) <= TOLERANCE else total)


@kernel
def holds(hit: int, graph: Graph, sides: Sides, found: Found) -> bool:
    """Whether the conditions of a match hold."""
    variant = sides.variants[found.variant[hit]]
    for number in range(variant[t.FIRST_CONDITION], variant[t.END_CONDITION]):
        if angle_of(number, hit, graph, sides, found) != 0.0:
            return False
    return True
