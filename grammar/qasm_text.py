"""Texts in OpenQASM: comments blanked, includes put in, every character with its position.

Both versions of the language have the same comments and includes.  The standard include files stay
includes, because Qiskit knows them; any other must be in the folder of the program.  What comes
out has the same length and lines as what went in, but for the included texts.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from qwasmc.diagnostics import CompileError, Diagnostic, Kind, Locations
from qwasmc.grammar.evaluator import Limits, LineError, limit_passed
from qwasmc.grammar.source import Source, Sources

STANDARD = ("qelib1.inc", "stdgates.inc")
"""Include files that Qiskit has."""

MAX_OPERATORS = 1000
"""Operators of an expression: Qiskit's parser recurses over them."""

LONG = 1000
"""Statements shorter than this cannot have too many operators."""

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/|\"[^\"\n]*\"|'[^'\n]*'", re.DOTALL)
_INCLUDE = re.compile(r"(?<![^\s;}])include\s*([\"'])([^\"'\n]*)\1\s*;")
_INCLUDED = re.compile(r"include\s*[\"']([^\"']*)")
_OPERATOR = re.compile(r"[-+*/^(\[{!~%&|<>=]")
_TOKEN = re.compile(r"\w+")
_NOT_BLANK = re.compile(r"[^\n]")


@dataclass(frozen=True, slots=True)
class _Piece:
    """Where a part of the text came from."""

    source: Source
    offset: int
    parent: int
    """Position of the include, or -1."""


class Text:
    """A program with its includes put in."""

    def __init__(self, data: str | bytes, name: str, include_dirs: Sequence[Path] = ()) -> None:
        self.locations = Locations()
        self.limits = Limits()
        directory = Path(name).parent
        self._sources = Sources(self.locations, self.limits, [directory, *include_dirs])
        self._open: list[Source] = []
        """The files that are being read, outermost first."""
        self._parts: list[str] = []
        self._starts: list[int] = []
        self._pieces: list[_Piece] = []
        self._length = 0
        self._lines: dict[int, list[int]] = {}
        """By file, where its lines start."""
        self._flat: list[int] = []
        """Where the lines of the whole start, once somebody has asked."""
        self._add(self._sources.load(data, name, directory), -1)
        self.text = "".join(self._parts)
        for found in _INCLUDED.finditer(self.text):
            if found[1] not in STANDARD:  # a parser might open what is not put in
                raise self.error("this is no place for an include", *found.span())

    def _add(self, source: Source, parent: int) -> None:
        self._open.append(source)
        text = _COMMENT.sub(_blank, source.text)
        at = 0
        for found in _INCLUDE.finditer(text):
            if found[2] in STANDARD:
                continue
            self._piece(text, at, found.start(), source, parent)
            at = found.end()
            loc = self._place(source, found.start(), found.end(), parent)
            self._add(self._included(found[2], source, loc), loc)
        self._piece(text, at, len(text), source, parent)
        self._open.pop()

    def _included(self, target: str, source: Source, loc: int) -> Source:
        try:
            if len(self._open) > self.limits.include_depth:
                raise limit_passed(f"includes may be nested {self.limits.include_depth} deep")
            included = self._sources.open(target, source.directory)
            if any(included is outer for outer in self._open):
                raise LineError(f"'{target}' includes itself")
            return included
        except LineError as wrong:
            raise CompileError(self.refusal(wrong, loc)) from None

    def _piece(self, text: str, start: int, end: int, source: Source, parent: int) -> None:
        self._starts.append(self._length)
        self._pieces.append(_Piece(source, start, parent))
        self._parts.append(text[start:end])
        self._length += end - start
        if self._length > self.limits.source_bytes:
            rule = limit_passed(f"a program may have {self.limits.source_bytes} bytes")
            raise CompileError(self.refusal(rule, parent))

    def _place(self, source: Source, start: int, end: int, parent: int) -> int:
        starts = self._lines.get(source.file)
        if starts is None:
            starts = self._lines[source.file] = _line_starts(source.text)
        line = bisect_right(starts, start)
        stop = starts[line] - 1 if line < len(starts) else len(source.text)
        first = starts[line - 1]
        return self.locations.add(
            source.file, line, start - first + 1, max(min(end, stop), start + 1) - first + 1, parent
        )

    def position(self, start: int, end: int) -> int:
        """The position of a part of the text."""
        piece = self._pieces[(at := bisect_right(self._starts, start) - 1)]
        move = piece.offset - self._starts[at]
        return self._place(piece.source, start + move, end + move, piece.parent)

    def error(self, message: str, start: int, end: int, kind: Kind = Kind.PROGRAM) -> CompileError:
        """An error at a part of the text."""
        return CompileError(self.refusal(LineError(message, kind=kind), self.position(start, end)))

    def refusal(self, wrong: LineError, loc: int) -> Diagnostic:
        """What is wrong, at a position."""
        found = self.locations.diagnostic(wrong.message, loc, wrong.label, wrong.help)
        return replace(found, kind=wrong.kind)

    def offset(self, line: int, column: int) -> int:
        """The offset of a line, counted from 1, and a column, counted from 0."""
        if not self._flat:
            self._flat = _line_starts(self.text)
        return min(self._flat[min(line, len(self._flat)) - 1] + column, len(self.text))

    def error_at(self, message: str, line: int, column: int) -> CompileError:
        """An error at a word; line and column as in `offset`."""
        start = self.offset(line, column)
        found = _TOKEN.match(self.text, start)
        return self.error(message, start, found.end() if found else start + 1)

    def check(self, at: int, statement: str) -> None:
        """Refuse a statement that the recursion of a parser would not survive."""
        if len(statement) > LONG:
            offset = at
            for part in re.split("[;{}]", statement):
                if len(part) > LONG and len(_OPERATOR.findall(part)) > MAX_OPERATORS:
                    message = f"limit passed: an expression may have {MAX_OPERATORS:,} operators"
                    raise self.error(message, offset, offset + len(part), Kind.LIMIT)
                offset += len(part) + 1


def _line_starts(text: str) -> list[int]:
    return [0, *(found.end() for found in re.finditer("\n", text))]


def _blank(found: re.Match[str]) -> str:
    """A comment as white space of the same shape; strings stay."""
    return _NOT_BLANK.sub(" ", found[0]) if found[0][0] == "/" else found[0]


_START = re.compile(r"[\s;]*")
_GATE = re.compile(r"gate\b")


def statements(text: str) -> Iterator[tuple[int, str]]:
    """The statements of OpenQASM 2 with their offsets, without the semicolon at their end."""
    at, length = 0, len(text)
    while True:
        start = _START.match(text, at)
        assert start is not None
        at = start.end()
        if at == length:
            return
        end = text.find("}" if _GATE.match(text, at) else ";", at)
        if end < 0:
            end = length
        yield at, text[at:end]
        at = end + 1
