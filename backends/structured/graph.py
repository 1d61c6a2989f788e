"""Graphs of nodes that hold statements: what `nodes` makes and `regions` nests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from qwasmc.backends.structured.tree import Expression, Statement


@dataclass(slots=True)
class Way:
    """A way from a node to the next one, and what happens on it."""

    to: int
    body: list[Statement] = field(default_factory=list)


@dataclass(slots=True)
class Node:
    """Statements, and the ways on: none, one, or two, the first of them if a bit is 1."""

    body: list[Statement] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)
    condition: Expression | None = None
    loc: int = -1


Graph = dict[int, Node]
"""Nodes by number; the way to a number that is not there leads to the end."""


def components(
    members: Sequence[int], successors: Callable[[int], Iterable[int]]
) -> list[list[int]]:
    """Sets of nodes that reach each other, each set after those that it leads to.

    Tarjan, "Depth-first search and linear graph algorithms" (1972).
    """
    inside = set(members)
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    done: set[int] = set()
    found: list[list[int]] = []
    for start in members:
        if start in number:
            continue
        number[start] = low[start] = len(number)
        stack.append(start)
        todo = [(start, iter(successors(start)))]
        while todo:
            node, rest = todo[-1]
            for other in rest:
                if other not in inside or other in done:
                    continue
                if other not in number:
                    number[other] = low[other] = len(number)
                    stack.append(other)
                    todo.append((other, iter(successors(other))))
                    break
                low[node] = min(low[node], number[other])
            else:
                todo.pop()
                if todo:
                    above = todo[-1][0]
                    low[above] = min(low[above], low[node])
                if low[node] == number[node]:
                    component = [stack.pop()]
                    while component[-1] != node:
                        component.append(stack.pop())
                    done.update(component)
                    found.append(component[::-1])
    return found
