"""The bundled files that programs of QVM 0.1 include by name, against what they should compute."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import gcd
from pathlib import Path

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.library import QFTGate, get_standard_gate_name_mapping
from qiskit.quantum_info import Operator

from qwasmc.diagnostics import CompileError
from qwasmc.grammar.qwasm import read
from qwasmc.grammar.source import LIBRARY
from qwasmc.ir.program import Op
from qwasmc.verify import verify

QISKIT = get_standard_gate_name_mapping()
CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "qvm" / "qvm"


def ops_of(text: str) -> list[Op]:
    program = read(f".caps CAP_ALLOC\n{text}\n", "t")
    verify(program)
    return program.main.blocks[0].ops


def names(prefix: str, n: int) -> list[str]:
    return [f"{prefix}_{i}" for i in range(n)]


def including(name: str, qubits: Sequence[str], **settings: object) -> str:
    lines = [f"ALLOC_LQ -> {', '.join(qubits)}"]
    lines += [f".set {key} = {value!r}" for key, value in settings.items()]
    return "\n".join([*lines, f'.include "{name}"'])


def unitary(text: str, qubits: Sequence[str]) -> np.ndarray:
    """The matrix on named qubits, the first the least significant; they are all there are."""
    circuit = QuantumCircuit(len(qubits))
    wire: dict[object, int] = {}
    for op in ops_of(text):
        if op.name == "alloc":
            wire[op.results[0]] = qubits.index(str(op.attrs["name"]))
        elif op.spec.is_gate:
            on = [wire[value] for value in op.operands]
            given = [op.attrs["angle"]] if op.spec.angle else []
            circuit.append(type(QISKIT[op.spec.qiskit])(*given), on)
            wire.update(zip(op.results, on, strict=True))
    return np.asarray(Operator(circuit).data)


def same(found: np.ndarray, wanted: np.ndarray) -> bool:
    """Equal up to a global phase."""
    return bool(np.isclose(abs(np.trace(found.conj().T @ wanted)), len(wanted)))


class Bits:
    """Runs reversible gates on all given basis states at once: one array of bits per qubit."""

    def __init__(self, text: str, inputs: dict[str, np.ndarray]) -> None:
        self.inputs = inputs
        self.outputs: dict[str, np.ndarray] = {}
        bits: dict[object, np.ndarray] = {}
        label: dict[object, str] = {}
        size = len(next(iter(inputs.values())))
        for op in ops_of(text):
            if op.name == "alloc":
                name = str(op.attrs["name"])
                bits[op.results[0]] = inputs.get(name, np.zeros(size, bool))
                label[op.results[0]] = name
            elif op.name == "free":
                assert not bits[op.operands[0]].any(), f"{label[op.operands[0]]} is not in |0>"
            elif op.spec.is_gate:
                after = self.gate(op.name, [bits[value] for value in op.operands])
                for old, new, value in zip(op.operands, op.results, after, strict=True):
                    bits[new], label[new] = value, label[old]
                    self.outputs[label[old]] = value

    @staticmethod
    def gate(name: str, values: list[np.ndarray]) -> list[np.ndarray]:
        if name == "cswap":
            control, a, b = values
            return [control, np.where(control, b, a), np.where(control, a, b)]
        assert name in ("x", "cx", "ccx"), name
        *controls, target = values
        flip = np.logical_and.reduce(controls) if controls else np.ones(len(target), bool)
        return [*controls, target ^ flip]

    def number(self, prefix: str, n: int) -> np.ndarray:
        """A register as an integer."""
        found = [self.outputs.get(name, self.inputs.get(name)) for name in names(prefix, n)]
        return sum(bit.astype(int) << place for place, bit in enumerate(found))


def basis(**registers: tuple[int, np.ndarray]) -> dict[str, np.ndarray]:
    """The bits of registers that hold the given numbers: prefix=(qubits, numbers)."""
    return {
        f"{prefix}_{place}": (numbers >> place & 1).astype(bool)
        for prefix, (n, numbers) in registers.items()
        for place in range(n)
    }


# ---------------------------------------------------------------- names


@pytest.mark.parametrize("folder", ["", "lib/", "qvm/lib/"])
@pytest.mark.parametrize("path", sorted((LIBRARY / "qvm/lib").iterdir()), ids=lambda p: p.name)
def test_library_files_are_found_under_every_name(folder: str, path: Path) -> None:
    with pytest.raises(CompileError) as caught:  # found, but there are no qubits
        read(f'.caps CAP_ALLOC\n.include "{folder}{path.name}"', "t")
    assert "undefined" in caught.value.diagnostics[0].message


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here")
@pytest.mark.parametrize("folder", ["lib", "asm"])
def test_nothing_that_programs_include_is_missing(folder: str) -> None:
    wanted = {path.name for path in (CORPUS / folder).iterdir()}
    assert wanted <= {path.name for path in (LIBRARY / "qvm" / folder).iterdir()}


def test_a_file_of_the_program_comes_first(tmp_path: Path) -> None:
    (tmp_path / "qft.qasm").write_text("QLINIT 3")
    program = read('.include "qft.qasm"', str(tmp_path / "p.qasm"))
    assert [op.name for op in program.main.blocks[0].ops] == ["alloc"] * 3 + ["return"]


def test_library_files_do_not_include_files_of_the_program(tmp_path: Path) -> None:
    (tmp_path / "adders.qwasm").write_text("QLINIT 3")
    text = including("draper_adder.qasm", [*names("a", 1), *names("b", 1)], n_bits=1)
    program = read(f".caps CAP_ALLOC\n{text}", str(tmp_path / "p.qasm"))
    assert sum(op.name == "alloc" for op in program.main.blocks[0].ops) == 2


# ---------------------------------------------------------------- the standard library


def test_every_macro_of_the_standard_library() -> None:
    text = """
    .include "stdlib.qvm.asm"
    .set n = 4
    .set qubits = [f"q{i}" for i in range(n)]
    ALLOC_QUBITS({n}, "q", "logical:Surface(d=3)")
    GHZ_STATE(qubits)
    QFT(qubits)
    GROVER_ORACLE("0110", {qubits})
    GROVER_DIFFUSION(qubits)
    BELL_PAIR(q0, q1)
    SWAP(q0, q1)
    SUPERPOSITION(qubits)
    DJ_ORACLE_CONSTANT_0(qubits)
    DJ_ORACLE_CONSTANT_1(q1)
    DJ_ORACLE_BALANCED_BIT(q0, q1, 0)
    MEASURE_ALL(["q0", "q1"])
    MEASURE_ALL([q2, q3])
    """
    found = [op for op in ops_of(text) if op.name in ("pragma", "result")]
    profile, *results = [next(iter(op.attrs.values())) for op in found]
    assert "logical:Surface(d=3)" in profile
    assert results == ["m0", "m1"]


def call(macro: str, qubits: Sequence[str]) -> str:
    return f'ALLOC_LQ -> {", ".join(qubits)}\n.include "stdlib.qvm.asm"\n{macro}'


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_fourier_transform_with_the_most_significant_qubit_first(n: int) -> None:
    qubits = names("q", n)
    wanted = Operator(QFTGate(n)).data
    assert same(unitary(call(f"QFT({qubits})", qubits), qubits[::-1]), wanted)
    text = including("qft.qasm", qubits, n_qubits=n, qubit_prefix="q")
    assert same(unitary(text, qubits[::-1]), wanted)


@pytest.mark.parametrize("target", ["1", "01", "110", "000"])
def test_oracles_mark_the_character_by_character_state(target: str) -> None:
    qubits = names("q", len(target))
    signs = np.ones(2 ** len(target))
    signs[int(target[::-1], 2)] = -1
    macro = unitary(call(f"GROVER_ORACLE('{target}', {qubits})", qubits), qubits)
    assert same(macro, np.diag(signs))
    settings = {"n_qubits": len(target), "qubit_prefix": "q", "target_state": target}
    text = including("grover_oracle.qasm", qubits, **settings, oracle_mode="single")
    assert same(unitary(text, qubits), np.diag(signs))


def test_oracles_of_several_states_and_of_functions() -> None:
    qubits = names("q", 2)
    settings = {"n_qubits": 2, "target_states": ["10", "11"], "oracle_mode": "multi"}
    text = including("grover_oracle.qasm", qubits, **settings)
    assert same(unitary(text, qubits), np.diag([1, -1, 1, -1]))
    macro = ".macro ODD(qs)\nAPPLY_Z {qs[0]}\n.endmacro\n"
    settings = {"n_qubits": 2, "oracle_macro": "ODD", "oracle_mode": "function"}
    text = macro + including("grover_oracle.qasm", qubits, **settings)
    assert same(unitary(text, qubits), np.diag([1, -1, 1, -1]))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_diffusion(n: int) -> None:
    qubits = names("q", n)
    wanted = np.full((2**n, 2**n), 2 / 2**n) - np.eye(2**n)
    found = unitary(call(f"GROVER_DIFFUSION({qubits})", qubits), qubits)
    assert same(found, wanted)


# ---------------------------------------------------------------- arithmetic


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_ripple_carry_adder_with_carry(n: int) -> None:
    every = np.arange(2 ** (2 * n + 1))
    a, b, c = every % 2**n, every >> n & 2**n - 1, every >> 2 * n
    text = including(
        "cuccaro_adder.qasm",
        [*names("a", n), *names("b", n), "c_0"],
        n_bits=n,
        a_prefix="a",
        b_prefix="b",
        carry_qubit="c_0",
    )
    run = Bits(text, basis(a=(n, a), b=(n, b), c=(1, c)))
    assert (run.number("a", n) == a).all()
    assert (run.number("b", n) == (a + b) % 2**n).all()
    assert (run.number("c", 1) == c ^ (a + b >> n)).all()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_adder_by_phases(n: int) -> None:
    qubits = [*names("a", n), *names("b", n)]
    size = 2**n
    wanted = np.zeros((size * size, size * size))
    for x in range(size):
        for y in range(size):
            wanted[x + size * ((x + y) % size), x + size * y] = 1
    settings = {"n_bits": n, "a_prefix": "a", "b_prefix": "b"}
    assert same(unitary(including("draper_adder.qasm", qubits, **settings), qubits), wanted)


@pytest.mark.parametrize(
    ("a", "modulus"),
    [(7, 15), (4, 15), (2, 15), (1, 15), (3, 7), (5, 16), (22, 15), (1, 2), (6, 13), (0, 1)],
)
def test_modular_exponentiation(a: int, modulus: int) -> None:
    n = 4
    every = np.arange(8 * modulus)
    x, y = every % 8, every // 8
    text = including(
        "modular_exp.qasm",
        [*names("ctrl", 3), *names("work", n)],
        n_control=3,
        n_work=n,
        a=a,
        N=modulus,
        control_prefix="ctrl",
        work_prefix="work",
    )
    run = Bits(text, basis(ctrl=(3, x), work=(n, y)))
    assert (run.number("ctrl", 3) == x).all()
    powers = np.array([pow(a, int(k), modulus) for k in x])
    assert (run.number("work", n) == y * powers % modulus).all()


def test_wide_modular_exponentiation() -> None:
    a, modulus, n = 12345, 2**20 - 3, 20
    assert gcd(a, modulus) == 1
    y = np.random.default_rng(1).integers(0, modulus, 50)
    x = np.full(50, 1)
    text = including(
        "modular_exp.qasm",
        [*names("ctrl", 1), *names("work", n)],
        n_control=1,
        n_work=n,
        a=a,
        N=modulus,
    )
    run = Bits(text, basis(ctrl=(1, x), work=(n, y)))
    assert (run.number("work", n) == y * a % modulus).all()


@pytest.mark.parametrize(
    ("a", "modulus", "message"),
    [(6, 15, "a_and_N_have_a_common_factor"), (7, 17, "N_does_not_fit_the_register")],
)
def test_impossible_moduli(a: int, modulus: int, message: str) -> None:
    text = including(
        "modular_exp.qasm",
        [*names("ctrl", 1), *names("work", 4)],
        n_control=1,
        n_work=4,
        a=a,
        N=modulus,
    )
    with pytest.raises(CompileError, match=message):
        ops_of(text)


# ---------------------------------------------------------------- phases and checks


@pytest.mark.parametrize("numerator", range(8))
def test_phase_estimation_of_a_macro(numerator: int) -> None:
    macro = (
        ".macro TURN(control, qs, power)\n"
        f"APPLY_CP {{control}}, {{qs[0]}}, theta={{2 * pi * {numerator} / 8 * power}}\n.endmacro\n"
    )
    qubits = [*names("prec", 3), "eigen_0"]
    text = including(
        "phase_estimation.qasm",
        qubits,
        n_precision=3,
        n_eigenstate=1,
        precision_prefix="prec",
        eigenstate_prefix="eigen",
        unitary_macro="TURN",
    )
    text = macro + text.replace("\n", "\nAPPLY_X eigen_0\n", 1)
    assert np.isclose(abs(unitary(text, qubits)[numerator + 8, 0]), 1)


@pytest.mark.parametrize(("gates", "estimate"), [("APPLY_H", 0), ("APPLY_X,APPLY_H", 4)])
def test_phase_estimation_of_x(gates: str, estimate: int) -> None:
    qubits = [*names("prec", 3), "eigen_0"]
    prepare = "".join(f"\n{gate} eigen_0" for gate in gates.split(","))
    text = including("phase_estimation.qasm", qubits, n_precision=3, n_eigenstate=1)
    state = unitary(text.replace("\n", f"{prepare}\n", 1), qubits)[:, 0].reshape(2, 8)
    assert np.isclose(np.linalg.norm(state[:, estimate]), 1)


@pytest.mark.parametrize("errors", range(8))
def test_repetition_code(errors: int) -> None:
    data = [errors >> i & 1 for i in range(3)]
    flips = "".join(f"\nAPPLY_X d_{i}" for i in range(3) if data[i])
    qubits = [*names("d", 3), *names("a", 2)]
    text = including("syndrome_extraction.qasm", qubits, code_type="repetition")
    text = text.replace("\n", f"{flips}\n", 1)
    assert measured(text) == {"s0": data[0] ^ data[1], "s1": data[1] ^ data[2]}


def measured(text: str) -> dict[str, int]:
    """The results of a program of X, CX, measurements in Z and resets."""
    bits: dict[object, int] = {}
    found = {}
    for op in ops_of(text):
        values = [bits[value] for value in op.operands]
        if op.name == "alloc":
            after = [0]
        elif op.name == "measure_z":
            after = [*values, *values]
            found[op.results[1].name] = values[0]
        elif op.name == "reset":
            after = [0]
        elif op.name in ("x", "cx"):
            *controls, target = values
            after = [*controls, target ^ all(controls)]
        else:
            assert op.name in ("result", "return")
            continue
        bits.update(zip(op.results, after, strict=True))
    return found


@pytest.mark.parametrize(
    ("flips", "expected"), [("", (0, 0)), ("X", (0, 1)), ("Z", (1, 0)), ("Y", (1, 1))]
)
def test_plaquette_checks_find_errors(flips: str, expected: tuple[int, int]) -> None:
    """On (|0000> + |1111>) / sqrt 2, which XXXX and ZZZZ leave alone."""
    stim = pytest.importorskip("stim")
    qubits = [*names("d", 4), *names("a", 2)]
    prepare = "\nAPPLY_H d_0" + "".join(f"\nAPPLY_CNOT d_0, d_{i}" for i in (1, 2, 3))
    prepare += f"\nAPPLY_{flips} d_2" if flips else ""
    text = including("syndrome_extraction.qasm", qubits, n_data=4, n_ancilla=2, code_type="surface")
    simulator = stim.TableauSimulator()
    wire: dict[object, int] = {}
    found = []
    for op in ops_of(text.replace("\n", f"{prepare}\n", 1)):
        if op.name == "alloc":
            wire[op.results[0]] = qubits.index(str(op.attrs["name"]))
            continue
        on = [wire[value] for value in op.operands if value in wire]
        wire.update(zip(op.results, on, strict=False))
        if op.name == "measure_z":
            found.append(simulator.measure(*on))
        elif op.spec.stim:
            simulator.do(stim.CircuitInstruction(op.spec.stim, on))
    assert tuple(found) == expected


# ---------------------------------------------------------------- documentation

PAGE = Path(__file__).parent.parent / "docs" / "qwasm-library.md"


def test_the_page_lists_every_macro_and_parameter() -> None:
    text = PAGE.read_text()
    for path in (path for path in LIBRARY.rglob("*") if path.is_file()):
        assert f"`{path.name}`" in text
        source = path.read_text()
        if path.parent.name != "lib" or path.parent == LIBRARY:  # others keep theirs to themselves
            for name, parameters in re.findall(r"^\.macro (\w+)\(([^)]*)\)", source, re.MULTILINE):
                assert f"`{name}({parameters})`" in text
        for name in re.findall(r"^\.param (\w+)", source, re.MULTILINE):
            assert f"`{name}`" in text or name == "unitary_name"  # for people, as in the original
