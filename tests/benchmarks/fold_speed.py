"""CPU seconds of folding, and of pytket's RemoveRedundancies on the same circuits; asserts nothing.

    python tests/benchmarks/fold_speed.py [--gates 10000 ...] [--adders 512 ...]
        [--peer-python PYTHON]

The first table is random Clifford and T gates on 50 qubits, the second Cuccaro's ripple-carry
adders (arXiv:quant-ph/0410184) with seven T gates for each Toffoli.  Reading circuits and compiling
loops is not counted, nor is building pytket's circuit.  pytket is that of the peer Python.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from qwasmc.cost import t_count
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.passes.fold import NARROW, fold

QUBITS = 50
RANDOM = ("h", "s", "t", "cx")
TOFFOLI = (
    ("h", 2), ("cx", 1, 2), ("tdg", 2), ("cx", 0, 2), ("t", 2), ("cx", 1, 2), ("tdg", 2),
    ("cx", 0, 2), ("t", 1), ("t", 2), ("h", 2), ("cx", 0, 1), ("t", 0), ("tdg", 1), ("cx", 0, 1),
)  # fmt: skip

PEER = """
import json, sys, time
from pytket import Circuit
from pytket.passes import RemoveRedundancies
qubits, gates = json.load(open(sys.argv[1]))
circuit = Circuit(qubits)
add = {"h": circuit.H, "s": circuit.S, "t": circuit.T, "tdg": circuit.Tdg, "cx": circuit.CX}
for name, *wires in gates:
    add[name](*wires)
start = time.process_time()
RemoveRedundancies().apply(circuit)
print(time.process_time() - start)
"""

Gates = list[tuple[str | int, ...]]


def random_gates(count: int) -> Gates:
    """Seeded random gates."""
    rng = np.random.default_rng(1)
    kinds, controls = rng.integers(len(RANDOM), size=count), rng.integers(QUBITS, size=count)
    targets = (controls + rng.integers(1, QUBITS, size=count)) % QUBITS
    found: Gates = []
    for kind, a, b in zip(kinds.tolist(), controls.tolist(), targets.tolist(), strict=True):
        found.append((RANDOM[kind], a, b) if RANDOM[kind] == "cx" else (RANDOM[kind], a))
    return found


def adder_gates(bits: int) -> Gates:
    """Adds two numbers of so many bits; on 2 bits + 2 qubits."""
    found: Gates = []
    carries = [2 * bits, *range(bits)]

    def toffoli(*wires: int) -> None:
        for name, *slots in TOFFOLI:
            found.append((name, *(wires[int(slot)] for slot in slots)))

    for bit in range(bits):
        found.extend([("cx", bit, bits + bit), ("cx", bit, carries[bit])])
        toffoli(carries[bit], bits + bit, bit)
    found.append(("cx", bits - 1, 2 * bits + 1))
    for bit in reversed(range(bits)):
        toffoli(carries[bit], bits + bit, bit)
        found.extend([("cx", bit, carries[bit]), ("cx", carries[bit], bits + bit)])
    return found


def circuit_of(qubits: int, gates: Gates) -> Circuit:
    """The circuit of these gates."""
    builder = CircuitBuilder()
    wires = [builder.add("alloc", attr=f"q{qubit}") for qubit in range(qubits)]
    for name, *slots in gates:
        first = builder.add(str(name), [wires[int(slot)] for slot in slots])
        for number, slot in enumerate(slots):
            wires[int(slot)] = first + number
    return builder.freeze()


def peer_seconds(python: str, qubits: int, gates: Gates) -> float:
    """What pytket takes, in a process of its own; not a number if there is none."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gates.json"
        path.write_text(json.dumps([qubits, gates]))
        done = subprocess.run(
            [python, "-c", PEER, str(path)], capture_output=True, text=True, check=False
        )
    return float(done.stdout) if done.returncode == 0 else float("nan")


def measured(name: str, qubits: int, gates: Gates, python: str) -> str:
    """A row of a table."""
    before = circuit_of(qubits, gates)
    start = time.process_time()
    after = fold(before)
    own = time.process_time() - start
    peer = peer_seconds(python, qubits, gates)
    counts = f"{t_count(before):>9} {t_count(after):>9}"
    times = f"{own:>8.3f} {peer:>8.3f} {own / peer:>6.2f}"
    return f"{name:>9} {qubits:>7} {len(gates):>9} {counts} {times}"


def table(title: str, rows: Iterable[str]) -> None:
    """Print a table row by row."""
    print(f"\n{title}")
    print("     name  qubits     gates  T before   T after   fold s pytket s  ratio")
    for row in rows:
        print(row, flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gates", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--adders", type=int, nargs="+", default=[512, 2048, 8192])
    parser.add_argument("--peer-python", default=sys.executable)
    options = parser.parse_args(arguments)
    for qubits in (2, NARROW + 1):
        fold(circuit_of(qubits, [("t", 0), ("cx", 0, 1), ("t", 0)]))
    table(
        f"random gates on {QUBITS} qubits",
        (
            measured("random", QUBITS, random_gates(count), options.peer_python)
            for count in options.gates
        ),
    )
    table(
        "ripple-carry adders",
        (
            measured("adder", qubits, adder_gates(qubits // 2 - 1), options.peer_python)
            for qubits in options.adders
        ),
    )


if __name__ == "__main__":
    main()
