"""A qubit budget: which segments are written anew, and in how many ancillas.

A segment keeps all of its values from where it computes them to where it is undone.  Where more
qubits are live at once than may be, those of segments that are live there get less room: their
values are computed again (`passes.pebbling`).  What else is live there sets how much that is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.diagnostics import CompileError, Kind, error
from qwasmc.ir.wires import ENDS_QUBIT, MAKES_QUBIT, Wired
from qwasmc.ops import CODE
from qwasmc.passes.pebbling.game import Impossible, Plan
from qwasmc.passes.pebbling.plans import fewest, play
from qwasmc.passes.reversible.faults import Faults
from qwasmc.passes.reversible.homes import Lives, lives_of
from qwasmc.passes.reversible.network import Refused, network
from qwasmc.passes.reversible.nodes import Network
from qwasmc.passes.reversible.region import Region
from qwasmc.passes.reversible.rewrite import rewrite
from qwasmc.passes.reversible.segments import Expansion
from qwasmc.passes.reversible.sheet import Sheet

planned = lru_cache(maxsize=1024)(play)
"""Plans of games; the copies of a loop's body or of a function are planned once."""


class Room(NamedTuple):
    """What a segment's ancillas share the machine with."""

    others: int
    """The most other qubits that are live while it is."""
    own: int
    """The most ancillas of its own."""


class Rewriter:
    """Writes regions anew: those with a room, those that have no other order, and those with fewer
    products than Toffolis."""

    def __init__(self, sheet: Sheet, measured: bool, rooms: Mapping[int, int]) -> None:
        self.sheet = sheet
        self.measured = measured
        self.rooms = rooms
        """By the row of its `uncompute`, the ancillas that a region may have."""
        self.regions: dict[int, Region] = {}
        """Those that may be written anew, likewise."""
        self.stuck = False
        """Whether a region did not fit into its room."""

    def __call__(self, region: Region, fault: CompileError | None) -> Sequence[int] | None:
        """The rows of a region in another order, if it needs that; raises if there is none."""
        self.regions[region.undo] = region
        room = self.rooms.get(region.undo)
        needed = fault is not None or room is not None
        mirrored = 0 if needed else self._mirrored_cost(region)
        if not needed and not mirrored:
            return None
        try:
            values = network(self.sheet.wired, region)
        except Refused as refused:
            if fault is None:
                return None  # it stays as it is
            raise _noted(fault, f"nor is there another order: {refused}") from refused
        try:
            plan = self._plan(values, room)
        except Impossible as impossible:
            if fault is None:
                return None  # it stays as it is
            raise self._cyclic(region, fault) from impossible
        if not needed and (plan.cost >= mirrored or plan.room > len(region.scratch)):
            return None
        builder = self.sheet.builder()
        rewrite(values, plan.steps, builder, self.measured)
        return self.sheet.add(builder)

    def _mirrored_cost(self, region: Region) -> int:
        """T gates of the Toffolis that compute a region, and undo it; 0 if all could be needed.

        One onto |0> takes 4 T and any other 7; if they are not measured away, 8 T in pairs.
        """
        wired, rows = self.sheet.wired, slice(region.begin, region.end)
        targets = wired.operands[rows][wired.op[rows] == CODE["ccx"], 2]
        targets = targets[np.isin(targets, region.scratch)]
        wires = len(np.unique(targets))
        if wires == len(targets):
            return 0
        return 4 * wires + 7 * (len(targets) - wires) if self.measured else 8 * len(targets)

    def _plan(self, values: Network, room: int | None) -> Plan:
        """A plan for a region, in its room if that can be."""
        game = values.game(self.measured)
        try:
            return planned(game, room)
        except Impossible as impossible:
            if impossible.fewest is None:
                raise
            self.stuck = True
            return planned(game, None)

    def least(self, spaces: Mapping[int, Room]) -> int:
        """The fewest qubits that all segments can do with."""
        found = 0
        for row, space in spaces.items():
            own = space.own
            with suppress(Refused, Impossible, KeyError):
                values = network(self.sheet.wired, self.regions[row])
                own = min(own, fewest(values.game(self.measured)))
            found = max(found, space.others + own)
        return found

    def _cyclic(self, region: Region, fault: CompileError) -> CompileError:
        """The error that a value is needed to undo itself."""
        cycle = Faults(self.sheet.wired).at(
            region.undo,
            f"segment '{region.name}' cannot be undone: no order of its operations works",
            label="a value is needed to undo itself",
            help="copy the qubit that is overwritten by a CNOT before, and use the copy",
        )
        return _noted(cycle, fault.diagnostics[0].message)


