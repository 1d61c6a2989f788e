"""The blocks of a function as a graph: which are reached, dominate, repeat, and come last.

    0 -> 1, 1 -> 1 2, 2 -> 3 4       loops: {1}; last: 0, 2, 3, 4; ends: 2

Results are recorded in blocks that come last, so that every run that gets there records them once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from qwasmc.ir.program import Block, Function
from qwasmc.verify.dominance import Dominance, immediate_dominators

MAX_WAY = 256
"""Blocks that are looked at for the places where ways meet again."""


@dataclass(slots=True)
class Loop:
    """The blocks of a loop, by number."""

    header: int
    blocks: set[int] = field(default_factory=set)


class Flow:
    """The control flow of a function; blocks are numbers."""

    def __init__(self, function: Function) -> None:
        self.function = function
        number = {block: at for at, block in enumerate(function.blocks)}
        self.successors = [
            [number[target.block] for target in block.ops[-1].targets] for block in function.blocks
        ]
        self.dominance = Dominance(self.successors)
        self.order = self.dominance.order
        """The blocks that can be reached, each after those that dominate it."""
        self.dominator = immediate_dominators(self.successors)
        self.predecessors: list[list[int]] = [[] for _ in function.blocks]
        for block in self.order:
            for after in self.successors[block]:
                self.predecessors[after].append(block)
        self.number = number
        self.ends = sum(not self.successors[block] for block in self.order)
        """How many blocks a way may end in."""

    def blocks(self) -> list[Block]:
        """The blocks that can be reached, in order."""
        return [self.function.blocks[number] for number in self.order]

    @cached_property
    def last(self) -> set[int]:
        """Blocks that run at most once and that all ways from there keep to: every block that
        can be reached from them is dominated by them.
        """
        meeting = [0] * len(self.successors)
        """By block, how many edges leave the blocks that it dominates, or lead back to it."""
        for block in self.order:
            for after in self.successors[block]:
                meeting[block] += 1
                meeting[self.dominator[after]] -= 1
        for block in reversed(self.order[1:]):
            meeting[self.dominator[block]] += meeting[block]
        return {block for block in self.order if not meeting[block]}

    @cached_property
    def loops(self) -> list[Loop] | None:
        """The natural loops; None if some cycle has several entries."""
        found: dict[int, Loop] = {}
        for block in self.order:
            for header in self.successors[block]:
                if self.dominance.dominates(header, block):
                    loop = found.setdefault(header, Loop(header, {header}))
                    self._gather(block, loop.blocks)
        return None if self._has_other_cycles() else list(found.values())

    def _gather(self, block: int, into: set[int]) -> None:
        """Add a block and what leads to it, up to blocks already there."""
        todo = [block]
        while todo:
            at = todo.pop()
            if at not in into:
                into.add(at)
                todo += self.predecessors[at]

    def _has_other_cycles(self) -> bool:
        """Whether there is a cycle without the edges that close natural loops."""
        forward: list[list[int]] = [[] for _ in self.successors]
        waiting = [0] * len(self.successors)
        for block in self.order:
            for after in self.successors[block]:
                if not self.dominance.dominates(after, block):
                    forward[block].append(after)
                    waiting[after] += 1
        todo, seen = [0], 0
        while todo:
            seen += 1
            for after in forward[todo.pop()]:
                waiting[after] -= 1
                if not waiting[after]:
                    todo.append(after)
        return seen < len(self.order)

    def joins(self, branch: int) -> list[int] | None:
        """The blocks where ways meet that parted at the end of a block; None if they are long.

        Each way is followed under a name of its own up to where all have met; where a second name
        comes to a block, the way from there on is named after that block.
        """
        meeting = self._post_dominator[branch]
        name: dict[int, int] = {}
        todo = [(after, -1 - way) for way, after in enumerate(self.successors[branch])]
        while todo:
            if len(name) > MAX_WAY:
                return None
            block, way = todo.pop()
            known = name.get(block)
            if known in (way, block):
                continue
            name[block] = way if known is None else block
            if block not in (meeting, branch):
                todo += [(after, name[block]) for after in self.successors[block]]
        return sorted(block for block, way in name.items() if way == block)

    @cached_property
    def _post_dominator(self) -> list[int]:
        """By block, the first one that every way from there to the end goes through, or -1."""
        ends = [block + 1 for block in self.order if not self.successors[block]]
        backwards = [ends, *([p + 1 for p in before] for before in self.predecessors)]
        return [max(block - 1, -1) for block in immediate_dominators(backwards)[1:]]
