"""Reads JSON objects field by field; what is missing, wrong or unknown is a CompileError."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from qwasmc.diagnostics import CompileError, Kind, did_you_mean, error

MAX_INTEGER = 1 << 63
"""Integers and times in nanoseconds are below."""

MAX_TEXT = 4096
"""Longest string that is read, in characters."""

TIME = re.compile(r"(\+?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\s*(s|ms|μs|µs|us|ns)")
NANOSECONDS = {"s": 1e9, "ms": 1e6, "μs": 1e3, "µs": 1e3, "us": 1e3, "ns": 1.0}


class Fields:
    """The fields of a JSON object that are still to be read; `where` names it in errors."""

    def __init__(self, data: object, where: str) -> None:
        if not isinstance(data, Mapping):
            raise error(f"{where} must be a JSON object", kind=Kind.USAGE)
        self.where = where
        self.left = {str(name): value for name, value in data.items()}
        self.asked: list[str] = []
        """Names that have been asked for, for suggestions."""

    def __contains__(self, name: str) -> bool:
        self.asked.append(name)
        return name in self.left

    def take(self, name: str) -> Any:
        """The value of a field that is there."""
        if name not in self:
            raise error(f"{self.where}: '{name}' is missing", kind=Kind.USAGE)
        return self.left.pop(name)

    def text(self, name: str) -> str:
        """A string."""
        value = self.take(name)
        if not isinstance(value, str) or len(value) > MAX_TEXT:
            raise self.wrong(name, f"must be a string of at most {MAX_TEXT} characters")
        return value

    def integer(self, name: str, least: int, most: int = MAX_INTEGER - 1) -> int:
        """An integer in a range."""
        value = self.take(name)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.wrong(name, f"must be an integer from {least} to {most}")
        return value

    def number(self, name: str, above: float, below: float) -> float:
        """A number between two others."""
        value = self.take(name)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.wrong(name, "must be a number")
        if not above < value < below:
            raise self.wrong(name, f"must be above {above:g} and below {below:g}")
        return float(value)

    def time(self, name: str) -> int:
        """A time of at least one nanosecond, rounded to them."""
        found = TIME.fullmatch(self.text(name))
        if found is None:
            raise self.wrong(name, "must be a time, such as '100 ns'")
        nanoseconds = float(found[1]) * NANOSECONDS[found[2]]
        if not 0.5 <= nanoseconds < MAX_INTEGER:
            raise self.wrong(name, "must be at least a nanosecond, and less than 292 years")
        return math.floor(nanoseconds + 0.5)

    def done(self) -> None:
        """Refuse fields that nobody has read."""
        for name in self.left:
            help = did_you_mean(name, self.asked)
            raise error(f"{self.where}: unknown field '{name[:64]}'", kind=Kind.USAGE, help=help)

    def wrong(self, name: str, why: str) -> CompileError:
        """The error about a field."""
        return error(f"{self.where}: '{name}' {why}", kind=Kind.USAGE)
