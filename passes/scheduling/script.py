"""Circuit -> Script: what is to be done, as tasks, and the surgery rows it will become.

    t a                 MAGIC (a, Z)       inject; join Z Z; ... the rows' places and times are
    cx a, b       =>    CONTROL ...        still open
    measure a           MEASURE (a, Z)     xor of the outcome and the frame of a

H is a label on the patch (which physical letter is the program's Z), Paulis and corrections are
bits of a frame; neither needs a task.  A qubit comes onto the chip as late as possible, and gates
that meet it before only choose the state it is prepared in.  How gates become rows is in
docs/surgery.md; joint measurements and labels follow Litinski, Quantum 3, 128.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import NoReturn

import numpy as np

from qwasmc.diagnostics import CompileError, Kind, error
from qwasmc.ir.circuit import RESULTS, Circuit, result_bits
from qwasmc.ir.surgery import FLAG, ROWS, Letter, Row
from qwasmc.ops import OPS, Cost, OpSpec
from qwasmc.passes.observables import deterministic_parities
from qwasmc.passes.scheduling.columns import Script, ints, small
from qwasmc.passes.scheduling.frames import ONE, ZERO, Bit, Frames, Patch, bit_of, row_in
from qwasmc.passes.scheduling.homes import assign_homes, used_again
from qwasmc.passes.scheduling.production import Production
from qwasmc.passes.scheduling.tasks import Act

CONTROL_LETTERS = {
    "cx": (Letter.Z, Letter.X),
    "cy": (Letter.Z, Letter.Y),
    "cz": (Letter.Z, Letter.Z),
}

PHASE_GATES = {
    "s": (Letter.Z, 0),
    "sdg": (Letter.Z, 1),
    "sx": (Letter.X, 0),
    "sxdg": (Letter.X, 1),
}
"""Quarter turns: the letter turned about, and whether the turn is the inverse one."""

LETTER_OF = {"measure_z": Letter.Z, "measure_x": Letter.X, "measure_y": Letter.Y}

CONTROL_ROWS = small(Row.PREPARE, Row.JOIN, Row.JOIN, Row.MEASURE, Row.XOR, Row.XOR)
CONTROL_AUX = ints(0, 0, 0, 0, 0, 0)
TURN_ROWS = small(Row.PREPARE, Row.JOIN, Row.MEASURE)
TURN_AUX = ints(Letter.Y, 0, Letter.X)
MAGIC_ROWS = small(Row.PREPARE, Row.JOIN, Row.JOIN, Row.MEASURE)
MAGIC_AUX = ints(Letter.Y, 0, 0, Letter.X)

COST = np.array([spec.cost for spec in OPS])

MOST_ROWS = 1 << 25
"""Rows by which magic states are made, at most: some gigabytes, with all their joins."""

FEW = 8
"""Patches whose outcomes a bit may wait for one by one."""


def write_script(circuit: Circuit, production: Production) -> Script:
    """The script of a circuit of Clifford gates, T gates and Pauli corrections."""
    states = int((COST[circuit.op] == Cost.MAGIC).sum())
    if states * len(production.surgery) > MOST_ROWS:
        raise error(
            f"{states} magic states take more than {MOST_ROWS} rows of surgery to make",
            kind=Kind.LIMIT,
            help="choose a factory that is not made of rows, such as cultivation-5",
        )
    return _Writer(circuit, production).run()


class _Writer(Frames):
    def __init__(self, circuit: Circuit, production: Production) -> None:
        super().__init__()
        self.circuit, self.production = circuit, production
        made = production.surgery
        self.made = small(*made.kind.tolist()), ints(*made.aux.tolist())
        readers = [row for row in range(len(made)) if ROWS[Row(made.kind[row])].bits]
        self.made_readers = [(row, made.operands(row)) for row in readers]
        self.patch: dict[int, Patch] = {}
        """By qubit value."""
        self.bit: dict[int, Bit] = {}
        """By bit value."""
        self.measured: dict[int, dict[int, Patch]] = {}
        """By bit value: patches, by home, that are not ready again before the bit is known."""
        self.feeds_forward = bool((circuit.cond >= 0).any())
        self.loc = -1
        self.n_inputs = 0
        self.flags: list[int] = []
        self.outputs: list[tuple[Patch, int, int]] = []

    def run(self) -> Script:
        self.steps()
        self.finish()
        for names, bits, _ in deterministic_parities(self.circuit):
            operands = [self.row_of(self.bit[value]) for value in bits]
            self.rows.add(Row.OBSERVABLE, self.rows.name("^".join(names)), operands)
        for number, flag in enumerate(self.flags):
            self.rows.add(Row.OBSERVABLE, self.rows.name(f"{FLAG}{number}"), [flag])
        return self.script

    def steps(self) -> None:
        """What the circuit's rows do, one by one."""
        circuit, operands = self.circuit, list(self.circuit.all_values())
        self.home_of, self.script.n_homes = assign_homes(circuit, operands)
        self.used_again = used_again(circuit, operands)
        columns = (circuit.op, circuit.first, circuit.loc, circuit.cond)
        rows = zip(operands, *(column.tolist() for column in columns), strict=False)
        for row, (values, op, first, loc, cond) in enumerate(rows):
            self.loc = loc
            self.rows.at(loc)
            spec = OPS[op]
            if cond >= 0 and not spec.is_pauli:
                self.refuse(
                    f"'{spec.name}' depends on a measurement result, "
                    "which a Stim circuit cannot express",
                    "only x, y and z may depend on one; `qwasmc simulate` runs any program",
                )
            self.step(row, spec, values, first, cond)

    def finish(self) -> None:
        """Measure out what is still on the chip, hand over what leaves it."""
        self.loc = -1
        self.rows.at(-1)
        for patch in self.patch.values():
            if patch.made:
                self.measure_out(patch, Letter.Z)
        for patch, _, _ in self.outputs:
            self.make(patch)
        for patch, name, loc in self.outputs:
            bits = [patch.label, self.row_of(patch.x), self.row_of(patch.z)]
            index = self.rows.name(self.circuit.names[name])
            self.script.outputs.append((len(self.rows.kind), patch.home, patch.life))
            self.rows.at(loc)
            self.rows.add(Row.OUTPUT, index, bits)
            self.rows.at(-1)

    # -- one row -------------------------------------------------------------------------------

    def step(self, row: int, spec: OpSpec, values: list[int], first: int, cond: int) -> None:
        circuit, name = self.circuit, spec.name
        patches = [self.patch.pop(value) for value in values if value in self.patch]
        if spec.is_gate:
            self.gate(spec, patches, cond)
        elif spec.makes_qubit:
            patches = [self.enter(row, name)]
        elif name in LETTER_OF:
            self.measured[first + 1] = {patches[0].home: patches[0]}
            self.bit[first + 1] = self.measure(row, patches[0], LETTER_OF[name])
        elif name == "ppm":
            letters = [Letter[c] for c in circuit.names[int(circuit.attr[row])]]
            last = first + len(values)
            used = (patch for patch, letter in zip(patches, letters, strict=True) if letter)
            self.measured[last] = {patch.home: patch for patch in islice(used, 1)}
            self.bit[last] = self.product(row, patches, letters)
        elif name == "reset":
            patches = [self.reset(patches[0])]
        elif name in ("free", "output"):
            self.leave(name, patches[0], int(circuit.attr[row]))
            return
        elif name == "barrier":
            self.align({patch.home: patch for patch in patches})
        elif name == "syndrome":
            self.syndrome(int(circuit.attr[row]))
        elif name == "require":
            text = circuit.names[int(circuit.attr[row])]
            self.script.requirements.append((text, len(self.script.act), self.loc))
        elif name == "const":
            self.measured[first] = {}
            self.bit[first] = int(circuit.attr[row])
        elif name == "xor":
            self.measured[first] = self.all_measured(values)
            self.bit[first] = self.xor([self.bit[value] for value in values])
        elif name == "and":
            self.measured[first] = self.all_measured(values)
            bits = [self.row_of(self.bit[value]) for value in values]
            self.bit[first] = bit_of(self.rows.add(Row.AND, 0, bits))
        elif name in RESULTS:
            for title, value in result_bits(name, circuit.names[int(circuit.attr[row])], values):
                operands = [self.row_of(self.bit[value])]
                self.rows.add(Row.RESULT, self.rows.name(title), operands)
        else:
            self.no_form(name)
        for slot, patch in enumerate(patches):
            self.patch[first + slot] = patch

    def gate(self, spec: OpSpec, patches: list[Patch], cond: int) -> None:
        name = spec.name
        if spec.cost == Cost.MAGIC:
            self.magic(patches[0], int(name == "tdg"))
        elif name in CONTROL_LETTERS:
            self.controlled(name, patches)
        elif name == "h":
            self.hadamard(patches[0])
        elif name in PHASE_GATES:
            self.turn(name, patches[0])
        elif spec.is_pauli:
            if cond >= 0:
                self.align({patches[0].home: patches[0], **self.measured[cond]})
            self.flip(patches[0], name, ONE if cond < 0 else self.bit[cond])
        elif name == "swap":
            patches.reverse()
        else:
            self.no_form(name)

    def enter(self, row: int, name: str) -> Patch:
        patch = Patch(self.home_of[row], self.new_life())
        if name == "input":
            self.script.fixed.append(patch.life)
            patch.entered = self.n_inputs
            self.n_inputs += 1
        return patch

    def new_life(self) -> int:
        self.script.n_lives += 1
        return self.script.n_lives - 1

    def leave(self, name: str, patch: Patch, attr: int) -> None:
        if name == "output":
            self.outputs.append((patch, attr, self.loc))
        elif patch.made:
            self.measure_out(patch, Letter.Z)

    def reset(self, patch: Patch) -> Patch:
        """A new patch in the same place."""
        if patch.made:
            self.measure_out(patch, Letter.Z)
        return Patch(patch.home, self.new_life())

    def syndrome(self, rounds: int) -> None:
        """All patches idle for one slab of this many rounds (0: as many as the distance)."""
        for patch in self.patch.values():
            self.make(patch)
        self.task(Act.IDLE)
        if rounds:
            self.script.further[-1] = self.rows.add(Row.WAIT, rounds)

    # -- gates ---------------------------------------------------------------------------------

    def turn(self, name: str, patch: Patch) -> None:
        """A quarter turn about P: P(q) Z(h) with h in +1 of Y, then h in X; P corrects.

        h copies the value of P, flipped by the first outcome, with the phase i for 1; the second
        one tells whether measuring it has left another sign.
        """
        if not patch.made and patch.entered < 0:
            self.conjugate(name, [patch])
            self.start_through(name, patch)
            return
        letter, inverse = PHASE_GATES[name]
        self.make(patch)
        self.conjugate(name, [patch])
        self.task(Act.TURN, [patch], [letter])
        first = self.rows.block(TURN_ROWS, TURN_AUX)
        self.correct(patch, letter, [bit_of(first + 1), bit_of(first + 2), inverse])

    def magic(self, patch: Patch, inverse: int) -> None:
        """T from T|+>: Z(q) Z(m), then Z(m) Z(h) with h in +1 of Y, m in X, h in Y or X.

        m is a copy of q's Z, flipped by the outcome a and by X of the frame that m comes with.
        With u = their sum + X of q's frame, u = 1 makes the eighth turn the inverse one; then S on
        the copy is due, which measuring h in X does and in Y does not (auto-corrected as in
        Litinski, Quantum 3, 128, section 3).
        """
        self.make(patch)
        self.task(Act.MAGIC, [patch], [Letter.Z])
        x, z = self.produce()
        add = self.rows.add
        first = self.rows.block(MAGIC_ROWS, MAGIC_AUX)
        a, b, side = first + 1, first + 2, first + 3
        due = self.row_of(self.xor([bit_of(a), x, patch.x, inverse]))
        self.script.further[-1] = adapt = add(Row.ADAPT, 0, [due])
        fix = add(Row.FIX, 0, [due, self.row_of(self.xor([bit_of(b), x, ONE]))])
        self.correct(patch, Letter.Z, [bit_of(side), z, bit_of(adapt), bit_of(fix)])

    def produce(self) -> tuple[Bit, Bit]:
        """The rows that make a magic state; the X and Z of its frame."""
        made, rows = self.production, self.rows
        first = rows.block(*self.made)
        for row, bits in self.made_readers:
            rows.read(first + row, [bit + first for bit in bits])
        self.flags += [flag + first for flag in made.flags]
        return (ZERO if made.x < 0 else bit_of(made.x + first)), (
            ZERO if made.z < 0 else bit_of(made.z + first)
        )

    def controlled(self, name: str, patches: list[Patch]) -> None:
        """exp(i pi (1 - P)(1 - Q) / 4): helper in +1 of M2; M1 P; M2 Q; helper in M1.

        The corrections are P for the second outcome and Q for the first times the last.
        """
        if name == "cy":  # Y = S X S^-1
            self.turn("sdg", patches[1])
            self.controlled("cx", patches)
            self.turn("s", patches[1])
            return
        letters = CONTROL_LETTERS[name]
        for patch in patches:
            self.make(patch)
        self.conjugate(name, patches)
        self.task(Act.CONTROL, patches, letters)
        row = self.rows.block(CONTROL_ROWS, CONTROL_AUX) + 4
        for patch, letter in zip(patches, letters, strict=True):
            frame = patch.x if letter == Letter.X else patch.z
            if frame > 1:
                self.rows.read(row, [row_in(frame)])
            bit = bit_of(row) ^ (frame & 1)
            patch.x, patch.z = (bit, patch.z) if letter == Letter.X else (patch.x, bit)
            row += 1

    def align(self, patches: Mapping[int, Patch]) -> None:
        """Nothing on these patches, given by home, starts before all of them are ready.

        A Pauli that depends on outcomes waits for them, so that they are known when the T after it
        needs to know which way it went.
        """
        if len(patches) > 1:
            self.task(Act.ALIGN, list(patches.values()), [Letter.I] * len(patches))

    def all_measured(self, values: Sequence[int]) -> dict[int, Patch]:
        """What a Pauli that depends on all of these bits waits for, in few patches."""
        found: dict[int, Patch] = {}
        for value in values:
            found |= self.measured[value]
        if len(found) <= FEW or not self.feeds_forward:
            return dict(islice(found.items(), FEW))
        self.align(found)
        return dict(islice(found.items(), 1))

    def product(self, row: int, patches: list[Patch], letters: list[Letter]) -> Bit:
        """A Pauli product measurement."""
        pairs = [pair for pair in zip(patches, letters, strict=True) if pair[1] != Letter.I]
        if len(pairs) == 0:
            return ZERO
        if len(pairs) == 1:
            return self.measure(row, *pairs[0])
        for patch, _ in pairs:
            self.make(patch)
        outcome = [self.frame(patch, letter) for patch, letter in pairs]
        outcome += [self.label_sign(patch) for patch, letter in pairs if letter == Letter.Y]
        self.task(Act.PRODUCT, [patch for patch, _ in pairs], [letter for _, letter in pairs])
        return self.xor([bit_of(self.rows.add(Row.JOIN)), *outcome])

    def measure(self, row: int, patch: Patch, letter: Letter) -> Bit:
        """A measurement of one patch, which is prepared anew if the program uses it again."""
        self.make(patch)
        outcome = self.xor([self.frame(patch, letter), self.measure_out(patch, letter)])
        if self.used_again[row]:
            patch.start, patch.label, patch.life = letter, 0, self.new_life()
            # the new patch is in the +1 eigenstate of the letter; the outcome is now a frame
            patch.x, patch.z = (ZERO, outcome) if letter == Letter.X else (outcome, ZERO)
        return outcome

    def measure_out(self, patch: Patch, letter: Letter) -> Bit:
        """Transversal measurement at the end of the last slab the patch was part of."""
        self.make(patch)
        self.task(Act.MEASURE, [patch], [letter])
        patch.made = False
        row = self.rows.add(Row.MEASURE, letter)
        sign = self.label_sign(patch) if letter == Letter.Y else ZERO
        return self.xor([bit_of(row), sign])

    def make(self, patch: Patch) -> None:
        """Put a patch on the chip, if it is not there yet."""
        if patch.made:
            return
        patch.made = True
        if patch.entered >= 0:
            self.task(Act.APPEAR, [patch], [Letter.I])
            self.rows.add(Row.INPUT, patch.entered)
            patch.entered = -1
            return
        if patch.start == Letter.Y:
            self.flip(patch, "x", self.label_sign(patch))
        self.task(Act.APPEAR, [patch], [patch.start])
        self.rows.add(Row.PREPARE, patch.start)

    def no_form(self, name: str) -> NoReturn:
        self.refuse(f"'{name}' has no surface-code form yet", "rewrite it in Clifford gates and T")

    def refuse(self, message: str, help_text: str) -> NoReturn:
        found = self.circuit.locations.diagnostic(message, self.loc, help=help_text)
        raise CompileError(replace(found, kind=Kind.LIMIT))
