"""Circuit -> QIR: the Base Profile where it will do, else the Adaptive Profile.

    measure_z 4 -> 5, 6        call void @__quantum__qis__mz__body(ptr ..., ptr null)
    h 5 if 6                   %v1 = call zeroext i1 @__quantum__rt__read_result(ptr null)
                               br i1 %v1, label %then1, label %end1
                               then1: call void @__quantum__qis__h__body(...) ...
    result 6 "m"               call void @__quantum__rt__result_record_output(ptr null, ptr @0)

A base program has all of its measurements behind all of its gates, and each qubit of its own.  In
an adaptive one a freed qubit is used again, after a reset.  Each measurement has its own result.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from qwasmc.backends.clifford import MEASURED
from qwasmc.backends.live import unique_names
from qwasmc.backends.machine import Label
from qwasmc.backends.qir.gates import (
    GATES,
    MEASUREMENTS,
    REASONS,
    Call,
    gate,
    measurement,
)
from qwasmc.backends.qir.module import (
    ADAPTIVE,
    BASE,
    FALSE,
    TRUE,
    Body,
    Module,
    Record,
    double,
    pointer,
)
from qwasmc.backends.qir.numbers import choose
from qwasmc.backends.refusals import refusal
from qwasmc.diagnostics import CompileError
from qwasmc.ir.circuit import RESULTS, Circuit
from qwasmc.ops import CODE, OPS

ACTING = GATES | MEASUREMENTS

IGNORED = frozenset({"barrier", "syndrome", "require", "pragma", "const", "xor", "and"})
"""Operations that emit nothing where they stand; bits are computed when they are needed."""


def write_circuit(circuit: Circuit) -> str:
    """The QIR of a circuit, as text; raises CompileError for what QIR cannot say."""
    return _Writer(circuit).run()


def _last_uses(circuit: Circuit, wire: Sequence[int]) -> list[int]:
    """The row of the last operation that does something to each wire, or -1."""
    last = [-1] * (max(wire, default=-1) + 1)
    rows = zip(circuit.op.tolist(), circuit.all_values(), strict=True)
    for row, (code, values) in enumerate(rows):
        if OPS[code].name in ACTING:
            for value in values:
                last[wire[value]] = row
    return last


class _Writer:
    """One sweep over the rows.  Neighbours that depend on the same bit share a branch."""

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit
        self.starts: list[int] = circuit.first.tolist()
        self.wire: list[int] = circuit.wires().tolist()
        self.last = _last_uses(circuit, self.wire)
        self.base = self.is_base()
        self.module = Module(BASE if self.base else ADAPTIVE)
        self.body = Body("entry", ["entry:"])
        self.measures = Body("measurements") if self.base else self.body
        self.qubit = [-1] * len(self.last)
        """By wire, the number of its qubit."""
        self.qubits = 0
        self.idle: list[int] = []
        self.result: dict[int, int] = {}
        """The number of the result that a bit was measured into, unless that is conditional."""
        self.results = 0
        self.bits: dict[int, str] = {}
        """Bits that are computed, as operands."""

    def is_base(self) -> bool:
        """Whether nothing depends on a measurement and no qubit is used after one."""
        circuit = self.circuit
        if (circuit.cond >= 0).any():
            return False
        outcomes: set[int] = set()
        rows = zip(circuit.op.tolist(), circuit.all_values(), strict=True)
        for row, (code, values) in enumerate(rows):
            name = OPS[code].name
            if name in MEASUREMENTS:
                if not self.is_last(row, values):
                    return False
                if self.paulis(row).strip("I"):  # the product of nothing is 0, and no outcome
                    outcomes.add(self.starts[row + 1] - 1)
            elif name == "result":
                if values[0] not in outcomes:
                    return False
            elif name == "reset" or name in RESULTS:
                return False
        return True

    def paulis(self, row: int) -> str:
        """The letters of a measurement, or of a rotation about a product; else nothing."""
        spec = OPS[self.circuit.op[row]]
        letters = str(self.circuit.attribute(row)) if spec.attr == "paulis" else ""
        return MEASURED.get(spec.name, letters)

    def is_last(self, row: int, values: Sequence[int]) -> bool:
        """Whether nothing happens to these qubits after a row."""
        return all(self.last[self.wire[value]] == row for value in values)

    def run(self) -> str:
        circuit, body = self.circuit, self.body
        body.do(self.module.runtime("initialize", "ptr null"))
        if self.base:
            self.follow(body, "body")
        outputs: list[tuple[int, list[int]]] = []
        conditions = circuit.cond.tolist()
        rows = zip(circuit.op.tolist(), circuit.all_values(), strict=True)
        for row, (code, values) in enumerate(rows):
            name = OPS[code].name
            if name in RESULTS:
                outputs.append((row, values))
            elif name == "alloc":
                self.alloc(self.wire[self.starts[row]])
            elif name in GATES or name in MEASUREMENTS:
                self.act(row, name, values, conditions[row])
            elif name == "free":
                if not self.base:
                    self.idle.append(self.qubit[self.wire[values[0]]])
            elif name not in IGNORED:
                raise self.refusal(f"'{name}': {REASONS[name]}", row)
        body.under()
        if self.base:
            self.follow(body, "measurements")
            body.lines += self.measures.lines
            self.follow(body, "output")
        self.module.record(body, self.records(outputs))
        body.do("ret i64 0")
        lines = ["define i64 @main() #0 {", *body.lines, "}"]
        return self.module.text([lines], self.qubits, self.results)

    def follow(self, body: Body, label: str) -> None:
        """Go on in the next of the four blocks of a base program."""
        body.do(f"br label %{label}")
        body.start(label)

    def refusal(self, message: str, row: int) -> CompileError:
        return refusal(self.circuit.locations, message, int(self.circuit.loc[row]))

    # -- qubits

    def alloc(self, wire: int) -> None:
        """A qubit in |0>: a new one, or the one that was freed last."""
        if self.idle:
            self.body.under()
            self.qubit[wire] = self.idle.pop()
            self.call(gate("reset")[0], [pointer(self.qubit[wire])], 0.0)
        else:
            self.qubit[wire] = self.qubits
            self.qubits += 1

    def act(self, row: int, name: str, values: Sequence[int], condition: int) -> None:
        """A gate, a reset or a measurement."""
        if not self.depend(condition):
            if OPS[CODE[name]].makes_bit:
                self.bits[self.starts[row + 1] - 1] = FALSE
            return
        qubits = [pointer(self.qubit[self.wire[value]]) for value in values]
        if name in MEASUREMENTS:
            self.measure(row, self.paulis(row), qubits, self.is_last(row, values))
            return
        for call in gate(name, self.paulis(row)):
            self.call(call, qubits, float(self.circuit.angle[row]))

    def call(self, call: Call, qubits: Sequence[str], angle: float) -> None:
        angles = [f"double {double(call.turn * angle)}"] if call.turn else []
        self.body.do(self.module.qis(call.stem, angles, [qubits[at] for at in call.on]))

    def measure(self, row: int, paulis: str, qubits: Sequence[str], last: bool) -> None:
        """Measure a Pauli product; `last` if nothing else happens to its qubits."""
        bit = self.starts[row + 1] - 1
        made = measurement(paulis)
        if made.target < 0:
            self.bits[bit] = FALSE
            return
        for call in made.gather:
            self.call(call, qubits, 0.0)
        result = pointer(self.results)
        self.measures.do(self.module.measure(qubits[made.target], result))
        if self.body.bit:
            read = self.body.value(self.module.runtime("read_result", result))
            self.body.define(self.bits, bit, read)
        else:
            self.result[bit] = self.results
        self.results += 1
        if not last:
            for call in made.scatter:
                self.call(call, qubits, 0.0)

    # -- bits

    def depend(self, condition: int) -> bool:
        """Write what depends on this bit, or on none if it is -1; returns whether it can happen."""
        if condition >= 0 and condition not in self.bits:
            self.body.under()
        bit = self.bit(condition) if condition >= 0 else TRUE
        if bit != FALSE:
            self.body.under("" if bit == TRUE else bit)
        return bit != FALSE

    def bit(self, wanted: int) -> str:
        """A bit as an operand, computed now if it was not before."""
        todo = [wanted]
        while todo:
            value = todo[-1]
            if value in self.bits:
                todo.pop()
            elif value in self.result:
                code = self.module.runtime("read_result", pointer(self.result[value]))
                self.bits[value] = self.body.value(code)
            else:
                row = bisect_right(self.starts, value) - 1
                operands = self.circuit.values(row)
                missing = [each for each in operands if each not in self.bits]
                todo += missing
                if not missing:
                    self.bits[value] = self.computed(row, [self.bits[each] for each in operands])
        return self.bits[wanted]

    def computed(self, row: int, operands: Sequence[str]) -> str:
        """A constant, the parity (`xor`) or the conjunction (`and`) of bits."""
        name = OPS[self.circuit.op[row]].name
        if name == "const":
            return TRUE if self.circuit.attr[row] else FALSE
        return self.body.combined(name, operands)

    # -- results

    def records(self, outputs: Sequence[tuple[int, list[int]]]) -> list[Record]:
        """What is recorded; names that occur twice become different."""
        labels = [Label(str(self.circuit.attribute(row)), "") for row, _ in outputs]
        names = [label.name for label in unique_names(labels)]
        return [self.record(*output, name) for output, name in zip(outputs, names, strict=True)]

    def record(self, row: int, values: Sequence[int], name: str) -> Record:
        op = OPS[self.circuit.op[row]].name
        if op == "result":
            result = self.result.get(values[0])
            if result is not None:
                return Record("result", pointer(result), name)
            return Record("bool", f"i1 zeroext {self.bit(values[0])}", name)
        if op == "result_int":
            bits = [self.bit(value) for value in values]
            self.module.integers |= not {TRUE, FALSE}.issuperset(bits)
            return Record("int", f"i64 {self.body.integer(bits)}", name)
        number = choose(self.circuit, self.body, values, self.bit)
        if number is None:
            message = f"the result '{name}' may be any of too many floating-point numbers"
            raise self.refusal(message, row)
        self.module.floats |= number.startswith("%")
        return Record("double", f"double {number}", name)
