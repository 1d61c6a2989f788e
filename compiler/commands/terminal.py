"""What a terminal shows that a pipe does not: tables in columns that fit, and progress.

Rich respects NO_COLOR and dumb terminals.  Nothing that is shown is taken for markup or for codes
of the terminal: names come from programs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

Justify = Literal["left", "right"]


def show_table(
    rows: Sequence[Sequence[object]], headers: Sequence[str], justify: Sequence[Justify]
) -> None:
    """Print a table on standard output."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for header, side in zip(headers, justify, strict=True):
        table.add_column(header, justify=side, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_printable(str(cell))) for cell in row))
    Console().print(table)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


@dataclass(slots=True)
class Stages:
    """A line on standard error: which stage runs, which one of how many it is, and since when."""

    progress: Progress
    task: TaskID
    names: list[str] = field(default_factory=list)
    at: int = 0

    def plan(self, names: Sequence[str]) -> None:
        """Learn what stages there will be."""
        self.names = list(names)

    def stage(self, name: str) -> None:
        """Show a stage; one that was not planned is a part of the one before.

        A pass may be planned several times, and what follows a pass may run a second time.
        """
        if name in self.names:
            ahead = self.names[self.at :]
            self.at = (self.at + ahead.index(name)) if name in ahead else self.names.index(name)
            step = f"stage {self.at + 1} of {len(self.names)}"
            self.progress.update(self.task, step=step)
        self.progress.update(self.task, description=_printable(name))


@contextmanager
def stages() -> Iterator[Stages]:
    """The line, which goes away at the end."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.fields[step]}", markup=False),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield Stages(progress, progress.add_task("starting", total=None, step=""))
