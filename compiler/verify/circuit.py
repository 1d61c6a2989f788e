"""Is this Circuit well-formed?  The same questions as of a Program, asked of whole columns.

With numpy, 1e6 operations take tens of milliseconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.ir.circuit import MAX_FIXED, RESULTS, VARIADIC, Circuit
from qwasmc.ops import CODE, OPS, OpSpec
from qwasmc.verify.problems import (
    MAX_PROBLEMS,
    WIDTHS,
    Problems,
    paulis_problem,
    requirement_problem,
    width_text,
)

Bools = NDArray[np.bool_]
Ints = NDArray[Any]


def _table(value: Callable[[OpSpec], int]) -> NDArray[np.int32]:
    """A column of the op table."""
    return np.array([value(spec) for spec in OPS], dtype=np.int32)


_QUBITS = _table(lambda spec: spec.qubits)
_ARITY = _table(lambda spec: 0 if spec.qubits < 0 or spec.bits < 0 else spec.qubits + spec.bits)
_MAKES_BIT = _table(lambda spec: spec.makes_bit)
_MADE_QUBITS = _table(lambda spec: spec.made_qubits(spec.qubits))
"""-1: as many as operands."""
_HAS_ANGLE = _table(lambda spec: spec.angle).astype(bool)
_IN_CIRCUIT = _table(lambda spec: spec.in_circuit).astype(bool)
_MAY_BE_PREDICATED = _table(lambda spec: spec.may_be_predicated).astype(bool)
_ATTR_LIMIT = _table(
    lambda spec: -1 if spec.attr_is_text else {"": 1, "value": 2}.get(spec.attr, 2**31 - 1)
)
"""Attributes are below this; -1: below the number of names."""
"""The rows whose names differ."""


def verify_circuit(circuit: Circuit, problems: Problems) -> None:
    """Add the problems of a circuit.

    The checks come in stages: a later one may rely on what an earlier one has found to be right.
    """
    check = _CircuitCheck(circuit, problems)
    for stage in (check.shapes, check.codes, check.rows, check.values, check.uses, check.texts):
        stage()
        if problems.found:
            return


class _CircuitCheck:
    """Vectorised checks of a circuit's columns."""

    def __init__(self, circuit: Circuit, problems: Problems) -> None:
        self.circuit = circuit
        self.problems = problems

    def report(self, wrong: Bools, message: str, rows: Ints | None = None) -> None:
        """A problem for each true entry; entry i is about row rows[i] (or row i)."""
        entries = np.flatnonzero(wrong)[:MAX_PROBLEMS]
        for row in (entries if rows is None else rows[entries]).tolist():
            code = int(self.circuit.op[row])
            name = OPS[code].name if code < len(OPS) else "?"
            self.problems.add(f"operation {row} ('{name}'): {message}", int(self.circuit.loc[row]))

    def shapes(self) -> None:
        """The columns belong together."""
        n = len(self.circuit)
        shapes = dict.fromkeys(("cond", "angle", "attr", "loc"), (n,))
        for name, shape in {"operands": (n, MAX_FIXED), **shapes, "first": (n + 1,)}.items():
            if getattr(self.circuit, name).shape != shape:
                self.problems.add(f"the column '{name}' does not have the shape {shape}")

    def codes(self) -> None:
        """Op codes are rows of the op table, and rows that circuits have."""
        known = self.circuit.op < len(OPS)
        self.report(~known, "there is no such op code")
        foreign = ~_IN_CIRCUIT[np.where(known, self.circuit.op, 0)]
        self.report(foreign, "is an operation of programs, not of circuits")

    def rows(self) -> None:
        """Columns of each row by themselves."""
        circuit, report = self.circuit, self.report
        op = circuit.op
        report(~np.isfinite(circuit.angle), "the angle is not a finite number")
        report((circuit.angle != 0) & ~_HAS_ANGLE[op], "has an angle, but its row has none")
        limit = _ATTR_LIMIT[op]
        limit = np.where(limit < 0, len(circuit.names), limit)
        report((circuit.attr < 0) | (circuit.attr >= limit), "the attribute is out of range")
        places = len(circuit.locations.file)
        report((circuit.loc < -1) | (circuit.loc >= places), "there is no such location")
        predicated = circuit.cond >= 0
        report(circuit.cond < -1, "the condition is out of range")
        report(predicated & ~_MAY_BE_PREDICATED[op], "cannot depend on a bit")

    def values(self) -> None:
        """Operands are where the columns say, and `first` counts the values made."""
        circuit, report = self.circuit, self.report
        op, operands = circuit.op, circuit.operands
        variadic = VARIADIC[op]
        start, count = operands[:, 0], operands[:, 1]
        end = start.astype(np.int64) + count
        outside = (start < 0) | (count < 0) | (end > len(circuit.pool)) | (operands[:, 2] != 0)
        report(variadic & outside, "its slice is not in the pool")
        unused = np.arange(MAX_FIXED, dtype=np.int32) >= _ARITY[op][:, None]
        extra = ((operands != -1) & unused).any(axis=1)
        report(~variadic & extra, "has more operands than its row")
        made = _MADE_QUBITS[op]
        made = np.where(made < 0, count, made) + _MAKES_BIT[op]
        report(np.diff(circuit.first) != made, "'first' does not count the values it makes")
        if circuit.first[0] != 0:
            self.problems.add("the first value does not have the number 0")

    def uses(self) -> None:
        """Operands are defined before, have the right type, and qubits are used once."""
        circuit = self.circuit
        value, row, is_bit = self.operands()
        defined = (value >= 0) & (value < circuit.first[row])
        self.report(~defined, "an operand is not defined before it", row)
        if not defined.all():
            return
        bit = np.zeros(circuit.n_values, dtype=bool)
        bit[circuit.first[1:][_MAKES_BIT[circuit.op] == 1] - 1] = True
        self.report(bit[value] & ~is_bit, "an operand is a bit and must be a qubit", row)
        self.report(~bit[value] & is_bit, "an operand is a qubit and must be a bit", row)
        consumed, by = value[~is_bit], row[~is_bit]
        if np.bincount(consumed).max(initial=0) > 1:
            self.report(_repeated(consumed, by), "a qubit value is used again", by)

    def operands(self) -> tuple[Ints, Ints, Bools]:
        """All uses: the value, the row that uses it, whether that place is for a bit."""
        circuit = self.circuit
        op = circuit.op
        values, rows, bits = [], [], []
        for slot in range(MAX_FIXED):
            here = np.flatnonzero(_ARITY[op] > slot)
            values.append(circuit.operands[here, slot])
            rows.append(here)
            bits.append(slot >= _QUBITS[op[here]])
        variadic = np.flatnonzero(VARIADIC[op])
        start, count = circuit.operands[variadic, 0], circuit.operands[variadic, 1]
        before = np.cumsum(count) - count
        values.append(circuit.pool[np.arange(count.sum()) + np.repeat(start - before, count)])
        rows.append(np.repeat(variadic, count))
        bits.append(np.repeat(_QUBITS[op[variadic]] >= 0, count))
        predicated = np.flatnonzero(circuit.cond >= 0)
        values.append(circuit.cond[predicated])
        rows.append(predicated)
        bits.append(np.ones(len(predicated), dtype=bool))
        return np.concatenate(values), np.concatenate(rows), np.concatenate(bits)

    def texts(self) -> None:
        """Names of results differ, numbers have all bits, Pauli products a letter per qubit."""
        circuit = self.circuit
        results = np.flatnonzero(np.isin(circuit.op, [CODE[name] for name in RESULTS]))
        names = Counter(circuit.names[attr] for attr in circuit.attr[results].tolist())
        for name, times in names.items():
            if times > 1:
                self.problems.add(f"there are {times} results named '{name}'")
        for name, (least, most) in WIDTHS.items():
            rows = np.flatnonzero(circuit.op == CODE[name])
            count = circuit.operands[rows, 1]
            self.report((count < least) | (count > most), width_text(name), rows)
        required = circuit.op == CODE["require"]
        for attr in np.unique(circuit.attr[required]).tolist():
            if problem := requirement_problem(circuit.names[attr]):
                self.report(required & (circuit.attr == attr), problem)
        for code in (code for code, spec in enumerate(OPS) if spec.attr == "paulis"):
            rows = np.flatnonzero(circuit.op == code)
            pairs = np.stack([circuit.attr[rows], circuit.operands[rows, 1]], axis=1)
            distinct, which = np.unique(pairs, axis=0, return_inverse=True)
            for number, (attr, count) in enumerate(distinct.tolist()):
                if len(self.problems.found) >= MAX_PROBLEMS:
                    return
                if problem := paulis_problem(circuit.names[attr], count):
                    self.report(which.reshape(-1) == number, problem, rows)


def _repeated(consumed: Ints, row: Ints) -> Bools:
    """Which entries use a value that an earlier entry, by row, used."""
    order = np.lexsort((row, consumed))
    again = np.zeros(len(consumed), dtype=bool)
    again[order[1:]] = consumed[order][1:] == consumed[order][:-1]
    return again
