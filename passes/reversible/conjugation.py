"""Conjugations written out in a control region: V; A; V^-1, of which only A needs the control.

    h b; cx a, b; rz b; cx a, b; h b      without rz, the others cancel

Two rows are a pair if one is the inverse of the other.  Two pairs clash if one begins before and
ends inside the other, and their rows do not commute.  If no pairs clash, then all rows in pairs
cancel where the others are left out: those of a shortest pair meet, and so on.  They may therefore
happen with the controls or without them.

Which pairs to take is a choice.  Each row in turn takes the last row that it can be paired with,
which finds the structure from outside in, or the first, which finds many small ones; the better of
both results is kept.  n log n for n rows.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.kernel import kernel
from qwasmc.ops import OPS
from qwasmc.passes.reversible.actions import (
    INVERSE,
    PPR,
    Gates,
    clash,
    count_of,
    counts_of,
    leg_of,
    undoes,
)

PAULI = np.array([spec.is_pauli for spec in OPS])

PAULI_COST = 1e-6
"""What controls cost a Pauli gate, compared with one that they make take T gates."""

TRIES = 16
"""Rows that are looked at for a partner of one."""

ALONE = -1
NOTHING = -1


class Places(NamedTuple):
    """The rows of control regions, one region after the other, and what a search needs.

    Positions in the columns are the *places* of rows.
    """

    rows: NDArray[np.intp]
    region: NDArray[np.intp]
    leg: NDArray[np.int64]
    """With one entry more, the number of a row's first leg: a wire that it acts on."""
    order: NDArray[np.intp]
    """All places, those of equal gates in a region next to each other and ascending."""
    low: NDArray[np.intp]
    high: NDArray[np.intp]
    """From where to where in `order` the gates are that undo a row."""


