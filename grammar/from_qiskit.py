"""Reader of Qiskit's circuits: QuantumCircuit -> Program.

    qc.h(0)                          %q1 = "qw.h"(%q)
    qc.measure(0, 0)                 %q2, %m = "qw.measure_z"(%q1)
    with qc.if_test((c, 1)):         "qw.x" on %p, predicated on %m
        qc.x(1)
    with qc.for_loop(range(9)) as i: "qw.br"()[^loop(%0)]; ...
        qc.rx(i * pi / 9, 0)

Gates are rows of the op table (qiskit_gates.py).  Short bodies of gates, measurements and stores
are predicated; other control flow becomes blocks, and loops stay loops.  A loop whose variable
appears in an angle other than linearly is unrolled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from typing import Any

from qiskit.circuit import (
    Barrier,
    BoxOp,
    BreakLoopOp,
    ContinueLoopOp,
    Delay,
    ForLoopOp,
    IfElseOp,
    Measure,
    Parameter,
    ParameterExpression,
    QuantumCircuit,
    Reset,
    Store,
    SwitchCaseOp,
    WhileLoopOp,
)
from qiskit.circuit.controlflow import CASE_DEFAULT
from qiskit.circuit.library import PauliProductMeasurement

from qwasmc.diagnostics import CompileError, Kind, error
from qwasmc.grammar.collector import collector_paused
from qwasmc.grammar.evaluator import LineError
from qwasmc.grammar.qiskit_angles import angle_value
from qwasmc.grammar.qiskit_blocks import Label, Loop, Scope
from qwasmc.grammar.qiskit_cells import Cell, Cells, clbit_cell
from qwasmc.grammar.qiskit_expressions import Expressions
from qwasmc.grammar.qiskit_gates import (
    IDENTITIES,
    Angle,
    Gates,
    Part,
    Template,
    definition,
    factors,
    is_unitary,
    row_of,
)
from qwasmc.grammar.qiskit_listing import Origin, Where, bit_names, listing
from qwasmc.grammar.qiskit_survey import (
    Survey,
    check_depth,
    instructions,
    is_linear,
    is_straight,
    stored,
)
from qwasmc.ir.builder import FunctionBuilder
from qwasmc.ir.program import Attr, Program, Value
from qwasmc.ops import BY_NAME, Type

__all__ = ["program", "read"]

MAX_BITS = 1_000_000
"""Qubits, and clbits."""

MAX_OPERATIONS = 10_000_000
"""Operations after expansion."""

MAX_INDEX = 1 << 62
"""Size of a loop's indices, so that the next one fits 64 bits as well."""

Place = int | Sequence[Where]
"""Positions of the instructions of a body, or one for all of them."""


def read(circuit: QuantumCircuit, name: str = "<circuit>") -> Program:
    """The program that a circuit is; its results are the clbits that it writes."""
    check(circuit)
    return program(circuit, listing(circuit, name))


def check(circuit: QuantumCircuit) -> None:
    """Refuse a circuit that is too large, or that misses something."""
    for kind, count in (("qubits", circuit.num_qubits), ("clbits", circuit.num_clbits)):
        if count > MAX_BITS:
            message = f"limit passed: a program may have {MAX_BITS:,} {kind}, this one has {count}"
            raise error(message, kind=Kind.LIMIT)
    unbound = [parameter.name for parameter in circuit.parameters]
    if unbound:
        shown = ", ".join(f"'{name}'" for name in unbound[:8])
        message = f"{len(unbound)} of the circuit's parameters have no value: {shown}"
        raise error(message, help="a program is compiled for known angles")
    for var in (*circuit.iter_input_vars(), *circuit.iter_captured_vars()):
        message = f"the input variable '{var.name}' has no value"
        raise error(message, help="declare it in the circuit with an initial value")


def program(circuit: QuantumCircuit, origin: Origin, *, by_name: bool = False) -> Program:
    """The program that a circuit from this origin is; for `by_name` see `Gates`."""
    check(circuit)
    reader = _Reader(origin, Gates(by_name))
    with collector_paused(), reader.refusals():
        reader.run(circuit)
    return Program([reader.build.function], origin.locations)


