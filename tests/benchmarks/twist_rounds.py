"""How many rounds a slab with a Y letter should last: logical error rates by extra rounds.

    python tests/benchmarks/twist_rounds.py [--shots 400000]

Two programs at d = 3 and 5 under uniform noise of 1e-3: two quarter turns on a patch, each by Y of
a helper that lives for a slab; and YYY of three patches in a row, measured twice.  Fewer rounds
than the best leave too many faults in time, more of them too many in space.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import sinter

from qwasmc.backends.stim import emit, slab_text
from qwasmc.backends.stim.noise import apply_noise
from qwasmc.backends.stim.noise_models import parse_noise
from qwasmc.ir.surgery import Letter

sys.path.insert(0, str(Path(__file__).parents[1]))
from surgery_shapes import TWISTED, experiment, planned, quarter_turns

X, Z = Letter.X, Letter.Z

PROGRAMS = {
    "two quarter turns": quarter_turns(TWISTED["YZ north"], Z, X, 0, 0),
    "YYY twice": experiment(planned("row", "YYY"), [X] * 3, [Z] * 3, [[-1]], joins=2),
}

EXTRA = (0, 1, 2, 3, 4)


def tasks() -> list[sinter.Task]:
    """A task for each program, distance and number of extra rounds."""
    noise = parse_noise("uniform:0.001")
    made = []
    for name, surgery in PROGRAMS.items():
        for distance in (3, 5):
            for extra in EXTRA:
                slab_text.TWIST_ROUNDS = extra
                circuit = apply_noise(emit.emit(surgery, distance).circuit, noise)
                meta = {"program": name, "d": distance, "extra": extra}
                made.append(sinter.Task(circuit=circuit, json_metadata=meta))
    return made


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--shots", type=int, default=400_000)
    shots = parser.parse_args().shots
    found = sinter.collect(
        num_workers=2, tasks=tasks(), decoders=["pymatching"], max_shots=shots, max_errors=5000
    )
    print("program            d  extra rounds  logical error rate")
    for stats in sorted(found, key=lambda stats: list(stats.json_metadata.values())):
        meta = stats.json_metadata
        rate = stats.errors / stats.shots
        print(f"{meta['program']:17}  {meta['d']}  {meta['extra']:12}  {rate:.2e}")


if __name__ == "__main__":
    main()
