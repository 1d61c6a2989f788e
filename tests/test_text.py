"""The text form: what is printed reads back the same, and nothing else reads at all."""

from __future__ import annotations

import io
import math
import struct

import numpy as np
import pytest
from function_strategies import flowing_programs
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import circuits, programs, surgeries
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin
from xdsl.parser import Parser
from xdsl.printer import Printer

from qwasmc.backends.unfreeze import unfreeze
from qwasmc.diagnostics import CompileError, Locations
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ir.program import Attr, Block, Function, Program, Target, Value
from qwasmc.ir.surgery import (
    Edge,
    Join,
    Letter,
    Magic,
    RouteTile,
    Row,
    Side,
    Surgery,
    SurgeryBuilder,
    Term,
    encode_join,
)
from qwasmc.ops import Type
from qwasmc.text import parse_ir, print_ir
from qwasmc.verify import verify


def bell() -> Circuit:
    """Two qubits, one corrected; with source positions."""
    builder = CircuitBuilder()
    file = builder.locations.add_file("bell.qwasm", "")
    at = [builder.locations.add(file, line, 4, 9) for line in range(1, 5)]
    a = builder.add("alloc", attr="a", loc=at[0])
    b = builder.add("alloc", attr='b"', loc=at[0])
    a = builder.add("h", [a], loc=at[1])
    a = builder.add("measure_z", [a], loc=at[2])
    b = builder.add("x", [b], cond=a + 1, loc=at[3])
    first = builder.add("ppm", [a, b], attr="XZ")
    builder.add("rz", [first], angle=1e-7)
    return builder.freeze()


BELL = r""""builtin.module"() ({
  %q0 = "qw.alloc"() {name = "a"} : () -> !qw.qubit loc("bell.qwasm":1:4)
  %q1 = "qw.alloc"() {name = "b\22"} : () -> !qw.qubit loc("bell.qwasm":1:4)
  %q2 = "qw.h"(%q0) : (!qw.qubit) -> !qw.qubit loc("bell.qwasm":2:4)
  %q3, %b4 = "qw.measure_z"(%q2) : (!qw.qubit) -> (!qw.qubit, i1) loc("bell.qwasm":3:4)
  %q5 = "qw.x"(%q1, %b4) {cond} : (!qw.qubit, i1) -> !qw.qubit loc("bell.qwasm":4:4)
  %q6, %q7, %b8 = "qw.ppm"(%q3, %q5) {paulis = "XZ"} : (!qw.qubit, !qw.qubit) -> (!qw.qubit, !qw.qubit, i1) loc(unknown)
  %q9 = "qw.rz"(%q6) {angle = 1.0e-07} : (!qw.qubit) -> !qw.qubit loc(unknown)
}) {qw.level = "circuit"} : () -> ()
"""  # noqa: E501

TELEPORT = """"builtin.module"() ({
  "qw.input"() {slab = 0, tile = "(0,1)", number = 0} : () -> ()
  "qw.prepare"() {slab = 0, tile = "(2,0)", letter = "X"} : () -> ()
  "qw.inject"() {slab = 1, tile = "(3,0)", state = "TDG"} : () -> ()
  %b3 = "qw.join"() {slab = 1, terms = ["Z(0,1)", "X(2,0)"], route = ["Z(0,0)", "X(1,0)"], edges = ["(0,0)-(0,1)", "(0,0)~(1,0)", "(1,0)-(2,0)"]} : () -> i1
  %b4 = "qw.measure"() {slab = 2, tile = "(3,0)", letter = "Z"} : () -> i1
  %b5 = "qw.const"() {value = 1} : () -> i1
  %b6 = "qw.xor"(%b3, %b4, %b5) : (i1, i1, i1) -> i1
  %b7 = "qw.and"(%b3, %b4) : (i1, i1) -> i1
  "qw.result"(%b6) {name = "m"} : (i1) -> ()
  "qw.observable"(%b3, %b4) {name = "p"} : (i1, i1) -> ()
  "qw.output"(%b6, %b7) {slab = 3, tile = "(2,0)", name = "a", label = 1} : (i1, i1) -> ()
  "qw.wait"() {slab = 3, rounds = 7} : () -> ()
  %b12 = "qw.adapt"(%b4) {slab = 3, tile = "(4,0)"} : (i1) -> i1
  %b13 = "qw.fix"(%b3, %b4) : (i1, i1) -> i1
  "qw.chip"() {tile = "(9,8)"} : () -> ()
  "qw.factory"() {tile = "(7,0)", name = "f", size = "(2,3)", port = "(7,1)", period = 12} : () -> ()
}) {qw.level = "surgery"} : () -> ()
"""  # noqa: E501

