"""`qwasmc draw`."""

from __future__ import annotations

from typing import Any

import click

from qwasmc import driver, reading
from qwasmc.commands.common import (
    input_argument,
    level_option,
    make_options,
    output_option,
    pass_options,
    reading_options,
    target_option,
    watching,
)
from qwasmc.commands.compile import check_not_input
from qwasmc.formats import DRAWINGS
from qwasmc.output import Outputs
from qwasmc.pipeline import load


@click.command()
@input_argument
@output_option
@click.option(
    "--emit",
    type=click.Choice(list(DRAWINGS)),
    default="circuit",
    help="What is drawn: the blocks of a program, the optimised circuit, or floor plans.",
)
@click.option(
    "--slab",
    "first",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="The first slab whose floor plan is drawn.",
)
@target_option
@reading_options
@level_option
@pass_options
def draw(path: str, output: str, emit: str, first: int, **given: Any) -> None:
    """Draw a program, a circuit or floor plans, as one SVG file.

    \b
    Example:
      qwasmc draw examples/teleport.qwasm -o teleport.svg
      qwasmc draw examples/magic.qwasm --emit surgery -o magic.svg
    """
    check_not_input(path, [output])
    if first and emit != "surgery":
        raise click.UsageError(f"--slab needs --emit surgery, not {emit}")
    with Outputs() as outputs, watching() as watch:
        file = outputs.open(output)  # what can go wrong with it does so at once
        options = make_options(emit=emit, **given)
        artifact = driver.compile_source(reading.read_source(path), options, watch)
        with watch.timed("draw"):
            function = load(DRAWINGS[emit])
            if emit == "surgery":
                picture = function(artifact.surgery, artifact.trail.program, first=first)
            else:
                picture = function(artifact.ir)
            file.write(picture)
