"""Names for qubits, bits and registers of an output, from those that the program has.

    q[0] q[1] alice          a register q of 2, and alice alone
    "" "" (default "m")      a register m of 2

Names are unique: a second `m` is called `m_2`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

LONGEST = 1000
"""Most characters of a name: QPY takes 65535 bytes."""

_ELEMENT = re.compile(r"(.+)\[(\d{1,9})\]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Group:
    """A register, or something alone: `members` are places in the list of names, in order."""

    name: str
    members: tuple[int, ...]
    alone: bool


class Names:
    """Gives out names, each once; `spell` makes a name one that the output may have."""

    def __init__(self, spell: Callable[[str], str]) -> None:
        self.spell = spell
        self.taken: set[str] = set()
        self.times: dict[str, int] = {}
        """How often each name was asked for, so that the next one is found at once."""

    def name(self, wanted: str) -> str:
        """The name, or one like it."""
        wanted = found = self.spell(wanted[:LONGEST])
        while found in self.taken:
            self.times[wanted] = self.times.get(wanted, 1) + 1
            found = f"{wanted}_{self.times[wanted]}"
        self.taken.add(found)
        return found

    def groups(self, names: Sequence[str], default: str) -> list[Group]:
        """Registers of the names that are elements of one; without a name, of `default`."""
        found = [
            Group(self.name(base), tuple(members), alone)
            for base, members, alone in _grouped(names)
        ]
        nameless = tuple(at for at, name in enumerate(names) if not name)
        if nameless:
            found.append(Group(self.name(default), nameless, alone=False))
        return found


def _grouped(names: Sequence[str]) -> list[tuple[str, list[int], bool]]:
    """Names that there are, as registers and alone, in order of appearance."""
    elements: dict[str, dict[int, int]] = {}
    broken: set[str] = set()
    for at, name in enumerate(names):
        if match := _ELEMENT.fullmatch(name):
            places = elements.setdefault(match[1], {})
            if places.setdefault(int(match[2]), at) != at:
                broken.add(match[1])  # an element that is there twice
    whole = {
        base: [places[at] for at in range(len(places))]
        for base, places in elements.items()
        if base not in broken and max(places) == len(places) - 1
    }
    found: list[tuple[str, list[int], bool]] = []
    for at, name in enumerate(names):
        match = _ELEMENT.fullmatch(name)
        if match and match[1] in whole:
            if places_of := whole[match[1]]:
                found.append((match[1], places_of, False))
            whole[match[1]] = []
        elif name:
            found.append((name, [at], True))
    return found
