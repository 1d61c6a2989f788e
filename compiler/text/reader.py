"""Reads the text form; see the package's text.

Operations of the same shape (name, attributes, types) are checked against the op table once and
remembered, so that a long circuit costs a few microseconds per operation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from qwasmc.diagnostics import did_you_mean
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ir.program import Attr, Block, Function, Program, Value
from qwasmc.ir.surgery import ROWS, Join, Row, Surgery, SurgeryBuilder, encode_join
from qwasmc.ops import BY_NAME, OpSpec, Type
from qwasmc.text.scanner import (
    ARGUMENT,
    END,
    FUNCTION,
    FUNCTION_END,
    LABEL,
    MODULE,
    MODULE_END,
    NAME,
    AttrValue,
    Scanner,
)
from qwasmc.text.syntax import AUX_NAMES, COND, edge_of, route_of, signature, term_of, tile_of

IR = Program | Circuit | Surgery
T = TypeVar("T")


def parse_ir(text: str, name: str = "<ir>") -> IR:
    """The representation that a text holds; `name` is what diagnostics call the text."""
    scanner = Scanner(text, name)
    scanner.expect(MODULE, '"builtin.module"() ({')
    level = scanner.level()
    readers: dict[str, Callable[[Scanner], IR]] = {
        "program": _read_program,
        "circuit": _read_circuit,
        "surgery": _read_surgery,
    }
    ir = readers[level](scanner)
    end = scanner.expect(
        MODULE_END, f'the end of a {level}: }}) {{qw.level = "{level}"}} : () -> ()'
    )
    if end[1] != level:
        scanner.fail("the text names two levels", *end.span(1))
    scanner.expect(END, "nothing after the module")
    return ir


# -- what all levels share ---------------------------------------------------------------------

_NAME = re.compile(NAME)
_LONGEST_SHOWN = 200
"""Characters of a type shown in a message."""


class _Values(Generic[T]):
    """The values defined so far, by type and name."""

    def __init__(self, scanner: Scanner) -> None:
        self.scanner = scanner
        self.of: dict[Type, dict[str, T]] = {type: {} for type in Type}
        self.names: set[str] = set()

    def use(self, match: re.Match[str], n_qubits: int, n_bits: int) -> list[T]:
        """The operands of an operation: qubits, then bits."""
        names = _NAME.findall(match["operands"])
        if len(names) != n_qubits + n_bits:
            message = f"{len(names)} operands, but types for {n_qubits + n_bits}"
            self.scanner.fail_group(match, "operands", message)
        qubits, bits = self.of[Type.QUBIT], self.of[Type.I1]
        try:
            values = [qubits[name] for name in names[:n_qubits]]
            values += [bits[name] for name in names[n_qubits:]]
        except KeyError:
            self._explain(match, [Type.QUBIT] * n_qubits + [Type.I1] * n_bits)
        return values

    def _explain(self, match: re.Match[str], types: Sequence[Type]) -> None:
        """Say which operand of an operation is undefined or of another type."""
        for name, type in zip(_NAME.finditer(match["operands"]), types, strict=True):
            start = match.start("operands") + name.start()
            end = match.start("operands") + name.end()
            if name[0] in self.of[type]:
                continue
            for other, values in self.of.items():
                if name[0] in values:
                    message = f"{name[0]} is of type {other.value}, not {type.value}"
                    self.scanner.fail(message, start, end)
            self.scanner.fail(f"{name[0]} is not defined here", start, end)

    def define(self, name: str, type: Type, value: T, at: int) -> None:
        """Add a value whose name stands somewhere after text[at]."""
        if name in self.names:
            start = self.scanner.text.index(name, at)
            self.scanner.fail(f"{name} is defined twice", start, start + len(name))
        self.names.add(name)
        self.of[type][name] = value

    def results(self, match: re.Match[str], n: int) -> list[str]:
        """The names of an operation's results."""
        names = _NAME.findall(match["results"] or "")
        if len(names) != n:
            message = f"'{match['name']}' has {n} results here, but names for {len(names)}"
            self.scanner.fail_group(match, "results" if names else "name", message)
        return names


def _count_types(match: re.Match[str]) -> int:
    """How many operands the type of an operation has."""
    return len(match["takes"].split(",")) if match["takes"].strip() else 0


def _check_types(scanner: Scanner, match: re.Match[str], expected: str) -> None:
    """Compare the type that an operation gives itself with what it must be."""
    takes, makes = _tidy(match["takes"]), _tidy(match["makes"].strip("()"))
    many = "," in makes or not makes
    actual = f"({takes}) -> {f'({makes})' if many else makes}"
    if actual != expected:
        start, end = match.start("takes") - 1, match.end("makes")
        message = f"the type of this '{match['name']}' is {expected[:_LONGEST_SHOWN]}"
        scanner.fail(message, start, end)


def _tidy(types: str) -> str:
    return ", ".join(type.strip() for type in types.split(","))


