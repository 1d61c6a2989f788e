"""An exact interpreter of small Circuits: every branch of every measurement, as a state vector.

It knows gates by their matrices, written down here, and bits by their values.  T is T unless it is
asked to be its stand-in.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import reduce

import numpy as np

from qwasmc.ir.circuit import Circuit
from qwasmc.ops import OPS

I2 = np.eye(2)
X = np.array([[0, 1], [1, 0]], dtype=complex)
Y = np.array([[0, -1j], [1j, 0]])
Z = np.diag([1, -1]).astype(complex)
H = (X + Z) / np.sqrt(2)
S = np.diag([1, 1j])
T = np.diag([1, np.exp(1j * np.pi / 4)])
SX = H @ S @ H
PAULIS = {"I": I2, "X": X, "Y": Y, "Z": Z}


def controlled(gate: np.ndarray) -> np.ndarray:
    whole = np.eye(4, dtype=complex)
    whole[2:, 2:] = gate
    return whole


MATRIX = {
    "h": H,
    "x": X,
    "y": Y,
    "z": Z,
    "s": S,
    "sdg": S.conj(),
    "t": T,
    "tdg": T.conj(),
    "sx": SX,
    "sxdg": SX.conj().T,
    "cx": controlled(X),
    "cy": controlled(Y),
    "cz": controlled(Z),
    "swap": np.eye(4)[[0, 2, 1, 3]],
    "ccx": np.eye(8)[[0, 1, 2, 3, 4, 5, 7, 6]],
    "ccz": np.diag([1, 1, 1, 1, 1, 1, 1, -1]),
    "cswap": np.eye(8)[[0, 1, 2, 3, 4, 6, 5, 7]],
}

STAND_IN = MATRIX | {"t": S, "tdg": S.conj()}

MEASURED = {"measure_x": "X", "measure_y": "Y", "measure_z": "Z"}


def rotation(name: str, angle: float, paulis: str) -> np.ndarray:
    """The matrix of a gate with an angle."""
    phase = np.exp(1j * angle)
    if name in ("p", "cp"):
        return np.diag([1] * (1 if name == "p" else 3) + [phase])
    if name == "crz":
        return np.diag([1, 1, np.exp(-0.5j * angle), np.exp(0.5j * angle)])
    letters = paulis if name == "ppr" else name[1].upper()
    product = reduce(np.kron, [PAULIS[letter] for letter in letters])
    return np.cos(angle / 2) * np.eye(len(product)) - 1j * np.sin(angle / 2) * product


@dataclass
class Branch:
    state: np.ndarray
    """One axis of length 2 per wire; its squared norm is the branch's probability."""
    bits: dict[int, int]
    results: tuple[int, ...] = ()


def apply(state: np.ndarray, matrix: np.ndarray, wires: list[int]) -> np.ndarray:
    k = len(wires)
    tensor = matrix.reshape((2,) * (2 * k))
    moved = np.tensordot(tensor, state, axes=(range(k, 2 * k), wires))
    return np.moveaxis(moved, range(k), wires)


def project(branch: Branch, letters: str, wires: list[int]) -> list[tuple[int, np.ndarray]]:
    """The possible outcomes of a Pauli product and the states they leave."""
    flipped = branch.state
    for letter, wire in zip(letters, wires, strict=True):
        flipped = apply(flipped, PAULIS[letter], [wire])
    found = [(k, (branch.state + (-1) ** k * flipped) / 2) for k in (0, 1)]
    return [(k, state) for k, state in found if np.vdot(state, state).real > 1e-9]


def distribution(circuit: Circuit, *, stand_ins: bool = False) -> dict[tuple[int, ...], float]:
    """The probability of each outcome of the results' bits, in order; inputs are |0>."""
    wire = circuit.wires()
    gates = STAND_IN if stand_ins else MATRIX
    start = np.zeros((2,) * int(wire.max() + 1), dtype=complex)
    start.flat[0] = 1
    branches = [Branch(start, {})]
    for row in range(len(circuit)):
        branches = [new for old in branches for new in step(circuit, row, wire, old, gates)]
    total: dict[tuple[int, ...], float] = defaultdict(float)
    for branch in branches:
        total[branch.results] += np.vdot(branch.state, branch.state).real
    return dict(total)


def step(
    circuit: Circuit, row: int, wire: np.ndarray, branch: Branch, gates: dict[str, np.ndarray]
) -> list[Branch]:
    spec = OPS[circuit.op[row]]
    values = circuit.values(row)
    wires = [int(wire[v]) for v in values]
    attr, cond = int(circuit.attr[row]), int(circuit.cond[row])
    made = int(circuit.first[row + 1]) - 1
    if cond >= 0 and not branch.bits[cond]:
        bits = branch.bits | {made: 0} if spec.makes_bit else branch.bits
        return [Branch(branch.state, bits, branch.results)]
    if spec.name in gates:
        return [Branch(apply(branch.state, gates[spec.name], wires), branch.bits, branch.results)]
    if spec.angle:
        paulis = circuit.names[attr] if spec.name == "ppr" else ""
        matrix = rotation(spec.name, float(circuit.angle[row]), paulis)
        return [Branch(apply(branch.state, matrix, wires), branch.bits, branch.results)]
    if spec.name == "reset":
        return [
            Branch(apply(state, X, wires) if k else state, branch.bits, branch.results)
            for k, state in project(branch, "Z", wires)
        ]
    if spec.name in MEASURED or spec.name == "ppm":
        letters = MEASURED[spec.name] if spec.name != "ppm" else circuit.names[attr]
        return [
            Branch(state, branch.bits | {made: k}, branch.results)
            for k, state in project(branch, letters, wires)
        ]
    if spec.name.startswith("result"):
        found = [branch.bits[value] for value in values]
        return [Branch(branch.state, branch.bits, (*branch.results, *found))]
    if spec.name in ("const", "xor", "and"):
        operands = [branch.bits[v] for v in values]
        bit = {"const": attr, "xor": sum(operands) % 2, "and": int(all(operands))}[spec.name]
        return [Branch(branch.state, branch.bits | {made: bit}, branch.results)]
    assert spec.name in ("alloc", "input", "free", "output", "barrier", "syndrome"), spec.name
    return [branch]
