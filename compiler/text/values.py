"""What the readers of all levels share: values by name, and checks of attributes and types."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Generic, NoReturn, TypeVar

from qwasmc.diagnostics import did_you_mean
from qwasmc.ops import Type
from qwasmc.text.scanner import NAME, AttrValue, Scanner
from qwasmc.text.syntax import TYPES

T = TypeVar("T")

_NAME = re.compile(NAME)
_LONGEST_SHOWN = 200
"""Characters of a type shown in a message."""


class Values(Generic[T]):
    """The values defined so far, by type and name."""

    def __init__(self, scanner: Scanner) -> None:
        self.scanner = scanner
        self.of: dict[Type, dict[str, T]] = {type: {} for type in Type}
        self.names: set[str] = set()

    def use(
        self, match: re.Match[str], types: Sequence[Type], tables: Sequence[Mapping[str, T]]
    ) -> list[T]:
        """The operands of an operation; `tables` holds `of[type]` for each of their types."""
        names = _NAME.findall(match["operands"])
        if len(names) != len(types):
            message = f"{len(names)} operands, but types for {len(types)}"
            self.scanner.fail_group(match, "operands", message)
        try:
            return [table[name] for table, name in zip(tables, names, strict=True)]
        except KeyError:
            return self.missing(match, types)

    def missing(self, match: re.Match[str], types: Sequence[Type]) -> list[T]:
        """The operands of an operation of which one is not defined so far: an error."""
        for name, type in zip(_NAME.finditer(match["operands"]), types, strict=True):
            if name[0] not in self.of[type]:
                self.undefined(match, name, type)
        raise AssertionError("no operand is missing")

    def undefined(self, match: re.Match[str], name: re.Match[str], type: Type) -> NoReturn:
        """Say that an operand is undefined or of another type."""
        start = match.start("operands") + name.start()
        end = match.start("operands") + name.end()
        for other, values in self.of.items():
            if name[0] in values:
                message = f"{name[0]} is of type {other.value}, not {type.value}"
                self.scanner.fail(message, start, end)
        self.scanner.fail(f"{name[0]} is not defined here", start, end)

    def define(self, name: str, type: Type, value: T, at: int) -> None:
        """Add a value whose name stands somewhere after text[at]."""
        if name in self.names:
            self.fail_at(name, at, f"{name} is defined twice")
        self.names.add(name)
        self.of[type][name] = value

    def fail_at(self, name: str, at: int, message: str) -> NoReturn:
        """Raise a diagnostic at a name that stands somewhere after text[at]."""
        start = self.scanner.text.index(name, at)
        self.scanner.fail(message, start, start + len(name))

    def results(self, match: re.Match[str], n: int) -> list[str]:
        """The names of an operation's results."""
        names = _NAME.findall(match["results"] or "")
        if len(names) != n:
            message = f"'{match['name']}' has {n} results here, but names for {len(names)}"
            self.scanner.fail_group(match, "results" if names else "name", message)
        return names


def count_types(match: re.Match[str]) -> int:
    """How many operands the type of an operation has."""
    return len(_split(match["takes"]))


def read_types(scanner: Scanner, match: re.Match[str], group: str, text: str) -> list[Type]:
    """The types in a list of them, as it stands before or after an arrow."""
    types = []
    for name in _split(text):
        if name not in TYPES:
            hint = did_you_mean(name, TYPES)
            scanner.fail_group(match, group, f"unknown type '{name[:64]}'", hint)
        types.append(TYPES[name])
    return types


def check_type(scanner: Scanner, match: re.Match[str], expected: str) -> None:
    """Compare the type that an operation gives itself with what it must be."""
    takes, makes = (", ".join(_split(match[group])) for group in ("takes", "makes"))
    many = "," in makes or not makes
    actual = f"({takes}) -> {f'({makes})' if many else makes}"
    if actual != expected:
        start, end = match.start("takes") - 1, match.end("makes")
        message = f"the type of this '{match['name']}' is {expected[:_LONGEST_SHOWN]}"
        scanner.fail(message, start, end)


def check_leads_nowhere(scanner: Scanner, match: re.Match[str]) -> None:
    """An operation that does not end a block has no targets."""
    if match["targets"] is not None:
        scanner.fail_group(match, "targets", f"'{match['name']}' leads to no blocks")


def _split(types: str) -> list[str]:
    """The parts of a list of types, with or without parentheses."""
    types = types.strip()
    types = types[1:-1] if types.startswith("(") else types
    return [type.strip() for type in types.split(",")] if types.strip() else []


def check_attrs(
    scanner: Scanner,
    match: re.Match[str],
    attrs: Mapping[str, AttrValue],
    wanted: Mapping[str, type],
) -> None:
    """Every attribute in `wanted` is there with its type, and no other is."""
    name = match["name"]
    for key in attrs:
        if key not in wanted:
            message = f"'{name}' has no attribute '{key[:64]}'"
            scanner.fail_group(match, "attrs", message, did_you_mean(key, wanted))
    for key, kind in wanted.items():
        if key not in attrs:
            scanner.fail_group(match, "name", f"'{name}' needs the attribute '{key}'")
        if not isinstance(attrs[key], kind):
            scanner.fail_group(match, "attrs", f"'{key}' must be {_KIND_TEXT[kind]}")


_KIND_TEXT = {
    str: "a string",
    int: "an integer",
    float: "a number with a point, such as 0.5",
    list: "a list of strings",
    tuple: "a list of numbers, such as array<i32: 1, 0, 2>",
}
