"""Choices of floor plan, factories and distance: within budget, none better, refusals that help."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from test_lower_surgery import random_program, t_count

import qwasmc
from qwasmc import cli, target
from qwasmc.diagnostics import CompileError, Kind
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ir.surgery import Row, Surgery
from qwasmc.passes.defer_paulis import defer_paulis
from qwasmc.passes.lower_surgery import lower_surgery
from qwasmc.passes.scheduling import choice
from qwasmc.passes.scheduling.choice import Candidate, Wanted, choose, pareto
from qwasmc.passes.scheduling.factories import FACTORIES
from qwasmc.passes.scheduling.plan import FAMILIES
from qwasmc.text import print_ir

P = 1e-3

STATE_ERROR = {"injection": 1e-3, "cultivation-3": 3e-6, "cultivation-5": 2.1e-9}
"""At a physical error rate of 1e-3; see docs/factories.md."""


def program(seed: int = 1, gates: int = 40) -> Circuit:
    return defer_paulis(random_program(seed, 5, gates))


def clifford() -> Circuit:
    builder = CircuitBuilder()
    a, b = (builder.add("h", [builder.add("alloc", attr=name)]) for name in "ab")
    first = builder.add("cz", [a, b])
    builder.add("result", [builder.add("ppm", [first, first + 1], attr="XZ") + 2], attr="m")
    return builder.freeze()


def surgery_of(circuit: Circuit, found: Candidate) -> Surgery:
    return lower_surgery(
        circuit,
        found.floor_plan,
        found.factory if found.factories else "port",
        found.factories or None,
        distance=found.distance,
        error_rate=P,
    )


def state_error(name: str, distance: int) -> float:
    """Of 15-to-1: 35 p^3, and what its patches add, by the numbers in docs/factories.md."""
    if name != "15-to-1":
        return STATE_ERROR[name]
    return 35 * P**3 + 61 / 2 * distance * 0.1 * (100 * P) ** ((distance + 1) / 2)


def error_of(circuit: Circuit, found: Candidate) -> float:
    """The error of a run, by the rows: tiles outside of factories, slabs, states."""
    surgery = surgery_of(circuit, found)
    used = set()
    for row, kind in enumerate(map(Row, surgery.kind.tolist())):
        if kind == Row.CHIP:
            width, height = surgery.tile(row)
            used = {(x, y) for x in range(width) for y in range(height)}
    for row in np.flatnonzero(surgery.kind == Row.FACTORY).tolist():
        (x, y), (width, height, px, py, _) = surgery.tile(row), surgery.operands(row)
        used -= {(x + i, y + j) for i in range(width) for j in range(height)}
        used |= {(px, py), (px, py + 1)}
    rounds = surgery.slabs * (found.distance + 2)
    per_round = 0.1 * (100 * P) ** ((found.distance + 1) / 2)
    states = t_count(circuit) * state_error(found.factory, found.distance) if found.factories else 0
    return len(used) * rounds * per_round + states


@pytest.mark.parametrize("budget", [1e-2, 1e-6])
def test_candidates_meet_the_budget(budget):
    """The best one as it is lowered; others are estimates.  A chip may have tiles without use."""
    circuit = program()
    candidates = choose(circuit, Wanted(budget, P))
    assert surgery_of(circuit, candidates[0]).slabs == candidates[0].slabs
    for found in candidates:
        assert found.error <= budget
        assert found.slabs * found.distance <= found.rounds <= found.slabs * (found.distance + 2)
        expected = error_of(circuit, found)
        assert found.error <= expected * 1.01
        assert expected <= 3 * found.error
        if found.distance > 3:
            smaller = replace(found, distance=found.distance - 2)
            assert error_of(circuit, smaller) > budget


def test_rounds_are_those_of_the_circuit():
    circuit = clifford()
    (best, *_) = choose(circuit, Wanted(0.5, P, distance=3))
    text = print_ir(circuit).encode()
    artifact = qwasmc.compile(text, language="ir", distance=3, floor_plan=best.floor_plan)
    assert best.rounds == artifact.report["rounds"]


def test_the_front_is_a_front():
    found = choose(program(), Wanted(1e-3, P))
    front = [(each["qubits"], each["rounds"]) for each in pareto(found)]
    assert front == sorted(front)
    for each in found:
        beaten = [q <= each.qubits and r <= each.rounds for q, r in front]
        assert any(beaten)
    for q, r in front:
        assert not any(each.qubits < q and each.rounds <= r for each in found)
        assert not any(each.qubits <= q and each.rounds < r for each in found)


def test_the_best_has_the_least_volume():
    found = choose(program(), Wanted(1e-3, P))
    assert found[0].qubits * found[0].rounds == min(c.qubits * c.rounds for c in found)


def test_clifford_programs_have_no_factories():
    found = choose(clifford(), Wanted(1e-3, P, factories=3))
    assert {each.factories for each in found} == {0}
    assert len(found) == len({each.floor_plan for each in found})


def test_what_is_given_is_kept():
    wanted = Wanted(0.1, P, floor_plan="bus", factory="15-to-1", factories=3, distance=11)
    (found,) = choose(program(), wanted)
    kept = (found.floor_plan, found.factory, found.factories, found.distance)
    assert kept == ("bus", "15-to-1", 3, 11)


def test_the_start_of_a_program_may_mislead(monkeypatch):
    """Its first tasks are all Clifford, and fast; the full schedule needs a larger distance."""
    builder = CircuitBuilder()
    wires = [builder.add("alloc", attr=f"q{i}") for i in range(6)]
    for _ in range(10):
        for i, wire in enumerate(wires):
            wires[i] = builder.add("measure_x", [builder.add("h", [wire])])
    for _ in range(60):
        wires[0] = builder.add("t", [builder.add("h", [wires[0]])])
    circuit, wanted = builder.freeze(), Wanted(1e-2, P, factory="cultivation-3", factories=1)
    full = choose(circuit, wanted)[0]
    monkeypatch.setattr(choice, "SAMPLE", 20)
    found = choose(circuit, wanted)
    assert found[0] == full
    assert all(each.error <= wanted.error_budget for each in found)


# -- refusals --------------------------------------------------------------------------------------


def refused(circuit: Circuit, wanted: Wanted) -> str:
    """The way out that a refusal names."""
    with pytest.raises(CompileError) as caught:
        choose(circuit, wanted)
    assert caught.value.exit_code == Kind.LIMIT
    return caught.value.diagnostics[0].help


@pytest.mark.parametrize("wanted", [Wanted(1e-12, P), Wanted(1e-6, P, distance=7)])
def test_a_larger_budget_helps(wanted):
    help_text = refused(program(), wanted)
    budget = float(re.search(r"allow an error budget of (\S+?),", help_text)[1])
    assert choose(program(), replace(wanted, error_budget=budget))
    assert refused(program(), replace(wanted, error_budget=0.8 * budget))


@pytest.mark.parametrize("factory", [None, "15-to-1"])
def test_more_tiles_help(factory):
    wanted = Wanted(1e-3, P, "bus", factory, max_tiles=5)
    tiles = int(re.search(r"allow (\d+) tiles", refused(program(), wanted))[1])
    (*found,) = choose(program(), replace(wanted, max_tiles=tiles))
    assert found[0].tiles == tiles
    if factory:
        refused(program(), replace(wanted, max_tiles=tiles - 1))


def test_no_distance_helps_above_threshold():
    assert "lower the physical error rate" in refused(program(), Wanted(0.1, 2e-2))


def test_cultivation_is_not_published_above_its_rates():
    assert "15-to-1" in refused(program(), Wanted(0.1, 2e-3, factory="cultivation-3"))


def test_small_distances_need_more_tiles_for_a_cultivation_site():
    """A site has about as many qubits as a patch of distance 15."""
    tiles = {}
    for distance in (3, 7, 15):
        wanted = Wanted(0.9, P, "compact", "cultivation-3", 1, distance=distance)
        tiles[distance] = choose(defer_paulis(random_program(1, 1, 3)), wanted)[0].tiles
    assert (tiles[3] - tiles[15]) * 32 > 454 - 2 * 32
    assert (tiles[7] - tiles[15]) * 128 > 454 - 2 * 128


# -- command line ----------------------------------------------------------------------------------


def test_command_line(tmp_path, capsys):
    path = tmp_path / "program.mlir"
    path.write_text(print_ir(program()))
    schedule = tmp_path / "schedule.json"
    args = ["compile", str(path), "--emit", "surgery", "-o", str(tmp_path / "out.mlir")]
    budget = ["--error-budget", "1e-3", "--schedule", str(schedule)]
    assert cli.run(args + budget) == 0
    found = json.loads(schedule.read_text())
    (best,) = [c for c in found["pareto"] if c["slabs"] == found["slabs"]]
    assert best["distance"] == found["distance"]
    assert best["factories"] == len(found["factories"])
    assert cli.run([*args, "--error-budget", "1e-3", "--max-tiles", "5"]) == Kind.LIMIT
    assert "tiles" in capsys.readouterr().err


def test_the_command_line_offers_what_there_is():
    """It has names of its own, to start without what is behind them."""
    assert tuple(FACTORIES) == target.FACTORIES
    assert tuple(FAMILIES) == target.FLOOR_PLANS
    assert FACTORIES.keys() >= set(target.INJECTING)
