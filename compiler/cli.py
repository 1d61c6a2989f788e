"""The command line.

Only click and the light parts of qwasmc are imported here, so that help appears at once.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn

import click
from click.core import ParameterSource

from qwasmc import __version__, driver, reading
from qwasmc.diagnostics import CompileError, Diagnostic, Kind, render
from qwasmc.grammar.evaluator import Limits
from qwasmc.languages import LANGUAGES
from qwasmc.ops import OPS
from qwasmc.options import DEFAULTS, Options, Watch
from qwasmc.output import STDIO, Outputs
from qwasmc.pipeline import LEVELS, OBJECTIVES, PASSES, load, named
from qwasmc.target import DEFAULT_DISTANCE, FACTORIES, FLOOR_PLANS, TARGETS

EX_BUG = 70
"""Exit code of a bug in the compiler."""

LIMITS = fields(Limits)

MAX_ATTACHED = 1 << 20
"""How much of each input goes into a bug report, in bytes."""

Decorator = Callable[[Any], Any]


def together(*decorators: Decorator) -> Decorator:
    """Several options as one decorator, listed by --help in this order."""

    def decorate(command: Any) -> Any:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


input_argument = click.argument("path", metavar="IN")

output_option = click.option(
    "-o", "output", metavar="OUT", default=STDIO, help="Where to write; - is standard output."
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

reading_options = together(
    click.option(
        "--from",
        "language",
        type=click.Choice([language.name for language in LANGUAGES]),
        help="Language of IN; by default its content tells.",
    ),
    click.option(
        "--param",
        "params",
        metavar="K=V",
        multiple=True,
        callback=lambda _, __, pairs: dict(split_pair(pair) for pair in pairs),
        help="Set a .param of the program.",
    ),
    click.option(
        "-I", "include_dirs", metavar="DIR", multiple=True, help="Look for .include files in DIR."
    ),
    click.option("--entry", metavar="NAME", help="The function of a QIR module that is run."),
    *(
        click.option(
            f"--max-{limit.name.replace('_', '-')}",
            f"max_{limit.name}",
            type=int,
            default=limit.default,
            metavar="N",
            help="A limit on the program's expansion.",
        )
        for limit in LIMITS
    ),
)

iterations_option = click.option(
    "--max-iterations",
    type=click.IntRange(min=1),
    metavar="N",
    help="Leave a loop whose end depends on measurement results after N iterations.",
)

level_option = click.option(
    "-O",
    "level",
    type=click.IntRange(LEVELS[0], LEVELS[-1]),
    default=DEFAULTS.level,
    metavar="LEVEL",
    help="Optimisation level: nothing; T gates; two-qubit gates, too; longer search.",
)

pass_options = together(
    iterations_option,
    click.option(
        "--synthesis-error",
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        default=DEFAULTS.synthesis_error,
        metavar="E",
        help="How far all synthesised rotations together may be from the program's.",
    ),
    click.option(
        "--objective",
        type=click.Choice(OBJECTIVES),
        default=DEFAULTS.objective,
        help="What optimisation lowers, and never raises.",
    ),
    click.option(
        "--feed-forward/--no-feed-forward",
        default=None,
        help="Save T gates by measurements, and gates that depend on them; by default at -O3, if "
        "the output is a circuit.",
    ),
    click.option(
        "--ancillas",
        type=click.IntRange(min=0),
        metavar="N",
        help="Most ancillas of -O3 at a time; by default as many as help.",
    ),
    click.option(
        "--time-budget",
        type=click.FloatRange(min=0),
        default=DEFAULTS.time_budget,
        metavar="S",
        help="Seconds of search at -O3; a search that is cut short is reported.",
    ),
    click.option(
        "--scratch",
        metavar="NAME",
        multiple=True,
        help="A qubit or register of the program that is scratch, so in |0> at first and at last; "
        "auto: all that are nothing else.",
    ),
    click.option(
        "--max-qubits",
        type=click.IntRange(min=1),
        metavar="N",
        help="Most logical qubits at a time; segments are computed again where that is too few.",
    ),
    click.option(
        "--max-t",
        type=click.IntRange(min=0),
        metavar="N",
        help="Most T gates of the optimised program.",
    ),
    click.option(
        "--passes",
        metavar="A,B,...",
        callback=lambda _, __, names: None if names is None else names.split(","),
        help="Run exactly these passes.",
    ),
    click.option(
        "--error-budget",
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        metavar="E",
        help="Choose distance, floor plan and factories, as far as they are not given, so that the "
        "whole program fails with at most this probability.",
    ),
    click.option(
        "--floor-plan",
        type=click.Choice(FLOOR_PLANS),
        help=f"How patches and lanes are arranged; by default {FLOOR_PLANS[0]}.",
    ),
    click.option(
        "--factory",
        type=click.Choice(FACTORIES),
        help=f"Where magic states come from; by default a {FACTORIES[0]}. See docs/factories.md.",
    ),
    click.option(
        "--factories",
        type=click.IntRange(min=1),
        metavar="N",
        help="How many there are of these; by default as many as pay.",
    ),
    click.option(
        "--max-tiles",
        type=click.IntRange(min=1),
        metavar="N",
        help="The size of the machine; by default the program gets what it needs.",
    ),
    click.option("--verify-each", is_flag=True, help="Verify the IR after every pass."),
    click.option(
        "--print-after",
        metavar="PASS",
        multiple=True,
        type=click.Choice([*(row.name for row in PASSES), "all"]),
        help="Print the IR after PASS (or all) on standard error.",
    ),
)


def split_pair(pair: str) -> tuple[str, str]:
    """The two sides of K=V."""
    key, equals, value = pair.partition("=")
    if not equals or not key:
        raise click.BadParameter(f"'{pair}' is not of the form K=V", param_hint="--param")
    return key, value


def make_options(**given: Any) -> Options:
    """Driver options from command-line ones: the limits become one mapping."""
    limits = {limit.name: given.pop(f"max_{limit.name}") for limit in LIMITS}
    return Options(limits=limits, **given)


@contextmanager
def watching() -> Iterator[Watch]:
    """A watch that shows the current stage, if somebody looks at a terminal."""
    if not sys.stderr.isatty():
        yield Watch(warn=show)
        return
    console = load("rich.console:Console")(stderr=True)
    with console.status("starting") as status:
        yield Watch(stage=status.update, warn=show)


CONTEXT = {
    "help_option_names": ["-h", "--help"],
    "max_content_width": 100,
    "show_default": True,
}


@click.group(context_settings=CONTEXT)
@click.version_option(__version__, prog_name="qwasmc")
def cli() -> None:
    """From quantum programs to checked, noisy, decodable surface-code circuits.

    \b
    Example:
      qwasmc compile bell.qwasm -d 3 --noise uniform:0.001 --verify -o bell.stim
      qwasmc sample bell.stim --shots 100000
    """


@cli.command("compile")
@input_argument
@output_option
@click.option(
    "--emit",
    type=click.Choice([*driver.EMITS, *(emit for _, emit in reading.TRANSLATIONS)]),
    default=DEFAULTS.emit,
    help="Where to stop; qvm and qwasm are the two forms of a graph.",
)
@click.option(
    "-d",
    "--distance",
    type=int,
    metavar="D",
    help=f"Code distance; by default what the program declares, else {DEFAULT_DISTANCE}.",
)
@click.option(
    "--noise",
    default=DEFAULTS.noise,
    metavar="MODEL",
    help="none, uniform:P or si1000:P.",
)
@click.option(
    "--open/--basis-state-inputs",
    "open_ends",
    default=False,
    help="Leave inputs and outputs open, or start from |0>.",
)
@click.option("--verify", is_flag=True, help="Check this very output; see docs/verification.md.")
@click.option("--report", metavar="FILE", help="Write a JSON report.")
@click.option("--schedule", metavar="FILE", help="Write the magic-state schedule as JSON.")
@click.option("-MD", "dependencies", is_flag=True, help="Write a Make dependency file, OUT.d.")
@click.option("-MF", "dependency_file", metavar="FILE", help="Write it to FILE instead.")
@reading_options
@level_option
@pass_options
def compile_command(
    path: str,
    output: str,
    report: str | None,
    schedule: str | None,
    dependencies: bool,
    dependency_file: str | None,
    open_ends: bool,
    **given: Any,
) -> None:
    """Compile a program.

    \b
    Example:
      qwasmc compile examples/bell.qwasm -d 5 --noise uniform:0.001 -o bell.stim
      qwasmc compile examples/bell.qwasm --emit circuit
    """
    options = make_options(open=open_ends, **given)
    check_compatible(options, report, schedule)
    if dependencies and not dependency_file:
        dependency_file = dependency_path(output)
    check_not_input(path, [output, report, schedule, dependency_file])
    check_suffix(output)
    with Outputs() as outputs, watching() as watch:
        source = reading.read_source(path)
        if options.emit not in driver.EMITS:
            outputs.open(output).write(reading.translate(source, options))
            return
        artifact = driver.compile_source(source, options, watch)
        artifact.write(outputs.open(output))
        if report:
            outputs.open(report).write(pretty_json(artifact.report))
        if schedule:
            outputs.open(schedule).write(pretty_json(artifact.schedule))
        if dependency_file:
            outputs.open(dependency_file).write(dependency_rule(output, artifact.files))
    for item in artifact.verification:
        click.echo(f"verify: {item['check']}: {item['result']} ({item['detail']})", err=True)


OTHER_KINDS = (".bc", ".html", ".json", ".ll", ".mlir", ".py", ".qasm", ".qir", ".qpy", ".qwasm")
"""Suffixes of files that are no Stim circuits."""


def pretty_json(data: object) -> str:
    """Indented JSON with lists of numbers on one line."""
    # No string holds a line break, so what begins with "[" and one is a list.
    numbers = re.compile(r"\[\n([\s\d,]+)\]")
    text = json.dumps(data, indent=2)
    return numbers.sub(lambda found: f"[{' '.join(found[1].split())}]", text) + "\n"


def check_compatible(options: Options, report: str | None, schedule: str | None) -> None:
    """Refuse options that mean nothing for the output that was asked for."""
    if schedule and options.emit not in ("surgery", "stim"):
        raise click.UsageError(f"--schedule needs --emit stim or surgery, not {options.emit}")
    if options.emit == "stim":
        return
    if report and options.emit != "circuit":
        raise click.UsageError(f"--report needs --emit stim or circuit, not {options.emit}")
    physical = {"--noise": options.noise != DEFAULTS.noise}
    if options.verify and options.emit != "circuit":
        raise click.UsageError(f"--verify needs --emit stim or circuit, not {options.emit}")
    for name, given in physical.items():
        if given:
            raise click.UsageError(f"{name} needs --emit stim, not --emit {options.emit}")


def check_not_input(path: str, outputs: Sequence[str | None]) -> None:
    """Refuse to overwrite the program that is being compiled."""
    for output in outputs:
        if output not in (None, STDIO) and os.path.realpath(output) == os.path.realpath(path):
            raise click.UsageError(f"the output '{output}' is the input")


def check_suffix(output: str) -> None:
    """Without --emit, refuse a name that promises another kind of file than Stim's."""
    source = click.get_current_context().get_parameter_source("emit")
    suffix = os.path.splitext(output)[1]
    if source == ParameterSource.DEFAULT and suffix in OTHER_KINDS:
        raise click.UsageError(
            f"'{output}' does not look like a Stim circuit; say with --emit what it is to be"
        )


