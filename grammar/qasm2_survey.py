"""A light look at a text in OpenQASM 2 before Qiskit's parser gets it.

It counts what each statement becomes: an operation on whole registers is one for each of their
elements.  That gives Qiskit's instructions, which have no positions, the positions of their
statements, and it bounds their number before there are any.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from qwasmc.diagnostics import Kind
from qwasmc.grammar.from_qiskit import MAX_BITS, MAX_OPERATIONS
from qwasmc.grammar.qasm_text import Text, statements

MAX_GATES = 4096
"""Definitions of gates: Qiskit's memory for them grows with the square of their number."""

_WORD = re.compile(r"[A-Za-z_]\w*")
_REGISTER = re.compile(r"[qc]reg\s+(\w+)\s*\[\s*(\d+)\s*\]")
_CONDITION = re.compile(r"if\s*\([^)]*\)\s*")
_DEFINITION = re.compile(r"gate\s+(\w+)[^{]*\{(.*)", re.DOTALL)
_LARGE = re.compile(r"\[\s*(\d{10,})")
_NOT_APPLIED = frozenset({"OPENQASM", "include", "opaque"})


@dataclass(slots=True)
class Survey:
    """What was found in a text."""

    text: Text
    instructions: list[int] = field(default_factory=list)
    """Positions of Qiskit's instructions."""
    qubits: list[int] = field(default_factory=list)
    """Positions of the declarations of the qubits."""
    sizes: dict[str, int] = field(default_factory=dict)
    """Operations that a gate of the program consists of."""
    _registers: dict[str, int] = field(default_factory=dict)
    _clbits: int = 0
    _operations: int = 0

    def run(self) -> Survey:
        """Look at every statement."""
        if large := _LARGE.search(self.text.text):
            raise self.text.error("this number is too large", *large.span(1), Kind.LIMIT)
        if self.text.text.count(";") > MAX_OPERATIONS:
            raise self._limit(f"a program may have {MAX_OPERATIONS:,} statements", 0, ";")
        for at, statement in statements(self.text.text):
            self.text.check(at, statement)
            word = _WORD.match(statement)
            name = word[0] if word else ""
            if name in ("qreg", "creg"):
                self._declare(at, statement)
            elif name == "gate":
                self._define(at, statement)
            elif name not in _NOT_APPLIED:
                self._apply(at, statement)
        return self

    def _limit(self, message: str, at: int, statement: str) -> Exception:
        end = at + len(statement)
        return self.text.error(f"limit passed: {message}", at, end, Kind.LIMIT)

    def _declare(self, at: int, statement: str) -> None:
        found = _REGISTER.match(statement)
        if found is None:
            return  # Qiskit's parser says what is wrong
        size = int(found[2])
        self._registers[found[1]] = size
        before = len(self.qubits) if statement[0] == "q" else self._clbits
        if before + size > MAX_BITS:
            kind = "qubits" if statement[0] == "q" else "clbits"
            raise self._limit(f"a program may have {MAX_BITS:,} {kind}", at, statement)
        if statement[0] == "q":
            self.qubits += [self.text.position(at, at + len(statement))] * size
        else:
            self._clbits += size

    def _define(self, at: int, statement: str) -> None:
        found = _DEFINITION.match(statement)
        if found is None:
            return
        if len(self.sizes) == MAX_GATES:
            raise self._limit(f"a program may define {MAX_GATES:,} gates", at, statement)
        words = (_WORD.search(part) for part in found[2].split(";"))
        self.sizes[found[1]] = sum(self.sizes.get(word[0], 1) for word in words if word) + 1

    def _apply(self, at: int, statement: str) -> None:
        applied = statement
        if condition := _CONDITION.match(statement):
            applied = statement[condition.end() :]
        word = _WORD.match(applied)
        name = word[0] if word else ""
        count = 1 if name == "barrier" else self._count(applied[len(name) :])
        self._operations += count * self.sizes.get(name, 1)
        if self._operations > MAX_OPERATIONS:
            raise self._limit(f"a program may have {MAX_OPERATIONS:,} operations", at, statement)
        loc = self.text.position(at, at + len(statement))
        self.instructions += [loc] * count

    def _count(self, operands: str) -> int:
        """How many operations there are on these operands."""
        operands = operands[operands.rfind(")") + 1 :].replace("->", ",")
        if operands.count("[") > operands.count(","):
            return 1  # every operand is one element
        whole = [name.strip() for name in operands.split(",") if "[" not in name]
        return max((self._registers.get(name, 1) for name in whole), default=1)
