"""What reversible segments mean, by state vectors: the specification that passes are held against.

`UNCOMPUTE` moves the amplitude of |x>|s> to |x>|s0>, where s0 is what the scratch qubits held at
`REV_BEGIN`.  A scratch qubit that was not in |0> there is copied into a shadow first, an axis of
the state that the program does not see.  The map must take no two basis states of the support to
one: then it is a part of a unitary, and the segment can be undone.  Phases stay, but that of a Y or
CY that computes scratch, which is undone with it: it does what X or CNOT does.  In a control region
gates act only where its qubits are |1>.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from statevector import S, apply
from trajectories import TOLERANCE, Run

from qwasmc.ir.circuit import Circuit
from qwasmc.ops import OPS

WRITES = {"x": [0], "y": [0], "cx": [1], "cy": [1], "swap": [0, 1], "ccx": [2], "cswap": [1, 2]}
"""By gate that permutes basis states, the operands that it changes."""

READS = {"z", "s", "sdg", "t", "tdg", "rz", "p", "cz", "cp", "crz", "ccz", "measure_z"}
READS |= {"barrier", "rev_begin", "ctrl_begin", "output", "free"}
"""Operations that change no basis state."""


class Illegal(Exception):
    """Two basis states would become one."""


class Undo(NamedTuple):
    """A segment that is undone."""

    begin: int
    """Row of its `rev_begin`."""
    end: int
    scratch: list[int]
    """Wires."""
    shadowed: list[int]
    """Those of them that are perhaps not in |0> at `begin`."""


def written(circuit: Circuit, row: int, wire: np.ndarray) -> list[int]:
    """The wires whose basis values a row may change."""
    name, wires = OPS[circuit.op[row]].name, [int(wire[each]) for each in circuit.values(row)]
    if not OPS[circuit.op[row]].qubits or name in READS:
        return []
    if name == "ppr" and set(str(circuit.attribute(row))) == {"Z"}:
        return []
    return [wires[slot] for slot in WRITES.get(name, range(len(wires)))]


def undone(circuit: Circuit) -> dict[int, Undo]:
    """By row of an `uncompute`, what it undoes."""
    wire = circuit.wires()
    clean: set[int] = set()
    opened: list[tuple[int, set[int]]] = []
    complete: dict[str, tuple[int, int, set[int]]] = {}
    found: dict[int, Undo] = {}
    for row, code in enumerate(circuit.op.tolist()):
        name = OPS[code].name
        if name == "alloc":
            clean.add(int(wire[circuit.first[row]]))
        elif name == "reset" and circuit.cond[row] < 0:
            clean.add(int(wire[circuit.values(row)[0]]))
        elif name == "rev_begin":
            opened.append((row, set(clean)))
        elif name == "rev_end":
            complete[str(circuit.attribute(row))] = opened[-1][0], row, opened.pop()[1]
        elif name == "uncompute":
            begin, end, before = complete.pop(str(circuit.attribute(row)))
            found[row] = _undo(circuit, begin, end, before, wire)
            clean |= set(found[row].scratch) - set(found[row].shadowed)
        else:
            clean -= set(written(circuit, row, wire))
    return found


def _undo(circuit: Circuit, begin: int, end: int, clean: set[int], wire: np.ndarray) -> Undo:
    inside: set[int] = set()
    gone: set[int] = set()
    changed: dict[int, None] = {}
    for row in range(begin, end):
        if OPS[circuit.op[row]].name == "alloc":
            inside.add(int(wire[circuit.first[row]]))
        elif OPS[circuit.op[row]].name == "free":
            gone.add(int(wire[circuit.values(row)[0]]))
        changed.update(dict.fromkeys(written(circuit, row, wire)))
    listed = [int(wire[each]) for each in circuit.values(begin)]
    some = [each for each in changed if each not in inside & gone]  # not ancillas of gates
    scratch = listed or [each for each in some if each in clean or each in inside]
    return Undo(begin, end, scratch, [each for each in scratch if each not in clean | inside])


class SegmentRun(Run):
    """One run of a circuit whose qubits all start in |0>; segments are undone by decree."""

    def __init__(self, circuit: Circuit, forced: list[int] | None, seed: int) -> None:
        self.wire = circuit.wires()
        self.undone = undone(circuit)
        self.shadows: dict[tuple[int, int], int] = {}
        """By row of a `rev_begin` and wire, the axis of the copy."""
        self.latest: dict[int, int] = {}
        """By wire, its newest value."""
        self.named: dict[tuple[str, int], list[int]] = {}
        """By name and source location, the axes of the program's qubits."""
        self.controls: list[list[int]] = []
        """Axes that open control regions are controlled on."""
        self.nameless: list[int] = []
        """Axes of ancillas that are not discarded yet."""
        super().__init__(circuit, np.ones((), dtype=complex), forced, seed)
        for axis in sorted(self.nameless, reverse=True):
            self.discard(axis, certain=True)

    def step(self, row: int) -> None:
        spec, first = OPS[self.circuit.op[row]], int(self.circuit.first[row])
        values = self.circuit.values(row)
        if spec.makes_qubit:
            self.axis[first] = self.fresh()
            if name := str(self.circuit.attribute(row)):
                key = name, int(self.circuit.loc[row])
                self.named.setdefault(key, []).append(self.axis[first])
            else:
                self.nameless.append(self.axis[first])
        elif spec.name == "uncompute":
            self.restore(self.undone[row])
        else:
            before, computed = self.state, self.computed(row)
            self.turn(computed, S)  # X = S^-1 Y S
            super().step(row)
            self.turn(computed, S.conj())
            if spec.is_gate:
                self.take_back(before)
            elif spec.name == "ctrl_begin":
                self.controls.append([self.axis[first + at] for at in range(len(values))])
            elif spec.name == "ctrl_end":
                self.controls.pop()
        for value in range(first, int(self.circuit.first[row + 1])):
            self.latest[int(self.wire[value])] = value
        for undo in self.undone.values():
            if undo.begin == row:
                for wire in undo.shadowed:
                    self.shadow(row, wire)

    def computed(self, row: int) -> list[int]:
        """The axis of the scratch qubit that a row computes with a phase, if it does."""
        if OPS[self.circuit.op[row]].name not in ("y", "cy"):
            return []
        wire = int(self.wire[self.circuit.values(row)[-1]])
        around = [undo.scratch for undo in self.undone.values() if undo.begin < row < undo.end]
        return [self.axis_of(wire)] if any(wire in scratch for scratch in around) else []

    def take_back(self, before: np.ndarray) -> None:
        """Undo what a gate has done where a control is |0>."""
        axes = sorted({axis for some in self.controls for axis in some})
        if axes:
            found = before.copy()
            blocks = [np.moveaxis(state, axes, range(len(axes))) for state in (found, self.state)]
            blocks[0][(1,) * len(axes)] = blocks[1][(1,) * len(axes)]
            self.state = found

    def turn(self, axes: list[int], matrix: np.ndarray) -> None:
        for axis in axes:
            self.state = apply(self.state, matrix, [axis])

    def fresh(self) -> int:
        """A new axis in |0>."""
        self.state = np.stack([self.state, np.zeros_like(self.state)], axis=-1)
        return self.state.ndim - 1

    def axis_of(self, wire: int) -> int:
        return self.axis[self.latest[wire]]

    def shadow(self, row: int, wire: int) -> None:
        """Copy a wire."""
        copy = self.shadows[row, wire] = self.fresh()
        moved = np.moveaxis(self.state, [self.axis_of(wire), copy], [0, 1])
        moved[1] = moved[1, ::-1].copy()

    def restore(self, undo: Undo) -> None:
        """Give scratch wires the values they had."""
        shadowed = undo.shadowed
        order = [*shadowed, *(wire for wire in undo.scratch if wire not in shadowed)]
        shadows = [self.shadows.pop((undo.begin, wire)) for wire in shadowed]
        axes = [*shadows, *map(self.axis_of, order)]
        moved = np.moveaxis(self.state, axes, range(len(axes)))
        parts = moved.reshape(2 ** len(shadows), 2 ** len(order), -1)
        if ((abs(parts) > TOLERANCE).sum(axis=1) > 1).any():
            raise Illegal
        new = np.zeros_like(parts)
        for old, part in enumerate(parts):
            new[0, old << len(order) - len(shadowed)] = part.sum(axis=0)
        self.state = np.moveaxis(new.reshape(moved.shape), range(len(axes)), axes)
        for shadow in sorted(shadows, reverse=True):
            self.discard(shadow, certain=True)

    def end(self, axis: int) -> None:
        """What is freed stays until the end of the run, as it may be a part of something."""
        if axis in self.nameless:
            self.discard(axis)

    def discard(self, axis: int, *, certain: bool = False) -> None:
        """Remove an axis if it is no part of anything, which is `certain` or not."""
        shape = [2] * (self.state.ndim - 1)
        parts = np.moveaxis(self.state, axis, 0).reshape(2, -1)
        if np.linalg.norm(parts[1]) < TOLERANCE:
            rest = parts[0]
        else:
            weights, vectors = np.linalg.eigh(parts @ parts.conj().T)
            if weights[0] > TOLERANCE:
                assert not certain, "an ancilla is entangled in the end"
                return
            rest = vectors[:, 1].conj() @ parts
        self.state = rest.reshape(shape)
        for numbers in (self.axis, self.shadows):
            numbers.update({key: at - (at > axis) for key, at in numbers.items()})
        for key, some in self.named.items():
            self.named[key] = [at - (at > axis) for at in some]
        self.nameless = [at - (at > axis) for at in self.nameless if at != axis]


