"""Runs passes: chooses them, gives each its options, its timing, its dump and its verification.

Passes are known by name only (`pipeline.load`), so importing this is cheap.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from qwasmc.diagnostics import CompileError, Kind, error
from qwasmc.options import Options, Watch
from qwasmc.pipeline import OPEN_ENDS, REWRITE, Pass, load, named, select
from qwasmc.reading import print_ir, verify_ir
from qwasmc.target import AUTO, DEFAULT_DISTANCE, DEFAULT_ERROR_RATE, TARGETS

if TYPE_CHECKING:
    from qwasmc.reading import IR
    from qwasmc.rules.rule import RuleSet

NO_RULES = "none"
"""Where the target names sets of rules: use none of them."""


class InternalError(Exception):
    """A bug in the compiler that the compiler itself has noticed."""


def choose_passes(start: str, end: str, options: Options) -> list[Pass]:
    """The passes to run to get from the IR `start` to the IR `end`."""
    if options.passes is None:
        extra = (OPEN_ENDS,) if options.open else ()
        rows = select(start, end, options.level, extra)
        if not rule_sets(options):
            rows = [row for row in rows if row is not REWRITE]
    else:
        rows = named(options.passes, start)
        if REWRITE in rows and not rule_sets(options):
            message = f"'{REWRITE.name}' has no rules to apply"
            raise error(message, kind=Kind.USAGE, help="name a set of rules with --rules")
    reached = rows[-1].gives if rows else start
    if reached != end:
        raise error(f"a {end} is wanted, but the passes end in a {reached}", kind=Kind.USAGE)
    return rows


def rule_sets(options: Options) -> Sequence[RuleSet]:
    """The sets of rewriting rules to be used.

    Raises `CompileError` if one is not approved or, in shadow mode, has a rule without a proof.
    """
    if options.rule_sets is not None:
        return options.rule_sets
    names = options.rules
    if names is None:
        names = () if options.target == AUTO else options.machine.rules
    if NO_RULES in names and len(names) > 1:
        raise error(f"either '{NO_RULES}' or rules", kind=Kind.USAGE)
    if not names or NO_RULES in names:
        return ()
    find = load(f"qwasmc.approval.approved:{'proved_sets' if options.shadow else 'find_sets'}")
    return cast("Sequence[RuleSet]", find(names, options.rule_store, options.trust))


PASS_OPTIONS: dict[str, Callable[[Options, Watch], Any]] = {
    "ancillas": lambda options, _: options.ancillas if options.adaptive else 0,
    "code": lambda options, _: options.machine.code,
    "corrections": lambda options, _: options.corrections,
    "distance": lambda options, _: options.distance or DEFAULT_DISTANCE,
    "error_rate": lambda options, _: error_rate(options),
    "factories": lambda options, _: options.factories,
    "factory": lambda options, _: options.factory or options.machine.factories[0],
    "feed_forward": lambda options, _: options.adaptive,
    "floor_plan": lambda options, _: options.floor_plan or options.machine.floor_plans[0],
    "max_iterations": lambda options, _: options.max_iterations,
    "max_qubits": lambda options, _: options.max_qubits,
    "max_tiles": lambda options, _: options.max_tiles,
    "measured": lambda options, _: options.measured,
    "note": lambda _, watch: watch.note,
    "objective": lambda options, _: options.objective,
    "rule_sets": lambda options, _: rule_sets(options),
    "scratch": lambda options, _: options.scratch,
    "synthesis_error": lambda options, _: options.synthesis_error,
    "time_budget": lambda options, _: options.time_budget,
}
"""How passes get the options that they take."""


def error_rate(options: Options) -> float:
    """The physical error rate of formulas: that of the noise, else that of the machine."""
    qubit = options.machine.qubit
    return noise_model(options).gate2 or (qubit and qubit.error_rate) or DEFAULT_ERROR_RATE


def run_pass(ir: IR, row: Pass, options: Options, watch: Watch) -> IR:
    """The IR after a pass."""
    given = {name: PASS_OPTIONS[name](options, watch) for name in row.options if name != "note"}
    if row.optimises:
        given |= {"objective": options.objective, "max_qubits": options.max_qubits}
    with watch.timed(row.name):
        result = watch.around(row, given, ir, watch, partial(_improved, row, ir, options))
    if row is REWRITE and options.shadow:
        watch.note(f"in shadow, not used: {_difference(ir, result)}")
        result = ir
    if options.verify_each or row.gives == "circuit":  # columns take next to no time
        with watch.timed("verify-ir"):
            _verify_result(result, row)
    if row.name in options.print_after or "all" in options.print_after:
        watch.dump.write(f"// after {row.name}\n{print_ir(result)}")
    watch.passed(row.name, given, result)
    return result


def _improved(row: Pass, ir: IR, options: Options, watch: Watch) -> IR:
    """What a pass makes, or what it got where that costs less."""
    result = call(row, ir, options, watch)
    if row.optimises:
        cost, width = load("qwasmc.cost:cost"), load("qwasmc.cost:width")
        dearer = cost(result, options.objective) > cost(ir, options.objective)
        if dearer or width(result) > max(width(ir), options.max_qubits or math.inf):
            return ir
    return result


def _difference(before: IR, after: IR) -> str:
    """What a circuit costs before and after."""
    counts = load("qwasmc.cost:counts")
    pairs = zip(counts(before).items(), counts(after).values(), strict=True)
    return ", ".join(f"{name} {then} -> {now}" for (name, then), now in pairs)


def call(row: Pass, ir: IR, options: Options, watch: Watch) -> IR:
    """What a pass makes, with nothing around it."""
    arguments = {name: PASS_OPTIONS[name](options, watch) for name in row.options}
    return cast("IR", load(row.function)(ir, **arguments))


def _verify_result(ir: IR, row: Pass) -> None:
    try:
        verify_ir(ir)
    except CompileError as wrong:
        raise InternalError(f"pass '{row.name}' made an invalid {row.gives}: {wrong}") from wrong


TARGET_NOISE = "target"
"""The noise of the machine itself."""


def noise_model(options: Options) -> Any:
    """The noise that is asked for."""
    if options.noise != TARGET_NOISE:
        return parse_noise(options.noise)
    if options.machine.gates is None:
        names = ", ".join(target.name for target in TARGETS if target.gates)
        raise error(
            f"target '{options.machine.name}' has no gates with error rates",
            kind=Kind.USAGE,
            help=f"choose with --target one that has: {names}",
        )
    return load("qwasmc.backends.stim.noise_models:target_noise")(options.machine.gates)


def parse_noise(text: str) -> Any:
    """A noise model from its name and strength."""
    try:
        return load("qwasmc.backends.stim.noise_models:parse_noise")(text)
    except ValueError as wrong:
        raise error(str(wrong), kind=Kind.USAGE) from wrong
