"""The reader of LLVM assembly on wrong, deep, random and large texts."""

from __future__ import annotations

import gc
import os
import random
import re
import time
from pathlib import Path

import llvm_printer
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llvm_oracle import (
    CONSTRUCTS,
    MODULES,
    body,
    corpus,
    inside,
    load,
    one,
    problems,
    text_of,
    walk,
    walk_apart,
)

from qwasmc.diagnostics import CompileError, Kind, render
from qwasmc.grammar import llvm_lines, llvm_template
from qwasmc.grammar.llvm import MAX_ERRORS, parse
from qwasmc.grammar.llvm_tree import Instruction, Module

# ---------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (inside("  cal void @g()"), ("unknown instruction 'cal'", 2, 3)),
        (inside("  %x = fence seq_cst"), ("the instruction 'fence' is not supported", 2, 8)),
        (inside("  call void @g(ptr inttoptr (i64 3 to ptr)"), ("the line ends too early", 2, 43)),
        (inside("  %x = add i64 1,"), ("the line ends too early", 2, 18)),
        (inside("  call void @g(i64 1 i64 2)"), ("unexpected 'i64'", 2, 22)),
        (inside("  call void @g(", "     i64 x)"), ("unexpected ')'", 3, 11)),
        (inside("  call void @g(ptr 3)"), ("'3' is not a value of type ptr", 2, 20)),
        (inside("  call void @g(i64 @g)"), ("'@g' is not a value of type i64", 2, 20)),
        (inside("  call void @g(i64 true)"), ("'true' is not a value of type i64", 2, 20)),
        (inside("  call void @g(i64 %0x)"), ("unexpected 'x'", 2, 22)),
        (inside("  call void @g(i8 256)"), ("256 does not fit into i8", 2, 19)),
        (
            inside("  call void @g(i8 1)", "  call void @g(i8 -129)"),
            ("-129 does not fit into i8", 3, 19),
        ),
        (inside("  call void @g(i64 0.5)"), ("'0.5' is not a value of type i64", 2, 20)),
        (
            inside("  call void @g(double 0xK1)"),
            ("floating-point numbers of the form 0xK are not supported", 2, 23),
        ),
        (inside("  %x = alloca i0"), ("an integer type may have 1 to 65536 bits", 2, 15)),
        (inside("  %x = alloca [-1 x i8]"), ("the number is too large or negative", 2, 16)),
        (inside("  br i1 %c, label %x"), ("'br' takes 1 or 3 operands, not 2", 2, 3)),
        (inside("  br i1 %c"), ("'br' leads to blocks, not to a value of type i1", 2, 3)),
        (inside("  br label 5"), ("'5' is not the name of a block", 2, 12)),
        (inside("  store i64 1"), ("'store' takes 2 operands, not 1", 2, 3)),
        (
            inside("  %x = extractvalue { i1 } %y"),
            ("'extractvalue' takes at least one index", 2, 8),
        ),
        (inside("  %c = icmp lt i64 1, 2"), ("'icmp' without a predicate that is known", 2, 8)),
        (inside('  call void @g() [ "deopt"() ]'), ("operand bundles are not supported", 2, 3)),
        (
            inside("  call void @g(ptr blockaddress(@f, %a))"),
            ("addresses of blocks are not supported", 2, 20),
        ),
        (inside('  call void @g("abc)'), ("the string does not end", 2, 16)),
        (inside("a:", "b:"), ("the block before this one does not end", 3, 1)),
        (inside("  \x01"), ("unexpected '\\u0001'", 2, 3)),
        (
            "define void @f() {\n  call void @g()\n}",
            ("the last block of the function does not end", 3, 1),
        ),
        ("define void @f() {\n}", ("the function has no instructions", 2, 1)),
        ("define void @f() {\n ret void\n", ("the function does not end", 1, 1)),
        ("define void @f( {\n ret void\n}", ("unexpected 'ret'", 2, 2)),
        (
            "define void @f() {\n ret void\n\ndeclare void @g()",
            ("a definition inside of a function", 4, 1),
        ),
        ("declare void @f()\n\ndeclare void @f()", ("'@f' is defined twice", 3, 1)),
        ("@f = global i1 0\n\ndeclare void @f()", ("'@f' is defined twice", 3, 1)),
        ("%t = type {}\n%t = type {}", ("the type '%t' is defined twice", 2, 1)),
        ("!0 = !{}\n!0 = !{}", ("the metadata '!0' is defined twice", 2, 1)),
        ("declare void @f(..., i64)", ("'...' stands after all parameters", 1, 17)),
        ("@x = internal global i64", ("a variable that is not external needs a value", 1, 1)),
        ("@x = constant", ("the line ends too early", 1, 14)),
        ("  ret void\n ret void\n@x = global i1 0", ("an instruction outside of a function", 1, 3)),
        ("{}\n\nx\n@x = global i1 0", ("a module consists of definitions and declarations", 1, 1)),
        ("a\n\0", ("a NUL character", 2, 1)),
        (b"; \xc3\xa9\n; \xc3\xa9\xff", ("the text is not UTF-8", 2, 4)),
    ],
)
def test_errors(text, expected):
    assert problems(text) == [expected]


