"""The levels of optimisation against state vectors, on random programs with measurements."""

from __future__ import annotations

import numpy as np
import pytest
from trajectories import assert_same

import qwasmc
from qwasmc.cost import cost, t_count, two_qubit_count
from qwasmc.driver import Options, Watch, run_pass
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.pipeline import LEVELS, OBJECTIVES, select

ONE = ("h", "h", "s", "sdg", "x", "z", "sx", "t", "t", "tdg")
TWO = ("cx", "cx", "cz", "swap")


def random_program(seed: int, max_qubits: int = 7, max_gates: int = 60) -> Circuit:
    """Clifford, T and Toffoli gates, measurements, resets, and Paulis that depend on results."""
    rng = np.random.default_rng(seed)
    builder = CircuitBuilder()
    builder.locations.add(builder.locations.add_file("random.qwasm", "a row\n"), 1, 1, 2)
    n = int(rng.integers(1, max_qubits + 1))
    wires = [builder.add("alloc", attr=f"q{i}", loc=0) for i in range(n)]
    bits: list[int] = []
    for _ in range(int(rng.integers(1, max_gates + 1))):
        kind = rng.random()
        picked = [int(at) for at in rng.permutation(n)]
        cond = -1
        if kind < 0.05:
            name, picked = str(rng.choice(["measure_z", "measure_x", "reset"])), picked[:1]
        elif kind < 0.1 and bits:
            name, picked = str(rng.choice(["x", "y", "z"])), picked[:1]
            cond = int(rng.choice(bits))
        elif kind < 0.55 or n == 1:
            name, picked = str(rng.choice(ONE)), picked[:1]
        elif kind < 0.95 or n == 2:
            name, picked = str(rng.choice(TWO)), picked[:2]
        else:
            name, picked = str(rng.choice(["ccx", "ccz"])), picked[:3]
        first = builder.add(name, [wires[at] for at in picked], cond=cond, loc=0)
        for slot, at in enumerate(picked):
            wires[at] = first + slot
        if name.startswith("measure"):
            bits.append(first + 1)
    for at, bit in enumerate(bits):
        builder.add("result", [bit], attr=f"m{at}", loc=0)
    return builder.freeze()


def optimised(circuit: Circuit, level: int, **options: object) -> Circuit:
    """What the front half makes of a circuit, with the deep tier kept short."""
    given = Options(emit="circuit", level=level, time_budget=5.0, **options)
    rows = [row for row in select("circuit", "circuit", level) if row.name != "defer-paulis"]
    for row in rows:
        circuit = run_pass(circuit, row, given, Watch())
    return circuit


def check(seed: int, level: int) -> None:
    circuit = random_program(seed)
    lowered = qwasmc.run_passes(circuit, ["lower-gates"])
    after = optimised(circuit, level)
    assert_same(circuit, after, seed)
    assert t_count(after) <= t_count(lowered)
    if level < LEVELS[-1]:
        assert two_qubit_count(after) <= two_qubit_count(lowered)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("seed", range(15))
def test_levels_keep_the_program(seed: int, level: int):
    check(seed, level)


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("batch", range(20))
def test_levels_keep_many_programs(batch: int, level: int):
    for seed in range(1000 + 100 * batch, 1100 + 100 * batch):
        check(seed, level)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("seed", range(10))
def test_no_level_is_worse_in_the_objective(seed: int, objective: str):
    lowered = qwasmc.run_passes(random_program(seed), ["lower-gates"])
    costs = [cost(optimised(lowered, level, objective=objective), objective) for level in LEVELS]
    assert max(costs) <= cost(lowered, objective)
