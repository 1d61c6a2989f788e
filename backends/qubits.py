"""Qubits that a program in execution acts on: what every state of qubits offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable


class Qubits(ABC):
    """A state of numbered qubits.  Freed ones are used again, the one freed last first."""

    limit: int
    """Most qubits alive at once."""

    gates: dict[str, Callable[..., None]]
    """By gate without an angle: its action on qubits."""

    turns: dict[str, Callable[..., None]]
    """By gate with an angle: its action, given the angle and the qubits."""

    def __init__(self) -> None:
        self.used = 0
        self._idle: list[int] = []

    @property
    def full(self) -> bool:
        """Whether there can be no more qubits."""
        return self.used - len(self._idle) >= self.limit

    def start(self, seed: int) -> None:
        """Forget all qubits; outcomes follow from the seed."""
        self.restart(seed)
        self.used = 0
        self._idle.clear()

    def alloc(self) -> int:
        """A qubit in |0>."""
        if self._idle:
            qubit = self._idle.pop()
            self.reset(qubit)
            return qubit
        self.used += 1
        self.grow(self.used)
        return self.used - 1

    def free(self, qubit: int) -> None:
        """Discard a qubit."""
        self._idle.append(qubit)

    @abstractmethod
    def restart(self, seed: int) -> None:
        """Begin again with qubits in |0>; `used` is still what it was."""

    @abstractmethod
    def grow(self, size: int) -> None:
        """Have at least so many qubits; new ones are in |0>."""

    @abstractmethod
    def measure(self, qubit: int) -> int:
        """The outcome of measuring Z."""

    @abstractmethod
    def reset(self, qubit: int) -> None:
        """Put a qubit into |0>."""
