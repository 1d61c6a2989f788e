"""Programs as OpenQASM 3, read back by Qiskit, by the QDK and by our own reader."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Hashable, Sequence
from importlib.util import find_spec
from random import Random
from typing import Any

import emitted
import exact_runs
import openqasm3
import pytest
import qiskit_oracle
from branches import same
from chi_square import check
from emitted import (
    CORPUS,
    EXAMPLES,
    KNOWN,
    LOOPS,
    SMALL,
    TEXTS,
    Distribution,
    check_most,
    coin,
    exact,
    main,
    sizes,
)
from hypothesis import HealthCheck, assume, given, note, settings
from predicated import random_circuit
from qiskit import QuantumCircuit, qasm3
from qiskit.quantum_info import Operator
from static_programs import static_programs

from qwasmc.backends.qasm3 import write
from qwasmc.backends.qasm3_expressions import Expressions
from qwasmc.backends.qiskit_logical import to_qiskit
from qwasmc.backends.simulate import simulate
from qwasmc.grammar.qasm3 import read_qasm3
from qwasmc.ir.builder import FunctionBuilder
from qwasmc.ir.circuit import CircuitBuilder
from qwasmc.ir.program import Program
from qwasmc.ops import OPS, Type
from qwasmc.pipeline import load

SHOTS = 400

promote = load("qwasmc.passes.promote:promote")

needs_qdk = pytest.mark.skipif(find_spec("qdk") is None, reason="the QDK is not here")

DECLARED = re.compile(r"^(output )?(bit|bool|int\[64\])(?:\[(\d+)\])? (\w+)", re.MULTILINE)


# -- readers


def by_qiskit(text: str, names: Sequence[str]) -> Distribution:
    """The exact distribution of what Qiskit's importer makes of a text."""
    total: Counter[Hashable] = Counter()
    for found, p in qiskit_oracle.distribution(qasm3.loads(text), 1e-5).items():
        left, bits = list(found), {}
        for *_, size, name in DECLARED.findall(text):  # bits alone have no name in Qiskit
            bits[name], left = left[: int(size or 1)], left[int(size or 1) :]
        total[tuple((name, value_of(bits, name)) for name in names)] += p
    return total


def by_qdk(text: str, names: Sequence[str], shots: int = SHOTS) -> Counter[Hashable]:
    """How often the QDK sees which results."""
    openqasm = pytest.importorskip("qdk.openqasm")
    rows = DECLARED.findall(text)
    if any(row[0] for row in rows):
        rows = [row for row in rows if row[0]]
    seen: Counter[Hashable] = Counter()
    for shot in openqasm.run(text, shots=shots, seed=7):
        found = shot if isinstance(shot, tuple) else (shot,)
        bits: dict[str, list[int]] = {}
        for (*_, name), value in zip(rows, found, strict=True):
            bits[name] = [number(bit) for bit in value] if isinstance(value, list) else [
                number(value)
            ]  # fmt: skip
        seen[tuple((name, value_of(bits, name)) for name in names)] += 1
    return seen


def number(value: Any) -> int:
    """A result of the QDK as a number: One, True, 7."""
    return value if type(value) is int else int(str(value) in ("One", "True"))


def value_of(bits: dict[str, list[int]], name: str) -> int:
    if name not in bits:
        match = re.fullmatch(r"(.+)\[(\d+)\]", name)
        if match and match[1] in bits:
            return bits[match[1]][int(match[2])]
        if match:
            return bits[f"{match[1]}_{match[2]}"][0]
        bits = {name: [bits[key][0] for at in range(99) if (key := f"{name}_{at}") in bits]}
        assert bits[name]
    return sum(bit << at for at, bit in enumerate(bits[name]))


def by_own_reader(text: str, results: int | None = None) -> Counter[str]:
    """Counts of the first results of a text, by our own reader and simulator."""
    counts = simulate(read_qasm3(text, "test.qasm"), SHOTS, 5, load)["counts"]
    seen: Counter[str] = Counter()
    for key, times in counts.items():
        seen[key[:results]] += times
    return seen


def spelled(wanted: Distribution) -> dict[str, float]:
    """A distribution of bits, as counts spell them."""
    total: Counter[str] = Counter()
    for key, p in wanted.items():
        total["".join(str(value) for _, value in key)] += p
    return total


