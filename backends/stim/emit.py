"""Surgery -> noiseless Stim circuit with detectors and observables, slab by slab.

A slab is d rounds, with a Y letter two more, or as many as a wait row says; all its regions
keep step.  A round is one layer of resets, the layers of two-qubit gates (`schedule`), and one
layer of measurements; new data qubits are reset with the first round's ancillas and measured
with the last round's.  So a slab of r rounds has r (S + 2) layers, S the largest number of slots
among its regions, and three texts: first round, REPEAT block, last round.

Each stabilizer of a living patch is known by the records that last gave its value; that makes
detectors without search.  Signs of logical operators are nodes of `parity.Parities`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import stim

from qwasmc.backends.stim import port
from qwasmc.backends.stim.chip import Chip
from qwasmc.backends.stim.code import OTHER, Ints, patch_code
from qwasmc.backends.stim.merge import logical_support
from qwasmc.backends.stim.parity import ZERO, Node, Parities
from qwasmc.backends.stim.shape import targets
from qwasmc.backends.stim.slabs import Slab, slabs
from qwasmc.diagnostics import CompileError
from qwasmc.ir.surgery import Letter, Magic, Row, Surgery, Tile

SHIFT = "SHIFT_COORDS(0,0,1)\n"
TICK = "TICK\n"

NO_RECORDS = np.zeros(0, dtype=np.int64)

HERE = np.zeros(1, dtype=np.int64)

TWIST_ROUNDS = 2
"""Rounds by which a slab with a Y letter is longer than others.

The outcome rests on stretched stabilizers, whose measurements fail more often than others, so
that faults in time outweigh those in space: see tests/benchmarks/twist_rounds.py.
"""

KNOWN, UNKNOWN = -1, -2
"""In place of a record: a stabilizer known to be +1, and one of which nothing is known."""


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


@dataclass(slots=True, eq=False)
class Emission:
    """A circuit in pieces, and the meaning of its records."""

    distance: int
    rounds: int
    """Rounds of an ordinary slab."""
    coordinates: list[tuple[float, float]]
    """Of every qubit, by index."""
    fragments: list[stim.Circuit]
    """Coordinates, one fragment for each slab that is not empty, observables; to be added up."""
    inputs: list[OpenPatch]
    outputs: list[OpenPatch]
    layers: list[int]
    """Layers (ticks) of each slab, 0 for an empty one."""
    slab_rounds: list[int]
    """Rounds of each slab, 0 for an empty one."""
    _parities: Parities
    _bits: dict[int, Node]

    @property
    def circuit(self) -> stim.Circuit:
        """The whole circuit."""
        whole = stim.Circuit()
        for fragment in self.fragments:
            whole += fragment
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
        ands = [_and_row(leaf) for leaf in leaves if leaf < 0]
        return BitParity(leaves[len(ands) :], constant, ands)


def _and_leaf(row: int) -> int:
    """A conjunction as a leaf of the parity graph, told from a record by being negative."""
    return -1 - row


def _and_row(leaf: int) -> int:
    return -1 - leaf


def emit(surgery: Surgery, distance: int, rounds: int | None = None) -> Emission:
    """Emit a program at odd `distance` with `rounds` per slab (by default `distance`)."""
    if distance < 3 or distance % 2 == 0:
        raise ValueError(f"the distance must be odd and at least 3, not {distance}")
    rounds = distance if rounds is None else rounds
    if rounds < 1:
        raise ValueError("a slab needs at least one round")
    return _Emitter(surgery, distance, rounds).run()


@dataclass(slots=True, eq=False)
class _Patch:
    """A living patch: its stabilizers' values and its logical operators' signs."""

    values: Ints
    """(d^2 - 1,) the record that gave each of `patch_code`'s stabilizers, or KNOWN, UNKNOWN."""
    corrections: list[tuple[int, Ints]] = field(default_factory=list)
    """Stabilizers whose value needs further records."""
    sign_x: Node = ZERO
    sign_z: Node = ZERO

    def sign(self, letter: Letter) -> tuple[Node, ...]:
        """The sign of a logical operator, as a node's children."""
        return ((self.sign_x,) if letter & Letter.X else ()) + (
            (self.sign_z,) if letter & Letter.Z else ()
        )

    def flip(self, letter: Letter, parities: Parities, base: int, records: Ints) -> None:
        """Let the records base + `records` flip the sign of a logical X or Z."""
        if letter == Letter.X:
            self.sign_x = parities.add((self.sign_x,), base, records)
        else:
            self.sign_z = parities.add((self.sign_z,), base, records)


