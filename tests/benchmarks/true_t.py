"""Emitted circuits with true T gates, run by tsim: do the outcomes have the right rates?

    python tests/benchmarks/true_t.py --tsim PYTHON [-d 3] [--shots 65536] [--noise uniform:0.0001]

PYTHON is an interpreter with `bloqade-tsim` installed (Haenel et al., arXiv:2604.01059).  It gets
what `--emit tsim` writes, in which corrections S are made where they are due, so every shot counts.
The share of 1s of the result is put beside the exact one.

With `--noise`, corrections depend on records that nobody has decoded: shots with a detection event
are left out.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from dataclasses import dataclass

import numpy as np
import stim
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.quantum_info import Statevector

from qwasmc.backends import tsim
from qwasmc.backends.physical import Physical
from qwasmc.backends.stim.emit import emit
from qwasmc.backends.stim.noise import Noiser
from qwasmc.backends.stim.noise_models import parse_noise
from qwasmc.ir.circuit import CircuitBuilder
from qwasmc.ir.surgery import Surgery
from qwasmc.passes.lower_surgery import lower_surgery

PROGRAMS = (
    "h t h",
    "h tdg h",
    "h t sdg h",
    "h tdg sdg h",
    "h t t h",
    "h t t sdg h",
    "h t h t h",
    "h t h tdg h t h",
)
"""Gates on |0>, which is then measured in Z."""

SAMPLER = """
import json, sys, numpy as np, tsim
job = json.load(sys.stdin)
sampler = tsim.Circuit(job["circuit"]).compile_detector_sampler(seed=job["seed"])
shots = [sampler.sample(8192, append_observables=True) for _ in range(job["shots"] // 8192)]
sys.stdout.buffer.write(np.packbits(np.concatenate(shots), axis=1).tobytes())
"""


def lowered(gates: str) -> Surgery:
    """The surgery program of some gates on one qubit."""
    builder = CircuitBuilder()
    qubit = builder.add("alloc", attr="q")
    for gate in gates.split():
        qubit = builder.add(gate, [qubit])
    builder.add("result", [builder.add("measure_z", [qubit]) + 1], attr="m")
    return lower_surgery(builder.freeze())


def written(gates: str, distance: int, noise: str) -> stim.Circuit:
    """What tsim gets."""
    surgery = lowered(gates)
    emission = emit(surgery, distance)
    noiser = Noiser(parse_noise(noise), range(emission.num_qubits))
    made = Physical(surgery, emission, lambda: map(noiser.text, emission.texts()))
    return stim.Circuit("".join(tsim.write(made)))


def exact(gates: str) -> float:
    """The probability of 1, by Qiskit."""
    circuit = QuantumCircuit(1)
    for gate in gates.split():
        getattr(circuit, gate)(0)
    return float(Statevector(circuit).probabilities()[1])


def run_tsim(python: str, circuit: stim.Circuit, shots: int) -> NDArray[np.bool_]:
    """(shots, detectors + observables): what tsim samples."""
    job = json.dumps({"circuit": str(circuit), "seed": 1, "shots": shots})
    command = [python, "-c", SAMPLER]
    packed = subprocess.run(command, input=job.encode(), stdout=subprocess.PIPE, check=True).stdout
    width = circuit.num_detectors + circuit.num_observables
    rows = np.frombuffer(packed, dtype=np.uint8).reshape(-1, (width + 7) // 8)
    return np.unpackbits(rows, axis=1, count=width).astype(np.bool_)


@dataclass(frozen=True)
class Rate:
    """How often the result was 1 in the shots that were kept."""

    ones: int
    kept: int

    @property
    def sigma(self) -> float:
        """The standard deviation of the share, at the worst."""
        return 0.5 / max(self.kept, 1) ** 0.5


def measure(gates: str, distance: int, noise: str, python: str, shots: int) -> Rate:
    """Sample one program."""
    circuit = written(gates, distance, noise)
    sampled = run_tsim(python, circuit, shots)
    signs, _ = circuit.reference_detector_and_observable_signs()  # Stim takes them off by itself
    kept = (sampled[:, : circuit.num_detectors] == signs).all(axis=1)
    return Rate(int(sampled[kept, -1].sum()), int(kept.sum()))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tsim", required=True, metavar="PYTHON")
    parser.add_argument("-d", "--distance", type=int, default=3)
    parser.add_argument("--noise", default="none")
    parser.add_argument("--shots", type=int, default=65536)
    options = parser.parse_args()
    print(f"{'gates':16} {'shots kept':>10} {'rate of 1':>9} {'exact':>7} {'sigmas':>7}  seconds")
    for gates in PROGRAMS:
        start = time.perf_counter()
        rate = measure(gates, options.distance, options.noise, options.tsim, options.shots)
        seconds = time.perf_counter() - start
        share, right = rate.ones / max(rate.kept, 1), exact(gates)
        off = (share - right) / rate.sigma
        print(f"{gates:16} {rate.kept:10} {share:9.4f} {right:7.4f} {off:+7.2f} {seconds:8.1f}")


if __name__ == "__main__":
    main()
