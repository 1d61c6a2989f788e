"""Runs compilations: runs the passes, emits, checks, reports.

The driver gives every pass its timing, its dump and its verification.  It knows representations
and backends by name only (`pipeline.load`), so importing it is cheap.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO, cast

from qwasmc.diagnostics import CompileError, Diagnostic, Kind, error
from qwasmc.options import Options, Watch
from qwasmc.pipeline import (
    BACK_HALF,
    CANCEL,
    ERASE,
    FOLD,
    IRS,
    LOWER_GATES,
    OPEN_ENDS,
    REVERSIBLE,
    SYNTHESISE,
    UNCOMPUTE,
    Pass,
    load,
    named,
    select,
)
from qwasmc.reading import Source, kind_of, print_ir, read, verify_ir
from qwasmc.target import (
    DEFAULT_DISTANCE,
    DEFAULT_ERROR_RATE,
    DEFAULT_TARGET,
    FACTORIES,
    FLOOR_PLANS,
    check_distance,
)

if TYPE_CHECKING:
    import stim

    from qwasmc.backends.stim.emission import Emission
    from qwasmc.backends.stim.sample import Sampled
    from qwasmc.ir.circuit import Circuit
    from qwasmc.ir.surgery import Surgery
    from qwasmc.reading import IR

EMITS = (*IRS, "stim")
"""What a compilation can end in."""

VERIFY_NOISE = "uniform:0.001"
"""The noise at which --verify samples and searches for logical errors; ports are quiet."""

OBSERVABLE_NAME = re.compile(r"^# observable \d+: (.*)$", re.MULTILINE)
"""Where a circuit that this compiler wrote says which result an observable is."""

DISTANCE = re.compile(r'ALLOC_LQ .*profile="[^"]*\(d=(\d+)\)|QLINIT .*distance=(\d+)')
"""Where a pragma declares a distance."""


class InternalError(Exception):
    """A bug in the compiler that the compiler itself has noticed."""


# -- passes ----------------------------------------------------------------------------------------


def choose_passes(start: str, end: str, options: Options) -> list[Pass]:
    """The passes to run to get from the IR `start` to the IR `end`."""
    if options.passes is None:
        extra = (OPEN_ENDS,) if options.open else ()
        rows = select(start, end, options.level, extra)
    else:
        rows = named(options.passes, start)
    reached = rows[-1].gives if rows else start
    if reached != end:
        raise error(f"a {end} is wanted, but the passes end in a {reached}", kind=Kind.USAGE)
    return rows


PASS_OPTIONS: dict[str, Callable[[Options, Watch], Any]] = {
    "ancillas": lambda options, _: options.ancillas if options.adaptive else 0,
    "distance": lambda options, _: options.distance or DEFAULT_DISTANCE,
    "error_rate": lambda options, _: _error_rate(options),
    "factories": lambda options, _: options.factories,
    "factory": lambda options, _: options.factory or FACTORIES[0],
    "feed_forward": lambda options, _: options.adaptive,
    "floor_plan": lambda options, _: options.floor_plan or FLOOR_PLANS[0],
    "max_iterations": lambda options, _: options.max_iterations,
    "max_qubits": lambda options, _: options.max_qubits,
    "max_tiles": lambda options, _: options.max_tiles,
    "measured": lambda options, _: options.measured,
    "note": lambda _, watch: watch.note,
    "scratch": lambda options, _: options.scratch,
    "synthesis_error": lambda options, _: options.synthesis_error,
    "time_budget": lambda options, _: options.time_budget,
}
"""How passes get the options that they take."""


def _error_rate(options: Options) -> float:
    """The physical error rate that the machine is built for: that of the noise, if there is one."""
    return parse_noise(options.noise).gate2 or DEFAULT_ERROR_RATE


def run_pass(ir: IR, row: Pass, options: Options, watch: Watch) -> IR:
    """The IR after a pass."""
    with watch.timed(row.name):
        result = _call(row, ir, options, watch)
        if row.optimises:
            cost, width = load("qwasmc.cost:cost"), load("qwasmc.cost:width")
            dearer = cost(result, options.objective) > cost(ir, options.objective)
            if dearer or width(result) > max(width(ir), options.max_qubits or math.inf):
                result = ir
    if options.verify_each or row.gives == "circuit":  # columns take next to no time
        with watch.timed("verify-ir"):
            _verify_result(result, row)
    if row.name in options.print_after or "all" in options.print_after:
        watch.dump.write(f"// after {row.name}\n{print_ir(result)}")
    return result


def _call(row: Pass, ir: IR, options: Options, watch: Watch) -> IR:
    arguments = {name: PASS_OPTIONS[name](options, watch) for name in row.options}
    return cast("IR", load(row.function)(ir, **arguments))


def _verify_result(ir: IR, row: Pass) -> None:
    try:
        verify_ir(ir)
    except CompileError as wrong:
        raise InternalError(f"pass '{row.name}' made an invalid {row.gives}: {wrong}") from wrong


# -- whole compilations ----------------------------------------------------------------------------


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
    files: Sequence[str]
    ir: IR
    trail: Trail
    emission: Emission | None
    choices: list[dict[str, Any]] = field(default_factory=list)
    """With an error budget: the machines that no other one beats in qubits and rounds."""
    verification: list[dict[str, str]] = field(default_factory=list)

    @property
    def program(self) -> Circuit:
        """The program as an optimised circuit of Clifford and T gates."""
        if self.trail.program is None:
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
    def circuit(self) -> stim.Circuit:
        """The physical circuit, with its noise."""
        return _joined(self.fragments())

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
            "version": _version(),
            "input": self.source.name,
            "target": DEFAULT_TARGET.name,
            "noise": self.options.noise,
            **counts,
            "uncomputation": self.trail.certificate,
            "verification": self.verification,
            "timings_s": {name: round(s, 6) for name, s in self.watch.timings.items()},
        }

    @property
    def _emission(self) -> Emission:
        if self.emission is None:
            raise AttributeError(f"--emit {self.options.emit} makes no physical circuit")
        return self.emission

    def fragments(self) -> Iterator[str]:
        """The physical circuit with its noise, as text, piece by piece."""
        options = self.options
        declared = load("qwasmc.passes.scheduling.factories:declared_error")(
            options.factory or FACTORIES[0], _error_rate(options), self.distance
        )
        return _noisy(
            self._emission,
            options.noise,
            noisy_ports=options.noisy_ports,
            declared=declared if parse_noise(options.noise).gate2 else 0.0,
        )

    def write(self, file: TextIO) -> None:
        """Write the output as text."""
        with self.watch.timed("write"):
            if self.emission is None:
                file.writelines(load("qwasmc.text:print_lines")(self.ir))
                return
            file.write(
                f"# qwasmc {_version()}: distance {self.distance}, noise {self.options.noise}\n"
            )
            names = load("qwasmc.backends.report:observable_names")(self.ir)
            file.writelines(f"# observable {i}: {name}\n" for i, name in enumerate(names))
            file.writelines(self.fragments())


def _noisy(
    emission: Emission, noise: str, *, noisy_ports: bool = False, declared: float = 0.0
) -> Iterator[str]:
    """The text of a circuit, piece by piece, with noise; ports have errors of a `declared` rate."""
    noiser = load("qwasmc.backends.stim.noise:Noiser")(
        parse_noise(noise), range(emission.num_qubits), noisy_ports=noisy_ports
    )
    texts: Iterator[str] = map(noiser.text, emission.texts())
    if not declared:
        return texts
    declare = load("qwasmc.backends.stim.port:declare")
    return (declare(text, declared) for text in texts)


def _joined(fragments: Iterator[str]) -> stim.Circuit:
    whole: stim.Circuit = load("stim:Circuit")()
    for fragment in fragments:
        whole.append_from_stim_program_text(fragment)
    return whole


def _version() -> str:
    return cast(str, load("importlib.metadata:version")("qwasmc"))


def parse_noise(text: str) -> Any:
    """A noise model from its name and strength."""
    try:
        return load("qwasmc.backends.stim.noise:parse_noise")(text)
    except ValueError as wrong:
        raise error(str(wrong), kind=Kind.USAGE) from wrong


def compile_source(source: Source, options: Options, watch: Watch) -> Artifact:
    """Compile a source as far as `options.emit` says."""
    physical = options.emit == "stim"
    if physical:
        parse_noise(options.noise)
    ir = read(source, options, watch)
    distance = choose_distance(ir, options, watch)
    files = getattr(ir, "files", ())
    rows = choose_passes(kind_of(ir), "surgery" if physical else options.emit, options)
    front = [row for row in rows if row not in BACK_HALF]
    run = _run_both_ways if options.adaptive and LOWER_GATES in rows else _run_passes
    ir, trail = run(ir, front, options, watch)
    _check_budgets(ir, options)
    choices: list[dict[str, Any]] = []
    if len(front) < len(rows):
        options, choices = _chosen(ir, options, distance, watch)
        distance = options.distance or distance
        ir, _ = _run_passes(ir, rows[len(front) :], options, watch)
    emission = None
    if physical:
        with watch.timed("emit"):
            emission = load("qwasmc.backends.stim.emit:emit")(ir, distance)
    artifact = Artifact(source, options, watch, distance, files, ir, trail, emission, choices)
    if options.verify:
        with watch.timed("verify"):
            artifact.verification = _verify_front(artifact)
            if physical:
                artifact.verification += _verify_back(artifact, rows)
            _stop_if_failed(artifact.verification)
    return artifact


def _chosen(
    ir: IR, options: Options, distance: int, watch: Watch
) -> tuple[Options, list[dict[str, Any]]]:
    """The options with a machine chosen for the error budget, if there is one, and its rivals."""
    if options.error_budget is None:
        return replace(options, distance=distance), []
    wanted = load("qwasmc.passes.scheduling.choice:Wanted")(
        options.error_budget,
        _error_rate(options),
        options.floor_plan,
        options.factory,
        options.factories,
        options.max_tiles,
        options.distance,
    )
    with watch.timed("choose"):
        found = load("qwasmc.passes.scheduling.choice:choose")(ir, wanted)
    best = found[0]
    chosen = replace(
        options,
        distance=best.distance,
        floor_plan=best.floor_plan,
        factory=best.factory,
        factories=best.factories or None,
    )
    return chosen, load("qwasmc.passes.scheduling.choice:pareto")(found)


def _run_passes(ir: IR, rows: Sequence[Pass], options: Options, watch: Watch) -> tuple[IR, Trail]:
    """The IR that passes end in, and the way there."""
    trail = Trail(cast("Circuit", ir) if kind_of(ir) == "circuit" else None)
    segmented: IR | None = None
    for at, row in enumerate(rows):
        run = _erased if row is ERASE and options.passes is None else run_pass
        before, ir = ir, run(ir, row, options, watch)
        if row.gives != "circuit" or row in BACK_HALF:
            continue
        trail.program = cast("Circuit", ir)
        if row in REVERSIBLE:
            if ir is not before:
                segmented = segmented or before
            if segmented and not any(later in REVERSIBLE for later in rows[at + 1 :]):
                trail.certificate = _certified(segmented, ir, watch)
        elif (
            options.verify and row.takes == "circuit" and row is not OPEN_ENDS and ir is not before
        ):
            trail.steps.append(Step(row, cast("Circuit", before), cast("Circuit", ir)))
    return ir, trail


def _erased(ir: IR, row: Pass, options: Options, watch: Watch) -> IR:
    """What `erase` makes of a circuit: without measurements, where T gates fold better so."""
    found = run_pass(ir, row, options, watch)
    if found is ir or not options.measured:
        return found
    cost = load("qwasmc.cost:cost")
    mirrored = replace(options, feed_forward=False)
    ways = [found, run_pass(ir, row, mirrored, watch)]

    def folded(way: IR) -> IR:
        for each in (LOWER_GATES, CANCEL, FOLD):
            way = _call(each, way, mirrored, watch)
        return way

    return min(ways, key=lambda way: cost(folded(way), options.objective))


def _certified(before: IR, after: IR, watch: Watch) -> dict[str, Any]:
    """The certificate of what became of scratch qubits; raises if there is none."""
    with watch.timed("certify"):
        found = load("qwasmc.backends.certificate:certify")(before, after)
    if found.result == "failed":
        raise InternalError(f"scratch qubits are not undone rightly: {found.summary}")
    if not found.ok:
        raise CompileError(load("qwasmc.backends.certificate:diagnose")(found, after))
    return cast("dict[str, Any]", found.as_json())


def _check_budgets(ir: IR, options: Options) -> None:
    """Refuse a circuit that needs more qubits or T gates than there may be."""
    if kind_of(ir) != "circuit":
        return
    for budget, option, count, what in (
        (options.max_qubits, "--max-qubits", "width", "qubits"),
        (options.max_t, "--max-t", "t_count", "T gates"),
    ):
        if budget is not None and (needed := load(f"qwasmc.cost:{count}")(ir)) > budget:
            help = f"the least here is {option} {needed}"
            if option == "--max-t" and options.max_qubits is not None:
                help += f"; with more qubits than {options.max_qubits} it may be less"
            message = f"the program needs {needed} {what}, {budget} are allowed"
            raise error(message, kind=Kind.LIMIT, help=help)


def _run_both_ways(
    ir: IR, rows: Sequence[Pass], options: Options, watch: Watch
) -> tuple[IR, Trail]:
    """What passes end in and the way there, with the better of two ways to write Toffolis.

    Measured ancillas save T gates at once and cost few two-qubit gates, but what they leave is hard
    to improve on.  Each way gets half of the time.
    """
    at = rows.index(LOWER_GATES)
    ir, start = _run_passes(ir, rows[:at], options, watch)
    half = replace(options, time_budget=options.time_budget / 2)
    ways: list[tuple[IR, Trail, list[Diagnostic]]] = []
    for measured in (True, False):
        remarks: list[Diagnostic] = []
        silent = replace(watch, warn=remarks.append)
        way = replace(options, feed_forward=measured)
        lowered, first = _run_passes(ir, [LOWER_GATES], way, silent)
        found, trail = _run_passes(lowered, rows[at + 1 :], half, silent)
        trail.steps[:0] = [*start.steps, *first.steps]
        trail.certificate = start.certificate
        ways.append((found, trail, remarks))
    cost, width = load("qwasmc.cost:cost"), load("qwasmc.cost:width")
    widest = math.inf if options.ancillas is None else width(ir) + options.ancillas
    widest = min(widest, options.max_qubits or math.inf)
    best, trail, remarks = min(
        ways, key=lambda way: (width(way[0]) > widest, cost(way[0], options.objective))
    )
    for remark in remarks:
        watch.warn(remark)
    return best, trail


def _stop_if_failed(found: Sequence[Mapping[str, str]]) -> None:
    failed = [f"{item['check']}: {item['detail']}" for item in found if item["result"] == "failed"]
    if failed:
        raise InternalError(f"the output is wrong: {'; '.join(failed)}")


def _verify_front(artifact: Artifact) -> list[dict[str, str]]:
    """What comparing circuits before and after each pass of the front half found."""
    compare = load("qwasmc.backends.equivalence:compare")
    check_synthesis = load("qwasmc.backends.equivalence.words:check_synthesis")
    found = []
    if artifact.trail.certificate is not None:
        detail = artifact.trail.certificate["summary"]
        found.append({"check": UNCOMPUTE.name, "result": "proved", "detail": detail})
    for row, before, after in artifact.trail.steps:
        if row is SYNTHESISE:
            check = check_synthesis(before, after, artifact.options.synthesis_error)
        else:
            check = compare(before, after)
        found.append({**check._asdict(), "check": row.name})
    return found


def _verify_back(artifact: Artifact, rows: Sequence[Pass]) -> list[dict[str, str]]:
    """What the checks of the finished circuit found."""
    build = load("qwasmc.backends.stim.validate:Build")
    emit = load("qwasmc.backends.stim.emit:emit")
    program: IR = artifact.program
    closed = build(program, artifact.ir, artifact.emission)
    opened, unopened = closed, ""

    def lowered(ir: IR) -> IR:
        for row in rows:
            if row in BACK_HALF:
                ir = _call(row, ir, artifact.options, artifact.watch)
        return ir

    if OPEN_ENDS not in rows:
        try:
            ends_open: IR = load(OPEN_ENDS.function)(program)
            ir = lowered(ends_open)
            opened = build(ends_open, ir, emit(ir, artifact.distance))
        except CompileError as refused:
            reason = refused.diagnostics[0].message
            unopened = f"the program cannot be compiled with open ends: {reason}"

    def noisy(probed: IR, distance: int) -> stim.Circuit:
        ir = artifact.ir if probed is program else lowered(probed)
        return _joined(_noisy(emit(ir, distance), VERIFY_NOISE))

    found: list[dict[str, str]] = load("qwasmc.backends.stim.validate:validate")(
        closed, opened, noisy
    )
    for item in found:
        if unopened and item["check"] == "logical action":
            item.update(result="not decided", detail=unopened)
        if artifact.options.noisy_ports and item["check"] in ("distance", "suppression"):
            item["detail"] += "; with ports free of noise (the distance of a noisy port is 1)"
    return found


def simulate(
    source: Source, options: Options, watch: Watch, shots: int, seed: int | None
) -> dict[str, Any]:
    """Run the logical program; the keys of the result are described in docs/json.md.

    A program whose control flow depends on measurement results too much for a circuit is run as
    it is, shot by shot.
    """
    ir = program = read(source, options, watch)
    try:
        for row in choose_passes(kind_of(ir), "circuit", options):
            if row.takes == "program" or row is UNCOMPUTE or options.passes is not None:
                ir = run_pass(ir, row, options, watch)
    except CompileError as refused:
        if refused.exit_code != Kind.LIMIT or kind_of(ir) != "program":
            raise
        ir = program
    with watch.timed("simulate"):
        run = load("qwasmc.backends.simulate:simulate")
        return cast("dict[str, Any]", run(ir, shots, seed, load))


def sample(source: Source, watch: Watch, **request: Any) -> Sampled:
    """Sample a circuit in Stim's language; `request` as in `backends.stim.sample`."""
    text = source.data.decode("utf-8", "replace")
    named = OBSERVABLE_NAME.findall(text)
    try:
        with watch.timed("read"):
            circuit = load("stim:Circuit")(text)
        names = named if len(named) == circuit.num_observables else None
        with watch.timed("sample"):
            found = load("qwasmc.backends.stim.sample:sample")(circuit, names=names, **request)
            return cast("Sampled", found)
    except ValueError as wrong:
        raise error(f"'{source.name}' cannot be sampled: {wrong}") from wrong


def choose_distance(ir: IR, options: Options, watch: Watch) -> int:
    """The distance asked for, else the one the program declares, else the default."""
    declared = _declared_distances(ir)
    distance = options.distance
    if distance is None:
        distance = max(declared, default=DEFAULT_DISTANCE)
        if len(declared) > 1:
            watch.warn(
                Diagnostic(
                    f"the program declares several distances; {distance} is used for all patches",
                    severity="warning",
                )
            )
    check_distance(DEFAULT_TARGET, distance)
    return distance


def _declared_distances(ir: IR) -> set[int]:
    """The distances that a program's allocations declare; the reader keeps them as pragmas."""
    blocks = [block for function in getattr(ir, "functions", ()) for block in function.blocks]
    texts = (op.attrs["text"] for block in blocks for op in block.ops if op.name == "pragma")
    return {int(found[1] or found[2]) for text in texts if (found := DISTANCE.match(text))}
