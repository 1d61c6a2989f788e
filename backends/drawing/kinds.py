"""Kinds of operations, and their colours in all drawings."""

from __future__ import annotations

import math
from collections.abc import Container
from fractions import Fraction
from typing import NamedTuple

from qwasmc.backends.drawing.svg import GREY, INK, WHITE, shape, text, width_of
from qwasmc.backends.view.palette import PALETTE, mix
from qwasmc.ops import Cost, OpSpec

AMBER = "#a87400"
"""Yellow that can be read on white."""


class Kind(NamedTuple):
    """How operations of a kind look: what the legend says, the inside, the rim and the letters.

    What the legend says nothing of has no colour.
    """

    doc: str
    fill: str
    rim: str
    ink: str


PAULI = Kind("Pauli", PALETTE["tile"], GREY, INK)
CLIFFORD = Kind("Clifford", mix(WHITE, PALETTE["z"], 0.16), PALETTE["z"], INK)
MAGIC = Kind("T", PALETTE["magic"], PALETTE["magic"], WHITE)
ROTATION = Kind(
    "rotation, Toffoli: not yet in T", mix(WHITE, PALETTE["magic"], 0.2), PALETTE["magic"], INK
)
MEASUREMENT = Kind("measurement", mix(WHITE, PALETTE["mixed"], 0.35), AMBER, INK)
QUBIT = Kind("begin or end of a qubit", WHITE, GREY, INK)
MARKER = Kind("", WHITE, GREY, GREY)
CLASSICAL = Kind("", WHITE, WHITE, GREY)

KINDS = (PAULI, CLIFFORD, MAGIC, ROTATION, MEASUREMENT, QUBIT, MARKER, CLASSICAL)


def kind_of(spec: OpSpec) -> Kind:
    """The kind of an operation."""
    if spec.makes_bit and spec.qubits:
        return MEASUREMENT
    if spec.is_gate:
        if spec.cost == Cost.MAGIC:
            return MAGIC
        if spec.cost == Cost.SYNTHESIS:
            return ROTATION
        return PAULI if spec.is_pauli else CLIFFORD
    if spec.makes_qubit or spec.ends_qubit or spec.name == "reset":
        return QUBIT
    return MARKER if spec.is_marker or spec.name in ("barrier", "syndrome") else CLASSICAL


def angle_text(angle: float) -> str:
    """An angle in radians, as a fraction of pi if it is one."""
    part = Fraction(angle / math.pi).limit_denominator(1024)
    if not math.isclose(float(part) * math.pi, angle, rel_tol=1e-12):
        return f"{angle:.3g}"
    over = f"/{part.denominator}" if part.denominator > 1 else ""
    times = {1: "π", -1: "-π", 0: "0"}.get(part.numerator, f"{part.numerator}π")
    return times + over if part else "0"


def legend(present: Container[Kind], x: float, y: float) -> tuple[list[str], float]:
    """A line that says which colour means what, for the kinds that are there; and where it ends."""
    shapes = []
    for kind in KINDS:
        if kind in present and kind.doc:
            box = {"x": x, "y": y - 6, "width": 12.0, "height": 12.0, "rx": 2.0}
            shapes.append(shape("rect", **box, fill=kind.fill, stroke=kind.rim))
            shapes.append(text(x + 18, y, kind.doc, size=11, fill=GREY))
            x += 18 + width_of(kind.doc, 11) + 20
    return shapes, x - 20
