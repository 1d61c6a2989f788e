"""Programs as Qiskit's circuits: exactly where that can be, by Aer, and byte by byte."""

from __future__ import annotations

import io
import math
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from random import Random

import emitted
import exact_runs
import pytest
import qiskit_oracle
import random_qiskit
from branches import same
from chi_square import check
from emitted import (
    CORPUS,
    EXAMPLES,
    KNOWN,
    LOOPS,
    SMALL,
    TEXTS,
    by_result,
    check_most,
    coin,
    exact,
    main,
    run_aer,
    sizes,
)
from hypothesis import HealthCheck, assume, given, settings
from live_programs import while_
from predicated import random_circuit
from qiskit import QuantumCircuit, qasm2, qpy
from qiskit.quantum_info import Operator
from static_programs import static_programs

from qwasmc.backends.qiskit_logical import to_qiskit, write_qpy
from qwasmc.diagnostics import CompileError
from qwasmc.grammar.from_qiskit import read as read_qiskit
from qwasmc.grammar.qasm3 import read_qasm3
from qwasmc.ir.builder import FunctionBuilder
from qwasmc.ir.circuit import CircuitBuilder
from qwasmc.ir.program import Program
from qwasmc.ops import Type
from qwasmc.pipeline import load
from qwasmc.verify import verify

FOLDED = [name for name in SMALL if name not in ("subroutine.qwasm", "repeat.ll")]
"""Examples that Aer runs without unrolling: no computed qubits, no arithmetic."""


# -- the same results


@pytest.mark.parametrize("name", SMALL)
def test_examples_as_circuits(name: str):
    circuit = emitted.circuit(emitted.program(EXAMPLES / name))
    made = to_qiskit(circuit)
    names = [name for name, _ in sizes(circuit)]
    check(run_aer(made, names), exact(circuit))


@pytest.mark.parametrize("name", FOLDED)
def test_examples_as_they_are(name: str):
    ir = emitted.program(EXAMPLES / name)
    circuit = emitted.circuit(ir)
    names = [name for name, _ in sizes(circuit)]
    check(run_aer(to_qiskit(ir), names), exact(circuit))


@pytest.mark.parametrize("seed", range(12))
def test_random_circuits(seed: int):
    """Any gate, measurement or reset may depend on any bit."""
    circuit = random_circuit(Random(seed))
    made = to_qiskit(circuit)
    names = [name for name, _ in sizes(circuit)]
    found = by_result(made, qiskit_oracle.distribution(made), names)
    assert same(found, exact(circuit))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 120))
def test_random_circuits_on_aer(seed: int):
    circuit = random_circuit(Random(seed))
    names = [name for name, _ in sizes(circuit)]
    check(run_aer(to_qiskit(circuit), names), exact(circuit))


def assert_same_program(program: Program, least: float = 1e-4, within: float = 1e-2) -> None:
    """Emitted as it is and with values in place of memory, it does what the program does."""
    wanted = exact_runs.distribution(program, least)
    names = [name for name, _ in next(iter(wanted))]
    unsigned = {
        tuple((name, int(value) % 2**64) for name, value in key): p for key, p in wanted.items()
    }
    for ir in (program, load("qwasmc.passes.promote:promote")(program)):
        made = to_qiskit(ir)
        found = by_result(made, qiskit_oracle.distribution(made, least), names)
        assert same(found, unsigned, within)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(static_programs(depth=2))
def test_random_programs(program: Program):
    verify(program)
    assume(sum(exact_runs.distribution(program, 1e-3).values()) > KNOWN)
    assert_same_program(program, 1e-3, 5e-2)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(static_programs())
def test_more_random_programs(program: Program):
    assume(sum(exact_runs.distribution(program, 1e-3).values()) > KNOWN)
    assert_same_program(program, 1e-3, 5e-2)


