"""What a policy looks at: integers that describe a place where a rule matches.

Levels and tails, the lengths of the longest paths to a row and from it to the end, are as known at
that time of a sweep: behind the place, and for rows that are new, they are estimates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.cost import TAKES_TIME
from qwasmc.diagnostics import Kind, did_you_mean, error
from qwasmc.kernel import kernel
from qwasmc.ops import CODE, OPS
from qwasmc.passes.rewriting import graph as g
from qwasmc.passes.rewriting import tables as t
from qwasmc.passes.rewriting.graph import Graph
from qwasmc.passes.rewriting.matching import Found
from qwasmc.passes.rewriting.tables import CHAIN, Sides

Ints = NDArray[Any]

MEANING: dict[str, str] = {
    "rotations": "rotations saved",
    "t": "T gates saved",
    "two_qubit": "gates on two qubits and measurements of several qubits saved",
    "joint": "those of them that are measurements",
    "gates": "gates, measurements and resets saved",
    "qubits": "allocations saved",
    "clifford": "Clifford gates on one qubit saved that take time on patches: s, sdg, sx, sxdg",
    "depth": "how much shorter the longest path through the place becomes",
    "arrival": "how much earlier the rows behind the place can start, over all its qubits",
    "critical": "1 if a longest path of the circuit leads through the place, else 0",
    "slack": "how much shorter than that the longest path through the place is",
    "spread": "how much later the last qubit arrives at the place than the first one",
    "width": "qubits of the rule",
    "pairs": "operations of the replacement that undo their neighbours outside, less the pattern's",
    "joined": "gates on two qubits whose neighbours are on the same two, less the pattern's",
    "measured": "qubits that are measured, reset or freed right behind the place",
    "constant": "always 1",
}

FEATURES: tuple[str, ...] = tuple(MEANING)
"""Names of features, in the order of vectors of weights."""

N_FEATURES = len(FEATURES)

LARGEST = 63
"""Features are at most this, and at least this negative."""

ROTATIONS, T, TWO_QUBIT, JOINT, GATES, QUBITS, CLIFFORD, DEPTH, ARRIVAL = range(9)
CRITICAL, SLACK, SPREAD, WIDTH, PAIRS, JOINED, MEASURED, CONSTANT = range(9, 17)

_RANKS = {
    "t": (ROTATIONS, T, TWO_QUBIT, DEPTH, CLIFFORD, GATES, ARRIVAL, QUBITS),
    "two-qubit": (TWO_QUBIT, ROTATIONS, T, DEPTH, CLIFFORD, GATES, ARRIVAL, QUBITS),
    "depth": (DEPTH, ROTATIONS, T, TWO_QUBIT, CLIFFORD, ARRIVAL, GATES, QUBITS),
    "volume": (ROTATIONS, T, TWO_QUBIT, CLIFFORD, DEPTH, QUBITS, ARRIVAL, GATES),
}
"""By objective, what a rule has to gain, the most important first.

They follow `qwasmc.cost`, but for `volume`: on patches gates take time that `depth` has no idea of.
"""


def ranks(objective: str) -> NDArray[np.int64]:
    """Weights of features so that a sum is more than 0 where an objective says there is a gain."""
    found = np.zeros(N_FEATURES, dtype=np.int64)
    for place, feature in enumerate(reversed(_RANKS[objective])):
        found[feature] = (2 * (LARGEST + 1)) ** place
    return found


def weights_of(weights: Sequence[tuple[str, int]], file: str = "") -> NDArray[np.int64]:
    """A policy's weights in the order of FEATURES; CompileError for a name that is not there."""
    found = np.zeros(N_FEATURES, dtype=np.int64)
    for name, weight in weights:
        if name not in FEATURES:
            hint = did_you_mean(name, FEATURES) or f"features are {', '.join(FEATURES)}"
            place = f" in '{file}'" if file else ""
            raise error(f"unknown feature '{name}'{place}", kind=Kind.USAGE, help=hint)
        found[FEATURES.index(name)] = weight
    return found


