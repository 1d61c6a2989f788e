"""Qiskit circuits as programs, against exact interpreters, Qiskit's matrices and Aer."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Hashable

import numpy as np
import program_oracle
import pytest
import qiskit_oracle
from branches import same
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import (
    AnnotatedOperation,
    ClassicalRegister,
    Clbit,
    ControlModifier,
    Gate,
    InverseModifier,
    Parameter,
    PowerModifier,
    QuantumRegister,
    Qubit,
    library,
)
from qiskit.circuit.classical import expr, types
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.quantum_info import Clifford, Operator, Pauli, SparsePauliOp, random_unitary
from qiskit_aer import AerSimulator
from random_qiskit import random_circuit

from qwasmc.api import run_passes
from qwasmc.diagnostics import CompileError, Kind
from qwasmc.grammar.from_qiskit import MAX_BITS, MAX_OPERATIONS, read
from qwasmc.ir.program import Program
from qwasmc.ops import OPS
from qwasmc.verify import verify

U8 = types.Uint(8)
NOT_UNITARY = ("measure", "reset", "delay")
STANDARD = {
    name: gate
    for name, gate in get_standard_gate_name_mapping().items()
    if name not in NOT_UNITARY and gate.num_qubits
}


def results(circuit: QuantumCircuit, least: float = 1e-6) -> dict[Hashable, float]:
    """The distribution of the results of a circuit's program, without their names."""
    found = program_oracle.distribution(read(circuit), least)
    return {tuple(value for _, value in key): chance for key, chance in found.items()}


def expected(circuit: QuantumCircuit, least: float = 1e-6) -> dict[Hashable, float]:
    return qiskit_oracle.distribution(circuit, least)


def names(program: Program) -> list[str]:
    ops = [op for block in program.main.blocks for op in block.ops]
    return [str(op.attrs["name"]) for op in ops if op.name == "result"]


def rows(program: Program) -> Counter[str]:
    return Counter(op.name for block in program.main.blocks for op in block.ops)


def unitary_agrees(circuit: QuantumCircuit) -> bool:
    mine = program_oracle.unitary(read(circuit))
    theirs = Operator(circuit.reverse_bits()).data
    return bool(abs(abs(np.vdot(mine, theirs)) - len(theirs)) < 1e-7 * len(theirs))


# -- gates


@pytest.mark.parametrize("name", STANDARD)
def test_every_standard_gate(name: str):
    gate = STANDARD[name]
    angles = [0.7, -1.3, 2.1, 0.4][: len(gate.params)]
    circuit = QuantumCircuit(gate.num_qubits)
    circuit.append(gate.base_class(*angles) if angles else gate, circuit.qubits)
    assert unitary_agrees(circuit)
    assert len(read(circuit).main.blocks) == 1


@pytest.mark.parametrize("name", ["u", "u2", "u3", "u1", "rx", "rzz", "cu3", "cp"])
def test_gates_at_special_angles(name: str):
    gate = STANDARD[name]
    for angle in (0.0, math.pi / 2, math.pi, -math.pi / 4, 4 * math.pi):
        circuit = QuantumCircuit(gate.num_qubits)
        circuit.append(gate.base_class(*[angle] * len(gate.params)), circuit.qubits)
        assert unitary_agrees(circuit)