def dependency_path(output: str) -> str:
    """Where -MD writes: beside the output, ending in .d."""
    if output == STDIO:
        raise click.UsageError("-MD needs -o FILE")
    return str(Path(output).with_suffix(".d"))


def dependency_rule(output: str, files: Sequence[str]) -> str:
    """A Make rule: the output depends on every file read."""
    names = [re.sub(r"([ #])", r"\\\1", name.replace("$", "$$")) for name in (output, *files)]
    return f"{names[0]}: {' '.join(names[1:])}\n"


@cli.command()
@input_argument
@reading_options
def check(path: str, **given: Any) -> None:
    """Parse, expand and type-check a program.

    \b
    Example:
      qwasmc check examples/bell.qwasm
    """
    with watching() as watch:
        reading.verify_ir(reading.read(reading.read_source(path), make_options(**given), watch))


@cli.command()
@input_argument
@output_option
@pass_options
def opt(path: str, output: str, passes: list[str] | None, **given: Any) -> None:
    """Run passes on IR text; without --passes, only verify it and print it back.

    \b
    Example:
      qwasmc compile examples/bell.qwasm --emit program | qwasmc opt - --passes specialise
    """
    options = Options(language="ir", **given)
    with Outputs() as outputs, watching() as watch:
        ir = reading.read(reading.read_source(path), options, watch)
        for row in named(passes or [], reading.kind_of(ir)):
            ir = driver.run_pass(ir, row, options, watch)
        outputs.open(output).write(reading.print_ir(ir))


