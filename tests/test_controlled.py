"""Gates under controls against Qiskit's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.quantum_info import Operator

from qwasmc.controlled import can_be_controlled, controlled
from qwasmc.ops import BY_NAME, OPS

ANGLE = 0.7
GATES = [spec.name for spec in OPS if spec.is_gate and can_be_controlled(spec.name)]
QISKIT = get_standard_gate_name_mapping()


class Recorder:
    """Draws what it is told as a circuit of Qiskit."""

    def __init__(self, width: int, ancillas: int) -> None:
        self.circuit = QuantumCircuit(width + ancillas)
        self.free = list(range(width, width + ancillas))

    def apply(self, name: str, qubits: Sequence[int], angle: float | None = None) -> None:
        gate = QISKIT[BY_NAME[name].qiskit]
        params = [] if angle is None else [angle]
        self.circuit.append(type(gate)(*params), list(qubits))

    def borrow(self) -> int:
        return self.free.pop()

    def give_back(self, qubit: int) -> None:
        self.free.append(qubit)


@pytest.mark.parametrize("controls", [0, 1, 2, 3])
@pytest.mark.parametrize("name", GATES)
def test_controlled_gates_are_those_of_qiskit(name: str, controls: int) -> None:
    spec = BY_NAME[name]
    width = controls + spec.qubits
    machine = Recorder(width, 4)
    angle = ANGLE if spec.angle else None
    controlled(machine, name, range(controls), range(controls, width), angle)
    assert len(machine.free) == 4

    gate = type(QISKIT[spec.qiskit])(*([ANGLE] if spec.angle else []))
    wanted = QuantumCircuit(width)
    wanted.append(gate.control(controls, annotated=False) if controls else gate, range(width))
    # with the ancillas in |0>, before and after
    block = Operator(machine.circuit).data[: 2**width, : 2**width]
    phase = np.trace(block.conj().T @ Operator(wanted).data) / 2**width
    assert np.isclose(abs(phase), 1)


def test_every_gate_but_product_rotations_can_be_controlled() -> None:
    assert {spec.name for spec in OPS if spec.is_gate} - set(GATES) == {"ppr"}
