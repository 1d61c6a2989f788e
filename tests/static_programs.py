"""Random programs whose qubits and addresses are known before they run.

They branch, loop, leave loops in the middle, call functions and compute with bits and integers, all
depending on measurements; each run records the same results, at its end.
"""

from __future__ import annotations

from hypothesis import strategies as st
from structured import SIGNATURE, SLOTS, Writer

from qwasmc.ir.builder import FunctionBuilder
from qwasmc.ir.program import Program, Value
from qwasmc.ops import Type
from qwasmc.scalars import INTEGER_PREDICATES

TYPES = (Type.I1, Type.I64)
WRITTEN = 2
"""Cells of memory of each type."""


class Static(Writer):
    """Writes only what nested statements of bits and integers can say."""

    def slot(self) -> int:
        return self.pick(tuple(range(SLOTS)))

    def address(self) -> Value:
        return self.build.i64(self.pick(tuple(range(WRITTEN))))

    def rotate(self) -> None:
        self.build.gate(self.pick(("rz", "ry")), [self.slot()], angle=self.pick((0.3, 1.1)))

    def bit(self) -> None:
        kind = self.pick(("xor", "and", "cmpi", "trunci", "select"))
        build = self.build
        if kind == "cmpi":
            attrs = {"predicate": self.pick(sorted(INTEGER_PREDICATES))}
            found = build.op(kind, [self.value(Type.I64), self.value(Type.I64)], attrs)
        elif kind == "select":
            found = build.op("select_i1", [self.value(Type.I1) for _ in range(3)])
        elif kind == "trunci":
            found = build.op("trunci", [self.value(Type.I64)])
        else:
            found = build.op(kind, [self.value(Type.I1) for _ in range(self.pick((2, 3)))])
        self.define(found)

    def integer(self) -> None:
        build = self.build
        kind = self.pick(("addi", "subi", "muli", "andi", "ori", "xori", "shift", "extui", "extsi"))
        if kind == "extui":
            found = build.op("extui", [self.value(Type.I1)])
        elif kind == "extsi":
            found = build.op("extsi", [self.value(Type.I64)], {"bits": self.pick((1, 8, 64))})
        elif kind == "shift":
            by = build.i64(self.pick((0, 1, 3, 63, 64)))
            kind = self.pick(("shli", "shrui", "shrsi"))
            found = build.op(kind, [self.value(Type.I64), by])
        else:
            found = build.op(kind, [self.value(Type.I64), self.value(Type.I64)])
        self.define(found)

    def number(self) -> None:
        operands = [self.value(Type.I1), self.value(Type.I64), self.value(Type.I64)]
        self.define(self.build.op("select_i64", operands))

    def store(self) -> None:
        type = self.pick(TYPES)
        operands = [self.value(type), self.address()]
        self.build.do(f"store_{type.value}", operands, {"space": type.value})

    def load(self) -> None:
        type = self.pick(TYPES)
        self.define(self.build.op(f"load_{type.value}", [self.address()], {"space": type.value}))

    def result(self) -> None:
        self.gate()

    def stop(self, depth: int) -> None:
        """Some calls return early."""
        if self.build.function.name == "main":
            return
        then, otherwise = self.build.new_block(), self.build.new_block()
        self.build.cond_br(self.value(Type.I1), then, otherwise)
        self.build.enter(then)
        self.build.ret([self.value(type) for type in SIGNATURE])
        self.build.enter(otherwise)

    def switch(self, depth: int) -> None:
        """A chain of tests of one integer, some of which lead to the same block."""
        value = self.below(4)
        join, shared = self.build.new_block((Type.I64,)), self.build.new_block()
        for case in range(3):
            block, following = self.build.new_block(), self.build.new_block()
            test = self.build.op("cmpi", [value, self.build.i64(case)], {"predicate": "eq"})
            self.build.cond_br(test, shared if case == 1 else block, following)
            self.build.enter(block)
            self.branch(0, join, (Type.I64,))
            self.build.enter(following)
        self.build.br(shared)
        self.build.enter(shared)
        self.branch(0, join, (Type.I64,))
        self.join(join)


@st.composite
def static_programs(draw: st.DrawFn, depth: int = 3) -> Program:
    """A program that runs about a hundred operations on four qubits."""
    functions, names = [], []
    for name in ("f", "g"):
        build = FunctionBuilder(name, SIGNATURE, SIGNATURE)
        writer = Static(draw, build, list(names))
        for argument in build.block.args:
            writer.define(argument)
        writer.statements(min(depth, 2), 3)
        if not build.ended:
            build.ret([writer.value(type) for type in SIGNATURE])
        functions.append(build.function)
        names.append(name)
    build = FunctionBuilder("main")
    writer = Static(draw, build, names)
    for slot in range(SLOTS):
        build.alloc(slot, f"q{slot}")
        build.gate("h", [slot])
    for cell in range(WRITTEN):
        for type in TYPES:
            operands = [writer.value(type), build.i64(cell)]
            build.do(f"store_{type.value}", operands, {"space": type.value})
    for _ in range(3):
        writer.measure()
    writer.statements(depth, 9)
    build.do("result", [writer.value(Type.I1)], {"name": "flag"})
    build.do("result_i64", [writer.value(Type.I64)], {"name": "number"})
    build.ret()
    return Program([build.function, *functions])
