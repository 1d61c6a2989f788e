"""What a `require` row asks of the magic states of the T gates behind it, as its text says it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

_FORM = re.compile(
    r"MAGIC_STATE_REQUEST ([1-9]\d{0,9}), (\d{1,10})"
    r"|MAGIC_DISTILLATION_START [1-9]\d{0,9}, (\d(?:\.\d{1,40})?(?:e-\d{1,3})?)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Prompt:
    """None of the next `count` T gates waits more than `cycles` rounds for its state."""

    count: int
    cycles: int


@dataclass(frozen=True, slots=True)
class Accurate:
    """Every state is wrong with at most this probability."""

    error: float


def requirement(text: str) -> Prompt | Accurate | None:
    """What a text asks for; None if it is not the text of a requirement."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    count, cycles, fidelity = match.groups()
    if count is not None:
        return Prompt(int(count), int(cycles))
    # In decimals, so that 0.999 allows 0.001.
    error = float(1 - Decimal(fidelity))
    return Accurate(error) if error >= 0 else None
