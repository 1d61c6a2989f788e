"""Dependency files: as Make and Ninja themselves read them, for names however odd."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from qwasmc import cli
from qwasmc.commands.compile import dependency_rule
from qwasmc.diagnostics import CompileError
from qwasmc.target import TARGETS

BELL = str(Path(__file__).parent.parent / "examples" / "bell.qwasm")
PROGRAM = ".caps CAP_ALLOC\nALLOC_LQ n=1 -> q\nMEASURE_Z q -> m\n"
QWASMC = (sys.executable, "-m", "qwasmc")


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("QWASMC_CACHE_DIR", raising=False)
    return tmp_path


def run(*command: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """A process that ends by itself."""
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **more)


NAMES = ("a b", "a#b", "a$b", "a:b", "a\\ b", "\u00e9\u4e2d")
MAKE_NAMES = (*NAMES, "a\\\\#b", "a'b", 'a"b', "a~b&c@{d}")


def age(path: str, seconds: int) -> None:
    Path(path).touch()
    os.utime(path, (seconds, seconds))


@pytest.mark.skipif(not shutil.which("make"), reason="no make")
@pytest.mark.parametrize("name", MAKE_NAMES)
def test_make_reads_odd_names(work: Path, name: str):
    output = f"out {name}"
    rule = dependency_rule(output, "in", [name], True)
    Path("Makefile").write_text(rule.replace("\n", "\n\t@echo made\n", 1))

    def made() -> bool:
        done = run("make", "--", output)
        assert done.returncode == 0, done.stderr
        return "made" in done.stdout

    for path, seconds in (("in", 1), (name, 1), (output, 2)):
        age(path, seconds)
    assert not made()
    age(name, 3)
    assert made()
    Path(name).unlink()
    assert made()


@pytest.mark.skipif(not shutil.which("ninja"), reason="no ninja")
@pytest.mark.parametrize("name", NAMES)
def test_ninja_reads_odd_names(work: Path, name: str):
    output = f"out {name}"
    written = output.replace("$", "$$").replace(" ", "$ ").replace(":", "$:")
    rule = 'rule touch\n command = cp rule d; touch "$$OUT"\n depfile = d\n deps = gcc\n'
    Path("build.ninja").write_text(f"{rule}build {written}: touch in\n")
    Path("rule").write_text(dependency_rule(output, "in", [name], True))

    def made() -> bool:
        done = run("ninja", env={**os.environ, "OUT": output})
        assert done.returncode == 0, done.stdout
        return "no work to do" not in done.stdout

    age("in", 1)
    age(name, 1)
    assert made()
    assert not made()
    age(name, 2**32)
    assert made()


@pytest.mark.parametrize("char", list(";|*<>^`\n\t\r\x7f"))
def test_names_that_end_early_are_refused(work: Path, char: str):
    for output, path, others in ((f"o{char}", "p", []), ("o", f"p{char}", []), ("o", "p", [char])):
        with pytest.raises(CompileError, match="cannot hold the name"):
            dependency_rule(output, path, others, False)


def test_an_included_name_runs_no_command(work: Path, capsys: pytest.CaptureFixture[str]):
    Path("x;touch stolen").write_text("")
    Path("p.qwasm").write_text('.include "x;touch stolen"\n' + PROGRAM)
    assert cli.run(["compile", "p.qwasm", "--emit", "program", "-o", "out", "-MD"]) == 2
    assert "cannot hold the name 'x;touch stolen'" in capsys.readouterr().err
    assert not Path("out").exists()


def test_phony_rules_of_a_program_from_standard_input(work: Path):
    Path("a.qwasm").write_text("")
    text = '.include "a.qwasm"\n' + PROGRAM
    more = ["--emit", "program", "-o", "out", "-MD", "-MP"]
    assert run(*QWASMC, "compile", "-", *more, input=text).returncode == 0
    assert Path("out.d").read_text() == "out: a.qwasm\n\na.qwasm:\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-MP", "-o", "out"], "-MP needs -MD or -MF"),
        (["-MD", "-o", "."], "it is a folder"),
        (["-MD", "-o", "/"], "it is a folder"),
        (["-o", ""], "it is a folder"),
        (["-MD", "-o", "out", "--emit", "qvm"], "needs a compilation"),
    ],
)
def test_wrong_requests(
    work: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
):
    assert cli.run(["compile", BELL, *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not list(work.iterdir())


@pytest.mark.parametrize("option", ["-o", "--report", "--schedule", "-MF", "--manifest"])
@pytest.mark.parametrize("name", ["a.qwasm", "./mine.toml"])
def test_no_file_that_was_read_is_written(
    work: Path, capsys: pytest.CaptureFixture[str], option: str, name: str
):
    Path("a.qwasm").write_text("")
    Path("p.qwasm").write_text('.include "a.qwasm"\n' + PROGRAM)
    Path("mine.toml").write_text(TARGETS[1].text.replace(TARGETS[1].name, "mine"))
    before = {path: path.read_text() for path in work.iterdir()}
    command = ["compile", "p.qwasm", "--target", "mine.toml", "--emit", "stim", option, name]
    assert cli.run(command) == 2
    assert f"the output '{name}' is an input" in capsys.readouterr().err
    assert {path: path.read_text() for path in work.iterdir()} == before
