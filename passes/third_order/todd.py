"""Shorter decompositions of a symmetric tensor over F2: fewer T gates of a phase polynomial.

Columns P_1 ... P_m are the parities that get a T gate.  Up to diagonal Clifford gates they matter
only by their signature, the tensor S_abc = sum over i of P_ai P_bi P_ci modulo 2.  For a vector z
and a set y of columns, adding z to the columns in y (and z as a new column if y is odd) keeps S if
B = sum over y of P_i P_i^T, a symmetric matrix, is

    0                            (TOHPE: the same y for any z), or
    z w^T + w z^T + c z z^T      (TODD, for some vector w and bit c).

Columns that become equal or 0 vanish, so z is chosen among P_i and P_i + P_j with y_i != y_j
(Heyfron, Campbell, arXiv:1712.01557; Vandaele, arXiv:2407.08695, who has fast ways to find y).
Here the first y are found by random bilinear checks, the second in a random quotient of the space
of symmetric matrices by the span of all P_i P_i^T; what is found is checked exactly.
"""

from __future__ import annotations

import math
import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.gf2 import members, relations
from qwasmc.passes.third_order.todd_kernels import (
    Bits,
    Ints,
    Words,
    annihilate,
    best_shift,
    echelon,
    leftover,
    products,
    search,
    second_order,
)

MOST_PRODUCTS = 1 << 30
"""Bits of the matrix of all products of two rows up to which TODD follows TOHPE."""

TRIES = 16
"""The smallest y that are tried in one step of TOHPE."""

MOST_PAIRS = 1 << 21
"""Pairs of columns whose sums TODD tries as z."""

CHUNK = 64
"""Vectors z of which TODD takes the best."""

CHECKS = 512
"""Random checks that are made at a time."""

SCAN = 2048
"""Vectors z after which TODD takes one that saves nothing, if there is one."""

QUICK = 1 << 21
"""Bits of tables that TOHPE is tried on, with other random choices, but at most eight times."""

STARTS = 4
"""Searches with other random choices, of which the best is kept."""

PATIENCE = 1 << 15
"""Bits of the tables of steps without a gain since the best, after which TODD ends."""

LEAST_STEP = 1 << 9
"""Bits that a step counts for at least."""

TODD_GAIN = 0.9
"""What TODD leaves of the columns that TOHPE leaves is seldom less."""


class Move(NamedTuple):
    """Add z to the columns in y."""

    gain: int
    y: Bits
    z: Words


def reduce_columns(columns: Bits, deadline: float, useful: float = math.inf) -> tuple[Bits, bool]:
    """Fewer columns (n, m') with the signature of `columns` (n, m), all different and not 0.

    TODD follows TOHPE only if that comes near `useful` columns.  What is found depends on nothing
    but the columns unless `time.monotonic()` reaches `deadline`; also, whether it did not.
    """
    if not columns.any():
        return columns[:, :0], True
    rows, spread = _basis(columns)
    n = len(rows)
    start = _tidied(_packed(columns[rows].T))
    if not len(start):
        return columns[:, :0], True
    best, finished = _repeated_tohpe(start, n, deadline)
    large = n * (n + 1) // 2 * len(start) > MOST_PRODUCTS
    if finished and not large and TODD_GAIN * len(best) < useful:
        for seed in range(STARTS):
            if finished:
                rng = np.random.default_rng(seed)
                table, finished = _tohpe(start, n, rng, deadline)
                if finished:
                    table, finished = _todd(table, n, rng, deadline)
                best = min(best, table, key=len)
    return (spread @ _unpacked(best, n).T % 2).astype(np.uint8), finished


