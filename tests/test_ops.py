"""Laws of the op table, row by row."""

from __future__ import annotations

import cmath
import math
from functools import reduce
from itertools import product

import numpy as np
import pytest
import stim
from ops_page import PAGE, ops_page
from qiskit.circuit.library import PauliEvolutionGate, get_standard_gate_name_mapping
from qiskit.quantum_info import Operator, Pauli

from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ir.program import Attr, Block, Function, Program, Target
from qwasmc.ops import BY_NAME, CODE, OPS, Effect, OpSpec, Type
from qwasmc.text import parse_ir, print_ir
from qwasmc.verify import verify
from qwasmc.verify.operation import RANGES

ANGLE = 0.7
REQUIREMENT = "MAGIC_STATE_REQUEST 2, 30"

Matrix = np.ndarray

I = np.eye(2, dtype=complex)  # noqa: E741
X = np.array([[0, 1], [1, 0]], dtype=complex)
Y = np.array([[0, -1j], [1j, 0]])
Z = np.diag([1, -1]).astype(complex)
SWAP = np.eye(4, dtype=complex)[[0, 2, 1, 3]]


def phase(angle: float) -> Matrix:
    return np.diag([1, cmath.exp(1j * angle)])


def turn(pauli: Matrix, angle: float) -> Matrix:
    return math.cos(angle / 2) * I - 1j * math.sin(angle / 2) * pauli


def controlled(gate: Matrix) -> Matrix:
    """The first qubit, the most significant bit of an index, is the control."""
    n = len(gate)
    out = np.eye(2 * n, dtype=complex)
    out[n:, n:] = gate
    return out


def product_turn(letters: str, angle: float) -> Matrix:
    product = reduce(np.kron, [{"X": X, "Y": Y, "Z": Z}[letter] for letter in letters])
    return math.cos(angle / 2) * np.eye(len(product)) - 1j * math.sin(angle / 2) * product


MATRIX = {
    "h": lambda _: (X + Z) / math.sqrt(2),
    "x": lambda _: X,
    "y": lambda _: Y,
    "z": lambda _: Z,
    "s": lambda _: phase(math.pi / 2),
    "sdg": lambda _: phase(-math.pi / 2),
    "sx": lambda _: ((1 + 1j) * I + (1 - 1j) * X) / 2,
    "sxdg": lambda _: ((1 - 1j) * I + (1 + 1j) * X) / 2,
    "t": lambda _: phase(math.pi / 4),
    "tdg": lambda _: phase(-math.pi / 4),
    "rx": lambda angle: turn(X, angle),
    "ry": lambda angle: turn(Y, angle),
    "rz": lambda angle: turn(Z, angle),
    "p": phase,
    "cx": lambda _: controlled(X),
    "cy": lambda _: controlled(Y),
    "cz": lambda _: controlled(Z),
    "swap": lambda _: SWAP,
    "cp": lambda angle: controlled(phase(angle)),
    "crz": lambda angle: controlled(turn(Z, angle)),
    "ccx": lambda _: controlled(controlled(X)),
    "ccz": lambda _: controlled(controlled(Z)),
    "cswap": lambda _: controlled(SWAP),
    "ppr": lambda angle: product_turn("XYZ", angle),
}
"""What each gate is: written down here once more, apart from any library."""

GATES = [spec for spec in OPS if spec.is_gate]
each_gate = pytest.mark.parametrize("spec", GATES, ids=lambda spec: spec.name)
each_row = pytest.mark.parametrize("spec", OPS, ids=lambda spec: spec.name)


def matrix(spec: OpSpec, angle: float = ANGLE) -> Matrix:
    return MATRIX[spec.name](angle)


def same_up_to_phase(a: Matrix, b: Matrix) -> bool:
    return abs(abs(np.vdot(a, b)) - len(a)) < 1e-5


def test_names_are_unique_and_index_the_table():
    assert len(CODE) == len(BY_NAME) == len(OPS)
    assert all(OPS[CODE[spec.name]] is spec is BY_NAME[spec.name] for spec in OPS)


