"""How programs, circuits, surgery programs and artifacts show themselves in notebooks.

The classes know nothing of drawings: importing `qwasmc` for its API gives them the methods that
Jupyter looks for.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from qwasmc.artifact import Artifact
from qwasmc.diagnostics import CompileError, Kind
from qwasmc.formats import DRAWINGS
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.program import Program
from qwasmc.ir.surgery import Surgery
from qwasmc.pipeline import load
from qwasmc.reading import kind_of

if TYPE_CHECKING:
    from qwasmc.reading import IR


def drawing(ir: IR, *more: Circuit | None) -> str:
    """The drawing of a representation as SVG; a line that says why, if it is too large."""
    try:
        return str(load(DRAWINGS[kind_of(ir)])(ir, *more))
    except CompileError as refused:
        if refused.exit_code != Kind.LIMIT:
            raise
        return str(load("qwasmc.backends.drawing.svg:message_svg")(str(refused)))


def summary(artifact: Artifact) -> dict[str, Any]:
    """What a compilation made, in numbers: those of its report that are no lists or times."""
    try:
        report = artifact.report
    except CompileError as refused:  # a program that keeps its control flow has no counts
        report = {"input": artifact.source.name, "note": str(refused)}
    checks = report.get("verification") or []
    found = {
        "output": artifact.options.emit,
        **{key: value for key, value in report.items() if isinstance(value, str | int | float)},
    }
    return found | {f"verify: {each['check']}": each["result"] for each in checks}


def artifact_html(artifact: Artifact) -> str:
    """A table of what a compilation made, and the drawing of its last representation."""
    program = [artifact.trail.program] if kind_of(artifact.ir) == "surgery" else []
    table = "".join(_cells(summary(artifact)))
    return f"<table>{table}</table>{drawing(artifact.ir, *program)}"


def _cells(found: dict[str, Any]) -> Iterator[str]:
    for key, value in found.items():
        shown = f"{value:,}" if isinstance(value, int) else f"{value}"
        cell = '<td style="text-align: left">'
        yield f"<tr>{cell}{html.escape(key)}</td>{cell}{html.escape(shown)}</td></tr>"


def pretty(shown: Artifact | IR, printer: Any, cycle: bool) -> None:
    """A line for where there are no pictures, since columns of millions are long."""
    if isinstance(shown, Artifact):
        text = f"{shown.options.emit} of distance {shown.distance}"
    elif isinstance(shown, Program):
        text = f"{len(shown.functions):,} functions"
    elif isinstance(shown, Circuit):
        text = f"{len(shown):,} operations"
    else:
        text = f"{shown.slabs:,} slabs, {len(shown):,} rows"
    printer.text(f"<{type(shown).__name__}: {text}>")


METHODS = (
    ("_repr_svg_", drawing, (Program, Circuit, Surgery)),
    ("_repr_html_", artifact_html, (Artifact,)),
    ("_repr_pretty_", pretty, (Program, Circuit, Surgery, Artifact)),
)
"""What Jupyter asks for, who answers, and for which classes."""


def attach() -> None:
    """Give the classes their methods."""
    for name, method, owners in METHODS:
        for owner in owners:
            setattr(owner, name, method)
