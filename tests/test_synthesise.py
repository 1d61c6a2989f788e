"""synthesise against Qiskit's matrices, with a predicate both true and false."""

from __future__ import annotations

import math
import subprocess
import sys
from decimal import Decimal, getcontext
from pathlib import Path

import numpy as np
import pytest
import stim
from hypothesis import given, settings
from hypothesis import strategies as st
from lowering import (
    EIGHTH,
    LIBRARY,
    Build,
    distance,
    names,
    one,
    predicated_names,
    programs,
    t_count,
    unitary,
)
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator
from statevector import MATRIX, Branch, step

import qwasmc
from qwasmc import cost
from qwasmc.backends.equivalence.words import check_synthesis
from qwasmc.diagnostics import CompileError, Kind
from qwasmc.ir.circuit import Circuit
from qwasmc.ops import BY_NAME, CODE, OPS, Cost
from qwasmc.passes.lower_gates import lower_gates
from qwasmc.passes.rotations import synthesis
from qwasmc.passes.synthesise import DEFAULT_ERROR, synthesise
from qwasmc.pipeline import PASSES, SYNTHESISE, load
from qwasmc.text import print_ir
from qwasmc.verify import verify

ANGLES = (0.7, -2.9, 1e9 + 0.1, 1e-6, -0.02, 1e22)


def lowered(circuit: Circuit, error: float = DEFAULT_ERROR) -> Circuit:
    """The circuit after both passes, with the laws that hold for all."""
    after = synthesise(lower_gates(circuit), error)
    verify(after)
    assert all(OPS[code].cost is not Cost.SYNTHESIS for code in after.op)
    return after


# -- words


def rotations(predicated: bool, angles: tuple[float, ...] = ANGLES) -> Circuit:
    build = Build(2)
    for number, angle in enumerate(angles):
        build.gate("rz", [number % 2], angle=angle, predicated=predicated)
        build.gate("h", [number % 2])
        build.gate("cx", [1, 0])
    return build.freeze()


def test_rotations_share_the_error():
    circuit = rotations(predicated=False)
    found = distance(unitary(circuit), unitary(lowered(circuit)))
    assert 0 < found <= DEFAULT_ERROR


def test_predicated_rotations_are_exactly_nothing_or_share_the_error():
    circuit = rotations(predicated=True)
    after = lowered(circuit)
    assert set(predicated_names(after)) == {"x"}
    assert distance(unitary(circuit, 0), unitary(after, 0)) < 1e-7
    assert 0 < distance(unitary(circuit, 1), unitary(after, 1)) <= DEFAULT_ERROR


@pytest.mark.parametrize("predicated", [False, True])
def test_the_sign_and_the_size_of_an_angle(predicated):
    """Not its negative, its half nor its double, which are far from it at these angles."""
    angles = [0.9, -1.9, -8.1]

    def each(angles: list[float]) -> Circuit:
        build = Build()
        for wire, angle in enumerate(angles):
            build.gate("rz", [wire], angle=angle, predicated=predicated)
        return build.freeze()

    after = unitary(lowered(each(angles)))
    assert distance(unitary(each(angles)), after) <= DEFAULT_ERROR
    for wire, angle in enumerate(angles):
        for other in (-angle, angle / 2, 2 * angle):
            wrong = [*angles[:wire], other, *angles[wire + 1 :]]
            assert distance(unitary(each(wrong)), after) > 0.1


@pytest.mark.parametrize("predicated", [False, True])
@pytest.mark.parametrize("k", range(-9, 10))
def test_multiples_of_an_eighth_turn_are_exact(k, predicated):
    circuit = one("rz", k * EIGHTH, predicated=predicated)
    after = synthesise(circuit, 1e-30)
    for bit in (0, 1):
        assert distance(unitary(circuit, bit), unitary(after, bit)) < 1e-7
    assert t_count(after) == k % 2


