"""Shapes: regions as circuit templates, and their copies at a place on the chip.

Programs use few different regions many times.  A `Shape` holds all that is the same for each use
at one distance (code, slots, measured product, and the order of qubits and records), and a
`Placement` the lines of Stim text for one place.  Records of a round come in this order: the
stabilizers as in `Code`, except that a cat's two flags (its inner ancilla and its bridge, 0
without errors) follow after all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import groupby

import numpy as np

from qwasmc.backends.stim.code import Code, Ints, origin, region_code
from qwasmc.backends.stim.kept import Kept
from qwasmc.backends.stim.merge import Merge, merge
from qwasmc.backends.stim.schedule import CAT_GATES, Schedule, schedule
from qwasmc.ir.surgery import Join, Letter, Tile

GATE = {Letter.X: "CX", Letter.Z: "CZ", Letter.Y: "CY"}
"""A Pauli letter controlled on a cat's ancilla."""

Gates = list[tuple[str, Ints]]
"""Gate names with (m, 2) local qubit pairs."""


class Shape:
    """A region at a distance, up to translation.

    Local qubits: the n sites, the k first ancillas, then of the c cats the outer ancillas and the
    bridges.
    """

    def __init__(self, join: Join, distance: int) -> None:
        self.code: Code = region_code(join, distance)
        self.merge: Merge = merge(self.code)
        self._schedule: Schedule = schedule(self.code)
        self.depth = self._schedule.depth
        code = self.code
        n, k, c = len(code.sites), len(code.faces), len(code.cats)
        ancillas, outer = n + np.arange(k), n + k + np.arange(c)
        bridges = outer + c
        plain_x, plain_z = ancillas[: code.first_cat], ancillas[code.first_cat + c :]
        inner = ancillas[code.cat_rows]
        self.measured_x: Ints = np.concatenate([plain_x, outer])
        self.measured_z: Ints = np.concatenate([plain_z, inner, bridges])
        self.stabilizers = k
        self.records = k + 2 * c
        self.positions: Ints = np.concatenate(
            [
                2 * code.sites,
                2 * code.faces[:, 0] + 1,
                2 * code.faces[code.cat_rows, 1] + 1,
                2 * np.array([cat.bridge for cat in code.cats], dtype=np.int64).reshape(-1, 2),
            ]
        )
        """(q, 2) twice the coordinates of the local qubits."""
        self.record_positions: Ints = self.positions[
            np.concatenate([self.measured_x, self.measured_z])
        ]
        fresh = code.owner < 0
        self.split_x: Ints = np.flatnonzero(fresh & (code.start == Letter.X))
        self.split_z: Ints = np.flatnonzero(fresh & (code.start == Letter.Z))
        """The fresh sites by start letter; measured at the split in this order, X first."""
        self._split_rank = np.full(n, -1, dtype=np.int64)
        split = np.concatenate([self.split_x, self.split_z])
        self._split_rank[split] = np.arange(len(split))
        self.splits = len(split)
        self.gates: list[Gates] = [self._slot(slot) for slot in range(1, self.depth + 1)]

    def _slot(self, slot: int) -> Gates:
        """The gates of a time slot."""
        code = self.code
        n, k = len(code.sites), len(code.faces)
        first, c = code.first_cat, len(code.cats)
        stabilizer, half, corner = np.nonzero(self._schedule.slots == slot)
        site = code.members[stabilizer, half, corner]
        letter = code.letters[stabilizer, half, corner]
        in_cat = (stabilizer >= first) & (stabilizer < first + c)
        ancilla = np.where(half == 0, n + stabilizer, n + k + stabilizer - first)
        to_site = np.stack([ancilla, site], axis=1)
        plain = ~in_cat & (letter == Letter.Z)
        gates: Gates = [("CX", to_site[plain][:, ::-1])]
        gates += [(name, to_site[~plain & (letter == which)]) for which, name in GATE.items()]
        if c and slot in CAT_GATES:
            cat = np.arange(c)
            ends = {"outer": n + k + cat, "bridge": n + k + c + cat, "inner": n + first + cat}
            control, target = CAT_GATES[slot]
            gates.append(("CX", np.stack([ends[control], ends[target]], axis=1)))
        return [(name, pairs) for name, pairs in gates if len(pairs)]

    @cached_property
    def corrections(self) -> list[list[tuple[int, Ints]]]:
        """Per term: the patch's stabilizers that lose sites at the split, with the records, counted
        from the split's first, that make up for them."""
        merge = self.merge
        return [
            [
                (j, self._split_rank[merge.fresh_sites[row]])
                for j, row in enumerate(rows)
                if len(merge.fresh_sites[row])
            ]
            for rows in merge.rows.tolist()
        ]

    @cached_property
    def measured_out(self) -> list[tuple[int, Ints]]:
        """The stabilizers that the split measures out, each with the split's records in it."""
        return [(i, self._split_rank[self.merge.fresh_sites[i]]) for i in self.merge.fresh]

    @cached_property
    def byproducts(self) -> list[tuple[int, Letter, Ints]]:
        """Term, letter and the split's records for each `Merge.byproducts`."""
        return [
            (term, letter, self._split_rank[sites]) for term, letter, sites in self.merge.byproducts
        ]

    def place(self, tile: Tile, number: Ints) -> Placement:
        """The shape at a place, with the circuit's index of each of its local qubits."""
        return Placement(self, tile, number)


