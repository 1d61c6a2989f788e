"""What a merged region measures, and how its patches come out of it.

Given a region's `Code`, a `Merge` says which of its stabilizers continue a patch's own (fresh
sites in their own letter added), which hold only fresh sites, and which are random at first; the
product of the random ones is the joint measurement.  It also holds the Pauli byproducts of the
split.  Draw a graph whose nodes are the random stabilizers and whose edges are the fresh sites:
the site's start letter anticommutes with the two stabilizers it joins.  An operator on the
patches that violates some nodes is completed to one that commutes with the merged code by start
letters along a path between those nodes; these sites begin at +1 and are measured in that letter
at the split, so the operator's sign changes by just their records.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.backends.stim.code import Code, Ints, UnsupportedJoin, origin, patch_code
from qwasmc.ir.surgery import Letter

Bools = NDArray[np.bool_]

NONE: Ints = np.zeros(0, dtype=np.int64)


class Byproduct(NamedTuple):
    """Apply `letter` to a term's patch, at the split, if the fresh `sites` have odd parity."""

    term: int
    letter: Letter
    sites: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Merge:
    """The stabilizers of a region seen from its patches; k stabilizers, t terms, n sites."""

    fresh: list[int]
    """The stabilizers with fresh sites only."""
    rows: Ints
    """(t, d^2 - 1) the region's stabilizer that continues each one of each patch."""
    fresh_sites: list[Ints]
    """(k,) the fresh sites in each stabilizer, none for random ones."""
    outcome: Ints
    """Stabilizers whose first values multiply to the product of the terms' logical operators."""
    negative: bool
    """Whether that product is minus the product of the stabilizers."""
    byproducts: tuple[Byproduct, ...]


def logical_support(distance: int, letter: Letter) -> Ints:
    """(d, 2) sites of a patch's logical X (its left column) or Z (its top row)."""
    support = np.zeros((distance, 2), dtype=np.int64)
    support[:, 1 if letter == Letter.X else 0] = np.arange(distance)
    return support


def anticommute(a: Ints, b: Ints) -> Bools:
    """Whether single-site Pauli letters anticommute, elementwise."""
    different: Bools = (a != b) & (a > 0) & (b > 0)
    return different


class _Graph:
    """The random stabilizers as nodes, joined by fresh sites; see the module's text."""

    def __init__(self, code: Code, random: Bools) -> None:
        self.code = code
        nodes = np.flatnonzero(random)
        members = code.members[nodes].reshape(len(nodes), 8)
        letters = code.letters[nodes].reshape(len(nodes), 8)
        row, column = np.nonzero(letters)
        by_site = np.argsort(members[row, column], kind="stable")
        row, column = row[by_site], column[by_site]
        self.nodes: list[int] = nodes.tolist()
        self._node, self._site = nodes[row], members[row, column]
        self._letter = letters[row, column]
        """Every node on every site, by site, with its letter there."""
        self.tree = self._tree(*self._edges())

    def violated(self, sites: Sequence[int], letter: Letter) -> set[int]:
        """The nodes that anticommute with a string of one letter."""
        here = np.isin(self._site, sites) & (self._letter != letter)
        nodes, times = np.unique(self._node[here], return_counts=True)
        return set(nodes[times % 2 == 1].tolist())

    def _edges(self) -> tuple[Ints, Ints]:
        """(e,) the fresh sites that join two nodes, in order, and (e, 2) these nodes."""
        start = self.code.start[self._site]
        violated = (self.code.owner[self._site] < 0) & (self._letter != start)
        sites, first, times = np.unique(self._site[violated], return_index=True, return_counts=True)
        if (times != 2).any():
            raise UnsupportedJoin("the region measures no product of its terms")
        nodes = self._node[violated]
        return sites, np.stack([nodes[first], nodes[first + 1]], axis=1)

    def _tree(self, sites: Ints, ends: Ints) -> dict[int, tuple[int, int]]:
        """A breadth-first tree: node -> (parent, site between), the root its own parent."""
        one, other = ends.T.reshape(-1), ends[:, ::-1].T.reshape(-1)
        order = np.lexsort((np.tile(sites, 2), one))
        first = np.searchsorted(one[order], np.arange(len(self.code.faces) + 1)).tolist()
        others, between = other[order].tolist(), np.tile(sites, 2)[order].tolist()
        root = self.nodes[0]
        tree = {root: (root, -1)}
        queue = deque([root])
        while queue:
            node = queue.popleft()
            for at in range(first[node], first[node + 1]):
                if others[at] not in tree:
                    tree[others[at]] = (node, between[at])
                    queue.append(others[at])
        if len(tree) < len(self.nodes):
            raise UnsupportedJoin("the edges of the region do not connect it")
        return tree

    def path(self, nodes: set[int]) -> Ints:
        """Sites whose start letters together violate exactly `nodes`, of which there are an even
        number."""
        sites: set[int] = set()
        for node in nodes:
            at = node
            while self.tree[at][0] != at:
                at, site = self.tree[at]
                sites ^= {site}
        return np.array(sorted(sites), dtype=np.int64)


