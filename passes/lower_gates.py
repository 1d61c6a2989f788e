"""lower-gates: Circuit -> Circuit.  Toffolis and rotations become Clifford, T and rz gates.

    5  ccx 4, 3, 2            h 2; cx 3, 23; tdg 25; ... (7 T and T^-1); h 37
    6  rx 8 {angle = 0.3}     h 41; rz 42 {angle = 0.3}; h 43
    7  p 9 {angle = pi / 4}   t 44

Every gate is written as rotations about Z, with Clifford gates around them that undo each other.  A
rotation by a multiple of pi/4 becomes at most one T and Clifford gates, any other an rz, up to a
global phase.  Of a predicated gate only the rotations are predicated: without them, what is around
them is the identity.

A Toffoli takes 7 T and 6 CX.  Where another undoes a part of it, both take less (`toffolis.pairs`);
so does one whose target is in |0> before it or behind it (`toffolis.and_gadget`).  With
measurements, all take 4 T or less (`toffolis.measured`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.diagnostics import Kind, error
from qwasmc.ir.circuit import VARIADIC, Circuit
from qwasmc.ir.wires import COUNT, Wired, to_circuit, to_wires
from qwasmc.ops import CODE, OPS, Cost
from qwasmc.passes.rotations.synthesis import DIAGONAL, eighths, wrapped
from qwasmc.passes.templates import Gate, inverse, substitute, template
from qwasmc.passes.toffolis.and_gadget import AND
from qwasmc.passes.toffolis.legs import merge_hadamards
from qwasmc.passes.toffolis.measured import measure_toffolis
from qwasmc.passes.toffolis.order import products_first
from qwasmc.passes.toffolis.pairs import ONTO_ZERO, PLAIN, TO_ZERO, Form, pair_toffolis

BASIS = {"X": ("h",), "Y": ("sdg", "h"), "Z": ()}
"""By letter, the gates that make it Z."""

AXIS = {"rx": "X", "ry": "Y", "rz": "Z", "p": "Z"}
"""Rotations of one qubit; rz and p differ by a global phase."""

CX = Gate("cx", (0, 1))

TOFFOLIS = {
    "ccz": [],
    "ccx": [Gate("h", (2,))],
}
"""What stands before ccz and is undone behind it."""

GENERIC = 8
"""The number of eighth turns of an angle that is no multiple of pi/4."""

_LOWERED = np.array([spec.cost is Cost.SYNTHESIS for spec in OPS])


class Shape(NamedTuple):
    """What rows have in common that are lowered alike."""

    code: int
    paulis: int
    """Index of the letters of a Pauli product."""
    qubits: int
    predicated: bool
    eighths: int
    """Of the angle that its rotations about Z have, or `GENERIC`."""
    form: int
    """Of a Toffoli: see `toffolis.pairs`."""


def lower_gates(circuit: Circuit, feed_forward: bool = False) -> Circuit:
    """The circuit in Clifford, T and rz gates.

    With `feed_forward`, Toffolis take measurements of ancillas, and gates that depend on them.
    """
    if not _LOWERED[circuit.op].any():
        return circuit
    if (circuit.op == CODE["ctrl_begin"]).any() or (circuit.op == CODE["uncompute"]).any():
        message = "segments and control regions must be written out before gates are lowered"
        raise error(message, kind=Kind.USAGE, help="run the pass 'uncompute' before 'lower-gates'")
    wired = products_first(merge_hadamards(_without_swaps(to_wires(circuit))))
    if feed_forward:
        wired = measure_toffolis(wired)
    wired, forms = pair_toffolis(wired)
    angle, turns = _turns(wired)
    lowered = _LOWERED[wired.op] & ~((wired.op == CODE["rz"]) & (turns == GENERIC))
    rows = np.flatnonzero(lowered)
    shapes, which = _shapes(wired, rows, turns, forms)
    templates = [template(recipe(wired.names, shape)) for shape in shapes]
    number = np.full(len(wired), -1)
    number[rows] = which
    angle = np.where(lowered, angle, wired.angle)
    return to_circuit(substitute(replace(wired, angle=angle), number, templates))


def _without_swaps(wired: Wired) -> Wired:
    """The circuit with ccx instead of cswap."""
    which = np.where(wired.op == CODE["cswap"], (wired.cond >= 0).astype(np.intp), -1)
    around = Gate("cx", (2, 1))
    templates = [
        template([around, Gate("ccx", (0, 1, 2), predicated), around])
        for predicated in (False, True)
    ]
    return substitute(wired, which, templates)


def _turns(wired: Wired) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """By row the angle of its rotations about Z, and the eighth turns of that."""
    angle = wired.angle.copy()
    cp = wired.op == CODE["cp"]
    angle[cp] = _of_each(wrapped, angle[cp])
    angle[cp | (wired.op == CODE["crz"])] /= 2
    angle = _of_each(wrapped, angle)
    return angle, _of_each(_eighths, angle).astype(np.intp)


def _eighths(angle: float) -> int:
    turns = eighths(angle)
    return GENERIC if turns is None else turns


def _of_each(function: Callable[[float], float], angles: NDArray[np.float64]) -> NDArray[Any]:
    """A function of angles, of which many may be equal."""
    distinct, where = np.unique(angles, return_inverse=True)
    return np.array([function(angle) for angle in distinct.tolist()])[where]


def _shapes(
    wired: Wired, rows: NDArray[np.intp], turns: NDArray[np.intp], forms: NDArray[np.int32]
) -> tuple[list[Shape], NDArray[np.intp]]:
    """The different shapes of some rows, and by row the number of its shape."""
    codes = wired.op[rows]
    variadic = VARIADIC[codes]
    columns = (
        codes,
        np.where(variadic, wired.attr[rows], 0),
        np.where(variadic, wired.operands[rows, 1], COUNT[codes]),
        wired.cond[rows] >= 0,
        turns[rows],
        forms[rows],
    )
    keys, which = np.unique(np.stack(columns), axis=1, return_inverse=True)
    shapes = [Shape(*key) for key in keys.T.tolist()]
    return shapes, which


def recipe(names: Sequence[str], shape: Shape) -> list[Gate]:
    """How rows of a shape are lowered."""
    name, predicated = OPS[shape.code].name, bool(shape.predicated)
    if shape.form in (ONTO_ZERO, TO_ZERO):
        return list(AND) if shape.form == ONTO_ZERO else inverse(AND)
    if shape.form != PLAIN:
        return _half_of_pair(Form.numbered(shape.form))
    if name in TOFFOLIS:
        return _around(TOFFOLIS[name], _ccz(predicated))
    if name == "cp":
        return _controlled_phase(shape.eighths, predicated)
    if name == "crz":
        minus = _turn(1, shape.eighths, predicated, -1)
        return [*_turn(1, shape.eighths, predicated), *_around([CX], minus)]
    letters = AXIS.get(name) or names[shape.paulis]
    return _product(letters, shape.eighths, predicated)


def _around(outer: Sequence[Gate], inner: Sequence[Gate]) -> list[Gate]:
    """Some gates, others, and the first undone; nothing at all around nothing."""
    return [*outer, *inner, *inverse(outer)] if inner else []


def _turn(slot: int, eighths: int, predicated: bool, sign: int = 1) -> list[Gate]:
    """A rotation about Z, by the angle of the row or minus that."""
    if eighths == GENERIC:
        return [Gate("rz", (slot,), predicated, sign)]
    return [Gate(name, (slot,), predicated) for name in DIAGONAL[sign * eighths % 8]]


def _ccz(predicated: bool) -> list[Gate]:
    """T on each qubit and on the parity of all, T^-1 on the parities of two."""
    t0, t1, t2 = (Gate("t", (slot,), predicated) for slot in range(3))
    tdg1, tdg2 = (Gate("tdg", (slot,), predicated) for slot in (1, 2))
    cx02, cx12 = Gate("cx", (0, 2)), Gate("cx", (1, 2))
    return [cx12, tdg2, cx02, t2, cx12, tdg2, cx02, t2, t0, t1, CX, tdg1, CX]


def _half_of_pair(form: Form) -> list[Gate]:
    """T on p and on its parity with q and r, T^-1 on its parities with one of them."""
    t, tdg = Gate("t", (2,)), Gate("tdg", (2,))
    from_q, from_r = Gate("cx", (0, 2)), Gate("cx", (1, 2))
    steps = [t, from_q, tdg, from_r, t, from_q, tdg]
    if not form.short:
        steps.append(from_r)
    if form.target < 3:
        steps = _around([Gate("h", (form.target,))], steps)
    return inverse(steps) if form.second else steps


def _controlled_phase(eighths: int, predicated: bool) -> list[Gate]:
    """Half the phase on each qubit, and minus half of it on their parity."""
    if eighths in (2, 6):
        return [Gate("cz", (0, 1), predicated)]
    each = [*_turn(0, eighths, predicated), *_turn(1, eighths, predicated)]
    return [*each, *_around([CX], _turn(1, eighths, predicated, -1))]


def _product(letters: str, eighths: int, predicated: bool) -> list[Gate]:
    """A rotation about a Pauli product: about Z of the qubit that holds the parity of all."""
    if eighths == 4:
        return [Gate(letter.lower(), (slot,), predicated) for slot, letter in enumerate(letters)]
    outer = [Gate(name, (slot,)) for slot, letter in enumerate(letters) for name in BASIS[letter]]
    slots = list(range(len(letters)))
    while len(slots) > 1:  # in pairs, so that the depth is logarithmic
        outer += [Gate("cx", pair) for pair in zip(slots[::2], slots[1::2], strict=False)]
        slots = slots[1::2] + slots[len(slots) & ~1 :]
    return _around(outer, _turn(slots[0], eighths, predicated))
