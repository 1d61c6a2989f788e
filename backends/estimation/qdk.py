"""Resource estimates in the model of the QDK's first estimator ("Azure Quantum legacy").

M. Beverland et al., "Assessing requirements to scale to practical quantum advantage",
arXiv:2211.07629, and the documentation of Microsoft's resource estimator; docs/estimates.md has
every formula.  Given the same logical counts and parameters the results equal those of the `qdk`
package to the last digit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from qwasmc.backends.estimation.job import BOUNDS, Job, counts_json, read_job
from qwasmc.backends.estimation.machines import Demand, Machine, find_machines
from qwasmc.counts import LogicalCounts
from qwasmc.diagnostics import Kind, error

NAME = "qdk-legacy"

T_PER_ROTATION = (0.53, 4.86)
"""T states of a rotation within a distance e: so many times log2(1/e), and so many more.

V. Kliuchnikov et al., "Shorter quantum circuits via single-qubit gate approximation",
arXiv:2203.10064.
"""

ASSUMPTIONS = (
    "Multi-qubit Pauli measurements follow each other, and rotations of a layer are synthesised in "
    "parallel (PSSPC), on 2 n + sqrt(8 n) + 1 patches for n qubits.",
    "A measurement, rotation or T gate takes a cycle, a Toffoli three, and each layer of rotations "
    "one for each T state of a rotation.",
    "Factories are copies of one kind, the one of the least volume that keeps up; T states travel "
    "for free.",
)


def estimate(counts: LogicalCounts, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The estimate for a program's counts; keys are the QDK's, see docs/estimates.md.

    `parameters` are the QDK's job parameters as JSON has them (`qubitParams`, `qecScheme`,
    `errorBudget`, `constraints`, `distillationUnitSpecifications`, `estimateType`), with its
    defaults.  Times are in nanoseconds.  CompileError if they are wrong, or nothing meets them.
    """
    job = read_job(parameters)
    demand, t_per_rotation = _demand(counts, job)
    found = [_entry(each, t_per_rotation, job) for each in find_machines(job, demand)]
    entries = {"frontierEntries": found} if job.frontier else found[0]
    shown = {"jobParams": job.shown, "logicalCounts": counts_json(counts)}
    return {"status": "success", **shown, **entries}


def summary(
    counts: LogicalCounts, parameters: Mapping[str, Any], pareto: bool = False
) -> dict[str, Any]:
    """What `qwasmc estimate` tells of this model: figures as of every model, and its `result`.

    With `pareto` it has the machines of the frontier, too, unless constraints bound them; an
    `estimateType` in the parameters does not matter.
    """
    result = estimate(counts, {**parameters, "estimateType": "singlePoint"})
    physical, budget, factory = (result[k] for k in ("physicalCounts", "errorBudget", "tfactory"))
    parts = physical["breakdown"]
    bounded = BOUNDS & set(result["jobParams"]["constraints"])
    return {
        "physical_qubits": physical["physicalQubits"],
        "runtime_s": physical["runtime"] * 1e-9,
        "distance": result["logicalQubit"]["codeDistance"],
        "tiles": parts["algorithmicLogicalQubits"],
        "cycles": parts["logicalDepth"],
        "t_states": parts["numTstates"],
        "factories": {"kind": _kind(factory), "count": parts["numTfactories"]},
        "error": {
            "budget": sum(budget.values()),
            "logical": budget["logical"],
            "magic": budget["tstates"],
            "synthesis": budget["rotations"],
        },
        "assumptions": list(ASSUMPTIONS),
        "pareto": _pareto(counts, parameters) if pareto and not bounded else [],
        "result": result,
    }


def _pareto(counts: LogicalCounts, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    frontier = estimate(counts, {**parameters, "estimateType": "frontier"})["frontierEntries"]
    found = [entry["physicalCounts"] for entry in frontier]
    return [
        {"physical_qubits": each["physicalQubits"], "runtime_s": each["runtime"] * 1e-9}
        for each in found
    ]


def _kind(factory: Mapping[str, Any] | None) -> str:
    """What the rounds of a factory are."""
    if factory is None:
        return ""
    rounds = zip(factory["unitNamePerRound"], factory["codeDistancePerRound"], strict=True)
    return ", ".join(f"{name} (d={distance})" for name, distance in rounds)


def _demand(counts: LogicalCounts, job: Job) -> tuple[Demand, int | None]:
    """What a program asks for after layout, and the T states of a rotation."""
    budget = job.budget_for(counts)
    toffolis, per_rotation = counts.ccz + counts.ccix, None
    if counts.rotations:
        per_rotation = _t_per_rotation(counts.rotations, budget.rotations)
    layers = counts.rotation_depth * (per_rotation or 0)
    cycles = counts.measurements + counts.rotations + counts.t + 3 * toffolis + layers
    factor = job.constraints.depth_factor
    scaled = cycles if factor is None else math.ceil(cycles * factor)
    if not scaled:
        message = "the program has no measurement, rotation, T gate or Toffoli to estimate"
        raise error(message, kind=Kind.LIMIT)
    states = counts.t + 4 * toffolis + counts.rotations * (per_rotation or 0)
    # The square root of the padding, rounded up, as integers have it.
    padding = math.isqrt(8 * counts.qubits - 1) + 1 if counts.qubits else 0
    qubits = 2 * counts.qubits + padding + 1
    return Demand(qubits, cycles, scaled, states, budget), per_rotation


def _t_per_rotation(rotations: int, budget: float) -> int:
    """T states of each rotation, all of which share an error budget."""
    slope, offset = T_PER_ROTATION
    return max(0, math.ceil(slope * math.log2(rotations / budget) + offset))


def _entry(machine: Machine, t_per_rotation: int | None, job: Job) -> dict[str, Any]:
    """A machine in the QDK's keys."""
    demand, patch, factory = machine.demand, machine.patch, machine.factory
    frequency = 1e9 / patch.cycle_ns
    breakdown = {
        "algorithmicLogicalQubits": demand.qubits,
        "algorithmicLogicalDepth": demand.depth,
        "logicalDepth": machine.cycles,
        "numTstates": demand.states,
        "clockFrequency": frequency,
        "numTfactories": machine.copies,
        "numTfactoryRuns": machine.runs,
        "physicalQubitsForTfactories": machine.factory_qubits,
        "physicalQubitsForAlgorithm": machine.program_qubits,
        "requiredLogicalQubitErrorRate": machine.required_error,
        "requiredLogicalTstateErrorRate": demand.state_error if factory else None,
        "numTsPerRotation": t_per_rotation,
        "cliffordErrorRate": job.code.qubit.clifford_rate,
    }
    return {
        "physicalCounts": {
            "physicalQubits": machine.qubits,
            "runtime": machine.runtime_ns,
            "rqops": math.ceil(demand.qubits * frequency),
            "breakdown": breakdown,
        },
        "logicalQubit": patch.as_json(),
        "tfactory": factory and factory.as_json(),
        "errorBudget": demand.budget.as_json(),
    }
