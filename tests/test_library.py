"""The bundled macros and the instructions for many gates, as matrices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.library import PauliGate, get_standard_gate_name_mapping
from qiskit.quantum_info import Operator

from qwasmc.diagnostics import CompileError
from qwasmc.grammar.qwasm import read
from qwasmc.grammar.source import LIBRARY

QISKIT = get_standard_gate_name_mapping()


def drawn(lines: str, qubits: Sequence[str]) -> QuantumCircuit:
    """A program's gates as a circuit of Qiskit; what it allocates itself comes last."""
    text = f".version 0.1\n.caps CAP_ALLOC\n{lines}\n"
    new = f"ALLOC_LQ n={len(qubits)} -> {', '.join(qubits)}"
    ops = read(text.replace("NEW QUBITS", new), "t").main
    circuit = QuantumCircuit(len(qubits) + 6)
    wire: dict[object, int] = {}
    free = list(range(len(qubits), len(qubits) + 6))
    for op in ops.blocks[0].ops:
        if op.name == "alloc":
            name = str((op.attrs or {})["name"])
            wire[op.results[0]] = qubits.index(name) if name in qubits else free.pop()
            continue
        if op.name == "free":
            free.append(wire[op.operands[0]])
        if not op.spec.is_gate:
            continue
        on = [wire[value] for value in op.operands]
        attrs = op.attrs or {}
        if op.name == "ppr":
            product = Operator(PauliGate(str(attrs["paulis"])[::-1])).data
            half = float(attrs["angle"]) / 2
            matrix = np.cos(half) * np.eye(len(product)) - 1j * np.sin(half) * product
            circuit.unitary(matrix, on)
        else:
            given = [attrs["angle"]] if op.spec.angle else []
            circuit.append(type(QISKIT[op.spec.qiskit])(*given), on)
        wire.update(zip(op.results, on, strict=True))
    return circuit


def matrix(lines: str, qubits: str) -> np.ndarray:
    names = qubits.split()
    size = 2 ** len(names)
    return np.asarray(Operator(drawn(f"NEW QUBITS\n{lines}", names)).data[:size, :size])


def same(found: np.ndarray, wanted: np.ndarray) -> bool:
    """Equal up to a global phase; the ancillas returned to |0>."""
    return bool(np.isclose(abs(np.trace(found.conj().T @ wanted)), len(wanted)))


def fourier(n: int) -> np.ndarray:
    size = 2**n
    x = np.arange(size)
    return np.exp(2j * np.pi * np.outer(x, x) / size) / np.sqrt(size)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_fourier_transform(n: int) -> None:
    names = " ".join(f"q{i}" for i in range(n))
    given = f'["q{{i}}" for i in 0..{n - 1}]'
    assert same(matrix(f'.include "qft.qwasm"\nQFT({given})', names), fourier(n))
    assert same(matrix(f'.include "qft.qwasm"\nIQFT({given})', names), fourier(n).conj().T)


@pytest.mark.parametrize("macro", ["CUCCARO_ADD", "DRAPER_ADD"])
@pytest.mark.parametrize("n", [1, 2, pytest.param(3, marks=pytest.mark.slow)])
def test_adders(macro: str, n: int) -> None:
    a = [f"a{i}" for i in range(n)]
    b = [f"b{i}" for i in range(n)]
    carry = ["c"] if macro == "CUCCARO_ADD" else []
    lists = ", ".join(str(names) for names in (a, b))
    arguments = f"c, {lists}" if carry else lists
    found = matrix(f'.include "adders.qwasm"\n{macro}({arguments})', " ".join([*a, *b, *carry]))
    size = 2**n
    wanted = np.zeros((size * size, size * size))
    for x in range(size):
        for y in range(size):
            wanted[x + size * ((x + y) % size), x + size * y] = 1
    assert same(found[: size * size, : size * size], wanted)


def test_states() -> None:
    include = '.include "states.qwasm"\n'
    assert np.allclose(matrix(f"{include}BELL_PAIR(a, b)", "a b")[:, 0], [0.5**0.5, 0, 0, 0.5**0.5])
    ghz = matrix(f"{include}GHZ_STATE(['a', 'b', 'c'])", "a b c")[:, 0]
    assert np.allclose(ghz, [0.5**0.5, *[0] * 6, 0.5**0.5])
    assert np.allclose(matrix(f"{include}SUPERPOSITION(['a', 'b'])", "a b")[:, 0], [0.5] * 4)


@pytest.mark.parametrize("value", range(8))
def test_marking(value: int) -> None:
    found = matrix(f'.include "grover.qwasm"\nMARK(["a", "b", "c"], {value})', "a b c")
    signs = np.ones(8)
    signs[value] = -1
    assert same(found, np.diag(signs))


@pytest.mark.parametrize("value", range(8))
def test_phase_estimation(value: int) -> None:
    call = f'PHASE_ESTIMATION(["a", "b", "c"], t, {{2 * pi * {value} / 8}})'
    lines = f'.include "phase_estimation.qwasm"\nAPPLY_X t\n{call}'
    state = matrix(lines, "a b c t")[:, 0]
    assert np.isclose(abs(state[value + 8]), 1)


@pytest.mark.parametrize(("angle", "letters"), [(0.3, "XYZ"), (-1.1, "IZX"), (2.0, "YII")])
def test_product_rotation(angle: float, letters: str) -> None:
    product = Operator(PauliGate(letters[::-1])).data
    wanted = np.cos(angle / 2) * np.eye(8) - 1j * np.sin(angle / 2) * product
    assert same(matrix(f'QLPPR "{letters}", {angle}, a, b, c', "a b c"), wanted)


@pytest.mark.parametrize("factor", [3, 5, 7, 13])
def test_products(factor: int) -> None:
    size = 8
    wanted = np.zeros((size, size))
    wanted[[factor * x % size for x in range(size)], range(size)] = 1
    assert same(matrix(f"OPMUL {factor}, a, b, c", "a b c"), wanted)
    assert same(matrix(f"OPDIV {factor}, a, b, c", "a b c"), wanted.T)


def test_controlled_gates() -> None:
    lines = 'APPLY_CONTROLLED a, b, c, d, gate="RY", theta=0.4'
    wanted = np.eye(16, dtype=complex)
    rotation = Operator(QISKIT["ry"].__class__(0.4)).data
    wanted[np.ix_([7, 15], [7, 15])] = rotation
    assert same(matrix(lines, "a b c d"), wanted)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("OPMUL 4, a, b", "takes an odd factor"),
        ("OPMUL 3, a, a", "used twice"),
        ('APPLY_CONTROLLED a, b, gate="FOO"', "needs a gate"),
        ('APPLY_CONTROLLED a, b, gate="SWAP"', "there are no controls"),
        ('APPLY_CONTROLLED a, b, gate="X", theta=1', "has no angle"),
        ('APPLY_CONTROLLED a, b, gate="RX"', "needs one angle"),
        ('QLPPR "XX", 0.5, a', "2 Paulis for 1 qubit"),
        ('QLPPR "X", 1e999, a', "finite"),
    ],
)
def test_refusals(line: str, message: str) -> None:
    with pytest.raises(CompileError, match=message):
        matrix(line, "a b")


def test_every_file_of_the_library_reads_by_itself() -> None:
    files = sorted(Path(LIBRARY).glob("*.qwasm"))
    assert len(files) >= 6
    for path in files:
        text = f'.version 0.1\n.include "{path.name}"\n'
        assert [op.name for op in read(text, "t").main.blocks[0].ops] == ["return"]
