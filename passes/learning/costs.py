"""What words cost; see `qwasmc.cost` for what objectives mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.kernel import kernel
from qwasmc.ops import Cost
from qwasmc.passes.learning.alphabets import Alphabet
from qwasmc.passes.learning.words import Words
from qwasmc.rules.rule import Step, slow_clifford

ROTATIONS, T, TWO, DEPTH, GATES, CLIFFORD = range(6)
"""Columns: gates with an angle, T gates, operations on two or more qubits, depth, operations, and
Clifford gates on one qubit that take time on patches."""

ORDER = {
    "t": (ROTATIONS, T, TWO, GATES, DEPTH),
    "two-qubit": (TWO, ROTATIONS, T, GATES, DEPTH),
    "depth": (DEPTH, ROTATIONS, T, TWO, GATES),
    "volume": (ROTATIONS, T, TWO, CLIFFORD, GATES, DEPTH),
}
"""By objective: the columns in the order in which they count.

The depth of a few gates says little about that of the circuit: it depends on when their qubits are
ready.  So it comes last where it is not the objective.
"""

COUNTED = (ROTATIONS, T, TWO, GATES, CLIFFORD)
"""What does not depend on what is around."""


def costs(words: Words, alphabet: Alphabet) -> NDArray[np.int64]:
    """(words, 6): the columns above."""
    touched = [_touched(letter, alphabet) for letter in alphabet.letters]
    own = [(0, 0, 0, 0, 0), *(_counts(letter) for letter in alphabet.letters)]
    found: NDArray[np.int64] = _costs(words, np.array(own), np.array([0, *touched]))
    return found


def step_costs(steps: Sequence[Step]) -> tuple[int, ...]:
    """The same columns, of some steps."""
    levels: dict[str, int] = {}
    for step in steps:
        names = [*step.qubits, *(f"-> {bit}" for bit in (step.bit, step.cond) if bit)]
        level = max(levels.get(name, 0) for name in names) + _takes_time(step)
        levels.update(dict.fromkeys(names, level))
    rotations, t, two, gates, clifford = _counts(steps)
    return rotations, t, two, max(levels.values(), default=0), gates, clifford


def value(costs: Sequence[int], objective: str) -> tuple[int, ...]:
    """Costs in the order in which they count."""
    return tuple(int(costs[column]) for column in ORDER[objective])


def gaining_columns(objective: str) -> list[int]:
    """The columns that say whether something is gained: depth only if it is the objective."""
    order = ORDER[objective]
    return [column for column in order if column in COUNTED or order[0] == DEPTH]


def gaining_value(steps: Sequence[Step], objective: str) -> tuple[int, ...]:
    """What is gained where this is lower."""
    found = step_costs(steps)
    return tuple(found[column] for column in gaining_columns(objective))


def _counts(steps: Sequence[Step]) -> tuple[int, int, int, int, int]:
    return (
        sum(step.angle is not None for step in steps),
        sum(step.spec.cost is Cost.MAGIC for step in steps),
        sum(len(step.qubits) > 1 for step in steps),
        sum(map(_takes_time, steps)),
        sum(map(slow_clifford, steps)),
    )


def _takes_time(step: Step) -> bool:
    return step.op not in ("alloc", "free")


def _touched(steps: Sequence[Step], alphabet: Alphabet) -> int:
    """A bit for each qubit and each result."""
    names = {name for step in steps for name in (*step.qubits, step.bit, step.cond)}
    known = [*alphabet.wires, *alphabet.bits]
    return sum(1 << at for at, name in enumerate(known) if name in names)


@kernel
def _costs(words: Any, own: Any, touched: Any) -> Any:
    found = np.zeros((len(words), 6), dtype=np.int64)
    levels = np.zeros(32, dtype=np.int64)
    for row in range(len(words)):
        levels[:] = 0
        for letter in words[row]:
            level = 0
            for at in range(len(levels)):
                if touched[letter] >> at & 1:
                    level = max(level, levels[at])
            level += own[letter, 3]
            for at in range(len(levels)):
                if touched[letter] >> at & 1:
                    levels[at] = level
            found[row, :3] += own[letter, :3]
            found[row, 4] += own[letter, 3]
            found[row, 5] += own[letter, 4]
        found[row, 3] = levels.max()
    return found
