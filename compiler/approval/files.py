"""Files that others may have written: read whole, if they are files and not too long."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from qwasmc.diagnostics import CompileError, Kind, error
from qwasmc.output import Outputs

MAX_WAIT = 10.0
"""Seconds to wait for another process that writes to a store."""


def sha256(data: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def read_bounded(path: Path, most: int) -> bytes | None:
    """The bytes of a file; None if there is none.

    CompileError for what is no file (a pipe might never end), cannot be read or is too long.
    """
    try:
        if path.exists() and not path.is_file():
            raise error(f"'{path}' is no file", kind=Kind.USAGE)
        with open(path, "rb") as file:
            data = file.read(most + 1)
    except FileNotFoundError:
        if path.is_symlink():
            raise error(f"'{path}' is a link to nothing", kind=Kind.USAGE) from None
        return None
    except (OSError, ValueError) as refused:
        reason = getattr(refused, "strerror", None) or str(refused)
        raise error(f"cannot read '{path}': {reason}", kind=Kind.USAGE) from refused
    if len(data) > most:
        raise error(f"'{path}' is longer than {most} bytes", kind=Kind.LIMIT)
    return data


def write_file(path: Path, data: bytes) -> None:
    """Write a file in one step, in a folder that is made if there is none."""
    _make_folder(path.parent)
    with Outputs() as outputs:
        outputs.open(str(path)).buffer.write(data)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep every other process from writing to a store; waits for one that does."""
    _make_folder(folder)
    path = folder / "lock"
    deadline = monotonic() + MAX_WAIT
    while not _taken(path):
        if monotonic() > deadline:
            raise error(
                f"another process is writing to '{folder}'",
                kind=Kind.USAGE,
                help=f"if there is none, it was killed: remove {path}",
            )
        sleep(0.02)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _taken(path: Path) -> bool:
    """Whether a lock could be taken, which nobody else had."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
    except FileExistsError:
        return False
    except OSError as refused:
        raise _cannot_write(path, refused) from refused
    return True


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as refused:
        raise _cannot_write(path, refused) from refused


def _cannot_write(path: Path, refused: Exception) -> CompileError:
    reason = getattr(refused, "strerror", None) or str(refused)
    return error(f"cannot write '{path}': {reason}", kind=Kind.USAGE)
