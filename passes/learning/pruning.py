"""Rules that follow from smaller ones are left out.

Rules are looked at by increasing size.  One that gains is dropped if those kept before, each of
which must gain too, bring its pattern to a cost that is no higher than that of its replacement; one
that gains nothing, if they turn its pattern into its replacement.  Places are found by looking up
every convex and connected part of a pattern, with its qubits renamed, among the patterns kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import permutations

from qwasmc.passes.learning.alphabets import WIRES, Letter, depend, rename
from qwasmc.passes.learning.classes import NAMES, connected, in_terms, with_angles
from qwasmc.passes.learning.costs import gaining_value, step_costs, value
from qwasmc.rules.notation import write_rule
from qwasmc.rules.rule import Angle, Rule, Step, names_in, total

TRIED = 32
"""Most circuits that are looked at for a rule."""

Steps = tuple[Step, ...]


def prune(rules: Sequence[Rule], objective: str) -> list[Rule]:
    """The rules that do not follow from others, each once, by size."""
    distinct = {write_rule(rule): rule for rule in rules}
    order = sorted(distinct, key=lambda text: (*_size(distinct[text], objective), text))
    book = Book(objective)
    kept = []
    for text in order:
        if not book.has(distinct[text]):
            book.add(distinct[text])
            kept.append(distinct[text])
    return kept


def _size(rule: Rule, objective: str) -> tuple[int, int, tuple[int, ...]]:
    """Small patterns first, then those with fewer conditions and cheaper replacements."""
    cost = value(step_costs(rule.replacement), objective)
    return len(rule.pattern), len(rule.conditions), cost


class Book:
    """Rules by their patterns."""

    def __init__(self, objective: str) -> None:
        self.objective = objective
        self.rules: dict[Letter, list[tuple[Rule, tuple[str, ...]]]] = {}
        """By shape: rules, with the names of angles in the order in which they stand in it."""
        self.longest = 0

    def cost(self, steps: Sequence[Step]) -> tuple[int, ...]:
        """What is gained where this is lower."""
        return gaining_value(steps, self.objective)

    def add(self, rule: Rule) -> None:
        """Keep a rule."""
        self.longest = max(self.longest, len(rule.pattern))
        qubits = sorted(names_in(rule.pattern))
        for order in permutations(qubits):
            names = dict(zip(qubits, order, strict=True))
            pattern = ordered(rename(rule.pattern, names))
            renamed = Rule("", pattern, rename(rule.replacement, names), rule.conditions)
            angles = tuple(step.angle.terms[0][0] for step in pattern if step.angle)
            self.rules.setdefault(_shape(pattern), []).append((renamed, angles))

    def has(self, rule: Rule) -> bool:
        """Whether a rule follows from those kept."""
        pattern, replacement = (ordered(side) for side in _without_conditions(rule))
        goal = self.cost(replacement)
        gains = goal < self.cost(pattern)
        for steps in self._reached(pattern, gains):
            if steps == replacement or (gains and self.cost(steps) <= goal):
                return True
        return False

    def _reached(self, pattern: Steps, gains: bool) -> Iterator[Steps]:
        """Circuits that the rules make of a pattern, those in a few steps first."""
        seen = {pattern}
        waiting = deque([pattern])
        for _ in range(TRIED):
            if not waiting:
                return
            old = waiting.popleft()
            for steps in self.rewritten(old):
                if steps not in seen and (not gains or self.cost(steps) < self.cost(old)):
                    yield steps
                    seen.add(steps)
                    waiting.append(steps)

    def cheapest(self, steps: Steps) -> Steps:
        """What is left when no rule gains anything; the first one that does is applied."""
        best = ordered(steps)
        changed: Steps | None = best
        while changed is not None:
            best = changed
            better = (each for each in self.rewritten(best) if self.cost(each) < self.cost(best))
            changed = next(better, None)
        return best

    def rewritten(self, steps: Steps) -> Iterator[Steps]:
        """What each rule makes of some steps, at each place."""
        for inside in parts(steps, self.longest):
            part = tuple(steps[at] for at in inside)
            qubits = sorted(names_in(part))
            names = dict(zip(qubits, WIRES, strict=False))
            shaped = ordered(rename(part, names))
            for rule, angles in self.rules.get(_shape(shaped), ()):
                values = [step.angle for step in shaped if step.angle]
                known = dict(zip(angles, values, strict=True))
                if all(in_terms(each, known) == Angle() for each in rule.conditions):
                    back = {new: old for old, new in names.items()}
                    changed = with_angles(rename(rule.replacement, back), known)
                    yield ordered(_replaced(steps, inside, changed))


def _shape(steps: Steps) -> Letter:
    return tuple(step._replace(angle=None) for step in steps)


def _without_conditions(rule: Rule) -> tuple[Steps, Steps]:
    """Both sides with the angles that conditions leave."""
    known = {name: Angle(((name, 1),)) for name in rule.variables()}
    for condition in rule.conditions:
        # It says what its last angle is in terms of others.
        name, count = max(condition.terms, key=lambda term: NAMES.index(term[0]))
        known[name] = in_terms(total([(Angle(((name, 1),)), 1), (condition, -count)]), known)
    return with_angles(rule.pattern, known), with_angles(rule.replacement, known)


def ordered(steps: Sequence[Step]) -> Steps:
    """The least order among those that differ in steps which do not depend on each other."""
    found: list[Step] = []
    for step in steps:
        place = at = len(found)
        while at and not depend((step,), (found[at - 1],)):
            at -= 1
            if _rank(step) < _rank(found[at]):
                place = at
        found.insert(place, step)
    return tuple(found)


def _rank(step: Step) -> tuple[str, tuple[str, ...], str]:
    return step.op, step.qubits, step.paulis


def parts(steps: Steps, longest: int) -> Iterator[tuple[int, ...]]:
    """The places of steps that are connected and that nothing else must stand between."""
    below = _descendants(steps)
    above = [sum(1 << j for j, low in enumerate(below) if low >> i & 1) for i in range(len(steps))]
    for chosen in range(1, 1 << len(steps)):
        if chosen.bit_count() > longest:
            continue
        inside = tuple(at for at in range(len(steps)) if chosen >> at & 1)
        behind = before = 0
        for at in inside:
            behind |= below[at]
            before |= above[at]
        if not behind & before & ~chosen and connected([steps[at] for at in inside]):
            yield inside


def _descendants(steps: Sequence[Step]) -> list[int]:
    """For each step, those that must stand behind it, as bits."""
    found = [0] * len(steps)
    for at in range(len(steps) - 1, -1, -1):
        for other in range(at + 1, len(steps)):
            if depend((steps[at],), (steps[other],)):
                found[at] |= 1 << other | found[other]
    return found


def _replaced(steps: Steps, inside: Sequence[int], changed: Steps) -> Steps:
    below = _descendants(steps)
    behind = 0
    for at in inside:
        behind |= below[at]
    rest = [at for at in range(len(steps)) if at not in inside]
    return (
        *(steps[at] for at in rest if not behind >> at & 1),
        *changed,
        *(steps[at] for at in rest if behind >> at & 1),
    )
