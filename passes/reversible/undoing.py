"""What of a segment is to be undone, by rows of a sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from qwasmc.ops import CODE
from qwasmc.passes.reversible.numbers import PERMUTES
from qwasmc.passes.reversible.sheet import Sheet

WITH_PHASE = (CODE["y"], CODE["cy"])
"""Operations whose phase is undone with the scratch that they write, and stays otherwise."""

Place = tuple[int, int]
"""A position and an operand."""


class Writes(NamedTuple):
    """By wire that a segment writes, where it does so first, and last."""

    first: dict[int, Place]
    last: dict[int, Place]


def writes(sheet: Sheet, rows: Sequence[int], begin: int, end: int) -> Writes:
    """The writes of a segment that takes some positions of `rows`."""
    first: dict[int, Place] = {}
    last: dict[int, Place] = {}
    for at in range(begin, end):
        for wire in sheet.written(rows[at]):
            last[wire] = at, sheet.wires(rows[at]).index(wire)
            first.setdefault(wire, last[wire])
    return Writes(first, last)


def spoilt(sheet: Sheet, rows: Sequence[int], undone: Sequence[bool]) -> set[int]:
    """The wires that rows of a segment write in a way that repeating them does not undo.

    Rows that are `undone` in the segment itself take their phases with them.
    """
    found: set[int] = set()
    for row, inside in zip(rows, undone, strict=True):
        code = sheet.op[row]
        if not PERMUTES[code] or (code in WITH_PHASE and not inside):
            found.update(sheet.written(row))
    return found


def needed(
    sheet: Sheet, rows: Sequence[int], scratch: Sequence[int], temporary: set[int]
) -> set[int]:
    """The scratch wires of a segment, and the temporary ones that they are computed from."""
    sources: dict[int, set[int]] = {}
    for row in rows:
        for wire in sheet.written(row):
            sources.setdefault(wire, set()).update(sheet.wires(row))
    found, waiting = set(scratch), list(scratch)
    while waiting:
        new = (sources.get(waiting.pop(), set()) & temporary) - found
        found |= new
        waiting += new
    return found


def loses(sheet: Sheet, rows: Sequence[int]) -> bool:
    """Whether a segment or its act superposes something that scratch may have to be undone with.

    Then no other order is right: scratch would be undone before, where the program has it still.
    """
    used: set[int] = set()
    for row in rows:
        if PERMUTES[sheet.op[row]]:
            used.update(sheet.wires(row))
        elif not used.isdisjoint(sheet.written(row)):
            return True
    return False
