"""The program's names for what a surgery program does: qubits of patches, results of outcomes.

The rows of a surgery program name results, but no qubits.  Those are found by their measurements:
measurements of the circuit and of the surgery program with the same place in the source correspond
in order.  Where there are more of one than of the other, nothing is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.backends.view.scene import Scene
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.surgery import Row, Surgery
from qwasmc.ops import CODE, OPS

Ints = NDArray[Any]

MEASUREMENTS = [CODE[name] for name in ("measure_z", "measure_x", "measure_y")]


@dataclass(frozen=True, slots=True)
class Names:
    """Numbers of entries of `texts`, or -1, by patch and by joint measurement."""

    texts: list[str]
    patch: Ints
    patch_result: Ints
    join_result: Ints


@dataclass(slots=True)
class _Texts:
    """Texts, each once."""

    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, text: str) -> int:
        """The number of a text, -1 if it is empty."""
        return self.numbers.setdefault(text, len(self.numbers)) if text else -1


def find_names(surgery: Surgery, scene: Scene, program: Circuit | None) -> Names:
    """The names of patches and outcomes, as far as they are known.

    `program` is the circuit that became the surgery program.
    """
    texts = _Texts()
    # One entry more than there are rows: row -1 is the end of a patch that stays.
    result, qubit = np.full((2, len(surgery) + 1), -1)
    for row, name in _results(surgery):
        result[row] = texts.number(name)
    if program is not None and program.locations is surgery.locations:
        for row, name in _measured_qubits(surgery, program):
            qubit[row] = texts.number(name)
    end = scene.patches.end
    return Names(list(texts.numbers), qubit[end], result[end], result[scene.joins.row])


def _results(surgery: Surgery) -> Iterator[tuple[int, str]]:
    """Rows with outcomes, and the results that these are, up to corrections."""
    kind, loc = surgery.kind, surgery.loc
    for row in np.flatnonzero(kind == Row.RESULT).tolist():
        bit = surgery.operands(row)[0]
        if kind[bit] == Row.XOR:
            outcomes = [
                each
                for each in surgery.operands(bit)
                if kind[each] in (Row.MEASURE, Row.JOIN) and loc[each] == loc[bit]
            ]
            bit = max(outcomes, default=-1)
        if bit >= 0 and kind[bit] in (Row.MEASURE, Row.JOIN):
            yield bit, surgery.names[int(surgery.aux[row])]


def _measured_qubits(surgery: Surgery, program: Circuit) -> Iterator[tuple[int, str]]:
    """Rows that measure a qubit of the program, and its name."""
    ours = _by_loc(np.flatnonzero(np.isin(program.op, MEASUREMENTS)), program.loc)
    theirs = _by_loc(np.flatnonzero(surgery.kind == Row.MEASURE), surgery.loc)
    wires, names = program.wires(), _wire_names(program)
    for loc, rows in ours.items():
        found = theirs.get(loc, [])
        if len(found) == len(rows):
            for row, measured in zip(rows, found, strict=True):
                yield measured, names[wires[program.operands[row, 0]]]


def _by_loc(rows: Ints, loc: Ints) -> dict[int, list[int]]:
    """Rows with a known place, by place."""
    found: dict[int, list[int]] = {}
    for row, where in zip(rows.tolist(), loc[rows].tolist(), strict=True):
        if where >= 0:
            found.setdefault(where, []).append(row)
    return found


def _wire_names(program: Circuit) -> list[str]:
    """The names of a circuit's qubits, by wire; nothing for ancillas."""
    makers = np.flatnonzero([OPS[code].makes_qubit for code in program.op.tolist()])
    return [str(program.attribute(row)) for row in makers.tolist()]
