"""The workers of a Dask cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial

from qwasmc.backends.sampling import batch
from qwasmc.backends.sampling.batch import Job
from qwasmc.backends.sampling.workers import Runner, Workers
from qwasmc.cluster import connected


@contextmanager
def cluster(address: str) -> Iterator[Workers]:
    """The threads of all machines that the scheduler at an address has, see `qwasmc.cluster`."""
    with connected(address) as (threads, client):
        executor = client.get_executor()

        def send(job: Job) -> Runner:
            # A result, which Dask makes again where the worker that has it dies.
            sent = client.submit(Job, **asdict(job), pure=False)
            return partial(executor.submit, batch.run, sent)

        yield Workers(threads, send)
