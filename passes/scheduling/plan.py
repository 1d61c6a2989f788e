"""Floor plans: where patches live, where routes may go, where magic states come from.

    sparse            bus               compact           a port, or a factory's block
    . . . . . . .     . . . . . . .     A . A A . A       . . . . . . .
    . A . . A . .     . A A . A A .     . . . . . .       . . m . o x x
    . . A . . A .     . A A . A A .     A . A A . A           h   h x x
    . . . . . . .     . . . . . . .     A . A A . A

Z is measured through the north or south side of a patch, X through east or west, so every patch
has a lane tile above or below it and another one beside it.  `sparse` spends 4.5 tiles a patch,
`bus` 2.25 and the lanes around it, `compact` 2.25.  Much less is not possible: a connected network
of L lane tiles has at most 2 L + 2 sides to spare, of which each patch needs two, so that there are
about 2 tiles a patch at least.  On `compact`, lanes end at the border, and a CONTROL between the
two patches at such an end has no route if both letters are measured there.

Magic states appear on output tiles below the patches, next to the lane that runs above them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qwasmc.diagnostics import CompileError, Kind, error
from qwasmc.ir.surgery import Tile

LEAST_PERIOD = 3
"""Slabs from one injection on a tile to the next at least: appear, be joined, be measured."""

MAX_TILES = 1 << 20
"""The largest chip that is planned: more tiles than any machine is expected to have."""


@dataclass(frozen=True, slots=True)
class Source:
    """A rectangle of tiles in which magic states appear, as seen from its north-west tile."""

    name: str = "port"
    width: int = 1
    height: int = 2
    output: Tile = (0, 0)
    """Where states appear: in the top row.  The tile below is a helper's."""
    period: int = LEAST_PERIOD
    """Slabs from one state to the next at least."""
    first: int = 0
    """The first slab in which a state can appear."""
    lead: int = 0
    """Slabs before a state appears for which its output tile is in use already."""

    def __post_init__(self) -> None:
        x, y = self.output
        if y != 0 or not 0 <= x < self.width or self.height < 2:
            raise ValueError(f"the output of '{self.name}' has to be in the top row of two or more")
        if self.period < LEAST_PERIOD or min(self.first, self.lead) < 0:
            raise ValueError(f"the period of '{self.name}' is at least {LEAST_PERIOD} slabs")


@dataclass(frozen=True, slots=True)
class Port:
    """A place where magic states appear."""

    tile: Tile
    """Reached through its north side."""
    helper: Tile
    """The tile below."""
    corner: Tile
    """The north-west tile of its source."""
    source: Source


@dataclass(frozen=True, slots=True)
class Plan:
    """A chip: what each tile of a rectangle is for."""

    name: str
    width: int
    height: int
    homes: tuple[Tile, ...]
    """The tiles of the patches; there may be more of them than patches."""
    ports: tuple[Port, ...]
    lanes: NDArray[np.bool_]
    """(height, width): where routes and their helpers may be."""

    @property
    def reserved(self) -> tuple[Tile, ...]:
        """The tiles of ports and factories."""
        return tuple(tile for port in self.ports for tile in _block(port.corner, port.source))

    @property
    def tiles(self) -> int:
        """How many tiles have a use."""
        return len(self.homes) + len(self.reserved) + int(np.count_nonzero(self.lanes))


def make_plan(
    name: str, n_patches: int, sources: Sequence[Source] = (), max_tiles: int | None = None
) -> Plan:
    """The smallest chip of a family for so many patches and these sources of magic states.

    CompileError if that has more than `max_tiles` tiles.
    """
    if name not in FAMILIES:
        raise error(
            f"there is no floor plan '{name}'",
            kind=Kind.USAGE,
            help=f"there are: {', '.join(FAMILIES)}",
        )
    limit = MAX_TILES if max_tiles is None else min(max_tiles, MAX_TILES)
    if n_patches + sum(source.width * source.height for source in sources) > MAX_TILES:
        raise error(
            f"{n_patches} patches do not fit onto {MAX_TILES} tiles, the largest chip there is",
            kind=Kind.LIMIT,
        )
    lanes, homes = FAMILIES[name](max(1, n_patches))
    plan = _with_sources(name, lanes, homes[:n_patches], sources)
    if plan.tiles > limit:
        raise _too_large(plan, n_patches, limit, sources)
    return plan


def _too_large(plan: Plan, n_patches: int, limit: int, sources: Sequence[Source]) -> CompileError:
    """The error for a chip that is not large enough; names the smallest that is."""
    least = min(
        (_with_sources(name, lanes, homes[:n_patches], sources).tiles, name)
        for name, family in FAMILIES.items()
        for lanes, homes in [family(max(1, n_patches))]
    )
    ways = [f"allow {plan.tiles} tiles"]
    if least[0] < plan.tiles:
        ways.append(f"use floor plan {least[1]}, which needs {least[0]}")
    return error(
        f"floor plan {plan.name} needs {plan.tiles} tiles for {n_patches} patches and "
        f"{len(sources)} sources of magic states; there are {limit}",
        kind=Kind.LIMIT,
        help=", or ".join(ways),
    )


Grid = tuple[NDArray[np.bool_], list[Tile]]
"""The lanes of a rectangle, and homes in an order in which neighbours follow each other."""


