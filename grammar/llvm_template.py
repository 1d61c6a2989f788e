"""Instructions that many lines spell with other names and numbers in the same places.

    %5 = add i64 %3, 1
    ^^           ^^  ^    the holes of this line; %8 = add i64 %5, 2 has the same ones

The grammar reads one line of each shape; the template that it gives makes the instructions of all
lines of that shape.  Where the text of a hole is no value, `align 8` say, it is part of the shape.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from qwasmc.grammar.evaluator import LineError, limit_passed
from qwasmc.grammar.llvm_tree import (
    LABEL,
    VOID,
    Float,
    FloatType,
    Instruction,
    Int,
    IntType,
    Local,
    PointerType,
    Special,
    Symbol,
    Text,
    Type,
    Value,
)

HOLES = re.compile(
    r'([%@](?:\d+|[-a-zA-Z$._][-\w$.]*|"[^"]*")|"[^"]*"|(?<= )[-+]?\d[\w.+-]*)', re.ASCII
)

MEMO = 1 << 12
"""How many values of one place are remembered."""

MAX_DIGITS = 4000
"""Digits of an integer."""

# ---------------------------------------------------------------- makers of values


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same value in all lines."""

    value: Value
    slots: tuple[int, ...] = ()

    @property
    def type(self) -> Type:
        """The value's type."""
        return self.value.type

    def fill(self, texts: Sequence[str]) -> Value:
        """The value, given the texts of the holes."""
        return self.value


@dataclass(frozen=True, slots=True)
class Slot:
    """A value that is spelled in one hole."""

    type: Type
    slots: tuple[int]
    read: Callable[[Type, str], Value]
    _known: dict[str, Value] = field(default_factory=dict)

    def fill(self, texts: Sequence[str]) -> Value:
        """The value, given the texts of the holes."""
        text = texts[self.slots[0]]
        value = self._known.get(text)
        if value is None:
            value = self.read(self.type, text)
            if len(self._known) >= MEMO:
                self._known.clear()
            self._known[text] = value
        return value


@dataclass(frozen=True, slots=True)
class Composite:
    """A value that is made of others, some of them slots."""

    type: Type
    slots: tuple[int, ...]
    parts: tuple[Maker, ...]
    make: Callable[[tuple[Value, ...]], Value]
    _known: dict[tuple[str, ...], Value] = field(default_factory=dict)

    def fill(self, texts: Sequence[str]) -> Value:
        """The value, given the texts of the holes."""
        key = tuple([texts[slot] for slot in self.slots])
        value = self._known.get(key)
        if value is None:
            value = self.make(tuple([part.fill(texts) for part in self.parts]))
            if len(self._known) >= MEMO:
                self._known.clear()
            self._known[key] = value
        return value


Maker = Fixed | Slot | Composite


def composite(
    type: Type, parts: Sequence[Maker], make: Callable[[tuple[Value, ...]], Value]
) -> Maker:
    """The maker of a value of parts."""
    slots = tuple(slot for part in parts for slot in part.slots)
    if not slots:
        return Fixed(make(tuple(part.fill(()) for part in parts)))
    return Composite(type, slots, tuple(parts), make)


@dataclass(slots=True)
class Template:
    """An instruction with holes.

    `result` is the number of the hole with the result's name, which begins with `sigil`, or just
    the name.
    """

    opcode: str
    type: Type
    operands: tuple[Maker, ...]
    words: tuple[str, ...] = ()
    result: int | str | None = None
    sigil: str = "%"

    def fill(self, texts: Sequence[str]) -> Instruction:
        """The instruction, given the texts of the holes."""
        result = self.result
        if isinstance(result, int):
            text = texts[result]
            if text[0] != self.sigil:
                raise LineError(f"'{text:.40}' cannot be the name of a result")
            result = read_name(text)
        operands = tuple([operand.fill(texts) for operand in self.operands])
        return Instruction(self.opcode, result, self.type, operands, self.words)

    def slots(self) -> set[int]:
        """The holes that it takes something from."""
        found = {slot for operand in self.operands for slot in operand.slots}
        return found | {self.result} if isinstance(self.result, int) else found


# ---------------------------------------------------------------- templates by shape


@dataclass(slots=True)
class _Shape:
    """The templates of one shape, by the texts of those holes that are no values."""

    fixed: Callable[[Sequence[str]], object] | None
    templates: dict[object, Template]


