"""Program IR: functions of basic blocks in SSA form, as small objects.

This is what a frontend builds.  Qubit values are linear: an op consumes its qubit operands and
produces new ones, in the same order.  A gate, reset or measurement may be predicated on a bit
(`cond`): where that is 0, its qubits stay as they are and its outcome is 0.

    %q1 = "qw.h"(%q0) : (!qw.qubit) -> !qw.qubit
    %q2, %m = "qw.measure_z"(%q1) : (!qw.qubit) -> (!qw.qubit, i1)

Blocks have arguments instead of phi nodes, and end in an op that names its targets.  A qubit that
more than one block needs, or that has a computed number, waits in a numbered *slot* between uses:

    %q = "qw.extract"(%i) : (i64) -> !qw.qubit
    %q1 = "qw.rz"(%q, %theta) : (!qw.qubit, f64) -> !qw.qubit
    "qw.insert"(%q1, %i) : (!qw.qubit, i64) -> ()
    "qw.cond_br"(%m, %i)[^bb1, ^bb2] {operandSegmentSizes = array<i32: 1, 1, 0>} : (i1, i64) -> ()

The arguments for the targets stand among the operands, as in MLIR: here the bit, one for ^bb1 and
none for ^bb2.  No op leads to the first block of a function: its arguments come from a call.
Integers of other widths are kept sign-extended in an i64, addresses and pointers are i64.
`builder.py` writes functions.
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

    `operands` are the qubits, then the bits, then the rest; `results` the qubits, then the bit,
    then the rest, as the row says.  `attrs` holds the row's attribute and, for a rotation, `angle`
    in radians; a computed angle is the last operand instead.  `targets` are where the end of a
    block leads.
    """

    __slots__ = ("attrs", "cond", "loc", "operands", "results", "spec", "targets")

    def __init__(
        self,
        spec: OpSpec,
        operands: tuple[Value, ...],
        results: tuple[Value, ...],
        attrs: dict[str, Attr] | None,
        cond: Value | None,
        loc: int,
        targets: tuple[Target, ...] = (),
    ) -> None:
        self.spec = spec
        self.operands = operands
        self.results = results
        self.attrs = attrs
        self.cond = cond
        self.loc = loc
        self.targets = targets

    @property
    def name(self) -> str:
        """The row's name, without the dialect."""
        return self.spec.name


@dataclass(frozen=True, slots=True)
class Target:
    """A block to go on in, and the values of its arguments."""

    block: Block
    args: tuple[Value, ...] = ()


@dataclass(slots=True, eq=False)
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
        makes: Sequence[Type] = (),
        targets: tuple[Target, ...] = (),
    ) -> tuple[Value, ...]:
        """Append an op by name and return its results, which follow from its row.

        `names` are hints for the results' names; `makes` the types that a call's function returns.
        """
        spec = BY_NAME[name]
        qubits = spec.qubits
        if qubits < 0:  # a computed angle follows the qubits
            qubits = sum(value.type is Type.QUBIT for value in operands)
        made = spec.made_qubits(qubits)
        types = [Type.QUBIT] * made + [Type.I1] * spec.makes_bit + [*spec.makes, *makes]
        hints = [*names, *[""] * (len(types) - len(names))]
        results = tuple(Value(t, hint) for t, hint in zip(types, hints, strict=True))
        self.ops.append(Op(spec, tuple(operands), results, attrs, cond, loc, targets))
        return results


@dataclass(slots=True)
class Function:
    """A function.  The arguments of its first block are its parameters; it returns `results`."""

    name: str
    blocks: list[Block] = field(default_factory=list)
    results: tuple[Type, ...] = ()


@dataclass(slots=True)
class Program:
    """Functions (the one named `main` is run) and the source positions their ops refer to."""

    functions: list[Function] = field(default_factory=list)
    locations: Locations = field(default_factory=Locations)
    warnings: list[Diagnostic] = field(default_factory=list)
    """What the reader found odd but not wrong."""

    @property
    def main(self) -> Function:
        """The function that is run."""
        return next(function for function in self.functions if function.name == "main")
