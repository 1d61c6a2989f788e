"""The magic-state schedule against one that is read off the surgery text, slab by slab."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

import pytest
from test_lower_surgery import CHIPS, on_chip, random_program

import qwasmc
from qwasmc.backends.timetable import timetable
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.passes.defer_paulis import defer_paulis
from qwasmc.passes.lower_surgery import lower_surgery
from qwasmc.passes.scheduling import distillation
from qwasmc.text import print_ir

Tile = tuple[int, int]

ROW = re.compile(r'"qw\.(\w+)"\(.*\{(.*)\} : ')
TILE = re.compile(r"\((\d+),(\d+)\)")

PRODUCTION_AFTER_OUTPUT = distillation.SLABS - 1 - distillation.CLAIM
"""15-to-1: slabs from that in which the output's patch appears to that of the last outcome."""


class Text:
    """The rows of a surgery program: what happens in which slab."""

    def __init__(self, text: str) -> None:
        self.births: dict[tuple[Tile, int], str] = {}
        """Rows by tile and slab."""
        self.ends: dict[tuple[Tile, int], str] = {}
        self.joins: list[tuple[int, list[Tile], str]] = []
        """Slab, tiles of the terms, location."""
        self.factories: list[tuple[Tile, Tile, Tile, int]] = []
        self.last = 0
        for line in text.splitlines():
            if found := ROW.search(line):
                self.row(found[1], found[2], line.rpartition("loc(")[2].rstrip(")"))

    def row(self, kind: str, attributes: str, place: str) -> None:
        timed = re.search(r"slab = (\d+)", attributes)
        slab = int(timed[1]) if timed else 0
        self.last = max(self.last, slab)
        if kind in ("prepare", "inject", "input"):
            self.births[self.tile(attributes, "tile"), slab] = attributes
        elif kind in ("measure", "adapt", "output"):
            self.ends[self.tile(attributes, "tile"), slab] = attributes
        elif kind == "join":
            terms = re.search(r"terms = \[([^]]*)\]", attributes)[1]
            tiles = [(int(x), int(y)) for x, y in TILE.findall(terms)]
            self.joins.append((slab, tiles, place.replace('"', "")))
        elif kind == "factory":
            keys = ("tile", "size", "port")
            period = int(re.search(r"period = (\d+)", attributes)[1])
            self.factories.append((*(self.tile(attributes, key) for key in keys), period))

    def tile(self, attributes: str, key: str) -> Tile:
        x, y = TILE.search(attributes, attributes.index(f"{key} =")).groups()
        return int(x), int(y)

    def born(self, tile: Tile, slab: int) -> int:
        """When the patch that is on a tile in a slab appeared there."""
        return max(at for where, at in self.births if where == tile and at <= slab)

    def stall(self, tile: Tile, slab: int) -> int:
        """For how many slabs before this one a patch has had nothing to do."""
        born = self.born(tile, slab)
        busy = {at for at, tiles, _ in self.joins if tile in tiles}
        if 'letter = "Y"' in self.births[tile, born]:
            busy.add(born)
        waits = 0
        while slab - waits - 1 >= born and slab - waits - 1 not in busy:
            waits += 1
        return waits

    def uses(self) -> Counter[tuple[int, int, int, int, str]]:
        """Slab, factory, slab in which the state was made, stall and source of each T."""
        found: Counter[tuple[int, int, int, int, str]] = Counter()
        for number, ((left, top), (width, height), port, _) in enumerate(self.factories):
            for slab, tiles, place in self.joins:
                others = [
                    (x, y)
                    for x, y in tiles
                    if not (left <= x < left + width and top <= y < top + height)
                ]
                if port in tiles and others:
                    made = self.born(port, slab)
                    if "state" not in self.births[port, made]:
                        made += PRODUCTION_AFTER_OUTPUT
                    found[slab, number, made, self.stall(others[0], slab), place] += 1
        return found


