"""What gates do to the basis values of qubits, which are functions of variables, and to the phase.

Gates that permute basis states change functions, diagonal ones add to a phase.  Anything else, like
h, is an *event*, which leaves new variables.

In a control region a gate happens where the controls are 1.  If it makes superpositions it becomes
a core that does not, with controls, and gates around it without.  Where a segment is computed that
will be undone, scratch and temporary values are computed in any case, and only the other qubits
that it writes need the controls: if the controls are 0, nobody sees what is scratch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from functools import reduce
from typing import NamedTuple

from qwasmc.backends.certificate.functions import ZERO, Functions
from qwasmc.backends.certificate.phases import Phases
from qwasmc.backends.certificate.segments import Segment, Source
from qwasmc.backends.certificate.undecided import Undecided

EIGHTHS = {"z": 4, "s": 2, "sdg": 6, "t": 1, "tdg": 7, "cz": 4, "ccz": 4}
"""Of diagonal gates, where all operands are 1."""

FLIPS = frozenset({"x", "cx", "ccx", "y", "cy"})
"""Gates that flip their last qubit where the others are 1."""

SWAPS = frozenset({"swap", "cswap"})
"""Gates that exchange their last two qubits where the others are 1."""

PHASED, TURNED = ("p", "cp"), ("rz", "crz")
"""Diagonal gates with an angle: exp(i angle) where all operands are 1, and that with
exp(-i angle / 2) where all but the last are."""

CORES = {
    "h": ("x", ("s", "h", "t")),
    "sx": ("s", ("h",)),
    "sxdg": ("sdg", ("h",)),
    "rx": ("rz", ("h",)),
    "ry": ("rz", ("sdg", "h")),
}
"""Gates that make superpositions: a core that makes none, and what comes before it and is undone
behind it.  These are the textbook forms of such gates under controls."""

TO_Z = {"X": ("h",), "Y": ("sdg", "h"), "Z": (), "I": ()}
"""By letter of a Pauli product, what makes it Z."""

INVERSE = {"s": "sdg", "sdg": "s", "t": "tdg"}


class Event(NamedTuple):
    """What makes a superposition."""

    what: tuple[str, float, str]
    """Operation, angle and letters."""
    labels: tuple[str, ...]
    """Its qubits; "" is an ancilla."""
    taken: tuple[int, ...]
    """The function that says where it takes place, and the values that it finds."""
    loc: int


Meet = Callable[[Event], Sequence[int]]
"""Gives the values that an event leaves, and its outcome if there is one; nothing if it is a
measurement of the compiler's own."""


class Applied(NamedTuple):
    """A gate on wires."""

    name: str
    wires: Sequence[int]
    bit: int
    """The function that it depends on, besides controls."""
    loc: int
    angle: float = 0.0
    letters: str = ""
    """Of a rotation about a Pauli product."""
    is_free: bool = False
    """Whether it happens without the controls of regions."""


class Uncontrolled(NamedTuple):
    """What happens in control regions without the controls."""

    rows: Set[int]
    """Gates that cancel where all else in the region is left out."""
    results: Mapping[int, Set[int]]
    """By row where a segment begins that is not in another one, the wires that it leaves changed:
    they are not computed without the controls."""


