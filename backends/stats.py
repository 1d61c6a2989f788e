"""What a circuit consists of, in numbers."""

from __future__ import annotations

from typing import TypedDict

import numpy as np

from qwasmc.cost import (
    IS_T,
    MEASURES,
    TAKES_TIME,
    depth,
    predicated_t_count,
    rotation_count,
    t_count,
    two_qubit_count,
    width,
)
from qwasmc.ir.circuit import Circuit
from qwasmc.ops import OPS


class Stats(TypedDict):
    """The keys of `qwasmc stats --json`, described in docs/json.md."""

    qubits: int
    gates: dict[str, int]
    t_count: int
    t_predicated: int
    t_depth: int
    two_qubit: int
    clifford: int
    rotations: int
    depth: int
    measurements: int
    ancillas: int


def stats(circuit: Circuit) -> Stats:
    """Counts and depths of a circuit."""
    counts = np.bincount(circuit.op, minlength=len(OPS)).tolist()
    gates = {spec.name: n for spec, n in zip(OPS, counts, strict=True) if spec.is_gate and n}
    clifford = {spec.name for spec in OPS if spec.is_gate and spec.stim}
    return Stats(
        qubits=width(circuit),
        gates=gates,
        t_count=t_count(circuit),
        t_predicated=predicated_t_count(circuit),
        t_depth=depth(circuit, IS_T),
        two_qubit=two_qubit_count(circuit),
        clifford=sum(n for name, n in gates.items() if name in clifford),
        rotations=rotation_count(circuit),
        depth=depth(circuit, TAKES_TIME),
        measurements=int(MEASURES[circuit.op].sum()),
        ancillas=_unnamed(circuit),
    )


def _unnamed(circuit: Circuit) -> int:
    """The qubits that the program has no name for: passes made them."""
    return sum(
        not circuit.names[circuit.attr[row]]
        for row, code in enumerate(circuit.op.tolist())
        if OPS[code].makes_qubit
    )
