"""The machines that circuits are made for."""

from __future__ import annotations

from dataclasses import dataclass

from qwasmc.diagnostics import Kind, error


@dataclass(frozen=True, slots=True)
class Target:
    """A machine: `distances` are the code distances its layout is defined for."""

    name: str
    doc: str
    distances: range


TARGETS: tuple[Target, ...] = (
    Target(
        name="grid",
        doc="Unbounded square grid of qubits, CX between nearest neighbours, all else local: "
        "data qubits on integer sites, ancillas between them, one tile per (d+1) x (d+1) sites.",
        distances=range(3, 102, 2),
    ),
)

DEFAULT_TARGET = TARGETS[0]

DEFAULT_DISTANCE = 3
"""For a program that declares no distance."""

DEFAULT_ERROR_RATE = 1e-3
"""Physical error rate of a circuit whose noise is not given."""

FLOOR_PLANS = ("sparse", "bus", "compact")
"""Families of arrangements of patches and lanes; see `qwasmc.passes.scheduling.plan`."""

FACTORIES = ("port", "injection", "cultivation-3", "cultivation-5", "15-to-1")
"""Kinds of sources of magic states; see `qwasmc.passes.scheduling.factories`."""

INJECTING = ("injection", "15-to-1")
"""Those that begin with physical qubits, and the noise of these."""


def check_distance(target: Target, distance: int) -> None:
    """Raise a CompileError if a target has no layout for a distance."""
    allowed = target.distances
    if distance not in allowed:
        raise error(
            f"target '{target.name}' has no layout for distance {distance}",
            kind=Kind.LIMIT,
            help=f"use an odd distance from {allowed[0]} to {allowed[-1]}",
        )
