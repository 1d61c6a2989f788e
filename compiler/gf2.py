"""Linear algebra over GF(2) on vectors that are Python integers."""

from __future__ import annotations

from collections.abc import Sequence


def relations(vectors: Sequence[int]) -> list[int]:
    """A basis of the sets of vectors whose sum is zero; bit i of a set stands for vectors[i].

    There is one for each vector that depends on earlier ones: it and those, which are chosen
    among vectors that depend on none before them.
    """
    count = len(vectors)
    reduced: dict[int, int] = {}
    """By leading bit: a sum of vectors, and below it, `count` bits that say of which."""
    found = []
    for index, vector in enumerate(vectors):
        rest = vector << count | 1 << index
        while (lead := rest.bit_length()) in reduced:
            rest ^= reduced[lead]
        if lead > count:
            reduced[lead] = rest
        else:
            found.append(rest)
    return found


def members(bits: int) -> list[int]:
    """The positions of the ones, in ascending order."""
    found = []
    while bits:
        found.append((bits & -bits).bit_length() - 1)
        bits &= bits - 1
    return found
