"""The QDK's model of resources: figures equal to the `qdk` package's, and what is refused."""

from __future__ import annotations

import importlib.util
import random
from typing import Any

import pytest
from qdk_jobs import QUBITS, by_qdk, compared, random_counts, random_job

from qwasmc.backends.estimation.job import read_counts
from qwasmc.backends.estimation.qdk import estimate, summary
from qwasmc.counts import LogicalCounts
from qwasmc.diagnostics import CompileError, Kind

needs_qdk = pytest.mark.skipif(not importlib.util.find_spec("qdk"), reason="needs qdk")

PROGRAMS = {
    "measurements": {"numQubits": 3, "measurementCount": 4},
    "tiny": {
        "numQubits": 12,
        "tCount": 5,
        "rotationCount": 3,
        "rotationDepth": 2,
        "cczCount": 7,
        "measurementCount": 9,
    },
    "adder": {"numQubits": 30, "ccixCount": 10, "measurementCount": 21},
    "multiplier": {"numQubits": 161, "cczCount": 1500, "ccixCount": 500, "measurementCount": 3200},
    "ising": {
        "numQubits": 100,
        "rotationCount": 28000,
        "rotationDepth": 280,
        "measurementCount": 100,
    },
    "rsa2048": {
        "numQubits": 12581,
        "tCount": 12,
        "rotationCount": 12,
        "rotationDepth": 12,
        "cczCount": 3731607428,
        "measurementCount": 1078290941,
    },
}

BUDGETS = (0.3, 1e-3, 1e-7)

MACHINES = [
    (qubit, scheme)
    for qubit in QUBITS
    for scheme in ("surface_code", "floquet_code")
    if "maj" in qubit or scheme == "surface_code"
]


def by_us(counts: dict[str, int], job: dict[str, Any]) -> dict[str, Any]:
    return estimate(read_counts(counts), job)


# -- beside the QDK --------------------------------------------------------------------------------


@needs_qdk
@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(("qubit", "scheme"), MACHINES)
def test_predefined_machines(program: str, qubit: str, scheme: str):
    job: dict[str, Any] = {"qubitParams": {"name": qubit}, "qecScheme": {"name": scheme}}
    for budget in BUDGETS:
        job["errorBudget"] = budget
        expected, found = by_qdk(PROGRAMS[program], job), by_us(PROGRAMS[program], job)
        assert compared(found) == compared(expected)
        assert found["jobParams"] == expected["jobParams"]


CONSTRAINTS: list[dict[str, Any]] = [
    {"logicalDepthFactor": 7.5},
    {"maxTFactories": 1},
    {"maxTFactories": 5, "logicalDepthFactor": 2},
    {"maxDuration": "3 s"},
    {"maxPhysicalQubits": 300_000},
    {"maxDistillationRounds": 1},
]


@needs_qdk
@pytest.mark.parametrize("constraints", CONSTRAINTS, ids=str)
@pytest.mark.parametrize("program", ["measurements", "multiplier"])
def test_constraints(program: str, constraints: dict[str, Any]):
    job = {"constraints": constraints}
    assert compared(by_us(PROGRAMS[program], job)) == compared(by_qdk(PROGRAMS[program], job))


@needs_qdk
@pytest.mark.parametrize("program", ["measurements", "tiny", "multiplier", "rsa2048"])
@pytest.mark.parametrize("qubit", ["qubit_gate_us_e3", "qubit_maj_ns_e4"])
def test_frontiers(program: str, qubit: str):
    job = {"qubitParams": {"name": qubit}, "estimateType": "frontier"}
    expected = by_qdk(PROGRAMS[program], job)
    assert compared(by_us(PROGRAMS[program], job)) == compared(expected)
    assert expected["frontierEntries"]


ENDLESS = {173, 254, 274}
"""Seeds for which the QDK does not end, in Newton's method for a quantile."""


