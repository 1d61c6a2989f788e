"""Rotations about Z by a measurement that nearly always succeeds, and a correction where it fails.

The circuit of a `Fallback` on a data qubit and an ancilla in |0> (Bocharov, Roetteler and Svore,
arXiv:1409.3552; Kliuchnikov, Lauter, Minko, Paetznick and Petit, arXiv:2203.10064, section 2):

    cx data, ancilla
    the gates of `word` on the ancilla
    cx data, ancilla
    m = measure_z ancilla
    the gates of `correction` on the data, each predicated on m

A word with the matrix ((u, -v*), (v, u*)) leaves diag(u, u*) on the data where m = 0, which has the
probability |u|^2, and diag(v, -v*) where m = 1.  So it rotates by -2 arg u, and else by a known
angle, which the correction makes good.  Only arg u must be right, |u| need not be near 1: the word
has about log2(1 / error) T, where a rotation without measurement, `unitary`, has three times that.

Both search the T counts in order for numbers u over Z[w, 1 / sqrt 2]: points of a `grid`, for which
`norm_equation` has a v with |u|^2 + |v|^2 = 1; `exact_synthesis` writes the word.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from qwasmc.passes.rotations.exact_synthesis import column, word_of
from qwasmc.passes.rotations.grid import Grid, argument
from qwasmc.passes.rotations.norm_equation import norm, root_value, solve, times
from qwasmc.passes.rotations.synthesis import (
    COARSEST,
    EIGHTH,
    NoWord,
    deviation,
    folded,
    wrapped,
)

SILVER = 1 + math.sqrt(2)
ROUND = (1, 1, 0, 0)
"""1 + w; T is diag(1 + w^-1, 1 + w) / |1 + w|."""

LARGEST_FAILURE = 0.3
"""Largest probability of failure that is considered.  Half of it costs another T, so that the best
is about 1.44 over the T count of the correction."""

LEAST = 1e-13
"""Least error: a hundred times the rounding errors in the measurement of a word."""


@dataclass(frozen=True, slots=True)
class Fallback:
    """A rotation about Z by measurement; the circuit is at the top of this file."""

    word: str
    """On the ancilla, between the two cx; as in `synthesis`, letters in order of time."""
    angle_on_failure: float
    """The rotation of the data, in radians, where the measurement gives 1."""
    correction: str
    """On the data where the measurement gives 1: the angle less the angle on failure."""
    failure: float
    """The probability of 1, whatever the state of the data."""
    error: float
    """For each outcome the data undergoes a unitary; the larger distance of these from the
    rotation, in operator norm up to global phase."""

    @property
    def expected_t(self) -> float:
        """The mean number of T gates."""
        return t_count(self.word) + self.failure * t_count(self.correction)

    @property
    def worst_t(self) -> int:
        """The number of T gates where the measurement fails."""
        return t_count(self.word) + t_count(self.correction)


def t_count(word: str) -> int:
    """The number of T gates in a word."""
    return sum(letter in "1357" for letter in word)


def project(angle: float, allowed: float) -> Fallback | None:
    """The rotation by measurement with the least expected T count, to within `allowed` for either
    outcome; None where a word without measurement, `unitary`, has no more T.

    The probability of failure is weighed against the usual T count of a correction.
    """
    angle, allowed = wrapped(angle), _bounded(allowed)
    word = None if _near_turn(angle, allowed) else _projective(angle, allowed)
    if word is None:
        return None
    success, failure, chance = outcomes(word)
    correction = unitary(angle - failure, allowed) if chance else ""
    error = max(_distance(success - angle), deviation(correction, angle - failure) if chance else 0)
    found = Fallback(word, failure, correction, chance, error)
    fewest = _unitary(angle, allowed, math.floor(found.expected_t))
    return found if fewest is None else None


def unitary(angle: float, allowed: float) -> str:
    """A word at most `allowed` from a rotation about Z.

    None has fewer T gates, but for candidates that are too hard to factor, and for some of the
    angles that are nearly a multiple of pi/4, of which there are too many; both are rare.
    """
    angle, allowed = wrapped(angle), _bounded(allowed)
    if turn := _near_turn(angle, allowed):
        return turn.strip("0")
    most = _most(allowed)
    word = _unitary(angle, allowed, most)
    if word is None:
        raise NoWord(angle, f"no word of {most} T gates or fewer is within {allowed:g}")
    return word


def outcomes(word: str) -> tuple[float, float, float]:
    """The angles by which the circuit with a word turns the data where the measurement gives 0 and
    where it gives 1, and the probability of 1; right to rounding however small it is."""
    z, y, exponent = column(word)
    # The second column is (-y*, z*) times the determinant, which is -1 for h and for x.
    turns = sum(4 if letter in "hx" else int(letter) for letter in word) % 8
    success = wrapped(turns * EIGHTH - 2 * argument(z))
    failure = wrapped((turns + 4) * EIGHTH - 2 * argument(y))
    return success, failure, root_value(norm(y)) / 2**exponent


def _bounded(allowed: float) -> float:
    if not allowed >= LEAST:
        raise ValueError(f"words are measured to {LEAST:g}, not to {allowed:g}")
    return min(allowed, COARSEST)


def _near_turn(angle: float, allowed: float) -> str | None:
    """The multiple of T, as a digit, that is near enough."""
    turn = str(round(angle / EIGHTH) % 8)
    return turn if deviation(turn, angle) <= allowed else None


def _distance(angle: float) -> float:
    """The distance of a rotation about Z from the identity."""
    return 2 * math.sin(abs(wrapped(angle)) / 4)


def _usual(allowed: float) -> float:
    """About the T count of a unitary word (arXiv:2203.10064, table 1: for the diamond distance)."""
    return 3.02 * math.log2(0.5 / allowed) + 1.77


def _most(allowed: float) -> int:
    """More T than any unitary word has: angles near 0 take four times the logarithm (Selinger,
    arXiv:1212.6253), and every further T doubles the candidates."""
    return math.ceil(4 * math.log2(1 / allowed)) + 12


# -- the search


class Search:
    """Words, by T count, with |u| from 1 - depth to 1 and diag(u, u*) / |u| at most `allowed` from
    the rotation, but for multiples of T.

    With t T gates, u = z / r and v = y / r, for z and y in Z[w] with |z|^2 + |y|^2 = r^2, where r^2
    is 2^(t/2 + 1) for even t and (2 - sqrt 2) 2^(t/2 + 1/2) for odd t.
    """

    def __init__(self, angle: float, depth: float, allowed: float) -> None:
        self._angle = angle
        self._argument = -folded(angle)[1] / 2  # a quarter turn more turns z by w
        self._half = 2 * math.asin(allowed / 2)
        width = 2 * self._half
        self._grids = [Grid(self._argument, depth, width, disk) for disk in (1.0, SILVER)]

    def words(self, t: int, most: float) -> Iterator[tuple[float, str]]:
        """|v|^2, up to `most`, and a word, by growing |v|^2.  The phase of v is any."""
        odd = t % 2
        exponent = (t + 2) // 2
        square, root = (2 << exponent, -(1 << exponent)) if odd else (1 << exponent, 0)
        size = root_value((square, root))
        found = []
        for z in self._grids[odd].points(square, root):
            a, b = norm(z)
            xi = square - a, root - b
            chance = root_value(xi) / size
            if chance <= most and abs(argument(z) - self._argument) <= self._half:
                found.append((chance, z, xi))
        for chance, z, xi in sorted(found):
            y = solve(xi)
            if y is None:
                continue
            entries = (times(z, ROUND), times(y, ROUND)) if odd else (z, y)
            yield chance, self._with_turn(word_of(*entries, exponent + odd))

    def _with_turn(self, word: str) -> str:
        """The word after the multiple of T that makes its rotation nearest to the angle."""
        turn = round((self._angle - outcomes(word)[0]) / EIGHTH) % 8
        return f"{turn}{word}" if turn else word


def _unitary(angle: float, allowed: float, most: int) -> str | None:
    """A word of at most so many T gates, if there is one."""
    search = Search(angle, allowed * allowed / 2, allowed)
    for t in range(most + 1):
        for _, word in search.words(t, 1.0):
            if deviation(word, angle) <= allowed:
                return word
    return None


def _projective(angle: float, allowed: float) -> str | None:
    """The word with the least expected T count, where corrections have the usual T count."""
    usual, least = _usual(allowed), float(_most(allowed))
    limit = math.inf
    best = None
    for t in count():
        most = min(LARGEST_FAILURE, (least - t) / usual)
        if most <= 0:
            return best
        if most < limit / 2:  # a smaller rectangle has fewer candidates
            limit = most
            search = Search(angle, 1 - math.sqrt(1 - most), allowed)
        for chance, word in search.words(t, most):
            if _distance(outcomes(word)[0] - angle) <= allowed:
                best = word
                least = t + chance * usual
                break
    return None