def test_angles_near_multiples_are_taken_for_them():
    for sign in (1, -1):
        assert names(synthesise(one("rz", EIGHTH + 0.9e-12 * sign), 1e-30)) == ["t"]
    with pytest.raises(CompileError):
        synthesise(one("rz", EIGHTH + 1.1e-12), 1e-30)


@pytest.mark.parametrize("error", [100.0, 1e-1, 1e-2, 1e-4, 1e-6])
def test_errors_are_near_what_is_allowed_and_take_few_t(error):
    """A word takes about 3 log2(1 / error) T (Ross and Selinger, section 9)."""
    build = Build(1)
    angles = np.random.default_rng(3).uniform(-math.pi, math.pi, 20)
    for angle in angles:
        build.gate("rz", angle=angle)
        build.gate("h")
    after = lowered(build.freeze(), error)
    share = min(error / len(angles), synthesis.COARSEST)
    assert distance(unitary(build.freeze()), unitary(after)) <= share * len(angles)
    assert t_count(after) / len(angles) < 3 * math.log2(1 / share) + 4


@settings(max_examples=8, deadline=None)
@given(
    programs(st.one_of(st.floats(-20, 20), st.integers(-8, 8).map(lambda k: k * EIGHTH))),
    st.sampled_from([0.5, 1e-2, 1e-3, 1e-5]),
)
def test_programs_stay_within_the_error(circuit, error):
    after = lowered(circuit, error)
    for bit in (0, 1):
        assert distance(unitary(circuit, bit), unitary(after, bit)) <= error + 1e-7


# -- the arithmetic of words

WORDS = st.text("hx1234567", max_size=30)


@given(WORDS, st.floats(-10, 10))
def test_the_distance_of_a_word(word, angle):
    program = QuantumCircuit(1)
    for letter in word:
        if letter in "hx":
            program.append(LIBRARY[letter], [0])
        else:
            program.p(int(letter) * EIGHTH, 0)
    expected = distance(Operator(LIBRARY["rz"].base_class(angle)).data, Operator(program).data)
    assert synthesis.deviation(word, angle) == pytest.approx(expected, abs=1e-7)


@given(WORDS)
def test_a_word_and_its_inverse(word):
    word = synthesis.joined(word)
    assert synthesis.deviation(word + synthesis.inverse(word), 0) < 1e-7
    assert synthesis.inverse(synthesis.inverse(word)) == word


@given(WORDS)
def test_joining_keeps_what_a_word_does(word):
    assert synthesis.deviation(synthesis.joined(word) + synthesis.inverse(word), 0) < 1e-7


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_folding_keeps_an_angle_modulo_full_turns(angle):
    turns, rest = synthesis.folded(angle)
    assert turns in (0, 2, 4, 6)
    assert abs(rest) <= EIGHTH + 1e-15
    assert np.exp(1j * (turns * EIGHTH + rest)) == pytest.approx(np.exp(1j * angle), abs=1e-15)


def precise_distance(word: str, angle: float) -> Decimal:
    """The distance of a word from a rotation, with 60 digits."""
    half = Decimal(2).sqrt() / 2
    matrix = [[(Decimal(1), Decimal(0)), (Decimal(0), Decimal(0))] for _ in range(2)]
    matrix[1].reverse()
    for letter in word:
        top, bottom = matrix
        if letter == "x":
            matrix = [bottom, top]
        elif letter == "h":
            pairs = list(zip(top, bottom, strict=True))
            matrix = [
                [((a + c) * half, (b + d) * half) for (a, b), (c, d) in pairs],
                [((a - c) * half, (b - d) * half) for (a, b), (c, d) in pairs],
            ]
        else:
            for _ in range(int(letter)):
                bottom = [((re - im) * half, (re + im) * half) for re, im in bottom]
            matrix = [top, bottom]
    (a, b), (c, d) = matrix[0][0], matrix[1][1]  # u = a + i b, v = c + i d
    cos, sin, term, power = Decimal(0), Decimal(0), Decimal(1), 0
    while abs(term) > Decimal(10) ** -60:
        cos, sin = (cos, sin + term) if power % 2 else (cos + term, sin)
        power += 1
        term *= Decimal(angle) / power * (1 if power % 2 else -1)
    # for the diagonal u, v: |u + exp(-i angle) v| = 2 cos x, and the distance is 2 sin(x / 2)
    re, im = a + cos * c + sin * d, b + cos * d - sin * c
    cosine = (re * re + im * im).sqrt() / 2
    return (2 - 2 * cosine).sqrt()


