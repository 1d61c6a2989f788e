"""Resynthesis: the same unitary between the same other rows, with fewer two-qubit gates."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from qiskit import QuantumCircuit
from qiskit.quantum_info import Statevector, random_statevector
from statevector import MATRIX, Branch, step
from strategies import circuits

import qwasmc
from qwasmc.cost import t_count, two_qubit_count
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ops import CODE, OPS
from qwasmc.passes.cancel import cancel
from qwasmc.passes.fold import fold
from qwasmc.passes.lower_gates import lower_gates
from qwasmc.passes.pauli.network import search
from qwasmc.passes.pauli.strings import conjugated, single
from qwasmc.passes.resynthesise import resynthesise
from qwasmc.text import print_ir
from qwasmc.verify import verify

FEYNMAN = Path(__file__).parents[2] / "shared" / "corpus" / "circuits" / "feynman"

TWO = ("cx", "cx", "cz", "cy", "swap")
ONE = ("h", "s", "sdg", "x", "y", "z", "sx", "sxdg", "t", "tdg", "rz")
OTHER = ("measure_x", "measure_z", "reset", "predicated", "ppm", "barrier", "syndrome", "ccx")


class Wires:
    """Builds a circuit on wires."""

    def __init__(self, n: int) -> None:
        self.builder = CircuitBuilder()
        self.file = self.builder.locations.add_file("a.qwasm", "")
        self.now = [self.builder.add("alloc", attr=f"q{i}") for i in range(n)]
        self.bits: list[int] = []

    def add(self, name: str, *wires: int, attr: int | str = 0, angle: float = 0.0, cond: int = -1):
        line = len(self.builder.op)
        loc = self.builder.locations.add(self.file, line, 1, 2)
        values = [self.now[w] for w in wires]
        made = self.builder.add(name, values, attr=attr, angle=angle, cond=cond, loc=loc)
        for slot, wire in enumerate(wires):
            self.now[wire] = made + slot
        if name.startswith("measure") or name == "ppm":
            self.bits.append(made + len(wires))

    def freeze(self) -> Circuit:
        for number, bit in enumerate(self.bits):
            self.builder.add("result", [bit], attr=f"m{number}")
        for number, value in enumerate(self.now):
            self.builder.add("output", [value], attr=f"q{number}")
        return self.builder.freeze()


def random_circuit(seed: int, n: int, gates: int, other: float = 0.0) -> Circuit:
    """Gates on one and two qubits in equal parts; `other` is the part of other rows."""
    rng = np.random.default_rng(seed)
    wires = Wires(n)
    for _ in range(gates):
        a, b, c = (int(w) for w in rng.permutation(max(3, n))[:3] % n)
        if rng.random() < other:
            add_other(wires, str(rng.choice(OTHER)), a, b, c)
        elif rng.random() < 0.5 and a != b:
            wires.add(str(rng.choice(TWO)), a, b)
        else:
            name = str(rng.choice(ONE))
            wires.add(name, a, angle=float(rng.normal()) if name == "rz" else 0.0)
    return wires.freeze()


def add_other(wires: Wires, name: str, a: int, b: int, c: int) -> None:
    if name == "predicated":
        if wires.bits:
            wires.add(("x", "z", "h")[a % 3], a, cond=wires.bits[-1])
    elif name == "syndrome":
        wires.add(name, attr=1)
    elif name == "ccx":
        if len({a, b, c}) == 3:
            wires.add(name, a, b, c)
    elif name in ("ppm", "barrier"):
        if a != b:
            wires.add(name, a, b, attr="XY" if name == "ppm" else 0)
    else:
        wires.add(name, a)


def outcomes(circuit: Circuit) -> dict[tuple[int, ...], np.ndarray]:
    """By results: the density matrix that a random state ends in, as far as it gave these."""
    wire = circuit.wires()
    shape = (2,) * int(wire.max() + 1)
    rng = np.random.default_rng(0)
    state = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    branches = [Branch(state / np.linalg.norm(state), {})]
    for row in range(len(circuit)):
        branches = [new for old in branches for new in step(circuit, row, wire, old, MATRIX)]
    total: dict[tuple[int, ...], np.ndarray] = {}
    for branch in branches:
        flat = branch.state.ravel()
        total[branch.results] = total.get(branch.results, 0) + np.outer(flat, flat.conj())
    return total


def in_qiskit(circuit: Circuit) -> QuantumCircuit:
    """The gates of a unitary circuit."""
    wire = circuit.wires()
    out = QuantumCircuit(int(wire.max() + 1))
    for row, code in enumerate(circuit.op.tolist()):
        spec = OPS[code]
        if spec.is_gate:
            angle = [float(circuit.angle[row])] if spec.angle else []
            getattr(out, spec.name)(*angle, *(int(wire[v]) for v in circuit.values(row)))
    return out


def overlap(a: Circuit, b: Circuit) -> float:
    """How near the states are that two unitary circuits make of a random one, up to phase."""
    first, second = in_qiskit(a), in_qiskit(b)
    state = random_statevector(2**first.num_qubits, seed=1)
    return abs(np.vdot(state.evolve(first).data, Statevector(state).evolve(second).data))


def check_costs(before: Circuit, after: Circuit) -> None:
    verify(after)
    assert t_count(after) == t_count(before)
    assert two_qubit_count(after) <= two_qubit_count(before)


@pytest.mark.parametrize("seed", range(60))
def test_every_branch_is_kept(seed: int):
    before = random_circuit(seed, 2 + seed % 3, 40, other=0.12)
    after = resynthesise(before)
    check_costs(before, after)
    expected, found = outcomes(before), outcomes(after)
    assert expected.keys() == found.keys()
    for results, state in expected.items():
        assert np.allclose(state, found[results])


@pytest.mark.parametrize("seed", range(12))
def test_unitaries_are_kept(seed: int):
    before = random_circuit(seed, 2 + seed % 5, 100)
    after = resynthesise(before)
    check_costs(before, after)
    assert two_qubit_count(after) < two_qubit_count(before)
    assert overlap(before, after) == pytest.approx(1)


@pytest.mark.slow
def test_a_long_circuit_is_kept():
    """Longer than a window looks ahead, and with many wires beside it."""
    before = random_circuit(0, 8, 700)
    after = resynthesise(before)
    check_costs(before, after)
    assert overlap(before, after) == pytest.approx(1)


@given(circuits())
@settings(max_examples=40)
def test_costs_never_grow(circuit: Circuit):
    check_costs(circuit, resynthesise(circuit))


def rows(circuit: Circuit) -> list[str]:
    """Names and wires of the rows that are neither alloc nor output."""
    wire = circuit.wires()
    names = [OPS[code].name for code in circuit.op.tolist()]
    return [
        f"{name} {','.join(str(wire[v]) for v in circuit.values(row))}".strip()
        for row, name in enumerate(names)
        if name not in ("alloc", "output", "result")
    ]


def circuit_of(text: str) -> Circuit:
    """Rows such as `cx 0,1`."""
    wires = Wires(4)
    for row in text.split("; "):
        name, _, operands = row.partition(" ")
        wires.add(name, *(int(w) for w in operands.split(",") if w))
    return wires.freeze()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("cx 0,1; cx 0,1", ""),
        ("cx 0,1; t 0; cx 0,1", "t 0"),
        ("cx 0,1; cx 1,0; cx 0,1", "swap 0,1"),
        ("cx 0,1; cx 1,2; cx 0,1", "cx 0,2; cx 1,2"),
        ("h 1; cz 0,1; h 1; cx 0,1", ""),
        ("cx 0,1; t 1; cx 0,1; t 0; cx 0,1", "t 0; cx 0,1; t 1"),
        ("cx 0,1; x 0; cx 0,1", "x 0; x 1"),
        ("swap 0,1; h 0; swap 0,1", "h 1"),
        ("cx 0,1; measure_x 1; cx 0,1", None),
        ("cx 0,1; barrier 1; cx 0,1", None),
        ("cx 0,1; syndrome; cx 0,1", None),
        ("cx 0,1; ccx 1,2,3; cx 0,1", None),
    ],
)
def test_identities(before: str, after: str | None):
    circuit = circuit_of(before)
    found = rows(resynthesise(circuit))
    expected = before if after is None else after
    assert sorted(found) == sorted(filter(None, expected.split("; ")))


def test_parities_share_gates():
    before = circuit_of("cx 0,1; t 1; cx 0,1; t 0; cx 0,2; cx 1,2")
    after = resynthesise(before)
    assert two_qubit_count(after) == 3
    assert overlap(before, after) == pytest.approx(1)


def test_rows_keep_places_in_the_source():
    before = circuit_of("h 3; cx 0,1; cx 0,1; s 2; x 3; cx 0,2; cx 2,0; measure_x 2")
    after = resynthesise(before)
    assert two_qubit_count(after) < two_qubit_count(before)
    gates = np.array([spec.is_gate for spec in OPS])
    assert set(after.loc[gates[after.op]]) <= set(before.loc[gates[before.op]])


def test_equal_every_time():
    circuit = random_circuit(5, 5, 120, other=0.05)
    assert print_ir(resynthesise(circuit)) == print_ir(resynthesise(circuit))


def test_nothing_to_do_changes_nothing():
    circuit = circuit_of("h 0; h 0; cx 0,1; t 1; sx 2")
    assert resynthesise(circuit) is circuit


@pytest.mark.parametrize("k", [2, 3, 4])
def test_a_clifford_gate_takes_no_more_than_it_was_made_of(k: int):
    rng = np.random.default_rng(k)
    gates = np.zeros((8, 4), dtype=np.int64)
    for trial in range(40):
        strings = [single(letter, wire) for wire in range(k) for letter in (0, 2)]
        length = 1 + trial % 5
        for _ in range(length):
            a, b = sorted(rng.choice(k, 2, replace=False).tolist())
            p, q = rng.integers(3, size=2).tolist()
            strings = [conjugated(string, a, b, p, q) for string in strings]
        before = np.zeros(0, dtype=np.int64)
        assert 0 <= search(np.array(strings), 0, k, before, length, 8, 0, gates) <= length


@pytest.mark.slow
@pytest.mark.skipif(not FEYNMAN.exists(), reason="the corpus of circuits is not here")
def test_feynman_circuits():
    """Two-qubit gates in the geometric mean, relative to Toffolis of 6 each."""
    ratios = []
    for path in sorted(FEYNMAN.glob("*.qasm")):
        if path.stat().st_size > 8_000:
            continue
        source = qwasmc.run_passes(qwasmc.parse(path), ["promote", "specialise"])
        assert isinstance(source, Circuit)
        lowered = lower_gates(source)
        folded = cancel(fold(cancel(lowered)))
        after = resynthesise(folded)
        check_costs(folded, after)
        toffolis = int(np.isin(source.op, [CODE["ccx"], CODE["ccz"]]).sum())
        ratios.append(two_qubit_count(after) / (two_qubit_count(source) + 6 * toffolis))
        if in_qiskit(lowered).num_qubits <= 10:
            assert overlap(lowered, after) == pytest.approx(1)
    assert len(ratios) > 20
    assert math.exp(np.mean(np.log(ratios))) < 0.7
