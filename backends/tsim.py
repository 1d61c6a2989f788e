"""The physical circuit as tsim runs it, with true T gates: Stim's text and a bit more.

tsim (Haenel et al., arXiv:2604.01059) reads the tag `T` as what turns S into T, also of a Pauli
product (`SPP[T] Z0*Z1*Z2`), and applies Paulis that depend on records, but nothing else that does.
The correction S of a T gate is made of these.  Where Z stands for the patch's top row and X acts on
one of its qubits,

    T-1 about Z, between two X^u   is T-1 if u = 0 and T if u = 1,

so that, with a T about Z before it, they cancel or make S.  The patch is then measured in Y in
place, as Stim's circuit has it, whatever u: that is X after S.  So every shot counts, at the price
of two T gates more for each.  By the signs of these X, S is S^-1 where the row `fix` asks for
another Pauli: that row is left out, and every result is a parity of records.

Observables are not Stim's: first the flags of distilled states, then every result, random or not.
Corrections are free of noise and depend on records as they are, which nobody has decoded: with
noise, a shot with a detection event may have had a wrong one.
Read by Stim, S for T, the same text is the program's Clifford stand-in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from qwasmc.backends.adaptive import Adapted, Walk
from qwasmc.backends.physical import Physical
from qwasmc.backends.refusals import refusal
from qwasmc.backends.stim.emission import Records, and_row
from qwasmc.backends.stim.merge import logical_support
from qwasmc.backends.stim.parity import ZERO, Node
from qwasmc.diagnostics import CompileError, Kind, error
from qwasmc.ir.surgery import Letter, Row

MAX_STATES = 100
"""Most magic states: the time that a simulator of T gates takes grows exponentially with them."""

MAX_RECORDS = 1 << 24
"""How far Stim can look back."""

_OBSERVABLE = re.compile(r"^OBSERVABLE_INCLUDE.*\n", re.MULTILINE)


def write(physical: Physical) -> Iterator[str]:
    """The circuit as text, piece by piece, under the names of its observables."""
    states = int((physical.surgery.kind == Row.INJECT).sum())
    _check(states, MAX_STATES, "magic states")
    _check(physical.emission.records, MAX_RECORDS, "measurements")
    return _Writer(physical).texts()


def _check(number: int, most: int, what: str) -> None:
    if number > most:
        raise error(
            f"the circuit has {number} {what}; for tsim up to {most} are written",
            kind=Kind.LIMIT,
            help="--emit stim has stand-ins for T gates, and takes any number",
        )


class _Writer:
    """One sweep over the slabs."""

    def __init__(self, physical: Physical) -> None:
        self.physical = physical
        self.surgery = surgery = physical.surgery
        self.walk = Walk(physical)
        self.chip, self.parities = self.walk.state.chip, self.walk.state.parities
        self.node = self.walk.bits()
        """The node of each row's bit."""
        self.fix: dict[int, int] = {}
        """The fix row that goes with each adapt row: they read the same bit."""
        adapts = {surgery.operands(row)[0]: row for row in self._rows(Row.ADAPT)}
        for row in self._rows(Row.FIX):
            self.fix[adapts.get(surgery.operands(row)[0], row)] = row

    def texts(self) -> Iterator[str]:
        """The text, piece by piece."""
        observables = self._observables()
        yield f"# {self.physical.title}\n"
        for number, name in enumerate(observables):
            yield f"# observable {number}: {name}\n"
        fragments = (_OBSERVABLE.sub("", text) for text in self.physical.fragments())
        yield next(fragments)
        for piece, text in zip(self.walk.pieces, fragments, strict=False):
            for each in piece.adapted:
                yield self._correction(each, piece.start)
            yield text
        yield "MPAD 1\n"
        for number, parity in enumerate(observables.values()):
            yield self._observable(number, parity)

    def _rows(self, kind: Row) -> list[int]:
        rows: list[int] = np.flatnonzero(self.surgery.kind == kind).tolist()
        return rows

    # -- bits --------------------------------------------------------------------------------------

    def _parity(self, row: int, *nodes: Node) -> Records:
        """The XOR of nodes as records, with the corrections as they are made here."""
        leaves, constant = self.parities.expand(self.parities.add(nodes))
        rows = {and_row(leaf) for leaf in leaves if leaf < 0}
        adapts = [each for each in rows if self.surgery.kind[each] == Row.ADAPT]
        if rows != {*adapts, *(self.fix[each] for each in adapts if each in self.fix)}:
            raise self._refusal(row, "this depends on a conjunction of outcomes, not on a parity")
        in_y = self.parities.add(tuple(self.walk.state.nodes[each] for each in sorted(adapts)))
        more, flip = self.parities.expand(in_y)
        records = {leaf for leaf in leaves if leaf >= 0} ^ set(more)
        return Records(sorted(records), constant ^ flip)

    def _refusal(self, row: int, message: str) -> CompileError:
        """What tsim cannot do, at the location of a row."""
        help = "tsim has Paulis that depend on parities of earlier records, and nothing else"
        return refusal(self.surgery.locations, message, int(self.surgery.loc[row]), help)

    def _observables(self) -> dict[str, Records]:
        """By name, flags first."""
        surgery = self.surgery
        return {
            surgery.names[int(surgery.aux[row])]: self._parity(
                row, *(self.node[bit] for bit in surgery.operands(row))
            )
            for row in (*self.walk.flags(), *self._rows(Row.RESULT))
        }

    def _observable(self, number: int, parity: Records) -> str:
        """An observable; behind all records there is one that is always 1."""
        end = self.walk.state.records
        records = [*parity.records, *[end] * parity.constant]
        recs = "".join(f" rec[{record - end - 1}]" for record in records)
        return f"OBSERVABLE_INCLUDE({number}){recs}\n"

    # -- corrections -------------------------------------------------------------------------------

    def _correction(self, adapted: Adapted, start: int) -> str:
        """S on a patch, or S^-1, if its bit is 1: what comes before its slab, whose records begin
        at `start`."""
        row, _, sign_z = adapted
        due = self.node[self.surgery.operands(row)[0]]
        other = ZERO
        if row in self.fix:
            other = self.node[self.surgery.operands(self.fix[row])[1]]
        first, between, last = (
            self._parity(row, *nodes) for nodes in ((other, sign_z), (due,), (due, other, sign_z))
        )
        if max([-1, *first.records, *between.records]) >= start:
            raise self._refusal(row, "this depends on an outcome that is not known when it begins")
        sites = logical_support(self.chip.distance, Letter.Z)
        qubits = self.chip.data(self.surgery.tile(row), sites).tolist()
        z = "*".join(f"Z{qubit}" for qubit in qubits)
        flips = [_flip(parity, qubits[0], start) for parity in (first, between, last)]
        return f"{flips[0]}SPP[T] {z}\n{flips[1]}SPP_DAG[T] {z}\n{flips[2]}"


def _flip(parity: Records, qubit: int, end: int) -> str:
    """X on a qubit if a parity of records, which is asked for at record `end`, is 1."""
    pairs = " ".join(f"rec[{record - end}] {qubit}" for record in parity.records)
    text = f"CX {pairs}\n" if pairs else ""
    return f"X {qubit}\n{text}" if parity.constant else text
