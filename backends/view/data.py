"""The page's data: columns of integers, names, places in the source, and what is known in numbers.

Columns are base64 of little-endian integers, of the smallest width that holds them.  `columns` has
the tables of `qwasmc.backends.view.scene`, with an operation and a name for each row.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.backends.view.names import Names, find_names
from qwasmc.backends.view.palette import PALETTE
from qwasmc.backends.view.scene import Joins, Patches, Scene, make_scene, patch_of_terms
from qwasmc.diagnostics import Kind, Locations, error
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.surgery import Row, Surgery

Ints = NDArray[Any]

MAX_SOURCE = 1 << 25
"""Most characters of source text that a page holds."""

WIDTHS = (("u1", 0, 1 << 8), ("u2", 0, 1 << 16), ("i4", -(1 << 31), 1 << 31))
"""Kinds of columns, with the range of each."""

INJECTED, ADAPTED = 4, 4
"""How a patch begins and ends is a letter or 0, an open end; or it begins as the magic state of
number INJECTED + its kind, or ends with a measurement in X or Y, as a bit says."""


def page_data(
    surgery: Surgery,
    schedule: Mapping[str, Any],
    figures: Mapping[str, Any],
    *,
    title: str,
    program: Circuit | None = None,
    errors: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """What the page shows of a surgery program, ready for JSON.

    `schedule` is that of `compile --schedule`, `figures` are numbers by name, `errors` where the
    probability of failure comes from; `program` is the circuit that was placed, for the names of
    qubits.  CompileError if it is too large for a page.
    """
    scene = make_scene(surgery)
    operation, op_loc = _operations(surgery)
    place, places, files = _places(surgery.locations, op_loc)
    names = find_names(surgery, scene, program)
    return {
        "title": title,
        "palette": PALETTE,
        "box": scene.box,
        "slabs": scene.slabs,
        "names": names.texts,
        "files": files,
        "figures": dict(figures),
        "errors": dict(errors or {}),
        "factories": schedule["factories"],
        "pareto": schedule["pareto"],
        "columns": {
            name: column(values)
            for name, values in {
                **_patch_columns(surgery, scene.patches, operation, names),
                **_join_columns(scene, operation, names),
                **_schedule_columns(schedule),
                **_waits(surgery),
                "opPlace": place,
                **places,
            }.items()
        },
    }


def column(values: Ints) -> dict[str, str]:
    """A column of integers as text."""
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    kind = next(kind for kind, least, end in WIDTHS if least <= low and high < end)
    data = np.ascontiguousarray(values, dtype=f"<{kind}").tobytes()
    return {"type": kind, "data": base64.b64encode(data).decode("ascii")}


def _operations(surgery: Surgery) -> tuple[Ints, Ints]:
    """The operation of each row, and the location of each operation.

    Rows of one operation are neighbours, and have the same location.
    """
    fresh = np.diff(surgery.loc, prepend=-2) != 0
    return np.cumsum(fresh) - 1, surgery.loc[fresh]


def _patch_columns(
    surgery: Surgery, patches: Patches, operation: Ints, names: Names
) -> dict[str, Ints]:
    kind, aux, begin, end = surgery.kind, surgery.aux, patches.begin, patches.end
    starts = np.where(kind[begin] == Row.PREPARE, aux[begin], 0)
    starts = np.where(kind[begin] == Row.INJECT, INJECTED + aux[begin], starts)
    ends = np.where(kind[end] == Row.MEASURE, aux[end], 0)
    ends = np.where(kind[end] == Row.ADAPT, ADAPTED, ends)
    return {
        "patchX": patches.x,
        "patchY": patches.y,
        "patchFirst": patches.first,
        "patchLast": patches.last,
        "patchStart": starts,
        "patchEnd": np.where(end < 0, 0, ends),
        "patchBeginOp": operation[begin],
        "patchEndOp": np.where(end < 0, operation[begin], operation[end]),
        "patchName": names.patch,
        "patchResult": names.patch_result,
    }


def _join_columns(scene: Scene, operation: Ints, names: Names) -> dict[str, Ints]:
    joins: Joins = scene.joins
    found = {
        "joinSlab": joins.slab,
        "joinOp": operation[joins.row],
        "joinResult": names.join_result,
        "joinTerm": joins.term,
        "joinRoute": joins.route,
        "joinEdge": joins.edge,
        "termPatch": patch_of_terms(scene),
        "termLetter": joins.terms[:, 2],
        "edgeKind": joins.edges[:, 3] * 4 + joins.edges[:, 2],
    }
    for name, table in (("route", joins.routes), ("edge", joins.edges)):
        found |= {f"{name}X": table[:, 0], f"{name}Y": table[:, 1]}
    return found | {"routeLetter": joins.routes[:, 2]}


def _schedule_columns(schedule: Mapping[str, Any]) -> dict[str, Ints]:
    def table(rows: str, *keys: str) -> list[Ints]:
        return [np.array([row[key] for row in schedule[rows]], dtype=np.int32) for key in keys]

    made = table("productions", "slab", "factory")
    used = table("consumptions", "slab", "factory", "made", "stall")
    levels = np.array(schedule["buffered"], dtype=np.int32).reshape(-1, 2)
    return {
        "madeSlab": made[0],
        "madeFactory": made[1],
        "usedSlab": used[0],
        "usedFactory": used[1],
        "usedMade": used[2],
        "usedStall": used[3],
        "levelSlab": levels[:, 0],
        "levelStates": levels[:, 1],
    }


def _waits(surgery: Surgery) -> dict[str, Ints]:
    rows = np.flatnonzero(surgery.kind == Row.WAIT)
    return {"waitSlab": surgery.slab[rows], "waitRounds": surgery.aux[rows]}


def _places(where: Locations, op_loc: Ints) -> tuple[Ints, dict[str, Ints], list[dict[str, str]]]:
    """The place of each operation, the table of places, and the files that they are in.

    With a place come those of the macro calls, loops and includes that led to it.
    """
    parent = np.array([*where.parent, -1], dtype=np.int64)  # the last one is that of -1
    kept = [np.unique(op_loc[op_loc >= 0])]
    while len(kept[-1]):
        above = parent[kept[-1]]
        kept.append(np.setdiff1d(above[above >= 0], np.concatenate(kept)))
    used = np.unique(np.concatenate(kept)).astype(np.int64)

    def number(locs: Ints) -> Ints:
        return np.where(locs < 0, -1, np.searchsorted(used, locs))

    table = np.array([where.file, where.line, where.column, where.end], dtype=np.int64)
    table = table.reshape(4, -1)[:, used]
    shown, file = np.unique(table[0], return_inverse=True)
    files = [{"name": where.files[i], "text": where.texts[i]} for i in shown.tolist()]
    if sum(len(each["text"]) for each in files) > MAX_SOURCE:
        message = f"the source text is longer than {MAX_SOURCE} characters"
        raise error(message, kind=Kind.LIMIT, help="view a part of the program")
    names = ("placeFile", "placeLine", "placeColumn", "placeEnd")
    columns: dict[str, Ints] = dict(zip(names, (file, *table[1:]), strict=True))
    return number(op_loc), columns | {"placeParent": number(parent[used])}, files
