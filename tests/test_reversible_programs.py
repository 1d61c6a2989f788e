"""The programs of the uncomputation benchmark compute what they say, after compilation.

All inputs go through at once, in a random superposition, so that phases are seen as well as values.
"""

from __future__ import annotations

import math
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import pytest
from sparse_state import Machine, State, overlap

import qwasmc
from qwasmc.cost import MEASURES, rotation_count, t_count, width
from qwasmc.ir.circuit import Circuit
from qwasmc.verify import verify

sys.path.append(str(Path(__file__).parent / "benchmarks"))
import reversible_programs as programs
import uncomputation

PASSES = (
    "promote",
    "specialise",
    "uncompute",
    "erase",
    "open-ends",
    "lower-gates",
    "cancel",
    "fold",
)
"""All that matters here; rotations stay as they are, so that states can be compared exactly."""

THETA = 0.7

Meaning: TypeAlias = Callable[[int], State]
"""What a program makes of a basis state."""


class Case(NamedTuple):
    """A program on so many qubits, besides scratch, and what it means."""

    text: str
    qubits: int
    meaning: Meaning


def field(basis: int, first: int, size: int) -> int:
    """The integer in a register."""
    return basis >> first & (1 << size) - 1


def added(basis: int, first: int, size: int, term: int) -> State:
    """A number is added to a register."""
    total = (field(basis, first, size) + term) % 2**size
    return {basis & ~((1 << size) - 1 << first) | total << first: 1}


def turned(basis: int, place: int, theta: float) -> State:
    """RY(theta) on a qubit."""
    sign = 1 if basis >> place & 1 else -1
    other = basis ^ 1 << place
    return {basis: math.cos(theta / 2), other: -sign * math.sin(theta / 2)}


def addition(text: str, n: int) -> Case:
    return Case(text, 2 * n, lambda basis: added(basis, n, n, field(basis, 0, n)))


def comparison(n: int, value: int) -> Case:
    def meaning(basis: int) -> State:
        return {basis ^ (field(basis, 0, n) >= value) << n: 1}

    return Case(programs.comparator(n, value), n + 1, meaning)


def and_chain(n: int) -> Case:
    ones = 2 ** (n + 1) - 1
    return Case(programs.and_chain(n), n + 1, lambda basis: {basis: -1 if basis == ones else 1})


def mcx(n: int) -> Case:
    ones = 2**n - 1
    return Case(programs.mcx(n), n + 1, lambda basis: {basis ^ (basis & ones == ones) << n: 1})


def mcry(n: int) -> Case:
    ones = 2**n - 1

    def meaning(basis: int) -> State:
        return turned(basis, n, THETA if basis & ones == ones else 0.0)

    return Case(programs.mcry(n, THETA), n + 1, meaning)


def product(n: int) -> Case:
    def meaning(basis: int) -> State:
        return added(basis, 2 * n, n, field(basis, 0, n) * field(basis, n, n))

    return Case(programs.multiplier(n), 3 * n, meaning)


def weighted_sum(weights: list[int]) -> Case:
    n, m = len(weights), sum(weights).bit_length()

    def meaning(basis: int) -> State:
        return added(basis, n, m, sum(w for i, w in enumerate(weights) if basis >> i & 1))

    return Case(programs.weighted_adder(weights), n + m, meaning)


def piecewise(n: int, points: list[int], slopes: list[float], offsets: list[float]) -> Case:
    def meaning(basis: int) -> State:
        x, theta = field(basis, 0, n), 0.0
        for point, slope, offset in zip(points, slopes, offsets, strict=True):
            if x >= point:
                theta = slope * (x - point) + offset
        return turned(basis, n, theta)

    return Case(programs.piecewise_linear(n, points, slopes, offsets), n + 1, meaning)


def polynomial(n: int, coefficients: list[int]) -> Case:
    def meaning(basis: int) -> State:
        x = field(basis, 0, n)
        return turned(basis, n, sum(c * x**k for k, c in enumerate(coefficients)))

    return Case(programs.polynomial(n, coefficients), n + 1, meaning)


CASES = {
    "adder": addition(programs.adder(4), 4),
    "gidney": addition(programs.gidney(4), 4),
    "gidney, two bits": addition(programs.gidney(2), 2),
    "cuccaro": addition(programs.cuccaro(3), 3),
    "comparator": comparison(5, 11),
    "comparator, even": comparison(4, 12),
    "and_chain": and_chain(5),
    "mcx": mcx(5),
    "mcry": mcry(4),
    "mcry, two controls": mcry(2),
    "multiplier": product(3),
    "weighted_adder": weighted_sum([3, 0, 6, 1]),
    "weighted_adder, one": weighted_sum([1, 1, 2]),
    "piecewise_linear": piecewise(3, [0, 3, 6], [0.2, -0.1, 0.5], [0.1, 0.4, 0.9]),
    "piecewise_linear, later": piecewise(3, [2, 5], [0.3, 0.2], [1.1, 0.3]),
    "polynomial": polynomial(4, [1, -2, 3, 1]),
}

BUDGETS = {"gidney": 10, "comparator": 9, "and_chain": 9, "mcx": 8, "weighted_adder": 10}
"""Qubits that are enough only if some values are computed twice."""


def superposition(basis: Iterable[int], seed: int) -> State:
    """Random amplitudes of these basis states."""
    states = list(basis)
    rng = np.random.default_rng(seed)
    values = rng.normal(size=len(states)) + 1j * rng.normal(size=len(states))
    return dict(zip(states, (values / np.linalg.norm(values)).tolist(), strict=True))


