"""A region: all rows from where a reversible segment begins to where it is undone."""

from __future__ import annotations

from typing import NamedTuple


class Region(NamedTuple):
    """The markers of a segment, by row of a circuit on wires, and its scratch wires."""

    name: str
    begin: int
    """Its `rev_begin`."""
    end: int
    """Its `rev_end`."""
    undo: int
    """Its `uncompute`."""
    scratch: tuple[int, ...]
    """Wires in |0> where it begins, or allocated inside; what is written to them is undone."""
    ancillas: tuple[int, ...] = ()
    """Those of them that are allocated and freed inside, in |0> both times."""
