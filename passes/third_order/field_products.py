"""Multiplication in GF(2^k) by few bit products, and the tensors that are one.

A multiplier of GF(2^k) is the alternating tensor l(abc) of three field elements a, b, c, with a
linear form l; flips do not get from its k^2 coefficients to the best known sums of products.
`field_products` finds out whether a tensor is such a one in any basis: the radical of a slice A_x..
is then the line over the field that x is on, three lines are all there is, and A between them gives
the field's multiplication table.  The field may be a ring F2[X] modulo any polynomial.

`forms` are linear forms f_i with ab = sum_i f_i(a) f_i(b) g_i, by evaluation and interpolation
(Karatsuba; Chudnovsky and Chudnovsky, J. Complexity 4, 285): GF(2^k) is d-dimensional over a
subfield F, its elements are polynomials of degree below d over F, and the product of two is known
from its values at places of total degree 2d - 1: points of F, infinity, and irreducible polynomials
P of degree e, where values are in the field F[X]/P and multiplied in the same way; at a point the
derivative may be taken along, for the price of two values more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import count, product
from random import Random

import numpy as np
from numpy.typing import NDArray

from qwasmc.gf2 import members, relations
from qwasmc.passes.third_order.trivectors import add_product

Bits = NDArray[np.uint8]
Words = NDArray[np.uint64]

GENERATORS = 256
"""Random elements of a ring that are tried to generate it, after some with few ones."""


@dataclass(frozen=True)
class Field:
    """GF(2^degree) with elements in some basis over F2; bit i of a number is coordinate i."""

    degree: int
    one: int
    times: Callable[[int, int], int]

    def power(self, x: int, exponent: int) -> int:
        """x to some power, not negative."""
        result = self.one
        while exponent:
            if exponent & 1:
                result = self.times(result, x)
            x = self.times(x, x)
            exponent >>= 1
        return result


# -- how many bit products a multiplication takes, and by which places


@dataclass(frozen=True)
class Plan:
    """Interpolation over GF(2^base): places as (degree, values), values 2 with the derivative."""

    cost: int
    base: int
    places: tuple[tuple[int, int], ...] = ()


@cache
def plan(degree: int) -> Plan:
    """The cheapest way to multiply in GF(2^degree)."""
    if degree == 1:
        return Plan(1, 1)
    bases = [base for base in range(1, degree) if degree % base == 0]
    return min((_interpolation(base, degree // base) for base in bases), key=_cost)


def _cost(found: Plan) -> int:
    return found.cost


def _interpolation(base: int, dimension: int) -> Plan:
    """The cheapest places of total degree 2 * dimension - 1 over GF(2^base)."""
    wanted = 2 * dimension - 1
    best = {0: Plan(0, base)}
    """By total degree, cut at the wanted one."""
    for degree in range(1, dimension):
        single = plan(base * degree).cost
        kinds = [(degree, 1, single)] + [(2, 2, 3 * single)] * (degree == 1)
        for _ in range(min(_irreducible(base, degree) + (degree == 1), -(-wanted // degree))):
            for total, old in list(best.items()):
                for step, values, cost in kinds:
                    at = min(total + step, wanted)
                    if at not in best or old.cost + cost < best[at].cost:
                        best[at] = Plan(old.cost + cost, base, (*old.places, (degree, values)))
    return best[wanted]


@cache
def _irreducible(base: int, degree: int) -> int:
    """The number of monic irreducible polynomials of a degree over GF(2^base)."""
    reducible = sum(k * _irreducible(base, k) for k in range(1, degree) if degree % k == 0)
    return ((1 << base * degree) - reducible) // degree


# -- forms


def forms(field: Field) -> list[int]:
    """Linear forms f_i, as masks of coordinates, such that ab is a sum of f_i(a) f_i(b) g_i."""
    if field.degree == 1:
        return [1]
    chosen = plan(field.degree)
    return _interpolated(*_over(field, chosen.base), chosen.places)


def _interpolated(
    base: Field, polynomials: list[list[int]], places: tuple[tuple[int, int], ...]
) -> list[int]:
    """Forms for products of polynomials over a field, as masks of the given ones."""
    found = []
    for residues, values in _evaluations(base, len(polynomials[0]), places):
        of_residue = forms(residues)
        for value in values:
            images = [value(polynomial) for polynomial in polynomials]
            found += [_matrix_times(images, form) for form in of_residue]
    return found


def ring_forms(modulus: int) -> list[int]:
    """Forms for products in F2[X] modulo a polynomial, from the fields modulo its factors."""
    degree = modulus.bit_length() - 1
    parts = factors(modulus)
    if parts is None:
        monomials = [[int(i == j) for j in range(degree)] for i in range(degree)]
        return _interpolated(binary(0b10), monomials, _interpolation(1, degree).places)
    found = []
    for part in parts:
        images = [divided(1 << i, part)[1] for i in range(degree)]
        found += [_matrix_times(images, form) for form in forms(binary(part))]
    return found


def factors(modulus: int) -> list[int] | None:
    """The factors of a polynomial over F2 (Berlekamp), or None if some occurs more than once."""
    odd = sum(1 << i for i in range(0, modulus.bit_length(), 2))
    if _common_factor(modulus, modulus >> 1 & odd) != 1:
        return None
    times = binary(modulus).times
    parts = [modulus]
    # Elements that are 0 or 1 modulo each factor.
    for element in relations(
        [times(x, x) ^ x for x in (1 << i for i in range(modulus.bit_length() - 1))]
    ):
        shared = [(part, _common_factor(part, element)) for part in parts]
        parts = [f for part, g in shared for f in (g, divided(part, g)[0]) if f != 1]
    return parts


def divided(a: int, b: int) -> tuple[int, int]:
    """Quotient and remainder of polynomials over F2."""
    quotient = 0
    while (shift := a.bit_length() - b.bit_length()) >= 0:
        quotient ^= 1 << shift
        a ^= b << shift
    return quotient, a


def _common_factor(a: int, b: int) -> int:
    while b:
        a, b = b, divided(a, b)[1]
    return a


def _over(field: Field, degree: int) -> tuple[Field, list[list[int]]]:
    """A subfield of a degree, and the basis elements of the field as polynomials over it.

    The polynomials are in an element t that generates the field; coefficients from degree 0 on.
    """
    exponent = (2**field.degree - 1) // (2**degree - 1)
    for x in count(1):
        root = field.power(x, exponent)
        powers = [field.power(root, i) for i in range(degree + 1)]
        minimal = relations(powers)[0]
        if minimal.bit_length() == degree + 1:
            break
    base = binary(minimal)
    dimension = field.degree // degree
    for t in count(2):
        basis = [
            field.times(power, field.power(t, j)) for j in range(dimension) for power in powers[:-1]
        ]
        if not relations(basis):
            break
    whole = (1 << degree) - 1
    return base, [
        [element >> j * degree & whole for j in range(dimension)]
        for element in _coordinates(basis, [1 << i for i in range(field.degree)])
    ]


def extension(base: Field, modulus: list[int]) -> Field:
    """base[X] modulo a monic polynomial: coefficients from degree 0 on, packed from bit 0 on.

    It is a field if the polynomial is irreducible.
    """
    if base.degree == 1:
        return binary(sum(bit << i for i, bit in enumerate(modulus)))
    size, degree = base.degree, len(modulus) - 1
    whole = (1 << size) - 1

    def times(a: int, b: int) -> int:
        result = 0
        for j in reversed(range(degree)):
            top = result >> (degree - 1) * size
            result = (result << size) & (1 << degree * size) - 1
            factor = b >> j * size & whole
            for i in range(degree):
                term = base.times(top, modulus[i]) ^ base.times(factor, a >> i * size & whole)
                result ^= term << i * size
        return result

    return Field(degree * size, base.one, times)


def binary(modulus: int) -> Field:
    """F2[X] modulo a polynomial, which is a field if that is irreducible."""
    degree = modulus.bit_length() - 1

    def times(a: int, b: int) -> int:
        result = 0
        for j in reversed(range(degree)):
            result <<= 1
            if result >> degree:
                result ^= modulus
            if b >> j & 1:
                result ^= a
        return result

    return Field(degree, 1, times)


def is_field(ring: Field) -> bool:
    """Squaring keeps all elements apart, and 0 and 1 only in their places."""
    squares = [ring.times(1 << i, 1 << i) for i in range(ring.degree)]
    moved = [square ^ 1 << i for i, square in enumerate(squares)]
    return not relations(squares) and len(relations(moved)) == 1


Value = Callable[[list[int]], int]


def _evaluations(
    base: Field, dimension: int, places: tuple[tuple[int, int], ...]
) -> list[tuple[Field, list[Value]]]:
    """For each place its field of values, and what is to be multiplied there."""
    found: list[tuple[Field, list[Value]]] = []
    at_infinity = True
    tried: dict[int, count[int]] = {}
    for degree, values in places:
        if at_infinity:
            at_infinity = False
            residues, value, slope = base, _coefficient(dimension - 1), _coefficient(dimension - 2)
        else:
            residues, x = _next_place(base, degree, tried.setdefault(degree, count()))
            value = _horner(residues, x)
            slope = _derivative(residues, x)
        both = [value, slope, _sum(value, slope)]
        found.append((residues, both[: 1 if values == 1 else 3]))
    return found


def _coefficient(k: int) -> Value:
    return lambda polynomial: polynomial[k]


def _sum(f: Value, g: Value) -> Value:
    return lambda polynomial: f(polynomial) ^ g(polynomial)


def _next_place(base: Field, degree: int, numbers: count[int]) -> tuple[Field, int]:
    """The field modulo the next irreducible polynomial of a degree, and X in it."""
    whole = (1 << base.degree) - 1
    for number in numbers:
        modulus = [number >> i * base.degree & whole for i in range(degree)] + [base.one]
        residues = extension(base, modulus)
        if is_field(residues):
            return residues, modulus[0] if degree == 1 else base.one << base.degree
    raise AssertionError("there are as many as were counted")


def _horner(residues: Field, x: int) -> Value:
    """A polynomial's value at x."""

    def value(polynomial: list[int]) -> int:
        result = 0
        for coefficient in reversed(polynomial):
            result = residues.times(result, x) ^ coefficient
        return result

    return value


