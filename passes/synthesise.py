"""synthesise: Circuit -> Circuit.  Rotations about Z become words of Clifford and T gates.

    6  rz 8 {angle = 0.3}     h 41; t 42; s 43; h 44; ...

A rotation by a multiple of pi/4 is exact and takes at most one T.  Any other becomes a word of
Clifford and T gates near it (`synthesis`).  All words share one error in equal parts; errors of
unitaries add up, so for any outcomes of its measurements the circuit is at most that far from the
program, in operator norm and up to global phase.

A word is not predicated: half a turn and its inverse cancel or, with X on the bit between and after
them, add up.

    rz(a) if b    =    rz(a/2); x if b; rz(-a/2); x if b

With `feed_forward` a rotation that is not predicated is made by a measurement that nearly always
succeeds, and a predicated word where it fails (`fallback`): a third of the T gates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.diagnostics import CompileError, Kind
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.wires import WireBuilder, to_circuit, to_wires
from qwasmc.ops import CODE
from qwasmc.passes.rotations.fallback import Fallback, project
from qwasmc.passes.rotations.synthesis import (
    DIAGONAL,
    FINEST,
    NoWord,
    eighths,
    find_words,
    folded,
    gates,
    unfolded,
    wrapped,
)
from qwasmc.passes.templates import Gate, substitute, template

DEFAULT_ERROR = 1e-3
"""Error of a whole circuit."""


def synthesise(
    circuit: Circuit, synthesis_error: float = DEFAULT_ERROR, feed_forward: bool = False
) -> Circuit:
    """The circuit with words for its rz, at most `synthesis_error` from what it was."""
    kinds = _kinds(circuit)
    share = _share(circuit, kinds, synthesis_error)
    if feed_forward and share:
        circuit = _measured(circuit, share)
        kinds = _kinds(circuit)
    if not len(kinds.rows):
        return circuit
    words = _words(circuit, kinds, share)
    number = np.full(len(circuit), -1)
    number[kinds.rows] = kinds.which
    templates = [template(_spelled(group, words)) for group in kinds.steps]
    return to_circuit(substitute(to_wires(circuit), number, templates))


class Kinds(NamedTuple):
    """The rz rows of a circuit, and of each kind of them the first one and its steps."""

    rows: NDArray[np.intp]
    which: NDArray[np.intp]
    """By row, the number of its kind."""
    first: list[int]
    steps: list[list[Gate]]


def _kinds(circuit: Circuit) -> Kinds:
    rows = np.flatnonzero(circuit.op == CODE["rz"])
    columns = np.stack([circuit.angle[rows], circuit.cond[rows] >= 0])
    kinds, first, which = np.unique(columns, axis=1, return_index=True, return_inverse=True)
    steps = [_steps(angle, bool(predicated)) for angle, predicated in kinds.T.tolist()]
    return Kinds(rows, which, rows[first].tolist(), steps)


def _share(circuit: Circuit, kinds: Kinds, budget: float) -> float:
    """The error of each rotation that takes a word, or 0 if none does."""
    turns = [sum(gate.name == "rz" for gate in group) for group in kinds.steps]
    total = int(np.array(turns, dtype=int)[kinds.which].sum()) if turns else 0
    if not total:
        return 0.0
    share = budget / total
    if not share >= FINEST:
        row = min(row for row, count in zip(kinds.first, turns, strict=True) if count)
        message = f"{total} rotations cannot share a synthesis error of {budget:g}"
        raise _refusal(circuit, row, message, f"one needs {FINEST:g} or more")
    return share


def _measured(circuit: Circuit, allowed: float) -> Circuit:
    """The circuit with the circuits of `fallback` for its rz, where these have fewer T gates."""
    wired = to_wires(circuit)
    builder = WireBuilder(wired)
    found: dict[float, Fallback | None] = {}
    for row, code in enumerate(wired.op.tolist()):
        angle = float(wired.angle[row])
        if code != CODE["rz"] or wired.cond[row] >= 0 or eighths(angle) is not None:
            builder.copy(wired, row)
            continue
        if angle not in found:
            found[angle] = project(angle, allowed)
        rotation = found[angle]
        if rotation is None:
            builder.copy(wired, row)
        else:
            _append(builder, rotation, int(wired.operands[row, 0]), int(wired.loc[row]))
    return to_circuit(builder.freeze())


def _append(builder: WireBuilder, rotation: Fallback, data: int, loc: int) -> None:
    """Append the circuit of a rotation by measurement."""
    ancilla = builder.alloc(loc)
    builder.gate("cx", data, ancilla, loc=loc)
    for name in gates(rotation.word):
        builder.gate(name, ancilla, loc=loc)
    builder.gate("cx", data, ancilla, loc=loc)
    bit = builder.measure("measure_z", ancilla)
    for name in gates(rotation.correction):
        builder.gate(name, data, cond=bit, loc=loc)
    builder.gate("free", ancilla, loc=loc)


def _steps(angle: float, predicated: bool) -> list[Gate]:
    """An rz, perhaps predicated, from gates of Clifford+T and rz that are not predicated."""
    exact = eighths(angle)
    if exact is not None:
        return [Gate(name, (0,), predicated) for name in DIAGONAL[exact]]
    if not predicated:
        return [Gate("rz", (0,), angle=angle)]
    half = wrapped(angle) / 2
    flip = Gate("x", (0,), predicated=True)
    return [Gate("rz", (0,), angle=half), flip, Gate("rz", (0,), angle=-half), flip]


def _words(circuit: Circuit, kinds: Kinds, share: float) -> dict[float, str]:
    """Words for the rests of all angles."""
    needed: dict[float, int] = {}
    for group, row in zip(kinds.steps, kinds.first, strict=True):
        for turn in group:
            if turn.name == "rz":
                rest = abs(folded(turn.angle)[1])
                needed[rest] = min(row, needed.get(rest, row))
    if not needed:
        return {}
    try:
        return find_words(list(needed), share)
    except NoWord as failure:
        message = f"no Clifford and T gates were found for this rotation to within {share:g}"
        raise _refusal(circuit, needed[failure.angle], message, str(failure)) from failure


def _refusal(circuit: Circuit, row: int, message: str, note: str) -> CompileError:
    found = circuit.locations.diagnostic(message, int(circuit.loc[row]))
    help = "allow a larger synthesis error"
    return CompileError(replace(found, notes=(note,), help=help, kind=Kind.LIMIT))


def _spelled(steps: Iterable[Gate], words: Mapping[float, str]) -> Iterator[Gate]:
    """The steps, with the gates of its word for each rz."""
    for step in steps:
        if step.name == "rz":
            yield from (Gate(name, (0,)) for name in gates(unfolded(step.angle, words)))
        else:
            yield step
