"""What a program in execution has besides registers: qubits, slots, memory, calls and results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from qwasmc.backends.qubits import Qubits
from qwasmc.diagnostics import CompileError, Kind, Locations
from qwasmc.scalars import Scalar

FRESH = 1 << 32
"""The first slot and the first address that a program in execution gets; known ones are lower."""

MAX_ALLOCATION = 1 << 32
"""Most cells allocated at once."""

MAX_REGISTERS = 10_000_000
"""Most registers of all calls that have not returned, which bounds the depth of recursion."""

Registers = list[Any]
Run = Callable[[Registers], None]


@dataclass(slots=True, eq=False)
class Segment:
    """Operations without a jump, and then `end`: where to go on, or None at the program's end."""

    body: tuple[Run, ...] = ()
    end: Callable[[Registers], tuple[Segment, Registers] | None] = lambda registers: None
    steps: int = 0
    loc: int = -1
    """The source position of the jump, or of the last operation that has one."""


FRAME = 16
"""How many registers a call costs beyond its own."""


class Frame(NamedTuple):
    """Where a call returns to: `into` are the registers of its results."""

    segment: Segment
    registers: Registers
    into: tuple[int, ...]


class Label(NamedTuple):
    """A result as an operation records it."""

    name: str
    kind: str


@dataclass(slots=True)
class Machine:
    """The state between two operations."""

    qubits: Qubits
    locations: Locations
    slots: dict[int, int] = field(default_factory=dict)
    """The qubit in each slot that is not empty."""
    spaces: dict[str, dict[int, Scalar]] = field(default_factory=dict)
    stack: list[Frame] = field(default_factory=list)
    registers: int = 0
    """Registers of all calls that have not returned."""
    next_slot: int = FRESH
    next_address: int = FRESH
    labels: list[Label] = field(default_factory=list)
    """Of the operations that record results."""
    recorded: list[int] = field(default_factory=list)
    """Indices into `labels`, in order of execution."""
    values: list[str] = field(default_factory=list)
    """What was recorded, as text."""

    def start(self, seed: int) -> None:
        """Forget everything but the program."""
        self.qubits.start(seed)
        self.slots.clear()
        for cells in self.spaces.values():
            cells.clear()
        self.stack.clear()
        self.recorded.clear()
        self.values.clear()
        self.registers = 0
        self.next_slot = self.next_address = FRESH

    def fault(self, message: str, loc: int, label: str = "") -> CompileError:
        """An error of the program at a source position."""
        return CompileError(self.locations.diagnostic(message, loc, label))

    def limit(self, message: str, loc: int, label: str = "") -> CompileError:
        """A refusal at a source position."""
        diagnostic = self.locations.diagnostic(message, loc, label)
        return CompileError(replace(diagnostic, kind=Kind.LIMIT))

    # -- qubits

    def alloc(self, loc: int) -> int:
        """A new qubit in |0>."""
        if self.qubits.full:
            message = f"more than {self.qubits.limit} qubits at once cannot be simulated"
            raise self.limit(message, loc)
        try:
            return self.qubits.alloc()
        except MemoryError:
            raise self.limit("there is not enough memory for so many qubits", loc) from None

    def fresh_slot(self) -> int:
        """The number of a slot that nothing else uses."""
        self.next_slot += 1
        return self.next_slot - 1

    def extract(self, slot: int, loc: int) -> int:
        """Take the qubit out of a slot."""
        try:
            return self.slots.pop(slot)
        except KeyError:
            raise self.fault(
                f"there is no qubit {slot} here",
                loc,
                "never allocated, freed, or used twice in one operation",
            ) from None

    def insert(self, qubit: int, slot: int, loc: int) -> None:
        """Put a qubit into an empty slot."""
        if slot in self.slots:
            raise self.fault(f"there is a qubit {slot} already", loc)
        self.slots[slot] = qubit

    # -- classical memory

    def allocate(self, count: int, loc: int) -> int:
        """The first of so many fresh addresses, with a gap behind them."""
        if not 0 <= count <= MAX_ALLOCATION:
            raise self.fault(f"{count} cells of memory cannot be allocated", loc)
        first = self.next_address
        self.next_address += count + 1
        return first

    # -- calls

    def enter(self, frame: Frame, size: int, loc: int) -> None:
        """Begin a call that needs so many registers."""
        self.registers += size + FRAME
        if self.registers > MAX_REGISTERS:
            raise self.limit("calls are nested too deeply", loc)
        self.stack.append(frame)

    # -- results

    def record(self, label: int, value: str) -> None:
        """A result of the program."""
        self.recorded.append(label)
        self.values.append(value)
