"""Circuits as Qiskit circuits, exactly: every branch of both, each by its own interpreter."""

from __future__ import annotations

from collections import defaultdict
from random import Random

import numpy as np
import pytest
import qiskit_walk
import statevector
from hypothesis import given, settings
from hypothesis import strategies as st
from predicated import random_circuit

from qwasmc.backends.qiskit import Translated, to_qiskit, width
from qwasmc.backends.structured import circuits as module
from qwasmc.diagnostics import CompileError
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ops import OPS


def results_distribution(made: Translated) -> dict[tuple[int, ...], float]:
    """Of the bits of results, as computed from the measured bits of the Qiskit circuit."""
    rows = [row for row, c in enumerate(made.source.op) if OPS[c].name.startswith("result")]
    values = [value for row in rows for value in made.source.values(row)]
    total: dict[tuple[int, ...], float] = defaultdict(float)
    for bits, p in qiskit_walk.distribution(made.circuit).items():
        measured = np.array([bits[: len(made.clbit)]], dtype=bool)
        total[tuple(made.evaluate(values, measured)[0].astype(int).tolist())] += p
    return dict(total)


def check(circuit: Circuit) -> None:
    ours, exact = results_distribution(to_qiskit(circuit)), statevector.distribution(circuit)
    for outcome in ours.keys() | exact.keys():
        assert ours.get(outcome, 0) == pytest.approx(exact.get(outcome, 0), abs=1e-7)


@pytest.mark.slow
@settings(max_examples=300)
@given(st.randoms(use_true_random=True))
def test_outcomes_have_the_same_probabilities(rng: Random):
    check(random_circuit(rng))


@settings(max_examples=100)
@given(st.randoms(use_true_random=True), st.integers(1, 3))
def test_however_long_an_expression_may_be(rng: Random, terms: int):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MAX_TERMS", terms)
        check(random_circuit(rng))


def test_neighbours_share_an_if():
    builder = CircuitBuilder()
    a = builder.add("measure_z", [builder.add("h", [builder.add("alloc", attr="a")])])
    b = builder.add("h", [builder.add("alloc", attr="b")], cond=a + 1)
    builder.add("t", [b], cond=a + 1)
    builder.add("z", [a])
    made = to_qiskit(builder.freeze()).circuit
    assert [op.operation.name for op in made.data] == ["h", "measure", "if_else", "z"]


def test_a_shared_condition_is_computed_once():
    builder = CircuitBuilder()
    bits = []
    for name in "ab":
        q = builder.add("measure_z", [builder.add("alloc", attr=name)])
        bits.append(q + 1)
    both = builder.add("and", bits)
    builder.add("x", [q], cond=both)
    builder.add("y", [q - 3], cond=both)
    made = to_qiskit(builder.freeze())
    assert [register.name for register in made.circuit.cregs] == ["m", "c"]
    assert made.circuit.count_ops()["store"] == 1


def test_a_condition_that_doubles_stays_small():
    """Written out, it would have 2^60 terms."""
    builder = CircuitBuilder()
    q = builder.add("alloc", attr="q")
    bits = []
    for _ in range(2):
        q = builder.add("measure_z", [q])
        bits.append(q + 1)
    for _ in range(60):
        bits = [builder.add("xor", bits), builder.add("and", bits)]
    builder.add("x", [q], cond=bits[1])
    assert to_qiskit(builder.freeze()).circuit.size() < 200


def test_freed_qubits_are_used_again():
    builder = CircuitBuilder()
    for number in range(5):
        builder.add("free", [builder.add("h", [builder.add("alloc", attr=f"q{number}")])])
    circuit = builder.freeze()
    assert width(circuit) == to_qiskit(circuit).circuit.num_qubits == 1
    assert to_qiskit(circuit).circuit.count_ops() == {"h": 5, "reset": 4}


def test_uncomputation_is_refused_where_it_stands():
    builder = CircuitBuilder()
    file = builder.locations.add_file("p.qwasm", "UNCOMPUTE s")
    builder.add("uncompute", attr="s", loc=builder.locations.add(file, 1, 1, 10))
    with pytest.raises(CompileError, match="no meaning in a circuit of gates") as refused:
        to_qiskit(builder.freeze())
    assert str(refused.value.diagnostics[0].place) == "p.qwasm:1:1"
