"""Merging of the events of a circuit: rotations about equal Pauli products become one.

Two rotations about a product P merge if P commutes with all that stands between them and is still
there: the first turns by both angles, the second is gone.  What turns by nothing is gone as well,
and so is a rotation that nothing keeps from a measurement of its product, before or after it: that
is a phase of each outcome.

Equal products are found by hashing.  What stands between them is found in lists of events by blocks
of qubits or, with many blocks, in light cones.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.kernel import kernel
from qwasmc.passes.folding.event_lists import Lists, below, commutes, event_lists
from qwasmc.passes.folding.frames import EVENTS, MEASURE, TURN, Frame
from qwasmc.passes.folding.light_cones import Cone, reaches
from qwasmc.passes.rotations.synthesis import EIGHTH, TOLERANCE

Ints = NDArray[Any]
Records = NDArray[Any]


_ALL_BLOCKS = np.iinfo(np.int32).max


class State(NamedTuple):
    """The events and what is known of them so far."""

    events: Records
    words: Records
    lists: Lists
    cone: Cone
    eighths: Ints
    """By row, like `rest`."""
    rest: Ints
    alive: NDArray[np.bool_]
    seen: NDArray[np.int32]
    """By event, the last one about its product that nothing keeps it from."""
    effort: NDArray[np.int64]
    """What is left."""


@kernel
def merge(frame: Frame, cone: Cone, eighths: Ints, rest: Ints, effort: int) -> None:
    """Merge rotations; angles are by row, in eighth turns (modulo 8) and radians besides.

    If the cone has rows, light cones are looked at and not lists, in `effort` steps for each event.
    """
    shape = frame.shape
    events = frame.products[shape.events : shape.events + frame.counts[EVENTS]]
    words, count = frame.words, len(events)
    # With no bits in the circuit, signs depend on none.
    exact = _classes(events, words, _ALL_BLOCKS)
    plain = _classes(events, words, shape.qubit_blocks) if shape.bits < shape.events else exact
    _locate(cone, events)
    state = State(
        events,
        words,
        event_lists(events, words, 0 if len(cone.event) else shape.qubit_blocks),
        cone,
        eighths,
        rest,
        np.ones(count, dtype=np.bool_),
        np.arange(count).astype(np.int32),
        np.array([effort * count]),
    )
    # By class, its last rotation; by rotation, the one before it, which is the last one again when
    # it vanishes.  By class whatever the bits, its last measurement and the rotations since.
    last = np.full(count, -1, dtype=np.int32)
    before = np.full(count, -1, dtype=np.int32)
    measured = np.full(count, -1, dtype=np.int32)
    turns = np.full(count, -1, dtype=np.int32)
    next_turn = np.full(count, -1, dtype=np.int32)
    for event in range(count):
        same, alike = exact[event], plain[event]
        if events[event].kind == MEASURE:
            turn = turns[alike]
            while turn >= 0:
                if state.alive[turn] and _passes(state, turn, event):
                    _drop(state, turn)
                turn = next_turn[turn]
            turns[alike] = -1
            measured[alike] = event
        elif events[event].kind == TURN:
            outcome = measured[alike]
            if outcome >= 0 and _passes(state, outcome, event):
                _drop(state, event)
                continue
            while last[same] >= 0 and not state.alive[last[same]]:
                last[same] = before[last[same]]
            if last[same] >= 0 and _passes(state, last[same], event):
                _add(state, last[same], event)
                continue
            before[event] = last[same]
            last[same] = event
            next_turn[event] = turns[alike]
            turns[alike] = event


@kernel
def _locate(cone: Cone, events: Records) -> None:
    """Tell the cone which rows are rotations."""
    cone.event[:] = -1
    if len(cone.event):
        for number in range(len(events)):
            if events[number].kind == TURN:
                cone.event[events[number].row] = number


@kernel
def _passes(state: State, a: int, b: int) -> bool:
    """Whether event a commutes with all that is alive between it and the later event b."""
    seen = state.seen[a]
    if len(state.cone.event):
        row, stop = state.events[seen].row, state.events[b].row
        found = reaches(state.cone, state.alive, state.eighths, state.effort, row, stop)
    else:
        found = commutes(
            state.events, state.words, state.lists, state.alive, state.effort, a, seen, b
        )
    if found:
        state.seen[a] = b
    return found


@kernel
def _drop(state: State, event: int) -> None:
    row = state.events[event].row
    state.eighths[row] = 0
    state.rest[row] = 0
    state.alive[event] = False


@kernel
def _add(state: State, to: int, event: int) -> None:
    """Let one rotation turn by the angle of another one too."""
    eighths, rest = state.eighths, state.rest
    a, b = state.events[to].row, state.events[event].row
    way = -1 if state.events[to].sign != state.events[event].sign else 1
    eighths[a] = (eighths[a] + way * eighths[b]) % 8
    if rest[b] != 0:
        total = rest[a] + way * rest[b]
        total -= 8 * EIGHTH * round(total / (8 * EIGHTH))
        whole = round(total / EIGHTH)
        if abs(total - whole * EIGHTH) <= TOLERANCE:
            eighths[a] = (eighths[a] + whole) % 8
            total = 0.0
        rest[a] = total
    _drop(state, event)
    if eighths[a] == 0 and rest[a] == 0:
        state.alive[to] = False


@kernel
def _classes(events: Records, words: Records, limit: int) -> NDArray[np.int32]:
    """By event, the first one of its region with the same blocks below a limit."""
    slots = 1
    while slots < 2 * len(events):
        slots *= 2
    table = np.full(slots, -1, dtype=np.int32)
    found = np.empty(len(events), dtype=np.int32)
    for event in range(len(events)):
        slot = np.int64(_hash(events[event], words, limit) & np.uint64(slots - 1))
        while table[slot] >= 0 and not _equal(events[event], events[table[slot]], words, limit):
            slot = (slot + 1) & (slots - 1)
        if table[slot] < 0:
            table[slot] = event
        found[event] = table[slot]
    return found


@kernel
def _hash(event: Any, words: Records, limit: int) -> Any:
    """A hash of an event's region and of its blocks below a limit."""
    word = np.uint64(event.region)
    for at in range(event.start, event.start + below(event, words, limit)):
        for part in (np.uint64(words[at].block), words[at].x, words[at].z):
            # The step of splitmix64, a mixing function that is one to one.
            word = (word ^ part) + np.uint64(0x9E3779B97F4A7C15)
            word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            word ^= word >> np.uint64(31)
    return word


@kernel
def _equal(a: Any, b: Any, words: Records, limit: int) -> bool:
    """Whether regions and blocks below a limit are equal."""
    size = below(a, words, limit)
    if a.region != b.region or size != below(b, words, limit):
        return False
    for step in range(size):
        left, right = words[a.start + step], words[b.start + step]
        if left.block != right.block or left.x != right.x or left.z != right.z:
            return False
    return True
