"""Parity tables as Toffoli-type products and a few parities: what T gates by fours can do.

A table P over F2 (n x m, one column per T gate, its rows are wires) stands for the diagonal unitary
with one T on the parity of each column.  Up to diagonal Clifford gates that is its signature
tensor, S_abc = |P_a & P_b & P_c| mod 2 (Amy and Mosca, arXiv:1601.07363).  A CCZ of three parities
costs four T gates, with a measurement, and changes S_abc for distinct a, b, c only:

    columns   u v w u+v u+w v+w u+v+w   =>   one product (u, v, w)       7 T  =>  4 T

So the diagonal of S, S_aaa and S_aab, has to come from columns; the fewest that give it are as many
as its rank, or one more (Lempel, SIAM J. Comput. 4, 175).  What is left then is an alternating
tensor, which `trivectors` splits into products (`field_products`, if it is a multiplication in a
finite field) and `flip_graph` improves.  At last more columns may take the place of products.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.kernel import kernel
from qwasmc.passes.third_order.field_products import field_products
from qwasmc.passes.third_order.flip_graph import flips
from qwasmc.passes.third_order.trivectors import eliminate, thin_out, weight

Bits = NDArray[np.uint8]
Words = NDArray[np.uint64]

LARGEST = 1024
"""Dimensions of the tensors worked on (128 MiB); above it all columns are leftover."""
DENSEST = 1 << 20
"""Ones in the tensors worked on; denser ones take long and do not come of few products."""
GROUPED = 4096
"""Columns among which whole products are looked for, in quadratic time."""
STARTS = 8
"""Eliminations, with ties broken in other ways; flips start from the best."""
CHUNK = 64
"""Flips between looks at the clock."""
PATIENCE = 10_000
"""Flips without success after which a sum of products counts as good."""
T_PER_PRODUCT = 4


def decompose(columns: Bits, deadline: float = math.inf) -> tuple[Bits, Bits]:
    """Products and parities with the same signature tensor as a parity table, for few T gates.

    Arguments: columns (n, m), of zeros and ones; deadline, a time of time.monotonic() after which
    no improvement is started (a first answer is always found).
    Returns products (k, 3, n), three parities each, and leftover columns (n, r); 4 k + r <= m.  The
    answer depends on nothing but the columns unless the deadline cut the search.
    """
    starts = [(np.zeros((0, 3, -(-len(columns) // 64)), dtype=np.uint64), columns)]
    if columns.shape[1] <= GROUPED:
        starts.append(whole_products(columns))
    found: list[tuple[Words, Bits]] = []
    for given, left in starts:
        if found and len(given) == 0:
            break
        rest = diagonal_columns(left)
        terms = split(merged(np.hstack([left, rest])), columns.shape[1] // 2, deadline)
        if terms is not None:
            found.append((np.concatenate([given, terms]), rest))
    if found:
        terms, rest = improved(
            *min(found, key=lambda answer: t_count(exchanged(*answer))), deadline
        )
        if t_count((terms, rest)) <= columns.shape[1]:
            return unpacked(terms, len(columns)), rest
    return np.zeros((0, 3, len(columns)), dtype=np.uint8), columns


def t_count(answer: tuple[Words, Bits]) -> int:
    """Of products (k, ...) and columns (n, r)."""
    terms, rest = answer
    return T_PER_PRODUCT * len(terms) + int(rest.shape[1])


def whole_products(columns: Bits) -> tuple[Words, Bits]:
    """Products all of whose seven columns are there, and the columns of none."""
    words = -(-len(columns) // 64)
    vectors = packed(columns.T, words)
    where: dict[int, int] = {}
    for at, vector in enumerate(vectors):
        form = number(vector)
        if where.pop(form, None) is None and form:
            where[form] = at
    terms = []
    for p in list(where):
        partners = [q for q in where if p in where and p != q and p ^ q in where]
        for q, r in combinations(partners, 2):
            if q ^ r != p and q ^ r in where and p ^ q ^ r in where:
                terms.append([where[p], where[q], where[r]])
                for form in (p, q, r, p ^ q, p ^ r, q ^ r, p ^ q ^ r):
                    del where[form]
                break
    picked = vectors[np.array(terms, dtype=np.int64).reshape(-1, 3)]
    return picked, columns[:, list(where.values())]


def merged(columns: Bits) -> Bits:
    """The columns that occur an odd number of times."""
    distinct, counts = np.unique(columns, axis=1, return_counts=True)
    return distinct[:, counts % 2 == 1]


def diagonal_columns(columns: Bits) -> Bits:
    """The fewest columns R with R R^T = P P^T for a table P; many of P's own if possible.

    M = P P^T + p p^T has a lower rank than P P^T if p = P P^T x and p.x = 1; then x is in the
    kernel of M, so the next p has to be orthogonal to x, and its own x stays what it was.
    """
    n, m = columns.shape
    square = product(columns, columns.T)
    rows = np.zeros((n + m, 2 * n), dtype=np.uint8)
    rows[:n, :n], rows[n:, :n], rows[:n, n:] = square, columns.T, np.eye(n)
    reduced = packed(rows, -(-2 * n // 64))
    reduce_rows(reduced, n, n)
    reduced_bits = unpacked(reduced[n:], 2 * n)
    solutions = reduced_bits[:, n:]
    usable = ~reduced_bits[:, :n].any(axis=1) & (columns.T & solutions).sum(axis=1) % 2 == 1
    by_row = np.packbits(columns, axis=1)
    own = []
    for at in range(m):
        if usable[at]:
            own.append(at)
            parity = np.bitwise_xor.reduce(by_row[solutions[at] == 1], axis=0)
            usable &= np.unpackbits(parity)[:m] == 0
    kept = columns[:, own]
    return np.hstack([kept, symmetric_factor(square ^ product(kept, kept.T))])


@kernel
def reduce_rows(rows: Any, width: int, sources: int) -> Any:
    """Gauss and Jordan's elimination in the first `width` columns of rows of words, in place.

    The first `sources` rows are made independent or zero, and subtracted from all others.  Returns
    the leading column of each of them, or -1.
    """
    lead = np.full(sources, -1, dtype=np.int64)
    for row in range(sources):
        for at in range(width):
            if (rows[row, at >> 6] >> np.uint64(at & 63)) & np.uint64(1):
                lead[row] = at
                for other in range(len(rows)):
                    if other != row and (rows[other, at >> 6] >> np.uint64(at & 63)) & np.uint64(1):
                        for w in range(rows.shape[1]):
                            rows[other, w] ^= rows[row, w]
                break
    return lead


def symmetric_factor(matrix: Bits) -> Bits:
    """The narrowest R (d, r) with R R^T = matrix over F2, for a symmetric matrix."""
    left = matrix.copy()
    columns: list[Bits] = []
    while len(ones := np.flatnonzero(np.diagonal(left))):
        column = left[:, ones[np.argmin(left[:, ones].sum(axis=0))]].copy()
        columns.append(column)
        left ^= np.outer(column, column)
    while left.any():
        a, b = (int(i[0]) for i in np.nonzero(left))
        u, v = left[:, a].copy(), left[:, b].copy()
        left ^= np.outer(u, v) ^ np.outer(v, u)
        base = columns.pop() if columns else np.zeros_like(u)
        columns += [base ^ u, base ^ v, base ^ u ^ v]
    return np.array(columns, dtype=np.uint8).reshape(len(columns), len(matrix)).T


def alternating_tensor(table: Bits) -> Words:
    """The signature tensor (d, d, words) of a table (d, m) for which S_aab is zero."""
    words = -(-len(table) // 64)
    tensor = np.zeros((len(table), len(table), words), dtype=np.uint64)
    _add_cubes(tensor, packed(table.T, words))
    return tensor


@kernel
def _add_cubes(tensor: Any, columns: Any) -> None:
    """Add the signature of packed columns (m, words) to a tensor."""
    n, _, words = tensor.shape
    for column in columns:
        for a in range(n):
            if (column[a >> 6] >> np.uint64(a & 63)) & np.uint64(1):
                for b in range(n):
                    if (column[b >> 6] >> np.uint64(b & 63)) & np.uint64(1):
                        for w in range(words):
                            tensor[a, b, w] ^= column[w]


def split(table: Bits, room: int, deadline: float) -> Words | None:
    """Products (k, 3, words) with the signature of a table (n, m) for which S_aab is zero, or None:
    it takes more than `room`, or the table has too many dimensions."""
    n, m = table.shape
    words = -(-n // 64)
    rows = packed(table, -(-m // 64))
    lead = reduce_rows(rows, m, n)
    rows = rows[lead >= 0]
    if len(rows) > LARGEST:
        return None
    # A row's number is a vector of a basis: the column where it, and no other, has a one.
    basis = packed(table.T[lead[lead >= 0]], words)
    thin_out(rows, basis)
    tensor = alternating_tensor(unpacked(rows, m))
    if weight(tensor.ravel()) > DENSEST:
        return None
    best = field_products(tensor, basis)
    if best is not None:
        return best
    for start in range(STARTS):
        if start and time.monotonic() > deadline:
            break
        random = np.array([start * 0x9E3779B97F4A7C15 + 1 & (1 << 64) - 1], dtype=np.uint64)
        found = np.empty((room, 3, words), dtype=np.uint64)
        count = eliminate(tensor.copy(), basis.copy(), found, random)
        if count >= 0 and (best is None or count < len(best)):
            best = found[:count].copy()
            room = count
    return best


def improved(terms: Words, rest: Bits, deadline: float) -> tuple[Words, Bits]:
    """Products (k, 3, words) and leftover columns (n, r) with the same sum and at most as many T
    gates, after flips, and exchanges at the best moment."""
    room = terms.copy()
    random = np.array([1], dtype=np.uint64)
    count, idle = len(terms), 0
    best = exchanged(terms, rest)
    while idle < PATIENCE and time.monotonic() < deadline:
        count = flips(room, count, CHUNK, random)
        idle += CHUNK
        answer = exchanged(room[:count].copy(), rest)
        if t_count(answer) < t_count(best):
            best, idle = answer, 0
    return best


def exchanged(terms: Words, rest: Bits) -> tuple[Words, Bits]:
    """Products (k, 3, words) and columns (d, r) with columns in place of some products.

    For any v the eight sums of v and of some of p, q, r stand for the product p ^ q ^ r.  Those of
    them that are there already go away, which has to save more than the four T of the product.
    """
    columns = [number(column) for column in packed(rest.T, terms.shape[2])]
    kept = []
    for index, term in enumerate(terms):
        span = [0]
        for vector in term:
            span += [number(vector) ^ element for element in span]
        there = Counter(min(column ^ element for element in span) for column in columns)
        least, count = max(
            there.items(), key=lambda item: 2 * item[1] + (item[0] == 0), default=(0, 0)
        )
        if 2 * count + (least == 0) <= T_PER_PRODUCT:
            kept.append(index)
            continue
        coset = [least ^ element for element in span if least ^ element]
        columns = [c for c in columns if c not in coset] + [c for c in coset if c not in columns]
    if len(kept) == len(terms):
        return terms, rest
    bits = [[column >> i & 1 for column in columns] for i in range(len(rest))]
    return exchanged(terms[kept], np.array(bits, dtype=np.uint8))


def product(a: Bits, b: Bits) -> Bits:
    """The matrix product over F2."""
    counts = a.astype(np.float32) @ b.astype(np.float32)
    return (counts % 2).astype(np.uint8)


def packed(rows: Bits, words: int) -> Words:
    """Rows of zeros and ones as rows of words."""
    whole = np.zeros((len(rows), words * 64), dtype=np.uint8)
    whole[:, : rows.shape[1]] = rows
    return np.packbits(whole, axis=1, bitorder="little").view("<u8").astype(np.uint64)


def unpacked(vectors: Words, n: int) -> Bits:
    """The opposite, on the last axis, for n bits."""
    whole = np.ascontiguousarray(vectors, dtype="<u8").view(np.uint8)
    return np.unpackbits(whole, axis=-1, bitorder="little")[..., :n]


def number(vector: Words) -> int:
    """A packed vector as an integer."""
    return int.from_bytes(vector.astype("<u8").tobytes(), "little")
