"""Circuits as runs: on each wire, gates that commute stand together.

One-qubit Clifford gates are moved to the end, which turns every other gate into an *item*:

    pair     C(P, Q) = 1 - (1 - P)(1 - Q) / 2 with Paulis P and Q: cz is C(Z, Z), cx C(Z, X)
    turn     exp(-i k pi/8 P), k = 1 or -1: a T
    rotation exp(-i angle P / 2)
    pauli    P, predicated on a bit
    frame    a one-qubit Clifford gate, in front of a row and at the end
    swap     an exchange of two wires, likewise
    row      any other row of the circuit; nothing moves across it

Items commute on a wire if they have the same Pauli there.  A *run* is a maximal group of them: its
items are not ordered among themselves, only runs on a wire are, and these orders of all wires are
what the circuit is (a dependence graph, or trace).  An item has a *node* in a run of each of its
wires.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.kernel import kernel
from qwasmc.passes.cancelling.frames import IDENTITY

Ints = NDArray[Any]

PAIR, TURN, ROTATION, PAULI, FRAME, SWAP, ROW = range(7)

OPAQUE = 6
"""The label of a node that commutes with nothing."""

NONE = -1


WORD = np.dtype(
    {
        "names": ["kind", "wires", "labels", "value", "angle", "source"],
        "formats": ["u1", "(2,)i4", "(2,)i1", "i4", "f8", "i4"],
    },
    align=True,
)
"""An item; words are arrays of these.  `wires`: of a row (offset, count) in a pool of wires;
`labels`: signed Paulis, see `frames`; `value`: of a turn, k, of a frame, the Clifford gate;
`source`: the row of the circuit that it stems from, or -1."""

WIRE = np.dtype([(name, np.int32) for name in ("frame", "at", "holds", "last", "source")])
"""`frame`: the inverse of the Clifford gate still to come; `at`: the wire that holds this one's
qubit until the swaps still to come, and `holds` the inverse; `last`: the last run; `source`: where
the last one-qubit Clifford gate stems from."""

ITEM = np.dtype(
    [(name, np.int32) for name in ("kind", "first", "nodes", "value", "source")]
    + [("angle", np.float64)]
)
"""`first`: the first of so many `nodes`; the others are those of a word."""

NODE = np.dtype([(name, np.int32) for name in ("item", "wire", "run", "left", "right")])
"""`run`: NONE if it was taken out; `left` and `right`: its neighbours in the list of the run."""

RUN = np.dtype(
    [(name, np.int32) for name in ("label", "before", "after", "head", "size", "turn", "rotation")]
)
"""`before` and `after`: its neighbours on the wire; `head`: the first of `size` nodes;
`turn` and `rotation`: the node of the turn and of the rotation, of which it has one at most."""


class Net(NamedTuple):
    """The graph, while it is built; NONE where there is nothing."""

    wires: Ints
    items: Ints
    nodes: Ints
    runs: Ints
    table: Ints
    """Nodes of pairs, hashed by their two runs; those of pairs that are gone stay here."""
    used: Ints
    """How many items, nodes and runs there are."""


def empty_net(n_wires: int, items: int, nodes: int) -> Net:
    """A graph with room for so many items and nodes, and no gates."""
    wires = np.empty(n_wires, WIRE)
    wires["frame"] = IDENTITY
    wires["at"] = wires["holds"] = np.arange(n_wires)
    wires["last"] = wires["source"] = NONE
    slots = 1
    while slots < 4 * items:
        slots *= 2
    return Net(
        wires,
        np.empty(items, ITEM),
        np.empty(nodes, NODE),
        np.empty(2 * nodes, RUN),
        np.full(slots, NONE, np.int32),
        np.zeros(3, np.int64),
    )


@kernel
def insert_run(net: Net, wire: int, label: int, before: int, after: int) -> int:
    """A new run on a wire between two neighbours, NONE at its ends."""
    run: int = net.used[2]
    net.used[2] += 1
    if before != NONE:
        net.runs[before].after = run
    if after != NONE:
        net.runs[after].before = run
    else:
        net.wires[wire].last = run
    net.runs[run].label = label
    net.runs[run].before = before
    net.runs[run].after = after
    net.runs[run].head = net.runs[run].turn = net.runs[run].rotation = NONE
    net.runs[run].size = 0
    return run


@kernel
def last_run(net: Net, wire: int, label: int) -> int:
    """The last run on a wire, if it has this label, else a new one after it."""
    run: int = net.wires[wire].last
    if run == NONE or label == OPAQUE or net.runs[run].label != label:
        run = insert_run(net, wire, label, run, NONE)
    return run


@kernel
def add_item(net: Net, kind: int, nodes: int, value: int, angle: float, source: int) -> int:
    """A new item whose nodes are in no run yet; its first node."""
    number = net.used[0]
    first: int = net.used[1]
    net.used[0] += 1
    net.used[1] += nodes
    item = net.items[number]
    item.kind = kind
    item.first = first
    item.nodes = nodes
    item.value = value
    item.source = source
    item.angle = angle
    for node in range(first, first + nodes):
        net.nodes[node].item = number
    return first


@kernel
def link(net: Net, node: int, wire: int, run: int) -> None:
    """Put a node into a run."""
    head = net.runs[run].head
    net.nodes[node].wire = wire
    net.nodes[node].run = run
    net.nodes[node].left = NONE
    net.nodes[node].right = head
    if head != NONE:
        net.nodes[head].left = node
    net.runs[run].head = node
    net.runs[run].size += 1


@kernel
def unlink(net: Net, node: int) -> None:
    """Take a node out of its run, and the run off its wire if it is empty now."""
    run, left, right = net.nodes[node].run, net.nodes[node].left, net.nodes[node].right
    if left != NONE:
        net.nodes[left].right = right
    else:
        net.runs[run].head = right
    if right != NONE:
        net.nodes[right].left = left
    net.nodes[node].run = NONE
    if net.runs[run].turn == node:
        net.runs[run].turn = NONE
    if net.runs[run].rotation == node:
        net.runs[run].rotation = NONE
    net.runs[run].size -= 1
    if net.runs[run].size == 0:
        before, after = net.runs[run].before, net.runs[run].after
        if before != NONE:
            net.runs[before].after = after
        if after != NONE:
            net.runs[after].before = before
        else:
            net.wires[net.nodes[node].wire].last = before


@kernel
def append(net: Net, node: int, wire: int, label: int) -> None:
    """Put a node at the end of a wire."""
    link(net, node, wire, last_run(net, wire, label))


@kernel
def other(net: Net, node: int) -> int:
    """The other node of a pair's node."""
    first = net.items[net.nodes[node].item].first
    return int(2 * first + 1 - node)


