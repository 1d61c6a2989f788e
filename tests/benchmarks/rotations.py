"""T gates and time per rotation about Z, ours beside Qiskit's and pygridsynth's words, in one run.

    python tests/benchmarks/rotations.py [--angles 100] [--seed 1] [--measured 1000]
        [--peer-python PYTHON]

All get the same random angles, and an error that is stated as a diamond distance.  For unitaries as
near as these it is twice the distance in operator norm up to global phase, which `unitary` and
`project` take; `gridsynth_rz` takes the diamond distance, and pygridsynth the operator norm without
the freedom of a phase, so it is asked for half.  Times are of the processor, without imports.
pygridsynth is run where `--peer-python` has it, and on fewer angles, since it is slow.

Then `--measured` angles are synthesised and every word is multiplied out in numpy, both outcomes of
the measurement too: the largest operator error over what was allowed; exit 1 if it is above 1.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np
from qiskit.synthesis import gridsynth_rz

from qwasmc.passes.rotations.fallback import Fallback, project, t_count, unitary

DISTANCES = (1e-3, 1e-6, 1e-10)

PEER = """
import json, sys, time
from pygridsynth.gridsynth import gridsynth_gates
angles, epsilon = json.load(sys.stdin)
gridsynth_gates(theta=0.1, epsilon=0.1)
start = time.process_time()
counts = [gridsynth_gates(theta=angle, epsilon=epsilon).count("T") for angle in angles]
print(json.dumps([counts, time.process_time() - start]))
"""

Cost = tuple[float, int]
"""T gates on average and at worst."""


def ours(angle: float, distance: float) -> Cost:
    count = t_count(unitary(angle, distance / 2))
    return count, count


def measured(angle: float, distance: float) -> Cost:
    found = project(angle, distance / 2)
    return (found.expected_t, found.worst_t) if found else ours(angle, distance)


def qiskit(angle: float, distance: float) -> Cost:
    counts = gridsynth_rz(angle, distance).count_ops()
    count = counts.get("t", 0) + counts.get("tdg", 0)
    return count, count


def timed(
    synthesise: Callable[[float, float], Cost], angles: Sequence[float], distance: float
) -> tuple[list[Cost], float]:
    """The costs, and seconds."""
    start = time.process_time()
    costs = [synthesise(angle, distance) for angle in angles]
    return costs, time.process_time() - start


def peer(python: str, angles: Sequence[float], distance: float) -> tuple[list[Cost], float]:
    given = json.dumps([list(angles), distance / 2])
    done = subprocess.run(
        [python, "-c", PEER], input=given, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"pygridsynth failed: {done.stderr.strip()}")
    counts, seconds = json.loads(done.stdout)
    return [(count, count) for count in counts], seconds


def row(name: str, distance: float, costs: Sequence[Cost], seconds: float) -> None:
    mean = sum(cost[0] for cost in costs) / len(costs)
    expected = f"{mean:8.2f} {max(cost[0] for cost in costs):8.1f} {max(c[1] for c in costs):6}"
    print(f"{distance:8g}  {name:22} {expected} {1e3 * seconds / len(costs):9.2f} {len(costs):7}")


# -- errors


LETTERS = {"h": np.array([[1, 1], [1, -1]]) / math.sqrt(2), "x": np.array([[0, 1], [1, 0]])}


def matrix(word: str) -> np.ndarray:
    eighth = np.exp(0.25j * np.pi)
    steps = [LETTERS[c] if c in LETTERS else np.diag([1, eighth ** int(c)]) for c in word]
    return reduce(lambda before, step: step @ before, steps, np.eye(2, dtype=complex))


def error(unitary: np.ndarray, angle: float) -> float:
    """In operator norm, up to global phase, from the rotation."""
    first, second = np.linalg.eigvals(np.diag(np.exp([0.5j * angle, -0.5j * angle])) @ unitary)
    return 2 * math.sin(abs(np.angle(first / second)) / 4)


def branch_errors(found: Fallback, angle: float) -> list[float]:
    """Of what the data undergoes for the outcomes 0 and 1."""
    (a, b), (c, d) = matrix(found.word)
    success, failure = np.diag([a, d]), matrix(found.correction) @ np.diag([c, b])
    return [
        error(branch / math.sqrt(abs(np.linalg.det(branch))), angle)
        for branch in (success, failure)
    ]


def worst(angles: Sequence[float], distance: float) -> tuple[float, float]:
    """The largest error of a unitary and of a measured rotation, over what was allowed."""
    allowed = distance / 2
    plain = max(error(matrix(unitary(angle, allowed)), angle) for angle in angles)
    found = [(angle, project(angle, allowed)) for angle in angles]
    branches = [branch_errors(each, angle) for angle, each in found if each]
    return plain / allowed, max(max(both) for both in branches) / allowed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--angles", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--measured", type=int, default=1000)
    parser.add_argument("--peer-python")
    given = parser.parse_args()
    rng = random.Random(given.seed)
    angles = [rng.uniform(-math.pi, math.pi) for _ in range(given.angles)]
    print(" diamond  by                        T mean     most  worst  ms/angle  angles")
    for distance in DISTANCES:
        row("project (measures)", distance, *timed(measured, angles, distance))
        row("unitary", distance, *timed(ours, angles, distance))
        row("Qiskit gridsynth_rz", distance, *timed(qiskit, angles, distance))
        if given.peer_python:
            row("pygridsynth", distance, *peer(given.peer_python, angles[::5], distance))
    fine = True
    print(f"largest error over what is allowed, {given.measured} angles")
    for distance in DISTANCES:
        many = [rng.uniform(-math.pi, math.pi) for _ in range(given.measured)]
        plain, branch = worst(many, distance)
        fine = fine and max(plain, branch) <= 1
        print(f"{distance:8g}  unitary {plain:.6f}, either outcome {branch:.6f}")
    sys.exit(not fine)


if __name__ == "__main__":
    main()
