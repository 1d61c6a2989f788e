"""Floating-point results of a circuit, whose bits are functions of outcomes, as choices of numbers.

result_float %b0 ... %b63            %v1 = select i1 %m, double 0.5, double -2.0
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from qwasmc.backends.qir.module import Body, double
from qwasmc.ir.circuit import Circuit
from qwasmc.ops import OPS

MAX_OUTCOMES = 12
"""Outcomes that a number may depend on: it is looked up for all of their values."""

Bools = NDArray[np.bool_]


def choose(
    circuit: Circuit, body: Body, values: Sequence[int], bit: Callable[[int], str]
) -> str | None:
    """The operand for the number with these 64 bits, the least significant one first.

    `bit` gives the operand for an outcome.  None if the number depends on too many outcomes.
    """
    outcomes, rows = _sources(circuit, values)
    if len(outcomes) > MAX_OUTCOMES:
        return None
    table: dict[int, Bools] = {}
    for axis, value in enumerate(outcomes):
        along = [2 if axis == other else 1 for other in range(len(outcomes))]
        table[value] = np.array([False, True]).reshape(along)
    for row in rows:
        table[int(circuit.first[row])] = _computed(circuit, row, table)
    words = np.zeros((2,) * len(outcomes), dtype=np.uint64)
    for place, value in enumerate(values):
        words |= table[value].astype(np.uint64) << np.uint64(place)
    return _chosen(words.view(np.float64), body, [bit(value) for value in outcomes])


def _sources(circuit: Circuit, values: Sequence[int]) -> tuple[list[int], list[int]]:
    """The outcomes that bits depend on, and the rows that compute them from these, in order."""
    starts = circuit.first.tolist()
    todo, seen = list(dict.fromkeys(values)), set(values)
    outcomes: list[int] = []
    rows: list[int] = []
    while todo:
        value = todo.pop()
        row = bisect_right(starts, value) - 1
        if OPS[circuit.op[row]].qubits:
            outcomes.append(value)
            continue
        rows.append(row)
        new = set(circuit.values(row)) - seen
        seen |= new
        todo += sorted(new)
    return sorted(outcomes), sorted(rows)


def _computed(circuit: Circuit, row: int, table: dict[int, Bools]) -> Bools:
    """A constant, or the parity or conjunction of bits, for all values of the outcomes."""
    name = OPS[circuit.op[row]].name
    found = np.array(bool(circuit.attr[row]) if name == "const" else name == "and")
    for value in circuit.values(row):
        found = found & table[value] if name == "and" else found ^ table[value]
    return found


def _chosen(numbers: NDArray[np.float64], body: Body, bits: Sequence[str]) -> str:
    """A number from a table whose first axis is the first bit."""
    if len(np.unique(numbers.view(np.uint64))) == 1:
        return double(float(numbers.flat[0]))
    first, *rest = bits
    zero, one = (_chosen(numbers[at], body, rest) for at in (0, 1))
    if zero == one:
        return one
    return body.value(f"select i1 {first}, double {one}, double {zero}")