class _Emitter:
    """State of an emission between slabs."""

    def __init__(self, surgery: Surgery, distance: int, rounds: int) -> None:
        self.surgery, self.distance, self.rounds = surgery, distance, rounds
        self.chip = Chip(surgery, distance)
        self.parities = Parities()
        self.patches: dict[Tile, _Patch] = {}
        self.records = 0
        """Measurements so far."""
        self.code = patch_code(distance)
        self.types: Ints = self.code.letters[:, 0].max(axis=1)
        """The letters of a patch's stabilizers."""
        self.nodes: dict[int, Node] = {}
        """The nodes of join and measure rows."""
        self.inputs: dict[int, OpenPatch] = {}
        self.outputs: dict[int, OpenPatch] = {}

    def run(self) -> Emission:
        """The whole emission."""
        fragments = [self.chip.head()]
        layers: list[int] = []
        rounds: list[int] = []
        for slab in slabs(self.surgery, self.distance):
            layers.append(0)
            rounds.append(0)
            if slab.regions:
                emitter = _SlabEmitter(self, slab)
                rounds[-1] = emitter.rounds
                layers[-1] = emitter.rounds * (emitter.depth + 2)
                fragments.append(stim.Circuit(emitter.text()))
        bits = self._bits()
        fragments.append(self._observables(bits))
        return Emission(
            distance=self.distance,
            rounds=self.rounds,
            coordinates=self.chip.coordinates,
            fragments=fragments,
            inputs=[self.inputs[row] for row in sorted(self.inputs)],
            outputs=[self.outputs[row] for row in sorted(self.outputs)],
            layers=layers,
            slab_rounds=rounds,
            _parities=self.parities,
            _bits=bits,
        )

    def _bits(self) -> dict[int, Node]:
        """The node of every row that defines a bit."""
        bits: dict[int, Node] = {}
        for row, kind in enumerate(self.surgery.kind.tolist()):
            if kind in (Row.JOIN, Row.MEASURE):
                bits[row] = self.nodes[row]
            elif kind == Row.CONST:
                bits[row] = self.parities.add(constant=int(self.surgery.aux[row]))
            elif kind == Row.XOR:
                bits[row] = self._xor(bits, self.surgery.operands(row))
            elif kind == Row.AND:
                bits[row] = self.parities.add(base=_and_leaf(row), offsets=HERE)
        return bits

    def _xor(self, bits: dict[int, Node], operands: list[int]) -> Node:
        return self.parities.add(tuple(bits[bit] for bit in operands))

    def _observables(self, bits: dict[int, Node]) -> stim.Circuit:
        """OBSERVABLE_INCLUDE for every observable row: its records, without conjunctions."""
        lines = []
        rows = np.flatnonzero(self.surgery.kind == Row.OBSERVABLE).tolist()
        for number, row in enumerate(rows):
            leaves, _ = self.parities.expand(self._xor(bits, self.surgery.operands(row)))
            records = " ".join(f"rec[{leaf - self.records}]" for leaf in leaves if leaf >= 0)
            lines.append(f"OBSERVABLE_INCLUDE({number}) {records}")
        return stim.Circuit("\n".join(lines))  # text: appending targets is many times slower

    def open_patch(self, row: int, patch: _Patch) -> OpenPatch:
        """What an INPUT or OUTPUT row leaves open."""
        tile = self.surgery.tile(row)
        paulis = []
        for letter in (Letter.X, Letter.Z):
            pauli = stim.PauliString(len(self.chip.coordinates))
            for qubit in self.chip.data(tile, logical_support(self.distance, letter)).tolist():
                pauli[qubit] = letter.name
            paulis.append(pauli)
        signs = [Records(*self.parities.expand(node)) for node in (patch.sign_x, patch.sign_z)]
        return OpenPatch(row, tile, paulis[0], paulis[1], signs[0], signs[1])


