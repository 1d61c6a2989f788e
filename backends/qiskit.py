"""Circuit -> Qiskit's QuantumCircuit for simulation: results are computed from measured bits.

    measure_z 4 -> 5, 6        q[0] -> m[0]
    h 5 if 6                   if m[0] { h q[0] }
    and 6 9 -> 10              c[0] = m[0] & m[1]      only if conditions share it, or it is long
    h 7 if 10                  if c[0] { h q[1] }

Without results to compute, Aer samples the outcomes of most circuits all at once;
`Translated.evaluate` computes results from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit

from qwasmc.backends.qiskit_build import build
from qwasmc.backends.structured.circuits import classical_rows, qubits_of, straight
from qwasmc.ir.circuit import Circuit
from qwasmc.ops import OPS


@dataclass(slots=True)
class Translated:
    """A Qiskit circuit and what its measured bits mean."""

    circuit: QuantumCircuit
    source: Circuit
    clbit: dict[int, int]
    """Index in the first register by value number, for every measured bit."""

    def evaluate(self, values: Sequence[int], measured: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Bits of the program from measured ones: (n, measurements) to (n, len(values))."""
        shots = len(measured)
        column = {value: measured[:, at] for value, at in self.clbit.items()}
        zero = np.zeros(shots, dtype=np.bool_)  # the outcome of measuring nothing
        for row in classical_rows(self.source, list(values)):
            name = OPS[self.source.op[row]].name
            operands = [column.get(value, zero) for value in self.source.values(row)]
            start = bool(self.source.attr[row]) if name == "const" else name == "and"
            made = np.full(shots, start)
            for operand in operands:
                made = made & operand if name == "and" else made ^ operand
            column[int(self.source.first[row])] = made
        bits = np.empty((shots, len(values)), dtype=np.bool_)
        for at, value in enumerate(values):
            bits[:, at] = column.get(value, zero)
        return bits


def to_qiskit(circuit: Circuit) -> Translated:
    """Translate a circuit; inputs are qubits in |0>, and outputs are left as they are."""
    found = straight(circuit, results=False)
    made = build(found.listing)
    clbit = {
        value: made.circuit.find_bit(made.places[variable]).index
        for value, variable in found.measured.items()
    }
    return Translated(made.circuit, circuit, clbit)


def width(circuit: Circuit) -> int:
    """How many qubits the translation has."""
    return max(qubits_of(circuit).values(), default=-1) + 1
