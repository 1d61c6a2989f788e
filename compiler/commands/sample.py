"""`qwasmc sample`."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click

from qwasmc import reading, sampling
from qwasmc.commands.common import (
    json_option,
    plot_option,
    seed_option,
    table,
    watching,
    workers_options,
)
from qwasmc.commands.compile import check_not_input
from qwasmc.output import STDIO, Outputs
from qwasmc.pipeline import load

if TYPE_CHECKING:
    from qwasmc.backends.sampling.rates import Sampled


@click.command()
@click.argument("paths", metavar="CIRCUIT...", nargs=-1, required=True)
@click.option("--shots", type=click.IntRange(min=1), default=100_000, metavar="N")
@click.option("--max-errors", type=click.IntRange(min=1), metavar="N", help="Stop at N errors.")
@click.option(
    "--decoder", default="pymatching", metavar="NAME", help="`qwasmc decoders` lists them."
)
@seed_option
@workers_options
@click.option(
    "--postselect",
    is_flag=True,
    help="Discard shots in which a magic state is seen to be bad: a marked detector or a flag.",
)
@click.option(
    "--resume",
    "records",
    metavar="FILE",
    help="Keep the counts in this CSV as they come, and do not repeat shots that it has.",
)
@json_option
@click.option("--csv", "csv", metavar="FILE", help="Write the counts as CSV that sinter reads.")
@plot_option("Draw rates against p, or d")
def sample(
    paths: list[str], as_json: bool, csv: str | None, plot: str | None, **given: Any
) -> None:
    """Logical error rates of noisy Stim circuits, by sampling and decoding.

    \b
    Example:
      qwasmc sample bell.stim --shots 100000 --max-errors 1000
      qwasmc sample bell-*.stim --resume counts.csv --plot threshold.png
    """
    if paths.count(STDIO) > 1:
        raise click.UsageError("standard input holds one circuit")
    if as_json and csv == STDIO:
        raise click.UsageError("--json and --csv - would both write on standard output")
    files = [name for name in (given["records"], csv, plot) if name is not None]
    for path in paths:
        check_not_input(path, files)
    if len(set(map(os.path.realpath, files))) < len(files):
        raise click.UsageError("--resume, --csv and --plot need a file each")
    with Outputs() as outputs, watching() as watch:
        sources = [reading.read_source(path) for path in paths]
        # Whatever can go wrong with outputs does so before hours of sampling.
        counts = outputs.open(csv) if csv is not None else None
        picture = outputs.open(plot) if plot else None
        if plot:
            check = load("qwasmc.backends.sampling.plot:check")
            check(
                {path: sampling.described(each) for path, each in zip(paths, sources, strict=True)}
            )
        found = sampling.sample(sources, watch, **given)
        if counts:  # each circuit once, and one header
            distinct = {each.stats.strong_id: each.csv for each in found}.values()
            counts.writelines(dict.fromkeys("".join(distinct).splitlines(keepends=True)))
        if picture and plot:
            draw = load("qwasmc.backends.sampling.plot:plot")
            draw([each.stats for each in found], picture.buffer, plot[-3:])
    if csv == STDIO:
        return
    if as_json:
        reports = [each.to_json() for each in found]
        several = [{"input": path, **each} for path, each in zip(paths, reports, strict=True)]
        click.echo(json.dumps(reports[0] if len(paths) == 1 else several, indent=2))
        return
    for path, each in zip(paths, found, strict=True):
        if len(paths) > 1:
            click.echo(f"{path}:")
        show_rates(each)


def show_rates(sampled: Sampled) -> None:
    """Print the rates of a circuit as a table."""
    rows = [
        (name, rate.errors, rate.shots, f"{rate.rate:.3g}", f"{rate.low:.3g} to {rate.high:.3g}")
        for name, rate in (*sampled.observables.items(), ("any", sampled.total))
    ]
    headers = ("observable", "errors", "shots", "rate", "95% interval")
    table(rows, headers, "{:<24} {:>9} {:>11} {:>10}  {}", heading=True)
    if sampled.discards:
        click.echo(f"{sampled.discards} further shots were discarded")


@click.command()
def decoders() -> None:
    """The decoders that `sample` knows.

    \b
    Example:
      qwasmc decoders
    """
    for name in load("qwasmc.backends.sampling.decoders:known")():
        click.echo(name)
