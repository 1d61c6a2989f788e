"""From the bytes of a QVM graph to its nodes, their order and the program they are."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from qwasmc.diagnostics import CompileError, Diagnostic, Kind, Locations
from qwasmc.grammar.collector import collector_paused
from qwasmc.grammar.evaluator import Context, Limits, LineError, Literal, Node, Span
from qwasmc.grammar.evaluator import Value as Constant
from qwasmc.grammar.instructions import Builder, Instruction
from qwasmc.grammar.mnemonics import MNEMONICS
from qwasmc.grammar.qvm_guard import tree
from qwasmc.grammar.qvm_json import decode
from qwasmc.grammar.qvm_nodes import CHANNEL_OPS, BadGraph, Graph, GraphNode, graph_of
from qwasmc.grammar.qvm_order import Order, execution_order
from qwasmc.grammar.source import Source, Sources
from qwasmc.ir.program import Block, Function, Program


@dataclass(frozen=True, slots=True)
class Loaded:
    """A graph, the order of its nodes, and the program."""

    graph: Graph
    order: Order
    program: Program


def load(data: str | bytes, name: str, limits: Limits) -> Loaded:
    """Read a graph; raises CompileError with every error found."""
    locations = Locations()
    directory = Path(name).parent
    sources = Sources(locations, limits, [directory])
    places = _Places(sources.load(data, name, directory), locations)
    with collector_paused():
        try:
            graph = graph_of(decode(places.text, limits), limits)
            order = execution_order(graph.nodes)
        except LineError as problem:
            raise CompileError(places.diagnostic(problem)) from None
        except BadGraph as problem:
            raise CompileError(places.diagnostics(problem.errors)) from None
        block, builder = _built(graph, order, places, limits)
    return Loaded(
        graph,
        order,
        Program(
            [Function("main", [block])],
            locations,
            warnings=[*_reordered(graph, order, places, limits), *builder.warnings(locations)],
        ),
    )


def _built(graph: Graph, order: Order, places: _Places, limits: Limits) -> tuple[Block, Builder]:
    """The operations of the nodes."""
    block = Block()
    builder = Builder(block, Context(limits), MNEMONICS)
    errors: list[LineError] = []
    for number in order.nodes:
        node = graph.nodes[number]
        instruction = instruction_of(node, places.loc(node.span("op")))
        try:
            builder.context.expand(1)
            builder.instruction(instruction)
        except LineError as problem:
            builder.spoil(instruction.names())
            problem.span = problem.span or node.span("op")
            errors.append(problem)
            if problem.kind is Kind.LIMIT or len(errors) >= limits.errors:
                break
    found = places.diagnostics(errors) or _undeclared(builder, graph.caps, places.locations)
    # What is not declared has just been reported, in words that fit a graph.
    builder.declared.update(builder.needed)
    found = found or builder.finish(places.locations)
    if found:
        raise CompileError(found[: limits.errors])
    return block, builder


def _undeclared(builder: Builder, caps: Sequence[str], locations: Locations) -> list[Diagnostic]:
    return [
        locations.diagnostic(
            f"capability {capability} is not declared",
            loc,
            "needs it",
            f"add {capability} to the caps of the graph",
        )
        for capability, loc in builder.needed.items()
        if capability not in caps
    ]


def _reordered(graph: Graph, order: Order, places: _Places, limits: Limits) -> Iterator[Diagnostic]:
    """A warning for each group of nodes that is not executed in the order of the file."""
    for number in order.reordered[: limits.errors]:
        node = graph.nodes[number]
        problem = LineError(
            f"node '{node.id}' needs what nodes after it make that share its handles",
            node.span("id"),
            help="these nodes are executed in the order of their dependencies",
        )
        yield replace(places.diagnostic(problem), severity="warning")


# ---------------------------------------------------------------- instructions


def instruction_of(node: GraphNode, loc: int) -> Instruction:
    """The instruction that a node is."""
    operands, outputs = [*node.vqs], node.produces
    named = dict(node.args)
    if node.op == "ALLOC_LQ":
        operands, outputs = [], node.vqs
    elif node.op == "OPEN_CHAN":
        outputs = node.chs
    elif node.op in CHANNEL_OPS:
        operands += node.chs
    if node.op == "COND_PAULI" and node.inputs:
        named["inputs"] = [*node.inputs]
    guard = None if node.guard is None else tree(node.guard, *node.span("guard"))
    constants: list[Constant] = [*operands]
    return Instruction(
        node.op,
        constants,
        outputs,
        loc,
        named=named,
        guard=guard,
        capabilities=node.caps,
        nodes=_Parts(node),
    )


class _Parts(Mapping[str, Sequence[Node]]):
    """Where the parts of a node stand, looked up when an error asks."""

    def __init__(self, node: GraphNode) -> None:
        self.node = node

    def __getitem__(self, part: str) -> Sequence[Node]:
        node = self.node
        if part == "output":
            key = {"ALLOC_LQ": "vqs", "OPEN_CHAN": "chs"}.get(node.op, "produces")
            spans = node.spans(key)
        elif part == "operand":
            spans = node.spans("vqs") + node.spans("chs")
        else:
            spans = [self._argument(part)]
        return [Literal("", start, end) for start, end in spans]

    def _argument(self, part: str) -> Span:
        assert self.node.item is not None
        members = self.node.item.value
        arguments = members["args"].value if "args" in members else {}
        if part in arguments:
            span: Span = arguments[part].span
            return span
        return self.node.span(part)

    def __iter__(self) -> Iterator[str]:
        return iter(("operand", "output"))

    def __len__(self) -> int:
        return 2


# ---------------------------------------------------------------- positions


class _Places:
    """From offsets in a source to positions."""

    def __init__(self, source: Source, locations: Locations) -> None:
        self.text = source.text
        self.file = source.file
        self.locations = locations
        self._starts = [0]
        at = self.text.find("\n")
        while at >= 0:
            self._starts.append(at + 1)
            at = self.text.find("\n", at + 1)

    def loc(self, span: Span) -> int:
        """The position of a range; of the part on its first line if it has several."""
        start, end = span
        line = bisect_right(self._starts, start)
        first = self._starts[line - 1]
        last = self._starts[line] - 1 if line < len(self._starts) else len(self.text)
        column = start - first + 1
        return self.locations.add(
            self.file, line, column, max(column + 1, min(end, last) - first + 1)
        )

    def diagnostic(self, problem: LineError) -> Diagnostic:
        """An error as a diagnostic."""
        loc = self.loc(problem.span or (0, 1))
        found = self.locations.diagnostic(problem.message, loc, problem.label, problem.help)
        return replace(found, kind=problem.kind)

    def diagnostics(self, problems: Sequence[LineError]) -> list[Diagnostic]:
        """Errors in the order of the file."""
        ordered = sorted(problems, key=lambda problem: problem.span or (0, 1))
        return [self.diagnostic(problem) for problem in ordered]
