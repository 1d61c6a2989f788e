"""Noise models: which errors follow which operations.

Two models are known by name:

- `uniform:p`: every gate, reset, measurement and idle qubit fails with probability p.
- `si1000:p`: superconducting-inspired, 1000 ns per cycle (Gidney, Newman, Fowler, Broughton,
  "A Fault-Tolerant Honeycomb Memory", arXiv:2108.10457, the SI1000 column of its noise tables).

A model from `target_noise` knows how long operations take.  A layer lasts as long as its longest
operation; a qubit that is done sooner, or has nothing to do, waits for the rest of it, and its
errors grow with that time.

In all of them a measurement flips its recorded result, and a classically controlled Pauli is a
change of frame: it has no noise and keeps no qubit busy.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cache
from typing import NamedTuple

import stim

from qwasmc.target import GateBased

_MIXED_1 = 3 / 4
_MIXED_2 = 15 / 16


class NoiseError(ValueError):
    """A noise model that makes no sense, or a circuit that noise cannot be added to."""


def _strength(limit: float) -> float:
    """A field of `NoiseModel`: no noise by default, at most `limit`."""
    strength: float = field(default=0.0, metadata={"limit": limit})
    return strength


@dataclass(frozen=True, slots=True)
class NoiseModel:
    """Error probabilities by cause; the default is no noise.

    A depolarizing channel may at most mix completely (3/4 on one qubit, 15/16 on two): beyond
    that Stim has no error model for it.
    """

    gate1: float = _strength(_MIXED_1)
    """DEPOLARIZE1 after a one-qubit gate."""
    gate2: float = _strength(_MIXED_2)
    """DEPOLARIZE2 after a two-qubit gate."""
    reset: float = _strength(1.0)
    """A reset prepares the orthogonal state."""
    measure: float = _strength(1.0)
    """A measurement records the wrong result."""
    idle: float = _strength(_MIXED_1)
    """DEPOLARIZE1 on a qubit that a layer does not touch."""
    resonator_idle: float = _strength(_MIXED_1)
    """DEPOLARIZE1, on top, on a qubit not measured or reset in a layer where others are."""
    timed: GateBased | None = None
    """How long operations take, and how qubits err that wait; in place of `idle`."""

    def __post_init__(self) -> None:
        for item in fields(self)[:-1]:
            value, limit = getattr(self, item.name), item.metadata["limit"]
            if not 0 <= value <= limit:
                raise NoiseError(
                    f"{item.name} error probability {value!r} is not between 0 and {limit}"
                )

    @classmethod
    def uniform(cls, p: float) -> NoiseModel:
        """Every location fails with probability `p`."""
        return cls(gate1=p, gate2=p, reset=p, measure=p, idle=p)

    @classmethod
    def si1000(cls, p: float) -> NoiseModel:
        """SI1000 of arXiv:2108.10457, scaled by the two-qubit error probability `p`.

        The paper's gate set is CZ and Z-basis reset and measurement; others get the noise of
        their class.  The paper flips the qubit before a measurement, this flips the record.
        """
        return cls(
            gate1=p / 10, gate2=p, reset=2 * p, measure=5 * p, idle=p / 10, resonator_idle=2 * p
        )


def target_noise(qubit: GateBased) -> NoiseModel:
    """The model of a machine's qubits: depolarizing gates, flipped resets and results, waiting."""
    return NoiseModel(
        gate1=qubit.one_qubit_gate_error_rate,
        gate2=qubit.two_qubit_gate_error_rate,
        reset=qubit.reset_error_rate,
        measure=qubit.one_qubit_measurement_error_rate,
        timed=qubit,
    )


def parse_noise(text: str) -> NoiseModel:
    """The model that `none`, `uniform:P` or `si1000:P` names; `NoiseError` for anything else."""
    if text == "none":
        return NoiseModel()
    name, colon, number = text.partition(":")
    makers = {"uniform": NoiseModel.uniform, "si1000": NoiseModel.si1000}
    if name not in makers or not colon:
        raise NoiseError(
            f"unknown noise model '{text}': expected none, uniform:P, si1000:P or target"
        )
    try:
        p = float(number)
    except ValueError:
        raise NoiseError(f"'{number}' in noise model '{text}' is not a number") from None
    try:
        return makers[name](p)
    except NoiseError as problem:
        raise NoiseError(f"noise model '{text}': {problem}") from None


class Rule(NamedTuple):
    """What noise a kind of operation gets, as Stim text; empty for none."""

    after: str = ""
    """Channel that follows, on the same targets."""
    flip: str = ""
    """Argument of a measurement."""
    collapses: bool = False
    """Whether it measures or resets."""
    width: int = 1
    """Number of targets that belong together."""
    time: float = 0.0
    """How long it takes in ns."""


def channel_text(name: str, p: float) -> str:
    """A channel of strength p; nothing for none."""
    return f"{name}({p:.15g})" if p else ""


def pauli_text(x: float, y: float, z: float) -> str:
    """The simplest channel with these probabilities of X, Y and Z."""
    if x == y == z:
        return channel_text("DEPOLARIZE1", 3 * x)
    if x == y == 0:
        return channel_text("Z_ERROR", z)
    return f"PAULI_CHANNEL_1({x:.15g}, {y:.15g}, {z:.15g})"


def _time(qubit: GateBased | None, gate: stim.GateData) -> float:
    """How long an operation takes in ns, where that is known."""
    if qubit is None:
        return 0.0
    if gate.is_unitary:
        return qubit.two_qubit_gate_time if gate.is_two_qubit_gate else qubit.one_qubit_gate_time
    measured = qubit.one_qubit_measurement_time if gate.produces_measurements else 0.0
    return measured + (qubit.reset_time if gate.is_reset else 0.0)


@cache
def rule_of(model: NoiseModel, name: str) -> Rule | None:
    """The rule for the gate `name`; None for noise channels and for Pauli-product gates."""
    gate = stim.gate_data(name)
    width, time = 2 if gate.is_two_qubit_gate else 1, _time(model.timed, gate)
    if gate.is_unitary and gate.is_single_qubit_gate:
        return Rule(after=channel_text("DEPOLARIZE1", model.gate1), time=time)
    if gate.is_unitary and gate.is_two_qubit_gate:
        return Rule(after=channel_text("DEPOLARIZE2", model.gate2), width=width, time=time)
    after = ""
    if gate.is_reset:
        after = channel_text("Z_ERROR" if name.endswith("X") else "X_ERROR", model.reset)
    if gate.produces_measurements and 0 in gate.num_parens_arguments_range:
        flip = channel_text("", model.measure)
        return Rule(after=after, flip=flip, collapses=True, width=width, time=time)
    return Rule(after=after, collapses=True, time=time) if gate.is_reset else None
