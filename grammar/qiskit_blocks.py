"""What the bodies of control flow need: whose bits they act on, and where they lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qiskit.circuit import QuantumCircuit, Qubit

from qwasmc.grammar.qiskit_expressions import Bits
from qwasmc.grammar.qiskit_survey import inner_bits
from qwasmc.ir.builder import FunctionBuilder
from qwasmc.ir.program import Block


@dataclass(frozen=True, slots=True)
class Scope:
    """The numbers of the qubits and clbits that a circuit sees."""

    wires: dict[Qubit, int]
    bits: Bits

    def inner(self, body: QuantumCircuit, inst: Any) -> Scope:
        """The scope of a body that is run on the qubits and clbits of an instruction."""
        wires = {
            inner: self.wires[outer] for inner, outer in zip(body.qubits, inst.qubits, strict=True)
        }
        return Scope(wires, inner_bits(body, inst.clbits, self.bits))


class Label:
    """A place to go to; there is a block only if something goes there."""

    def __init__(self, build: FunctionBuilder) -> None:
        self.build = build
        self._block: Block | None = None

    @property
    def block(self) -> Block:
        """The block; asking for it makes it one that something goes to."""
        if self._block is None:
            self._block = self.build.new_block()
        return self._block

    def go(self) -> None:
        """End the block here, unless it has ended."""
        if not self.build.ended:
            self.build.br(self.block)

    def here(self) -> None:
        """What follows is at this place."""
        if self._block is not None:
            self.go()
            self.build.enter(self._block)


@dataclass(frozen=True, slots=True)
class Loop:
    """Where `continue` and `break` lead."""

    following: Label
    after: Label
