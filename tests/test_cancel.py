"""Cancellation of Clifford gates: what each rule does, and that it changes nothing else."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import statevector
import stim
from hypothesis import given, settings
from hypothesis import strategies as st
from instrument import instrument, same
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator
from random_circuits import random_clifford, random_guarded
from strategies import circuits

import qwasmc
from qwasmc.cost import rotation_count, t_count, two_qubit_count
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ops import BY_NAME, OPS
from qwasmc.passes.cancel import cancel
from qwasmc.passes.cancelling import frames as cancel_frames
from qwasmc.verify import verify

CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "circuits"

GATES = ("h", "s", "sdg", "x", "y", "z", "sx", "sxdg", "t", "tdg", "rz", "swap", "cy", "cz", "cx")
KNOWN = (*GATES, "ccx", "cp", "rx", "ppr", "ppm", "measure_z", "measure_x", "reset", "barrier")


def build(text: str, n: int = 3) -> Circuit:
    """Rows like "cx 0 1; rz 0 0.3; measure_z 1; x 0 if 0", on wires and bits by number."""
    builder = CircuitBuilder()
    wires = [builder.add("alloc", attr=f"q{wire}") for wire in range(n)]
    bits: list[int] = []
    for row in filter(None, text.split("; ")):
        gate, _, condition = row.partition(" if ")
        name, *numbers = gate.split()
        spec = BY_NAME[name]
        angle = float(numbers.pop()) if spec.angle else 0.0
        on = [int(number) for number in numbers]
        cond = bits[int(condition)] if condition else -1
        first = builder.add(name, [wires[wire] for wire in on], cond=cond, angle=angle)
        for slot, wire in enumerate(on):
            wires[wire] = first + slot
        if spec.makes_bit:
            bits.append(first + len(on))
    for number, bit in enumerate(bits):
        builder.add("result", [bit], attr=f"m{number}")
    return builder.freeze()


def rows(circuit: Circuit) -> list[str]:
    """The gates of a circuit and what it measures, as `build` takes them."""
    wire = circuit.wires()
    bits: dict[int, int] = {}
    found = []
    for row, code in enumerate(circuit.op.tolist()):
        spec = OPS[code]
        if not spec.is_gate and not spec.makes_bit:
            continue
        text = " ".join([spec.name, *(str(wire[value]) for value in circuit.values(row))])
        if spec.angle:
            text += f" {circuit.angle[row]:.3f}"
        if circuit.cond[row] >= 0:
            text += f" if {bits[int(circuit.cond[row])]}"
        if spec.makes_bit:
            bits[int(circuit.first[row + 1]) - 1] = len(bits)
        found.append(text)
    return found


def operator(circuit: Circuit, n: int) -> Operator:
    wire = circuit.wires()
    out = QuantumCircuit(n)
    for row, code in enumerate(circuit.op.tolist()):
        spec = OPS[code]
        if spec.is_gate:
            angle = [float(circuit.angle[row])] if spec.angle else []
            getattr(out, spec.qiskit)(*angle, *(int(wire[v]) for v in circuit.values(row)))
    return Operator(out)


def random_gates(rng: np.random.Generator, n: int, count: int) -> Circuit:
    builder = CircuitBuilder()
    wires = [builder.add("alloc", attr=f"q{wire}") for wire in range(n)]
    weights = np.array([1] * (len(GATES) - 4) + [1, 1, 3, 6], dtype=float)
    for name in rng.choice(GATES, size=count, p=weights / weights.sum()).tolist():
        spec = BY_NAME[name]
        on = rng.permutation(n)[: spec.qubits].tolist()
        if len(on) == spec.qubits:
            angle = float(rng.choice([0.3, -0.3, 1.1])) if spec.angle else 0.0
            first = builder.add(name, [wires[wire] for wire in on], angle=angle)
            for slot, wire in enumerate(on):
                wires[wire] = first + slot
    return builder.freeze()


def counts(circuit: Circuit) -> tuple[int, int, int]:
    return two_qubit_count(circuit), t_count(circuit), rotation_count(circuit)


def no_worse(new: Circuit, old: Circuit) -> bool:
    return all(after <= before for after, before in zip(counts(new), counts(old), strict=True))


CASES = [
    # one wire
    ("h 0; h 0", ""),
    ("h 0; x 0; h 0", "z 0"),
    ("h 0; s 0; h 0; s 0; h 0", "sdg 0"),
    ("t 0; t 0", "s 0"),
    ("t 0; x 0; t 0; x 0", ""),
    ("t 0; cx 0 1; tdg 0; cx 0 1", ""),
    ("rz 0 0.3; z 0; rz 0 0.4", "rz 0 0.700; z 0"),
    ("rz 0 0.3; cz 0 1; rz 0 -0.3", "cz 0 1"),
    # equal pairs, through what they commute with
    ("cx 0 1; t 0; cx 0 2; h 1; t 1; h 1; cx 0 1", "t 0; cx 0 2; h 1; t 1; h 1"),
    ("cz 0 1; t 0; t 1; cz 0 2; cz 1 0", "t 0; t 1; cz 0 2"),
    ("cx 0 1; h 1; t 0; cz 0 1; h 1", "t 0"),
    ("h 0; h 1; cx 0 1; h 0; h 1", "cx 1 0"),
    # pairs that merge
    ("cx 0 1; cz 0 1", "s 0; s 1; cx 0 1; z 0; sdg 1"),
    # three pairs
    ("cx 0 1; cx 1 2; cx 0 1", "cx 1 2; cx 0 2"),
    ("cx 0 1; cx 1 2; cx 0 2", "cx 1 2; cx 0 1"),
    ("cx 1 2; cx 0 2; cx 0 1", "cx 0 1; cx 1 2"),
    # swaps
    ("cx 0 1; cx 1 0; cx 0 1", "swap 0 1"),
    ("cx 0 1; cx 1 0; cx 0 1; t 0; swap 0 1", "t 1"),
    ("swap 0 1; swap 1 2; swap 0 1; swap 0 2", ""),
    # rows that nothing crosses, and those that some do
    ("cx 0 1; measure_z 2; cx 0 1", "measure_z 2"),
    ("measure_z 2; cz 0 1; z 0 if 0; cz 0 1", "measure_z 2; z 0 if 0"),
    ("measure_z 2; cx 0 1; z 1 if 0; cx 0 1", "measure_z 2; z 1 if 0; z 0 if 0"),
]


@pytest.mark.parametrize(("before", "after"), CASES)
def test_rules(before, after):
    new = cancel(build(before))
    assert len(rows(new)) <= len(after.split("; ")) if after else rows(new) == []
    assert counts(new) == counts(build(after))
    assert same(instrument(new, 3), instrument(build(before), 3))


@pytest.mark.parametrize(
    "text",
    [
        "cx 0 1; t 1; cx 0 1",
        "cx 0 1; measure_z 0; cx 0 1",
        "cx 0 1; barrier 0; cx 0 1",
        "cx 0 1; ccx 0 1 2; cx 0 1",
        "measure_z 2; cx 0 1; z 1 if 0; t 1; cx 0 1",
        "measure_z 2; cx 0 1; h 1 if 0; cx 0 1",
        "cx 0 1; reset 1; cx 0 1",
    ],
)
def test_what_is_in_the_way_stays_there(text):
    circuit = build(text)
    assert cancel(circuit) is circuit


def test_operators():
    for seed in range(250):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(1, 6))
        circuit = random_gates(rng, n, int(rng.integers(1, 70)))
        new = cancel(circuit)
        verify(new)
        assert operator(new, n).equiv(operator(circuit, n)), seed
        assert no_worse(new, circuit), seed


LAST_RUNS_OF_ONE_KIND = """OPENQASM 2.0; include "qelib1.inc"; qreg q[7];
cx q[6],q[2]; cx q[1],q[4]; h q[2]; cx q[4],q[2]; cz q[3],q[2]; cx q[1],q[2];
cx q[5],q[4]; cx q[5],q[2]; cx q[1],q[4]; h q[2]; cz q[4],q[2]; cx q[0],q[1];
cx q[4],q[2]; cx q[1],q[4]; cx q[5],q[4]; cx q[1],q[4]; cx q[1],q[4]; sdg q[4];
cx q[5],q[4]; cx q[1],q[4]; h q[1]; cx q[4],q[2]; cz q[4],q[2]; h q[2];
cx q[1],q[4]; cx q[5],q[2]; cx q[5],q[4]; cx q[1],q[2]; cz q[3],q[2]; cx q[4],q[2];
h q[2]; cx q[1],q[4]; cx q[6],q[2];
"""


def stim_tableau(circuit: Circuit, n_qubits: int) -> stim.Tableau:
    """The tableau of a circuit of Clifford gates."""
    wires = circuit.wires().tolist()
    found = stim.Circuit()
    found.append("I", range(n_qubits))
    for row, code in enumerate(circuit.op.tolist()):
        if OPS[code].is_gate:
            found.append(OPS[code].stim, [wires[value] for value in circuit.values(row)])
    return found.to_tableau()


def test_two_runs_of_one_kind_that_have_become_neighbours():
    """What arrives commutes with both of them, not with the last one only."""
    circuit = qwasmc.compile(LAST_RUNS_OF_ONE_KIND, emit="circuit", level=0).ir
    assert stim_tableau(cancel(circuit), 7) == stim_tableau(circuit, 7)


@pytest.mark.parametrize("part", range(4))
def test_most_of_a_circuit_and_its_inverse(part):
    """Much cancels, so that much is moved next to what it was not next to before."""
    rng = np.random.default_rng(part)
    for _ in range(150):
        n = int(rng.integers(4, 10))
        gates = []
        for _ in range(int(rng.integers(15, 60))):
            if rng.random() < 0.75:
                a, b = rng.permutation(n)[:2].tolist()
                target = 2 if a != 2 and rng.random() < 0.5 else b
                gates.append((str(rng.choice(["cx", "cz"])), [a, target]))
            else:
                gates.append((str(rng.choice(["h", "s", "sdg"])), [int(rng.integers(n))]))
        gates += [gate for gate in reversed(gates) if rng.random() < 0.85]
        builder = CircuitBuilder()
        values = [builder.add("alloc", attr=f"q{number}") for number in range(n)]
        for name, qubits in gates:
            first = builder.add(name, [values[qubit] for qubit in qubits])
            for slot, qubit in enumerate(qubits):
                values[qubit] = first + slot
        circuit = builder.freeze()
        assert stim_tableau(cancel(circuit), n) == stim_tableau(circuit, n)


@pytest.mark.parametrize("make", [random_clifford, random_guarded])
def test_instruments(make):
    changed = 0
    for seed in range(120):
        circuit = make(seed, max_qubits=3, max_gates=25)
        n = int(circuit.wires().max()) + 1
        new = cancel(circuit)
        verify(new)
        assert same(instrument(new, n), instrument(circuit, n)), seed
        assert no_worse(new, circuit), seed
        changed += new is not circuit
    assert changed > 30


@given(circuits(KNOWN, max_qubits=3, max_ops=25))
@settings(max_examples=60, deadline=None)
def test_any_rows(circuit):
    n = int(circuit.wires().max()) + 1
    new = cancel(circuit)
    verify(new)
    assert same(instrument(new, n), instrument(circuit, n))
    assert no_worse(new, circuit)


@given(circuits(max_qubits=4, max_ops=25))
@settings(max_examples=60, deadline=None)
def test_other_rows_keep_their_order(circuit):
    def others(some: Circuit) -> list[tuple[object, ...]]:
        kept = [row for row in range(len(some)) if not OPS[some.op[row]].is_gate]
        return [(OPS[some.op[row]].name, some.attribute(row), some.loc[row]) for row in kept]

    new = cancel(circuit)
    verify(new)
    assert others(new) == others(circuit)


@given(st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_equal_inputs_give_equal_outputs_and_there_is_a_fixpoint(seed):
    circuit = random_gates(np.random.default_rng(seed), 5, 80)
    once = cancel(circuit)
    assert rows(once) == rows(cancel(circuit))
    assert no_worse(cancel(once), once)


def test_many_gates():
    rng = np.random.default_rng(1)
    n, ladder = 2000, 20
    builder = CircuitBuilder()
    wires = [builder.add("alloc", attr="") for _ in range(n)]
    order = [(a, a + 1) for a in range(n - 1)] * ladder
    for a, b in order + order[::-1]:
        first = builder.add("cx", [wires[a], wires[b]])
        wires[a], wires[b] = first, first + 1
        if rng.random() < 0.5:
            wires[a] = builder.add("h", [wires[a]])
            wires[a] = builder.add("h", [wires[a]])
    circuit = builder.freeze()
    assert two_qubit_count(circuit) == 79960
    assert len(cancel(circuit)) == n


def test_tables():
    gates = statevector.MATRIX
    paulis = [gates[name] for name in "xyz"] + [-gates[name] for name in "xyz"]
    for number, word in enumerate(cancel_frames.WORD.tolist()):
        matrix = np.eye(2)
        for gate in word:
            matrix = (gates[cancel_frames.NAMES[gate]] if gate >= 0 else np.eye(2)) @ matrix
        for p, image in enumerate(cancel_frames.IMAGE[number]):
            assert np.allclose(matrix @ paulis[p] @ matrix.conj().T, paulis[image])
    for p in range(3):
        for quarters in range(4):
            turn = cancel_frames.TURN[p, quarters]
            angle = quarters * math.pi / 2
            matrix = np.cos(angle / 2) * np.eye(2) - 1j * np.sin(angle / 2) * paulis[p]
            for q, image in enumerate(cancel_frames.IMAGE[turn]):
                assert np.allclose(matrix @ paulis[q] @ matrix.conj().T, paulis[image])


def test_pairs_that_all_commute_are_what_their_parities_say():
    rng = np.random.default_rng(3)
    n, count = 60, 20000
    builder = CircuitBuilder()
    wires = [builder.add("alloc", attr="") for _ in range(n)]
    odd: set[frozenset[int]] = set()
    for _ in range(count):
        a, b = rng.choice(n, size=2, replace=False).tolist()
        first = builder.add("cz", [wires[a], wires[b]])
        wires[a], wires[b] = first, first + 1
        odd ^= {frozenset((a, b))}
    new = cancel(builder.freeze())
    assert {frozenset(row.split()[1:]) for row in rows(new)} == {
        frozenset(map(str, edge)) for edge in odd
    }
    assert len(new) == n + len(odd)


NAM = {
    "tof_3": 14,
    "tof_10": 70,
    "barenco_tof_4": 34,
    "mod5_4": 28,
    "vbe_adder_3": 50,
    "csum_mux_9": 140,
    "qcla_mod_7": 292,
    "adder_8": 291,
    "mod_mult_55": 40,
    "gf24_mult": 99,
}
"""CX gates that the optimiser of Nam et al., arXiv:1710.07345, leaves.

It starts from Toffolis of six CX; our `lower-gates` writes many with fewer, so this bounds the
passes together, not `cancel` alone.
"""


@pytest.mark.parametrize("name", NAM)
def test_published_counts(name):
    path = CORPUS / "feynman" / f"{name}.qasm"
    if not path.exists():
        pytest.skip("the corpus is not here")
    circuit = qwasmc.parse(path)
    if not isinstance(circuit, Circuit):
        circuit = qwasmc.run_passes(circuit, ["promote", "specialise"])
    circuit = qwasmc.run_passes(circuit, ["lower-gates", "cancel", "fold", "cancel"])
    assert two_qubit_count(circuit) <= NAM[name]