class Gates:
    """The values of the wires of a circuit while gates are applied.

    Phases are added to `phases`, with a sign.
    """

    def __init__(
        self, source: Source, functions: Functions, phases: Phases, sign: int, meet: Meet
    ) -> None:
        self.functions = functions
        self.phases = phases
        self.sign = sign
        self.meet = meet
        self.label = source.labels
        self.value = [ZERO] * len(self.label)
        """By wire."""
        self.faded: dict[int, int] = {}
        """By qubit that has been measured in X, the outcome."""
        self.controls = [functions.one]
        """The products of the controls of regions that have begun."""
        self.regions = [functions.one]
        """The product of each region's own controls, likewise."""
        self.around = 1
        """How many regions had begun, in these lists, where the outermost open segment did."""
        self.open: list[Segment] = []
        """Segments that have begun and will be undone, the innermost last."""
        self.results: Mapping[int, Set[int]] = {}
        """See `Uncontrolled`."""
        self.written: dict[int, int] = {}
        """The wires that the outermost open segment has written without the controls, and their
        values before."""
        self.watched: dict[int, int] = {}
        """By value of a scratch qubit, the number of its segment."""
        self.holds: dict[int, int] = {}
        """By ancilla that has had such a value, that number."""
        self.mirrored: Counter[int] = Counter()
        """By number, how many such ancillas have returned to |0>."""

    def apply(self, gate: Applied) -> None:
        """Apply a gate."""
        if self.faded and not self.faded.keys().isdisjoint(gate.wires):
            self.revive(gate)
        elif len(self.controls) == 1 or gate.is_free:
            self.act(gate)
        elif gate.name in CORES or gate.letters.strip("Z"):
            self.act_around(gate)
        else:
            self.act(gate)

    def revive(self, gate: Applied) -> None:
        """A gate on a qubit that has been measured in X: h makes it |m>."""
        if gate.name != "h" or gate.bit != self.functions.one:
            raise Undecided("a qubit is used after it was measured in X", gate.loc)
        self.value[gate.wires[0]] = self.faded.pop(gate.wires[0])

    def act_around(self, gate: Applied) -> None:
        """A core with controls, and gates around it without."""
        core, names = CORES.get(gate.name, ("ppr", ()))
        around = [(name, gate.wires[0]) for name in names]
        for wire, letter in zip(gate.wires, gate.letters, strict=False):
            around += [(name, wire) for name in TO_Z[letter]]
        one = self.functions.one
        for name, wire in around:
            self.act(Applied(name, [wire], one, gate.loc, is_free=True))
        self.act(gate._replace(name=core, letters="Z" * len(gate.letters)))
        for name, wire in reversed(around):
            self.act(Applied(INVERSE.get(name, name), [wire], one, gate.loc, is_free=True))

    def act(self, gate: Applied) -> None:
        """A gate as it is."""
        functions, name = self.functions, gate.name
        when = gate.bit
        if not gate.is_free:
            when = functions.multiply(when, self.controls[-1])
        values = [self.value[wire] for wire in gate.wires]
        if name in FLIPS:
            product = self.product(values[:-1])
            if name in ("y", "cy") and not self.is_undone(gate.wires[-1]):
                self.phases.add_eighths(2 * self.sign, when, product)
                self.phases.add_sign(when, functions.multiply(product, values[-1]))
            self.flip(gate.wires[-1], product, gate)
        elif name == "swap" and when == functions.one:
            a, b = gate.wires
            self.value[a], self.value[b] = values[1], values[0]
        elif name in SWAPS:
            changed = functions.add(values[-2], values[-1])
            changed = functions.multiply(self.product(values[:-2]), changed)
            self.flip(gate.wires[-2], changed, gate)
            self.flip(gate.wires[-1], changed, gate)
        elif name in EIGHTHS:
            self.phases.add_eighths(self.sign * EIGHTHS[name], when, self.product(values))
        elif name in PHASED:
            self.turn(gate.angle, when, self.product(values), ZERO)
        elif name in TURNED:
            self.turn(gate.angle, when, self.product(values), self.product(values[:-1]))
        elif name == "ppr" and not gate.letters.strip("Z"):
            self.turn(gate.angle, when, reduce(functions.add, values, ZERO), functions.one)
        else:
            self.event((name, gate.angle, gate.letters), gate.wires, when, gate.loc)

    def turn(self, angle: float, when: int, function: int, back: int) -> None:
        """Add an angle where a function is 1, and minus half of it where `back` is."""
        self.phases.add_angle(self.sign * angle, when, function)
        self.phases.add_angle(-self.sign * angle / 2, when, back)

    def product(self, values: Sequence[int]) -> int:
        """The product of some functions."""
        return reduce(self.functions.multiply, values, self.functions.one)

    def flip(self, wire: int, product: int, gate: Applied) -> None:
        """Flip a qubit where a product is 1 and a gate happens."""
        functions, bit = self.functions, gate.bit
        apart = self.around > 1 and bool(self.open) and not self.is_result(wire)
        if apart and not gate.is_free:
            self.written.setdefault(wire, self.value[wire])
            bit = functions.multiply(bit, self.product(self.regions[self.around :]))
        elif not gate.is_free:
            bit = functions.multiply(bit, self.controls[-1])
        changed = functions.named(functions.multiply(product, bit))
        value = self.value[wire] = functions.add(self.value[wire], changed)
        if gate.is_free and wire in self.written:
            self.written[wire] = functions.add(self.written[wire], changed)
        if value in self.watched:
            self.holds[wire] = self.watched[value]
        elif value == ZERO and wire in self.holds:
            self.mirrored[self.holds.pop(wire)] += 1

    def is_undone(self, wire: int) -> bool:
        """Whether what is written to a wire will be undone: with its phase."""
        return any(wire in segment.scratch for segment in self.open)

    def is_result(self, wire: int) -> bool:
        """Whether a wire is one that the outermost open segment leaves changed."""
        return wire in self.results.get(self.open[0].begin, ())

    def event(
        self, what: tuple[str, float, str], wires: Sequence[int], when: int, loc: int
    ) -> Sequence[int]:
        """Whatever else; the values that it leaves."""
        taken = (when, *(self.value[wire] for wire in wires))
        left = self.meet(Event(what, tuple(self.label[wire] for wire in wires), taken, loc))
        for wire, value in zip(wires, left, strict=False):
            self.value[wire] = value
        return left
