"""Who runs batches: this process alone, or processes of its own (`cluster` has other machines)."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from qwasmc import workers
from qwasmc.backends.sampling import batch
from qwasmc.backends.sampling.batch import Job, Tally

Runner = Callable[[int, int], Future[Tally]]
"""Has the batch run that begins at a shot and has so many."""


@dataclass(frozen=True, slots=True)
class Workers:
    """So many workers; `send` takes a job to them and gives what runs its batches."""

    count: int
    send: Callable[[Job], Runner]


def _here(job: Job) -> Runner:
    def run(start: int, shots: int) -> Future[Tally]:
        done: Future[Tally] = Future()
        done.set_result(batch.run(job, start, shots))
        return done

    return run


ALONE = Workers(1, _here)
"""This process."""


@contextmanager
def processes(count: int) -> Iterator[Workers]:
    """So many processes, see `qwasmc.workers`; for one, this process itself."""
    if count == 1:
        yield ALONE
        return
    with (
        tempfile.TemporaryDirectory(prefix="qwasmc-") as folder,
        workers.processes(count, ["qwasmc.backends.sampling.batch", "pymatching"]) as submit,
    ):

        def send(job: Job) -> Runner:
            file = Path(folder, f"{job.id}-{job.seed}")
            file.write_text(json.dumps(asdict(job)), encoding="utf-8")
            return partial(submit, batch.run_stored, str(file))

        yield Workers(count, send)
