"""Points of Z[w] in a thin rectangle whose image under `star` lies in a disk: a grid problem.

With both embeddings Z[w] is a lattice in four dimensions (Ross and Selinger, arXiv:1403.2975).
In coordinates in which rectangle and disk have radius 1 its basis is very skew; it is reduced by
integer LLL (Cohen, A Course in Computational Algebraic Number Theory, 2.6.7) and its points are
listed component by orthogonal component, as by Fincke and Pohst.  Coordinates are integers with
BITS fractional bits, since rectangles get as thin as 1e-26; only in the reduced basis they are
floats, which may lose a point on the very edge.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from qwasmc.passes.rotations.norm_equation import Omega

BITS = 224
COARSE_BITS = 40
"""Fractional bits of the scaled coordinates of which the basis is reduced."""
ONE = 1 << BITS
ROOT_HALF = math.isqrt(1 << 2 * BITS - 1)

EFFORT = 500
"""Most vectors to look at for one scale.  A few hundred is usual, but near multiples of pi/4 there
are millions of points at once, and millions of lines that just miss the rectangle."""

Vector = list[int]


def argument(z: Omega) -> float:
    """The angle of a number."""
    a, b, c, d = z
    return math.atan2((c * ONE + (b + d) * ROOT_HALF) / ONE, (a * ONE + (b - d) * ROOT_HALF) / ONE)


class Grid:
    """The points of Z[w] near a direction, for rectangles of one shape.

    For a scale r the rectangle is r (1 - depth) to r along the direction and -r width / 2 to
    r width / 2 across it, and the disk has the radius r disk.
    """

    def __init__(self, argument: float, depth: float, width: float, disk: float = 1.0) -> None:
        x, y = int(math.cos(argument) * ONE), int(math.sin(argument) * ONE)
        length = math.isqrt(x * x + y * y)  # in floats it would differ from 1 by more than depth
        self._axis = (x << BITS) // length, (y << BITS) // length
        self._middle = ONE - int(depth / 2 * ONE)
        sizes = (depth / 2, width / 2, disk, disk)
        self._weights = [int(2**COARSE_BITS / size) for size in sizes]
        self._reduce()

    def _coordinates(self, z: Sequence[int]) -> Vector:
        """Along and across the direction, and both parts of z star, in units of rectangle, disk."""
        a, b, c, d = z
        u, v = (b - d) * ROOT_HALF, (b + d) * ROOT_HALF
        x, y = a * ONE + u, c * ONE + v
        cos, sin = self._axis
        plain = (x * cos + y * sin >> BITS, y * cos - x * sin >> BITS, a * ONE - u, c * ONE - v)
        return [x * weight >> BITS for x, weight in zip(plain, self._weights, strict=True)]

    def _reduce(self) -> None:
        """Makes the basis, its dual, and its orthogonalisation: factors `mu`, squares `lengths`."""
        basis = [[int(i == j) for j in range(4)] for i in range(4)]
        dual = [list(row) for row in basis]
        rows = [self._coordinates(z) for z in basis]
        lam, d = _gram_schmidt(rows)
        k = 1
        while k < 4:
            _shorten(k, k - 1, lam, d, basis, dual)
            if 4 * (d[k + 1] * d[k - 1] + lam[k][k - 1] ** 2) < 3 * d[k] * d[k]:
                _exchange(k, lam, d, basis, dual)
                k = max(1, k - 1)
            else:
                for j in range(k - 2, -1, -1):
                    _shorten(k, j, lam, d, basis, dual)
                k += 1
        self._basis = basis
        self._dual = dual
        self._mu = [[lam[i][j] / d[j + 1] for j in range(i)] for i in range(4)]
        unit = 4**COARSE_BITS
        self._lengths = [d[i + 1] / (d[i] * unit) for i in range(4)]
        self._steps = self._orthogonal()
        self._reach = [[self._extent(level, axis) for axis in range(4)] for level in range(4)]

    def _orthogonal(self) -> list[list[float]]:
        """The orthogonalised basis."""
        found: list[list[float]] = []
        for z, factors in zip(self._basis, self._mu, strict=True):
            row = [x / 2**COARSE_BITS for x in self._coordinates(z)]
            for factor, other in zip(factors, found, strict=True):
                row = [x - factor * y for x, y in zip(row, other, strict=True)]
            found.append(row)
        return found

    def _extent(self, level: int, axis: int) -> float:
        """How far rectangle and disk reach along an axis, made orthogonal to the vectors below a
        level."""
        normal = [0.0] * 4
        for row, length in zip(self._steps[level:], self._lengths[level:], strict=True):
            normal = [x + row[axis] / length * y for x, y in zip(normal, row, strict=True)]
        x, y, z, w = normal
        return abs(x) + abs(y) + math.hypot(z, w)

    def points(self, square: int, root: int) -> Iterator[Omega]:
        """The points for the scale sqrt(square + root sqrt 2), as far as EFFORT finds them."""
        scale = math.isqrt((square << 2 * BITS) + (root * ROOT_HALF << BITS + 1))
        along = self._middle * scale >> BITS
        x, y = (along * part >> BITS for part in self._axis)
        # The z with these coordinates, whose star is 0.
        centre = (x >> 1, (x + y) * ROOT_HALF >> BITS + 1, y >> 1, (y - x) * ROOT_HALF >> BITS + 1)
        exact = [sum(p * q for p, q in zip(row, centre, strict=True)) for row in self._dual]
        whole = [part >> BITS for part in exact]
        rest = [(part & ONE - 1) / ONE for part in exact]
        radius = scale / ONE
        self._effort = EFFORT
        for steps in self._near(3, rest, (), (0.0,) * 4, radius):
            factors = [n + step for n, step in zip(whole, steps, strict=True)]
            a, b, c, d = (
                sum(n * z[part] for n, z in zip(factors, self._basis, strict=True))
                for part in range(4)
            )
            yield a, b, c, d

    def _near(
        self,
        level: int,
        centre: Sequence[float],
        offsets: tuple[float, ...],
        place: Sequence[float],
        radius: float,
    ) -> Iterator[tuple[int, ...]]:
        """The factors of points, down from a level, with these offsets of the factors above it.

        `place` is what is known of the vector: its components orthogonal to the basis vectors up to
        this level, which the rectangle bounds along every axis.
        """
        mu = [self._mu[above][level] for above in range(level + 1, 4)]
        middle = centre[level] - sum(x * y for x, y in zip(mu, offsets, strict=True))
        low, high = -math.inf, math.inf
        step = self._steps[level]
        for x, by, reach in zip(place, step, self._reach[level], strict=True):
            if by:
                ends = (radius * reach - x) / by, (-radius * reach - x) / by
                low = max(low, min(ends))
                high = min(high, max(ends))
        for n in _outwards(math.ceil(middle + low), math.floor(middle + high)):
            self._effort -= 1
            if self._effort < 0:
                return
            here = [x + (n - middle) * by for x, by in zip(place, step, strict=True)]
            if level:
                inner = (n - centre[level], *offsets)
                for factors in self._near(level - 1, centre, inner, here, radius):
                    yield *factors, n
            elif math.hypot(here[2], here[3]) <= radius:
                yield (n,)


def _outwards(low: int, high: int) -> Iterator[int]:
    """The integers from low to high, from the middle: there the rectangle is not missed."""
    middle = (low + high + 1) // 2
    for distance in range(high - middle + 1):
        yield middle + distance
        if middle - distance - 1 >= low:
            yield middle - distance - 1


def _gram_schmidt(rows: list[Vector]) -> tuple[list[Vector], Vector]:
    """Determinants d of Gram matrices of the first rows, and factors lam[i][j] = mu d[j + 1]."""
    d = [1]
    lam = [[0] * 4 for _ in range(4)]
    for i, row in enumerate(rows):
        for j in range(i + 1):
            value = sum(x * y for x, y in zip(row, rows[j], strict=True))
            for k in range(j):
                value = (d[k + 1] * value - lam[i][k] * lam[j][k]) // d[k]
            lam[i][j] = value
        d.append(lam[i][i])
    return lam, d


def _shorten(
    k: int, j: int, lam: list[Vector], d: Vector, basis: list[Vector], dual: list[Vector]
) -> None:
    """Takes vector j from vector k as often as makes it shortest."""
    times = (2 * lam[k][j] + d[j + 1]) // (2 * d[j + 1])
    if times:
        basis[k] = [x - times * y for x, y in zip(basis[k], basis[j], strict=True)]
        dual[j] = [x + times * y for x, y in zip(dual[j], dual[k], strict=True)]
        for i in range(j):
            lam[k][i] -= times * lam[j][i]
        lam[k][j] -= times * d[j + 1]


def _exchange(
    k: int, lam: list[Vector], d: Vector, basis: list[Vector], dual: list[Vector]
) -> None:
    """Exchanges vector k with the one before."""
    basis[k], basis[k - 1] = basis[k - 1], basis[k]
    dual[k], dual[k - 1] = dual[k - 1], dual[k]
    for j in range(k - 1):
        lam[k][j], lam[k - 1][j] = lam[k - 1][j], lam[k][j]
    factor = lam[k][k - 1]
    new = (d[k - 1] * d[k + 1] + factor * factor) // d[k]
    for i in range(k + 1, 4):
        old = lam[i][k]
        lam[i][k] = (d[k + 1] * lam[i][k - 1] - factor * old) // d[k]
        lam[i][k - 1] = (new * old + factor * lam[i][k]) // d[k + 1]
    d[k] = new
