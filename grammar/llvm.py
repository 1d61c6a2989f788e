"""Reader of LLVM assembly: text -> `llvm_tree.Module`.

    define void @main() #0 {                           Function "main" with one block:
      call void @h(ptr inttoptr (i64 3 to ptr))          Instruction call @h(inttoptr 3)
      ret void                                           Instruction ret
    }

Only the syntax is looked at; whether what a name stands for exists and fits is for others to say.

LLVM's grammar does not care about lines, but those who write it do.  So this reader cuts the text
into logical lines: a line, with those after it that cannot begin an instruction or a definition.
Each distinct line is read once; those that differ in names and numbers only share a template, see
llvm_template.py.  llvm_syntax.py reads a line with the grammar, llvm.lark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from qwasmc.diagnostics import CompileError, Diagnostic, Locations
from qwasmc.grammar.collector import collector_paused
from qwasmc.grammar.evaluator import LineError
from qwasmc.grammar.llvm_lines import (
    BEGINS,
    CONTINUES_INSIDE,
    DEBUG_NODE,
    LABEL_LINE,
    OUTSIDE,
    code_of,
    gather,
)
from qwasmc.grammar.llvm_parts import Close, Definition, Label, Piece
from qwasmc.grammar.llvm_syntax import parse_body, parse_entity
from qwasmc.grammar.llvm_template import Template, Templates, read_name
from qwasmc.grammar.llvm_tree import (
    TERMINATORS,
    VOID,
    Block,
    Function,
    FunctionType,
    Instruction,
    MetaReference,
    Module,
    Variable,
)

MAX_ERRORS = 20
"""Errors after which the reader stops."""
MEMO_LINES = 1 << 16
"""How many lines are remembered."""


def parse(data: bytes, name: str) -> Module:
    """The module that a text spells; `name` is for positions."""
    text = _decoded(data, name)
    with collector_paused():
        return _Reader(text, name).module()


def _decoded(data: bytes, name: str) -> str:
    """The text; it must be UTF-8 without NUL."""
    message = "the text is not UTF-8"
    try:
        text = data.decode("utf-8")
        at = text.find("\0")
        message = "a NUL character"
    except UnicodeDecodeError as problem:
        text = data.decode("utf-8", "replace")
        at = len(data[: problem.start].decode("utf-8"))
    if at >= 0:
        line = text.count("\n", 0, at) + 1
        column = at - text.rfind("\n", 0, at)
        locations = Locations()
        loc = locations.add(locations.add_file(name, text), line, column, column + 1)
        raise CompileError(locations.diagnostic(message, loc))
    # LLVM ends a comment at a carriage return too.
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


class _Stop(Exception):
    """No more errors are wanted."""


class _Reader:
    """Reads a module; one is used once."""

    def __init__(self, text: str, name: str) -> None:
        locations = Locations()
        locations.add_file(name, text)
        self._lines = text.split("\n")
        self._module = Module(name, locations, self._lines)
        self._groups: dict[str, dict[str, str]] = {}
        self._errors: list[Diagnostic] = []
        self._memo: dict[str, Instruction] = {}
        self._inside = Templates()
        self._outside = Templates()
        self._function: Function | None = None
        self._block: Block | None = None
        """The block that the next instruction belongs to; None after the end of one."""
        self._numbered = 0, 0
        """How many blocks were searched for numbered values, and the number after the last."""
        self._spoilt = False
        """Whether there is an error in this function."""

    def module(self) -> Module:
        """The module; raises CompileError with what is wrong."""
        try:
            at = 0
            while at < len(self._lines):
                at = self._entity(at) if self._function is None else self._body(at)
            if self._function is not None and not self._spoilt:
                line = self._function.line
                self._report(LineError("the function does not end"), line - 1)
            self._resolve()
        except _Stop:
            pass
        if self._errors:
            raise CompileError(self._errors)
        return self._module

    # -- errors

    def _report(self, problem: LineError, at: int) -> None:
        """Note what is wrong with the logical line that begins with a line."""
        self._spoilt = True
        line = self._lines[at]
        if problem.span is None:
            indent = len(line) - len(line.lstrip())
            start, end = indent, max(indent + 1, len(line.rstrip()))
        else:
            start, end = problem.span
            while at + 1 < len(self._lines) and start > len(line):
                start, end = start - len(line) - 1, end - len(line) - 1
                at += 1
                line = self._lines[at]
        loc = self._module.locations.add(0, at + 1, start + 1, max(start + 2, end + 1))
        found = self._module.locations.diagnostic(problem.message, loc, problem.label, problem.help)
        self._errors.append(replace(found, kind=problem.kind))
        if len(self._errors) >= MAX_ERRORS:
            raise _Stop

    # -- outside of functions

    def _entity(self, at: int) -> int:
        """Read the logical line that begins with a line; the index of the line after it."""
        code = code_of(self._lines[at])
        if not code.strip() or DEBUG_NODE.match(code):
            return at + 1
        if not BEGINS.match(code):
            return self._stray(at, code)
        after = at + 1
        try:
            text, after = gather(self._lines, at, inside=False)
            if text.lstrip()[0] == "@":
                self._variable(text, at)
            else:
                found = parse_entity(text, holes=False)
                assert isinstance(found, Definition)
                self._define(found, at)
        except LineError as problem:
            self._report(problem, at)
            has_body = code_of(self._lines[after - 1]).endswith("{")
            if code.lstrip().startswith("define") and has_body and self._function is None:
                self._open(Function("", FunctionType(VOID, ()), (), (), {}, (), at + 1))
        return after

    def _stray(self, at: int, code: str) -> int:
        """Report a line that defines nothing; the index of the next that does."""
        try:
            parse_body(code, holes=False)
        except LineError:
            problem = LineError("a module consists of definitions and declarations")
        else:
            problem = LineError("an instruction outside of a function")
        self._report(problem, at)
        at += 1
        while at < len(self._lines) and not BEGINS.match(self._lines[at]):
            at += 1
        return at

    def _known(self, templates: Templates, text: str) -> Instruction | None:
        """The instruction in a line like one that was read before."""
        try:
            return templates.instruction(text)
        except LineError:
            # Once more with the grammar, which knows where everything stands.
            return None

    def _new(self, templates: Templates, text: str, template: Template) -> Instruction | None:
        """The instruction in a line that the grammar made a template of; None if it is wrong."""
        try:
            return templates.add(text, template)
        except LineError:
            return None

    def _variable(self, text: str, at: int) -> None:
        """Read the definition of a variable."""
        found = self._known(self._outside, text)
        if found is None:
            template = parse_entity(text, holes=True)
            assert isinstance(template, Template)
            found = self._new(self._outside, text, template)
        if found is None:
            template = parse_entity(text, holes=False)
            assert isinstance(template, Template)
            found = template.fill(())
        name = found.result
        assert name is not None
        self._check_new(name)
        initializer = found.operands[0] if found.operands else None
        self._module.variables[name] = Variable(
            name, found.type, found.opcode, initializer, found.words, at + 1
        )

    def _check_new(self, name: str) -> None:
        for known in (self._module.variables, self._module.functions):
            if name in known:
                there = f"the other definition is on line {known[name].line}"
                raise LineError(f"'@{name:.60}' is defined twice", help=there)

    def _define(self, found: Definition, at: int) -> None:
        """Note a definition."""
        module = self._module
        if found.kind == "function":
            self._define_function(found, at)
        elif found.kind == "type":
            if found.name in module.types:
                raise LineError(f"the type '%{found.name:.60}' is defined twice")
            module.types[found.name] = found.value
        elif found.kind == "attributes":
            self._groups.setdefault(found.name, {}).update(found.value)
        elif found.kind == "node":
            if int(found.name) in module.nodes:
                raise LineError(f"the metadata '!{found.name}' is defined twice")
            module.nodes[int(found.name)] = found.value
        elif found.kind == "named":
            module.named[found.name] = module.named.get(found.name, ()) + found.value
        elif found.kind == "property" and found.name == "source_filename":
            module.source_name = found.value
        elif found.kind == "property":
            module.target[found.name] = found.value

    def _define_function(self, found: Definition, at: int) -> None:
        function: Function = found.value
        function.line = at + 1
        self._check_new(function.name)
        self._module.functions[function.name] = function
        if found.pieces is not None:
            self._open(function)
            self._pieces(found.pieces, at)

    # -- functions

    def _open(self, function: Function) -> None:
        """Start reading the body of a function."""
        self._function = function
        self._block = None
        self._spoilt = False
        number = 0
        parameters = []
        for parameter in function.parameters:
            name = parameter.name or str(number)
            parameters.append(replace(parameter, name=name))
            if _is_number(name):
                number = int(name) + 1
        function.parameters = tuple(parameters)
        self._numbered = 0, number

    def _close(self, at: int) -> None:
        """End the body of a function."""
        assert self._function is not None
        function, self._function = self._function, None
        if not self._ended():
            self._report(LineError("the last block of the function does not end", help=_ENDS), at)
        elif not function.blocks and not self._spoilt:
            self._report(LineError("the function has no instructions"), at)

    def _body(self, at: int) -> int:
        """Read lines up to one that begins or ends a block; the index of the line after it."""
        if self._block is None:
            return self._line(at)
        lines = self._lines
        known = self._memo.get
        add, number = self._block.instructions.append, self._block.lines.append
        for index in range(at, len(lines)):
            found = known(lines[index])
            if found is None:
                return self._line(index)
            add(found)
            number(index + 1)
        return len(lines)

    def _line(self, at: int) -> int:
        """Read a line that is not remembered; the index of the line after it."""
        code = code_of(self._lines[at])
        if not code:
            return at + 1
        found = self._memo.get(code) or self._known(self._inside, code)
        if found is None:
            return self._logical_line(at, code)
        self._add(found, at)
        # The line of a result, which has a name of its own, will hardly come again.
        if found.result is None and found.opcode not in TERMINATORS:
            if len(self._memo) >= MEMO_LINES:
                self._memo.clear()
            self._memo[code] = found
        return at + 1

    def _logical_line(self, at: int, code: str) -> int:
        """Read the logical line that begins with a line; the index of the line after it."""
        if code.isspace() or code.lstrip().startswith("#dbg_"):
            return at + 1
        if OUTSIDE.match(code):
            self._leave(at)
            return at
        first, after = at, at + 1
        try:
            label = LABEL_LINE.fullmatch(code)
            if label is not None:
                self._start(read_name(f"%{label[1]}"), at)
                return after
            if CONTINUES_INSIDE.match(code):
                first = self._rejoined(at)
            text, after = gather(self._lines, first, inside=True)
            self._instruction(text, first)
        except LineError as problem:
            self._report(problem, first)
        return after

    def _instruction(self, text: str, at: int) -> None:
        """Read a logical line inside of a function."""
        found = self._known(self._inside, text)
        if found is None:
            pieces = parse_body(text, holes=True)
            if len(pieces) == 1 and isinstance(pieces[0], Template):
                found = self._new(self._inside, text, pieces[0])
        if found is not None:
            self._add(found, at)
        else:
            self._pieces(parse_body(text, holes=False), at)

    def _rejoined(self, at: int) -> int:
        """The index of the line that this one goes on with, whose instruction is taken back."""
        assert self._function is not None
        blocks = self._function.blocks
        if not blocks or not blocks[-1].lines:
            return at
        block = blocks[-1]
        first = block.lines[-1] - 1
        is_alone = list(block.lines[-2:-1]) != [first + 1] and not LABEL_LINE.match(
            self._lines[first]
        )
        if is_alone and gather(self._lines, first, inside=True)[1] > at:
            block.instructions.pop()
            block.lines.pop()
            self._block = block
            return first
        return at

    def _leave(self, at: int) -> None:
        """Note that a definition stands inside of a function, which ends with that."""
        assert self._function is not None
        still_open = f"the function that begins on line {self._function.line} is still open"
        self._report(LineError("a definition inside of a function", help=still_open), at)
        self._function = None

    def _pieces(self, pieces: Sequence[Piece], at: int) -> None:
        """Add what a logical line says."""
        for piece in pieces:
            if isinstance(piece, Label):
                self._start(piece.name, at)
            elif isinstance(piece, Close):
                self._close(at)
            else:
                self._add(piece.fill(()), at)

    def _start(self, label: str, at: int) -> Block:
        """Start a block."""
        assert self._function is not None
        ended = self._ended()
        self._block = Block(label, at + 1)
        self._function.blocks.append(self._block)
        if not ended:
            self._report(LineError("the block before this one does not end", help=_ENDS), at)
        return self._block

    def _ended(self) -> bool:
        """Whether the last block, if there is one, has an end; if not, it is said only once."""
        return self._block is None or self._spoilt

    def _add(self, instruction: Instruction, at: int) -> None:
        """Add an instruction."""
        block = self._block or self._start(str(self._next_number()), at)
        block.instructions.append(instruction)
        block.lines.append(at + 1)
        if instruction.opcode in TERMINATORS:
            self._block = None

    def _next_number(self) -> int:
        """The name that a block without one has: values and blocks are numbered in order."""
        assert self._function is not None
        searched, number = self._numbered
        blocks = self._function.blocks
        for block in blocks[searched:]:
            if _is_number(block.label):
                number = int(block.label) + 1
            for found in block.instructions:
                if found.result is None:
                    number += found.type != VOID and found.opcode in _MAKES_UNNAMED
                elif _is_number(found.result):
                    number = int(found.result) + 1
        self._numbered = len(blocks), number
        return number

    # -- at the end

    def _resolve(self) -> None:
        """Give functions the attributes of their groups, and look up the module flags."""
        for function in self._module.functions.values():
            for group in function.groups:
                for name, text in self._groups.get(group, {}).items():
                    function.attributes.setdefault(name, text)
        for item in self._module.named.get("llvm.module.flags", ()):
            flag = self._module.nodes.get(item.number) if isinstance(item, MetaReference) else item
            if isinstance(flag, tuple) and len(flag) == 3 and isinstance(flag[1], str):
                self._module.flags[flag[1]] = flag[2]


_ENDS = "a block ends with 'br', 'ret', 'switch' or 'unreachable'"
_MAKES_UNNAMED = frozenset({"call", "invoke"})
"""What may stand for itself and still make a value, which then has a number."""


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdecimal() and len(name) < 19
