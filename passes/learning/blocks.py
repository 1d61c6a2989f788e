"""Cheaper forms of blocks that recur.

A block is looked up by its fingerprint among the cheapest circuits of an enumeration, as it is and
with up to two other gates split off: if block = opening, rest, and there is a cheap circuit for the
rest, then that behind the opening may be cheaper than the block.  So patterns and replacements are
larger than what has been enumerated.  What gains is made smaller by gates at its ends, as long as
it still gains.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from qwasmc.passes.learning.alphabets import WIRES, Alphabet, depend, of_gates, rename
from qwasmc.passes.learning.classes import connected
from qwasmc.passes.learning.costs import ORDER, ROTATIONS, T, costs, gaining_columns, gaining_value
from qwasmc.passes.learning.enumeration import enumerate_words
from qwasmc.passes.learning.exact import canonical
from qwasmc.passes.learning.fingerprints import fingerprints, tables
from qwasmc.passes.learning.harvest import Block
from qwasmc.passes.learning.pruning import Book, Steps
from qwasmc.passes.learning.words import Words, distinct, extended, ordered_words
from qwasmc.rules.rule import Rule, names_in

OPENING = 2
"""Most gates that are undone."""


class Table:
    """The cheapest words on some qubits, by fingerprint."""

    def __init__(self, alphabet: Alphabet, size: int, objective: str) -> None:
        self.alphabet = alphabet
        self.objective = objective
        listing = enumerate_words(alphabet, size, objective, ties=0)
        best = np.unique(listing.best)
        order = best[np.argsort(listing.keys[best])]
        self.keys = listing.keys[order]
        self.words = listing.words[order]
        self.renamings = listing.renamings[order]
        self.modulo = tables(alphabet)
        inverses = _inverses(alphabet)
        self.openings = _openings(alphabet, inverses)
        self.undone = inverses[self.openings[:, ::-1]]

    def cheaper(self, word: Sequence[int]) -> list[int] | None:
        """The cheapest equal word that can be found, if it is cheaper; never with more T gates."""
        block = np.array([word], dtype=np.uint8)
        whole = np.hstack([self.undone, np.repeat(block, len(self.undone), axis=0)])
        keys, renamings = fingerprints(whole, self.alphabet, self.modulo)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        hits = np.flatnonzero(self.keys[at] == keys)
        if not len(hits):
            return None
        symmetries = self.alphabet.symmetries
        back = np.argsort(symmetries, axis=1)[renamings[hits]]
        rests = symmetries[self.renamings[at[hits]][:, None], self.words[at[hits]]]
        rests = back[np.arange(len(hits))[:, None], rests].astype(np.uint8)
        found = ordered_words(np.hstack([self.openings[hits], rests]), self.alphabet)
        return self._cheapest(block, found)

    def _cheapest(self, block: Words, found: Words) -> list[int] | None:
        own, others = costs(block, self.alphabet)[0], costs(found, self.alphabet)
        magic = [ROTATIONS, T]
        fair = (others[:, magic] <= own[magic]).all(axis=1)
        order = [*ORDER[self.objective]]
        ranked = [*zip(others[fair][:, order].tolist(), found[fair].tolist(), strict=True)]
        if not ranked:
            return None
        cost, word = min(ranked)
        count = len(gaining_columns(self.objective))
        return word if cost[:count] < own[order].tolist()[:count] else None


def _openings(alphabet: Alphabet, inverses: NDArray[np.uint8]) -> Words:
    """Words of up to `OPENING` letters that can be undone, with all names; the empty one first."""
    words = np.zeros((1, 0), dtype=np.uint8)
    found = [np.zeros((1, OPENING), dtype=np.uint8)]
    for length in range(1, OPENING + 1):
        words = extended(words, alphabet)
        words = distinct(ordered_words(words[(inverses[words] > 0).all(axis=1)], alphabet))
        found.append(np.pad(words, ((0, 0), (0, OPENING - length))))
    return np.concatenate(found)


def _inverses(alphabet: Alphabet) -> NDArray[np.uint8]:
    """By letter: the one that undoes it, or 0."""
    number = {letter: at for at, letter in enumerate(alphabet.letters, start=1)}
    undo = [(step._replace(op=str(step.spec.inverse)),) for (step,) in alphabet.letters]
    return np.array([0, *(number.get(letter, 0) for letter in undo)], dtype=np.uint8)


@lru_cache(2)
def search(gates: tuple[str, ...], sizes: tuple[int, ...], objective: str) -> Search:
    """The tables for blocks on 1, 2, ... qubits, of words up to these sizes."""
    return Search(
        [
            Table(of_gates(gates, qubits), size, objective)
            for qubits, size in enumerate(sizes, start=1)
        ]
    )


class Search:
    """Looks for cheaper forms."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self.tables = tables
        self.objective = tables[0].objective

    def rules(self, blocks: Sequence[Block]) -> list[tuple[Rule, int]]:
        """What can be gained in blocks, small ones first, and how often the block recurs.

        Of a block, only that counts which rules found before do not gain.  If one still has a place
        there, which gains nothing for the block, the block is left alone.
        """
        book = Book(self.objective)
        found = []
        for qubits, text, count in sorted(blocks, key=lambda block: (len(block[1]), block)):
            steps = self.tables[qubits - 1].alphabet.steps(bytes.fromhex(text))
            if self.cheaper(steps) is None:
                continue
            steps = book.cheapest(steps)
            rule = None if any(book.rewritten(steps)) else self._smallest(steps)
            if rule is not None and _confirmed(rule):
                book.add(rule)
                found.append((rule, count))
        return found

    def cheaper(self, steps: Steps) -> Steps | None:
        """A cheaper form of some steps, if there is one to be found."""
        names = names_in(steps)
        table = self.tables[len(names) - 1]
        shift = dict(zip(names, WIRES, strict=False))
        number = {letter: at for at, letter in enumerate(table.alphabet.letters, start=1)}
        word = [number[rename((step,), shift)] for step in steps]
        found = table.cheaper(word)
        if found is None:
            return None
        return rename(table.alphabet.steps(found), dict(zip(WIRES, names, strict=False)))

    def _smallest(self, steps: Steps) -> Rule | None:
        """The rule for a part that gains, too, but no longer without any of its ends.

        If more than gates can be gained, this is so in the part.
        """
        better = self.cheaper(steps)
        if better is None:
            return None
        more = self._gains_more(steps, better)
        parts = _shorter(steps)
        while (part := next(parts, None)) is not None:
            found = self.cheaper(part)
            if found is not None and self._gains_more(part, found) >= more:
                steps, better, parts = part, found, _shorter(part)
        names = dict(zip(names_in(steps), WIRES, strict=False))
        return Rule("", rename(steps, names), rename(better, names))

    def _gains_more(self, steps: Steps, better: Steps) -> bool:
        """Whether more is gained than gates without a cost of their own."""
        old, new = (gaining_value(side, self.objective) for side in (steps, better))
        return new[:-1] < old[:-1]


def _shorter(steps: Steps) -> Iterator[Steps]:
    """What is left without a step that may come first or last, if it is connected."""
    for at, step in enumerate(steps):
        rest = [*steps[:at], *steps[at + 1 :]]
        before = any(depend((step,), (other,)) for other in steps[:at])
        behind = any(depend((step,), (other,)) for other in steps[at + 1 :])
        if not (before and behind) and rest and connected(rest):
            yield tuple(rest)


def _confirmed(rule: Rule) -> bool:
    one, other = (canonical(side, names_in(rule.pattern), [], "") for side in rule.sides)
    return one == other
