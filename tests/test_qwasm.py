"""The QWASM reader: programs become the operations they should."""

import gc
import math
import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwasmc.diagnostics import CompileError, Kind, render
from qwasmc.grammar import expand
from qwasmc.grammar.qwasm import Limits, read
from qwasmc.ops import OPS
from qwasmc.verify import verify

ROOT = Path(__file__).parent.parent
CORPUS = ROOT.parent / "shared" / "corpus" / "qvm"

needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus beside the repository")


def load(text, name="test.qwasm", **options):
    program = read(text, name, **options)
    verify(program)
    return program


def ops(text, **options):
    """The ops of main, without the closing results and return: (name, qubits, bits, ...)."""
    found = []
    bits = {}
    for op in load(text, **options).main.blocks[0].ops:
        if op.name in ("result", "return", "alloc"):
            continue
        for value in op.results:
            bits[value] = value.name
        words = [op.name, *(value.name or "?" for value in op.operands)]
        if op.cond is not None:
            words.append(f"if {op.cond.name or '?'}")
        found.append(" ".join(words))
    return found


def failure(text, **options):
    with pytest.raises(CompileError) as caught:
        read(text, "test.qwasm", **options)
    return caught.value.diagnostics


def results(program):
    return [op.attrs["name"] for op in program.main.blocks[0].ops if op.name == "result"]


def graph(text, names="a, b, c"):
    return f".caps CAP_ALLOC CAP_MAGIC CAP_TELEPORT\nALLOC_LQ -> {names}\n{text}"


# ---------------------------------------------------------------- instructions


@pytest.mark.parametrize(
    "spec", [spec for spec in OPS if spec.is_gate and spec.qubits > 0], ids=lambda s: s.name
)
def test_every_gate_of_the_op_table_has_a_mnemonic(spec):
    names = ["a", "b", "c"][: spec.qubits]
    angle = ", theta=0.5" if spec.angle else ""
    text = graph(f"APPLY_{spec.name.upper()} {', '.join(names)}{angle}")
    op = load(text).main.blocks[0].ops[-2]
    assert op.spec is spec
    assert [value.name for value in op.operands] == names
    assert op.attrs == ({"angle": 0.5} if spec.angle else None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("APPLY_CNOT a, b", ["cx a b"]),
        ("APPLY_TOFFOLI a, b, c", ["ccx a b c"]),
        ("APPLY_FREDKIN a, b, c", ["cswap a b c"]),
        ("RESET a, b", ["reset a", "reset b"]),
        ("FENCE_EPOCH", ["barrier a b c"]),
        ("BAR_REGION b", ["barrier b"]),
        ("FREE_LQ a, c", ["free a", "free c"]),
        ("MEASURE_X a -> m", ["measure_x a"]),
        ("MEASURE_BELL a, b -> m, n", ["cx a b", "h a", "measure_z a", "measure_z b"]),
        ("TELEPORT_CNOT a, b", ["cx a b"]),
        ("INJECT_T_STATE a", ["h a", "t a"]),
        ("label: apply_h a ; comment", ["h a"]),
        ("label:", []),
        ("// comment\n\n  ; comment\nAPPLY_H a // comment", ["h a"]),
    ],
)
def test_graph_style(text, expected):
    assert ops(graph(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("qlh 0", ["h 0"]),
        ("QLCNOT 0x0, 0b1", ["cx 0 1"]),
        ("QLFREE 1\nQLCORRECT", ["free 1", "barrier 0 2"]),
        ("QLRESET 1", ["reset 1"]),
        ("qlrz 1, -pi/4", ["rz 1"]),
        ("qlrz 1, pi", ["rz 1"]),
        ("QLMEASURE 0, R1", ["measure_z 0"]),
        ("QLMEASURE 0, r1 basis=Y", ["measure_y 0"]),
        ('QLPPM "XIZ", 0, 1, 2, r15', ["ppm 0 2"]),
        ("QLMEASURE 0, r1\nIF r1: QLX 2", ["measure_z 0", "x 2 if r1"]),
        ("QLH 0\nHALT", ["h 0"]),
        ("REV_BEGIN s\nQLH 0\nREV_END\nUNCOMPUTE s", ["rev_begin", "h 0", "rev_end", "uncompute"]),
    ],
)
def test_machine_style(text, expected):
    assert ops(f"QLINIT 3\n{text}") == expected


