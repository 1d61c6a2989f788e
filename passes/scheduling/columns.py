"""A script: tasks, and the surgery rows they will become, as columns that grow row by row."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]


def ints(*values: int) -> array[int]:
    """32-bit integers."""
    return array("i", values)


def small(*values: int) -> array[int]:
    """8-bit integers."""
    return array("B", values)


@dataclass(slots=True)
class Columns:
    """Rows of a Surgery without slabs and tiles; those of a task are filled in later.

    There are millions of them: most read no bits, and neighbours have one source position.
    """

    kind: array[int] = field(default_factory=small)
    aux: array[int] = field(default_factory=ints)
    reader: array[int] = field(default_factory=ints)
    """The rows that read bits."""
    stop: array[int] = field(default_factory=ints)
    """By reader: where its bits end in `pool`, and those of the next one begin."""
    pool: array[int] = field(default_factory=ints)
    turn: array[int] = field(default_factory=ints)
    """The rows from which on there is another source position."""
    loc: array[int] = field(default_factory=ints)
    """By turn: that position."""
    names: list[str] = field(default_factory=list)

    def add(self, kind: int, aux: int = 0, bits: Sequence[int] = ()) -> int:
        """Append a row and return its number."""
        row = len(self.kind)
        self.kind.append(kind)
        self.aux.append(aux)
        if bits:
            self.pool.extend(bits)
            self.reader.append(row)
            self.stop.append(len(self.pool))
        return row

    def block(self, kind: array[int], aux: array[int]) -> int:
        """Append rows that read no bits and return the number of the first one."""
        row = len(self.kind)
        self.kind += kind
        self.aux += aux
        return row

    def read(self, row: int, bits: Sequence[int]) -> None:
        """Let a row after the last reader read bits."""
        self.pool.extend(bits)
        self.reader.append(row)
        self.stop.append(len(self.pool))

    def at(self, loc: int) -> None:
        """Give rows from here on a source position."""
        self.turn.append(len(self.kind))
        self.loc.append(loc)

    def name(self, text: str) -> int:
        """The index of a new entry in the name table."""
        self.names.append(text)
        return len(self.names) - 1

    def loc_of(self, row: int) -> int:
        """The source position of a row."""
        return self.loc[bisect_right(self.turn, row) - 1]

    def locations(self) -> Ints:
        """(rows,) source positions."""
        ends = np.append(np.array(self.turn, np.int32), len(self.kind))
        return np.repeat(np.array(self.loc, np.int32), np.diff(ends))

    def slices(self) -> tuple[NDArray[np.int64], Ints]:
        """(rows,) where in `pool` the bits of each row begin, and how many there are."""
        begin = np.zeros(len(self.kind), np.int64)
        length = np.zeros(len(self.kind), np.int32)
        stop = np.array(self.stop, np.int32)
        count = np.diff(stop, prepend=np.int32(0))
        begin[self.reader], length[self.reader] = stop - count, count
        return begin, length


@dataclass(slots=True)
class Script:
    """Tasks as columns (see `tasks.Tasks`), and the rows that they will become.

    The rows of a task follow each other from `row` on:

        APPEAR    prepare or input
        MEASURE   measure
        PRODUCT   join
        CONTROL   prepare, join, join, measure, xor, xor: the frames of the two patches, so far
                  without the corrections
        TURN      prepare, join, measure
        MAGIC     a production, then prepare, join, join, measure; its adapt row is a `further` one
        IDLE      none, or a `further` wait row
    """

    rows: Columns = field(default_factory=Columns)
    act: array[int] = field(default_factory=small)
    start: array[int] = field(default_factory=lambda: ints(0))
    patch: array[int] = field(default_factory=ints)
    letter: array[int] = field(default_factory=small)
    life: array[int] = field(default_factory=ints)
    """By (task, patch) pair: which of the qubits that stand on its home in turn."""
    row: array[int] = field(default_factory=ints)
    further: array[int] = field(default_factory=ints)
    """By task: a row of its own that stands elsewhere, -1 for none."""
    label_rows: dict[int, int] = field(default_factory=dict)
    """Life -> the CONST row that is 1 if its patch is born with X and Z exchanged."""
    fixed: list[int] = field(default_factory=list)
    """Lives that are not born here: inputs, which are never exchanged."""
    outputs: list[tuple[int, int, int]] = field(default_factory=list)
    """Rows of OUTPUT, each with its home and life."""
    requirements: list[tuple[str, int, int]] = field(default_factory=list)
    """Texts of `require` rows, each with the number of tasks before it and its location."""
    n_lives: int = 0
    n_homes: int = 0
