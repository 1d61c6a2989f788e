"""What operations do, exactly: all that may happen, as matrices of `ring` polynomials.

A side of a rule maps states of its inputs to states of its outputs.  Each measurement result and
each basis state in which a qubit is thrown away gives a matrix of its own (a Kraus operator): they
are the leading axes of one array.

No sum overflows.  The absolute coefficients of an entry, of all monomials together, sum up to at
most 2^s, where s counts the operations that add numbers (h, sx, sxdg, measurements); others move
entries or multiply them by units.  An entry of `channel` is a sum over 2^d discarded states of
products of two such numbers, where d counts reset and free.  s and d together are at most
`MAX_STEPS` + `MAX_QUBITS` = 28, so nothing exceeds 2^56; `ring.lowest_terms` doubles it at most.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from qwasmc.backends.proving.conditions import Unproved
from qwasmc.backends.proving.ring import (
    Numbers,
    Polynomial,
    add,
    conjugated,
    lowest_terms,
    outer_products,
    shifted,
    turned,
)
from qwasmc.rules.rule import Angle, Step

Matrix = tuple[tuple[int | None, int | None], tuple[int | None, int | None]]

GATES: dict[str, Matrix] = {
    "h": ((0, 0), (0, 4)),
    "x": ((None, 0), (0, None)),
    "y": ((None, 6), (2, None)),
    "z": ((0, None), (None, 4)),
    "s": ((0, None), (None, 2)),
    "sdg": ((0, None), (None, 6)),
    "t": ((0, None), (None, 1)),
    "tdg": ((0, None), (None, 7)),
    "sx": ((1, 7), (7, 1)),
    "sxdg": ((7, 1), (1, 7)),
}
"""Entries as powers of w = exp(i pi / 4), where they are not 0."""

HALVED = ("h", "sx", "sxdg")
"""Gates whose matrix is still to be divided by sqrt 2."""

CONTROLLED = {"cx": "x", "cy": "y", "cz": "z"}
"""What a gate does to its second qubit where the first one is 1."""

FREE = "(free)"
"""What stands for the name of a qubit that is discarded."""

MAX_NUMBERS = 1 << 16
"""Most entries of all matrices of a side."""

MAX_CHANNEL = 1 << 18
"""Most products of entries that `channel` adds up."""


class Operator(NamedTuple):
    """All matrices of a side.

    Arrays have the shape (results, discarded states, outputs * inputs, 4).  Qubits and results are
    in order of names, the first one the most significant bit; outputs are the rows of a matrix.
    """

    terms: Polynomial
    halves: int


class Side(NamedTuple):
    """A side of a rule: `steps` from `inputs` in any state to `outputs`.

    `given` are the results that were made before, and `variables` the angles in rz.
    """

    steps: tuple[Step, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    given: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()


def operator(side: Side) -> Operator:
    """The matrices of a side; `Unproved` if they are too large."""
    run = _Run(side)
    for bit in side.given:
        run.split(f"-> {bit}", lambda numbers: (numbers, numbers))
    for step in side.steps:
        run.step(step)
    return run.result()


class _Run:
    """Runs operations on all columns of the identity at once.

    Each axis of length 2 is that of a qubit, or of a result m ("-> m"), or `FREE`: of what was
    discarded.  Before the coefficients there is one axis for the inputs.
    """

    def __init__(self, side: Side) -> None:
        self.side = side
        self.axes = list(side.inputs)
        size = 2 ** len(self.axes)
        identity = np.zeros((size, size, 4), dtype=np.int64)
        identity[..., 0] = np.eye(size, dtype=np.int64)
        one = (0,) * len(side.variables)
        self.terms: Polynomial = {one: identity.reshape(*[2] * len(self.axes), size, 4)}
        self.halves = 0

    def step(self, step: Step) -> None:
        """Run an operation."""
        op, qubits = step.op, step.qubits
        if op in GATES:
            self._gate(op, qubits[0], f"-> {step.cond}" if step.cond else "")
        elif op in CONTROLLED:
            self._gate(CONTROLLED[op], qubits[1], qubits[0])
        elif op == "swap":
            one, other = map(self.axes.index, qubits)
            self.axes[one], self.axes[other] = self.axes[other], self.axes[one]
        elif op == "rz":
            assert step.angle is not None
            self._rotate(qubits[0], step.angle)
        elif op == "alloc":
            self.split(qubits[0], lambda numbers: (numbers, np.zeros_like(numbers)))
        elif op == "free":
            self.axes[self.axes.index(qubits[0])] = FREE
        elif op == "reset":
            self.step(Step("free", qubits))
            self.step(Step("alloc", qubits))
        else:
            letters = step.paulis or op[-1].upper()
            self._measure(letters, qubits, f"-> {step.bit}")

    def _gate(self, name: str, qubit: str, control: str) -> None:
        """A gate on a qubit, only where the control, if there is one, is 1."""
        axis = self.axes.index(qubit)
        where = [slice(None)] * len(self.axes)
        if control:
            where[self.axes.index(control)] = slice(1, 2)
        for key, numbers in self.terms.items():
            found = numbers.copy()
            found[tuple(where)] = _multiplied(GATES[name], numbers[tuple(where)], axis)
            self.terms[key] = found
        self.halves += name in HALVED

    def _rotate(self, qubit: str, angle: Angle) -> None:
        counts = dict(angle.terms)
        by = tuple(counts.get(name, 0) for name in self.side.variables)
        axis = self.axes.index(qubit)
        found: Polynomial = {}
        for key, numbers in self.terms.items():
            for value, place, power in ((0, key, 0), (1, shifted(key, by), angle.eighths)):
                part = np.zeros_like(numbers)
                half = np.moveaxis(numbers, axis, 0)[value]
                np.moveaxis(part, axis, 0)[value] = turned(half, power)
                add(found, place, part)
        self.terms = found
        self._check_size()

    def _measure(self, letters: str, qubits: Sequence[str], label: str) -> None:
        """(1 + P) / 2 for the result 0 and (1 - P) / 2 for 1."""
        axes = list(map(self.axes.index, qubits))

        def project(numbers: Numbers) -> tuple[Numbers, Numbers]:
            product = numbers
            for letter, axis in zip(letters.lower(), axes, strict=True):
                product = _multiplied(GATES[letter], product, axis)
            return numbers + product, numbers - product

        self.split(label, project)
        self.halves += 2

    def split(self, label: str, parts: Callable[[Numbers], tuple[Numbers, Numbers]]) -> None:
        """Put what two functions make of all numbers on a new axis, the first one."""
        for key, numbers in self.terms.items():
            self.terms[key] = np.stack(parts(numbers))
        self.axes.insert(0, label)
        self._check_size()

    def _check_size(self) -> None:
        if sum(numbers.size for numbers in self.terms.values()) > 4 * MAX_NUMBERS:
            raise Unproved("its matrices are too large")

    def result(self) -> Operator:
        """The matrices, axes in order."""
        results = sorted(label for label in self.axes if label.startswith("->"))
        free = [axis for axis, label in enumerate(self.axes) if label == FREE]
        named = [self.axes.index(label) for label in (*results, *self.side.outputs)]
        order = [*named[: len(results)], *free, *named[len(results) :]]
        entries = 2 ** (len(self.side.outputs) + len(self.side.inputs))
        shape = (2 ** len(results), 2 ** len(free), entries, 4)
        return Operator(
            {
                key: numbers.transpose(*order, len(order), len(order) + 1).reshape(shape)
                for key, numbers in self.terms.items()
            },
            self.halves,
        )


def _multiplied(matrix: Matrix, numbers: Numbers, axis: int) -> Numbers:
    """A gate applied along an axis of length 2."""
    parts = np.moveaxis(numbers, axis, 0)
    rows = []
    for entries in matrix:
        turns = [
            turned(part, power)
            for part, power in zip(parts, entries, strict=True)
            if power is not None
        ]
        rows.append(turns[0] + turns[1] if len(turns) == 2 else turns[0])
    return np.stack(rows, axis)


class Channel(NamedTuple):
    """For each value of results, the sum of K (x) conj(K) over discarded states, K as a vector.

    Arrays have the shape (results, n, n, 4), for those n entries, `support`, that are not always 0.
    They determine what happens to states, and nothing else: it is the same for sets of K that
    differ in a phase, or in the basis in which a qubit is discarded (Choi, Linear Algebra Appl. 10,
    285 (1975), theorem 1 and remark 4).
    """

    support: list[int]
    terms: Polynomial
    halves: int


def channel(found: Operator) -> Channel:
    """The channel of a side, in lowest terms; `Unproved` if it is too large."""
    used = np.any([numbers.any(axis=(0, 1, 3)) for numbers in found.terms.values()], axis=0)
    vectors = {key: numbers[:, :, used] for key, numbers in found.terms.items()}
    results, states, entries, _ = next(iter(vectors.values())).shape
    if results * states * entries**2 * len(vectors) ** 2 > MAX_CHANNEL:
        raise Unproved("its matrices are too large")
    total: Polynomial = {}
    for key, left in vectors.items():
        for other, right in vectors.items():
            products = outer_products(left, conjugated(right))
            add(total, shifted(key, other, -1), products)
    terms, halves = lowest_terms(total, 2 * found.halves)
    return Channel(np.flatnonzero(used).tolist(), terms, halves)
