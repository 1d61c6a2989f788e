"""QIR out: it runs elsewhere as it should, keeps to its profile, and can be read back."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from random import Random

import numpy as np
import pytest
import random_circuits
import statevector
from chi_square import check as follow
from hypothesis import HealthCheck, given, settings
from live_programs import program, while_
from predicated import random_circuit
from qir_profile import check
from qir_programs import qir_programs
from scipy.stats import chi2

from qwasmc import driver
from qwasmc.backends.qir import write, write_bitcode
from qwasmc.backends.qir.gates import GATES, gate
from qwasmc.backends.simulate import simulate
from qwasmc.diagnostics import CompileError
from qwasmc.grammar import bitcode, qir
from qwasmc.ir.builder import FunctionBuilder
from qwasmc.ir.circuit import RESULTS, Circuit, CircuitBuilder
from qwasmc.ir.program import Program
from qwasmc.ops import BY_NAME, OPS, Type
from qwasmc.options import Options, Watch
from qwasmc.passes.promote import promote
from qwasmc.passes.specialise import specialise
from qwasmc.pipeline import load
from qwasmc.reading import Source, kind_of, read
from qwasmc.scalars import bits_float, signed
from qwasmc.verify import verify

qirrunner = pytest.importorskip("qirrunner")

ROOT = Path(__file__).parents[1]
CORPUS = ROOT.parent / "shared" / "corpus" / "qir"
EXAMPLES = [
    path
    for path in sorted((ROOT / "examples").iterdir())
    if path.name.endswith((".qwasm", ".qasm", ".ll", ".qvm.json"))
]
SHOTS = 300
SEEDED = {
    "deadline": None,
    "derandomize": True,
    "suppress_health_check": list(HealthCheck),
}
BITS = {"true": "1", "false": "0"}


def run(module: str | bytes, shots: int = SHOTS) -> Counter[str]:
    """What qir-runner records: values between spaces."""
    data = module.encode() if isinstance(module, str) else module
    pieces: list[str] = []
    qirrunner.run_bytes(
        data, shots=shots, rng_seed=7, output_fn=lambda piece: pieces.append(str(piece))
    )
    seen: Counter[str] = Counter()
    shot: list[str] = []
    for line in "".join(pieces).splitlines():
        words = line.split("\t")
        if words[0] == "OUTPUT" and words[1] != "TUPLE":
            shot.append(spelled(BITS.get(words[2], words[2])))
        elif words[0] == "END":
            seen[" ".join(shot)] += 1
            shot = []
    return seen


def spelled(value: str) -> str:
    """A value, however it is written."""
    return value if value.lstrip("-").isdigit() else repr(float(value) + 0.0)


def from_qdk(value: object) -> str:
    """A result, bit, integer or number of QDK."""
    names = {"Zero": "0", "One": "1", "True": "1", "False": "0"}
    text = str(value).removeprefix("Result.")
    return names.get(text) or spelled(text)


def expected(circuit: Circuit) -> dict[str, float]:
    """The exact distribution of the results."""
    rows = [row for row in range(len(circuit)) if OPS[circuit.op[row]].name in RESULTS]
    total: dict[str, float] = {}
    for outcome, probability in statevector.distribution(circuit).items():
        rest, values = list(outcome), []
        for row in rows:
            count = len(circuit.values(row))
            word = sum(bit << place for place, bit in enumerate(rest[:count]))
            del rest[:count]
            kind = OPS[circuit.op[row]].name
            if kind == "result_float":
                values.append(repr(bits_float(word) + 0.0))
            else:
                values.append(str(word if kind == "result" or not count else signed(word, count)))
        key = " ".join(values)
        total[key] = total.get(key, 0.0) + probability
    return total


def simulated(ir: Program | Circuit, shots: int = SHOTS) -> Counter[str]:
    """What our own simulation sees."""
    found = simulate(ir, shots, 5, load)
    bits = all(isinstance(result, str) for result in found["results"])
    seen: Counter[str] = Counter()
    for key, times in found["counts"].items():
        seen[" ".join(map(spelled, key if bits else key.split()))] += times
    return seen


def alike(a: Mapping[str, int], b: Mapping[str, int]) -> None:
    """Two samples of the same size may be of one distribution, by a chi-square test."""
    assert sum(a.values()) == sum(b.values())
    pairs = [(a.get(key, 0), b.get(key, 0)) for key in sorted(a.keys() | b.keys())]
    cells = [(x, y) for x, y in pairs if x + y >= 10]
    rare = [(x, y) for x, y in pairs if 0 < x + y < 10]
    cells += [(sum(x for x, _ in rare), sum(y for _, y in rare))] if rare else []
    statistic = sum((x - y) ** 2 / (x + y) for x, y in cells)
    assert len(cells) == 1 or chi2.sf(statistic, len(cells) - 1) > 1e-7, (a, b)


def promoted(path: Path) -> Program | Circuit:
    """What a file says, before anything is run."""
    ir = read(Source(path.name, path.read_bytes()), Options(), Watch())
    return ir if isinstance(ir, Circuit) else promote(ir)


def random_one(seed: int) -> Circuit:
    """Every operation a circuit can have, and programs that only measure at their end."""
    rng = Random(seed)
    if seed % 4 == 0:
        return random_circuits.random_products(seed)
    if seed % 4 == 1:
        return random_circuits.random_clifford(seed, renew=0.1)
    return random_circuit(rng, rows=rng.choice((4, 10, 16)))


# -- circuits


@pytest.mark.parametrize("seed", range(32))
def test_circuits_do_what_they_say_in_qir_runner(seed: int) -> None:
    circuit = random_one(seed)
    text = write(circuit)
    check(text)
    follow(run(text), expected(circuit))


@pytest.mark.parametrize("seed", range(0, 48, 3))
def test_circuits_do_what_they_say_in_qdk(seed: int) -> None:
    simulation = pytest.importorskip("qdk.simulation")
    circuit = random_one(seed)
    exact = expected(circuit)
    if not next(iter(exact)):
        return  # it reports outcomes where there are no results
    shots = simulation.run_qir(write(circuit), shots=200, type="cpu", seed=3)
    follow(Counter(" ".join(map(from_qdk, shot)) for shot in shots), exact)


@pytest.mark.parametrize("seed", range(16))
def test_circuits_come_back_through_the_reader(seed: int) -> None:
    circuit = random_one(seed)
    again = qir.read(write(circuit).encode(), "again.ll")
    verify(again)
    if isinstance(again, Program):
        again = specialise(promote(again))
    ours, theirs = expected(circuit), expected(again)
    assert ours.keys() == theirs.keys()
    for key, probability in ours.items():
        assert math.isclose(probability, theirs[key], abs_tol=1e-9)


def test_base_and_adaptive_programs() -> None:
    profiles = Counter(check(write(random_one(seed)))["profile"] for seed in range(48))
    assert profiles["base_profile"] > 3
    assert profiles["adaptive_profile"] > 20


def ghz(*more: str) -> CircuitBuilder:
    """Two measured qubits, and operations on the first one in front of its measurement."""
    builder = CircuitBuilder()
    a, b = builder.add("alloc", attr="a"), builder.add("alloc", attr="b")
    a = builder.add("h", [a])
    a = builder.add("cx", [a, b])
    b = a + 1
    b = builder.add("measure_x", [b])
    for name in more:
        a = builder.add(name, [a])
    a = builder.add("measure_z", [a])
    builder.add("result", [a + 1], attr="one")
    builder.add("result", [b + 1], attr="two")
    return builder


BASE = """@0 = internal constant [8 x i8] c"results\\00"
@1 = internal constant [4 x i8] c"one\\00"
@2 = internal constant [4 x i8] c"two\\00"

