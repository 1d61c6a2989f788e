"""lower-gates against Qiskit's matrices, with a predicate both true and false."""

from __future__ import annotations

import math
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lowering import (
    EIGHTH,
    ROTATIONS,
    TOFFOLIS,
    WIRES,
    Build,
    distance,
    names,
    one,
    predicated_names,
    programs,
    t_count,
    unitary,
)

from qwasmc.api import parse, run_passes
from qwasmc.ir.circuit import Circuit
from qwasmc.ops import BY_NAME, OPS, Cost
from qwasmc.passes.lower_gates import lower_gates
from qwasmc.pipeline import LOWER_GATES, PASSES, load
from qwasmc.text import print_ir
from qwasmc.verify import verify


def lowered(circuit: Circuit) -> Circuit:
    """The circuit after the pass, with the laws that hold for all."""
    after = lower_gates(circuit)
    verify(after)
    left = {OPS[code].name for code in after.op if OPS[code].cost is Cost.SYNTHESIS}
    assert left <= {"rz"}
    return after


def test_every_costly_gate_is_tested():
    assert {spec.name for spec in OPS if spec.cost is Cost.SYNTHESIS} == {*TOFFOLIS, *ROTATIONS}


@pytest.mark.parametrize("predicated", [False, True])
@pytest.mark.parametrize("name", TOFFOLIS)
def test_toffolis_take_seven_t(name, predicated):
    circuit = one(name, predicated=predicated)
    after = lowered(circuit)
    for bit in (0, 1):
        assert distance(unitary(circuit, bit), unitary(after, bit)) < 1e-7
    assert t_count(after) == 7
    assert len(predicated_names(after)) == 7 * predicated
    assert set(predicated_names(after)) <= {"t", "tdg"}


MOST_T = {"cp": 3, "crz": 2}


@pytest.mark.parametrize("predicated", [False, True])
@pytest.mark.parametrize("name", ROTATIONS)
@pytest.mark.parametrize("k", range(-9, 10))
def test_multiples_of_an_eighth_turn_are_exact(name, k, predicated):
    angle = k * EIGHTH * (2 if name in MOST_T else 1)
    circuit = one(name, angle, "YXZ" if name == "ppr" else "", predicated=predicated)
    after = lowered(circuit)
    for bit in (0, 1):
        assert distance(unitary(circuit, bit), unitary(after, bit)) < 1e-7
    assert t_count(after) <= MOST_T.get(name, 1)
    assert not {"h", "cx"} & set(predicated_names(after))


@pytest.mark.parametrize(("name", "half"), [("p", ["z"]), ("ry", ["y"]), ("cp", ["cz"])])
def test_half_turns_are_single_gates(name, half):
    assert names(lowered(one(name, math.pi))) == half
    assert names(lowered(one(name, -3 * math.pi))) == half


def test_half_turns_of_products_are_paulis():
    after = lowered(one("ppr", 3 * math.pi, "XY", predicated=True))
    assert predicated_names(after) == names(after) == ["x", "y"]


def test_angles_near_multiples_are_taken_for_them():
    build = Build()
    for sign in (1, -1):
        build.gate("rz", angle=EIGHTH + 0.9e-12 * sign)
    build.gate("rz", angle=EIGHTH + 1.1e-12)
    assert names(lowered(build.freeze())) == ["t", "t", "rz"]


# -- rotations


def rotations(name: str, seed: int, predicated: bool) -> Circuit:
    rng = np.random.default_rng(seed)
    build = Build()
    for angle in (rng.normal(), 7 * rng.normal(), 1e9 * rng.normal(), 1e-6, 1e22):
        count = WIRES if name == "ppr" else BY_NAME[name].qubits
        wires = rng.permutation(WIRES)[:count].tolist()
        letters = "".join(rng.choice(list("XYZ"), size=count)) if name == "ppr" else ""
        build.gate(name, wires, angle=angle, letters=letters, predicated=predicated)
        build.gate("h", [wires[0]])
    return build.freeze()


@pytest.mark.parametrize("predicated", [False, True])
@pytest.mark.parametrize("name", ROTATIONS)
def test_rotations_become_rz(name, predicated):
    circuit = rotations(name, 1, predicated)
    after = lowered(circuit)
    for bit in (0, 1):
        assert distance(unitary(circuit, bit), unitary(after, bit)) < 2e-7
    assert names(after).count("rz") == 5 * MOST_T.get(name, 1)
    assert set(predicated_names(after)) == ({"rz"} if predicated else set())


