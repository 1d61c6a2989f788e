"""The machine style: programs that jump, compute and call do what a machine would do."""

from __future__ import annotations

from itertools import chain, cycle, repeat
from typing import Any

import pytest
from assembly import Machine
from hypothesis import example, given, settings
from hypothesis import strategies as st
from interpreter import Run

from qwasmc.diagnostics import CompileError
from qwasmc.grammar.evaluator import Limits
from qwasmc.grammar.qwasm import read
from qwasmc.ir.program import Program
from qwasmc.passes.promote import promote
from qwasmc.text import print_ir
from qwasmc.verify import verify

# -- any program -----------------------------------------------------------------------------------

QUBITS = 3
LABELS = ("a", "b", "c", "d")

integers = st.sampled_from(["r1", "r2", "r3", "r4", "r0"])
floats = st.sampled_from(["f0", "f1"])
labels = st.sampled_from(LABELS)
small = st.integers(-3, 5).map(str)
values = st.one_of(integers, small, st.sampled_from(["0xffffffffffffffff", "-9223372036854775808"]))
reals = st.one_of(floats, st.sampled_from(["0.5", "-1.25", "3.0"]))
qubits = st.one_of(
    st.integers(0, QUBITS - 1).map(str), st.integers(0, QUBITS - 1).map(str), st.just("r5")
)
relations = st.sampled_from(["JZ", "JNZ", "JLT", "JLE", "JGT", "JGE"])