def assert_schedule(program: Circuit, **chip: object) -> None:
    surgery = lower_surgery(defer_paulis(program), **chip)
    found, text = timetable(surgery), Text(print_ir(surgery))
    assert found["slabs"] == text.last + 1
    factories = [
        (tuple(each["tile"]), tuple(each["size"]), tuple(each["port"]), each["period"])
        for each in found["factories"]
    ]
    assert factories == text.factories
    expected = text.uses()
    keys = ("slab", "factory", "made", "stall", "source")
    listed = Counter(tuple(each[key] for key in keys) for each in found["consumptions"])
    assert listed == Counter(
        {(*key[:4], "" if key[4] == "unknown" else key[4]): n for key, n in expected.items()}
    )
    made = sorted((made, factory) for _, factory, made, _, _ in expected.elements())
    assert [(each["slab"], each["factory"]) for each in found["productions"]] == made
    assert found["stalls"] == sum(stall for _, _, _, stall, _ in expected.elements())
    assert_levels(found["buffered"], [(made, used) for used, _, made, _, _ in expected.elements()])


def assert_levels(levels: list[list[int]], waits: list[tuple[int, int]]) -> None:
    """Levels are those of states that wait, from one slab up to another, and always change."""
    now: dict[int, int] = dict(levels)
    level = 0
    for slab in range(max((used for _, used in waits), default=0) + 1):
        level = now.pop(slab, level)
        assert level == sum(made <= slab < used for made, used in waits)
    assert not now
    assert all(one[1] != two[1] for one, two in pairwise(levels))


@pytest.mark.parametrize("chip", CHIPS, ids=lambda chip: "-".join(map(str, chip.values())))
def test_random_programs(chip):
    for seed in range(8):
        on_chip(assert_schedule, random_program(seed), chip)


def test_states_wait_and_are_waited_for():
    """Four T gates in a row at one port: each but the first waits for a state to be made."""
    builder = CircuitBuilder()
    q = builder.add("alloc", attr="q")
    for _ in range(4):
        q = builder.add("t", [builder.add("h", [q])])
    surgery = lower_surgery(builder.freeze(), factories=1)
    found = timetable(surgery)
    assert [use["slab"] for use in found["consumptions"]] == [1, 4, 7, 10]
    assert [use["stall"] for use in found["consumptions"]] == [0, 2, 2, 2]
    waiting = [(0, 1), (3, 4), (6, 7), (9, 10)]
    assert found["buffered"] == [
        [s, n] for made, used in waiting for s, n in ((made, 1), (used, 0))
    ]
    assert_schedule(builder.freeze(), factories=1)


def test_consumptions_name_their_t_gates(tmp_path):
    path = tmp_path / "three.qasm"
    lines = ["OPENQASM 2.0;", 'include "qelib1.inc";', "qreg q[2];", "creg c[2];"]
    lines += ["h q[0];", "t q[0];", "h q[1];", "tdg q[1];", "cx q[0],q[1];", "t q[1];"]
    path.write_text("\n".join([*lines, "measure q -> c;"]))
    found = qwasmc.compile(path, emit="surgery", level=0).schedule
    assert [use["source"] for use in found["consumptions"]] == [f"{path}:{n}:1" for n in (6, 8, 10)]


def test_rounds_with_walls_where_most_slabs_are_quiet(tmp_path):
    """The emitted circuit has slabs in a row in which nothing happens as one."""
    path = tmp_path / "slow.qasm"
    lines = ["OPENQASM 2.0;", 'include "qelib1.inc";', "qreg q[1];", "creg c[1];"]
    path.write_text(
        "\n".join([*lines, "h q[0];", "t q[0];", "sx q[0];", "t q[0];", "measure q -> c;"])
    )
    artifact = qwasmc.compile(path, level=0, distance=3, factory="cultivation-5", factories=1)
    text = print_ir(artifact.surgery)
    walled = {line[1] for line in re.finditer(r"qw\.join.*slab = (\d+).*~", text)}
    assert walled
    assert artifact.report["joins"]["rounds_with_walls"] == 3 * len(walled)
