"""The tables of docs/targets.md; `python tests/targets_page.py --write` rewrites them."""

from __future__ import annotations

import sys
from pathlib import Path

from qwasmc.target import RULES, TARGETS, Target

PAGE = Path(__file__).parent.parent / "docs" / "targets.md"
MARKER = "targets_page.py --write`. -->\n"

TARGETS_HEAD = """
## Targets that there are

p is the error rate of two-qubit gates, a round that of a patch that waits.

| target | p | round | qubits | a | p* | what it is |
|---|---|---|---|---|---|---|
"""

RULES_HEAD = """
## How `auto` chooses

The first row that holds names the target. Needed are at least the tiles of the floor plan and, one
after another, as many slabs as there are T gates on a path, or reactions to their outcomes where
these take longer; the distance is the one that is given, or the least with which the patches are
within the error budget. The row is in a note and, as `target_choice`, in the report.

| if | target | because |
|---|---|---|
"""


def targets_page() -> str:
    """The page: its hand-written head, then the tables."""
    head, marker, _ = PAGE.read_text("utf-8").partition(MARKER)
    rules = (f"| {rule.predicate} | `{rule.target}` | {rule.reason} |\n" for rule in RULES)
    sources = (f"- `{t.name}`: {'; '.join(t.sources)}.\n" for t in TARGETS if t.sources)
    targets = [TARGETS_HEAD, *map(row, TARGETS), "\nSources:\n\n", *sources]
    return "".join([head, marker, *targets, RULES_HEAD, *rules])


def row(target: Target) -> str:
    """A row of the table of targets."""
    cells = [
        f"`{target.name}`",
        "" if target.error_rate is None else f"{target.error_rate:g}",
        "" if target.round_time is None else f"{target.round_time / 1e3:g} us",
        "any number" if target.max_qubits is None else str(target.max_qubits),
        f"{target.code.crossing_prefactor:g}",
        f"{target.code.error_correction_threshold:g}",
        target.doc,
    ]
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__" and "--write" in sys.argv:
    PAGE.write_text(targets_page(), "utf-8")
