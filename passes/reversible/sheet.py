"""Rows of a circuit and more rows that are written for it, by one numbering.

Rows 0 to n - 1 are those of the circuit; each part that is added goes on from there.  Parts use the
circuit's wires and bits and make new ones.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.ir.circuit import VARIADIC
from qwasmc.ir.wires import COLUMNS, COUNT, TAKES_QUBITS, WireBuilder, Wired
from qwasmc.ops import OPS
from qwasmc.passes.reversible.numbers import CONTROLS, kept_values


class Sheet:
    """A circuit and the parts added to it."""

    def __init__(self, wired: Wired) -> None:
        self.parts = [wired]
        self.op: list[int] = []
        self._wires: list[list[int]] = []
        self._keeps: list[bool] = []
        self._learn(wired)

    def _learn(self, part: Wired) -> None:
        self.op += part.op.tolist()
        self._keeps += kept_values(part).tolist()
        counts = np.where(TAKES_QUBITS[part.op], COUNT[part.op], 0).tolist()
        variadic = (TAKES_QUBITS[part.op] & VARIADIC[part.op]).tolist()
        rows = zip(part.operands.tolist(), counts, variadic, strict=True)
        self._wires += [
            part.pool[operands[0] : operands[0] + operands[1]].tolist()
            if pooled
            else operands[:count]
            for operands, count, pooled in rows
        ]

    def __len__(self) -> int:
        return len(self.op)

    @property
    def wired(self) -> Wired:
        """The circuit itself."""
        return self.parts[0]

    def builder(self) -> WireBuilder:
        """A builder for the next part."""
        last = self.parts[-1]
        return WireBuilder(
            replace(self.wired, names=last.names, n_wires=last.n_wires, n_bits=last.n_bits)
        )

    def add(self, builder: WireBuilder) -> range:
        """Add a part; the numbers of its rows."""
        part = builder.freeze()
        start = len(self)
        self.parts.append(part)
        self._learn(part)
        return range(start, len(self))

    def name(self, row: int) -> str:
        """The operation of a row of any part."""
        return OPS[self.op[row]].name

    def wires(self, row: int) -> list[int]:
        """The wires that a row acts on."""
        return self._wires[row]

    def written(self, row: int) -> list[int]:
        """The wires on which a row may change basis values."""
        return [] if self._keeps[row] else self._wires[row][CONTROLS[self.op[row]] :]

    def take(self, rows: list[int]) -> Wired:
        """The circuit of some rows of all parts, in their order."""
        shifted: list[NDArray[Any]] = []
        offset = 0
        for part in self.parts:
            operands = part.operands.copy()
            operands[VARIADIC[part.op], 0] += offset
            offset += len(part.pool)
            shifted.append(operands)
        columns: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in self.parts])
            for name in (*COLUMNS, "pool")
        }
        columns["operands"] = np.concatenate(shifted)
        return replace(self.parts[-1], **columns).take(np.array(rows, dtype=np.intp))
