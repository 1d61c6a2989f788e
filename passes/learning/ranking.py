"""Which rules are worth having, by what circuits cost with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from qwasmc.passes.learning.measuring import loss
from qwasmc.rules.notation import write_rule
from qwasmc.rules.rule import Rule

Weights = list[int]
"""Of a policy: those of the features, in their order."""

Run = Callable[[str, str, Sequence[Any]], list[Any]]
"""Runs jobs: the stage, the function "module:name" and its arguments; see `qwasmc.jobs`.

Results are in order, with None for those for which there was no time."""

TRIED = "qwasmc.passes.learning.trials:tried"

GROUP = 16
"""Rules that are left out at once."""


class Late(Exception):
    """The time is up."""


@dataclass(frozen=True, slots=True)
class Member:
    """A circuit of the corpus: its name, itself packed (`corpus.pack`), its length, its cost."""

    name: str
    circuit: str
    operations: int
    cost: list[int]


class Result(NamedTuple):
    """What became of a circuit: its cost, and how often each rule was applied, by its number."""

    cost: list[int]
    used: dict[int, int]


@dataclass(frozen=True, slots=True)
class Trials:
    """Tries rules on some circuits."""

    members: Sequence[Member]
    cost: str
    run: Run

    def results(
        self, stage: str, rules: Sequence[Rule], weights: Sequence[Weights | None]
    ) -> list[list[Result]]:
        """For each circuit what becomes of it under each of some weights; None is fixed order.

        Raises `Late` if there is no time.
        """
        texts = [write_rule(rule) for rule in rules]
        jobs = [
            {"circuit": member.circuit, "rules": texts, "cost": self.cost, "weights": weights}
            for member in self.members
        ]
        found = self.run(stage, TRIED, jobs)
        if None in found:
            raise Late
        return [[Result(cost, dict(used)) for cost, used in each] for each in found]

    def losses(
        self, stage: str, rules: Sequence[Rule], weights: Sequence[Weights | None]
    ) -> list[int]:
        """How much dearer the circuits become under each of some weights; see `measuring.loss`."""
        found = self.results(stage, rules, weights)
        return [self.loss([each[at] for each in found]) for at in range(len(weights))]

    def loss(self, results: Sequence[Result]) -> int:
        """How much dearer the circuits have become."""
        pairs = zip(results, self.members, strict=True)
        return sum(loss(result.cost, member.cost) for result, member in pairs)

    def of(self, numbers: Sequence[int]) -> Trials:
        """The same with some of the circuits."""
        return Trials([self.members[at] for at in numbers], self.cost, self.run)

    def sample(self, operations: int) -> Trials:
        """The same with the smallest circuits, of at most so many operations in all."""
        by_size = sorted(range(len(self.members)), key=lambda at: self.members[at].operations)
        total, chosen = 0, []
        for at in by_size:
            total += self.members[at].operations
            if total <= operations:
                chosen.append(at)
        return self.of(sorted(chosen))


def uses(results: Sequence[Result]) -> list[int]:
    """The numbers of the rules that were applied, the most used ones first."""
    total: Counter[int] = Counter()
    for result in results:
        total.update(result.used)
    return sorted(total, key=lambda at: (-total[at], at))


def needed(
    rules: Sequence[Rule], always: int, weights: Weights | None, trials: Trials
) -> list[Rule]:
    """The first `always` rules, and of the others those without which circuits cost more.

    Groups are left out as a whole where nothing is lost, else half by half; rules that are used
    least go first.  Only circuits in which one of them was applied are tried again: for the others
    nothing changes.  When the time is up, what is left then is taken to be needed.
    """
    standing = [each[0] for each in trials.results("rank", rules, [weights])]
    by_use = uses(standing)
    kept = sorted({*range(always), *by_use})
    waiting = _groups([at for at in by_use if at >= always])
    try:
        while waiting:
            group = waiting.pop()
            rest = [at for at in kept if at not in group]
            touched = [at for at, each in enumerate(standing) if each.used.keys() & set(group)]
            some = trials.of(touched)
            found = some.results("rank", [rules[at] for at in rest], [weights])
            after = [_renumbered(result, rest) for (result,) in found]
            if some.loss(after) <= some.loss([standing[at] for at in touched]):
                kept = rest
                for at, result in zip(touched, after, strict=True):
                    standing[at] = result
            elif len(group) > 1:
                waiting += [group[: len(group) // 2], group[len(group) // 2 :]]
    except Late:
        pass
    return [rules[at] for at in kept]


def _groups(numbers: Sequence[int]) -> list[list[int]]:
    return [list(numbers[at : at + GROUP]) for at in range(0, len(numbers), GROUP)]


def _renumbered(result: Result, numbers: Sequence[int]) -> Result:
    """A result of a part of the rules, whose numbers are given."""
    return Result(result.cost, {numbers[at]: times for at, times in result.used.items()})
