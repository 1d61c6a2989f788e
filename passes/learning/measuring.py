"""What circuits cost, in whole numbers that add up over a corpus.

The cost of a circuit is that of `qwasmc.cost`, most important number first; for `volume` that is
the surgery volume of our own schedule: tiles of the chip times slabs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qwasmc import cost
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.surgery import Row
from qwasmc.passes.defer_paulis import defer_paulis
from qwasmc.passes.lower_surgery import lower_surgery

PER_PART = 10**15
"""The loss of a circuit whose most important cost doubles."""

LESS = 1000
"""How much less the next number of a cost counts than the one before it."""


def measure(circuit: Circuit, objective: str) -> list[int]:
    """The cost of a circuit.  CompileError if it has no schedule, for the objective `volume`."""
    found = list(cost.cost(circuit, objective))
    if objective == "volume":
        found[0] = surgery_volume(circuit)
    return found


def surgery_volume(circuit: Circuit) -> int:
    """Tiles times slabs of the schedule on the default chip."""
    surgery = lower_surgery(defer_paulis(circuit))
    (chip,) = np.flatnonzero(surgery.kind == Row.CHIP).tolist()
    width, height = surgery.tile(chip)
    return width * height * surgery.slabs


def loss(after: Sequence[int], before: Sequence[int]) -> int:
    """How much dearer a circuit has become, relative to what it was; less than 0 if cheaper."""
    total, part = 0, PER_PART
    for new, old in zip(after, before, strict=False):
        total += (new - old) * part // max(old, 1)
        part //= LESS
    return total
