"""`qwasmc learn`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from qwasmc.commands.common import (
    Number,
    watching,
    workers_options,
)
from qwasmc.ops import BY_NAME, OBJECTIVES
from qwasmc.output import Outputs
from qwasmc.pipeline import load
from qwasmc.rules.notation import NAME
from qwasmc.rules.rule import MAX_QUBITS, OPERATIONS

if TYPE_CHECKING:
    from qwasmc.learning import Learned

GATES = tuple(name for name in OPERATIONS if BY_NAME[name].is_gate and not BY_NAME[name].angle)

MAX_SIZE = 12
"""Longest pattern that is looked for."""


def _sizes(_: object, __: object, text: str) -> tuple[int, ...]:
    words = text.split(",")
    good = all(word.isdecimal() and 1 <= int(word) <= MAX_SIZE for word in words)
    if not good or len(words) > MAX_QUBITS:
        raise click.BadParameter(
            f"'{text}' is not a list of up to {MAX_QUBITS} numbers from 1 to {MAX_SIZE}"
        )
    return tuple(map(int, words))


def _gates(_: object, __: object, text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(text.split(",")))
    wrong = [name for name in names if name not in GATES]
    if wrong:
        raise click.BadParameter(f"'{wrong[0]}' is none of {', '.join(GATES)}")
    return names


def _name(_: object, __: object, text: str) -> str:
    if not NAME.fullmatch(text):
        raise click.BadParameter("a name has up to 64 letters, digits, or any of . _ -")
    return text


@click.command()
@click.argument("paths", metavar="CORPUS...", nargs=-1, type=click.Path())
@click.option(
    "-o",
    "output",
    type=click.Path(),
    metavar="OUT",
    required=True,
    help="Where to write the set; - is standard output.",
)
@click.option("--name", default="learned", callback=_name, metavar="NAME", help="Of the set.")
@click.option(
    "--cost",
    type=click.Choice(OBJECTIVES),
    default="depth",
    help="What the rules are to lower; volume is that of patches: tiles times slabs.",
)
@click.option(
    "--families", is_flag=True, help="Learn from generated circuits, too, which the seed draws."
)
@click.option(
    "--gates",
    default="h,s,sdg,sx,sxdg,x,y,z,t,tdg,cx,cz,swap",
    callback=_gates,
    metavar="A,B,...",
    help="Gates of patterns without measurements.",
)
@click.option(
    "--size",
    "sizes",
    default="6,5,4",
    callback=_sizes,
    metavar="N,...",
    help="Most gates of a pattern on one qubit, on two qubits, ...",
)
@click.option(
    "--blocks",
    type=click.IntRange(min=0, max=1_000_000),
    default=10_000,
    metavar="N",
    help="Look for cheaper forms of the N longer blocks that recur most in the corpus.",
)
@click.option(
    "--max-rules",
    type=click.IntRange(min=1, max=100_000),
    default=1000,
    metavar="N",
    help="Most rules of the set.",
)
@click.option(
    "--generations",
    type=click.IntRange(min=0, max=1000),
    default=12,
    metavar="N",
    help="How long the policy is trained; 0 for none.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    default=0,
    metavar="N",
    help="Another split of the corpus, other blocks and other training.",
)
@workers_options
@click.option(
    "--resume",
    "folder",
    type=click.Path(),
    metavar="FOLDER",
    help="Keep finished work in this folder, and do not repeat what it has.",
)
@click.option(
    "--time-budget",
    type=Number(min=0),
    metavar="S",
    help="Seconds after which nothing more is begun; other rules may come of it.",
)
def learn(paths: Sequence[str], output: str, **given: Any) -> None:
    """Learn rewriting rules from a CORPUS of programs: files, and folders of them.

    Rules are found in what -O2 leaves of the programs, and proved.  No compilation uses them before
    somebody has approved them: see `qwasmc rules`.

    \b
    Example:
      qwasmc learn examples --cost depth -o proposal.rules
      qwasmc learn programs --families --resume work -j 8 -o proposal.rules
    """
    if not paths and not given["families"]:
        raise click.UsageError("give a CORPUS, or --families")
    with Outputs() as outputs, watching() as watch:
        file = outputs.open(output)
        found: Learned = load("qwasmc.learning:learn")(paths, watch, **given)
        file.write(found.text)
    for line in found.summary:
        click.echo(line, err=True)
