"""Sweeps over a circuit that replace what matches a rule, and the best circuit that they make."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.cost import TAKES_TIME, cost, t_count
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.wires import to_circuit, to_wires
from qwasmc.kernel import kernel
from qwasmc.passes.rewriting import graph as g
from qwasmc.passes.rewriting import tables as t
from qwasmc.passes.rewriting.features import N_FEATURES, describe, ranks, weigh
from qwasmc.passes.rewriting.graph import Graph, head, n_needed, needed
from qwasmc.passes.rewriting.loading import load, unload
from qwasmc.passes.rewriting.matching import Found, find, holds, room
from qwasmc.passes.rewriting.replacing import LEFT, Work, fit, replace, work_for
from qwasmc.passes.rewriting.tables import KIND, Sides, Tables, Tree

Ints = NDArray[Any]

WORTH = 0.002
"""The part of its rows that a sweep has to rewrite for another one to follow."""


MAX_ROWS = 1_500_000
"""No sweep begins after so many rows: the first two do nearly all that there is to do."""


def run(
    circuit: Circuit,
    tables: Tables,
    weights: NDArray[np.int64] | None,
    objective: str,
    sweeps: int,
) -> Circuit:
    """The best circuit of up to so many sweeps, or the given one.

    With `weights` (of `features.FEATURES`), the match with the largest sum of weighted features is
    applied, if that is more than 0; without, the first rule that gains something.  Whatever the
    weights, `qwasmc.cost.cost` does not rise, nor does the number of T.
    """
    return run_and_count(circuit, tables, weights, objective, sweeps)[0]


def run_and_count(
    circuit: Circuit,
    tables: Tables,
    weights: NDArray[np.int64] | None,
    objective: str,
    sweeps: int,
) -> tuple[Circuit, list[int]]:
    """The same, and how often each rule was applied on the way to that circuit."""
    best, used = circuit, np.zeros(len(tables.rules), dtype=np.int64)
    so_far = used.copy()
    least = cost(circuit, objective), len(circuit)
    for new, uses in swept(circuit, tables, weights, objective, sweeps):
        so_far += uses
        price = cost(new, objective), len(new)
        if price < least and t_count(new) <= t_count(circuit):
            best, least, used = new, price, so_far.copy()
    return best, used.tolist()


def swept(
    circuit: Circuit,
    tables: Tables,
    weights: NDArray[np.int64] | None,
    objective: str,
    sweeps: int,
) -> Iterator[tuple[Circuit, NDArray[np.int64]]]:
    """The circuit after each sweep, better or not, and how often it applied each rule."""
    usable = _usable(tables.sides, objective)
    chosen = np.zeros(N_FEATURES, np.int64) if weights is None else weights.astype(np.int64)
    wired = to_wires(circuit)
    seen = 0
    for _ in range(sweeps):
        if seen >= MAX_ROWS:
            break
        seen += len(wired)
        graph = load(wired)
        work = work_for(graph, len(tables.rules))
        learned, deepest = weights is not None, _measure(graph)
        judged = usable, ranks(objective), chosen, learned, deepest
        _sweep(graph, tables.tree, tables.sides, *judged, room(), work)
        applied = int(work.used.sum())
        if applied:
            wired = unload(graph, wired)
            yield to_circuit(wired), work.used
        if applied <= WORTH * len(wired):
            break


def _usable(sides: Sides, objective: str) -> NDArray[np.bool_]:
    """By rule, whether it may be applied: it neither adds T or rotations nor must raise the cost.

    A measurement of several qubits counts as much as a gate here, but not in `cost`.
    """
    saved = sides.saved
    found = (saved[:, t.ROTATIONS] >= 0) & (saved[:, t.T] >= 0)
    if objective in ("t", "two-qubit"):
        fewer = (saved[:, t.ROTATIONS] > 0) | (saved[:, t.T] > 0)
        same = (saved[:, t.TWO] >= 0) & (saved[:, t.TWO] + saved[:, t.JOINT] >= 0)
        found &= same | (fewer if objective == "t" else False)
    return found


@kernel
def _awaited(
    row: int, which: int, rows: Ints, slots: Ints, maker: Ints, read: Ints, n_wires: int
) -> int:
    """As `needed`, but -1 for what only keeps an order."""
    slot = rows[row, g.BASE] + which
    if which < rows[row, g.SLOTS] and slots[slot, g.WIRE] >= n_wires:
        return -1
    return needed(rows, slots, maker, read, row, which)


@kernel
def _level(row: int, rows: Ints, slots: Ints, maker: Ints, read: Ints, n_wires: int) -> int:
    """The longest path to the end of a row."""
    level = 0
    for which in range(n_needed(rows, row)):
        before = _awaited(row, which, rows, slots, maker, read, n_wires)
        if before >= 0:
            level = max(level, rows[before, g.LEVEL])
    return int(level + TAKES_TIME[rows[row, g.OP]])


@kernel
def _measure(graph: Graph) -> int:
    """Fill in levels and tails; the length of the longest path."""
    rows, slots, maker, read = graph.rows, graph.slots, graph.maker, graph.read
    n_wires = graph.n_wires
    deepest = 0
    row = rows[head(rows), g.AFTER]
    while row != head(rows):
        rows[row, g.LEVEL] = _level(row, rows, slots, maker, read, n_wires)
        rows[row, g.TAIL] = rows[row, g.SETTLED] = 0
        deepest = max(deepest, rows[row, g.LEVEL])
        row = rows[row, g.AFTER]
    row = rows[head(rows), g.BEFORE]
    while row != head(rows):
        rows[row, g.TAIL] += TAKES_TIME[rows[row, g.OP]]
        tail = rows[row, g.TAIL]
        for which in range(n_needed(rows, row)):
            before = _awaited(row, which, rows, slots, maker, read, n_wires)
            if before >= 0:
                rows[before, g.TAIL] = max(rows[before, g.TAIL], tail)
                if which >= rows[row, g.SLOTS]:
                    bit = rows[before, g.MADE]
                    graph.waits[bit] = max(graph.waits[bit], tail)
        row = rows[row, g.BEFORE]
    return deepest


@kernel
def _sweep(
    graph: Graph,
    tree: Tree,
    sides: Sides,
    usable: NDArray[np.bool_],
    rank: NDArray[np.int64],
    weights: NDArray[np.int64],
    learned: bool,
    deepest: int,
    found: Found,
    work: Work,
) -> None:
    """Go along the order; go back a bit after each replacement."""
    rows, slots, maker, read = graph.rows, graph.slots, graph.maker, graph.read
    n_wires = graph.n_wires
    row = rows[head(rows), g.AFTER]
    while row != head(rows) and work.state[LEFT] > 0:
        rows[row, g.LEVEL] = _level(row, rows, slots, maker, read, n_wires)
        count = find(row, graph, tree, found) if KIND[rows[row, g.OP]] >= 0 else 0
        following = -1
        if count:
            hit, gains = _choose(
                count, row, graph, sides, usable, rank, weights, learned, deepest, found, work
            )
            if hit >= 0:
                following = replace(hit, gains, graph, sides, found, work)
            if following >= 0:
                work.used[sides.variants[found.variant[hit], t.RULE]] += 1
        row = following if following >= 0 else rows[row, g.AFTER]


@kernel
def _choose(
    count: int,
    row: int,
    graph: Graph,
    sides: Sides,
    usable: NDArray[np.bool_],
    rank: NDArray[np.int64],
    weights: NDArray[np.int64],
    learned: bool,
    deepest: int,
    found: Found,
    work: Work,
) -> tuple[int, bool]:
    """The match to apply among those from a row, or -1; and whether that is a gain."""
    out = work.features
    chosen = chosen_rule = fitted = -1
    most = 0
    gains = False
    for hit in range(count):
        rule = sides.variants[found.variant[hit], t.RULE]
        if not usable[rule] or not holds(hit, graph, sides, found):
            continue
        if chosen >= 0 and not learned and rule >= chosen_rule:
            continue
        longest = weigh(hit, graph, sides, found, out)
        if learned:
            describe(hit, longest, deepest, graph, sides, found, out)
        gain = (rank * out).sum()
        score = (weights * out).sum() if learned else gain
        # What was put there without a gain is not moved without one again, or it might not end.
        if score <= 0 or (gain <= 0 and graph.rows[row, g.SETTLED]):
            continue
        if learned and chosen >= 0 and (score, -rule) <= (most, -chosen_rule):
            continue
        fitted = hit
        if fit(hit, row, graph, sides, found, work) == 0:
            chosen, chosen_rule, most = hit, rule, score
            gains = gain > 0
    if 0 <= chosen != fitted and fit(chosen, row, graph, sides, found, work) < 0:
        chosen = -1
    return chosen, gains
