"""Which circuits the shipped rules are learned from, and which only judge them.

    qwasmc learn $(python tests/benchmarks/rewriting_circuits.py ../shared/corpus) --families ...

Learned from: the folders LEARNED of the corpus, which this prints, and the package's generated
families at seeds below 100.  Held out, by group:

    qasmbench   circuits/qasmbench, but for files of more than MOST statements
    families    the same families at other seeds, but for those where a seed changes next to nothing
    unlike      generated circuits of kinds that learning has none of
    programs    programs of the corpora qir and qvm with a circuit of LEAST gates or more
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from qiskit import QuantumCircuit

from qwasmc.passes.learning.families import families

LEARNED = ("circuits/feynman", "circuits/mqtbench")
HELD_OUT_SEEDS = (100, 101)
DRAWN = ("clifford-t", "phases", "trotter", "parities")
"""Families whose circuits differ from seed to seed."""

MOST = 20_000
LEAST = 20
PROGRAMS = ("*.ll", "*.bc", "*.qasm", "*.qwasm")


class HeldOut(NamedTuple):
    """A program that rules have not been learned from, as `qwasmc.compile` takes it."""

    group: str
    name: str
    program: Any


def held_out(corpus: Path) -> Iterator[HeldOut]:
    """All of them, group by group."""
    for path in sorted((corpus / "circuits" / "qasmbench").glob("*.qasm")):
        if path.read_text().count(";") <= MOST:
            yield HeldOut("qasmbench", path.stem, path)
    for seed in HELD_OUT_SEEDS:
        for name, text in families(seed):
            if name.startswith(DRAWN):
                yield HeldOut("families", name, text)
    for kind, make in UNLIKE.items():
        for seed in HELD_OUT_SEEDS:
            yield HeldOut("unlike", f"{kind}-{seed}", make(np.random.default_rng(seed)))
    found = [path for pattern in PROGRAMS for folder in ("qir", "qvm")
             for path in (corpus / folder).rglob(pattern)]  # fmt: skip
    for path in sorted(found):
        yield HeldOut("programs", str(path.relative_to(corpus).with_suffix(""))[-39:], path)


# -- kinds of circuits that learning has none of -----------------------------------------------


def pairs(rng: np.random.Generator, n: int, count: int) -> list[list[int]]:
    """Pairs of different qubits."""
    return [rng.permutation(n)[:2].tolist() for _ in range(count)]


def mixed(rng: np.random.Generator) -> QuantumCircuit:
    """Every gate that rules may have, on few qubits."""
    circuit = QuantumCircuit(6)
    one = ("h", "s", "sdg", "sx", "sxdg", "x", "y", "z", "t", "tdg")
    for a, b in pairs(rng, 6, 300):
        if rng.random() < 0.4:
            getattr(circuit, str(rng.choice(["cx", "cy", "cz", "swap"])))(a, b)
        else:
            getattr(circuit, str(rng.choice(one)))(a)
    return circuit


def wide(rng: np.random.Generator) -> QuantumCircuit:
    """Few gates on many qubits."""
    circuit = QuantumCircuit(40)
    for a, b in pairs(rng, 40, 800):
        kind = rng.integers(4)
        if kind == 0:
            circuit.cx(a, b)
        else:
            getattr(circuit, ("h", "s", "t")[kind - 1])(a)
    return circuit


def toffolis(rng: np.random.Generator) -> QuantumCircuit:
    """A random reversible network."""
    circuit = QuantumCircuit(8)
    for _ in range(30):
        a, b, c = rng.permutation(8)[:3].tolist()
        circuit.ccx(a, b, c)
        circuit.cx(b, a)
    return circuit


def hidden_shift(rng: np.random.Generator) -> QuantumCircuit:
    """The shift of a bent function (Roetteler, arXiv:0811.3208), measured."""
    n = 12
    circuit = QuantumCircuit(n, n)
    shifted = np.flatnonzero(rng.random(n) < 0.5).tolist()

    def bent(offset: int) -> None:
        for i in range(n // 2):
            circuit.cz(i, i + n // 2)
        for i in range(offset, offset + n // 2 - 2, 2):
            circuit.ccz(i, i + 1, i + 2)

    circuit.h(range(n))
    circuit.x(shifted)
    bent(0)
    circuit.x(shifted)
    circuit.h(range(n))
    bent(n // 2)
    circuit.h(range(n))
    circuit.measure(range(n), range(n))
    return circuit


def products(rng: np.random.Generator) -> QuantumCircuit:
    """Rotations by pi/4 about random Pauli products, by ladders of CX."""
    n = 7
    circuit = QuantumCircuit(n)
    for _ in range(20):
        on = sorted(rng.permutation(n)[: rng.integers(2, n)].tolist())
        letters = rng.integers(3, size=len(on)).tolist()
        into = QuantumCircuit(n)
        for qubit, letter in zip(on, letters, strict=True):
            if letter:
                (into.h if letter == 1 else into.sx)(qubit)
        for a, b in pairwise(on):
            into.cx(a, b)
        circuit.compose(into, inplace=True)
        circuit.t(on[-1])
        circuit.compose(into.inverse(), inplace=True)
    return circuit


def syndromes(rng: np.random.Generator) -> QuantumCircuit:
    """Rounds of parity checks of a repetition code, with gates between them, and corrections."""
    n = 5
    circuit = QuantumCircuit(2 * n - 1, 3 * n)
    for _ in range(2):
        for qubit in range(n):
            getattr(circuit, str(rng.choice(["h", "s", "t", "x"])))(qubit)
        for i in range(n - 1):
            circuit.reset(n + i)
            circuit.cx(i, n + i)
            circuit.cx(i + 1, n + i)
            circuit.measure(n + i, i)
            with circuit.if_test((circuit.clbits[i], 1)):
                circuit.x(i + 1)
    for qubit in range(n):
        circuit.measure(qubit, 2 * n + qubit)
    return circuit


def cat(rng: np.random.Generator) -> QuantumCircuit:
    """A cat state along a random tree, with phases, measured in X or Z."""
    n = 16
    circuit = QuantumCircuit(n, n)
    circuit.h(0)
    for qubit in range(1, n):
        circuit.cx(int(rng.integers(qubit)), qubit)
    for qubit in range(n):
        if rng.random() < 0.5:
            circuit.t(qubit)
            circuit.h(qubit)
    circuit.measure(range(n), range(n))
    return circuit


def increment(rng: np.random.Generator) -> QuantumCircuit:
    """Adds a random number to a register by increments of its upper parts, by carries."""
    n = 6
    circuit = QuantumCircuit(2 * n)
    for place in np.flatnonzero(rng.random(n) < 0.7).tolist():
        for i in range(place, n - 1):
            circuit.ccx(i, n + i, n + i + 1) if i > place else circuit.cx(i, n + i + 1)
        for i in reversed(range(place + 1, n)):
            circuit.cx(n + i, i)
            if i > place + 1:
                circuit.ccx(i - 1, n + i - 1, n + i)
        circuit.x(place)
    return circuit


def small_angles(rng: np.random.Generator) -> QuantumCircuit:
    """A layered circuit whose angles must be synthesised."""
    n = 4
    circuit = QuantumCircuit(n)
    for _ in range(2):
        for qubit in range(n):
            circuit.ry(float(rng.uniform(0, np.pi)), qubit)
        for qubit in range(n - 1):
            circuit.cx(qubit, qubit + 1)
    return circuit


UNLIKE: dict[str, Callable[[np.random.Generator], QuantumCircuit]] = {
    "mixed": mixed,
    "wide": wide,
    "toffolis": toffolis,
    "hidden-shift": hidden_shift,
    "products": products,
    "syndromes": syndromes,
    "cat": cat,
    "increment": increment,
    "small-angles": small_angles,
}

if __name__ == "__main__":
    print(*(Path(sys.argv[1]) / folder for folder in LEARNED))
