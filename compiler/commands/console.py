"""How a run shows diagnostics on standard error: as text, JSON lines or a SARIF log."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass, field

import click

from qwasmc.diagnostics import Diagnostic, render
from qwasmc.sarif import as_json, log

STYLES = ("text", "json", "sarif")
"""Values of --diagnostics."""


@dataclass(slots=True)
class Console:
    """What a run has shown, and how; a SARIF log is one text, so it waits for the end."""

    style: str = STYLES[0]
    waiting: list[Diagnostic] = field(default_factory=list)

    def show(self, diagnostic: Diagnostic) -> None:
        """Show a diagnostic; text is in colour on a terminal."""
        if self.style == "sarif":
            self.waiting.append(diagnostic)
        elif self.style == "json":
            _write(json.dumps(as_json(diagnostic)))
        else:
            _write(_coloured(diagnostic))

    def say(self, line: str) -> None:
        """Show what is no diagnostic; to programs it is a note."""
        if self.style == "text":
            _write(line)
        else:
            self.show(Diagnostic(line, severity="note"))

    def finish(self, exit_code: int) -> None:
        """Write what has to wait for the end."""
        if self.style == "sarif":
            _write(json.dumps(log(self.waiting, exit_code), indent=2))


def _write(text: str) -> None:
    with suppress(OSError):  # there is nowhere to say that standard error is full or gone
        click.echo(text, err=True)


def _coloured(diagnostic: Diagnostic) -> str:
    # Names come from programs, manifests and file systems: they are no codes of the terminal.
    text = "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in render(diagnostic))
    first, colon, rest = text.rstrip("\n").partition(":")
    if not os.environ.get("NO_COLOR"):
        colour = "red" if diagnostic.severity == "error" else "yellow"
        first = click.style(first, fg=colour, bold=True)
    return first + colon + rest


def console() -> Console:
    """The console of the command that runs."""
    return click.get_current_context().ensure_object(Console)
