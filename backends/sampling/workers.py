"""Who runs batches: this process alone, or processes of its own (`cluster` has other machines)."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from qwasmc.backends.sampling import batch
from qwasmc.backends.sampling.batch import Job, Tally
from qwasmc.diagnostics import Kind, error

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


_MAX_FOLDER = 64
"""Longest name of the folder for temporary files, in bytes, in which a socket finds room."""

ALONE = Workers(1, _here)
"""This process."""


@contextmanager
def processes(count: int) -> Iterator[Workers]:
    """So many processes; for one, this process itself.

    They are started afresh: on every system, call this from under `if __name__ == "__main__"`.
    They end when this does, whatever they are doing, and if this process is killed.
    Raises `CompileError` if one of them dies.
    """
    if count == 1:
        yield ALONE
        return
    others = set(multiprocessing.active_children())
    context = multiprocessing.get_context(_method())
    context.set_forkserver_preload(["qwasmc.backends.sampling.batch", "pymatching"])
    with (
        tempfile.TemporaryDirectory(prefix="qwasmc-") as folder,
        ProcessPoolExecutor(count, mp_context=context, initializer=_end_with_parent) as executor,
    ):

        def send(job: Job) -> Runner:
            # In a file: a message that fills the executor's pipe waits for ever if workers die.
            file = Path(folder, f"{job.id}-{job.seed}")
            file.write_text(json.dumps(asdict(job)), encoding="utf-8")

            def run(start: int, shots: int) -> Future[Tally]:
                with _uninterrupted():
                    return executor.submit(batch.run_stored, str(file), start, shots)

            return run

        try:
            yield Workers(count, send)
        except BrokenExecutor as dead:
            message = "a worker process has died; perhaps there was too little memory"
            help = "use fewer with -j; counts in the file of --resume are not lost"
            raise error(message, kind=Kind.LIMIT, help=help) from dead
        finally:
            for child in set(multiprocessing.active_children()) - others:
                child.kill()


def _method() -> str:
    """How to start processes: as forks of one that has imported what takes long, where that works.

    Python talks to that one through a socket, whose name has at most 107 bytes.
    """
    short = len(os.fsencode(tempfile.gettempdir())) <= _MAX_FOLDER
    return "forkserver" if sys.platform == "linux" and short else "spawn"


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold signals back while processes start, which inherit that: this one ends them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent() -> None:
    """End this worker as soon as the process that started it is gone."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