@kernel
def remove_pair(net: Net, node: int) -> None:
    """Remove the pair that has this node."""
    partner = other(net, node)
    unlink(net, node)
    unlink(net, partner)


@kernel
def _slot(net: Net, run: int, there: int) -> int:
    """Where to look for a pair of two runs first."""
    low, high = min(run, there), max(run, there)
    return int((low * 0x9E3779B1 + high * 0x85EBCA6B) >> 7 & (len(net.table) - 1))


@kernel
def remember(net: Net, node: int) -> None:
    """Enter a pair that has just been put into its runs into the table."""
    slot = _slot(net, net.nodes[node].run, net.nodes[other(net, node)].run)
    while net.table[slot] != NONE:
        slot = (slot + 1) & (len(net.table) - 1)
    net.table[slot] = node


@kernel
def find(net: Net, run: int, there: int) -> int:
    """The node in a run of a pair whose other node is in the run `there`, or NONE."""
    slot = _slot(net, run, there)
    while net.table[slot] != NONE:
        node = net.table[slot]
        partner = other(net, node)
        runs = net.nodes[node].run, net.nodes[partner].run
        if runs == (run, there):
            return int(node)
        if runs == (there, run):
            return int(partner)
        slot = (slot + 1) & (len(net.table) - 1)
    return NONE


@kernel
def in_order(net: Net) -> Ints:
    """The items that are linked, each after those in earlier runs, else in order of making."""
    n, runs = net.used[0], net.used[2]
    done = np.zeros(n, np.bool_)
    cursor = np.empty(runs, np.int32)
    for run in range(runs):
        cursor[run] = net.runs[run].head
    order = np.empty(n, np.int32)
    stack = np.empty(n, np.int32)
    found = 0
    for item in range(n):
        if done[item] or net.nodes[net.items[item].first].run == NONE:
            continue
        stack[0] = item
        depth = 1
        while depth > 0:
            missing = _missing(net, stack[depth - 1], done, cursor)
            if missing != NONE:
                stack[depth] = missing
                depth += 1
                continue
            depth -= 1
            done[stack[depth]] = True
            order[found] = stack[depth]
            found += 1
    return order[:found]


@kernel
def _missing(net: Net, item: int, done: Ints, cursor: Ints) -> int:
    """An item in a run just before one of this item's that is not done, or NONE."""
    first = net.items[item].first
    for node in range(first, first + net.items[item].nodes):
        run = net.runs[net.nodes[node].run].before
        if run == NONE:
            continue
        while cursor[run] != NONE and done[net.nodes[cursor[run]].item]:
            cursor[run] = net.nodes[cursor[run]].right
        if cursor[run] != NONE:
            return int(net.nodes[cursor[run]].item)
    return NONE


@kernel
def to_word(net: Net) -> Ints:
    """The items of a graph, in order."""
    order = in_order(net)
    n = len(order)
    word = np.empty(n, WORD)
    for place in range(n):
        item = net.items[order[place]]
        word[place].kind = item.kind
        word[place].value = item.value
        word[place].angle = item.angle
        word[place].source = item.source
        for slot in range(2):
            word[place].wires[slot] = NONE
            word[place].labels[slot] = OPAQUE
        if item.kind == ROW:
            word[place].wires[0] = item.value
            word[place].wires[1] = item.nodes
            continue
        for slot in range(item.nodes):
            node = net.nodes[item.first + slot]
            word[place].wires[slot] = node.wire
            word[place].labels[slot] = net.runs[node.run].label
    return word
