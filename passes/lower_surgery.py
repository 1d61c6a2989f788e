"""lower-surgery: Circuit -> Surgery.  Places patches and turns gates into joint measurements.

    0  alloc "a"; 1  alloc "b"         prepare (1,1) Z; prepare (2,2) Z          slab 0
    2  cx 0, 1                   =>    prepare (1,2) X; join Z(1,1) Z(1,2)       slab 0
                                       join X(1,2) X(2,2); measure (1,2) Z       slab 1
    3  measure_z ...                   measure (1,1) Z                           slab 1

In four steps: what is to be done (`scheduling.script`), which qubits are born with X and Z
exchanged (`scheduling.labels`), where and when (`scheduling.scheduler`), and here the rows.  The
constructions are in docs/surgery.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.diagnostics import CompileError, Kind, error
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.surgery import ROWS, Letter, Row, Side, Surgery, Tile
from qwasmc.kernel import kernel
from qwasmc.passes.scheduling.chips import schedule_on
from qwasmc.passes.scheduling.columns import Columns, Script
from qwasmc.passes.scheduling.factories import built
from qwasmc.passes.scheduling.labels import choose_labels
from qwasmc.passes.scheduling.plan import Plan
from qwasmc.passes.scheduling.production import Production, production
from qwasmc.passes.scheduling.requests import check_accuracy, check_waits
from qwasmc.passes.scheduling.scheduler import Schedule, Unroutable
from qwasmc.passes.scheduling.script import write_script
from qwasmc.passes.scheduling.tasks import Act, Tasks
from qwasmc.target import DEFAULT_CODE, DEFAULT_DISTANCE, DEFAULT_ERROR_RATE, Code

Ints = NDArray[np.int32]


def lower_surgery(
    circuit: Circuit,
    floor_plan: str = "sparse",
    factory: str = "port",
    factories: int | None = None,
    max_tiles: int | None = None,
    distance: int = DEFAULT_DISTANCE,
    error_rate: float = DEFAULT_ERROR_RATE,
    code: Code = DEFAULT_CODE,
) -> Surgery:
    """The surgery program of a circuit of Clifford gates, T gates and Pauli corrections.

    Magic states come from so many factories of a kind (None: as many as pay), built for a physical
    error rate and a distance.  CompileError if the program does not fit onto `max_tiles` tiles, or
    its requests for magic states cannot be met.
    """
    source = built(factory, error_rate, distance, code)
    made = production(source)
    script = write_script(circuit, made)
    check_accuracy(script, source, error_rate, distance, circuit.locations, code)
    tasks, exchanged = finished(script)

    def schedule(count: int | None) -> Schedule:
        return schedule_on(tasks, floor_plan, source, count, max_tiles)

    try:
        found = schedule(factories)
    except Unroutable as refused:
        loc = script.rows.loc_of(script.row[refused.task])
        where = circuit.locations.diagnostic("", loc)
        raise CompileError(
            replace(refused.diagnostics[0], place=where.place, chain=where.chain)
        ) from refused
    check_waits(script, tasks, found, distance, schedule, circuit.locations)
    return _Rows(circuit, script, tasks, exchanged, found, made).surgery()


def finished(script: Script) -> tuple[Tasks, NDArray[np.bool_]]:
    """The tasks of a script with their letters on the chip, and which qubits are exchanged."""
    life = np.array(script.life, dtype=np.int32)
    letter = np.array(script.letter, dtype=np.uint8)
    tasks = Tasks(
        act=np.array(script.act, dtype=np.uint8),
        start=np.array(script.start, dtype=np.int32),
        patch=np.array(script.patch, dtype=np.int32),
        letter=letter,
        n_patches=script.n_homes,
    )
    exchanged = choose_labels(tasks, life, script.n_lives, script.fixed)
    swap = exchanged[life] & np.isin(letter, (Letter.X, Letter.Z))
    letter[swap] = Letter.Y - letter[swap]
    return tasks, exchanged


class _Rows:
    """Fills in when and where the rows of a script happen."""

    def __init__(
        self,
        circuit: Circuit,
        script: Script,
        tasks: Tasks,
        exchanged: NDArray[np.bool_],
        found: Schedule,
        made: Production,
    ) -> None:
        self.circuit, self.script, self.tasks = circuit, script, tasks
        self.found, self.production = found, made
        rows = script.rows
        add_chip(rows, found.plan)
        self.kind = np.frombuffer(rows.kind, dtype=np.uint8)
        self.aux = np.frombuffer(rows.aux, dtype=np.int32)
        self.slab = np.zeros(len(self.kind), dtype=np.int32)
        self.x, self.y = np.zeros((2, len(self.kind)), dtype=np.int32)
        self.first = np.array(script.row, dtype=np.int32)
        self.further = np.array(script.further, dtype=np.int32)
        self.pool = np.array(rows.pool, dtype=np.int32)
        self.begin, self.length = rows.slices()
        self.scheduled = np.zeros(len(self.kind), dtype=np.bool_)
        """Where the slice of each row is: in `pool`, or in that of the schedule."""
        self.exchanged = exchanged

    def surgery(self) -> Surgery:
        """The finished rows."""
        self.patches()
        self.products()
        self.controls()
        self.turns()
        self.magic()
        self.chip()
        self.ends()
        start, pool = self.packed()
        return Surgery(
            kind=self.kind,
            slab=self.slab,
            x=self.x,
            y=self.y,
            aux=self.aux,
            start=start,
            loc=self.script.rows.locations(),
            pool=pool,
            names=self.script.rows.names,
            locations=self.circuit.locations,
        )

    def of(self, act: Act) -> tuple[Ints, Ints, Ints]:
        """Tasks of a kind: their numbers, first rows and slabs."""
        which = np.flatnonzero(self.tasks.act == act).astype(np.int32)
        return which, self.first[which], self.found.slab[which]

    def geometry(self, tasks: Ints, column: int) -> Ints:
        """A number out of the schedule's geometry of each task."""
        column_of: Ints = self.found.pool[self.found.start[tasks] + column]
        return column_of

    def set(self, rows: Ints, slab: Ints, tile: Ints | None = None, aux: Ints | int = -1) -> None:
        """When, and for some rows where and in which letter, rows happen."""
        self.slab[rows] = slab
        if tile is not None:
            self.place(rows, tile)
            self.aux[rows] = aux

    def place(self, rows: Ints | NDArray[np.bool_] | int, tile: Ints | Tile) -> None:
        """Where rows happen: a tile each, (m, 2), or one for all."""
        self.x[rows], self.y[rows] = np.array(tile).T

    def join(self, rows: Ints, slab: Ints, begin: Ints, end: Ints) -> None:
        """When join rows happen, and which part of the schedule's pool they are."""
        self.set(rows, slab)
        self.begin[rows] = begin
        self.scheduled[rows] = True
        self.length[rows] = end - begin

    def put(self, rows: Ints, operands: Ints) -> None:
        """Give rows operands of their own, (m, k)."""
        self.begin[rows] = len(self.pool) + operands.shape[1] * np.arange(len(operands))
        self.length[rows] = operands.shape[1]
        self.pool = np.concatenate([self.pool, operands.reshape(-1)])

    # -- kinds of tasks ------------------------------------------------------------------------

    def patches(self) -> None:
        """Patches appear and are measured out."""
        for act in (Act.APPEAR, Act.MEASURE):
            tasks, rows, slab = self.of(act)
            at = self.tasks.start[tasks]
            letter = np.where(self.kind[rows] == Row.INPUT, self.aux[rows], self.tasks.letter[at])
            self.set(rows, slab, self.homes(self.tasks.patch[at]), letter)
        tasks, _, slab = self.of(Act.IDLE)
        waits = self.further[tasks] >= 0
        self.set(self.further[tasks[waits]], slab[waits])

    def homes(self, patch: Ints) -> Ints:
        """(m, 2) the tiles of patches."""
        tiles: Ints = np.array(self.found.plan.homes, dtype=np.int32).reshape(-1, 2)[patch]
        return tiles

    def products(self) -> None:
        """One join each."""
        tasks, rows, slab = self.of(Act.PRODUCT)
        self.join(rows, slab, self.found.start[tasks], self.found.start[tasks + 1])

    def controls(self) -> None:
        """Two joins with a helper."""
        tasks, rows, slab = self.of(Act.CONTROL)
        x, y, letter, length = (self.geometry(tasks, column) for column in range(4))
        helper = np.stack([x, y], axis=1)
        begin, end = self.found.start[tasks] + 4, self.found.start[tasks + 1]
        self.set(rows, slab, helper, Letter.Y - letter)
        self.join(rows + 1, slab, begin, begin + length)
        self.join(rows + 2, slab + 1, begin + length, end)
        self.set(rows + 3, slab + 1, helper, letter)
        swapped = self.found.swapped[tasks]
        self.correct(rows + 4, rows, swapped)
        self.correct(rows + 5, rows, ~swapped)

    def correct(self, frames: Ints, rows: Ints, second: NDArray[np.bool_]) -> None:
        """Frames of the patches of controls that begin in `rows` get the corrections.

        That is the second outcome for the patch joined first, the others for the second.
        """
        framed = self.length[frames]
        frame = self.pool[np.where(framed, self.begin[frames], 0)] if len(self.pool) else framed
        one, two = np.where(second, rows + 1, rows + 2), rows + 3
        self.put(frames, np.stack([frame, one, two], axis=1))
        self.begin[frames] += 1 - framed
        self.length[frames] = framed + 1 + second

    def turns(self) -> None:
        """A helper that a slab before was prepared in Y is joined, and measured."""
        tasks, rows, slab = self.of(Act.TURN)
        helper = np.stack([self.geometry(tasks, column) for column in range(2)], axis=1)
        self.set(rows, slab - 1, helper, Letter.Y)
        self.join(rows + 1, slab, self.found.start[tasks] + 3, self.found.start[tasks + 1])
        self.set(rows + 2, slab, helper, Letter.X)

    def magic(self) -> None:
        """A state is made, acts, and is undone as an S is due or not."""
        tasks, rows, slab = self.of(Act.MAGIC)
        if not len(tasks):
            return
        ports = [self.found.plan.ports[port] for port in self.geometry(tasks, 0).tolist()]
        m = np.array([port.tile for port in ports], np.int32)
        h = np.array([port.helper for port in ports], np.int32)
        corner = np.array([port.corner for port in ports], np.int32)
        self.produce(rows, self.geometry(tasks, 1) - self.production.appears, corner)
        rows = rows + len(self.production.surgery)
        self.set(rows, slab, h, Letter.Y)
        self.join(rows + 1, slab, self.found.start[tasks] + 2, self.found.start[tasks + 1])
        self.set(rows + 2, slab + 1)
        self.put(rows + 2, _below(m))
        self.set(rows + 3, slab + 1, m, Letter.X)
        self.set(self.further[tasks], slab + 2, h, 0)

    def produce(self, rows: Ints, slab: Ints, corner: Ints) -> None:
        """The productions that begin in these rows, slabs and tiles."""
        made = self.production.surgery
        for row, kind in enumerate(made.kind.tolist()):
            spec = ROWS[Row(kind)]
            if spec.timed:
                self.set(rows + row, slab + made.slab[row])
            if spec.placed:
                self.place(rows + row, corner + np.array(made.tile(row)))
            if kind == Row.JOIN:
                self.put(rows + row, self.production.join(row, corner))

    def chip(self) -> None:
        """The places of the rows that say what the chip consists of."""
        plan = self.found.plan
        self.place(self.kind == Row.CHIP, (plan.width, plan.height))
        for row, port in zip(
            np.flatnonzero(self.kind == Row.FACTORY).tolist(), plan.ports, strict=True
        ):
            self.place(row, port.corner)

    def ends(self) -> None:
        """Open outputs, and the labels of patches."""
        for row, home, life in self.script.outputs:
            self.slab[row] = self.found.slabs - 1
            self.place(row, self.found.plan.homes[home])
            self.pool[self.begin[row]] ^= int(self.exchanged[life])
        for life, row in self.script.label_rows.items():
            self.aux[row] = int(self.exchanged[life])

    def packed(self) -> tuple[Ints, Ints]:
        """Start and pool with the slices of the rows one behind the other."""
        if self.length.sum(dtype=np.int64) > np.iinfo(np.int32).max:
            raise error("the surgery program is too large for memory", kind=Kind.LIMIT)
        start = np.zeros(len(self.length) + 1, dtype=np.int32)
        np.cumsum(self.length, dtype=np.int32, out=start[1:])
        pool = np.empty(start[-1], dtype=np.int32)
        gather(pool, start, self.begin, self.pool, self.found.pool, self.scheduled)
        return start, pool


