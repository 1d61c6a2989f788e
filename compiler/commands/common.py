"""What commands share: options, how a run is watched, and how diagnostics are shown."""

from __future__ import annotations

import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from string import Formatter
from typing import Any, cast

import click

from qwasmc.commands.console import console
from qwasmc.grammar.evaluator import Limits
from qwasmc.languages import LANGUAGES
from qwasmc.ops import OBJECTIVES
from qwasmc.options import DEFAULTS, Options, Watch
from qwasmc.output import STDIO
from qwasmc.pipeline import LEVELS, PASSES, load
from qwasmc.target import FACTORIES, FLOOR_PLANS

LIMITS = fields(Limits)

Decorator = Callable[[Any], Any]


def together(*decorators: Decorator) -> Decorator:
    """Several options as one decorator, listed by --help in this order."""

    def decorate(command: Any) -> Any:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


class Number(click.FloatRange):
    """A number in a range; `nan` is in none."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number that is written; fails where it is not one in the range."""
        found = float(super().convert(value, param, ctx))
        if math.isnan(found):
            self.fail(f"{value} is not a number.", param, ctx)
        return found


input_argument = click.argument("path", metavar="IN", type=click.Path())

output_option = click.option(
    "-o",
    "output",
    type=click.Path(),
    metavar="OUT",
    default=STDIO,
    help="Where to write; - is standard output.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

PICTURES = (".pdf", ".png", ".svg")
"""What --plot can write."""


def plot_option(help: str) -> Decorator:
    """The option --plot, which takes the name of a picture."""

    def check(_: object, __: object, name: str | None) -> str | None:
        if name is not None and not name.endswith(PICTURES):
            raise click.UsageError(f"--plot needs a name that ends in {', '.join(PICTURES)}")
        return name

    help = f"{help}: a .png, .svg or .pdf."
    return cast(Decorator, click.option("--plot", metavar="FILE", callback=check, help=help))


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
        "-I",
        "include_dirs",
        type=click.Path(),
        metavar="DIR",
        multiple=True,
        help="Look for .include files in DIR.",
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

seed_option = click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=0, metavar="N", help="Other shots."
)

workers_options = together(
    click.option(
        "-j",
        "workers",
        type=click.IntRange(min=1),
        default=os.cpu_count() or 1,
        show_default="all cores",
        metavar="N",
        help="Processes to use; the result does not depend on it.",
    ),
    click.option(
        "--cluster", metavar="ADDRESS", help="Use the workers of a Dask scheduler instead."
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

store_option = click.option(
    "--rule-store",
    type=click.Path(),
    metavar="DIR",
    envvar="QWASMC_RULE_STORE",
    show_envvar=True,
    help="The store of approved sets of rules, besides the one that comes with the compiler.",
)

trust_option = click.option(
    "--trust",
    type=click.Path(),
    metavar="FILE",
    envvar="QWASMC_TRUST",
    show_envvar=True,
    help="The keys that may approve for the store; by default a file of yours.",
)

pass_options = together(
    iterations_option,
    click.option(
        "--synthesis-error",
        type=Number(0, 1, min_open=True, max_open=True),
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
        type=Number(min=0),
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
        "--rules",
        metavar="SET|FILE",
        multiple=True,
        callback=lambda _, __, names: names or None,
        help="Rewrite with an approved set of rules; none: not with those that the target names.",
    ),
    click.option(
        "--shadow", is_flag=True, help="Only report what the rules would do, approved or not."
    ),
    store_option,
    trust_option,
    click.option(
        "--passes",
        metavar="A,B,...",
        callback=lambda _, __, names: None if names is None else names.split(","),
        help="Run exactly these passes.",
    ),
    click.option(
        "--error-budget",
        type=Number(0, 1, min_open=True, max_open=True),
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


target_option = click.option(
    "--target",
    type=click.Path(),  # the shell completes names of files
    default=DEFAULTS.target,
    metavar="NAME|FILE",
    help="The machine: a name in `qwasmc targets`, a description (.toml), or auto. See "
    "docs/targets.md.",
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
    warn = console().show
    if console().style != "text" or not sys.stderr.isatty():
        yield Watch(warn=warn)
        return
    with load("qwasmc.commands.terminal:stages")() as shown:
        yield Watch(stage=shown.stage, plan=shown.plan, warn=warn)


def table(
    rows: Sequence[Sequence[object]],
    headers: Sequence[str],
    layout: str,
    *,
    heading: bool = False,
) -> None:
    """Print a table: in columns that fit on a terminal, else as lines in a `layout`.

    The layout, a format of all cells, may have a second line for the last ones.  In a pipe there is
    no line of headers, unless a `heading` is wanted: it has those of the first line.
    """
    if sys.stdout.isatty():
        specs = [spec or "" for _, name, spec, _ in Formatter().parse(layout) if name is not None]
        justify = ["right" if spec.startswith(">") else "left" for spec in specs]
        load("qwasmc.commands.terminal:show_table")(rows, headers, justify)
        return
    if heading:
        click.echo(layout.partition("\n")[0].format(*headers))
    for row in rows:
        click.echo(layout.format(*row).rstrip())


def pretty_json(data: object) -> str:
    """Indented JSON with lists of numbers on one line."""
    # No string holds a line break, so what begins with "[" and one is a list.
    numbers = re.compile(r"\[\n([\s\d,]+)\]")
    text = json.dumps(data, indent=2)
    return numbers.sub(lambda found: f"[{' '.join(found[1].split())}]", text) + "\n"
