"""What happens when a gate arrives at the end of a graph of runs: the rules of cancellation.

Pairs, see `runs`, follow these, up to one-qubit Clifford gates, which move to the end:

    C(P, Q) C(P, Q)   = 1                           on one pair of wires
    C(P, Q) C(P, Q')  = C(P, Q'')                   Q, Q', Q'' different
    C(P', Q') C(P, Q) = C(P, Q) swap                P' != P and Q' != Q
    C h C             = h h'                        C = C(P, Q) on a, b; h = C(R, S) on b, c
    h h' C            = C h                         with Q != R; h' = C(P, S) on a, c

The first two are single steps; the third is applied where three gates on the same pair meet, and
the last two, which move a gate back across one it does not commute with, where that saves a gate.
The fourth also holds with a predicated Pauli R on b for h: h' is then P on a, predicated likewise.
In terms of cx, cz and h such rules are in Nam, Ross, Su, Childs, Maslov, arXiv:1710.07345.
"""

from __future__ import annotations

import math

from qwasmc.kernel import kernel
from qwasmc.passes.cancelling.frames import IDENTITY, IMAGE, INVERSE, MAPPING, PRODUCT, TURN
from qwasmc.passes.cancelling.runs import (
    FRAME,
    NONE,
    OPAQUE,
    PAIR,
    PAULI,
    ROTATION,
    ROW,
    SWAP,
    Ints,
    Net,
    add_item,
    append,
    empty_net,
    find,
    insert_run,
    last_run,
    link,
    other,
    remember,
    remove_pair,
    to_word,
    unlink,
)
from qwasmc.passes.cancelling.runs import TURN as TURN_ITEM

LOOK = 64
"""Pairs of a run that another is tried to be moved across, at most: what keeps time linear."""

CLOSE = 1e-12
"""Angles that differ by less, in radians, are the same."""


def simplify(word: Ints, pool: Ints, n_wires: int) -> Ints:
    """The word after all rules have been applied in one sweep from left to right."""
    items = len(word) + 3 * (len(pool) + n_wires)
    return _simplify(empty_net(n_wires, items, 2 * items + len(pool)), word, pool, n_wires)


@kernel
def _simplify(net: Net, word: Ints, pool: Ints, n_wires: int) -> Ints:
    for place in range(len(word)):
        _arrive(net, word, place, pool)
    for wire in range(n_wires):
        _flush(net, wire)
    return to_word(net)


@kernel
def _arrive(net: Net, word: Ints, place: int, pool: Ints) -> None:
    kind, source = word[place].kind, word[place].source
    a, b = word[place].wires
    if kind == ROW:
        _row(net, a, b, source, pool)
    elif kind == SWAP:
        net.wires[a].at, net.wires[b].at = net.wires[b].at, net.wires[a].at
        net.wires[net.wires[a].at].holds, net.wires[net.wires[b].at].holds = a, b
    elif kind == FRAME:
        wire = net.wires[a].at
        net.wires[wire].frame = PRODUCT[net.wires[wire].frame, INVERSE[word[place].value]]
        net.wires[wire].source = source
    else:
        wire = net.wires[a].at
        p = IMAGE[net.wires[wire].frame, word[place].labels[0]]
        if kind == PAIR:
            q = IMAGE[net.wires[net.wires[b].at].frame, word[place].labels[1]]
            _pair(net, wire, net.wires[b].at, p, q, source)
        elif kind == TURN_ITEM:
            _turn(net, wire, p, word[place].value, source)
        elif kind == ROTATION:
            _rotation(net, wire, p, word[place].angle, source)
        else:
            node = add_item(net, PAULI, 2, 0, 0.0, source)
            append(net, node, wire, p % 3)
            append(net, node + 1, b, OPAQUE)


# -- rows and frames


@kernel
def _row(net: Net, offset: int, count: int, source: int, pool: Ints) -> None:
    """A row that nothing moves across: put what is still to come in front of it."""
    for slot in range(offset, offset + count):
        _flush(net, pool[slot])
    node = add_item(net, ROW, count, offset, 0.0, source)
    for slot in range(count):
        append(net, node + slot, pool[offset + slot], OPAQUE)


