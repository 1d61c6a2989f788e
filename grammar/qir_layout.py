"""How LLVM's types lie in memory: sizes, alignments and offsets in bytes.

The usual rules of 64-bit machines, which every producer of QIR assumes; addresses only have to be
consistent, because a cell of memory holds a whole value (see `load_i64` in the op table).
"""

from __future__ import annotations

from collections.abc import Iterator

from qwasmc.grammar.llvm_tree import (
    ArrayType,
    FloatType,
    IntType,
    Module,
    NamedType,
    PointerType,
    StructType,
    Type,
)
from qwasmc.ops import Type as Scalar


class Unsupported(Exception):
    """Something that has no form in the Program IR; the message says what."""


POINTER_BYTES = 8
MAX_PARTS = 1 << 16
"""Parts of a structure or array that is a value."""
MAX_DEPTH = 200
"""How deep named types may refer to each other."""


def resolve(module: Module, type: Type) -> Type:
    """What a type stands for, if it is named."""
    for _ in range(MAX_DEPTH):
        if not isinstance(type, NamedType):
            return type
        found = module.types.get(type.name)
        if found is None:
            raise Unsupported(f"a value of the type '{type}', whose contents are not known")
        type = found
    raise Unsupported(f"the type '{type}', which refers to itself")


def scalar(module: Module, type: Type) -> Scalar | None:
    """The type of the Program IR that values of a type have; None if they have parts."""
    type = resolve(module, type)
    if isinstance(type, IntType) and type.width <= 64:
        return Scalar.I1 if type.width == 1 else Scalar.I64
    if isinstance(type, PointerType):
        return Scalar.I64
    if type == FloatType("double"):
        return Scalar.F64
    if isinstance(type, StructType | ArrayType):
        return None
    raise Unsupported(f"a value of the type '{type}'")


def parts(module: Module, type: Type) -> tuple[Type, ...]:
    """The types of the parts of a structure or array."""
    type = resolve(module, type)
    if isinstance(type, StructType):
        return type.elements
    if isinstance(type, ArrayType) and type.length <= MAX_PARTS:
        return (type.element,) * type.length
    raise Unsupported(f"a value of the type '{type}'")


def extent(module: Module, type: Type, depth: int = 0) -> tuple[int, int]:
    """Size and alignment of a type."""
    if depth > MAX_DEPTH:
        raise Unsupported(f"the type '{type}', which is nested too deep")
    type = resolve(module, type)
    if isinstance(type, IntType):
        size = 1
        while size * 8 < type.width:
            size *= 2
        return size, min(size, 16)
    if isinstance(type, FloatType):
        size = {"half": 2, "bfloat": 2, "float": 4, "double": 8}.get(type.name, 16)
        return size, size
    if isinstance(type, PointerType):
        return POINTER_BYTES, POINTER_BYTES
    if isinstance(type, ArrayType):
        size, alignment = extent(module, type.element, depth + 1)
        return size * type.length, alignment
    if isinstance(type, StructType):
        end, alignment = 0, 1
        for start, (size, each) in _members(module, type, depth):
            end, alignment = start + size, max(alignment, each)
        return _aligned(end, alignment), alignment
    raise Unsupported(f"the size of the type '{type}'")


def offset(module: Module, type: Type, index: int) -> tuple[int, Type]:
    """Where a part of a type begins, and the type of the part."""
    type = resolve(module, type)
    if isinstance(type, ArrayType):
        return index * extent(module, type.element)[0], type.element
    if isinstance(type, StructType) and 0 <= index < len(type.elements):
        for number, (start, _) in enumerate(_members(module, type, 0)):
            if number == index:
                return start, type.elements[index]
    raise Unsupported(f"part {index} of the type '{type}'")


def _members(module: Module, type: StructType, depth: int) -> Iterator[tuple[int, tuple[int, int]]]:
    """Where each member of a structure begins, with its size and alignment."""
    end, alignment = 0, 1
    for member in type.elements:
        size, alignment = extent(module, member, depth + 1)
        if type.packed:
            alignment = 1
        end = _aligned(end, alignment)
        yield end, (size, alignment)
        end += size


def _aligned(offset: int, alignment: int) -> int:
    return -(-offset // alignment) * alignment