def test_attributes():
    program = load(
        graph(
            "APPLY_RZ a, theta=pi/2\nAPPLY_P a, lambda=-{half}/2\nAPPLY_CP a, b, 0.25\n"
            "QLSYNDROME\nQLSYNDROME rounds=7\n".join([".set half = 0.5\n", ""])
        )
        + 'QLINIT 2, distance=3\nQLPPM "IY", 0, 1, r0\n'
    )
    attrs = [op.attrs for op in program.main.blocks[0].ops if op.attrs and "name" not in op.attrs]
    assert attrs == [
        {"angle": math.pi / 2},
        {"angle": -0.25},
        {"angle": 0.25},
        {"rounds": 0},
        {"rounds": 7},
        {"text": "QLINIT 2, distance=3"},
        {"paulis": "Y"},
    ]


def test_profile_is_kept_as_a_note():
    text = '.caps CAP_ALLOC\nALLOC_LQ n=1, profile="logical:Surface(d=5)" -> a'
    (note,) = [op.attrs for op in load(text).main.blocks[0].ops if op.name == "pragma"]
    assert note == {"text": 'ALLOC_LQ n=1, profile="logical:Surface(d=5)" -> a'}


def test_services_are_kept_as_notes_with_one_warning_each():
    program = load('AGENT_START 1, "x y"\nagent_start 2\nPERF_BEGIN\nSET_POLICY mode=fast')
    notes = [op.attrs["text"] for op in program.main.blocks[0].ops if op.name == "pragma"]
    assert notes == ['AGENT_START 1, "x y"', "AGENT_START 2", "PERF_BEGIN", "SET_POLICY mode=fast"]
    assert [w.message.split()[0] for w in program.warnings] == [
        "AGENT_START",
        "PERF_BEGIN",
        "SET_POLICY",
    ]
    assert {w.severity for w in program.warnings} == {"warning"}


def test_results_are_the_final_values_of_the_names():
    program = load(graph("MEASURE_Z a -> m\nMEASURE_Z b -> n\nMEASURE_X a -> m"))
    assert results(program) == ["m", "n"]
    block = program.main.blocks[0].ops
    (last,) = [op for op in block if op.name == "measure_x"]
    (result,) = [op for op in block if op.name == "result" and op.attrs["name"] == "m"]
    assert result.operands[0] is last.results[1]


# ---------------------------------------------------------------- guards


def guard_values(guard, names=("p", "q", "r")):
    """The guard's value for each assignment of its bits, by running the ops it becomes."""
    measured = "\n".join(f"MEASURE_Z a -> {name}" for name in names)
    block = load(graph(f"{measured}\nAPPLY_X b if {guard}")).main.blocks[0].ops
    table = []
    for assignment in range(1 << len(names)):
        value = {}
        for op in block:
            if op.name == "measure_z":
                value[op.results[1]] = assignment >> names.index(op.results[1].name) & 1
            elif op.name == "const":
                value[op.results[0]] = op.attrs["value"]
            elif op.name == "xor":
                value[op.results[0]] = sum(value[bit] for bit in op.operands) % 2
            elif op.name == "and":
                value[op.results[0]] = int(all(value[bit] for bit in op.operands))
            elif op.name == "x":
                table.append(value[op.cond])
    return table