class _Reader:
    """Writes the function of a circuit."""

    def __init__(self, origin: Origin, gates: Gates) -> None:
        self.origin = origin
        self.gates = gates
        self.build = FunctionBuilder("main")
        self.survey = Survey()
        self.cells = Cells(self.build, in_memory=False)
        self.expressions = Expressions(self.cells, self.survey.written)
        self.environment: dict[Parameter, Value | int] = {}
        self.loops: list[Loop] = []
        self.last_write: dict[int, int] = {}
        """By clbit, the position of the instruction that wrote it last."""
        self.n_slots = 0
        """Slots that hold a qubit; those of a circuit's qubits are the first."""
        self.operations = 0
        self.depth = 0
        self.lists = 0
        """Cells of lists that loops run over."""
        self.handlers: dict[type, Callable[[Any, Any, Scope, Where], None]] = {
            Measure: self.measure,
            PauliProductMeasurement: self.pauli_measurement,
            Reset: self.reset,
            Barrier: self.barrier,
            Delay: self.delay,
            Store: self.store,
            BoxOp: self.box,
            IfElseOp: self.if_else,
            SwitchCaseOp: self.switch,
            WhileLoopOp: self.while_loop,
            ForLoopOp: self.for_loop,
            BreakLoopOp: self.break_loop,
            ContinueLoopOp: self.continue_loop,
        }

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """What cannot be read, as a diagnostic at the instruction that is being read."""
        try:
            yield
        except LineError as wrong:
            found = self.origin.locations.diagnostic(
                wrong.message, self.build.loc, wrong.label, wrong.help
            )
            raise CompileError(replace(found, kind=wrong.kind)) from None
        except RecursionError:
            message = "limit passed: expressions or definitions are nested too deep"
            found = self.origin.locations.diagnostic(message, self.build.loc)
            raise CompileError(replace(found, kind=Kind.LIMIT)) from None

    def run(self, circuit: QuantumCircuit) -> None:
        """Write the whole function."""
        scope = Scope(
            {qubit: number for number, qubit in enumerate(circuit.qubits)},
            {clbit: number for number, clbit in enumerate(circuit.clbits)},
        )
        self.survey.add(circuit, scope.bits)
        self.cells.in_memory = self.survey.branches
        names = bit_names(circuit, circuit.qubits, "qubit")
        self.n_slots = circuit.num_qubits
        for number, qubit in enumerate(circuit.qubits):
            self.build.loc = self.origin.qubits[number]
            self.build.alloc(number, self.origin.names.get(qubit, names[number]))
        if self.survey.branches:
            self.clear_memory()
        self.body(circuit, scope, self.origin.body)
        self.results(circuit)
        self.build.ret()

    def clear_memory(self) -> None:
        """Clbits and variables are 0 at first."""
        for number in sorted(self.survey.written):
            self.cells.write(clbit_cell(number), self.build.i1(0))
        for var in self.survey.variables:
            cell = self.cells.variable(var)
            self.cells.write(cell, self.cells.zero(cell.type))

    def results(self, circuit: QuantumCircuit) -> None:
        """Every clbit that is ever written is a result."""
        names = bit_names(circuit, circuit.clbits, "clbit")
        for number, clbit in enumerate(circuit.clbits):
            if number in self.survey.written:
                self.build.loc = self.last_write.get(number, -1)
                name = self.origin.names.get(clbit, names[number])
                self.build.do("result", [self.cells.read(clbit_cell(number))], {"name": name})

    # -- instructions

    def body(self, circuit: QuantumCircuit, scope: Scope, place: Place) -> None:
        """The instructions of a circuit, up to the first that leaves it."""
        self.depth += 1
        check_depth(self.depth)
        for number, inst in enumerate(circuit.data):
            where = place if isinstance(place, int) else place[number]
            self.build.loc = where if isinstance(where, int) else where[0]
            self.instruction(inst, scope, where)
            if self.build.ended:
                break
        self.depth -= 1

    def instruction(self, inst: Any, scope: Scope, where: Where) -> None:
        """Write one instruction."""
        self.count(1)
        if inst.is_standard_gate():
            row = row_of(inst.name, inst.params)
            if row is not None:
                self.gate(row[0], [scope.wires[qubit] for qubit in inst.qubits], row[1])
                return
            if inst.name in IDENTITIES:
                return
        operation = inst.operation
        handler = self.handlers.get(getattr(operation, "base_class", type(operation)))
        if handler is not None:
            handler(inst, operation, scope, where)
        elif is_unitary(operation):
            template = self.gates.template(operation, inst.is_standard_gate())
            self.count(template.size)
            self.template(template, [scope.wires[qubit] for qubit in inst.qubits])
        else:
            inner = definition(operation)
            self.body(inner, scope.inner(inner, inst), self.build.loc)

    def count(self, operations: int) -> None:
        """Refuse a program of too many operations before they are written."""
        self.operations += operations
        if self.operations > MAX_OPERATIONS:
            message = f"limit passed: a program may have {MAX_OPERATIONS:,} operations"
            raise LineError(message, kind=Kind.LIMIT)

    def template(self, template: Template, slots: Sequence[int]) -> None:
        """Write what a gate consists of."""
        fresh = range(self.n_slots, self.n_slots + template.n_fresh)
        self.n_slots += template.n_fresh
        for slot in fresh:
            self.build.alloc(slot)
        slots = [*slots, *fresh]
        for step in template.steps:
            qubits = [slots[at] for at in step.qubits]
            if isinstance(step, Part):
                self.template(step.template, qubits)
            else:
                self.gate(step.name, qubits, step.angle, step.paulis)
        for slot in fresh:
            self.build.free(slot)
        self.n_slots -= template.n_fresh

    def gate(self, name: str, slots: Sequence[int], angle: Angle, paulis: str = "") -> None:
        """Write a row."""
        value: float | Value | None
        if isinstance(angle, ParameterExpression):
            value = angle_value(self.build, angle, self.environment)
        else:
            value = angle
        cond = self.cells.predicate if BY_NAME[name].may_be_predicated else None
        attrs: dict[str, Attr] = {"paulis": paulis} if paulis else {}
        self.build.gate(name, slots, angle=value, attrs=attrs, cond=cond)

    def measure(self, inst: Any, operation: Any, scope: Scope, where: Where) -> None:
        """The outcome of a qubit into a clbit."""
        slots = [scope.wires[qubit] for qubit in inst.qubits]
        bit = self.build.measure("measure_z", slots, cond=self.cells.predicate)
        self.record(inst, bit, scope)

    def pauli_measurement(self, inst: Any, operation: Any, scope: Scope, where: Where) -> None:
        """The outcome of a Pauli product into a clbit; 1 is the eigenvalue -1."""
        pauli = operation.pauli()
        letters, qubits = factors(pauli)
        slots = [scope.wires[inst.qubits[at]] for at in qubits]
        attrs: dict[str, Attr] = {"paulis": letters}
        bit = self.build.measure("ppm", slots, attrs=attrs, cond=self.cells.predicate)
        if pauli.phase == 2:
            negative = self.cells.predicate or self.build.i1(1)
            bit = self.build.op("xor", [bit, negative])
        self.record(inst, bit, scope)

    def record(self, inst: Any, bit: Value, scope: Scope) -> None:
        """Put an outcome in the clbit of an instruction."""
        (clbit,) = inst.clbits
        number = scope.bits[clbit]
        self.last_write[number] = self.build.loc
        self.cells.record(clbit_cell(number), bit)

    def reset(self, inst: Any, operation: Any, scope: Scope, where: Where) -> None:
        """A qubit into |0>."""
        self.gate("reset", [scope.wires[qubit] for qubit in inst.qubits], None)

    def barrier(self, inst: Any, operation: Any, scope: Scope, where: Where) -> None:
        """Nothing moves across it."""
        if inst.qubits:
            self.gate("barrier", [scope.wires[qubit] for qubit in inst.qubits], None)

    def delay(self, inst: Any, operation: Any, scope: Scope, where: Where) -> None:
        """Time passes, which no logical state notices."""

    def store(self, inst: Any, operation: Store, scope: Scope, where: Where) -> None:
        """The value of an expression into clbits or a variable."""
        self.expressions.bits = scope.bits
        self.expressions.store(operation.lvalue, operation.rvalue)
        for clbit in stored(operation.lvalue):
            self.last_write[scope.bits[clbit]] = self.build.loc

    # -- control flow

    def block(self, inst: Any, body: QuantumCircuit, scope: Scope, where: Where, at: int) -> None:
        """Block number `at` of an instruction."""
        place = where if isinstance(where, int) else where[1][at]
        self.body(body, scope.inner(body, inst), place)

    def condition(self, condition: Any, scope: Scope) -> Value:
        """Whether the condition of an instruction holds."""
        self.expressions.bits = scope.bits
        return self.expressions.condition(condition)

    def box(self, inst: Any, operation: BoxOp, scope: Scope, where: Where) -> None:
        """A body that is just run."""
        self.block(inst, operation.blocks[0], scope, where, 0)

    def if_else(self, inst: Any, operation: IfElseOp, scope: Scope, where: Where) -> None:
        """One body or another."""
        holds = self.condition(operation.condition, scope)
        self.choose(inst, operation, scope, where, [holds])

    def switch(self, inst: Any, operation: SwitchCaseOp, scope: Scope, where: Where) -> None:
        """The body that has the target's value among its labels."""
        self.expressions.bits = scope.bits
        matches: list[Value] = []
        equals = self.expressions.matcher(operation.target)
        for labels, _ in operation.cases_specifier():
            if CASE_DEFAULT not in labels:
                matches.append(self.any_of([equals(int(label)) for label in labels]))
        self.choose(inst, operation, scope, where, matches)

    def any_of(self, bits: Sequence[Value]) -> Value:
        """Whether one of some bits is 1, of which at most one can be."""
        return bits[0] if len(bits) == 1 else self.build.op("xor", bits)

    def choose(
        self, inst: Any, operation: Any, scope: Scope, where: Where, bits: Sequence[Value]
    ) -> None:
        """The block whose bit is 1, of which at most one is; the one block more if none is."""
        blocks = operation.blocks
        if is_straight(operation):
            if len(blocks) > len(bits):
                bits = [*bits, self.build.not_(self.any_of(bits)) if bits else self.build.i1(1)]
            for at, (block, bit) in enumerate(zip(blocks, bits, strict=True)):
                with self.cells.under(bit):
                    self.block(inst, block, scope, where, at)
            return
        after = Label(self.build)
        for at, bit in enumerate(bits):
            chosen, others = self.build.new_block(), Label(self.build)
            last = at == len(blocks) - 1
            self.build.cond_br(bit, chosen, (after if last else others).block)
            self.build.enter(chosen)
            self.block(inst, blocks[at], scope, where, at)
            after.go()
            others.here()
        if len(blocks) > len(bits):
            self.block(inst, blocks[-1], scope, where, len(bits))
        after.here()

    def while_loop(self, inst: Any, operation: WhileLoopOp, scope: Scope, where: Where) -> None:
        """A body again and again while a condition holds."""
        header, after = Label(self.build), Label(self.build)
        header.go()
        header.here()
        holds = self.condition(operation.condition, scope)
        body = self.build.new_block()
        self.build.cond_br(holds, body, after.block)
        self.build.enter(body)
        self.loops.append(Loop(header, after))
        self.block(inst, operation.blocks[0], scope, where, 0)
        self.loops.pop()
        header.go()
        after.here()

    def for_loop(self, inst: Any, operation: ForLoopOp, scope: Scope, where: Where) -> None:
        """A body once for each index."""
        indices, parameter, body = operation.params
        if any(abs(index) > MAX_INDEX for index in (*indices[:1], *indices[-1:])):
            raise LineError("limit passed: the index of a loop is too large", kind=Kind.LIMIT)

        def run(index: Value) -> None:
            if isinstance(parameter, Parameter):
                self.environment[parameter] = index
            elif parameter is not None:
                self.cells.write(*self.expressions.as_variable(parameter, index))
            self.block(inst, body, scope, where, 0)

        if isinstance(parameter, Parameter) and not is_linear(body, parameter, self.environment):
            self.unrolled(inst, operation, scope, where)
        elif (steady := _as_range(indices)) is not None:
            self.counted(steady, run)
        else:
            self.listed(indices, run)
        self.environment.pop(parameter, None)

    def counted(self, indices: range, run: Callable[[Value], None]) -> None:
        """A loop over a range."""
        end = self.build.i64(indices.start + len(indices) * indices.step)
        loc = self.build.loc
        header = self.build.new_block([Type.I64])
        self.build.br(header, [self.build.i64(indices.start)])
        self.build.enter(header)
        (index,) = header.args
        predicate = {"predicate": "slt" if indices.step > 0 else "sgt"}
        body, after = self.build.new_block(), Label(self.build)
        self.build.cond_br(self.build.op("cmpi", [index, end], {**predicate}), body, after.block)
        self.build.enter(body)
        loop = Loop(Label(self.build), after)
        self.loops.append(loop)
        run(index)
        self.loops.pop()
        self.build.loc = loc
        loop.following.here()
        if not self.build.ended:
            following = self.build.op("addi", [index, self.build.i64(indices.step)])
            self.build.br(header, [following])
        after.here()

    def listed(self, indices: Sequence[int], run: Callable[[Value], None]) -> None:
        """A loop over the elements of a list, which is kept in memory."""
        cells = [Cell("list", self.lists + at, Type.I64) for at in range(len(indices))]
        self.lists += len(indices)
        self.count(len(indices))
        for cell, index in zip(cells, indices, strict=True):
            self.cells.write(cell, self.build.i64(index))
        first = cells[0].address

        def element(address: Value) -> None:
            run(self.build.op("load_i64", [address], {"space": "list"}))

        self.counted(range(first, first + len(cells)), element)

    def unrolled(self, inst: Any, operation: ForLoopOp, scope: Scope, where: Where) -> None:
        """A body once for each index, which is a known number in it."""
        indices, parameter, body = operation.params
        if self.operations + len(indices) * instructions(body) > MAX_OPERATIONS:
            message = (
                f"limit passed: unrolled, this loop has more than {MAX_OPERATIONS:,} operations"
            )
            raise LineError(message, kind=Kind.LIMIT)
        after = Label(self.build)
        for index in indices:
            following = Label(self.build)
            self.environment[parameter] = index
            self.loops.append(Loop(following, after))
            self.block(inst, body, scope, where, 0)
            self.loops.pop()
            following.here()
            if self.build.ended:
                break
        after.here()

    def break_loop(self, inst: Any, operation: Any, scope: Scope, where: Where) -> None:
        """Go on after the loop."""
        self.loop().after.go()

    def continue_loop(self, inst: Any, operation: Any, scope: Scope, where: Where) -> None:
        """Go on with the next round of the loop."""
        self.loop().following.go()

    def loop(self) -> Loop:
        """The innermost loop."""
        if not self.loops:
            raise LineError("there is no loop here to leave")
        return self.loops[-1]


def _as_range(indices: Sequence[int]) -> range | None:
    """Indices at equal distances, as a range."""
    if isinstance(indices, range):
        return indices
    if len(indices) < 2:
        return range(indices[0], indices[0] + 1) if indices else range(0)
    step = indices[1] - indices[0]
    if step == 0 or any(b - a != step for a, b in pairwise(indices)):
        return None
    return range(indices[0], indices[-1] + step, step)