def test_every_gate_has_a_matrix():
    assert set(MATRIX) == {spec.name for spec in GATES}


@each_row
def test_a_row_is_consistent(spec: OpSpec):
    assert spec.doc.endswith(".")
    assert "\n" not in spec.doc
    assert not (spec.makes_qubit and spec.qubits)
    assert not (spec.ends_qubit and spec.qubits != 1)
    assert not (spec.angle and not spec.is_gate)
    assert not (spec.qubits < 0 and spec.bits < 0)
    if spec.is_gate:
        assert spec.may_be_predicated
        assert 0 <= spec.controls < abs(spec.qubits)
    if spec.targets:
        assert spec.ends_block
    if not spec.in_circuit:
        assert not spec.is_gate
        assert spec.qubits >= 0
        assert spec.bits >= 0
        assert not spec.may_be_predicated
    if spec.attr and not spec.attr_is_text and spec.attr != "real":
        assert spec.attr in RANGES


@pytest.mark.parametrize("spec", [s for s in GATES if s.name != "ppr"], ids=lambda s: s.name)
def test_the_effect_is_what_the_matrix_does_to_basis_states(spec: OpSpec):
    entries = ~np.isclose(matrix(spec), 0)
    permutes = (entries.sum(axis=0) == 1).all()
    keeps = (entries == np.eye(len(entries), dtype=bool)).all()
    wanted = Effect.DIAGONAL if keeps else Effect.PERMUTES if permutes else Effect.NONE
    assert spec.effect is wanted


def test_predicated_rows():
    """What may depend on a bit: gates, resets and measurements."""
    assert {spec.name for spec in OPS if spec.may_be_predicated} == {
        *MATRIX,
        *("reset", "measure_x", "measure_y", "measure_z", "ppm"),
    }


@each_gate
def test_the_inverse_undoes_a_gate(spec: OpSpec):
    assert spec.inverse is not None
    inverse = BY_NAME[spec.inverse]
    assert inverse.inverse == spec.name
    assert inverse.cost == spec.cost
    both = matrix(inverse, -ANGLE) @ matrix(spec)
    assert np.allclose(both, np.eye(len(both)))


@each_gate
def test_controls_leave_the_rest_alone_unless_all_are_set(spec: OpSpec):
    gate = matrix(spec)
    active = len(gate) - len(gate) // 2**spec.controls
    assert np.allclose(gate[:active, :active], np.eye(active))
    assert np.allclose(gate[:active, active:], 0)


@each_row
def test_the_stim_name_is_the_same_operation(spec: OpSpec):
    if not spec.stim:
        return
    data = stim.gate_data(spec.stim)
    assert data.is_unitary == spec.is_gate
    assert data.produces_measurements == spec.makes_bit
    if spec.is_gate:
        tableau = stim.Tableau.from_named_gate(spec.stim)
        assert len(tableau) == spec.qubits
        assert same_up_to_phase(tableau.to_unitary_matrix(endian="big"), matrix(spec))


@each_gate
def test_the_stim_name_says_whether_a_gate_is_a_clifford(spec: OpSpec):
    assert is_clifford(matrix(spec)) == bool(spec.stim)


def is_clifford(gate: Matrix) -> bool:
    """Whether every Pauli product is conjugated to a Pauli product, up to sign."""
    n = len(gate)
    paulis = [np.eye(1)]
    while len(paulis[0]) < n:
        paulis = [np.kron(p, letter) for p in paulis for letter in (I, X, Y, Z)]
    for pauli in paulis:
        image = gate @ pauli @ gate.conj().T
        overlaps = [abs(np.vdot(other, image)) for other in paulis]
        if not math.isclose(max(overlaps), n, abs_tol=1e-9):
            return False
    return True


@pytest.mark.parametrize("spec", [spec for spec in GATES if spec.qiskit], ids=lambda s: s.name)
def test_the_qiskit_name_is_the_same_gate(spec: OpSpec):
    gate = get_standard_gate_name_mapping()[spec.qiskit]
    assert gate.num_qubits == spec.qubits
    gate = gate.base_class(ANGLE) if spec.angle else gate
    little_endian = Operator(gate).reverse_qargs().data
    assert np.allclose(little_endian, matrix(spec))