def line(form: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(lambda words: form.format(*words))


arithmetic = st.sampled_from(["ADD", "SUB", "MUL", "AND", "OR", "XOR", "SHL", "SHR"])
targets = st.sampled_from(["r1", "r2", "r3", "r4"])
computing = st.one_of(
    line("{} {}, {}, {}", arithmetic, targets, values, values),
    line("{} {}, {}", arithmetic, targets, values),
    line("{} {}, {}, {}", st.sampled_from(["ADD", "SUB", "MUL"]), floats, reals, reals),
    line("MOV {}, {}", targets, values),
    line("MOV {}, {}", floats, reals),
    line("MOV {}, {}", floats, integers),
    line("NOT {}", targets),
    line("NOT {}, {}", targets, values),
    line("AND r5, {}, 1", integers),
)
jumping = st.one_of(
    line("JMP {}", labels),
    line("CALL {}", labels),
    line("CALL {}", labels),
    line("CMP {}, {}", values, values),
    line("CMP {}, {}", floats, reals),
    line("{} {}", relations, labels),
    line("{} {}, {}", relations, integers, labels),
    st.sampled_from(["RET", "RET", "HALT"]),
)
acting = st.one_of(
    line("{} {}", st.sampled_from(["QLH", "QLX", "QLT", "QLRESET"]), qubits),
    line("QLCNOT {}, {}", qubits, st.just("2")).filter(lambda text: "2, 2" not in text),
    line("QLRZ {}, {}", qubits, reals),
    line('QLPPR "XZ", {}, {}, {}', reals, st.just("0"), st.sampled_from(["1", "2"])),
    line("QLMEASURE {}, {}", qubits, st.sampled_from(["r0", "r6", "r1"])),
    line("QLMEASURE {}, r6, basis=X", qubits),
    line('QLPPM "ZY", 0, 1, {}', st.sampled_from(["r0", "r6"])),
)
statements = st.one_of(computing, jumping, acting, acting)
predicated = line("IF {}: {}", integers, statements)


@st.composite
def sources(draw: st.DrawFn) -> str:
    """Lines in any order, with labels anywhere among them."""
    lines = draw(st.lists(st.one_of(statements, statements, predicated), min_size=4, max_size=24))
    places = [draw(st.integers(0, len(lines))) for _ in LABELS]
    text = [f"QLINIT {QUBITS}", "QLMEASURE 0, r0", "MOV r5, 1"]
    text += [f"MOV r{n}, {draw(small)}" for n in (1, 2, 3, 4)]
    text += ["MOV f0, 0.25", "MOV f1, -2.0"]
    if draw(st.booleans()):
        text.append("CMP 0, 1")
    for number, statement in enumerate([*lines, "HALT"]):
        text += [
            f"{label}:" for label, place in zip(LABELS, places, strict=True) if place == number
        ]
        text.append(statement)
    return "\n".join([*text, "CMP r1, r1", ""])


def shape(run: Run) -> tuple[list[tuple[Any, ...]], dict[str, int]]:
    """What a run of the Program IR did to qubits, called by their numbers, and its results."""
    done, results = [], {}
    for name, *rest in run.seen:
        *operands, attrs, cond = rest
        if name.startswith("result"):
            results[attrs["name"]] = operands[0]
        elif cond and name not in ("alloc", "barrier"):
            reals = [value for value in operands if isinstance(value, float)]
            numbers = [value - 1 for value in operands if not isinstance(value, float)]
            reals += [attrs["angle"]] if "angle" in attrs else []
            paulis = [attrs["paulis"]] if "paulis" in attrs else []
            done.append((name, *numbers, *paulis, *reals))
    return done, results


ENDS = {"return": "end"}


def check(text: str, program: Program, outcomes: list[int]) -> None:
    machine = Machine(text, cycle(outcomes))
    why = machine.run()
    run = Run(program, cycle(outcomes), fuel=300)
    found = run.main()
    done, results = shape(run)
    if "no fuel" in (why, found):
        shorter = min(len(done), len(machine.seen))
        assert done[:shorter] == machine.seen[:shorter]
        return
    assert done == machine.seen
    assert ENDS.get(found, found) == why
    assert why != "end" or results == machine.results()


@settings(max_examples=60, deadline=None)
@given(
    sources(), st.lists(st.lists(st.integers(0, 1), min_size=5, max_size=5), min_size=4, max_size=4)
)
@example(
    "QLINIT 3\nQLMEASURE 0, r0\nMOV r1, 0\nCMP r1, 0xffffffffffffffff\nJLT d\nRET\nd:\nHALT\n",
    [[0] * 5] * 4,
)
def test_programs_do_what_a_machine_does(text, tosses):
    try:
        program = read(text, "t.qwasm")
    except CompileError as problem:
        (found,) = problem.diagnostics
        assert found.message == "RET without CALL"
        for outcomes in tosses:
            assert Machine(text, cycle(outcomes)).run() != "end"
        return
    verify(program)
    promoted = promote(program)
    verify(promoted)
    for outcomes in tosses:
        check(text, program, outcomes)
        check(text, promoted, outcomes)


# -- chosen programs -------------------------------------------------------------------------------

SUBROUTINES = {
    "both ways out": """
        QLINIT 2
        QLMEASURE 0, r0
        CALL sub
        QLX 1
        QLMEASURE 1, r1
        HALT
        sub: JZ r0, back
        QLZ 0
        HALT
        back: RET
    """,
    "the end of the program in a subroutine of a subroutine": """
        QLINIT 1
        CALL outer
        QLX 0
        HALT
        outer: CALL inner
        QLY 0
        RET
        inner: QLMEASURE 0, r0
        IF r0: RET
        QLZ 0
    """,
    "recursion": """
        QLINIT 1
        MOV r1, 5
        CALL down
        QLZ 0
        HALT
        down: QLX 0
        SUB r1, 1
        JZ r1, bottom
        CALL down
        QLY 0
        bottom: RET
    """,
    "one subroutine goes on in another": """
        QLINIT 1
        CALL first
        CALL second
        QLMEASURE 0, r0
        HALT
        first: QLX 0
        second: QLZ 0
        RET
    """,
    "a jump into the middle of another subroutine": """
        QLINIT 1
        QLMEASURE 0, r0
        CALL left
        CALL right
        HALT
        left: QLX 0
        JNZ r0, middle
        RET
        right: QLY 0
        middle: QLZ 0
        RET
    """,
    "a subroutine jumps to main code, which returns": """
        QLINIT 1
        MOV r1, 0
        common: ADD r1, 1
        QLX 0
        CMP r1, 2
        JZ out
        CALL sub
        QLZ 0
        HALT
        sub: QLY 0
        JMP common
        out: RET
    """,
    "a subroutine that is its own loop": """
        QLINIT 1
        MOV r1, 3
        CALL again
        HALT
        again: QLX 0
        SUB r1, 1
        JNZ r1, again
        RET
    """,
    "a label called main": """
        QLINIT 1
        JMP start
        main: QLX 0
        RET
        start: CALL main
        CALL main
    """,
    "main gets to a RET": """
        QLINIT 1
        QLMEASURE 0, r0
        CALL sub
        JZ r0, sub
        HALT
        sub: QLX 0
        RET
    """,
}


@pytest.mark.parametrize("name", SUBROUTINES)
def test_subroutines(name):
    text = SUBROUTINES[name]
    program = read(text, "t.qwasm")
    verify(program)
    for outcomes in ([0], [1], [0, 1]):
        assert Machine(text, cycle(outcomes)).run() != "no fuel"
        check(text, program, outcomes)
        check(text, promote(program), outcomes)


def registers(text: str, outcomes: list[int]) -> dict[str, int]:
    """The results of a program, which the machine agrees on."""
    program = read(text, "t.qwasm")
    check(text, program, outcomes)
    run = Run(program, cycle(outcomes))
    assert run.main() == "return"
    return shape(run)[1]


NUMBERS = [("-1", "1"), ("1", "1"), ("2", "-9"), ("-0.5", "0.5"), ("0.5", "0.5"), ("1", "0.5")]


@pytest.mark.parametrize(("a", "b"), NUMBERS)
@pytest.mark.parametrize("relation", ["JZ", "JNZ", "JLT", "JLE", "JGT", "JGE"])
def test_jumps_after_a_comparison(relation, a, b):
    text = f"QLINIT 1\nQLMEASURE 0, r0\nCMP {a}, {b}\n{relation} end\nADD r0, 1\nend: HALT\n"
    less, equal = float(a) < float(b), float(a) == float(b)
    taken = {"JZ": equal, "JNZ": not equal, "JLT": less, "JLE": less or equal}
    taken |= {"JGT": not less and not equal, "JGE": not less}
    assert registers(text, [0]) == {"r0": int(not taken[relation])}


@pytest.mark.parametrize("value", ["-3", "0", "3", "-0.5", "0.0", "0.5"])
@pytest.mark.parametrize("relation", ["JZ", "JNZ", "JLT", "JLE", "JGT", "JGE"])
def test_jumps_that_look_at_a_register(relation, value):
    register = "f1" if "." in value else "r1"
    text = f"""
        QLINIT 1
        QLMEASURE 0, r0
        MOV {register}, {value}
        {relation} {register}, end
        ADD r0, 1
        end: HALT
    """
    sign = float(value)
    taken = {"JZ": sign == 0, "JNZ": sign != 0, "JLT": sign < 0}
    taken |= {"JLE": sign <= 0, "JGT": sign > 0, "JGE": sign >= 0}
    assert registers(text, [0]) == {"r0": int(not taken[relation])}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ADD r0, 9223372036854775807, 1", -(2**63)),
        ("SUB r0, 1", 4),
        ("MUL r0, 0x7fffffffffffffff, 2", -2),
        ("AND r0, 12, 0b1010", 8),
        ("OR r0, 12, 10", 14),
        ("XOR r0, 3", 6),
        ("NOT r0", -6),
        ("NOT r0, 0", -1),
        ("SHL r0, 62", 2**62),
        ("SHL r0, 64", 0),
        ("SHR r0, -8, 1", 2**63 - 4),
        ("SHR r0, 0xffffffffffffffff, 60", 15),
        ("SHR r0, -1, 64", 0),
        ("MOV f0, 2.75\nMUL f0, 2\nMOV r0, f0", 5),
        ("MOV f0, -2.75\nMOV r0, f0", -2),
        ("MOV f3, r0\nADD f3, f3, 0.25\nSUB f3, 7\nMOV r0, f3", -1),
        (".set n = 6\nMOV r0, n\nADD r0, n*7", 48),
        ("IF r0: MOV r0, 77", 77),
        ("MOV r1, 0\nIF r1: MOV r0, 77", 5),
        ("MOV r1, 3\nCMP r1, r0\nJLT down\nMOV r0, 1\ndown: ADD r0, 1", 6),
    ],
)
def test_arithmetic(line, expected):
    text = f"QLINIT 1\nQLMEASURE 0, r0\nMOV r0, 5\n{line}\n"
    program = read(text, "t.qwasm")
    run = Run(promote(program), repeat(1))
    assert run.main() == "return"
    assert shape(run)[1] == {"r0": expected}


