"""Ancillas for scratch: a wire of its own for each time that a scratch qubit is out of |0>.

    0  alloc {name = "s"}                 0  alloc {name = "a"}, ...
    1  ccx a, b, s                  =>    1  alloc {name = ""}        an ancilla of the compiler
    2  cz s, r                            2  ccx a, b, w
    3  ccx a, b, s                        3  cz w, r
                                          4  ccx a, b, w
                                          5  free w

So the ancilla is known to start in |0>, other segments can have it afterwards, and a scratch qubit
that is used for nothing else disappears; any other is allocated where that begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from qwasmc.ir.circuit import MAX_FIXED, VARIADIC
from qwasmc.ir.wires import COUNT, MAKES_QUBIT, TAKES_QUBITS, Wired
from qwasmc.ops import CODE
from qwasmc.passes.reversible.faults import Faults
from qwasmc.passes.reversible.numbers import is_zero, value_numbers

ALLOC, FREE, BARRIER = CODE["alloc"], CODE["free"], CODE["barrier"]


@dataclass(slots=True)
class Lives:
    """Times that scratch wires are out of |0>, one after the other."""

    wire: list[int] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    """The row before which the wire is in |0>."""
    last: list[int] = field(default_factory=list)
    """The row behind which it is in |0> again."""
    cells: list[list[tuple[int, int]]] = field(default_factory=list)
    """The places of the wire: row and slot; of a variadic row, the place in the pool."""
    left: dict[int, int] = field(default_factory=dict)
    """By wire that does not return, the last row that has it."""
    idle: list[int] = field(default_factory=list)
    """Wires to which nothing happens at other times."""


def rehome(wired: Wired, scratch: Iterable[int], declared: Sequence[int] = ()) -> Wired:
    """The circuit with an ancilla for each time that one of some wires is out of |0>.

    The last time is left as it is if the wire does not return, which those `declared` must.
    """
    lives = lives_of(wired, [*scratch, *declared])
    for wire in declared:
        if wire in lives.left:
            raise Faults(wired).stays(lives.left[wire], wire)
    if not lives.wire and not lives.idle:
        return wired
    written = _without(_inserted(_renamed(wired, lives), lives), lives.idle)
    return _allocated_late(written, sorted({*lives.wire}.difference(lives.idle)))


def lives_of(wired: Wired, scratch: Iterable[int]) -> Lives:
    """The times that some wires, which are allocated in |0>, are out of it, by value numbers."""
    chosen = np.zeros(wired.n_wires, dtype=np.bool_)
    chosen[list(scratch)] = True
    if not chosen.any():
        return Lives()
    numbers = value_numbers(wired, np.flatnonzero(chosen).tolist())
    before, after = is_zero(numbers.before).tolist(), is_zero(numbers.after).tolist()
    lives = Lives()
    current: dict[int, list[tuple[int, int]]] = {}
    busy: set[int] = set()
    for row, slot, wire in _cells(wired, chosen):
        code = wired.op[row]
        if VARIADIC[code]:
            if wire in current and code != BARRIER:
                current[wire].append((row, slot))
            elif code != BARRIER:
                busy.add(wire)
        elif before[row][slot] and after[row][slot]:
            if code != FREE:
                busy.add(wire)
        else:
            current.setdefault(wire, []).append((row, slot))
            if after[row][slot]:
                cells = current.pop(wire)
                lives.wire.append(wire)
                lives.first.append(cells[0][0])
                lives.last.append(row)
                lives.cells.append(cells)
    lives.left = {wire: cells[-1][0] for wire, cells in current.items()}
    lives.idle = [w for w in np.flatnonzero(chosen).tolist() if w not in busy | lives.left.keys()]
    return lives


def _cells(wired: Wired, chosen: NDArray[np.bool_]) -> list[tuple[int, int, int]]:
    """Row, slot and wire of each operand that is one of the chosen wires, in order."""
    fixed = TAKES_QUBITS[wired.op] & ~VARIADIC[wired.op]
    slots = np.arange(MAX_FIXED) < COUNT[wired.op][:, None]
    wires = fixed[:, None] & slots
    found = wires & chosen[np.where(wires, wired.operands, 0)]
    row, slot = np.nonzero(found)
    cells = list(zip(row.tolist(), slot.tolist(), wired.operands[row, slot].tolist(), strict=True))
    for each in np.flatnonzero(TAKES_QUBITS[wired.op] & VARIADIC[wired.op]).tolist():
        start, count = wired.operands[each, :2].tolist()
        pooled = wired.pool[start : start + count].tolist()
        cells += [(each, start + at, wire) for at, wire in enumerate(pooled) if chosen[wire]]
    return sorted(cells)


def _renamed(wired: Wired, lives: Lives) -> Wired:
    """The circuit with new wires in their places."""
    operands, pool = wired.operands.copy(), wired.pool.copy()
    for at, cells in enumerate(lives.cells):
        for row, slot in cells:
            if VARIADIC[wired.op[row]]:
                pool[slot] = wired.n_wires + at
            else:
                operands[row, slot] = wired.n_wires + at
    n_wires = wired.n_wires + len(lives.cells)
    return replace(wired, operands=operands, pool=pool, n_wires=n_wires)


def _inserted(wired: Wired, lives: Lives) -> Wired:
    """The circuit with an alloc before the first row and a free behind the last of each time."""
    count = len(lives.cells)
    wires = np.arange(wired.n_wires - count, wired.n_wires, dtype=np.int32)
    none = np.full(count, -1, dtype=np.int32)
    first, last = np.array(lives.first, dtype=np.intp), np.array(lives.last, dtype=np.intp)
    return wired.insert(
        np.concatenate([last + 1, first]),  # where a row is both, what ends goes first
        np.repeat([FREE, ALLOC], count),
        np.concatenate([wires, none]),
        np.concatenate([none, wires]),
        np.concatenate([wired.loc[last], wired.loc[first]]),
    )


def _without(wired: Wired, wires: Sequence[int]) -> Wired:
    """The circuit without some wires, which are only allocated, freed and behind barriers."""
    gone = np.zeros(wired.n_wires, dtype=np.bool_)
    gone[list(wires)] = True
    kept = np.ones(len(wired), dtype=np.bool_)
    makes, frees = np.flatnonzero(MAKES_QUBIT[wired.op]), np.flatnonzero(wired.op == FREE)
    kept[makes], kept[frees] = ~gone[wired.made[makes]], ~gone[wired.operands[frees, 0]]
    operands, pool = wired.operands.copy(), [wired.pool]
    used = len(wired.pool)
    for row in np.flatnonzero(wired.op == BARRIER).tolist():
        some = wired.pool[operands[row, 0] : operands[row, 0] + operands[row, 1]]
        left = some[~gone[some]]
        if len(left) < len(some):
            operands[row, :2] = used, len(left)
            pool.append(left)
            used += len(left)
            kept[row] = len(left) > 0
    return replace(wired, operands=operands, pool=np.concatenate(pool)).take(kept)


def _allocated_late(wired: Wired, wires: Sequence[int]) -> Wired:
    """The circuit with some wires allocated only where something happens to them first."""
    chosen = np.zeros(wired.n_wires, dtype=np.bool_)
    chosen[list(wires)] = True
    place = np.arange(len(wired), dtype=np.float64)
    first: dict[int, int] = {}
    for row, _, wire in _cells(wired, chosen):
        first.setdefault(wire, row)
    for row in np.flatnonzero(MAKES_QUBIT[wired.op]).tolist():
        wire = int(wired.made[row])
        if wire in first:
            place[row] = first[wire] - 0.5
    return wired.take(np.argsort(place, kind="stable"))
