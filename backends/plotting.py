"""Figures, as all plots have them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

UNDATED: dict[str, dict[str, None]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
"""Metadata without the time, by kind of file."""


@contextmanager
def picture(file: BinaryIO, kind: str) -> Iterator[Axes]:
    """Axes to draw on, with a grid and a legend; at the end they are saved.

    `kind` is `png`, `svg` or `pdf`.  Equal drawings give equal bytes.
    """
    # A fixed salt: otherwise the names inside an SVG differ from run to run.
    with mpl.rc_context({"svg.hashsalt": "qwasmc", "font.size": 11}):
        figure = Figure(figsize=(7, 5), layout="constrained")
        axes = figure.add_subplot()
        yield axes
        axes.grid(which="both", alpha=0.3)
        axes.legend()
        figure.savefig(file, format=kind, dpi=150, metadata=UNDATED.get(kind))
