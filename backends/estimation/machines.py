"""Finds machines for a program: distance, factories and their number, in the QDK's model.

Without bounds the machine has the smallest distance and, of the factories that keep up, the one
with the least volume; with a bound on time or qubits it takes the least of the other; the frontier
has all that no other one beats in both (arXiv:2211.07629).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from qwasmc.backends.estimation.codes import Patch
from qwasmc.backends.estimation.distillation import Factory
from qwasmc.backends.estimation.job import Budget, Job
from qwasmc.backends.estimation.search import find_factories
from qwasmc.diagnostics import CompileError, Kind, error

LEAST_RATE = 1e-280
"""Error rates of logical qubits are not taken to be smaller, so that cycles are finite."""

MOST_MACHINES = 1_000_000
"""Machines that a frontier may be found among."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What a program asks for after layout: logical qubits, cycles, T states, and its budget.

    `depth` are the cycles before they are stretched by a constraint.
    """

    qubits: int
    depth: int
    cycles: int
    states: int
    budget: Budget

    @property
    def state_error(self) -> float:
        """The error rate that each T state may have."""
        return self.budget.t_states / float(self.states)


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that runs a program in so many cycles, with `copies` of a factory if it has any.

    `required_error` is the error rate that its logical qubits may have per cycle.
    """

    demand: Demand
    patch: Patch
    cycles: int
    required_error: float
    factory: Factory | None = None
    copies: int = 0

    @property
    def runs(self) -> int:
        """How often each factory makes states."""
        return _ceil(self.demand.states, self.copies * self.factory.outputs) if self.factory else 0

    @property
    def factory_qubits(self) -> int:
        """Physical qubits of all factories."""
        return self.copies * self.factory.qubits if self.factory else 0

    @property
    def program_qubits(self) -> int:
        """Physical qubits of all others."""
        return self.demand.qubits * self.patch.qubits

    @property
    def qubits(self) -> int:
        """Physical qubits."""
        return self.program_qubits + self.factory_qubits

    @property
    def runtime_ns(self) -> int:
        """How long a run takes."""
        return self.cycles * self.patch.cycle_ns


def find_machines(job: Job, demand: Demand) -> list[Machine]:
    """The machine for a program, or all of the frontier, the quickest first.

    CompileError if there is none.
    """
    finder = _Finder(job, demand)
    duration, qubits = job.constraints.max_duration, job.constraints.max_qubits
    if not demand.states:
        machine = finder.without_factories()
        if machine.runtime_ns > (duration or machine.runtime_ns):
            raise _impossible("maxDuration", f"at least {machine.runtime_ns} ns are needed")
        if machine.qubits > (qubits or machine.qubits):
            raise _impossible("maxPhysicalQubits", f"at least {machine.qubits} are needed")
        return [machine]
    if job.frontier:
        return finder.frontier()
    if duration is not None:
        return [finder.within_duration(duration)]
    if qubits is not None:
        return [finder.within_qubits(qubits)]
    return [finder.unbounded()]


def _ceil(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)


def _impossible(bound: str, why: str) -> CompileError:
    return error(f"no machine meets '{bound}': {why}", kind=Kind.LIMIT, help="allow more")


