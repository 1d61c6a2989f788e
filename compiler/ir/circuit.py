"""Circuit IR: a straight line of operations, stored as columns.

Row i of the columns is one operation.  A value's number follows from the operation that makes
it: row i makes the values first[i], first[i] + 1, ... : one per qubit it hands on, then its bit.
So for the rows

    0  alloc              -> 0
    1  h 0                -> 1
    2  measure_z 1        -> 2 (the qubit), 3 (the bit)

`first` is [0, 1, 2, 4].  Passes are functions from Circuit to Circuit; build with
`CircuitBuilder`, which checks nothing: the verifier does.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from qwasmc.diagnostics import Locations
from qwasmc.ops import OPS

MAX_FIXED = 3
"""Operands that fit the fixed columns; an op with a variable number keeps them in the pool."""

CHUNK = 1 << 14
"""Rows whose operands become lists at a time."""

VARIADIC = np.array([spec.qubits < 0 or spec.bits < 0 for spec in OPS])
"""By op code: operands live in the pool, and operands[i] is (offset, count, 0)."""


RESULTS = ("result", "result_int", "result_float")
"""Operations that name bits of the program as its results."""


def result_bits(op: str, name: str, values: Sequence[int]) -> list[tuple[str, int]]:
    """The names of the bits of a result, one by one: those of a number are numbered."""
    if op == "result":
        return [(name, values[0])]
    return [(f"{name}[{place}]", value) for place, value in enumerate(values)]


@dataclass(slots=True)
class Circuit:
    """Columns, one entry per operation unless said otherwise."""

    op: NDArray[np.uint8]
    operands: NDArray[np.int32]
    """(n, 3): value numbers of qubits, then bits; -1 where there is none."""
    cond: NDArray[np.int32]
    """The bit the operation is predicated on, or -1."""
    angle: NDArray[np.float64]
    """Radians; 0 where the op has no angle."""
    attr: NDArray[np.int32]
    """Integer attribute, or the index of a string attribute in `names`; 0 where there is none."""
    loc: NDArray[np.int32]
    first: NDArray[np.int32]
    """n + 1 entries: number of the first value each row makes, and the number of all values."""
    pool: NDArray[np.int32]
    names: list[str]
    locations: Locations

    def __len__(self) -> int:
        return len(self.op)

    @property
    def n_values(self) -> int:
        """How many values there are."""
        return int(self.first[-1])

    def values(self, row: int) -> list[int]:
        """The operands of a row, without its condition."""
        a, b, c = (int(v) for v in self.operands[row])
        if VARIADIC[self.op[row]]:
            pooled: list[int] = self.pool[a : a + b].tolist()
            return pooled
        return [v for v in (a, b, c) if v >= 0]

    def all_values(self) -> Iterator[list[int]]:
        """The operands of every row, without conditions; some thousands of rows at a time."""
        for first in range(0, len(self), CHUNK):
            operands = self.operands[first : first + CHUNK]
            used = operands >= 0
            flat = operands[used].tolist()
            ends = np.cumsum(used.sum(axis=1)).tolist()
            found = [flat[start:end] for start, end in pairwise([0, *ends])]
            for row in np.flatnonzero(VARIADIC[self.op[first : first + CHUNK]]).tolist():
                found[row] = self.values(first + row)
            yield from found

    def attribute(self, row: int) -> int | str:
        """The attribute of a row, as `CircuitBuilder.add` takes it."""
        number = int(self.attr[row])
        return self.names[number] if OPS[self.op[row]].attr_is_text else number

    def wires(self) -> NDArray[np.int32]:
        """For each value, the number of the qubit it belongs to (in order of alloc), or -1: a bit.

        One qubit's successive values share one wire.
        """
        wire = [-1] * self.n_values
        fresh = 0
        rows = zip(self.op.tolist(), self.first.tolist(), self.all_values(), strict=False)
        for code, at, values in rows:
            spec = OPS[code]
            if spec.makes_qubit:
                wire[at] = fresh
                fresh += 1
            elif spec.qubits and not spec.ends_qubit:
                for slot, value in enumerate(values):
                    wire[at + slot] = wire[value]
        return np.array(wire, dtype=np.int32)


_ROWS = {
    spec.name: (code, bool(VARIADIC[code]), spec.made_qubits(spec.qubits), int(spec.makes_bit))
    for code, spec in enumerate(OPS)
}
"""By name: op code, whether operands live in the pool, qubits made (-1: all taken), bits made."""

_PADDING = [(-1,) * (MAX_FIXED - count) for count in range(MAX_FIXED + 1)]


def _ints() -> array[int]:
    return array("i")


@dataclass(slots=True)
class CircuitBuilder:
    """Appends rows; `freeze` gives the columns."""

    locations: Locations = field(default_factory=Locations)
    op: array[int] = field(default_factory=lambda: array("B"))
    operands: array[int] = field(default_factory=_ints)
    cond: array[int] = field(default_factory=_ints)
    angle: array[float] = field(default_factory=lambda: array("d"))
    attr: array[int] = field(default_factory=_ints)
    loc: array[int] = field(default_factory=_ints)
    first: array[int] = field(default_factory=lambda: array("i", [0]))
    pool: array[int] = field(default_factory=_ints)
    names: list[str] = field(default_factory=list)
    _index: dict[str, int] = field(default_factory=dict)

    def name(self, text: str) -> int:
        """The index of a string in the name table."""
        if text not in self._index:
            self._index[text] = len(self.names)
            self.names.append(text)
        return self._index[text]

    def add(
        self,
        name: str,
        values: Sequence[int] = (),
        *,
        cond: int = -1,
        angle: float = 0.0,
        attr: int | str = 0,
        loc: int = -1,
    ) -> int:
        """Append an operation and return the number of the first value it makes."""
        code, variadic, made, bits = _ROWS[name]
        count = len(values)
        if variadic:
            self.operands.fromlist([len(self.pool), count, 0])
            self.pool.extend(values)
        else:
            self.operands.fromlist([*values, *_PADDING[count]])
        self.op.append(code)
        self.cond.append(cond)
        self.angle.append(angle)
        self.attr.append(self.name(attr) if isinstance(attr, str) else attr)
        self.loc.append(loc)
        first = self.first[-1]
        self.first.append(first + (count if made < 0 else made) + bits)
        return first

    def copy(
        self, circuit: Circuit, row: int, values: Sequence[int], cond: int = -1, name: str = ""
    ) -> int:
        """Append a row of another circuit on `values` and `cond` of this one; see `add`.

        The row's operation becomes the one called `name`, if that is given.
        """
        return self.add(
            name or OPS[circuit.op[row]].name,
            values,
            cond=cond,
            angle=float(circuit.angle[row]),
            attr=circuit.attribute(row),
            loc=int(circuit.loc[row]),
        )

    def freeze(self) -> Circuit:
        """The finished columns."""
        return Circuit(
            op=np.array(self.op, dtype=np.uint8),
            operands=np.array(self.operands, dtype=np.int32).reshape(-1, MAX_FIXED),
            cond=np.array(self.cond, dtype=np.int32),
            angle=np.array(self.angle, dtype=np.float64),
            attr=np.array(self.attr, dtype=np.int32),
            loc=np.array(self.loc, dtype=np.int32),
            first=np.array(self.first, dtype=np.int32),
            pool=np.array(self.pool, dtype=np.int32),
            names=list(self.names),
            locations=self.locations,
        )