def agree(seed: int) -> bool:
    """Whether there is an estimate; both must have it, and the same."""
    rng = random.Random(seed)
    job, counts = random_job(rng), random_counts(rng)
    try:
        found = by_us(counts, job)
    except CompileError as refused:
        found, endless = {}, "no factory" in str(refused)  # the QDK may look for one for ever
    else:
        endless = False
    if not endless:
        assert compared(found) == compared(by_qdk(counts, job))
    return bool(found)


@needs_qdk
def test_some_random_jobs():
    assert sum(agree(seed) for seed in range(25)) > 10


@needs_qdk
@pytest.mark.slow
def test_random_jobs():
    assert sum(agree(seed) for seed in range(25, 300) if seed not in ENDLESS) > 180


# -- by themselves ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "qubits", "runtime"),
    [("tiny", 99_190, 272_800), ("rsa2048", 56_323_818, 162_005_096_946_000)],
)
def test_figures_of_the_qdk(program: str, qubits: int, runtime: int):
    """Without the package, too."""
    found = by_us(PROGRAMS[program], {})["physicalCounts"]
    assert (found["physicalQubits"], found["runtime"]) == (qubits, runtime)


def test_summary():
    counts = LogicalCounts(12, t=5, rotations=3, rotation_depth=2, ccz=7, measurements=9)
    found = summary(counts, {}, pareto=True)
    assert (found["physical_qubits"], found["runtime_s"]) == (99_190, pytest.approx(272.8e-6))
    assert found["factories"] == {"kind": "15-to-1 space efficient (d=9)", "count": 14}
    assert found["error"]["budget"] == pytest.approx(1e-3)
    machines = [(each["physical_qubits"], each["runtime_s"]) for each in found["pareto"]]
    assert len(machines) > 5
    assert machines == sorted(machines, reverse=True)
    assert not summary(counts, {"constraints": {"maxTFactories": 2}}, pareto=True)["pareto"]


def test_counts_of_any_size():
    """Beyond the QDK's 64 bits, with qubits that last so long."""
    qubit = {
        "instructionSet": "GateBased",
        "oneQubitMeasurementTime": "1 ns",
        "oneQubitGateTime": "1 ns",
        "oneQubitMeasurementErrorRate": 1e-9,
        "oneQubitGateErrorRate": 1e-9,
        "tGateErrorRate": 1e-6,
    }
    found = estimate(LogicalCounts(10**6, ccz=10**25), {"qubitParams": qubit})
    assert found["physicalCounts"]["breakdown"]["algorithmicLogicalDepth"] == 3 * 10**25


def test_fewer_factories_than_keep_up():
    """With a factory slower than the program, for which the QDK divides by zero."""
    found = estimate(LogicalCounts(1, t=1), {"constraints": {"maxTFactories": 1}})
    parts = found["physicalCounts"]["breakdown"]
    assert (parts["numTfactories"], parts["numTfactoryRuns"]) == (1, 1)
    assert parts["logicalDepth"] > parts["algorithmicLogicalDepth"] == 1


def test_no_factory():
    """The QDK looks for one for ever."""
    job = {
        "qubitParams": {
            "instructionSet": "Majorana",
            "oneQubitMeasurementTime": "181 ns",
            "oneQubitMeasurementErrorRate": 7.508e-4,
            "tGateErrorRate": 0.07498,
        },
        "qecScheme": {"name": "floquet_code", "distanceCoefficientPower": 1, "maxCodeDistance": 57},
        "errorBudget": 3.45e-09,
    }
    counts = LogicalCounts(2, t=12963, ccz=28674, measurements=29211)
    with pytest.raises(CompileError, match="no factory with distances up to 57") as refused:
        estimate(counts, job)
    assert refused.value.exit_code == Kind.LIMIT


def test_without_resources():
    with pytest.raises(CompileError, match="to estimate") as refused:
        estimate(LogicalCounts(5), {})
    assert refused.value.exit_code == Kind.LIMIT


# -- parameters ------------------------------------------------------------------------------------

