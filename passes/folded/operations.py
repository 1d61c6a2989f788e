"""What the operations of a block do in a folded run; calls and ends of blocks are the runner's."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from qwasmc.ir.program import Op
from qwasmc.ops import OPS, OpSpec, Type
from qwasmc.passes.executor import DROPPED, HELD, MAX_ALLOCATION, RECORDED
from qwasmc.passes.folded.regions import Row
from qwasmc.passes.folded.scope import Failed, Scope
from qwasmc.passes.folded.values import UNKNOWN, Affine, Opaque, Val, compute, raw
from qwasmc.passes.folded.world import NEXT_ADDRESS, NEXT_SLOT
from qwasmc.passes.symbolic import Refusal

ANY_ANGLE = 1.0
"""Stands for an angle that depends on measurement results: no multiple of pi/4."""

Handler = Callable[[Scope, Op], None]


# -- classical operations --------------------------------------------------------------------------


def constant(scope: Scope, op: Op) -> None:
    """A known bit or number."""
    attrs = op.attrs or {}
    found = attrs[op.spec.attr]
    scope.local[op.results[0]] = float(found) if op.spec.name == "const_f64" else found


def calculate(scope: Scope, op: Op) -> None:
    """An operation with one result."""
    values = [scope.get(value) for value in op.operands]
    name, attrs = op.spec.name, op.attrs or {}
    try:
        found = compute(scope.record.premises, name, attrs, values)
    except ZeroDivisionError as problem:
        raise Failed("division by zero", op.loc) from problem
    except ValueError as problem:
        raise Failed(str(problem), op.loc) from problem
    scope.local[op.results[0]] = found


def address(scope: Scope, value: Val, op: Op) -> int:
    """An address, which the run relies on."""
    if value is UNKNOWN:
        raise Refusal("which cell of memory this is depends on a measurement result", loc=op.loc)
    found: int = scope.record.premises.known(value)
    return found


def load(scope: Scope, op: Op) -> None:
    """Read a cell."""
    space = str((op.attrs or {})["space"])
    place = address(scope, scope.get(op.operands[0]), op)
    found = scope.record.read((space, place))
    if found is None:
        raise Failed(f"cell {place} of {space} is read before it is written", op.loc)
    type = op.results[0].type
    number = raw(found)
    if type is Type.F64:
        right = isinstance(number, float) or number is UNKNOWN
    else:
        right = not isinstance(number, float) and (type is Type.I64 or number in (0, 1, UNKNOWN))
    if not right:
        raise Failed(f"cell {place} of {space} does not hold {HELD[type]}", op.loc)
    if type is Type.I1 and isinstance(found, Affine):
        found = Opaque(found.value, tuple(number for number, _ in found.linear))
    scope.local[op.results[0]] = found


def store(scope: Scope, op: Op) -> None:
    """Write a cell."""
    value, place = (scope.get(operand) for operand in op.operands)
    space = str((op.attrs or {})["space"])
    scope.record.write((space, address(scope, place, op)), value)


def allocate(scope: Scope, op: Op) -> None:
    """Fresh addresses, with a gap behind them."""
    count = address(scope, scope.get(op.operands[0]), op)
    if not 0 <= count <= MAX_ALLOCATION:
        raise Failed(f"{count} cells of memory cannot be allocated", op.loc)
    scope.local[op.results[0]] = fresh(scope, NEXT_ADDRESS, count + 1)


def fresh(scope: Scope, counter: tuple[str, int], count: int) -> Val:
    """The next number, with so many in use afterwards."""
    record = scope.record
    found = record.read(counter)
    assert found is not None
    record.write(counter, compute(record.premises, "addi", {}, [found, count]))
    return found


def slot(scope: Scope, op: Op) -> None:
    """A slot that nothing else uses."""
    scope.local[op.results[0]] = fresh(scope, NEXT_SLOT, 1)


def nothing(scope: Scope, op: Op) -> None:
    """Takes no part in what is counted."""


# -- qubits ----------------------------------------------------------------------------------------


def number_of(scope: Scope, value: Val, op: Op) -> int | Affine:
    """The number of a slot."""
    if value is UNKNOWN:
        raise Refusal("which qubit this is depends on a measurement result", loc=op.loc)
    if isinstance(value, Affine):
        return value
    found: int = scope.record.premises.known(value)
    return found


def extract(scope: Scope, op: Op) -> None:
    """Take the qubit out of a slot."""
    place, qubit = scope.record.touch(number_of(scope, scope.get(op.operands[0]), op))
    if qubit is None:
        message = f"there is no qubit {place} here: never allocated, freed, or in use already"
        raise Failed(message, op.loc)
    scope.record.world.put(place, None)
    scope.local[op.results[0]] = qubit


def insert(scope: Scope, op: Op) -> None:
    """Put a qubit into an empty slot."""
    place, before = scope.record.touch(number_of(scope, scope.get(op.operands[1]), op))
    if before is not None:
        raise Failed(f"there is a qubit {place} already", op.loc)
    scope.record.world.put(place, scope.get(op.operands[0]))


def begin(scope: Scope, op: Op) -> None:
    """A new qubit."""
    record = scope.record
    qubit = record.world.new_qubit()
    record.add(Row(op.spec.name, (qubit,), attr=str((op.attrs or {})["name"])), op.loc)
    record.change(1)
    scope.local[op.results[0]] = qubit


def end(scope: Scope, op: Op) -> None:
    """A qubit that is discarded or leaves."""
    attr = str((op.attrs or {}).get("name", ""))
    scope.record.add(Row(op.spec.name, (scope.get(op.operands[0]),), attr=attr or 0), op.loc)
    scope.record.change(-1)


def act(scope: Scope, op: Op) -> None:
    """A gate, a reset, a measurement, a barrier or a mark."""
    spec, attrs, record = op.spec, op.attrs or {}, scope.record
    count = len(op.results) - spec.makes_bit
    qubits = tuple(scope.get(qubit) for qubit in op.operands[:count])
    conditional = False
    happens = True
    if op.cond is not None:
        cond = scope.get(op.cond)
        conditional = cond is UNKNOWN
        happens = conditional or bool(record.premises.bit(cond))
    angle: Any = attrs.get("angle", 0.0)
    if len(op.operands) > count:
        angle = scope.get(op.operands[-1])
        if angle is UNKNOWN:
            angle, conditional = ANY_ANGLE, True
        angle = record.premises.known(angle)
    if happens:
        if not math.isfinite(angle):
            raise Failed(f"the angle {angle} is not a finite number", op.loc)
        attr = attrs.get(spec.attr, 0) if spec.attr else 0
        assert not isinstance(attr, float)
        record.add(Row(spec.name, qubits, float(angle), attr, conditional), op.loc)
    scope.local.update(zip(op.results, qubits, strict=False))
    if spec.makes_bit:
        scope.local[op.results[-1]] = UNKNOWN if happens else 0


def wait(scope: Scope, op: Op) -> None:
    """Time passes."""
    rounds = (op.attrs or {})["rounds"]
    assert isinstance(rounds, int)
    scope.record.add(Row("syndrome", (), attr=rounds), op.loc)


OWN: dict[str, Handler] = {
    **dict.fromkeys(("const", "const_i64", "const_f64"), constant),
    **dict.fromkeys(("alloc", "input"), begin),
    **dict.fromkeys(("free", "output"), end),
    **dict.fromkeys((*DROPPED, *RECORDED, "require"), nothing),
    "allocate": allocate,
    "slot": slot,
    "extract": extract,
    "insert": insert,
    "syndrome": wait,
}


def _handler(spec: OpSpec) -> Handler:
    """What runs an operation."""
    if spec.name in OWN:
        return OWN[spec.name]
    if spec.is_marker or spec.qubits:
        return act
    if spec.name.startswith("load_"):
        return load
    return store if spec.name.startswith("store_") else calculate


HANDLERS: dict[str, Handler] = {spec.name: _handler(spec) for spec in OPS}
"""By operation, other than calls and those that end a block: what runs it."""
