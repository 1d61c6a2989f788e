"""T gates and two-qubit gates of benchmark circuits: ours at each level, other tools, published.

    python tests/benchmarks/t_counts.py ../shared/corpus/circuits --peer-python PYTHON

The folder has `feynman/*.qasm` and `published_t_counts.csv`.  Input to all is each circuit with its
Toffolis written with seven T and six CX.  Ours is compiled by the command line's own driver and
every output is checked (`--verify`); other tools run in PYTHON, an interpreter that has pytket,
pyzx and qiskit, on the same input in the same run.  Times are CPU seconds of the optimisation.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from qwasmc.cost import t_count, two_qubit_count
from qwasmc.driver import compile_source
from qwasmc.ir.circuit import Circuit
from qwasmc.ops import OPS
from qwasmc.options import Options, Watch
from qwasmc.reading import Source, read_source

PEERS = ("pytket", "pyzx", "qiskit")
PUBLISHED = ("fold(PyZX=FastTMerge)", "FastTODD", "polytof_T")
TOOLS = Path(__file__).with_name("t_peers.py")


class Cell(NamedTuple):
    """What one tool made of one circuit."""

    t: float
    two: float
    seconds: float
    remark: str = ""


MISSING = Cell(math.nan, math.nan, math.nan, "-")


def ours(source: Source, level: int, budget: float) -> Cell:
    """Our own result at a level."""
    watch = Watch()
    options = Options(emit="circuit", level=level, verify=True, time_budget=budget)
    artifact = compile_source(source, options, watch)
    passes = ("lower-gates", "cancel", "fold", "reduce-t", "resynthesise", "synthesise")
    seconds = sum(watch.timings.get(name, 0.0) for name in passes)
    circuit = artifact.program
    remark = " " + ",".join(item["result"] for item in artifact.verification)
    return Cell(t_count(circuit), two_qubit_count(circuit), seconds, remark)


TOFFOLI = (
    ("h", 2), ("cx", 1, 2), ("tdg", 2), ("cx", 0, 2), ("t", 2), ("cx", 1, 2), ("tdg", 2),
    ("cx", 0, 2), ("t", 1), ("t", 2), ("h", 2), ("cx", 0, 1), ("t", 0), ("tdg", 1), ("cx", 0, 1),
)  # fmt: skip
"""Seven T and six CX (Nielsen and Chuang, figure 4.9)."""


def as_qasm(circuit: Circuit) -> tuple[str, Cell]:
    """A circuit without measurements in OpenQASM 2, its Toffolis written out; what it has."""
    wire = circuit.wires().tolist()
    lines = ["OPENQASM 2.0;", 'include "qelib1.inc";', f"qreg q[{max(wire) + 1}];"]
    t = two = 0
    for row, code in enumerate(circuit.op.tolist()):
        if not OPS[code].is_gate:
            continue
        wires = [wire[value] for value in circuit.values(row)]
        name = OPS[code].name
        steps = TOFFOLI if name == "ccx" else ((name, *range(len(wires))),)
        for gate, *slots in steps:
            lines.append(f"{gate} {','.join(f'q[{wires[slot]}]' for slot in slots)};")
            t += gate in ("t", "tdg")
            two += len(slots) == 2
    return "\n".join(lines), Cell(t, two, 0.0)


def peer(tool: str, text: str, python: str, timeout: float) -> Cell:
    """What another tool makes of a circuit."""
    try:
        done = subprocess.run(
            [python, str(TOOLS), tool],
            input=text,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=True,
        )
    except subprocess.TimeoutExpired:
        return MISSING._replace(remark="timeout")
    except subprocess.CalledProcessError as failed:
        return MISSING._replace(remark=failed.stderr.strip().rpartition("\n")[2][:40])
    found = json.loads(done.stdout)
    return Cell(found["t"], found["two_qubit"], found["seconds"])


def published(folder: Path) -> dict[str, dict[str, str]]:
    """Published counts by file name."""
    with open(folder / "published_t_counts.csv") as file:
        return {row["circuit"].replace("^", ""): row for row in csv.DictReader(file)}


def rows(arguments: argparse.Namespace) -> Iterator[tuple[str, dict[str, Cell], Sequence[str]]]:
    """Each circuit with all results."""
    known = published(arguments.folder)
    for path in sorted(
        (arguments.folder / "feynman").glob("*.qasm"), key=lambda p: p.stat().st_size
    ):
        if path.stem in arguments.skip or (arguments.only and path.stem not in arguments.only):
            continue
        source = read_source(str(path))
        cells = {}
        options = Options(emit="circuit", passes=("promote", "specialise"))
        text, cells["input"] = as_qasm(compile_source(source, options, Watch()).ir)
        for level in arguments.levels:
            cells[f"O{level}"] = ours(source, level, arguments.budget)
        if arguments.peer_python:
            for tool in PEERS:
                cells[tool] = peer(tool, text, arguments.peer_python, arguments.timeout)
        counts = known.get(path.stem, {})
        yield path.stem, cells, [counts.get(name, "-") for name in PUBLISHED]


def mean(ratios: Sequence[float]) -> float:
    """The geometric mean."""
    return math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else math.nan


def main() -> None:
    """Print the table, then geometric means against the input."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--peer-python", help="Interpreter with the other tools; none: ours only.")
    parser.add_argument("--levels", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--budget", type=float, default=60.0, help="Seconds of search at -O3.")
    parser.add_argument("--timeout", type=float, default=120.0, help="Seconds for each peer.")
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--skip", nargs="+", default=["hwb10", "gf264_mult"])
    arguments = parser.parse_args()
    ratios: dict[str, list[tuple[float, float]]] = {}
    for name, cells, counts in rows(arguments):
        start = cells["input"]
        shown = [f"{name:<15}"]
        for tool, cell in cells.items():
            text = f"{cell.t:5.0f}/{cell.two:5.0f}/{cell.seconds:6.2f}"
            shown.append(f"{tool} {text if cell.t == cell.t else ''}{cell.remark}")
            if cell.t == cell.t and cell.t > 0 and cell.two > 0:
                pair = (cell.t / start.t, cell.two / start.two)
                ratios.setdefault(tool, []).append(pair)
        print(" | ".join([*shown, *counts]), flush=True)
    print(f"\n{'tool':<8} circuits  T     two-qubit   (geometric means against the input)")
    for tool, pairs in ratios.items():
        t, two = mean([pair[0] for pair in pairs]), mean([pair[1] for pair in pairs])
        print(f"{tool:<8} {len(pairs):>8}  {t:.3f}  {two:.3f}")


if __name__ == "__main__":
    sys.exit(main())
