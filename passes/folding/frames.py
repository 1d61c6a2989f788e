"""Clifford frames: a circuit as Pauli products that are taken back to its start.

A rotation about Z on qubit q that comes after Clifford gates C is one about C^-1 Z_q C before them.
`walk` keeps these *images* of Z and X on all qubits, and makes a circuit a list of *events* on
Pauli products, without Clifford gates:

    h 0
    t 0                 TURN     X0
    cx 0, 1
    t 1           =>    TURN     X0 Z1
    measure_x 1         MEASURE  X1

A product is a sign and a list of blocks, in ascending order: 64 qubits each, with a word of X bits
and a word of Z bits.  With at most 64 qubits that is one block; with thousands, what acts on a few
qubits has a few blocks.  It stands for (-1)^sign i^|x & z| X^x Z^z, which is Hermitian.

A classical bit is a qubit that has a Z only, its value as a sign: X predicated on it multiplies
Z of the qubit by Z of the bit.  An exclusive or is the product of its operands; any other bit is
independent of the rest.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.kernel import kernel
from qwasmc.passes.folding.frame_rows import (
    ALLOC,
    CONST,
    CUT,
    CX,
    CY,
    CZ,
    DIAGONAL,
    FLIP_X,
    FLIP_Y,
    FLIP_Z,
    FREE,
    MEASURED,
    NOTHING,
    OPAQUE,
    OPAQUE_Z,
    RESET,
    SWAP,
    SX,
    SXDG,
    XOR,
    H,
    Source,
    X,
    Y,
)

Ints = NDArray[Any]
Records = NDArray[Any]

TURN, MEASURE, BLOCK = range(3)
"""Kinds of events: a rotation; a measurement; what commutes only with what its product does."""

PRODUCT = np.dtype(
    {
        "names": ["start", "size", "room", "region", "row", "kind", "sign"],
        "formats": ["i8", "i4", "i4", "i4", "i4", "u1", "u1"],
    },
    align=True,
)
"""A product: its first block, how many it has and has space for; for an event also its kind and
the row it is of.  Nothing passes from one `region` to another; images of earlier ones are old."""

WORDS = np.dtype({"names": ["x", "z", "block"], "formats": ["u8", "u8", "i4"]}, align=True)
"""A block of a product."""

MAX_BLOCKS = 1 << 24
"""Most blocks of all products at a time (24 bytes each).  When they are used up, a frame starts
anew, and rotations from before are not compared with those after."""

FEW = 16
"""A row makes at most so many times the blocks of the images that it uses."""

USED, REGION, EVENTS = range(3)
"""Places in the counts of a frame."""

ONE = np.uint64(1)
NO_BITS = np.uint64(0)

_EVENTS = np.zeros(CONST + 1, dtype=np.int64)
_EVENTS[[DIAGONAL, OPAQUE_Z, MEASURED, FREE, OPAQUE, RESET]] = 1, 1, 1, 2, 2, 3
"""By kind, the most events of a row per wire."""


class Shape(NamedTuple):
    """What the numbers of products and blocks mean; images of qubits are Z, 2 q, and X, 2 q + 1."""

    bits: int
    """The number of the product of bit 0."""
    events: int
    """That of event 0."""
    qubit_blocks: int
    """Blocks below this number are of qubits, others of bits."""


class Frame(NamedTuple):
    """Products by number: images of qubits, of bits, then events."""

    products: Records
    words: Records
    counts: NDArray[np.int64]
    """Blocks in use, number of the region, events."""
    shape: Shape


def walk(source: Source, begin: int, eighths: Ints, rest: Ints) -> tuple[int, Frame]:
    """The events of rows from `begin` on, and the row after the last one.

    Diagonal gates on one qubit turn by `eighths` eighth turns and an angle `rest`: in whole
    quarter turns they are Clifford gates, else events.
    """
    if begin == 0:
        source.spare[:] = 0
    rows, n_qubits = source.rows[begin:], len(source.column)
    most = int((_EVENTS[rows["kind"]] * rows["count"]).sum())
    bits = 2 * n_qubits
    shape = Shape(bits, bits + source.n_bits, n_qubits // 64 + 1)
    blocks = shape.qubit_blocks + source.n_bits // 64 + 1
    widest = int(rows["count"].max(initial=0))
    room = min(MAX_BLOCKS, 2 * FEW * blocks * len(rows)) + 4 * FEW * (blocks + widest + 4)
    frame = Frame(
        products=np.zeros(shape.events + most, dtype=PRODUCT),
        words=np.empty(room, dtype=WORDS),
        counts=np.array([0, 1, 0]),
        shape=shape,
    )
    return _walk(*source[:4], *frame, begin, eighths, rest), frame


@kernel
def weight(word: Any) -> Any:
    """The number of ones in a word."""
    word = word - ((word >> ONE) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + (
        (word >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@kernel
def _renew(products: Records, words: Records, counts: Ints, shape: Shape, image: int) -> None:
    """Make an image the qubit's or the bit's own Z or X."""
    product = products[image]
    product.region = counts[REGION]
    if product.room == 0:
        product.room = 1
        product.start = counts[USED]
        counts[USED] += 1
    product.size = 1
    product.sign = 0
    bit = image - shape.bits
    place = bit if bit >= 0 else image // 2
    own = ONE << np.uint64(place % 64)
    is_x = bit < 0 and image % 2 == 1
    word = words[product.start]
    word.block = place // 64 + (shape.qubit_blocks if bit >= 0 else 0)
    word.x = own if is_x else NO_BITS
    word.z = NO_BITS if is_x else own


@kernel
def _multiply(products: Records, words: Records, counts: Ints, a: int, b: int, turns: int) -> None:
    """Put i^turns a b, which must be Hermitian, in place of product a."""
    left, right = products[a], products[b]
    at, end = left.start, left.start + left.size
    other, other_end = right.start, right.start + right.size
    out = begin = counts[USED]
    while at < end or other < other_end:
        take_left = at < end and (other == other_end or words[at].block <= words[other].block)
        take_right = other < other_end and (at == end or words[other].block <= words[at].block)
        words[out].block = words[at].block if take_left else words[other].block
        xa, za, xb, zb = NO_BITS, NO_BITS, NO_BITS, NO_BITS
        if take_left:
            xa, za = words[at].x, words[at].z
            at += 1
        if take_right:
            xb, zb = words[other].x, words[other].z
            other += 1
        x, z = xa ^ xb, za ^ zb
        turns += weight(xa & za) + weight(xb & zb) + 2 * weight(za & xb) - weight(x & z)
        words[out].x, words[out].z = x, z
        if x | z:
            out += 1
    left.sign ^= right.sign ^ (turns >> 1 & 1)
    left.size = out - begin
    if left.size > left.room:
        left.room = 2 * left.size
        left.start = begin
        counts[USED] += left.room
    else:
        for place in range(left.size):
            words[left.start + place] = words[begin + place]


@kernel
def _clear(products: Records, counts: Ints, number: int, sign: int) -> None:
    """Make a product the identity, with a sign."""
    product = products[number]
    product.size = 0
    product.sign = sign
    product.region = counts[REGION]


@kernel
def _emit(products: Records, counts: Ints, shape: Shape, kind: int, row: int) -> int:
    """A new event, about the identity; its product."""
    number = shape.events + counts[EVENTS]
    counts[EVENTS] += 1
    _clear(products, counts, number, 0)
    products[number].kind = kind
    products[number].row = row
    return int(number)


@kernel
def _emit_image(
    products: Records, words: Records, counts: Ints, shape: Shape, kind: int, row: int, image: int
) -> None:
    _multiply(products, words, counts, _emit(products, counts, shape, kind, row), image, 0)


@kernel
def _swap_parts(products: Records, qubit: int) -> None:
    """Hadamard: exchange the images of Z and X."""
    z, x = products[2 * qubit], products[2 * qubit + 1]
    z.start, x.start = x.start, z.start
    z.size, x.size = x.size, z.size
    z.room, x.room = x.room, z.room
    z.sign, x.sign = x.sign, z.sign


@kernel
def _quarter_turns(products: Records, words: Records, counts: Ints, qubit: int, count: int) -> None:
    """S so many times: it makes -i X Z of X."""
    if count == 2:
        products[2 * qubit + 1].sign ^= 1
    elif count:
        _multiply(products, words, counts, 2 * qubit + 1, 2 * qubit, -count)


@kernel
def _gate(products: Records, words: Records, counts: Ints, kind: int, a: int, b: int) -> None:
    """A Clifford gate on qubits a and b, or on a."""
    if kind == CX:
        _multiply(products, words, counts, 2 * b, 2 * a, 0)
        _multiply(products, words, counts, 2 * a + 1, 2 * b + 1, 0)
    elif kind == H:
        _swap_parts(products, a)
    elif kind == CZ:
        _multiply(products, words, counts, 2 * a + 1, 2 * b, 0)
        _multiply(products, words, counts, 2 * b + 1, 2 * a, 0)
    elif kind == CY:
        _quarter_turns(products, words, counts, b, 3)
        _multiply(products, words, counts, 2 * b, 2 * a, 0)
        _multiply(products, words, counts, 2 * a + 1, 2 * b + 1, 0)
        _quarter_turns(products, words, counts, b, 1)
    elif kind in (X, Y):
        products[2 * a].sign ^= 1
        products[2 * a + 1].sign ^= kind == Y
    else:
        _swap_parts(products, a)
        _quarter_turns(products, words, counts, a, 1 if kind == SX else 3)
        _swap_parts(products, a)


@kernel
def _flip(products: Records, words: Records, counts: Ints, kind: int, qubit: int, bit: int) -> None:
    """A predicated Pauli."""
    if kind != FLIP_Z:
        _multiply(products, words, counts, 2 * qubit, bit, 0)
    if kind != FLIP_X:
        _multiply(products, words, counts, 2 * qubit + 1, bit, 0)


@kernel
def _alloc(column: Ints, spare: Ints, wire: int) -> None:
    """Number the qubit of a wire."""
    if spare[-1]:
        spare[-1] -= 1
        column[wire] = spare[spare[-1]]
    else:
        column[wire] = spare[-2]
        spare[-2] += 1


@kernel
def _events(
    rows: Records,
    operands: Records,
    column: Ints,
    products: Records,
    words: Records,
    counts: Ints,
    shape: Shape,
    row: int,
) -> None:
    """The events of a measurement, a reset, or a row that fold knows nothing of."""
    start, count, kind = rows[row].start, rows[row].count, rows[row].kind
    if kind == MEASURED:
        number = _emit(products, counts, shape, MEASURE, row)
        for place in range(start, start + count):
            qubit, letter = column[operands[place].item], operands[place].letter
            if letter & 1:
                _multiply(products, words, counts, number, 2 * qubit + 1, 0)
            if letter & 2:
                _multiply(products, words, counts, number, 2 * qubit, letter & 1)
        return
    # A reset measures Z, does what depends on the outcome, and leaves a known Z.
    of_z = MEASURE if kind == RESET else BLOCK
    for place in range(start, start + count):
        z = 2 * column[operands[place].item]
        _emit_image(products, words, counts, shape, of_z, row, z)
        if kind != OPAQUE_Z:
            _emit_image(products, words, counts, shape, BLOCK, row, z + 1)
        if kind == RESET:
            _emit_image(products, words, counts, shape, MEASURE, row, z)


@kernel
def _prepare(
    rows: Records,
    operands: Records,
    column: Ints,
    products: Records,
    words: Records,
    counts: Ints,
    shape: Shape,
    row: int,
) -> bool:
    """Renew the old images that a row uses; whether there is space for what it does."""
    start, count, cond = rows[row].start, rows[row].count, rows[row].cond
    if counts[USED] + 2 * count + 1 > len(words):
        return False
    used = 1
    end = start + count
    for place in range(start, end + (cond >= 0)):
        item = operands[place].item if place < end else cond
        is_bit = place == end or rows[row].kind == XOR
        image = shape.bits + item if is_bit else 2 * column[item]
        for each in range(image, image + (1 if is_bit else 2)):
            if products[each].region != counts[REGION]:
                _renew(products, words, counts, shape, each)
            used += products[each].size
    return bool(counts[USED] + FEW * used <= len(words))


@kernel
def _walk(
    rows: Records,
    operands: Records,
    column: Ints,
    spare: Ints,
    products: Records,
    words: Records,
    counts: Ints,
    shape: Shape,
    begin: int,
    eighths: Ints,
    rest: Ints,
) -> int:
    for row in range(begin, len(rows)):
        kind, start, count = rows[row].kind, rows[row].start, rows[row].count
        if kind == NOTHING:
            continue
        if kind == ALLOC:
            _alloc(column, spare, rows[row].made)
            continue
        if kind == CUT:
            counts[REGION] += 1
            continue
        bit = shape.bits + rows[row].made
        if kind == CONST:
            _clear(products, counts, bit, rows[row].value)
            continue
        if not _prepare(rows, operands, column, products, words, counts, shape, row):
            return row
        if kind == XOR:
            _clear(products, counts, bit, 0)
            for place in range(start, start + count):
                operand = shape.bits + operands[place].item
                _multiply(products, words, counts, bit, operand, 0)
            continue
        if kind in (MEASURED, RESET, OPAQUE, OPAQUE_Z, FREE):
            _events(rows, operands, column, products, words, counts, shape, row)
        if count == 0:
            continue
        first, second = operands[start].item, operands[start + count - 1].item
        a, b = column[first], column[second]
        if kind == DIAGONAL:
            if eighths[row] & 1 or rest[row] != 0:
                _emit_image(products, words, counts, shape, TURN, row, 2 * a)
            else:
                _quarter_turns(products, words, counts, a, eighths[row] // 2)
        elif kind in (FLIP_X, FLIP_Y, FLIP_Z):
            _flip(products, words, counts, kind, a, shape.bits + rows[row].cond)
        elif kind == FREE:
            spare[spare[-1]] = a
            spare[-1] += 1
        elif kind == SWAP:
            column[first], column[second] = b, a
        elif kind in (H, X, Y, SX, SXDG, CX, CY, CZ):
            _gate(products, words, counts, kind, a, b)
    return len(rows)