def sequence(text: str, outcomes: list[int]) -> list[tuple[Any, ...]]:
    run = Run(read(text, "t.qwasm"), chain(outcomes, repeat(0)))
    assert run.main() == "return"
    return shape(run)[0]


@pytest.mark.parametrize(
    ("line", "done"),
    [
        ("QLH 1", ("h", 1)),
        ("QLMEASURE 1, r3", ("measure_z", 1)),
        ("QLFREE 1", ("free", 1)),
        ("QLRESET 1", ("reset", 1)),
        ('QLPPM "ZZ", 0, 1, r3', ("ppm", 0, 1, "ZZ")),
        ("QLRZ 1, 0.5", ("rz", 1, 0.5)),
    ],
)
def test_any_instruction_may_be_predicated(line, done):
    text = f"QLINIT 2\nQLMEASURE 0, r0\nMOV r9, 0\nIF r0: {line}\n"
    assert sequence(text, [1]) == [("measure_z", 0), done]
    assert sequence(text, [0]) == [("measure_z", 0)]


def test_a_measurement_that_does_not_run_leaves_its_register():
    text = (
        "QLINIT 2\nQLMEASURE 0, r0\nQLMEASURE 0, r1\nIF r0: QLMEASURE 1, r1\nIF r0: QLMEASURE 1, r2"
    )
    run = Run(read(text, "t.qwasm"), iter([0, 1]))
    assert run.main() == "return"
    assert shape(run)[1] == {"r0": 0, "r1": 1, "r2": 0}


