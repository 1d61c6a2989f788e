"""Straight lines of quantum operations between the folded pieces of a program.

Two lines that differ in nothing but which qubits they act on are one region.

    cx q7, q9; t q9      cx q8, q10; t q10      =>   one region, twice: cx 0, 1; t 1
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from qwasmc.diagnostics import Locations
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ops import BY_NAME, Cost


class Row(NamedTuple):
    """An operation on qubits by number; `conditional` if it depends on a measurement result."""

    name: str
    qubits: tuple[int, ...]
    angle: float = 0.0
    attr: int | str = 0
    conditional: bool = False


Line: TypeAlias = tuple[Row, ...]


@dataclass(slots=True)
class Regions:
    """The different regions of a program, in order of their first appearance."""

    lines: list[Line] = field(default_factory=list)
    locs: list[list[int]] = field(default_factory=list)
    """By region: the locations of its rows where it first appeared."""
    _number: dict[Line, int] = field(default_factory=dict)
    _weight: dict[int, tuple[int, int]] = field(default_factory=dict)

    def add(self, rows: list[Row], locs: list[int]) -> int:
        """The number of the region of some rows."""
        names: dict[int, int] = {}
        line = tuple(
            row._replace(qubits=tuple(names.setdefault(q, len(names)) for q in row.qubits))
            for row in rows
        )
        if line not in self._number:
            self._number[line] = len(self.lines)
            self.lines.append(line)
            self.locs.append(locs)
        return self._number[line]

    def weight(self, number: int) -> tuple[int, int]:
        """About how many T states a region takes, and its rows."""
        if number not in self._weight:
            line = self.lines[number]
            self._weight[number] = sum(map(_states, line)), len(line)
        return self._weight[number]

    def circuit(self, number: int, locations: Locations, closed: bool = False) -> Circuit:
        """A region as a circuit, with open ends if it is not `closed`.

        What depends on results always happens here, after all that is before it on its qubits.
        """
        out = CircuitBuilder(locations=locations)
        value: dict[int, int] = {}
        bits = []
        for row, loc in zip(self.lines[number], self.locs[number], strict=True):
            spec = BY_NAME[row.name]
            if not spec.makes_qubit:
                for qubit in row.qubits:
                    if qubit not in value:
                        value[qubit] = out.add("input", attr=f"q{qubit}")
            guarded = row.conditional and spec.cost is not Cost.FREE
            if guarded:
                _fence(out, value, row.qubits)
            operands = [] if spec.makes_qubit else [value[qubit] for qubit in row.qubits]
            made = out.add(row.name, operands, angle=row.angle, attr=row.attr, loc=loc)
            if spec.ends_qubit:
                value[row.qubits[0]] = -1
                continue
            for at, qubit in enumerate(row.qubits):
                value[qubit] = made + at
            if spec.makes_bit:
                bits.append(made + len(row.qubits))
            if guarded:
                _fence(out, value, row.qubits)
        for at, bit in enumerate(bits):
            out.add("result", [bit], attr=f"m{at}")
        if not closed:
            for qubit, last in value.items():
                if last >= 0:
                    out.add("output", [last], attr=f"q{qubit}")
        return out.freeze()


def _states(row: Row) -> int:
    """About how many T states a row takes; a rotation is as dear as 20."""
    spec = BY_NAME[row.name]
    if spec.cost is Cost.SYNTHESIS:
        return 20 if spec.angle else 4
    return int(spec.cost is Cost.MAGIC)


def _fence(out: CircuitBuilder, value: dict[int, int], qubits: tuple[int, ...]) -> None:
    """Nothing moves across this on these qubits."""
    made = out.add("barrier", [value[qubit] for qubit in qubits])
    for at, qubit in enumerate(qubits):
        value[qubit] = made + at
