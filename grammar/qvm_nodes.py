"""QVM graphs as data: what a JSON graph says, checked against its schema.

A graph has nodes (operations over named handles: qubits, channels, events), the resources that
declare the handles, and capabilities.  Keys that the schema does not know are kept by conversions
and mean nothing; those that look like a misspelt key are errors, because ignoring a guard would
change the program.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from qwasmc.diagnostics import Kind, did_you_mean
from qwasmc.grammar.evaluator import Limits, LineError, Span
from qwasmc.grammar.evaluator import Value as Constant
from qwasmc.grammar.instructions import KEYWORDS, NAME
from qwasmc.grammar.mnemonics import MNEMONICS
from qwasmc.grammar.qvm_guard import Guard, events, guard_of
from qwasmc.grammar.qvm_json import Item, Plain, dumps, kind

VERSION = "0.1"
HANDLES = ("vqs", "chs", "events")
NODE_KEYS = ("id", "op", "args", "inputs", "produces", "vqs", "chs", "caps", "guard")
GRAPH_KEYS = ("version", "program", "resources", "caps")

_GRAPH_STYLE = re.compile(
    r"ALLOC_LQ|FREE_LQ|FENCE_EPOCH|BAR_REGION|RESET|(APPLY|MEASURE)_\w+|COND_PAULI|TELEPORT_CNOT"
    r"|INJECT_T_STATE|(OPEN|USE|CLOSE)_CHAN|SET_POLICY"
)
CHANNEL_OPS = ("OPEN_CHAN", "USE_CHAN", "CLOSE_CHAN")
OPCODES = tuple(name for name in (*MNEMONICS, "SET_POLICY") if _GRAPH_STYLE.fullmatch(name))
"""Operations that a node can have."""

_CAPABILITY = re.compile(r"CAP_[A-Z0-9_]+")
_KINDS = {"vqs": "qubit", "chs": "channel", "events": "event"}
_EFFECTLESS = frozenset({"FENCE_EPOCH", "BAR_REGION", "SET_POLICY"})


@dataclass(slots=True)
class GraphNode:
    """A node; `item` is where it was written, if it was read from JSON."""

    op: str
    id: str = ""
    vqs: Sequence[str] = ()
    chs: Sequence[str] = ()
    inputs: Sequence[str] = ()
    produces: Sequence[str] = ()
    caps: Sequence[str] = ()
    args: Mapping[str, Constant] = field(default_factory=dict)
    guard: Guard | None = None
    item: Item | None = None

    def plain(self) -> dict[str, Plain]:
        """The node as JSON data, without what is empty."""
        found: dict[str, Plain] = {"id": self.id, "op": self.op}
        if self.args:
            found["args"] = {key: _plain(value) for key, value in self.args.items()}
        for key, names in (
            ("vqs", self.vqs),
            ("chs", self.chs),
            ("inputs", self.inputs),
            ("produces", self.produces),
        ):
            if names:
                found[key] = list(names)
        if self.guard is not None:
            found["guard"] = self.guard
        if self.caps:
            found["caps"] = list(self.caps)
        return found

    def events(self) -> Iterator[str]:
        """The events it looks at."""
        yield from self.inputs
        if self.guard is not None:
            yield from events(self.guard)

    def span(self, key: str) -> Span:
        """Where one of its keys has its value; where its opcode stands if it has no such key."""
        assert self.item is not None
        members: dict[str, Item] = self.item.value
        return members[key if key in members else "op"].span

    def spans(self, key: str) -> list[Span]:
        """Where the elements of a list stand."""
        assert self.item is not None
        found = self.item.value.get(key)
        return [] if found is None else [element.span for element in found.value]


def _plain(value: Constant) -> Plain:
    return [_plain(element) for element in value] if isinstance(value, list) else value


def constant(value: Plain) -> Constant:
    """A JSON value as a value of text; what text has no form for becomes its JSON text."""
    if value is None or isinstance(value, dict):
        return dumps(value)
    return [constant(element) for element in value] if isinstance(value, list) else value


def _has_nul(value: Plain) -> bool:
    if isinstance(value, dict):
        return any(_has_nul(part) for part in [*value, *value.values()])
    if isinstance(value, list):
        return any(map(_has_nul, value))
    return isinstance(value, str) and "\0" in value


@dataclass(slots=True)
class Graph:
    """A graph; `item` is all of it as it was written."""

    nodes: list[GraphNode]
    caps: list[str]
    item: Item


class BadGraph(Exception):
    """What is wrong with a graph."""

    def __init__(self, errors: Sequence[LineError]) -> None:
        super().__init__(errors[0].message)
        self.errors = errors


def graph_of(item: Item, limits: Limits) -> Graph:
    """The graph that a JSON value spells; raises BadGraph with everything wrong with it."""
    return _Reader(limits).graph(item)


class _Reader:
    """Checks a graph and collects what is wrong."""

    def __init__(self, limits: Limits) -> None:
        self.most = limits.errors
        self.errors: list[LineError] = []
        self.declared: dict[str, dict[str, None]] = {}

    def fail(self, message: str, where: Span, *, label: str = "", help: str = "") -> None:
        """Note an error; stop when there are enough."""
        self.add(LineError(message, where, label=label, help=help))

    def add(self, problem: LineError) -> None:
        """Note an error; stop when there are enough."""
        self.errors.append(problem)
        if len(self.errors) >= self.most or problem.kind is Kind.LIMIT:
            raise BadGraph(self.errors)

    def graph(self, item: Item) -> Graph:
        """The whole graph."""
        if not isinstance(item.value, dict):
            self.fail(f"a graph is an object, not {kind(item)}", item.span)
            raise BadGraph(self.errors)
        members = item.value
        self._misspelt(item, GRAPH_KEYS, "a graph")
        for key in ("version", "program"):
            if key not in members:
                self.fail(f"the graph has no '{key}'", (item.start, item.start + 1))
        version = members.get("version")
        if version is not None and version.value != VERSION:
            message = f"version {dumps(version.plain()):.40} is not supported"
            help = f'this compiler reads version "{VERSION}"'
            self.fail(message, version.span, help=help)
        self._resources(members.get("resources"))
        caps = self._capabilities(members.get("caps"))
        nodes = self._nodes(members.get("program"))
        if self.errors:
            raise BadGraph(self.errors)
        return Graph(nodes, caps, item)

    def _misspelt(self, item: Item, keys: Sequence[str], what: str) -> None:
        """Report keys that look like a known one that is absent."""
        absent = [key for key in keys if key not in item.value]
        for key, member in item.value.items():
            if key in keys:
                continue
            near = difflib.get_close_matches(key[:64], absent, n=1, cutoff=0.8)
            if near:
                help = f"did you mean '{near[0]}'?"
                self.fail(f"{what} has no key '{key:.60}'", member.key, help=help)

    def _strings(self, item: Item | None, what: str, pattern: re.Pattern[str]) -> list[str]:
        """A list of strings of a pattern; empty if there is none."""
        if item is None:
            return []
        if not isinstance(item.value, list):
            self.fail(f"{what} must be a list of strings, not {kind(item)}", item.span)
            return []
        found = []
        for element in item.value:
            if not isinstance(element.value, str):
                self.fail(f"{what} must be strings, not {kind(element)}", element.span)
            elif not pattern.fullmatch(element.value):
                name = "capability" if pattern is _CAPABILITY else "name"
                self.fail(f"'{element.value:.60}' is not a {name}", element.span)
            else:
                found.append(element.value)
        return found

    def _resources(self, item: Item | None) -> None:
        self.declared = {key: {} for key in HANDLES}
        if item is None:
            return
        if not isinstance(item.value, dict):
            self.fail(f"resources are an object, not {kind(item)}", item.span)
            return
        self._misspelt(item, HANDLES, "resources")
        for key in HANDLES:
            names = self._strings(item.value.get(key), key, NAME)
            self.declared[key] = dict.fromkeys(names)
            if len(self.declared[key]) < len(names):
                self._repeated(item.value[key])
        for key, others in (("chs", ("vqs",)), ("events", ("vqs", "chs"))):
            for element in item.value[key].value if self.declared[key] else ():
                if any(element.value in self.declared[other] for other in others):
                    self.fail(f"'{element.value:.60}' is two kinds of handle", element.span)

    def _repeated(self, item: Item) -> None:
        seen: set[str] = set()
        for element in item.value:
            if isinstance(element.value, str) and element.value in seen:
                self.fail(f"'{element.value:.60}' is declared twice", element.span)
            seen.add(str(element.value))

    def _capabilities(self, item: Item | None) -> list[str]:
        caps = self._strings(item, "caps", _CAPABILITY)
        if item is not None and len(set(caps)) < len(caps):
            self._repeated(item)
        return caps

    def _nodes(self, program: Item | None) -> list[GraphNode]:
        if program is None:
            return []
        if not isinstance(program.value, dict):
            self.fail(f"a program is an object, not {kind(program)}", program.span)
            return []
        self._misspelt(program, ("nodes",), "a program")
        edges = program.value.get("edges")
        if edges is not None and edges.value:
            help = "the order of nodes follows from their handles"
            self.fail("a graph has no edges of its own", edges.span, help=help)
        nodes = program.value.get("nodes")
        if nodes is None or not isinstance(nodes.value, list):
            where = (program.start, program.start + 1) if nodes is None else nodes.span
            self.fail("a program has a list of nodes", where)
            return []
        ids: set[str] = set()
        found = []
        for item in nodes.value:
            node = self._node(item, ids)
            if node is not None:
                found.append(node)
        return found

    def _node(self, item: Item, ids: set[str]) -> GraphNode | None:
        if not isinstance(item.value, dict):
            self.fail(f"a node is an object, not {kind(item)}", item.span)
            return None
        before = len(self.errors)
        members = item.value
        self._misspelt(item, NODE_KEYS, "a node")
        for key in ("id", "op"):
            if key not in members:
                self.fail(f"the node has no '{key}'", (item.start, item.start + 1))
            elif not isinstance(members[key].value, str):
                found = kind(members[key])
                self.fail(f"the '{key}' of a node is a string, not {found}", members[key].span)
        if len(self.errors) > before:
            return None
        name, op = members["id"], members["op"]
        if not NAME.fullmatch(name.value):
            self.fail(f"'{name.value:.60}' is not a name", name.span)
        elif name.value in ids:
            self.fail(f"there are two nodes '{name.value:.60}'", name.span)
        ids.add(name.value)
        if op.value not in OPCODES:
            help = did_you_mean(op.value.upper(), OPCODES)
            label = "not an operation of graphs"
            self.fail(f"unknown operation '{op.value:.60}'", op.span, label=label, help=help)
        node = GraphNode(
            op.value,
            name.value,
            vqs=self._handles(members.get("vqs"), "vqs"),
            chs=self._handles(members.get("chs"), "chs"),
            inputs=self._handles(members.get("inputs"), "inputs"),
            produces=self._handles(members.get("produces"), "produces"),
            caps=self._strings(members.get("caps"), "caps", _CAPABILITY),
            args=self._arguments(members.get("args")),
            guard=self._guard(members.get("guard")),
            item=item,
        )
        if len(self.errors) == before:
            self._check(node)
        return node

    def _handles(self, item: Item | None, key: str) -> list[str]:
        """Names of handles, which are declared."""
        names = self._strings(item, key, NAME)
        resource = key if key in HANDLES else "events"
        if item is not None and len(names) == len(item.value):
            for element in item.value:
                self._declare(element.value, resource, element.span)
        return names

    def _declare(self, name: str, resource: str, where: Span) -> None:
        known = self.declared[resource]
        if name not in known:
            help = did_you_mean(name, known) or f"add it to {resource} of the resources"
            self.fail(f"{_KINDS[resource]} '{name:.60}' is not declared", where, help=help)

    def _guard(self, item: Item | None) -> Guard | None:
        if item is None:
            return None
        try:
            guard = guard_of(item)
        except LineError as problem:
            self.add(problem)
            return None
        for event in dict.fromkeys(events(guard)):
            where = item.value["event"].span if "event" in item.value else item.span
            self._declare(event, "events", where)
        return guard

    def _arguments(self, item: Item | None) -> dict[str, Constant]:
        """The arguments as values that text has too."""
        if item is None:
            return {}
        if not isinstance(item.value, dict):
            self.fail(f"args are an object, not {kind(item)}", item.span)
            return {}
        found: dict[str, Constant] = {}
        for key, member in item.value.items():
            if key == "inputs":
                self.fail("'inputs' stands in the node, not in its args", member.key)
            elif not NAME.fullmatch(key) or key.lower() in KEYWORDS:
                self.fail(f"'{key:.60}' is not the name of an argument", member.key)
            elif _has_nul(member.plain()):
                self.fail("a program cannot contain NUL", member.span)
            else:
                found[key] = constant(member.plain())
        return found

    def _check(self, node: GraphNode) -> None:
        """What the fields of a node must have to do with each other."""
        for op, made, key in (("ALLOC_LQ", "qubits", "vqs"), ("OPEN_CHAN", "channels", "chs")):
            if node.op == op and node.produces:
                help = f"the names of the {made} are its {key}"
                self.fail(f"{op} makes {made}, not events", node.span("produces"), help=help)
        if node.inputs and node.op != "COND_PAULI" and node.op not in _EFFECTLESS:
            guarded = set(events(node.guard)) if node.guard is not None else set()
            if not set(node.inputs) <= guarded:
                self.fail(
                    f"inputs of {node.op} have no meaning",
                    node.span("inputs"),
                    help="a guard says what an operation depends on; COND_PAULI has inputs",
                )
