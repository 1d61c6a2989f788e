"""What a branch on a measurement result does: the dearer side counts, what differs is unknown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qwasmc.ir.program import Op
from qwasmc.passes.flow import Loop
from qwasmc.passes.folded.plans import FoldedPlan
from qwasmc.passes.folded.regions import Regions
from qwasmc.passes.folded.scope import Halted, Scope
from qwasmc.passes.folded.site import Site
from qwasmc.passes.folded.summary import HALT, Summary, multiplicities
from qwasmc.passes.folded.values import UNKNOWN, Val, raw, substituted
from qwasmc.passes.folded.world import NEXT_ADDRESS, NEXT_SLOT, Cell
from qwasmc.passes.symbolic import Refusal


class Endless(Exception):
    """Measurement results may keep a loop going for ever; `head` is its first block."""

    def __init__(self, plan: FoldedPlan, loop: Loop | None, op: Op) -> None:
        super().__init__()
        self.head = None if loop is None else plan.blocks[loop.head]
        self.op = op

    @property
    def refusal(self) -> Refusal:
        """The refusal of the loop."""
        if self.head is None:
            return Refusal("branches on measurement results are nested too deep", loc=self.op.loc)
        return Refusal(
            "the number of iterations depends on measurement results",
            "this may go on for ever",
            "--max-iterations N counts N of them",
            self.op.loc,
        )


def leaving(plan: FoldedPlan, place: int, op: Op) -> tuple[Loop | None, int]:
    """The innermost loop that one way of a branch leaves, and which way does not."""
    to = [plan.place[target.block] for target in op.targets]
    loop = plan.loops[place]
    while loop is not None:
        inside = [plan.inside(loop, at) for at in to]
        if inside[0] != inside[1]:
            return loop, inside.index(True)
        loop = loop.parent
    return None, 0


def weight(side: Summary, regions: Regions) -> tuple[int, ...]:
    """What sides are compared by: T states, about, and rows."""
    pairs = [(times, regions.weight(number)) for number, times in multiplicities(side).items()]
    return tuple(sum(times * weight[at] for times, weight in pairs) for at in range(2))


def join(scope: Scope, sides: Sequence[Summary]) -> tuple[int, list[Any]]:
    """Do what the dearer of two sides does; where both lead, and what they hand on."""
    record = scope.record
    site = Site(record, scope.get)
    for side in sides:
        record.assume(side, site.inputs(side))
    going = [side for side in sides if side.place != HALT]
    dear = max(sides, key=lambda side: (weight(side, record.world.regions), side.peak))
    if not going:
        site.replay(dear)
        raise Halted
    if len(going) == 1:  # the other one has ended the program, or is an error
        if dear is not going[0]:
            record.children[dear] = record.children.get(dear, 0) + 1
            record.peak = max(record.peak, record.live + dear.peak)
            return going[0].place, site.replay(going[0], times=0)
        return dear.place, site.replay(dear)
    other = going[1] if dear is going[0] else going[0]
    inputs = site.inputs(other)
    premises = record.premises
    writes = {cell: substituted(premises, value, inputs) for cell, value in other.writes.items()}
    values = [
        -1 if isinstance(value, tuple) else substituted(premises, value, inputs)
        for value in other.values
    ]
    if slots_of(other, site) != slots_of(dear, site):
        raise Refusal("which qubits are where, or in use, depends on a measurement result")
    before = {cell: record.read(cell) for cell in (*writes, *dear.writes)}
    live = record.live
    record.peak = max(record.peak, live + other.peak)
    found = site.replay(dear)
    record.live = max(record.live, live + other.live)
    for cell in dict.fromkeys((*writes, *dear.writes)):
        one = record.forms[cell] if cell in dear.writes else before[cell]
        record.write(cell, met(cell, one, writes.get(cell, before[cell])))
    return dear.place, [
        one if isinstance(value, tuple) else met(None, one, two)
        for value, one, two in zip(dear.values, found, values, strict=True)
    ]


def met(cell: Cell | None, one: Val | None, two: Val | None) -> Val:
    """A value that is one or the other."""
    if one == two and type(one) is type(two) and one is not None:
        return one
    if cell in (NEXT_SLOT, NEXT_ADDRESS):
        assert one is not None
        assert two is not None
        return one if raw(one) >= raw(two) else two  # type: ignore[operator]
    return UNKNOWN


def slots_of(side: Summary, site: Site) -> dict[int, object]:
    """Which slots a side changes, and how."""
    premises, inputs = site.record.premises, site.inputs(side)
    found: dict[int, object] = {}
    for number, origin in side.moved:
        slot = raw(substituted(premises, number, inputs))
        assert isinstance(slot, int)
        if origin is not None and origin[0] == "slot":
            source = substituted(premises, origin[1], inputs)  # type: ignore[arg-type]
            found[slot] = "slot", raw(source)
        else:
            found[slot] = None if origin is None else origin[0]
    return found