PROGRAM = """"builtin.module"() ({
  "qw.func"() ({
    %q = "qw.alloc"() {name = "q"} : () -> !qw.qubit
    %q_1, %0 = "qw.measure_z"(%q) : (!qw.qubit) -> (!qw.qubit, i1)
    %q_2 = "qw.z"(%q_1, %0) {cond} : (!qw.qubit, i1) -> !qw.qubit
    "qw.return"() : () -> ()
  }) {sym_name = "main"} : () -> ()
  "qw.func"() ({
  ^bb0(%x: f64, %0: i1):
    %1, %big = "qw.call"(%x) {callee = "main"} : (f64) -> (i1, i64)
    %q = "qw.extract"(%big) : (i64) -> !qw.qubit
    %q_1 = "qw.rz"(%q, %x, %1) {cond} : (!qw.qubit, f64, i1) -> !qw.qubit
    "qw.cond_br"(%0, %q_1, %q_1, %big)[^bb2, ^bb1] {operandSegmentSizes = array<i32: 1, 1, 2>} : (i1, !qw.qubit, !qw.qubit, i64) -> ()
  ^bb1(%2: !qw.qubit, %n: i64):
    "qw.insert"(%2, %later) : (!qw.qubit, i64) -> ()
    "qw.return"(%1, %n) : (i1, i64) -> ()
  ^bb2(%3: !qw.qubit):
    %later = "qw.const_i64"() {int = -9223372036854775808} : () -> i64
    %inf = "qw.const_f64"() {real = 0x7FF0000000000000 : f64} : () -> f64
    "qw.br"(%3, %later)[^bb1] : (!qw.qubit, i64) -> ()
  }) {function_type = (f64, i1) -> (i1, i64), sym_name = "f"} : () -> ()
}) {qw.level = "program"} : () -> ()
"""  # noqa: E501


def teleport() -> Surgery:
    """Every kind of row, once."""
    builder = SurgeryBuilder()
    join = Join(
        (Term((0, 1), Letter.Z), Term((2, 0), Letter.X)),
        (RouteTile((0, 0), Letter.Z), RouteTile((1, 0), Letter.X)),
        (
            Edge((0, 0), Side.S, False),
            Edge((0, 0), Side.E, True),
            Edge((1, 0), Side.E, False),
        ),
    )
    builder.add(Row.INPUT, tile=(0, 1))
    builder.add(Row.PREPARE, tile=(2, 0), aux=Letter.X)
    builder.add(Row.INJECT, slab=1, tile=(3, 0), aux=Magic.TDG)
    parity = builder.add(Row.JOIN, slab=1, operands=encode_join(join))
    bit = builder.add(Row.MEASURE, slab=2, tile=(3, 0), aux=Letter.Z)
    one = builder.add(Row.CONST, aux=1)
    flip = builder.add(Row.XOR, operands=[parity, bit, one])
    both = builder.add(Row.AND, operands=[parity, bit])
    builder.add(Row.RESULT, aux=builder.name("m"), operands=[flip])
    builder.add(Row.OBSERVABLE, aux=builder.name("p"), operands=[parity, bit])
    name = builder.name("a")
    builder.add(Row.OUTPUT, slab=3, tile=(2, 0), aux=name, operands=[1, flip, both])
    builder.add(Row.WAIT, slab=3, aux=7)
    builder.add(Row.ADAPT, slab=3, tile=(4, 0), operands=[bit])
    builder.add(Row.FIX, operands=[parity, bit])
    builder.add(Row.CHIP, tile=(9, 8))
    builder.add(Row.FACTORY, tile=(7, 0), aux=builder.name("f"), operands=[2, 3, 7, 1, 12])
    return builder.freeze()


