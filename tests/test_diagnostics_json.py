"""Diagnostics for programs: JSON lines, SARIF, and response files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qwasmc import cli, driver
from qwasmc.commands.compile import compile_command
from qwasmc.sarif import RULES

ROOT = Path(__file__).parent.parent
BELL = str(ROOT / "examples" / "bell.qwasm")
ERRORS = sorted((ROOT / "tests" / "errors").glob("*.qwasm"))

WRONG = """.caps CAP_ALLOC
ALLOC_LQ n=1 -> q
\u00e9: APLY_H q
"""


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(style: str, *arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The exit code and standard error."""
    code = cli.run(["--diagnostics", style, *arguments])
    return code, capsys.readouterr().err


# -- JSON lines ------------------------------------------------------------------------------------


def test_an_error_is_a_json_line(work: Path, capsys: pytest.CaptureFixture[str]):
    (work / "a.qwasm").write_text(".caps CAP_ALLOC\nALLOC_LQ n=1 -> q\nh: APLY_H q\n")
    code, said = run("json", "check", "a.qwasm", capsys=capsys)
    assert code == 1
    (found,) = map(json.loads, said.splitlines())
    assert found == {
        "severity": "error",
        "rule": "program-error",
        "message": "unknown mnemonic 'APLY_H'",
        "place": {"file": "a.qwasm", "line": 3, "column": 4, "end_column": 10},
        "label": found["label"],
        "notes": [],
        "help": "did you mean 'APPLY_H'?",
        "chain": [],
    }


@pytest.mark.parametrize(
    ("arguments", "code", "rule"),
    [
        (["check", "missing.qwasm"], 2, "usage-error"),
        (["compile", BELL, "--nonsense"], 2, "usage-error"),
        (["compile", BELL, "-d", "4", "-o", "out"], 3, "limit"),
        (["check", BELL, "--param", "size=3"], 0, "warning"),
    ],
)
def test_rules(
    work: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    rule: str,
):
    found_code, said = run("json", *arguments, capsys=capsys)
    assert found_code == code
    assert [json.loads(line)["rule"] for line in said.splitlines()] == [rule]


def test_a_bug_is_an_internal_error(
    work: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: object) -> None:
        raise RuntimeError("split infinitive")

    monkeypatch.setattr("tempfile.tempdir", str(work))
    monkeypatch.setattr(driver, "run_pass", broken)
    (work / "arguments").write_text(f"compile '{BELL}' -o out.stim")
    code, said = run("json", "@arguments", capsys=capsys)
    assert code == 70
    assert json.loads(said)["rule"] == "internal-error"
    (report,) = work.glob("qwasmc-bug-*")
    assert "ALLOC_LQ" in report.read_text()


def test_findings_of_verification_are_notes(work: Path, capsys: pytest.CaptureFixture[str]):
    adder = str(ROOT / "examples" / "adder.qasm")
    code, said = run("json", "compile", adder, "--emit", "circuit", "--verify", capsys=capsys)
    assert code == 0
    found = [json.loads(line) for line in said.splitlines()]
    assert found
    assert all(item["rule"] == "note" for item in found)
    assert all(item["message"].startswith("verify: ") for item in found)


def test_included_files_are_named_by_their_path(work: Path, capsys: pytest.CaptureFixture[str]):
    (work / "lib").mkdir()
    (work / "lib" / "one.qwasm").write_text('.include "two.qwasm"\n')
    (work / "lib" / "two.qwasm").write_text("APLY_H q\n")
    (work / "main.qwasm").write_text('.include "one.qwasm"\n')
    code, said = run("json", "check", "main.qwasm", "-I", "lib", capsys=capsys)
    assert code == 1
    found = json.loads(said.splitlines()[0])
    assert found["place"]["file"] == "lib/two.qwasm"
    assert [step["file"] for step in found["chain"]] == ["lib/one.qwasm", "main.qwasm"]


# -- SARIF -----------------------------------------------------------------------------------------


