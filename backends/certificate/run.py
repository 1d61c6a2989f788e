"""Runs a circuit on functions: each qubit has its basis value, as a function of variables.

The state is a sum over paths: over the values of the variables, each path with one basis state and
an amplitude.  An *event* (see `gates`) gives a factor to the amplitude that is known from the
operation and the values that it takes and leaves.  Two circuits with the same events have the same
amplitudes but for the phase.

    measure_z        its bit is the function, which is told to the outside
    reset, free      the function is told to the outside, where nobody looks
    measure_x without location: it is the compiler's own.  Its outcome m is a random bit, and the
                     amplitude gets (-1)^(m f), a *ghost*

Segments and control regions are run by their meaning.  `uncompute` puts the values that scratch
qubits had at `rev_begin` in place of those they have; that y and cy write scratch in the segment
costs no phase, for it is undone as well.
"""

from __future__ import annotations

from typing import NamedTuple

from qwasmc.backends.certificate.functions import GHOST, ZERO, Functions
from qwasmc.backends.certificate.gates import Applied, Gates, Meet, Uncontrolled
from qwasmc.backends.certificate.phases import Phases
from qwasmc.backends.certificate.segments import Segment, Source
from qwasmc.backends.certificate.undecided import Undecided
from qwasmc.ir.circuit import RESULTS, result_bits
from qwasmc.ops import OPS, OpSpec


class Told(NamedTuple):
    """A function that is known outside."""

    function: int
    how: str
    """The operation that tells it."""
    wire: int
    loc: int


class Ghost(NamedTuple):
    """A measurement of an ancilla in X."""

    outcome: int
    """Variable."""
    function: int
    """The value that the ancilla had."""
    wire: int