def _derivative(residues: Field, x: int) -> Value:
    """The value at x of a polynomial's derivative."""
    horner = _horner(residues, x)
    return lambda polynomial: horner([c if j & 1 else 0 for j, c in enumerate(polynomial)][1:])


# -- tensors


def field_products(tensor: Words, basis: Words) -> Words | None:
    """Products (k, 3, v) that sum to a tensor (n, n, words), if it is a ring's multiplier.

    The basis (n, v) has the vectors that the tensor's indices stand for.
    """
    lines = _lines(tensor)
    if lines is None:
        return None
    degree = len(tensor) // 3
    values = _multiplier(_tables(tensor, lines), degree)
    if values is None:
        return None
    # A product's vector has the form's values on the first, second or third line, else 0.
    every = [vector for line in lines for vector in line]
    inverse = _coordinates(every, [1 << i for i in range(len(tensor))])
    total = np.zeros_like(tensor)
    products = np.empty((len(values), 3, basis.shape[1]), dtype=np.uint64)
    for row, masks in enumerate(values):
        vectors = [_matrix_times(inverse, mask << k * degree) for k, mask in enumerate(masks)]
        add_product(total, *(_words(vector, tensor.shape[2]) for vector in vectors))
        for slot, vector in enumerate(vectors):
            products[row, slot] = np.bitwise_xor.reduce(basis[members(vector)], axis=0)
    return products if np.array_equal(total, tensor) else None


