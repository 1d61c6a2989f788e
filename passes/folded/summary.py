"""What a piece of a program does wherever its premises hold, and where to look that up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from qwasmc.ir.program import Value
from qwasmc.passes.folded.values import Affine, Linear, Premises, Raw, Val
from qwasmc.passes.folded.world import Cell, World
from qwasmc.scalars import float_bits

Key: TypeAlias = "Cell | int | Value"
"""An input: a cell, an argument by its place, or a value from outside."""

Hulls: TypeAlias = dict[tuple[int, Linear], tuple[int, int]]
"""By state at the start, and sum of inputs: the least and the most that is added to get a slot."""

Origin: TypeAlias = "tuple[str, int | Affine | Value]"
"""Where a qubit is from: ("slot", number), ("argument", place), ("value", Value), ("new", n)."""

Move: TypeAlias = "tuple[int | Affine, Origin | None]"
"""A slot that holds another qubit at the end, and where that is from."""

Change: TypeAlias = "tuple[int, int | None, int | None]"
"""A slot, and the qubits in it before and after."""

HALT = -1
"""The place after the end of the program."""

MOST_ALIKE = 16
"""Summaries that are kept for the same pinned inputs."""


@dataclass(slots=True, eq=False)
class Summary:
    """What a piece does.

    Its premises are that the inputs with the numbers in `pinned` are what they are in `sample`,
    that sums of inputs lie in `ranges`, and that slots are full and empty as `hulls` says.
    """

    keys: list[Key]
    sample: list[Raw]
    pinned: tuple[int, ...]
    ranges: dict[Linear, tuple[int, int]]
    hulls: Hulls
    writes: dict[Cell, Val]
    moved: list[Move]
    values: list[Val | Origin]
    """The classical values that it hands on, and where their qubits are from."""
    place: int
    """The block that comes next."""
    live: int
    """By how much there are more qubits at the end than at the start."""
    peak: int
    """The same for the largest number at a time."""
    regions: dict[int, int]
    """How often it has which region, without those of other pieces."""
    children: dict[Summary, int]
    """How often it does what other pieces do."""
    reusable: bool

    def holds(self, raws: Sequence[Raw | None], world: World) -> bool:
        """Whether the premises hold, if the inputs that are not pinned have these values."""
        for value, sample in zip(raws, self.sample, strict=True):
            if type(value) is not type(sample):
                return False
        for linear, (least, most) in self.ranges.items():
            if not least <= total(linear, raws) <= most:
                return False
        return self.fits(self.spans(raws), world)

    def spans(self, raws: Sequence[Raw | None]) -> list[tuple[int, int, int]]:
        """(least, most, state) of the slots that it uses, in order."""
        found = []
        for (state, linear), (least, most) in self.hulls.items():
            at = total(linear, raws)
            found.append((at + least, at + most, state))
        return sorted(found)

    def fits(self, spans: Sequence[tuple[int, int, int]], world: World) -> bool:
        """Whether slots are full and empty as they must be, and none is used as two."""
        if any(one[1] >= other[0] for one, other in pairwise(spans)):
            return False
        return all(world.slots.all_are(state, least, most) for least, most, state in spans)


def total(linear: Linear, raws: Sequence[Raw | None]) -> int:
    """A sum of inputs."""
    return sum(factor * raws[number] for number, factor in linear)  # type: ignore[operator,misc]


def identity(value: Raw | None) -> object:
    """What two values have in common if they are the same in every way."""
    return ("real", float_bits(value)) if isinstance(value, float) else value


def merged_hulls(hulls: Hulls, raws: Sequence[Raw], premises: Premises) -> tuple[Hulls, bool]:
    """Hulls that do not meet, and whether that is possible.

    Where two of them meet, it is not enough to know that they are apart: the slots are then pinned.
    """
    found = dict(hulls)
    while True:
        spans = sorted(
            (at + least, at + most, state, linear)
            for (state, linear), (least, most) in found.items()
            for at in [total(linear, raws)]
        )
        meeting = next(((a, b) for a, b in pairwise(spans) if a[1] >= b[0]), None)
        if meeting is None:
            return found, True
        if meeting[0][2] != meeting[1][2]:
            return found, False
        for _, _, state, linear in meeting:
            premises.pinned.update((number, None) for number, _ in linear)
            del found[state, linear]
        ends = [*meeting, *([(*found.pop((state, ())), state, ())] if (state, ()) in found else [])]
        found[state, ()] = min(end[0] for end in ends), max(end[1] for end in ends)


@dataclass(slots=True)
class Memo:
    """The summaries of a piece."""

    _tables: dict[tuple[Key, ...], dict[tuple[object, ...], list[Summary]]] = field(
        default_factory=dict
    )
    """By pinned inputs and their values."""

    def find(self, get: Callable[[Key], Raw | None], world: World) -> Summary | None:
        """A summary whose premises hold; `get` tells what an input is, None if nothing."""
        for keys, table in self._tables.items():
            for summary in table.get(tuple(identity(get(key)) for key in keys), ()):
                if summary.holds([get(key) for key in summary.keys], world):
                    return summary
        return None

    def add(self, summary: Summary) -> None:
        """Keep a summary, if it can be used again."""
        if not summary.reusable:
            return
        table = self._tables.setdefault(
            tuple(summary.keys[number] for number in summary.pinned), {}
        )
        values = tuple(identity(summary.sample[number]) for number in summary.pinned)
        alike = table.setdefault(values, [])
        if len(alike) < MOST_ALIKE:
            alike.append(summary)


def every(summary: Summary) -> Iterator[Summary]:
    """A summary and all those that it is made of, each after all of which it is a part."""
    order: list[Summary] = []
    seen: set[Summary] = set()
    stack: list[tuple[Summary, bool]] = [(summary, False)]
    while stack:
        top, done = stack.pop()
        if done:
            order.append(top)
        elif top not in seen:
            seen.add(top)
            stack.append((top, True))
            stack += [(child, False) for child in top.children]
    return reversed(order)


def multiplicities(summary: Summary) -> dict[int, int]:
    """How often a run of a piece has each region, by number."""
    times = {summary: 1}
    found: dict[int, int] = {}
    for each in every(summary):
        count = times[each]
        for number, own in each.regions.items():
            found[number] = found.get(number, 0) + count * own
        for child, own in each.children.items():
            times[child] = times.get(child, 0) + count * own
    return {number: count for number, count in sorted(found.items()) if count}
