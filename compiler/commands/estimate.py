"""`qwasmc estimate`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

from qwasmc import reading
from qwasmc.commands.common import (
    input_argument,
    json_option,
    level_option,
    make_options,
    pass_options,
    plot_option,
    pretty_json,
    reading_options,
    table,
    target_option,
    watching,
)
from qwasmc.diagnostics import Kind, error
from qwasmc.options import Options, Watch
from qwasmc.output import Outputs
from qwasmc.pipeline import load
from qwasmc.target import AUTO, DEFAULT_TARGET, check_distance, qdk_parameters

if TYPE_CHECKING:
    from qwasmc.counts import LogicalCounts

SCHEDULE, QDK = MODELS = ("schedule", "qdk-legacy")
"""Our own model, and the one of `qwasmc.backends.estimation.qdk`."""

DEFAULT_BUDGET = 1e-3


@click.command()
@input_argument
@click.option(
    "--model",
    "models",
    type=click.Choice(MODELS),
    multiple=True,
    help="Estimate by this model only: our own schedule, or the formulas of the QDK's first "
    "estimator. By default both, side by side.",
)
@target_option
@click.option("-d", "--distance", type=int, metavar="D", help="Code distance; by default chosen.")
@click.option(
    "--qdk-parameters",
    "qdk_file",
    metavar="FILE",
    help="Job parameters of the QDK's estimator as JSON, for the model qdk-legacy; by default "
    "those of the target, else the QDK's own.",
)
@click.option(
    "--counts",
    "is_counts",
    is_flag=True,
    help="IN holds logical counts as the QDK's JSON, not a program; qdk-legacy only.",
)
@json_option
@plot_option("Draw qubits against time")
@reading_options
@level_option
@pass_options
def estimate(
    path: str,
    models: Sequence[str],
    qdk_file: str | None,
    is_counts: bool,
    as_json: bool,
    plot: str | None,
    **given: Any,
) -> None:
    """Estimate qubits, time and magic states of a run; loops and calls stay folded.

    Without --error-budget a run may fail with probability 0.001.

    \b
    Example:
      qwasmc estimate examples/magic.qwasm
      qwasmc estimate examples/magic.qwasm --error-budget 0.01 --plot machines.svg
      echo '{"numQubits": 100, "cczCount": 5000}' | qwasmc estimate - --counts --json
    """
    with Outputs() as outputs, watching() as watch:
        options = make_options(**given)
        parameters = _parameters(qdk_file, options, watch)
        options = replace(options, error_budget=options.error_budget or DEFAULT_BUDGET)
        if options.distance is not None:
            if is_counts or SCHEDULE not in (models or MODELS):
                raise click.UsageError("the model qdk-legacy chooses its distance, so no -d")
            machine = DEFAULT_TARGET if options.target == AUTO else options.machine
            check_distance(machine, options.distance)
        picture = outputs.open(plot) if plot else None
        source = reading.read_source(path)
        if is_counts:
            if SCHEDULE in models:
                raise click.UsageError("--model schedule needs a program, not --counts")
            found = _of_counts(source, parameters)
        else:
            run = load("qwasmc.estimate:estimate")
            found = run(source, options, watch, models or MODELS, parameters)
        if picture and plot:
            draw = load("qwasmc.backends.estimation.plot:plot")
            draw(found, picture.buffer, plot[-3:])
    if as_json:
        click.echo(pretty_json(found), nl=False)
    else:
        _show(found)


def _show(found: dict[str, Any]) -> None:
    """Print estimates, one column per model."""
    click.echo(load("qwasmc.backends.estimation.table:counts_of")(found))
    lines = load("qwasmc.backends.estimation.table:lines_of")(found)
    first, *others = [max(map(len, column)) for column in zip(*lines, strict=True)]
    layout = "  ".join([f"{{:<{first}}}", *(f"{{:>{width}}}" for width in others)])
    table(lines[1:], lines[0], layout, heading=True)
    for sentence in load("qwasmc.backends.estimation.table:assumptions_of")(found):
        click.echo(sentence)


def _parameters(path: str | None, options: Options, watch: Watch) -> dict[str, Any]:
    """The QDK's job parameters: those in a file, else the target's, with the error budget."""
    asked = options.error_budget
    found: dict[str, Any] = {} if options.target == AUTO else qdk_parameters(options.machine)
    if options.target == AUTO and path is None:
        watch.note("qdk-legacy does not know the target that is chosen; it takes its own defaults")
    if path is not None:
        given = _json(reading.read_source(path))
        if not isinstance(given, dict):
            raise error(f"'{path}' is no JSON object", kind=Kind.USAGE)
        if asked is not None and "errorBudget" in given:
            message = f"--error-budget is given, and '{path}' has an errorBudget"
            raise click.UsageError(message)
        found |= given
    return {"errorBudget": asked or DEFAULT_BUDGET, **found}


def _of_counts(source: reading.Source, parameters: dict[str, Any]) -> dict[str, Any]:
    """The estimate of the model qdk-legacy for logical counts."""
    counts: LogicalCounts = load("qwasmc.backends.estimation.job:read_counts")(_json(source))
    entry = load("qwasmc.backends.estimation.qdk:summary")(counts, parameters, True)
    return {"input": source.name, "counts": asdict(counts), "models": {QDK: entry}}


def _json(source: reading.Source) -> Any:
    try:
        return json.loads(source.data)
    except (ValueError, RecursionError) as wrong:
        raise error(f"'{source.name}' is no JSON: {wrong}", kind=Kind.USAGE) from wrong
