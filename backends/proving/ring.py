"""Exact numbers: Z[w, 1/sqrt 2] with w = exp(i pi / 4), and polynomials in exp(i x) over it.

A number c0 + c1 w + c2 w^2 + c3 w^3 is the last axis, of length 4, of an int64 array.  An array
stands for all its entries divided by sqrt(2)^halves; `halves` is kept beside it.

A polynomial is a dict from monomials to arrays of coefficients: (2, -1) is exp(2ix) exp(-iy) if x
and y are the angles.  Exponents may be negative.  Angles are real and independent, so polynomials
are the same function only if their coefficients are the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Monomial = tuple[int, ...]
Polynomial = dict[Monomial, Numbers]

_FROM = np.array([[(place - power) % 4 for place in range(4)] for power in range(8)])
_SIGN = np.array(
    [[1 if place >= power % 4 else -1 for place in range(4)] for power in range(8)],
    dtype=np.int64,
)
_SIGN[4:] *= -1


def turned(numbers: Numbers, power: int) -> Numbers:
    """The numbers times w^power.  w^4 = -1, so it moves coefficients round and changes signs."""
    power %= 8
    return numbers if power == 0 else numbers[..., _FROM[power]] * _SIGN[power]


def conjugated(numbers: Numbers) -> Numbers:
    """The complex conjugates: that of w^k is w^-k = -w^(4-k)."""
    found: Numbers = numbers[..., [0, 3, 2, 1]] * np.array([1, -1, -1, -1])
    return found


def times_root2(numbers: Numbers) -> Numbers:
    """The numbers times sqrt 2 = w - w^3."""
    return turned(numbers, 1) + turned(numbers, 7)


def outer_products(left: Numbers, right: Numbers) -> Numbers:
    """The sum over k of left[..., k, i] * right[..., k, j], for all i and j."""
    shape = (*left.shape[:-3], left.shape[-2], right.shape[-2], 4)
    found = np.zeros(shape, dtype=np.int64)
    for power in range(4):
        found += np.einsum("...ki,...kjc->...ijc", left[..., power], turned(right, power))
    return found


def shifted(monomial: Monomial, by: Monomial, times: int = 1) -> Monomial:
    """The product of a monomial and another one to the power `times`."""
    return tuple(a + times * b for a, b in zip(monomial, by, strict=True))


def add(total: Polynomial, monomial: Monomial, numbers: Numbers) -> None:
    """Add a term to a polynomial."""
    total[monomial] = total[monomial] + numbers if monomial in total else numbers


def lowest_terms(polynomial: Polynomial, halves: int) -> tuple[Polynomial, int]:
    """The same polynomial without terms that are 0, in order, `halves` as small as it can be.

    A number c is sqrt(2) times one of Z[w] exactly if all coefficients of sqrt(2) c are even.
    """
    terms = {key: polynomial[key] for key in sorted(polynomial) if polynomial[key].any()}
    while terms:
        doubled = [times_root2(numbers) for numbers in terms.values()]
        if any((numbers & 1).any() for numbers in doubled):
            break
        terms = dict(zip(terms, (numbers >> 1 for numbers in doubled), strict=True))
        halves -= 1
    return terms, halves