def _lines(tensor: Words) -> list[list[int]] | None:
    """Bases of three radicals of slices which are the whole space together, if there are such."""
    lines: list[list[int]] = []
    for index in range(len(tensor)):
        before = [vector for line in lines for vector in line]
        if not relations([*before, 1 << index]):
            radical = relations([_number(row) for row in tensor[index]])
            if 3 * len(radical) == len(tensor) and not relations(before + radical):
                lines.append(radical)
    return lines if len(lines) == 3 else None


def _tables(tensor: Words, lines: list[list[int]]) -> list[list[int]]:
    """[c][a]: bit b is the tensor's value on vector a of the first line, b of the second and c of
    the third."""
    tables = []
    for third in lines[2]:
        form = np.bitwise_xor.reduce(tensor[members(third)], axis=0)
        rows = [_number(np.bitwise_xor.reduce(form[members(a)], axis=0)) for a in lines[0]]
        tables.append([_matrix_times(lines[1], row) for row in rows])
    return tables


def _multiplier(tables: list[list[int]], degree: int) -> list[tuple[int, int, int]] | None:
    """Products that sum to a trilinear form, as masks of values on the three lines' vectors, if it
    is l(abc) for elements a, b and c of a ring that the lines' vectors stand for."""
    unit = next((table for table in tables if not relations(table)), None)
    if unit is None:
        return None
    # Matrices that multiply the first line by the third line's elements, one of which is 1.
    factors = [_coordinates(unit, table) for table in tables]
    powers = _generate(factors, degree)
    if powers is None:
        return None
    modulus = relations(powers)[0]
    ring, basis = binary(modulus), powers[:degree]
    x = [ring.power(2, i) for i in range(2 * degree - 1)]
    values = [_row_times(power, unit) for power in basis]
    """[i]: bit b is l(x^i times the element b of the second line), one of which is 1."""
    for one in _transposed(values, degree):
        hankel = [_matrix_times(x[j : j + degree], one) for j in range(degree)]
        if not relations(hankel):
            break
    else:
        return None
    a = _coordinates(basis, [1 << i for i in range(degree)])
    b = _coordinates(hankel, _transposed(values, degree))
    c = _coordinates(basis, [_row_times(powers[0], factor) for factor in factors])
    return [
        (_matrix_times(a, linear), _matrix_times(b, linear), third)
        for linear, third in _interpolate(modulus, one, c)
        if third
    ]