def test_computed_qubits_and_angles():
    text = """
        QLINIT 4
        MOV r1, 3
        MOV f1, 0.5
        loop: QLRZ r1, f1
        QLPPR "ZX", f1, r1, 0
        ADD f1, f1, f1
        SUB r1, 1
        JNZ r1, loop
    """
    assert sequence(text, []) == [
        step
        for qubit, angle in ((3, 0.5), (2, 1.0), (1, 2.0))
        for step in (("rz", qubit, angle), ("ppr", qubit, 0, "ZX", angle))
    ]


def test_a_qubit_that_is_not_there():
    for extra in ("", ".caps CAP_ALLOC\nALLOC_LQ n=1 -> named\n"):
        for number in (2, -1, 1 << 31):
            text = f"{extra}QLINIT 2\nMOV r1, {number}\nQLX r1\n"
            assert Run(read(text, "t.qwasm"), repeat(0)).main() == "empty slot"


def test_labels_of_loops_and_macros():
    text = """
        .macro WAIT(n, label)
            MOV r1, {n}
            {label}_again: SUB r1, 1
            QLX {n}
            JNZ r1, {label}_again
        .endmacro
        QLINIT 4
        .for i in 1..3
            skip{i}: WAIT({i}, "w{i}")
            JNZ r1, skip1
        .endfor
        same: QLZ 0
        same: QLZ 1
    """
    expected = [("x", 1), *[("x", 2)] * 2, *[("x", 3)] * 3, ("z", 0), ("z", 1)]
    assert sequence(text, []) == expected


def test_both_styles_in_one_program():
    text = """
        .caps CAP_ALLOC
        ALLOC_LQ n=2 -> a, b
        QLINIT 1
        MOV r1, 2
        loop: APPLY_H a
        MEASURE_Z a -> m
        APPLY_X b if m==1
        QLX 0 if r1 == 2 && m == 0
        IF m: QLZ 0
        COND_PAULI b, mask="Y", inputs=m
        SUB r1, 1
        JNZ r1, loop
        APPLY_X a if m==0
        MEASURE_X b -> n
        QLMEASURE 0, r0
    """
    run = Run(read(text, "t.qwasm"), iter([0, 1, 1, 0]))
    assert run.main() == "return"
    done, results = shape(run)
    a, b, q = 0, 1, 2  # in order of allocation
    once = [("h", a), ("measure_z", a)]
    assert done == [
        *[*once, ("x", q)],
        *[*once, ("x", b), ("z", q), ("y", b)],
        *[("measure_x", b), ("measure_z", q)],
    ]
    assert results == {"m": 1, "n": 1, "r0": 0}


def test_results_are_registers_that_measurements_write():
    text = "QLINIT 2\nQLMEASURE 1, r7\nQLMEASURE 0, R2\nMOV r1, 3\nADD r2, r1\n"
    (main,) = read(text, "t.qwasm").functions
    results = [op for block in main.blocks for op in block.ops if op.name.startswith("result")]
    assert [(op.name, op.attrs["name"]) for op in results] == [
        ("result", "r7"),
        ("result_i64", "r2"),
    ]


