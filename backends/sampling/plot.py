"""Plots of logical error rates against the physical error rate or the distance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

import sinter

from qwasmc.backends.plotting import picture
from qwasmc.backends.sampling.rates import LIKELIHOOD_FACTOR
from qwasmc.diagnostics import Kind, error

AXES = {"p": "physical error rate p", "d": "code distance d"}
"""What may stand on the horizontal axis, by its key in the metadata."""


def check(described: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise a `CompileError` unless circuits, by name, can stand in one plot.

    Their metadata has `d` and `noise`, and `p` too unless it is a machine's noise.
    """
    seen: dict[tuple[Any, ...], str] = {}
    for name, each in described.items():
        if not {"d", "noise"} <= set(each):
            message = f"'{name}' does not say its distance and noise, so there is nothing to plot"
            raise error(message, kind=Kind.USAGE, help="compile it with qwasmc")
        point = each["d"], each["noise"], each.get("p")
        if point in seen:
            message = f"'{seen[point]}' and '{name}' have the same distance and noise"
            raise error(message, kind=Kind.USAGE, help="plot one program at a time")
        seen[point] = name


def plot(stats: Sequence[sinter.TaskStats], file: BinaryIO, kind: str) -> None:
    """Draw rates per shot with their 95% intervals; `kind` is `png`, `svg` or `pdf`.

    One curve per distance against p, or, where all have one p, one per noise against d.  The
    metadata of `stats` is as `check` wants it.  Rates of 0, and p = 0, have no place on the
    logarithmic axes and are left out.
    """
    axis = "p" if len({each.json_metadata.get("p") for each in stats}) > 1 else "d"

    def curve(each: sinter.TaskStats) -> dict[str, Any]:
        says = each.json_metadata
        first = f"d = {says['d']}, " if axis == "p" else ""
        strength = f":{says['p']:g}" if axis == "d" and "p" in says else ""
        label = f"{first}{says['noise']}{strength}, {each.decoder}"
        return {"label": label, "sort": (says["d"] if axis == "p" else 0, label)}

    with picture(file, kind) as axes:
        sinter.plot_error_rate(
            ax=axes,
            stats=stats,
            x_func=lambda each: each.json_metadata.get(axis, 0),
            group_func=curve,
            highlight_max_likelihood_factor=LIKELIHOOD_FACTOR,
        )
        axes.set(yscale="log", xlabel=AXES[axis], ylabel="logical error rate per shot")
        if axis == "p":
            axes.set_xscale("log")
