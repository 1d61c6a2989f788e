"""`qwasmc compile`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from qwasmc import reading
from qwasmc.commands.arguments import given_arguments
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
from qwasmc.commands.console import console
from qwasmc.diagnostics import Kind, error
from qwasmc.formats import BY_NAME, of_suffix
from qwasmc.options import DEFAULTS, Options, Watch
from qwasmc.output import STDIO, Outputs
from qwasmc.pipeline import load
from qwasmc.target import DEFAULT_DISTANCE

if TYPE_CHECKING:
    from qwasmc.cache import Cache, Made


file_option = partial(click.option, type=click.Path(), metavar="FILE")


@click.command("compile")
@input_argument
@output_option
@click.option(
    "--emit",
    type=click.Choice([*BY_NAME, *(emit for _, emit in reading.TRANSLATIONS)]),
    help="The format of OUT; by default what its name ends in tells, else stim. qvm and qwasm are "
    "the two forms of a graph; `qwasmc formats` lists the others.",
)
@target_option
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
    help="none, uniform:P, si1000:P or target, the machine's own.",
)
@click.option(
    "--open/--basis-state-inputs",
    "open_ends",
    default=False,
    help="Leave inputs and outputs open, or start from |0>.",
)
@click.option("--verify", is_flag=True, help="Check this very output; see docs/verification.md.")
@file_option("--report", help="Write a JSON report.")
@file_option("--schedule", help="Write the magic-state schedule as JSON.")
@click.option("-MD", "dependencies", is_flag=True, help="Write a Make dependency file, OUT.d.")
@file_option("-MF", "dependency_file", help="Write it to FILE instead.")
@click.option("-MP", "phony", is_flag=True, help="With it, let files that it names go missing.")
@file_option("--manifest", help="Write what `verify-manifest` replays.")
@click.option(
    "--cache-dir",
    type=click.Path(),
    metavar="DIR",
    envvar="QWASMC_CACHE_DIR",
    show_envvar=True,
    help="Keep results in DIR, and use those that are there.",
)
@click.option(
    "--cache-size",
    type=click.IntRange(min=1),
    default=5000,
    metavar="N",
    help="Megabytes that the cache may have; what was not used for longest goes first.",
)
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
    phony: bool,
    manifest: str | None,
    cache_dir: str | None,
    cache_size: int,
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
    check_not_input(path, [output, report, schedule, dependency_file, manifest])
    emit = emit or format_of(output)
    options = make_options(open=open_ends, emit=emit, **given)
    check_compatible(options, report, schedule)
    if dependencies and dependency_file is None:
        dependency_file = dependency_path(output)
        check_not_input(path, [dependency_file])
    if phony and dependency_file is None:
        raise click.UsageError("-MP needs -MD or -MF")
    if dependency_file is not None and emit not in BY_NAME:
        raise click.UsageError(f"a dependency file needs a compilation, not --emit {emit}")
    if manifest is not None and (path == STDIO or emit not in BY_NAME):
        raise click.UsageError("--manifest needs a compilation of a file")
    with Outputs() as outputs, watching() as watch:
        source = reading.read_source(path)
        if emit not in BY_NAME:
            outputs.open(output).write(reading.translate(source, options))
            return
        names = {"output": output, "report": report, "schedule": schedule}
        places = {kind: name for kind, name in names.items() if name is not None}
        files = {kind: outputs.open(name) for kind, name in places.items()}
        cache = open_cache(cache_dir, cache_size, watch) if cache_dir else None
        build = load("qwasmc.commands.building:build")
        made: Made = build(source, options, watch, files, cache, manifest is not None)
        for name in made.files:
            check_not_input(name, [output, report, schedule, dependency_file, manifest])
        if dependency_file is not None:
            rule = dependency_rule(output, path, made.files, phony)
            outputs.open(dependency_file).buffer.write(os.fsencode(rule))
        if manifest is not None:
            arguments = given_arguments(click.get_current_context(), emit)
            compose = load("qwasmc.commands.building:manifest_text")
            text = compose(manifest, made, arguments, places, files)
            outputs.open(manifest).write(text)
    for item in made.verification:
        console().say(f"verify: {item['check']}: {item['result']} ({item['detail']})")


OTHER_KINDS = (".html", ".json", ".mlir", ".py", ".qwasm")
"""Suffixes that could mean several formats or none."""


def check_compatible(options: Options, report: str | None, schedule: str | None) -> None:
    """Refuse options that mean nothing for the output that was asked for."""
    row = BY_NAME.get(options.emit)
    takes = row.takes if row else "graph"
    if schedule is not None and takes not in ("surgery", "physical"):
        raise click.UsageError(f"--schedule needs --emit surgery or stim, not {options.emit}")
    counted = takes in ("circuit", "logical", "physical")
    for name, given in (("--report", report is not None), ("--verify", options.verify)):
        if given and not counted:
            raise click.UsageError(f"{name} needs --emit stim or circuit, not {options.emit}")
    if not row and options.noise != DEFAULTS.noise:
        raise click.UsageError(f"--noise needs --emit stim, not {options.emit}")


def check_not_input(path: str, outputs: Sequence[str | None]) -> None:
    """Refuse to overwrite the program that is being compiled, or another file that was read."""
    for output in outputs:
        if output not in (None, STDIO) and os.path.realpath(output) == os.path.realpath(path):
            raise click.UsageError(f"the output '{output}' is an input")


def format_of(output: str) -> str:
    """The format that the name of the output asks for, Stim's if it says nothing."""
    row = of_suffix(output)
    if row is None and os.path.splitext(output)[1].lower() in OTHER_KINDS:
        raise click.UsageError(f"say with --emit what '{output}' is to be")
    return row.name if row else DEFAULTS.emit


def dependency_path(output: str) -> str:
    """Where -MD writes: beside the output, ending in .d."""
    if output == STDIO:
        raise click.UsageError("-MD needs -o FILE")
    return os.path.splitext(output)[0] + ".d"


def open_cache(folder: str, megabytes: int, watch: Watch) -> Cache:
    """The cache in a folder."""
    store = load("qwasmc.store:Store")(Path(folder), watch.warn, megabytes * 1_000_000)
    return cast("Cache", load("qwasmc.cache:Cache")(store))


def dependency_rule(output: str, path: str, others: Iterable[str], phony: bool) -> str:
    """A Make rule: the output depends on the program at `path`, and on other files.

    With `phony`, rules without a recipe follow for the others, so that Make goes on if one is
    removed.
    """
    written = [_in_rule(name) for name in others]
    program = [] if path == STDIO else [_in_rule(path)]
    rules = [f"{_in_rule(output)}: {' '.join([*program, *written])}\n"]
    if phony:
        rules += [f"\n{name}:\n" for name in written]
    return "".join(rules)


UNWRITABLE = re.compile(r"[\x00-\x1f\x7f;|*<>^`]")
"""What ends a name for Make or Ninja, with a backslash, too."""


def _in_rule(name: str) -> str:
    """A name as Make and Ninja read it."""
    if UNWRITABLE.search(name):
        raise error(
            f"a dependency file cannot hold the name {name!r}",
            kind=Kind.USAGE,
            help="for Make or Ninja it would end at one of ; | * < > ^ ` or a control character",
        )
    return re.sub(r"(\\*)([ #:])", r"\1\1\\\2", name.replace("$", "$$"))
