"""Physical circuits for other tools: Qiskit and tsim with true T gates, Cirq, links to Crumble."""

from __future__ import annotations

import importlib
import io
import itertools
import os
import re
import subprocess
import sys
from collections import Counter

import chi_square
import numpy as np
import pytest
import stim
from lift import all_measured
from magic_tableau import QiskitRun, StimRun
from physical_programs import (
    CLIFFORD,
    MAGIC,
    MORE_MAGIC,
    assert_exact,
    compiled,
    distribution,
    noisy,
    physical,
    program,
    random_program,
    stand_in,
)
from qiskit import QuantumCircuit, qpy

from qwasmc.backends import crumble, qiskit_physical, tsim
from qwasmc.backends.physical import Physical, stim_text, without_noise
from qwasmc.backends.qiskit_physical import to_qiskit, write_qpy
from qwasmc.backends.stim.emit import emit
from qwasmc.diagnostics import CompileError, Kind
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ir.surgery import Row
from qwasmc.passes.lower_surgery import lower_surgery


def register(circuit: QuantumCircuit, name: str, run: QiskitRun) -> list[int]:
    bits = next(register for register in circuit.cregs if register.name == name)
    return [int(run.bits[bit]) for bit in bits]


def assert_qiskit(circuit: Circuit, made: QuantumCircuit, seeds: range) -> set[bool]:
    """Runs are exact; which branches they took."""
    taken: set[bool] = set()
    for seed in seeds:
        run = QiskitRun(made, seed)
        assert_exact(circuit, register(made, "results", run), run.state.log2)
        taken.update(run.taken)
    return taken


def assert_tsim(circuit: Circuit, made: Physical, seeds: range) -> None:
    """Runs are exact, and detectors are what they always are."""
    written = stim.Circuit("".join(tsim.write(made)))
    silent: list[int] | None = None
    for seed in seeds:
        run = StimRun(written, seed)
        results = [run.observables[number] for number in range(len(run.observables))]
        assert_exact(circuit, results, run.state.log2)
        assert silent in (None, run.detectors)
        silent = run.detectors


# -- Qiskit --------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", MAGIC)
def test_qiskit_does_what_the_program_does(text):
    """Seeds that take both branches: a correction is due, and none is."""
    taken = assert_qiskit(program(text), to_qiskit(compiled(text)), range(4))
    assert taken == {False, True}


@pytest.mark.slow
@pytest.mark.parametrize("text", [*CLIFFORD, *MORE_MAGIC])
def test_qiskit_does_what_more_programs_do(text):
    assert_qiskit(program(text), to_qiskit(compiled(text)), range(3))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_qiskit_does_what_random_programs_do(seed):
    circuit = random_program(seed, qubits=1 + seed % 3, gates=8, magic=seed % 3)
    assert_qiskit(circuit, to_qiskit(physical(circuit)), range(2))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("distance", "options"),
    [
        *((5, {}), (3, {"floor_plan": "bus"}), (3, {"floor_plan": "compact"})),
        *((3, {"factory": "injection"}), (3, {"factories": 2})),
    ],
)
def test_distances_plans_and_factories(distance, options):
    circuit = program(MORE_MAGIC[-1])
    made = physical(circuit, distance, **options)
    assert_qiskit(circuit, to_qiskit(made), range(2))
    assert_tsim(circuit, made, range(1))


@pytest.mark.parametrize("text", [*CLIFFORD[:3], pytest.param(CLIFFORD[3], marks=pytest.mark.slow)])
def test_aer_runs_clifford_programs(text):
    aer = pytest.importorskip("qiskit_aer")
    simulator = aer.AerSimulator(method="stabilizer")
    made = to_qiskit(compiled(text))
    counts = simulator.run(made, shots=300, seed_simulator=1).result().get_counts()
    seen: Counter[str] = Counter()
    for key, times in counts.items():
        seen[key.split()[0][::-1]] += times
    chi_square.check(seen, distribution(program(text)))


@pytest.mark.slow
def test_aer_runs_true_t_gates():
    """The rate of 1s is 0.15; with the stand-in it would be 0.5."""
    aer = pytest.importorskip("qiskit_aer")
    simulator = aer.AerSimulator(method="matrix_product_state", max_parallel_threads=1)
    made = to_qiskit(compiled(MAGIC[0]))
    counts = simulator.run(made, shots=24, seed_simulator=1).result().get_counts()
    seen = Counter(key.split()[0] for key in Counter(counts).elements())
    assert 0 < seen["1"] < 10


def test_qpy_comes_back():
    made = compiled(MAGIC[0])
    data = write_qpy(made)
    assert write_qpy(made) == data
    (back,) = qpy.load(io.BytesIO(data))
    assert back == to_qiskit(made)
    assert back.metadata == {"results": ["r0"], "flags": [], "outputs": []}


