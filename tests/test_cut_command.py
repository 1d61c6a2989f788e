"""`qwasmc cut` and `qwasmc knit`: files, refusals, and what others may do to files."""

from __future__ import annotations

import functools
import json
import math
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cut_programs import (
    PROGRAMS,
    blocks,
    compiled,
    exact,
    exact_outcomes,
    expected,
    ghz,
    products,
    read,
    scattered,
)
from qiskit import qasm3

import qwasmc
from qwasmc import cli
from qwasmc.backends.cutting.knit import knit
from qwasmc.backends.cutting.plan import read_plan
from qwasmc.diagnostics import CompileError, Kind
from qwasmc.pipeline import load

pytest.importorskip("qiskit_addon_cutting")
cut = load("qwasmc.backends.cutting.cut:cut")

EXAMPLE = Path(__file__).parent.parent / "examples" / "cut.qwasm"

# -- commands --------------------------------------------------------------------------------------


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    code = cli.run([str(each) for each in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def values(text: str) -> dict[str, tuple[float, float]]:
    return {
        each["name"]: (each["value"], each["error"]) for each in json.loads(text)["observables"]
    }


def test_a_program_says_how_many_qubits_a_piece_may_have(capsys, tmp_path):
    plan = tmp_path / "plan.json"
    code, _, told = run(capsys, "cut", EXAMPLE, "-o", plan)
    assert code == 0
    assert "help: `qwasmc cut` cuts the whole program into pieces of at most max_qubits" in told
    assert "0 gates and 1 wire cut, 2 pieces of at most 3 qubits" in told
    assert "the sampling overhead is 16: a standard error of 0.01 takes at most 160000 runs" in told
    data = json.loads(plan.read_text())
    assert (data["max_qubits"], data["input"]) == (3, str(EXAMPLE))
    code, printed, _ = run(capsys, "knit", plan, "--simulate", 4000, "--seed", 5)
    assert code == 0
    wanted = dict.fromkeys(["r0", "r1", "r2", "r3", "r0*r1*r2*r3*r4"], 0) | {"r4": 1}
    assert values(printed).keys() == wanted.keys()
    for name, (value, error) in values(printed).items():
        assert abs(value - wanted[name]) <= 5 * error + 1e-9
        assert error < 4 / math.sqrt(4000)  # at most gamma over the root of the shots


def test_an_optimiser_in_front_may_make_it_cheaper(capsys, tmp_path):
    """As the page on cutting says."""
    circuit = tmp_path / "circuit.mlir"
    passes = "promote,specialise,uncompute,cancel"
    arguments = ["--emit", "circuit", "--passes", passes, "-o", circuit]
    assert run(capsys, "compile", EXAMPLE, *arguments)[0] == 0
    code, printed, _ = run(capsys, "cut", circuit, "--max-qubits", 3)
    assert (code, json.loads(printed)["overhead"]) == (0, 9)


@pytest.mark.parametrize(
    "name",
    [*(pytest.param(name, marks=pytest.mark.slow) for name in ("rotations", "wire")), "random 2"],
)
def test_shots_are_within_their_errors(name, capsys, tmp_path):
    circuit, width = PROGRAMS[name]
    n = circuit.num_qubits
    program, plan, results = (tmp_path / each for each in ("p.qasm", "plan.json", "results.json"))
    program.write_text(qasm3.dumps(circuit.measure_all(inplace=False)))
    paulis = ["Z" * n, "X" * n]
    arguments = ["--max-qubits", width, "--observables", ",".join(paulis), "-o", plan]
    assert run(capsys, "cut", program, *arguments)[0] == 0
    code, printed, _ = run(capsys, "knit", plan, "--simulate", 2000)
    assert code == 0
    for paulis, (value, error) in values(printed).items():
        assert abs(value - expected(circuit, paulis)) < 5 * error
    # The same, with what `simulate` writes about each experiment.
    counts = {}
    for piece in json.loads(plan.read_text())["pieces"]:
        for each in piece["experiments"]:
            source = tmp_path / "experiment.qasm"
            source.write_text(each["qasm"])
            counts[each["name"]] = json.loads(run(capsys, "simulate", source, "--shots", 500)[1])
    results.write_text(json.dumps(counts))
    code, printed, _ = run(capsys, "knit", plan, results)
    assert code == 0
    for paulis, (value, error) in values(printed).items():
        assert abs(value - expected(circuit, paulis)) < 5 * error


def test_an_experiment_becomes_patches():
    """Its results are what Stim samples from the physical circuit, without noise."""
    plan = cut(read(EXAMPLE.read_text()), 3)
    rng = random.Random(4)
    for piece in plan["pieces"]:
        each = rng.choice(piece["experiments"])
        artifact = qwasmc.compile(each["qasm"], language="qasm3", distance=3)
        assert artifact.circuit.num_detectors > 100
        records = artifact.circuit.compile_sampler(seed=1).sample(200)
        found = exact_outcomes(each["qasm"])
        possible = set(map(tuple, found.bits.tolist()))
        columns = [found.column[result["name"]] for result in artifact.report["results"]]
        seen = np.stack(
            [
                np.bitwise_xor.reduce(records[:, result["records"]], axis=1) ^ result["flip"]
                for result in artifact.report["results"]
            ],
            axis=1,
        )
        assert {tuple(row) for row in seen.astype(int).tolist()} <= {
            tuple(bits[column] for column in columns) for bits in possible
        }


@pytest.mark.slow
def test_equal_inputs_give_equal_bytes(tmp_path):
    program = tmp_path / "p.qasm"
    program.write_text(qasm3.dumps(ghz(5).measure_all(inplace=False)))
    command = [sys.executable, "-m", "qwasmc", "cut", program, "--max-qubits", "2"]
    texts = [
        subprocess.run(
            [*command, "--samples", "30", "--seed", "7", "--observables", "ZZIII,XXXXX,IYIZX"],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert texts[0] == texts[1]
    assert json.loads(texts[0])["draws"] == 30


def test_cutting_again_in_a_process_changes_nothing():
    circuit = compiled(blocks("cx", 2))
    state = np.random.get_state()[1].tolist()
    assert cut(circuit, 2, samples=5) == cut(circuit, 2, samples=5)
    assert np.random.get_state()[1].tolist() == state
    other = cut(circuit, 2, samples=5, seed=1)
    assert other["terms"] != cut(circuit, 2, samples=5)["terms"]


# -- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("QLMEASURE 0, r0\nIF r0: QLH 1", "'h' depends on a result, and is no Pauli", 3),
        ("QLMEASURE 0, r0\nQLH 0", "'h' acts on qubit '0' after its measurement", 3),
        ("QLMEASURE 0, r0\nIF r0: QLX 0", "'x' acts on qubit '0' after its measurement", 3),
        ("QLMEASURE 0, r0\nQLMEASURE 0, r1, basis=X", "measured in X and before that in Z", 3),
    ],
)
def test_what_cannot_be_cut_is_refused_with_its_place(text, message, place):
    with pytest.raises(CompileError, match=message) as caught:
        cut(read(f"QLINIT 2\n{text}\n"), 1)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.place is not None
    assert (diagnostic.place.line, diagnostic.kind) == (place, Kind.LIMIT)
    assert diagnostic.help


def test_a_result_that_is_no_parity_needs_named_observables():
    with pytest.raises(CompileError, match="result 'r3' is no parity of measured bits") as caught:
        cut(products(conjunction=True), 2)
    assert "--observables" in caught.value.diagnostics[0].help
    plan = cut(products(conjunction=True), 2, ["ZZZ"])
    assert [each["paulis"] for each in plan["observables"]] == ["ZZZ"]


@pytest.mark.parametrize("paulis", ["Z", "ZZZ", "ZA", "zz", ""])
def test_wrong_observables(paulis):
    with pytest.raises(CompileError, match="is not a Pauli product on 2 qubits"):
        cut(compiled(ghz(2)), 1, [paulis])


@pytest.mark.parametrize(
    ("operand", "width"),
    [("2", 2), ("0x2", 2), ("9" * 30, 10**30 - 1), ("0", None), ("0x0", None), ("r1", None)],
)
def test_sizes_in_programs(operand, width, capsys, tmp_path):
    program = tmp_path / "p.qwasm"
    text = f"QLINIT 3\nCIRCUIT_CUT 0, {operand}, 0\nQLCNOT 0, 1\nQLCNOT 1, 2\nQLMEASURE 2, r0\n"
    program.write_text(text)
    code, printed, told = run(capsys, "cut", program)
    if width is None:
        assert (code, "how many qubits may a piece have?" in told) == (2, True)
    else:
        assert (code, json.loads(printed)["max_qubits"]) == (0, width)


def test_a_program_without_results_or_width(capsys, tmp_path):
    program = tmp_path / "p.qwasm"
    program.write_text("QLINIT 2\nQLH 0\nQLCNOT 0, 1\n")
    assert run(capsys, "cut", program)[0] == 2
    code, _, told = run(capsys, "cut", program, "--max-qubits", 1)
    assert (code, "the program has no results to observe" in told) == (1, True)
    code, printed, _ = run(capsys, "cut", program, "--max-qubits", 1, "--observables", "XX")
    assert code == 0
    plan = read_plan(printed.encode(), "plan")
    assert knit(plan, exact(plan))[0]["value"] == pytest.approx(1)
    for samples in ("0", "-3", "nan", "x", "1.5"):
        assert run(capsys, "cut", program, "--max-qubits", 1, "--samples", samples)[0] == 2


@pytest.mark.slow
def test_too_many_terms_and_too_large_an_overhead():
    whole = compiled(ghz(7))
    with pytest.raises(CompileError, match=f"{6**6} terms of 6 cuts are too many") as caught:
        cut(whole, 1)
    assert caught.value.exit_code == Kind.LIMIT
    with pytest.raises(CompileError, match="at most"):
        cut(whole, 1, samples=5001)
    assert len(cut(whole, 1, samples=10)["terms"]) <= 10
    for gates in (200, 1500):
        with pytest.raises(CompileError, match="have a sampling overhead of"):
            cut(compiled(scattered(1, 10, gates, gates)), 2)


def test_without_the_addon(capsys, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("qiskit_addon_cutting")]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "qwasmc.backends.cutting.cut")
    code, _, told = run(capsys, "cut", EXAMPLE)
    assert code == 2
    assert "help: pip install 'qwasmc[cut]'" in told


@pytest.mark.parametrize("text", ["", "QLINIT 2\n", "QLINIT 2\nQLH 0\n"])
def test_programs_with_next_to_nothing(text):
    if not text:
        with pytest.raises(CompileError, match="a program without qubits"):
            cut(read(text), 1, [""])
        return
    plan = read_plan(json.dumps(cut(read(text), 1, ["II"])).encode(), "plan")
    assert [each["value"] for each in knit(plan, exact(plan))] == [1]
    plan = cut(read(text), 1, ["ZZ"])
    assert knit(plan, exact(plan))[0]["value"] == pytest.approx(0 if "H" in text else 1)


@pytest.mark.slow
@pytest.mark.parametrize(("qubits", "gates"), [(1200, 1), (3, 2100)])
def test_what_is_too_large_to_search(qubits, gates):
    text = f"QLINIT {qubits}\n" + "QLCNOT 0, 1\n" * gates
    with pytest.raises(CompileError) as caught:
        cut(read(text), 1, ["Z" * qubits])
    assert caught.value.exit_code == Kind.LIMIT


# -- files that others wrote -----------------------------------------------------------------------


def test_results_that_are_not_complete(capsys, tmp_path):
    plan, results = tmp_path / "plan.json", tmp_path / "results.json"
    plan.write_text(json.dumps(cut(compiled(ghz(2)), 1)))
    counts = {"shots": 3, "results": ["observable_measurements[0]"], "counts": {"0": 1, "1": 2}}
    for data, message in (
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "has no object"),
        ('{"0.0": {"results": ["a", "a"], "counts": {"01": 2}}}', "two results of one name"),
        ('{"0.0": {"results": ["a"], "counts": {"0": NaN}}}', "counts of something else than bits"),
        (
            '{"0.0": {"results": ["a"], "counts": {"0": 1%s}}}' % ("0" * 99),
            "counts of something else than bits",
        ),
        ("{}", "there are no results of experiment 0.0"),
        ('{"0.0": 3}', "there are no counts of experiment 0.0"),
        ('{"0.0": {"results": ["a"], "counts": {"01": 2}}}', "counts of something else than bits"),
        ('{"0.0": {"results": ["a"], "counts": {"0": -2}}}', "counts of something else than bits"),
        ('{"0.0": {"results": ["a"], "counts": {"0": 1e9}}}', "counts of something else than bits"),
        (json.dumps({f"{a}.{b}": counts for a in (0, 1) for b in range(5)}), "has no result 'qpd"),
    ):
        results.write_text(data)
        code, _, told = run(capsys, "knit", plan, results)
        assert (code, message in told) == (1, True), told
    assert run(capsys, "knit", plan)[0] == 2
    assert run(capsys, "knit", plan, results, "--simulate", 3)[0] == 2


