"""Tasks: what has to happen to which patches, without where and when.

    cx a, b          PREPARE a; PREPARE b; CONTROL (a, Z), (b, X)
    t a        =>    MAGIC (a, Z)
    measure b        MEASURE (b, Z)

A patch is numbered by its home, and may appear there again after it was measured.  Letters are
physical letters of the patch.  Tasks are in an order in which they could happen; those that share
no patch may happen in any.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Act(IntEnum):
    """Kinds of tasks: what they do to their patches, and how long these are busy."""

    APPEAR = 0  # from the slab of its first use on; letter I: an input; Y: idles in its first slab
    MEASURE = 1  # at the end of the last slab it was used in; letter Y: of a slab in which it idles
    PRODUCT = 2  # a joint measurement: one slab
    CONTROL = 3  # two joins with a helper: the first patch for a slab, the second for the next one
    TURN = 4  # a quarter turn about the letter, by a helper in Y: one slab
    MAGIC = 5  # an eighth turn about the letter, by a magic state: one slab
    ALIGN = 6  # nothing on these patches starts before all of them are ready
    IDLE = 7  # every living patch idles, in a slab of its own


@dataclass(frozen=True, slots=True)
class Tasks:
    """n tasks as columns; task i concerns the pairs start[i]:start[i + 1] of patch and letter."""

    act: NDArray[np.uint8]
    start: NDArray[np.int32]
    """(n + 1,)"""
    patch: NDArray[np.int32]
    letter: NDArray[np.uint8]
    n_patches: int

    def __len__(self) -> int:
        return len(self.act)