class _SlabEmitter:
    """Writes one slab and advances the emitter's state past it."""

    def __init__(self, emitter: _Emitter, slab: Slab) -> None:
        self.emitter, self.slab = emitter, slab
        self.parities = emitter.parities
        waits = emitter.surgery.aux[slab.waits]
        twisted = any(
            term.letter == Letter.Y
            for region in slab.regions
            for term in region.shape.code.join.terms
        )
        self.rounds = emitter.rounds + TWIST_ROUNDS * twisted
        if len(waits):
            self.rounds = int(waits[0])
        self.depth = max(region.shape.depth for region in slab.regions)
        self.placements = [emitter.chip.place(region.shape, region.tile) for region in slab.regions]
        sizes = [region.shape.records for region in slab.regions]
        self.offsets: list[int] = np.concatenate([[0], np.cumsum(sizes)]).tolist()
        """Of each region's records within those of a round."""
        self.size = self.offsets.pop()
        self.home = {
            tile: (number, term)
            for number, region in enumerate(slab.regions)
            for term, tile in enumerate(region.patches)
        }
        """Region number and term of each patch."""

    def text(self) -> str:
        """The slab as Stim text."""
        rounds = self.rounds
        layers = [placement.layers(self.depth) for placement in self.placements]
        middle = _in_step(layers) + self._middle_detectors() + SHIFT
        resets = self._births(layers)
        self._outcomes()
        first = resets + _in_step(layers) + self._first_detectors() + SHIFT
        self.emitter.records += rounds * self.size
        ends = self._ends()
        if rounds == 1:
            return first + ends + TICK
        repeats = rounds - 2 if ends else rounds - 1
        text = first + TICK
        if repeats:
            text += f"REPEAT {repeats} {{\n{middle}{TICK}}}\n"
        return text + (middle + ends + TICK if ends else "")

    def _patches(self, number: int) -> list[_Patch]:
        """The patches of a region, by term."""
        return [self.emitter.patches[tile] for tile in self.slab.regions[number].patches]

    def _births(self, layers: list[list[str]]) -> str:
        """Bring new patches to life; the data resets.  Ports change their region's `layers`."""
        emitter, surgery = self.emitter, self.emitter.surgery
        text = "".join(placement.split_resets for placement in self.placements)
        for row in self.slab.births:
            tile = surgery.tile(row)
            patch = _Patch(np.full(len(emitter.types), UNKNOWN, dtype=np.int64))
            emitter.patches[tile] = patch
            match Row(surgery.kind[row]):
                case Row.INPUT:
                    emitter.inputs[row] = emitter.open_patch(row, patch)
                case Row.PREPARE:
                    letter = Letter(int(surgery.aux[row]))
                    patch.values[emitter.types == letter] = KNOWN
                    name = "RX" if letter == Letter.X else "R"
                    text += f"{name} {targets(emitter.chip.data(tile, emitter.code.sites))}\n"
                case Row.INJECT:
                    self._inject(row, patch, layers)
        return text

    def _inject(self, row: int, patch: _Patch, layers: list[list[str]]) -> None:
        """Bring a port to life: see `port`."""
        emitter, surgery = self.emitter, self.emitter.surgery
        tile = surgery.tile(row)
        number, _ = self.home[tile]
        if self.slab.regions[number].row >= 0:
            message = "a patch cannot be joined in the slab that injects it"
            raise CompileError(surgery.locations.diagnostic(message, int(surgery.loc[row])))
        patch.values[port.known_stabilizers(emitter.distance)] = KNOWN
        base = emitter.records + self.offsets[number]
        for letter in (Letter.X, Letter.Z):
            all_of_type = np.flatnonzero(emitter.types == letter)
            patch.flip(letter, self.parities, base, all_of_type)
        magic = Magic(int(surgery.aux[row]))
        layers[number] = port.first_round(self.placements[number], self.depth, magic)

    def _outcomes(self) -> None:
        """The outcomes of the joins, from the first round's records."""
        for number, region in enumerate(self.slab.regions):
            if region.row >= 0:
                terms, patches = region.shape.code.join.terms, self._patches(number)
                pairs = zip(terms, patches, strict=True)
                signs = [node for term, patch in pairs for node in patch.sign(term.letter)]
                self.emitter.nodes[region.row] = self.parities.add(
                    tuple(signs),
                    self.emitter.records + self.offsets[number],
                    region.shape.merge.outcome,
                    int(region.shape.merge.negative),
                )

    def _first_detectors(self) -> str:
        """Detectors of the first round: stabilizers of patches, and of fresh sites alone."""
        lines: list[str] = []
        end = self.emitter.records + self.size
        for number, region in enumerate(self.slab.regions):
            merge = region.shape.merge
            values = np.full(region.shape.stabilizers, UNKNOWN, dtype=np.int64)
            values[merge.fresh] = KNOWN
            more: dict[int, str] = {}
            for rows, patch in zip(merge.rows, self._patches(number), strict=True):
                values[rows] = patch.values
                for stabilizer, records in patch.corrections:
                    more[int(rows[stabilizer])] = _recs(records - end)
            heads, back = self.placements[number].detectors, self.offsets[number] - self.size
            flags = range(region.shape.stabilizers, region.shape.records)
            known = np.flatnonzero(values == KNOWN).tolist()
            lines += [f"{heads[i]}{i + back}]\n" for i in (*known, *flags)]
            old = np.flatnonzero(values >= 0)
            lines += [
                f"{heads[i]}{i + back}] rec[{record}]{more.get(i, '')}\n"
                for i, record in zip(old.tolist(), (values[old] - end).tolist(), strict=True)
            ]
        return "".join(lines)

    def _middle_detectors(self) -> str:
        """Detectors of a later round: everything against the round before; flags by themselves."""
        lines: list[str] = []
        for number, region in enumerate(self.slab.regions):
            heads, k = self.placements[number].detectors, region.shape.stabilizers
            back = self.offsets[number] - self.size
            before = back - self.size
            lines += [f"{heads[i]}{i + back}] rec[{i + before}]\n" for i in range(k)]
            lines += [f"{heads[i]}{i + back}]\n" for i in range(k, region.shape.records)]
        return "".join(lines)

    def _ends(self) -> str:
        """Split the regions and measure patches out; bring everything up to date."""
        last = self.emitter.records - self.size
        splits, text = [], ""
        for placement in self.placements:
            splits.append(self.emitter.records)
            self.emitter.records += placement.shape.splits
            text += placement.split_measurements
        bases = {}
        for row in self.slab.measures:
            bases[row] = self.emitter.records
            text += self._measurement(row)
        detectors: list[str] = []
        for number, split in enumerate(splits):
            detectors += self._split(number, last + self.offsets[number], split)
        for row, base in bases.items():
            detectors += self._measured(row, base)
        for row in self.slab.outputs:
            patch = self.emitter.patches.pop(self.emitter.surgery.tile(row))
            self.emitter.outputs[row] = self.emitter.open_patch(row, patch)
        return text + "".join(detectors)

    def _split(self, number: int, last: int, split: int) -> Iterator[str]:
        """The patches of a region after its last round (records from `last`) and its split
        (records from `split`); the detectors of stabilizers that are measured out."""
        shape, end = self.slab.regions[number].shape, self.emitter.records
        patches = self._patches(number)
        for rows, patch, corrections in zip(
            shape.merge.rows, patches, shape.corrections, strict=True
        ):
            patch.values = rows + last
            patch.corrections = [(i, records + split) for i, records in corrections]
        for term, letter, records in shape.byproducts:
            for part in (Letter.X, Letter.Z):
                if letter & part:
                    patches[term].flip(OTHER[part], self.parities, split, records)
        heads = self.placements[number].detectors
        for i, sites in shape.measured_out:
            yield f"{heads[i]}{last + i - end}]{_recs(sites + (split - end))}\n"

    def _measurement(self, row: int) -> str:
        """Transversal measurement of a patch."""
        emitter, surgery = self.emitter, self.emitter.surgery
        data = emitter.chip.data(surgery.tile(row), emitter.code.sites)
        emitter.records += len(data)
        return f"{'MX' if surgery.aux[row] == Letter.X else 'M'} {targets(data)}\n"

    def _measured(self, row: int, base: int) -> Iterator[str]:
        """The outcome of a patch measured out into records from `base`, and its detectors."""
        emitter, end = self.emitter, self.emitter.records
        letter, tile = Letter(int(emitter.surgery.aux[row])), emitter.surgery.tile(row)
        patch = emitter.patches.pop(tile)
        support = logical_support(emitter.distance, letter) @ np.array([1, emitter.distance])
        emitter.nodes[row] = self.parities.add(patch.sign(letter), base, support)
        number, term = self.home[tile]
        rows = self.slab.regions[number].shape.merge.rows[term].tolist()
        heads = self.placements[number].detectors
        more = dict(patch.corrections)
        for i in np.flatnonzero(emitter.types == letter).tolist():
            members = emitter.code.members[i, 0]
            records = np.concatenate([members[members >= 0] + base, more.get(i, NO_RECORDS)]) - end
            yield f"{heads[rows[i]]}{patch.values[i] - end}]{_recs(records)}\n"


def _in_step(regions: list[list[str]]) -> str:
    """Layers of all regions, side by side."""
    return TICK.join("".join(layer) for layer in zip(*regions, strict=True))


def _recs(lookbacks: Ints) -> str:
    return "".join(f" rec[{back}]" for back in lookbacks.tolist())
