"""Counts of a program's results, by simulating the logical program without noise.

The program is sampled with Stim, so it must be Clifford; corrections may depend on outcomes as
`qwasmc.logical` says.
"""

from __future__ import annotations

from collections import Counter

from qwasmc.backends.results import Counts, Outcome, Result, count, results_of, tally
from qwasmc.diagnostics import CompileError
from qwasmc.ir.circuit import Circuit
from qwasmc.logical import STAND_IN, Logical, to_stim
from qwasmc.ops import OPS

MAX_BATCH = 1 << 22
"""Most records (shots times measurements) held at a time."""


def simulate(circuit: Circuit, shots: int, seed: int | None) -> Counts:
    """Run a closed Clifford program `shots` times, from a seed or fresh randomness.

    Stim's use of the seed depends on its version and on the processor's vector width.  Raises
    `CompileError` for T gates and for what `to_stim` does not take.
    """
    _refuse_magic(circuit)
    logical = to_stim(circuit)
    assert not logical.stand_for, "defer-paulis leaves no Clifford gate behind a conjunction"
    results = results_of(circuit)
    return count([result.column for result in results], _seen(logical, results, shots, seed))


def _refuse_magic(circuit: Circuit) -> None:
    """An error at the first T gate, if there is one: a stand-in would give wrong counts."""
    for row, code in enumerate(circuit.op.tolist()):
        if OPS[code].name in STAND_IN:
            message = f"'{OPS[code].name}' is not a Clifford gate, and Stim simulates no others"
            loc = int(circuit.loc[row])
            raise CompileError(circuit.locations.diagnostic(message, loc))


def _seen(
    logical: Logical, results: list[Result], shots: int, seed: int | None
) -> Counter[Outcome]:
    """Shots by outcome."""
    sampler = logical.circuit.compile_sampler(seed=seed)
    values = [bit for result in results for bit in result.bits]
    batch = max(1, MAX_BATCH // max(1, logical.circuit.num_measurements))
    seen: Counter[Outcome] = Counter()
    for start in range(0, shots, batch):
        records = sampler.sample(min(batch, shots - start))
        seen.update(tally(results, logical.evaluate(values, records)))
    return seen
