"""Which floor plan, factories and distance a program gets for an error budget and a machine size.

The error of a run is at most the sum of those of its magic states and of the target's patches, for
every round of every tile on which a patch may be: all but the insides of factories, whose models
count them.  Candidates are all floor plans with all kinds of factories in numbers that are powers
of two; each is scheduled, with the smallest distance at which its error is within the budget.  The
best one has the least volume, qubits times rounds; those that no other one beats in both are the
Pareto front.  Candidates are compared by quick schedules of the start of a program; that of the
best one is the final one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy as np

from qwasmc.diagnostics import CompileError, Kind, error
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.surgery import Letter
from qwasmc.ops import OPS
from qwasmc.passes.lower_surgery import finished
from qwasmc.passes.scheduling.chips import COUNTS, source_of
from qwasmc.passes.scheduling.factories import (
    ESTIMATED,
    FACTORIES,
    Factory,
    built,
    known,
)
from qwasmc.passes.scheduling.improve import best_schedule, first_tasks
from qwasmc.passes.scheduling.plan import Plan, Source, make_plan
from qwasmc.passes.scheduling.production import production
from qwasmc.passes.scheduling.scheduler import make_schedule
from qwasmc.passes.scheduling.script import write_script
from qwasmc.passes.scheduling.tasks import Act, Tasks
from qwasmc.target import DEFAULT_TARGET, Target, tile_qubits

DISTANCES = range(3, 52, 2)

SAMPLE = 4_000
"""Tasks from the start of a program by which candidates are compared."""

REAL = tuple(name for name in (*FACTORIES, *ESTIMATED) if name != "port")
"""Factories whose states have errors; a port's are declared to have none."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chip for a program, what it takes, and the probability that the run has an error."""

    floor_plan: str
    factory: str
    factories: int
    distance: int
    tiles: int
    qubits: int
    slabs: int
    rounds: int
    error: float

    @property
    def volume(self) -> int:
        """Qubit rounds."""
        return self.qubits * self.rounds


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; None leaves a choice."""

    error_budget: float
    error_rate: float
    floor_plan: str | None = None
    factory: str | None = None
    factories: int | None = None
    max_tiles: int | None = None
    distance: int | None = None
    target: Target = DEFAULT_TARGET

    @property
    def most_tiles(self) -> int | None:
        """The size of the machine at any distance, if there is one."""
        limits = (self.max_tiles, self.target.max_tiles)
        return min((limit for limit in limits if limit is not None), default=None)

    @property
    def distances(self) -> list[int]:
        """Those that are tried."""
        return [d for d in DISTANCES if d in self.target.distances]

    @property
    def unlimited(self) -> Wanted:
        """The same for a machine of any size."""
        target = replace(self.target, max_tiles=None, max_qubits=None)
        return replace(self, max_tiles=None, target=target)

    def patch_error(self, distance: int) -> float:
        """Logical error rate of a patch per round."""
        return self.target.code.patch_error(self.error_rate, distance)


def choose(circuit: Circuit, wanted: Wanted) -> list[Candidate]:
    """The candidates for a circuit that meet the budget, the least volume first.

    CompileError, with what would have to change, if there is none.
    """
    return choose_for(Line(circuit, wanted.error_rate), wanted)


def choose_for(work: Work, wanted: Wanted) -> list[Candidate]:
    """The same for any work."""
    search = _Search(work, wanted)
    found = search.candidates()
    best = search.confirmed(found)
    if best is None:
        raise search.impossible()
    return [best, *(each for each in found if not _same_chip(each, best))]


def pareto(candidates: Sequence[Candidate]) -> list[dict[str, Any]]:
    """The candidates that no other one beats in qubits and rounds, as JSON-ready data."""
    front: list[Candidate] = []
    for each in sorted(candidates, key=lambda c: (c.qubits, c.rounds)):
        if not front or each.rounds < front[-1].rounds:
            front.append(each)
    return [asdict(each) for each in front]


def _same_chip(one: Candidate, other: Candidate) -> bool:
    """Whether two candidates differ in no more than what they were estimated from."""
    return (one.floor_plan, one.factory, one.factories) == (
        other.floor_plan,
        other.factory,
        other.factories,
    )


class _Chip(NamedTuple):
    """A chip with a schedule."""

    tiles: int
    exposed: int
    """Tiles on which a patch may be."""
    slabs: int


class Work(Protocol):
    """What a machine is to do."""

    n_patches: int
    states: int
    """Magic states."""
    twisted: int
    """Joint measurements with a letter Y, which make their slabs two rounds longer."""

    def waiting(self, distance: int) -> int:
        """Rounds by which slabs are longer because the program wants to wait."""

    def slabs(self, plan: Plan, final: bool) -> int:
        """The length of a schedule on a chip, or about that."""


class Line:
    """The work of a circuit."""

    def __init__(self, circuit: Circuit, error_rate: float) -> None:
        nowhere = production(built("port", error_rate, DISTANCES[0]))
        self.tasks, _ = finished(write_script(circuit, nowhere))
        self.sample = first_tasks(self.tasks, SAMPLE)
        self.n_patches = self.tasks.n_patches
        self.states = int((self.tasks.act == Act.MAGIC).sum())
        self.twisted = _products_with_y(self.tasks)
        self.waits = _waits(circuit)

    def waiting(self, distance: int) -> int:
        """Rounds by which slabs are longer because the program wants to wait."""
        return int(np.maximum(self.waits - distance, 0).sum())

    def slabs(self, plan: Plan, final: bool) -> int:
        """The length of a schedule on a chip, estimated from its start if it is not `final`."""
        if final:
            return best_schedule(self.tasks, plan)[0].slabs
        some = make_schedule(self.sample, plan).slabs
        return math.ceil(some * len(self.tasks) / max(1, len(self.sample)))


class _Search:
    """The candidates for some work, and what went wrong with others."""

    def __init__(self, work: Work, wanted: Wanted) -> None:
        self.work = work
        self.wanted = wanted
        self.states = work.states
        self.chips: dict[tuple[bool, str, int, Source | None], _Chip | CompileError] = {}
        """By whether it is final, floor plan, and number and kind of sources."""
        self.closest: Candidate | None = None
        """The one with the least error, of those that do not meet the budget."""

    def candidates(self) -> list[Candidate]:
        """Those that meet the budget, as estimated from the first tasks; least volume first."""
        wanted, found = self.wanted, []
        kinds = wanted.target.factories
        real = [name for name in REAL if name in kinds]
        names: Iterable[str] = [wanted.factory] if wanted.factory else real or kinds
        if not self.states:
            names = [wanted.factory or kinds[0]]
        for plan in [wanted.floor_plan] if wanted.floor_plan else wanted.target.floor_plans:
            for name in names:
                found += self.by_number(plan, name)
        return sorted(found, key=lambda each: (each.volume, each.qubits, each.floor_plan))

    def by_number(self, plan: str, name: str) -> list[Candidate]:
        """Those with one floor plan and one kind of factory, as long as more of them save time."""
        found: list[Candidate] = []
        counts = [self.wanted.factories] if self.wanted.factories else COUNTS
        for count in counts if self.states else [0]:
            best = self.smallest(False, plan, name, count, 0)
            if best is None:
                continue
            if found and best.slabs >= found[-1].slabs:
                break
            found.append(best)
        return found

    def confirmed(self, candidates: Sequence[Candidate]) -> Candidate | None:
        """The first candidate whose final schedule meets the budget, at its distance or more."""
        for each in candidates:
            best = self.smallest(True, each.floor_plan, each.factory, each.factories, each.distance)
            if best is not None:
                return best
        return None

    def smallest(
        self, final: bool, plan: str, name: str, count: int, least: int
    ) -> Candidate | None:
        """The candidate with the smallest distance that meets the budget, if any does."""
        wanted, candidate = self.wanted, None
        distances = [d for d in wanted.distances if d >= least]
        for distance in [wanted.distance] if wanted.distance else distances:
            made = known(name, wanted.error_rate, distance, wanted.target.code)
            if made is None:
                return None
            hopeless = self.least_error(made, count, distance) > wanted.error_budget
            if hopeless and distance not in (wanted.distance, distances[-1]):
                continue
            candidate = self.candidate(final, plan, made, count, distance)
            if candidate and candidate.error <= wanted.error_budget:
                return candidate
        if candidate and (self.closest is None or candidate.error < self.closest.error):
            self.closest = candidate
        return None

    def least_error(self, made: Factory, count: int, distance: int) -> float:
        """What the error is at least, whatever the schedule: states take time to make."""
        rounds = (self.states - 1) // count * made.period * distance if self.states else 0
        patches = self.work.n_patches * rounds * self.wanted.patch_error(distance)
        return patches + self.states * made.error

    def candidate(
        self, final: bool, plan: str, made: Factory, count: int, distance: int
    ) -> Candidate | None:
        """What a chip takes and how often it fails; None if the program does not fit onto it."""
        key = final, plan, count, source_of(made) if count else None
        if key not in self.chips:
            try:
                self.chips[key] = self.chip(*key)
            except CompileError as refused:
                self.chips[key] = refused
        chip = self.chips[key]
        if isinstance(chip, CompileError):
            return None
        qubits, limit = chip.tiles * tile_qubits(distance), self.wanted.target.max_qubits
        if limit is not None and qubits > limit:
            return None
        slabs = chip.slabs
        rounds = slabs * distance + 2 * min(slabs, self.work.twisted)
        rounds += self.work.waiting(distance)
        patches = chip.exposed * rounds * self.wanted.patch_error(distance)
        return Candidate(
            floor_plan=plan,
            factory=made.name,
            factories=count,
            distance=distance,
            tiles=chip.tiles,
            qubits=qubits,
            slabs=slabs,
            rounds=rounds,
            error=min(1.0, patches + self.states * made.error),
        )

    def chip(self, final: bool, plan: str, count: int, source: Source | None) -> _Chip:
        """A chip with a schedule, or with an estimate of its length."""
        sources = [source] * count if source else []
        found = make_plan(plan, self.work.n_patches, sources, self.wanted.most_tiles)
        slabs = self.work.slabs(found, final)
        inside = sum(each.width * each.height - 2 for each in sources)
        return _Chip(found.tiles, found.tiles - inside, slabs)

    def impossible(self) -> CompileError:
        """The error if there is no candidate, with a change that makes one possible."""
        wanted, closest = self.wanted, self.closest
        qubits = wanted.target.max_qubits
        if wanted.most_tiles is not None or qubits is not None:
            larger = _Search(self.work, wanted.unlimited)
            found = larger.confirmed(sorted(larger.candidates(), key=lambda each: each.tiles))
            if found:
                size = f"{wanted.most_tiles} tiles" if qubits is None else f"{qubits} qubits"
                return error(
                    f"a run within an error budget of {wanted.error_budget:g} does not fit onto "
                    f"{size}",
                    kind=Kind.LIMIT,
                    help=f"allow {found.tiles} tiles, which have {found.qubits} qubits",
                )
        if closest is None:
            for refused in self.chips.values():
                if isinstance(refused, CompileError):
                    return refused
            farthest = wanted.distance or wanted.distances[-1]
            built(wanted.factory or REAL[0], wanted.error_rate, farthest)
            raise AssertionError("a program that fits, and factories, but no candidate")
        at = "" if wanted.distance else f", up to distance {wanted.distances[-1]}"
        ways = [] if closest.error >= 0.99 else [f"allow an error budget of {_up(closest.error)}"]
        return error(
            f"the least error of a run is {closest.error:.1e}{at}, the error budget is "
            f"{wanted.error_budget:g}: {closest.floor_plan} with {closest.factories} x "
            f"{closest.factory} at distance {closest.distance} and a physical error rate of "
            f"{wanted.error_rate:g}",
            kind=Kind.LIMIT,
            help=", or ".join([*ways, "lower the physical error rate"]),
        )


def _products_with_y(tasks: Tasks) -> int:
    """How many joint measurements have a letter Y, which makes their slabs two rounds longer."""
    task = np.repeat(np.arange(len(tasks)), np.diff(tasks.start))
    return len(np.unique(task[(tasks.letter == Letter.Y) & (tasks.act[task] == Act.PRODUCT)]))


def _waits(circuit: Circuit) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The rounds of slabs in which nothing happens, where the program gives a number."""
    rows = np.flatnonzero(circuit.op == SYNDROME)
    rounds = circuit.attr[rows].astype(np.int64)
    return rounds[rounds > 0]


SYNDROME = next(code for code, spec in enumerate(OPS) if spec.name == "syndrome")


def _up(value: float) -> str:
    """Two digits of a number, rounded up."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return f"{math.ceil(value / unit) * unit:.1e}"
