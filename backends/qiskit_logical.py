"""Programs as Qiskit's circuits, for other tools to run.

    %m = measure_z a; x b if %m; result %m "m"

    a: ─[M]─          registers a, b for the qubits and m for the result
    b: ──║──[If: x]─
    m: ══╩═══╩═════

A result is a classical register (those called `r[0]`, `r[1]`, ... share one), so that counts have
its value.  Further bits are in the registers `m` (measured) and `c` (computed) after those.
"""

from __future__ import annotations

import io

from qiskit import qpy
from qiskit.circuit import QuantumCircuit

from qwasmc.backends.qiskit_build import build
from qwasmc.backends.structured.listing import listing
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.program import Program

QPY_VERSION = 14
"""Qiskit 2.0 reads it, and newer ones."""


def to_qiskit(ir: Program | Circuit) -> QuantumCircuit:
    """The circuit of a program, with its control flow.

    Raises CompileError (exit code 3) for what Qiskit cannot say: qubits whose numbers are
    computed from results, jumps into loops, floating-point results.
    """
    return build(listing(ir)).circuit


def write_qpy(ir: Program | Circuit) -> bytes:
    """The circuit in Qiskit's binary format; equal programs give equal bytes."""
    file = io.BytesIO()
    qpy.dump(to_qiskit(ir), file, version=QPY_VERSION)
    return file.getvalue()
