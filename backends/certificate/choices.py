"""Chooses gates of control regions that are run without the controls, out of what is possible.

Two circuits must have the same events, and h under controls is another event than h.  So the gates
are chosen that the other circuit has as they are.  Where it has as many of one kind, place in the
source and qubits, they all are; if there is none of them, none is.  Where neither is so, and as a
second choice, gates are taken in pairs that undo each other, from outside in or from inside out,
whichever finds more.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from math import inf

from qwasmc.backends.certificate.gates import Uncontrolled
from qwasmc.backends.certificate.regions import (
    ALONE,
    MAX_LOOKS,
    Cancellation,
    Gate,
    clash,
    operations,
)
from qwasmc.backends.certificate.segments import CONTROLS, PERMUTES, Source
from qwasmc.ops import CODE, OPS

TRIES = 16
"""Partners that are tried for a gate."""

Mark = tuple[str, float, int, tuple[str, ...]]
"""What two circuits have of a gate: name, angle, location and labels of its qubits."""


def has_regions(source: Source) -> bool:
    """Whether a circuit has control regions."""
    return bool((source.circuit.op == CODE["ctrl_begin"]).any())


def choices(before: Source, after: Source, results: Mapping[int, Set[int]]) -> list[Uncontrolled]:
    """What may happen without controls in the first circuit, the likeliest first."""
    gates = list(operations(before.circuit, before.wire, _undone(before, results)))
    pairs = {row for group in _groups(gates) for row in _most_pairs(group)}
    ours = _marks(before)
    alone = {gate.row for gate in gates if gate.controls and gate.undone == ALONE}
    inside = alone & ours.keys()  # ancillas may be freed there, too
    same = _same(ours, _marks(after), inside)
    likeliest = {row for row in inside if same.get(row, row in pairs)}
    found = [rows for rows in (likeliest, pairs) if Cancellation(rows).check(gates)]
    return [Uncontrolled(rows, results) for rows in (*found, set())]


def _undone(source: Source, results: Mapping[int, Set[int]]) -> dict[int, int]:
    """By row that computes what is undone, the row of its `uncompute`."""
    circuit = source.circuit
    found: dict[int, int] = {}
    changed: Set[int] = set()
    outside = 0
    for segment in sorted(source.segments, key=lambda each: each.begin):
        if segment.begin >= outside:
            changed, outside = results.get(segment.begin, set()), segment.end
        for row in range(segment.begin, segment.end):
            name = OPS[circuit.op[row]].name
            if name in PERMUTES:
                written = circuit.values(row)[CONTROLS.get(name, 0) :]
                if changed.isdisjoint(source.wire[value] for value in written):
                    found.setdefault(row, segment.undo)
    return found


def _marks(source: Source) -> dict[int, Mark]:
    """By row of a gate, what another circuit has of it."""
    circuit, found = source.circuit, {}
    columns = (circuit.op, circuit.angle, circuit.loc)
    rows = zip(*(column.tolist() for column in columns), circuit.all_values(), strict=True)
    for row, (code, angle, loc, values) in enumerate(rows):
        if OPS[code].is_gate:
            labels = tuple(source.labels[source.wire[value]] for value in values)
            found[row] = OPS[code].name, angle, loc, labels
    return found


def _same(
    ours: Mapping[int, Mark], theirs: Mapping[int, Mark], inside: set[int]
) -> dict[int, bool]:
    """By row inside a region, whether the other circuit has it as it is, where that is plain.

    Under controls, h becomes two of them around something else.
    """
    here, there = Counter(ours.values()), Counter(theirs.values())
    controlled = Counter(ours[row] for row in inside)
    found = {}
    for row in inside:
        mark = ours[row]
        without = here[mark] - controlled[mark]
        if there[mark] == here[mark]:
            found[row] = True
        elif there[mark] == without + (2 * controlled[mark] if mark[0] == "h" else 0):
            found[row] = False
    return found


def _groups(gates: Sequence[Gate]) -> Iterator[list[Gate]]:
    """The gates of each region, and of others with the same controls that follow at once."""
    open_: dict[frozenset[tuple[int, int]], list[Gate]] = {}
    for gate in gates:
        for controls in [each for each in open_ if not each <= gate.controls]:
            yield open_.pop(controls)
        if gate.controls:
            open_.setdefault(gate.controls, []).append(gate)
    yield from open_.values()


def _most_pairs(gates: Sequence[Gate]) -> set[int]:
    """The better of two ways to take pairs; Pauli gates count least."""
    paulis = {gate.row for gate in gates if gate.is_pauli}
    found = [_pairs(gates, nearest=nearest) for nearest in (False, True)]
    return max(found, key=lambda rows: (len(rows - paulis), len(rows)))


def _pairs(gates: Sequence[Gate], *, nearest: bool) -> set[int]:
    """The rows of gates in pairs of which none clash: none begins in one and ends behind it."""
    ends: list[float] = [gate.undone for gate in gates]
    places: defaultdict[object, list[int]] = defaultdict(list)
    for place, gate in enumerate(gates):
        if gate.undone == ALONE:
            places[gate.key].append(place)
    around: defaultdict[int, list[tuple[float, str]]] = defaultdict(list)
    """By wire, where pairs end that began already, and what they do to it."""
    looks = 0
    for place, gate in enumerate(gates):
        limit = inf
        for wire, kind in gate.legs:
            around[wire] = [pair for pair in around[wire] if pair[0] > gate.row]
            looks += len(around[wire])
            limit = min([limit, *(end for end, other in around[wire] if clash(kind, other))])
        if ends[place] == ALONE and looks < MAX_LOOKS:
            others = places[gate.inverse]
            low = bisect_right(others, place)
            high = bisect_left(others, limit, key=lambda at: gates[at].row)
            order = range(low, high) if nearest else range(high - 1, low - 1, -1)
            for at in order[:TRIES]:
                if ends[others[at]] == ALONE:
                    ends[place], ends[others[at]] = gates[others[at]].row, gate.row
                    break
        if ends[place] > gate.row:
            for wire, kind in gate.legs:
                around[wire].append((ends[place], kind))
    return {g.row for g, end in zip(gates, ends, strict=True) if end != ALONE == g.undone}
