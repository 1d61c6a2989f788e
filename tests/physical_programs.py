"""Small programs as physical circuits, and what their results should be: helpers of tests."""

from __future__ import annotations

from functools import cache

import numpy as np
from lift import all_measured
from random_circuits import add_random_op
from trajectories import Run

from qwasmc.backends.physical import Physical, without_noise
from qwasmc.backends.stim.emit import emit
from qwasmc.backends.stim.noise import Noiser
from qwasmc.backends.stim.noise_models import parse_noise
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ops import CODE, OPS
from qwasmc.passes.defer_paulis import defer_paulis
from qwasmc.passes.lower_surgery import lower_surgery

TOLERANCE = 1e-6

CLIFFORD = ("x 0", "h 0; s 0; h 0", "h 0; cx 0 1", "h 0; s 0; cx 0 1; h 1; sdg 1; cz 0 1; h 0; h 1")

MAGIC = ("h 0; t 0; h 0", "h 0; tdg 0; h 0", "h 0; t 0; s 0; h 0")

MORE_MAGIC = (
    "h 0; t 0; sdg 0; h 0",
    "h 0; tdg 0; sdg 0; h 0",
    "x 0; h 0; t 0; h 0",
    "h 0; t 0; t 0; h 0",
    "h 0; t 0; t 0; sdg 0; h 0",
    "h 0; t 0; tdg 0; h 0",
    "h 0; t 0; h 0; t 0; h 0",
    "h 0; t 0; h 0; tdg 0; h 0; t 0; h 0",
    "h 0; cx 0 1; t 1; cx 0 1; h 0",
    "h 0; h 1; t 0; cz 0 1; t 1; h 0; h 1",
)


def program(text: str) -> Circuit:
    """Gates on qubits in |0>, which are measured in Z at the end."""
    builder = CircuitBuilder()
    gates = [gate.split() for gate in text.split("; ")]
    n = 1 + max(int(qubit) for gate in gates for qubit in gate[1:])
    wires = [builder.add("alloc", attr=f"q{i}") for i in range(n)]
    for name, *on in gates:
        first = builder.add(name, [wires[int(q)] for q in on])
        for slot, q in enumerate(on):
            wires[int(q)] = first + slot
    for wire in wires:
        builder.add("measure_z", [wire])
    return all_measured(builder.freeze())


def random_program(seed: int, qubits: int, gates: int, magic: int) -> Circuit:
    """Random operations, also under conjunctions of outcomes; at the end all are measured."""
    rng = np.random.default_rng(seed)
    builder = CircuitBuilder()
    wires = [builder.add("alloc", attr=f"q{i}") for i in range(qubits)]
    bits: list[int] = []
    for number in range(gates):
        add_random_op(builder, rng, wires, bits)
        at = int(rng.integers(qubits))
        if number < magic:
            wires[at] = builder.add("h", [wires[at]])
            wires[at] = builder.add(str(rng.choice(["t", "tdg"])), [wires[at]])
        elif len(bits) > 1 and rng.random() < 0.3:
            guard = builder.add("and", [int(bit) for bit in rng.choice(bits, size=2)])
            wires[at] = builder.add(str(rng.choice(["x", "y", "z"])), [wires[at]], cond=guard)
    for wire in wires:
        builder.add(str(rng.choice(["measure_x", "measure_y", "measure_z"])), [wire])
    return all_measured(builder.freeze())


def physical(circuit: Circuit, distance: int = 3, **options: object) -> Physical:
    surgery = lower_surgery(defer_paulis(circuit), **options)
    return without_noise(surgery, emit(surgery, distance))


@cache
def compiled(text: str, distance: int = 3) -> Physical:
    return physical(program(text), distance)


def noisy(made: Physical, noise: str = "uniform:0.001") -> Physical:
    noiser = Noiser(parse_noise(noise), range(made.emission.num_qubits))
    return Physical(made.surgery, made.emission, lambda: map(noiser.text, made.emission.texts()))


class Forced(Run):
    """A run that has to take given outcomes for all its measurements."""

    def measure(self, letters: str, axes: list[int], *, extra: bool) -> int:
        return super().measure(letters, axes, extra=False)


def probability(circuit: Circuit, results: list[int]) -> float:
    """That of the results of a program, all of whose measurements are results."""
    qubits = int((circuit.op == CODE["alloc"]).sum())
    start = np.zeros((2,) * qubits, dtype=complex)
    start.flat[0] = 1
    run = Forced(circuit, start, results, seed=0)
    assert [bits[0] for _, bits in run.results] == results
    return run.probability


def distribution(circuit: Circuit) -> dict[str, float]:
    """The probability of each value of a program's results."""
    n = sum(OPS[code].name == "result" for code in circuit.op.tolist())
    keys = [f"{number:0{n}b}" for number in range(2**n)]
    return {key: probability(circuit, [int(bit) for bit in key]) for key in keys}


def stand_in(text: str) -> Circuit:
    """The program with S for T."""
    return program(text.replace("tdg", "sdg").replace("t ", "s "))


def assert_exact(circuit: Circuit, results: list[int], log2: float) -> None:
    """A run had its results with the right probability: the other outcomes are even."""
    doublings = np.log2(probability(circuit, results)) - log2
    assert doublings > -TOLERANCE
    assert abs(doublings - round(doublings)) < TOLERANCE
