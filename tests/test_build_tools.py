"""Builds by real tools, equal bytes from run to run, and completion by a real shell."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BUILDS = ROOT / "examples" / "build"
BIN = Path(sys.executable).parent
PATH = os.pathsep.join([str(BIN), os.environ.get("PATH", os.defpath)])


ODD_NAME = "read #1 $out.qwasm"
"""A name that Make and Ninja write with backslashes and dollars."""


def tool(name: str) -> str:
    """The path of a program; the test is skipped where there is none."""
    found = shutil.which(name, path=PATH)
    if found is None:
        pytest.skip(f"no {name}")
    return found


def run(*command: str | Path, cwd: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """A process that ends by itself."""
    environment = {**os.environ, "PATH": PATH, **settings}
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


# -- projects --------------------------------------------------------------------------------------


@dataclass
class Project:
    """A copy of an example, and how it is built."""

    folder: Path
    out: Path
    programs: Path
    command: Sequence[str]

    def build(self) -> subprocess.CompletedProcess[str]:
        """Build what is out of date."""
        return run(*self.command, cwd=self.folder)

    def times(self) -> dict[str, int]:
        """When each output was written."""
        return {path.name: path.stat().st_mtime_ns for path in self.out.glob("*.stim")}

    def rebuilt(self) -> set[str]:
        """The outputs that a build writes."""
        before = self.times()
        done = self.build()
        assert done.returncode == 0, done.stdout + done.stderr
        return {name for name, time in self.times().items() if before.get(name) != time}


def make_project(kind: str, folder: Path) -> Project:
    """A project, configured but not built."""
    shutil.copytree(BUILDS / kind.partition(" ")[0], folder / "project")
    shutil.copytree(BUILDS / "programs", folder / "programs")
    tool("qwasmc")
    project = folder / "project"
    for path in project.iterdir():  # a quicker format where it makes no difference
        path.write_text(path.read_text().replace("--noise uniform:0.001", "--emit program"))
    command = [tool(kind)] if kind in ("ninja", "make") else [tool("cmake"), "--build", "out"]
    if kind.startswith("cmake"):
        generator = {"cmake with ninja": "Ninja", "cmake with make": "Unix Makefiles"}[kind]
        tool(kind.rpartition(" ")[2])
        done = run(tool("cmake"), "-B", "out", "-G", generator, cwd=project)
        assert done.returncode == 0, done.stderr
    (folder / "programs" / "lib" / "readout.qwasm").rename(folder / "programs" / "lib" / ODD_NAME)
    chain = folder / "programs" / "chain.qwasm"
    chain.write_text(chain.read_text().replace("readout.qwasm", ODD_NAME))
    return Project(project, project / "out", folder / "programs", command)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ninja", "make", "cmake with ninja", "cmake with make"])
def test_builds(kind: str, tmp_path: Path):
    project = make_project(kind, tmp_path)
    pair = project.programs / "pair.qwasm"
    text = pair.read_text()

    pair.write_text(text.replace("APPLY_H", "APLY_H"))
    for _ in range(2):  # what fails is tried again
        done = project.build()
        assert done.returncode != 0
        assert "APLY_H" in done.stdout + done.stderr
        assert not (project.out / "pair.stim").exists()

    pair.write_text(text)
    project.build()
    assert set(project.times()) == {"pair.stim", "chain.stim"}
    assert project.rebuilt() == set()

    readout = project.programs / "lib" / ODD_NAME
    readout.write_text(readout.read_text().replace("MEASURE_Z", "MEASURE_X"))
    before = (project.out / "chain.stim").read_text()
    assert project.rebuilt() == {"chain.stim"}
    assert (project.out / "chain.stim").read_text() != before

    entangle = project.programs / "lib" / "entangle.qwasm"
    entangle.write_text(entangle.read_text() + "\n")
    assert project.rebuilt() == {"chain.stim", "pair.stim"}
    assert project.rebuilt() == set()


@pytest.mark.slow
def test_an_included_file_may_go(tmp_path: Path):
    project = make_project("make", tmp_path)
    project.build()
    chain = project.programs / "chain.qwasm"
    chain.write_text(
        chain.read_text()
        .replace(f'.include "{ODD_NAME}"\n', "")
        .replace("READOUT(q{i}, m{i})", "MEASURE_Z q{i} -> m{i}")
    )
    (project.programs / "lib" / ODD_NAME).unlink()
    assert project.rebuilt() == {"chain.stim"}


@pytest.mark.slow
def test_a_wrong_call_stops_cmake(tmp_path: Path):
    shutil.copytree(BUILDS / "cmake", tmp_path / "project")
    lists = tmp_path / "project" / "CMakeLists.txt"
    lists.write_text(lists.read_text().replace("OUTPUT pair.stim", ""))
    done = run(tool("cmake"), "-B", "out", cwd=tmp_path / "project")
    assert done.returncode != 0
    assert "OUTPUT is missing" in done.stderr


# -- equal bytes -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_ten_runs_write_equal_bytes(tmp_path: Path):
    """Two folders, two locales, ten seeds of hashes, with a cache, without, and a full one."""
    found = set()
    for number in range(10):
        folder = tmp_path / ("elsewhere" if number % 2 else "here") / str(number)
        shutil.copytree(BUILDS / "programs", folder)
        arguments = ["chain.qwasm", "-I", "lib", "--noise", "si1000:0.001", "-MD"]
        files = {"-o": "c.stim", "--report": "r", "--schedule": "s", "--manifest": "m"}
        done = run(
            *(BIN / "python", "-m", "qwasmc", "compile", *arguments),
            *(word for pair in files.items() for word in pair),
            cwd=folder,
            PYTHONHASHSEED=str(number),
            LC_ALL=("C", "C.UTF-8")[number // 2 % 2],
            QWASMC_CACHE_DIR=("", str(tmp_path / "cache"))[number > 6],
        )
        assert done.returncode == 0, done.stderr
        report = json.loads((folder / "r").read_text())
        del report["timings_s"]
        written = [(folder / name).read_bytes() for name in ("c.stim", "s", "m", "c.d")]
        found.add((json.dumps(report), *written))
    assert len(found) == 1


# -- completion ------------------------------------------------------------------------------------


def completed(words: Sequence[str], folder: Path) -> list[str]:
    """What bash offers for the last of some words."""
    line = " ".join(f"'{word}'" for word in words)
    script = (
        'source "$1"; compopt() { :; }\n'
        f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}\n"
        "function=$(complete -p qwasmc | sed 's/.*-F \\([^ ]*\\).*/\\1/')\n"
        '$function qwasmc; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    source = folder / "completion.bash"
    if not source.exists():
        source.write_text(run(tool("qwasmc"), "completion", "bash", cwd=folder).stdout)
    done = run(tool("bash"), "--norc", "-c", script, "bash", source, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_bash_completes(tmp_path: Path):
    assert completed(["qwasmc", "comp"], tmp_path) == ["compile", "completion"]
    assert completed(["qwasmc", "compile", "--floor-p"], tmp_path) == ["--floor-plan"]
    assert completed(["qwasmc", "compile", "--objective", "t"], tmp_path) == ["t", "two-qubit"]


@pytest.mark.parametrize("option", ["", "-o", "--report", "-MF", "-I", "--target", "--cache-dir"])
def test_names_of_files_are_completed(option: str, tmp_path: Path):
    """The script leaves it to bash, if it is told so."""
    words = ["qwasmc", "compile", *filter(None, [option]), ""]
    asked = {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    asked["_QWASMC_COMPLETE"] = "bash_complete"
    assert run(BIN / "python", "-m", "qwasmc", cwd=tmp_path, **asked).stdout == "file,\n"


@pytest.mark.parametrize(("shell", "mark"), [("zsh", "#compdef qwasmc"), ("fish", "complete ")])
def test_scripts_for_other_shells(shell: str, mark: str, tmp_path: Path):
    done = run(BIN / "python", "-m", "qwasmc", "completion", shell, cwd=tmp_path)
    assert done.returncode == 0
    assert mark in done.stdout
    assert "_QWASMC_COMPLETE" in done.stdout