# -- the same results


@pytest.mark.parametrize("name", SMALL)
def test_examples(name: str):
    circuit = emitted.circuit(emitted.program(EXAMPLES / name))
    text = write(circuit)
    openqasm3.parse(text)
    names, wanted = [name for name, _ in sizes(circuit)], exact(circuit)
    if "output" not in text:
        assert same(by_qiskit(text, names), wanted)
    if find_spec("qdk"):
        check(by_qdk(text, names), wanted)


READ_BY_ALL = [name for name in SMALL if name not in ("subroutine.qwasm", "repeat.ll")]


@pytest.mark.parametrize("name", READ_BY_ALL)
def test_examples_as_they_are(name: str):
    """All three readers read them, and our own gives the counts that it gives for the source."""
    ir = emitted.program(EXAMPLES / name)
    circuit = emitted.circuit(ir)
    text = write(ir)
    assert "output" not in text
    names, wanted = [name for name, _ in sizes(circuit)], exact(circuit)
    assert same(by_qiskit(text, names), wanted)
    check(by_own_reader(text, len(names)), spelled(wanted))


@needs_qdk
@pytest.mark.parametrize("seed", range(4))
def test_random_circuits(seed: int):
    circuit = random_circuit(Random(seed))
    text = write(circuit)
    openqasm3.parse(text)
    check(by_qdk(text, [name for name, _ in sizes(circuit)]), exact(circuit))


@pytest.mark.slow
@needs_qdk
@pytest.mark.parametrize("seed", range(100, 112))
def test_random_circuits_in_our_reader(seed: int):
    """By way of the QDK and QIR; the last results are the bits of the number `all`."""
    circuit = random_circuit(Random(seed))
    total: Counter[str] = Counter()
    order = [name for name, _ in sizes(circuit) if name != "all"]
    for key, p in exact(circuit).items():
        found = dict(key)
        size = dict(sizes(circuit))["all"]
        bits = [str(found[name]) for name in order]
        bits += [str(found["all"] >> at & 1) for at in range(size)]
        total["".join(bits)] += p
    check(by_own_reader(write(circuit)), total)


@pytest.mark.parametrize("seed", range(8))
def test_gates_and_measurements_are_read_by_qiskit(seed: int):
    """Circuits in which nothing is computed, only measured bits depended on."""
    rng = Random(seed)
    builder = CircuitBuilder()
    wires = [builder.add("alloc", attr=f"q[{at}]") for at in range(3)]
    bits: list[int] = []
    for number in range(14):
        spec = rng.choice([spec for spec in OPS if spec.is_gate and spec.qubits > 0])
        on = rng.sample(range(3), spec.qubits)
        cond = rng.choice(bits) if bits and rng.random() < 0.4 else -1
        first = builder.add(
            spec.name,
            [wires[at] for at in on],
            cond=cond,
            angle=rng.uniform(-4, 4) if spec.angle else 0.0,
        )
        for slot, at in enumerate(on):
            wires[at] = first + slot
        if number % 4 == 3:
            at = rng.randrange(3)
            wires[at] = builder.add("measure_x", [wires[at]])
            bits.append(wires[at] + 1)
            builder.add("result", [bits[-1]], attr=f"c[{len(bits) - 1}]")
    circuit = builder.freeze()
    text = write(circuit)
    assert "output" not in text
    assert same(by_qiskit(text, [name for name, _ in sizes(circuit)]), exact(circuit))


@needs_qdk
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(static_programs(depth=2))
def test_random_programs(program: Program):
    assert_same_for_qdk(program)


@pytest.mark.slow
@needs_qdk
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(static_programs())
def test_more_random_programs(program: Program):
    assert_same_for_qdk(program)


