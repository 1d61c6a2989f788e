"""Sums of Toffoli-type products, as alternating tensors over F2.

A diagonal unitary (-1)^f with a cubic f is, up to CZ and Z, an alternating form A of degree three:
A_abc is the coefficient of x_a x_b x_c.  One CCZ of three parities p, q, r is their wedge product.
The tensor is stored as slices: bit c of tensor[a, b] is A_abc, for all orders of a, b and c.

A tensor comes from a table of parities; `thin_out` changes the basis such that the table is sparse.
`eliminate` splits a tensor into few products, by two moves that take turns:

- *Sparsify*: a change of basis x_j += x_i, wherever it leaves fewer nonzero coefficients.
- *Subtract*: for A_abc = 1 the product p ^ q ^ r of p = A_bc., q = A_ac. and r = A_ab.; what is
  left has no x_a x_b, x_a x_c or x_b x_c any more.  It is the step of Gaussian elimination for
  symplectic forms, on the slices a, b and c at once: the rank of each falls by two.  The triple is
  the one after which the fewest coefficients are left.

Basis changes that thin out the tensor and symplectic elimination are ideas of Khoruzhii, Gelss and
Pokutta, arXiv:2602.15285.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from qwasmc.kernel import kernel
from qwasmc.passes.draw import draw

Array = Any
"""Bit vectors are rows of uint64 words, bit i of a vector in word i // 64."""

ONE = np.uint64(1)
ZERO = np.uint64(0)
PAIRS = np.uint64(0x5555555555555555)
NIBBLES = np.uint64(0x3333333333333333)
BYTES = np.uint64(0x0F0F0F0F0F0F0F0F)
SUM = np.uint64(0x0101010101010101)

STEP_WORDS = 1 << 21
"""Words of work that the choice of one product may take, about: some milliseconds."""
CANDIDATES = 4096
"""Products to choose one from, at most; a sample of all if there are more."""


# -- bits


@kernel
def popcount(x: Any) -> int:
    """The ones of a word."""
    x -= (x >> ONE) & PAIRS
    x = (x & NIBBLES) + ((x >> np.uint64(2)) & NIBBLES)
    x = (x + (x >> np.uint64(4))) & BYTES
    return np.int64((x * SUM) >> np.uint64(56))  # type: ignore[return-value]


@kernel
def weight(a: Array) -> int:
    """The ones of a vector."""
    total = 0
    for word in a:
        total += popcount(word)
    return total


@kernel
def common(a: Array, b: Array) -> int:
    """The ones that two vectors share."""
    total = 0
    for w in range(len(a)):
        total += popcount(a[w] & b[w])
    return total


@kernel
def bit(a: Array, i: int) -> Any:
    """Bit i of a vector."""
    return (a[i >> 6] >> np.uint64(i & 63)) & ONE


@kernel
def flip(a: Array, i: int) -> None:
    """Change bit i of a vector."""
    a[i >> 6] ^= ONE << np.uint64(i & 63)


# -- products


@kernel
def support(p: Array, q: Array, r: Array, out: Array) -> int:
    """Where any of three vectors has a one; how many places were written to `out`."""
    count = 0
    for w in range(len(p)):
        word = p[w] | q[w] | r[w]
        at = w * 64
        while word:
            if word & ONE:
                out[count] = at
                count += 1
            word >>= ONE
            at += 1
    return count


@kernel
def product_row(p: Array, q: Array, r: Array, a: int, b: int, out: Array) -> bool:
    """Row (a, b) of the tensor of p ^ q ^ r: whether it may be nonzero, and in `out` what it is."""
    pa, qa, ra = bit(p, a), bit(q, a), bit(r, a)
    pb, qb, rb = bit(p, b), bit(q, b), bit(r, b)
    # All ones or all zeros: which of the three vectors take part.
    take_p = ZERO - ((qa & rb) ^ (ra & qb))
    take_q = ZERO - ((pa & rb) ^ (ra & pb))
    take_r = ZERO - ((pa & qb) ^ (qa & pb))
    if take_p | take_q | take_r == ZERO:
        return False
    for w in range(len(out)):
        out[w] = (p[w] & take_p) ^ (q[w] & take_q) ^ (r[w] & take_r)
    return True


@kernel
def add_product(tensor: Array, p: Array, q: Array, r: Array) -> None:
    """Add p ^ q ^ r to a tensor."""
    places = np.empty(len(tensor), dtype=np.int64)
    row = np.empty(len(p), dtype=np.uint64)
    count = support(p, q, r, places)
    for a in places[:count]:
        for b in places[:count]:
            if a != b and product_row(p, q, r, a, b, row):
                for w in range(len(row)):
                    tensor[a, b, w] ^= row[w]


