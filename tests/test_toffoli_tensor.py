"""Products and leftover columns have the signature tensor of the table, and are few."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwasmc.passes.third_order import toffoli_tensor
from qwasmc.passes.third_order.field_products import field_products, plan
from qwasmc.passes.third_order.toffoli_tensor import (
    alternating_tensor,
    decompose,
    packed,
    symmetric_factor,
    unpacked,
)

IRREDUCIBLE = {
    2: 0b111,
    3: 0b1011,
    4: 0b10011,
    5: 0b100101,
    6: 0b1000011,
    7: 0b10000011,
    8: 0b100011011,
    9: 0b1000010001,
    10: 0b10000001001,
    16: (1 << 16) | 0b101011,
    32: (1 << 32) | 0b10001101,
}


def signature(table: np.ndarray) -> np.ndarray:
    wide = table.astype(np.int64)
    return np.einsum("am,bm,cm->abc", wide, wide, wide) % 2


def seven(products: np.ndarray) -> np.ndarray:
    """The columns that each product stands for."""
    n = products.shape[-1]
    sums = [
        sum(forms[list(chosen)]) % 2
        for forms in products
        for size in (1, 2, 3)
        for chosen in itertools.combinations(range(3), size)
    ]
    return np.array(sums, dtype=np.uint8).reshape(-1, n).T


def checked(table: np.ndarray, seconds: float = 5.0) -> tuple[int, int]:
    """How many products and leftover columns a table is found to need, after a check."""
    products, rest = decompose(table, time.monotonic() + seconds)
    assert np.array_equal(signature(np.hstack([seven(products), rest])), signature(table))
    assert 4 * len(products) + rest.shape[1] <= table.shape[1]
    return len(products), rest.shape[1]


def merged(columns: np.ndarray) -> np.ndarray:
    """The columns that occur an odd number of times: what folding leaves."""
    distinct, counts = np.unique(columns, axis=1, return_counts=True)
    return distinct[:, counts % 2 == 1]


def random_basis(rng: np.random.Generator, n: int) -> np.ndarray:
    """An invertible matrix: random row operations on the identity."""
    matrix = np.eye(n, dtype=np.uint8)
    for _ in range(n * n):
        i, j = rng.choice(n, 2, replace=False)
        matrix[i] ^= matrix[j]
    return matrix


def multiplier(k: int, modulus: int) -> np.ndarray:
    """The table of z += x y modulo a polynomial of degree k, coefficient by coefficient."""
    products = np.zeros((k * k, 3, 3 * k), dtype=np.uint8)
    for at, (i, j) in enumerate(itertools.product(range(k), repeat=2)):
        power = 1 << i + j
        for degree in range(2 * k - 2, k - 1, -1):
            if power >> degree & 1:
                power ^= modulus << degree - k
        products[at, 0, i] = products[at, 1, k + j] = 1
        products[at, 2, 2 * k :] = [power >> bit & 1 for bit in range(k)]
    return merged(seven(products))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(0, 40), st.integers(0, 2**32 - 1))
def test_any_table(n: int, m: int, seed: int):
    table = np.random.default_rng(seed).integers(0, 2, (n, m)).astype(np.uint8)
    checked(table, 0.02)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.integers(0, 2**32 - 1), st.booleans())
def test_symmetric_factors_are_as_narrow_as_can_be(n: int, seed: int, hollow: bool):
    upper = np.triu(np.random.default_rng(seed).integers(0, 2, (n, n)), 1).astype(np.uint8)
    diagonal = np.random.default_rng(seed + 1).integers(0, 2, n).astype(np.uint8)
    matrix = upper ^ upper.T ^ np.diag(diagonal * (not hollow))
    factor = symmetric_factor(matrix)
    assert np.array_equal(factor.astype(int) @ factor.T % 2, matrix)
    alternating = not matrix.diagonal().any() and matrix.any()
    assert factor.shape[1] == rank(matrix) + alternating


def rank(matrix: np.ndarray) -> int:
    rows = [int("".join(map(str, row)), 2) for row in matrix]
    found = 0
    while rows:
        pivot = rows.pop()
        if pivot:
            found += 1
            rows = [min(row, row ^ pivot) for row in rows]
    return found


@pytest.mark.parametrize(("n", "k"), [(6, 1), (9, 3), (20, 5), (40, 10)])
def test_products_of_qubits_in_another_basis_are_found_again(n: int, k: int):
    """Toffolis on qubits, with CX gates around all of them."""
    rng = np.random.default_rng(n)
    products = np.zeros((k, 3, n), dtype=np.uint8)
    for forms in products:
        forms[range(3), rng.choice(n, 3, replace=False)] = 1
    few = np.eye(n, dtype=np.uint8)
    for i, j in rng.integers(0, n, (n, 2)):
        few[i] ^= few[j] if i != j else 0
    found, rest = checked(few @ merged(seven(products)) % 2)
    assert found <= k
    assert rest == 0


@pytest.mark.parametrize(("n", "k"), [(20, 16), (60, 25)])
def test_products_of_any_parities_are_found_again(n: int, k: int):
    products = np.random.default_rng(n).integers(0, 2, (k, 3, n)).astype(np.uint8)
    found, rest = checked(seven(products), 1.0)
    assert found <= k
    assert rest == 0


def test_columns_that_no_product_stands_for_are_left():
    """A T gate, a controlled S gate, and a Toffoli beside them."""
    table = np.zeros((6, 11), dtype=np.uint8)
    table[3:, :7] = seven(np.eye(3, dtype=np.uint8)[None])
    table[:3, 7:] = [[1, 0, 0, 0], [0, 1, 0, 1], [0, 0, 1, 1]]
    assert checked(table) == (1, 4)


@pytest.mark.parametrize(
    ("k", "count"), [(2, 3), (3, 6), (4, 9), (5, 14), (6, 15), (7, 22), (8, 24), (9, 30), (10, 33)]
)
def test_field_multipliers(k: int, count: int):
    found, rest = checked(multiplier(k, IRREDUCIBLE[k]), 0.1)
    assert found <= count
    assert rest == 0


@pytest.mark.parametrize("k", [3, 4, 6, 16, 32])
def test_field_multipliers_are_known_in_any_basis(k: int):
    change = random_basis(np.random.default_rng(k), 3 * k)
    tensor = alternating_tensor(change @ multiplier(k, IRREDUCIBLE[k]) % 2)
    products = field_products(tensor, unit_vectors(3 * k))
    assert products is not None
    assert len(products) == plan(k).cost
    assert np.array_equal(alternating_tensor(seven(unpacked(products, 3 * k))), tensor)


def unit_vectors(n: int) -> np.ndarray:
    return packed(np.eye(n, dtype=np.uint8), -(-n // 64))


@pytest.mark.parametrize(
    ("modulus", "count"),
    [
        (0b110, 2),  # X (X + 1)
        (0b111001, 12),  # (X^2 + X + 1) (X^3 + X + 1)
        (0b101, 3),  # (X + 1)^2
        (0b10001, 10),  # (X + 1)^4
    ],
)
def test_polynomials_modulo_reducible_ones(modulus: int, count: int):
    k = modulus.bit_length() - 1
    table = multiplier(k, modulus)
    products = field_products(alternating_tensor(table), unit_vectors(3 * k))
    assert products is not None
    assert len(products) <= count
    assert np.array_equal(signature(seven(unpacked(products, 3 * k))), signature(table))


def test_other_tensors_are_no_multipliers():
    rng = np.random.default_rng(3)
    for n, k in ((6, 2), (6, 5), (9, 4), (12, 20)):
        table = merged(seven(rng.integers(0, 2, (k, 3, n)).astype(np.uint8)))
        tensor = alternating_tensor(table)
        products = field_products(tensor, unit_vectors(n))
        if products is not None:
            assert np.array_equal(alternating_tensor(seven(unpacked(products, n))), tensor)
        checked(table, 0.1)


def test_equal_tables_give_equal_answers():
    rng = np.random.default_rng(8)
    table = seven(rng.integers(0, 2, (6, 3, 12)).astype(np.uint8))
    first, second = decompose(table), decompose(table)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_a_deadline_in_the_past_leaves_a_first_answer():
    rng = np.random.default_rng(9)
    table = merged(seven(np.eye(30, dtype=np.uint8)[rng.integers(0, 30, (40, 3))]))
    begun = time.monotonic()
    checked(table, -1.0)
    assert time.monotonic() - begun < 5


def test_too_many_dimensions_are_left_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(toffoli_tensor, "LARGEST", 2)
    table = seven(np.eye(6, dtype=np.uint8).reshape(2, 3, 6))[:, 1:]
    products, rest = decompose(table)
    assert len(products) == 0
    assert np.array_equal(rest, table)
