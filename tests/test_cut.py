"""Circuit cutting: values knit together from pieces are those of the whole circuit."""

from __future__ import annotations

import math
import random
from pathlib import Path

import numpy as np
import pytest
from cut_programs import (
    PROGRAMS,
    branched,
    compiled,
    exact,
    exact_outcomes,
    expected,
    ghz,
    products,
    random_program,
    read,
    scattered,
    shots_of,
)
from qiskit import QuantumCircuit, qasm3
from qiskit.quantum_info import Operator, Pauli

from qwasmc.backends.cutting.knit import knit
from qwasmc.ir.circuit import CircuitBuilder
from qwasmc.pipeline import load

addon = pytest.importorskip("qiskit_addon_cutting")
cut = load("qwasmc.backends.cutting.cut:cut")

EXAMPLE = Path(__file__).parent.parent / "examples" / "cut.qwasm"

SLOW = ("ghz4 alone", "rotations alone", "toffoli", "alternating", "random 3", "random 4")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * (n in SLOW)) for n in PROGRAMS]
)
def test_exact_distributions_give_exact_values(name):
    circuit, width = PROGRAMS[name]
    n = circuit.num_qubits
    rng = random.Random(n)
    paulis = ["Z" * n, *("".join(rng.choices("IXYZ", k=n)) for _ in range(3))]
    plan = cut(compiled(circuit), width, paulis)
    assert all(piece["qubits"] <= width for piece in plan["pieces"])
    for piece in plan["pieces"]:
        circuits = [qasm3.loads(each["qasm"]) for each in piece["experiments"]]
        assert {each.num_qubits for each in circuits} == {piece["qubits"]}
    for estimate in knit(plan, exact(plan)):
        assert estimate["value"] == pytest.approx(expected(circuit, estimate["name"]), abs=1e-9)


def test_results_are_observed_by_default():
    circuit = scattered(1, 3, 10, 3)
    estimates = knit(plan := cut(compiled(circuit), 2), exact(plan))
    names = [f"meas[{at}]" for at in range(3)]
    assert [estimate["name"] for estimate in estimates] == [*names, "*".join(names)]
    assert [each["paulis"] for each in plan["observables"]] == ["ZII", "IZI", "IIZ", "ZZZ"]
    for estimate, each in zip(estimates, plan["observables"], strict=True):
        assert estimate["value"] == pytest.approx(expected(circuit, each["paulis"]), abs=1e-9)


def test_results_of_any_basis_and_their_parities():
    circuit = QuantumCircuit(3)
    circuit.rx(0.7, 0)
    circuit.cx(0, 1)
    circuit.ry(0.4, 1)
    circuit.cx(1, 2)
    circuit.rx(0.3, 2)
    plan = cut(products(), 2)
    found = [(each["paulis"], each["sign"]) for each in plan["observables"]]
    assert found == [("XYI", 1), ("IIY", -1), ("XII", 1), ("IYY", -1), ("III", 1)]
    for estimate, (paulis, sign) in zip(knit(plan, exact(plan)), found, strict=True):
        assert estimate["value"] == pytest.approx(sign * expected(circuit, paulis), abs=1e-9)


@pytest.mark.parametrize("letters", ["X", "YX", "ZY", "XYZ", "YIX", "ZXYX"])
def test_rotations_about_products(letters):
    """Cut as one gate on two qubits, whatever the product."""
    n = len(letters)
    builder = CircuitBuilder()
    wires = [builder.add("alloc", attr=f"q{at}") for at in range(n)]
    whole = QuantumCircuit(n)
    for at in range(n):
        wires[at] = builder.add("ry", [wires[at]], angle=0.3 + at)
        whole.ry(0.3 + at, at)
    first = builder.add("ppr", wires, angle=0.8, attr=letters)
    for at in range(n):
        bit = builder.add("measure_z", [first + at]) + 1
        builder.add("result", [bit], attr=f"m{at}")
    generator = Operator(Pauli(letters[::-1])).data
    turn = math.cos(0.4) * np.eye(2**n) - 1j * math.sin(0.4) * generator
    whole.unitary(turn, range(n))
    both = len(letters.replace("I", "")) == 2
    plan = cut(builder.freeze(), 1 if both else max(1, n - 1), ["X" * n, "Y" * n, "Z" * n])
    for estimate in knit(plan, exact(plan)):
        assert estimate["value"] == pytest.approx(expected(whole, estimate["name"]), abs=1e-9)
    if both:
        assert plan["overhead"] == pytest.approx((1 + 2 * math.sin(0.8)) ** 2)


