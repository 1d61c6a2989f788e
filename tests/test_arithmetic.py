"""Operator macros, on every basis state."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator

from qwasmc.grammar.arithmetic import diffuse, divide, multiply


class Bits:
    """Runs X, CX and CCX on bits."""

    def __init__(self, bits: Sequence[int]) -> None:
        self.bits = list(bits)
        self.toffolis = 0

    def apply(self, name: str, qubits: Sequence[int], angle: object = None) -> None:
        assert name in ("cx", "ccx")
        assert angle is None
        assert len(set(qubits)) == len(qubits)
        self.toffolis += name == "ccx"
        *controls, target = qubits
        self.bits[target] ^= all(self.bits[control] for control in controls)

    def borrow(self) -> int:
        self.bits.append(0)
        return len(self.bits) - 1

    def give_back(self, qubit: int) -> None:
        assert self.bits[qubit] == 0


def result(operate: Callable[..., None], factor: int, x: int, n: int) -> int:
    machine = Bits([x >> place & 1 for place in range(n)])
    operate(machine, factor, range(n))
    return sum(bit << place for place, bit in enumerate(machine.bits[:n]))


@pytest.mark.parametrize("n", range(1, 6))
def test_every_product_and_quotient(n: int) -> None:
    for factor in range(1, 1 << n, 2):
        for x in range(1 << n):
            product = factor * x % (1 << n)
            assert result(multiply, factor, x, n) == product
            assert result(divide, factor, product, n) == x


def test_long_registers_and_large_factors() -> None:
    n, factor, x = 40, 0x5DEECE66D, 0x123456789A
    assert result(multiply, factor, x, n) == factor * x % (1 << n)
    machine = Bits([1] * n)
    multiply(machine, factor, range(n))
    assert machine.toffolis <= n * n


class Drawn:
    """Draws gates as a circuit of Qiskit, the borrowed qubits behind the others."""

    def __init__(self, width: int) -> None:
        self.circuit = QuantumCircuit(width + 4)
        self.free = list(range(width, width + 4))

    def apply(self, name: str, qubits: Sequence[int], angle: object = None) -> None:
        getattr(self.circuit, name)(*qubits)

    def borrow(self) -> int:
        return self.free.pop()

    def give_back(self, qubit: int) -> None:
        self.free.append(qubit)


@pytest.mark.parametrize("n", range(1, 5))
def test_diffusion_reflects_about_the_uniform_state(n: int) -> None:
    machine = Drawn(n)
    diffuse(machine, range(n))
    size = 1 << n
    block = Operator(machine.circuit).data[:size, :size]
    wanted = np.full((size, size), 2 / size) - np.eye(size)
    assert np.isclose(abs(np.trace(block.conj().T @ wanted)) / size, 1)
