"""resynthesise: Circuit -> Circuit.  Fewer two-qubit gates around the same rotations.

    cx a, b; t b; cx a, b; t a; cx a, c; cx b, c    =>    t a; cx a, b; t b; cx b, c; cx a, b

Within windows of a few wires, what matters is a sequence of Pauli rotations (of t, tdg, rz) and the
Clifford gate that remains (`pauli.network`); any other network of two-qubit gates for them may
replace the window's (`pauli.windows`).  A window is replaced by a network with fewer gates, or by
another with as many, from which a later window may do better: small windows first, then larger
ones, again and again.  Rotations stay as they are, so no T gate is ever added; the number of
two-qubit gates, with swaps, never grows.  Rows that are not gates known here stay where they are.

Windows and the order of beams are as in peephole optimisation with random restarts, e.g. Xu et al.,
"Optimizing Quantum Circuits, Fast and Slow", arXiv:2411.04104, but without time limits: the number
of windows tried is fixed by the size of the circuit.
"""

from __future__ import annotations

from typing import NamedTuple

from qwasmc.cost import two_qubit_count
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.wires import to_circuit, to_wires
from qwasmc.passes.pauli.items import GATE, GONE, KIND, from_items, to_items
from qwasmc.passes.pauli.windows import sweep


class Window(NamedTuple):
    """How large windows are."""

    wires: int
    gates: int


WINDOWS = (Window(3, 10), Window(4, 20), Window(5, 30), Window(6, 40))

WIDTHS = (8, 8, 8, 16, 16, 32, 32)
"""How many prefixes a search keeps: the next number from the first round that saves nothing."""

MAX_WORK = 4_000_000
"""About how many windows are tried, times their widths; the first sweep is always done."""


def resynthesise(circuit: Circuit) -> Circuit:
    """The same unitary between the same other rows, with fewer two-qubit gates or unchanged."""
    if two_qubit_count(circuit) < 2:
        return circuit
    wired = to_wires(circuit)
    items = to_items(wired)
    saved = work = seed = 0
    for width in WIDTHS:
        before = -1
        while saved > before and work < MAX_WORK:
            before = saved
            seed += 1
            for window in WINDOWS:
                if work < MAX_WORK:
                    saved += sweep(items, wired, *window, width, seed)
                    items = items[items[:, KIND] != GONE]
                    work += width * int((items[:, KIND] == GATE).sum())
    return to_circuit(from_items(items, wired)) if saved else circuit