def test_registers_are_patches_and_slabs():
    made = to_qiskit(compiled(MAGIC[0]))
    patches = [register for register in made.qregs if register.name.startswith("patch")]
    assert {register.size for register in patches} == {9}
    slabs = [register for register in made.cregs if register.name.startswith("slab")]
    assert sum(register.size for register in slabs) == compiled(MAGIC[0]).emission.records
    assert made.num_qubits == compiled(MAGIC[0]).emission.num_qubits
    assert made.cregs[-1].name == "results"


def test_open_patches_have_frames():
    """Of a Bell pair, left open: the products of its Z and of its X are 1."""
    builder = CircuitBuilder()
    a = builder.add("h", [builder.add("alloc", attr="")])
    b = builder.add("cx", [a, builder.add("alloc", attr="")])
    for wire, name in ((b, "a"), (b + 1, "b")):
        builder.add("output", [wire], attr=name)
    surgery = lower_surgery(builder.freeze())
    made = to_qiskit(without_noise(surgery, emit(surgery, 3)))
    registers = {register.name: list(register) for register in made.qregs}
    for seed, at in itertools.product(range(4), (0, 1)):
        run = QiskitRun(made, seed)
        frames = register(made, "frames", run)
        parity = frames[at] ^ frames[2 + at]
        for output in made.metadata["outputs"]:
            sites = registers[output["patch"]]
            in_x = bool(at) != output["exchanged"]
            for qubit in sites[::3] if in_x else sites[:3]:
                place = made.qubits.index(qubit)
                if in_x:
                    run.state.gate("H", [place])
                parity ^= run.state.measure(place)
        assert parity == 0


def test_qiskit_refuses_what_is_too_long(monkeypatch):
    monkeypatch.setattr(qiskit_physical, "MAX_RECORDS", 10)
    with pytest.raises(CompileError, match="measurements") as refused:
        to_qiskit(compiled("x 0"))
    assert refused.value.exit_code == Kind.LIMIT


def test_a_correction_has_to_know_its_bit():
    surgery = lower_surgery(program(MAGIC[0]))
    adapt = int(np.flatnonzero(surgery.kind == Row.ADAPT)[0])
    surgery.pool[surgery.start[adapt]] = adapt
    made = without_noise(surgery, emit(surgery, 3))
    with pytest.raises(CompileError, match="not known when its slab begins"):
        to_qiskit(made)
    with pytest.raises(CompileError, match="outcome"):
        "".join(tsim.write(made))


# -- tsim ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [MAGIC[0], MAGIC[2]])
def test_tsim_gets_what_the_program_does(text):
    assert_tsim(program(text), compiled(text), range(4))


@pytest.mark.slow
@pytest.mark.parametrize("text", [*CLIFFORD, *MORE_MAGIC, MAGIC[1]])
def test_tsim_gets_what_more_programs_do(text):
    assert_tsim(program(text), compiled(text), range(2))


@pytest.mark.parametrize("text", [*CLIFFORD, *MAGIC, *MORE_MAGIC])
def test_stim_reads_the_stand_in(text):
    """What tsim gets, run by Stim: S for T."""
    made = stim.Circuit("".join(tsim.write(compiled(text))))
    converter = made.compile_m2d_converter(skip_reference_sample=True)
    records = made.compile_sampler(seed=1).sample(200)
    detectors, observables = converter.convert(measurements=records, separate_observables=True)
    assert (detectors == detectors[0]).all()
    seen = Counter("".join(str(int(bit)) for bit in shot) for shot in observables)
    chi_square.check(seen, distribution(stand_in(text)))


def test_tsim_keeps_noise_and_detectors():
    made = noisy(compiled(MAGIC[0]))
    whole = stim.Circuit("".join(tsim.write(Physical(made.surgery, made.emission, made.fragments))))
    assert whole.num_detectors == made.circuit.num_detectors
    assert whole.num_measurements == made.circuit.num_measurements + 1


def test_tsim_refuses_conjunctions():
    builder = CircuitBuilder()
    bits = []
    for name in "abc":
        qubit = builder.add("h", [builder.add("alloc", attr=name)])
        if bits[1:]:
            guard = builder.add("and", bits)
            qubit = builder.add("z", [qubit], cond=guard)
            qubit = builder.add("h", [qubit])
        bits.append(builder.add("measure_z", [qubit]) + 1)
    made = physical(all_measured(builder.freeze()))
    with pytest.raises(CompileError, match="conjunction") as refused:
        "".join(tsim.write(made))
    assert refused.value.exit_code == Kind.LIMIT


def test_tsim_refuses_many_states(monkeypatch):
    monkeypatch.setattr(tsim, "MAX_STATES", 0)
    with pytest.raises(CompileError, match="1 magic states"):
        tsim.write(compiled(MAGIC[0]))