guards = st.recursive(
    st.sampled_from(["p", "q==1", "r==0", "p!=q", "q!=1", "p==r", "1==p"]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(" && ".join),
        st.tuples(inner, inner).map(lambda two: "(" + " || ".join(two) + ")"),
        inner.map(lambda guard: f"!({guard})"),
    ),
)


@given(guards)
def test_guards_are_lowered_to_what_they_say(guard):
    python = re.sub(r"!(?!=)", " not ", guard).replace("&&", " and ").replace("||", " or ")
    expected = [
        int(bool(eval(python, {"p": n & 1, "q": n >> 1 & 1, "r": n >> 2 & 1}))) for n in range(8)
    ]
    assert guard_values(guard) == expected


def test_bracket_guard_and_capabilities():
    text = graph("MEASURE_Z a -> m\nAPPLY_X b [m == 1]\nAPPLY_Z b if m==1 [CAP_ALLOC, CAP_MAGIC]")
    assert ops(text) == ["measure_z a", "x b if m", "z b if m"]


def test_cond_pauli():
    text = 'MEASURE_Z a -> m\nMEASURE_Z b -> n\nCOND_PAULI c, mask="X", inputs={}'
    assert ops(graph(text.format("m")))[2:] == ["x c if m"]
    assert ops(graph(text.format("[m, n]")))[2:] == ["xor m n", "x c if ?"]
    assert ops(graph(text.format("m if n==1")))[2:] == ["and m n", "x c if ?"]
    assert ops(graph('MEASURE_Z a -> m\nCOND_PAULI b, c, m, mask="ZI"'))[1:] == ["z b if m"]


@pytest.mark.parametrize("text", ["ALLOC_LQ -> n", "FREE_LQ b", "OPEN_CHAN b, c -> n"])
def test_what_cannot_be_guarded(text):
    (problem,) = failure(graph(f"MEASURE_Z a -> m\n{text} if m==1"))
    assert "cannot depend on a measurement result" in problem.message
    assert "must be known before the program runs" in problem.help


# ---------------------------------------------------------------- directives


def test_loops_conditionals_and_macros():
    text = """
    .macro LADDER(qubits, gate)
        .set last = len(qubits) - 1
        .for i in 0..last-1
            l{i}: APPLY_{gate} {qubits[i]}, {qubits[i + 1]}
            .if i == 0
                APPLY_H {qubits[0]}
            .elif i == 1 and last > 1
                APPLY_X {qubits[i]}
            .else
                APPLY_Y a
            .endif
        .endfor
    .endmacro
    .set all = ["a", "b", "c"]
    LADDER(all, CNOT)
    LADDER([c, a], "CZ")
    .for i in 2..1
        APPLY_Z a
    .endfor
    .for x, y in [["a", "b"], ["b", "c"]]
        APPLY_SWAP {x}, {y}
    .endfor
    """
    assert ops(graph(text)) == [
        "cx a b",
        "h a",
        "cx b c",
        "x b",
        "cz c a",
        "h c",
        "swap a b",
        "swap b c",
    ]


def test_a_macro_sees_globals_but_keeps_its_own_variables():
    text = """
    .set which = "a"
    .macro M(x)
        APPLY_H {which}
        .set which = x
        APPLY_X {which}
    .endmacro
    M(b)
    APPLY_Z {which}
    """
    assert ops(graph(text)) == ["h a", "x b", "z a"]


def test_a_word_in_a_call_is_a_qubit_before_it_is_a_variable():
    text = ".set a = 7\n.set n = [b, c]\n".replace("[b, c]", '["b", "c"]')
    text += ".macro M(q, qs)\nAPPLY_CX {q}, {qs[1]}\n.endmacro\nM(a, n)"
    assert ops(graph(text)) == ["cx a c"]


def test_a_substitution_may_put_in_several_names():
    text = '.caps CAP_ALLOC\n.param names = "x, y"\nALLOC_LQ n={2} -> {names}\nAPPLY_CX {names}'
    assert ops(text) == ["cx x y"]


