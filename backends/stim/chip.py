"""The qubits of a circuit: those that some region uses, numbered in reading order.

Places are given as twice their coordinates, which makes those of ancillas whole numbers too.
"""

from __future__ import annotations

import numpy as np

from qwasmc.backends.stim.code import Ints, origin
from qwasmc.backends.stim.kept import Kept
from qwasmc.backends.stim.shape import Placement, Shape
from qwasmc.backends.stim.slabs import slabs
from qwasmc.ir.surgery import Surgery, Tile

MAX_KEPT = 1 << 18
"""Qubits in the placements that are kept between slabs (and as many older ones) even if the last
slab needs fewer.  A qubit takes about 300 bytes."""


class Chip:
    """The qubits in use: indices by position, in reading order."""

    def __init__(self, surgery: Surgery, distance: int) -> None:
        self.distance = distance
        everything = positions(surgery, distance)
        self._low = everything.min(axis=0) if len(everything) else np.zeros(2, dtype=np.int64)
        self._stride = int((everything[:, 0] - self._low[0]).max(initial=0)) + 1
        self._keys = self._key(everything)
        self.coordinates: list[tuple[float, float]] = list(
            zip((everything[:, 0] / 2).tolist(), (everything[:, 1] / 2).tolist(), strict=True)
        )
        self._placed: Kept[tuple[Shape, Tile], Placement] = Kept(
            MAX_KEPT, lambda placement: len(placement.number)
        )

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
        return self.qubits(2 * (sites + origin(tile, self.distance)))

    def place(self, shape: Shape, tile: Tile) -> Placement:
        """A shape's placement."""

        def place() -> Placement:
            positions = shape.positions + 2 * np.array(origin(tile, self.distance))
            return shape.place(tile, self.qubits(positions))

        return self._placed.get((shape, tile), place)

    def tidy(self) -> None:
        """Forget placements that were not needed for long.  Called between slabs."""
        self._placed.age()


def positions(surgery: Surgery, distance: int) -> Ints:
    """(n, 2) twice the coordinates of all qubits that some region uses, in reading order."""
    found = [np.zeros((0, 2), dtype=np.int64)]
    added = 0
    seen: set[tuple[Shape, Tile]] = set()
    for slab in slabs(surgery, distance):
        for region in slab.regions:
            if (region.shape, region.tile) not in seen:
                seen.add((region.shape, region.tile))
                found.append(region.shape.positions + 2 * np.array(origin(region.tile, distance)))
                added += len(found[-1])
        if added > max(MAX_KEPT, 2 * len(found[0])):
            found, added = [_distinct(found)], 0
            seen.clear()
    return _distinct(found)


def _distinct(positions: list[Ints]) -> Ints:
    """Positions in reading order, each once."""
    everything = np.concatenate(positions)
    ordered = everything[np.lexsort((everything[:, 0], everything[:, 1]))]
    new = np.any(ordered[1:] != ordered[:-1], axis=1)
    distinct: Ints = np.concatenate([ordered[:1], ordered[1:][new]])
    return distinct