def conjugations(
    gates: Gates, n_wires: int, number: NDArray[np.intp], exempt: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which rows are in pairs that cancel where the rows of their region in no pair are left out.

    `number` has the region of each row, or is negative.  Rows that are `exempt` happen in any case:
    they are paired with each other, and no pair clashes with one that is left alone.
    """
    places = _places(gates, number)
    rows, region = places.rows, places.region
    happens = exempt[rows]
    ends = np.full(len(rows), ALONE)
    since = ends.copy()
    _pair(gates, places, happens, since, ends, False, n_wires)
    lonely = happens & (ends == ALONE)
    ends[lonely] = np.searchsorted(region, region[lonely], side="right")
    since = _innermost(gates, places, ends, n_wires)
    best = ends
    least = np.full(len(number), np.inf)
    for nearest in (False, True):
        partner = ends.copy()
        _pair(gates, places, ~happens, since, partner, nearest, n_wires)
        cost = np.where(PAULI[gates.op[rows]], PAULI_COST, 1.0) * (partner == ALONE)
        total = np.bincount(region, cost, minlength=len(number))
        best = np.where((total < least)[region], partner, best)
        least = np.minimum(least, total)
    found = np.zeros(len(number), dtype=np.bool_)
    found[rows] = (best != ALONE) & ~lonely
    return found


def _places(gates: Gates, number: NDArray[np.intp]) -> Places:
    rows = np.argsort(number, kind="stable")
    rows = rows[int((number < 0).sum()) :]
    own, undo = _hashes(gates, number)
    order = np.argsort(own[rows], kind="stable")
    hashes = own[rows][order]
    low, high = (np.searchsorted(hashes, undo[rows], side=side) for side in ("left", "right"))
    leg = np.concatenate([[0], np.cumsum(counts_of(gates, rows))])
    return Places(rows, number[rows], leg, order, low, high)


@kernel
def _mixed(word: Any, more: Any) -> Any:
    """A hash of two words."""
    word = (np.uint64(word) ^ np.uint64(more)) * np.uint64(0x9E3779B97F4A7C15)
    return word ^ (word >> np.uint64(29))


@kernel
def _hashes(gates: Gates, number: NDArray[Any]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """By row, a number that equal gates of a region have, and that of the gates that undo it."""
    own = np.zeros(len(gates.op), dtype=np.uint64)
    undo = np.zeros(len(gates.op), dtype=np.uint64)
    angle, opposite = gates.angle.view(np.int64), (0.0 - gates.angle).view(np.int64)
    for row, code in enumerate(gates.op):
        word = _mixed(np.uint64(number[row]), gates.cond[row])
        for slot in range(count_of(gates, row)):
            word = _mixed(word, leg_of(gates, row, slot)[0])
        if code == PPR:
            word = _mixed(word, gates.attr[row])
        own[row] = _mixed(_mixed(word, code), angle[row])
        undo[row] = _mixed(_mixed(word, INVERSE[code]), opposite[row])
    return own, undo


@kernel
def _pair(
    gates: Gates,
    places: Places,
    free: NDArray[np.bool_],
    since: NDArray[np.int64],
    partner: NDArray[np.int64],
    nearest: bool,
    n_wires: int,
) -> None:
    """Pair rows that are `free`, by their places; fills in `partner`.

    That may have pairs already, or where a pair ends that may not be crossed.  `since` is where the
    last pair of these around a row begins that clashes with it.
    """
    rows, region, leg, order, low, high = places
    step = 1 if nearest else -1
    # By place in `order` and one more on either side, that or the next one that is free.
    idle = np.arange(len(rows) + 2)
    for at, place in enumerate(order):
        if not free[place]:
            idle[at + 1] = at + 1 + step
    rank = np.empty(len(rows), dtype=np.int64)
    rank[order] = np.arange(len(rows))
    # Pairs that began, by leg where they end: a heap for each wire and kind, the first end on top.
    top = np.full(3 * n_wires, NOTHING)
    end = np.empty(leg[-1], dtype=np.int64)
    children = np.full((leg[-1], 2), NOTHING)
    for place, row in enumerate(rows):
        if free[place] and partner[place] == ALONE:
            idle[rank[place] + 1] = rank[place] + 1 + step
            limit = _limit(gates, row, place, len(rows), top, end, children)
            others = order[low[place] : high[place]]
            first = low[place] + np.searchsorted(others, place)
            last = low[place] + np.searchsorted(others, limit) - 1
            at = first if nearest else last
            for _ in range(TRIES):
                at = _next(idle, at + 1) - 1
                if at < first or at > last:
                    break
                found = order[at]
                near = region[found] == region[place] and since[found] < place
                if near and undoes(gates, rows[found], row):
                    partner[place], partner[found] = found, place
                    idle[at + 1] = at + 1 + step
                    break
                at += step
        if partner[place] > place:
            for slot in range(count_of(gates, row)):
                node = leg[place] + slot
                end[node] = partner[place]
                wire, kind = leg_of(gates, row, slot)
                root = top[3 * wire + kind]
                top[3 * wire + kind] = _merged(end, children, root, node)


@kernel
def _limit(
    gates: Gates,
    row: int,
    place: int,
    last: int,
    top: NDArray[np.int64],
    end: NDArray[np.int64],
    children: NDArray[np.int64],
) -> int:
    """Where the first pair around a row ends that clashes with it, or `last`."""
    for slot in range(count_of(gates, row)):
        wire, kind = leg_of(gates, row, slot)
        for other in range(3):
            if not clash(kind, other):
                continue
            node = top[3 * wire + other]
            while node >= 0 and end[node] <= place:
                node = _merged(end, children, children[node, 0], children[node, 1])
            top[3 * wire + other] = node
            if node >= 0:
                last = min(last, end[node])
    return last


@kernel
def _next(idle: NDArray[np.int64], at: int) -> int:
    """The first free place from one on; shortens the way there."""
    while idle[at] != at:
        idle[at] = idle[idle[at]]
        at = idle[at]
    return at


@kernel
def _merged(end: NDArray[np.int64], children: NDArray[np.int64], a: int, b: int) -> int:
    """The root of two heaps as one (skew heaps: Sleator and Tarjan, 1986)."""
    if a < 0 or b < 0:
        return max(a, b)
    if end[b] < end[a]:
        a, b = b, a
    root = a
    while True:
        right = children[a, 1]
        children[a, 1] = children[a, 0]
        if right < 0:
            children[a, 0] = b
            return root
        if end[b] < end[right]:
            right, b = b, right
        children[a, 0] = a = right


@kernel
def _innermost(
    gates: Gates, places: Places, ends: NDArray[np.int64], n_wires: int
) -> NDArray[np.int64]:
    """By place, where the last pair around it begins that clashes with it."""
    rows, leg = places.rows, places.leg
    found = np.full(len(rows), ALONE)
    top = np.full(3 * n_wires, NOTHING)
    begin = np.empty(leg[-1], dtype=np.int64)
    below = np.empty(leg[-1], dtype=np.int64)
    for place, row in enumerate(rows):
        count = count_of(gates, row)
        for slot in range(count):
            wire, kind = leg_of(gates, row, slot)
            for other in range(3):
                if not clash(kind, other):
                    continue
                node = top[3 * wire + other]
                while node >= 0 and ends[begin[node]] <= place:
                    node = below[node]
                top[3 * wire + other] = node
                if node >= 0:
                    found[place] = max(found[place], begin[node])
        if ends[place] > place:
            for slot in range(count):
                node = leg[place] + slot
                wire, kind = leg_of(gates, row, slot)
                begin[node], below[node] = place, top[3 * wire + kind]
                top[3 * wire + kind] = node
    return found
