"""reduce-t: Circuit -> Circuit.  Fewest T gates, with ancillas, measurements and corrections.

    h, t, cx ... between measurements     ->     opening Clifford, h and copies of qubits,
                                                 cx, fewer t, copies measured in X,
                                                 predicated x, s, z, cz; closing Clifford

A region of gates between the program's measurements becomes one phase polynomial: every Hadamard
inside it takes an ancilla (`phase_polynomial`, `gadgets`).  Its T gates then are a decomposition of
a symmetric tensor, which has shorter ones (`todd`), or one with Toffolis, each four T gates and an
ancilla (`toffoli_tensor`, `and_gadget`).  A region stays as it is where neither saves any.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from qwasmc.ir.circuit import Circuit
from qwasmc.ir.wires import WireBuilder, Wired, to_circuit, to_wires
from qwasmc.ops import MARKERS, OPS
from qwasmc.passes.third_order.gadgets import Plan, write
from qwasmc.passes.third_order.phase_polynomial import (
    CLIFFORD,
    Bits,
    Gate,
    Polynomial,
    Turn,
    basic,
    blocks,
    polynomial,
    remainder,
    skeleton,
)
from qwasmc.passes.third_order.todd import reduce_columns
from qwasmc.passes.third_order.toffoli_tensor import decompose
from qwasmc.passes.third_order.writer import Writer

DEFAULT_BUDGET = 60.0
"""Seconds."""

MOST_ROTATIONS = 1 << 15
MOST_QUBITS = 512
"""Limits of a piece of a region, which is treated on its own."""

MOST_VARIABLES = 1024
"""Limit of the qubits of a piece and its ancillas for Hadamards."""

FEWEST = 6
"""T gates of which some can be saved: 7 parities are a Toffoli, or 6 parities one and another."""

CLEAR = 0.625
"""A part of the parities that they are seldom reduced to."""

EIGHTHS = {"t": 1, "tdg": 7, "rz": 0}
"""Rotations of a region, in units of pi/4; rz has its angle."""

STRUCTURE = frozenset({"syndrome", "require", *MARKERS})
"""Rows that nothing moves across."""

CUT = "the search for fewer T gates was cut short by the time budget"

MOST_GROWTH = 32
"""Most rows of a region that is rewritten, over those it had: corrections are quadratic in the
number of ancillas."""

GROWN = (
    "some gates between measurements were left as they were, because corrections would be too many"
)

PIECES = (
    f"gates between measurements were searched for T gates in pieces of at most {MOST_ROTATIONS} "
    f"rotations and {MOST_QUBITS} qubits"
)


def ignore(_: str) -> None:
    """Take a note and do nothing with it."""


def reduce_t(
    circuit: Circuit,
    time_budget: float = DEFAULT_BUDGET,
    ancillas: int | None = None,
    note: Callable[[str], object] = ignore,
) -> Circuit:
    """The same program with fewer T gates, found in about `time_budget` seconds.

    Up to `ancillas` extra qubits are in use at a time (None: as many as help): one for a Toffoli,
    the others for Hadamards.  `note` is told, once each, what was not done because of limits.
    """
    wired = to_wires(circuit)
    levels = _levels(wired)
    builder = WireBuilder(wired)
    deadline = time.monotonic() + time_budget
    left = sum(_t_count(wired, level.gates) for level in levels)
    notes: dict[str, None] = {}
    changed = False
    for level in levels:
        _copy(builder, wired, level.fresh)
        pieces = _pieces(wired, level.gates)
        if len(pieces) > 1:
            notes[PIECES] = None
        for piece in pieces:
            weight = _t_count(wired, piece)
            now = time.monotonic()
            share = (deadline - now) * weight / max(left, 1)
            left -= weight
            if weight >= FEWEST and share <= 0:
                notes[CUT] = None
            if (
                weight >= FEWEST
                and share > 0
                and _rewrite(wired, piece, builder, ancillas, now + share, notes)
            ):
                changed = True
            else:
                _copy(builder, wired, piece)
        _copy(builder, wired, level.others)
    for text in notes:
        note(text)
    return to_circuit(builder.freeze()) if changed else circuit


def _pieces(wired: Wired, rows: Sequence[int]) -> list[list[int]]:
    """The gates of a region in parts within the limits."""
    pieces: list[list[int]] = [[]]
    rotations = 0
    wires: set[int] = set()
    for row in rows:
        wires.update(wired.values(row))
        rotations += OPS[wired.op[row]].name in EIGHTHS
        if rotations > MOST_ROTATIONS or len(wires) > MOST_QUBITS:
            pieces.append([])
            wires = set(wired.values(row))
            rotations = OPS[wired.op[row]].name in EIGHTHS
        pieces[-1].append(row)
    return pieces


def _t_count(wired: Wired, rows: Sequence[int]) -> int:
    return sum(OPS[wired.op[row]].name in ("t", "tdg") for row in rows)


def _copy(builder: WireBuilder, wired: Wired, rows: Sequence[int]) -> None:
    for row in rows:
        builder.copy(wired, row)


@dataclass(slots=True)
class Level:
    """Rows: new qubits, then the gates of a region, then measurements and whatever else."""

    fresh: list[int] = field(default_factory=list)
    gates: list[int] = field(default_factory=list)
    others: list[int] = field(default_factory=list)


def _levels(wired: Wired) -> list[Level]:
    """All rows, so that regions are large.

    Rows that are no gates of a region keep their order; a gate moves in front of those of them that
    it shares no qubit with.  A new qubit stays behind those before it, which may end another.
    """
    levels = [Level()]
    last = [0] * wired.n_wires
    """By wire, the level of its last row."""
    ready = [0] * wired.n_wires
    """By wire, the first level that its next gate can be in."""
    front = floor = 0
    for row in range(len(wired)):
        spec = OPS[wired.op[row]]
        wires = wired.values(row) if spec.qubits else []
        is_gate = (spec.name in CLIFFORD or spec.name in EIGHTHS) and wired.cond[row] < 0
        if is_gate:
            level = max(floor, *(ready[wire] for wire in wires))
        elif spec.makes_qubit:
            wires = [int(wired.made[row])]
            level = front + bool(levels[front].others)
        elif spec.name in STRUCTURE:
            level = front = len(levels) - 1
            floor = level + 1
        else:
            level = front = max([front, *(last[wire] for wire in wires)])
        if level == len(levels):
            levels.append(Level())
        part = levels[level]
        (part.gates if is_gate else part.fresh if spec.makes_qubit else part.others).append(row)
        for wire in wires:
            last[wire] = level
            ready[wire] = level if is_gate or spec.makes_qubit else level + 1
    return levels


def _rewrite(
    wired: Wired,
    rows: Sequence[int],
    builder: WireBuilder,
    ancillas: int | None,
    deadline: float,
    notes: dict[str, None],
) -> bool:
    """Append a region with fewer T gates, if any are saved; whether they are."""
    wires = sorted({wire for row in rows for wire in wired.values(row)})
    index = {wire: at for at, wire in enumerate(wires)}
    gates: list[Gate | tuple[Turn, int]] = []
    for row in rows:
        name = OPS[wired.op[row]].name
        qubits = [index[wire] for wire in wired.values(row)]
        if name in EIGHTHS:
            gates.append((Turn(EIGHTHS[name], float(wired.angle[row])), qubits[0]))
        else:
            gates += basic(name, *qubits)
    n = len(wires)
    opening, items, closing = skeleton(n, gates)
    room = MOST_VARIABLES - n
    most = room if ancillas is None else min(max(ancillas - 1, 0), room)
    parts = [(polynomial(n, part), after) for part, after in blocks(items, most)]
    plans = _plans([part for part, _ in parts], ancillas != 0, deadline, notes)
    if sum(plan.t_count for plan in plans) >= _t_count(wired, rows):
        return False
    loc = next(int(wired.loc[row]) for row in rows if OPS[wired.op[row]].name in EIGHTHS)
    writer = Writer(builder, wires, loc)
    start = builder.mark()
    writer.gates(opening)
    for (part, after), plan in zip(parts, plans, strict=True):
        write(writer, part, plan)
        if len(builder) - start.rows > MOST_GROWTH * len(rows):
            builder.back_to(start)
            notes[GROWN] = None
            return False
        if after >= 0:
            writer.gate("h", after)
    writer.clifford(closing)
    return True


def _plans(
    polynomials: Sequence[Polynomial], measured: bool, deadline: float, notes: dict[str, None]
) -> list[Plan]:
    """How to make the phases of each."""
    plans = []
    left = sum(part.columns.shape[1] for part in polynomials)
    for part in polynomials:
        now = time.monotonic()
        weight = part.columns.shape[1]
        share = max(deadline - now, 0.0) * weight / max(left, 1)
        left -= weight
        plans.append(_plan(part, measured, now + share, notes))
    return plans


def _plan(part: Polynomial, measured: bool, deadline: float, notes: dict[str, None]) -> Plan:
    """The better of T gates on parities and, if ancillas may be `measured`, of Toffolis with T
    gates for what they leave.

    Parities alone are searched only where Toffolis are not clearly better than those can be, which
    are never more than n (n + 1) / 2 + 1.
    """
    none = np.zeros((0, 3, len(part.columns)), np.uint8)
    if not part.columns.size:
        return _completed(part, none, part.columns)
    if time.monotonic() >= deadline:
        notes[CUT] = None
        return _completed(part, none, part.columns)
    if not measured:
        columns, finished = reduce_columns(part.columns, deadline)
        if not finished:
            notes[CUT] = None
        return _completed(part, none, columns)
    middle = (time.monotonic() + deadline) / 2
    toffolis, rest = decompose(part.columns, middle)
    in_time = time.monotonic() < middle
    rest, finished = reduce_columns(rest, deadline)
    best = _completed(part, toffolis, rest)
    n, m = part.columns.shape
    if best.t_count > CLEAR * min(m, n * (n + 1) // 2 + 1):
        columns, ended = reduce_columns(part.columns, deadline, best.t_count)
        finished = finished and ended
        if columns.shape[1] < best.t_count:
            best = _completed(part, none, columns)
    if not (in_time and finished):
        notes[CUT] = None
    return best


def _completed(part: Polynomial, toffolis: Bits, columns: Bits) -> Plan:
    """The plan with Toffolis and parities of the same signature as those of a polynomial.

    A parity that was there keeps its coefficient.
    """
    known = {
        column.tobytes(): eighths
        for column, eighths in zip(part.columns.T, part.coefficients.tolist(), strict=True)
    }
    kept = [known.get(column.tobytes(), 1) for column in columns.T]
    made = np.concatenate([columns, *(_seven(*forms) for forms in toffolis)], axis=1)
    signs = np.array(kept + SEVEN * len(toffolis), np.int64)
    clifford = remainder(part.columns, part.coefficients, made, signs)
    clifford.add(part.clifford)
    return Plan(columns, np.array(kept, np.int64), toffolis, clifford)


SEVEN = [1, 1, 1, -1, -1, -1, 1]
"""4 u v w as a sum of parities."""


def _seven(u: Bits, v: Bits, w: Bits) -> Bits:
    """The parities of a Toffoli, as columns."""
    return np.stack([u, v, w, u ^ v, u ^ w, v ^ w, u ^ v ^ w], axis=1)
