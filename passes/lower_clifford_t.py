"""lower-clifford-t: Circuit -> Circuit.  Toffolis and rotations become Clifford and T gates.

    5  ccx 4, 3, 2            h 2; cx 3, 23; tdg 25; ... (7 T and T^-1); h 37
    6  rz 8 {angle = 0.3}     h 41; t 42; s 43; h 44; ...

Every gate is written as rotations about Z, with Clifford gates around them that undo each other.  A
rotation by a multiple of pi/4 is exact and takes at most one T.  Any other becomes a word of
Clifford and T gates near it (`synthesis`).  All words share one error in equal parts; errors of
unitaries add up, so for any outcomes of its measurements the circuit is at most that far from the
program, in operator norm and up to global phase.

Of a predicated gate only the rotations are predicated: without them, what is around them is the
identity.  A word is not predicated at all: half a turn and its inverse cancel or, with X on the bit
between and after them, add up.

    rz(a) if b    =    rz(a/2); x if b; rz(-a/2); x if b
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.diagnostics import CompileError, Kind
from qwasmc.ir.circuit import VARIADIC, Circuit
from qwasmc.ops import BY_NAME, OPS, Cost
from qwasmc.passes.synthesis import (
    DIAGONAL,
    FINEST,
    NoWord,
    eighths,
    folded,
    gates,
    synthesise,
    unfolded,
    wrapped,
)
from qwasmc.passes.templates import Gate, substitute, template

DEFAULT_ERROR = 1e-3
"""Error of a whole circuit."""

BASIS = {"X": ("h",), "Y": ("sdg", "h"), "Z": ()}
"""By letter, the gates that make it Z."""

AXIS = {"rx": "X", "ry": "Y", "rz": "Z", "p": "Z"}
"""Rotations of one qubit; rz and p differ by a global phase."""

CX = Gate("cx", (0, 1))

TOFFOLIS = {
    "ccz": [],
    "ccx": [Gate("h", (2,))],
    "cswap": [Gate("cx", (2, 1)), Gate("h", (2,))],
}
"""What stands before ccz and is undone behind it."""

_LOWERED = np.array([spec.cost is Cost.SYNTHESIS for spec in OPS])
_QUBITS = np.array([spec.qubits for spec in OPS])


class Turn(NamedTuple):
    """A rotation about Z that takes a word."""

    slot: int
    angle: float


Steps = list[Gate | Turn]


class Shape(NamedTuple):
    """What rows have in common that are lowered alike."""

    code: int
    paulis: int
    """Index of the letters of a Pauli product."""
    qubits: int
    predicated: bool
    angle: float


def lower_clifford_t(circuit: Circuit, synthesis_error: float = DEFAULT_ERROR) -> Circuit:
    """The circuit in Clifford and T gates, at most `synthesis_error` from what it was."""
    rows = np.flatnonzero(_LOWERED[circuit.op])
    if not len(rows):
        return circuit
    shapes, which = _shapes(circuit, rows)
    recipes = [recipe(circuit, shape) for shape in shapes]
    _, first = np.unique(which, return_index=True)
    words = _words(circuit, recipes, rows[first], np.bincount(which), synthesis_error)
    templates = [
        template(_spelled(steps, words), shape.qubits)
        for steps, shape in zip(recipes, shapes, strict=True)
    ]
    number = np.full(len(circuit), -1)
    number[rows] = which
    return substitute(circuit, number, templates)


def _shapes(circuit: Circuit, rows: NDArray[np.intp]) -> tuple[list[Shape], NDArray[np.intp]]:
    """The different shapes of some rows, and by row the number of its shape."""
    codes = circuit.op[rows]
    variadic = VARIADIC[codes]
    columns = (
        codes,
        np.where(variadic, circuit.attr[rows], 0),
        np.where(variadic, circuit.operands[rows, 1], _QUBITS[codes]),
        circuit.cond[rows] >= 0,
        circuit.angle[rows],
    )
    index: dict[tuple[object, ...], int] = {}
    keys = zip(*(column.tolist() for column in columns), strict=True)
    which = np.array([index.setdefault(key, len(index)) for key in keys])
    return [Shape(*key) for key in index], which  # type: ignore[arg-type]


def _words(
    circuit: Circuit,
    recipes: Sequence[Steps],
    first: NDArray[np.intp],
    times: NDArray[np.intp],
    budget: float,
) -> dict[float, str]:
    """Words for the rests of all angles; `first` has by recipe a row, and `times` how many."""
    total = 0
    needed: dict[float, int] = {}
    for steps, row, count in zip(recipes, first.tolist(), times.tolist(), strict=True):
        turns = [step for step in steps if isinstance(step, Turn)]
        total += len(turns) * count
        for turn in turns:
            needed.setdefault(abs(folded(turn.angle)[1]), row)
    if not total:
        return {}
    share = budget / total
    if not share >= FINEST:
        message = f"{total} rotations cannot share a synthesis error of {budget:g}"
        raise _refusal(circuit, min(needed.values()), message, f"one needs {FINEST:g} or more")
    try:
        return synthesise(list(needed), share)
    except NoWord as failure:
        message = f"no Clifford and T gates were found for this rotation to within {share:g}"
        raise _refusal(circuit, needed[failure.angle], message, str(failure)) from failure


def _refusal(circuit: Circuit, row: int, message: str, note: str) -> CompileError:
    found = circuit.locations.diagnostic(message, int(circuit.loc[row]))
    help = "allow a larger synthesis error"
    return CompileError(replace(found, notes=(note,), help=help, kind=Kind.LIMIT))


def _spelled(steps: Steps, words: Mapping[float, str]) -> Iterator[Gate]:
    """The steps, with the gates of its word for each turn."""
    for step in steps:
        if isinstance(step, Gate):
            yield step
        else:
            names = gates(unfolded(step.angle, words))
            yield from (Gate(name, (step.slot,)) for name in names)


def recipe(circuit: Circuit, shape: Shape) -> Steps:
    """How rows of a shape are lowered."""
    name, angle, predicated = OPS[shape.code].name, shape.angle, shape.predicated
    if name in TOFFOLIS:
        return _around(TOFFOLIS[name], _ccz(predicated))
    if name == "cp":
        return _controlled_phase(wrapped(angle), predicated)
    if name == "crz":
        minus = _turn(1, -angle / 2, predicated)
        return [*_turn(1, angle / 2, predicated), *_around([CX], minus)]
    letters = AXIS.get(name) or circuit.names[shape.paulis]
    return _product(letters, angle, predicated)


def _around(outer: Sequence[Gate], inner: Steps) -> Steps:
    """Some gates, others, and the first undone; nothing at all around nothing."""
    if not inner:
        return []
    undone = [Gate(BY_NAME[gate.name].inverse or "", gate.slots) for gate in reversed(outer)]
    return [*outer, *inner, *undone]


def _turn(slot: int, angle: float, predicated: bool) -> Steps:
    """A rotation about Z."""
    exact = eighths(angle)
    if exact is not None:
        return [Gate(name, (slot,), predicated) for name in DIAGONAL[exact]]
    if not predicated:
        return [Turn(slot, angle)]
    half = wrapped(angle) / 2
    flip = Gate("x", (slot,), predicated=True)
    return [Turn(slot, half), flip, Turn(slot, -half), flip]


def _ccz(predicated: bool) -> Steps:
    """T on each qubit and on the parity of all, T^-1 on the parities of two."""
    t0, t1, t2 = (Gate("t", (slot,), predicated) for slot in range(3))
    tdg1, tdg2 = (Gate("tdg", (slot,), predicated) for slot in (1, 2))
    cx02, cx12 = Gate("cx", (0, 2)), Gate("cx", (1, 2))
    return [cx12, tdg2, cx02, t2, cx12, tdg2, cx02, t2, t0, t1, CX, tdg1, CX]


def _controlled_phase(angle: float, predicated: bool) -> Steps:
    if eighths(angle) == 4:
        return [Gate("cz", (0, 1), predicated)]
    if eighths(angle) == 0:
        return []
    each = [*_turn(0, angle / 2, predicated), *_turn(1, angle / 2, predicated)]
    return [*each, *_around([CX], _turn(1, -angle / 2, predicated))]


def _product(letters: str, angle: float, predicated: bool) -> Steps:
    """A rotation about a Pauli product: about Z of the qubit that holds the parity of all."""
    if eighths(angle) == 4:
        return [Gate(letter.lower(), (slot,), predicated) for slot, letter in enumerate(letters)]
    outer = [Gate(name, (slot,)) for slot, letter in enumerate(letters) for name in BASIS[letter]]
    slots = list(range(len(letters)))
    while len(slots) > 1:  # in pairs, so that the depth is logarithmic
        outer += [Gate("cx", pair) for pair in zip(slots[::2], slots[1::2], strict=False)]
        slots = slots[1::2] + slots[len(slots) & ~1 :]
    return _around(outer, _turn(slots[0], angle, predicated))
