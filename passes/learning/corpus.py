"""A corpus of circuits: as text for jobs, and split into what is learned from and what judges."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256

import numpy as np

from qwasmc.columns import from_bytes, to_bytes
from qwasmc.diagnostics import Locations
from qwasmc.ir.circuit import Circuit

HELD_OUT = 5
"""One circuit in so many judges, if there are that many."""

KEPT = 64
"""Circuits that a worker keeps ready."""


def pack(circuit: Circuit) -> str:
    """A circuit as text, without the source positions."""
    plain = replace(circuit, loc=np.full_like(circuit.loc, -1), locations=Locations())
    return base64.b64encode(zlib.compress(b"".join(to_bytes(plain)))).decode()


@lru_cache(KEPT)
def unpack(text: str) -> Circuit:
    """The circuit that was packed."""
    found = from_bytes(zlib.decompress(base64.b64decode(text)), Locations())
    assert isinstance(found, Circuit)
    return found


def split(names: Sequence[str], seed: int) -> tuple[list[int], list[int]]:
    """Which circuits are learned from, and which only judge: about a fifth, none of four or fewer.

    It is drawn by names and seed, whatever the circuits are.
    """
    drawn = [sha256(f"{seed}\n{name}".encode()).digest() for name in names]
    order = sorted(range(len(names)), key=lambda at: (drawn[at], at))
    judges = order[: len(names) // HELD_OUT]
    return sorted(set(order) - set(judges)), sorted(judges)
