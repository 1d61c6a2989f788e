"""specialise: Program -> Circuit.  Runs the classical part; what is left is a straight line.

    %q1 = "qw.h"(%q0) ...               h 0
    %q2, %m = "qw.measure_z"(%q1)  =>   measure_z 1
    %q3 = "qw.x"(%p0, %m) {predicated}  x 4 if 3

Gates predicated on measurement results may be Paulis, which cost nothing; any other predicated
operation is refused here, with its source position.
"""

from __future__ import annotations

from qwasmc.diagnostics import CompileError, Diagnostic
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ir.program import Op, Program, Value

DROPPED = frozenset({"pragma", "return", "rev_begin", "rev_end"})
"""Ops that mean nothing to a straight line of operations."""

MAX_ERRORS = 20


def specialise(program: Program) -> Circuit:
    """The straight-line circuit of a program's `main`."""
    blocks = program.main.blocks
    if len(blocks) != 1:
        raise CompileError(Diagnostic("control flow between blocks is not supported yet"))
    errors = [e for op in blocks[0].ops if (e := _refusal(program, op)) is not None]
    if errors:
        raise CompileError(errors[:MAX_ERRORS])
    builder = CircuitBuilder(locations=program.locations)
    number: dict[Value, int] = {}
    for op in blocks[0].ops:
        if op.name not in DROPPED:
            _append(builder, number, op)
    return builder.freeze()


def _refusal(program: Program, op: Op) -> Diagnostic | None:
    if op.cond is not None and not op.spec.is_pauli:
        return program.locations.diagnostic(
            f"'{op.name}' cannot depend on a measurement result yet",
            op.loc,
            "only Pauli gates can",
            "rewrite the correction with X, Y and Z under the condition",
        )
    if op.name == "uncompute":
        return program.locations.diagnostic("uncomputation is not supported yet", op.loc)
    return None


def _append(builder: CircuitBuilder, number: dict[Value, int], op: Op) -> None:
    attrs = op.attrs or {}
    attr = attrs.get(op.spec.attr, 0) if op.spec.attr else 0
    assert not isinstance(attr, float)
    first = builder.add(
        op.name,
        [number[value] for value in op.operands],
        cond=-1 if op.cond is None else number[op.cond],
        angle=float(attrs.get("angle", 0.0)),
        attr=attr,
        loc=op.loc,
    )
    for slot, value in enumerate(op.results):
        number[value] = first + slot
