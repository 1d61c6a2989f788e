"""An exact interpreter of small Programs, written down from what the rows of the op table say."""

from __future__ import annotations

import math
from collections.abc import Hashable

import numpy as np
from branches import Choices, apply, explore, measure
from test_ops import MATRIX, X, Y, Z

from qwasmc.ir.program import Op, Program, Value
from qwasmc.ops import Type
from qwasmc.scalars import (
    FLOAT,
    FLOAT_PREDICATES,
    INTEGER,
    INTEGER_PREDICATES,
    signed,
    to_integer,
    unsigned,
)

MAX_STEPS = 20_000
PAULI = {"X": X, "Y": Y, "Z": Z}
H = MATRIX["h"](0)
TO_Z = {"X": H, "Y": H @ MATRIX["sdg"](0), "Z": np.eye(2)}
"""By letter, the gate that turns its measurement into one of Z."""
MEASURED = {"measure_x": "X", "measure_y": "Y", "measure_z": "Z"}


class Machine:
    """One run.  In an open one, each named qubit starts entangled with one axis of its own."""

    def __init__(self, choices: Choices, opened: bool = False) -> None:
        self.choices = choices
        self.opened = opened
        self.state = np.ones((), dtype=complex)
        self.values: dict[Value, int | float] = {}
        """Of a qubit, the number in order of allocation."""
        self.slots: dict[int, int] = {}
        self.memory: dict[tuple[str, int], int | float] = {}
        self.results: list[tuple[str, int | float]] = []
        self.qubits = 0
        self.freed: list[int] = []
        self.controls: list[list[int]] = []
        """The axes of the controls of open regions."""

    def axes(self, qubits: list[int]) -> list[int]:
        return [2 * qubit for qubit in qubits] if self.opened else qubits

    def run(self, program: Program) -> None:
        block, steps = program.main.blocks[0], 0
        while True:
            for op in block.ops:
                steps += 1
                assert steps < MAX_STEPS
                if op.name == "return":
                    return
                if op.spec.ends_block:
                    taken = 0 if op.name == "br" or self.values[op.operands[0]] else 1
                    target = op.targets[taken]
                    args = [self.values[value] for value in target.args]
                    self.values.update(zip(target.block.args, args, strict=True))
                    block = target.block
                    break
                self.step(op)

    def step(self, op: Op) -> None:
        operands = [self.values[value] for value in op.operands]
        n = sum(value.type is Type.QUBIT for value in op.operands)
        qubits, rest = [int(q) for q in operands[:n]], operands[n:]
        made = sum(value.type is Type.QUBIT for value in op.results)
        if made == n:
            self.values.update(zip(op.results, qubits, strict=False))
        runs = op.cond is None or self.values[op.cond]
        attrs = op.attrs or {}
        if op.name == "ctrl_begin":
            self.controls.append(self.axes(qubits))
        elif op.name == "ctrl_end":
            self.controls.pop()
        elif n or op.spec.makes_qubit:
            before = self.state
            bit = self.quantum(op, qubits, rest, attrs) if runs else 0
            if op.spec.is_gate:
                self.leave_uncontrolled(before)
            if op.spec.makes_bit:
                self.values[op.results[-1]] = bit
        else:
            value = self.classical(op.name, rest, attrs)
            if op.results:
                self.values[op.results[0]] = value

    def quantum(self, op: Op, qubits: list[int], rest: list, attrs: dict) -> int:
        axes = self.axes(qubits)
        angle = rest[0] if rest else attrs.get("angle", 0.0)
        if op.name in MATRIX and op.name != "ppr":
            self.state = apply(self.state, MATRIX[op.name](angle), axes)
        elif op.name == "ppr":
            turned = self.state
            for letter, axis in zip(attrs["paulis"], axes, strict=True):
                turned = apply(turned, PAULI[letter], [axis])
            self.state = math.cos(angle / 2) * self.state - 1j * math.sin(angle / 2) * turned
        elif op.name in MEASURED or op.name == "ppm":
            return self.outcome(attrs.get("paulis") or MEASURED[op.name], axes)
        elif op.name == "reset":
            if self.outcome("Z", axes):
                self.state = apply(self.state, X, axes)
        elif op.name == "alloc":
            self.values[op.results[0]] = self.qubits
            self.qubits += 1
            fresh = np.diag([1, bool(attrs["name"])]) if self.opened else np.array([1, 0])
            self.state = np.multiply.outer(self.state, fresh)
        elif op.name == "free":
            if self.opened:
                assert np.allclose(np.take(self.state, 1, axes[0]), 0), "not |0> at its end"
                self.freed.append(qubits[0])
        elif op.name == "extract":
            self.values[op.results[0]] = self.slots.pop(rest[0])
        elif op.name == "insert":
            assert rest[0] not in self.slots
            self.slots[rest[0]] = qubits[0]
        else:
            assert op.name == "barrier", op.name
        return 0

    def leave_uncontrolled(self, before: np.ndarray) -> None:
        """Take the last gate back where a control is 0; no gate changes controls."""
        for axis in (axis for controls in self.controls for axis in controls):
            part = (slice(None),) * axis + (0,)
            self.state[part] = before[part]

    def outcome(self, letters: str, axes: list[int]) -> int:
        """Measure a Pauli product: gather its parity on the last qubit."""
        last = axes[-1]
        gates = [(TO_Z[letter], [axis]) for letter, axis in zip(letters, axes, strict=True)]
        gates += [(MATRIX["cx"](0), [axis, last]) for axis in axes[:-1]]
        for matrix, on in gates:
            self.state = apply(self.state, matrix, on)
        outcome, self.state = measure(self.state, last, self.choices)
        for matrix, on in reversed(gates):
            self.state = apply(self.state, matrix.conj().T, on)
        return outcome

    def classical(self, name: str, args: list, attrs: dict) -> int | float:
        if name in ("const", "const_i64", "const_f64"):
            (value,) = attrs.values()
            return value
        if name in INTEGER:
            return INTEGER[name](*args)
        if name in FLOAT:
            return FLOAT[name](*args)
        if name.startswith("result"):
            self.results.append((attrs["name"], args[0]))
            return 0
        if name.startswith("store"):
            self.memory[attrs["space"], args[1]] = args[0]
            return 0
        if name.startswith("load"):
            return self.memory[attrs["space"], args[0]]
        if name.startswith("select"):
            return args[1] if args[0] else args[2]
        table = {
            "xor": lambda *bits: sum(bits) % 2,
            "and": lambda *bits: int(all(bits)),
            "cmpi": lambda a, b: int(INTEGER_PREDICATES[attrs["predicate"]](a, b)),
            "cmpf": lambda a, b: int(FLOAT_PREDICATES[attrs["predicate"]](a, b)),
            "extui": lambda a: a,
            "trunci": lambda a: a & 1,
            "extsi": lambda a: signed(a, attrs["bits"]),
            "sitofp": float,
            "uitofp": lambda a: float(unsigned(a)),
            "fptosi": to_integer,
            "fptoui": to_integer,
        }
        return table[name](*args)


def distribution(program: Program, least: float = 1e-6) -> dict[Hashable, float]:
    """The probability of each list of named results."""

    def run(choices: Choices) -> Hashable:
        machine = Machine(choices)
        machine.run(program)
        return tuple(machine.results)

    return explore(run, least)


def unitary(program: Program) -> np.ndarray:
    """The matrix of a program of gates; the first qubit is the most significant bit.

    Qubits that it frees must be |0> then, and are not part of the matrix.
    """
    machine = Machine(Choices([], 0.0), opened=True)
    machine.run(program)
    gone = {axis for qubit in machine.freed for axis in (2 * qubit, 2 * qubit + 1)}
    state = machine.state[
        tuple(0 if axis in gone else slice(None) for axis in range(machine.state.ndim))
    ]
    n = state.ndim // 2
    order = [*range(0, 2 * n, 2), *range(1, 2 * n, 2)]
    return np.transpose(state, order).reshape(2**n, 2**n)
