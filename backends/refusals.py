"""Errors about what an output cannot say, with the place in the program."""

from __future__ import annotations

from dataclasses import replace

from qwasmc.diagnostics import CompileError, Kind, Locations


def refusal(locations: Locations, message: str, loc: int, help: str = "") -> CompileError:
    """What cannot be done (exit code 3), because of something at a source position."""
    return CompileError(replace(locations.diagnostic(message, loc, help=help), kind=Kind.LIMIT))
