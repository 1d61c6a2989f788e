"""Circuits as rows of numbers, many at once.

An array of words has a row for each and a column for each place; see `alphabets`.  The canonical
form of a word is the least one, in the order of dictionaries, among all those that differ from it
in the order of letters that commute and in the names of qubits and angles.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.kernel import kernel
from qwasmc.passes.learning.alphabets import CLEARS, FORBIDS, NEEDS, SETS, Alphabet

Words = NDArray[np.uint8]


def canonical_words(words: Words, alphabet: Alphabet) -> Words:
    """The canonical form of each word."""
    found: Words = _canonical(words, alphabet.dependent, alphabet.symmetries)
    return found


def ordered_words(words: Words, alphabet: Alphabet) -> Words:
    """The least of the orders of each word, with the names that it has."""
    found: Words = _canonical(words, alphabet.dependent, alphabet.symmetries[:1])
    return found


def packed(words: Words) -> NDArray[Any]:
    """Words as byte strings, which sort and compare as a whole."""
    return np.ascontiguousarray(words).view(f"S{words.shape[1]}").ravel()


def distinct(words: Words) -> Words:
    """Each word once, in order."""
    found = np.unique(packed(words))
    return found.view(np.uint8).reshape(len(found), words.shape[1])


def without(words: Words, place: int) -> Words:
    """Words less the letter at a place."""
    return np.delete(words, place, axis=1)


def extended(words: Words, alphabet: Alphabet) -> Words:
    """Each word with each letter that may follow it, one place longer."""
    count = len(alphabet.letters)
    longer = np.empty((len(words) * count, words.shape[1] + 1), dtype=np.uint8)
    longer[:, :-1] = np.repeat(words, count, axis=0)
    longer[:, -1] = np.tile(np.arange(1, count + 1), len(words))
    return longer[final_flags(longer, alphabet) >= 0]


def final_flags(words: Words, alphabet: Alphabet) -> NDArray[np.int64]:
    """The flags at the end of each word (see `Alphabet.states`), or -1 where a letter may not be.

    What was freed is as if it had never been.
    """
    found: NDArray[np.int64] = _flags(words, alphabet.states, alphabet.freed_flags)
    return found


def is_end(words: Words, place: int, alphabet: Alphabet) -> NDArray[np.bool_]:
    """Whether no letter before, or none behind, depends on that at a place, in each word."""
    here = words[:, place : place + 1]
    touches = alphabet.dependent[here, words]
    inside = np.ones(len(words), dtype=np.bool_)
    for side in (touches[:, :place], touches[:, place + 1 :]):
        inside &= side.any(axis=1)
    return ~inside


@kernel
def _flags(words: Any, states: Any, freed: int) -> Any:
    found = np.zeros(len(words), dtype=np.int64)
    for row in range(len(words)):
        flags = 0
        for letter in words[row]:
            needs, forbids = states[letter, NEEDS], states[letter, FORBIDS]
            if flags & needs != needs or flags & forbids:
                flags = -1
                break
            flags = (flags | states[letter, SETS]) & ~states[letter, CLEARS]
        found[row] = flags if flags < 0 else flags & ~freed
    return found


@kernel
def _canonical(words: Any, dependent: Any, symmetries: Any) -> Any:
    best = np.zeros_like(words)
    trial = np.zeros(words.shape[1], dtype=np.uint8)
    for row in range(len(words)):
        for number in range(len(symmetries)):
            length = 0
            for old in words[row]:
                if old:
                    _insert(trial, length, symmetries[number, old], dependent)
                    length += 1
            if number == 0 or _less(trial, best[row], length):
                best[row, :length] = trial[:length]
    return best


@kernel
def _insert(word: Any, length: int, letter: int, dependent: Any) -> None:
    """Put a letter behind a word that is least among its orders, so that it stays so.

    That is the first place before a larger letter which the letter can move to.
    """
    place = length
    at = length
    while at > 0 and not dependent[letter, word[at - 1]]:
        at -= 1
        if letter < word[at]:
            place = at
    for at in range(length, place, -1):
        word[at] = word[at - 1]
    word[place] = letter


@kernel
def _less(word: Any, other: Any, length: int) -> bool:
    for at in range(length):
        if word[at] != other[at]:
            return bool(word[at] < other[at])
    return False
