"""Control regions: what stands in one happens only where its qubits are |1>.

    ctrl_begin a, b                 p = alloc; ccx a, b, p
    cx x, y                         cx x, y
    rz y {angle = 0.3}         =>   crz p, y {angle = 0.3}
    cx x, y                         cx x, y
    x z                             cx p, z
    ctrl_end                        ccx a, b, p; free p

Rows that cancel where the others are left out need no control: those of segments that are undone in
the region, and of conjugations that are written out.  Where more than one row needs several
controls, their conjunction is computed first, by Toffolis onto |0>, and undone at the end of the
region.  Regions may be nested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import cast

import numpy as np
from numpy.typing import NDArray

from qwasmc.controlled import BASE, Angle, controlled
from qwasmc.ir.wires import WireBuilder, Wired
from qwasmc.kernel import kernel
from qwasmc.ops import BY_NAME, CODE, OPS, Effect
from qwasmc.passes.reversible.actions import Gates, count_of, gates_of, leg_of
from qwasmc.passes.reversible.conjugation import conjugations
from qwasmc.passes.reversible.faults import Faults
from qwasmc.passes.reversible.numbers import Numbering
from qwasmc.passes.toffolis.legs import Z

BEGIN, END = CODE["ctrl_begin"], CODE["ctrl_end"]

GATE = np.array([spec.is_gate for spec in OPS])
COLLAPSES = np.array([spec.name == "reset" or (spec.makes_bit and spec.qubits) for spec in OPS])
"""By op code: whether it measures or resets."""

PLAIN = np.array([spec.effect is Effect.PERMUTES and spec.name not in ("y", "cy") for spec in OPS])
"""By op code: whether it does nothing but permute basis states."""

PHASES = frozenset({"z", "s", "sdg", "t", "tdg", "p", "cz", "cp", "ccz"})
"""Gates that turn the phase where all of their qubits are |1>."""

BASIS = {"X": ("h",), "Y": ("sdg", "h"), "Z": ()}
"""By letter, the gates that make it Z."""

OUTSIDE = -1
NO_WIRE = -1


@dataclass(slots=True)
class Region:
    """A control region."""

    begin: int
    """The row of its `ctrl_begin`."""
    parent: int
    """The number of the region around it, or `OUTSIDE`."""
    uses: int = 0
    """How many rows and regions in it happen only where the controls are |1>."""
    own: list[int] = field(default_factory=list)
    """Its controls that no region around it has."""
    wires: list[int] = field(default_factory=list)
    """Those that are |1> where all controls are, if that matters."""
    ladder: list[tuple[int, int, int]] = field(default_factory=list)
    """Toffolis that make one of them."""


def control(wired: Wired, exempt: NDArray[np.bool_]) -> Wired:
    """The circuit without control regions: their rows are under their controls instead.

    Rows that are `exempt` stay as they are if those of their region cancel by themselves, without
    the others; if they do not, they are controlled like any.  Rows that are no gates stay, too.
    Raises where a region measures or resets, or changes one of its controls.
    """
    regions, number = _regions(wired)
    if not regions:
        return wired
    gates = gates_of(wired)
    _check(wired, number, gates)
    apart = conjugations(gates, wired.n_wires, number, exempt)
    for rows in _by_value(wired, number, exempt, apart):
        apart[rows] = True
    stays = ~GATE[wired.op] | apart
    uses = np.bincount(number[~stays & (number != OUTSIDE)], minlength=len(regions)).tolist()
    for at in reversed(range(len(regions))):  # inner ones before those around them
        regions[at].uses = uses[at]
        if uses[at] and regions[at].parent != OUTSIDE:
            uses[regions[at].parent] += 1
    return _Writer(wired, regions, number, stays).run()


def _regions(wired: Wired) -> tuple[list[Region], NDArray[np.intp]]:
    """The control regions in order, and by row the number of the innermost one it is in.

    A region goes on in one that follows at once and has the same controls; only markers where that
    happens have a number.
    """
    regions: list[Region] = []
    number = np.full(len(wired), OUTSIDE)
    open_ = [OUTSIDE]
    last, before = OUTSIDE, 0
    for row in np.flatnonzero((wired.op == BEGIN) | (wired.op == END)).tolist():
        number[before:row] = open_[-1]
        if wired.op[row] == END:
            last = open_.pop()
            if last == OUTSIDE:
                raise Faults(wired).at(row, "there is no control region to end")
        else:
            follows = 0 < row == before and wired.op[row - 1] == END
            if follows and _same_controls(wired, regions[last].begin, row):
                number[row - 1 : row + 1] = last
            else:
                regions.append(Region(row, open_[-1]))
                last = len(regions) - 1
            open_.append(last)
        before = row + 1
    if open_[-1] != OUTSIDE:
        raise Faults(wired).at(regions[open_[-1]].begin, "this control region has no end")
    return regions, number


def _same_controls(wired: Wired, row: int, other: int) -> bool:
    """Whether two regions have the same controls."""
    return set(wired.values(row)) == set(wired.values(other))


def _by_value(
    wired: Wired, number: NDArray[np.intp], exempt: NDArray[np.bool_], apart: NDArray[np.bool_]
) -> list[NDArray[np.intp]]:
    """The exempt rows of regions in which they are not all `apart`, but cancel all the same.

    They give all wires the values back that they start from, whatever those are.
    """
    some = np.unique(number[exempt & ~apart & (number != OUTSIDE)])
    rows = np.flatnonzero(exempt & np.isin(number, some))
    rows = rows[np.argsort(number[rows], kind="stable")]
    numbering = Numbering(wired)
    found = []
    for part in np.split(rows, np.searchsorted(number[rows], some[1:])):
        if not PLAIN[wired.op[part]].all() or (wired.cond[part] >= 0).any():
            continue
        wires = np.setdiff1d(wired.operands[part], [NO_WIRE])
        numbering.renew(wires.tolist())
        start = numbering.wire[wires]
        numbering.run(part)
        if (numbering.wire[wires] == start).all():
            found.append(part)
    return found


def _check(wired: Wired, number: NDArray[np.intp], gates: Gates) -> None:
    """Refuse what cannot be controlled, and what changes a control."""
    faults = Faults(wired)
    wrong = np.flatnonzero(COLLAPSES[wired.op] & (number != OUTSIDE))
    if len(wrong):
        row = int(wrong[0])
        raise faults.at(
            row,
            f"'{OPS[wired.op[row]].name}' cannot be controlled",
            label="only gates can",
            help="do this before the control region or behind it",
        )
    row, wire, begin = _changed(gates, wired.n_wires)
    if row >= 0:
        raise faults.at(
            row,
            f"'{OPS[wired.op[row]].name}' changes {faults.qubit(wire)}, which controls it",
            label="changed here",
            help="in a control region its qubits may only be controls, or have Z, T, ... done to "
            "them",
            notes=(f"the region begins at {faults.place(begin)}",),
        )


@kernel
def _changed(gates: Gates, n_wires: int) -> tuple[int, int, int]:
    """The first row that changes a control, that, and where its region begins; else -1."""
    since = np.full(n_wires, OUTSIDE)
    open_ = [OUTSIDE]
    for row, code in enumerate(gates.op):
        if code == BEGIN:
            at, count = gates.operands[row, 0], gates.operands[row, 1]
            for wire in gates.pool[at : at + count]:
                if since[wire] == OUTSIDE:
                    since[wire] = row
            open_.append(row)
        elif code == END:
            begin = open_.pop()
            at, count = gates.operands[begin, 0], gates.operands[begin, 1]
            for wire in gates.pool[at : at + count]:
                if since[wire] == begin:
                    since[wire] = OUTSIDE
        elif len(open_) > 1:
            for slot in range(count_of(gates, row)):
                wire, kind = leg_of(gates, row, slot)
                if kind != Z and since[wire] != OUTSIDE:
                    return row, wire, since[wire]
    return -1, -1, -1


class _Writer:
    """Writes the rows, one by one; gates under controls come to it as to a `Machine`."""

    def __init__(
        self,
        wired: Wired,
        regions: list[Region],
        number: NDArray[np.intp],
        stays: NDArray[np.bool_],
    ) -> None:
        self.wired = wired
        self.builder = WireBuilder(wired)
        self.faults = Faults(wired)
        self.regions = regions
        self.number = number.tolist()
        self.stays = stays.tolist()
        self.open: list[Region] = []
        self.controls: set[int] = set()
        """Those of open regions."""
        self.kept: set[int] = set()
        """Of the gate that is being written, its controls and ancillas."""
        self.borrowed: set[int] = set()
        """Its ancillas."""
        self.cond = self.loc = -1

    def run(self) -> Wired:
        following = iter(self.regions)
        for row, code in enumerate(self.wired.op.tolist()):
            if self.number[row] != OUTSIDE:
                self.inside(row)
            elif code == BEGIN:
                self.enter(next(following))
            elif code == END:
                self.leave(int(self.wired.loc[row]))
            else:
                self.builder.copy(self.wired, row)
        return self.builder.freeze()

    # -- regions

    def enter(self, region: Region) -> None:
        """The beginning of a region: if it has several uses, its controls become one."""
        wires = dict.fromkeys(self.wired.values(region.begin))
        region.own = [wire for wire in wires if wire not in self.controls]
        self.controls.update(region.own)
        outer = self.open[-1].wires if self.open else []
        self.open.append(region)
        if not region.uses:
            return
        region.wires = [*outer, *region.own]
        if region.uses == 1 or not region.wires:
            return
        loc = int(self.wired.loc[region.begin])
        last, *others = region.wires
        for wire in others:
            both = self.builder.alloc(loc)
            region.ladder.append((last, wire, both))
            self.builder.gate("ccx", last, wire, both, loc=loc)
            last = both
        region.wires = [last]

    def leave(self, loc: int) -> None:
        """The end of a region: its one control is undone."""
        region = self.open.pop()
        for toffoli in reversed(region.ladder):
            self.builder.gate("ccx", *toffoli, loc=loc)
            self.builder.gate("free", toffoli[-1], loc=loc)
        self.controls.difference_update(region.own)

    def inside(self, row: int) -> None:
        """A row of a region; markers in one are gone."""
        if self.wired.op[row] in (BEGIN, END):
            return
        wires = self.open[-1].wires
        if self.stays[row] or not wires:
            self.builder.copy(self.wired, row)
            return
        self.cond, self.loc = int(self.wired.cond[row]), int(self.wired.loc[row])
        self.kept = set(wires)
        self.put_under(wires, row)

    # -- gates

    def put_under(self, controls: list[int], row: int) -> None:
        """Write a gate where some controls are |1>, and with them all those of open regions."""
        name, angle = OPS[self.wired.op[row]].name, float(self.wired.angle[row])
        wires = self.wired.values(row)
        others = [wire for wire in wires if wire not in self.controls]
        if name in PHASES:
            self.phase(BASE.get(name, name), [*controls, *others], angle)
        elif name in ("rz", "crz") and wires[-1] in self.controls:
            self.phase("p", [*controls, *others], angle / 2)
        elif name == "ppr":
            letters = dict(zip(wires, self.faults.name(row), strict=True))
            sign = (-1) ** (len(wires) - len(others))
            if others:
                self.product(controls, {wire: letters[wire] for wire in others}, sign * angle)
            else:
                self.phase("p", controls, -sign * angle / 2)
        else:
            n_targets = len(wires) - BY_NAME[name].controls
            every = [*controls, *others[:-n_targets]]
            controlled(self, BASE.get(name, name), every, others[-n_targets:], angle)

    def phase(self, name: str, wires: Sequence[int], angle: float) -> None:
        """A gate that turns the phase where all wires are |1>."""
        controlled(self, name, wires[:-1], wires[-1:], angle)

    def product(self, controls: list[int], letters: dict[int, str], angle: float) -> None:
        """A rotation about a Pauli product, by wire its letter, under controls."""
        wires = list(letters)
        turned = [(name, (wire,)) for wire in wires for name in BASIS[letters[wire]]]
        around = [*turned, *(("cx", pair) for pair in pairwise(wires))]
        for name, on in around:
            self.apply(name, on)
        controlled(self, "rz", controls, wires[-1:], angle)
        for name, on in reversed(around):
            self.apply(str(BY_NAME[name].inverse), on)

    # -- what a `Machine` has

    def apply(self, name: str, qubits: Sequence[int], angle: Angle = None) -> None:
        """Append a gate: under the bit of the row, if without it the row would do nothing."""
        *_, target = qubits
        acts = target not in self.borrowed and not self.kept.isdisjoint(qubits)
        cond = self.cond if acts else -1
        self.builder.gate(name, *qubits, cond=cond, angle=cast(float, angle or 0.0), loc=self.loc)

    def borrow(self) -> int:
        """A fresh qubit in |0>, which will be |1> only where controls are."""
        wire = self.builder.alloc(self.loc)
        self.borrowed.add(wire)
        self.kept.add(wire)
        return wire

    def give_back(self, qubit: int) -> None:
        """Free a borrowed qubit, which is in |0> again."""
        self.builder.gate("free", qubit, loc=self.loc)
        self.borrowed.discard(qubit)
