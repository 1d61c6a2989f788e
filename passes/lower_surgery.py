"""lower-surgery: Circuit -> Surgery.  Places patches and turns gates into joint measurements.

    0  alloc "a"; 1  alloc "b"         prepare (1,1) Z; prepare (2,2) Z          slab 0
    2  cx 0, 1                   =>    prepare (1,2) X; join Z(1,1) Z(1,2)       slab 0
                                       join X(1,2) X(2,2); measure (1,2) Z       slab 1
    3  measure_z ...                   measure (1,1) Z                           slab 1

Operations are taken in program order; each goes into the first slab in which its patches are
ready and a route is free, so that independent operations share a slab.  H is a label on the
patch (which physical letter is the program's Z), Paulis and corrections are bits of a frame.
The constructions are in docs/surgery.md; joint measurements and labels follow Litinski, Quantum
3, 128, and Horsman et al., New J. Phys. 14, 123011.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NoReturn, TypeVar

from qwasmc.diagnostics import CompileError, Kind
from qwasmc.ir.circuit import RESULTS, Circuit, result_bits
from qwasmc.ir.surgery import (
    Join,
    Letter,
    Magic,
    Row,
    Surgery,
    SurgeryBuilder,
    Term,
    Tile,
    encode_join,
)
from qwasmc.ops import OPS, Cost, OpSpec
from qwasmc.passes import routing
from qwasmc.passes.defer_paulis import conjugation
from qwasmc.passes.floorplan import Chip, default_chip
from qwasmc.passes.observables import deterministic_parities

T = TypeVar("T")

WINDOW = 16
"""How many slabs before the newest one an operation may still be put into."""

PATIENCE = 8
"""Slabs tried after the newest before a route is declared impossible; all of them are empty."""

CONTROL_LETTERS = {
    "cx": (Letter.Z, Letter.X),
    "cy": (Letter.Z, Letter.Y),
    "cz": (Letter.Z, Letter.Z),
}

PHASE_GATES = {
    "s": (Letter.Z, 1),
    "sdg": (Letter.Z, 0),
    "sx": (Letter.X, 1),
    "sxdg": (Letter.X, 0),
}
"""Quarter turns: the letter turned about, and whether the turn is exp(-i pi/4 P) up to phase."""

LETTER_OF = {"measure_z": Letter.Z, "measure_x": Letter.X, "measure_y": Letter.Y}


@dataclass(frozen=True, slots=True)
class Bit:
    """A classical value: the bit of a surgery row (-1: none), flipped by a constant."""

    row: int = -1
    flip: int = 0


ZERO = Bit()


@dataclass(slots=True)
class Patch:
    """A logical qubit on the chip.

    Its true state is X^x Z^z (program letters) times what the surgery rows have made.  While
    `made` is false the patch is not on the chip: it is about to be prepared in +1 of the program
    letter `start`, or to enter as an input.
    """

    home: int
    start: Letter = Letter.Z
    entered: int = -1
    """The number of the input that is still to come onto the chip here, or -1."""
    label: int = 0
    """1: the program's Z is the patch's physical X."""
    x: Bit = ZERO
    z: Bit = ZERO
    made: bool = False
    born: int = 0
    """The slab at whose start the patch appeared."""
    ready: int = 0
    """The first slab in which the patch can take part in something."""

    def physical(self, letter: Letter) -> Letter:
        """A program letter (X or Z) as a letter of the patch."""
        return routing.other(letter) if self.label else letter


def lower_surgery(circuit: Circuit) -> Surgery:
    """The surgery program of a circuit of Clifford gates, T gates and Pauli corrections."""
    return _Lowering(circuit).run()


class _Lowering:
    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit
        self.out = SurgeryBuilder(locations=circuit.locations)
        self.home_of, n_homes = assign_homes(circuit)
        self.chip: Chip = default_chip(n_homes)
        self.patch: dict[int, Patch] = {}
        """By qubit value."""
        self.bit: dict[int, Bit] = {}
        """By bit value."""
        self.home_ready: defaultdict[int, int] = defaultdict(int)
        self.last = -1
        """The newest slab in use."""
        self.floor = 0
        """The first slab that operations still to come may use."""
        self.loc = -1
        self.consumer = consumers(circuit)
        self.n_inputs = 0
        self.outputs: list[tuple[Patch, int, int]] = []

    def run(self) -> Surgery:
        circuit = self.circuit
        for row in range(len(circuit)):
            self.loc = int(circuit.loc[row])
            spec = OPS[circuit.op[row]]
            if circuit.cond[row] >= 0 and not spec.is_pauli:
                self.refuse(
                    f"'{spec.name}' depends on a measurement result, "
                    "which a Stim circuit cannot express",
                    "only x, y and z may depend on one; `qwasmc simulate` runs any program",
                )
            self.step(row, spec, circuit.values(row))
        self.finish()
        for names, values, _ in deterministic_parities(circuit):
            bits = [self.row_of(self.bit[value]) for value in values]
            self.row(Row.OBSERVABLE, aux=self.out.name("^".join(names)), operands=bits)
        return self.out.freeze()

    def finish(self) -> None:
        """Measure out what is still on the chip, hand over what leaves it."""
        self.loc = -1
        for patch in self.patch.values():
            if patch.made:
                self.measure_out(patch, Letter.Z)
        for patch, _, _ in self.outputs:
            self.make(patch, max(patch.ready, self.last))
        for patch, name, loc in self.outputs:
            self.loc = loc
            bits = [patch.label, self.row_of(patch.x), self.row_of(patch.z)]
            index = self.out.name(self.circuit.names[name])
            tile = self.tile(patch)
            self.row(Row.OUTPUT, slab=self.last, tile=tile, aux=index, operands=bits)

    # -- one row -------------------------------------------------------------------------------

    def step(self, row: int, spec: OpSpec, values: list[int]) -> None:
        circuit = self.circuit
        name = spec.name
        first = int(circuit.first[row])
        patches = [self.patch.pop(value) for value in values if value in self.patch]
        if spec.makes_qubit:
            self.patch[first] = self.enter(row, name)
            return
        if spec.is_pauli:
            cond = int(circuit.cond[row])
            self.flip(patches[0], name, Bit(-1, 1) if cond < 0 else self.bit[cond])
        elif name == "h":
            self.hadamard(patches[0])
        elif name == "swap":
            patches.reverse()
        elif name in PHASE_GATES:
            letter, turn = PHASE_GATES[name]
            self.conjugate(name, patches)
            self.turn(patches[0], letter, turn)
        elif spec.cost == Cost.MAGIC:
            self.conjugate("s" if name == "t" else "sdg", patches)
            self.teleport_magic(patches[0], Magic.T if name == "t" else Magic.TDG)
        elif name in CONTROL_LETTERS:
            self.controlled(name, patches)
        elif name in LETTER_OF:
            self.bit[first + 1] = self.measure(row, patches[0], LETTER_OF[name])
        elif name == "ppm":
            letters = [Letter[c] for c in circuit.names[int(circuit.attr[row])]]
            self.bit[first + len(values)] = (
                self.measure(row, patches[0], letters[0])
                if len(patches) == 1
                else self.product(patches, letters)
            )
        elif name == "reset":
            patches = [self.reset(patches[0])]
        elif name in ("free", "output"):
            self.leave(name, patches[0], int(circuit.attr[row]))
            return
        elif name == "barrier":
            self.align(patches)
        elif name == "syndrome":
            self.syndrome(int(circuit.attr[row]))
        elif name == "const":
            self.bit[first] = Bit(-1, int(circuit.attr[row]))
        elif name == "xor":
            self.bit[first] = self.xor(*(self.bit[value] for value in values))
        elif name == "and":
            bits = [self.row_of(self.bit[value]) for value in values]
            self.bit[first] = Bit(self.row(Row.AND, operands=bits))
        elif name in RESULTS:
            for title, value in result_bits(name, circuit.names[int(circuit.attr[row])], values):
                operands = [self.row_of(self.bit[value])]
                self.row(Row.RESULT, aux=self.out.name(title), operands=operands)
        else:
            self.refuse(
                f"'{name}' has no surface-code form yet", "rewrite it in Clifford gates and T"
            )
        for slot, patch in enumerate(patches):
            self.patch[first + slot] = patch

    def enter(self, row: int, name: str) -> Patch:
        home = self.home_of[row]
        patch = Patch(home, ready=max(self.home_ready[home], self.floor))
        if name == "input":
            patch.entered = self.n_inputs
            self.n_inputs += 1
        return patch

    def leave(self, name: str, patch: Patch, attr: int) -> None:
        if name == "output":
            self.outputs.append((patch, attr, self.loc))
        elif patch.made:
            self.measure_out(patch, Letter.Z)

    def reset(self, patch: Patch) -> Patch:
        """A new patch in the same place."""
        if patch.made:
            self.measure_out(patch, Letter.Z)
        return Patch(patch.home, ready=patch.ready)

    def align(self, patches: list[Patch]) -> None:
        """Nothing on these patches from here on starts before all of them are ready."""
        ready = max((patch.ready for patch in patches), default=0)
        for patch in patches:
            patch.ready = ready

    def syndrome(self, rounds: int) -> None:
        """All patches idle for one slab of this many rounds (0: as many as the distance)."""
        slab = self.last + 1
        for patch in self.patch.values():
            self.make(patch, slab)
            patch.ready = slab + 1
        self.use(slab)
        self.floor = slab + 1
        if rounds:
            self.row(Row.WAIT, slab=slab, aux=rounds)

    def hadamard(self, patch: Patch) -> None:
        """A label on a patch that stands; one still to be prepared starts in the other letter."""
        patch.x, patch.z = patch.z, patch.x
        if patch.made or patch.entered >= 0:
            patch.label ^= 1
        else:
            patch.start = routing.other(patch.start)

    # -- gadgets -------------------------------------------------------------------------------

    def turn(self, patch: Patch, letter: Letter, turn: int) -> None:
        """A quarter turn about a letter P: P(q) Y(a) with a helper a in |0>, then a in X.

        <±|a (1 + (-1)^m P Y) |psi>|0> is (1 + i (-1)^(m+s) P)|psi>: the inverse turn for m+s
        even, so P corrects a turn when it is even and an inverse turn when it is odd.  With a
        in |+> and then in Z the sign of i is the other one.
        """
        term = Term(self.tile(patch), patch.physical(letter))
        slab, (join, start) = self.search(
            patch.ready, lambda s: routing.find_product_with_y(term, self.at(s))
        )
        helper = next(t.tile for t in join.terms if t.letter == Letter.Y)
        self.make(patch, slab)
        self.row(Row.PREPARE, slab=slab, tile=helper, aux=start)
        outcome = self.join(slab, join)
        side = self.row(Row.MEASURE, slab=slab, tile=helper, aux=routing.other(start))
        patch.ready = slab + 1
        odd = turn if start == Letter.Z else 1 - turn
        self.correct(patch, letter, self.xor(Bit(outcome, odd), Bit(side)))

    def teleport_magic(self, patch: Patch, magic: Magic) -> None:
        """T through a port: Z(q) Z(a) with a in T|+>, then a in X; Z corrects the stand-in."""
        term = Term(self.tile(patch), patch.physical(Letter.Z))
        slab, join = self.search(
            max(patch.ready, self.floor + 1),
            lambda s: routing.find_port(term, self.at(s - 1), self.at(s)),
        )
        port = next(t.tile for t in join.terms if t.tile != term.tile)
        self.make(patch, slab)
        self.chip.busy[slab - 1].add(port)
        self.row(Row.INJECT, slab=slab - 1, tile=port, aux=magic)
        outcome = self.join(slab, join)
        side = self.row(Row.MEASURE, slab=slab, tile=port, aux=Letter.X)
        patch.ready = slab + 1
        self.correct(patch, Letter.Z, self.xor(Bit(outcome), Bit(side)))

    def controlled(self, name: str, patches: list[Patch]) -> None:
        """P on one patch controlled on Q of the other, by two joints with a helper."""
        letters = CONTROL_LETTERS[name]
        if Letter.Y in letters:  # Y = S X S^-1
            self.conjugate_and_turn("sdg", patches[1])
            self.controlled("cx", patches)
            self.conjugate_and_turn("s", patches[1])
            return
        self.conjugate(name, patches)
        self.interact(*zip(patches, letters, strict=True))

    def conjugate_and_turn(self, name: str, patch: Patch) -> None:
        self.conjugate(name, [patch])
        self.turn(patch, *PHASE_GATES[name])

    def interact(self, one: tuple[Patch, Letter], two: tuple[Patch, Letter]) -> None:
        """exp(i pi (1 - P)(1 - Q) / 4): helper in +1 of M2, M1 P, then M2 Q, then M1 alone.

        The corrections are P for the second joint and Q for the first times the last.
        """
        if two[0].ready < one[0].ready:
            one, two = two, one
        terms = [Term(self.tile(p), p.physical(letter)) for p, letter in (one, two)]
        start = max(one[0].ready, two[0].ready - 1)
        slab, (first, second, helper) = self.search(
            start,
            lambda s: routing.find_interaction(terms[0], terms[1], self.at(s), self.at(s + 1)),
        )
        self.make(one[0], slab)
        self.make(two[0], slab + 1)
        fresh = routing.other(helper.letter)
        self.row(Row.PREPARE, slab=slab, tile=helper.tile, aux=fresh)
        m1 = self.join(slab, first)
        m2 = self.join(slab + 1, second)
        m3 = self.row(Row.MEASURE, slab=slab + 1, tile=helper.tile, aux=helper.letter)
        one[0].ready = slab + 1
        two[0].ready = slab + 2
        self.correct(one[0], one[1], Bit(m2))
        self.correct(two[0], two[1], self.xor(Bit(m1), Bit(m3)))

    def product(self, patches: list[Patch], letters: list[Letter]) -> Bit:
        """A Pauli product measurement; Y is X between an inverse quarter turn and its undoing."""
        turned = [p for p, letter in zip(patches, letters, strict=True) if letter == Letter.Y]
        for patch in turned:
            self.conjugate_and_turn("sdg", patch)
        letters = [letter if letter != Letter.Y else Letter.X for letter in letters]
        terms = [
            Term(self.tile(patch), patch.physical(letter))
            for patch, letter in zip(patches, letters, strict=True)
        ]
        start = max(patch.ready for patch in patches)
        slab, join = self.search(start, lambda s: routing.find_product(terms, self.at(s)))
        for patch in patches:
            self.make(patch, slab)
            patch.ready = slab + 1
        outcome = Bit(self.join(slab, join))
        for patch, letter in zip(patches, letters, strict=True):
            outcome = self.xor(outcome, self.frame(patch, letter))
        for patch in turned:
            self.conjugate_and_turn("s", patch)
        return outcome

    def measure(self, row: int, patch: Patch, letter: Letter) -> Bit:
        """A measurement of one patch, which is prepared anew if the program uses it again."""
        flips = self.frame(patch, letter)
        if letter == Letter.Y:
            return self.xor(self.measure_y(row, patch), flips)
        outcome = self.xor(self.measure_out(patch, letter), flips)
        if self.is_used_again(row):
            patch.start = letter
            # the new patch is in the +1 eigenstate of the letter; the outcome is now a frame
            patch.x, patch.z = (outcome, ZERO) if letter == Letter.Z else (ZERO, outcome)
        return outcome

    def measure_y(self, row: int, patch: Patch) -> Bit:
        """Y by a loop around the patch, which is then measured out at once or idles a slab."""
        start = patch.physical(patch.start)
        slab, join = self.search(
            patch.ready, lambda s: routing.find_y(self.tile(patch), start, self.at(s))
        )
        self.make(patch, slab)
        patch.ready = slab + 1
        # with the label, the program's Y = iXZ is the patch's iZX = -Y
        outcome = Bit(self.join(slab, join), patch.label)
        if self.is_used_again(row):
            patch.born = slab + 1
        else:
            self.measure_out(patch, patch.physical(routing.other(start)))
        return outcome

    def is_used_again(self, row: int) -> bool:
        consumer = self.consumer[int(self.circuit.first[row])]
        return consumer >= 0 and OPS[self.circuit.op[consumer]].name not in ("free", "reset")

    def measure_out(self, patch: Patch, letter: Letter) -> Bit:
        """Transversal measurement at the end of the last slab the patch was part of."""
        self.make(patch, patch.ready)
        slab = max(patch.ready - 1, patch.born)
        patch.ready = slab + 1
        patch.made = False
        self.use(slab)
        self.home_ready[patch.home] = slab + 1
        tile = self.tile(patch)
        return Bit(self.row(Row.MEASURE, slab=slab, tile=tile, aux=patch.physical(letter)))

    # -- frames and bits -----------------------------------------------------------------------

    def flip(self, patch: Patch, name: str, bit: Bit) -> None:
        if name in "xy":
            patch.x = self.xor(patch.x, bit)
        if name in "yz":
            patch.z = self.xor(patch.z, bit)

    def correct(self, patch: Patch, letter: Letter, bit: Bit) -> None:
        self.flip(patch, letter.name.lower(), bit)

    def conjugate(self, name: str, patches: list[Patch]) -> None:
        """Carry the frames of these patches through a Clifford gate."""
        parts = [bit for patch in patches for bit in (patch.x, patch.z)]
        for patch, (x, z) in zip(patches, conjugation(name), strict=True):
            patch.x = self.xor(*(parts[i] for i in x))
            patch.z = self.xor(*(parts[i] for i in z))

    def frame(self, patch: Patch, letter: Letter) -> Bit:
        """The bit by which the frame flips a measurement of this program letter."""
        flips = ZERO
        if letter & Letter.Z:
            flips = self.xor(flips, patch.x)
        if letter & Letter.X:
            flips = self.xor(flips, patch.z)
        return flips

    def xor(self, *bits: Bit) -> Bit:
        rows = [bit.row for bit in bits if bit.row >= 0]
        flip = sum(bit.flip for bit in bits) % 2
        if len(rows) < 2:
            return Bit(rows[0] if rows else -1, flip)
        return Bit(self.row(Row.XOR, operands=rows), flip)

    def row_of(self, bit: Bit) -> int:
        """A row whose bit has this value."""
        if bit.row >= 0 and not bit.flip:
            return bit.row
        constant = self.row(Row.CONST, aux=bit.flip)
        return constant if bit.row < 0 else self.row(Row.XOR, operands=[bit.row, constant])

    # -- space and time ------------------------------------------------------------------------

    def tile(self, patch: Patch) -> Tile:
        return self.chip.homes[patch.home]

    def at(self, slab: int) -> routing.Free:
        return lambda tile: self.chip.free(tile, slab)

    def search(self, ready: int, find: Callable[[int], T | None]) -> tuple[int, T]:
        """The first slab from `ready` on in which `find` finds a route, and the route."""
        start = max(ready, self.floor)
        for slab in range(max(start, self.last - WINDOW), max(start, self.last) + PATIENCE):
            if (found := find(slab)) is not None:
                return slab, found
        self.refuse("no route between these patches", "use another floor plan")

    def use(self, slab: int) -> None:
        self.last = max(self.last, slab)

    def make(self, patch: Patch, slab: int) -> None:
        """Put a patch on the chip by this slab, if it is not there yet."""
        if patch.made:
            return
        if patch.entered >= 0:
            self.row(Row.INPUT, slab=slab, tile=self.tile(patch), aux=patch.entered)
            patch.entered = -1
        else:
            self.row(Row.PREPARE, slab=slab, tile=self.tile(patch), aux=patch.physical(patch.start))
        patch.made = True
        patch.born = slab
        self.use(slab)

    def join(self, slab: int, join: Join) -> int:
        self.chip.busy[slab].update(tile for tile in join.tiles())
        self.use(slab)
        return self.row(Row.JOIN, slab=slab, operands=encode_join(join))

    def row(self, kind: Row, **fields: object) -> int:
        return self.out.add(kind, loc=self.loc, **fields)  # type: ignore[arg-type]

    def refuse(self, message: str, help_text: str) -> NoReturn:
        found = self.circuit.locations.diagnostic(message, self.loc, help=help_text)
        raise CompileError(replace(found, kind=Kind.LIMIT))


def consumers(circuit: Circuit) -> list[int]:
    """For each value, the row that consumes it as a qubit (or reads it last), or -1."""
    consumer = [-1] * circuit.n_values
    for row in range(len(circuit)):
        for value in circuit.values(row):
            consumer[value] = row
    return consumer


def assign_homes(circuit: Circuit) -> tuple[dict[int, int], int]:
    """A home number for each row that makes a qubit, and how many homes there are.

    Homes of freed qubits are used again, except by open inputs: those must not stand where
    something was before.
    """
    home_of: dict[int, int] = {}
    home_of_value: dict[int, int] = {}
    spare: list[int] = []
    count = 0
    for row, code in enumerate(circuit.op.tolist()):
        spec = OPS[code]
        homes = [home_of_value.pop(v) for v in circuit.values(row) if v in home_of_value]
        if spec.makes_qubit:
            if spare and spec.name == "alloc":
                homes = [spare.pop()]
            else:
                homes, count = [count], count + 1
            home_of[row] = homes[0]
        elif spec.name == "swap":
            homes.reverse()  # the patches stay where they are
        elif spec.ends_qubit:
            spare += homes if spec.name == "free" else []
            continue
        for slot, home in enumerate(homes):
            home_of_value[int(circuit.first[row]) + slot] = home
    return home_of, count
