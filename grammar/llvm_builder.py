"""Builds values, instructions and definitions for the grammar of LLVM assembly.

The methods of the transformers are named after the rules and aliases of llvm.lark.
"""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from importlib import resources
from typing import Any

from lark import Lark, Token

from qwasmc.grammar.evaluator import LineError
from qwasmc.grammar.llvm_parts import (
    Bundles,
    Close,
    Definition,
    Incoming,
    Label,
    Pair,
    Piece,
    Raw,
    Words,
    is_vararg,
    makers,
    small,
    span_of,
    type_of,
    words_of,
)
from qwasmc.grammar.llvm_template import (
    Fixed,
    Maker,
    Slot,
    Template,
    composite,
    read_bytes,
    read_name,
    read_special,
    read_text,
    read_word,
)
from qwasmc.grammar.llvm_tree import (
    I1,
    I32,
    LABEL,
    METADATA,
    VOID,
    Aggregate,
    Assembler,
    Expression,
    Function,
    FunctionType,
    Int,
    Meta,
    MetaItem,
    MetaReference,
    Parameter,
    PointerType,
    Type,
    Value,
)
from qwasmc.grammar.llvm_types import TypeBuilder

_POINTER = PointerType()


def parse_tree(text: str, start: str, holes: Mapping[int, tuple[int, str]]) -> Any:
    """What the grammar makes of a text; `holes` are number and text of holes by their offset."""
    parser, builder = _parser()
    with _LOCK:
        builder.holes = holes
        return parser.parse(text, start=start)


_LOCK = threading.Lock()
"""Held while the builder knows the holes of a text."""


@functools.cache
def _parser() -> tuple[Lark, _Builder]:
    builder = _Builder()
    parser = Lark(
        resources.files("qwasmc.grammar").joinpath("llvm.lark").read_text("utf-8"),
        parser="lalr",
        start=["body", "entity"],
        transformer=builder,
        maybe_placeholders=False,
        g_regex_flags=re.ASCII,
    )
    return parser, builder


# ---------------------------------------------------------------- values


def _array(splat: bool, type: Type, elements: tuple[Value, ...]) -> Value:
    return Aggregate(type, elements, splat)


