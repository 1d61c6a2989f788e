"""defer-paulis: Circuit -> Circuit.  Predicated Paulis move into the results they would flip.

    m0 = measure_z a             m0 = measure_z a
    b' = x b if m0        =>     r1 = measure_z b
    m1 = measure_z b'            m1 = xor r1, m0
    result m1                    result m1

A Pauli that depends on earlier outcomes commutes through Clifford gates and only changes what
later outcomes mean.  That holds for any function of the outcomes, so conjunctions end up in
results, where software evaluates them after decoding (Pauli frame: Knill, Nature 434, 39).  In
front of a gate that is not Clifford, an operation that is predicated itself, or an output, what
cannot commute is put back as a predicated Pauli.
"""

from __future__ import annotations

from functools import cache

import stim

from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ops import BY_NAME, OPS, OpSpec

NONE = -1
"""The bit that is always 0."""

DIAGONAL = frozenset({"t", "tdg", "rz", "p", "cp", "crz", "ccz", "s", "sdg", "cz"})
"""Gates that a pending Z commutes with, if they are applied or not."""

FLIPPED_BY = {"measure_z": "X", "measure_x": "Z", "measure_y": "XZ"}
"""The parts of a pending Pauli that flip a measurement's outcome."""


@cache
def conjugation(name: str) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]:
    """How a Clifford gate maps Pauli parts, signs ignored.

    Output part (qubit k, X or Z) is the parity of the listed input parts; parts are numbered
    2 * qubit for X and 2 * qubit + 1 for Z.
    """
    tableau = stim.Tableau.from_named_gate(BY_NAME[name].stim)
    parts: list[tuple[list[int], list[int]]] = [([], []) for _ in range(len(tableau))]
    for qubit in range(len(tableau)):
        images = (tableau.x_output(qubit), tableau.z_output(qubit))
        for source, image in zip((2 * qubit, 2 * qubit + 1), images, strict=True):
            for out, letter in enumerate(image):
                if letter in (1, 2):
                    parts[out][0].append(source)
                if letter in (2, 3):
                    parts[out][1].append(source)
    return tuple((tuple(x), tuple(z)) for x, z in parts)


def defer_paulis(circuit: Circuit) -> Circuit:
    """The same results without predicated Paulis, as far as gates are Clifford."""
    return _Deferral(circuit).run() if (circuit.cond >= 0).any() else circuit


class _Deferral:
    """One sweep: for each live qubit, the bits of the X and the Z that are still to be applied."""

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit
        self.out = CircuitBuilder(locations=circuit.locations)
        self.value = [NONE] * circuit.n_values
        """New number of each old value."""
        self.pending: dict[int, tuple[int, int]] = {}
        """By old qubit value: new bits of the pending X and Z."""
        self.loc = -1

    def run(self) -> Circuit:
        circuit = self.circuit
        for row in range(len(circuit)):
            self.loc = int(circuit.loc[row])
            self.step(row, OPS[circuit.op[row]])
        return self.out.freeze()

    def step(self, row: int, spec: OpSpec) -> None:
        """Copy one row, with its pending Paulis taken along, applied or accounted for."""
        circuit = self.circuit
        values = circuit.values(row)
        cond = int(circuit.cond[row])
        first = int(circuit.first[row])
        pending = [self.pending.pop(value, (NONE, NONE)) for value in values]
        if cond >= 0 and spec.is_pauli:
            bit = self.value[cond]
            x, z = pending[0]
            x = self.xor(x, bit) if spec.name in "xy" else x
            z = self.xor(z, bit) if spec.name in "yz" else z
            self.value[first] = self.value[values[0]]
            self.keep(first, x, z)
            return
        if cond >= 0 or spec.name == "output":
            pending = self.apply_all(spec, values, pending)
        elif spec.name == "reset":
            pending = [(NONE, NONE)]
        elif spec.makes_bit and values and spec.bits == 0:
            self.measure(row, spec, values, pending)
            return
        elif spec.is_gate and spec.stim:
            flat = [bit for pair in pending for bit in pair]
            pending = [
                (self.parity(flat, x), self.parity(flat, z)) for x, z in conjugation(spec.name)
            ]
        elif spec.is_gate:
            pending = self.apply_all(spec, values, pending)
        self.copy(row, values)
        if not spec.ends_qubit:
            for slot, (x, z) in enumerate(pending):
                self.keep(first + slot, x, z)

    def copy(self, row: int, values: list[int]) -> None:
        circuit = self.circuit
        cond = int(circuit.cond[row])
        new = self.out.copy(
            circuit,
            row,
            [self.value[value] for value in values],
            NONE if cond < 0 else self.value[cond],
        )
        first = int(circuit.first[row])
        for slot in range(int(circuit.first[row + 1]) - first):
            self.value[first + slot] = new + slot

    def measure(
        self, row: int, spec: OpSpec, values: list[int], pending: list[tuple[int, int]]
    ) -> None:
        """A measurement: its outcome absorbs the pending Paulis that anticommute with it."""
        self.copy(row, values)
        first = int(self.circuit.first[row])
        bit = first + len(values)
        if spec.name == "ppm":
            letters = self.circuit.names[int(self.circuit.attr[row])]
            flips = ["XZ" if c == "Y" else "X" if c == "Z" else "Z" for c in letters]
        else:
            flips = [FLIPPED_BY[spec.name]]
        for slot, ((x, z), parts) in enumerate(zip(pending, flips, strict=True)):
            if "X" in parts:
                self.value[bit] = self.xor(self.value[bit], x)
            if "Z" in parts:
                self.value[bit] = self.xor(self.value[bit], z)
            self.keep(first + slot, x, z)

    def apply_all(
        self, spec: OpSpec, values: list[int], pending: list[tuple[int, int]]
    ) -> list[tuple[int, int]]:
        """Put back what does not commute with an operation; what is still pending."""
        return [
            self.apply(value, x, z, keep_z=spec.name in DIAGONAL)
            for value, (x, z) in zip(values, pending, strict=True)
        ]

    def apply(self, value: int, x: int, z: int, *, keep_z: bool) -> tuple[int, int]:
        """Put pending Paulis back as predicated gates in front of the current row."""
        for name, bit in (("x", x), ("z", NONE if keep_z else z)):
            if bit != NONE:
                new = self.out.add(name, [self.value[value]], cond=bit, loc=self.loc)
                self.value[value] = new
        return NONE, z if keep_z else NONE

    def keep(self, value: int, x: int, z: int) -> None:
        if (x, z) != (NONE, NONE):
            self.pending[value] = (x, z)

    def xor(self, a: int, b: int) -> int:
        if NONE in (a, b):
            return max(a, b)
        return NONE if a == b else self.out.add("xor", [a, b], loc=self.loc)

    def parity(self, bits: list[int], which: tuple[int, ...]) -> int:
        total = NONE
        for part in which:
            total = self.xor(total, bits[part])
        return total
