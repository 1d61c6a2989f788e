"""How many rounds a slab with a Y letter should last: logical error rates by extra rounds.

    python tests/benchmarks/twist_rounds.py [--shots 400000]

Two S gates on |+>, then X, at d = 3 and 5 under uniform noise of 1e-3.  Fewer rounds than the
best leave too many faults in time, more of them too many in space.
"""

from __future__ import annotations

import argparse

import sinter

from qwasmc.backends.stim import emit
from qwasmc.backends.stim.noise import apply_noise, parse_noise
from qwasmc.ir.circuit import CircuitBuilder
from qwasmc.ir.surgery import Surgery
from qwasmc.passes.lower_surgery import lower_surgery

EXTRA = (0, 1, 2, 3, 4)


def two_phase_gates() -> Surgery:
    """|+>, S, S, measured in X: always 1."""
    builder = CircuitBuilder()
    qubit = builder.add("h", [builder.add("alloc", attr="q")])
    qubit = builder.add("s", [builder.add("s", [qubit])])
    builder.add("result", [builder.add("measure_x", [qubit]) + 1], attr="m")
    return lower_surgery(builder.freeze())


def tasks() -> list[sinter.Task]:
    """A task for each distance and number of extra rounds."""
    surgery, noise = two_phase_gates(), parse_noise("uniform:0.001")
    made = []
    for distance in (3, 5):
        for extra in EXTRA:
            emit.TWIST_ROUNDS = extra
            circuit = apply_noise(emit.emit(surgery, distance).circuit, noise)
            made.append(sinter.Task(circuit=circuit, json_metadata={"d": distance, "extra": extra}))
    return made


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--shots", type=int, default=400_000)
    shots = parser.parse_args().shots
    found = sinter.collect(
        num_workers=2, tasks=tasks(), decoders=["pymatching"], max_shots=shots, max_errors=5000
    )
    print("d  extra rounds  logical error rate")
    for stats in sorted(found, key=lambda s: (s.json_metadata["d"], s.json_metadata["extra"])):
        meta = stats.json_metadata
        print(f"{meta['d']}  {meta['extra']:12}  {stats.errors / stats.shots:.2e}")


if __name__ == "__main__":
    main()