def merge(code: Code) -> Merge:
    """Work out what a region measures.  A region without edges continues its one patch."""
    start = np.where(code.members >= 0, code.start[code.members], 0)
    random = anticommute(start, code.letters).reshape(len(start), 8).max(axis=1)
    owner = np.where(code.members >= 0, code.owner[code.members], -1)
    term = np.where(random, -1, owner.max(axis=(1, 2)))
    rows = _rows(code, term, owner)
    fresh: list[int] = np.flatnonzero(~random & (term < 0)).tolist()
    is_fresh = (code.members >= 0) & (owner < 0) & ~random[:, None, None]
    fresh_sites = [NONE] * len(code.members)
    for i in np.flatnonzero(is_fresh.any(axis=(1, 2))).tolist():
        fresh_sites[i] = code.members[i][is_fresh[i]]
    if not code.join.edges:
        return Merge(fresh, rows, fresh_sites, NONE, False, ())
    graph = _Graph(code, random)
    outcome, negative = _outcome(code, graph.nodes, rows)
    return Merge(fresh, rows, fresh_sites, outcome, negative, tuple(_byproducts(code, graph)))


def _rows(code: Code, term: Ints, owner: Ints) -> Ints:
    """`Merge.rows`, by the position of a stabilizer's plaquette on the patch."""
    d = code.distance
    patch = patch_code(d)
    number = np.full((d + 1, d + 1), -1, dtype=np.int64)
    number[patch.faces[:, 0, 0] + 1, patch.faces[:, 0, 1] + 1] = np.arange(len(patch.faces))
    rows = np.full((len(code.join.terms), d * d - 1), -1, dtype=np.int64)
    for i, one in enumerate(code.join.terms):
        here = np.flatnonzero(term == i)
        half = (owner[here, 1] == i).any(axis=1).astype(np.int64)
        face = code.faces[here, half] - origin(one.tile, d) + 1
        rows[i, number[face[:, 0], face[:, 1]]] = here
    if (rows < 0).any():
        raise UnsupportedJoin("a stabilizer of a patch is lost in the region")
    return rows


def _site_numbers(code: Code, term: int, letter: Letter) -> list[int]:
    """Site indices of a term's logical X or Z."""
    wanted = logical_support(code.distance, letter) + origin(
        code.join.terms[term].tile, code.distance
    )
    mine = np.flatnonzero(code.owner == term)
    sites = code.sites[mine]
    # A patch's sites come row by row, so the logical operators are its first row and column.
    local = (wanted - sites[0]) @ np.array([1, code.distance])
    numbers: list[int] = mine[local].tolist()
    return numbers


def _byproducts(code: Code, graph: _Graph) -> Iterable[Byproduct]:
    """The byproducts of the split.

    A term's own operator is preserved up to a chain (only Y violates anything).  Of the partner
    operators, each anticommuting with its term, products of two survive: pair the first term's
    with every other one's.
    """
    violated = []
    for i, term in enumerate(code.join.terms):
        column = graph.violated(_site_numbers(code, i, Letter.X), Letter.X)
        row = graph.violated(_site_numbers(code, i, Letter.Z), Letter.Z)
        partner = Letter.Z if term.letter == Letter.X else Letter.X
        if term.letter == Letter.Y:
            yield Byproduct(i, partner, graph.path(column ^ row))
        violated.append(row if term.letter == Letter.X else column)
    for i, term in enumerate(code.join.terms[1:], start=1):
        yield Byproduct(i, term.letter, graph.path(violated[0] ^ violated[i]))


def _outcome(code: Code, nodes: list[int], rows: Ints) -> tuple[Ints, bool]:
    """`Merge.outcome` and `Merge.negative`.

    The random stabilizers multiply to a representative of the joint operator; where it lies on
    the south or east side of a patch, all the patch's stabilizers of that type move it to the
    canonical row or column.
    """
    wanted = np.zeros(len(code.sites), dtype=np.int64)
    for i, term in enumerate(code.join.terms):
        for letter in (Letter.X, Letter.Z):
            if term.letter & letter:
                wanted[_site_numbers(code, i, letter)] ^= letter
    chosen = nodes
    wrong = np.where(code.start == 0, _product(code, chosen) ^ wanted, 0)
    patch_types = patch_code(code.distance).letters[:, 0].max(axis=1)
    for i in range(len(code.join.terms)):
        for letter in (Letter.X, Letter.Z):
            if (wrong[code.owner == i] & letter).any():
                chosen = chosen + rows[i, patch_types == letter].tolist()
    wrong = _product(code, chosen) ^ wanted
    if ((wrong != 0) & (wrong != code.start)).any():
        raise UnsupportedJoin("the region measures another product than its terms'")
    return np.array(chosen, dtype=np.int64), _negative(code, chosen)


def _product(code: Code, stabilizers: list[int]) -> Ints:
    """(n,) letters of a product of stabilizers."""
    letters = np.zeros(len(code.sites), dtype=np.int64)
    members, own = code.members[stabilizers], code.letters[stabilizers]
    np.bitwise_xor.at(letters, members[own > 0], own[own > 0])
    return letters


def _negative(code: Code, stabilizers: list[int]) -> bool:
    """Whether the product of stabilizers is minus its letters, with Y = iXZ.

    Counts powers of i, site by site, only where X and Z parts meet.
    """
    members = code.members[stabilizers].reshape(-1)
    letters = code.letters[stabilizers].reshape(-1)
    parts = np.zeros(len(code.sites), dtype=np.int64)
    np.bitwise_or.at(parts, members[letters > 0], letters[letters > 0])
    mixed = parts == Letter.Y
    use = (letters > 0) & mixed[members]
    total: dict[int, int] = {}
    power = 0  # of i, with every letter written i^(xz) X^x Z^z
    for site, letter in zip(members[use].tolist(), letters[use].tolist(), strict=True):
        before = total.get(site, 0)
        power += (letter == Letter.Y) + 2 * ((before >> 1) & letter & 1)
        total[site] = before ^ letter
    power -= sum(letter == Letter.Y for letter in total.values())
    if power % 2:
        raise UnsupportedJoin("the region's product is not Hermitian")
    return power % 4 == 2
