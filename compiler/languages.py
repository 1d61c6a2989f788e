"""The language table: what a program can be written in, how to tell, and who reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass

HEAD_BYTES = 1 << 16
"""How much of a source is looked at to tell its language."""

_SPACE = rb"(?>\s|//[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*"
"""White space and comments of C's kind."""


@dataclass(frozen=True, slots=True)
class Language:
    """A row: `function` ("module:name") reads it into an IR.

    A source is in the first language whose `start` its beginning matches, else in the one that
    its `suffixes` name, else in the first of the table.  `options` are the options of a
    compilation that the function takes.
    """

    name: str
    function: str
    doc: str
    start: re.Pattern[bytes] | None = None
    suffixes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


LANGUAGES: tuple[Language, ...] = (
    Language(
        "qwasm",
        "qwasmc.grammar.qwasm:read",
        "QWASM assembly, both styles",
        options=("params", "include_dirs", "limits"),
    ),
    Language(
        "qvm",
        "qwasmc.grammar.qvm:read",
        "QVM graph (JSON)",
        options=("limits",),
        start=re.compile(rb"(?:\xef\xbb\xbf)?\s*\{\s*[\"}]"),
    ),
    Language(
        "qir",
        "qwasmc.grammar.qir:read",
        "QIR: LLVM assembly or bitcode",
        start=re.compile(
            rb"BC\xc0\xde|\xde\xc0\x17\x0b|(?>\s|;[^\n]*\n)*"
            rb"(source_filename\s*=|target\s+(datalayout|triple)|define\s|declare\s|attributes\s+#"
            rb"|[%@][\w.$-]+\s*=|[%@]\"[^\"\n]*\"\s*=|!\w+\s*=)|; ModuleID"
        ),
        suffixes=(".ll", ".bc"),
        options=("entry",),
    ),
    Language(
        "qasm2",
        "qwasmc.grammar.qasm:read_qasm2",
        "OpenQASM 2",
        options=("include_dirs",),
        start=re.compile(_SPACE + rb"OPENQASM\s+2"),
    ),
    Language(
        "qasm3",
        "qwasmc.grammar.qasm3:read_qasm3",
        "OpenQASM 3",
        options=("include_dirs",),
        start=re.compile(_SPACE + rb"OPENQASM\s+3"),
    ),
    Language(
        "stim",
        "qwasmc.grammar.from_stim:read",
        "Stim circuit of Clifford gates, as a program",
        suffixes=(".stim", ".tsim"),
    ),
    Language(
        "ir",
        "qwasmc.text:parse_ir",
        "the compiler's own IR, in MLIR generic syntax",
        # No statement of QWASM starts with a quoted name.
        start=re.compile(rb"(?>\s|//[^\n]*\n)*\""),
        suffixes=(".mlir",),
    ),
)

BY_NAME = {language.name: language for language in LANGUAGES}
"""Row by name."""


def detect(name: str, data: bytes) -> Language:
    """The language of a source, from its content, then the suffix of its name."""
    head = data[:HEAD_BYTES]
    for language in LANGUAGES:
        if language.start and language.start.match(head):
            return language
    for language in LANGUAGES:
        if name.lower().endswith(language.suffixes or "\0"):
            return language
    return LANGUAGES[0]
