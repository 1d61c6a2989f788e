"""Bits that depend on measurement results: a network of xor and and, each function once.

A bit is an integer: 0 and 1 are the constants, 2 n is node n of the network and 2 n + 1 its
negation.  A node is an *atom* or the parity of a few; an atom is the outcome of a measurement, a
conjunction, or a parity of many atoms.  Conjunctions that are parities of others become those:

    xor(a, xor(a, b)) = b        and(a, b ^ a) = and(a, not b)        mux(a, 1, 0) = a

Functions of up to MAX_SUPPORT outcomes are told apart by their truth tables, so that no such
function has two nodes.  Rows of the circuit are appended for nodes that something needs (`value`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from qwasmc.ir.circuit import CircuitBuilder

MAX_TERMS = 16
"""Atoms in the parity that a node is; a parity of more is an atom, so that sums stay cheap."""

MAX_SUPPORT = 6
"""Outcomes that a truth table has as variables."""

MAX_WIDE_SUPPORT = 14
"""The same for tables that are made for one question and forgotten."""

Table = tuple[tuple[int, ...], int]
"""The atoms that a function depends on, and its value in each case (atom i is bit i of a case)."""


class Bits:
    """The network; `loc` is the source position that new nodes get."""

    def __init__(self, out: CircuitBuilder) -> None:
        self.out = out
        self.loc = -1
        self._number = [-1]
        """By node: the circuit's value, or -1; node 0 stands for the constants."""
        self._other: dict[int, int] = {}
        """The circuit's values of constants and negations, by bit."""
        self._locs: dict[int, int] = {}
        self._guard: dict[int, int] = {}
        """By outcome of a predicated measurement: the bit it was predicated on."""
        self._terms: dict[int, tuple[int, ...]] = {}
        """By node that is no atom: the atoms whose parity it is."""
        self._factors: dict[int, tuple[int, ...]] = {}
        """By conjunction: its operands."""
        self._long: dict[int, tuple[int, ...]] = {}
        """By atom that is a parity of many: those."""
        self._parities: dict[tuple[int, ...], int] = {}
        self._conjunctions: dict[tuple[int, ...], int] = {}
        self._tables: dict[int, Table | None] = {}
        """By node that is no outcome; None if it has too many outcomes."""
        self._by_table: dict[Table, int] = {}

    # -- building

    def outcome(self, value: int, guard: int = 1) -> int:
        """The bit of a measurement row; it is 0 where the row's condition `guard` is."""
        self._number.append(value)
        node = len(self._number) - 1
        if guard != 1:
            self._guard[node] = guard
        return 2 * node

    def xor(self, a: int, b: int) -> int:
        """The parity of two bits."""
        if a < 2 or b < 2:
            return a ^ b
        terms = {*self._terms_of(a >> 1)} ^ {*self._terms_of(b >> 1)}
        return self._parity(terms) ^ ((a ^ b) & 1)

    def parity(self, bits: Iterable[int]) -> int:
        """The parity of any number of bits."""
        odd: set[int] = set()
        flip = 0
        for bit in bits:
            flip ^= bit & 1
            odd.symmetric_difference_update(self._terms_of(bit >> 1))
        return self._parity(odd) ^ flip

    def conj(self, *bits: int) -> int:
        """The conjunction of bits."""
        found: dict[int, None] = {}
        for bit in bits:
            if bit == 0 or bit ^ 1 in found:
                return 0
            if bit != 1:
                found[bit] = None
        if len(found) < 2:
            return next(iter(found), 1)
        factors = self._drop_guards(sorted(found))
        if len(factors) == 1:
            return factors[0]
        if factors not in self._conjunctions:
            self._conjunctions[factors] = self._conjunction(factors)
        return self._conjunctions[factors]

    def either(self, a: int, b: int) -> int:
        """The disjunction of two bits."""
        return self.conj(a ^ 1, b ^ 1) ^ 1

    def mux(self, bit: int, then: int, otherwise: int) -> int:
        """`then` where the bit is 1, else `otherwise`."""
        return self.xor(otherwise, self.conj(bit, self.xor(then, otherwise)))

    def _new(self) -> int:
        self._number.append(-1)
        node = len(self._number) - 1
        self._locs[node] = self.loc
        return node

    def _terms_of(self, node: int) -> tuple[int, ...]:
        return self._terms.get(node, (node,) if node else ())

    def _parity(self, odd: set[int]) -> int:
        if len(odd) < 2:
            return 2 * next(iter(odd), 0)
        terms = tuple(sorted(odd))
        if terms not in self._parities:
            self._parities[terms] = self._new_parity(terms)
        return self._parities[terms]

    def _new_parity(self, terms: tuple[int, ...]) -> int:
        table = self._parity_table(terms)
        if table is not None and table[0] != terms:  # otherwise it is the parity of outcomes
            known = self._look_up(table)
            if known is not None:
                return known
        node = self._new()
        if len(terms) > MAX_TERMS:
            self._long[node] = terms
        else:
            self._terms[node] = terms
            self._enter(node, table)
        return 2 * node

    def _drop_guards(self, factors: Sequence[int]) -> tuple[int, ...]:
        """Without what an outcome among the factors implies; (0,) if they exclude each other."""
        implied: set[int] = set()
        for bit in factors:
            guard = self._guard.get(bit >> 1, 1) if not bit & 1 else 1
            if guard != 1:
                implied.add(guard)
                implied.update(self._factors.get(guard >> 1, ()) if not guard & 1 else ())
        if any(bit ^ 1 in implied for bit in factors):
            return (0,)
        return tuple(bit for bit in factors if bit not in implied)

    def _conjunction(self, factors: tuple[int, ...]) -> int:
        table = self._meet(factors)
        if table is not None:
            known = self._look_up(table)
            if known is not None:
                return known
        node = self._new()
        self._factors[node] = factors
        self._enter(node, table or ((node,), 0b10))
        return 2 * node

    # -- truth tables

    def _table(self, node: int) -> Table | None:
        if node in self._tables:
            return self._tables[node]
        return None if node in self._terms else ((node,), 0b10)

    def _literal_table(self, bit: int) -> Table | None:
        table = self._table(bit >> 1)
        if table is None or not bit & 1:
            return table
        return table[0], table[1] ^ _ones(len(table[0]))

    def _enter(self, node: int, table: Table | None) -> None:
        self._tables[node] = table
        if table is not None:
            key, flip = _normal(table)
            self._by_table[key] = 2 * node ^ flip

    def _look_up(self, table: Table) -> int | None:
        """The bit with this table, if there is one or it is a parity of outcomes."""
        key, flip = _normal(table)
        if key[1] == _PARITY[len(key[0])]:
            return self._parity({*key[0]}) ^ flip
        known = self._by_table.get(key)
        return None if known is None else known ^ flip

    def _parity_table(self, terms: tuple[int, ...]) -> Table | None:
        if len(terms) > 4 * MAX_TERMS:
            return None
        tables = [self._table(term) for term in terms]
        onto = _union(tables)
        if onto is None:
            return None
        cases = 0
        for table in tables:
            assert table is not None
            cases ^= _expand(table, onto)
        return _essential((onto, cases))

    def _meet(self, factors: Sequence[int]) -> Table | None:
        """The table of a conjunction, or None if it would be large."""
        tables = [self._literal_table(bit) for bit in factors]
        onto = _union(tables)
        if onto is None:
            return None
        cases = _ones(len(onto))
        for table in tables:
            assert table is not None
            cases &= _expand(table, onto)
        return _essential((onto, cases))

    def decide(self, bit: int, facts: Iterable[int]) -> int | None:
        """The value a bit must have where all facts are 1, if tables tell; facts may be many."""
        own = self._literal_table(bit)
        if own is None:
            return None
        support = own[0]
        tables = []
        for fact in facts:
            table = self._literal_table(fact)
            if table is None or set(support).isdisjoint(table[0]):
                continue
            if (union := _union([(support, 0), table])) is not None:
                support = union
                tables.append(table)
        given = _ones(len(support))
        for table in tables:
            given &= _expand(table, support)
        cases = _expand(own, support)
        if not given & cases:
            return 0
        return 1 if not given & ~cases else None

    # -- wide tables, for one question

    def wide_tables(self, bits: Sequence[int]) -> tuple[int, list[int]] | None:
        """A table of each bit over common variables, and how many cases; None if too many."""
        order = self._cone(bits)
        if order is None:
            return None
        variables = [node for node in order if self._inner(node) is None]
        size = 1 << len(variables)
        full = (1 << size) - 1
        cases: dict[int, int] = {0: 0}
        for index, node in enumerate(variables):
            block = 1 << index  # zeros, then as many ones, over and over
            cases[node] = full // ((1 << 2 * block) - 1) * (((1 << block) - 1) << block)
        for node in order:
            if (inner := self._inner(node)) is not None:
                is_and = node in self._factors
                total = full if is_and else 0
                for bit in inner:
                    value = cases[bit >> 1] ^ (full if bit & 1 else 0)
                    total = total & value if is_and else total ^ value
                cases[node] = total
        return size, [cases[bit >> 1] ^ (full if bit & 1 else 0) for bit in bits]

    def _inner(self, node: int) -> list[int] | None:
        """The bits that a node is a function of, or None for an outcome."""
        if node in self._factors:
            return list(self._factors[node])
        terms = self._terms.get(node) or self._long.get(node)
        return None if terms is None else [2 * term for term in terms]

    def _cone(self, bits: Sequence[int]) -> list[int] | None:
        """The nodes that bits depend on, each after those it depends on; None if too many."""
        order: list[int] = []
        state: dict[int, bool] = {0: True}
        """Whether a node is in the order; one that is not has been opened."""
        variables = 0
        stack = [bit >> 1 for bit in reversed(bits)]
        while stack:
            node = stack.pop()
            if state.get(node):
                continue
            inner = self._inner(node)
            if inner is None or node in state:
                state[node] = True
                order.append(node)
                variables += inner is None
                if variables > MAX_WIDE_SUPPORT or len(order) > 64 * MAX_WIDE_SUPPORT:
                    return None
                continue
            state[node] = False
            stack.append(node)
            stack += [bit >> 1 for bit in inner if not state.get(bit >> 1)]
        return order

    # -- rows

    def value(self, bit: int) -> int:
        """The circuit's value of a bit; rows are appended for what is not there yet."""
        if not bit & 1 and bit and (number := self._number[bit >> 1]) >= 0:
            return number
        stack = [bit]
        while stack:
            top = stack[-1]
            missing = [part for part in self._parts(top) if self._known(part) < 0]
            if missing:
                stack += reversed(missing)
            else:
                stack.pop()
                if self._known(top) < 0:
                    self._append(top)
        return self._known(bit)

    def _known(self, bit: int) -> int:
        if bit < 2 or bit & 1:
            return self._other.get(bit, -1)
        return self._number[bit >> 1]

    def _parts(self, bit: int) -> list[int]:
        """The bits that the row of a bit takes."""
        if bit < 2:
            return []
        node = bit >> 1
        if bit & 1:
            return [*(2 * term for term in self._terms_of(node)), 1]
        return self._inner(node) or []

    def _append(self, bit: int) -> None:
        node = bit >> 1
        values = [self._known(part) for part in self._parts(bit)]
        loc = self._locs.get(node, self.loc)
        if bit < 2:
            self._other[bit] = self.out.add("const", attr=bit, loc=loc)
        elif bit & 1:
            self._other[bit] = self.out.add("xor", values, loc=loc)
        else:
            name = "and" if node in self._factors else "xor"
            self._number[node] = self.out.add(name, values, loc=loc)


