"""Where one-qubit Clifford gates go when a word, see `runs`, is written as a circuit.

While a qubit's run lasts, some Clifford gate takes its Paulis X, Y, Z to those of the circuit's
wire: up to signs, one of six *arrangements*.  A run with a turn needs its Pauli at Z.  A pair is a
cx or cz, so it needs one of its Paulis at Z and the other at X or Z.  The fewest gates that change
arrangements from run to run follow by dynamic programming along each wire, once it is settled which
runs are at Z.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from qwasmc.kernel import kernel
from qwasmc.passes.cancelling.frames import IMAGE, INVERSE, NAMES, PRODUCT, WORD, Y, Z
from qwasmc.passes.cancelling.runs import (
    FRAME,
    NONE,
    PAIR,
    PAULI,
    ROW,
    SWAP,
    Ints,
)

_AXES = IMAGE[:, :3] % 3
_REPRESENTATIVE = np.unique(_AXES, axis=0, return_index=True)[1]

GATE = np.sort(_REPRESENTATIVE)
"""By arrangement, the first gate with it in order of `frames`."""

ARRANGEMENT = np.array([int(np.flatnonzero((_AXES[GATE] == axes).all(1))[0]) for axes in _AXES])
"""By gate; that of the identity is 0."""

STEP = np.array([[ARRANGEMENT[PRODUCT[to, INVERSE[at]]] for to in GATE] for at in GATE])
"""By arrangement before and after, the arrangement of a gate between."""

BEFORE_FRAME = np.array([[ARRANGEMENT[PRODUCT[to, gate]] for to in GATE] for gate in range(24)])
"""By a word's gate and the arrangement after it, the one before it."""

_PRICE = {"h": 10, "s": 11, "sx": 12} | dict.fromkeys(("sdg", "sxdg"), 12)
PRICE = np.array(
    [sum(_PRICE[NAMES[gate]] for gate in WORD[number] if gate >= 0) for number in GATE]
)
"""By arrangement of a gate: its length, and a preference among gates of equal length."""

FAR = 1 << 30

ANY, NOT_Y, AT_Z = range(3)
"""What a run needs of its Pauli."""


class _Runs(NamedTuple):
    of: Ints
    """(n, 2): the run of an item on each of its wires."""
    needs: Ints
    pairs: Ints
    """How many pairs there are in a run."""


class _Steps(NamedTuple):
    """Changes of arrangement that grow; `used` is how many there are."""

    previous: Ints
    """The step before it on the same qubit."""
    back: Ints
    """(steps, 6): by arrangement, the best one at the step before."""
    last: Ints
    """By wire, the last step."""
    cost: Ints
    """(wires, 6): by arrangement after the last step."""
    used: Ints


@kernel
def arrangements(word: Ints, pool: Ints, n_wires: int) -> Ints:
    """(n, 2): the arrangement of each wire of pairs, turns, rotations and predicated Paulis."""
    runs = _runs(word, pool, n_wires)
    _settle(word, runs, _plan(word, pool, n_wires, runs))
    return _plan(word, pool, n_wires, runs)


@kernel
def _settle(word: Ints, runs: _Runs, wish: Ints) -> None:
    """Settle which of the runs of each pair is at Z, as far as possible one that wishes to be."""
    for place in range(len(word)):
        if word[place].kind != PAIR:
            continue
        a, b = runs.of[place]
        if runs.needs[a] == AT_Z or runs.needs[b] == AT_Z:
            continue
        a_at_z = IMAGE[GATE[wish[place, 0]], word[place].labels[0]] % 3 == Z
        b_at_z = IMAGE[GATE[wish[place, 1]], word[place].labels[1]] % 3 == Z
        first = runs.pairs[a] >= runs.pairs[b] if a_at_z == b_at_z else a_at_z
        runs.needs[a if first else b] = AT_Z


