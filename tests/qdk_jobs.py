"""Random jobs for the QDK's resource estimator, and the estimator itself as an oracle.

Numbers have few digits: the QDK's JSON reader rounds the last digit of longer ones differently.
"""

from __future__ import annotations

import json
import random
from typing import Any

QUBITS = (
    "qubit_gate_ns_e3",
    "qubit_gate_ns_e4",
    "qubit_gate_us_e3",
    "qubit_gate_us_e4",
    "qubit_maj_ns_e4",
    "qubit_maj_ns_e6",
)

KEYS = (
    "physicalCounts",
    "logicalQubit",
    "tfactory",
    "errorBudget",
    "logicalCounts",
    "frontierEntries",
)
"""What of a result is compared; the rest is how it is shown."""


def by_qdk(counts: dict[str, int], job: dict[str, Any]) -> dict[str, Any]:
    """What the `qdk` package says; nothing if it refuses."""
    from qdk.estimator import EstimatorError, LogicalCounts  # noqa: PLC0415  (skipped without it)

    try:
        found = dict(LogicalCounts(counts).estimate(job))
    except EstimatorError:
        return {}
    for entry in found.get("frontierEntries", []):
        del entry["physicalCountsFormatted"]
        # Only in a frontier this key is written otherwise.
        entry["errorBudget"]["tstates"] = entry["errorBudget"].pop("magic_states")
    return found


def compared(result: dict[str, Any]) -> dict[str, Any]:
    """The part of a result that is compared; machines of equal cost are in no order."""
    found = {key: result[key] for key in KEYS if result.get(key) is not None}
    if "frontierEntries" in found:
        found["frontierEntries"] = sorted(found["frontierEntries"], key=_cost_first)
    return found


def _cost_first(entry: dict[str, Any]) -> tuple[int, int, str]:
    physical = entry["physicalCounts"]
    return physical["runtime"], physical["physicalQubits"], json.dumps(entry, sort_keys=True)


def short(value: float) -> float:
    return float(f"{value:.4g}")


def random_counts(rng: random.Random) -> dict[str, int]:
    def count(digits: int) -> int:
        return int(10 ** rng.uniform(0, digits)) if rng.random() < 0.7 else 0

    rotations = count(6)
    return {
        "numQubits": int(10 ** rng.uniform(0, 4)),
        "tCount": count(8),
        "rotationCount": rotations,
        "rotationDepth": rng.randint(1, rotations) if rotations else 0,
        "cczCount": count(9),
        "ccixCount": count(4),
        "measurementCount": count(9) + 1,
    }


def random_job(rng: random.Random) -> dict[str, Any]:
    qubit = random_qubit(rng)
    majorana = "maj" in qubit.get("name", "") or qubit.get("instructionSet") == "Majorana"
    budget = short(10 ** rng.uniform(-9, -0.5))
    parts = {"logical": short(budget / 3), "tStates": short(budget / 2), "rotations": budget / 8}
    job = {
        "qubitParams": qubit,
        "qecScheme": random_scheme(rng, majorana),
        "errorBudget": budget if rng.random() < 0.7 else {**parts, "rotations": short(budget / 8)},
    }
    if rng.random() < 0.3:
        job["distillationUnitSpecifications"] = [
            {"name": "15-to-1 RM"},
            *(random_unit(rng) for _ in range(rng.randint(1, 2))),
        ]
    constraints = random_constraints(rng)
    if rng.random() < 0.2:
        job["estimateType"] = "frontier"
        constraints = {}
    return {**job, "constraints": constraints}


