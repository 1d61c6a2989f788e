"""Diagrams of circuits, control flow and floor plans, read back from their shapes."""

from __future__ import annotations

import random
import re
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import stim
from drawn import (
    GATES,
    NAMES,
    PAIRS,
    SVG,
    Drawn,
    check_is_safe,
    drawn_ways,
    random_circuit,
    random_flow,
    read_diagram,
    read_gate,
    written_ways,
)

import qwasmc
from qwasmc.backends.drawing.circuit import circuit_svg
from qwasmc.backends.drawing.kinds import angle_text
from qwasmc.backends.drawing.program import program_svg
from qwasmc.backends.drawing.surgery import surgery_svg
from qwasmc.backends.view.drawing import slab_svg
from qwasmc.diagnostics import CompileError
from qwasmc.ir.circuit import CircuitBuilder
from qwasmc.ir.program import Block, Function, Program, Value
from qwasmc.ir.surgery import Letter, Row, SurgeryBuilder
from qwasmc.ops import Type
from qwasmc.text import print_ir

EXAMPLES = Path(__file__).parent.parent / "examples"
# -- circuits --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_a_diagram_shows_the_gates_of_the_circuit(seed: int):
    rng = random.Random(seed)
    wanted, names, build = stim.Circuit(), [f"q{i}" for i in range(5)], CircuitBuilder()
    qubits = [build.add("alloc", attr=name) for name in names]
    for _ in range(150):
        name = rng.choice(sorted(GATES))
        lines = rng.sample(range(5), 2 if GATES[name] in PAIRS.values() else 1)
        first = build.add(name, [qubits[line] for line in lines])
        for slot, line in enumerate(lines):
            qubits[line] = first + slot
        wanted.append(GATES[name], lines)
    drawn = read_diagram(circuit_svg(build.freeze()), names)
    assert len(drawn) == 150
    assert drawn[-1].row > 0
    seen = stim.Circuit()
    for each in drawn:
        seen.append(*read_gate(each))
    assert stim.Tableau.from_circuit(seen) == stim.Tableau.from_circuit(wanted)
    check_nothing_overlaps(drawn)


def check_nothing_overlaps(drawn: list[Drawn]) -> None:
    """Symbols of one column cross different lines."""
    taken = set()
    for each in drawn:
        lines = [line for line, _ in each.marks]
        for line in range(min(lines), max(lines) + 1):
            assert (each.row, each.x, line) not in taken
            taken.add((each.row, each.x, line))


@pytest.mark.parametrize("seed", range(40))
def test_any_circuit_is_drawn_as_text_and_shapes_only(seed: int):
    circuit = random_circuit(seed)
    for most_columns, most_qubits in ((100, 32), (7, 2), (1, 1)):
        text = circuit_svg(circuit, most_columns, most_qubits)
        check_is_safe(text)
        assert text == circuit_svg(circuit, most_columns, most_qubits)


def test_outcomes_go_down_to_the_bits_and_come_up_as_conditions():
    build = CircuitBuilder()
    a, b = (build.add("alloc", attr=name) for name in "ab")
    a = build.add("measure_x", [a])
    b = build.add("measure_z", [b])
    first, second = a + 1, b + 1
    both = build.add("and", [first, second])
    build.add("x", [b], cond=both)
    build.add("result", [first], attr="first")
    build.add("result", [both], attr="both")
    measured, other, gate = read_diagram(circuit_svg(build.freeze()), ["a", "b"])
    assert [each.title for each in (measured, other, gate)] == [
        "measure_x a", "measure_z b", "x b if both",
    ]  # fmt: skip
    assert measured.texts == ("first", "X")
    assert other.texts == (f"b{second}",)
    assert gate.texts == ("both",)
    assert measured.x < other.x < gate.x
    assert f"both = first∧b{second}" in circuit_svg(build.freeze())


def test_ancillas_share_a_line_one_after_the_other():
    build = CircuitBuilder()
    kept = build.add("alloc", attr="kept")
    for _ in range(3):
        ancilla = build.add("alloc", attr="")
        kept = build.add("cx", [kept, ancilla])
        build.add("free", [kept + 1])
    text = circuit_svg(build.freeze())
    drawn = read_diagram(text.replace("> </text>", ">ancilla</text>"), ["kept", "ancilla"])
    assert [each.marks for each in drawn] == [((0, "dot"), (1, "target"))] * 3
    assert text.count(">|0⟩</text>") == 3  # besides the one in the name of the line


