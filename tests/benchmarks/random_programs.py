"""Random Clifford programs, emitted at d=3: every flow of the program, and circuit distance.

    python tests/benchmarks/random_programs.py [--programs 300] [--distances 20]

Programs have up to 6 qubits and 40 gates, with mid-circuit measurements, Pauli products, resets
and feed-forward; seeds are 0, 1, 2, ...  A program's flows are compared, with signs, with those
of the noiseless physical circuit whose inputs and outputs are left open.  The circuit distance
is that of 5-qubit Clifford programs, all qubits measured, under uniform noise.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

from qwasmc.backends.stim.emit import emit
from qwasmc.backends.stim.noise import apply_noise
from qwasmc.backends.stim.noise_models import parse_noise
from qwasmc.backends.stim.validate import Build, check_action, check_distance
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.passes.defer_paulis import defer_paulis
from qwasmc.passes.lower_surgery import lower_surgery
from qwasmc.passes.open_ends import open_ends

sys.path.insert(0, str(Path(__file__).parents[1]))
from random_circuits import ONE_QUBIT, TWO_QUBIT, random_clifford

NOISE = parse_noise("uniform:0.001")


def build(circuit: Circuit, distance: int = 3) -> Build:
    """Lower and emit without noise."""
    surgery = lower_surgery(defer_paulis(circuit))
    return Build(circuit, surgery, emit(surgery, distance))


def there_and_back(seed: int, qubits: int = 5, gates: int = 12) -> Circuit:
    """A random Clifford, then its inverse, then Z of every qubit, which must be 0."""
    rng = np.random.default_rng(seed)
    inverse = {"s": "sdg", "sdg": "s", "sx": "sxdg", "sxdg": "sx"}
    steps: list[tuple[str, list[int]]] = []
    for _ in range(gates):
        pair = rng.permutation(qubits)[:2].tolist()
        if rng.random() < 0.5:
            steps.append((str(rng.choice(TWO_QUBIT)), pair))
        else:
            steps.append((str(rng.choice(ONE_QUBIT)), pair[:1]))
    builder = CircuitBuilder()
    wires = [builder.add("alloc", attr=f"q{q}") for q in range(qubits)]
    undo = [(inverse.get(name, name), pair) for name, pair in reversed(steps)]
    for name, pair in steps + undo:
        first = builder.add(name, [wires[q] for q in pair])
        for slot, q in enumerate(pair):
            wires[q] = first + slot
    for q in range(qubits):
        bit = builder.add("measure_z", [wires[q]]) + 1
        builder.add("result", [bit], attr=f"m{q}")
    return builder.freeze()


def main() -> int:
    """Print a line per failure and a summary; exit 1 if there was one."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", type=int, default=300)
    parser.add_argument("--distances", type=int, default=20)
    arguments = parser.parse_args()
    started = time.process_time()
    flows: Counter[str] = Counter()
    for seed in range(arguments.programs):
        check = check_action("flows", build(open_ends(random_clifford(seed, renew=0.05))))
        flows[check.result] += 1
        if check.result not in ("proved", "skipped"):
            print(f"seed {seed}: {check.result}: {check.detail}")
    print(f"flows: {dict(flows)} in {time.process_time() - started:.0f} s of CPU")
    started = time.process_time()
    distances: Counter[str] = Counter()
    for seed in range(arguments.distances):
        circuit = build(there_and_back(seed)).emission.circuit
        check = check_distance(apply_noise(circuit, NOISE), 3)
        distances[check.result] += 1
        if check.result != "proved":
            print(f"seed {seed}: {check.result}: {check.detail}")
    print(f"distance: {dict(distances)} in {time.process_time() - started:.0f} s of CPU")
    return int(not {*flows, *distances} <= {"proved", "skipped"})


if __name__ == "__main__":
    sys.exit(main())