class _Values(TypeBuilder):
    """Values, as makers."""

    def __init__(self) -> None:
        super().__init__()
        self.holes: Mapping[int, tuple[int, str]] = {}

    def _hole(self, token: Token, offset: int = 0) -> int | None:
        """The number of the hole that a token fills."""
        index, text = self.holes.get((token.start_pos or 0) + offset, (0, ""))
        return index if text == token[offset:] else None

    def _word(self, token: Token, type: Type) -> Maker:
        """A name or number of a type."""
        index = self._hole(token)
        if index is not None:
            return Slot(type, (index,), read_word)
        try:
            return Fixed(read_word(type, token))
        except LineError as problem:
            problem.span = span_of(token)
            raise

    def word_value(self, items: list[Token]) -> Raw:
        return partial(self._word, items[0])

    def special(self, items: list[Token]) -> Raw:
        def raw(type: Type) -> Maker:
            try:
                return Fixed(read_special(type, str(items[0])))
            except LineError as problem:
                problem.span = span_of(items[0])
                raise

        return raw

    def text(self, items: list[Token]) -> Raw:
        token = items[0]
        start = token.index('"')
        index = self._hole(token, start)
        if index is not None:
            return lambda type: Slot(type, (index,), read_text)
        return lambda type: Fixed(read_text(type, token[start:]))

    def aggregate(self, items: list[list[Maker]]) -> Raw:
        return lambda type: composite(type, items[0], partial(_array, False, type))

    def splat(self, items: list[Any]) -> Raw:
        return lambda type: composite(type, [items[1]], partial(_array, True, type))

    def elements(self, items: list[Maker]) -> list[Maker]:
        return items

    def typed(self, items: list[Any]) -> Maker:
        type, _, raw = items
        maker: Maker = raw(type)
        return maker

    def expression(self, items: list[Any]) -> Raw:
        opcode, words, parts = items
        return self._expression(str(opcode), words.words, parts)

    def cast_expression(self, items: list[Any]) -> Raw:
        opcode, words, operand, target = items
        del target  # it is the type that the value is said to have
        return self._expression(str(opcode), words.words, [operand])

    def gep_expression(self, items: list[Any]) -> Raw:
        opcode, words, source, *parts = items
        return self._expression(str(opcode), words.words, parts, source)

    def _expression(
        self, opcode: str, words: tuple[str, ...], parts: list[Maker], source: Type | None = None
    ) -> Raw:
        def raw(type: Type) -> Maker:
            return composite(
                type, parts, lambda values: Expression(type, opcode, values, words, source)
            )

        return raw

    def block_address(self, items: list[Token]) -> Raw:
        raise LineError("addresses of blocks are not supported", span_of(items[0]))

    def assembler(self, items: list[Token]) -> Raw:
        strings = [token for token in items if token.type == "STRING"]
        return lambda type: Fixed(Assembler(type, read_bytes(strings[0])))

    # -- flags and attributes

    def words(self, items: list[Any]) -> Words:
        words = []
        attributes = {}
        for item in items:
            if isinstance(item, Pair):
                attributes[item.name] = item.text
            elif isinstance(item, Token) and item.type == "STRING":
                attributes[_string(item)] = ""
            else:
                words.append(str(item))
        return Words(tuple(words), attributes)

    def pair(self, items: list[Token]) -> Pair:
        name, text = (_string(item) for item in items)
        return Pair(name, text)

    def numbered(self, items: list[Token]) -> str:
        return f"{items[0]} {items[1]}"

    # -- metadata

    def metadata_argument(self, items: list[Any]) -> Maker:
        item = items[-1]
        if isinstance(item, Maker):
            return composite(METADATA, [item], lambda values: Meta(METADATA, values[0]))
        return Fixed(Meta(METADATA, item))

    def metadata_value(self, items: list[Maker]) -> Maker:
        return items[0]

    def reference(self, items: list[Token]) -> MetaItem:
        return MetaReference(_number(items[0]))

    def node_text(self, items: list[Token]) -> MetaItem:
        return read_bytes(items[0][1:]).decode("utf-8", "backslashreplace")

    def node_list(self, items: list[Any]) -> MetaItem:
        return tuple(item.value if isinstance(item, Fixed) else item for item in items)

    def null_node(self, items: list[Token]) -> MetaItem:
        if items[0] != "null":
            raise LineError(f"unexpected '{items[0]}'", span_of(items[0]))
        return None

    def debug(self, items: list[Token]) -> MetaItem:
        return None


def _number(token: Token) -> int:
    """The number of a metadata node."""
    return small(Token.new_borrow_pos("INT", token[1:], token))


def _string(token: Token) -> str:
    """An attribute's name or text, in quotation marks or not."""
    if token[0] != '"':
        return str(token)
    return read_bytes(token).decode("utf-8", "backslashreplace")


# ---------------------------------------------------------------- instructions

_COUNTS = {"select": 3, "store": 2, "shufflevector": 3, "extractelement": 2, "insertelement": 3}
_COMMON = {"ugt", "uge", "ult", "ule"}
_PREDICATES = {
    "icmp": {*_COMMON, "eq", "ne", "sgt", "sge", "slt", "sle"},
    "fcmp": {
        *_COMMON,
        *("false", "true", "oeq", "ogt", "oge", "olt", "ole", "one", "ord", "ueq", "une", "uno"),
    },
}
_INDEXED = {"extractvalue": 1, "insertvalue": 2}


