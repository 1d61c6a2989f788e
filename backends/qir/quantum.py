"""Operations on qubits, and what is recorded of them, in one function of a program.

    %q = extract %c2; %r = x %q if %m      br i1 %v1, label %then1, label %end1
                                           then1: call void @__quantum__qis__x__body(ptr ...2...)

A slot that is known is the number of a qubit; one that counts a loop becomes a pointer.
"""

from __future__ import annotations

from collections.abc import Sequence

from qwasmc.backends.clifford import MEASURED
from qwasmc.backends.qir.cells import SPACE
from qwasmc.backends.qir.classical import Classical, Shared
from qwasmc.backends.qir.gates import MEASUREMENTS, Call, gate, measurement
from qwasmc.backends.qir.module import FALSE, TRUE, Record, double, pointer
from qwasmc.backends.qir.survey import homes, ops
from qwasmc.ir.program import Op, Value
from qwasmc.ops import Type


class Quantum(Classical):
    """Qubits are known by operands; each measurement has a result of its own."""

    def __init__(self, shared: Shared, name: str) -> None:
        super().__init__(shared, name)
        self.qubits: dict[Value, str] = {}
        """Qubit values as operands."""
        self.parameters: dict[Value, str] = {}
        """Parameters that are numbers of qubits, as operands."""
        self.counters = {value for block in self.function.blocks[1:] for value in block.args}
        """Arguments of blocks."""
        self.pointers: dict[tuple[int, Value], str] = {}
        """By block and counter, the qubit that it numbers."""
        self.homes = homes(self.function)
        self.ready: set[int] = set()
        """Numbers of qubits that the first block has allocated."""
        self.called = False
        """Whether another function has been called, which may have used any qubit."""
        self.once = self.is_main and self.flow.loops is not None
        self.looping = {block for loop in self.flow.loops or () for block in loop.blocks}
        self.records: dict[int, list[Record]] = {}
        """By block, what it records."""
        self.kept: dict[Value, int] = {}
        """The number of the result that holds a bit from its measurement to the end."""
        self.read: set[Value] = set()
        """Values that something is done with, besides recording them."""
        self.recorded: set[Value] = set()
        for op in ops(self.flow):
            if op.name == "result":
                self.recorded.update(op.operands)
            elif op.name != "store_i1" or (op.attrs or {})["space"] != SPACE:
                self.read.update(op.operands, *(target.args for target in op.targets))
            if op.cond is not None:
                self.read.add(op.cond)

    @property
    def runs_once(self) -> bool:
        """Whether the block being written runs at most once."""
        return self.once and self.here not in self.looping

    # -- qubits

    def qubit(self, slot: Value, op: Op) -> str:
        """The operand for the qubit with a number."""
        if slot in self.parameters:
            return self.parameters[slot]
        if slot in self.constants:
            return pointer(self.constants[slot])
        known = self.looping and slot not in self.shared.dependence.values
        if slot not in self.counters or not known:
            message = "QIR numbers qubits by constants and counters of loops"
            raise self.refusal(f"{message}, and this number is computed", op)
        key = (self.here, slot)
        if key not in self.pointers:
            self.body.under()
            code = f"inttoptr i64 {self.operand(slot, op)} to ptr"
            self.pointers[key] = f"ptr {self.body.value(code)}"
        return self.pointers[key]

    def _slot(self, op: Op) -> None:
        if not self.runs_once:
            raise self.refusal("QIR has a fixed number of qubits, and this may need any number", op)
        self.constants[op.results[0]] = self.fresh()

    def fresh(self) -> int:
        """The number of one more qubit."""
        self.shared.qubits += 1
        return self.shared.qubits - 1

    def _alloc(self, op: Op) -> None:
        """A qubit is known to be in |0> only where it has surely not been used before."""
        (made,) = op.results
        home = self.homes.get(made)
        if home is None:
            clean = self.runs_once
            number = self.fresh()
        elif home in self.constants:
            number = self.constants[home]
            clean = self.is_main and not self.here and not self.called and number not in self.ready
            self.ready.add(number)
        else:
            raise self.refusal("QIR has a fixed number of qubits, and this one is computed", op)
        self.qubits[made] = pointer(number)
        if not clean:
            self.call(gate("reset")[0], [self.qubits[made]], "")

    def _extract(self, op: Op) -> None:
        self.qubits[op.results[0]] = self.qubit(op.operands[0], op)

    def _insert(self, op: Op) -> None:
        if self.qubits[op.operands[0]] != self.qubit(op.operands[1], op):
            raise self.refusal("a qubit gets another number, which QIR cannot say", op)

    def _free(self, op: Op) -> None:
        """A qubit that is used again is reset then."""

    _syndrome = _require = _pragma = _free

    def _barrier(self, op: Op) -> None:
        self.keep(op)

    def keep(self, op: Op) -> None:
        """The qubits that an operation hands on."""
        for before, after in zip(op.operands, op.results, strict=False):
            if after.type is Type.QUBIT:
                self.qubits[after] = self.qubits[before]

    # -- gates and measurements

    def act(self, op: Op) -> None:
        """A gate, a reset or a measurement."""
        self.keep(op)
        if op.cond is not None and op.cond not in self.names:
            self.body.under()  # it was measured in the branch that is open
        bit = TRUE if op.cond is None else self.operand(op.cond, op)
        if bit == FALSE:
            if op.spec.makes_bit:
                self.names[op.results[-1]] = FALSE
            return
        qubits = [self.qubits[value] for value in op.operands if value in self.qubits]
        paulis = MEASURED.get(op.name) or str((op.attrs or {}).get("paulis", ""))
        calls = () if op.name in MEASUREMENTS else gate(op.name, paulis)
        angles = {turn: self.angle(turn, op) for turn in dict.fromkeys(c.turn for c in calls)}
        self.body.under("" if bit == TRUE else bit)
        for call in calls:
            self.call(call, qubits, angles[call.turn])
        if op.name in MEASUREMENTS:
            self.measure(op, paulis, qubits)

    def call(self, call: Call, qubits: Sequence[str], angle: str) -> None:
        """Append the call of a gate."""
        angles = [f"double {angle}"] if angle else []
        self.body.do(self.module.qis(call.stem, angles, [qubits[at] for at in call.on]))

    def angle(self, turn: float, op: Op) -> str:
        """The operand for so many times the angle of an operation; nothing for 0."""
        if not turn:
            return ""
        if "angle" in (op.attrs or {}):
            return double(turn * float((op.attrs or {})["angle"]))
        value = op.operands[-1]
        if value in self.numbers:
            return double(turn * self.numbers[value])
        angle = self.operand(value, op)
        if turn == 1.0:
            return angle
        self.body.under()
        return self.body.value(f"fmul double {angle}, {double(turn)}")

    def measure(self, op: Op, paulis: str, qubits: Sequence[str]) -> None:
        """Measure a Pauli product, and read the outcome if it is used."""
        bit = op.results[-1]
        made = measurement(paulis)
        if made.target < 0:
            self.names[bit] = FALSE
            return
        number = self.shared.cells.measured.get(bit, -1)
        if number < 0:
            number = self.shared.results
            self.shared.results += 1
            if self.runs_once and not self.body.bit:
                self.kept[bit] = number
        for call in made.gather:
            self.call(call, qubits, "")
        self.body.do(self.module.measure(qubits[made.target], pointer(number)))
        if bit in self.read or (bit in self.recorded and bit not in self.kept):
            read = self.body.value(self.module.runtime("read_result", pointer(number)))
            self.body.define(self.names, bit, read)
        for call in made.scatter:
            self.call(call, qubits, "")

    # -- results

    def record(self, kind: str, value: str, op: Op) -> None:
        """Let something be recorded where the program ends."""
        if not self.is_main or self.here not in self.flow.last:
            message = "QIR records results at the end, and this one is not on every way there"
            raise self.refusal(f"{message}, or more than once", op)
        name = str((op.attrs or {})["name"])
        self.records.setdefault(self.here, []).append(Record(kind, value, name))

    def _result(self, op: Op) -> None:
        (bit,) = op.operands
        if bit in self.kept:
            self.record("result", pointer(self.kept[bit]), op)
        else:
            self.record("bool", f"i1 zeroext {self.operand(bit, op)}", op)

    def _result_i64(self, op: Op) -> None:
        self.record("int", f"i64 {self.operand(op.operands[0], op)}", op)

    def _result_f64(self, op: Op) -> None:
        self.record("double", f"double {self.operand(op.operands[0], op)}", op)

    def _result_int(self, op: Op) -> None:
        bits = self.operands(op.operands, op)
        self.module.integers |= not {TRUE, FALSE}.issuperset(bits)
        self.record("int", f"i64 {self.body.integer(bits)}", op)