def special_gates() -> dict[str, Gate]:
    inner = QuantumCircuit(2, name="inner", global_phase=0.3)
    inner.h(0)
    inner.cp(0.3, 0, 1)
    outer = QuantumCircuit(3, name="outer")
    outer.append(inner.to_gate().control(1), [2, 0, 1])
    outer.append(inner.to_gate().inverse(), [1, 2])
    clifford = QuantumCircuit(2)
    clifford.h(0)
    clifford.cx(0, 1)
    clifford.sdg(1)
    commuting = SparsePauliOp(["XYZ", "XYI", "ZZI"], [0.3, 0.5, -0.2])
    return {
        "unitary": library.UnitaryGate(random_unitary(8, seed=1)),
        "evolution": library.PauliEvolutionGate(commuting, 0.7),
        "mcx": library.MCXGate(4),
        "mcx, open": library.MCXGate(4, ctrl_state=5),
        "mcx with a dirty qubit": library.MCXRecursive(5),
        "mcx with clean qubits": library.MCXVChain(3),
        "mcx, as it was": library.MCXGrayCode(4),
        "mcphase": library.MCPhaseGate(0.3, 3),
        "mcu1": library.MCU1Gate(0.3, 2),
        "h under two": library.HGate().control(2, annotated=False),
        "swap under two": library.SwapGate().control(2, ctrl_state=2, annotated=False),
        "y under three": library.YGate().control(3, annotated=False),
        "u under two": library.UGate(0.1, 0.2, 0.3).control(2, annotated=False),
        "annotated t": library.TGate().control(2, ctrl_state=1, annotated=True),
        "open control": library.CXGate(ctrl_state=0),
        "half open": library.CCXGate(ctrl_state=1),
        "open rz": library.CRZGate(0.3, ctrl_state=0),
        "composite": outer.to_gate(),
        "controlled unitary": library.UnitaryGate(random_unitary(2, seed=2)).control(2),
        "pauli": library.PauliGate("XIYZ"),
        "diagonal": library.DiagonalGate([1, -1, 1j, 1]),
        "permutation": library.PermutationGate([2, 0, 1]),
        "qft": library.QFTGate(3),
        "isometry": library.Isometry(random_unitary(4, seed=3).data, 0, 0),
        "linear": library.LinearFunction([[1, 1], [0, 1]]),
        "clifford": Clifford(clifford),
        "annotated": AnnotatedOperation(
            library.SGate(), [InverseModifier(), ControlModifier(2, 1), PowerModifier(3)]
        ),
        "preparation": library.StatePreparation([0.6, 0, 0, 0.8j]),
        "rotation": library.PauliProductRotationGate(Pauli("-XIYZ"), 0.3),
        "named like a row": Gate("h", 1, []),
    }


@pytest.mark.parametrize("name", [name for name in special_gates() if name[:5] != "named"])
def test_synthesised_gates(name: str):
    gate = special_gates()[name]
    circuit = QuantumCircuit(gate.num_qubits)
    circuit.append(gate, circuit.qubits)
    if name == "preparation":
        mine = program_oracle.unitary(read(circuit))[:, 0]
        theirs = Operator(circuit.reverse_bits()).data[:, 0]
        assert abs(np.vdot(mine, theirs)) == pytest.approx(1)
    else:
        assert unitary_agrees(circuit)


@pytest.mark.parametrize("controls", [3, 4, 6])
def test_toffolis_with_many_controls_are_exact(controls: int):
    """With 8 T for each control that is collected, and 7 for the last two."""
    circuit = QuantumCircuit(controls + 1)
    circuit.mcx(list(range(controls)), controls)
    lowered = run_passes(read(circuit), ["promote", "specialise", "lower-gates"])
    gates = Counter(OPS[code].name for code in lowered.op)
    assert gates["t"] + gates["tdg"] == 8 * (controls - 2) + 7
    assert not gates["rz"]


def test_gates_of_a_loop_under_many_controls():
    circuit = QuantumCircuit(3, 3)
    circuit.h([0, 1])
    with circuit.for_loop(range(4)) as index:
        circuit.append(library.RXGate(index * 0.3).control(2, annotated=False), [0, 1, 2])
        circuit.append(library.MCXGate(2), [0, 1, 2])
        circuit.h(0)
    circuit.measure(range(3), range(3))
    assert results(circuit) == pytest.approx(expected(circuit))


def test_a_gate_is_not_known_by_its_name():
    circuit = QuantumCircuit(1)
    body = QuantumCircuit(1, name="h")
    body.t(0)
    circuit.append(body.to_gate(), [0])
    assert unitary_agrees(circuit)
    circuit.append(special_gates()["named like a row"], [0])
    with pytest.raises(CompileError, match="'h' has no definition"):
        read(circuit)


