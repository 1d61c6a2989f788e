"""Classical operations as closures on registers; see `decode`."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any

from qwasmc.backends.machine import Machine, Registers, Run
from qwasmc.ir.program import Op
from qwasmc.scalars import (
    FLOAT,
    FLOAT_PREDICATES,
    FUNCTIONS,
    INTEGER,
    INTEGER_PREDICATES,
    signed,
    to_integer,
    unsigned,
)

DIVISIONS = ("divsi", "divui", "remsi", "remui")

STORED = {"i1": "a bit", "i64": "an integer", "f64": "a number"}
"""What a cell of memory holds, by the end of the operation's name."""


def classical(machine: Machine, op: Op, into: int, operands: tuple[int, ...]) -> Run | None:
    """A classical operation with one result, or None if `op` is not one.

    `into` is the register of the result.
    """
    name, attrs = op.name, op.attrs or {}
    if name in DIVISIONS:
        return _division(machine, op.loc, INTEGER[name], into, *operands)
    if name in INTEGER or name in FLOAT:
        return _binary((INTEGER | FLOAT)[name], into, *operands)
    if name == "cmpi":
        return _test(INTEGER_PREDICATES[str(attrs["predicate"])], into, *operands)
    if name == "cmpf":
        return _test(FLOAT_PREDICATES[str(attrs["predicate"])], into, *operands)
    if name == "mathf":
        return _unary(FUNCTIONS[str(attrs["function"])], into, *operands)
    if name == "extsi":
        bits = int(attrs["bits"])
        return _unary(lambda value: signed(value, bits), into, *operands)
    if name in CONVERSIONS:
        return _unary(CONVERSIONS[name], into, *operands)
    if name in ("fptosi", "fptoui"):
        return _to_integer(machine, op.loc, into, *operands)
    if name.startswith("select_"):
        return _select(into, *operands)
    if name in ("xor", "and"):
        return (_parity if name == "xor" else _conjunction)(into, operands)
    if name.startswith("load_"):
        return _load(machine, op, into, *operands)
    if name == "allocate":
        return _unary(lambda count: machine.allocate(count, op.loc), into, *operands)
    return None


CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "extui": int,
    "trunci": lambda value: value & 1,
    "sitofp": float,
    "uitofp": lambda value: float(unsigned(value)),
}


def _unary(function: Callable[[Any], Any], into: int, a: int) -> Run:
    def run(r: Registers) -> None:
        r[into] = function(r[a])

    return run


def _binary(function: Callable[[Any, Any], Any], into: int, a: int, b: int) -> Run:
    def run(r: Registers) -> None:
        r[into] = function(r[a], r[b])

    return run


def _test(function: Callable[[Any, Any], bool], into: int, a: int, b: int) -> Run:
    def run(r: Registers) -> None:
        r[into] = 1 if function(r[a], r[b]) else 0

    return run


def _division(
    machine: Machine, loc: int, function: Callable[[int, int], int], into: int, a: int, b: int
) -> Run:
    def run(r: Registers) -> None:
        try:
            r[into] = function(r[a], r[b])
        except ZeroDivisionError:
            raise machine.fault("division by zero", loc) from None

    return run


def _to_integer(machine: Machine, loc: int, into: int, a: int) -> Run:
    def run(r: Registers) -> None:
        try:
            r[into] = to_integer(r[a])
        except ValueError as wrong:
            raise machine.fault(str(wrong), loc) from None

    return run


def _select(into: int, bit: int, a: int, b: int) -> Run:
    def run(r: Registers) -> None:
        r[into] = r[a] if r[bit] else r[b]

    return run


def _parity(into: int, operands: tuple[int, ...]) -> Run:
    def run(r: Registers) -> None:
        r[into] = sum(r[at] for at in operands) & 1

    return run


def _conjunction(into: int, operands: tuple[int, ...]) -> Run:
    def run(r: Registers) -> None:
        r[into] = 1 if all(r[at] for at in operands) else 0

    return run


def _load(machine: Machine, op: Op, into: int, a: int) -> Run:
    space = str((op.attrs or {})["space"])
    cells = machine.spaces.setdefault(space, {})
    kind = op.name.removeprefix("load_")

    def run(r: Registers) -> None:
        value = cells.get(r[a])
        if value is None:
            message = f"cell {r[a]} of {space} is read before it is written"
            raise machine.fault(message, op.loc)
        if isinstance(value, float) != (kind == "f64") or (kind == "i1" and value not in (0, 1)):
            raise machine.fault(f"cell {r[a]} of {space} does not hold {STORED[kind]}", op.loc)
        r[into] = value

    return run


def store(machine: Machine, op: Op, value: int, address: int) -> Run:
    """Put a value into memory."""
    cells = machine.spaces.setdefault(str((op.attrs or {})["space"]), {})

    def run(r: Registers) -> None:
        cells[r[address]] = r[value]

    return run


def move(sources: tuple[int, ...], into: tuple[int, ...]) -> Callable[[Registers, Registers], None]:
    """Copy registers of a list to registers of the same or another list, all at once."""
    if not sources:
        return lambda r, to: None
    if len(sources) == 1:
        (source,), (target,) = sources, into

        def move_one(r: Registers, to: Registers) -> None:
            to[target] = r[source]

        return move_one
    get = itemgetter(*sources)

    def move_all(r: Registers, to: Registers) -> None:
        for at, value in zip(into, get(r), strict=True):
            to[at] = value

    return move_all
