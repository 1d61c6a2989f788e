"""Error-correcting codes with a threshold, as the QDK's estimator describes them.

A code of distance d has the logical error rate a (p / p*)^((d + 1) / 2) per qubit and cycle, with
the physical error rate p, the threshold p* and the crossing prefactor a; formulas give its physical
qubits and its cycle time (arXiv:2211.07629).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from qwasmc.backends.estimation.fields import MAX_INTEGER, Fields
from qwasmc.backends.estimation.formula import Formula
from qwasmc.backends.estimation.qubits import Qubit
from qwasmc.diagnostics import CompileError, Kind, error

DEFAULT_MAX_DISTANCE = 50

LARGEST_DISTANCE = 199
"""Distances that may be allowed; this bounds the search."""

SURFACE_QUBITS = "2 * codeDistance * codeDistance"

SCHEMES: dict[tuple[str, str], tuple[float, float, str, str]] = {
    ("surface_code", "GateBased"): (
        0.01,  # arXiv:1208.0928, equation 13, and arXiv:1009.3686, figures 6 and 7
        0.03,  # arXiv:1208.0928, equation 11
        "(4 * twoQubitGateTime + 2 * oneQubitMeasurementTime) * codeDistance",
        SURFACE_QUBITS,
    ),
    ("surface_code", "Majorana"): (
        0.0015,  # arXiv:2007.00307, equation 1
        0.08,
        "20 * oneQubitMeasurementTime * codeDistance",
        SURFACE_QUBITS,
    ),
    ("floquet_code", "Majorana"): (
        0.01,
        0.07,
        "3 * oneQubitMeasurementTime * codeDistance",
        # arXiv:2202.11829, table 2
        "4 * codeDistance * codeDistance + 8 * (codeDistance - 1)",
    ),
}
"""Threshold, prefactor, cycle time and physical qubits of the schemes that have a name."""

NAMES = {
    **dict.fromkeys(("surface_code", "surfaceCode", "surface-code"), "surface_code"),
    **dict.fromkeys(("floquet_code", "floquetCode", "floquet-code"), "floquet_code"),
}


@dataclass(frozen=True, slots=True)
class Patch:
    """A logical qubit: its distance, physical qubits, nanoseconds per cycle and error per cycle."""

    distance: int
    qubits: int
    cycle_ns: int
    error_rate: float

    def as_json(self) -> dict[str, Any]:
        """The QDK's `logicalQubit`."""
        return {
            "codeDistance": self.distance,
            "physicalQubits": self.qubits,
            "logicalCycleTime": self.cycle_ns,
            "logicalErrorRate": self.error_rate,
        }