define i64 @main() #0 {
entry:
  call void @__quantum__rt__initialize(ptr null)
  br label %body
body:
  call void @__quantum__qis__h__body(ptr null)
  call void @__quantum__qis__cx__body(ptr null, ptr inttoptr (i64 1 to ptr))
  call void @__quantum__qis__h__body(ptr inttoptr (i64 1 to ptr))
  call void @__quantum__qis__h__body(ptr null)
  call void @__quantum__qis__s__body(ptr null)
  call void @__quantum__qis__h__body(ptr null)
  br label %measurements
measurements:
  call void @__quantum__qis__mz__body(ptr inttoptr (i64 1 to ptr), ptr null)
  call void @__quantum__qis__mz__body(ptr null, ptr inttoptr (i64 1 to ptr))
  br label %output
output:
  call void @__quantum__rt__tuple_record_output(i64 2, ptr @0)
  call void @__quantum__rt__result_record_output(ptr inttoptr (i64 1 to ptr), ptr @1)
  call void @__quantum__rt__result_record_output(ptr null, ptr @2)
  ret i64 0
}
"""


def test_what_is_written() -> None:
    assert write(ghz("sx").freeze()).startswith(BASE)


def test_a_reset_needs_the_adaptive_profile() -> None:
    assert check(write(ghz().freeze())) == {"profile": "base_profile"}
    assert check(write(ghz("reset").freeze())) == {"profile": "adaptive_profile"}


def test_the_product_of_nothing_is_no_outcome() -> None:
    """A base program records outcomes only."""
    builder = CircuitBuilder()
    wire = builder.add("ppm", [builder.add("alloc", attr="a")], attr="I")
    builder.add("result", [wire + 1], attr="r")
    text = write(builder.freeze())
    assert check(text)["profile"] == "adaptive_profile"
    assert run(text).keys() == {"0"}


def test_labels() -> None:
    builder = ghz()
    bit = builder.add("const", attr=1)
    for name in ("one", "results", 'a"\\\n\u00e4', "one"):
        builder.add("result", [bit], attr=name)
    text = write(builder.freeze())
    check(text)
    pieces: list[str] = []
    qirrunner.run_bytes(text.encode(), shots=1, output_fn=lambda p: pieces.append(str(p)))
    lines = [line.split("\t") for line in "".join(pieces).splitlines()]
    labels = [words[3] for words in lines if words[0] == "OUTPUT"]
    assert labels == ["results_", "one", "two", "one.2", "results", 'a"\\\\n\u00e4', "one.3"]


def number_of(values: list[float]) -> Circuit:
    """A floating-point result that two measured bits choose."""
    builder = CircuitBuilder()
    bits = []
    for name in ("a", "b"):
        qubit = builder.add("h", [builder.add("alloc", attr=name)])
        bits.append(builder.add("measure_z", [qubit]) + 1)
    one = builder.add("const", attr=1)
    others = [builder.add("xor", [bit, one]) for bit in bits]
    cases = [
        builder.add("and", [(bits if case >> at & 1 else others)[at] for at in (0, 1)])
        for case in range(4)
    ]
    words = [np.float64(value).view(np.uint64) for value in values]
    word = [
        builder.add("xor", [case for case, w in zip(cases, words, strict=True) if int(w) >> at & 1])
        for at in range(64)
    ]
    builder.add("result_float", word, attr="x")
    return builder.freeze()


@pytest.mark.parametrize(
    "values", [[0.1, -2.5, 0.1, 1e-300], [1.5] * 4, [0.0, 1.0, math.inf, 1e22]]
)
def test_floating_point_results(values: list[float]) -> None:
    circuit = number_of(values)
    text = write(circuit)
    assert ("float_computations" in check(text)) == (len(set(values)) > 1)
    follow(run(text), expected(circuit))


def stem_matrix(stem: str, angle: float) -> np.ndarray:
    """The matrix of a quantum instruction."""
    name, _, variant = stem.partition("__")
    if name in ("rxx", "ryy", "rzz"):
        return statevector.rotation("ppr", angle, name[1:].upper())
    if name in ("rx", "ry", "rz"):
        return statevector.rotation(name, angle, "")
    return statevector.MATRIX[f"{name}dg" if variant == "adj" else name]


@pytest.mark.parametrize("name", sorted(GATES - {"reset"}))
def test_gates_are_what_they_are_written_as(name: str) -> None:
    for paulis in ("X", "YZ", "YY", "ZXY") if name == "ppr" else ("",):
        qubits = len(paulis) or BY_NAME[name].qubits
        angle = 0.77 if BY_NAME[name].angle else 0.0
        whole = np.eye(2**qubits, dtype=complex).reshape((2,) * (2 * qubits))
        for call in gate(name, paulis):
            whole = statevector.apply(
                whole, stem_matrix(call.stem, call.turn * angle), list(call.on)
            )
        wanted = statevector.MATRIX.get(name)
        if wanted is None:
            wanted = statevector.rotation(name, angle, paulis)
        overlap = np.trace(wanted.conj().T @ whole.reshape(wanted.shape)) / 2**qubits
        assert math.isclose(abs(overlap), 1.0, abs_tol=1e-9)


# -- programs


def compare(ir: Program) -> dict[str, str]:
    """Check a program's QIR and run it; returns its flags."""
    text = write(promote(ir))
    flags = check(text)
    alike(run(text), simulated(ir))
    return flags


