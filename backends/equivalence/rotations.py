"""Compares circuits as Pauli rotations: after, then before backwards, has to cancel.

Every circuit is C R_n ... R_1 with a Clifford C and rotations R_k = exp(-i angle_k P_k / 2).  On
the way through the gates, C is kept as the images C^-1 X_q C and C^-1 Z_q C, and a gate that turns
about Z_q appends a rotation about the image of Z_q.  A rotation that commutes with all behind it
moves to the end; there equal ones add up, and one by a multiple of pi/2 becomes part of C.  This
takes time linear in the number of gates where what cancels is near.  What is added up early may
block what would cancel later, so if that fails, at first only opposite rotations cancel.

A measurement copies its qubit onto a wire of its own, a reset exchanges it with a new one: what
acts alike on all of these is the same for all outcomes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations
from typing import NamedTuple

from qwasmc.backends.equivalence.check import Check
from qwasmc.backends.equivalence.events import ONE, TOLERANCE, Event, Poly, Trace, Undecided

NAME = "Pauli rotations"

MAX_WORK = 60_000_000
"""Most pairs of Paulis that are compared."""

MAX_WIRES = 20_000
"""Most wires, with those for outcomes; the frame has four bits per pair."""

MAX_LEFT = 2_000
"""Most rotations left by a sweep for which there is another one."""


class Pauli(NamedTuple):
    """i^phase X^x Z^z, with a bit of x and z per wire."""

    x: int
    z: int
    phase: int = 0

    def times(self, other: Pauli, phase: int = 0) -> Pauli:
        """The product of two Paulis and i^phase."""
        phase += self.phase + other.phase + 2 * (self.z & other.x).bit_count()
        return Pauli(self.x ^ other.x, self.z ^ other.z, phase % 4)

    def anticommutes(self, other: Pauli) -> bool:
        """Whether two Paulis anticommute."""
        return bool(((self.x & other.z).bit_count() + (self.z & other.x).bit_count()) & 1)


def compare_rotations(before: Trace, after: Trace) -> Check:
    """Whether the circuits are equal, by cancelling one against the other."""
    found = Check(NAME, "not decided", "")
    for adds in (True, False):
        try:
            pair = _Pair(before, after, adds)
            pair.run()
        except Undecided as why:
            return Check(NAME, "not decided", str(why))
        found = pair.verdict()
        if found.result != "not decided":
            break
    return found


class _Sweep:
    """The Clifford C and the rotations that have not cancelled, the first one first."""

    def __init__(self, wires: int, adds: bool) -> None:
        self.adds = adds
        """Whether equal rotations add up, or only opposite ones cancel."""
        self.x = [Pauli(1 << q, 0) for q in range(wires)]
        self.z = [Pauli(0, 1 << q) for q in range(wires)]
        self.entries: list[tuple[Pauli, float] | None] = []
        """Rotations by angles in radians about Paulis without sign; None where one was."""
        self.places: dict[Pauli, list[int]] = {}
        """Where the rotations about a Pauli are."""
        self.gaps = 0
        """How many entries are None."""
        self.later: list[Pauli] = []
        """Paulis of rotations that are still to come."""
        self.work = 0
        self.rotations = 0

    # -- Clifford gates

    def h(self, q: int) -> None:
        self.x[q], self.z[q] = self.z[q], self.x[q]

    def cx(self, control: int, target: int) -> None:
        self.x[control] = self.x[control].times(self.x[target])
        self.z[target] = self.z[control].times(self.z[target])

    def cz(self, a: int, b: int) -> None:
        self.x[a], self.x[b] = self.x[a].times(self.z[b]), self.x[b].times(self.z[a])

    def not_(self, q: int) -> None:
        self.z[q] = self.z[q]._replace(phase=(self.z[q].phase + 2) % 4)

    def quarters(self, q: int, count: int) -> None:
        """A turn of one wire about Z by a multiple of pi/2."""
        self.x[q] = _turned(self.x[q], self.z[q], count)

    # -- rotations

    def rotate(self, pauli: Pauli, angle: float) -> None:
        """Append exp(-i angle P / 2)."""
        own = Pauli(pauli.x, pauli.z, (pauli.x & pauli.z).bit_count() % 4)
        if not (own.x or own.z):
            return
        angle = angle if own == pauli else -angle
        self.rotations += 1
        at = self.places.get(own, [-1])[-1]
        entry = self.entries[at] if at >= 0 else None
        meets = entry is not None and (self.adds or abs(entry[1] + angle) < TOLERANCE)
        if entry is not None and meets and self.reaches(own, at):
            angle += entry[1]
            self.remove(own, at)
        quarters = round(angle / (math.pi / 2))
        if abs(angle - quarters * (math.pi / 2)) > TOLERANCE:
            self.places.setdefault(own, []).append(len(self.entries))
            self.entries.append((own, angle))
        elif quarters % 4:
            for images in (self.x, self.z, self.later):
                for k, image in enumerate(images):
                    if image.anticommutes(own):
                        images[k] = _turned(image, own, quarters)

    def remove(self, own: Pauli, at: int) -> None:
        """Take a rotation out; close the gaps when they are half of all places."""
        self.entries[at] = None
        self.gaps += 1
        if 2 * self.gaps >= len(self.entries):
            self.entries = [entry for entry in self.entries if entry is not None]
            self.gaps = 0
            self.places = {}
            for place, entry in enumerate(self.entries):
                if entry is not None:
                    self.places.setdefault(entry[0], []).append(place)
            return
        self.places[own].pop()
        if not self.places[own]:
            del self.places[own]

    def reaches(self, pauli: Pauli, at: int) -> bool:
        """Whether a Pauli commutes with all rotations behind an entry."""
        for place in range(len(self.entries) - 1, at, -1):
            entry = self.entries[place]
            self.work += 1
            if entry is not None and entry[0].anticommutes(pauli):
                return False
        if self.work > MAX_WORK:
            raise Undecided(f"more than {MAX_WORK} pairs of rotations would be compared")
        return True

    def left(self) -> int:
        """How many rotations there are."""
        return len(self.entries) - self.gaps

    def again(self) -> None:
        """Go through the rotations that are left once more."""
        entries = [entry for entry in self.entries if entry is not None]
        self.entries, self.places, self.gaps, self.adds = [], {}, 0, True
        self.later = [pauli for pauli, _ in reversed(entries)]
        for _, angle in entries:
            self.rotate(self.later.pop(), angle)


def _turned(image: Pauli, axis: Pauli, quarters: int) -> Pauli:
    """An anticommuting Pauli A behind a rotation about P by quarters: exp(i angle P) A."""
    if quarters % 4 == 2:
        return image._replace(phase=(image.phase + 2) % 4)
    return axis.times(image, quarters) if quarters % 4 else image


class _Pair:
    """The gates of one circuit, then the inverse ones of the other, on common wires."""

    def __init__(self, before: Trace, after: Trace, adds: bool) -> None:
        if before.extra or after.extra:
            raise Undecided("ancillas are measured")
        self.before, self.after = before, after
        self.open = len(before.open)
        self.outcomes = {2 * k: self.open + k for k in range(before.measured)}
        start = self.open + before.measured
        self.outcomes |= {2 * k + 1: start + k for k in range(before.resets)}
        self.wires = start + before.resets
        self.places = [self.place(trace) for trace in (after, before)]
        if self.wires > MAX_WIRES:
            raise Undecided(f"there are {self.wires} wires and outcomes, the limit is {MAX_WIRES}")
        self.sweep = _Sweep(self.wires, adds)

    def place(self, trace: Trace) -> list[int]:
        """The common number of each wire of a circuit."""
        places = [-1] * trace.wires
        for k, (_, wire) in enumerate(trace.open):
            places[wire] = k
        for wire, known in enumerate(places):
            if known < 0:
                places[wire] = self.wires
                self.wires += 1
        return places

    def run(self) -> None:
        ours, theirs = self.places
        for event in self.after.events:
            self.step(event, ours, 1)
        for event in reversed(self.before.events):
            self.step(event, theirs, -1)
        before, left = MAX_LEFT, self.sweep.left()
        while 0 < left < before:
            self.sweep.again()
            before, left = left, self.sweep.left()

    def step(self, event: Event, places: list[int], sign: int) -> None:
        """One event, or its inverse if the sign is -1."""
        on = [places[wire] for wire in event.wires]
        sweep = self.sweep
        if event.kind == "h":
            sweep.h(*on)
        elif event.kind == "cx":
            sweep.cx(*on)
        elif event.kind == "phase":
            self.phase(on, event.cond, sign * event.eighths)
        elif event.kind == "turn":
            self.product(on, event.cond, sign * event.angle)
        elif event.kind == "x":
            self.controlled(sweep.cx, sweep.not_, event.cond, on[0])
        elif event.kind == "measure":
            copy = self.outcomes[event.outcome]
            if event.cond == ONE:
                sweep.cx(on[0], copy)
            else:
                sweep.h(copy)
                self.phase([on[0], copy], event.cond, 4)
                sweep.h(copy)

    def controlled(
        self, gate: Callable[[int, int], None], alone: Callable[[int], None], cond: Poly, q: int
    ) -> None:
        """A Pauli that depends on a parity of outcomes."""
        controls, constant = self.parity(cond)
        for control in controls:
            gate(control, q)
        if constant:
            alone(q)

    def parity(self, cond: Poly) -> tuple[list[int], bool]:
        """A condition as wires of outcomes and a constant, if it is a parity."""
        if any(len(monomial) > 1 for monomial in cond):
            raise Undecided("a condition is not a parity of outcomes")
        controls = sorted(self.outcomes[outcome] for monomial in cond for outcome in monomial)
        return controls, frozenset() in cond

    def phase(self, on: list[int], cond: Poly, eighths: int) -> None:
        sweep = self.sweep
        if len(on) == 1 and cond == ONE and eighths % 2 == 0:
            sweep.quarters(on[0], eighths // 2)
        elif len(on) == 1 and eighths % 8 == 4:
            self.controlled(sweep.cz, lambda q: sweep.quarters(q, 2), cond, on[0])
        elif len(on) == 2 and cond == ONE and eighths % 8 == 4:
            sweep.cz(*on)
        else:
            self.product(on, cond, eighths * math.pi / 4)

    def product(self, on: list[int], cond: Poly, angle: float) -> None:
        """exp(i angle) where all wires are 1 and the condition holds.

        The product of r bits is 2^(1-r) times the alternating sum of the parities of some of them.
        """
        factors = [self.sweep.z[q] for q in on]
        if cond != ONE:
            controls, constant = self.parity(cond)
            condition = Pauli(0, 0, 2 * constant)
            for control in controls:
                condition = condition.times(self.sweep.z[control])
            factors.append(condition)
        share = angle / 2 ** (len(factors) - 1)
        for size in range(1, len(factors) + 1):
            for some in combinations(factors, size):
                total = Pauli(0, 0)
                for factor in some:
                    total = total.times(factor)
                self.sweep.rotate(total, share if size % 2 else -share)

    def verdict(self) -> Check:
        """What is left of the gates says."""
        sweep = self.sweep
        left = sweep.left()
        if left:
            return Check(NAME, "not decided", f"{left} of {sweep.rotations} rotations are left")
        if self.is_identity():
            detail = f"{sweep.rotations} rotations of both circuits cancel, and the Clifford part"
            return Check(NAME, "proved", detail)
        what = f"{sweep.rotations} rotations cancel, but a Clifford part is left"
        return Check(NAME, "failed" if self.wires == self.open else "not decided", what)

    def is_identity(self) -> bool:
        """Whether C is the identity if the wires of outcomes and ancillas start in |0>."""
        known = (1 << self.open) - 1
        for q in range(self.wires):
            x, z, bit = self.sweep.x[q], self.sweep.z[q], (1 << q) & known
            if z.x or z.z & known != bit or z.phase:
                return False
            if bit and (x.x != bit or x.z & known or x.phase):
                return False
        return True
