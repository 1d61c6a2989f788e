"""All circuits up to a size that may be worth a rule, and which of them are equal.

Words are made letter by letter, in the manner of RepGen (Xu et al., Quartz, PLDI 2022, section 3).
Only words are made longer that nothing equal to them and found so far is cheaper than; and a word
counts only if each circuit that is left without one of its first or last operations is among them.
For if one of these has a cheaper equal, then so has the word, by a smaller rule.

RepGen goes on with one circuit of a class.  Here all small ones that cost the same do, because
rules are applied where they gain, and nothing may bring a circuit into the form that a rule is for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.diagnostics import Kind, error
from qwasmc.passes.learning.alphabets import Alphabet
from qwasmc.passes.learning.costs import COUNTED, ORDER, ROTATIONS, T, costs
from qwasmc.passes.learning.fingerprints import Tables, fingerprints, tables
from qwasmc.passes.learning.words import (
    Words,
    canonical_words,
    distinct,
    extended,
    final_flags,
    is_end,
    packed,
    without,
)

CHUNK = 1 << 16
"""Words that are made longer at a time."""

MAX_WORDS = 1 << 24
"""Most words that are looked at of one length."""


@dataclass(frozen=True)
class Listing:
    """Words, by increasing size, with their fingerprints and costs.

    `renamings` are the numbers of those symmetries of the alphabet that make the fingerprints
    least, so two words with equal fingerprints are equal once each is so renamed.  `best` is, for
    each word, the row of the cheapest one with the same fingerprint.
    """

    alphabet: Alphabet
    words: Words
    keys: NDArray[np.int64]
    renamings: NDArray[np.int64]
    costs: NDArray[np.int64]
    best: NDArray[np.int64]


def enumerate_words(alphabet: Alphabet, size: int, objective: str, ties: int) -> Listing:
    """All words up to so many letters whose parts are not known to be too dear.

    Of equal words with more than `ties` letters only one is made longer.
    """
    table = tables(alphabet)
    kept = np.zeros((1, 0), dtype=np.uint8)
    listing = _add(None, kept, size, objective, alphabet, table)
    for length in range(1, size + 1):
        none = np.zeros((0, length), dtype=np.uint8)
        words = distinct(np.concatenate([none, *_candidates(kept, alphabet)]))
        first = len(listing.words)
        listing = _add(listing, words, size, objective, alphabet, table)
        rows = np.arange(len(listing.words))
        wanted = _irreducible(listing) if length <= ties else listing.best == rows
        kept = words[wanted[first:]]
    return listing


def _candidates(kept: Words, alphabet: Alphabet) -> Iterator[Words]:
    """The words that are one letter longer than kept ones, all of whose parts are kept."""
    if len(kept) * len(alphabet.letters) > MAX_WORDS:
        raise error(
            f"there are more than {MAX_WORDS} circuits of {kept.shape[1] + 1} gates on "
            f"{len(alphabet.wires)} qubits to look at",
            kind=Kind.LIMIT,
            help="look for smaller patterns, or patterns of fewer gates",
        )
    known = packed(kept) if kept.shape[1] else None
    for first in range(0, len(kept), CHUNK):
        words = extended(kept[first : first + CHUNK], alphabet)
        words = distinct(canonical_words(words, alphabet))
        yield words if known is None else words[_parts_known(words, known, alphabet)]


def _parts_known(words: Words, known: NDArray[Any], alphabet: Alphabet) -> NDArray[np.bool_]:
    """Whether what is left without a first or last letter is known, or is no word, for each."""
    right = np.ones(len(words), dtype=np.bool_)
    for place in range(words.shape[1]):
        rows = np.flatnonzero(right & is_end(words, place, alphabet))
        parts = without(words[rows], place)
        valid = final_flags(parts, alphabet) >= 0
        rows, parts = rows[valid], canonical_words(parts[valid], alphabet)
        right[rows] = np.isin(packed(parts), known)
    return right


def _add(
    listing: Listing | None,
    words: Words,
    size: int,
    objective: str,
    alphabet: Alphabet,
    table: Tables,
) -> Listing:
    """A listing with more words."""
    padded = np.pad(words, ((0, 0), (0, size - words.shape[1])))
    keys, renamings = fingerprints(padded, alphabet, table)
    own = costs(padded, alphabet)
    if listing is not None:
        padded = np.concatenate([listing.words, padded])
        keys = np.concatenate([listing.keys, keys])
        renamings = np.concatenate([listing.renamings, renamings])
        own = np.concatenate([listing.costs, own])
    best = _best(keys, own[:, (ROTATIONS, T, *ORDER[objective])])
    return Listing(alphabet, padded, keys, renamings, own, best)


def _best(keys: NDArray[np.int64], ranks: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each row the one with the same key and the least ranks; of equal ones the first."""
    order = np.lexsort([*ranks.T[::-1], keys])
    starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
    best = np.empty(len(keys), dtype=np.int64)
    best[order] = np.repeat(order[starts], np.diff(starts, append=len(order)))
    return best


def _irreducible(listing: Listing) -> NDArray[np.bool_]:
    """Whether no word with the same fingerprint has less of what counts anywhere, for each word."""
    own = listing.costs[:, COUNTED]
    same: NDArray[np.bool_] = (own == own[_best(listing.keys, own)]).all(axis=1)
    return same
