"""Which circuits of the corpus become physical circuits, and what that takes; nothing is asserted.

    python tests/benchmarks/corpus_stim.py [FILE ...] [--distance 3] [--most-t 1200] [--verify]

Every circuit is optimised and, if it has no more T gates than asked for, compiled to a Stim file
with noise, with S|+> in place of T|+> on ideal ports.  CPU seconds and peak memory are those of
both commands.  With --verify, small circuits are checked as well; what is not decided is not shown.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from scaling import show

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "circuits"
MAGIC = re.compile(r'"qw\.t(?:dg)?"')
QUBIT = re.compile(r'"qw\.(?:alloc|input)"')
NOISE = "uniform:0.001"
SMALL = 30
"""Most T gates of a circuit that is checked."""

HEAD = "file,qubits,T,slabs,tiles,physical qubits,detectors,CPU s,peak MB,MB written"


def run(*arguments: object) -> tuple[float, float]:
    """CPU seconds and peak memory in MB of a command of qwasmc; RuntimeError if it fails."""
    command = [sys.executable, "-m", "qwasmc", "compile", *map(str, arguments)]
    with tempfile.TemporaryFile("w+") as messages:
        child = subprocess.Popen(command, stdout=messages, stderr=messages)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            messages.seek(0)
            raise RuntimeError(messages.readline().strip())
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def compiled(program: Path, options: argparse.Namespace, folder: Path) -> list[str]:
    """The row of a circuit, but for its name."""
    circuit, out, report = folder / "circuit.mlir", folder / "out.stim", folder / "report.json"
    cpu, peak = run(program, "--emit", "circuit", "-o", circuit)
    text = circuit.read_text()
    magic = len(MAGIC.findall(text))
    row = [str(len(QUBIT.findall(text))), str(magic)]
    if magic > options.most_t:
        return row
    check = ["--verify"] if options.verify and magic <= SMALL else []
    to_stim = ["-O0", "-d", options.distance, "--noise", NOISE, "-o", out, "--report", report]
    more, higher = run(circuit, *to_stim, *check)
    found = json.loads(report.read_text())
    return [
        *row,
        *(str(found[key]) for key in ("slabs", "tiles", "physical_qubits", "detectors")),
        f"{cpu + more:.1f}",
        f"{max(peak, higher):.0f}",
        f"{out.stat().st_size / 1e6:.1f}",
        *([checks(found["verification"])] if options.verify else []),
    ]


def checks(found: list[dict[str, Any]]) -> str:
    """What was proved or failed."""
    decided = [each for each in found if each["result"] in ("proved", "failed")]
    return ", ".join(f"{each['check']} {each['result']}" for each in decided)


def rows(options: argparse.Namespace, folder: Path) -> Iterable[list[str]]:
    """Rows of the table, small files first."""
    files = options.files or sorted(CORPUS.rglob("*.qasm"), key=lambda file: file.stat().st_size)
    for file in files:
        try:
            row = compiled(file, options, folder)
        except RuntimeError as refused:
            row = [str(refused)]
        yield [f"{file.parent.name}/{file.stem}", *row]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument("--distance", type=int, default=3)
    parser.add_argument("--most-t", type=int, default=1200)
    parser.add_argument("--verify", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        show([*HEAD.split(","), *["checks"] * options.verify], rows(options, Path(name)))


if __name__ == "__main__":
    main()
