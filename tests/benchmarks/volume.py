"""Space-time volume, ours beside other estimators and compilers.

    python tests/benchmarks/volume.py --write DIR
    python tests/benchmarks/volume.py --cache DIR [--programs bell adder10 ...]
        [--qdk PYTHON] [--lsqecc lsqecc_slicer]

Everybody gets the same OpenQASM text, written by the functions here, and works at physical error
rate 1e-3 with an error budget of 1e-3 for the whole program.

    bell            a Bell pair, measured
    adder10         10 bits + 10 bits -> 11 bits (Cuccaro et al., quant-ph/0410184), 20 Toffolis
    multiplier32    32 x 32 -> 64 bits by 32 controlled additions, 3104 Toffolis
    ising10x10      ten first-order Trotter steps of a transverse-field Ising model, 2800 rotations

Numbers to be added or multiplied are put into uniform superpositions, so that nothing can be
computed in advance.

QDK (PyPI `qdk==1.33.1 qiskit pandas`, in an environment of its own) estimates without compiling;
see `volume_qdk.py`.  liblsqecc (github.com/latticesurgery-com/liblsqecc, built without Boost)
compiles Clifford+T circuits, here Qiskit's, to slices of d rounds on a grid of tiles.  It knows no
distance and no factories, magic states reappear on reserved tiles every ten slices; `physical`
makes qubits and seconds of its tiles and slices.  Ours is `qwasmc compile --error-budget`, which
chooses the distance, the floor plan and the number of factories.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from qiskit import QuantumCircuit, qasm2, qasm3, transpile
from qiskit.synthesis import gridsynth_rz

HERE = Path(__file__).resolve().parent

ERROR = 1e-3
BUDGET = 1e-3
ROUND_NS = 400
"""Four layers of two-qubit gates of 50 ns, and two of measurements of 100 ns, as QDK has it."""

# -- programs ----------------------------------------------------------------------------------


def program(registers: dict[str, int], body: list[str], measured: list[str]) -> str:
    """OpenQASM 3 with these registers of qubits, of which some are measured at the end."""
    lines = ["OPENQASM 3.0;", 'include "stdgates.inc";']
    lines += [f"qubit[{size}] {name};" for name, size in registers.items()]
    lines += [f"bit[{registers[name]}] m{name};" for name in measured]
    lines += [f"{line};" for line in body]
    lines += [f"m{name} = measure {name};" for name in measured]
    return "\n".join(lines) + "\n"


def spread(name: str, size: int) -> list[str]:
    """A register in the uniform superposition of all numbers."""
    return [f"h {name}[{i}]" for i in range(size)]


def majority(carry: str, b: str, a: str) -> list[str]:
    """Cuccaro et al., quant-ph/0410184, figure 1: `a` becomes the next carry."""
    return [f"cx {a}, {b}", f"cx {a}, {carry}", f"ccx {carry}, {b}, {a}"]


def bell() -> str:
    """Two qubits."""
    return program({"q": 2}, ["h q[0]", "cx q[0], q[1]"], ["q"])


def adder(n: int) -> str:
    """b += a with carry out."""
    carries = ["c[0]", *(f"a[{i}]" for i in range(n))]
    body = spread("a", n) + spread("b", n)
    for i in range(n):
        body += majority(carries[i], f"b[{i}]", f"a[{i}]")
    body.append(f"cx a[{n - 1}], out[0]")
    for i in reversed(range(n)):
        carry, b, a = carries[i], f"b[{i}]", f"a[{i}]"
        body += [f"ccx {carry}, {b}, {a}", f"cx {a}, {carry}", f"cx {carry}, {b}"]
    return program({"c": 1, "a": n, "b": n, "out": 1}, body, ["b", "out"])


def multiplier(n: int) -> str:
    """product = a b, by adding a to it from place i on where b[i] is 1.

    An adder whose sums are written under control: the carries are computed and undone anyway.
    """
    body = spread("a", n) + spread("b", n)
    carries = ["c[0]", *(f"a[{i}]" for i in range(n))]
    for shift in range(n):
        control = f"b[{shift}]"
        for i in range(n):
            body += majority(carries[i], f"product[{shift + i}]", f"a[{i}]")
        body.append(f"ccx {control}, a[{n - 1}], product[{shift + n}]")
        for i in reversed(range(n)):
            carry, p, a = carries[i], f"product[{shift + i}]", f"a[{i}]"
            # here p holds p ^ a and the carry's qubit carry ^ a
            body += [f"ccx {carry}, {p}, {a}", f"ccx {control}, {carry}, {p}"]
            body += [f"cx {a}, {p}", f"cx {a}, {carry}"]
    return program({"c": 1, "a": n, "b": n, "product": 2 * n}, body, ["product"])


def ising(side: int, steps: int, field: float = 0.7, step: float = 0.1) -> str:
    """exp(i step sum ZZ) and exp(i step field sum X) in turn, on a square grid."""
    sites = [(x, y) for y in range(side) for x in range(side)]
    pairs = [((x, y), (x + 1, y)) for x, y in sites if x + 1 < side]
    pairs += [((x, y), (x, y + 1)) for x, y in sites if y + 1 < side]
    body = []
    for _ in range(steps):
        for one, other in pairs:
            a, b = (f"q[{x + side * y}]" for x, y in (one, other))
            body += [f"cx {a}, {b}", f"rz({-2 * step}) {b}", f"cx {a}, {b}"]
        body += [f"rx({-2 * step * field}) q[{i}]" for i in range(side * side)]
    return program({"q": side * side}, body, ["q"])


PROGRAMS: dict[str, Callable[[], str]] = {
    "bell": bell,
    "adder10": lambda: adder(10),
    "multiplier32": lambda: multiplier(32),
    "ising10x10": lambda: ising(10, 10),
}

# -- those who are compared --------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A line of the table; `tiles` and `slabs` are 0 where nobody says them."""

    system: str
    model: str
    distance: int
    qubits: int
    seconds: float
    t_states: int
    factory_qubits: int
    tiles: int = 0
    slabs: int = 0

    @property
    def volume(self) -> float:
        """Qubit seconds."""
        return self.qubits * self.seconds


