"""From the text of one line to a `Statement` or a `Directive` of expression trees.

The grammar is qwasm.lark.  Lark calls the methods of `_Builder` while it parses, bottom up and
without recursion, so that the depth of a tree is known, and refused, before anything recurses.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, TypeVar

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from lark.exceptions import VisitError

from qwasmc.diagnostics import did_you_mean
from qwasmc.grammar.evaluator import (
    FUNCTIONS,
    MATH_CONSTANTS,
    Binary,
    Call,
    Choice,
    Clause,
    Compare,
    Comprehension,
    Context,
    Index,
    Limits,
    LineError,
    List,
    Literal,
    Node,
    Range,
    Span,
    Substitution,
    Template,
    Unary,
    Value,
    Variable,
    limit_passed,
)


@dataclass(slots=True)
class Statement:
    """An instruction or, if `is_call`, a call of a macro."""

    name: Node
    operands: tuple[Node, ...] = ()
    named: tuple[tuple[str, Node], ...] = ()
    outputs: tuple[Node, ...] = ()
    guard: Node | None = None
    predicate: Node | None = None
    bracket: tuple[Node, ...] = ()
    is_call: bool = False


@dataclass(slots=True)
class Directive:
    """`.name words = expression`, with whatever of it the directive has."""

    name: str
    span: Span
    words: tuple[str, ...] = ()
    expression: Node | None = None


_Parsed = TypeVar("_Parsed")

MEMO_LINES = 4096
"""How many trees are remembered."""
MEMO_LENGTH = 500
"""Longest text whose tree is remembered."""


def _remembered(parse: Callable[[str, Limits], _Parsed]) -> Callable[[str, Limits], _Parsed]:
    """Parse each distinct text once, which is what makes repetitive programs quick to read."""
    cached = functools.lru_cache(maxsize=MEMO_LINES)(parse)

    @functools.wraps(parse)
    def remembered(text: str, limits: Limits) -> _Parsed:
        return (cached if len(text) <= MEMO_LENGTH else parse)(text, limits)

    return remembered


def parse_instruction(text: str, limits: Limits) -> Statement | None:
    """The statement in a line; None if there is only a label or nothing."""
    label = _LABEL.match(text)
    if label is not None and not _LABEL.match(text, label.end()):
        # Labels are for people.  Blanks in its place let lines that differ only in the label
        # share one tree, and keep the offsets.
        text = " " * label.end() + text[label.end() :]
    return _statement(text, limits)


def parse_label(text: str, limits: Limits) -> Node | None:
    """The label in a line, if it has one."""
    match = _ANY_LABEL.match(text)
    return None if match is None else _label(match[0], limits)


@_remembered
def _label(text: str, limits: Limits) -> Node:
    result = _parse(text, "label", limits)
    assert isinstance(result, _Part)
    node: Node = result.value
    return node


@_remembered
def _statement(text: str, limits: Limits) -> Statement | None:
    result = _parse(_without_comment(text), "instruction", limits)
    assert result is None or isinstance(result, Statement)
    return result


@_remembered
def parse_directive(text: str, limits: Limits) -> Directive:
    """The directive in a line."""
    result = _parse(text, "directive", limits)
    assert isinstance(result, Directive)
    return result


@_remembered
def parse_substitution(text: str, limits: Limits) -> tuple[Node, str]:
    """The expression that a text consists of, and its format."""
    result = _parse(text, "substitution", limits)
    assert isinstance(result, tuple)
    return result


_QUOTED = r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'"""
_BRACES = rf"""\{{(?:[^{{}}"']|{_QUOTED})*\}}"""
_CODE = re.compile(rf"""(?:[^;"'{{/]|{_QUOTED}|{_BRACES}|\{{|/(?!/))*""")
_LABEL = re.compile(r"\s*(?!if\b)[A-Za-z_]\w*[ \t]*:", re.ASCII | re.IGNORECASE)
_ANY_LABEL = re.compile(
    rf"\s*(?!if\b)(?:[A-Za-z_]|{_BRACES})(?:\w|{_BRACES})*[ \t]*:", re.IGNORECASE
)
_DIVISION = re.compile(r"=[^,=]*[\w)\]}]$")


def _without_comment(text: str) -> str:
    """The line up to a `//` comment; the grammar knows `//` as division."""
    if "//" not in text:
        return text
    matched = _CODE.match(text)
    assert matched is not None
    code = matched.group()
    rest = text[len(code) :]
    if rest.startswith("//") and _DIVISION.search(code) and re.match(r"//[\w({]", rest):
        raise LineError(
            "'//' starts a comment here, but looks like a division",
            (len(code), len(code) + 2),
            help="write {a // b} to divide; put a space before '//' to start a comment",
        )
    return code if rest.startswith("//") else text


