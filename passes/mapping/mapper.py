"""Maps the qubits of a circuit onto a grid and routes its gates in as few steps as it can.

    t 0; cx 0, 1; t 1   =>   qubit 0 on (2, 2), qubit 1 on (4, 2); three steps with a path each

Qubits start where `placement` puts them.  Then annealing exchanges two qubits, or moves one to an
empty site, and runs all gates (`steps`) after every proposal: what it makes small is the number of
steps itself.  A run is given up as soon as it cannot be accepted any more.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.kernel import kernel
from qwasmc.passes.draw import draw
from qwasmc.passes.mapping.gates import NONE, Gates, bound
from qwasmc.passes.mapping.grid import Grid
from qwasmc.passes.mapping.placement import place
from qwasmc.passes.mapping.steps import (
    BEST,
    NO_LIMIT,
    NOW,
    SCALE,
    Board,
    Record,
    Scratch,
    Work,
    board_of,
    record_of,
    run,
    scratch_of,
    work_of,
)

Array = NDArray[Any]

WAYS = np.array([(0.0, 1), (0.3, 1), (1.0, 1), (3.0, 1), (0.0, 8), (0.3, 8), (1.0, 8), (0.0, 32)])
"""Ways to run: `stretch` and `tries`.  Tries help on wide grids, stretch on narrow ones."""
ROUNDS = 20
"""Temperatures; the clock is read in between."""
RETHINK = 5
"""Rounds after which the way to run is chosen anew."""
HOT, COLD = 2.0, 0.1
"""The first and the last temperature, in steps."""
EFFORT, EFFORT_PER_GATE = 60_000_000, 100_000
"""Tiles that searches come to, by default: at most, and for each gate."""
WHOLE = 1 << 30
"""Draws that stand for the numbers from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """Where n qubits are, and when and on what paths m gates run."""

    home: NDArray[Any]
    """(n, 2): the tile of each qubit."""
    step: NDArray[Any]
    """(m,): the step of each gate, from 0."""
    start: NDArray[Any]
    """(m + 1,): gate i has the path path[start[i]:start[i + 1]]."""
    path: NDArray[Any]
    """(p, 2): tiles, from beside the first qubit on."""
    steps: int
    bound: int
    """No schedule has fewer steps, whatever the grid."""
    cut_short: bool
    """Whether time ran out before the effort was made."""


class Setting(NamedTuple):
    """What stays the same in a search, but for blocked tiles."""

    work: Work
    board: Board
    bias: Array
    """By gate; see `run`."""
    record: Record
    scratch: Scratch


class State(NamedTuple):
    """The mapping at hand, and the best one so far."""

    site: Array
    """By qubit."""
    tenant: Array
    """By site: its qubit, or `NONE`."""
    home: Array
    """(2, n): the tile of each qubit, `NOW` and `BEST`."""
    way: Array
    """(2, 2): a row of `WAYS`."""
    steps: Array
    """(2,)"""