def test_rotations_about_products_stay_rotations():
    circuit = QuantumCircuit(4)
    circuit.rzz(0.1, 0, 1)
    circuit.rxx(0.1, 0, 1)
    circuit.ryy(0.1, 0, 1)
    circuit.rzx(0.1, 0, 1)
    circuit.append(library.PauliProductRotationGate(Pauli("XIYZ"), 0.3), range(4))
    ops = read(circuit).main.blocks[0].ops
    letters = [op.attrs["paulis"] for op in ops if op.name == "ppr"]
    assert letters == ["ZZ", "XX", "YY", "ZX", "ZYX"]


def test_deep_definitions_are_measured_before_they_are_written():
    gate = Gate("g", 1, [])
    gate.definition = QuantumCircuit(1)
    for _ in range(40):
        body = QuantumCircuit(1)
        body.append(gate, [0], copy=False)
        body.append(gate, [0], copy=False)
        gate = Gate("g", 1, [])
        gate.definition = body
    circuit = QuantumCircuit(1)
    circuit.append(gate, [0], copy=False)
    with pytest.raises(CompileError) as caught:
        read(circuit)
    assert caught.value.exit_code == Kind.LIMIT


# -- straight lines


def test_a_straight_line_has_no_slots_and_no_memory():
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)):
        circuit.x(1)
    circuit.measure(1, 1)
    program = read(circuit)
    assert set(rows(program)) == {"alloc", "h", "x", "measure_z", "result", "return"}
    assert names(program) == ["c[0]", "c[1]"]
    assert results(circuit) == pytest.approx({(0, 0): 0.5, (1, 1): 0.5})


def test_only_written_clbits_are_results():
    circuit = QuantumCircuit(
        QuantumRegister(1, "a"), ClassicalRegister(2, "m"), [Clbit(), Clbit()], [Qubit()]
    )
    circuit.measure(0, 1)
    circuit.measure(1, 3)
    program = read(circuit)
    assert names(program) == ["m[1]", "clbit[1]"]
    allocated = [op.attrs["name"] for op in program.main.blocks[0].ops if op.name == "alloc"]
    assert allocated == ["a[0]", "qubit[0]"]


def test_a_clbit_keeps_its_value_where_a_measurement_does_not_run():
    circuit = QuantumCircuit(3, 3)
    circuit.x(1)
    circuit.measure(1, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)):
        circuit.measure(2, 1)
        circuit.measure(2, 2)
    assert results(circuit) == pytest.approx({(0, 1, 0): 0.5, (1, 0, 0): 0.5})
    assert len(read(circuit).main.blocks) == 1


def test_a_condition_is_what_it_was_when_it_was_asked():
    circuit = QuantumCircuit(2, 1)
    circuit.x(0)
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)) as otherwise:
        circuit.measure(1, 0)
        circuit.x(1)
    with otherwise:
        circuit.x(0)
    circuit.measure(1, 0)
    assert results(circuit) == pytest.approx({(1,): 1.0})


def test_pauli_product_measurements():
    for label in ("ZIZ", "-ZIZ", "XX", "-Y"):
        measured = library.PauliProductMeasurement(Pauli(label))
        circuit = QuantumCircuit(3, 2)
        circuit.x(0)
        circuit.h(2)
        circuit.measure(2, 1)
        with circuit.if_test((1, 1)):
            circuit.append(measured, range(measured.num_qubits), [0])
        circuit.append(measured, range(measured.num_qubits), [0])
        assert same(results(circuit), expected(circuit))
        assert rows(read(circuit))["ppm"] == 2


def test_composites_with_measurements():
    inner = QuantumCircuit(2, 2, name="inner")
    inner.initialize([0.6, 0.8], 1)
    inner.measure([0, 1], [1, 0])
    circuit = QuantumCircuit(3, 3)
    circuit.x(2)
    circuit.append(inner.to_instruction(), [2, 0], [2, 1])
    assert same(results(circuit), {(1, 0): 0.36, (1, 1): 0.64})
    assert names(read(circuit)) == ["c[1]", "c[2]"]


