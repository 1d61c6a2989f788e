"""lower-clifford-t against Qiskit's matrices, with a predicate both true and false."""

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
from qiskit import QuantumCircuit
from qiskit.circuit.library import UnitaryGate, get_standard_gate_name_mapping
from qiskit.quantum_info import Operator, Pauli

import qwasmc
from qwasmc.diagnostics import CompileError, Kind
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ops import BY_NAME, OPS, Cost
from qwasmc.passes import synthesis
from qwasmc.passes.lower_clifford_t import DEFAULT_ERROR, lower_clifford_t
from qwasmc.pipeline import LOWER_CLIFFORD_T, PASSES, load
from qwasmc.text import print_ir
from qwasmc.verify import verify

LIBRARY = get_standard_gate_name_mapping()
TOFFOLIS = ("ccx", "ccz", "cswap")
ROTATIONS = ("rx", "ry", "rz", "p", "cp", "crz", "ppr")
EIGHTH = math.pi / 4
WIRES = 3


class Build:
    """Gates on a few wires and a bit to predicate them on."""

    def __init__(self, wires: int = WIRES) -> None:
        self.builder = CircuitBuilder()
        self.file = self.builder.locations.add_file("a.qwasm", "a gate\n" * 1000)
        self.lines = 0
        self.bit = self.builder.add("const", attr=1)
        self.wires = [self.builder.add("alloc", attr=f"q{i}") for i in range(wires)]

    def gate(
        self,
        name: str,
        wires: list[int] | None = None,
        *,
        angle: float = 0.0,
        letters: str = "",
        predicated: bool = False,
    ) -> None:
        """A gate, by default on the first wires, on a source line of its own."""
        wires = wires or list(range(len(letters) or BY_NAME[name].qubits))
        self.lines += 1
        first = self.builder.add(
            name,
            [self.wires[wire] for wire in wires],
            angle=angle,
            attr=letters or 0,
            cond=self.bit if predicated else -1,
            loc=self.builder.locations.add(self.file, self.lines, 1, 2),
        )
        for slot, wire in enumerate(wires):
            self.wires[wire] = first + slot

    def freeze(self) -> Circuit:
        circuit = self.builder.freeze()
        verify(circuit)
        return circuit


def one(name: str, angle: float = 0.0, letters: str = "", *, predicated: bool = False) -> Circuit:
    build = Build()
    build.gate(name, angle=angle, letters=letters, predicated=predicated)
    return build.freeze()


def product_rotation(letters: str, angle: float) -> np.ndarray:
    pauli = Pauli(letters[::-1]).to_matrix()
    return math.cos(angle / 2) * np.eye(len(pauli)) - 1j * math.sin(angle / 2) * pauli


def unitary(circuit: Circuit, bit: int = 1) -> np.ndarray:
    """What the gates do, by Qiskit; predicates are all this bit."""
    wire = circuit.wires()
    program = QuantumCircuit(int(wire.max()) + 1)
    for row, code in enumerate(circuit.op.tolist()):
        spec = OPS[code]
        if not spec.is_gate or (circuit.cond[row] >= 0 and not bit):
            continue
        angle = float(circuit.angle[row])
        if spec.name == "ppr":
            gate = UnitaryGate(product_rotation(str(circuit.attribute(row)), angle))
        else:
            gate = LIBRARY[spec.qiskit]
            gate = gate.base_class(angle) if spec.angle else gate
        program.append(gate, [int(wire[value]) for value in circuit.values(row)])
    return Operator(program).data


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """In operator norm, up to a phase: the shortest arc that holds all eigenvalues of a^-1 b."""
    phases = np.sort(np.angle(np.linalg.eigvals(a.conj().T @ b)))
    gaps = np.diff(phases, append=phases[0] + 2 * np.pi)
    return 2 * math.sin((2 * np.pi - gaps.max()) / 4)


def lowered(circuit: Circuit, error: float = DEFAULT_ERROR) -> Circuit:
    """The circuit after the pass, with the laws that hold for all."""
    after = lower_clifford_t(circuit, error)
    verify(after)
    assert all(OPS[code].cost is not Cost.SYNTHESIS for code in after.op)
    return after


def names(circuit: Circuit) -> list[str]:
    return [OPS[code].name for code in circuit.op if OPS[code].is_gate]


def t_count(circuit: Circuit) -> int:
    return sum(name in ("t", "tdg") for name in names(circuit))


def predicated_names(circuit: Circuit) -> list[str]:
    return [OPS[code].name for code in circuit.op[circuit.cond >= 0]]


def test_every_costly_gate_is_tested():
    assert {spec.name for spec in OPS if spec.cost is Cost.SYNTHESIS} == {*TOFFOLIS, *ROTATIONS}


