"""When and where tasks happen: Tasks + Plan -> Schedule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.diagnostics import CompileError, Diagnostic, Kind, error
from qwasmc.passes.scheduling.board import make_board, make_work, tile_number
from qwasmc.passes.scheduling.order import MAGIC, PRODUCT, Y, make_order
from qwasmc.passes.scheduling.placing import FAILURES, gather, run
from qwasmc.passes.scheduling.plan import Plan
from qwasmc.passes.scheduling.queues import BUSY, NEWEST, PATCH, STUCK, Program, State
from qwasmc.passes.scheduling.tasks import Act, Tasks

Ints = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Schedule:
    """When and where each of n tasks happens."""

    slab: NDArray[np.int32]
    """The slab of the task's join, for CONTROL of its first; of APPEAR the slab at whose start the
    patch appears, of MEASURE the one at whose end it is measured."""
    swapped: NDArray[np.bool_]
    """Whether the pairs of a CONTROL are taken in the other order."""
    start: NDArray[np.int32]
    """(n + 1,): task i has the integers pool[start[i]:start[i + 1]]."""
    pool: NDArray[np.int32]
    """Joins as `qwasmc.ir.surgery.encode_join` has them.  PRODUCT: join.  CONTROL: helper's x, y
    and letter in the first join, the first join's length, both joins.  TURN: helper's x, y, the
    letter it starts in (Y: in the slab before), join.  MAGIC: port, slab of injection, join."""
    slabs: int
    stalls: NDArray[np.int32]
    """How many slabs a task waited after its patches were ready."""
    plan: Plan


class Unroutable(CompileError):
    """A task has no route on a chip on which nothing else happens."""

    def __init__(self, task: int, message: str, help: str) -> None:
        super().__init__(Diagnostic(message, kind=Kind.LIMIT, help=help))
        self.task = task


def make_schedule(
    tasks: Tasks, plan: Plan, sites: Ints | None = None, noise: Ints | None = None
) -> Schedule:
    """Place tasks on a chip; patch p lives at plan.homes[sites[p]], by default plan.homes[p].

    The plan of the schedule has the homes in the order of the patches.

    `noise` is added to the urgencies, one integer for each patch of each task.  Unroutable if a
    task has no route even on the empty chip.
    """
    check(tasks, plan)
    if sites is not None:
        plan = replace(plan, homes=tuple(plan.homes[site] for site in sites.tolist()))
    program = Program(tasks.act, tasks.start, tasks.patch, tasks.letter)
    board = make_board(plan)
    work = make_work(board, int(np.diff(tasks.start).max(initial=0)))
    order = make_order(tasks)
    if noise is not None:
        order.urgency[:] += noise
    state = make_state(tasks, plan)
    longest = max(len(work.out), board.ports["period"].max(initial=0))
    narrow = np.int16 if longest < 1 << 15 else np.int32
    pool = run(program, order, board, work, state, np.empty(1 << 12, narrow))
    if state.clock[STUCK] >= 0:
        raise unroutable(tasks, plan, int(state.clock[STUCK]))
    ends = np.cumsum(state.length, dtype=np.int64)
    if len(ends) and ends[-1] > np.iinfo(np.int32).max:
        raise error("the schedule is too large for memory", kind=Kind.LIMIT)
    start = np.concatenate([[0], ends]).astype(np.int32)
    pool = gather(pool, state.offset, start)
    magic = np.flatnonzero(tasks.act == MAGIC)
    pool[start[magic] + 1] = state.slab[magic] - pool[start[magic] + 1]
    return Schedule(
        state.slab,
        state.swapped,
        start,
        pool,
        int(state.clock[NEWEST]) + 1,
        state.stalls,
        plan,
    )


def make_state(tasks: Tasks, plan: Plan) -> State:
    """The state before anything is placed."""
    n, patches = len(tasks), tasks.n_patches
    home = np.array([tile_number(plan, *tile) for tile in plan.homes], np.int32)
    patch = np.zeros(patches, PATCH)
    patch["home"], patch["unborn"] = home[: tasks.n_patches], -1
    clock = np.zeros(8, np.int64)
    clock[[NEWEST, STUCK]] = -1
    clock[BUSY] = -2
    return State(
        patch=patch,
        queue=np.zeros((3, patches + 1), np.int64),
        size=np.zeros(3, np.int64),
        stack=np.zeros(patches + 1, np.int32),
        waiting=np.zeros(FAILURES, np.int64),
        slab=np.zeros(n, np.int32),
        swapped=np.zeros(n, np.bool_),
        stalls=np.zeros(n, np.int32),
        offset=np.zeros(n, np.int64),
        length=np.zeros(n, np.int32),
        clock=clock,
    )


def check(tasks: Tasks, plan: Plan) -> None:
    """Refuse tasks that no schedule on this plan can hold."""
    if tasks.n_patches > len(plan.homes):
        raise ValueError(f"{tasks.n_patches} patches, but {len(plan.homes)} homes")
    single = np.flatnonzero((tasks.act == PRODUCT) & (np.diff(tasks.start) == 1))
    if (tasks.letter[tasks.start[single]] != Y).any():
        raise ValueError("a joint measurement of one patch has letter Y")
    magic = np.flatnonzero(tasks.act == MAGIC)
    if len(magic) and not plan.ports:
        raise Unroutable(int(magic[0]), "there is no port for magic states", "add a port")


def unroutable(tasks: Tasks, plan: Plan, task: int) -> Unroutable:
    """The error for a task without route."""
    act = Act(tasks.act[task])
    patches = tasks.patch[tasks.start[task] : tasks.start[task + 1]].tolist()
    where = ", ".join(map(str, patches))
    plural = "es" if len(patches) > 1 else ""
    return Unroutable(
        task,
        f"task {task} ({act.name.lower()} on patch{plural} {where}) has no route on this chip, "
        f"a floor plan {plan.name} with {plan.tiles} tiles",
        {"compact": "use floor plan bus", "bus": "use floor plan sparse"}.get(
            plan.name, "join fewer patches at once"
        ),
    )
