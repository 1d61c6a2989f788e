"""Corrupted rewriting rules: each has one small change that leaves its certificate as it was.

The same seed gives the same ones.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from qwasmc.rules.rule import Angle, Rule, Step

ALIKE = (
    ("h", "x", "y", "z", "s", "sdg", "sx", "sxdg", "t", "tdg"),
    ("cx", "cy", "cz", "swap"),
    ("measure_x", "measure_y", "measure_z"),
)
"""Operations that differ in nothing but what they do."""

Mutation = Callable[[random.Random, Rule, Sequence[Rule]], Rule]


def corrupted(rules: Sequence[Rule], count: int, seed: int) -> Iterator[tuple[str, Rule]]:
    """So many changed rules, with what was done to each."""
    rng = random.Random(seed)
    while count:
        what = rng.choice(list(MUTATIONS))
        rule = rng.choice(rules)
        found = MUTATIONS[what](rng, rule, rules)
        if found != rule:
            count -= 1
            yield what, found


def _at_a_step(change: Callable[[random.Random, Rule, Step], Sequence[Step]]) -> Mutation:
    """Change one step of one side."""

    def mutate(rng: random.Random, rule: Rule, rules: Sequence[Rule]) -> Rule:
        name = rng.choice([name for name in ("pattern", "replacement") if getattr(rule, name)])
        steps = getattr(rule, name)
        at = rng.randrange(len(steps))
        found = (*steps[:at], *change(rng, rule, steps[at]), *steps[at + 1 :])
        return replace(rule, **{name: found})

    return mutate


def _other_gate(rng: random.Random, rule: Rule, step: Step) -> list[Step]:
    group = next((group for group in ALIKE if step.op in group), (step.op,))
    return [step._replace(op=rng.choice(group if not step.cond else "xyz"))]


def _other_qubit(rng: random.Random, rule: Rule, step: Step) -> list[Step]:
    qubits = list(step.qubits)
    others = [name for name in [*rule.qubits(), "other"] if name not in qubits]
    qubits[rng.randrange(len(qubits))] = rng.choice(others)
    return [step._replace(qubits=tuple(qubits))]


def _swapped(rng: random.Random, rule: Rule, step: Step) -> list[Step]:
    return [step._replace(qubits=step.qubits[::-1])]


def _other_letter(rng: random.Random, rule: Rule, step: Step) -> list[Step]:
    letters = list(step.paulis)
    if letters:
        letters[rng.randrange(len(letters))] = rng.choice("XYZ")
    return [step._replace(paulis="".join(letters))]


def _other_angle(rng: random.Random, rule: Rule, step: Step) -> list[Step]:
    return [step._replace(angle=_changed(rng, rule, step.angle))] if step.angle else [step]


def _changed(rng: random.Random, rule: Rule, angle: Angle) -> Angle:
    if rng.random() < 0.5:
        return replace(angle, eighths=(angle.eighths + rng.randrange(8)) % 8)
    counts = dict(angle.terms)
    name = rng.choice([*rule.variables(), "x"])
    counts[name] = counts.get(name, 0) + rng.choice([-2, -1, 1, 2])
    return replace(angle, terms=tuple(sorted((n, c) for n, c in counts.items() if c)))


def _other_bit(rng: random.Random, rule: Rule, step: Step) -> list[Step]:
    names = sorted({"other", *(step.bit for step in rule.pattern if step.bit)})
    if step.bit:
        return [step._replace(bit=rng.choice(names))]
    if step.cond:
        return [step._replace(cond=rng.choice([*names, ""]))]
    return [step._replace(cond=rng.choice(names))] if step.spec.is_pauli else [step]


def _condition(rng: random.Random, rule: Rule, rules: Sequence[Rule]) -> Rule:
    if not rule.conditions:
        names = rule.variables()
        added = [Angle(((rng.choice(names), 1),), rng.randrange(8))] if names else []
        return replace(rule, conditions=tuple(added))
    at = rng.randrange(len(rule.conditions))
    changed = [_changed(rng, rule, rule.conditions[at])] if rng.random() < 0.7 else []
    return replace(rule, conditions=(*rule.conditions[:at], *changed, *rule.conditions[at + 1 :]))


def _exchanged(rng: random.Random, rule: Rule, rules: Sequence[Rule]) -> Rule:
    steps = list(rule.pattern)
    at = rng.randrange(len(steps))
    steps[at - 1 : at + 1] = steps[at - 1 : at + 1][::-1]
    return replace(rule, pattern=tuple(steps))


def _turned(rng: random.Random, rule: Rule, rules: Sequence[Rule]) -> Rule:
    return replace(rule, pattern=rule.replacement, replacement=rule.pattern)


def _foreign(rng: random.Random, rule: Rule, rules: Sequence[Rule]) -> Rule:
    return replace(rule, proof=rng.choice(rules).proof)


def _other_phase(rng: random.Random, rule: Rule, rules: Sequence[Rule]) -> Rule:
    assert rule.proof
    return replace(rule, proof=rule.proof._replace(phase=rng.randrange(8)))


def _other_digest(rng: random.Random, rule: Rule, rules: Sequence[Rule]) -> Rule:
    assert rule.proof
    digest = list(rule.proof.digest)
    digest[rng.randrange(len(digest))] = rng.choice("0123456789abcdef")
    return replace(rule, proof=rule.proof._replace(digest="".join(digest)))


def _other_kind(rng: random.Random, rule: Rule, rules: Sequence[Rule]) -> Rule:
    assert rule.proof
    kind = rng.choice(["matrix", "polynomial", "instrument", ""])
    return replace(rule, proof=rule.proof._replace(kind=kind))


def _unproved(rng: random.Random, rule: Rule, rules: Sequence[Rule]) -> Rule:
    return replace(rule, proof=None)


CERTIFICATES: dict[str, Mutation] = {
    "another proof": _foreign,
    "another phase": _other_phase,
    "another digest": _other_digest,
    "another kind": _other_kind,
    "no proof": _unproved,
}
"""What leaves the rule alone and changes its proof."""

MUTATIONS: dict[str, Mutation] = {
    "another gate": _at_a_step(_other_gate),
    "another qubit": _at_a_step(_other_qubit),
    "swapped operands": _at_a_step(_swapped),
    "another letter": _at_a_step(_other_letter),
    "another angle": _at_a_step(_other_angle),
    "another bit": _at_a_step(_other_bit),
    "a step less": _at_a_step(lambda rng, rule, step: []),
    "a step twice": _at_a_step(lambda rng, rule, step: [step, step]),
    "steps in another order": _exchanged,
    "sides exchanged": _turned,
    "another condition": _condition,
    **CERTIFICATES,
}
