"""Hypothesis strategies for IR: whatever the op table allows, and well-formed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from qwasmc.backends.unfreeze import unfreeze
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ir.program import Program
from qwasmc.ir.surgery import (
    ROWS,
    STEP,
    Edge,
    Join,
    Letter,
    Magic,
    RouteTile,
    Row,
    Surgery,
    SurgeryBuilder,
    Term,
    encode_join,
)
from qwasmc.ops import BY_NAME, OPS, OpSpec

ALL = tuple(spec.name for spec in OPS if spec.in_circuit)
CLIFFORD_GATES = tuple(spec.name for spec in OPS if spec.is_gate and spec.stim)
GATES = tuple(spec.name for spec in OPS if spec.is_gate)
CLIFFORD = (
    *CLIFFORD_GATES,
    *("alloc", "free", "reset", "measure_z", "measure_x", "measure_y", "ppm", "xor", "const"),
)
"""What a stabilizer simulator runs, with feed-forward of parities."""

WIDTHS = {"result_int": (1, 3), "result_float": (64, 64)}
"""Least and greatest number of bits of the rows that take a number."""

NAMES = st.text(max_size=6)
ANGLES = st.one_of(
    st.integers(-8, 8).map(lambda k: k * math.pi / 4),
    st.floats(allow_nan=False, allow_infinity=False),
)


@dataclass
class _State:
    """A circuit that grows, with the qubit values and bits alive at its end."""

    builder: CircuitBuilder = field(default_factory=CircuitBuilder)
    wires: list[int] = field(default_factory=list)
    bits: list[int] = field(default_factory=list)
    results: int = 0

    def allows(self, spec: OpSpec) -> bool:
        wants_bits = spec.bits > 0 or spec.name in WIDTHS
        return len(self.wires) >= abs(spec.qubits) and (bool(self.bits) or not wants_bits)


@st.composite
def circuits(
    draw: st.DrawFn,
    ops: Sequence[str] = ALL,
    *,
    min_qubits: int = 1,
    max_qubits: int = 4,
    max_ops: int = 12,
    predicated: bool = True,
) -> Circuit:
    """Qubits first, then operations among `ops`, at times predicated on a bit."""
    state = _State()
    file = state.builder.locations.add_file('"a\\b".qwasm', "")
    for number in range(draw(st.integers(min_qubits, max_qubits))):
        state.wires.append(state.builder.add("alloc", attr=f"q{number}"))
    for _ in range(draw(st.integers(0, max_ops))):
        able = [name for name in ops if state.allows(BY_NAME[name])]
        if able:
            _append(draw, state, BY_NAME[draw(st.sampled_from(able))], file, predicated)
    return state.builder.freeze()


def _append(draw: st.DrawFn, state: _State, spec: OpSpec, file: int, predicated: bool) -> None:
    values = _take_qubits(draw, state, spec)
    n_qubits = len(values)
    count = spec.bits
    if count < 0:
        count = draw(st.integers(*WIDTHS.get(spec.name, (0, 3))))
    if state.bits:
        some = [draw(st.sampled_from(state.bits)) for _ in range(min(count, 3))]
        values += [some[number % 3] for number in range(count)]
    cond = -1
    if predicated and spec.may_be_predicated and state.bits and draw(st.booleans()):
        cond = draw(st.sampled_from(state.bits))
    first = state.builder.add(
        spec.name,
        values,
        cond=cond,
        angle=draw(ANGLES) if spec.angle else 0.0,
        attr=_attribute(draw, state, spec, n_qubits),
        loc=_location(draw, state, file),
    )
    made = 1 if spec.makes_qubit else 0 if spec.ends_qubit else n_qubits
    state.wires += range(first, first + made)
    if spec.makes_bit:
        state.bits.append(first + made)


def _take_qubits(draw: st.DrawFn, state: _State, spec: OpSpec) -> list[int]:
    count = draw(st.integers(1, len(state.wires))) if spec.qubits < 0 else spec.qubits
    order = draw(st.permutations(state.wires)) if count else []
    for wire in order[:count]:
        state.wires.remove(wire)
    return list(order[:count])


def _attribute(draw: st.DrawFn, state: _State, spec: OpSpec, n_qubits: int) -> int | str:
    if spec.attr == "paulis":
        return draw(st.text("XYZ", min_size=n_qubits, max_size=n_qubits))
    if spec.attr == "needs":
        return f"MAGIC_STATE_REQUEST {draw(st.integers(1, 9))}, 100"
    if spec.name.startswith("result"):
        state.results += 1
        return f"m{state.results}"
    if spec.attr_is_text:
        return draw(NAMES)
    return draw(st.integers(0, 1 if spec.attr == "value" else 99)) if spec.attr else 0


def _location(draw: st.DrawFn, state: _State, file: int) -> int:
    if not draw(st.booleans()):
        return -1
    line, column = draw(st.integers(1, 3)), draw(st.integers(1, 80))
    return state.builder.locations.add(file, line, column, column + 1)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """A `main` with values named at random."""
    program = unfreeze(draw(circuits()))
    hints = st.sampled_from(["", "q", "q_1", "0", "q0", "%", "é", "a b", "x.y"])
    for op in program.main.blocks[0].ops:
        for value in op.results:
            value.name = draw(hints)
    return program


TILES = st.tuples(st.integers(-3, 9), st.integers(-3, 9))
BASES = st.sampled_from([Letter.X, Letter.Z])


@st.composite
def surgeries(draw: st.DrawFn, max_rows: int = 8) -> Surgery:
    """Rows that say something each, though not what a chip could do."""
    builder = SurgeryBuilder()
    file = builder.locations.add_file("a.qwasm", "")
    bits: list[int] = []
    for number in range(draw(st.integers(0, max_rows))):
        kind = draw(st.sampled_from(list(Row)))
        spec = ROWS[kind]
        if spec.bits > 0 and not bits:
            continue
        count = draw(st.integers(0, 3)) if spec.bits < 0 and bits else max(0, spec.bits)
        operands = [draw(st.sampled_from(bits)) for _ in range(count)]
        if kind == Row.OUTPUT:
            operands.insert(0, draw(st.integers(0, 1)))
        if kind == Row.FACTORY:
            operands = [*draw(TILES), *draw(TILES), draw(st.integers(1, 99))]
        row = builder.add(
            kind,
            slab=draw(st.integers(0, 9)) if spec.timed else 0,
            tile=draw(TILES) if spec.placed else (0, 0),
            aux=_aux(draw, builder, spec.aux),
            operands=encode_join(draw(joins())) if kind == Row.JOIN else operands,
            loc=builder.locations.add(file, number + 1, 1, 2) if draw(st.booleans()) else -1,
        )
        if spec.makes_bit:
            bits.append(row)
    return builder.freeze()


def _aux(draw: st.DrawFn, builder: SurgeryBuilder, meaning: str) -> int:
    if meaning == "name":
        return builder.name(draw(NAMES))
    if meaning == "letter":
        return draw(BASES)
    limit = {"": 0, "state": len(Magic) - 1, "value": 1}.get(meaning, 99)
    return draw(st.integers(0, limit))


@st.composite
def joins(draw: st.DrawFn) -> Join:
    """Any terms, route and edges."""
    letters = st.sampled_from([Letter.X, Letter.Z, Letter.Y])
    sides = st.sampled_from(list(STEP))
    terms = draw(st.lists(st.builds(Term, TILES, letters), max_size=3))
    route = draw(st.lists(st.builds(RouteTile, TILES, BASES), max_size=3))
    edges = draw(st.lists(st.builds(Edge, TILES, sides, st.booleans()), max_size=3))
    return Join(tuple(terms), tuple(route), tuple(edges))