@settings(max_examples=7, **SEEDED)
@given(qir_programs())
def test_programs_do_what_they_say(ir: Program) -> None:
    compare(ir)


@pytest.mark.slow
@settings(max_examples=150, **SEEDED)
@given(qir_programs(depth=3))
def test_more_programs_do_what_they_say(ir: Program) -> None:
    compare(ir)


def reads_phis(text: str) -> bool:
    """Whether a phi takes the value that another one of its block had, where QDK 1.33 is wrong."""
    for block in re.split(r"^\w+:$", text, flags=re.MULTILINE):
        phis = re.findall(r"(%\w+) = phi .*", block)
        lines = [line for line in block.splitlines() if " = phi " in line]
        if any(re.search(f"\\[ {phi}, ", line) for phi in phis for line in lines):
            return True
    return False


@pytest.mark.slow
@settings(max_examples=100, **SEEDED)
@given(qir_programs())
def test_programs_do_what_they_say_in_qdk(ir: Program) -> None:
    simulation = pytest.importorskip("qdk.simulation")
    text = write(promote(ir))
    if "fcmp" not in text and not reads_phis(text):  # it does not know all comparisons
        shots = simulation.run_qir(text, shots=SHOTS, type="cpu", seed=3)
        alike(Counter(" ".join(map(from_qdk, shot)) for shot in shots), simulated(ir))