def test_wide_registers_are_compared():
    circuit = QuantumCircuit(1, 100)
    circuit.x(0)
    circuit.measure(0, 90)
    with circuit.if_test((circuit.cregs[0], 1 << 90)):
        circuit.measure(0, 0)
    with circuit.if_test(expr.equal(circuit.cregs[0], (1 << 90) + 1)):
        circuit.measure(0, 1)
    assert results(circuit) == pytest.approx({(1, 1, 1): 1.0})
    with circuit.if_test(expr.less(circuit.cregs[0], 5)):
        circuit.measure(0, 2)
    with pytest.raises(CompileError) as caught:
        read(circuit)
    assert caught.value.exit_code == Kind.LIMIT


# -- control flow


def written_order(circuit: QuantumCircuit) -> list[int]:
    """The clbits of a random circuit's results, in order."""
    at = {
        f"{reg.name}[{i}]": circuit.find_bit(bit).index
        for reg in circuit.cregs
        for i, bit in enumerate(reg)
    }
    return [at[name] for name in names(read(circuit))]


def agrees(circuit: QuantumCircuit) -> bool:
    """Whether the program does what the circuit does; clbits that are no results stay 0."""
    order = written_order(circuit)
    found: dict[Hashable, float] = {}
    for key, chance in results(circuit, 1e-4).items():
        clbits = [0] * circuit.num_clbits
        for number, value in zip(order, key, strict=True):
            clbits[number] = value
        found[tuple(clbits)] = found.get(tuple(clbits), 0) + chance
    return same(found, expected(circuit, 1e-4), 1e-3)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32))
def test_random_structured_circuits(seed: int):
    assert agrees(random_circuit(random.Random(seed)))


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32))
def test_more_random_structured_circuits(seed: int):
    assert agrees(random_circuit(random.Random(seed)))


SHOTS = 2000


def aer_counts(circuit: QuantumCircuit, seed: int) -> Counter[str]:
    simulator = AerSimulator(seed_simulator=seed)
    run = simulator.run(transpile(circuit, simulator, optimization_level=0), shots=SHOTS)
    counts = run.result().get_counts()
    return Counter({key.replace(" ", ""): count for key, count in counts.items()})


@pytest.mark.parametrize(
    "seed", [*range(10), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(10, 60))]
)
def test_random_structured_circuits_against_aer(seed: int):
    """Chi-squared, with the outcomes that are expected less than five times in one bin."""
    circuit = random_circuit(random.Random(seed), aer=True)
    order = written_order(circuit)
    chances: dict[str, float] = {}
    for key, chance in results(circuit, 1e-6).items():
        bits = ["0"] * circuit.num_clbits
        for number, value in zip(order, key, strict=True):
            bits[-1 - number] = str(value)
        chances["".join(bits)] = chances.get("".join(bits), 0) + chance
    counts = aer_counts(circuit, seed)
    common = [key for key, chance in chances.items() if chance * SHOTS >= 5]
    rare = 1 - sum(chances[key] for key in common)
    bins = [(counts[key], chances[key] * SHOTS) for key in common]
    bins.append((SHOTS - sum(counts[key] for key in common), max(rare * SHOTS, 5)))
    statistic = sum((seen - wanted) ** 2 / wanted for seen, wanted in bins)
    degrees = len(bins)
    assert statistic < degrees + 5 * math.sqrt(2 * degrees) + 10


def test_loops_stay_loops_with_computed_angles():
    circuit = QuantumCircuit(1)
    outer, inner = Parameter("a"), Parameter("b")
    nested = QuantumCircuit(1)
    nested.rx(outer * 0.25 - inner / 3 + 0.5, 0)
    nested.append(library.RXGate(outer + 0.0), [0])
    body = QuantumCircuit(1)
    body.for_loop(range(3, 0, -1), inner, nested, [0], [])
    circuit.for_loop(range(1000), outer, body, [0], [])
    program = read(circuit)
    assert len(program.main.blocks) == 7
    assert rows(program)["rx"] == 2
    short = QuantumCircuit(1, 1)
    short.for_loop((0, 7, 2), outer, body, [0], [])
    short.measure(0, 0)
    assert same(results(short), expected(short))


