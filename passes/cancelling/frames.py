"""The 24 one-qubit Clifford gates as tables: products, images of Paulis, shortest words.

A Clifford gate, up to phase, is its images of X, Y and Z under conjugation.  Signed Paulis are
numbers: 0, 1, 2 are X, Y, Z and 3, 4, 5 are -X, -Y, -Z.
"""

from __future__ import annotations

import itertools

import numpy as np

X, Y, Z = range(3)

Images = tuple[int, ...]

GATES: dict[str, Images] = {
    "x": (0, 4, 5),
    "y": (3, 1, 5),
    "z": (3, 4, 2),
    "h": (2, 4, 0),
    "s": (1, 3, 2),
    "sdg": (4, 0, 2),
    "sx": (0, 2, 4),
    "sxdg": (0, 5, 1),
}
"""Gates of the op table by their images; in order of preference."""

NAMES = tuple(GATES)


def _after(first: Images, then: Images) -> Images:
    """Images under one gate and then another."""
    return tuple((then[p % 3] + p - p % 3) % 6 for p in first)


def _shortest_words() -> dict[Images, list[int]]:
    """Every Clifford gate with its first shortest word: numbers in NAMES, the first gate first."""
    words: dict[Images, list[int]] = {(X, Y, Z): []}
    for length in (1, 2):
        for word in itertools.product(range(len(NAMES)), repeat=length):
            images: Images = (X, Y, Z)
            for gate in word:
                images = _after(images, GATES[NAMES[gate]])
            words.setdefault(images, list(word))
    return words


_WORDS = _shortest_words()
_ELEMENTS = tuple(_WORDS)
_NUMBER = {images: number for number, images in enumerate(_ELEMENTS)}

IDENTITY = 0

IMAGE = np.array([[*images, *((p + 3) % 6 for p in images)] for images in _ELEMENTS])
"""(24, 6): the signed Pauli C P C^-1."""

PRODUCT = np.array([[_NUMBER[_after(b, a)] for b in _ELEMENTS] for a in _ELEMENTS])
"""(24, 24): the gate a b, which is b first and then a."""

INVERSE = np.argmin(PRODUCT, axis=1)

WORD = np.array([[*word, -1, -1][:2] for word in _WORDS.values()])
"""(24, 2): the gates of a shortest word, the first one first, then -1."""

NUMBER = np.array([_NUMBER[images] for images in GATES.values()])
"""By number in NAMES, the Clifford gate."""

PAULI = NUMBER[:3]
"""By Pauli, the Pauli itself."""


def _root(p: int) -> int:
    """exp(-i pi/4 P)."""
    images = {p: p, (p + 1) % 3: (p + 2) % 3, (p + 2) % 3: (p + 1) % 3 + 3}
    return _NUMBER[(images[X], images[Y], images[Z])]


TURN = np.array([[IDENTITY, _root(p), PAULI[p], INVERSE[_root(p)]] for p in range(3)])
"""(3, 4): a turn about a Pauli P by k quarters, exp(-i k pi/4 P)."""


def _mapping(p1: int, p2: int, q1: int, q2: int) -> int:
    """The gate without signs that maps P1 to Q1 and P2 to Q2, or the identity if there is none."""
    found = [n for n, to in enumerate(_ELEMENTS) if to[p1] == q1 and to[p2] == q2]
    return found[0] if found and p1 != p2 else IDENTITY


MAPPING = np.array(
    [_mapping(*four) for four in itertools.product(range(3), repeat=4)],
).reshape(3, 3, 3, 3)
"""By P1, P2, Q1, Q2 with P1 != P2 and Q1 != Q2: the gate that maps P1 to Q1 and P2 to Q2."""