@kernel
def _plan(word: Ints, pool: Ints, n_wires: int, runs: _Runs) -> Ints:
    """The cheapest arrangements that give runs what they need."""
    n = len(runs.needs)
    room = n + len(word) + len(pool) + n_wires
    steps = _Steps(
        np.full(room, NONE, np.int32),
        np.zeros((room, 6), np.int8),
        np.full(n_wires, NONE, np.int32),
        np.full((n_wires, 6), FAR),
        np.zeros(1, np.int64),
    )
    steps.cost[:, 0] = 0
    step_of = np.full(n, NONE, np.int32)
    for place in range(len(word)):
        kind = word[place].kind
        a, b = word[place].wires
        if kind == ROW:
            for slot in range(a, a + b):
                if pool[slot] < n_wires:
                    _to_identity(steps, pool[slot])
        elif kind == FRAME:
            _past_frame(steps, a, word[place].value)
        elif kind == SWAP:
            steps.last[a], steps.last[b] = steps.last[b], steps.last[a]
            for s in range(6):
                steps.cost[a, s], steps.cost[b, s] = steps.cost[b, s], steps.cost[a, s]
        else:
            for slot in range(2 if kind == PAIR else 1):
                run = runs.of[place, slot]
                if step_of[run] == NONE:
                    step_of[run] = steps.used[0]
                    _to_run(steps, word[place].wires[slot], word[place].labels[slot], runs, run)
    for wire in range(n_wires):
        _to_identity(steps, wire)
    chosen = _chosen(steps)
    found = np.zeros((len(word), 2), np.int8)
    for place in range(len(word)):
        for slot in range(2):
            if runs.of[place, slot] != NONE:
                found[place, slot] = chosen[step_of[runs.of[place, slot]]]
    return found


@kernel
def _runs(word: Ints, pool: Ints, n_wires: int) -> _Runs:
    """The runs of a word, and what they need."""
    n = len(word)
    run = np.full(n_wires + 1, NONE)
    label = np.full(n_wires + 1, NONE)
    runs = _Runs(
        np.full((n, 2), NONE, np.int32), np.full(2 * n, ANY, np.int8), np.zeros(2 * n, np.int32)
    )
    made = 0
    for place in range(n):
        kind = word[place].kind
        a, b = word[place].wires
        if kind == ROW:
            for slot in range(a, a + b):
                label[pool[slot]] = NONE
        elif kind in (FRAME, SWAP):
            label[a] = NONE
            if kind == SWAP:
                label[b] = NONE
        else:
            for slot in range(2 if kind == PAIR else 1):
                wire, p = word[place].wires[slot], word[place].labels[slot]
                if label[wire] != p:
                    label[wire], run[wire] = p, made
                    made += 1
                runs.of[place, slot] = run[wire]
                if kind == PAIR:
                    runs.pairs[run[wire]] += 1
                    runs.needs[run[wire]] = max(runs.needs[run[wire]], NOT_Y)
                elif kind != PAULI:
                    runs.needs[run[wire]] = AT_Z
    return _Runs(runs.of, runs.needs[:made], runs.pairs[:made])


@kernel
def _new_step(steps: _Steps, wire: int) -> int:
    number: int = steps.used[0]
    steps.used[0] += 1
    steps.previous[number] = steps.last[wire]
    steps.last[wire] = number
    return number


@kernel
def _to_run(steps: _Steps, wire: int, p: int, runs: _Runs, run: int) -> None:
    """A run starts: any arrangement that gives it what it needs."""
    step = _new_step(steps, wire)
    old = steps.cost[wire].copy()
    for to in range(6):
        axis = IMAGE[GATE[to], p] % 3
        steps.cost[wire, to] = FAR
        if (runs.needs[run] == AT_Z and axis != Z) or (runs.needs[run] == NOT_Y and axis == Y):
            continue
        for at in range(6):
            cost = old[at] + PRICE[STEP[at, to]]
            if cost < steps.cost[wire, to]:
                steps.cost[wire, to] = cost
                steps.back[step, to] = at


@kernel
def _to_identity(steps: _Steps, wire: int) -> None:
    """A row, or the end: the arrangement is that of the identity."""
    step = _new_step(steps, wire)
    best = 0
    for at in range(6):
        if (
            steps.cost[wire, at] + PRICE[STEP[at, 0]]
            < steps.cost[wire, best] + PRICE[STEP[best, 0]]
        ):
            best = at
    steps.back[step, 0] = best
    steps.cost[wire] = FAR
    steps.cost[wire, 0] = 0


@kernel
def _past_frame(steps: _Steps, wire: int, gate: int) -> None:
    """A gate of the word changes what the arrangement is, but nothing in the circuit."""
    step = _new_step(steps, wire)
    old = steps.cost[wire].copy()
    for to in range(6):
        steps.back[step, to] = BEFORE_FRAME[gate, to]
        steps.cost[wire, to] = old[BEFORE_FRAME[gate, to]]


@kernel
def _chosen(steps: _Steps) -> Ints:
    """By step, the arrangement after it; 0 after the last ones of all wires."""
    chosen = np.zeros(steps.used[0], np.int8)
    for step in range(steps.used[0] - 1, -1, -1):
        if steps.previous[step] != NONE:
            chosen[steps.previous[step]] = steps.back[step, chosen[step]]
    return chosen
