"""The workers of a Dask cluster."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager

from distributed import Client, KilledWorker

from qwasmc.diagnostics import Kind, error

TIMEOUT = "20s"
"""How long a scheduler may take to answer."""


@contextmanager
def connected(address: str) -> Iterator[tuple[int, Client]]:
    """The threads that the scheduler at an address has now, and a client of it.

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
        try:
            yield threads, client
        except (CancelledError, KilledWorker) as lost:
            message = f"the Dask cluster at '{address}' is gone, or has lost its work"
            help = "what --resume keeps is not lost"
            raise error(message, kind=Kind.LIMIT, help=help) from lost
