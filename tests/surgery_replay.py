"""A Surgery program replayed slab by slab: whether a chip could do it in that time and room.

Knows tiles, lives of patches and factories, but nothing of what writes the rows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from typing import NamedTuple

from qwasmc.ir.surgery import ROWS, Join, Letter, Row, Surgery, Tile

BIRTHS = (Row.INPUT, Row.PREPARE, Row.INJECT)
ENDS = (Row.MEASURE, Row.ADAPT, Row.OUTPUT)


class Life(NamedTuple):
    """A patch, from the row in which it appears to the one in which it leaves."""

    tile: Tile
    birth: int
    end: int
    first: int
    """The slab of its birth."""
    last: int


class Block(NamedTuple):
    """A factory."""

    tiles: frozenset[Tile]
    port: Tile
    period: int


class Replay:
    """Collects what happens where, and asserts that nothing is in the way of anything else."""

    def __init__(self, surgery: Surgery) -> None:
        self.surgery = surgery
        self.kind = [Row(kind) for kind in surgery.kind.tolist()]
        self.slab = surgery.slab.tolist()
        self.lives = list(self.all_lives())
        self.joins = {
            row: surgery.join(row) for row, kind in enumerate(self.kind) if kind == Row.JOIN
        }
        self.blocks = [self.block(row) for row in self.rows(Row.FACTORY)]
        self.inside = {tile: block for block in self.blocks for tile in block.tiles}
        assert len(self.inside) == sum(len(block.tiles) for block in self.blocks)
        self.states: list[tuple[Block, Life, int]] = []
        """Where each magic state appears, its patch, and the row of the join that consumes it."""

    def run(self) -> Replay:
        self.one_patch_per_tile()
        self.joins_keep_apart()
        self.waits()
        self.bits_in_time()
        for block in self.blocks:
            self.deliveries(block)
        self.factories_keep_to_themselves()
        return self

    def rows(self, *kinds: Row) -> list[int]:
        return [row for row, kind in enumerate(self.kind) if kind in kinds]

    def all_lives(self) -> list[Life]:
        """In order of birth."""
        events: defaultdict[Tile, list[tuple[int, int, int]]] = defaultdict(list)
        for row in self.rows(*BIRTHS, *ENDS):
            ends = self.kind[row] in ENDS
            events[self.surgery.tile(row)].append((self.slab[row], ends, row))
        found = []
        for tile, times in events.items():
            times.sort()
            assert [ends for _, ends, _ in times] == [False, True] * (len(times) // 2)
            for (first, _, birth), (last, _, end) in zip(times[::2], times[1::2], strict=True):
                found.append(Life(tile, birth, end, first, last))
        return sorted(found, key=lambda life: life.first)

    def one_patch_per_tile(self) -> None:
        (chip,) = self.rows(Row.CHIP)
        self.width, self.height = self.surgery.tile(chip)
        by_tile: defaultdict[Tile, list[Life]] = defaultdict(list)
        for life in self.lives:
            by_tile[life.tile].append(life)
            self.on_chip(life.tile)
        for lives in by_tile.values():
            for one, two in pairwise(lives):
                assert one.last < two.first
        self.at = {
            (life.tile, slab): life
            for life in self.lives
            for slab in range(life.first, life.last + 1)
        }

    def on_chip(self, tile: Tile) -> None:
        assert 0 <= tile[0] < self.width
        assert 0 <= tile[1] < self.height

    def joins_keep_apart(self) -> None:
        """In each slab a tile is in one join at most, and routes cross no patch."""
        used: Counter[tuple[Tile, int]] = Counter()
        for row, join in self.joins.items():
            slab = self.slab[row]
            used.update((tile, slab) for tile in join.tiles())
            for tile, _ in join.route:
                self.on_chip(tile)
                assert (tile, slab) not in self.at
            for tile, _ in join.terms:
                life = self.at[tile, slab]
                if self.is_y(life.birth):
                    assert slab > life.first, "a patch prepared in Y has to idle"
                if self.is_y(life.end):
                    assert slab < life.last, "a patch measured in Y has to idle"
        assert max(used.values(), default=1) == 1

    def is_y(self, row: int) -> bool:
        """Whether a patch appears or leaves in Y, or perhaps does."""
        kind = self.kind[row]
        in_letter = ROWS[kind].aux == "letter" and self.surgery.aux[row] == Letter.Y
        return kind == Row.ADAPT or in_letter

    def waits(self) -> None:
        """Slabs of another length have no joins, and are too short for the Y of a patch."""
        waits = {self.slab[row] for row in self.rows(Row.WAIT)}
        assert not waits & {self.slab[row] for row in self.joins}
        for life in self.lives:
            assert not self.is_y(life.birth) or life.first not in waits
            assert not self.is_y(life.end) or life.last not in waits

    def bits_in_time(self) -> None:
        """The bit of an ADAPT stems from slabs before its own: there is one to decode in."""
        known: dict[int, int] = {}
        for row, kind in enumerate(self.kind):
            if ROWS[kind].makes_bit:
                known[row] = self.slab[row] if ROWS[kind].timed else -1
                if kind in (Row.XOR, Row.AND, Row.FIX):
                    known[row] = max(known[bit] for bit in self.surgery.operands(row))
            if kind == Row.ADAPT:
                assert known[self.surgery.operands(row)[0]] < self.slab[row]

    def block(self, row: int) -> Block:
        (x, y), (width, height, *port, period) = self.surgery.tile(row), self.surgery.operands(row)
        tiles = ((x + i, y + j) for i in range(width) for j in range(height))
        return Block(frozenset(tiles), (port[0], port[1]), period)

    def leaves(self, join: Join, block: Block) -> bool:
        """Whether a join has terms outside of a factory."""
        return not block.tiles.issuperset(tile for tile, _ in join.terms)

    def deliveries(self, block: Block) -> None:
        """Each state is consumed once, by the gadget of docs/surgery.md, and not too early."""
        m, h = block.port, (block.port[0], block.port[1] + 1)
        consumed: defaultdict[int, list[int]] = defaultdict(list)
        """By birth row of the state's patch."""
        for row, join in self.joins.items():
            if any(tile == m for tile, _ in join.terms) and self.leaves(join, block):
                consumed[self.at[m, self.slab[row]].birth].append(row)
        delivered = [life for life in self.lives if life.tile == m]
        for life in delivered:
            (row,) = consumed[life.birth]
            slab = self.slab[row]
            assert life.first < slab, "a state idles in the slab of its injection"
            assert life.last == slab + 1
            self.letter_is(life.end, Row.MEASURE, Letter.X)
            helper = self.at[h, slab]
            assert (helper.first, helper.last) == (slab, slab + 2)
            self.letter_is(helper.birth, Row.PREPARE, Letter.Y)
            assert self.kind[helper.end] == Row.ADAPT
            copies = [
                other
                for other, join in self.joins.items()
                if set(join.terms) == {(m, Letter.Z), (h, Letter.Z)}
                and self.slab[other] == slab + 1
            ]
            assert len(copies) == 1
            self.states.append((block, life, row))
        for one, two in pairwise(delivered):
            assert two.first - one.first >= block.period

    def letter_is(self, row: int, kind: Row, letter: Letter) -> None:
        assert self.kind[row] == kind
        assert self.surgery.aux[row] == letter

    def factories_keep_to_themselves(self) -> None:
        """Other joins use no tile of a block but the port, and states are injected in blocks."""
        for join in self.joins.values():
            for block in {self.inside[tile] for tile in join.tiles() if tile in self.inside}:
                if self.leaves(join, block):
                    assert block.tiles.intersection(join.tiles()) == {block.port}
        for row in self.rows(Row.INJECT):
            assert self.surgery.tile(row) in self.inside


def replay(surgery: Surgery) -> Replay:
    """AssertionError if a chip could not do this."""
    return Replay(surgery).run()
