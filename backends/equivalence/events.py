"""A circuit as a list of few kinds of events, which is what the methods of this package read.

    h a; cx a b; x a if m      gates; a condition is a polynomial over F2 of measurement outcomes
    phase a b c, k             exp(i pi k / 4) where a, b and c are all 1 (t, s, z, cz, ccz, ...)
    turn a, angle              exp(i angle) where a is 1 (rz)
    measure a -> outcome       in the computational basis; where its condition is 0, the outcome is
                               0 and the qubit is left alone
    discard a                  an ancilla is thrown away

Phases that depend on nothing but outcomes are dropped.  A gate becomes a *core* between gates
that undo each other, so a predicated gate needs the predicate on its core only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from qwasmc.ir.circuit import RESULTS, Circuit, result_bits
from qwasmc.ops import OPS, OpSpec

Poly = frozenset[frozenset[int]]
"""A polynomial over F2: its monomials, each the set of its variables; the empty one is 1."""

ZERO: Poly = frozenset()
ONE: Poly = frozenset({frozenset()})

TOLERANCE = 1e-10
"""Farthest that a rounded angle may be from the multiple of pi/4 that it stands for, in radians."""

MAX_MONOMIALS = 4096
"""Most monomials of a bit as a polynomial of outcomes."""

NOTHING = frozenset({"barrier", "syndrome", "rev_begin", "rev_end", "require", "pragma", "return"})
"""Operations that do nothing to ideal qubits."""


class Undecided(Exception):
    """Why a method has no answer."""


class Event(NamedTuple):
    """One event; see the module's text.  `wires` are those of `Circuit.wires`."""

    kind: str
    wires: tuple[int, ...]
    eighths: int = 0
    """Of a phase, in units of pi/4."""
    angle: float = 0.0
    """Of a turn, in radians."""
    cond: Poly = ONE
    outcome: int = 0
    """Of a measurement.  2 k is the k-th measurement of the program, 2 k + 1 its k-th reset, and
    -1 - k the k-th measurement of an ancilla of the compiler."""
    fresh: bool = False
    """Whether a discarded wire has just been measured, so that its state tells nothing new."""
    loc: int = -1
    """Where in the source it stems from, if that is known: a hint, which nothing is taken from."""


@dataclass(slots=True)
class Trace:
    """A circuit as events."""

    wires: int
    events: list[Event] = field(default_factory=list)
    open: list[tuple[str, int]] = field(default_factory=list)
    """Name and wire of the program's qubits, in order; all other wires start in |0>."""
    results: list[tuple[str, Poly]] = field(default_factory=list)
    measured: int = 0
    """How many measurements of the program there are."""
    resets: int = 0
    extra: int = 0
    """How many outcomes of ancillas of the compiler there are."""


class Part(NamedTuple):
    """An event of a gate: its kind, the slots it acts on, eighths, share of the angle."""

    kind: str
    slots: tuple[int, ...]
    eighths: int = 0
    share: float = 0.0
    core: bool = True
    """Whether it has to be predicated if the gate is."""


def _around(*slot: int) -> Part:
    return Part("h", slot, core=False)


def _phase(eighths: int, *slots: int, core: bool = True) -> Part:
    return Part("phase", slots, eighths, core=core)


def _cx(control: int, target: int) -> Part:
    return Part("cx", (control, target), core=False)


_H0 = _around(0)
_PREDICATED_CX = (_around(1), _phase(4, 0, 1), _around(1))
_S0, _SDG0 = _phase(2, 0, core=False), _phase(-2, 0, core=False)
_CCX = (_around(2), _phase(4, 0, 1, 2), _around(2))

GATES: dict[str, tuple[Part, ...]] = {
    "h": (_H0,),
    "x": (Part("x", (0,)),),
    "y": (_phase(4, 0), Part("x", (0,))),
    "z": (_phase(4, 0),),
    "s": (_phase(2, 0),),
    "sdg": (_phase(-2, 0),),
    "t": (_phase(1, 0),),
    "tdg": (_phase(-1, 0),),
    "sx": (_H0, _phase(2, 0), _H0),
    "sxdg": (_H0, _phase(-2, 0), _H0),
    "rx": (_H0, Part("turn", (0,), share=1), _H0),
    "ry": (_SDG0, _H0, Part("turn", (0,), share=1), _H0, _S0),
    "rz": (Part("turn", (0,), share=1),),
    "p": (Part("turn", (0,), share=1),),
    "cx": (_cx(0, 1),),
    "cy": (_phase(-2, 1, core=False), _cx(0, 1), _phase(2, 1, core=False)),
    "cz": (_phase(4, 0, 1),),
    "swap": (_cx(0, 1), _cx(1, 0), _cx(0, 1)),
    "crz": (Part("turn", (1,), share=0.5), _cx(0, 1), Part("turn", (1,), share=-0.5), _cx(0, 1)),
    "ccx": _CCX,
    "ccz": (_phase(4, 0, 1, 2),),
    "cswap": (_cx(2, 1), *_CCX, _cx(2, 1)),
}
GATES["cp"] = (*GATES["crz"], Part("turn", (0,), share=0.5))