@cli.command()
@input_argument
@json_option
@reading_options
@level_option
@pass_options
def stats(path: str, as_json: bool, **given: Any) -> None:
    """Count qubits, gates and measurements after the chosen passes.

    \b
    Example:
      qwasmc stats examples/bell.qwasm --json
    """
    with watching() as watch:
        options = make_options(emit="circuit", **given)
        artifact = driver.compile_source(reading.read_source(path), options, watch)
        counts: dict[str, Any] = load("qwasmc.backends.stats:stats")(artifact.ir)
    if as_json:
        click.echo(json.dumps(counts))
        return
    gates = counts.pop("gates")
    for name, count in (*counts.items(), *gates.items()):
        click.echo(f"{name:>14} {count:>9}")


@cli.command()
@input_argument
@click.option("--shots", type=click.IntRange(min=1), default=1000, metavar="N")
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=0, metavar="N", help="Other shots."
)
@iterations_option
@reading_options
def simulate(path: str, shots: int, seed: int, **given: Any) -> None:
    """Run the logical program without noise; print how often each result was seen, as JSON.

    \b
    Example:
      qwasmc simulate examples/bell.qwasm --shots 1000 --seed 1
    """
    with watching() as watch:
        options = make_options(**given)
        counts = driver.simulate(reading.read_source(path), options, watch, shots, seed)
    click.echo(json.dumps(counts, indent=2))


