"""Whether both sides of a rewriting rule do the same, by brute force in floating point.

Each side is a list of matrices on all qubits, by results: a gate is written out on the whole
register with Kronecker products of Qiskit's matrices, and angles are drawn at random.
"""

from __future__ import annotations

import math
import random
from functools import reduce
from itertools import product

import numpy as np
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.quantum_info import Pauli

from qwasmc.rules.rule import Angle, Rule, Step

Matrix = np.ndarray

GATES = get_standard_gate_name_mapping()
ZERO, ONE = np.diag([1, 0]), np.diag([0, 1])
LOWER = np.array([[0, 1], [0, 0]])
TRIES = 20


def same(rule: Rule, seed: int = 0, draws: int = 2) -> bool:
    """Whether both sides are equal for angles drawn at random; not if no angles can be drawn."""
    rng = random.Random(seed)
    drawn = [angles for _ in range(draws) if (angles := draw(rule, rng)) is not None]
    return bool(drawn) and all(_same(rule, angles) for angles in drawn)


def draw(rule: Rule, rng: random.Random) -> dict[str, float] | None:
    """Angles that meet the conditions, if there are any near zero.

    Solutions of A v = b + 2 pi k for random integers k, and anything that A maps to 0 on top.
    """
    names = rule.variables()
    start = np.array([rng.uniform(-math.pi, math.pi) for _ in names])
    counts = np.array([[dict(c.terms).get(n, 0) for n in names] for c in rule.conditions])
    for _ in range(TRIES if rule.conditions else 0):
        eighths = [8 * rng.randrange(-2, 3) - condition.eighths for condition in rule.conditions]
        wanted = np.array(eighths) * math.pi / 4
        shift = np.linalg.lstsq(counts, wanted - counts @ start, rcond=None)[0]
        if np.allclose(counts @ (start + shift), wanted):
            return dict(zip(names, start + shift, strict=True))
    return None if rule.conditions else dict(zip(names, start, strict=True))


def _same(rule: Rule, angles: dict[str, float]) -> bool:
    one, other = (choi(rule, steps, angles) for steps in rule.sides)
    return one.keys() == other.keys() and all(np.allclose(one[k], other[k]) for k in one)


def choi(rule: Rule, steps: tuple[Step, ...], angles: dict[str, float]) -> dict[str, Matrix]:
    """By results, written like m=0,n=1, the sum of vec(K) vec(K)^+ over all that is thrown away."""
    qubits = sorted({q for step in rule.pattern for q in step.qubits})
    made = {step.bit for step in rule.pattern}
    given = sorted({step.cond for step in rule.pattern if step.cond} - made)
    found: dict[str, list[Matrix]] = {
        ",".join(f"{bit}={value}" for bit, value in zip(given, values, strict=True)): [
            start(rule, qubits)
        ]
        for values in product((0, 1), repeat=len(given))
    }
    for step in steps:
        found = _step(found, step, qubits, angles)
    total = {}
    for key, matrices in found.items():
        vectors = [k.reshape(-1) for matrix in matrices for k in ends(rule, qubits, matrix)]
        total[",".join(sorted(key.split(",")))] = sum(np.outer(v, v.conj()) for v in vectors)
    return total


def start(rule: Rule, qubits: list[str]) -> Matrix:
    """From states of the inputs to states of all qubits."""
    fresh = {step.qubits[0] for step in rule.pattern if step.op == "alloc"}
    return reduce(np.kron, [np.eye(2)[:, :1] if q in fresh else np.eye(2) for q in qubits])


def ends(rule: Rule, qubits: list[str], matrix: Matrix) -> list[Matrix]:
    """One matrix for each basis state of the qubits that the pattern frees."""
    freed = {step.qubits[0] for step in rule.pattern if step.op == "free"}
    rows = [np.eye(1)]
    for qubit in qubits:
        parts = [np.eye(2)[:1], np.eye(2)[1:]] if qubit in freed else [np.eye(2)]
        rows = [np.kron(row, part) for row in rows for part in parts]
    return [row @ matrix for row in rows]


def _step(
    found: dict[str, list[Matrix]], step: Step, qubits: list[str], angles: dict[str, float]
) -> dict[str, list[Matrix]]:
    if step.op in ("alloc", "free"):
        return found
    if step.op == "reset":
        parts = [on({step.qubits[0]: part}, qubits) for part in (ZERO, LOWER)]
        return {key: [p @ k for k in ks for p in parts] for key, ks in found.items()}
    if step.bit:
        letters = step.paulis or step.op[-1].upper()
        joint = on({q: pauli(p) for q, p in zip(step.qubits, letters, strict=True)}, qubits)
        one = np.eye(len(joint))
        parts = [(one + sign * joint) / 2 for sign in (1, -1)]
        return {
            f"{key},{step.bit}={value}": [part @ k for k in ks]
            for key, ks in found.items()
            for value, part in enumerate(parts)
        }
    matrix = gate(step, qubits, angles)
    return {
        key: [matrix @ k for k in ks] if not step.cond or f"{step.cond}=1" in key.split(",") else ks
        for key, ks in found.items()
    }


def gate(step: Step, qubits: list[str], angles: dict[str, float]) -> Matrix:
    """A gate on all qubits."""
    if step.op in ("cx", "cy", "cz"):
        control, target = step.qubits
        off = on({control: ZERO}, qubits)
        return off + on({control: ONE, target: pauli(step.op[-1].upper())}, qubits)
    if step.op == "swap":
        return sum(on(dict.fromkeys(step.qubits, pauli(p)), qubits) for p in "IXYZ") / 2
    if step.angle:
        matrix = GATES["rz"].base_class(value(step.angle, angles)).to_matrix()
    else:
        matrix = GATES[step.op].to_matrix()
    return on({step.qubits[0]: matrix}, qubits)


def value(angle: Angle, angles: dict[str, float]) -> float:
    """An angle in radians."""
    return angle.eighths * math.pi / 4 + sum(angles[name] * count for name, count in angle.terms)


def pauli(letter: str) -> Matrix:
    return Pauli(letter).to_matrix()


def on(parts: dict[str, Matrix], qubits: list[str]) -> Matrix:
    """Matrices of some qubits, and the identity on all others."""
    return reduce(np.kron, [parts.get(qubit, np.eye(2)) for qubit in qubits])
