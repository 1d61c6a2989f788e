"""Which qubit each qubit value of a function is.

    %q = alloc "a"             qubit 0
    insert %q, 5               slot 5 holds qubit 0
    br ^loop
  ^loop:                       slot 5 holds qubit 0, on every way here
    %r = extract 5             qubit 0

A qubit that was freed is used again, after a reset.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import NamedTuple

from qwasmc.backends.refusals import refusal
from qwasmc.backends.structured.constants import Constants
from qwasmc.diagnostics import CompileError, Locations
from qwasmc.ir.program import Block, Op, Value
from qwasmc.ops import Type


class State(NamedTuple):
    """Where qubits are when a block begins: by slot, and as arguments of the block."""

    slots: dict[int, int]
    args: tuple[int, ...]


@dataclass(slots=True)
class Qubits:
    """`names` are those of the qubits, `number` says which one a value is."""

    names: list[str] = field(default_factory=list)
    number: dict[Value, int] = field(default_factory=dict)
    renewed: set[Op] = field(default_factory=set)
    """The `alloc`s of qubits that may have been used before."""


def qubits(
    order: Sequence[Block], constants: Constants, looping: set[Block], locations: Locations
) -> Qubits:
    """Follow qubits through a function.

    In `order`, each block comes after those that lead to it, but for ways back; `looping` are the
    blocks that may run again.  Raises CompileError where the number of a slot is not constant, or
    where two ways to a block leave different qubits in one place.
    """
    walk = _Walk(constants, looping, locations)
    walk.run(order)
    return walk.found


class _Walk:
    def __init__(self, constants: Constants, looping: set[Block], locations: Locations) -> None:
        self.constants = constants
        self.looping = looping
        self.locations = locations
        self.found = Qubits()
        self.states: dict[Block, State] = {}
        self.slots: dict[int, int] = {}
        self.idle: list[int] = []
        """A heap of the qubits that nothing uses any more."""
        self.outputs: set[int] = set()
        """Qubits that have left, and so keep their states."""

    def run(self, order: Sequence[Block]) -> None:
        self.states[order[0]] = State({}, ())
        done: set[Block] = set()
        for block in order:
            self.block(block)
            done.add(block)
            for target in self.constants.targets(block.ops[-1]):
                held = [value for value in target.args if value.type is Type.QUBIT]
                args = tuple(self.found.number[value] for value in held)
                self.arrive(target.block, State(self.slots, args), block.ops[-1], done)

    def arrive(self, block: Block, state: State, op: Op, done: set[Block]) -> None:
        """Note where qubits are on one way to a block.

        A slot that is full on some ways only is one that nothing can use after them.
        """
        known = self.states.setdefault(block, state)
        if known == state:
            return
        kept = {slot: qubit for slot, qubit in known.slots.items() if slot in state.slots}
        same = all(state.slots[slot] == qubit for slot, qubit in kept.items())
        if known.args != state.args or not same or (block in done and kept != known.slots):
            message = "qubits are in different places on the ways to one point"
            raise refusal(self.locations, message, op.loc)
        if block not in done:
            self.states[block] = State(kept, known.args)

    def block(self, block: Block) -> None:
        state = self.states[block]
        self.slots = dict(state.slots)
        in_use = {*state.slots.values(), *state.args, *self.outputs}
        self.idle = [at for at in range(len(self.found.names)) if at not in in_use]
        args = [arg for arg in block.args if arg.type is Type.QUBIT]
        self.found.number.update(zip(args, state.args, strict=True))
        for op in block.ops:
            self.step(op, block)

    def step(self, op: Op, block: Block) -> None:
        number = self.found.number
        if op.name == "extract":
            number[op.results[0]] = self.extract(op)
        elif op.name == "insert":
            slot = self.slot(op, op.operands[1])
            if slot in self.slots:
                raise self.fault(f"there is a qubit {slot} already", op)
            self.slots[slot] = number[op.operands[0]]
        elif op.spec.makes_qubit:
            number[op.results[0]] = self.alloc(op, block)
        elif op.name == "output":
            self.outputs.add(number[op.operands[0]])
        elif op.name == "free":
            heappush(self.idle, number[op.operands[0]])
        else:
            taken = [value for value in op.operands if value.type is Type.QUBIT]
            made = [value for value in op.results if value.type is Type.QUBIT]
            for before, after in zip(taken, made, strict=False):
                number[after] = number[before]

    def slot(self, op: Op, value: Value) -> int:
        """The number of a slot."""
        if value not in self.constants.values:
            message = "the number of a qubit is computed when the program runs"
            help = "-O1 unrolls loops that end without measuring"
            raise refusal(self.locations, message, op.loc, help)
        return int(self.constants.values[value])

    def extract(self, op: Op) -> int:
        slot = self.slot(op, op.operands[0])
        if slot not in self.slots:
            raise self.fault(f"there is no qubit {slot} here", op)
        return self.slots.pop(slot)

    def alloc(self, op: Op, block: Block) -> int:
        """A new qubit, or one that nothing uses any more; an input has a state of its own."""
        if op.name == "alloc" and self.idle:
            self.found.renewed.add(op)
            return heappop(self.idle)
        if op.name == "alloc" and block in self.looping:
            self.found.renewed.add(op)
        names = self.found.names
        names.append(str((op.attrs or {}).get("name", "")))
        return len(names) - 1

    def fault(self, message: str, op: Op) -> CompileError:
        """An error of the program."""
        return CompileError(self.locations.diagnostic(message, op.loc))