def test_resets_of_qubits_that_are_not_measured():
    circuit = QuantumCircuit(3, 3)
    for at in range(3):
        circuit.ry(0.4 + at, at)
    circuit.cx(0, 1)
    circuit.reset(1)
    circuit.ry(0.3, 1)
    circuit.cx(1, 2)
    circuit.cx(0, 1)
    circuit.measure(range(3), range(3))
    text = qasm3.dumps(circuit)
    whole = exact_outcomes(text)
    plan = cut(read(text), 2)
    for estimate in knit(plan, exact(plan)):
        names = estimate["name"].split("*")
        assert estimate["value"] == pytest.approx(whole.mean(names), abs=1e-9)


TELEPORT = """
    QLINIT 3
    QLRY 0, 0.7
    QLH 1
    QLCNOT 1, 2
    QLCNOT 0, 1
    QLH 0
    QLMEASURE 0, r0
    QLMEASURE 1, r1
    IF r1: QLX 2
    IF r0: QLZ 2
"""


def test_paulis_under_results_are_controlled_by_what_was_measured():
    """The state that is teleported keeps its angle; a measured qubit is used again."""
    plan = cut(read(TELEPORT), 2, ["IIX", "IIY", "IIZ"])
    found = [estimate["value"] for estimate in knit(plan, exact(plan))]
    assert found == pytest.approx([math.sin(0.7), 0, math.cos(0.7)], abs=1e-9)
    text = TELEPORT + "QLRESET 0\nQLCNOT 2, 0\nQLMEASURE 0, r2\n"
    plan = cut(read(text), 3)
    assert plan["qubits"] == ["0", "1", "2", "0"]
    values = {each["name"]: each["value"] for each in knit(plan, exact(plan))}
    wanted = {"r0": 0, "r1": 0, "r2": math.cos(0.7), "r0*r1*r2": 0}
    assert values == pytest.approx(wanted, abs=1e-9)


def test_a_pauli_under_a_product_that_was_measured():
    text = """
        QLINIT 3
        QLRX 0, 0.7
        QLCNOT 0, 1
        QLRY 1, 0.4
        QLPPM "XY", 0, 1, r0
        IF r0: QLZ 2
        QLH 2
        IF r0: QLZ 2
        QLMEASURE 2, r1, basis=X
    """
    plan = cut(read(text), 2)
    found = {each["name"]: each["value"] for each in knit(plan, exact(plan))}
    whole = QuantumCircuit(2)
    whole.rx(0.7, 0)
    whole.cx(0, 1)
    whole.ry(0.4, 1)
    value = expected(whole, "XY")
    assert abs(value) > 0.1
    assert found == pytest.approx({"r0": value, "r1": value, "r0*r1": 1}, abs=1e-9)


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 11))]
)
def test_random_programs_with_feed_forward(seed):
    """Against every branch of the program itself, which Qiskit runs."""
    builder, whole = random_program(seed)
    distribution = branched(whole)
    plan = cut(builder, 3)
    for estimate in knit(plan, exact(plan)):
        names = [f"r[{name[1:]}]" for name in estimate["name"].split("*")]
        assert estimate["value"] == pytest.approx(distribution.mean(names), abs=1e-9)


# -- overhead --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gate", "overhead"),
    [
        ("cx(0, 1)", 9),
        ("cz(0, 1)", 9),
        ("cy(0, 1)", 9),
        ("cp(0.7, 0, 1)", (1 + 2 * math.sin(0.35)) ** 2),
        ("crz(0.7, 0, 1)", (1 + 2 * math.sin(0.35)) ** 2),
        ("swap(0, 1)", 1),
    ],
)
def test_published_overhead_of_a_gate(gate, overhead):
    circuit = QuantumCircuit(2)
    eval(f"circuit.{gate}", {"circuit": circuit})
    plan = cut(compiled(circuit), 1)
    assert plan["overhead"] == pytest.approx(overhead, rel=1e-14)
    assert [each["overhead"] for each in plan["cuts"]] == pytest.approx([overhead] * (overhead > 1))
    assert plan["shots"]["shots"] == math.ceil(plan["overhead"] * 1e4)


