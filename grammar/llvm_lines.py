"""The lines of LLVM assembly, and the logical lines that they form.

LLVM's grammar does not care about lines, but those who write it do: a logical line is a line, with
those after it that cannot begin an instruction or a definition.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from qwasmc.grammar.evaluator import limit_passed

MAX_LINE = 1 << 22
"""Characters of a logical line."""

_NAME = r'(?:[-\w$.]+|"[^"]*")'
LABEL_LINE = re.compile(rf"\s*({_NAME}):", re.ASCII)
_COMMENT = re.compile(r'(?:[^;"]|"[^"]*")*')
_ATTACHED = re.compile(r"\s*,\s*![-\w$.]+\s+!\d+\s*", re.ASCII)
_QUOTED = re.compile(r'"[^"]*"')
DEBUG_NODE = re.compile(r"!\d+\s*=\s*(?:distinct\s+)?!(?:DI|GenericDI)", re.ASCII)

BEGINS = re.compile(
    rf"""\s*(?:
    (?:define|declare|attributes|target|source_filename|module\s+asm)\b
    |[%@!]{_NAME}\s*=
    |\$.*=\s*comdat\b
    )""",
    re.VERBOSE | re.ASCII,
)
"""What a definition begins with."""
_BEGINS_INSIDE = re.compile(
    rf"""\s*(?:
    (?:(?:tail|musttail|notail)\s+)?call\b|br\b|ret\b|store\b|switch\b|unreachable\b|\#dbg_
    |%{_NAME}\s*=|{_NAME}:|}}\s*$
    |(?:define|declare|attributes|target|source_filename)\b
    )""",
    re.VERBOSE | re.ASCII,
)
"""What an instruction begins with, where a bracket is open."""
CONTINUES_INSIDE = re.compile(
    rf"""\s*(?:
    [,()\[\]{{*"=@!-]|c"|\d|\#\d
    |(?:to|unwind|cleanup|catch|filter|label|align|i\d+|ptr|double|float|void|metadata
    |null|true|false|undef|poison|zeroinitializer)\b
    |%{_NAME}(?!\s*=|["\w$.-])
    )""",
    re.VERBOSE | re.ASCII,
)
"""What no instruction begins with."""
OUTSIDE = re.compile(r"(?:define|declare|attributes\s+#|target\s|source_filename\b|[@!]\S+\s*=)")
"""What stands at the left margin outside of functions."""


def code_of(line: str) -> str:
    """A line without comment, attached debug locations and blanks at its end."""
    if ";" in line:
        found = _COMMENT.match(line)
        assert found is not None
        line = found.group()
    if "!" in line:
        end = len(line)
        cut = line.rfind(", !")
        while cut >= 0 and _ATTACHED.fullmatch(line, cut, end):
            end = cut
            cut = line.rfind(", !", 0, end)
        line = line[:end]
    return line.rstrip()


def _depth(code: str) -> int:
    """How many more brackets open than close."""
    if '"' in code:
        code = _QUOTED.sub("", code)
    return sum(map(code.count, "([{")) - sum(map(code.count, ")]}"))


def gather(lines: Sequence[str], at: int, *, inside: bool) -> tuple[str, int]:
    """The logical line that begins with a line, and the index of the line after it."""
    pieces: list[str] = []
    depth = size = 0
    is_open = True
    is_define = False
    while at < len(lines):
        line = lines[at]
        code = code_of(line)
        if not pieces:
            is_define = not inside and code.startswith("define")
        elif not _goes_on(code, inside, is_open):
            break
        # Offsets in the logical line lead back to the text.
        pieces.append(code.ljust(len(line)))
        size += len(line) + 1
        if size > MAX_LINE:
            raise limit_passed(f"a line with those it goes on in may have {MAX_LINE} characters")
        at += 1
        depth += _depth(code)
        if not code:
            continue
        if is_define:
            if (code[-1], depth) in (("{", 1), ("}", 0)):
                break
        else:
            is_open = depth > 0 or code[-1] in ",="
    return "\n".join(pieces).rstrip(), at


def _goes_on(code: str, inside: bool, is_open: bool) -> bool:
    """Whether a line goes on with what stands before it."""
    if not code.strip():
        return is_open
    if not inside:
        return not BEGINS.match(code)
    if is_open:
        return not _BEGINS_INSIDE.match(code)
    return bool(CONTINUES_INSIDE.match(code)) and not LABEL_LINE.match(code)
