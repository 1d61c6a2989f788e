"""Counts of results, against Qiskit Aer and by hand."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from chi_square import check
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit_aer import AerSimulator

from qwasmc.backends.simulate import simulate as simulate_any
from qwasmc.backends.stim import simulate as module
from qwasmc.backends.stim.simulate import simulate
from qwasmc.diagnostics import CompileError
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.pipeline import load

SHOTS = 4000


def bell() -> Circuit:
    builder = CircuitBuilder()
    a = builder.add("h", [builder.add("alloc", attr="a")])
    first = builder.add("cx", [a, builder.add("alloc", attr="b")])
    builder.add("result", [builder.add("measure_z", [first]) + 1], attr="ma")
    flipped = builder.add("x", [first + 1])
    builder.add("result", [builder.add("measure_z", [flipped]) + 1], attr="mb")
    return builder.freeze()


def test_the_first_result_is_leftmost():
    counts = simulate(bell(), 1000, seed=3)
    assert counts["results"] == ["ma", "mb"]
    assert counts["counts"].keys() == {"01", "10"}
    assert sum(counts["counts"].values()) == counts["shots"] == 1000
    assert counts["ones"] == {"ma": counts["counts"]["10"], "mb": counts["counts"]["01"]}
    assert json.loads(json.dumps(counts)) == counts


def test_a_seed_repeats(monkeypatch):
    assert simulate(bell(), 100, seed=1) == simulate(bell(), 100, seed=1)
    assert simulate(bell(), 100, seed=1) != simulate(bell(), 100, seed=2)


def test_batches_add_up(monkeypatch):
    monkeypatch.setattr(module, "MAX_BATCH", 14)
    counts = simulate(bell(), 100, seed=1)["counts"]
    assert sum(counts.values()) == 100
    assert min(counts.values()) > 20


def test_a_program_without_results():
    assert simulate(CircuitBuilder().freeze(), 10, seed=0)["counts"] == {"": 10}


def test_results_that_share_a_name_have_no_marginals():
    builder = CircuitBuilder()
    one = builder.add("const", attr=1)
    builder.add("result", [one], attr="r")
    builder.add("result", [one], attr="r")
    counts = simulate(builder.freeze(), 5, seed=0)
    assert counts["counts"] == {"11": 5}
    assert "ones" not in counts


@pytest.mark.parametrize("name", ["t", "tdg"])
def test_t_gates_are_refused_where_they_stand(name):
    builder = CircuitBuilder()
    file = builder.locations.add_file("p.qwasm", f"APPLY_{name.upper()} q")
    q = builder.add("alloc", attr="q")
    builder.add(name, [q], loc=builder.locations.add(file, 1, 1, 8))
    with pytest.raises(CompileError, match="not a Clifford gate") as refused:
        simulate(builder.freeze(), 10, seed=0)
    assert refused.value.exit_code == 1
    assert str(refused.value.diagnostics[0].place) == "p.qwasm:1:1"


def test_open_inputs_are_refused():
    builder = CircuitBuilder()
    builder.add("input", attr="q")
    with pytest.raises(CompileError, match="no state to start from"):
        simulate_any(builder.freeze(), 10, 0, load)


def test_rotations_by_clifford_angles_are_sampled():
    """Shot by shot this would take half a minute."""
    builder = CircuitBuilder()
    q = builder.add("alloc", attr="q")
    for _ in range(2):
        q = builder.add("rx", [q], angle=math.pi / 2)
    for number in range(100):
        first = builder.add("crz", [q, builder.add("alloc", attr=f"q{number}")], angle=3 * math.pi)
        q = first
        builder.add("ppr", [first + 1], angle=math.pi, attr="Y")
    q = builder.add("ry", [q], angle=-math.pi / 2)
    builder.add("result", [builder.add("measure_x", [q]) + 1], attr="m")
    counts = simulate_any(builder.freeze(), 100_000, 1, load)
    assert counts["counts"] == {"0": 100_000}


def test_gates_that_depend_on_a_conjunction():
    """Stim's sampler cannot, so it is run shot by shot."""
    builder = CircuitBuilder()
    bits = []
    for name in "ab":
        q = builder.add("measure_z", [builder.add("h", [builder.add("alloc", attr=name)])])
        bits.append(q + 1)
    q = builder.add("x", [builder.add("alloc", attr="c")], cond=builder.add("and", bits))
    builder.add("result", [builder.add("measure_z", [q]) + 1], attr="m")
    check(simulate_any(builder.freeze(), SHOTS, 1, load)["counts"], {"0": 0.75, "1": 0.25})


def random_pair(seed: int) -> tuple[Circuit, QuantumCircuit]:
    """The same random program with feed-forward, built twice."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 5))
    measured = 6
    builder = CircuitBuilder()
    wires = [builder.add("alloc", attr=f"q{i}") for i in range(n)]
    bits: list[int] = []
    register = ClassicalRegister(measured, "c")
    other = QuantumCircuit(QuantumRegister(n), register)
    while len(bits) < measured:
        a, b = rng.choice(n, size=2, replace=False).tolist()
        kind = rng.integers(0, 8)
        if kind < 3:
            gate = str(rng.choice(["h", "s", "sdg", "sx", "sxdg", "y"]))
            wires[a] = builder.add(gate, [wires[a]])
            getattr(other, gate)(a)
        elif kind < 5:
            gate = str(rng.choice(["cx", "cy", "cz", "swap"]))
            first = builder.add(gate, [wires[a], wires[b]])
            wires[a], wires[b] = first, first + 1
            getattr(other, gate)(a, b)
        elif kind < 6 and bits:
            which = int(rng.integers(len(bits)))
            gate = str(rng.choice(["x", "y", "z"]))
            wires[a] = builder.add(gate, [wires[a]], cond=bits[which])
            with other.if_test((register[which], 1)):
                getattr(other, gate)(a)
        elif kind < 7:
            wires[a] = builder.add("reset", [wires[a]])
            other.reset(a)
        else:
            wires[a] = builder.add("measure_z", [wires[a]])
            other.measure(a, register[len(bits)])
            bits.append(wires[a] + 1)
    for i, bit in enumerate(bits):
        builder.add("result", [bit], attr=f"m{i}")
    return builder.freeze(), other


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(25))
def test_random_programs_agree_with_aer(seed):
    circuit, other = random_pair(seed)
    ours = simulate(circuit, SHOTS, seed)["counts"]
    job = AerSimulator().run(other, shots=SHOTS, seed_simulator=seed)
    theirs = {key[::-1]: count for key, count in job.result().get_counts().items()}
    for outcome in ours.keys() | theirs.keys():
        a, b = ours.get(outcome, 0), theirs.get(outcome, 0)
        assert abs(a - b) <= 6 * np.sqrt(a + b), outcome