def repeat_until_success() -> FunctionBuilder:
    """Flip a coin until it is 1, and count."""
    build = FunctionBuilder("main")
    build.alloc(0, "q")
    header, after = while_(build, [build.i64(0)])
    build.gate("h", [0])
    bit = build.measure("measure_z", [0])
    tries = build.op("addi", [header.args[0], build.i64(1)])
    build.cond_br(bit, after, header, [tries], [tries])
    build.enter(after)
    build.do("result_i64", [after.args[0]], {"name": "tries"})
    build.ret()
    return build


def count_to(bound: str) -> FunctionBuilder:
    """Turn a qubit so many times: a known number, or one that was measured."""
    build = FunctionBuilder("main")
    build.alloc(0, "q")
    build.gate("h", [0])
    bit = build.measure("measure_z", [0])
    most = build.i64(3) if bound == "known" else build.op("extui", [bit])
    header, after = while_(build, [build.i64(0)])
    body = build.new_block()
    more = build.op("cmpi", [header.args[0], most], {"predicate": "slt"})
    build.cond_br(more, body, after, [], [header.args[0]])
    build.enter(body)
    build.gate("x", [0], cond=bit)
    build.br(header, [build.op("addi", [header.args[0], build.i64(1)])])
    build.enter(after)
    build.do("result_i64", [after.args[0]], {"name": "n"})
    build.do("result", [build.measure("measure_z", [0])], {"name": "m"})
    build.ret()
    return build


