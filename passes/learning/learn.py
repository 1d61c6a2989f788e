"""Learning of a set of rules from circuits that have been optimised without them.

Rules are discovered; those that gain something on the learning part of the corpus in fixed order
are kept.  A policy is trained with all that was discovered; rules that help it are kept as well if
it does better than fixed order on the circuits that were not used for any of this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from qwasmc.passes.learning import discovery
from qwasmc.passes.learning.corpus import split
from qwasmc.passes.learning.discovery import Found
from qwasmc.passes.learning.ranking import (
    Late,
    Member,
    Result,
    Run,
    Trials,
    Weights,
    needed,
    uses,
)
from qwasmc.passes.learning.training import draw, first_weights, train
from qwasmc.passes.rewrite import SWEEPS
from qwasmc.passes.rewriting.features import FEATURES
from qwasmc.rules.rule import Macro, Policy, Rule, RuleSet

WHAT = {
    "t": "rotations and T gates",
    "two-qubit": "two-qubit gates",
    "depth": "depth",
    "volume": "surgery volume",
}
"""By cost, what it counts first."""

LAST = {cost: "depth" if cost in ("t", "two-qubit") else "two-qubit gates" for cost in WHAT}
"""By cost, what it counts last."""


MAX_RANKED_ON = 12_000
MAX_TRAINED_ON = 5_000
"""Most operations of all circuits together with which rules are ranked, and a policy is trained:
of the learning part these are the smallest."""

MAX_SCHEDULED = 2_000
"""The same for training where each trial needs a schedule."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to learn: a set called `name` of at most `max_rules` rules that lower `cost`.

    `gates`, `sizes` and `blocks` are those of `discovery.Request`; training has so many
    `generations`.
    """

    name: str
    cost: str
    seed: int
    gates: tuple[str, ...]
    sizes: tuple[int, ...]
    blocks: int
    max_rules: int
    generations: int

    @property
    def discovery(self) -> discovery.Request:
        """What to look for."""
        return discovery.Request(
            self.cost, self.gates, self.sizes, blocks=self.blocks, seed=self.seed
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """Rules, without proofs and without an origin, and lines about how they were found."""

    rules: RuleSet
    summary: list[str]


@dataclass(slots=True)
class _Choice:
    """Rules in fixed order, and what a policy needs: `helpers`, and weights for both, if any."""

    kept: list[Rule]
    helpers: list[Rule]
    weights: Weights | None = None


def learn(corpus: Sequence[Member], request: Request, run: Run) -> Outcome:
    """The rules that are worth having for some circuits."""
    parts = split([member.name for member in corpus], request.seed)
    learning, judges = (Trials([corpus[at] for at in part], request.cost, run) for part in parts)
    found = _discovered(learning, request)
    rules = [found.rules[at] for at in _order(found)]
    choice = _Choice([], [])
    try:
        sample = learning.sample(MAX_RANKED_ON)
        choice.kept = needed(rules, 0, None, sample)[: request.max_rules]
        _train(choice, rules, sample, request)
    except Late:
        pass
    learned, _ = _judged(choice, learning)
    evidence, better = _judged(choice, judges)
    summary = [
        f"circuits: {len(parts[0])} to learn from, {len(parts[1])} held out",
        f"discovered: {', '.join(f'{what} {count}' for what, count in found.counts.items())}",
        f"rules: {len(rules)}, of which {len(choice.kept)} gain something that others do not, and "
        f"{len(choice.helpers)} help a policy",
        f"learned from: {learned}",
        f"held out: {evidence}",
    ]
    if not better:
        summary.append("no policy: none was found that beats fixed order on circuits held out")
    policy = _policy(choice, evidence) if better else None
    chosen = _named(choice, better)
    about = f"Less {WHAT[request.cost]} after -O2."
    macros = tuple(macro for macro in found.macros if _opens(macro, chosen))
    return Outcome(RuleSet(request.name, about, request.cost, "", chosen, macros, policy), summary)


def _discovered(learning: Trials, request: Request) -> Found:
    wanted, work = request.discovery, f"{discovery.__name__}:work"
    circuits = [member.circuit for member in learning.members]
    counted = learning.run("harvest", work, discovery.harvests(wanted, circuits))
    jobs = discovery.pieces(wanted)
    jobs += discovery.block_pieces(wanted, [each for each in counted if each is not None])
    results = learning.run("discover", work, jobs)
    return discovery.combine(wanted, [each for each in results if each is not None])


def _order(found: Found) -> list[int]:
    """What gains most comes first; of rules that gain alike, the shorter one."""
    return sorted(
        range(len(found.rules)),
        key=lambda at: ([-gain for gain in found.gains[at]], len(found.rules[at].pattern), at),
    )


def _train(choice: _Choice, rules: Sequence[Rule], trials: Trials, request: Request) -> None:
    """Find a policy, and the rules that it needs besides those that are kept."""
    if not request.generations:
        return
    few = trials.sample(MAX_SCHEDULED if request.cost == "volume" else MAX_TRAINED_ON)
    start, spread = first_weights(request.cost)
    drawn = draw(start, spread, request.seed)
    explored = few.results("explore", rules, drawn)
    met = [rules[at] for at in uses([result for each in explored for result in each])]
    others = [rule for rule in met if rule not in choice.kept][: request.max_rules]
    pool = [*choice.kept, *others]

    def losses(drawn: list[Weights]) -> list[int]:
        return few.losses("train", pool, drawn)

    weights = train(start, spread, losses, request.seed, request.generations)
    if weights is not None:
        found = needed(pool, len(choice.kept), weights, trials)
        choice.helpers = found[len(choice.kept) :]
        choice.weights = weights


def _judged(choice: _Choice, trials: Trials) -> tuple[str, bool]:
    """What circuits cost with rules in fixed order and with a policy, and whether that is less."""
    told = f"{WHAT[trials.cost]} (and {LAST[trials.cost]}) of {len(trials.members)} circuits: "
    told += f"-O2 {_totals(trials.members)}"
    try:
        fixed = [each for (each,) in trials.results("judge", choice.kept, [None])]
        told += f", fixed order {_totals(fixed)}"
        if choice.weights is None:
            return told, False
        both = [*choice.kept, *choice.helpers]
        learned = [each for (each,) in trials.results("judge", both, [choice.weights])]
    except Late:
        return told, False
    told += f", policy {_totals(learned)}"
    return told, trials.loss(learned) < trials.loss(fixed)


def _totals(priced: Sequence[Member] | Sequence[Result]) -> str:
    """The first and, in brackets, the last numbers of costs, summed up."""
    return f"{sum(each.cost[0] for each in priced)} ({sum(each.cost[-1] for each in priced)})"


def _policy(choice: _Choice, evidence: str) -> Policy:
    weights = zip(FEATURES, choice.weights or (), strict=False)
    return Policy(tuple(pair for pair in weights if pair[1]), SWEEPS, evidence)


def _named(choice: _Choice, policy: bool) -> tuple[Rule, ...]:
    """The rules of the set, numbered."""
    rules = [*choice.kept, *choice.helpers * policy]
    return tuple(replace(rule, name=f"r{at}") for at, rule in enumerate(rules, start=1))


def _opens(macro: Macro, rules: Sequence[Rule]) -> bool:
    return any(rule.pattern[: len(macro.steps)] == macro.steps for rule in rules)