def image(start: State, meaning: Meaning) -> State:
    """What a program makes of a superposition."""
    found: State = defaultdict(complex)
    for basis, amplitude in start.items():
        for other, factor in meaning(basis).items():
            found[other] += amplitude * factor
    return found


def compiled(text: str, **options) -> Circuit:
    return qwasmc.compile(text, emit="circuit", open=True, passes=PASSES, **options).ir


def check(circuit: Circuit, start: State, meaning: Meaning) -> None:
    """The circuit does to a state what the program means."""
    verify(circuit)
    machine = Machine(circuit, start, seed=2)
    assert overlap(image(start, meaning), machine.state) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("measured", [True, False], ids=["measured", "mirrored"])
@pytest.mark.parametrize("name", CASES)
def test_meaning(name, measured):
    case = CASES[name]
    circuit = compiled(case.text, feed_forward=measured)
    assert measured or not MEASURES[circuit.op].any()
    check(circuit, superposition(range(2**case.qubits), seed=1), case.meaning)


@pytest.mark.parametrize("measured", [True, False], ids=["measured", "mirrored"])
@pytest.mark.parametrize(("name", "budget"), BUDGETS.items())
def test_meaning_within_a_budget(name, budget, measured):
    case = CASES[name]
    circuit = compiled(case.text, feed_forward=measured, max_qubits=budget)
    assert width(circuit) <= budget < width(compiled(case.text, feed_forward=measured))
    check(circuit, superposition(range(2**case.qubits), seed=3), case.meaning)


def minus(state: State, n: int) -> State:
    """A state of n qubits, with one more in |->."""
    half = math.sqrt(0.5)
    return {
        basis | bit << n: value * (-half if bit else half)
        for basis, value in state.items()
        for bit in (0, 1)
    }


def test_deutsch_jozsa():
    """One answer in 2^n is 1: the amplitude of |0...0> is 1 - 2 / 2^n."""
    n = 4
    dip = 2 / 2**n
    state = {x: -dip * (-1) ** (n - x.bit_count()) for x in range(2**n)}
    state[0] += 1
    circuit = compiled(programs.deutsch_jozsa(n), feed_forward=True)
    check(circuit, {0: 1}, lambda _: minus(state, n))


@pytest.mark.parametrize("iterations", [1, 3])
def test_grover(iterations):
    """The state turns by twice the angle from all others to the marked one, each time."""
    n = 4
    angle = (2 * iterations + 1) * math.asin(2 ** (-n / 2))
    state = {x: math.cos(angle) / math.sqrt(2**n - 1) for x in range(2**n)}
    state[2**n - 1] = math.sin(angle)
    circuit = compiled(programs.grover(n, iterations), feed_forward=True)
    check(circuit, {0: 1}, lambda _: minus(state, n))


def t_gates(text: str, **options) -> int:
    return t_count(compiled(text, feed_forward=True, **options))


def test_a_product_takes_four_t_gates_and_none_to_undo():
    assert t_gates(programs.and_chain(7)) == 28
    assert t_gates(programs.gidney(8)) == 4 * 7
    assert t_gates(programs.adder(8)) == 4 * 7  # the two products of a carry are one
    assert t_gates(programs.comparator(8, 85)) == 4 * 7
    assert t_gates(programs.mcx(8)) == 4 * 7
    assert t_gates(programs.mcry(8, THETA)) == 4 * 7
    # Open ends leave ancillas known to be in |0>, or it would be seven with as few qubits.
    assert t_gates(programs.gidney(8), max_qubits=2 * 8 + 7) == 4 * 7
    products, carries = 5 + 4 + 3 + 2 + 1, 4 + 3 + 2 + 1
    assert t_gates(programs.multiplier(5)) == 4 * (products + carries)


LARGE = {
    "adder": (addition(programs.adder(100), 100), (None, 207)),
    "gidney": (addition(programs.gidney(100), 100), (None, 207)),
    "cuccaro": (addition(programs.cuccaro(100), 100), (None,)),
    "comparator": (comparison(100, 18270226206346497142991649151), (None, 108)),
    "mcx": (mcx(200), (None, 209)),
    "mcry": (mcry(200), (None, 209)),
    "multiplier": (product(8), (None,)),
    "weighted_adder": (weighted_sum(uncomputation.WEIGHTS[20]), (None,)),
}
"""Programs at the sizes of the benchmark, and budgets."""


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_large_programs(name):
    """On random basis states, and those with most carries and products, together."""
    case, budgets = LARGE[name]
    rng = random.Random(4)
    some = {rng.getrandbits(case.qubits) for _ in range(12)}
    ones = 2**case.qubits - 1
    some |= {ones, ones >> 1, ones ^ 1, ones >> case.qubits // 2}
    start = superposition(sorted(some), seed=5)
    for budget in budgets:
        circuit = compiled(case.text, feed_forward=True, max_qubits=budget)
        assert budget is None or width(circuit) <= budget
        check(circuit, start, case.meaning)


@pytest.mark.slow
@pytest.mark.parametrize("name", uncomputation.MAKERS)
def test_fewer_t_gates_than_published_with_as_many_qubits(name):
    make, sizes = uncomputation.MAKERS[name]
    for program in map(make, sizes):
        for other in uncomputation.published(program.published):
            # Acts in control regions are not written anew, so budgets are of no use there.
            budget = None if name == "piecewise_linear" else int(other.qubits)
            circuit = compiled(program.text, feed_forward=True, max_qubits=budget)
            assert t_count(circuit) < other.t
            assert rotation_count(circuit) <= other.rotations
