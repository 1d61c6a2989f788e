"""Segments written out: what `uncompute` stands for, row by row, and where it cannot be done.

    rev_begin {name = "s"}
    cx c, a; ccx a, b, s; cx c, a       a is temporary, s is scratch
    rev_end {name = "s"}           =>   the rows as they stand,
    cz s, r                             the act,
    uncompute {name = "s"}              cx c, a; ccx a, b, s; cx c, a

What is undone are the rows that write scratch qubits, and those on temporary qubits, which the
segment returns to their values: in reverse order, each by itself, for operations that permute basis
states are (as far as there are any in the op table) their own inverses.  That is right if each of
these rows finds the values that it found the first time, which value numbers tell.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from qwasmc.diagnostics import CompileError
from qwasmc.ir.circuit import MAX_FIXED
from qwasmc.ops import MARKERS, OPS
from qwasmc.passes.reversible.faults import Faults
from qwasmc.passes.reversible.history import NEVER, History
from qwasmc.passes.reversible.numbers import LANES, Numbering
from qwasmc.passes.reversible.region import Region
from qwasmc.passes.reversible.sheet import Sheet
from qwasmc.passes.reversible.undoing import Writes, loses, needed, spoilt, writes

MAX_ROWS = 10_000_000
"""Rows with those that undo; segments in segments can make very many."""


class Segment(NamedTuple):
    """A segment, by positions among the rows written so far."""

    name: str
    begin: int
    end: int
    listed: tuple[int, ...]
    """Its scratch wires, if the program names them."""
    row: int
    """Its `rev_begin`."""
    stop: int
    """Its `rev_end`."""
    controls: tuple[tuple[int, int], ...]
    """The control regions that it is in."""
    values: NDArray[np.uint64]
    """The numbers of the listed wires where it begins."""


class Undone(NamedTuple):
    """A segment with what comes up to where it is undone."""

    segment: Segment
    row: int
    """Its `uncompute`."""
    scratch: tuple[int, ...]
    end: int
    """Position behind the last row that undoes it."""


@dataclass(slots=True)
class Expansion:
    """The rows of a circuit with segments written out."""

    rows: list[int] = field(default_factory=list)
    """Numbers of rows of the circuit."""
    exempt: list[bool] = field(default_factory=list)
    """Whether a row is undone in the control region that it is in, or undoes one."""
    undone: list[Undone] = field(default_factory=list)
    scratch: dict[int, None] = field(default_factory=dict)
    """The scratch wires of all segments that are in |0> before, in order."""


Rewrite = Callable[[Region, CompileError | None], Sequence[int] | None]
"""Writes a region anew, if that is wanted or needed because of an error, and adds its rows to the
sheet; their numbers."""


def expand(sheet: Sheet, rewrite: Rewrite) -> Expansion:
    """The rows of a circuit in which `uncompute` is written out; raises where it cannot be."""
    return _Expander(sheet, rewrite).run()


class _Expander:
    def __init__(self, sheet: Sheet, rewrite: Rewrite) -> None:
        self.sheet = sheet
        self.rewrite = rewrite
        self.faults = Faults(sheet.wired)
        self.out = Expansion()
        self.numbering = Numbering(sheet.wired)
        self.numbered = 0
        """Positions that have numbers."""
        self.before = np.zeros((0, MAX_FIXED, LANES), dtype=np.uint64)
        self.after = self.before.copy()
        self.row = 0
        """The row of the circuit that is at hand."""
        self.markers: list[int] = []
        """Rows of markers so far."""
        self.causes: list[int] = []
        """By position, the row of the circuit that is there or stands for what is there."""
        self.history = History(sheet)
        self.open: list[Segment] = []
        self.complete: dict[str, Segment] = {}
        self.controls: list[tuple[int, int]] = []
        """Row and position where each open control region begins."""

    def run(self) -> Expansion:
        for row in range(len(self.sheet)):
            self.row = row
            name = self.sheet.name(row)
            if name in MARKERS:
                self.markers.append(row)
                self.mark(row, name)
            else:
                self.append(row)
                self.history.learn(row)
        if self.controls:
            raise self.faults.at(self.controls[-1][0], "this control region has no end")
        if self.open:
            raise self.faults.at(self.open[-1].row, "this segment has no end")
        return self.out

    # -- rows

    def append(self, row: int, exempt: bool = False) -> None:
        """Write a row."""
        self.out.rows.append(row)
        self.causes.append(self.row)
        self.out.exempt.append(exempt)

    def number(self) -> None:
        """Bring the numbers up to the last row."""
        rows = np.array(self.out.rows[self.numbered :], dtype=np.intp)
        found = self.numbering.run(rows)
        start, self.numbered = self.numbered, len(self.out.rows)
        self.grow()
        self.before[start : self.numbered] = found.before
        self.after[start : self.numbered] = found.after

    def grow(self) -> None:
        """Make room for the numbers of all positions; twice as much, to copy seldom."""
        if self.numbered > len(self.before):
            room = np.zeros((self.numbered, MAX_FIXED, LANES), dtype=np.uint64)
            self.before = np.concatenate([self.before, room])
            self.after = np.concatenate([self.after, room])

    # -- markers

    def mark(self, row: int, name: str) -> None:
        """A marker."""
        at = len(self.out.rows)
        if name == "ctrl_begin":
            self.controls.append((row, at))
            self.append(row)
        elif name == "ctrl_end":
            self.end_control(row)
        elif name == "rev_begin":
            listed = tuple(self.sheet.wires(row))
            if listed:
                self.number()
            values = self.numbering.wire[list(listed)]
            label = self.faults.name(row)
            self.open.append(Segment(label, at, at, listed, row, row, tuple(self.controls), values))
        elif name == "rev_end":
            self.end_segment(row)
        else:
            self.undo(row)

    def end_control(self, row: int) -> None:
        """The end of a control region."""
        if not self.controls:
            raise self.faults.at(row, "there is no control region to end")
        if self.open and len(self.open[-1].controls) >= len(self.controls):
            raise self.faults.at(
                self.open[-1].row, f"segment '{self.open[-1].name}' reaches out of a control region"
            )
        _, start = self.controls.pop()
        self.append(row)
        self.number()
        inside = zip(self.out.rows[start:], self.out.exempt[start:], strict=True)
        written = [self.sheet.written(each) for each, exempt in inside if not exempt]
        self.numbering.renew(dict.fromkeys(chain.from_iterable(written)))

    def end_segment(self, row: int) -> None:
        """The end of a segment."""
        if not self.open or self.open[-1].name != self.faults.name(row):
            raise self.faults.at(row, "this does not end the innermost segment")
        segment = self.open.pop()
        if segment.controls != tuple(self.controls):
            raise self.faults.at(row, f"segment '{segment.name}' reaches out of a control region")
        self.complete[segment.name] = segment._replace(end=len(self.out.rows), stop=row)

    def undo(self, row: int) -> None:
        """Write out an `uncompute`."""
        segment = self.to_undo(row)
        self.number()
        scratch = self.scratch(segment, row)
        written = writes(self.sheet, self.out.rows, segment.begin, segment.end)
        self.check_act(segment, row, scratch, written)
        region = self.region(segment, row, scratch)
        fault = self.mirror(segment, row, self.restored(segment, scratch, written))
        rewritten = None
        if region and not (fault and loses(self.sheet, self.out.rows[segment.begin :])):
            rewritten = self.rewrite(region, fault)
        if rewritten is not None:
            for wire in scratch:
                if wire in written.first:
                    self.numbering.wire[wire] = self.before[written.first[wire]]
            self.replace(segment, rewritten)
        elif fault:
            raise fault
        for wire in scratch:
            if self.history.was_zero(wire, segment.row):
                self.history.zero_again(wire)
                self.out.scratch[wire] = None
        self.out.undone.append(Undone(segment, row, scratch, len(self.out.rows)))

    def to_undo(self, row: int) -> Segment:
        """The segment that an `uncompute` means."""
        name = self.faults.name(row)
        segment = self.complete.pop(name, None)
        if segment is None:
            raise self.faults.at(
                row,
                f"there is no segment '{name}' to undo",
                help="it must be complete, and can be undone once",
            )
        if segment.controls != tuple(self.controls):
            raise self.faults.at(row, f"segment '{name}' is not in the same control region")
        inside = self.out.rows[segment.begin : segment.end]
        if any(self.sheet.name(each) in MARKERS for each in inside):
            raise self.faults.at(
                segment.row,
                f"segment '{name}' has a control region in it",
                help="control the segment's action instead, or write the controls out",
            )
        return segment

    def region(self, segment: Segment, row: int, scratch: tuple[int, ...]) -> Region | None:
        """A segment with its act, if it may be written anew: if nothing is woven into it."""
        plain = bisect_left(self.markers, row) - bisect_left(self.markers, segment.row) == 2
        clean = all(self.history.was_zero(wire, segment.row) for wire in scratch)
        if self.open or self.controls or not plain or not clean:
            return None
        ancillas = self.ancillas(segment.begin, len(self.out.rows))
        every = (*scratch, *(wire for wire in ancillas if wire not in scratch))
        return Region(segment.name, segment.row, segment.stop, row, every, ancillas)

    def ancillas(self, start: int, end: int) -> tuple[int, ...]:
        """Ancillas of the compiler that are allocated and freed in |0> between two positions."""
        made: dict[int, bool] = {}
        for at in range(start, end):
            row = self.out.rows[at]
            if row >= len(self.sheet.wired):
                continue  # in a region that was written anew
            name = self.sheet.name(row)
            if name == "alloc" and not self.faults.name(row):
                made[int(self.sheet.wired.made[row])] = False
            elif name == "free" and self.sheet.wires(row)[0] in made:
                made[self.sheet.wires(row)[0]] = not self.before[at, 0].any()
        return tuple(wire for wire, zero in made.items() if zero)

    def mirror(self, segment: Segment, row: int, restored: set[int]) -> CompileError | None:
        """Append the rows that undo a segment; why they do not, if so (then they are gone)."""
        computed = [
            at
            for at in range(segment.begin, segment.end)
            if any(wire in restored for wire in self.sheet.written(self.out.rows[at]))
        ]
        if len(self.out.rows) + len(computed) > MAX_ROWS:
            raise self.faults.too_long(row, MAX_ROWS)
        for at in computed:
            if fault := self.obstacle(segment, row, self.out.rows[at], restored):
                return fault
        start, held = len(self.out.rows), sorted(restored)
        numbers = self.numbering.wire[held]
        for at in reversed(computed):
            self.append(self.out.rows[at], exempt=True)
        self.number()
        first = np.array(computed[::-1], dtype=np.intp)
        equal = (self.before[start : self.numbered] == self.after[first]).all(axis=(1, 2))
        wrong = np.flatnonzero(~equal)
        if not len(wrong):
            for at in computed:
                self.out.exempt[at] = True
            return None
        self.cut(start)
        self.numbering.wire[held] = numbers
        at, undo = int(first[wrong[0]]), start + int(wrong[0])
        slots = (self.before[undo] != self.after[at]).any(axis=1)
        wire = self.sheet.wires(self.out.rows[at])[int(np.flatnonzero(slots)[0])]
        return self.overwritten(segment, row, at, wire)

    def cut(self, start: int) -> None:
        """Take back the rows from a position on."""
        del self.out.rows[start:]
        del self.causes[start:]
        del self.out.exempt[start:]
        self.numbered = min(self.numbered, start)

    def replace(self, segment: Segment, rows: Sequence[int]) -> None:
        """Put other rows in place of a segment, its act, and what undoes it."""
        self.cut(segment.begin)
        self.out.rows += rows
        self.causes += [self.row] * len(rows)
        self.out.exempt += [False] * len(rows)
        self.numbered = len(self.out.rows)  # nothing asks for the numbers of these
        self.grow()

    # -- the wires of a segment

    def check_act(
        self, segment: Segment, row: int, scratch: tuple[int, ...], written: Writes
    ) -> None:
        """Refuse a scratch wire that does not hold what its segment left."""
        left = dict(zip(segment.listed, segment.values, strict=True))
        last = written.last
        left.update((wire, self.after[last[wire]]) for wire in scratch if wire in last)
        for wire, number in left.items():
            if (self.numbering.wire[wire] != number).any():
                change = self.last_write(wire)
                raise self.faults.changed(change, segment.name, wire, row)

    def scratch(self, segment: Segment, row: int) -> tuple[int, ...]:
        """The scratch wires of a segment, in order; raises if they cannot be restored."""
        found = dict.fromkeys(segment.listed)
        if not segment.listed:
            # Gates with many controls have ancillas of their own.
            own = set(self.ancillas(segment.begin, segment.end))
            for at in range(segment.begin, segment.end):
                for wire in self.sheet.written(self.out.rows[at]):
                    if wire not in own and self.history.was_zero(wire, segment.row):
                        found[wire] = None
        if not found:
            raise self.faults.no_scratch(segment.row, segment.name)
        place, wire = min((self.history.hazard(wire, segment.row), wire) for wire in found)
        if place < NEVER:
            self.refuse(segment, place, row, wire)
        return tuple(found)

    def refuse(self, segment: Segment, place: int, row: int, wire: int) -> NoReturn:
        """Raise what a hazard for a scratch wire is."""
        spec = OPS[self.sheet.op[place]]
        if spec.ends_qubit or spec.makes_bit or spec.name == "reset":
            raise self.faults.ended(place, segment.name, wire, row)
        raise self.faults.superposes(place, segment.name, wire, place < segment.stop)

    def restored(self, segment: Segment, scratch: tuple[int, ...], written: Writes) -> set[int]:
        """The wires that are to be undone: scratch, and what returns to the value it had."""
        some = slice(segment.begin, segment.end)
        rows = self.out.rows[some]
        others = written.first.keys() - spoilt(self.sheet, rows, self.out.exempt[some])
        temporary = {
            wire
            for wire in others - set(scratch)
            if (self.before[written.first[wire]] == self.after[written.last[wire]]).all()
        }
        return needed(self.sheet, rows, scratch, temporary)

    def obstacle(
        self, segment: Segment, row: int, source: int, restored: set[int]
    ) -> CompileError | None:
        """Why a row that computes something cannot be undone, whatever its qubits hold."""
        for wire in self.sheet.wires(source):
            end = self.history.end(wire)
            if end is not None:
                return self.faults.overwritten(source, segment.name, wire, end, row)
        others = [wire for wire in self.sheet.written(source) if wire not in restored]
        return self.faults.moved(source, segment.name, others[0]) if others else None

    def last_write(self, wire: int, start: int = 0) -> int:
        """The row of the circuit that is the last to write a wire, from a position on."""
        at = len(self.out.rows) - 1
        while at > start and wire not in self.sheet.written(self.out.rows[at]):
            at -= 1
        cause = self.causes[at]
        if self.out.rows[at] >= len(self.sheet.wired):  # in a region that was written anew
            cause = next(row for row in range(cause - 1, -1, -1) if wire in self.sheet.written(row))
        return cause

    def overwritten(self, segment: Segment, row: int, at: int, wire: int) -> CompileError:
        """The error that a wire has another value than where a row wrote scratch."""
        change = self.last_write(wire, at)
        return self.faults.overwritten(self.causes[at], segment.name, wire, change, row)
