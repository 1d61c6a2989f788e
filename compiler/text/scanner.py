"""Cuts the text form into operations, with a diagnostic for whatever does not fit.

The form needs no recursion: an operation is one regular expression, put together from pieces so
that the pieces can be tried one by one to say what was expected where.  Quantifiers are
possessive, so that no text takes more than linear time.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple, NoReturn

from qwasmc.diagnostics import CompileError, Diagnostic, Locations, Place
from qwasmc.text.syntax import LEVEL, float_of_bits, unquoted

_compiled = functools.partial(re.compile, flags=re.ASCII)


class FunctionType(NamedTuple):
    """What stands before and after the arrow of a function's type."""

    takes: str
    makes: str


AttrValue = str | int | float | list[str] | tuple[int, ...] | FunctionType | None
"""The value of an attribute; None for a unit attribute."""

WS = r"(?:\s++|//[^\n]*+)*+"
STRING = r'"(?:[^"\\\n]++|\\.)*+"'
NAME = r"%[A-Za-z0-9_$.\-]++"
BLOCK = r"\^[A-Za-z0-9_$.\-]++"
_NAMES = rf"{NAME}(?:\s*+,\s*+{NAME})*+"
_BLOCKS = rf"{BLOCK}(?:\s*+,\s*+{BLOCK})*+"
_LOC = rf"(?:loc\s*+\((?P<loc>(?:[^()\"]++|{STRING})*+)\))?+"

OP_PIECES = (
    (rf"(?:(?P<results>{_NAMES})\s*+=)?+", "results"),
    (r'"(?P<name>[^"\n]*+)"', 'an operation such as "qw.h", or the end of the region'),
    (r"\(", "'(' and the operands"),
    (rf"(?P<operands>(?:{_NAMES})?+)", "operands"),
    (r"\)", "')' or ',' and another value"),
    (rf"(?:\[\s*+(?P<targets>{_BLOCKS})\s*+\])?+", "blocks"),
    (rf"(?:\{{(?P<attrs>(?:[^{{}}()\"]++|{STRING})*+)\}})?+", "attributes"),
    (r":", "':' and the type of the operation, or attributes in {...}"),
    (r"\(", "'(' and the types of the operands"),
    (r"(?P<takes>[^()]*+)", "types"),
    (r"\)", "')' after the types of the operands"),
    (r"->", "'->' and the types of the results"),
    (r"(?P<makes>\([^()]*+\)|[!\w.]++)", "the types of the results"),
    (_LOC, "a location"),
)
"""What an operation consists of, and what is missing when a piece does not fit."""

OP = _compiled(f"{WS}()" + WS.join(piece for piece, _ in OP_PIECES))
"""An operation; group 1 is empty, where it starts."""


def pieces(*parts: str) -> re.Pattern[str]:
    """A pattern for these parts with white space and comments before each."""
    return _compiled("".join(WS + part for part in parts))


_NO_TYPE = (":", r"\(", r"\)", "->", r"\(", r"\)", _LOC.replace("?P<loc>", ""))
MODULE = pieces(r'"builtin\.module"', r"\(", r"\)", r"\(", r"\{")
MODULE_END = pieces(r"\}", r"\)", r"\{", re.escape(LEVEL), "=", r'"(\w++)"', r"\}", *_NO_TYPE)
FUNCTION = pieces(r'"qw\.func"', r"\(", r"\)", r"\(", r"\{")
FUNCTION_END = pieces(r"\}", r"\)", rf"\{{(?P<attrs>(?:[^{{}}\"]++|{STRING})*+)\}}", *_NO_TYPE)
LABEL = pieces(
    f"({BLOCK})",
    rf"(?:\(((?:[^()\"]++|\((?:[^()\"]++|{STRING})*+\))*+)\))?+",
    ":",
)
ARGUMENT = _compiled(rf"\s*+({NAME})\s*+:\s*+([!\w.]++)\s*+{_LOC}\s*+(?:,|$)")
REGION_END = pieces(r"\}")
END = _compiled(WS + r"\Z")

