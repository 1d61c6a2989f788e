"""Deterministic parities against the whole outcome distribution, and their shape."""

from __future__ import annotations

import time
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_circuits import random_clifford, random_guarded
from statevector import distribution

from qwasmc.gf2 import members, relations
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ops import OPS
from qwasmc.passes.defer_paulis import defer_paulis
from qwasmc.passes.observables import deterministic_parities, sparse_kernel


def span(vectors: list[int]) -> set[int]:
    return reduce(lambda known, v: known | {k ^ v for k in known}, vectors, {0})


def with_bell_inputs(circuit: Circuit) -> Circuit:
    """The program with each input replaced by half of a Bell pair."""
    out = CircuitBuilder()
    value: dict[int, int] = {}
    for row, code in enumerate(circuit.op.tolist()):
        spec = OPS[code]
        first = int(circuit.first[row])
        attr: int | str = int(circuit.attr[row])
        attr = circuit.names[attr] if spec.attr in ("name", "paulis") else attr
        if spec.name == "input":
            twin = out.add("h", [out.add("alloc", attr="twin")])
            value[first] = out.add("cx", [twin, out.add("alloc", attr=attr)]) + 1
            continue
        values = [value[v] for v in circuit.values(row)]
        cond = int(circuit.cond[row])
        new = out.add(spec.name, values, cond=value[cond] if cond >= 0 else -1, attr=attr)
        for slot in range(int(circuit.first[row + 1]) - first):
            value[first + slot] = new + slot
    return out.freeze()


def some_inputs(circuit: Circuit) -> Circuit:
    """The program with every other alloc turned into an input."""
    out = CircuitBuilder()
    seen = 0
    for row, code in enumerate(circuit.op.tolist()):
        spec = OPS[code]
        attr: int | str = int(circuit.attr[row])
        attr = circuit.names[attr] if spec.attr in ("name", "paulis") else attr
        seen += spec.name == "alloc"
        name = "input" if spec.name == "alloc" and seen % 2 else spec.name
        out.add(name, circuit.values(row), cond=int(circuit.cond[row]), attr=attr)
    return out.freeze()


def brute_force(circuit: Circuit, results: int) -> dict[int, int]:
    """Every deterministic parity of the results (as a bit mask) and its value."""
    support = [
        sum(bit << i for i, bit in enumerate(o)) for o in distribution(circuit, stand_ins=True)
    ]
    found = {}
    for mask in range(1 << results):
        values = {(mask & outcome).bit_count() % 2 for outcome in support}
        if len(values) == 1:
            found[mask] = values.pop()
    return found


def outcomes_of_results(circuit: Circuit) -> list[frozenset[int]]:
    """The measurements whose outcomes add up to each result; constants and conjunctions aside."""
    bits: dict[int, frozenset[int]] = {}
    results = []
    for row, code in enumerate(circuit.op.tolist()):
        spec, made = OPS[code], int(circuit.first[row + 1]) - 1
        if spec.name == "result":
            results.append(bits[circuit.values(row)[0]])
        elif spec.name == "xor":
            bits[made] = reduce(frozenset.__xor__, (bits[v] for v in circuit.values(row)))
        elif spec.makes_bit:
            bits[made] = frozenset([row] if spec.qubits else [])
    return results


def assert_right(circuit: Circuit, exact: Circuit) -> None:
    """`circuit`'s parities are those seen in `exact`, of the results that hold outcomes."""
    parities = deterministic_parities(circuit)
    held = outcomes_of_results(circuit)
    idle = sum(1 << i for i, outcomes in enumerate(held) if not outcomes)
    found = brute_force(exact, len(held))
    expected = {mask: value for mask, value in found.items() if not mask & idle}
    masks = [sum(1 << int(name[1:]) for name in parity.names) for parity in parities]
    assert span(masks) == set(expected)
    assert 1 << len(masks) == len(expected), "not a basis"
    assert [expected[mask] for mask in masks] == [parity.expected for parity in parities]


@pytest.mark.parametrize("seed", range(80))
def test_random_programs(seed):
    circuit = random_clifford(seed, max_qubits=4, max_gates=30)
    assert_right(circuit, circuit)


@pytest.mark.parametrize("seed", range(60))
def test_open_inputs_are_unknown(seed):
    circuit = some_inputs(random_clifford(seed, max_qubits=4, max_gates=25))
    assert_right(circuit, with_bell_inputs(circuit))


def names_of(circuit: Circuit) -> list[tuple[tuple[str, ...], int]]:
    return [(parity.names, parity.expected) for parity in deterministic_parities(circuit)]