@pytest.mark.parametrize(
    "letters", ["".join(p) for n in (1, 2, 3) for p in product("XYZ", repeat=n)]
)
def test_a_rotation_about_a_product_is_an_evolution(letters: str):
    evolution = PauliEvolutionGate(Pauli(letters), time=ANGLE / 2)
    assert np.allclose(Operator(evolution).data, product_turn(letters, ANGLE))


def sample(spec: OpSpec, predicated: bool) -> Circuit:
    """A circuit around one operation."""
    builder = CircuitBuilder()
    names = 'a % "\\\n\u00e9'
    bit = builder.add("const", attr=1)
    n_qubits, n_bits = abs(spec.qubits), 64 if spec.name == "result_float" else abs(spec.bits)
    wires = [builder.add("alloc", attr=f"q{i}") for i in range(n_qubits)]
    attr = {"paulis": "X" * n_qubits, "needs": REQUIREMENT}.get(spec.attr, names)
    builder.add(
        spec.name,
        [*wires, *[bit] * n_bits],
        cond=bit if predicated else -1,
        angle=ANGLE if spec.angle else 0.0,
        attr=attr if spec.attr_is_text else 1 if spec.attr else 0,
    )
    return builder.freeze()


@pytest.mark.parametrize("spec", [spec for spec in OPS if spec.in_circuit], ids=lambda s: s.name)
def test_print_and_parse(spec: OpSpec):
    for predicated in (False, True)[: 1 + spec.may_be_predicated]:
        circuit = sample(spec, predicated)
        verify(circuit)
        text = print_ir(circuit)
        again = parse_ir(text, "x")
        assert isinstance(again, Circuit)
        assert f'"qw.{spec.name}"' in text
        assert print_ir(again) == text
        assert again.op.tolist() == circuit.op.tolist()
        assert again.operands.tolist() == circuit.operands.tolist()
        assert again.cond.tolist() == circuit.cond.tolist()
        assert again.angle.tolist() == circuit.angle.tolist()
        assert again.names == circuit.names


WORDS = {
    **{"predicate": "uge", "function": "sqrt", "callee": "main", "paulis": "X"},
    "needs": REQUIREMENT,
}


def program_sample(spec: OpSpec, computed: bool) -> Program:
    """A `main` with one operation of a row, on values of the types it takes."""
    first, second = Block(), Block()
    value = {
        Type.I1: first.append("const", attrs={"value": 1})[0],
        Type.I64: first.append("const_i64", attrs={"int": -(2**63)})[0],
        Type.F64: first.append("const_f64", attrs={"real": math.nan})[0],
    }
    n_bits = 64 if spec.name == "result_float" else abs(spec.bits)
    operands = [first.append("alloc", attrs={"name": "q"})[0] for _ in range(abs(spec.qubits))]
    operands += [value[Type.I1]] * n_bits + [value[type] for type in spec.takes]
    operands += [value[Type.F64]] * computed
    attrs: dict[str, Attr] = {"angle": ANGLE} if spec.angle and not computed else {}
    if spec.attr:
        number = 0.1 if spec.attr == "real" else 1
        attrs[spec.attr] = WORDS.get(spec.attr, "é") if spec.attr_is_text else number
    targets = (Target(second),) * spec.targets
    first.append(spec.name, operands, attrs=attrs or None, targets=targets)
    for block in [second] if spec.ends_block else [first, second]:
        block.append("return")
    return Program([Function("main", [first, second])])


@each_row
def test_print_and_parse_in_a_program(spec: OpSpec):
    for computed in (False, True)[: 1 + spec.angle]:
        program = program_sample(spec, computed)
        verify(program)
        text = print_ir(program)
        assert f'"qw.{spec.name}"' in text
        again = parse_ir(text)
        assert print_ir(again) == text
        verify(again)


def test_the_page_is_current():
    assert PAGE.read_text() == ops_page(), "run python tests/ops_page.py --write"
