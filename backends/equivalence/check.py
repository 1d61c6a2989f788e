"""What a checker found."""

from __future__ import annotations

from typing import NamedTuple


class Check(NamedTuple):
    """A finding: `result` is "proved", "failed", "not decided" or "skipped"."""

    check: str
    result: str
    detail: str
