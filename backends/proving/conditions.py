"""What the conditions of a rule say about its angles.

    where x + y = pi/4      gives      y for pi/4 - x

Conditions are linear equations modulo 2 pi.  One in which an angle has the count 1 or -1 is solved
for that angle: that is the same condition.  Others, such as 2*x = 0, have several solutions and
are refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qwasmc.rules.rule import Angle, total

Solution = dict[str, Angle]
"""The angles that conditions fix, by those that stay free."""


class Unproved(Exception):
    """Why a rule is not proved."""


def solve(conditions: Sequence[Angle]) -> Solution:
    """The solution; `Unproved` if there is none, or several that are apart."""
    known: Solution = {}
    for condition in conditions:
        rest = substitute(condition, known)
        if not rest.terms:
            if rest.eighths:
                raise Unproved("its conditions never hold")
            continue
        single = [(name, count) for name, count in rest.terms if abs(count) == 1]
        if not single:
            raise Unproved("a condition has no angle with the count 1 or -1, so it is not solved")
        name, count = single[0]
        others = Angle(tuple(term for term in rest.terms if term[0] != name), rest.eighths)
        found = {name: total([(others, -count)])}
        known = {other: substitute(angle, found) for other, angle in known.items()} | found
    return known


def substitute(angle: Angle, known: Mapping[str, Angle]) -> Angle:
    """An angle with what stands for some of its variables."""
    parts = [
        (known[name] if name in known else Angle(((name, 1),)), count)
        for name, count in angle.terms
    ]
    return total([(Angle((), angle.eighths), 1), *parts])