def test_barriers_take_the_qubits_that_are_there():
    text = "QLINIT 3\nMOV r1, 1\nloop: QLCORRECT\nSUB r1, 1\nJNZ r1, loop\n"
    (main,) = read(text, "t.qwasm").functions
    barriers = [op for block in main.blocks for op in block.ops if op.name == "barrier"]
    assert [len(op.operands) for op in barriers] == [3]
    text = "QLINIT 3\nMOV r1, 1\nQLFREE r1\nloop: QLX 0\nQLCORRECT\nSUB r1, 1\nJNZ r1, loop\n"
    (main,) = read(text, "t.qwasm").functions
    barriers = [op for block in main.blocks for op in block.ops if op.name == "barrier"]
    assert [len(op.operands) for op in barriers] == [1]


# -- notes -----------------------------------------------------------------------------------------

NOTES = """
    MAGIC_STATE_REQUEST 4
    MAGIC_STATE_REQUEST 2
    MAGIC_STATE_INVENTORY r9
    SYNDROME_STREAM_START 0x1000, 10
    MWPM_DECODE 0x1000, 0x2000, 1
    ERROR_CORRECTION_APPLY 0x2000
    CIRCUIT_CUT 0x100, 4, 0x200
    CIRCUIT_TRANSPILE 0x100, 0x300, 2
    CIRCUIT_KNIT 0x100, 0x200, 0x300, 1
"""


def test_what_is_for_a_machine_is_kept_with_one_warning():
    program = read(f"QLINIT 1\n{NOTES}", "t.qwasm")
    mnemonics = list(dict.fromkeys(NOTES.split()[::1]))
    expected = [word for word in mnemonics if word[0].isalpha() and word[0].isupper()]
    assert [warning.message.split()[0] for warning in program.warnings] == expected
    assert all(warning.help and warning.severity == "warning" for warning in program.warnings)
    notes = [op.attrs["text"] for b in program.main.blocks for op in b.ops if op.name == "pragma"]
    assert len(notes) == len(NOTES.split("\n")) - 2
    assert notes[0] == "MAGIC_STATE_REQUEST 4"


@pytest.mark.parametrize(
    "use", ["ADD r1, r9, 1", "IF r9: QLX 0", "QLMEASURE 0, r9", "QLX 0 if r9==1"]
)
def test_what_only_a_machine_knows_cannot_be_used(use):
    with pytest.raises(CompileError) as caught:
        read(f"QLINIT 1\nMOV r1, 0\nMWPM_DECODE 0, r9\n{use}\n", "t.qwasm")
    assert "MWPM_DECODE writes r9, which" in caught.value.diagnostics[0].message


# -- what has not changed, and bounds --------------------------------------------------------------


def test_a_straight_line_stays_one():
    program = read("QLINIT 2\nstart: QLH 0\nQLMEASURE 0, r0\nIF r0: QLX 1\nHALT\n", "t.qwasm")
    (block,) = program.main.blocks
    assert [op.name for op in block.ops] == [
        *["alloc"] * 2, "h", "measure_z", "x", "result", "return"
    ]  # fmt: skip


def test_lines_that_nothing_leads_to():
    program = read("QLINIT 1\nJMP end\nQLX 0\nQLZ 0\nend: QLH 0\n", "t.qwasm")
    (warning,) = program.warnings
    assert warning.message.startswith("nothing leads here")
    assert warning.place.line == 3
    assert "qw.x" not in print_ir(program)


def test_copies_of_subroutines_count():
    tails = "\n".join(f"s{n}: QLX 0\nJMP tail" for n in range(60))
    calls = "\n".join(f"CALL s{n}" for n in range(60))
    text = f"QLINIT 1\n{calls}\nHALT\n{tails}\ntail: " + "QLX 0\n" * 200 + "RET\n"
    assert len(read(text, "t.qwasm").functions) == 61
    with pytest.raises(CompileError) as caught:
        read(text, "t.qwasm", limits=Limits(statements=5000))
    assert caught.value.exit_code == 3


def test_returning_without_a_call_is_found():
    for text in ("RET", "JMP a\nb: RET\na: JMP b", "CALL f\nf: RET"):
        with pytest.raises(CompileError) as caught:
            read(text, "t.qwasm")
        assert [found.message for found in caught.value.diagnostics] == ["RET without CALL"]
    read("QLINIT 1\nCALL f\nf: QLMEASURE 0, r0\nIF r0: RET\n", "t.qwasm")
