"""In which runs of a program something happens: sets of cubes in a tree of decisions.

A branch on a bit splits a node of the tree in two; a node is the cube of the bits decided above it.

    root --- m ------ m and n
         \\- not m \\- m and not n

A predicate is a set of nodes of which none is above another.  Where both halves of a split meet
again they become the node that was split, so that what follows an `if` is not predicated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import heappop, heappush
from typing import Generic, TypeVar

from qwasmc.passes.bits import Bits

T = TypeVar("T")

MAX_CUBES = 16
"""Cubes of a predicate that is split; more become one that is decided by their disjunction."""

MAX_FACTS = 64
"""Decisions that are looked at when asking what a predicate says about a bit."""


class Node:
    """A cube: `parent` and `literal`, the bit that was decided last (1 at the root).

    The literal of a node without a sibling is 1 in its runs only, not just among its parent's.
    """

    __slots__ = ("bit", "broken", "depth", "literal", "parent", "sibling")

    def __init__(self, parent: Node | None, literal: int) -> None:
        self.parent = parent
        self.literal = literal
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.sibling: Node | None = None
        self.broken = False
        """Whether some of its runs have ended, so that it cannot be put together again."""
        self.bit: int | None = 1 if parent is None else None

    def above(self) -> Iterator[Node]:
        """This node, its parent, and so on up to the root."""
        node: Node | None = self
        while node is not None:
            yield node
            node = node.parent


class Predicate:
    """A set of disjoint cubes, in a fixed order."""

    __slots__ = ("bit", "nodes")

    def __init__(self, nodes: tuple[Node, ...]) -> None:
        self.nodes = nodes
        self.bit: int | None = None


class Decisions:
    """The tree, and which of its nodes do not matter because their runs are errors."""

    def __init__(self, bits: Bits) -> None:
        self.bits = bits
        self.all = Predicate((Node(None, 1),))
        """Every run."""
        self._void: set[Node] = set()

    def bit(self, predicate: Predicate) -> int:
        """Whether a run is one of a predicate's."""
        if predicate.bit is None:
            predicate.bit = self.bits.parity(self._node_bit(node) for node in predicate.nodes)
        return predicate.bit

    def _node_bit(self, node: Node) -> int:
        path = []
        for each in node.above():
            if each.bit is not None:
                break
            path.append(each)
        for each in reversed(path):
            assert each.parent is not None
            assert each.parent.bit is not None
            each.bit = self.bits.conj(each.parent.bit, each.literal)
        assert node.bit is not None
        return node.bit

    # -- what a predicate says

    def known(self, predicate: Predicate, bit: int) -> int | None:
        """The value of a bit in all runs of a predicate, if it was decided."""
        if bit < 2:
            return bit
        if len(predicate.nodes) > MAX_CUBES:
            return None
        values = {self._decided(node, bit) for node in predicate.nodes}
        return values.pop() if len(values) == 1 else None

    def _decided(self, node: Node, bit: int) -> int | None:
        for literal in _facts(node):
            if literal >> 1 == bit >> 1:
                return int(literal == bit)
        return None

    def _implied(self, node: Node, bit: int) -> int | None:
        known = self._decided(node, bit)
        return known if known is not None else self.bits.decide(bit, _facts(node))

    # -- branches

    def split(self, predicate: Predicate, bit: int) -> tuple[Predicate | None, Predicate | None]:
        """The runs of a predicate in which a bit is 1, and those in which it is 0."""
        if bit < 2:
            return (predicate, None) if bit else (None, predicate)
        if len(predicate.nodes) > MAX_CUBES or _is_final(predicate):
            predicate = self._condensed(predicate)
        ones: list[Node] = []
        zeros: list[Node] = []
        for node in predicate.nodes:
            value = self._implied(node, bit)
            if value is None:
                one, zero = Node(node, bit), Node(node, bit ^ 1)
                one.sibling, zero.sibling = zero, one
                ones.append(one)
                zeros.append(zero)
            else:
                (ones if value else zeros).append(node)
        if not zeros or not ones:
            return (predicate, None) if ones else (None, predicate)
        return Predicate(tuple(ones)), Predicate(tuple(zeros))

    def _condensed(self, predicate: Predicate) -> Predicate:
        """The same runs as one cube, below what all cubes have in common."""
        nodes = set(predicate.nodes)
        while len(nodes) > 1:
            deepest = max(node.depth for node in nodes)
            nodes = {_lifted(node) if node.depth == deepest else node for node in nodes}
        (common,) = nodes
        node = Node(common, self.bit(predicate))
        node.bit = node.literal
        return Predicate((node,))

    # -- joins

    def merge(
        self, arrivals: Sequence[tuple[Predicate, T]], combine: Callable[[int, T, T], T]
    ) -> tuple[Predicate, T]:
        """The runs of any of the predicates, and what they carry.

        `combine(bit, x, y)` is x in the runs where the bit is 1, else y.  Siblings are combined
        by the bit that parted them; where a sibling has ended, its part may be anything.
        """
        if len(arrivals) == 1:
            ((predicate, carried),) = arrivals
            after = self.settled(predicate.nodes)
            return predicate if after.nodes == predicate.nodes else after, carried
        nodes = [node for predicate, _ in arrivals for node in predicate.nodes]
        carried = _Join(arrivals, combine).run()
        return self.settled(nodes), carried

    def settled(self, nodes: Iterable[Node]) -> Predicate:
        """A predicate of disjoint cubes, with siblings put together and void runs let in."""
        found: dict[Node, None] = {}
        for node in nodes:
            top = node
            while (sibling := top.sibling) is not None:
                if sibling in found:
                    del found[sibling]
                elif sibling not in self._void:
                    break
                top = _lifted(top)
            found[top] = None
        after = tuple(found)
        return self.all if after == self.all.nodes else Predicate(after)

    def end(self, predicate: Predicate) -> None:
        """The runs of a predicate have ended."""
        for node in predicate.nodes:
            for each in node.above():
                if each.broken:
                    break
                each.broken = True

    def give_up(self, predicate: Predicate) -> None:
        """From now on it does not matter what happens in the runs of a predicate."""
        for node in predicate.nodes:
            top = node
            while top.sibling in self._void:
                top = _lifted(top)
            self._void.add(top)

    def covers(self, predicate: Predicate, other: Predicate) -> bool:
        """Whether a predicate is seen to have every run of another one."""
        nodes = set(predicate.nodes)
        lowest = min(node.depth for node in nodes)
        return all(self._is_below(node, nodes, lowest) for node in other.nodes)

    def _is_below(self, node: Node, nodes: set[Node], lowest: int) -> bool:
        for each in node.above():
            if each in nodes:
                return True
            if each.depth <= lowest:
                return False
        return False


