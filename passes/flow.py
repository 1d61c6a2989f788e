"""The blocks of a function in the order in which they are run, and its loops.

The order is a weak topological one (Bourdoncle, FMPA 1993): blocks of a loop stand together, its
head first, and every edge leads forward or to the head of a loop around it.

    0 entry   1 (head   2 body   3 latch)   4 exit        edges: 0-1, 1-2, 2-3, 3-1, 1-4, 2-4
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from qwasmc.ir.program import Block, Function, Op, Value
from qwasmc.ops import OpSpec
from qwasmc.passes.symbolic import Refusal

MAX_NESTING = 100
"""Loops around a block; finding them takes time for each."""

UNTIMED = ("insert", "extract")
"""Operations on qubits that only move them about."""


@dataclass(slots=True, eq=False)
class Loop:
    """Blocks from `head` up to `end`, and the loop around them."""

    head: int
    end: int
    parent: Loop | None
    depth: int = 1


class TooDeep(Exception):
    """Too many loops are around a node."""

    def __init__(self, node: int) -> None:
        super().__init__(node)
        self.node = node


class Plan:
    """What is known about a function before it is run.  A block is known by its place in line."""

    def __init__(self, function: Function) -> None:
        self.function = function
        blocks = function.blocks
        number = {block: at for at, block in enumerate(blocks)}
        edges = [
            [number[target.block] for target in (block.ops[-1].targets if block.ops else ())]
            for block in blocks
        ]
        try:
            order, loops = weak_order(edges)
        except TooDeep as found:
            message = f"loops are nested more than {MAX_NESTING} deep"
            raise Refusal(message, loc=blocks[found.node].ops[-1].loc) from found
        self.blocks = [blocks[at] for at in order]
        self.place = {block: at for at, block in enumerate(self.blocks)}
        self.successors = [[self.place[blocks[to]] for to in edges[at]] for at in order]
        self.loops = loops
        """By place: the innermost loop."""
        self.calls = [_calls(block) for block in self.blocks]
        """By place: where in the block the calls are."""
        self.ends_at_once = [_ends_at_once(block, function) for block in self.blocks]
        """By place: whether all that the block does is to end the program."""
        self.shared: list[Value] = []
        """Values that a block takes from another one."""
        self.takes: list[list[tuple[Value, int]]] = [[] for _ in self.blocks]
        """By place: shared values that it uses, with their numbers."""
        self.gives: list[list[tuple[Value, int]]] = [[] for _ in self.blocks]
        """By place: shared values that it defines, with their numbers."""
        if len(self.blocks) > 1:
            self._find_shared()

    @property
    def exit(self) -> int:
        """The place after all blocks, where returns go."""
        return len(self.blocks)

    def _find_shared(self) -> None:
        numbers: dict[Value, int] = {}
        for place, block in enumerate(self.blocks):
            own = set(block.args)
            taken: dict[Value, None] = {}
            for op in block.ops:
                for value in _uses(op):
                    if value not in own:
                        taken[value] = None
                own.update(op.results)
            for value in taken:
                if value not in numbers:
                    numbers[value] = len(numbers)
                    self.shared.append(value)
                self.takes[place].append((value, numbers[value]))
        for place, block in enumerate(self.blocks):
            defined = [*block.args, *(value for op in block.ops for value in op.results)]
            self.gives[place] = [(value, numbers[value]) for value in defined if value in numbers]

    def inside(self, loop: Loop, place: int) -> bool:
        """Whether a block belongs to a loop."""
        return loop.head <= place < loop.end

    def returns_at_once(self, loop: Loop, place: int) -> bool:
        """Whether nothing happens to qubits on the way from a block of a loop to its head."""
        waiting, seen = [place], {loop.head}
        while waiting:
            at = waiting.pop()
            if at in seen or not self.inside(loop, at):
                continue
            seen.add(at)
            if any(op.name == "call" or _acts(op.spec) for op in self.blocks[at].ops):
                return False
            waiting += self.successors[at]
        return True


def _ends_at_once(block: Block, function: Function) -> bool:
    end = block.ops[-1].spec.name
    if end not in ("fail", "halt") and (end, function.name) != ("return", "main"):
        return False
    return all(op.spec.name.startswith("const") for op in block.ops[:-1])


def _uses(op: Op) -> list[Value]:
    used = [*op.operands, *(value for target in op.targets for value in target.args)]
    return used if op.cond is None else [*used, op.cond]


def _calls(block: Block) -> list[int]:
    return [at for at, op in enumerate(block.ops) if op.spec.name == "call"]


def _acts(spec: OpSpec) -> bool:
    return spec.qubits != 0 and spec.name not in UNTIMED


def weak_order(edges: Sequence[Sequence[int]]) -> tuple[list[int], list[Loop | None]]:
    """The nodes reachable from node 0, in order, and the innermost loop of each place."""
    ordering = _Ordering(edges)
    ordering.run()
    return ordering.order, ordering.loops


class _Ordering:
    """Parts the graph into strongly connected components, and those without their heads again."""

    def __init__(self, edges: Sequence[Sequence[int]]) -> None:
        self.edges = edges
        self.order: list[int] = []
        self.loops: list[Loop | None] = []
        self.region = [0] * len(edges)
        """By node: the part of the graph that it is in for now."""
        self.regions = 0
        self.todo: list[Callable[[], None]] = []
        """What is left to do, the next one last."""

    def run(self) -> None:
        self.part([0], 0, None)
        while self.todo:
            self.todo.pop()()

    def part(self, starts: Sequence[int], region: int, loop: Loop | None) -> None:
        """Order what can be reached in a region."""
        for component in self.components(starts, region):  # the last one first
            node = component[0]
            if len(component) > 1 or node in self.edges[node]:
                self.todo.append(partial(self.open, component, loop))
            else:
                self.todo.append(partial(self.place, node, loop))

    def place(self, node: int, loop: Loop | None) -> None:
        """A node is the next one."""
        self.order.append(node)
        self.loops.append(loop)

    def open(self, component: Sequence[int], parent: Loop | None) -> None:
        """A loop is next: its head, then the rest."""
        loop = Loop(len(self.order), 0, parent, 1 if parent is None else parent.depth + 1)
        if loop.depth > MAX_NESTING:
            raise TooDeep(component[0])
        self.regions += 1
        for node in component:
            self.region[node] = self.regions
        self.region[component[0]] = -1
        self.place(component[0], loop)
        self.todo.append(partial(self.close, loop))
        self.todo.append(partial(self.part, self.edges[component[0]], self.regions, loop))

    def close(self, loop: Loop) -> None:
        """All blocks of a loop have their places."""
        loop.end = len(self.order)

    def components(self, starts: Sequence[int], region: int) -> list[list[int]]:
        """Strongly connected components, each after those it leads to (Tarjan 1972).

        The node through which a component was entered stands first in it.
        """
        found: list[list[int]] = []
        time: dict[int, int] = {}
        lowest: dict[int, int] = {}
        """By node that was visited: the earliest open node known to be reachable, as a time."""
        opened: list[int] = []
        place: dict[int, int] = {}
        path: list[tuple[int, Iterator[int]]] = []

        def enter(node: int) -> None:
            time[node] = lowest[node] = len(time)
            place[node] = len(opened)
            opened.append(node)
            inner = (to for to in reversed(self.edges[node]) if self.region[to] == region)
            path.append((node, inner))

        for start in reversed(starts):
            if self.region[start] == region and start not in time:
                enter(start)
            while path:
                node, edges = path[-1]
                following = next(edges, None)
                if following is None:
                    path.pop()
                    if path:
                        above = path[-1][0]
                        lowest[above] = min(lowest[above], lowest[node])
                    if lowest[node] == time[node]:
                        members = opened[place[node] :]
                        del opened[place[node] :]
                        found.append(members)
                        lowest.update(dict.fromkeys(members, len(self.edges)))  # out of the way
                elif following not in time:
                    enter(following)
                else:
                    lowest[node] = min(lowest[node], lowest[following])
        return found
