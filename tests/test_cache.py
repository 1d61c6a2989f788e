"""The cache: never another output than without it, whatever happens to its folder."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

import qwasmc
from qwasmc import cache as caching
from qwasmc import cli, driver, pipeline
from qwasmc.cache import Cache
from qwasmc.columns import from_bytes, to_bytes
from qwasmc.diagnostics import Diagnostic
from qwasmc.fitting import pinned
from qwasmc.options import Options, Watch
from qwasmc.reading import read_source
from qwasmc.store import Store
from qwasmc.target import TARGETS
from qwasmc.versions import versions

EXAMPLES = Path(__file__).parent.parent / "examples"
BELL = str(EXAMPLES / "bell.qwasm")
MAGIC = str(EXAMPLES / "magic.qwasm")


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("QWASMC_CACHE_DIR", raising=False)
    return tmp_path


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the programs that are compiled, as they are."""
    seen: list[str] = []
    real = driver.compile_source

    def counted(source, options, watch):
        seen.append(source.name)
        return real(source, options, watch)

    monkeypatch.setattr(driver, "compile_source", counted)
    return seen


def compile_cached(*arguments: str) -> int:
    return cli.run(["compile", *arguments, "--cache-dir", "cache"])


def entries() -> list[Path]:
    return sorted(path for path in Path("cache").rglob("*") if path.is_file())


# -- whole compilations ----------------------------------------------------------------------------


def test_a_second_run_copies_every_output(work: Path, compilations: list[str]):
    wanted = ["--report", "r", "--schedule", "s", "-MF", "d", "--manifest", "m"]
    found = []
    for _ in range(2):
        assert compile_cached(MAGIC, "-o", "out.stim", *wanted) == 0
        found.append([Path(name).read_bytes() for name in ("out.stim", "r", "s", "d", "m")])
        for name in ("out.stim", "r", "s", "d", "m"):
            Path(name).unlink()
    assert found[0] == found[1]
    assert compilations == [MAGIC]


@pytest.mark.parametrize("emit", ["program", "circuit", "surgery", "stim", "qiskit", "qir-bitcode"])
def test_with_and_without(work: Path, emit: str):
    assert cli.run(["compile", BELL, "--emit", emit, "-o", "plain"]) == 0
    for name in ("first", "second"):
        assert compile_cached(BELL, "--emit", emit, "-o", name) == 0
    assert Path("plain").read_bytes() == Path("first").read_bytes() == Path("second").read_bytes()


def test_an_output_that_was_not_asked_for_before(work: Path, compilations: list[str]):
    compile_cached(BELL, "-o", "a")
    compile_cached(BELL, "-o", "b", "--report", "r")
    assert len(compilations) == 2
    compile_cached(BELL, "-o", "c", "--report", "r")
    assert len(compilations) == 2
    assert json.loads(Path("r").read_text())["distance"] == 3


def test_options_and_content_make_a_difference(work: Path, compilations: list[str]):
    shutil.copy(BELL, "p.qwasm")
    for arguments in ([], ["-d", "5"], ["--noise", "uniform:0.001"], ["-O", "0"]):
        compile_cached("p.qwasm", "-o", "out", *arguments)
    assert len(compilations) == 4
    Path("p.qwasm").write_text(Path(BELL).read_text() + "\n")
    compile_cached("p.qwasm", "-o", "out")
    assert len(compilations) == 5


def test_versions_make_a_difference(
    work: Path, compilations: list[str], monkeypatch: pytest.MonkeyPatch
):
    compile_cached(BELL, "-o", "out")
    changed = {**versions(), "stim": "0.1"}
    monkeypatch.setattr(caching, "versions", lambda: changed)
    compile_cached(BELL, "-o", "out")
    assert len(compilations) == 2


def write_program(size: str, folder: str = ".") -> None:
    """A program of three files, whose result names the size."""
    Path(folder).mkdir(exist_ok=True)
    Path("main.qwasm").write_text(
        '.caps CAP_ALLOC\n.include "middle.qwasm"\nALLOC_LQ n=1 -> q\nMEASURE_Z q -> m{size}\n'
    )
    Path("middle.qwasm").write_text('.include "size.qwasm"\n')
    Path(folder, "size.qwasm").write_text(f".set size = {size}\n")


def compiled_size(*arguments: str) -> str:
    """The size that the cached compilation of the program found."""
    assert compile_cached("main.qwasm", "-o", "out", "--report", "r", *arguments) == 0
    return json.loads(Path("r").read_text())["results"][0]["name"]


def test_what_is_included_makes_a_difference(work: Path, compilations: list[str]):
    for size in ("1", "2", "1"):
        write_program(size)
        assert compiled_size() == f"m{size}"
    assert len(compilations) == 2


