"""Logical counts of regions and programs, as the QDK's resource estimator counts.

The rules are those of its LogicalCounter (github.com/microsoft/qsharp, resource_estimator/counts):
T gates, CCZ gates and rotations are put into layers, each as early as its qubits allow, and gates
on two qubits make these wait for each other.  The rotation depth is the number of layers with a
rotation.  A rotation by a multiple of pi/4 is a T gate or a Clifford gate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from qwasmc.cost import width
from qwasmc.counts import LogicalCounts
from qwasmc.ir.circuit import Circuit
from qwasmc.ops import OPS

CONTROLLED_ROTATIONS = {"cp": ((0, 0.5), (1, -0.5), (1, 0.5)), "crz": ((1, 0.5), (1, -0.5))}
"""Rotations that a controlled one is made of: which qubit, and what part of its angle."""

TOFFOLIS = ("ccx", "ccz", "cswap")

MEASUREMENTS = ("measure_x", "measure_y", "measure_z", "ppm")


@dataclass(slots=True)
class _Layers:
    """The layers of magic so far."""

    level: dict[int, int] = field(default_factory=dict)
    """By qubit: the first layer that is free."""
    rotated: set[int] = field(default_factory=set)
    """Layers with rotations."""
    t: int = 0
    rotations: int = 0
    ccz: int = 0
    measurements: int = 0

    def together(self, qubits: list[int]) -> int:
        """Qubits wait for each other; the first layer that is free."""
        level = max((self.level.get(qubit, 0) for qubit in qubits), default=0)
        self.level.update(dict.fromkeys(qubits, level))
        return level

    def magic(self, qubits: list[int]) -> int:
        """Something in one layer of some qubits."""
        level = self.together(qubits)
        self.level.update(dict.fromkeys(qubits, level + 1))
        return level

    def rotate(self, qubit: int, angle: float) -> None:
        """A rotation of one qubit."""
        eighths = round(angle / (math.pi / 4))
        if abs(eighths * (math.pi / 4) - angle) > 2**-52:
            self.rotations += 1
            self.rotated.add(self.magic([qubit]))
        elif eighths % 2:
            self.t += 1
            self.magic([qubit])

    def row(self, name: str, qubits: list[int], angle: float) -> None:
        """An operation."""
        if name in ("t", "tdg"):
            self.t += 1
            self.magic(qubits)
        elif name in TOFFOLIS:
            self.ccz += 1
            self.magic(qubits)
        elif name in CONTROLLED_ROTATIONS:
            for slot, part in CONTROLLED_ROTATIONS[name]:
                self.rotate(qubits[slot], part * angle)
                self.together(qubits)
        elif name in MEASUREMENTS:
            self.measurements += 1
        elif name == "ppr":
            self.together(qubits)
            self.rotate(qubits[0], angle)
            self.together(qubits)
        elif name in ("rx", "ry", "rz", "p"):
            self.rotate(qubits[0], angle)
        elif len(qubits) == 2 and name != "barrier":
            self.together(qubits)


def count(circuit: Circuit) -> LogicalCounts:
    """The counts of a circuit, without segments and control regions.

    A qubit that is allocated takes the place of the one that was freed last, with its layers.
    """
    layers = _Layers()
    wires = circuit.wires().tolist()
    place: dict[int, int] = {}
    """By wire: the place of its qubit."""
    free: list[int] = []
    columns = (circuit.op.tolist(), circuit.all_values(), circuit.angle.tolist(), circuit.first)
    for code, values, angle, first in zip(*columns, strict=False):
        spec = OPS[code]
        if spec.makes_qubit:
            place[wires[first]] = free.pop() if free else len(place)
        elif spec.qubits:
            layers.row(spec.name, [place[wires[value]] for value in values], angle)
        if spec.name == "free":
            free.append(place[wires[values[0]]])
    return LogicalCounts(
        qubits=width(circuit),
        t=layers.t,
        rotations=layers.rotations,
        rotation_depth=len(layers.rotated),
        ccz=layers.ccz,
        measurements=layers.measurements,
    )


def total(counts: Sequence[LogicalCounts], times: Sequence[int], qubits: int) -> LogicalCounts:
    """The counts of circuits one after the other, each so many times, on so many qubits.

    The rotation depth is that of a run in which none begins before the one before it is over.
    """

    def add(name: str) -> int:
        return sum(each * getattr(one, name) for one, each in zip(counts, times, strict=True))

    names = ("t", "rotations", "rotation_depth", "ccz", "ccix", "measurements")
    return LogicalCounts(qubits, **{name: add(name) for name in names})
