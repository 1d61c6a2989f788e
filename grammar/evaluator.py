"""Expressions that are computed while a program is read: a sandbox without Python's `eval`.

The reader builds trees of `Node` from the text (see syntax.py) and asks each for its value in a
`Context`.  Values are integers, floats, strings and lists.  Nothing here can reach outside:
functions and methods come from the tables below, and whatever could grow without bound is
checked against the limits before it is computed.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from qwasmc.diagnostics import Kind, did_you_mean

Value: TypeAlias = "int | float | str | list[Value]"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one program may use; passing a limit is a diagnostic of kind LIMIT."""

    statements: int = 10_000_000
    """Statements after expansion; long lines and large operations count as several."""
    include_depth: int = 64
    macro_depth: int = 256
    integer_bits: int = 4096
    string_length: int = 1 << 20
    """Characters of a string, and of a source line."""
    list_size: int = 1 << 22
    """Elements of a list, those of the lists in it and the characters of its strings included."""
    steps: int = 30_000_000
    """Elements and 64-character pieces that all expressions together may produce."""
    nesting: int = 200
    """Depth of nested brackets, operators and blocks."""
    source_bytes: int = 1 << 27
    """Size of one source file."""
    block_lines: int = 1_000_000
    """Lines of a loop, a conditional or a macro."""
    errors: int = 20
    """Errors after which the reader stops."""


Span: TypeAlias = "tuple[int, int]"
"""Where in its line something stands: the first offset, and one past the last."""


