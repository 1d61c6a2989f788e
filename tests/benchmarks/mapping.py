"""Steps under DASCOT's cost model: ours, in program order and with commutation, and wisq's.

    python tests/benchmarks/mapping.py ../shared/corpus/circuits --wisq PYTHON

Both get the same circuit: written by Qiskit in the basis of Clifford, T and rz gates, then with
words of Clifford and T for what rz are left.  All schedules are scored by the scorer of the tests,
which shares no code with either.  wisq runs in PYTHON, with its defaults but for the time limit,
several times (it has no seed): the best counts, and the time of all.  Times are CPU seconds of
mapping and routing alone.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import qiskit.qasm2
from qiskit import QuantumCircuit, transpile

import qwasmc
from qwasmc.ir.circuit import Circuit
from qwasmc.ops import OPS
from qwasmc.passes.mapping.gates import Gates, bound, read_gates
from qwasmc.passes.mapping.grid import compact_grid, square_grid
from qwasmc.passes.mapping.mapper import Mapping, map_circuit

sys.path.insert(0, str(Path(__file__).parents[1]))
from mapping_scorer import Gate, Layout, score

BASIS = ["cx", "h", "s", "sdg", "t", "tdg", "x", "y", "z", "sx", "sxdg", "rz"]
GRIDS = {"square": square_grid, "compact": compact_grid}
PEER = Path(__file__).with_name("mapping_peer.py")


class Cell(NamedTuple):
    """One result: steps (0: none), and the CPU seconds it took."""

    steps: int
    seconds: float
    remark: str = ""

    def text(self, least: int) -> str:
        """How it is printed."""
        if not self.steps:
            return f"{self.remark:>23}"
        return f"{self.steps:>6} {100 * (self.steps / least - 1):+6.1f}% {self.seconds:7.2f}s"


def clifford_t(path: Path) -> Circuit:
    """A file's circuit in Clifford and T gates."""
    circuit = transpile(
        QuantumCircuit.from_qasm_file(path), basis_gates=BASIS, optimization_level=0
    )
    program = qwasmc.parse(qiskit.qasm2.dumps(circuit))
    found = qwasmc.run_passes(program, ["promote", "specialise", "lower-gates", "synthesise"])
    assert isinstance(found, Circuit)
    return found


def as_qasm(circuit: Circuit) -> str:
    """OpenQASM 2 as wisq reads it: one register, one gate in a line."""
    wire = circuit.wires().tolist()
    lines = []
    for row, code in enumerate(circuit.op.tolist()):
        name = OPS[code].name
        if OPS[code].is_gate or name == "reset":
            lines.append(f"{name} {','.join(f'q[{wire[v]}]' for v in circuit.values(row))};")
    return header(max(wire) + 1) + "\n".join(lines) + "\n"


def header(qubits: int) -> str:
    """The lines before the gates."""
    return f'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[{qubits}];\n'


def steps_of(gates: Gates, mapping: Mapping) -> tuple[dict[int, Any], list[list[Gate]]]:
    """Our schedule as the scorer takes it."""
    home = {
        int(wire): tuple(xy) for wire, xy in zip(gates.wire, mapping.home.tolist(), strict=True)
    }
    steps: list[list[Gate]] = [[] for _ in range(mapping.steps)]
    for number, step in enumerate(mapping.step.tolist()):
        path = mapping.path[mapping.start[number] : mapping.start[number + 1]].tolist()
        steps[step].append(Gate(number, [tuple(tile) for tile in path]))
    return home, steps


def compile_kernels() -> None:
    """So that no time includes it: four T gates that get into each other's way."""
    text = header(4) + "".join(f"t q[{qubit}];\n" for qubit in range(4))
    program = qwasmc.run_passes(qwasmc.parse(text), ["promote", "specialise"])
    assert isinstance(program, Circuit)
    map_circuit(read_gates(program), compact_grid(4))


def ours(circuit: Circuit, scored: QuantumCircuit, kind: str, commute: bool) -> Cell:
    """Our own result."""
    gates = read_gates(circuit, commute)
    start = time.process_time()
    try:
        mapping = map_circuit(gates, GRIDS[kind](gates.n_qubits))
    except ValueError as error:
        return Cell(0, 0.0, str(error)[:23])
    seconds = time.process_time() - start
    steps = score(scored, kind, *steps_of(gates, mapping), commute)
    assert mapping.bound <= steps == mapping.steps
    return Cell(steps, seconds)


