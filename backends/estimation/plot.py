"""Plots of estimates: the machines that no other one beats in qubits and time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

from qwasmc.backends.estimation.table import time_text
from qwasmc.backends.plotting import picture

MARKERS = "osD^v"


def plot(found: Mapping[str, Any], file: BinaryIO, kind: str) -> None:
    """Draw physical qubits against runtime; `kind` is `png`, `svg` or `pdf`.

    `found` is as in `qwasmc estimate --json`.  Each model has a curve through its Pareto front, and
    a larger mark for its estimate.
    """
    with picture(file, kind) as axes:
        for i, (model, entry) in enumerate(found["models"].items()):
            front = sorted((each["runtime_s"], each["physical_qubits"]) for each in entry["pareto"])
            colour, marker = f"C{i}", MARKERS[i % len(MARKERS)]
            if front:
                axes.plot(
                    *zip(*front, strict=True), marker=".", color=colour, drawstyle="steps-post"
                )
            point = [entry["runtime_s"]], [entry["physical_qubits"]]
            label = f"{model}: {entry['physical_qubits']:,} qubits, {time_text(entry['runtime_s'])}"
            axes.plot(*point, marker=marker, markersize=9, color=colour, ls="none", label=label)
        axes.set(xscale="log", yscale="log", xlabel="runtime in s", ylabel="physical qubits")
