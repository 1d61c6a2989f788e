"""What has happened to wires: when they were in |0>, and what ends or superposes them."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from qwasmc.ops import CODE, OPS
from qwasmc.passes.reversible.numbers import PERMUTES
from qwasmc.passes.reversible.sheet import Sheet

ALLOC, RESET = CODE["alloc"], CODE["reset"]

NEVER = 1 << 31
"""A row behind all rows."""


@dataclass(slots=True)
class Span:
    """A time in which a wire is certainly in |0>, by rows of the circuit."""

    start: int
    """Its `alloc` or `reset`."""
    end: int
    """The row that writes it."""


class History:
    """Learns the rows of a circuit in order.

    Those that undo a segment in between change nothing but what `zero_again` says.
    """

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.spans: dict[int, list[Span]] = {}
        self.hazards: dict[int, list[int]] = {}
        """By wire, the rows that end it, measure it, or make superpositions of it."""

    def learn(self, row: int) -> None:
        """Learn the next row."""
        code, wired = self.sheet.op[row], self.sheet.wired
        if code == ALLOC:
            self.spans[int(wired.made[row])] = [Span(row, NEVER)]
            return
        written = self.sheet.written(row)
        for wire in written:
            if wire in self.spans:
                span = self.spans[wire][-1]
                span.end = min(span.end, row)
        if PERMUTES[code]:
            return
        ends = OPS[code].ends_qubit or OPS[code].makes_bit
        for wire in self.sheet.wires(row) if ends else written:
            self.hazards.setdefault(wire, []).append(row)
        if code == RESET and wired.cond[row] < 0:
            self.spans.setdefault(written[0], []).append(Span(row, NEVER))

    def was_zero(self, wire: int, row: int) -> bool:
        """Whether a wire is certainly in |0> at a row of the circuit, or allocated behind it."""
        for span in reversed(self.spans.get(wire, [])):
            if span.start < row or self.sheet.op[span.start] == ALLOC:
                return span.end > row
        return False

    def zero_again(self, wire: int) -> None:
        """A wire is in |0> since the last time that it was put there, whatever came between."""
        self.spans[wire][-1].end = NEVER

    def hazard(self, wire: int, start: int) -> int:
        """The first row behind `start` that ends a wire or takes it out of basis states."""
        rows = self.hazards.get(wire, [])
        at = bisect_left(rows, start)
        return rows[at] if at < len(rows) else NEVER

    def end(self, wire: int) -> int | None:
        """The row that ends a wire, if it has ended."""
        rows = self.hazards.get(wire)
        return rows[-1] if rows and OPS[self.sheet.op[rows[-1]]].ends_qubit else None
