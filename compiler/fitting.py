"""Fits a compilation to a machine: which one it is, what it refuses, and what it limits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from qwasmc.diagnostics import Kind, error
from qwasmc.options import Options, Watch
from qwasmc.pipeline import load
from qwasmc.reading import kind_of
from qwasmc.running import TARGET_NOISE, noise_model, rule_sets
from qwasmc.target import AUTO, DEFAULT_DISTANCE, OUTPUTS, Needs, Target, check_distance, decide

if TYPE_CHECKING:
    from qwasmc.backends.stim.emission import Emission
    from qwasmc.ir.surgery import Surgery
    from qwasmc.reading import IR


def pinned(options: Options) -> Options:
    """The options with the machine in place of its name, unless it is to be chosen, and the rules.

    Raises `CompileError` unless they are approved.
    """
    if options.target != AUTO:
        options = replace(options, target=options.machine)
    return replace(options, rule_sets=rule_sets(options))


def default_distance(options: Options) -> int:
    """The distance of a program that declares none."""
    return DEFAULT_DISTANCE if options.target == AUTO else options.machine.code.min_distance


def choose_target(
    ir: IR, options: Options, distance: int, watch: Watch
) -> tuple[Options, dict[str, str] | None]:
    """The options with a machine in place of `auto`, and the row of the table that names it."""
    if options.target != AUTO:
        return options, None
    target, rule = decide(_needs(ir, options, distance))
    watch.note(f"target {target.name}: {rule.reason}")
    options = replace(options, target=target)
    check_machine(options, distance)
    return options, {"target": target.name, "predicate": rule.predicate, "reason": rule.reason}


def _needs(ir: IR, options: Options, distance: int) -> Needs:
    """What the decision table asks about a program."""
    budget = options.error_budget
    needs = Needs(
        patches=options.format.takes != "logical" and kind_of(ir) != "program",
        machine=options.noise == TARGET_NOISE or budget is not None,
        distance=options.distance if budget is not None else distance,
        error_budget=budget,
    )
    if kind_of(ir) == "circuit":
        plan = options.floor_plan or "sparse"
        chip = load("qwasmc.passes.scheduling.plan:make_plan")(plan, load("qwasmc.cost:width")(ir))
        depth = load("qwasmc.cost:depth")(ir, load("qwasmc.cost:IS_T"))
        return replace(needs, tiles=chip.tiles, slabs=max(1, depth))
    if kind_of(ir) == "surgery":
        patches = cast("Surgery", ir)
        tiles = set(zip(patches.x.tolist(), patches.y.tolist(), strict=True))
        return replace(needs, tiles=len(tiles), slabs=max(1, patches.slabs))
    return needs


def check_machine(options: Options, distance: int) -> None:
    """Raise a CompileError if a machine that is known already does not allow what is asked for."""
    if options.target == AUTO:
        return
    target = options.machine
    if options.error_budget is None or options.distance is not None:
        check_distance(target, distance)
    noise_model(options)
    output = options.emit if options.emit in OUTPUTS else None
    asked = (
        ("output", "--emit", output, target.outputs),
        ("factory", "--factory", options.factory, target.factories),
        ("floor plan", "--floor-plan", options.floor_plan, target.floor_plans),
    )
    for what, option, value, allowed in asked:
        if value is not None and value not in allowed:
            message = f"target '{target.name}' does not allow {what} '{value}'"
            help = f"it allows {option} {' or '.join(allowed)}"
            raise error(message, kind=Kind.LIMIT, help=help)
    if options.format.takes == "physical" and not target.has_circuits:
        raise error(
            f"there are no circuits for target '{target.name}': its qubits have joint measurements "
            "in place of gates, for which no layout is defined",
            kind=Kind.LIMIT,
            help='use `qwasmc estimate`, or a target with instruction_set = "gate_based"',
        )


def limited(options: Options, distance: int) -> Options:
    """The options at a distance, with the machine's size and what it has by default."""
    target = options.machine
    sizes = (options.max_tiles, target.tiles(distance))
    return replace(
        options,
        distance=distance,
        floor_plan=options.floor_plan or target.floor_plans[0],
        factory=options.factory or target.factories[0],
        max_tiles=min((size for size in sizes if size is not None), default=None),
    )


def note_reaction(surgery: Surgery, options: Options, distance: int, watch: Watch) -> None:
    """Say so if the outcomes that T gates wait for take longer than the slab that hides it."""
    target = options.machine
    reaction, slab = target.reaction_time, target.slab_time(distance)
    if reaction is None or slab is None or reaction <= slab:
        return
    adapt = cast(Any, load("qwasmc.ir.surgery:Row")).ADAPT
    if bool((surgery.kind == adapt).any()):
        watch.note(
            f"target '{target.name}' reacts to outcomes in {reaction / 1e3:g} us, a slab takes "
            f"{slab / 1e3:g} us: T gates in a row take longer than the report's time_s"
        )


def check_circuit(target: Target, emission: Emission) -> None:
    """Raise a CompileError if a circuit has more qubits than the machine, or other gates."""
    qubits = emission.num_qubits
    if target.max_qubits is not None and qubits > target.max_qubits:
        message = f"the circuit has {qubits} qubits, target '{target.name}' {target.max_qubits}"
        raise error(message, kind=Kind.LIMIT, help="use a smaller distance, or a larger machine")
    if not target.native_gates:
        return
    try:
        missing = load("qwasmc.backends.stim.native:missing_gates")(
            emission.texts(), target.native_gates
        )
    except ValueError as unknown:
        raise error(f"native_gates of target '{target.name}': {unknown}") from unknown
    if missing:
        raise error(
            f"the circuit has gates that target '{target.name}' does not: {', '.join(missing)}",
            kind=Kind.LIMIT,
            help="circuits are not rewritten for other gates; add those that the machine makes of "
            "its own in as much time",
        )
