"""The Pauli frames of logical qubits, as bits of rows, and the tasks on their patches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import stim

from qwasmc.ir.surgery import Letter, Row
from qwasmc.ops import BY_NAME
from qwasmc.passes.defer_paulis import conjugation
from qwasmc.passes.scheduling.columns import Script
from qwasmc.passes.scheduling.tasks import Act

EXCHANGED = (Letter.I, Letter.Z, Letter.X, Letter.Y)
"""By letter: what it is with X and Z exchanged."""

Bit = int
"""A classical value: 2 (row + 1) + flip for the bit of a row, 0 or 1 for a constant."""

ZERO: Bit = 0
ONE: Bit = 1


def bit_of(row: int) -> Bit:
    """The bit that a row defines."""
    return 2 * (row + 1)


def row_in(bit: Bit) -> int:
    """The row whose bit this value is, up to a flip."""
    return (bit >> 1) - 1


@dataclass(slots=True)
class Patch:
    """A logical qubit.

    Its true state is X^x Z^z (program letters) times what the rows have made.  While `made` is
    false it is not on the chip: it is about to be prepared in +1 of the program letter `start`, or
    to enter as an input.
    """

    home: int
    life: int
    start: Letter = Letter.Z
    entered: int = -1
    """The number of the input that is still to come onto the chip here, or -1."""
    label: int = 0
    """1: the program's Z is X on the patch, or Z if it is born with the two exchanged."""
    x: Bit = ZERO
    z: Bit = ZERO
    made: bool = False


class Frames:
    """Appends tasks to a script, and to its rows what becomes of frames and outcomes."""

    def __init__(self) -> None:
        self.script = Script()
        self.rows = self.script.rows
        self.constants: dict[int, int] = {}
        """The CONST row of 0 and that of 1."""

    def task(self, act: Act, patches: Sequence[Patch] = (), letters: Sequence[Letter] = ()) -> None:
        """Append a task, whose rows are the next ones."""
        script = self.script
        script.act.append(act)
        script.row.append(len(self.rows.kind))
        script.further.append(-1)
        for patch, letter in zip(patches, letters, strict=True):
            script.patch.append(patch.home)
            script.life.append(patch.life)
            script.letter.append(EXCHANGED[letter] if patch.label else letter)
        script.start.append(len(script.patch))

    def hadamard(self, patch: Patch) -> None:
        """A label on a patch that stands; one still to be prepared starts in the other letter."""
        patch.x, patch.z = patch.z, patch.x
        if patch.made or patch.entered >= 0:
            patch.label ^= 1
        else:
            self.start_through("h", patch)

    def start_through(self, name: str, patch: Patch) -> None:
        """The state a patch will be prepared in, after a gate."""
        patch.start, negative = image(name, patch.start)
        if negative:  # a Pauli that anticommutes with the letter
            self.flip(patch, "z" if patch.start == Letter.X else "x", ONE)

    def label_sign(self, patch: Patch) -> Bit:
        """The sign of the program's Y = iXZ on the patch: -Y with X and Z exchanged."""
        rows = self.script.label_rows
        if patch.life not in rows:
            rows[patch.life] = self.rows.add(Row.CONST, 0)
        return bit_of(rows[patch.life]) ^ patch.label

    def flip(self, patch: Patch, name: str, bit: Bit) -> None:
        """Flip a frame by the Pauli x, y or z, if a bit is 1."""
        if name in "xy":
            patch.x = self.xor([patch.x, bit])
        if name in "yz":
            patch.z = self.xor([patch.z, bit])

    def correct(self, patch: Patch, letter: Letter, bits: Sequence[Bit]) -> None:
        """Flip a patch's frame by X or Z as the parity of bits says."""
        if letter == Letter.X:
            patch.x = self.xor([patch.x, *bits])
        else:
            patch.z = self.xor([patch.z, *bits])

    def conjugate(self, name: str, patches: list[Patch]) -> None:
        """Carry the frames of these patches through a Clifford gate."""
        parts = [bit for patch in patches for bit in (patch.x, patch.z)]
        if any(parts):
            for patch, (x, z) in zip(patches, conjugation(name), strict=True):
                patch.x = parts[x[0]] if len(x) == 1 else self.xor([parts[i] for i in x])
                patch.z = parts[z[0]] if len(z) == 1 else self.xor([parts[i] for i in z])

    def frame(self, patch: Patch, letter: Letter) -> Bit:
        """The bit by which the frame flips a measurement of this program letter."""
        flips = [patch.x] if letter & Letter.Z else []
        return self.xor([*flips, patch.z] if letter & Letter.X else flips)

    def xor(self, bits: Sequence[Bit]) -> Bit:
        """The parity of bits."""
        flip = 0
        for bit in bits:
            flip ^= bit
        rows = [row_in(bit) for bit in bits if bit > 1]
        if len(rows) > 1:
            return bit_of(self.rows.add(Row.XOR, 0, rows)) ^ (flip & 1)
        return (bit_of(rows[0]) if rows else ZERO) ^ (flip & 1)

    def row_of(self, bit: Bit) -> int:
        """A row whose bit has this value."""
        if bit > 1 and not bit & 1:
            return row_in(bit)
        if bit & 1 not in self.constants:
            self.constants[bit & 1] = self.rows.add(Row.CONST, bit & 1)
        constant = self.constants[bit & 1]
        if bit < 2:
            return constant
        return self.rows.add(Row.XOR, 0, [row_in(bit), constant])


@cache
def image(name: str, letter: Letter) -> tuple[Letter, bool]:
    """What a gate makes of the Pauli X, Y or Z, and whether its sign is minus."""
    pauli = stim.Tableau.from_named_gate(BY_NAME[name].stim)(stim.PauliString(letter.name))
    return Letter["IXYZ"[pauli[0]]], pauli.sign == -1
