"""Processes that sample: they end with the run, however it ends, and their errors are ours."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sinter
import stim

from qwasmc.backends.sampling.run import SampleError, sample
from qwasmc.backends.sampling.workers import processes
from qwasmc.diagnostics import CompileError

MEMORY = stim.Circuit.generated(
    "surface_code:rotated_memory_z",
    distance=3,
    rounds=3,
    after_clifford_depolarization=0.005,
)
LONG = ["sample", "memory.stim", "--shots", str(10**12), "-j", "2", "--resume", "counts.csv"]


def of_session(session: int, order: str = "pid") -> list[int]:
    """The processes of a session that still run, from the system's own list."""
    if shutil.which("ps") is None:
        pytest.skip("nothing lists processes here")
    command = ["ps", "-s", str(session), "--sort", order, "-o", "pid=,stat="]
    shown = subprocess.run(command, check=False, capture_output=True, text=True).stdout
    pairs = [line.split() for line in shown.splitlines()]
    return [int(pid) for pid, state in pairs if not state.startswith("Z")]


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    return holds()


def running(folder: Path) -> subprocess.Popen[bytes]:
    """A run that would take years, in a session of its own, with workers at work."""
    (folder / "memory.stim").write_text(str(MEMORY))
    (folder / "run.py").write_text(
        "from qwasmc import cli\n"
        "from qwasmc.backends.sampling import run\n"
        "run.SAVE_EVERY = 0\n"
        'if __name__ == "__main__":\n'
        "    cli.main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "run.py", *LONG],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder)},  # a killed run cannot tidy up
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    counts = folder / "counts.csv"
    assert within(60, lambda: counts.exists() and counts.read_text().count("\n") > 2)
    return process


@pytest.mark.slow
@pytest.mark.parametrize("whole_group", [True, False])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_worker(number, whole_group, tmp_path):
    """A terminal interrupts the whole group; a build system often the one process it started."""
    process = running(tmp_path)
    (os.killpg if whole_group else os.kill)(process.pid, number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert (out, err) == (b"", b"")
    assert within(5, lambda: not of_session(process.pid))


@pytest.mark.slow
def test_a_killed_run_leaves_no_worker(tmp_path):
    process = running(tmp_path)
    process.kill()
    process.communicate(timeout=30)
    assert within(5, lambda: not of_session(process.pid))


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.2, 0.5, 0.9])
def test_a_run_that_is_interrupted_as_it_starts(delay, tmp_path):
    """While processes start; then their pipes are full, and nobody reads them."""
    (tmp_path / "memory.stim").write_text(str(MEMORY))
    command = [sys.executable, "-m", "qwasmc", *LONG]
    process = subprocess.Popen(
        command, cwd=tmp_path, start_new_session=True, stderr=subprocess.PIPE
    )
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGTERM)
    process.communicate(timeout=30)  # Python may show that a starting worker lost its parent
    assert within(5, lambda: not of_session(process.pid))


@pytest.mark.slow
def test_a_worker_that_dies_is_told(tmp_path):
    process = running(tmp_path)
    busiest = next(pid for pid in of_session(process.pid, "-pcpu") if pid != process.pid)
    os.kill(busiest, signal.SIGKILL)  # not one of the processes that start and tidy up
    _, err = process.communicate(timeout=30)
    assert process.returncode == 3
    assert err.startswith(b"error: a worker process has died")
    assert within(5, lambda: not of_session(process.pid))
    (kept,) = sinter.stats_from_csv_files(tmp_path / "counts.csv")
    assert kept.shots > 0


def test_jobs_of_other_seeds_are_other_shots():
    """The workers of one pool keep what they were sent."""
    alone = [sample(MEMORY, shots=4000, seed=seed).total for seed in (1, 2)]
    with processes(2) as workers:
        there = [sample(MEMORY, shots=4000, seed=n, workers=workers).total for n in (1, 2)]
    assert there == alone


class Raises(sinter.CompiledDecoder):
    def decode_shots_bit_packed(self, *, bit_packed_detection_event_data):
        raise IndexError("no such edge")


class Flat(sinter.CompiledDecoder):
    """Forgets an axis, which numpy would add to what it is compared with without a word."""

    def decode_shots_bit_packed(self, *, bit_packed_detection_event_data):
        return bit_packed_detection_event_data[0, :1]


def decoder_of(made: object) -> type[sinter.Decoder]:
    class Made(sinter.Decoder):
        def compile_decoder_for_dem(self, *, dem):
            if isinstance(made, Exception):
                raise made
            return made

    return Made


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (Raises(), "failed: IndexError: no such edge"),
        (Flat(), r"made predictions of uint8 in the shape \(1,\), not uint8 in"),
        (TypeError("what is this?"), "failed: TypeError: what is this?"),
    ],
)
def test_a_decoder_that_fails(made, message, monkeypatch):
    name = f"mine-{type(made).__name__}"  # one of its own: workers keep decoders by name
    monkeypatch.setitem(sinter.BUILT_IN_DECODERS, name, decoder_of(made)())
    with pytest.raises(SampleError, match=f"decoder '{name}' {message}"):
        sample(MEMORY, shots=100, decoder=name)


def test_a_decoder_that_a_worker_does_not_have(monkeypatch):
    """Here known by an entry of this process only; there the error is made."""
    monkeypatch.setattr("qwasmc.backends.sampling.run.check_name", lambda name: None)
    with processes(2) as workers, pytest.raises(SampleError, match="'mine' is not installed"):
        sample(MEMORY, shots=100, decoder="mine", workers=workers)


def test_an_unknown_decoder():
    with pytest.raises(CompileError, match="unknown decoder 'pymatchin'") as wrong:
        sample(MEMORY, shots=100, decoder="pymatchin")
    assert wrong.value.exit_code == 2
    assert wrong.value.diagnostics[0].help == "did you mean 'pymatching'?"


def test_a_folder_for_temporary_files_with_a_long_name(tmp_path):
    """The name of a socket in it would be too long."""
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    (tmp_path / "memory.stim").write_text(str(MEMORY))
    command = [
        sys.executable,
        "-m",
        "qwasmc",
        "sample",
        "memory.stim",
        "--shots",
        "1000",
        "-j",
        "2",
    ]
    environment = {**os.environ, "TMPDIR": str(folder)}
    subprocess.run(command, check=True, cwd=tmp_path, env=environment, capture_output=True)