@kernel
def gather(
    out: NDArray[Any],
    start: NDArray[Any],
    begin: NDArray[Any],
    own: NDArray[Any],
    schedule: NDArray[Any],
    scheduled: NDArray[Any],
) -> None:
    """Copy the slice of each row, out of one pool or the other, to where it starts in `out`."""
    for row in range(len(begin)):
        source = schedule if scheduled[row] else own
        shift = begin[row] - start[row]
        for at in range(start[row], start[row + 1]):
            out[at] = source[at + shift]


def add_chip(rows: Columns, plan: Plan) -> None:
    """Append the rows that say what the chip consists of."""
    rows.add(Row.CHIP)
    for number, port in enumerate(plan.ports):
        name = rows.name(f"{port.source.name} #{number}")
        size = port.source.width, port.source.height
        rows.add(Row.FACTORY, name, (*size, *port.tile, port.source.period))


def _below(m: Ints) -> Ints:
    """Joins of the Z of each tile with the Z of the tile below it, as `encode_join` gives them."""
    joins = np.zeros((len(m), 13), dtype=np.int32)
    joins[:, :3] = 2, 0, 1
    joins[:, 3:5], joins[:, 5] = m, Letter.Z
    joins[:, 6:8], joins[:, 8] = m + np.array([0, 1]), Letter.Z
    joins[:, 9:11], joins[:, 11] = m, Side.S
    return joins
