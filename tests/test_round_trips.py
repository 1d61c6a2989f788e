"""Programs through the command line: compiled, read back by us and by others, they do the same."""

from __future__ import annotations

import io
import json
import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from random import Random

import emitted
import pytest
import qiskit_oracle
import random_qasm
import stim
from branches import same
from chi_square import check
from qiskit import qasm2, qasm3, qpy
from qiskit.quantum_info import Operator
from trip_cases import CASES, HEAD2, Distribution

from qwasmc import cli

SHOTS = 400

LOGICAL = {"qasm3": ".qasm", "qir": ".ll", "qir-bitcode": ".bc", "qiskit": ".qpy"}
"""Formats of logical circuits, and what names of files end in."""

LEVELS = (["-O0"], ["-O1"], ["-O2"], ["-O3", "--time-budget", "0.2"])


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def compiled(source: str, emit: str, *given: str) -> str | None:
    """The name of what a program becomes, or None if it is refused with a reason."""
    output = f"out{LOGICAL.get(emit, '.' + emit)}"
    Path(output).unlink(missing_ok=True)
    code = cli.run(["compile", source, "--emit", emit, *given, "-o", output])
    assert code in (0, 3)
    assert Path(output).exists() == (code == 0)
    return None if code else output


def simulated(capsys: pytest.CaptureFixture[str], source: str) -> tuple[list[str], Counter[str]]:
    """The names of results, and how often which values were seen, by `qwasmc simulate`."""
    capsys.readouterr()
    assert cli.run(["simulate", source, "--shots", str(SHOTS)]) == 0
    found = json.loads(capsys.readouterr().out)
    bits = all(isinstance(result, str) for result in found["results"])
    names = found["results"] if bits else [result["name"] for result in found["results"]]
    counts = {" ".join(key) if bits else key: times for key, times in found["counts"].items()}
    return names, Counter(counts)


def first(counts: Mapping[str, int], results: int) -> Counter[str]:
    """Counts of the first results: OpenQASM 3 without `output` has other bits behind them."""
    total: Counter[str] = Counter()
    for key, times in counts.items():
        total[" ".join(key.split()[:results])] += times
    return total


def by_runner(path: str) -> Counter[str]:
    """What qir-runner records."""
    runner = pytest.importorskip("qirrunner")
    pieces: list[str] = []
    runner.run(path, shots=SHOTS, rng_seed=7, output_fn=lambda piece: pieces.append(str(piece)))
    seen: Counter[str] = Counter()
    shot: list[str] = []
    for kind, *values in (line.split("\t") for line in "".join(pieces).splitlines()):
        if kind == "END":
            seen[" ".join(shot)] += 1
            shot = []
        elif kind == "OUTPUT" and values[0] != "TUPLE":
            shot.append(spelled({"true": "1", "false": "0"}.get(values[1], values[1])))
    return seen


def spelled(value: str) -> str:
    """A value, however a tool writes it."""
    return value if value.lstrip("-").isdigit() else repr(float(value))


def by_qiskit(path: str, names: Iterable[str]) -> Distribution:
    """The exact distribution of a circuit in QPY; integers have the sign that their width says."""
    (made,) = qpy.load(io.BytesIO(Path(path).read_bytes()))
    widths = {register.name: register.size for register in made.cregs}
    total: Counter[str] = Counter()
    for key, p in emitted.by_result(made, qiskit_oracle.distribution(made, 1e-5), names).items():
        values = [
            value - (1 << widths[name])
            if value >> (widths.get(name, 1) - 1) and value > 1
            else value
            for name, value in key
        ]
        total[" ".join(map(str, values))] += p
    return total


def assert_same(
    capsys: pytest.CaptureFixture[str], path: str, emit: str, wanted: Distribution, names: list[str]
) -> None:
    """What was emitted does what is wanted, for us and for others."""
    if emit == "qiskit":
        assert same(by_qiskit(path, names), wanted, 4e-3)
        return
    seen = first(simulated(capsys, path)[1], len(next(iter(wanted)).split()))
    check(seen, wanted)
    if emit != "qasm3":
        check(by_runner(path), wanted)


def in_bits(wanted: Distribution, widths: Sequence[int]) -> Distribution:
    """A distribution of integers, as that of their bits, the least significant one first."""
    return {
        " ".join(
            str(int(value) >> at & 1)
            for value, width in zip(key.split(), widths, strict=True)
            for at in range(width)
        ): p
        for key, p in wanted.items()
    }


# -- written programs


