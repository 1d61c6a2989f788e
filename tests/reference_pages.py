"""The pages that are made from tables; `python tests/reference_pages.py` writes all of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import distribution
from inspect import cleandoc
from pathlib import Path
from textwrap import dedent
from typing import Any

import click
import sinter
from ops_page import ops_page
from targets_page import targets_page

from qwasmc.backends.sampling.decoders import GROUP, NEEDS
from qwasmc.cli import COMMANDS, CONTEXT, cli
from qwasmc.commands import common
from qwasmc.formats import FORMATS
from qwasmc.pipeline import ORDER, PASSES

DOCS = Path(__file__).parent.parent / "docs"
MARKER = "<!-- From here on: made by `python tests/reference_pages.py`. -->\n"

Params = Sequence[click.Parameter]


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; cells may have bars."""
    lines = (" | ".join(cell.replace("|", r"\|") for cell in row) for row in (columns, *rows))
    titles, *others = (f"| {line} |\n" for line in lines)
    return "".join([titles, f"|{'---|' * len(columns)}\n", *others])


def head(page: str) -> str:
    """The part of a page that is written by hand."""
    return (DOCS / page).read_text("utf-8").partition(MARKER)[0] + MARKER


# -- commands --------------------------------------------------------------------------------------

COMMANDS_HEAD = """# Commands

Made from the command line itself; `qwasmc COMMAND --help` says the same. Many commands share the
options for [reading](#reading) a program and for its [passes](#passes). `-` stands for standard
input or output, `@FILE` for the arguments in FILE ([response files](../builds.md#response-files)).

"""

EXIT_CODES = """## Exit codes

| code | meaning |
|---|---|
| 0 | done |
| 1 | the program is wrong |
| 2 | the request is wrong: options, or files that cannot be read or written |
| 3 | a limit: of the language, of a target, or one that was given |
| 70 | a bug in the compiler; a file to reproduce it has been written |

Unless the code is 0, no output file has been written or changed.

"""

SHARED = {"reading": common.reading_options, "passes": common.pass_options}
"""Groups of options that several commands have, by their section."""


COMMENTS = {
    "sample": "<!-- run: qwasmc compile examples/bell.qwasm -d 3 --noise uniform:0.001 "
    "-o bell-3.stim -->\n<!-- needs matplotlib -->\n",
    "estimate": "<!-- needs matplotlib -->\n",
    "cut": "<!-- needs qiskit_addon_cutting -->\n",
    "knit": "<!-- not run: the results come from elsewhere -->\n",
    "learn": "<!-- not run: the programs are yours -->\n",
    "completion": "<!-- not run: it writes into the home folder -->\n",
}
"""What stands in front of examples (`docs_pages`)."""

IN_GROUP = "<!-- not run: docs/rewriting.md goes through the life of a set -->\n"
"""The same for commands in groups."""


def options_of(decorator: Callable[[Any], Any]) -> Params:
    """The options that a decorator adds, in the order of --help."""

    def command() -> None:
        """Do nothing."""

    made: list[click.Parameter] = decorator(command).__click_params__
    return made[::-1]


def commands_page() -> str:
    """Every command with its own options, and the shared ones."""
    root = click.Context(cli, info_name="qwasmc", **CONTEXT)
    shared = {name: options_of(decorator) for name, decorator in SHARED.items()}
    parts = [COMMANDS_HEAD, options_table(cli.params, root), "\n", EXIT_CODES]
    for command in COMMANDS:
        context = click.Context(command, parent=root, info_name=command.name, **CONTEXT)
        parts += [f"## {command.name}\n\n", *command_text(command, context, shared)]
        if isinstance(command, click.Group):
            for each in command.commands.values():
                inner = click.Context(each, parent=context, info_name=each.name, **CONTEXT)
                heading = f"### {command.name} {each.name}\n\n"
                parts += [heading, *command_text(each, inner, shared, IN_GROUP)]
    for name, options in shared.items():
        parts += [f"## {name.capitalize()}\n\n", options_table(options, root), "\n"]
    return "".join(parts).rstrip("\n") + "\n"


