"""The rows of a region by what they do to values, and those that a wire's value outlives.

    swap a, s               cx a, s; cx s, a; cx a, s         s is scratch, a is not
    cswap c, a, b           cx b, a; ccx c, a, b; cx b, a
    y s                     x s          in the segment, which is undone with its phase,
                            z s; x s     in the act, up to a global phase
    cy c, s                 cx c, s, or sdg s; cx c, s; s s

After this, x, cx and ccx *flip* their last wire.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from qwasmc.ir.wires import MAKES_QUBIT, TAKES_QUBITS, Wired
from qwasmc.ops import BY_NAME, OPS, Effect
from qwasmc.passes.reversible.forms import Values
from qwasmc.passes.reversible.region import Region

FLIPS = ("x", "cx", "ccx")


class Row(NamedTuple):
    """A row, or a part of one."""

    name: str
    wires: tuple[int, ...]
    """Those that it acts on, or the one that it makes."""
    cond: int
    at: int
    """The row of the circuit."""
    whole: bool = True
    """Whether it is that row, and not a part of it."""


def rows_of(wired: Wired, region: Region) -> list[Row]:
    """The rows of a region without its markers."""
    scratch, ancillas = frozenset(region.scratch), frozenset(region.ancillas)
    rows = [(at, _row(wired, at)) for at in range(region.begin + 1, region.undo)]
    return [
        part
        for at, row in rows
        if at != region.end and not (row.name in ("alloc", "free") and row.wires[0] in ancillas)
        for part in _split(row, scratch, at < region.end)
    ]


def _row(wired: Wired, at: int) -> Row:
    code = int(wired.op[at])
    wires: Sequence[int] = ()
    if MAKES_QUBIT[code]:
        wires = (int(wired.made[at]),)
    elif TAKES_QUBITS[code]:
        wires = wired.values(at)
    return Row(OPS[code].name, tuple(wires), int(wired.cond[at]), at)


def _split(row: Row, scratch: frozenset[int], undone: bool) -> list[Row]:
    """The rows that a row stands for; without the predicated one, the others do nothing.

    What it computes is `undone`, or not.
    """

    def part(name: str, *wires: int, cond: int = -1) -> Row:
        return Row(name, wires, cond, row.at, whole=False)

    inside = [wire in scratch for wire in row.wires]
    if row.name == "cswap":
        c, a, b = row.wires
        return [part("cx", b, a), part("ccx", c, a, b, cond=row.cond), part("cx", b, a)]
    if row.name == "swap" and (row.cond >= 0 or inside[0] != inside[1]):
        a, b = row.wires
        return [part("cx", a, b), part("cx", b, a, cond=row.cond), part("cx", a, b)]
    if undone and row.name in ("y", "cy") and inside[-1]:
        return [part(row.name.replace("y", "x"), *row.wires, cond=row.cond)]
    if row.name == "y" and any(inside):
        return [part(name, *row.wires, cond=row.cond) for name in ("z", "x")]
    if row.name == "cy" and any(inside):
        target = row.wires[1]
        return [part("sdg", target), part("cx", *row.wires, cond=row.cond), part("s", target)]
    return [row]


def absorbed(rows: Sequence[Row], scratch: frozenset[int]) -> set[int]:
    """The rows that only lead a data wire away from a value that it gets back, by position.

    What is left of a wire's values never has the same value twice.
    """
    values = Values(sorted(scratch))
    found: set[int] = set()
    trails: dict[int, dict[int, int]] = {}
    """By wire: its values that are left so far, in order, with the rows that led to them."""
    for at, row in enumerate(rows):
        if row.name in FLIPS:
            target = row.wires[-1]
            before = values[target]
            values.flip(row.wires, row.cond)
            if target in scratch:
                continue
            value, trail = values[target], trails.setdefault(target, {before: -1})
            if value not in trail:
                trail[value] = at
                continue
            found.add(at)
            while next(reversed(trail)) != value:
                found.add(trail.popitem()[1])
        elif row.name == "swap" or changes(row):
            data = [wire for wire in row.wires if wire not in scratch]
            if row.name == "swap":
                values.swap(*row.wires)
            else:
                for wire in data:
                    values.renew(wire)
            trails |= {wire: {values[wire]: at} for wire in data}
    return found


def changes(row: Row) -> bool:
    """Whether a row that is no flip or swap may change what its wires hold."""
    return bool(row.wires) and row.name != "barrier" and not keeps(row)


def keeps(row: Row) -> bool:
    """Whether a row keeps what its wires hold, which is all that it reads."""
    return BY_NAME[row.name].effect is Effect.DIAGONAL
