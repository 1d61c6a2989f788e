"""Reads the text form; see the package's text."""

from __future__ import annotations

from collections.abc import Callable

from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ir.program import Program
from qwasmc.ir.surgery import Surgery
from qwasmc.text.program_reader import read_program
from qwasmc.text.scanner import END, MODULE, MODULE_END, Scanner
from qwasmc.text.shapes import Shapes
from qwasmc.text.surgery_reader import read_surgery
from qwasmc.text.values import Values

IR = Program | Circuit | Surgery


def parse_ir(text: str, name: str = "<ir>") -> IR:
    """The representation that a text holds; `name` is what diagnostics call the text."""
    scanner = Scanner(text, name)
    scanner.expect(MODULE, '"builtin.module"() ({')
    level = scanner.level()
    readers: dict[str, Callable[[Scanner], IR]] = {
        "program": read_program,
        "circuit": _read_circuit,
        "surgery": read_surgery,
    }
    ir = readers[level](scanner)
    end = scanner.expect(
        MODULE_END, f'the end of a {level}: }}) {{qw.level = "{level}"}} : () -> ()'
    )
    if end[1] != level:
        scanner.fail("the text names two levels", *end.span(1))
    scanner.expect(END, "nothing after the module")
    return ir


def _read_circuit(scanner: Scanner) -> Circuit:
    builder = CircuitBuilder(locations=scanner.locations)
    values: Values[int] = Values(scanner)
    for match, shape in Shapes(scanner, values, circuit=True):
        operands = values.use(match, shape.takes, shape.tables)
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