@pytest.mark.slow
def test_overhead_is_the_product_of_that_of_the_cuts():
    kinds = set()
    for circuit, width in PROGRAMS.values():
        plan = cut(compiled(circuit), width)
        kinds |= {each["kind"] for each in plan["cuts"]}
        for each in plan["cuts"]:
            if each["kind"] == "wire":
                assert each["overhead"] == 16
        product = math.prod(each["overhead"] for each in plan["cuts"])
        assert plan["overhead"] == pytest.approx(product, rel=1e-12)
        weight = sum(abs(term["coefficient"]) for term in plan["terms"])
        assert weight**2 == pytest.approx(plan["overhead"], rel=1e-9)
    assert kinds == {"gate", "wire"}


def test_cuts_have_places():
    plan = cut(read(EXAMPLE.read_text(), "cut.qwasm"), 3)
    (only,) = plan["cuts"]
    lines = EXAMPLE.read_text().splitlines()
    assert (only["kind"], only["gate"], only["qubits"], only["overhead"]) == (
        "wire",
        "cx",
        ["2"],
        16,
    )
    assert lines[int(str(only["place"]).split(":")[1]) - 1].startswith("QLCNOT 2, 3")


def test_the_addon_confuses_wires_that_are_cut_in_turn():
    """Why `cut_wires` is not used; if this fails, it can be."""
    circuit = QuantumCircuit(2)
    for qubit in (0, 1, 0):
        circuit.append(addon.instructions.CutWire(), [qubit])
    assert addon.cut_wires(circuit).num_qubits < 5


# -- shots -----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ghz4", "wire", "rotations"])
def test_standard_errors_are_those_of_repeated_runs(name):
    circuit, width = PROGRAMS[name]
    n = circuit.num_qubits
    plan = cut(compiled(circuit), width, ["Z" * n, "X" * n])
    distributions = exact(plan)
    rng = np.random.default_rng(1)
    runs = []
    for _ in range(150):
        run = {each: shots_of(found, 500, rng) for each, found in distributions.items()}
        runs.append(knit(plan, run))
    for at, paulis in enumerate(["Z" * n, "X" * n]):
        values = np.array([run[at]["value"] for run in runs])
        error = np.mean([run[at]["error"] for run in runs])
        assert abs(values.mean() - expected(circuit, paulis)) <= 5 * error / math.sqrt(150) + 1e-12
        assert values.std() == pytest.approx(error, rel=0.3, abs=1e-12)


@pytest.mark.slow
def test_standard_errors_with_terms_that_are_drawn():
    circuit = ghz(4)
    whole = compiled(circuit)
    estimates = []
    for seed in range(60):
        plan = cut(whole, 1, ["XXXX"], samples=60, seed=seed)
        assert len(plan["terms"]) <= plan["draws"] == 60
        estimates.append(knit(plan, exact(plan))[0])
    values = np.array([each["value"] for each in estimates])
    error = math.sqrt(np.mean([each["error"] ** 2 for each in estimates]))
    assert abs(values.mean() - 1) < 5 * error / math.sqrt(len(values))
    assert values.std() == pytest.approx(error, rel=0.4)


def test_few_terms_are_taken_in_full_and_the_rest_is_drawn():
    circuit = QuantumCircuit(3)
    circuit.h([0, 1, 2])
    circuit.cp(0.4, 0, 1)
    circuit.cp(0.4, 1, 2)
    plan = cut(compiled(circuit), 1, ["XXX"], samples=20, seed=3)
    drawn = [abs(term["coefficient"]) for term in plan["terms"] if term["sampled"]]
    assert 0 < len(drawn) < len(plan["terms"])
    assert 0 < plan["draws"] < 20
    kappa = math.sqrt(plan["overhead"])
    assert plan["draws"] == math.ceil(20 * sum(drawn) / kappa - 1e-9)
    times = [weight * plan["draws"] / sum(drawn) for weight in drawn]
    assert times == pytest.approx([round(each) for each in times])
