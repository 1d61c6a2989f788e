"""Where a piece stands: the notes of the piece around it, and how outside values are found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from qwasmc.ops import Type
from qwasmc.passes.folded.record import Record
from qwasmc.passes.folded.summary import Change, Key, Origin, Summary
from qwasmc.passes.folded.values import Raw, Val, raw


@dataclass(frozen=True, slots=True)
class Site:
    """`find` tells what an argument or a value from outside is: a value, or a qubit's number."""

    record: Record
    find: Callable[[Any], Any]

    def now(self, key: Key) -> Raw | None:
        """What an input is, None if nothing."""
        if isinstance(key, tuple):
            return self.record.world.cells.get(key)
        return raw(self.find(key))

    def inputs(self, summary: Summary) -> list[Val]:
        """The inputs of a piece that is to be replayed."""
        return self.record.inputs(summary, self.find, None)

    def replay(self, summary: Summary, times: int = 1) -> list[Any]:
        """Do what a piece does; what it hands on."""
        return self.record.compose(summary, self.inputs(summary), self._wire, times=times)

    def _wire(self, origin: Origin) -> int:
        found: int = self.find(origin[1])
        return found

    def take(
        self,
        piece: Record,
        summary: Summary,
        changes: Sequence[Change],
        results: Sequence[Any],
        types: Sequence[Type],
    ) -> list[Any]:
        """Take over the notes of a piece that has just run; what it hands on."""
        inputs = self.record.inputs(summary, self.find, piece.raws)
        values = self.record.compose(summary, inputs, self._wire, changes)
        return [
            result if type is Type.QUBIT else value
            for value, result, type in zip(values, results, types, strict=True)
        ]
