"""The drawings of docs/physics.md; `python tests/physics_pictures.py` writes them.

Stabilizers are drawn from the code that the back end measures: each covers a quarter of a square at
each of its data qubits, in the colour of its letter there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from surgery_shapes import MIXED, PLAIN, TWISTED

import qwasmc
from qwasmc.backends.drawing.surgery import surgery_svg
from qwasmc.backends.drawing.svg import INK, MARGIN, WHITE, document, path, shape, text
from qwasmc.backends.stim.code import IDLE, Code, origin, region_code
from qwasmc.backends.stim.merge import logical_support
from qwasmc.backends.view.palette import LETTERS, PALETTE, mix
from qwasmc.ir.surgery import Join, Letter

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "pictures"

STEP = 44.0
"""Pixels between neighbouring data qubits."""

DISTANCE = 3


class Board:
    """A region's stabilizers on the chip, in pixels."""

    def __init__(self, join: Join, distance: int) -> None:
        self.code: Code = region_code(join, distance)
        self.distance = distance
        tiles = list(join.tiles())
        self.low = [min(tile[axis] for tile in tiles) * (distance + 1) - 1 for axis in (0, 1)]
        far = [max(tile[axis] for tile in tiles) for axis in (0, 1)]
        wide, high = (
            (far[axis] * (distance + 1) + distance - self.low[axis]) * STEP for axis in (0, 1)
        )
        self.size = wide + 2 * MARGIN, high + 2 * MARGIN

    def place(self, x: float, y: float) -> tuple[float, float]:
        """The pixel of a place on the chip."""
        return MARGIN + (x - self.low[0]) * STEP, MARGIN + (y - self.low[1]) * STEP

    def shapes(self) -> list[str]:
        """Stabilizers, then qubits."""
        code, shapes = self.code, []
        for faces, members, letters in zip(code.faces, code.members, code.letters, strict=True):
            for face, sites, paulis in zip(faces, members, letters, strict=True):
                shapes += self.plaquette(face, sites, paulis)
        for cat in code.cats:
            ends = [self.place(x + 0.5, y + 0.5) for x, y in (cat.outer, cat.inner)]
            points = [ends[0], self.place(*cat.bridge), ends[1]]
            data = "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
            shapes.append(path(data, PALETTE["mixed"], 6.0))
            shapes += [self.dot(*point, 5, PALETTE["mixed"]) for point in points]
        for (x, y), owner in zip(code.sites.tolist(), code.owner.tolist(), strict=True):
            shapes.append(self.dot(*self.place(x, y), 5, INK if owner >= 0 else WHITE))
        return shapes

    def plaquette(
        self, face: Iterable[int], sites: Iterable[int], letters: Iterable[int]
    ) -> list[str]:
        """A quarter of a square for each data qubit of a plaquette."""
        x, y = face
        middle, shapes = self.place(x + 0.5, y + 0.5), []
        for site, letter in zip(sites, letters, strict=True):
            if site < 0:
                continue
            at = self.place(*self.code.sites[site].tolist())
            left, top = min(middle[0], at[0]), min(middle[1], at[1])
            fill = mix(PALETTE[LETTERS[int(letter)]], WHITE, 0.45)
            half = STEP / 2
            shapes.append(shape("rect", x=left, y=top, width=half, height=half, fill=fill))
        return shapes

    def dot(self, x: float, y: float, radius: float, fill: str) -> str:
        """A qubit."""
        return shape("circle", cx=x, cy=y, r=radius, fill=fill, stroke=INK, stroke_width=1.2)

    def line(self, tile: tuple[int, int], letter: Letter) -> str:
        """A logical operator of the patch on a tile."""
        west, north = origin(tile, self.distance)
        sites = logical_support(self.distance, letter).tolist()
        points = [self.place(west + x, north + y) for x, y in sites]
        data = "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
        return path(data, PALETTE[LETTERS[letter]], 5.0)


def region_svg(join: Join, distance: int = DISTANCE) -> str:
    """The stabilizers that a joint measurement measures."""
    board = Board(join, distance)
    return document(*board.size, board.shapes())


def patch_svg() -> str:
    """A patch, with its logical operators."""
    board = Board(IDLE, 5)
    wide, high = board.size
    lines = [board.line((0, 0), letter) for letter in (Letter.X, Letter.Z)]
    x, y = board.place(0, 0)
    names = [
        text(
            x + 4.6 * STEP, y - 0.75 * STEP, "logical Z", size=13, fill=PALETTE["z"], anchor="end"
        ),
        text(x - 0.8 * STEP, y + 4.75 * STEP, "logical X", size=13, fill=PALETTE["x"]),
    ]
    stabilizers, dots = board.shapes()[:-25], board.shapes()[-25:]
    return document(wide, high + 10, [*stabilizers, *lines, *dots, *names])


def program_svg(name: str, first: int, slabs: int, **options: Any) -> str:
    """Slabs of an example."""
    artifact = qwasmc.compile(ROOT / "examples" / name, emit="surgery", **options)
    return surgery_svg(artifact.surgery, artifact.program, first=first, most_slabs=slabs)


PICTURES: dict[str, Callable[[], str]] = {
    "bell.svg": partial(program_svg, "bell.qwasm", 0, 2),
    "patch.svg": patch_svg,
    "join-zz.svg": partial(region_svg, PLAIN["neighbours"]),
    "join-zx.svg": partial(region_svg, MIXED["vertical seam"]),
    "join-y.svg": partial(region_svg, TWISTED["Y"]),
    "distillation.svg": partial(program_svg, "magic.qwasm", 4, 4, factory="15-to-1"),
}


if __name__ == "__main__":
    for name, draw in PICTURES.items():
        (FOLDER / name).write_text(draw(), "utf-8")
