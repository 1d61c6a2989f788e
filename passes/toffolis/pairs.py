"""Pairs of equal Toffolis that need not be whole: Toffolis up to a relative phase.

    ccx a, b, t; U; ccx a, b, t    =    R; U; R^-1        R = ccx, and then V

if V commutes with U (Maslov, arXiv:1508.03273).  In the basis in which a Toffoli is ccz, its qubits
p, q, r have the same part.  Take V = CS^-1 on q and r: that leaves the phases of p and of its
parities with q and r, so R takes 4 T and 4 CX instead of 7 and 6.  V commutes with U if U is
diagonal on q and on r, whatever it does to p.  If U commutes with X on p, V may contain a cx r, p
as well, and R takes 3 CX.

Unless p is the target, V changes basis values of the target, and with a cx of p.  Until V is undone
these wires have other values than in the program, so they do not count as being in |0>.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.ir.wires import Wired
from qwasmc.kernel import kernel
from qwasmc.passes.toffolis.legs import X, toffoli_legs, touch, zero_targets

PLAIN = -1
"""The number of no form."""

ONTO_ZERO, TO_ZERO = 16, 17
"""The numbers of a Toffoli on a target in |0>, and of one that leaves it in |0>."""


class Form(NamedTuple):
    """How a Toffoli is written whose operands are q, r and p."""

    target: int
    """Which of them is the target; 3 if it is a ccz."""
    short: bool
    """Whether V contains a cx."""
    second: bool
    """Whether it is the second of its pair."""

    @classmethod
    def numbered(cls, number: int) -> Form:
        """The form of a number below `ONTO_ZERO` that `pair_toffolis` gives."""
        return cls(number >> 2, bool(number & 2), bool(number & 1))


def pair_toffolis(wired: Wired) -> tuple[Wired, NDArray[np.int32]]:
    """The circuit, and by row the number of its `Form`, or one of the numbers above."""
    rows, legs = toffoli_legs(wired)
    whole = wired.cond[rows] < 0
    rows, legs = rows[whole], legs[whole]
    distinct, which = np.unique(legs, axis=0, return_inverse=True)
    equal = np.full(len(wired), -1, dtype=np.int32)
    equal[rows] = which
    before, after = zero_targets(wired)
    form, operands, hidden = _pair(
        wired.op,
        wired.operands,
        wired.pool,
        wired.cond,
        equal,
        distinct,
        before,
        after,
        wired.n_wires,
    )
    target, row = wired.operands[:, 2], np.arange(len(wired))
    single = (form == PLAIN) & ((row < hidden[target, 0]) | (row > hidden[target, 1]))
    form[single & after] = TO_ZERO
    form[single & before] = ONTO_ZERO
    # The first control is busy for longer.  The wire made last, likely ready last, is the second.
    ands = form >= ONTO_ZERO
    operands[ands, :2] = np.sort(operands[ands, :2], axis=1)
    return replace(wired, operands=operands), form


@kernel
def _pair(
    op: NDArray[Any],
    operands: NDArray[Any],
    pool: NDArray[Any],
    cond: NDArray[Any],
    equal: NDArray[np.int32],
    legs: NDArray[np.int32],
    before: NDArray[np.bool_],
    after: NDArray[np.bool_],
    n_wires: int,
) -> tuple[NDArray[np.int32], NDArray[Any], NDArray[np.int32]]:
    """The forms, the operands in their order, and by wire from where to where V changes its values.

    `equal` has by row which `legs` it has.
    """
    form = np.full(len(op), PLAIN, dtype=np.int32)
    ordered = operands.copy()
    hidden = np.full((n_wires, 2), -1, dtype=np.int32)
    hidden[:, 0] = len(op)
    unpaired = np.full(len(legs), -1, dtype=np.int32)
    other = np.full(2 * n_wires, -1, dtype=np.int32)
    flips = np.zeros(2 * n_wires, dtype=np.int32)
    flips_at = np.zeros((len(legs), 6), dtype=np.int32)
    for row in range(len(op)):
        which = equal[row]
        if which >= 0 and unpaired[which] >= 0:
            first = unpaired[which]
            pivot, short = _pivot(legs[which], first, other, flips, flips_at[which])
            # Two ANDs are as many gates, of less T depth.
            ands = before[first] and after[row]
            if pivot >= 0 and (short or not ands):
                target = 3
                for place in range(3):
                    leg = legs[which, (pivot + 1 + place) % 3]
                    ordered[first, place] = ordered[row, place] = leg // 2
                    target = place if leg % 2 == X else target
                    if legs[which, pivot] % 2 != X and (leg % 2 == X or (short and place == 2)):
                        hidden[leg // 2, 0] = min(hidden[leg // 2, 0], first)
                        hidden[leg // 2, 1] = row
                form[first] = 4 * target + 2 * short
                form[row] = form[first] + 1
                if short:
                    leg = legs[which, pivot]
                    other[leg] = other[leg ^ 1] = row
        if which >= 0:
            unpaired[which] = row if form[row] == PLAIN else -1
            for at in range(6):
                flips_at[which, at] = flips[legs[which, at // 2] ^ (at % 2)]
        touch(row, op, operands, pool, cond, other, flips)
    return form, ordered, hidden


@kernel
def _pivot(
    legs: NDArray[np.int32],
    first: int,
    other: NDArray[np.int32],
    flips: NDArray[np.int32],
    flips_at: NDArray[np.int32],
) -> tuple[int, bool]:
    """Which leg of a Toffoli and an equal one in row `first` can be p, and whether V may have a cx.

    A leg for which that is so is best, then the target.
    """
    calm = np.zeros(6, dtype=np.bool_)  # by leg, and the other one on its wire: is it kept
    for at in range(6):
        leg = legs[at // 2] ^ (at % 2)
        calm[at] = other[leg] <= first and (flips[leg] - flips_at[at]) % 2 == 0
    found, short = -1, False
    for at in range(3):
        if not (calm[2 * ((at + 1) % 3)] and calm[2 * ((at + 2) % 3)]):
            continue
        better = found < 0 or calm[2 * at + 1] > short
        if better or (calm[2 * at + 1] == short and legs[at] % 2 == X):
            found, short = at, calm[2 * at + 1]
    return found, short
