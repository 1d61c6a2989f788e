"""Angles of rules as sums of the angles of matched gates.

    rz(x) a; cx a b; rz(x + y) b  matches gates with angles u and v, so x = u and y = v - u

A pattern determines its variables if there is always a gate whose angle has one new variable, once;
an angle without a new one is a condition.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from qwasmc.rules.rule import Angle


class Sum(NamedTuple):
    """The sum of count * the angle of a step over `terms`, plus so many eighth turns."""

    terms: tuple[tuple[int, int], ...]
    eighths: int


@dataclass(slots=True)
class Solved:
    """What variables are, and conditions: sums that must be 0 modulo full turns."""

    variables: dict[str, Sum] = field(default_factory=dict)
    conditions: list[Sum] = field(default_factory=list)

    def value(self, angle: Angle) -> Sum | str:
        """An angle, or why there is no value for it."""
        parts = [(Sum((), angle.eighths), 1)]
        for name, count in angle.terms:
            if name not in self.variables:
                return f"its pattern does not determine the angle {name}"
            parts.append((self.variables[name], count))
        return _add(parts)


def _add(parts: Sequence[tuple[Sum, int]]) -> Sum:
    counts: dict[int, int] = {}
    eighths = 0
    for part, times in parts:
        eighths += times * part.eighths
        for step, count in part.terms:
            counts[step] = counts.get(step, 0) + times * count
    return Sum(tuple((step, count) for step, count in sorted(counts.items()) if count), eighths % 8)


def solve(angles: Sequence[tuple[int, Angle]]) -> Solved | str:
    """Variables from the angles of steps, or why they are not determined."""
    solved = Solved()
    left = list(angles)
    while left:
        for at, (step, angle) in enumerate(left):
            unknown = [(name, k) for name, k in angle.terms if name not in solved.variables]
            if len(unknown) > 1 or (unknown and abs(unknown[0][1]) != 1):
                continue
            rest = Angle(tuple(term for term in angle.terms if term not in unknown), angle.eighths)
            known = solved.value(rest)
            assert isinstance(known, Sum)
            # The angle is known + k * variable.
            excess = _add([(Sum(((step, 1),), 0), 1), (known, -1)])
            if unknown:
                name, k = unknown[0]
                solved.variables[name] = _add([(excess, k)])
            else:
                solved.conditions.append(excess)
            del left[at]
            break
        else:
            return "the angles of its pattern do not determine its variables"
    return solved
