"""The workers of a Dask cluster."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial

from distributed import Client, KilledWorker

from qwasmc.backends.sampling import batch
from qwasmc.backends.sampling.batch import Job
from qwasmc.backends.sampling.workers import Runner, Workers
from qwasmc.diagnostics import Kind, error

TIMEOUT = "20s"
"""How long a scheduler may take to answer."""


@contextmanager
def cluster(address: str) -> Iterator[Workers]:
    """The threads of all machines that the scheduler at an address has now.

    What a worker that dies was running, another one runs.  Raises `CompileError` if there is no
    scheduler, if it has no workers, or if it goes away.
    """
    try:
        client = Client(address, timeout=TIMEOUT)
    except (OSError, ValueError) as refused:
        message = f"no Dask scheduler answers at '{address}': {refused}"
        raise error(message, kind=Kind.USAGE) from refused
    # Its own words about a scheduler that is gone are a traceback; ours are below.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    with client:
        threads = sum(client.nthreads().values())
        if not threads:
            raise error(f"the Dask scheduler at '{address}' has no workers", kind=Kind.LIMIT)
        executor = client.get_executor()

        def send(job: Job) -> Runner:
            # A result, which Dask makes again where the worker that has it dies.
            sent = client.submit(Job, **asdict(job), pure=False)
            return partial(executor.submit, batch.run, sent)

        try:
            yield Workers(threads, send)
        except (CancelledError, KilledWorker) as lost:
            message = f"the Dask cluster at '{address}' is gone, or has lost its work"
            help = "counts in the file of --resume are not lost"
            raise error(message, kind=Kind.LIMIT, help=help) from lost
