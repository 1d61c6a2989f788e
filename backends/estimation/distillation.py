"""Distillation units, and factories of rounds of them, in the QDK's model.

A unit turns some T states into fewer and better ones, on physical qubits or on logical ones of any
distance.  A round is so many copies of a unit that with a probability of 99 % over all rounds
enough of them succeed (arXiv:2211.07629, appendix C).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from qwasmc.backends.estimation.binomial import least_units, quantile
from qwasmc.backends.estimation.codes import Patch, power
from qwasmc.backends.estimation.fields import Fields
from qwasmc.backends.estimation.formula import Formula
from qwasmc.backends.estimation.qubits import Qubit
from qwasmc.diagnostics import Kind, error

MOST_STATES = 10**6
"""States, qubits and cycles of a unit that a user describes."""

MORE_ROUNDS = 4
"""Rounds that are tried where those that were asked for do not suffice."""

FAILURE = 0.01
"""A factory makes fewer states than it should with this probability."""

Rates = Callable[[float, float, float], float]
"""A probability, for the error rates of the states that come in, of Cliffords, and of readout."""


class Size(NamedTuple):
    """What a unit takes: qubits, and cycles (on physical qubits, times of a T gate)."""

    qubits: int
    cycles: int


@dataclass(frozen=True, slots=True)
class Unit:
    """A distillation unit; `first` is its size on logical qubits if it is in the first round."""

    name: str
    inputs: int
    outputs: int
    failure: Rates
    output_error: Rates
    physical: Size | None
    logical: Size | None
    first: Size | None = None


def _fifteen_to_one(name: str, physical: Size, logical: Size) -> Unit:
    """A unit of the Reed-Muller code: arXiv:2211.07629, appendix C."""
    return Unit(
        name,
        15,
        1,
        lambda state, clifford, _: 15.0 * state + 356.0 * clifford,
        lambda state, clifford, _: 35.0 * power(state, 3) + 7.1 * clifford,
        physical,
        logical,
    )


UNITS = (
    _fifteen_to_one("15-to-1 RM prep", Size(31, 24), Size(31, 11)),
    _fifteen_to_one("15-to-1 space efficient", Size(12, 45), Size(20, 13)),
)
"""The units that have a name, which are the default."""

NAMES = {
    f"{ratio} {name}": unit
    for ratio in ("15-1", "15-to-1")
    for unit, names in zip(
        UNITS, (("RM", "RM prep"), ("space-efficient", "space efficient")), strict=True
    )
    for name in names
}

NO_DISTILLATION = Unit(
    "trivial 1-to-1", 1, 1, lambda *_: 0.0, lambda state, *_: state, None, Size(1, 1)
)
"""For T states that are good enough as they are."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A unit on qubits of a distance (1: physical ones): what it takes, and their error rates."""

    unit: Unit
    distance: int
    qubits: int
    duration_ns: int
    clifford: float
    readout: float


def on_physical(unit: Unit, qubit: Qubit) -> Placed:
    """A unit of the first round on physical qubits."""
    assert unit.physical is not None
    qubits, cycles = unit.physical
    duration = cycles * qubit.t_time
    return Placed(unit, 1, qubits, duration, qubit.clifford_rate, qubit.readout_rate)


def on_patches(unit: Unit, patch: Patch, first: bool) -> Placed:
    """A unit on logical qubits, which are read out without error."""
    size = (first and unit.first) or unit.logical
    assert size is not None
    qubits, cycles = size.qubits * patch.qubits, size.cycles * patch.cycle_ns
    return Placed(unit, patch.distance, qubits, cycles, patch.error_rate, 0.0)


@dataclass(frozen=True, slots=True)
class Factory:
    """Rounds of distillation, each of so many copies of a unit.

    `errors` are the error rates of T states before each round and after the last one.  Rounds use
    the same qubits one after the other.
    """

    rounds: tuple[Placed, ...]
    copies: tuple[int, ...]
    errors: tuple[float, ...]
    outputs: int
    """T states that it makes at a time."""

    @property
    def qubits(self) -> int:
        """Physical qubits."""
        return max(self.qubits_per_round)

    @property
    def qubits_per_round(self) -> list[int]:
        """Physical qubits of each round."""
        pairs = zip(self.rounds, self.copies, strict=True)
        return [placed.qubits * copies for placed, copies in pairs]

    @property
    def duration_ns(self) -> int:
        """How long it takes to make its states."""
        return sum(placed.duration_ns for placed in self.rounds)

    @property
    def volume(self) -> float:
        """Qubits times time for each state."""
        return float(self.qubits * self.duration_ns) / float(self.outputs)

    @property
    def distance(self) -> int:
        """Distance of its last round."""
        return self.rounds[-1].distance

    def as_json(self) -> dict[str, Any]:
        """The QDK's `tfactory`."""
        return {
            "physicalQubits": self.qubits,
            "runtime": self.duration_ns,
            "numTstates": self.outputs,
            "numInputTstates": self.rounds[0].unit.inputs * self.copies[0],
            "numRounds": len(self.rounds),
            "numUnitsPerRound": list(self.copies),
            "unitNamePerRound": [placed.unit.name for placed in self.rounds],
            "codeDistancePerRound": [placed.distance for placed in self.rounds],
            "physicalQubitsPerRound": self.qubits_per_round,
            "runtimePerRound": [placed.duration_ns for placed in self.rounds],
            "logicalErrorRate": self.errors[-1],
        }


