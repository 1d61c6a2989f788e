"""Program -> QIR: blocks, loops and functions as they are, in the Adaptive Profile.

    ^bb1(%n: i64):                       b1:
      %q = extract(%c0)                    %a1 = phi i64 [ 0, %entry ], [ %v2, %b1 ]
      %q1 = h(%q)                          call void @__quantum__qis__h__body(ptr null)
      %q2, %m = measure_z(%q1)             call void @__quantum__qis__mz__body(ptr null, ptr null)
      insert(%q2, %c0)                     %v1 = call zeroext i1 @__quantum__rt__read_result(...)
      %k = addi(%n, %c1)                   %v2 = add i64 %a1, 1
      cond_br(%m, %k)[^bb2, ^bb1]          br i1 %v1, label %b2, label %b1

A qubit's number is its slot's.  A parameter that numbers a qubit becomes a pointer.  Each
measurement in the text has its own result, which is read where it is measured; results of the
program are recorded where it ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from qwasmc.backends.qir.cells import Cells
from qwasmc.backends.qir.classical import Shared
from qwasmc.backends.qir.dependence import Dependence
from qwasmc.backends.qir.function import FunctionWriter
from qwasmc.backends.qir.module import ADAPTIVE, Module
from qwasmc.backends.qir.survey import count_qubits, qubit_parameters, reached
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ir.program import Op, Program, Value

NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.$-]")
RESERVED = ("__quantum__", "llvm.")


def write_program(program: Program) -> str:
    """The QIR of a program, as text; raises CompileError for what QIR cannot say."""
    flows = reached(program)
    dependence = Dependence(flows)
    cells = Cells(program, flows)
    module = Module(ADAPTIVE, loops=dependence.loops(), functions=len(flows) > 1)
    shared = Shared(
        program,
        module,
        flows,
        _names(flows),
        qubit_parameters(flows),
        dependence,
        cells,
        qubits=count_qubits(program, flows),
        results=len(cells.number),
    )
    functions = [FunctionWriter(shared, name).lines() for name in flows]
    return module.text(functions, shared.qubits, shared.results)


def _names(functions: Iterable[str]) -> dict[str, str]:
    """Names that LLVM assembly takes without quotes and that mean nothing to it."""
    found = {"main": "main"}
    taken = {"main"}
    for name in functions:
        if name not in found:
            own = plain = NOT_IN_NAMES.sub("_", name)
            if plain.startswith(RESERVED) or plain[:1].isdigit():
                own = plain = f"fn.{plain}"
            number = 1
            while own in taken:
                number += 1
                own = f"{plain}.{number}"
            taken.add(own)
            found[name] = own
    return found


def straight(program: Program) -> Circuit | None:
    """A program without control flow and computed numbers as a circuit, or None."""
    (block, *others), numbers = program.main.blocks, {}
    if others:
        return None
    builder = CircuitBuilder(locations=program.locations)
    number: dict[Value, int] = {}
    for op in block.ops:
        if op.name == "const_f64":
            numbers[op.results[0]] = float((op.attrs or {})["real"])
        elif op.name in ("return", "halt", "const_i64"):
            continue
        elif not op.spec.in_circuit or not _append(builder, op, number, numbers):
            return None
    return builder.freeze()


def _append(
    builder: CircuitBuilder, op: Op, number: dict[Value, int], numbers: dict[Value, float]
) -> bool:
    """Append an operation to a circuit; returns whether that can be done."""
    attrs = op.attrs or {}
    operands, angle = list(op.operands), float(attrs.get("angle", 0.0))
    if op.spec.angle and "angle" not in attrs:
        computed = operands.pop()
        if computed not in numbers:
            return False
        angle = numbers[computed]
    attr = attrs.get(op.spec.attr, 0)
    first = builder.add(
        op.name,
        [number[value] for value in operands],
        cond=-1 if op.cond is None else number[op.cond],
        angle=angle,
        attr=attr if isinstance(attr, str) else int(attr),
        loc=op.loc,
    )
    for place, value in enumerate(op.results):
        number[value] = first + place
    return True