# -- sparse bases


@kernel
def thin_out(table: Array, basis: Array) -> None:
    """Make a table (n, words) sparse by changes x_j += x_i of its rows, the best one first.

    The basis (n, v) of the vectors that the rows' numbers stand for changes with it.
    """
    n = len(table)
    shared = np.empty((n, n), dtype=np.int64)
    for i in range(n):
        for j in range(n):
            shared[i, j] = common(table[i], table[j])
    while True:
        best, source, target = 0, -1, -1
        for i in range(n):
            for j in range(n):
                gain = 2 * shared[i, j] - shared[i, i] if i != j else 0
                if gain > best:
                    best, source, target = gain, i, j
        if best == 0:
            return
        for w in range(table.shape[1]):
            table[target, w] ^= table[source, w]
        # Where x_j becomes x_j + x_i, the vector e_i becomes e_i + e_j.
        for w in range(basis.shape[1]):
            basis[source, w] ^= basis[target, w]
        for k in range(n):
            shared[k, target] = shared[target, k] = common(table[k], table[target])


# -- the tensor and what is known of it


@kernel
def overlaps(tensor: Array, rows: Array) -> Array:
    """[a, b]: the number of nonzero coefficients that slices a and b share.  Fills `rows`:
    [a, b] is the weight of tensor[a, b]."""
    n = len(tensor)
    overlap = np.zeros((n, n), dtype=np.int64)
    for a in range(n):
        for b in range(n):
            rows[a, b] = weight(tensor[a, b])
    for a in range(n):
        for c in range(n):
            if rows[a, c]:
                for b in range(a, n):
                    if rows[b, c]:
                        overlap[a, b] += common(tensor[a, c], tensor[b, c])
        for b in range(a):
            overlap[a, b] = overlap[b, a]
    return overlap


@kernel
def _count_column(tensor: Array, rows: Array, overlap: Array, j: int, sign: int) -> None:
    """Add to the overlaps of all slices but j what their rows and columns j share."""
    n = len(tensor)
    for a in range(n):
        if a != j and rows[a, j]:
            for b in range(a, n):
                if b != j and rows[b, j]:
                    shared = 2 * sign * common(tensor[a, j], tensor[b, j])
                    overlap[a, b] += shared
                    if a != b:
                        overlap[b, a] += shared


@kernel
def _add_slice(tensor: Array, rows: Array, overlap: Array, i: int, j: int) -> None:
    """The basis change x_j += x_i."""
    n = len(tensor)
    _count_column(tensor, rows, overlap, j, -1)
    for b in range(n):
        if b == j or rows[i, b] == 0:
            continue
        for w in range(tensor.shape[2]):
            tensor[j, b, w] ^= tensor[i, b, w]
        if bit(tensor[j, b], j):
            flip(tensor[j, b], j)
        rows[j, b] = weight(tensor[j, b])
        rows[b, j] = rows[j, b]
        for c in range(n):
            if c not in (b, j) and bit(tensor[b, c], j) != bit(tensor[j, b], c):
                flip(tensor[b, c], j)
                rows[b, c] += 1 if bit(tensor[j, b], c) else -1
        tensor[b, j] = tensor[j, b]
    _count_column(tensor, rows, overlap, j, 1)
    for b in range(n):
        total = 0
        for c in range(n):
            if rows[j, c] and rows[b, c]:
                total += common(tensor[j, c], tensor[b, c])
        overlap[j, b] = overlap[b, j] = total


@kernel
def sparsify(tensor: Array, rows: Array, overlap: Array, basis: Array, random: Array) -> None:
    """Change the basis, best change first, until no single change makes the tensor sparser."""
    n = len(tensor)
    while True:
        best, ties, source, target = 0, 0, -1, -1
        for i in range(n):
            for j in range(n):
                gain = 2 * (overlap[i, j] + rows[i, j]) - overlap[i, i] if i != j else 0
                if gain > best:
                    best, ties, source, target = gain, 1, i, j
                elif gain == best and best > 0:
                    ties += 1
                    if draw(random, ties) == 0:
                        source, target = i, j
        if best == 0:
            return
        _add_slice(tensor, rows, overlap, source, target)
        for w in range(basis.shape[1]):
            basis[source, w] ^= basis[target, w]


# -- elimination


@kernel
def _gain(
    tensor: Array, rows: Array, p: Array, q: Array, r: Array, places: Array, row: Array
) -> int:
    """Three times the number of coefficients that adding p ^ q ^ r removes."""
    count = support(p, q, r, places)
    gain = 0
    for x in range(count):
        a = places[x]
        for b in places[:x]:
            if product_row(p, q, r, a, b, row):
                gain += rows[a, b]
                for w in range(len(row)):
                    gain -= popcount(row[w] ^ tensor[a, b, w])
    return gain


