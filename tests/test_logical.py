"""Logical circuits against exact state vectors, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
import stim
from random_circuits import random_clifford, random_guarded
from statevector import distribution

from qwasmc.diagnostics import CompileError
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.logical import Form, Logical, to_stim
from qwasmc.ops import OPS, Cost
from qwasmc.passes.defer_paulis import defer_paulis

SHOTS = 4000


def sampled(logical: Logical, shots: int, seed: int) -> np.ndarray:
    """The results in the shots in which each free bit is the conjunction it stands for."""
    records = logical.circuit.compile_sampler(seed=seed).sample(shots)
    free = records[:, list(logical.stand_for.values())]
    records = records[(free == logical.evaluate(list(logical.stand_for), records)).all(axis=1)]
    return logical.evaluate([value for _, value in logical.results], records)


def assert_agrees(bits: np.ndarray, exact: dict[tuple[int, ...], float]) -> None:
    """Samples are all possible, and each outcome's frequency is within six standard deviations."""
    outcomes, counts = np.unique(bits.astype(int), axis=0, return_counts=True)
    seen = {tuple(o): int(c) for o, c in zip(outcomes.tolist(), counts, strict=True)}
    assert seen.keys() <= exact.keys()
    for outcome, p in exact.items():
        sigma = np.sqrt(len(bits) * p * (1 - p))
        assert abs(seen.get(outcome, 0) - len(bits) * p) <= 6 * sigma + 1e-6


@pytest.mark.parametrize("seed", range(60))
def test_random_programs_agree_with_state_vectors(seed):
    circuit = random_clifford(seed, max_qubits=4, max_gates=25)
    assert_agrees(sampled(to_stim(circuit), SHOTS, seed), distribution(circuit))


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("prepare", [lambda circuit: circuit, defer_paulis])
def test_conjunctions_agree_with_state_vectors(seed, prepare):
    circuit = random_guarded(seed, max_qubits=3, max_gates=12)
    logical = to_stim(prepare(circuit))
    bits = sampled(logical, SHOTS << min(len(logical.stand_for), 6), seed)
    assert_agrees(bits, distribution(circuit, stand_ins=True))


def test_some_random_programs_have_free_bits_before_and_after_deferral():
    circuits = [random_guarded(seed, max_qubits=3, max_gates=12) for seed in range(60)]
    assert sum(len(to_stim(circuit).stand_for) > 1 for circuit in circuits) > 5
    assert any(to_stim(defer_paulis(circuit)).stand_for for circuit in circuits)


def guarded(guard: int) -> tuple[Circuit, int, list[int]]:
    """x c if a and (b xor guard), twice; also the conjunction and the measured bits."""
    builder = CircuitBuilder()
    bits = []
    for name in "ab":
        q = builder.add("h", [builder.add("alloc", attr=name)])
        bits.append(builder.add("measure_z", [q]) + 1)
    other = builder.add("xor", [bits[1], builder.add("const", attr=guard)])
    both = builder.add("and", [bits[0], other])
    for name in "cd":
        q = builder.add("x", [builder.add("alloc", attr=name)], cond=both)
        bits.append(builder.add("measure_z", [q]) + 1)
    for bit in bits:
        builder.add("result", [bit], attr=f"m{bit}")
    return builder.freeze(), both, bits


@pytest.mark.parametrize("guard", [0, 1])
def test_a_free_bit_stands_for_a_conjunction(guard):
    """One X outcome, before the first Pauli that depends on it, whatever depends on it later."""
    circuit, both, _ = guarded(guard)
    logical = to_stim(circuit)
    expected = (
        "R 0\nH 0\nM 0\nR 1\nH 1\nM 1\nR 2 4\nMX 4\nCX rec[-1] 2\nM 2\nR 3\nCX rec[-2] 3\nM 3"
    )
    assert logical.circuit == stim.Circuit(expected)
    assert logical.stand_for == {both: 2}
    assert logical.wires == logical.circuit.num_qubits == 5
    assert_agrees(sampled(logical, SHOTS, 1), distribution(circuit))


