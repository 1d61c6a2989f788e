"""The colours of the page and of the drawings.

X is red and Z is blue, as usual, in shades that differ in lightness, too; they, green and yellow
are close to the palette of Okabe and Ito, which people with any colour vision can tell apart.
"""

from __future__ import annotations

PALETTE = {
    "x": "#d1495b",
    "z": "#1f6fb5",
    "y": "#12997a",
    "mixed": "#e9b62f",
    "magic": "#8a5bb8",
    "open": "#9aa5b1",
    "patch": "#fbfaf7",
    "tile": "#eef1f4",
    "line": "#d3dae1",
    "ink": "#1c2733",
}
"""Boundaries of type X and Z, what is about Y, mixed edges, magic states, open ends; then the
inside of a patch, an empty tile, the grid, and text."""

LETTERS = {1: "x", 2: "z", 3: "y"}
"""The colour of a `Letter`."""


def mix(colour: str, other: str, part: float) -> str:
    """A colour with a part of another one; both as #rrggbb."""
    pairs = [(int(colour[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in pairs)
