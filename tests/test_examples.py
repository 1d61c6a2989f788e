"""Every example does what its heading says, as a program and as a circuit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import qwasmc
from qwasmc.backends.simulate import simulate as any_simulate
from qwasmc.backends.stats import stats
from qwasmc.backends.stim.simulate import simulate
from qwasmc.ir.circuit import Circuit
from qwasmc.pipeline import load
from qwasmc.text import print_ir

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.qwasm"))

PHYSICAL = [path for path in EXAMPLES if path.stem != "uncompute"]
"""Those whose outcomes do not change if S stands in for T, as it does in Stim."""

SHOTS = 200


def promised(path: Path, what: str) -> set[str]:
    """The words that the heading of an example lists as `what`."""
    found = re.search(rf"^(?:;|//) {what}: (.*)$", path.read_text(), re.MULTILINE)
    assert found is not None
    return set(found[1].split())


def outcomes(report: dict[str, Any], records: np.ndarray) -> set[str]:
    """The results that a report makes of each row of measurement records, in its order."""
    ands: list[np.ndarray] = []

    def value(form: dict[str, Any]) -> np.ndarray:
        total = np.bitwise_xor.reduce(records[:, form["records"]], axis=1) ^ bool(form["flip"])
        for index in form["ands"]:
            total = total ^ ands[index]
        return total

    for forms in report["ands"]:
        ands.append(np.logical_and.reduce([value(form) for form in forms]))
    results = np.stack([value(form) for form in report["results"]], axis=1)
    return {"".join("01"[bit] for bit in row) for row in results.astype(int).tolist()}


def test_there_are_examples():
    assert {"bell", "teleport", "magic", "machine"} <= {path.stem for path in EXAMPLES}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_logical_outcomes(path: Path):
    circuit = qwasmc.compile(path, emit="circuit").ir
    if path.stem == "magic":
        with pytest.raises(qwasmc.CompileError, match="not a Clifford gate"):
            simulate(circuit, SHOTS, seed=1)
        return
    run = simulate if path in PHYSICAL else simulate_t
    assert set(run(circuit, SHOTS, 1)["counts"]) == promised(path, "outcomes")


def simulate_t(circuit: Circuit, shots: int, seed: int) -> dict[str, Any]:
    """The counts of a circuit with T gates, by Aer."""
    return any_simulate(circuit, shots, seed, load)


@pytest.mark.parametrize("path", PHYSICAL, ids=lambda path: path.stem)
def test_physical_outcomes(path: Path):
    """Without noise, the records of the physical circuit spell the same results."""
    artifact = qwasmc.compile(path)
    records = artifact.circuit.compile_sampler(seed=1).sample(SHOTS)
    assert outcomes(artifact.report, records) == promised(path, "outcomes")


@pytest.mark.parametrize("path", PHYSICAL, ids=lambda path: path.stem)
def test_circuit_is_decodable(path: Path):
    artifact = qwasmc.compile(path, noise="uniform:0.001")
    circuit = artifact.circuit
    names = [observable["name"] for observable in artifact.report["observables"]]
    assert set(names) == promised(path, "observables")
    assert circuit.num_observables == len(names)
    assert artifact.distance == 3
    circuit.detector_error_model(decompose_errors=True)


@pytest.mark.parametrize(
    ("name", "passes"),
    [("before", ["specialise"]), ("after", ["specialise", "uncompute", "erase"])],
)
def test_scratch_is_undone_in_the_example(
    name: str, passes: list[str], monkeypatch: pytest.MonkeyPatch
):
    """Before: three Toffolis in a segment and two in the diffusion.  After: those that undo
    the segment and the second one of the diffusion are measurements."""
    monkeypatch.chdir(EXAMPLES[0].parent)  # the texts name the program as it is called here
    kept = Path(f"uncompute-{name}.mlir")
    made = qwasmc.compile(Path("uncompute.qwasm"), emit="circuit", passes=["promote", *passes]).ir
    assert print_ir(made) == kept.read_text()
    counts = stats(made)
    if name == "before":
        assert (counts["gates"]["ccx"], counts["measurements"]) == (5, 4)
    else:
        assert (counts["gates"]["ccx"], counts["measurements"]) == (4, 8)
        assert (counts["ancillas"], counts["qubits"]) == (4, 6)
    run = qwasmc.compile(kept, emit="circuit").ir
    assert set(simulate_t(run, SHOTS, 1)["counts"]) == promised(Path("uncompute.qwasm"), "outcomes")