class _Instructions(_Values):
    """Instructions, as templates."""

    def body(self, items: list[Any]) -> list[Piece]:
        return [self._piece(item) for item in items]

    def _piece(self, item: Any) -> Piece:
        if not isinstance(item, Token):
            piece: Piece = item
            return piece
        if item.type == "RBRACE":
            return Close()
        return Label(read_name("%" + item[:-1]))

    def defined(self, items: list[Any]) -> Template:
        name, template = items
        found: Template = template
        index = self._hole(name)
        found.result = read_name(name) if index is None else index
        found.sigil = name[0]
        return found

    def ret_void(self, items: list[Any]) -> Template:
        return Template("ret", VOID, ())

    def no_operand(self, items: list[Any]) -> Template:
        return Template(str(items[0]), VOID, ())

    def one_operand(self, items: list[Any]) -> Template:
        operands = makers(items)
        return Template(str(items[0]), operands[0].type, tuple(operands), words_of(items))

    def some_operands(self, items: list[Any]) -> Template:
        opcode = str(items[0])
        operands = makers(items)
        found = len(operands)
        if opcode == "br":
            if found not in (1, 3):
                raise LineError(f"'br' takes 1 or 3 operands, not {found}", span_of(items[0]))
            _check_blocks(items[0], operands if found == 1 else operands[1:])
        wanted = _COUNTS.get(opcode) or _INDEXED.get(opcode) or found
        if found != wanted:
            raise LineError(f"'{opcode}' takes {wanted} operands, not {found}", span_of(items[0]))
        if opcode in _INDEXED:
            indices = [item for item in items if isinstance(item, Int)]
            if not indices:
                raise LineError(f"'{opcode}' takes at least one index", span_of(items[0]))
            operands += map(Fixed, indices)
        type = VOID if opcode in ("br", "store") else operands[opcode == "select"].type
        return Template(opcode, type, tuple(operands), words_of(items))

    def switch(self, items: list[Any]) -> Template:
        operands = makers(items)
        _check_blocks(items[0], operands[1::2])
        return Template("switch", VOID, tuple(operands))

    def binary(self, items: list[Any]) -> Template:
        opcode, words, left, right, *_ = items
        return Template(str(opcode), left.type, (left, right(left.type)), words.words)

    def compare(self, items: list[Any]) -> Template:
        opcode, words, left, right, *_ = items
        if not _PREDICATES[opcode].intersection(words.words):
            raise LineError(f"'{opcode}' without a predicate that is known", span_of(opcode))
        return Template(str(opcode), I1, (left, right(left.type)), words.words)

    def cast(self, items: list[Any]) -> Template:
        opcode, words, operand, target, *_ = items
        return Template(str(opcode), target, (operand,), words.words)

    def incoming(self, items: list[Any]) -> Incoming:
        return Incoming(items[0], self._word(items[1], LABEL))

    def phi(self, items: list[Any]) -> Template:
        type = type_of(items)
        operands: list[Maker] = []
        for item in items:
            if isinstance(item, Incoming):
                operands += [item.value(type), item.block]
        return Template("phi", type, tuple(operands), words_of(items))

    def arguments(self, items: list[Maker]) -> list[Maker]:
        return items

    def bundle(self, items: list[Any]) -> None:
        return None

    def bundles(self, items: list[Any]) -> Bundles:
        return Bundles()

    def call(self, items: list[Any]) -> Template:
        if items[0].type != "TAIL":
            return self._call(items, [])
        found = self._call(items[1:], [])
        found.words = (str(items[0]), *found.words)
        return found

    def invoke(self, items: list[Any]) -> Template:
        blocks = makers(items)
        _check_blocks(items[0], blocks)
        return self._call(items, blocks)

    def _call(self, items: list[Any], blocks: list[Maker]) -> Template:
        opcode, words, type, callee, *rest = items
        arguments = next((item for item in rest if isinstance(item, list)), [])
        if any(isinstance(item, Bundles) for item in rest):
            raise LineError("operand bundles are not supported", span_of(opcode))
        result, pointer = type, _POINTER
        if isinstance(type, FunctionType):
            result, pointer = type.result, PointerType(type)
        operands = (callee(pointer), *arguments, *blocks)
        return Template(str(opcode), result, operands, words.words)

    def memory(self, items: list[Any]) -> Template:
        return Template(str(items[0]), type_of(items), tuple(makers(items)), words_of(items))

    def landing_pad(self, items: list[Any]) -> Template:
        return Template("landingpad", items[1], tuple(makers(items)), words_of(items))

    def attachment(self, items: list[Any]) -> None:
        return None

    def note(self, items: list[Token]) -> Int | None:
        """An index; alignments and address spaces are left out."""
        return Int(I32, small(items[0])) if items[0].type == "INT" else None


