"""Boolean functions of variables, with equality of many of them in constant time.

A function is a sum modulo 2 of *atoms*: the constant 1, variables, and products of functions.  A
product is the set of its factors, none of which contains the constant 1: it is multiplied out.
Both kinds of sets are hash-consed (`sets`), so functions with the same number are equal, whatever
the order in which they were put together.  The converse does not hold: (a + b) c and a c + b c have
different numbers.  Numbers are small integers; each function has its values at 256 random points.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from random import Random

from qwasmc.backends.certificate.sets import Sets

POINTS = 256
"""Random points at which the values of functions are known."""

LONG_SUM = 64
"""Most terms of a sum without a name."""

MAX_GIVEN = 8
"""Factors of a product that are put into another function."""

ZERO = 0
"""The function 0."""

INPUT, EVENT, GHOST = 1, 2, 4
"""Kinds of variables that a function depends on: values of qubits at first, values and outcomes
that events leave, and outcomes of measurements of ancillas, which are random bits."""


class Functions:
    """Makes functions; they are numbers."""

    def __init__(self) -> None:
        self.sums = Sets()
        self.products = Sets()
        self.factors = [0]
        """By atom: the set of the factors of a product; 0 for the constant and variables."""
        self.values = [(1 << POINTS) - 1]
        """By atom: bit k is the value at point k."""
        self.kinds = [0]
        """By atom: kinds of variables that it depends on."""
        self.names: dict[int, str] = {}
        """By atom that is a variable."""
        self.one = self.sums.single(0)
        self._random = Random(0)
        self._atom: dict[int, int] = {}
        self._name: dict[int, int] = {}
        """By function, its name."""
        self._of_sum = {ZERO: (0, 0)}

    def variable(self, name: str, kind: int = INPUT) -> int:
        """A new variable."""
        atom = self._append(0, self._random.getrandbits(POINTS), kind)
        self.names[atom] = name
        return self.sums.single(atom)

    def add(self, a: int, b: int) -> int:
        """The sum modulo 2."""
        return self.sums.difference(a, b)

    def multiply(self, a: int, b: int) -> int:
        """The product: (a + c) (b + d) = a b + c b + d a + c d for constants c, d."""
        if ZERO in (a, b):
            return ZERO
        if a == self.one:
            return b
        if b == self.one:
            return a
        total, add = ZERO, self.add
        more_a, more_b = self.sums.contains(a, 0), self.sums.contains(b, 0)
        a = add(a, self.one) if more_a else a
        b = add(b, self.one) if more_b else b
        if more_a:
            total = add(total, b)
        if more_b:
            total = add(total, a)
        if more_a and more_b:
            total = add(total, self.one)
        return add(total, self._product(a, b))

    def named(self, function: int) -> int:
        """A function; if it is a long sum, the product that has it as its only factor, a name."""
        if self.sums.size[function] <= LONG_SUM:
            return function
        if function not in self._name:
            value, kind = self._summary(function)
            atom = self._append(self.products.single(function), value, kind)
            self._name[function] = self.sums.single(atom)
        return self._name[function]

    def value(self, function: int) -> int:
        """The values at the random points; bit k is that at point k."""
        return self._summary(function)[0]

    def kind(self, function: int) -> int:
        """The kinds of variables that a function may depend on."""
        return self._summary(function)[1]

    def cone(self, functions: Iterable[int]) -> list[int]:
        """The atoms that functions are made of, each behind those that it is made of."""
        sums, found, seen = self.sums, set[int](), {ZERO}
        stack = list(functions)
        while stack:
            part = stack.pop()
            if part in seen:
                continue
            seen.add(part)
            atom = sums.first[part]
            if sums.level[part] >= 0:
                stack += (sums.low[part], sums.high[part])
            elif atom not in found:
                found.add(atom)
                stack += self.products.elements(self.factors[atom])
        return sorted(found)

    def evaluate(
        self, cone: Iterable[int], functions: Iterable[int], values: Mapping[int, int]
    ) -> list[int]:
        """The values of functions from those of their variables; `cone` is theirs.

        A value is any number of bits; `values` has those of atom 0 too.
        """
        known: dict[int, int] = {}

        def value(function: int) -> int:
            total = 0
            for atom in self.sums.elements(function):
                total ^= known[atom]
            return total

        for atom in cone:
            if not self.factors[atom]:
                known[atom] = values[atom]
                continue
            known[atom] = values[0]
            for factor in self.products.elements(self.factors[atom]):
                known[atom] &= value(factor)
        return [value(function) for function in functions]

    def _append(self, factors: int, value: int, kind: int) -> int:
        self.factors.append(factors)
        self.values.append(value)
        self.kinds.append(kind)
        return len(self.factors) - 1

    def _product(self, a: int, b: int) -> int:
        """The product of functions without a constant term."""
        if a == b:
            return a
        reduced = self._given(a, b)
        if reduced != b:
            return self.multiply(a, reduced)
        reduced = self._given(b, a)
        if reduced != a:
            return self.multiply(reduced, b)
        factors = self.products.union(self._factors(a), self._factors(b))
        if factors not in self._atom:
            value = self.value(a) & self.value(b)
            self._atom[factors] = self._append(factors, value, self.kind(a) | self.kind(b))
        return self.sums.single(self._atom[factors])

    def _given(self, a: int, b: int) -> int:
        """The function b where a is 1, as far as that is plain: a (a + c) = a (1 + c)."""
        sums = self.sums
        if sums.level[a] < 0:
            for factor in (a, *islice(self.products.elements(self._factors(a)), MAX_GIVEN)):
                if sums.level[factor] < 0 and sums.contains(b, sums.first[factor]):
                    b = self.add(self.add(b, factor), self.one)
        return b

    def _factors(self, function: int) -> int:
        """The set of the factors of a function."""
        atom = self.sums.first[function]
        alone = self.sums.level[function] < 0
        return (alone and self.factors[atom]) or self.products.single(function)

    def _summary(self, function: int) -> tuple[int, int]:
        """Values and kinds."""
        found = self._of_sum.get(function)
        if found is None:
            sums = self.sums
            if sums.level[function] < 0:
                atom = sums.first[function]
                found = self.values[atom], self.kinds[atom]
            else:
                value, kind = self._summary(sums.low[function])
                other, more = self._summary(sums.high[function])
                found = value ^ other, kind | more
            self._of_sum[function] = found
        return found
