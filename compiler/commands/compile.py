"""`qwasmc compile`."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

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
from qwasmc.formats import BY_NAME, of_suffix
from qwasmc.options import DEFAULTS, Options
from qwasmc.output import STDIO, Outputs
from qwasmc.target import DEFAULT_DISTANCE


@click.command("compile")
@input_argument
@output_option
@click.option(
    "--emit",
    type=click.Choice([*BY_NAME, *(emit for _, emit in reading.TRANSLATIONS)]),
    help="The format of OUT; by default what its name ends in tells, else stim. qvm and qwasm are "
    "the two forms of a graph; `qwasmc formats` lists the others.",
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
    emit: str | None,
    **given: Any,
) -> None:
    """Compile a program.

    \b
    Example:
      qwasmc compile examples/bell.qwasm -d 5 --noise uniform:0.001 -o bell.stim
      qwasmc compile examples/bell.qwasm --emit circuit
    """
    check_not_input(path, [output, report, schedule, dependency_file])
    emit = emit or format_of(output)
    options = make_options(open=open_ends, emit=emit, **given)
    check_compatible(options, report, schedule)
    if dependencies and not dependency_file:
        dependency_file = dependency_path(output)
        check_not_input(path, [dependency_file])
    with Outputs() as outputs, watching() as watch:
        source = reading.read_source(path)
        if emit not in BY_NAME:
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


OTHER_KINDS = (".html", ".json", ".mlir", ".py", ".qwasm")
"""Suffixes that could mean several formats or none."""


def check_compatible(options: Options, report: str | None, schedule: str | None) -> None:
    """Refuse options that mean nothing for the output that was asked for."""
    row = BY_NAME.get(options.emit)
    takes = row.takes if row else "graph"
    if schedule and takes not in ("surgery", "physical"):
        raise click.UsageError(f"--schedule needs --emit surgery or stim, not {options.emit}")
    counted = takes in ("circuit", "logical", "physical")
    for name, given in (("--report", report), ("--verify", options.verify)):
        if given and not counted:
            raise click.UsageError(f"{name} needs --emit stim or circuit, not {options.emit}")
    if not row and options.noise != DEFAULTS.noise:
        raise click.UsageError(f"--noise needs --emit stim, not {options.emit}")


def check_not_input(path: str, outputs: Sequence[str | None]) -> None:
    """Refuse to overwrite the program that is being compiled."""
    for output in outputs:
        if output not in (None, STDIO) and os.path.realpath(output) == os.path.realpath(path):
            raise click.UsageError(f"the output '{output}' is the input")


def format_of(output: str) -> str:
    """The format that the name of the output asks for, Stim's if it says nothing."""
    row = of_suffix(output)
    if row is None and os.path.splitext(output)[1] in OTHER_KINDS:
        raise click.UsageError(f"say with --emit what '{output}' is to be")
    return row.name if row else DEFAULTS.emit


def dependency_path(output: str) -> str:
    """Where -MD writes: beside the output, ending in .d."""
    if output == STDIO:
        raise click.UsageError("-MD needs -o FILE")
    return str(Path(output).with_suffix(".d"))


def dependency_rule(output: str, files: Sequence[str]) -> str:
    """A Make rule: the output depends on every file read."""
    names = [re.sub(r"([ #])", r"\\\1", name.replace("$", "$$")) for name in (output, *files)]
    return f"{names[0]}: {' '.join(names[1:])}\n"
