"""Prints the IR; see the package's text for the form.  Linear, a few microseconds per op."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise

from qwasmc.diagnostics import Locations
from qwasmc.ir.circuit import VARIADIC, Circuit
from qwasmc.ir.program import Attr, Block, Function, Op, Program, Value
from qwasmc.ir.surgery import ROWS, Edge, Letter, RouteTile, Row, Side, Surgery
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
)


def print_ir(ir: Program | Circuit | Surgery, *, locations: bool = True) -> str:
    """The text of a representation; `locations=False` leaves the source positions out."""
    return "".join(print_lines(ir, locations=locations))


def print_lines(ir: Program | Circuit | Surgery, *, locations: bool = True) -> Iterator[str]:
    """The same line by line: that of a surgery program may take gigabytes."""
    where = _location_texts(ir.locations) if locations else _nowhere
    if isinstance(ir, Program):
        level, lines = "program", _program_lines(ir, where)
    elif isinstance(ir, Circuit):
        level, lines = "circuit", _circuit_lines(ir, where)
    else:
        level, lines = "surgery", _surgery_lines(ir, where)
    yield '"builtin.module"() ({\n'
    for line in lines:
        yield f"{line}\n"
    yield f'}}) {{{LEVEL} = "{level}"}} : () -> ()\n'


CHUNK = 1 << 14
"""Rows that are read at a time."""

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
    names = Names()
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


def _label(label: str, block: Block, names: Names) -> str:
    args = ", ".join(f"{names.define(arg)}: {arg.type.value}" for arg in block.args)
    return f"  {label}{f'({args})' if args else ''}:"


def _program_op(op: Op, names: Names, labels: Mapping[Block, str]) -> str:
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


class Names:
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
    texts = _JoinTexts()
    templates: dict[tuple[int, int], str] = {}
    specs = list(ROWS.values())
    for row, kind, slab, x, y, aux, loc, operands in _rows(surgery):
        spec = specs[kind]
        bits = operands if spec.bits < 0 else operands[len(operands) - spec.bits :]
        template = templates.get((kind, len(bits)))
        if template is None:
            template = templates[kind, len(bits)] = _row_template(Row(kind), len(bits))
        values: list[int | str] = [row, *bits] if spec.makes_bit else [*bits]
        if spec.timed:
            values.append(slab)
        if spec.placed:
            values += (x, y)
        if spec.aux:
            values.append(_aux_text(surgery, spec.aux, aux))
        if kind == Row.JOIN:
            values += texts.of(operands)
        elif kind == Row.OUTPUT:
            values.append(operands[0])
        elif kind == Row.FACTORY:
            values += operands
        yield template % (*values, where(loc))


def _rows(surgery: Surgery) -> Iterator[tuple[int, int, int, int, int, int, int, list[int]]]:
    """Number, kind, slab, x, y, aux, loc and pool slice of each row, some thousands at a time."""
    columns = surgery.kind, surgery.slab, surgery.x, surgery.y, surgery.aux, surgery.loc
    for first in range(0, len(surgery), CHUNK):
        stops = surgery.start[first : first + CHUNK + 1]
        pool = surgery.pool[stops[0] : stops[-1]].tolist()
        slices = [pool[a:b] for a, b in pairwise((stops - stops[0]).tolist())]
        parts = [column[first : first + CHUNK].tolist() for column in columns]
        yield from zip(range(first, first + CHUNK), *parts, slices, strict=False)


def _row_template(kind: Row, count: int) -> str:
    """The line of a row that reads so many bits, with %s for whatever differs between rows."""
    spec = ROWS[kind]
    attrs = []
    if spec.timed:
        attrs.append("slab = %s")
    if spec.placed:
        attrs.append('tile = "(%s,%s)"')
    if spec.aux:
        attrs.append(f"{spec.aux} = %s")
    if kind == Row.JOIN:
        attrs += ["terms = [%s]", "route = [%s]", "edges = [%s]"]
    elif kind == Row.OUTPUT:
        attrs.append("label = %s")
    elif kind == Row.FACTORY:
        attrs += ['size = "(%s,%s)"', 'port = "(%s,%s)"', "period = %s"]
    text = _op_text(
        ["%%b%s"] * spec.makes_bit,
        kind.name.lower(),
        ["%%b%s"] * count,
        attrs,
        signature(0, count, 0, spec.makes_bit),
    )
    return f"  {text}%s"


def _aux_text(surgery: Surgery, meaning: str, aux: int) -> str:
    if meaning in AUX_NAMES:
        return quoted(AUX_NAMES[meaning](aux).name)
    return quoted(surgery.names[aux]) if meaning == "name" else str(aux)


class _JoinTexts:
    """The parts of joins as text; the same ones come up again and again."""

    def __init__(self) -> None:
        self.term, self.edge = cache(_quoted_term), cache(_quoted_edge)

    def of(self, operands: list[int]) -> tuple[str, str, str]:
        """Terms, route and edges of a join."""
        terms = 3 + 3 * operands[0]
        route = terms + 3 * operands[1]
        return (
            _joined(self.term, operands[3:terms], 3),
            _joined(self.term, operands[terms:route], 3),
            _joined(self.edge, operands[route:], 4),
        )


def _quoted_term(x: int, y: int, letter: int) -> str:
    return quoted(term_text(RouteTile((x, y), Letter(letter))))


def _quoted_edge(x: int, y: int, side: int, mixed: int) -> str:
    return quoted(edge_text(Edge((x, y), Side(side), bool(mixed))))


def _joined(text: Callable[..., str], operands: list[int], size: int) -> str:
    """The texts of so many operands each."""
    return ", ".join(map(text, *(operands[part::size] for part in range(size))))
