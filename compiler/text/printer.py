"""Prints the IR; see the package's text for the form.  Linear, a few microseconds per op."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from qwasmc.diagnostics import Locations
from qwasmc.ir.circuit import VARIADIC, Circuit
from qwasmc.ir.program import Attr, Block, Function, Op, Program, Value
from qwasmc.ir.surgery import ROWS, Row, Surgery, decode_join
from qwasmc.ops import OPS, OpSpec
from qwasmc.text.syntax import (
    AUX_NAMES,
    COND,
    FLOATS,
    FUNCTION_TYPE,
    LEVEL,
    SEGMENTS,
    SYMBOL,
    edge_text,
    float_text,
    function_type,
    quoted,
    row_signature,
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
    results: Sequence[str],
    name: str,
    operands: Sequence[str],
    attrs: Sequence[str],
    types: str,
    targets: str = "",
) -> str:
    made = f"{', '.join(results)} = " if results else ""
    braces = f" {{{', '.join(attrs)}}}" if attrs else ""
    return f'{made}"qw.{name}"({", ".join(operands)}){targets}{braces} : {types}'


# -- program -----------------------------------------------------------------------------------


def _program_lines(program: Program, where: Where) -> Iterator[str]:
    for function in program.functions:
        yield '  "qw.func"() ({'
        yield from _function_lines(function, where)
        yield f"  }}) {{{', '.join(_function_attrs(function))}}} : () -> ()"


def _function_attrs(function: Function) -> Iterator[str]:
    params = [arg.type for arg in function.blocks[0].args] if function.blocks else []
    if params or function.results:
        yield f"{FUNCTION_TYPE} = {function_type(params, function.results)}"
    yield f"{SYMBOL} = {quoted(function.name)}"


def _function_lines(function: Function, where: Where) -> Iterator[str]:
    names = _Names()
    labels = {block: f"^bb{number}" for number, block in enumerate(function.blocks)}
    for number, block in enumerate(function.blocks):
        if number or _needs_label(function):
            yield _label(labels[block], block, names)
        for op in block.ops:
            yield f"    {_program_op(op, names, labels)}{where(op.loc)}"


def _needs_label(function: Function) -> bool:
    """Whether the first block has a label; it does in a wrong program where an op leads to it."""
    first = function.blocks[0]
    ops = (op for block in function.blocks for op in block.ops)
    led_to = (target.block is first for op in ops for target in op.targets)
    return bool(first.args) or not first.ops or any(led_to)


def _label(label: str, block: Block, names: _Names) -> str:
    args = ", ".join(f"{names.define(arg)}: {arg.type.value}" for arg in block.args)
    return f"  {label}{f'({args})' if args else ''}:"


def _program_op(op: Op, names: _Names, labels: Mapping[Block, str]) -> str:
    operands = op.operands
    attrs = [_attr_text(key, value) for key, value in sorted(op.attrs.items())] if op.attrs else []
    targets = ""
    if op.targets:
        operands = (*operands, *(arg for target in op.targets for arg in target.args))
        # A target outside the function, in a wrong program, has no label.
        targets = f"[{', '.join(labels.get(target.block, '^none') for target in op.targets)}]"
    if len(op.targets) > 1:
        sizes = [len(op.operands), *(len(target.args) for target in op.targets)]
        attrs.append(f"{SEGMENTS} = array<i32: {', '.join(map(str, sizes))}>")
    if op.cond is not None:
        operands = (*operands, op.cond)
        attrs.append(COND)
    used = [names.use(value) for value in operands]
    made = [names.define(value) for value in op.results]
    return _op_text(made, op.name, used, attrs, _program_types(op, operands), targets)


def _program_types(op: Op, operands: Sequence[Value]) -> str:
    """The type of an operation with these operands, as its row has it where that fixes it."""
    if op.spec.flexible or op.targets:
        return function_type([v.type for v in operands], [v.type for v in op.results])
    computed = op.spec.angle and (op.attrs is None or "angle" not in op.attrs)
    return row_signature(op.name, len(op.operands), computed, op.cond is not None)


def _attr_text(key: str, value: Attr) -> str:
    if isinstance(value, str):
        return f"{key} = {quoted(value)}"
    return f"{key} = {float_text(float(value)) if key in FLOATS else int(value)}"


_FIT = re.compile(r"[A-Za-z_$][\w$.-]*", re.ASCII)


class _Names:
    """Gives each value of a function a name of its own, from its hint where it has a fit one."""

    def __init__(self) -> None:
        self.of: dict[Value, str] = {}
        self.taken: set[str] = set()
        self.next: dict[str, int] = {}
        self.early: set[Value] = set()
        """Values used in the text before they are defined."""

    def define(self, value: Value) -> str:
        """The name of a value where it is defined."""
        if self.early and value in self.early:
            self.early.remove(value)
            return self.of[value]
        return self._name(value)

    def use(self, value: Value) -> str:
        """The name of a value where it is used."""
        name = self.of.get(value)
        if name is None:
            self.early.add(value)
            name = self._name(value)
        return name

    def _name(self, value: Value) -> str:
        name = hint = value.name if _FIT.fullmatch(value.name) else ""
        while not name or name in self.taken:
            number = self.next.get(hint, 0 if not hint else 1)
            self.next[hint] = number + 1
            name = f"{hint}_{number}" if hint else str(number)
        self.taken.add(name)
        self.of[value] = f"%{name}"
        return self.of[value]


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