def _repeated_tohpe(table: Words, n: int, deadline: float) -> tuple[Words, bool]:
    """The best of TOHPE, with other random choices where it is quick; whether all ended."""
    best, finished = table, True
    for seed in range(min(max(QUICK // (n * len(table)), 1), 8)):
        if finished:
            found, finished = _tohpe(table, n, np.random.default_rng(seed), deadline)
            best = min(best, found, key=len)
    return best, finished


def _basis(columns: Bits) -> tuple[Ints, Ints]:
    """Independent rows, and the matrix that makes all rows of them."""
    numbers = [int.from_bytes(np.packbits(row).tobytes()) for row in columns]
    dependent = {sums.bit_length() - 1: members(sums)[:-1] for sums in relations(numbers)}
    rows = [row for row in range(len(columns)) if row not in dependent]
    place = {row: at for at, row in enumerate(rows)}
    spread = np.zeros((len(columns), len(rows)), np.int64)
    for row in range(len(columns)):
        spread[row, [place[other] for other in dependent.get(row, [row])]] = 1
    return np.array(rows), spread


def _packed(bits: Bits) -> Words:
    """Bits (m, n) as words (m, n / 64), the first bit lowest."""
    padded = np.zeros((len(bits), -(-bits.shape[1] // 64) * 64), np.uint8)
    padded[:, : bits.shape[1]] = bits
    return np.packbits(padded, axis=1, bitorder="little").view(np.uint64)


def _unpacked(words: Words, n: int) -> Bits:
    """The first n bits of each row of words."""
    return np.unpackbits(words.view(np.uint8), axis=1, count=n, bitorder="little")


def _tidied(table: Words) -> Words:
    """The different columns that occur an odd number of times, without 0, in order."""
    columns, counts = np.unique(table, axis=0, return_counts=True)
    tidied: Words = columns[(counts % 2 == 1) & columns.any(axis=1)]
    return tidied


def _moved(table: Words, move: Move) -> Words:
    """The table after a move."""
    table = table.copy()
    table[move.y != 0] ^= move.z
    if move.y.sum() % 2:
        table = np.concatenate([table, move.z[None]])
    return _tidied(table)


def _tohpe(table: Words, n: int, rng: np.random.Generator, deadline: float) -> tuple[Words, bool]:
    """Move with any z as long as there is a y for it; whether that came to an end."""
    while len(table):
        if time.monotonic() > deadline:
            return table, False
        few = n * (n + 1) < 4 * len(table)
        null = echelon(products(table, n) if few else _checks(table, n, rng))[3]
        hashes = _hashes(table, n, _of_bit(n, rng))
        best: Move | None = None
        ys = _unpacked(rng.permutation(null), len(table))
        for y in ys[np.argsort(ys.sum(axis=1), kind="stable")[:TRIES]]:
            if second_order(table, y, n).any():
                continue  # the checks are no proof
            gain, i, j = best_shift(table, y, hashes)
            if gain > (best.gain if best else 0):
                best = Move(gain, y, table[i] ^ table[j] if j >= 0 else table[i])
        if best is None:
            return table, True
        table = _moved(table, best)
    return table, True


def _checks(table: Words, n: int, rng: np.random.Generator) -> Words:
    """Random products u v of two linear forms, by column: they vanish on y if B does.

    One finds B different from 0 with a probability of at least 1/4, of about 1/2 for most B.
    """
    bits = _unpacked(table, n).astype(np.float32)
    parts = []
    for _ in range(0, 2 * len(table) + 128, CHECKS):
        u, v = (bits @ rng.integers(2, size=(n, CHECKS)).astype(np.float32) for _ in range(2))
        both = u.astype(np.uint16) & v.astype(np.uint16) & 1
        parts.append(_packed(both.astype(np.uint8)))
    return np.concatenate(parts, axis=1)


def _of_bit(n: int, rng: np.random.Generator) -> Words:
    """A random word for each row."""
    return rng.integers(1 << 64, size=n, dtype=np.uint64)


def _hashes(table: Words, n: int, of_bit: Words) -> Words:
    """A word for each column, of the sum of two columns the sum of theirs."""
    chosen = np.where(_unpacked(table, n) != 0, of_bit, np.uint64(0))
    hashes: Words = np.bitwise_xor.reduce(chosen, axis=1)
    return hashes


def _todd(table: Words, n: int, rng: np.random.Generator, deadline: float) -> tuple[Words, bool]:
    """Move as long as some z has a y, without a gain too; whether that came to an end."""
    best, idle = table, 0
    while idle < PATIENCE and len(best):
        move = _move(table, n, rng, deadline)
        if time.monotonic() > deadline:
            return best, False
        if move is None:
            break
        idle += max(n * len(best), LEAST_STEP) if move.gain == 0 else 0
        table, _ = _tohpe(_moved(table, move), n, rng, deadline)
        if len(table) < len(best):
            best, idle = table, 0
    return best, True


def _move(table: Words, n: int, rng: np.random.Generator, deadline: float) -> Move | None:
    """A good move among random z, or one that saves nothing if there is no other."""
    basis, combined, pivots, _ = echelon(products(table, n))
    functionals = rng.integers(1 << 64, size=(n * (n + 1) // 2, n // 64 + 2), dtype=np.uint64)
    annihilate(basis, pivots, functionals)
    high, low = (of_place[pivots] for of_place in np.tril_indices(n))
    of_bit = _of_bit(n, rng)
    hashes = _hashes(table, n, of_bit)
    first, second = _pairs(len(table), rng)
    order = _ordered(hashes, first, second, rng)
    spare: Move | None = None
    spares = 0
    for start in range(0, len(order), CHUNK):
        if time.monotonic() > deadline or (spare and start >= SCAN):
            break
        i, j = (each[order[start : start + CHUNK]] for each in (first, second))
        zs = np.where((i == j)[:, None], table[i], table[i] ^ table[j])
        gain, at, y = search(table, zs, n, functionals, low, high, combined, hashes, of_bit)
        if at >= 0:
            move = Move(gain, y, zs[at])
            assert not leftover(second_order(table, y, n), zs[at], n).any()
            if gain > 0:
                return move
            if gain == 0:
                spares += 1
                spare = move if rng.random() * spares < 1 else spare
    return spare


def _pairs(m: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Pairs of columns in order, each also with itself; some of them if there are many."""
    if m * (m + 1) // 2 <= MOST_PAIRS:
        return np.triu_indices(m)
    first, second = rng.integers(m, size=(2, MOST_PAIRS))
    return np.minimum(first, second), np.maximum(first, second)


def _ordered(
    hashes: Words, first: Ints, second: Ints, rng: np.random.Generator
) -> NDArray[np.intp]:
    """The first pair of each sum (of a column and itself: the column), in the order to try them.

    Every other time those of many pairs come first: they save most, but are always the same.
    """
    sums = hashes[first] ^ np.where(first == second, np.uint64(0), hashes[second])
    _, at, counts = np.unique(sums, return_index=True, return_counts=True)
    mixed = rng.permutation(len(at))
    if rng.random() < 0.5:
        mixed = mixed[np.argsort(-counts[mixed], kind="stable")]
    order: NDArray[np.intp] = at[mixed]
    return order
