"""What a program in the machine style names, before any of it is built.

Jumps lead forward and backward, and a subroutine may stand before the qubits that it works on are
made.  So a program that is more than a straight line is read once for this, and then built.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from qwasmc.diagnostics import Diagnostic, Locations
from qwasmc.grammar.channels import open_channel
from qwasmc.grammar.evaluator import (
    Choice,
    Compare,
    Context,
    LineError,
    Node,
    Unary,
    Variable,
)
from qwasmc.grammar.evaluator import Value as Constant
from qwasmc.grammar.handlers import alloc, service, whole
from qwasmc.grammar.instructions import (
    ANY_REGISTER,
    Builder,
    Instruction,
    Mnemonic,
)
from qwasmc.ir.program import Block


class Survey(Builder):
    """Takes instructions as they come, and builds nothing."""

    branches = True

    def __init__(self, block: Block, context: Context, rows: Mapping[str, Mnemonic]) -> None:
        super().__init__(block, context, rows)
        self.labels: Counter[str] = Counter()
        """How often each label stands somewhere."""
        self.jumps: set[str] = set()
        """Labels that jumps and calls lead to."""
        self.named: dict[str, None] = {}
        """Qubits with a name."""
        self.measured: dict[str, None] = {}
        """Results of measurements: registers, and names."""
        self.written: set[str] = set()
        """Registers that something but a measurement writes."""
        self.read: set[str] = set()
        """Registers that something reads."""
        self.mnemonics: set[str] = set()
        self.size = 0
        """How many qubits QLINIT makes."""

    def is_name(self, word: str) -> bool:
        """Whether a word names a qubit or a bit."""
        return word in self.named or word in self.measured

    def label(self, name: str, loc: int) -> None:
        """A place that jumps may lead to."""
        self.labels[name] += 1

    def finish(self, locations: Locations) -> list[Diagnostic]:
        """There is nothing to end."""
        return []

    def instruction(self, instruction: Instruction) -> None:
        """Note what an instruction names; what is wrong with it is for others to say."""
        name = instruction.name.upper()
        row = self.rows.get(name)
        if row is None:
            return
        self.mnemonics.add(name)
        operands = instruction.operands
        if row.handler is alloc:
            self.named.update(dict.fromkeys(instruction.outputs))
        elif row.handler not in (service, open_channel):
            self.measured.update(dict.fromkeys(instruction.outputs))
        if name == "QLINIT" and operands:
            self._note_size(instruction)
        if row.jumps and operands:
            self.jumps.add(str(operands[-1]))
        self._note_registers(row, instruction)

    def _note_size(self, instruction: Instruction) -> None:
        try:
            self.size = whole(instruction, instruction.operands[0], "operand", 1)
        except LineError:
            return

    def _note_registers(self, row: Mnemonic, instruction: Instruction) -> None:
        operands = instruction.operands
        count = len(operands)
        written = -1 if row.writes is None else row.writes % max(count, 1)
        for index, value in enumerate(operands):
            register = as_register(value)
            if register and index == written:
                self._note_write(row, register)
            # `ADD r0, 1` reads r0 as well.
            if register and (index != written or (_computes(row) and count < row.most)):
                self.read.add(register)
        for value in instruction.named.values():
            self.read.add(as_register(value))
        for condition in (instruction.guard, instruction.predicate):
            self.read.update(as_register(word) for word in _words(condition))

    def _note_write(self, row: Mnemonic, register: str) -> None:
        if row.measures:
            self.measured[register] = None
        elif _computes(row):
            self.written.add(register)


def _computes(row: Mnemonic) -> bool:
    """Whether the register that is written gets a value that this compiler knows."""
    return not row.measures and not row.used


def as_register(value: Constant) -> str:
    """The register that a word names; nothing if it names none."""
    if not isinstance(value, str):
        return ""
    word = value.lower()
    return word if ANY_REGISTER.fullmatch(word) else ""


def _words(node: Node | None) -> Iterator[str]:
    """The words in a condition."""
    waiting = [] if node is None else [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Variable):
            yield node.name
        elif isinstance(node, Unary):
            waiting.append(node.operand)
        elif isinstance(node, Choice | Compare):
            waiting += node.items