class Failed(Exception):
    """A system could not do a program; the message is its error, or the last it said."""


def run(command: list[str], text: str = "", limit: float = 900) -> str:
    """What a command prints."""
    try:
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise Failed(f"nothing after {limit:.0f} s") from late
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no message"]
        raise Failed(next((text for text in said if "error" in text.lower()), said[-1]))
    return done.stdout


def distance_for(tile_slabs: int, budget: float) -> int:
    """The odd distance at which so many patches times d rounds keep to the budget.

    A patch fails in d rounds with probability 0.03 (p / 0.01)^((d + 1) / 2), QDK's formula
    (arXiv:2211.07629, table V).
    """
    distance = 3
    while tile_slabs * 0.03 * (ERROR / 0.01) ** ((distance + 1) / 2) > budget:
        distance += 2
    return distance


def physical(
    system: str, model: str, tiles: int, slabs: int, t_states: int, per_tile: Callable[[int], int]
) -> Row:
    """Tiles and slabs of d rounds in qubits and seconds; `per_tile` are qubits by distance.

    Two thirds of the budget are left for T states and rotations, if there are T states.
    """
    distance = distance_for(tiles * slabs, BUDGET / 3 if t_states else BUDGET)
    seconds = slabs * distance * ROUND_NS * 1e-9
    qubits = tiles * per_tile(distance)
    return Row(system, model, distance, qubits, seconds, t_states, 0, tiles, slabs)


def with_qdk(python: str, text: str) -> list[Row]:
    """Both estimators of the QDK."""
    found = run([python, "-W", "ignore", str(HERE / "volume_qdk.py")], text)
    return [Row(**row) for row in json.loads(found)]


def clifford_t(text: str) -> QuantumCircuit:
    """Qiskit's Clifford+T circuit on one register, without the measurements at the end.

    Angles are Ross and Selinger's (arXiv:1403.2975), to a third of the budget together.
    """
    basis = ["h", "s", "sdg", "t", "tdg", "x", "y", "z", "cx", "rz"]
    parsed = qasm3.loads(text)
    parsed.remove_final_measurements()
    circuit = transpile(parsed, basis_gates=basis, optimization_level=0)
    epsilon = BUDGET / 3 / max(1, circuit.count_ops().get("rz", 0))
    word: dict[float, QuantumCircuit] = {}
    flat = QuantumCircuit(circuit.num_qubits)
    for step in circuit.data:
        qubits = [circuit.find_bit(qubit).index for qubit in step.qubits]
        if step.operation.name != "rz":
            flat.append(step.operation, qubits)
            continue
        angle = float(step.operation.params[0])
        if angle not in word:
            word[angle] = gridsynth_rz(angle, epsilon)
        flat.compose(word[angle], qubits, inplace=True)
    return flat


LAYOUTS = {
    "one lane per qubit, waves (2110.11493)": ["-L", "edpc", "-P", "wave"],
    "compact block (1808.02892)": ["-L", "compact_no_clogging"],
}
"""liblsqecc's options; its default layout does not end on most circuits."""


