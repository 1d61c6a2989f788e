"""fold: Circuit -> Circuit.  Rotations about the same Pauli product become one.

    t a                          s a
    cx a, b                      cx a, b
    t b              =>          t b
    cx a, b                      cx a, b
    t a

With the Clifford gates in front of it taken into account, a T is a rotation about a Pauli product.
Rotations about products that are equal up to a sign become one, at the place of the first, if the
product commutes with everything between them; those next to a measurement of their product vanish.
What is left after a round may add up to Clifford gates, which changes the products behind them; so
it is repeated for as long as rotations become fewer.  Other gates stay where they are.

The T counts are those of FastTMerge (Vandaele, "Optimal number of parametrized rotations and
Hadamard gates in parametrized Clifford circuits with non-repeated parameters", arXiv:2407.07846)
and of the phase teleportation of Kissinger and van de Wetering (arXiv:1903.10477).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.cost import width
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.wires import Wired, to_circuit, to_wires
from qwasmc.ops import CODE
from qwasmc.passes.folding.frame_rows import source
from qwasmc.passes.folding.frames import walk
from qwasmc.passes.folding.light_cones import cone
from qwasmc.passes.folding.merging import merge
from qwasmc.passes.rotations.synthesis import DIAGONAL, EIGHTH, TOLERANCE

Ints = NDArray[Any]

TURNS = {"t": 1, "s": 2, "z": 4, "sdg": 6, "tdg": 7}
"""Eighth turns of gates."""

NARROW = 256
"""Most qubits of a circuit whose events are listed; in others light cones are looked at."""

EFFORT = 1 << 10
"""Steps that a round may take to look between rotations, over the number of events.  When they are
used up nothing more merges, so time is linear in the size of the circuit.  Circuits in use take
less than 64."""

MAX_ROUNDS = 16
"""Circuits in use take two or three."""


def fold(circuit: Circuit) -> Circuit:
    """The same circuit with as few rotations as merging leaves."""
    wired = to_wires(circuit)
    eighths, rest = _angles(wired)
    if not _rotations(eighths, rest):
        return circuit
    before = eighths.copy(), rest.copy()
    rows = source(wired)
    links = cone(rows, len(wired) if width(circuit) > NARROW else 0)
    for _ in range(MAX_ROUNDS):
        left = _rotations(eighths, rest)
        begin = 0
        while begin < len(wired):
            begin, frame = walk(rows, begin, eighths, rest)
            merge(frame, links, eighths, rest, EFFORT)
        if _rotations(eighths, rest) == left:
            break
    changed = np.flatnonzero((eighths != before[0]) | (rest != before[1]))
    return to_circuit(_rewritten(wired, changed, eighths, rest)) if len(changed) else circuit


def _angles(wired: Wired) -> tuple[Ints, Ints]:
    """By row, the eighth turns that a diagonal gate makes, and an angle besides."""
    eighths = np.zeros(len(wired), dtype=np.int64)
    for name, turns in TURNS.items():
        eighths[wired.op == CODE[name]] = turns
    angle = np.where(wired.op == CODE["rz"], wired.angle, 0.0)
    angle = np.where(abs(angle) <= np.pi, angle, np.arctan2(np.sin(angle), np.cos(angle)))
    whole = np.round(angle / EIGHTH)
    exact = abs(angle - whole * EIGHTH) <= TOLERANCE
    eighths += np.where(exact, whole, 0).astype(np.int64)
    return eighths % 8, np.where(exact, 0.0, angle)


def _rotations(eighths: Ints, rest: Ints) -> int:
    """How many rotations are no Clifford gates."""
    return int(((eighths % 2 != 0) | (rest != 0)).sum())


def _rewritten(wired: Wired, changed: Ints, eighths: Ints, rest: Ints) -> Wired:
    """The circuit with new angles on some rows: the cheapest gates of each, one or two or none."""
    op, angle = wired.op.copy(), wired.angle.copy()
    second = np.zeros(len(wired), dtype=np.uint8)
    copies = np.ones(len(wired), dtype=np.int64)
    for turns, gates in enumerate(DIAGONAL):
        rows = changed[(eighths[changed] == turns) & (rest[changed] == 0)]
        copies[rows] = len(gates)
        angle[rows] = 0.0
        if gates:
            op[rows], second[rows] = CODE[gates[0]], CODE[gates[-1]]
    rows = changed[rest[changed] != 0]
    op[rows] = CODE["rz"]
    angle[rows] = rest[rows] + EIGHTH * eighths[rows]
    angle[rows] -= 2 * np.pi * np.round(angle[rows] / (2 * np.pi))
    kept = np.repeat(np.arange(len(wired)), copies)
    op = op[kept]
    again = np.flatnonzero(kept[1:] == kept[:-1]) + 1
    op[again] = second[kept[again]]
    return replace(
        wired,
        op=op,
        operands=wired.operands[kept],
        made=wired.made[kept],
        cond=wired.cond[kept],
        angle=angle[kept],
        attr=wired.attr[kept],
        loc=wired.loc[kept],
    )
