"""The text form: what is printed reads back the same, and nothing else reads at all."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import circuits, program_of, programs, surgeries
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin
from xdsl.parser import Parser
from xdsl.printer import Printer

from qwasmc.diagnostics import CompileError, Locations
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ir.program import Block, Function, Program, Value
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
    "qw.return"() : () -> ()
  ^bb1:
    "qw.return"() : () -> ()
  }) {sym_name = "f"} : () -> ()
}) {qw.level = "program"} : () -> ()
"""


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
    return builder.freeze()


def two_functions() -> Program:
    """A `main`, and a function with arguments and two blocks."""
    main = Block()
    (q,) = main.append("alloc", attrs={"name": "q"}, names=["q"])
    q, bit = main.append("measure_z", [q], names=["q"])
    main.append("z", [q], cond=bit, names=["q"])
    main.append("return")
    entry, other = Block([Value(Type.F64, "x"), Value(Type.I1)]), Block()
    entry.append("return")
    other.append("return")
    return Program([Function("main", [main]), Function("f", [entry, other])])


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


@given(programs())
def test_program_round_trip(program: Program):
    verify(program)
    text = print_ir(program)
    again = parse_ir(text)
    assert isinstance(again, Program)
    assert print_ir(again) == text
    verify(again)


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


# -- what is wrong is said where it is ---------------------------------------------------------


def in_circuit(line: str) -> str:
    head = '"builtin.module"() ({\n%q = "qw.alloc"() {name = ""} : () -> !qw.qubit\n'
    return head + line + '\n}) {qw.level = "circuit"} : () -> ()\n'


def in_surgery(line: str) -> str:
    head = '"builtin.module"() ({\n%b = "qw.const"() {value = 0} : () -> i1\n'
    return head + line + '\n}) {qw.level = "surgery"} : () -> ()\n'


def in_function(line: str) -> str:
    head = '"builtin.module"() ({\n"qw.func"() ({\n'
    return head + line + '\n}) {sym_name = "f"} : () -> ()\n}) {qw.level = "program"} : () -> ()\n'


