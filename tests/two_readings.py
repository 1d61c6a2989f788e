"""Two readings of a Surgery that ends with one open patch: flags, output, and what faults do.

With Clifford stand-ins it is a Stim circuit with a qubit per tile; with true magic states a state
vector, outcomes as they fall.  Its results are flags.  Shares nothing with what writes the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import stim

from qwasmc.ir.surgery import Letter, Row, Surgery, Tile

BIRTHS, JOINTS, ENDS = (Row.PREPARE, Row.INJECT), (Row.JOIN,), (Row.MEASURE, Row.ADAPT)

ROOT = np.sqrt(0.5)
EIGENVECTOR = {
    Letter.Z: (np.array([1, 0]), np.array([0, 1])),
    Letter.X: (ROOT * np.array([1, 1]), ROOT * np.array([1, -1])),
    Letter.Y: (ROOT * np.array([1, 1j]), ROOT * np.array([1, -1j])),
}
MAGIC = ROOT * np.array([1, np.exp(0.25j * np.pi)])


class Fault(NamedTuple):
    """A Pauli on a patch, between the births and the joins of a slab."""

    slab: int
    tile: Tile
    letter: str


class Flip(NamedTuple):
    """The wrong outcome of a join or of a measurement."""

    row: int


def in_time(surgery: Surgery) -> list[tuple[int, Row]]:
    """Rows that happen, in an order in which they can."""
    found = []
    for row, kind in enumerate(map(Row, surgery.kind.tolist())):
        for phase, kinds in enumerate((BIRTHS, JOINTS, ENDS)):
            if kind in kinds:
                found.append((int(surgery.slab[row]), phase, row, kind))
    return [(row, kind) for *_, row, kind in sorted(found)]


def events(surgery: Surgery, faults: Sequence[Fault | Flip]) -> list[tuple[int, Row] | Fault]:
    """`in_time`, with the faults of patches among the rows."""
    found: list[tuple[int, Row] | Fault] = list(in_time(surgery))
    for fault in faults:
        if isinstance(fault, Fault):
            later = (
                i
                for i, event in enumerate(found)
                if not isinstance(event, Fault)
                and (surgery.slab[event[0]], event[1] not in BIRTHS) > (fault.slab, False)
            )
            found.insert(next(later), fault)
    return found


def flags(surgery: Surgery) -> list[int]:
    """The bits of the results."""
    rows = np.flatnonzero(surgery.kind == Row.RESULT)
    return [surgery.operands(row)[0] for row in rows]


def output(surgery: Surgery) -> int:
    """The row of the output."""
    (row,) = np.flatnonzero(surgery.kind == Row.OUTPUT).tolist()
    return int(row)


def frame(surgery: Surgery) -> list[int]:
    """The bits of X and Z of the output's frame."""
    return surgery.operands(output(surgery))[1:]


def logical_faults(surgery: Surgery) -> list[Fault | Flip]:
    """X and Z on every patch in every slab of its life, and every wrong outcome."""
    born: dict[Tile, int] = {}
    found: list[Fault | Flip] = []
    for row, kind in [*in_time(surgery), (output(surgery), Row.OUTPUT)]:
        tile, slab = surgery.tile(row), int(surgery.slab[row])
        if kind in BIRTHS:
            born[tile] = slab
        else:
            found += [Flip(row)] if kind != Row.OUTPUT else []
            lived = range(born.pop(tile), slab + 1) if kind != Row.JOIN else ()
            found += [Fault(slab, tile, letter) for slab in lived for letter in "XZ"]
    return found


class StandIn:
    """A Stim circuit with a qubit per tile: flags as detectors, Y of the output as observable."""

    def __init__(self, surgery: Surgery, faults: Sequence[Fault | Flip] = ()) -> None:
        self.surgery = surgery
        self.circuit = stim.Circuit()
        self.parity: dict[int, tuple[frozenset[int], int]] = {}
        qubit: dict[Tile, int] = {}
        for event in events(surgery, faults):
            if isinstance(event, Fault):
                self.circuit.append(f"{event.letter}_ERROR", qubit[event.tile], 0.001)
                continue
            row, kind = event
            q = qubit.setdefault(surgery.tile(row), len(qubit)) if kind != Row.JOIN else -1
            if kind == Row.PREPARE:
                self.circuit.append("R" + Letter(surgery.aux[row]).name, q)
            elif kind == Row.INJECT:
                self.circuit.append("RY", q)  # S|+>
            else:
                terms = [(surgery.tile(row), Letter.Y)]
                if kind == Row.JOIN:
                    terms = surgery.join(row).terms
                elif kind == Row.MEASURE:
                    terms = [(surgery.tile(row), Letter(surgery.aux[row]))]
                noise = 0.001 * (Flip(row) in faults)
                self.measure([(qubit[tile], letter.name) for tile, letter in terms], noise)
                self.parity[row] = frozenset([self.circuit.num_measurements - 1]), 0
        self.bits()
        self.measure([(qubit[surgery.tile(output(surgery))], "Y")])
        self.y = self.xor(frame(surgery), (frozenset([self.circuit.num_measurements - 1]), 0))

    def measure(self, terms: list[tuple[int, str]], noise: float = 0) -> None:
        targets: list[stim.GateTarget] = []
        for qubit, letter in terms:
            targets += [stim.target_pauli(qubit, letter), stim.target_combiner()]
        self.circuit.append("MPP", targets[:-1], noise)

    def bits(self) -> None:
        for row, kind in enumerate(self.surgery.kind.tolist()):
            if kind == Row.CONST:
                self.parity[row] = frozenset(), int(self.surgery.aux[row])
            elif kind == Row.XOR:
                self.parity[row] = self.xor(self.surgery.operands(row))
            elif kind == Row.FIX:
                self.parity[row] = self.parity[self.surgery.operands(row)[0]]

    def xor(
        self, bits: list[int], start: tuple[frozenset[int], int] = (frozenset(), 0)
    ) -> tuple[frozenset[int], int]:
        records, constant = start
        for bit in bits:
            records, constant = records ^ self.parity[bit][0], constant ^ self.parity[bit][1]
        return records, constant

    def values(self, shots: int) -> np.ndarray:
        """(shots, flags + 1) values of the flags and of Y of the corrected output, as a bit."""
        samples = self.circuit.compile_sampler(seed=1).sample(shots)
        columns = []
        for records, constant in [*map(self.parity.get, flags(self.surgery)), self.y]:
            columns.append(samples[:, sorted(records)].sum(axis=1) % 2 ^ constant)
        return np.stack(columns, axis=1)

    def effects(self) -> list[frozenset[str]]:
        """What each single fault flips: flags D0 to D3, and L0, the output."""
        circuit, end = self.circuit.copy(), self.circuit.num_measurements
        for flag in flags(self.surgery):
            records = sorted(self.parity[flag][0])
            circuit.append("DETECTOR", [stim.target_rec(record - end) for record in records])
        records = sorted(self.y[0])
        circuit.append("OBSERVABLE_INCLUDE", [stim.target_rec(r - end) for r in records], 0)
        errors = circuit.detector_error_model().flattened()
        return [frozenset(map(str, e.targets_copy())) for e in errors if e.type == "error"]