def test_a_damaged_plan_is_no_plan():
    """Whatever is missing, of another type or out of range."""
    whole = json.loads(json.dumps(cut(compiled(ghz(2)), 1)))
    read_plan(json.dumps(whole).encode(), "plan")
    for key in whole:
        for value in (None, "x", [None], [{}], {"a": 1}):
            with pytest.raises(CompileError, match="is not what `qwasmc cut` writes"):
                read_plan(json.dumps(whole | {key: value}).encode(), "plan")
    for number in (-1, 5, 10**9, True, 0.0):
        for path in (["terms", 0, "experiments", 1], ["observables", 0, "parts", 0, "group"]):
            damaged = json.loads(json.dumps(whole))
            at = functools.reduce(lambda found, step: found[step], path[:-1], damaged)
            at[path[-1]] = [number] if path[0] == "terms" else number
            with pytest.raises(CompileError, match="is not what `qwasmc cut` writes"):
                read_plan(json.dumps(damaged).encode(), "plan")
    damaged = whole | {"terms": [whole["terms"][0] | {"sampled": True}]}
    with pytest.raises(CompileError):
        read_plan(json.dumps(damaged).encode(), "plan")
    dear = {"overhead": 1e15, "shots": {"error": 1e-9, "shots": 10**33}}  # the most there is
    read_plan(json.dumps(whole | dear).encode(), "plan")
    for number in (math.inf, math.nan, 1e300, 10**400):
        with pytest.raises(CompileError):
            read_plan(json.dumps(whole | {"overhead": number}).encode(), "plan")
    terms = [term | {"sampled": True, "coefficient": 0.0} for term in whole["terms"]]
    signs = [each | {"sign": 2} for each in whole["observables"]]
    piece = whole["pieces"][0]
    twice = piece | {"experiments": [each | {"name": "0.0"} for each in piece["experiments"]]}
    for damage in (
        {"terms": terms, "draws": 1},
        {"terms": terms, "draws": 10**400},
        {"observables": signs},
        {"pieces": [twice, *whole["pieces"][1:]]},
    ):
        with pytest.raises(CompileError, match="is not what `qwasmc cut` writes"):
            read_plan(json.dumps(whole | damage).encode(), "plan")
