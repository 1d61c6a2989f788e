"""Spelling shared by the printer and the reader of the text form."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Sequence
from functools import lru_cache

from qwasmc.ir.surgery import STEP, Edge, Letter, Magic, RouteTile, Side, Term, Tile
from qwasmc.ops import BY_NAME, OpSpec, Type

LEVEL = "qw.level"
"""The module attribute that says which representation the text holds."""

COND = "cond"
"""The unit attribute of an operation whose last operand is its condition."""

SEGMENTS = "operandSegmentSizes"
"""The attribute of an operation with several targets: how many operands are its own, and how many
are arguments for each target."""

FLOATS = ("angle", "real")
"""The attributes that are floating-point numbers."""

SYMBOL = "sym_name"
"""The attribute of a function that holds its name."""

FUNCTION_TYPE = "function_type"
"""The attribute of a function that holds the types of its parameters and results, if any."""

TYPES = {type.value: type for type in Type}
"""Types by spelling."""


def quoted(text: str) -> str:
    """A string literal: what is not printable ASCII becomes the hex of its UTF-8 bytes."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    body = "".join(
        "\\\\"
        if byte == 0x5C
        else chr(byte)
        if 0x20 <= byte < 0x7F and byte != 0x22
        else f"\\{byte:02X}"
        for byte in text.encode("utf-8", "surrogatepass")
    )
    return f'"{body}"'


_ESCAPE = re.compile(rb'\\(?:([0-9A-Fa-f]{2})|(["\\nt]))|\\')
_SHORT = {b'"': b'"', b"\\": b"\\", b"n": b"\n", b"t": b"\t"}


def unquoted(literal: str) -> str:
    """The text of a string literal; ValueError if an escape makes no sense."""
    body = literal[1:-1]
    if "\\" not in body:
        return body
    return _ESCAPE.sub(_unescaped, body.encode("utf-8", "surrogatepass")).decode(
        "utf-8", "surrogatepass"
    )


def _unescaped(match: re.Match[bytes]) -> bytes:
    if match[1]:
        return bytes([int(match[1], 16)])
    if match[2]:
        return _SHORT[match[2]]
    raise ValueError("unknown escape in a string")


def float_text(value: float) -> str:
    """A float literal that reads back as the same double: a point always, hex for inf and nan."""
    if not math.isfinite(value):
        return f"0x{struct.pack('>d', value).hex().upper()} : f64"
    mantissa, e, exponent = repr(float(value)).partition("e")
    return f"{mantissa}{'' if '.' in mantissa else '.0'}{e}{exponent}"


def float_of_bits(digits: str) -> float:
    """The double with these 16 hex digits as its bits."""
    value: float = struct.unpack(">d", bytes.fromhex(digits))[0]
    return value


def function_type(takes: Sequence[Type], makes: Sequence[Type]) -> str:
    """The type of an operation or a function: its operands' types and its results' types."""
    made = [type.value for type in makes]
    results = made[0] if len(made) == 1 else f"({', '.join(made)})"
    return f"({', '.join(type.value for type in takes)}) -> {results}"


@lru_cache(maxsize=4096)
def signature(qubits: int, bits: int, made_qubits: int, made_bits: int) -> str:
    """The type of an operation on qubits and bits."""
    takes = [Type.QUBIT] * qubits + [Type.I1] * bits
    return function_type(takes, [Type.QUBIT] * made_qubits + [Type.I1] * made_bits)


def row_types(spec: OpSpec, count: int, computed: bool) -> tuple[list[Type], list[Type]]:
    """What a row takes as `count` operands, the last an angle if it is computed, and makes."""
    rest = [*spec.takes, *[Type.F64] * computed]
    n_qubits, n_bits = spec.qubits, spec.bits
    if n_qubits < 0:
        n_qubits = max(0, count - n_bits - len(rest))
    elif n_bits < 0:
        n_bits = max(0, count - n_qubits - len(rest))
    takes = [Type.QUBIT] * n_qubits + [Type.I1] * n_bits + rest
    made = [Type.QUBIT] * spec.made_qubits(n_qubits) + [Type.I1] * spec.makes_bit
    return takes, [*made, *spec.makes]


@lru_cache(maxsize=4096)
def row_signature(name: str, count: int, computed: bool, predicated: bool) -> str:
    """The type of an operation that is a row with `count` operands besides its condition."""
    takes, makes = row_types(BY_NAME[name], count, computed)
    return function_type([*takes, *[Type.I1] * predicated], makes)


# -- the parts of a surgery row ----------------------------------------------------------------

AUX_NAMES: dict[str, type[Letter] | type[Magic]] = {"letter": Letter, "state": Magic}
"""Meanings of a row's aux column that are spelt with the names of an enumeration."""

_TILE = r"\((-?\d{1,9}),(-?\d{1,9})\)"
_TILE_TEXT = re.compile(_TILE)
_TERM_TEXT = re.compile(rf"([XYZ]){_TILE}")
_EDGE_TEXT = re.compile(rf"{_TILE}([-~]){_TILE}")
_SIDE = {step: side for side, step in STEP.items()}


def tile_text(tile: Tile) -> str:
    """(x,y)."""
    return f"({tile[0]},{tile[1]})"


def tile_of(text: str) -> Tile:
    """The inverse of `tile_text`; ValueError if it is none."""
    match = _TILE_TEXT.fullmatch(text)
    if match is None:
        raise ValueError('expected a tile such as "(0,1)"')
    return int(match[1]), int(match[2])


def term_text(term: Term | RouteTile) -> str:
    """A tile with the letter measured or carried there, such as Z(0,1)."""
    tile, letter = term
    return f"{Letter(letter).name}{tile_text(tile)}"


def term_of(text: str) -> Term:
    """The inverse of `term_text` for a term."""
    match = _TERM_TEXT.fullmatch(text)
    if match is None:
        raise ValueError('expected a letter and a tile, such as "Z(0,1)"')
    return Term((int(match[2]), int(match[3])), Letter[match[1]])


def route_of(text: str) -> RouteTile:
    """The inverse of `term_text` for a tile of the route."""
    return RouteTile(*term_of(text))


def edge_text(edge: Edge) -> str:
    """The two tiles, with - for a plain and ~ for a mixed edge between them."""
    (x, y), side, mixed = edge
    dx, dy = STEP[Side(side)]
    return f"({x},{y}){'~' if mixed else '-'}({x + dx},{y + dy})"


def edge_of(text: str) -> Edge:
    """The inverse of `edge_text`."""
    match = _EDGE_TEXT.fullmatch(text)
    if match is None:
        raise ValueError('expected two tiles, such as "(0,0)-(0,1)" or, mixed, "(0,0)~(0,1)"')
    x, y = int(match[1]), int(match[2])
    step = (int(match[4]) - x, int(match[5]) - y)
    if step not in _SIDE:
        raise ValueError("the two tiles of an edge must be neighbours")
    return Edge((x, y), _SIDE[step], match[3] == "~")
