"""A folder of entries by key: verified when read, written whole or not at all, bounded in size.

    FOLDER/3f/3f0c...    "qwasmc 1 " + SHA-256 of key and bytes + newline, then the bytes

Any number of processes may use a folder at the same time.  An entry that was changed, cut short or
put under another key is told by its hash.  It is then removed, with a warning, and as good as none.
A folder that cannot be used costs time and changes nothing else.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from qwasmc.diagnostics import Diagnostic

MAX_BYTES = 5_000_000_000
"""Size of a folder, by default."""

MAGIC = b"qwasmc 1 "
HEAD = len(MAGIC) + 64 + 1
BLOCK = 1 << 20

ENTRY = re.compile("[0-9a-f]{32}|[0-9a-f]{64}")
"""Names of entries, and of those that are being written."""


class Store:
    """A folder of entries; `warn` hears about entries and folders that are bad."""

    def __init__(
        self,
        folder: Path,
        warn: Callable[[Diagnostic], object],
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self.folder = folder
        self.warn = warn
        self.max_bytes = max_bytes
        self._said: set[str] = set()

    def read(self, key: str) -> BinaryIO | None:
        """A file that stands at the first byte of an entry; None if there is no good one."""
        path = self._path(key)
        try:
            if not path.is_file():  # opening a pipe would wait
                return None
            file = open(path, "rb")  # noqa: SIM115
            head = file.read(HEAD)
            whole = hashlib.sha256(f"{key}\n".encode())
            while block := file.read(BLOCK):
                whole.update(block)
            if head == _head(whole):
                with suppress(OSError):  # removed just now, or a folder that can only be read
                    os.utime(path)
                file.seek(HEAD)
                return file
            file.close()
            self.refuse(key)
        except FileNotFoundError:
            pass  # another process was quicker
        except OSError as refused:
            self._complain(f"cannot read the cache entry {path}: {refused.strerror}")
        return None

    def refuse(self, key: str) -> None:
        """Remove an entry that makes no sense."""
        path = self._path(key)
        self._complain(f"the cache entry {path} is damaged and was removed")
        with suppress(OSError):  # the folder may be of those that can only be read
            path.unlink(missing_ok=True)

    def write(self, key: str, pieces: Iterable[bytes]) -> None:
        """Keep an entry.  One that is longer than the whole folder may be is not kept."""
        path = self._path(key)
        hidden = path.with_name(uuid4().hex)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with open(hidden, "x+b") as file:
                    file.write(bytes(HEAD))
                    whole = hashlib.sha256(f"{key}\n".encode())
                    for piece in pieces:
                        whole.update(piece)
                        file.write(piece)
                        if file.tell() > self.max_bytes:
                            return
                    file.seek(0)
                    file.write(_head(whole))
                os.replace(hidden, path)
            finally:
                hidden.unlink(missing_ok=True)
        except FileNotFoundError:
            pass  # another process made room just now
        except OSError as refused:
            self._complain(f"cannot write to the cache {self.folder}: {refused.strerror}")

    def make_room(self) -> None:
        """Remove what has not been used for longest, as long as there is too much."""
        entries = []
        for path in self._entries():
            with suppress(OSError):  # another process was quicker
                state = path.lstat()
                entries.append((state.st_mtime_ns, state.st_size, path))
        total = sum(size for _, size, _ in entries)
        for _, size, path in sorted(entries):
            if total <= self.max_bytes:
                return
            with suppress(OSError):
                path.unlink(missing_ok=True)
            total -= size

    def _entries(self) -> Iterator[Path]:
        """All entries; the folder may have other files, and links to other folders."""
        for folder in self.folder.glob("[0-9a-f][0-9a-f]"):
            if not folder.is_symlink():
                yield from (path for path in folder.glob("*") if ENTRY.fullmatch(path.name))

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / key

    def _complain(self, message: str) -> None:
        if message not in self._said:
            self._said.add(message)
            self.warn(Diagnostic(message, severity="warning"))


def _head(whole: hashlib._Hash) -> bytes:
    return MAGIC + whole.hexdigest().encode() + b"\n"
