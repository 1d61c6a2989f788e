"""Fewer columns with the same signature: against the tensor itself, and known counts."""

from __future__ import annotations

import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwasmc.passes.third_order.todd import reduce_columns


def signature(columns: np.ndarray) -> np.ndarray:
    """S_abc, by definition."""
    p = columns.astype(np.int64)
    return np.einsum("ai,bi,ci->abc", p, p, p) % 2


def reduced(columns: np.ndarray, seconds: float = 2.0) -> np.ndarray:
    return reduce_columns(columns, time.monotonic() + seconds)[0]


def multiplier(k: int, modulus: int) -> np.ndarray:
    """The columns of the products x_i y_j z of a multiplier in GF(2^k), seven for each."""
    counts: Counter[bytes] = Counter()
    for i in range(k):
        for j in range(k):
            power = 1 << (i + j)
            for degree in range(2 * k - 2, k - 1, -1):
                power ^= modulus << (degree - k) if power >> degree & 1 else 0
            u, v, w = np.zeros((3, 3 * k), np.uint8)
            u[i] = v[k + j] = 1
            w[2 * k :] = [power >> bit & 1 for bit in range(k)]
            sums = (u, v, w, u ^ v, u ^ w, v ^ w, u ^ v ^ w)
            counts.update(column.tobytes() for column in sums)
    odd = [np.frombuffer(column, np.uint8) for column, count in counts.items() if count % 2]
    return np.array(odd).T


@st.composite
def tables(draw: st.DrawFn) -> np.ndarray:
    n, m = draw(st.integers(1, 7)), draw(st.integers(0, 40))
    bits = draw(st.lists(st.integers(0, 1), min_size=n * m, max_size=n * m))
    return np.array(bits, np.uint8).reshape(n, m)


@settings(max_examples=25, deadline=None)
@given(tables())
def test_the_signature_stays(columns: np.ndarray) -> None:
    n, m = columns.shape
    found, _ = reduce_columns(columns, time.monotonic() + 0.05)
    assert found.dtype == np.uint8
    assert found.shape[1] <= min(m, n * (n + 1) // 2 + 1)
    assert (signature(found) == signature(columns)).all()
    assert found.any(axis=0).all()
    assert len({column.tobytes() for column in found.T}) == found.shape[1]


@pytest.mark.parametrize("seed", range(8))
def test_planted_columns_are_found(seed: int) -> None:
    """Five columns in disguise: a few moves that keep the signature and add columns."""
    rng = np.random.default_rng(seed)
    n = 6
    planted = np.eye(n, dtype=np.uint8)[:, :5]
    columns = planted
    for _ in range(4):
        # The 2^4 sums of four vectors and any fifth have no third-order signature.
        basis, shift = rng.integers(2, size=(n, 4)), rng.integers(2, size=(n, 1))
        cube = basis @ ((np.arange(16) >> np.arange(4)[:, None]) & 1) + shift
        columns = np.concatenate([columns, cube.astype(np.uint8) & 1], axis=1)
    assert (signature(columns) == signature(planted)).all()
    assert reduced(columns).shape[1] <= 5


def test_toffolis_that_share_a_control() -> None:
    """x (y z + u v) has 12 columns by Toffolis on their own, 11 together."""
    columns = np.concatenate(
        [
            np.array([[bits >> place & 1 for place in places] for bits in range(1, 8)], np.uint8)
            for places in ([0, 1, 2, 9, 9], [0, 9, 9, 1, 2])
        ]
    ).T
    found = reduced(columns)
    assert (signature(found) == signature(columns)).all()
    assert found.shape[1] == 11


def test_a_multiplier_reaches_the_published_count() -> None:
    columns = multiplier(4, 0b10011)
    assert columns.shape[1] == 68
    found = reduced(columns, 1.5)
    assert found.shape[1] <= 49  # FastTODD, arXiv:2407.08695
    assert (signature(found) == signature(columns)).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("k", "modulus", "published"), [(5, 0b100101, 81), (6, 0b1000011, 113), (7, 0b10000011, 155)]
)
def test_larger_multipliers_reach_the_published_count(k: int, modulus: int, published: int) -> None:
    columns = multiplier(k, modulus)
    found = reduced(columns, 15)
    assert found.shape[1] <= published
    assert (signature(found) == signature(columns)).all()


def test_equal_tables_give_equal_answers() -> None:
    columns = np.random.default_rng(5).integers(2, size=(6, 24)).astype(np.uint8)
    first, finished = reduce_columns(columns, time.monotonic() + 60)
    again, _ = reduce_columns(columns, time.monotonic() + 60)
    assert finished
    assert (first == again).all()


def test_a_deadline_in_the_past() -> None:
    columns = np.random.default_rng(6).integers(2, size=(8, 80)).astype(np.uint8)
    found, finished = reduce_columns(columns, time.monotonic() - 1)
    assert not finished
    assert (signature(found) == signature(columns)).all()
