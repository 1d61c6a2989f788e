"""What others leave in folders, odd names, and systems that refuse: never a crash, never a loss."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from qwasmc import cache as caching
from qwasmc import cli, driver
from qwasmc.fitting import pinned
from qwasmc.options import Options
from qwasmc.reading import Source
from qwasmc.rules.rule import RuleSet
from qwasmc.store import Store
from qwasmc.target import TARGETS

ROOT = Path(__file__).parent.parent
BELL = str(ROOT / "examples" / "bell.qwasm")
PROGRAM = ".caps CAP_ALLOC\nALLOC_LQ n=1 -> q\nMEASURE_Z q -> m\n"
QWASMC = (sys.executable, "-m", "qwasmc")


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("QWASMC_CACHE_DIR", raising=False)
    return tmp_path


def program(name: str, *arguments: str) -> int:
    """Compile a small program of this name, quickly."""
    Path(name).write_text(PROGRAM)
    return cli.run(["compile", name, "--emit", "program", *arguments])


def run(*command: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """A process that ends by itself."""
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **more)


def in_shell(command: str) -> int:
    """The exit code of a command line behind `qwasmc`."""
    return run("sh", "-c", f"exec {sys.executable} -m qwasmc {command}").returncode


# -- the cache -------------------------------------------------------------------------------------


def test_making_room_leaves_files_of_others_alone(work: Path):
    """The folder may be one with other files, or have a link to one."""
    store = Store(Path("cache"), pytest.fail, max_bytes=10)
    store.write("ab" * 32, [b"12345"])
    mine = [Path("cache/ab/notes.txt"), Path("cache/qc/thesis.tex"), Path("elsewhere") / ("c" * 64)]
    for path in mine:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(100))
    Path("cache/cc").symlink_to(work / "elsewhere")
    store.make_room()
    assert all(path.exists() for path in mine)
    assert store.read("ab" * 32) is None


def rewritten(path: Path, body: bytes) -> None:
    """Give an entry another body, with the hash that fits."""
    whole = hashlib.sha256(f"{path.name}\n".encode() + body).hexdigest()
    path.write_bytes(b"qwasmc 1 " + whole.encode() + b"\n" + body)


BODIES = (b"", b"{", b"3", b"null", b"[1]", b'{"files": 3}', b"[" * 100_000, b'{"same": 1}\n')


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body[:16])
def test_entries_of_right_hash_and_wrong_form(
    work: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, body: bytes
):
    monkeypatch.setattr(caching, "MIN_SECONDS", 0)
    command = ["compile", BELL, "--emit", "surgery", "--cache-dir", "cache", "-o"]
    assert cli.run([*command, "right"]) == 0
    for path in Path("cache").glob("??/*"):
        if path.read_bytes() != Path("right").read_bytes():
            rewritten(path, body)
    assert cli.run([*command, "out"]) == 0
    said = capsys.readouterr().err
    assert "is damaged and was removed" in said or body == b"[1]"  # a list of one absent file
    assert Path("out").read_bytes() == Path("right").read_bytes()


def test_every_option_has_a_key_of_its_own(work: Path):
    """Two compilations that differ in one option never share an entry."""
    others: dict[str, Any] = {
        **{"language": "qasm3", "emit": "qir", "distance": 5, "noise": "uniform:0.1", "open": True},
        **{"level": 1, "passes": ["fold"], "params": {"n": "1"}, "include_dirs": ["lib"]},
        **{"limits": {"steps": 3}, "verify": True, "verify_each": True, "print_after": ["fold"]},
        **{"entry": "main", "max_iterations": 3, "synthesis_error": 0.1, "objective": "depth"},
        **{"feed_forward": False, "ancillas": 1, "time_budget": 1.0, "error_budget": 0.1},
        **{"floor_plan": "bus", "factory": "15-to-1", "factories": 2, "max_tiles": 9},
        **{"scratch": ["q"], "max_qubits": 4, "max_t": 2, "target": "ions"},
        **{"rules": ["none"], "rule_store": "store", "trust": "trust", "shadow": True},
        **{"rule_sets": [RuleSet("lab", "", "t", "", (), text=b"some")]},
    }
    assert others.keys() == {field.name for field in fields(Options)}
    more = [
        {"rule_sets": [RuleSet("lab", "", "t", "", (), text=b"others")]},
        {"include_dirs": ["a", "b"]},
        {"include_dirs": ["b", "a"]},
        {"include_dirs": ["a,b"]},
        {"passes": []},
        {"params": {"n": "2"}},
        {"target": replace(TARGETS[1], file="mine.toml")},
        {"target": replace(TARGETS[1], file="yours.toml")},
        {"target": replace(TARGETS[1], text="")},
    ]
    asked = [pinned(Options(**each)) for each in ({}, *({k: v} for k, v in others.items()), *more)]
    keys = [caching._first_key(Source("p", b""), options) for options in asked]
    keys += [caching._first_key(Source("q", b""), Options())]
    keys += [caching._first_key(Source("p", b"h"), Options())]
    assert len(set(keys)) == len(keys) == len(others) + len(more) + 3


def test_a_file_that_is_called_as_standard_input_is(work: Path, monkeypatch: pytest.MonkeyPatch):
    text = '.caps CAP_ALLOC\n.include "<stdin>"\nALLOC_LQ n=1 -> q\nMEASURE_Z q -> m{size}\n'
    for size in (1, 2):
        Path("<stdin>").write_text(f".set size = {size}\n")
        command = (*QWASMC, "compile", "-", "--emit", "program", "--cache-dir", "cache")
        assert f'"m{size}"' in run(*command, input=text).stdout


def test_a_description_with_other_line_ends(work: Path, monkeypatch: pytest.MonkeyPatch):
    """Hashes are those of the file: it is found in the cache, and replayed."""
    text = TARGETS[1].text.replace(TARGETS[1].name, "mine").replace("\n", "\r\n")
    Path("mine.toml").write_bytes(text.encode())
    seen: list[str] = []
    real = driver.compile_source
    monkeypatch.setattr(driver, "compile_source", lambda *all: seen.append("once") or real(*all))
    for _ in range(2):
        more = ("--target", "mine.toml", "-o", "out", "--manifest", "m")
        assert program("p.qwasm", *more, "--cache-dir", "c") == 0
    assert seen == ["once"]
    assert cli.run(["verify-manifest", "m"]) == 0


# -- manifests -------------------------------------------------------------------------------------


def forge(change: Callable[[dict[str, Any]], object]) -> None:
    """Change a manifest, and its own hash with it."""
    found = json.loads(Path("m").read_text())
    del found["sha256"]
    change(found)
    text = json.dumps(found, indent=1) + "\n"
    found["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    Path("m").write_text(json.dumps(found, indent=1) + "\n")


SECRET = "the secret of the file"


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found["outputs"].clear(),
        lambda found: found["outputs"][0].update(kind="report"),
        lambda found: found["outputs"][0].update(kind="../../secret"),
        lambda found: found["outputs"][0].update(kind="--report"),
        lambda found: found["outputs"][0].update(name="../secret"),
        lambda found: found["outputs"][0].update(name="/dev/zero"),
        lambda found: found["outputs"].append(
            {"kind": "report", "name": "/dev/zero", "sha256": "0" * 64}
        ),
        lambda found: found["inputs"].append({"name": "../secret", "sha256": "0" * 64}),
        lambda found: found["inputs"].append({"name": "/dev/zero", "sha256": "0" * 64}),
        lambda found: found.update(input="../secret"),
        lambda found: found.update(input="p\0q"),
        lambda found: found.update(input="\ud800"),
        lambda found: found["arguments"].extend(["--target", "p\0.toml"]),
        lambda found: found["arguments"].extend(["--target", "../secret"]),
        lambda found: found.update(directory="../secret"),
        lambda found: found["versions"].update(qwasmc="\x1b]0;stolen\x07"),
    ],
)
def test_a_forged_manifest_writes_and_tells_nothing(
    work: Path, capsys: pytest.CaptureFixture[str], change: Callable[[Any], object]
):
    Path("secret").write_text(SECRET)
    Path("made").mkdir()
    os.chdir("made")
    assert program("p.qwasm", "-o", "out", "--manifest", "m") == 0
    forge(change)
    before = {path: path.stat().st_mtime_ns for path in work.rglob("*")}
    code = cli.run(["verify-manifest", "m"])
    captured = capsys.readouterr()
    assert code == 0 if "another version" in captured.err else code in (1, 2)
    assert {path: path.stat().st_mtime_ns for path in work.rglob("*")} == before
    assert captured.out == ""
    assert SECRET not in captured.err
    assert "\x1b]" not in captured.err


def test_a_manifest_behind_a_link_is_replayed(work: Path):
    Path("deep/folder").mkdir(parents=True)
    Path("link").symlink_to("deep/folder")
    assert program("p.qwasm", "-o", "out", "--manifest", "link/m") == 0
    assert cli.run(["verify-manifest", "link/m"]) == 0
    assert cli.run(["verify-manifest", "deep/folder/m"]) == 0


def test_a_replay_by_another_version_says_so(
    work: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    assert program("p.qwasm", "-o", "out", "--manifest", "m") == 0
    now = {**caching.versions(), "stim": "0.1", "python": "2.7"}
    monkeypatch.setattr("qwasmc.manifest.versions", lambda: now)
    assert cli.run(["verify-manifest", "m"]) == 0
    said = capsys.readouterr().err
    assert "another version: python 2.7, was " in said
    assert "another version: stim 0.1, was " in said


# -- systems that refuse ---------------------------------------------------------------------------


def small_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


@pytest.mark.parametrize("more", [[], ["-d", "7", "--cache-dir", "cache"]])
def test_a_full_disk_is_no_bug(work: Path, more: list[str]):
    command = [*QWASMC, "compile", BELL, "-o", "out.stim", *more]
    done = run(*command, preexec_fn=small_files)
    assert done.returncode == 2
    assert done.stderr.startswith("error: cannot write")
    assert done.stderr.endswith(f": {os.strerror(errno.EFBIG)}\n")
    assert not Path("out.stim").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_full_streams(work: Path):
    assert in_shell("ops >/dev/full") == 2
    assert in_shell("check nothing 2>/dev/full") == 2
    assert in_shell("--diagnostics sarif check nothing 2>/dev/full") == 2


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("check nothing 2>&-", 2),
        (f"compile {BELL} --emit circuit -o out >&-", 0),
        (f"compile {BELL} --emit circuit >&-", 2),
        ("check - <&-", 2),
    ],
)
def test_closed_streams(work: Path, command: str, code: int):
    assert in_shell(command) == code


def test_a_bug_is_reported_where_nothing_can_be_written(
    work: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: object) -> None:
        raise RuntimeError("split infinitive")

    monkeypatch.setattr(driver, "read", broken)
    monkeypatch.setattr("tempfile.tempdir", str(work / "missing"))
    Path("p.qwasm").write_text("")
    assert cli.run(["compile", "p.qwasm", "-o", "out"]) == 70
    assert "please report this\n" in capsys.readouterr().err
    monkeypatch.setattr("tempfile.tempdir", str(work))
    for odd in ("/dev/zero", "nul\0"):  # a device that never ends, and no path
        assert cli.run(["compile", "p.qwasm", "--entry", odd]) == 70
    for report in work.glob("qwasmc-bug-*"):
        assert report.stat().st_size < 10_000


# -- diagnostics -----------------------------------------------------------------------------------


@pytest.mark.parametrize("style", ["json", "sarif"])
@pytest.mark.parametrize(
    "arguments", [["--nonsense"], ["nonsense"], [], ["@missing"], ["ops", "--nonsense"]], ids=str
)
def test_errors_in_arguments_have_the_style_that_is_asked_for(
    work: Path, capsys: pytest.CaptureFixture[str], style: str, arguments: list[str]
):
    for option in (["--diagnostics", style], [f"--diagnostics={style}"]):
        assert cli.run([*option, *arguments]) == 2
        found = json.loads(capsys.readouterr().err)
        rule = found["runs"][0]["results"][0]["ruleId"] if style == "sarif" else found["rule"]
        assert rule == "usage-error"


def test_a_run_that_is_stopped_has_a_log(
    work: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(driver, "read", lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    Path("p.qwasm").write_text("")
    code = 128 + signal.SIGTERM
    assert cli.run(["--diagnostics", "sarif", "compile", "p.qwasm", "-o", "out"]) == code
    (found,) = json.loads(capsys.readouterr().err)["runs"]
    assert found["invocations"] == [{"executionSuccessful": False, "exitCode": code}]
    assert not Path("out").exists()


def test_names_that_are_no_text(work: Path, capsys: pytest.CaptureFixture[str]):
    name = os.fsdecode(b"\xff.qwasm")
    try:
        Path(name).write_text("APLY_H q\n")
    except OSError:
        pytest.skip("a file system with names in UTF-8 only")
    assert cli.run(["--diagnostics", "sarif", "check", name]) == 1
    (result,) = json.loads(capsys.readouterr().err)["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "%FF.qwasm"
    assert program(name, "-o", "out", "-MF", "d", "--manifest", "m") == 0
    assert Path("d").read_bytes() == b"out: \xff.qwasm\n"
    assert cli.run(["verify-manifest", "m"]) == 0


def test_diagnostics_hold_no_codes_of_the_terminal(
    work: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NO_COLOR", "1")
    assert cli.run(["check", "\x1b]0;stolen\x07"]) == 2
    said = capsys.readouterr().err
    assert "stolen" in said
    assert all(char.isprintable() or char == "\n" for char in said)
