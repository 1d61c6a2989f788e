"""The machines that come with the compiler, and how others are found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from qwasmc.diagnostics import Kind, did_you_mean, error
from qwasmc.target.description import read_target
from qwasmc.target.machine import Target
from qwasmc.target.toml import MAX_BYTES

NAMES = (
    "grid",
    "superconducting",
    "atoms",
    "ions",
    "qubit_gate_ns_e3",
    "qubit_gate_ns_e4",
    "qubit_gate_us_e3",
    "qubit_gate_us_e4",
    "qubit_maj_ns_e4",
    "qubit_maj_ns_e6",
)
"""The machines, in the order of their list."""

_FOLDER = Path(__file__).parent / "machines"

TARGETS = tuple(
    replace(read_target((_FOLDER / f"{name}.toml").read_bytes(), name), file="") for name in NAMES
)

BY_NAME = {target.name: target for target in TARGETS}
"""Machine by name."""

DEFAULT_TARGET = TARGETS[0]


def find_target(name: str) -> Target:
    """The machine called `name`, or described by the file `name`, which ends in .toml."""
    if name in BY_NAME:
        return BY_NAME[name]
    if not name.endswith(".toml"):
        known = f"there are {', '.join(BY_NAME)}, and files, whose names end in .toml"
        help = did_you_mean(name, BY_NAME) or known
        raise error(f"unknown target '{name[:64]}'", kind=Kind.USAGE, help=help)
    try:
        with open(name, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as refused:
        raise error(f"cannot read '{name}': {refused.strerror}", kind=Kind.USAGE) from refused
    return read_target(data, name)
