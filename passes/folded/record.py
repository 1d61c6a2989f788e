"""What a piece of a program did, as it happens.

A piece is a call of a function, an iteration of a loop, or one side of a branch.  While it runs,
its Record notes which inputs it met, on which premises it relies (`values`), which cells it
wrote, which slots it used, and which regions and other pieces it consists of.  `finish` makes a
`Summary` of all that, and `compose` does what a summary says without running it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from qwasmc.ops import Type
from qwasmc.passes.folded.regions import Row
from qwasmc.passes.folded.summary import (
    Change,
    Hulls,
    Key,
    Move,
    Origin,
    Summary,
    merged_hulls,
)
from qwasmc.passes.folded.values import (
    UNKNOWN,
    Affine,
    Linear,
    Opaque,
    Premises,
    Raw,
    Unknown,
    Val,
    affine_of,
    raw,
    split,
    substituted,
)
from qwasmc.passes.folded.world import EMPTY, FULL, NEXT_ADDRESS, Cell, World

WORD_LENGTH = 100
"""Gates that a rotation takes, about."""


@dataclass(slots=True)
class Record:
    """The notes about a piece while it runs."""

    world: World
    whole: bool = False
    """Whether it must stay one region."""
    premises: Premises = field(default_factory=Premises)
    keys: list[Key] = field(default_factory=list)
    raws: list[Raw] = field(default_factory=list)
    """By input: its value."""
    forms: dict[Cell, Val] = field(default_factory=dict)
    """By cell that was met: what it holds now."""
    written: dict[Cell, int] = field(default_factory=dict)
    """By cell: the step in which it was written last."""
    slots: dict[int, tuple[int | Affine, int | None]] = field(default_factory=dict)
    """By slot that was met: its number, and the qubit that was in it."""
    met: tuple[set[int], set[int]] = field(default_factory=lambda: (set(), set()))
    """The slots that were met, by their state."""
    borrowed: dict[int, Origin] = field(default_factory=dict)
    """By qubit that came in otherwise than through a slot: where from."""
    hulls: Hulls = field(default_factory=dict)
    live: int = 0
    peak: int = 0
    size: int = 0
    """Operations on qubits so far, as what they become in a circuit of Clifford and T gates."""
    rows: list[Row] = field(default_factory=list)
    locs: list[int] = field(default_factory=list)
    regions: dict[int, int] = field(default_factory=dict)
    children: dict[Summary, int] = field(default_factory=dict)
    reusable: bool = True

    # -- inputs and memory

    def enter(self, key: Key, value: Raw, type: Type) -> Val:
        """An input that is met for the first time."""
        number = len(self.keys)
        self.keys.append(key)
        self.raws.append(value)
        if isinstance(value, Unknown):
            self.premises.pinned[number] = None
            return UNKNOWN
        if type is Type.I64 and isinstance(value, int):
            return Affine(value, ((number, 1),), 0)
        return Opaque(value, (number,))

    def view(self, cell: Cell, value: Raw) -> Val:
        """What a cell holds, which is an input with this value if it was not met yet."""
        if cell not in self.forms:
            self.forms[cell] = self.enter(cell, value, Type.I64)
        return self.forms[cell]

    def read(self, cell: Cell) -> Val | None:
        """What a cell holds, None if nothing."""
        if cell in self.forms:
            return self.forms[cell]
        value = self.world.cells.get(cell)
        return None if value is None else self.view(cell, value)

    def write(self, cell: Cell, value: Val) -> None:
        """Put a value into a cell."""
        self.forms[cell] = value
        self.written[cell] = self.world.steps
        self.world.write(cell, raw(value))

    # -- slots

    def touch(self, number: int | Affine) -> tuple[int, int | None]:
        """A slot and the qubit in it, if any; the run relies on which slots are the same."""
        slot, linear, _ = split(number)
        qubit = self.world.slots.qubit.get(slot)
        self.meet(number, qubit)
        if self.slots[slot][0] is not number and split(self.slots[slot][0])[1] != linear:
            self.premises.pin(number)
            self.premises.pin(self.slots[slot][0])
        return slot, qubit

    def meet(self, number: int | Affine, qubit: int | None) -> None:
        """A slot with this qubit in it, if it was not met yet."""
        slot, linear, shift = split(number)
        if slot not in self.slots:
            state = EMPTY if qubit is None else FULL
            self.slots[slot] = number, qubit
            self.met[state].add(slot)
            self.span(state, linear, shift, shift)

    def span(self, state: int, linear: Linear, least: int, most: int) -> None:
        """Slots are used that were full, or empty, at the start."""
        found = self.hulls.get((state, linear))
        if found is None:
            self.hulls[state, linear] = least, most
        elif least < found[0] or most > found[1]:
            self.hulls[state, linear] = min(least, found[0]), max(most, found[1])

    # -- operations

    def add(self, row: Row, loc: int) -> None:
        """An operation on qubits."""
        self.rows.append(row)
        self.locs.append(loc)
        self.size += WORD_LENGTH if row.angle else 1

    def change(self, live: int) -> None:
        """There are more or fewer qubits."""
        self.live += live
        self.peak = max(self.peak, self.live)

    def close(self) -> None:
        """What follows belongs to another region."""
        if self.rows and not self.whole:
            number = self.world.regions.add(self.rows, self.locs)
            self.regions[number] = self.regions.get(number, 0) + 1
            self.rows, self.locs = [], []

    # -- the end

    def finish(
        self, values: Iterable[Val], types: Iterable[Type], place: int, call: bool = False
    ) -> tuple[Summary, list[Change]]:
        """The summary of all that happened, and which slots hold other qubits now.

        `values` are what it hands on, with the numbers of qubits.  What a `call` allocated and
        nothing refers to is there no more.
        """
        self.whole = False
        self.close()
        values = list(values)
        if call:
            self._release_memory(values)
        origins: dict[int, Origin] = {
            qubit: ("slot", number) for number, qubit in self.slots.values() if qubit is not None
        }
        origins |= self.borrowed

        def origin(qubit: int) -> Origin:
            return origins.setdefault(qubit, ("new", len(origins)))

        handed: list[Val | Origin] = []
        for value, type in zip(values, types, strict=True):
            if type is Type.QUBIT:
                assert isinstance(value, int)
                handed.append(origin(value))
            else:
                handed.append(self._settled(value))
        writes = {cell: self._settled(self.forms[cell]) for cell in self.written}
        moved: list[Move] = []
        changes: list[Change] = []
        for slot, (number, before) in self.slots.items():
            after = self.world.slots.qubit.get(slot)
            if after != before:
                moved.append((number, None if after is None else origin(after)))
                changes.append((slot, before, after))
        hulls, apart = merged_hulls(self.hulls, self.raws, self.premises)
        return (
            Summary(
                keys=self.keys,
                sample=self.raws,
                pinned=tuple(self.premises.pinned),
                ranges=self.premises.ranges,
                hulls=hulls,
                writes=writes,
                moved=moved,
                values=handed,
                place=place,
                live=self.live,
                peak=self.peak,
                regions=self.regions,
                children=self.children,
                reusable=self.reusable and apart,
            ),
            changes,
        )

    def _settled(self, value: Val) -> Val:
        """What leaves: a function of the inputs, for any inputs that fulfil the premises."""
        if isinstance(value, Opaque):
            self.premises.pin(value)
            return value.value
        return value

    def _release_memory(self, values: Sequence[Val]) -> None:
        """Addresses that were allocated here are free again, if nothing that is left has one."""
        if NEXT_ADDRESS not in self.written:
            return
        start = self.raws[self.keys.index(NEXT_ADDRESS)]
        end = self.world.cells[NEXT_ADDRESS]
        assert isinstance(start, int)
        assert isinstance(end, int)

        def is_inside(value: Raw) -> bool:
            return isinstance(value, int) and start <= value < end

        own = [cell for cell in self.written if is_inside(cell[1])]
        kept = self.written.keys() - {*own, NEXT_ADDRESS}
        if any(is_inside(raw(self.forms[cell])) for cell in kept):
            return
        if any(is_inside(raw(value)) for value in values):
            return
        for cell in own:
            del self.written[cell]
            self.world.write(cell, None)
        del self.written[NEXT_ADDRESS]
        self.world.write(NEXT_ADDRESS, start)

    # -- what other pieces do

    def inputs(
        self, summary: Summary, get: Callable[[Key], Val], raws: Sequence[Raw] | None
    ) -> list[Val]:
        """The inputs of a piece as values of this one.

        `raws` are what they were if the piece has run already; `get` finds other inputs than cells.
        """
        found: list[Val] = []
        for number, key in enumerate(summary.keys):
            if not isinstance(key, tuple):
                found.append(get(key))
                continue
            value = self.world.cells[key] if raws is None else raws[number]
            found.append(self.view(key, value))
        return found

    def assume(self, summary: Summary, inputs: Sequence[Val]) -> None:
        """Rely on what a piece relies on, for these inputs."""
        premises = self.premises
        for number in summary.pinned:
            premises.pin(inputs[number])
        for linear, (least, most) in summary.ranges.items():
            found = affine_of(premises, linear, 0, inputs)
            if isinstance(found, Affine):
                premises.require(found.linear, least - found.const, most - found.const)
        for (state, linear), (least, most) in summary.hulls.items():
            value, sums, shift = split(affine_of(premises, linear, 0, inputs))
            foreign = self._foreign(state, value + least, value + most)
            if not foreign:
                self.span(state, sums, shift + least, shift + most)
            elif foreign <= most - least:
                self.reusable = False

    def _foreign(self, state: int, least: int, most: int) -> int:
        """How many slots of a range this piece itself has filled, or emptied, before."""
        others = self.met[EMPTY + FULL - state]
        if len(others) < most - least:
            return sum(least <= slot <= most for slot in others)
        return sum(slot in others for slot in range(least, most + 1)) if others else 0

    def compose(
        self,
        summary: Summary,
        inputs: Sequence[Val],
        wire: Callable[[Origin], int],
        changes: Sequence[Change] | None = None,
        times: int = 1,
    ) -> list[Val]:
        """Do what a piece does; what it hands on, with the numbers of qubits.

        `changes` says which slots have changed, if the piece has just run; `wire` finds qubits
        that come in otherwise than through slots.
        """
        self.assume(summary, inputs)
        self.reusable = self.reusable and summary.reusable
        self.children[summary] = self.children.get(summary, 0) + times
        self.peak = max(self.peak, self.live + summary.peak)
        self.live += summary.live
        if changes is None:
            qubit_of = self._sources(summary, inputs, wire)
            changes = self._changes(summary, inputs, qubit_of)
        else:
            qubit_of = {}
        for (number, _), (slot, before, after) in zip(summary.moved, changes, strict=True):
            self.meet(self._slot(number, inputs), before)
            self.world.put(slot, after)
        writes = {
            cell: substituted(self.premises, value, inputs)
            for cell, value in summary.writes.items()
        }
        for cell, value in writes.items():
            self.write(cell, value)
        return [
            qubit_of.get(value, -1)
            if isinstance(value, tuple)
            else substituted(self.premises, value, inputs)
            for value in summary.values
        ]

    def _slot(self, number: int | Affine, inputs: Sequence[Val]) -> int | Affine:
        _, linear, shift = split(number)
        return affine_of(self.premises, linear, shift, inputs)

    def _sources(
        self, summary: Summary, inputs: Sequence[Val], wire: Callable[[Origin], int]
    ) -> dict[Origin, int]:
        """The qubits from everywhere that a piece moves or hands on."""
        origins = [origin for _, origin in summary.moved if origin is not None]
        origins += [value for value in summary.values if isinstance(value, tuple)]
        found: dict[Origin, int] = {}
        for origin in origins:
            kind, number = origin
            if origin in found:
                continue
            if kind == "slot":
                assert isinstance(number, int | Affine)
                slot = split(self._slot(number, inputs))[0]
                found[origin] = self.world.slots.qubit[slot]
            else:
                found[origin] = self.world.new_qubit() if kind == "new" else wire(origin)
        return found

    def _changes(
        self, summary: Summary, inputs: Sequence[Val], qubit_of: Mapping[Origin, int]
    ) -> list[Change]:
        """Which slots change, and how."""
        found: list[Change] = []
        for number, origin in summary.moved:
            slot = split(self._slot(number, inputs))[0]
            before = self.world.slots.qubit.get(slot)
            found.append((slot, before, None if origin is None else qubit_of[origin]))
        return found
