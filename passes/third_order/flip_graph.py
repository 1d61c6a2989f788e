"""Fewer products with the same sum, by random flips.

A flip graph has the sums of products with a given total as its nodes; a flip exchanges a few
products for as many others with the same sum (Kauers and Moosbauer, arXiv:2212.01175, for matrix
multiplication; Khoruzhii, Gelss and Pokutta, arXiv:2602.15285, for Toffoli gates).  Here a flip
takes up to `MOST` products whose vectors depend on each other, writes their sum as a tensor on its
own few dimensions and splits that anew, with ties broken at random.  What comes out replaces them
if it is no longer; where it is shorter, the whole sum is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from qwasmc.kernel import kernel
from qwasmc.passes.draw import draw
from qwasmc.passes.third_order.trivectors import add_product, bit, eliminate, flip

Array = Any

LEAST, MOST = 3, 20
"""Products in one flip.  Their sum fits in 60 dimensions: one word."""
SAMPLE = 200
"""Products looked at for the next one to take along."""


@kernel
def _first_one(vector: Array) -> int:
    """The position of the first one, or -1."""
    for w in range(len(vector)):
        word = vector[w]
        if word:
            at = w * 64
            while not word & np.uint64(1):
                word >>= np.uint64(1)
                at += 1
            return at
    return -1


@kernel
def _reduce(vector: Array, mask: Any, echelon: Array, masks: Array, at: Array, rank: int) -> Any:
    """Subtract from a vector, in place, what is in the span of `rank` vectors in echelon form.

    `at` has their first ones.  Returns `mask` with the masks of those that were subtracted.
    """
    for k in range(rank):
        if (vector[at[k] >> 6] >> np.uint64(at[k] & 63)) & np.uint64(1):
            for w in range(len(vector)):
                vector[w] ^= echelon[k, w]
            mask ^= masks[k]
    return mask


@kernel
def _insert(vector: Array, mask: Any, echelon: Array, masks: Array, at: Array, rank: int) -> int:
    """Take a reduced vector into the echelon form if it is not zero; the new rank."""
    first = _first_one(vector)
    if first < 0:
        return rank
    echelon[rank] = vector
    masks[rank] = mask
    at[rank] = first
    return rank + 1


@kernel
def _overlap(term: Array, echelon: Array, masks: Array, at: Array, rank: int) -> int:
    """The dimension that a product's three vectors share with a span."""
    inner = rank
    work = np.empty(term.shape[1], dtype=np.uint64)
    for vector in term:
        work[:] = vector
        _reduce(work, np.uint64(0), echelon, masks, at, inner)
        inner = _insert(work, np.uint64(0), echelon, masks, at, inner)
    return 3 - (inner - rank)


@kernel
def _choose(terms: Array, count: int, size: int, random: Array) -> Array:
    """Indices of up to `size` products: a random one, then each time the one whose vectors are
    most in the span of those before, among a sample."""
    words = terms.shape[2]
    echelon = np.empty((3 * MOST + 3, words), dtype=np.uint64)
    masks = np.empty(3 * MOST + 3, dtype=np.uint64)
    at = np.empty(3 * MOST + 3, dtype=np.int64)
    work = np.empty(words, dtype=np.uint64)
    taken = np.zeros(count, dtype=np.bool_)
    chosen = np.empty(size, dtype=np.int64)
    rank = 0
    for k in range(size):
        best, ties, pick = 0, 0, draw(random, count) if k == 0 else -1
        start = draw(random, count)
        for step in range(min(count, SAMPLE) if k else 0):
            t = (start + step) % count
            if not taken[t]:
                shared = _overlap(terms[t], echelon, masks, at, rank)
                ties = ties + 1 if shared == best else 1
                if shared > best or (shared == best and shared and draw(random, ties) == 0):
                    best, pick = shared, t
        if pick < 0:
            return chosen[:k]
        taken[pick] = True
        chosen[k] = pick
        for vector in terms[pick]:
            work[:] = vector
            _reduce(work, np.uint64(0), echelon, masks, at, rank)
            rank = _insert(work, np.uint64(0), echelon, masks, at, rank)
    return chosen


@kernel
def _sum(terms: Array, chosen: Array, random: Array) -> tuple[Array, Array]:
    """The sum of some products: a tensor on their span, and the basis of it."""
    words = terms.shape[2]
    room = 3 * len(chosen)
    echelon = np.empty((room, words), dtype=np.uint64)
    masks = np.empty(room, dtype=np.uint64)
    at = np.empty(room, dtype=np.int64)
    basis = np.empty((room, words), dtype=np.uint64)
    places = np.empty((len(chosen), 3, 1), dtype=np.uint64)
    work = np.empty(words, dtype=np.uint64)
    rank = 0
    for k in range(len(chosen)):
        for slot in range(3):
            vector = terms[chosen[k], slot]
            work[:] = vector
            new = np.uint64(1) << np.uint64(rank)
            mask = _reduce(work, np.uint64(0), echelon, masks, at, rank)
            if _insert(work, mask ^ new, echelon, masks, at, rank) > rank:
                basis[rank] = vector
                rank += 1
                mask = new
            places[k, slot, 0] = mask
    # In another basis the elimination finds another way.
    for _ in range(draw(random, rank) if draw(random, 8) == 0 else 0):
        i, j = draw(random, rank), draw(random, rank)
        if i != j:
            for w in range(words):
                basis[i, w] ^= basis[j, w]
            for k in range(len(chosen)):
                for slot in range(3):
                    if bit(places[k, slot], i):
                        flip(places[k, slot], j)
    tensor = np.zeros((rank, rank, 1), dtype=np.uint64)
    for k in range(len(chosen)):
        add_product(tensor, places[k, 0], places[k, 1], places[k, 2])
    return tensor, basis[:rank]


@kernel
def flips(terms: Array, count: int, rounds: int, random: Array) -> int:
    """Flip `rounds` times; `terms[:count]` (room, 3, words) changes, to as many as returned."""
    new = np.empty((MOST, 3, terms.shape[2]), dtype=np.uint64)
    for _ in range(rounds):
        if count < 2:
            break
        size = min(count, LEAST + draw(random, MOST - LEAST + 1))
        chosen = _choose(terms, count, size, random)
        if len(chosen) < 2:
            continue
        tensor, basis = _sum(terms, chosen, random)
        if len(tensor) == 3 * len(chosen):
            continue
        found = eliminate(tensor, basis, new[: len(chosen)], random)
        if found < 0:
            continue
        chosen = np.sort(chosen)
        for k in range(found):
            terms[chosen[k]] = new[k]
        for k in range(len(chosen) - 1, found - 1, -1):
            count -= 1
            terms[chosen[k]] = terms[count]
    return count