def _check_attrs(
    scanner: Scanner,
    match: re.Match[str],
    attrs: Mapping[str, AttrValue],
    wanted: Mapping[str, type],
) -> None:
    """Every attribute in `wanted` is there with its type, and no other is."""
    name = match["name"]
    for key in attrs:
        if key not in wanted:
            message = f"'{name}' has no attribute '{key[:64]}'"
            scanner.fail_group(match, "attrs", message, did_you_mean(key, wanted))
    for key, kind in wanted.items():
        if key not in attrs:
            scanner.fail_group(match, "name", f"'{name}' needs the attribute '{key}'")
        if not isinstance(attrs[key], kind):
            scanner.fail_group(match, "attrs", f"'{key}' must be {_KIND_TEXT[kind]}")


_KIND_TEXT = {
    str: "a string",
    int: "an integer",
    float: "a number with a point, such as 0.5",
    list: "a list of strings",
}


# -- operations of the op table ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Shape:
    """All there is to an operation except its values and its place."""

    spec: OpSpec
    n_qubits: int
    n_bits: int
    """With the condition."""
    makes: tuple[Type, ...]
    attrs: dict[str, Attr]
    predicated: bool


class _Shapes:
    """Checks the operations of a text against the op table, each distinct shape once."""

    def __init__(self, scanner: Scanner) -> None:
        self.scanner = scanner
        self.known: dict[tuple[str | None, ...], _Shape] = {}

    def __iter__(self) -> Iterator[tuple[re.Match[str], _Shape]]:
        """The operations up to the end of the block."""
        while (match := self.scanner.operation()) is not None:
            key = match.group("name", "attrs", "takes", "makes")
            shape = self.known.get(key)
            if shape is None:
                shape = self.known[key] = self._shape(match)
            yield match, shape

    def _shape(self, match: re.Match[str]) -> _Shape:
        scanner = self.scanner
        spec = self._spec(match)
        attrs = scanner.attributes(match)
        predicated = COND in attrs
        if attrs.pop(COND, None) is not None:
            scanner.fail_group(match, "attrs", f"'{COND}' has no value")
        _check_attrs(scanner, match, attrs, _table_attrs(spec))
        count = _count_types(match)
        n_qubits = max(0, count - spec.bits - predicated) if spec.qubits < 0 else spec.qubits
        n_bits = max(0, count - spec.qubits - predicated) if spec.bits < 0 else spec.bits
        made = spec.made_qubits(n_qubits)
        types = signature(n_qubits, n_bits + predicated, made, spec.makes_bit)
        _check_types(scanner, match, types)
        makes = (Type.QUBIT,) * made + (Type.I1,) * spec.makes_bit
        plain = {key: value for key, value in attrs.items() if isinstance(value, str | int | float)}
        return _Shape(spec, n_qubits, n_bits + predicated, makes, plain, predicated)

    def _spec(self, match: re.Match[str]) -> OpSpec:
        name = match["name"]
        spec = BY_NAME.get(name[3:]) if name.startswith("qw.") else None
        if spec is None:
            hint = did_you_mean(name, [f"qw.{known}" for known in BY_NAME])
            self.scanner.fail_group(match, "name", f"unknown operation '{name[:64]}'", hint)
        return spec


def _table_attrs(spec: OpSpec) -> dict[str, type]:
    wanted: dict[str, type] = {"angle": float} if spec.angle else {}
    if spec.attr:
        wanted[spec.attr] = str if spec.attr_is_text else int
    return wanted


# -- program -----------------------------------------------------------------------------------


def _read_program(scanner: Scanner) -> Program:
    program = Program(locations=scanner.locations)
    shapes = _Shapes(scanner)
    while scanner.take(FUNCTION) is not None:
        blocks = _read_blocks(scanner, shapes)
        end = scanner.expect(
            FUNCTION_END, 'the end of a function: }) {sym_name = "..."} : () -> ()'
        )
        program.functions.append(Function(scanner.string(end[1], end.start(1)), blocks))
    return program


def _read_blocks(scanner: Scanner, shapes: _Shapes) -> list[Block]:
    values: _Values[Value] = _Values(scanner)
    blocks: list[Block] = []
    labels: set[str] = set()
    while True:
        label = scanner.take(LABEL)
        block = Block()
        if label is not None:
            if label[1] in labels:
                scanner.fail(f"block {label[1]} is defined twice", *label.span(1))
            labels.add(label[1])
            _read_arguments(scanner, label, values, block)
        _read_ops(scanner, shapes, values, block)
        if label is None and not block.ops:  # only an entry block may go without a label
            return blocks
        blocks.append(block)


def _read_arguments(
    scanner: Scanner, label: re.Match[str], values: _Values[Value], block: Block
) -> None:
    pos, end = label.span(2)
    types = {type.value: type for type in Type}
    while pos < end:
        match = ARGUMENT.match(scanner.text, pos, end)
        if match is None:
            scanner.fail("expected an argument such as %q: !qw.qubit", pos, end)
        if match[2] not in types:
            hint = did_you_mean(match[2], types)
            scanner.fail(f"unknown type '{match[2][:64]}'", *match.span(2), help=hint)
        argument = Value(types[match[2]], _hint(match[1]))
        values.define(match[1], argument.type, argument, match.start())
        block.args.append(argument)
        pos = match.end()


