"""Toffolis with four T gates each, or fewer, by ancillas that are measured.

In the basis in which a Toffoli is ccz, it is a cz from an ancilla that has the product of two of
its qubits.  The product takes 4 T to compute and a measurement to uncompute (`and_gadget`), and
serves all Toffolis with these two qubits between which nothing changes them:

    ccx a, b, t            w = a b; cx w, t
    U                 =    U                          if U is diagonal on a and on b
    ccx b, a, u            cx w, u; w uncomputed

Where a Toffoli and the one that undoes it act on |0>, the product is computed in place.  Of one
that is predicated, only the cz is.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.ir.wires import WireBuilder, Wired
from qwasmc.kernel import kernel
from qwasmc.passes.toffolis.and_gadget import and_compute, and_off, and_onto, and_uncompute
from qwasmc.passes.toffolis.legs import X, toffoli_legs, touch, zero_targets


def measure_toffolis(wired: Wired) -> Wired:
    """The circuit with a measured ancilla for each product that its Toffolis need."""
    rows, legs = toffoli_legs(wired)
    if not len(rows):
        return wired
    pairs = np.stack([np.delete(legs, third, axis=1) for third in range(3)], axis=1)
    distinct, which = np.unique(pairs.reshape(-1, 2), axis=0, return_inverse=True)
    number = np.full(len(wired), -1)
    number[rows] = np.arange(len(rows))
    third, first, undoes = _share(
        wired.op,
        wired.operands,
        wired.pool,
        wired.cond,
        wired.n_wires,
        number,
        legs,
        which.reshape(-1, 3),
        distinct,
    )
    third = np.where(third < 0, np.argmax(legs % 2 == X, axis=1), third)
    every = np.arange(len(rows))
    last = every.copy()
    last[first] = every
    times = np.bincount(first, minlength=len(rows))
    cond = wired.cond[rows]
    undone = (times == 2) & undoes[last] & (cond[last] < 0)
    in_place = zero_targets(wired)[0][rows] & ((times == 1) | undone)
    columns = (
        legs[every, third],
        pairs[every, third],
        first,
        last[first] == every,
        in_place[first],
        cond,
        wired.loc[rows],
    )
    toffolis = list(map(Toffoli, *(column.tolist() for column in columns)))
    return _Writer(wired, number, toffolis).run()


class Toffoli(NamedTuple):
    """What becomes of a Toffoli."""

    third: int
    """The leg that the product is not of."""
    pair: list[int]
    """The legs whose product it uses."""
    first: int
    """The first Toffoli with that product."""
    last: bool
    """Whether it is the last one."""
    in_place: bool
    """Whether the target holds the product."""
    cond: int
    loc: int


class _Writer:
    """Writes the rows, one by one."""

    def __init__(self, wired: Wired, number: NDArray[Any], toffolis: list[Toffoli]) -> None:
        self.wired = wired
        self.number = number.tolist()
        self.toffolis = toffolis
        self.builder = WireBuilder(wired)
        self.product: dict[int, int] = {}
        """By the first Toffoli that uses it, the wire that has a product."""

    def run(self) -> Wired:
        for row, number in enumerate(self.number):
            if number < 0:
                self.builder.copy(self.wired, row)
            else:
                self.write(number, self.toffolis[number])
        return self.builder.freeze()

    def write(self, number: int, toffoli: Toffoli) -> None:
        """Write a Toffoli, and its product before or after it if it is the first or last one."""
        builder, loc = self.builder, toffoli.loc
        target, kind = divmod(toffoli.third, 2)
        a, b = (leg // 2 for leg in toffoli.pair)
        turned = [leg // 2 for leg in toffoli.pair if leg % 2 == X]
        if number == toffoli.first:
            self.turn(turned, loc)
            if toffoli.in_place:
                and_onto(builder, target, a, b, loc)
                self.product[number] = target
            else:
                self.product[number] = and_compute(builder, a, b, loc)
            self.turn(turned, loc)
        wire = self.product[toffoli.first]
        if wire != target:
            builder.gate("cx" if kind == X else "cz", wire, target, cond=toffoli.cond, loc=loc)
        if not toffoli.last:
            return
        self.turn(turned, loc)
        if wire != target:
            and_uncompute(builder, wire, a, b, loc)
        elif number != toffoli.first:
            outcome = and_off(builder, wire, a, b, loc)
            builder.gate("h", wire, loc=loc)
            builder.gate("x", wire, cond=outcome, loc=loc)
        self.turn(turned, loc)

    def turn(self, wires: list[int], loc: int) -> None:
        """Exchange Z and X on some wires."""
        for wire in wires:
            self.builder.gate("h", wire, loc=loc)


@kernel
def _share(
    op: NDArray[Any],
    operands: NDArray[Any],
    pool: NDArray[Any],
    cond: NDArray[Any],
    n_wires: int,
    number: NDArray[Any],
    legs: NDArray[np.int32],
    pairs: NDArray[Any],
    pair_legs: NDArray[np.int32],
) -> tuple[NDArray[np.int8], NDArray[np.int32], NDArray[np.bool_]]:
    """By Toffoli: which leg is not in its product, the first one with that product, and whether
    it undoes the one before with that product, on a target that stays as it is until then.

    `number` is that of a row's Toffoli; `pairs` numbers the pairs without each of its legs.
    """
    third = np.full(len(legs), -1, dtype=np.int8)
    first = np.arange(len(legs)).astype(np.int32)
    undoes = np.zeros(len(legs), dtype=np.bool_)
    user = np.full(len(pair_legs), -1, dtype=np.int32)  # by pair, the last Toffoli with it
    row_of = np.zeros(len(legs), dtype=np.int64)
    other = np.full(2 * n_wires, -1, dtype=np.int32)
    flips = np.zeros(2 * n_wires, dtype=np.int32)
    flips_at = np.zeros((len(pair_legs), 2), dtype=np.int32)
    flips_of_target = np.zeros(len(legs), dtype=np.int32)
    for row in range(len(op)):
        own = number[row]
        if own >= 0:
            row_of[own] = row
            chosen, best = -1, -1
            for at in range(3):
                pair = pairs[own, at]
                earlier = user[pair]
                if earlier < 0 or (third[earlier] >= 0 and pairs[earlier, third[earlier]] != pair):
                    continue
                kept = True
                for side in range(2):
                    leg = pair_legs[pair, side]
                    odd = (flips[leg] - flips_at[pair, side]) % 2 == 1
                    kept = kept and other[leg] <= row_of[earlier] and not odd
                # Best is a product that is there already, then one of two controls.
                rank = 2 * (third[earlier] >= 0) + (legs[own, at] % 2 == X)
                if kept and rank > best:
                    chosen, best = at, rank
            if chosen >= 0:
                earlier = user[pairs[own, chosen]]
                for at in range(3):
                    if pairs[earlier, at] == pairs[own, chosen]:
                        third[earlier] = at
                third[own], first[own] = chosen, first[earlier]
                leg = legs[own, chosen]
                same = leg % 2 == X and leg == legs[earlier, third[earlier]]
                even = (flips[leg ^ 1] - flips_of_target[earlier]) % 2 == 0
                undoes[own] = same and even and other[leg ^ 1] <= row_of[earlier]
            for at in range(3):
                if chosen < 0 or at == chosen:
                    user[pairs[own, at]] = own
                    for side in range(2):
                        flips_at[pairs[own, at], side] = flips[pair_legs[pairs[own, at], side]]
                if legs[own, at] % 2 == X:
                    flips_of_target[own] = flips[legs[own, at] ^ 1]
        touch(row, op, operands, pool, cond, other, flips)
    return third, first, undoes
