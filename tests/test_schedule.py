"""Slots of the two-qubit gates: no collisions, commuting order, four slots where they suffice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations, product

import numpy as np
import pytest
from surgery_shapes import JOINS, MIXED, PLAIN, SWAPPED, TWISTED, turned

from qwasmc.backends.stim.code import IDLE, Code, UnsupportedJoin, region_code
from qwasmc.backends.stim.schedule import CAT_GATES, Schedule, schedule
from qwasmc.ir.surgery import STEP, Edge, Join, RouteTile, Side, Tile

SHAPES = [
    pytest.param(turned(shape, quarters), id=f"{name}-{quarters}")
    for name, shape in {"idle": IDLE, **JOINS}.items()
    for quarters in range(4)
]


def touches(code: Code, slots: Schedule) -> list[dict[int, tuple[int, int, int]]]:
    """For each stabilizer: site -> (slot, letter, half)."""
    out: list[dict[int, tuple[int, int, int]]] = [{} for _ in code.members]
    for i, half, corner in np.argwhere(code.letters > 0).tolist():
        at = i, half, corner
        out[i][int(code.members[at])] = int(slots.slots[at]), int(code.letters[at]), half
    return out


def check_slots(code: Code) -> None:
    slots = schedule(code)
    rows = touches(code, slots)
    busy: dict[int, list[int]] = defaultdict(list)
    shared: dict[tuple[int, int], list[int]] = defaultdict(list)
    holders: dict[int, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        for half in (0, 1):
            times = [slot for slot, _, own in row.values() if own == half]
            assert len(set(times)) == len(times), "an ancilla is used twice in a slot"
        for site, (slot, _, _) in row.items():
            busy[site].append(slot)
            holders[site].append(i)
    for site, times in busy.items():
        assert len(set(times)) == len(times), f"site {site} is used twice in a slot"
        assert min(times) >= 1
        assert max(times) <= slots.depth
        for a, b in combinations(holders[site], 2):
            if rows[a][site][1] != rows[b][site][1]:
                shared[a, b].append(site)
    for (a, b), sites in shared.items():
        first = sum(rows[a][site][0] < rows[b][site][0] for site in sites)
        assert first % 2 == 0, f"stabilizers {a} and {b} are measured in a mixed order"
    for i in range(code.first_cat, code.first_cat + len(code.cats)):
        inner = [slot for slot, _, half in rows[i].values() if half == 0]
        outer = [slot for slot, _, half in rows[i].values() if half == 1]
        assert min(CAT_GATES) < min(outer), "before the cat has begun"
        assert max(outer) < max(CAT_GATES), "after the cat has ended"
        assert sorted(CAT_GATES)[1] < min(inner)
        assert max(inner) < sorted(CAT_GATES)[2]


@pytest.mark.parametrize("distance", [3, 5, 7])
@pytest.mark.parametrize("shape", SHAPES)
def test_slots_are_a_valid_measurement_of_all_stabilizers(shape: Join, distance: int) -> None:
    check_slots(region_code(shape, distance))


@pytest.mark.parametrize(
    ("shape", "depth"),
    [
        (IDLE, 4),
        (PLAIN["neighbours"], 4),
        (PLAIN["straight"], 4),
        (turned(PLAIN["straight"]), 4),
        (PLAIN["L"], 5),
        (PLAIN["plus"], 5),
        (MIXED["vertical seam"], 7),
        (MIXED["two seams"], 7),
        (TWISTED["YY"], 7),
    ],
)
def test_number_of_slots(shape: Join, depth: int) -> None:
    assert schedule(region_code(shape, 5)).depth == depth


def test_hooks_of_a_patch_lie_across_its_logical_operators() -> None:
    """The last two sites touched: level for X plaquettes, whose logical stands; Z the reverse."""
    code = region_code(IDLE, 5)
    slots = schedule(code).slots[:, 0]
    for sites, letters, times in zip(code.members[:, 0], code.letters[:, 0], slots, strict=True):
        if (letters > 0).all():
            a, b = (code.sites[sites[i]] for i in times.argsort()[2:])
            is_level = a[1] == b[1]
            assert is_level == (letters[0] == 1)


FREE = [
    ((0, 0), Side.N),
    ((0, 0), Side.W),
    ((1, 0), Side.N),
    ((1, 0), Side.E),
    ((1, 1), Side.E),
    ((1, 1), Side.S),
]
"""The sides at which more tiles can be attached to the loop of `TWISTED["Y"]`."""


def attached(sides: Sequence[tuple[Tile, Side]], mixed: Sequence[bool]) -> Join:
    """The Y loop with further route tiles."""
    loop = TWISTED["Y"]
    route, edges = list(loop.route), list(loop.edges)
    frames = {tile.tile: tile.frame for tile in loop.route}
    for (tile, side), swap in zip(sides, mixed, strict=True):
        step = STEP[side]
        ends = sorted([tile, other := (tile[0] + step[0], tile[1] + step[1])])
        frame = frames[tile]
        route.append(RouteTile(other, SWAPPED[frame] if swap else frame))
        along = Side.E if side in (Side.E, Side.W) else Side.S
        edges.append(Edge(ends[0], along, swap))
    return Join(loop.terms, tuple(route), tuple(edges))


@pytest.mark.parametrize("quarters", range(4))
def test_twists_fit_whatever_is_attached_to_the_loop(quarters: int) -> None:
    checked = 0
    for number in range(3):
        for sides in combinations(FREE, number):
            for mixed in product((False, True), repeat=number):
                try:
                    check_slots(region_code(turned(attached(sides, mixed), quarters), 3))
                except UnsupportedJoin:
                    continue
                checked += 1
    assert checked > 60
