"""How large a physical circuit is, without writing it."""

from __future__ import annotations

import numpy as np

from qwasmc.backends.report import used_tiles
from qwasmc.backends.stim.chip import positions
from qwasmc.backends.stim.slab_text import slab_rounds
from qwasmc.backends.stim.slabs import slabs
from qwasmc.backends.timetable import timetable
from qwasmc.ir.surgery import Row, Surgery


def size(surgery: Surgery, distance: int) -> dict[str, int]:
    """What the report of the circuit at a distance says, by its keys: docs/json.md."""
    joins = {row: surgery.join(row) for row in np.flatnonzero(surgery.kind == Row.JOIN).tolist()}
    magic = timetable(surgery)
    return {
        "distance": distance,
        "tiles": len(used_tiles(surgery, joins)),
        "physical_qubits": len(positions(surgery, distance)),
        "slabs": surgery.slabs,
        "rounds": sum(
            slab_rounds(surgery, slab, distance) if slab.regions else 0
            for slab in slabs(surgery, distance)
        ),
        "t_states": len(magic["consumptions"]),
        "factories": len(magic["factories"]),
    }
