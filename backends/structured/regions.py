"""Graph -> nested statements: `if` where ways part and meet again, `while` around what repeats.

    1: h; measure -> m                    go = 1
       if m: 1 else: 2              =>    while go { h; measure -> m; go = m }
    2: x                                  x

A node to which several ways lead that parted in different places is written more than once.  A
loop ends where its condition is: where it is left in the middle, `go` becomes 0 and nothing else
of its body runs; a bit for each further exit says which one it was.  A loop that is entered in two
places is refused.
"""

from __future__ import annotations

from collections.abc import Sequence

from qwasmc.backends.refusals import refusal
from qwasmc.backends.structured.graph import Graph, Node, Way, components
from qwasmc.backends.structured.tree import (
    FALSE,
    TRUE,
    Assign,
    Expression,
    If,
    Read,
    Statement,
    Variable,
    While,
    copied,
    negation,
)
from qwasmc.diagnostics import Locations
from qwasmc.ops import Type
from qwasmc.verify.dominance import immediate_dominators

MAX_DEPTH = 100
"""Most conditions and loops inside each other."""

MAX_COPIES = 100_000
"""Most nodes and statements that are written again."""

END = -1
"""Where a graph ends."""


def nested(nodes: Sequence[Node], locations: Locations) -> list[Statement]:
    """The statements of a graph that begins at node 0.

    Raises CompileError for loops that are entered in two places, and for limits.
    """
    return _Nesting(locations).whole(dict(enumerate(nodes)), 0, 0)


