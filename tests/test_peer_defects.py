"""What other optimisers are known to get wrong, as tests of this one."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator
from test_optimise import optimised
from trajectories import assert_same

import qwasmc
from qwasmc.backends.qiskit import to_qiskit
from qwasmc.cost import rotation_count, t_count, two_qubit_count
from qwasmc.diagnostics import Diagnostic
from qwasmc.driver import compile_source
from qwasmc.ir.circuit import Circuit
from qwasmc.options import Options, Watch
from qwasmc.pipeline import LEVELS
from qwasmc.reading import Source

QFT_4 = Path(__file__).parents[2] / "shared" / "corpus" / "circuits" / "feynman" / "qft_4.qasm"
HEAD = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'


def circuit_of(text: str) -> Circuit:
    ir = qwasmc.parse(HEAD + text)
    kind = type(ir).__name__
    return qwasmc.run_passes(ir, ["promote", "specialise"]) if kind == "Program" else ir


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """In operator norm, up to phase."""
    phases = np.angle(np.linalg.eigvals(other.conj().T @ one))
    gaps = np.diff(np.sort(phases), append=np.sort(phases)[0] + 2 * math.pi)
    return 2 * math.sin((2 * math.pi - max(gaps)) / 4)


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
def test_exact_circuits_are_never_synthesised_anew(level: int):
    """A Clifford+T preset raises the T count of this one from 69 to 412."""
    if not QFT_4.exists():
        pytest.skip("the corpus is not here")
    assert t_count(qwasmc.compile(QFT_4, emit="circuit", level=level, time_budget=2.0).ir) <= 69


@pytest.mark.parametrize("eighths", range(-17, 18))
def test_multiples_of_an_eighth_turn_take_one_t_at_most(eighths: int):
    circuit = circuit_of(f"qreg q[1]; rz({eighths}*pi/4) q[0];")
    after = optimised(circuit, 2)
    assert rotation_count(after) == 0
    assert t_count(after) == eighths % 2


@pytest.mark.parametrize("angle", [0.3, -0.3, 2.0, -2.0, 5.5])
def test_rotations_have_the_right_sign_and_factor(angle: float):
    """A mapper's synthesis turns rz(t) into rz(-2 t)."""
    expected = Operator(QuantumCircuit.from_qasm_str(HEAD + f"qreg q[1]; rz({angle}) q[0];")).data
    found = Operator(to_qiskit(optimised(circuit_of(f"qreg q[1]; rz({angle}) q[0];"), 2)).circuit)
    assert distance(found.data, expected) <= 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_the_total_error_holds_for_any_gates_of_one_qubit(seed: int):
    """A synthesis of general gates misses the error that it is given."""
    rng = np.random.default_rng(seed)
    gates = [f"u3({a},{b},{c}) q[0];" for a, b, c in rng.uniform(-4, 4, size=(4, 3))]
    text = "qreg q[1]; " + " ".join(gates)
    expected = Operator(QuantumCircuit.from_qasm_str(HEAD + text)).data
    for error in (1e-2, 1e-4):
        options = Options(emit="circuit", synthesis_error=error)
        artifact = compile_source(Source("u3.qasm", (HEAD + text).encode()), options, Watch())
        found = Operator(to_qiskit(artifact.program).circuit).data
        assert distance(found, expected) <= error


@pytest.mark.slow
def test_a_search_cut_short_says_so():
    """A resynthesis returns its input after 100 seconds, and says nothing."""
    lines = ["qreg q[9];"]
    rng = np.random.default_rng(1)
    for _ in range(60):
        a, b, c = rng.permutation(9)[:3]
        lines.append(f"ccx q[{a}],q[{b}],q[{c}]; h q[{c}];")
    source = Source("many.qasm", (HEAD + "\n".join(lines)).encode())
    notes: list[Diagnostic] = []
    options = Options(emit="circuit", level=3, time_budget=0.01)
    cut = compile_source(source, options, Watch(warn=notes.append)).program
    assert any("cut short" in note.message for note in notes)
    assert t_count(cut) <= t_count(compile_source(source, Options(level=0), Watch()).program)


@pytest.mark.parametrize("level", LEVELS[1:])
def test_resets_and_conditions_are_no_obstacle(level: int):
    """A transformation to Pauli-based computation raises on both."""
    text = """
    qreg q[3]; creg m[1]; creg n[1];
    t q[0]; cx q[0],q[1]; measure q[1] -> m[0]; if (m==1) x q[0]; t q[0]; reset q[1];
    t q[1]; h q[2]; ccx q[0],q[2],q[1]; measure q[1] -> n[0]; if (n==1) z q[2]; tdg q[2];
    """
    circuit = circuit_of(text)
    assert_same(circuit, optimised(circuit, level), runs=10)


def test_unlike_signs_are_not_merged():
    """T on both sides of an X that depends on a result: S for one outcome, 1 for the other."""
    circuit = circuit_of(
        "qreg q[2]; creg m[1]; h q[1]; measure q[1] -> m[0]; t q[0]; if (m==1) x q[0]; t q[0];"
    )
    after = optimised(circuit, 2)
    assert t_count(after) == 2
    assert_same(circuit, after, runs=10)


@pytest.mark.parametrize("level", [1, 2])
def test_neither_count_rises(level: int):
    """The tools with the fewest T gates multiply those on two qubits, and the other way round."""
    text = "qreg q[4]; " + "ccx q[0],q[1],q[2]; cx q[2],q[3]; ccx q[1],q[3],q[0]; h q[1];" * 3
    circuit = circuit_of(text)
    before, after = optimised(circuit, 0), optimised(circuit, level)
    assert t_count(after) <= t_count(before)
    assert two_qubit_count(after) <= two_qubit_count(before)
