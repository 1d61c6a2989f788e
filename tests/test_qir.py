"""QIR means here what it means to qir-runner, and what has no meaning is refused by name."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwasmc import driver, running
from qwasmc.diagnostics import CompileError, render
from qwasmc.grammar import qir, qir_flat
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.program import Program
from qwasmc.options import Options, Watch
from qwasmc.reading import Source
from qwasmc.text import print_ir
from qwasmc.verify import verify

ROOT = Path(__file__).parents[1]
CORPUS = ROOT.parent / "shared" / "corpus" / "qir"

RUNNER = """
import json, sys
from qirrunner import run_bytes
text = []
run_bytes(sys.stdin.buffer.read(), shots=int(sys.argv[1]), rng_seed=7,
          output_fn=lambda piece: text.append(str(piece)))
shots, shot = [], []
for line in "".join(text).splitlines():
    words = line.split("\\t")
    if words[0] == "OUTPUT" and words[1] in ("RESULT", "BOOL", "INT", "DOUBLE"):
        shot.append(float({"true": 1, "false": 0}.get(words[2], words[2])))
    elif words[0] == "END":
        shots.append(shot)
        shot = []
print(json.dumps(shots))
"""

HEAD = """
%Qubit = type opaque
%Result = type opaque
@0 = internal constant [2 x i8] c"a\\00"
@1 = internal constant [2 x i8] c"b\\00"
@2 = internal constant [2 x i8] c"c\\00"
"""

TAIL = """
declare void @__quantum__qis__h__body(%Qubit*)
declare void @__quantum__qis__x__body(%Qubit*)
declare void @__quantum__qis__t__body(%Qubit*)
declare void @__quantum__qis__s__adj(%Qubit*)
declare void @__quantum__qis__rx__body(double, %Qubit*)
declare void @__quantum__qis__ry__body(double, %Qubit*)
declare void @__quantum__qis__cnot__body(%Qubit*, %Qubit*)
declare void @__quantum__qis__rzz__body(double, %Qubit*, %Qubit*)
declare void @__quantum__qis__reset__body(%Qubit*)
declare void @__quantum__qis__mz__body(%Qubit*, %Result*)
declare void @__quantum__qis__mresetz__body(%Qubit*, %Result*)
declare i1 @__quantum__qis__read_result__body(%Result*)
declare %Qubit* @__quantum__rt__qubit_allocate()
declare void @__quantum__rt__qubit_release(%Qubit*)
declare void @__quantum__rt__result_record_output(%Result*, i8*)
declare void @__quantum__rt__bool_record_output(i1, i8*)
declare void @__quantum__rt__int_record_output(i64, i8*)
declare void @__quantum__rt__double_record_output(double, i8*)
attributes #0 = { "entry_point" "required_num_qubits"="4" "required_num_results"="4" }
"""


def module(body: str, more: str = "") -> bytes:
    return f"{HEAD}define void @main() #0 {{\n{body}\n}}\n{more}{TAIL}".encode()


def pointer(kind: str, number: int) -> str:
    return f"%{kind}* inttoptr (i64 {number} to %{kind}*)" if number else f"%{kind}* null"


def call(name: str, *arguments: str) -> str:
    return f"call void @__quantum__{name}({', '.join(arguments)})"


def record(result: int) -> str:
    label = f"i8* getelementptr inbounds ([2 x i8], [2 x i8]* @{result % 3}, i32 0, i32 0)"
    return call("rt__result_record_output", pointer("Result", result), label)


def theirs(data: bytes, shots: int) -> Counter[tuple[float, ...]]:
    """What qir-runner sees, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", RUNNER, str(shots)], input=data, capture_output=True, check=True
    )
    return Counter(map(tuple, json.loads(done.stdout)))


def ours(data: bytes, shots: int) -> Counter[tuple[float, ...]]:
    found = driver.simulate(Source("test.ll", data), Options(), Watch(), shots, 5)
    bits = all(isinstance(result, str) for result in found["results"])
    return Counter(
        {tuple(map(float, key if bits else key.split())): n for key, n in found["counts"].items()}
    )