@dataclass(frozen=True, slots=True)
class Code:
    """A code on a kind of physical qubits."""

    name: str
    qubit: Qubit
    threshold: float
    prefactor: float
    power: int
    """The error rate has this power of the distance as one more factor."""
    cycle_time: Formula
    patch_qubits: Formula
    max_distance: int

    def distances(self, first: int = 1) -> Iterator[int]:
        """The distances that there are, in ascending order."""
        return iter(range(first, self.max_distance + 1, 2))

    def patch(self, distance: int) -> Patch:
        """A logical qubit; CompileError where a formula gives nothing positive."""
        variables: dict[str, float] = {"codeDistance": distance}
        qubits = math.floor(self.patch_qubits(variables))
        cycle_ns = math.floor(self.cycle_time({**variables, **self.qubit.times}) + 0.5)
        for formula, value in ((self.patch_qubits, qubits), (self.cycle_time, cycle_ns)):
            if not 1 <= value < MAX_INTEGER:
                raise formula.wrong(f"gives {value} for distance {distance}")
        return Patch(distance, qubits, cycle_ns, self.error_rate(distance))

    def patch_if_any(self, distance: int) -> Patch | None:
        """A logical qubit; None at distance 1, where formulas need not hold."""
        try:
            return self.patch(distance)
        except CompileError:
            if distance > 1:
                raise
            return None

    def error_rate(self, distance: int) -> float:
        """Probability that a logical qubit fails in a cycle."""
        ratio = self.qubit.error_rate / self.threshold
        suppression = power(ratio, (distance + 1) // 2)
        return self.prefactor * float(distance**self.power) * suppression

    def distance_for(self, required: float) -> int:
        """The smallest distance with at most the error rate `required`; CompileError if none."""
        if self.power:
            found = next((d for d in self.distances() if self.error_rate(d) <= required), None)
        else:
            # arXiv:2211.07629, equation E2.
            ratio = math.log(self.threshold / self.qubit.error_rate)
            exact = 2.0 * math.log(self.prefactor / required) / ratio - 1.0
            found = max(0, math.ceil(exact)) | 1
        if found is None or found > self.max_distance:
            raise error(
                f"no distance up to {self.max_distance} of the code '{self.name}' has a logical "
                f"error rate of {required:.3g}",
                kind=Kind.LIMIT,
                help="allow a larger error budget, or better qubits",
            )
        return found

    def as_json(self) -> dict[str, Any]:
        """All parameters, as the QDK writes them."""
        return {
            "name": self.name,
            "errorCorrectionThreshold": self.threshold,
            "crossingPrefactor": self.prefactor,
            "distanceCoefficientPower": self.power,
            "logicalCycleTime": self.cycle_time.text,
            "physicalQubitsPerLogicalQubit": self.patch_qubits.text,
            "maxCodeDistance": self.max_distance,
        }


def power(base: float, exponent: int) -> float:
    """A power by squaring: rounded as the QDK's is, which `**` is not always."""
    result = 1.0
    while True:
        if exponent & 1:
            result *= base
        exponent >>= 1
        if not exponent:
            return result
        base *= base


def read_code(data: object, qubit: Qubit) -> Code:
    """A code from the QDK's `qecScheme`: a name, or a threshold, a prefactor and two formulas."""
    fields = Fields(data, "qecScheme")
    given = fields.text("name") if "name" in fields else ""
    scheme = NAMES.get(given, "")
    base = SCHEMES.get((scheme, qubit.instruction_set))
    if scheme and base is None:
        raise fields.wrong("name", f"'{scheme}' is not for {qubit.instruction_set} qubits")
    threshold, prefactor, cycle, qubits = base or (None, None, None, None)
    if threshold is None or "errorCorrectionThreshold" in fields:
        threshold = fields.number("errorCorrectionThreshold", 0, 1)
    if prefactor is None or "crossingPrefactor" in fields:
        prefactor = fields.number("crossingPrefactor", 0, math.nextafter(0.5, 1))
    if cycle is None or "logicalCycleTime" in fields:
        cycle = fields.text("logicalCycleTime")
    if qubits is None or "physicalQubitsPerLogicalQubit" in fields:
        qubits = fields.text("physicalQubitsPerLogicalQubit")
    names = [name for name in qubit.times if name != "tGateTime"]
    name, most, exponent = given, "maxCodeDistance", "distanceCoefficientPower"
    code = Code(
        name,
        qubit,
        threshold,
        prefactor,
        fields.integer(exponent, 0, 100) if exponent in fields else 0,
        Formula(cycle, ["codeDistance", *names], "qecScheme.logicalCycleTime"),
        Formula(qubits, ["codeDistance"], "qecScheme.physicalQubitsPerLogicalQubit"),
        fields.integer(most, 1, LARGEST_DISTANCE) if most in fields else DEFAULT_MAX_DISTANCE,
    )
    fields.done()
    _check(code)
    return code


def _check(code: Code) -> None:
    """Refuse a code that the qubits are too bad for, or whose formulas fail at some distance."""
    rate = code.qubit.error_rate
    if rate >= code.threshold:
        raise error(
            f"the physical error rate {rate:g} is not below the threshold {code.threshold:g} of "
            f"the code '{code.name}'",
            kind=Kind.LIMIT,
            help="take better qubits, or another code",
        )
    for distance in code.distances(3):
        code.patch(distance)
