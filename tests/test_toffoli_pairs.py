"""Pairs of Toffolis, and the table of actions they rest on, against matrices."""

from __future__ import annotations

import numpy as np
import pytest
from lowering import Build, distance, names, t_count, unitary
from statevector import MATRIX, PAULIS, rotation

from qwasmc.ir.circuit import Circuit
from qwasmc.ops import BY_NAME, OPS
from qwasmc.passes.lower_gates import lower_gates
from qwasmc.passes.toffolis.legs import ACTION
from qwasmc.verify import verify


def circuit_of(text: str, wires: int) -> Circuit:
    """Gates from lines such as "ccx 0 1 2; if x 0"."""
    build = Build(wires)
    for item in text.split(";"):
        *word, name = (word for word in item.split() if not word.isdigit())
        at = [int(word) for word in item.split() if word.isdigit()]
        build.gate(name, at, predicated=word == ["if"], angle=0.3 if BY_NAME[name].angle else 0.0)
    return build.freeze()


def lowered(circuit: Circuit) -> Circuit:
    """The circuit after the pass, which must be the same unitary for both predicates."""
    after = lower_gates(circuit)
    verify(after)
    for bit in (0, 1):
        assert distance(unitary(circuit, bit), unitary(after, bit)) < 1e-6
    return after


def two_qubit_count(circuit: Circuit) -> int:
    return sum(name in ("cx", "cz", "cy", "swap") for name in names(circuit))


def on_wire(pauli: str, slot: int, wires: int) -> np.ndarray:
    whole = np.eye(1)
    for wire in range(wires):
        whole = np.kron(whole, PAULIS[pauli if wire == slot else "I"])
    return whole


@pytest.mark.parametrize("name", [name for name in ACTION if BY_NAME[name].is_gate])
def test_actions_are_what_gates_commute_with(name):
    spec = BY_NAME[name]
    matrix = rotation(name, 0.3, "") if spec.angle else MATRIX[name]
    assert len(ACTION[name]) == spec.qubits
    for slot, letter in enumerate(ACTION[name]):
        for pauli in "ZX":
            operator = on_wire(pauli, slot, spec.qubits)
            commutes = np.allclose(matrix @ operator, operator @ matrix)
            assert commutes == (letter == pauli)


PAIRS = {
    "next to each other": ("ccx 0 1 2; ccx 1 0 2", 6),
    "controls on": ("ccx 0 1 2; cx 2 3; t 0; cz 1 3; ccx 0 1 2", 6 + 2),
    "a target that changes": ("ccx 0 1 2; h 2; s 2; cx 3 2; ccx 0 1 2", 8 + 1),
    "a control that changes": ("ccx 0 1 2; h 1; cx 3 2; s 1; ccx 0 1 2", 8 + 1),
    "the other control that changes": ("ccx 0 1 2; ry 0; x 2; z 1; ccx 0 1 2", 8),
    "X on a control that may be": ("ccx 0 1 2; cx 3 1; ccx 0 1 2", 6 + 1),
    "phases": ("ccz 0 1 2; cx 0 3; ccz 2 1 0", 6 + 1),
    "phases on changed qubits": ("ccz 0 1 2; h 0; ccz 2 1 0", 8),
    "ccz as ccx": ("h 2; ccz 0 1 2; h 2; cx 2 3; ccx 0 1 2", 6 + 1),
    "ccx as ccz": ("h 2; ccx 0 1 2; h 2; cx 2 3; ccz 0 1 2", 6 + 1),
    "h twice": ("h 2; h 2; ccx 0 1 2; h 2; h 2; cx 2 3; h 2; h 2; ccx 0 1 2", 6 + 1),
    "X twice on a control": ("ccx 0 1 2; x 0; t 0; x 0; h 2; ccx 0 1 2", 8),
    "Y and X on a control": ("ccx 0 1 2; y 0; t 0; x 0; h 2; ccx 0 1 2", 8),
    "predicated": ("ccx 0 1 2; if z 0; if x 2; if t 1; h 2; ccx 0 1 2", 8),
    "nested": ("ccx 0 1 2; ccx 2 3 4; cz 4 0; ccx 2 3 4; ccx 0 1 2", 6 + 6 + 1),
    "crossing on a wire that is no pivot": (
        "ccx 0 1 2; ccx 3 4 2; h 1; ccx 0 1 2; ccx 3 4 2",
        6 + 8,
    ),
    "crossing": ("ccx 0 1 2; ccx 2 3 4; ccx 0 1 2; ccx 2 3 4", 14),
}


@pytest.mark.parametrize("name", PAIRS)
def test_pairs_take_eight_t(name):
    text, cx = PAIRS[name]
    circuit = circuit_of(text, 5)
    after = lowered(circuit)
    assert t_count(after) == t_count(circuit) + 4 * text.count("cc")
    assert two_qubit_count(after) <= cx


ALONE = {
    "X once on a control": "ccx 0 1 2; x 0; h 2; ccx 0 1 2",
    "two that change": "ccx 0 1 2; h 0; h 2; ccx 0 1 2",
    "a predicated X on a control": "ccx 0 1 2; if x 0; h 2; ccx 0 1 2",
    "other targets": "ccx 0 1 2; ccx 0 2 1",
    "swapped": "ccx 0 1 2; swap 0 2; swap 0 2; ccx 0 1 2",
}


@pytest.mark.parametrize("name", ALONE)
def test_others_are_left_alone(name):
    assert t_count(lowered(circuit_of(ALONE[name], 3))) == 14


def test_segments_that_are_undone_stay_whole():
    build = Build()
    build.builder.add("rev_begin", attr="segment")
    build.gate("ccx")
    build.builder.add("rev_end", attr="segment")
    build.gate("ccx")
    build.builder.add("uncompute", attr="segment")
    for feed_forward in (False, True):
        assert t_count(lower_gates(build.freeze(), feed_forward)) == 14


GATES = ("ccx", "ccz", "cx", "cz", "cy", "h", "x", "y", "z", "t", "s", "sx", "swap", "rz", "cp")


def random_toffolis(seed: int) -> Circuit:
    """Few Toffolis, each often, among gates of all kinds; every other one with more of them."""
    rng = np.random.default_rng(seed)
    often = 0.9 if seed % 2 else 0.4
    wires = 4 if seed % 2 else 5
    build = Build(wires)
    toffolis = [rng.permutation(wires)[:3].tolist() for _ in range(3)]
    for _ in range(24):
        name = str(rng.choice(GATES, p=[0.8 * often, 0.2 * often] + [(1 - often) / 13] * 13))
        on = rng.permutation(wires)[: BY_NAME[name].qubits].tolist()
        if name in ("ccx", "ccz"):
            on = toffolis[rng.integers(3)]
        angle = 0.3 if BY_NAME[name].angle else 0.0
        build.gate(name, on, angle=angle, predicated=bool(rng.random() < 0.1))
    return build.freeze()


@pytest.mark.parametrize("seed", range(60))
def test_random_circuits_stay_the_same(seed):
    lowered(random_toffolis(seed))


def test_random_circuits_have_pairs():
    """So that the test before says something."""
    saved = 0
    for seed in range(60):
        circuit = random_toffolis(seed)
        toffolis = sum(OPS[code].name in ("ccx", "ccz") for code in circuit.op)
        saved += t_count(circuit) + 7 * toffolis - t_count(lower_gates(circuit))
    assert saved >= 60 * 6
