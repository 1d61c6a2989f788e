"""Values of qubits as parities and products of others, and where those are at a time.

An *atom* is a value with a number of its own: what a wire held at some time, or a node of a
network.  A *form* is the parity of some atoms, and of the constant `ONE`:

    cx a, d; x d; cx b, d        d: {d, ONE, a, b}

Each atom has a *register* of the same number, in which it was first.  CNOTs between registers move
it: after cx a, d the value d is the parity of what the registers d and a hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from itertools import product as pairs
from typing import NamedTuple

Form = frozenset[int]

ONE = -1
"""The constant 1 as an atom."""

NOTHING: Form = frozenset()
CERTAIN: Form = frozenset([ONE])


class Term(NamedTuple):
    """A product of at most two forms, and of a classical bit unless that is -1."""

    cond: int
    factors: tuple[Form, ...]

    @property
    def is_linear(self) -> bool:
        """Whether this is a form, whatever is measured."""
        return self.cond < 0 and len(self.factors) < 2

    @property
    def form(self) -> Form:
        """The form of a term with at most one."""
        return self.factors[0] if self.factors else CERTAIN


def product(cond: int, factors: Sequence[Form]) -> Term | None:
    """The product of a bit and at most two forms without what it needs not; None if it is 0."""
    distinct = sorted({factor for factor in factors if factor != CERTAIN}, key=sorted)
    if NOTHING in distinct or (len(distinct) == 2 and distinct[0] ^ distinct[1] == CERTAIN):
        return None
    return Term(cond, tuple(distinct))


def reduced(terms: Sequence[Term]) -> tuple[Form, list[Term]]:
    """A form and terms whose parity is that of some terms, with the fewest products there can be.

    A quadratic form over F2 is a sum of half as many products as the rank of its bilinear form
    (Dickson): with B_a the atoms that occur in products with a, B_a B_b takes a and b out of it.
    """
    products = [term for term in terms if term.cond < 0 and len(term.factors) == 2]
    others = [term for term in terms if term not in products]
    linear: set[int] = set()
    partners: dict[int, set[int]] = {}

    def add(one: Form, other: Form) -> None:
        for a, b in pairs(one, other):
            if a == b or ONE in (a, b):
                linear.symmetric_difference_update([max(a, b)])
            else:
                partners.setdefault(a, set()).symmetric_difference_update([b])
                partners.setdefault(b, set()).symmetric_difference_update([a])

    for term in products:
        add(*term.factors)
    found: list[Term] = []
    for a in sorted(partners):
        if partners[a] and len(found) < len(products):
            factors = frozenset(partners[min(partners[a])]), frozenset(partners[a])
            add(*factors)
            found.append(Term(-1, factors))
    if len(found) < len(products):
        return frozenset(linear), [*found, *others]
    return NOTHING, list(terms)


class Values:
    """Numbers for what wires hold: equal numbers are equal values, but for 128-bit hashes."""

    def __init__(self, zero: Sequence[int]) -> None:
        """Some wires are in |0>; all others hold something."""
        self._wire = dict.fromkeys(zero, 0)
        self._fresh = 0

    def __getitem__(self, wire: int) -> int:
        """The number of what a wire holds."""
        if wire not in self._wire:
            self.renew(wire)
        return self._wire[wire]

    def renew(self, wire: int) -> None:
        """A wire gets a value that nothing is known of."""
        self._fresh += 1
        self._wire[wire] = _number(0, self._fresh)

    def swap(self, one: int, other: int) -> None:
        """Two wires are exchanged."""
        self._wire[one], self._wire[other] = self[other], self[one]

    def flip(self, wires: Sequence[int], cond: int) -> None:
        """The last wire is flipped by the product of the others, and of a bit unless it is -1."""
        *controls, target = wires
        delta = _number(1) if cond < 0 else _number(2, cond)
        for wire in controls:
            delta = _times(delta, self[wire])
        self._wire[target] = self[target] ^ delta


def _number(*key: int) -> int:
    return int.from_bytes(blake2b(repr(key).encode(), digest_size=16).digest(), "little")


_UNIT = _number(1)


def _times(one: int, other: int) -> int:
    if one in (_UNIT, other):
        return other
    if other == _UNIT:
        return one
    if not one or not other or one ^ other == _UNIT:
        return 0
    return _number(3, min(one, other), max(one, other))


class Places:
    """Where atoms are: each is the parity of what some registers hold, and perhaps of `ONE`."""

    def __init__(self) -> None:
        self._where: dict[int, set[int]] = {}
        self._users: dict[int, set[int]] = {}
        """By register, the atoms that take it."""

    def add(self, atom: int) -> None:
        """A new atom is in its register."""
        self._where[atom] = {atom}
        self._users[atom] = {atom}

    def flip(self, register: int, sources: Form) -> None:
        """The parity of other registers, and of `ONE`, has been added to what a register holds."""
        users = self._users[register]
        for atom in users:
            self._where[atom] ^= sources
        for source in sources - CERTAIN:
            self._users[source] ^= users

    def users(self, register: int) -> int:
        """How many atoms take a register."""
        return len(self._users[register])

    def find(self, form: Form) -> Form:
        """The registers that hold a form together, with `ONE` if it is their parity's opposite."""
        found: set[int] = set()
        for atom in form:
            found ^= self._where[atom] if atom != ONE else CERTAIN
        return frozenset(found)
