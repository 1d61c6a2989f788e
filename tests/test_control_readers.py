"""Control regions as programs spell them: QWASM, Qiskit's composite gates, OpenQASM 3."""

from __future__ import annotations

from math import pi

import numpy as np
import program_oracle
import pytest
from control_regions import Body, Gate, Region, assert_means, counts
from qiskit import QuantumCircuit
from qiskit.circuit import AnnotatedOperation, ControlModifier, InverseModifier, PowerModifier
from qiskit.circuit import Gate as QiskitGate
from qiskit.circuit.library import CUGate, QFTGate, UnitaryGate, get_standard_gate_name_mapping
from qiskit.quantum_info import Operator
from scipy.linalg import fractional_matrix_power

from qwasmc.api import run_passes
from qwasmc.diagnostics import CompileError
from qwasmc.grammar import from_qiskit, qwasm
from qwasmc.grammar.qasm3 import read_qasm3
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.program import Program

PASSES = ["promote", "specialise", "uncompute"]
SKIPPED = ("measure", "reset", "delay", "global_phase")
STANDARD = {
    name: gate for name, gate in get_standard_gate_name_mapping().items() if name not in SKIPPED
}
ANGLES = (0.7, -1.3, 2.1, 0.4)


def compiled(program: Program) -> Circuit:
    circuit = run_passes(program, PASSES)
    assert isinstance(circuit, Circuit)
    return circuit


# -- QWASM

LADDER = "QLCNOT 2, 3\nQLCNOT 3, 4\n"
UNDONE = "QLCNOT 3, 4\nQLCNOT 2, 3\n"


def test_qwasm() -> None:
    text = f"QLINIT 5\nCTRL_BEGIN 0, 1\n{LADDER}QLRZ 4, theta=0.3\n{UNDONE}CTRL_END\nQLH 4"
    ladder: Body = [Gate("cx", (2, 3)), Gate("cx", (3, 4))]
    region = Region((0, 1), [*ladder, Gate("rz", (4,), 0.3), *reversed(ladder)])
    circuit = compiled(qwasm.read(text, "a.qwasm"))
    assert_means(circuit, [region, Gate("h", (4,))], 5)
    assert counts(circuit) == {"ccx": 2, "cx": 4, "crz": 1, "h": 1}


def test_qwasm_segments_and_nested_regions() -> None:
    """Qubit 5 is scratch: what it holds is the product of 1 and 2."""
    text = """QLINIT 6
        CTRL_BEGIN 0
        REV_BEGIN and
        QLCCX 1, 2, 5
        REV_END
        CTRL_BEGIN 3
        QLH 4
        CTRL_END
        QLCZ 5, 4
        UNCOMPUTE and
        CTRL_END"""
    region = Region((0,), [Region((3,), [Gate("h", (4,))]), Gate("ccz", (1, 2, 4))])
    circuit = compiled(qwasm.read(text, "a.qwasm"))
    assert_means(circuit, [region], 5)
    half = {"cx": 1, "h": 2, "s": 1, "sdg": 1, "t": 1, "tdg": 1}
    assert counts(circuit) == {"ccx": 2 + 2, "ccz": 1, **half}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("CTRL_BEGIN", "CTRL_BEGIN takes at least 1 operand, got 0"),
        ("CTRL_BEGIN 0, 0\nCTRL_END", "qubit '0' is used twice in one instruction"),
        ("CTRL_BEGIN 9\nCTRL_END", "there is no qubit 9"),
        ("CTRL_END", "CTRL_END without CTRL_BEGIN"),
        ("CTRL_BEGIN 0\nQLX 1", "this control region has no CTRL_END"),
        ("CTRL_BEGIN 0\nREV_BEGIN a\nCTRL_END", "segment 'a' in this control region has no"),
        ("REV_BEGIN a\nCTRL_BEGIN 0\nREV_END", "a control region in this segment has no CTRL_END"),
        ("QLMEASURE 1, r0\nIF r0: CTRL_BEGIN 0\nCTRL_END", "cannot depend on a measurement"),
        ("CTRL_BEGIN 0\nl: QLX 1\nJMP l\nCTRL_END", "a control region cannot branch"),
        ("CTRL_BEGIN 0\nCALL l\nCTRL_END\nHALT\nl: RET", "a control region cannot branch"),
        ("MOV r0, 1\nCTRL_BEGIN 0\nJZ r0, l\nCTRL_END\nl: HALT", "a control region cannot branch"),
    ],
)
def test_qwasm_refuses(text: str, message: str) -> None:
    with pytest.raises(CompileError, match=message):
        qwasm.read(f"QLINIT 2\n{text}\n", "a.qwasm")