def map_circuit(
    gates: Gates,
    grid: Grid,
    seed: int = 1,
    effort: int | None = None,
    seconds: float | None = None,
) -> Mapping:
    """The best mapping found; only the seed decides, unless time runs out.

    `effort` is the number of tiles that searches for paths come to, roughly; at every temperature
    there is at least one run.  Never worse than the first run.  Raises ValueError if the grid has
    too few sites, or if a gate has no path even alone.
    """
    started = time.monotonic()
    least = bound(gates)
    if effort is None:
        effort = min(EFFORT, EFFORT_PER_GATE * len(gates))
    setting = setting_of(gates, grid, seed)
    state = state_of(setting.board, first_sites(gates, grid, seed))
    random = np.array([2 * seed + 1], np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    choose_way(setting, state)
    if state.steps[BEST] >= NO_LIMIT:
        raise ValueError("a gate has no path on this grid, even alone")
    late = False
    for number, temperature in enumerate(np.geomspace(HOT, COLD, ROUNDS), 1):
        if late or state.steps[BEST] <= least:
            break
        anneal(setting, state, random, temperature, effort // ROUNDS, least)
        if number % RETHINK == 0:
            choose_way(setting, state)
        late = seconds is not None and time.monotonic() - started > seconds
    return finish(setting, state, least, late and state.steps[BEST] > least)


def first_sites(gates: Gates, grid: Grid, seed: int) -> Array:
    """Sites that make paths short, by qubit."""
    pairs = gates.qubits[gates.qubits[:, 1] != NONE]
    alone = gates.qubits[gates.qubits[:, 1] == NONE, 0]
    weights = np.column_stack([pairs, np.ones(len(pairs), np.int64)])
    pull = np.bincount(alone, minlength=gates.n_qubits)
    return place(gates.n_qubits, weights, grid.sites, pull, grid.magic, seed)


def setting_of(gates: Gates, grid: Grid, seed: int) -> Setting:
    """The setting of a search."""
    work, board = work_of(gates), board_of(grid)
    bias = np.random.default_rng(seed).integers(0, SCALE, len(gates))
    scratch = scratch_of(work, board, gates.n_qubits)
    return Setting(work, board, bias, record_of(len(gates), 0), scratch)


def state_of(board: Board, site: Array) -> State:
    """A state with qubits on these sites, which are blocked from now on."""
    tenant = np.full(len(board.site), NONE, np.int64)
    tenant[site] = np.arange(len(site))
    home = board.site[site]
    board.blocked[home] = 1
    return State(site, tenant, np.array([home, home]), WAYS[:2].copy(), np.full(2, NO_LIMIT))


def choose_way(setting: Setting, state: State) -> None:
    """Take the way to run that suits the mapping at hand best."""
    work, board, bias, record, scratch = setting
    for stretch, tries in WAYS:
        limit = state.steps[NOW] - 1
        home = state.home[NOW]
        steps = run(work, board, home, bias, stretch, int(tries), limit, record, scratch)
        if steps <= limit:
            state.steps[NOW], state.way[NOW] = steps, (stretch, tries)
    keep(state)


def finish(setting: Setting, state: State, least: int, cut_short: bool) -> Mapping:
    """The best mapping, with its paths."""
    work, board, bias, _, scratch = setting
    home, (stretch, tries) = state.home[BEST], state.way[BEST]
    board.blocked[state.home[NOW]] = 0
    board.blocked[home] = 1
    room = 0
    for _ in range(2):  # the first run tells how many tiles there are to write down
        record = record_of(len(bias), room)
        steps = run(work, board, home, bias, stretch, int(tries), NO_LIMIT, record, scratch)
        room = int(record.end.max(initial=0))
    start = np.zeros(len(bias) + 1, np.int64)
    start[1:] = np.cumsum(record.end - record.start)
    backwards = np.arange(start[-1]) - np.repeat(start[:-1], np.diff(start))
    path = record.path[np.repeat(record.end - 1, np.diff(start)) - backwards]
    return Mapping(
        tiles(board, home), record.when, start, tiles(board, path), steps, least, cut_short
    )


def tiles(board: Board, numbers: Array) -> Array:
    """Tiles (x, y) of the grid by their numbers on the board."""
    return np.column_stack([numbers % board.width - 1, numbers // board.width - 1])


@kernel
def keep(state: State) -> None:
    """Remember the mapping at hand if it is the best one so far."""
    if state.steps[NOW] < state.steps[BEST]:
        state.steps[BEST] = state.steps[NOW]
        state.way[BEST] = state.way[NOW]
        state.home[BEST] = state.home[NOW]


@kernel
def exchange(board: Board, state: State, qubit: int, to: int) -> None:
    """Put a qubit on a site; whoever was there goes where it came from."""
    away, other = state.site[qubit], state.tenant[to]
    board.blocked[board.site[away]] = other != NONE
    board.blocked[board.site[to]] = 1
    state.site[qubit], state.tenant[to] = to, qubit
    state.home[NOW, qubit] = board.site[to]
    state.tenant[away] = other
    if other != NONE:
        state.site[other] = away
        state.home[NOW, other] = board.site[away]


@kernel
def anneal(
    setting: Setting, state: State, random: Array, temperature: float, effort: int, least: int
) -> None:
    """Proposals at a temperature, until the effort is made or the best cannot get better."""
    work, board, bias, record, scratch = setting
    end = scratch.clock[2] + effort
    while scratch.clock[2] < end:
        qubit, to = draw(random, len(state.site)), draw(random, len(state.tenant))
        away = state.site[qubit]
        scratch.clock[2] += 1
        if to == away:
            continue
        luck = -np.log((draw(random, WHOLE) + 1) / WHOLE)
        limit = state.steps[NOW] + int(temperature * luck)
        exchange(board, state, qubit, to)
        stretch, tries = state.way[NOW, 0], int(state.way[NOW, 1])
        steps = run(work, board, state.home[NOW], bias, stretch, tries, limit, record, scratch)
        if steps > limit:
            exchange(board, state, qubit, away)
            continue
        state.steps[NOW] = steps
        keep(state)
        if steps <= least:
            return
