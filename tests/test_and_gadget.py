"""Temporary ANDs against exact state vectors: every branch does the same, equally often."""

from __future__ import annotations

import numpy as np
import pytest
from statevector import MATRIX, Branch, apply, step

from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ir.wires import WireBuilder, to_circuit, to_wires
from qwasmc.ops import OPS
from qwasmc.passes.toffolis.and_gadget import and_compute, and_uncompute, ccz


def started(qubits: int) -> WireBuilder:
    """A builder with that many wires."""
    builder = WireBuilder(to_wires(CircuitBuilder().freeze()))
    for _ in range(qubits):
        builder.alloc(loc=7)
    return builder


def branches(circuit: Circuit, qubits: int) -> list[Branch]:
    """From the entangled state whose first qubits stand for those of the circuit."""
    wire = circuit.wires()
    total = int(wire.max()) + 1
    entangled = np.eye(2**qubits).reshape((2,) * (2 * qubits))
    rest = np.zeros((2,) * (total - qubits))
    rest.flat[0] = 1
    state = np.multiply.outer(entangled, rest).astype(complex) / np.sqrt(2**qubits)
    found = [Branch(state, {})]
    for row in range(len(circuit)):
        found = [new for old in found for new in step(circuit, row, wire + qubits, old, MATRIX)]
    return found


def wanted(qubits: int, *gates: tuple[str, tuple[int, ...]]) -> np.ndarray:
    state = np.eye(2**qubits, dtype=complex).reshape((2,) * (2 * qubits)) / np.sqrt(2**qubits)
    for name, wires in gates:
        state = apply(state, MATRIX[name], [wire + qubits for wire in wires])
    return state


def assert_does(builder: WireBuilder, qubits: int, *gates: tuple[str, tuple[int, ...]]) -> None:
    """All branches, two for each measurement, are equally likely and do what the gates do."""
    circuit = to_circuit(builder.freeze())
    measured = sum(OPS[code].name == "measure_x" for code in circuit.op)
    found = branches(circuit, qubits)
    assert len(found) == 2**measured
    target = wanted(qubits, *gates).ravel()
    for branch in found:
        vectors = branch.state.reshape(len(target), -1)
        overlap = target.conj() @ vectors
        assert np.vdot(overlap, overlap).real == pytest.approx(2.0**-measured)
        assert np.vdot(vectors, vectors).real == pytest.approx(2.0**-measured)


def names(builder: WireBuilder) -> list[str]:
    return [OPS[code].name for code in builder.freeze().op]


@pytest.mark.parametrize("wires", [(0, 1, 2), (2, 0, 1)])
def test_ccz(wires: tuple[int, int, int]):
    builder = started(3)
    ccz(builder, *wires, loc=7)
    assert_does(builder, 3, ("ccz", wires))
    used = names(builder)
    assert used.count("t") + used.count("tdg") == 4
    assert used.count("cx") + used.count("cz") == 6


def test_measurements_of_the_ancilla_have_no_location():
    builder = started(3)
    ccz(builder, 0, 1, 2, loc=7)
    wired = builder.freeze()
    located = {OPS[code].name: int(loc) for code, loc in zip(wired.op, wired.loc, strict=True)}
    assert located.pop("measure_x") == -1
    assert set(located.values()) == {7}


def test_two_gadgets_have_four_branches():
    builder = started(3)
    ccz(builder, 0, 1, 2)
    builder.gate("h", 1)
    ccz(builder, 2, 1, 0)
    assert_does(builder, 3, ("ccz", (0, 1, 2)), ("h", (1,)), ("ccz", (0, 1, 2)))


def test_the_product_can_be_used_in_between():
    builder = started(3)
    wire = and_compute(builder, 0, 1)
    builder.gate("cx", wire, 2)
    and_uncompute(builder, wire, 0, 1)
    assert_does(builder, 3, ("ccx", (0, 1, 2)))


def test_the_product_is_exact():
    """Relative phases too: it equals a Toffoli onto a wire in |0>."""
    made = started(2)
    assert and_compute(made, 1, 0) == 2
    toffoli = started(2)
    toffoli.alloc()
    toffoli.gate("ccx", 0, 1, 2)
    states = [branches(to_circuit(b.freeze()), 2)[0].state.ravel() for b in (made, toffoli)]
    assert abs(np.vdot(*states)) == pytest.approx(1)