def round_trip(capsys: pytest.CaptureFixture[str], name: str, emit: str, *given: str) -> bool:
    """Whether a case could be emitted; then it does what it should."""
    text, wanted = CASES[name]
    Path(name).write_text(text, encoding="utf-8")
    names, counts = simulated(capsys, name)
    check(counts, wanted)
    path = compiled(name, emit, *given)
    if path is None:
        return False
    if emit == "qasm3" and "int[" not in Path(path).read_text() and name == "integers.ll":
        wanted = in_bits(wanted, (3, 64))
    assert_same(capsys, path, emit, wanted, names)
    return True


@pytest.mark.parametrize("emit", ["qasm3", "qir", "qiskit"])
@pytest.mark.parametrize("name", CASES)
def test_written_programs(name: str, emit: str, work: Path, capsys: pytest.CaptureFixture[str]):
    done = round_trip(capsys, name, emit)
    assert done == (name != "floats.ll" or emit == "qir")


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS, ids=" ".join)
@pytest.mark.parametrize("emit", LOGICAL)
def test_written_programs_at_each_level(
    emit: str, level: list[str], work: Path, capsys: pytest.CaptureFixture[str]
):
    refused = [name for name in CASES if not round_trip(capsys, name, emit, *level)]
    folded = ["recorded.stim"] * (level == ["-O0"])  # numbers of records are computed
    assert refused == ["floats.ll"] * (emit in ("qasm3", "qiskit")) + folded


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (["--max-iterations", "2"], {"0 1 0": 0.875, "1 0 1": 0.125}),
        (
            ["--passes", "promote,specialise", "--max-iterations", "1"],
            {"0 1 0": 0.75, "1 0 1": 0.25},
        ),
        (["-O0", "--max-iterations", "2"], {"0 1": 1.0}),
    ],
    ids=str,
)
def test_loops_that_are_left(
    given: list[str], wanted: Distribution, work: Path, capsys: pytest.CaptureFixture[str]
):
    """The last result says whether the loop would have gone on; at -O0 it is not left."""
    Path("until.qasm").write_text(CASES["until.qasm"][0])
    names = ["c", "last", "unfinished: until.qasm:3"][: len(next(iter(wanted)).split())]
    path = compiled("until.qasm", "qir", *given)
    assert path is not None
    assert simulated(capsys, path)[0] == names
    assert_same(capsys, path, "qir", wanted, names)


def test_scratch_is_undone_by_measurement(work: Path, capsys: pytest.CaptureFixture[str]):
    """A Toffoli onto scratch and back, which a circuit with feed-forward need not pay twice."""
    Path("and.qwasm").write_text(
        ".caps CAP_ALLOC\na: ALLOC_LQ n=4 -> x, y, s, out\nh: APPLY_H x\nh: APPLY_H y\n"
        "c: APPLY_CCX x, y, s\nc: APPLY_CNOT s, out\nc: APPLY_CCX x, y, s\n"
        "m: MEASURE_Z x -> a\nm: MEASURE_Z y -> b\nm: MEASURE_Z out -> c\n"
    )
    wanted = {"0 0 0": 0.25, "0 1 0": 0.25, "1 0 0": 0.25, "1 1 1": 0.25}
    for emit in LOGICAL:
        path = compiled("and.qwasm", emit, "--scratch", "s", "--verify")
        assert path is not None
        assert_same(capsys, path, emit, wanted, ["a", "b", "c"])
    text = Path("out.qasm").read_text()
    assert len(re.findall("^ *t(dg)? ", text, re.MULTILINE)) == 4


def test_open_ends_stay_as_they_are(work: Path):
    """With --open, what is written is the unitary alone: no resets, no measurements."""
    source = HEAD2 + "qreg q[2]; h q[0]; cx q[0], q[1]; t q[1];"
    Path("open.qasm").write_text(source)
    for emit in ("qasm3", "qiskit"):
        path = compiled("open.qasm", emit, "--open")
        assert path is not None
        data = io.BytesIO(Path(path).read_bytes())
        made = qasm3.load(path) if emit == "qasm3" else qpy.load(data)[0]
        assert Operator(made).equiv(Operator(qasm2.loads(source)))
    assert compiled("open.qasm", "qir", "--open") is None


# -- random programs


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2000, 2040))
def test_random_programs(seed: int, work: Path, capsys: pytest.CaptureFixture[str]):
    """Programs in OpenQASM 2, against Qiskit's reading of them, in one format at some level."""
    rng = Random(seed)
    text = "gate swap"
    while re.search("gate (swap|rzz|csx)", text):  # Qiskit has other gates of these names
        text, _ = random_qasm.random_program(rng, measured=True)
    source = qasm2.loads(text, custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS)
    Path("p.qasm").write_text(text)
    names, _ = simulated(capsys, "p.qasm")
    found = emitted.by_result(source, qiskit_oracle.distribution(source, 1e-5), names)
    wanted: Counter[str] = Counter()
    for key, p in found.items():
        wanted[" ".join(str(value) for _, value in key)] += p
    emit = rng.choice(("qir", "qir-bitcode", "qiskit"))
    path = compiled("p.qasm", emit, *rng.choice(LEVELS), "--synthesis-error", "1e-4")
    assert path is not None
    assert_same(capsys, path, emit, wanted, names)