def wisq(python: str, file: Path, scored: QuantumCircuit, kind: str, limit: int) -> Cell:
    """One result of wisq."""
    command = [python, str(PEER), str(file), kind, str(limit)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=limit + 30, check=False
        )
    except subprocess.TimeoutExpired:
        return Cell(0, limit, "timeout")
    if done.returncode:
        return Cell(0, limit, done.stderr.strip().rpartition("\n")[2][:20])
    found = json.loads(done.stdout)
    home, steps = steps_of_wisq(found, kind)
    return Cell(score(scored, kind, home, steps), found["seconds"])


def steps_of_wisq(found: dict[str, Any], kind: str) -> tuple[dict[int, Any], list[list[Gate]]]:
    """A schedule of wisq as the scorer takes it: it numbers tiles row by row."""
    width = Layout(kind, len(found["map"])).width
    home = {int(qubit): (tile % width, tile // width) for qubit, tile in found["map"].items()}
    return home, [
        [Gate(gate["id"], [(t % width, t // width) for t in gate["path"]]) for gate in step]
        for step in found["steps"]
    ]


def best(cells: list[Cell]) -> Cell:
    """The fewest steps, and the time of all."""
    seconds = sum(cell.seconds for cell in cells)
    done = [cell for cell in cells if cell.steps]
    return min(done)._replace(seconds=seconds) if done else cells[0]._replace(seconds=seconds)


def compare(path: Path, arguments: argparse.Namespace) -> Iterator[tuple[str, str, int, Cell]]:
    """Grid, tool, bound and result, one by one."""
    circuit = clifford_t(path)
    text = as_qasm(circuit)
    scored = QuantumCircuit.from_qasm_str(text)
    least = bound(read_gates(circuit))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "circuit.qasm"
        file.write_text(text)
        for kind in GRIDS:
            yield kind, "ours", least, ours(circuit, scored, kind, False)
            yield kind, "commuting", least, ours(circuit, scored, kind, True)
            if arguments.wisq and path.stem not in arguments.slow:
                runs = range(arguments.runs)
                cells = [wisq(arguments.wisq, file, scored, kind, arguments.limit) for _ in runs]
                yield kind, "wisq", least, best(cells)


def mean(ratios: list[float]) -> float:
    """The geometric mean."""
    return math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else math.nan


def summary(results: dict[tuple[str, str], dict[str, tuple[int, Cell]]]) -> None:
    """Print geometric means over the program-order bound, and over what wisq finished."""
    print("\ngrid     tool       circuits  steps/bound  at bound   CPU s |  where wisq ended: same")
    for (kind, tool), rows in results.items():
        done = {name: row for name, row in rows.items() if row[1].steps}
        shared = [name for name, (_, cell) in results.get((kind, "wisq"), {}).items() if cell.steps]
        line = f"{kind:<8} {tool:<10}"
        for names in (list(done), [name for name in shared if name in done]):
            ratios = [done[name][1].steps / done[name][0] for name in names]
            seconds = sum(done[name][1].seconds for name in names)
            line += f"{len(names):>8}  {mean(ratios):>11.4f}  {sum(r <= 1 for r in ratios):>8}"
            line += f"  {seconds:8.1f} |"
        print(line)


def main() -> None:
    """Print the table, then geometric means."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--wisq", help="Interpreter with wisq; none: ours only.")
    parser.add_argument("--runs", type=int, default=2, help="Runs of wisq.")
    parser.add_argument("--limit", type=int, default=120, help="Seconds for each run of wisq.")
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--skip", nargs="+", default=[])
    parser.add_argument("--slow", nargs="+", default=[], help="Circuits that wisq is not to try.")
    arguments = parser.parse_args()
    compile_kernels()
    results: dict[tuple[str, str], dict[str, tuple[int, Cell]]] = defaultdict(dict)
    for path in sorted(arguments.folder.rglob("*.qasm"), key=lambda path: path.stat().st_size):
        if path.stem in arguments.skip or (arguments.only and path.stem not in arguments.only):
            continue
        for kind, tool, least, cell in compare(path, arguments):
            results[kind, tool][path.stem] = least, cell
            print(
                f"{path.stem:<28} {kind:<8} bound {least:>6}  {tool:<10} {cell.text(least)}",
                flush=True,
            )
    summary(results)


if __name__ == "__main__":
    main()