@kernel
def _flush(net: Net, wire: int) -> None:
    """Make a wire hold its own qubit, without anything still to come."""
    there = net.wires[wire].at
    if there != wire:
        _put_frame(net, there)
        _put_frame(net, wire)
        node = add_item(net, SWAP, 2, 0, 0.0, NONE)
        append(net, node, wire, OPAQUE)
        append(net, node + 1, there, OPAQUE)
        moved = net.wires[wire].holds
        net.wires[moved].at, net.wires[there].holds = there, moved
        net.wires[wire].at = net.wires[wire].holds = wire
    _put_frame(net, wire)


@kernel
def _put_frame(net: Net, wire: int) -> None:
    if net.wires[wire].frame != IDENTITY:
        node = add_item(net, FRAME, 1, INVERSE[net.wires[wire].frame], 0.0, net.wires[wire].source)
        append(net, node, wire, OPAQUE)
        net.wires[wire].frame = IDENTITY


@kernel
def _push(net: Net, wire: int, p: int, quarters: int) -> None:
    """Move the Clifford gate exp(-i quarters pi/4 P) from the end of a wire to what is to come."""
    net.wires[wire].frame = PRODUCT[TURN[p % 3, -quarters % 4], net.wires[wire].frame]


# -- rotations about one Pauli