_LEVEL = _compiled(re.escape(LEVEL) + rf'{WS}={WS}"(\w++)"')
_WHERE = _compiled(rf"\s*+({STRING})\s*+:\s*+(\d{{1,9}}+)\s*+:\s*+(\d{{1,9}}+)\s*+")
_KEY = _compiled(rf'{WS}("?+)([A-Za-z_][\w$.]*+)\1{WS}(=?+){WS}')
_VALUE = _compiled(
    rf"(?P<text>{STRING})"
    r"|(?P<bits>0[xX][0-9A-Fa-f]{16})\s*+:\s*+f64"
    r"|(?P<float>[+-]?+\d++\.\d*+(?:[eE][+-]?+\d++)?+)(?:\s*+:\s*+f64)?+"
    r"|(?P<int>[+-]?+\d++)(?:\s*+:\s*+i64)?+"
    rf"|\[(?P<list>\s*+(?:{STRING}\s*+(?:,\s*+{STRING}\s*+)*+)?+)\]"
    r"|array<i32(?P<array>(?:\s*+:(?:\s*+\d{1,9}\s*+(?:,\s*+\d{1,9}\s*+)*+))?+)>"
    r"|(?P<type>\((?P<takes>[^()]*+)\)\s*+->\s*+(?P<makes>\([^()]*+\)|[!\w.]++))"
)
_COMMA = _compiled(f"{WS}(,?+){WS}")
_STRING = _compiled(STRING)
_DIGITS = _compiled(r"\d+")

_INT_LIMIT = {"int": 2**63}
_COLUMN_LIMIT = 2**31
"""Integers of the text form fit a column, except numbers that a program computes with."""

LEVELS = ("program", "circuit", "surgery")
_LEVEL_HELP = f'end the module with }}) {{{LEVEL} = "program"}} : () -> (), or circuit or surgery'
_SPACE = _compiled(WS)


