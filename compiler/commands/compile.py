"""`qwasmc compile`."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from qwasmc import driver, reading
from qwasmc.commands.common import (
    input_argument,
    level_option,
    make_options,
    output_option,
    pass_options,
    pretty_json,
    reading_options,
    watching,
)
from qwasmc.options import DEFAULTS, Options
from qwasmc.output import STDIO, Outputs
from qwasmc.target import DEFAULT_DISTANCE


@click.command("compile")
@input_argument
@output_option
@click.option(
    "--emit",
    type=click.Choice([*driver.EMITS, *(emit for _, emit in reading.TRANSLATIONS)]),
    default=DEFAULTS.emit,
    help="Where to stop; qvm and qwasm are the two forms of a graph.",
)
@click.option(
    "-d",
    "--distance",
    type=int,
    metavar="D",
    help=f"Code distance; by default what the program declares, else {DEFAULT_DISTANCE}.",
)
@click.option(
    "--noise",
    default=DEFAULTS.noise,
    metavar="MODEL",
    help="none, uniform:P or si1000:P.",
)
@click.option(
    "--open/--basis-state-inputs",
    "open_ends",
    default=False,
    help="Leave inputs and outputs open, or start from |0>.",
)
@click.option("--verify", is_flag=True, help="Check this very output; see docs/verification.md.")
@click.option("--report", metavar="FILE", help="Write a JSON report.")
@click.option("--schedule", metavar="FILE", help="Write the magic-state schedule as JSON.")
@click.option("-MD", "dependencies", is_flag=True, help="Write a Make dependency file, OUT.d.")
@click.option("-MF", "dependency_file", metavar="FILE", help="Write it to FILE instead.")
@reading_options
@level_option
@pass_options
def compile_command(
    path: str,
    output: str,
    report: str | None,
    schedule: str | None,
    dependencies: bool,
    dependency_file: str | None,
    open_ends: bool,
    **given: Any,
) -> None:
    """Compile a program.

    \b
    Example:
      qwasmc compile examples/bell.qwasm -d 5 --noise uniform:0.001 -o bell.stim
      qwasmc compile examples/bell.qwasm --emit circuit
    """
    options = make_options(open=open_ends, **given)
    check_compatible(options, report, schedule)
    if dependencies and not dependency_file:
        dependency_file = dependency_path(output)
    check_not_input(path, [output, report, schedule, dependency_file])
    check_suffix(output)
    with Outputs() as outputs, watching() as watch:
        source = reading.read_source(path)
        if options.emit not in driver.EMITS:
            outputs.open(output).write(reading.translate(source, options))
            return
        artifact = driver.compile_source(source, options, watch)
        artifact.write(outputs.open(output))
        if report:
            outputs.open(report).write(pretty_json(artifact.report))
        if schedule:
            outputs.open(schedule).write(pretty_json(artifact.schedule))
        if dependency_file:
            outputs.open(dependency_file).write(dependency_rule(output, artifact.files))
    for item in artifact.verification:
        click.echo(f"verify: {item['check']}: {item['result']} ({item['detail']})", err=True)


OTHER_KINDS = (".bc", ".html", ".json", ".ll", ".mlir", ".py", ".qasm", ".qir", ".qpy", ".qwasm")
"""Suffixes of files that are no Stim circuits."""


def check_compatible(options: Options, report: str | None, schedule: str | None) -> None:
    """Refuse options that mean nothing for the output that was asked for."""
    if schedule and options.emit not in ("surgery", "stim"):
        raise click.UsageError(f"--schedule needs --emit stim or surgery, not {options.emit}")
    if options.emit == "stim":
        return
    if report and options.emit != "circuit":
        raise click.UsageError(f"--report needs --emit stim or circuit, not {options.emit}")
    physical = {"--noise": options.noise != DEFAULTS.noise}
    if options.verify and options.emit != "circuit":
        raise click.UsageError(f"--verify needs --emit stim or circuit, not {options.emit}")
    for name, given in physical.items():
        if given:
            raise click.UsageError(f"{name} needs --emit stim, not --emit {options.emit}")


def check_not_input(path: str, outputs: Sequence[str | None]) -> None:
    """Refuse to overwrite the program that is being compiled."""
    for output in outputs:
        if output not in (None, STDIO) and os.path.realpath(output) == os.path.realpath(path):
            raise click.UsageError(f"the output '{output}' is the input")


def check_suffix(output: str) -> None:
    """Without --emit, refuse a name that promises another kind of file than Stim's."""
    source = click.get_current_context().get_parameter_source("emit")
    suffix = os.path.splitext(output)[1]
    if source == ParameterSource.DEFAULT and suffix in OTHER_KINDS:
        raise click.UsageError(
            f"'{output}' does not look like a Stim circuit; say with --emit what it is to be"
        )


def dependency_path(output: str) -> str:
    """Where -MD writes: beside the output, ending in .d."""
    if output == STDIO:
        raise click.UsageError("-MD needs -o FILE")
    return str(Path(output).with_suffix(".d"))


def dependency_rule(output: str, files: Sequence[str]) -> str:
    """A Make rule: the output depends on every file read."""
    names = [re.sub(r"([ #])", r"\\\1", name.replace("$", "$$")) for name in (output, *files)]
    return f"{names[0]}: {' '.join(names[1:])}\n"