def command_text(
    command: click.Command, context: click.Context, shared: dict[str, Params], marks: str = ""
) -> Iterator[str]:
    """What a command does, how it is called, and its options."""
    doc, _, example = cleandoc(command.help or "").partition("\b\nExample:\n")
    yield f"{' '.join(doc.split())}\n\n"
    pieces = command.collect_usage_pieces(context)
    yield f"    {' '.join([context.command_path, *pieces])}\n\n"
    if example:
        marks = marks or COMMENTS.get(str(command.name), "")
        yield f"For example:\n\n{marks}```sh\n{dedent(example).strip()}\n```\n\n"
    taken = {name: {option.name for option in options} for name, options in shared.items()}
    mine = {param.name for param in command.params}
    groups = [name for name in shared if taken[name] <= mine]
    covered = set().union(*(taken[name] for name in groups))
    own = [param for param in command.params if param.name not in covered]
    if rows := options_table(own, context):
        yield f"{rows}\n"
    if groups:
        yield f"Also those for {' and '.join(f'[{name}](#{name})' for name in groups)}.\n\n"


def options_table(params: Params, context: click.Context) -> str:
    """What --help says of options; nothing if there are none."""
    options = [param for param in params if isinstance(param, click.Option)]
    records = filter(None, (option.get_help_record(context) for option in options))
    rows = [(f"`{names}`", " ".join(doc.split())) for names, doc in records]
    return table(("option", "what it does"), rows) if rows else ""


# -- passes, formats, decoders ---------------------------------------------------------------------


def passes_page() -> str:
    """The page on passes: its hand-written head, then the pass table."""
    rows = [(f"`{row.name}`", row.takes, row.gives, level(row.level), row.doc) for row in PASSES]
    order = (f"- `{o.before}` before `{o.after}`: {o.reason}.\n" for o in ORDER)
    rules = ["\n## Why in this order\n\n", *order]
    columns = ("pass", "from", "to", "level", "what it does")
    return "".join([head("reference/passes.md"), "\n", table(columns, rows), *rules])


def level(lowest: int | None) -> str:
    """The lowest optimisation level that runs a pass."""
    return "on request" if lowest is None else f"-O{lowest}"


def outputs_page() -> str:
    """The page on outputs: its hand-written head, then the table of formats."""
    rows = [
        (f"`{row.name}`", " ".join(f"`{s}`" for s in row.suffixes), row.takes, row.doc)
        for row in FORMATS
    ]
    columns = ("`--emit`", "suffixes of OUT", "made from", "what is written")
    return "".join([head("outputs.md"), "\n## All formats\n\n", table(columns, rows)])


def decoders_page() -> str:
    """The page on decoders: its hand-written head, then those of sinter and ours."""
    own = {
        point.name: point for point in distribution("qwasmc").entry_points if point.group == GROUP
    }
    rows = []
    for name in sorted({*sinter.BUILT_IN_DECODERS, *own}):
        if name in own:
            extras = ", ".join(re.findall(r"\w+", " ".join(own[name].extras)))
            rows.append((f"`{name}`", own[name].module.partition(".")[0], f"`qwasmc[{extras}]`"))
        else:
            rows.append((f"`{name}`", "sinter", f"`{NEEDS[name]}`" if name in NEEDS else ""))
    columns = ("`--decoder`", "adapter by", "needs `pip install`")
    return "".join([head("reference/decoders.md"), "\n", table(columns, rows)])


PAGES = {
    "reference/commands.md": commands_page,
    "reference/decoders.md": decoders_page,
    "reference/ops.md": ops_page,
    "reference/passes.md": passes_page,
    "outputs.md": outputs_page,
    "targets.md": targets_page,
}
"""Who makes what, below docs."""


if __name__ == "__main__":
    for name, make in PAGES.items():
        (DOCS / name).write_text(make(), "utf-8")
