"""The exact distribution of the results of small programs with calls, slots and memory."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from branches import Choices, Improbable, apply, explore
from interpreter import Run
from program_oracle import Machine
from test_ops import X

from qwasmc.ir.program import Op, Program

MAX_QUBITS = 8
"""Most qubits of a run; one that needs more is left out, like one that is improbable."""


class ExactRun(Run):
    """One run, on a state vector."""

    def __init__(self, program: Program, choices: Choices) -> None:
        super().__init__(program, iter(()))
        self.machine = Machine(choices)
        self.results: list[tuple[str, Any]] = []
        self.idle: list[int] = []

    def visible(self, op: Op, operands: list[Any], cond: bool) -> list[Any]:
        if op.name in ("extract", "insert"):
            return super().visible(op, operands, cond)
        attrs = dict(op.attrs or {})
        if op.name.startswith("result"):
            self.results.append((attrs["name"], operands[0]))
            return []
        n = max(op.spec.qubits, 0) or len(operands) * (op.spec.qubits < 0)
        qubits, rest = operands[:n], operands[n:]
        if op.name == "alloc":
            return [self.alloc(op, attrs)]
        if op.name == "free":
            self.free(qubits[0])
            return []
        bit = self.machine.quantum(op, qubits, rest, attrs) if cond else 0
        made = len(op.results) - op.spec.makes_bit
        return [*qubits[:made], *([bit] if op.spec.makes_bit else [])]

    def alloc(self, op: Op, attrs: dict[str, Any]) -> int:
        """A qubit in |0>: one that was freed, else a new one."""
        if self.idle:
            return self.idle.pop()
        if self.machine.qubits == MAX_QUBITS:
            raise Improbable
        self.machine.quantum(op, [], [], attrs)
        return self.machine.qubits - 1

    def free(self, qubit: int) -> None:
        """Measure a qubit, which changes nothing that is seen, and put it into |0>."""
        if self.machine.outcome("Z", [qubit]):
            self.machine.state = apply(self.machine.state, X, [qubit])
        self.idle.append(qubit)

    def compute(self, name: str, attrs: dict[str, Any], operands: list[Any]) -> Any:
        if name == "slot":
            return super().compute(name, attrs, operands)
        return self.machine.classical(name, operands, attrs)


def distribution(program: Program, least: float = 1e-6) -> dict[Hashable, float]:
    """The probability of each list of named results; runs that fail give the reason."""

    def run(choices: Choices) -> Hashable:
        made = ExactRun(program, choices)
        end = made.main()
        return tuple(made.results) if end in ("return", "halt") else end

    return explore(run, least)
