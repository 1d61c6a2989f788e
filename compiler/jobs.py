"""Jobs: functions on plain data, run by whoever is there, whose results are kept.

A job is data as JSON has it; so is its result, which must follow from it alone.  Results come in
the order of the jobs, whoever ran them and in whatever order they finished.  What a `Store` has is
not run again: it is found by the function, the job and the version of this package.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from qwasmc.options import Watch
from qwasmc.pipeline import load
from qwasmc.store import Store
from qwasmc.versions import versions
from qwasmc.workers import processes

AHEAD = 2
"""Jobs that wait for each worker, so that none is idle."""


@dataclass(frozen=True, slots=True)
class Workers:
    """So many workers; `send` has a function, "module:name", run on a job, both of them text."""

    count: int
    send: Callable[[str, str], Future[str]]


@dataclass(slots=True)
class Bench:
    """Runs jobs; see `run`.

    `end` is when no more jobs are begun, by `time.monotonic`; `cut` says that there were some left.
    `ran` counts the jobs that were run, and `found` those whose results were kept.
    """

    workers: Workers
    watch: Watch
    store: Store | None = None
    end: float | None = None
    cut: bool = False
    ran: int = 0
    found: int = 0

    def run(self, stage: str, function: str, jobs: Sequence[Any]) -> list[Any]:
        """The results of jobs, in order; None for those for which there was no time."""
        texts = [json.dumps(job, sort_keys=True) for job in jobs]
        results: list[Any] = [None] * len(texts)
        with self.watch.timed(stage):
            for done, (at, result) in enumerate(self._results(function, texts), start=1):
                results[at] = json.loads(result)
                self.watch.stage(f"{stage}: {done} of {len(texts)}")
        return results

    def _results(self, function: str, texts: Sequence[str]) -> Iterator[tuple[int, str]]:
        """Numbers of jobs and results, as they come; those that are kept come first."""
        missing = []
        for at, text in enumerate(texts):
            kept = self.store and self.store.read(_key(function, text))
            if kept:
                with kept:
                    yield at, kept.read().decode()
                self.found += 1
            else:
                missing.append(at)
        missing.sort(key=lambda at: -len(texts[at]))  # what takes long is not to come last
        running: dict[Future[str], int] = {}
        todo = iter(missing)
        while True:
            for at in todo:
                if self.end is not None and time.monotonic() > self.end:
                    self.cut = True
                    break
                running[self.workers.send(function, texts[at])] = at
                if len(running) == AHEAD * self.workers.count:
                    break
            if not running:
                return
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in sorted(finished, key=running.__getitem__):
                at = running.pop(future)
                result = future.result()
                if self.store:
                    self.store.write(_key(function, texts[at]), [result.encode()])
                self.ran += 1
                yield at, result


def _key(function: str, text: str) -> str:
    return sha256(json.dumps([versions(), function, text]).encode()).hexdigest()


def work(function: str, text: str) -> str:
    """The result of a job, as a worker makes it."""
    return json.dumps(load(function)(json.loads(text)))


def work_on_file(function: str, path: str) -> str:
    """The same for a job in a file, which is not needed any more then."""
    file = Path(path)
    text = file.read_text(encoding="utf-8")
    file.unlink()
    return work(function, text)


def _here(function: str, text: str) -> Future[str]:
    done: Future[str] = Future()
    done.set_result(work(function, text))
    return done


ALONE = Workers(1, _here)
"""This process."""


@contextmanager
def gathered(count: int, address: str | None, preload: Sequence[str]) -> Iterator[Workers]:
    """So many processes, or the Dask cluster whose scheduler is at an address.

    Raises `CompileError` as `qwasmc.workers` and `qwasmc.cluster` say.
    """
    if address is not None:
        with load("qwasmc.cluster:connected")(address) as (threads, client):
            executor = client.get_executor(pure=False)
            yield Workers(threads, lambda function, text: executor.submit(work, function, text))
    elif count == 1:
        yield ALONE
    else:
        with (
            tempfile.TemporaryDirectory(prefix="qwasmc-") as folder,
            processes(count, preload) as submit,
        ):

            def send(function: str, text: str) -> Future[str]:
                with tempfile.NamedTemporaryFile(
                    "w", dir=folder, delete=False, encoding="utf-8"
                ) as file:
                    file.write(text)
                return submit(work_on_file, function, file.name)

            yield Workers(count, send)
