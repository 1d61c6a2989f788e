"""Every example does what its heading says, as a program and as a circuit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import qwasmc
from qwasmc.backends.stim.simulate import simulate

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.qwasm"))

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
    else:
        assert set(simulate(circuit, SHOTS, seed=1)["counts"]) == promised(path, "outcomes")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_physical_outcomes(path: Path):
    """Without noise, the records of the physical circuit spell the same results."""
    artifact = qwasmc.compile(path)
    records = artifact.circuit.compile_sampler(seed=1).sample(SHOTS)
    assert outcomes(artifact.report, records) == promised(path, "outcomes")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_circuit_is_decodable(path: Path):
    artifact = qwasmc.compile(path, noise="uniform:0.001")
    circuit = artifact.circuit
    names = [observable["name"] for observable in artifact.report["observables"]]
    assert set(names) == promised(path, "observables")
    assert circuit.num_observables == len(names)
    assert artifact.distance == 3
    circuit.detector_error_model(decompose_errors=True)
