"""Patterns of rules: their readings, and walks along qubits that reach all of their steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations, product
from math import factorial
from typing import NamedTuple

from qwasmc.rules.rule import Rule, Step

BACK, ON, MAKER, START, START_SWAPPED = range(5)
"""Ways of a move: along a qubit, from a predicated step to the one that makes its bit, or to the
anchor, whose qubits may be exchanged."""


class Link(NamedTuple):
    """Steps of a side that follow each other on a qubit: at which slots."""

    before: tuple[int, int]
    after: tuple[int, int]


def links(steps: Sequence[Step]) -> list[Link]:
    """Steps that follow each other on a qubit."""
    last: dict[str, tuple[int, int]] = {}
    found = []
    for number, step in enumerate(steps):
        for slot, qubit in enumerate(step.qubits):
            if qubit in last:
                found.append(Link(last[qubit], (number, slot)))
            last[qubit] = number, slot
    return found


def completed(rule: Rule) -> tuple[Step, ...]:
    """The replacement with the allocations and ends of qubits that it shares with the pattern.

    A qubit that only the pattern allocates or frees is gone; any other one begins and ends as it
    did there.
    """
    used = {qubit for step in rule.replacement for qubit in step.qubits}
    new = list(rule.replacement)
    ends = {name: [step for step in rule.pattern if step.op == name] for name in ("alloc", "free")}
    names = {name: {step.qubits for step in steps} for name, steps in ends.items()}
    for name, other in (("alloc", "free"), ("free", "alloc")):
        have = {step.qubits for step in rule.replacement if step.op == name}
        missing = [
            step
            for step in ends[name]
            if step.qubits not in have
            and (step.qubits not in names[other] or step.qubits[0] in used)
        ]
        new = missing + new if name == "alloc" else new + missing
    return tuple(new)


def word(letters: str) -> int:
    """Letters of a product as a number; 0 if there are none."""
    return sum(4**place * ("XYZ".index(letter) + 1) for place, letter in enumerate(letters))


def letters_of(number: int) -> str:
    """The letters that `word` made a number of."""
    return " XYZ"[number % 4] + letters_of(number // 4) if number else ""


def by_letter(step: Step) -> Step:
    """A product with its letters in order; other steps as they are."""
    if not step.paulis:
        return step
    pairs = sorted(zip(step.paulis, step.qubits, strict=True))
    return step._replace(paulis="".join(p for p, _ in pairs), qubits=tuple(q for _, q in pairs))


def readings(steps: Sequence[Step]) -> Iterator[tuple[Step, ...]]:
    """All ways to write a pattern that differ in the order of qubits with equal letters."""
    choices = []
    for step in map(by_letter, steps):
        groups = [
            [q for p, q in zip(step.paulis, step.qubits, strict=True) if p == letter]
            for letter in sorted(set(step.paulis))
        ]
        orders = [list(permutations(group)) for group in groups]
        choices.append(
            [step._replace(qubits=sum(order, ())) for order in product(*orders)]
            if step.paulis
            else [step]
        )
    yield from product(*choices)


def n_readings(steps: Sequence[Step]) -> int:
    """How many `readings` there are."""
    count = 1
    for step in steps:
        for letter in "XYZ":
            count *= factorial(step.paulis.count(letter))
    return count


class Reached(NamedTuple):
    """A step of a pattern in the order of a walk, and the move that leads to it."""

    move: tuple[int, int, int]
    step: int
    slot: int


def walk(steps: Sequence[Step], anchor: int) -> list[Reached]:
    """The steps in the order in which they are reached from the anchor; those that can be."""
    joined = links(steps)
    makers = {step.bit: number for number, step in enumerate(steps) if step.bit}
    found = [Reached((0, 0, START), anchor, -1)]
    order = {anchor: 0}
    for at in range(len(steps)):
        if at == len(found):
            break
        number = found[at].step
        ways = [
            ((at, link.after[1], BACK), link.before) for link in joined if link.after[0] == number
        ]
        ways += [
            ((at, link.before[1], ON), link.after) for link in joined if link.before[0] == number
        ]
        if steps[number].cond in makers:
            ways.append(((at, 0, MAKER), (makers[steps[number].cond], -1)))
        for move, (step, slot) in ways:
            if step not in order:
                order[step] = len(found)
                found.append(Reached(move, step, slot))
    return found
