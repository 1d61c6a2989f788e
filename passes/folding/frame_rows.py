"""The rows of a circuit as frames and light cones read them: of what kind, and on which wires."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.ir.circuit import VARIADIC
from qwasmc.ir.wires import COUNT, Wired
from qwasmc.ops import CODE, MARKERS, OPS

Records = NDArray[Any]

NOTHING, CUT, ALLOC, FREE, DIAGONAL, H, X, Y, SX, SXDG, CX, CY, CZ, SWAP = range(14)
FLIP_X, FLIP_Y, FLIP_Z, MEASURED, RESET, OPAQUE, OPAQUE_Z, XOR, CONST = range(14, 23)
"""Kinds of rows; FLIP is a predicated Pauli, OPAQUE what may do anything (diagonal in Z)."""

LETTERS = {"measure_x": 1, "measure_z": 2, "measure_y": 3}
"""The parts of a letter: 1 for X, 2 for Z."""

_DIAGONAL_GATES = ("t", "tdg", "rz", "s", "sdg", "z")
_COMMUTE_WITH_Z = (*_DIAGONAL_GATES, "p", "cp", "crz", "cz", "ccz")
_KINDS = {
    **dict.fromkeys((*MARKERS, "require"), CUT),
    **dict.fromkeys(("alloc", "input"), ALLOC),
    **dict.fromkeys(("free", "output"), FREE),
    **dict.fromkeys(_COMMUTE_WITH_Z, OPAQUE_Z),
    **dict.fromkeys(_DIAGONAL_GATES, DIAGONAL),
    **{"h": H, "x": X, "y": Y, "sx": SX, "sxdg": SXDG, "cx": CX, "cy": CY, "cz": CZ},
    **dict.fromkeys((*LETTERS, "ppm"), MEASURED),
    **{"swap": SWAP, "reset": RESET, "xor": XOR, "const": CONST},
}
_OTHERS = [OPAQUE if spec.qubits else NOTHING for spec in OPS]
_KIND = np.array([_KINDS.get(s.name, k) for s, k in zip(OPS, _OTHERS, strict=True)], dtype=np.uint8)
_IF_PREDICATED = np.array(
    [OPAQUE_Z if spec.name in _COMMUTE_WITH_Z else k for spec, k in zip(OPS, _OTHERS, strict=True)],
    dtype=np.uint8,
)
_IF_PREDICATED[[CODE["x"], CODE["y"], CODE["z"]]] = FLIP_X, FLIP_Y, FLIP_Z
_LETTER = np.array([LETTERS.get(spec.name, 0) for spec in OPS], dtype=np.uint8)

ROW = np.dtype(
    {
        "names": ["start", "count", "made", "cond", "value", "kind"],
        "formats": ["i8", "i4", "i4", "i4", "i4", "u1"],
    },
    align=True,
)
"""A row: its first operand and how many it has, what it makes, the bit that it is predicated on,
the value of a constant, and what kind it is."""

OPERAND = np.dtype({"names": ["item", "letter"], "formats": ["i4", "u1"]}, align=True)
"""An operand of a row: a wire or a bit, and the letter that is measured on it, if any: 1 is X, 2 is
Z, 3 is Y.  Kernels take arrays of records one by one: tuples of arrays are slow."""


class Source(NamedTuple):
    """A circuit by rows, and what is kept by wire on a way through it."""

    rows: Records
    operands: Records
    column: NDArray[np.int32]
    """By wire, the number of its qubit in products; that of a freed wire is used again."""
    spare: NDArray[np.int32]
    """Numbers of freed wires; the last entry says how many, the one before it how many numbers
    there are in all."""
    n_bits: int


def source(wired: Wired) -> Source:
    """The rows of a circuit."""
    rows = np.zeros(len(wired), dtype=ROW)
    variadic = VARIADIC[wired.op]
    rows["count"] = np.where(variadic, wired.operands[:, 1], COUNT[wired.op])
    rows["start"] = np.cumsum(rows["count"]) - rows["count"]
    rows["made"], rows["cond"], rows["value"] = wired.made, wired.cond, wired.attr
    rows["kind"] = np.where(wired.cond < 0, _KIND[wired.op], _IF_PREDICATED[wired.op])
    operands = np.zeros(int(rows["count"].sum()), dtype=OPERAND)
    owner = np.repeat(np.arange(len(wired)), rows["count"])
    slot = np.arange(len(operands)) - rows["start"][owner]
    pooled = variadic[owner]
    operands["item"][pooled] = wired.pool[(wired.operands[owner, 0] + slot)[pooled]]
    operands["item"][~pooled] = wired.operands[owner[~pooled], slot[~pooled]]
    operands["letter"] = _LETTER[wired.op[owner]]
    for row in np.flatnonzero(wired.op == CODE["ppm"]).tolist():
        start, count = int(rows["start"][row]), int(rows["count"][row])
        letters = ["IXZY".index(letter) for letter in wired.names[wired.attr[row]]]
        operands["letter"][start : start + count] = letters
    column = np.zeros(wired.n_wires, dtype=np.int32)
    return Source(rows, operands, column, np.zeros(wired.n_wires + 2, np.int32), wired.n_bits)
