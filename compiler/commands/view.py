"""`qwasmc view`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from qwasmc import driver, reading
from qwasmc.artifact import Artifact
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
from qwasmc.output import Outputs
from qwasmc.pipeline import load
from qwasmc.running import error_rate
from qwasmc.target import DEFAULT_DISTANCE


@click.command()
@input_argument
@output_option
@click.option(
    "-d",
    "--distance",
    type=int,
    metavar="D",
    help=f"Code distance; by default what the program declares, else {DEFAULT_DISTANCE}.",
)
@target_option
@reading_options
@level_option
@pass_options
def view(path: str, output: str, **given: Any) -> None:
    """Show a program in space and time, as one HTML page that needs nothing else.

    \b
    Example:
      qwasmc view examples/bell.qwasm -o bell.html
      qwasmc compile examples/bell.qwasm --emit surgery | qwasmc view - -o bell.html
    """
    check_not_input(path, [output])
    with Outputs() as outputs, watching() as watch:
        file = outputs.open(output)  # what can go wrong with it does so at once
        options = make_options(emit="surgery", **given)
        artifact = driver.compile_source(reading.read_source(path), options, watch)
        with watch.timed("view"):
            file.write(page_of(artifact))


def page_of(artifact: Artifact) -> str:
    """The page that shows what a compilation to surgery has made."""
    surgery, schedule, program = artifact.surgery, artifact.schedule, artifact.trail.program
    figures = load("qwasmc.backends.view.figures:figures")(surgery, schedule, program)
    data = load("qwasmc.backends.view.data:page_data")(
        surgery,
        schedule,
        figures,
        title=Path(artifact.source.name).name,
        program=program,
        errors=_errors(artifact, schedule),
    )
    return str(load("qwasmc.backends.view.page:page")(data))


def _errors(artifact: Artifact, schedule: dict[str, Any]) -> dict[str, float]:
    """Where errors come from, at the physical error rate that formulas take.

    Kinds of factories that nothing is known of at that rate, or at all, are left out.
    """
    rate, code = error_rate(artifact.options), artifact.options.machine.code
    known = load("qwasmc.passes.scheduling.factories:known")
    kind_of = load("qwasmc.backends.view.figures:kind_of_factory")
    kinds = {kind_of(each["name"]) for each in schedule["factories"]}
    states = {}
    for kind in sorted(kinds & set(artifact.options.machine.factories)):
        if made := known(kind, rate, artifact.distance, code):
            states[kind] = made.error
    found: dict[str, float] = load("qwasmc.backends.view.figures:error_parts")(
        artifact.surgery, schedule, code.patch_error(rate, artifact.distance), states
    )
    return found
