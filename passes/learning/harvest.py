"""Blocks of circuits: neighbourhoods of a few gates on up to three qubits; how often they recur.

From each gate a block grows forwards along its qubits, gate by gate, in the order of the circuit.
What depends on a gate that was left out is left out too.  A gate with one more qubit may bring that
in, with gates on this qubit alone right before, if its last gate with others is older than the
block; so nothing in a block depends on anything outside that depends on the block, and it can be
replaced as a whole.  Every block on the way counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.ir.circuit import Circuit
from qwasmc.ir.wires import to_wires, wires_of
from qwasmc.kernel import kernel
from qwasmc.ops import CODE, OPS
from qwasmc.passes.learning.alphabets import WIRES, Alphabet
from qwasmc.passes.learning.words import Words, canonical_words, packed
from qwasmc.rules.rule import SYMMETRIC

MAX_WIRES = 3

WALKS = 3
"""Blocks that grow from each gate."""

MAX_WALKS = 100_000
"""Most blocks that grow in one circuit; the gates that they begin at are evenly spaced."""

MOST = 20_000
"""Most different blocks of a circuit that are reported: those that recur most."""

NONE = -1


Block = tuple[int, str, int]
"""How many qubits, the word in hexadecimal, how often."""


def harvest(circuit: Circuit, alphabets: Sequence[Alphabet], size: int, seed: int) -> list[Block]:
    """The blocks of two to `size` gates; `alphabets` are those of 1, 2, 3 qubits."""
    wired = to_wires(circuit)
    number = letters_of(alphabets[-1])
    plain = (number[wired.op, 0, 0] > 0) | (number[wired.op, 0, 1] > 0)
    plain &= wired.cond < 0
    before, behind = _links(wired.op, wired.operands, wired.pool, wired.n_wires)
    rows = np.flatnonzero(plain)
    if not len(rows):
        return []
    walks = min(WALKS * len(rows), MAX_WALKS)
    starts = rows[np.arange(walks) * len(rows) // walks]
    coins = np.random.default_rng(seed).integers(0, 1 << 62, walks)
    coins[::WALKS] = 0
    rows, ends = _grow(starts, coins, wired.operands, plain, before, behind, size)
    numbers = np.array([letters_of(alphabet) for alphabet in alphabets])
    words, widths = _words(rows, ends, wired.op, wired.operands, numbers)
    return _counted(words, widths, alphabets)


def letters_of(alphabet: Alphabet) -> NDArray[np.uint8]:
    """By op code and the numbers of its two qubits (or of one, twice): the letter, or 0."""
    found = np.zeros((len(OPS), len(WIRES), len(WIRES)), dtype=np.uint8)
    for at, (step,) in enumerate(alphabet.letters, start=1):
        one, other = (WIRES.index(qubit) for qubit in (step.qubits[0], step.qubits[-1]))
        found[CODE[step.op], one, other] = at
        if step.op in SYMMETRIC:
            found[CODE[step.op], other, one] = at
    return found


def _counted(words: Words, widths: Any, alphabets: Sequence[Alphabet]) -> list[Block]:
    """The different blocks, those that recur most first."""
    found = []
    for width, alphabet in enumerate(alphabets, start=1):
        own = canonical_words(words[widths == width], alphabet)
        different, counts = np.unique(packed(own), return_counts=True)
        found += [
            (width, word.hex(), count)
            for word, count in zip(different.tolist(), counts.tolist(), strict=True)
        ]
    found.sort(key=lambda block: (-block[2], block))
    return found[:MOST]


@kernel
def _links(op: Any, operands: Any, pool: Any, n_wires: int) -> Any:
    """By row and operand, of rows with at most two: the rows before and behind on that qubit."""
    before = np.full((len(op), 2), NONE, dtype=np.int32)
    behind = np.full((len(op), 2), NONE, dtype=np.int32)
    last = np.full((n_wires, 2), NONE, dtype=np.int32)
    for row in range(len(op)):
        wires = wires_of(row, op, operands, pool)
        for slot in range(len(wires)):
            wire = wires[slot]
            if last[wire, 0] >= 0 and last[wire, 1] < 2:
                behind[last[wire, 0], last[wire, 1]] = row
            if slot < 2:
                before[row, slot] = last[wire, 0]
            last[wire, 0], last[wire, 1] = row, slot
    return before, behind


@kernel
def _grow(
    starts: Any, coins: Any, operands: Any, plain: Any, before: Any, behind: Any, size: int
) -> Any:
    """(starts, size): the rows of blocks, then -1; and whether a block ends at each of them.

    Each bit of a coin says whether another qubit is left out, though it could come in.
    """
    rows = np.full((len(starts), size), NONE, dtype=np.int32)
    ends = np.zeros((len(starts), size), dtype=np.bool_)
    wires = np.zeros(MAX_WIRES, dtype=np.int32)
    heads = np.zeros(MAX_WIRES, dtype=np.int32)
    for walk in range(len(starts)):
        first = starts[walk]
        count = 2 if operands[first, 1] >= 0 else 1
        wires[:count] = operands[first, :count]
        heads[:count] = behind[first, :count]
        rows[walk, 0] = first
        length = 1
        coin = coins[walk]
        while length < size:
            at = _least(heads, count)
            if at < 0:
                break
            row = heads[at]
            heads[at] = NONE
            pair = operands[row, 1] >= 0
            slot = 1 if pair and operands[row, 0] == wires[at] else 0
            partner = operands[row, slot] if pair else wires[at]
            place = _place(wires, count, partner)
            if not plain[row] or (pair and place < count and heads[place] != row):
                continue
            if place == count:
                chain = _chain(before[row, slot], first, operands, plain, before)
                left_out = coin & 1
                coin >>= 1
                if left_out or count == MAX_WIRES or chain < 0 or length + chain >= size:
                    continue
                wires[count] = partner
                count += 1
                older = before[row, slot]
                for _ in range(chain):
                    rows[walk, length] = older
                    length += 1
                    older = before[older, 0]
            rows[walk, length] = row
            ends[walk, length] = True
            length += 1
            heads[place] = behind[row, slot]
            heads[at] = behind[row, 1 - slot] if pair else behind[row, 0]
    return rows, ends


@kernel
def _least(heads: Any, count: int) -> int:
    """The qubit whose next row is the first one, or -1."""
    found = -1
    for at in range(count):
        if heads[at] >= 0 and (found < 0 or heads[at] < heads[found]):
            found = at
    return found


@kernel
def _place(wires: Any, count: int, wire: int) -> int:
    """Where a wire stands, or `count`."""
    for at in range(count):
        if wires[at] == wire:
            return at
    return count


@kernel
def _chain(row: int, first: int, operands: Any, plain: Any, before: Any) -> int:
    """How many gates on one qubit end with a row and are younger than the block's first gate.

    It is -1 if what stands before them is younger too.
    """
    length = 0
    while row > first and plain[row] and operands[row, 1] < 0:
        length += 1
        row = before[row, 0]
    return -1 if row > first else length


@kernel
def _words(rows: Any, ends: Any, op: Any, operands: Any, numbers: Any) -> Any:
    """The blocks as words, and how many qubits each has, in the order of `ends`.

    `numbers` are the letters, by number of qubits less 1, op code and qubits.
    """
    words = np.zeros((ends.sum(), rows.shape[1]), dtype=np.uint8)
    widths = np.zeros(len(words), dtype=np.int64)
    wires = np.zeros(MAX_WIRES, dtype=np.int32)
    used = 0
    for walk in range(len(rows)):
        for last in range(rows.shape[1]):
            if not ends[walk, last]:
                continue
            block = np.sort(rows[walk, : last + 1])
            count = 0
            for row in block:
                for slot in range(2):
                    wire = operands[row, slot]
                    if wire >= 0 and _place(wires, count, wire) == count:
                        wires[count] = wire
                        count += 1
            for at in range(len(block)):
                row = block[at]
                one = _place(wires, count, operands[row, 0])
                pair = operands[row, 1] >= 0
                other = _place(wires, count, operands[row, 1]) if pair else one
                words[used, at] = numbers[count - 1, op[row], one, other]
            widths[used] = count
            used += 1
    return words, widths
