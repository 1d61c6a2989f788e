"""Shadow reports: what a set of rules would do to programs, before anybody lets it.

    {"format": "qwasmc shadow 1",
     "set": NAME,                         of the set
     "rules": SHA-256,                    of the file of rules
     "objective": OBJECTIVE,              that the rules are for
     "programs": [{"name": FILE, "sha256": SHA-256, "before": COSTS, "after": COSTS}, ...],
     "totals": {"before": COSTS, "after": COSTS},
     "gains": N, "losses": N,             how many programs got better, and worse
     "sha256": SHA-256}                   of the report without this line

COSTS are integers by name, those of `qwasmc.ops.OBJECTIVES` in this order; "t" counts T gates and
rotations.  A program got worse if either rose, and better if only the objective changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from qwasmc.approval.files import read_bounded, sha256
from qwasmc.diagnostics import Kind, error
from qwasmc.ops import OBJECTIVES

FORMAT = "qwasmc shadow 1"

MAX_BYTES = 1 << 26
"""Longest report."""

MAX_COST = 1 << 64
"""Costs are less than this."""

NEVER_WORSE = "t"
"""A cost that must not rise, whatever the objective is."""

Costs = Mapping[str, int]


class Program(NamedTuple):
    """A program: its name, the SHA-256 of its file, and its costs without and with the rules."""

    name: str
    sha256: str
    before: Costs
    after: Costs


@dataclass(frozen=True, slots=True)
class Report:
    """What a set did; `rules` is the SHA-256 of its file."""

    set: str
    rules: str
    objective: str
    programs: Sequence[Program]

    @property
    def losses(self) -> int:
        """How many programs got worse."""
        return sum(map(self._is_worse, self.programs))

    @property
    def gains(self) -> int:
        """How many programs got better, and in nothing worse."""
        cost = self.objective
        better = [each for each in self.programs if each.after[cost] < each.before[cost]]
        return sum(not self._is_worse(program) for program in better)

    def _is_worse(self, program: Program) -> bool:
        costs = (self.objective, NEVER_WORSE)
        return any(program.after[cost] > program.before[cost] for cost in costs)

    @property
    def totals(self) -> dict[str, dict[str, int]]:
        """The sums of the costs over all programs."""
        return {
            "before": _sums([program.before for program in self.programs]),
            "after": _sums([program.after for program in self.programs]),
        }

    @property
    def text(self) -> str:
        """The report as a file."""
        found: dict[str, Any] = {
            "format": FORMAT,
            "set": self.set,
            "rules": self.rules,
            "objective": self.objective,
            "programs": [program._asdict() for program in self.programs],
            "totals": self.totals,
            "gains": self.gains,
            "losses": self.losses,
        }
        found["sha256"] = sha256(_text(found).encode())
        return _text(found)

    @property
    def summary(self) -> dict[str, Any]:
        """What the ledger keeps of the report; `report` is the SHA-256 of its file."""
        return {
            "report": sha256(self.text.encode()),
            "objective": self.objective,
            "programs": len(self.programs),
            "totals": self.totals,
            "gains": self.gains,
            "losses": self.losses,
        }


def _sums(costs: Sequence[Costs]) -> dict[str, int]:
    names = costs[0] if costs else ()
    return {name: sum(each[name] for each in costs) for name in names}


def _text(found: Mapping[str, Any]) -> str:
    return json.dumps(found, indent=1) + "\n"


def read_report(path: str) -> Report:
    """The report in a file; CompileError unless it is one, and as it was written."""
    data = read_bounded(Path(path), MAX_BYTES)
    if data is None:
        raise error(f"there is no shadow report '{path}'", kind=Kind.USAGE, help=_HELP)
    try:
        found = json.loads(data)
        programs = [Program(**item) for item in found["programs"]]
        report = Report(found["set"], found["rules"], found["objective"], programs)
        if _fits(report) and report.text.encode() == data:
            return report
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        pass
    raise error(f"'{path}' is no shadow report, or was changed since it was written", help=_HELP)


_HELP = "`qwasmc rules shadow RULES PROGRAM... -o REPORT` writes one"


def _fits(report: Report) -> bool:
    """Whether the costs of a report are those of `OBJECTIVES`, all of them integers."""
    costs = [each for program in report.programs for each in (program.before, program.after)]
    return report.objective in OBJECTIVES and all(
        tuple(each) == OBJECTIVES
        and all(type(number) is int and 0 <= number < MAX_COST for number in each.values())
        for each in costs
    )
