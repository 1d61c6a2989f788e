"""A region as a network of values, from which it can be written again in another order.

    rev_begin                        node 0 = a b            on an ancilla of its own
    ccx a, b, s                      node 1 = 0 (c + d)
    cx d, c; ccx s, c, t; cx d, c    act 0: z on node 1
    z t                              act 1: cx node 0, r     not before, not behind, ...
    cx s, r
    uncompute

What scratch wires hold is a *node* each time that it is read: a parity of products of forms (see
`forms`).  A row that leads a data wire away from a value that it gets back is no more than that:
the wire has a form, or is a node, in between.  All other rows are *acts*, each done once, in an
order that keeps rows apart that do not commute.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence, Set
from contextlib import suppress
from typing import Any, NamedTuple

from qwasmc.ir.wires import Wired
from qwasmc.ops import BY_NAME
from qwasmc.passes.reversible.forms import (
    CERTAIN,
    NOTHING,
    Form,
    Places,
    Term,
    Values,
    product,
    reduced,
)
from qwasmc.passes.reversible.nodes import CROWD, Deed, Member, Network, Node, Reading, Register
from qwasmc.passes.reversible.region import Region
from qwasmc.passes.reversible.rows import FLIPS, Row, absorbed, keeps, rows_of

WIDE = 8
"""Atoms of a form that a wire may have for whoever reads it; with more, it is an atom itself,
unless it is one of data that is led away for a while."""

MANY = 64
"""Values that a flip of a register may move; if there are more, it ends instead."""

WIDEST = 256
"""Atoms and terms of what any wire may have."""


class Refused(Exception):
    """A region cannot be written as a network; the message says why, `row` where."""

    def __init__(self, message: str, row: int) -> None:
        super().__init__(message)
        self.row = row


def network(wired: Wired, region: Region) -> Network:
    """The network of a region; raises `Refused`.

    Data that are led away and come back may meet each other in between, so that a row flips a wire
    by what that wire has in truth.  Then all rows on data are acts.
    """
    rows, scratch = rows_of(wired, region), frozenset(region.scratch)
    with suppress(Refused):
        return _Reader(wired, region, rows, absorbed(rows, scratch)).run()
    return _Reader(wired, region, rows, frozenset()).run()


class _Content(NamedTuple):
    """What a wire holds: a form, and terms that nothing has read so far."""

    form: Form
    terms: tuple[tuple[Term, tuple[Reading, ...]], ...] = ()
    """With what was read for each."""


class _Crowd(NamedTuple):
    """The last acts on a wire that commute there, and the last ones before them."""

    kind: str
    members: list[int]
    before: list[int]


class _Reader:
    """Reads the rows of a region in order; some are `absorbed`, by position."""

    def __init__(
        self, wired: Wired, region: Region, rows: Sequence[Row], absorbed: Set[int]
    ) -> None:
        self.out = Network(wired, region)
        self.scratch = frozenset(region.scratch)
        self.rows = rows
        self.absorbed = absorbed
        self.values = Values(region.scratch)
        self.places = Places()
        self.contents: dict[int, _Content] = {}
        self.known: dict[int, dict[int, Form]] = {}
        """By wire and value, a form that the wire had."""
        self.register_of: dict[int, int] = {}
        """By data wire."""
        self.node_of: dict[int, int] = {}
        """By value."""
        self.wire_of: dict[int, int] = {}
        """By register of data that has not ended."""
        self.maker_of: dict[int, int] = {}
        """By bit."""
        self.crowds: defaultdict[int, _Crowd] = defaultdict(lambda: _Crowd("", [], []))
        self.last_note: int | None = None
        for wire in region.scratch:
            self.put(wire, NOTHING)

    def run(self) -> Network:
        for at, row in enumerate(self.rows):
            if row.name in FLIPS:
                self.flip(row, at in self.absorbed)
            elif row.name == "swap":
                self.swap(row)
            elif keeps(row):
                self.phase(row)
            elif row.wires:
                self.overwrite(row)
            else:
                self.note(row)
        used = set[int]().union(*(deed.needs for deed in self.out.deeds))
        for atom in sorted(self.out.nodes, reverse=True):
            if atom in used:
                used |= self.out.nodes[atom].inputs
        self.out.used = sorted(used)
        return self.out

    # -- rows

    def flip(self, row: Row, absorbs: bool) -> None:
        """A row that flips its last wire by the product of the others."""
        *controls, target = row.wires
        forms = tuple(self.read(wire, row) for wire in controls)
        self.content(target)
        self.values.flip(row.wires, row.cond)
        term = product(row.cond, forms)
        if term is None:
            return
        if target in self.scratch or absorbs:
            self.add(target, term, row)
            return
        kept = controls[: len(term.factors)]
        row = row._replace(name=FLIPS[len(kept)], wires=(*kept, target), whole=False)
        deed = self.act(row, term.factors)
        register = self.register_of[target]
        if any(register in self.places.find(form) for form in term.factors):
            raise Refused("a qubit is flipped by its own value", row.at)
        self.touch(target, "flip")
        form = self.contents[target].form ^ (term.form if term.is_linear else NOTHING)
        if not term.is_linear or len(form) > WIDE or self.places.users(register) > MANY:
            self.renew(target, deed)
            return
        sources = self.places.find(term.form)
        self.places.flip(register, sources)
        deed.flips = register
        self.out.registers[register].flips.append((len(self.out.deeds) - 1, sources))
        self.put(target, form)

    def swap(self, row: Row) -> None:
        """A swap of two scratch wires, which is no more than that, or of two data wires."""
        one, other = row.wires
        for wire in row.wires:
            self.content(wire)
        self.values.swap(one, other)
        for table in (self.contents, self.known, self.register_of):
            _exchange(table, one, other)
        if one not in self.scratch:
            self.act(row).exchanges = tuple(self.register_of[wire] for wire in row.wires)
            for wire in row.wires:
                self.touch(wire, "write")
                self.wire_of[self.register_of[wire]] = wire

    def phase(self, row: Row) -> None:
        """A diagonal gate or a measurement of Z."""
        measures = not BY_NAME[row.name].is_gate
        if measures and row.wires[0] in self.scratch:
            raise Refused(f"'{row.name}' on a scratch qubit", row.at)
        forms = tuple(self.read(wire, row) for wire in row.wires)
        if not measures and all(form in (NOTHING, CERTAIN) for form in forms):
            return
        self.act(row, forms)
        if measures and self.register_of[row.wires[0]] not in self.places.find(forms[0]):
            raise Refused("a qubit is measured while others hold its value", row.at)

    def overwrite(self, row: Row) -> None:
        """A row that does anything else to data wires."""
        spec = BY_NAME[row.name]
        for wire in row.wires:
            if wire in self.scratch and row.name not in ("alloc", "barrier"):
                raise Refused(f"'{row.name}' on a scratch qubit", row.at)
            if not spec.makes_qubit:
                self.content(wire)
        deed = self.act(row)
        for wire in row.wires:
            if wire in self.scratch:
                continue
            self.touch(wire, "write")
            if row.name != "barrier":
                self.values.renew(wire)
                self.renew(wire, deed)

    def note(self, row: Row) -> None:
        """A row on bits, or on nothing; those without results stay in order."""
        deed = self.act(row)
        if BY_NAME[row.name].makes_bit:
            return
        if self.last_note is not None:
            deed.after.add(self.last_note)
        self.last_note = len(self.out.deeds) - 1

    # -- acts

    def act(self, row: Row, forms: tuple[Form, ...] = ()) -> Deed:
        """A new act, which reads some forms."""
        deed, number = Deed(row, forms), len(self.out.deeds)
        readings = [self.reading(form) for form in forms]
        self.out.deeds.append(deed)
        for reading in readings:
            data = [atom for atom in reading.registers - CERTAIN if atom not in self.out.nodes]
            ended = [atom for atom in data if self.out.registers[atom].ender is not None]
            if ended:
                deed.stale.append(reading)
            for atom in sorted(set(data) - set(ended)):
                self.touch(self.wire_of[atom], "read")
        deed.needs = frozenset(
            atom for reading in readings for atom in reading.registers if atom in self.out.nodes
        )
        wired = self.out.wired
        bits = [] if row.wires or not row.whole else wired.values(row.at)
        for bit in (*bits, row.cond):
            if bit in self.maker_of:
                deed.after.add(self.maker_of[bit])
        if BY_NAME[row.name].makes_bit:
            self.maker_of[int(wired.made[row.at])] = number
        return deed

    def touch(self, wire: int, kind: str) -> None:
        """Put the last act behind those on a wire that it does not commute with."""
        number = len(self.out.deeds) - 1
        crowd = self.crowds[wire]
        if crowd.members[-1:] == [number]:
            return
        if kind != crowd.kind or kind == "write":
            crowd = self.crowds[wire] = _Crowd(kind, [], crowd.members[-CROWD:])
        if len(crowd.members) < CROWD:
            self.out.deeds[number].after.update(crowd.before)
        else:
            self.out.deeds[number].after.add(crowd.members[-CROWD])
        crowd.members.append(number)

    def renew(self, wire: int, deed: Deed) -> None:
        """A data wire gets a value that nothing is known of."""
        crowd = self.crowds[wire].members
        member = Member(crowd, len(crowd) - 1)
        old = self.register_of.get(wire)
        if old is not None:
            self.out.registers[old].ender = member
            deed.ends.append(old)
        deed.makes.append(self.start(Register(wire, maker=member)))

    def start(self, register: Register) -> int:
        """A data wire is a new register; its atom."""
        atom, wire = self.begin(register), register.wire
        self.register_of[wire], self.wire_of[atom] = atom, wire
        self.put(wire, frozenset([atom]))
        return atom

    def begin(self, register: Register) -> int:
        """A new register; its atom."""
        atom = len(self.out.registers)
        self.out.registers.append(register)
        self.places.add(atom)
        return atom

    # -- what wires hold

    def content(self, wire: int) -> _Content:
        """What a wire holds; a data wire of which nothing is known has a register."""
        if wire not in self.contents:
            self.start(Register(wire))
        return self.contents[wire]

    def reading(self, form: Form) -> Reading:
        """What is read for a form now."""
        return Reading(self.places.find(form), len(self.out.deeds))

    def put(self, wire: int, form: Form) -> None:
        """A wire holds a form."""
        self.contents[wire] = _Content(form)
        self.known.setdefault(wire, {})[self.values[wire]] = form

    def add(self, wire: int, term: Term, row: Row) -> None:
        """Add a term to what a wire holds, which has its number already."""
        form, terms = self.contents[wire]
        if term.is_linear:
            form ^= term.form
        else:
            terms = (*terms, (term, tuple(map(self.reading, term.factors))))
        known = self.known[wire].get(self.values[wire]) if terms else form
        if known is None:
            self.contents[wire] = _Content(form, terms)
        else:
            self.put(wire, known)
        if len(form) + len(terms) > WIDEST:
            self.read(wire, row)

    def read(self, wire: int, row: Row) -> Form:
        """The form of what a wire holds, which may have to become a node."""
        content = self.content(wire)
        if content.terms or (wire in self.scratch and len(content.form) > WIDE):
            value = self.values[wire]
            if value not in self.node_of:
                self.node_of[value] = self.compute(content, row)
            self.put(wire, frozenset([self.node_of[value]]))
        form = self.contents[wire].form
        if len(form) > WIDEST:
            raise Refused(f"a qubit holds the parity of more than {WIDEST} values", row.at)
        return form

    def compute(self, content: _Content, row: Row) -> int:
        """A new node; its atom."""
        readings = [self.reading(content.form)]
        makers = set[int]()
        for term, read in content.terms:
            readings += read
            if term.cond in self.maker_of:
                makers.add(self.maker_of[term.cond])
        registers = NOTHING.union(*(reading.registers for reading in readings))
        inputs = frozenset(atom for atom in registers if atom in self.out.nodes)
        linear, terms = reduced([term for term, _ in content.terms])
        terms.sort(key=lambda term: (len(term.factors) < 2, term.cond >= 0))
        atom = self.begin(Register())
        self.out.nodes[atom] = Node(content.form ^ linear, terms, readings, inputs, makers, row.at)
        return atom


def _exchange(table: dict[int, Any], one: int, other: int) -> None:
    """Exchange two entries of a table, if it has them."""
    if one in table:
        table[one], table[other] = table[other], table[one]
