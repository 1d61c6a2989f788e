"""Rewriting rules: a pattern, what may stand in its place, and why that is right.

    rule merge: rz(x) a; rz(y) a => rz(x + y) a
      proof polynomial 0 5f3a...

A rule is about a few qubits, called a, b, c, ...  Both sides have the same ones: what they do to
qubits that the circuit may go on to use, and which measurement results they make, is the same.
Files of rules are described in `notation`; who proves them, and how, in docs/rewriting.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from qwasmc.ops import BY_NAME, Cost, OpSpec

OPERATIONS = (
    *("h", "x", "y", "z", "s", "sdg", "sx", "sxdg", "t", "tdg", "rz"),
    *("cx", "cy", "cz", "swap"),
    *("measure_x", "measure_y", "measure_z", "ppm", "reset", "alloc", "free"),
)
"""Operations that rules may have; `alloc` and `free` in patterns only."""

SYMMETRIC = ("cz", "swap")
"""Those that do the same with their qubits exchanged."""

MAX_QUBITS = 4
"""Most qubits of a rule, with those that it allocates."""

MAX_STEPS = 24
"""Most operations on each side."""

MAX_VARIABLES = 4
"""Most angles of a rule."""


@dataclass(frozen=True, slots=True)
class Angle:
    """The sum of count * variable over `terms`, plus `eighths` * pi/4, in radians modulo 2 pi.

    `terms` are in order of names, none of them with the count 0; `eighths` is in 0, ..., 7.
    """

    terms: tuple[tuple[str, int], ...] = ()
    eighths: int = 0


def total(parts: Sequence[tuple[Angle, int]]) -> Angle:
    """The sum of some angles, each so many times."""
    counts: dict[str, int] = {}
    for angle, times in parts:
        for name, count in angle.terms:
            counts[name] = counts.get(name, 0) + times * count
    eighths = sum(times * angle.eighths for angle, times in parts)
    return Angle(tuple((name, n) for name, n in sorted(counts.items()) if n), eighths % 8)


class Step(NamedTuple):
    """An operation on qubits, by their names.

    `angle` is that of `rz`, `paulis` the letters of a `ppm`, `bit` the result that a measurement
    makes, and `cond` the result that a Pauli is predicated on; otherwise they are None or empty.
    """

    op: str
    qubits: tuple[str, ...]
    angle: Angle | None = None
    paulis: str = ""
    bit: str = ""
    cond: str = ""

    @property
    def spec(self) -> OpSpec:
        """The row of the op table."""
        return BY_NAME[self.op]


class Proof(NamedTuple):
    """Why both sides of a rule are the same; `qwasmc.backends.proving` makes and checks it.

    `kind` is "matrix", "polynomial" (of angles) or "instrument" (with measurements).  `phase` says
    that the replacement is exp(i pi phase / 4) times the pattern; it is 0 for instruments.
    `digest` is the SHA-256 of what both sides are, in the canonical form that the checker defines.
    """

    kind: str
    phase: int
    digest: str


@dataclass(frozen=True, slots=True)
class Rule:
    """`replacement` may stand for `pattern` where each angle in `conditions` is 0 modulo 2 pi."""

    name: str
    pattern: tuple[Step, ...]
    replacement: tuple[Step, ...]
    conditions: tuple[Angle, ...] = ()
    proof: Proof | None = None

    @property
    def sides(self) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
        """The pattern and the replacement."""
        return self.pattern, self.replacement

    @property
    def corrects(self) -> bool:
        """Whether it makes Paulis depend on results, or measures products of Paulis."""
        before, after = (sum(bool(s.cond or s.paulis) for s in side) for side in self.sides)
        return after > before

    def qubits(self) -> list[str]:
        """The qubits of the pattern, those that it does not allocate first, in order."""
        names = names_in(self.pattern)
        fresh = {step.qubits[0] for step in self.pattern if step.op == "alloc"}
        return sorted(names, key=lambda name: (name in fresh, name))

    def variables(self) -> list[str]:
        """The angles of the pattern, in order."""
        angles = [step.angle for step in self.pattern if step.angle]
        return sorted({name for angle in angles for name, _ in angle.terms})


@dataclass(frozen=True, slots=True)
class Policy:
    """Which places to rewrite: those where the weighted sum of features is more than 0.

    `weights` are by name of feature (`qwasmc.passes.rewriting.features`); all are integers, so that
    a choice is the same on every machine.  `evidence` says how it did on circuits it had not seen.
    """

    weights: tuple[tuple[str, int], ...]
    sweeps: int
    evidence: str


@dataclass(frozen=True, slots=True)
class Macro:
    """A block that recurs: `name a b c` in a rule stands for its steps."""

    name: str
    qubits: tuple[str, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """A file of rules; `text` is what is signed and `file` where it is from.

    `cost` is the objective (`qwasmc.cost`) that the rules were learned for, and `origin` how.
    """

    name: str
    about: str
    cost: str
    origin: str
    rules: tuple[Rule, ...]
    macros: tuple[Macro, ...] = ()
    policy: Policy | None = None
    text: bytes = b""
    file: str = ""

    @property
    def sha256(self) -> str:
        """The hash of the file, by which it is approved."""
        return hashlib.sha256(self.text).hexdigest()


def slow_clifford(step: Step) -> bool:
    """Whether this is a Clifford gate on one qubit that takes time on patches, as S does."""
    return step.spec.is_gate and step.spec.qubits == 1 and step.spec.cost is Cost.CLIFFORD


def names_in(steps: Sequence[Step]) -> list[str]:
    """The qubits of some steps, each once, in order of their first use."""
    return list(dict.fromkeys(_all_qubits(steps)))


def _all_qubits(steps: Sequence[Step]) -> Iterator[str]:
    for step in steps:
        yield from step.qubits
