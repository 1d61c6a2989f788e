"""Replaces windows of items by networks of fewer two-qubit gates; see `items`.

A window is a set of rotations and two-qubit gates on a few wires that could all come at once:

    gate a, b        in                     before (what the window does not touch)
    turn c           before         =       window: gate a, b; gate b, d
    gate a, e        behind                 behind (what comes after a gate that is left out)
    gate b, d        in

It grows from a two-qubit gate along the items that follow.  What one-qubit Clifford gates remain
when it has been replaced are pushed on through the items that follow.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.ir.wires import Wired
from qwasmc.kernel import kernel
from qwasmc.passes.cancelling.frames import IDENTITY, INVERSE, PRODUCT, X, Z
from qwasmc.passes.pauli.items import (
    FENCE,
    GATE,
    GONE,
    KIND,
    OPAQUE,
    PULL,
    ROW,
    SWAP,
    TURN,
    A,
    B,
    P,
    Q,
    push,
    put,
    wires_of,
)
from qwasmc.passes.pauli.network import MAX_ROTATIONS, SWAP_COST, emitted, search
from qwasmc.passes.pauli.strings import (
    commute,
    conjugated,
    exchanged,
    letter_at,
    ones,
    signed_at,
    single,
    support,
)

Ints = NDArray[Any]

HORIZON = 400
"""Items that a window may stretch over."""

_BEFORE, _IN, _BEHIND = range(3)

_LOCALS = np.full((6, 6), IDENTITY)
"""By the signed Paulis C^-1 X C and C^-1 Z C, the Clifford gate C."""
for _number, _images in enumerate(PULL.tolist()):
    _LOCALS[_images[X], _images[Z]] = _number


@kernel
def _scan(
    items: Ints,
    columns: tuple[Ints, Ints, Ints, Ints],
    start: int,
    stop: int,
    k: int,
    most: int,
    mark: Ints,
    epoch: int,
    place: Ints,
    wires: Ints,
    scratch: Ints,
) -> tuple[int, int]:
    """Grow a window from items[start]; fills place[:end - start] and wires[:count]; end, count.

    At most k wires, `most` two-qubit gates.  `mark` says of each wire where it is: epoch + _IN or
    epoch + _BEHIND.
    """
    op, operands, pool, made = columns
    count = taken = closed = turns = 0
    end = start
    opaque_behind = False
    for at in range(start, stop):
        kind = items[at, KIND]
        if kind == GONE:
            place[at - start] = _BEFORE
            continue
        row = items[at, ROW]
        if kind == OPAQUE:
            if FENCE[op[row]]:
                break
            n_touched = wires_of(row, op, operands, pool, made, scratch)
        else:
            scratch[0], scratch[1] = items[at, A], items[at, B]
            n_touched = 2 if kind in (GATE, SWAP) else 1
        inside = outside = behind = 0
        for wire in scratch[:n_touched]:
            inside += mark[wire] == epoch + _IN
            behind += mark[wire] == epoch + _BEHIND
            outside += mark[wire] < epoch
        behind += kind == OPAQUE and opaque_behind
        fits = not behind and count + outside <= k
        if kind == TURN:
            fits = fits and inside > 0 and turns < MAX_ROTATIONS
        elif kind in (GATE, SWAP):
            fits = fits and (inside > 0 or at == start) and taken < most
        else:
            fits = False
        if fits:
            place[at - start] = _IN
            for wire in scratch[:n_touched]:
                if mark[wire] < epoch:
                    mark[wire] = epoch + _IN
                    wires[count] = wire
                    count += 1
            taken += kind != TURN
            turns += kind == TURN
            end = at + 1
        elif inside or behind:
            place[at - start] = _BEHIND
            for wire in scratch[:n_touched]:
                closed += mark[wire] == epoch + _IN
                mark[wire] = epoch + _BEHIND
            opaque_behind = opaque_behind or kind == OPAQUE
            if closed == count:
                break
        else:
            place[at - start] = _BEFORE
    return end, count


@kernel
def _strings(
    items: Ints,
    place: Ints,
    start: int,
    end: int,
    inverse: bool,
    k: int,
    slot: Ints,
    strings: Ints,
    turns: Ints,
) -> int:
    """Fill `strings` for the network of a window, `turns` with its rotations; how many these are.

    From the end to the start: each gate conjugates what comes after it.  If `inverse`, the network
    of the inverse gate.
    """
    m = 0
    for at in range(start, end):
        m += place[at - start] == _IN and items[at, KIND] == TURN
    for wire in range(k):
        strings[m + 2 * wire] = single(X, wire)
        strings[m + 2 * wire + 1] = single(Z, wire)
    first = m
    for step in range(end - start):
        at = start + step if inverse else end - 1 - step
        if place[at - start] != _IN:
            continue
        kind, p, q = items[at, KIND], items[at, P], items[at, Q]
        a = slot[items[at, A]]
        if kind == TURN:
            first -= 1
            strings[first] = single((p + 3) % 6 if inverse else p, a)
            turns[first] = at
            continue
        b = slot[items[at, B]]
        for number in range(first, m + 2 * k):
            if kind == GATE:
                strings[number] = conjugated(strings[number], a, b, p, q)
            else:
                strings[number] = exchanged(strings[number], a, b)
    return m


@kernel
def _predecessors(strings: Ints, m: int, before: Ints) -> None:
    """By rotation, the set of earlier ones that it does not commute with."""
    for late in range(m):
        before[late] = 0
        for early in range(late):
            if not commute(strings[late], strings[early]):
                before[late] |= 1 << early


@kernel
def _emit(
    new: Ints, count: int, items: Ints, strings: Ints, turns: Ints, which: int, wires: Ints
) -> int:
    """Append the rotations in the set `which`, each of which is on one wire; how many items."""
    for number in range(len(turns)):
        if (which >> number) & 1:
            wire = 0
            while letter_at(strings[number], wire) < 0:
                wire += 1
            pauli = signed_at(strings[number], wire)
            put(new[count], TURN, wires[wire], -1, pauli, 0, items[turns[number], ROW])
            count += 1
    return count


@kernel
def _network(
    items: Ints,
    strings: Ints,
    before: Ints,
    turns: Ints,
    gates: Ints,
    rows: Ints,
    wires: Ints,
    new: Ints,
    local: Ints,
) -> tuple[int, int]:
    """The items of a network with these gates, and its swaps; `local` gets the gates behind it."""
    m, k = len(turns), len(wires)
    done = emitted(strings, m, before, 0)
    count = _emit(new, 0, items, strings, turns, done, wires)
    for number in range(len(gates)):
        a, b, p, q = gates[number]
        for string in range(len(strings)):
            strings[string] = conjugated(strings[string], a, b, p, q)
        put(new[count], GATE, wires[a], wires[b], p, q, rows[number])
        now = emitted(strings, m, before, done)
        count = _emit(new, count + 1, items, strings, turns, now & ~done, wires)
        done = now
    missing = 0
    for wire in range(k):
        at = ones(support(strings[m + 2 * wire]) - 1)
        if at != wire:
            put(new[count], SWAP, wires[wire], wires[at], 0, 0, rows[-1])
            count += 1
            missing += 1
            for string in range(m, len(strings)):
                strings[string] = exchanged(strings[string], wire, at)
        x, z = strings[m + 2 * wire], strings[m + 2 * wire + 1]
        local[wire] = _LOCALS[signed_at(x, wire), signed_at(z, wire)]
    return count, missing


@kernel
def _invert(new: Ints, local: Ints) -> None:
    """Invert items, and the gates on wires that stood behind them and now are in front."""
    for at in range(len(new) // 2):
        for column in range(len(new[0])):
            there = new[-1 - at, column]
            new[-1 - at, column] = new[at, column]
            new[at, column] = there
    for at in range(len(new)):
        if new[at, KIND] == TURN:
            new[at, P] = (new[at, P] + 3) % 6
    for wire in range(len(local)):
        local[wire] = INVERSE[local[wire]]


@kernel
def _replace(items: Ints, place: Ints, start: int, end: int, new: Ints, buffer: Ints) -> int:
    """Put new items in place of a window, between those before and behind; where they end."""
    for offset in range(end - start):
        _copy(items, start + offset, buffer, offset)
    at = start
    for offset in range(end - start):
        if place[offset] == _BEFORE:
            _copy(buffer, offset, items, at)
            at += 1
    for number in range(len(new)):
        _copy(new, number, items, at)
        at += 1
    finish = at
    for offset in range(end - start):
        if place[offset] == _BEHIND:
            _copy(buffer, offset, items, at)
            at += 1
    for gone in range(at, end):
        items[gone, KIND] = GONE
    return finish


@kernel
def _copy(items: Ints, place: int, to: Ints, at: int) -> None:
    """Copy an item, number by number: Numba takes seconds to compile an assignment of slices."""
    for column in range(ROW + 1):
        to[at, column] = items[place, column]


@kernel
def _push_on(
    items: Ints, start: int, stop: int, wires: Ints, local: Ints, extra: Ints, frame: Ints
) -> None:
    """Push gates behind a window through items[start:stop], and into `frame`, which stands there.

    `extra` has an entry for each wire and is the identity before and after.  Paulis spread to
    other wires on the way.
    """
    for number in range(len(wires)):
        extra[wires[number]] = local[number]
    for at in range(start, stop):
        push(items[at], extra)
    for wire in wires:
        _move(wire, extra, frame)
    for at in range(start, stop):
        if items[at, KIND] in (GATE, SWAP):
            _move(items[at, A], extra, frame)
            _move(items[at, B], extra, frame)


@kernel
def _move(wire: int, extra: Ints, frame: Ints) -> None:
    """Put the gate on a wire in `extra` in front of that in `frame`."""
    frame[wire] = PRODUCT[frame[wire], extra[wire]]
    extra[wire] = IDENTITY


def sweep(items: Ints, wired: Wired, k: int, most: int, width: int, seed: int) -> int:
    """Replace, in place, windows on k wires with at most `most` gates; how many gates that saves.

    A network with as many gates replaces a window, too.  See `search` for `width` and `seed`; if
    `seed` is odd, networks are made from their ends to their starts.
    """
    columns = (wired.op, wired.operands, wired.pool, wired.made)
    return int(_sweep(items, columns, wired.n_wires, k, most, width, seed))


@kernel
def _sweep(
    items: Ints,
    columns: tuple[Ints, Ints, Ints, Ints],
    n_wires: int,
    k: int,
    most: int,
    width: int,
    seed: int,
) -> int:
    frame = np.full(n_wires, IDENTITY)
    extra = np.full(n_wires, IDENTITY)
    mark = np.full(n_wires, -1)
    slot = np.zeros(n_wires, np.int64)
    scratch = np.zeros(max(3, n_wires), np.int64)
    place = np.zeros(HORIZON, np.int64)
    wires = np.zeros(k, np.int64)
    strings = np.zeros(MAX_ROTATIONS + 2 * k, np.int64)
    before = np.zeros(MAX_ROTATIONS, np.int64)
    turns = np.zeros(MAX_ROTATIONS, np.int64)
    gates = np.zeros((SWAP_COST * most, 4), np.int32)
    rows = np.zeros(SWAP_COST * most, np.int64)
    new = np.zeros((MAX_ROTATIONS + SWAP_COST * most + k, 6), np.int32)
    local = np.zeros(k, np.int64)
    buffer = np.zeros((HORIZON, 6), np.int32)
    inverse = seed % 2 == 1
    saved = read = 0
    for start in range(len(items)):
        stop = min(start + HORIZON, len(items))
        while read < stop:
            push(items[read], frame)
            read += 1
        if items[start, KIND] not in (GATE, SWAP):
            continue
        end, count = _scan(
            items, columns, start, stop, k, most, mark, 4 * start, place, wires, scratch
        )
        for number in range(count):
            slot[wires[number]] = number
        old = old_cost = 0
        for at in range(start, end):
            if place[at - start] == _IN and items[at, KIND] != TURN:
                rows[old] = items[at, ROW]
                old += 1
                old_cost += SWAP_COST if items[at, KIND] == SWAP else 1
        if old < 2:
            continue
        m = _strings(items, place, start, end, inverse, count, slot, strings, turns)
        _predecessors(strings, m, before)
        some = strings[: m + 2 * count]
        found = search(some, m, count, before, old_cost, width, seed, gates)
        if found < 0:
            continue
        n_new, missing = _network(
            items,
            some,
            before,
            turns[:m],
            gates[:found],
            rows[: max(1, old)],
            wires[:count],
            new,
            local,
        )
        if found + missing > old:
            continue
        saved += old - found - missing
        if inverse:
            _invert(new[:n_new], local[:count])
        behind = _replace(items, place, start, end, new[:n_new], buffer)
        behind -= n_new if inverse else 0
        _push_on(items, behind, read, wires[:count], local[:count], extra, frame)
    return saved
