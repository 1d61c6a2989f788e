"""OpenQASM 3 on the standard input becomes QIR on the standard output.

Run by qasm3_qdk.py in a process of its own, because the QDK's compiler runs the classical part of
a program while it compiles, however long that takes.  Nothing may import this file.
"""

from __future__ import annotations

import sys

UNAVAILABLE = 3
"""Exit code: the QDK cannot be loaded."""

if sys.platform != "win32":
    import resource

    for limit, most in ((resource.RLIMIT_AS, 1 << 33), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(limit)
        if hard == resource.RLIM_INFINITY or hard > most:
            resource.setrlimit(limit, (most, most))

try:
    from qdk import openqasm
except ImportError as problem:
    sys.stderr.write(str(problem))
    sys.exit(UNAVAILABLE)

source = sys.stdin.buffer.read().decode()
try:
    text = str(openqasm.compile(source, name="main"))
except Exception as problem:
    sys.stderr.buffer.write(str(problem).encode())
    sys.exit(1)
sys.stdout.buffer.write(text.encode())