def test_labels_may_repeat():
    assert ops(graph("l: APPLY_H a\nl: APPLY_H a")) == ["h a", "h a"]


@pytest.mark.parametrize("text", [".for i in 0..n\n.endfor", ".if n\n.endif", '.include "{n}"'])
def test_an_undefined_name_in_a_directive_is_an_error(text):
    assert [problem.message for problem in failure(text)] == ["undefined name 'n'"]


@pytest.mark.parametrize("given", [5, "5"])
def test_parameters(given):
    text = ".param n = 2\n.for i in 1..n\nAPPLY_H a\n.endfor"
    assert ops(graph(text)) == ["h a"] * 2
    assert ops(graph(text), params={"n": given}) == ["h a"] * 5


def test_parameters_keep_the_kind_of_their_default():
    text = graph('.param s = "01"\n.if s == "10"\nAPPLY_H a\n.endif')
    assert ops(text, params={"s": "10"}) == ["h a"]
    (problem,) = failure(graph(".param n = 2"), params={"n": "two"})
    assert problem.message == "parameter 'n' must be an integer, got 'two'"


def test_a_parameter_nobody_reads_is_a_warning():
    program = load(".param size = 1", params={"sise": 2})
    assert [w.message for w in program.warnings] == ["the program has no parameter 'sise'"]
    assert program.warnings[0].help == "did you mean 'size'?"


def test_param_does_not_override_what_was_set_before():
    assert ops(graph('.set q = "b"\n.param q = "a"\nAPPLY_H {q}')) == ["h b"]


# ---------------------------------------------------------------- files


def test_includes(tmp_path):
    (tmp_path / "lib" / "deep").mkdir(parents=True)
    (tmp_path / "main").mkdir()
    (tmp_path / "lib" / "one.qasm").write_text('APPLY_H a\n.include "deep/two.qasm"')
    (tmp_path / "lib" / "deep" / "two.qasm").write_text('APPLY_X a\n.include "../three.qasm"')
    (tmp_path / "lib" / "three.qasm").write_text("APPLY_Z a")
    name = str(tmp_path / "main" / "p.qasm")
    text = graph('.include "one.qasm"')
    program = load(text, name, include_dirs=[tmp_path / "lib"])
    names = [op.name for op in program.main.blocks[0].ops]
    assert names == ["alloc"] * 3 + ["h", "x", "z", "return"]
    lib, main = tmp_path / "lib", tmp_path / "main"
    found = [name, lib / "one.qasm", lib / "deep" / "two.qasm", lib / "deep" / ".." / "three.qasm"]
    assert list(program.locations.paths) == [str(path) for path in found]
    assert list(program.locations.absent) == [str(main / "one.qasm")]


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no symbolic links")
def test_a_symlink_does_not_leave_the_roots(tmp_path):
    (tmp_path / "secret.qasm").write_text("QLINIT 1")
    (tmp_path / "main").mkdir()
    (tmp_path / "main" / "link.qasm").symlink_to(tmp_path / "secret.qasm")
    with pytest.raises(CompileError) as caught:
        read('.include "link.qasm"', str(tmp_path / "main" / "p.qasm"))
    assert "leaves the folders" in caught.value.diagnostics[0].message


@pytest.mark.parametrize(
    ("data", "message", "where"),
    [
        (b"QLINIT 1\r\nQL\xff 0", "this is not UTF-8", (2, 3)),
        ("\ufeffQLINIT 1\n\u03b8\0".encode(), "a program cannot contain NUL", (2, 2)),
    ],
)
def test_bad_characters(data, message, where):
    (problem,) = failure(data)
    assert problem.message == message
    assert (problem.place.line, problem.place.column) == where


