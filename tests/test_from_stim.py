"""Stim circuits as programs, against Stim's tableaus and sampler."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import numpy as np
import program_oracle
import pytest
import stim
from branches import same

from qwasmc.diagnostics import CompileError, Kind
from qwasmc.grammar.from_stim import read
from qwasmc.ir.program import Op, Program

DATA = stim.gate_data()
UNITARY = [name for name, data in DATA.items() if data.is_unitary and not data.takes_pauli_targets]
NOISE = [
    name
    for name, data in DATA.items()
    if data.is_noisy_gate and (not data.produces_measurements or name.startswith("HERALDED"))
]


def ops(program: Program) -> list[Op]:
    return [op for block in program.main.blocks for op in block.ops]


def outcomes(text: str) -> dict[tuple[int, ...], float]:
    found = program_oracle.distribution(read(text))
    return {tuple(value for _, value in key): chance for key, chance in found.items()}


def sampled(circuit: stim.Circuit, shots: int = 4096) -> dict[tuple[int, ...], float]:
    samples = circuit.compile_sampler(seed=7).sample(shots)
    counts = Counter(tuple(int(bit) for bit in row) for row in samples)
    return {key: count / shots for key, count in counts.items()}


def refusal(text: str) -> CompileError:
    with pytest.raises(CompileError) as caught:
        read(text)
    return caught.value


@pytest.mark.parametrize("name", UNITARY)
def test_every_gate(name: str):
    qubits = "0 1" if DATA[name].is_two_qubit_gate else "0"
    mine = program_oracle.unitary(read(f"{name} {qubits}"))
    if name in ("I", "II"):
        assert mine.shape == (1, 1)
        return
    theirs = stim.Tableau.from_named_gate(name).to_unitary_matrix(endian="big")
    assert abs(np.vdot(mine, theirs)) == pytest.approx(len(theirs), rel=1e-5)


@pytest.mark.parametrize("name", UNITARY)
def test_a_gate_that_is_no_row_is_a_short_word(name: str):
    qubits = "0 1" if DATA[name].is_two_qubit_gate else "0"
    assert sum(op.name != "alloc" for op in ops(read(f"{name} {qubits}"))) <= 12


@pytest.mark.parametrize("text", ["SPP X0*Y1*Z2", "SPP_DAG !X0*Y1", "SPP Z0", "SPP X0*Z0*X0*X1"])
def test_rotations_about_products(text: str):
    used = sorted({int(c) for c in text if c.isdigit()})
    tableau = stim.Circuit(text).to_tableau()
    mine = program_oracle.unitary(read(f"H {' '.join(map(str, used))}\n{text}"))
    first = program_oracle.unitary(read(f"H {' '.join(map(str, used))}"))
    theirs = tableau.to_unitary_matrix(endian="big") @ first
    assert abs(np.vdot(mine, theirs)) == pytest.approx(len(theirs), rel=1e-5)


@pytest.mark.parametrize(
    ("text", "diagonal"),
    [
        *(("S[T] 0", 0.25), ("S_DAG[T] 0", -0.25), ("T 0", 0.25), ("T_DAG 0", -0.25), ("S 0", 0.5)),
        *(("SPP[T] Z0", 0.25), ("SPP_DAG[T] Z0", -0.25), ("SPP[T] !Z0", -0.25)),
    ],
)
def test_tags_for_t(text: str, diagonal: float):
    mine = program_oracle.unitary(read(text))
    theirs = np.diag([1, np.exp(1j * np.pi * diagonal)])
    assert abs(np.vdot(mine, theirs)) == pytest.approx(2)


@pytest.mark.parametrize("basis", ["", "X", "Y"])
def test_resets(basis: str):
    text = f"H 0\nS 0\nH 0\nR{basis} 0\nM{basis} 0\nM{basis} !0\nMR{basis} !0 0\nM{basis} 0"
    assert outcomes(text) == pytest.approx({(0, 1, 1, 0, 0): 1.0})


def random_line(pick: random.Random, measured: int) -> tuple[str, int]:
    """A line on three qubits, and how many measurements it makes."""
    a, b, c = pick.sample(range(3), 3)
    bang = pick.choice(["", "!"])
    lines = [
        (f"{pick.choice(['H', 'S', 'SQRT_X_DAG', 'C_XYZ', 'H_YZ', 'X'])} {a} {b}", 0),
        (f"{pick.choice(['CX', 'CZ', 'ISWAP', 'SQRT_XX', 'XCY', 'SWAPCX'])} {a} {b}", 0),
        (f"{pick.choice(['M', 'MX', 'MY', 'MR', 'MRX', 'MRY'])} {bang}{a} {c}", 2),
        (f"{pick.choice(['MXX', 'MYY', 'MZZ'])} {bang}{a} {b}", 1),
        (f"MPP {bang}X{a}*Z{b}*Y{c} Z{a}*Y{a}*X{a}*X{a}*Y{a}*X{b}", 2),
        (f"{pick.choice(['R', 'RX', 'RY'])} {a}", 0),
        (f"SPP {bang}X{a}*Z{b}", 0),
        ("MPAD 0 1", 2),
        (f"TICK\nSHIFT_COORDS(1)\nQUBIT_COORDS(1, 2) {a}", 0),
    ]
    if measured:
        back = pick.randint(1, measured)
        lines += [
            (f"{pick.choice(['CX', 'CY', 'CZ'])} rec[-{back}] {a} {b} {c}", 0),
            (f"{pick.choice(['XCZ', 'YCZ', 'CZ'])} {a} rec[-{back}]", 0),
        ]
    return pick.choice(lines)


def random_text(pick: random.Random) -> str:
    lines: list[str] = ["H 0", "CX 0 1 0 2"]
    measured = 0
    for _ in range(pick.randint(4, 9)):
        if pick.random() < 0.2 and measured < 3:
            inner, line = 0, []
            for _ in range(pick.randint(1, 2)):
                text, count = random_line(pick, measured + inner)
                line.append(text)
                inner += count
            lines += ["REPEAT 2 {", *line, "}"]
            measured += 2 * inner
        elif measured < 6:
            text, count = random_line(pick, measured)
            lines.append(text)
            measured += count
    return "\n".join(lines)


SEEDS = [*range(10), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(10, 200))]


@pytest.mark.parametrize("seed", SEEDS)
def test_random_circuits(seed: int):
    text = random_text(random.Random(seed))
    mine, theirs = outcomes(text), sampled(stim.Circuit(text))
    assert set(theirs) <= set(mine)
    assert same(mine, theirs, 0.06), text
    assert (len(read(text).main.blocks) > 1) == ("REPEAT" in text)


def test_loops_stay_loops():
    text = "R 0\nREPEAT 1000000 {\n  REPEAT 3 {\n    M 0\n    X 0\n  }\n  CX rec[-2] 0\n}\nM 0"
    text += "\nOBSERVABLE_INCLUDE(3) rec[-1]"
    program = read(text)
    assert len(program.main.blocks) == 7
    assert len(ops(program)) < 60
    short = text.replace("1000000", "3")
    assert outcomes(short) == pytest.approx({sampled_observable(short): 1.0})


def sampled_observable(text: str) -> tuple[int, ...]:
    """The one value of the observables, by a walk over the flattened circuit."""
    circuit = stim.Circuit(text).flattened()
    record = circuit.compile_sampler(seed=1).sample(1)[0]
    found: dict[int, int] = {}
    for instruction, measured in walk(circuit):
        if instruction.name == "OBSERVABLE_INCLUDE":
            number = int(instruction.gate_args_copy()[0])
            bits = [int(record[measured + t.value]) for t in instruction.targets_copy()]
            found[number] = (found.get(number, 0) + sum(bits)) % 2
    return tuple(found[number] for number in sorted(found))


def walk(circuit: stim.Circuit) -> Iterator[tuple[stim.CircuitInstruction, int]]:
    measured = 0
    for instruction in circuit:
        yield instruction, measured
        measured += instruction.num_measurements


def test_observables_are_parities():
    text = "X 0\nREPEAT 3 {\nM 0 !1\nOBSERVABLE_INCLUDE(7) rec[-1] rec[-2]\n}\nX 1\nM 1 0"
    text += "\nOBSERVABLE_INCLUDE(2) rec[-2]\nOBSERVABLE_INCLUDE(7) rec[-1] rec[-1] rec[-2]"
    assert outcomes(text) == pytest.approx({sampled_observable(text): 1.0})
    straight = text.replace("REPEAT 3 {\n", "").replace("\n}", "")
    assert outcomes(straight) == pytest.approx({sampled_observable(straight): 1.0})
    names = [op.attrs["name"] for op in ops(read(text)) if op.name == "result"]
    assert names == ["obs[2]", "obs[7]"]


def test_names_and_positions():
    program = read("QUBIT_COORDS(0, 1) 9\n  H 7 # note\n\tM 3 !7")
    assert [op.attrs["name"] for op in ops(program) if op.name == "alloc"] == ["q[3]", "q[7]"]
    assert [op.attrs["name"] for op in ops(program) if op.name == "result"] == ["m[0]", "m[1]"]
    places = {op.name: str(program.locations.place(op.loc)) for op in ops(program)}
    assert places["h"] == "<circuit>:2:3"
    assert places["measure_z"] == "<circuit>:3:2"


def test_a_circuit_object_is_its_text():
    circuit = stim.Circuit.generated("repetition_code:memory", distance=3, rounds=4)
    program = read(circuit)
    assert outcomes(str(circuit)) == pytest.approx({(0,): 1.0})
    assert program.locations.texts == [str(circuit)]


def test_detectors_are_ignored_with_one_warning():
    program = read("M 0 1\nDETECTOR rec[-1]\nDETECTOR rec[-2]")
    (warning,) = program.warnings
    assert warning.severity == "warning"
    assert str(warning.place) == "<circuit>:2:1"


@pytest.mark.parametrize("name", NOISE)
def test_noise_is_refused_by_name(name: str):
    first = DATA[name].num_parens_arguments_range[-1] if DATA[name].is_noisy_gate else 0
    qubits = {"E": "X0", "ELSE_CORRELATED_ERROR": "X0"}.get(name, "0 1")
    args = ", ".join(["0.01"] * min(first, 15))
    before = "E(0.1) X0\n" if name == "ELSE_CORRELATED_ERROR" else ""
    wrong = refusal(f"{before}{name}({args}) {qubits}")
    assert "noise" in wrong.diagnostics[0].message
    assert ("'E'" if before else f"'{name}'") in wrong.diagnostics[0].message


def test_noisy_measurements_are_refused():
    assert "'M' is noise" in refusal("H 0\nM(0.01) 0").diagnostics[0].message
    assert outcomes("M(0) 0") == pytest.approx({(0,): 1.0})


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("H 0\nFOO 1", "Gate not found", 2),
        ("H 0\n}", "'}' without '{'", 2),
        ("REPEAT 2 {\nH 0", "'{' without '}'", 1),
        ("H 0\nCX rec[-1] 0", "not so many measurements", 2),
        ("CX sweep[0] 1", "no sweep bits", 1),
        ("M 0\nCX 0 rec[-1]", "cannot change a measurement", 2),
        ("MPP X0*Y0", "not Hermitian", 1),
        ("OBSERVABLE_INCLUDE(0) X1", "parity of measurements", 1),
        ("H[tag 0", "a tag without ']'", 1),
        ("I[R_X(theta=0.3*pi)] 0", "not supported", 1),
        ("H 0\nH \xe9", "", 2),
    ],
)
def test_errors_have_positions(text: str, message: str, line: int):
    (found,) = refusal(text).diagnostics
    assert message in found.message
    assert found.place is not None
    assert found.place.line == line
    assert found.kind == Kind.PROGRAM


@pytest.mark.parametrize(
    "text",
    [
        "REPEAT 1000000000000 {\nREPEAT 1000000000000 {\nM 0\n}\n}",
        "REPEAT 2000000 {\nM 0\n}",
        "REPEAT 2 {\n" * 100 + "}\n" * 100,
    ],
)
def test_limits(text: str):
    assert refusal(text).exit_code == Kind.LIMIT


def test_a_large_circuit_is_linear():
    program = read("H 0\nCX 0 1\nM 1\n" * 10_000)
    assert len(ops(program)) == 2 + 30_000 + 10_000 + 1
