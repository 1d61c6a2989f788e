"""Equal inputs and options give equal bytes, whatever the process, its folder and its settings."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from qwasmc import cli
from qwasmc.formats import FORMATS

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"

FOLDERS = {"compiler": "", "grammar": "grammar", "passes": "passes", "backends": "backends"}
"""Folders of a checkout, and what they are called in the package."""

LIGHT = [row.name for row in FORMATS if row.takes != "physical"] + ["stim"]
"""Formats that are written quickly."""

ALL = [row.name for row in FORMATS]

NOISY = [row.name for row in FORMATS if row.noisy]

SCRIPT = """
import json, os, sys
from qwasmc import cli
os.umask(int(sys.argv[1], 8))
for number, arguments in enumerate(json.loads(sys.argv[2])):
    assert cli.run(arguments) == 0, arguments
print(cli.__file__)
"""
"""Runs commands one after the other, and says which checkout did."""


def commands(program: str, formats: list[str], *given: str) -> list[list[str]]:
    """Compilations to formats, with all other files that `compile` can write."""
    found = []
    for emit in formats:
        arguments = ["compile", program, "--emit", emit, "-o", f"out.{emit}", *given]
        arguments += ["--manifest", f"manifest.{emit}"]
        if emit not in ("program", "surgery"):
            arguments += ["--report", f"report.{emit}"]
        if emit in ("surgery", "stim"):
            arguments += ["--schedule", f"schedule.{emit}"]
        if emit in NOISY:
            arguments += ["--noise", "si1000:0.001"]
        found.append(arguments)
    return found


def drawings(program: str) -> list[list[str]]:
    """Pictures of a program, and its page."""
    kinds = ("program", "circuit", "surgery")
    found = [["draw", program, "--emit", kind, "-o", f"{kind}.svg"] for kind in kinds]
    return [*found, ["view", program, "-o", "page.html"]]


def run(
    folder: Path,
    asked: list[list[str]],
    *,
    package: Path | None = None,
    umask: str = "022",
    **env: str,
) -> dict[str, str]:
    """The hashes of what commands write in a folder of their own, by name.

    `package` is the folder of another copy of the package.
    """
    folder.mkdir(parents=True)
    shutil.copy(EXAMPLES / "magic.qwasm", folder)
    path = {} if package is None else {"PYTHONPATH": str(package)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, umask, json.dumps(asked)],
        cwd=folder,
        env={**os.environ, **path, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    home = Path(cli.__file__).parent if package is None else package / "qwasmc"
    assert Path(done.stdout.splitlines()[-1]).resolve() == (home / "cli.py").resolve()
    return {path.name: hash_of(path) for path in sorted(folder.iterdir())}


def hash_of(path: Path) -> str:
    """The hash of a file, of a report without how long it took."""
    data = path.read_bytes()
    if path.name.startswith("report"):
        report = json.loads(data)
        del report["timings_s"]
        data = json.dumps(report).encode()
    return hashlib.sha256(data).hexdigest()


def copied(folder: Path) -> Path:
    """A copy of the checkout's package, with its compiled code, as a folder to import from."""
    for source, name in FOLDERS.items():
        shutil.copytree(ROOT / source, folder / "qwasmc" / name, dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def checkouts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two checkouts; in this one, somebody may be writing."""
    return [copied(tmp_path_factory.mktemp(name)) for name in ("here", "another place")]


@pytest.mark.slow
def test_another_checkout_and_other_settings(tmp_path: Path, checkouts: list[Path]):
    asked = commands("magic.qwasm", LIGHT)
    plain = {"PYTHONHASHSEED": "0", "LC_ALL": "C", "TZ": "UTC"}
    here = run(tmp_path / "here", asked, package=checkouts[0], **plain)
    there = run(
        *(tmp_path / "of other" / "länge" / "there", asked),
        package=checkouts[1],
        umask="077",
        PYTHONHASHSEED="1",
        LC_ALL="C.UTF-8",
        TZ="Pacific/Chatham",
    )
    assert here == there
    assert here.keys() >= {f"{kind}.{emit}" for kind in ("out", "manifest") for emit in LIGHT}


@pytest.mark.slow
def test_all_outputs(tmp_path: Path, checkouts: list[Path]):
    """All formats and pictures, with every setting in several values."""
    asked = commands("magic.qwasm", ALL) + drawings("magic.qwasm")
    found = []
    for number in range(4):
        settings = {
            "PYTHONHASHSEED": ("random", "0", "1", "random")[number],
            "LC_ALL": ("C", "C.UTF-8", "de_DE.UTF-8", "tr_TR.UTF-8")[number],
            "TZ": ("UTC", "Asia/Tokyo")[number % 2],
            "OMP_NUM_THREADS": ("1", "4")[number % 2],
        }
        package = checkouts[number % 2]
        umask = ("022", "077", "000", "027")[number]
        found.append(run(tmp_path / str(number), asked, package=package, umask=umask, **settings))
    assert all(each.keys() == found[0].keys() for each in found)
    assert [name for name in found[0] if len({each[name] for each in found}) > 1] == []


def test_only_names_follow_the_path_of_the_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What other tools read does not say where the program was; locations say it as given."""
    formats = ["circuit", "stim", "qasm3", "qir", "qiskit"]
    found = {}
    path = str(tmp_path / "absolute" / "magic.qwasm")
    for folder, name in (("relative", "magic.qwasm"), ("absolute", path)):
        (tmp_path / folder).mkdir()
        monkeypatch.chdir(tmp_path / folder)
        shutil.copy(EXAMPLES / "magic.qwasm", ".")
        for arguments in commands(name, formats):
            assert cli.run(arguments) == 0
        found[folder] = {each.name: hash_of(each) for each in Path().iterdir()}
    differ = {name for name, value in found["relative"].items() if value != found["absolute"][name]}
    named = {f"{kind}.{emit}" for kind in ("manifest", "report") for emit in formats}
    assert differ == named | {"out.circuit", "schedule.stim"}
    for name in ("out.circuit", "schedule.stim"):
        text = (tmp_path / "absolute" / name).read_text()
        assert text.replace(path, "magic.qwasm") == (tmp_path / "relative" / name).read_text()


@pytest.mark.slow
def test_a_program_in_a_pipe_is_the_same_program(tmp_path: Path):
    """From standard input to standard output, bytes are those of files."""
    asked = [["compile", "magic.qwasm", "--emit", emit, "-o", emit] for emit in ("stim", "qiskit")]
    run(tmp_path / "files", asked)
    for emit in ("stim", "qiskit"):
        done = subprocess.run(
            [sys.executable, "-m", "qwasmc", "compile", "-", "--emit", emit],
            input=(EXAMPLES / "magic.qwasm").read_bytes(),
            stdout=subprocess.PIPE,
            check=True,
        )
        assert done.stdout == (tmp_path / "files" / emit).read_bytes()


@pytest.mark.slow
def test_samples_do_not_depend_on_the_number_of_processes(tmp_path: Path):
    circuit = ["compile", "magic.qwasm", "--noise", "uniform:0.003", "-o", "c.stim"]
    sample = ["sample", "c.stim", "--shots", "5000", "--seed", "5", "-j"]
    asked = [[*sample, workers, "--csv", f"{workers}.csv"] for workers in "14"]
    run(tmp_path / "work", [circuit, *asked])
    texts = [(tmp_path / "work" / f"{workers}.csv").read_text() for workers in "14"]
    assert len({tuple(without_seconds(text)) for text in texts}) == 1


def without_seconds(text: str) -> list[str]:
    """The rows of sinter's CSV without how long they took."""
    head, *rows = text.splitlines()
    at = [name.strip() for name in head.split(",")].index("seconds")
    return [",".join(row.split(",")[:at] + row.split(",")[at + 1 :]) for row in rows]
