"""JSON with positions: from text to values that know where they were written.

Stricter than Python's reader: names of an object differ, numbers are finite, the depth is bounded.
Nothing here recurses over a text that has not been checked, and time is linear in its length.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any, TypeAlias

from qwasmc.grammar.evaluator import Limits, LineError, Span, limit_passed

Plain: TypeAlias = "dict[str, Plain] | list[Plain] | str | int | float | bool | None"
"""A JSON value without positions."""

_TOKEN = re.compile(
    r"""[ \t\n\r]*(?:
    ([{}\[\],:])
    |("[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*")
    |(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?![\w.+-])
    |(true|false|null)(?!\w)
    )""",
    re.VERBOSE,
)
_SPACE = re.compile(r"[ \t\n\r]*")
_WORD = re.compile(r"[+-]?\w[\w.+-]{0,60}|-\w{0,60}")
_WORDS = {"true": True, "false": False, "null": None}


@dataclass(slots=True)
class Item:
    """A value and its place; the value of an object or a list holds items.

    `key` is the place of its name, if it is a member of an object.
    """

    value: Any
    start: int
    end: int
    key: Span = (0, 0)

    @property
    def span(self) -> Span:
        """Where it stands."""
        return self.start, self.end

    def plain(self) -> Plain:
        """The value without positions."""
        if isinstance(self.value, dict):
            return {name: item.plain() for name, item in self.value.items()}
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        value: Plain = self.value
        return value


def kind(item: Item) -> str:
    """The kind of a value, for messages."""
    if item.value is None:
        return "null"
    for types, name in (
        (dict, "an object"),
        (list, "a list"),
        (str, "a string"),
        (bool, "a truth value"),
    ):
        if isinstance(item.value, types):
            return name
    return "a number"


def dumps(value: object) -> str:
    """The JSON text of a plain value: equal values have equal texts, and 1, 1.0, true differ."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)