def _sparse(n_patches: int) -> Grid:
    """Cells of 3 x 3 tiles with two patches on a diagonal, lanes all around."""
    cells = -(-n_patches // 2)
    columns = _root(cells)
    rows = -(-cells // columns)
    lanes = np.ones((3 * rows + 1, 3 * columns + 1), dtype=bool)
    homes = []
    for x, y in _boustrophedon(columns, rows):
        homes += [(3 * x + 1, 3 * y + 1), (3 * x + 2, 3 * y + 2)]
    return _without(lanes, homes[:n_patches])


def _bus(n_patches: int) -> Grid:
    """Blocks of 2 x 2 patches, lanes all around."""
    cells = -(-n_patches // 4)
    columns = _root(cells)
    rows = -(-cells // columns)
    lanes = np.ones((3 * rows + 1, 3 * columns + 1), dtype=bool)
    homes = []
    for x, y in _boustrophedon(columns, rows):
        homes += [(3 * x + 1 + dx, 3 * y + 1 + dy) for dx, dy in ((0, 0), (1, 0), (1, 1), (0, 1))]
    return _without(lanes, homes[:n_patches])


def _compact(n_patches: int) -> Grid:
    """Rows and columns of patches in pairs with a lane between: few tiles, nearly square."""
    _, columns, rows = min(_shape(n_patches, rows) for rows in range(1, _root(n_patches) + 1))
    lanes = np.ones((rows + -(-rows // 2), columns + -(-columns // 2)), dtype=bool)
    homes = [(_spread(x), _spread(y)) for x, y in _boustrophedon(columns, rows)]
    return _without(lanes, homes[:n_patches])


def _shape(n_patches: int, rows: int) -> tuple[int, int, int]:
    """(tiles and longer side, columns, rows) of the narrowest rectangle with so many rows."""
    columns = -(-n_patches // rows)
    width, height = columns + -(-columns // 2), rows + -(-rows // 2)
    return width * height + max(width, height), columns, rows


def _spread(number: int) -> int:
    """Where the row or column of patches of this number is, if lanes are at 1, 4, 7..."""
    return number + (number + 1) // 2


FAMILIES = {"sparse": _sparse, "bus": _bus, "compact": _compact}


def _root(number: int) -> int:
    """The square root, rounded up."""
    return int(np.ceil(np.sqrt(number)))


def _boustrophedon(columns: int, rows: int) -> Iterator[Tile]:
    """A rectangle row by row, to and fro, so that consecutive places are neighbours."""
    for y in range(rows):
        for x in range(columns):
            yield (columns - 1 - x if y % 2 else x), y


def _without(lanes: NDArray[np.bool_], homes: list[Tile]) -> Grid:
    """Lanes wherever no patch lives."""
    for x, y in homes:
        lanes[y, x] = False
    return lanes, homes


def _block(corner: Tile, source: Source) -> Iterator[Tile]:
    """The tiles of a source."""
    for dy in range(source.height):
        for dx in range(source.width):
            yield corner[0] + dx, corner[1] + dy


def _with_sources(
    name: str, lanes: NDArray[np.bool_], homes: list[Tile], sources: Sequence[Source]
) -> Plan:
    """Sources in shelves below the patches: so many shelves that it takes few tiles."""
    if not sources:
        return Plan(name, lanes.shape[1], lanes.shape[0], tuple(homes), (), lanes)
    if not lanes[-1].all():
        lanes = np.vstack([lanes, np.ones((1, lanes.shape[1]), dtype=bool)])
    total, widest = sum(source.width for source in sources), max(s.width for s in sources)
    widths = {max(lanes.shape[1], widest, -(-total // shelves) + 2) for shelves in range(1, 9)}
    widths |= {max(lanes.shape[1], widest + 2), max(lanes.shape[1], total)}
    plans = [_shelves(name, _widened(lanes, width), homes, sources) for width in sorted(widths)]
    return min(plans, key=lambda plan: plan.tiles + plan.width)


def _widened(lanes: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    """The chip with its last lane made longer."""
    extra = np.zeros((lanes.shape[0], width - lanes.shape[1]), dtype=bool)
    extra[-1] = True
    return np.hstack([lanes, extra])


def _shelves(
    name: str, lanes: NDArray[np.bool_], homes: list[Tile], sources: Sequence[Source]
) -> Plan:
    """Sources side by side, evenly spread, each shelf of them below a lane.

    If there are several shelves, columns of lanes lead to them at both ends.
    """
    width = lanes.shape[1]
    left, right = 0, width
    if sum(source.width for source in sources) > width:
        left, right = 1, width - 1
    ports: list[Port] = []
    waiting = list(sources)
    while waiting:
        height = lanes.shape[0]
        shelf = _take(waiting, right - left)
        spare = right - left - sum(source.width for source in shelf)
        x = left
        for number, source in enumerate(shelf):
            gap = spare * (2 * number + 1) // (2 * len(shelf))
            ports.append(_port(source, (x + gap, height)))
            x += source.width
        below = np.zeros((max(source.height for source in shelf) + bool(waiting), width), bool)
        if waiting:
            below[:, [0, -1]] = below[-1] = True
        lanes = np.vstack([lanes, below])
    return Plan(name, width, lanes.shape[0], tuple(homes), tuple(ports), lanes)


def _take(waiting: list[Source], width: int) -> list[Source]:
    """As many sources from the front as fit side by side."""
    shelf = [waiting.pop(0)]
    room = width - shelf[0].width
    while waiting and waiting[0].width <= room:
        room -= waiting[0].width
        shelf.append(waiting.pop(0))
    return shelf


def _port(source: Source, corner: Tile) -> Port:
    """The port of a source at this place."""
    x, y = corner[0] + source.output[0], corner[1] + source.output[1]
    return Port((x, y), (x, y + 1), corner, source)
