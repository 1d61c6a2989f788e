"""Which blocks of a function dominate which: those that every way to a block goes through.

Lengauer and Tarjan, "A fast algorithm for finding dominators in a flowgraph" (1979), the version
that takes O(m log n) for n blocks and m edges.
"""

from __future__ import annotations

from collections.abc import Sequence


class Dominance:
    """The dominator tree of a graph of blocks 0, 1, ...; block 0 is where control enters.

    `order` has the blocks that can be reached, each after the blocks that dominate it.
    """

    def __init__(self, successors: Sequence[Sequence[int]]) -> None:
        idom = immediate_dominators(successors)
        children: list[list[int]] = [[] for _ in idom]
        for block, dominator in enumerate(idom):
            if dominator >= 0:
                children[dominator].append(block)
        self.order: list[int] = []
        self.enter = [-1] * len(idom)
        """By block, its place in `order`; -1 if it cannot be reached."""
        self.leave = [-1] * len(idom)
        """The place after the last block it dominates."""
        todo = [0] if idom else []
        while todo:
            block = todo.pop()
            if block < 0:
                self.leave[~block] = len(self.order)
                continue
            self.enter[block] = len(self.order)
            self.order.append(block)
            todo.append(~block)
            todo.extend(reversed(children[block]))

    def dominates(self, a: int, b: int) -> bool:
        """Whether block a dominates block b, which can be reached."""
        return self.enter[a] <= self.enter[b] < self.leave[a]


def immediate_dominators(successors: Sequence[Sequence[int]]) -> list[int]:
    """The closest dominator of each block; -1 for block 0 and for what cannot be reached."""
    if not successors:
        return []
    order, parent = _depth_first(successors)
    number = [-1] * len(successors)
    for place, block in enumerate(order):
        number[block] = place
    before: list[list[int]] = [[] for _ in order]
    for place, block in enumerate(order):
        for successor in successors[block]:
            before[number[successor]].append(place)
    closest = _closest([number[block] for block in parent], before)
    idom = [-1] * len(successors)
    for place in range(1, len(order)):
        idom[order[place]] = order[closest[place]]
    return idom


def _depth_first(successors: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    """The blocks in depth-first order, and the one each was reached from (0 for the first)."""
    order, parent = [0], [0]
    seen = {0}
    todo = [(0, iter(successors[0]))]
    while todo:
        block, rest = todo[-1]
        following = next((s for s in rest if s not in seen), -1)
        if following < 0:
            todo.pop()
            continue
        seen.add(following)
        order.append(following)
        parent.append(block)
        todo.append((following, iter(successors[following])))
    return order, parent


def _closest(parent: Sequence[int], before: Sequence[Sequence[int]]) -> list[int]:
    """Immediate dominators, where blocks are numbered in depth-first order.

    `before` are the predecessors of each block.
    """
    n = len(parent)
    semi, closest = list(range(n)), [0] * n
    forest = _Forest(semi)
    waiting: list[list[int]] = [[] for _ in range(n)]
    """Blocks by their semidominator, until their closest dominator is known."""
    for block in range(n - 1, 0, -1):
        semi[block] = min(semi[forest.best(v)] for v in before[block])
        waiting[semi[block]].append(block)
        above = parent[block]
        forest.root[block] = above
        for v in waiting[above]:
            best = forest.best(v)
            closest[v] = best if semi[best] < semi[v] else above
        waiting[above].clear()
    for block in range(1, n):
        if closest[block] != semi[block]:
            closest[block] = closest[closest[block]]
    return closest


class _Forest:
    """The part of the depth-first tree seen so far, with compressed paths."""

    def __init__(self, semi: list[int]) -> None:
        self.semi = semi
        self.root = [-1] * len(semi)
        """A block above each block, -1 at a root."""
        self.least = list(range(len(semi)))
        """The block with the least semidominator from each block up to (without) `root`."""

    def best(self, block: int) -> int:
        """The block with the least semidominator on the path from a block to below its root."""
        root, least, semi = self.root, self.least, self.semi
        if root[block] < 0:
            return block
        path = []
        at = block
        while root[root[at]] >= 0:
            path.append(at)
            at = root[at]
        for v in reversed(path):
            above = root[v]
            if semi[least[above]] < semi[least[v]]:
                least[v] = least[above]
            root[v] = root[above]
        return least[block]
