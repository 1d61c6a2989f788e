"""Whole compilations through the Python API, checked by the compiler's own independent checks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import stim

import qwasmc

EXAMPLES = Path(__file__).parent.parent / "examples"
NAMES = ["bell", "ghz", "machine", "magic", "teleport"]
LONGER = [pytest.param(name, marks=pytest.mark.slow) for name in ("macros", "repetition")]


@pytest.mark.parametrize("name", [*NAMES, *LONGER])
@pytest.mark.parametrize("distance", [3, pytest.param(5, marks=pytest.mark.slow)])
def test_every_check_is_proved(name: str, distance: int):
    artifact = qwasmc.compile(
        EXAMPLES / f"{name}.qwasm", distance=distance, noise="uniform:0.001", verify=True
    )
    verdicts = {item["check"]: item["result"] for item in artifact.report["verification"]}
    assert len(verdicts) >= 4
    assert set(verdicts.values()) == {"proved"}


@pytest.mark.slow
def test_corrections_by_conjunctions_are_proved_and_decodable():
    artifact = qwasmc.compile(EXAMPLES / "repetition.qwasm", noise="uniform:0.001", verify=True)
    checks = {item["check"]: item for item in artifact.report["verification"]}
    for name in ("logical action", "results"):
        assert checks[name]["result"] == "proved"
        assert "for every value of 3 conjunctions of outcomes" in checks[name]["detail"]
    names = [observable["name"] for observable in artifact.report["observables"]]
    assert sorted(names) == ["d0", "d1", "d2", "s01", "s12"]
    assert len(artifact.circuit.shortest_graphlike_error()) == 3
    ands = {item["name"]: item["ands"] for item in artifact.report["results"]}
    assert ands == {"s01": [], "s12": [], "d0": [0], "d1": [1], "d2": [2]}


@pytest.mark.parametrize("guard", ["m==1 && m==0", "m==1 && m==1", "m==1 && n==0", "n==0 && n==0"])
def test_guards_of_any_shape_are_proved(guard: str):
    text = (
        ".caps CAP_ALLOC\na: ALLOC_LQ n=3 -> p, q, r\nh: APPLY_H p\nh: APPLY_H q\n"
        f"m: MEASURE_Z p -> m\nn: MEASURE_Z q -> n\nx: APPLY_X r if {guard}\n"
        f"h: APPLY_H r\nx: APPLY_X r if {guard}\nh: APPLY_H r\nk: MEASURE_Z r -> k\n"
    )
    artifact = qwasmc.compile(text, verify=True)
    verdicts = {item["check"]: item["result"] for item in artifact.report["verification"]}
    for name in ("determinism", "logical action", "results"):
        assert verdicts[name] == "proved"
    assert "failed" not in verdicts.values()


def test_noise_of_both_kinds():
    for noise in ("uniform:0.001", "si1000:0.001"):
        circuit = qwasmc.compile(EXAMPLES / "bell.qwasm", noise=noise).circuit
        assert len(circuit.shortest_graphlike_error()) == 3


def test_ports_are_quiet_unless_told_otherwise():
    path = EXAMPLES / "magic.qwasm"
    quiet = qwasmc.compile(path, noise="uniform:0.001").circuit
    noisy = qwasmc.compile(path, noise="uniform:0.001", factory="injection").circuit
    assert len(quiet.shortest_graphlike_error()) == 3
    assert len(noisy.shortest_graphlike_error()) < 3


def test_noise_is_added_to_the_same_circuit():
    path = EXAMPLES / "teleport.qwasm"
    noisy = qwasmc.compile(path, noise="uniform:0.001").circuit
    assert noisy.without_noise() == qwasmc.compile(path).circuit.without_noise()


def test_open_ends_have_the_flows_of_the_program():
    text = ".caps CAP_ALLOC\na: ALLOC_LQ n=2 -> p, q\ncx: APPLY_CNOT p, q\n"
    artifact = qwasmc.compile(text, open=True)
    emission = artifact.emission
    assert emission is not None
    inputs = [(patch.x, patch.z) for patch in emission.inputs]
    assert len(inputs) == len(emission.outputs) == 2
    before, after = inputs[0][1], emission.outputs[0]
    records = set(after.sign_z.records)
    frame_bit = artifact.surgery.operands(after.row)[1]
    records ^= set(emission.bit_records(frame_bit).records)
    flow = stim.Flow(input=before, output=after.z, measurements=sorted(records))
    assert artifact.circuit.has_flow(flow, unsigned=True)


def test_api_by_steps():
    program = qwasmc.parse(EXAMPLES / "bell.qwasm")
    qwasmc.verify(program)
    circuit = qwasmc.run_passes(program, ["specialise", "defer-paulis"])
    surgery = qwasmc.run_passes(circuit, ["lower-surgery"])
    qwasmc.verify(surgery)
    with pytest.raises(qwasmc.CompileError, match="takes a program"):
        qwasmc.run_passes(circuit, ["specialise"])


def test_verify_is_a_function_although_a_module_has_its_name():
    code = (
        "import qwasmc; p = qwasmc.parse('QLINIT 1\\n'); import qwasmc.verify; qwasmc.verify(p);"
        "from qwasmc import verify; verify(p)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_warnings_reach_python():
    with pytest.warns(UserWarning, match="several distances"):
        qwasmc.compile(
            ".caps CAP_ALLOC\n"
            'a: ALLOC_LQ n=1, profile="logical:surface_code(d=3)" -> p\n'
            'b: ALLOC_LQ n=1, profile="logical:surface_code(d=5)" -> q\n'
            "m: MEASURE_Z p -> m\nn: MEASURE_Z q -> n\n"
        )


def test_an_artifact_without_a_circuit_says_so():
    artifact = qwasmc.compile(EXAMPLES / "bell.qwasm", emit="circuit")
    with pytest.raises(AttributeError, match="no circuit object"):
        _ = artifact.circuit
    with pytest.raises(AttributeError, match="no physical circuit"):
        _ = artifact.physical


@pytest.mark.parametrize(
    "name", ["bell", "teleport", pytest.param("repetition", marks=pytest.mark.slow)]
)
def test_open_circuits_are_verified_too(name: str):
    artifact = qwasmc.compile(EXAMPLES / f"{name}.qwasm", open=True, verify=True)
    verdicts = {item["check"]: item["result"] for item in artifact.report["verification"]}
    assert verdicts.pop("observables") in ("proved", "skipped")
    assert set(verdicts.values()) == {"proved"}


def test_what_is_said_of_injected_states():
    artifact = qwasmc.compile(EXAMPLES / "magic.qwasm", factory="injection", verify=True)
    details = {item["check"]: item["detail"] for item in artifact.report["verification"]}
    for check in ("distance", "suppression"):
        assert "the distance of a noisy port is 1" in details[check]


@pytest.mark.slow
@pytest.mark.parametrize("letters", ["XXZ", "XZX", "ZZZ"])
def test_patches_at_a_branch_that_are_measured_at_once(letters: str):
    """Measured out in the letter of the product, in its slab, they cost a unit of distance."""
    lines = ["QLINIT 3", f"QLPPM {letters}, 0, 1, 2, r0", f"QLPPM {letters}, 0, 1, 2, r1"]
    lines += [f"QLMEASURE {qubit}, r{qubit + 2}" for qubit in range(3)]
    source = "\n".join(lines)
    circuit = qwasmc.compile(source, distance=5, level=0, noise="uniform:0.001").circuit
    assert len(circuit.shortest_graphlike_error()) == 5