@cli.command()
@click.argument("path", metavar="CIRCUIT")
@click.option("--shots", type=click.IntRange(min=1), default=100_000, metavar="N")
@click.option("--max-errors", type=click.IntRange(min=1), metavar="N", help="Stop at N errors.")
@click.option("--decoder", default="pymatching", metavar="NAME")
@click.option(
    "-j",
    "workers",
    type=click.IntRange(min=1),
    default=os.cpu_count() or 1,
    show_default="all cores",
    metavar="N",
    help="Processes to use.",
)
@click.option(
    "--postselect",
    is_flag=True,
    help="Discard shots in which a magic state is seen to be bad: a marked detector or a flag.",
)
@json_option
@click.option("--csv", "csv", metavar="FILE", help="Write the counts as CSV that sinter reads.")
def sample(path: str, as_json: bool, csv: str | None, **given: Any) -> None:
    """Logical error rates of a noisy Stim circuit, by sampling and decoding.

    \b
    Example:
      qwasmc sample bell.stim --shots 100000 --max-errors 1000
    """
    with Outputs() as outputs, watching() as watch:
        sampled = driver.sample(reading.read_source(path), watch, **given)
        if csv:
            outputs.open(csv).write(sampled.csv)
    if as_json:
        click.echo(json.dumps(sampled.to_json(), indent=2))
        return
    click.echo(f"{'observable':<24} {'errors':>9} {'shots':>11} {'rate':>10}  95% interval")
    for name, rate in (*sampled.observables.items(), ("any", sampled.total)):
        click.echo(
            f"{name:<24} {rate.errors:>9} {rate.shots:>11} {rate.rate:>10.3g}"
            f"  {rate.low:.3g} to {rate.high:.3g}"
        )
    if sampled.discards:
        click.echo(f"{sampled.discards} further shots were discarded")