def shown(value: object) -> str:
    """The JSON text of a plain value on one line, objects in their order."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def dumps_ascii(value: object) -> str:
    """The same in ASCII, which no comment or terminal stumbles over."""
    return json.dumps(value, allow_nan=False)


def decode(text: str, limits: Limits) -> Item:
    """The value that a text spells; LineErrors count from the start of the text."""
    # Counted ahead, because the values of a text that is far too large would fill the memory.
    if text.count(",") + text.count(":") > limits.statements:
        raise limit_passed(f"a JSON text may have {limits.statements} commas and colons", (0, 1))
    return _Decoder(text, limits).run()


class _Decoder:
    """Reads a text token by token; what is open is a stack."""

    def __init__(self, text: str, limits: Limits) -> None:
        self.text = text
        self.limits = limits
        self.at = 0
        self.open: list[Item] = []
        self.name = ""
        """Name of the member that is being read."""
        self.name_span: Span = (0, 0)

    def run(self) -> Item:
        """The one value of the text."""
        root = done = self._value()
        while True:
            done = self._step(done)
            if not self.open:
                break
        rest = _SPACE.match(self.text, self.at)
        assert rest is not None
        if rest.end() < len(self.text):
            raise self._unexpected("the end of the file")
        return root

    def _step(self, done: Item) -> Item:
        """Read on after a value that has begun (a container) or is complete; the next value."""
        if self.open and self.open[-1] is done:
            closer = "}" if isinstance(done.value, dict) else "]"
            if self._peek() == closer:
                return self._close()
            return self._member() if closer == "}" else self._value()
        if not self.open:
            return done
        container = self.open[-1]
        if isinstance(container.value, dict):
            if self._punctuation(",}", "',' or '}'") == "}":
                return self._closed(container)
            return self._member()
        if self._punctuation(",]", "',' or ']'") == "]":
            return self._closed(container)
        return self._value()

    def _close(self) -> Item:
        """Close the container that has just been opened."""
        container = self.open[-1]
        self._punctuation("]}", "")
        return self._closed(container)

    def _closed(self, container: Item) -> Item:
        container.end = self.at
        return self.open.pop()

    def _peek(self) -> str:
        space = _SPACE.match(self.text, self.at)
        assert space is not None
        return self.text[space.end() : space.end() + 1]

    def _punctuation(self, allowed: str, expected: str) -> str:
        match = _TOKEN.match(self.text, self.at)
        if match is None or match[1] is None or match[1] not in allowed:
            raise self._unexpected(expected)
        self.at = match.end()
        return match[1]

    def _member(self) -> Item:
        """Read the name of a member and begin its value."""
        match = _TOKEN.match(self.text, self.at)
        if match is None or match[2] is None:
            raise self._unexpected("a name in double quotes")
        self.name_span = match.span(2)
        self.name = self._string(match[2], match.start(2))
        self.at = match.end()
        if self.name in self.open[-1].value:
            raise LineError(f"'{self.name:.60}' is given twice", self.name_span)
        self._punctuation(":", "':'")
        return self._value()

    def _value(self) -> Item:
        """Begin a value, and put it where it belongs."""
        match = _TOKEN.match(self.text, self.at)
        if match is None:
            raise self._unexpected("a value")
        index = match.lastindex or 0
        token, (start, end) = match[index], match.span(index)
        if index == 1 and token not in "{[":
            raise self._unexpected("a value")
        self.at = end
        item = Item(None, start, end)
        if index == 1:
            item.value = {} if token == "{" else []
        elif index == 2:
            item.value = self._string(token, start)
        elif index == 3:
            item.value = self._number(token, start)
        else:
            item.value = _WORDS[token]
        if self.open:
            self._put(item)
        if index == 1:
            if len(self.open) >= self.limits.nesting:
                rule = f"objects and lists may be nested {self.limits.nesting} deep"
                raise limit_passed(rule, (start, end))
            self.open.append(item)
        return item

    def _put(self, item: Item) -> None:
        container = self.open[-1].value
        if isinstance(container, dict):
            item.key = self.name_span
            container[self.name] = item
        else:
            container.append(item)

    def _string(self, token: str, start: int) -> str:
        if "\\" not in token:
            return token[1:-1]
        where = start, start + len(token)
        try:
            text = str(json.loads(token))
            text.encode()
        except json.JSONDecodeError as problem:
            at = start + problem.pos
            raise LineError("this escape is none of JSON's", (at, at + 2)) from None
        except UnicodeEncodeError:
            raise LineError("half of a surrogate pair is no character", where) from None
        return text

    def _number(self, token: str, start: int) -> int | float:
        where = start, start + len(token)
        bits = self.limits.integer_bits
        if not set(token) & set(".eE"):
            # A decimal digit has less than four bits.
            value = int(token) if len(token) <= 1 + bits // 3 and len(token) < 4000 else 1 << bits
            if value.bit_length() > bits:
                raise limit_passed(f"an integer may have {bits} bits", where)
            return value
        number = float(token)
        if not math.isfinite(number):
            raise LineError("the number is too large", where)
        return number

    def _unexpected(self, expected: str) -> LineError:
        """What stands at this place instead of what is expected."""
        space = _SPACE.match(self.text, self.at)
        assert space is not None
        start = space.end()
        label = f"expected {expected}" if expected else ""
        if start >= len(self.text):
            return LineError("the file ends too early", (start, start + 1), label=label)
        char = self.text[start]
        word = _WORD.match(self.text, start)
        if word is not None:
            return self._bad_word(word[0], word.span(), label)
        if char == '"':
            line_end = self.text.find("\n", start)
            where = start, line_end if line_end > 0 else len(self.text)
            token = _TOKEN.match(self.text, start)
            if token is None:
                return LineError("the string does not end on its line", where)
            return LineError("unexpected string", token.span(2), label=label)
        help = "JSON has no comments" if char in "/#;" else ""
        if char == "'":
            help = "JSON writes strings in double quotes"
        shown = char if char.isprintable() else f"\\u{ord(char):04x}"
        return LineError(f"unexpected '{shown}'", (start, start + 1), label=label, help=help)

    def _bad_word(self, word: str, where: Span, label: str) -> LineError:
        if word.lstrip("+-").lower() in ("nan", "infinity", "inf"):
            return LineError(f"JSON has no '{word}'", where, label=label, help="numbers are finite")
        help = "JSON writes true, false and null" if word in ("True", "False", "None") else ""
        return LineError(f"unexpected '{word}'", where, label=label, help=help)
