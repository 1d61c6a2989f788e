"""What a run of a program takes, by several models, without unrolling its loops and calls.

`estimate` returns JSON-ready data:

input    name of the source
counts   logical counts (`LogicalCounts`) of the program as it is written, before optimisation
folded   functions, regions (different straight lines), calls (that a run of the counting met),
         steps (operations that were run to count), unrolled (whether the model `schedule` is the
         compilation of the whole program)
models   by name: schedule, this compiler's own; qdk-legacy (`backends.estimation.qdk`)

and for the model schedule

physical_qubits, tiles, distance, floor_plan   of the machine
slabs, rounds, runtime_s                       of the schedule
t_states              magic states, after optimisation
factories             kind and count of what makes them
error                 bounds of the probability that a run fails: budget, what was asked for;
                      logical, by patches; magic, by states; synthesis, how far rotations are from
                      those of the program, which is not part of the budget
assumptions           sentences
pareto                machines that no other one beats in qubits and time: physical_qubits,
                      runtime_s, distance, floor_plan, factories

A straight line, and a program that unrolls to few operations, is compiled; everything is then what
`compile --emit stim --report` tells.  Of any other one each region is compiled and scheduled once
(`passes.folded.machine`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, cast

from qwasmc.counts import LogicalCounts
from qwasmc.diagnostics import CompileError, Kind, error
from qwasmc.driver import choose_distance, compile_source, optimise, wanted
from qwasmc.fitting import pinned
from qwasmc.options import Options, Watch
from qwasmc.pipeline import PROMOTE, UNCOMPUTE, load
from qwasmc.reading import Source, kind_of, read
from qwasmc.running import error_rate, run_pass
from qwasmc.target import AUTO

if TYPE_CHECKING:
    from qwasmc.ir.circuit import Circuit
    from qwasmc.passes.folded.program import Folded
    from qwasmc.reading import IR

MODELS = ("schedule", "qdk-legacy")
"""The models by name."""

FEW = 1_000
"""Quantum operations of a program that is unrolled even if it has loops or calls."""

LARGE = 250
"""Operations of a region for which -O2 does no more than -O1: it would search for long."""

ROUND_US = 1.0
"""Time of a round where the target does not tell."""


def estimate(
    source: Source,
    options: Options,
    watch: Watch,
    models: Sequence[str] = MODELS,
    parameters: Mapping[str, Any] | None = None,
    few: int = FEW,
) -> dict[str, Any]:
    """What a run of a program takes; the keys are those of this module's docstring.

    `parameters` are those of the QDK's estimator.  Programs of at most `few` quantum operations are
    unrolled.  CompileError where the program is wrong, cannot be counted (Kind.LIMIT), or no
    machine meets the error budget (Kind.LIMIT).
    """
    options = pinned(replace(options, emit="stim", verify=False, open=False))
    ir = read(source, options, watch)
    work = _Work(ir, options, watch)
    found: dict[str, Any] = {
        "input": source.name,
        "counts": asdict(work.counts),
        "folded": work.facts,
        "models": {},
    }
    for model in models:
        if model == "schedule":
            found["models"][model] = _schedule(source, work, few)
            found["folded"]["unrolled"] = work.unrolled
        elif model == "qdk-legacy":
            summary = load("qwasmc.backends.estimation.qdk:summary")
            found["models"][model] = summary(work.counts, parameters or {}, True)
        else:
            help = f"the models are {', '.join(MODELS)}"
            raise error(f"there is no model '{model}'", kind=Kind.USAGE, help=help)
    return found


class _Work:
    """A program as regions, each with how often a run has it."""

    def __init__(self, ir: IR, options: Options, watch: Watch) -> None:
        self.ir, self.options, self.watch = ir, options, watch
        self.unrolled = False
        self.folded: Folded | None = None
        width = load("qwasmc.cost:width")
        if kind_of(ir) == "program":
            ir = run_pass(ir, PROMOTE, options, watch)
            with watch.timed("fold"):
                fold = load("qwasmc.passes.folded.program:fold")
                self.folded = folded = cast("Folded", fold(ir, options.max_iterations))
            self.regions: list[Circuit] = folded.circuits()
            self.times, qubits = list(folded.times.values()), folded.qubits
        elif kind_of(ir) == "circuit":
            self.regions, self.times = [cast("Circuit", ir)], [1]
            qubits = width(ir)
        else:
            raise error("a surgery program is a schedule already", kind=Kind.USAGE)
        count, total = (load(f"qwasmc.passes.folded.counts:{name}") for name in ("count", "total"))
        each: list[LogicalCounts] = []
        more = 0
        for region in self.regions:
            plain = run_pass(region, UNCOMPUTE, options, watch)
            each.append(count(plain))
            more = max(more, width(plain) - width(region))  # ancillas of segments
        self.rotations = [counts.rotations for counts in each]
        self.counts: LogicalCounts = total(each, self.times, qubits + more)

    @property
    def facts(self) -> dict[str, Any]:
        """What is told about folding."""
        folded = self.folded
        return {
            "functions": folded.functions if folded else 1,
            "regions": len(self.regions),
            "calls": folded.calls if folded else 0,
            "steps": folded.steps if folded else len(self.regions[0]),
            "unrolled": self.unrolled,
        }

    def is_short(self, few: int) -> bool:
        """Whether the program is compiled as a whole."""
        if self.folded is None or self.times == [1]:
            return True
        return self.folded.operations <= few


def _schedule(source: Source, work: _Work, few: int) -> dict[str, Any]:
    """What the model `schedule` says."""
    reason = ""
    if work.is_short(few):
        try:
            found = _compiled(source, work)
        except CompileError as refused:
            if refused.exit_code != Kind.LIMIT:
                raise
            reason = f"The program is no fixed circuit ({refused.diagnostics[0].message})."
        else:
            work.unrolled = True
            return found
    return _folded(work, [reason] if reason else [])


# -- a program that is compiled --------------------------------------------------------------------


def _compiled(source: Source, work: _Work) -> dict[str, Any]:
    """What a compilation takes, as its report would tell."""
    artifact = compile_source(source, replace(work.options, emit="surgery"), work.watch)
    options, distance = artifact.options, artifact.distance
    with work.watch.timed("measure"):
        report = load("qwasmc.backends.stim.size:size")(artifact.surgery, distance)
    kind = options.factory or options.machine.factories[0]
    made = load("qwasmc.passes.scheduling.factories:built")(
        kind, error_rate(options), distance, options.machine.code
    )
    same = ("physical_qubits", "tiles", "distance", "slabs", "rounds", "t_states")
    found = {
        **{name: report[name] for name in same},
        "floor_plan": options.floor_plan or options.machine.floor_plans[0],
        "runtime_s": report["rounds"] * _round_us(options) * 1e-6,
        "factories": {"kind": kind if report["factories"] else "", "count": report["factories"]},
    }
    return {
        **found,
        "error": _errors(work, made, found),
        "assumptions": _assumptions(options),
        "pareto": [_point(each, options) for each in artifact.choices],
    }


def _errors(work: _Work, made: Any, found: Mapping[str, Any]) -> dict[str, float | None]:
    """What a run may fail by, with factories as `made`; errors inside of these are the states'."""
    options = work.options
    exposed = found["tiles"] - found["factories"]["count"] * (made.tiles - 2)
    patch = options.machine.code.patch_error(error_rate(options), found["distance"])
    return {
        "budget": options.error_budget,
        "logical": min(1.0, exposed * found["rounds"] * patch),
        "magic": min(1.0, found["t_states"] * made.error),
        "synthesis": options.synthesis_error if work.counts.rotations else 0.0,
    }