@pytest.mark.parametrize("name", TEXTS)
def test_control_flow_by_the_exact_interpreter(name: str):
    ir = read_qasm3(LOOPS + TEXTS[name], "test.qasm")
    assert isinstance(ir, Program)
    assert_same_program(ir, 1e-3, 3e-2)


@pytest.mark.slow
@pytest.mark.parametrize("name", TEXTS)
def test_control_flow_on_aer(name: str):
    """But for arithmetic, which Aer has not."""
    ir = read_qasm3(LOOPS + TEXTS[name], "test.qasm")
    assert isinstance(ir, Program)
    made = to_qiskit(load("qwasmc.passes.promote:promote")(ir))
    if made.num_vars:
        return
    wanted = exact_runs.distribution(ir, 1e-4)
    names = [name for name, _ in next(iter(wanted))]
    check_most(run_aer(made, names), wanted)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(30))
def test_what_qiskit_wrote_comes_back(seed: int):
    """Qiskit -> Program -> Qiskit, against the circuit that it was."""
    source = random_qiskit.random_circuit(Random(seed))
    try:
        ir = read_qiskit(source, "circuit")
        made = to_qiskit(load("qwasmc.passes.promote:promote")(ir))
    except CompileError:
        return  # what is refused is in tests of its own
    names = [
        str(op.attrs["name"]) for block in ir.main.blocks for op in block.ops if op.name == "result"
    ]
    wanted = by_result(source, qiskit_oracle.distribution(source, 1e-5), names)
    found = by_result(made, qiskit_oracle.distribution(made, 1e-5), names)
    assert same(found, wanted, 1e-3)


@pytest.mark.parametrize(
    "path",
    [
        *("feynman/tof_3.qasm", "feynman/barenco_tof_3.qasm", "feynman/mod5_4.qasm"),
        *("feynman/qft_4.qasm", "qasmbench/fredkin_n3.qasm", "qasmbench/toffoli_n3.qasm"),
    ],
)
def test_corpus_circuits_are_the_same_unitary(path: str):
    if not CORPUS.exists():
        pytest.skip("the corpus is not here")
    source = qasm2.load(CORPUS / path, custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS)
    source = source.remove_final_measurements(inplace=False)
    made = to_qiskit(emitted.circuit(emitted.program(CORPUS / path)))
    made = made.remove_final_measurements(inplace=False)
    if made.num_qubits != source.num_qubits:
        pytest.skip("some qubits of the source do nothing")
    assert Operator(made).equiv(Operator(source))


@pytest.mark.parametrize("letters", ["X", "YZ", "XIY", "ZZZ"])
def test_a_rotation_about_a_product_is_its_exponential(letters: str):
    builder = CircuitBuilder()
    wires = [builder.add("alloc", attr=f"q[{at}]") for at in range(len(letters))]
    builder.add("ppr", wires, angle=0.7, attr=letters)
    paulis = {"I": "i", "X": "x", "Y": "y", "Z": "z"}
    other = QuantumCircuit(len(letters))
    for at, letter in enumerate(letters):
        getattr(other, {"i": "id"}.get(paulis[letter], paulis[letter]))(at)
    product = Operator(other).data
    wanted = math.cos(0.35) * Operator(QuantumCircuit(len(letters))).data
    wanted = wanted - 1j * math.sin(0.35) * product
    assert Operator(to_qiskit(builder.freeze())).equiv(Operator(wanted))


# -- names and forms


def test_names():
    builder = CircuitBuilder()
    wires = [builder.add("alloc", attr=name) for name in ("q[1]", "q[0]", "a b", "", "", "m")]
    for at, name in enumerate(("c[0]", "c[1]", "m", "m", "x[1]", "")):
        wires[at] = builder.add("measure_z", [wires[at]])
        builder.add("result", [wires[at] + 1], attr=name)
    made = to_qiskit(builder.freeze())
    assert [(r.name, r.size) for r in made.qregs] == [("q", 2), ("a b", 1), ("m_3", 1), ("q_2", 2)]
    assert [(r.name, r.size) for r in made.cregs] == [
        *[("c", 2), ("m", 1), ("m_2", 1), ("x[1]", 1), ("result", 1)]
    ]
    first = made.data[0]
    assert made.find_bit(first.qubits[0]).registers == [(made.qregs[0], 1)]


