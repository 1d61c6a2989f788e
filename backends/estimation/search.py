"""Searches the factories that no other one beats in qubits and time.

This is the QDK's search.  For each sequence of units it finds distances, which do not fall from
round to round, by bisection; from there it walks through those that are neither all larger nor all
smaller.  It builds each factory on the way, and keeps those that are good enough.  Distances are
given by their numbers: 0 is distance 1, which in the first round means physical qubits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, product

from qwasmc.backends.estimation.codes import Code, Patch
from qwasmc.backends.estimation.distillation import (
    MORE_ROUNDS,
    Factory,
    Placed,
    Unbuilt,
    Unit,
    build,
    on_patches,
    on_physical,
    without_distillation,
)
from qwasmc.diagnostics import Kind, error

MOST_FACTORIES = 2_000_000
"""Factories that one search may build."""

VALID = 0.1
"""A unit needs Clifford gates with at most this part of the error rate of a physical T gate."""

Improves = Callable[[list[int]], bool]
"""Looks at the factory with these distances; whether larger ones may improve it."""

Costs = tuple[float, int]

Row = list[Placed | None]
"""A unit at each distance; None where there are no such logical qubits."""


def find_factories(
    code: Code, units: Sequence[Unit], wanted: float, most: int, rounds: int
) -> list[Factory]:
    """The best factories of T states with at most the error rate `wanted`, the largest first.

    Distances are at most `most`; `rounds` are exceeded only where there is no factory otherwise.
    """
    if wanted > code.qubit.t_rate:
        return [without_distillation(code.patch(most), code.qubit.t_rate)]
    search = _Search(code, units, wanted, most)
    for length in range(1, rounds + 1):
        search.try_all(length)
    if not search.found:
        for length in range(rounds + 1, MORE_ROUNDS + 1):
            search.try_all(length)
    return sorted(search.best(), key=_costs, reverse=True)


def _costs(factory: Factory) -> Costs:
    """What is weighed: qubits for each state, and time."""
    return factory.qubits / factory.outputs, factory.duration_ns


class _Search:
    """The rounds that there are, and the factories found."""

    def __init__(self, code: Code, units: Sequence[Unit], wanted: float, most: int) -> None:
        self.t_rate, self.wanted, self.left = code.qubit.t_rate, wanted, MOST_FACTORIES
        self.found: list[Factory] = []
        """Factories that are good enough, and were not dominated when they were found."""
        self.front: list[Costs] = []
        """The costs of those that still are not."""
        patches = [code.patch_if_any(d) for d in code.distances() if d <= most]
        good = [patch is not None and patch.error_rate <= VALID * self.t_rate for patch in patches]
        least = good.index(True) if True in good else len(good)
        physical = code.qubit.clifford_rate <= VALID * self.t_rate
        logical = sorted((unit for unit in units if unit.logical), key=lambda u: not u.physical)
        only = [unit for unit in units if not unit.logical and physical]
        self.later: list[tuple[Row, int]] = []
        """Units of later rounds, and the least of their distances."""
        self.first: list[tuple[Row, int]] = []
        for unit in logical:
            self.later.append((_row(unit, patches, first=False), least))
            row = _row(unit, patches, first=True)
            if unit.physical:
                row[0] = on_physical(unit, code.qubit)
            self.first.append((row, 0 if unit.physical and physical else max(1, least)))
        self.first += [([on_physical(unit, code.qubit)], 0) for unit in only]

    def try_all(self, length: int) -> None:
        """Try all sequences of so many units."""
        for units in product(self.first, *[self.later] * (length - 1)):
            rows = [row for row, _ in units]
            least = list(accumulate((least for _, least in units), max))
            most = [len(row) - 1 for row in rows]

            def improves(distances: Sequence[int], rows: Sequence[Row] = rows) -> bool:
                return self.improves([row[d] for row, d in zip(rows, distances, strict=True)])

            start = bisect(least, most, improves)
            if start is not None:
                walk(start, least, most, improves)

    def improves(self, rounds: Sequence[Placed | None]) -> bool:
        """Keep the factory of these rounds if it is good; whether larger distances may be."""
        self.left -= 1
        if not self.left:
            raise error(
                f"the search for a factory has built {MOST_FACTORIES}",
                kind=Kind.LIMIT,
                help="name fewer distillation units, or lower maxDistillationRounds",
            )
        placed = [each for each in rounds if each is not None]
        if len(placed) < len(rounds):
            return True
        factory = build(placed, self.t_rate)
        if isinstance(factory, Unbuilt):
            return factory.larger
        costs = _costs(factory)
        if any(_beats(other, costs) for other in self.front):
            return False
        if factory.errors[-1] > self.wanted:
            return True
        self.found.append(factory)
        self.front = [one for one in self.front if not _beats(costs, one)] + [costs]
        return False

    def best(self) -> list[Factory]:
        """Those found that no other one dominates.

        Each that goes is replaced by the last one, as in the QDK: order decides between equals.
        """
        left, i = list(self.found), 0
        while i < len(left):
            if _costs(left[i]) in self.front:
                i += 1
            else:
                last = left.pop()
                if i < len(left):
                    left[i] = last
        return left


def _row(unit: Unit, patches: Sequence[Patch | None], first: bool) -> Row:
    return [on_patches(unit, patch, first) if patch else None for patch in patches]


def _beats(one: Costs, other: Costs) -> bool:
    """Whether costs are nowhere higher, and somewhere lower."""
    return one[0] <= other[0] and one[1] <= other[1] and one != other


def bisect(least: Sequence[int], most: Sequence[int], improves: Improves) -> list[int] | None:
    """Distances that suffice, each as small as those before allow.

    None if even the largest do not suffice, or the smallest do.
    """
    found = list(most)
    if improves(found) or any(low > high for low, high in zip(least, most, strict=True)):
        return None
    if not improves(list(least)):
        return None
    for i in range(len(most)):
        low, high = found[i - 1] if i else least[0], most[i]
        while low + 1 < high:
            found[i] = (low + high) // 2
            if improves(found):
                low = found[i] + 1
            else:
                high = found[i]
        found[i] = high
        if low + 1 == high:
            found[i] = low
            if improves(found):
                found[i] = high
    return found


def walk(start: list[int], least: Sequence[int], most: Sequence[int], improves: Improves) -> None:
    """Look at what is neither larger nor smaller than what has been looked at, from `start` on."""
    now = [max(pair) for pair in zip(start, least, strict=True)]
    going = _turn(now, least, most)
    while going:
        going = _step(now, least, most) if improves(now) else _turn(now, least, most)


def _step(now: list[int], least: Sequence[int], most: Sequence[int]) -> bool:
    """Go to the next distances in lexical order; False where there are none."""
    for i in reversed(range(len(now))):
        now[i] += 1
        if now[i] <= most[i]:
            _fill(now, i, least)
            return True
    return False


def _turn(now: list[int], least: Sequence[int], most: Sequence[int]) -> bool:
    """Raise the distance of one round and lower those of later ones; False where that ends."""
    for i in reversed(range(1, len(now))):
        if now[i] > now[i - 1] + 1 and now[i - 1] != most[i - 1]:
            now[i - 1] += 1
            _fill(now, i - 1, least)
            return True
    return False


def _fill(now: list[int], i: int, least: Sequence[int]) -> None:
    """Make distances behind round `i` as small as they may be."""
    for j in range(i + 1, len(now)):
        now[j] = max(now[j - 1], least[j])