def test_the_finest_words_are_that_near():
    getcontext().prec = 70
    angles = [1e-9, 0.1, 0.3, 0.7, math.pi / 16, math.pi / 1024]
    words = synthesis.find_words(angles, synthesis.FINEST)
    assert list(words) == sorted(angles)
    for angle, word in words.items():
        assert precise_distance(word, angle) <= Decimal(synthesis.FINEST)


# -- rows around the gates


def test_other_circuits_are_returned_as_they_are():
    circuit = one("cx")
    assert synthesise(circuit) is circuit


def test_places_are_kept():
    build = Build()
    build.gate("h")
    build.gate("rz", angle=0.3)
    build.gate("rz", angle=EIGHTH)
    after = lowered(build.freeze())
    lines = [after.locations.line[loc] for loc in after.loc if loc >= 0]
    assert lines == sorted(lines)
    assert lines.count(1) == lines.count(3) == 1


def test_equal_programs_give_equal_rows_whatever_was_lowered_before():
    circuit = rotations(predicated=False)
    before = print_ir(synthesise(circuit))
    synthesise(rotations(predicated=False, angles=(0.31, 0.32)))
    assert print_ir(synthesise(circuit)) == before


def test_qiskit_is_not_imported_here():
    code = (
        "import sys; from qwasmc.passes.synthesise import synthesise;"
        "assert not {'qiskit', 'stim'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# -- refusals


def test_an_error_too_small_to_share_is_refused():
    build = Build()
    for _ in range(11):
        build.gate("h")
        build.gate("rz", angle=0.3)
    with pytest.raises(CompileError) as caught:
        synthesise(build.freeze(), 1e-9)
    (diagnostic,) = caught.value.diagnostics
    assert caught.value.exit_code == Kind.LIMIT
    assert diagnostic.message == "11 rotations cannot share a synthesis error of 1e-09"
    assert diagnostic.place is not None
    assert diagnostic.place.line == 2


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("", "not as near"),
        ("if line[:3] == '0.3':\n  raise SystemExit('no')", "ended with code 1: no"),
        ("if line[:3] == '0.3':\n  os.abort()", "ended with code -6"),
    ],
)
def test_a_synthesis_that_fails_is_refused(program, reason, tmp_path: Path, monkeypatch):
    path = tmp_path / "broken.py"
    indented = program.replace("\n", "\n  ")
    path.write_text(
        f"import os, sys\nfor line in sys.stdin:\n  {indented}\n  print('h', flush=True)"
    )
    monkeypatch.setattr(synthesis, "PROGRAM", path)
    monkeypatch.setattr(synthesis, "deviation", lambda word, angle: angle - 0.2)
    build = Build()
    build.gate("rz", angle=0.3)
    build.gate("rz", angle=math.pi / 2 - 0.1)
    with pytest.raises(CompileError) as caught:
        synthesise(build.freeze())
    (diagnostic,) = caught.value.diagnostics
    assert caught.value.exit_code == Kind.LIMIT
    assert reason in diagnostic.notes[0]
    assert diagnostic.place is not None
    assert diagnostic.place.line == 1


# -- whole compilations


def test_the_pass_is_run():
    assert load(SYNTHESISE.function) is synthesise
    assert SYNTHESISE in PASSES


def measured(name: str, *, predicated: bool = False) -> Circuit:
    """A gate whose predicate, if it has one, is an outcome."""
    build = Build()
    build.wires[2] = build.builder.add("measure_x", [build.wires[2]])
    build.bit = build.wires[2] + 1
    letters = "XYZ" if name == "ppr" else ""
    angle = 0.3 if BY_NAME[name].angle else 0.0
    build.gate(name, angle=angle, letters=letters, predicated=predicated)
    for number, wire in enumerate(build.wires):
        bit = build.builder.add("measure_z", [wire]) + 1
        build.builder.add("result", [bit], attr=f"m{number}")
    return build.freeze()


