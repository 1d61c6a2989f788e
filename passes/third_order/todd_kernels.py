"""Linear algebra over F2 for `todd`: elimination, products of rows, and the search for moves.

Vectors are rows of 64-bit words, the first bit lowest.  A table has a vector of n bits, a column of
the parity table, in each of its rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.kernel import kernel

Bits = NDArray[np.uint8]
Words = NDArray[np.uint64]
Ints = NDArray[Any]

PAIRS = 1 << 20
"""Pairs of columns that are looked at for the best z of one y."""

MOST_COMBINED = 5
"""Independent y for one z whose sums are all tried."""


@kernel
def echelon(vectors: Words) -> tuple[Words, Words, Ints, Words]:
    """Gauss-Jordan elimination of rows.

    Returns a basis of their span, by basis vector the rows it is the sum of and its pivot, a bit
    that no other has, and sets of rows whose sum is 0.
    """
    m, width = vectors.shape
    m_words = (m + 63) // 64
    basis = np.empty((m, width), np.uint64)
    combined = np.empty((m, m_words), np.uint64)
    null = np.empty((m, m_words), np.uint64)
    pivots = np.empty(m, np.int64)
    rank = nulls = 0
    for i in range(m):
        vector = vectors[i].copy()
        sums = np.zeros(m_words, np.uint64)
        sums[i >> 6] = np.uint64(1) << np.uint64(i & 63)
        for b in range(rank):
            if vector[pivots[b] >> 6] >> np.uint64(pivots[b] & 63) & np.uint64(1):
                for word in range(width):
                    vector[word] ^= basis[b, word]
                for word in range(m_words):
                    sums[word] ^= combined[b, word]
        at = 0
        while at < width and not vector[at]:
            at += 1
        if at == width:
            null[nulls] = sums
            nulls += 1
            continue
        bit = 0
        while not vector[at] >> np.uint64(bit) & np.uint64(1):
            bit += 1
        for b in range(rank):
            if basis[b, at] >> np.uint64(bit) & np.uint64(1):
                for word in range(width):
                    basis[b, word] ^= vector[word]
                for word in range(m_words):
                    combined[b, word] ^= sums[word]
        basis[rank] = vector
        combined[rank] = sums
        pivots[rank] = 64 * at + bit
        rank += 1
    return basis[:rank], combined[:rank], pivots[:rank], null[:nulls]


@kernel
def second_order(table: Words, y: Bits, n: int) -> Words:
    """B: the sum of P P^T over the columns in y."""
    total = np.zeros((n, table.shape[1]), np.uint64)
    for i in range(len(table)):
        if y[i]:
            for a in range(n):
                if table[i, a >> 6] >> np.uint64(a & 63) & np.uint64(1):
                    for word in range(table.shape[1]):
                        total[a, word] ^= table[i, word]
    return total


@kernel
def leftover(b: Words, z: Words, n: int) -> Words:
    """What is left of B without terms z w^T + w z^T + c z z^T, of which row and column p are 0."""
    p = _bits(z, n)[0]
    shift = b[p].copy()  # row p of B, taken out of the rows where z is 1
    left = b.copy()
    for a in range(n):
        if z[a >> 6] >> np.uint64(a & 63) & np.uint64(1):
            left[a] ^= shift
        if left[a, p >> 6] >> np.uint64(p & 63) & np.uint64(1):
            left[a] ^= z
    return left


@kernel
def best_shift(table: Words, y: Bits, hashes: Words) -> tuple[int, int, int]:
    """The columns saved by the best z that is a column or the sum of one in y and one not in y.

    And its columns (-1: there is no second one).
    """
    m = len(table)
    inside = np.flatnonzero(y)
    outside = np.flatnonzero(y == 0)
    odd = len(inside) % 2
    some = min(len(inside), PAIRS // (len(outside) + 1) + 1)
    size = 64
    while size < 2 * (some * len(outside) + m):
        size *= 2
    mask = np.uint64(size - 1)
    keys = np.zeros(size, np.uint64)
    count = np.zeros(size, np.int64)
    best, first, second = -1, -1, -1
    for i in range(m):
        paired = some and y[i] and i <= inside[some - 1]
        for at in range(-1, len(outside) if paired else 0):
            if at < 0:
                key, worth = hashes[i], (1 if y[i] else 2 * odd)
            else:
                key, worth = hashes[i] ^ hashes[outside[at]], 2
            if not worth:
                continue
            slot = (key ^ key >> np.uint64(32)) & mask
            while count[slot] and keys[slot] != key:
                slot = slot + np.uint64(1) & mask
            keys[slot] = key
            count[slot] += worth
            if count[slot] - odd > best:
                best, first = count[slot] - odd, i
                second = -1 if at < 0 else outside[at]
    return best, first, second


@kernel
def products(table: Words, n: int) -> Words:
    """By column, the bits P_a P_b for a <= b, in the order of `_place`."""
    size = n * (n + 1) // 2
    products = np.zeros((len(table), (size + 63) // 64), np.uint64)
    for i in range(len(table)):
        support = _bits(table[i], n)
        for b in support:
            for a in support:
                if a > b:
                    break
                place = _place(a, b)
                products[i, place >> 6] |= np.uint64(1) << np.uint64(place & 63)
    return products


@kernel
def _place(a: int, b: int) -> int:
    """The number of the pair a, b, in any order."""
    low, high = min(a, b), max(a, b)
    return high * (high + 1) // 2 + low


@kernel
def _bits(vector: Words, n: int) -> Ints:
    """The positions of the ones of a vector."""
    found = np.empty(n, np.int64)
    count = 0
    for a in range(n):
        if vector[a >> 6] >> np.uint64(a & 63) & np.uint64(1):
            found[count] = a
            count += 1
    return found[:count]


@kernel
def annihilate(basis: Words, pivots: Ints, functionals: Words) -> None:
    """Change functionals, one per bit of the words of each place, to vanish on a basis."""
    for b in range(len(basis)):
        functionals[pivots[b]] = 0
    for b in range(len(basis)):
        value = np.zeros(functionals.shape[1], np.uint64)
        for word in range(basis.shape[1]):
            bits = basis[b, word]
            while bits:
                low = bits & (~bits + np.uint64(1))
                bits ^= low
                place = 64 * word + _log(low)
                for k in range(len(value)):
                    value[k] ^= functionals[place, k]
        functionals[pivots[b]] = value


@kernel
def _log(power: np.uint64) -> int:
    """The logarithm of a power of two."""
    log = 0
    for step in (32, 16, 8, 4, 2, 1):
        if power >> np.uint64(step):
            power >>= np.uint64(step)
            log += step
    return log


@kernel
def search(
    table: Words,
    zs: Words,
    n: int,
    functionals: Words,
    low: Ints,
    high: Ints,
    combined: Words,
    hashes: Words,
    of_bit: Words,
) -> tuple[int, int, Bits]:
    """The most columns saved by any of the vectors z, its number (-1: no y for any), and y.

    Pivots are the pairs `low`, `high`.
    """
    m = len(table)
    order = np.argsort(hashes)
    best, at, best_y = -m, -1, np.zeros(m, np.uint8)
    for number in range(len(zs)):
        z = zs[number]
        null = echelon(_images(z, n, functionals))[3]
        if len(null) == 1:
            continue  # w = z gives B = 0, always
        partner = _partners(z, n, hashes, order, of_bit)
        count = min(len(null), MOST_COMBINED)
        solutions = np.empty((count, m), np.uint8)
        for k in range(count):
            solutions[k] = _solution(z, null[k], n, low, high, combined, m)
        y = np.zeros(m, np.uint8)
        for code in range(1, 1 << count):  # all sums, one change at a time
            k = 0
            while not code >> k & 1:
                k += 1
            y ^= solutions[k]
            gain = _gain(y, partner)
            if gain > best and y.any():
                best, at, best_y = gain, number, y.copy()
    return best, at, best_y


@kernel
def _images(z: Words, n: int, functionals: Words) -> Words:
    """The functionals of z w^T + w z^T for each unit vector w, and of z z^T."""
    images = np.zeros((n + 1, functionals.shape[1]), np.uint64)
    support = _bits(z, n)
    for a in support:
        for k in range(n):
            if k != a:
                place = _place(a, k)
                for word in range(functionals.shape[1]):
                    images[k, word] ^= functionals[place, word]
        for b in support:
            if b <= a:
                images[n] ^= functionals[_place(a, b)]
    return images


@kernel
def _solution(z: Words, w: Words, n: int, low: Ints, high: Ints, combined: Words, m: int) -> Bits:
    """The y with B = z w^T + w z^T + c z z^T; bit n of w is c."""
    total = np.zeros(combined.shape[1], np.uint64)
    c = w[n >> 6] >> np.uint64(n & 63) & np.uint64(1)
    for b in range(len(combined)):
        za = z[low[b] >> 6] >> np.uint64(low[b] & 63) & np.uint64(1)
        zb = z[high[b] >> 6] >> np.uint64(high[b] & 63) & np.uint64(1)
        value = za & zb & c
        if low[b] != high[b]:
            wa = w[low[b] >> 6] >> np.uint64(low[b] & 63) & np.uint64(1)
            wb = w[high[b] >> 6] >> np.uint64(high[b] & 63) & np.uint64(1)
            value ^= za & wb ^ wa & zb
        if value:
            total ^= combined[b]
    y = np.zeros(m, np.uint8)
    y[_bits(total, m)] = 1
    return y


@kernel
def _partners(z: Words, n: int, hashes: Words, order: Ints, of_bit: Words) -> Ints:
    """By column, that which is the sum of it and z; its own number for z, and -1 for none."""
    shift = np.uint64(0)
    for a in _bits(z, n):
        shift ^= of_bit[a]
    partner = np.full(len(hashes), -1)
    ordered = hashes[order]
    for i in range(len(hashes)):
        wanted = hashes[i] ^ shift
        if not wanted:
            partner[i] = i
            continue
        at = np.searchsorted(ordered, wanted)
        if at < len(ordered) and ordered[at] == wanted:
            partner[i] = order[at]
    return partner


@kernel
def _gain(y: Bits, partner: Ints) -> int:
    """How many columns a move saves."""
    odd = 0
    for bit in y:
        odd ^= bit
    gain = -odd
    for i in range(len(y)):
        if partner[i] == i:
            gain += 1 if y[i] else 2 * odd
        elif partner[i] > i and y[i] != y[partner[i]]:
            gain += 2
    return gain
