"""What a text of LLVM's intermediate representation says: types, values, instructions, modules.

Values and instructions are shared between the lines that spell them alike, so nothing here is
changed once it is made, and none knows its position: a block lists the lines of its instructions.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from qwasmc.diagnostics import Locations

# ---------------------------------------------------------------- types


@dataclass(frozen=True, slots=True)
class IntType:
    """An integer of some width, `i64`."""

    width: int

    def __str__(self) -> str:
        return f"i{self.width}"


@dataclass(frozen=True, slots=True)
class FloatType:
    """A floating-point type: double, float, half, ..."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class PlainType:
    """A type without parts and without numbers: void, label, metadata or token."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class PointerType:
    """A pointer, to what only before LLVM 17."""

    pointee: Type | None = None
    space: int = 0

    def __str__(self) -> str:
        space = f" addrspace({self.space})" if self.space else ""
        return f"ptr{space}" if self.pointee is None else f"{self.pointee}{space}*"


@dataclass(frozen=True, slots=True)
class ArrayType:
    """So many elements."""

    length: int
    element: Type

    def __str__(self) -> str:
        return f"[{self.length} x {self.element}]"


@dataclass(frozen=True, slots=True)
class VectorType:
    """So many elements that instructions treat at once."""

    length: int
    element: Type

    def __str__(self) -> str:
        return f"<{self.length} x {self.element}>"


@dataclass(frozen=True, slots=True)
class StructType:
    """A structure; a packed one has no gaps."""

    elements: tuple[Type, ...]
    packed: bool = False

    def __str__(self) -> str:
        inner = ", ".join(map(str, self.elements))
        inner = f"{{ {inner} }}" if inner else "{}"
        return f"<{inner}>" if self.packed else inner


@dataclass(frozen=True, slots=True)
class NamedType:
    """A type by its name; `Module.types` says what it stands for."""

    name: str

    def __str__(self) -> str:
        return f"%{self.name}"


@dataclass(frozen=True, slots=True)
class FunctionType:
    """What a function takes and returns."""

    result: Type
    parameters: tuple[Type, ...]
    is_vararg: bool = False

    def __str__(self) -> str:
        inner = [*map(str, self.parameters), *["..."][: self.is_vararg]]
        return f"{self.result} ({', '.join(inner)})"


Type: TypeAlias = (
    IntType
    | FloatType
    | PlainType
    | PointerType
    | ArrayType
    | VectorType
    | StructType
    | NamedType
    | FunctionType
)

VOID = PlainType("void")
LABEL = PlainType("label")
METADATA = PlainType("metadata")
I1 = IntType(1)
I32 = IntType(32)

# ---------------------------------------------------------------- values


@dataclass(frozen=True, slots=True)
class Local:
    """A parameter, the result of an instruction or, of type label, a block; without the %."""

    type: Type
    name: str


@dataclass(frozen=True, slots=True)
class Symbol:
    """The address of a function or a global variable; without the @."""

    type: Type
    name: str


@dataclass(frozen=True, slots=True)
class Int:
    """An integer, in the signed range of its type; of type i1 it is 0 or 1."""

    type: Type
    value: int


@dataclass(frozen=True, slots=True)
class Float:
    """A floating-point number."""

    type: Type
    value: float


@dataclass(frozen=True, slots=True)
class Special:
    """`word` is null, undef, poison, zeroinitializer or none."""

    type: Type
    word: str


@dataclass(frozen=True, slots=True)
class Text:
    """An array of bytes that is written as a string."""

    type: Type
    data: bytes


@dataclass(frozen=True, slots=True)
class Aggregate:
    """The elements of an array, a structure or a vector; `splat` has one for all."""

    type: Type
    elements: tuple[Value, ...]
    splat: bool = False


@dataclass(frozen=True, slots=True)
class Expression:
    """A constant expression; `source` is the type that a getelementptr steps through."""

    type: Type
    opcode: str
    operands: tuple[Value, ...]
    words: tuple[str, ...] = ()
    source: Type | None = None


@dataclass(frozen=True, slots=True)
class Assembler:
    """Inline assembler that is called like a function."""

    type: Type
    text: bytes


@dataclass(frozen=True, slots=True)
class Meta:
    """Metadata as an argument of a call."""

    type: Type
    item: MetaItem


Value: TypeAlias = (
    Local | Symbol | Int | Float | Special | Text | Aggregate | Expression | Assembler | Meta
)


@dataclass(frozen=True, slots=True)
class MetaReference:
    """A numbered metadata node, `!3`."""

    number: int


MetaItem: TypeAlias = "Value | str | MetaReference | tuple[MetaItem, ...] | None"
"""A value, a string, a node elsewhere, a node here; None for null and for debug information."""

# ---------------------------------------------------------------- functions

TERMINATORS = frozenset({"ret", "br", "switch", "unreachable", "invoke", "resume"})


@dataclass(frozen=True, slots=True)
class Instruction:
    """An instruction.

    `type` is the one its opcode names: what is loaded, called for, chosen or cast to; for alloca
    the element, for getelementptr what it steps through, for arithmetic the type of both sides.
    `operands` stand in the order of the text, labels and indices among them; those of a call are
    the callee and the arguments, of an invoke two blocks more, of a phi values and blocks in turn,
    of a switch the value, the default, and values and blocks in turn.  The type of a callee says
    the function's type only if the text does.  `words` are flags and the predicate, in the order
    of the text; alignments, metadata and the attributes of arguments are left out.
    """

    opcode: str
    result: str | None
    type: Type
    operands: tuple[Value, ...]
    words: tuple[str, ...] = ()


@dataclass(slots=True)
class Block:
    """A basic block: instructions and, for each, the line it begins in."""

    label: str
    line: int
    instructions: list[Instruction] = field(default_factory=list)
    lines: array[int] = field(default_factory=lambda: array("i"))


Attributes: TypeAlias = "dict[str, str]"
"""Attributes by name; those that are only there have an empty text."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a function."""

    type: Type
    name: str
    attributes: Attributes