def _generate(factors: list[list[int]], degree: int) -> list[int] | None:
    """Images of a vector under the powers 0 to `degree` of a matrix in the span of some, such that
    all but the last are independent.

    Most matrices and vectors will do in a field, fewer in a ring with many factors.
    """
    random = Random(0)
    candidates = [
        *product(range(1, 1 << min(degree, 5)), (1 << at for at in range(min(degree, 4)))),
        *((random.getrandbits(degree), random.getrandbits(degree)) for _ in range(GENERATORS)),
    ]
    for mask, start in candidates:
        generator = [0] * degree
        for c in members(mask):
            generator = [old ^ new for old, new in zip(generator, factors[c], strict=True)]
        powers = [start]
        for _ in range(degree):
            powers.append(_row_times(powers[-1], generator))
        if not relations(powers[:-1]):
            return powers
    return None


def _interpolate(modulus: int, form: int, third: list[int]) -> list[tuple[int, int]]:
    """Linear forms f and masks of constants g_c, with l(abc) = sum f(a) f(b) g_c for c of `third`.

    `form` is l on the powers of X, which generates the ring.
    """
    field, linear = binary(modulus), ring_forms(modulus)
    size = field.degree
    squares = [sum(f << i * size for i in members(f)) for f in linear]
    powers = [field.power(2, m) for m in range(2 * size - 1)]
    targets = []
    for c in third:
        images = [field.times(power, c) for power in powers]
        sums = _matrix_times(images, form)
        targets.append(sum((sums >> i & (1 << size) - 1) << i * size for i in range(size)))
    solved = relations(squares + targets)[-size:]
    return list(zip(linear, _transposed(solved, len(linear)), strict=True))


# -- matrices over F2 whose rows are integers


def _row_times(vector: int, rows: list[int]) -> int:
    result = 0
    for i in members(vector):
        result ^= rows[i]
    return result


def _matrix_times(rows: list[int], vector: int) -> int:
    return sum(((row & vector).bit_count() & 1) << i for i, row in enumerate(rows))


def _transposed(rows: list[int], columns: int) -> list[int]:
    return [sum((row >> j & 1) << i for i, row in enumerate(rows)) for j in range(columns)]


def _coordinates(basis: list[int], vectors: list[int]) -> list[int]:
    """Each vector as a mask of basis vectors that sum to it; the basis is one of the space."""
    return [found & (1 << len(basis)) - 1 for found in relations(basis + vectors)]


def _number(row: Words) -> int:
    return int.from_bytes(row.astype("<u8").tobytes(), "little")


def _words(number: int, words: int) -> Words:
    return np.frombuffer(number.to_bytes(8 * words, "little"), dtype="<u8").astype(np.uint64)
