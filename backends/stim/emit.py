"""Surgery -> noiseless Stim circuit with detectors and observables, slab by slab.

The text of each slab is made by `slab_text`; here it is counted, and made again whenever it is
read, so that nothing ever holds the whole of it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import stim

from qwasmc.backends.stim.chip import Chip
from qwasmc.backends.stim.emission import Emission, OpenPatch, Records, SlabText, and_leaf
from qwasmc.backends.stim.merge import logical_support
from qwasmc.backends.stim.parity import Node
from qwasmc.backends.stim.slab_text import SlabEmitter, State
from qwasmc.backends.stim.slabs import slabs
from qwasmc.ir.surgery import Letter, Row, Surgery

HERE = np.zeros(1, dtype=np.int64)


def emit(surgery: Surgery, distance: int, rounds: int | None = None) -> Emission:
    """Emit a program at odd `distance` with `rounds` per slab (by default `distance`)."""
    if distance < 3 or distance % 2 == 0:
        raise ValueError(f"the distance must be odd and at least 3, not {distance}")
    rounds = distance if rounds is None else rounds
    if rounds < 1:
        raise ValueError("a slab needs at least one round")
    chip = Chip(surgery, distance)
    state = State(surgery, rounds, chip)
    lengths, detectors = [], 0
    for slab in _slabs(state):
        lengths.append((slab.layers, slab.rounds))
        detectors += _detectors(slab.text)
    bits = _bits(state)
    rows = np.flatnonzero(surgery.kind == Row.OBSERVABLE).tolist()
    return Emission(
        distance=distance,
        rounds=rounds,
        coordinates=chip.coordinates,
        inputs=[_open(state, row, signs) for row, signs in sorted(state.inputs.items())],
        outputs=[_open(state, row, signs) for row, signs in sorted(state.outputs.items())],
        layers=[layers for layers, _ in lengths],
        slab_rounds=[rounds for _, rounds in lengths],
        records=state.records,
        detectors=detectors,
        slabs=lambda: _slabs(State(surgery, rounds, chip)),
        _parities=state.parities,
        _bits=bits,
        _observables=[_xor(state, bits, row) for row in rows],
    )


def _slabs(state: State) -> Iterator[SlabText]:
    """The text of the slabs; brings `state` past them."""
    for slab in slabs(state.surgery, state.distance):
        state.chip.tidy()
        if slab.regions:
            emitter = SlabEmitter(state, slab)
            text = emitter.text()
            yield SlabText(text, state.records, emitter.rounds, emitter.layers)
        else:
            yield SlabText("", state.records, 0, 0)


def _detectors(text: str) -> int:
    """The number of detectors in the text of a slab, whose loops hold no loops."""
    total = text.count("DETECTOR")
    for loop in text.split("REPEAT ")[1:]:
        times, _, rest = loop.partition(" {")
        total += (int(times) - 1) * rest.partition("\n}")[0].count("DETECTOR")
    return total


def _bits(state: State) -> dict[int, Node]:
    """The node of every row that defines a bit."""
    surgery, parities = state.surgery, state.parities
    bits: dict[int, Node] = {}
    for row, kind in enumerate(surgery.kind.tolist()):
        if kind in (Row.JOIN, Row.MEASURE, Row.ADAPT):
            bits[row] = state.nodes[row]
        elif kind == Row.CONST:
            bits[row] = parities.add(constant=int(surgery.aux[row]))
        elif kind == Row.XOR:
            bits[row] = _xor(state, bits, row)
        elif kind == Row.FIX:
            bits[row] = bits[surgery.operands(row)[0]]
        elif kind == Row.AND:
            bits[row] = parities.add(base=and_leaf(row), offsets=HERE)
    return bits


def _xor(state: State, bits: dict[int, Node], row: int) -> Node:
    """The parity of a row's bits."""
    return state.parities.add(tuple(bits[bit] for bit in state.surgery.operands(row)))


def _open(state: State, row: int, signs: tuple[Node, Node]) -> OpenPatch:
    """What an INPUT or OUTPUT row leaves open."""
    tile = state.surgery.tile(row)
    paulis = []
    for letter in (Letter.X, Letter.Z):
        pauli = stim.PauliString(len(state.chip.coordinates))
        for qubit in state.chip.data(tile, logical_support(state.distance, letter)).tolist():
            pauli[qubit] = letter.name
        paulis.append(pauli)
    sign_x, sign_z = (Records(*state.parities.expand(node)) for node in signs)
    return OpenPatch(row, tile, paulis[0], paulis[1], sign_x, sign_z)
