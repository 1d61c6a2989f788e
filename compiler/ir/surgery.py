"""Surgery IR: which tile does what in which slab.

The chip is a grid of square tiles; time is cut into *slabs* of ``d`` rounds.  A row of a
`Surgery` is one event:

    prepare (0, 0) Z          patch appears at the start of slab 0 in the +1 eigenstate of Z
    join [Z@(0,0) X@(1,1)]    product measured during slab 0 along a route of ancilla tiles
    measure (0, 0) Z          patch measured out, transversally, at the end of slab 1

Patches not named in a slab idle in it.  Letters here are *physical* letters of a plain patch
(X boundaries north and south, Z boundaries east and west): logical Z is its top row of Z,
logical X its left column of X, and Y = iXZ.  Hadamards have become relabellings and Paulis
have become frames (`xor`, `and` rows) before this level.

A row that defines a classical bit (`join`, `measure`, `adapt`, `const`, `xor`, `and`, `fix`) is
that bit's id.

A program has two readings.  With true magic states T|+> it is what it says.  With the Clifford
stand-in S|+> for T|+>, the correction that follows a T is a Pauli instead of an S: then `adapt`
always measures Y, and `fix` is its first bit.
Rows are stored as columns; the variable part of a row lives in one shared pool of integers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.diagnostics import Locations

Tile = tuple[int, int]
"""Tile coordinates (tx, ty); ty grows to the south."""


class Letter(IntEnum):
    """A Pauli letter, as bits: 1 for an X part, 2 for a Z part."""

    I = 0  # noqa: E741
    X = 1
    Z = 2
    Y = 3


class Magic(IntEnum):
    """The state a port injects: T|+> or T^-1|+>."""

    T = 0
    TDG = 1


class Row(IntEnum):
    """Kinds of rows.  Comments give the meaning of the pool slice and what the bit is."""

    INPUT = 0  # aux = number of the input; an open patch, present from the start of `slab`
    PREPARE = 1  # aux = Letter; with Y the patch idles in `slab`
    INJECT = 2  # aux = Magic; a patch appears through a port at the start of `slab`
    JOIN = 3  # pool = an encoded Join; bit = outcome
    MEASURE = 4  # aux = Letter; at the end of `slab`, in which it idles if Y; bit = outcome
    CONST = 5  # aux = 0 or 1
    XOR = 6  # pool = bits
    AND = 7  # pool = bits
    RESULT = 8  # aux = name index, pool = [bit]: a named classical output
    OBSERVABLE = 9  # aux = name index, pool = bits; their parity, conjunctions left out, is fixed
    OUTPUT = 10  # aux = name index; patch left open after `slab`; pool = [label, x_bit, z_bit]
    WAIT = 11  # aux = rounds: `slab` holds no join and lasts this many rounds instead of d
    ADAPT = 12  # pool = [bit]; measures like MEASURE, in Y if the bit is 0, in X if it is 1
    FIX = 13  # pool = [u, v]: u AND v
    CHIP = 14  # the tiles (0, 0) to `tile` make up the chip; no such row: as many as are used
    FACTORY = 15  # aux = name index, pool = [width, height, port x, port y, period]: tiles from
    # `tile` on that make magic states, one per `period` slabs at most, which appear at the port


@dataclass(frozen=True, slots=True)
class RowSpec:
    """What a kind of row holds; the columns it does not use are 0.

    A `timed` row happens in a slab, a `placed` one on a tile.  `aux` says what that column is
    (letter, state, name, or an integer); `bits` bits are read (-1: any number).
    """

    timed: bool = False
    placed: bool = False
    aux: str = ""
    bits: int = 0
    makes_bit: bool = False


ROWS: dict[Row, RowSpec] = {
    Row.INPUT: RowSpec(timed=True, placed=True, aux="number"),
    Row.PREPARE: RowSpec(timed=True, placed=True, aux="letter"),
    Row.INJECT: RowSpec(timed=True, placed=True, aux="state"),
    Row.JOIN: RowSpec(timed=True, makes_bit=True),
    Row.MEASURE: RowSpec(timed=True, placed=True, aux="letter", makes_bit=True),
    Row.CONST: RowSpec(aux="value", makes_bit=True),
    Row.XOR: RowSpec(bits=-1, makes_bit=True),
    Row.AND: RowSpec(bits=-1, makes_bit=True),
    Row.RESULT: RowSpec(aux="name", bits=1),
    Row.OBSERVABLE: RowSpec(aux="name", bits=-1),
    Row.OUTPUT: RowSpec(timed=True, placed=True, aux="name", bits=2),
    Row.WAIT: RowSpec(timed=True, aux="rounds"),
    Row.ADAPT: RowSpec(timed=True, placed=True, bits=1, makes_bit=True),
    Row.FIX: RowSpec(bits=2, makes_bit=True),
    Row.CHIP: RowSpec(placed=True),
    Row.FACTORY: RowSpec(placed=True, aux="name"),
}


FLAG = "flag"
"""How the names of observables begin that are 1 where a magic state is bad."""


class Side(IntEnum):
    """Sides of a tile."""

    N = 0
    E = 1
    S = 2
    W = 3


STEP: dict[Side, Tile] = {Side.N: (0, -1), Side.E: (1, 0), Side.S: (0, 1), Side.W: (-1, 0)}


class Term(NamedTuple):
    """One patch's part in a joint measurement."""

    tile: Tile
    letter: Letter


