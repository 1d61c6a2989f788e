"""Are rotations near the words of gates that replaced them?

Between rows that act on several qubits, measure or are bookkeeping, the gates on one wire are a
*block*, a unitary of one qubit.  If two circuits have the same other rows, and the blocks between
them differ by e1, e2, ... in operator norm, up to phases, then the circuits differ by at most
e1 + e2 + ... : errors of unitaries add up.  A block with predicated gates is compared for every
value of the bits that they depend on.

A rotation by measurement is part of a block, too.  It is all that happens to an ancilla a:

    alloc a; cx d, a; gates on a, which make W; cx d, a; m = measure_z a; free a

This leaves diag(W[m, 0], W[1 - m, 1]) on d, which must be a multiple of a unitary, so that the
outcome tells nothing about d.  Gates on d that are predicated on m may follow.
"""

from __future__ import annotations

import cmath
import math
from itertools import product, zip_longest
from typing import NamedTuple

from qwasmc.backends.equivalence.check import Check
from qwasmc.ir.circuit import Circuit
from qwasmc.ops import OPS

NAME = "synthesis"

MAX_PREDICATES = 8
"""Most bits that the gates of one block may depend on."""

SLACK = 1e-9
"""What rounding may add to an error, relative to it."""

Matrix = tuple[complex, complex, complex, complex]
"""A unitary of one qubit, row by row."""

HALF = math.sqrt(0.5)
IDENTITY: Matrix = (1, 0, 0, 1)
FIXED: dict[str, Matrix] = {
    "h": (HALF, HALF, HALF, -HALF),
    "x": (0, 1, 1, 0),
    "y": (0, -1j, 1j, 0),
    "z": (1, 0, 0, -1),
    "s": (1, 0, 0, 1j),
    "sdg": (1, 0, 0, -1j),
    "sx": ((1 + 1j) / 2, (1 - 1j) / 2, (1 - 1j) / 2, (1 + 1j) / 2),
    "sxdg": ((1 - 1j) / 2, (1 + 1j) / 2, (1 + 1j) / 2, (1 - 1j) / 2),
    "t": (1, 0, 0, cmath.exp(0.25j * math.pi)),
    "tdg": (1, 0, 0, cmath.exp(-0.25j * math.pi)),
}


class Step(NamedTuple):
    """A gate of a block: one matrix where a bit is 0, the other where it is 1.

    `bit` is the number of the bit; -1 where there is none.  An ancilla's has a number below -1.
    """

    zero: Matrix
    one: Matrix
    bit: int


Block = list[Step]


class Blocks(NamedTuple):
    """A circuit as its other rows, and by (wire, rows before on that wire) the blocks between."""

    others: list[tuple[object, ...]]
    blocks: dict[tuple[int, int], Block]


def check_synthesis(before: Circuit, after: Circuit, error: float) -> Check:
    """Whether `after`, with words in place of rotations, is at most `error` from `before`."""
    old, new = blocks_of(before), blocks_of(after)
    for theirs, ours in zip_longest(old.others, new.others):
        if theirs != ours:
            return Check(NAME, "not decided", f"the circuits differ in more than words: {ours}")
    total = 0.0
    for key in sorted(old.blocks.keys() | new.blocks.keys()):
        pair = old.blocks.get(key, []), new.blocks.get(key, [])
        bits = sorted({step.bit for block in pair for step in block if step.bit != -1})
        if len(bits) > MAX_PREDICATES:
            return Check(NAME, "not decided", f"a word depends on {len(bits)} bits")
        total += max(
            distance(*(multiplied(block, dict(zip(bits, values, strict=True))) for block in pair))
            for values in product((False, True), repeat=len(bits))
        )
    result = "proved" if total <= error * (1 + SLACK) + SLACK**1.5 else "failed"
    return Check(NAME, result, f"{total:.3g} of {error:.3g} allowed, in operator norm")


def blocks_of(circuit: Circuit) -> Blocks:
    """The blocks of a circuit, and its other rows on wires and bits numbered in order."""
    values_of = circuit.wires().tolist()
    measured = _measured_rotations(circuit, values_of)
    within = {row for rotation in measured.values() for row in rotation.rows}
    wire: dict[int, int] = {}
    bit: dict[int, int] = {}
    passed: dict[int, int] = {}
    found = Blocks([], {})
    for row, code in enumerate(circuit.op.tolist()):
        spec = OPS[code]
        made = int(circuit.first[row + 1]) - 1
        if row in measured:
            rotation = measured[row]
            bit[made] = -2 - len(found.blocks) - row
            at = wire[rotation.data]
            step = Step(rotation.zero, rotation.one, bit[made])
            found.blocks.setdefault((at, passed.get(at, 0)), []).append(step)
        if row in within:
            continue
        cond = bit[int(circuit.cond[row])] if circuit.cond[row] >= 0 else -1
        matrix = _matrix(spec.name, float(circuit.angle[row]))
        if matrix is not None:
            at = wire[values_of[circuit.values(row)[0]]]
            step = Step(IDENTITY if cond != -1 else matrix, matrix, cond)
            found.blocks.setdefault((at, passed.get(at, 0)), []).append(step)
            continue
        if spec.makes_qubit:
            wire[values_of[made]] = len(wire)
        if spec.makes_bit:
            bit[made] = sum(number >= 0 for number in bit.values())
        values = circuit.values(row)
        on_wires = [wire[values_of[value]] for value in values] if spec.qubits else []
        operands = on_wires if spec.qubits else [bit[value] for value in values]
        attribute = circuit.attribute(row)
        found.others.append((spec.name, *operands, cond, attribute, float(circuit.angle[row])))
        for at in on_wires:
            passed[at] = passed.get(at, 0) + 1
    return found


