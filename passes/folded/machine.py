"""The work of a folded program: each of its regions is scheduled once, and counted as often as run.

    region 3, 1000 times, 12 slabs on this chip         12,000 slabs

Regions follow each other without overlap.  Each is scheduled on a chip of the same family for its
own patches, with all factories of the machine, in each of which a state waits at the start.  If the
factories cannot make states as fast as the regions together use them, the run takes as long as they
need.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from qwasmc.ir.circuit import RESULTS, Circuit, CircuitBuilder
from qwasmc.ops import OPS
from qwasmc.passes.scheduling.choice import Line
from qwasmc.passes.scheduling.improve import best_schedule, first_tasks
from qwasmc.passes.scheduling.plan import Plan, Source, make_plan
from qwasmc.passes.scheduling.scheduler import make_schedule

SAMPLE = 4_000
"""Tasks by which chips are compared, of all regions together, on the patches that they concern."""

LEAST_SAMPLE = 40
"""The same of a region at least."""

SHARE = 0.02
"""Regions with at least this part of all tasks are scheduled with patches on other homes, too."""


class Pieces:
    """Circuits, each so many times, one after the other on a machine with so many patches."""

    def __init__(
        self, circuits: Sequence[Circuit], times: Sequence[int], n_patches: int, error_rate: float
    ) -> None:
        self.lines = [Line(circuit, error_rate) for circuit in circuits]
        self.times = times
        self.n_patches = max([n_patches, *(line.n_patches for line in self.lines)])
        self.states = self._sum([line.states for line in self.lines])
        self.twisted = self._sum([line.twisted for line in self.lines])
        tasks = [len(line.tasks) for line in self.lines]
        total = max(1, self._sum(tasks))
        self.shares = [n * times / total for n, times in zip(tasks, self.times, strict=True)]
        self.lengths: dict[tuple[int, bool, str, tuple[Source, ...]], int] = {}
        """By line, whether it is final, and chip: slabs."""

    def _sum(self, each: Sequence[int]) -> int:
        return sum(one * times for one, times in zip(each, self.times, strict=True))

    def waiting(self, distance: int) -> int:
        """Rounds by which slabs are longer because the program wants to wait."""
        return self._sum([line.waiting(distance) for line in self.lines])

    def slabs(self, plan: Plan, final: bool) -> int:
        """Slabs of all regions, or for all states if that takes longer."""
        ready = tuple(replace(port.source, first=0) for port in plan.ports)
        own = []
        for number, line in enumerate(self.lines):
            key = number, final, plan.name, ready if line.states else ()
            if key not in self.lengths:
                self.lengths[key] = self._length(*key)
            own.append(self.lengths[key])
        if not plan.ports:
            return self._sum(own)
        source = plan.ports[0].source
        made = source.first - (-self.states * source.period // len(plan.ports))
        return max(self._sum(own), made)

    def _length(self, number: int, final: bool, family: str, sources: tuple[Source, ...]) -> int:
        """The slabs of one region on a chip of its own, or about that."""
        tasks, share = self.lines[number].tasks, self.shares[number]
        if final:
            chip = make_plan(family, tasks.n_patches, sources)
            return best_schedule(tasks, chip, tries=2 if share > SHARE else 1)[0].slabs
        sample = first_tasks(tasks, max(LEAST_SAMPLE, int(SAMPLE * share)))
        used, patch = np.unique(sample.patch, return_inverse=True)
        sample = replace(sample, patch=patch.astype(np.int32), n_patches=len(used))
        some = make_schedule(sample, make_plan(family, len(used), sources)).slabs
        return math.ceil(some * len(tasks) / max(1, len(sample)))


def always(circuit: Circuit) -> Circuit:
    """The circuit in which gates that depend on results, other than Paulis, always happen.

    So the cost of a run is that of the dearest one.  Results have no names any more.
    """
    out = CircuitBuilder(locations=circuit.locations)
    value = np.full(circuit.n_values, -1, dtype=np.int64)
    first = circuit.first.tolist()
    for row, values in enumerate(circuit.all_values()):
        spec = OPS[circuit.op[row]]
        if spec.name in RESULTS:
            continue
        cond = int(circuit.cond[row])
        kept = int(value[cond]) if cond >= 0 and spec.is_pauli else -1
        made = out.copy(circuit, row, value[values].tolist(), kept)
        value[first[row] : first[row + 1]] = np.arange(made, made + first[row + 1] - first[row])
    return out.freeze()
