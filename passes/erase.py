"""erase: Circuit -> Circuit.  Ancillas that return to |0> are measured in X instead.

    0  alloc                  -> w      0  alloc                  -> w
    1  ccx a, b, w                      1  ccx a, b, w
    2  cz w, c                          2  cz w, c
    3  ccx a, b, w                      3  measure_x w            -> m
    4  free w                           4  free w
                                        5  cz a, b {if m}

Where value numbers say that a wire is in |0> again, the x, cx and ccx onto it behind all that reads
it are a *group*: together they add its value f to it.  Measuring X instead gives m, 0 and 1 equally
often, and leaves a phase (-1)^(m f), which z and cz in their places undo if m = 1 (Jones,
arXiv:1212.5069; Gidney, arXiv:1709.06648).  That saves the T gates of each ccx; groups without one
stay.  So do those of the program's qubits, which are not for the compiler to measure.  What is
computed and undone without a use is left out beforehand (`reversible.dead`).

If the wire is freed next, the group is left out where nobody can tell.  Without it, the wire is
freed with f in it, as if f was measured and forgotten.  That makes no difference if f follows from
what is measured anyway: if each control of the group is measured in Z, reset or, unless it is a
qubit of the program, freed, and until then only a control or in diagonal gates.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.ir.circuit import Circuit
from qwasmc.ir.wires import COUNT, ENDS_QUBIT, Wired, to_circuit, to_wires, wires_of
from qwasmc.kernel import kernel
from qwasmc.ops import CODE, OPS
from qwasmc.passes.reversible.dead import Writes, find_writes, needed_rows
from qwasmc.passes.reversible.numbers import CONTROLS, kept_values

Ints = NDArray[Any]

X, CX, CCX = CODE["x"], CODE["cx"], CODE["ccx"]
ALLOC, INPUT, FREE = CODE["alloc"], CODE["input"], CODE["free"]
RESET, MEASURE_Z = CODE["reset"], CODE["measure_z"]

PHASE = np.zeros(len(OPS), dtype=np.uint8)
"""By op code of a row of a group, what its phase is on the controls; that of x is global."""
PHASE[CX], PHASE[CCX] = CODE["z"], CODE["cz"]


class Groups(NamedTuple):
    """Columns with an entry per group."""

    first: NDArray[np.int32]
    """Its first row."""
    behind: NDArray[np.int32]
    """The next row on its wire after its last one, or -1."""
    wire: NDArray[np.int32]
    toffolis: NDArray[np.int32]
    """How many of its rows are ccx."""
    idle: NDArray[np.bool_]
    """Whether nobody can tell if it is left out."""


def erase(circuit: Circuit, measured: bool = False) -> Circuit:
    """The circuit with fewer Toffolis that return ancillas to |0>.

    Unless `measured`, gates are only left out, and there are no measurements and no gates that
    depend on them.
    """
    wired = to_wires(circuit)
    writes = find_writes(wired)
    if not writes.to_zero.any():
        return circuit
    needed = needed_rows(wired, writes)
    wired, writes = wired.take(needed), writes.of(needed)
    named = _named(wired)
    group, groups = _groups(wired, writes, named)
    chosen = ~groups.idle & ~named[groups.wire] & (groups.toffolis > 0) & measured
    if not (chosen | groups.idle).any():
        return circuit if needed.all() else to_circuit(wired)
    return to_circuit(_rewritten(wired, group, groups, chosen))


def _named(wired: Wired) -> NDArray[np.bool_]:
    """By wire, whether it is a qubit of the program."""
    rows = np.flatnonzero((wired.op == ALLOC) | (wired.op == INPUT))
    named = np.ones(wired.n_wires, dtype=np.bool_)
    name = np.array([bool(name) for name in wired.names])
    named[wired.made[rows]] = name[wired.attr[rows]] | (wired.op[rows] == INPUT)
    return named


def _groups(
    wired: Wired, writes: Writes, named: NDArray[np.bool_]
) -> tuple[NDArray[np.int32], Groups]:
    """By row the number of its group or -1, and the groups."""
    group = _number(
        wired.op, wired.operands, wired.pool, writes.here, writes.to_zero, wired.n_wires
    )
    rows = np.flatnonzero(group >= 0)
    _, at = np.unique(group[rows], return_index=True)
    first = rows[at].astype(np.int32)
    behind, idle = _judge(
        wired.op,
        wired.operands,
        wired.pool,
        wired.cond,
        kept_values(wired),
        group,
        first,
        named,
    )
    wire = wired.operands[first, COUNT[wired.op[first]] - 1]
    toffolis = np.bincount(group[rows], wired.op[rows] == CCX, len(first)).astype(np.int32)
    return group, Groups(first, behind, wire, toffolis, idle)


@kernel
def _number(
    op: Ints,
    operands: Ints,
    pool: Ints,
    writes: NDArray[np.bool_],
    zero: NDArray[np.bool_],
    n_wires: int,
) -> NDArray[np.int32]:
    """By row the number of its group or -1; `zero` says of writes that they lead to |0>."""
    group = np.full(len(op), -1, dtype=np.int32)
    earlier = np.full(len(op), -1, dtype=np.int32)
    last = np.full(n_wires, -1, dtype=np.int32)  # by wire, the last write behind all reads
    groups = 0
    for row in range(len(op)):
        wires = wires_of(row, op, operands, pool)
        reads = len(wires) - writes[row]
        for wire in wires[:reads]:
            last[wire] = -1
        if not writes[row]:
            continue
        wire = wires[reads]
        earlier[row], last[wire] = last[wire], row
        if zero[row]:
            while last[wire] >= 0:
                group[last[wire]] = groups
                last[wire] = earlier[last[wire]]
            groups += 1
    return group


@kernel
def _judge(
    op: Ints,
    operands: Ints,
    pool: Ints,
    cond: Ints,
    keeps: NDArray[np.bool_],
    group: NDArray[np.int32],
    first: NDArray[np.int32],
    named: NDArray[np.bool_],
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """By group the row behind it, and whether it can be left out: from the end to the start."""
    behind = np.full(len(first), -1, dtype=np.int32)
    idle = np.zeros(len(first), dtype=np.bool_)
    judged = np.zeros(len(first), dtype=np.bool_)
    following = np.full(len(named), -1, dtype=np.int32)
    lost = np.zeros(len(named), dtype=np.bool_)  # by wire: is its value as good as measured
    for row in range(len(op) - 1, -1, -1):
        code, own = op[row], group[row]
        wires = wires_of(row, op, operands, pool)
        if own >= 0:
            wire = wires[-1]
            if not judged[own]:
                judged[own], behind[own] = True, following[wire]
                freed = following[wire] >= 0 and op[following[wire]] == FREE
                idle[own] = freed and not named[wire]
            for control in wires[:-1]:
                idle[own] &= lost[control]
            if row == first[own]:
                lost[wire] = idle[own]
        elif ENDS_QUBIT[code]:
            lost[wires[0]] = code == FREE and not named[wires[0]]
        elif code in (RESET, MEASURE_Z) and cond[row] < 0:
            lost[wires[0]] = True
        elif not keeps[row]:
            for each in wires[CONTROLS[code] :]:
                lost[each] = False
        for each in wires:
            following[each] = row
    return behind, idle


def _rewritten(
    wired: Wired, group: NDArray[np.int32], groups: Groups, measured: NDArray[np.bool_]
) -> Wired:
    """The circuit without idle groups, and with measurements for those that are chosen.

    A wire that is used again is another ancilla then.
    """
    behind = groups.behind
    ends = measured & (behind >= 0) & (wired.op[behind] == FREE)
    again = measured & (behind >= 0) & ~ends
    bit = (wired.n_bits + np.cumsum(measured) - 1).astype(np.int32)
    inside = group >= 0
    phase = inside & measured[group]
    kept = ~(inside & groups.idle[group]) & ~(phase & (wired.op == X))
    kept[behind[ends]] = False
    operands = wired.operands.copy()
    operands[phase, COUNT[wired.op[phase]] - 1] = -1
    changed = replace(
        wired,
        op=np.where(phase, PHASE[wired.op], wired.op),
        operands=operands,
        cond=np.where(phase, bit[group], wired.cond),
        n_bits=wired.n_bits + int(measured.sum()),
    )
    loc, none = wired.loc[groups.first], np.full_like(bit, -1)
    return _with_rows(
        changed,
        kept,
        Added("measure_x", measured, groups.first, groups.wire, bit, none),
        Added("free", measured, groups.first, groups.wire, none, loc),
        Added("alloc", again, behind, none, groups.wire, loc),
    )


class Added(NamedTuple):
    """New rows of one operation: columns by group."""

    name: str
    wanted: NDArray[np.bool_]
    """Which groups have one."""
    row: NDArray[np.int32]
    """It stands before this row of the circuit."""
    operand: NDArray[np.int32]
    made: NDArray[np.int32]
    loc: NDArray[np.int32]


def _with_rows(wired: Wired, kept: NDArray[np.bool_], *added: Added) -> Wired:
    """The circuit with these rows, but of its own only those that are kept."""

    def new(column: str) -> Ints:
        return np.concatenate([getattr(each, column)[each.wanted] for each in added])

    op = np.repeat([CODE[each.name] for each in added], [each.wanted.sum() for each in added])
    grown = wired.insert(new("row"), op, new("operand"), new("made"), new("loc"))
    return grown.take(np.insert(kept, new("row"), True))
