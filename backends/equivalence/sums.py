"""Compares circuits by one path sum: the overlap of their outputs for every input.

Record each outcome of the program in a register of its own.  Then each circuit is an isometry, V
and W, and they are equal if <W x|V x> = 1 for each basis state x, by the Cauchy-Schwarz inequality
and linearity.  That overlap is a path sum without outputs.  If also e, k outcomes of ancillas, are
recorded, it has to be 2^(-k/2) times a phase that may depend on e but not on x: its squares then
add up to 1 over all e, so V is W times a phase whichever e occurs, and all are equally likely.
Phases that depend on outcomes only are dropped, for no experiment shows them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qwasmc.backends.equivalence.check import Check
from qwasmc.backends.equivalence.events import ONE, ZERO, Event, Poly, Trace, Undecided
from qwasmc.backends.equivalence.parities import Affine, ParitySum
from qwasmc.backends.equivalence.path_sum import UNIT, PathSum, product

NAME, PARITIES = "path sums", "sums of parities"

NEAR = 0.01
"""Part of a program that may stem from one place in the source."""


def compare_sums(before: Trace, after: Trace) -> Check:
    """Whether the circuits are equal, by reduction of their overlap in one order or another."""
    found = Check(NAME, "not decided", "")
    for in_order in (True, False):
        found = _reduced(before, after, PathSum(in_order=in_order))
        if found.result != "not decided":
            break
    return found


def compare_parities(before: Trace, after: Trace) -> Check:
    """Whether the circuits are equal, by reduction of their overlap as a sum of parities."""
    total = ParitySum()
    overlap = _Overlap(before, after, total)
    try:
        overlap.build()
        total.summed.update(dict.fromkeys(overlap.outcomes.values()))
        total.reduce()
        if total.summed:
            detail = f"{len(total.summed)} variables of {total.variables} are left"
        elif total.root2 != len(overlap.extra) or total.depends_on(overlap.inputs):
            detail = "the sum reduces, but not to 1"
        else:
            detail = f"the sum over {total.variables} variables reduces to 1"
            return Check(PARITIES, "proved", detail)
    except Undecided as why:
        detail = str(why)
    return Check(PARITIES, "not decided", detail)


def _reduced(before: Trace, after: Trace, total: PathSum) -> Check:
    overlap = _Overlap(before, after, total)
    total.parameters = {*overlap.inputs, *overlap.extra}
    try:
        overlap.build()
        total.reduce()
        for variable in overlap.inputs:
            total.solve(variable)
        total.forget({*overlap.outcomes.values(), *overlap.extra})
        total.summed.update(dict.fromkeys(overlap.outcomes.values()))
        total.reduce()
        total.forget(set(overlap.extra))
    except Undecided as why:
        return Check(NAME, "not decided", str(why))
    return overlap.verdict(total)


class _Overlap:
    def __init__(self, before: Trace, after: Trace, total: PathSum | ParitySum) -> None:
        self.sides = ((after, 1), (before, -1))
        self.total = total
        self.inputs = [self.total.variable(summed=False) for _ in before.open]
        self.outcomes: dict[int, int] = {}
        """Variables of the program's outcomes."""
        self.extra: list[int] = []
        """Variables of the outcomes of ancillas."""
        self.guessed = False
        """Whether ancillas were taken to be thrown away in |0>."""

    def build(self) -> None:
        """The sum before any reduction."""
        clocks = _clocks(*(trace for trace, _ in self.sides[::-1]))
        ends = [
            _Side(self, trace, sign, when).run()
            for (trace, sign), when in zip(self.sides, clocks[::-1], strict=True)
        ]
        for ours, theirs in zip(*ends, strict=True):
            self.total.equate(_poly(ours ^ theirs))

    def outcome(self, number: int) -> int:
        """The variable of an outcome that both circuits have."""
        if number not in self.outcomes:
            self.outcomes[number] = self.total.variable(summed=False)
        return self.outcomes[number]

    def new_extra(self) -> int:
        self.extra.append(self.total.variable(summed=False))
        return self.extra[-1]

    def verdict(self, total: PathSum) -> Check:
        """What is left of the sum says."""
        left = len(total.summed)
        exact = not (self.guessed or self.extra or self.outcomes)
        if total.zero and exact:
            return Check(NAME, "failed", "some input leads to orthogonal outputs")
        if left:
            return Check(NAME, "not decided", f"{left} variables of the path sum are left")
        one = not (total.zero or total.terms or total.angles)
        if one and total.root2 == len(self.extra):
            extra = f"; {len(self.extra)} outcomes of ancillas are random and without effect"
            detail = f"the path sum of {total.variables} variables reduces to 1"
            return Check(NAME, "proved", detail + (extra if self.extra else ""))
        if exact and not total.angles:
            return Check(NAME, "failed", "the path sum reduces, but not to 1")
        return Check(NAME, "not decided", "the path sum reduces, but not to 1")


