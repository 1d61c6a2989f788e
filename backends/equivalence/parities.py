"""Path sums whose phases are parities: sum over y of exp(i pi/4 sum_k c_k parity_k(x, y)).

T, S and Z are such phases, CZ and CCZ are sums of 3 and 7 of them.  The products in a polynomial
like that are never written out, which keeps parities of hundreds of variables short.  The part of
the phase that a variable y multiplies is, up to multiples of 8,

    c y - 2 y (sum of c_k times the parity k without y)    c = sum of c_k, where y is in k
      = y (c - 2 sum of l_v v + 4 sum of q_vw v w)         l = the same of y and v
                                                           q = the same of y, v and w

so that the rules of `path_sum` apply where all l are even.  Where all q are even as well, Q is the
parity of l_v / 2 v, and to put it in place of a variable is to add rows over F2.  Where q is that
of a product of two parities, Q is that and a parity, as Toffolis make it; it can be put in place of
variables that are in no parity with an odd coefficient.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.backends.equivalence.events import Poly, Undecided

Affine = frozenset[int]
"""The parity of variables; 0 among them stands for the constant 1."""

MAX_CELLS = 400_000_000
"""Most parities times variables."""

MAX_WORK = 8_000_000_000
"""Most bits that are looked at."""

MAX_PRODUCTS = 3_000_000_000_000
"""Most products of two bits."""


Bits = NDArray[np.uint8]
"""A parity: by variable, whether it is in there."""


SAMPLES = 12
"""Values of a form that tell if its rank is small."""


class Part(NamedTuple):
    """The part of the phase that a variable multiplies: pi/4 (eighths + 4 (form + a b))."""

    eighths: int
    form: Bits
    a: Bits
    b: Bits


class ParitySum:
    """A path sum, times 2^(-root2 / 2) and a global phase that is not kept."""

    def __init__(self) -> None:
        self.variables = 0
        self.root2 = 0
        self.summed: dict[int, None] = {}
        """Variables that are summed and may be taken out."""
        self.when: dict[int, float] = {}
        self.phases: dict[Affine, int] = {}
        """Coefficients by parity, until these are rows of a matrix."""
        self.bits: NDArray[np.uint8] = np.zeros((0, 0), np.uint8)
        """(parities, variables / 8): which variables are in a parity."""
        self.eighths: NDArray[np.int64] = np.zeros(0, np.int64)
        """Coefficients of the rows, modulo 8."""
        self.work = self.products = 0

    def variable(self, *, summed: bool, when: float = 1.0) -> int:
        """A new variable, and where in its circuit it is made, from 0 to 1."""
        self.variables += 1
        self.when[self.variables] = when
        if summed:
            self.summed[self.variables] = None
        return self.variables

    def add_product(self, eighths: int, polys: Sequence[Poly]) -> None:
        """Add pi/4 times a coefficient times a product of polynomials over F2.

        Of those that are no parities, the terms are added one by one: 4 times their sum over F2 is
        4 times their sum.

        The product of r bits is 2^(1-r) times the alternating sum of the parities of some of them.
        """
        for number, poly in enumerate(polys):
            if any(len(monomial) > 1 for monomial in poly):
                if eighths % 4:
                    raise Undecided("a condition is no parity of outcomes")
                rest = [*polys[:number], *polys[number + 1 :]]
                for monomial in poly:
                    self.add_product(
                        eighths, rest + [frozenset({frozenset({v})}) for v in monomial]
                    )
                return
        forms = [frozenset(next(iter(monomial), 0) for monomial in poly) for poly in polys]
        share, odd = divmod(eighths, 2 ** (len(forms) - 1)) if forms else (0, 0)
        if odd:
            raise Undecided("a phase is no sum of parities")
        for size in range(1, len(forms) + 1):
            for some in combinations(forms, size):
                total: Affine = frozenset()
                for form in some:
                    total ^= form
                self.add_parity(share if size % 2 else -share, total)

    def add_parity(self, eighths: int, form: Affine) -> None:
        """Add pi/4 times a coefficient times a parity."""
        if 0 in form:
            form, eighths = form - {0}, -eighths
        if form:
            self.phases[form] = (self.phases.get(form, 0) + eighths) % 8

    def turn(self, angle: float, poly: Poly) -> None:
        """Other angles are not represented."""
        raise Undecided("there are angles other than multiples of pi/4")

    def equate(self, poly: Poly) -> None:
        """Multiply by 1 where a parity is 0 and by 0 elsewhere."""
        if poly:
            new = self.variable(summed=True)
            self.root2 += 2
            self.add_product(4, [poly, frozenset({frozenset({new})})])

    # -- reduction

    def reduce(self) -> None:
        """Take summed variables out, the last ones first, until no rule applies."""
        self.fill()
        progress = True
        while progress and self.summed:
            progress = False
            for variable in sorted(self.summed, key=lambda v: (-self.when[v], -v)):
                if variable in self.summed and self.take_out(variable):
                    progress = True
            self.compress()

    def fill(self) -> None:
        """Make a matrix of the parities."""
        if len(self.phases) * self.variables > MAX_CELLS:
            raise Undecided(f"there are {len(self.phases)} parities of {self.variables} variables")
        self.bits = np.zeros((len(self.phases), (self.variables + 8) // 8), np.uint8)
        for row, form in enumerate(self.phases):
            for variable in form:
                self.bits[row, variable >> 3] |= 1 << (variable & 7)
        self.eighths = np.array(list(self.phases.values()), np.int64)
        self.phases.clear()
        self.compress()

    def compress(self) -> None:
        """Add up equal parities."""
        if not self.bits.size:
            return
        keys = np.ascontiguousarray(self.bits).view(np.dtype((np.void, self.bits.shape[1])))[:, 0]
        _, first, which = np.unique(keys, return_index=True, return_inverse=True)
        total = np.zeros(len(first), np.int64)
        np.add.at(total, which, self.eighths)
        total %= 8
        kept = (total != 0) & self.bits[first].any(axis=1)
        self.bits, self.eighths = self.bits[first[kept]], total[kept]

    def rows(self, variable: int) -> NDArray[np.intp]:
        """The parities that a variable is in."""
        return np.flatnonzero(self.bits[:, variable >> 3] >> (variable & 7) & 1)

    def part(self, variable: int) -> Part | None:
        """What a variable multiplies, if that is a multiple of pi/4 and a parity."""
        rows = self.rows(variable)
        eighths = self.eighths[rows]
        if eighths.sum() % 2:
            return None
        bits = np.unpackbits(self.bits[rows], axis=1, bitorder="little")
        bits[:, variable] = 0
        self.work += bits.size
        if self.work > MAX_WORK:
            raise Undecided(f"more than {MAX_WORK} bits of parities would be looked at")
        linear = np.zeros(bits.shape[1], np.int64)
        for eighth in range(1, 8):
            linear += eighth * bits[eighths == eighth].sum(axis=0, dtype=np.int64)
        if (linear % 2).any():
            return None
        factors = self.factor(bits[eighths % 2 == 1])
        if factors is None:
            return None
        one, other = factors
        form = (linear // 2 % 2).astype(np.uint8) ^ one & other
        return Part(int(eighths.sum() % 8), form, one, other)

    def factor(self, bits: NDArray[np.uint8]) -> tuple[Bits, Bits] | None:
        """Parities a and b, so that columns v and w have an odd number of ones in common where
        v w is a term of a b; None if there are none.

        These numbers are a form of rank 2 then, and any two of its values are such a and b.
        """
        one, other = (np.zeros(bits.shape[1], np.uint8) for _ in range(2))
        support = np.flatnonzero(bits.any(axis=0))
        if not support.size:
            return one, other
        values = bits[:, support].astype(np.float32)
        width = len(support)
        some = np.random.default_rng(width).integers(0, 2, (width, SAMPLES)).astype(np.float32)
        sampled = (values.T @ (values @ some % 2) % 2).astype(np.uint8)
        found = np.unique(sampled[:, sampled.any(axis=0)], axis=1)
        if found.shape[1] not in (0, 2, 3):
            return None
        self.products += len(bits) * width * width
        if self.products > MAX_PRODUCTS:
            raise Undecided(f"more than {MAX_PRODUCTS} products of bits would be looked at")
        if found.size:
            one[support], other[support] = found[:, 0], found[:, 1]
        a, b = one[support], other[support]
        common = (values.T @ values % 2).astype(np.uint8)
        return (one, other) if (common == np.outer(a, b) ^ np.outer(b, a)).all() else None

    def take_out(self, variable: int) -> bool:
        """Sum over a variable, if a rule applies; whether one did."""
        part = self.part(variable)
        if part is None:
            return False
        if part.eighths % 4:
            self.clear(variable)
            self.append_product(-2 if part.eighths == 2 else 2, part)
            self.root2 -= 1
            return True
        choice = [v for v in np.flatnonzero(part.form).tolist() if self.may_replace(v, part)]
        if not choice:
            if part.form.any() or part.a.any() or part.eighths:
                return False
            self.clear(variable)
        else:
            target = min(choice, key=lambda v: (len(self.rows(v)), v))
            self.clear(variable)
            self.substitute(target, part)
            del self.summed[target]
        self.root2 -= 2
        return True

    def may_replace(self, variable: int, part: Part) -> bool:
        """Whether form + a b, without a variable of the form, can stand for that variable."""
        if variable not in self.summed or part.a[variable] or part.b[variable]:
            return False
        return not part.a.any() or not (self.eighths[self.rows(variable)] % 2).any()

    def clear(self, variable: int) -> None:
        """Put 0 in place of a summed variable."""
        self.bits[:, variable >> 3] &= ~(1 << (variable & 7)) & 255
        del self.summed[variable]

    def substitute(self, variable: int, part: Part) -> None:
        """Put the rest of form + a b, or its opposite, in place of a variable of the form.

        c (a b + m) is c a b + c m - 2 c a b m, where + joins parities on the left.
        """
        rows = self.rows(variable)
        self.bits[rows] ^= np.packbits(part.form, bitorder="little")
        if part.eighths == 4:
            self.eighths[rows] = -self.eighths[rows] % 8
        if part.a.any():
            eighths = self.eighths[rows]
            quarters = np.unpackbits(self.bits[rows[eighths % 4 == 2]], axis=1, bitorder="little")
            rest = (quarters.sum(axis=0) % 2).astype(np.uint8)
            self.append(int(eighths.sum()), [part.a, part.b])
            self.append(4, [part.a, part.b, rest])

    def append_product(self, eighths: int, part: Part) -> None:
        """Add pi/4 times an even coefficient times the value, 0 or 1, of form + a b."""
        self.append(eighths, [part.form])
        if part.a.any():
            self.append(eighths, [part.a, part.b])
            self.append(-2 * eighths, [part.a, part.b, part.form])

    def append(self, eighths: int, forms: Sequence[Bits]) -> None:
        """Add pi/4 times a coefficient times a product of parities, as new rows."""
        share = eighths // 2 ** (len(forms) - 1)
        new, shares = [], []
        for size in range(1, len(forms) + 1):
            for some in combinations(forms, size):
                new.append(np.bitwise_xor.reduce(some))
                shares.append((share if size % 2 else -share) % 8)
        self.bits = np.concatenate([self.bits, np.packbits(new, axis=1, bitorder="little")])
        self.eighths = np.concatenate([self.eighths, np.array(shares, np.int64)])

    def depends_on(self, variables: Iterable[int]) -> bool:
        """Whether the phase is not the same for both values of one of some variables."""
        parts = (self.part(variable) for variable in variables)
        return any(
            part is None or part.eighths or part.form.any() or part.a.any() for part in parts
        )