def agree(data: bytes, shots: int = 400) -> None:
    """Total variation within what two samples of equal distributions show."""
    a, b = ours(data, shots), theirs(data, shots)
    distance = sum(abs(a[key] - b[key]) for key in a | b) / (2 * shots)
    assert distance < 0.5 * (len(a | b) / shots) ** 0.5 + 0.06, (a, b)


# -- meaning

PROGRAMS = {
    "functions, memory and a loop": (ROOT / "examples" / "repeat.ll").read_bytes(),
    "branches": (ROOT / "examples" / "teleport.ll").read_bytes(),
    "narrow integers": module(
        """
  %a = add i8 100, 100
  %b = zext i8 %a to i64
  %c = sext i8 %a to i64
  %d = sub i64 %b, %c
  %e = icmp ugt i8 %a, 100
  %f = icmp sgt i8 %a, 100
  %g = lshr i8 %a, 1
  %h = zext i8 %g to i64
  %i = ashr i16 -8, 2
  %j = sext i16 %i to i64
  %k = udiv i32 -2, 3
  %l = zext i32 %k to i64
  %m = select i1 %e, i64 %l, i64 0
  call void @__quantum__rt__int_record_output(i64 %d, i8* null)
  call void @__quantum__rt__bool_record_output(i1 %e, i8* null)
  call void @__quantum__rt__bool_record_output(i1 %f, i8* null)
  call void @__quantum__rt__int_record_output(i64 %h, i8* null)
  call void @__quantum__rt__int_record_output(i64 %j, i8* null)
  call void @__quantum__rt__int_record_output(i64 %m, i8* null)
  ret void"""
    ),
    "numbers": module(
        """
  %a = fdiv double 1.000000e+00, 4.000000e+00
  %b = fneg double %a
  %c = sitofp i64 -3 to double
  %d = fmul double %b, %c
  %e = fptosi double %c to i64
  %f = fcmp olt double %b, %a
  call void @__quantum__rt__double_record_output(double %d, i8* null)
  call void @__quantum__rt__int_record_output(i64 %e, i8* null)
  call void @__quantum__rt__bool_record_output(i1 %f, i8* null)
  ret void"""
    ),
    "switch on a measured number": module(
        f"""
  {call("qis__h__body", pointer("Qubit", 0))}
  {call("qis__h__body", pointer("Qubit", 1))}
  {call("qis__mz__body", pointer("Qubit", 0), pointer("Result", 0))}
  {call("qis__mz__body", pointer("Qubit", 1), pointer("Result", 1))}
  %a = call i1 @__quantum__qis__read_result__body({pointer("Result", 0)})
  %b = call i1 @__quantum__qis__read_result__body({pointer("Result", 1)})
  %c = zext i1 %a to i64
  %d = zext i1 %b to i64
  %e = shl i64 %d, 1
  %n = or i64 %c, %e
  switch i64 %n, label %other [ i64 1, label %one
                                i64 2, label %two ]
one:
  {call("qis__x__body", pointer("Qubit", 2))}
  br label %end
two:
  br label %end
other:
  br label %end
end:
  %v = phi i64 [ 10, %one ], [ 20, %two ], [ -1, %other ]
  call void @__quantum__rt__int_record_output(i64 %v, i8* null)
  {call("qis__mz__body", pointer("Qubit", 2), pointer("Result", 2))}
  {record(2)}
  ret void"""
    ),
    "arrays of qubits": module(
        f"""
  %p = alloca [2 x %Qubit*]
  %p0 = getelementptr [2 x %Qubit*], [2 x %Qubit*]* %p, i64 0, i64 0
  %p1 = getelementptr [2 x %Qubit*], [2 x %Qubit*]* %p, i64 0, i64 1
  store {pointer("Qubit", 1)}, %Qubit** %p0
  %fresh = call %Qubit* @__quantum__rt__qubit_allocate()
  store %Qubit* %fresh, %Qubit** %p1
  br label %loop
loop:
  %i = phi i64 [ 0, %0 ], [ %next, %loop ]
  %at = getelementptr [2 x %Qubit*], [2 x %Qubit*]* %p, i64 0, i64 %i
  %q = load %Qubit*, %Qubit** %at
  call void @__quantum__qis__x__body(%Qubit* %q)
  %next = add i64 %i, 1
  %go = icmp ult i64 %next, 2
  br i1 %go, label %loop, label %end
end:
  {call("qis__mz__body", pointer("Qubit", 1), pointer("Result", 0))}
  call void @__quantum__qis__mz__body(%Qubit* %fresh, {pointer("Result", 1)})
  call void @__quantum__rt__qubit_release(%Qubit* %fresh)
  {record(0)}
  {record(1)}
  ret void"""
    ),
    "a loop until a result": module(
        f"""
  br label %again
again:
  %n = phi i64 [ 0, %0 ], [ %m, %again ]
  {call("qis__h__body", pointer("Qubit", 0))}
  {call("qis__mresetz__body", pointer("Qubit", 0), pointer("Result", 0))}
  %r = call i1 @__quantum__qis__read_result__body({pointer("Result", 0)})
  %m = add i64 %n, 1
  br i1 %r, label %end, label %again
end:
  call void @__quantum__rt__int_record_output(i64 %m, i8* null)
  ret void"""
    ),
    "structures": module(
        """
  %a = insertvalue { i64, { i1, i64 } } undef, i64 5, 0
  %b = insertvalue { i64, { i1, i64 } } %a, i64 7, 1, 1
  %c = insertvalue { i64, { i1, i64 } } %b, i1 true, 1, 0
  %d = call { i1, i64 } @inner({ i64, { i1, i64 } } %c)
  %e = extractvalue { i1, i64 } %d, 1
  %f = extractvalue { i1, i64 } %d, 0
  call void @__quantum__rt__int_record_output(i64 %e, i8* null)
  call void @__quantum__rt__bool_record_output(i1 %f, i8* null)
  ret void""",
        """
define { i1, i64 } @inner({ i64, { i1, i64 } } %x) {
  %p = alloca { i64, { i1, i64 } }
  store { i64, { i1, i64 } } %x, { i64, { i1, i64 } }* %p
  %q = getelementptr { i64, { i1, i64 } }, { i64, { i1, i64 } }* %p, i64 0, i32 1
  %y = load { i1, i64 }, { i1, i64 }* %q
  ret { i1, i64 } %y
}
""",
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_do_what_qir_runner_does(name: str) -> None:
    agree(PROGRAMS[name])


GATES = ("h", "x", "t", "cnot", "rx", "ry", "rzz", "s__adj", "reset", "mz", "mresetz")


@st.composite
def straight_lines(draw: st.DrawFn) -> bytes:
    """A base-profile body on four qubits and results."""
    lines = []
    for name in draw(st.lists(st.sampled_from(GATES), max_size=14)):
        a, b = draw(st.permutations(range(4)))[:2]
        angle = f"double {draw(st.sampled_from((0.25, 0.5, 1.5, -2.25))):e}"
        given_ = {
            "cnot": (pointer("Qubit", a), pointer("Qubit", b)),
            "rzz": (angle, pointer("Qubit", a), pointer("Qubit", b)),
            "rx": (angle, pointer("Qubit", a)),
            "ry": (angle, pointer("Qubit", a)),
            "mz": (pointer("Qubit", a), pointer("Result", b)),
            "mresetz": (pointer("Qubit", a), pointer("Result", b)),
        }.get(name, (pointer("Qubit", a),))
        full = name if "__" in name else f"{name}__body"
        lines.append("  " + call(f"qis__{full}", *given_))
    for number in range(4):
        lines.append(
            "  " + call("qis__mz__body", pointer("Qubit", number), pointer("Result", number))
        )
        lines.append("  " + record(number))
    return module("\n".join([*lines, "  ret void"]))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(straight_lines())
def test_straight_lines_do_what_qir_runner_does(data: bytes) -> None:
    agree(data)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(straight_lines())
def test_the_quick_way_gives_what_the_general_way_gives(data: bytes) -> None:
    quick = qir.read(data, "test.ll")
    verify(quick)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(qir, "flat_circuit", lambda *_: None)
        program = qir.read(data, "test.ll")
    assert isinstance(program, Program)
    verify(program)
    if isinstance(quick, Circuit):  # rzz takes the general way
        row = next(row for row in running.choose_passes("program", "circuit", Options()))
        general = program
        for row in running.choose_passes("program", "circuit", Options(passes=["specialise"])):
            general = running.run_pass(general, row, Options(), Watch())
        assert print_ir(general) == print_ir(quick)
    else:
        assert b"rzz__body(double" in data


def test_most_straight_lines_take_the_quick_way() -> None:
    body = "\n".join(call("qis__h__body", pointer("Qubit", n % 3)) for n in range(50))
    data = module(
        f"{body}\n{call('qis__mz__body', pointer('Qubit', 0), pointer('Result', 0))}\nret void"
    )
    circuit = qir_flat.flat_circuit(*_parsed(data))
    assert circuit is not None
    assert len(circuit) == 3 + 50 + 1


def _parsed(data: bytes):
    found = qir.llvm.parse(data, "test.ll")
    return found, qir.survey(found)


# -- what is refused


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("call void @my_gate(%Qubit* null)\nret void", "'@my_gate' is called, but only declared"),
        (
            "call void @__quantum__qis__hh__body(%Qubit* null)\nret void",
            "'__quantum__qis__hh__body' is not supported",
        ),
        ("%a = load i64, i64* %b\nret void", "'%b' is not defined"),
        ("br label %nowhere", "no block '%nowhere'"),
        ("call void @__quantum__qis__h__body()\nret void", "takes 1 argument, not 0"),
        (
            f"{call('qis__h__body', pointer('Qubit', 99999999))}\nret void",
            "the number of a qubit",
        ),
        ("%a = add i128 1, 2\nret void", "arithmetic with values of the type 'i128'"),
        (
            "%f = inttoptr i64 3 to void ()*\ncall void %f()\nret void",
            "a call of a computed address",
        ),
        ("%x = fadd float 1.0, 2.0\nret void", "'float'"),
    ],
)
def test_refusals_name_what_and_where(body: str, message: str) -> None:
    with pytest.raises(CompileError) as caught:
        qir.read(module(body), "test.ll")
    (found,) = caught.value.diagnostics
    assert message in found.message
    assert found.place is not None
    assert found.place.file == "test.ll"
    assert message.split("'", maxsplit=1)[0][:5] in render(found)


