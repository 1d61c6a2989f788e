"""15-to-1 distillation in rows: fifteen noisy T|+> in, one T|+> and four flags out.

A block of 4 x 4 tiles:

    O h h h      O  the output: first entangled with the checks, then the distilled state
    s m m m      m  a magic state; h its helper in Y; s a spur of the lane
    . . . .      .  the lane
    C C C C      C  the checks: patches that start as T|+>

    slab r       rotation r of 11: Z of its patches and of an m, along the lane; the m was injected
                 in the slab before; its h is prepared in Y
    slab r + 1   Z Z of that m and h; the m is measured in X
    slab r + 2   the h idles; it is measured in Y, or in X if the rotation went the wrong way
    slab 11      the last rotation; then the last checks are measured in X
    slab 13      the last h is measured: flags and frame are known

Fifteen eighth turns about products of Z turn |+> of five patches into |+> of the checks and
T^-1|+> = X T|+> of the output (Litinski, Quantum 3, 128, section 3, and Quantum 3, 205,
section 2; Bravyi, Haah, Phys. Rev. A 86, 052329 for why).  Four of them turn one check each: these
checks start as T|+> instead.  A wrong input state is a phase flip of a product of Z; flips of one
or two inputs always leave some check in |->, whose flag is then 1: the state is to be thrown away.
With the Clifford stand-in S for T the same holds, for S^-1|+> = X S|+>.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from qwasmc.ir.surgery import (
    FLAG,
    Edge,
    Join,
    Letter,
    Magic,
    RouteTile,
    Row,
    Side,
    Surgery,
    SurgeryBuilder,
    Term,
    Tile,
    encode_join,
)

WIDTH, HEIGHT = 4, 4

OUTPUT: Tile = (0, 0)
"""The spur below it is free again for the consumer's helper; the lane reaches it through that."""

PORT_ROW, LANE_ROW, CHECK_ROW = 1, 2, 3

CHECKS = 4

PORTS = 3
"""Columns 1 to 3 hold a magic state and its helper, each in use for three slabs at a time."""


class Rotation(NamedTuple):
    """An eighth turn about Z of some checks and, if `output`, of the output."""

    checks: tuple[int, ...]
    output: bool = False


ROTATIONS = (
    Rotation((0, 1, 2)),
    Rotation((0, 1, 3)),
    Rotation((0, 2, 3)),
    Rotation((1, 2, 3)),
    Rotation((0, 1, 2, 3), output=True),
    Rotation((0, 1), output=True),
    Rotation((0, 2), output=True),
    Rotation((0, 3), output=True),
    Rotation((1, 2), output=True),
    Rotation((1, 3), output=True),
    Rotation((2, 3), output=True),
)
"""Every set of two checks or more; the output comes with the even ones.

Those without it come first, which leaves its tile to the previous state for longer.
"""

LAST = len(ROTATIONS)
"""The slab of the last rotation; the first is in slab 1."""

SLABS = LAST + 3

PERIOD = LAST + 1
"""Slabs between two starts: some check stands from slab 0 to slab `LAST`, whatever the order."""

CLAIM = next(slab for slab, rotation in enumerate(ROTATIONS, 1) if rotation.output)
"""The first slab that needs the output's tile or the spur."""


def used_slabs(check: int) -> list[int]:
    """The slabs of a check's rotations; it is injected before the first, measured at the last."""
    return [slab for slab, rotation in enumerate(ROTATIONS, 1) if check in rotation.checks]


EXPOSED = 2 * (SLABS - CLAIM) + sum(
    max(used_slabs(check)) - min(used_slabs(check)) + 2 for check in range(CHECKS)
)
"""Single logical faults, by patch, slab and letter (X, Z), that may leave a wrong output unseen.

They are those of the output, and X on checks.  Z on a check flips its flag; what goes wrong with
an m or an h, or with an outcome, turns one product of Z by a wrong angle, which is Z or nothing
once the checks are measured, as if one input had been wrong.
"""


class Production(NamedTuple):
    """The bits of one production: the output is X^x Z^z T|+>, and is good if all flags are 0."""

    flags: list[int]
    x: int
    z: int


def produce(out: SurgeryBuilder, corner: Tile, slab: int, loc: int = -1) -> Production:
    """Append the rows of one production in the block with this north-west corner, from `slab` on.

    The state stays on the output tile; all bits are known after slab `slab` + SLABS - 1.
    """
    return _Block(out, corner, slab, loc).produce()


@cache
def template() -> Surgery:
    """One production from slab 0 on at tile (0, 0): flags are results, the state is an output."""
    out = SurgeryBuilder()
    made = produce(out, (0, 0), 0)
    for number, flag in enumerate(made.flags):
        name = out.name(f"{FLAG}{number}")
        out.add(Row.RESULT, aux=name, operands=[flag])
        out.add(Row.OBSERVABLE, aux=name, operands=[flag])
    operands = [0, made.x, made.z]
    out.add(Row.OUTPUT, slab=SLABS - 1, tile=OUTPUT, aux=out.name("t"), operands=operands)
    return out.freeze()