def test_of_a_large_circuit_the_first_part_is_drawn():
    rng, build = random.Random(1), CircuitBuilder()
    qubits = [build.add("alloc", attr=f"q{i}") for i in range(1000)]
    for _ in range(200_000):
        one, other = rng.sample(range(1000), 2)
        first = build.add("cx", [qubits[one], qubits[other]])
        qubits[one], qubits[other] = first, first + 1
    circuit = build.freeze()
    start = time.process_time()
    text = circuit_svg(circuit)
    assert time.process_time() - start < 2
    assert len(text) < 200_000
    drawn = len(ET.fromstring(text).findall(f"{SVG}g"))
    assert f"left out: {200_000 - drawn:,} operations, 968 qubits" in text


@pytest.mark.parametrize(
    ("angle", "text"),
    [(3.141592653589793, "π"), (-0.39269908169872414, "-π/8"), (2.356194490192345, "3π/4"),
     (0.0, "0"), (0.1, "0.1"), (1e-9, "1e-09")],
)  # fmt: skip
def test_angles_are_fractions_of_pi_where_they_are(angle: float, text: str):
    assert angle_text(angle) == text


# -- programs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(30))
def test_arrows_lead_from_block_to_block(seed: int):
    program = random_flow(seed, 1 + seed)
    text = program_svg(program)
    check_is_safe(text)
    assert drawn_ways(ET.fromstring(text)) == written_ways(program)


def test_of_a_large_program_the_first_part_is_drawn():
    program = random_flow(5, 100)
    assert "left out: 60 blocks" in program_svg(program)
    long = program.functions[0].blocks[0]
    for _ in range(50):
        long.ops.insert(0, long.ops[0])
    assert "… 35 more operations" in program_svg(program)


@pytest.mark.parametrize("name", ["repeat.ll", "subroutine.qwasm", "teleport.ll"])
def test_values_have_the_names_of_the_text(name: str):
    program = qwasmc.parse(EXAMPLES / name)
    lines = [
        re.findall(r"%[\w.$-]+", line.partition(" : ")[0])
        for line in print_ir(program, locations=False).splitlines()
        if line.startswith("    ") and "br" not in line
    ]
    root = ET.fromstring(program_svg(program, most_ops=1000))
    drawn = [group.find(f"{SVG}text") for group in root.findall(f"{SVG}g")]
    assert [
        re.findall(r"%[\w.$-]+", (each.text or "")) for each in drawn if each is not None
    ] == lines


def test_names_of_programs_are_only_text():
    block = Block([Value(Type.I1, NAMES)])
    block.append("pragma", attrs={"text": NAMES})
    block.append("return")
    check_is_safe(program_svg(Program([Function(NAMES, [block])])))
    check_is_safe(program_svg(Program([])))


# -- floor plans -----------------------------------------------------------------------------------


def test_slabs_stand_side_by_side():
    artifact = qwasmc.compile(EXAMPLES / "magic.qwasm", emit="surgery")
    text = surgery_svg(artifact.surgery, artifact.program, first=1, most_slabs=3)
    plans = ET.fromstring(text).findall(f"{SVG}g/{SVG}svg")
    titles = re.findall(r">slab (\d+)</text>", text)
    assert [int(each) for each in titles] == [1, 2, 3]
    for slab, plan in enumerate(plans, 1):
        alone = ET.fromstring(slab_svg(artifact.surgery, slab, artifact.program))
        assert ET.tostring(plan).strip() == ET.tostring(alone)
    assert "2 of 5 slabs are not drawn" in text
    with pytest.raises(CompileError, match="there is no slab 5: there are 5"):
        surgery_svg(artifact.surgery, first=5)


def test_names_of_factories_are_only_text():
    build = SurgeryBuilder()
    operands = [2, 2, 0, 0, 1]  # its size, its port, its period
    build.add(Row.FACTORY, aux=build.name(NAMES), operands=operands)
    build.add(Row.PREPARE, aux=Letter.Z)
    build.add(Row.MEASURE, aux=Letter.Z)
    root = ET.fromstring(surgery_svg(build.freeze()).encode())
    assert any("<b>&" in (text.text or "") for text in root.iter(f"{SVG}text"))