@kernel
def _turn(net: Net, wire: int, p: int, k: int, source: int) -> None:
    """A turn by k: at most one, by 1 or -1, stays in a run."""
    run = last_run(net, wire, p % 3)
    node = net.runs[run].turn
    if p >= 3:
        k = -k
    if node == NONE:
        node = add_item(net, TURN_ITEM, 1, k, 0.0, source)
        link(net, node, wire, run)
        net.runs[run].turn = node
        return
    # Two odd turns make a Clifford gate.
    total = k + net.items[net.nodes[node].item].value
    unlink(net, node)
    _push(net, wire, p, total // 2)


@kernel
def _rotation(net: Net, wire: int, p: int, angle: float, source: int) -> None:
    """A rotation by an angle: at most one stays in a run."""
    run = last_run(net, wire, p % 3)
    node = net.runs[run].rotation
    if p >= 3:
        angle = -angle
    if node == NONE:
        node = add_item(net, ROTATION, 1, 0, angle, source)
        link(net, node, wire, run)
        net.runs[run].rotation = node
        return
    item = net.items[net.nodes[node].item]
    item.angle = _principal(_principal(angle) + _principal(item.angle))
    if abs(item.angle) < CLOSE:
        unlink(net, node)


@kernel
def _principal(angle: float) -> float:
    """An angle from -pi to pi; sums of large ones would lose digits."""
    if abs(angle) <= math.pi:
        return angle
    return math.atan2(math.sin(angle), math.cos(angle))


# -- pairs


@kernel
def _pair(net: Net, a: int, b: int, p: int, q: int, source: int) -> None:
    """A pair arrives: apply the rules until none does, then append what is left of it."""
    while True:
        # C(-P, Q) = C(P, Q) Q.
        if q >= 3:
            _push(net, a, p, 2)
        if p >= 3:
            _push(net, b, q, 2)
        p, q = p % 3, q % 3
        node = _partner(net, a, b, p, q)
        if node == NONE:
            node = _before_last(net, a, b)
            if node == NONE:
                break
            p, q = _extract_swap(net, a, b, p, q, node)
            continue
        p1, q1 = _label(net, node), _label(net, other(net, node))
        if p1 == p and q1 == q:
            remove_pair(net, node)
            return
        if p1 == p:
            at_end = _merge(net, a, b, p, q, node, source)
            q = 3 - q - q1
        else:
            at_end = _merge(net, b, a, q, p, other(net, node), source)
            p = 3 - p - p1
        if not at_end:
            return
    if _move_back(net, a, b, p, q, source) or _move_back(net, b, a, q, p, source):
        return
    node = add_item(net, PAIR, 2, 0, 0.0, source)
    append(net, node, a, p)
    append(net, node + 1, b, q)
    remember(net, node)


@kernel
def _before_last(net: Net, a: int, b: int) -> int:
    """The node on `a` of a pair just before another one that ends both wires, or NONE."""
    run_a, run_b = net.wires[a].last, net.wires[b].last
    if NONE in (run_a, run_b) or net.runs[run_a].size != 1 or net.runs[run_b].size != 1:
        return NONE
    node = net.runs[run_a].head
    before_a, before_b = net.runs[run_a].before, net.runs[run_b].before
    if (
        net.nodes[node].item != net.nodes[net.runs[run_b].head].item
        or net.items[net.nodes[node].item].kind != PAIR
    ):
        return NONE
    if NONE in (before_a, before_b):
        return NONE
    if (
        net.runs[before_a].label == net.runs[run_a].label
        or net.runs[before_b].label == net.runs[run_b].label
    ):
        return NONE
    return find(net, before_a, before_b)


@kernel
def _extract_swap(net: Net, a: int, b: int, p: int, q: int, node: int) -> tuple[int, int]:
    """C(P', Q') at `node` and the last pair C(P, Q) become C(P, Q), local gates and a swap.

    The latter move to the end; what the arriving pair's P and Q are then.
    """
    p1, q1 = net.runs[net.wires[a].last].label, net.runs[net.wires[b].last].label
    p2, q2 = _label(net, node), _label(net, other(net, node))
    remove_pair(net, node)
    # C(P1, Q1) C(P2, Q2) = swap (W x W^-1) C(P1, Q1) for the W that maps P1 to Q2 and P2 to Q1.
    w = MAPPING[p1, p2, q2, q1]
    net.wires[a].frame, net.wires[b].frame = (
        PRODUCT[INVERSE[w], net.wires[b].frame],
        PRODUCT[w, net.wires[a].frame],
    )
    u, v = net.wires[a].holds, net.wires[b].holds
    net.wires[u].at, net.wires[v].at = b, a
    net.wires[a].holds, net.wires[b].holds = v, u
    return IMAGE[INVERSE[w], q], IMAGE[w, p]


@kernel
def _label(net: Net, node: int) -> int:
    return int(net.runs[net.nodes[node].run].label)


@kernel
def _reach(net: Net, wire: int, p: int) -> int:
    """The run before the last one, if a gate with this label can move there, else NONE."""
    run = net.wires[wire].last
    if run == NONE or net.runs[run].label != p:
        return NONE
    return int(net.runs[run].before)


@kernel
def _partner(net: Net, a: int, b: int, p: int, q: int) -> int:
    """The node on `a` of a pair that C(P, Q) at the end can meet and merge with, or NONE."""
    last_a, last_b = net.wires[a].last, net.wires[b].last
    if NONE in (last_a, last_b):
        return NONE
    node = _like(net, last_a, last_b, p, q)
    if node == NONE:
        node = _like(net, last_a, _reach(net, b, q), p, q)
    if node == NONE:
        node = _like(net, _reach(net, a, p), last_b, p, q)
    return node


@kernel
def _like(net: Net, run_a: int, run_b: int, p: int, q: int) -> int:
    """The node in `run_a` of a pair in two runs, one or both of which have these labels."""
    if min(run_a, run_b) == NONE:
        return NONE
    if net.runs[run_a].label != p and net.runs[run_b].label != q:
        return NONE
    return find(net, run_a, run_b)


@kernel
def _merge(net: Net, x: int, y: int, p: int, q: int, node: int, source: int) -> bool:
    """Merge C(P, Q') at `node` on x and the arriving C(P, Q); whether the result is at the end.

    If it is, it is left to the caller.
    """
    run = net.nodes[other(net, node)].run
    q1 = net.runs[run].label
    third = 3 - q - q1
    # Q Q' = +-i Q'', so what is left over is a quarter turn about P.
    quarters = 1 if (q1 - q) % 3 == 1 else -1
    last = net.wires[y].last
    remove_pair(net, node)
    _push(net, x, p, quarters)
    if run == last:
        return True
    before = net.runs[last].before
    if before == NONE or net.runs[before].label != third:
        before = insert_run(net, y, third, before, last)
    new = add_item(net, PAIR, 2, 0, 0.0, source)
    append(net, new, x, p)
    link(net, new + 1, y, before)
    remember(net, new)
    return False


@kernel
def _move_back(net: Net, x: int, y: int, p: int, q: int, source: int) -> bool:
    """Move the arriving C(P, Q) back on y across a run that it does not commute with, if it pays.

    Each pair h that it passes gets a companion h' on x, or loses the one it has.
    """
    mine, run = net.wires[x].last, net.wires[y].last
    if mine == NONE or net.runs[mine].label != p:
        return False
    if run != NONE and net.runs[run].label == q:
        run = net.runs[run].before
    # Where a run between two is gone, both may have the same label.
    if run == NONE or net.runs[run].label in (OPAQUE, q):
        return False
    node = net.runs[run].head if net.runs[run].after == NONE else NONE
    for _ in range(LOOK):
        if node == NONE:
            break
        if net.items[net.nodes[node].item].kind == PAIR:
            h = other(net, node)
            # In a longer run others must not depend on h if it is to follow them.
            free = net.runs[run].size == 1 or net.runs[net.nodes[h].run].after == NONE
            if free and net.nodes[h].wire != x:
                companion = find(net, mine, net.nodes[h].run)
                if companion != NONE:
                    remove_pair(net, companion)
                    _swap_order(net, x, y, p, q, node, source)
                    return True
        node = net.nodes[node].right
    return _conjugate(net, x, y, q, run)


@kernel
def _swap_order(net: Net, x: int, y: int, p: int, q: int, node: int, source: int) -> None:
    """Put the arriving C(P, Q) just before the pair that has `node` on y."""
    run = net.nodes[node].run
    if net.runs[run].size > 1:
        # Split the run: the pair goes after the others of its run, with the new one between.
        new = insert_run(net, y, net.runs[run].label, run, net.runs[run].after)
        unlink(net, node)
        link(net, node, y, new)
        remember(net, node)
        run = new
    before = net.runs[run].before
    if before == NONE or net.runs[before].label != q:
        before = insert_run(net, y, q, before, run)
    else:
        mine = last_run(net, x, p)
        equal = find(net, before, mine)
        if equal != NONE:
            remove_pair(net, equal)
            return
    first = add_item(net, PAIR, 2, 0, 0.0, source)
    append(net, first, x, p)
    link(net, first + 1, y, before)
    remember(net, first)


@kernel
def _conjugate(net: Net, x: int, y: int, q: int, run: int) -> bool:
    """C h C = h h', if `run` on y is one pair or predicated Pauli h and the run before it has C."""
    node, before = net.runs[run].head, net.runs[run].before
    kind = net.items[net.nodes[node].item].kind
    if net.runs[run].size != 1 or kind not in (PAIR, PAULI):
        return False
    if before == NONE or net.runs[before].label != q:
        return False
    h = other(net, node)
    wire = net.nodes[h].wire
    equal = find(net, before, net.wires[x].last)
    if wire == x or equal == NONE:
        return False
    if kind == PAIR:
        unlink(net, equal)
        link(net, equal, wire, net.nodes[h].run)
        remember(net, equal)
        return True
    p = net.runs[net.wires[x].last].label
    remove_pair(net, equal)
    new = add_item(net, PAULI, 2, 0, 0.0, net.items[net.nodes[node].item].source)
    append(net, new, x, p)
    there = net.nodes[h].run
    link(net, new + 1, wire, insert_run(net, wire, OPAQUE, there, net.runs[there].after))
    return True
