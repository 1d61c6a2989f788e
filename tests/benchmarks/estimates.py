"""Resource estimates, ours beside those of the `qdk` package, in one run.

    python tests/benchmarks/estimates.py [--random 100] [--seed 1000]

First a table of programs on all predefined machines: each figure as we and as the QDK have it, and
the time that both take.  Then so many random jobs, with own qubits, codes, distillation units and
bounds, for each of which the QDK gets ten seconds.  Exit 1 if any figure of any result differs.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from qdk_jobs import by_qdk, compared, random_counts, random_job
from test_estimate_qdk import MACHINES, PROGRAMS

from qwasmc.backends.estimation.job import read_counts
from qwasmc.backends.estimation.qdk import estimate
from qwasmc.diagnostics import CompileError

SHOWN = ("tiny", "adder", "multiplier", "ising", "rsa2048")


def by_us(counts: dict[str, int], job: dict[str, Any]) -> dict[str, Any]:
    """What we say; nothing if there is no machine."""
    try:
        return estimate(read_counts(counts), job)
    except CompileError as refused:
        return {"refused": str(refused)}


def timed(run: Callable[..., dict[str, Any]], *arguments: Any) -> tuple[dict[str, Any], float]:
    start = time.perf_counter()
    return run(*arguments), 1e3 * (time.perf_counter() - start)


def figures(result: dict[str, Any]) -> str:
    """The main figures of a result."""
    physical = result["physicalCounts"]
    seconds, copies = physical["runtime"] * 1e-9, physical["breakdown"]["numTfactories"]
    distance = result["logicalQubit"]["codeDistance"]
    return f"{physical['physicalQubits']:,} | {seconds:.6g} | {distance} | {copies:,}"


def table() -> bool:
    """Print the table; whether all results are equal."""
    print("| program | machine | by | qubits | seconds | distance | factories | ms | all equal |")
    print("|---|---|---|---|---|---|---|---|---|")
    equal = True
    for program in SHOWN:
        for qubit, scheme in MACHINES:
            job = {"qubitParams": {"name": qubit}, "qecScheme": {"name": scheme}}
            ours, our_ms = timed(by_us, PROGRAMS[program], job)
            theirs, their_ms = timed(by_qdk, PROGRAMS[program], job)
            same = compared(ours) == compared(theirs)
            equal &= same
            name = f"{qubit} {scheme.removesuffix('_code')}"
            print(f"| {program} | {name} | qwasmc | {figures(ours)} | {our_ms:.1f} | {same} |")
            print(f"| | | qdk | {figures(theirs)} | {their_ms:.1f} | |")
    return equal


def random_jobs(count: int, seed: int) -> bool:
    """Compare random jobs that have a machine; whether all results are equal."""
    both, endless, different, our_time, their_time = 0, 0, 0, 0.0, 0.0
    for rng in map(random.Random, range(seed, seed + count)):
        job, counts = random_job(rng), random_counts(rng)
        ours, our_ms = timed(by_us, counts, job)
        if "refused" in ours:  # the QDK may not end
            continue
        answer = limited(counts, job)
        if answer is None:
            endless += 1
            continue
        theirs, their_ms = answer
        both += 1
        different += compared(ours) != compared(theirs)
        our_time, their_time = our_time + our_ms, their_time + their_ms
    print(f"\n{both} of {count} random jobs have two results: {different} differ; ", end="")
    print(f"{our_time / both:.1f} ms each, QDK {their_time / both:.1f} ms; ", end="")
    print(f"for {endless} more the QDK has none after {LIMIT_S} s")
    return not different


def limited(counts: dict[str, int], job: dict[str, Any]) -> tuple[dict[str, Any], float] | None:
    """What the QDK says and how long that takes it; None if it does not end."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    child = FORK.Process(target=lambda: sender.send(timed(by_qdk, counts, job)))
    child.start()
    try:
        return receiver.recv() if receiver.poll(LIMIT_S) else None
    finally:
        child.kill()
        child.join()


FORK = multiprocessing.get_context("fork")
LIMIT_S = 10


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--random", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1000)
    given = parser.parse_args()
    results = [table(), random_jobs(given.random, given.seed)]
    sys.exit(0 if all(results) else 1)
