"""Bitcode on the standard input becomes LLVM assembly on the standard output.

Run by bitcode.py in a process of its own, because damaged bitcode can crash LLVM, and what is
shared in bitcode is written out in text, however large it gets.  Nothing may import this file.
"""

from __future__ import annotations

import sys

UNAVAILABLE, TOO_LARGE = 3, 4
"""Exit codes: PyQIR cannot be loaded; the text is too long."""

if sys.platform != "win32":
    import resource

    for limit, most in ((resource.RLIMIT_AS, 1 << 33), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(limit)
        if hard == resource.RLIM_INFINITY or hard > most:
            resource.setrlimit(limit, (most, most))

try:
    import pyqir
except ImportError as problem:
    sys.stderr.write(str(problem))
    sys.exit(UNAVAILABLE)

try:
    module = pyqir.Module.from_bitcode(pyqir.Context(), sys.stdin.buffer.read())
except ValueError as problem:
    sys.exit(str(problem))
text = str(module).encode()
if len(text) > int(sys.argv[1]):
    sys.exit(TOO_LARGE)
sys.stdout.buffer.write(text)
