"""`qwasmc ops`, `passes`, `formats` and `targets`: tables of what there is."""

from __future__ import annotations

import click

from qwasmc.formats import FORMATS
from qwasmc.ops import OPS
from qwasmc.pipeline import PASSES
from qwasmc.target import TARGETS


@click.command()
def ops() -> None:
    """The operations of the Program and Circuit IR.

    \b
    Example:
      qwasmc ops
    """
    for spec in OPS:
        click.echo(f"{spec.name:<12} {spec.cost.name.lower():<10} {spec.doc}")


@click.command()
def passes() -> None:
    """The passes, in the order they run.

    \b
    Example:
      qwasmc passes
    """
    for row in PASSES:
        level = "on request" if row.level is None else f"-O{row.level}"
        click.echo(f"{row.name:<14} {row.takes:>8} -> {row.gives:<8} {level:<11} {row.doc}")


@click.command()
def formats() -> None:
    """What `compile --emit` can write.

    \b
    Example:
      qwasmc formats
    """
    for row in FORMATS:
        click.echo(f"{row.name:<16} {' '.join(row.suffixes):<14} {row.doc}")


@click.command()
def targets() -> None:
    """The machines that circuits are made for.

    \b
    Example:
      qwasmc targets
    """
    for target in TARGETS:
        allowed = target.distances
        click.echo(f"{target.name:<8} d={allowed[0]}..{allowed[-1]} odd  {target.doc}")
