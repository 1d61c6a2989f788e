"""Operations on qubits as statements: in Z bases, and under their conditions.

ppm ZX a b -> m        h b; cx a b; measure b -> m; cx a b; h b
x a if m               if m { x a }
z b if m                      { z b }      what depends on the same bit shares an `if`
"""

from __future__ import annotations

from collections.abc import Sequence

from qwasmc.backends.clifford import MEASURED, product
from qwasmc.backends.clifford import Gate as Step
from qwasmc.backends.structured.tree import (
    FALSE,
    Assign,
    Barrier,
    Expression,
    Gate,
    If,
    Measure,
    Reset,
    Statement,
    Variable,
)
from qwasmc.ops import OpSpec


def operation(
    spec: OpSpec,
    qubits: Sequence[int],
    *,
    angle: Expression | None = None,
    paulis: str = "",
    into: Variable | None = None,
    loc: int = -1,
) -> list[Statement]:
    """A gate, measurement, reset or barrier."""
    if spec.name == "barrier":
        return [Barrier(tuple(qubits), loc)]
    if spec.name == "reset":
        return [Reset(qubits[0], loc)]
    if into is None and spec.name != "ppr":
        return [Gate(spec.name, tuple(qubits), angle, loc)]
    made = product(MEASURED.get(spec.name) or paulis)
    if made.target < 0:  # a measurement of nothing is 0, a rotation about nothing does nothing
        return [] if into is None else [Assign(into, FALSE, loc)]
    target = qubits[made.target]
    inner = Gate("rz", (target,), angle, loc) if into is None else Measure(target, into, loc)
    gather, scatter = (_gates(part, qubits, loc) for part in (made.gather, made.scatter))
    return [*gather, inner, *scatter]


def _gates(steps: Sequence[Step], qubits: Sequence[int], loc: int) -> list[Statement]:
    return [Gate(step.name, tuple(qubits[at] for at in step.on), None, loc) for step in steps]


def add(body: list[Statement], condition: Expression | None, made: list[Statement]) -> None:
    """Append statements under a condition; what follows with the same one joins its `if`.

    None is no condition.  Nothing of `made` may write what the condition reads.
    """
    if condition is None:
        body += made
    elif made:
        last = body[-1] if body else None
        if isinstance(last, If) and last.condition is condition and not last.otherwise:
            last.then += made
        else:
            body.append(If(condition, made, loc=made[0].loc))
