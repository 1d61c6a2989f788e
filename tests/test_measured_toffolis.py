"""Toffolis by measured ancillas, over all branches of their measurements."""

from __future__ import annotations

import numpy as np
import pytest
from lowering import Build, t_count
from statevector import MATRIX, Branch, step

from qwasmc.ir.circuit import Circuit
from qwasmc.ops import BY_NAME, CODE, OPS
from qwasmc.passes.lower_gates import lower_gates
from qwasmc.verify import verify


def final_state(circuit: Circuit, seed: int) -> np.ndarray:
    """The density matrix of the named qubits at the end, from a random state of them."""
    wire = circuit.wires()
    made = [row for row, code in enumerate(circuit.op) if OPS[code].makes_qubit]
    named = [bool(circuit.attribute(row)) for row in made]
    rng = np.random.default_rng(seed)
    shape = tuple(2 if own else 1 for own in named)
    start = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    start = np.pad(start / np.linalg.norm(start), [(0, 2 - length) for length in shape])
    branches = [Branch(start, {})]
    for row in range(len(circuit)):
        branches = [new for old in branches for new in step(circuit, row, wire, old, MATRIX)]
    others = [at for at, own in enumerate(named) if not own]
    n = 2 ** sum(named)
    total = np.zeros((n, n), dtype=complex)
    for branch in branches:
        state = np.moveaxis(branch.state, others, range(-len(others), 0)).reshape(n, -1)
        total += state @ state.conj().T
    return total


def lowered(circuit: Circuit) -> Circuit:
    """The circuit after the pass, which must do the same."""
    after = lower_gates(circuit, feed_forward=True)
    verify(after)
    assert np.allclose(final_state(circuit, 1), final_state(after, 1), atol=1e-9)
    return after


def circuit_of(text: str, wires: int) -> Circuit:
    """Gates from words such as "ccx 0 1 2; if x 0".

    "alloc" makes one more wire, without a name, and "mz" a new bit for what follows.
    """
    build = Build(wires)
    for item in text.split(";"):
        *word, name = (word for word in item.split() if not word.isdigit())
        at = [int(word) for word in item.split() if word.isdigit()]
        if name == "alloc":
            build.wires.append(build.builder.add("alloc", attr=""))
        elif name == "free":
            build.builder.add("free", [build.wires[at[0]]])
        elif name == "mz":
            build.wires[at[0]] = build.builder.add("measure_z", [build.wires[at[0]]])
            build.bit = build.wires[at[0]] + 1
        else:
            build.gate(name, at, predicated=word == ["if"], angle=0.3 * BY_NAME[name].angle)
    return build.freeze()


# By name: the program on 4 qubits, its products, and the ancillas they take.
PROGRAMS = {
    "one": ("ccx 0 1 2", 1, 1),
    "ccz": ("ccz 0 1 2", 1, 1),
    "cswap": ("cswap 0 1 2", 1, 1),
    "a shared product": ("ccx 0 1 2; h 2; cx 2 3; ccx 1 0 3; cz 0 3; ccx 0 1 2", 1, 1),
    "a product of target and control": ("ccx 0 1 2; h 0; cx 3 2; t 1; ccx 0 1 2", 1, 1),
    "a changed control": ("ccx 0 1 2; h 0; h 2; ccx 0 1 2", 2, 2),
    "a control flipped twice": ("ccx 0 1 2; x 0; h 2; x 0; ccx 0 1 3", 1, 1),
    "a control flipped once": ("ccx 0 1 2; x 0; h 2; ccx 0 1 3", 2, 2),
    "crossing": ("ccx 0 1 2; ccz 0 2 3; h 2; ccx 0 1 2; ccz 2 3 0", 2, 2),
    "in place": ("alloc; ccx 0 1 4; cx 4 2; ccx 0 1 4; free 4", 1, 0),
    "a ccz on |0>, which gets no product": ("reset 0; ccz 0 1 2; h 0", 1, 1),
    "in place, for good": ("reset 2; ccx 0 1 2; h 2", 1, 0),
    "in place, twice": ("alloc; ccx 0 1 4; cz 4 2; ccx 0 1 4; ccx 2 3 4; cz 4 1; ccx 2 3 4", 2, 0),
    "a chain": (
        "alloc; alloc; ccx 0 1 4; ccx 4 2 5; cx 5 3; ccx 2 4 5; free 5; ccx 1 0 4; free 4",
        2,
        0,
    ),
    "not |0> any more": ("alloc; x 4; ccx 0 1 4; cx 4 2; ccx 0 1 4", 1, 1),
    "not |0> in between": ("alloc; ccx 0 1 4; h 4; ccx 0 1 4; cx 4 2", 1, 1),
    "not |0> perhaps": ("alloc; if x 4; ccx 0 1 4; cx 4 2; ccx 0 1 4", 1, 1),
    "a target that keeps its product": ("alloc; ccx 0 1 4; ccx 0 1 4; cx 4 2; ccx 0 2 4", 2, 0),
    "a third Toffoli": ("alloc; ccx 0 1 4; ccx 0 1 2; ccx 0 1 4; cx 4 3", 1, 1),
    "predicated": ("h 3; mz 3; if ccx 0 1 2; h 3; mz 3; if ccz 0 1 2", 1, 1),
    "predicated onto |0>": ("h 3; mz 3; alloc; if ccx 0 1 4; cx 4 2; if ccx 0 1 4", 1, 1),
    "perhaps undone": ("h 3; mz 3; alloc; ccx 0 1 4; cx 4 2; if ccx 0 1 4; cx 4 3", 1, 1),
    "perhaps onto |0>": ("h 3; mz 3; alloc; if ccx 0 1 4; h 0; h 1; ccx 0 1 4; cx 4 3", 2, 2),
    "reset in between": ("reset 2; ccx 0 1 2; reset 2; ccx 0 1 2; h 2", 1, 1),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_products(name):
    text, products, ancillas = PROGRAMS[name]
    circuit = circuit_of(text, 4)
    after = lowered(circuit)
    assert t_count(after) == 4 * products + t_count(circuit)
    allocated = [(each.op == CODE["alloc"]).sum() for each in (circuit, after)]
    assert allocated[1] - allocated[0] == ancillas


def test_measurements_of_ancillas_have_no_place():
    after = lowered(circuit_of("ccx 0 1 2; ccz 0 1 3; reset 3; ccx 0 1 3; h 0", 4))
    for row, code in enumerate(after.op):
        if OPS[code].name not in ("alloc", "const"):
            assert (after.loc[row] < 0) == (OPS[code].name == "measure_x")


def test_other_circuits_have_no_products():
    assert t_count(lowered(circuit_of("p 0; rx 1; cx 0 1", 2))) == 0


@pytest.mark.parametrize("seed", range(30))
def test_random_circuits_stay_the_same(seed):
    rng = np.random.default_rng(seed)
    text = ["alloc"]
    gates = ("h", "x", "z", "t", "cx", "cz", "reset", "swap", "y")
    toffolis = 0
    for _ in range(16):
        name = str(rng.choice(gates)) if rng.random() < 0.6 else "ccx"
        toffolis += name == "ccx"
        on = rng.permutation(5)
        if name == "ccx":
            on = [[0, 1, 4], [1, 2, 0], [0, 1, 2], [3, 4, 1]][rng.integers(4)]
        if toffolis <= 5:
            text.append(" ".join([name, *map(str, on[: BY_NAME[name].qubits])]))
    lowered(circuit_of(";".join(text), 4))
