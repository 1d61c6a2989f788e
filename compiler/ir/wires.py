"""Circuits on wires: the form in which passes rewrite a circuit.

A Circuit names each qubit *value*, which says what depends on what; after a row is dropped or moved
all later values have other numbers.  Here a qubit is a *wire* and a classical bit a number, for as
long as they live, so rows can be dropped, replaced and moved at will:

    Circuit                      Wired
    0  alloc                     0  alloc              made 0   (a wire)
    1  h 0                       1  h 0
    2  measure_z 1 -> 2, 3       2  measure_z 0        made 0   (a bit)
    3  x 2 {if 3}                3  x 0 {if 0}
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.diagnostics import Locations
from qwasmc.ir.circuit import MAX_FIXED, VARIADIC, Circuit
from qwasmc.kernel import kernel
from qwasmc.ops import CODE, OPS

Ints = NDArray[Any]

TAKES_QUBITS = np.array([spec.qubits != 0 for spec in OPS])
TAKES_BITS = np.array([spec.bits != 0 for spec in OPS])
MAKES_QUBIT = np.array([spec.makes_qubit for spec in OPS])
ENDS_QUBIT = np.array([spec.ends_qubit for spec in OPS])
MAKES_BIT = np.array([spec.makes_bit for spec in OPS])
COUNT = np.array([max(spec.qubits, 0) + max(spec.bits, 0) for spec in OPS])
"""By op code: operands of a row that are in the fixed columns."""

COLUMNS = ("op", "operands", "made", "cond", "angle", "attr", "loc")
"""Those of a `Wired` that have an entry per row."""


@dataclass(slots=True)
class Wired:
    """Columns, one entry per row; see `Circuit` for those not described."""

    op: NDArray[np.uint8]
    operands: NDArray[np.int32]
    """(n, 3): wires or bits, -1 where there is none; if variadic (offset, count, 0) of the pool."""
    made: NDArray[np.int32]
    """The wire that alloc or input makes, or the bit that a row makes; else -1."""
    cond: NDArray[np.int32]
    """The bit the row is predicated on, or -1."""
    angle: NDArray[np.float64]
    attr: NDArray[np.int32]
    loc: NDArray[np.int32]
    pool: NDArray[np.int32]
    """Wires or bits."""
    names: list[str]
    locations: Locations
    n_wires: int
    n_bits: int

    def __len__(self) -> int:
        return len(self.op)

    def values(self, row: int) -> list[int]:
        """The wires or bits that a row takes, without its condition."""
        a, b, _ = (int(v) for v in self.operands[row])
        if VARIADIC[self.op[row]]:
            pooled: list[int] = self.pool[a : a + b].tolist()
            return pooled
        fixed: list[int] = self.operands[row, : COUNT[self.op[row]]].tolist()
        return fixed

    def take(self, rows: Ints) -> Wired:
        """The circuit of some rows, by their numbers or by a mask."""
        return replace(self, **{name: getattr(self, name)[rows] for name in COLUMNS})

    def insert(self, at: Ints, op: Ints, operand: Ints, made: Ints, loc: Ints) -> Wired:
        """The circuit with more rows, each before the row `at`, of operations on one wire or none.

        Qubits that they allocate have no name.
        """
        names = self.names if "" in self.names else [*self.names, ""]
        operands = np.full((len(op), MAX_FIXED), -1, dtype=np.int32)
        operands[:, 0] = operand
        attr = np.where(op == CODE["alloc"], names.index(""), 0)
        new = (op, operands, made, np.full(len(op), -1), np.zeros(len(op)), attr, loc)
        columns: dict[str, Any] = {
            name: np.insert(getattr(self, name), at, column, axis=0)
            for name, column in zip(COLUMNS, new, strict=True)
        }
        return replace(self, names=names, **columns)


@kernel
def wires_of(row: int, op: Ints, operands: Ints, pool: Ints) -> Ints:
    """The wires that a row acts on."""
    code = op[row]
    if VARIADIC[code] and TAKES_QUBITS[code]:
        return pool[operands[row, 0] : operands[row, 0] + operands[row, 1]]
    return operands[row, : COUNT[code] if TAKES_QUBITS[code] else 0]


def to_wires(circuit: Circuit) -> Wired:
    """The same circuit with wires, numbered as they are made, and bits likewise."""
    operands = circuit.operands.copy()
    pool = circuit.pool.copy()
    made = np.full(len(circuit), -1, dtype=np.int32)
    cond = circuit.cond.copy()
    n_wires, n_bits = _name(circuit.op, operands, pool, made, cond, circuit.first)
    return Wired(
        op=circuit.op,
        operands=operands,
        made=made,
        cond=cond,
        angle=circuit.angle,
        attr=circuit.attr,
        loc=circuit.loc,
        pool=pool,
        names=circuit.names,
        locations=circuit.locations,
        n_wires=n_wires,
        n_bits=n_bits,
    )


def to_circuit(wired: Wired) -> Circuit:
    """The same rows with values."""
    first = np.zeros(len(wired) + 1, dtype=np.int32)
    operands = wired.operands.copy()
    cond = wired.cond.copy()
    pool = np.empty(int(operands[VARIADIC[wired.op], 1].sum()), dtype=np.int32)
    values = (
        np.full(wired.n_wires, -1, dtype=np.int32),
        np.full(wired.n_bits, -1, dtype=np.int32),
    )
    _number(wired.op, operands, wired.pool, wired.made, cond, first, pool, *values)
    return Circuit(
        op=wired.op,
        operands=operands,
        cond=cond,
        angle=wired.angle,
        attr=wired.attr,
        loc=wired.loc,
        first=first,
        pool=pool,
        names=wired.names,
        locations=wired.locations,
    )


@kernel
def _name(
    op: Ints, operands: Ints, pool: Ints, made: Ints, cond: Ints, first: Ints
) -> tuple[int, int]:
    """Replace values by wires and bits, in place; how many there are of each."""
    name = np.empty(first[-1], dtype=np.int32)
    wires = bits = 0
    for row in range(len(op)):
        code = op[row]
        at = first[row]
        if MAKES_QUBIT[code]:
            name[at] = made[row] = wires
            wires += 1
            continue
        start, count = (operands[row, 0], operands[row, 1]) if VARIADIC[code] else (0, COUNT[code])
        column = pool if VARIADIC[code] else operands[row]
        keeps = TAKES_QUBITS[code] and not ENDS_QUBIT[code]
        for slot in range(count):
            column[start + slot] = name[column[start + slot]]
            if keeps:
                name[at + slot] = column[start + slot]
        if cond[row] >= 0:
            cond[row] = name[cond[row]]
        if MAKES_BIT[code]:
            name[first[row + 1] - 1] = made[row] = bits
            bits += 1
    return wires, bits


@kernel
def _number(
    op: Ints,
    operands: Ints,
    pool: Ints,
    made: Ints,
    cond: Ints,
    first: Ints,
    out: Ints,
    of_wire: Ints,
    of_bit: Ints,
) -> None:
    """Replace wires and bits by values, in place; fills `first` and the pool `out`."""
    value = used = 0
    for row in range(len(op)):
        code = op[row]
        if cond[row] >= 0:
            cond[row] = of_bit[cond[row]]
        if MAKES_QUBIT[code]:
            of_wire[made[row]] = value
            value += 1
        elif VARIADIC[code]:
            start, count = operands[row, 0], operands[row, 1]
            for slot in range(count):
                item = pool[start + slot]
                out[used + slot] = of_wire[item] if TAKES_QUBITS[code] else of_bit[item]
                if TAKES_QUBITS[code]:
                    of_wire[item] = value
                    value += 1
            operands[row, 0] = used
            used += count
        else:
            for slot in range(COUNT[code]):
                item = operands[row, slot]
                operands[row, slot] = of_wire[item] if TAKES_QUBITS[code] else of_bit[item]
                if TAKES_QUBITS[code] and not ENDS_QUBIT[code]:
                    of_wire[item] = value
                    value += 1
        if MAKES_BIT[code]:
            of_bit[made[row]] = value
            value += 1
        first[row + 1] = value


class Mark(NamedTuple):
    """How far a builder has come."""

    rows: int
    pooled: int
    wires: int
    bits: int


class WireBuilder:
    """Appends rows on the wires and bits of a circuit, and on new ones; `freeze` gives columns."""

    def __init__(self, wired: Wired) -> None:
        self.n_wires = wired.n_wires
        self.n_bits = wired.n_bits
        self._names = list(wired.names)
        self._index = {name: at for at, name in enumerate(wired.names)}
        self._locations = wired.locations
        self._op = array("B")
        self._angle = array("d")
        self._operands, self._made, self._cond, self._attr, self._loc, self._pool = (
            array("i") for _ in range(6)
        )

    def gate(
        self,
        name: str,
        *wires: int,
        cond: int = -1,
        angle: float = 0.0,
        attr: int | str = 0,
        loc: int = -1,
    ) -> None:
        """Append a row that makes nothing."""
        self._row(CODE[name], wires, -1, cond, angle, attr, loc)

    def alloc(self, loc: int = -1) -> int:
        """A new wire in |0>, without a name: an ancilla of the compiler."""
        self.n_wires += 1
        self._row(CODE["alloc"], (), self.n_wires - 1, -1, 0.0, "", loc)
        return self.n_wires - 1

    def measure(self, name: str, wire: int, loc: int = -1) -> int:
        """Append a measurement of one qubit; its bit."""
        self.n_bits += 1
        self._row(CODE[name], (wire,), self.n_bits - 1, -1, 0.0, 0, loc)
        return self.n_bits - 1

    def combine(self, name: str, bits: Sequence[int], loc: int = -1) -> int:
        """Append the "xor" or the "and" of some bits; its bit."""
        self.n_bits += 1
        self._row(CODE[name], tuple(bits), self.n_bits - 1, -1, 0.0, 0, loc)
        return self.n_bits - 1

    def copy(self, wired: Wired, row: int) -> None:
        """Append a row of the circuit that the builder was made for, or of one built on it."""
        code = int(wired.op[row])
        attr = int(wired.attr[row])
        self._row(
            code,
            wired.values(row),
            int(wired.made[row]),
            int(wired.cond[row]),
            float(wired.angle[row]),
            wired.names[attr] if OPS[code].attr_is_text else attr,
            int(wired.loc[row]),
        )

    def _row(
        self,
        code: int,
        operands: tuple[int, ...] | list[int],
        made: int,
        cond: int,
        angle: float,
        attr: int | str,
        loc: int,
    ) -> None:
        if VARIADIC[code]:
            self._operands.extend((len(self._pool), len(operands), 0))
            self._pool.extend(operands)
        else:
            self._operands.extend((*operands, *(-1,) * (MAX_FIXED - len(operands))))
        self._op.append(code)
        self._made.append(made)
        self._cond.append(cond)
        self._angle.append(angle)
        self._attr.append(self._name(attr) if isinstance(attr, str) else attr)
        self._loc.append(loc)

    def _name(self, text: str) -> int:
        if text not in self._index:
            self._index[text] = len(self._names)
            self._names.append(text)
        return self._index[text]

    def __len__(self) -> int:
        return len(self._op)

    def mark(self) -> Mark:
        """Where the builder is."""
        return Mark(len(self), len(self._pool), self.n_wires, self.n_bits)

    def back_to(self, mark: Mark) -> None:
        """Forget all rows behind a mark."""
        columns = (self._op, self._angle, self._made, self._cond, self._attr, self._loc)
        for column in columns:
            del column[mark.rows :]
        del self._operands[MAX_FIXED * mark.rows :]
        del self._pool[mark.pooled :]
        self.n_wires, self.n_bits = mark.wires, mark.bits

    def freeze(self) -> Wired:
        """The finished columns."""
        return Wired(
            op=np.array(self._op, dtype=np.uint8),
            operands=np.array(self._operands, dtype=np.int32).reshape(-1, MAX_FIXED),
            made=np.array(self._made, dtype=np.int32),
            cond=np.array(self._cond, dtype=np.int32),
            angle=np.array(self._angle, dtype=np.float64),
            attr=np.array(self._attr, dtype=np.int32),
            loc=np.array(self._loc, dtype=np.int32),
            pool=np.array(self._pool, dtype=np.int32),
            names=list(self._names),
            locations=self._locations,
            n_wires=self.n_wires,
            n_bits=self.n_bits,
        )
