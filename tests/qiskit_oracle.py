"""An exact interpreter of small Qiskit circuits, from what Qiskit's documentation says.

Gates are Qiskit's own matrices, expressions are computed with Python's numbers.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
from branches import Choices, apply, explore, measure
from qiskit.circuit import ClassicalRegister, Clbit, QuantumCircuit, Qubit
from qiskit.circuit.classical import expr, types
from qiskit.circuit.controlflow import CASE_DEFAULT
from qiskit.quantum_info import Operator

X = np.array([[0, 1], [1, 0]])
OP = expr.Binary.Op


class Break(Exception):
    pass


class Continue(Exception):
    pass


class Run:
    """One run of a circuit."""

    def __init__(self, circuit: QuantumCircuit, choices: Choices) -> None:
        self.choices = choices
        self.state = np.zeros((2,) * circuit.num_qubits, dtype=complex)
        self.state.flat[0] = 1
        self.clbits = [0] * circuit.num_clbits
        self.vars: dict[expr.Var, Any] = {}
        wires = {qubit: at for at, qubit in enumerate(circuit.qubits)}
        bits = {clbit: at for at, clbit in enumerate(circuit.clbits)}
        self.block(circuit, wires, bits)

    def block(self, circuit: QuantumCircuit, wires: dict[Qubit, int], bits: dict) -> None:
        for inst in circuit.data:
            self.bits = bits
            self.step(inst, wires, bits)

    def inner(self, inst: Any, body: QuantumCircuit, wires: dict, bits: dict) -> None:
        inner_wires = dict(zip(body.qubits, [wires[q] for q in inst.qubits], strict=True))
        inner_bits = dict(zip(body.clbits, [bits[c] for c in inst.clbits], strict=True))
        self.block(body, inner_wires, inner_bits)

    def step(self, inst: Any, wires: dict, bits: dict) -> None:
        operation = inst.operation
        axes = [wires[qubit] for qubit in inst.qubits]
        if inst.name == "measure":
            (clbit,) = inst.clbits
            self.clbits[bits[clbit]], self.state = measure(self.state, axes[0], self.choices)
        elif inst.name == "reset":
            outcome, self.state = measure(self.state, axes[0], self.choices)
            if outcome:
                self.state = apply(self.state, X, axes)
        elif inst.name in ("barrier", "delay"):
            pass
        elif inst.name == "store":
            self.store(operation.lvalue, self.value(operation.rvalue))
        elif inst.name == "if_else":
            blocks = operation.blocks
            if self.holds(operation.condition):
                self.inner(inst, blocks[0], wires, bits)
            elif len(blocks) > 1:
                self.inner(inst, blocks[1], wires, bits)
        elif inst.name == "switch_case":
            value = int(self.target(operation.target))
            for labels, body in operation.cases_specifier():
                if CASE_DEFAULT in labels or value in [int(label) for label in labels]:
                    self.inner(inst, body, wires, bits)
                    break
        elif inst.name == "box":
            self.inner(inst, operation.blocks[0], wires, bits)
        elif inst.name == "while_loop":
            while self.again(operation.condition, bits):
                try:
                    self.inner(inst, operation.blocks[0], wires, bits)
                except Break:
                    break
                except Continue:
                    continue
        elif inst.name == "for_loop":
            self.loop(inst, operation, wires, bits)
        elif inst.name == "break_loop":
            raise Break
        elif inst.name == "continue_loop":
            raise Continue
        elif inst.clbits:
            self.inner(inst, operation.definition, wires, bits)
        else:
            matrix = Operator(operation).reverse_qargs().data
            self.state = apply(self.state, matrix, axes)

    def again(self, condition: Any, bits: dict) -> bool:
        self.bits = bits
        return self.holds(condition)

    def loop(self, inst: Any, operation: Any, wires: dict, bits: dict) -> None:
        indices, parameter, body = operation.params
        for index in indices:
            bound = body
            if isinstance(parameter, expr.Var):
                self.vars[parameter] = index
            elif parameter is not None and parameter in body.parameters:
                bound = body.assign_parameters({parameter: index})
            try:
                self.inner(inst, bound, wires, bits)
            except Break:
                break
            except Continue:
                continue

    def target(self, target: Any) -> int:
        if isinstance(target, expr.Expr):
            return self.value(target)
        if isinstance(target, Clbit):
            return self.clbits[self.bits[target]]
        return sum(self.clbits[self.bits[bit]] << at for at, bit in enumerate(target))

    def holds(self, condition: Any) -> bool:
        if isinstance(condition, expr.Expr):
            return bool(self.value(condition))
        return self.target(condition[0]) == int(condition[1])

    def value(self, node: expr.Expr) -> Any:
        if isinstance(node, expr.Var):
            known = isinstance(node.var, Clbit | ClassicalRegister)
            return self.target(node.var) if known else self.vars[node]
        if isinstance(node, expr.Value):
            return node.value
        if isinstance(node, expr.Cast):
            inner = self.value(node.operand)
            if node.type.kind is types.Bool:
                return inner != 0
            if node.type.kind is types.Float:
                return float(inner)
            return int(inner) % (1 << node.type.width)
        if isinstance(node, expr.Index):
            return bool(self.value(node.target) >> self.value(node.index) & 1)
        if isinstance(node, expr.Unary):
            inner = self.value(node.operand)
            if node.op is expr.Unary.Op.BIT_NOT and node.type.kind is types.Uint:
                return ~inner % (1 << node.type.width)
            return -inner if node.op is expr.Unary.Op.NEGATE else not inner
        if node.op is OP.LOGIC_AND:
            return bool(self.value(node.left)) and bool(self.value(node.right))
        if node.op is OP.LOGIC_OR:
            return bool(self.value(node.left)) or bool(self.value(node.right))
        a, b = self.value(node.left), self.value(node.right)
        found = {
            OP.BIT_AND: lambda: a & b,
            OP.BIT_OR: lambda: a | b,
            OP.BIT_XOR: lambda: a ^ b,
            OP.EQUAL: lambda: a == b,
            OP.NOT_EQUAL: lambda: a != b,
            OP.LESS: lambda: a < b,
            OP.LESS_EQUAL: lambda: a <= b,
            OP.GREATER: lambda: a > b,
            OP.GREATER_EQUAL: lambda: a >= b,
            OP.SHIFT_LEFT: lambda: a << b,
            OP.SHIFT_RIGHT: lambda: a >> b,
            OP.ADD: lambda: a + b,
            OP.SUB: lambda: a - b,
            OP.MUL: lambda: a * b,
            OP.DIV: lambda: a / b if isinstance(a, float) else a // b,
        }[node.op]()
        return found % (1 << node.type.width) if node.type.kind is types.Uint else found

    def store(self, target: Any, value: Any) -> None:
        if isinstance(target, expr.Index):
            at, whole = self.value(target.index), self.value(target.target)
            if at < target.target.type.width:
                self.store(target.target, whole & ~(1 << at) | int(value) << at)
        elif isinstance(target.var, Clbit):
            self.clbits[self.bits[target.var]] = int(value)
        elif isinstance(target.var, ClassicalRegister):
            for at, bit in enumerate(target.var):
                self.clbits[self.bits[bit]] = int(value) >> at & 1
        else:
            self.vars[target] = value


def distribution(circuit: QuantumCircuit, least: float = 1e-6) -> dict[Hashable, float]:
    """The probability of each value of all clbits."""
    return explore(lambda choices: tuple(Run(circuit, choices).clbits), least)
