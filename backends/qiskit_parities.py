"""Bits of a surgery program as bits of a Qiskit circuit, stored when they are asked for.

A node of `parity.Parities` is stored once, as the XOR of older nodes and of measured bits, so that
all of them together take time linear in the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce

from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, Clbit, Store
from qiskit.circuit.classical import expr

from qwasmc.backends.adaptive import Walk
from qwasmc.backends.stim.emission import and_row
from qwasmc.backends.stim.parity import ZERO, Node
from qwasmc.diagnostics import CompileError
from qwasmc.ir.surgery import Row

MAX_TERMS = 16
"""Most bits in one expression; a longer parity is stored step by step."""


class StoredBits:
    """The bits of a circuit that hold nodes, and those that hold records."""

    def __init__(self, walk: Walk, node: dict[int, Node]) -> None:
        """`node` is what `walk.bits` gave."""
        self.surgery, self.parities, self.node = walk.surgery, walk.state.parities, node
        self.place: dict[int, Clbit] = {}
        """The bit of each record so far."""
        self.bit: dict[Node, Clbit] = {}
        """The bit of each node so far."""

    def start(self, circuit: QuantumCircuit, free: Iterator[Clbit]) -> None:
        """Store into the next ones of `free` from now on."""
        self.circuit, self.free = circuit, free

    def missing(self, roots: Iterable[Node]) -> list[Node]:
        """The nodes that have to be stored before some are, and these, in order."""
        stack = [node for node in dict.fromkeys(roots) if node not in self.bit]
        seen = set(stack)
        while stack:
            for child in self._operands(stack.pop()):
                if child not in self.bit and child not in seen:
                    seen.add(child)
                    stack.append(child)
        return sorted(seen)

    def _operands(self, node: Node) -> list[Node]:
        """The nodes that a node is computed from."""
        row = self._leaf(node)
        if row is None:
            children, _, _ = self.parities.parts(node)
            return [child for child in children if child != ZERO]
        adaptive = self.surgery.kind[row] == Row.ADAPT
        return [] if adaptive else [self.node[bit] for bit in self.surgery.operands(row)]

    def _leaf(self, node: Node) -> int | None:
        """The row of a node that is a leaf."""
        _, records, _ = self.parities.parts(node)
        return and_row(records[0]) if records and records[0] < 0 else None

    def store(self, roots: Iterable[Node], row: int) -> None:
        """Compute some nodes, for a row."""
        for node in self.missing(roots):
            terms = [self.bit[operand] for operand in self._operands(node)]
            leaf = self._leaf(node)
            if leaf is None:
                _, records, constant = self.parities.parts(node)
                terms += [self._measured(record, row) for record in records]
                self.bit[node] = self._parity(terms, constant)
            elif self.surgery.kind[leaf] == Row.ADAPT:
                raise self._too_early(row)
            else:
                self.bit[node] = self.stored(_joined(expr.bit_and, terms, empty=True))

    def _measured(self, record: int, row: int) -> Clbit:
        """The bit of a record."""
        if record not in self.place:
            raise self._too_early(row)
        return self.place[record]

    def _too_early(self, row: int) -> CompileError:
        message = "this depends on an outcome that is not known when its slab begins"
        locations = self.surgery.locations
        return CompileError(locations.diagnostic(message, int(self.surgery.loc[row])))

    def _parity(self, terms: Sequence[Clbit], constant: int) -> Clbit:
        """A bit that holds the parity of others."""
        start = _joined(expr.bit_xor, terms[:MAX_TERMS], empty=False)
        bit = self.stored(expr.logic_not(start) if constant else start)
        for at in range(MAX_TERMS, len(terms), MAX_TERMS):
            more = [bit, *terms[at : at + MAX_TERMS]]
            self.write(bit, _joined(expr.bit_xor, more, empty=False))
        return bit

    def stored(self, value: expr.Expr) -> Clbit:
        """A bit that holds a value."""
        bit = next(self.free)
        self.write(bit, value)
        return bit

    def write(self, bit: Clbit, value: expr.Expr) -> None:
        """Append a store.  `QuantumCircuit.store` goes through all bits for each in the value."""
        self.circuit.data.append(CircuitInstruction(Store(expr.lift(bit), value)))


def _joined(
    join: Callable[[expr.Expr, Clbit], expr.Expr], terms: Sequence[Clbit], *, empty: bool
) -> expr.Expr:
    """The parity or conjunction of bits; `empty` is that of none."""
    return reduce(join, terms[1:], expr.lift(terms[0] if terms else empty))
