"""Which blocks of a function every way to a block goes through, and where ways meet.

A flow graph is, for each node, the nodes it leads to; node 0 is where it starts.  A node dominates
another if every way from the start to that goes through it; the last such node but itself is its
immediate dominator.  The frontier of a node are the nodes that it does not dominate (or that
are itself), but a predecessor of which it does: there what it computed meets something else.
"""

from __future__ import annotations

from collections.abc import Sequence

Graph = Sequence[Sequence[int]]


def search(graph: Graph) -> dict[int, int]:
    """The nodes that the start leads to, depth first, and through which node each was met."""
    found: dict[int, int] = {}
    stack = [(0, -1)]
    while stack:
        node, through = stack.pop()
        if node not in found:
            found[node] = through
            stack += [(after, node) for after in reversed(graph[node]) if after not in found]
    return found


def predecessors(graph: Graph, nodes: Sequence[int]) -> list[list[int]]:
    """For each node, those of `nodes` that lead to it, once for each way they do."""
    leading: list[list[int]] = [[] for _ in graph]
    for node in nodes:
        for after in graph[node]:
            leading[after].append(node)
    return leading


def immediate_dominators(graph: Graph) -> dict[int, int]:
    """By node that the start leads to, in the order of a search; -1 for the start.

    The algorithm of Lengauer and Tarjan (ACM TOPLAS 1, 1979) with path compression.
    """
    parents = search(graph)
    order = list(parents)
    number = {node: index for index, node in enumerate(order)}
    # From here on nodes go by their numbers in the search.
    parent = [number.get(through, -1) for through in parents.values()]
    leading = [[number[node] for node in before] for before in predecessors(graph, order)]
    forest = _Forest(len(order))
    semi = forest.semi
    dominator = [-1] * len(order)
    waiting: list[list[int]] = [[] for _ in order]
    for node in range(len(order) - 1, 0, -1):
        semi[node] = min(semi[forest.lowest(before)] for before in leading[order[node]])
        waiting[semi[node]].append(node)
        above = parent[node]
        forest.ancestor[node] = above
        for other in waiting[above]:
            lowest = forest.lowest(other)
            dominator[other] = lowest if semi[lowest] < above else above
        waiting[above].clear()
    for node in range(1, len(order)):
        if dominator[node] != semi[node]:
            dominator[node] = dominator[dominator[node]]
    return {order[n]: order[d] if d >= 0 else -1 for n, d in enumerate(dominator)}


class _Forest:
    """The part of the search tree that has been seen, with its ways up kept short."""

    def __init__(self, size: int) -> None:
        self.ancestor = [-1] * size
        self.semi = list(range(size))
        self._best = list(range(size))

    def lowest(self, node: int) -> int:
        """The node with the lowest `semi` on the way up from a node, without the root there."""
        if self.ancestor[node] < 0:
            return node
        way = [node]
        while self.ancestor[self.ancestor[way[-1]]] >= 0:
            way.append(self.ancestor[way[-1]])
        for below in reversed(way[:-1]):
            above = self.ancestor[below]
            if self.semi[self._best[above]] < self.semi[self._best[below]]:
                self._best[below] = self._best[above]
            self.ancestor[below] = self.ancestor[above]
        return self._best[node]


def frontiers(graph: Graph, dominators: dict[int, int], limit: int) -> dict[int, list[int]] | None:
    """The frontier of each node that has one; None if they have more than `limit` nodes."""
    found: dict[int, list[int]] = {}
    size = 0
    leading = predecessors(graph, list(dominators))
    for meeting, dominator in dominators.items():
        if len(leading[meeting]) < 2:
            continue
        for before in leading[meeting]:
            node = before
            while node != dominator:
                frontier = found.setdefault(node, [])
                if frontier and frontier[-1] == meeting:
                    break  # so have those above
                frontier.append(meeting)
                size += 1
                node = dominators[node]
        if size > limit:
            return None
    return found
