"""What emission gives: the text of a circuit, slab by slab, and the meaning of its records.

The text is made anew, piece by piece, each time it is asked for, so that nothing needs memory for
the whole of it.  An observable is included piece by piece too, each record in the slab that makes
it: Stim cannot look back further than 2^24 records.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import stim

from qwasmc.backends.stim.code import Ints
from qwasmc.backends.stim.parity import Node, Parities
from qwasmc.ir.surgery import Tile


class NonLinearBit(ValueError):
    """A bit that is no XOR of measurement records."""


class Records(NamedTuple):
    """A parity of measurement records: their absolute indices, sorted, and a constant."""

    records: list[int]
    constant: int


class BitParity(NamedTuple):
    """A bit as the XOR of measurement records, of conjunctions (AND rows) and of a constant."""

    records: list[int]
    constant: int
    ands: list[int]


class OpenPatch(NamedTuple):
    """A patch left open at the start or the end of the circuit.

    The program's logical X is `x` (its left column) times (-1)^`sign_x`, likewise Z.
    """

    row: int
    tile: Tile
    x: stim.PauliString
    z: stim.PauliString
    sign_x: Records
    sign_z: Records


class SlabText(NamedTuple):
    """A piece of the circuit: a slab, or slabs in a row in which nothing happens."""

    text: str
    records: int
    """Measurements from the start of the circuit to the end of this piece."""
    rounds: int
    layers: int
    """Ticks."""


@dataclass(slots=True, eq=False)
class Emission:
    """A circuit, made piece by piece, and the meaning of its records."""

    distance: int
    rounds: int
    """Rounds of an ordinary slab."""
    coordinates: list[tuple[float, float]]
    """Of every qubit, by index."""
    inputs: list[OpenPatch]
    outputs: list[OpenPatch]
    layers: list[int]
    """Layers (ticks) of each slab, 0 for an empty one; slabs in a row in which nothing happens
    count as one."""
    slab_rounds: list[int]
    """Rounds of the same slabs, 0 for an empty one."""
    records: int
    """The number of measurements."""
    detectors: int
    """The number of detectors."""
    slabs: Callable[[], Iterator[SlabText]]
    """Makes the text of the slabs, without coordinates and observables."""
    _parities: Parities
    _bits: dict[int, Node]
    _observables: list[Node]

    def texts(self) -> Iterator[str]:
        """The circuit as Stim text, piece by piece: coordinates, slabs, empty observables.

        Each piece but the last starts and ends where a TICK stands.
        """
        yield "".join(
            f"QUBIT_COORDS({x:.12g}, {y:.12g}) {q}\n" for q, (x, y) in enumerate(self.coordinates)
        )
        shares = self._parities.shares(self._observables)
        share = next(shares, None)
        empty = dict.fromkeys(range(len(self._observables)))
        for slab in self.slabs():
            blocks: dict[int, list[Ints]] = {}
            while share is not None and share[0][0] < slab.records:
                for number in share[1]:
                    blocks.setdefault(number, []).append(share[0])
                    empty.pop(number, None)
                share = next(shares, None)
            yield slab.text + _included(blocks, slab.records)
        yield "".join(f"OBSERVABLE_INCLUDE({number})\n" for number in empty)

    @property
    def circuit(self) -> stim.Circuit:
        """The whole circuit."""
        whole = stim.Circuit()
        for text in self.texts():
            whole.append_from_stim_program_text(text)
        return whole

    @property
    def num_qubits(self) -> int:
        """The number of qubits, data and ancillas."""
        return len(self.coordinates)

    def qubit(self, x: float, y: float) -> int:
        """The index of the qubit at a place; ancillas have half-integer coordinates."""
        index = bisect_left(self.coordinates, (y, x), key=lambda place: place[::-1])
        if self.coordinates[index : index + 1] != [(x, y)]:
            raise KeyError(f"no qubit at ({x:g}, {y:g})")
        return index

    def bit_records(self, bit: int) -> Records:
        """The records and the constant whose XOR is a bit of the Surgery."""
        parity = self.bit_parity(bit)
        if parity.ands:
            raise NonLinearBit(f"row {bit} is no XOR of measurement records alone")
        return Records(parity.records, parity.constant)

    def bit_parity(self, bit: int) -> BitParity:
        """What a bit of the Surgery is the XOR of."""
        if bit not in self._bits:
            raise ValueError(f"row {bit} defines no bit")
        leaves, constant = self._parities.expand(self._bits[bit])
        ands = [and_row(leaf) for leaf in leaves if leaf < 0]
        return BitParity(leaves[len(ands) :], constant, ands)


def and_leaf(row: int) -> int:
    """A conjunction as a leaf of the parity graph, told from a record by being negative."""
    return -1 - row


def and_row(leaf: int) -> int:
    """The row of a conjunction that is a leaf of the parity graph."""
    return -1 - leaf


def _included(blocks: dict[int, list[Ints]], end: int) -> str:
    """The records of a piece of the circuit, which ends at record `end`, in each observable."""
    lines = []
    for number in sorted(blocks):
        records, counts = np.unique(np.concatenate(blocks[number]), return_counts=True)
        lookbacks = (records[counts % 2 == 1] - end).tolist()
        targets = "".join(f" rec[{back}]" for back in lookbacks)
        lines.append(f"OBSERVABLE_INCLUDE({number}){targets}\n")
    return "".join(lines)
