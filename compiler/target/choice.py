"""`--target auto`: a decision table.  The first row whose predicate holds names the machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from qwasmc.target.known import BY_NAME
from qwasmc.target.machine import Target, tile_qubits

AUTO = "auto"
"""The name that stands for a choice."""

PATIENCE_S = 3600
"""How long a run may take on a slow machine, in seconds."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a program needs at least.

    `patches` says whether the output has any; `machine` whether what is asked for depends on a
    machine's errors: its noise, or an error budget.  `slabs` is the most T gates on a path, or 1.
    """

    patches: bool
    machine: bool
    tiles: int = 1
    slabs: int = 1
    distance: int | None = None
    error_budget: float | None = None

    def distance_on(self, target: Target) -> int:
        """The distance: the one that is given, else the least that is within the error budget."""
        if self.distance is not None:
            return self.distance
        assert self.error_budget is not None
        assert target.qubit is not None
        for distance in target.distances:
            rate = target.code.patch_error(target.qubit.error_rate, distance)
            if self.tiles * self.slabs * distance * rate <= self.error_budget:
                return distance
        return target.distances[-1]

    def qubits_on(self, target: Target) -> int:
        """Physical qubits."""
        return self.tiles * tile_qubits(self.distance_on(target))

    def seconds_on(self, target: Target) -> float:
        """Run time: a slab, or the reaction to its outcomes if that takes longer, at a time."""
        slab_time = target.slab_time(self.distance_on(target))
        assert slab_time is not None
        return self.slabs * max(slab_time, target.reaction_time or 0.0) * 1e-9


def _no_patches(needs: Needs) -> bool:
    return not needs.patches


def _any_machine(needs: Needs) -> bool:
    return not needs.machine


def _suits(name: str) -> Callable[[Needs], bool]:
    """Whether a machine is large and fast enough."""

    def suits(needs: Needs) -> bool:
        target = BY_NAME[name]
        assert target.max_qubits is not None
        fits = needs.qubits_on(target) <= target.max_qubits
        return fits and needs.seconds_on(target) <= PATIENCE_S

    return suits


@dataclass(frozen=True, slots=True)
class Rule:
    """A row: `target` is chosen, for the `reason`, if `holds`, which is called `predicate`."""

    predicate: str
    target: str
    reason: str
    holds: Callable[[Needs], bool]


RULES = (
    Rule(
        "no patches",
        "grid",
        "the output has no patches, so no machine limits it",
        _no_patches,
    ),
    Rule(
        "any machine",
        "grid",
        "neither the machine's own noise nor an error budget is asked for, so any machine does",
        _any_machine,
    ),
    Rule(
        "suits ions",
        "ions",
        "its gates are the best, and it is large enough, and fast enough for a run of an hour",
        _suits("ions"),
    ),
    Rule(
        "suits atoms",
        "atoms",
        "ions are too few or too slow; it is large enough, and fast enough for a run of an hour",
        _suits("atoms"),
    ),
    Rule(
        "otherwise",
        "superconducting",
        "ions and atoms are too few or too slow, and it is of any size and the fastest",
        lambda _: True,
    ),
)
"""The decision table."""


def decide(needs: Needs) -> tuple[Target, Rule]:
    """The machine for a program, and the row that names it."""
    rule = next(rule for rule in RULES if rule.holds(needs))
    return BY_NAME[rule.target], rule
