"""The levels of optimisation against state vectors, on random programs of every kind of row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from trajectories import assert_same

import qwasmc
from qwasmc.cost import cost, two_qubit_count
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ops import BY_NAME, CODE, OBJECTIVES
from qwasmc.options import Options, Watch
from qwasmc.passes.lower_gates import lower_gates
from qwasmc.passes.rotations.synthesis import eighths
from qwasmc.pipeline import LEVELS, select
from qwasmc.running import run_pass

ONE = ("h", "h", "h", "s", "sdg", "x", "y", "z", "sx", "sxdg", "t", "t", "tdg")
TWO = ("cx", "cx", "cx", "cz", "cy", "swap")
THREE = ("ccx", "ccz", "cswap")
ROTATIONS = ("rz", "rz", "p", "rx", "ry", "cp", "crz", "ppr")
DIAGONAL = ("t", "tdg", "s", "z", "cz", "ccz", "rz", "cp")
MEASUREMENTS = ("measure_z", "measure_x", "measure_y", "ppm")
EVENTS = (*MEASUREMENTS, "reset", "xor", "and", "const", "barrier", "syndrome", "pragma", "free")
ANGLES = (0.3, -0.3, 0.7, 1e-6, 3.0)
"""Angles that are no multiples of pi/4; few, so that some are equal."""


class Writer:
    """Appends rows to a circuit, on qubits by number and any of the bits made so far."""

    def __init__(self, seed: int, max_qubits: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.builder = CircuitBuilder()
        file = self.builder.locations.add_file("random.qwasm", "a row\n")
        self.builder.locations.add(file, 1, 1, 2)
        self.wires: dict[int, int] = {}
        """By qubit in use, its value."""
        self.bits: list[int] = []
        for qubit in range(int(self.rng.integers(1, max_qubits + 1))):
            life = self.choice(("alloc", "alloc", "alloc", "input"))
            self.wires[qubit] = self.builder.add(life, attr=f"q{qubit}", loc=0)

    def choice(self, names: tuple[str, ...]) -> str:
        return str(self.rng.choice(names))

    def condition(self, share: float) -> int:
        use = self.bits and self.rng.random() < share
        return int(self.rng.choice(self.bits)) if use else -1

    def row(self, name: str, qubits: list[int], **columns: object) -> None:
        first = self.builder.add(name, [self.wires[q] for q in qubits], loc=0, **columns)
        for slot, qubit in enumerate(qubits):
            self.wires[qubit] = first + slot
        if BY_NAME[name].makes_bit:
            self.bits.append(first + len(qubits))

    def picked(self, name: str) -> list[int]:
        """Qubits for a row."""
        qubits = [int(qubit) for qubit in self.rng.permutation(list(self.wires))]
        count = BY_NAME[name].qubits
        return qubits[: count if count >= 0 else int(self.rng.integers(1, len(qubits) + 1))]

    def letters(self, count: int) -> str:
        return "".join(self.rng.choice(list("XYZ"), size=count).tolist())

    def gate(self, name: str) -> tuple[str, list[int], dict[str, Any]]:
        """A gate with random qubits, or a Hadamard where there are too few."""
        if BY_NAME[name].qubits > len(self.wires):
            name = "h"
        qubits = self.picked(name)
        columns: dict[str, Any] = {}
        if BY_NAME[name].angle:
            exact = self.rng.random() < 0.6
            turns = int(self.rng.integers(-16, 17)) * np.pi / 4
            columns["angle"] = turns if exact else float(self.rng.choice(ANGLES))
        if name == "ppr":
            columns["attr"] = self.letters(len(qubits))
        return name, qubits, columns

    def any_gate(self) -> tuple[str, list[int], dict[str, Any]]:
        kinds = (ONE, TWO, THREE, ROTATIONS)
        return self.gate(self.choice(kinds[self.rng.choice(4, p=[0.45, 0.4, 0.08, 0.07])]))

    def sandwich(self) -> None:
        """Gates, diagonal ones that may depend on a bit, and the first undone or nearly so."""
        outer = [self.any_gate() for _ in range(int(self.rng.integers(1, 4)))]
        inner = [self.gate(self.choice(DIAGONAL)) for _ in range(int(self.rng.integers(3)))]
        cond = self.condition(0.3)
        for name, qubits, columns in outer:
            self.row(name, qubits, **columns)
        for name, qubits, columns in inner:
            self.row(name, qubits, cond=cond, **columns)
        skipped = int(self.rng.integers(20))
        for at, (name, qubits, columns) in enumerate(reversed(outer)):
            if at != skipped:
                inverse = str(BY_NAME[name].inverse)
                back = {"angle": -columns["angle"]} if "angle" in columns else {}
                self.row(inverse, qubits, **{**columns, **back})

    def event(self) -> None:
        """A row that is no gate."""
        name = self.choice(EVENTS)
        if name in MEASUREMENTS or name == "reset":
            qubits = self.picked(name)
            attr = {"attr": self.letters(len(qubits))} if name == "ppm" else {}
            self.row(name, qubits, cond=self.condition(0.2), **attr)
        elif name in ("xor", "and") and self.bits:
            some = self.rng.choice(self.bits, size=2).tolist()
            self.bits.append(self.builder.add(name, some, loc=0))
        elif name == "const":
            self.bits.append(self.builder.add(name, attr=int(self.rng.integers(2)), loc=0))
        elif name == "barrier":
            self.row(name, self.picked(name))
        elif name == "free" and len(self.wires) > 1:
            qubit = int(self.rng.choice(list(self.wires)))
            self.builder.add(name, [self.wires.pop(qubit)], loc=0)
        elif name == "syndrome":
            self.builder.add(name, attr=1, loc=0)
        else:
            self.builder.add("pragma", attr="a note", loc=0)

    def freeze(self) -> Circuit:
        for at, bit in enumerate(self.bits):
            self.builder.add("result", [bit], attr=f"m{at}", loc=0)
        for qubit in list(self.wires):
            if self.rng.random() < 0.2:
                self.builder.add("output", [self.wires.pop(qubit)], attr=f"q{qubit}", loc=0)
        return self.builder.freeze()


def random_program(seed: int, max_qubits: int = 7, max_gates: int = 60) -> Circuit:
    """Gates of all kinds, repeated and undone, measurements, and rows that depend on results."""
    writer = Writer(seed, max_qubits)
    rng = writer.rng
    events = rng.choice([0.0, 0.05, 0.2])
    predicated = rng.choice([0.0, 0.1, 0.3])
    sandwiches = rng.choice([0.0, 0.1, 0.3])
    end = int(rng.integers(2, max_gates + 1))
    while len(writer.builder.op) < end:
        kind = rng.random()
        if kind < events:
            writer.event()
        elif kind < events + sandwiches:
            writer.sandwich()
        else:
            name, qubits, columns = writer.any_gate()
            for _ in range(1 + (rng.random() < 0.15)):
                writer.row(name, qubits, cond=writer.condition(predicated), **columns)
    return writer.freeze()


def is_exact(circuit: Circuit) -> bool:
    """Whether lowered rotations need no synthesis."""
    return all(eighths(angle) is not None for angle in circuit.angle[circuit.op == CODE["rz"]])


def optimised(circuit: Circuit, level: int, **options: object) -> Circuit:
    """What the front half makes of a circuit, with the deep tier kept short.

    A rotation by another angle than multiples of pi/4 stays, as its words are not exact.
    """
    given = Options(emit="circuit", level=level, time_budget=5.0, **options)
    exact = is_exact(qwasmc.run_passes(circuit, ["lower-gates"]))
    skipped = ("defer-paulis",) if exact else ("defer-paulis", "synthesise")
    for row in select("circuit", "circuit", level):
        if row.name not in skipped:
            circuit = run_pass(circuit, row, given, Watch())
    return circuit


def check(seed: int, level: int) -> None:
    circuit = random_program(seed)
    ancillas = (0, 1, 2, None)[seed % 4]
    lowered = lower_gates(circuit, feed_forward=level == LEVELS[-1] and ancillas != 0)
    after = optimised(circuit, level, ancillas=ancillas)
    assert_same(circuit, after, seed)
    assert cost(after, "t")[:3] <= cost(lowered, "t")[:3]  # rotations may become T gates
    if level < LEVELS[-1]:
        assert two_qubit_count(after) <= two_qubit_count(lowered)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("seed", range(15))
def test_levels_keep_the_program(seed: int, level: int):
    check(seed, level)


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("batch", range(8))
def test_levels_keep_many_programs(batch: int, level: int):
    for seed in range(1000 + 100 * batch, 1100 + 100 * batch):
        check(seed, level)


@pytest.mark.slow
@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("seed", range(10))
def test_no_level_is_worse_in_the_objective(seed: int, objective: str):
    lowered = qwasmc.run_passes(random_program(seed), ["lower-gates"])
    costs = [cost(optimised(lowered, level, objective=objective), objective) for level in LEVELS]
    assert max(costs) <= cost(lowered, objective)