def test_a_product_takes_a_tree_of_cx():
    n = 7
    build = Build(n)
    build.gate("ppr", angle=EIGHTH, letters="ZXYXZZX")
    after = lowered(build.freeze())
    assert distance(unitary(build.freeze()), unitary(after)) < 1e-7
    assert names(after).count("cx") == 2 * (n - 1)
    depth = [0] * after.n_values
    for row in range(len(after)):
        level = max((depth[value] for value in after.values(row)), default=0)
        depth[after.first[row] : after.first[row + 1]] = [level + 1] * int(
            after.first[row + 1] - after.first[row]
        )
    assert max(depth) < 2 * (4 + 2) + 3


@settings(max_examples=150, deadline=None)
@given(programs(st.one_of(st.floats(-20, 20), st.integers(-8, 8).map(lambda k: k * EIGHTH))))
def test_programs_stay_the_same(circuit):
    after = lowered(circuit)
    for bit in (0, 1):
        assert distance(unitary(circuit, bit), unitary(after, bit)) < 1e-6


# -- rows around the gates


def test_other_circuits_are_returned_as_they_are():
    circuit = one("cx")
    assert lower_gates(circuit) is circuit


def test_places_are_kept():
    build = Build()
    build.gate("h")
    build.gate("ccx")
    build.gate("rx", angle=EIGHTH)
    circuit = build.freeze()
    after = lowered(circuit)
    lines = [after.locations.line[loc] for loc in after.loc if loc >= 0]
    assert lines == [1] + [2] * 15 + [3] * 3


def test_rows_around_keep_what_they_say():
    """Names, attributes, pools and predicates survive when rows before them grow or vanish."""
    build = Build()
    build.gate("ccx")
    build.gate("ppr", [2, 0], letters="XY", angle=EIGHTH)
    builder, wires = build.builder, build.wires
    first = builder.add("ppm", [wires[0], wires[2]], attr="ZX")
    wires[0], wires[2], bit = first, first + 1, first + 2
    build.gate("rz", [1], angle=0.0)
    parity = builder.add("xor", [bit, build.bit])
    wires[1] = builder.add("x", [wires[1]], cond=parity)
    builder.add("syndrome", attr=3)
    builder.add("result", [parity], attr="answer")
    builder.add("free", [wires[0]])
    text = print_ir(lowered(build.freeze()))
    for kept in ('name = "answer"', 'paulis = "ZX"', "rounds = 3", '"qw.free"', '"qw.xor"'):
        assert text.count(kept) == 1, kept
    assert '"qw.ppr"' not in text


def test_what_does_nothing_vanishes():
    build = Build()
    for _ in range(3):
        build.gate("rz", [1], angle=2 * math.pi)
        build.gate("cp", [1, 0])
        build.gate("ppr", [2, 1], letters="ZZ", angle=0.0)
    build.gate("crz", [0, 1])
    build.gate("cx", [1, 2])
    assert names(lowered(build.freeze())) == ["cx"]


# T count, and gates on two qubits, of circuits that are often compared (Feynman).
CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "circuits" / "feynman"
PUBLISHED = {"qft_4": (69, 46), "tof_3": (15, 12), "barenco_tof_4": (32, 28), "mod5_4": (28, 28)}


@pytest.mark.parametrize("name", PUBLISHED)
def test_circuits_that_others_publish(name):
    path = CORPUS / f"{name}.qasm"
    if not path.exists():
        pytest.skip("the corpus is not here")
    circuit = run_passes(parse(path), ["promote", "specialise"])
    after = lowered(circuit)
    counts = Counter(names(after))
    most_t, most_cx = PUBLISHED[name]
    assert counts["t"] + counts["tdg"] <= most_t
    assert counts["cx"] + counts["cz"] <= most_cx
    assert distance(unitary(circuit), unitary(after)) < 1e-6


def test_few_modules_are_imported():
    code = (
        "import sys; from qwasmc.passes.lower_gates import lower_gates;"
        "assert not {'qiskit', 'stim'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_pass_is_run():
    assert load(LOWER_GATES.function) is lower_gates
    assert LOWER_GATES in PASSES