def log_of(said: str) -> dict[str, Any]:
    """The run of a log, after what the standard demands of any has been checked."""
    log = json.loads(said)
    assert log["version"] == "2.1.0"
    (found,) = log["runs"]
    rules = found["tool"]["driver"]["rules"]
    for result in found["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"none", "note", "warning", "error"}
        assert result["message"]["text"]
        related = [json.dumps(each) for each in result.get("relatedLocations", [])]
        assert len(set(related)) == len(related)
        for location in (*result.get("locations", []), *result.get("relatedLocations", [])):
            region = location["physicalLocation"]["region"]
            assert region["startLine"] >= 1
            assert 1 <= region["startColumn"] <= region["endColumn"]
    return found


def test_an_error_is_a_result(work: Path, capsys: pytest.CaptureFixture[str]):
    (work / "my programs").mkdir()
    (work / "my programs" / "a.qwasm").write_text(WRONG.replace("\u00e9", "h"))
    code, said = run("sarif", "check", "my programs/a.qwasm", capsys=capsys)
    found = log_of(said)
    assert found["invocations"] == [{"executionSuccessful": False, "exitCode": code}]
    (result,) = found["results"]
    assert result["ruleId"] == "program-error"
    location = result["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "my%20programs/a.qwasm"
    assert location["region"] == {
        "startLine": 3,
        "startColumn": 4,
        "endColumn": 10,
        "snippet": {"text": "APLY_H"},
    }


def test_a_suggestion_is_a_fix_that_helps(work: Path, capsys: pytest.CaptureFixture[str]):
    path = work / "a.qwasm"
    path.write_text(WRONG.replace("\u00e9", "h"))
    (result,) = log_of(run("sarif", "check", "a.qwasm", capsys=capsys)[1])["results"]
    (fix,) = result["fixes"]
    (change,) = fix["artifactChanges"]
    (replacement,) = change["replacements"]
    region = replacement["deletedRegion"]
    lines = path.read_text().splitlines()
    line = lines[region["startLine"] - 1]
    lines[region["startLine"] - 1] = (
        line[: region["startColumn"] - 1]
        + replacement["insertedContent"]["text"]
        + line[region["endColumn"] - 1 :]
    )
    path.write_text("\n".join(lines) + "\n")
    code, said = run("sarif", "check", "a.qwasm", capsys=capsys)
    assert code == 0
    assert log_of(said)["results"] == []


def test_warnings_are_in_the_log_of_a_success(work: Path, capsys: pytest.CaptureFixture[str]):
    code, said = run("sarif", "check", BELL, "--param", "size=3", capsys=capsys)
    assert code == 0
    found = log_of(said)
    assert found["invocations"] == [{"executionSuccessful": True, "exitCode": 0}]
    assert [result["level"] for result in found["results"]] == ["warning"]


@pytest.mark.parametrize("path", ERRORS, ids=lambda path: path.name)
def test_every_error_makes_a_valid_log(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(path.parent)
    code, said = run("sarif", "check", path.name, capsys=capsys)
    found = log_of(said)
    assert code in (1, 3)
    assert found["results"]
    assert {rule["id"] for rule in found["tool"]["driver"]["rules"]} == set(RULES)


def test_another_reader_takes_the_logs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    sarif = pytest.importorskip("sarif_pydantic")
    monkeypatch.chdir(ROOT / "tests" / "errors")
    for path in ERRORS:
        said = run("sarif", "check", path.name, capsys=capsys)[1]
        log = sarif.Sarif.model_validate_json(said)
        assert len(log.runs[0].results) == len(json.loads(said)["runs"][0]["results"])


# -- response files --------------------------------------------------------------------------------


def test_arguments_from_files(work: Path, capsys: pytest.CaptureFixture[str]):
    (work / "options.rsp").write_text("--emit circuit\n@'more options' -o \"out file\"\n")
    (work / "more options").write_text("-O 1\n")
    assert cli.run(["compile", BELL, "@options.rsp"]) == 0
    assert "qw.measure_z" in (work / "out file").read_text()


def test_all_arguments_may_be_in_a_file(work: Path, capsys: pytest.CaptureFixture[str]):
    (work / "all").write_text(f"--diagnostics json check '{BELL}' --param size=3")
    assert cli.run(["@all"]) == 0
    assert json.loads(capsys.readouterr().err)["severity"] == "warning"


@pytest.mark.parametrize(
    ("files", "code", "said"),
    [
        ({}, 2, "cannot read the response file 'a'"),
        ({"a": "@a"}, 3, "one too many"),
        ({"a": "@b", "b": "@a"}, 3, "one too many"),
        ({"a": "@b " * 40, "b": "@c " * 40, "c": ""}, 3, "one too many"),
        ({"a": "'open"}, 2, "No closing quotation"),
        ({"a": "x" * (1 << 22) + "y"}, 3, "is longer than"),
        ({"a": "check 'nu\0l'"}, 2, "cannot hold NUL"),
        ({"a": "\ufeffcheck nothing\r\n"}, 2, "cannot read 'nothing'"),
    ],
)
def test_wrong_response_files(
    work: Path, capsys: pytest.CaptureFixture[str], files: dict[str, str], code: int, said: str
):
    for name, text in files.items():
        (work / name).write_text(text)
    assert cli.run(["@a"]) == code
    assert said in capsys.readouterr().err


def test_the_options_of_compile_have_one_name_each():
    flags = [flag for option in compile_command.params for flag in option.opts]
    assert len(set(flags)) == len(flags)
