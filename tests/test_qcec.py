"""Optimised circuits against MQT QCEC, a checker by other people."""

from __future__ import annotations

from pathlib import Path

import pytest
from mqt import qcec
from test_optimise import optimised, random_program

import qwasmc
from qwasmc.backends.qiskit import to_qiskit
from qwasmc.ir.circuit import Circuit

CIRCUITS = Path(__file__).parents[2] / "shared" / "corpus" / "circuits" / "feynman"
SMALL = ("tof_3", "tof_4", "barenco_tof_3", "mod5_4", "vbe_adder_3", "mod_mult_55", "qft_4")
LARGE = ("tof_10", "barenco_tof_10", "hwb6", "ham15-low", "adder_8", "csum_mux_9", "gf28_mult")
EQUIVALENT = ("equivalent", "equivalent_up_to_global_phase")


def verdict(before: Circuit, after: Circuit) -> str:
    circuits = [to_qiskit(circuit).circuit for circuit in (before, after)]
    return str(qcec.verify(*circuits, timeout=120, seed=1).equivalence).rpartition(".")[2]


def unitary(seed: int) -> Circuit:
    """A random program without measurements and what depends on them."""
    found = seed
    while True:
        circuit = random_program(found, max_qubits=5, max_gates=40)
        if not len(to_qiskit(circuit).circuit.clbits) and "reset" not in ops(circuit):
            return circuit
        found += 1000


def ops(circuit: Circuit) -> set[str]:
    return set(to_qiskit(circuit).circuit.count_ops())


@pytest.mark.parametrize("level", [1, 2])
@pytest.mark.parametrize("seed", range(10))
def test_random_circuits(seed: int, level: int):
    circuit = unitary(seed)
    assert verdict(circuit, optimised(circuit, level)) in EQUIVALENT


@pytest.mark.parametrize("level", [1, 2])
@pytest.mark.parametrize(
    "name", [*SMALL, *(pytest.param(name, marks=pytest.mark.slow) for name in LARGE)]
)
def test_benchmark_circuits(name: str, level: int):
    path = CIRCUITS / f"{name}.qasm"
    if not path.exists():
        pytest.skip("the corpus is not here")
    circuit = qwasmc.run_passes(qwasmc.parse(path), ["promote", "specialise"])
    assert verdict(circuit, optimised(circuit, level)) in EQUIVALENT
