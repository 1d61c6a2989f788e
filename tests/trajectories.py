"""Are two circuits the same, whatever comes in and whatever is measured?  By single runs.

A run starts from a random state of the program's qubits, takes random outcomes for its measurements
and resets, and ends in a state.  The other circuit must give that state, up to phase, with the same
probability, for the same outcomes.  Its own measurements, of ancillas it has added, have no source
location; their outcomes are random and must be equally likely.  Qubits in use have an axis each, so
ancillas cost nothing once they are freed.
"""

from __future__ import annotations

import numpy as np
from statevector import MATRIX, MEASURED, PAULIS, X, apply, rotation

from qwasmc.ir.circuit import Circuit
from qwasmc.ops import OPS

TOLERANCE = 1e-7


class Run:
    """One run of a circuit.

    Outcomes of the program are `forced`, as far as given; `taken` are those it had, with their
    probability.
    """

    def __init__(self, circuit: Circuit, start: np.ndarray, forced: list[int] | None, seed: int):
        self.circuit = circuit
        self.rng = np.random.default_rng(seed)
        self.axis: dict[int, int] = {}
        """By qubit value, the qubit's axis."""
        self.program: list[int] = []
        """The axes of the program's qubits, in order."""
        self.bits: dict[int, int] = {}
        self.other = forced is not None
        self.forced = list(reversed(forced or []))
        self.taken: list[int] = []
        self.results: list[tuple[str, tuple[int, ...]]] = []
        self.probability = 1.0
        self.state = start
        self.waiting = list(range(start.ndim))
        for row in range(len(circuit)):
            self.step(row)

    def step(self, row: int) -> None:
        circuit, spec = self.circuit, OPS[self.circuit.op[row]]
        values = circuit.values(row)
        first, made = int(circuit.first[row]), int(circuit.first[row + 1]) - 1
        cond = int(circuit.cond[row])
        if spec.makes_qubit:
            if circuit.names[circuit.attr[row]]:
                self.axis[first] = self.waiting.pop(0)
                self.program.append(self.axis[first])
            else:
                self.state = np.stack([self.state, np.zeros_like(self.state)], axis=-1)
                self.axis[first] = self.state.ndim - 1
            return
        axes = [self.axis.pop(value) for value in values] if spec.qubits else []
        if spec.ends_qubit:
            self.end(axes[0])
            return
        for slot, axis in enumerate(axes):
            self.axis[first + slot] = axis
        if cond >= 0 and not self.bits[cond]:
            if spec.makes_bit:
                self.bits[made] = 0
            return
        if spec.is_gate:
            paulis = circuit.attribute(row) if spec.name == "ppr" else ""
            angle = float(circuit.angle[row])
            matrix = rotation(spec.name, angle, str(paulis)) if spec.angle else MATRIX[spec.name]
            self.state = apply(self.state, matrix, axes)
        elif spec.name == "reset":
            if self.measure("Z", axes, extra=False):
                self.state = apply(self.state, X, axes)
        elif spec.name in MEASURED or spec.name == "ppm":
            letters = MEASURED.get(spec.name) or str(circuit.attribute(row))
            self.bits[made] = self.measure(letters, axes, extra=self.other and circuit.loc[row] < 0)
        elif spec.name.startswith("result"):
            name = str(circuit.attribute(row))
            self.results.append((name, tuple(self.bits[value] for value in values)))
        elif spec.makes_bit:
            operands = [self.bits[value] for value in values]
            self.bits[made] = {
                "const": int(circuit.attr[row]),
                "xor": sum(operands) % 2,
                "and": int(all(operands)),
            }[spec.name]

    def measure(self, letters: str, axes: list[int], *, extra: bool) -> int:
        flipped = self.state
        for letter, axis in zip(letters, axes, strict=True):
            flipped = apply(flipped, PAULIS[letter], [axis])
        ends = [(self.state + flipped) / 2, (self.state - flipped) / 2]
        one = np.vdot(ends[1], ends[1]).real
        if extra:
            assert abs(one - 0.5) < TOLERANCE, "an added measurement is biased"
            outcome = int(self.rng.integers(2))
        elif self.other:
            outcome = self.forced.pop()
        else:
            outcome = int(self.rng.random() < one)
        if not extra:
            self.taken.append(outcome)
            self.probability *= one if outcome else 1 - one
        norm = np.linalg.norm(ends[outcome])
        self.state = ends[outcome] / max(norm, 1e-12)
        return outcome

    def end(self, axis: int) -> None:
        """An ancilla that goes must be on its own; a qubit of the program keeps its axis."""
        if axis in self.program:
            return
        parts = np.moveaxis(self.state, axis, 0).reshape(2, -1)
        weights, vectors = np.linalg.eigh(parts @ parts.conj().T)
        assert weights[0] < TOLERANCE, "a freed ancilla is entangled"
        rest = (vectors[:, 1].conj() @ parts).reshape(self.state.shape[:-1])
        self.state = rest
        for value, at in self.axis.items():
            self.axis[value] = at - (at > axis)


def assert_same(before: Circuit, after: Circuit, seed: int = 0, runs: int = 3) -> None:
    """Two circuits act alike in some random runs, from random states of the program's qubits."""
    named = sum(
        bool(before.names[before.attr[row]])
        for row, code in enumerate(before.op.tolist())
        if OPS[code].makes_qubit
    )
    for at in range(runs):
        rng = np.random.default_rng([seed, at])
        start = rng.normal(size=(2,) * named) + 1j * rng.normal(size=(2,) * named)
        start /= np.linalg.norm(start)
        one = Run(before, start, None, seed=int(rng.integers(2**32)))
        other = Run(after, start, one.taken, seed=int(rng.integers(2**32)))
        assert not other.forced, "measurements of the program are missing"
        assert one.results == other.results
        assert abs(one.probability - other.probability) < TOLERANCE
        overlap = abs(np.vdot(one.state, other.state))
        assert abs(overlap - 1) < TOLERANCE, f"the states differ: overlap {overlap}"
