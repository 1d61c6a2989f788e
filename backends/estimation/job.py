"""What the QDK's estimator is asked for: its job parameters, read and checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qwasmc.backends.estimation.codes import Code, read_code
from qwasmc.backends.estimation.distillation import MORE_ROUNDS, Unit, read_units
from qwasmc.backends.estimation.fields import Fields
from qwasmc.backends.estimation.qubits import read_qubit
from qwasmc.counts import LogicalCounts
from qwasmc.diagnostics import Kind, error

DEFAULT_BUDGET = 1e-3
DEFAULT_ROUNDS = 3
DEFAULT_QUBIT = {"name": "qubit_gate_ns_e3"}
DEFAULT_SCHEME = {"name": "surface_code"}

BOUNDS = {"maxDuration", "maxPhysicalQubits", "maxTFactories"}
"""The constraints that a frontier must not have."""

MOST_ROUNDS = 6

MOST_SEQUENCES = 4096
"""Sequences of distillation units that may be searched."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Probabilities of failure: of logical qubits, T states, and synthesised rotations."""

    logical: float
    t_states: float
    rotations: float

    def as_json(self) -> dict[str, float]:
        """The QDK's `errorBudget` of a result."""
        return {
            "logical": self.logical,
            "tstates": self.t_states,
            "rotations": self.rotations,
        }


@dataclass(frozen=True, slots=True)
class Constraints:
    """Bounds on an estimate; None where there is none.  Times are in nanoseconds."""

    depth_factor: float | None = None
    max_factories: int | None = None
    max_duration: int | None = None
    max_qubits: int | None = None
    max_rounds: int = DEFAULT_ROUNDS


@dataclass(frozen=True, slots=True)
class Job:
    """Everything about an estimate but the program; `shown` is it as JSON, with all defaults."""

    code: Code
    units: tuple[Unit, ...]
    budget: float | Budget
    constraints: Constraints
    frontier: bool
    shown: dict[str, Any]

    def budget_for(self, counts: LogicalCounts) -> Budget:
        """The error budget, in equal parts for what there is, unless it came in parts."""
        if isinstance(self.budget, Budget):
            _check_parts(self.budget, counts)
            return self.budget
        if counts.rotations:
            third = self.budget / 3.0
            return Budget(third, third, third)
        if counts.t or counts.ccz or counts.ccix:
            return Budget(self.budget / 2.0, self.budget / 2.0, 0.0)
        return Budget(self.budget, 0.0, 0.0)


def read_job(parameters: Mapping[str, Any]) -> Job:
    """The job that the QDK's parameters describe; CompileError for what is wrong with them."""
    fields = Fields(parameters, "the parameters")

    def given(name: str, default: object) -> Any:
        return fields.take(name) if name in fields else default

    qubit = read_qubit(given("qubitParams", DEFAULT_QUBIT))
    code = read_code(given("qecScheme", DEFAULT_SCHEME), qubit)
    budget = given("errorBudget", DEFAULT_BUDGET)
    limits = given("constraints", {})
    unit_data = given("distillationUnitSpecifications", [])
    kind = given("estimateType", "singlePoint")
    fields.done()
    if kind not in ("singlePoint", "frontier"):
        raise fields.wrong("estimateType", "must be singlePoint or frontier")
    constraints, units = _read_constraints(limits), read_units(unit_data)
    _check(constraints, units, kind == "frontier")
    shown = {
        "qecScheme": code.as_json(),
        "errorBudget": budget,
        "qubitParams": qubit.as_json(),
        "constraints": {"maxDistillationRounds": constraints.max_rounds, **limits},
        **({"distillationUnitSpecifications": unit_data} if unit_data else {}),
        "estimateType": kind,
    }
    return Job(code, units, _read_budget(budget), constraints, kind == "frontier", shown)


BELOW_ZERO = math.nextafter(0, -1)


def _read_budget(data: object) -> float | Budget:
    if not isinstance(data, Mapping):
        return Fields({"errorBudget": data}, "the parameters").number("errorBudget", 0, 1)
    fields = Fields(data, "errorBudget")
    parts = [fields.number("logical", 0, 1)]
    parts += [fields.number(name, BELOW_ZERO, 1) for name in ("tStates", "rotations")]
    fields.done()
    if sum(parts) >= 1:
        raise error("errorBudget: its parts must add up to less than 1", kind=Kind.USAGE)
    return Budget(*parts)


def _check_parts(budget: Budget, counts: LogicalCounts) -> None:
    """Refuse a budget without a part that a program needs."""
    states = counts.t or counts.ccz or counts.ccix or counts.rotations
    for name, part, needs in (
        ("tStates", budget.t_states, states),
        ("rotations", budget.rotations, counts.rotations),
    ):
        if needs and not part:
            raise error(f"errorBudget: '{name}' must be above 0 for this program", kind=Kind.USAGE)


def _read_constraints(data: object) -> Constraints:
    fields = Fields(data, "constraints")
    found = Constraints(
        fields.number("logicalDepthFactor", 0, 1e9) if "logicalDepthFactor" in fields else None,
        fields.integer("maxTFactories", 1) if "maxTFactories" in fields else None,
        fields.time("maxDuration") if "maxDuration" in fields else None,
        fields.integer("maxPhysicalQubits", 1) if "maxPhysicalQubits" in fields else None,
        fields.integer("maxDistillationRounds", 1, MOST_ROUNDS)
        if "maxDistillationRounds" in fields
        else DEFAULT_ROUNDS,
    )
    fields.done()
    return found


def _check(constraints: Constraints, units: tuple[Unit, ...], frontier: bool) -> None:
    """Refuse what contradicts itself, or takes too long."""
    bounds = constraints.max_duration, constraints.max_qubits, constraints.max_factories
    if frontier and any(bounds):
        names = ", ".join(sorted(BOUNDS))
        raise error(f"a frontier has no bounds, such as {names}", kind=Kind.USAGE)
    if all(bounds[:2]):
        message = (
            "maxDuration and maxPhysicalQubits are given, but an estimate has only one of them"
        )
        raise error(message, kind=Kind.USAGE)
    if constraints.depth_factor is not None and constraints.depth_factor < 1:
        raise error("constraints: 'logicalDepthFactor' must be at least 1", kind=Kind.USAGE)
    rounds = max(MORE_ROUNDS, constraints.max_rounds)
    if len(units) ** rounds > MOST_SEQUENCES:
        raise error(
            f"{len(units)} distillation units in up to {rounds} rounds are too many to search",
            kind=Kind.LIMIT,
            help="name fewer units, or lower maxDistillationRounds",
        )


def read_counts(data: object) -> LogicalCounts:
    """Logical counts from the QDK's JSON for them."""
    fields = Fields(data, "the logical counts")
    names = {
        "t": "tCount",
        "rotations": "rotationCount",
        "rotation_depth": "rotationDepth",
        "ccz": "cczCount",
        "ccix": "ccixCount",
        "measurements": "measurementCount",
    }
    given = {ours: name for ours, name in names.items() if name in fields}
    qubits = fields.integer("numQubits", 0)
    counts = LogicalCounts(
        qubits, **{ours: fields.integer(name, 0) for ours, name in given.items()}
    )
    fields.done()
    return counts


def counts_json(counts: LogicalCounts) -> dict[str, int]:
    """The QDK's JSON for logical counts."""
    return {
        "numQubits": counts.qubits,
        "tCount": counts.t,
        "rotationCount": counts.rotations,
        "rotationDepth": counts.rotation_depth,
        "cczCount": counts.ccz,
        "ccixCount": counts.ccix,
        "measurementCount": counts.measurements,
    }
