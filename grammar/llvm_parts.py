"""What the builder of LLVM assembly hands up the tree, and how it looks at tokens."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from lark import Token

from qwasmc.grammar.evaluator import LineError, Span
from qwasmc.grammar.llvm_template import Maker, Template
from qwasmc.grammar.llvm_tree import Attributes, Type

MAX_DIGITS = 18
"""Digits of a number of elements, an index or the number of an address space."""


@dataclass(frozen=True, slots=True)
class Label:
    """The beginning of a block."""

    name: str


@dataclass(frozen=True, slots=True)
class Close:
    """The end of a function."""


@dataclass(frozen=True, slots=True)
class Definition:
    """What a line outside of functions says, but for variables.

    `kind` is function, type, attributes, node, named, property or ignored.
    """

    kind: str
    name: str = ""
    value: Any = None
    pieces: Sequence[Piece] | None = None
    """What follows the brace of a function; None for a declaration."""


Piece: TypeAlias = "Template | Label | Close"


@dataclass(frozen=True, slots=True)
class Pair:
    """An attribute with a text."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Words:
    """Flags and attributes in the order of the text; groups have their #."""

    words: tuple[str, ...]
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class Bundles:
    """There are operand bundles, which are not kept."""


Raw: TypeAlias = Callable[[Type], Maker]
"""A value whose type is still to come."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A value of a phi, and the block it comes from."""

    value: Raw
    block: Maker


def span_of(token: Token) -> Span:
    """Where a token stands."""
    assert token.start_pos is not None
    assert token.end_pos is not None
    return token.start_pos, token.end_pos


def makers(items: Iterable[Any]) -> list[Maker]:
    """The values among the parts of a rule."""
    return [item for item in items if isinstance(item, Maker)]


def words_of(items: Iterable[Any]) -> tuple[str, ...]:
    """The flags among the parts of a rule."""
    return tuple(w for item in items if isinstance(item, Words) for w in item.words)


def type_of(items: Iterable[Any]) -> Type:
    """The first type among the parts of a rule."""
    found: Type = next(item for item in items if isinstance(item, Type))
    return found


def small(token: Token) -> int:
    """A number that is no value: a length, an index."""
    if token[0] == "-" or len(token) > MAX_DIGITS:
        raise LineError("the number is too large or negative", span_of(token))
    return int(token)


_DIGITS = re.compile(r"\d+", re.ASCII)


def space(token: Token) -> int:
    """The number of the address space that a pointer type names."""
    digits = _DIGITS.search(token)
    if digits is None:
        return 0
    if len(digits[0]) > MAX_DIGITS:
        raise LineError("the number is too large or negative", span_of(token))
    return int(digits[0])


def is_vararg(parameters: Sequence[object]) -> bool:
    """Whether the parameters end in `...`, which may stand nowhere else."""
    dots = [item for item in parameters if isinstance(item, Token)]
    if dots and (len(dots) > 1 or parameters[-1] is not dots[0]):
        raise LineError("'...' stands after all parameters", span_of(dots[0]))
    return bool(dots)
