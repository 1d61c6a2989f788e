"""The state of the one run that is carried out: memory, which slots hold which qubits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from qwasmc.passes.executor import FRESH
from qwasmc.passes.folded.regions import Regions
from qwasmc.passes.folded.values import Raw

Cell: TypeAlias = tuple[str, int]
"""A space and an address."""

NEXT_SLOT: Cell = ("next slot", 0)
NEXT_ADDRESS: Cell = ("next address", 0)
"""Where the numbers of the next fresh slot and address are kept."""

EMPTY, FULL = 0, 1

MARKED = 1 << 24
"""Slots from the first one, and from the first fresh one, of which all is known at once."""


@dataclass(slots=True)
class Slots:
    """Which qubit is in which slot.

    Whether all slots of a range are full, or empty, is answered in next to no time.
    """

    qubit: dict[int, int] = field(default_factory=dict)
    _low: bytearray = field(default_factory=bytearray)
    _fresh: bytearray = field(default_factory=bytearray)

    def _marks(self, slot: int) -> tuple[bytearray | None, int]:
        """Where the mark of a slot is, if it has one."""
        marks, at = (self._fresh, slot - FRESH) if slot >= FRESH else (self._low, slot)
        return (marks if 0 <= at < MARKED else None), at

    def put(self, slot: int, qubit: int | None) -> None:
        """Fill or empty a slot."""
        marks, at = self._marks(slot)
        if marks is not None:
            if at >= len(marks):
                marks.extend(bytes(max(at + 1 - len(marks), len(marks))))
            marks[at] = EMPTY if qubit is None else FULL
        if qubit is None:
            self.qubit.pop(slot, None)
        else:
            self.qubit[slot] = qubit

    def all_are(self, state: int, least: int, most: int) -> bool:
        """Whether all slots of a range are full, or are empty; False if that is not marked."""
        marks, start = self._marks(least)
        others, end = self._marks(most)
        if marks is None or marks is not others:
            return False
        if state == FULL:
            return end < len(marks) and marks.find(EMPTY, start, end + 1) < 0
        return marks.find(FULL, start, end + 1) < 0


@dataclass(slots=True)
class World:
    """Memory and slots now, and how to get back to what they were."""

    regions: Regions
    cells: dict[Cell, Raw] = field(default_factory=lambda: {NEXT_SLOT: FRESH, NEXT_ADDRESS: FRESH})
    slots: Slots = field(default_factory=Slots)
    qubits: int = 0
    """How many there have been; the number of the next one."""
    steps: int = 0
    """Operations that were run."""
    calls: int = 0
    trials: int = 0
    """How many ways are being tried that may be taken back."""
    _journal: list[tuple[Cell, Raw | None] | tuple[int, int | None]] = field(default_factory=list)

    def write(self, cell: Cell, value: Raw | None) -> None:
        """Put a value into a cell; None is none."""
        if self.trials:
            self._journal.append((cell, self.cells.get(cell)))
        self._write(cell, value)

    def _write(self, cell: Cell, value: Raw | None) -> None:
        if value is None:
            self.cells.pop(cell, None)
        else:
            self.cells[cell] = value

    def put(self, slot: int, qubit: int | None) -> None:
        """Fill or empty a slot."""
        if self.trials:
            self._journal.append((slot, self.slots.qubit.get(slot)))
        self.slots.put(slot, qubit)

    def begin_trial(self) -> int:
        """Remember what is now; the number is for `take_back`."""
        self.trials += 1
        return len(self._journal)

    def take_back(self, mark: int) -> None:
        """Everything is as it was when the trial began."""
        while len(self._journal) > mark:
            place, before = self._journal.pop()
            if isinstance(place, int):
                self.slots.put(place, before)  # type: ignore[arg-type]
            else:
                self._write(place, before)
        self.trials -= 1

    def new_qubit(self) -> int:
        """The number of a qubit that was not there before."""
        self.qubits += 1
        return self.qubits - 1
