"""Grids of tiles of the cost model that DASCOT compiles for.

    square, up to 4 qubits     compact, up to 4 qubits

    . M . M . M .              . M . M .
    M . . . . . M              M Q . Q M
    . . Q . Q . .              . . . . .
    M . . . . . M              M Q . Q M
    . . Q . Q . .              . M . M .
    M . . . . . M
    . M . M . M .

Qubits sit on sites (Q); a site without a qubit is a lane like any other tile (.).  Every other tile
of the border holds magic states (M).  The arrangements are those of wisq 0.2.7
(`square_sparse_layout` and `compact_layout` with magic states on all sides), so that results can
be compared tile by tile.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Grid:
    """Tiles (x, y) with 0 <= x < width and 0 <= y < height; y grows downwards."""

    width: int
    height: int
    sites: NDArray[Any]
    """(s, 2): tiles that may hold a qubit."""
    magic: NDArray[Any]
    """(k, 2): tiles with magic states."""


def square_grid(n_qubits: int) -> Grid:
    """Sites two tiles apart in a square, with a lane and the border around them."""
    side = max(1, math.isqrt(n_qubits - 1) + 1 if n_qubits else 0)
    places = range(2, 2 * side + 1, 2)
    sites = [(x, y) for y in places for x in places]
    return _with_border(2 * side + 3, 2 * side + 3, sites)


def compact_grid(n_qubits: int) -> Grid:
    """Two rows of sites along one lane; with two qubits or less no gate has a path."""
    columns = max(1, (n_qubits + 1) // 2)
    sites = [(2 * i + 1, y) for i in range(columns) for y in (1, 3)]
    return _with_border(2 * columns + 1, 5, sites)


def _with_border(width: int, height: int, sites: list[tuple[int, int]]) -> Grid:
    """A grid of odd width and height, with magic states on every other tile of its border."""
    magic = [
        (x, y)
        for y in range(height)
        for x in range(width)
        if (x + y) % 2 and (x in (0, width - 1) or y in (0, height - 1))
    ]
    return Grid(width, height, np.array(sites), np.array(magic))
