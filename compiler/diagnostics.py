"""What went wrong, where in the source, and what to do about it.

A `Diagnostic` is data; `render` turns it into text with a caret under the source line.  Every
error a user can cause is raised as a `CompileError` that carries one or more diagnostics;
anything else that escapes is a bug in the compiler.  `Locations` keeps the source positions of
a program as columns, so that an operation's position is one integer.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

MAX_SHOWN_LINE = 160
"""Longest piece of a source line that a diagnostic shows, in characters."""


MAX_MESSAGE = 2000
"""Longest message that is shown: some quote a word of the source, however long it is."""


class Kind(IntEnum):
    """Why a compilation stopped; the value is the exit code."""

    PROGRAM = 1
    USAGE = 2
    LIMIT = 3
    BUG = 70


@dataclass(frozen=True, slots=True)
class Place:
    """A range of one source line: 1-based line and column, `end` one past the last column."""

    file: str
    line: int
    column: int
    end: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One error or warning.

    `label` stands beside the caret; `notes` say more; `help` says what to do; `chain` lists the
    macro calls, loops and includes the place was reached through, innermost first.
    """

    message: str
    place: Place | None = None
    label: str = ""
    notes: tuple[str, ...] = ()
    help: str = ""
    chain: tuple[tuple[str, Place], ...] = ()
    kind: Kind = Kind.PROGRAM
    severity: str = "error"


class CompileError(Exception):
    """The request cannot be met; `diagnostics` says why."""

    def __init__(self, diagnostics: Diagnostic | Sequence[Diagnostic]) -> None:
        if isinstance(diagnostics, Diagnostic):
            diagnostics = [diagnostics]
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(diagnostic.message for diagnostic in self.diagnostics))

    def __reduce__(self) -> tuple[type[CompileError], tuple[Sequence[Diagnostic]]]:
        """How it comes from another process."""
        return CompileError, (self.diagnostics,)

    @property
    def exit_code(self) -> int:
        """The exit code of the first diagnostic's kind."""
        return int(self.diagnostics[0].kind)


def error(message: str, *, kind: Kind = Kind.PROGRAM, help: str = "") -> CompileError:
    """A CompileError with a single diagnostic that has no source position."""
    return CompileError(Diagnostic(message, kind=kind, help=help))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A suggestion of the nearest known word, or nothing if none is near."""
    near = difflib.get_close_matches(word[:64], list(known), n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else ""


def render(diagnostic: Diagnostic) -> str:
    """The diagnostic as text, ending in a newline.

    error: unknown mnemonic 'APLY_H'
      --> bell.qwasm:7:4
      |
    7 | h: APLY_H q0
      |    ^^^^^^ not an instruction
      = help: did you mean 'APPLY_H'?
    """
    message = diagnostic.message
    if len(message) > MAX_MESSAGE:
        message = f"{message[:MAX_MESSAGE]}..."
    lines = [f"{diagnostic.severity}: {message}"]
    width = 1
    if diagnostic.place is not None:
        place = diagnostic.place
        number = str(place.line)
        width = len(number)
        lines.append(f"{' ' * width} --> {place}")
        lines.append(f"{' ' * width} |")
        shown, caret = _excerpt(place)
        lines.append(f"{number} | {shown}")
        lines.append(f"{' ' * width} | {caret} {diagnostic.label}".rstrip())
    margin = " " * width
    lines += [f"{margin} = note: {note}" for note in diagnostic.notes]
    if diagnostic.help:
        lines.append(f"{margin} = help: {diagnostic.help}")
    lines += [f"{margin} = in {what} at {place}" for what, place in diagnostic.chain]
    return "\n".join(lines) + "\n"


def _excerpt(place: Place) -> tuple[str, str]:
    """The visible part of the source line and the caret line under it."""
    first = max(0, place.column - 1 - MAX_SHOWN_LINE // 2)
    piece = place.text[first : first + MAX_SHOWN_LINE]
    shown = "".join(c if c.isprintable() else (" " if c == "\t" else "\ufffd") for c in piece)
    indent = place.column - 1 - first
    length = max(1, min(place.end - place.column, MAX_SHOWN_LINE - indent))
    return shown.rstrip(), " " * indent + "^" * length


@dataclass(slots=True)
class Locations:
    """Source positions as columns; a position's number is its row.  -1 means unknown."""

    files: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    file: list[int] = field(default_factory=list)
    line: list[int] = field(default_factory=list)
    column: list[int] = field(default_factory=list)
    end: list[int] = field(default_factory=list)
    parent: list[int] = field(default_factory=list)
    """The position of the macro call, loop or include that led here, or -1."""
    paths: dict[str, str] = field(default_factory=dict)
    """Where every file that was read lies, in order of reading, and the SHA-256 of its bytes."""
    absent: dict[str, None] = field(default_factory=dict)
    """Where included files were looked for in vain, before they were found elsewhere."""

    def add_file(self, name: str, text: str) -> int:
        """Register a source file and return its number."""
        self.files.append(name)
        self.texts.append(text)
        return len(self.files) - 1

    def add(self, file: int, line: int, column: int, end: int, parent: int = -1) -> int:
        """Append a position (1-based line and column) and return its number."""
        self.file.append(file)
        self.line.append(line)
        self.column.append(column)
        self.end.append(end)
        self.parent.append(parent)
        return len(self.file) - 1

    def place(self, loc: int) -> Place | None:
        """The position with its source line, for a diagnostic."""
        if loc < 0:
            return None
        line = self.line[loc]
        text = _line(self.texts[self.file[loc]], line)
        return Place(self.files[self.file[loc]], line, self.column[loc], self.end[loc], text)

    def chain(self, loc: int) -> tuple[tuple[str, Place], ...]:
        """The expansions that led to a position, innermost first."""
        found: list[tuple[str, Place]] = []
        while loc >= 0 and self.parent[loc] >= 0:
            loc = self.parent[loc]
            place = self.place(loc)
            assert place is not None
            found.append((f"the expansion of {_first_word(place)}", place))
        return tuple(found)

    def diagnostic(self, message: str, loc: int, label: str = "", help: str = "") -> Diagnostic:
        """A program error at a position."""
        return Diagnostic(message, self.place(loc), label=label, help=help, chain=self.chain(loc))


def _line(text: str, number: int) -> str:
    """One line of a text, without splitting all of it: it may have millions."""
    start = 0
    for _ in range(number - 1):
        start = text.find("\n", start) + 1
        if start == 0:
            return ""
    end = text.find("\n", start)
    return text[start:] if end < 0 else text[start:end]


def _first_word(place: Place) -> str:
    words = place.text[place.column - 1 : place.end - 1].split("(")[0].split()
    return words[0] if words else "this line"
