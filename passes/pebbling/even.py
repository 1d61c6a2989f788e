"""Where to go by on lines that are too long for tables: where a chain of equal nodes goes by."""

from __future__ import annotations

from qwasmc.passes.pebbling.chains import Chain
from qwasmc.passes.pebbling.lines import Line


class Even:
    """Positions on a line as if each position were a node, and its front a number of them.

    Args:
        line: the line.
        ghosts: whether there are ghosts.
        room: the ancillas.
        width: how many nodes are held for one position.
    """

    def __init__(self, line: Line, ghosts: bool, room: int, width: int) -> None:
        self.end = len(line.nodes) - 1
        self.ghosts = ghosts
        self.width = width
        self.extra = int(line.extra.max())
        self.chain = Chain(self.end, 0, ghosts, (room - self.extra) // width)

    def at(self, p: int, q: int, room: int) -> int:
        """The position to go by between two."""
        # The room of checkpoints includes what is held at p, that of a chain does not.
        free = (room - self.extra) // self.width - (self.ghosts and p > 0)
        free = min(max(free, 1), self.chain.room)
        return p + int(self.chain.split[int(q == self.end), free, q - p])