# -- physical circuits


def observables(circuit: stim.Circuit) -> set[tuple[bool, ...]]:
    """The values of a circuit's observables, as often as they differ."""
    converter = circuit.compile_m2d_converter(skip_reference_sample=True)
    records = circuit.compile_sampler(seed=3).sample(64)
    detectors, found = converter.convert(measurements=records, separate_observables=True)
    assert not detectors.any() or "S[T]" in str(circuit)
    return {tuple(shot) for shot in found.tolist()}


PHYSICAL = ("bell.qwasm", "teleport.qwasm", "repetition.qwasm", "macros.qwasm", "teleport.qvm.json")
"""Examples in Clifford gates."""


@pytest.mark.parametrize("name", PHYSICAL)
@pytest.mark.parametrize("level", [LEVELS[0], LEVELS[2]], ids=" ".join)
def test_physical_circuits(
    name: str, level: list[str], work: Path, capsys: pytest.CaptureFixture[str]
):
    """Stim's text by Stim itself, and tsim's, whose observables are all results."""
    source = str(emitted.EXAMPLES / name)
    path = compiled(source, "stim", *level, "--report", "report.json")
    assert path is not None
    circuit = stim.Circuit.from_file(path)
    assert len(observables(circuit)) == 1
    assert circuit.num_observables == len(
        json.loads(Path("report.json").read_text())["observables"]
    )
    tsim = compiled(source, "tsim", *level)
    assert (tsim is None) == (name == "repetition.qwasm")  # a conjunction of outcomes
    if tsim is not None:
        found = observables(stim.Circuit.from_file(tsim))
        seen = simulated(capsys, source)[1]
        assert {" ".join(str(int(value)) for value in values) for values in found} == set(seen)


@pytest.mark.slow
@pytest.mark.parametrize("name", PHYSICAL)
def test_physical_circuits_by_way_of_cirq(name: str, work: Path):
    """The detectors and observables that Stim finds in Cirq's circuit are those of the text."""
    cirq, stimcirq = pytest.importorskip("cirq"), pytest.importorskip("stimcirq")
    source = str(emitted.EXAMPLES / name)
    text, path = compiled(source, "stim"), compiled(source, "cirq")
    assert text is not None
    assert path is not None
    resolvers = [*cirq.DEFAULT_RESOLVERS, stimcirq.JSON_RESOLVER]
    back = stimcirq.cirq_circuit_to_stim_circuit(cirq.read_json(path, resolvers=resolvers))
    circuit = stim.Circuit.from_file(text)
    assert back.num_detectors == circuit.num_detectors
    assert observables(back) == observables(circuit)


# -- what is read again


def test_the_format_of_qpy_is_named(work: Path, capsys: pytest.CaptureFixture[str]):
    path = compiled(str(emitted.EXAMPLES / "bell.qwasm"), "qiskit")
    assert cli.run(["simulate", str(path)]) == 2
    assert "qiskit.qasm3.dump" in capsys.readouterr().err


def test_what_tsim_gets_is_read(work: Path, capsys: pytest.CaptureFixture[str]):
    """With its T gates: of magic.qwasm, too many qubits for a state vector."""
    path = compiled(str(emitted.EXAMPLES / "bell.qwasm"), "tsim")
    assert set(simulated(capsys, str(path))[1]) == {"0 0", "1 1"}
    path = compiled(str(emitted.EXAMPLES / "magic.qwasm"), "tsim")
    assert cli.run(["stats", str(path), "-O0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["t_count"] == 6


# -- size


@pytest.mark.slow
def test_time_is_linear(work: Path):
    """Four times the gates, on a thousand qubits, take not much more than four times as long."""
    rng = Random(1)
    lines = [f"cx q[{n}], q[{(n + rng.randrange(1, 1000)) % 1000}];" for n in range(1000)]
    lines += [f"{rng.choice('hst')} q[{n}];" for n in range(1000)]
    took = {}
    for times in (3, 12):
        text = HEAD2 + "qreg q[1000]; creg c[1000];\n" + "\n".join(lines * times)
        Path("p.qasm").write_text(text + "\nmeasure q -> c;\n")
        for emit in LOGICAL:
            start = time.process_time()
            assert compiled("p.qasm", emit, "-O0") is not None
            took[emit, times] = time.process_time() - start
    for emit in LOGICAL:
        assert took[emit, 12] < 8 * took[emit, 3] + 0.5
