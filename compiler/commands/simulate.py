"""`qwasmc simulate`."""

from __future__ import annotations

import json
from typing import Any

import click

from qwasmc import driver, reading
from qwasmc.commands.common import (
    input_argument,
    iterations_option,
    make_options,
    reading_options,
    seed_option,
    watching,
)


@click.command()
@input_argument
@click.option("--shots", type=click.IntRange(min=1), default=1000, metavar="N")
@seed_option
@iterations_option
@reading_options
def simulate(path: str, shots: int, seed: int, **given: Any) -> None:
    """Run the logical program without noise; print how often each result was seen, as JSON.

    \b
    Example:
      qwasmc simulate examples/bell.qwasm --shots 1000 --seed 1
    """
    with watching() as watch:
        options = make_options(**given)
        counts = driver.simulate(reading.read_source(path), options, watch, shots, seed)
    click.echo(json.dumps(counts, indent=2))
