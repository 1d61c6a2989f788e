"""Parities of measurement records as a shared graph.

A merge outcome depends on the signs of its patches, which depend on earlier splits, and so on:
written out, record lists would grow with every event.  Here every event adds one node in
constant time, an XOR of older nodes and of a block of records, and only a question expands one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from qwasmc.backends.stim.code import Ints

Node = int

ZERO: Node = 0
"""The constant 0, present in every graph."""

_NONE = np.zeros(0, dtype=np.int64)


class Parities:
    """Nodes as columns; a node's children are older than itself."""

    def __init__(self) -> None:
        self._base = [0]
        self._offsets = [_NONE]
        self._children: list[tuple[Node, ...]] = [()]
        self._constant = [0]

    def add(
        self,
        children: tuple[Node, ...] = (),
        base: int = 0,
        offsets: Ints = _NONE,
        constant: int = 0,
    ) -> Node:
        """The XOR of nodes, of the records base + offsets (kept by reference), and a constant."""
        if not len(offsets) and not constant:
            children = tuple(child for child in children if child != ZERO)
            if not children:
                return ZERO
            if len(children) == 1:
                return children[0]
        self._base.append(base)
        self._offsets.append(offsets)
        self._children.append(children)
        self._constant.append(constant)
        return len(self._base) - 1

    def parts(self, node: Node) -> tuple[tuple[Node, ...], list[int], int]:
        """What `add` was given: nodes, records, and the constant."""
        records: list[int] = (self._offsets[node] + self._base[node]).tolist()
        return self._children[node], records, self._constant[node]

    def expand(self, node: Node) -> tuple[list[int], int]:
        """The sorted records and the constant whose XOR a node is; linear in its ancestry."""
        seen, stack = {node}, [node]
        while stack:
            for child in self._children[stack.pop()]:
                if child not in seen:
                    seen.add(child)
                    stack.append(child)
        odd = {node}
        constant = 0
        blocks = [_NONE]
        for at in sorted(seen, reverse=True):
            if at in odd:
                constant ^= self._constant[at]
                blocks.append(self._offsets[at] + self._base[at])
                for child in self._children[at]:
                    odd ^= {child}
        records, counts = np.unique(np.concatenate(blocks), return_counts=True)
        return records[counts % 2 == 1].tolist(), constant

    def shares(self, roots: Sequence[Node]) -> Iterator[tuple[Ints, list[int]]]:
        """Blocks of records, oldest first, each with the numbers of the roots it is a part of.

        Leaves that are no records (negative ones) are left out.  A root is the XOR of its blocks,
        in which a record may appear twice.  Takes time linear in the graph and the result.
        """
        masks = [0] * len(self._base)
        for number, root in enumerate(roots):
            masks[root] ^= 1 << number
        for node in range(len(masks) - 1, 0, -1):
            if masks[node]:
                for child in self._children[node]:
                    masks[child] ^= masks[node]
        owned = [
            node
            for node, mask in enumerate(masks)
            if mask and len(self._offsets[node]) and self._base[node] >= 0
        ]
        owned.sort(key=self._base.__getitem__)
        for node in owned:
            yield self._offsets[node] + self._base[node], _ones(masks[node])


def _ones(mask: int) -> list[int]:
    """The bits of a number that are 1."""
    octets = np.frombuffer(mask.to_bytes((mask.bit_length() + 7) // 8, "little"), dtype=np.uint8)
    ones: list[int] = np.flatnonzero(np.unpackbits(octets, bitorder="little")).tolist()
    return ones
