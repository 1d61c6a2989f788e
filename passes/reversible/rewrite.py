"""A region written in the order of a plan.

    COMPUTE v       alloc v; ccx a, b, v; cx c, v          v = ab + c
    GHOST v         m = measure_x v; free v
    REPAIR v        z c if m; cz a, b if m
    UNDO v          GHOST and REPAIR; without feed-forward, what computes it in reverse
    ACT             z on a + v:  cx a, v; z v; cx a, v

Factors that are no wire's value are made so by CNOTs, which are undone at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from qwasmc.ir.wires import WireBuilder
from qwasmc.ops import BY_NAME
from qwasmc.passes.pebbling.game import Move, Step
from qwasmc.passes.reversible.forms import CERTAIN, NOTHING, ONE, Form, Places, Term
from qwasmc.passes.reversible.nodes import Deed, Network, Node

NOWHERE = -2
"""The first register, and those below, of forms that need one of their own for a moment."""


def rewrite(
    network: Network, steps: Iterable[Step], builder: WireBuilder, feed_forward: bool
) -> None:
    """Append the rows of a region in the order of steps that win its game."""
    writer = _Writer(network, builder, feed_forward)
    for step in steps:
        writer.step(step)


class _Writer:
    def __init__(self, network: Network, builder: WireBuilder, feed_forward: bool) -> None:
        self.network = network
        self.builder = builder
        self.feed_forward = feed_forward
        self.places = Places()
        self.home: dict[int, int] = {}
        """By register, its wire, while it has one."""
        self.ghosts: dict[int, list[int]] = {}
        """By node, outcomes that a phase is due for."""
        self.loc = -1
        for atom, register in enumerate(network.registers):
            self.places.add(atom)
            if register.maker is None and atom not in network.nodes:
                self.home[atom] = register.wire

    def step(self, step: Step) -> None:
        """Append the rows of a step."""
        if step.move == Move.ACT:
            deed = self.network.deeds[step.index]
            self.loc = int(self.network.wired.loc[deed.row.at])
            self.act(deed)
            return
        atom = self.network.used[step.index]
        node = self.network.nodes[atom]
        self.loc = int(self.network.wired.loc[node.row])
        if step.move == Move.COMPUTE:
            self.home[atom] = self.builder.alloc(self.loc)
            self.compute(node, self.home[atom])
        elif step.move == Move.REPAIR:
            self.repair(atom, node)
        elif self.feed_forward:
            self.ghosts.setdefault(atom, []).append(self.erase(self.home.pop(atom)))
            if step.move == Move.UNDO:
                self.repair(atom, node)
        else:
            self.compute(node, self.home[atom], reverse=True)
            self.builder.gate("free", self.home.pop(atom), loc=self.loc)

    # -- nodes

    def compute(self, node: Node, wire: int, *, reverse: bool = False) -> None:
        """Add a node to a wire: its terms first, so that a Toffoli is onto |0>."""
        parts = [(term, at == 0) for at, term in enumerate(node.terms)]
        if reverse:
            self.flip(wire, node.form)
        for term, first in reversed(parts) if reverse else parts:
            if len(term.factors) < 2:
                self.flip(wire, term.form, term.cond)
            elif self.feed_forward and not (first and term.cond < 0):
                self.add_product(term, wire)
            else:
                with self.brought(term.factors) as wires:
                    self.gate("ccx", *wires, wire, cond=term.cond)
        if not reverse:
            self.flip(wire, node.form)

    def add_product(self, term: Term, wire: int) -> None:
        """Add a product to a wire by way of an ancilla that is measured."""
        with self.brought(term.factors) as wires:
            ancilla = self.builder.alloc(self.loc)
            self.gate("ccx", *wires, ancilla)
            self.gate("cx", ancilla, wire, cond=term.cond)
            self.gate("cz", *wires, cond=self.erase(ancilla))

    def erase(self, wire: int) -> int:
        """Measure an ancilla away; the outcome says if its value's phase is due."""
        outcome = self.builder.measure("measure_x", wire)
        self.builder.gate("free", wire, loc=self.loc)
        return outcome

    def repair(self, atom: int, node: Node) -> None:
        """Pay all phases that are due for a node."""
        outcomes = self.ghosts.pop(atom)
        due = outcomes[0]
        if len(outcomes) > 1:
            due = self.builder.combine("xor", outcomes, self.loc)
        self.turn(node.form, due)
        for term in node.terms:
            cond = due
            if term.cond >= 0:
                cond = self.builder.combine("and", [due, term.cond], self.loc)
            if len(term.factors) < 2:
                self.turn(term.form, cond)
                continue
            with self.brought(term.factors) as wires:
                self.gate("cz", *wires, cond=cond)

    # -- acts

    def act(self, deed: Deed) -> None:
        """Append a row that is kept, on the values that it reads."""
        row, wired = deed.row, self.network.wired
        registers = [self.places.find(form) for form in deed.forms]
        if row.name == "cx":
            self.flip(row.wires[-1], deed.forms[0], row.cond)
        elif row.name == "z":
            self.turn(deed.forms[0], row.cond)
        elif deed.forms:
            flipped = row.wires[len(deed.forms) :]
            with self.brought(deed.forms, row.wires) as wires:
                if BY_NAME[row.name].is_gate:
                    angle = float(wired.angle[row.at])
                    self.gate(row.name, *wires, *flipped, cond=row.cond, angle=angle)
                else:
                    self.builder.copy(wired, row.at)
        elif row.name == "barrier":
            self.barrier(row.wires)
        elif row.whole:
            self.builder.copy(wired, row.at)
        else:
            self.gate(row.name, *row.wires, cond=row.cond)
        if deed.flips >= 0:
            self.places.flip(deed.flips, registers[0] if registers else CERTAIN)
        if deed.exchanges:
            one, other = deed.exchanges
            self.home[one], self.home[other] = self.home[other], self.home[one]
        for register in deed.ends:
            self.home.pop(register, None)
        for register in deed.makes:
            self.home[register] = self.network.registers[register].wire

    def barrier(self, wires: Sequence[int]) -> None:
        """Append a barrier on wires that are no scratch."""
        data = [wire for wire in wires if wire not in self.network.region.scratch]
        if data:
            self.gate("barrier", *data)

    # -- forms

    def gate(self, name: str, *wires: int, cond: int = -1, angle: float = 0.0) -> None:
        """Append a gate."""
        self.builder.gate(name, *wires, cond=cond, angle=angle, loc=self.loc)

    def flip(self, wire: int, form: Form, cond: int = -1) -> None:
        """Flip a wire, which has no part in a form, by that."""
        registers = self.places.find(form)
        for register in sorted(registers - CERTAIN):
            self.gate("cx", self.home[register], wire, cond=cond)
        if ONE in registers:
            self.gate("x", wire, cond=cond)

    def turn(self, form: Form, cond: int) -> None:
        """Z on a form."""
        for register in sorted(self.places.find(form) - CERTAIN):
            self.gate("z", self.home[register], cond=cond)

    @contextmanager
    def brought(self, forms: Sequence[Form], near: Sequence[int] = ()) -> Iterator[list[int]]:
        """Wires that have some forms inside, if possible those that are `near`."""
        registers = [self.places.find(form) for form in forms]
        pivots: list[int] = []
        for at, found in enumerate(registers):
            others = NOTHING.union(*registers[at + 1 :])
            pivot = min(
                found - CERTAIN - set(pivots),
                key=lambda atom: (self.home[atom] not in near, atom in others, atom),
                default=NOWHERE - at,
            )
            pivots.append(pivot)
            if pivot <= NOWHERE:  # all of its registers are taken
                self.home[pivot] = self.builder.alloc(self.loc)
            self.move(pivot, found)
            for later in range(at + 1, len(forms)):
                if pivot in registers[later]:
                    registers[later] ^= found - {pivot}
        yield [self.home[pivot] for pivot in pivots]
        for pivot, found in zip(reversed(pivots), reversed(registers), strict=True):
            self.move(pivot, found)
            if pivot <= NOWHERE:
                self.gate("free", self.home.pop(pivot))

    def move(self, pivot: int, registers: Form) -> None:
        """Add to a register all others of some, by CNOTs and perhaps an X."""
        for source in sorted(registers - CERTAIN - {pivot}):
            self.gate("cx", self.home[source], self.home[pivot])
        if ONE in registers:
            self.gate("x", self.home[pivot])
