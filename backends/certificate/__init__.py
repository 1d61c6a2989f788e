"""The certificate: scratch qubits return to |0>, and nothing else changed.

`certify` compares a circuit that still has its segments and control regions, read by their meaning
(`segments`, `run`), with one in which they are plain gates, measurements of ancillas and
corrections.  It knows nothing of how one was made from the other.  Both run on Boolean functions
of the same variables (`functions`), and add to one phase (`phases`).  They are equal if

    - they make the same superpositions and program measurements, of equal values;
    - each qubit and result of the program ends with equal values;
    - ancillas end in |0>, or in values that are known outside anyway;
    - the phases are equal, for each outcome of the measurements of ancillas.

Equal values are equal functions, for all values of the variables: see `proofs`.  Angles are equal
up to 1e-10.  Time and memory are near linear in the size of the circuits and bounded; what is too
large is not certified.
"""

from __future__ import annotations

from qwasmc.backends.certificate.choices import choices, has_regions
from qwasmc.backends.certificate.compare import Comparison
from qwasmc.backends.certificate.gates import Uncontrolled
from qwasmc.backends.certificate.report import Certificate, Failure, SegmentReport, diagnose
from qwasmc.backends.certificate.segments import survey
from qwasmc.backends.certificate.undecided import Undecided
from qwasmc.ir.circuit import Circuit

__all__ = ["Certificate", "Failure", "SegmentReport", "certify", "diagnose"]


def certify(before: Circuit, after: Circuit) -> Certificate:
    """Whether a circuit with reversible segments was rewritten rightly.

    In `before`, `uncompute` puts scratch qubits back to the values that they had at `rev_begin`.
    Qubits of the program are taken to be in any state; if that fails, to be in |0> where they are
    allocated, which is what the circuit says.
    """
    try:
        first = survey(before)
        second = survey(after, like=first)
        apart: list[Uncontrolled | None] = [None]
        if has_regions(first):
            apart = [*choices(first, second, Comparison(first, second).before.run().changed)]
    except Undecided as why:
        return Certificate(failures=[Failure("operation", False, str(why), why.loc)])
    found = []
    for from_zero in (False, True):
        for each in apart:
            found.append(Comparison(first, second, each, from_zero=from_zero).certificate())
            if found[-1].ok:
                return found[-1]
    stricter, other = found[0], found[len(apart)]
    return stricter if (stricter.result, other.result) == ("failed", "failed") else other
