"""Pairs of Toffolis, and the table of actions they rest on, against matrices."""

from __future__ import annotations

import numpy as np
import pytest
from lowering import Build, distance, names, t_count, unitary
from statevector import MATRIX, PAULIS, rotation

from qwasmc.cost import IS_T, depth
from qwasmc.ir.circuit import Circuit
from qwasmc.ops import BY_NAME, OPS
from qwasmc.passes.lower_gates import lower_gates
from qwasmc.passes.toffolis.legs import ACTION
from qwasmc.verify import verify


def circuit_of(text: str, wires: int) -> Circuit:
    """Gates from words such as "ccx 0 1 2; if x 0"; "alloc" makes a wire without a name."""
    build = Build(wires)
    for item in text.split(";"):
        *word, name = (word for word in item.split() if not word.isdigit())
        at = [int(word) for word in item.split() if word.isdigit()]
        if name == "alloc":
            build.wires.append(build.builder.add("alloc", attr=""))
            continue
        build.gate(name, at, predicated=word == ["if"], angle=0.3 if BY_NAME[name].angle else 0.0)
    return build.freeze()


def lowered(circuit: Circuit) -> Circuit:
    """The circuit after the pass, which must be the same unitary for both predicates."""
    after = lower_gates(circuit)
    verify(after)
    for bit in (0, 1):
        assert distance(unitary(circuit, bit), unitary(after, bit)) < 1e-6
    return after


def lowered_isometry(circuit: Circuit, wires: int) -> Circuit:
    """The same for a circuit with this many wires whose others start in |0>."""
    after = lower_gates(circuit)
    verify(after)
    for bit in (0, 1):
        one, other = (unitary(each, bit)[:, : 2**wires] for each in (circuit, after))
        overlap = one.conj().T @ other
        assert abs(abs(overlap[0, 0]) - 1) < 1e-9
        assert np.allclose(overlap, overlap[0, 0] * np.eye(2**wires))
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


GATES = ("ccx", "ccz", "cx", "cz", "cy", "h", "x", "y", "z", "t", "s", "sx", "swap", "rz", "cp")

ANCILLAS = {
    "onto |0>": ("alloc; ccx 0 1 4", 4, 4),
    "there and back": ("alloc; ccx 0 1 4; cz 4 2; ccx 1 0 4", 8, 6 + 1),
    "there and back on a target that changes": (
        "alloc; ccx 0 1 4; cx 2 4; cz 4 3; cx 2 4; ccx 0 1 4",
        *(8, 8 + 3),
    ),
    "there and back with controls that change": (
        "alloc; ccx 0 1 4; cx 2 0; cx 4 3; cx 3 1; cx 3 1; cx 2 0; ccx 0 1 4",
        *(8, 8 + 5),
    ),
    "back from another wire": ("alloc; alloc; ccx 0 1 4; cx 4 2; swap 4 5; ccx 0 1 5", 8, 8 + 2),
    "a chain": (
        "alloc; alloc; ccx 0 1 4; ccx 4 2 5; cz 5 3; ccx 4 2 5; ccx 0 1 4",
        *(16, 12 + 1),
    ),
    "twice onto |0>": (
        "alloc; ccx 0 1 4; cx 4 2; ccx 0 1 4; h 0; ccx 1 3 4; cx 4 2",
        *(12, 6 + 4 + 2),
    ),
    "between pairs on that target": (
        "alloc; ccx 0 1 4; t 4; ccx 0 1 4; ccx 0 2 4; cx 1 0; cx 4 3; cx 1 2; cx 1 2; cx 1 0;"
        "ccx 0 2 4; ccx 0 1 4; t 4; ccx 0 1 4",
        *(26, 6 + 8 + 6 + 5),
    ),
    "in a pair that changes the target": (
        "alloc; alloc; ccx 0 1 5; swap 4 5; ccx 0 1 4; h 0; ccx 2 3 4; ccx 0 1 4",
        *(19, 4 + 1 + 8 + 6),
    ),
    "three times": ("alloc; ccx 0 1 4; x 4; cx 0 1; cx 0 1; ccx 0 1 4; ccx 0 1 4", 15, 12 + 2),
    "onto |1>": ("alloc; x 4; ccx 0 1 4", 4, 4),
    "behind other gates": ("alloc; cx 3 4; z 0; x 4; cx 0 4; ccx 0 1 4; ccx 1 2 4", 11, 12),
    "behind a control's change": ("alloc; cx 3 4; x 0; ccx 0 1 4", 7, 7),
    "behind another control's change": ("alloc; cx 3 4; cx 2 1; cx 0 4; ccx 0 1 4", 7, 9),
    "behind a use": ("alloc; cx 3 4; cx 4 2; ccx 0 1 4", 7, 8),
    "behind a phase": ("alloc; cx 3 4; t 4; ccx 0 1 4", 8, 7),
    "behind a predicated gate": ("alloc; cx 3 4; if x 4; ccx 0 1 4", 7, 7),
    "behind a control's alloc": ("alloc; cx 3 4; alloc; ccx 5 1 4; h 5", 7, 7),
    "behind a Toffoli onto a control": ("alloc; alloc; cx 3 4; ccx 0 1 5; ccx 5 2 4", 11, 11),
    "of unknown qubits": ("ccx 0 1 2", 7, 6),
    "by chance": ("alloc; if ccx 0 1 4; h 0; if ccx 0 1 4", 14, 12),
}


@pytest.mark.parametrize("name", ANCILLAS)
def test_targets_in_zero(name):
    text, t, two_qubit = ANCILLAS[name]
    after = lowered_isometry(circuit_of(text, 4), 4)
    assert (t_count(after), two_qubit_count(after)) == (t, two_qubit)


def test_two_ands_are_as_good_as_a_long_pair_and_of_less_depth():
    text = ANCILLAS["there and back on a target that changes"][0]
    assert depth(lower_gates(circuit_of(text, 4)), IS_T) == 4
    unknown = lower_gates(circuit_of(text.replace("alloc; ", ""), 5))
    assert (t_count(unknown), depth(unknown, IS_T)) == (8, 8)


@pytest.mark.parametrize("seed", range(60))
def test_random_ancillas_stay_the_same(seed):
    """Toffolis onto two ancillas, mostly in pairs."""
    rng = np.random.default_rng(seed)
    text = ["alloc", "alloc"]
    toffolis = [f"ccx {a} {b} {c}" for a, b, c in ((0, 1, 3), (3, 2, 4), (1, 2, 4), (0, 2, 3))]
    for _ in range(10):
        chosen = [str(each) for each in rng.choice(toffolis, size=int(rng.integers(1, 3)))]
        name = str(rng.choice([*GATES, "x", "cx", "cx", "cz", "cz"]))
        on = rng.permutation(5)[: BY_NAME[name].qubits]
        between = " ".join([name, *map(str, on)])
        text += [*chosen, between, *(chosen[::-1] if rng.random() < 0.8 else [])]
    lowered_isometry(circuit_of(";".join(text), 3), 3)


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