UNIT = {
    "displayName": "unit",
    "numInputTs": 15,
    "numOutputTs": 1,
    "failureProbabilityFormula": "15 * z",
    "outputErrorRateFormula": "35 * z ^ 3",
}


@pytest.mark.parametrize(
    ("job", "message"),
    [
        ({"errorBudgt": 1}, "unknown field 'errorBudgt'"),
        ({"errorBudget": 1}, "must be above 0 and below 1"),
        ({"errorBudget": True}, "must be a number"),
        ({"errorBudget": float("nan")}, "must be above 0"),
        ({"errorBudget": {"logical": 0.1, "tStates": 0, "rotations": 0}}, "'tStates' must be"),
        ({"errorBudget": {"logical": 0.5, "tStates": 0.5, "rotations": 0}}, "less than 1"),
        ({"qubitParams": {"name": "qubit_gate_ns_e5"}}, "not the name of a predefined"),
        ({"qubitParams": {"instructionSet": "ion"}}, "must be GateBased or Majorana"),
        ({"qubitParams": {"instructionSet": "Majorana"}}, "'oneQubitMeasurementTime' is missing"),
        ({"qubitParams": {"name": "qubit_gate_ns_e3", "tGateTime": 50}}, "must be a string"),
        ({"qubitParams": {"name": "qubit_gate_ns_e3", "tGateTime": "5 h"}}, "must be a time"),
        ({"qubitParams": {"name": "qubit_gate_ns_e3", "idleErrorRate": 0.02}}, "not below the"),
        ({"qubitParams": 3}, "must be a JSON object"),
        ({"qecScheme": {"name": "floquet_code"}}, "not for GateBased"),
        ({"qecScheme": {"name": "my_code"}}, "'errorCorrectionThreshold' is missing"),
        ({"qecScheme": {"name": "surface_code", "maxCodeDistance": 10**9}}, "integer from 1"),
        ({"qecScheme": {"name": "surface_code", "crossingPrefactor": 0.6}}, "below 0.5"),
        (
            {"qecScheme": {"name": "surface_code", "logicalCycleTime": "5 - codeDistance"}},
            "gives 0 for distance 5",
        ),
        ({"estimateType": "fast"}, "singlePoint or frontier"),
        ({"estimateType": "frontier", "constraints": {"maxTFactories": 3}}, "no bounds"),
        ({"constraints": {"maxDuration": "1 s", "maxPhysicalQubits": 9}}, "only one"),
        ({"constraints": {"logicalDepthFactor": 0.5}}, "at least 1"),
        ({"constraints": {"maxDuration": "1 us"}}, "'maxDuration'"),
        ({"constraints": {"maxPhysicalQubits": 100}}, "'maxPhysicalQubits'"),
        ({"distillationUnitSpecifications": [{"name": "20-to-4"}]}, "must be one of 15-1 RM"),
        ({"distillationUnitSpecifications": [UNIT]}, "'logicalQubitSpecification' is missing"),
        ({"distillationUnitSpecifications": [{"name": "15-1 RM"}] * 20}, "too many to search"),
        ({"distillationUnitSpecifications": UNIT}, "must be a JSON array"),
        ({"errorBudget": 1e-100}, "no distance up to 50"),
        ({"errorBudget": 1e-300}, "no factory"),
    ],
    ids=str,
)
def test_wrong_parameters(job: dict[str, Any], message: str):
    with pytest.raises(CompileError, match=message) as refused:
        estimate(LogicalCounts(10, ccz=10), job)
    assert refused.value.exit_code in (Kind.USAGE, Kind.LIMIT)


def test_wrong_counts():
    for data, message in (
        ({}, "'numQubits' is missing"),
        ({"numQubits": 1.5}, "must be an integer"),
        ({"numQubits": 1, "tcount": 3}, "unknown field 'tcount'"),
    ):
        with pytest.raises(CompileError, match=message):
            read_counts(data)
