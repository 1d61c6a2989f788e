"""open-ends: Circuit -> Circuit.  Leaves the program's inputs and outputs open.

    0  alloc "a"            0  input "a"
    1  h 0            =>    1  h 0
                            2  output 1 "a"

Every qubit that the program allocates enters in an unknown state and every qubit still live at the
end leaves, so that the logical action of what is compiled can be compared with the program's, input
by input (stabilizer flows).  Ancillas, which have no name, are in |0> all the same.
"""

from __future__ import annotations

import numpy as np

from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ops import OPS


def open_ends(circuit: Circuit) -> Circuit:
    """The same circuit with `input` for named `alloc`s and an `output` for each qubit left live."""
    out = CircuitBuilder(locations=circuit.locations)
    for row, code in enumerate(circuit.op.tolist()):
        name = "input" if OPS[code].name == "alloc" and circuit.attribute(row) else ""
        out.copy(circuit, row, circuit.values(row), int(circuit.cond[row]), name)
    names = qubit_names(circuit)
    wires = circuit.wires()
    for value in live_qubits(circuit):
        out.add("output", [value], attr=names[wires[value]])
    return out.freeze()


def live_qubits(circuit: Circuit) -> list[int]:
    """The qubit values that nothing consumes, in order of their wires."""
    wires = circuit.wires()
    used = np.zeros(circuit.n_values, dtype=bool)
    for row in range(len(circuit)):
        used[circuit.values(row)] = True
    live = np.flatnonzero(~used & (wires >= 0))
    return sorted(live.tolist(), key=lambda value: int(wires[value]))


def qubit_names(circuit: Circuit) -> list[str]:
    """The name of each wire."""
    return [
        circuit.names[int(circuit.attr[row])]
        for row, code in enumerate(circuit.op.tolist())
        if OPS[code].makes_qubit
    ]
