"""From LLVM bitcode to LLVM assembly, with PyQIR in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from qwasmc.diagnostics import CompileError, Kind, error

MAGIC = (b"BC\xc0\xde", b"\xde\xc0\x17\x0b")
"""What bitcode begins with, by itself and in a wrapper."""
MAX_TEXT = 1 << 28
"""Bytes of the text."""
TIMEOUT = 60.0
"""Seconds that it may take."""

CHILD = Path(__file__).with_name("bitcode_child.py")
_UNAVAILABLE, _TOO_LARGE = 3, 4
"""Exit codes of the child."""


def is_bitcode(data: bytes) -> bool:
    """Whether this looks like bitcode rather than text."""
    return data.startswith(MAGIC)


def to_text(data: bytes, name: str) -> bytes:
    """The text of a module in bitcode; `name` is for errors."""
    # -P: no module in the working directory or beside the child is taken for one of its imports.
    command = [sys.executable, "-P", str(CHILD), str(MAX_TEXT)]
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, timeout=TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        message = f"'{name}' is bitcode that takes more than {TIMEOUT:.0f} s to read"
        raise error(message, kind=Kind.LIMIT, help=_HELP) from None
    except (OSError, ValueError) as problem:
        message = f"'{name}' is bitcode, which needs another process to read it: {problem}"
        raise error(message, kind=Kind.USAGE, help=_HELP) from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise _failure(name, done.returncode, said[:300])
    return done.stdout


_HELP = "turn it into text with 'llvm-dis' and compile that"


def _failure(name: str, code: int, said: str) -> CompileError:
    """Why there is no text."""
    if code == _UNAVAILABLE:
        message = f"'{name}' is bitcode, and PyQIR, which reads it, cannot be loaded: {said}"
        return error(message, kind=Kind.USAGE, help=_HELP)
    if code == _TOO_LARGE:
        rule = f"the text of bitcode may have {MAX_TEXT} bytes"
        return error(f"limit passed: {rule}, that of '{name}' has more", kind=Kind.LIMIT)
    if code == 1:
        return error(f"'{name}' is not valid bitcode: {said.splitlines()[-1] if said else ''}")
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return error(f"'{name}' is not valid bitcode: it crashes PyQIR ({how})", help=_HELP)
