"""Networks of few two-qubit gates for a sequence of Pauli rotations and a Clifford gate behind it.

A block of gates on k wires is, from its start, a product of rotations exp(-i a P / 2) and then a
Clifford gate C:

    cx a, b; t b; cx a, b; h a    =    rotation about Z_a Z_b; then C = h a

A two-qubit gate put in front conjugates every P, and the images C^-1 X_q C and C^-1 Z_q C.  So all
of these are strings that change alike.  A rotation about one qubit that commutes with all that
are left before it is emitted for free.  The network is complete when no rotation is left and the
images of qubit q are on q alone, or on another wire, for the price of a swap.

In front of a rotation come only gates that take a letter off a rotation that could be next, four
for each two of its letters, as in Paykin et al., PCOAST, arXiv:2305.10966, and Goubault de
Brugiere and Martiel, arXiv:2404.03280; the cost of the Clifford gate behind is that of Bravyi
et al., arXiv:2105.02291: ranks of 2 x 2 blocks.  Where these are greedy, here a beam keeps the
cheapest few prefixes of each length.

Signs play no role in the search.  A state has four bit sets for each wire: the rotations with an X
part on it, those with a Z part, and the same of images (bit 2 q of X_q, bit 2 q + 1 of Z_q).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.kernel import kernel
from qwasmc.passes.pauli.strings import SHIFT, letter_at, ones, support

Ints = NDArray[Any]

MAX_ROTATIONS = 60
"""At most so many rotations in a block: a set of them is an integer."""

SWAP_COST = 3
"""Two-qubit gates that a swap is worth."""

_XR, _ZR, _XC, _ZC = range(4)

_DECAY = 0.85
_LEAST = 0.1
_EVEN = 0x5555555555555555


@kernel
def emitted(strings: Ints, m: int, before: Ints, done: int) -> int:
    """The rotations done when those on one wire are emitted that may be."""
    changed = True
    while changed:
        changed = False
        for number in range(m):
            if not (done >> number) & 1 and before[number] & ~done == 0:
                wires = support(strings[number])
                if wires & (wires - 1) == 0:
                    done |= 1 << number
                    changed = True
    return done


@kernel
def _columns(strings: Ints, m: int, k: int, state: Ints) -> None:
    """Fill the bit sets of strings."""
    state[:] = 0
    for number in range(len(strings)):
        rotation = number < m
        bit = 1 << (number if rotation else number - m)
        for wire in range(k):
            if (strings[number] >> wire) & 1:
                state[_XR if rotation else _XC, wire] |= bit
            if (strings[number] >> (wire + SHIFT)) & 1:
                state[_ZR if rotation else _ZC, wire] |= bit


@kernel
def _letter(x: int, z: int, bit: int) -> int:
    """The letter of a string in the two bit sets of a wire, or -1."""
    return letter_at((x >> bit & 1) | (z >> bit & 1) << SHIFT, 0)


@kernel
def _behind(xa: int, za: int, xb: int, zb: int, p: int, q: int) -> tuple[int, int, int, int]:
    """The bit sets of two wires behind C(P, Q)."""
    odd_a = (xa if p != 0 else 0) ^ (za if p != 2 else 0)
    odd_b = (xb if q != 0 else 0) ^ (zb if q != 2 else 0)
    if p != 2:
        xa ^= odd_b
    if p != 0:
        za ^= odd_b
    if q != 2:
        xb ^= odd_a
    if q != 0:
        zb ^= odd_a
    return xa, za, xb, zb


@kernel
def _ranks(x: int, z: int, wire: int) -> float:
    """What a wire adds to the number of gates that the Clifford gate is likely to take."""
    some = x | z
    first, second = some & _EVEN, (some >> 1) & _EVEN
    differ = ((x ^ (x >> 1)) | (z ^ (z >> 1))) & _EVEN
    one, two = first | second, first & second & differ
    here = ((one >> (2 * wire)) & 1) + ((two >> (2 * wire)) & 1)
    return 0.3 * (ones(one) + ones(two) - here) + 0.15 * (2 - here)


@kernel
def _sum(mask: int, weight: Ints) -> float:
    total = 0.0
    while mask:
        total += weight[ones((mask & -mask) - 1)]
        mask &= mask - 1
    return total


@kernel
def _weigh(state: Ints, m: int, k: int, done: int, weight: Ints) -> float:
    """Fill the weights of rotations, the next ones first; the price of the state.

    It is about the number of gates that are still to come.
    """
    now = 1.0
    total = 0.0
    for number in range(m):
        weight[number] = 0.0 if (done >> number) & 1 else now
        total -= weight[number]
        if not (done >> number) & 1:
            now = max(now * _DECAY, _LEAST)
    for wire in range(k):
        total += _sum((state[_XR, wire] | state[_ZR, wire]) & ~done, weight)
        total += _ranks(state[_XC, wire], state[_ZC, wire], wire)
    return total


@kernel
def _at_least(state: Ints, m: int, k: int, done: int) -> int:
    """So many gates it takes at least: one gate takes at most one wire off a string."""
    most = 1
    for number in range(m):
        if not (done >> number) & 1:
            size = 0
            for wire in range(k):
                size += ((state[_XR, wire] | state[_ZR, wire]) >> number) & 1
            most = max(most, size)
    for qubit in range(k):
        size = 0
        for wire in range(k):
            size += ((state[_XC, wire] | state[_ZC, wire]) >> (2 * qubit)) & 3 != 0
        most = max(most, size)
    return most - 1


@kernel
def _emitted(state: Ints, k: int, before: Ints, done: int) -> int:
    """The same as `emitted`, of bit sets."""
    once = twice = 0
    for wire in range(k):
        here = state[_XR, wire] | state[_ZR, wire]
        twice |= once & here
        once |= here
    ready = once & ~twice & ~done
    changed = True
    while changed:
        changed = False
        rest = ready & ~done
        while rest:
            number = ones((rest & -rest) - 1)
            if before[number] & ~done == 0:
                done |= 1 << number
                changed = True
            rest &= rest - 1
    return done


@kernel
def _swaps(state: Ints, k: int) -> int:
    """How many swaps remain, or -1 if more than those."""
    count = k
    seen = 0
    for start in range(k):
        qubit = start
        count -= not (seen >> start) & 1
        while not (seen >> qubit) & 1:
            seen |= 1 << qubit
            place = -1
            for wire in range(k):
                if ((state[_XC, wire] | state[_ZC, wire]) >> (2 * qubit)) & 3:
                    if place >= 0:
                        return -1
                    place = wire
            qubit = place
    return count


@kernel
def _mixed(value: int) -> int:
    """A number that looks random."""
    value = (value ^ (value >> 31)) * 0x2545F4914F6CDD1D
    return (value ^ (value >> 29)) * 0x3C79AC492BA7B653


@kernel
def _fingerprint(state: Ints, k: int, done: int) -> int:
    """A number that gates on one qubit do not change: they permute letters."""
    value = done
    for wire in range(k):
        x, z = state[_XR, wire] & ~done, state[_ZR, wire] & ~done
        u, v = state[_XC, wire], state[_ZC, wire]
        letters = _mixed(_mixed(x & ~z) + (u & ~v)) + _mixed(_mixed(z & ~x) + (v & ~u))
        letters += _mixed(_mixed(x & z) + (u & v))
        value = _mixed(value + letters)
    return value


@kernel
def _gates(state: Ints, m: int, k: int, before: Ints, done: int, used: Ints, out: Ints) -> int:
    """Fill `out` with the gates to try, as numbers ((a k + b) 3 + p) 3 + q; how many."""
    count = 0
    used[:] = 0
    behind = done + 1 == 1 << m
    for number in range(k if behind else m):
        if not behind and ((done >> number) & 1 or before[number] & ~done):
            continue
        for b in range(k):
            for a in range(b):
                if behind:
                    on_a = (state[_XC, a] | state[_ZC, a]) >> (2 * number) & 3
                    on_b = (state[_XC, b] | state[_ZC, b]) >> (2 * number) & 3
                    if on_a == 0 or on_b == 0:
                        continue
                    at_a = at_b = -1
                else:
                    at_a = _letter(state[_XR, a], state[_ZR, a], number)
                    at_b = _letter(state[_XR, b], state[_ZR, b], number)
                    if at_a < 0 or at_b < 0:
                        continue
                for letters in range(9):
                    gate = (a * k + b) * 9 + letters
                    helps = (letters // 3 == at_a) != (letters % 3 == at_b)
                    if not used[gate] and (behind or helps):
                        used[gate] = 1
                        out[count] = gate
                        count += 1
    return count


@kernel
def _change(state: Ints, a: int, b: int, p: int, q: int, left: int, weight: Ints) -> float:
    """By how much C(P, Q) changes the price of a state with the rotations `left`."""
    xa, za, xb, zb = state[_XR, a], state[_ZR, a], state[_XR, b], state[_ZR, b]
    new_xa, new_za, new_xb, new_zb = _behind(xa, za, xb, zb, p, q)
    change = _sum((new_xa | new_za) & ~(xa | za) & left, weight)
    change += _sum((new_xb | new_zb) & ~(xb | zb) & left, weight)
    change -= _sum((xa | za) & ~(new_xa | new_za) & left, weight)
    change -= _sum((xb | zb) & ~(new_xb | new_zb) & left, weight)
    xa, za, xb, zb = state[_XC, a], state[_ZC, a], state[_XC, b], state[_ZC, b]
    change -= _ranks(xa, za, a) + _ranks(xb, zb, b)
    xa, za, xb, zb = _behind(xa, za, xb, zb, p, q)
    return change + _ranks(xa, za, a) + _ranks(xb, zb, b)


@kernel
def _apply(state: Ints, a: int, b: int, p: int, q: int) -> None:
    """Put C(P, Q) in front."""
    for x, z in ((_XR, _ZR), (_XC, _ZC)):
        state[x, a], state[z, a], state[x, b], state[z, b] = _behind(
            state[x, a], state[z, a], state[x, b], state[z, b], p, q
        )


@kernel
def _prices(
    state: Ints, m: int, k: int, done: int, gates: Ints, salt: int, weight: Ints, price: Ints
) -> None:
    """Fill the prices of a state behind each of these gates, with some noise."""
    base = _weigh(state, m, k, done, weight)
    for number in range(len(gates)):
        gate = gates[number]
        a, b, p, q = gate // 9 // k, gate // 9 % k, gate // 3 % 3, gate % 3
        noise = 1e-7 * (_mixed(salt + 1000003 * gate) & 0xFFFF)
        price[number] = base + _change(state, a, b, p, q, ~done, weight) + noise


@kernel
def _read_back(parent: Ints, chosen: Ints, k: int, depth: int, at: int, gates: Ints) -> None:
    """Fill the gates that lead to a state of the beam at some depth."""
    while depth > 0:
        gate = chosen[depth, at]
        at = parent[depth, at]
        depth -= 1
        gates[depth, 0], gates[depth, 1] = gate // 9 // k, gate // 9 % k
        gates[depth, 2], gates[depth, 3] = gate // 3 % 3, gate % 3


@kernel
def search(
    strings: Ints, m: int, k: int, before: Ints, limit: int, width: int, seed: int, gates: Ints
) -> int:
    """The gates of a network for m rotations and a Clifford gate on k wires, at most `limit`.

    `strings` are the m rotations and then, by qubit, the images of its X and Z; `before[i]` is the
    set of rotations that must precede rotation i.  Each swap that is needed at the end counts as
    `SWAP_COST` gates.  A beam of `width` prefixes is kept; `seed` breaks ties.  Fills
    gates[:number] with rows a, b, p, q and returns their number, or -1 if nothing was found.
    """
    beam, grown = np.empty((width, 4, k), np.int64), np.empty((width, 4, k), np.int64)
    done, grown_done = np.zeros(width, np.int64), np.zeros(width, np.int64)
    parent = np.empty((limit + 1, width), np.int64)
    chosen = np.empty((limit + 1, width), np.int64)
    prints = np.empty(width, np.int64)
    used, some = np.empty(9 * k * k, np.uint8), np.empty(9 * k * k, np.int64)
    price = np.empty(9 * k * k * width)
    origin = np.empty(9 * k * k * width, np.int64)
    weight = np.empty(m)
    _columns(strings, m, k, beam[0])
    done[0] = _emitted(beam[0], k, before, 0)
    size = 1
    best, best_depth, best_at = limit + 1, -1, -1
    for depth in range(limit + 1):
        for at in range(size):
            if done[at] + 1 == 1 << m:
                missing = _swaps(beam[at], k)
                if missing >= 0 and depth + SWAP_COST * missing < best:
                    best, best_depth, best_at = depth + SWAP_COST * missing, depth, at
        if depth + 1 >= best:
            break
        found = 0
        for at in range(size):
            count = _gates(beam[at], m, k, before, done[at], used, some)
            salt = seed + 7919 * at + 104729 * depth
            _prices(beam[at], m, k, done[at], some[:count], salt, weight, price[found:])
            for number in range(count):
                origin[found + number] = at * 9 * k * k + some[number]
            found += count
        kept = 0
        for _ in range(min(found, 4 * width)):
            candidate = np.argmin(price[:found])
            price[candidate] = np.inf
            at, gate = origin[candidate] // (9 * k * k), origin[candidate] % (9 * k * k)
            child = grown[kept]
            for part in range(4):
                for wire in range(k):
                    child[part, wire] = beam[at, part, wire]
            _apply(child, gate // 9 // k, gate // 9 % k, gate // 3 % 3, gate % 3)
            now = _emitted(child, k, before, done[at])
            if depth + 1 + _at_least(child, m, k, now) >= best:
                continue
            mark = _fingerprint(child, k, now)
            if (prints[:kept] == mark).any():
                continue
            grown_done[kept], prints[kept] = now, mark
            parent[depth + 1, kept], chosen[depth + 1, kept] = at, gate
            kept += 1
            if kept == width:
                break
        beam, grown = grown, beam
        done, grown_done = grown_done, done
        size = kept
    _read_back(parent, chosen, k, best_depth, best_at, gates)
    return best_depth
