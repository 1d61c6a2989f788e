"""Directives, macros, loops and includes: from source text to a stream of instructions.

The expander reads a file line by line.  A block (`.for`, `.if`, `.macro`) is collected up to its
end and then run; what runs is a stack of frames, one per open file, macro call, loop or branch,
so that nothing here recurses however deep a program nests.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from qwasmc.diagnostics import CompileError, Diagnostic, Kind, did_you_mean
from qwasmc.grammar.evaluator import (
    MISSING,
    Context,
    LineError,
    Missing,
    Node,
    Span,
    Undefined,
    Unknowable,
    Value,
    Variable,
    bind,
    count,
    elements,
    kind_of,
    limit_passed,
    to_text,
    work,
)
from qwasmc.grammar.instructions import ANY_REGISTER, Builder, Halt, Instruction, plural
from qwasmc.grammar.source import (
    DIRECTIVES,
    OPENERS,
    Block,
    Item,
    Line,
    Source,
    Sources,
    first_word,
    items,
)
from qwasmc.grammar.syntax import (
    Directive,
    Statement,
    parse_directive,
    parse_instruction,
    parse_label,
)

VERSIONS = ("0.1",)
"""Versions of the language that are read."""


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
    (?:[ \t]*,[ \t]*(?:(theta|lambda)=)?     # angle
        (-?\d+(?:\.\d+(?:e[+-]?\d+)?|e[+-]?\d+))
    )?
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
    """Runs the directives of a program and hands its instructions to a builder."""

    def __init__(
        self,
        context: Context,
        sources: Sources,
        builder: Builder,
        parameters: Mapping[str, Value],
    ) -> None:
        self.builder = builder
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
        self.incomplete = False
        """Whether definitions may be missing because of an error already reported."""
        self._frames: list[_Frame] = []
        self._open: Counter[str] = Counter()
        """How many frames of each kind there are."""
        self._reported: set[tuple[int, int, int]] = set()
        self._places: dict[tuple[int, int, int], int] = {}

    # -- running

    def run(self, source: Source) -> None:
        """Run a program; afterwards `errors` and `warnings` say how it went."""
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
                    try:
                        self._line(frame, item)
                    except LineError as problem:
                        self._report(problem, frame, item)
                if self._frames[-1] is not frame:
                    break
            else:
                self._finish(frame)

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
            except LineError as problem:
                # The header is outside the loop it heads.
                outside = replace(frame, parent=self.locations.parent[frame.parent])
                self._report(problem, outside, frame.loop.line)
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

        def report(problem: LineError, line: Line) -> None:
            if line.directive in OPENERS:
                self._miss_definitions()
            self._report(problem, frame, line)

        return items(source.text, self.limits, report)

    def _block(self, frame: _Frame, block: Block) -> None:
        for header, body in block.parts:
            try:
                if self._enter(frame, block.kind, header, body):
                    return
            except LineError as problem:
                self._report(problem, frame, header)
                self._miss_definitions()
                return

    def _enter(self, frame: _Frame, kind: str, header: Line, body: list[Item]) -> bool:
        """Start a part of a block; False if it is a branch whose condition is false."""
        directive = self._directive_of(frame, header)
        if directive is None:
            self._miss_definitions()
            return True
        self.context.expand(1 + work(len(header.text)))
        if kind == "macro":
            name, *parameters = directive.words
            least = self._least_statements(body)
            self.macros[name] = Macro(tuple(parameters), body, frame.source, least)
        elif kind == "for":
            self._loop(frame, header, directive, body)
        elif directive.expression is None or directive.expression.evaluate(self.context):
            self._push(replace(frame, items=iter(body), kind="branch"))
        else:
            return False
        return True

    def _loop(self, frame: _Frame, line: Line, directive: Directive, body: list[Item]) -> None:
        iterable = directive.expression
        assert iterable is not None
        values = elements(iterable, self.context)
        rounds = count(values)
        self.context.allow(rounds * max(1, self._least_statements(body)))
        self.context.expand(rounds)
        loop = replace(
            frame,
            items=iter(()),
            parent=self._locate(frame, line, directive.span),
            kind="loop",
            loop=_Loop(line, body, iterable, iter(values), directive.words),
        )
        if self._next_round(loop):
            self._push(loop)

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
        self.builder.spoil(None)

    # -- lines

    def _line(self, frame: _Frame, line: Line) -> None:
        self.context.expand(1 + work(len(line.text)))
        if self.builder.branches and line.directive is None:
            self._label(frame, line)
        if not line.is_parsed:
            if len(line.text) > self.limits.string_length:
                rule = f"a line may have {self.limits.string_length} characters"
                raise limit_passed(rule, (0, 1))
            match = PLAIN.match(line.text)
            if match is not None and self._plain(frame, line, match):
                return
        if line.directive is None:
            statement = self._statement_of(frame, line)
            if statement is not None:
                self._statement(frame, line, statement)
            return
        directive = self._directive_of(frame, line)
        if directive is not None:
            self._directive(frame, line, directive)

    def _label(self, frame: _Frame, line: Line) -> None:
        """Tell the builder of the label of a line."""
        try:
            node = parse_label(line.text, self.limits)
            name = "" if node is None else self._word(node)
        except LineError:
            return  # reported when the whole line is read
        if node is not None:
            self.builder.label(name, self._locate(frame, line, node.span))

    def _plain(self, frame: _Frame, line: Line, match: re.Match[str]) -> bool:
        """Run a plain instruction without the grammar; False if that does not do."""
        name, words, key, value, output = match.groups()
        operands: list[Value] = _COMMA.split(words) if words else []
        span = match.span(1)
        instruction = Instruction(
            name,
            operands,
            (output,) if output else (),
            self._locate(frame, line, span),
        )
        if key:
            instruction.named = {key: float(value)}
        elif value:
            operands.append(float(value))
        try:
            self.builder.instruction(instruction)
        except LineError as problem:
            if problem.kind is Kind.LIMIT:
                problem.span = span
                raise
            # Once more with the grammar, which knows where everything stands, and expressions.
            return False
        return True

    def _statement_of(self, frame: _Frame, line: Line) -> Statement | None:
        """The statement in a line; None if there is none or it is wrong."""
        if line.is_parsed:
            assert not isinstance(line.parsed, Directive)
            return line.parsed
        try:
            parsed = parse_instruction(line.text, self.limits)
        except LineError:
            self.builder.spoil(None)
            line.is_parsed = True
            raise
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
            help = did_you_mean(f".{name}", [f".{known}" for known in DIRECTIVES])
            raise LineError(f"unknown directive '.{name}'", help=help)
        try:
            line.parsed = parsed = parse_directive(line.text, self.limits)
        except LineError:
            self._miss_definitions()
            raise
        return parsed

    # -- instructions

    def _statement(self, frame: _Frame, line: Line, statement: Statement) -> None:
        try:
            if statement.is_call:
                self._call(frame, line, statement)
                return
            instruction = self._instruction(frame, line, statement)
        except LineError:
            self.builder.spoil(None if statement.outputs or statement.is_call else ())
            raise
        try:
            self.builder.instruction(instruction)
        except LineError as problem:
            self.builder.spoil(instruction.names())
            problem.span = problem.span or statement.name.span
            raise

    def _instruction(self, frame: _Frame, line: Line, statement: Statement) -> Instruction:
        """The statement with its expressions evaluated."""
        name = self._word(statement.name)
        operands: list[Value] = []
        operand_nodes: list[Node] = []
        angle = self.builder.angle_operand(name, len(statement.operands))
        for position, node in enumerate(statement.operands):
            found = [self._angle(node)] if position == angle else self._names(node)
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
            self._locate(frame, line, statement.name.span),
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

    def _angle(self, node: Node) -> Value:
        """The value of an operand that is an angle, or the register that holds it."""
        if isinstance(node, Variable) and self.builder.is_register(node.name, ANY_REGISTER):
            return node.name
        return node.evaluate(self.context)

    def _argument(self, node: Node) -> Value:
        """The value of an argument, in which words that are not variables are names."""
        self.context.names = self.builder.is_name
        try:
            return node.evaluate(self.context)
        finally:
            self.context.names = None

    def _call(self, frame: _Frame, line: Line, statement: Statement) -> None:
        if statement.predicate is not None:
            raise LineError("a macro call cannot be predicated", statement.predicate)
        name = self._word(statement.name)
        where = statement.name
        macro = self.macros.get(name)
        if macro is None:
            help = did_you_mean(name, self.macros)
            raise Undefined(f"undefined macro '{name}'", where, help=help)
        if len(statement.operands) != len(macro.parameters):
            wanted = plural(len(macro.parameters), "argument")
            raise LineError(
                f"macro '{name}' takes {wanted}, got {len(statement.operands)}",
                where,
                help=f"it is called as {name}({', '.join(macro.parameters)})",
            )
        if self._open["macro"] >= self.limits.macro_depth:
            rule = f"macro calls may be nested {self.limits.macro_depth} deep"
            raise limit_passed(rule, where)
        arguments = [self._argument(node) for node in statement.operands]
        self.context.allow(macro.least, where)
        parent = self._locate(frame, line, where.span)
        variables: dict[str, Value | Missing] = dict(zip(macro.parameters, arguments, strict=True))
        self._push(_Frame(macro.source, iter(macro.body), parent, "macro", variables))

    # -- directives

    def _directive(self, frame: _Frame, line: Line, directive: Directive) -> None:
        if directive.name == "set":
            self._set(directive)
        elif directive.name == "param":
            self._parameter(directive)
        elif directive.name == "caps":
            self._capabilities(line, directive)
        elif directive.name == "include":
            self._include(frame, line, directive)
        elif directive.words[0] not in VERSIONS:
            raise LineError(
                f"version {directive.words[0]} is not supported",
                directive.span,
                help=f"this compiler reads version {', '.join(VERSIONS)}",
            )

    def _set(self, directive: Directive) -> None:
        variables = self.context.variables()
        (name,) = directive.words
        assert directive.expression is not None
        try:
            variables[name] = directive.expression.evaluate(self.context)
        except LineError:
            variables[name] = MISSING
            raise

    def _parameter(self, directive: Directive) -> None:
        """A default: a value given from outside, or set before, wins."""
        (name,) = directive.words
        variables = self.context.globals
        self.declared.add(name)
        if name in self.parameters:
            self.context.used.add(name)
            variables[name] = self.context.parameters[name]
        assert directive.expression is not None
        try:
            value = directive.expression.evaluate(self.context)
        except LineError:
            variables.setdefault(name, MISSING)
            raise
        if name not in self.parameters:
            variables.setdefault(name, value)
            return
        # What reads as a number is text where the default is text.
        values = self.parameters if isinstance(value, str) else self.context.parameters
        variables[name] = given = values[name]
        if _family(given) != _family(value):
            raise LineError(
                f"parameter '{name}' must be {kind_of(value)}, got {given!r:.60}", directive.span
            )

    def _capabilities(self, line: Line, directive: Directive) -> None:
        self.builder.declared.update(directive.words)
        for word in directive.words:
            if not _CAPABILITY.fullmatch(word):
                start = line.text.find(word)
                raise LineError(
                    f"'{word}' is not a capability",
                    (start, start + len(word)),
                    help="capabilities are called CAP_ and capital letters",
                )

    def _include(self, frame: _Frame, line: Line, directive: Directive) -> None:
        node = directive.expression
        assert node is not None
        if self._open["file"] > self.limits.include_depth:
            raise limit_passed(f"includes may be nested {self.limits.include_depth} deep", node)
        try:
            target = str(node.evaluate(self.context))
            source = self.sources.open(target, frame.source.directory)
        except LineError as problem:
            problem.span = problem.span or node.span
            self._report(problem, frame, line)
            self._miss_definitions()
            return
        except CompileError as problem:
            self._miss_definitions()
            self.errors += problem.diagnostics
            return
        parent = self._locate(frame, line, directive.span)
        self._push(_Frame(source, self._items(source, parent), parent, "file", frame.locals))

    # -- positions and errors

    def _locate(self, frame: _Frame, line: Line, span: Span) -> int:
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

    def _report(self, problem: LineError, frame: _Frame, line: Line) -> None:
        """Report an error, once per place; stop at a limit or when there are enough."""
        if isinstance(problem, Unknowable) or (isinstance(problem, Undefined) and self.incomplete):
            return
        start, end = problem.span or first_word(line.text)
        place = (frame.source.file, line.number, start)
        if place not in self._reported:
            self._reported.add(place)
            message = problem.message
            if len(message) > MAX_MESSAGE:
                message = f"{message[:MAX_MESSAGE]}..."
            file = frame.source.file
            loc = self.locations.add(file, line.number, start + 1, end + 1, frame.parent)
            found = self.locations.diagnostic(message, loc, problem.label, problem.help)
            notes = self._rounds()
            if len(found.chain) > MAX_CHAIN:
                notes = (*notes, f"{len(found.chain) - MAX_CHAIN} more expansions lead here")
            chain = found.chain[:MAX_CHAIN]
            self.errors.append(replace(found, kind=problem.kind, notes=notes, chain=chain))
        if problem.kind is Kind.LIMIT or len(self.errors) >= self.limits.errors:
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
    raise LineError(
        "brackets hold capabilities or one guard",
        statement.bracket[0],
        help="as in [CAP_ALLOC, CAP_MAGIC] or [m == 1]",
    )


def _family(value: Value) -> str:
    """Values of one family may stand for each other."""
    return "number" if isinstance(value, (int, float)) else type(value).__name__