def test_a_bad_included_file_is_one_error_among_others(tmp_path):
    (tmp_path / "bad.qasm").write_bytes(b"\xff")
    with pytest.raises(CompileError) as caught:
        read('.include "bad.qasm"\nQLX 5\nFOO', str(tmp_path / "p.qasm"))
    messages = [problem.message for problem in caught.value.diagnostics]
    assert messages == ["this is not UTF-8", "unknown mnemonic 'FOO'"]


def test_what_follows_halt_is_not_read_but_told():
    program = load("QLINIT 1\nHALT\nFOO\n")
    assert [warning.message for warning in program.warnings] == ["nothing is executed after HALT"]
    assert not load("QLINIT 1\nHALT ; end\n\n; that is all").warnings


def test_an_unclosed_block_after_halt_is_an_error():
    (problem,) = failure("QLINIT 1\nHALT\n.for i in 0..1", limits=Limits(errors=1))
    assert problem.message == "'.for' without '.endfor'"


def test_a_loop_stops_at_an_element_that_does_not_fit():
    (problem,) = failure(graph('.for x, y in [["a", "b"], ["c"]]\nAPPLY_CX {x}, {y}\n.endfor'))
    assert problem.message == "each element must be a list of 2"


def test_line_endings_and_byte_order_mark():
    assert ops(b"\xef\xbb\xbfQLINIT 1\r\nQLH 0\r\n") == ["h 0"]


def test_positions():
    program = load(graph(".for i in 0..1\n  x: APPLY_H {'ab'[i]}\n.endfor"))
    where = [op.loc for op in program.main.blocks[0].ops if op.name == "h"]
    place = program.locations.place(where[0])
    assert (place.line, place.column, place.end) == (4, 6, 13)
    assert [str(p) for _, p in program.locations.chain(where[0])] == ["test.qwasm:3:1"]
    assert where[0] == where[1]


# ---------------------------------------------------------------- the short cut for plain lines

WORDS = (
    "a b q0 r0 if and or not in for If APPLY_H APPLY_CNOT QLH QLRZ MEASURE_Z 0 00 1 12 0.5 -1 "
    "theta = theta=0.5 theta=-1e-3 lambda=2 , , , : -> ; // x"
)
words = st.sampled_from(WORDS.split())
loose_lines = st.lists(words, max_size=8).map(" ".join)
operands = st.sampled_from(["a", "b", "0", "1", "00", "0.5", "q0", "not", "pi"])
plausible_lines = st.builds(
    "{}{} {}{}{}{}".format,
    st.sampled_from(["", "l: ", "l :", "  if: "]),
    st.sampled_from(
        ["APPLY_H", "apply_cnot", "QLCZ", "APPLY_RZ", "QLRZ", "MEASURE_Z", "QLMEASURE"]
    ),
    st.lists(operands, max_size=3).map(", ".join),
    st.sampled_from(["", ", theta=0.5", ",lambda=-2e1", " theta=1", ", n=1"]),
    st.sampled_from(["", " -> m", "->m", " -> a", " -> m, n"]),
    st.sampled_from(["", " ; c", "// c", " // c"]),
)


@given(plausible_lines | loose_lines | loose_lines.map(lambda line: line.replace(" ", "")))
def test_plain_lines_mean_what_the_grammar_says(line):
    def outcome():
        try:
            program = read(f"QLINIT 2\n.caps CAP_ALLOC\nALLOC_LQ -> a, b\n{line}\n", "x")
        except CompileError as problem:
            return [render(diagnostic) for diagnostic in problem.diagnostics]
        return [
            (op.name, op.attrs, [v.name for v in op.operands], program.locations.place(op.loc))
            for op in program.main.blocks[0].ops
        ]

    short = outcome()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(expand, "PLAIN", re.compile(r"(?!)"))
        assert outcome() == short


# ---------------------------------------------------------------- untrusted input

