"""Why circuits cannot be compared."""

from __future__ import annotations


class Undecided(Exception):
    """What keeps circuits from being compared, and where in the source that is."""

    def __init__(self, message: str, loc: int = -1, function: int = 0) -> None:
        super().__init__(message)
        self.loc = loc
        self.function = function
        """It is 1 where two values differ that should not."""


class TooLarge(Undecided):
    """Functions take more memory or time than they may."""
