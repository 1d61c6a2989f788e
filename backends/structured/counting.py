"""Loops that count: `while` becomes `for` where the number of rounds is known.

    i = 1                                 for i in range(1, 3, 1) { h; rx(i) }
    while i < 3 { h; rx(i); i = i + 1 }

The variable must be written nowhere else, and not be read behind the loop.
"""

from __future__ import annotations

from collections import Counter

from qwasmc.backends.structured.tree import (
    Apply,
    Assign,
    Constant,
    Expression,
    For,
    Read,
    Statement,
    Variable,
    While,
    lists,
    read_counts,
    reads,
    write_counts,
    written,
)

MAX_BOUND = 1 << 61
"""Numbers below this, of either sign, do not wrap when a step is added."""

BOUNDS = {
    **{"slt": (1, 0), "ult": (1, 0), "sle": (1, 1), "ule": (1, 1)},
    **{"sgt": (-1, 0), "sge": (-1, -1), "ne": (0, 0)},
}
"""By predicate, the sign that steps must have (0: any) and what to add to the bound."""


def count(body: list[Statement]) -> None:
    """Make `for` of the loops that count."""
    uses, writes = read_counts(body), write_counts(body)
    for statements in lists(body):
        _count(statements, uses, writes)


def _count(statements: list[Statement], uses: Counter[Variable], writes: Counter[Variable]) -> None:
    """The same for one list of statements."""
    starts: dict[Variable, tuple[int, int]] = {}
    """By variable that holds a constant, where it was put there, and the constant."""
    gone: set[int] = set()
    for at, statement in enumerate(statements):
        if isinstance(statement, While):
            variable = _counter(statement.condition)
            if variable in starts and writes[variable] == 2 and variable is not None:
                where, start = starts[variable]
                made = _counted(statement, variable, start, uses)
                if made is not None:
                    statements[at] = made
                    gone.add(where)
        for variable in write_counts([statement]):
            starts.pop(variable, None)
        if isinstance(statement, Assign) and isinstance(statement.value, Constant):
            starts[statement.variable] = at, int(statement.value.value)
    statements[:] = [statement for at, statement in enumerate(statements) if at not in gone]


def _counter(condition: Expression) -> Variable | None:
    """The variable that a condition compares with a constant."""
    match condition:
        case Apply("cmpi", (Read(variable), Constant())):
            return variable
    return None


def _counted(loop: While, variable: Variable, start: int, uses: Counter[Variable]) -> For | None:
    """The loop as one that counts, if it is."""
    step = _step(loop.body, variable)
    assert isinstance(loop.condition, Apply)
    bound = loop.condition.operands[1]
    assert isinstance(bound, Constant)
    indices = _indices(str(loop.condition.attr), start, int(bound.value), step)
    if indices is None or uses[variable] != read_counts([loop])[variable]:
        return None
    body = [statement for statement in loop.body if written(statement) is not variable]
    return For(variable, indices, body, loop.loc)


def _step(body: list[Statement], variable: Variable) -> int:
    """What the end of a body adds to a variable; 0 if that is not all that becomes of it."""
    for statement in reversed(body):
        if not isinstance(statement, Assign):
            return 0
        if statement.variable is variable:
            match statement.value:
                case Apply("addi", (Read(read), Constant(step))) if read is variable:
                    return int(step)
            return 0
        if variable in reads(statement.value):
            return 0
    return 0


def _indices(predicate: str, start: int, bound: int, step: int) -> range | None:
    """The values of a counter for which a comparison holds."""
    if predicate not in BOUNDS or not step or max(map(abs, (start, bound, step))) >= MAX_BOUND:
        return None
    sign, more = BOUNDS[predicate]
    if sign * step < 0 or (predicate[0] == "u" and min(start, bound) < 0):
        return None
    if predicate == "ne" and ((bound - start) % step or (bound - start) * step < 0):
        return None
    return range(start, bound + more, step)
