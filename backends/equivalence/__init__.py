"""Is an optimised circuit equal to the program?  Independent of all passes.

What "equal" means.  The named qubits of a circuit (`alloc` with a name, and `input`) are the
program's: they are the same in both circuits, in the same order, start in an unknown state and are
looked at in the end, where they are freed or at the end of the circuit.  Qubits without a name are
ancillas: they start in |0> and are thrown away.

The compiler's own are the resets of ancillas, the measurements of ancillas that have no location
and, in the optimised circuit, if all measurements and resets of the program have one, all others
without a location.  The rest are the program's: the k-th measurement of one circuit is the k-th of
the other one, and so are resets, whose outcomes are taken to be recorded where nobody looks.

Two circuits are equal if for each outcome of the program's measurements they act alike on every
input, also on one that is entangled with something else: with the same probability, the same state
up to a phase, whatever the ancillas' outcomes are.  Named results have to be the same functions of
the program's outcomes.

Each method proves, disproves or says why it cannot:

1. `rotations`: both as Pauli rotations and a Clifford; near linear, for any size.  Without T and rz
   this compares stabilizer tableaus.
2. `sums`: path sums.  First as sums of `parities`, for Clifford and T gates, Toffolis and what
   depends on outcomes, with ancillas, in thousands of variables: there T gates that are not the
   same ones can cancel.  Then as polynomials, `path_sum`, for all gates.
   Where both circuits measure as many ancillas, 1 and the first part of 2 are tried with all of
   those recorded: passes that keep them need nothing else.
3. `unitary`: matrices of few wires, for all outcomes; the only one for circuits that are equal up
   to an error.  Beyond, random states, which can only disprove.

Angles are equal up to 1e-10, so "proved" holds up to such an error per rotation.
"""

from __future__ import annotations

from collections.abc import Iterator

from qwasmc.backends.equivalence.check import Check
from qwasmc.backends.equivalence.events import Trace, Undecided, is_located, recorded, trace
from qwasmc.backends.equivalence.rotations import compare_rotations
from qwasmc.backends.equivalence.sums import compare_parities, compare_sums
from qwasmc.backends.equivalence.unitary import compare_matrices, compare_samples
from qwasmc.ir.circuit import Circuit

NAME = "equivalence"


def compare(before: Circuit, after: Circuit, error: float = 0.0) -> Check:
    """Whether an optimised circuit is equal to the program, up to an error in operator norm."""
    try:
        ours, theirs = trace(after, is_located(before)), trace(before)
    except Undecided as why:
        return Check(NAME, "not decided", str(why))
    wrong = _interface(theirs, ours)
    if wrong:
        return Check(NAME, "failed", wrong)
    remarks = []
    for found in _checks(theirs, ours, error):
        if found.result in ("proved", "failed"):
            return Check(NAME, found.result, f"{found.check}: {found.detail}")
        remarks.append(f"{found.check}: {found.detail}")
    return Check(NAME, "not decided", "; ".join(remarks))


def _interface(before: Trace, after: Trace) -> str:
    """How the circuits differ from outside, if they do."""
    names = [[name for name, _ in side.open] for side in (before, after)]
    results = [[name for name, _ in side.results] for side in (before, after)]
    if names[0] != names[1]:
        return f"the qubits are not the same: {len(names[0])} and {len(names[1])}"
    if before.measured != after.measured:
        return f"there are {after.measured} measurements of the program, not {before.measured}"
    if results[0] != results[1]:
        return f"the results are {results[1]}, not {results[0]}"
    return ""


def _checks(before: Trace, after: Trace, error: float) -> Iterator[Check]:
    """What each method finds, the fastest first."""
    if error:
        yield compare_matrices(before, after, error)
        return
    if before.resets != after.resets:
        detail = f"there are {after.resets} of the program, not {before.resets}"
        yield Check("resets", "not decided", detail)
    elif before.results != after.results:
        yield Check("results", "not decided", "they are other polynomials of the outcomes")
    else:
        if before.extra and (before.extra, before.wires) == (after.extra, after.wires):
            yield from _all_recorded(before, after)
        yield compare_rotations(before, after)
        yield compare_parities(before, after)
        yield compare_sums(before, after)
    yield compare_matrices(before, after, 0.0)
    yield compare_samples(before, after)


def _all_recorded(before: Trace, after: Trace) -> Iterator[Check]:
    """Proofs, if there are any, that hold whatever ancillas start in and for each outcome."""
    both = recorded(before), recorded(after)
    for method in (compare_rotations, compare_parities):
        found = method(*both)
        if found.result == "proved":
            yield found