class _Finder:
    """A search for machines, and the last factories that were found for it."""

    def __init__(self, job: Job, demand: Demand) -> None:
        self.job, self.demand, self.code = job, demand, job.code
        self.max_factories = job.constraints.max_factories
        self.last: list[Factory] = []

    # -- parts of the model

    def required(self, cycles: int) -> float:
        """The error rate that logical qubits may have per cycle in a run of so many cycles."""
        return self.demand.budget.logical / float(self.demand.qubits * cycles)

    def most_cycles(self, patch: Patch) -> int:
        """The cycles that logical qubits last within the error budget."""
        rate = self.demand.qubits * patch.error_rate
        return math.floor(self.demand.budget.logical / max(rate, LEAST_RATE))

    def factories(self, distance: int) -> list[Factory]:
        """Factories for the program's T states, of distances up to `distance`."""
        rounds = self.job.constraints.max_rounds
        wanted = self.demand.state_error
        return find_factories(self.code, self.job.units, wanted, distance, rounds)

    def copies(self, factory: Factory, patch: Patch, cycles: int) -> int | None:
        """Factories that make all states in so many cycles; None if no number of them does."""
        runs = cycles * patch.cycle_ns // factory.duration_ns
        return _ceil(self.demand.states, runs * factory.outputs) if runs else None

    def cycles_with(self, copies: int, factory: Factory, patch: Patch) -> int:
        """Cycles until so many factories have made all states."""
        runs = _ceil(self.demand.states, copies * factory.outputs)
        return _ceil(runs * factory.duration_ns, patch.cycle_ns)

    def few_enough(self, copies: int | None) -> bool:
        """Whether there may be so many factories."""
        return copies is not None and copies <= (self.max_factories or copies)

    # -- without bounds

    def without_factories(self) -> Machine:
        """The machine for a program without T states."""
        required = self.required(self.demand.cycles)
        patch = self.code.patch(self.code.distance_for(required))
        return Machine(self.demand, patch, self.demand.cycles, required)

    def unbounded(self) -> Machine:
        """The machine of the smallest distance at which there is a factory that keeps up."""
        cycles, step, distance = self.demand.cycles, 0, 0
        while True:
            required = self.required(cycles)
            if required < LEAST_RATE:
                raise self.no_factory()
            try:
                patch = self.code.patch(self.code.distance_for(required))
            except CompileError as refused:
                raise (self.no_factory() if distance else refused) from None
            most = self.most_cycles(patch)
            use = self.use(patch, cycles, most)
            if use is not None:
                factory, cycles = use
                copies = self.copies(factory, patch, cycles)
                assert copies is not None, "the factory makes states in so many cycles"
                return Machine(self.demand, patch, cycles, required, factory, copies)
            # More cycles than these qubits last, and more again where rounding hides it.
            step = step * 2 if patch.distance == distance else max(1, cycles >> 52)
            cycles, distance = max(most, cycles) + step, patch.distance

    def use(self, patch: Patch, cycles: int, most: int) -> tuple[Factory, int] | None:
        """The factory of least volume that keeps up, else is not slower than `most` cycles.

        And the cycles that the program takes with it.
        """
        factories = self.factories(patch.distance)
        in_time = [f for f in factories if self.few_enough(self.copies(f, patch, cycles))]
        if in_time:
            return min(in_time, key=lambda factory: factory.volume), cycles
        uses = [(factory, self.least_cycles(factory, patch)) for factory in factories]
        uses = [(factory, least) for factory, least in uses if least <= most]
        return min(uses, key=lambda use: (use[0].volume, use[1]), default=None)

    def least_cycles(self, factory: Factory, patch: Patch) -> int:
        """The cycles that a run takes with as many factories as there may be."""
        if self.max_factories is not None:
            return self.cycles_with(self.max_factories, factory, patch)
        return _ceil(factory.duration_ns, patch.cycle_ns)

    def no_factory(self) -> CompileError:
        """The error if no distance that there may be has a factory that is good enough."""
        return error(
            f"no factory with distances up to {self.code.max_distance} makes {self.demand.states} "
            f"T states with an error rate of {self.demand.state_error:.3g} each, soon enough",
            kind=Kind.LIMIT,
            help="allow a larger error budget, more rounds of distillation, or better qubits",
        )

    # -- with bounds

    def candidates(self) -> Iterator[tuple[Patch, int]]:
        """Logical qubits that last long enough, and for how many cycles; largest first."""
        least = self.code.distance_for(self.required(self.demand.cycles))
        for distance in reversed([*self.code.distances(least)]):
            patch = self.code.patch(distance)
            most = self.most_cycles(patch)
            if most >= self.demand.cycles:
                yield patch, most

    def smaller(self, distance: int) -> list[Factory]:
        """Factories as in `factories`; those found last, if their distances are small enough."""
        if not self.last or max(factory.distance for factory in self.last) > distance:
            self.last = self.factories(distance)
        return self.last

    def within_duration(self, most_ns: int) -> Machine:
        """The machine with the fewest qubits of those that are quick enough."""
        found = []
        for patch, most in self.candidates():
            allowed = min(most, most_ns // patch.cycle_ns)
            if allowed < self.demand.cycles:
                continue
            for factory in self.smaller(patch.distance):
                copies = self.copies(factory, patch, allowed)
                if copies is not None and self.few_enough(copies):
                    found.append(self.with_factories(patch, factory, copies))
        if not found:
            raise _impossible("maxDuration", "none is quick enough")
        return min(found, key=lambda machine: machine.qubits)

    def within_qubits(self, most_qubits: int) -> Machine:
        """The quickest machine of those with few enough qubits."""
        found = []
        for patch, most in self.candidates():
            left = most_qubits - self.demand.qubits * patch.qubits
            if left <= 0:
                continue
            fitting = [each for each in self.smaller(patch.distance) if each.qubits <= left]
            if not fitting:
                continue
            factory = min(fitting, key=lambda each: each.volume)
            machine = self.with_factories(patch, factory, left // factory.qubits)
            if machine.cycles <= most and self.few_enough(machine.copies):
                found.append(machine)
        if not found:
            raise _impossible("maxPhysicalQubits", "none is small enough")
        return min(found, key=lambda machine: machine.runtime_ns)

    def frontier(self) -> list[Machine]:
        """The machines that no other one beats in qubits and time, the quickest first."""
        found: list[Machine] = []
        for patch, most in self.candidates():
            for factory in self.smaller(patch.distance):
                found += self.by_copies(patch, factory, most)
                if len(found) > MOST_MACHINES:
                    message = f"the frontier is among more than {MOST_MACHINES} machines"
                    raise error(message, kind=Kind.LIMIT, help="ask for a singlePoint")
        if not found:
            raise self.no_factory()
        front: list[Machine] = []
        for each in sorted(found, key=lambda machine: (machine.runtime_ns, machine.qubits)):
            costs = each.runtime_ns, each.qubits
            last = (front[-1].runtime_ns, front[-1].qubits) if front else costs
            if each.qubits < last[1] or costs == last:
                front.append(each)
        return front

    def by_copies(self, patch: Patch, factory: Factory, most: int) -> Iterator[Machine]:
        """Machines with one factory in all numbers of copies for which it runs less often."""
        copies = self.copies(factory, patch, most)
        while copies is not None:
            machine = self.with_factories(patch, factory, copies)
            yield machine
            slower = self.cycles_with(copies, factory, patch) > self.demand.cycles
            if not slower or machine.runs == 1:
                return
            copies = _ceil(self.demand.states, (machine.runs - 1) * factory.outputs)

    def with_factories(self, patch: Patch, factory: Factory, copies: int) -> Machine:
        """A machine with so many copies of a factory, which the program may have to wait for."""
        cycles = max(self.demand.cycles, self.cycles_with(copies, factory, patch))
        required = self.required(self.demand.cycles)
        return Machine(self.demand, patch, cycles, required, factory, copies)
