"""Rules from words that are equal.

A word for which there is a cheaper one gives a rule that gains.  Small ones that cost the same but
for depth give rules in both directions, which gain nothing by themselves: others may apply after
them, or a chain of operations may become shorter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from qwasmc.passes.learning.alphabets import Alphabet, angles_in
from qwasmc.passes.learning.costs import COUNTED, gaining_columns
from qwasmc.passes.learning.enumeration import Listing
from qwasmc.passes.learning.exact import canonical
from qwasmc.passes.learning.fingerprints import named_fingerprints, tables
from qwasmc.passes.learning.words import ordered_words
from qwasmc.rules.rule import Angle, Rule, Step, names_in, total

Pair = tuple[tuple[int, ...], tuple[int, ...]]
"""Two equal words."""

NAMES = "xyzuvw"


def find_rules(listing: Listing, objective: str, neutral: int) -> tuple[list[Rule], Counter[str]]:
    """The rules in a listing, and numbers for the record.

    Rules that gain nothing have up to `neutral` letters on a side.  Left out are pairs that begin
    or end with the same gate, and patterns that do not use all qubits or fall into parts: they are
    found as smaller ones.
    """
    alphabet = listing.alphabet
    counts = Counter(circuits=len(listing.words), classes=len(np.unique(listing.keys)))
    rules = []
    for pair in (*_gains(listing, objective), *_neutral(listing, neutral)):
        sides = alphabet.steps(pair[0]), alphabet.steps(pair[1])
        if not _usable(*sides, alphabet):
            continue
        counts["discovered"] += 1
        if _share_an_end(pair, alphabet):
            counts["same ends"] += 1
        elif _confirmed(*sides, alphabet):
            rules.append(as_rule(*sides))
    return rules, counts


def _gains(listing: Listing, objective: str) -> Iterator[Pair]:
    """Words and cheaper ones."""
    columns = gaining_columns(objective)
    own, best = listing.costs[:, columns], listing.costs[listing.best][:, columns]
    differs = own != best
    first = differs.argmax(axis=1)[:, None]
    less = np.take_along_axis(best < own, first, axis=1)[:, 0]
    for row in np.flatnonzero(less).tolist():
        yield _pair(listing, row, int(listing.best[row]))


def _neutral(listing: Listing, size: int) -> Iterator[Pair]:
    """Small words that cost the same as the cheapest one, both ways; and equal renamings."""
    small = (listing.words > 0).sum(axis=1) <= size
    same = (listing.costs[:, COUNTED] == listing.costs[listing.best][:, COUNTED]).all(axis=1)
    rows = np.flatnonzero(small & same)
    for row in rows.tolist():
        best = int(listing.best[row])
        if best != row:
            yield _pair(listing, row, best)
            yield _pair(listing, best, row)
    yield from _renamed(listing.words[rows], listing.alphabet)


def _renamed(words: NDArray[np.uint8], alphabet: Alphabet) -> Iterator[Pair]:
    """Words that do the same with other names of qubits, such as two cx with the same target."""
    table = tables(alphabet)
    keys = named_fingerprints(words, alphabet, table)
    for symmetry in alphabet.symmetries[1:]:
        others = ordered_words(symmetry[words], alphabet)
        equal = named_fingerprints(others, alphabet, table) == keys
        differ = (others != ordered_words(words, alphabet)).any(axis=1)
        for row in np.flatnonzero(equal & differ).tolist():
            yield tuple(words[row].tolist()), tuple(others[row].tolist())


def _pair(listing: Listing, row: int, other: int) -> Pair:
    """Two words with the same fingerprint, with names in which they are equal."""
    symmetries = listing.alphabet.symmetries
    back = np.argsort(symmetries[listing.renamings[row]])
    renamed = back[symmetries[listing.renamings[other]][listing.words[other]]]
    return tuple(listing.words[row].tolist()), tuple(renamed.tolist())


def _usable(pattern: Sequence[Step], replacement: Sequence[Step], alphabet: Alphabet) -> bool:
    """Whether the pattern has all qubits and angles, and the replacement none that is allocated.

    Sums of angles in patterns say nothing that an angle alone does not.
    """
    whole = len(names_in(pattern)) == len(alphabet.wires) and connected(pattern)
    known = set(angles_in(pattern)) >= set(angles_in(replacement))
    plain = all(len(step.angle.terms) <= 1 for step in pattern if step.angle)
    return whole and known and plain and not any(step.op == "alloc" for step in replacement)


def connected(steps: Sequence[Step]) -> bool:
    """Whether one gets from each step to each other one over qubits; no steps are connected."""
    groups: list[set[str]] = []
    for step in steps:
        near = [group for group in groups if group & set(step.qubits)]
        groups = [group for group in groups if group not in near]
        groups.append(set(step.qubits).union(*near))
    return len(groups) <= 1


def _share_an_end(pair: Pair, alphabet: Alphabet) -> bool:
    """Whether both words can begin, or can end, with the same gate."""
    forth = [_firsts(word, alphabet) for word in pair]
    back = [_firsts(word[::-1], alphabet) for word in pair]
    return bool(forth[0] & forth[1] or back[0] & back[1])


def _firsts(word: Sequence[int], alphabet: Alphabet) -> set[int]:
    """The gates that no letter before depends on."""
    letters = [letter for letter in word if letter]
    return {
        letter
        for at, letter in enumerate(letters)
        if not alphabet.dependent[letter, letters[:at]].any()
        and all(step.spec.is_gate for step in alphabet.letters[letter - 1])
    }


def _confirmed(pattern: Sequence[Step], replacement: Sequence[Step], alphabet: Alphabet) -> bool:
    rest = alphabet.wires, alphabet.bits, alphabet.fresh
    return canonical(pattern, *rest) == canonical(replacement, *rest)


def as_rule(pattern: Sequence[Step], replacement: Sequence[Step]) -> Rule:
    """The rule, without a name, in which each angle of the pattern is a variable of its own.

    In the pattern given, each is a variable, perhaps with a minus, or a constant.  What they have
    to do with each other becomes conditions.
    """
    counted = iter(NAMES)
    known: dict[str, Angle] = {}
    """What the variables are, in terms of those of the rule."""
    conditions = []
    steps = []
    for step in pattern:
        if step.angle is not None:
            own = Angle(((next(counted), 1),))
            new = [(name, sign) for name, sign in step.angle.terms if name not in known]
            if new:
                known[new[0][0]] = total([(own, new[0][1])])
            else:
                conditions.append(total([(own, 1), (in_terms(step.angle, known), -1)]))
            steps.append(step._replace(angle=own))
        else:
            steps.append(step)
    return Rule("", tuple(steps), with_angles(replacement, known), tuple(conditions))


def in_terms(angle: Angle, known: dict[str, Angle]) -> Angle:
    """An angle whose variables stand for other angles."""
    parts = [(known[variable], count) for variable, count in angle.terms]
    return total([(Angle((), angle.eighths), 1), *parts])


def with_angles(steps: Sequence[Step], known: dict[str, Angle]) -> tuple[Step, ...]:
    """Steps whose variables stand for other angles."""
    return tuple(
        step._replace(angle=in_terms(step.angle, known)) if step.angle else step for step in steps
    )