_INVERSE = np.array([CODE[spec.inverse] if spec.inverse else -1 for spec in OPS])
_INVERSE[CODE["rz"]] = CODE["rz"]  # two of them add up
_OF_TWO = np.array([spec.is_gate and spec.qubits == 2 for spec in OPS])
_ENDS = np.array([t.CHAINED[code] or spec.name == "free" for code, spec in enumerate(OPS)])

INTO, OUT_OF = range(2)
"""Rows of `Found.ends`: by qubit, the slot right before a place and the one right behind it."""


@kernel
def set_ends(hit: int, graph: Graph, sides: Sides, found: Found) -> None:
    """Fill in the slots around a match, -1 where there is none."""
    rows, slots, ends = graph.rows, graph.slots, found.ends
    variant = sides.variants[found.variant[hit]]
    seen = found.levels[0]
    seen[:] = 0
    ends[:] = -1
    earliest = latest = graph.label[0] * 0
    for at in range(variant[t.PATTERN], variant[t.REPLACEMENT]):
        row = found.rows[hit, sides.steps[at, t.STEM]]
        base = rows[row, g.BASE]
        for slot in range(base, base + rows[row, g.COUNTED]):
            qubit = 0
            while found.wires[hit, qubit] != slots[slot, g.WIRE]:
                qubit += 1
            if not seen[qubit]:
                ends[INTO, qubit] = slots[slot, g.PREV]
            ends[OUT_OF, qubit] = slots[slot, g.NEXT]
            seen[qubit] = 1
        if t.CHAINED[rows[row, g.OP]]:
            slot = base + rows[row, g.SLOTS] - 1
            label = graph.label[row]
            if not seen[CHAIN] or label < earliest:
                ends[INTO, CHAIN], earliest = slots[slot, g.PREV], label
            if not seen[CHAIN] or label > latest:
                ends[OUT_OF, CHAIN], latest = slots[slot, g.NEXT], label
            seen[CHAIN] = 1


@kernel
def weigh(hit: int, graph: Graph, sides: Sides, found: Found, out: Ints) -> int:
    """Fill in the features up to ARRIVAL of a match; the longest path through the place."""
    variant = sides.variants[found.variant[hit]]
    saved = sides.saved[variant[t.RULE]]
    set_ends(hit, graph, sides, found)
    old, arrival = _longest(hit, t.PATTERN, graph, sides, found)
    new, new_arrival = _longest(hit, t.REPLACEMENT, graph, sides, found)
    out[ROTATIONS], out[T] = saved[t.ROTATIONS], saved[t.T]
    out[TWO_QUBIT], out[JOINT] = saved[t.TWO] + saved[t.JOINT], saved[t.JOINT]
    out[GATES], out[QUBITS] = saved[t.GATES], saved[t.ALLOCATED]
    out[CLIFFORD] = saved[t.CLIFFORD]
    out[DEPTH] = min(max(old - new, -LARGEST), LARGEST)
    out[ARRIVAL] = min(max(arrival - new_arrival, -LARGEST), LARGEST)
    return old


@kernel
def describe(
    hit: int, longest: int, deepest: int, graph: Graph, sides: Sides, found: Found, out: Ints
) -> None:
    """Fill in the other features, after `weigh`; the longest path of the circuit is `deepest`."""
    variant = sides.variants[found.variant[hit]]
    earliest, latest = 1 << 30, 0
    measured = 0
    for qubit in range(variant[t.QUBITS]):
        level = _level_at(found.ends[INTO, qubit], graph)
        earliest, latest = min(earliest, level), max(latest, level)
        slot = found.ends[OUT_OF, qubit]
        if slot >= 0:
            measured += _ENDS[graph.rows[graph.slots[slot, g.OWNER], g.OP]]
    out[CRITICAL], out[SLACK] = longest >= deepest, min(max(deepest - longest, 0), LARGEST)
    out[SPREAD] = min(latest - earliest, LARGEST)
    out[WIDTH], out[MEASURED], out[CONSTANT] = variant[t.QUBITS], measured, 1
    out[PAIRS] = out[JOINED] = 0
    for sign, side in ((-1, t.PATTERN), (1, t.REPLACEMENT)):
        for way in (INTO, OUT_OF):
            pairs, joined = _neighbours(hit, way, side, graph, sides, found)
            out[PAIRS] += sign * pairs
            out[JOINED] += sign * joined


