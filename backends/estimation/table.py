"""Estimates as a table, one column per model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Entry = Mapping[str, Any]

UNITS = (
    ("years", 365.25 * 86400),
    ("days", 86400.0),
    ("h", 3600.0),
    ("min", 60.0),
    ("s", 1.0),
    ("ms", 1e-3),
    ("us", 1e-6),
    ("ns", 1e-9),
)


def time_text(seconds: float) -> str:
    """A time in the largest unit that it has at least one of."""
    name, unit = next((row for row in UNITS if seconds >= row[1]), UNITS[-1])
    return f"{seconds / unit:.4g} {name}"


def _factories(entry: Entry) -> str:
    found = entry["factories"]
    return f"{found['count']:,} x {found['kind']}" if found["count"] else "none"


def _error(name: str) -> Callable[[Entry], str]:
    return lambda entry: f"{entry['error'][name]:.3g}"


def _number(name: str) -> Callable[[Entry], str]:
    return lambda entry: f"{entry[name]:,}" if name in entry else ""


ROWS: tuple[tuple[str, Callable[[Entry], str]], ...] = (
    ("physical qubits", _number("physical_qubits")),
    ("runtime", lambda entry: time_text(entry["runtime_s"])),
    ("distance", _number("distance")),
    ("tiles", _number("tiles")),
    ("rounds", _number("rounds")),
    ("logical cycles", _number("cycles")),
    ("T states", _number("t_states")),
    ("factories", _factories),
    ("error budget", _error("budget")),
    ("of logical qubits", _error("logical")),
    ("of magic states", _error("magic")),
    ("of synthesis", _error("synthesis")),
)
"""What is told of each model."""

COUNTS = {
    "qubits": "qubits",
    "t": "T",
    "rotations": "rotations",
    "rotation_depth": "rotation layers",
    "ccz": "Toffolis",
    "ccix": "temporary ANDs",
    "measurements": "measurements",
}


def lines_of(found: Entry) -> list[list[str]]:
    """The table's lines; the first one is its head.  `found` is as in `qwasmc estimate --json`."""
    models = found["models"]
    lines = [["", *models]]
    for label, cell in ROWS:
        cells = [cell(entry) for entry in models.values()]
        if any(cells):
            lines.append([label, *cells])
    return lines


def counts_of(found: Entry) -> str:
    """The logical counts in a line."""
    counts = found["counts"]
    parts = [f"{counts[name]:,} {label}" for name, label in COUNTS.items() if counts[name]]
    return f"{found['input']}: {', '.join(parts)}"


def assumptions_of(found: Entry) -> list[str]:
    """What each model takes for granted, in sentences."""
    return [
        f"{model}: {sentence}"
        for model, entry in found["models"].items()
        for sentence in entry["assumptions"]
    ]