class _Side:
    """One circuit: the values of its wires as parities, phases added to the common sum."""

    def __init__(self, overlap: _Overlap, trace: Trace, sign: int, clock: Sequence[float]) -> None:
        self.overlap = overlap
        self.total = overlap.total
        self.trace = trace
        self.sign = sign
        self.wire: list[Affine] = [frozenset()] * trace.wires
        for (_, wire), variable in zip(trace.open, overlap.inputs, strict=True):
            self.wire[wire] = frozenset({variable})
        self.clock = clock
        """When each event is, from 0 to 1."""
        self.when = 0.0
        self.value: dict[int, Affine] = {}
        """Of each outcome."""

    def run(self) -> list[Affine]:
        """Go through the events; the values of the program's wires at the end."""
        for when, event in zip(self.clock, self.trace.events, strict=True):
            self.when = when
            getattr(self, event.kind)(event)
        return [self.wire[wire] for _, wire in self.trace.open]

    def h(self, event: Event) -> None:
        (at,) = event.wires
        new = frozenset({self.total.variable(summed=True, when=self.when)})
        self.total.root2 += 1
        self.total.add_product(4, [_poly(self.wire[at]), _poly(new)])
        self.wire[at] = new

    def cx(self, event: Event) -> None:
        control, target = event.wires
        self.wire[target] ^= self.wire[control]

    def x(self, event: Event) -> None:
        (at,) = event.wires
        for monomial in event.cond:
            self.wire[at] ^= self.value[next(iter(monomial))] if monomial else {0}

    def phase(self, event: Event) -> None:
        forms = [_poly(self.wire[wire]) for wire in event.wires]
        if event.cond != ONE:
            forms.append(self.condition(event.cond))
        self.total.add_product(self.sign * event.eighths, forms)

    def turn(self, event: Event) -> None:
        # exp(i a q c), up to what depends on c only: a/2 on q and -a/2 on the parity of q and c.
        (at,) = event.wires
        condition = self.condition(event.cond)
        target = _poly(self.wire[at])
        angle = self.sign * event.angle
        if condition == ONE:
            self.total.turn(angle, target)
        elif condition:
            self.total.turn(angle / 2, target)
            self.total.turn(-angle / 2, target ^ condition)

    def measure(self, event: Event) -> None:
        (at,) = event.wires
        now = self.wire[at]
        if event.outcome < 0:
            if event.cond != ONE:
                raise Undecided("a measurement of an ancilla is predicated")
            self.wire[at] = self.value[event.outcome] = self.look(now)
            return
        new = self.overlap.outcome(event.outcome)
        self.value[event.outcome] = frozenset({new})
        seen = product(self.condition(event.cond), _poly(now))
        self.total.equate(seen ^ {frozenset({new})})
        if event.cond == ONE:
            self.wire[at] = frozenset({new})

    def discard(self, event: Event) -> None:
        now = self.wire[event.wires[0]]
        if event.fresh:
            self.look(now)
        elif not self.is_outcome(now):
            # Thrown away in |0>, or else the overlap with that is less than 1.
            self.overlap.guessed = True
            self.total.equate(_poly(now))

    def look(self, now: Affine) -> Affine:
        """Measure an ancilla; its outcome, which is new unless other outcomes tell it."""
        if self.is_outcome(now):
            return now
        new = self.overlap.new_extra()
        self.total.equate(_poly(now ^ {new}))
        return frozenset({new})

    def is_outcome(self, now: Affine) -> bool:
        """Whether a value is known from outcomes."""
        return now <= {0, *self.overlap.outcomes.values(), *self.overlap.extra}

    def condition(self, cond: Poly) -> Poly:
        """A condition as a polynomial of variables."""
        if cond == ONE:
            return ONE
        total = ZERO
        for monomial in cond:
            term = ONE
            for outcome in sorted(monomial):
                term = product(term, _poly(self.value[outcome]))
            total ^= term
        return total


def _clocks(before: Trace, after: Trace) -> tuple[list[float], list[float]]:
    """When each event of two circuits is, from 0 to 1, so that equal parts are at equal times.

    Equal measurements are at equal times, and so is what stems from one place in the source, where
    that says something: if many places are left, each near together in the program.
    """
    ours = [number / len(before.events) for number in range(len(before.events))]
    theirs = _between_measurements(before, after)
    first: dict[int, float] = {}
    last: dict[int, float] = {}
    for when, event in zip(ours, before.events, strict=True):
        first.setdefault(event.loc, when)
        last[event.loc] = when
    kept = first.keys() & {event.loc for event in after.events}
    if 2 * len(kept) < len(first):
        return ours, theirs
    when = 0.0
    for number, event in enumerate(after.events):
        if event.loc in kept:
            spread = last[event.loc] - first[event.loc] > NEAR
            when = theirs[number] if spread else first[event.loc]
        theirs[number] = when
    return ours, theirs


def _between_measurements(before: Trace, after: Trace) -> list[float]:
    """When each event of the second circuit is, by the measurements that both have."""
    numbers = range(len(after.events))
    places = [
        {event.outcome: at for at, event in enumerate(side.events) if event.kind == "measure"}
        for side in (after, before)
    ]
    common = [outcome for outcome in places[0] if outcome >= 0 and outcome in places[1]]
    found = [0, *(places[0][outcome] for outcome in common), len(after.events)]
    known = [0, *(places[1][outcome] for outcome in common), len(before.events)]
    scaled = np.maximum.accumulate(known) / max(len(before.events), 1)
    times: list[float] = np.interp(numbers, found, scaled).tolist()
    return times


def _poly(form: Affine) -> Poly:
    return frozenset(frozenset({v}) if v else UNIT for v in form)
