"""Words for rotations about Z, with and without a measurement, against numpy's matrices."""

from __future__ import annotations

import math
import random
from functools import reduce
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.synthesis import gridsynth_rz

from qwasmc.passes.rotations.exact_synthesis import word_of
from qwasmc.passes.rotations.fallback import Fallback, project, t_count, unitary
from qwasmc.passes.rotations.grid import Grid
from qwasmc.passes.rotations.norm_equation import LARGEST, primes, solve

OMEGA = np.exp(0.25j * np.pi)
POWERS = OMEGA ** np.arange(4)
STARS = (-OMEGA) ** np.arange(4)
LETTERS = {"h": np.array([[1, 1], [1, -1]]) / math.sqrt(2), "x": np.array([[0, 1], [1, 0]])}
CX = np.eye(4)[[0, 1, 3, 2]]
"""The data is the first qubit."""

EIGHTH = math.pi / 4
HARD = [
    *(sign * small for sign in (1, -1) for small in (5e-324, 1e-300, 1e-17, 1e-9, 1e-6, 1e-3)),
    *(k * EIGHTH + offset for k in range(-9, 10) for offset in (0, 1e-13, -1e-8, 1e-5)),
    *(sign * large for sign in (1, -1) for large in (100.0, 1e9, 1e16, 1e300)),
    *(math.pi / 2**k for k in range(3, 30, 3)),
]
"""Angles that are nearly nothing, nearly exact, or large."""


def matrix(word: str) -> np.ndarray:
    steps = [LETTERS[c] if c in LETTERS else np.diag([1, OMEGA ** int(c)]) for c in word]
    return reduce(lambda before, step: step @ before, steps, np.eye(2, dtype=complex))


def rz(angle: float) -> np.ndarray:
    return np.diag(np.exp([-0.5j * angle, 0.5j * angle]))


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """In operator norm, up to global phase: half way between the two phases of a^-1 b."""
    first, second = np.linalg.eigvals(a.conj().T @ b)
    return 2 * math.sin(abs(np.angle(first / second)) / 4)


def on_data(word: str, outcome: int) -> np.ndarray:
    """What the circuit does to the data where the measurement has an outcome."""
    whole = CX @ np.kron(np.eye(2), matrix(word)) @ CX
    return whole.reshape(2, 2, 2, 2)[:, outcome, :, 0]


def check(found: Fallback, angle: float, allowed: float) -> None:
    """Both outcomes have the probability that they should have, and make the rotation."""
    success, failure = on_data(found.word, 0), on_data(found.word, 1)
    identity = np.eye(2)
    np.testing.assert_allclose(
        failure.conj().T @ failure, found.failure * identity, rtol=0, atol=1e-13
    )
    np.testing.assert_allclose(
        success.conj().T @ success, (1 - found.failure) * identity, rtol=0, atol=1e-13
    )
    errors = [distance(success / math.sqrt(1 - found.failure), rz(angle))]
    rounding = 1e-14
    if found.failure:
        rounding /= math.sqrt(found.failure)
        failure = failure / math.sqrt(found.failure)
        assert distance(failure, rz(found.angle_on_failure)) < rounding
        errors.append(distance(matrix(found.correction) @ failure, rz(angle)))
    assert max(errors) == pytest.approx(found.error, rel=0, abs=rounding)
    assert found.error <= allowed


# -- numbers


def test_solves_the_norm_equation_where_it_can_be_solved():
    """All small right-hand sides, beside the norms of all small numbers."""
    numbers = np.array(list(product(range(-4, 5), repeat=4)))
    plain, star = abs(numbers @ POWERS) ** 2, abs(numbers @ STARS) ** 2
    a, b = (plain + star) / 2, (plain - star) / math.sqrt(8)
    norms = set(zip(np.rint(a).astype(int).tolist(), np.rint(b).astype(int).tolist(), strict=True))
    solved = 0
    for xi in product(range(-2, 13), range(-9, 10)):  # a number with a part of 5 has a norm of 12.5
        y = solve(xi)
        assert (y is not None) == (xi in norms), xi
        if y is not None:
            solved += 1
            assert abs(np.dot(y, POWERS)) ** 2 == pytest.approx(xi[0] + xi[1] * math.sqrt(2))
            assert abs(np.dot(y, STARS)) ** 2 == pytest.approx(xi[0] - xi[1] * math.sqrt(2))
    assert solved > 40


@given(st.lists(st.integers(-(2**10), 2**10), min_size=4, max_size=4))
def test_solves_the_norm_equation_of_norms(y: list[int]):
    a, b, c, d = y
    xi = a * a + b * b + c * c + d * d, a * b + b * c + c * d - a * d
    found = solve(xi)
    assert found is not None
    a, b, c, d = found
    assert xi == (a * a + b * b + c * c + d * d, a * b + b * c + c * d - a * d)


@pytest.mark.parametrize("n", [1, 1 << 40, 3**30, 257**2, 1009**3, 561, 2**31 - 1, 10**15 + 37])
def test_factors(n: int):
    found = list(primes(n))
    assert math.prod(p**power for p, power in found) == n >> (n & -n).bit_length() - 1
    assert all(p % d for p, _ in found for d in range(2, min(p, math.isqrt(p) + 1, 10**5)))


def test_gives_up_on_numbers_that_are_too_large():
    assert (0, 1) in primes(LARGEST | 1)


