"""Options that mean nothing: each is refused or named, none is left out in silence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qwasmc import cli

EXAMPLES = Path(__file__).parents[1] / "examples"

UNTIL = """OPENQASM 3.0;
include "stdgates.inc";
qubit q; bit c; h q; c = measure q; while (c) { h q; c = measure q; } x q;
bit last; last = measure q;
"""

RESET = """OPENQASM 2.0;
include "qelib1.inc";
qreg q[1]; creg c[1]; reset q[0]; measure q -> c;
"""


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "given",
    [
        ["-o", ""],
        ["-o", "", "-MD"],
        ["-o", "a.stim", "--report", ""],
        ["-o", "a.stim", "--schedule", ""],
        ["-o", "a.stim", "--manifest", ""],
        ["-o", "a.stim", "-MF", ""],
        ["-o", "a.stim", "-MP"],
        ["-o", "a.stim", "--error-budget", "nan"],
        ["-o", "a.stim", "--synthesis-error", "nan"],
        ["-o", "a.stim", "--time-budget", "nan"],
    ],
    ids=" ".join,
)
def test_options_without_a_meaning(
    given: list[str], work: Path, capsys: pytest.CaptureFixture[str]
):
    """An empty variable in a build file, say: nothing is left out in silence."""
    assert cli.run(["compile", str(EXAMPLES / "bell.qwasm"), *given]) == 2
    assert "bug" not in capsys.readouterr().err
    assert not list(work.iterdir())


@pytest.mark.parametrize("command", ["draw", "view", "cut"])
def test_outputs_need_a_name(command: str, work: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.run([command, str(EXAMPLES / "cut.qwasm"), "-o", ""]) == 2
    assert "cannot write" in capsys.readouterr().err


def test_names_of_files_in_capitals(work: Path):
    assert cli.run(["compile", str(EXAMPLES / "bell.qwasm"), "-o", "BELL.QASM"]) == 0
    assert Path("BELL.QASM").read_text().startswith("OPENQASM 3.0;")


def test_sampling_needs_names(work: Path, capsys: pytest.CaptureFixture[str]):
    Path("c.stim").write_text("X_ERROR(0.1) 0\nM 0\nOBSERVABLE_INCLUDE(0) rec[-1]\n")
    for option in ("--csv", "--resume", "--plot"):
        asked = ["sample", "c.stim", "--shots", "10", "--decoder", "vacuous", option, ""]
        assert cli.run(asked) == 2, option


def test_a_format_that_is_not_read_back_says_so(work: Path, capsys: pytest.CaptureFixture[str]):
    bell = str(EXAMPLES / "bell.qwasm")
    for emit, said in (("circuit", False), ("qasm3", True), ("tsim", True), ("stim", False)):
        assert cli.run(["compile", bell, "--emit", emit, "-o", emit, "--verify"]) == 0
        assert ("verify: format: skipped" in capsys.readouterr().err) == said


def test_a_report_on_control_flow_says_what_to_do(work: Path, capsys: pytest.CaptureFixture[str]):
    Path("until.qasm").write_text(UNTIL)
    asked = ["compile", "until.qasm", "--emit", "qasm3", "--report", "r.json", "-o", "o.qasm"]
    assert cli.run(asked) == 3
    assert "--max-iterations" in capsys.readouterr().err
    assert not Path("o.qasm").exists()
    assert cli.run([*asked, "--max-iterations", "3"]) == 0
    assert json.loads(Path("r.json").read_text())["measurements"] == 5


def test_options_of_other_languages_are_named(work: Path, capsys: pytest.CaptureFixture[str]):
    Path("p.qasm").write_text(RESET)
    asked = ["compile", "p.qasm", "--emit", "qasm3", "--entry", "f", "--param", "n=1"]
    assert cli.run(asked) == 0
    assert capsys.readouterr().err == (
        "warning: qasm2 has no use for --entry\nwarning: qasm2 has no use for --param\n"
    )


def test_options_about_patches_are_noted_without_patches(
    work: Path, capsys: pytest.CaptureFixture[str]
):
    given = ["-d", "5", "--floor-plan", "bus", "--error-budget", "1e-3"]
    bell = str(EXAMPLES / "bell.qwasm")
    assert cli.run(["compile", bell, "--emit", "qir", *given]) == 0
    err = capsys.readouterr().err
    assert "does not use -d, --error-budget, --floor-plan" in err
    assert cli.run(["compile", bell, "--emit", "surgery", *given[:4]]) == 0
    assert "does not use" not in capsys.readouterr().err
