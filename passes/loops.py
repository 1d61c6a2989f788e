"""What is known about a loop while it is run, and whether an iteration got it any further."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qwasmc.ir.program import Op
from qwasmc.ops import Type
from qwasmc.passes.cells import Cells
from qwasmc.passes.predicates import Predicate
from qwasmc.passes.symbolic import Choice, Symbol, Symbols, same


@dataclass(slots=True)
class State:
    """What the runs that arrive at a block have: its arguments, memory, values of other blocks."""

    args: list[Any]
    memory: Cells
    shared: Cells

    def copy(self) -> State:
        """The same, whatever becomes of this one."""
        return State(list(self.args), self.memory.copy(), self.shared.copy())


@dataclass(slots=True)
class LoopRun:
    """A loop being run, since it was entered."""

    predicate: Predicate
    state: State
    """At the latest arrival at its head."""
    visits: int = 1
    """Arrivals at its head."""
    dependent: int = 0
    """How many of these were decided by measurement results."""
    exit: Op | None = None
    """The latest branch on a measurement result that may leave the loop."""
    ends_late: bool = False
    """Whether that comes after all that an iteration does to qubits."""
    report: int = -1
    """The number of the result that says which runs did not finish the loop."""


def makes_progress(
    symbols: Symbols, args: Sequence[Type], shared: Sequence[Type], before: State, after: State
) -> bool:
    """Whether something known about two arrivals at the head of a loop differs.

    `args` and `shared` are the types of what the states hold.  Values that depend on results, and
    which qubits are in use, do not count.
    """

    def differ(type: Type, a: Symbol, b: Symbol) -> bool:
        return not same(a, b) and _shape(symbols, type, a) != _shape(symbols, type, b)

    arguments = zip(args, before.args, after.args, strict=True)
    if any(differ(type, a, b) for type, a, b in arguments):
        return True
    values = before.shared.differences(after.shared)
    if any(differ(shared[number], a, b) for number, a, b in values):
        return True
    return any(
        a is None or b is None or a[0] is not b[0] or differ(a[0], a[1], b[1])
        for _, a, b in before.memory.differences(after.memory)
    )


def _shape(symbols: Symbols, type: Type, symbol: Symbol) -> object:
    """What is known of a value, as something that can be compared."""
    if type in (Type.I1, Type.I64):
        symbol = symbols.settle(symbol)[0]
    if type is Type.QUBIT:
        return None
    if isinstance(symbol, tuple):
        return tuple(bit if bit < 2 else None for bit in symbol)
    if type is Type.I1 and isinstance(symbol, int) and symbol > 1:
        return None
    if isinstance(symbol, Choice):
        return tuple(value for _, value in symbol.items)
    return symbol if isinstance(symbol, int | float) else None
