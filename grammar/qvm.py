"""QVM graphs: JSON -> Program, and between JSON and graph-style QWASM without loss.

    {"id": "fix", "op": "APPLY_X", "vqs": ["q"],      fix: APPLY_X q if m==1
     "guard": {"event": "m", "equals": 1}}

A graph and its text are the same program.  Nodes become lines in the order of their execution.
What a line cannot say (annotations, the order of the nodes in the file) goes into comments that
`from_text` reads again:

    ;qvm {"node": {"metadata": {"by": "hand"}}}
    h: APPLY_H q

qvm_json.py reads JSON with positions, qvm_nodes.py checks the graph, qvm_order.py orders its
nodes, qvm_load.py builds the program, qvm_text.py has nodes as lines and instructions as nodes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from qwasmc.diagnostics import CompileError, Locations
from qwasmc.grammar.evaluator import Limits, LineError, Value
from qwasmc.grammar.qvm_json import Plain, decode, dumps, dumps_ascii, shown
from qwasmc.grammar.qvm_load import load
from qwasmc.grammar.qvm_nodes import HANDLES, VERSION, BadGraph, GraphNode, graph_of
from qwasmc.grammar.qvm_order import execution_order
from qwasmc.grammar.qvm_text import Recorder, line_of, spoken
from qwasmc.grammar.qwasm import build
from qwasmc.ir.program import Program

__all__ = ["from_text", "read", "to_text"]

_NOTE = ";qvm {"
"""How a comment that is read begins."""


def read(data: str | bytes, name: str, *, limits: Limits | None = None) -> Program:
    """The program that a JSON graph is; raises CompileError with every error found."""
    return load(data, name, limits or Limits()).program


# ---------------------------------------------------------------- to text


def to_text(data: str | bytes, name: str, *, limits: Limits | None = None) -> str:
    """The graph as graph-style QWASM; raises CompileError if it is no program."""
    loaded = load(data, name, limits or Limits())
    nodes = [loaded.graph.nodes[number] for number in loaded.order.nodes]
    whole = loaded.graph.item.plain()
    assert isinstance(whole, dict)
    said = _graph([spoken(node) for node in nodes], loaded.graph.caps)
    note = _unsaid_graph(whole, said)
    if loaded.order.nodes != list(range(len(nodes))):
        note["order"] = [*loaded.order.nodes]
    lines = [f"{_NOTE[:-1]}{dumps_ascii(note)}"] if note else []
    lines.append(f".version {VERSION}")
    if loaded.graph.caps:
        lines.append(f".caps {' '.join(loaded.graph.caps)}")
    lines.append("")
    for node in nodes:
        assert node.item is not None
        written = node.item.plain()
        assert isinstance(written, dict)
        unsaid = _unsaid_node(written, spoken(node).plain())
        if unsaid:
            lines.append(f"{_NOTE[:-1]}{dumps_ascii({'node': unsaid})}")
        lines.append(line_of(node))
    return "\n".join(lines) + "\n"


def _unsaid_node(written: dict[str, Plain], said: dict[str, Plain]) -> dict[str, Plain]:
    """The keys of a node whose values its line does not say."""
    unsaid = {key: value for key, value in written.items() if not _same(value, said.get(key))}
    arguments, known = written.get("args"), said.get("args")
    if isinstance(arguments, dict) and isinstance(known, dict):
        different = {k: v for k, v in arguments.items() if not _same(v, known.get(k))}
        unsaid.pop("args", None)
        if different:
            unsaid["args"] = different
    return unsaid


def _same(one: Plain, other: Plain) -> bool:
    """Whether two values are equal with the types of their numbers; null equals nothing."""
    return one is not None and dumps(one) == dumps(other)


def _unsaid_graph(written: dict[str, Plain], said: dict[str, Plain]) -> dict[str, Plain]:
    """What the text does not say of a graph apart from its nodes."""
    extra: dict[str, Plain] = {}
    for key, value in written.items():
        if key == "program":
            assert isinstance(value, dict)
            rest = {name: part for name, part in value.items() if name != "nodes"}
            if rest:
                extra[key] = rest
        elif not _same(value, said.get(key)):
            extra[key] = value
    note: dict[str, Plain] = {}
    if extra:
        note["graph"] = extra
    absent: list[Plain] = [key for key in said if key not in written]
    if absent:
        note["without"] = absent
    return note


def _graph(nodes: Sequence[GraphNode], caps: Sequence[str]) -> dict[str, Plain]:
    """The graph that a text says."""
    handles: dict[str, dict[str, Plain]] = {key: {} for key in HANDLES}
    for node in nodes:
        handles["vqs"].update(dict.fromkeys(node.vqs))
        handles["chs"].update(dict.fromkeys(node.chs))
        handles["events"].update(dict.fromkeys(node.produces))
    return {
        "version": VERSION,
        "program": {"nodes": [node.plain() for node in nodes]},
        "resources": {key: [*names] for key, names in handles.items()},
        "caps": [*caps],
    }


# ---------------------------------------------------------------- from text


def from_text(
    text: str | bytes,
    name: str,
    *,
    params: Mapping[str, Value] | None = None,
    include_dirs: Sequence[Path] = (),
    limits: Limits | None = None,
) -> str:
    """Graph-style QWASM, with macros and loops expanded, as a JSON graph.

    Raises CompileError, also for what has no form in a graph.
    """
    limits = limits or Limits()
    program, recorder = build(text, name, Recorder, params, include_dirs, limits)
    locations = program.locations
    notes = _notes(locations, limits)
    nodes = _named(recorder, locations, notes)
    whole = _graph(nodes, [*recorder.declared.order])
    entries = [node.plain() for node in nodes]
    for number, note in notes.of_nodes(recorder.locs, locations):
        _merge(entries[number], note.content)
    _finish_graph(whole, entries, notes.header, locations)
    result = _printed(whole)
    _check(result, nodes, notes, recorder.locs, locations, limits)
    return result


@dataclass(frozen=True, slots=True)
class _Note:
    """A comment that says what a line cannot."""

    content: dict[str, Plain]
    loc: int


@dataclass(slots=True)
class _Notes:
    """The comments of a text: one about the graph, others about the instruction below them."""

    lines: list[list[str]]
    header: _Note | None = None
    before: dict[int, _Note] = field(default_factory=dict)
    """By number of the line below."""

    def of_nodes(self, locs: Sequence[int], locations: Locations) -> Iterator[tuple[int, _Note]]:
        """Nodes by number, and the comments about them."""
        below = dict(self.before)
        for number, loc in enumerate(locs):
            if locations.file[loc] == 0 and locations.parent[loc] < 0:
                note = below.pop(locations.line[loc], None)
                if note is not None:
                    yield number, note
        for note in below.values():
            raise _problem("this comment is about no instruction", note, locations)


def _problem(
    message: str, note: _Note | None, locations: Locations, help: str = ""
) -> CompileError:
    """An error about a comment, or about the file."""
    loc = locations.add(0, 1, 1, 2) if note is None else note.loc
    return CompileError(locations.diagnostic(message, loc, help=help))


_HELP = "remove the comment if the program is no longer the one it was written for"


def _notes(locations: Locations, limits: Limits) -> _Notes:
    """The comments of the main file that are read."""
    notes = _Notes([text.split("\n") for text in locations.texts])
    for number, line in enumerate(notes.lines[0], 1):
        if not line.startswith(_NOTE):
            continue
        loc = locations.add(0, number, 1, len(line) + 1)
        note = _Note({}, loc)
        try:
            content = decode(line[len(_NOTE) - 1 :], limits).plain()
        except LineError as problem:
            raise _problem(f"in this comment: {problem.message}", note, locations) from None
        assert isinstance(content, dict)
        if set(content) == {"node"} and isinstance(content["node"], dict):
            notes.before[number + 1] = _Note(content["node"], loc)
        elif notes.header is None and set(content) <= {"graph", "order", "without"}:
            notes.header = _Note(content, loc)
        else:
            raise _problem("this comment is not understood", note, locations, _HELP)
    return notes


def _merge(entry: dict[str, Plain], note: dict[str, Plain]) -> None:
    """Add to a node what a comment says of it."""
    arguments, known = note.get("args"), entry.get("args")
    both: dict[str, Plain] = {}
    if isinstance(arguments, dict) and isinstance(known, dict):
        both = {**known, **arguments}
    entry.update(note)
    if both:
        entry["args"] = both


_LABEL = re.compile(r"\s*(?!if\b)([A-Za-z_]\w*)(?:\{[^{}]*\}\w*)*[ \t]*:", re.ASCII | re.IGNORECASE)


def _named(recorder: Recorder, locations: Locations, notes: _Notes) -> list[GraphNode]:
    """The nodes with ids: their labels, with a number where labels repeat."""
    given = {
        number: note.content.get("id") for number, note in notes.of_nodes(recorder.locs, locations)
    }
    bases = []
    for number, loc in enumerate(recorder.locs):
        line = notes.lines[locations.file[loc]][locations.line[loc] - 1]
        match = _LABEL.match(line)
        base = given.get(number) or (match[1] if match else "")
        bases.append(str(base))
    taken = {base for base in bases if base}
    used: set[str] = set()
    counts: Counter[str] = Counter()
    nodes = []
    for node, base in zip(recorder.nodes, bases, strict=True):
        label = base
        if not label or label in used:
            stem = f"{base}_" if base else "n"
            label = _numbered(stem, taken, counts)
            taken.add(label)
        used.add(label)
        nodes.append(replace(node, id=label))
    return nodes


def _numbered(stem: str, taken: set[str], counts: Counter[str]) -> str:
    """The first name with a number that is not taken."""
    while True:
        counts[stem] += 1
        number = counts[stem] + (stem != "n")
        if f"{stem}{number}" not in taken:
            return f"{stem}{number}"


def _finish_graph(
    whole: dict[str, Plain],
    entries: list[dict[str, Plain]],
    header: _Note | None,
    locations: Locations,
) -> None:
    """Put the nodes into the graph, and what the comment about the graph says."""
    content = {} if header is None else header.content
    order = content.get("order", [*range(len(entries))])
    if not isinstance(order, list) or sorted(map(str, order)) != sorted(
        map(str, range(len(entries)))
    ):
        message = "the order in this comment is not one of the nodes of the program"
        raise _problem(message, header, locations, _HELP)
    placed: list[Plain] = [None] * len(entries)
    for entry, position in zip(entries, order, strict=True):
        placed[int(str(position))] = entry
    whole["program"] = {"nodes": placed}
    extra = content.get("graph", {})
    if not isinstance(extra, dict) or {"version", "caps"} & set(extra):
        raise _problem("this comment is not understood", header, locations, _HELP)
    for key, value in extra.items():
        known = whole.get(key)
        if key == "resources" and isinstance(value, dict) and isinstance(known, dict):
            whole[key] = _merged_resources(value, known)
        elif key == "program" and isinstance(value, dict):
            whole[key] = {**value, "nodes": placed}
        else:
            whole[key] = value
    without = content.get("without", [])
    for absent in ("caps", "resources"):
        if isinstance(without, list) and absent in without and not _holds(whole[absent]):
            del whole[absent]


def _holds(value: Plain) -> bool:
    """Whether a list, or a list in an object, has elements."""
    return any(map(_holds, value.values())) if isinstance(value, dict) else bool(value)


def _merged_resources(written: dict[str, Plain], known: dict[str, Plain]) -> dict[str, Plain]:
    """Resources as they were written, with the handles that they lack."""
    merged = dict(written)
    for key, names in known.items():
        listed = written.get(key, [])
        if isinstance(listed, list) and isinstance(names, list):
            present = {name for name in listed if isinstance(name, str)}
            missing = [name for name in names if name not in present]
            if missing:
                merged[key] = [*listed, *missing]
    return merged


def _check(
    result: str,
    nodes: Sequence[GraphNode],
    notes: _Notes,
    locs: Sequence[int],
    locations: Locations,
    limits: Limits,
) -> None:
    """Check that the graph is the program of the text: comments must not change it."""
    blamed = notes.header or next(iter(notes.before.values()), None)
    try:
        graph = graph_of(decode(result, limits), limits)
        order = execution_order(graph.nodes)
    except BadGraph as problem:
        message = f"the graph is not valid: {problem.errors[0].message}"
        raise _problem(message, blamed, locations, problem.errors[0].help) from None
    except LineError as problem:
        message = f"the graph is not valid: {problem.message}"
        raise _problem(message, blamed, locations, problem.help) from None
    for wanted, number, loc in zip(nodes, order.nodes, locs, strict=True):
        found = replace(spoken(graph.nodes[number]), id="")
        if dumps(found.plain()) != dumps(replace(spoken(wanted), id="").plain()):
            message = "a graph would not keep the meaning or place of this instruction"
            help = _HELP if blamed is not None else ""
            raise CompileError(locations.diagnostic(message, loc, help=help))


def _printed(whole: dict[str, Plain]) -> str:
    """The JSON text of a graph: one node per line."""
    parts = []
    for key, value in whole.items():
        if key == "program" and isinstance(value, dict):
            members = [f"    {shown(k)}: {shown(v)}" for k, v in value.items() if k != "nodes"]
            nodes = value["nodes"]
            assert isinstance(nodes, list)
            rows = ",\n".join(f"      {_row(node)}" for node in nodes)
            members.append(f'    "nodes": [\n{rows}\n    ]' if nodes else '    "nodes": []')
            parts.append('  "program": {\n' + ",\n".join(members) + "\n  }")
        else:
            parts.append(f"  {shown(key)}: {shown(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _row(node: Plain) -> str:
    """A node on one line, what it is called and what it is first."""
    assert isinstance(node, dict)
    first = [f"{shown(key)}: {shown(node[key])}" for key in ("id", "op") if key in node]
    rest = [
        f"{shown(key)}: {shown(value)}" for key, value in node.items() if key not in ("id", "op")
    ]
    return "{" + ", ".join(first + rest) + "}"