def _check_blocks(opcode: Token, operands: Iterable[Maker]) -> None:
    for operand in operands:
        if operand.type != LABEL:
            message = f"'{opcode}' leads to blocks, not to a value of type {operand.type}"
            raise LineError(message, span_of(opcode), help="write 'label %name'")


# ---------------------------------------------------------------- definitions


_EXTERNAL = frozenset({"external", "extern_weak"})


class _Builder(_Instructions):
    """Functions, variables and the rest of a module."""

    def entity(self, items: list[Any]) -> Template | Definition:
        entity: Template | Definition = items[0]
        return entity

    def node_attachment(self, items: list[Any]) -> None:
        return None

    def section(self, items: list[Any]) -> None:
        return None

    def clause(self, items: list[Any]) -> None:
        return None

    def heads(self, items: list[Any]) -> Words:
        return self.words([item for item in items if item is not None])

    def tails(self, items: list[Any]) -> Words:
        return self.heads(items)

    def parameter(self, items: list[Any]) -> Parameter | Token:
        type, *rest = items
        if isinstance(type, Token):
            if type.type == "ELLIPSIS":
                return type
            type = METADATA
        words, *name = rest
        attributes = {**dict.fromkeys(words.words, ""), **words.attributes}
        return Parameter(type, read_name(name[0]) if name else "", attributes)

    def parameters(self, items: list[Any]) -> list[Parameter | Token]:
        return items

    def declare(self, items: list[Any]) -> Definition:
        _, heads, result, name, inside, tails = items
        parameters = tuple(p for p in inside if isinstance(p, Parameter))
        types = tuple(parameter.type for parameter in parameters)
        words = tuple(word for word in tails.words if word[0] != "#")
        function = Function(
            read_name(name),
            FunctionType(result, types, is_vararg(inside)),
            parameters,
            heads.words,
            {**dict.fromkeys(words, ""), **tails.attributes},
            tuple(word for word in tails.words if word[0] == "#"),
            0,
        )
        return Definition("function", function.name, function)

    def define(self, items: list[Any]) -> Definition:
        *head, pieces = items
        found = self.declare(head)
        return replace(found, pieces=pieces)

    def variable(self, items: list[Any]) -> Template:
        name, words, kind, type, *rest = items
        raw = next((item for item in rest if callable(item)), None)
        if raw is None and not _EXTERNAL.intersection(words.words):
            raise LineError("a variable that is not external needs a value", span_of(name))
        operands = (raw(type),) if raw else ()
        return self.defined([name, Template(str(kind), type, operands, words.words)])

    def alias(self, items: list[Any]) -> Template:
        name, words, kind, type, target, *_ = items
        return self.defined([name, Template(str(kind), type, (target,), words.words)])

    def named_type_definition(self, items: list[Any]) -> Definition:
        type = None if isinstance(items[-1], Token) else items[-1]
        return Definition("type", read_name(items[0]), type)

    def group(self, items: list[Any]) -> Definition:
        _, name, words = items
        attributes = {**dict.fromkeys(words.words, ""), **words.attributes}
        return Definition("attributes", str(name), attributes)

    def metadata_node(self, items: list[Any]) -> Definition:
        return Definition("node", str(_number(items[0])), items[-1])

    def named_metadata(self, items: list[Any]) -> Definition:
        return Definition("named", items[0][1:], tuple(items[1:]))

    def property(self, items: list[Token]) -> Definition:
        return Definition("property", items[0].split()[-1], _string(items[1]))

    def ignored(self, items: list[Token]) -> Definition:
        return Definition("ignored")
