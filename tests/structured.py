"""Random structured programs: branches, loops, calls, memory and computed slots in any mixture.

What a program does depends on measurements in every way it can: conditions, loop exits, numbers,
addresses, slots, angles.  Every loop ends after a few iterations, and few runs have an error.
"""

from __future__ import annotations

from typing import TypeVar

from hypothesis import strategies as st

from qwasmc.ir.builder import FunctionBuilder
from qwasmc.ir.program import Program, Value
from qwasmc.ops import Type
from qwasmc.scalars import FLOAT_PREDICATES, INTEGER, INTEGER_PREDICATES

T = TypeVar("T")

SLOTS = 4
CELLS = 4
TYPES = (Type.I1, Type.I64, Type.F64)
SIGNATURE = (Type.I1, Type.I64)
GATES = ("h", "x", "s", "t", "reset")
MEASUREMENTS = ("measure_z", "measure_x", "measure_y")
DIVISIONS = ("divsi", "divui", "remsi", "remui")
NUMBERS = ("addf", "subf", "mulf", "divf")
INTEGERS = st.integers(-3, 9) | st.sampled_from([-(2**63), 2**63 - 1, 2**32])
REALS = st.sampled_from([0.0, -0.0, 0.5, 1.0, -2.0, 3.25])

SIMPLE = (
    *("gate", "gate", "gate", "pair", "measure", "measure", "rotate", "bit", "bit"),
    *("integer", "integer", "number", "store", "load", "result", "dynamic"),
)
NESTED = ("if", "if", "if", "loop", "switch", "call", "stop")


