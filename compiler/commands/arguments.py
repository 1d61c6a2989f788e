"""The arguments of a command, written in one way only, for manifests."""

from __future__ import annotations

from collections.abc import Iterator

import click
from click.core import ParameterSource

PLACES = frozenset(
    {
        "path",
        "output",
        "report",
        "schedule",
        "manifest",
        "dependencies",
        "dependency_file",
        "phony",
        "cache_dir",
        "cache_size",
        "print_after",
        "verify_each",
        "rule_store",
        "trust",
    }
)
"""Parameters of `compile` that say where things are, and those that change no output."""


def given_arguments(context: click.Context, emit: str) -> list[str]:
    """The options that `compile` was given, without places, and with the format of the output."""
    found = ["--emit", emit]
    for option in context.command.params:
        name = option.name or ""
        if name == "emit" or name in PLACES or not isinstance(option, click.Option):
            continue
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            found += _written(option, context.params[name])
    return found


def _written(option: click.Option, value: object) -> Iterator[str]:
    """An option with its value, as it stands on a command line."""
    long = max(option.opts, key=len)
    if option.is_flag:
        yield long if value else max(option.secondary_opts, key=len)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from (long, f"{key}={item}")
    elif isinstance(value, list):  # `a,b`, cut into its parts
        yield from (long, ",".join(value))
    elif isinstance(value, tuple):
        for item in value:
            yield from (long, str(item))
    else:
        yield from (long, str(value))