def _point(choice: Mapping[str, Any], options: Options) -> dict[str, Any]:
    """A machine of the Pareto front."""
    return {
        "physical_qubits": choice["qubits"],
        "runtime_s": choice["rounds"] * _round_us(options) * 1e-6,
        "distance": choice["distance"],
        "floor_plan": choice["floor_plan"],
        "factories": {"kind": choice["factory"], "count": choice["factories"]},
    }


def _round_us(options: Options) -> float:
    time = options.machine.round_time
    return ROUND_US if time is None else time / 1e3


def _assumptions(options: Options) -> list[str]:
    """What is assumed of any program."""
    code, rate = options.machine.code, error_rate(options)
    found = [
        f"The physical error rate is {rate:g}; a patch fails in a round with probability "
        f"{code.crossing_prefactor:g} (p / {code.error_correction_threshold:g})^((d + 1) / 2).",
        "Decoding takes no time.",
    ]
    if options.machine.round_time is None:
        found.append(f"A round takes {ROUND_US:g} us: the target has no times.")
    if not options.measured:
        found.append("Scratch qubits are undone by gates; --feed-forward measures them.")
    return found


# -- a program that stays folded -------------------------------------------------------------------


def _folded(work: _Work, reasons: list[str]) -> dict[str, Any]:
    """What the schedules of all regions say together."""
    options = work.options
    if options.target == AUTO:
        message = "a target can be chosen only for a program that is unrolled"
        raise error(message, kind=Kind.USAGE, help="name one with --target")
    circuits = _optimised(work)
    rate = error_rate(options)
    with work.watch.timed("schedule"):
        width = load("qwasmc.cost:width")
        more = max(width(circuit) for circuit in circuits) if circuits else 0
        patches = max(work.counts.qubits, more)
        pieces = load("qwasmc.passes.folded.machine:Pieces")(circuits, work.times, patches, rate)
        asked = _asked(work)
        found = load("qwasmc.passes.scheduling.choice:choose_for")(pieces, asked)
    best = found[0]
    made = load("qwasmc.passes.scheduling.factories:built")(
        best.factory, rate, best.distance, options.machine.code
    )
    front = load("qwasmc.passes.scheduling.choice:pareto")(found)
    taken = {
        "physical_qubits": best.qubits,
        **{name: getattr(best, name) for name in ("tiles", "distance", "slabs", "rounds")},
        "t_states": pieces.states,
        "floor_plan": best.floor_plan,
        "runtime_s": best.rounds * _round_us(options) * 1e-6,
        "factories": {"kind": best.factory if best.factories else "", "count": best.factories},
    }
    return {
        **taken,
        "error": _errors(work, made, taken),
        "assumptions": [
            *reasons,
            *_assumptions(options),
            *_assumed_of_pieces(work),
        ],
        "pareto": [_point(each, options) for each in front],
    }