PREDICATED: dict[str, tuple[Part, ...]] = {
    # H is X, turned about Y by an eighth of a turn.
    "h": (
        *(_S0, _H0, _phase(1, 0, core=False)),
        *(Part("x", (0,)), _phase(-1, 0, core=False), _H0, _SDG0),
    ),
    "cx": _PREDICATED_CX,
    "cy": (_phase(-2, 1, core=False), *_PREDICATED_CX, _phase(2, 1, core=False)),
    "swap": (_cx(1, 0), *_PREDICATED_CX, _cx(1, 0)),
}
"""Gates that are written in another way where they are predicated."""

TO_Z = {"X": (_H0,), "Y": (_SDG0, _H0), "Z": ()}
"""By letter, what makes it Z; undone in reverse order with opposite eighths."""

MEASURED = {"measure_x": "X", "measure_y": "Y", "measure_z": "Z"}


def trace(circuit: Circuit, located: bool = False) -> Trace:
    """The events of a circuit; raises `Undecided` if it has an operation without any.

    `located` says that every measurement and reset of the program has a location.
    """
    return _Reader(circuit, located).run()


def recorded(circuit: Trace) -> Trace:
    """The same with unknown qubits in place of all ancillas, looked at in the end, and with all
    outcomes recorded as the program's.

    Circuits of which this is equal are equal: ancillas that start in |0>, are thrown away and whose
    outcomes nobody sees are a special case.  The converse does not hold.
    """

    def renamed(poly: Poly) -> Poly:
        return frozenset(frozenset(map(number, monomial)) for monomial in poly)

    def number(outcome: int) -> int:
        return outcome if outcome >= 0 else 2 * (circuit.measured - outcome - 1)

    events = [
        event._replace(cond=renamed(event.cond), outcome=number(event.outcome))
        for event in circuit.events
        if event.kind != "discard"
    ]
    known = {wire for _, wire in circuit.open}
    ancillas = [("", wire) for wire in range(circuit.wires) if wire not in known]
    return replace(
        circuit,
        events=events,
        open=circuit.open + ancillas,
        measured=circuit.measured + circuit.extra,
        extra=0,
    )


def is_located(circuit: Circuit) -> bool:
    """Whether every measurement and reset of a circuit has a location."""
    looks = np.array([spec.name in (*MEASURED, "ppm", "reset") for spec in OPS])
    return bool((circuit.loc[looks[circuit.op]] >= 0).all())


