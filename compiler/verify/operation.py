"""Does an operation of a Program fit its row of the op table?"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Sequence

from qwasmc.ir.program import Attr, Op
from qwasmc.ops import OPS, OpSpec, Type
from qwasmc.scalars import FLOAT_PREDICATES, FUNCTIONS, INTEGER_PREDICATES, WORD
from qwasmc.verify.problems import WIDTHS, paulis_problem, requirement_problem, width_text

RANGES = {
    "value": (0, 1),
    "rounds": (0, 2**31 - 1),
    "int": (-(2 ** (WORD - 1)), 2 ** (WORD - 1) - 1),
    "bits": (1, WORD),
}
"""The least and greatest value of each integer attribute."""

CHOICES: dict[str, Collection[str]] = {
    "cmpi": INTEGER_PREDICATES,
    "cmpf": FLOAT_PREDICATES,
    "mathf": FUNCTIONS,
}
"""What the attribute of a row may say, where that is one of a few words."""

_TAKES = {
    spec.name: [Type.QUBIT] * spec.qubits + [Type.I1] * spec.bits + [*spec.takes] for spec in OPS
}
"""Operand types by row, where their number is fixed and no angle is computed."""
_MAKES = {
    spec.name: [Type.QUBIT] * spec.made_qubits(spec.qubits)
    + [Type.I1] * spec.makes_bit
    + [*spec.makes]
    for spec in OPS
}
_ATTRS = {spec.name: frozenset({spec.attr, "angle" if spec.angle else ""} - {""}) for spec in OPS}
_NO_ATTRS: dict[str, Attr] = {}


def misfits(op: Op) -> Iterator[str]:
    """What does not fit the row of an operation."""
    spec = op.spec
    attrs = op.attrs or _NO_ATTRS
    taken = [value.type for value in op.operands]
    computed = spec.angle and "angle" not in attrs and taken[-1:] == [Type.F64]
    if not spec.flexible:
        made = [value.type for value in op.results]
        takes, makes = _types(spec, len(taken), computed)
        if taken != takes:
            yield f"takes {listed(takes)}, not {listed(taken)}"
        if made != makes:
            yield f"makes {listed(makes)}, not {listed(made)}"
    if len(op.targets) != spec.targets:
        yield f"leads to {spec.targets} blocks, not {len(op.targets)}"
    if op.cond is not None:
        if not spec.may_be_predicated:
            yield "cannot depend on a bit, as gates, resets and measurements can"
        if op.cond.type is not Type.I1:
            yield f"a condition is an i1, not {op.cond.type.value}"
    if attrs.keys() != _ATTRS[spec.name]:
        yield from _key_misfits(spec, attrs, computed)
    if attrs:
        yield from _value_misfits(spec, attrs, len(taken) - computed)


def _types(spec: OpSpec, count: int, computed: bool) -> tuple[list[Type], list[Type]]:
    """What a row takes and makes, with `count` operands."""
    takes, makes = _TAKES[spec.name], _MAKES[spec.name]
    if spec.qubits < 0:
        made = [Type.QUBIT] * spec.made_qubits(count - computed)
        takes, makes = [Type.QUBIT] * (count - computed), made + makes
    elif spec.bits < 0:
        takes = [Type.I1] * count
    return ([*takes, Type.F64] if computed else takes), makes


def listed(types: Sequence[Type]) -> str:
    """Types for a message."""
    shown = ", ".join(type.value for type in types[:8])
    return f"({shown}{', ...' if len(types) > 8 else ''})"


def _key_misfits(spec: OpSpec, attrs: dict[str, Attr], computed: bool) -> Iterator[str]:
    wanted = _ATTRS[spec.name]
    for key in sorted(wanted - attrs.keys()):
        if key != "angle":
            yield f"needs the attribute '{key}'"
        elif not computed:
            yield "needs the attribute 'angle', or a number as its last operand"
    for key in sorted(attrs.keys() - wanted):
        yield f"has no attribute '{key}'"


def _value_misfits(spec: OpSpec, attrs: dict[str, Attr], count: int) -> Iterator[str]:
    """Wrong values of attributes of an operation with so many operands, without the angle."""
    if "angle" in attrs and spec.angle:
        angle = attrs["angle"]
        # Written like this, it holds for integers too large to be floats, and not for nan.
        if isinstance(angle, str) or not abs(angle) <= sys.float_info.max:
            yield f"the angle {angle!r:.64} is not a finite number"
    if spec.attr not in attrs:
        return
    value = attrs[spec.attr]
    if spec.attr_is_text:
        yield from _text_misfits(spec, value, count)
    elif spec.attr == "real":
        if not isinstance(value, float):
            yield "'real' must be a floating-point number"
    elif not isinstance(value, int):
        yield f"'{spec.attr}' must be an integer"
    else:
        least, greatest = RANGES[spec.attr]
        if not least <= value <= greatest:
            yield f"{spec.attr} = {value!r:.64} is out of range"


def _text_misfits(spec: OpSpec, value: Attr, count: int) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"'{spec.attr}' must be text"
        return
    if spec.attr == "paulis" and (problem := paulis_problem(value, count)):
        yield problem
    if spec.attr == "needs" and (problem := requirement_problem(value)):
        yield problem
    if spec.name in CHOICES and value not in CHOICES[spec.name]:
        yield f"there is no {spec.attr} '{value[:64]}'"
    if spec.name in WIDTHS:
        least, most = WIDTHS[spec.name]
        if not least <= count <= most:
            yield width_text(spec.name)
