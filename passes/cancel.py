"""cancel: Circuit -> Circuit.  Clifford gates cancel, through gates that they commute with.

    cx a, b        t a
    t a            cx a, c
    cx a, c    =>  h b
    h b            t b
    t b            h b
    h b
    cx a, b

One-qubit Clifford gates are moved to the end (`cancelling.words`), rules applied to what is left,
from left to right and back (`cancelling.rules`), and one-qubit gates put back where they are needed
(`cancelling.axes`, `cancelling.write`).  There are never more T gates, rotations or two-qubit gates
than before; time and memory are linear.
"""

from __future__ import annotations

import numpy as np

from qwasmc.cost import rotation_count, t_count, two_qubit_count
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.wires import Wired, to_circuit, to_wires
from qwasmc.ops import OPS
from qwasmc.passes.cancelling.rules import simplify
from qwasmc.passes.cancelling.runs import Ints
from qwasmc.passes.cancelling.words import read, reverse
from qwasmc.passes.cancelling.write import ALL, CONDITION, write

ROUNDS = 8
"""Sweeps to the right and back, at most."""

WORTH = 0.002
"""The part of its items that a round has to save for another one to follow."""

_ON_ONE = np.array([spec.is_gate and spec.qubits == 1 for spec in OPS])


def cancel(circuit: Circuit) -> Circuit:
    """The same circuit with fewer gates on two qubits or, at as many, fewer gates, or itself."""
    if _ON_ONE[circuit.op].sum() <= 1 and two_qubit_count(circuit) <= 1:
        # A gate on one qubit and one on two are never the same as fewer gates.
        return circuit
    wired = to_wires(circuit)
    word, pool = read(wired)
    n_wires = wired.n_wires + 1
    for _ in range(ROUNDS):
        before = len(word)
        word = simplify(word, pool, n_wires)
        word = reverse(simplify(reverse(word), pool, n_wires))
        if before - len(word) <= WORTH * before:
            break
    new = to_circuit(_rewritten(wired, word, pool))
    return new if _cost(new) < _cost(circuit) else circuit


def _cost(circuit: Circuit) -> tuple[int, ...]:
    return two_qubit_count(circuit), t_count(circuit), rotation_count(circuit), len(circuit)


def _rewritten(wired: Wired, word: Ints, pool: Ints) -> Wired:
    """The circuit with the gates of a word made from it."""
    rows = write(word, pool, wired.n_wires)
    known = np.maximum(rows.source, 0)
    kept = rows.keeps == ALL
    return Wired(
        op=np.where(kept, wired.op[known], rows.op),
        operands=np.where(kept[:, None], wired.operands[known], rows.operands),
        made=np.where(kept, wired.made[known], np.int32(-1)),
        cond=np.where(rows.keeps >= CONDITION, wired.cond[known], np.int32(-1)),
        angle=np.where(kept, wired.angle[known], rows.angle),
        attr=np.where(kept, wired.attr[known], np.int32(0)),
        loc=np.where(rows.source >= 0, wired.loc[known], np.int32(-1)),
        pool=wired.pool,
        names=wired.names,
        locations=wired.locations,
        n_wires=wired.n_wires,
        n_bits=wired.n_bits,
    )
