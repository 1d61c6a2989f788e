"""Response files: `@file` among the arguments stands for the arguments that the file holds."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from qwasmc.diagnostics import Kind, error

MAX_NESTING = 10
"""Response files that are open at a time."""

MAX_FILES = 1000
"""Response files that are read in all: a few can name each other very often."""

MAX_BYTES = 1 << 22
"""Longest response file."""


def expand(arguments: Sequence[str]) -> list[str]:
    """The arguments, with those in response files in their place.

    A file is quoted like a shell's command line and may name others.  Names are relative to the
    working directory, as compilers have it.
    """
    out: list[str] = []
    files = 0
    waiting: list[Iterator[str]] = [iter(arguments)]
    while waiting:
        argument = next(waiting[-1], None)
        if argument is None:
            waiting.pop()
        elif argument.startswith("@"):
            files += 1
            if len(waiting) > MAX_NESTING or files > MAX_FILES:
                limits = f"{MAX_FILES} response files may be read, nested {MAX_NESTING} deep"
                raise error(f"'{argument}' is one too many: {limits}", kind=Kind.LIMIT)
            waiting.append(iter(_arguments_in(argument[1:])))
        else:
            out.append(argument)
    return out


def _arguments_in(path: str) -> list[str]:
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as refused:
        reason = getattr(refused, "strerror", None) or "not a path"
        message = f"cannot read the response file '{path}': {reason}"
        help = f"a name that begins with @ is written ./@{path}"
        raise error(message, kind=Kind.USAGE, help=help) from refused
    if len(data) > MAX_BYTES:
        message = f"the response file '{path}' is longer than {MAX_BYTES} bytes"
        raise error(message, kind=Kind.LIMIT)
    try:
        if b"\0" in data:
            raise ValueError("an argument cannot hold NUL")
        return shlex.split(data.decode("utf-8-sig", "surrogateescape"))
    except ValueError as wrong:
        raise error(f"in the response file '{path}': {wrong}", kind=Kind.USAGE) from wrong