def _normal(table: Table) -> tuple[Table, int]:
    """The table or its negation, whichever is 0 in case 0, and whether it is negated."""
    support, cases = table
    flip = cases & 1
    return (support, cases ^ _ones(len(support)) if flip else cases), flip


def _ones(variables: int) -> int:
    """The table that is 1 in every case."""
    return (1 << (1 << variables)) - 1


_PARITY = [
    sum((case.bit_count() & 1) << case for case in range(1 << variables))
    for variables in range(MAX_SUPPORT + 1)
]
"""By number of variables: the table of their parity."""

_ZEROS = [
    sum(1 << case for case in range(1 << MAX_SUPPORT) if not case >> variable & 1)
    for variable in range(MAX_SUPPORT)
]
"""By variable: the cases in which it is 0."""


def _union(tables: Sequence[Table | None]) -> tuple[int, ...] | None:
    """The variables of all tables, or None if they are too many."""
    found: set[int] = set()
    for table in tables:
        if table is None:
            return None
        found.update(table[0])
    return tuple(sorted(found)) if len(found) <= MAX_SUPPORT else None


def _expand(table: Table, onto: tuple[int, ...]) -> int:
    """The cases of a table over more variables."""
    support, cases = table
    have = len(support)
    if have == len(onto):
        return cases
    known = set(support)
    for at, atom in enumerate(onto):
        if atom not in known:
            block = 1 << at
            mask = (1 << block) - 1
            spread = 0
            for index in range(1 << (have - at)):
                piece = cases >> (index * block) & mask
                spread |= (piece | piece << block) << (2 * index * block)
            cases = spread
            have += 1
    return cases


def _essential(table: Table) -> Table:
    """The table without the variables that it does not depend on."""
    support, cases = table
    for at in reversed(range(len(support))):
        block = 1 << at
        zeros = _ZEROS[at] & _ones(len(support))
        if cases & zeros == cases >> block & zeros:
            mask = (1 << block) - 1
            kept = 0
            for index in range(1 << (len(support) - 1 - at)):
                kept |= (cases >> (2 * index * block) & mask) << (index * block)
            cases = kept
            support = support[:at] + support[at + 1 :]
    return support, cases
