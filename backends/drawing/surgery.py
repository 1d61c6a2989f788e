"""Lattice surgery programs as floor plans, slab by slab.

from IPython.display import SVG
SVG(surgery_svg(artifact.surgery, artifact.program))
"""

from __future__ import annotations

from qwasmc.backends.drawing.svg import (
    GREY,
    MARGIN,
    PAGE,
    document,
    path,
    shape,
    text,
    width_of,
)
from qwasmc.backends.view.drawing import floor_plan, plan_size
from qwasmc.backends.view.names import find_names
from qwasmc.backends.view.palette import PALETTE, mix
from qwasmc.backends.view.scene import make_scene
from qwasmc.diagnostics import Kind, error
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.surgery import Surgery

LARGEST, GAP, TITLE = 0.7, 14.0, 20.0
"""The largest scale of a floor plan, pixels between them, and above one for its title."""


def surgery_svg(
    surgery: Surgery, program: Circuit | None = None, *, first: int = 0, most_slabs: int = 6
) -> str:
    """Floor plans of some slabs side by side, from the slab `first` on, with a legend.

    `program` is the circuit that was placed, for names of qubits.  CompileError if there is no such
    slab or the chip is too large to be drawn.
    """
    scene = make_scene(surgery)
    if not 0 <= first < max(scene.slabs, 1):
        raise error(f"there is no slab {first}: there are {scene.slabs}", kind=Kind.USAGE)
    names = find_names(surgery, scene, program)
    size = plan_size(scene)
    scale = min(LARGEST, (PAGE - 2 * MARGIN) / size[0])
    wide, high = size[0] * scale, size[1] * scale
    slabs = range(first, min(first + most_slabs, scene.slabs))
    across = max(1, int((PAGE - 2 * MARGIN + GAP) // (wide + GAP)))
    shapes = []
    for number, slab in enumerate(slabs):
        x = MARGIN + (number % across) * (wide + GAP)
        y = MARGIN + (number // across) * (high + TITLE + GAP)
        shapes.append(text(x + 4, y + TITLE / 2, f"slab {slab}", fill=GREY))
        plan = floor_plan(surgery, scene, names, slab)
        moved = f"translate({x:.6g} {y + TITLE:.6g}) scale({scale:.6g})"
        shapes.append(shape("g", plan, transform=moved))
    y = MARGIN + -(-len(slabs) // across) * (high + TITLE + GAP) + 8
    legend, edge = _legend(y)
    shapes += legend
    if left := scene.slabs - len(slabs):
        y += TITLE
        note = f"{left:,} of {scene.slabs:,} slabs are not drawn"
        shapes.append(text(MARGIN, y, note, size=11, fill=GREY))
    edge = max(edge, MARGIN + min(across, len(slabs)) * (wide + GAP))
    return document(edge + MARGIN, y + MARGIN, shapes)


def _legend(y: float) -> tuple[list[str], float]:
    """A line that says what is what, and where it ends."""
    x, shapes = MARGIN, []
    for sign, doc in (
        (_line("x", ""), "X boundary"),
        (_line("z", "6 3"), "Z boundary"),
        (_area("x"), "route that carries X"),
        (_area("z"), "route that carries Z"),
        (_area("mixed", 1.0), "mixed edge"),
        (_area("magic"), "magic state, factory"),
    ):
        shapes.append(shape("g", sign, transform=f"translate({x:.6g} {y:.6g})"))
        shapes.append(text(x + 24, y, doc, size=11, fill=GREY))
        x += 24 + width_of(doc, 11) + 18
    return shapes, x


def _line(colour: str, dash: str) -> str:
    more = {"stroke_dasharray": dash} if dash else {}
    return path("M0 0H18", PALETTE[colour], 4.0, **more)


def _area(colour: str, part: float = 0.25) -> str:
    fill = mix(PALETTE["patch"], PALETTE[colour], part)
    return shape("rect", x=0.0, y=-6.0, width=18.0, height=12.0, fill=fill)
