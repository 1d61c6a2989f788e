"""Proves that functions are 0, or that they say no more than what is known anyway.

structure     equal functions have equal numbers
samples       a point at which the function is 1 disproves it
truth table   the values for all values of the variables, if these are few
expansion     products are multiplied out, the latest first, until nothing is left
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.backends.certificate.functions import GHOST, ZERO, Functions

MAX_VARIABLES = 20
"""Most variables of a truth table."""

MAX_BITS = 1 << 30
"""Most bits of all truth tables that are worked out for one pair of circuits."""

MAX_MONOMIALS = 4000
"""Most monomials of a function that is multiplied out."""

MAX_EXPANDED = 2_000_000
"""Most monomials that are looked at for one pair of circuits."""

STRUCTURE, SAMPLES, TABLE, EXPANSION = "structure", "samples", "truth table", "expansion"

TOLERANCE = 1e-9
"""Farthest that values may be from each other that are the same up to rounding."""

Point = dict[int, int]
"""Values of variables."""

Bits = NDArray[np.bool_]


class Finding(NamedTuple):
    """Whether something holds, None if that is not known, and where it does not."""

    holds: bool | None
    point: Point | None = None


class Table(NamedTuple):
    """Truth tables: the values of functions (rows) at all points (columns)."""

    variables: list[int]
    rows: Bits

    def point(self, column: int) -> Point:
        """The values of the variables at a column."""
        return {atom: column >> at & 1 for at, atom in enumerate(self.variables)}


class Prover:
    """Proves things about functions, with a bound on all its work; counts methods in `methods`."""

    def __init__(self, functions: Functions) -> None:
        self.functions = functions
        self.methods: Counter[str] = Counter()
        self._bits = MAX_BITS
        self._expanded = MAX_EXPANDED

    def is_zero(self, function: int) -> Finding:
        """Whether a function is 0."""
        if function == ZERO:
            return self._found(STRUCTURE, True)
        point = self.sample(function)
        if point is not None:
            return self._found(SAMPLES, False, point)
        if self._expands_to_zero(function):
            return self._found(EXPANSION, True)
        table = self.table([function])
        if table is None:
            return Finding(None)
        ones = np.flatnonzero(table.rows[0])
        return self._found(TABLE, not len(ones), table.point(int(ones[0])) if len(ones) else None)

    def is_known(self, function: int, known: Known) -> Finding:
        """Whether a function says no more than what is known: is a function of that."""
        if known.has(function):
            return self._found(STRUCTURE, True)
        if not known.told and not self.functions.kind(function) & GHOST:
            constant = self.functions.value(function) & 1
            offset = self.functions.one if constant else ZERO
            return self.is_zero(self.functions.add(function, offset))
        table = self.table([function, *known.told], with_ghosts=True)
        if table is None:
            return Finding(None)
        two = differing(table.rows[0].astype(float), table.rows[1:])
        return self._found(TABLE, two is None, table.point(two[1]) if two else None)

    def sample(self, function: int) -> Point | None:
        """A random point where a function is 1, if there is one among a few."""
        ones = self.functions.value(function)
        if not ones:
            return None
        at = (ones & -ones).bit_length() - 1
        return {atom: self.functions.values[atom] >> at & 1 for atom in self._variables([function])}

    def table(self, functions: Sequence[int], *, with_ghosts: bool = False) -> Table | None:
        """The truth tables of functions, unless they are too large.

        With `with_ghosts`, those of the outcomes that they depend on follow.
        """
        cone = self.functions.cone(functions)
        variables = [atom for atom in cone if atom in self.functions.names]
        points = 1 << len(variables)
        if len(variables) > MAX_VARIABLES or len(cone) * points > self._bits:
            return None
        self._bits -= len(cone) * points
        if with_ghosts:
            single = self.functions.sums.single
            ghosts = [atom for atom in variables if self.functions.kinds[atom] & GHOST]
            functions = [*functions, *(single(atom) for atom in ghosts)]
        values = {0: (1 << points) - 1}
        for at, atom in enumerate(variables):
            values[atom] = values[0] // ((1 << (1 << at)) + 1) << (1 << at)
        found = self.functions.evaluate(cone, functions, values)
        size = (points + 7) // 8
        packed = np.frombuffer(b"".join(row.to_bytes(size, "little") for row in found), np.uint8)
        rows = np.unpackbits(packed.reshape(len(found), size), axis=1, bitorder="little")
        return Table(variables, rows[:, :points].astype(np.bool_))

    def _found(self, method: str, holds: bool, point: Point | None = None) -> Finding:
        self.methods[method] += holds
        return Finding(holds, point)

    def _variables(self, functions: Iterable[int]) -> list[int]:
        return [atom for atom in self.functions.cone(functions) if atom in self.functions.names]

    def _expands_to_zero(self, function: int) -> bool:
        """Whether multiplying out leaves nothing; gives up where that takes too long."""
        functions = self.functions
        monomials = {frozenset({atom}) - {0} for atom in functions.sums.elements(function)}
        while monomials and len(monomials) <= MAX_MONOMIALS and self._expanded > 0:
            self._expanded -= len(monomials)
            top = max((a for m in monomials for a in m if functions.factors[a]), default=0)
            if not top:
                return False
            factors = [
                [frozenset({atom}) - {0} for atom in functions.sums.elements(factor)]
                for factor in functions.products.elements(functions.factors[top])
            ]
            expanded = [m for m in monomials if top in m]
            monomials.difference_update(expanded)
            if len(expanded) * int(np.prod([len(f) for f in factors], dtype=float)) > MAX_MONOMIALS:
                return False
            for monomial in expanded:
                for terms in product(*factors):
                    monomials ^= {monomial.difference({top}).union(*terms)}
        return not monomials


class Known:
    """What is known outside: the functions that are told, and all outcomes of ancillas."""

    def __init__(self, functions: Functions, told: Iterable[int]) -> None:
        self.functions = functions
        self.told = list(dict.fromkeys(told))
        self._sums: dict[int, bool] = {ZERO: True, functions.one: True}
        for function in self.told:
            self._sums[function] = True
            self._sums[functions.add(function, functions.one)] = True
        self._atoms = [True]

    def has(self, function: int) -> bool:
        """Whether a function is a sum of products of what is known, as it is written."""
        functions = self.functions
        for atom in range(len(self._atoms), len(functions.factors)):
            factors = list(functions.products.elements(functions.factors[atom]))
            self._atoms.append(
                self._sums.get(functions.sums.single(atom), False)
                or functions.kinds[atom] == GHOST
                or (bool(factors) and all(self._sum(factor) for factor in factors))
            )
        return self._sum(function)

    def _sum(self, function: int) -> bool:
        if function not in self._sums:
            sums = self.functions.sums
            if sums.level[function] < 0:
                self._sums[function] = self._atoms[sums.first[function]]
            else:
                low, high = sums.low[function], sums.high[function]
                self._sums[function] = self._sum(low) and self._sum(high)
        return self._sums[function]


def differing(values: NDArray[Any], keys: Bits) -> tuple[int, int] | None:
    """Two columns with equal keys and different values, if there are any."""
    _, first, group = np.unique(
        np.packbits(keys, axis=0), axis=1, return_index=True, return_inverse=True
    )
    chosen = first[group.reshape(-1)]
    apart = np.flatnonzero(np.abs(values - values[chosen]) > TOLERANCE)
    return (int(chosen[apart[0]]), int(apart[0])) if len(apart) else None