def test_an_error_of_the_pass_is_at_its_line() -> None:
    with pytest.raises(CompileError) as caught:
        compiled(qwasm.read("QLINIT 2\nCTRL_BEGIN 0\nQLH 1\nQLH 0\nCTRL_END", "a.qwasm"))
    (found,) = caught.value.diagnostics
    assert str(found.place) == "a.qwasm:4:1"
    assert found.notes == ("the region begins at a.qwasm:2:1",)


# -- Qiskit


def agrees(gate: QiskitGate, wanted: np.ndarray) -> bool:
    """Whether what is read of a gate has this matrix."""
    circuit = QuantumCircuit(gate.num_qubits)
    circuit.append(gate, circuit.qubits)
    return same(program_oracle.unitary(from_qiskit.read(circuit)), wanted)


def same(mine: np.ndarray, wanted: np.ndarray) -> bool:
    """Whether matrices are equal up to a global phase; the first has its qubits reversed."""
    theirs = Operator(wanted).reverse_qargs().data
    return bool(np.isclose(abs(np.vdot(mine, theirs)), len(theirs)))


def under(matrix: np.ndarray, state: int, controls: int) -> np.ndarray:
    """A matrix under controls, which are the first qubits."""
    whole = np.eye(len(matrix) << controls, dtype=complex)
    where = (np.arange(len(matrix)) << controls) + state
    whole[np.ix_(where, where)] = matrix
    return whole


@pytest.mark.parametrize("annotated", [False, True])
@pytest.mark.parametrize("name", STANDARD)
def test_standard_gates_in_a_composite_under_controls(name: str, annotated: bool) -> None:
    """With its global phase, which the controls make a relative one."""
    gate = STANDARD[name].base_class(*ANGLES[: len(STANDARD[name].params)])
    body = QuantumCircuit(gate.num_qubits, global_phase=0.3)
    body.append(gate, body.qubits)
    body.t(0)
    made = body.to_gate().control(2, ctrl_state=2, annotated=annotated)
    assert agrees(made, under(Operator(body).data, 2, 2))


@pytest.mark.parametrize("annotated", [False, True])
@pytest.mark.parametrize("controls", [1, 2])
def test_the_phase_of_cu_is_kept(controls: int, annotated: bool) -> None:
    gate = CUGate(*ANGLES)
    assert agrees(
        gate.control(controls, annotated=annotated),
        under(gate.to_matrix(), 2**controls - 1, controls),
    )


def composite() -> QuantumCircuit:
    body = QuantumCircuit(3, global_phase=0.4)
    body.h(2)
    body.cx(0, 1)
    body.cx(1, 2)
    body.u(0.1, 0.2, 0.3, 2)
    body.cx(1, 2)
    body.cx(0, 1)
    body.h(2)
    return body


def test_annotated_composites() -> None:
    gate, matrix = composite().to_gate(), Operator(composite()).data
    for modifiers, wanted in (
        ([ControlModifier(2, 1)], under(matrix, 1, 2)),
        ([ControlModifier(1, 0), ControlModifier(1, 1)], under(under(matrix, 0, 1), 1, 1)),
        ([InverseModifier(), ControlModifier(1)], under(matrix.conj().T, 1, 1)),
        ([ControlModifier(1), PowerModifier(2)], under(matrix @ matrix, 1, 1)),
    ):
        assert agrees(AnnotatedOperation(gate, modifiers), wanted)
    nested = QuantumCircuit(4)
    nested.append(gate.control(1, annotated=True), [3, 0, 2, 1])
    nested.s(3)
    assert agrees(nested.to_gate().control(1, annotated=True), under(Operator(nested).data, 1, 1))
    assert agrees(QFTGate(2).control(1, annotated=True), under(QFTGate(2).to_matrix(), 1, 1))


def test_only_the_action_of_a_composite_is_controlled() -> None:
    circuit = QuantumCircuit(5)
    circuit.append(composite().to_gate().control(2, annotated=False), range(5))
    found = counts(compiled(from_qiskit.read(circuit)))
    assert found == {"ccx": 2, "crz": 3, "cx": 4, "h": 2, "p": 1, "s": 1, "sdg": 1} | {"h": 4}