# -- Cirq, Crumble, Stim ---------------------------------------------------------------------------


def results(made: Physical, records: np.ndarray) -> Counter[str]:
    """Shots by results, from their records."""
    parities = []
    for row in np.flatnonzero(made.surgery.kind == Row.RESULT).tolist():
        places, constant, _ = made.emission.bit_parity(made.surgery.operands(row)[0])
        parities.append((records[:, places].sum(axis=1) + constant) % 2)
    return Counter("".join(map(str, shot)) for shot in np.stack(parities, axis=1).tolist())


@pytest.mark.slow
@pytest.mark.parametrize("text", [*CLIFFORD, *MAGIC, *MORE_MAGIC])
def test_cirq_keeps_the_stand_in(text):
    stimcirq = pytest.importorskip("stimcirq")
    made = compiled(text)
    circuit = importlib.import_module("qwasmc.backends.cirq").to_cirq(made)
    records = stimcirq.cirq_circuit_to_stim_circuit(circuit).compile_sampler(seed=1).sample(200)
    chi_square.check(results(made, records), distribution(stand_in(text)))


@pytest.mark.parametrize("text", [CLIFFORD[0], "h 0; s 0; s 0; h 0", "h 0; z 0; s 0; sdg 0; h 0"])
def test_cirq_runs_it(text):
    """By Cirq's own simulator; the result is 1."""
    cirq = pytest.importorskip("cirq")
    made = compiled(text)
    circuit = importlib.import_module("qwasmc.backends.cirq").to_cirq(made)
    found = cirq.Simulator(seed=1).run(circuit, repetitions=2).measurements
    records = np.hstack([found[key] for key in sorted(found, key=int)])
    assert results(made, records) == {"1": 2}


@pytest.mark.parametrize("text", [CLIFFORD[0], pytest.param(MAGIC[0], marks=pytest.mark.slow)])
def test_cirq_comes_back(text):
    stimcirq, cirq = pytest.importorskip("stimcirq"), pytest.importorskip("cirq")
    writer = importlib.import_module("qwasmc.backends.cirq")
    made = noisy(compiled(text))
    resolvers = [*cirq.DEFAULT_RESOLVERS, stimcirq.JSON_RESOLVER]
    back = cirq.read_json(json_text=writer.write(made), resolvers=resolvers)
    assert back == writer.to_cirq(made)
    assert all(isinstance(qubit, cirq.GridQubit) for qubit in back.all_qubits())
    circuit = stimcirq.cirq_circuit_to_stim_circuit(back)
    assert circuit.detector_error_model() == made.circuit.detector_error_model()
    assert ("S[T]" in str(circuit)) == ("t 0" in text)


def test_crumble_opens_the_circuit():
    made = compiled("h 0; cx 0 1")
    link = crumble.url(noisy(made).circuit)
    assert link.startswith("https://algassert.com/crumble#circuit=")
    text = link.partition("=")[2].replace(";", "\n").replace("_", " ")
    for long in ("QUBIT_COORDS", "SHIFT_COORDS", "SQRT_X", "OBSERVABLE_INCLUDE"):
        text = text.replace(long.replace("_", " "), long)
    for short, long in (("Q(", "QUBIT_COORDS("), ("DT", "DETECTOR"), ("OI", "OBSERVABLE_INCLUDE")):
        text = re.sub(rf"^{re.escape(short)}", long, text, flags=re.MULTILINE)
    assert stim.Circuit(re.sub(r"\)(?=\S)", ") ", text)) == made.circuit


def test_a_link_is_refused_if_it_is_too_long(monkeypatch):
    monkeypatch.setattr(crumble, "MAX_URL", 1000)
    with pytest.raises(CompileError, match="link") as refused:
        crumble.url(compiled("x 0").circuit)
    assert refused.value.exit_code == Kind.LIMIT


def test_stim_text_is_the_circuit():
    made = compiled("x 0")
    text = "".join(stim_text(made))
    assert "# observable 0: r0\n" in text
    assert stim.Circuit(re.sub(r"\)(?=\S)", ") ", text)) == made.circuit


DIGEST = """
import hashlib, sys
sys.path.insert(0, {tests!r})
from physical_programs import MAGIC, compiled, noisy
from qwasmc.backends import cirq, qiskit_physical, tsim
made = compiled(MAGIC[0])
print(hashlib.sha256(qiskit_physical.write_qpy(made)).hexdigest())
print(hashlib.sha256(cirq.write(noisy(made)).encode()).hexdigest())
print(hashlib.sha256("".join(tsim.write(made)).encode()).hexdigest())
"""


@pytest.mark.slow
def test_bytes_are_the_same_in_every_process():
    pytest.importorskip("stimcirq")
    script = DIGEST.format(tests=os.path.dirname(__file__))
    found = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