def with_lsqecc(slicer: str, text: str, cache: Path, limit: float) -> list[Row]:
    """Both layouts of liblsqecc."""
    circuit = clifford_t(text)
    counts = circuit.count_ops()
    source = cache / "lsqecc.qasm"
    qasm2.dump(circuit, source)
    rows = []
    for layout, options in LAYOUTS.items():
        command = [slicer, "-I", "qasm", "-i", str(source), "-f", "stats", "--noslices", *options]
        try:
            printed = run(command, limit=limit)
        except Failed as failure:
            print(f"    liblsqecc, {layout}: {failure}")
            continue
        # it counts the slices that it writes out in its volume, but not in the number it prints
        volume = int(printed.rpartition("Total volume: ")[2].split()[0])
        tiles = grid_size(slicer, circuit.num_qubits, options, cache)
        t_states = counts.get("t", 0) + counts.get("tdg", 0)
        rows.append(
            physical("liblsqecc", layout, tiles, volume // tiles, t_states, lambda d: 2 * d * d)
        )
    return rows


def grid_size(slicer: str, qubits: int, options: list[str], cache: Path) -> int:
    """The tiles of liblsqecc's grid for so many qubits, from the slices of one gate."""
    circuit = QuantumCircuit(qubits)
    circuit.h(0)
    source, slices = cache / "one-gate.qasm", cache / "slices.json"
    qasm2.dump(circuit, source)
    run([slicer, "-I", "qasm", "-i", str(source), "-o", str(slices), *options])
    grid = json.loads(slices.read_text())[0]
    return len(grid) * len(grid[0])


FACTORIES = ("15-to-1", "cultivation-5")


def with_qwasmc(text: str, factory: str, cache: Path) -> list[Row]:
    """Ours: of the plans that keep to the budget, the one with the least volume."""
    source, schedule = cache / "qwasmc.qasm", cache / "qwasmc.json"
    source.write_text(text)
    options = ["--emit", "surgery", "-o", str(cache / "qwasmc.mlir"), "--schedule", str(schedule)]
    options += ["--error-budget", str(BUDGET), "--factory", factory]
    run([sys.executable, "-m", "qwasmc", "compile", str(source), *options])
    told = json.loads(schedule.read_text())
    plan = min(told["pareto"], key=lambda plan: (plan["qubits"] * plan["rounds"], plan["qubits"]))
    count = plan["factories"]
    size = math.prod(told["factories"][0]["size"]) if count else 0
    row = Row(
        system="qwasmc",
        model=(f"{count} x {factory}, " if count else "") + plan["floor_plan"],
        distance=plan["distance"],
        qubits=plan["qubits"],
        seconds=plan["rounds"] * ROUND_NS * 1e-9,
        t_states=len(told["consumptions"]),
        factory_qubits=plan["qubits"] * count * size // plan["tiles"],
        tiles=plan["tiles"],
        slabs=plan["slabs"],
    )
    return [row]


# -- the table ---------------------------------------------------------------------------------


def line(row: Row) -> str:
    """One row as text."""
    share = f"{row.factory_qubits / row.qubits:7.1%}" if row.factory_qubits else f"{'-':>7}"
    where = f"{row.tiles:8} {row.slabs:8}" if row.tiles else f"{'-':>8} {'-':>8}"
    return (
        f"    {row.system:11} {row.model:40} {row.distance:3} {row.qubits:9} {row.seconds:9.2e} "
        f"{row.t_states:7} {share} {where} {row.volume:10.3e}"
    )


def main() -> None:
    """Write the programs, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", type=Path, metavar="DIR")
    parser.add_argument("--cache", type=Path, default=Path("volume"), metavar="DIR")
    parser.add_argument("--programs", nargs="+", choices=PROGRAMS, default=list(PROGRAMS))
    parser.add_argument("--qdk", metavar="PYTHON")
    parser.add_argument("--lsqecc", metavar="lsqecc_slicer")
    parser.add_argument("--limit", type=float, default=300, help="seconds for liblsqecc")
    options = parser.parse_args()
    directory = options.write or options.cache
    directory.mkdir(parents=True, exist_ok=True)
    print(
        f"    {'system':11} {'factories or layout':40} {'d':>3} {'qubits':>9} {'seconds':>9} "
        f"{'T':>7} {'factory':>7} {'tiles':>8} {'slabs':>8} {'qubit s':>10}"
    )
    for name in options.programs:
        text = PROGRAMS[name]()
        if options.write:
            (directory / f"{name}.qasm").write_text(text)
            continue
        print(name)
        ask: list[Callable[[], list[Row]]] = [
            partial(with_qwasmc, text, factory, directory) for factory in FACTORIES
        ]
        if options.qdk:
            ask.append(partial(with_qdk, options.qdk, text))
        if options.lsqecc:
            ask.append(partial(with_lsqecc, options.lsqecc, text, directory, options.limit))
        for system in ask:
            try:
                print(*map(line, system()), sep="\n", flush=True)
            except Failed as failure:
                print(f"    {failure}")


if __name__ == "__main__":
    main()