class Writer:
    """Writes the statements of one function; `scope` are the values that may be used."""

    def __init__(self, draw: st.DrawFn, build: FunctionBuilder, names: list[str]) -> None:
        self.draw = draw
        self.build = build
        self.names = names
        """Functions that may be called."""
        self.scope: dict[Type, list[Value]] = {type: [] for type in TYPES}

    def pick(self, items: st.SearchStrategy[T] | tuple[T, ...] | list[T]) -> T:
        if isinstance(items, tuple | list):
            items = st.sampled_from(items)
        return self.draw(items)

    def chance(self, percent: int) -> bool:
        return self.draw(st.integers(0, 99)) < percent

    def define(self, value: Value) -> Value:
        self.scope[value.type].append(value)
        return value

    def value(self, type: Type) -> Value:
        """A value in scope, most often a recent one, or a constant."""
        known = self.scope[type]
        if known and self.chance(92):
            return self.pick(known[-4:] if self.chance(60) else known)
        if type is Type.I1:
            return self.build.i1(self.pick((0, 1)))
        if type is Type.I64:
            return self.build.i64(self.pick(INTEGERS))
        return self.build.f64(self.pick(REALS))

    def below(self, count: int) -> Value:
        """A number in range(count), for a power of two."""
        return self.build.op("andi", [self.value(Type.I64), self.build.i64(count - 1)])

    def slot(self) -> int | Value:
        return self.below(SLOTS) if self.chance(25) else self.pick(tuple(range(SLOTS)))

    # -- statements

    def statements(self, depth: int, most: int) -> None:
        for _ in range(self.pick(st.integers(most // 2, most))):
            kinds = SIMPLE + (NESTED if depth else ())
            if self.build.ended:
                return
            kind = self.pick(kinds)
            if kind in NESTED:
                getattr(self, kind)(depth - 1)
            else:
                getattr(self, kind)()

    def gate(self) -> None:
        cond = self.value(Type.I1) if self.chance(30) else None
        self.build.gate(self.pick(GATES), [self.slot()], cond=cond)

    def pair(self) -> None:
        first = self.slot()
        if isinstance(first, int):
            second: int | Value = (first + self.pick((1, 2, 3))) % SLOTS
        else:
            another = self.build.op("addi", [first, self.build.i64(self.pick((1, 2, 3)))])
            second = self.build.op("andi", [another, self.build.i64(SLOTS - 1)])
        self.build.gate(self.pick(("cx", "cz", "swap")), [first, second])

    def rotate(self) -> None:
        name = self.pick(("rz", "ppr"))
        attrs = {"paulis": "X"} if name == "ppr" else None
        self.build.gate(name, [self.slot()], angle=self.value(Type.F64), attrs=attrs)

    def measure(self) -> None:
        cond = self.value(Type.I1) if self.chance(10) else None
        name = self.pick(MEASUREMENTS)
        self.define(self.build.measure(name, [self.slot()], cond=cond))

    def dynamic(self) -> None:
        """A qubit in a fresh slot, for a short time or for ever."""
        slot = self.build.op("slot")
        self.build.alloc(slot, "d")
        self.build.gate("h", [slot])
        self.build.gate("cx", [self.pick((0, 1)), slot])
        self.define(self.build.measure("measure_z", [slot]))
        if self.chance(70):
            self.build.free(slot)

    def bit(self) -> None:
        kind = self.pick(("xor", "and", "cmpi", "cmpi", "cmpf", "trunci", "select"))
        build = self.build
        if kind in ("xor", "and"):
            found = build.op(kind, [self.value(Type.I1) for _ in range(self.pick((2, 3)))])
        elif kind == "select":
            found = build.op("select_i1", [self.value(Type.I1) for _ in range(3)])
        elif kind == "trunci":
            found = build.op("trunci", [self.value(Type.I64)])
        else:
            type, known = (Type.I64, INTEGER_PREDICATES) if kind == "cmpi" else (
                Type.F64, FLOAT_PREDICATES)  # fmt: skip
            attrs = {"predicate": self.pick(sorted(known))}
            found = build.op(kind, [self.value(type), self.value(type)], attrs)
        self.define(found)

    def integer(self) -> None:
        kind = self.pick((*sorted(INTEGER), "addi", "extui", "extui", "extsi", "select", "float"))
        build = self.build
        if kind == "extui":
            found = build.op("extui", [self.value(Type.I1)])
        elif kind == "extsi":
            found = build.op("extsi", [self.value(Type.I64)], {"bits": self.pick((1, 2, 8, 64))})
        elif kind == "select":
            operands = [self.value(Type.I1), self.value(Type.I64), self.value(Type.I64)]
            found = build.op("select_i64", operands)
        elif kind == "float":
            found = build.op(self.pick(("fptosi", "fptoui")), [self.value(Type.F64)])
        else:
            a, b = self.value(Type.I64), self.value(Type.I64)
            if kind in DIVISIONS or kind == "muli":
                a = build.op("extsi", [a], {"bits": 4})  # long division takes long
                b = build.op("extsi", [b], {"bits": 4})
            if kind in DIVISIONS and self.chance(90):
                b = build.op("ori", [b, build.i64(1)])
            found = build.op(kind, [a, b])
        self.define(found)

    def number(self) -> None:
        kind = self.pick(("sitofp", "select", "math", *NUMBERS))
        build = self.build
        if kind == "sitofp":
            found = build.op(self.pick(("sitofp", "uitofp")), [self.below(8)])
        elif kind == "select":
            operands = [self.value(Type.I1), self.value(Type.F64), self.value(Type.F64)]
            found = build.op("select_f64", operands)
        elif kind == "math":
            found = build.op("mathf", [self.value(Type.F64)], {"function": "floor"})
        else:
            found = build.op(kind, [self.value(Type.F64), self.value(Type.F64)])
        self.define(found)

    def address(self) -> Value:
        cells = self.below(CELLS) if self.chance(30) else None
        return cells or self.build.i64(self.pick(tuple(range(CELLS))))

    def store(self) -> None:
        type = self.pick(TYPES)
        operands = [self.value(type), self.address()]
        self.build.do(f"store_{type.value}", operands, {"space": type.value})

    def load(self) -> None:
        type = self.pick(TYPES)
        self.define(self.build.op(f"load_{type.value}", [self.address()], {"space": type.value}))

    def result(self) -> None:
        type = self.pick(TYPES)
        name = {Type.I1: "result", Type.I64: "result_i64", Type.F64: "result_f64"}[type]
        attrs = {"name": self.pick(("a", "b")) + type.value}
        self.build.do(name, [self.value(type)], attrs)

    # -- statements with statements in them

    def inner(self, depth: int, most: int = 3) -> None:
        """Statements whose values cannot be used after them."""
        before = {type: list(values) for type, values in self.scope.items()}
        self.statements(depth, most)
        self.scope = before

    def branch(self, depth: int, join: object, types: tuple[Type, ...]) -> None:
        before = {type: list(values) for type, values in self.scope.items()}
        self.statements(depth, 4)
        if not self.build.ended:
            self.build.br(join, [self.value(type) for type in types])
        self.scope = before

    def join(self, block: object) -> None:
        self.build.enter(block)
        for argument in block.args:
            self.define(argument)

    def if_(self, depth: int) -> None:
        types = tuple(self.pick(st.lists(st.sampled_from(TYPES), max_size=2)))
        then, otherwise = self.build.new_block(), self.build.new_block()
        join = self.build.new_block(types)
        self.build.cond_br(self.value(Type.I1), then, otherwise)
        self.build.enter(then)
        self.branch(depth, join, types)
        self.build.enter(otherwise)
        if self.chance(50):
            self.branch(depth, join, types)
        else:
            self.build.br(join, [self.value(type) for type in types])
        self.join(join)

    def switch(self, depth: int) -> None:
        """A chain of tests of one integer; nothing else is possible than what they ask for."""
        value = self.below(4)
        join = self.build.new_block((Type.I64,))
        for case in range(4):
            block, following = self.build.new_block(), self.build.new_block()
            test = self.build.op("cmpi", [value, self.build.i64(case)], {"predicate": "eq"})
            self.build.cond_br(test, block, following)
            self.build.enter(block)
            self.branch(0, join, (Type.I64,))
            self.build.enter(following)
        self.build.fail("no such case")
        self.join(join)

    def loop(self, depth: int) -> None:
        """A loop over a few numbers that a bit may end or shorten."""
        build, types = self.build, (Type.I64, self.pick(TYPES))
        head, body, rest = build.new_block(types), build.new_block(), build.new_block(types[1:])
        build.br(head, [build.i64(0), self.value(types[1])])
        self.join(head)
        bound = build.i64(self.pick((1, 2, 3)))
        goes_on = build.op("cmpi", [head.args[0], bound], {"predicate": "slt"})
        if self.chance(20):
            goes_on = build.op("and", [goes_on, self.value(Type.I1)])
        build.cond_br(goes_on, body, rest, [], [head.args[1]])
        build.enter(body)
        before = {type: list(values) for type, values in self.scope.items()}
        self.statements(depth, 4)
        for way_out in (rest, head):  # break and continue
            if self.chance(30) and not build.ended:
                other = build.new_block()
                args = [self.value(types[1])]
                if way_out is head:
                    args = [build.op("addi", [head.args[0], build.i64(1)]), *args]
                build.cond_br(self.value(Type.I1), way_out, other, args, [])
                build.enter(other)
                self.statements(0, 2)
        if not build.ended:
            step = build.op("addi", [head.args[0], build.i64(1)])
            build.br(head, [step, self.value(types[1])])
        self.scope = before
        self.join(rest)

    def call(self, depth: int) -> None:
        if self.names:
            args = [self.value(type) for type in SIGNATURE]
            for value in self.build.call(self.pick(self.names), args, SIGNATURE):
                self.define(value)

    def stop(self, depth: int) -> None:
        """Some runs end here."""
        then, otherwise = self.build.new_block(), self.build.new_block()
        self.build.cond_br(self.value(Type.I1), then, otherwise)
        self.build.enter(then)
        kind = self.pick(("halt", "fail", "return"))
        if kind == "return" and self.build.function.name != "main":
            self.build.ret([self.value(type) for type in SIGNATURE])
        elif kind == "fail":
            self.build.fail(self.pick(("one", "two")))
        else:
            self.build.halt()
        self.build.enter(otherwise)


setattr(Writer, "if", Writer.if_)


@st.composite
def structured(draw: st.DrawFn, depth: int = 3) -> Program:
    """A program that runs about a hundred operations; most of its qubits are always there."""
    functions = []
    names: list[str] = []
    for name in ("f", "g"):
        build = FunctionBuilder(name, SIGNATURE, SIGNATURE)
        writer = Writer(draw, build, list(names))
        for argument in build.block.args:
            writer.define(argument)
        writer.statements(min(depth, 2), 3)
        if not build.ended:
            build.ret([writer.value(type) for type in SIGNATURE])
        functions.append(build.function)
        names.append(name)
    build = FunctionBuilder("main")
    writer = Writer(draw, build, names)
    for slot in range(SLOTS):
        build.alloc(slot, f"q{slot}")
        build.gate("h", [slot])
    for cell in range(CELLS - 1):  # the last one is not written
        for type in TYPES:
            value = writer.value(type)
            build.do(f"store_{type.value}", [value, build.i64(cell)], {"space": type.value})
    for _ in range(3):
        writer.measure()
    writer.scope[Type.I1].reverse()
    writer.statements(depth, 9)
    for type in TYPES:
        writer.define(build.op(f"load_{type.value}", [build.i64(1)], {"space": type.value}))
        for _ in range(2):
            writer.result()
    build.ret()
    return Program([build.function, *functions])
