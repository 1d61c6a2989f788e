"""Circuits on wires: there and back, and rows built by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from random_circuits import random_guarded
from strategies import circuits

from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ir.wires import WireBuilder, to_circuit, to_wires
from qwasmc.ops import OPS
from qwasmc.text import print_ir
from qwasmc.verify import verify


@given(circuits())
def test_there_and_back(circuit: Circuit):
    assert print_ir(to_circuit(to_wires(circuit))) == print_ir(circuit)


@given(circuits())
def test_wires_are_those_of_the_values(circuit: Circuit):
    wired = to_wires(circuit)
    wires = circuit.wires()
    for row in range(len(circuit)):
        of_qubits = [wires[value] for value in circuit.values(row)]
        if of_qubits and min(of_qubits) >= 0:
            assert wired.values(row) == of_qubits


@given(circuits())
def test_a_copy_of_all_rows_is_the_circuit(circuit: Circuit):
    wired = to_wires(circuit)
    builder = WireBuilder(wired)
    for row in range(len(wired)):
        builder.copy(wired, row)
    assert print_ir(to_circuit(builder.freeze())) == print_ir(circuit)


@pytest.mark.parametrize("seed", range(20))
def test_a_dropped_row_renumbers_the_rest(seed: int):
    circuit = random_guarded(seed)
    wired = to_wires(circuit)
    gates = [OPS[code].is_gate for code in wired.op]
    builder = WireBuilder(wired)
    dropped = int(np.flatnonzero(gates)[0])
    for row in range(len(wired)):
        if row != dropped:
            builder.copy(wired, row)
    shorter = to_circuit(builder.freeze())
    verify(shorter)
    assert len(shorter) == len(circuit) - 1


def test_new_rows():
    source = CircuitBuilder()
    source.add("alloc", attr="q")
    wired = to_wires(source.freeze())
    builder = WireBuilder(wired)
    builder.copy(wired, 0)
    ancilla = builder.alloc()
    builder.gate("cx", 0, ancilla)
    bit = builder.measure("measure_x", ancilla)
    builder.gate("z", 0, cond=bit)
    builder.gate("free", ancilla)
    expected = CircuitBuilder()
    q, a = expected.add("alloc", attr="q"), expected.add("alloc", attr="")
    q = expected.add("cx", [q, a])
    a = expected.add("measure_x", [q + 1])
    expected.add("z", [q], cond=a + 1)
    expected.add("free", [a])
    assert print_ir(to_circuit(builder.freeze())) == print_ir(expected.freeze())
