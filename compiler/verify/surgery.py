"""Is this Surgery well-formed?

Rows are well-formed, a tile holds one patch at a time and is in one region per slab, and each
join makes sense by itself (see `qwasmc.verify.join`).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from qwasmc.ir.surgery import ROWS, Join, Letter, Magic, Row, Surgery, Tile, decode_join
from qwasmc.verify.join import join_problems
from qwasmc.verify.problems import Problems


def verify_surgery(surgery: Surgery, problems: Problems) -> None:
    """Add the problems of a surgery program."""
    _verify_columns(surgery, problems)
    if problems.found:
        return
    check = _SurgeryCheck(surgery, problems)
    for row in range(len(surgery)):
        check.row(row)
    check.tiles()


def _verify_columns(surgery: Surgery, problems: Problems) -> None:
    """The columns belong together and the pool is cut up in order."""
    n = len(surgery)
    for name in ("slab", "x", "y", "aux", "loc"):
        if getattr(surgery, name).shape != (n,):
            problems.add(f"the column '{name}' does not have {n} entries")
    start = surgery.start
    if start.shape != (n + 1,):
        problems.add(f"the column 'start' does not have {n + 1} entries")
    elif start[0] != 0 or start[-1] != len(surgery.pool) or (np.diff(start) < 0).any():
        problems.add("the column 'start' does not cut the pool into slices")
    for row in np.flatnonzero(surgery.kind >= len(Row)).tolist():
        problems.add(f"row {row}: there is no such kind of row")
    places = len(surgery.locations.file)
    for row in np.flatnonzero((surgery.loc < -1) | (surgery.loc >= places)).tolist():
        problems.add(f"row {row}: there is no such location")


@dataclass(slots=True)
class _Patch:
    """A patch on a tile, from the start of the slab `born`; `used` is the last slab so far."""

    row: int
    born: int
    used: int
    joined: int = -1
    """The last slab in which it took part in a joint measurement or was prepared in Y."""


class _SurgeryCheck:
    """A walk over the rows, and then over what they did to each tile."""

    def __init__(self, surgery: Surgery, problems: Problems) -> None:
        self.surgery = surgery
        self.problems = problems
        self.patch: dict[Tile, _Patch] = {}
        self.lives: dict[Tile, list[tuple[int, int, int]]] = {}
        """Patches that ended: first slab, last slab, row."""
        self.region: dict[tuple[Tile, int], int] = {}
        """The join that a tile takes part in, by tile and slab."""
        self.routes: list[tuple[Tile, int, int]] = []
        """Route tiles: tile, slab, row."""
        self.bits: set[int] = set()
        self.named: set[tuple[str, Row]] = set()
        self.waits: dict[int, int] = {}
        """The row of each slab that waits."""

    def problem(self, row: int, message: str) -> None:
        """A problem with a row."""
        kind = Row(self.surgery.kind[row]).name.lower()
        self.problems.add(f"row {row} ('{kind}'): {message}", int(self.surgery.loc[row]))

    # -- rows ----------------------------------------------------------------------------------

    def row(self, row: int) -> None:
        """One row: its columns, then its effect."""
        kind = Row(self.surgery.kind[row])
        before = len(self.problems.found)
        self.columns(row, kind)
        if len(self.problems.found) > before:
            return
        match kind:
            case Row.INPUT | Row.PREPARE | Row.INJECT:
                self.appear(row)
            case Row.JOIN:
                self.join(row)
            case Row.MEASURE | Row.ADAPT | Row.OUTPUT:
                self.leave(row)
            case Row.WAIT:
                self.wait(row)
        if ROWS[kind].makes_bit:
            self.bits.add(row)

    def columns(self, row: int, kind: Row) -> None:
        """The columns of a row by themselves, and the bits it reads."""
        surgery, spec = self.surgery, ROWS[kind]
        slab, aux, tile = int(surgery.slab[row]), int(surgery.aux[row]), surgery.tile(row)
        if slab < 0 or (slab and not spec.timed):
            self.problem(row, f"slab {slab} is out of range")
        if tile != (0, 0) and not spec.placed:
            self.problem(row, "has a tile, but happens on none")
        if not self.aux_in_range(spec.aux, aux):
            self.problem(row, f"{spec.aux or 'aux'} = {aux} is out of range")
        elif spec.aux == "name":
            self.name(row, kind, surgery.names[aux])
        operands = surgery.operands(row)
        if kind == Row.JOIN:
            return
        if kind == Row.FACTORY:
            self.factory(row, operands)
            return
        if kind == Row.OUTPUT and (not operands or operands.pop(0) not in (0, 1)):
            self.problem(row, "its label is not 0 or 1")
        if spec.bits >= 0 and len(operands) != spec.bits:
            self.problem(row, f"reads {len(operands)} bits instead of {spec.bits}")
        for bit in operands:
            if bit not in self.bits:
                self.problem(row, f"bit {bit} is not defined before it")

    def aux_in_range(self, meaning: str, aux: int) -> bool:
        """Whether a row's aux column makes sense."""
        if meaning == "letter":
            return aux in (Letter.X, Letter.Z, Letter.Y)
        limits = {"": 1, "state": len(Magic), "value": 2, "name": len(self.surgery.names)}
        return 0 <= aux < limits.get(meaning, 2**31)

    def name(self, row: int, kind: Row, name: str) -> None:
        """A named row; names differ among rows of a kind."""
        if (name, kind) in self.named:
            self.problem(row, f"the name '{name}' is taken")
        self.named.add((name, kind))

    def factory(self, row: int, numbers: list[int]) -> None:
        """A block of tiles, with a port, that makes a state now and then."""
        if len(numbers) != 5:
            self.problem(row, f"has {len(numbers)} numbers instead of 5")
        elif min(numbers[0], numbers[1], numbers[4]) < 1:
            self.problem(row, "its size and period are not positive")

    def appear(self, row: int) -> None:
        """A patch appears on a tile."""
        tile, slab = self.surgery.tile(row), int(self.surgery.slab[row])
        if tile in self.patch:
            self.problem(row, f"tile {tile} holds a patch already (row {self.patch[tile].row})")
        in_y = self.surgery.kind[row] == Row.PREPARE and self.surgery.aux[row] == Letter.Y
        self.patch[tile] = _Patch(row, slab, slab, slab if in_y else -1)

    def leave(self, row: int) -> None:
        """A patch is measured out or handed over."""
        tile, slab = self.surgery.tile(row), int(self.surgery.slab[row])
        patch = self.patch.pop(tile, None)
        if patch is None:
            self.problem(row, f"tile {tile} holds no patch")
            return
        if slab < patch.used:
            self.problem(row, f"the patch on {tile} is used later, in slab {patch.used}")
        elif slab == patch.joined and self.measures_y(row):
            self.problem(row, f"the patch on {tile} does not idle in slab {slab}")
        self.lives.setdefault(tile, []).append((patch.born, max(slab, patch.used), patch.row))

    def measures_y(self, row: int) -> bool:
        """Whether a row measures a patch in Y, at least sometimes."""
        kind, aux = self.surgery.kind[row], self.surgery.aux[row]
        return bool(kind == Row.ADAPT or (kind == Row.MEASURE and aux == Letter.Y))

    def wait(self, row: int) -> None:
        """A slab of another length."""
        slab = int(self.surgery.slab[row])
        if slab in self.waits:
            self.problem(row, f"slab {slab} waits already (row {self.waits[slab]})")
        self.waits[slab] = row

    def join(self, row: int) -> None:
        """A joint measurement: its shape, and its patches."""
        slab = int(self.surgery.slab[row])
        try:
            join = _decoded(self.surgery.operands(row))
        except ValueError as wrong:
            self.problem(row, str(wrong))
            return
        for message in join_problems(join):
            self.problem(row, message)
        for term in join.terms:
            self.use_patch(row, term.tile, slab)
        for tile in join.tiles():
            other = self.region.setdefault((tile, slab), row)
            if other != row:
                self.problem(row, f"tile {tile} is in the region of row {other} in the same slab")
        self.routes += ((route.tile, slab, row) for route in join.route)

    def use_patch(self, row: int, tile: Tile, slab: int) -> None:
        """A patch takes part in a joint measurement."""
        patch = self.patch.get(tile)
        if patch is None:
            self.problem(row, f"tile {tile} holds no patch")
        elif slab < patch.born:
            self.problem(row, f"the patch on {tile} appears later, in slab {patch.born}")
        elif slab <= patch.joined:
            self.problem(row, f"the patch on {tile} is busy in slab {patch.joined}")
        else:
            patch.used = patch.joined = slab

    # -- tiles ---------------------------------------------------------------------------------

    def tiles(self) -> None:
        """Over all rows: patches on a tile do not overlap, and routes keep clear of them."""
        for tile, patch in self.patch.items():
            self.lives.setdefault(tile, []).append((patch.born, 2**31, patch.row))
        for tile, lives in self.lives.items():
            lives.sort()
            for (_, last, _), (born, _, row) in pairwise(lives):
                if born <= last:
                    self.problem(row, f"tile {tile} still holds another patch in slab {born}")
        for tile, slab, row in self.routes:
            lives = self.lives.get(tile, [])
            at = bisect_right(lives, slab, key=lambda life: life[0]) - 1
            if at >= 0 and lives[at][1] >= slab:
                self.problem(row, f"route tile {tile} holds the patch of row {lives[at][2]}")
        joined = {slab for _, slab in self.region}
        for slab in sorted(self.waits.keys() & joined):
            self.problem(self.waits[slab], f"slab {slab} waits, but holds a join")


def _decoded(values: list[int]) -> Join:
    """The join that a pool slice encodes; ValueError if it encodes none."""
    if len(values) < 3 or min(values[:3]) < 0:
        raise ValueError("does not encode a join")
    n_terms, n_route, n_edges = values[:3]
    if len(values) != 3 + 3 * n_terms + 3 * n_route + 4 * n_edges:
        raise ValueError("does not encode a join of the length it has")
    return decode_join(values)