class Run(Gates):
    """A circuit, run from the first row to the last.

    `start` has the values of the program's qubits at first, by label; see also `Gates`.
    """

    def __init__(
        self,
        source: Source,
        functions: Functions,
        phases: Phases,
        sign: int,
        start: dict[str, int],
        meet: Meet,
        uncontrolled: Uncontrolled | None = None,
    ) -> None:
        super().__init__(source, functions, phases, sign, meet)
        self.circuit = source.circuit
        self.start = start
        self.wire = source.wire
        self.made_at = [-1] * len(self.label)
        """By wire, the location of its first row."""
        self.bits: dict[int, int] = {}
        """By value of the circuit."""
        self.live: dict[int, None] = {}
        self.ends: dict[str, tuple[int, int]] = {}
        """By label, the value of a qubit of the program in the end, and the location."""
        self.outputs: list[tuple[str, int, int]] = []
        """The results of the program: name, function and location."""
        self.told: list[Told] = []
        self.ghosts: list[Ghost] = []
        self.returned: list[int] = []
        """Ancillas that end in |0>, or measured in X."""
        self.free, self.results = uncontrolled or Uncontrolled(set(), {})
        self.marks: dict[int, Segment] = {}
        for segment in source.segments:
            self.marks.update(dict.fromkeys((segment.begin, segment.end, segment.undo), segment))
        self.saved: dict[int, list[int]] = {}
        """By row of a mark that was passed, the values of the segment's scratch wires."""
        self.changed: dict[int, set[int]] = {}
        """By row where a segment of a region began that is not in another one, the wires that it
        has left changed, apart from scratch."""

    def run(self) -> Run:
        """Run all rows."""
        circuit = self.circuit
        columns = (circuit.op, circuit.cond, circuit.first, circuit.loc)
        rows = zip(*(column.tolist() for column in columns), circuit.all_values(), strict=False)
        for row, (code, cond, first, loc, values) in enumerate(rows):
            spec = OPS[code]
            bit = self.functions.one if cond < 0 else self.bits[cond]
            if spec.makes_qubit:
                self.begin(self.wire[first], loc)
            elif spec.is_gate:
                self.gate(row, spec.name, [self.wire[value] for value in values], bit, loc)
            elif spec.qubits:
                made = int(circuit.first[row + 1]) - 1
                self.qubits(row, spec, [self.wire[value] for value in values], bit, made, loc)
            else:
                self.classical(row, spec.name, values, first, loc)
        for wire in list(self.live):
            self.end(wire, self.made_at[wire])
        return self

    def begin(self, wire: int, loc: int) -> None:
        """A qubit is allocated or enters."""
        self.made_at[wire] = loc
        self.live[wire] = None
        self.value[wire] = self.start.get(self.label[wire], ZERO)

    def end(self, wire: int, loc: int) -> None:
        """A qubit goes."""
        del self.live[wire]
        if self.label[wire]:
            if wire in self.faded:
                raise Undecided(f"qubit {self.label[wire]} ends after it was measured in X", loc)
            self.ends[self.label[wire]] = self.value[wire], loc
        elif self.value[wire] == ZERO or wire in self.faded:
            self.returned.append(wire)
        else:
            self.told.append(Told(self.value[wire], "free", wire, loc))

    def gate(self, row: int, name: str, wires: list[int], bit: int, loc: int) -> None:
        """A gate."""
        letters = str(self.circuit.attribute(row)) if name == "ppr" else ""
        angle = float(self.circuit.angle[row])
        self.apply(Applied(name, wires, bit, loc, angle, letters, row in self.free))

    def qubits(
        self, row: int, spec: OpSpec, wires: list[int], bit: int, made: int, loc: int
    ) -> None:
        """An operation on qubits that is no gate; `made` is its bit if it makes one."""
        functions, name = self.functions, spec.name
        wire = wires[0] if wires else -1
        if spec.ends_qubit:
            self.end(wire, loc)
        elif self.faded and name != "barrier" and not self.faded.keys().isdisjoint(wires):
            self.again(name, wire, bit, made, loc)
        elif name in ("reset", "measure_z"):
            seen = functions.multiply(self.value[wire], bit)
            self.told.append(Told(seen, name, wire, loc))
            if name == "reset":
                self.value[wire] = functions.add(self.value[wire], seen)
            else:
                self.bits[made] = seen
        elif spec.makes_bit:
            letters = str(self.circuit.attribute(row)) if name == "ppm" else ""
            left = self.event((name, 0.0, letters), wires, bit, loc)
            if left:
                self.told.append(Told(left[-1], name, wire, loc))
                self.bits[made] = left[-1]
            else:
                self.fade(wire, made)
        elif name == "rev_begin":
            self.begin_segment(row)
        elif name == "ctrl_begin":
            control = self.product([self.value[wire] for wire in wires])
            self.regions.append(control)
            self.controls.append(functions.multiply(self.controls[-1], control))

    def fade(self, wire: int, made: int) -> None:
        """Measure a qubit in X that is an ancilla until then."""
        self.holds.pop(wire, None)
        outcome = self.functions.variable(f"outcome {len(self.ghosts)}", GHOST)
        self.ghosts.append(Ghost(self.functions.sums.first[outcome], self.value[wire], wire))
        self.phases.add_sign(outcome, self.value[wire])
        self.bits[made] = self.faded[wire] = outcome

    def again(self, name: str, wire: int, bit: int, made: int, loc: int) -> None:
        """A measurement or reset of an ancilla that has been measured in X."""
        if name not in ("measure_x", "reset") or bit != self.functions.one:
            raise Undecided("an ancilla is used after it was measured in X", loc)
        if name == "measure_x":
            self.bits[made] = self.faded[wire]
        else:
            del self.faded[wire]
            self.value[wire] = ZERO

    def classical(self, row: int, name: str, values: list[int], first: int, loc: int) -> None:
        """An operation without qubits."""
        functions = self.functions
        if name == "const":
            self.bits[first] = functions.one if self.circuit.attr[row] else ZERO
        elif name == "xor":
            total = ZERO
            for value in values:
                total = functions.add(total, self.bits[value])
            self.bits[first] = total
        elif name == "and":
            self.bits[first] = self.product([self.bits[value] for value in values])
        elif name in RESULTS:
            bits = result_bits(name, str(self.circuit.attribute(row)), values)
            self.outputs += [(title, self.bits[value], loc) for title, value in bits]
        elif name == "ctrl_end":
            self.regions.pop()
            self.controls.pop()
        elif name == "rev_end":
            self.end_segment(row)
        elif name == "uncompute":
            self.uncompute(self.marks[row])

    # -- segments

    def begin_segment(self, row: int) -> None:
        """The start of a segment: if it will be undone, its scratch wires have values here."""
        if row in self.marks:
            segment = self.marks[row]
            self.saved[row] = [self.value[wire] for wire in segment.scratch]
            if not self.open:
                self.around = len(self.controls)
            self.open.append(segment)

    def end_segment(self, row: int) -> None:
        """The end of a segment.  Of what the outermost one wrote, results get the controls."""
        if row not in self.marks:
            return
        segment = self.open.pop()
        self.saved[row] = [self.value[wire] for wire in segment.scratch]
        if self.open:
            return
        for wire, before in self.written.items():
            if wire not in segment.scratch:
                changed = self.functions.add(self.value[wire], before)
                if changed != ZERO:
                    self.changed.setdefault(segment.begin, set()).add(wire)
                changed = self.functions.multiply(changed, self.controls[-1])
                self.value[wire] = self.functions.add(before, changed)
        self.written.clear()

    def uncompute(self, segment: Segment) -> None:
        """Put the scratch wires that a segment has changed back to their values."""
        befores, afters = self.saved[segment.begin], self.saved[segment.end]
        for wire, before, after in zip(segment.scratch, befores, afters, strict=True):
            if before != after and wire in self.live:
                self.value[wire] = before
