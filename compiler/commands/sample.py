"""`qwasmc sample`."""

from __future__ import annotations

import json
import os
from typing import Any

import click

from qwasmc import driver, reading
from qwasmc.commands.common import json_option, watching
from qwasmc.output import Outputs


@click.command()
@click.argument("path", metavar="CIRCUIT")
@click.option("--shots", type=click.IntRange(min=1), default=100_000, metavar="N")
@click.option("--max-errors", type=click.IntRange(min=1), metavar="N", help="Stop at N errors.")
@click.option("--decoder", default="pymatching", metavar="NAME")
@click.option(
    "-j",
    "workers",
    type=click.IntRange(min=1),
    default=os.cpu_count() or 1,
    show_default="all cores",
    metavar="N",
    help="Processes to use.",
)
@click.option(
    "--postselect",
    is_flag=True,
    help="Discard shots in which a magic state is seen to be bad: a marked detector or a flag.",
)
@json_option
@click.option("--csv", "csv", metavar="FILE", help="Write the counts as CSV that sinter reads.")
def sample(path: str, as_json: bool, csv: str | None, **given: Any) -> None:
    """Logical error rates of a noisy Stim circuit, by sampling and decoding.

    \b
    Example:
      qwasmc sample bell.stim --shots 100000 --max-errors 1000
    """
    with Outputs() as outputs, watching() as watch:
        sampled = driver.sample(reading.read_source(path), watch, **given)
        if csv:
            outputs.open(csv).write(sampled.csv)
    if as_json:
        click.echo(json.dumps(sampled.to_json(), indent=2))
        return
    click.echo(f"{'observable':<24} {'errors':>9} {'shots':>11} {'rate':>10}  95% interval")
    for name, rate in (*sampled.observables.items(), ("any", sampled.total)):
        click.echo(
            f"{name:<24} {rate.errors:>9} {rate.shots:>11} {rate.rate:>10.3g}"
            f"  {rate.low:.3g} to {rate.high:.3g}"
        )
    if sampled.discards:
        click.echo(f"{sampled.discards} further shots were discarded")
