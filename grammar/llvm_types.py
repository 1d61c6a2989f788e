"""Builds types for the grammar of LLVM assembly."""

from __future__ import annotations

from typing import Any

from lark import Token, Transformer

from qwasmc.grammar.evaluator import LineError
from qwasmc.grammar.llvm_parts import is_vararg, small, space, span_of
from qwasmc.grammar.llvm_template import read_name
from qwasmc.grammar.llvm_tree import (
    LABEL,
    METADATA,
    VOID,
    ArrayType,
    FloatType,
    FunctionType,
    IntType,
    NamedType,
    PlainType,
    PointerType,
    StructType,
    Type,
    VectorType,
)

MAX_WIDTH = 1 << 16
"""Bits of an integer type."""

_PLAIN_TYPES = {"void": VOID, "label": LABEL, "metadata": METADATA, "token": PlainType("token")}


class TypeBuilder(Transformer[Token, Any]):
    """Builds types; the methods are named after the rules and aliases of llvm.lark."""

    def int_type(self, items: list[Token]) -> Type:
        """`i64`."""
        digits = items[0][1:]
        width = int(digits) if len(digits) < 8 else 0
        if not 0 < width <= MAX_WIDTH:
            raise LineError(f"an integer type may have 1 to {MAX_WIDTH} bits", span_of(items[0]))
        return IntType(width)

    def float_type(self, items: list[Token]) -> Type:
        """`double`."""
        return FloatType(str(items[0]))

    def plain_type(self, items: list[Token]) -> Type:
        """`void`."""
        return _PLAIN_TYPES[str(items[0])]

    def opaque_pointer(self, items: list[Token]) -> Type:
        """`ptr addrspace(1)`."""
        return PointerType(None, space(items[0]))

    def named_type(self, items: list[Token]) -> Type:
        """`%Qubit`."""
        return NamedType(read_name(items[0]))

    def array_type(self, items: list[Any]) -> Type:
        """`[2 x i8]`."""
        return ArrayType(small(items[0]), items[1])

    def vector_type(self, items: list[Any]) -> Type:
        """`<2 x i8>`."""
        return VectorType(small(items[0]), items[1])

    def struct_type(self, items: list[Any]) -> Type:
        """`{ i64, i1 }`."""
        return StructType(items[0])

    def packed_type(self, items: list[Any]) -> Type:
        """`<{ i64, i1 }>`."""
        return StructType(items[0], True)

    def types(self, items: list[Type]) -> tuple[Type, ...]:
        """The types between braces."""
        return tuple(items)

    def typed_pointer(self, items: list[Any]) -> Type:
        """`i8*`."""
        return PointerType(items[0], space(items[1]))

    def parameter_types(self, items: list[Any]) -> tuple[Type | Token, ...]:
        """The types between parentheses, and what stands for more."""
        return tuple(items)

    def function_type(self, items: list[Any]) -> Type:
        """`void (i64, ...)`."""
        result, parameters = items
        types = tuple(item for item in parameters if not isinstance(item, Token))
        return FunctionType(result, types, is_vararg(parameters))
