"""Arithmetic on integers whose bits depend on measurement results.

A word is a tuple of bits of a `Bits` network, two's complement, the least significant one first;
its last bit stands for all higher ones.  So (m, 0) is 0 or 1, and (0, m) is 0 or -2.  Integers are
64 bits wide and wrap around, as in `scalars`.  An integer that depends on nothing is an int.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qwasmc.passes.bits import Bits
from qwasmc.scalars import WORD

Word = tuple[int, ...]
Integer = int | Word


def to_word(value: Integer) -> Word:
    """The bits of an integer, with one sign bit."""
    if isinstance(value, tuple):
        return value
    length = max(value, ~value).bit_length() + 1
    return tuple(value >> at & 1 for at in range(length))


def to_integer(word: Sequence[int]) -> Integer:
    """The integer without needless sign bits, wrapped to 64 bits; an int if it is constant."""
    length = min(len(word), WORD)
    while length > 1 and word[length - 1] == word[length - 2]:
        length -= 1
    if all(bit < 2 for bit in word[:length]):
        value = sum(bit << at for at, bit in enumerate(word[:length]))
        return value - (word[length - 1] << length)
    return tuple(word[:length])


def at(word: Word, index: int) -> int:
    """A bit of an integer of any width."""
    return word[index] if index < len(word) else word[-1]


def widen(word: Word, length: int) -> list[int]:
    """So many bits of an integer."""
    return [at(word, index) for index in range(length)]


def unsigned_bits(word: Word) -> list[int]:
    """The bits of the integer read as unsigned, without zeros that are known to lead it."""
    return list(word[:-1]) if word[-1] == 0 else widen(word, WORD)


# -- sums and products


def _sum_bits(bits: Bits, a: Sequence[int], b: Sequence[int], carry: int) -> tuple[list[int], int]:
    """The bitwise sum of two numbers of equal length, and the carry out."""
    found = []
    for x, y in zip(a, b, strict=True):
        found.append(bits.xor(bits.xor(x, y), carry))
        carry = _majority(bits, x, y, carry)
    return found, carry


def _majority(bits: Bits, x: int, y: int, z: int) -> int:
    """Whether two of three bits are 1; constants first, because the formula hides them."""
    x, y, z = sorted((x, y, z))
    if x < 2:
        return bits.either(y, z) if x else bits.conj(y, z)
    return bits.xor(z, bits.conj(bits.xor(x, z), bits.xor(y, z)))


def add(bits: Bits, a: Integer, b: Integer, carry: int = 0) -> Integer:
    """a + b + carry."""
    x, y = to_word(a), to_word(b)
    length = min(WORD, max(len(x), len(y)) + 1)
    return to_integer(_sum_bits(bits, widen(x, length), widen(y, length), carry)[0])


def invert(a: Integer) -> Integer:
    """Every bit negated, which is -1 - a."""
    return tuple(bit ^ 1 for bit in a) if isinstance(a, tuple) else ~a


def subtract(bits: Bits, a: Integer, b: Integer) -> Integer:
    """a - b."""
    return add(bits, a, invert(b), 1)


def multiply(bits: Bits, a: Integer, b: Integer) -> Integer:
    """a * b: the sum of shifted copies of one for the bits of the other, less one for its sign."""
    x, y = to_word(a), to_word(b)
    if _unknown(x) < _unknown(y):
        x, y = y, x
    total: Integer = 0
    for index, bit in enumerate(y):
        shifted = ((0,) * index + x)[:WORD]
        part = to_integer([bits.conj(bit, each) for each in shifted])
        total = subtract(bits, total, part) if index == len(y) - 1 else add(bits, total, part)
    return total


def _unknown(word: Word) -> int:
    return sum(bit > 1 for bit in word)


# -- bit by bit


def bitwise(combine: Callable[[int, int], int], a: Integer, b: Integer) -> Integer:
    """A function of two bits, for each pair of bits."""
    x, y = to_word(a), to_word(b)
    length = max(len(x), len(y))
    return to_integer([combine(at(x, index), at(y, index)) for index in range(length)])


def select(bits: Bits, bit: int, a: Integer, b: Integer) -> Integer:
    """a where the bit is 1, else b."""
    return bitwise(lambda x, y: bits.mux(bit, x, y), a, b)


def shift_left(a: Integer, by: int) -> Integer:
    """By a known number of bits."""
    if not 0 <= by < WORD:
        return 0
    return to_integer(((0,) * by + to_word(a))[:WORD])


def shift_right(a: Integer, by: int) -> Integer:
    """By a known number of bits, copying the sign."""
    word = to_word(a)
    return to_integer(word[by:] if 0 <= by < len(word) else word[-1:])


def shift_right_unsigned(a: Integer, by: int) -> Integer:
    """By a known number of bits, moving zeros in."""
    if by == 0:
        return a
    if not 0 < by < WORD:
        return 0
    word = to_word(a)
    if word[-1] == 0:
        return shift_right(a, by)
    return to_integer([*widen(word, WORD)[by:], 0])


def extend(a: Integer, length: int) -> Integer:
    """The lowest bits, the last of which is the sign."""
    return to_integer(widen(to_word(a), length))


# -- comparisons


def equal(bits: Bits, a: Integer, b: Integer) -> int:
    """Whether two integers are equal."""
    x, y = to_word(a), to_word(b)
    length = max(len(x), len(y))
    return bits.conj(*(bits.xor(at(x, i), at(y, i)) ^ 1 for i in range(length)))


def less(bits: Bits, a: Integer, b: Integer) -> int:
    """Whether a < b, signed: the highest bit in which they differ says."""
    x, y = to_word(a), to_word(b)
    length = max(len(x), len(y))
    found = 0
    for index in range(length):
        p, q = at(x, index), at(y, index)
        smaller = q if index < length - 1 else p  # a sign counts the other way round
        found = bits.mux(bits.xor(p, q), smaller, found)
    return found


def less_unsigned(bits: Bits, a: Integer, b: Integer) -> int:
    """Whether a < b, both read as unsigned: as signed if the signs agree."""
    signs = bits.xor(to_word(a)[-1], to_word(b)[-1])
    return bits.xor(less(bits, a, b), signs)


# -- division


def divide_unsigned(bits: Bits, a: Integer, b: Integer) -> tuple[Integer, Integer]:
    """Quotient and remainder of integers read as unsigned; of no meaning where b is 0."""
    if isinstance(b, int) and b > 0 and b & (b - 1) == 0:
        remainder = bitwise(bits.conj, a, b - 1)
        return shift_right_unsigned(a, b.bit_length() - 1), remainder
    quotient, rest = _divide(bits, unsigned_bits(to_word(a)), unsigned_bits(to_word(b)))
    return to_integer([*quotient, 0]), to_integer([*rest, 0])


def divide_signed(bits: Bits, a: Integer, b: Integer) -> tuple[Integer, Integer]:
    """Quotient, rounded towards 0, and remainder; of no meaning where b is 0."""
    signs = to_word(a)[-1], to_word(b)[-1]
    quotient, rest = divide_unsigned(bits, _absolute(bits, a), _absolute(bits, b))
    quotient = _negate_if(bits, bits.xor(*signs), quotient)
    return quotient, _negate_if(bits, signs[0], rest)


def _absolute(bits: Bits, a: Integer) -> Integer:
    return _negate_if(bits, to_word(a)[-1], a)


def _negate_if(bits: Bits, bit: int, a: Integer) -> Integer:
    return a if bit == 0 else select(bits, bit, subtract(bits, 0, a), a)


def _divide(bits: Bits, a: Sequence[int], b: Sequence[int]) -> tuple[list[int], list[int]]:
    """Long division, bit by bit from the top: take the divisor off wherever it fits."""
    rest: list[int] = [0] * len(b)
    inverse = [*(bit ^ 1 for bit in b), 1]
    quotient = []
    for bit in reversed(a):
        rest = [bit, *rest]  # one bit longer than the divisor
        less_divisor, fits = _sum_bits(bits, rest, inverse, 1)
        quotient.append(fits)
        rest = [bits.mux(fits, x, y) for x, y in zip(less_divisor, rest, strict=True)][
            : len(b)
        ]  # less than the divisor, which has no more bits
    return quotient[::-1], rest