def both_loops() -> FunctionBuilder:
    """A coin, flipped until it is 1, three times."""
    build = FunctionBuilder("main")
    build.alloc(0, "q")
    header, after = while_(build, [build.i64(0)])
    inner, rest = build.new_block(), build.new_block()
    more = build.op("cmpi", [header.args[0], build.i64(3)], {"predicate": "slt"})
    build.cond_br(more, inner, after, [], [header.args[0]])
    build.enter(inner)
    build.gate("h", [0])
    build.cond_br(build.measure("measure_z", [0]), rest, inner)
    build.enter(rest)
    build.br(header, [build.op("addi", [header.args[0], build.i64(1)])])
    build.enter(after)
    build.do("result_i64", [after.args[0]], {"name": "n"})
    build.ret()
    return build


@pytest.mark.parametrize(
    ("build", "kind"),
    [
        (repeat_until_success(), "i2 2"),
        (count_to("known"), "i2 1"),
        (count_to("measured"), "i2 2"),
        (both_loops(), "i2 3"),
    ],
)
def test_kinds_of_loops(build: FunctionBuilder, kind: str) -> None:
    flags = compare(program(build))
    assert flags == {
        "profile": "adaptive_profile",
        "int_computations": '!{!"i64"}',
        "backwards_branching": kind,
    }


def test_a_function_may_measure_how_often_a_loop_runs() -> None:
    build = FunctionBuilder("main")
    build.alloc(0, "q")
    (most,) = build.call("most", [build.i64(0)], [Type.I64])
    header, after = while_(build, [build.i64(0)])
    again = build.op("addi", [header.args[0], build.i64(1)])
    more = build.op("cmpi", [again, most], {"predicate": "slt"})
    build.gate("x", [0])
    build.cond_br(more, header, after, [again], [again])
    build.enter(after)
    build.do("result_i64", [after.args[0]], {"name": "n"})
    build.do("result", [build.measure("measure_z", [0])], {"name": "m"})
    build.ret()
    called = FunctionBuilder("most", [Type.I64], [Type.I64])
    qubit = called.block.args[0]
    called.gate("h", [qubit])
    then, other = called.new_block(), called.new_block()
    called.cond_br(called.measure("measure_z", [qubit]), then, other)
    called.enter(then)
    called.ret([called.i64(2)])
    called.enter(other)
    called.ret([called.i64(5)])
    flags = compare(program(build, called))
    assert flags["backwards_branching"] == "i2 2"
    assert flags["multiple_return_points"] == "i1 true"


def test_functions_share_results() -> None:
    path = ROOT / "examples" / "repeat.ll"
    flags = compare(promoted(path))
    assert flags["ir_functions"] == "i1 true"
    assert flags["backwards_branching"] == "i2 1"
    assert "define i64 @flip(ptr %p0) {" in write(promoted(path))


def test_a_bit_is_known_in_the_next_condition() -> None:
    """A bit that is measured under a condition, and then is one, is read before that."""
    build = FunctionBuilder("main")
    build.alloc(0, "q")
    for _ in range(3):
        build.gate("h", [0])
    bit = build.measure("measure_z", [0])
    other = build.measure("measure_x", [0], cond=bit)
    build.gate("z", [0], cond=other)
    build.do("result_i64", [build.op("extui", [other])], {"name": "n"})
    build.do("result", [build.measure("measure_x", [0])], {"name": "m"})
    build.ret()
    compare(program(build))


def test_several_ends() -> None:
    build = FunctionBuilder("main")
    build.alloc(0, "q")
    build.alloc(1, "r")
    for slot in (0, 1):
        build.gate("h", [slot])
    bits = [build.measure("measure_z", [slot]) for slot in (0, 1)]
    build.do("result", [bits[0]], {"name": "both"})
    good, wrong, one, other = (build.new_block() for _ in range(4))
    build.cond_br(bits[0], good, wrong)
    build.enter(wrong)
    build.fail("it is 0")
    build.enter(good)
    build.cond_br(bits[1], one, other)
    build.enter(one)
    build.do("result_i64", [build.i64(-4)], {"name": "n"})
    build.halt()
    build.enter(other)
    build.ret()
    text = write(program(build))
    assert check(text) == {"profile": "adaptive_profile", "multiple_return_points": "i1 true"}
    assert run(text).keys() == {"", "1 -4", "1"}


