"""OpenQASM 3 to QIR by the compiler of the Quantum Development Kit, in a process of its own.

It reads what Qiskit's importer does not: integers, floats and arrays, functions, computed indices.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from qwasmc.diagnostics import CompileError, Diagnostic, Kind
from qwasmc.grammar.qasm_text import Text

MAX_QIR = 1 << 28
"""Bytes of the QIR."""
TIMEOUT = 60.0
"""Seconds that it may take."""

CHILD = Path(__file__).with_name("qdk_child.py")
_UNAVAILABLE = 3
"""Exit code of the child."""

_MESSAGE = re.compile(r"^\s*x (.+(?:\n\s+\| .+)*)", re.MULTILINE)
_POSITION = re.compile(r",-\[[^\]\n]*:(\d+):(\d+)\]")

_CAPABILITIES = "Qdk.Qsc.CapabilitiesCk."
"""How the codes of what the QDK finds right, but cannot write as QIR, begin."""


class Unavailable(Exception):
    """The QDK is not installed."""


def qasm_to_qir(text: Text) -> bytes:
    """The QIR of a program; raises Unavailable if there is nothing to make it."""
    # -P: no module in the working directory or beside the child is taken for one of its imports.
    command = [sys.executable, "-P", str(CHILD)]
    try:
        done = subprocess.run(
            command, input=text.text.encode(), capture_output=True, timeout=TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        message = f"the QDK takes more than {TIMEOUT:.0f} s to compile this program"
        raise CompileError(Diagnostic(message, kind=Kind.LIMIT)) from None
    except OSError as problem:
        raise Unavailable from problem
    if done.returncode == _UNAVAILABLE:
        raise Unavailable
    if done.returncode:
        raise _refused(text, done.returncode, done.stderr.decode("utf-8", "replace"))
    if len(done.stdout) > MAX_QIR:
        message = f"limit passed: the QIR of a program may have {MAX_QIR} bytes"
        raise CompileError(Diagnostic(message, kind=Kind.LIMIT))
    return done.stdout


def _refused(text: Text, code: int, said: str) -> CompileError:
    """What the QDK says, at the position that it names first."""
    message = _MESSAGE.search(said)
    if message is None:
        shown = said.strip()[:300] or f"exit code {code}"
        return CompileError(Diagnostic(f"the QDK cannot compile this program: {shown}"))
    shown = " ".join(message[1].replace("|", " ").split())
    position = _POSITION.search(said, message.end())
    if position is None:
        return CompileError(Diagnostic(shown))
    wrong = text.error_at(shown, int(position[1]), int(position[2]) - 1)
    if _CAPABILITIES not in said[: message.start()]:
        return wrong
    help = "a loop until a result is read if all variables of the program are bits"
    return CompileError([replace(each, kind=Kind.LIMIT, help=help) for each in wrong.diagnostics])