class RouteTile(NamedTuple):
    """An ancilla tile of a route.

    `frame` is the letter being carried (Z or X).  It is also the type of the tile's outer
    (rim) boundaries; its qubits start and end in the other letter's basis.
    """

    tile: Tile
    frame: Letter


class Edge(NamedTuple):
    """Two neighbouring tiles merged: `tile` and its neighbour to the `side` E or S.

    A plain edge fills the seam between them with qubits; a mixed edge leaves the seam empty and
    swaps X and Z on the far side.
    """

    tile: Tile
    side: Side
    mixed: bool


class Join(NamedTuple):
    """A multi-patch measurement: the product of `terms`, along `route`, merged across `edges`.

    A term with letter Z is attached at its north or south side, X at its east or west side, and
    Y at one of each, by a loop of route tiles around the corner between them that holds exactly
    one mixed edge.  Two mixed edges of a route tile may meet at a corner unless its plaquette has
    the tile's own type (`verify.join`).
    """

    terms: tuple[Term, ...]
    route: tuple[RouteTile, ...]
    edges: tuple[Edge, ...]

    def tiles(self) -> Iterator[Tile]:
        """Every tile of the region."""
        yield from (term.tile for term in self.terms)
        yield from (route.tile for route in self.route)


@dataclass(slots=True)
class Surgery:
    """Rows as columns, in order of definition; see the module's text for what a row means."""

    kind: NDArray[np.uint8]
    slab: NDArray[np.int32]
    x: NDArray[np.int32]
    y: NDArray[np.int32]
    aux: NDArray[np.int32]
    start: NDArray[np.int32]
    """Row i's pool slice is pool[start[i]:start[i + 1]]; one entry more than there are rows."""
    loc: NDArray[np.int32]
    pool: NDArray[np.int32]
    names: list[str]
    locations: Locations = field(default_factory=Locations)

    def __len__(self) -> int:
        return len(self.kind)

    @property
    def slabs(self) -> int:
        """The number of slabs."""
        return int(self.slab.max(initial=-1)) + 1

    def operands(self, row: int) -> list[int]:
        """The pool slice of a row."""
        values: list[int] = self.pool[self.start[row] : self.start[row + 1]].tolist()
        return values

    def tile(self, row: int) -> Tile:
        """The tile of an input, prepare, inject, measure or output row."""
        return int(self.x[row]), int(self.y[row])

    def join(self, row: int) -> Join:
        """The joint measurement of a join row."""
        return decode_join(self.operands(row))


@dataclass(slots=True)
class SurgeryBuilder:
    """Appends rows; `freeze` gives the columns."""

    rows: list[tuple[int, int, int, int, int, int]] = field(default_factory=list)
    start: list[int] = field(default_factory=lambda: [0])
    pool: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    locations: Locations = field(default_factory=Locations)

    def add(
        self,
        kind: Row,
        *,
        slab: int = 0,
        tile: Tile = (0, 0),
        aux: int = 0,
        operands: Sequence[int] = (),
        loc: int = -1,
    ) -> int:
        """Append a row and return its number (its bit id, if it defines a bit)."""
        self.rows.append((kind, slab, tile[0], tile[1], aux, loc))
        self.pool.extend(operands)
        self.start.append(len(self.pool))
        return len(self.rows) - 1

    def name(self, text: str) -> int:
        """The index of a new entry in the name table."""
        self.names.append(text)
        return len(self.names) - 1

    def freeze(self) -> Surgery:
        """The finished columns."""
        table = np.array(self.rows, dtype=np.int32).reshape(-1, 6)
        return Surgery(
            kind=table[:, 0].astype(np.uint8),
            slab=table[:, 1].copy(),
            x=table[:, 2].copy(),
            y=table[:, 3].copy(),
            aux=table[:, 4].copy(),
            start=np.array(self.start, dtype=np.int32),
            loc=table[:, 5].copy(),
            pool=np.array(self.pool, dtype=np.int32),
            names=list(self.names),
            locations=self.locations,
        )


def encode_join(join: Join) -> list[int]:
    """A join as integers: three counts, then (x, y, letter), (x, y, frame), (x, y, side, mixed)."""
    out = [len(join.terms), len(join.route), len(join.edges)]
    for (x, y), letter in join.terms:
        out += (x, y, letter)
    for (x, y), frame in join.route:
        out += (x, y, frame)
    for (x, y), side, mixed in join.edges:
        out += (x, y, side, mixed)
    return out


def decode_join(values: Sequence[int]) -> Join:
    """The inverse of `encode_join`."""
    n_terms, n_route, n_edges = values[:3]
    at = 3
    terms = []
    for _ in range(n_terms):
        terms.append(Term((values[at], values[at + 1]), Letter(values[at + 2])))
        at += 3
    route = []
    for _ in range(n_route):
        route.append(RouteTile((values[at], values[at + 1]), Letter(values[at + 2])))
        at += 3
    edges = []
    for _ in range(n_edges):
        edges.append(Edge((values[at], values[at + 1]), Side(values[at + 2]), bool(values[at + 3])))
        at += 4
    return Join(tuple(terms), tuple(route), tuple(edges))
