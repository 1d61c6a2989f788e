"""Physical circuits with a few T gates, run exactly: an oracle for what writers make of them.

A state is sum_k c_k P_k |s>: Pauli operators on a stabilizer state (Yoder, "A generalization of the
stabilizer formalism", 2012).  Clifford gates take |s> and the P_k along, a T gate doubles the terms
at most, and terms whose operators differ by a stabilizer merge, so that there are no more than the
logical qubits need, however many physical ones there are.  Runs circuits of Qiskit and of Stim,
where `S[T]` is T, and keeps the probability of the outcomes that
it took.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import stim
from qiskit import QuantumCircuit
from qiskit.circuit import Clbit
from qiskit.circuit.classical import expr

SMALL = 1e-12
SQRT2 = math.sqrt(2)

Terms: TypeAlias = list[tuple[complex, stim.PauliString]]

QISKIT_NAMES = {"sdg": "S_DAG", "sx": "SQRT_X", "sxdg": "SQRT_X_DAG"}


class MagicTableau:
    """A state of some qubits, at first |0>."""

    def __init__(self, qubits: int, seed: int) -> None:
        self.qubits = qubits
        self.rng = np.random.default_rng(seed)
        self.stabilizer = stim.TableauSimulator()
        self.stabilizer.set_num_qubits(qubits)
        self.terms = [(1 + 0j, stim.PauliString(qubits))]
        self.log2 = 0.0
        """Of the probability of the outcomes so far."""

    def gate(self, name: str, qubits: list[int]) -> None:
        """A Clifford gate."""
        gate = stim.CircuitInstruction(name, qubits)
        self.stabilizer.do(gate)
        if len(self.terms) > 1:
            self.terms = [(c, pauli.after(gate)) for c, pauli in self.terms]

    def turn(self, axis: stim.PauliString, inverse: bool = False) -> None:
        """T about a Pauli product: cos(pi/8) - i sin(pi/8) P, up to phase."""
        sine = math.sin(math.pi / 8) * (1j if inverse else -1j)
        turned = [(c * sine, axis * pauli) for c, pauli in self.terms]
        kept = [(c * math.cos(math.pi / 8), pauli) for c, pauli in self.terms]
        self.terms = merged(self.stabilizer, kept + turned)
        self._scale(1.0)

    def measure(self, qubit: int) -> int:
        """Measure Z."""
        known, z = self.stabilizer.peek_z(qubit), self._z(qubit)
        if known:
            return self._choose(known, z)
        before, swap = self.stabilizer.copy(), self._anticommuting(qubit)
        # |s> goes to one of two states, which this stabilizer of |s> swaps.
        terms = [(c / SQRT2, p if p.commutes(z) else p * swap) for c, p in self.terms]
        outcome = int(self.rng.integers(2))
        weight = self._project(qubit, outcome, terms)
        if self.rng.random() >= weight:
            self.stabilizer, outcome = before, 1 - outcome
            weight = self._project(qubit, outcome, terms)
        self._scale(weight)
        return outcome

    def _anticommuting(self, qubit: int) -> stim.PauliString:
        """A stabilizer of |s> that anticommutes with Z."""
        inverse = self.stabilizer.current_inverse_tableau()
        return inverse.inverse_z_output(inverse.z_output(qubit).pauli_indices("XY")[0])

    def _project(self, qubit: int, outcome: int, terms: Terms) -> float:
        """Take an outcome; its probability."""
        self.stabilizer.postselect_z(qubit, desired_value=bool(outcome))
        self.terms = merged(self.stabilizer, terms)
        return sum(abs(c) ** 2 for c, _ in self.terms)

    def _choose(self, known: int, z: stim.PauliString) -> int:
        """Measure what |s> is an eigenstate of: every term is one, too."""
        ends: tuple[Terms, Terms] = ([], [])
        for c, p in self.terms:
            ends[int(p.commutes(z) != (known > 0))].append((c, p))
        one = sum(abs(c) ** 2 for c, _ in ends[1])
        outcome = int(self.rng.random() < one)
        self.terms = ends[outcome]
        self._scale(one if outcome else 1 - one)
        return outcome

    def _scale(self, weight: float) -> None:
        """Normalise the state after an outcome of some probability."""
        self.log2 += math.log2(weight)
        self.terms = [(c / math.sqrt(weight), p) for c, p in self.terms]
        if len(self.terms) == 1:
            self._settle()

    def _z(self, qubit: int) -> stim.PauliString:
        z = stim.PauliString(self.qubits)
        z[qubit] = "Z"
        return z

    def reset(self, qubit: int) -> None:
        if self.measure(qubit):
            self.gate("X", [qubit])

    def _settle(self) -> None:
        """A single Pauli operator becomes part of the stabilizer state."""
        self.stabilizer.do_pauli_string(self.terms[0][1])
        self.terms = [(1 + 0j, stim.PauliString(self.qubits))]


def merged(stabilizer: stim.TableauSimulator, terms: Terms) -> Terms:
    """The same state with no two terms that a stabilizer takes to each other."""
    found: Terms = []
    for c, pauli in terms:
        for at, (total, kept) in enumerate(found):
            between = kept * pauli  # pauli |s> = kept between |s>, as kept squares to 1
            sign = between.sign
            value = stabilizer.peek_observable_expectation(between / sign)
            if value:
                found[at] = (total + c * sign * value, kept)
                break
        else:
            found.append((c * pauli.sign, pauli / pauli.sign))
    return [(c, pauli) for c, pauli in found if abs(c) > SMALL]


class QiskitRun:
    """A run of a Qiskit circuit with measurements, `store` and `if_else`."""

    def __init__(self, circuit: QuantumCircuit, seed: int) -> None:
        self.state = MagicTableau(circuit.num_qubits, seed)
        self.bits = dict.fromkeys(circuit.clbits, False)
        self.taken: list[bool] = []
        """The conditions of `if_else`, in order."""
        qubits = {qubit: at for at, qubit in enumerate(circuit.qubits)}
        self.run(circuit, qubits, {bit: bit for bit in circuit.clbits})

    def run(self, circuit: QuantumCircuit, qubits: dict, clbits: dict) -> None:
        for instruction in circuit.data:
            on = [qubits[qubit] for qubit in instruction.qubits]
            to = [clbits[bit] for bit in instruction.clbits]
            self.step(instruction.operation, on, to, clbits)

    def step(self, operation, on: list[int], to: list[Clbit], clbits: dict) -> None:
        name = operation.name
        if name == "measure":
            self.bits[to[0]] = bool(self.state.measure(on[0]))
        elif name == "reset":
            self.state.reset(on[0])
        elif name == "store":
            self.bits[clbits[operation.lvalue.var]] = self.evaluate(operation.rvalue, clbits)
        elif name == "if_else":
            bit, wanted = operation.condition
            holds = self.bits[clbits[bit]] == bool(wanted)
            self.taken.append(holds)
            body = operation.blocks[0 if holds else 1]
            inner = dict(zip(body.qubits, on, strict=True))
            self.run(body, inner, dict(zip(body.clbits, to, strict=True)))
        elif name in ("t", "tdg"):
            axis = stim.PauliString(self.state.qubits)
            axis[on[0]] = "Z"
            self.state.turn(axis, inverse=name == "tdg")
        elif name != "barrier":
            self.state.gate(QISKIT_NAMES.get(name, name.upper()), on)

    def evaluate(self, node: expr.Expr, clbits: dict) -> bool:
        if isinstance(node, expr.Value):
            return bool(node.value)
        if isinstance(node, expr.Var):
            return self.bits[clbits[node.var]]
        if isinstance(node, expr.Unary):
            assert node.op == expr.Unary.Op.LOGIC_NOT
            return not self.evaluate(node.operand, clbits)
        assert isinstance(node, expr.Binary)
        left, right = (self.evaluate(side, clbits) for side in (node.left, node.right))
        join = {expr.Binary.Op.BIT_XOR: left != right, expr.Binary.Op.BIT_AND: left and right}
        return join[node.op]


class StimRun:
    """A run of a noiseless Stim circuit, in which the tag T makes S a T gate, and SPP one about a
    Pauli product."""

    def __init__(self, circuit: stim.Circuit, seed: int) -> None:
        self.state = MagicTableau(circuit.num_qubits, seed)
        self.records: list[int] = []
        self.observables: dict[int, int] = {}
        self.detectors: list[int] = []
        for instruction in circuit.flattened():
            self.step(instruction)

    def step(self, instruction: stim.CircuitInstruction) -> None:
        name, groups = instruction.name, instruction.target_groups()
        data = stim.gate_data(name)
        if name in ("DETECTOR", "OBSERVABLE_INCLUDE"):
            parity = sum(self.records[each.value] for each in instruction.targets_copy()) % 2
            if name == "DETECTOR":
                self.detectors.append(parity)
            else:
                number = int(instruction.gate_args_copy()[0])
                self.observables[number] = self.observables.get(number, 0) ^ parity
        elif name == "MPAD":
            self.records += [target.value for target in instruction.targets_copy()]
        elif instruction.tag == "T":
            for group in groups:
                self.state.turn(self.axis(group), inverse=name.endswith("_DAG"))
        elif data.is_reset or data.produces_measurements:
            letter = name[1:] or "Z"
            for (target,) in groups:
                self.collapse(target.value, letter, data.produces_measurements)
        elif data.is_unitary:
            for group in groups:
                if not group[0].is_measurement_record_target:
                    self.state.gate(name, [target.value for target in group])
                elif self.records[group[0].value]:
                    self.state.gate(name[1:], [group[1].value])

    def axis(self, group: list[stim.GateTarget]) -> stim.PauliString:
        axis = stim.PauliString(self.state.qubits)
        for target in group:
            axis[target.value] = target.pauli_type if target.pauli_type != "I" else "Z"
        if group[0].is_inverted_result_target:
            axis *= -1
        return axis

    def collapse(self, qubit: int, letter: str, measure: bool) -> None:
        turn = {"Z": [], "X": ["H"], "Y": ["H_YZ"]}[letter]
        for name in turn:
            self.state.gate(name, [qubit])
        if measure:
            self.records.append(self.state.measure(qubit))
        else:
            self.state.reset(qubit)
        for name in turn:
            self.state.gate(name, [qubit])
