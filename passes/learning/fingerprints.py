"""Fingerprints: numbers that are equal for words that do the same, up to phase.

Take the matrices of a circuit, which are over Z[1/sqrt 2, i], into the field of a prime p = 1
modulo 8 by a homomorphism h: omega goes to an element of order 8, and exp(ix) for each angle x to a
fixed one.  So does h* for the conjugates.  For fixed vectors a, v, b, w

    (a h(K) v) (b h*(K) w)

is the same for K and c K if |c| = 1.  A circuit with measurements has an operator K for each
result, and the fingerprint is a sum of such products with fixed weights.  There are two of them in
one number of 60 bits: for two pairs of elements of order 8, so all four roots are used.

Unlike circuits have equal fingerprints with a probability of about 2^-60, as vectors are as good as
random; what follows from equal ones is confirmed in `exact`.  This is how Quartz proposes
equalities (Xu et al., PLDI 2022, section 3), which takes floating-point numbers for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.kernel import kernel
from qwasmc.passes.learning.alphabets import Alphabet
from qwasmc.passes.learning.exact import Operator, operators
from qwasmc.passes.learning.words import Words, final_flags
from qwasmc.rules.rule import Step

PRIME = 1073741689
"""The largest one below 2^30 that is 1 modulo 8; 7 products of elements fit 64 bits."""

BITS = 30

ROOTS = tuple(pow(7, (PRIME - 1) // 8 * power, PRIME) for power in (1, 7, 3, 5))
"""Elements of order 8, a conjugate behind each of two."""

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Tables:
    """The matrices of letters modulo `PRIME`, sparse, by root, values of the results, and letter.

    Row i of the matrix has `entries[root, branch, letter, i]` in the columns
    `columns[root, branch, letter, i]`.  `start` and `end` (by root) are the vectors v and a;
    `weights` (by half of the number) those of the branches, and that of the flags at the end.
    """

    columns: Ints
    entries: Ints
    start: Ints
    end: Ints
    weights: Ints


def tables(alphabet: Alphabet) -> Tables:
    """Those of an alphabet."""
    size, branches = 2 ** len(alphabet.wires), 2 ** len(alphabet.bits)
    dense = np.zeros((len(ROOTS), branches, len(alphabet.letters) + 1, size, size), dtype=np.int64)
    for at, letter in enumerate(alphabet.letters, start=1):
        found = operators(letter, alphabet.wires, alphabet.bits, alphabet.wires)
        for branch, operator in enumerate(found):
            for number, root in enumerate(ROOTS):
                dense[number, branch, at] = _image(operator, letter, root).reshape(size, size)
    width = int((dense != 0).sum(axis=-1).max())
    # Entries that are not 0 come first in each row.
    columns = np.argsort(dense == 0, axis=-1, kind="stable")[..., :width]
    begun = np.arange(size) % 2 ** len(alphabet.fresh) == 0
    return Tables(
        columns=columns,
        entries=np.take_along_axis(dense, columns, axis=-1),
        start=_numbers("start", (len(ROOTS), size)) * begun,
        end=_numbers("end", (len(ROOTS), size)),
        weights=_numbers("weights", (2, branches + 1)),
    )


def fingerprints(words: Words, alphabet: Alphabet, of: Tables) -> tuple[Ints, Ints]:
    """Each word's least fingerprint under the renamings of an alphabet, and which one has it.

    What a word leaves behind counts: results that were made, and qubits still in use.
    """
    return _under(words, alphabet, of, alphabet.symmetries)


def named_fingerprints(words: Words, alphabet: Alphabet, of: Tables) -> Ints:
    """Each word's fingerprint with the names that it has."""
    return _under(words, alphabet, of, alphabet.symmetries[:1])[0]


def _under(
    words: Words, alphabet: Alphabet, of: Tables, symmetries: NDArray[np.uint8]
) -> tuple[Ints, Ints]:
    arrays = (of.columns, of.entries, of.start, of.end, of.weights)
    found: tuple[Ints, Ints]
    found = _fingerprints(words, final_flags(words, alphabet), symmetries, *arrays)
    return found


def _numbers(name: str, shape: tuple[int, ...]) -> Ints:
    """Numbers as good as random."""
    count = int(np.prod(shape))
    digests = [sha256(f"{name} {at}".encode()).digest() for at in range(count)]
    return np.array([int.from_bytes(d[:7]) % PRIME for d in digests], dtype=np.int64).reshape(shape)


def _image(operator: Operator, letter: tuple[Step, ...], root: int) -> Any:
    """The matrix modulo the prime, where omega is `root`."""
    powers = [pow(root, power, PRIME) for power in range(4)]
    image: Any = (operator.values % PRIME * powers % PRIME).sum(axis=-1) % PRIME
    angles = sorted({name for step in letter if step.angle for name, _ in step.angle.terms})
    for name in reversed(angles):
        unit = _unit(name, root)
        units = [pow(unit, power, PRIME) for power in range(image.shape[-1])]
        image = (image * units % PRIME).sum(axis=-1) % PRIME
    root_two = powers[1] + pow(root, 7, PRIME)
    return image * pow(root_two, -operator.halves, PRIME) % PRIME


def _unit(angle: str, root: int) -> int:
    """exp(i angle) modulo the prime; those for a root and its conjugate are inverse."""
    pair, conjugate = divmod(ROOTS.index(root), 2)
    unit = int(_numbers(f"angle {angle}", (2,))[pair])
    return pow(unit, -1 if conjugate else 1, PRIME)


@kernel
def _fingerprints(
    words: Any,
    flags: Any,
    symmetries: Any,
    columns: Any,
    entries: Any,
    start: Any,
    end: Any,
    weights: Any,
) -> Any:
    least = np.zeros(len(words), dtype=np.int64)
    by = np.zeros(len(words), dtype=np.int64)
    word = np.zeros(words.shape[1], dtype=np.uint8)
    values = np.zeros(len(columns), dtype=np.int64)
    branches = columns.shape[1]
    for row in range(len(words)):
        for number in range(len(symmetries)):
            for at in range(len(word)):
                word[at] = symmetries[number, words[row, at]]
            one = flags[row] * weights[0, branches] % PRIME
            two = flags[row] * weights[1, branches] % PRIME
            for branch in range(branches):
                for root in range(len(columns)):
                    values[root] = _value(
                        word, columns[root, branch], entries[root, branch], start[root], end[root]
                    )
                one += values[0] * values[1] % PRIME * weights[0, branch] % PRIME
                two += values[2] * values[3] % PRIME * weights[1, branch] % PRIME
            found = (one % PRIME) << BITS | two % PRIME
            if number == 0 or found < least[row]:
                least[row] = found
                by[row] = number
    return least, by


@kernel
def _value(word: Any, columns: Any, entries: Any, start: Any, end: Any) -> int:
    """end times the matrix of a word times start."""
    old = start.copy()
    new = np.empty_like(old)
    for letter in word:
        if letter:
            for i in range(len(old)):
                total = 0
                for j in range(columns.shape[2]):
                    total += entries[letter, i, j] * old[columns[letter, i, j]]
                new[i] = total % PRIME
            old, new = new, old
    total = 0
    for i in range(len(old)):
        total += end[i] * old[i] % PRIME
    return total % PRIME
