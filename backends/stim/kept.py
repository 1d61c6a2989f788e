"""A memory of what was made, bounded by size.

Things are kept in two generations.  What is asked for joins the young one; when that is full, it
becomes the old one and the old one is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Kept(Generic[Key, Value]):
    """Values by key; each generation holds values of size `limit` in all, and what is new since
    the last `age`."""

    def __init__(self, limit: int, size: Callable[[Value], int]) -> None:
        self._limit, self._size_of = limit, size
        self._young: dict[Key, Value] = {}
        self._old: dict[Key, Value] = {}
        self._size = 0

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """A value, made if it is not known."""
        found = self._young.get(key)
        if found is None:
            found = self._old.pop(key, None)
            if found is None:
                found = make()
            self._young[key] = found
            self._size += self._size_of(found)
        return found

    def age(self) -> None:
        """Forget, if much is kept, what has not been asked for since much was kept before."""
        if self._size > self._limit:
            self._old, self._young, self._size = self._young, {}, 0
