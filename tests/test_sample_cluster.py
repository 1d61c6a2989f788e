"""A cluster of real processes, one of which dies in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sinter
import stim

from qwasmc.backends.sampling.run import sample
from qwasmc.diagnostics import CompileError

pytest.importorskip("distributed")
pytestmark = pytest.mark.slow

MEMORY = stim.Circuit.generated(
    "surface_code:rotated_memory_z",
    distance=3,
    rounds=3,
    after_clifford_depolarization=0.005,
)
SHOTS = 3_000_000


@pytest.fixture
def cluster(tmp_path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """A scheduler and two workers; `scheduler.json` says where they are."""
    started = [process(tmp_path, "scheduler", "--port", "0", "--host", "127.0.0.1")]
    deadline = time.monotonic() + 30
    while not (tmp_path / "scheduler.json").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    options = ("--no-nanny", "--nthreads", "1", "--local-directory", str(tmp_path))
    started += [process(tmp_path, "worker", *options) for _ in range(2)]
    try:
        yield started
    finally:
        for each in started:
            each.kill()
            each.wait()


def process(folder: Path, kind: str, *options: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", "--no-dashboard"]
    command += ["--scheduler-file", str(folder / "scheduler.json"), *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def counted_while(folder: Path, victim: subprocess.Popen[bytes]) -> sinter.TaskStats:
    """The counts of a run in which a process is killed as soon as shots come in."""
    distributed = pytest.importorskip("distributed")
    cluster = pytest.importorskip("qwasmc.backends.sampling.cluster").cluster
    with distributed.Client(scheduler_file=str(folder / "scheduler.json")) as client:
        client.wait_for_workers(2, timeout=60)
        address = client.scheduler.address

    def kill(progress: str) -> None:
        if victim.poll() is None and int(progress.partition(" ")[0]) > 20_000:
            os.kill(victim.pid, signal.SIGKILL)
            victim.wait()

    with cluster(address) as workers:
        assert workers.count == 2
        return sample(MEMORY, shots=SHOTS, workers=workers, progress=kill).stats


def test_a_worker_that_dies_loses_nothing(cluster, tmp_path):
    there = counted_while(tmp_path, cluster[1])
    alone = sample(MEMORY, shots=SHOTS).stats
    assert cluster[1].returncode == -signal.SIGKILL
    assert (there.shots, there.errors) == (alone.shots, alone.errors)


def test_a_scheduler_that_dies_is_told(cluster, tmp_path):
    with pytest.raises(CompileError, match="is gone, or has lost its work") as told:
        counted_while(tmp_path, cluster[0])
    assert told.value.exit_code == 3