class _Nesting:
    def __init__(self, locations: Locations) -> None:
        self.locations = locations
        self.going: set[Variable] = set()
        """Bits that say whether a loop goes on; where they are looked at they are 1."""
        self.written: set[int] = set()
        """Identities of the nodes that have been written."""
        self.copies = 0

    def whole(self, graph: Graph, entry: int, depth: int) -> list[Statement]:
        """The statements of a graph from its entry to END."""
        straight = dict(graph)
        for component in components(list(graph), lambda at: _leads(graph[at])):
            if len(component) > 1 or component[0] in _leads(graph[component[0]]):
                self.loop(straight, graph, component, entry, depth)
        return self.sequence(straight, _meeting_points(straight), entry, END, depth)

    # -- loops

    def loop(
        self, straight: Graph, graph: Graph, component: list[int], entry: int, depth: int
    ) -> None:
        """Put a node that is a loop in place of the nodes that it consists of."""
        header = self.header(graph, component, entry)
        inside = {at: graph[at] for at in component}
        exits = [way for node in inside.values() for way in node.ways if way.to not in inside]
        for at in component:
            del straight[at]
        first = inside[header]
        if len(exits) == 1 and not first.body and exits[0] in first.ways:
            straight[header] = self.while_(inside, header, exits[0], depth)
        else:
            self.going_loop(
                straight, inside, header, list(dict.fromkeys(w.to for w in exits)), depth
            )

    def header(self, graph: Graph, component: list[int], entry: int) -> int:
        """The node at which a loop is entered."""
        loop = set(component)
        entries = {entry} & loop
        for at, node in graph.items():
            if at not in loop:
                entries.update(to for to in _leads(node) if to in loop)
        if len(entries) != 1:
            message = "there is a jump into the middle of a loop, which has no nested form"
            raise refusal(self.locations, message, graph[min(entries)].loc)
        return entries.pop()

    def while_(self, inside: Graph, header: int, leave: Way, depth: int) -> Node:
        """A loop that is left at its beginning only."""
        first = inside.pop(header)
        assert first.condition is not None
        stays = first.ways[0] is not leave
        condition = first.condition if stays else negation(first.condition)
        stay = first.ways[0 if stays else 1]
        body = list(stay.body)
        if stay.to != header:
            inner = {at: _redirected(node, {header: []}) for at, node in inside.items()}
            body += self.whole(inner, stay.to, self.deeper(depth, first.loc))
        return Node([While(condition, body, first.loc)], [leave], None, first.loc)

    def going_loop(
        self, straight: Graph, inside: Graph, header: int, exits: list[int], depth: int
    ) -> None:
        """A loop that is left anywhere, to any of `exits`."""
        loc = inside[header].loc
        go = Variable(Type.I1, "go")
        self.going.add(go)
        left = [Variable(Type.I1, "left") for _ in exits[1:]]
        ends: dict[int, list[Statement]] = {header: []}
        for number, exit in enumerate(exits):
            said = [Assign(left[number - 1], TRUE, loc)] if number else []
            ends[exit] = [*said, Assign(go, FALSE, loc)]
        inner = {at: _redirected(node, ends) for at, node in inside.items()}
        body = self.whole(inner, header, self.deeper(depth, loc))
        start = [Assign(go, TRUE, loc), *(Assign(variable, FALSE, loc) for variable in left)]
        loop = While(Read(go), body, loc)
        node = straight[header] = Node([*start, loop], [], None, loc)
        for exit, variable in zip(exits[1:], left, strict=True):
            rest = max(straight) + 1
            node.ways, node.condition = [Way(exit), Way(rest)], Read(variable)
            node = straight[rest] = Node(loc=loc)
        node.ways = [Way(exit) for exit in exits[:1]]

    def deeper(self, depth: int, loc: int) -> int:
        """The depth inside of a statement."""
        if depth >= MAX_DEPTH:
            message = f"limit passed: more than {MAX_DEPTH} conditions and loops inside each other"
            raise refusal(self.locations, message, loc)
        return depth + 1

    # -- ways that part and meet

    def sequence(
        self, graph: Graph, meets: dict[int, int], at: int, stop: int, depth: int
    ) -> list[Statement]:
        """The statements from one node to another, without that."""
        found: list[Statement] = []
        while at != stop:
            node = graph[at]
            again = self.again(node)
            found += copied(node.body) if again else node.body
            ways = [Way(way.to, copied(way.body) if again else way.body) for way in node.ways]
            if node.condition is None:
                found += ways[0].body if ways else []
                at = ways[0].to if ways else END
                continue
            inner = self.deeper(depth, node.loc)
            then, otherwise = (
                [*way.body, *self.sequence(graph, meets, way.to, meets[at], inner)] for way in ways
            )
            found += self.branch(node.condition, then, otherwise, node.loc)
            at = meets[at]
        return found

    def again(self, node: Node) -> bool:
        """Whether a node has been written before."""
        if id(node) not in self.written:
            self.written.add(id(node))
            return False
        self.copies += 1 + len(node.body)
        if self.copies > MAX_COPIES:
            message = "limit passed: the jumps here are too entangled for nested statements"
            raise refusal(self.locations, message, node.loc)
        return True

    def branch(
        self, condition: Expression, then: list[Statement], otherwise: list[Statement], loc: int
    ) -> list[Statement]:
        """An `if`, or less."""
        go = self.ends(otherwise)
        if not then and go is not None:
            return [Assign(go, condition, loc)]
        go = self.ends(then)
        if not otherwise and go is not None:
            return [Assign(go, negation(condition), loc)]
        if not then:
            condition, then, otherwise = negation(condition), otherwise, then
        return [If(condition, then, otherwise, loc)] if then else []

    def ends(self, body: Sequence[Statement]) -> Variable | None:
        """The loop that some statements do nothing but end."""
        match body:
            case [Assign(variable=go)] if go in self.going:
                return go
        return None


def _leads(node: Node) -> list[int]:
    return [way.to for way in node.ways]


def _redirected(node: Node, ends: dict[int, list[Statement]]) -> Node:
    """A node whose ways to some others lead to END, by way of some statements."""
    ways = [
        Way(END, [*way.body, *copied(ends[way.to])]) if way.to in ends else way for way in node.ways
    ]
    return Node(node.body, ways, node.condition, node.loc)


def _meeting_points(graph: Graph) -> dict[int, int]:
    """Where all ways from each node of a graph without circles meet again.

    These are the dominators of the graph with all ways reversed.
    """
    number = {END: 0} | {at: place for place, at in enumerate(graph, 1)}
    reverse: list[list[int]] = [[] for _ in number]
    for at, node in graph.items():
        for to in _leads(node) or [END]:
            reverse[number[to]].append(number[at])
    order = list(number)
    found = immediate_dominators(reverse)
    return {at: order[found[number[at]]] for at in graph}
