"""Prints the IR; see the package's text for the form.  Linear, a few microseconds per op."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from qwasmc.diagnostics import Locations
from qwasmc.ir.circuit import VARIADIC, Circuit
from qwasmc.ir.program import Attr, Block, Function, Op, Program, Value
from qwasmc.ir.surgery import ROWS, Row, Surgery, decode_join
from qwasmc.ops import OPS, OpSpec
from qwasmc.text.syntax import (
    AUX_NAMES,
    COND,
    LEVEL,
    edge_text,
    float_text,
    quoted,
    signature,
    term_text,
    tile_text,
)


def print_ir(ir: Program | Circuit | Surgery, *, locations: bool = True) -> str:
    """The text of a representation; `locations=False` leaves the source positions out."""
    where = _location_texts(ir.locations) if locations else _nowhere
    if isinstance(ir, Program):
        level, lines = "program", _program_lines(ir, where)
    elif isinstance(ir, Circuit):
        level, lines = "circuit", _circuit_lines(ir, where)
    else:
        level, lines = "surgery", _surgery_lines(ir, where)
    end = f'}}) {{{LEVEL} = "{level}"}} : () -> ()\n'
    return "\n".join(['"builtin.module"() ({', *lines, end])


Where = Callable[[int], str]


def _location_texts(locations: Locations) -> Where:
    files = [quoted(name) for name in locations.files]
    columns = zip(locations.file, locations.line, locations.column, strict=True)
    texts = [f" loc({files[file]}:{line}:{column})" for file, line, column in columns]
    texts.append(" loc(unknown)")  # found at index -1
    return texts.__getitem__


def _nowhere(loc: int) -> str:
    return ""


def _op_text(
    results: Sequence[str], name: str, operands: Sequence[str], attrs: Sequence[str], types: str
) -> str:
    made = f"{', '.join(results)} = " if results else ""
    braces = f" {{{', '.join(attrs)}}}" if attrs else ""
    return f'{made}"qw.{name}"({", ".join(operands)}){braces} : {types}'


# -- program -----------------------------------------------------------------------------------


def _program_lines(program: Program, where: Where) -> Iterator[str]:
    for function in program.functions:
        yield '  "qw.func"() ({'
        yield from _function_lines(function, where)
        yield f"  }}) {{sym_name = {quoted(function.name)}}} : () -> ()"


def _function_lines(function: Function, where: Where) -> Iterator[str]:
    names = _Names()
    for number, block in enumerate(function.blocks):
        if number or block.args or not block.ops:
            yield _label(number, block, names)
        for op in block.ops:
            yield f"    {_program_op(op, names)}{where(op.loc)}"


def _label(number: int, block: Block, names: _Names) -> str:
    args = ", ".join(f"{names.define(arg)}: {arg.type.value}" for arg in block.args)
    return f"  ^bb{number}{f'({args})' if args else ''}:"


def _program_op(op: Op, names: _Names) -> str:
    operands = op.operands if op.cond is None else (*op.operands, op.cond)
    n_qubits = len(op.operands) if op.spec.qubits < 0 else op.spec.qubits
    attrs = [_attr_text(key, value) for key, value in sorted((op.attrs or {}).items())]
    if op.cond is not None:
        attrs.append(COND)
    used = [names.use(value) for value in operands]
    n_bits, made = len(operands) - n_qubits, op.spec.made_qubits(n_qubits)
    types = signature(n_qubits, n_bits, made, op.spec.makes_bit)
    return _op_text([names.define(value) for value in op.results], op.name, used, attrs, types)


def _attr_text(key: str, value: Attr) -> str:
    if isinstance(value, str):
        return f"{key} = {quoted(value)}"
    return f"{key} = {float_text(value) if isinstance(value, float) else int(value)}"


class _Names:
    """Gives each value of a function a name of its own, from its hint where it has a fit one."""

    def __init__(self) -> None:
        self.of: dict[Value, str] = {}
        self.taken: set[str] = set()
        self.next: dict[str, int] = {}

    def define(self, value: Value) -> str:
        """The name of a value from here on."""
        hint = value.name if re.fullmatch(r"[A-Za-z_$][\w$.-]*", value.name, re.ASCII) else ""
        name = hint
        while not name or name in self.taken:
            number = self.next.get(hint, 0 if not hint else 1)
            self.next[hint] = number + 1
            name = f"{hint}_{number}" if hint else str(number)
        self.taken.add(name)
        self.of[value] = f"%{name}"
        return self.of[value]

    def use(self, value: Value) -> str:
        """The name of a value, defined so far or (in a wrong program) not."""
        return self.of.get(value) or self.define(value)


# -- circuit -----------------------------------------------------------------------------------


def _circuit_lines(circuit: Circuit, where: Where) -> Iterator[str]:
    variadic = VARIADIC.tolist()
    pool = circuit.pool.tolist()
    templates: dict[tuple[int, int, bool, int], str] = {}
    columns = zip(
        circuit.op.tolist(),
        circuit.operands.tolist(),
        circuit.cond.tolist(),
        circuit.angle.tolist(),
        circuit.attr.tolist(),
        circuit.first.tolist(),
        circuit.first[1:].tolist(),
        circuit.loc.tolist(),
        strict=False,
    )
    for code, (a, b, c), cond, angle, attr, first, after, loc in columns:
        fixed = (a >= 0) + (b >= 0) + (c >= 0)
        values = pool[a : a + b] if variadic[code] else [a, b, c][:fixed]
        key = (code, len(values), cond >= 0, attr)
        template = templates.get(key)
        if template is None:
            template = templates[key] = _template(OPS[code], len(values), cond >= 0, attr, circuit)
        if cond >= 0:
            values.append(cond)
        angles = [float_text(angle)] if OPS[code].angle else []
        yield template % (*range(first, after), *values, *angles, where(loc))


def _template(spec: OpSpec, count: int, predicated: bool, attr: int, circuit: Circuit) -> str:
    """The line of an operation with %d for its results, operands, condition; %s for the rest."""
    qubits = count if spec.qubits < 0 else spec.qubits
    bits = count - qubits + predicated
    made = spec.made_qubits(qubits)
    attrs = ["angle = %s"] if spec.angle else []
    if spec.attr:
        value: Attr = circuit.names[attr] if spec.attr_is_text else attr
        attrs.append(_attr_text(spec.attr, value).replace("%", "%%"))
    if predicated:
        attrs.append(COND)
    text = _op_text(
        ["%%q%d"] * made + ["%%b%d"] * spec.makes_bit,
        spec.name,
        ["%%q%d"] * qubits + ["%%b%d"] * bits,
        attrs,
        signature(qubits, bits, made, spec.makes_bit),
    )
    return f"  {text}%s"


# -- surgery -----------------------------------------------------------------------------------


def _surgery_lines(surgery: Surgery, where: Where) -> Iterator[str]:
    for row in range(len(surgery)):
        kind = Row(surgery.kind[row])
        spec = ROWS[kind]
        operands = surgery.operands(row)
        bits = operands if spec.bits < 0 else operands[len(operands) - spec.bits :]
        text = _op_text(
            [f"%b{row}"] * spec.makes_bit,
            kind.name.lower(),
            [f"%b{bit}" for bit in bits],
            _row_attrs(surgery, row, kind),
            signature(0, len(bits), 0, spec.makes_bit),
        )
        yield f"  {text}{where(int(surgery.loc[row]))}"


def _row_attrs(surgery: Surgery, row: int, kind: Row) -> list[str]:
    spec = ROWS[kind]
    aux = int(surgery.aux[row])
    attrs = []
    if spec.timed:
        attrs.append(f"slab = {surgery.slab[row]}")
    if spec.placed:
        attrs.append(f"tile = {quoted(tile_text(surgery.tile(row)))}")
    if spec.aux:
        attrs.append(_attr_text(spec.aux, _aux_value(surgery, spec.aux, aux)))
    if kind == Row.OUTPUT:
        attrs.append(f"label = {surgery.operands(row)[0]}")
    if kind == Row.JOIN:
        join = decode_join(surgery.operands(row))
        attrs.append(_list_text("terms", [term_text(term) for term in join.terms]))
        attrs.append(_list_text("route", [term_text(tile) for tile in join.route]))
        attrs.append(_list_text("edges", [edge_text(edge) for edge in join.edges]))
    return attrs


def _aux_value(surgery: Surgery, meaning: str, aux: int) -> Attr:
    if meaning in AUX_NAMES:
        return AUX_NAMES[meaning](aux).name
    return surgery.names[aux] if meaning == "name" else aux


def _list_text(key: str, items: Sequence[str]) -> str:
    return f"{key} = [{', '.join(quoted(item) for item in items)}]"