def _parse(text: str, start: str, limits: Limits) -> Any:
    _check_nesting(text, limits)
    try:
        return _lark(limits.nesting).parse(text, start=start)
    except UnexpectedInput as problem:
        raise _syntax_error(problem, text) from None
    except VisitError as problem:
        if isinstance(problem.orig_exc, LineError):
            raise problem.orig_exc from None
        raise


@functools.cache
def _lark(nesting: int) -> Lark:
    grammar = resources.files("qwasmc.grammar").joinpath("qwasm.lark").read_text("utf-8")
    return Lark(
        grammar,
        parser="lalr",
        start=["instruction", "directive", "substitution", "label"],
        transformer=_Builder(nesting),
        maybe_placeholders=False,
    )


_BRACKETS = re.compile(r"[(\[]|[)\]]")


def _check_nesting(text: str, limits: Limits) -> None:
    """Refuse deep brackets before the parser stacks them up."""
    if text.count("(") + text.count("[") <= limits.nesting:
        return
    depth = 0
    for bracket in _BRACKETS.finditer(text):
        depth += 1 if bracket.group() in "([" else -1
        if depth > limits.nesting:
            raise _too_deep(limits.nesting, bracket.span())


def _too_deep(nesting: int, where: Node | Span) -> LineError:
    return limit_passed(f"expressions may be nested {nesting} deep", where)


# ---------------------------------------------------------------- syntax errors

_SHOWN = {
    "WORD": "a name",
    "NUMBER": "a number",
    "STRING": "a string",
    "_IF": "'if'",
    "_OR": "'or'",
    "_AND": "'and'",
    "NOT": "'not'",
    "$END": "the end of the line",
    "COLON": "':'",
    "COMMA": "','",
    "EQUAL": "'='",
    "RPAR": "')'",
    "RSQB": "']'",
    "LPAR": "'('",
    "_CALL": "'('",
    "_BRACKET": "'['",
    "_ARROW": "'->'",
    "IN": "'in'",
    "FOR": "'for'",
    "_RANGE": "'..'",
    "FORMAT": "a format",
}
# fmt: off
_OPERATORS = frozenset({
    "SIGN", "TIMES", "POWER", "COMPARE", "_OR", "_AND", "BANG", "NOT", "_INDEX", "_CALL", "DOT",
    "_ARROW",
})
# fmt: on
"""Not listed among what was expected: true, but they bury the rest."""


_LAST_WORD = re.compile(r"[\w{}]{1,40}\s*$")


def _syntax_error(problem: UnexpectedInput, text: str) -> LineError:
    shown = ""
    if isinstance(problem, UnexpectedToken):
        token = problem.token
        start, expected = token.start_pos or 0, problem.expected
        if token.type == "$END":
            start = token.end_pos or len(text)
        elif token.type != "FORMAT":
            # What is no token anywhere else comes as a FORMAT, up to the end of the line.
            shown = str(token)
    else:
        assert isinstance(problem, UnexpectedCharacters)
        start, expected = problem.pos_in_stream, problem.allowed or set()
    if set(expected) == {"EQUAL"}:
        # Only name=value may follow an operand without a comma.
        word = _LAST_WORD.search(text, max(0, start - 80), start)
        if word is not None:
            name = word[0].rstrip()
            where = word.start(), word.start() + len(name)
            return LineError(f"missing ',' before '{name}'", where)
    if not shown and not text[start:].split(";", maxsplit=1)[0].strip():
        return LineError("the line ends too early", (start, start + 1), label=_expected(expected))
    if not shown:
        shown = text[start]
        if shown in "\"'":
            return LineError("the string does not end", (start, len(text)))
        if shown == "{":
            return LineError("the substitution does not end or is empty", (start, len(text)))
    end = start + len(shown)
    if not shown.isprintable():
        shown = f"\\u{ord(shown[0]):04x}"
    return LineError(f"unexpected '{shown:.40}'", (start, end), label=_expected(expected))


def _expected(terminals: Sequence[str] | set[str]) -> str:
    useful = [t for t in terminals if t not in _OPERATORS] or list(terminals)
    shown = sorted({_SHOWN[t] for t in useful if t in _SHOWN})
    if not shown or len(shown) > 5:
        return ""
    return "expected " + (
        " or ".join([", ".join(shown[:-1]), shown[-1]]) if shown[1:] else shown[0]
    )


# ---------------------------------------------------------------- trees