H = "(!qw.qubit) -> !qw.qubit"
WRONG = [
    ("", 'expected "builtin.module"', "1:1"),
    ('"builtin.module"() ({', "no attribute qw.level", "1:1"),
    ('"builtin.module"() ({}) {qw.level = "gates"} : () -> ()', "unknown level 'gates'", "1:38"),
    ('"builtin.module"() ({}) {qw.level = "circuit"}', "the end of a circuit", "1:22"),
    (
        '"builtin.module"() ({}) {qw.level = "circuit"} : () -> () x',
        "nothing after the module",
        "1:59",
    ),
    (
        '"builtin.module"() ({}) {qw.level = "circuit"} : () -> () // qw.level = "surgery"',
        "names two levels",
        "1:38",
    ),
    (in_circuit(f'%r = "qw.hh"(%q) : {H}'), "unknown operation 'qw.hh'", "3:7"),
    (in_circuit(f'%r = "h"(%q) : {H}'), "unknown operation 'h'", "3:7"),
    (in_circuit(f'%r = "qw.h"(%p) : {H}'), "%p is not defined here", "3:13"),
    (in_circuit(f'%q = "qw.h"(%q) : {H}'), "%q is defined twice", "3:1"),
    (in_circuit(f'%r = "qw.h"(%q, %q) : {H}'), "2 operands, but types for 1", "3:13"),
    (in_circuit(f'%r, %s = "qw.h"(%q) : {H}'), "1 results here, but names for 2", "3:1"),
    (in_circuit(f'"qw.h"(%q) : {H}'), "1 results here, but names for 0", "3:2"),
    (in_circuit('%r = "qw.h"(%q) : () -> i1'), "the type of this 'qw.h'", "3:19"),
    (in_circuit('%r = "qw.h"(%q : () -> i1'), "expected ')'", "3:16"),
    (in_circuit('%r = "qw.h"(%q) () -> i1'), "expected ':'", "3:17"),
    (in_circuit('%r = "qw.h"(%q) {cond : () -> i1'), "expected ':'", "3:17"),
    (in_circuit('%r "qw.h"(%q)'), "expected an operation", "3:1"),
    (in_circuit(f'%r = "qw.h"(%q) : {H} loc(1)'), "this location makes no sense", "3:48"),
    (in_circuit(f'%r = "qw.h"(%q) {{cond}} : {H}'), "the type of this 'qw.h'", "3:26"),
    (in_circuit(f'%r = "qw.h"(%q) {{cond = 1}} : {H}'), "'cond' has no value", "3:18"),
    (in_circuit(f'%r = "qw.h"(%q) {{angle = 1.0}} : {H}'), "no attribute 'angle'", "3:18"),
    (in_circuit(f'%r = "qw.rz"(%q) : {H}'), "needs the attribute 'angle'", "3:7"),
    (in_circuit(f'%r = "qw.rz"(%q) {{angle = 1}} : {H}'), "'angle' must be a number", "3:19"),
    (in_circuit(f'%r = "qw.rz"(%q) {{angle = pi}} : {H}'), "expected a string, a number", "3:27"),
    (in_circuit(f'%r = "qw.rz"(%q) {{=}} : {H}'), "expected the name of an attribute", "3:19"),
    (in_circuit(f'%r = "qw.rz"(%q) {{angle = 1.0 2}} : {H}'), "expected ',' and another", "3:31"),
    (in_circuit('"qw.syndrome"() {rounds = 99999999999} : () -> ()'), "too large", "3:27"),
    (in_circuit('"qw.syndrome"() {rounds = 1, rounds = 1} : () -> ()'), "given twice", "3:30"),
    (in_circuit(r'%r = "qw.alloc"() {name = "\q"} : () -> !qw.qubit'), "escape", "3:27"),
    (in_circuit(r'%r = "qw.alloc"() {name = "\FF"} : () -> !qw.qubit'), "escape", "3:27"),
    (in_circuit('%r = "qw.xor"(%q) : (i1) -> i1'), "%q is of type !qw.qubit, not i1", "3:15"),
    (in_surgery('"qw.h"() : () -> ()'), "unknown operation 'qw.h'", "3:2"),
    (in_surgery('%b = "qw.and"() : () -> i1'), "%b is defined twice", "3:1"),
    (in_surgery('"qw.result"(%c) {name = ""} : (i1) -> ()'), "%c is not defined", "3:13"),
    (in_surgery('"qw.wait"() {rounds = 1} : () -> ()'), "needs the attribute 'slab'", "3:2"),
    (
        in_surgery('"qw.prepare"() {slab = 0, tile = "0,0", letter = "Z"} : () -> ()'),
        "expected a tile",
        "3:17",
    ),
    (
        in_surgery('"qw.prepare"() {slab = 0, tile = "(0,0)", letter = "Q"} : () -> ()'),
        "expected one of",
        "3:17",
    ),
    (
        in_surgery('%j = "qw.join"() {slab=0, terms=["(0,0)"], route=[], edges=[]} : () -> i1'),
        "expected a letter and a tile",
        "3:19",
    ),
    (
        in_surgery(
            '%j = "qw.join"() {slab=0, terms=[], route=[], edges=["(0,0)-(2,0)"]} : () -> i1'
        ),
        "must be neighbours",
        "3:19",
    ),
    (in_function('"qw.h"()'), "expected ':'", "4:1"),
    (in_function("^bb0(%a: i2):"), "unknown type 'i2'", "3:10"),
    (in_function("^bb0(%a):"), "expected an argument", "3:6"),
    (in_function("^bb0(%a: i1, %a: i1):"), "%a is defined twice", "3:14"),
    (in_function("^bb0:\n^bb0:"), "block ^bb0 is defined twice", "4:1"),
    ('"builtin.module"() ({ x }) {qw.level = "program"} : () -> ()', "end of a program", "1:23"),
]