def test_a_composite_gate_in_a_loop_has_the_loops_angle():
    angle = Parameter("angle")
    inner = QuantumCircuit(2, name="inner")
    inner.cu(angle, 0.1, angle / 2, 0.2, 0, 1)
    inner.rzz(angle, 0, 1)
    circuit = QuantumCircuit(2, 2)
    circuit.h([0, 1])
    with circuit.for_loop(range(3)) as index:
        circuit.append(inner.to_gate({angle: index}), [1, 0])
        circuit.append(inner.to_gate({angle: index * 0.5}), [0, 1])
    circuit.h([0, 1])
    circuit.measure([0, 1], [0, 1])
    assert rows(read(circuit))["ppr"] == 2
    assert same(results(circuit), expected(circuit))


def test_what_is_not_linear_is_unrolled():
    circuit = QuantumCircuit(2, 2)
    with circuit.for_loop(range(3)) as i:
        with circuit.for_loop(range(2)) as j:
            circuit.rx(i * j + 0.1, 0)
            with circuit.if_test((0, 1)):
                circuit.break_loop()
            circuit.ry((i**2).sin() + j, 0)
        circuit.measure(0, 0)
    circuit.measure(0, 1)
    assert rows(read(circuit))["rx"] == 3
    assert same(results(circuit), expected(circuit))


def test_an_integer_variable_of_a_loop():
    body = QuantumCircuit(1, 2)
    index = expr.Var.new("i", types.Uint(3))
    body.add_input(index)
    with body.if_test(expr.equal(index, 1)):
        body.x(0)
    circuit = QuantumCircuit(1, 2)
    circuit.for_loop((0, 9, 5), index, body, [0], [0, 1])
    circuit.measure(0, 0)
    assert results(circuit) == pytest.approx({(1,): 1.0})  # 9 is 1 in three bits


def test_a_long_body_is_a_block_and_a_short_one_is_predicated():
    for count, blocks in ((3, 1), (300, 4)):
        circuit = QuantumCircuit(1, 2)
        circuit.h(0)
        circuit.measure(0, 0)
        with circuit.if_test((0, 1)) as otherwise:
            for _ in range(count + count % 2):
                circuit.x(0)
        with otherwise:
            circuit.x(0)
        circuit.measure(0, 1)
        assert len(read(circuit).main.blocks) == blocks
        assert same(results(circuit), {(0, 1): 0.5, (1, 1): 0.5})


def test_nothing_divides_by_zero_unasked():
    circuit = QuantumCircuit(1, 2)
    zero = circuit.add_var("zero", expr.lift(0, U8))
    circuit.x(0)
    quotient = expr.greater(expr.div(expr.lift(9, U8), zero), 2)
    with circuit.if_test(expr.logic_and(expr.not_equal(zero, 0), quotient)):
        circuit.x(0)
    with circuit.if_test(expr.logic_or(expr.equal(zero, 0), quotient)):
        circuit.measure(0, 0)
    with circuit.if_test(expr.not_equal(zero, 0)), circuit.if_test(quotient):
        circuit.x(0)
    circuit.measure(0, 1)
    assert results(circuit) == pytest.approx({(1, 1): 1.0})


BINARY = (expr.add, expr.sub, expr.mul, expr.bit_and, expr.bit_or, expr.bit_xor, expr.div)
SHIFTS = (expr.shift_left, expr.shift_right)
RELATIONS = (expr.less, expr.less_equal, expr.greater, expr.greater_equal, expr.equal)


@pytest.mark.parametrize("width", [1, 3, 4, 63, 64])
def test_arithmetic_wraps(width: int):
    pick, kind = random.Random(width), types.Uint(width)
    for _ in range(6):
        circuit = QuantumCircuit(1, 5)
        numbers = [pick.randrange(1 << width), pick.randrange(1, 1 << width)]
        a, b = (circuit.add_var(n, expr.lift(v, kind)) for n, v in zip("ab", numbers, strict=True))
        for at in range(5):
            left = expr.bit_not(a) if at % 2 else a
            value = pick.choice(BINARY)(left, b) if at < 3 else pick.choice(SHIFTS)(left, at)
            wider = expr.cast(value, types.Uint(64))
            bound = expr.lift(pick.randrange(1 << width), types.Uint(64))
            circuit.store(circuit.clbits[at], pick.choice(RELATIONS)(wider, bound))
        assert results(circuit) == expected(circuit)