def two_functions() -> Program:
    """A `main`, and a function with parameters, results and blocks that come before others."""
    main = Block()
    (q,) = main.append("alloc", attrs={"name": "q"}, names=["q"])
    q, bit = main.append("measure_z", [q], names=["q"])
    main.append("z", [q], cond=bit, names=["q"])
    main.append("return")
    x, yes, n, end, start = (
        Value(type, name)
        for type, name in [
            *((Type.F64, "x"), (Type.I1, ""), (Type.I64, "n")),
            *((Type.QUBIT, ""), (Type.QUBIT, "")),
        ]
    )
    first, last, other = Block([x, yes]), Block([end, n]), Block([start])
    makes = [Type.I1, Type.I64]
    flag, big = first.append("call", [x], attrs={"callee": "main"}, makes=makes, names=["", "big"])
    (q,) = first.append("extract", [big], names=["q"])
    (q,) = first.append("rz", [q, x], cond=flag, names=["q"])
    first.append("cond_br", [yes], targets=(Target(other, (q,)), Target(last, (q, big))))
    (later,) = other.append("const_i64", attrs={"int": -(2**63)}, names=["later"])
    other.append("const_f64", attrs={"real": math.inf}, names=["inf"])
    other.append("br", targets=(Target(last, (start, later)),))
    last.append("insert", [end, later])
    last.append("return", [flag, n])
    return Program([Function("main", [main]), Function("f", [first, last, other], tuple(makes))])


# -- printing ----------------------------------------------------------------------------------


def test_circuit():
    assert print_ir(bell()) == BELL


def test_surgery():
    assert print_ir(teleport(), locations=False) == TELEPORT


def test_program():
    assert print_ir(two_functions(), locations=False) == PROGRAM


def test_empty_representations():
    empty = Circuit, Surgery, Program
    for ir in (CircuitBuilder().freeze(), SurgeryBuilder().freeze(), Program()):
        again = parse_ir(print_ir(ir))
        assert type(again) in empty
        assert type(again) is type(ir)
    no_blocks = Program([Function("f"), Function("g", [Block()])])
    again = parse_ir(print_ir(no_blocks))
    assert [len(function.blocks) for function in again.functions] == [0, 1]


# -- round trips -------------------------------------------------------------------------------


def places(locations: Locations, column: np.ndarray) -> list[str]:
    return [str(locations.place(loc)) for loc in column.tolist()]


@given(circuits(predicated=True))
def test_circuit_round_trip(circuit: Circuit):
    verify(circuit)
    text = print_ir(circuit)
    again = parse_ir(text)
    assert isinstance(again, Circuit)
    assert print_ir(again) == text
    verify(again)
    for column in ("op", "operands", "cond", "angle", "attr", "first", "pool"):
        assert getattr(again, column).dtype == getattr(circuit, column).dtype
        assert getattr(again, column).tolist() == getattr(circuit, column).tolist(), column
    assert again.names == circuit.names
    assert places(again.locations, again.loc) == places(circuit.locations, circuit.loc)


@given(surgeries())
def test_surgery_round_trip(surgery: Surgery):
    text = print_ir(surgery)
    again = parse_ir(text)
    assert isinstance(again, Surgery)
    assert print_ir(again) == text
    for column in ("kind", "slab", "x", "y", "aux", "start", "pool"):
        assert getattr(again, column).dtype == getattr(surgery, column).dtype
        assert getattr(again, column).tolist() == getattr(surgery, column).tolist(), column
    assert again.names == surgery.names
    assert places(again.locations, again.loc) == places(surgery.locations, surgery.loc)


@given(st.one_of(programs(), flowing_programs()))
def test_program_round_trip(program: Program):
    verify(program)
    text = print_ir(program)
    again = parse_ir(text)
    assert isinstance(again, Program)
    assert print_ir(again) == text
    verify(again)
    for function, other in zip(program.functions, again.functions, strict=True):
        expected, found = described(program, function), described(again, other)
        assert found == expected


