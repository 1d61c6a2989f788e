"""Guards of QVM graphs: between JSON, the trees that instructions hold, and text.

    {"event": "m", "equals": 1}                     m==1
    {"type": "and", "conditions": [...]}            m0==1 && m1==0
    {"type": "or", "conditions": [...]}             m0==1 || m1==0
    {"type": "not", "conditions": [one]}            not (...)
    {"type": "xor", "conditions": [a, b]}           m0 != m1

The schema has the first form; the kernel that graphs come from reads `and` and `or` too; the last
two complete what text can say.  A guard has one canonical form: `and` and `or` have at least two
conditions, and the negation of m==1 is m==0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from qwasmc.diagnostics import did_you_mean
from qwasmc.grammar.evaluator import Choice, Compare, LineError, Literal, Node, Unary, Variable
from qwasmc.grammar.qvm_json import Item, Plain, kind

Guard = dict[str, Plain]
"""A guard in canonical form."""

TYPES = ("and", "or", "not", "xor")

Side = Callable[[Node], str | int]
"""What a side of a comparison is: the name of an event, or 0 or 1."""


def guard_of(item: Item) -> Guard:
    """The guard that a JSON value spells."""
    if not isinstance(item.value, dict):
        raise LineError(f"a guard is an object, not {kind(item)}", item.span)
    if "type" in item.value:
        return _compound(item)
    _check_keys(item, ("event", "equals"))
    event, equals = item.value["event"], item.value["equals"]
    if not isinstance(event.value, str):
        raise LineError(f"an event is a string, not {kind(event)}", event.span)
    if type(equals.value) is not int or equals.value not in (0, 1):
        raise LineError("a measurement result is 0 or 1", equals.span)
    return _equals(event.value, equals.value)


def _compound(item: Item) -> Guard:
    _check_keys(item, ("type", "conditions"))
    name, conditions = item.value["type"], item.value["conditions"]
    if name.value not in TYPES:
        help = did_you_mean(str(name.value), TYPES) or f"there are {', '.join(TYPES)}"
        raise LineError("unknown type of guard", name.span, help=help)
    if not isinstance(conditions.value, list):
        raise LineError(f"conditions are a list, not {kind(conditions)}", conditions.span)
    found = [guard_of(condition) for condition in conditions.value]
    wanted = {"not": 1, "xor": 2}.get(name.value)
    if not found or (wanted is not None and len(found) != wanted):
        least = wanted or "at least 1"
        message = f"'{name.value}' has {least} of conditions, got {len(found)}"
        raise LineError(message, conditions.span)
    if name.value == "xor" and any(part.get("equals") != 1 for part in found):
        raise LineError("the conditions of 'xor' are events that equal 1", conditions.span)
    return _joined(name.value, found)


def _check_keys(item: Item, keys: tuple[str, ...]) -> None:
    for key, member in item.value.items():
        if key not in keys:
            help = did_you_mean(key, keys) or f"it has {' and '.join(keys)}"
            raise LineError(f"a guard has no key '{key:.60}'", member.key, help=help)
    for key in keys:
        if key not in item.value:
            raise LineError(f"the guard has no '{key}'", item.span)


def _equals(event: str, value: int) -> Guard:
    return {"event": event, "equals": value}


def _joined(name: str, conditions: list[Guard]) -> Guard:
    """The canonical form of conditions joined by an operator."""
    if name in ("and", "or") and len(conditions) == 1:
        return conditions[0]
    if name == "not" and conditions[0].get("equals") == 1:
        return {**conditions[0], "equals": 0}
    return {"type": name, "conditions": [*conditions]}


def parts(guard: Guard) -> list[Guard]:
    """The guards that a guard joins."""
    conditions = guard.get("conditions", [])
    assert isinstance(conditions, list)
    return [part for part in conditions if isinstance(part, dict)]


def events(guard: Guard) -> Iterator[str]:
    """The events that a guard looks at, perhaps several times."""
    if "event" in guard:
        yield str(guard["event"])
    for part in parts(guard):
        yield from events(part)


def tree(guard: Guard, start: int, end: int) -> Node:
    """The guard as an instruction holds it; all of it stands in the same place."""
    if "event" in guard:
        sides = [
            Variable(str(guard["event"]), start, end),
            Literal(int(str(guard["equals"])), start, end),
        ]
        return Compare(sides, ["=="])
    nodes = [tree(part, start, end) for part in parts(guard)]
    if guard["type"] == "not":
        return Unary("not", nodes[0], start)
    if guard["type"] == "xor":
        return Compare([node.items[0] for node in nodes if isinstance(node, Compare)], ["!="])
    return Choice(guard["type"] == "or", nodes)


def from_tree(node: Node, side: Side) -> Guard:
    """The guard that an instruction holds, which has been accepted before."""
    if isinstance(node, Choice):
        conditions = [from_tree(item, side) for item in node.items]
        return _joined("or" if node.decides else "and", conditions)
    if isinstance(node, Unary):
        return _joined("not", [from_tree(node.operand, side)])
    if isinstance(node, Compare):
        return _comparison(node, side)
    return _equals(str(side(node)), 1)


def _comparison(node: Compare, side: Side) -> Guard:
    sides = [side(item) for item in node.items]
    names = [word for word in sides if isinstance(word, str)]
    constant = sum(word for word in sides if isinstance(word, int)) % 2
    negated = node.operators[0] == "!="
    if len(names) == 1:
        return _equals(names[0], constant ^ negated)
    differ: Guard = {"type": "xor", "conditions": [_equals(name, 1) for name in names]}
    return differ if negated else _joined("not", [differ])


def text(guard: Guard) -> str:
    """The guard as text, without the `if`."""
    if "event" in guard:
        return f"{guard['event']}=={guard['equals']}"
    inner = parts(guard)
    if guard["type"] == "xor":
        return " != ".join(str(part["event"]) for part in inner)
    pieces = [text(part) if "event" in part else f"({text(part)})" for part in inner]
    if guard["type"] == "not":
        return f"not {pieces[0]}" if pieces[0].startswith("(") else f"not ({pieces[0]})"
    return (" || " if guard["type"] == "or" else " && ").join(pieces)
