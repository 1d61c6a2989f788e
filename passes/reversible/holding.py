"""Ancillas of gates in segments live until what they help to compute is undone.

    rev_begin {name = "s"}              w = alloc
    w = alloc                           rev_begin {name = "s"}
    ccx a, b, w; ccx w, c, s            ccx a, b, w; ccx w, c, s
    ccx a, b, w; free w          =>     ccx a, b, w
    rev_end {name = "s"}                rev_end {name = "s"}
    uncompute {name = "s"}              uncompute {name = "s"}
                                        free w

So the segment can be undone by the same rows.  Segments that may be written anew, with ancillas of
their own, are left as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qwasmc.ir.wires import Wired
from qwasmc.ops import MARKERS, OPS
from qwasmc.passes.reversible.sheet import Sheet
from qwasmc.passes.reversible.undoing import loses


@dataclass(slots=True, eq=False)
class Span:
    """A segment, by rows."""

    begin: int
    undo: int = -1
    """Its `uncompute`, if there is one."""
    markers: int = 0
    """How many markers there were when it began, and then, from there to where it is undone."""


def hold(wired: Wired) -> tuple[Wired, list[int]]:
    """The circuit with ancillas that live longer, and their wires."""
    rows = []
    known: dict[int, bool] = {}
    for row, spans, free in _ancillas(wired):
        undone = [span for span in spans if span.undo >= 0]
        outer = spans[0].begin
        if undone and outer not in known:
            known[outer] = _may_be_rewritten(wired, spans[0])
        if undone and not known[outer]:
            begin, end = min(each.begin for each in undone), max(each.undo for each in undone)
            rows.append((row, begin, free, end))
    if not rows:
        return wired, []
    place = 3 * np.arange(len(wired), dtype=np.int64)
    for row, begin, free, end in rows:
        place[row], place[free] = 3 * begin - 1, 3 * end + 1
    held = [int(wired.made[row]) for row, *_ in rows]
    return wired.take(np.argsort(place, kind="stable")), held


def _ancillas(wired: Wired) -> list[tuple[int, list[Span], int]]:
    """The ancillas of the compiler that are allocated and freed in a segment.

    With the row of their `alloc`, the segments around it, and the row of their `free`.
    """
    open_: list[Span] = []
    names: list[str] = []
    complete: dict[str, Span] = {}
    made: dict[int, tuple[int, list[Span]]] = {}
    found = []
    markers = regions = 0
    for row, code in enumerate(wired.op.tolist()):
        name = OPS[code].name
        attr = str(wired.names[wired.attr[row]])
        markers += name in MARKERS
        regions += (name == "ctrl_begin") - (name == "ctrl_end")
        if name == "rev_begin":
            # No segment in another one, or in a control region, may be written anew.
            open_.append(Span(row, markers=-1 if open_ or regions else markers))
            names.append(attr)
        elif name == "rev_end" and open_:
            complete[names.pop()] = open_.pop()
        elif name == "uncompute" and attr in complete:
            span = complete.pop(attr)
            span.undo = row
            span.markers = markers - span.markers if span.markers >= 0 else -1
        elif name == "alloc" and not attr and open_:
            made[int(wired.made[row])] = row, list(open_)
        elif name == "free" and (wire := int(wired.operands[row, 0])) in made:
            begin, spans = made.pop(wire)
            if spans == open_:
                found.append((begin, spans, row))
    return found


def _may_be_rewritten(wired: Wired, span: Span) -> bool:
    """Whether a segment has nothing woven into it, so that another order may be found for it."""
    if span.markers != 2:
        return False
    part = Sheet(wired.take(np.arange(span.begin, span.undo)))
    return not loses(part, range(len(part)))
