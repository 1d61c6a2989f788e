"""What a certificate says."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from qwasmc.diagnostics import Diagnostic, Kind
from qwasmc.ir.circuit import Circuit


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that does not hold, or that could not be decided.

    `kind` is one of

        scratch      an ancilla does not return to |0>
        ghost        a phase that a measurement of an ancilla has left is not repaired
        qubit        a qubit of the program has another value in the end
        result       a result has another value
        phase        the circuits differ by a phase
        operation    the circuits do not make the same superpositions and measurements
        limit        the circuits are too large for a decision
    """

    kind: str
    decided: bool
    """Whether the circuits are known to differ; if not, they may be equal nonetheless."""
    message: str
    loc: int = -1
    """Where in the source that is, if it is known."""
    counterexample: dict[str, int] = field(default_factory=dict)
    """Values of qubits of the program at first (or behind an operation that makes superpositions),
    for which it does not hold; those not listed do not matter."""

    def __str__(self) -> str:
        values = ", ".join(f"{name} = {value}" for name, value in self.counterexample.items())
        return f"{self.message} (for example for {values})" if values else self.message


@dataclass(slots=True)
class SegmentReport:
    """What became of a segment that is undone."""

    name: str
    loc: int
    scratch: list[str]
    """Names of its scratch qubits."""
    erased: int = 0
    """Ancillas with the value of a scratch qubit that are measured in X."""
    mirrored: int = 0
    """Those that are undone by gates."""
    recomputed: int = 0
    """How many more of these ancillas there are than scratch qubits."""


@dataclass(slots=True)
class Certificate:
    """Whether a circuit with reversible segments was rewritten rightly, and how that is known."""

    scratch: int = 0
    """Ancillas that end in |0>, or measured in X without a trace."""
    ghosts: int = 0
    """Those of them that are measured, with all phases repaired."""
    discarded: int = 0
    """Ancillas that are thrown away in a state that outcomes and resets tell anyway."""
    from_zero: bool = False
    """Whether it holds only as qubits of the program are |0> where they are allocated; otherwise
    it holds for any state of theirs."""
    segments: list[SegmentReport] = field(default_factory=list)
    methods: dict[str, int] = field(default_factory=dict)
    """How many equalities were found by each method."""
    failures: list[Failure] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything is proved."""
        return not self.failures

    @property
    def result(self) -> str:
        """ "proved", "failed" or "not decided"."""
        if self.ok:
            return "proved"
        return "failed" if any(failure.decided for failure in self.failures) else "not decided"

    @property
    def summary(self) -> str:
        """One sentence."""
        if not self.ok:
            return "; ".join(map(str, self.failures))
        text = f"ancillas that return to |0>: {self.scratch}, {self.ghosts} of them measured"
        if self.discarded:
            text += f"; thrown away in a known state: {self.discarded}"
        if self.from_zero:
            text += ", given that the program's qubits start in |0>"
        proved = ", ".join(f"{count} by {method}" for method, count in self.methods.items())
        return f"{text}; equalities proved: {proved or 'none needed'}"

    def as_json(self) -> dict[str, Any]:
        """The certificate as objects of JSON."""
        return {"result": self.result, "summary": self.summary, **asdict(self)}


def diagnose(certificate: Certificate, circuit: Circuit) -> list[Diagnostic]:
    """What of a circuit could not be decided, as errors about its source."""
    message = "it could not be certified that scratch qubits are undone"
    return [
        replace(
            circuit.locations.diagnostic(f"{message}: {failure.message}", failure.loc),
            kind=Kind.LIMIT,
        )
        for failure in certificate.failures
    ]