def test_errors_of_several_lines_are_reported_together():
    text = inside(*["  cal void @g()", "  call void @g()"] * 30)
    found = problems(text)
    assert len(found) == MAX_ERRORS
    assert [line for _, line, _ in found] == list(range(2, 2 + 2 * MAX_ERRORS, 2))


def test_a_wrong_head_does_not_make_its_body_wrong():
    assert len(problems("define void @f(i0) {\nentry:\n  call void @g()\n  ret void\n}")) == 1


# ---------------------------------------------------------------- limits

DEEP = [
    "  %x = alloca " + "{" * 201 + "}" * 201,
    "  %x = alloca i8" + "*" * 250,
    "  %x = alloca " + "[1 x " * 10_000 + "i8" + "]" * 10_000,
    "  %x = alloca void " + "() " * 300,
    "  %x = alloca void " + "()*" * 300,
    "  call void @f(ptr "
    + "inttoptr (i64 ptrtoint (ptr " * 150
    + "null"
    + " to i64) to ptr)" * 150
    + ")",
    "  call void @f(metadata " + "!{" * 5000 + "}" * 5000 + ")",
]


@pytest.mark.parametrize("line", DEEP, ids=range(len(DEEP)))
def test_nesting_has_a_limit(line):
    with pytest.raises(CompileError) as caught:
        body(line)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.kind is Kind.LIMIT
    assert diagnostic.message == "limit passed: types and constants may be nested 200 deep"
    assert diagnostic.place.line == 2


def test_nesting_up_to_the_limit_is_read():
    depth = 190
    found = one("  %x = alloca " + "{" * depth + "}" * depth)
    assert found == one("  %x = alloca " + "{" * depth + "}" * depth)
    assert hash(found.type)
    assert str(found.type).count("{") == depth
    assert one("  %x = alloca i8" + "*" * depth).type != found.type
    wide = ", ".join(["ptr getelementptr ([2 x i8], ptr @s, i64 0, i64 1)"] * 1000)
    assert len(one(f"  call void @f({wide})").operands) == 1001


def test_lines_have_a_limit(monkeypatch):
    monkeypatch.setattr(llvm_lines, "MAX_LINE", 1000)
    rule = "limit passed: a line with those it goes on in may have 1000 characters"
    for text in (inside("  call void @g(" + "i64 1, " * 200), "define" + "\n(" * 600):
        with pytest.raises(CompileError) as caught:
            load(text)
        assert caught.value.diagnostics[0].message == rule
        assert caught.value.exit_code == Kind.LIMIT


def test_numbers_have_a_limit():
    (found,) = problems(inside(f"  call void @g(i64 {'9' * 10_000})"))
    assert found[0] == "limit passed: an integer may have 4000 digits"
    assert problems(inside(f"  %x = alloca [{'9' * 10_000} x i8]"))
    assert problems(f"!{'9' * 10_000} = !{{}}")
    assert problems(inside(f"  call void @g(metadata !{'9' * 10_000})"))
    # Names may be long: they are no numbers.
    assert body(f"  br label %{'9' * 10_000}", f"{'9' * 10_000}:", "  unreachable", "  unreachable")


