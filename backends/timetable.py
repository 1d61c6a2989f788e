"""The magic-state schedule of a surgery program, as JSON-ready data: who makes and uses what when.

Everything is read off the rows, so the schedule is the one that the emitted circuit follows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.ir.surgery import Letter, Row, Surgery
from qwasmc.kernel import kernel

PREPARE, JOIN, LAST_THAT_APPEARS = int(Row.PREPARE), int(Row.JOIN), int(Row.INJECT)
"""Rows up to INJECT make a patch appear."""

MEASURE, ADAPT, Y = int(Row.MEASURE), int(Row.ADAPT), int(Letter.Y)


def timetable(surgery: Surgery) -> dict[str, Any]:
    """The keys described in docs/json.md."""
    factories = _factories(surgery)
    uses = _uses(surgery, factories)
    made = uses[np.lexsort((uses[:, 0], uses[:, 1])), :2]
    return {
        "slabs": surgery.slabs,
        "chip": chip(surgery),
        "factories": factories,
        "productions": [{"slab": slab, "factory": number} for number, slab in made.tolist()],
        "consumptions": [
            {
                "slab": used,
                "factory": number,
                "made": made,
                "stall": stall,
                "source": _place(surgery, loc),
            }
            for number, made, used, stall, loc in uses.tolist()
        ],
        "buffered": _levels(uses[:, 1], uses[:, 2]),
        "stalls": int(uses[:, 3].sum()),
    }


def chip(surgery: Surgery) -> dict[str, int]:
    """The size of the chip in tiles; what is used, where no row says more."""
    found = np.flatnonzero(surgery.kind == Row.CHIP).tolist()
    width, height = surgery.tile(found[0]) if found else (0, 0)
    return {"width": width, "height": height, "tiles": width * height}


def _factories(surgery: Surgery) -> list[dict[str, Any]]:
    found = []
    for row in np.flatnonzero(surgery.kind == Row.FACTORY).tolist():
        width, height, x, y, period = surgery.operands(row)
        name = surgery.names[int(surgery.aux[row])]
        place = {"tile": list(surgery.tile(row)), "size": [width, height], "port": [x, y]}
        found.append({"name": name, **place, "period": period})
    return found


def _uses(surgery: Surgery, factories: list[dict[str, Any]]) -> NDArray[np.int32]:
    """(n, 5) factory, slabs in which a state is made and used, stall, loc, in program order.

    A state is made when it is injected, or when the last outcome of its production is there.  It is
    used in the first join of the patch at a port with a patch outside of the factory.  The stall is
    for how many slabs the patch that it acts on waited, idle.
    """
    tile = _number(surgery.x, surgery.y)
    appear = surgery.kind <= LAST_THAT_APPEARS
    tiles = np.unique(tile[appear])
    port = np.full(len(tiles), -1, dtype=np.int32)
    output = np.full(len(tiles), -1, dtype=np.int32)
    block = np.zeros((len(factories), 4), dtype=np.int32)
    for number, factory in enumerate(factories):
        x, y = factory["tile"]
        width, height = factory["size"]
        block[number] = x, y, x + width, y + height
        at_port = tiles == _number(*np.array(factory["port"]))
        port[at_port] = number
        dx, dy = (tiles >> 32) - x, (tiles & 0xFFFFFFFF) - y
        of_factory = (dx >= 0) & (dx < width) & (dy >= 0) & (dy < height)
        output[of_factory] = np.flatnonzero(at_port).max(initial=-1)
    out = np.empty((np.count_nonzero(appear), 5), dtype=np.int32)
    columns = surgery.kind, surgery.slab, tile, surgery.aux, surgery.loc
    pools = surgery.start, surgery.pool
    return out[: find_uses(*columns, *pools, tiles, port, output, block, out)]


def _number(x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.int64]:
    """Tiles as single numbers."""
    number: NDArray[np.int64] = (x.astype(np.int64) << 32) + y
    return number


@kernel
def find_uses(
    kind: NDArray[Any],
    slab: NDArray[Any],
    tile: NDArray[Any],
    aux: NDArray[Any],
    loc: NDArray[Any],
    start: NDArray[Any],
    pool: NDArray[Any],
    tiles: NDArray[Any],
    port: NDArray[Any],
    output: NDArray[Any],
    block: NDArray[Any],
    out: NDArray[Any],
) -> int:
    """Write the uses; how many there are.

    By tile, in order: `port` is the factory that delivers there, `output` where the factory that
    the tile belongs to delivers.
    """
    count = 0
    made = np.full(len(tiles), -1, np.int32)
    free = np.zeros(len(tiles), np.int32)  # the first slab in which a patch has nothing to do
    for row in range(len(kind)):
        if kind[row] <= LAST_THAT_APPEARS:
            here = np.searchsorted(tiles, tile[row])
            free[here] = slab[row] + (kind[row] == PREPARE and aux[row] == Y)
            if port[here] >= 0:
                made[here] = slab[row]
        if kind[row] == MEASURE or kind[row] == ADAPT:
            here = output[np.searchsorted(tiles, tile[row])]
            if here >= 0 and made[here] >= 0:
                made[here] = max(made[here], slab[row])
        if kind[row] != JOIN:
            continue
        begin = start[row] + 3  # see `encode_join`
        end = begin + 3 * pool[start[row]]
        for at in range(begin, end, 3):
            here = term(tiles, pool, at)
            number = port[here]
            if number < 0 or made[here] < 0:
                continue
            if within(block[number], pool, begin, end):
                continue
            ready = 0
            for other in range(begin, end, 3):
                if other != at:
                    ready = max(ready, free[term(tiles, pool, other)])
            out[count, 0], out[count, 1], out[count, 2] = number, made[here], slab[row]
            out[count, 3], out[count, 4] = slab[row] - ready, loc[row]
            made[here] = -1
            count += 1
        for at in range(begin, end, 3):
            free[term(tiles, pool, at)] = slab[row] + 1
    return count


@kernel
def term(tiles: NDArray[Any], pool: NDArray[Any], at: int) -> int:
    """Which of the tiles a term is on."""
    here: int = np.searchsorted(tiles, (np.int64(pool[at]) << 32) + pool[at + 1])
    return here


@kernel
def within(box: NDArray[Any], pool: NDArray[Any], begin: int, end: int) -> bool:
    """Whether all terms are in a box (x, y, x end, y end)."""
    for at in range(begin, end, 3):
        x, y = pool[at], pool[at + 1]
        if x < box[0] or y < box[1] or x >= box[2] or y >= box[3]:
            return False
    return True


def _place(surgery: Surgery, loc: int) -> str:
    """file:line:column."""
    where = surgery.locations
    return (
        f"{where.files[where.file[loc]]}:{where.line[loc]}:{where.column[loc]}" if loc >= 0 else ""
    )


def _levels(made: NDArray[np.int32], used: NDArray[np.int32]) -> list[list[int]]:
    """[slab, states that wait from then on], wherever that number changes."""
    slabs, index = np.unique(np.concatenate([made, used]), return_inverse=True)
    change = np.zeros(len(slabs), dtype=np.int64)
    np.add.at(change, index, np.repeat([1, -1], len(made)))
    level = np.cumsum(change)
    return [
        [slab, now]
        for slab, now in zip(slabs[change != 0].tolist(), level[change != 0].tolist(), strict=True)
    ]
