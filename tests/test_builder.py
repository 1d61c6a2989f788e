"""What the function builder writes is well-formed, and acts on the qubits it was told to."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwasmc.diagnostics import CompileError
from qwasmc.ir.builder import FunctionBuilder, Slot
from qwasmc.ir.program import Function, Op, Program, Value
from qwasmc.ops import Type
from qwasmc.text import print_ir
from qwasmc.verify import verify


def written(*builders: FunctionBuilder) -> list[str]:
    """The lines of functions, without their frame, if they are well-formed."""
    program = Program([builder.function for builder in builders])
    verify(program)
    text = print_ir(program, locations=False)
    return [line.strip() for line in text.splitlines()[2:-2]]


def test_a_straight_line_has_no_slots():
    build = FunctionBuilder("main")
    build.alloc(0, "a")
    build.gate("h", [0])
    bit = build.measure("measure_z", [0], hint="bit")
    build.do("result", [bit], {"name": "m"})
    build.ret()
    assert written(build) == [
        '%a = "qw.alloc"() {name = "a"} : () -> !qw.qubit',
        '%a_1 = "qw.h"(%a) : (!qw.qubit) -> !qw.qubit',
        '%a_2, %bit = "qw.measure_z"(%a_1) : (!qw.qubit) -> (!qw.qubit, i1)',
        '"qw.result"(%bit) {name = "m"} : (i1) -> ()',
        '"qw.return"() : () -> ()',
    ]


def test_qubits_go_back_before_a_computed_slot_is_used():
    build = FunctionBuilder("main")
    build.alloc(0, "a")
    number = build.op("extui", [build.i1(1)])
    build.gate("x", [number])
    build.gate("h", [0])
    build.ret()
    assert written(build) == [
        '%a = "qw.alloc"() {name = "a"} : () -> !qw.qubit',
        '%0 = "qw.const"() {value = 1} : () -> i1',
        '%1 = "qw.extui"(%0) : (i1) -> i64',
        '%2 = "qw.const_i64"() {int = 0} : () -> i64',
        '"qw.insert"(%a, %2) : (!qw.qubit, i64) -> ()',
        '%3 = "qw.extract"(%1) : (i64) -> !qw.qubit',
        '%4 = "qw.x"(%3) : (!qw.qubit) -> !qw.qubit',
        '"qw.insert"(%4, %1) : (!qw.qubit, i64) -> ()',
        '%5 = "qw.extract"(%2) : (i64) -> !qw.qubit',
        '%6 = "qw.h"(%5) : (!qw.qubit) -> !qw.qubit',
        '"qw.return"() : () -> ()',
    ]


def test_qubits_go_back_when_a_block_ends():
    build = FunctionBuilder("main")
    again, end = build.new_block([Type.I64]), build.new_block()
    build.alloc(3)
    build.br(again, [build.i64(5)])
    build.enter(again)
    bit = build.measure("measure_x", [3])
    left = build.op("subi", [again.args[0], build.i64(1)], hint="left")
    build.cond_br(build.not_(bit), again, end, then_args=[left])
    build.enter(end)
    build.fail("no")
    assert build.ended
    assert written(build) == [
        '%0 = "qw.alloc"() {name = ""} : () -> !qw.qubit',
        '%1 = "qw.const_i64"() {int = 5} : () -> i64',
        '%2 = "qw.const_i64"() {int = 3} : () -> i64',
        '"qw.insert"(%0, %2) : (!qw.qubit, i64) -> ()',
        '"qw.br"(%1)[^bb1] : (i64) -> ()',
        "^bb1(%3: i64):",
        '%4 = "qw.const_i64"() {int = 3} : () -> i64',
        '%5 = "qw.extract"(%4) : (i64) -> !qw.qubit',
        '%6, %7 = "qw.measure_x"(%5) : (!qw.qubit) -> (!qw.qubit, i1)',
        '%8 = "qw.const_i64"() {int = 1} : () -> i64',
        '%left = "qw.subi"(%3, %8) : (i64, i64) -> i64',
        '%9 = "qw.const"() {value = 1} : () -> i1',
        '%10 = "qw.xor"(%7, %9) : (i1, i1) -> i1',
        '"qw.insert"(%6, %4) : (!qw.qubit, i64) -> ()',
        '"qw.cond_br"(%10, %left)[^bb1, ^bb2] '
        "{operandSegmentSizes = array<i32: 1, 1, 0>} : (i1, i64) -> ()",
        "^bb2:",
        '"qw.fail"() {text = "no"} : () -> ()',
    ]


def test_calls_and_computed_angles():
    build = FunctionBuilder("turn", [Type.I64, Type.F64], [Type.I1])
    number, angle = build.block.args
    build.gate("rz", [number], angle=angle)
    build.gate("ppr", [number, 1], angle=0.5, attrs={"paulis": "XZ"})
    bit = build.measure("ppm", [1, number], attrs={"paulis": "ZZ"})
    build.ret([build.or_(bit, build.i1(0))])
    main = FunctionBuilder("main")
    main.alloc(0)
    main.alloc(1)
    (bit,) = main.call("turn", [main.i64(0), main.f64(1)], [Type.I1])
    main.gate("s", [1], cond=bit)
    main.free(0)
    main.halt()
    verify(Program([main.function, build.function]))
    names = [op.name for op in main.block.ops]
    assert names == [
        *("alloc", "alloc", "const_i64", "const_f64", "insert", "const_i64", "insert", "call"),
        *("extract", "s", "extract", "free", "insert", "halt"),
    ]
    assert repr(main.block.ops[3].attrs) == "{'real': 1.0}"


def test_constants_are_written_once_in_a_block():
    build = FunctionBuilder("main")
    assert build.i64(2) is build.i64(2)
    assert build.f64(0.0) is not build.f64(-0.0)
    assert build.i1(1) is not build.i64(1)
    before = build.i64(2)
    following = build.new_block()
    build.br(following)
    build.enter(following)
    assert build.i64(2) is not before
    build.ret()
    written(build)


# -- which qubits are meant --------------------------------------------------------------------


@dataclass
class Machine:
    """Runs functions of one block: slots hold qubits, and gates say which they act on."""

    slots: dict[int, int] = field(default_factory=dict)
    qubits: dict[Value, int] = field(default_factory=dict)
    numbers: dict[Value, int] = field(default_factory=dict)
    fresh: int = 0
    log: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)

    def run(self, function: Function) -> None:
        for op in function.blocks[0].ops:
            self.operation(op)

    def operation(self, op: Op) -> None:
        taken = tuple(self.qubits.pop(v) for v in op.operands if v.type is Type.QUBIT)
        if op.name == "const_i64":
            self.numbers[op.results[0]] = int((op.attrs or {})["int"])
        elif op.name == "alloc":
            self.qubits[op.results[0]] = self.fresh
            self.fresh += 1
        elif op.name == "extract":
            self.qubits[op.results[0]] = self.slots.pop(self.numbers[op.operands[0]])
        elif op.name == "insert":
            number = self.numbers[op.operands[1]]
            assert number not in self.slots, "full"
            self.slots[number] = taken[0]
        else:
            self.log.append((op.name, taken))
            kept = taken if op.name != "free" else ()
            self.qubits |= zip(op.results, kept, strict=False)


SLOTS = st.integers(0, 3)
STEPS = st.one_of(
    st.tuples(st.just("alloc"), st.tuples(SLOTS), st.tuples(st.booleans())),
    st.tuples(st.sampled_from(["h", "free"]), st.tuples(SLOTS), st.tuples(st.booleans())),
    st.tuples(st.just("cx"), st.tuples(SLOTS, SLOTS), st.tuples(st.booleans(), st.booleans())),
    st.tuples(st.just("call"), st.just(()), st.just(())),
)


@given(st.lists(STEPS, max_size=12))
def test_gates_act_on_the_qubits_in_their_slots(steps: list[tuple]):
    """Slots are named by a constant or, at times, by a value that holds it."""
    build = FunctionBuilder("main")
    values = [build.op("const_i64", attrs={"int": number}) for number in range(4)]
    held: dict[int, int] = {}
    expected: list[tuple[str, tuple[int, ...]]] = []
    fresh = 0
    for name, numbers, computed in steps:
        if name != "alloc" and (len(set(numbers)) < len(numbers) or not held.keys() >= {*numbers}):
            continue
        slots: list[Slot] = [
            values[number] if by_value else number
            for number, by_value in zip(numbers, computed, strict=True)
        ]
        if name == "alloc":
            if numbers[0] in held:
                continue
            build.alloc(slots[0])
            held[numbers[0]] = fresh
            fresh += 1
            continue
        expected.append((name, tuple(held[number] for number in numbers)))
        if name == "call":
            build.call("main", [])
        elif name == "free":
            build.free(slots[0])
            del held[numbers[0]]
        else:
            build.gate(name, slots)
    build.ret()
    verify(Program([build.function]))
    machine = Machine()
    machine.run(build.function)
    assert machine.log == [*expected, ("return", ())]
    kept = {**machine.slots}
    assert set(kept.values()) | set(machine.qubits.values()) == set(held.values())


@pytest.mark.parametrize("computed", [False, True])
def test_a_full_slot_is_found_out(computed: bool):
    build = FunctionBuilder("main")
    build.alloc(0)
    build.alloc(build.i64(0) if computed else 0)
    build.ret()
    verify(Program([build.function]))
    with pytest.raises(AssertionError, match="full"):
        Machine().run(build.function)


def test_the_same_qubit_twice_is_found_out():
    build = FunctionBuilder("f")
    build.alloc(0)
    build.gate("cx", [0, 0])
    build.ret()
    main = FunctionBuilder("main")
    main.ret()
    verify(Program([main.function, build.function]))
    with pytest.raises(KeyError):
        Machine().run(build.function)


def test_a_block_that_has_not_ended_cannot_be_left():
    build = FunctionBuilder("main")
    with pytest.raises(AssertionError):
        build.enter(build.new_block())
    with pytest.raises(CompileError):
        verify(Program([build.function]))
