"""What is known of a machine: its qubits, its code, and what may be asked of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from qwasmc.diagnostics import Kind, error
from qwasmc.formats import FORMATS

DISTANCES = range(3, 102, 2)
"""Code distances that layouts are defined for."""

DEFAULT_DISTANCE = 3
"""For a program that declares no distance."""

DEFAULT_ERROR_RATE = 1e-3
"""Physical error rate of a circuit whose noise is not given."""

FLOOR_PLANS = ("sparse", "bus", "compact")
"""Families of arrangements of patches and lanes; see `qwasmc.passes.scheduling.plan`."""

FACTORIES = ("port", "injection", "cultivation-3", "cultivation-5", "15-to-1")
"""Kinds of sources of magic states; see `qwasmc.passes.scheduling.factories`."""

INJECTING = ("injection", "15-to-1")
"""Those that begin with physical qubits, and the noise of these."""

CONNECTIVITIES = ("square-grid", "all-to-all")
"""Those that have two-qubit gates between all neighbours on a square grid, as layouts need."""

OUTPUTS = tuple(row.name for row in FORMATS if row.takes in ("logical", "physical"))
"""What a machine may allow or forbid to write; the compiler's own IR is always allowed."""

CX_LAYERS = 4
"""Layers of two-qubit gates in a round of the patches of a program that waits."""


def tile_qubits(distance: int) -> int:
    """Data qubits and ancillas of a tile, with the column and the row between it and the next."""
    return 2 * (distance + 1) ** 2


OPTIONAL = "optional"
"""In place of the name of a field: None without a value."""


def time(default: str = "") -> Any:
    """A field that is a time in ns; without a value it is that of the field `default`."""
    return field(metadata={"unit": "time", "default": default})


def rate(default: str = "") -> Any:
    """A field that is a probability; without a value it is that of the field `default`."""
    return field(metadata={"unit": "rate", "default": default})


@dataclass(frozen=True, slots=True)
class GateBased:
    """Qubits with gates on one and two of them: times in ns, error probabilities.

    The fields have the names that the QDK's resource estimator gives them, in snake case, but for
    resets, `t1` and `t2`.  Errors of qubits that wait are either `idle_error_rate`, for as long as
    a two-qubit gate takes, or follow from `t2`, and `t1` if it is finite.
    """

    one_qubit_gate_time: float = time()
    two_qubit_gate_time: float = time()
    t_gate_time: float = time("one_qubit_gate_time")
    one_qubit_measurement_time: float = time()
    reset_time: float = time("one_qubit_measurement_time")
    one_qubit_gate_error_rate: float = rate()
    two_qubit_gate_error_rate: float = rate()
    t_gate_error_rate: float = rate("one_qubit_gate_error_rate")
    one_qubit_measurement_error_rate: float = rate()
    reset_error_rate: float = rate("one_qubit_measurement_error_rate")
    idle_error_rate: float | None = rate(OPTIONAL)
    t1: float | None = time(OPTIONAL)
    t2: float | None = time(OPTIONAL)

    @property
    def round_time(self) -> float:
        """A round of syndrome extraction: prepare ancillas, touch four neighbours, measure.

        With `reset_time` left out this is the QDK's cycle time of the surface code divided by the
        distance: (4 twoQubitGateTime + 2 oneQubitMeasurementTime).
        """
        return (
            self.reset_time + CX_LAYERS * self.two_qubit_gate_time + self.one_qubit_measurement_time
        )

    def duration(self, rounds: int, layers: int) -> float:
        """Time of a circuit in ns.

        A round has one layer of resets and one of measurements; all others have gates on two
        qubits, and some on one.
        """
        gate_time = max(self.one_qubit_gate_time, self.two_qubit_gate_time)
        round_time = self.reset_time + self.one_qubit_measurement_time
        return rounds * round_time + (layers - 2 * rounds) * gate_time

    @property
    def error_rate(self) -> float:
        """The physical error rate p of formulas."""
        return self.two_qubit_gate_error_rate

    def idle_errors(self, waited: float) -> tuple[float, float, float]:
        """Probabilities of X, Y and Z while a qubit waits for so many ns.

        Amplitude and phase damping become Pauli errors by twirling: Geller, Zhou, Phys. Rev. A 88,
        012314 (2013), section III.
        """
        if self.t2 is None:
            assert self.idle_error_rate is not None
            steps = waited / self.two_qubit_gate_time
            each = (1 - (1 - 4 / 3 * self.idle_error_rate) ** steps) / 4
            return each, each, each
        flip = -math.expm1(-waited / (self.t1 or math.inf)) / 4
        return flip, flip, -math.expm1(-waited / self.t2) / 2 - flip


