"""How well patches keep under each target's noise, beside the model that distances follow from.

    python tests/benchmarks/targets.py [SHOTS]

A patch waits for three slabs; the rate is that of X and Z together, in a round.  The model is
`crossing_prefactor` (p / `error_correction_threshold`)^((d + 1) / 2).
"""

from __future__ import annotations

import sys
from dataclasses import replace

import pymatching
import stim

import qwasmc
from qwasmc.target import TARGETS, Target

DISTANCES = (3, 5, 7)

MEMORY = """"builtin.module"() ({{
  %q0 = "qw.alloc"() {{name = "a"}} : () -> !qw.qubit
  {basis}
  "qw.syndrome"() {{rounds = {rounds}}} : () -> ()
  %q2, %b = "qw.measure_{letter}"(%q{last}) : (!qw.qubit) -> (!qw.qubit, i1)
  "qw.result"(%b) {{name = "m"}} : (i1) -> ()
  "qw.free"(%q2) : (!qw.qubit) -> ()
}}) {{qw.level = "circuit"}} : () -> ()
"""

IN_X = '%q1 = "qw.h"(%q0) : (!qw.qubit) -> !qw.qubit'


def memory(target: Target, distance: int, letter: str) -> tuple[stim.Circuit, int]:
    """A patch that waits, measured in a basis, and its rounds."""
    basis, last = (IN_X, 1) if letter == "x" else ("", 0)
    text = MEMORY.format(basis=basis, rounds=3 * distance, letter=letter, last=last)
    made = qwasmc.compile(text, language="ir", distance=distance, target=target, noise="target")
    return made.circuit, sum(made.emission.slab_rounds)


def errors(circuit: stim.Circuit, shots: int) -> int:
    """Shots in which matching mispredicts the outcome."""
    model = circuit.detector_error_model(decompose_errors=True, approximate_disjoint_errors=True)
    matching = pymatching.Matching.from_detector_error_model(model)
    sampler, wrong = circuit.compile_detector_sampler(seed=1), 0
    for start in range(0, shots, 100_000):
        some = min(100_000, shots - start)
        detectors, observables = sampler.sample(some, separate_observables=True)
        wrong += int((matching.decode_batch(detectors) != observables).any(axis=1).sum())
    return wrong


def main(shots: int) -> None:
    print(
        "| target | d | Z errors | X errors | rate in a round | model |\n|---|---|---|---|---|---|"
    )
    for target in TARGETS:
        if target.gates is None:
            continue
        for distance in DISTANCES:
            seen, rate = [], 0.0
            for letter in "zx":
                circuit, rounds = memory(replace(target, max_qubits=None), distance, letter)
                seen.append(errors(circuit, shots))
                rate += seen[-1] / shots / rounds
            model = target.code.patch_error(target.gates.error_rate, distance)
            counts = f"{seen[0]} | {seen[1]}"
            print(
                f"| {target.name} | {distance} | {counts} | {rate:.1e} | {model:.1e} |", flush=True
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