def effects(surgery: Surgery, faults: Sequence[Fault | Flip]) -> list[frozenset[str]]:
    """What each of the faults alone flips."""
    found = []
    for fault in faults:
        (effect,) = StandIn(surgery, [fault]).effects() or [frozenset()]
        found.append(effect)
    return found


class TrueReading:
    """A state vector with an axis per living patch; outcomes as they fall."""

    def __init__(self, surgery: Surgery, seed: int, faults: Sequence[Fault | Flip] = ()) -> None:
        self.surgery, self.rng = surgery, np.random.default_rng(seed)
        self.tiles: list[Tile] = []
        self.state = np.ones((), dtype=complex)
        self.bit: dict[int, int] = {}
        for event in events(surgery, faults):
            if isinstance(event, Fault):
                self.state = self.times(Letter[event.letter], event.tile)
                continue
            row, kind = event
            tile, aux = surgery.tile(row), int(surgery.aux[row])
            if kind == Row.PREPARE:
                self.appear(tile, EIGENVECTOR[Letter(aux)][0])
            elif kind == Row.INJECT:
                self.appear(tile, MAGIC)
            elif kind == Row.JOIN:
                self.bit[row] = self.join(surgery.join(row).terms)
            elif kind == Row.MEASURE:
                self.bit[row] = self.leave(tile, Letter(aux))
            else:
                asked = self.value(surgery.operands(row)[0])
                self.bit[row] = self.leave(tile, Letter.X if asked else Letter.Y)
            if Flip(row) in faults:
                self.bit[row] ^= 1
        self.flags = [self.value(flag) for flag in flags(surgery)]

    def value(self, row: int) -> int:
        if row not in self.bit:
            operands = [self.value(bit) for bit in self.surgery.operands(row)]
            made = {
                Row.CONST: int(self.surgery.aux[row]),
                Row.XOR: sum(operands) % 2,
                Row.FIX: int(all(operands)),
            }
            self.bit[row] = made[Row(self.surgery.kind[row])]
        return self.bit[row]

    def appear(self, tile: Tile, vector: np.ndarray) -> None:
        self.tiles.append(tile)
        self.state = np.multiply.outer(self.state, vector)

    def settle(self, branches: list[np.ndarray]) -> int:
        even = np.linalg.norm(branches[0]) ** 2
        bit = int(self.rng.random() > even)
        self.state = branches[bit] / np.linalg.norm(branches[bit])
        return bit

    def times(self, letter: Letter, tile: Tile) -> np.ndarray:
        """A Pauli times the state."""
        plus, minus = (np.outer(v, v.conj()) for v in EIGENVECTOR[letter])
        axis = self.tiles.index(tile)
        return np.moveaxis(np.tensordot(plus - minus, self.state, (1, axis)), 0, axis)

    def join(self, terms: tuple[tuple[Tile, Letter], ...]) -> int:
        before = self.state
        for tile, letter in terms:
            self.state = self.times(letter, tile)
        return self.settle([(before + self.state) / 2, (before - self.state) / 2])

    def leave(self, tile: Tile, letter: Letter) -> int:
        axis = self.tiles.index(tile)
        self.tiles.pop(axis)
        return self.settle(
            [np.tensordot(v.conj(), self.state, (0, axis)) for v in EIGENVECTOR[letter]]
        )

    def fidelity(self) -> float:
        """With T|+>, after the frame."""
        assert self.tiles == [self.surgery.tile(output(self.surgery))]
        x, z = (self.value(bit) for bit in frame(self.surgery))
        state = self.state * [1, -1] if z else self.state
        return float(abs(np.vdot(MAGIC, state[::-1] if x else state)) ** 2)
