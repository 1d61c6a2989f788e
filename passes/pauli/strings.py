"""Pauli products on a few wires as integers, and how two-qubit Clifford gates conjugate them.

Bit w of a *string* is its X part on wire w, bit SHIFT + w its Z part, bit 2 SHIFT its sign.
Letters are 0, 1, 2 for X, Y, Z; a signed letter is 3 more if it is negative.

The gates are C(P, Q) = (1 + P_a + Q_b - P_a Q_b) / 2, the controlled Paulis in any basis: cx is
C(Z, X).  Every two-qubit Clifford gate that takes one cx is one of the nine up to one-qubit gates.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from qwasmc.kernel import kernel

Ints = NDArray[Any]

SHIFT = 16
"""At most so many wires."""

SIGN = 1 << (2 * SHIFT)

_WIRES = (1 << SHIFT) - 1


@kernel
def ones(mask: int) -> int:
    """How many bits of a number from 0 are set."""
    mask -= (mask >> 1) & 0x5555555555555555
    mask = (mask & 0x3333333333333333) + ((mask >> 2) & 0x3333333333333333)
    mask = (mask + (mask >> 4)) & 0x0F0F0F0F0F0F0F0F
    return ((mask * 0x0101010101010101) >> 56) & 0xFF


@kernel
def support(string: int) -> int:
    """The set of wires of a string."""
    return (string | (string >> SHIFT)) & _WIRES


@kernel
def letter_at(string: int, wire: int) -> int:
    """The letter of a string on a wire, or -1."""
    x, z = (string >> wire) & 1, (string >> (wire + SHIFT)) & 1
    return z + z - x * z if x or z else -1


@kernel
def signed_at(string: int, wire: int) -> int:
    """The signed letter of a string that is on this wire only."""
    return letter_at(string, wire) + (3 if string & SIGN else 0)


@kernel
def single(signed: int, wire: int) -> int:
    """The string with one signed letter."""
    letter = signed % 3
    string = ((letter != 2) << wire) | ((letter != 0) << (wire + SHIFT))
    return string | (SIGN if signed > 2 else 0)


@kernel
def conjugated(string: int, a: int, b: int, p: int, q: int) -> int:
    """A string behind C(P, Q) on wires a and b."""
    at_a, at_b = letter_at(string, a), letter_at(string, b)
    flips_a, flips_b = at_a >= 0 and at_a != p, at_b >= 0 and at_b != q
    if flips_a and flips_b and ((p - at_a) % 3 == 1) != ((q - at_b) % 3 == 1):
        string ^= SIGN
    if flips_b:
        string ^= single(p, a)
    if flips_a:
        string ^= single(q, b)
    return string


@kernel
def exchanged(string: int, a: int, b: int) -> int:
    """A string behind a swap."""
    for part in (0, SHIFT):
        if ((string >> (a + part)) ^ (string >> (b + part))) & 1:
            string ^= (1 << (a + part)) | (1 << (b + part))
    return string


@kernel
def commute(first: int, second: int) -> bool:
    """Whether two strings commute."""
    odd = (first & (second >> SHIFT)) ^ ((first >> SHIFT) & second)
    return ones(odd & _WIRES) % 2 == 0
