"""The floor plan of a slab as SVG.

It needs no script, so it can stand in documents and notebooks:

    from IPython.display import SVG
    SVG(slab_svg(artifact.surgery, 0, artifact.program))

Colours are those of the page.  X boundaries are solid lines and Z boundaries dashed ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from qwasmc.backends.drawing.svg import escaped
from qwasmc.backends.view.names import Names, find_names
from qwasmc.backends.view.palette import LETTERS, PALETTE, mix
from qwasmc.backends.view.scene import Scene, carried, make_scene, parts_of, twists
from qwasmc.diagnostics import Kind, error
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.surgery import Letter, Row, Side, Surgery, Tile

SIZE = 64
"""Pixels of a tile."""

INSET = 9
"""Pixels between a patch and the edge of its tile."""

MARGIN = 26
"""Pixels around the chip, for coordinates."""

DASHED = ' stroke-dasharray="6 3"'

Part = Sequence[int]


def slab_svg(surgery: Surgery, slab: int, program: Circuit | None = None) -> str:
    """The floor plan of a slab; `program` is the circuit that was placed, for names of qubits.

    CompileError if there is no such slab or the chip is too large to be drawn.
    """
    scene = make_scene(surgery)
    if not 0 <= slab < max(scene.slabs, 1):
        raise error(f"there is no slab {slab}: there are {scene.slabs}", kind=Kind.USAGE)
    return floor_plan(surgery, scene, find_names(surgery, scene, program), slab)


def plan_size(scene: Scene) -> tuple[int, int]:
    """Width and height of floor plans, in pixels."""
    west, north, east, south = scene.box
    return (east - west) * SIZE + 2 * MARGIN, (south - north) * SIZE + 2 * MARGIN


def floor_plan(surgery: Surgery, scene: Scene, names: Names, slab: int) -> str:
    """The floor plan of a slab that there is."""
    west, north, _, _ = scene.box
    shapes = [*_grid(scene), *_factories(surgery)]
    patches = _patches_in(surgery, scene, names, slab)
    shapes += [shape for patch in patches for shape in patch.body()]
    letters: dict[Tile, int] = {}
    for number in np.flatnonzero(scene.joins.slab == slab).tolist():
        terms, route, edges = parts_of(scene.joins, number)
        letters |= {(x, y): letter for x, y, letter in terms}
        shapes += _region(terms, route, edges)
    shapes += [shape for patch in patches for shape in patch.marks(letters)]
    wide, high = plan_size(scene)
    left, top = west * SIZE - MARGIN, north * SIZE - MARGIN
    return _document(f"{left} {top} {wide} {high}", wide, high, shapes)


def _document(view: str, wide: float, high: float, shapes: Iterable[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}" width="{wide}" height="{high}"'
    )
    body = "\n".join(shapes)
    return f'{head} font-family="sans-serif" text-anchor="middle">\n{body}\n</svg>\n'


def _tint(colour: str, part: float) -> str:
    """The inside of a patch with a part of another colour."""
    return mix(PALETTE["patch"], colour, part)


def _rect(x: float, y: float, wide: float, high: float, fill: str, more: str = "") -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{wide:g}" height="{high:g}" fill="{fill}"{more}/>'


def _line(x0: float, y0: float, x1: float, y1: float, letter: int) -> str:
    """A boundary."""
    dash = DASHED if letter == Letter.Z else ""
    colour = PALETTE[LETTERS[letter]]
    return f'<path d="M{x0:g} {y0:g}L{x1:g} {y1:g}" stroke="{colour}" stroke-width="4"{dash}/>'


def _text(x: float, y: float, text: str, size: float, fill: str, more: str = "") -> str:
    shrunk = min(size, 1.5 * (SIZE - 2 * INSET) / max(len(text), 1))
    return (
        f'<text x="{x:g}" y="{y + shrunk * 0.35:g}" font-size="{shrunk:.3g}" fill="{fill}"{more}>'
        f"{escaped(text)}</text>"
    )


def _grid(scene: Scene) -> list[str]:
    west, north, east, south = scene.box
    box = west * SIZE, north * SIZE, (east - west) * SIZE, (south - north) * SIZE
    across = "".join(f"M{x * SIZE} {north * SIZE}V{south * SIZE}" for x in range(west, east + 1))
    down = "".join(f"M{west * SIZE} {y * SIZE}H{east * SIZE}" for y in range(north, south + 1))
    grey = "#7d8995"
    return [
        _rect(*box, PALETTE["tile"]),
        f'<path d="{across}{down}" stroke="{PALETTE["line"]}"/>',
        *(_text((x + 0.5) * SIZE, north * SIZE - 12, str(x), 11, grey) for x in range(west, east)),
        *(_text(west * SIZE - 13, (y + 0.5) * SIZE, str(y), 11, grey) for y in range(north, south)),
    ]


def _factories(surgery: Surgery) -> list[str]:
    shapes = []
    outline = f' fill-opacity="0.1" stroke="{PALETTE["magic"]}" stroke-dasharray="4 3"'
    for row in np.flatnonzero(surgery.kind == Row.FACTORY).tolist():
        (x, y), (wide, high) = surgery.tile(row), surgery.operands(row)[:2]
        box = x * SIZE + 3, y * SIZE + 3, wide * SIZE - 6, high * SIZE - 6
        shapes.append(_rect(*box, PALETTE["magic"], outline))
        name = surgery.names[int(surgery.aux[row])]
        at = (x + wide / 2) * SIZE, (y + high) * SIZE - 4
        halo = ' stroke="#fff" stroke-width="3" paint-order="stroke"'
        shapes.append(_text(*at, name, 8, PALETTE["magic"], halo))
    return shapes


class _Patch:
    """A patch in a slab: `start` and `end` are letters if it is prepared or measured there."""

    def __init__(self, tile: Tile, name: str, magic: bool, start: int, end: str) -> None:
        self.left, self.top = tile[0] * SIZE, tile[1] * SIZE
        self.tile, self.name, self.magic, self.start, self.end = tile, name, magic, start, end

    def body(self) -> list[str]:
        """The square with its boundaries."""
        fill = _tint(PALETTE["magic"], 0.3) if self.magic else PALETTE["patch"]
        long = SIZE - 2 * INSET
        return [
            _rect(self.left + INSET, self.top + INSET, long, long, fill),
            *(_rim(self.tile, side) for side in Side),
        ]

    def marks(self, letters: dict[Tile, int]) -> list[str]:
        """The name, the letter that is measured jointly, preparation and measurement."""
        x, y = self.left + SIZE / 2, self.top + SIZE / 2
        letter = letters.get(self.tile)
        ink = PALETTE["magic"] if self.magic else PALETTE["ink"]
        shapes = [_text(x, y - (7 if letter else 0), self.name, 14, ink, ' font-weight="bold"')]
        if letter:
            colour, below = PALETTE[LETTERS[letter]], 9 if self.name else 0
            shapes.append(_text(x, y + below, Letter(letter).name, 13, colour))
        if self.start:
            colour = PALETTE[LETTERS[self.start]]
            disc = f'<circle cx="{x - 17:g}" cy="{y + 17:g}" r="5.5" fill="{colour}"/>'
            shapes += [disc, _text(x - 17, y + 17, Letter(self.start).name, 8, "#fff")]
        if self.end:
            colour = PALETTE[self.end.lower() if self.end != "?" else "y"]
            ring = f' fill="#fff" stroke="{colour}" stroke-width="1.5"'
            shapes.append(f'<circle cx="{x + 17:g}" cy="{y - 17:g}" r="5.5"{ring}/>')
            shapes.append(_text(x + 17, y - 17, self.end, 8, colour))
        return shapes


def _rim(tile: Tile, side: Side, letter: int = 0) -> str:
    """A boundary of a tile: of that letter, or of the type that patches have there."""
    x, y = tile[0] * SIZE, tile[1] * SIZE
    low, high = INSET, SIZE - INSET
    corners = [(low, low), (high, low), (high, high), (low, high)]
    (ax, ay), (bx, by) = corners[side], corners[(side + 1) % 4]
    kind = letter or (Letter.X if side in (Side.N, Side.S) else Letter.Z)
    return _line(x + ax, y + ay, x + bx, y + by, kind)


def _patches_in(surgery: Surgery, scene: Scene, names: Names, slab: int) -> list[_Patch]:
    patches = scene.patches
    found = []
    for p in np.flatnonzero((patches.first <= slab) & (patches.last >= slab)).tolist():
        begin, end = int(patches.begin[p]), int(patches.end[p])
        magic = bool(surgery.kind[begin] == Row.INJECT)
        name = names.texts[names.patch[p]] if names.patch[p] >= 0 else "T" if magic else ""
        prepared = surgery.kind[begin] == Row.PREPARE and patches.first[p] == slab
        last = ""
        if end >= 0 and patches.last[p] == slab:
            if surgery.kind[end] == Row.MEASURE:
                last = Letter(surgery.aux[end]).name
            elif surgery.kind[end] == Row.ADAPT:
                last = "?"
        start = int(surgery.aux[begin]) if prepared else 0
        found.append(_Patch((int(patches.x[p]), int(patches.y[p])), name, magic, start, last))
    return found


def _region(terms: Sequence[Part], route: Sequence[Part], edges: Sequence[Part]) -> list[str]:
    """A joint measurement: its route, the bars across its edges, its twists."""
    shapes = []
    merged = {(x, y, side) for x, y, side, _ in edges}
    merged |= {
        (x + (side == Side.E), y + (side == Side.S), (side + 2) % 4) for x, y, side in merged
    }
    long = SIZE - 2 * INSET
    for x, y, letter in route:
        fill = _tint(PALETTE[LETTERS[letter]], 0.25)
        shapes.append(_rect(x * SIZE + INSET, y * SIZE + INSET, long, long, fill))
        free = [side for side in Side if (x, y, side) not in merged]
        shapes += [_rim((x, y), side, letter) for side in free]
    letters = {(x, y): letter for x, y, letter in route}
    for x, y, side, mixed in edges:
        shapes += _bar((x, y), Side(side), carried(letters, (x, y), side), bool(mixed))
    for x, y in twists(terms, edges):
        dot = f'<circle cx="{x * SIZE}" cy="{y * SIZE}" r="7" fill="{PALETTE["y"]}"/>'
        shapes += [dot, _text(x * SIZE, y * SIZE, "Y", 9, "#fff")]
    return shapes


def _bar(tile: Tile, side: Side, letter: int, mixed: bool) -> list[str]:
    """The seam between two tiles that are merged."""
    x, y = tile[0] * SIZE, tile[1] * SIZE
    long, half = SIZE - 2 * INSET, INSET + 2
    fill = PALETTE["mixed"] if mixed else _tint(PALETTE[LETTERS[letter]], 0.25)
    if side == Side.E:
        left, top, wide, high = x + SIZE - half, y + INSET, 2 * half, long
        ends = [(left, top, left + wide, top), (left, top + high, left + wide, top + high)]
    else:
        left, top, wide, high = x + INSET, y + SIZE - half, long, 2 * half
        ends = [(left, top, left, top + high), (left + wide, top, left + wide, top + high)]
    rims = [] if mixed else [_line(*end, letter) for end in ends]
    return [_rect(left, top, wide, high, fill), *rims]
