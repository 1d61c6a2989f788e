"""The phase by which two circuits differ, as a function of the variables.

    (-1)^s e^(i pi k_1 / 4 f_1) e^(i pi k_2 / 4 f_2) ... e^(i t_1 g_1) ...

with Boolean functions s, f and g.  What depends on the outcomes m of ancillas that were measured
in X is kept apart, since all of it has to vanish for each outcome:

    s = sum over sets M of outcomes of (product of M) s_M,     s_M without outcomes

where s_M is determined uniquely.  Global phases are dropped.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce
from itertools import combinations, islice

from qwasmc.backends.certificate.functions import GHOST, ZERO, Functions
from qwasmc.backends.certificate.undecided import TooLarge

Outcomes = frozenset[int]
"""Variables that are outcomes of ancillas; their product."""

NONE: Outcomes = frozenset()

TOLERANCE = 1e-10
"""Farthest that an angle may be from the one that it stands for, in radians."""

MAX_SUMMANDS = 16
"""Most terms of a sum that is multiplied out."""

MAX_PARTS = 1024
"""Most products of outcomes that one function may depend on."""


class Phases:
    """A phase, to which circuits add theirs; a circuit with sign -1 takes them away."""

    def __init__(self, functions: Functions) -> None:
        self.functions = functions
        self.signs: dict[Outcomes, int] = {}
        """By product of outcomes, the function that it is multiplied by."""
        self.eighths: dict[int, int] = {}
        """By function, 1 to 3 eighth turns."""
        self.angles: dict[int, float] = {}
        """By function, in radians."""
        self._of_atom: dict[int, dict[Outcomes, int]] = {}
        """By atom that depends on outcomes, it by products of outcomes."""
        self._seen = 0
        """How many atoms have been looked at for that."""

    def add_angle(self, angle: float, when: int, function: int) -> None:
        """Add an angle where two functions are 1."""
        eighths = round(angle / (math.pi / 4))
        if abs(angle - eighths * (math.pi / 4)) < TOLERANCE:
            self.add_eighths(eighths, when, function)
            return
        product, signed = self._without_constant(when, function, angle)
        if product:
            self.angles[product] = self.angles.get(product, 0.0) + signed

    def add_eighths(self, eighths: int, when: int, function: int) -> None:
        """Add multiples of pi/4 where two functions are 1."""
        if eighths % 4 == 0:
            if eighths % 8:
                self.add_sign(when, function)
            return
        product, signed = self._without_constant(when, function, eighths)
        if not product:
            return
        total = (self.eighths.pop(product, 0) + int(signed)) % 8
        if total >= 4:
            self.add_sign(self.functions.one, product)
        if total % 4:
            self.eighths[product] = total % 4

    def add_sign(self, when: int, function: int) -> None:
        """Add pi where two functions are 1."""
        for outcomes, part in self._multiplied(self.split(when), self.split(function)).items():
            self.signs[outcomes] = self.functions.add(self.signs.get(outcomes, ZERO), part)

    def settle(self) -> None:
        """Make eighth turns of the angles that are such, and write those of short sums apart."""
        angles, self.angles = self.angles, {}
        for function, angle in angles.items():
            self.add_angle(math.remainder(angle, 2 * math.pi), self.functions.one, function)
        for function in list(self.eighths):
            atoms = list(islice(self.functions.sums.elements(function), MAX_SUMMANDS + 1))
            if 1 < len(atoms) <= MAX_SUMMANDS:
                self._expand(self.eighths.pop(function), atoms)

    def merge(self, is_zero: Callable[[int], bool]) -> None:
        """Add up what belongs to functions that are found to be equal."""
        functions, eighths, angles = self.functions, self.eighths, self.angles
        self.eighths, self.angles = {}, {}
        first = {0: ZERO}
        for function in dict.fromkeys((*eighths, *angles)):
            value = functions.value(function)
            same = first.setdefault(value, function)
            if same != function and not is_zero(functions.add(same, function)):
                same = function
            self.add_eighths(eighths.get(function, 0), functions.one, same)
            self.add_angle(angles.get(function, 0.0), functions.one, same)

    def _expand(self, eighths: int, atoms: list[int]) -> None:
        """Add eighth turns where a sum modulo 2 is 1: a + b + ... - 2 a b - ... + 4 a b c + ..."""
        terms = [self.functions.sums.single(atom) for atom in atoms]
        for count, factor in ((1, 1), (2, -2), (3, 4)):
            for some in combinations(terms, count):
                product = reduce(self.functions.multiply, some)
                self.add_eighths(factor * eighths, self.functions.one, product)

    def split(self, function: int) -> dict[Outcomes, int]:
        """A function by products of outcomes."""
        functions = self.functions
        if not functions.kind(function) & GHOST:
            return {NONE: function}
        for atom in range(self._seen, len(functions.factors)):
            if functions.kinds[atom] & GHOST:
                self._of_atom[atom] = self._split_atom(atom)
        self._seen = len(functions.factors)
        return self._split_sum(function)

    def _split_sum(self, function: int) -> dict[Outcomes, int]:
        functions = self.functions
        if not functions.kind(function) & GHOST:
            return {NONE: function}
        total: dict[Outcomes, int] = {}
        for atom in functions.sums.elements(function):
            for outcomes, part in self._of_atom.get(
                atom, {NONE: functions.sums.single(atom)}
            ).items():
                total[outcomes] = functions.add(total.get(outcomes, ZERO), part)
        return _checked(total)

    def _split_atom(self, atom: int) -> dict[Outcomes, int]:
        functions = self.functions
        if not functions.factors[atom]:
            return {frozenset({atom}): functions.one}
        total = {NONE: functions.one}
        for factor in functions.products.elements(functions.factors[atom]):
            total = self._multiplied(total, self._split_sum(factor))
        return total

    def _multiplied(self, a: dict[Outcomes, int], b: dict[Outcomes, int]) -> dict[Outcomes, int]:
        """The product of two functions by products of outcomes."""
        functions = self.functions
        total: dict[Outcomes, int] = {}
        for outcomes, part in a.items():
            for more, other in b.items():
                key = outcomes | more
                product = functions.multiply(part, other)
                total[key] = functions.add(total.get(key, ZERO), product)
            _checked(total)
        return total

    def _without_constant(self, when: int, function: int, amount: float) -> tuple[int, float]:
        """The product of two functions without its constant term, and the amount for that."""
        functions = self.functions
        product = functions.multiply(when, function)
        if functions.sums.contains(product, 0):
            return functions.add(product, functions.one), -amount
        return product, amount


def _checked(parts: dict[Outcomes, int]) -> dict[Outcomes, int]:
    if len(parts) > MAX_PARTS:
        raise TooLarge(f"a phase depends on more than {MAX_PARTS} products of outcomes")
    return parts