@pytest.mark.parametrize(("square", "root", "disk"), [(36, 0, 0.9), (70, -32, 2.4)])
def test_lists_all_points_of_a_rectangle(square: int, root: int, disk: float):
    argument, depth, width = -0.3, 0.2, 0.3
    scale = math.sqrt(square + root * math.sqrt(2))
    reach = range(-10, 11)
    numbers = np.stack(np.meshgrid(*[np.array(reach)] * 4), axis=-1).reshape(-1, 4)
    plain = numbers @ POWERS * np.exp(-1j * argument) / scale
    inside = (plain.real >= 1 - depth) & (plain.real <= 1) & (abs(plain.imag) <= width / 2)
    inside &= abs(numbers @ STARS) <= scale * disk
    points = sorted(Grid(argument, depth, width, disk).points(square, root))
    assert len(points) > 20
    assert points == sorted(map(tuple, numbers[inside].tolist()))


# -- words


def column(word: str) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """The first column of a word's matrix, over a power of sqrt 2."""
    z, y = np.array([1, 0, 0, 0]), np.array([0, 0, 0, 0])
    for letter in word:
        if letter == "h":
            z, y = z + y, z - y
        else:
            for _ in range(int(letter)):
                y = np.array([-y[3], *y[:3]])
    return tuple(z.tolist()), tuple(y.tolist()), word.count("h")


def test_exact_words_have_the_column_and_the_least_t_count():
    least: dict[tuple[complex, ...], int] = {}
    words = [
        "h" + "".join(f"{j}h" for j in js)
        for n in range(6)
        for js in product(range(1, 4), repeat=n)
    ]
    columns = [matrix(word)[:, 0] for word in words]

    def key(entries: np.ndarray) -> tuple[complex, ...]:
        """A column but for its phase and that of its second entry, in eighth turns."""
        ratio = entries[0].conj() * entries[1]
        turned = max(
            (ratio * OMEGA**k for k in range(8)),
            key=lambda x: np.round((x.real, x.imag), 9).tolist(),
        )
        return round(abs(entries[0]), 9) + 0, np.round(turned, 9) + 0

    keys = [key(entries) for entries in columns]
    for name, word in zip(keys, words, strict=True):
        least[name] = min(t_count(word), least.get(name, 99))
    for name, word in zip(keys, words, strict=True):
        found = word_of(*column(word))
        assert key(matrix(found)[:, 0]) == name
        assert t_count(found) <= least[name]


def test_exact_word_refuses_other_columns():
    with pytest.raises(ValueError, match="unitary"):
        word_of((1, 0, 0, 0), (1, 0, 0, 0), 3)


@settings(max_examples=60, deadline=None)
@given(st.floats(-10, 10), st.floats(-12, -1).map(lambda power: 10**power))
def test_unitary_words_are_near(angle: float, allowed: float):
    assert distance(matrix(unitary(angle, allowed)), rz(angle)) <= min(allowed, 1e-2) + 2e-15


@settings(max_examples=60, deadline=None)
@given(st.floats(-10, 10), st.floats(-12, -1).map(lambda power: 10**power))
def test_both_outcomes_are_near(angle: float, allowed: float):
    found = project(angle, allowed)
    if found is not None:
        check(found, angle, allowed)


@pytest.mark.parametrize("allowed", [1e-2, 1e-6, 1e-10])
def test_hard_angles(allowed: float):
    for angle in HARD:
        exact = math.remainder(math.atan2(math.sin(angle), math.cos(angle)), EIGHTH)
        word = unitary(angle, allowed)
        assert distance(matrix(word), rz(angle)) <= allowed
        found = project(angle, allowed)
        if 2 * math.sin(abs(exact) / 4) <= allowed:
            assert t_count(word) <= 1
            assert found is None
        elif found is not None:
            check(found, angle, allowed)
            assert found.expected_t < t_count(word)


def test_no_more_t_than_gridsynth():
    rng = random.Random(5)
    for allowed in (1e-3, 1e-5, 1e-8):
        for angle in [rng.uniform(-4, 4) for _ in range(10)]:
            theirs = gridsynth_rz(angle, 2 * allowed).count_ops()
            assert t_count(unitary(angle, allowed)) <= theirs["t"] + theirs.get("tdg", 0)


def test_expected_t_counts():
    """Those of arXiv:2203.10064, table 1, at the diamond distance 1e-6: 62.0 and 26.3."""
    rng = random.Random(7)
    angles = [rng.uniform(-4, 4) for _ in range(40)]
    found = [project(angle, 5e-7) for angle in angles]
    assert all(found)
    assert np.mean([each.expected_t for each in found if each]) < 26.3
    assert np.mean([t_count(unitary(angle, 5e-7)) for angle in angles]) < 62


def test_words_do_not_depend_on_what_was_asked_before():
    first = unitary(0.7, 1e-6), project(0.7, 1e-6)
    for angle in (0.1, 0.7, -0.7, 0.7 + math.pi):
        unitary(angle, 1e-7)
        project(angle, 1e-5)
    assert (unitary(0.7, 1e-6), project(0.7, 1e-6)) == first


@pytest.mark.parametrize("allowed", [0.0, -1.0, 1e-14, math.nan])
def test_refuses_errors_that_cannot_be_measured(allowed: float):
    with pytest.raises(ValueError, match="measured"):
        unitary(0.3, allowed)
    with pytest.raises(ValueError, match="measured"):
        project(0.3, allowed)


@pytest.mark.slow
@pytest.mark.parametrize("allowed", [5e-4, 5e-7, 5e-11])
def test_many_angles(allowed: float):
    rng = random.Random(11)
    many = 0
    for angle in [rng.uniform(-math.pi, math.pi) for _ in range(400)]:
        assert distance(matrix(unitary(angle, allowed)), rz(angle)) <= allowed
        if found := project(angle, allowed):
            many += 1
            check(found, angle, allowed)
    assert many > 360
