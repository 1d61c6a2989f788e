"""Random Qiskit circuits with control flow, variables and expressions."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from qiskit.circuit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit.classical import expr, types

GATES = ("h", "x", "s", "t", "sx", "cx", "cz", "rx", "rz", "rzz", "ccx")
ANGLES = ("rx", "rz", "rzz")
U4 = types.Uint(4)
MAX_DEPTH = 3


@dataclass
class Maker:
    """Appends random instructions to a circuit.  For `aer`, only those that Aer knows."""

    random: Random
    aer: bool
    circuit: QuantumCircuit = field(init=False)
    integers: list[expr.Var] = field(default_factory=list)
    bools: list[expr.Var] = field(default_factory=list)
    floats: list[expr.Var] = field(default_factory=list)
    measured: int = 0
    """Measurements: each doubles the runs."""
    waited: bool = False
    """Whether there is a loop that may take any number of rounds."""

    def make(self) -> QuantumCircuit:
        registers = [ClassicalRegister(2, "c"), ClassicalRegister(3, "d")]
        self.circuit = QuantumCircuit(QuantumRegister(3, "q"), *registers)
        if not self.aer:
            self.integers = [self.circuit.add_var("n", expr.lift(5, U4))]
            self.bools = [self.circuit.add_var("b", expr.lift(True))]
            self.floats = [self.circuit.add_var("f", expr.lift(0.5, types.Float()))]
        for _ in range(self.random.randint(3, 8)):
            self.instruction(0, False)
        self.circuit.measure(0, 0)
        for at, var in enumerate((*self.bools, *map(self.parity, self.integers))):
            self.circuit.store(self.circuit.cregs[1][at], var)
        return self.circuit

    def parity(self, var: expr.Var) -> expr.Expr:
        return expr.index(var, 1)

    def instruction(self, depth: int, in_loop: bool) -> None:
        choices = [self.gate, self.gate, self.gate, self.measure, self.reset]
        if not self.aer:
            choices += [self.store, self.store]
        if depth < MAX_DEPTH:
            nested = [self.if_else, self.if_else, self.switch, self.for_loop]
            if not self.aer or (depth == 0 and not self.waited):
                nested.append(self.while_loop)
            choices += [lambda made=made: made(depth, in_loop) for made in nested]
        if in_loop and not self.aer:  # Aer leaves the wrong loop
            choices += [self.leave]
        self.random.choice(choices)()

    def body(self, depth: int, in_loop: bool) -> None:
        for _ in range(self.random.randint(1, 3)):
            self.instruction(depth + 1, in_loop)

    def gate(self, angle: Any = None) -> None:
        name = self.random.choice(ANGLES if angle is not None else GATES)
        count = {"cx": 2, "cz": 2, "rzz": 2, "ccx": 3}.get(name, 1)
        qubits = self.random.sample(range(3), count)
        if name in ANGLES:
            angle = self.random.choice([0.3, 1.1, 2.5]) if angle is None else angle
            getattr(self.circuit, name)(angle, *qubits)
        else:
            getattr(self.circuit, name)(*qubits)

    def measure(self) -> None:
        if self.measured < 5:
            self.measured += 1
            self.circuit.measure(self.random.randrange(3), self.random.randrange(5))

    def reset(self) -> None:
        if self.measured < 5:
            self.measured += 1
            self.circuit.reset(self.random.randrange(3))

    def store(self) -> None:
        kind = self.random.randrange(5)
        if kind == 0:
            self.circuit.store(self.circuit.clbits[self.random.randrange(5)], self.bit(2))
        elif kind == 1:
            self.circuit.store(self.bools[0], self.bit(2))
        elif kind == 2:
            self.circuit.store(self.floats[0], self.number(2))
        elif kind == 3:
            index = self.random.choice([0, 2, expr.bit_and(self.integers[0], 3)])
            self.circuit.store(expr.index(self.integers[0], index), self.bit(1))
        else:
            self.circuit.store(self.integers[0], expr.cast(self.integer(2), U4))

    def leave(self) -> None:
        with self.circuit.if_test(self.condition()):
            self.random.choice([self.circuit.break_loop, self.circuit.continue_loop])()

    # -- control flow

    def condition(self) -> Any:
        kind = self.random.randrange(4)
        if kind == 0:
            return self.circuit.clbits[self.random.randrange(5)], self.random.randrange(2)
        if kind == 1:
            return self.random.choice(self.circuit.cregs), self.random.randrange(4)
        return self.bit(2)

    def if_else(self, depth: int, in_loop: bool) -> None:
        with self.circuit.if_test(self.condition()) as otherwise:
            self.body(depth, in_loop)
        if self.random.random() < 0.5:
            with otherwise:
                self.body(depth, in_loop)

    def switch(self, depth: int, in_loop: bool) -> None:
        targets = [*self.circuit.cregs, self.circuit.clbits[0]]
        targets += self.integers if self.aer else [self.integer(1)]
        target = self.random.choice(targets)
        bit = target is self.circuit.clbits[0]
        with self.circuit.switch(target) as case:
            with case(1):
                self.body(depth, in_loop)
            if not bit:
                with case(0, 2):
                    self.body(depth, in_loop)
            if self.random.random() < 0.5:
                with case(case.DEFAULT):
                    self.body(depth, in_loop)

    def for_loop(self, depth: int, in_loop: bool) -> None:
        sets = [range(2), range(3, -2, -2), (1, 0, 2), range(0)]
        indices = self.random.choice(sets if self.aer else [*sets, (2, 2)])
        with self.circuit.for_loop(indices) as index:
            kind = self.random.randrange(4)
            if kind == 0:
                self.gate(index * 0.5 + 0.25)
            elif kind == 1:
                self.gate(index**2 / 4)
            self.body(max(depth, 1), True)

    def while_loop(self, depth: int, in_loop: bool) -> None:
        self.waited = True
        bit = self.random.randrange(5)
        self.circuit.h(0)
        self.circuit.measure(0, bit)
        with self.circuit.while_loop((bit, 1)):
            if self.random.random() < 0.5:
                self.gate()
            self.circuit.reset(0)
            self.circuit.rx(1.0, 0)
            self.circuit.measure(0, bit)

    # -- expressions

    def bit(self, depth: int) -> expr.Expr:
        clbits, cregs = self.circuit.clbits, self.circuit.cregs
        pick = self.random.choice
        kinds = ["clbit", "index", "relation"]
        kinds += ["not", "logic", "equal"] if depth else []
        kinds += ["var"] if self.bools else []
        kind = pick(kinds)
        if kind == "clbit":
            return expr.lift(pick(clbits))
        if kind == "var":
            return pick(self.bools)
        if kind == "index" and not self.aer:
            return expr.index(pick(cregs), self.random.randrange(2))
        if kind == "not":
            return pick([expr.logic_not, expr.bit_not])(self.bit(depth - 1))
        if kind == "equal":
            return pick([expr.equal, expr.not_equal])(self.bit(depth - 1), self.bit(depth - 1))
        if kind == "logic":
            made = [expr.logic_and, expr.logic_or, expr.bit_and, expr.bit_or, expr.bit_xor]
            return pick(made)(self.bit(depth - 1), self.bit(depth - 1))
        return self.relation(depth)

    def relation(self, depth: int) -> expr.Expr:
        pick = self.random.choice
        made = [expr.less, expr.less_equal, expr.greater, expr.greater_equal, expr.equal]
        if self.floats and self.random.random() < 0.3:
            return pick(made)(self.number(depth), 0.75)
        return pick([*made, expr.not_equal])(self.integer(depth), self.random.randrange(4))

    def integer(self, depth: int) -> expr.Expr:
        pick = self.random.choice
        if not depth or self.aer or self.random.random() < 0.2:
            return pick([*map(expr.lift, self.circuit.cregs), *self.integers])
        kind = self.random.randrange(6)
        left, right = self.integer(depth - 1), self.integer(depth - 1)
        if kind == 0:
            return expr.bit_not(left)
        if kind == 1:
            made = [expr.add, expr.sub, expr.mul, expr.bit_and, expr.bit_or, expr.bit_xor]
            return pick(made)(expr.cast(left, U4), expr.cast(right, U4))
        if kind == 2:
            return pick([expr.shift_left, expr.shift_right])(left, self.random.randrange(3))
        if kind == 3:
            return expr.div(left, expr.lift(self.random.randint(1, 3), left.type))
        if kind == 4:
            return expr.cast(self.bit(depth - 1), U4)
        return expr.cast(left, pick([types.Uint(2), types.Uint(7), U4]))

    def number(self, depth: int) -> expr.Expr:
        pick = self.random.choice
        if not depth or self.random.random() < 0.2:
            return pick(self.floats)
        if self.random.random() < 0.3:
            return expr.cast(self.integer(depth - 1), types.Float())
        made = [expr.add, expr.sub, expr.mul]
        return pick(made)(self.number(depth - 1), pick([0.5, -1.25]))


def random_circuit(random: Random, *, aer: bool = False) -> QuantumCircuit:
    """A circuit on three qubits and five clbits."""
    return Maker(random, aer).make()