# -- exact gates


@pytest.mark.parametrize("predicated", [False, True])
@pytest.mark.parametrize("name", TOFFOLIS)
def test_toffolis_take_seven_t(name, predicated):
    circuit = one(name, predicated=predicated)
    after = lowered(circuit)
    for bit in (0, 1):
        assert distance(unitary(circuit, bit), unitary(after, bit)) < 1e-7
    assert t_count(after) == 7
    assert len(predicated_names(after)) == 7 * predicated
    assert set(predicated_names(after)) <= {"t", "tdg"}


MOST_T = {"cp": 3, "crz": 2}


@pytest.mark.parametrize("predicated", [False, True])
@pytest.mark.parametrize("name", ROTATIONS)
@pytest.mark.parametrize("k", range(-9, 10))
def test_multiples_of_an_eighth_turn_are_exact(name, k, predicated):
    angle = k * EIGHTH * (2 if name in MOST_T else 1)
    circuit = one(name, angle, "YXZ" if name == "ppr" else "", predicated=predicated)
    after = lowered(circuit, 1e-30)  # nothing is synthesised
    for bit in (0, 1):
        assert distance(unitary(circuit, bit), unitary(after, bit)) < 1e-7
    assert t_count(after) <= MOST_T.get(name, 1)
    assert not {"h", "cx"} & set(predicated_names(after))


@pytest.mark.parametrize(("name", "half"), [("p", ["z"]), ("ry", ["y"]), ("cp", ["cz"])])
def test_half_turns_are_single_gates(name, half):
    assert names(lowered(one(name, math.pi))) == half
    assert names(lowered(one(name, -3 * math.pi))) == half


def test_half_turns_of_products_are_paulis():
    after = lowered(one("ppr", 3 * math.pi, "XY", predicated=True))
    assert predicated_names(after) == names(after) == ["x", "y"]


def test_angles_near_multiples_are_taken_for_them():
    build = Build()
    for sign in (1, -1):
        build.gate("rz", angle=EIGHTH + 0.9e-12 * sign)
    assert names(lowered(build.freeze())) == ["t", "t"]
    with pytest.raises(CompileError):
        lower_clifford_t(one("rz", EIGHTH + 1.1e-12), 1e-30)


# -- words


def rotations(name: str, seed: int, predicated: bool) -> Circuit:
    rng = np.random.default_rng(seed)
    build = Build()
    for angle in (rng.normal(), 7 * rng.normal(), 1e9 * rng.normal(), 1e-6, 1e22):
        count = WIRES if name == "ppr" else BY_NAME[name].qubits
        wires = rng.permutation(WIRES)[:count].tolist()
        letters = "".join(rng.choice(list("XYZ"), size=count)) if name == "ppr" else ""
        build.gate(name, wires, angle=angle, letters=letters, predicated=predicated)
        build.gate("h", [wires[0]])
    return build.freeze()


@pytest.mark.parametrize("name", ROTATIONS)
def test_rotations_share_the_error(name):
    circuit = rotations(name, 1, predicated=False)
    found = distance(unitary(circuit), unitary(lowered(circuit)))
    assert 0 < found <= DEFAULT_ERROR


@pytest.mark.parametrize("name", ROTATIONS)
def test_predicated_rotations_are_exactly_nothing_or_share_the_error(name):
    circuit = rotations(name, 2, predicated=True)
    after = lowered(circuit)
    assert set(predicated_names(after)) == {"x"}
    assert distance(unitary(circuit, 0), unitary(after, 0)) < 1e-7
    assert 0 < distance(unitary(circuit, 1), unitary(after, 1)) <= DEFAULT_ERROR


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


def test_a_product_takes_a_tree_of_cx():
    n = 7
    build = Build(n)
    build.gate("ppr", angle=EIGHTH, letters="ZXYXZZX")
    after = lowered(build.freeze())
    assert distance(unitary(build.freeze()), unitary(after)) < 1e-7
    assert names(after).count("cx") == 2 * (n - 1)
    depth = [0] * after.n_values
    for row in range(len(after)):
        level = max((depth[value] for value in after.values(row)), default=0)
        depth[after.first[row] : after.first[row + 1]] = [level + 1] * int(
            after.first[row + 1] - after.first[row]
        )
    assert max(depth) < 2 * (4 + 2) + 3


GATES = (*TOFFOLIS, *ROTATIONS, "h", "s", "t", "cx", "swap", "x")