def assert_same_for_qdk(program: Program) -> None:
    """The QDK finds the distribution of a program in its text."""
    wanted = exact_runs.distribution(program, 1e-3)
    assume(sum(wanted.values()) > KNOWN)
    names = [name for name, _ in next(iter(wanted))]
    text = write(promote(program))
    openqasm3.parse(text)
    seen = by_qdk(text, names)
    note(f"{text}\n{wanted}\n{seen}")
    check_most(seen, wanted)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name == "whiles")) for name in TEXTS]
)
def test_control_flow(name: str):
    ir = promote(read_qasm3(LOOPS + TEXTS[name], "test.qasm"))
    text = write(ir)
    openqasm3.parse(text)
    wanted = exact_runs.distribution(ir, 1e-4)
    names = [name for name, _ in next(iter(wanted))]
    if "output" not in text:
        assert same(by_qiskit(text, names), wanted, 1e-2)
        check_most(by_own_reader(text), spelled(wanted))
    if find_spec("qdk"):
        check_most(by_qdk(text, names), wanted)


def test_a_loop_until_a_result_is_read_by_all():
    assert write(promote(read_qasm3(LOOPS + TEXTS["until"], "test.qasm"))).endswith(
        "bit c;\nbit last;\n"
        "h q;\nc = measure q;\nwhile (c) {\n  h q;\n  c = measure q;\n}\n"
        "x q;\nlast = measure q;\n"
    )


@pytest.mark.parametrize(
    "path", ["feynman/tof_3.qasm", "feynman/barenco_tof_3.qasm", "feynman/qft_4.qasm"]
)
def test_corpus_circuits_are_the_same_unitary(path: str):
    if not CORPUS.exists():
        pytest.skip("the corpus is not here")
    circuit = emitted.circuit(emitted.program(CORPUS / path))
    loaded, made = qasm3.loads(write(circuit)), to_qiskit(circuit)
    for found in (loaded, made):
        found.remove_final_measurements(inplace=True)
    assert Operator(loaded).equiv(Operator(made))


@needs_qdk
def test_signed_and_unsigned_arithmetic():
    """Of numbers that depend on a measurement, so that nothing is computed before the run."""
    build = FunctionBuilder("main")
    build.alloc(0, "q")
    build.gate("x", [0])
    bit = build.measure("measure_z", [0])
    minus_seven = build.op("muli", [build.op("extui", [bit]), build.i64(-7)])
    wanted = {}
    for name, other, value in (
        *(("divsi", 2, -3), ("remsi", 4, -3), ("andi", 12, 8), ("xori", 3, -6)),
        *(("shrsi", 1, -4), ("shli", 2, -28), ("ori", 2, -5), ("subi", -9, 2)),
    ):
        result = build.op(name, [minus_seven, build.i64(other)])
        build.do("result_i64", [result], {"name": name})
        wanted[name] = value
    result = build.op("xori", [build.i64(3), minus_seven])
    build.do("result_i64", [result], {"name": "constant_first"})
    wanted["constant_first"] = -6
    result = build.op("extsi", [minus_seven], {"bits": 3})
    build.do("result_i64", [result], {"name": "extsi"})
    build.ret()
    wanted["extsi"] = 1
    program = Program([build.function])
    assert exact_runs.distribution(program) == {tuple(wanted.items()): 1.0}
    assert by_qdk(write(program), list(wanted), 1) == {tuple(wanted.items()): 1}


# -- the text


def test_a_text():
    assert write(emitted.program(EXAMPLES / "repeat.ll")) == (
        "OPENQASM 3.0;\n"
        'include "stdgates.inc";\n'
        "qubit q0;\n"
        "output int[64] ones;\n"
        "bool result = false;\n"
        "int[64] value = 0;\n"
        "result = false;\n"
        "value = 0;\n"
        "for int[64] i in [0:7] {\n"
        "  h q0;\n"
        "  result = measure q0;\n"
        "  reset q0;\n"
        "  value = value + int[64](result);\n"
        "}\n"
        "ones = value;\n"
    )


def test_names_are_identifiers():
    builder = CircuitBuilder()
    names = ("a b", "1", "measure", "t", "é", "q[0]", "q[1]", "", "x.2", "x_2", "Std")
    wires = [builder.add("alloc", attr=name) for name in names]
    wires[0] = builder.add("measure_z", [wires[0]])
    for name in ("c", "c", "bit", "pi"):
        builder.add("result", [wires[0] + 1], attr=name)
    text = write(builder.freeze())
    openqasm3.parse(text)
    assert re.findall(r"^qubit(?:\[\d\])? (.*);", text, re.MULTILINE) == [
        *("a_b", "_1", "_measure", "_t", "_", "q", "x_2", "x_2_2", "_Std", "q_2")
    ]
    assert re.findall(r"^output (.*);", text, re.MULTILINE) == [
        *("bit c", "bool c_2", "bool _bit", "bool _pi")
    ]


