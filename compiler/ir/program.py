"""Program IR: functions of basic blocks in SSA form, as small objects.

This is what a frontend builds.  Qubit values are linear: an op consumes its qubit operands and
produces new ones, in the same order.  Any op may be predicated on a bit (`cond`); a gate whose
bit is 0 leaves its qubits alone.

    %q1 = "qw.h"(%q0) : (!qw.qubit) -> !qw.qubit
    %q2, %m = "qw.measure_z"(%q1) : (!qw.qubit) -> (!qw.qubit, i1)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from qwasmc.diagnostics import Diagnostic, Locations
from qwasmc.ops import BY_NAME, OpSpec, Type

Attr = str | int | float


class Value:
    """An SSA value.  `name` is a hint for printing."""

    __slots__ = ("name", "type")

    def __init__(self, type: Type, name: str = "") -> None:
        self.type = type
        self.name = name

    def __repr__(self) -> str:
        return f"Value({self.type.value}, {self.name!r})"


class Op:
    """One operation: a row of the op table applied to values.

    `operands` are the qubits, then the bits; `results` the qubits, then the bit, as the row says.
    `attrs` holds the row's attribute and, for a rotation, `angle` in radians.
    """

    __slots__ = ("attrs", "cond", "loc", "operands", "results", "spec")

    def __init__(
        self,
        spec: OpSpec,
        operands: tuple[Value, ...],
        results: tuple[Value, ...],
        attrs: dict[str, Attr] | None,
        cond: Value | None,
        loc: int,
    ) -> None:
        self.spec = spec
        self.operands = operands
        self.results = results
        self.attrs = attrs
        self.cond = cond
        self.loc = loc

    @property
    def name(self) -> str:
        """The row's name, without the dialect."""
        return self.spec.name


@dataclass(slots=True)
class Block:
    """Arguments and operations; the last operation ends the block."""

    args: list[Value] = field(default_factory=list)
    ops: list[Op] = field(default_factory=list)

    def append(
        self,
        name: str,
        operands: Sequence[Value] = (),
        *,
        attrs: dict[str, Attr] | None = None,
        cond: Value | None = None,
        loc: int = -1,
        names: Sequence[str] = (),
    ) -> tuple[Value, ...]:
        """Append an op by name and return its results, which follow from its row.

        `names` are hints for the results' names.
        """
        spec = BY_NAME[name]
        made = spec.made_qubits(len(operands) if spec.qubits < 0 else spec.qubits)
        types = [Type.QUBIT] * made + [Type.I1] * spec.makes_bit
        hints = [*names, *[""] * (len(types) - len(names))]
        results = tuple(Value(t, hint) for t, hint in zip(types, hints, strict=True))
        self.ops.append(Op(spec, tuple(operands), results, attrs, cond, loc))
        return results


@dataclass(slots=True)
class Function:
    """A function: its first block is the entry."""

    name: str
    blocks: list[Block] = field(default_factory=list)


@dataclass(slots=True)
class Program:
    """Functions (the one named `main` is run) and the source positions their ops refer to."""

    functions: list[Function] = field(default_factory=list)
    locations: Locations = field(default_factory=Locations)
    files: list[str] = field(default_factory=list)
    """Every file read, in order of reading (for dependency files and manifests)."""
    warnings: list[Diagnostic] = field(default_factory=list)
    """What the reader found odd but not wrong."""

    @property
    def main(self) -> Function:
        """The function that is run."""
        return next(function for function in self.functions if function.name == "main")