def without_distillation(patch: Patch, state_error: float) -> Factory:
    """T states as they enter a logical qubit."""
    placed = on_patches(NO_DISTILLATION, patch, first=True)
    return Factory((placed,), (1,), (state_error, state_error), 1)


class Unbuilt(NamedTuple):
    """Why there is no factory: whether larger distances might help."""

    larger: bool


def build(rounds: Sequence[Placed], state_error: float) -> Factory | Unbuilt:
    """The factory with these rounds for T states of an error rate."""
    errors = [state_error]
    for placed in rounds:
        errors.append(placed.unit.output_error(errors[-1], placed.clifford, placed.readout))
        if errors[-1] > errors[-2]:
            return Unbuilt(larger=True)
    level = FAILURE / len(rounds)
    needed, copies, failure = rounds[-1].unit.outputs, [0] * len(rounds), 0.0
    for i in reversed(range(len(rounds))):
        placed = rounds[i]
        failure = placed.unit.failure(errors[i], placed.clifford, placed.readout)
        if not 0.0 < failure < 1.0:
            return Unbuilt(larger=failure >= 1.0)
        count = least_units(needed, placed.unit.outputs, failure, level)
        if count is None:
            return Unbuilt(larger=True)
        copies[i], needed = count, placed.unit.inputs * count
    last = rounds[-1].unit
    failure = last.failure(errors[-2], rounds[-1].clifford, rounds[-1].readout)
    made = quantile(copies[-1], failure, level) * last.outputs
    return Factory(tuple(rounds), tuple(copies), tuple(errors), made)


def read_units(data: object) -> tuple[Unit, ...]:
    """Units from the QDK's `distillationUnitSpecifications`: names, or what a unit is."""
    if not isinstance(data, list):
        raise error("distillationUnitSpecifications must be a JSON array", kind=Kind.USAGE)
    return tuple(map(_read_unit, data)) or UNITS


def _read_unit(data: object) -> Unit:
    fields = Fields(data, "distillationUnitSpecifications")
    if "name" in fields:
        name = fields.text("name")
        if name not in NAMES:
            known = ", ".join(NAMES)
            raise fields.wrong("name", f"must be one of {known}; others have a 'displayName'")
        fields.done()
        return NAMES[name]
    unit = Unit(
        fields.text("displayName"),
        fields.integer("numInputTs", 1, MOST_STATES),
        fields.integer("numOutputTs", 1, MOST_STATES),
        _read_rates(fields, "failureProbabilityFormula"),
        _read_rates(fields, "outputErrorRateFormula"),
        _read_size(fields, "physicalQubitSpecification"),
        _read_size(fields, "logicalQubitSpecification"),
        _read_size(fields, "logicalQubitSpecificationFirstRoundOverride"),
    )
    fields.done()
    if unit.logical is None and (unit.physical is None or unit.first is not None):
        raise fields.wrong("logicalQubitSpecification", "is missing")
    return unit


def _read_size(fields: Fields, name: str) -> Size | None:
    if name not in fields:
        return None
    size = Fields(fields.take(name), name)
    found = Size(
        size.integer("numUnitQubits", 1, MOST_STATES),
        size.integer("durationInQubitCycleTime", 1, MOST_STATES),
    )
    size.done()
    return found


def _read_rates(fields: Fields, name: str) -> Rates:
    """A formula over error rates, which have long and short names."""
    short = {"z": "inputErrorRate", "c": "cliffordErrorRate", "r": "readoutErrorRate"}
    formula = Formula(fields.text(name), [*short, *short.values()], name)

    @lru_cache(maxsize=1 << 12)
    def rate(state: float, clifford: float, readout: float) -> float:
        values = dict(zip(short, (state, clifford, readout), strict=True))
        return formula(values | {long: values[letter] for letter, long in short.items()})

    return rate
