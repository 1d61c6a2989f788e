"""From a logical line of LLVM assembly to instructions or a definition.

The grammar is llvm.lark.  Lark calls the methods of the builder while it parses, bottom up and
without recursion; brackets and other nesting are counted before, so that no depth hurts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from lark import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from qwasmc.diagnostics import did_you_mean
from qwasmc.grammar.evaluator import LineError, limit_passed
from qwasmc.grammar.llvm_builder import parse_tree
from qwasmc.grammar.llvm_parts import Definition, Piece
from qwasmc.grammar.llvm_template import HOLES, Template

NESTING = 200
"""Depth of nested brackets, pointers and function types."""
MAX_HOLES = 64
"""Holes of a line that is made a template."""


def parse_body(text: str, *, holes: bool) -> list[Piece]:
    """What a logical line inside a function says; with `holes`, names and numbers are slots."""
    pieces: list[Piece] = _parse(text, "body", holes=holes)
    return pieces


def parse_entity(text: str, *, holes: bool) -> Template | Definition:
    """What a logical line outside of functions says."""
    entity: Template | Definition = _parse(text, "entity", holes=holes)
    return entity


def _parse(text: str, start: str, *, holes: bool) -> Any:
    check_nesting(text)
    found = {m.start(): (index, m.group()) for index, m in enumerate(HOLES.finditer(text))}
    # Metadata is never a template: it is too varied to be worth it.
    found = found if holes and len(found) <= MAX_HOLES and "!" not in text else {}
    try:
        return parse_tree(text, start, found)
    except UnexpectedInput as problem:
        raise _syntax_error(problem, text) from None


_NESTS = re.compile(r'"[^"]*"|[(\[{<*,]|[)\]}>]')


def check_nesting(text: str) -> None:
    """Refuse what is nested too deep.

    A star or a closed bracket may make a deeper type of what stands before it, so both count, up
    to the next comma.
    """
    if sum(map(text.count, "([{<*")) <= NESTING:
        return
    depth = 0
    outer: list[int] = []
    for found in _NESTS.finditer(text):
        character = found.group()
        if character in "([{<":
            outer.append(depth)
            depth += 1
        elif character == ",":
            depth = outer[-1] + 1 if outer else 0
        elif character == "*":
            depth += 1
        elif character in ")]}>" and outer:
            depth = outer.pop() + 1
        if depth > NESTING:
            raise limit_passed(f"types and constants may be nested {NESTING} deep", found.span())


# ---------------------------------------------------------------- syntax errors

_SHOWN = {
    "INT": "a number",
    "STRING": "a string",
    "LOCAL": "a %name",
    "GLOBAL": "an @name",
    "INT_TYPE": "a type",
    "CONSTANT": "a value",
    "EQUAL": "'='",
    "COMMA": "','",
    "LPAR": "'('",
    "RPAR": "')'",
    "LSQB": "'['",
    "RSQB": "']'",
    "LBRACE": "'{'",
    "RBRACE": "'}'",
    "TO": "'to'",
    "X": "'x'",
    "UNWIND": "'unwind'",
    "TYPE": "'type'",
    "$END": "the end of the line",
}
_IMPLIED = {
    "INT_TYPE": {"LOCAL", "LSQB", "LBRACE", "LESSTHAN"},
    "CONSTANT": {"LOCAL", "GLOBAL", "INT", "LSQB", "LBRACE", "LESSTHAN"},
}
"""What is not listed if that is: the beginnings of all types and of all values."""

_UNSUPPORTED = frozenset(
    {
        *("atomicrmw", "catchpad", "catchret", "catchswitch", "cleanuppad", "cleanupret"),
        *("callbr", "cmpxchg", "fence", "indirectbr", "va_arg"),
    }
)
_OPCODES = (
    *("add", "alloca", "and", "ashr", "bitcast", "br", "call", "extractvalue", "fadd", "fcmp"),
    *("fdiv", "fmul", "fneg", "fsub", "getelementptr", "icmp", "insertvalue", "inttoptr", "load"),
    *("lshr", "mul", "or", "phi", "ptrtoint", "ret", "sdiv", "select", "sext", "shl", "srem"),
    *("store", "sub", "switch", "trunc", "udiv", "unreachable", "urem", "xor", "zext"),
)
_BEFORE_OPCODE = re.compile(r'\s*(?:%(?:[-\w$.]+|"[^"]*")\s*=)?\s*', re.ASCII)
_WORD = re.compile(r'[-\w$.]+|[%@!][-\w$."]*|.', re.ASCII | re.DOTALL)


def _syntax_error(problem: UnexpectedInput, text: str) -> LineError:
    if isinstance(problem, UnexpectedToken) and problem.token.type == "$END":
        start = len(text.rstrip())
        label = _expected(problem.expected)
        return LineError("the line ends too early", (start, start + 1), label=label)
    if isinstance(problem, UnexpectedToken):
        start, expected = problem.token.start_pos or 0, set(problem.expected)
    else:
        assert isinstance(problem, UnexpectedCharacters)
        start, expected = problem.pos_in_stream or 0, set(problem.allowed or ())
    found = _WORD.match(text, start)
    word = found.group() if found else ""
    span = start, start + max(1, len(word))
    opcode = _BEFORE_OPCODE.match(text)
    if "CALL" in expected and opcode and opcode.end() == start and word.isidentifier():
        if word in _UNSUPPORTED:
            return LineError(f"the instruction '{word}' is not supported", span)
        return LineError(
            f"unknown instruction '{word:.40}'", span, help=did_you_mean(word, _OPCODES)
        )
    if word == '"':
        return LineError("the string does not end", (start, len(text)))
    shown = word if word.isprintable() else f"\\u{ord(word[0]):04x}"
    return LineError(f"unexpected '{shown:.40}'", span, label=_expected(expected))


def _expected(terminals: Iterable[str]) -> str:
    known = set(terminals)
    for terminal, implied in _IMPLIED.items():
        if terminal in known:
            known -= implied
    shown = sorted({_SHOWN[t] for t in known if t in _SHOWN})
    if not shown or len(shown) > 5:
        return ""
    return "expected " + " or ".join([", ".join(shown[:-1]), shown[-1]][not shown[1:] :])
