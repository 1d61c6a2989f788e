"""The physical circuit for Cirq: its JSON, with the operations that stimcirq adds to Cirq's own.

REPEAT blocks are circuit operations, tags stay, detectors and observables are annotations, and
qubits are grid qubits at their coordinates.  The `S[T]` of a magic state is for Cirq what it is for
Stim: an S whose tag says what it stands for.  Reading it back takes both resolvers:

    cirq.read_json(path, resolvers=[*cirq.DEFAULT_RESOLVERS, stimcirq.JSON_RESOLVER])
"""

from __future__ import annotations

import cirq
import stim
import stimcirq

from qwasmc.backends.physical import Physical
from qwasmc.diagnostics import Kind, error

MAX_TEXT = 8_000_000
"""Most characters of Stim's text; Cirq's JSON is a hundred times as long."""


def write(physical: Physical) -> str:
    """The circuit as Cirq's JSON."""
    text: str = cirq.to_json(to_cirq(physical), indent=None)
    return f"{text}\n"


def to_cirq(physical: Physical) -> cirq.Circuit:
    """The circuit as an object of Cirq."""
    whole, size = stim.Circuit(), 0
    for text in physical.fragments():
        size += len(text)
        if size > MAX_TEXT:
            raise error(
                f"the circuit has more than {MAX_TEXT} characters as Stim's text, which is the "
                "most that is translated for Cirq",
                kind=Kind.LIMIT,
                help="--emit stim writes circuits of any size",
            )
        whole.append_from_stim_program_text(text)
    made: cirq.Circuit = stimcirq.stim_circuit_to_cirq_circuit(whole)
    return made