def test_entry_points() -> None:
    two = b"define void @a() { ret void }\ndefine void @b() { ret void }\n"
    two = two.replace(b"{ ", b"{\n").replace(b" }", b"\n}")
    with pytest.raises(CompileError, match="several entry points: '@a', '@b'"):
        qir.read(two, "two.ll")
    assert len(qir.read(two, "two.ll", entry="b")) == 0
    with pytest.raises(CompileError, match="defines no function 'c'"):
        qir.read(two, "two.ll", entry="c")
    with pytest.raises(CompileError, match="no entry point"):
        qir.read(b"declare void @a()\n", "none.ll")


# -- real programs

RIGHTLY_REFUSED = (
    "is called, but only declared",
    "has no entry point",
    "has several entry points",
    "has parameters, which nobody gives values",
    "a module consists of definitions and declarations",
    "an instruction outside of a function",
)


@pytest.mark.slow
@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here")
def test_real_programs_load_or_are_rightly_refused() -> None:
    wrong = []
    files = [path for path in sorted(CORPUS.rglob("*")) if path.suffix in (".ll", ".bc")]
    for path in files:
        try:
            verify(qir.read(path.read_bytes(), path.name))
        except CompileError as refused:
            message = refused.diagnostics[0].message
            if not any(reason in message for reason in RIGHTLY_REFUSED):
                wrong.append(f"{path.name}: {message}")
    assert len(wrong) <= 0.03 * len(files), wrong