@kernel
def _level_at(slot: int, graph: Graph) -> int:
    return graph.rows[graph.slots[slot, g.OWNER], g.LEVEL] if slot >= 0 else 0


@kernel
def _longest(hit: int, side: int, graph: Graph, sides: Sides, found: Found) -> tuple[int, int]:
    """The longest path through a side, put in the place of a match, and the sum of arrivals."""
    rows, slots = graph.rows, graph.slots
    variant = sides.variants[found.variant[hit]]
    level, known = found.levels[0], found.levels[1]
    known[:] = 0
    n_qubits = variant[t.QUBITS]
    for qubit in range(n_qubits):
        level[qubit] = _level_at(found.ends[INTO, qubit], graph)
    longest = 0
    for at in range(variant[side], variant[side + 1]):
        step = sides.steps[at]
        start = 0
        if step[t.IF] >= 0:
            bit = bit_of(step[t.IF], hit, graph, sides, found)
            start = known[step[t.IF]]
            if not start and graph.maker[bit] >= 0:
                start = rows[graph.maker[bit], g.LEVEL]
        for k in range(step[t.N]):
            start = max(start, level[step[t.Q + k]])
        start += TAKES_TIME[step[t.OP]]
        for k in range(step[t.N]):
            level[step[t.Q + k]] = start
        if step[t.OUT] >= 0:
            known[step[t.OUT]] = start
            bit = bit_of(step[t.OUT], hit, graph, sides, found)
            longest = max(longest, start + graph.waits[bit])
    arrival = 0
    for qubit in range(n_qubits):
        slot = found.ends[OUT_OF, qubit]
        tail = rows[slots[slot, g.OWNER], g.TAIL] if slot >= 0 else 0
        longest = max(longest, level[qubit] + tail)
        arrival += level[qubit]
    return longest, arrival


@kernel
def bit_of(number: int, hit: int, graph: Graph, sides: Sides, found: Found) -> int:
    """The bit of a circuit that a pattern's bit is, in a match."""
    first = sides.variants[found.variant[hit], t.BITS]
    step, depends = sides.bits[first + number]
    return int(graph.rows[found.rows[hit, step], g.COND if depends else g.MADE])


@kernel
def _neighbours(
    hit: int, way: int, side: int, graph: Graph, sides: Sides, found: Found
) -> tuple[int, int]:
    """How many steps of a side undo the row before (behind) the place, and how many gates on two
    qubits meet another one on the same two there."""
    rows, slots = graph.rows, graph.slots
    variant = sides.variants[found.variant[hit]]
    begin, end = variant[side], variant[side + 1]
    seen = found.levels[0]
    seen[:] = 0
    pairs = joined = 0
    for number in range(end - begin):
        step = sides.steps[begin + number if way == INTO else end - 1 - number]
        slot = found.ends[way, step[t.Q]]
        row = slots[slot, g.OWNER] if slot >= 0 else -1
        same = row >= 0 and rows[row, g.COUNTED] == step[t.N] and rows[row, g.COND] < 0
        straight = True
        for k in range(step[t.N]):
            qubit = step[t.Q + k]
            there = found.ends[way, qubit]
            if seen[qubit] or there < 0 or not same or slots[there, g.OWNER] != row:
                same = False
            elif there != rows[row, g.BASE] + k:
                straight = False
            seen[qubit] = 1
        if same and step[t.IF] < 0:
            code = rows[row, g.OP]
            if _INVERSE[code] == step[t.OP] and (straight or t.IS_SYMMETRIC[code]):
                pairs += 1
            joined += _OF_TWO[code] and _OF_TWO[step[t.OP]]
    return pairs, joined
