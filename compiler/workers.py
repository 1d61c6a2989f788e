"""Processes that work for this one: they end with it, however it ends, and their death is told.

`cluster` has those of other machines.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from qwasmc.diagnostics import Kind, error

Submit = Callable[..., Future[Any]]
"""Has a function run on arguments, which should be short: see `processes`."""

_MAX_FOLDER = 64
"""Longest name of the folder for temporary files, in bytes, in which a socket finds room."""


@contextmanager
def processes(count: int, preload: Sequence[str]) -> Iterator[Submit]:
    """So many processes, which find some modules imported.

    What is long belongs in a file: a message that fills the pipe waits for ever if workers die.
    They are started afresh: on every system, call this from under `if __name__ == "__main__"`.
    They end when this does, whatever they are doing, and if this process is killed.
    Raises `CompileError` if one of them dies.
    """
    others = set(multiprocessing.active_children())
    context = multiprocessing.get_context(_method())
    context.set_forkserver_preload(list(preload))
    with ProcessPoolExecutor(count, mp_context=context, initializer=_end_with_parent) as executor:

        def submit(function: Callable[..., Any], *arguments: Any) -> Future[Any]:
            with _uninterrupted():
                return executor.submit(function, *arguments)

        try:
            yield submit
        except BrokenExecutor as dead:
            message = "a worker process has died; perhaps there was too little memory"
            help = "use fewer with -j; what --resume keeps is not lost"
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
