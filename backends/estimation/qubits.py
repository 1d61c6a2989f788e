"""Physical qubits as the QDK's estimator describes them.

Sources: M. Beverland et al., "Assessing requirements to scale to practical quantum advantage",
arXiv:2211.07629, and the documentation of Microsoft's resource estimator, "Target parameters".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from qwasmc.backends.estimation.fields import Fields
from qwasmc.diagnostics import Kind, error

Rate = float | dict[str, float]
"""An error rate; of a Majorana measurement those of its effect (process) and its readout."""

TIMES: dict[str, dict[str, str | None]] = {
    "GateBased": {
        "oneQubitMeasurementTime": None,
        "oneQubitGateTime": None,
        "twoQubitGateTime": "oneQubitGateTime",
        "tGateTime": "oneQubitGateTime",
    },
    "Majorana": {
        "oneQubitMeasurementTime": None,
        "twoQubitJointMeasurementTime": "oneQubitMeasurementTime",
        "tGateTime": "oneQubitMeasurementTime",
    },
}
"""The times of each instruction set, and which other one each is by default."""

RATES: dict[str, dict[str, str | None]] = {
    "GateBased": {
        "oneQubitMeasurementErrorRate": None,
        "oneQubitGateErrorRate": None,
        "twoQubitGateErrorRate": "oneQubitGateErrorRate",
        "tGateErrorRate": None,
        "idleErrorRate": "oneQubitMeasurementErrorRate",
    },
    "Majorana": {
        "oneQubitMeasurementErrorRate": None,
        "twoQubitJointMeasurementErrorRate": "oneQubitMeasurementErrorRate",
        "tGateErrorRate": None,
        "idleErrorRate": "oneQubitMeasurementErrorRate",
    },
}
"""The same for error rates; of a measurement's, the one of its readout is taken."""

INSTRUCTION_SETS = {
    **dict.fromkeys(("gate_based", "gateBased", "gate-based", "GateBased"), "GateBased"),
    **dict.fromkeys(("Majorana", "majorana"), "Majorana"),
}


@dataclass(frozen=True, slots=True)
class Qubit:
    """A kind of physical qubit: its times in nanoseconds and its error rates, by the QDK's names.

    The instruction set is `GateBased` or `Majorana`, which has joint measurements of two qubits
    in place of gates.
    """

    name: str
    instruction_set: str
    times: Mapping[str, int]
    rates: Mapping[str, Rate]

    @property
    def t_time(self) -> int:
        """Nanoseconds that a physical T gate takes."""
        return self.times["tGateTime"]

    @property
    def t_rate(self) -> float:
        """Error rate of a physical T gate, and of a T state that is made with it."""
        return cast(float, self.rates["tGateErrorRate"])

    @property
    def clifford_rate(self) -> float:
        """The largest error rate of all Clifford operations and of idling."""
        readouts = ("oneQubitMeasurementErrorRate",) if self.instruction_set == "GateBased" else ()
        others = [
            rate["process"] if isinstance(rate, dict) else rate
            for name, rate in self.rates.items()
            if name not in ("tGateErrorRate", *readouts)
        ]
        return max(others)

    @property
    def readout_rate(self) -> float:
        """The largest error rate of reading out a measurement."""
        rates = [rate for name, rate in self.rates.items() if "MeasurementErrorRate" in name]
        return max(map(_readout, rates))

    @property
    def error_rate(self) -> float:
        """The physical error rate that a code is up against."""
        return max(self.clifford_rate, self.readout_rate)

    def as_json(self) -> dict[str, Any]:
        """All parameters, as the QDK writes them."""
        times = {name: f"{time} ns" for name, time in self.times.items()}
        set_ = {"instructionSet": self.instruction_set, "name": self.name}
        return {**set_, **times, **self.rates}


def _gates(measurement: int, gate: int, rate: float, t_rate: float) -> dict[str, Any]:
    times = dict.fromkeys(TIMES["GateBased"], gate) | {"oneQubitMeasurementTime": measurement}
    rates = dict.fromkeys(RATES["GateBased"], rate) | {"tGateErrorRate": t_rate}
    return {"set": "GateBased", **times, **rates}


def _majorana(rate: float, t_rate: float) -> dict[str, Any]:
    both = {"process": rate, "readout": rate}
    rates = dict.fromkeys(RATES["Majorana"], both)
    others = {"tGateErrorRate": t_rate, "idleErrorRate": rate}
    return {"set": "Majorana", **dict.fromkeys(TIMES["Majorana"], 100), **rates, **others}


PREDEFINED: dict[str, dict[str, Any]] = {
    "qubit_gate_ns_e3": _gates(100, 50, 1e-3, 1e-3),
    "qubit_gate_ns_e4": _gates(100, 50, 1e-4, 1e-4),
    "qubit_gate_us_e3": _gates(100_000, 100_000, 1e-3, 1e-6),
    "qubit_gate_us_e4": _gates(100_000, 100_000, 1e-4, 1e-6),
    "qubit_maj_ns_e4": _majorana(1e-4, 0.05),
    "qubit_maj_ns_e6": _majorana(1e-6, 0.01),
}
"""Parameters of the qubits that have a name."""


def read_qubit(data: object) -> Qubit:
    """A qubit from the QDK's `qubitParams`: a name or an instruction set, and values."""
    fields = Fields(data, "qubitParams")
    name = fields.text("name") if "name" in fields else ""
    base = PREDEFINED.get(name, {})
    kind = _instruction_set(fields, base, name)
    times: dict[str, int] = {}
    for field, other in TIMES[kind].items():
        default = base.get(field, times.get(other or ""))
        times[field] = fields.time(field) if field in fields or default is None else default
    rates: dict[str, Rate] = {}
    for field, other in RATES[kind].items():
        default = base.get(field, _readout(rates[other]) if other else None)
        value = fields.take(field) if field in fields or default is None else default
        rates[field] = _rate(value, field, kind)
    fields.done()
    return Qubit(name, kind, times, rates)


def _instruction_set(fields: Fields, base: Mapping[str, Any], name: str) -> str:
    if "instructionSet" not in fields:
        if not base:
            known = ", ".join(PREDEFINED)
            raise error(
                f"qubitParams: '{name[:64]}' is not the name of a predefined qubit",
                kind=Kind.USAGE,
                help=f"the names are {known}; other qubits need an 'instructionSet'",
            )
        return cast(str, base["set"])
    given = fields.text("instructionSet")
    kind = INSTRUCTION_SETS.get(given)
    if kind is None:
        raise fields.wrong("instructionSet", "must be GateBased or Majorana")
    if base and base["set"] != kind:
        raise fields.wrong("instructionSet", f"must be {base['set']} for {name}")
    return kind


def _readout(rate: Rate) -> float:
    return rate["readout"] if isinstance(rate, dict) else rate


def _rate(value: object, field: str, kind: str) -> Rate:
    """An error rate; a Majorana measurement has two, which one number stands for."""
    split = kind == "Majorana" and "MeasurementErrorRate" in field
    if not split:
        return Fields({field: value}, "qubitParams").number(field, 0, 1)
    parts = value if isinstance(value, Mapping) else {"process": value, "readout": value}
    fields = Fields(parts, f"qubitParams.{field}")
    both: Rate = {part: fields.number(part, 0, 1) for part in ("process", "readout")}
    fields.done()
    return both
