"""What a program requires of the schedule of its magic states: no long waits, and few errors.

    require "MAGIC_STATE_REQUEST 2, 40"               neither of the next two T gates waits more
                                                      than 40 rounds for its state
    require "MAGIC_DISTILLATION_START 15, 0.999"      no T gate from here on has a state that is
                                                      wrong with a higher probability than 0.001

A T gate waits from when its qubit is ready until its state is joined: stalls of the schedule, in
slabs, times the distance, which is the number of rounds of a slab.  (Slabs of another length, for
`syndrome`, have no T gate that waits.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from qwasmc.diagnostics import CompileError, Kind, Locations
from qwasmc.ir.requirement import Accurate, Prompt, requirement
from qwasmc.passes.scheduling.chips import COUNTS
from qwasmc.passes.scheduling.columns import Script
from qwasmc.passes.scheduling.factories import FACTORIES, Factory, known
from qwasmc.passes.scheduling.scheduler import Schedule
from qwasmc.passes.scheduling.tasks import Act, Tasks
from qwasmc.target import DEFAULT_CODE, DISTANCES, Code

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Windows:
    """Requests for states in time, as columns; those behind the last T gate are left out."""

    first: Ints
    """Number of the first T gate that is meant."""
    end: Ints
    cycles: Ints
    """Rounds that it may wait."""
    loc: Ints


def check_accuracy(
    script: Script,
    factory: Factory,
    p: float,
    distance: int,
    at: Locations,
    code: Code = DEFAULT_CODE,
) -> None:
    """CompileError if a factory, made for p and a distance, is not as accurate as required.

    It names a factory that would do at the distance, or else the least distance at which one does.
    """
    act = np.array(script.act, dtype=np.uint8)
    behind = int(np.flatnonzero(act == Act.MAGIC).max(initial=-1)) + 1
    for text, task, loc in script.requirements:
        asked = requirement(text)
        if isinstance(asked, Accurate) and task < behind and factory.error > asked.error:
            message = (
                f"magic states of factory '{factory.name}' are wrong with probability "
                f"{factory.error:.2g} at distance {distance}, {asked.error:.2g} is allowed"
            )
            _refuse(at, loc, message, _better_factory(asked.error, factory.name, p, distance, code))


def _better_factory(error: float, factory: str, p: float, distance: int, code: Code) -> str:
    """What would make states that are wrong with at most this probability."""
    real = [name for name in FACTORIES if name not in ("port", factory)]
    for enough in (d for d in DISTANCES if d >= distance):
        for name in (factory, *real):
            made = known(name, p, enough, code)
            if made is not None and made.error <= error:
                change = f" --factory {name}" if name != factory else ""
                return f"use{change}{f' --distance {enough}' if enough > distance else ''}"
    return "no factory does at any distance: lower the physical error rate or the fidelity"


def check_waits(
    script: Script,
    tasks: Tasks,
    found: Schedule,
    distance: int,
    with_factories: Callable[[int], Schedule],
    at: Locations,
) -> None:
    """CompileError if a T gate waits longer for its state than allowed.

    It names the first request that is not met, the T gate that waits longest, a number of factories
    with which all requests are met, and the least timeout with which this one is.
    """
    states = np.flatnonzero(tasks.act == Act.MAGIC)
    asked = _windows(script, states)
    if not len(asked.loc):
        return
    waits = _waits(found, states, distance)
    longest = longest_waits(waits, asked.first, asked.end)
    late = np.flatnonzero(longest > asked.cycles)
    if not len(late):
        return
    request, wait = late[0], int(longest[late[0]])
    first, end = int(asked.first[request]), int(asked.end[request])
    slowest = first + int(waits[first:end].argmax())
    message = (
        f"T gate {slowest - first + 1} behind this request waits {wait} cycles for its magic "
        f"state, {asked.cycles[request]} are allowed"
    )
    place = at.place(script.rows.loc_of(script.row[states[slowest]]))
    notes = [f"the T gate is at {place}"] if place else []
    if len(late) > 1:
        notes.append(f"{len(late) - 1} later requests are not met either")

    def do(count: int) -> bool:
        try:
            waits = _waits(with_factories(count), states, distance)
        except CompileError:  # so many factories do not fit onto the chip
            return False
        return bool((longest_waits(waits, asked.first, asked.end) <= asked.cycles).all())

    count = _enough(len(found.plan.ports), do)
    help = f"allow {wait} cycles, or use --factories {count}"
    if not count:
        help = f"allow {wait} cycles; no number of factories up to {COUNTS[-1]} would do"
    _refuse(at, int(asked.loc[request]), message, help, tuple(notes))


def _windows(script: Script, states: Ints) -> _Windows:
    """The requests of a program whose T gates are these tasks."""
    rows = [
        (task, asked.count, asked.cycles, loc)
        for text, task, loc in script.requirements
        if isinstance(asked := requirement(text), Prompt)
    ]
    task, count, cycles, loc = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    first = np.searchsorted(states, task)
    some = first < len(states)
    end = np.minimum(first + count, len(states))
    return _Windows(first[some], end[some], cycles[some], loc[some])


def _waits(found: Schedule, states: Ints, distance: int) -> Ints:
    """The rounds that T gates, given as tasks, wait."""
    return found.stalls[states].astype(np.int64) * distance


def longest_waits(waits: Ints, first: Ints, end: Ints) -> Ints:
    """The longest wait in each window first:end, of which none is empty; in n log n.

    `level[i]` is the longest wait in i:i + size; two of these cover a window.
    """
    found = np.zeros(len(first), dtype=np.int64)
    level, size = waits, 1
    while size <= len(waits):
        which = np.flatnonzero((end - first >= size) & (end - first < 2 * size))
        found[which] = np.maximum(level[first[which]], level[end[which] - size])
        level, size = np.maximum(level[:-size], level[size:]), 2 * size
    return found


def _enough(count: int, do: Callable[[int], bool]) -> int:
    """A number of factories that do, of at most COUNTS[-1], if `count` do not; 0 if none is found.

    The least power of two that does, or less, by bisection: fewer may do, if more make waits longer
    in between.
    """
    low = count
    for most in COUNTS:
        if most <= count:
            continue
        if not do(most):
            low = most
            continue
        high = most
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if do(middle) else (middle, high)
        return high
    return 0


def _refuse(
    at: Locations, loc: int, message: str, help: str, notes: tuple[str, ...] = ()
) -> NoReturn:
    found = at.diagnostic(message, loc, help=help)
    raise CompileError(replace(found, kind=Kind.LIMIT, notes=notes))
