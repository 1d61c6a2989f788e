"""Numbers about a surgery program, for people: what it takes, and what may go wrong.

Keys that the report of a compilation has, too, mean the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.backends.stats import stats
from qwasmc.backends.view.scene import Scene, make_scene, slab_rounds
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.surgery import Letter, Surgery
from qwasmc.target import tile_qubits


def figures(
    surgery: Surgery, schedule: Mapping[str, Any], program: Circuit | None
) -> dict[str, int | str]:
    """Numbers by name; those about the logical program only if it is given."""
    scene = make_scene(surgery)
    distance, chip = schedule["distance"], schedule["chip"]
    tiles = len(_tiles_used(scene))
    found: dict[str, int | str] = {"distance": distance}
    if program is not None:
        counts = stats(program)
        found |= {"logical_qubits": counts["qubits"], "t_count": counts["t_count"]}
    return found | {
        "chip.width": chip["width"],
        "chip.height": chip["height"],
        "tiles": tiles,
        "tile_qubits": tiles * tile_qubits(distance),
        "slabs": surgery.slabs,
        "rounds": slab_rounds(surgery, scene, distance),
        **_joins(scene),
        "t_states": len(schedule["consumptions"]),
        "factories": len(schedule["factories"]),
        "stalls": schedule["stalls"],
    }


def error_parts(
    surgery: Surgery,
    schedule: Mapping[str, Any],
    patch_error: float,
    state_errors: Mapping[str, float],
) -> dict[str, float]:
    """Bounds on the probability that a run fails by patches, and by each kind of magic state.

    `patch_error` is the rate of a patch and round, `state_errors` that of a state by kind of
    factory.  Patches count on every tile that is used, in all rounds; of those of a factory only
    the output and the one below it (docs/factories.md).
    """
    scene, factories = make_scene(surgery), schedule["factories"]
    inside = np.zeros(len(tiles := _tiles_used(scene)), dtype=np.bool_)
    for each in factories:
        low = np.array(each["tile"])
        inside |= ((tiles >= low) & (tiles < low + each["size"])).all(axis=1)
    exposed = len(tiles) - int(inside.sum()) + 2 * len(factories)
    rounds = slab_rounds(surgery, scene, schedule["distance"])
    parts = {"patches, tiles x rounds": exposed * rounds * patch_error}
    kinds = [kind_of_factory(each["name"]) for each in factories]
    used = [kinds[each["factory"]] for each in schedule["consumptions"]]
    for kind, error in sorted(state_errors.items()):
        parts[f"magic states, {kind}"] = used.count(kind) * error
    return parts


def kind_of_factory(name: str) -> str:
    """What kind of factory one of this name is: the name without its number."""
    return name.rpartition(" #")[0]


def _tiles_used(scene: Scene) -> NDArray[Any]:
    """(n, 2) the tiles with a patch or a route at some time."""
    patches, joins = scene.patches, scene.joins
    tiles = np.concatenate([np.stack([patches.x, patches.y], axis=1), joins.routes[:, :2]])
    used: NDArray[Any] = np.unique(tiles, axis=0)
    return used


def _joins(scene: Scene) -> dict[str, int | str]:
    joins = scene.joins
    rows = np.arange(len(joins.row))
    mixed = np.repeat(rows, np.diff(joins.edge))[joins.edges[:, 3] == 1]
    in_y = np.repeat(rows, np.diff(joins.term))[joins.terms[:, 2] == Letter.Y]
    return {
        "joins.count": len(rows),
        "joins.with_walls": len(np.unique(mixed)),
        "joins.with_y": len(np.unique(in_y)),
    }
