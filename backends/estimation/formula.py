"""Formulas that users give for codes and distillation units, such as `2 * codeDistance ^ 2`.

The language is that of the QDK's estimator without comparisons and trigonometry: numbers, names,
+ - * / % ^, parentheses and functions.  So that results agree with it to the last digit, sums and
products are worked out in its order: nested ones are merged, subtraction adds the negative,
division multiplies by the reciprocal, and constants are taken together and come last.  `^` groups
to the right; a sign binds tighter than it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import cast

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken

from qwasmc.diagnostics import CompileError, Kind, did_you_mean, error

MAX_LENGTH = 1024
"""Longest formula, in characters."""

MAX_DEPTH = 32
"""How deep parentheses, signs and calls may nest."""

# A level for each operator: division binds tighter than multiplication, as in the QDK.
GRAMMAR = Lark(
    r"""
    ?sum: difference ("+" difference)*
    ?difference: product ("-" product)*
    ?product: quotient ("*" quotient)*
    ?quotient: remainder ("/" remainder)*
    ?remainder: power ("%" power)*
    ?power: value ["^" power]
    ?value: NUMBER -> constant
        | NAME -> variable
        | NAME "(" [sum ("," sum)*] ")" -> call
        | "(" sum ")" -> parentheses
        | "-" value -> negative
        | "+" value -> parentheses
    NAME: /[A-Za-z_][A-Za-z_0-9]*/
    NUMBER: /([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?/
    %ignore /[ \t\r\n]+/
    """,
    start="sum",
    parser="lalr",
    maybe_placeholders=False,
)


def _round(value: float) -> float:
    """The nearest integer, halves away from 0."""
    return math.copysign(math.floor(abs(value) + 0.5), value)


def _log(base: float, value: float) -> float:
    if base in (2.0, 10.0):
        return math.log2(value) if base == 2.0 else math.log10(value)
    return math.log(value) / math.log(base)


FUNCTIONS: dict[tuple[str, int], Callable[..., float]] = {
    ("abs", 1): abs,
    ("ceil", 1): math.ceil,
    ("e", 0): lambda: math.e,
    ("floor", 1): math.floor,
    ("int", 1): math.trunc,
    ("log", 1): math.log10,
    ("log", 2): _log,
    ("max", 2): max,
    ("min", 2): min,
    ("pi", 0): lambda: math.pi,
    ("round", 1): _round,
    ("round", 2): lambda unit, value: _round(value / unit) * unit,
}
"""By name and number of arguments."""


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a formula: a `constant`, a `variable`, an operator, or a `call` of `name`.

    Sums and products have any number of arguments, a constant only in the last place.
    """

    kind: str
    args: tuple[Node, ...] = ()
    constant: float = 0.0
    name: str = ""


class Formula:
    """A formula over variables of the given names; CompileError if `text` is none.

    `what` says in errors what the formula is for.
    """

    def __init__(self, text: str, names: Collection[str], what: str) -> None:
        self.text, self.names, self.what = text, names, what
        if len(text) > MAX_LENGTH:
            raise self.wrong(f"is longer than {MAX_LENGTH} characters")
        try:
            self.root = self._node(GRAMMAR.parse(text), 0)
        except UnexpectedInput as wrong:
            if isinstance(wrong, UnexpectedToken) and wrong.token.type == "$END":
                raise self.wrong("ends too early") from wrong
            raise self.wrong(f"has an error at '{text[wrong.pos_in_stream or 0 :]}'") from wrong
        except (ArithmeticError, ValueError) as wrong:
            raise self.wrong(f"has no value: {wrong}") from wrong

    def __call__(self, values: Mapping[str, float]) -> float:
        """The value for values of the variables."""
        try:
            found = _value(self.root, values)
        except (ArithmeticError, ValueError) as wrong:
            raise self.wrong(f"has no value for {dict(values)}: {wrong}") from wrong
        if not math.isfinite(found):
            raise self.wrong(f"is not finite for {dict(values)}")
        return found

    def wrong(self, why: str, help: str = "") -> CompileError:
        """The error about this formula."""
        shown = self.text if len(self.text) <= 80 else f"{self.text[:80]}..."
        return error(f"{self.what}: the formula '{shown}' {why}", kind=Kind.USAGE, help=help)

    def _node(self, tree: Tree[Token], depth: int) -> Node:
        """What a tree of the parser means."""
        if depth > MAX_DEPTH:
            raise self.wrong(f"nests deeper than {MAX_DEPTH}")
        kind = str(tree.data)
        if kind == "constant":
            return Node("constant", constant=float(cast(Token, tree.children[0])))
        if kind == "variable":
            return self._variable(str(tree.children[0]))
        children = [child for child in tree.children if isinstance(child, Tree)]
        args = [self._node(child, depth + 1) for child in children]
        if kind == "call":
            return self._call(str(tree.children[0]), args)
        if kind == "parentheses":
            return args[0]
        if kind == "negative":
            return _negative(args[0])
        if kind in ("sum", "product"):
            return _combined(kind, [leaf for arg in args for leaf in _leaves(kind, arg)])
        if kind == "difference":
            return _combined("sum", [args[0], *map(_negative, args[1:])])
        if kind == "quotient":
            return _combined("product", [args[0], *map(_inverse, args[1:])])
        return reduce(lambda left, right: _folded(Node(kind, (left, right))), args)

    def _variable(self, name: str) -> Node:
        if name not in self.names:
            help = did_you_mean(name, self.names) or f"there are {', '.join(self.names)}"
            raise self.wrong(f"has an unknown variable '{name}'", help)
        return Node("variable", name=name)

    def _call(self, name: str, args: list[Node]) -> Node:
        if name in ("min", "max") and len(args) > 2:
            return reduce(lambda left, right: self._call(name, [left, right]), args)
        if (name, len(args)) not in FUNCTIONS:
            known = sorted({known for known, _ in FUNCTIONS})
            help = did_you_mean(name, known) or f"there are {', '.join(known)}"
            raise self.wrong(f"calls '{name}' with {len(args)} arguments, which is unknown", help)
        return _folded(Node("call", tuple(args), name=name))


def _leaves(kind: str, node: Node) -> Iterator[Node]:
    """What a sum in a sum (or a product in a product) is made of, in the order it is merged."""
    if node.kind != kind:
        yield node
        return
    for arg in reversed(node.args):
        yield from _leaves(kind, arg)


def _combined(kind: str, nodes: Iterable[Node]) -> Node:
    """A sum or product, its constants taken together."""
    neutral, combine = (0.0, operator.add) if kind == "sum" else (1.0, operator.mul)
    nodes = list(nodes)
    constant = reduce(
        combine, (node.constant for node in nodes if node.kind == "constant"), neutral
    )
    args = [node for node in nodes if node.kind != "constant"]
    if constant != neutral or not args:
        args.append(Node("constant", constant=constant))
    return args[0] if len(args) == 1 else Node(kind, tuple(args))


def _negative(node: Node) -> Node:
    if node.kind == "constant":
        return Node("constant", constant=-node.constant)
    return node.args[0] if node.kind == "negative" else Node("negative", (node,))


def _inverse(node: Node) -> Node:
    if node.kind == "constant":
        return Node("constant", constant=1.0 / node.constant)
    return node.args[0] if node.kind == "inverse" else Node("inverse", (node,))


def _folded(node: Node) -> Node:
    """A constant in place of an operation on constants."""
    if any(arg.kind != "constant" for arg in node.args):
        return node
    return Node("constant", constant=_value(node, {}))


def _value(node: Node, variables: Mapping[str, float]) -> float:
    if node.kind == "constant":
        return node.constant
    if node.kind == "variable":
        return variables[node.name]
    args = [_value(arg, variables) for arg in node.args]
    if node.kind == "call":
        return float(FUNCTIONS[node.name, len(args)](*args))
    return OPERATORS[node.kind](*args)


OPERATORS: dict[str, Callable[..., float]] = {
    "sum": lambda *args: reduce(operator.add, args),
    "product": lambda *args: reduce(operator.mul, args),
    "negative": operator.neg,
    "inverse": lambda value: 1.0 / value,
    "remainder": math.fmod,
    "power": math.pow,
}