class _Block:
    """Writes the rows of a production; its tiles and slabs are counted from the block's."""

    def __init__(self, out: SurgeryBuilder, corner: Tile, slab: int, loc: int) -> None:
        self.out, self.corner, self.slab, self.loc = out, corner, slab, loc
        self.one = self.bit(Row.CONST, aux=1)

    def produce(self) -> Production:
        """Every patch from its first use to its last, and the rotations."""
        used = [used_slabs(check) for check in range(CHECKS)]
        for check, slabs in enumerate(used):
            self.patch(Row.INJECT, slabs[0] - 1, (check, CHECK_ROW), Magic.T)
        self.patch(Row.PREPARE, CLAIM, OUTPUT, Letter.X)
        flips = [self.rotate(slab, rotation) for slab, rotation in enumerate(ROTATIONS, 1)]
        flags = []
        for check, slabs in enumerate(used):
            outcome = self.patch(Row.MEASURE, slabs[-1], (check, CHECK_ROW), Letter.X)
            flags.append(self.bit(Row.XOR, [outcome, *(flips[slab - 1] for slab in slabs)]))
        z = [flip for flip, rotation in zip(flips, ROTATIONS, strict=True) if rotation.output]
        return Production(flags, self.one, self.bit(Row.XOR, z))

    def rotate(self, slab: int, rotation: Rotation) -> int:
        """A rotation by T|+>; the bit by which its product of Z is still to be applied.

        After the joins m and h are copies of the product's value, flipped by a and by a xor b.
        If a is 1 the turn went the wrong way; h in X instead of Y adds a quarter turn.
        """
        column = 1 + slab % PORTS
        m, h = (column, PORT_ROW), (column, PORT_ROW - 1)
        self.patch(Row.INJECT, slab - 1, m, Magic.T)
        a = self.join(slab, *along_lane(rotation, m))
        self.patch(Row.PREPARE, slab, h, Letter.Y)
        b = self.join(slab + 1, [m, h], [], [Edge(h, Side.S, False)])
        c = self.patch(Row.MEASURE, slab + 1, m, Letter.X)
        e = self.patch(Row.ADAPT, slab + 2, h, operands=[a])
        fix = self.bit(Row.FIX, [a, self.bit(Row.XOR, [b, self.one])])
        return self.bit(Row.XOR, [c, e, fix])

    def bit(self, kind: Row, operands: Sequence[int] = (), aux: int = 0) -> int:
        return self.out.add(kind, aux=aux, operands=operands, loc=self.loc)

    def patch(
        self, kind: Row, slab: int, tile: Tile, aux: int = 0, operands: Sequence[int] = ()
    ) -> int:
        where = self.shifted(tile)
        return self.out.add(
            kind, slab=self.slab + slab, tile=where, aux=aux, operands=operands, loc=self.loc
        )

    def join(self, slab: int, terms: list[Tile], route: list[Tile], edges: list[Edge]) -> int:
        """The joint measurement of Z of the patches on these tiles."""
        join = Join(
            tuple(Term(self.shifted(tile), Letter.Z) for tile in terms),
            tuple(RouteTile(self.shifted(tile), Letter.Z) for tile in route),
            tuple(edge._replace(tile=self.shifted(edge.tile)) for edge in edges),
        )
        operands = encode_join(join)
        return self.out.add(Row.JOIN, slab=self.slab + slab, operands=operands, loc=self.loc)

    def shifted(self, tile: Tile) -> Tile:
        return self.corner[0] + tile[0], self.corner[1] + tile[1]


def along_lane(rotation: Rotation, magic: Tile) -> tuple[list[Tile], list[Tile], list[Edge]]:
    """Terms, route and edges that join a rotation's patches and a magic state."""
    terms = [(check, CHECK_ROW) for check in rotation.checks] + [magic]
    columns = [x for x, _ in terms]
    edges = [Edge((x, LANE_ROW), Side.S, False) for x in rotation.checks]
    edges.append(Edge(magic, Side.S, False))
    route = []
    if rotation.output:
        spur = (OUTPUT[0], PORT_ROW)
        terms.append(OUTPUT)
        columns.append(OUTPUT[0])
        route.append(spur)
        edges += [Edge(OUTPUT, Side.S, False), Edge(spur, Side.S, False)]
    first, last = min(columns), max(columns)
    route += [(x, LANE_ROW) for x in range(first, last + 1)]
    edges += [Edge((x, LANE_ROW), Side.E, False) for x in range(first, last)]
    return terms, route, edges
