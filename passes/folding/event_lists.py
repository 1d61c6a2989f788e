"""Lists of events by blocks of qubits, to find what does not commute with one of them.

What anticommutes with a Pauli product shares a block of qubits with it.  So each block has a list
of its events in order; of every CHUNK of them it is known which X and Z bits they have at all,
which skips most of those that commute.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.kernel import kernel
from qwasmc.passes.folding.frames import NO_BITS, weight

Ints = NDArray[Any]
Records = NDArray[Any]

CHUNK = 64


class Lists(NamedTuple):
    """By block of qubits, its events in order; every list starts with a new chunk."""

    start: NDArray[np.int64]
    """By block, its first entry."""
    end: NDArray[np.int64]
    event: NDArray[np.int32]
    """By entry."""
    place: NDArray[np.int64]
    """By entry, the place of the block in the event's product."""
    any_x: NDArray[np.uint64]
    """By chunk, the bits that any of its events has."""
    any_z: NDArray[np.uint64]


@kernel
def event_lists(events: Records, words: Records, blocks: int) -> Lists:
    """The events of each block of qubits."""
    start = np.zeros(blocks + 1, dtype=np.int64)
    for event in events:
        for place in range(event.start, event.start + below(event, words, blocks)):
            start[words[place].block + 1] += 1
    for block in range(blocks):
        chunks = (start[block + 1] + CHUNK - 1) // CHUNK
        start[block + 1] = start[block] + chunks * CHUNK
    end = start[:blocks].copy()
    event_of = np.empty(start[blocks], dtype=np.int32)
    place_of = np.empty(start[blocks], dtype=np.int64)
    any_x = np.zeros(start[blocks] // CHUNK, dtype=np.uint64)
    any_z = np.zeros(start[blocks] // CHUNK, dtype=np.uint64)
    for number in range(len(events)):
        event = events[number]
        for place in range(event.start, event.start + below(event, words, blocks)):
            entry = end[words[place].block]
            end[words[place].block] += 1
            event_of[entry] = number
            place_of[entry] = place
            any_x[entry // CHUNK] |= words[place].x
            any_z[entry // CHUNK] |= words[place].z
    return Lists(start, end, event_of, place_of, any_x, any_z)


@kernel
def below(event: Any, words: Records, limit: int) -> int:
    """The number of blocks below a limit."""
    size = event.size
    while size and words[event.start + size - 1].block >= limit:
        size -= 1
    return int(size)


@kernel
def commutes(
    events: Records,
    words: Records,
    lists: Lists,
    alive: Ints,
    effort: Ints,
    of: int,
    a: int,
    b: int,
) -> bool:
    """Whether the product of an event commutes with all that is alive between events a and b.

    Each step takes one of the `effort` that is left; when it is used up the answer is no.
    """
    event = events[of]
    for place in range(event.start, event.start + below(event, words, len(lists.end))):
        block, x, z = words[place].block, words[place].x, words[place].z
        entry = _first_after(lists, block, a)
        while entry < lists.end[block] and lists.event[entry] < b:
            chunk = entry // CHUNK
            stop = min((chunk + 1) * CHUNK, lists.end[block])
            skips = not ((x & lists.any_z[chunk]) | (z & lists.any_x[chunk]))
            effort[0] -= 1 if skips else stop - entry
            if effort[0] < 0:
                return False
            while not skips and entry < stop and lists.event[entry] < b:
                there, other = words[lists.place[entry]], lists.event[entry]
                meets = (x & there.z) | (z & there.x)
                if alive[other] and meets and _anticommute(event, events[other], words):
                    return False
                entry += 1
            entry = stop
    return True


@kernel
def _first_after(lists: Lists, block: int, event: int) -> int:
    """The first entry of a block that is after an event."""
    low, high = lists.start[block], lists.end[block]
    while low < high:
        middle = (low + high) // 2
        if lists.event[middle] <= event:
            low = middle + 1
        else:
            high = middle
    return int(low)


@kernel
def _anticommute(a: Any, b: Any, words: Records) -> bool:
    i, end = a.start, a.start + a.size
    j, other_end = b.start, b.start + b.size
    odd = NO_BITS
    while i < end and j < other_end:
        left, right = words[i], words[j]
        if left.block == right.block:
            odd ^= (left.x & right.z) ^ (left.z & right.x)
        i += left.block <= right.block
        j += right.block <= left.block
    return bool(weight(odd) & 1)
