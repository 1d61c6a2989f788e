"""What is known of a living patch between the rounds."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from qwasmc.backends.stim.code import Ints
from qwasmc.backends.stim.parity import ZERO, Node, Parities
from qwasmc.ir.surgery import Letter

KNOWN, UNKNOWN = -1, -2
"""In place of a record: a stabilizer known to be +1, and one of which nothing is known."""

NO_RECORDS: Ints = np.zeros(0, dtype=np.int64)


@dataclass(slots=True, eq=False)
class Patch:
    """A living patch: its stabilizers' values and its logical operators' signs."""

    values: Ints
    """(d^2 - 1,) the record that gave each of `patch_code`'s stabilizers, or KNOWN, UNKNOWN."""
    corrections: list[tuple[int, Ints]] = field(default_factory=list)
    """Stabilizers whose value needs further records."""
    sign_x: Node = ZERO
    sign_z: Node = ZERO

    def sign(self, letter: Letter) -> tuple[Node, ...]:
        """The sign of a logical operator, as a node's children."""
        return ((self.sign_x,) if letter & Letter.X else ()) + (
            (self.sign_z,) if letter & Letter.Z else ()
        )

    def known(self) -> list[list[int] | None]:
        """The records that give each stabilizer, None where nothing is known."""
        found = [
            None if value == UNKNOWN else [] if value == KNOWN else [value]
            for value in self.values.tolist()
        ]
        for i, records in self.corrections:
            found[i] += records.tolist()
        return found

    def know(self, records: list[list[int]]) -> None:
        """Set the records that give each stabilizer."""
        self.values = np.array([some[0] for some in records])
        self.corrections = [
            (i, np.array(some[1:])) for i, some in enumerate(records) if len(some) > 1
        ]

    def flip(self, letter: Letter, parities: Parities, base: int, records: Ints) -> None:
        """Let the records base + `records` flip the sign of a logical X or Z."""
        if letter == Letter.X:
            self.sign_x = parities.add((self.sign_x,), base, records)
        else:
            self.sign_z = parities.add((self.sign_z,), base, records)