def legal(circuit: Circuit, seed: int, runs: int) -> bool:
    """Whether segments can be undone by decree in some random runs."""
    try:
        for at in range(runs):
            SegmentRun(circuit, None, seed=seed + at)
    except Illegal:
        return False
    return True


def assert_undone(before: Circuit, after: Circuit, seed: int, runs: int) -> None:
    """A circuit without segments does what one with segments means, in some random runs.

    Qubits that the second does not have any more must end in |0> in the first.
    """
    for at in range(runs):
        one = SegmentRun(before, None, seed=seed + at)
        other = SegmentRun(after, one.taken, seed=seed + at + 1)
        assert not other.forced, "measurements of the program are missing"
        assert one.results == other.results
        assert abs(one.probability - other.probability) < TOLERANCE
        kept, gone = [], []
        for key, axes in one.named.items():
            left = len(other.named.get(key, []))
            assert left in (0, len(axes)), "which of several qubits of one name is gone?"
            (kept if left else gone).extend(axes)
        assert set(other.named) <= set(one.named), "qubits have come from nowhere"
        expected = np.moveaxis(one.state, gone, range(len(gone)))[(0,) * len(gone)]
        kept = [each - sum(other < each for other in gone) for each in kept]
        expected = np.transpose(expected, kept)
        order = [axis for key in one.named for axis in other.named.get(key, [])]
        assert len(order) == other.state.ndim, "ancillas are left"
        overlap = abs(np.vdot(expected, np.transpose(other.state, order)))
        assert abs(overlap - 1) < TOLERANCE, f"the states differ: overlap {overlap}"
