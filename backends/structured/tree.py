"""Statements and expressions: what a program is for tools that have `if` and `while`.

    measure q1 -> m                      Measure(1, m)
    if m and not n { x q2 }              If(and(m, not(n)), [Gate("x", (2,))])
    while n < 5 { h q0; n = n + 1 }      While(cmpi slt(n, 5), [Gate("h", (0,)), Assign(n, ...)])

Variables hold 0 until they are written.  An operation of an expression has the name, the operands
and the attribute of its row in the op table; `not` is the one that has no row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from qwasmc.diagnostics import Locations
from qwasmc.ops import Type
from qwasmc.scalars import Scalar


class Variable:
    """A classical variable; `name` is what it should be called, if anything."""

    __slots__ = ("name", "type")

    def __init__(self, type: Type, name: str = "") -> None:
        self.type = type
        self.name = name


@dataclass(frozen=True, slots=True)
class Constant:
    """A bit, integer (signed, of 64 bits) or number."""

    value: Scalar
    type: Type


@dataclass(frozen=True, slots=True)
class Read:
    """What a variable holds."""

    variable: Variable

    @property
    def type(self) -> Type:
        """The type of the variable."""
        return self.variable.type


@dataclass(frozen=True, slots=True)
class Apply:
    """A classical operation; `loc` is where the program has it."""

    name: str
    operands: tuple[Expression, ...]
    type: Type
    attr: str | int = ""
    loc: int = -1


Expression: TypeAlias = Constant | Read | Apply

TRUE, FALSE = Constant(1, Type.I1), Constant(0, Type.I1)


@dataclass(slots=True)
class Gate:
    """A unitary gate, with the name of its row; on qubits by number."""

    name: str
    qubits: tuple[int, ...]
    angle: Expression | None = None
    loc: int = -1


@dataclass(slots=True)
class Measure:
    """A measurement of Z."""

    qubit: int
    into: Variable
    loc: int = -1


@dataclass(slots=True)
class Reset:
    """Put a qubit into |0>."""

    qubit: int
    loc: int = -1


@dataclass(slots=True)
class Barrier:
    """Nothing moves across it on these qubits."""

    qubits: tuple[int, ...]
    loc: int = -1


@dataclass(slots=True)
class Assign:
    """Put a value into a variable."""

    variable: Variable
    value: Expression
    loc: int = -1


@dataclass(slots=True)
class If:
    """Run `then` if a bit is 1, else `otherwise`."""

    condition: Expression
    then: list[Statement]
    otherwise: list[Statement] = field(default_factory=list)
    loc: int = -1


@dataclass(slots=True)
class While:
    """Run the body again and again, as long as a bit is 1 before."""

    condition: Expression
    body: list[Statement]
    loc: int = -1


@dataclass(slots=True)
class For:
    """Run the body for each of some numbers, which it can only read."""

    variable: Variable
    indices: range
    body: list[Statement]
    loc: int = -1


Statement: TypeAlias = Gate | Measure | Reset | Barrier | Assign | If | While | For


@dataclass(slots=True)
class Result:
    """A named result: one bit, the bits of an integer, least significant first, or an integer."""

    name: str
    kind: str
    """As in `backends.results`: bit or int."""
    variables: list[Variable]


@dataclass(slots=True)
class Listing:
    """A program: names of its qubits, results in program order, and statements."""

    qubits: list[str]
    results: list[Result]
    body: list[Statement]
    locations: Locations


# -- parts


def blocks(statement: Statement) -> list[list[Statement]]:
    """The statements inside a statement."""
    if isinstance(statement, If):
        return [statement.then, statement.otherwise]
    return [statement.body] if isinstance(statement, While | For) else []


def walk(body: Sequence[Statement]) -> Iterator[Statement]:
    """All statements, each before those inside it."""
    todo: list[Statement] = list(reversed(body))
    while todo:
        statement = todo.pop()
        yield statement
        for block in reversed(blocks(statement)):
            todo += reversed(block)


def lists(body: list[Statement]) -> list[list[Statement]]:
    """A list of statements and all those inside it."""
    return [body, *(block for statement in walk(body) for block in blocks(statement))]


def copied(body: Sequence[Statement]) -> list[Statement]:
    """Statements that share nothing with those given, but variables and expressions."""
    found: list[Statement] = []
    for statement in body:
        made = replace(statement)
        if isinstance(made, If):
            made.then, made.otherwise = copied(made.then), copied(made.otherwise)
        elif isinstance(made, While | For):
            made.body = copied(made.body)
        found.append(made)
    return found


def expressions(statement: Statement) -> list[Expression]:
    """The expressions of a statement, without those of statements inside it."""
    match statement:
        case Gate():
            return [] if statement.angle is None else [statement.angle]
        case Assign():
            return [statement.value]
        case If() | While():
            return [statement.condition]
    return []


def written(statement: Statement) -> Variable | None:
    """The variable that a statement itself writes."""
    match statement:
        case Measure():
            return statement.into
        case Assign():
            return statement.variable
    return None


def reads(expression: Expression) -> Iterator[Variable]:
    """The variables of an expression, from the left, with repetition."""
    if isinstance(expression, Read):
        yield expression.variable
    elif isinstance(expression, Apply):
        for operand in expression.operands:
            yield from reads(operand)


def variables(body: Sequence[Statement]) -> list[Variable]:
    """The variables of some statements, in order of appearance."""
    found: dict[Variable, None] = {}
    for statement in walk(body):
        target = written(statement)
        if target is not None:
            found.setdefault(target)
        for expression in expressions(statement):
            for variable in reads(expression):
                found.setdefault(variable)
    return list(found)


def read_counts(body: Sequence[Statement]) -> Counter[Variable]:
    """How often each variable is read."""
    return Counter(
        variable
        for statement in walk(body)
        for expression in expressions(statement)
        for variable in reads(expression)
    )


def write_counts(body: Sequence[Statement]) -> Counter[Variable]:
    """In how many places each variable is written."""
    return Counter(variable for s in walk(body) if (variable := written(s)) is not None)


# -- bits


OPPOSITE = {
    **{"eq": "ne", "slt": "sge", "sle": "sgt", "ult": "uge", "ule": "ugt"},
    **{"ne": "eq", "sge": "slt", "sgt": "sle", "uge": "ult", "ugt": "ule"},
}
"""By predicate of `cmpi`, the one that holds where it does not."""


def negation(bit: Expression) -> Expression:
    """The other value of a bit."""
    if isinstance(bit, Constant):
        return Constant(1 - int(bit.value), Type.I1)
    if isinstance(bit, Apply) and bit.name == "not":
        return bit.operands[0]
    if isinstance(bit, Apply) and bit.name == "cmpi":
        return replace(bit, attr=OPPOSITE[str(bit.attr)])
    return Apply("not", (bit,), Type.I1)


def parity(bits: Sequence[Expression]) -> Expression:
    """The parity of bits, without constants."""
    odd = sum(int(bit.value) for bit in bits if isinstance(bit, Constant))
    terms: list[Expression] = []
    for bit in bits:
        if isinstance(bit, Apply) and bit.name == "not":
            odd += 1
            terms.append(bit.operands[0])
        elif not isinstance(bit, Constant):
            terms.append(bit)
    whole = _balanced("xor", terms, FALSE)
    return negation(whole) if odd % 2 else whole


def conjunction(bits: Sequence[Expression]) -> Expression:
    """The conjunction of bits, without constants."""
    if any(isinstance(bit, Constant) and not bit.value for bit in bits):
        return FALSE
    return _balanced("and", [bit for bit in bits if not isinstance(bit, Constant)], TRUE)


def _balanced(name: str, terms: Sequence[Expression], none: Expression) -> Expression:
    """Terms joined in pairs, as a balanced tree; `none` if there are none."""
    while len(terms) > 1:
        pairs = zip(terms[::2], terms[1::2], strict=False)
        rest = terms[-1:] if len(terms) % 2 else []
        terms = [*(Apply(name, pair, Type.I1) for pair in pairs), *rest]
    return terms[0] if terms else none