def test_gates_outside_of_the_standard_library():
    builder = CircuitBuilder()
    wires = [builder.add("alloc", attr=f"q[{at}]") for at in range(3)]
    first = builder.add("ccz", wires)
    builder.add("sxdg", [first])
    circuit = builder.freeze()
    text = write(circuit)
    assert "ctrl @ cz q[0], q[1], q[2];\ninv @ sx q[0];\n" in text
    assert Operator(qasm3.loads(text)).equiv(Operator(to_qiskit(circuit)))


@pytest.mark.parametrize("angle", [-7 * math.pi / 4, 3 * math.pi, -0.5, 0.5])
def test_angles_modulo_two_pi_change_nothing(angle: float):
    """A `crz` by 2 pi is not the identity, but an angle of the language is modulo 2 pi.

    The QDK reduces angles when it makes QIR of a text.
    """
    builder = CircuitBuilder()
    wires = [builder.add("h", [builder.add("alloc", attr=name)]) for name in "ab"]
    first = builder.add("crz", wires, angle=angle)
    for name, wire in zip("ab", (first, first + 1), strict=True):
        builder.add("result", [builder.add("measure_x", [wire]) + 1], attr=name)
    one = builder.add("const", attr=1)  # so that Qiskit's importer does not read it
    builder.add("result", [one], attr="one")
    circuit = builder.freeze()
    text = write(circuit)
    reduced = re.sub(r"\((-?[\d.]+)\)", lambda m: f"({float(m[1]) % math.tau})", text)
    for each in (text, reduced):
        loaded = qasm3.loads(
            each.replace("output ", "").replace("bool", "bit").replace("one = true;", "")
        )
        names = ["a", "b"]
        found = Counter()
        for bits, p in qiskit_oracle.distribution(loaded).items():
            found[tuple(zip(names, bits, strict=False))] += p
        assert same(found, {key[:2]: p for key, p in exact(circuit).items()})


def test_outputs_are_0_until_they_are_written():
    """In the language, what is declared without a value has none."""
    build = main()
    first, second = coin(build), coin(build)
    both = build.op("and", [first, second])
    then, end = build.new_block(), build.new_block((Type.I64,))
    build.cond_br(both, then, end, [], [build.i64(0)])
    build.enter(then)
    build.br(end, [build.i64(5)])
    build.enter(end)
    build.do("result", [both], {"name": "both"})
    build.do("result", [build.measure("measure_z", [0], cond=both)], {"name": "late"})
    build.do("result_i64", [end.args[0]], {"name": "five"})
    build.ret()
    circuit = emitted.circuit(promote(Program([build.function])))
    text = write(circuit)
    openqasm3.parse(text)
    names = re.findall(r"^output \w+ (\w+);", text, re.MULTILINE)
    assert {"both", "late"} < set(names)
    for name in names:
        assert re.search(rf"^{name} = ", text, re.MULTILINE), name


def test_a_long_parity_is_written_in_linear_time(monkeypatch):
    builder = CircuitBuilder()
    bits = []
    for at in range(256):
        wire = builder.add("h", [builder.add("alloc", attr=f"q[{at}]")])
        bits.append(builder.add("measure_z", [wire]) + 1)
    builder.add("result", [builder.add("xor", bits)], attr="parity")
    calls = Counter[str]()
    before = Expressions.write

    def counted(self, node):
        calls["write"] += 1
        return before(self, node)

    monkeypatch.setattr(Expressions, "write", counted)
    assert write(builder.freeze()).count("bool(m[") == len(bits)
    assert calls["write"] < 3 * len(bits)


def test_conjunctions_are_conditions_inside_each_other():
    text = write(emitted.program(EXAMPLES / "repetition.qwasm"))
    assert "if (s01) {\n  if (!s12) {\n    x q0;\n  }\n}\n" in text


def test_an_empty_program():
    assert write(CircuitBuilder().freeze()) == 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'
    assert isinstance(to_qiskit(CircuitBuilder().freeze()), QuantumCircuit)