ATTACKS = {
    "one long line": "x" * 2_000_000,
    "brackets": "APPLY_RZ q, theta=" + "(" * 1_000_000,
    "signs": ".set x = " + "-" * 200_000 + "1",
    "deep brackets": ".set x = " + "(" * 100_000 + "1" + ")" * 100_000,
    "deep conditionals": ".if 1\n" * 100_000 + ".endif\n" * 100_000,
    "deep loops": ".for i in 0..1\n" * 100_000 + ".endfor\n" * 100_000,
    "open loops": ".for i in 0..1\n" * 100_000,
    "long loop": ".for i in 0..10**18\nQLX 0\n.endfor",
    "long block": ".if 1\n" + "x\n" * 1_100_000,
    "macro recursion": ".macro A()\nA()\nA()\n.endmacro\nA()",
    "billion laughs": "QLINIT 1\n.macro A0()\nQLX 0\n.endmacro\n"
    + "".join(f".macro A{i}()\n" + f"A{i - 1}()\n" * 10 + ".endmacro\n" for i in range(1, 30))
    + "A29()",
    "strings": '.set a = "x"\n' + '.set a = "{a}{a}"\n' * 60,
    "lists": ".set a = [1]\n" + ".set a = [a, a]\n" * 60,
    "powers": ".set a = 9\n" + ".set a = a ** a\n" * 9,
    "qubits": "QLINIT 10 ** 15",
    "round": ".set a = round(1, -10 ** 9)",
    "labels": "a:" * 400_000,
    "braces": "APPLY_H q" + "{" * 500_000,
    "substitutions": "APPLY_H q" + "{1}" * 100_000,
    "quotes": '.set a = "' + "a\\" * 400_000,
    "garbage lines": "@#$\n" * 2_000_000,
    "closers": ".endfor\n.endif\n.else\n.endmacro\n" * 100_000,
}


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_attacks_end_quickly_with_a_diagnostic(text):
    start = time.perf_counter()
    problems = failure(text)
    assert 1 <= len(problems) <= 20
    assert all(len(render(problem)) < 5_000 for problem in problems)
    assert time.perf_counter() - start < 10


def test_barriers_count_their_qubits():
    text = "QLINIT 1000\n.for i in 0..999\nQLCORRECT\n.endfor"
    (problem,) = failure(text, limits=Limits(statements=100_000))
    assert problem.kind is Kind.LIMIT


@pytest.mark.parametrize(
    "line",
    [
        "QLX 0 if {}".format(" && ".join(["(r0 || r1)"] * 500)),
        ".set x = [{} for i in 0..10 ** 6]".format("1" + " + (1 + 1)" * 100),
        ".set x = {}".format("1" + " + (1 + 1)" * 100),
        "RESET {names}",
        "BAR_REGION {names}",
        'QLPPM {"X" * 1000}, {names}, r1',
        "AGENT_NOTE {'x' * 10 ** 6}",
    ],
)
def test_a_line_counts_for_what_it_takes(line):
    text = (
        "QLINIT 1000\nQLMEASURE 0, r0\nQLMEASURE 1, r1\n"
        '.set names = ", ".join([str(i) for i in 0..999])\n'
        f".for i in 0..9999\n{line}\n.endfor"
    )
    start = time.perf_counter()
    (problem,) = failure(text, limits=Limits(statements=100_000, steps=300_000))
    assert problem.kind is Kind.LIMIT
    assert time.perf_counter() - start < 10


def test_a_limit_decides_the_exit_code():
    with pytest.raises(CompileError) as caught:
        read(".for i in 0..10**9\n.endfor", "x")
    assert caught.value.exit_code == 3


@given(st.text(max_size=60) | st.lists(words, max_size=30).map("\n".join) | st.binary(max_size=60))
def test_any_input_is_a_program_or_a_diagnostic(data):
    try:
        verify(read(data, "x"))
    except CompileError as problem:
        for diagnostic in problem.diagnostics:
            render(diagnostic)


def test_the_garbage_collector_is_on_again():
    failure("FOO")
    assert gc.isenabled()