@dataclass(slots=True)
class Function:
    """A function; without blocks it is only declared."""

    name: str
    type: FunctionType
    parameters: tuple[Parameter, ...]
    words: tuple[str, ...]
    attributes: Attributes
    """Its own and, once the module is read, those of its groups."""
    groups: tuple[str, ...]
    line: int
    blocks: list[Block] = field(default_factory=list)

    @property
    def is_declaration(self) -> bool:
        """Whether its body is elsewhere."""
        return not self.blocks

    def instructions(self) -> Iterator[tuple[int, Instruction]]:
        """Its instructions with their lines."""
        for block in self.blocks:
            yield from zip(block.lines, block.instructions, strict=True)


@dataclass(frozen=True, slots=True)
class Variable:
    """A global variable; `kind` is global, constant, alias or ifunc."""

    name: str
    type: Type
    kind: str
    initializer: Value | None
    words: tuple[str, ...]
    line: int


@dataclass(slots=True)
class Module:
    """All of a text."""

    name: str
    locations: Locations
    lines: list[str]
    """The lines of the text; the first has number 1."""
    source_name: str = ""
    target: dict[str, str] = field(default_factory=dict)
    """`triple` and `datalayout`, if given."""
    types: dict[str, Type | None] = field(default_factory=dict)
    """Named types; None for opaque ones."""
    variables: dict[str, Variable] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    nodes: dict[int, MetaItem] = field(default_factory=dict)
    """Numbered metadata, but for debug information."""
    named: dict[str, tuple[MetaItem, ...]] = field(default_factory=dict)
    """Named metadata."""
    flags: dict[str, MetaItem] = field(default_factory=dict)
    """Module flags and their values."""

    def locate(self, line: int) -> int:
        """A new location: all that a line says."""
        return self.locations.add(0, line, *self.columns(line))

    def columns(self, line: int) -> tuple[int, int]:
        """The first column of what a line says, and one past the last."""
        text = self.lines[line - 1]
        code = text.lstrip()
        indent = len(text) - len(code)
        return indent + 1, indent + 1 + max(1, len(code.rstrip()))
