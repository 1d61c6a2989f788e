"""How many iterations of a loop in a row do the same.

An iteration that adds a constant to each of some inputs and relies on sums of inputs lying in
ranges does the same as long as the sums do not leave them: no iteration need be run to know when.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qwasmc.ir.program import Block, Value
from qwasmc.passes.folded.site import Site
from qwasmc.passes.folded.summary import Summary, total
from qwasmc.passes.folded.values import Affine, Raw, Val, compute, raw
from qwasmc.passes.folded.world import World
from qwasmc.passes.symbolic import Refusal


def jump(site: Site, summary: Summary, head: Block, local: dict[Value, Any]) -> int:
    """Go to the last of the iterations in a row that do the same; how many they are.

    `head` is the block that iterations begin with, `local` holds the values of its arguments.
    """
    record, inputs = site.record, site.inputs(summary)
    raws = [raw(value) for value in inputs]
    times, steps = repetitions(summary, raws, head, record.world)
    if times == 0:
        raise Refusal("this loop does not end", loc=head.ops[-1].loc)
    if times == 1:
        return times
    record.assume(summary, inputs)
    for number, step in steps.items():
        by = (times - 1) * step
        value = compute(record.premises, "addi", {}, [inputs[number], by])
        key = summary.keys[number]
        if isinstance(key, tuple):
            record.write(key, value)
        else:
            assert isinstance(key, Value)
            local[key] = value
    record.peak = max(record.peak, record.live + summary.peak)
    record.live += (times - 1) * summary.live
    return times


def repetitions(
    summary: Summary, raws: Sequence[Raw], head: Block, world: World
) -> tuple[int, dict[int, int]]:
    """How often an iteration can be repeated, 0 if for ever, and what each adds to inputs.

    `head` is the block that iterations begin with.
    """
    heads = {value: place for place, value in enumerate(head.args)}
    steps = _steps(summary, raws, heads)
    if steps is None or summary.moved:
        return 1, {}
    most: int | None = None
    every = [steps.get(number, 0) for number in range(len(raws))]
    for linear, (least, greatest) in summary.ranges.items():
        now, step = total(linear, raws), total(linear, every)
        if step:
            left = (greatest - now) // step if step > 0 else (now - least) // -step
            most = left + 1 if most is None else min(most, left + 1)
    if most is None:
        return 0, {}
    if most > 1 and not _slots_stay(summary, raws, every, most, world):
        return 1, {}
    return most, steps


def _steps(
    summary: Summary, raws: Sequence[Raw], heads: Mapping[Value, int]
) -> dict[int, int] | None:
    """By input that changes: what an iteration adds to it; None if another thing happens."""
    found: dict[int, int] = {}
    for number, key in enumerate(summary.keys):
        after: Val
        if isinstance(key, Value):
            if key not in heads:
                continue
            value = summary.values[heads[key]]
            if isinstance(value, tuple):
                continue
            after = value
        elif key in summary.writes:
            after = summary.writes[key]
        else:
            continue
        if isinstance(after, Affine) and after.linear == ((number, 1),):
            if after.const:
                found[number] = after.const
        elif number not in summary.pinned or raw(after) != raws[number]:
            return None
    return None if any(number in summary.pinned for number in found) else found


def _slots_stay(
    summary: Summary, raws: Sequence[Raw], steps: Sequence[int], times: int, world: World
) -> bool:
    """Whether all slots on the way are full, or empty, and none is used as two."""
    spans: list[tuple[int, int, int]] = []
    order = []
    for (state, linear), (least, most) in summary.hulls.items():
        start, way = total(linear, raws), (times - 1) * total(linear, steps)
        order.append((start, start + way))
        low, high = min(start, start + way) + least, max(start, start + way) + most
        spans.append((low, high, state))
    starts = sorted(range(len(order)), key=lambda at: order[at][0])
    ends = sorted(range(len(order)), key=lambda at: order[at][1])
    if starts != ends:
        return False
    return all(world.slots.all_are(state, least, most) for least, most, state in spans)