@st.composite
def programs(draw: st.DrawFn, angles: st.SearchStrategy[float]) -> Circuit:
    build = Build()
    for _ in range(draw(st.integers(0, 8))):
        name = draw(st.sampled_from(GATES))
        spec = BY_NAME[name]
        count = draw(st.integers(1, WIRES)) if spec.qubits < 0 else spec.qubits
        build.gate(
            name,
            draw(st.permutations(range(WIRES)))[:count],
            angle=draw(angles) if spec.angle else 0.0,
            letters=draw(st.text("XYZ", min_size=count, max_size=count)) if spec.attr else "",
            predicated=draw(st.booleans()),
        )
    return build.freeze()


@settings(max_examples=150, deadline=None)
@given(programs(st.integers(-8, 8).map(lambda k: k * 2 * EIGHTH)))
def test_exact_programs_stay_the_same(circuit):
    after = lowered(circuit, 1e-30)
    for bit in (0, 1):
        assert distance(unitary(circuit, bit), unitary(after, bit)) < 1e-6


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
    words = synthesis.synthesise(angles, synthesis.FINEST)
    assert list(words) == sorted(angles)
    for angle, word in words.items():
        assert precise_distance(word, angle) <= Decimal(synthesis.FINEST)


# -- rows around the gates


def test_other_circuits_are_returned_as_they_are():
    circuit = one("cx")
    assert lower_clifford_t(circuit) is circuit


def test_places_are_kept():
    build = Build()
    build.gate("h")
    build.gate("ccx")
    build.gate("rx", angle=EIGHTH)
    circuit = build.freeze()
    after = lowered(circuit)
    lines = [after.locations.line[loc] for loc in after.loc if loc >= 0]
    assert lines == [1] + [2] * 15 + [3] * 3


def test_rows_around_keep_what_they_say():
    """Names, attributes, pools and predicates survive when rows before them grow or vanish."""
    build = Build()
    build.gate("ccx")
    build.gate("ppr", [2, 0], letters="XY", angle=EIGHTH)
    builder, wires = build.builder, build.wires
    first = builder.add("ppm", [wires[0], wires[2]], attr="ZX")
    wires[0], wires[2], bit = first, first + 1, first + 2
    build.gate("rz", [1], angle=0.0)
    parity = builder.add("xor", [bit, build.bit])
    wires[1] = builder.add("x", [wires[1]], cond=parity)
    builder.add("syndrome", attr=3)
    builder.add("result", [parity], attr="answer")
    builder.add("free", [wires[0]])
    text = print_ir(lowered(build.freeze()))
    for kept in ('name = "answer"', 'paulis = "ZX"', "rounds = 3", '"qw.free"', '"qw.xor"'):
        assert text.count(kept) == 1, kept
    assert '"qw.ppr"' not in text


def test_what_does_nothing_vanishes():
    build = Build()
    for _ in range(3):
        build.gate("rz", [1], angle=2 * math.pi)
        build.gate("cp", [1, 0])
        build.gate("ppr", [2, 1], letters="ZZ", angle=0.0)
    build.gate("crz", [0, 1])
    build.gate("cx", [1, 2])
    assert names(lowered(build.freeze())) == ["cx"]


def test_equal_programs_give_equal_rows_whatever_was_lowered_before():
    circuit = rotations("rz", 5, predicated=False)
    before = print_ir(lower_clifford_t(circuit))
    lower_clifford_t(rotations("rx", 6, predicated=False))
    assert print_ir(lower_clifford_t(circuit)) == before


def test_qiskit_is_not_imported_here():
    code = (
        "import sys; from qwasmc.passes.lower_clifford_t import lower_clifford_t;"
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
        lower_clifford_t(build.freeze(), 1e-9)
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
        lower_clifford_t(build.freeze())
    (diagnostic,) = caught.value.diagnostics
    assert caught.value.exit_code == Kind.LIMIT
    assert reason in diagnostic.notes[0]
    assert diagnostic.place is not None
    assert diagnostic.place.line == 1


# -- whole compilations


def test_the_pass_is_run():
    assert load(LOWER_CLIFFORD_T.function) is lower_clifford_t
    assert LOWER_CLIFFORD_T in PASSES


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


@pytest.mark.parametrize("predicated", [False, True])
@pytest.mark.parametrize("name", ["ccx", "rz", "ppr"])
def test_programs_reach_stim_unless_toffolis_are_predicated(name, predicated):
    circuit = measured(name, predicated=predicated)
    if predicated and name == "ccx":
        with pytest.raises(CompileError, match="'tdg' depends on a measurement result") as caught:
            qwasmc.compile(print_ir(circuit), distance=3)
        assert caught.value.exit_code == Kind.LIMIT
        return
    artifact = qwasmc.compile(print_ir(circuit), distance=3)
    assert isinstance(artifact.circuit, stim.Circuit)
    assert artifact.report["t_states"] == t_count(lower_clifford_t(circuit)) > 0
