"""The order in which the nodes of a QVM graph are executed.

Nodes stand in any order in the file.  What must be kept: a handle is made before it is used and
used before it is released; an event is produced before it is looked at.  Beyond that the nodes
that share a qubit or a channel keep their order in the file, as far as what must be kept allows.
A file whose order is right already is executed in that order.

Both kinds of order are edges; Tarjan's algorithm (SIAM J. Comput. 1, 1972), started at the nodes
in the order of the file, lists strongly connected components so that each follows what it
needs.  Where a component has several nodes, the file contradicts the dependencies: there only the
dependencies count, and the file breaks ties.  Linear time, but for sorting inside components.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from qwasmc.grammar.evaluator import LineError
from qwasmc.grammar.qvm_nodes import GraphNode

_SHOWN = 8
"""Nodes of a cycle that an error names."""


@dataclass(slots=True)
class Order:
    """Numbers of nodes in the order of execution, and where that departs from the file."""

    nodes: list[int]
    reordered: list[int] = field(default_factory=list)
    """One node of each group whose order in the file contradicts the dependencies."""


def execution_order(nodes: Sequence[GraphNode]) -> Order:
    """The order of execution; a LineError if nodes wait for each other."""
    edges = _Edges(len(nodes))
    edges.follow_handles(nodes)
    edges.follow_events(nodes)
    order = Order([])
    for component in _components(edges):
        if len(component) > 1:
            order.reordered.append(min(component))
            order.nodes += _sorted(component, edges.hard, nodes)
        else:
            order.nodes += component
    return order


class _Edges:
    """What each node comes after: `hard` must hold, `soft` is the order of the file."""

    def __init__(self, count: int) -> None:
        self.hard: list[list[int]] = [[] for _ in range(count)]
        self.soft: list[list[int]] = [[] for _ in range(count)]

    def follow_handles(self, nodes: Sequence[GraphNode]) -> None:
        """Qubits and channels are made, used and released."""
        for key, opener, closer in (
            ("vqs", "ALLOC_LQ", "FREE_LQ"),
            ("chs", "OPEN_CHAN", "CLOSE_CHAN"),
        ):
            users: dict[str, list[int]] = {}
            for number, node in enumerate(nodes):
                for name in dict.fromkeys(getattr(node, key)):
                    users.setdefault(name, []).append(number)
            for numbers in users.values():
                opens = [number for number in numbers if nodes[number].op == opener]
                closes = [number for number in numbers if nodes[number].op == closer]
                self._lifetime(numbers, opens, closes)

    def _lifetime(self, users: list[int], opens: list[int], closes: list[int]) -> None:
        if len(opens) > 1 or len(closes) > 1:
            # The name has several lives; only the file says which use belongs to which.
            for before, after in pairwise(users):
                self.hard[after].append(before)
            return
        ends = {*opens, *closes}
        between = [number for number in users if number not in ends]
        for number in [*between, *closes]:
            self.hard[number] += opens
        for number in closes:
            self.hard[number] += between
        for before, after in pairwise(between):
            self.soft[after].append(before)

    def follow_events(self, nodes: Sequence[GraphNode]) -> None:
        """Events are produced and looked at."""
        users: dict[str, list[tuple[int, bool]]] = {}
        for number, node in enumerate(nodes):
            for event in dict.fromkeys(node.events()):
                users.setdefault(event, []).append((number, False))
            for event in dict.fromkeys(node.produces):
                users.setdefault(event, []).append((number, True))
        for uses in users.values():
            self._event(uses)

    def _event(self, uses: list[tuple[int, bool]]) -> None:
        """An event that is produced again is another event from there on."""
        producer = next((number for number, produces in uses if produces), None)
        readers: list[int] = []
        started = False
        for number, produces in uses:
            if not produces:
                if producer is not None and producer != number:
                    self.hard[number].append(producer)
                readers.append(number)
            elif not started:
                started = True
            else:
                assert producer is not None
                self.hard[number] += [n for n in (producer, *readers) if n != number]
                producer, readers = number, []


def _components(edges: _Edges) -> list[list[int]]:
    """Strongly connected components, each after what it comes after."""
    count = len(edges.hard)
    index = [-1] * count
    low = [0] * count
    waiting = [False] * count
    stack: list[int] = []
    found: list[list[int]] = []
    clock = 0
    for root in range(count):
        if index[root] >= 0:
            continue
        path = [(root, iter(edges.hard[root] + edges.soft[root]))]
        index[root] = low[root] = clock
        clock += 1
        stack.append(root)
        waiting[root] = True
        while path:
            node, before = path[-1]
            for other in before:
                if index[other] < 0:
                    index[other] = low[other] = clock
                    clock += 1
                    stack.append(other)
                    waiting[other] = True
                    path.append((other, iter(edges.hard[other] + edges.soft[other])))
                    break
                if waiting[other]:
                    low[node] = min(low[node], index[other])
            else:
                path.pop()
                if path:
                    parent = path[-1][0]
                    low[parent] = min(low[parent], low[node])
                if low[node] == index[node]:
                    found.append(_popped(stack, node, waiting))
    return found


def _popped(stack: list[int], last: int, waiting: list[bool]) -> list[int]:
    """The nodes on top of the stack, down to the last."""
    component = []
    while True:
        node = stack.pop()
        waiting[node] = False
        component.append(node)
        if node == last:
            return component


def _sorted(component: list[int], hard: list[list[int]], nodes: Sequence[GraphNode]) -> list[int]:
    """The nodes of a component by their hard edges, ties by the file."""
    inside = set(component)
    missing = dict.fromkeys(component, 0)
    after: dict[int, list[int]] = {node: [] for node in component}
    for node in component:
        for other in hard[node]:
            if other in inside:
                missing[node] += 1
                after[other].append(node)
    ready = sorted(node for node in component if not missing[node])
    order = []
    while ready:
        node = heapq.heappop(ready)
        order.append(node)
        for other in after[node]:
            missing[other] -= 1
            if not missing[other]:
                heapq.heappush(ready, other)
    if len(order) < len(component):
        raise _cycle(inside - set(order), hard, nodes)
    return order


def _cycle(left: set[int], hard: list[list[int]], nodes: Sequence[GraphNode]) -> LineError:
    """The error about nodes of which each waits for another of them."""
    seen: dict[int, None] = {}
    node = min(left)
    while node not in seen:
        seen[node] = None
        node = min(other for other in hard[node] if other in left)
    cycle = list(seen)[list(seen).index(node) :]
    first = cycle.index(min(cycle))
    names = [nodes[number].id for number in [*cycle[first:], *cycle[:first], cycle[first]]]
    shown = " -> ".join(names[:_SHOWN]) + (" -> ..." if len(names) > _SHOWN else "")
    where = nodes[cycle[first]].span("id")
    return LineError(
        "the nodes wait for each other",
        where,
        label="part of a cycle",
        help=f"each needs what the next one makes: {shown}",
    )