_ESCAPES = {"n": "\n", "t": "\t"}
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_PIECE = re.compile(rf"\{{\{{|\}}\}}|{_BRACES}|[{{}}]")


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda m: _ESCAPES.get(m[1], m[1]), text)


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a statement on its way up the tree, or an operand with a name."""

    name: str
    value: Any


class _Builder(Transformer[Token, Any]):
    """Builds nodes; the methods are named after the rules and aliases of the grammar."""

    def __init__(self, nesting: int) -> None:
        super().__init__()
        self.nesting = nesting

    def _checked(self, node: Node) -> Node:
        if node.depth > self.nesting:
            raise _too_deep(self.nesting, node)
        return node

    # -- words and literals

    def _text(self, text: str, start: int, end: int, offset: int) -> Node:
        """A node for text that may hold substitutions; the text begins at `offset`."""
        parts: list[str | Node] = []
        at = 0
        for piece in _PIECE.finditer(text):
            parts.append(_unescaped(text[at : piece.start()]))
            at = piece.end()
            if piece.group() in ("{{", "}}"):
                parts.append(piece.group()[0])
            elif len(piece.group()) == 1:
                where = offset + piece.start()
                raise LineError(
                    f"single '{piece.group()}'",
                    (where, where + 1),
                    help="write {{ or }} for a brace that is not a substitution",
                )
            else:
                parts.append(self._substitution(piece.group(), offset + piece.start()))
        parts.append(_unescaped(text[at:]))
        kept = [part for part in parts if part != ""]
        if all(isinstance(part, str) for part in kept):
            return Literal("".join(str(part) for part in kept), start, end)
        return self._checked(Template(kept, start, end))

    def _substitution(self, braces: str, offset: int) -> Substitution:
        try:
            inner, format = parse_substitution(braces[1:-1], Limits(nesting=self.nesting))
        except LineError as problem:
            problem.move(offset + 1)
            raise
        return Substitution(inner, format, offset, offset + len(braces))

    def _word(self, token: Token) -> Node:
        start, end = _span(token)
        if "{" not in token:
            return Variable(str(token), start, end)
        node = self._text(str(token), start, end, start)
        if isinstance(node, Template) and len(node.parts) == 1:
            (part,) = node.parts
            assert isinstance(part, Node)
            return part
        return node

    def word(self, items: list[Token]) -> Node:
        return self._word(items[0])

    def number(self, items: list[Token]) -> Node:
        token = items[0]
        return Literal(_number(token), *_span(token))

    def string(self, items: list[Token]) -> Node:
        token = items[0]
        start, end = _span(token)
        opening = 2 if token[0] in "fF" else 1
        return self._text(token[opening:-1], start, end, start + opening)

    # -- expressions

    def substitution(self, items: list[Any]) -> tuple[Node, str]:
        return self._checked(items[0]), str(items[1]).strip() if len(items) > 1 else ""

    def any_of(self, items: list[Node]) -> Node:
        return self._checked(Choice(True, items))

    def all_of(self, items: list[Node]) -> Node:
        return self._checked(Choice(False, items))

    def unary(self, items: list[Any]) -> Node:
        operator, operand = items
        return self._checked(Unary(str(operator), operand, operator.start_pos))

    def compare(self, items: list[Any]) -> Node:
        return self._checked(Compare(items[0::2], [str(token) for token in items[1::2]]))

    def binary(self, items: list[Any]) -> Node:
        left, operator, right = items
        return self._checked(Binary(str(operator), left, right))

    def index(self, items: list[Node]) -> Node:
        return self._checked(Index(*items))

    def attribute(self, items: list[Any]) -> Node:
        owner, name = items
        if isinstance(owner, Variable) and owner.name == "math" and name in MATH_CONSTANTS:
            return Literal(MATH_CONSTANTS[name], owner.start, _span(name)[1])
        return _Attribute(owner, name)

    def apply(self, items: list[Node]) -> Node:
        function, *arguments = items
        end = arguments[-1].end if arguments else function.end
        if isinstance(function, Variable):
            return self._checked(self._call(function.name, arguments, function, end))
        if isinstance(function, _Attribute):
            owner = function.owner
            if isinstance(owner, Variable) and owner.name == "math":
                return self._checked(self._call(f"math.{function.name}", arguments, function, end))
            if function.name == "join" and len(arguments) == 1:
                return self._checked(Call(".join", [owner, *arguments], owner.start, end))
            raise function.refused()
        raise LineError("only functions can be called", (function.start, end))

    def _call(self, name: str, arguments: list[Node], function: Node, end: int) -> Node:
        if name not in FUNCTIONS or name.startswith("."):
            raise LineError(
                f"'{name}' is not a function that expressions may call",
                function,
                help=did_you_mean(name, [f for f in FUNCTIONS if f[0] != "."]),
            )
        return Call(name, arguments, function.start, end)

    def list_(self, items: list[Node]) -> Node:
        start, end = (items[0].start, items[-1].end) if items else (0, 0)
        return self._checked(List(items, start, end))

    def comprehension(self, items: list[Any]) -> Node:
        item, *clauses = items
        return self._checked(Comprehension(item, clauses, item.start, clauses[-1].nodes()[-1].end))

    def clause(self, items: list[Any]) -> Clause:
        return Clause(items[0], items[1], items[2] if len(items) > 2 else None)

    def targets(self, items: list[Token]) -> tuple[str, ...]:
        return tuple(map(_plain, items))

    def range(self, items: list[Node]) -> Node:
        return self._checked(Range(*items))

    # -- instructions

    def label(self, items: list[Token]) -> _Part:
        # The substitutions of a label are checked even where it is only for people.
        return _Part("label", self._word(items[0]))

    def predicate(self, items: list[Token]) -> _Part:
        return _Part("predicate", self._word(items[0]))

    def named(self, items: list[Any]) -> _Part:
        return _Part(_plain(items[0]), self._checked(items[1]))

    def operands(self, items: list[Node | _Part]) -> _Part:
        return _Part("operands", items)

    def outputs(self, items: list[Token]) -> _Part:
        return _Part("outputs", tuple(map(self._word, items)))

    def guard(self, items: list[Node]) -> _Part:
        return _Part("guard", self._checked(items[0]))

    def bracket(self, items: list[Node]) -> _Part:
        return _Part("bracket", tuple(items))

    def operation(self, items: list[Any]) -> Statement:
        name, *parts = items
        statement = Statement(self._word(name))
        for part in parts:
            if part.name == "operands":
                self._add_operands(statement, part.value)
            else:
                setattr(statement, part.name, part.value)
        return statement

    def _add_operands(self, statement: Statement, items: list[Node | _Part]) -> None:
        named: dict[str, Node] = {}
        for item in items:
            if isinstance(item, _Part):
                if item.name in named:
                    raise LineError(f"'{item.name}' is given twice", item.value)
                named[item.name] = item.value
        statement.named = tuple(named.items())
        statement.operands = tuple(self._checked(i) for i in items if not isinstance(i, _Part))

    def call(self, items: list[Any]) -> Statement:
        return Statement(self._word(items[0]), tuple(map(self._checked, items[1:])), is_call=True)

    def instruction(self, items: list[Any]) -> Statement | None:
        statement = next((item for item in items if isinstance(item, Statement)), None)
        for item in items:
            if isinstance(item, _Part) and item.name == "predicate" and statement is not None:
                statement.predicate = item.value
        return statement

    # -- directives

    def directive(self, items: list[Any]) -> Directive:
        keyword, *rest = items
        words = [item for item in rest if isinstance(item, Token)]
        found = Directive(keyword[1:], _span(keyword), tuple(map(_plain, words)))
        if rest and isinstance(rest[-1], Node):
            found.expression = self._checked(rest[-1])
        if found.name == "macro" and len(set(found.words[1:])) < len(found.words[1:]):
            raise LineError("a macro's parameters need different names", _span(words[-1]))
        return found


class _Attribute(Node):
    """`owner.name`, legal only as a function that is being called."""

    __slots__ = ("name", "owner")

    def __init__(self, owner: Node, name: Token) -> None:
        super().__init__(owner.start, _span(name)[1], [owner])
        self.owner = owner
        self.name = str(name)

    def evaluate(self, context: Context) -> Value:
        """Never has a value."""
        raise self.refused()

    def refused(self) -> LineError:
        """Why it is not allowed."""
        return LineError(
            f"attribute '{self.name}' is not allowed in an expression",
            self,
            help="only math.* and the join of a string are",
        )


def _span(token: Token) -> Span:
    assert token.start_pos is not None
    assert token.end_pos is not None
    return token.start_pos, token.end_pos


def _plain(token: Token) -> str:
    """A word that cannot hold substitutions."""
    if "{" in token:
        raise LineError("a substitution cannot stand here", _span(token))
    return str(token)


_BASES = {"0x": 16, "0b": 2}
MAX_DIGITS = 4000
"""Digits of a number in the source."""


def _number(token: Token) -> int | float:
    if len(token) > MAX_DIGITS:
        raise limit_passed(f"a number may have {MAX_DIGITS} digits", _span(token))
    base = _BASES.get(token[:2].lower(), 10)
    if base != 10 or token.isdecimal():
        return int(token, base)
    return float(token)
