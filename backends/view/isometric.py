"""A drawing of a surgery program in space and time as SVG: blocks, and time goes up.

Faces are red where a boundary is of type X and blue where it is of type Z, also in time: the bottom
of a block is the basis in which it starts, the top the one in which it is measured out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from qwasmc.backends.view.palette import LETTERS, PALETTE, mix
from qwasmc.backends.view.scene import Scene, carried, make_scene, parts_of
from qwasmc.diagnostics import Kind, error
from qwasmc.ir.surgery import Letter, Row, Side, Surgery

MOST_BLOCKS = 20_000
"""Most blocks of a drawing."""

ACROSS, DOWN, UP = 22.0, 11.0, 24.0
"""Pixels of the picture for a tile to the east, to the right and down, and for a slab, up."""

GAP = 0.18
"""Of a tile, between a block and the edge of its tile."""


PAUSE = 0.05
"""Of a slab, before and after a block."""


class _Block(NamedTuple):
    """A box in tiles and slabs, with the colours of its southern and eastern side and its top."""

    slab: int
    low: float
    high: float
    x: float
    y: float
    wide: float
    deep: float
    south: str
    east: str
    top: str


def space_time_svg(surgery: Surgery) -> str:
    """All slabs of a program as blocks, seen from the south-east and above.

    CompileError if there are more blocks than a drawing holds.
    """
    scene = make_scene(surgery)
    patches = scene.patches
    count = int((patches.last - patches.first + 1).sum(dtype=np.int64))
    count += len(scene.joins.routes) + len(scene.joins.edges)
    if count > MOST_BLOCKS:
        message = f"the drawing would have {count} blocks, at most {MOST_BLOCKS} are drawn"
        raise error(message, kind=Kind.LIMIT, help="use `qwasmc view`")
    blocks = [*_patches(surgery, scene), *_regions(scene)]
    # What is drawn later covers what is drawn before: it is later, or nearer in the same slab.
    blocks.sort(key=lambda each: (each.slab, each.x + each.wide / 2 + each.y + each.deep / 2))
    west, north, east, south = scene.box
    ground = _Block(0, 0, 0, west, north, east - west, south - north, "", "", PALETTE["tile"])
    shapes = [_face(_corners(ground, 0), PALETTE["tile"])]
    shapes += [face for block in blocks for face in _faces(block)]
    left, right = (west - south) * ACROSS, (east - north) * ACROSS
    top, bottom = (west + north) * DOWN - scene.slabs * UP, (east + south) * DOWN
    view = f"{left - 8:g} {top - 8:g} {right - left + 16:g} {bottom - top + 16:g}"
    size = f'width="{right - left + 16:g}" height="{bottom - top + 16:g}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}" {size}'
    body = "\n".join(shapes)
    return f'{head} stroke="{PALETTE["ink"]}" stroke-width="0.6">\n{body}\n</svg>\n'


def _patches(surgery: Surgery, scene: Scene) -> Iterator[_Block]:
    patches = scene.patches
    columns = (patches.x, patches.y, patches.first, patches.last, patches.begin, patches.end)
    for x, y, first, last, begin, end in zip(*(each.tolist() for each in columns), strict=True):
        magic = surgery.kind[begin] == Row.INJECT
        for slab in range(first, last + 1):
            sides = PALETTE["x"], PALETTE["z"]
            if magic and slab == first:
                sides = PALETTE["magic"], PALETTE["magic"]
            top = _end(surgery, end) if slab == last else PALETTE["patch"]
            low, high = slab + PAUSE * (slab == first), slab + 1 - PAUSE * (slab == last)
            box = low, high, x + GAP, y + GAP, 1 - 2 * GAP, 1 - 2 * GAP
            yield _Block(slab, *box, *sides, top)


def _end(surgery: Surgery, row: int) -> str:
    """The colour of the basis in which a patch ends."""
    if row >= 0 and surgery.kind[row] == Row.MEASURE:
        return PALETTE[LETTERS[int(surgery.aux[row])]]
    return PALETTE["y" if row >= 0 and surgery.kind[row] == Row.ADAPT else "open"]


def _regions(scene: Scene) -> Iterator[_Block]:
    """Route tiles and the pipes across edges."""
    long = 1 - 2 * GAP
    for number, slab in enumerate(scene.joins.slab.tolist()):
        _, route, edges = parts_of(scene.joins, number)
        letters = {(x, y): letter for x, y, letter in route}
        when = slab, slab + PAUSE, slab + 1 - PAUSE
        for x, y, letter in route:
            yield _Block(*when, x + GAP, y + GAP, long, long, *_colours(letter))
        for x, y, side, mixed in edges:
            letter = carried(letters, (x, y), side)
            colours = (PALETTE["mixed"],) * 3 if mixed else _colours(letter)
            if side == Side.E:
                yield _Block(*when, x + 1 - GAP, y + GAP, 2 * GAP, long, *colours)
            else:
                yield _Block(*when, x + GAP, y + 1 - GAP, long, 2 * GAP, *colours)


def _colours(letter: int) -> tuple[str, str, str]:
    """Those of a tile that carries a letter: it starts and ends in the other one."""
    rim, other = PALETTE[LETTERS[letter]], PALETTE[LETTERS[Letter.Y - letter]]
    return rim, rim, other


def _corners(block: _Block, height: float) -> list[tuple[float, float]]:
    """The corners NW, NE, SE, SW of a block at a height in slabs, in the picture."""
    x0, y0, x1, y1 = block.x, block.y, block.x + block.wide, block.y + block.deep
    return [
        ((x - y) * ACROSS, (x + y) * DOWN - height * UP)
        for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
    ]


def _faces(block: _Block) -> Iterator[str]:
    low, high = _corners(block, block.low), _corners(block, block.high)
    yield _face([low[3], low[2], high[2], high[3]], mix(block.south, PALETTE["ink"], 0.08))
    yield _face([low[2], low[1], high[1], high[2]], mix(block.east, PALETTE["ink"], 0.2))
    yield _face(high, block.top)


def _face(points: list[tuple[float, float]], fill: str) -> str:
    text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polygon points="{text}" fill="{fill}"/>'
