"""The reader of LLVM assembly, against LLVM itself and by the meaning of each construct."""

from __future__ import annotations

import math
import re
from pathlib import Path

import llvm_printer
import pytest
from llvm_oracle import (
    CONSTRUCTS,
    FILES,
    MODULES,
    NO_MODULES,
    body,
    corpus,
    load,
    one,
    problems,
    text_of,
    walk,
)

from qwasmc.grammar.llvm import parse
from qwasmc.grammar.llvm_tree import (
    I1,
    LABEL,
    VOID,
    Aggregate,
    ArrayType,
    Expression,
    Float,
    FloatType,
    FunctionType,
    Instruction,
    Int,
    IntType,
    Local,
    Meta,
    MetaReference,
    Module,
    NamedType,
    PointerType,
    Special,
    StructType,
    Symbol,
    Text,
    VectorType,
)

UNREAD_BY_LLVM = {"qir__qsharp__SeparationTest__QSharpVersion__qir__Example.ll"}
"""Multiplies in constant expressions, which LLVM has given up."""

I64 = IntType(64)
DOUBLE = FloatType("double")
PTR = PointerType()


# ---------------------------------------------------------------- against LLVM


@corpus([path for path in MODULES if path.name not in UNREAD_BY_LLVM])
def test_llvm_reads_the_same(path: Path):
    data = text_of(path)
    assert walk(llvm_printer.module(parse(data, path.name))) == walk(data.decode())


@corpus([path for path in FILES if path.name in UNREAD_BY_LLVM])
def test_old_constant_expressions_are_read(path: Path):
    module = parse(path.read_bytes(), path.name)
    opcodes = {
        operand.opcode
        for function in module.functions.values()
        for _, instruction in function.instructions()
        for operand in instruction.operands
        if isinstance(operand, Expression)
    }
    assert "mul" in opcodes


@corpus([path for path in FILES if path.name in NO_MODULES])
def test_what_is_no_module_is_refused(path: Path):
    assert problems(path.read_bytes())[0][0].startswith(NO_MODULES[path.name])


def test_llvm_reads_every_construct_the_same():
    assert walk(llvm_printer.module(load(CONSTRUCTS))) == walk(CONSTRUCTS)


# ---------------------------------------------------------------- types and values


