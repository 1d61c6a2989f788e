"""The numbers that proofs of rewriting rules compute with, against floating point."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest
import rule_oracle
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator

from qwasmc.backends.proving import Unproved, prove
from qwasmc.backends.proving.operators import Side, operator
from qwasmc.backends.proving.ring import (
    conjugated,
    lowest_terms,
    outer_products,
    times_root2,
    turned,
)
from qwasmc.ops import BY_NAME
from qwasmc.rules.notation import read_rule
from qwasmc.rules.rule import OPERATIONS, Angle, Step

W = cmath.exp(1j * math.pi / 4)


def complex_numbers(numbers: np.ndarray, halves: int = 0) -> np.ndarray:
    return numbers @ W ** np.arange(4) / math.sqrt(2) ** halves


def exact(*shape: int) -> st.SearchStrategy[np.ndarray]:
    return arrays(np.int64, (*shape, 4), elements=st.integers(-1000, 1000))


@given(exact(3), st.integers(-20, 20))
def test_units_and_roots(numbers: np.ndarray, power: int):
    known = complex_numbers(numbers)
    assert np.allclose(complex_numbers(turned(numbers, power)), known * W**power)
    assert np.allclose(complex_numbers(conjugated(numbers)), known.conj())
    assert np.allclose(complex_numbers(times_root2(numbers)), known * math.sqrt(2))


@given(exact(2, 3, 2), exact(2, 3, 1))
def test_products(left: np.ndarray, right: np.ndarray):
    found = complex_numbers(outer_products(left, right))
    one, other = complex_numbers(left), complex_numbers(right)
    assert np.allclose(found, one.transpose(0, 2, 1) @ other)


@given(exact(2), exact(2), st.integers(0, 9), st.integers(0, 9))
def test_lowest_terms(one: np.ndarray, other: np.ndarray, times: int, halves: int):
    first = lowest_terms({(1,): one, (0,): other, (2,): 0 * one}, halves)
    for _ in range(times):
        one, other = times_root2(one), times_root2(other)
    found, less = lowest_terms({(0,): other, (1,): one, (3,): 0 * one}, halves + times)
    assert str((found, less)) == str(first) or not found
    assert all(numbers.any() for numbers in found.values())
    for key, numbers in found.items():
        known = complex_numbers(one if key == (1,) else other, halves + times)
        assert np.allclose(complex_numbers(numbers, less), known)


GATES = [name for name in OPERATIONS if BY_NAME[name].is_gate]


@pytest.mark.parametrize("name", GATES)
@pytest.mark.parametrize("qubits", [("a", "b"), ("c", "a")])
def test_gates_are_those_of_qiskit(name: str, qubits: tuple[str, ...]):
    taken = qubits[: BY_NAME[name].qubits]
    angle = Angle((("x", 2), ("y", -1)), 3) if name == "rz" else None
    register = ("a", "b", "c")
    found = operator(Side((Step(name, taken, angle),), register, register, variables=("x", "y")))
    values = {"x": 0.3, "y": 1.1}
    total = sum(
        complex_numbers(numbers, found.halves) * cmath.exp(1j * (0.3 * key[0] + 1.1 * key[1]))
        for key, numbers in found.terms.items()
    )
    circuit = QuantumCircuit(3)
    places = ["abc".index(qubit) for qubit in taken]
    if angle:
        circuit.p(rule_oracle.value(angle, values), *places)
    else:
        getattr(circuit, name)(*places)
    assert np.allclose(np.reshape(total, (8, 8)), Operator(circuit).reverse_qargs().data)


@pytest.mark.parametrize("op", ["h", "sx", "sxdg"])
def test_the_longest_rules_do_not_overflow(op: str):
    """Of 24 gates that add numbers, and 23 with a measurement, in the largest channel there is."""
    undone = {"h": "h", "sx": "sxdg", "sxdg": "sx"}[op]
    for text in (
        f"{f'{op} a; ' * 11}{op} a{f'; {undone} a' * 12} => nothing",
        f"cx a b{f'; {op} a' * 11}{f'; {undone} a' * 10}; measure_y a -> m; free b "
        f"=> cx a b; {op} a; measure_y a -> m",
    ):
        assert prove(read_rule(text))
        with pytest.raises(Unproved, match="different things"):
            prove(read_rule(text.replace(f"{op} a;", "y a;", 1)))
