"""TOML from anywhere, as tables whose values are checked: what is wrong is an error with its line.

Python's own reader does not say where a key stands; it is looked for in the text.  Keys may be in
snake case or, as the QDK has them, in camel case.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qwasmc.diagnostics import CompileError, Diagnostic, Kind, Place, did_you_mean, error

MAX_BYTES = 1 << 16
"""Longest text that is read."""

MAX_COUNT = 10**12
"""Largest number of things."""

MAX_RATE = 0.5
"""Largest error probability of an operation: above it, the opposite is more likely."""

MAX_TIME = 1e15
"""Longest time in ns: eleven days."""

UNITS = {"ns": 1.0, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9}

_TIME = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*(ns|us|µs|ms|s)")
_HEADER = re.compile(r"\s*\[+\s*\"?([\w-]+)")
_KEY = re.compile(r"\s*\"?([\w.-]+)\"?\s*=")
_WRONG_AT = re.compile(r"(.*) \(at line (\d+), column (\d+)\)", re.DOTALL)


def parse(data: bytes, file: str) -> Table:
    """The top table of a text; `file` is its name, for diagnostics."""
    if len(data) > MAX_BYTES:
        raise error(f"'{file}' is longer than {MAX_BYTES} bytes", kind=Kind.LIMIT)
    text = data.decode("utf-8", "replace").replace("\r\n", "\n")
    try:
        return Table("", tomllib.loads(text), text, file)
    except RecursionError:
        message, line, column = "its lists are nested too deeply", 1, 1
    except ValueError as wrong:  # its own errors, and numbers that are too long for Python
        found = _WRONG_AT.fullmatch(str(wrong))
        message = found[1] if found else "a number in it has too many digits"
        line, column = (int(found[2]), int(found[3])) if found else (1, 1)
    place = Place(file, line, column, column + 1, text.split("\n")[line - 1])
    raise CompileError(Diagnostic("this is not TOML", place, label=message))


@dataclass(slots=True)
class Table:
    """A table with its name, "" for the top one, and the text that it stands in."""

    name: str
    values: Mapping[str, Any]
    text: str
    file: str

    def __post_init__(self) -> None:
        snake = {_snake(key): value for key, value in self.values.items()}
        if len(snake) < len(self.values):
            twice = next(key for key in self.values if key != _snake(key) in self.values)
            raise self.wrong(twice, f"{twice[:64]!r} is given twice")
        self.values = snake

    def wrong(
        self, key: str, message: str, *, help: str = "", kind: Kind = Kind.PROGRAM
    ) -> CompileError:
        """The error that something is wrong with a key."""
        return CompileError(Diagnostic(message, self._find(key), help=help, kind=kind))

    def _find(self, key: str) -> Place:
        """Where a key stands; if it is nowhere, the head of its table."""
        full, inside, head = f"{self.name}.{key}" if self.name else key, "", 1
        lines = self.text.split("\n")
        for number, line in enumerate(lines, 1):
            if header := _HEADER.match(line):
                inside = header[1]
                head = number if inside == self.name else head
            elif found := _KEY.match(line):
                here = f"{inside}.{found[1]}" if inside else found[1]
                if _snake(here) == _snake(full):
                    return Place(self.file, number, found.start(1) + 1, found.end(1) + 1, line)
        return Place(self.file, head, 1, 1 + len(lines[head - 1]), lines[head - 1])

    def only(self, known: Sequence[str]) -> None:
        """Refuse keys that mean nothing."""
        for key in self.values:
            if key not in known:
                help = did_you_mean(key, known) or f"the keys here are {', '.join(known)}"
                raise self.wrong(key, f"unknown key {key[:64]!r}", help=help)

    def table(self, key: str) -> Table:
        """A table in this one; an empty one if it is not there."""
        values = self.values.get(key, {})
        if not isinstance(values, dict):
            raise self.wrong(key, f"'{key}' is a table, which begins with [{key}]")
        return Table(key, values, self.text, self.file)

    def required(self, key: str) -> Any:
        """A value that has to be there."""
        if key not in self.values:
            raise self.wrong(key, f"'{key}' is missing")
        return self.values[key]

    def string(self, key: str) -> str:
        """A line of text."""
        value = self.required(key)
        if not isinstance(value, str) or not value or not value.isprintable():
            raise self.wrong(key, f"'{key}' is a line of text")
        return value

    def strings(self, key: str, known: Iterable[str] = ()) -> tuple[str, ...]:
        """A list of words, of known ones if there are any; without it all of these."""
        known = tuple(known)
        value = self.values.get(key, known)
        if key in self.values and not (isinstance(value, list) and value):
            raise self.wrong(key, f"'{key}' is a list of one or more words")
        for word in value:
            if not isinstance(word, str) or not word.isprintable():
                raise self.wrong(key, f"'{key}' is a list of words, in quotes")
            if known and word not in known:
                help = did_you_mean(word, known) or f"there are {', '.join(known)}"
                raise self.wrong(key, f"'{key}' has an unknown word '{word[:64]}'", help=help)
        return tuple(value)

    def count(self, key: str, default: int | None = None) -> int | None:
        """A number of things, 1 or more."""
        value: object = self.values.get(key, default)
        if value is default:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_COUNT:
            raise self.wrong(key, f"'{key}' is a whole number from 1 to {MAX_COUNT}")
        return value

    def number(self, key: str, most: float) -> float:
        """A number from 0 to `most`."""
        value = self.required(key)
        if type(value) not in (int, float) or not 0 <= value <= most:
            raise self.wrong(key, f"'{key}' is a number from 0 to {most:g}, without quotes")
        return float(value)

    def rate(self, key: str) -> float:
        """The error probability of an operation."""
        return self.number(key, MAX_RATE)

    def time(self, key: str) -> float:
        """A time in ns; in the text it has its unit."""
        value = self.required(key)
        found = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
        time = float(found[1]) * UNITS[found[2]] if found else 0.0
        if not 0 < time <= MAX_TIME:
            raise self.wrong(
                key,
                f"'{key}' is a time with its unit, more than 0 and at most {MAX_TIME / 1e9:g} s",
                help='write "50 ns", "1.5 us", "2 ms" or "10 s"',
            )
        return time


def _snake(key: str) -> str:
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", key)
