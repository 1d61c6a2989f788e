"""Which gates a circuit has, beside those that a machine has."""

from __future__ import annotations

import re
from collections.abc import Iterable

import stim

from qwasmc.backends.stim.lines import ANNOTATIONS

_NAME = re.compile(r"^\s*([A-Z][A-Z0-9_]*)", re.MULTILINE)


def missing_gates(texts: Iterable[str], native: Iterable[str]) -> list[str]:
    """The gates of a circuit without noise that are not `native`, in alphabetical order.

    ValueError if a native gate is none that Stim knows.
    """
    known = {*ANNOTATIONS, "TICK", "REPEAT", "I"}
    for name in native:
        try:
            known.add(stim.gate_data(name).name)
        except IndexError:
            raise ValueError(f"Stim has no gate '{name[:64]}'") from None
    found: set[str] = set()
    for text in texts:
        found.update(_NAME.findall(text))
    return sorted(found - known)
