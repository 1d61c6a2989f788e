"""The nodes and acts of a network, and the pebble game that they are (see `network`).

Each node and each stretch of a data wire between two acts that overwrite it is a *register*, with
the number of the atom that it begins with.  An act that adds a form to a register changes no value
for whoever has the nodes of that form; for others, it makes those behind it and spoils those before
it.  So does whatever begins or ends the register, for everybody.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from qwasmc.ir.wires import Wired
from qwasmc.passes.pebbling.game import Act, Game
from qwasmc.passes.pebbling.game import Node as GameNode
from qwasmc.passes.reversible.forms import CERTAIN, NOTHING, Form, Term
from qwasmc.passes.reversible.region import Region
from qwasmc.passes.reversible.rows import Row

REACH = 64
"""Registers to look at for what changes a value, before any flip of one counts as that."""

CROWD = 32
"""Of acts that commute on a wire, each one comes behind the one so many places before."""


class Reading(NamedTuple):
    """What was read, and when."""

    registers: Form
    acts: int
    """Acts before it."""


class Member(NamedTuple):
    """An act by its place among acts on a wire that commute there; more may follow."""

    crowd: list[int]
    place: int

    @property
    def act(self) -> int:
        """The act."""
        return self.crowd[self.place]

    @property
    def earlier(self) -> list[int]:
        """It and acts before it, behind which are all others before it."""
        return self.crowd[max(0, self.place + 1 - CROWD) : self.place + 1]

    @property
    def later(self) -> list[int]:
        """It and acts behind it, before which are all others behind it."""
        return self.crowd[self.place : self.place + CROWD]


@dataclass(slots=True)
class Register:
    """A wire from one act that overwrites it to the next, or a node."""

    wire: int = -1
    """Where it begins; -1 for a node."""
    maker: Member | None = None
    """The act that it begins with; None if it is there in the beginning."""
    ender: Member | None = None
    """The act that it ends with, if there is one."""
    flips: list[tuple[int, Form]] = field(default_factory=list)
    """Acts that add other registers to it."""


@dataclass(slots=True)
class Node:
    """A value on an ancilla: a form and terms, of which one that is without a bit comes first."""

    form: Form
    terms: list[Term]
    readings: list[Reading]
    inputs: Form
    makers: set[int]
    """Acts that make bits of its terms."""
    row: int
    """The row of the circuit that reads it first."""


@dataclass(slots=True)
class Deed:
    """An act: a row that is kept."""

    row: Row
    forms: tuple[Form, ...] = ()
    """Of the wires that it only reads; the others come behind them."""
    needs: Form = NOTHING
    after: set[int] = field(default_factory=set)
    stale: list[Reading] = field(default_factory=list)
    """Of what it reads, that which is no more where it was, in the order of the rows."""
    ends: list[int] = field(default_factory=list)
    """Registers that end with it."""
    flips: int = -1
    """The register that a form is added to."""
    makes: list[int] = field(default_factory=list)
    """Registers that begin with it."""
    exchanges: tuple[int, ...] = ()
    """Two registers whose wires are exchanged."""


@dataclass(slots=True)
class Network:
    """Nodes and acts of a region."""

    wired: Wired
    region: Region
    registers: list[Register] = field(default_factory=list)
    """By atom."""
    nodes: dict[int, Node] = field(default_factory=dict)
    """By atom."""
    deeds: list[Deed] = field(default_factory=list)
    used: list[int] = field(default_factory=list)
    """The atoms of nodes that acts need, in topological order."""

    def game(self, feed_forward: bool) -> Game:
        """The pebble game that a plan for the region has to win.

        With `feed_forward` there are ghosts: gates may depend on the outcomes of measurements.
        """
        index = {atom: at for at, atom in enumerate(self.used)}
        nodes = []
        for atom in self.used:
            node = self.nodes[atom]
            made, spoilt = set(node.makers), set[int]()
            for reading in node.readings:
                self.bounds(reading, node.inputs, made, spoilt)
            cost, extra = _price(node.terms, feed_forward)
            nodes.append(
                GameNode(
                    tuple(index[each] for each in sorted(node.inputs)),
                    cost,
                    0 if feed_forward else cost,
                    extra,
                    tuple(sorted(made)),
                    tuple(sorted(spoilt)),
                )
            )
        after = [set(deed.after) for deed in self.deeds]
        for at, deed in enumerate(self.deeds):
            spoilt = set[int]()
            for reading in deed.stale:
                self.bounds(reading, deed.needs, after[at], spoilt)
            for other in spoilt:
                after[other].add(at)
        acts = [
            Act(tuple(sorted(index[atom] for atom in deed.needs)), tuple(sorted(earlier)))
            for deed, earlier in zip(self.deeds, after, strict=True)
        ]
        return Game(tuple(nodes), tuple(acts), feed_forward)

    def bounds(self, reading: Reading, nodes: Form, made: set[int], spoilt: set[int]) -> None:
        """Add the acts that make what was read, and those that spoil it, for who has some nodes.

        Once the former are done, and while the latter are not, what was read is the parity of
        those nodes and of registers that are there.
        """
        waiting = sorted(atom for atom in reading.registers - CERTAIN if atom not in self.nodes)
        seen = set(waiting)
        for atom in waiting:  # which grows
            register = self.registers[atom]
            if register.maker is not None:
                made.update(register.maker.earlier)
            if register.ender is not None:
                spoilt.update(register.ender.later)
            for act, sources in register.flips:
                others = sources - CERTAIN - nodes
                if len(seen) < REACH and all(self.is_there(at, reading.acts) for at in others):
                    waiting += sorted(others - seen)
                    seen |= others
                else:
                    (made if act < reading.acts else spoilt).add(act)

    def is_there(self, atom: int, acts: int) -> bool:
        """Whether a register is one of data that has begun and not ended after so many acts."""
        register = self.registers[atom]
        begun = register.maker is None or register.maker.act < acts
        ended = register.ender is not None and register.ender.act < acts
        return atom not in self.nodes and begun and not ended


def _price(terms: list[Term], feed_forward: bool) -> tuple[int, int]:
    """T gates that a node takes, and ancillas beside its own.

    A Toffoli onto |0> takes 4 T, and any other one 7 unless its product is on an ancilla first.
    """
    products = [term for term in terms if len(term.factors) == 2]
    in_place = bool(products) and products[0].cond < 0
    others = len(products) - in_place
    return 4 * in_place + (4 if feed_forward else 7) * others, int(feed_forward and others > 0)
