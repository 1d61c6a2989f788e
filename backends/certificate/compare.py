"""Compares two circuits by running both on the same functions."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from functools import reduce

import numpy as np

from qwasmc.backends.certificate.functions import EVENT, INPUT, ZERO, Functions
from qwasmc.backends.certificate.gates import Event, Uncontrolled
from qwasmc.backends.certificate.phases import NONE, Outcomes, Phases
from qwasmc.backends.certificate.proofs import TABLE, Finding, Known, Point, Prover, differing
from qwasmc.backends.certificate.report import Certificate, Failure, SegmentReport
from qwasmc.backends.certificate.run import Run
from qwasmc.backends.certificate.segments import Source
from qwasmc.backends.certificate.undecided import TooLarge, Undecided

MAX_FAILURES = 5
"""Most failures that are reported."""

SPREADING = frozenset({"h", "sx", "sxdg"})
"""Events that lead from each value to both, if they are not predicated."""

LEAVES_OUTCOME = frozenset({"measure_x", "measure_y", "ppm"})


class Enough(Exception):
    """There are enough failures to report."""


class Comparison:
    """Two circuits, the first one with segments; `certificate` says if the second is equal.

    Qubits of the program that are allocated are in any state if `from_zero` is not set.
    """

    def __init__(
        self,
        before: Source,
        after: Source,
        uncontrolled: Uncontrolled | None = None,
        *,
        from_zero: bool = False,
    ) -> None:
        self.sources = before, after
        self.functions = Functions()
        self.phases = Phases(self.functions)
        self.prover = Prover(self.functions)
        self.out = Certificate(from_zero=from_zero)
        self.events: list[tuple[Event, Sequence[int]]] = []
        """Those of the first circuit."""
        self.left: list[bool] = []
        """Which of them the second circuit has not had."""
        self.by_content: defaultdict[object, deque[int]] = defaultdict(deque)
        self.by_labels: defaultdict[object, deque[int]] = defaultdict(deque)
        self.located = before.is_located
        start = self.start()
        self.before = Run(before, self.functions, self.phases, -1, start, self.first, uncontrolled)
        self.after = Run(after, self.functions, self.phases, 1, start, self.second)
        self.sure = True
        """Whether what differs would show outside."""

    def certificate(self) -> Certificate:
        """Run both circuits and compare them."""
        try:
            self.before.run()
            self.watch()
            self.after.run()
            self.compare()
        except Enough:
            pass
        except Undecided as why:
            kind = "limit" if isinstance(why, TooLarge) else "operation"
            point = self.prover.sample(why.function)
            self.out.failures.append(Failure(kind, False, str(why), why.loc, self.named(point)))
        self.out.methods = dict(sorted(self.prover.methods.items()))
        return self.out

    def start(self) -> dict[str, int]:
        """Values of the program's qubits at first; scratch qubits that disappear are in |0>."""
        before, after = self.sources
        known = {qubit.wire for qubit in before.qubits if self.out.from_zero} | before.from_zero
        names, others = before.labels, set(after.labels)
        return {
            names[wire]: self.functions.variable(names[wire])
            for _, _, wire, enters in before.qubits
            if enters or (wire not in known and names[wire] in others)
        }

    # -- events

    def first(self, event: Event) -> Sequence[int]:
        """An event of the first circuit: new variables."""
        names = [f"{label or 'an ancilla'} behind {event.what[0]}" for label in event.labels]
        if event.what[0] in LEAVES_OUTCOME:
            names.append(f"outcome of {event.what[0]} {', '.join(event.labels)}")
        left = [self.functions.variable(name, EVENT) for name in names]
        at = len(self.events)
        self.events.append((event, left))
        self.left.append(True)
        self.by_content[event.what, event.taken].append(at)
        self.by_content[event.what, event.taken, event.labels].append(at)
        self.by_labels[event.what, event.labels].append(at)
        return left

    def is_own(self, event: Event) -> bool:
        """Whether an event is a measurement that the compiler has added."""
        added = event.what[0] == "measure_x" and event.loc < 0
        return added and event.taken[0] == self.functions.one

    def second(self, event: Event) -> Sequence[int]:
        """An event of the second circuit: the variables of the same one of the first."""
        if self.is_own(event) and self.located:
            return ()
        for key in ((event.what, event.taken, event.labels), (event.what, event.taken)):
            found = self.next(self.by_content[key])
            if found is not None:
                self.left[found] = False
                return self.events[found][1]
        if self.is_own(event):
            return ()
        found = self.next(self.by_labels[event.what, event.labels])
        what = f"'{event.what[0]}' of {', '.join(filter(None, event.labels)) or 'an ancilla'}"
        if found is None:
            raise Undecided(f"there is no {what} like this in the program", event.loc)
        for a, b in zip(event.taken, self.events[found][0].taken, strict=True):
            differs = self.functions.add(a, b)
            if not self.prover.is_zero(differs).holds:
                raise Undecided(f"{what} finds other values", event.loc, differs)
        self.left[found] = False
        return self.events[found][1]

    def next(self, queue: deque[int]) -> int | None:
        """The first event of a queue that is left."""
        while queue and not self.left[queue[0]]:
            queue.popleft()
        return queue[0] if queue else None

    # -- comparison

    def compare(self) -> None:
        """Compare all that shows outside; what differs first can make the rest uncertain."""
        for at, (event, _) in enumerate(self.events):
            if self.left[at]:
                raise Undecided(f"'{event.what[0]}' of the program is missing", event.loc)
        self.sure = self.paths_are_apart()
        self.compare_ends()
        self.compare_results()
        self.sure = self.sure and self.out.ok
        known = Known(self.functions, (each.function for each in self.before.told))
        self.compare_told(known)
        self.compare_phases(known)
        self.out.ghosts = len(self.after.ghosts)
        self.out.scratch = len(self.after.returned)
        self.count()

    def paths_are_apart(self) -> bool:
        """Whether each path ends in a state of its own, so that none cancels another."""
        ends = {function for function, _ in self.before.ends.values()}
        ends.update(each.function for each in self.before.told)
        return all(
            event.what[0] in SPREADING
            and event.taken[0] == self.functions.one
            and ends.issuperset(left)
            for event, left in self.events
        )

    def compare_ends(self) -> None:
        """Compare the values of the program's qubits in the end."""
        for label in self.after.ends:
            if label not in self.before.ends:
                self.fail("qubit", Finding(None), f"the program has no qubit {label}", -1)
        for label, (function, loc) in self.before.ends.items():
            other, where = self.after.ends.get(label, (ZERO, loc))
            self.compare_values(
                "qubit", f"qubit {label} ends with another value", function, other, where
            )

    def compare_results(self) -> None:
        """Compare the results of the program."""
        names = [[name for name, _, _ in side.outputs] for side in (self.before, self.after)]
        if names[0] != names[1]:
            self.fail("result", Finding(None), f"the results are {names[1]}, not {names[0]}", -1)
            return
        for (name, a, _), (_, b, loc) in zip(self.before.outputs, self.after.outputs, strict=True):
            self.compare_values("result", f"result {name} differs", a, b, loc)

    def compare_values(self, kind: str, message: str, a: int, b: int, loc: int) -> None:
        """Two values that should be equal; they are certain if they depend on inputs only."""
        found = self.prover.is_zero(self.functions.add(a, b))
        if not found.holds:
            kinds = self.functions.kind(a) | self.functions.kind(b)
            self.fail(kind, found, message, loc, decided=kinds <= INPUT)

    def compare_told(self, known: Known) -> None:
        """Compare what is known outside: each function has to follow from those of the other."""
        told = [each.function for each in self.after.told]
        for each in self.after.told:
            is_end = each.how == "free"
            if is_end and self.prover.is_zero(each.function).holds:
                self.after.returned.append(each.wire)
                continue
            found = self.prover.is_known(each.function, known)
            if not found.holds and is_end:
                loc = self.after.made_at[each.wire]
                self.fail("scratch", found, "an ancilla does not return to |0>", loc)
            elif not found.holds:
                message = f"'{each.how}' tells what the program keeps"
                self.fail("operation", found, message, each.loc)
            self.out.discarded += is_end
        others = Known(self.functions, told)
        for each in self.before.told:
            found = self.prover.is_known(each.function, others)
            if not found.holds:
                message = f"'{each.how}' of the program is missing, or of another value"
                self.fail("operation", found, message, each.loc)

    def compare_phases(self, known: Known) -> None:
        """Check that the circuits' phases differ by no more than what is known outside."""
        self.phases.settle()
        self.phases.merge(lambda function: bool(self.prover.is_zero(function).holds))
        self.phases.settle()
        signs = {
            frozenset({ghost.outcome}): ZERO for ghost in self.after.ghosts
        } | self.phases.signs
        open_signs = {}
        for outcomes, function in signs.items():
            found = self.prover.is_known(function, known)
            if not found.holds:
                open_signs[outcomes] = found
        rest = [f for f in (*self.phases.eighths, *self.phases.angles) if not known.has(f)]
        if not open_signs and not rest:
            return
        if self.compare_by_table(known):
            return
        for outcomes, found in open_signs.items():
            decided = not (known.told or rest)
            self.fail_phase(outcomes, found._replace(holds=found.holds if decided else None))
        if rest:
            self.fail_phase(NONE, Finding(None))

    def compare_by_table(self, known: Known) -> bool:
        """Whether truth tables decide if the phases are equal."""
        functions = self.functions
        parts = [
            (np.pi, reduce(functions.multiply, map(functions.sums.single, outcomes), function))
            for outcomes, function in self.phases.signs.items()
        ]
        parts += [(np.pi / 4 * count, each) for each, count in self.phases.eighths.items()]
        parts += [(angle, each) for each, angle in self.phases.angles.items()]
        table = self.prover.table([*(each for _, each in parts), *known.told], with_ghosts=True)
        if table is None:
            return False
        turns, keys = table.rows[: len(parts)], table.rows[len(parts) :]
        phase = np.exp(1j * (np.array([amount for amount, _ in parts]) @ turns))
        two = differing(phase, keys)
        if two is None:
            self.prover.methods[TABLE] += 1
            return True
        plain = ~keys[len(known.told) :].any(axis=0)
        outcomes = NONE if differing(phase[plain], keys[:, plain]) else frozenset({0})
        self.fail_phase(outcomes, Finding(False, table.point(two[1])))
        return True

    def fail_phase(self, outcomes: Outcomes, found: Finding) -> None:
        """The phase differs, in what depends on some outcomes."""
        wires = [ghost.wire for ghost in self.after.ghosts if ghost.outcome in outcomes]
        loc = self.after.made_at[wires[0]] if wires else -1
        if outcomes:
            message = "a phase that is left by the measurement of an ancilla is not repaired"
            self.fail("ghost", found, message, loc)
        else:
            self.fail("phase", found, "the circuits differ by a phase", loc)

    def fail(
        self, kind: str, found: Finding, message: str, loc: int, *, decided: bool | None = None
    ) -> None:
        """Report what is not proved; it is `decided` if nothing can make up for it."""
        sure = found.holds is False and (self.sure if decided is None else decided)
        self.out.failures.append(Failure(kind, sure, message, loc, self.named(found.point)))
        if len(self.out.failures) == MAX_FAILURES:
            raise Enough

    def named(self, point: Point | None) -> dict[str, int]:
        """The values of variables by their names."""
        return {self.functions.names[atom]: bit for atom, bit in (point or {}).items()}

    # -- segments

    def watch(self) -> None:
        """Have the second circuit count the ancillas with the value of a scratch qubit."""
        for at, segment in enumerate(self.sources[0].segments):
            values = self.before.saved[segment.end]
            self.after.watched.update((value, at) for value in values if value)

    def count(self) -> None:
        """Say what became of each segment."""
        erased = Counter(self.after.watched.get(ghost.function) for ghost in self.after.ghosts)
        for at, segment in enumerate(self.sources[0].segments):
            made = erased[at] + self.after.mirrored[at]
            values = [value for value in self.before.saved[segment.end] if value]
            self.out.segments.append(
                SegmentReport(
                    segment.name,
                    segment.loc,
                    [self.before.label[wire] or "an ancilla" for wire in segment.scratch],
                    erased[at],
                    self.after.mirrored[at],
                    max(made - len(values), 0),
                )
            )
