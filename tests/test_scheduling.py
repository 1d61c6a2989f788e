"""Schedules are replayed by a checker that knows tasks, plans and joins, but no scheduler."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from qwasmc.diagnostics import CompileError, Kind
from qwasmc.ir.surgery import Join, Letter, Side, Tile, decode_join
from qwasmc.passes.scheduling.improve import best_schedule, least_slabs
from qwasmc.passes.scheduling.plan import FAMILIES, Plan, Source, make_plan
from qwasmc.passes.scheduling.scheduler import Schedule, Unroutable, make_schedule
from qwasmc.passes.scheduling.tasks import Act, Tasks
from qwasmc.verify.join import join_problems

Row = tuple[Act, list[tuple[int, Letter]]]
X, Z, Y = Letter.X, Letter.Z, Letter.Y

NE, ES, SW, WN = (
    frozenset(sides)
    for sides in ((Side.N, Side.E), (Side.E, Side.S), (Side.S, Side.W), (Side.W, Side.N))
)
BORN = {Z: (NE, WN), X: (SW, WN), Letter.I: (NE, ES, SW, WN)}
ENDED = {X: (NE, ES), Z: (ES, SW)}
"""Corners around which Y of a patch may be measured when it was just prepared, or is measured out,
in a letter: found by Stim (tests/benchmarks/distances.py)."""


def tasks_of(rows: list[Row], n_patches: int) -> Tasks:
    pairs = [pair for _, pairs in rows for pair in pairs]
    return Tasks(
        act=np.array([act for act, _ in rows], np.uint8),
        start=np.cumsum([0, *(len(pairs) for _, pairs in rows)]).astype(np.int32),
        patch=np.array([patch for patch, _ in pairs], np.int32),
        letter=np.array([letter for _, letter in pairs], np.uint8),
        n_patches=n_patches,
    )


class Replay:
    """Everything that a schedule does, checked as it is collected."""

    def __init__(self, rows: list[Row], schedule: Schedule, sites: list[int]) -> None:
        self.rows = rows
        self.schedule = schedule
        self.plan = schedule.plan
        self.tile = list(self.plan.homes)
        self.owner: dict[tuple[Tile, int], int] = {}
        """The task that has a tile in a slab."""
        self.injections: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        """By port: slab of injection, slab of join."""
        self.busy = dict.fromkeys(range(len(sites)), 0)
        """By patch: the first slab in which it could do something."""
        self.birth: dict[int, int] = {}
        """By patch on the chip: the slab in which it appeared."""
        self.born_in: dict[int, Letter] = {}
        self.last_loop: dict[int, tuple[int, frozenset[Side]]] = {}
        """By patch: when Y of it was measured by a loop, and around which corner."""
        self.usable: dict[int, int] = {}
        """By patch on the chip: the first slab in which it may be in a join or measured in Y."""
        self.floor = 0
        self.newest = -1

    def run(self) -> None:
        for task, (act, pairs) in enumerate(self.rows):
            self.step(task, act, pairs)
        self.ports()
        self.newest = max([self.newest, *self.birth.values()])
        used = [slab for _, slab in self.owner]
        assert self.schedule.slabs == 1 + max([self.newest, *used])

    def pool(self, task: int) -> list[int]:
        start = self.schedule.start
        values: list[int] = self.schedule.pool[start[task] : start[task + 1]].tolist()
        return values

    def step(self, task: int, act: Act, pairs: list[tuple[int, Letter]]) -> None:
        slab = int(self.schedule.slab[task])
        patches = [patch for patch, _ in pairs]
        ready = max((self.busy.get(patch, 0) for patch in patches), default=0)
        assert slab >= self.floor or act in (Act.ALIGN, Act.MEASURE)
        if act == Act.APPEAR:
            assert slab >= ready
            self.birth[patches[0]] = slab
            self.born_in[patches[0]] = pairs[0][1]
            self.usable[patches[0]] = slab + (pairs[0][1] == Y)
            return
        elif act == Act.MEASURE:
            self.measure(pairs[0], slab)
        elif act == Act.ALIGN:
            self.busy.update(dict.fromkeys(patches, ready))
        elif act == Act.IDLE:
            assert slab > self.newest
            assert slab >= max(self.birth.values(), default=0)
            assert all(other != slab for _, other in self.owner)
            self.floor = slab + 1
            self.busy = dict.fromkeys(range(len(self.tile)), slab + 1)
            self.newest = slab
            return
        else:
            joins = getattr(self, act.name.lower())(task, pairs, slab)
            for at, join in joins:
                assert join_problems(join) == []
                for tile in join.tiles():
                    self.own(task, tile, at, at)
                for route in join.route:
                    self.lane(route.tile)
        if act != Act.ALIGN:
            self.newest = max(self.newest, slab)

    def own(self, task: int, tile: Tile, first: int, last: int) -> None:
        """A task has a tile to itself in these slabs."""
        for slab in range(first, last + 1):
            assert self.owner.setdefault((tile, slab), task) == task
        self.newest = max(self.newest, last)

    def lane(self, tile: Tile) -> None:
        x, y = tile
        assert 0 <= x < self.plan.width
        assert 0 <= y < self.plan.height
        assert self.plan.lanes[y, x]
        assert tile not in self.plan.homes
        assert tile not in self.plan.reserved

    def use(self, patch: int, slab: int) -> None:
        """A patch is in a join."""
        assert slab >= self.busy[patch], "before what came before"
        assert slab >= self.usable[patch], "before it was there"
        assert slab >= self.floor
        self.busy[patch] = slab + 1

    def measure(self, pair: tuple[int, Letter], slab: int) -> None:
        patch, letter = pair
        if letter == Y:
            assert slab >= max(self.busy[patch], self.usable[patch])
        else:
            assert slab >= max(self.busy[patch] - 1, self.birth[patch])
            at, corner = self.last_loop.get(patch, (-1, frozenset()))
            assert at != slab or corner in ENDED[letter]
        del self.birth[patch]
        self.busy[patch] = slab + 1

    def product(
        self, task: int, pairs: list[tuple[int, Letter]], slab: int
    ) -> list[tuple[int, Join]]:
        join = decode_join(self.pool(task))
        assert list(join.terms) == [(self.tile[patch], letter) for patch, letter in pairs]
        for patch, letter in pairs:
            self.use(patch, slab)
            if letter == Y:
                self.loop(patch, slab, join)
        return [(slab, join)]

    def loop(self, patch: int, slab: int, join: Join) -> None:
        """A loop measures Y of a patch: which corner it turns around matters for new patches."""
        x, y = self.tile[patch]
        sides = {Side.N: (x, y - 1), Side.E: (x + 1, y), Side.S: (x, y + 1), Side.W: (x - 1, y)}
        ends = [
            {
                edge.tile,
                (edge.tile[0] + (edge.side == Side.E), edge.tile[1] + (edge.side == Side.S)),
            }
            for edge in join.edges
        ]
        corner = frozenset(side for side, tile in sides.items() if {(x, y), tile} in ends)
        assert len(corner) == 2
        if self.birth[patch] == slab:
            assert corner in BORN[self.born_in[patch]]
        self.last_loop[patch] = slab, corner

    def control(
        self, task: int, pairs: list[tuple[int, Letter]], slab: int
    ) -> list[tuple[int, Join]]:
        x, y, letter, length, *rest = self.pool(task)
        one, two = pairs[::-1] if self.schedule.swapped[task] else pairs
        first, second = decode_join(rest[:length]), decode_join(rest[length:])
        assert letter in (X, Z)
        assert set(first.terms) == {(self.tile[one[0]], one[1]), ((x, y), letter)}
        assert set(second.terms) == {(self.tile[two[0]], two[1]), ((x, y), 3 - letter)}
        self.use(one[0], slab)
        self.use(two[0], slab + 1)
        self.lane((x, y))
        self.own(task, (x, y), slab, slab + 1)
        return [(slab, first), (slab + 1, second)]

    def turn(self, task: int, pairs: list[tuple[int, Letter]], slab: int) -> list[tuple[int, Join]]:
        x, y, letter, *rest = self.pool(task)
        join = decode_join(rest)
        helper = Z if letter == Y else Y
        assert set(join.terms) == {(self.tile[pairs[0][0]], pairs[0][1]), ((x, y), helper)}
        self.use(pairs[0][0], slab)
        self.lane((x, y))
        appears = slab - (letter == Y)
        assert appears >= self.floor
        self.own(task, (x, y), appears, slab)
        return [(slab, join)]

    def magic(
        self, task: int, pairs: list[tuple[int, Letter]], slab: int
    ) -> list[tuple[int, Join]]:
        port, appears, *rest = self.pool(task)
        join = decode_join(rest)
        m, h = self.plan.ports[port].tile, self.plan.ports[port].helper
        assert set(join.terms) == {(self.tile[pairs[0][0]], pairs[0][1]), (m, Z)}
        above = (m[0], m[1] - 1)
        self.lane(above)
        assert any(edge.tile == above and edge.side == Side.S for edge in join.edges)
        assert self.floor + self.plan.ports[port].source.first <= appears < slab
        self.use(pairs[0][0], slab)
        self.own(task, m, appears, slab + 1)
        self.own(task, h, slab, slab + 2)
        self.injections[port].append((appears, slab))
        return [(slab, join)]

    def ports(self) -> None:
        for port, events in self.injections.items():
            source = self.plan.ports[port].source
            events.sort()
            assert events[0][0] >= source.first
            for (one, joined), (two, _) in pairwise(events):
                assert two - one >= source.period
                assert two > joined + 1


def check(rows: list[Row], n_patches: int, plan: Plan, sites: list[int] | None = None) -> Schedule:
    sites = list(range(n_patches)) if sites is None else sites
    schedule = make_schedule(tasks_of(rows, n_patches), plan, np.array(sites))
    Replay(rows, schedule, sites).run()
    return schedule


def letters_of(text: str) -> list[tuple[int, Letter]]:
    """Pairs written as in "0Z 2X"."""
    return [(int(word[:-1]), Letter[word[-1]]) for word in text.split()]


def rows_of(text: str) -> list[Row]:
    """Tasks written one by line, after all patches that they name have appeared in Z."""
    rows = []
    for line in text.strip().splitlines():
        act, _, rest = line.strip().partition(" ")
        rows.append((Act[act.upper()], letters_of(rest)))
    named = sorted({patch for _, pairs in rows for patch, _ in pairs})
    return [(Act.APPEAR, [(patch, Z)]) for patch in named] + rows


@st.composite
def programs(draw: st.DrawFn) -> tuple[list[Row], int]:
    n = draw(st.integers(2, 9))
    alive = set()
    rows: list[Row] = []
    letters = st.sampled_from([X, Z])
    for _ in range(draw(st.integers(1, 40))):
        act = draw(st.sampled_from(list(Act)))
        size = {Act.CONTROL: 2, Act.PRODUCT: draw(st.integers(1, 4)), Act.IDLE: 0}.get(act, 1)
        if act == Act.ALIGN:
            size = draw(st.integers(1, n))
        if size > n:
            continue
        patches = draw(st.permutations(range(n)))[:size]
        if act == Act.APPEAR and patches[0] in alive:
            act = Act.MEASURE
        for patch in patches:
            if patch not in alive and act != Act.APPEAR:
                rows.append((Act.APPEAR, [(patch, draw(st.sampled_from([Letter.I, X, Z, Y])))]))
                alive.add(patch)
        if act in (Act.APPEAR, Act.MEASURE):
            letter = draw(st.sampled_from([X, Z, Y]))
            rows.append((act, [(patches[0], letter)]))
            alive ^= {patches[0]}
        else:
            allowed = st.sampled_from([X, Z, Y]) if act == Act.PRODUCT else letters
            allowed = st.just(Y) if act == Act.PRODUCT and size == 1 else allowed
            rows.append((act, [(patch, draw(allowed)) for patch in patches]))
    return rows, n


@settings(max_examples=150, deadline=None, derandomize=True, phases=[Phase.generate])
@given(programs(), st.sampled_from(sorted(FAMILIES)), st.integers(1, 5), st.integers(0, 99))
def test_random_programs(program, family, n_ports, seed):
    rows, n = program
    sources = [Source(period=3 + seed % 4, first=seed % 5)] * n_ports
    plan = make_plan(family, n, sources)
    try:
        check(rows, n, plan, np.random.default_rng(seed).permutation(n).tolist())
    except Unroutable:
        assert family == "compact"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(programs(), st.integers(0, 9))
def test_improved_schedules_are_right_and_no_longer(program, seed):
    rows, n = program
    plan = make_plan("bus", n, [Source()] * 2)
    tasks = tasks_of(rows, n)
    best, late = best_schedule(tasks, plan, tries=4)
    again, _ = best_schedule(tasks, plan, tries=4)
    assert not late
    assert (best.slab == again.slab).all()
    assert (best.pool == again.pool).all()
    assert least_slabs(tasks) <= best.slabs <= make_schedule(tasks, plan).slabs


@pytest.mark.parametrize(
    ("text", "slabs"),
    [
        ("control 0Z 1X\ncontrol 1Z 2X\ncontrol 2Z 3X", 2),  # a ladder: each in the other's wake
        ("control 0Z 1X\ncontrol 0Z 2X\ncontrol 0Z 3X", 3),
        ("turn 0Z\nturn 0X", 3),  # the first helper needs the slab before
        ("magic 0Z", 4),  # appear, be joined, joined with its helper, the helper's last slab
        ("magic 0Z\nmagic 1Z", 7),  # one port, three slabs later
        ("product 0X 1X 2X 3X", 1),
        ("product 0Z 1Z 2Z 3Z", 2),  # they are prepared in its letter, so they idle first
        ("product 0Z 1Z", 1),
        ("idle\nproduct 0Z 1Z\nidle", 3),
        ("product 0Y 1Y", 2),  # both are there before
    ],
)
def test_slabs(text: str, slabs: int):
    rows = rows_of(text)
    n = 1 + max((patch for _, pairs in rows for patch, _ in pairs), default=0)
    assert check(rows, n, make_plan("sparse", n, [Source()])).slabs == slabs


def test_urgent_tasks_go_first():
    """The chain on patch 0 is longer than what waits for the only port before it."""
    rows = rows_of("magic 1Z\nmagic 0Z\n" + "turn 0X\n" * 9)
    schedule = check(rows, 2, make_plan("bus", 2, [Source()]))
    assert schedule.slab[3] < schedule.slab[2]
    assert schedule.slabs == 1 + 1 + 9


def test_a_port_keeps_its_period_and_its_first_slab():
    rows = rows_of("magic 0Z\n" * 5)
    schedule = check(rows, 1, make_plan("bus", 1, [Source(period=11, first=7)]))
    assert schedule.slab[1:].tolist() == [8, 19, 30, 41, 52]
    assert schedule.stalls[1:].tolist() == [8, 10, 10, 10, 10]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("n", [1, 2, 3, 7, 30])
def test_plans(family: str, n: int):
    """No tile has two uses, both letters of a patch reach a lane, and lanes hang together."""
    sources = [Source()] * 3 + [Source("block", 4, 3, (3, 0), 11, 5)] * 2
    plan = make_plan(family, n, sources)
    lanes = {(int(x), int(y)) for y, x in zip(*np.nonzero(plan.lanes), strict=True)}
    assert len(plan.homes) == n
    assert len({*plan.homes, *plan.reserved, *lanes}) == plan.tiles
    for x, y in plan.homes:
        assert lanes & {(x, y - 1), (x, y + 1)}
        assert lanes & {(x - 1, y), (x + 1, y)}
    for port in plan.ports:
        x, y = port.tile
        assert (x, y - 1) in lanes
        assert port.helper == (x, y + 1)
        assert {port.tile, port.helper} <= set(plan.reserved)
    found, todo = set(), [min(lanes)]
    while todo:
        x, y = todo.pop()
        if (x, y) in lanes - found:
            found.add((x, y))
            todo += [(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)]
    assert found == lanes


def test_tiles_a_patch():
    tiles = {family: make_plan(family, 64).tiles / 64 for family in FAMILIES}
    assert tiles == {"sparse": 19 * 19 / 64, "bus": 13 * 13 / 64, "compact": 2.25}


def test_a_chip_that_is_too_large_names_one_that_would_do():
    plan = make_plan("bus", 20, [Source()] * 2)
    assert make_plan("bus", 20, [Source()] * 2, plan.tiles).tiles == plan.tiles
    with pytest.raises(CompileError, match=f"needs {plan.tiles} tiles") as raised:
        make_plan("bus", 20, [Source()] * 2, plan.tiles - 1)
    assert raised.value.diagnostics[0].kind == Kind.LIMIT
    assert (
        f"allow {plan.tiles} tiles, or use floor plan compact" in raised.value.diagnostics[0].help
    )


def test_tasks_without_route_say_so():
    with pytest.raises(Unroutable, match="no port") as raised:
        make_schedule(tasks_of(rows_of("magic 0Z"), 1), make_plan("bus", 1))
    assert raised.value.task == 1
    rows = rows_of("turn 0Z\ncontrol 0X 1X")
    with pytest.raises(Unroutable, match=r"control on patches 0, 1\) has no route") as raised:
        make_schedule(tasks_of(rows, 4), make_plan("compact", 4))
    assert raised.value.task == 3
    assert raised.value.diagnostics[0].help == "use floor plan bus"
