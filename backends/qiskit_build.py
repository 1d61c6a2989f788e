"""Structured programs as Qiskit's circuits.

    Measure(0, m)               qc.measure(q[0], m[0])
    If(m, [Gate("x", (1,))])    qc.append(IfElseOp((m[0], True), body), [q[1]], [m[0]])
    Assign(n, addi(n, 1))       qc.store(n, expr.add(n, 1))

Bits are clbits, integers `expr.Var` of 64 bits.  Bodies are built here and not by Qiskit's context
managers, which add bits in an order that is not always the same.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from qiskit.circuit import (
    ClassicalRegister,
    Clbit,
    ForLoopOp,
    IfElseOp,
    QuantumCircuit,
    QuantumRegister,
    Qubit,
    WhileLoopOp,
)
from qiskit.circuit.classical import expr

from qwasmc.backends.qiskit_expressions import TYPES, Expressions, Place
from qwasmc.backends.refusals import refusal
from qwasmc.backends.structured.names import Names
from qwasmc.backends.structured.tree import (
    Apply,
    Assign,
    Barrier,
    Constant,
    Expression,
    For,
    Gate,
    If,
    Listing,
    Measure,
    Read,
    Reset,
    Result,
    Statement,
    Variable,
    While,
    blocks,
    variables,
    walk,
)
from qwasmc.ops import BY_NAME, Type

MAX_DEPTH = 100
"""Most statements inside each other."""

NAMESPACE = uuid.UUID("4f1c1bb0-5d0f-5d0b-9a57-6f3c1a5c0e11")
"""Of the identifiers of variables, which QPY keeps."""


@dataclass(slots=True)
class Built:
    """A circuit, and what holds each variable."""

    circuit: QuantumCircuit
    places: dict[Variable, Place] = field(default_factory=dict)


def build(listing: Listing, name: str = "main") -> Built:
    """The circuit of a program.

    Results are registers that are named after them, qubits as in the program; other bits are in
    the registers `m` (measured) and `c` (computed).  Raises CompileError for what Qiskit has no
    expression for.
    """
    return _Builder(listing, name).run()


class _Builder:
    def __init__(self, listing: Listing, name: str) -> None:
        self.listing = listing
        self.names = Names(lambda wanted: wanted)
        self.made = Built(QuantumCircuit(name=name))
        self.qubits: dict[int, Qubit] = {}
        """By number, in the circuit that is being written."""
        self.expressions = Expressions(self.made.places, listing.locations)

    def run(self) -> Built:
        """Registers, variables, then the statements."""
        known = {v for result in self.listing.results for v in result.variables}
        inner = [variable for variable in variables(self.listing.body) if variable not in known]
        results = self._results()
        self._qubits()
        for register in results:
            self.made.circuit.add_register(register)
        bits = [variable for variable in inner if variable.type is Type.I1]
        measured = {s.into for s in walk(self.listing.body) if isinstance(s, Measure)}
        self._bits("m", [variable for variable in bits if variable in measured])
        self._bits("c", [variable for variable in bits if variable not in measured])
        self._variables([v for v in inner if v.type is not Type.I1])
        self.block(self.made.circuit, self.listing.body, 0)
        return self.made

    def _results(self) -> list[ClassicalRegister]:
        """A register for each integer, and for bits that are elements of one or alone."""
        results = self.listing.results
        bits = [at for at, result in enumerate(results) if result.kind == "bit"]
        registers: dict[int, ClassicalRegister] = {}
        for group in self.names.groups([results[at].name for at in bits], "result"):
            register = ClassicalRegister(len(group.members), group.name)
            for member, bit in zip(group.members, register, strict=True):
                self.made.places[results[bits[member]].variables[0]] = bit
                registers[bits[member]] = register
        for at, result in enumerate(results):
            if result.kind == "int":
                registers[at] = self._integer(result)
        return list(dict.fromkeys(registers[at] for at in range(len(results))))

    def _integer(self, result: Result) -> ClassicalRegister:
        """The register of a result that is an integer."""
        whole = [variable.type for variable in result.variables] == [Type.I64]
        size = 64 if whole else len(result.variables)
        register = ClassicalRegister(size, self.names.name(result.name or "result"))
        if whole:
            self.made.places[result.variables[0]] = register
        else:
            self.made.places.update(zip(result.variables, register, strict=True))
        return register

    def _qubits(self) -> None:
        for group in self.names.groups(self.listing.qubits, "q"):
            register = QuantumRegister(len(group.members), group.name)
            self.made.circuit.add_register(register)
            self.qubits.update(zip(group.members, register, strict=True))

    def _bits(self, name: str, found: Sequence[Variable]) -> None:
        """A register of bits that are no results."""
        if found:
            register = ClassicalRegister(len(found), self.names.name(name))
            self.made.circuit.add_register(register)
            self.made.places.update(zip(found, register, strict=True))

    def _variables(self, found: Sequence[Variable]) -> None:
        """Variables of integers and numbers, which start as 0."""
        for variable in found:
            name = self.names.name(variable.name or "n")
            made = expr.Var(uuid.uuid5(NAMESPACE, name), TYPES[variable.type], name=name)
            self.made.circuit.add_var(made, self.expressions.value(Constant(0, variable.type)))
            self.made.places[variable] = made

    # -- statements

    def block(self, circuit: QuantumCircuit, body: Sequence[Statement], depth: int) -> None:
        """Append statements to a circuit that has their qubits, bits and variables."""
        for statement in body:
            self.statement(circuit, statement, depth)

    def statement(self, circuit: QuantumCircuit, statement: Statement, depth: int) -> None:
        match statement:
            case Gate():
                self.gate(circuit, statement)
            case Measure():
                bit = self.made.places[statement.into]
                circuit.measure(self.qubits[statement.qubit], bit)
            case Reset():
                circuit.reset(self.qubits[statement.qubit])
            case Barrier():
                circuit.barrier([self.qubits[at] for at in statement.qubits])
            case Assign():
                value = self.expressions.value(statement.value)
                circuit.store(self.made.places[statement.variable], value)
            case For():
                self.counting(circuit, statement, depth)
            case If() | While():
                self.inner(circuit, statement, depth + 1)

    def gate(self, circuit: QuantumCircuit, gate: Gate) -> None:
        parameters = []
        if gate.angle is not None:
            if not isinstance(gate.angle, Constant):
                message = "the angle depends on results, which that of a gate in Qiskit cannot"
                raise refusal(self.listing.locations, message, gate.loc)
            parameters = [float(gate.angle.value)]
        method = getattr(circuit, BY_NAME[gate.name].qiskit)
        method(*parameters, *[self.qubits[at] for at in gate.qubits])

    def counting(self, circuit: QuantumCircuit, loop: For, depth: int) -> None:
        """A loop over numbers; if its body reads them, it counts a variable of its own."""
        variable = loop.variable
        if variable not in self.made.places:
            self.inner(circuit, loop, depth + 1)
            return
        start, step = (
            Constant(number, Type.I64) for number in (loop.indices.start, loop.indices.step)
        )
        following = Assign(variable, Apply("addi", (Read(variable), step), Type.I64), loop.loc)
        self.statement(circuit, Assign(variable, start, loop.loc), depth)
        counted = For(variable, loop.indices, [*loop.body, following], loop.loc)
        self.inner(circuit, counted, depth + 1)

    def inner(self, circuit: QuantumCircuit, statement: If | While | For, depth: int) -> None:
        """A statement with others inside it."""
        if depth > MAX_DEPTH:
            message = f"limit passed: more than {MAX_DEPTH} conditions and loops inside each other"
            raise refusal(self.listing.locations, message, statement.loc)
        numbers, clbits, captured = self.resources(statement)
        outer = self.qubits

        def body(statements: Sequence[Statement]) -> QuantumCircuit:
            # Bits of registers would take the registers along, in every body.
            self.qubits = {number: Qubit() for number in numbers}
            made = QuantumCircuit(
                list(self.qubits.values()), clbits, captures=captured, name="body"
            )
            self.block(made, statements, depth)
            self.qubits = outer
            return made

        if isinstance(statement, For):
            operation = ForLoopOp(range(len(statement.indices)), None, body(statement.body))
        elif isinstance(statement, While):
            operation = WhileLoopOp(self.condition(statement.condition), body(statement.body))
        else:
            otherwise = body(statement.otherwise) if statement.otherwise else None
            condition = self.condition(statement.condition)
            operation = IfElseOp(condition, body(statement.then), otherwise)
        circuit.append(operation, [outer[number] for number in numbers], clbits)

    def resources(self, outer: Statement) -> tuple[list[int], list[Clbit], list[expr.Var]]:
        """What the statements inside another one act on.

        Aer lets a store take place under a condition only if the body has every qubit.
        """
        inside = [statement for block in blocks(outer) for statement in block]
        qubits: dict[int, None] = {}
        for statement in walk(inside):
            match statement:
                case Gate() | Barrier():
                    qubits.update(dict.fromkeys(statement.qubits))
                case Measure() | Reset():
                    qubits.setdefault(statement.qubit)
                case Assign():
                    qubits.update(dict.fromkeys(range(len(self.listing.qubits))))
        clbits: dict[Clbit, None] = {}
        captured: dict[expr.Var, None] = {}
        for variable in variables(inside):
            place = self.made.places[variable]
            if isinstance(place, expr.Var):
                captured.setdefault(place)
            else:
                clbits.update(dict.fromkeys([place] if isinstance(place, Clbit) else place))
        return list(qubits), list(clbits), list(captured)

    def condition(self, node: Expression) -> expr.Expr | tuple[Clbit, bool]:
        """A condition; of a bit alone in the older form, which more tools know."""
        negated = isinstance(node, Apply) and node.name == "not"
        inner = node.operands[0] if isinstance(node, Apply) and negated else node
        if isinstance(inner, Read) and isinstance(bit := self.made.places[inner.variable], Clbit):
            return bit, not negated
        return self.expressions.value(node)
