"""Pseudo-random numbers in kernels: seeded, and the same on every machine."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.kernel import kernel

Array = NDArray[Any]


@kernel
def draw(random: Array, below: int) -> int:
    """A pseudo-random number; `random` is the one word of state, not 0 (xorshift)."""
    x = random[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    random[0] = x
    return np.int64((x >> np.uint64(16)) % np.uint64(below))  # type: ignore[return-value]