def _asked(work: _Work) -> Any:
    """What the machine is chosen by; without an error budget as `compile` has it."""
    options = work.options
    machine = options.machine
    if "15-to-1" in machine.factories:  # which is distilled again where that is not enough
        more: Any = load("qwasmc.passes.scheduling.factories:ESTIMATED")
        machine = replace(machine, factories=(*machine.factories, *more))
        options = replace(options, target=machine)
    if options.error_budget is not None:
        return wanted(options)
    fixed = replace(
        options,
        error_budget=1.0,
        distance=choose_distance(work.ir, options, work.watch),
        floor_plan=options.floor_plan or options.machine.floor_plans[0],
        factory=options.factory or options.machine.factories[0],
    )
    return wanted(fixed)


def _optimised(work: _Work) -> list[Circuit]:
    """The regions as circuits of Clifford and T gates, all of which always happen.

    They share the synthesis error as they share the rotations of a run.
    """
    always = load("qwasmc.passes.folded.machine:always")
    found = []
    for region, rotations in zip(work.regions, work.rotations, strict=True):
        options = work.options
        if rotations:
            share = options.synthesis_error * rotations / work.counts.rotations
            options = replace(options, synthesis_error=share)
        if _is_large(region, options):
            options = replace(options, level=1)
        found.append(always(optimise(region, options, work.watch)))
    return found


def _is_large(region: Circuit, options: Options) -> bool:
    """Whether a region is optimised less than it might be."""
    return options.level == 2 and len(region) > LARGE


def _assumed_of_pieces(work: _Work) -> list[str]:
    """What is assumed of a program that stays folded."""
    found = [
        "Each region is optimised and scheduled once; regions follow each other without overlap.",
        "A region is scheduled on a chip of its own qubits with all factories of the machine, in "
        "each of which a state waits at its start; the run takes at least as long as the factories "
        "need for all states.",
        "What depends on results always happens, and does not wait for them.",
    ]
    if any(_is_large(region, work.options) for region in work.regions):
        found.append(f"Regions of more than {LARGE:,} operations are optimised at -O1.")
    if work.folded and work.folded.bounded:
        found.append(
            "Where a measurement result decides, the dearer way counts; an angle that depends on "
            "results counts as a rotation: all numbers are upper bounds."
        )
    return found
