"""Putting the replacement of a rule in the place of what it matches.

A place may be replaced as one only if no path leads out of it and back in.  Rows that depend on it,
and stand in between in the order, go behind the replacement, the other ones before it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.cost import TAKES_TIME
from qwasmc.kernel import kernel
from qwasmc.passes.rewriting import graph as g
from qwasmc.passes.rewriting import tables as t
from qwasmc.passes.rewriting.features import INTO, N_FEATURES, OUT_OF, bit_of, set_ends
from qwasmc.passes.rewriting.graph import Graph, head
from qwasmc.passes.rewriting.matching import Found, angle_of
from qwasmc.passes.rewriting.tables import CHAIN, Sides
from qwasmc.rules.rule import MAX_QUBITS, MAX_STEPS

Ints = NDArray[Any]

SPAN = 512
"""Most rows of the circuit from the first to the last one of a match, in the order."""

EFFORT = 256
"""Rows that a sweep may look at around its matches, over the number of rows; circuits in use take
less than 32.  When that is used up nothing more is replaced, so time is linear in the size."""


class Work(NamedTuple):
    """Room for a sweep."""

    go: Ints
    """Rows that stand before the last row of a match and depend on it."""
    new: Ints
    """Rows that are put there."""
    free: Ints
    """Numbers of rows that may be used again."""
    features: Ints
    used: NDArray[np.int64]
    """By rule, how often it was applied."""
    state: NDArray[np.int64]
    """See MARK."""


MARK, N_FREE, N_ROWS, LEFT, GO, STAYED, PASSED = range(7)
"""Columns of states: latest mark; numbers in `free`; rows ever used; rows that may still be looked
at; and, of the match that was looked at last: rows in `go`, the last row behind which it may go,
and the last such row up to the anchor."""


def work_for(graph: Graph, n_rules: int) -> Work:
    """Room for a sweep with so many rules."""
    n_rows = graph.n_rows
    return Work(
        np.zeros(SPAN, dtype=np.int32),
        np.zeros(MAX_STEPS + 2 * MAX_QUBITS, dtype=np.int32),
        np.zeros(len(graph.rows), dtype=np.int32),
        np.zeros(N_FEATURES, dtype=np.int64),
        np.zeros(n_rules, dtype=np.int64),
        np.array([0, 0, n_rows, EFFORT * (n_rows + SPAN), 0, 0, 0]),
    )


@kernel
def _first_and_last(hit: int, graph: Graph, sides: Sides, found: Found) -> tuple[int, int]:
    """The first and the last row of a match, in the order."""
    variant = sides.variants[found.variant[hit]]
    first = last = found.rows[hit, 0]
    for step in range(variant[t.REPLACEMENT] - variant[t.PATTERN]):
        row = found.rows[hit, step]
        if graph.label[row] < graph.label[first]:
            first = row
        if graph.label[row] > graph.label[last]:
            last = row
    return first, last


@kernel
def fit(hit: int, anchor: int, graph: Graph, sides: Sides, found: Found, work: Work) -> int:
    """Fill in `go`, and of `state` what is about a match.

    -1 if the match cannot be replaced as one, spans too many rows, or would measure in another
    order; else 0.
    """
    rows, slots, touched, state = graph.rows, graph.slots, graph.touched, work.state
    variant = sides.variants[found.variant[hit]]
    first, last = _first_and_last(hit, graph, sides, found)
    state[MARK] += 2
    matched = state[MARK]
    for step in range(variant[t.REPLACEMENT] - variant[t.PATTERN]):
        graph.mark[found.rows[hit, step]] = matched
    if graph.label[last] - graph.label[first] > SPAN * g.GAP:
        return -1
    state[GO] = 0
    state[STAYED] = state[PASSED] = rows[first, g.BEFORE]
    n_wires = graph.n_wires + 2
    row = first
    while state[LEFT] > 0 and state[GO] < SPAN:
        state[LEFT] -= 1
        ours = graph.mark[row] == matched
        # Wires and bits are touched by rows of the match, or by rows that depend on it.
        latest = np.int64(0)
        begin, end = rows[row, g.BASE], rows[row, g.BASE] + rows[row, g.SLOTS]
        for slot in range(begin, end):
            latest = max(latest, touched[slots[slot, g.WIRE]])
        if rows[row, g.COND] >= 0:
            latest = max(latest, touched[n_wires + rows[row, g.COND]])
        for at in range(rows[row, g.BITS], rows[row, g.BITS] + rows[row, g.N_BITS]):
            latest = max(latest, touched[n_wires + graph.read[at]])
        depends = latest > matched or (latest == matched and not ours)
        if depends and ours:
            return -1
        if ours or depends:
            for slot in range(begin, end):
                touched[slots[slot, g.WIRE]] = matched + depends
            if rows[row, g.MADE] >= 0:
                touched[n_wires + rows[row, g.MADE]] = matched + depends
        if depends:
            work.go[state[GO]] = row
            state[GO] += 1
        elif not ours:
            state[STAYED] = row
        if row == anchor:
            state[PASSED] = state[STAYED]
        if row == last:
            return _measures_in_order(variant, hit, first, graph, sides, found)
        row = rows[row, g.AFTER]
    return -1


@kernel
def _measures_in_order(
    variant: Ints, hit: int, first: int, graph: Graph, sides: Sides, found: Found
) -> int:
    """0 if the replacement measures in the order of the rows that it replaces, else -1."""
    latest = graph.label[first]
    for at in range(variant[t.REPLACEMENT], variant[t.END]):
        if sides.steps[at, t.OUT] >= 0:
            label = graph.label[found.rows[hit, sides.steps[at, t.STEM]]]
            if label < latest:
                return -1
            latest = label
    return 0


@kernel
def replace(hit: int, gains: bool, graph: Graph, sides: Sides, found: Found, work: Work) -> int:
    """Put the replacement in the place of a match that was the last one to fit; the row to go on
    with, or -1 if there is no room."""
    rows, label, state = graph.rows, graph.label, work.state
    variant = sides.variants[found.variant[hit]]
    n_old = variant[t.REPLACEMENT] - variant[t.PATTERN]
    n_new = variant[t.END] - variant[t.REPLACEMENT]
    _, last = _first_and_last(hit, graph, sides, found)
    behind, after, go = state[STAYED], rows[last, g.AFTER], state[GO]
    lowest = label[behind]
    highest = label[last] + g.GAP if after == head(rows) else label[after]
    step = (highest - lowest) // (go + n_new + 1)
    if step == 0 or state[N_ROWS] + n_new >= head(rows):
        return -1
    settled = not gains
    for at in range(n_old):
        settled = settled or rows[found.rows[hit, at], g.SETTLED] > 0
    set_ends(hit, graph, sides, found)
    for at in range(n_new):
        work.new[at] = _new_row(variant[t.REPLACEMENT] + at, hit, graph, sides, found, work)
        rows[work.new[at], g.SETTLED] = settled
    _link(variant, graph, sides, found, work)
    for number in range(n_old):
        old = found.rows[hit, number]
        _leave(old, rows)
        if old >= graph.n_rows:
            work.free[state[N_FREE]] = old
            state[N_FREE] += 1
    for row in work.go[:go]:
        _leave(row, rows)
    for number in range(n_new + go):
        row = work.new[number] if number < n_new else work.go[number - n_new]
        rows[behind, g.AFTER], rows[row, g.BEFORE] = row, behind
        lowest += step
        label[row] = lowest
        behind = row
    rows[behind, g.AFTER], rows[after, g.BEFORE] = after, behind
    return int(rows[state[PASSED], g.AFTER])


@kernel
def _leave(row: int, rows: Ints) -> None:
    """Take a row out of the order."""
    before, after = rows[row, g.BEFORE], rows[row, g.AFTER]
    rows[before, g.AFTER], rows[after, g.BEFORE] = after, before


@kernel
def _new_row(at: int, hit: int, graph: Graph, sides: Sides, found: Found, work: Work) -> int:
    """A row for a step of a replacement, on the wires of a match, not linked yet."""
    rows, state = graph.rows, work.state
    step = sides.steps[at]
    if state[N_FREE]:
        state[N_FREE] -= 1
        row = work.free[state[N_FREE]]
    else:
        row = state[N_ROWS]
        state[N_ROWS] += 1
    stem = found.rows[hit, step[t.STEM]]
    rows[row, g.OP], rows[row, g.COUNTED] = step[t.OP], step[t.N]
    rows[row, g.SLOTS] = step[t.N] + t.CHAINED[step[t.OP]]
    rows[row, g.KEY], rows[row, g.ERA] = rows[stem, g.KEY], rows[stem, g.ERA]
    rows[row, g.WORD], rows[row, g.N_BITS], rows[row, g.BITS] = step[t.LETTERS], 0, 0
    rows[row, g.COND] = rows[row, g.MADE] = -1
    if step[t.IF] >= 0:
        rows[row, g.COND] = bit_of(step[t.IF], hit, graph, sides, found)
    if step[t.OUT] >= 0:
        rows[row, g.MADE] = bit_of(step[t.OUT], hit, graph, sides, found)
        graph.maker[rows[row, g.MADE]] = row
    graph.angle[row] = 0.0
    if step[t.ANGLE] >= 0:
        graph.angle[row] = angle_of(step[t.ANGLE], hit, graph, sides, found)
    for k in range(step[t.N]):
        graph.slots[rows[row, g.BASE] + k, g.WIRE] = found.wires[hit, step[t.Q + k]]
    if t.CHAINED[step[t.OP]]:
        graph.slots[rows[row, g.BASE] + step[t.N], g.WIRE] = graph.n_wires
    return int(row)


@kernel
def _link(variant: Ints, graph: Graph, sides: Sides, found: Found, work: Work) -> None:
    """Link new rows along their wires, and measure their tails."""
    rows, slots, ends = graph.rows, graph.slots, found.ends
    last = ends[INTO].copy()
    n_new = variant[t.END] - variant[t.REPLACEMENT]
    for at in range(n_new):
        row, step = work.new[at], sides.steps[variant[t.REPLACEMENT] + at]
        for k in range(rows[row, g.SLOTS]):
            slot = rows[row, g.BASE] + k
            qubit = step[t.Q + k]
            slots[slot, g.PREV], slots[slot, g.NEXT] = last[qubit], -1
            if last[qubit] >= 0:
                slots[last[qubit], g.NEXT] = slot
            last[qubit] = slot
    for qubit in range(CHAIN + 1):
        slot = ends[OUT_OF, qubit]
        if last[qubit] >= 0:
            slots[last[qubit], g.NEXT] = slot
        if slot >= 0:
            slots[slot, g.PREV] = last[qubit]
    for number in range(n_new):
        row = work.new[n_new - 1 - number]
        tail = graph.waits[rows[row, g.MADE]] if rows[row, g.MADE] >= 0 else 0
        for k in range(rows[row, g.COUNTED]):
            slot = slots[rows[row, g.BASE] + k, g.NEXT]
            if slot >= 0:
                tail = max(tail, rows[slots[slot, g.OWNER], g.TAIL])
        rows[row, g.TAIL] = tail + TAKES_TIME[rows[row, g.OP]]