def test_very_long_names_fit_into_qpy():
    builder = CircuitBuilder()
    wires = [builder.add("alloc", attr="y" * 70_000 + end) for end in "ab"]
    for wire in wires:
        builder.add("result", [builder.add("measure_z", [wire]) + 1], attr="z" * 70_000)
    circuit = builder.freeze()
    (loaded,) = qpy.load(io.BytesIO(write_qpy(circuit)))
    assert loaded == to_qiskit(circuit)
    assert len({register.name for register in (*loaded.qregs, *loaded.cregs)}) == 4


def test_inputs_and_outputs_keep_their_states():
    """An input is no qubit that was used before, and what becomes of an output is the user's."""
    builder = CircuitBuilder()
    first = builder.add("alloc", attr="a")
    builder.add("free", [builder.add("h", [first])])
    builder.add("s", [builder.add("input", attr="b")])
    build = FunctionBuilder("main")
    block = build.block
    (qubit,) = block.append("alloc", attrs={"name": "a"})
    block.append("free", block.append("h", [qubit]))
    block.append("output", block.append("s", block.append("input", attrs={"name": "b"})))
    block.append("x", block.append("alloc", attrs={"name": "c"}))
    build.ret()
    for ir, gates in (
        (builder.freeze(), {"h": "a", "s": "b"}),
        (Program([build.function]), {"h": "a", "s": "b", "reset": "a", "x": "a"}),
    ):
        made = to_qiskit(ir)
        names = {at.name: made.find_bit(at.qubits[0]).registers[0][0].name for at in made.data}
        assert names == gates


def test_a_measured_result_is_measured_into_it():
    made = to_qiskit(emitted.program(EXAMPLES / "teleport.qwasm"))
    assert [register.name for register in made.cregs] == ["m0", "m1", "m2"]
    assert made.count_ops()["if_else"] == 2
    assert "store" not in made.count_ops()


def test_a_loop_until_a_result_needs_no_copies():
    made = to_qiskit(
        load("qwasmc.passes.promote:promote")(read_qasm3(LOOPS + TEXTS["until"], "test.qasm"))
    )
    assert made.count_ops() == {"h": 1, "x": 1, "measure": 2, "while_loop": 1}
    (loop,) = [inst.operation for inst in made.data if inst.name == "while_loop"]
    assert loop.blocks[0].count_ops() == {"h": 1, "measure": 1}


def test_a_copy_of_a_copy_survives_a_change():
    """%b is a copy of a copy of a cell that has changed before %b is used."""
    build = FunctionBuilder("main")
    build.alloc(0, "q")
    build.gate("h", [0])
    first = build.measure("measure_z", [0])
    build.gate("h", [0])
    second = build.measure("measure_z", [0])
    address = build.i64(0)
    build.do("store_i1", [first, address], {"space": "s"})
    one = build.op("load_i1", [address], {"space": "s"})
    build.do("store_i1", [one, build.i64(1)], {"space": "s"})
    build.do("store_i1", [second, address], {"space": "s"})
    two = build.op("load_i1", [build.i64(1)], {"space": "s"})
    build.do("result", [two], {"name": "first"})
    build.do("result", [build.op("load_i1", [address], {"space": "s"})], {"name": "second"})
    build.ret()
    assert_same_program(Program([build.function]))