def test_computed_angles_and_known_functions() -> None:
    build = FunctionBuilder("main")
    build.alloc(0, "q")
    build.alloc(1, "r")
    build.gate("h", [0])
    bit = build.measure("measure_z", [0])
    third = build.op("divf", [build.f64(math.pi), build.op("sitofp", [build.i64(3)])])
    angle = build.op("select_f64", [bit, build.f64(1.0), third])
    build.gate("h", [1])
    build.gate("cp", [0, 1], angle=angle)
    build.gate("p", [1], angle=build.op("mathf", [build.f64(0.25)], {"function": "sqrt"}))
    build.do("result", [bit], {"name": "a"})
    build.do("result", [build.measure("measure_x", [1])], {"name": "b"})
    build.ret()
    flags = compare(program(build))
    assert flags == {"profile": "adaptive_profile", "float_computations": '!{!"double"}'}


def test_a_qubit_that_is_used_again_is_reset() -> None:
    """In a function, in a loop, and behind it, under one number."""
    build = FunctionBuilder("main")
    build.alloc(0, "q")
    build.call("dirty", [])
    build.alloc(1, "r")
    build.gate("h", [0])
    build.do("result", [build.measure("measure_z", [1])], {"name": "behind a call"})
    build.free(1)
    header, after = while_(build, [build.i64(0)])
    build.alloc(2, "s")
    build.gate("x", [2])
    build.free(2)
    again = build.op("addi", [header.args[0], build.i64(1)])
    more = build.op("cmpi", [again, build.i64(3)], {"predicate": "slt"})
    build.cond_br(more, header, after, [again], [again])
    build.enter(after)
    build.alloc(2, "t")
    build.do("result", [build.measure("measure_z", [2])], {"name": "behind a loop"})
    build.ret()
    called = FunctionBuilder("dirty")
    called.alloc(1, "r")
    called.gate("x", [1])
    called.free(1)
    called.ret()
    text = write(promote(program(build, called)))
    check(text)
    assert run(text).keys() == {"0 0"}


def refused(*builders: FunctionBuilder) -> str:
    with pytest.raises(CompileError) as caught:
        write(promote(program(*builders)))
    assert caught.value.exit_code == 3
    return caught.value.diagnostics[0].message


def test_refused_programs() -> None:
    build = FunctionBuilder("main")
    build.alloc(0, "q")
    again, rest = build.new_block(), build.new_block()
    build.br(again)
    build.enter(again)
    build.gate("h", [0])
    bit = build.measure("measure_z", [0])
    build.do("result", [bit], {"name": "m"})
    build.cond_br(bit, rest, again)
    build.enter(rest)
    build.ret()
    assert "not on every way there, or more than once" in refused(build)

    build = FunctionBuilder("main")
    build.alloc(0, "q")
    build.call("f", [])
    build.ret()
    called = FunctionBuilder("f")
    called.call("f", [])
    called.ret()
    assert "calls itself" in refused(build, called)

    build = FunctionBuilder("main")
    for slot in range(4):
        build.alloc(slot)
    build.gate("h", [0])
    number = build.op("extui", [build.measure("measure_z", [0])])
    build.gate("x", [number])
    build.do("result", [build.measure("measure_z", [0])], {"name": "m"})
    build.ret()
    assert "this number is computed" in refused(build)

    build = FunctionBuilder("main")
    header, after = while_(build, [build.i64(0)])
    build.alloc(header.args[0])
    build.gate("h", [header.args[0]])
    again = build.op("addi", [header.args[0], build.i64(1)])
    more = build.op("cmpi", [again, build.i64(3)], {"predicate": "slt"})
    build.cond_br(more, header, after, [again], [again])
    build.enter(after)
    build.do("result", [build.measure("measure_z", [0])], {"name": "m"})
    build.ret()
    assert "a fixed number of qubits" in refused(build)

    build = FunctionBuilder("main")
    build.alloc(0)
    first = build.op("allocate", [build.i64(4)], {"space": "a"})
    bit = build.measure("measure_z", [0])
    at = build.op("addi", [first, build.op("extui", [bit])])
    build.do("store_i64", [build.i64(1), at], {"space": "a"})
    build.do("result_i64", [build.op("load_i64", [first], {"space": "a"})], {"name": "n"})
    build.ret()
    assert "no memory besides results" in refused(build)


