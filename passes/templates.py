"""Replaces rows of a circuit by rows of templates, a whole column at a time.

A template is a small circuit on the qubits of the row it replaces.  Its values are numbered from 0;
its inputs, the qubit values that the row takes, are -2, -3, ...:

    template of `rx 0.5 pi`     row           becomes
    h -2    -> 0                17 rx 40      20 h 50     -> 51
    s 0     -> 1                              21 s 51     -> 52
    h 1     -> 2                              22 h 52     -> 53
    out: 2
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.diagnostics import Kind, error
from qwasmc.ir.circuit import MAX_FIXED, VARIADIC, Circuit
from qwasmc.ops import CODE, OPS

Ints = NDArray[Any]

CHUNK = 1 << 20
"""About how many new rows are written at a time, which bounds the memory for doing so."""

MAX_VALUES = 2**31 - 1

_MAKES = np.array([spec.made_qubits(spec.qubits) + spec.makes_bit for spec in OPS])
"""Values that a row makes, if their number is fixed."""


class Gate(NamedTuple):
    """A gate of a template on some of its qubits; `predicated` on the bit of the row."""

    name: str
    slots: tuple[int, ...]
    predicated: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """The columns of a template, and the values that it hands on."""

    op: NDArray[np.uint8]
    operands: NDArray[np.int32]
    predicated: NDArray[np.bool_]
    out: NDArray[np.int32]

    @property
    def values(self) -> int:
        """How many values it makes."""
        return int(_MAKES[self.op].sum())


def template(gates: Iterable[Gate], n_qubits: int) -> Template:
    """The template of these gates, one after the other."""
    now = [-2 - slot for slot in range(n_qubits)]
    op, operands, predicated = [], [], []
    fresh = 0
    for gate in gates:
        op.append(CODE[gate.name])
        taken = [now[slot] for slot in gate.slots]
        operands.append(taken + [-1] * (MAX_FIXED - len(taken)))
        predicated.append(gate.predicated)
        for slot in gate.slots:
            now[slot] = fresh
            fresh += 1
    return Template(
        np.array(op, dtype=np.uint8),
        np.array(operands, dtype=np.int32).reshape(-1, MAX_FIXED),
        np.array(predicated, dtype=bool),
        np.array(now, dtype=np.int32),
    )


def substitute(circuit: Circuit, which: Ints, templates: Sequence[Template]) -> Circuit:
    """The circuit with each row replaced by the template of number `which`; -1 keeps a row."""
    return _Substitution(circuit, which, templates).run()


class _Substitution:
    def __init__(self, circuit: Circuit, which: Ints, templates: Sequence[Template]) -> None:
        self.circuit = circuit
        self.templates = templates
        self.kept = np.flatnonzero(which < 0)
        order = np.argsort(which, kind="stable")[len(self.kept) :]
        ends = np.cumsum(np.bincount(which[order], minlength=len(templates)))
        self.rows = np.split(order, ends[:-1]) if templates else []
        """By template, the rows that it replaces."""
        self.made = np.diff(circuit.first).astype(np.int64)
        self.at = _starts(which, [len(t.op) for t in templates], np.ones_like(self.made))
        """By old row, its first new row."""
        self.base = _starts(which, [t.values for t in templates], self.made)
        """By old row, the first new value it makes."""
        if self.base[-1] > MAX_VALUES:
            message = f"the circuit would have {self.base[-1]} values, more than {MAX_VALUES}"
            raise error(message, kind=Kind.LIMIT)
        self.value = self.new_values()
        n = int(self.at[-1])
        self.op = np.empty(n, dtype=np.uint8)
        self.operands = np.full((n, MAX_FIXED), -1, dtype=np.int32)
        self.cond = np.full(n, -1, dtype=np.int32)
        self.angle = np.zeros(n)
        self.attr = np.zeros(n, dtype=np.int32)
        self.loc = np.empty(n, dtype=np.int32)
        self.makes = np.empty(n, dtype=np.int32)

    def run(self) -> Circuit:
        pool = self.keep()
        for template, rows in zip(self.templates, self.rows, strict=True):
            if len(template.op):
                step = max(1, CHUNK // len(template.op))
                for start in range(0, len(rows), step):
                    self.write(template, rows[start : start + step])
        first = np.zeros(len(self.op) + 1, dtype=np.int32)
        np.cumsum(self.makes, out=first[1:])
        old = self.circuit
        return Circuit(
            op=self.op,
            operands=self.operands,
            cond=self.cond,
            angle=self.angle,
            attr=self.attr,
            loc=self.loc,
            first=first,
            pool=pool,
            names=old.names,
            locations=old.locations,
        )

    def new_values(self) -> NDArray[np.int32]:
        """By old value, the new one."""
        circuit = self.circuit
        old = np.arange(circuit.n_values)
        row = np.repeat(np.arange(len(circuit)), self.made)
        value = (self.base[row] + old - circuit.first[row]).astype(np.int32)
        same: list[tuple[int, int]] = []
        for template, rows in zip(self.templates, self.rows, strict=True):
            here = circuit.first[rows][:, None] + np.arange(len(template.out))
            new = template.out >= 0
            value[here[:, new]] = self.base[rows][:, None] + template.out[new]
            before = self.inputs(rows, -2 - template.out[~new])
            same += zip(here[:, ~new].ravel().tolist(), before.ravel().tolist(), strict=True)
        # In order, so that a qubit that several rows in a row leave alone is followed to the last.
        for after, earlier in sorted(same):
            value[after] = value[earlier]
        return value

    def inputs(self, rows: Ints, slots: Ints) -> Ints:
        """The old values of operands of rows that have the same template."""
        circuit = self.circuit
        if VARIADIC[circuit.op[rows[:1]]].any():
            pooled: Ints = circuit.pool[circuit.operands[rows, :1] + slots]
            return pooled
        fixed: Ints = circuit.operands[rows][:, slots]
        return fixed

    def keep(self) -> NDArray[np.int32]:
        """Write the rows that stay; the pool of their operands."""
        circuit, rows = self.circuit, self.kept
        at = self.at[rows]
        self.op[at] = circuit.op[rows]
        self.angle[at] = circuit.angle[rows]
        self.attr[at] = circuit.attr[rows]
        self.loc[at] = circuit.loc[rows]
        self.makes[at] = self.made[rows]
        self.cond[at] = self.renamed(circuit.cond[rows])
        variadic = VARIADIC[circuit.op[rows]]
        fixed = ~variadic
        self.operands[at[fixed]] = self.renamed(circuit.operands[rows[fixed]])
        start, count = circuit.operands[rows[variadic], 0], circuit.operands[rows[variadic], 1]
        before = np.cumsum(count) - count
        places = np.stack([before, count, np.zeros_like(count)], axis=1)
        self.operands[at[variadic]] = places
        pooled = circuit.pool[np.arange(count.sum()) + np.repeat(start - before, count)]
        return self.renamed(pooled)

    def renamed(self, values: Ints) -> NDArray[np.int32]:
        """Old values, or -1, as new ones."""
        return np.where(values < 0, np.int32(-1), self.value[values])

    def write(self, template: Template, rows: Ints) -> None:
        """Write a template in place of each of these rows."""
        at = self.at[rows][:, None] + np.arange(len(template.op))
        self.op[at] = template.op
        self.makes[at] = _MAKES[template.op]
        self.loc[at] = self.circuit.loc[rows][:, None]
        cond = self.renamed(self.circuit.cond[rows])
        self.cond[at] = np.where(template.predicated, cond[:, None], -1)
        base = self.base[rows][:, None].astype(np.int32)
        for slot in range(MAX_FIXED):
            refs = template.operands[:, slot]
            new = np.where(refs >= 0, base + refs, np.int32(-1))
            entering = refs < -1
            new[:, entering] = self.value[self.inputs(rows, -2 - refs[entering])]
            self.operands[at, slot] = new


def _starts(which: Ints, of_template: list[int], of_row: Ints) -> Ints:
    """Running total over rows, of a number by template and, for kept rows, by row."""
    sizes = np.append(np.array(of_template, dtype=np.int64), 0)[which]
    sizes = np.where(which < 0, of_row, sizes)
    return np.concatenate([[0], np.cumsum(sizes)])