def test_stores_under_conditions_have_every_qubit():
    """Aer runs others whatever the condition."""
    build = FunctionBuilder("main")
    for slot in range(2):
        build.alloc(slot, f"q{slot}")
    bit = coin(build)
    build.gate("x", [1])
    other = build.measure("measure_z", [1])
    then, end = build.new_block(), build.new_block((Type.I1,))
    build.cond_br(bit, then, end, [], [build.i1(0)])
    build.enter(then)
    build.br(end, [other])
    build.enter(end)
    build.do("result", [bit], {"name": "bit"})
    build.do("result", [end.args[0]], {"name": "same"})
    build.ret()
    made = to_qiskit(Program([build.function]))
    assert made.count_ops()["if_else"] == 1
    wanted = {(("bit", at), ("same", at)): 0.5 for at in (0, 1)}
    check(run_aer(made, ["bit", "same"]), wanted)


def test_integers_are_variables():
    build = FunctionBuilder("main")
    build.alloc(0, "q")
    header, after = while_(build, [build.i64(0)])
    count = build.op("addi", [header.args[0], build.i64(1)])
    build.gate("h", [0])
    bit = build.measure("measure_z", [0])
    build.cond_br(bit, after, header, [count], [count])
    build.enter(after)
    build.do("result_i64", [after.args[0]], {"name": "tries"})
    build.ret()
    made = to_qiskit(Program([build.function]))
    (variable,) = made.iter_declared_vars()
    assert variable.type.width == 64
    assert next((register.name, register.size) for register in made.cregs) == ("tries", 64)
    found = qiskit_oracle.distribution(made, 1e-5)
    total: dict[object, float] = defaultdict(float)
    for bits, p in found.items():
        total[sum(bit << at for at, bit in enumerate(bits[:64]))] += p
    assert same(total, {n: 0.5**n for n in range(1, 20)}, 1e-4)


def test_numbers_are_variables():
    """0.5 is doubled as long as the coin says so, up to 8."""
    build = main()
    header, after = while_(build, [build.f64(0.5)])
    double = build.op("mulf", [header.args[0], build.f64(2.0)])
    more = build.op("cmpf", [double, build.f64(8.0)], {"predicate": "olt"})
    build.cond_br(build.op("and", [coin(build), more]), header, after, [double], [double])
    build.enter(after)
    big = build.op("cmpf", [after.args[0], build.f64(3.0)], {"predicate": "ogt"})
    build.do("result", [big], {"name": "big"})
    build.ret()
    program = Program([build.function])
    verify(program)
    assert_same_program(program)
    (loaded,) = qpy.load(io.BytesIO(write_qpy(program)))
    assert loaded == to_qiskit(program)


# -- bytes

DUMP = """
import sys
from random import Random
import emitted
from predicated import random_circuit
from qwasmc.backends import qasm3
from qwasmc.backends.qiskit_logical import write_qpy
from qwasmc.grammar.qasm3 import read_qasm3
irs = [random_circuit(Random(seed)) for seed in range(3)]
irs += [read_qasm3(emitted.LOOPS + text, "test.qasm") for text in emitted.TEXTS.values()]
for ir in irs:
    sys.stdout.buffer.write(write_qpy(ir) + qasm3.write(ir).encode())
"""


def test_outputs_are_the_same_in_every_process():
    dumped = []
    for seed in "12":
        command = [sys.executable, "-c", DUMP]
        env = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            command, env=env, cwd=Path(__file__).parent, capture_output=True, check=True
        )
        dumped.append(done.stdout)
    assert dumped[0] == dumped[1]
    assert dumped[0].count(b"OPENQASM") == 3 + len(TEXTS)


@pytest.mark.parametrize("name", TEXTS)
def test_qpy_is_the_circuit(name: str):
    program = load("qwasmc.passes.promote:promote")(read_qasm3(LOOPS + TEXTS[name], "test.qasm"))
    (loaded,) = qpy.load(io.BytesIO(write_qpy(program)))
    assert loaded == to_qiskit(program)
    assert write_qpy(program) == write_qpy(program)