class Measured(NamedTuple):
    """A rotation by measurement: its rows, the wire it acts on, and its unitary by outcome."""

    rows: tuple[int, ...]
    data: int
    zero: Matrix
    one: Matrix


def _measured_rotations(circuit: Circuit, wire: list[int]) -> dict[int, Measured]:
    """The rotations by measurement, by the row of the measurement."""
    rows_of: dict[int, list[int]] = {}
    for row, code in enumerate(circuit.op.tolist()):
        made = int(circuit.first[row])
        if OPS[code].makes_qubit and not circuit.attribute(row):
            rows_of[wire[made]] = [row]
        elif OPS[code].qubits:
            for value in circuit.values(row):
                if wire[value] in rows_of:
                    rows_of[wire[value]].append(row)
    found = {}
    for ancilla, rows in rows_of.items():
        rotation = _measured_rotation(circuit, wire, ancilla, rows)
        if rotation is not None:
            found[rows[-2]] = rotation
    return found


def _measured_rotation(
    circuit: Circuit, wire: list[int], ancilla: int, rows: list[int]
) -> Measured | None:
    names = [OPS[circuit.op[row]].name for row in rows]
    frame = [*names[:2], *names[-3:]]
    if len(rows) < 5 or frame != ["alloc", "cx", "cx", "measure_z", "free"]:
        return None
    if (circuit.cond[rows] >= 0).any() or circuit.loc[rows[-2]] >= 0:
        return None
    ends = [[wire[value] for value in circuit.values(row)] for row in (rows[1], rows[-3])]
    gates = [_matrix(OPS[circuit.op[row]].name, float(circuit.angle[row])) for row in rows[2:-3]]
    if ends[0] != ends[1] or ends[0][1] != ancilla or None in gates:
        return None
    a, b, c, d = multiplied([Step(gate, gate, -1) for gate in gates if gate], {})
    if abs(abs(a) - abs(d)) > SLACK**1.5 or abs(abs(b) - abs(c)) > SLACK**1.5:
        return None
    return Measured(tuple(rows), ends[0][0], _diagonal(a, d), _diagonal(c, b))


def _diagonal(first: complex, second: complex) -> Matrix:
    """The unitary that a diagonal matrix is a multiple of; any, if it is 0."""
    size = abs(first) or 1.0
    return first / size, 0, 0, second / size


def _matrix(name: str, angle: float) -> Matrix | None:
    """The unitary of a gate on one qubit; None for anything else."""
    if name in FIXED:
        return FIXED[name]
    cos, sin = math.cos(angle / 2), math.sin(angle / 2)
    if name == "rz":
        return (complex(cos, -sin), 0, 0, complex(cos, sin))
    if name == "p":
        return (1, 0, 0, cmath.exp(1j * angle))
    if name == "rx":
        return (cos, -1j * sin, -1j * sin, cos)
    if name == "ry":
        return (cos, -sin, sin, cos)
    return None


def multiplied(block: Block, bits: dict[int, bool]) -> Matrix:
    """The unitary of a block's gates, for some values of the bits."""
    a, b, c, d = complex(1), complex(0), complex(0), complex(1)
    for zero, one, bit in block:
        p, q, r, s = one if bit != -1 and bits[bit] else zero
        a, b, c, d = p * a + q * c, p * b + q * d, r * a + s * c, r * b + s * d
    return a, b, c, d


def distance(one: Matrix, other: Matrix) -> float:
    """The distance of two unitaries in operator norm, up to phase."""
    a, b, c, d = one
    p, q, r, s = (value.conjugate() for value in other)
    # other^-1 one is cos x + i sin x (n . sigma), up to phase.
    w, x, y, z = p * a + r * c, p * b + r * d, q * a + s * c, q * b + s * d
    turned = math.sqrt((abs(w - z) ** 2 + 2 * (abs(x) ** 2 + abs(y) ** 2)) / 4)
    return 2 * math.sin(math.atan2(turned, abs(w + z) / 2) / 2)