# ---------------------------------------------------------------- shortcuts


def without_shortcuts(data: bytes, name: str) -> Module:
    """The module, with each line read by the grammar alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(llvm_template.Templates, "instruction", lambda self, text: None)
        patch.setattr(llvm_template.Templates, "add", refuse)
        return parse(data, name)


def refuse(self: object, text: str, template: object) -> Instruction:
    raise llvm_template.LineError("no templates here")


@pytest.mark.slow
@corpus([path for path in MODULES if path.stat().st_size < 20_000])
def test_templates_make_what_the_grammar_reads(path: Path):
    data = text_of(path)
    fast, slow = parse(data, path.name), without_shortcuts(data, path.name)
    assert fast == slow


OPERANDS = st.sampled_from(
    [
        *(
            "%1",
            "%x.y",
            '%"q 1"',
            "@f",
            '@"g h"',
            "1",
            "-5",
            "256",
            "0x1",
            "1.0",
            "-2.5e+10",
            "null",
        ),
        *("true", "0x3FF0000000000000", "i64", "%T", "inttoptr (i64 3 to ptr)", "[2 x i64]", "5x"),
    ]
)
LINES = st.sampled_from(
    [
        "  call void @f(i64 {}, ptr {})",
        "  {} = call i1 {}(double {})",
        "  {} = add {} {}, {}",
        "  store {} {}, ptr {}, align {}",
        "  {} = getelementptr {}, ptr {}, i64 {}",
        "  {} = phi i64 [ {}, {} ], [ {}, {} ]",
        "  br i1 {}, label {}, label {}",
        "  switch i64 {}, label {} [ i64 {}, label {} ]",
        "  {} = select i1 {}, {} {}, {} {}",
        "  {} = insertvalue {} {}, i64 {}, {}",
        "  {} = alloca {}, {} {}",
    ]
)


@st.composite
def random_lines(draw: st.DrawFn) -> list[str]:
    line = draw(LINES)
    holes = line.count("{}")
    same = draw(st.lists(OPERANDS, min_size=holes, max_size=holes))
    found = []
    for _ in range(draw(st.integers(1, 4))):
        for index in draw(st.sets(st.integers(0, holes - 1), max_size=2)):
            same[index] = draw(OPERANDS)
        found.append(line.format(*same))
    return found


def outcome(text: str, read=parse) -> object:
    try:
        return read(text.encode(), "test.ll")
    except CompileError as refused:
        return refused.diagnostics


@given(random_lines())
def test_templates_make_what_the_grammar_reads_of_any_line(lines):
    text = inside(*lines)
    assert outcome(text) == outcome(text, without_shortcuts)


# ---------------------------------------------------------------- any text

PIECES = re.compile(r'(\s+|"[^"]*"|[-\w$.%@!#]+|.)')
WORDS = ["i64", "%x", "%0", "ptr", "@f", "(", ")", "[", "]", "{", "}", ",", "*", "!0", '"']
WORDS += [
    "0",
    "1.0",
    "null",
    "to",
    "label",
    "call",
    "br",
    "=",
    ";",
    "\n",
    "ret",
    "void",
    "...",
    "x",
]
WORDS += ["<", ">", "#0", "inttoptr", "-", "undef", "\t", "\r", "é", "true", "", "a:", "c"]


def changed(text: str, random: random.Random) -> str:
    """The text with one or two lines changed."""
    lines = text.split("\n")
    for _ in range(random.randint(1, 2)):
        at = random.randrange(len(lines))
        pieces = PIECES.findall(lines[at]) or [""]
        first, second = random.choices(range(len(pieces)), k=2)
        match random.randrange(6):
            case 0:
                pieces[first] = random.choice(WORDS)
            case 1:
                pieces[first] += random.choice(WORDS)
            case 2:
                pieces[first], pieces[second] = pieces[second], pieces[first]
            case 3:
                pieces[first] *= 2
            case 4:
                pieces[first] += "\n"
            case 5:
                pieces = []
        lines[at] = "".join(pieces)
    return "\n".join(lines)


SMALL = [path for path in MODULES if path.suffix == ".ll" and path.stat().st_size < 6000]
TEXTS = [path.read_text() for path in SMALL] or [CONSTRUCTS]


@settings(max_examples=300)
@given(st.sampled_from([*TEXTS, CONSTRUCTS]), st.randoms(use_true_random=False))
def test_any_text_is_read_or_refused(text, random):
    try:
        load(changed(text, random))
    except CompileError as refused:
        for diagnostic in refused.diagnostics:
            assert diagnostic.place
            assert render(diagnostic)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="LLVM needs a process of its own")
@settings(max_examples=100)
@given(st.sampled_from(TEXTS), st.randoms(use_true_random=False))
def test_what_is_read_of_any_text_is_what_llvm_reads(text, random):
    text = changed(text, random)
    try:
        ours = load(text)
    except CompileError:
        return
    theirs = walk_apart(text)
    if theirs is not None:
        assert walk(llvm_printer.module(ours)) == theirs


@settings(max_examples=50)
@given(st.sampled_from([*TEXTS, CONSTRUCTS]), st.randoms(use_true_random=False))
def test_line_breaks_change_nothing_that_is_read(text, random):
    """Where there was a blank; lines may not break everywhere, but never mean something else."""
    text = re.sub(r";[^\n]*", "", text)
    broken = re.sub(r"(?<=[,(\[])(?= )|(?<=, )", lambda m: "\n" * (random.random() < 0.2), text)
    assert llvm_printer.module(load(broken)) == llvm_printer.module(load(text))


# ---------------------------------------------------------------- speed and memory

SPEED = {
    "static gates": (lambda i: f"  call void @h(%Qubit* inttoptr (i64 {i % 50} to %Qubit*))", 2),
    "pairs": (lambda i: f"  call void @cx(ptr inttoptr (i64 {i} to ptr), ptr %{i})", 30),
    "results": (lambda i: f"  %{i} = call i1 @m(ptr inttoptr (i64 {i % 99} to ptr))", 30),
    "sums": (lambda i: f"  %{i} = add nsw i64 %{i - 1}, {i}, !dbg !{i}", 30),
    "angles": (lambda i: f"  call void @rz(double {i}.5, ptr null)", 30),
}


@pytest.mark.parametrize("kind", SPEED)
def test_a_line_takes_microseconds(kind):
    line, most = SPEED[kind]
    count = 50_000
    text = inside(*map(line, range(1, count + 1))).encode()
    start = time.process_time()
    module = parse(text, "big.ll")
    spent = time.process_time() - start
    assert len(module.functions["f"].blocks[0].instructions) == count + 1
    # Ten times what one machine takes; the grammar alone would take a hundred microseconds.
    assert spent / count < most * 1e-6 + 1 / count


def test_equal_lines_share_their_instruction():
    gate = "  call void @h(ptr inttoptr (i64 3 to ptr))"
    _, *others = body(*[gate] * 1000)
    assert len(set(map(id, others))) == 1


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_is_left_as_it_was(enabled):
    was = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        outcome("x")
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if was else gc.disable)()


HOSTILE = {
    "quotes": "define void @f() {\n" + '"' * 100_001,
    "commas": "define void @f() {\n  x " + ", !a !1" * 20_000 + " x",
    "continued": "define void @f() {\n  br\n" + ", label %x\n" * 20_000,
    "open": "define void @f() {\n" + "  %x = add (\n" * 20_000,
    "brackets": "@x = " + "[" * 100_000,
    "blocks": "define void @f() {\n" + "  unreachable\n" * 50_000 + "}",
    "lines": "declare\n" * 50_000,
    "types": "".join(f"%T{i} = type opaque\n" for i in range(5_000)),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_no_text_takes_long(kind):
    start = time.process_time()
    outcome(HOSTILE[kind])
    assert time.process_time() - start < 10
