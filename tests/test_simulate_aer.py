"""Programs that are not Clifford: counts from Qiskit Aer against exact distributions."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest
from chi_square import check
from predicated import random_circuit
from statevector import MATRIX, apply, distribution, rotation

from qwasmc import pipeline
from qwasmc.backends import aer, live
from qwasmc.backends.aer import AerQubits
from qwasmc.backends.clifford import name_turns
from qwasmc.backends.simulate import simulate
from qwasmc.backends.stim import simulate as stim_sampler
from qwasmc.backends.stim.qubits import StimQubits
from qwasmc.backends.unfreeze import unfreeze
from qwasmc.diagnostics import CompileError
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ops import OPS, OpSpec
from qwasmc.pipeline import load

SHOTS = 2000


def exact(circuit: Circuit) -> dict[str, float]:
    """Probabilities of outcomes as counts spell them."""
    sizes = [
        (OPS[code].name, len(circuit.values(row)))
        for row, code in enumerate(circuit.op.tolist())
        if OPS[code].name.startswith("result")
    ]
    total: dict[str, float] = {}
    for bits, p in distribution(circuit).items():
        left = list(bits)
        words = []
        for name, size in sizes:
            word, left = left[:size], left[size:]
            value = sum(bit * 2**at for at, bit in enumerate(word))
            if name == "result_int" and word and word[-1]:
                value -= 2**size
            words.append(str(value))
        total[" ".join(words)] = total.get(" ".join(words), 0) + p
    return total


@pytest.mark.parametrize("seed", range(12))
def test_random_circuits(seed: int):
    circuit = random_circuit(Random(seed))
    check(aer.sample(circuit, SHOTS, seed)["counts"], exact(circuit))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 104))
def test_random_circuits_shot_by_shot(seed: int):
    circuit = random_circuit(Random(seed))
    check(live.run(unfreeze(circuit), AerQubits(), SHOTS, seed)["counts"], exact(circuit))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200, 224))
def test_random_clifford_circuits(seed: int):
    """Shot by shot, with rotations by Clifford angles and any gate predicated."""
    circuit = random_circuit(Random(seed), clifford=True)
    check(live.run(unfreeze(circuit), StimQubits(), SHOTS, seed)["counts"], exact(circuit))
    check(simulate(circuit, SHOTS, seed, load)["counts"], exact(circuit))


@pytest.mark.parametrize("seed", range(300, 312))
def test_random_clifford_circuits_without_conditions(seed: int):
    """All shots at once, with gates in place of rotations."""
    circuit = random_circuit(Random(seed), clifford=True)
    circuit.cond[:] = -1
    check(stim_sampler.simulate(name_turns(circuit), SHOTS, seed)["counts"], exact(circuit))


def magic() -> Circuit:
    """H T H: 1 with probability (1 - cos(pi/4)) / 2; then the same again if it was."""
    builder = CircuitBuilder()
    q = builder.add("alloc", attr="q")
    bits: list[int] = []
    for name in "mn":
        cond = bits[-1] if bits else -1
        for gate in ("h", "t", "h"):
            q = builder.add(gate, [q], cond=cond)
        q = builder.add("measure_z", [q])
        bits.append(q + 1)
        builder.add("result", [q + 1], attr=name)
    return builder.freeze()


def test_t_is_t():
    one = (1 - math.cos(math.pi / 4)) / 2
    counts = simulate(magic(), 4000, 5, load)
    assert counts["results"] == ["m", "n"]
    check(counts["counts"], {"00": 1 - one, "11": one * (1 - one), "10": one * one})


@pytest.mark.parametrize("run", [aer.sample, lambda c, *a: live.run(unfreeze(c), AerQubits(), *a)])
def test_a_seed_repeats(run):
    assert run(magic(), 500, 1) == run(magic(), 500, 1)
    assert run(magic(), 500, 1) != run(magic(), 500, 2)


def test_batches_add_up(monkeypatch):
    monkeypatch.setattr(aer, "MAX_BATCH", 700)
    counts = aer.sample(magic(), 2000, 3)
    assert counts["shots"] == sum(counts["counts"].values()) == 2000
    one = (1 - math.cos(math.pi / 4)) / 2
    check(counts["counts"], {"00": 1 - one, "11": one * (1 - one), "10": one * one})


def test_a_circuit_that_measures_nothing():
    builder = CircuitBuilder()
    builder.add("t", [builder.add("alloc", attr="q")])
    bits = [builder.add("const", attr=bit) for bit in (0, 1)]
    builder.add("result_int", bits, attr="r")
    assert aer.sample(builder.freeze(), 7, 0)["counts"] == {"-2": 7}


def test_floats_are_decoded():
    builder = CircuitBuilder()
    builder.add("t", [builder.add("alloc", attr="q")])
    zero, one = (builder.add("const", attr=bit) for bit in (0, 1))
    minus_two = [zero] * 62 + [one, one]
    builder.add("result_float", minus_two, attr="r")
    counts = aer.sample(builder.freeze(), 7, 0)
    assert counts["counts"] == {"-2.0": 7}
    assert counts["results"] == [{"name": "r", "kind": "float"}]


def test_wide_circuits_are_refused():
    builder = CircuitBuilder()
    for number in range(aer.MAX_WIDTH + 1):
        builder.add("t", [builder.add("alloc", attr=f"q{number}")])
    with pytest.raises(CompileError, match="needs 31 qubits at once") as refused:
        simulate(builder.freeze(), 1, 0, load)
    assert refused.value.exit_code == 3


def test_wide_circuits_with_few_qubits_at_once_are_not():
    builder = CircuitBuilder()
    for number in range(aer.MAX_WIDTH + 1):
        q = builder.add("measure_z", [builder.add("t", [builder.add("alloc", attr=f"q{number}")])])
        builder.add("free", [q])
    assert simulate(builder.freeze(), 3, 0, load)["counts"] == {"": 3}


def test_computed_bits_on_many_qubits():
    """From 15 qubits on Aer fuses gates, and then loses bits that are computed from others."""
    rng = Random(3)
    builder = CircuitBuilder()
    wires = [builder.add("alloc", attr=f"q{n}") for n in range(16)]
    bits: list[int] = []
    for _ in range(20):
        name, at = rng.choice(["h", "t", "cx", "measure_z", "x"]), rng.randrange(16)
        if name == "cx":
            first = builder.add("cx", [wires[at], wires[(at + 1) % 16]])
            wires[at], wires[(at + 1) % 16] = first, first + 1
        elif name == "measure_z":
            wires[at] = builder.add(name, [wires[at]])
            bits.append(wires[at] + 1)
            if len(bits) > 1:
                bits.append(builder.add("and" if rng.random() < 0.5 else "xor", bits[-2:]))
        elif name == "x" and bits:
            wires[at] = builder.add("x", [wires[at]], cond=rng.choice(bits))
        else:
            wires[at] = builder.add("h" if name == "x" else name, [wires[at]])
    for number, bit in enumerate(bits):
        builder.add("result", [bit], attr=f"m{number}")
    assert sum(aer.sample(builder.freeze(), 5, 0)["counts"].values()) == 5


def test_without_aer_the_extra_is_named(monkeypatch):
    def missing(module: str):
        raise ModuleNotFoundError("No module named 'qiskit_aer'", name="qiskit_aer")

    monkeypatch.setattr(pipeline.importlib, "import_module", missing)
    with pytest.raises(CompileError, match="qiskit_aer, which is not installed") as refused:
        simulate(magic(), 1, 0, pipeline.load)
    assert refused.value.exit_code == 2
    assert "qwasmc[simulate]" in refused.value.diagnostics[0].help


@pytest.mark.parametrize(
    "spec", [s for s in OPS if s.is_gate and s.name != "ppr"], ids=lambda s: s.name
)
def test_each_gate_has_its_matrix(spec: OpSpec):
    """Up to global phase, on a state without symmetry."""
    rng = Random(spec.name)
    qubits = AerQubits()
    qubits.start(0)
    on = [qubits.alloc() for _ in range(3)]
    rng.shuffle(on)
    state = np.zeros((2, 2, 2), dtype=complex)
    state[0, 0, 0] = 1
    turns = [(name, rng.uniform(1, 2), [at]) for at in on for name in ("ry", "rz")]
    turns.insert(2, ("cp", 1.0, on[:2]))
    for name, angle, at in turns:
        qubits.turns[name](angle, *at)
        state = apply(state, rotation(name, angle, ""), at)
    if spec.angle:
        qubits.turns[spec.name](0.7, *on[: spec.qubits])
        state = apply(state, rotation(spec.name, 0.7, ""), on[: spec.qubits])
    else:
        qubits.gates[spec.name](*on[: spec.qubits])
        state = apply(state, MATRIX[spec.name], on[: spec.qubits])
    assert qubits._state is not None
    found = qubits._state.move_to_ndarray()
    # Aer's first qubit is the least significant one of an index.
    assert abs(np.vdot(state.transpose(2, 1, 0).reshape(-1), found)) == pytest.approx(1)


def test_qubits_are_added_to_a_state_in_use():
    """Growing keeps what is there; freed qubits come back in |0>."""
    qubits = AerQubits()
    for seed in range(20):
        qubits.start(seed)
        a = qubits.alloc()
        qubits.gates["h"](a)
        held = [qubits.alloc() for _ in range(3)]
        for b in held:
            qubits.gates["cx"](a, b)
        qubits.free(held.pop())
        fresh = qubits.alloc()
        later = qubits.alloc()
        first = qubits.measure(a)
        assert [qubits.measure(b) for b in held] == [first, first]
        assert qubits.measure(fresh) == qubits.measure(later) == 0


def test_many_gates_are_not_kept_for_later(monkeypatch):
    monkeypatch.setattr(aer, "MAX_PENDING", 3)
    qubits = AerQubits()
    qubits.start(0)
    q = qubits.alloc()
    for _ in range(101):
        qubits.gates["x"](q)
    assert qubits.measure(q) == 1