def test_ghz_state_and_a_flipped_qubit():
    builder = CircuitBuilder()
    wires = [builder.add("alloc", attr=f"q{i}") for i in range(4)]
    wires[0] = builder.add("h", [wires[0]])
    for i in (1, 2):
        first = builder.add("cx", [wires[i - 1], wires[i]])
        wires[i - 1], wires[i] = first, first + 1
    wires[2] = builder.add("x", [wires[2]])
    wires[3] = builder.add("x", [wires[3]])
    for i, wire in enumerate(wires):
        builder.add("result", [builder.add("measure_z", [wire]) + 1], attr=f"m{i}")
    assert names_of(builder.freeze()) == [(("m3",), 1), (("m0", "m1"), 0), (("m1", "m2"), 1)]


def test_conjunctions_are_left_out():
    """What is left of a result that holds one is compared, with its constant."""
    builder = CircuitBuilder()
    bits = []
    for name in "ab":
        q = builder.add("h", [builder.add("alloc", attr=name)])
        bits.append(builder.add("measure_z", [q]) + 1)
    both = builder.add("and", bits)
    one = builder.add("x", [builder.add("alloc", attr="one")])
    sure = builder.add("measure_z", [one]) + 1
    builder.add("result", [builder.add("xor", [both, bits[0]])], attr="mixed")
    builder.add("result", [bits[0]], attr="a")
    builder.add("result", [builder.add("xor", [both, sure])], attr="corrected")
    builder.add("result", [builder.add("xor", [both, sure, bits[1]])], attr="random")
    builder.add("result", [both], attr="nothing left")
    builder.add("result", [builder.add("const", attr=1)], attr="no outcome")
    expected = [(("corrected",), 1), (("mixed", "a"), 0)]
    assert names_of(builder.freeze()) == expected


def with_constants(circuit: Circuit) -> Circuit:
    """The program with 0 in place of each conjunction."""
    out = CircuitBuilder()
    for row, code in enumerate(circuit.op.tolist()):
        name, values, attr = OPS[code].name, circuit.values(row), circuit.attribute(row)
        if name == "and":
            name, values, attr = "const", [], 0
        out.add(name, values, cond=int(circuit.cond[row]), attr=attr)
    return out.freeze()


@pytest.mark.parametrize("seed", range(100))
@pytest.mark.parametrize("prepare", [lambda circuit: circuit, defer_paulis])
def test_random_programs_with_conjunctions(seed, prepare):
    """The rest of a result is what the result is when every conjunction is 0."""
    circuit = prepare(random_guarded(seed, max_qubits=3, max_gates=12))
    assert_right(circuit, with_constants(circuit))


def test_no_results_no_parities():
    builder = CircuitBuilder()
    builder.add("alloc", attr="q")
    assert deterministic_parities(builder.freeze()) == []


columns = st.lists(st.integers(min_value=0, max_value=31), max_size=10)


@given(columns)
def test_relations_span_all_dependent_sets(vectors):
    found = relations(vectors)
    dependent = {
        mask
        for mask in range(1 << len(vectors))
        if reduce(lambda a, i: a ^ vectors[i], members(mask), 0) == 0
    }
    assert span(found) == dependent
    assert 1 << len(found) == len(dependent)


@given(columns)
def test_the_sparse_kernel_is_a_basis_with_all_light_sets(vectors):
    found = [sum(1 << i for i in parity) for parity in sparse_kernel(vectors)]
    assert span(found) == span(relations(vectors))
    assert len(found) == len(relations(vectors))
    light = [mask for mask in span(found) if mask.bit_count() <= 2]
    assert span(light) == span([mask for mask in found if mask.bit_count() <= 2])
    weights = [mask.bit_count() for mask in found]
    assert weights == sorted(weights)


@pytest.mark.slow
def test_large_programs_take_seconds():
    """1e5 gates on 1000 qubits with 1000 results."""
    rng = np.random.default_rng(1)
    builder = CircuitBuilder()
    wires = [builder.add("alloc", attr=f"q{i}") for i in range(1000)]
    for kind in rng.integers(0, 3, size=100_000).tolist():
        a, b = rng.integers(0, 1000, size=2).tolist()
        if kind == 2 and a != b:
            first = builder.add("cx", [wires[a], wires[b]])
            wires[a], wires[b] = first, first + 1
        else:
            wires[a] = builder.add("hs"[kind % 2], [wires[a]])
    for i, wire in enumerate(wires):
        builder.add("result", [builder.add("measure_z", [wire]) + 1], attr=f"m{i}")
    circuit = builder.freeze()
    start = time.process_time()
    deterministic_parities(circuit)
    assert time.process_time() - start < 10
