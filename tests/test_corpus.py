"""Real programs of the QVM dialect, compiled and verified; skipped where the corpus is absent."""

from __future__ import annotations

from pathlib import Path

import pytest

import qwasmc

CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "qvm"

PROVED = (
    "examples/asm/bell_state.qasm",
    "examples/asm/ghz_state.qasm",
    "examples/asm/adaptive_simple.qasm",
    "examples/asm/adaptive_multi_round.qasm",
    "examples/asm/deutsch_jozsa.qasm",
    "qvm/examples/bell_state.qvm.asm",
    "qvm/examples/ghz_3qubit.qvm.asm",
)
RANDOM = ("qvm/examples/teleportation.qvm.asm", "examples/asm/measurement_bases.qasm")
"""Programs without a deterministic parity of results."""

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here")


def checks(name: str, distance: int) -> dict[str, str]:
    artifact = qwasmc.compile(CORPUS / name, distance=distance, verify=True)
    return {item["check"]: item["result"] for item in artifact.report["verification"]}


@pytest.mark.parametrize("distance", [3, pytest.param(5, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", PROVED)
def test_every_check_proves(name: str, distance: int) -> None:
    assert set(checks(name, distance).values()) == {"proved"}


@pytest.mark.slow
@pytest.mark.parametrize("distance", [3, 5])
@pytest.mark.parametrize("name", RANDOM)
def test_what_can_be_checked_proves(name: str, distance: int) -> None:
    found = checks(name, distance)
    assert found.pop("observables") == "skipped"
    assert set(found.values()) == {"proved"}