class _Join(Generic[T]):
    """What arrives at nodes, lifted towards the root until one thing is left."""

    def __init__(
        self, arrivals: Sequence[tuple[Predicate, T]], combine: Callable[[int, T, T], T]
    ) -> None:
        self.combine = combine
        self.carried: dict[Node, T] = {}
        self.queue: list[tuple[int, int, Node]] = []
        """The nodes that something is at, the lowest first."""
        self.order = 0
        self.alone: dict[Node, int] = {}
        """By node: the literal of the child without sibling that was lifted to it."""
        for predicate, carried in arrivals:
            for node in predicate.nodes:
                self.put(node, carried)

    def put(self, node: Node, carried: T) -> None:
        """Something is at a node now."""
        self.order += 1
        heappush(self.queue, (-node.depth, self.order, node))
        self.carried[node] = carried

    def run(self) -> T:
        """Siblings meet, and what has no sibling is lifted alone."""
        while len(self.carried) > 1:
            node = heappop(self.queue)[2]
            if node in self.carried:
                carried = self.carried.pop(node)
                if node.sibling in self.carried:
                    assert node.sibling is not None
                    other = self.carried.pop(node.sibling)
                    carried = self.join(node.literal, carried, other)
                self.lift(node, carried)
        return next(iter(self.carried.values()))

    def lift(self, node: Node, carried: T) -> None:
        """Put what a node carries at its parent."""
        parent = _lifted(node)
        if parent in self.carried:  # one of the two is a child without sibling
            literal, other = node.literal, self.carried[parent]
            if node.sibling is not None:
                literal, carried, other = self.alone[parent], other, carried
            self.carried[parent] = self.join(literal, carried, other)
        else:
            self.put(parent, carried)
        if node.sibling is None:
            self.alone[parent] = node.literal

    def join(self, literal: int, x: T, y: T) -> T:
        """x where the literal is 1, else y."""
        return x if x is y else self.combine(literal, x, y)


def _is_final(predicate: Predicate) -> bool:
    """Whether a predicate has several cubes that will never be one."""
    nodes = predicate.nodes
    return len(nodes) > 1 and all(_lifted(node).broken for node in nodes)


def _facts(node: Node) -> Iterator[int]:
    """The last few bits decided, which are 1."""
    for each, _ in zip(node.above(), range(MAX_FACTS)):  # noqa: B905
        yield each.literal


def _lifted(node: Node) -> Node:
    assert node.parent is not None
    return node.parent
