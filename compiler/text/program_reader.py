"""Reads the functions of a program.

As in MLIR, a value may stand in the text before the operation that makes it: blocks come in any
order.  Whether each use is dominated by its definition is for the verifier.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from qwasmc.diagnostics import did_you_mean
from qwasmc.ir.program import Block, Function, Op, Program, Target, Value
from qwasmc.ops import Type
from qwasmc.text.scanner import (
    ARGUMENT,
    BLOCK,
    FUNCTION,
    FUNCTION_END,
    LABEL,
    NAME,
    FunctionType,
    Scanner,
)
from qwasmc.text.shapes import Shape, Shapes
from qwasmc.text.syntax import FUNCTION_TYPE, SYMBOL, TYPES
from qwasmc.text.values import Values, read_types

_NAME = re.compile(NAME)
_BLOCK = re.compile(BLOCK)
_FUNCTION_ATTRS = (SYMBOL, FUNCTION_TYPE)


def read_program(scanner: Scanner) -> Program:
    """The functions up to the end of the module."""
    program = Program(locations=scanner.locations)
    values = _FunctionValues(scanner)
    shapes = Shapes(scanner, values, circuit=False)
    while scanner.take(FUNCTION) is not None:
        reader = _FunctionReader(scanner, shapes, values)
        program.functions.append(reader.read())
    return program


class _FunctionValues(Values[Value]):
    """The values of a function, of which some are used before they are defined."""

    def __init__(self, scanner: Scanner) -> None:
        super().__init__(scanner)
        self.early: dict[str, tuple[Value, re.Match[str], re.Match[str]]] = {}
        """Values not defined so far: the operation that used it, and its name there."""

    def missing(self, match: re.Match[str], types: Sequence[Type]) -> list[Value]:
        """The operands of an operation, some of which are to be defined further on."""
        operands = []
        for name, type in zip(_NAME.finditer(match["operands"]), types, strict=True):
            value = self.of[type].get(name[0])
            if value is None:
                if any(name[0] in others for others in self.of.values()):
                    self.undefined(match, name, type)
                value = self.of[type][name[0]] = Value(type, _hint(name[0]))
                self.early[name[0]] = (value, match, name)
            operands.append(value)
        return operands

    def make(self, name: str, type: Type, at: int) -> Value:
        """A new value, or one used already, whose name stands somewhere after text[at]."""
        if name not in self.early:
            value = Value(type, _hint(name))
            self.define(name, type, value, at)
            return value
        value, _, _ = self.early.pop(name)
        if value.type is not type:
            message = f"{name} is used as {value.type.value} before, but is {type.value} here"
            self.fail_at(name, at, message)
        self.names.add(name)
        return value

    def finish(self) -> None:
        """The end of a function: every value used is defined, and the next one starts afresh."""
        for value, match, name in self.early.values():
            del self.of[value.type][name[0]]
            self.undefined(match, name, value.type)
        self.names.clear()
        for values in self.of.values():
            values.clear()


def _hint(name: str) -> str:
    """A value's name, unless it is just a number."""
    return "" if name[1:].isdecimal() else name[1:]