def test_a_file_that_hides_an_included_one_makes_a_difference(work: Path):
    for folder in ("first", "second"):
        Path(folder).mkdir()
    write_program("2", "second")
    search = ["-I", "first", "-I", "second"]
    assert compiled_size(*search) == "m2"
    Path("first/size.qwasm").write_text(".set size = 1\n")
    assert compiled_size(*search) == "m1"
    Path("first/size.qwasm").unlink()
    assert compiled_size(*search) == "m2"


def test_the_target_makes_a_difference(work: Path, compilations: list[str]):
    for doc in ("one", "two", "one"):
        description = re.sub('doc = ".*"', f'doc = "{doc}"', TARGETS[1].text)
        Path("t.toml").write_text(description.replace(TARGETS[1].name, "mine"))
        compile_cached(BELL, "--target", "t.toml", "-o", "out")
    assert len(compilations) == 2


def test_an_included_file_that_changes_during_the_compilation(
    work: Path, monkeypatch: pytest.MonkeyPatch
):
    write_program("1")
    real = driver.compile_source

    def disturbed(*arguments):
        artifact = real(*arguments)
        write_program("2")
        return artifact

    with monkeypatch.context() as patch:
        patch.setattr(driver, "compile_source", disturbed)
        assert compiled_size() == "m1"
    assert compiled_size() == "m2"


def test_warnings_and_findings_come_again(work: Path, capsys: pytest.CaptureFixture[str]):
    said = []
    adder = str(EXAMPLES / "adder.qasm")
    for _ in range(2):
        compile_cached(BELL, "--param", "size=3", "-o", "out")
        compile_cached(adder, "--emit", "circuit", "--verify", "-o", "out")
        said.append(capsys.readouterr().err)
    assert said[0] == said[1]
    assert "no parameter 'size'" in said[0]
    assert "verify: " in said[0]


def test_failures_are_not_kept(work: Path, capsys: pytest.CaptureFixture[str]):
    Path("p.qwasm").write_text("APLY_H q\n")
    for _ in range(2):
        assert compile_cached("p.qwasm", "-o", "out") == 1
        assert "APLY_H" in capsys.readouterr().err
    assert not Path("out").exists()
    assert not entries()


def test_the_environment_names_the_folder(work: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("QWASMC_CACHE_DIR", "elsewhere")
    assert cli.run(["compile", BELL, "-o", "out"]) == 0
    assert list(Path("elsewhere").rglob("*"))
    monkeypatch.setenv("QWASMC_CACHE_DIR", "")
    assert cli.run(["compile", BELL, "-o", "out"]) == 0


@pytest.mark.parametrize("folder", ["a file", "/dev/null/x"])
def test_a_folder_that_cannot_be_used(work: Path, capsys: pytest.CaptureFixture[str], folder: str):
    Path("a file").write_text("")
    assert cli.run(["compile", BELL, "-o", "out", "--cache-dir", folder]) == 0
    assert capsys.readouterr().err.count("cannot write to the cache") == 1
    assert Path("out").exists()


# -- damage ----------------------------------------------------------------------------------------


def flipped(data: bytes, other: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :]


def truncated(data: bytes, other: bytes, dice: random.Random) -> bytes:
    return data[: dice.randrange(len(data))]


def longer(data: bytes, other: bytes, dice: random.Random) -> bytes:
    return data + dice.randbytes(dice.randrange(1, 20))


def overwritten(data: bytes, other: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data))
    piece = bytes((byte + 1 + dice.randrange(255)) % 256 for byte in data[at : at + 9])
    return data[:at] + piece + data[at + 9 :]


def swapped(data: bytes, other: bytes, dice: random.Random) -> bytes:
    return other


DAMAGES: tuple[Callable[[bytes, bytes, random.Random], bytes], ...] = (
    flipped,
    truncated,
    longer,
    overwritten,
    swapped,
)


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_damaged_entries_are_found_out(work: Path, monkeypatch: pytest.MonkeyPatch, count: int):
    monkeypatch.setattr(caching, "MIN_SECONDS", 0)
    compile_cached(BELL, "-o", "out", "--report", "r")
    dice = random.Random(count)
    warnings: list[Diagnostic] = []
    good = {path: path.read_bytes() for path in entries()}
    for number in range(count):
        path, other = dice.sample(sorted(good), 2)
        damage = DAMAGES[number % len(DAMAGES)]
        path.write_bytes(damage(good[path], good[other], dice))
        warnings.clear()
        store = Store(Path("cache"), warnings.append)
        assert store.read(path.name) is None, damage.__name__
        assert len(warnings) == 1
        assert not path.exists()
        path.write_bytes(good[path])
        file = store.read(path.name)
        assert file is not None
        with file:
            assert good[path].endswith(file.read())


