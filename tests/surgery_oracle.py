"""A Surgery program as a Stim circuit with one qubit per tile: what the rows promise to do.

With the Clifford stand-in for magic states, that is: `adapt` measures Y, `fix` is its first bit.

Shares nothing with the code that emits physical circuits; tests of the lowering compare this
with the program.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import stim

from qwasmc.ir.surgery import Letter, Magic, Row, Surgery, Tile


@dataclass
class TileCircuit:
    """`parity[bit]` is a set of measurement records, with -1 standing for a constant 1."""

    circuit: stim.Circuit = field(default_factory=stim.Circuit)
    qubit: dict[Tile, int] = field(default_factory=dict)
    parity: dict[int, frozenset[int]] = field(default_factory=dict)


def phase_of(kind: int) -> int:
    """Order of rows within a slab: appear, measure jointly, be measured out."""
    return {Row.JOIN: 1, Row.MEASURE: 2, Row.ADAPT: 2}.get(Row(kind), 0)


def tile_circuit(surgery: Surgery) -> TileCircuit:
    """The rows in order of time; classical rows in order of definition."""
    out = TileCircuit()

    def qubit(tile: Tile) -> int:
        return out.qubit.setdefault(tile, len(out.qubit))

    timed = [
        row
        for row in range(len(surgery))
        if surgery.kind[row]
        in (Row.INPUT, Row.PREPARE, Row.INJECT, Row.JOIN, Row.MEASURE, Row.ADAPT)
    ]
    timed.sort(key=lambda row: (surgery.slab[row], phase_of(surgery.kind[row])))
    for row in timed:
        kind, aux = Row(surgery.kind[row]), int(surgery.aux[row])
        if kind == Row.JOIN:
            targets: list[stim.GateTarget] = []
            for tile, letter in surgery.join(row).terms:
                targets += [stim.target_pauli(qubit(tile), letter.name), stim.target_combiner()]
            out.circuit.append("MPP", targets[:-1])
        else:
            q = qubit(surgery.tile(row))
            if kind == Row.PREPARE:
                out.circuit.append({Letter.X: "RX", Letter.Y: "RY", Letter.Z: "R"}[Letter(aux)], q)
            elif kind == Row.INJECT:
                out.circuit.append("RX", q)
                out.circuit.append("S" if aux == Magic.T else "S_DAG", q)
            elif kind == Row.MEASURE:
                out.circuit.append({Letter.X: "MX", Letter.Y: "MY", Letter.Z: "M"}[Letter(aux)], q)
            elif kind == Row.ADAPT:
                out.circuit.append("MY", q)
        if kind in (Row.JOIN, Row.MEASURE, Row.ADAPT):
            out.parity[row] = frozenset([out.circuit.num_measurements - 1])
    for row in range(len(surgery)):
        if surgery.kind[row] == Row.CONST:
            out.parity[row] = frozenset([-1] if surgery.aux[row] else [])
        elif surgery.kind[row] == Row.FIX:
            out.parity[row] = out.parity[surgery.operands(row)[0]]
        elif surgery.kind[row] == Row.XOR:
            total: frozenset[int] = frozenset()
            for bit in surgery.operands(row):
                total ^= out.parity[bit]
            out.parity[row] = total
    return out
