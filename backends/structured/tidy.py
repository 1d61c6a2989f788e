"""Fewer variables in nested statements.

    v = x; ...; if v { ... }           ...; if x { ... }          if nothing writes x until then
    measure q -> m; ...; b = m         measure q -> b; ...        if nothing else reads m
    ...; result = b                    ...                        with `result` in place of b

The second form is what an argument of a loop becomes that is measured in its body; with it the
loop is one that every tool can read: `while b { ...; b = measure q; }`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from qwasmc.backends.structured.counting import count
from qwasmc.backends.structured.tree import (
    Apply,
    Assign,
    Expression,
    Gate,
    If,
    Listing,
    Measure,
    Read,
    Statement,
    Variable,
    While,
    blocks,
    lists,
    read_counts,
    reads,
    variables,
    walk,
    write_counts,
    written,
)
from qwasmc.ops import Type


def tidy(listing: Listing) -> None:
    """Change a program so that it needs fewer variables."""
    kept = {variable for result in listing.results for variable in result.variables}
    _read_directly(listing.body, kept)
    _measure_directly(listing.body)
    _name_results(listing)
    count(listing.body)


# -- copies that are read while the original is still the same


def _read_directly(body: list[Statement], kept: set[Variable]) -> None:
    """Read variables in place of copies of them; those in `kept` stay."""
    uses = read_counts(body)
    writes = write_counts(body)
    names: dict[Variable, Variable] = {}
    for statements in lists(body):
        copies = _Copies(uses)
        for statement in statements:
            copies.step(statement)
            if isinstance(statement, Assign) and isinstance(statement.value, Read):
                target = statement.variable
                if writes[target] == 1 and target not in kept:
                    copies.begin(target, statement.value.variable)
        names.update(copies.done)
    # A copy of a copy stays: it may be read when what both are copies of has changed.
    names = {copy: original for copy, original in names.items() if original not in names}
    for statements in lists(body):
        statements[:] = [statement for statement in statements if written(statement) not in names]
    _rename(body, names)


class _Copies:
    """The copies in one list of statements: `done` are those that nothing needs.

    `uses` says how often each variable is read anywhere.
    """

    def __init__(self, uses: Counter[Variable]) -> None:
        self.uses = uses
        self.left: dict[Variable, int] = {}
        """By copy, how often it is still to be read."""
        self.original: dict[Variable, Variable] = {}
        self.done: dict[Variable, Variable] = {}

    def begin(self, copy: Variable, original: Variable) -> None:
        """A copy has been made."""
        if self.uses[copy]:
            self.left[copy], self.original[copy] = self.uses[copy], original

    def step(self, statement: Statement) -> None:
        """A statement reads copies, and may write what they are copies of."""
        if not self.left:
            return
        changed = write_counts([statement])
        alone = not blocks(statement)
        for copy, number in read_counts([statement]).items():
            if copy in self.left and (alone or self.original[copy] not in changed):
                self.left[copy] -= number
                if not self.left[copy]:
                    self.done[copy] = self.original[copy]
                    del self.left[copy]
        for copy in [copy for copy in self.left if self.original[copy] in changed]:
            del self.left[copy]


# -- outcomes


def _measure_directly(body: list[Statement]) -> None:
    """Measure into the variables that outcomes are copied to."""
    uses = read_counts(body)
    for statements in lists(body):
        _forward(statements, uses)


def _forward(statements: list[Statement], uses: Counter[Variable]) -> None:
    """The same for one list of statements."""
    measured: dict[Variable, tuple[int, Measure]] = {}
    """Outcomes that have not been copied yet."""
    touched: dict[Variable, int] = {}
    """Where each variable was read or written last."""
    gone: set[int] = set()
    for at, statement in enumerate(statements):
        if (
            isinstance(statement, Assign)
            and isinstance(statement.value, Read)
            and (source := statement.value.variable) in measured
            and uses[source] == 1
            and touched.get(statement.variable, -1) <= measured[source][0]
        ):
            measured.pop(source)[1].into = statement.variable
            gone.add(at)
        touched.update(dict.fromkeys(variables([statement]), at))
        if isinstance(statement, Measure):
            measured[statement.into] = (at, statement)
    statements[:] = [statement for at, statement in enumerate(statements) if at not in gone]


def _name_results(listing: Listing) -> None:
    """Let results take the place of variables that are copied to them when all is done."""
    results = {variable for result in listing.results for variable in result.variables}
    names: dict[Variable, Variable] = {}
    gone: set[int] = set()
    taken: set[Variable] = set()
    for at in range(len(listing.body) - 1, -1, -1):
        statement = listing.body[at]
        if not isinstance(statement, Assign) or statement.variable not in results:
            break
        source = statement.value.variable if isinstance(statement.value, Read) else None
        if source is None or source.type is not Type.I1:
            continue  # a result that is an integer is no variable that others compute with
        if source not in results and source not in taken:
            taken.add(source)
            names[source] = statement.variable
            gone.add(at)
    listing.body[:] = [s for at, s in enumerate(listing.body) if at not in gone]
    _rename(listing.body, names)


def _rename(body: list[Statement], names: Mapping[Variable, Variable]) -> None:
    """Put other variables in place of some."""
    for statement in walk(body):
        match statement:
            case Measure():
                statement.into = names.get(statement.into, statement.into)
            case Assign():
                statement.variable = names.get(statement.variable, statement.variable)
                statement.value = renamed(statement.value, names)
            case If() | While():
                statement.condition = renamed(statement.condition, names)
            case Gate() if statement.angle is not None:
                statement.angle = renamed(statement.angle, names)


def renamed(expression: Expression, names: Mapping[Variable, Variable]) -> Expression:
    """An expression with other variables in place of some."""
    if isinstance(expression, Read):
        new = names.get(expression.variable)
        return expression if new is None else Read(new)
    if not isinstance(expression, Apply) or names.keys().isdisjoint(reads(expression)):
        return expression
    operands = tuple(renamed(operand, names) for operand in expression.operands)
    return Apply(expression.name, operands, expression.type, expression.attr, expression.loc)
