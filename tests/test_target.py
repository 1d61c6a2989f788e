"""Descriptions of machines: errors against golden files, round trips, and the QDK's own numbers.

Run with QWASMC_REGENERATE=1 to write the golden files anew, then read the difference.
"""

from __future__ import annotations

import json
import os
import random
from dataclasses import fields, replace
from pathlib import Path

import pytest
import targets_page

from qwasmc import cli
from qwasmc.diagnostics import CompileError, render
from qwasmc.target import (
    TARGETS,
    Code,
    GateBased,
    Majorana,
    Target,
    find_target,
    qdk_parameters,
    read_target,
)

FOLDER = Path(__file__).parent / "targets"
CASES = sorted(path.stem for path in FOLDER.glob("*.toml"))
QDK = [target.name for target in TARGETS if target.name.startswith("qubit_")]


@pytest.mark.parametrize("case", CASES)
def test_golden(case: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(FOLDER)
    with pytest.raises(CompileError) as caught:
        find_target(f"{case}.toml")
    rendered = "".join(map(render, caught.value.diagnostics))
    rendered += f"exit code {caught.value.exit_code}\n"
    golden = FOLDER / f"{case}.err"
    if os.environ.get("QWASMC_REGENERATE"):
        golden.write_text(rendered, "utf-8")
    assert rendered == golden.read_text("utf-8")


def test_every_golden_file_has_its_input():
    assert sorted(path.stem for path in FOLDER.glob("*.err")) == CASES


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("gird", 2, "did you mean 'grid'?"),
        ("lab", 2, "there are grid, superconducting"),
        ("no/such.toml", 2, "cannot read 'no/such.toml': No such file"),
        ("long.toml", 3, "'long.toml' is longer than 65536 bytes"),
        ("bytes.toml", 1, "this is not TOML"),
        ("colour.toml", 1, r"unknown key 'a\x1b[31m'"),
        (".toml", 2, "cannot read '.toml'"),
    ],
)
def test_files(name: str, code: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("long.toml").write_text("#" * 70_000)
    Path("colour.toml").write_text(r'"a\u001b[31m" = 1')
    Path("bytes.toml").write_bytes(b"name = \xff\xfe\x00")
    with pytest.raises(CompileError) as caught:
        find_target(name)
    assert caught.value.exit_code == code
    assert message in "".join(map(render, caught.value.diagnostics))


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_printed_and_read_back(target, capsys: pytest.CaptureFixture[str]):
    assert cli.run(["targets", target.name]) == 0
    text = capsys.readouterr().out
    again = read_target(text.encode(), "again.toml")
    assert replace(again, file=target.file) == target
    assert again.text == text
    edited = read_target(f"max_tiles = 7\n{text}".encode(), "edited.toml")
    assert replace(edited, file=target.file, max_tiles=None) == target
    assert edited.max_tiles == 7


def test_keys_as_the_qdk_writes_them():
    ours = find_target("qubit_gate_us_e4")
    text = f"""
        name = "qubit_gate_us_e4"
        doc = "{ours.doc}"
        sources = {json.dumps(ours.sources)}
        code = {{ crossingPrefactor = 0.03, errorCorrectionThreshold = 0.01, maxDistance = 49 }}
        [qubit]
        instructionSet = "GateBased"
        oneQubitMeasurementTime = "100 µs"
        oneQubitGateTime = "100000ns"
        twoQubitGateTime = "0.1 ms"
        tGateTime = "0.0001 s"
        oneQubitMeasurementErrorRate = 0.0001
        oneQubitGateErrorRate = 1e-4
        twoQubitGateErrorRate = 0.1e-3
        tGateErrorRate = 1e-6
        idleErrorRate = 0.0001
    """
    assert replace(read_target(text.encode(), "x.toml"), file=ours.file) == ours


@pytest.mark.parametrize("name", QDK)
def test_the_qdk_has_the_same_qubits(name: str):
    estimator = pytest.importorskip("qdk.estimator")
    counts = {"numQubits": 40, "tCount": 10_000, "rotationCount": 50, "rotationDepth": 30}
    named = estimator.LogicalCounts(counts).estimate({"qubitParams": {"name": name}})
    given = estimator.LogicalCounts(counts).estimate(qdk_parameters(find_target(name)))
    assert given["physicalCounts"] == named["physicalCounts"]
    theirs, ours = named["jobParams"]["qubitParams"], given["jobParams"]["qubitParams"]
    rates = {key: _number(value) for key, value in theirs.items() if key != "name"}
    assert {key: _number(value) for key, value in ours.items() if key != "name"} == rates
    cycle = named["logicalQubit"]["logicalCycleTime"] / named["logicalQubit"]["codeDistance"]
    assert find_target(name).round_time == cycle


def _number(value: object) -> object:
    """A rate that the QDK may say twice, once."""
    return value["process"] if isinstance(value, dict) else value


@pytest.mark.parametrize("name", ["superconducting", "atoms", "ions"])
def test_the_qdk_takes_ours(name: str):
    estimator = pytest.importorskip("qdk.estimator")
    found = estimator.LogicalCounts({"numQubits": 5, "tCount": 9}).estimate(
        qdk_parameters(find_target(name))
    )
    assert found["physicalCounts"]["physicalQubits"] > 0


def refusal(text: bytes) -> CompileError | None:
    """Why a description is refused, if it is."""
    try:
        read_target(text, "damaged.toml")
    except CompileError as wrong:
        return wrong
    return None


def test_no_description_crashes():
    """Random damage gives a target or an error with a place, nothing else."""
    rng = random.Random(1)
    letters = b'="[]{}.\n\\#0-9eaT\x00\xff '
    for _ in range(1500):
        text = bytearray(rng.choice(TARGETS).text.encode())
        for _ in range(rng.choice([1, 1, 2, 5, 50])):
            at = rng.randrange(len(text))
            text[at : at + rng.choice([0, 1, 1, 8])] = bytes([rng.choice(letters)])
        wrong = refusal(bytes(text))
        if wrong is not None:
            assert wrong.diagnostics[0].place is not None
            assert "".join(map(render, wrong.diagnostics))


def test_list(capsys: pytest.CaptureFixture[str]):
    assert cli.run(["targets", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in listed["targets"]] == [target.name for target in TARGETS]
    assert cli.run(["targets", "atoms", "--json"]) == 0
    atoms = json.loads(capsys.readouterr().out)
    assert atoms == listed["targets"][2]
    assert atoms["qubit"]["t2"] == 12.6e9
    assert atoms["qubit"]["instruction_set"] == "gate_based"
    assert cli.run(["targets"]) == 0
    assert "superconducting" in capsys.readouterr().out


def test_page_is_current_and_complete():
    page = targets_page.PAGE.read_text("utf-8")
    assert page == targets_page.targets_page()
    keys = {each.name for made in (Target, Code, GateBased, Majorana) for each in fields(made)}
    assert {key for key in keys - {"text", "file", "qubit", "code"} if f"`{key}`" not in page} <= {
        "two_qubit_joint_measurement_error_rate"  # among "their ..._error_rate"
    }