class _FunctionReader:
    """Reads one function."""

    def __init__(self, scanner: Scanner, shapes: Shapes[Value], values: _FunctionValues) -> None:
        self.scanner = scanner
        self.shapes = shapes
        self.values = values
        self.blocks: list[Block] = []
        self.named: dict[str, Block] = {}
        """Blocks by label, also those that are only led to so far."""
        self.labels: set[str] = set()
        """Labels defined so far."""
        self.early: dict[str, tuple[int, int]] = {}
        """Where labels stand that operations lead to before they are defined."""

    def read(self) -> Function:
        """The function, from its first block on."""
        while self.block():
            pass
        for label, span in self.early.items():
            self.scanner.fail(f"block {label} is not defined", *span)
        self.values.finish()
        return self.end()

    def block(self) -> bool:
        """Read a block, or return False at the end of the function."""
        label = self.scanner.take(LABEL)
        block = Block() if label is None else self.labelled(label)
        for match, shape in self.shapes:
            block.ops.append(self.operation(match, shape))
        if label is None and not block.ops:  # only an entry block may go without a label
            return False
        self.blocks.append(block)
        return True

    def labelled(self, label: re.Match[str]) -> Block:
        """The block that a label starts, with its arguments."""
        name = label[1]
        if name in self.labels:
            self.scanner.fail(f"block {name} is defined twice", *label.span(1))
        self.labels.add(name)
        self.early.pop(name, None)
        block = self.named.setdefault(name, Block())
        pos, end = label.span(2)
        while pos < end:
            pos = self.argument(block, pos, end)
        return block

    def argument(self, block: Block, pos: int, end: int) -> int:
        """Read an argument of a block, and return where it ends."""
        scanner = self.scanner
        match = ARGUMENT.match(scanner.text, pos, end)
        if match is None:
            scanner.fail("expected an argument such as %q: !qw.qubit", pos, end)
        if match[2] not in TYPES:
            hint = did_you_mean(match[2], TYPES)
            scanner.fail(f"unknown type '{match[2][:64]}'", *match.span(2), help=hint)
        block.args.append(self.values.make(match[1], TYPES[match[2]], match.start()))
        return match.end()

    def operation(self, match: re.Match[str], shape: Shape[Value]) -> Op:
        """An operation of this shape."""
        values = self.values
        operands = values.use(match, shape.takes, shape.tables)
        cond = operands.pop() if shape.predicated else None
        targets: tuple[Target, ...] = ()
        if shape.spec.targets:
            targets = self.targets(match, shape, operands)
            del operands[shape.segments[0] :]
        names = values.results(match, len(shape.makes))
        made = [
            values.make(name, type, match.start())
            for name, type in zip(names, shape.makes, strict=True)
        ]
        attrs = dict(shape.attrs) or None
        loc = self.scanner.location(match)
        return Op(shape.spec, tuple(operands), tuple(made), attrs, cond, loc, targets)

    def targets(
        self, match: re.Match[str], shape: Shape[Value], operands: Sequence[Value]
    ) -> tuple[Target, ...]:
        """The blocks an operation leads to, with the operands that are their arguments."""
        labels = list(_BLOCK.finditer(match["targets"] or ""))
        if len(labels) != shape.spec.targets:
            message = f"'{match['name']}' leads to {shape.spec.targets} blocks, not {len(labels)}"
            self.scanner.fail_group(match, "targets" if labels else "name", message)
        found = []
        at = shape.segments[0]
        for label, size in zip(labels, shape.segments[1:], strict=True):
            start = match.start("targets") + label.start()
            block = self.target(label[0], start)
            found.append(Target(block, tuple(operands[at : at + size])))
            at += size
        return tuple(found)

    def target(self, label: str, start: int) -> Block:
        """The block with this label, which stands at text[start]."""
        if label not in self.named:
            self.named[label] = Block()
            self.early[label] = (start, start + len(label))
        return self.named[label]

    def end(self) -> Function:
        """The end of a function, which says its name and type."""
        scanner = self.scanner
        what = f'the end of a function: }}) {{{SYMBOL} = "..."}} : () -> ()'
        match = scanner.expect(FUNCTION_END, what)
        attrs = scanner.attributes(match)
        for key in attrs:
            if key not in _FUNCTION_ATTRS:
                hint = did_you_mean(key, _FUNCTION_ATTRS)
                message = f"a function has no attribute '{key[:64]}'"
                scanner.fail_group(match, "attrs", message, hint)
        name, type = attrs.get(SYMBOL), attrs.get(FUNCTION_TYPE, FunctionType("", ""))
        if not isinstance(name, str):
            scanner.fail_group(match, "attrs", f'a function needs its name: {SYMBOL} = "..."')
        if not isinstance(type, FunctionType):
            scanner.fail_group(match, "attrs", f"'{FUNCTION_TYPE}' must be a type: (i1) -> i64")
        takes = read_types(scanner, match, "attrs", type.takes)
        params = [arg.type for arg in self.blocks[0].args] if self.blocks else takes
        if takes != params:
            message = f"'{FUNCTION_TYPE}' does not fit the arguments of the first block"
            scanner.fail_group(match, "attrs", message)
        results = read_types(scanner, match, "attrs", type.makes)
        return Function(name, self.blocks, tuple(results))