class Templates:
    """The templates found so far."""

    def __init__(self) -> None:
        self._shapes: dict[str, _Shape] = {}
        self._count = 0

    def instruction(self, text: str) -> Instruction | None:
        """The instruction in a line, if another of its shape was seen; LineError as `fill`."""
        parts = HOLES.split(text)
        shape = self._shapes.get("\0".join(parts[::2]))
        if shape is None:
            return None
        texts = parts[1::2]
        template = shape.templates.get(shape.fixed(texts) if shape.fixed else None)
        return template.fill(texts) if template else None

    def add(self, text: str, template: Template) -> Instruction:
        """Keep what the grammar made of a line, and the instruction in that line."""
        parts = HOLES.split(text)
        texts = parts[1::2]
        instruction = template.fill(texts)
        if self._count >= MEMO:
            self._shapes.clear()
            self._count = 0
        self._count += 1
        slots = template.slots()
        rest = [index for index in range(len(texts)) if index not in slots]
        new = _Shape(itemgetter(*rest) if rest else None, {})
        shape = self._shapes.setdefault("\0".join(parts[::2]), new)
        shape.templates[shape.fixed(texts) if shape.fixed else None] = template
        return instruction


# ---------------------------------------------------------------- words

_ESCAPE = re.compile(r"\\([0-9A-Fa-f]{2}|\\)")
_INT = re.compile(r"-?\d+", re.ASCII)
_FLOAT = re.compile(r"[-+]?\d+\.\d*(?:[eE][-+]?\d+)?|0x[KLMHR]?[0-9A-Fa-f]+", re.ASCII)
_HEX_FORMATS = {"H": (4, ">e"), "": (16, ">d")}


def read_name(text: str) -> str:
    """A name without its sigil."""
    if text[1] != '"':
        return text[1:]
    return read_bytes(text[1:]).decode("utf-8", "backslashreplace")


def read_bytes(text: str) -> bytes:
    """What stands in quotation marks."""
    inner = text[1:-1]
    if "\\" not in inner:
        return inner.encode()
    plain = _ESCAPE.split(inner)
    found = [plain[0].encode()]
    for code, rest in zip(plain[1::2], plain[2::2], strict=True):
        found += [b"\\" if code == "\\" else bytes.fromhex(code), rest.encode()]
    return b"".join(found)


def read_text(type: Type, text: str) -> Value:
    """A string as an array of bytes."""
    return Text(type, read_bytes(text))


def read_word(type: Type, text: str) -> Value:
    """A name or a number of a type."""
    if text[0] == "%" and type != VOID:
        return Local(type, read_name(text))
    if type == LABEL:
        raise LineError(f"'{text:.40}' is not the name of a block")
    if text[0] == "@" and isinstance(type, PointerType):
        return Symbol(type, read_name(text))
    if isinstance(type, IntType) and _INT.fullmatch(text):
        return Int(type, _integer(type, text))
    if isinstance(type, FloatType) and _FLOAT.fullmatch(text):
        return Float(type, _number(type, text))
    raise LineError(f"'{text:.40}' is not a value of type {type}")


def read_special(type: Type, text: str) -> Value:
    """A constant that is a word."""
    if text not in ("true", "false"):
        return Special(type, text)
    if type != IntType(1):
        raise LineError(f"'{text}' is not a value of type {type}")
    return Int(type, int(text == "true"))


def _integer(type: IntType, text: str) -> int:
    """An integer in the signed range of its type; unsigned ones wrap around."""
    if len(text) > MAX_DIGITS:
        raise limit_passed(f"an integer may have {MAX_DIGITS} digits")
    value = int(text)
    width = type.width
    if not -(1 << (width - 1)) <= value < 1 << width:
        raise LineError(f"{text:.40} does not fit into {type}")
    if width == 1:
        return value & 1
    return value - (1 << width) if value >> (width - 1) == 1 else value


def _number(type: FloatType, text: str) -> float:
    """A floating-point number."""
    if "x" not in text:
        return float(text)
    kind = text[2] if text[2] in "KLMHR" else ""
    digits = text[2 + len(kind) :]
    length, layout = _HEX_FORMATS.get(kind, (0, ""))
    if not length:
        raise LineError(f"floating-point numbers of the form 0x{kind} are not supported")
    if len(digits) > length:
        raise LineError(f"{text:.40} does not fit into {type}")
    value: float = struct.unpack(layout, bytes.fromhex(digits.rjust(length, "0")))[0]
    return value