@kernel
def _best_triple(tensor: Array, rows: Array, only: int, random: Array) -> tuple[int, int, int, int]:
    """The gain and the triple of the best product; if only >= 0, of those with that index."""
    n, _, words = tensor.shape
    places = np.empty(n, dtype=np.int64)
    row = np.empty(words, dtype=np.uint64)
    filled, ones = 1, 0
    for a in range(n):
        if only in (-1, a):
            for b in range(n):
                if rows[a, b]:
                    filled += 1
                    ones += rows[a, b]
    width = min(n, 3 * (ones // filled + 1))
    candidates = min(CANDIDATES, max(32, STEP_WORDS // (width * width * words)))
    stride = max(1, ones // (6 * candidates))
    turn = draw(random, stride)
    best = (-(1 << 60), -1, -1, -1)
    ties = 0
    for a in range(n):
        if only not in (-1, a):
            continue
        for b in range(n if only >= 0 else a):
            if rows[a, b] == 0:
                continue
            for c in range(b):
                if not bit(tensor[a, b], c):
                    continue
                turn += 1
                if turn % stride:
                    continue
                gain = _gain(tensor, rows, tensor[b, c], tensor[a, c], tensor[a, b], places, row)
                ties = ties + 1 if gain == best[0] else 1
                if gain > best[0] or (gain == best[0] and draw(random, ties) == 0):
                    best = (gain, a, b, c)
    return best


@kernel
def _subtract(tensor: Array, rows: Array, overlap: Array, p: Array, q: Array, r: Array) -> None:
    """Add p ^ q ^ r to the tensor and keep its rows' weights and overlaps right."""
    n, _, words = tensor.shape
    places = np.empty(n, dtype=np.int64)
    row = np.empty(words, dtype=np.uint64)
    places = places[: support(p, q, r, places)]
    inside = np.zeros(n, dtype=np.bool_)
    for a in places:
        inside[a] = True
    for b in places:
        for sign in (-1, 1):
            for a in places:
                if rows[a, b]:
                    for c in range(n):
                        if rows[c, b] and (c <= a or not inside[c]):
                            shared = sign * common(tensor[a, b], tensor[c, b])
                            overlap[a, c] += shared
                            if a != c:
                                overlap[c, a] += shared
            if sign == -1:
                for a in places:
                    if a != b and product_row(p, q, r, a, b, row):
                        for w in range(words):
                            tensor[a, b, w] ^= row[w]
                        rows[a, b] = weight(tensor[a, b])


@kernel
def _emit(basis: Array, vector: Array, out: Array) -> None:
    """The vector in the coordinates of the basis' vectors."""
    out[:] = ZERO
    for i in range(len(basis)):
        if bit(vector, i):
            for w in range(len(out)):
                out[w] ^= basis[i, w]


@kernel
def eliminate(tensor: Array, basis: Array, terms: Array, random: Array) -> int:
    """Split a tensor into products.

    Arguments: tensor (n, n, ceil(n / 64)), which is zero afterwards; basis (n, v), the vectors that
    the tensor's indices stand for, overwritten; terms (room, 3, v), filled with products; random
    (1,), the state of the generator that breaks ties.
    Returns how many products there are, or -1 where there is no room for them.
    """
    n, _, words = tensor.shape
    rows = np.empty((n, n), dtype=np.int64)
    overlap = overlaps(tensor, rows)
    p, q, r = np.empty((3, words), dtype=np.uint64)
    count = 0
    only = -1
    while True:
        if only < 0:
            sparsify(tensor, rows, overlap, basis, random)
        left = 0
        for a in range(n):
            left += overlap[a, a]
        if left == 0:
            return count
        gain, a, b, c = _best_triple(tensor, rows, only, random)
        if gain <= 0 and only < 0:
            # No product helps by itself: remove a whole slice, which never comes back.
            for i in range(n):
                if overlap[i, i] and (only < 0 or overlap[i, i] < overlap[only, only]):
                    only = i
            continue
        if count == len(terms):
            return -1
        p[:], q[:], r[:] = tensor[b, c], tensor[a, c], tensor[a, b]
        _subtract(tensor, rows, overlap, p, q, r)
        _emit(basis, p, terms[count, 0])
        _emit(basis, q, terms[count, 1])
        _emit(basis, r, terms[count, 2])
        count += 1
        if only >= 0 and overlap[only, only] == 0:
            only = -1
