"""Emitted circuits with true T gates, run by tsim: do the outcomes have the right rates?

    python tests/benchmarks/true_t.py --tsim PYTHON [-d 3] [--shots 65536]

PYTHON is an interpreter with `bloqade-tsim` installed, which runs the tagged `S[T]` of a port as
T (tsim: Haenel et al., github.com/QuEra/tsim).  Circuits of Stim's kind cannot adapt: helpers are
measured as if no correction S were due, so only shots in which none was are kept, about one in
2^(number of T).  Of these, all physical measurements of the surgery program are read, its
classical rows are evaluated, and the share of 1s of the result is put beside the exact one.

With `--noise` also detectors are read, and shots with a detection event are left out.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import stim
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.quantum_info import Statevector

from qwasmc.backends.stim.emission import Emission
from qwasmc.backends.stim.emit import emit
from qwasmc.backends.stim.noise import apply_noise, parse_noise
from qwasmc.ir.circuit import CircuitBuilder
from qwasmc.ir.surgery import Row, Surgery
from qwasmc.passes.lower_surgery import lower_surgery

PROGRAMS = (
    "h t h",
    "h tdg h",
    "h t sdg h",
    "h tdg sdg h",
    "h t t h",
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

OUTCOMES = (Row.JOIN, Row.MEASURE, Row.ADAPT)

READERS = (Row.XOR, Row.AND, Row.FIX, Row.ADAPT, Row.RESULT)

Bits: TypeAlias = NDArray[np.bool_]


def lowered(gates: str) -> Surgery:
    """The surgery program of some gates on one qubit."""
    builder = CircuitBuilder()
    qubit = builder.add("alloc", attr="q")
    for gate in gates.split():
        qubit = builder.add(gate, [qubit])
    builder.add("result", [builder.add("measure_z", [qubit]) + 1], attr="m")
    return lower_surgery(builder.freeze())


def exact(gates: str) -> float:
    """The probability of 1, by Qiskit."""
    circuit = QuantumCircuit(1)
    for gate in gates.split():
        getattr(circuit, gate)(0)
    return float(Statevector(circuit).probabilities()[1])


def with_outcomes(circuit: stim.Circuit, surgery: Surgery, emission: Emission) -> stim.Circuit:
    """The circuit with the records of each outcome as an observable, in order of rows."""
    whole = stim.Circuit()
    for instruction in circuit.flattened():
        if instruction.name != "OBSERVABLE_INCLUDE":
            whole.append(instruction)
    for number, row in enumerate(outcome_rows(surgery)):
        records = emission.bit_records(row).records
        targets = [stim.target_rec(at - circuit.num_measurements) for at in records]
        whole.append("OBSERVABLE_INCLUDE", targets, number)
    return whole


def outcome_rows(surgery: Surgery) -> list[int]:
    """The rows that measure."""
    return [row for row, kind in enumerate(surgery.kind.tolist()) if kind in OUTCOMES]


def run_tsim(python: str, circuit: stim.Circuit, shots: int) -> NDArray[np.bool_]:
    """(shots, detectors + observables): what tsim samples."""
    job = json.dumps({"circuit": str(circuit), "seed": 1, "shots": shots})
    command = [python, "-c", SAMPLER]
    packed = subprocess.run(command, input=job.encode(), stdout=subprocess.PIPE, check=True).stdout
    width = circuit.num_detectors + circuit.num_observables
    rows = np.frombuffer(packed, dtype=np.uint8).reshape(-1, (width + 7) // 8)
    return np.unpackbits(rows, axis=1, count=width).astype(np.bool_)


def evaluate(surgery: Surgery, outcomes: NDArray[np.bool_]) -> tuple[Bits, Bits]:
    """(shots,) the result, in the true reading, and where no correction S was due."""
    bits: dict[int, Bits] = dict(zip(outcome_rows(surgery), outcomes.T, strict=True))
    kept = np.ones(len(outcomes), dtype=np.bool_)
    result = kept
    for row, kind in enumerate(surgery.kind.tolist()):
        if kind == Row.CONST:
            bits[row] = np.full(len(outcomes), bool(surgery.aux[row]))
        if kind not in READERS:
            continue
        operands = np.array([bits[bit] for bit in surgery.operands(row)])
        if kind == Row.XOR:
            bits[row] = np.logical_xor.reduce(operands)
        elif kind in (Row.AND, Row.FIX):
            bits[row] = operands.all(axis=0)
        elif kind == Row.ADAPT:
            kept &= ~operands[0]
        elif kind == Row.RESULT:
            result = operands[0]
    return result, kept


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
    surgery = lowered(gates)
    emission = emit(surgery, distance)
    noisy = apply_noise(emission.circuit, parse_noise(noise))
    circuit = with_outcomes(noisy, surgery, emission)
    sampled = run_tsim(python, circuit, shots)
    flips = [emission.bit_records(row).constant == 1 for row in outcome_rows(surgery)]
    result, kept = evaluate(surgery, sampled[:, circuit.num_detectors :] ^ flips)
    signs, _ = circuit.reference_detector_and_observable_signs()  # Stim takes them off by itself
    kept &= (sampled[:, : circuit.num_detectors] == signs).all(axis=1)
    return Rate(int(result[kept].sum()), int(kept.sum()))


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
