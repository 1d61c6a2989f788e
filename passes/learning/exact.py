"""What small circuits do, in exact arithmetic, for all values of their angles.

Entries of matrices are in Z[1/sqrt 2, i].  With omega = exp(i pi/4), each is
(c0 + c1 omega + c2 omega^2 + c3 omega^3) / sqrt(2)^k with integers c (Giles and Selinger, Phys.
Rev. A 87, 032332, section 2); where there are angles x, y, ... the c are polynomials in
exp(ix), exp(iy), ...  For each value of the results that a circuit makes, its Kraus operator is an
array with the axes

    one of length 2 for each qubit (its output), the inputs, one for each angle (powers of
    exp(ix)), and the four coefficients c.

A step at most doubles the largest coefficient, and so does the division by sqrt 2, so 64 bits are
enough for the steps that a rule may have.

Qubits that a circuit allocates start in |0>, and are back there when they are freed; so circuits
with them and without them compare.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.rules.rule import Step

Ints = NDArray[Any]

GATES: dict[str, tuple[int, tuple[int | None, ...]]] = {
    "h": (1, (0, 0, 0, 4)),
    "x": (0, (None, 0, 0, None)),
    "y": (0, (None, 6, 2, None)),
    "z": (0, (0, None, None, 4)),
    "s": (0, (0, None, None, 2)),
    "sdg": (0, (0, None, None, 6)),
    "sx": (1, (1, 7, 7, 1)),
    "sxdg": (1, (7, 1, 1, 7)),
    "t": (0, (0, None, None, 1)),
    "tdg": (0, (0, None, None, 7)),
}
"""Matrices by rows: (k, exponents e) is omega^e / sqrt(2)^k, where None is an entry 0."""

CONTROLLED = {"cx": "x", "cy": "y", "cz": "z"}

TO_Z = {"X": ("h",), "Y": ("sdg", "h"), "Z": ()}
"""By letter of a Pauli: gates that take its eigenstates to |0> and |1>."""


@dataclass
class Operator:
    """values / sqrt(2)^halves; the axes of `values` are described at the head of this file."""

    values: Ints
    halves: int = 0


def operators(
    steps: Sequence[Step], wires: Sequence[str], bits: Sequence[str], inputs: Sequence[str]
) -> list[Operator]:
    """The Kraus operators by the values of `bits`, the last bit changing quickest.

    `inputs` are those of the wires that enter; the others begin in |0>.  ValueError for a step
    that has none: a `reset`, or `free` of a qubit that was not just measured.
    """
    names = sorted({name for step in steps if step.angle for name, _ in step.angle.terms})
    return [
        _Run(steps, wires, dict(zip(bits, values, strict=True)), inputs, names).operator
        for values in product((0, 1), repeat=len(bits))
    ]


class _Run:
    """One run of a circuit, with given results."""

    def __init__(
        self,
        steps: Sequence[Step],
        wires: Sequence[str],
        results: dict[str, int],
        inputs: Sequence[str],
        angles: Sequence[str],
    ) -> None:
        self.axis = {wire: at for at, wire in enumerate(wires)}
        self.results = results
        self.angle_axis = {name: at - len(angles) - 1 for at, name in enumerate(angles)}
        self.measured: dict[str, tuple[str, int]] = {}
        """The letter and the result of qubits on which nothing was done since."""
        self.operator = self._identity(steps, len(wires), [self.axis[wire] for wire in inputs])
        for step in steps:
            self._step(step)

    def _identity(self, steps: Sequence[Step], wires: int, inputs: Sequence[int]) -> Operator:
        powers = [1] * len(self.angle_axis)
        for step in steps:
            for name, count in step.angle.terms if step.angle else ():
                powers[self.angle_axis[name] + len(powers) + 1] += abs(count)
        values = np.zeros((*(2,) * wires, 2 ** len(inputs), *powers, 4), dtype=np.int64)
        for column, state in enumerate(product((0, 1), repeat=len(inputs))):
            index = np.zeros(wires, dtype=int)
            index[list(inputs)] = state
            values[(*index, column, *(0,) * (len(powers) + 1))] = 1
        return Operator(values)

    def _step(self, step: Step) -> None:
        if step.op == "free":
            self._free(step.qubits[0])
            return
        for qubit in step.qubits:
            self.measured.pop(qubit, None)
        if step.bit:
            letters = step.paulis or step.op.removeprefix("measure_").upper()
            self._project(step.qubits, letters, self.results[step.bit])
            if len(letters) == 1:
                self.measured[step.qubits[0]] = letters, self.results[step.bit]
        elif not step.cond or self.results[step.cond]:
            self._gate(step)

    def _gate(self, step: Step) -> None:
        axes = [self.axis[qubit] for qubit in step.qubits]
        if step.op in GATES:
            self._apply(step.op, axes[0])
        elif step.op in CONTROLLED:
            self._controlled(CONTROLLED[step.op], *axes)
        elif step.op == "swap":
            self.operator.values = np.swapaxes(self.operator.values, *axes).copy()
        elif step.angle is not None:
            self._rotate(step, axes[0])
        elif step.op != "alloc":
            raise ValueError(f"'{step.op}' has no Kraus operator")

    def _apply(self, gate: str, axis: int) -> None:
        halves, entries = GATES[gate]
        self.operator.values = _times(entries, self.operator.values, axis)
        self.operator.halves += halves

    def _controlled(self, gate: str, control: int, target: int) -> None:
        on = (slice(None),) * control + (1,)
        half = self.operator.values[on]
        # The axis of the control is gone in this half.
        self.operator.values[on] = _times(GATES[gate][1], half, target - (target > control))

    def _rotate(self, step: Step, axis: int) -> None:
        """diag(1, exp(i angle)); a negative power on |1> is a positive one on |0>, up to phase."""
        assert step.angle is not None
        values = self.operator.values
        zero, one = ((slice(None),) * axis + (at,) for at in (0, 1))
        values[one] = times_omega(values[one], step.angle.eighths)
        for name, count in step.angle.terms:
            half = one if count > 0 else zero
            values[half] = np.roll(values[half], abs(count), self.angle_axis[name])

    def _project(self, qubits: Sequence[str], letters: str, result: int) -> None:
        """(1 + (-1)^result P) / 2."""
        values = self.operator.values
        turned = values
        for qubit, letter in zip(qubits, letters, strict=True):
            turned = _times(GATES[letter.lower()][1], turned, self.axis[qubit])
        self.operator.values = values - turned if result else values + turned
        self.operator.halves += 2

    def _free(self, qubit: str) -> None:
        if qubit not in self.measured:
            raise ValueError("'free' of a qubit that was not just measured")
        letter, result = self.measured.pop(qubit)
        for gate in (*TO_Z[letter], *("x",) * result):
            self._apply(gate, self.axis[qubit])


def _times(entries: Sequence[int | None], values: Ints, axis: int) -> Ints:
    """A matrix of one qubit times an array, on an axis."""
    parts = np.moveaxis(values, axis, 0)
    found = np.zeros_like(parts)
    for place, power in enumerate(entries):
        if power is not None:
            found[place // 2] += times_omega(parts[place % 2], power)
    return np.moveaxis(found, 0, axis)


def times_omega(values: Ints, power: int) -> Ints:
    """Elements of the ring, by their four coefficients in the last axis, times omega^power."""
    # Coefficients move up by `power` places; omega^4 = -1.
    old = np.arange(4) - power % 8
    return values[..., old % 4] * np.where(old // 4 % 2, -1, 1)


def over_root_two(values: Ints) -> Ints | None:
    """Elements of the ring over sqrt 2 = omega - omega^3, or None where one is not in the ring."""
    doubled = times_omega(values, 1) - times_omega(values, 3)
    return doubled // 2 if not (doubled & 1).any() else None


def canonical(
    steps: Sequence[Step], wires: Sequence[str], bits: Sequence[str], fresh: Sequence[str]
) -> list[bytes]:
    """What a circuit does: equal for two circuits if and only if they do the same, up to phase.

    `wires` are all qubits and `fresh` those of them that begin in |0>, `bits` all results; equal
    ones must be given for circuits that are compared.  A phase may differ from one value of the
    results to the other.

    All phases are c = omega^k times powers of exp(ix), exp(iy), ...  For let U = c V for unitary
    matrices of Laurent polynomials over R = Z[1/sqrt 2, i].  Then c = U V^-1 is one, as is its
    inverse, so it is a unit u of R times powers of exp(ix).  |u| = 1; 2 is a power of one prime
    of Z[omega], which conjugation keeps, so u u* = 1 says that u and 1/u are in Z[omega]; all
    conjugates of u have the modulus 1 too, so it is a root of unity (Kronecker), thus of order 8.
    The same holds for Kraus operators K, L = c K of Pauli measurements: L K* = c K K* and the trace
    of K K* is a power of 2, so c is in R.
    """
    angles = sorted({name for step in steps if step.angle for name, _ in step.angle.terms})
    inputs = [wire for wire in wires if wire not in fresh]
    found = operators(steps, wires, bits, inputs)
    return [_normal(each, angles) for each in found]


def _normal(operator: Operator, angles: Sequence[str]) -> bytes:
    """The same for all operators that differ by a phase: a list of entries that are not 0."""
    values, halves = operator.values, operator.halves
    places = np.argwhere(values.any(axis=-1))
    if not len(places):
        return b"0"
    while halves and (divided := over_root_two(values)) is not None:
        values, halves = divided, halves - 1
    entries = values[tuple(places.T)]
    entries = min((times_omega(entries, power) for power in range(8)), key=lambda e: tuple(e[0]))
    powers = places[:, places.shape[1] - len(angles) :]
    powers -= powers.min(axis=0)
    used = [name for name, column in zip(angles, powers.T, strict=True) if column.any()]
    kept = np.ones(places.shape[1], dtype=bool)
    kept[places.shape[1] - len(angles) :] = powers.any(axis=0)
    heading = f"{used} {halves} ".encode()
    return heading + places[:, kept].tobytes() + entries.tobytes()