def described(program: Program, function: Function) -> list[object]:
    """All there is to a function, with numbers in place of values and blocks."""
    number: dict[object, int] = {}
    for block in function.blocks:
        number[block] = len(number)
        for value in [*block.args, *(value for op in block.ops for value in op.results)]:
            number[value] = len(number)
    found: list[object] = [function.name, function.results]
    for block in function.blocks:
        found.append([value.type for value in block.args])
        for op in block.ops:
            values = [*op.operands, *([op.cond] if op.cond else []), *op.results]
            found.append([op.spec, len(op.operands), [(number[v], v.type) for v in values]])
            targets = [(number[t.block], [number[v] for v in t.args]) for t in op.targets]
            found.append([targets, str(program.locations.place(op.loc))])
            found.append({key: exact(value) for key, value in (op.attrs or {}).items()})
    return found


def exact(value: Attr) -> Attr:
    """A value that equals no other: nan is not equal to itself, 0.0 is equal to -0.0."""
    return struct.pack("<d", value).hex() if isinstance(value, float) else value


@pytest.mark.parametrize("angle", [0.0, -0.0, 5e-324, 1e22, 0.1, -1.5, math.inf, -math.inf])
def test_angles_are_exact(angle: float):
    builder = CircuitBuilder()
    builder.add("rz", [builder.add("alloc", attr="")], angle=angle)
    again = parse_ir(print_ir(builder.freeze()))
    assert again.angle.tobytes() == builder.freeze().angle.tobytes()


@given(st.text(st.characters(codec=None)))
def test_strings_are_exact(name: str):
    builder = CircuitBuilder()
    builder.add("alloc", attr=name)
    assert parse_ir(print_ir(builder.freeze())).names == [name]


def test_text_without_locations_gets_its_own():
    text = print_ir(bell(), locations=False)
    circuit = parse_ir(text, "bell.mlir")
    place = circuit.locations.place(int(circuit.loc[2]))
    assert str(place) == "bell.mlir:4:3"
    assert place.text == text.split("\n")[3]
    assert print_ir(circuit, locations=False) == text


def test_layout_and_comments_are_free():
    text = """// a comment
    "builtin.module"()({%a="qw.alloc"(){"name"="a",}:()->(!qw.qubit)
      %b, // the qubit
      """
    with pytest.raises(CompileError):
        parse_ir(text)
    text = """// a comment
    "builtin.module"()({%a="qw.alloc"(){"name"="a"}:()->(!qw.qubit) // made
      %b,
      %m = "qw.measure_z" // kept
        (%a) : (!qw.qubit)
        -> (!qw.qubit,i1)
      %c = "qw.rz"(%b) {angle = 5.0e-1 : f64} : (!qw.qubit) -> !qw.qubit loc( "f" : 1 : 2 )
    }) {qw.level="circuit"} : () -> () loc(unknown) // the end"""
    circuit = parse_ir(text)
    assert circuit.op.size == 3
    assert circuit.angle[2] == 0.5
    assert [place.split(":")[0] for place in places(circuit.locations, circuit.loc)] == [
        "<ir>",
        "<ir>",
        "f",
    ]


# -- other readers of MLIR ---------------------------------------------------------------------


def through_xdsl(text: str) -> str:
    """The text as xDSL reads and prints it."""
    context = Context(allow_unregistered=True)
    context.load_dialect(Builtin)
    module = Parser(context, text).parse_module()
    out = io.StringIO()
    Printer(out, print_generic_format=True, print_debuginfo=True).print_op(module)
    return out.getvalue()


VALID = [BELL, TELEPORT, PROGRAM]


@pytest.mark.parametrize("text", VALID)
def test_xdsl_reads_the_examples(text: str):
    again = parse_ir(through_xdsl(print_ir(parse_ir(text))))
    assert print_ir(without_hints(again)) == print_ir(without_hints(parse_ir(text)))


@settings(max_examples=30)
@given(st.one_of(circuits(), surgeries(), circuits().map(unfreeze), flowing_programs()))
def test_xdsl_reads_what_is_printed(ir: Circuit | Surgery | Program):
    text = print_ir(without_hints(ir))
    assert print_ir(without_hints(parse_ir(through_xdsl(text)))) == text


def without_hints(ir: Circuit | Surgery | Program) -> Circuit | Surgery | Program:
    """xDSL chooses names of its own where two values share one."""
    if isinstance(ir, Program):
        for block in (block for function in ir.functions for block in function.blocks):
            for value in [*block.args, *(value for op in block.ops for value in op.results)]:
                value.name = ""
    return ir