@cli.command()
def ops() -> None:
    """The operations of the Program and Circuit IR.

    \b
    Example:
      qwasmc ops
    """
    for spec in OPS:
        click.echo(f"{spec.name:<12} {spec.cost.name.lower():<10} {spec.doc}")


@cli.command()
def passes() -> None:
    """The passes, in the order they run.

    \b
    Example:
      qwasmc passes
    """
    for row in PASSES:
        level = "on request" if row.level is None else f"-O{row.level}"
        click.echo(f"{row.name:<14} {row.takes:>8} -> {row.gives:<8} {level:<11} {row.doc}")


@cli.command()
def targets() -> None:
    """The machines that circuits are made for.

    \b
    Example:
      qwasmc targets
    """
    for target in TARGETS:
        allowed = target.distances
        click.echo(f"{target.name:<8} d={allowed[0]}..{allowed[-1]} odd  {target.doc}")


# -- errors ----------------------------------------------------------------------------------------


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # it came while another end was being handled
        code = 128 + signal.SIGINT
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run a command; returns the exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        # Not cli.main, which has its own idea of exit codes.
        with cli.make_context("qwasmc", list(arguments)) as context:
            cli.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as wrong:
        wrong.show()
        return int(Kind.USAGE)
    except CompileError as wrong:
        for diagnostic in wrong.diagnostics:
            show(diagnostic)
        return wrong.exit_code
    except BrokenPipeError:
        # Python flushes standard output once more at exit; let it go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except MemoryError:
        show(Diagnostic("out of memory", kind=Kind.LIMIT))
        return int(Kind.LIMIT)
    except Exception as bug:
        show(bug_diagnostic(bug, arguments))
        return EX_BUG
    return 0


def _terminate(signum: int, _: object) -> NoReturn:
    """End by way of every `finally`, so that hidden files go."""
    sys.exit(128 + signum)


def show(diagnostic: Diagnostic) -> None:
    """Print a diagnostic on standard error, in colour on a terminal."""
    text = render(diagnostic)
    first, colon, rest = text.partition(":")
    if not os.environ.get("NO_COLOR"):
        first = click.style(
            first, fg="red" if diagnostic.severity == "error" else "yellow", bold=True
        )
    click.echo(first + colon + rest, err=True, nl=False)


def bug_diagnostic(bug: Exception, arguments: Sequence[str]) -> Diagnostic:
    """What to say about a bug; writes a file with everything needed to reproduce it."""
    handle, path = tempfile.mkstemp(prefix="qwasmc-bug-", suffix=".txt")
    with open(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"qwasmc {__version__}, Python {sys.version.split()[0]} on {sys.platform}\n")
        file.write(f"qwasmc {shlex.join(arguments)}\n\n{''.join(traceback.format_exception(bug))}")
        for name in arguments:
            with suppress(OSError):
                text = Path(name).read_bytes()[:MAX_ATTACHED].decode(errors="backslashreplace")
                file.write(f"\n==== {name}\n{text}")
    return Diagnostic(
        f"bug in qwasmc: {type(bug).__name__}: {bug}",
        help=f"no output was written; please report this with {path}",
    )
