"""Where data patches live: the default floor plan, and which tiles are busy in which slab.

Cells of 3 x 3 tiles hold two data patches on a diagonal; the other seven tiles are lanes:

    . . . . . . .
    . A . . A . .
    . . B . . B .
    . . . . . . .

Every data patch has a lane on each side, and the tile between the two patches of a cell touches
the south side of A (where Z is measured) and the west side of B (where X is), so that a CX
between them needs no other tile.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field

from qwasmc.ir.surgery import Tile

CELL = 3


@dataclass(slots=True)
class Chip:
    """Tiles of a rectangle, of which `homes` belong to data patches for good."""

    width: int
    height: int
    homes: list[Tile]
    busy: defaultdict[int, set[Tile]] = field(default_factory=lambda: defaultdict(set))
    """Lane tiles in use, by slab."""
    reserved: set[Tile] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.reserved = set(self.homes)

    def free(self, tile: Tile, slab: int) -> bool:
        """Whether a lane tile can be used in a slab."""
        return (
            0 <= tile[0] < self.width
            and 0 <= tile[1] < self.height
            and tile not in self.reserved
            and tile not in self.busy[slab]
        )


def default_chip(n_patches: int) -> Chip:
    """A nearly square arrangement of cells for this many data patches, lanes all around."""
    cells = max(1, -(-n_patches // 2))
    columns = math.isqrt(cells - 1) + 1
    rows = -(-cells // columns)
    homes = []
    for patch in range(n_patches):
        cell, second = divmod(patch, 2)
        row, column = divmod(cell, columns)
        if row % 2:  # boustrophedon: consecutive cells are neighbours
            column = columns - 1 - column
        homes.append((CELL * column + 1 + second, CELL * row + 1 + second))
    return Chip(CELL * columns + 1, CELL * rows + 1, homes)
