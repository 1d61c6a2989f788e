"""Finite sets of integers with equality in constant time: hash-consed Patricia tries.

A set is a number; equal sets have equal numbers, for a trie is determined by its elements and each
trie exists once.  0 is the empty set.  Adding or removing one element of n makes O(log n) new
tries, so that the n prefixes of a sum of n terms take O(n log n) memory.  After C. Okasaki and
A. Gill, "Fast mergeable integer maps" (1998).
"""

from __future__ import annotations

from collections.abc import Iterator

from qwasmc.backends.certificate.undecided import TooLarge

MAX_TRIES = 3_000_000
"""Most tries of one kind."""

MAX_STEPS = 30_000_000
"""Most tries that are looked at while sets are put together."""


class Sets:
    """Sets of nonnegative integers, by number."""

    def __init__(self) -> None:
        self.level = [-1]
        """By set: the highest bit in which its elements differ; -1 if there is one element."""
        self.first = [-1]
        """By set: one of its elements."""
        self.low = [0]
        """By set: those of its elements without that bit."""
        self.high = [0]
        self.size = [0]
        """By set: how many elements it has."""
        self.steps = 0
        self._number: dict[tuple[int, int, int], int] = {}

    def single(self, element: int) -> int:
        """The set of one element."""
        return self._trie(-1, element, element)

    def elements(self, number: int) -> Iterator[int]:
        """The elements, in order."""
        stack = [number] if number else []
        while stack:
            number = stack.pop()
            if self.level[number] < 0:
                yield self.first[number]
            else:
                stack += (self.high[number], self.low[number])

    def contains(self, number: int, element: int) -> bool:
        """Whether an element is in a set."""
        while self.level[number] >= 0:
            bit = element >> self.level[number] & 1
            number = self.high[number] if bit else self.low[number]
        return self.first[number] == element

    def difference(self, a: int, b: int) -> int:
        """The elements that are in one of the sets but not in the other."""
        return 0 if a == b else self._merge(a, b, False)

    def union(self, a: int, b: int) -> int:
        """The elements that are in one of the sets."""
        return self._merge(a, b, True)

    def _merge(self, a: int, b: int, keep: bool) -> int:
        """The union; without what is in both unless that is to be kept."""
        if a == b:
            return a if keep else 0
        if not a or not b:
            return a or b
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise TooLarge(f"functions of the qubits take more than {MAX_STEPS} steps")
        if self.level[a] < self.level[b]:
            a, b = b, a
        top, first, other = self.level[a], self.first[a], self.first[b]
        apart = (first ^ other).bit_length() - 1
        if apart > top:
            return self._trie(apart, *((b, a) if first >> apart & 1 else (a, b)))
        low, high = self.low[a], self.high[a]
        if self.level[b] == top:
            low = self._merge(low, self.low[b], keep)
            high = self._merge(high, self.high[b], keep)
        elif other >> top & 1:
            high = self._merge(high, b, keep)
        else:
            low = self._merge(low, b, keep)
        return self._trie(top, low, high) if low and high else low or high

    def _trie(self, level: int, low: int, high: int) -> int:
        """The trie of two others, or of the element `low` if the level is -1."""
        key = level, low, high
        number = self._number.get(key)
        if number is None:
            number = self._number[key] = len(self.level)
            if number > MAX_TRIES:
                raise TooLarge(f"functions of the qubits have more than {MAX_TRIES} parts")
            self.level.append(level)
            self.first.append(low if level < 0 else self.first[low])
            self.low.append(low if level >= 0 else 0)
            self.high.append(high if level >= 0 else 0)
            self.size.append(self.size[low] + self.size[high] if level >= 0 else 1)
        return number
