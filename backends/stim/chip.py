"""The qubits of a circuit: those that some region uses, numbered in reading order.

Places are given as twice their coordinates, which makes those of ancillas whole numbers too.
"""

from __future__ import annotations

import numpy as np
import stim

from qwasmc.backends.stim.code import Ints, origin
from qwasmc.backends.stim.shape import Placement, Shape
from qwasmc.backends.stim.slabs import slabs
from qwasmc.ir.surgery import Surgery, Tile


class Chip:
    """The qubits in use: indices by position, in reading order."""

    def __init__(self, surgery: Surgery, distance: int) -> None:
        used: dict[tuple[Shape, Tile], None] = {}
        for slab in slabs(surgery, distance):
            used.update(dict.fromkeys((region.shape, region.tile) for region in slab.regions))
        places = [np.zeros((0, 2), dtype=np.int64)] + [
            np.unique(shape.positions + 2 * np.array(origin(tile, distance)), axis=0)
            for shape, tile in used
        ]
        everything = np.concatenate(places)
        self._low = everything.min(axis=0) if len(everything) else np.zeros(2, dtype=np.int64)
        self._stride = int((everything[:, 0] - self._low[0]).max(initial=0)) + 1
        self._keys = np.unique(self._key(everything))
        columns = self._keys % self._stride + self._low[0]
        rows = self._keys // self._stride + self._low[1]
        self.coordinates: list[tuple[float, float]] = list(
            zip((columns / 2).tolist(), (rows / 2).tolist(), strict=True)
        )
        self._distance = distance
        self._placed: dict[tuple[Shape, Tile], Placement] = {}

    def _key(self, positions: Ints) -> Ints:
        local = positions - self._low
        keys: Ints = local[:, 1] * self._stride + local[:, 0]
        return keys

    def qubits(self, positions: Ints) -> Ints:
        """Indices of qubits at twice their coordinates, (q, 2)."""
        found: Ints = np.searchsorted(self._keys, self._key(positions))
        return found

    def data(self, tile: Tile, sites: Ints) -> Ints:
        """Indices of a patch's data qubits, given within the tile."""
        return self.qubits(2 * (sites + origin(tile, self._distance)))

    def place(self, shape: Shape, tile: Tile) -> Placement:
        """A shape's placement, made on first use."""
        if (shape, tile) not in self._placed:
            positions = shape.positions + 2 * np.array(origin(tile, self._distance))
            self._placed[shape, tile] = Placement(shape, tile, self.qubits(positions))
        return self._placed[shape, tile]

    def head(self) -> stim.Circuit:
        """The qubits' coordinates."""
        lines = [
            f"QUBIT_COORDS({x:.12g},{y:.12g}) {q}" for q, (x, y) in enumerate(self.coordinates)
        ]
        return stim.Circuit("\n".join(lines))
