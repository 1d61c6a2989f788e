"""Random structured programs that QIR can say: branches, loops, calls, numbers, no other memory."""

from __future__ import annotations

from hypothesis import strategies as st
from structured import SLOTS, TYPES, Writer

from qwasmc.ir.builder import FunctionBuilder, Slot
from qwasmc.ir.program import Program, Value
from qwasmc.ops import Type

SIMPLE = ("gate", "gate", "pair", "measure", "measure", "rotate", "rotate", "bit", "bit", "integer")
NESTED = ("if", "if", "loop", "switch", "call", "each")
SIGNATURE = (Type.I64, Type.I1, Type.I64, Type.F64, Type.I64)
"""Parameters of a function: the first and the last one number qubits."""
INTEGER = ("addi", "subi", "andi", "xori", "shli", "shrsi", "shrui", "muli", "extui")
ROTATIONS = ("rx", "ry", "rz", "p", "cp", "crz")


class QirWriter(Writer):
    """Writes statements with known qubits, parameters that are qubits, and counters."""

    def __init__(
        self, draw: st.DrawFn, build: FunctionBuilder, names: dict[str, Type | None]
    ) -> None:
        super().__init__(draw, build, list(names))
        self.returned = names
        self.qubits: list[Slot] = list(range(SLOTS))

    def statements(self, depth: int, most: int) -> None:
        for _ in range(self.pick(st.integers(most // 2, most))):
            kind = self.pick(SIMPLE + (NESTED if depth else ()))
            if self.build.ended:
                return
            if kind in NESTED:
                getattr(self, kind)(depth - 1)
            else:
                getattr(self, kind)()

    def two(self) -> list[Slot]:
        return self.pick(st.permutations(self.qubits))[:2]

    def slot(self) -> Slot:
        return self.pick(self.qubits)

    def pair(self) -> None:
        cond = self.value(Type.I1) if self.chance(30) else None
        self.build.gate(self.pick(("cx", "cy", "cz", "swap")), self.two(), cond=cond)

    def rotate(self) -> None:
        name = self.pick(ROTATIONS)
        cond = self.value(Type.I1) if self.chance(30) else None
        angle: float | Value = self.pick((0.25, -1.5)) if self.chance(50) else self.value(Type.F64)
        qubits = self.two() if name in ("cp", "crz") else [self.slot()]
        self.build.gate(name, qubits, angle=angle, cond=cond)

    def integer(self) -> None:
        kind = self.pick(INTEGER)
        build = self.build
        if kind == "extui":
            found = build.op("extui", [self.value(Type.I1)])
        elif self.chance(20):
            found = build.op("extsi", [self.value(Type.I64)], {"bits": self.pick((1, 8, 64))})
        elif self.chance(20):
            divisor = build.op("ori", [build.op("andi", [self.value(Type.I64), build.i64(6)]),
                                       build.i64(1)])  # fmt: skip
            name = self.pick(("divsi", "divui", "remsi", "remui"))
            found = build.op(name, [self.value(Type.I64), divisor])
        else:
            found = build.op(kind, [self.value(Type.I64), self.value(Type.I64)])
        self.define(found)
        if self.chance(30):
            operands = [self.value(Type.F64), self.value(Type.F64)]
            self.define(build.op(self.pick(("addf", "subf", "mulf")), operands))
        if self.chance(30):
            operands = [self.value(Type.I1), self.value(Type.F64), self.value(Type.F64)]
            self.define(build.op("select_f64", operands))

    def each(self, depth: int) -> None:
        """A loop over qubits, by a counter; nothing in it depends on measurements."""
        build = self.build
        head, body, rest = build.new_block((Type.I64,)), build.new_block(), build.new_block()
        build.br(head, [build.i64(self.pick((0, 1)))])
        build.enter(head)
        more = build.op("cmpi", [head.args[0], build.i64(SLOTS)], {"predicate": "slt"})
        build.cond_br(more, body, rest)
        build.enter(body)
        build.gate(self.pick(("h", "t", "s")), [head.args[0]])
        if self.chance(50):
            cond = self.value(Type.I1)
            build.gate("x", [head.args[0]], cond=cond)
        build.br(head, [build.op("addi", [head.args[0], build.i64(1)])])
        build.enter(rest)

    def switch(self, depth: int) -> None:
        """A chain of tests of one integer."""
        value = self.below(4)
        join = self.build.new_block((Type.I64,))
        for case in range(3):
            block, following = self.build.new_block(), self.build.new_block()
            test = self.build.op("cmpi", [value, self.build.i64(case)], {"predicate": "eq"})
            self.build.cond_br(test, block, following)
            self.build.enter(block)
            self.branch(0, join, (Type.I64,))
            self.build.enter(following)
        self.branch(0, join, (Type.I64,))
        self.join(join)

    def call(self, depth: int) -> None:
        if not self.names:
            return
        name = self.pick(self.names)
        one, two = self.two()
        args = [self.number_of(one), *(self.value(t) for t in SIGNATURE[1:-1]), self.number_of(two)]
        type = self.returned[name]
        for value in self.build.call(name, args, [type] if type else []):
            self.define(value)

    def number_of(self, slot: Slot) -> Value:
        return self.build.i64(slot) if isinstance(slot, int) else slot


setattr(QirWriter, "if", Writer.if_)


@st.composite
def qir_programs(draw: st.DrawFn, depth: int = 2) -> Program:
    """A program with two functions that records numbers and bits at its end."""
    names: dict[str, Type | None] = {}
    functions = []
    for name in ("f", "g"):
        returned = draw(st.sampled_from((None, *TYPES)))
        build = FunctionBuilder(name, SIGNATURE, [returned] if returned else [])
        writer = QirWriter(draw, build, dict(names))
        first, *others, last = build.block.args
        writer.qubits = [first, last]
        for argument in others:
            writer.define(argument)
        writer.statements(1, 4)
        build.ret([writer.value(returned)] if returned else [])
        functions.append(build.function)
        names[name] = returned
    build = FunctionBuilder("main")
    writer = QirWriter(draw, build, names)
    for slot in range(SLOTS):
        build.alloc(slot, f"q{slot}")
        build.gate("h", [slot])
    for _ in range(3):
        writer.measure()
    writer.statements(depth, 6)
    for number in range(4):
        type = writer.pick(TYPES)
        row = {Type.I1: "result", Type.I64: "result_i64", Type.F64: "result_f64"}[type]
        build.do(row, [writer.value(type)], {"name": f"r{number % 3}"})
    for slot in range(2):
        build.do("result", [build.measure("measure_z", [slot])], {"name": f"q{slot}"})
    build.ret()
    return Program([build.function, *functions])
