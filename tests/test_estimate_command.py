"""`qwasmc estimate`: its two models side by side, as a table, JSON or a plot."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from qwasmc import cli
from qwasmc.backends.estimation.job import read_counts
from qwasmc.backends.estimation.qdk import estimate, summary
from qwasmc.counts import LogicalCounts
from qwasmc.diagnostics import Kind

TINY = {"numQubits": 12, "tCount": 5, "cczCount": 7, "measurementCount": 9}

MAGIC = str(Path(__file__).parent.parent / "examples" / "magic.qwasm")


@pytest.fixture
def counts_file(tmp_path: Path) -> str:
    (tmp_path / "counts.json").write_text(json.dumps(TINY))
    return str(tmp_path / "counts.json")


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.run(["estimate", *arguments]) == 0
    return capsys.readouterr().out


def test_both_models_side_by_side(capsys: pytest.CaptureFixture[str]):
    found = json.loads(ran(capsys, MAGIC, "--json", "--error-budget", "0.01"))
    assert list(found["models"]) == ["schedule", "qdk-legacy"]
    counts = LogicalCounts(**found["counts"])
    assert found["models"]["qdk-legacy"] == summary(counts, {"errorBudget": 0.01}, pareto=True)
    keys = {"physical_qubits", "runtime_s", "distance", "t_states", "factories", "error", "pareto"}
    for entry in found["models"].values():
        assert keys <= set(entry)
        assert entry["error"]["budget"] == 0.01


def test_tables(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    head, titles, first, *_ = ran(capsys, MAGIC).splitlines()
    assert head == f"{MAGIC}: 1 qubits, 2 T, 1 measurements"
    assert titles.split() == ["schedule", "qdk-legacy"]
    assert first.startswith("physical qubits")
    assert "schedule" not in ran(capsys, MAGIC, "--model", "qdk-legacy")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "100")
    assert "───" in ran(capsys, MAGIC)


def test_counts_in_place_of_a_program(capsys: pytest.CaptureFixture[str], counts_file: str):
    found = json.loads(ran(capsys, counts_file, "--counts", "--json"))
    entry = found["models"].pop("qdk-legacy")
    assert entry["result"] == json.loads(json.dumps(estimate(read_counts(TINY), {})))
    assert not found["models"]


def test_parameters_and_targets(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    (tmp_path / "job.json").write_text('{"qubitParams": {"name": "qubit_maj_ns_e6"}}')
    job = str(tmp_path / "job.json")
    for arguments in (["--qdk-parameters", job], ["--target", "qubit_maj_ns_e6"]):
        text = ran(capsys, MAGIC, "--json", "--model", "qdk-legacy", *arguments)
        shown = json.loads(text)["models"]["qdk-legacy"]["result"]["jobParams"]["qubitParams"]
        assert (shown["instructionSet"], shown["tGateErrorRate"]) == ("Majorana", 0.01)


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_plots_are_the_same_bytes(
    kind: str, counts_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    for name in ("one", "other"):
        ran(capsys, counts_file, "--counts", "--plot", str(tmp_path / f"{name}.{kind}"))
    assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"other.{kind}").read_bytes()
    if kind == "svg":
        assert "<svg" in (tmp_path / "one.svg").read_text()


def test_plot_without_matplotlib(
    counts_file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    for module in ("qwasmc.backends.estimation.plot", "qwasmc.backends.plotting"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert cli.run(["estimate", counts_file, "--counts", "--plot", "x.png"]) == Kind.USAGE
    assert "pip install 'qwasmc[plot]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--plot", "x.gif"], "--plot needs a name"),
        (["--model", "schedule"], "needs a program"),
        (["--error-budget", "0.1", "--qdk-parameters", "COUNTS"], "unknown field 'numQubits'"),
        (["--qdk-parameters", "missing.json"], "cannot read 'missing.json'"),
        (["--qdk-parameters", "BUDGET", "--error-budget", "0.1"], "has an errorBudget"),
        (["--qdk-parameters", "LIST"], "is no JSON object"),
        (["--qdk-parameters", MAGIC], "is no JSON"),
    ],
)
def test_wrong_arguments(
    arguments: list[str],
    message: str,
    counts_file: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    (tmp_path / "BUDGET").write_text('{"errorBudget": 0.1}')
    (tmp_path / "LIST").write_text("[]")
    paths = {"COUNTS": counts_file, **{name: str(tmp_path / name) for name in ("BUDGET", "LIST")}}
    given = [paths.get(each, each) for each in arguments]
    assert cli.run(["estimate", counts_file, "--counts", *given]) == Kind.USAGE
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([MAGIC, "-d", "-3"], Kind.LIMIT, "no layout for distance -3"),
        ([MAGIC, "-d", "0"], Kind.LIMIT, "no layout for distance 0"),
        ([MAGIC, "-d", "4", "--target", "auto"], Kind.LIMIT, "no layout for distance 4"),
        ([MAGIC, "-d", "100001"], Kind.LIMIT, "no layout for distance 100001"),
        ([MAGIC, "-d", "5", "--model", "qdk-legacy"], Kind.USAGE, "chooses its distance"),
    ],
)
def test_distances_that_there_are_not(
    arguments: list[str], code: Kind, message: str, capsys: pytest.CaptureFixture[str]
):
    assert cli.run(["estimate", *arguments]) == code
    assert message in capsys.readouterr().err
