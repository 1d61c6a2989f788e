"""Sums over paths: sum over y of exp(i phi(x, y)), with exact rules that take variables out.

phi is pi/4 times a multilinear polynomial with coefficients modulo 8, plus angles times
polynomials over F2.  x are parameters, y are summed.  After M. Amy, "Towards large-scale functional
verification of universal quantum circuits" (arXiv:1805.06908, figure 3); for a variable y, where
4 Q etc. stand for the part of phi that y multiplies,

    elim     0             sum = 2
    HH       4 (v + Q)     sum = 2 with Q in place of another summed variable v
    omega    2 + 4 Q       sum = sqrt(2) exp(i pi/4) with phase -2 Q

All are identities for any function that the rest may be.  Those that do not make the polynomial
grow go first, then those of the last variables: circuits are compared from their ends.  Or the last
variables go first in any case, so that what the circuits have in common cancels piece by piece.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from heapq import heappop, heappush
from itertools import combinations
from itertools import product as pairs
from typing import NamedTuple

from qwasmc.backends.equivalence.events import TOLERANCE, Poly, Undecided

Monomial = frozenset[int]
UNIT: Monomial = frozenset()

MAX_TERMS = 400_000
"""Most terms of the polynomial."""

MAX_WORK = 8_000_000
"""Most terms that are added or looked at."""


class Move(NamedTuple):
    """A way to take a variable out: how many terms that adds, and by which rule."""

    growth: int
    rule: str
    target: int
    poly: Poly


class PathSum:
    """A path sum, times 2^(-root2 / 2) and a global phase that is not kept."""

    def __init__(self, *, in_order: bool = False) -> None:
        self.variables = 0
        self.root2 = 0
        self.zero = False
        """Whether the sum is 0 for some values of the parameters."""
        self.terms: dict[Monomial, int] = {}
        self.angles: dict[Poly, float] = {}
        """By polynomial without constant term, in radians."""
        self.summed: dict[int, None] = {}
        """Variables that are summed and may be taken out."""
        self.when: dict[int, float] = {}
        self.parameters: set[int] = set()
        """Variables that will never be summed."""
        self.where: dict[int, dict[Monomial, None]] = {}
        self.angles_where: dict[int, dict[Poly, None]] = {}
        self.changed: dict[int, None] = {}
        self.in_order = in_order
        """Whether the last variables go first even if others do not make the polynomial grow."""
        self.work = 0

    def variable(self, *, summed: bool, when: float = 1.0) -> int:
        """A new variable, and where in its circuit it is made, from 0 to 1."""
        self.variables += 1
        self.when[self.variables] = when
        self.where[self.variables] = {}
        self.angles_where[self.variables] = {}
        if summed:
            self.summed[self.variables] = None
        return self.variables

    # -- the polynomial

    def add_term(self, coefficient: int, monomial: Monomial) -> None:
        """Add pi/4 times a coefficient times a monomial."""
        if not monomial:
            return
        self.work += 1
        before = self.terms.get(monomial, 0)
        after = (before + coefficient) % 8
        if after == before:
            return
        if not after:
            del self.terms[monomial]
            for variable in monomial:
                del self.where[variable][monomial]
        else:
            self.terms[monomial] = after
            if not before:
                for variable in monomial:
                    self.where[variable][monomial] = None
        for variable in monomial:
            self.changed[variable] = None

    def add(self, coefficient: int, poly: Iterable[Monomial]) -> None:
        """Add pi/4 times a coefficient times the value, 0 or 1, of a polynomial over F2.

        The parity of a, b, c, ... is a + b + ... - 2 ab - ... + 4 abc + ... modulo 8.
        """
        monomials = list(poly)
        for monomial in monomials:
            self.add_term(coefficient, monomial)
        if coefficient % 4:
            for a, b in combinations(monomials, 2):
                self.add_term(-2 * coefficient, a | b)
        if coefficient % 2:
            for a, b, c in combinations(monomials, 3):
                self.add_term(4 * coefficient, a | b | c)
        self.check_size()

    def add_product(self, coefficient: int, polys: Iterable[Poly]) -> None:
        """Add pi/4 times a coefficient times a product of polynomials over F2."""
        total = frozenset({UNIT})
        for poly in polys:
            total = product(total, poly)
        self.add(coefficient, total)

    def check_size(self) -> None:
        """Give up if the sum is too large, or too much was done."""
        if len(self.terms) > MAX_TERMS or self.work > MAX_WORK:
            raise Undecided(f"a path sum grew to {len(self.terms)} terms")

    def turn(self, angle: float, poly: Poly) -> None:
        """Add an angle times the value of a polynomial over F2."""
        if UNIT in poly:
            poly, angle = poly - {UNIT}, -angle
        if not poly:
            return
        total = math.remainder(self.take_angle(poly) + angle, 2 * math.pi)
        eighths = round(total / (math.pi / 4))
        if abs(total - eighths * (math.pi / 4)) < TOLERANCE:
            self.add(eighths, poly)
            return
        self.angles[poly] = total
        for variable in sorted({v for monomial in poly for v in monomial}):
            self.angles_where[variable][poly] = None
            self.changed[variable] = None

    def take_angle(self, poly: Poly) -> float:
        """The angle of a polynomial, which is removed."""
        if poly not in self.angles:
            return 0.0
        for variable in sorted({v for monomial in poly for v in monomial}):
            del self.angles_where[variable][poly]
            self.changed[variable] = None
        return self.angles.pop(poly)

    def equate(self, poly: Poly) -> None:
        """Multiply by 1 where a polynomial is 0 and by 0 elsewhere."""
        if poly:
            new = self.variable(summed=True)
            self.root2 += 2
            for monomial in poly:
                self.add_term(4, monomial | {new})

    def substitute(self, variable: int, poly: Poly, keep: int = 0) -> None:
        """Put a polynomial over F2 in place of a variable, but not in terms with `keep`."""
        for monomial in list(self.where[variable]):
            if keep in monomial:
                continue
            coefficient = self.terms[monomial]
            self.add_term(-coefficient, monomial)
            self.add(coefficient, _times(monomial - {variable}, poly))
        for old in list(self.angles_where[variable]):
            new: set[Monomial] = set()
            for monomial in old:
                if variable in monomial:
                    new ^= _times(monomial - {variable}, poly)
                else:
                    new ^= {monomial}
            self.turn(self.take_angle(old), frozenset(new))

    def solve(self, parameter: int) -> None:
        """Express a parameter by other variables, if the sum is 0 unless it is equal to that.

        A summed variable with phase 4 (parameter + P) says so.  That phase stays as it is.
        """
        alone = frozenset({parameter})
        for monomial in list(self.where[parameter]):
            for variable in [v for v in sorted(monomial) if v in self.summed]:
                rest = self.constraint(variable)
                if alone in rest and sum(parameter in other for other in rest) == 1:
                    self.substitute(parameter, frozenset(rest) - {alone}, keep=variable)
                    return

    def constraint(self, variable: int) -> list[Monomial]:
        """What the sum over a variable says to be 0, or nothing if that is not all it says."""
        monomials = self.where[variable]
        if self.angles_where[variable] or any(self.terms[m] != 4 for m in monomials):
            return []
        return [monomial - {variable} for monomial in monomials]

    def forget(self, variables: set[int]) -> None:
        """Drop phases that depend on these variables only."""
        for monomial in [m for m in self.terms if m <= variables]:
            self.add_term(-self.terms[monomial], monomial)
        for poly in [p for p in self.angles if all(m <= variables for m in p)]:
            self.take_angle(poly)

    # -- reduction

    def reduce(self) -> None:
        """Take summed variables out until no rule applies, or the sum is known to be 0."""
        self.changed = dict(self.summed)
        heap: list[tuple[float, int, int, int]] = []
        stamp: dict[int, int] = {}
        while not self.zero:
            for variable in self.changed:
                if variable in self.summed:
                    stamp[variable] = stamp.get(variable, 0) + 1
                    move = self.move(variable)
                    if move is not None:
                        key = self.priority(variable, move.growth)
                        heappush(heap, (*key, variable, stamp[variable]))
            self.changed.clear()
            self.check_size()
            if not heap:
                return
            *before, variable, version = heappop(heap)
            if variable not in self.summed or version != stamp[variable]:
                continue
            move = self.move(variable)
            if move is None:
                continue
            key = self.priority(variable, move.growth)
            if key > tuple(before):
                heappush(heap, (*key, variable, version))
                continue
            self.apply(variable, move)

    def priority(self, variable: int, growth: int) -> tuple[float, int]:
        """The order in which moves are made, the lowest first."""
        early = growth <= 0 and not self.in_order
        return (-math.inf if early else -self.when[variable], growth)

    def move(self, variable: int) -> Move | None:
        """How a summed variable can be taken out."""
        if self.angles_where[variable]:
            return None
        terms = self.terms
        self.work += 10 + len(self.where[variable])
        own = frozenset({variable})
        rest: list[Monomial] = []
        for monomial in self.where[variable]:
            if terms[monomial] == 4:
                rest.append(monomial - own)
            elif terms[monomial] % 2 or monomial != own:
                return None
        alone = terms.get(own, 0)
        if alone in (2, 6):
            return Move(_lifted(2, len(rest)) - len(rest), "omega", alone, frozenset(rest))
        if not rest:
            return Move(-1, "elim", 0, frozenset())
        if not any(v in self.summed for monomial in rest for v in monomial):
            # Summed over this variable, the sum vanishes wherever this polynomial is 1.
            return Move(-1, "zero", 0, frozenset()) if self.certain(rest) else None
        return self.merge(rest)

    def certain(self, poly: list[Monomial]) -> bool:
        """Whether a polynomial consists of parameters: none of its variables is summed later."""
        return all(v in self.parameters for monomial in poly for v in monomial)

    def merge(self, rest: list[Monomial]) -> Move | None:
        """HH: the summed variable of a polynomial that is replaced at the least growth."""
        seen: dict[int, int] = {}
        for monomial in rest:
            for v in monomial:
                seen[v] = seen.get(v, 0) + 1
        best: Move | None = None
        for monomial in rest:
            if len(monomial) == 1:
                (v,) = monomial
                if v in self.summed and seen[v] == 1:
                    growth = self.growth(v, len(rest) - 1) - len(rest)
                    if best is None or (growth, v) < (best.growth, best.target):
                        best = Move(growth, "HH", v, frozenset())
        return best._replace(poly=frozenset(rest)) if best else None

    def growth(self, variable: int, size: int) -> int:
        """How many terms a substitution by a polynomial of so many monomials may add."""
        self.work += len(self.where[variable])
        counts = [0, 0, 0]
        for monomial in self.where[variable]:
            coefficient = self.terms[monomial]
            counts[0 if coefficient == 4 else 1 if coefficient % 2 == 0 else 2] += 1
        lifted = zip(counts, (4, 2, 1), strict=True)
        return sum(count * (_lifted(c, size) - 1) for count, c in lifted)

    def apply(self, variable: int, move: Move) -> None:
        """Take a variable out."""
        if move.rule == "zero":
            self.zero = True
            return
        for monomial in list(self.where[variable]):
            self.add_term(-self.terms[monomial], monomial)
        del self.summed[variable]
        if move.rule == "omega":
            self.root2 -= 1
            self.add(-2 if move.target == 2 else 2, move.poly)
            return
        self.root2 -= 2
        if move.rule == "HH":
            self.substitute(move.target, move.poly - {frozenset({move.target})})
            del self.summed[move.target]


def product(a: Poly, b: Poly) -> Poly:
    """The product over F2."""
    if a == frozenset({UNIT}):
        return b
    total: set[Monomial] = set()
    for one, other in pairs(a, b):
        total ^= {one | other}
    return frozenset(total)


def _times(monomial: Monomial, poly: Poly) -> set[Monomial]:
    """The product over F2."""
    total: set[Monomial] = set()
    for other in poly:
        total ^= {monomial | other}
    return total


def _lifted(coefficient: int, size: int) -> int:
    """How many terms a coefficient times a polynomial of so many monomials has at most."""
    total = size
    if coefficient % 4:
        total += size * (size - 1) // 2
    if coefficient % 2:
        total += size * (size - 1) * (size - 2) // 6
    return total
