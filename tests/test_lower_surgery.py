"""The surgery rows do what the program says, flow by flow, with signs; and a chip can do them.

Flows are those of the stand-in reading; `lift` compares state vectors in the true one.
"""

from __future__ import annotations

import numpy as np
import pytest
import stim
from lift import all_measured, assert_lifts, lift
from random_circuits import add_random_op, random_clifford, random_guarded, random_products
from surgery_oracle import TileCircuit, tile_circuit
from surgery_replay import replay

from qwasmc.diagnostics import CompileError
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ir.surgery import Row, Surgery
from qwasmc.logical import to_stim
from qwasmc.ops import OPS
from qwasmc.passes.defer_paulis import defer_paulis
from qwasmc.passes.lower_surgery import lower_surgery
from qwasmc.passes.open_ends import open_ends
from qwasmc.passes.scheduling.plan import FAMILIES
from qwasmc.verify import verify

T_GATES = ("t", "tdg")


def random_program(seed: int, max_qubits: int = 5, gates: int = 24) -> Circuit:
    """Clifford gates, T gates, measurements, feed-forward, qubits that come and go, syndromes."""
    rng = np.random.default_rng(seed)
    builder = CircuitBuilder()
    n = int(rng.integers(1, max_qubits + 1))
    wires = [builder.add("alloc", attr=f"q{i}") for i in range(n)]
    bits: list[int] = []
    for _ in range(int(rng.integers(1, gates + 1))):
        add_random_op(builder, rng, wires, bits)
        at, dice = int(rng.integers(n)), rng.random()
        if dice < 0.25:
            wires[at] = builder.add(str(rng.choice(T_GATES)), [wires[at]])
        elif dice < 0.32:
            builder.add("free", [wires[at]])
            wires[at] = builder.add("alloc", attr=f"new{len(builder.op)}")
        elif dice < 0.35:
            builder.add("syndrome", attr=int(rng.integers(3)))
        elif dice < 0.40:
            first = builder.add("barrier", list(wires))
            wires = [first + slot for slot in range(n)]
    for i, bit in enumerate(bits):
        builder.add("result", [bit], attr=f"m{i}")
    return builder.freeze()


def t_count(circuit: Circuit) -> int:
    return sum(OPS[code].name in T_GATES for code in circuit.op.tolist())


def lowered(program: Circuit, **options: object) -> Surgery:
    """The surgery of a program, which a chip can do, with a state for each T."""
    surgery = lower_surgery(defer_paulis(program), **options)
    verify(surgery)
    assert len(replay(surgery).states) == t_count(program)
    return surgery


# -- flows -----------------------------------------------------------------------------------------


def reference_flows(
    circuit: Circuit, gone: list[int]
) -> list[tuple[stim.PauliString, stim.PauliString, list[int]]]:
    """Generators of the program's flows; records are replaced by result numbers.

    Every measurement record of the program is exactly one named result.  Wires that are `gone` are
    reset at the end, so that Z there is 1 wherever it occurs in a flow.
    """
    logical = to_stim(circuit).circuit
    logical.append("R", gone)
    return [
        (f.input_copy(), f.output_copy(), f.measurements_copy()) for f in logical.flow_generators()
    ]


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


def missing_flows(circuit: Circuit, **options: object) -> list[str]:
    """Flows of the program that its surgery does not have."""
    opened = open_ends(all_measured(circuit))
    surgery = lowered(opened, **options)
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
    gone = sorted(set(wires[wires >= 0].tolist()) - set(outputs))
    for before, after, measurements in reference_flows(opened, gone):
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


@pytest.mark.parametrize("seed", range(24))
def test_random_cliffords(seed):
    assert missing_flows(random_clifford(seed, renew=0.1 * (seed % 2))) == []


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


# -- on every chip ---------------------------------------------------------------------------------

CHIPS = [
    {"floor_plan": plan, "factory": factory, "factories": count}
    for plan in FAMILIES
    for factory, count in (("port", 1), ("port", 3), ("cultivation-5", 2), ("15-to-1", 1))
]


def on_chip(check, program: Circuit, chip: dict[str, object]) -> None:
    """A check of a program; compact chips may have no room for a product of many patches."""
    try:
        check(program, **chip)
    except CompileError as refused:
        if chip["floor_plan"] != "compact" or "has no route" not in str(refused):
            raise


@pytest.mark.parametrize("chip", CHIPS, ids=lambda chip: "-".join(map(str, chip.values())))
def test_flows_on_chips(chip):
    """The time that chips take differs, not what they do."""

    def check(program: Circuit, **chip: object) -> None:
        assert missing_flows(program, **chip) == []

    for seed in range(6):
        on_chip(check, random_program(seed), chip)
        on_chip(check, random_products(seed), chip)


def assert_true(program: Circuit, seed: int = 0, **chip: object) -> None:
    """With true magic states, the surgery of a program with open ends acts like the program."""
    opened = open_ends(all_measured(program))
    assert_lifts(opened, lift(lowered(opened, **chip)), seed, runs=1)


@pytest.mark.parametrize("chip", CHIPS, ids=lambda chip: "-".join(map(str, chip.values())))
def test_true_states_on_chips(chip):
    for seed in range(6):
        on_chip(assert_true, random_program(seed, max_qubits=4), chip)
        on_chip(assert_true, random_guarded(seed), chip)


def test_a_pauli_waits_for_the_outcome_it_depends_on():
    """The T behind it is told which way it went at the start of its last slab, and not earlier."""
    builder = CircuitBuilder()
    other = builder.add("t", [builder.add("h", [builder.add("alloc", attr="other")])])
    for _ in range(4):
        other = builder.add("t", [builder.add("h", [other])])
    q = builder.add("h", [builder.add("alloc", attr="q")])
    other = builder.add("measure_z", [other])
    q = builder.add("t", [builder.add("x", [q], cond=other + 1)])
    assert_true(builder.freeze(), factories=4)


def test_swapped_qubits_keep_their_places():
    """A swap exchanges the qubits' names, so a freed one gives back the tile that it stands on."""
    builder = CircuitBuilder()
    a, b = builder.add("alloc", attr="a"), builder.add("alloc", attr="b")
    first = builder.add("swap", [a, b])
    a = builder.add("measure_x", [first])
    builder.add("syndrome")
    builder.add("free", [first + 1])
    c = builder.add("alloc", attr="c")
    product = builder.add("ppm", [a, c], attr="ZZ")
    builder.add("result", [product + 2], attr="m")
    surgery = lowered(builder.freeze())
    homes = {surgery.tile(row) for row in range(len(surgery)) if surgery.kind[row] == Row.PREPARE}
    assert homes == {(1, 1), (2, 2)}


def test_equal_programs_have_equal_rows():
    one, two = (lowered(random_program(5), factories=3) for _ in range(2))
    assert (one.pool == two.pool).all()
    assert (one.slab == two.slab).all()


def test_a_patch_that_begins_in_y_is_there_before_a_short_wait():
    """A preparation in Y takes more rounds than a wait may have."""
    builder = CircuitBuilder()
    qubit = builder.add("s", [builder.add("h", [builder.add("alloc", attr="q")])])
    builder.add("syndrome", attr=1)
    builder.add("result", [builder.add("measure_y", [qubit]) + 1], attr="m")
    surgery = lowered(builder.freeze())
    born, wait = (int(np.flatnonzero(surgery.kind == kind)[0]) for kind in (Row.PREPARE, Row.WAIT))
    assert surgery.slab[born] < surgery.slab[wait]
