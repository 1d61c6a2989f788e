"""specialise, defer-paulis and open-ends, against exact distributions and small programs."""

from __future__ import annotations

import numpy as np
import pytest
from random_circuits import TWO_QUBIT
from statevector import distribution

from qwasmc.grammar.qwasm import read
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ops import OPS
from qwasmc.passes.defer_paulis import defer_paulis
from qwasmc.passes.open_ends import live_qubits, open_ends
from qwasmc.passes.specialise import specialise
from qwasmc.verify import verify

GATES = ("h", "s", "sdg", "x", "y", "z", "sx", "t", "tdg")


def random_feedback(seed: int, predicated: float = 0.0) -> Circuit:
    """Three qubits, T gates, up to four measurements, Paulis predicated on any function of them.

    With probability `predicated`, so is any other gate, reset or measurement.
    """
    rng = np.random.default_rng(seed)
    builder = CircuitBuilder()
    wires = [builder.add("alloc", attr=f"q{i}") for i in range(3)]
    bits: list[int] = []
    measured = 0
    for _ in range(25):
        a, b = rng.permutation(3)[:2].tolist()
        kind = rng.integers(6)
        guard = int(rng.choice(bits)) if bits and rng.random() < predicated else -1
        if kind == 0:
            first = builder.add(str(rng.choice(TWO_QUBIT)), [wires[a], wires[b]], cond=guard)
            wires[a], wires[b] = first, first + 1
        elif kind == 1 and measured < 4:
            wires[a] = builder.add(f"measure_{rng.choice(list('xyz'))}", [wires[a]], cond=guard)
            bits.append(wires[a] + 1)
            measured += 1
        elif kind == 2 and len(bits) > 1:
            two = [int(v) for v in rng.choice(bits, size=2, replace=False)]
            bits.append(builder.add(str(rng.choice(["and", "xor"])), two))
        elif kind == 3 and bits:
            cond = int(rng.choice(bits))
            wires[a] = builder.add(str(rng.choice(["x", "y", "z"])), [wires[a]], cond=cond)
        else:
            names = (*GATES, "reset") if predicated else GATES
            wires[a] = builder.add(str(rng.choice(names)), [wires[a]], cond=guard)
    for q in range(3):
        wires[q] = builder.add("measure_z", [wires[q]])
        bits.append(wires[q] + 1)
    for i, bit in enumerate(bits):
        builder.add("result", [bit], attr=f"m{i}")
    return builder.freeze()


@pytest.mark.parametrize("predicated", [0.0, 0.5])
@pytest.mark.parametrize("seed", range(40))
def test_deferring_keeps_the_distribution(seed, predicated):
    circuit = random_feedback(seed, predicated)
    deferred = defer_paulis(circuit)
    verify(deferred)
    before, after = distribution(circuit), distribution(deferred)
    for key in before.keys() | after.keys():
        assert abs(before.get(key, 0) - after.get(key, 0)) < 1e-9


def test_deferring_leaves_no_predicate_in_a_clifford_circuit():
    text = "QLINIT 2\nQLH 0\nQLMEASURE 0, r0\nIF r0: QLX 1\nQLS 1\nQLMEASURE 1, r1 basis=Y\n"
    circuit = defer_paulis(specialise(read(text, "t.qwasm")))
    assert (circuit.cond < 0).all()


def test_a_pending_x_is_put_back_before_t_and_before_an_output():
    builder = CircuitBuilder()
    a, b = builder.add("alloc", attr="a"), builder.add("alloc", attr="b")
    m = builder.add("measure_x", [a]) + 1
    b = builder.add("x", [b], cond=m)
    b = builder.add("t", [b])
    b = builder.add("y", [b], cond=m)
    builder.add("output", [b], attr="b")
    names = [OPS[code].name for code in defer_paulis(builder.freeze()).op]
    assert names == ["alloc", "alloc", "measure_x", "x", "t", "x", "z", "output"]


def test_open_ends():
    builder = CircuitBuilder()
    a, b = builder.add("alloc", attr="a"), builder.add("alloc", attr="b")
    a = builder.add("h", [a])
    builder.add("free", [b])
    circuit = open_ends(builder.freeze())
    assert [OPS[code].name for code in circuit.op] == ["input", "input", "h", "free", "output"]
    assert live_qubits(circuit) == []
    assert circuit.names[circuit.attr[4]] == "a"