@pytest.mark.parametrize(
    ("text", "type"),
    [
        ("i1", I1),
        ("ptr", PTR),
        ("ptr addrspace(1)", PointerType(None, 1)),
        ("%Qubit*", PointerType(NamedType("Qubit"))),
        ("i8 addrspace(2)**", PointerType(PointerType(IntType(8), 2))),
        ('%"a b"', NamedType("a b")),
        ("[2 x [3 x double]]", ArrayType(2, ArrayType(3, DOUBLE))),
        ("<4 x i1>", VectorType(4, I1)),
        ("{}", StructType(())),
        ("{ i64, { ptr } }", StructType((I64, StructType((PTR,))))),
        ("<{ i64, i1 }>", StructType((I64, I1), True)),
        ("void ()*", PointerType(FunctionType(VOID, ()))),
        ("i64 (ptr, ...)*", PointerType(FunctionType(I64, (PTR,), True))),
    ],
)
def test_types(text, type):
    assert one(f"%x = alloca {text}").type == type
    assert str(type) == text.replace('"', "")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("i64 %x", Local(I64, "x")),
        (r'ptr %"a b\0A\\\22"', Local(PTR, 'a b\n\\"')),
        ("ptr @f", Symbol(PTR, "f")),
        ("i64 -5", Int(I64, -5)),
        ("i64 18446744073709551615", Int(I64, -1)),
        ("i64 9223372036854775808", Int(I64, -(2**63))),
        ("i1 true", Int(I1, 1)),
        ("i1 -1", Int(I1, 1)),
        ("i1 false", Int(I1, 0)),
        ("i2 2", Int(IntType(2), -2)),
        ("double 1.5e+01", Float(DOUBLE, 15.0)),
        ("double -.5", None),
        ("double 0x400921FB54442D18", Float(DOUBLE, math.pi)),
        ("double 0x7FF0000000000000", Float(DOUBLE, math.inf)),
        ("half 0xH3C00", Float(FloatType("half"), 1.0)),
        ("ptr null", Special(PTR, "null")),
        ("i64 poison", Special(I64, "poison")),
        ("[2 x i64] zeroinitializer", Special(ArrayType(2, I64), "zeroinitializer")),
        (r'[3 x i8] c"a\00\FF"', Text(ArrayType(3, IntType(8)), b"a\0\xff")),
        ("[1 x ptr] [ptr null]", Aggregate(ArrayType(1, PTR), (Special(PTR, "null"),))),
        (r'[1 x i8] c "a"', Text(ArrayType(1, IntType(8)), b"a")),
        (
            "<2 x i64> splat (i64 3)",
            Aggregate(VectorType(2, I64), (Int(I64, 3),), True),
        ),
        (
            "%Qubit* inttoptr (i64 3 to %Qubit*)",
            Expression(PointerType(NamedType("Qubit")), "inttoptr", (Int(I64, 3),)),
        ),
        (
            "i8* getelementptr inbounds ([2 x i8], [2 x i8]* @s, i32 0, i32 0)",
            Expression(
                PointerType(IntType(8)),
                "getelementptr",
                (
                    Symbol(PointerType(ArrayType(2, IntType(8))), "s"),
                    Int(IntType(32), 0),
                    Int(IntType(32), 0),
                ),
                ("inbounds",),
                ArrayType(2, IntType(8)),
            ),
        ),
    ],
)
def test_values(text, value):
    line = f"call void @f({text})"
    if value is None:
        assert problems(f"define void @f() {{\n{line}\nret void\n}}")
        return
    assert one(line).operands[1] == value
    # Twice: the grammar reads the first line, the template makes the second.
    first, second = body(line, line + " ")
    assert first == second


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("br label %x", Instruction("br", None, VOID, (Local(LABEL, "x"),))),
        (
            "%5 = tail call zeroext i1 @f(ptr writeonly %x, i1 zeroext true) #3",
            Instruction(
                "call",
                "5",
                I1,
                (Symbol(PTR, "f"), Local(PTR, "x"), Int(I1, 1)),
                ("tail", "zeroext"),
            ),
        ),
        (
            "call void (i64, ...) %g(i64 2)",
            Instruction(
                "call",
                None,
                VOID,
                (Local(PointerType(FunctionType(VOID, (I64,), True)), "g"), Int(I64, 2)),
            ),
        ),
        (
            "%p = phi i64 [0, %a], [ %x, %b ]",
            Instruction(
                "phi",
                "p",
                I64,
                (Int(I64, 0), Local(LABEL, "a"), Local(I64, "x"), Local(LABEL, "b")),
            ),
        ),
        (
            "switch i2 %x, label %d [i2 1, label %a i2 -1, label %b]",
            Instruction(
                "switch",
                None,
                VOID,
                (
                    Local(IntType(2), "x"),
                    Local(LABEL, "d"),
                    Int(IntType(2), 1),
                    Local(LABEL, "a"),
                    Int(IntType(2), -1),
                    Local(LABEL, "b"),
                ),
            ),
        ),
        (
            "%q = getelementptr inbounds { i64, ptr }, ptr %p, i32 0, i32 1",
            Instruction(
                "getelementptr",
                "q",
                StructType((I64, PTR)),
                (Local(PTR, "p"), Int(IntType(32), 0), Int(IntType(32), 1)),
                ("inbounds",),
            ),
        ),
        (
            "%e = extractvalue { i64, i1 } %s, 1",
            Instruction(
                "extractvalue",
                "e",
                StructType((I64, I1)),
                (Local(StructType((I64, I1)), "s"), Int(IntType(32), 1)),
            ),
        ),
        (
            "%c = icmp samesign ult i64 %a, 3",
            Instruction("icmp", "c", I1, (Local(I64, "a"), Int(I64, 3)), ("samesign", "ult")),
        ),
        ("%d = zext i1 %c to i64", Instruction("zext", "d", I64, (Local(I1, "c"),))),
        (
            "%l = load volatile i64, ptr %p, align 8, !tbaa !3",
            Instruction("load", "l", I64, (Local(PTR, "p"),), ("volatile",)),
        ),
    ],
)
def test_instructions(line, expected):
    assert one(line) == expected


def test_metadata_and_debug_records_are_no_hindrance():
    found = body(
        "call void @llvm.dbg.value(metadata i64 %n, metadata !3, metadata !DIExpression())",
        "    #dbg_value(i64 %n, !12, !DIExpression(DW_OP_plus_uconst, 8), !13)",
        'call void @x(metadata !{!"a", i64 1, null, !4}), !dbg !13, !prof !{!"w", i32 1}',
    )
    metas = [[operand.item for operand in line.operands[1:]] for line in found]
    assert metas == [
        [Local(I64, "n"), MetaReference(3), None],
        [("a", Int(I64, 1), None, MetaReference(4))],
    ]
    assert isinstance(found[0].operands[1], Meta)


# ---------------------------------------------------------------- modules