def random_qubit(rng: random.Random) -> dict[str, Any]:
    def rate(low: float, high: float) -> float:
        return short(10 ** rng.uniform(low, high))

    kind = rng.choice(["named", "gates", "Majorana"])
    if kind == "named":
        return {"name": rng.choice(QUBITS)}
    times = {"oneQubitMeasurementTime": f"{rng.randint(10, 500)} ns"}
    if kind == "gates":
        qubit = {
            "instructionSet": "gate_based",
            **times,
            "oneQubitGateTime": f"{rng.randint(10, 999) / 1000} us",
            "oneQubitMeasurementErrorRate": rate(-5, -2.5),
            "oneQubitGateErrorRate": rate(-5, -2.5),
            "tGateErrorRate": rate(-5, -1.2),
        }
        others = {"twoQubitGateTime": "0.00007 ms", "idleErrorRate": rate(-5, -2.5)}
    else:
        qubit = {
            "instructionSet": "Majorana",
            **times,
            "oneQubitMeasurementErrorRate": rate(-6, -3),
            "tGateErrorRate": rate(-3, -1),
        }
        both = {"process": rate(-6, -3), "readout": rate(-6, -3)}
        others = {"twoQubitJointMeasurementErrorRate": both, "tGateTime": "33 ns"}
    return qubit | {name: value for name, value in others.items() if rng.random() < 0.5}


def random_scheme(rng: random.Random, majorana: bool) -> dict[str, Any]:
    named = {"name": rng.choice(["surface_code", "floquet_code"] if majorana else ["surface_code"])}
    levels = {
        "errorCorrectionThreshold": short(rng.uniform(0.005, 0.02)),
        "crossingPrefactor": short(rng.uniform(0.01, 0.1)),
    }
    other = {"distanceCoefficientPower": rng.randint(0, 2), "maxCodeDistance": rng.randint(21, 70)}
    cycles = (
        "7 * oneQubitMeasurementTime * codeDistance / 3",
        "oneQubitMeasurementTime * (codeDistance + 1) ^ 1.5 / 3 - codeDistance % 2",
        "(1 + log(2, codeDistance)) * 3 * oneQubitMeasurementTime",
    )
    qubits = (
        "2*codeDistance^2 - 1",
        "codeDistance * codeDistance * 1.7 + codeDistance / 3",
        "max(5, 3 * codeDistance, codeDistance^2)",
    )
    own = {
        "name": "own",
        **levels,
        "logicalCycleTime": rng.choice(cycles),
        "physicalQubitsPerLogicalQubit": rng.choice(qubits),
    }
    return rng.choice([named, named, {**named, **levels}, {**named, **other}, own])


def random_unit(rng: random.Random) -> dict[str, Any]:
    inputs = rng.choice([5, 7, 15, 20])

    def size() -> dict[str, int]:
        return {
            "numUnitQubits": rng.randint(5, 40),
            "durationInQubitCycleTime": rng.randint(2, 30),
        }

    failures = (
        f"{inputs}.0 * z + 356.0 * c",
        f"{inputs} * inputErrorRate + 100*cliffordErrorRate + 3*r",
        "(z + c)/0.07 + 2*c",
    )
    errors = (
        "35.0 * z ^ 3 + 7.1 * c",
        "9*z^2 + 3*c + r*z/7",
        "inputErrorRate^2*20 + 2.5 * cliffordErrorRate",
    )
    unit: dict[str, Any] = {
        "displayName": f"{inputs} to few",
        "numInputTs": inputs,
        "numOutputTs": rng.choice([1, 1, 1, 2, 4]),
        "failureProbabilityFormula": rng.choice(failures),
        "outputErrorRateFormula": rng.choice(errors),
    }
    kind = rng.random()
    if kind < 0.8:
        unit["logicalQubitSpecification"] = size()
    if kind > 0.5:
        unit["physicalQubitSpecification"] = size()
    if kind < 0.3:
        unit["logicalQubitSpecificationFirstRoundOverride"] = size()
    return unit


def random_constraints(rng: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if rng.random() < 0.2:
        found["logicalDepthFactor"] = short(rng.uniform(1, 10))
    if rng.random() < 0.2:
        found["maxDistillationRounds"] = rng.randint(1, 4)
    bound = rng.choice(["none", "none", "maxTFactories", "maxDuration", "maxPhysicalQubits"])
    if bound == "maxTFactories":
        found[bound] = rng.randint(1, 30)
    elif bound == "maxDuration":
        found[bound] = f"{short(10 ** rng.uniform(-3, 4))} s"
    elif bound == "maxPhysicalQubits":
        found[bound] = int(10 ** rng.uniform(4, 8))
    return found