def test_the_parser_is_built_on_first_use():
    """`qwasmc --help` must not wait for a parser to be built."""
    code = "import qwasmc.grammar.qwasm, qwasmc.grammar.syntax as s; print(s._lark.cache_info())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert "currsize=0" in done.stdout


# ---------------------------------------------------------------- programs from the wild

EXAMPLES = sorted((CORPUS / "examples" / "asm").glob("*.qasm"))
GRAPHS = sorted((CORPUS / "qvm").glob("**/*.qvm.asm"))
LIBRARY = sorted((CORPUS / "qvm" / "lib").glob("*.qasm"))
ANGLES = {"theta1": 0.1, "theta2": "pi/4", "theta3": "0.3"}


def load_file(path, **options):
    program = read(path.read_bytes(), str(path), **options)
    verify(program)
    assert not program.warnings
    return Counter(op.name for op in program.main.blocks[0].ops)


@needs_corpus
@pytest.mark.parametrize("path", [*EXAMPLES, *GRAPHS], ids=lambda path: path.name)
def test_corpus_program(path):
    params = ANGLES if path.stem == "vqe_ansatz" else {}
    counts = load_file(path, params=params)
    assert counts["return"] == 1
    assert counts["alloc"] > 0 or path.name == "stdlib.qvm.asm"


@needs_corpus
def test_a_corpus_program_that_needs_parameters_says_so():
    path = CORPUS / "examples" / "asm" / "vqe_ansatz.qasm"
    with pytest.raises(CompileError) as caught:
        read(path.read_bytes(), str(path))
    messages = [problem.message for problem in caught.value.diagnostics]
    assert messages == [f"undefined name 'theta{i}'" for i in (1, 2, 3)]


SETTINGS = {
    "qft": {"n_qubits": 5, "qubit_prefix": "q"},
    "syndrome_extraction": {"data_prefix": "q", "ancilla_prefix": "a", "code_type": "repetition"},
    "grover_oracle": {
        "n_qubits": 3,
        "qubit_prefix": "q",
        "target_state": "101",
        "oracle_mode": "single",
    },
    "cuccaro_adder": {"n_bits": 3, "a_prefix": "a", "b_prefix": "q", "carry_qubit": "c"},
    "phase_estimation": {"n_precision": 3, "precision_prefix": "q", "eigenstate_prefix": "a"},
    "modular_exp": {"n_control": 3, "control_prefix": "q", "work_prefix": "a"},
    "draper_adder": {"n_bits": 3, "a_prefix": "a", "b_prefix": "q"},
}


@needs_corpus
@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: path.name)
def test_corpus_library(path):
    text = '.caps CAP_ALLOC\nALLOC_LQ -> {", ".join([f"{r}_{i}" for r in "qa" for i in 0..4])}, c\n'
    for name, value in SETTINGS[path.stem].items():
        text += f".set {name} = {value!r}\n"
    text += f'.include "qvm/lib/{path.name}"\n'
    program = load(text, include_dirs=[CORPUS])
    assert len(program.main.blocks[0].ops) > 12


@needs_corpus
def test_corpus_standard_library():
    text = """
    .caps CAP_ALLOC
    .include "stdlib.qvm.asm"
    .set n = 4
    .set qubits = [f"q{i}" for i in range(n)]
    ALLOC_QUBITS({n}, "q", "logical:Surface(d=3)")
    GHZ_STATE(qubits)
    QFT(qubits)
    GROVER_ORACLE("0110", {qubits})
    BELL_PAIR(q0, q1)
    MEASURE_ALL(["q0", "q1"])
    MEASURE_ALL([q2, q3])
    """
    program = load(text, include_dirs=[CORPUS / "qvm" / "asm"])
    counts = Counter(op.name for op in program.main.blocks[0].ops)
    assert counts["alloc"] == counts["measure_z"] == 4
    assert counts["rz"] == 12
    assert results(program) == ["m0", "m1"]
