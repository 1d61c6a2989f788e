"""CPU seconds and memory of the way from a circuit to surgery and schedule; nothing is asserted.

    python tests/benchmarks/schedule_scale.py [--t-gates 10000 100000 1000000] [--qubits 50]
        [--factory port]

Random circuits of Clifford and T gates; every size runs in a process of its own.  *Parities* are
part of *script*, that is part of *lowering*; the rest of it is the schedule and its rows.  Peak
memory is that after the lowering and the JSON; it includes Python, its imports and the circuit.
The text is not written anywhere.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, TypeVar

from scaling import show

from qwasmc.backends.timetable import timetable
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.passes.lower_surgery import lower_surgery
from qwasmc.passes.observables import deterministic_parities
from qwasmc.passes.scheduling.factories import FACTORIES
from qwasmc.passes.scheduling.production import production
from qwasmc.passes.scheduling.script import write_script
from qwasmc.target import DEFAULT_DISTANCE, DEFAULT_ERROR_RATE
from qwasmc.text import print_lines

Result = TypeVar("Result")

GATES = ["t"] * 4 + ["h"] * 2 + ["s"] + ["cx"] * 3
"""Gates by how often they are drawn."""

HEAD = "T gates,rows,slabs,parities s,script s,lowering s,us per T,JSON s,peak MB,text s,text MB"


def random_circuit(t_gates: int, qubits: int) -> Circuit:
    """Random gates, until there are so many T, and measurements."""
    draw, out = Random(1), CircuitBuilder()
    wires = [out.add("alloc", attr=f"q{i}") for i in range(qubits)]
    while t_gates:
        name = draw.choice(GATES)
        used = draw.sample(range(qubits), 1 + (name == "cx"))
        first = out.add(name, [wires[i] for i in used])
        for slot, i in enumerate(used):
            wires[i] = first + slot
        t_gates -= name == "t"
    for i, wire in enumerate(wires):
        out.add("result", [out.add("measure_z", [wire]) + 1], attr=f"m{i}")
    return out.freeze()


def timed(function: Callable[..., Result], *arguments: Any) -> tuple[float, Result]:
    """CPU seconds of a call, and what it returns."""
    start = time.process_time()
    result = function(*arguments)
    return time.process_time() - start, result


def measure(t_gates: int, qubits: int, factory: str) -> list[str]:
    """The row of one size."""
    lower_surgery(random_circuit(10, 3), "sparse", factory)  # loads the kernels
    circuit = random_circuit(t_gates, qubits)
    made = production(FACTORIES[factory](DEFAULT_ERROR_RATE, DEFAULT_DISTANCE))
    parities, _ = timed(deterministic_parities, circuit)
    script, _ = timed(write_script, circuit, made)
    lowering, surgery = timed(lower_surgery, circuit, "sparse", factory)
    dumped, _ = timed(lambda: json.dumps(timetable(surgery)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    text, size = timed(lambda: sum(map(len, print_lines(surgery))))
    seconds = [f"{each:.2f}" for each in (parities, script, lowering)]
    per_gate = f"{1e6 * (lowering + dumped) / t_gates:.1f}"
    counts = [str(count) for count in (t_gates, len(surgery), surgery.slabs)]
    return [
        *counts,
        *seconds,
        per_gate,
        f"{dumped:.2f}",
        f"{peak:.0f}",
        f"{text:.2f}",
        f"{size / 1e6:.0f}",
    ]


def rows(sizes: list[int], qubits: int, factory: str) -> Iterator[list[str]]:
    """Rows of the table, each from a process of its own."""
    for size in sizes:
        words = [sys.executable, __file__, "--one", size, "--qubits", qubits, "--factory", factory]
        done = subprocess.run([str(word) for word in words], capture_output=True, check=True)
        yield json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    sizes = [10_000, 100_000, 1_000_000]
    parser.add_argument("--t-gates", type=int, nargs="*", default=sizes)
    parser.add_argument("--qubits", type=int, default=50)
    parser.add_argument("--factory", default="port")
    parser.add_argument("--one", type=int, help="run this size here and print its row as JSON")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.qubits, options.factory)))
        return
    show(HEAD.split(","), rows(options.t_gates, options.qubits, options.factory))


if __name__ == "__main__":
    main()