def test_boxes_delays_and_barriers():
    circuit = QuantumCircuit(2, 1)
    with circuit.box(duration=100):
        circuit.x(0)
        circuit.delay(100, 0)
        with circuit.box():
            circuit.barrier()
            circuit.cx(0, 1)
    circuit.measure(1, 0)
    assert results(circuit) == pytest.approx({(1,): 1.0})
    assert rows(read(circuit))["barrier"] == 1


def test_loops_that_always_end_leave_no_dead_code():
    circuit = QuantumCircuit(1, 1)
    with circuit.while_loop((0, 0)):
        circuit.h(0)
        circuit.measure(0, 0)
        with circuit.if_test((0, 1)) as otherwise:
            circuit.break_loop()
        with otherwise:
            circuit.continue_loop()
        circuit.x(0)
    circuit.measure(0, 0)
    program = read(circuit)
    assert rows(program)["x"] == 0
    targets = {id(t.block) for block in program.main.blocks for t in block.ops[-1].targets}
    assert targets == {id(block) for block in program.main.blocks[1:]}
    assert same(results(circuit), {(1,): 1.0})


# -- positions and refusals


def test_positions_refer_to_a_listing():
    circuit = QuantumCircuit(2, 1)
    circuit.rx(0.5, 1)
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)):
        circuit.x(1)
    program = read(circuit, "mine")
    places = {op.name: program.locations.place(op.loc) for op in program.main.blocks[0].ops}
    assert {name: place.text.strip() for name, place in places.items() if place} == {
        "alloc": "qubit q[1]",
        "rx": "rx(0.5) q[1]",
        "measure_z": "measure q[0], c[0]",
        "x": "x q[1]",
        "result": "measure q[0], c[0]",
        "return": "measure q[0], c[0]",
    }
    assert str(places["x"]) == "mine:6:3"


def refusal(circuit: QuantumCircuit) -> CompileError:
    with pytest.raises(CompileError) as caught:
        read(circuit)
    return caught.value


def test_unbound_parameters_and_inputs_are_refused():
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("alpha") + Parameter("beta"), 0)
    assert "'alpha', 'beta'" in str(refusal(circuit))
    circuit = QuantumCircuit(1, inputs=[expr.Var.new("n", U8)])
    assert "'n' has no value" in str(refusal(circuit))


def test_what_has_no_meaning_is_refused_where_it_stands():
    circuit = QuantumCircuit(1, 1)
    circuit.h(0)
    circuit.append(Gate("mystery", 1, [0.5]), [0])
    (found,) = refusal(circuit).diagnostics
    assert "'mystery' has no definition" in found.message
    assert found.place is not None
    assert found.place.text == "mystery(0.5) q[0]"
    circuit = QuantumCircuit(1)
    circuit.rx(math.inf, 0)
    assert "not a finite number" in str(refusal(circuit))
    circuit = QuantumCircuit(1)
    circuit.add_var("wide", expr.lift(1, types.Uint(65)))
    assert refusal(circuit).exit_code == Kind.LIMIT


def test_limits():
    assert refusal(QuantumCircuit(MAX_BITS + 1)).exit_code == Kind.LIMIT
    assert refusal(QuantumCircuit(0, MAX_BITS + 1)).exit_code == Kind.LIMIT
    circuit = QuantumCircuit(1)
    with circuit.for_loop(range(MAX_OPERATIONS)) as index:
        circuit.rx(index**2, 0)
    assert refusal(circuit).exit_code == Kind.LIMIT
    circuit = QuantumCircuit(1, 1)
    with circuit.for_loop((0, (1 << 63) - 1)):
        circuit.x(0)
    assert refusal(circuit).exit_code == Kind.LIMIT
    body = QuantumCircuit(1, 1)
    body.x(0)
    for _ in range(200):
        outer = QuantumCircuit(1, 1)
        outer.for_loop(range(2), None, body, [0], [0])
        body = outer
    assert refusal(body).exit_code == Kind.LIMIT


def test_programs_verify():
    """The verifier accepts what the reader makes of random circuits."""
    for seed in range(20):
        verify(read(random_circuit(random.Random(seed))))