@pytest.mark.parametrize("count", [5, pytest.param(60, marks=pytest.mark.slow)])
def test_a_damaged_cache_changes_no_output(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], count: int
):
    monkeypatch.setattr(caching, "MIN_SECONDS", 0)
    compile_cached(BELL, "-o", "right")
    dice = random.Random(count)
    for number in range(count):
        damaged = entries()
        whole = {path: path.read_bytes() for path in damaged}
        for path in damaged:
            damage = DAMAGES[number % len(DAMAGES)]
            path.write_bytes(damage(whole[path], whole[dice.choice(damaged)], dice))
        assert compile_cached(BELL, "-o", "out") == 0
        assert Path("out").read_bytes() == Path("right").read_bytes()
        capsys.readouterr()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_odd_things_in_the_place_of_entries(work: Path):
    compile_cached(BELL, "-o", "right")
    for make in (Path.mkdir, os.mkfifo, lambda path: path.symlink_to("nowhere")):
        for path in Path("cache").glob("??/*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            make(path)
        assert compile_cached(BELL, "-o", "out") == 0
        assert Path("out").read_bytes() == Path("right").read_bytes()
        Path("out").unlink()


# -- the store -------------------------------------------------------------------------------------


def read(store: Store, key: str) -> bytes | None:
    file = store.read(key)
    if file is None:
        return None
    with file:
        return file.read()


def test_what_was_used_last_stays(work: Path):
    store = Store(Path("cache"), pytest.fail, max_bytes=4 * 1100)
    for number in range(4):
        store.write(f"{number:064}", [bytes(1000)])
        os.utime(store._path(f"{number:064}"), (number, number))
    assert read(store, f"{0:064}") == bytes(1000)  # used now
    store.write(f"{4:064}", [bytes(1000)])
    store.make_room()
    kept = [number for number in range(5) if read(store, f"{number:064}") is not None]
    assert kept == [0, 2, 3, 4]


def test_an_entry_larger_than_the_cache_is_not_kept(work: Path):
    store = Store(Path("cache"), pytest.fail, max_bytes=2000)
    store.write("a" * 64, [bytes(1000)])
    pieces = iter([bytes(1500)] * 5)
    store.write("b" * 64, pieces)
    assert len(list(pieces)) == 3  # it stopped as soon as it knew
    assert read(store, "a" * 64) == bytes(1000)
    assert read(store, "b" * 64) is None
    assert len(entries()) == 1


def test_an_interrupted_write_leaves_nothing(work: Path):
    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise KeyboardInterrupt

    store = Store(Path("cache"), pytest.fail)
    with pytest.raises(KeyboardInterrupt):
        store.write("a" * 64, pieces())
    assert not entries()


def test_many_writers_and_readers(work: Path):
    """Small enough to evict all the time; every read gives all of the right bytes or nothing."""
    wrong: list[object] = []
    keys = [f"{number:02}" * 32 for number in range(6)]

    def work_on(seed: int) -> None:
        dice = random.Random(seed)
        store = Store(Path("cache"), wrong.append, max_bytes=12_000)
        for _ in range(60):
            key = dice.choice(keys)
            if dice.random() < 0.5:
                store.write(key, [key.encode()] * 50)
                store.make_room()
            elif read(store, key) not in (None, key.encode() * 50):
                wrong.append(key)

    threads = [threading.Thread(target=work_on, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.slow
def test_processes_share_a_folder(work: Path):
    command = [sys.executable, "-m", "qwasmc", "compile", BELL, "--cache-dir", "cache"]
    running = [
        subprocess.Popen([*command, "-o", f"{number}.stim"], stderr=subprocess.PIPE)
        for number in range(3)
    ]
    for process in running:
        assert process.communicate(timeout=120)[1] == b""
        assert process.returncode == 0
    assert len({Path(f"{number}.stim").read_bytes() for number in range(3)}) == 1


# -- passes ----------------------------------------------------------------------------------------


def output(artifact: driver.Artifact) -> str:
    file = StringIO()
    artifact.write(file)
    return file.getvalue()


PROGRAMS = [
    ("magic.qwasm", {"noise": "uniform:0.001"}),
    ("adder.qasm", {"emit": "circuit", "level": 3, "verify": True}),
    ("teleport.ll", {"emit": "surgery"}),
    ("uncompute.qwasm", {"emit": "circuit"}),
    ("grover.qasm", {"emit": "circuit", "print_after": ["all"]}),
]


@pytest.mark.parametrize(("name", "given"), PROGRAMS, ids=[name for name, _ in PROGRAMS])
def test_passes_from_the_cache_change_nothing(
    work: Path, monkeypatch: pytest.MonkeyPatch, name: str, given: dict[str, object]
):
    monkeypatch.setattr(caching, "MIN_SECONDS", 0)
    source = read_source(str(EXAMPLES / name))
    options = pinned(Options(**given))
    cache = Cache(Store(Path("cache"), pytest.fail))
    runs = []
    for around in (Watch().around, cache.around, cache.around):
        warned: list[Diagnostic] = []
        dump = StringIO()
        watch = Watch(warn=warned.append, around=around, dump=dump)
        artifact = driver.compile_source(source, options, watch)
        report = artifact.report if given.get("emit") != "surgery" else {}
        report.pop("timings_s", None)
        runs.append((output(artifact), warned, report, dump.getvalue()))
    assert runs[0] == runs[1] == runs[2]


def broken(*_: object, **__: object) -> None:
    raise AssertionError("this pass must not run")


def stopped(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_stopped_compilation_goes_on_after_its_last_pass(
    work: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(caching, "MIN_SECONDS", 0)
    assert cli.run(["compile", MAGIC, "-o", "right"]) == 0
    real = pipeline.load

    def patch(**functions: object) -> None:
        def load(name: str) -> object:
            return functions.get(name.rpartition(":")[2], real(name))

        monkeypatch.setattr("qwasmc.running.load", load)

    patch(lower_surgery=stopped)
    assert compile_cached(MAGIC, "-o", "out") == 128 + signal.SIGINT
    assert not Path("out").exists()
    names = [row.name.replace("-", "_") for row in pipeline.PASSES if row.gives == "circuit"]
    patch(**dict.fromkeys(names, broken))
    assert compile_cached(MAGIC, "-o", "out") == 0
    assert Path("out").read_bytes() == Path("right").read_bytes()


def test_a_pass_with_other_options_runs_again(work: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(caching, "MIN_SECONDS", 0)
    for error in ("1e-2", "1e-4"):
        arguments = [str(EXAMPLES / "macros.qwasm"), "--synthesis-error", error]
        assert cli.run(["compile", *arguments, "--emit", "circuit", "-o", "right"]) == 0
        assert compile_cached(*arguments, "--emit", "circuit", "-o", "out") == 0
        assert Path("out").read_bytes() == Path("right").read_bytes()


def test_quick_passes_are_not_kept(work: Path):
    compile_cached(BELL, "-o", "out")
    assert len(entries()) == 3  # the output, what goes with it, what it read


@pytest.mark.parametrize("emit", ["circuit", "surgery"])
def test_columns_come_back_exactly(emit: str):
    ir = qwasmc.compile(Path(MAGIC), emit=emit).ir
    again = from_bytes(b"".join(to_bytes(ir)), ir.locations)
    for field in fields(ir):
        before, after = getattr(ir, field.name), getattr(again, field.name)
        if isinstance(before, np.ndarray):
            assert before.dtype == after.dtype
            assert after.flags.writeable
            assert np.array_equal(before, after)
        else:
            assert before == after


def kept_entries() -> list[Path]:
    """Entries that are whole; others have the names of temporary files."""
    return [path for path in entries() if len(path.name) == 64]


# Many Toffolis: `resynthesise` takes seconds, and `lower-surgery` behind it about one.
LONG = """OPENQASM 2.0;
include "qelib1.inc";
qreg q[40];
creg c[40];
"""


@pytest.mark.slow
def test_a_killed_compilation_goes_on(work: Path):
    dice = random.Random(7)
    gates = [
        f"ccx q[{a}],q[{b}],q[{c}];" for a, b, c in (dice.sample(range(40), 3) for _ in range(80))
    ]
    Path("long.qasm").write_text(LONG + "\n".join(gates) + "\nmeasure q -> c;\n")
    command = [sys.executable, "-m", "qwasmc", "compile", "long.qasm", "--emit", "surgery"]
    start = time.perf_counter()
    subprocess.run([*command, "-o", "right"], check=True, timeout=300)
    whole = time.perf_counter() - start
    process = subprocess.Popen([*command, "-o", "out", "--cache-dir", "cache"])
    while not kept_entries() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    kept = kept_entries()
    assert kept
    assert not Path("out").exists()
    used = {path: path.stat().st_mtime_ns for path in kept}
    start = time.perf_counter()
    subprocess.run([*command, "-o", "out", "--cache-dir", "cache"], check=True, timeout=300)
    print(f"{whole:.1f} s, resumed {time.perf_counter() - start:.1f} s")
    assert Path("out").read_bytes() == Path("right").read_bytes()
    assert all(path.stat().st_mtime_ns > used[path] for path in kept)