@pytest.mark.slow
@pytest.mark.parametrize("predicated", [False, True])
@pytest.mark.parametrize("name", ["ccx", "rz", "ppr"])
def test_programs_reach_stim_unless_toffolis_are_predicated(name, predicated):
    circuit = measured(name, predicated=predicated)
    if predicated and name == "ccx":
        with pytest.raises(CompileError, match="'tdg' depends on a measurement result") as caught:
            qwasmc.compile(print_ir(circuit), distance=3, level=0)
        assert caught.value.exit_code == Kind.LIMIT
        return
    artifact = qwasmc.compile(print_ir(circuit), distance=3, level=0)
    assert isinstance(artifact.circuit, stim.Circuit)
    assert artifact.report["t_states"] == t_count(lowered(circuit)) > 0


# -- rotations by measurement


def mixed(seed: int) -> Circuit:
    """Rotations by random angles, some predicated, between gates that do not commute with them."""
    rng = np.random.default_rng(seed)
    build = Build(3)
    for at in range(20):
        build.gate("rz", [at % 3], angle=float(rng.normal()), predicated=at % 7 == 3)
        build.gate("h", [at % 3])
        if at % 4 == 0:
            build.gate("cx", [at % 3, (at + 1) % 3])
    return build.freeze()


@pytest.mark.parametrize("error", [1e-2, 1e-6])
@pytest.mark.parametrize("feed_forward", [False, True])
def test_words_are_found_near_by_the_independent_check(feed_forward: bool, error: float):
    before = mixed(1)
    after = synthesise(before, error, feed_forward)
    verify(after)
    assert check_synthesis(before, after, error).result == "proved"
    assert check_synthesis(before, after, error / 5).result == "failed"


@pytest.mark.parametrize("seed", range(5))
def test_a_wrong_word_is_found(seed: int):
    before = mixed(seed)
    after = synthesise(before, 1e-3, True)
    rng = np.random.default_rng(seed)
    row = int(rng.choice(np.flatnonzero(after.op == CODE["t"])))
    after.op[row] = CODE["tdg"]
    assert check_synthesis(before, after, 1e-3).result != "proved"


@pytest.mark.parametrize("angle", ANGLES)
def test_measured_rotations_are_near_for_both_outcomes(angle: float):
    build = Build(1)
    build.gate("rz", [0], angle=angle)
    after = synthesise(build.freeze(), 1e-4, True)
    state = np.array([0.6, 0.8j])
    expected = np.exp([-0.5j * angle, 0.5j * angle]) * state
    for branch in ends(after, state):
        assert abs(np.vdot(branch, expected)) > 1 - 1e-8


def ends(circuit: Circuit, state: np.ndarray) -> list[np.ndarray]:
    """The states of the first wire after all outcomes, for one to start from."""
    wire = circuit.wires()
    start = np.zeros((2,) * int(wire.max() + 1), dtype=complex)
    start[(slice(None), *(0,) * (start.ndim - 1))] = state
    branches = [Branch(start, {})]
    for row in range(len(circuit)):
        branches = [new for old in branches for new in step(circuit, row, wire, old, MATRIX)]
    flat = [branch.state.reshape(2, -1) for branch in branches]
    columns = [state[:, np.argmax(np.abs(state).sum(axis=0))] for state in flat]
    return [column / np.linalg.norm(column) for column in columns]


def test_measured_rotations_run_fewer_t_gates():
    build = Build(1)
    for _ in range(5):
        build.gate("rz", [0], angle=0.3)
        build.gate("h", [0])
    before = build.freeze()
    fewer, all_of_them = (synthesise(before, 1e-4, measured) for measured in (True, False))
    assert cost.t_count(fewer) < 0.6 * cost.t_count(all_of_them)