@dataclass(frozen=True, slots=True)
class Majorana:
    """Qubits with measurements of one and two of them: times in ns, error probabilities.

    No circuits are made for them, estimates are.  Fields are named as those of `GateBased`.
    """

    one_qubit_measurement_time: float = time()
    two_qubit_joint_measurement_time: float = time("one_qubit_measurement_time")
    t_gate_time: float = time("one_qubit_measurement_time")
    one_qubit_measurement_error_rate: float = rate()
    two_qubit_joint_measurement_error_rate: float = rate()
    t_gate_error_rate: float = rate()
    idle_error_rate: float = rate("one_qubit_measurement_error_rate")

    @property
    def round_time(self) -> float:
        """A round of syndrome extraction: 20 measurements (arXiv:2211.07629, appendix on codes)."""
        return 20 * self.one_qubit_measurement_time

    @property
    def error_rate(self) -> float:
        """The physical error rate p of formulas."""
        return self.two_qubit_joint_measurement_error_rate


INSTRUCTION_SETS: dict[str, type[GateBased] | type[Majorana]] = {
    "gate_based": GateBased,
    "majorana": Majorana,
}
"""What qubits can do, by name."""


@dataclass(frozen=True, slots=True)
class Code:
    """How well surface-code patches keep: a (p/p*)^((d+1)/2) errors in a round.

    `crossing_prefactor` is a and `error_correction_threshold` p*; the default is that of Fowler and
    Gidney, arXiv:1808.06709.
    """

    crossing_prefactor: float = 0.1
    error_correction_threshold: float = 0.01
    min_distance: int = DISTANCES[0]
    max_distance: int = DISTANCES[-1]

    def patch_error(self, p: float, distance: int) -> float:
        """Logical error rate of a patch per round at a physical error rate p."""
        base = p / self.error_correction_threshold
        return min(1.0, self.crossing_prefactor * math.pow(base, (distance + 1) / 2))


DEFAULT_CODE = Code()


@dataclass(frozen=True, slots=True)
class Target:
    """A machine; docs/targets.md says what each field means.

    `text` is the description it was read from, and `file` the file that had it, if not our own.
    """

    name: str
    doc: str
    text: str = field(repr=False, compare=False)
    file: str = ""
    sources: tuple[str, ...] = ()
    connectivity: str = CONNECTIVITIES[0]
    max_qubits: int | None = None
    max_tiles: int | None = None
    reaction_time: float | None = None
    outputs: tuple[str, ...] = OUTPUTS
    factories: tuple[str, ...] = FACTORIES
    floor_plans: tuple[str, ...] = FLOOR_PLANS
    native_gates: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    code: Code = DEFAULT_CODE
    qubit: GateBased | Majorana | None = None

    @property
    def distances(self) -> range:
        """The code distances that may be used."""
        return range(self.code.min_distance, self.code.max_distance + 1, 2)

    @property
    def has_circuits(self) -> bool:
        """Whether circuits are made for it: patches are defined for qubits that have gates."""
        return not isinstance(self.qubit, Majorana)

    @property
    def gates(self) -> GateBased | None:
        """The qubits, if it is known how their gates err and how long they take."""
        return self.qubit if isinstance(self.qubit, GateBased) else None

    @property
    def instruction_set(self) -> str | None:
        """What the qubits can do, if it is known."""
        names = {made: name for name, made in INSTRUCTION_SETS.items()}
        return names[type(self.qubit)] if self.qubit else None

    @property
    def error_rate(self) -> float | None:
        """The physical error rate p of formulas, if it is known."""
        return self.qubit.error_rate if self.qubit else None

    @property
    def round_time(self) -> float | None:
        """Time of a round of syndrome extraction in ns, if it is known."""
        return self.qubit.round_time if self.qubit else None

    def slab_time(self, distance: int) -> float | None:
        """Time in ns of a slab of so many rounds, if it is known."""
        return None if self.round_time is None else distance * self.round_time

    def tiles(self, distance: int) -> int | None:
        """The most tiles that a layout may have; None for any number."""
        limits = [] if self.max_tiles is None else [self.max_tiles]
        if self.max_qubits is not None:
            limits.append(self.max_qubits // tile_qubits(distance))
        return min(limits, default=None)


def check_distance(target: Target, distance: int) -> None:
    """Raise a CompileError if a target has no layout for a distance."""
    allowed = target.distances
    if distance not in allowed:
        raise error(
            f"target '{target.name}' has no layout for distance {distance}",
            kind=Kind.LIMIT,
            help=f"use an odd distance from {allowed[0]} to {allowed[-1]}",
        )