@pytest.mark.parametrize(("text", "message", "place"), WRONG)
def test_errors(text: str, message: str, place: str):
    with pytest.raises(CompileError) as caught:
        parse_ir(text, "x.mlir")
    (diagnostic,) = caught.value.diagnostics
    assert message in diagnostic.message
    assert str(diagnostic.place) == f"x.mlir:{place}"
    assert len(diagnostic.message) < 400


def test_a_misspelt_operation_is_guessed():
    with pytest.raises(CompileError) as caught:
        parse_ir(in_circuit(f'%r = "qw.alocc"(%q) : {H}'))
    assert caught.value.diagnostics[0].help == "did you mean 'qw.alloc'?"


VALID = [BELL, TELEPORT, PROGRAM]
PIECES = [*'(){}[]"%:,=<>-\\\n/ ^0', "->", "})", "({", '"qw.h"', "%q0", "loc(", "//", "\udc80", "é"]


@settings(max_examples=400)
@given(st.sampled_from(VALID), st.data())
def test_damaged_text_is_an_error_or_an_ir(text: str, data: st.DataObject):
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = start + data.draw(st.integers(0, 9))
        text = text[:start] + data.draw(st.sampled_from(["", *PIECES])) + text[end:]
    check_robust(text)


@given(st.text())
def test_any_text_is_an_error_or_an_ir(text: str):
    check_robust(text)
    check_robust(in_circuit(text))


def check_robust(text: str) -> None:
    try:
        ir = parse_ir(text)
    except CompileError as wrong:
        places = [diagnostic.place for diagnostic in wrong.diagnostics]
    else:
        printed = print_ir(ir)
        assert print_ir(parse_ir(printed)) == printed
        return
    assert places
    assert None not in places


@pytest.mark.parametrize(
    "line",
    [
        "({" * 100_000,
        '"qw.h"(' + "%a, " * 100_000,
        '"qw.h"(%q) {' + "[" * 100_000,
        '"qw.h"(%q) {' + 'a = "' * 100_000,
        '"qw.h"(%q) : (' + "i1, " * 100_000,
        "//" * 100_000,
        "// \n" * 100_000 + "x",
        '%r = "qw.xor"(' + ", ".join(["%q"] * 50_000) + ") : (" + "i1," * 49_999 + "i1) -> i1",
        '"' + "x" * 1_000_000,
        "%" + "x" * 1_000_000,
        '"qw.syndrome"() {rounds = ' + "9" * 1_000_000 + "} : () -> ()",
        '%r = "qw.rz"(%q) {angle = ' + "9" * 1_000_000 + f".0}} : {H}",
        f'%r = "qw.h"(%q) : {H} loc("":' + "9" * 1_000_000 + ":1)",
    ],
    ids=lambda line: line[:20],
)
def test_long_and_deep_text_takes_linear_time(line: str):
    check_robust(in_circuit(line))


# -- other readers of MLIR ---------------------------------------------------------------------


def through_xdsl(text: str) -> str:
    """The text as xDSL reads and prints it."""
    context = Context(allow_unregistered=True)
    context.load_dialect(Builtin)
    module = Parser(context, text).parse_module()
    out = io.StringIO()
    Printer(out, print_generic_format=True, print_debuginfo=True).print_op(module)
    return out.getvalue()


@pytest.mark.parametrize("text", VALID)
def test_xdsl_reads_the_examples(text: str):
    again = parse_ir(through_xdsl(print_ir(parse_ir(text))))
    assert print_ir(without_hints(again)) == print_ir(without_hints(parse_ir(text)))


@settings(max_examples=30)
@given(st.one_of(circuits(), surgeries(), circuits().map(program_of)))
def test_xdsl_reads_what_is_printed(ir: Circuit | Surgery | Program):
    text = print_ir(ir)
    assert print_ir(without_hints(parse_ir(through_xdsl(text)))) == text


def without_hints(ir: Circuit | Surgery | Program) -> Circuit | Surgery | Program:
    """xDSL chooses names of its own where two values share one."""
    if isinstance(ir, Program):
        for block in (block for function in ir.functions for block in function.blocks):
            for value in [*block.args, *(value for op in block.ops for value in op.results)]:
                value.name = ""
    return ir
