"""Runs compilations: runs the passes, emits, checks, reports.

The driver gives every pass its timing, its dump and its verification.  It knows representations
and backends by name only (`pipeline.load`), so importing it is cheap.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from qwasmc.artifact import Artifact, Step, Trail
from qwasmc.diagnostics import CompileError, Diagnostic, Kind, error
from qwasmc.fitting import (
    check_circuit,
    check_machine,
    choose_target,
    default_distance,
    limited,
    note_reaction,
    pinned,
)
from qwasmc.formats import FORMATS
from qwasmc.options import DEFAULTS, Options, Watch
from qwasmc.pipeline import (
    BACK_HALF,
    CANCEL,
    DEFER_PAULIS,
    ERASE,
    FOLD,
    LOWER_GATES,
    OPEN_ENDS,
    PROMOTE,
    REVERSIBLE,
    REWRITE,
    SPECIALISE,
    UNCOMPUTE,
    Pass,
    load,
)
from qwasmc.reading import Source, kind_of, read
from qwasmc.running import (
    TARGET_NOISE,
    InternalError,
    call,
    choose_passes,
    error_rate,
    parse_noise,
    run_pass,
)
from qwasmc.validation import stop_if_failed, verify_back, verify_format, verify_front

if TYPE_CHECKING:
    from qwasmc.ir.circuit import Circuit
    from qwasmc.ir.surgery import Surgery
    from qwasmc.reading import IR

ENDS = {"logical": "circuit", "physical": "surgery"}
"""The representation in front of the writer of a format."""

PATCH_OPTIONS = {
    "distance": "-d",
    "error_budget": "--error-budget",
    "floor_plan": "--floor-plan",
    "factory": "--factory",
    "factories": "--factories",
    "max_tiles": "--max-tiles",
}
"""Options that are about patches, and their names on the command line."""

DISTANCE = re.compile(r'ALLOC_LQ .*profile="[^"]*\(d=(\d+)\)|QLINIT .*distance=(\d+)')
"""Where a pragma declares a distance."""


def compile_source(source: Source, options: Options, watch: Watch) -> Artifact:
    """Compile a source as far as `options.emit` says."""
    wanted = options.format
    physical = wanted.takes == "physical"
    _check_noise(options)
    _note_unused(options, watch)
    options = pinned(options)
    ir = read(source, options, watch)
    watch.passed("read", {}, ir)
    distance = choose_distance(ir, options, watch)
    check_machine(options, distance)
    rows = choose_passes(kind_of(ir), ENDS.get(wanted.takes, wanted.takes), options)
    if wanted.takes == "logical" and options.passes is None:
        # Corrections stay gates there: other tools know them better than results with conditions.
        rows = [row for row in rows if row is not DEFER_PAULIS]
    ends = ["emit"] * physical + ["verify"] * options.verify
    watch.plan(["read", *(row.name for row in rows), *ends, "write"])
    back = [row for row in rows if row in BACK_HALF]
    ir, trail = _front_half(ir, [row for row in rows if row not in back], options, watch)
    _check_budgets(ir, options)
    options, target_choice = choose_target(ir, options, distance, watch)
    choices: list[dict[str, Any]] = []
    if back:
        options, choices = _chosen(ir, options, distance, watch)
        distance = options.distance or distance
        ir, _ = _run_passes(ir, back, options, watch)
    emission = None
    if physical:
        with watch.timed("emit"):
            emission = load("qwasmc.backends.stim.emit:emit")(ir, distance)
        check_circuit(options.machine, emission)
        note_reaction(cast("Surgery", ir), options, distance, watch)
    artifact = Artifact(source, options, watch, distance, ir, trail, emission, choices)
    artifact.target_choice = target_choice
    if options.verify:
        with watch.timed("verify"):
            artifact.verification = verify_front(artifact)
            if physical:
                artifact.verification += verify_back(artifact, rows)
            artifact.verification += verify_format(wanted.name)
            stop_if_failed(artifact.verification)
    return artifact


def _check_noise(options: Options) -> None:
    """Refuse noise that makes no sense, or that the output cannot hold."""
    if options.noise != DEFAULTS.noise and not options.format.noisy:
        noisy = ", ".join(row.name for row in FORMATS if row.noisy)
        message = f"an output in the format {options.emit} has no noise"
        raise error(message, kind=Kind.USAGE, help=f"the formats with noise are {noisy}")
    if options.format.noisy and options.noise != TARGET_NOISE:
        parse_noise(options.noise)


def _note_unused(options: Options, watch: Watch) -> None:
    """Say which options the output does not use."""
    given = [flag for name, flag in PATCH_OPTIONS.items() if getattr(options, name) is not None]
    if given and options.format.takes not in ("surgery", "physical"):
        watch.note(f"an output in the format {options.emit} does not use {', '.join(given)}")
    if options.rules and options.level < (REWRITE.level or 0) and options.passes is None:
        watch.note(f"-O{options.level} does not use --rules")


def _front_half(ir: IR, rows: Sequence[Pass], options: Options, watch: Watch) -> tuple[IR, Trail]:
    """What the passes in front of the back half make, and the way there.

    A program for a logical format keeps its control flow at -O0, and where no circuit can hold it:
    then it is not optimised.
    """
    keeps = options.format.takes == "logical" and options.passes is None
    if keeps and kind_of(ir) == "program":
        ir = run_pass(ir, PROMOTE, options, watch)
        if options.level == 0:
            return ir, Trail()
        try:
            ir = run_pass(ir, SPECIALISE, options, watch)
        except CompileError as refused:
            limited = options.max_qubits is not None or options.max_t is not None
            if refused.exit_code != Kind.LIMIT or limited or options.scratch:
                raise
            reason = refused.diagnostics[0].message
            watch.note(f"the program keeps its control flow and is not optimised: {reason}")
            return ir, Trail()
        rows = rows[rows.index(SPECIALISE) + 1 :]
    run = _run_both_ways if options.adaptive and LOWER_GATES in rows else _run_passes
    return run(ir, rows, options, watch)


def optimise(circuit: Circuit, options: Options, watch: Watch) -> Circuit:
    """What the passes in front of the back half make of a circuit."""
    rows = choose_passes("circuit", "surgery", options)
    front = [row for row in rows if row not in BACK_HALF]
    return cast("Circuit", _front_half(circuit, front, options, watch)[0])


def wanted(options: Options) -> Any:
    """What is asked of a machine that is chosen for an error budget."""
    return load("qwasmc.passes.scheduling.choice:Wanted")(
        options.error_budget,
        error_rate(options),
        options.floor_plan,
        options.factory,
        options.factories,
        options.max_tiles,
        options.distance,
        options.machine,
    )


def _chosen(
    ir: IR, options: Options, distance: int, watch: Watch
) -> tuple[Options, list[dict[str, Any]]]:
    """The options with a machine chosen for the error budget, if there is one, and its rivals."""
    if options.error_budget is None:
        return limited(options, distance), []
    with watch.timed("choose"):
        found = load("qwasmc.passes.scheduling.choice:choose")(ir, wanted(options))
    best = found[0]
    chosen = replace(
        options,
        floor_plan=best.floor_plan,
        factory=best.factory,
        factories=best.factories or None,
    )
    return limited(chosen, best.distance), load("qwasmc.passes.scheduling.choice:pareto")(found)


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
            way = call(each, way, mirrored, watch)
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


def choose_distance(ir: IR, options: Options, watch: Watch) -> int:
    """The distance asked for, else the one the program declares, else the default."""
    declared = _declared_distances(ir)
    distance = options.distance
    if distance is None:
        distance = max(declared, default=default_distance(options))
        if len(declared) > 1:
            watch.warn(
                Diagnostic(
                    f"the program declares several distances; {distance} is used for all patches",
                    severity="warning",
                )
            )
    return distance


def _declared_distances(ir: IR) -> set[int]:
    """The distances that a program's allocations declare; the reader keeps them as pragmas."""
    blocks = [block for function in getattr(ir, "functions", ()) for block in function.blocks]
    texts = (op.attrs["text"] for block in blocks for op in block.ops if op.name == "pragma")
    return {int(found[1] or found[2]) for text in texts if (found := DISTANCE.match(text))}
