"""Gates of control regions that may be run without the controls.

    h b; cx a, b; rz b; cx a, b; h b      without rz, the others cancel

Gates of a region that cancel where the others are left out may happen in any case.  `cancel` checks
that of a set of gates: each one undoes an earlier one, and commutes with what is between them while
the controls are not all 1.  Two gates commute if on each qubit that they share both are diagonal,
or both are functions of X.

For what a circuit means it does not matter which gates are chosen: see `choices`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from qwasmc.ir.circuit import Circuit
from qwasmc.ops import OPS

DIAGONAL, FLIPS, OTHER = "Z", "X", "Y"
"""What an operation does to a qubit: it is diagonal, a function of X, or neither."""

ACTION = {
    **dict.fromkeys(("z", "s", "sdg", "t", "tdg", "rz", "p", "measure_z"), "Z"),
    **dict.fromkeys(("x", "sx", "sxdg", "rx"), "X"),
    **dict.fromkeys(("cz", "cp", "crz"), "ZZ"),
    **{"ccz": "ZZZ", "cx": "ZX", "ccx": "ZZX", "cy": "ZY", "cswap": "ZYY"},
}
"""By operation, what it does to its qubits; any other does something else."""

MAX_LOOKS = 5_000_000
"""Most gates that are looked at around others, for one set of gates."""

ALONE = -1

Leg = tuple[int, str]
"""A wire, and what happens to it."""


class Gate(NamedTuple):
    """An operation on qubits."""

    row: int
    key: object
    """Gates with equal keys do the same."""
    inverse: object
    """The key of what undoes it."""
    legs: list[Leg]
    controls: frozenset[tuple[int, int]]
    """Those of the regions that it is in, as wires and how often these were changed before."""
    is_pauli: bool
    undone: int
    """The row of the `uncompute` that undoes it, or `ALONE`."""


def clash(kind: str, other: str) -> bool:
    """Whether actions on one qubit do not commute."""
    return kind == OTHER or kind != other


def operations(circuit: Circuit, wire: Sequence[int], undone: Mapping[int, int]) -> Iterator[Gate]:
    """The operations on qubits of a circuit; `undone` has the rows that `uncompute` undoes."""
    changes: Counter[int] = Counter()
    controls: list[frozenset[tuple[int, int]]] = [frozenset()]
    rows = zip(circuit.op.tolist(), circuit.all_values(), strict=True)
    for row, (code, values) in enumerate(rows):
        spec = OPS[code]
        if spec.name == "ctrl_begin":
            own = ((wire[value], changes[wire[value]]) for value in values)
            controls.append(controls[-1].union(own))
        elif spec.name == "ctrl_end":
            controls.pop()
        elif spec.qubits and not spec.is_marker and spec.name != "barrier":
            wires = [wire[value] for value in values]
            ppr = spec.name == "ppr"
            letters = str(circuit.attribute(row)) if ppr else ACTION.get(spec.name, "")
            legs = list(zip(wires, letters.ljust(len(wires), OTHER), strict=True))
            on = tuple(wires) if spec.name == "crz" else tuple(sorted(legs))
            angle, cond = float(circuit.angle[row]), int(circuit.cond[row])
            key, inverse = (spec.name, angle, on, cond), (spec.inverse, -angle, on, cond)
            undo = undone.get(row, ALONE)
            yield Gate(row, key, inverse, legs, controls[-1], spec.is_pauli, undo)
            changes.update(at for at, kind in legs if kind != DIAGONAL)


class Cancellation:
    """Checks that gates cancel; see the module's text."""

    def __init__(self, free: set[int]) -> None:
        self.free = free
        self.looks = 0
        self.begun: defaultdict[int, list[tuple[Gate, str]]] = defaultdict(list)
        """By wire, the gates of the set that nothing has undone yet, and what they do to it."""
        self.fits = True

    def check(self, gates: Sequence[Gate]) -> bool:
        """Whether gates of the set cancel, given all operations of the circuit."""
        undone = sorted((g for g in gates if g.undone != ALONE), key=lambda g: (-g.undone, g.row))
        for gate in gates:
            while undone and undone[-1].undone < gate.row:
                self.end(undone.pop())
            if gate.row in self.free:
                self.meet(gate)
            elif gate.undone != ALONE:
                self.begin(gate)
            else:
                self.pass_by(gate)
            if not self.fits or self.looks > MAX_LOOKS:
                return False
        for gate in reversed(undone):
            self.end(gate)
        return self.fits and not any(self.begun.values())

    def begin(self, gate: Gate) -> None:
        """Wait for what undoes a gate."""
        for wire, kind in gate.legs:
            self.begun[wire].append((gate, kind))

    def end(self, gate: Gate) -> None:
        """Take a gate away that meets what undoes it, if nothing is in between."""
        for wire, kind in gate.legs:
            others = self.begun[wire]
            at = len(others) - 1
            while others[at][0] is not gate:
                self.looks += 1
                self.fits = self.fits and not clash(kind, others[at][1])
                at -= 1
            del others[at]

    def meet(self, gate: Gate) -> None:
        """A gate of the set: it undoes one that has begun, or begins."""
        wire, kind = gate.legs[0]
        for other, what in reversed(self.begun[wire]):
            self.looks += 1
            same = other.undone == ALONE and other.controls == gate.controls
            if same and other.key == gate.inverse and self.is_last(other):
                self.end(other)
                return
            if clash(kind, what):
                break
        self.begin(gate)

    def is_last(self, gate: Gate) -> bool:
        """Whether what has begun behind a gate commutes with it."""
        for wire, kind in gate.legs:
            for other, what in reversed(self.begun[wire]):
                if other is gate:
                    break
                self.looks += 1
                if clash(kind, what):
                    return False
        return True

    def pass_by(self, gate: Gate) -> None:
        """Another operation: it commutes with what has begun, or needs the same controls."""
        for wire, kind in gate.legs:
            for other, what in self.begun[wire]:
                self.looks += 1
                if other.undone == ALONE and not other.controls <= gate.controls:
                    self.fits = self.fits and not clash(kind, what)
