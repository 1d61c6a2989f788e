"""Directives, macros, loops and includes: from source text to a stream of instructions.

The expander reads a file line by line.  A block (`.for`, `.if`, `.macro`) is collected up to its
end and then run; what runs is a stack of frames, one per open file, macro call, loop or branch,
so that nothing here recurses however deep a program nests.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from qwasmc.diagnostics import CompileError, Diagnostic, Kind, did_you_mean
from qwasmc.grammar.evaluator import (
    MISSING,
    Context,
    EvaluationError,
    Limits,
    Missing,
    Node,
    Undefined,
    Unknowable,
    Value,
    Variable,
    bind,
    count,
    elements,
    kind_of,
    to_text,
)
from qwasmc.grammar.source import (
    DIRECTIVES,
    Block,
    Item,
    Line,
    Source,
    SourceError,
    Sources,
    first_word,
    items,
)
from qwasmc.grammar.syntax import (
    Directive,
    LineError,
    Statement,
    parse_directive,
    parse_instruction,
    parse_substitution,
)

VERSIONS = ("0.1",)
"""Versions of the language that are read."""


class Fault(Exception):
    """An instruction that means nothing; `where` is the part of it to point at."""

    def __init__(
        self,
        message: str,
        where: Node | tuple[str, int] = ("name", 0),
        *,
        label: str = "",
        help: str = "",
        kind: Kind = Kind.PROGRAM,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.label = label
        self.help = help
        self.kind = kind


class Halt(Exception):
    """The program ends here."""


@dataclass(slots=True)
class Instruction:
    """An instruction with every expression evaluated.

    An operand is a name (a string) or a number; a guard stays a tree, of names of bits.
    """

    name: str
    operands: Sequence[Value]
    outputs: Sequence[str]
    loc: int
    named: Mapping[str, Value] = field(default_factory=dict)
    guard: Node | None = None
    predicate: Node | None = None
    capabilities: Sequence[str] = ()
    nodes: Mapping[str, Sequence[Node]] = field(default_factory=dict)
    """Where its parts were written: `name`, `operand`, `output` and the keys of `named`."""

    def names(self) -> list[str]:
        """All names in it: what it would have defined, and what was reported about it."""
        return [*self.outputs, *(word for word in self.operands if isinstance(word, str))]

    def node(self, part: str, index: int) -> Node | None:
        """Where a part of the instruction was written."""
        for nodes in (self.nodes.get(part, ()), self.nodes.get("name", ())):
            if index < len(nodes):
                return nodes[index]
        return None


class Sink(Protocol):
    """What instructions are handed to."""

    def instruction(self, instruction: Instruction) -> None:
        """Take the next instruction; raise Fault if it means nothing and Halt at the end."""

    def is_name(self, word: str) -> bool:
        """Whether a word names a qubit or a bit at this point."""

    def takes_angle(self, mnemonic: str, operands: int) -> bool:
        """Whether the last of that many operands is an angle."""

    def spoil(self, names: Iterable[str] | None) -> None:
        """These names (None: unknown ones) were to be defined by something that failed."""

    def declare(self, capabilities: Sequence[str]) -> None:
        """The program declares capabilities."""


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro and where its body was written."""

    parameters: tuple[str, ...]
    body: list[Item]
    source: Source
    least: int
    """Statements it certainly expands to, if the macros it calls stay as they are."""


@dataclass(frozen=True, slots=True)
class _Loop:
    """A loop: its header and body, and the elements still to come."""

    line: Line
    body: list[Item]
    iterable: Node
    values: Iterator[Value]
    targets: tuple[str, ...]


@dataclass(slots=True)
class _Frame:
    """A sequence of items that is being run."""

    source: Source
    items: Iterator[Item]
    parent: int
    """Location of the call, loop or include that led here."""
    kind: str
    """`file`, `macro`, `loop` or `branch`."""
    locals: dict[str, Value | Missing] | None
    loop: _Loop | None = None


class _Stop(Exception):
    """No more errors are wanted."""


PLAIN = re.compile(
    r"""\s*(?:(?!if\b)[A-Za-z_]\w*[ \t]*:[ \t]*)?      # label
    ([A-Za-z_]\w*)                             # mnemonic
    (?:[ \t]+(?!if\b)(                         # operands: names and numbers
        (?:[A-Za-z_]\w*|0|[1-9]\d*)
        (?:[ \t]*,[ \t]*(?:[A-Za-z_]\w*|0|[1-9]\d*))*
    ))?
    (?:[ \t]*,[ \t]*(theta|lambda)=(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?))?
    (?:[ \t]*->[ \t]*([A-Za-z_]\w*))?          # output
    [ \t]*(?:;.*|//.*)?$""",
    re.VERBOSE | re.ASCII | re.IGNORECASE,
)
"""An instruction of the plain kind that flat programs consist of.

A shortcut: the grammar reads these lines too and gives the same, at fifty times the cost.
"""