def _noted(fault: CompileError, note: str) -> CompileError:
    """An error with one more note."""
    found = fault.diagnostics[0]
    return CompileError(replace(found, notes=(*found.notes, note)))


def rooms(sheet: Sheet, found: Expansion) -> tuple[dict[int, Room], int]:
    """By the row of its `uncompute`, the room of each segment; and the most qubits live outside."""
    wired = sheet.take(found.rows)
    lives = lives_of(wired, found.scratch)
    live = _profile(wired, lives)
    outside = live.copy()
    by_room: dict[int, Room] = {}
    columns = (lives.wire, lives.first, lives.last)
    wires, first, last = (np.array(column, dtype=np.intp) for column in columns)
    for undone in found.undone:
        start, end = undone.segment.begin, undone.end
        if start == end:
            continue
        inside = np.flatnonzero((first >= start) & (last < end) & np.isin(wires, undone.scratch))
        own = np.zeros(end - start + 1, dtype=np.int64)
        np.add.at(own, first[inside] - start, 1)
        np.add.at(own, last[inside] - start + 1, -1)
        own = np.cumsum(own[:-1]) + _unnamed(wired, start, end)
        by_room[undone.row] = Room(int((live[start:end] - own).max()), int(own.max()))
        outside[start:end] = 0
    return by_room, int(outside.max(initial=0))


def _profile(wired: Wired, lives: Lives) -> NDArray[np.int64]:
    """By row, how many qubits are live when it is done, with ancillas for scratch."""
    change = np.zeros(len(wired) + 1, dtype=np.int64)
    counted = np.ones(wired.n_wires, dtype=np.bool_)
    counted[lives.idle] = False
    makes = np.flatnonzero(MAKES_QUBIT[wired.op])
    ends = np.flatnonzero(ENDS_QUBIT[wired.op])
    change[makes] += counted[wired.made[makes]]
    np.add.at(change, ends + 1, -counted[wired.operands[ends, 0]].astype(np.int64))
    np.add.at(change, np.array(lives.first, dtype=np.intp), 1)
    np.add.at(change, np.array(lives.last, dtype=np.intp) + 1, -1)
    return np.cumsum(change[:-1])


def _unnamed(wired: Wired, start: int, end: int) -> NDArray[np.int64]:
    """By row, how many ancillas are live that are allocated and freed in some rows."""
    op, made, taken = (column[start:end] for column in (wired.op, wired.made, wired.operands[:, 0]))
    nameless = np.array([not name for name in wired.names] or [False])
    makes = MAKES_QUBIT[op] & nameless[np.where(MAKES_QUBIT[op], wired.attr[start:end], 0)]
    ends = ENDS_QUBIT[op] & np.isin(taken, made[makes])
    makes &= np.isin(made, taken[ends])
    change = np.zeros(end - start + 1, dtype=np.int64)
    change[:-1] += makes
    change[1:] -= ends
    return np.cumsum(change[:-1])


def too_few(budget: int, least: int) -> CompileError:
    """The error that a program needs more qubits than it may have."""
    return error(
        f"the program needs more than {budget} qubits",
        kind=Kind.LIMIT,
        help=f"the least here is --max-qubits {least}",
    )
