"""What a circuit consists of, in numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

import numpy as np

from qwasmc.ir.circuit import Circuit
from qwasmc.ops import OPS, Cost, OpSpec


class Stats(TypedDict):
    """The keys of `qwasmc stats --json`, described in docs/json.md."""

    qubits: int
    gates: dict[str, int]
    t_count: int
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
    rows = list(zip(OPS, counts, strict=True))

    def total(wanted: Callable[[OpSpec], bool]) -> int:
        return sum(count for spec, count in rows if wanted(spec))

    return Stats(
        qubits=_width(circuit),
        gates={spec.name: count for spec, count in rows if spec.is_gate and count},
        t_count=total(_is_t),
        t_depth=_depth(circuit, _is_t),
        two_qubit=_on_two_qubits(circuit),
        clifford=total(lambda spec: spec.is_gate and bool(spec.stim)),
        rotations=total(lambda spec: spec.angle),
        depth=_depth(circuit, _takes_time),
        measurements=total(_measures),
        ancillas=_unnamed(circuit),
    )


def _is_t(spec: OpSpec) -> bool:
    return spec.cost is Cost.MAGIC


def _measures(spec: OpSpec) -> bool:
    return spec.qubits != 0 and spec.makes_bit


def _takes_time(spec: OpSpec) -> bool:
    return spec.is_gate or _measures(spec) or spec.name == "reset"


def _on_two_qubits(circuit: Circuit) -> int:
    """How many gates there are on two qubits, with rows on any number that have two."""
    two = np.array([spec.is_gate and spec.qubits == 2 for spec in OPS])[circuit.op]
    any_number = np.array([spec.is_gate and spec.qubits < 0 for spec in OPS])[circuit.op]
    return int((two | (any_number & (circuit.operands[:, 1] == 2))).sum())


def _width(circuit: Circuit) -> int:
    """The largest number of qubits live at once."""
    change = np.array([spec.makes_qubit - spec.ends_qubit for spec in OPS])
    return int(np.cumsum(change[circuit.op]).max(initial=0))


def _unnamed(circuit: Circuit) -> int:
    """The qubits that the program has no name for: passes made them."""
    return sum(
        not circuit.names[circuit.attr[row]]
        for row, code in enumerate(circuit.op.tolist())
        if OPS[code].makes_qubit
    )


def _depth(circuit: Circuit, counts: Callable[[OpSpec], bool]) -> int:
    """The length of the longest chain of dependent operations, counting those that count."""
    step = [int(counts(spec)) for spec in OPS]
    reached = [0] * circuit.n_values
    first = circuit.first.tolist()
    cond = circuit.cond.tolist()
    for row, code in enumerate(circuit.op.tolist()):
        needs = circuit.values(row)
        if cond[row] >= 0:
            needs.append(cond[row])
        level = max((reached[value] for value in needs), default=0) + step[code]
        for value in range(first[row], first[row + 1]):
            reached[value] = level
    return max(reached, default=0)
