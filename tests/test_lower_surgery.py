"""The surgery rows do what the program says, flow by flow, with signs."""

from __future__ import annotations

import pytest
import stim
from random_circuits import random_clifford
from surgery_oracle import TileCircuit, tile_circuit

from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ir.surgery import Row, Surgery
from qwasmc.logical import to_stim
from qwasmc.ops import OPS
from qwasmc.passes.defer_paulis import defer_paulis
from qwasmc.passes.lower_surgery import lower_surgery
from qwasmc.passes.open_ends import open_ends
from qwasmc.verify import verify


def reference_flows(circuit: Circuit) -> list[tuple[stim.PauliString, stim.PauliString, list[int]]]:
    """Generators of the program's flows; records are replaced by result numbers.

    The program is changed so that every measurement record is exactly one named result.
    """
    logical = to_stim(circuit).circuit
    return [
        (f.input_copy(), f.output_copy(), f.measurements_copy()) for f in logical.flow_generators()
    ]


def all_measured(circuit: Circuit) -> Circuit:
    """The same circuit whose results are exactly its measurement outcomes, in record order."""
    out = CircuitBuilder()
    bits = []
    for row, code in enumerate(circuit.op.tolist()):
        spec = OPS[code]
        if spec.name == "result":
            continue
        first = out.add(
            spec.name,
            circuit.values(row),
            cond=int(circuit.cond[row]),
            attr=circuit.attribute(row),
        )
        if spec.makes_bit and spec.qubits:
            bits.append(first + len(circuit.values(row)))
    for i, bit in enumerate(bits):
        out.add("result", [bit], attr=f"r{i}")
    return out.freeze()


def tile_pauli(
    tiles: TileCircuit, surgery: Surgery, flow_pauli: stim.PauliString, rows: dict[int, int], n: int
) -> tuple[stim.PauliString, set[int]]:
    """A Pauli of program inputs or outputs as one over tiles, and the records of its sign."""
    total = stim.PauliString(n)
    total.sign = flow_pauli.sign
    records: set[int] = set()
    for wire, row in rows.items():
        letter = flow_pauli[wire] if wire < len(flow_pauli) else 0
        if not letter:
            continue
        q = tiles.qubit[surgery.tile(row)]
        label, x_bit, z_bit = (
            surgery.operands(row) if surgery.kind[row] == Row.OUTPUT else (0, -1, -1)
        )
        single = stim.PauliString(n)
        name = "IXYZ"[letter]
        single[q] = {"X": "Z", "Z": "X", "Y": "Y"}[name] if label else name
        if label and name == "Y":
            single.sign = -1
        total *= single
        if name in "XY" and z_bit >= 0:
            records ^= tiles.parity[z_bit]
        if name in "ZY" and x_bit >= 0:
            records ^= tiles.parity[x_bit]
    return total, records


def missing_flows(circuit: Circuit) -> list[str]:
    """Flows of the program that its surgery does not have."""
    opened = open_ends(all_measured(circuit))
    surgery = lower_surgery(defer_paulis(opened))
    verify(surgery)
    tiles = tile_circuit(surgery)
    kinds = surgery.kind.tolist()
    inputs = {int(surgery.aux[r]): r for r, k in enumerate(kinds) if k == Row.INPUT}
    wires = opened.wires()
    out_wires = [
        int(wires[opened.values(r)[0]])
        for r in range(len(opened))
        if OPS[opened.op[r]].name == "output"
    ]
    out_rows = [r for r, k in enumerate(kinds) if k == Row.OUTPUT]
    outputs = dict(zip(out_wires, out_rows, strict=True))
    results = [surgery.operands(r)[0] for r, k in enumerate(kinds) if k == Row.RESULT]
    n = len(tiles.qubit)
    missing = []
    for before, after, measurements in reference_flows(opened):
        start, _ = tile_pauli(tiles, surgery, before, inputs, n)
        end, records = tile_pauli(tiles, surgery, after, outputs, n)
        for m in measurements:
            records ^= tiles.parity[results[m]]
        if -1 in records:
            records.discard(-1)
            end.sign = -end.sign
        flow = stim.Flow(input=start, output=end, measurements=sorted(records))
        if not tiles.circuit.has_flow(flow):
            missing.append(f"{before} -> {after} xor {measurements}")
    return missing


@pytest.mark.parametrize("seed", range(60))
def test_random_programs(seed):
    assert missing_flows(random_clifford(seed)) == []


@pytest.mark.parametrize(
    "gate", ["h", "x", "y", "z", "s", "sdg", "sx", "sxdg", "cx", "cy", "cz", "swap"]
)
@pytest.mark.parametrize("flag", [0, 1, 2, 3])
def test_each_gate(gate, flag):
    """Every gate, with and without a label on its patches."""
    builder = CircuitBuilder()
    n = 2 if gate in ("cx", "cy", "cz", "swap") else 1
    wires = [builder.add("alloc", attr=f"q{i}") for i in range(n)]
    for i in range(n):
        if flag >> i & 1:
            wires[i] = builder.add("h", [wires[i]])
    builder.add(gate, wires)
    assert missing_flows(builder.freeze()) == []


def test_t_is_its_stand_in():
    builder = CircuitBuilder()
    q = builder.add("alloc", attr="q")
    for gate in ("t", "h", "tdg", "s", "t"):
        q = builder.add(gate, [q])
    assert missing_flows(builder.freeze()) == []


def test_a_freed_qubit_gives_back_the_tile_it_stands_on():
    """A swap exchanges the qubits' names, not their patches."""
    builder = CircuitBuilder()
    a, b = builder.add("alloc", attr="a"), builder.add("alloc", attr="b")
    first = builder.add("swap", [a, b])
    a = builder.add("measure_x", [first])
    builder.add("syndrome")
    builder.add("free", [first + 1])
    c = builder.add("alloc", attr="c")
    product = builder.add("ppm", [a, c], attr="ZZ")
    builder.add("result", [product + 2], attr="m")
    surgery = lower_surgery(builder.freeze())
    verify(surgery)
    homes = {surgery.tile(row) for row in range(len(surgery)) if surgery.kind[row] == Row.PREPARE}
    assert homes == {(1, 1), (2, 2)}
