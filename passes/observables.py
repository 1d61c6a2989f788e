"""observables: Circuit -> deterministic parities.  Which results can be Stim observables.

    h q0; cx q0, q1; m0 = measure q0; m1 = measure q1      =>     m0 ^ m1 = 0

A single outcome of a Bell pair is random, the parity of both is not: that parity is what a
decoder can be scored on.  The parities that take one value in every noiseless run, whatever the
state of open inputs, form a vector space; this finds a sparse basis, exactly.  Magic gates count
as their Clifford stand-ins.  Of a result that holds conjunctions of outcomes, the rest counts:
a decoder corrects the outcomes, software then evaluates the conjunctions.

Sampling cannot miss one: in k + 64 noiseless runs of k results, every deterministic parity is
constant, so the parities that were constant contain them all.  That one of those is an accident
has probability 2^-64, and Stim then refuses it: it tracks each parity backwards through the
circuit and finds what it anticommutes with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import stim
from numpy.typing import NDArray

from qwasmc.gf2 import members, relations
from qwasmc.ir.circuit import Circuit
from qwasmc.logical import Form, Logical, to_stim

SPARE = 64
"""Noiseless runs beyond the number of results: -log2 of the probability of an accident."""

SEED = 1
"""Of the runs; the parities do not depend on it, nor on how Stim uses it."""

MIXED = 0.75
"""Strength of the depolarizing channel that forgets its input."""


class Parity(NamedTuple):
    """The XOR of the results `names` (bits `values`), conjunctions left out, is `expected`."""

    names: tuple[str, ...]
    values: tuple[int, ...]
    expected: int


def deterministic_parities(circuit: Circuit) -> list[Parity]:
    """A basis of the deterministic parities of a program's results, lightest first."""
    logical = to_stim(circuit, conjunctions=False)
    # a result without records (a constant, a lone conjunction) gives a decoder nothing to do
    results = [result for result in logical.results if logical.bits[result.value].records]
    forms = [logical.bits[result.value] for result in results]
    if not forms:
        return []
    runs = _sample(logical, forms)
    parities = sparse_kernel(_columns(runs))
    _confirm(logical, [_parity(forms, parity) for parity in parities])
    return [
        Parity(
            tuple(results[i].name for i in parity),
            tuple(results[i].value for i in parity),
            int(runs[0, list(parity)].sum()) % 2,
        )
        for parity in parities
    ]


def _sample(logical: Logical, forms: Sequence[Form]) -> NDArray[np.bool_]:
    """The results' linear parts in noiseless runs with random inputs: (runs, results)."""
    circuit = stim.Circuit()
    for _, wire in logical.inputs:
        circuit.append("DEPOLARIZE1", [wire], MIXED)
    records = (circuit + logical.circuit).compile_sampler(seed=SEED).sample(len(forms) + SPARE)
    runs = np.empty((len(records), len(forms)), dtype=np.bool_)
    for result, form in enumerate(forms):
        parity = np.bitwise_xor.reduce(records[:, list(form.records)], axis=1)
        runs[:, result] = parity ^ bool(form.constant)
    return runs


def _columns(runs: NDArray[np.bool_]) -> list[int]:
    """For each result, the runs it differs from run 0 in, as a bit vector."""
    flips = np.packbits(runs ^ runs[0], axis=0).T
    return [int.from_bytes(flipped.tobytes()) for flipped in flips]


def _parity(forms: Sequence[Form], which: Sequence[int]) -> Form:
    total = Form()
    for result in which:
        total = total.xor(forms[result])
    return total


def _confirm(logical: Logical, parities: Sequence[Form]) -> None:
    """Prove that parities are deterministic: Stim raises ValueError if one is not."""
    circuit = stim.Circuit()
    for at, (_, wire) in enumerate(logical.inputs):
        # Half of a Bell pair is an input of which nothing is known.
        circuit.append("RX", [logical.wires + at])
        circuit.append("R", [wire])
        circuit.append("CX", [logical.wires + at, wire])
    circuit += logical.circuit
    count = logical.circuit.num_measurements
    for parity in parities:
        circuit.append("DETECTOR", [stim.target_rec(r - count) for r in sorted(parity.records)])
    circuit.detector_error_model()


def sparse_kernel(columns: Sequence[int]) -> list[tuple[int, ...]]:
    """A basis of the sets of columns (bit vectors over GF(2)) whose sum is zero, lightest first.

    Zero columns and neighbouring equal columns come first: they are the lightest there can be.
    What is left is a relation between distinct columns; those are found by elimination and made
    lighter by adding one to another where that helps.
    """
    singles: list[tuple[int, ...]] = []
    pairs: list[tuple[int, ...]] = []
    latest: dict[int, int] = {}
    distinct: list[int] = []
    for index, column in enumerate(columns):
        if column == 0:
            singles.append((index,))
        elif column in latest:
            pairs.append((latest[column], index))
        else:
            distinct.append(index)
        latest[column] = index
    lightest = _lighten(relations([columns[index] for index in distinct]))
    larger = [tuple(distinct[at] for at in members(dependent)) for dependent in lightest]
    return singles + pairs + sorted(larger, key=lambda parity: (len(parity), parity))


def _lighten(dependent: Sequence[int]) -> list[int]:
    """Replace dependent sets by their sum with another where that is lighter, until none is.

    Each replacement lowers the total weight, and putting a + b for a keeps the span.
    """
    basis = list(dependent)
    waiting = list(range(len(basis)))
    while waiting:
        index = waiting.pop()
        own = basis[index]
        best = min((own ^ other for other in basis if other != own), key=int.bit_count, default=own)
        if best.bit_count() < own.bit_count():
            basis[index] = best
            waiting.append(index)
    return basis