def _read_ops(scanner: Scanner, shapes: _Shapes, values: _Values[Value], block: Block) -> None:
    for match, shape in shapes:
        operands = values.use(match, shape.n_qubits, shape.n_bits)
        cond = operands.pop() if shape.predicated else None
        names = values.results(match, len(shape.makes))
        made = block.append(
            shape.spec.name,
            operands,
            attrs=dict(shape.attrs) or None,
            cond=cond,
            loc=scanner.location(match),
            names=[_hint(name) for name in names],
        )
        for name, value in zip(names, made, strict=True):
            values.define(name, value.type, value, match.start())


def _hint(name: str) -> str:
    """A value's name, unless it is just a number."""
    return "" if name[1:].isdecimal() else name[1:]


# -- circuit -----------------------------------------------------------------------------------


def _read_circuit(scanner: Scanner) -> Circuit:
    builder = CircuitBuilder(locations=scanner.locations)
    values: _Values[int] = _Values(scanner)
    for match, shape in _Shapes(scanner):
        operands = values.use(match, shape.n_qubits, shape.n_bits)
        cond = operands.pop() if shape.predicated else -1
        attr, angle = shape.attrs.get(shape.spec.attr, 0), shape.attrs.get("angle", 0.0)
        assert not isinstance(attr, float)
        first = builder.add(
            shape.spec.name,
            operands,
            cond=cond,
            angle=float(angle),
            attr=attr,
            loc=scanner.location(match),
        )
        names = values.results(match, len(shape.makes))
        for slot, (name, type) in enumerate(zip(names, shape.makes, strict=True)):
            values.define(name, type, first + slot, match.start())
    return builder.freeze()


# -- surgery -----------------------------------------------------------------------------------

_ROW_OF = {f"qw.{kind.name.lower()}": kind for kind in Row}


def _read_surgery(scanner: Scanner) -> Surgery:
    builder = SurgeryBuilder(locations=scanner.locations)
    bits: _Values[int] = _Values(scanner)
    while (match := scanner.operation()) is not None:
        kind = _ROW_OF.get(match["name"])
        if kind is None:
            hint = did_you_mean(match["name"], _ROW_OF)
            scanner.fail_group(match, "name", f"unknown operation '{match['name'][:64]}'", hint)
        row = _read_row(scanner, builder, bits, match, kind)
        for name in bits.results(match, ROWS[kind].makes_bit):
            bits.define(name, Type.I1, row, match.start())
    return builder.freeze()


def _read_row(
    scanner: Scanner,
    builder: SurgeryBuilder,
    bits: _Values[int],
    match: re.Match[str],
    kind: Row,
) -> int:
    spec = ROWS[kind]
    attrs = scanner.attributes(match)
    _check_attrs(scanner, match, attrs, _ROW_ATTRS[kind])
    n_bits = _count_types(match) if spec.bits < 0 else spec.bits
    _check_types(scanner, match, signature(0, n_bits, 0, spec.makes_bit))
    operands = bits.use(match, 0, n_bits)
    tile, aux = (0, 0), 0
    try:
        if spec.placed:
            tile = tile_of(str(attrs["tile"]))
        if spec.aux:
            aux = _aux_of(builder, spec.aux, attrs[spec.aux])
        if kind == Row.JOIN:
            operands = encode_join(_join_of(attrs))
        elif kind == Row.OUTPUT:
            operands.insert(0, _integer(attrs["label"]))
    except ValueError as wrong:
        scanner.fail_group(match, "attrs", str(wrong))
    slab = _integer(attrs["slab"]) if spec.timed else 0
    loc = scanner.location(match)
    return builder.add(kind, slab=slab, tile=tile, aux=aux, operands=operands, loc=loc)


def _row_attrs(kind: Row) -> dict[str, type]:
    """The attributes of a kind of row."""
    spec = ROWS[kind]
    wanted: dict[str, type] = {"slab": int} if spec.timed else {}
    if spec.placed:
        wanted["tile"] = str
    if spec.aux:
        wanted[spec.aux] = str if spec.aux in ("name", *AUX_NAMES) else int
    if kind == Row.OUTPUT:
        wanted["label"] = int
    if kind == Row.JOIN:
        wanted |= {"terms": list, "route": list, "edges": list}
    return wanted


_ROW_ATTRS = {kind: _row_attrs(kind) for kind in Row}


def _aux_of(builder: SurgeryBuilder, meaning: str, value: AttrValue) -> int:
    if meaning == "name":
        return builder.name(str(value))
    if meaning not in AUX_NAMES:
        return _integer(value)
    names = AUX_NAMES[meaning].__members__
    if value not in names:
        raise ValueError(f"expected one of {', '.join(names)}")
    return names[str(value)]


def _integer(value: AttrValue) -> int:
    assert isinstance(value, int)
    return value


def _join_of(attrs: Mapping[str, AttrValue]) -> Join:
    terms, route, edges = attrs["terms"], attrs["route"], attrs["edges"]
    assert isinstance(terms, list)
    assert isinstance(route, list)
    assert isinstance(edges, list)
    return Join(tuple(map(term_of, terms)), tuple(map(route_of, route)), tuple(map(edge_of, edges)))
