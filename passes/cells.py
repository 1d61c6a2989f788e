"""A map from small integers to values that many states share.

A copy takes no time: both share all they have, and what one changes it copies first, along one
path of a tree.  What two copies differ in is found without looking at what they share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

BITS = 4
WIDTH = 1 << BITS
"""Entries of a node; behind them stands its owner, the only one who may change it."""

Node = list[Any]


class Cells:
    """The map; a key that has no value has None."""

    __slots__ = ("_owner", "_root", "_shift")

    def __init__(self) -> None:
        self._owner = object()
        self._root: Node = [None] * WIDTH + [self._owner]
        self._shift = 0

    def get(self, key: int) -> Any:
        """The value of a key."""
        shift, node = self._shift, self._root
        if key >> shift >= WIDTH:
            return None
        while shift:
            node = node[key >> shift & WIDTH - 1]
            if node is None:
                return None
            shift -= BITS
        return node[key & WIDTH - 1]

    def set(self, key: int, value: Any) -> None:
        """Give a key a value."""
        owner = self._owner
        while key >> self._shift >= WIDTH:
            self._root = [self._root] + [None] * (WIDTH - 1) + [owner]
            self._shift += BITS
        node = self._root
        if node[WIDTH] is not owner:
            node = self._root = _own(node, owner)
        shift = self._shift
        while shift:
            at = key >> shift & WIDTH - 1
            inner = node[at]
            if inner is None or inner[WIDTH] is not owner:
                inner = node[at] = _own(inner, owner)
            node = inner
            shift -= BITS
        node[key & WIDTH - 1] = value

    def copy(self) -> Cells:
        """Another map with the same values."""
        self._owner = object()
        other = Cells()
        other._root, other._shift = self._root, self._shift
        return other

    def differences(self, other: Cells) -> Iterator[tuple[int, Any, Any]]:
        """Keys with values that are not the same object in both, in order, with both values."""
        shift = max(self._shift, other._shift)
        stack = [(0, shift, self._raised(shift), other._raised(shift))]
        while stack:
            key, shift, a, b = stack.pop()
            for at in reversed(range(WIDTH)) if shift else range(WIDTH):
                x = None if a is None else a[at]
                y = None if b is None else b[at]
                if x is y:
                    continue
                if shift:
                    stack.append((key | at << shift, shift - BITS, x, y))
                else:
                    yield key | at, x, y

    def merged(self, other: Cells, pick: Callable[[int, Any, Any], Any]) -> Cells:
        """A map in which `pick(key, own, others)` decides where this and another one differ."""
        found = self.copy()
        for key, own, others in self.differences(other):
            value = pick(key, own, others)
            if value is not own:
                found.set(key, value)
        return found

    def _raised(self, shift: int) -> Node:
        """The root, as if the tree had this many levels more."""
        root = self._root
        for _ in range(self._shift, shift, BITS):
            root = [root] + [None] * WIDTH
        return root


def _own(node: Node | None, owner: object) -> Node:
    """A copy of a node that may be changed."""
    if node is None:
        return [None] * WIDTH + [owner]
    copied = node.copy()
    copied[WIDTH] = owner
    return copied
