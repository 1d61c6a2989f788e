"""An exact interpreter of small QuantumCircuits with control flow, on Qiskit's own matrices."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Clbit
from qiskit.circuit.classical import expr


@dataclass
class Branch:
    state: np.ndarray
    """One axis of length 2 per qubit; its squared norm is the branch's probability."""
    bits: dict[Clbit, bool]


def distribution(circuit: QuantumCircuit) -> dict[tuple[bool, ...], float]:
    """The probability of the values of all classical bits."""
    start = np.zeros((2,) * circuit.num_qubits, dtype=complex)
    start.flat[0] = 1
    branches = [Branch(start, dict.fromkeys(circuit.clbits, False))]
    qubits = {qubit: at for at, qubit in enumerate(circuit.qubits)}
    total: dict[tuple[bool, ...], float] = defaultdict(float)
    for branch in run(circuit, qubits, {bit: bit for bit in circuit.clbits}, branches):
        key = tuple(branch.bits[bit] for bit in circuit.clbits)
        total[key] += np.vdot(branch.state, branch.state).real
    return dict(total)


def run(circuit: QuantumCircuit, qubits: dict, clbits: dict, branches: list[Branch]):
    for instruction in circuit.data:
        on = [qubits[qubit] for qubit in instruction.qubits]
        to = [clbits[bit] for bit in instruction.clbits]
        operation = instruction.operation
        branches = [new for old in branches for new in step(operation, on, to, clbits, old)]
    return branches


def step(operation, on: list[int], to: list[Clbit], clbits: dict, branch: Branch) -> list[Branch]:
    if operation.name == "barrier":
        return [branch]
    if operation.name in ("measure", "reset"):
        found = []
        for outcome in (0, 1):
            state = branch.state.copy()
            np.moveaxis(state, on[0], 0)[1 - outcome] = 0
            if np.vdot(state, state).real < 1e-12:
                continue
            if operation.name == "measure":
                found.append(Branch(state, branch.bits | {to[0]: bool(outcome)}))
            else:
                found.append(Branch(np.flip(state, on[0]) if outcome else state, branch.bits))
        return found
    if operation.name == "store":
        value = evaluate(operation.rvalue, clbits, branch)
        return [Branch(branch.state, branch.bits | {clbits[operation.lvalue.var]: value})]
    if operation.name == "if_else":
        body = operation.blocks[0]
        inner_qubits = dict(zip(body.qubits, on, strict=True))
        inner_bits = dict(zip(body.clbits, to, strict=True))
        if not holds(operation.condition, clbits, branch):
            return [branch]
        return run(body, inner_qubits, inner_bits, [branch])
    return [Branch(applied(operation.to_matrix(), on, branch.state), branch.bits)]


def applied(matrix: np.ndarray, on: list[int], state: np.ndarray) -> np.ndarray:
    """Qiskit's first qubit is the least significant one of a matrix."""
    k = len(on)
    tensor = matrix.reshape((2,) * (2 * k))
    moved = np.tensordot(tensor, state, axes=(range(k, 2 * k), on[::-1]))
    return np.moveaxis(moved, range(k), on[::-1])


def holds(condition, clbits: dict, branch: Branch) -> bool:
    if isinstance(condition, tuple):
        bit, wanted = condition
        return branch.bits[clbits[bit]] == bool(wanted)
    return evaluate(condition, clbits, branch)


def evaluate(node: expr.Expr, clbits: dict, branch: Branch) -> bool:
    if isinstance(node, expr.Var):
        return branch.bits[clbits[node.var]]
    if isinstance(node, expr.Unary):
        assert node.op == expr.Unary.Op.LOGIC_NOT
        return not evaluate(node.operand, clbits, branch)
    assert isinstance(node, expr.Binary)
    left, right = (evaluate(side, clbits, branch) for side in (node.left, node.right))
    join = {expr.Binary.Op.BIT_XOR: left != right, expr.Binary.Op.BIT_AND: left and right}
    return join[node.op]
