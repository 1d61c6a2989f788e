"""Source files: their text, their lines, and the blocks that the lines form."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from qwasmc.diagnostics import CompileError, Diagnostic, Kind, Locations
from qwasmc.grammar.evaluator import Limits, LineError, Span, limit_passed
from qwasmc.grammar.syntax import Directive, Statement


@dataclass(slots=True)
class Line:
    """A line of a source file, without blank and comment lines."""

    number: int
    text: str
    directive: str | None = None
    """The name of the directive it holds, if it does."""
    parsed: Statement | Directive | None = None
    """The tree, kept once `is_parsed`; None if the line is wrong or only a label."""
    is_parsed: bool = False


@dataclass(slots=True)
class Block:
    """A loop, a macro or a conditional: headers with the items that follow them."""

    kind: str
    parts: list[tuple[Line, list[Item]]]


Item = Line | Block


@dataclass(frozen=True, slots=True)
class Source:
    """A source file."""

    file: int
    text: str
    directory: Path


CLOSERS = {"endfor": "for", "endif": "if", "endmacro": "macro"}
OPENERS = {kind: closer for closer, kind in CLOSERS.items()}
BRANCHES = frozenset({"elif", "else"})
# fmt: off
DIRECTIVES = (
    "version", "caps", "param", "set", "for", "endfor", "if", "elif", "else", "endif", "macro",
    "endmacro", "include",
)
# fmt: on

_DIRECTIVE = re.compile(r"\.(\w*)")


def lines(text: str) -> Iterator[Line]:
    """The lines of a text that are not blank or a comment."""
    number = start = 0
    length = len(text)
    while start < length:
        number += 1
        end = text.find("\n", start)
        if end < 0:
            end = length
        line = text[start:end]
        start = end + 1
        code = line.lstrip()
        if not code or code[0] == ";" or code.startswith("//"):
            continue
        match = _DIRECTIVE.match(code) if code[0] == "." else None
        yield Line(number, line, match and match[1])


def first_word(text: str) -> Span:
    """Where the first word of a line is."""
    indent = len(text) - len(text.lstrip())
    words = text[indent : indent + 80].split(None, 1)
    return indent, indent + max(1, len(words[0]) if words else 1)


Report = Callable[[LineError, Line], None]
"""Called with what is wrong and the line it is about."""


def items(text: str, limits: Limits, report: Report) -> Iterator[Item]:
    """The lines and blocks of a text; what does not fit together is reported and left out."""
    stack: list[Block] = []
    collected = 0
    for line in lines(text):
        name = line.directive
        if name is None and not stack:
            yield line
            continue
        collected = collected + 1 if stack else 0
        if collected > limits.block_lines:
            rule = f"a block may have {limits.block_lines} lines"
            report(limit_passed(rule), stack[0].parts[0][0])
        item: Item = line
        if name in OPENERS:
            if len(stack) >= limits.nesting:
                report(limit_passed(f"blocks may be nested {limits.nesting} deep"), line)
            stack.append(Block(name, [(line, [])]))
            continue
        if name in CLOSERS or name in BRANCHES:
            problem = _misfit(name, stack)
            if problem is not None:
                report(problem, line)
                continue
            if name in BRANCHES:
                stack[-1].parts.append((line, []))
                continue
            item = stack.pop()
        if stack:
            stack[-1].parts[-1][1].append(item)
        else:
            yield item
    for block in stack:
        problem = LineError(f"'.{block.kind}' without '.{OPENERS[block.kind]}'")
        report(problem, block.parts[0][0])


def _misfit(name: str, stack: list[Block]) -> LineError | None:
    """What is wrong with a closing directive or a branch here."""
    kind = CLOSERS.get(name, "if")
    if not stack:
        return LineError(f"'.{name}' without '.{kind}'")
    headers = [header for header, _ in stack[-1].parts]
    if stack[-1].kind != kind:
        still_open = f"'.{stack[-1].kind}' on line {headers[0].number} is still open"
        return LineError(f"'.{name}' without '.{kind}'", help=still_open)
    if name in BRANCHES and headers[-1].directive == "else":
        there = f"'.else' is on line {headers[-1].number}"
        return LineError(f"'.{name}' after '.else'", help=there)
    return None


# ---------------------------------------------------------------- files


LIBRARY = Path(__file__).resolve().parent / "lib"
"""Macros that come with the compiler."""

LIBRARY_FOLDERS = (LIBRARY, *(LIBRARY / folder for folder in ("qvm", "qvm/lib", "qvm/asm")))
"""Where they are looked for; programs of QVM 0.1 name its files with and without their folders."""


class Sources:
    """The files of a program; included ones come from inside a few folders, the roots."""

    def __init__(self, locations: Locations, limits: Limits, roots: Sequence[Path]) -> None:
        self.locations = locations
        self.limits = limits
        self.folders = (*roots, *LIBRARY_FOLDERS)
        self.roots = [folder.resolve() for folder in self.folders]
        self._known: dict[Path, Source] = {}

    def load(self, data: str | bytes, name: str, directory: Path, path: str = "") -> Source:
        """Register a file; its text must be UTF-8 without NUL.  It lies at `path`, else `name`."""
        whole = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
        self.locations.paths[path or name] = hashlib.sha256(whole).hexdigest()
        size = len(data)
        if size > self.limits.source_bytes:
            data = data[: self.limits.source_bytes]
            if isinstance(data, bytes):
                data = data.rstrip(bytes(range(0x80, 0x100)))  # no half of a character at the end
        text = data if isinstance(data, str) else data.decode("utf-8", "replace")
        text = text.removeprefix("\ufeff").replace("\r\n", "\n")
        source = Source(self.locations.add_file(name, text), text, directory)
        bad = _bad_character(data, text)
        if bad is not None:
            raise CompileError(self._diagnostic(source, *bad))
        if size > self.limits.source_bytes:
            message = f"limit passed: {self._rule()}, '{name}' has {size}"
            passed = self._diagnostic(source, message, len(text) - 1)
            raise CompileError(replace(passed, kind=Kind.LIMIT))
        return source

    def _diagnostic(self, source: Source, message: str, at: int) -> Diagnostic:
        """An error at an offset of a file's text."""
        line = source.text.count("\n", 0, at) + 1
        column = at - source.text.rfind("\n", 0, at)
        loc = self.locations.add(source.file, line, column, column + 1)
        return self.locations.diagnostic(message, loc)

    def open(self, target: str, directory: Path) -> Source:
        """The file that an include in a file of the folder `directory` names."""
        try:
            found = self._search(target, directory)
            path = found.resolve()
            if path in self._known:
                return self._known[path]
            if path.stat().st_size > self.limits.source_bytes:
                raise limit_passed(self._rule())
            data = path.read_bytes()
        except (OSError, ValueError) as problem:
            reason = getattr(problem, "strerror", None) or "not a path"
            raise LineError(f"cannot read '{target}': {reason}") from None
        name = target if path.is_relative_to(LIBRARY) else str(found)
        self._known[path] = source = self.load(data, name, found.parent, str(found))
        return source

    def _search(self, target: str, directory: Path) -> Path:
        """The first file that may be meant, by the name that its folder was given by."""
        candidates = (folder / target for folder in (directory, *self.folders))
        inside = [path for path in candidates if self._is_inside(path.resolve())]
        for path in inside:
            if path.is_file():
                return path
            self.locations.absent[str(path)] = None
        if all(path.resolve().is_relative_to(LIBRARY) for path in inside):
            # Not said: whether there is such a file.
            raise LineError(
                f"'{target}' leaves the folders that files may be included from",
                help="give its folder with -I",
            )
        raise LineError(
            f"cannot find '{target}'",
            help="looked in the folder of this file, of the program, in the -I folders, "
            "in the library",
        )

    def _is_inside(self, path: Path) -> bool:
        return any(path.is_relative_to(root) for root in self.roots)

    def _rule(self) -> str:
        return f"a file may have {self.limits.source_bytes} bytes"


def _bad_character(data: str | bytes, text: str) -> tuple[str, int] | None:
    """A message and an offset in the text, if there is a character no program may hold."""
    if isinstance(data, bytes):
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as problem:
            before = data[: problem.start].decode("utf-8").removeprefix("\ufeff")
            return "this is not UTF-8", len(before.replace("\r\n", "\n"))
    nul = text.find("\0")
    return None if nul < 0 else ("a program cannot contain NUL", nul)
