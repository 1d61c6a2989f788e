"""Simulates logical programs without noise: picks who can, and who is fastest.

| program | is run by |
|---|---|
| Clifford circuit, predicated on parities | Stim's sampler, all shots at once |
| any other Clifford program | Stim's tableau simulator, shot by shot |
| circuit with other gates | Qiskit Aer |
| program with other gates | a state vector of Qiskit Aer's, shot by shot |

Qiskit Aer is an optional dependency, loaded by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from qwasmc.backends import live
from qwasmc.backends.clifford import circuit_is_clifford, name_turns
from qwasmc.backends.decode import is_clifford_program
from qwasmc.backends.results import Counts
from qwasmc.backends.stim import simulate as stim_sampler
from qwasmc.backends.stim.qubits import StimQubits
from qwasmc.backends.unfreeze import unfreeze
from qwasmc.diagnostics import CompileError
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.program import Program
from qwasmc.ops import CODE, OPS

Load = Callable[[str], Callable[..., Any]]
"""Finds a function by "module:name", as `pipeline.load` does."""

PAULIS = [code for code, spec in enumerate(OPS) if spec.is_pauli]


def simulate(ir: Program | Circuit, shots: int, seed: int | None, load: Load) -> Counts:
    """Run a closed program `shots` times, from a seed or fresh randomness.

    Equal seeds give equal counts with the same versions of Stim and Qiskit Aer, on processors with
    the same vector width.
    """
    if isinstance(ir, Program):
        clifford = is_clifford_program(ir)
        qubits = StimQubits if clifford else load("qwasmc.backends.aer:AerQubits")
        return live.run(ir, qubits(), shots, seed)
    _refuse_inputs(ir)
    if not circuit_is_clifford(ir):
        return cast(Counts, load("qwasmc.backends.aer:sample")(ir, shots, seed))
    circuit = name_turns(ir)
    if _on_parities(circuit):
        return stim_sampler.simulate(circuit, shots, seed)
    return live.run(unfreeze(circuit), StimQubits(), shots, seed)


def _refuse_inputs(circuit: Circuit) -> None:
    """An error at the first qubit that enters from outside, if there is one."""
    for row in np.flatnonzero(circuit.op == CODE["input"])[:1].tolist():
        raise CompileError(
            circuit.locations.diagnostic(
                "'input' has no state to start from",
                int(circuit.loc[row]),
                help="simulate the closed program",
            )
        )


def _on_parities(circuit: Circuit) -> bool:
    """Whether what is predicated is Paulis, on bits that come from no conjunction."""
    predicated = circuit.cond >= 0
    if not np.isin(circuit.op[predicated], PAULIS).all():
        return False
    conjunct = np.zeros(circuit.n_values, dtype=np.bool_)
    for row in np.flatnonzero(np.isin(circuit.op, [CODE["xor"], CODE["and"]])).tolist():
        is_and = circuit.op[row] == CODE["and"]
        conjunct[circuit.first[row]] = is_and or conjunct[circuit.values(row)].any()
    return not conjunct[circuit.cond[predicated]].any()