@pytest.mark.parametrize("guard", [0, 1])
def test_deferred_conjunctions_need_no_free_bits(guard):
    circuit, _, bits = guarded(guard)
    logical = to_stim(defer_paulis(circuit))
    assert logical.stand_for == {}
    assert logical.circuit.num_measurements == len(bits)
    assert [logical.bits[value].linear for _, value in logical.results] == [True] * 2 + [False] * 2
    assert_agrees(sampled(logical, SHOTS, 1), distribution(circuit))


def test_the_text_of_a_program():
    builder = CircuitBuilder()
    a = builder.add("input", attr="in")
    b = builder.add("alloc", attr="b")
    a, b = (first := builder.add("cx", [a, b])), first + 1
    b = builder.add("t", [b])
    first = builder.add("ppm", [a, b], attr="XZ")
    zz = first + 2
    a, b = first, builder.add("measure_y", [first + 1])
    flipped = builder.add("xor", [zz, builder.add("const", attr=1)])
    a = builder.add("y", [a], cond=flipped)
    builder.add("free", [b])
    builder.add("output", [a], attr="out")
    builder.add("result", [flipped], attr="r")
    logical = to_stim(builder.freeze())
    expected = "R 1\nCX 0 1\nS 1\nMPP X0*Z1\nMY 1\nY 0\nCY rec[-2] 0"
    assert logical.circuit == stim.Circuit(expected)
    assert logical.bits[flipped] == Form(frozenset({0}), constant=1)
    assert logical.inputs == [("in", 0)]
    assert logical.outputs == [("out", 0)]
    assert logical.results == [("r", flipped)]
    assert (logical.wires, logical.stand_ins) == (2, 1)


def test_conjunctions_reduce():
    builder = CircuitBuilder()
    q = builder.add("alloc", attr="q")
    bits = []
    for _ in range(2):
        q = builder.add("measure_z", [q])
        bits.append(q + 1)
    zero, one = builder.add("const", attr=0), builder.add("const", attr=1)
    no = builder.add("xor", [bits[0], one])
    cases = {
        builder.add("and", [bits[0], one]): Form(frozenset({0})),
        builder.add("and", [bits[0], bits[0]]): Form(frozenset({0})),
        builder.add("and", [bits[0], zero]): Form(),
        builder.add("and", [bits[0], no]): Form(),
        builder.add("and", [one, one]): Form(constant=1),
    }
    both = builder.add("and", bits)
    again = builder.add("and", bits[::-1])
    cases |= {
        both: Form(ands=frozenset({both})),
        again: Form(ands=frozenset({both})),
        builder.add("xor", [both, again, bits[1]]): Form(frozenset({1})),
    }
    logical = to_stim(builder.freeze())
    assert {bit: logical.bits[bit] for bit in cases} == cases


@pytest.mark.parametrize("spec", [s for s in OPS if s.cost is Cost.SYNTHESIS], ids=lambda s: s.name)
def test_other_gates_are_refused(spec):
    builder = CircuitBuilder()
    file = builder.locations.add_file("a.qwasm", f"{spec.name} q")
    loc = builder.locations.add(file, 1, 1, len(spec.name) + 1)
    qubits = [builder.add("alloc", attr=f"q{i}") for i in range(spec.qubits)]
    builder.add(spec.name, qubits, angle=0.3, loc=loc)
    with pytest.raises(CompileError, match="not a Clifford or T gate") as refused:
        to_stim(builder.freeze())
    (diagnostic,) = refused.value.diagnostics
    assert diagnostic.place is not None
    assert diagnostic.place.line == 1
    assert "lower" in diagnostic.help


def test_predicated_gates_are_refused_all_at_once():
    builder = CircuitBuilder()
    q = builder.add("measure_z", [builder.add("alloc", attr="q")])
    bit = q + 1
    for _ in range(3):
        q = builder.add("h", [q], cond=bit)
    with pytest.raises(CompileError) as refused:
        to_stim(builder.freeze())
    assert len(refused.value.diagnostics) == 3


def test_a_nothing_measured_product_is_zero():
    builder = CircuitBuilder()
    first = builder.add("ppm", [builder.add("alloc", attr="q")], attr="I")
    logical = to_stim(builder.freeze())
    assert logical.bits[first + 1] == Form()
    assert logical.circuit.num_measurements == 0
