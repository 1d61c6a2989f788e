"""What a machine does to a compilation: limits, distances, and which one is chosen."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from laboratory import BELL, EXAMPLES, MAGIC, described, lab

import qwasmc
from qwasmc import cli
from qwasmc.diagnostics import CompileError, render
from qwasmc.target import BY_NAME, RULES, Needs, decide, find_target

# -- limits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("top", "code", "arguments", "message"),
    [
        ('outputs = ["qasm3"]', "", [], "target 'lab' does not allow output 'stim'"),
        ('factories = ["15-to-1"]', "", ["--factory", "port"], "does not allow factory 'port'"),
        ('floor_plans = ["bus"]', "", ["--floor-plan", "sparse"], "not allow floor plan 'sparse'"),
        ("", "max_distance = 5", ["-d", "7"], "target 'lab' has no layout for distance 7"),
        ("max_tiles = 4", "", [], "there are 4"),
        ("max_qubits = 100", "", [], "there are 3"),
        ("max_qubits = 100", "", ["--error-budget", "0.1"], "does not fit onto 100 qubits"),
        ('native_gates = ["CZ", "H", "R", "M"]', "", [], "does not: CX, MX, RX"),
        ('native_gates = ["CX", "RY"]', "", [], "does not: M, MX, R, RX"),
    ],
)
def test_refused(
    top: str,
    code: str,
    arguments: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    file = tmp_path / "lab.toml"
    file.write_text(described(top, code))
    assert cli.run(["compile", str(BELL), "--target", str(file), *arguments]) == 3
    assert message in capsys.readouterr().err


def test_majorana_has_no_circuits(capsys: pytest.CaptureFixture[str]):
    assert cli.run(["compile", str(BELL), "--target", "qubit_maj_ns_e4"]) == 3
    assert "joint measurements in place of gates" in capsys.readouterr().err
    assert cli.run(["compile", str(BELL), "--target", "qubit_maj_ns_e4", "--emit", "circuit"]) == 0


def test_surgery_that_is_too_large(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """The tiles of a program that comes as patches are counted when they are qubits."""
    patches, file = tmp_path / "bell.mlir", tmp_path / "lab.toml"
    assert cli.run(["compile", str(BELL), "--emit", "surgery", "-o", str(patches)]) == 0
    file.write_text(described("max_qubits = 60"))
    assert cli.run(["compile", str(patches), "--target", str(file), "--emit", "stim"]) == 3
    assert "the circuit has 65 qubits, target 'lab' 60" in capsys.readouterr().err


def test_what_a_machine_has_is_the_default():
    target = lab('factories = ["15-to-1", "port"]\nfloor_plans = ["compact"]', "min_distance = 5")
    text = (
        'OPENQASM 2.0; include "qelib1.inc"; qreg q[1]; creg c[1];'
        "h q[0]; t q[0]; h q[0]; measure q -> c;"
    )
    made = qwasmc.compile(text, target=target)
    assert made.distance == 5
    assert made.options.floor_plan == "compact"
    assert made.schedule["factories"][0]["name"].startswith("15-to-1")
    assert made.options.noisy_ports


def test_native_gates_under_other_names():
    target = lab('native_gates = ["CNOT", "RZ", "RX", "MZ", "MX"]')
    assert qwasmc.compile(BELL, target=target).circuit.num_qubits == 65
    with pytest.raises(CompileError, match="Stim has no gate 'CCZ'"):
        qwasmc.compile(BELL, target=lab('native_gates = ["CCZ"]'))


# -- error budgets ---------------------------------------------------------------------------------


def test_the_distance_follows_from_the_model_of_the_machine():
    """The smallest d with tiles * rounds * a (p/p*)^((d+1)/2) within the budget, by hand."""
    for prefactor, threshold in ((0.1, 0.01), (0.03, 0.01), (0.08, 0.004)):
        code = f"crossing_prefactor = {prefactor}\nerror_correction_threshold = {threshold}"
        made = qwasmc.compile(BELL, target=lab(code=code), error_budget=1e-5)
        found = made.schedule["pareto"][0]
        d, size = found["distance"], found["tiles"] * found["rounds"] / found["distance"]

        def error(d: int, a: float = prefactor, t: float = threshold, size: float = size) -> float:
            return size * d * a * (0.002 / t) ** ((d + 1) / 2)

        assert found["error"] == pytest.approx(error(d))
        assert error(d) <= 1e-5 < error(d - 2)
        assert made.distance == d


def test_distances_of_the_machine_are_enough_or_it_says_so():
    budget = {"error_budget": 1e-6, "target": lab(code="max_distance = 9")}
    with pytest.raises(CompileError, match="up to distance 9"):
        qwasmc.compile(BELL, **budget)
    least = qwasmc.compile(BELL, error_budget=0.5, target=lab(code="min_distance = 7"))
    assert least.distance == 7


def test_a_budget_uses_what_the_machine_allows():
    target = lab('floor_plans = ["bus"]\nfactories = ["injection", "port"]')
    made = qwasmc.compile(MAGIC, error_budget=0.5, target=target)
    assert {each["floor_plan"] for each in made.schedule["pareto"]} == {"bus"}
    assert {each["factory"] for each in made.schedule["pareto"]} == {"injection"}


def test_a_budget_fits_onto_the_machine():
    free = qwasmc.compile(BELL, error_budget=1e-3, target="ions").schedule["pareto"]
    qubits = min(each["qubits"] for each in free)
    target = lab(f"max_qubits = {qubits}")
    tight = qwasmc.compile(BELL, error_budget=0.5, target=target, distance=free[0]["distance"])
    assert tight.emission.num_qubits <= qubits
    with pytest.raises(CompileError, match=f"{qubits - 1} qubits") as caught:
        qwasmc.compile(
            BELL,
            error_budget=0.5,
            target=lab(f"max_qubits = {qubits - 1}"),
            distance=free[0]["distance"],
        )
    assert f"which have {qubits} qubits" in render(caught.value.diagnostics[0])


# -- auto ------------------------------------------------------------------------------------------


def ghz(n: int) -> tuple[str, dict[str, str]]:
    return (EXAMPLES / "ghz.qwasm").read_text(), {"n": str(n)}


@pytest.mark.parametrize(
    ("emit", "n", "options", "predicate"),
    [
        ("qasm3", 3, {}, "no patches"),
        ("stim", 3, {"distance": 3, "noise": "uniform:0.001"}, "any machine"),
        ("surgery", 2, {"distance": 3, "error_budget": 0.5}, "suits ions"),
        ("stim", 2, {"distance": 3, "noise": "target"}, "suits ions"),
        ("stim", 8, {"distance": 5, "noise": "target"}, "suits atoms"),
        ("circuit", 60, {"error_budget": 1e-9}, "otherwise"),
    ],
)
def test_auto(emit: str, n: int, options: dict, predicate: str):
    text, params = ghz(n)
    with pytest.warns(UserWarning, match="target "):
        made = qwasmc.compile(text, emit=emit, params=params, target="auto", **options)
    rule = next(rule for rule in RULES if rule.predicate == predicate)
    assert made.options.machine is BY_NAME[rule.target]
    assert made.target_choice == {
        "target": rule.target,
        "predicate": predicate,
        "reason": rule.reason,
    }


def test_every_row_is_reached():
    """Also by time: 1e6 T gates in a row take an hour on ions, and 1e5 do not."""
    needs = [
        Needs(patches=False, machine=True),
        Needs(patches=True, machine=False),
        Needs(patches=True, machine=True, tiles=5, slabs=1, distance=3),
        Needs(patches=True, machine=True, tiles=5, slabs=10**6, distance=3),
        Needs(patches=True, machine=True, tiles=5, slabs=10**7, distance=3),
    ]
    assert [decide(each)[1] for each in needs] == list(RULES)
    ions = find_target("ions")
    assert needs[2].qubits_on(ions) == 5 * 2 * 4**2
    assert needs[3].seconds_on(ions) == pytest.approx(10**6 * 3 * 6 * 385e-6)
    transmons = find_target("superconducting")
    assert needs[4].seconds_on(transmons) == pytest.approx(
        10**7 * 10e-6
    )  # its reactions are slower
    budget = Needs(patches=True, machine=True, tiles=100, slabs=1000, error_budget=1e-3)
    assert budget.distance_on(ions) == next(
        d for d in range(3, 99, 2) if 1e5 * d * 0.03 * (7.9 / 110) ** ((d + 1) / 2) <= 1e-3
    )


def test_report_and_dependencies(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "lab.toml").write_text(described(idle="t2"))
    out, report = tmp_path / "bell.stim", tmp_path / "bell.json"
    given = ["--target", str(tmp_path / "lab.toml"), "--noise", "target", "-d", "3", "-MD"]
    assert cli.run(["compile", str(BELL), *given, "-o", str(out), "--report", str(report)]) == 0
    assert json.loads(report.read_text())["target"] == "lab"
    assert out.with_suffix(".d").read_text() == f"{out}: {BELL} {tmp_path / 'lab.toml'}\n"
    given = ["--target", "auto", "--noise", "target", "-d", "3", "--report", str(report), "-MD"]
    assert cli.run(["compile", str(BELL), *given, "-o", str(out)]) == 0
    assert out.with_suffix(".d").read_text() == f"{out}: {BELL}\n"
    assert re.match(r"note: target ions: its gates", capsys.readouterr().err)
    assert json.loads(report.read_text())["target_choice"]["predicate"] == "suits ions"


def test_stats_takes_a_target(capsys: pytest.CaptureFixture[str]):
    given = ["--target", "auto", "--error-budget", "1e-3", "--json"]
    assert cli.run(["stats", str(BELL), *given]) == 0
    assert "note: target atoms: ions are too few or too slow" in capsys.readouterr().err
