"""Replaces rows of a circuit on wires by rows of templates, a whole column at a time.

A template is some gates on the qubits of the row it replaces, numbered from 0.  Their angles are
multiples of the row's.

    template of `rx`     row                        becomes
    h 0                  rx 7 {angle = 0.3}         h 7
    rz 0 {angle = 1}                                rz 7 {angle = 0.3}
    h 0                                             h 7
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.diagnostics import Kind, error
from qwasmc.ir.circuit import MAX_FIXED, VARIADIC
from qwasmc.ir.wires import COLUMNS, COUNT, Wired
from qwasmc.ops import BY_NAME, CODE

Ints = NDArray[Any]

CHUNK = 1 << 20
"""About how many new rows are written at a time, which bounds the memory for doing so."""

MAX_VALUES = 2**31 - 1


class Gate(NamedTuple):
    """A gate of a template on some of its qubits; `predicated` on the bit of the row."""

    name: str
    slots: tuple[int, ...]
    predicated: bool = False
    angle: float = 0.0
    """Over the angle of the row."""

    def inverse(self) -> Gate:
        """The gate that undoes it."""
        return self._replace(name=BY_NAME[self.name].inverse or "", angle=-self.angle)


def inverse(gates: Sequence[Gate]) -> list[Gate]:
    """The gates that undo some gates."""
    return [gate.inverse() for gate in reversed(gates)]


@dataclass(frozen=True, slots=True)
class Template:
    """The columns of a template."""

    op: NDArray[np.uint8]
    operands: NDArray[np.int32]
    """(n, 3): qubits of the replaced row, and -1."""
    predicated: NDArray[np.bool_]
    angle: NDArray[np.float64]


def template(gates: Iterable[Gate]) -> Template:
    """The template of these gates, one after the other."""
    gates = list(gates)
    operands = [[*gate.slots, *(-1,) * (MAX_FIXED - len(gate.slots))] for gate in gates]
    return Template(
        np.array([CODE[gate.name] for gate in gates], dtype=np.uint8),
        np.array(operands, dtype=np.int32).reshape(-1, MAX_FIXED),
        np.array([gate.predicated for gate in gates], dtype=bool),
        np.array([gate.angle for gate in gates], dtype=float),
    )


def substitute(wired: Wired, which: Ints, templates: Sequence[Template]) -> Wired:
    """The circuit with each row replaced by the template of number `which`; -1 keeps a row."""
    lengths = np.array([*(len(t.op) for t in templates), 1])[which]
    at = np.cumsum(lengths) - lengths
    n = int(lengths.sum())
    if MAX_FIXED * n + len(wired.pool) > MAX_VALUES:
        message = f"the circuit would have {n} operations, more than {MAX_VALUES // MAX_FIXED}"
        raise error(message, kind=Kind.LIMIT)
    new = replace(
        wired,
        op=np.empty(n, dtype=np.uint8),
        operands=np.empty((n, MAX_FIXED), dtype=np.int32),
        made=np.full(n, -1, dtype=np.int32),
        cond=np.empty(n, dtype=np.int32),
        angle=np.empty(n),
        attr=np.zeros(n, dtype=np.int32),
        loc=np.empty(n, dtype=np.int32),
    )
    # One more than its template, so that the rows that are kept come first.
    ends = np.cumsum(np.bincount(which + 1, minlength=len(templates) + 1))
    kept, *replaced = np.split(np.argsort(which, kind="stable"), ends[:-1])
    for column in COLUMNS:
        getattr(new, column)[at[kept]] = getattr(wired, column)[kept]
    for each, rows in zip(templates, replaced, strict=True):
        step = max(1, CHUNK // max(1, len(each.op)))
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            _write(new, at[part], each, wired, part)
    return new


def _write(new: Wired, first: Ints, template: Template, wired: Wired, rows: Ints) -> None:
    """Write a template, from rows `first` on, in place of each of these rows."""
    at = first[:, None] + np.arange(len(template.op))
    new.op[at] = template.op
    new.cond[at] = np.where(template.predicated, wired.cond[rows][:, None], -1)
    new.angle[at] = template.angle * wired.angle[rows][:, None] + 0.0  # no negative zeros
    new.loc[at] = wired.loc[rows][:, None]
    # Their last column is what -1 stands for.
    qubits = np.hstack([_qubits(wired, rows), np.full((len(rows), 1), -1)])
    new.operands[at] = qubits[:, template.operands]


def _qubits(wired: Wired, rows: Ints) -> Ints:
    """The qubits of rows of the same operation, on the same number of them."""
    code, operands = wired.op[rows[0]], wired.operands[rows]
    if not VARIADIC[code]:
        return operands[:, : COUNT[code]]
    pooled: Ints = wired.pool[operands[:, :1] + np.arange(operands[0, 1])]
    return pooled
