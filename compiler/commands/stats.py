"""`qwasmc stats`."""

from __future__ import annotations

import json
from typing import Any

import click

from qwasmc import driver, reading
from qwasmc.commands.common import (
    input_argument,
    json_option,
    level_option,
    make_options,
    pass_options,
    reading_options,
    table,
    target_option,
    watching,
)
from qwasmc.pipeline import load


@click.command()
@input_argument
@json_option
@target_option
@reading_options
@level_option
@pass_options
def stats(path: str, as_json: bool, **given: Any) -> None:
    """Count qubits, gates and measurements after the chosen passes.

    \b
    Example:
      qwasmc stats examples/bell.qwasm --json
    """
    with watching() as watch:
        options = make_options(emit="circuit", **given)
        artifact = driver.compile_source(reading.read_source(path), options, watch)
        counts: dict[str, Any] = load("qwasmc.backends.stats:stats")(artifact.ir)
    if as_json:
        click.echo(json.dumps(counts))
        return
    gates = counts.pop("gates")
    table([*counts.items(), *gates.items()], ("what", "count"), "{:>14} {:>9}")
