"""What a compilation made: its representations, its output, its report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO, cast

from qwasmc.diagnostics import Kind, error
from qwasmc.options import Options, Watch
from qwasmc.pipeline import Pass, load
from qwasmc.reading import Source, kind_of
from qwasmc.running import error_rate, noise_model

if TYPE_CHECKING:
    import stim

    from qwasmc.backends.physical import Physical
    from qwasmc.backends.stim.emission import Emission
    from qwasmc.ir.circuit import Circuit
    from qwasmc.ir.surgery import Surgery
    from qwasmc.reading import IR


class Step(NamedTuple):
    """A pass that has rewritten a circuit."""

    row: Pass
    before: Circuit
    after: Circuit


@dataclass(slots=True)
class Trail:
    """The way of a compilation through its passes.

    `program` is the circuit in front of the back half, and `steps`, kept for verification, are the
    rewritings up to there.  `certificate` says what became of scratch qubits, if there are any.
    """

    program: Circuit | None = None
    steps: list[Step] = field(default_factory=list)
    certificate: dict[str, Any] | None = None


@dataclass(slots=True)
class Artifact:
    """What a compilation made.

    `ir` is what the passes ended in and `trail` what they came through; `emission` is the physical
    circuit in pieces, without noise, when the output is Stim's.
    """

    source: Source
    options: Options
    watch: Watch
    distance: int
    ir: IR
    trail: Trail
    emission: Emission | None
    choices: list[dict[str, Any]] = field(default_factory=list)
    """With an error budget: the machines that no other one beats in qubits and rounds."""
    target_choice: dict[str, str] | None = None
    """With the target `auto`: the row of the decision table that named the machine."""
    verification: list[dict[str, str]] = field(default_factory=list)

    @property
    def program(self) -> Circuit:
        """The program as an optimised circuit of Clifford and T gates."""
        if self.trail.program is None:
            if kind_of(self.ir) == "program":
                raise error(
                    "a program that keeps its control flow has no counts to report",
                    kind=Kind.LIMIT,
                    help="with -O1 and --max-iterations N it is unrolled; `qwasmc estimate` counts "
                    "without unrolling",
                )
            raise error("only a program or a circuit can be verified and reported on")
        return self.trail.program

    @property
    def surgery(self) -> Surgery:
        """The lattice surgery program."""
        if kind_of(self.ir) != "surgery":
            raise AttributeError(f"the compilation ended in a {kind_of(self.ir)}")
        return cast("Surgery", self.ir)

    @property
    def schedule(self) -> dict[str, Any]:
        """The magic-state schedule; the keys are described in docs/json.md."""
        found = load("qwasmc.backends.timetable:timetable")(self.surgery)
        return {**found, "distance": self.distance, "pareto": self.choices}

    @property
    def circuit(self) -> Any:
        """The circuit as an object of Stim, Qiskit or Cirq, whichever the format is for."""
        row = self.options.format
        if not row.circuit:
            raise AttributeError(f"--emit {row.name} makes no circuit object")
        return load(row.circuit)(self.physical if row.takes == "physical" else self.ir)

    @property
    def physical(self) -> Physical:
        """The physical circuit and what backends need to know of it."""
        if self.emission is None:
            raise AttributeError(f"--emit {self.options.emit} makes no physical circuit")
        title = f"qwasmc {version()}: distance {self.distance}, noise {self.options.noise}"
        made = load("qwasmc.backends.physical:Physical")
        return cast("Physical", made(self.surgery, self.emission, self.fragments, title))

    @property
    def report(self) -> dict[str, Any]:
        """What is to be known about the output; the keys are described in docs/json.md."""
        if self.emission is None:
            counts: dict[str, Any] = load("qwasmc.backends.stats:stats")(self.program)
        else:
            counts = load("qwasmc.backends.report:report")(
                self.program, self.surgery, self.emission, self.options.noisy_ports
            )
        return {
            "version": version(),
            "input": self.source.name,
            "target": self.options.machine.name,
            "target_choice": self.target_choice,
            "rules": [
                {"name": each.name, "sha256": each.sha256} for each in self.options.rule_sets or ()
            ],
            "noise": self.options.noise,
            **counts,
            **self._times(),
            "uncomputation": self.trail.certificate,
            "verification": self.verification,
            "timings_s": {name: round(s, 6) for name, s in self.watch.timings.items()},
        }

    def _times(self) -> dict[str, float | None]:
        """How long a run of the physical circuit takes, if there is one and its machine says so."""
        if self.emission is None:
            return {}
        gates = self.options.machine.gates
        if gates is None:
            return {"time_s": None, "round_us": None}
        rounds = sum(self.emission.slab_rounds)
        time = gates.duration(rounds, sum(self.emission.layers))
        return {"time_s": time / 1e9, "round_us": time / rounds / 1e3 if rounds else None}

    def fragments(self) -> Iterator[str]:
        """The physical circuit with its noise, as text, piece by piece."""
        options = self.options
        declared = load("qwasmc.passes.scheduling.factories:declared_error")(
            options.factory or options.machine.factories[0], error_rate(options), self.distance
        )
        model = noise_model(options)
        return noisy(
            self.physical.emission,
            model,
            noisy_ports=options.noisy_ports,
            declared=declared if model.gate2 else 0.0,
        )

    def write(self, file: TextIO) -> None:
        """Write the output; what is not text goes to the file's buffer."""
        with self.watch.timed("write"):
            made = self.output()
            if isinstance(made, bytes):
                file.buffer.write(made)
            else:
                file.writelines([made] if isinstance(made, str) else made)

    def output(self) -> str | bytes | Iterable[str]:
        """The output in its format; text may come piece by piece."""
        row = self.options.format
        if row.takes == "physical":
            return cast("str | bytes | Iterable[str]", load(row.function)(self.physical))
        return cast("str | bytes | Iterable[str]", load(row.function)(self.ir))


def noisy(
    emission: Emission, model: Any, *, noisy_ports: bool = False, declared: float = 0.0
) -> Iterator[str]:
    """The text of a circuit, piece by piece, under a noise model; ports have a `declared` error."""
    noiser = load("qwasmc.backends.stim.noise:Noiser")(
        model, range(emission.num_qubits), noisy_ports=noisy_ports
    )
    texts: Iterator[str] = map(noiser.text, emission.texts())
    if not declared:
        return texts
    declare = load("qwasmc.backends.stim.port:declare")
    return (declare(text, declared) for text in texts)


def joined(fragments: Iterator[str]) -> stim.Circuit:
    """The circuit that pieces of text make up."""
    whole: stim.Circuit = load("stim:Circuit")()
    for fragment in fragments:
        whole.append_from_stim_program_text(fragment)
    return whole


def version() -> str:
    """The version of this package."""
    return cast(str, load("importlib.metadata:version")("qwasmc"))
