"""Output files that appear whole or not at all.

What is written goes to a file without a name where the system has such files (Linux), else to a
hidden one beside its destination.  It takes its name when everything has been written, so a run
that fails or is killed leaves the folder as it was.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from qwasmc.diagnostics import Kind, error

STDIO = "-"
"""Standard input or output, in place of a path."""


@dataclass(slots=True)
class _Pending:
    """A file being written for `path`.

    `hidden` is the name it has until it is finished, if it has one.  What is `streamed` goes to
    a pipe, a device or standard output: it has no name to take and is copied at the end.
    """

    path: str
    file: TextIO
    hidden: Path | None = None
    streamed: bool = False


class Outputs:
    """The files one run writes: all appear at the end of `with`, or none does."""

    def __init__(self) -> None:
        self._pending: list[_Pending] = []

    def open(self, path: str) -> TextIO:
        """A text file to write to, or bytes to its `buffer`; `-` is standard output."""
        if any(_target(path) == _target(pending.path) for pending in self._pending):
            raise error(f"two outputs would be written to '{path}'", kind=Kind.USAGE)
        with _explained(path):
            self._pending.append(_start(path))
        return self._pending[-1].file

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                for pending in self._pending:
                    with _explained(pending.path):
                        _finish(pending)
        finally:
            for pending in self._pending:
                with suppress(OSError):
                    pending.file.close()
                if pending.hidden is not None:
                    pending.hidden.unlink(missing_ok=True)


def _start(path: str) -> _Pending:
    target, as_given = _target(path), Path(path)  # what /dev/stdout leads to may have no name
    if path == STDIO or (as_given.exists() and not (as_given.is_file() or as_given.is_dir())):
        spool = tempfile.TemporaryFile("w+", encoding="utf-8", newline="")  # noqa: SIM115
        return _Pending(path, spool, streamed=True)
    if target.is_dir():
        raise IsADirectoryError(None, "it is a folder")
    with suppress(AttributeError, OSError):  # not on every system, not on every file system
        return _Pending(path, _open(os.open(target.parent, os.O_TMPFILE | os.O_RDWR, 0o666)))
    hidden = _hidden(target)
    return _Pending(path, _open(os.open(hidden, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)), hidden)


def _open(handle: int) -> TextIO:
    return open(handle, "w+", encoding="utf-8", newline="")


def _target(path: str) -> Path:
    """The file itself: a symbolic link to it stays one."""
    return Path(os.path.realpath(path))


def _hidden(target: Path) -> Path:
    return target.with_name(f".{target.name}.{os.getpid()}.tmp")


def _finish(pending: _Pending) -> None:
    pending.file.flush()
    target = _target(pending.path)
    if pending.streamed:
        pending.file.buffer.seek(0)
        if pending.path == STDIO:
            sys.stdout.flush()
            shutil.copyfileobj(pending.file.buffer, sys.stdout.buffer)
            sys.stdout.flush()
        else:
            with open(pending.path, "wb") as device:
                shutil.copyfileobj(pending.file.buffer, device)
        return
    if pending.hidden is None:
        pending.hidden = _hidden(target)
        _name(pending.file.fileno(), pending.hidden)
    os.replace(pending.hidden, target)
    pending.hidden = None


def _name(handle: int, path: Path) -> None:
    """Give a file without a name one."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        # Given folder handles, Python calls linkat, which follows the link that is in /proc.
        os.link(f"/proc/self/fd/{handle}", path.name, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        os.close(folder)


@contextmanager
def _explained(path: str) -> Iterator[None]:
    """Turn the system's refusal to write into a diagnostic."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as refused:
        reason = refused.strerror or str(refused)
        raise error(f"cannot write '{path}': {reason}", kind=Kind.USAGE) from refused