@pytest.mark.parametrize(
    ("name", "message"),
    [("input", "every qubit begins in |0>"), ("rev_begin", "become gates at -O1")],
)
def test_refused_operations(name: str, message: str) -> None:
    builder = CircuitBuilder()
    builder.add(name, attr="a")
    with pytest.raises(CompileError, match=message.replace("|", r"\|")) as caught:
        write(builder.freeze())
    assert caught.value.exit_code == 3


# -- whole files

AS_THEY_ARE = {"subroutine.qwasm": "no memory besides", "uncompute.qwasm": "become gates at -O1"}
"""Examples that have no QIR before their classical part is run."""


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples(path: Path) -> None:
    ir = promoted(path)
    if path.name in AS_THEY_ARE:
        with pytest.raises(CompileError, match=AS_THEY_ARE[path.name]):
            write(ir)
    else:
        text = write(ir)
        check(text)
        alike(run(text), simulated(ir))
    options = Options(passes=["promote", "specialise"])
    source = Source(path.name, path.read_bytes())
    if kind_of(read(source, options, Watch())) == "program" and path.name != "uncompute.qwasm":
        assert isinstance(ir, Program)
        text = write(specialise(ir))
        check(text)
        alike(run(text), simulated(ir))


@pytest.mark.slow
@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here")
def test_real_programs_come_back() -> None:
    files = sorted(path for path in CORPUS.rglob("*") if path.suffix in (".ll", ".bc"))
    came_back = 0
    for path in Random(1).sample(files, 80):
        try:
            ir = promoted(path)
            circuit = ir if isinstance(ir, Circuit) else specialise(ir)
        except CompileError:
            continue
        if circuit.wires().max(initial=0) < 10:
            text = write(circuit)
            check(text)
            alike(run(text), simulated(circuit))
            came_back += 1
    assert came_back > 50


# -- other checkers and readers


def test_bitcode_is_the_same_module() -> None:
    circuit = random_one(7)
    data = write_bitcode(circuit)
    assert bitcode.is_bitcode(data)
    assert run(data) == run(write(circuit))
    again = bitcode.to_text(data, "again.bc").decode()
    assert again.count("call void") == write(circuit).count("call void")


def test_quantinuum_takes_it() -> None:
    qircheck = pytest.importorskip("quantinuum_qircheck").qircheck
    for path in (ROOT / "examples" / "bell.qwasm", ROOT / "examples" / "teleport.ll"):
        # Its list of instructions has cx under its older name only.
        qircheck(write(promoted(path)).replace("__cx__", "__cnot__"))


CHILD = """
import hashlib, sys
from random import Random
sys.path.insert(0, sys.argv[1])
from predicated import random_circuit
from qwasmc.backends.qir import write, write_bitcode
made = hashlib.sha256()
for seed in range(12):
    circuit = random_circuit(Random(seed))
    made.update(write(circuit).encode() + write_bitcode(circuit))
print(made.hexdigest())
"""


def test_equal_inputs_give_equal_bytes() -> None:
    found = {
        subprocess.run(
            [sys.executable, "-c", CHILD, str(ROOT / "tests")],
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
    assert next(iter(found))


def test_the_driver_writes_it() -> None:
    source = Source("bell.qwasm", (ROOT / "examples" / "bell.qwasm").read_bytes())
    artifact = driver.compile_source(source, Options(emit="qir", level=0), Watch())
    text = artifact.output()
    assert isinstance(text, str)
    assert check(text) == {"profile": "base_profile"}