class LineError(Exception):
    """What is wrong with a line, and where in it; None for where the line begins."""

    def __init__(
        self,
        message: str,
        where: Node | Span | None = None,
        *,
        label: str = "",
        help: str = "",
        kind: Kind = Kind.PROGRAM,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.span = where.span if isinstance(where, Node) else where
        self.label = label
        self.help = help
        self.kind = kind

    def move(self, offset: int) -> None:
        """Count from the start of the line what was counted from an offset in it."""
        if self.span is not None:
            self.span = self.span[0] + offset, self.span[1] + offset


class Unknowable(LineError):
    """The value depends on something already reported as wrong; not to be reported again."""


class Undefined(LineError):
    """A name without a value."""


def limit_passed(rule: str, where: Node | Span | None = None) -> LineError:
    """The error for what does not keep to a limit."""
    return LineError(f"limit passed: {rule}", where, kind=Kind.LIMIT)


class Missing:
    """Stands for a variable whose definition failed."""


MISSING = Missing()

CONSTANTS: Mapping[str, Value] = {"pi": math.pi, "True": True, "False": False}


@dataclass(slots=True)
class Context:
    """Names an expression can see, and the account of what it may still use."""

    limits: Limits = field(default_factory=Limits)
    globals: dict[str, Value | Missing] = field(default_factory=dict)
    locals: dict[str, Value | Missing] | None = None
    """Variables of the running macro."""
    parameters: Mapping[str, Value] = field(default_factory=dict)
    """Values given from outside, for names the program does not define."""
    used: set[str] = field(default_factory=set)
    """Parameters that were asked for."""
    names: Callable[[str], bool] | None = None
    """In the arguments of a macro call: whether a word is a name rather than a variable."""
    steps: int = 0
    """What expressions took so far."""
    statements: int = 0
    """What the program expanded to so far."""

    def find(self, name: str) -> Value | Missing | None:
        """The value of a variable, a parameter or a constant; None if there is none."""
        if self.locals is not None and name in self.locals:
            return self.locals[name]
        if name in self.globals:
            return self.globals[name]
        if name in self.parameters:
            self.used.add(name)
            return self.parameters[name]
        return CONSTANTS.get(name)

    def known(self) -> set[str]:
        """All names that have a value."""
        return {*self.globals, *(self.locals or ()), *self.parameters, *CONSTANTS}

    def charge(self, steps: int, node: Node) -> None:
        """Account for work in proportion to the size of a value."""
        self.steps += steps
        if self.steps > self.limits.steps:
            raise limit_passed(f"expressions may take {self.limits.steps} steps", node)

    def expand(self, statements: int, where: Node | None = None) -> None:
        """Account for statements of the expanded program."""
        self.statements += statements
        if self.statements > self.limits.statements:
            self.allow(0, where)

    def allow(self, statements: int, where: Node | None = None) -> None:
        """Check that there is room for that many more statements."""
        if self.statements + statements > self.limits.statements:
            most = self.limits.statements
            raise limit_passed(f"a program may expand to {most} statements", where)

    def variables(self) -> dict[str, Value | Missing]:
        """Where an assignment goes."""
        return self.globals if self.locals is None else self.locals


class Node:
    """A piece of an expression and the range of the line it came from.

    `depth` is the height of the tree; the parser refuses trees that are too high, so that
    `evaluate` can recurse.
    """

    __slots__ = ("depth", "end", "start")

    start: int
    end: int
    depth: int

    def __init__(self, start: int, end: int, children: Sequence[Node] = ()) -> None:
        self.start = start
        self.end = end
        self.depth = 1 + max((child.depth for child in children), default=0)

    @property
    def span(self) -> Span:
        """Where it stands."""
        return self.start, self.end

    def evaluate(self, context: Context) -> Value:
        """The value in a context."""
        raise NotImplementedError


class Literal(Node):
    """A number, or a string without substitutions."""

    __slots__ = ("value",)

    def __init__(self, value: Value, start: int, end: int) -> None:
        super().__init__(start, end)
        self.value = value

    def evaluate(self, context: Context) -> Value:
        """The value itself."""
        if isinstance(self.value, int):
            _check_integer(self.value, self, context)
        return self.value


class Variable(Node):
    """A word without substitutions: a variable, or a name where names are expected."""

    __slots__ = ("name",)

    def __init__(self, name: str, start: int, end: int) -> None:
        super().__init__(start, end)
        self.name = name

    def evaluate(self, context: Context) -> Value:
        """The variable's value."""
        if context.names is not None and context.names(self.name):
            return self.name
        value = context.find(self.name)
        if isinstance(value, Missing):
            raise Unknowable("", self)
        if value is not None:
            return value
        if context.names is not None:
            return self.name
        help = f"give it a value with .set, or with --param {self.name}=VALUE"
        help = did_you_mean(self.name, context.known()) or help
        raise Undefined(f"undefined name '{self.name}'", self, help=help)


class Substitution(Node):
    """`{value}` or `{value:format}`."""

    __slots__ = ("format", "inner")

    def __init__(self, inner: Node, format: str, start: int, end: int) -> None:
        super().__init__(start, end, [inner])
        self.inner = inner
        self.format = format

    def evaluate(self, context: Context) -> Value:
        """The value, or its text if there is a format."""
        names, context.names = context.names, None
        try:
            value = self.inner.evaluate(context)
        except LineError as problem:
            # The inner expression was parsed on its own: its offsets count from the brace.
            problem.move(self.start + 1)
            raise
        finally:
            context.names = names
        if not self.format:
            return value
        if not _FORMAT.fullmatch(self.format):
            raise LineError(f"format '{self.format}' is not allowed", self)
        try:
            return "" if isinstance(value, list) else format(value, self.format)
        except ValueError as problem:
            raise LineError(str(problem).lower(), self) from None


_FORMAT = re.compile(r"[<>=^]?[+\- ]?#?0?\d{0,3}[,_]?(\.\d{1,3})?[a-zA-Z%]?")


class Template(Node):
    """Text with substitutions: `q{i}`, `"logical:Surface(d={d})"`."""

    __slots__ = ("parts",)

    def __init__(self, parts: Sequence[str | Node], start: int, end: int) -> None:
        super().__init__(start, end, [part for part in parts if isinstance(part, Node)])
        self.parts = tuple(parts)

    def evaluate(self, context: Context) -> Value:
        """The text."""
        pieces = [
            part if isinstance(part, str) else to_text(part.evaluate(context), self, context)
            for part in self.parts
        ]
        return _join("", pieces, self, context)


class List(Node):
    """`[a, b, c]`."""

    __slots__ = ("items",)

    def __init__(self, items: Sequence[Node], start: int, end: int) -> None:
        super().__init__(start, end, items)
        self.items = tuple(items)

    def evaluate(self, context: Context) -> Value:
        """The list of values."""
        return _checked_list([item.evaluate(context) for item in self.items], self, context)


class Range(Node):
    """`a..b`: every integer i with a <= i <= b."""

    __slots__ = ("first", "last")

    def __init__(self, first: Node, last: Node) -> None:
        super().__init__(first.start, last.end, [first, last])
        self.first = first
        self.last = last

    def bounds(self, context: Context) -> range:
        """The integers, without listing them."""
        first, last = (_number(node.evaluate(context), node) for node in (self.first, self.last))
        try:
            return range(math.ceil(first), math.floor(last) + 1)
        except (OverflowError, ValueError):
            raise LineError("a range needs finite bounds", self) from None

    def evaluate(self, context: Context) -> Value:
        """The integers as a list."""
        bounds = self.bounds(context)
        _check_size(_count(bounds), self, context)
        return list(bounds)


def _count(bounds: range) -> int:
    """The length of a range that may be too long for `len`."""
    return max(0, bounds.stop - bounds.start)


@dataclass(frozen=True, slots=True)
class Clause:
    """`for a, b in iterable if condition` of a comprehension."""

    targets: tuple[str, ...]
    iterable: Node
    condition: Node | None

    def nodes(self) -> list[Node]:
        """The expressions in it."""
        return [self.iterable] if self.condition is None else [self.iterable, self.condition]


class Comprehension(Node):
    """`[item for x in xs if condition]`."""

    __slots__ = ("clauses", "item")

    def __init__(self, item: Node, clauses: Sequence[Clause], start: int, end: int) -> None:
        children = [item, *(node for clause in clauses for node in clause.nodes())]
        super().__init__(start, end, children)
        # Clauses nest when they are evaluated.
        self.depth += len(clauses)
        self.item = item
        self.clauses = tuple(clauses)

    def evaluate(self, context: Context) -> Value:
        """The list; its variables are gone afterwards."""
        outer = context.locals
        context.locals = dict(outer or {})
        try:
            found: list[Value] = []
            self._collect(0, found, context)
        finally:
            context.locals = outer
        return _checked_list(found, self, context)

    def _collect(self, level: int, found: list[Value], context: Context) -> None:
        if level == len(self.clauses):
            found.append(self.item.evaluate(context))
            if len(found) > context.limits.list_size:
                _check_size(len(found), self, context)
            return
        clause = self.clauses[level]
        assert context.locals is not None
        for value in elements(clause.iterable, context):
            context.charge(1 + (self.end - self.start >> 3), self)
            bind(clause.targets, value, context.locals, clause.iterable)
            if clause.condition is None or clause.condition.evaluate(context):
                self._collect(level + 1, found, context)


class Choice(Node):
    """`a or b` and `a and b`; as in Python the value is that of the deciding operand."""

    __slots__ = ("decides", "items")

    def __init__(self, decides: bool, items: Sequence[Node]) -> None:
        super().__init__(items[0].start, items[-1].end, items)
        self.decides = decides
        self.items = tuple(items)

    def evaluate(self, context: Context) -> Value:
        """The first operand that is as true as `decides`, or the last."""
        value: Value = False
        for item in self.items:
            value = item.evaluate(context)
            if bool(value) is self.decides:
                break
        return value


class Unary(Node):
    """`-a`, `+a`, `not a` and `!a`."""

    __slots__ = ("operand", "operator")

    def __init__(self, operator: str, operand: Node, start: int) -> None:
        super().__init__(start, operand.end, [operand])
        self.operator = operator
        self.operand = operand

    def evaluate(self, context: Context) -> Value:
        """The value."""
        value = self.operand.evaluate(context)
        if self.operator in ("not", "!"):
            return not value
        number = _number(value, self.operand)
        return -number if self.operator == "-" else +number


class Compare(Node):
    """`a < b <= c`, a chain as in Python."""

    __slots__ = ("items", "operators")

    def __init__(self, items: Sequence[Node], operators: Sequence[str]) -> None:
        super().__init__(items[0].start, items[-1].end, items)
        self.items = tuple(items)
        self.operators = tuple(operators)

    def evaluate(self, context: Context) -> Value:
        """Whether each neighbouring pair compares as asked."""
        left = self.items[0].evaluate(context)
        for symbol, item in zip(self.operators, self.items[1:], strict=True):
            right = item.evaluate(context)
            context.charge(min(size(left), size(right)) - 1, self)
            if not self._holds(symbol, left, right):
                return False
            left = right
        return True

    def _holds(self, symbol: str, left: Value, right: Value) -> bool:
        try:
            return _COMPARISONS[symbol](left, right)
        except TypeError:
            raise LineError(f"{kind_of(left)} and {kind_of(right)} have no order", self) from None


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Binary(Node):
    """`a + b` and the other arithmetic operators."""

    __slots__ = ("left", "operator", "right")

    def __init__(self, operator: str, left: Node, right: Node) -> None:
        super().__init__(left.start, right.end, [left, right])
        self.operator = operator
        self.left = left
        self.right = right

    def evaluate(self, context: Context) -> Value:
        """The value."""
        left = self.left.evaluate(context)
        right = self.right.evaluate(context)
        if isinstance(left, (str, list)) or isinstance(right, (str, list)):
            return self._sequence(left, right, context)
        try:
            if self.operator == "**":
                self._check_power(left, right, context)
            value = _ARITHMETIC[self.operator](left, right)
        except ZeroDivisionError:
            raise LineError("division by zero", self) from None
        except OverflowError:
            raise LineError("the result is too large for a float", self) from None
        if isinstance(value, complex):
            raise LineError("the result is not a real number", self)
        if isinstance(value, int):
            _check_integer(value, self, context)
        return value

    def _sequence(self, left: Value, right: Value, context: Context) -> Value:
        """Concatenation and repetition."""
        if self.operator == "*":
            if isinstance(left, int):
                left, right = right, left
            if isinstance(left, (str, list)) and isinstance(right, int):
                times = max(0, right)
                if isinstance(left, str):
                    _check_length(len(left) * times, self, context)
                else:
                    _check_size(size(left) * times, self, context)
                return left * times
        if self.operator == "+" and isinstance(left, str) and isinstance(right, str):
            return _join("", [left, right], self, context)
        if self.operator == "+" and isinstance(left, list) and isinstance(right, list):
            _check_size(len(left) + len(right), self, context)
            return _checked_list(left + right, self, context)
        raise LineError(
            f"'{self.operator}' does not work on {kind_of(left)} and {kind_of(right)}", self
        )

    def _check_power(self, base: float, exponent: float, context: Context) -> None:
        if isinstance(base, int) and isinstance(exponent, int) and exponent > 0 and abs(base) > 1:
            # |base| >= 2^(bits - 1), so the result has at least this many bits.
            _check_bits((abs(base).bit_length() - 1) * exponent, self, context)


def _divide(a: float, b: float) -> float:
    """The quotient; an integer if both are integers and b divides a."""
    if isinstance(a, int) and isinstance(b, int) and b and a % b == 0:
        return a // b
    return a / b


_ARITHMETIC: dict[str, Callable[[Any, Any], float | complex]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
}


class Index(Node):
    """`xs[i]`."""

    __slots__ = ("index", "sequence")

    def __init__(self, sequence: Node, index: Node) -> None:
        super().__init__(sequence.start, index.end, [sequence, index])
        self.sequence = sequence
        self.index = index

    def evaluate(self, context: Context) -> Value:
        """The element."""
        sequence = self.sequence.evaluate(context)
        if not isinstance(sequence, (str, list)):
            raise LineError(f"{kind_of(sequence)} has no elements", self.sequence)
        names, context.names = context.names, None
        try:
            index = whole(self.index.evaluate(context), self.index)
        finally:
            context.names = names
        if not -len(sequence) <= index < len(sequence):
            raise LineError(f"index {index} is outside 0..{len(sequence) - 1}", self.index)
        return sequence[index]


class Call(Node):
    """A call of a function of the sandbox, or of `join`."""

    __slots__ = ("arguments", "function", "name")

    def __init__(self, name: str, arguments: Sequence[Node], start: int, end: int) -> None:
        super().__init__(start, end, arguments)
        self.name = name
        self.function = FUNCTIONS[name]
        self.arguments = tuple(arguments)

    def evaluate(self, context: Context) -> Value:
        """The function's value."""
        arguments = [argument.evaluate(context) for argument in self.arguments]
        try:
            return self.function(self, arguments, context)
        except (ArithmeticError, TypeError, ValueError) as problem:
            raise LineError(f"{self.name}: {problem}", self) from None


Function = Callable[[Call, list[Value], Context], Value]


def _only(call: Call, arguments: list[Value]) -> Value:
    """The single argument."""
    if len(arguments) != 1:
        raise LineError(f"{call.name} takes one argument, not {len(arguments)}", call)
    return arguments[0]


def _sequence_argument(call: Call, arguments: list[Value]) -> str | list[Value]:
    value = _only(call, arguments)
    if not isinstance(value, (str, list)):
        raise LineError(f"{call.name} takes a list or a string", call)
    return value


def _len(call: Call, arguments: list[Value], context: Context) -> Value:
    return len(_sequence_argument(call, arguments))


def _range(call: Call, arguments: list[Value], context: Context) -> Value:
    if not 1 <= len(arguments) <= 3:
        raise LineError("range takes one to three arguments", call)
    numbers = [whole(value, call) for value in arguments]
    start, stop = (0, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])
    step = numbers[2] if len(numbers) == 3 else 1
    if step == 0:
        raise LineError("the step of a range cannot be 0", call)
    _check_size(max(0, (stop - start + step - (1 if step > 0 else -1)) // step), call, context)
    return list(range(start, stop, step))


def _enumerate(call: Call, arguments: list[Value], context: Context) -> Value:
    pairs: list[Value] = [[i, x] for i, x in enumerate(_sequence_argument(call, arguments))]
    return _checked_list(pairs, call, context)


def _extreme(pick: Callable[[Iterable[float]], float]) -> Function:
    def extreme(call: Call, arguments: list[Value], context: Context) -> Value:
        single = len(arguments) == 1 and isinstance(arguments[0], list)
        values = arguments[0] if single else arguments
        assert isinstance(values, list)
        context.charge(len(values), call)
        return pick([_number(value, call) for value in values])

    return extreme


def _abs(call: Call, arguments: list[Value], context: Context) -> Value:
    return abs(_number(_only(call, arguments), call))


def _round(call: Call, arguments: list[Value], context: Context) -> Value:
    if len(arguments) == 2:
        digits = whole(arguments[1], call)
        if abs(digits) > context.limits.integer_bits:
            raise limit_passed(f"round keeps up to {context.limits.integer_bits} digits", call)
        return round(_number(arguments[0], call), digits)
    return round(_number(_only(call, arguments), call))


def _single(call: Call, arguments: list[Value]) -> int | float | str:
    value = _only(call, arguments)
    if isinstance(value, list):
        raise LineError(f"{call.name} takes a number or a string", call)
    return value


def _int(call: Call, arguments: list[Value], context: Context) -> Value:
    value = _single(call, arguments)
    if isinstance(value, str):
        # log2(10) > 3, so that many digits have more bits than allowed.
        _check_bits(3 * (len(value.strip()) - 1), call, context)
    return _check_integer(int(value), call, context)


def _float(call: Call, arguments: list[Value], context: Context) -> Value:
    return float(_single(call, arguments))


def _str(call: Call, arguments: list[Value], context: Context) -> Value:
    return to_text(_only(call, arguments), call, context)


def _join_method(call: Call, arguments: list[Value], context: Context) -> Value:
    separator, pieces = arguments
    if not isinstance(separator, str) or not isinstance(pieces, (str, list)):
        raise LineError('join is called as ", ".join(list)', call)
    texts: list[str] = []
    for piece in pieces:
        if not isinstance(piece, str):
            raise LineError(f"join takes strings, not {kind_of(piece)}", call)
        texts.append(piece)
    return _join(separator, texts, call, context)


def _numeric(name: str) -> Function:
    function: Callable[..., float] = getattr(math, name)

    def numeric(call: Call, arguments: list[Value], context: Context) -> Value:
        value = function(*(_number(argument, call) for argument in arguments))
        return _check_integer(value, call, context) if isinstance(value, int) else value

    return numeric


# fmt: off
MATH = (
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "ceil", "copysign", "cos",
    "cosh", "degrees", "erf", "exp", "expm1", "fabs", "floor", "fmod", "gcd", "hypot", "isqrt",
    "lcm", "log", "log10", "log1p", "log2", "pow", "radians", "sin", "sinh", "sqrt", "tan",
    "tanh", "trunc",
)
# fmt: on
"""Functions of `math.`: each takes a few numbers, gives a number and is quick."""

MATH_CONSTANTS: Mapping[str, float] = {"pi": math.pi, "e": math.e, "tau": math.tau}

FUNCTIONS: dict[str, Function] = {
    "len": _len,
    "range": _range,
    "enumerate": _enumerate,
    "min": _extreme(min),
    "max": _extreme(max),
    "abs": _abs,
    "round": _round,
    "int": _int,
    "float": _float,
    "str": _str,
    ".join": _join_method,
    **{f"math.{name}": _numeric(name) for name in MATH},
}


# ---------------------------------------------------------------- values and their limits


def kind_of(value: Value) -> str:
    """The kind of a value, for messages."""
    if isinstance(value, bool):
        return "a truth value"
    if isinstance(value, int):
        return "an integer"
    if isinstance(value, float):
        return "a number"
    return "a string" if isinstance(value, str) else "a list"


def size(value: Value) -> int:
    """Elements and characters in a value."""
    if isinstance(value, str):
        return 1 + len(value)
    if isinstance(value, list):
        return 1 + sum(size(item) for item in value)
    return 1


def whole(value: Value, node: Node) -> int:
    """The value as an integer; 2.0 is one, 2.5 is not."""
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    shown = value if isinstance(value, float) else kind_of(value)
    raise LineError(f"expected an integer, got {shown}", node)


def to_text(value: Value, node: Node, context: Context) -> str:
    """The text that a substitution puts in."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        # Quotes, commas and escapes at most quadruple the text.
        _check_length(size(value), node, context)
    text = str(value)
    _check_length(len(text), node, context)
    return text


def elements(node: Node, context: Context) -> Iterable[Value]:
    """What a loop runs over; a range is not listed."""
    if isinstance(node, Range):
        return node.bounds(context)
    value = node.evaluate(context)
    if isinstance(value, (str, list)):
        return value
    raise LineError(f"cannot loop over {kind_of(value)}", node, help="write a..b or a list")


def count(values: Iterable[Value]) -> int:
    """How many elements a loop runs over."""
    return _count(values) if isinstance(values, range) else len(values)  # type: ignore[arg-type]


def bind(
    targets: tuple[str, ...], value: Value, scope: dict[str, Value | Missing], node: Node
) -> None:
    """Assign an element to the variables of a loop."""
    if len(targets) == 1:
        scope[targets[0]] = value
        return
    if not isinstance(value, list) or len(value) != len(targets):
        raise LineError(f"each element must be a list of {len(targets)}", node)
    scope.update(zip(targets, value, strict=True))


def work(length: int) -> int:
    """What it costs to run that many characters of source text."""
    return length >> 6


def _number(value: Value, node: Node) -> float:
    if isinstance(value, (int, float)):
        return value
    raise LineError(f"expected a number, got {kind_of(value)}", node)


def _check_bits(bits: int, node: Node, context: Context) -> None:
    if bits > context.limits.integer_bits:
        raise limit_passed(f"an integer may have {context.limits.integer_bits} bits", node)


def _check_integer(value: int, node: Node, context: Context) -> int:
    _check_bits(value.bit_length(), node, context)
    return value


def _check_length(length: int, node: Node, context: Context) -> None:
    if length > context.limits.string_length:
        raise limit_passed(f"a string may have {context.limits.string_length} characters", node)
    context.charge(length >> 6, node)


def _check_size(elements: int, node: Node, context: Context) -> None:
    if elements > context.limits.list_size:
        raise limit_passed(f"a list may have {context.limits.list_size} elements", node)
    context.charge(elements, node)


def _join(separator: str, pieces: list[str], node: Node, context: Context) -> str:
    length = sum(map(len, pieces)) + len(separator) * max(0, len(pieces) - 1)
    _check_length(length, node, context)
    return separator.join(pieces)


MAX_LIST_DEPTH = 8
"""Lists in lists; comparing and printing them recurses."""


def _checked_list(items: list[Value], node: Node, context: Context) -> list[Value]:
    _check_size(_bounded_size(items, MAX_LIST_DEPTH, context.limits.list_size, node), node, context)
    return items


def _bounded_size(items: list[Value], depth: int, bound: int, node: Node) -> int:
    """The size of a list, computed no further than the bound: shared parts count every time."""
    if depth == 0:
        raise limit_passed(f"lists may be nested {MAX_LIST_DEPTH} deep", node)
    total = 1
    for item in items:
        if isinstance(item, list):
            total += _bounded_size(item, depth - 1, bound - total, node)
        else:
            total += size(item)
        if total > bound:
            break
    return total
