"""`qwasmc ops`, `passes` and `formats`: tables of what there is."""

from __future__ import annotations

import click

from qwasmc.commands.common import table
from qwasmc.formats import FORMATS
from qwasmc.ops import OPS
from qwasmc.pipeline import PASSES


@click.command()
def ops() -> None:
    """The operations of the Program and Circuit IR.

    \b
    Example:
      qwasmc ops
    """
    rows = [(spec.name, spec.cost.name.lower(), spec.doc) for spec in OPS]
    table(rows, ("operation", "cost", "what it does"), "{:<12} {:<10} {}")


@click.command()
def passes() -> None:
    """The passes, in the order they run.

    \b
    Example:
      qwasmc passes
    """
    rows = [(row.name, row.takes, row.gives, _level(row.level), row.doc) for row in PASSES]
    headers = ("pass", "from", "to", "level", "what it does")
    table(rows, headers, "{:<14} {:>8} -> {:<8} {:<11} {}")


def _level(level: int | None) -> str:
    """The lowest optimisation level that runs a pass."""
    return "on request" if level is None else f"-O{level}"


@click.command()
def formats() -> None:
    """What `compile --emit` can write.

    \b
    Example:
      qwasmc formats
    """
    rows = [(row.name, " ".join(row.suffixes), row.doc) for row in FORMATS]
    table(rows, ("format", "suffixes", "what is written"), "{:<16} {:<14} {}")