class Scanner:
    """A position in a text, and the source positions read so far."""

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name
        self.pos = 0
        self.locations = Locations()
        self.known: dict[str, int] = {}
        """Location by the text between the parentheses."""
        self.files: dict[str, int] = {}
        self.own_file = -1
        self.line = 1
        """Line number at `line_pos`, which moves forward only."""
        self.line_pos = 0

    # -- errors --------------------------------------------------------------------------------

    def fail(self, message: str, start: int, end: int = 0, help: str = "") -> NoReturn:
        """Raise a diagnostic at text[start:end]."""
        before = self.text.count("\n", 0, start)
        first = self.text.rfind("\n", 0, start) + 1
        last = self.text.find("\n", start)
        line = self.text[first : last if last >= 0 else len(self.text)]
        column = start - first + 1
        stop = max(column + 1, min(end - first, len(line)) + 1)
        place = Place(self.name, before + 1, column, stop, line)
        raise CompileError(Diagnostic(message, place, help=help))

    def fail_group(
        self, match: re.Match[str], group: str, message: str, help: str = ""
    ) -> NoReturn:
        """Raise a diagnostic at a group of a match."""
        start, end = match.span(group)
        self.fail(message, start, end, help)

    # -- pieces --------------------------------------------------------------------------------

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """The pattern at the position, which moves past it; or None."""
        match = pattern.match(self.text, self.pos)
        if match is not None:
            self.pos = match.end()
        return match

    def expect(self, pattern: re.Pattern[str], what: str) -> re.Match[str]:
        """The pattern at the position, or an error."""
        match = self.take(pattern)
        if match is None:
            self.fail(f"expected {what}", self.skip(self.pos))
        return match

    def skip(self, pos: int) -> int:
        """The position after white space and comments."""
        return _SPACE.match(self.text, pos).end()  # type: ignore[union-attr]

    def operation(self) -> re.Match[str] | None:
        """The operation at the position, or None at the end of a region or at a block."""
        match = OP.match(self.text, self.pos)
        if match is None:
            if REGION_END.match(self.text, self.pos) or LABEL.match(self.text, self.pos):
                return None
            self._explain()
        self.pos = match.end()
        return match

    def _explain(self) -> NoReturn:
        """Say which piece of the operation at the position is missing."""
        for piece, what in OP_PIECES:
            start = self.skip(self.pos)
            match = _compiled(piece).match(self.text, start)
            if match is None:
                self.fail(f"expected {what}", start)
            self.pos = match.end()
        raise AssertionError("the pieces of an operation fit one by one, but not together")

    def level(self) -> str:
        """The level that the module's attribute names."""
        start = max(self.text.rfind(LEVEL), 0)
        match = _LEVEL.match(self.text, start)
        if match is None:
            self.fail(f"the module has no attribute {LEVEL}", start, help=_LEVEL_HELP)
        if match[1] not in LEVELS:
            self.fail(f"unknown level '{match[1][:64]}'", *match.span(1), help=_LEVEL_HELP)
        return match[1]

    # -- attributes ----------------------------------------------------------------------------

    def attributes(self, match: re.Match[str]) -> dict[str, AttrValue]:
        """The attributes of an operation."""
        found: dict[str, AttrValue] = {}
        if not match["attrs"]:
            return found
        pos, end = match.span("attrs")
        while pos < end:
            key = _KEY.match(self.text, pos, end)
            if key is None:
                self.fail("expected the name of an attribute", pos, end)
            if key[2] in found:
                self.fail(f"attribute '{key[2][:64]}' is given twice", *key.span(2))
            pos = key.end()
            found[key[2]] = None
            if key[3]:
                value = _VALUE.match(self.text, pos, end)
                if value is None:
                    self.fail("expected a string, a number or a list of strings", pos)
                found[key[2]] = self._value(key[2], value)
                pos = value.end()
            comma = _COMMA.match(self.text, pos, end)
            assert comma is not None
            if not comma[1] and comma.end() < end:
                self.fail("expected ',' and another attribute, or '}'", comma.end())
            pos = comma.end()
        return found

    def _value(self, key: str, match: re.Match[str]) -> AttrValue:
        kind = match.lastgroup
        literal = match[kind or 0]
        if kind == "text":
            return self.string(literal, match.start())
        if kind == "bits":
            return float_of_bits(literal[2:])
        if kind == "float":
            return float(literal)
        if kind == "int":
            limit = _INT_LIMIT.get(key, _COLUMN_LIMIT)
            if len(literal) > 20 or not -limit <= int(literal) < limit:
                self.fail("this integer is too large", *match.span("int"))
            return int(literal)
        if kind == "array":
            return tuple(map(int, _DIGITS.findall(literal)))
        if kind == "type":
            return FunctionType(match["takes"], match["makes"])
        start = match.start("list")
        return [self.string(s[0], start + s.start()) for s in _STRING.finditer(literal)]

    def string(self, literal: str, start: int) -> str:
        """The text of a string literal."""
        try:
            return unquoted(literal)
        except ValueError:
            self.fail("this string has an escape that makes no sense", start, start + len(literal))

    # -- locations -----------------------------------------------------------------------------

    def location(self, match: re.Match[str]) -> int:
        """The location an operation names; without one, its own place in the text."""
        text = match["loc"]
        if text is None:
            return self._own_location(match)
        if text not in self.known:
            self.known[text] = self._named_location(match)
        return self.known[text]

    def _named_location(self, match: re.Match[str]) -> int:
        if match["loc"].strip() == "unknown":
            return -1
        where = _WHERE.fullmatch(match["loc"])
        if where is None:
            self.fail_group(
                match,
                "loc",
                "this location makes no sense",
                'write loc("file":1:2) or loc(unknown)',
            )
        file = self.string(where[1], match.start("loc"))
        if file not in self.files:
            self.files[file] = self.locations.add_file(file, "")
        line, column = int(where[2]), int(where[3])
        return self.locations.add(self.files[file], line, column, column + 1)

    def _own_location(self, match: re.Match[str]) -> int:
        if self.own_file < 0:
            self.own_file = self.locations.add_file(self.name, self.text)
        start = match.start(1)
        self.line += self.text.count("\n", self.line_pos, start)
        self.line_pos = start
        first = self.text.rfind("\n", 0, start) + 1
        last = self.text.find("\n", start, match.end())
        end = last if last >= 0 else match.end()
        return self.locations.add(self.own_file, self.line, start - first + 1, end - first + 1)
