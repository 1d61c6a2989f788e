"""What circuits are enumerated from.

A letter is a short list of steps on the qubits a, b, c, ..., mostly one.  A word is a row of
letters, which are numbered from 1; 0 is none, and stands at the end only.  Letters that share a
qubit, or one of which makes a result that the other one takes, depend on each other; all others
commute, and words that differ in their order only are the same circuit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from qwasmc.ops import BY_NAME
from qwasmc.rules.rule import SYMMETRIC, Angle, Step

GATES = ("h", "s", "sdg", "sx", "sxdg", "x", "y", "z", "t", "tdg", "cx", "cz", "swap")
"""What is left of a circuit after -O2."""

WIRES = "abcd"

Letter = tuple[Step, ...]


@dataclass(frozen=True)
class Alphabet:
    """Letters on `wires`; the first of them, `inputs`, enter, the others begin in |0>."""

    letters: tuple[Letter, ...]
    wires: str
    inputs: str

    @property
    def fresh(self) -> str:
        """The qubits that begin in |0>."""
        return self.wires.removeprefix(self.inputs)

    @cached_property
    def bits(self) -> list[str]:
        """The results that letters make."""
        return sorted({step.bit for letter in self.letters for step in letter if step.bit})

    @cached_property
    def dependent(self) -> NDArray[np.bool_]:
        """By two letters: whether their order matters at all."""
        count = len(self.letters) + 1
        found = np.zeros((count, count), dtype=np.bool_)
        for (i, one), (j, other) in product(enumerate(self.letters, start=1), repeat=2):
            found[i, j] = depend(one, other)
        return found

    @cached_property
    def symmetries(self) -> NDArray[np.uint8]:
        """By renaming of inputs and of angles: the letter that each one becomes.

        The first renames nothing.
        """
        number = {letter: at for at, letter in enumerate(self.letters, start=1)}
        steps = [step for letter in self.letters for step in letter]
        rows = []
        for names in _renamings(self.inputs, angles_in(steps)):
            renamed = [rename(letter, names) for letter in self.letters]
            if all(letter in number for letter in renamed):
                rows.append([0, *(number[letter] for letter in renamed)])
        return np.array(rows, dtype=np.uint8)

    @cached_property
    def states(self) -> NDArray[np.int64]:
        """(letters + 1, 4): flags that must be set before, must not be, are set, are cleared.

        There are flags for each result (is made) and for each qubit that begins in |0> (is in use,
        was freed).
        """
        table = np.zeros((len(self.letters) + 1, 4), dtype=np.int64)
        for row, letter in zip(table[1:], self.letters, strict=True):
            for step in letter:
                for column, flags in _flags(step, self.bits, self.fresh):
                    row[column] |= flags
        # What a letter sets itself is not needed before.
        table[:, 0] &= ~table[:, 2]
        return table

    @property
    def freed_flags(self) -> int:
        """The flags of qubits that were freed."""
        return sum(2 << len(self.bits) + 2 * at for at in range(len(self.fresh)))

    def steps(self, word: Sequence[int]) -> tuple[Step, ...]:
        """What a word stands for."""
        return tuple(step for letter in word if letter for step in self.letters[letter - 1])


NEEDS, FORBIDS, SETS, CLEARS = range(4)


def _flags(step: Step, bits: Sequence[str], fresh: str) -> Iterator[tuple[int, int]]:
    """What a step adds to the columns of `Alphabet.states`."""
    if step.cond:
        yield NEEDS, 1 << bits.index(step.cond)
    if step.bit:
        yield FORBIDS, 1 << bits.index(step.bit)
        yield SETS, 1 << bits.index(step.bit)
    for qubit in step.qubits:
        if qubit in fresh:
            live = 1 << len(bits) + 2 * fresh.index(qubit)
            if step.op == "alloc":
                yield FORBIDS, 3 * live
                yield SETS, live
            else:
                yield NEEDS, live
            if step.op == "free":
                yield CLEARS, live
                yield SETS, 2 * live


def depend(one: Letter, other: Letter) -> bool:
    """Whether two letters share a qubit or a result that one of them makes."""
    qubits = [{qubit for step in letter for qubit in step.qubits} for letter in (one, other)]
    makes = [{step.bit for step in letter if step.bit} for letter in (one, other)]
    takes = [{step.cond for step in letter if step.cond} for letter in (one, other)]
    return bool(qubits[0] & qubits[1] or makes[0] & (makes[1] | takes[1]) or makes[1] & takes[0])


def _renamings(wires: str, angles: Sequence[str]) -> Iterator[dict[str, str]]:
    for order in permutations(wires):
        for names in permutations(angles):
            yield dict(zip([*wires, *angles], [*order, *names], strict=True))


def rename(letter: Letter, names: Mapping[str, str]) -> Letter:
    """Steps with other names of qubits, results and angles; what has none keeps its own."""
    return tuple(_rename(step, names) for step in letter)


def _rename(step: Step, names: Mapping[str, str]) -> Step:
    qubits = tuple(names.get(qubit, qubit) for qubit in step.qubits)
    angle, paulis = step.angle, step.paulis
    if step.op in SYMMETRIC:
        qubits = tuple(sorted(qubits))
    if paulis:
        pairs = sorted(zip(qubits, paulis, strict=True))
        qubits, paulis = tuple(q for q, _ in pairs), "".join(p for _, p in pairs)
    if angle:
        terms = sorted((names.get(name, name), count) for name, count in angle.terms)
        angle = Angle(tuple(terms), angle.eighths)
    bit, cond = (names.get(name, name) for name in (step.bit, step.cond))
    return Step(step.op, qubits, angle, paulis, bit, cond)


def angles_in(steps: Sequence[Step]) -> list[str]:
    """The names of angles, in order."""
    return sorted({name for step in steps if step.angle for name, _ in step.angle.terms})


def of_gates(names: Sequence[str], qubits: int) -> Alphabet:
    """Gates without angles on all choices of some qubits."""
    wires = WIRES[:qubits]
    return Alphabet(tuple(_gates(names, wires)), wires, wires)


def _gates(names: Sequence[str], wires: str) -> Iterator[Letter]:
    for name in names:
        for qubits in permutations(wires, BY_NAME[name].qubits):
            if name not in SYMMETRIC or qubits[0] < qubits[1]:
                yield (Step(name, qubits),)


def of_angles(names: Sequence[str], qubits: int) -> Alphabet:
    """Gates, and `rz` by x, y, their sums and differences."""
    counts = [counts for counts in product((1, 0, -1), repeat=2) if any(counts)]
    angles = [
        Angle(tuple((name, count) for name, count in zip("xy", pair, strict=True) if count))
        for pair in counts
    ]
    return _with_rz(names, angles, WIRES[:qubits])


def of_constants(names: Sequence[str]) -> Alphabet:
    """Gates on a qubit, and `rz` by multiples of pi/4."""
    return _with_rz(names, [Angle((), eighths) for eighths in range(8)], "a")


def _with_rz(names: Sequence[str], angles: Sequence[Angle], wires: str) -> Alphabet:
    turns = [(Step("rz", (wire,), angle),) for angle in angles for wire in wires]
    return Alphabet((*_gates(names, wires), *turns), wires, wires)


def of_measurements(names: Sequence[str], qubits: int) -> Alphabet:
    """Gates, measurements that make the result m, and Paulis that depend on it."""
    wires = WIRES[:qubits]
    paulis = ("x", "y", "z")
    made = [Step(f"measure_{axis}", (wire,), bit="m") for axis in paulis for wire in wires]
    if qubits == 2:
        made += [Step("ppm", tuple(wires), paulis=a + b, bit="m") for a in "XYZ" for b in "XYZ"]
    taken = [Step(name, (wire,), cond="m") for name in paulis for wire in wires]
    return Alphabet((*_gates(names, wires), *((step,) for step in (*made, *taken))), wires, wires)


def of_parities(inputs: int) -> Alphabet:
    """Joint measurements of qubits, direct ones and such with the help of another qubit."""
    wires = WIRES[: inputs + 1]
    entering, helper = wires[:-1], wires[-1]
    pairs = [pair for wire in entering for pair in ((wire, helper), (helper, wire))]
    gates = [Step("h", (helper,)), *(Step("cx", pair) for pair in pairs)]
    gates += [Step("cz", (wire, helper)) for wire in entering]
    ends = [
        (Step(op, (helper,), bit="m"), Step("free", (helper,))) for op in ("measure_x", "measure_z")
    ]
    joint = [
        Step("ppm", chosen, paulis="".join(letters), bit="m")
        for count in range(2, inputs + 1)
        for chosen in _subsets(entering, count)
        for letters in product("XZ", repeat=count)
    ]
    single = [Step(op, (w,), bit="m") for op in ("measure_x", "measure_z") for w in entering]
    letters = [(step,) for step in (Step("alloc", (helper,)), *gates, *joint, *single)]
    return Alphabet((*letters, *ends), wires, entering)


def _subsets(wires: str, count: int) -> list[tuple[str, ...]]:
    return [chosen for chosen in permutations(wires, count) if list(chosen) == sorted(chosen)]