def test_composites_under_controls_in_loops() -> None:
    """The angle of the phase, too, depends on the loop's variable."""
    circuit = QuantumCircuit(2)
    plain = QuantumCircuit(2)
    with circuit.for_loop(range(1, 4)) as index:
        body = QuantumCircuit(1, global_phase=index * 0.3)
        body.u(index * 0.1, 0.2, index * 0.5, 0)
        body.rx(index * index * 0.1, 0)
        circuit.append(body.to_gate().control(1, annotated=True), [0, 1])
    for number in range(1, 4):
        body = QuantumCircuit(1, global_phase=number * 0.3)
        body.u(number * 0.1, 0.2, number * 0.5, 0)
        body.rx(number * number * 0.1, 0)
        plain.append(UnitaryGate(under(Operator(body).data, 1, 1)), [0, 1])
    mine = program_oracle.unitary(run_passes(from_qiskit.read(circuit), ["promote"]))
    assert same(mine, Operator(plain).data)


# -- OpenQASM 3

GATES = """OPENQASM 3.0;
include "stdgates.inc";
gate g(a) x, y { h x; rz(a) y; cx x, y; u3(a, 0.2, -a) x; gphase(a / 3); }
gate k(a) c, x, y { ctrl @ g(2 * a) c, x, y; inv @ ctrl @ g(a) y, x, c; t x; }
"""


def matrix_of(n: int, *gates: tuple[np.ndarray, list[int]], phase: float = 0.0) -> np.ndarray:
    circuit = QuantumCircuit(n, global_phase=phase)
    for matrix, on in gates:
        circuit.append(UnitaryGate(matrix), on)
    return np.array(Operator(circuit).data)


def standard(name: str, *angles: float) -> np.ndarray:
    return np.array(STANDARD[name].base_class(*angles).to_matrix())


def g(a: float) -> np.ndarray:
    turned = standard("u3", a, 0.2, -a)
    first = (standard("h"), [0]), (standard("rz", a), [1])
    return matrix_of(2, *first, (standard("cx"), [0, 1]), (turned, [0]), phase=a / 3)


def k(a: float) -> np.ndarray:
    undone = under(g(a), 1, 1).conj().T
    return matrix_of(
        3, (under(g(2 * a), 1, 1), [0, 1, 2]), (undone, [2, 1, 0]), (standard("t"), [1])
    )


MODIFIED = {
    "k(0.3) q[0], q[1], q[2];": lambda: (k(0.3), [0, 1, 2]),
    "inv @ k(0.7) q[2], q[0], q[1];": lambda: (k(0.7).conj().T, [2, 0, 1]),
    "ctrl @ k(0.3) q[0], q[1], q[2], q[3];": lambda: (under(k(0.3), 1, 1), [0, 1, 2, 3]),
    "negctrl @ ctrl @ g(0.7) q[2], q[0], q[1], q[3];": lambda: (
        under(under(g(0.7), 1, 1), 0, 1),
        [2, 0, 1, 3],
    ),
    "inv @ negctrl @ k(0.7) q[2], q[0], q[1], q[3];": lambda: (
        under(k(0.7), 0, 1).conj().T,
        [2, 0, 1, 3],
    ),
    "pow(-2) @ ctrl @ g(0.7) q[2], q[0], q[1];": lambda: (
        under(g(0.7) @ g(0.7), 1, 1).conj().T,
        [2, 0, 1],
    ),
    "ctrl @ pow(0.5) @ g(0.7) q[2], q[0], q[1];": lambda: (
        under(fractional_matrix_power(g(0.7), 0.5), 1, 1),
        [2, 0, 1],
    ),
    "ctrl(2) @ gphase(0.3) q[0], q[1];": lambda: (under(np.array([[np.exp(0.3j)]]), 3, 2), [0, 1]),
    "ctrl(2) @ negctrl @ t q[3], q[0], q[1], q[2];": lambda: (
        under(under(np.diag([1, np.exp(0.25j * pi)]), 0, 1), 3, 2),
        [3, 0, 1, 2],
    ),
    "negctrl(2) @ swap q[0], q[1], q[2], q[3];": lambda: (
        under(standard("swap"), 0, 2),
        [0, 1, 2, 3],
    ),
}


@pytest.mark.parametrize("statement", MODIFIED)
def test_modified_gates(statement: str) -> None:
    program = read_qasm3(f"{GATES}qubit[4] q;\n{statement}\n", "a.qasm")
    assert isinstance(program, Program)
    assert same(program_oracle.unitary(program), matrix_of(4, MODIFIED[statement]()))


def test_ctrl_of_a_gate_controls_its_action_only() -> None:
    text = """OPENQASM 3.0;
        include "stdgates.inc";
        gate zz(a) x, y { cx x, y; rz(a) y; cx x, y; }
        qubit[3] q;
        ctrl @ zz(0.3) q[0], q[1], q[2];"""
    program = read_qasm3(text, "a.qasm")
    assert isinstance(program, Program)
    assert counts(compiled(program)) == {"crz": 1, "cx": 2}