def test_attributes_come_from_the_function_and_its_groups():
    module = load(
        """
        define dllexport void @main(ptr writeonly %r, i64) #0 "own"="1" nounwind #2 { ret void }
        declare void @mz(ptr, ptr writeonly) #1
        attributes #0 = { "entry_point" "required_num_qubits"="2" "own"="2" }
        attributes #1 = { "irreversible" }
        attributes #2 = { memory(none) align=4 }
        """
    )
    main, mz = module.functions.values()
    assert main.attributes == {
        "own": "1",
        "nounwind": "",
        "entry_point": "",
        "required_num_qubits": "2",
        "memory(none)": "",
        "align": "4",
    }
    assert main.words == ("dllexport",)
    assert [(p.name, p.attributes) for p in main.parameters] == [
        ("r", {"writeonly": ""}),
        ("0", {}),
    ]
    assert mz.attributes == {"irreversible": ""}
    assert mz.is_declaration
    assert not main.is_declaration


def test_module_flags_and_properties():
    module = load(
        """
        source_filename = "a\\22b"
        target triple = "x"
        target datalayout = "e"
        %Qubit = type opaque
        %Range = type { i64, i64 }
        !llvm.module.flags = !{!0, !1, !{i32 1, !"inline", i1 true}}
        !llvm.ident = !{!2}
        !0 = !{i32 1, !"qir_major_version", i32 2}
        !1 = !{i32 5, !"int_computations", !{!"i64", !"i32"}}
        !2 = !{!"clang"}
        !3 = distinct !DICompileUnit(language: DW_LANG_C, producer: "a (b) \\22", file: !4)
        """
    )
    assert module.source_name == 'a"b'
    assert module.target == {"triple": "x", "datalayout": "e"}
    assert module.types == {"Qubit": None, "Range": StructType((I64, I64))}
    assert module.flags == {
        "qir_major_version": Int(IntType(32), 2),
        "int_computations": ("i64", "i32"),
        "inline": Int(I1, 1),
    }
    assert module.named["llvm.ident"] == (MetaReference(2),)
    assert module.nodes[2] == ("clang",)


def test_variables():
    module = load(
        """
        @a = internal constant [2 x i8] c"x\\00"
        @b = external global i64
        @c = alias i64, ptr @b
        @d = private unnamed_addr global i64 7, section "s", align 8, !dbg !3 ; comment
        """
    )
    a, b, c, d = module.variables.values()
    assert a.initializer == Text(ArrayType(2, IntType(8)), b"x\0")
    assert (a.kind, a.words, a.line) == ("constant", ("internal",), 2)
    assert (b.kind, b.initializer) == ("global", None)
    assert (c.kind, c.initializer) == ("alias", Symbol(PTR, "b"))
    assert (d.initializer, d.words) == (Int(I64, 7), ("private", "unnamed_addr"))


def test_blocks_and_values_without_names_are_numbered():
    module = load(
        """
        define i1 @f(ptr, i64 %n, i1) {
          call i1 @g()
          %4 = call i1 @g()
          br i1 %4, label %5, label %"a b"
          ; the block 5
          br label %"a b"
        "a b":
          switch i64 0, label %6 []
          unreachable
        }
        """
    )
    (function,) = module.functions.values()
    assert [parameter.name for parameter in function.parameters] == ["0", "n", "1"]
    assert [block.label for block in function.blocks] == ["2", "5", "a b", "6"]


def test_lines_are_known():
    module = load("\n\ndefine void @f() {\na:\n\n  call void\n @g()\n  ret void\n}\n")
    (function,) = module.functions.values()
    assert function.line == 3
    assert [(block.line, *block.lines) for block in function.blocks] == [(4, 6, 8)]
    assert [line for line, _ in function.instructions()] == [6, 8]
    place = module.locations.place(module.locate(8))
    assert (place.line, place.column, place.end) == (8, 3, 11)


@pytest.mark.parametrize(
    "text",
    [
        "define void @f() { ret void }",
        "define void @f() #0 { entry: call void @g() ret void }",
        "define void\n@f()\n#0\n{\nentry: ; comment\n  call void @g(i64 0,\n i64 1)\nret void\n}",
        "define void @f() {\n  br\n  label\n  %x\nx:\n  ret void\n}",
        "define void @f() {\n  invoke void @g()\n    to label %x ; c\n    unwind label %y\n"
        "x: ret void\ny: ret void }",
        "define void @f() {\r\n  call void @g(), !dbg !3\r\n\r\n  ret void\r\n}\r\n",
        "\ufeffdefine void @f() {\n  switch i64 0, label %a [\n\n ; x\n i64 1, label %a\n  ]\n"
        "a:\n ret void\n}",
        "define void @f()\n{\n  call void @g()\n  , !dbg !3\n  ret void\n}",
        'declare void @f(ptr,\n  i64)\n  "a"="b"\n\n@x = global i64\n  3\n',
    ],
)
def test_layout_does_not_matter(text):
    flat = re.sub(r"\s+", " ", re.sub(r";[^\n]*", "", text.removeprefix("\ufeff")))
    assert llvm_printer.module(load(text)) == llvm_printer.module(load_flat(flat))


def load_flat(text: str) -> Module:
    """A module in which only definitions begin lines."""
    return load(text.replace(" @x =", "\n@x ="))