MAX_KEPT = 1 << 20
"""Stabilizers in the shapes that are kept, and as many in older ones; one takes 600 bytes."""

_shapes: Kept[tuple[Join, int], Shape] = Kept(MAX_KEPT, lambda shape: shape.stabilizers)


def shape(join: Join, distance: int) -> Shape:
    """The shape of a normalised join."""
    _shapes.age()
    return _shapes.get((join, distance), lambda: Shape(join, distance))


def targets(qubits: Ints) -> str:
    """Qubit indices as Stim targets."""
    return " ".join(map(str, qubits.reshape(-1).tolist()))


class Placement:
    """A shape at a place: Stim text of its layers, and the head of each record's detector."""

    def __init__(self, shape: Shape, tile: Tile, number: Ints) -> None:
        """`number` holds the circuit's qubit index of each of the shape's local qubits."""
        self.shape, self.tile, self.number = shape, tile, number
        self.depth, self.records = shape.depth, shape.records
        slots = ["".join(_instructions(gates, number)) for gates in shape.gates]
        resets = self.in_bases("RX", "R", shape.measured_x, shape.measured_z)
        measurements = self.in_bases("MX", "M", shape.measured_x, shape.measured_z)
        self._layers = (resets, slots, measurements)
        x0, y0 = origin(tile, shape.code.distance)
        where = (shape.record_positions / 2 + (x0, y0)).tolist()
        self.detectors = [f"DETECTOR({x:.12g}, {y:.12g}, 0) rec[" for x, y in where]

    def in_bases(self, name_x: str, name_z: str, x: Ints, z: Ints) -> str:
        """An instruction on local qubits in X and its twin on others in Z."""
        text = f"{name_x} {targets(self.number[x])}\n" if len(x) else ""
        return text + (f"{name_z} {targets(self.number[z])}\n" if len(z) else "")

    def layers(self, depth: int) -> list[str]:
        """One round with `depth` slots, of which the last may be idle: Stim text by layer."""
        resets, slots, measurements = self._layers
        return [resets, *slots, *[""] * (depth - len(slots)), measurements]

    @cached_property
    def split_resets(self) -> str:
        """Resets of the fresh sites."""
        return self.in_bases("RX", "R", self.shape.split_x, self.shape.split_z)

    @cached_property
    def split_measurements(self) -> str:
        """Measurements of the fresh sites."""
        return self.in_bases("MX", "M", self.shape.split_x, self.shape.split_z)


def _instructions(gates: Gates, number: Ints) -> Iterator[str]:
    """Gates as Stim text, one instruction for those of a kind in a row."""
    for name, some in groupby(gates, lambda gate: gate[0]):
        yield f"{name} {targets(number[np.concatenate([pairs for _, pairs in some])])}\n"
