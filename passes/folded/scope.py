"""Where blocks of a function are run, and how a run may end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from qwasmc.ir.program import Value
from qwasmc.ops import Type
from qwasmc.passes.flow import Loop
from qwasmc.passes.folded.plans import FoldedPlan
from qwasmc.passes.folded.record import Record
from qwasmc.passes.folded.values import raw


class Failed(Exception):
    """The program is wrong in the run that got here."""

    def __init__(self, message: str, loc: int) -> None:
        super().__init__(message)
        self.message, self.loc = message, loc


class Halted(Exception):
    """The program has ended."""


@dataclass(slots=True)
class LoopRun:
    """A loop since it was entered."""

    start: int
    """The step in which that was."""
    size: int
    """The size of the record then."""
    visits: int = 1
    forced: bool = False
    """Whether a measurement result has decided whether it goes on."""


@dataclass(slots=True, eq=False)
class Scope:
    """Where blocks of a function are run: values, and the notes that are taken."""

    plan: FoldedPlan
    record: Record
    local: dict[Value, Any]
    outer: Scope | None = None
    """The scope around a piece of the same function."""
    depth: int = 0
    loops: dict[Loop, LoopRun] = field(default_factory=dict)

    def get(self, value: Value) -> Any:
        """A value; one from outside of a piece is an input of it."""
        if value in self.local:
            return self.local[value]
        assert self.outer is not None
        found = self.outer.get(value)
        if value.type is Type.QUBIT:
            self.record.borrowed.setdefault(found, ("value", value))
        else:
            found = self.record.enter(value, raw(found), value.type)
        self.local[value] = found
        return found
