"""A surgery program with true magic states: what its corrections need of the emitted circuit.

Stim's circuit is emitted for the reading in which every `adapt` measures Y (`ir.surgery`).  Here
emission is gone through once more, for what the other reading needs: the signs of the patches that
are measured adaptively, and what the rows' bits are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from qwasmc.backends.physical import Physical
from qwasmc.backends.stim.chip import Chip
from qwasmc.backends.stim.emission import SlabText, and_leaf
from qwasmc.backends.stim.parity import Node
from qwasmc.backends.stim.slab_text import SlabEmitter, State
from qwasmc.backends.stim.slabs import Slab, slabs
from qwasmc.diagnostics import CompileError
from qwasmc.ir.surgery import FLAG, Row

HERE = np.zeros(1, dtype=np.int64)

LEAVES = (Row.ADAPT, Row.AND, Row.FIX)
"""Rows whose bits are no parities of records, or of different ones in turn."""


class Adapted(NamedTuple):
    """An `adapt` row, and the signs of its patch's logical X and Z when its slab begins."""

    row: int
    sign_x: Node
    sign_z: Node


class Piece(NamedTuple):
    """A piece of the circuit without noise, as in `Emission.slabs`."""

    text: SlabText
    start: int
    """Measurements before it."""
    slab: int
    """The number of its first slab."""
    adapted: list[Adapted]


class Walk:
    """Emission once more: its pieces, and `state`, which holds the nodes of outcomes after it."""

    def __init__(self, physical: Physical) -> None:
        surgery, emission = physical.surgery, physical.emission
        self.surgery = surgery
        self.state = State(surgery, emission.rounds, Chip(surgery, emission.distance))
        self.pieces: list[Piece] = []
        slab = 0
        for found in slabs(surgery, emission.distance):
            self.pieces.append(self._piece(found, slab))
            slab += found.length

    def _piece(self, found: Slab, slab: int) -> Piece:
        """Emit a slab."""
        state = self.state
        state.chip.tidy()
        adapted = [
            self._adapted(row) for row in found.measures if self.surgery.kind[row] == Row.ADAPT
        ]
        start = state.records
        if not found.regions:
            return Piece(SlabText("", start, 0, 0), start, slab, adapted)
        emitter = SlabEmitter(state, found)
        text = emitter.text()
        return Piece(
            SlabText(text, state.records, emitter.rounds, emitter.layers), start, slab, adapted
        )

    def _adapted(self, row: int) -> Adapted:
        patch = self.state.patches.get(self.surgery.tile(row))
        if patch is None:
            message = "a patch cannot be measured adaptively in the slab in which it appears"
            locations = self.surgery.locations
            raise CompileError(locations.diagnostic(message, int(self.surgery.loc[row])))
        return Adapted(row, patch.sign_x, patch.sign_z)

    def flags(self) -> list[int]:
        """The rows of observables that are 1 where a magic state is bad."""
        surgery = self.surgery
        return [
            row
            for row in np.flatnonzero(surgery.kind == Row.OBSERVABLE).tolist()
            if surgery.names[int(surgery.aux[row])].startswith(FLAG)
        ]

    def bits(self) -> dict[int, Node]:
        """The node of every row that defines a bit; those of `LEAVES` are leaves of the graph, as
        in `emission.and_leaf`."""
        surgery, parities = self.surgery, self.state.parities
        bits: dict[int, Node] = {}
        for row, kind in enumerate(surgery.kind.tolist()):
            if kind in LEAVES:
                bits[row] = parities.add(base=and_leaf(row), offsets=HERE)
            elif kind in (Row.JOIN, Row.MEASURE):
                bits[row] = self.state.nodes[row]
            elif kind == Row.CONST:
                bits[row] = parities.add(constant=int(surgery.aux[row]))
            elif kind == Row.XOR:
                bits[row] = parities.add(tuple(bits[bit] for bit in surgery.operands(row)))
        return bits