_CALL = re.compile(r"\s*(?:\w+[ \t]*:)?\s*(\w+)\(")
_COMMA = re.compile(r"[ \t]*,[ \t]*")

_MEMO = 4096
"""Positions inside loops, macros and includes that are remembered."""

MAX_CHAIN = 8
"""Expansions that an error shows."""

MAX_MESSAGE = 300
"""Characters of an error message; names can be long."""


class Expander:
    """Runs the directives of a program and hands its instructions to a sink."""

    def __init__(
        self,
        context: Context,
        sources: Sources,
        parameters: Mapping[str, Value],
    ) -> None:
        self.sink: Sink
        self.context = context
        self.limits = context.limits
        self.sources = sources
        self.locations = sources.locations
        self.parameters = parameters
        self.errors: list[Diagnostic] = []
        self.warnings: list[Diagnostic] = []
        self.macros: dict[str, Macro] = {}
        self.declared: set[str] = set()
        """Parameters the program declares."""
        self.statements = 0
        self.incomplete = False
        """Whether definitions may be missing because of an error already reported."""
        self._frames: list[_Frame] = []
        self._open: Counter[str] = Counter()
        """How many frames of each kind there are."""
        self._reported: set[tuple[int, int, int]] = set()
        self._places: dict[tuple[int, int, int], int] = {}

    # -- running

    def run(self, source: Source, sink: Sink) -> None:
        """Run a program; afterwards `errors` and `warnings` say how it went."""
        self.sink = sink
        try:
            self._push(_Frame(source, self._items(source, -1), -1, "file", None))
            try:
                self._run_frames()
            except Halt:
                self._warn_unreachable()
        except _Stop:
            return

    def _run_frames(self) -> None:
        while self._frames:
            frame = self._frames[-1]
            for item in frame.items:
                if isinstance(item, Block):
                    self._block(frame, item)
                else:
                    self._line(frame, item)
                if self._frames[-1] is not frame:
                    break
            else:
                self._finish(frame)

    def charge(self, statements: int, frame: _Frame, line: Line, span: tuple[int, int]) -> None:
        """Account for statements of the expanded program."""
        self.statements += statements
        if self.statements > self.limits.statements:
            self._limit(self._statement_rule(), frame, line, span)

    def account(self, statements: int) -> None:
        """Account for operations beyond one for each instruction."""
        self.statements += statements
        if self.statements > self.limits.statements:
            raise Fault(f"limit passed: {self._statement_rule()}", kind=Kind.LIMIT)

    def _statement_rule(self) -> str:
        return f"a program may expand to {self.limits.statements} statements"

    def _push(self, frame: _Frame) -> None:
        self._frames.append(frame)
        self._open[frame.kind] += 1
        self.context.locals = frame.locals

    def _finish(self, frame: _Frame) -> None:
        """Start the next round of a loop, or leave the frame."""
        if frame.kind == "loop" and self._next_round(frame):
            return
        self._frames.pop()
        self._open[frame.kind] -= 1
        self.context.locals = self._frames[-1].locals if self._frames else None

    def _next_round(self, frame: _Frame) -> bool:
        """Assign the next element to a loop's variables; False if there is none."""
        assert frame.loop is not None
        for value in frame.loop.values:
            try:
                bind(frame.loop.targets, value, self.context.variables(), frame.loop.iterable)
            except EvaluationError as problem:
                # The header is outside the loop it heads.
                outside = replace(frame, parent=self.locations.parent[frame.parent])
                self._evaluation_error(problem, outside, frame.loop.line)
                return False
            frame.items = iter(frame.loop.body)
            return True
        return False

    def _warn_unreachable(self) -> None:
        for frame in reversed(self._frames):
            item = next(frame.items, None)
            if item is not None:
                line = item if isinstance(item, Line) else item.parts[0][0]
                loc = self._locate(frame, line, first_word(line.text))
                found = self.locations.diagnostic("nothing is executed after HALT", loc)
                self.warnings.append(replace(found, severity="warning"))
                return

    # -- blocks

    def _items(self, source: Source, parent: int) -> Iterator[Item]:
        """The lines and blocks of a file."""
        frame = _Frame(source, iter(()), parent, "file", None)

        def report(message: str, line: Line, help: str = "", kind: Kind = Kind.PROGRAM) -> None:
            if line.is_opener:
                self._miss_definitions()
            self._error(message, frame, line, first_word(line.text), help=help, kind=kind)

        return items(source.text, self.limits, report)

    def _block(self, frame: _Frame, block: Block) -> None:
        header, body = block.parts[0]
        if block.kind == "if":
            self._branch(frame, block)
            return
        directive = self._directive_of(frame, header)
        if directive is None:
            self._miss_definitions()
        elif block.kind == "macro":
            self._define(frame, header, directive, body)
        else:
            self._loop(frame, header, directive, body)

    def _branch(self, frame: _Frame, block: Block) -> None:
        for header, body in block.parts:
            directive = self._directive_of(frame, header)
            if directive is None:
                self._miss_definitions()
                return
            self.charge(1, frame, header, directive.span)
            if directive.expression is not None:
                value = self._value(frame, header, directive.expression)
                if value is None:
                    self._miss_definitions()
                    return
                if not value:
                    continue
            self._push(replace(frame, items=iter(body), kind="branch"))
            return

    def _loop(self, frame: _Frame, line: Line, directive: Directive, body: list[Item]) -> None:
        iterable = directive.expression
        assert iterable is not None
        try:
            values = elements(iterable, self.context)
        except EvaluationError as problem:
            self._evaluation_error(problem, frame, line)
            self._miss_definitions()
            return
        least = count(values) * max(1, self._least_statements(body))
        if self.statements + least > self.limits.statements:
            self.charge(least, frame, line, directive.span)
        self.charge(count(values), frame, line, directive.span)
        loop = replace(
            frame,
            items=iter(()),
            parent=self._locate(frame, line, directive.span),
            kind="loop",
            loop=_Loop(line, body, iterable, iter(values), directive.words),
        )
        if self._next_round(loop):
            self._push(loop)

    def _define(self, frame: _Frame, line: Line, directive: Directive, body: list[Item]) -> None:
        name, *parameters = directive.words
        self.charge(1, frame, line, directive.span)
        least = self._least_statements(body)
        self.macros[name] = Macro(tuple(parameters), body, frame.source, least)

    def _least_statements(self, body: list[Item]) -> int:
        """Statements a body certainly expands to, without looking into its blocks."""
        return sum(self._least_of_line(item.text) for item in body if isinstance(item, Line))

    def _least_of_line(self, text: str) -> int:
        call = _CALL.match(text)
        macro = self.macros.get(call[1]) if call else None
        return 1 if macro is None else 1 + macro.least

    def _miss_definitions(self) -> None:
        """Note that what a skipped part of the program defines is unknown."""
        self.incomplete = True
        self.sink.spoil(None)

    # -- lines

    def _line(self, frame: _Frame, line: Line) -> None:
        self.statements += 1
        if self.statements > self.limits.statements:
            self.charge(0, frame, line, first_word(line.text))
        if not line.is_parsed:
            if len(line.text) > self.limits.string_length:
                most = f"a line may have {self.limits.string_length} characters"
                self._limit(most, frame, line, (0, 1))
            match = PLAIN.match(line.text)
            if match is not None:
                self._plain(frame, line, match)
                return
        if line.directive is None:
            statement = self._statement_of(frame, line)
            if statement is not None:
                self._statement(frame, line, statement)
            return
        directive = self._directive_of(frame, line)
        if directive is not None:
            self._directive(frame, line, directive)

    def _plain(self, frame: _Frame, line: Line, match: re.Match[str]) -> None:
        """Run a plain instruction without the grammar."""
        name, operands, key, value, output = match.groups()
        words = _COMMA.split(operands) if operands else ()
        start, end = match.span(1)
        instruction = Instruction(
            name,
            words,
            (output,) if output else (),
            self._locate(frame, line, (start, end)),
        )
        if key:
            instruction.named = {key: float(value)}
        try:
            self.sink.instruction(instruction)
        except Fault:
            # Once more with the grammar, which knows where everything stands, and expressions.
            self._grammatical(frame, line)

    def _grammatical(self, frame: _Frame, line: Line) -> None:
        statement = self._statement_of(frame, line)
        if statement is not None:
            self._statement(frame, line, statement)

    def _statement_of(self, frame: _Frame, line: Line) -> Statement | None:
        """The statement in a line; None if there is none or it is wrong."""
        if line.is_parsed:
            assert not isinstance(line.parsed, Directive)
            return line.parsed
        try:
            parsed = parse_instruction(line.text, self.limits)
        except LineError as problem:
            self.sink.spoil(None)
            self._line_error(problem, frame, line)
            line.is_parsed = True
            return None
        # Lines of a file are met once, lines of loops and macros again and again.
        if frame.kind != "file":
            line.parsed, line.is_parsed = parsed, True
        return parsed

    def _directive_of(self, frame: _Frame, line: Line) -> Directive | None:
        """The directive in a line; None if it is wrong."""
        if line.is_parsed:
            assert not isinstance(line.parsed, Statement)
            return line.parsed
        line.is_parsed = True
        name = line.directive
        if name not in DIRECTIVES:
            self._error(
                f"unknown directive '.{name}'",
                frame,
                line,
                first_word(line.text),
                help=did_you_mean(f".{name}", [f".{known}" for known in DIRECTIVES]),
            )
            return None
        try:
            line.parsed = parsed = parse_directive(line.text, self.limits)
        except LineError as problem:
            self._miss_definitions()
            self._line_error(problem, frame, line)
            return None
        return parsed

    # -- instructions

    def _statement(self, frame: _Frame, line: Line, statement: Statement) -> None:
        extra = (len(statement.operands) + len(statement.outputs)) >> 3
        if extra:
            self.charge(extra, frame, line, _node_span(statement.name))
        try:
            if statement.is_call:
                self._call(frame, line, statement)
                return
            instruction = self._instruction(frame, line, statement)
        except (EvaluationError, Fault) as problem:
            self.sink.spoil(None if statement.outputs or statement.is_call else ())
            self._wrong(problem, None, frame, line)
            return
        try:
            self.sink.instruction(instruction)
        except (EvaluationError, Fault) as problem:
            self.sink.spoil(instruction.names())
            self._wrong(problem, instruction, frame, line)

    def _instruction(self, frame: _Frame, line: Line, statement: Statement) -> Instruction:
        """The statement with its expressions evaluated."""
        name = self._word(statement.name)
        operands: list[Value] = []
        operand_nodes: list[Node] = []
        angle_last = self.sink.takes_angle(name, len(statement.operands))
        for position, node in enumerate(statement.operands, 1):
            is_angle = angle_last and position == len(statement.operands)
            found = [node.evaluate(self.context)] if is_angle else self._names(node)
            operands += found
            operand_nodes += [node] * len(found)
        outputs: list[str] = []
        output_nodes: list[Node] = []
        for node in statement.outputs:
            names = [to_text(value, node, self.context) for value in self._names(node)]
            outputs += names
            output_nodes += [node] * len(names)
        guard, capabilities = _bracketed(statement)
        return Instruction(
            name,
            operands,
            outputs,
            self._locate(frame, line, _node_span(statement.name)),
            named={key: self._argument(node) for key, node in statement.named},
            guard=guard,
            predicate=statement.predicate,
            capabilities=capabilities,
            nodes={
                **{key: [node] for key, node in statement.named},
                "name": [statement.name],
                "operand": operand_nodes,
                "output": output_nodes,
            },
        )

    def _word(self, node: Node) -> str:
        """The text of a node in a place where a name stands."""
        if isinstance(node, Variable):
            return node.name
        return to_text(node.evaluate(self.context), node, self.context)

    def _names(self, node: Node) -> list[Value]:
        """The operands a node stands for: a substitution may put in several."""
        if isinstance(node, Variable):
            return [node.name]
        value = node.evaluate(self.context)
        if isinstance(value, str) and "," in value:
            return [piece.strip() for piece in value.split(",")]
        return [value]

    def _argument(self, node: Node) -> Value:
        """The value of an argument, in which words that are not variables are names."""
        self.context.names = self.sink.is_name
        try:
            return node.evaluate(self.context)
        finally:
            self.context.names = None

    def _call(self, frame: _Frame, line: Line, statement: Statement) -> None:
        name = self._word(statement.name)
        macro = self.macros.get(name)
        span = _node_span(statement.name)
        if statement.predicate is not None:
            raise Fault("a macro call cannot be predicated", statement.predicate)
        if macro is None:
            self.sink.spoil(None)
            if not self.incomplete:
                help = did_you_mean(name, self.macros)
                self._error(f"undefined macro '{name}'", frame, line, span, help=help)
            return
        if len(statement.operands) != len(macro.parameters):
            self.sink.spoil(None)
            self._error(
                f"macro '{name}' takes {plural(len(macro.parameters), 'argument')}, "
                f"got {len(statement.operands)}",
                frame,
                line,
                span,
                help=f"it is called as {name}({', '.join(macro.parameters)})",
            )
            return
        if self._open["macro"] >= self.limits.macro_depth:
            most = f"macro calls may be nested {self.limits.macro_depth} deep"
            self._limit(most, frame, line, span)
        arguments = [self._argument(node) for node in statement.operands]
        if self.statements + macro.least > self.limits.statements:
            self.charge(macro.least, frame, line, span)
        parent = self._locate(frame, line, span)
        variables: dict[str, Value | Missing] = dict(zip(macro.parameters, arguments, strict=True))
        self._push(_Frame(macro.source, iter(macro.body), parent, "macro", variables))

    # -- directives

    def _directive(self, frame: _Frame, line: Line, directive: Directive) -> None:
        if directive.name == "set":
            value = self._value(frame, line, directive.expression)
            self.context.variables()[directive.words[0]] = MISSING if value is None else value
        elif directive.name == "param":
            self._parameter(frame, line, directive)
        elif directive.name == "caps":
            self._capabilities(frame, line, directive)
        elif directive.name == "include":
            self._include(frame, line, directive)
        elif directive.words[0] not in VERSIONS:
            self._error(
                f"version {directive.words[0]} is not supported",
                frame,
                line,
                directive.span,
                help=f"this compiler reads version {', '.join(VERSIONS)}",
            )

    def _parameter(self, frame: _Frame, line: Line, directive: Directive) -> None:
        """A default: a value given from outside, or set before, wins."""
        (name,) = directive.words
        value = self._value(frame, line, directive.expression)
        self.declared.add(name)
        if name in self.parameters:
            self.context.used.add(name)
            given = self.parameters[name]
            if not isinstance(value, str):
                given = literal(given)
            if value is not None and _family(given) != _family(value):
                self._error(
                    f"parameter '{name}' must be {kind_of(value)}, got {given!r:.60}",
                    frame,
                    line,
                    directive.span,
                )
            self.context.globals[name] = given
        elif value is None:
            self.context.globals[name] = MISSING
        else:
            self.context.globals.setdefault(name, value)

    def _capabilities(self, frame: _Frame, line: Line, directive: Directive) -> None:
        wrong = [word for word in directive.words if not _CAPABILITY.fullmatch(word)]
        if wrong:
            start = line.text.find(wrong[0])
            self._error(
                f"'{wrong[0]}' is not a capability",
                frame,
                line,
                (start, start + len(wrong[0])),
                help="capabilities are called CAP_ and capital letters",
            )
        self.sink.declare(directive.words)

    def _include(self, frame: _Frame, line: Line, directive: Directive) -> None:
        node = directive.expression
        assert node is not None
        target = self._value(frame, line, node)
        if target is None:
            self._miss_definitions()
            return
        if self._open["file"] > self.limits.include_depth:
            most = f"includes may be nested {self.limits.include_depth} deep"
            self._limit(most, frame, line, _node_span(node))
        try:
            source = self.sources.open(str(target), frame.source.directory)
        except SourceError as problem:
            self._miss_definitions()
            span = _node_span(node)
            self._error(problem.message, frame, line, span, help=problem.help, kind=problem.kind)
            return
        except CompileError as problem:
            self._miss_definitions()
            self.errors += problem.diagnostics
            return
        parent = self._locate(frame, line, directive.span)
        self._push(_Frame(source, self._items(source, parent), parent, "file", frame.locals))

    # -- evaluation and errors

    def _value(self, frame: _Frame, line: Line, node: Node | None) -> Value | None:
        """The value of a directive's expression; None if it has none, which is reported."""
        assert node is not None
        try:
            return node.evaluate(self.context)
        except EvaluationError as problem:
            self._evaluation_error(problem, frame, line)
            return None

    def _locate(self, frame: _Frame, line: Line, span: tuple[int, int]) -> int:
        start, end = span
        add = self.locations.add
        if frame.parent < 0:
            return add(frame.source.file, line.number, start + 1, end + 1)
        # The rounds of a loop share their positions.
        key = (frame.parent, line.number, start)
        if key not in self._places:
            if len(self._places) >= _MEMO:
                self._places.clear()
            self._places[key] = add(
                frame.source.file, line.number, start + 1, end + 1, frame.parent
            )
        return self._places[key]

    def _wrong(
        self,
        problem: EvaluationError | Fault,
        instruction: Instruction | None,
        frame: _Frame,
        line: Line,
    ) -> None:
        if isinstance(problem, Fault):
            self._fault(problem, instruction, frame, line)
        else:
            self._evaluation_error(problem, frame, line)

    def _fault(
        self, fault: Fault, instruction: Instruction | None, frame: _Frame, line: Line
    ) -> None:
        where: Node | None
        if isinstance(fault.where, Node):
            where = fault.where
        else:
            where = None if instruction is None else instruction.node(*fault.where)
        span = first_word(line.text) if where is None else _node_span(where)
        self._error(
            fault.message,
            frame,
            line,
            span,
            label=fault.label,
            help=fault.help,
            kind=fault.kind,
        )

    def _line_error(self, problem: LineError, frame: _Frame, line: Line) -> None:
        self._error(
            problem.message,
            frame,
            line,
            (problem.start, problem.end),
            label=problem.label,
            help=problem.help,
            kind=problem.kind,
        )

    def _evaluation_error(self, problem: EvaluationError, frame: _Frame, line: Line) -> None:
        undefined = isinstance(problem, Undefined) and self.incomplete
        if undefined or isinstance(problem, Unknowable):
            return
        self._error(
            problem.message,
            frame,
            line,
            (problem.start, problem.end),
            help=problem.help,
            kind=problem.kind,
        )

    def _limit(self, rule: str, frame: _Frame, line: Line, span: tuple[int, int]) -> None:
        self._error(f"limit passed: {rule}", frame, line, span, kind=Kind.LIMIT)

    def _error(
        self,
        message: str,
        frame: _Frame,
        line: Line,
        span: tuple[int, int],
        *,
        label: str = "",
        help: str = "",
        kind: Kind = Kind.PROGRAM,
    ) -> None:
        """Report an error, once per place; stop at a limit or when there are enough."""
        place = (frame.source.file, line.number, span[0])
        if place not in self._reported:
            self._reported.add(place)
            if len(message) > MAX_MESSAGE:
                message = f"{message[:MAX_MESSAGE]}..."
            loc = self.locations.add(
                frame.source.file, line.number, span[0] + 1, span[1] + 1, frame.parent
            )
            found = self.locations.diagnostic(message, loc, label, help)
            notes = self._rounds()
            if len(found.chain) > MAX_CHAIN:
                notes = (*notes, f"{len(found.chain) - MAX_CHAIN} more expansions lead here")
            chain = found.chain[:MAX_CHAIN]
            self.errors.append(replace(found, kind=kind, notes=notes, chain=chain))
        if kind is Kind.LIMIT or len(self.errors) >= self.limits.errors:
            raise _Stop

    def _rounds(self) -> tuple[str, ...]:
        """Which round of each loop around a place is running, innermost first."""
        notes = []
        for frame in reversed(self._frames):
            if frame.kind == "loop" and frame.loop is not None:
                scope = self.context.globals if frame.locals is None else frame.locals
                values = ", ".join(f"{t} = {scope.get(t)!r:.40}" for t in frame.loop.targets)
                notes.append(f"in the round with {values}")
        return tuple(notes[:MAX_CHAIN])


_CAPABILITY = re.compile(r"CAP_[A-Z0-9_]+")


def _bracketed(statement: Statement) -> tuple[Node | None, list[str]]:
    """The guard and the capabilities: brackets hold either."""
    guard = statement.guard
    words = [node.name if isinstance(node, Variable) else "" for node in statement.bracket]
    if all(_CAPABILITY.fullmatch(word) for word in words):
        return guard, words
    if len(words) == 1 and guard is None:
        return statement.bracket[0], []
    raise Fault(
        "brackets hold capabilities or one guard",
        statement.bracket[0],
        help="as in [CAP_ALLOC, CAP_MAGIC] or [m == 1]",
    )


def literal(value: Value) -> Value:
    """A parameter given as text, as the number or list it spells, if it does."""
    if not isinstance(value, str):
        return value
    try:
        node, _ = parse_substitution(value, Limits())
        return node.evaluate(Context())
    except (LineError, EvaluationError):
        return value


def _family(value: Value) -> str:
    """Values of one family may stand for each other."""
    return "number" if isinstance(value, (int, float)) else type(value).__name__


def _node_span(node: Node) -> tuple[int, int]:
    return node.start, node.end


def plural(count: int, noun: str) -> str:
    """A number of things."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
