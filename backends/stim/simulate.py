"""Counts of a program's results, by simulating the logical program without noise.

The program is sampled with Stim, so it must be Clifford; corrections may depend on outcomes as
`qwasmc.logical` says.
"""

from __future__ import annotations

from collections import Counter
from typing import NotRequired, TypedDict

import numpy as np

from qwasmc.diagnostics import CompileError
from qwasmc.ir.circuit import Circuit
from qwasmc.logical import STAND_IN, Logical, to_stim
from qwasmc.ops import OPS

MAX_BATCH = 1 << 22
"""Most records (shots times measurements) held at a time."""


class Counts(TypedDict):
    """What was seen, as JSON-able data."""

    shots: int
    results: list[str]
    """Names, in program order."""
    counts: dict[str, int]
    """Shots by outcome: one character for each of `results`, the first one leftmost."""
    ones: NotRequired[dict[str, int]]
    """For each result, the shots in which it was 1; only if no two results share a name."""


def simulate(circuit: Circuit, shots: int, seed: int | None) -> Counts:
    """Run a Clifford program `shots` times, from a seed or fresh randomness.

    Stim's use of the seed depends on its version and on the processor's vector width.  Raises
    `CompileError` for T gates, for open inputs and for what `to_stim` does not take.
    """
    _refuse(circuit, ("input",), "has no state to start from", "simulate the closed program")
    _refuse(
        circuit,
        tuple(STAND_IN),
        "is not a Clifford gate, and Stim simulates no others",
        "simulating a stand-in would give wrong counts; remove the T gates",
    )
    logical = to_stim(circuit)
    assert not logical.stand_for, "defer-paulis leaves no Clifford gate behind a conjunction"
    names = [result.name for result in logical.results]
    counts = _counts(logical, shots, seed)
    data = Counts(shots=shots, results=names, counts=counts)
    if len(set(names)) == len(names):
        data["ones"] = {
            name: sum(times for outcome, times in counts.items() if outcome[at] == "1")
            for at, name in enumerate(names)
        }
    return data


def _refuse(circuit: Circuit, names: tuple[str, ...], why: str, help: str) -> None:
    """An error at the first of these operations, if there is one."""
    for row, code in enumerate(circuit.op.tolist()):
        if OPS[code].name in names:
            message = f"'{OPS[code].name}' {why}"
            loc = int(circuit.loc[row])
            raise CompileError(circuit.locations.diagnostic(message, loc, help=help))


def _counts(logical: Logical, shots: int, seed: int | None) -> dict[str, int]:
    """Shots by outcome, in lexical order of outcomes."""
    sampler = logical.circuit.compile_sampler(seed=seed)
    values = [result.value for result in logical.results]
    batch = max(1, MAX_BATCH // max(1, logical.circuit.num_measurements))
    counts: Counter[str] = Counter()
    for start in range(0, shots, batch):
        bits = logical.evaluate(values, sampler.sample(min(batch, shots - start)))
        outcomes, times = np.unique(bits, axis=0, return_counts=True)
        for outcome, number in zip(outcomes.astype(np.uint8), times.tolist(), strict=True):
            counts["".join(map(str, outcome.tolist()))] += number
    return dict(sorted(counts.items()))
