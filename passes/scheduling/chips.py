"""How many factories of magic states a program gets, and its schedule on that chip."""

from __future__ import annotations

import math

from qwasmc.diagnostics import CompileError
from qwasmc.passes.scheduling.factories import Factory
from qwasmc.passes.scheduling.improve import SAMPLE, best_schedule, first_tasks
from qwasmc.passes.scheduling.plan import Source, make_plan
from qwasmc.passes.scheduling.scheduler import Schedule, make_schedule
from qwasmc.passes.scheduling.tasks import Act, Tasks

COUNTS = (1, 2, 4, 8, 16, 32, 64)
"""Numbers of factories that are tried; others can be asked for."""


def source_of(factory: Factory) -> Source:
    """A factory as a floor plan needs it."""
    return Source(
        name=factory.name,
        width=factory.width,
        height=factory.height,
        output=factory.output,
        period=factory.period,
        first=factory.latency - 1,
        lead=factory.latency - factory.claim,
    )


def schedule_on(
    tasks: Tasks, floor_plan: str, factory: Factory, count: int | None, max_tiles: int | None
) -> Schedule:
    """The schedule on a chip with so many factories, or as many as make its volume least."""
    if not (tasks.act == Act.MAGIC).any():
        count = 0
    if count is None:
        count = best_count(first_tasks(tasks, SAMPLE), floor_plan, factory, max_tiles)
    sources = [source_of(factory)] * count
    found, _ = best_schedule(tasks, make_plan(floor_plan, tasks.n_patches, sources, max_tiles))
    return found


def best_count(tasks: Tasks, floor_plan: str, factory: Factory, max_tiles: int | None) -> int:
    """The power of two of factories for which tiles times slabs are least."""
    best, least = COUNTS[0], math.inf
    for count in COUNTS:
        sources = [source_of(factory)] * count
        try:
            plan = make_plan(floor_plan, tasks.n_patches, sources, max_tiles)
        except CompileError:
            if count == COUNTS[0]:
                raise
            break
        volume = plan.tiles * make_schedule(tasks, plan).slabs
        if least <= volume:
            break
        best, least = count, volume
    return best
