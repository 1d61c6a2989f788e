"""A simulator of circuits on hundreds of qubits, exact as long as few basis states occur together.

A state is a dictionary of amplitudes by basis state, in which the k-th qubit of the program is bit
k; qubits without a name, which passes have added, come after those.  Measurements have random
outcomes, seeded.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from statevector import MATRIX, rotation

from qwasmc.ir.circuit import Circuit
from qwasmc.ops import OPS

State: TypeAlias = dict[int, complex]

H, X = MATRIX["h"], MATRIX["x"]


class Machine:
    """Runs a circuit on a state of the program's qubits."""

    def __init__(self, circuit: Circuit, start: State, seed: int):
        self.circuit = circuit
        self.rng = random.Random(seed)
        self.state = start
        self.bits: dict[int, int] = {}
        self.wires = circuit.wires().tolist()
        made = [row for row, code in enumerate(circuit.op.tolist()) if OPS[code].makes_qubit]
        order = sorted(range(len(made)), key=lambda wire: not circuit.attribute(made[wire]))
        self.place = {wire: place for place, wire in enumerate(order)}
        for row in range(len(circuit)):
            self.step(row)

    def step(self, row: int) -> None:
        circuit, spec = self.circuit, OPS[self.circuit.op[row]]
        values, cond = circuit.values(row), int(circuit.cond[row])
        made = int(circuit.first[row + 1]) - 1
        if spec.makes_bit:
            self.bits[made] = 0
        if cond >= 0 and not self.bits[cond]:
            return
        if spec.name in ("xor", "and"):
            bits = [self.bits[value] for value in values]
            self.bits[made] = sum(bits) % 2 if spec.name == "xor" else int(all(bits))
        elif spec.name == "const":
            self.bits[made] = int(circuit.attr[row])
        elif spec.qubits and not spec.makes_qubit:
            self.act(row, [self.place[self.wires[value]] for value in values])

    def act(self, row: int, places: list[int]) -> None:
        """What a row does to qubits."""
        spec = OPS[self.circuit.op[row]]
        if spec.is_gate:
            paulis = str(self.circuit.attribute(row)) if spec.name == "ppr" else ""
            angle = float(self.circuit.angle[row])
            self.gate(
                rotation(spec.name, angle, paulis) if spec.angle else MATRIX[spec.name], places
            )
        elif spec.name == "measure_x":
            self.gate(H, places)
            self.bits[int(self.circuit.first[row + 1]) - 1] = self.measure(places[0])
            self.gate(H, places)
        elif spec.name == "free":
            # One that is entangled takes the superposition with it.
            self.gate(X, places[: self.measure(places[0])])
        else:
            assert spec.name in ("output", "barrier"), spec.name

    def gate(self, matrix: np.ndarray, places: Sequence[int]) -> None:
        if not places:
            return
        mask = [1 << place for place in reversed(places)]
        index = {_spread(k, mask): k for k in range(len(matrix))}
        columns = {
            bits: [(_spread(i, mask), entry) for i, entry in enumerate(column) if entry]
            for bits, column in zip(index, matrix.T.tolist(), strict=True)
        }
        inside = sum(mask)
        found: State = defaultdict(complex)
        for basis, amplitude in self.state.items():
            here = basis & inside
            for bits, entry in columns[here]:
                found[basis ^ here ^ bits] += entry * amplitude
        self.state = {basis: value for basis, value in found.items() if abs(value) > 1e-12}

    def measure(self, place: int) -> int:
        """The outcome of Z; what is left is normalised."""
        bit = 1 << place
        one = sum(abs(value) ** 2 for basis, value in self.state.items() if basis & bit)
        outcome = int(self.rng.random() < one)
        norm = math.sqrt(one if outcome else 1 - one)
        self.state = {
            basis: value / norm
            for basis, value in self.state.items()
            if bool(basis & bit) == bool(outcome)
        }
        return outcome


def _spread(index: int, mask: Sequence[int]) -> int:
    """The basis state of an index of a matrix; the mask has the least significant bit first."""
    return sum(bit for k, bit in enumerate(mask) if index >> k & 1)


def overlap(one: State, other: State) -> float:
    """How much two states agree, up to phase: 1 if they are the same."""
    return abs(sum(value.conjugate() * other.get(basis, 0) for basis, value in one.items()))
