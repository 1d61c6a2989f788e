"""The verifier accepts circuits and surgery that are well-formed, and says what is not.

`test_verify_program.py` has the same of programs.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from strategies import circuits

from qwasmc.diagnostics import CompileError
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ir.program import Program
from qwasmc.ir.surgery import Join, Row, Surgery
from qwasmc.ops import CODE
from qwasmc.text import parse_ir
from qwasmc.text.syntax import edge_of, route_of, term_of
from qwasmc.verify import verify
from qwasmc.verify.join import join_problems
from qwasmc.verify.problems import MAX_PROBLEMS


def problems(ir: Program | Circuit | Surgery) -> list[str]:
    try:
        verify(ir)
    except CompileError as wrong:
        return [diagnostic.message for diagnostic in wrong.diagnostics]
    return []


# -- circuit -----------------------------------------------------------------------------------


@given(circuits())
def test_circuits_pass(circuit: Circuit):
    verify(circuit)


def sound() -> Circuit:
    """0, 1: alloc; 2: cx; 3: measure; 4: x if; 5: ppm; 6: xor; 7: result; 8: rz."""
    builder = CircuitBuilder()
    a, b = builder.add("alloc", attr="a"), builder.add("alloc", attr="b")
    a = builder.add("cx", [a, b])
    b = a + 1
    a = builder.add("measure_z", [a])
    bit = a + 1
    b = builder.add("x", [b], cond=bit)
    a = builder.add("ppm", [a, b], attr="XZ")
    builder.add("result", [builder.add("xor", [bit, a + 2])], attr="m")
    builder.add("rz", [a], angle=0.5)
    return builder.freeze()


def set_entry(column: str, *at: int, value: float) -> Callable[[Circuit], None]:
    def change(circuit: Circuit) -> None:
        getattr(circuit, column)[at] = value

    return change


def set_name(old: str, new: str) -> Callable[[Circuit], None]:
    def change(circuit: Circuit) -> None:
        circuit.names[circuit.names.index(old)] = new

    return change


def cut(column: str) -> Callable[[Circuit], None]:
    def change(circuit: Circuit) -> None:
        setattr(circuit, column, getattr(circuit, column)[:-1])

    return change


WRONG_CIRCUITS = [
    *(
        (cut(column), f"the column '{column}' does not have the shape")
        for column in ("operands", "cond", "angle", "attr", "loc", "first")
    ),
    (set_entry("op", 2, value=255), "operation 2 ('?'): there is no such op code"),
    (set_entry("op", 2, value=CODE["return"]), "operation 2 ('return'): is an operation of prog"),
    (set_entry("op", 8, value=CODE["addi"]), "operation 8 ('addi'): is an operation of programs"),
    (set_entry("angle", 8, value=math.inf), "operation 8 ('rz'): the angle is not a finite"),
    (set_entry("angle", 2, value=1.0), "operation 2 ('cx'): has an angle, but"),
    (set_entry("attr", 0, value=99), "operation 0 ('alloc'): the attribute is out of range"),
    (set_entry("attr", 2, value=1), "operation 2 ('cx'): the attribute is out of range"),
    (set_entry("loc", 2, value=0), "operation 2 ('cx'): there is no such location"),
    (set_entry("cond", 4, value=-2), "operation 4 ('x'): the condition is out of range"),
    (set_entry("cond", 0, value=0), "operation 0 ('alloc'): cannot depend on a bit"),
    (set_entry("cond", 6, value=5), "operation 6 ('xor'): cannot depend on a bit"),
    (set_entry("cond", 3, value=0), "operation 3 ('measure_z'): an operand is a qubit and must"),
    (set_entry("cond", 4, value=0), "operation 4 ('x'): an operand is a qubit and must be"),
    (set_entry("cond", 4, value=99), "operation 4 ('x'): an operand is not defined before"),
    (set_entry("operands", 2, 2, value=1), "operation 2 ('cx'): has more operands than"),
    (set_entry("operands", 5, 2, value=1), "operation 5 ('ppm'): its slice is not in the"),
    (set_entry("operands", 5, 0, value=3), "operation 5 ('ppm'): its slice is not in the"),
    (set_entry("operands", 5, 1, value=-1), "operation 5 ('ppm'): its slice is not in the"),
    (set_entry("operands", 5, 1, value=1), "operation 5 ('ppm'): 'first' does not count"),
    (set_entry("operands", 2, 0, value=-1), "operation 2 ('cx'): an operand is not defined"),
    (set_entry("operands", 2, 0, value=2), "operation 2 ('cx'): an operand is not defined"),
    (set_entry("operands", 2, 0, value=1), "operation 2 ('cx'): a qubit value is used again"),
    (set_entry("operands", 3, 0, value=1), "operation 3 ('measure_z'): a qubit value is used"),
    (set_entry("operands", 4, 0, value=5), "operation 4 ('x'): an operand is a bit and must"),
    (set_entry("operands", 7, 0, value=4), "operation 7 ('result'): an operand is a qubit"),
    (set_entry("pool", 0, value=5), "operation 5 ('ppm'): an operand is a bit and must be"),
    (set_entry("pool", 2, value=0), "operation 6 ('xor'): an operand is a qubit and must"),
    (set_entry("first", 0, value=1), "operation 0 ('alloc'): 'first' does not count"),
    (set_name("XZ", "XYZ"), "operation 5 ('ppm'): 3 Pauli letters for 2 qubits"),
    (set_name("XZ", "XI"), "operation 5 ('ppm'): 'XI' is not a product of X, Y and Z"),
]


@pytest.mark.parametrize(("change", "message"), WRONG_CIRCUITS)
def test_wrong_circuits(change: Callable[[Circuit], None], message: str):
    circuit = sound()
    verify(circuit)
    change(circuit)
    found = problems(circuit)
    assert found
    assert message in found[0]


def test_values_are_numbered_from_zero():
    circuit = sound()
    circuit.first += 1
    assert problems(circuit) == ["the first value does not have the number 0"]


@pytest.mark.parametrize("kind", ["result", "result_int"])
def test_names_of_results_differ(kind: str):
    builder = CircuitBuilder()
    bit = builder.add("const", attr=1)
    builder.add("result", [bit], attr="m")
    builder.add("result_float", [bit] * 64, attr="n")
    verify(builder.freeze())
    builder.add(kind, [bit], attr="m")
    assert problems(builder.freeze()) == ["there are 2 results named 'm'"]


@pytest.mark.parametrize(
    ("kind", "width", "message"),
    [
        ("result_int", 0, "takes 1 to 64 bits"),
        ("result_int", 65, "takes 1 to 64 bits"),
        ("result_float", 63, "takes 64 bits"),
    ],
)
def test_numbers_have_their_bits(kind: str, width: int, message: str):
    builder = CircuitBuilder()
    bit = builder.add("const", attr=1)
    builder.add("result_int", [bit] * 64, attr="m")
    builder.add(kind, [bit] * width, attr="n")
    assert problems(builder.freeze()) == [f"operation 2 ('{kind}'): {message}"]


def test_wrong_products_without_end_take_linear_time():
    builder = CircuitBuilder()
    qubit = builder.add("alloc", attr="q")
    for number in range(50_000):
        qubit = builder.add("ppr", [qubit], angle=1.0, attr=f"I{number}")
    begin = time.process_time()
    assert len(problems(builder.freeze())) == MAX_PROBLEMS
    assert time.process_time() - begin < 2  # some 0.1 s


@given(circuits(max_ops=6))
def test_one_wrong_number_never_crashes(circuit: Circuit):
    for column in ("op", "operands", "cond", "attr", "loc", "first", "pool"):
        for wrong in (-1, 0, 1, 5, 200):
            changed = dataclasses.replace(circuit)
            entries = getattr(circuit, column).copy()
            entries.reshape(-1)[-3:] = np.array(wrong).astype(entries.dtype)
            setattr(changed, column, entries)
            problems(changed)


def test_a_million_gates_are_checked_in_no_time():
    n = 1_000_000
    builder = CircuitBuilder()
    builder.add("alloc", attr="q")
    start = builder.freeze()

    def longer(column: np.ndarray, value: int) -> np.ndarray:
        return np.concatenate([column, np.full(n, value, dtype=column.dtype)])

    operands = np.full((n + 1, 3), -1, dtype=np.int32)
    operands[1:, 0] = np.arange(n)
    circuit = dataclasses.replace(
        start,
        op=longer(start.op, CODE["h"]),
        operands=operands,
        cond=longer(start.cond, -1),
        angle=longer(start.angle, 0),
        attr=longer(start.attr, 0),
        loc=longer(start.loc, -1),
        first=np.arange(n + 2, dtype=np.int32),
    )
    begin = time.process_time()
    verify(circuit)
    assert time.process_time() - begin < 1  # some 0.05 s; generous for a busy machine


# -- joins -------------------------------------------------------------------------------------


def join(terms: str, route: str = "", edges: str = "") -> Join:
    return Join(
        tuple(map(term_of, terms.split())),
        tuple(map(route_of, route.split())),
        tuple(map(edge_of, edges.split())),
    )


Y_LOOP = "(0,0)-(0,1) (0,0)-(1,0) (1,0)~(1,1) (0,1)-(1,1)"

RIGHT_JOINS = [
    join("Z(0,0) Z(0,1)", "", "(0,0)-(0,1)"),
    join("X(0,0) X(1,0)", "", "(0,0)-(1,0)"),
    join("Z(0,0)", "Z(0,1)", "(0,0)-(0,1)"),
    join("Z(0,0) X(1,1)", "X(0,1)", "(0,0)~(0,1) (0,1)-(1,1)"),
    join("Z(0,0) X(1,1)", "Z(0,1)", "(0,0)-(0,1) (0,1)~(1,1)"),
    join(
        "Z(0,0) Z(2,0)", "Z(0,1) Z(1,1) Z(2,1)", "(0,0)-(0,1) (0,1)-(1,1) (1,1)-(2,1) (2,0)-(2,1)"
    ),
    join(
        "X(0,0) X(0,2)", "X(1,0) Z(1,1) X(1,2)", "(0,0)-(1,0) (1,0)~(1,1) (1,1)~(1,2) (0,2)-(1,2)"
    ),
    join("Y(0,1)", "Z(0,0) Z(1,0) X(1,1)", Y_LOOP),
    join("Y(0,1) Z(1,-1)", "Z(0,0) Z(1,0) X(1,1)", Y_LOOP + " (1,-1)-(1,0)"),
]


@pytest.mark.parametrize("right", RIGHT_JOINS)
def test_right_joins(right: Join):
    assert join_problems(right) == []


WRONG_JOINS = [
    (join(""), "measures nothing"),
    (join("Z(0,0)", "Z(0,0)"), "a tile appears twice"),
    (join("Z(0,0)", "Y(0,1)"), "the route at (0, 1) carries Y"),
    (join("Z(0,0)", "Z(0,1)", "(0,1)-(0,0)"), "goes N; edges go E or S"),
    (join("Z(0,0)", "", "(0,0)-(0,1)"), "the edge (0, 0)-(0, 1) leaves the region"),
    (join("Z(0,0) Z(0,1)", "", "(0,0)-(0,1) (0,0)-(0,1)"), "appears twice"),
    (join("Z(0,0)"), "the Z term at (0, 0) is attached at no side"),
    (join("Z(0,0) Z(1,0)", "", "(0,0)-(1,0)"), "the Z term at (0, 0) is attached at E"),
    (
        join("Z(0,0) Z(0,1) Z(0,2)", "", "(0,0)-(0,1) (0,1)-(0,2)"),
        "the Z term at (0, 1) is attached at N, S",
    ),
    (join("Z(0,0) Z(0,1)", "", "(0,0)~(0,1)"), "carries Z and (0, 1) carries Z, but"),
    (join("Z(0,0)", "X(0,1)", "(0,0)-(0,1)"), "carries Z and (0, 1) carries X, but"),
    (
        join("Z(0,0) Z(2,0)", "Z(0,1) Z(2,1)", "(0,0)-(0,1) (2,0)-(2,1)"),
        "the region is not connected",
    ),
    (
        join(
            "Z(0,0)",
            "Z(0,1) Z(1,1) Z(0,2) Z(1,2)",
            "(0,0)-(0,1) (0,1)-(1,1) (0,1)-(0,2) (0,2)-(1,2) (1,1)-(1,2)",
        ),
        "a loop that no Y term closes",
    ),
    (join("Y(0,1)", "Z(0,0)", "(0,0)-(0,1)"), "the Y term at (0, 1) is attached at N"),
    (
        join("Y(0,1)", "X(0,0) Z(1,0) X(1,1)", "(0,0)~(0,1) (0,0)~(1,0) (1,0)~(1,1) (0,1)-(1,1)"),
        "has 3 mixed edges instead of one",
    ),
    (
        join("Y(0,1)", "Z(0,0) X(1,1)", "(0,0)-(0,1) (0,1)-(1,1)"),
        "not connected, or only through a Y term",
    ),
    (
        join("Y(0,0) Y(0,1)", "X(1,0) X(1,1)", "(0,0)-(0,1) (0,0)-(1,0) (0,1)-(1,1) (1,0)-(1,1)"),
        "is attached to another Y term",
    ),
    (
        join(
            "X(0,0) X(2,2)",
            "X(1,0) Z(1,1) X(2,1) X(3,1) X(3,2)",
            "(0,0)-(1,0) (1,0)~(1,1) (1,1)~(2,1) (2,1)-(3,1) (3,1)-(3,2) (2,2)-(3,2)",
        ),
        "(1, 1) has mixed edges on adjacent sides",
    ),
]


@pytest.mark.parametrize(("wrong", "message"), WRONG_JOINS)
def test_wrong_joins(wrong: Join, message: str):
    found = join_problems(wrong)
    assert found
    assert message in found[0]


# -- surgery -----------------------------------------------------------------------------------


def surgery(rows: str) -> Surgery:
    """Rows in short: NAME TILE LETTER SLAB, or `join SLAB`: of Z at (0,0) and (0,2) by (0,1)."""
    lines = []
    for number, row in enumerate(rows.split("; ")):
        kind, *rest = row.split()
        if kind == "join":
            lines.append(
                f'%{number} = "qw.join"() {{slab = {rest[0]}, terms = ["Z(0,0)", "Z(0,2)"], '
                'route = ["Z(0,1)"], edges = ["(0,0)-(0,1)", "(0,1)-(0,2)"]} : () -> i1'
            )
        elif kind == "wait":
            lines.append(f'"qw.wait"() {{slab = {rest[0]}, rounds = 3}} : () -> ()')
        else:
            made, types = (f"%{number} = ", "i1") if kind == "measure" else ("", "()")
            lines.append(
                f'{made}"qw.{kind}"() {{tile = "{rest[0]}", letter = "Z", slab = {rest[1]}}}'
                f" : () -> {types}"
            )
    body = "\n".join(lines)
    ir = parse_ir(f'"builtin.module"() ({{\n{body}\n}}) {{qw.level = "surgery"}} : () -> ()')
    assert isinstance(ir, Surgery)
    return ir


PAIR = "prepare (0,0) 0; prepare (0,2) 0; "
ENDS = "; measure (0,0) 5; measure (0,2) 5"

RIGHT_SURGERY = [
    PAIR + "join 0; join 1" + ENDS,
    PAIR + "join 3",
    PAIR + "join 1; prepare (0,1) 2; measure (0,1) 3; join 4" + ENDS,
    PAIR + "join 1" + ENDS + "; prepare (0,0) 6; measure (0,0) 6",
    "prepare (0,0) 4; measure (0,0) 5; prepare (0,0) 1; measure (0,0) 3",
    PAIR + "join 1; wait 2" + ENDS,
]


@pytest.mark.parametrize("rows", RIGHT_SURGERY)
def test_right_surgery(rows: str):
    assert problems(surgery(rows)) == []


WRONG_SURGERY = [
    ("prepare (0,0) 0; join 0", "row 1 ('join'): tile (0, 2) holds no patch"),
    (PAIR + "join 6" + ENDS, "row 3 ('measure'): the patch on (0, 0) is used later, in slab 6"),
    (PAIR + "join 1; join 1", "tile (0, 1) is in the region of row 2 in the same slab"),
    (PAIR + "join 2; join 1", "the patch on (0, 0) is busy in slab 2"),
    ("prepare (0,0) 2; prepare (0,2) 0; join 1", "patch on (0, 0) appears later, in slab 2"),
    (PAIR + "measure (0,0) 1; join 1", "row 3 ('join'): tile (0, 0) holds no patch"),
    (PAIR + "prepare (0,0) 1", "tile (0, 0) holds a patch already (row 0)"),
    (
        "prepare (0,0) 0; measure (0,0) 3; prepare (0,0) 3",
        "row 2 ('prepare'): tile (0, 0) still holds another patch in slab 3",
    ),
    (
        "prepare (0,0) 2; measure (0,0) 3; prepare (0,0) 1; measure (0,0) 2",
        "row 0 ('prepare'): tile (0, 0) still holds another patch in slab 2",
    ),
    (PAIR + "prepare (0,1) 0; join 4", "route tile (0, 1) holds the patch of row 2"),
    (
        PAIR + "join 2; prepare (0,1) 1; measure (0,1) 2",
        "route tile (0, 1) holds the patch of row 3",
    ),
    (PAIR + "join 1; wait 1", "row 3 ('wait'): slab 1 waits, but holds a join"),
    ("wait 1; wait 1", "row 1 ('wait'): slab 1 waits already (row 0)"),
    ("measure (0,0) 0", "row 0 ('measure'): tile (0, 0) holds no patch"),
    ("prepare (0,0) -1", "row 0 ('prepare'): slab -1 is out of range"),
]


@pytest.mark.parametrize(("rows", "message"), WRONG_SURGERY)
def test_wrong_surgery(rows: str, message: str):
    assert message in "\n".join(problems(surgery(rows)))


def classical(*lines: str) -> Surgery:
    head = '%c = "qw.const"() {value = 1} : () -> i1\n'
    text = f'"builtin.module"() ({{\n{head}'
    ir = parse_ir(text + "\n".join(lines) + '}) {qw.level = "surgery"} : () -> ()')
    assert isinstance(ir, Surgery)
    return ir


def set_row(column: str, row: int, value: int) -> Callable[[Surgery], None]:
    def change(ir: Surgery) -> None:
        getattr(ir, column)[row] = value

    return change


WRONG_ROWS = [
    (set_row("kind", 0, 99), "row 0: there is no such kind of row"),
    (set_row("loc", 1, 99), "row 1: there is no such location"),
    (set_row("kind", 0, Row.RESULT), "row 0 ('result'): name = 1 is out of range"),
    (set_row("aux", 0, 2), "row 0 ('const'): value = 2 is out of range"),
    (set_row("slab", 0, 1), "row 0 ('const'): slab 1 is out of range"),
    (set_row("x", 0, 1), "row 0 ('const'): has a tile, but happens on none"),
    (set_row("aux", 1, 1), "row 1 ('result'): name = 1 is out of range"),
    (set_row("pool", 0, 1), "row 1 ('result'): bit 1 is not defined before it"),
    (set_row("pool", 0, -1), "row 1 ('result'): bit -1 is not defined before it"),
    (set_row("start", 1, 1), "row 1 ('result'): reads 0 bits instead of 1"),
    (set_row("start", 1, 9), "the column 'start' does not cut the pool into slices"),
    (set_row("kind", 1, Row.JOIN), "row 1 ('join'): does not encode a join"),
    (set_row("kind", 1, Row.OUTPUT), "row 1 ('output'): reads 0 bits instead of 2"),
]


@pytest.mark.parametrize(("change", "message"), WRONG_ROWS)
def test_wrong_rows(change: Callable[[Surgery], None], message: str):
    ir = classical('"qw.result"(%c) {name = "m"} : (i1) -> ()')
    verify(ir)
    change(ir)
    assert message in "\n".join(problems(ir))


def test_names_differ_among_rows_of_a_kind():
    result = '"qw.result"(%c) {name = "m"} : (i1) -> ()'
    verify(classical(result, result.replace("result", "observable")))
    assert problems(classical(result, result)) == ["row 2 ('result'): the name 'm' is taken"]