class _Reader:
    def __init__(self, circuit: Circuit, located: bool) -> None:
        self.circuit = circuit
        self.located = located
        self.wire: list[int] = circuit.wires().tolist()
        self.out = Trace(max(self.wire, default=-1) + 1)
        self.bits: dict[int, Poly] = {}
        """By value number."""
        self.program: set[int] = set()
        """The program's wires."""
        self.fresh: set[int] = set()
        """Wires that were measured last."""
        self.live: dict[int, None] = {}
        """Ancillas that are not yet discarded."""
        self.special: dict[str, Callable[[int, list[int], Poly], None]] = {
            "alloc": self.begin,
            "input": self.begin,
            "free": self.end,
            "output": self.end,
            "reset": self.reset,
            "ppm": self.measure,
            **dict.fromkeys(MEASURED, self.measure),
            "const": self.const,
            "xor": self.xor,
            "and": self.conjunction,
            **dict.fromkeys(RESULTS, self.result),
        }

    def run(self) -> Trace:
        locs = self.circuit.loc.tolist()
        for row, code in enumerate(self.circuit.op.tolist()):
            spec = OPS[code]
            made = len(self.out.events)
            cond = int(self.circuit.cond[row])
            condition = ONE if cond < 0 else self.bits[cond]
            values = self.circuit.values(row)
            if spec.name in self.special:
                self.special[spec.name](row, values, condition)
            elif spec.is_gate:
                self.gate(row, spec, [self.wire[value] for value in values], condition)
            elif spec.name not in NOTHING:
                raise Undecided(f"'{spec.name}' is not understood")
            for at in range(made, len(self.out.events)):
                self.out.events[at] = self.out.events[at]._replace(loc=locs[row])
        for wire in self.live:
            self.discard(wire)
        return self.out

    # -- qubits

    def begin(self, row: int, values: list[int], cond: Poly) -> None:
        wire = self.wire[int(self.circuit.first[row])]
        name = str(self.circuit.attribute(row))
        if name or OPS[self.circuit.op[row]].name == "input":
            self.program.add(wire)
            self.out.open.append((name, wire))
        else:
            self.live[wire] = None

    def end(self, row: int, values: list[int], cond: Poly) -> None:
        wire = self.wire[values[0]]
        if wire not in self.program:
            self.discard(wire)
            del self.live[wire]

    def discard(self, wire: int) -> None:
        self.out.events.append(Event("discard", (wire,), fresh=wire in self.fresh))

    def gate(self, row: int, spec: OpSpec, wires: list[int], cond: Poly) -> None:
        self.fresh.difference_update(wires)
        angle = float(self.circuit.angle[row])
        if spec.name == "ppr":
            parts, last = _gathered(str(self.circuit.attribute(row)))
            if last >= 0:
                self.parts((*parts, Part("turn", (last,), share=1)), wires, cond, angle)
                self.parts(_undone(parts), wires, cond, angle)
        else:
            changed = PREDICATED if cond != ONE and spec.name in PREDICATED else GATES
            self.parts(changed[spec.name], wires, cond, angle)

    def parts(
        self, parts: tuple[Part, ...], wires: list[int], cond: Poly, angle: float = 0.0
    ) -> None:
        for part in parts:
            self.part(part, tuple(wires[slot] for slot in part.slots), cond, angle)

    def part(self, part: Part, on: tuple[int, ...], cond: Poly, angle: float) -> None:
        condition = cond if part.core else ONE
        add = self.out.events.append
        if not condition:
            return
        if part.kind == "turn":
            turned = part.share * angle
            eighths = round(turned / (math.pi / 4))
            if abs(turned - eighths * (math.pi / 4)) < TOLERANCE:
                add(Event("phase", on, eighths % 8, cond=condition))
            else:
                add(Event("turn", on, angle=turned, cond=condition))
        elif part.kind == "x" and any(len(monomial) > 1 for monomial in condition):
            add(Event("h", on))
            add(Event("phase", on, 4, cond=condition))
            add(Event("h", on))
        else:
            add(Event(part.kind, on, part.eighths % 8, cond=condition))

    # -- measurements

    def measure(self, row: int, values: list[int], cond: Poly) -> None:
        name = OPS[self.circuit.op[row]].name
        wires = [self.wire[value] for value in values]
        letters = MEASURED.get(name) or str(self.circuit.attribute(row))
        parts, last = _gathered(letters)
        bit = int(self.circuit.first[row + 1]) - 1
        if last < 0:
            self.bits[bit] = ZERO
            return
        if self.circuit.loc[row] < 0 and (self.located or self.program.isdisjoint(wires)):
            outcome = self.own()
        else:
            outcome = 2 * self.out.measured
            self.out.measured += 1
        self.fresh.difference_update(wires)
        self.parts(parts, wires, ONE)
        self.bits[bit] = self.record(wires[last], outcome, cond)
        self.parts(_undone(parts), wires, ONE)
        if len(wires) == 1 and cond == ONE:
            self.fresh.add(wires[0])

    def own(self) -> int:
        """A new outcome that is the compiler's own."""
        self.out.extra += 1
        return -self.out.extra

    def record(self, wire: int, outcome: int, cond: Poly) -> Poly:
        """A measurement of one wire; its bit."""
        if not cond:
            return ZERO
        self.out.events.append(Event("measure", (wire,), cond=cond, outcome=outcome))
        return frozenset({frozenset({outcome})})

    def reset(self, row: int, values: list[int], cond: Poly) -> None:
        wire = self.wire[values[0]]
        if wire not in self.program or (self.located and self.circuit.loc[row] < 0):
            outcome = self.own()
        else:
            outcome = 2 * self.out.resets + 1
            self.out.resets += 1
        flip = self.record(wire, outcome, cond)
        if flip:
            self.out.events.append(Event("x", (wire,), cond=flip))
        self.fresh.discard(wire)

    # -- bits

    def const(self, row: int, values: list[int], cond: Poly) -> None:
        self.bits[int(self.circuit.first[row])] = ONE if self.circuit.attr[row] else ZERO

    def xor(self, row: int, values: list[int], cond: Poly) -> None:
        total = ZERO
        for value in values:
            total ^= self.bits[value]
        self.bits[int(self.circuit.first[row])] = total

    def conjunction(self, row: int, values: list[int], cond: Poly) -> None:
        total = ONE
        for value in values:
            total = product(total, self.bits[value])
        self.bits[int(self.circuit.first[row])] = total

    def result(self, row: int, values: list[int], cond: Poly) -> None:
        name = str(self.circuit.attribute(row))
        bits = result_bits(OPS[self.circuit.op[row]].name, name, values)
        self.out.results += [(title, self.bits[value]) for title, value in bits]


def product(a: Poly, b: Poly) -> Poly:
    """The product of two polynomials; raises `Undecided` if it is too long."""
    if len(a) * len(b) > MAX_MONOMIALS:
        raise Undecided(f"a condition has more than {MAX_MONOMIALS} terms")
    total: set[frozenset[int]] = set()
    for one in a:
        for other in b:
            total ^= {one | other}
    return frozenset(total)


def _gathered(letters: str) -> tuple[tuple[Part, ...], int]:
    """What turns a Pauli product into Z of one slot; that slot, or -1 if there is none."""
    support = [slot for slot, letter in enumerate(letters) if letter != "I"]
    if not support:
        return (), -1
    last = support[-1]
    parts = [part._replace(slots=(slot,)) for slot in support for part in TO_Z[letters[slot]]]
    return (*parts, *(_cx(slot, last) for slot in support[:-1])), last


def _undone(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    return tuple(part._replace(eighths=-part.eighths) for part in reversed(parts))
