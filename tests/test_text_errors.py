"""What is wrong with a text is said where it is, and no text takes long or crashes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_text import VALID

from qwasmc.diagnostics import CompileError
from qwasmc.text import parse_ir, print_ir
from qwasmc.verify import verify


def in_circuit(line: str) -> str:
    head = '"builtin.module"() ({\n%q = "qw.alloc"() {name = ""} : () -> !qw.qubit\n'
    return head + line + '\n}) {qw.level = "circuit"} : () -> ()\n'


def in_surgery(line: str) -> str:
    head = '"builtin.module"() ({\n%b = "qw.const"() {value = 0} : () -> i1\n'
    return head + line + '\n}) {qw.level = "surgery"} : () -> ()\n'


def in_function(line: str) -> str:
    return in_program('sym_name = "f"', f"{line}\n")


def in_program(attrs: str, body: str = "") -> str:
    head = f'"builtin.module"() ({{\n"qw.func"() ({{\n{body}}}) {{{attrs}}} : () -> ()\n'
    return head + '}) {qw.level = "program"} : () -> ()\n'


COND_BR = '"qw.cond_br"(%a)[^a, ^a] {{operandSegmentSizes = array<i32: {}>}} : (i1) -> ()'


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
    (in_function('"qw.br"()[^bb1] : () -> ()'), "block ^bb1 is not defined", "3:11"),
    (in_function('"qw.br"() : () -> ()'), "'qw.br' leads to 1 blocks, not 0", "3:2"),
    (in_function('"qw.br"()[^a, ^b] : () -> ()'), "'qw.br' leads to 1 blocks, not 2", "3:11"),
    (in_function('"qw.return"()[^a] : () -> ()'), "'qw.return' leads to no blocks", "3:15"),
    (in_function('"qw.return"() {cond} : () -> ()'), "with 'cond' is an i1", "3:25"),
    (in_function('"qw.br"()[^a] {cond} : () -> ()'), "with 'cond' is an i1", "3:25"),
    (in_function('"qw.br"()[] : () -> ()'), "expected ':'", "3:10"),
    (in_function('"qw.return"(%a) : (i1) -> ()'), "%a is not defined here", "3:13"),
    (in_function('"qw.return"(%a) : (i2) -> ()'), "unknown type 'i2'", "3:20"),
    (in_function('%a = "qw.call"() {callee = "f"} : () -> (i1, i3)'), "unknown type 'i3'", "3:41"),
    (in_function("^a:\n" + COND_BR.format("1, 1, 0")), "has 3 numbers that add up to 1", "4:27"),
    (in_function("^a:\n" + COND_BR.format("0, 1, 0")), "has 3 numbers that add up to 1", "4:27"),
    (in_function("^a:\n" + COND_BR.format("1, 0")), "has 3 numbers that add up to 1", "4:27"),
    (in_function('"qw.cond_br"(%a)[^a, ^a] : (i1) -> ()'), "needs the attribute 'operand", "3:2"),
    (in_function('%n = "qw.const_i64"() {int = 9223372036854775808} : () -> i64'), "large", "3:30"),
    (
        in_function('%n = "qw.const_f64"() {real = 1} : () -> f64'),
        "'real' must be a number",
        "3:24",
    ),
    (
        in_function('"qw.return"(%a) : (i1) -> ()\n%a = "qw.slot"() : () -> i64'),
        "%a is used as i1 before, but is i64 here",
        "4:1",
    ),
    (in_function('"qw.return"(%a, %a) : (i1, i64) -> ()'), "%a is of type i1, not i64", "3:17"),
    (in_function("^bb0(%a: i1):"), "does not fit the arguments of the first block", "4:5"),
    (in_program('sym_name = "f", pure'), "a function has no attribute 'pure'", "3:5"),
    (in_program('sym_name = "f", function_type = 1'), "must be a type: (i1) -> i64", "3:5"),
    (in_program('sym_name = "f", function_type = () -> i2'), "unknown type 'i2'", "3:5"),
    (in_program("sym_name = 1"), "a function needs its name", "3:5"),
    (in_program(""), "a function needs its name", "3:5"),
    (in_circuit('%r = "qw.slot"() : () -> i64'), "an operation of programs, not of circ", "3:7"),
    (in_circuit('"qw.return"() : () -> ()'), "an operation of programs, not of circuits", "3:2"),
    (
        in_circuit('%r = "qw.rz"(%q, %q) : (!qw.qubit, f64) -> !qw.qubit'),
        "'qw.rz' needs the attribute 'angle'",
        "3:7",
    ),
    (in_circuit(f'%r = "qw.h"(%q)[^a] : {H}'), "'qw.h' leads to no blocks", "3:17"),
    (in_surgery('"qw.result"(%b)[^a] {name = ""} : (i1) -> ()'), "leads to no blocks", "3:17"),
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


@pytest.mark.slow
def test_many_blocks_take_linear_time():
    """Blocks from last to first: every value and every block is used before it is defined."""
    n = 10_000
    lines = [f'"qw.br"()[^b{n}] : () -> ()', '^b0: "qw.return"() : () -> ()']
    for i in range(1, n):
        lines.append(f'^b{i}: %x{i} = "qw.addi"(%x{i + 1}, %x{i + 1}) : (i64, i64) -> i64')
        lines.append(f'"qw.br"()[^b{i - 1}] : () -> ()')
    lines.append(f'^b{n}: %x{n} = "qw.slot"() : () -> i64 "qw.br"()[^b{n - 1}] : () -> ()')
    text = in_program('sym_name = "main"', "\n".join(lines))
    verify(parse_ir(text))
    check_robust(text)
    check_robust(text.replace(f"%x{n} =", "%y ="))  # undefined at the end
    check_robust(text.replace(f"^b{n}:", "^c:"))
    check_robust(in_function('"qw.br"()[' + "^a, " * 100_000))
