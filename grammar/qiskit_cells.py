"""Clbits and variables of Qiskit circuits, as values.

They are kept in *cells*.  In a program of one block a cell is an SSA value; where control flow
branches, it is a cell of memory, in the space "clbit" or "var".  What was never written is 0.
Unsigned integers are kept zero-extended in an i64.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from qiskit.circuit.classical import expr, types

from qwasmc.diagnostics import Kind
from qwasmc.grammar.evaluator import LineError
from qwasmc.ir.builder import FunctionBuilder
from qwasmc.ir.program import Value
from qwasmc.ops import Type
from qwasmc.scalars import WORD

_SUFFIX = {Type.I1: "i1", Type.I64: "i64", Type.F64: "f64"}


class Cell(NamedTuple):
    """Where a classical value is kept."""

    space: str
    address: int
    type: Type


def clbit_cell(number: int) -> Cell:
    """The cell of a clbit."""
    return Cell("clbit", number, Type.I1)


class Cells:
    """Reads and writes cells.

    `predicate` is what decides whether the operations now written run at all: where it is 0, a
    cell that is written keeps its value.
    """

    def __init__(self, build: FunctionBuilder, in_memory: bool) -> None:
        self.build = build
        self.in_memory = in_memory
        self.predicate: Value | None = None
        self._values: dict[Cell, Value] = {}
        self._variables: dict[expr.Var, Cell] = {}

    def variable(self, var: expr.Var) -> Cell:
        """The cell of a variable."""
        if var not in self._variables:
            self._variables[var] = Cell("var", len(self._variables), type_of(var.type))
        return self._variables[var]

    def read(self, cell: Cell) -> Value:
        """The value of a cell."""
        if not self.in_memory:
            return self._values[cell] if cell in self._values else self.zero(cell.type)
        name = f"load_{_SUFFIX[cell.type]}"
        return self.build.op(name, [self.build.i64(cell.address)], {"space": cell.space})

    def zero(self, type: Type) -> Value:
        """The constant 0 of a type."""
        if type is Type.F64:
            return self.build.f64(0.0)
        return self.build.i64(0) if type is Type.I64 else self.build.i1(0)

    def write(self, cell: Cell, value: Value) -> None:
        """Put a value in a cell, under the predicate."""
        if self.predicate is not None:
            name = f"select_{_SUFFIX[cell.type]}"
            value = self.build.op(name, [self.predicate, value, self.read(cell)])
        self._put(cell, value)

    def record(self, cell: Cell, outcome: Value) -> None:
        """Put the outcome of a measurement in a cell, under the predicate."""
        if cell in self._values or self.in_memory:
            self.write(cell, outcome)
        else:
            self._put(cell, outcome)  # 0 if the measurement does not run, as the cell was

    def _put(self, cell: Cell, value: Value) -> None:
        if not self.in_memory:
            self._values[cell] = value
            return
        address = self.build.i64(cell.address)
        self.build.do(f"store_{_SUFFIX[cell.type]}", [value, address], {"space": cell.space})

    @contextmanager
    def under(self, bit: Value) -> Iterator[None]:
        """Write what runs only if the bit is 1."""
        outer = self.predicate
        self.predicate = bit if outer is None else self.build.op("and", [outer, bit])
        try:
            yield
        finally:
            self.predicate = outer


def type_of(type: types.Type) -> Type:
    """The type of the SSA values that hold values of a type of Qiskit."""
    if type.kind is types.Bool:
        return Type.I1
    if type.kind is types.Float:
        return Type.F64
    if type.kind is not types.Uint:
        raise LineError(f"a value of type {type} is not known before the hardware is")
    if type.width > WORD:
        message = f"an integer may have {WORD} bits, but {type.width} are asked for"
        raise LineError(message, kind=Kind.LIMIT)
    return Type.I64
