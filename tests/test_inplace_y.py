"""Patches prepared and measured out in Y on their own tile: flows with signs, and distances."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import stim
from surgery_oracle import tile_circuit
from surgery_shapes import MIXED, PLAIN, join, turned

from qwasmc.backends.stim.emission import OpenPatch
from qwasmc.backends.stim.emit import emit
from qwasmc.backends.stim.noise import apply_noise
from qwasmc.backends.stim.noise_models import NoiseModel
from qwasmc.diagnostics import CompileError
from qwasmc.ir.surgery import Join, Letter, Magic, Row, Surgery, SurgeryBuilder, Tile, encode_join

X, Y, Z = Letter.X, Letter.Y, Letter.Z

BELOW = join([((0, 0), "Z"), ((0, 1), "Z")], [], [((0, 0), "S")])
"""Two neighbours; its first term is where the tests have their qubit."""

Open = dict[int, OpenPatch]
"""Open patches by the number of their tile in the oracle."""


def spread(pauli: stim.PauliString, patches: Open, qubits: int) -> stim.PauliString:
    """A Pauli on tiles as one on the qubits of open patches."""
    whole = stim.PauliString(qubits) * pauli.sign
    for tile in pauli.pauli_indices():
        x, z = patches[tile].x, patches[tile].z
        whole *= (x, 1j * x * z, z)[pauli[tile] - 1]
    return whole


def signs(pauli: stim.PauliString, patches: Open) -> set[int]:
    """The records that give the sign of a Pauli on open patches."""
    odd: set[int] = set()
    for tile in pauli.pauli_indices():
        for sign, letters in ((patches[tile].sign_x, (1, 2)), (patches[tile].sign_z, (2, 3))):
            if pauli[tile] in letters:
                assert sign.constant == 0
                odd ^= set(sign.records)
    return odd


def flows(surgery: Surgery, distance: int) -> tuple[stim.Circuit, list[stim.Flow]]:
    """The emitted circuit, and the flows that it has if it does what the rows say."""
    emission, ideal = emit(surgery, distance), tile_circuit(surgery)
    inputs = {ideal.qubit[patch.tile]: patch for patch in emission.inputs}
    outputs = {ideal.qubit[patch.tile]: patch for patch in emission.outputs}
    closed = [q for q in ideal.qubit.values() if q not in outputs]
    ideal.circuit.append("R", closed)
    rows = {
        record: row
        for row, parity in ideal.parity.items()
        if surgery.kind[row] in (Row.JOIN, Row.MEASURE, Row.ADAPT)
        for record in parity
    }
    wanted = []
    for flow in ideal.circuit.flow_generators():
        before, after = flow.input_copy(), flow.output_copy()
        if not set(after.pauli_indices()).isdisjoint(closed):
            assert after.weight == 1
            assert not before.weight
            continue
        records, minus = signs(after, outputs), 0
        for record in flow.measurements_copy():
            bit = emission.bit_records(rows[record % ideal.circuit.num_measurements])
            records ^= set(bit.records)
            minus ^= bit.constant
        wanted.append(
            stim.Flow(
                input=spread(before, inputs, emission.num_qubits),
                output=spread(after, outputs, emission.num_qubits) * (-1) ** minus,
                measurements=sorted(records),
            )
        )
    return emission.circuit, wanted


def measured(slab: int) -> Surgery:
    """An open patch, measured in Y."""
    build = SurgeryBuilder()
    build.add(Row.INPUT)
    build.add(Row.MEASURE, slab=slab, aux=Y)
    return build.freeze()


def prepared(slab: int) -> Surgery:
    """A patch prepared in Y, handed over."""
    build = SurgeryBuilder()
    build.add(Row.PREPARE, aux=Y)
    build.add(Row.OUTPUT, slab=slab, aux=build.name("y"))
    return build.freeze()


def phase_gate(build: SurgeryBuilder, shape: Join, slab: int) -> list[int]:
    """S about the first term's letter, its helper in Y in the slab before; the bits of its Pauli
    correction."""
    helper = shape.terms[1]
    other = Z if helper.letter == X else X
    build.add(Row.PREPARE, slab=slab - 1, tile=helper.tile, aux=Y)
    outcome = build.add(Row.JOIN, slab=slab, operands=encode_join(shape))
    return [outcome, build.add(Row.MEASURE, slab=slab, tile=helper.tile, aux=other)]


def one_phase_gate(quarters: int) -> Surgery:
    """S on an open patch."""
    build, shape = SurgeryBuilder(), turned(BELOW, quarters)
    tile = shape.terms[0].tile
    build.add(Row.INPUT, tile=tile)
    phase_gate(build, shape, 1)
    build.add(Row.OUTPUT, slab=1, tile=tile, aux=build.name("s"))
    return build.freeze()


def t_rows(build: SurgeryBuilder, inverse: bool) -> list[int]:
    """T or T^-1 on (0, 0): magic patch below it, helper for the correction below that.  The bits of
    its Z correction."""
    build.add(Row.INJECT, tile=(0, 1), aux=Magic.T)
    build.add(Row.PREPARE, slab=1, tile=(0, 2), aux=Y)
    first = build.add(Row.JOIN, slab=1, operands=encode_join(BELOW))
    lower = join([((0, 1), "Z"), ((0, 2), "Z")], [], [((0, 1), "S")])
    second = build.add(Row.JOIN, slab=2, operands=encode_join(lower))
    out = build.add(Row.MEASURE, slab=2, tile=(0, 1), aux=X)
    due = build.add(Row.XOR, operands=[first, build.add(Row.CONST, aux=int(inverse))])
    last = build.add(Row.ADAPT, slab=3, tile=(0, 2), operands=[due])
    flipped = build.add(Row.XOR, operands=[second, build.add(Row.CONST, aux=1)])
    return [out, last, build.add(Row.FIX, operands=[due, flipped])]


def t_gate(inverse: bool) -> Surgery:
    """T or T^-1 on an open patch."""
    build = SurgeryBuilder()
    build.add(Row.INPUT)
    t_rows(build, inverse)
    build.add(Row.OUTPUT, slab=3, aux=build.name("t"))
    return build.freeze()


def crowd() -> Surgery:
    """Beside patches on their way to and from Y: a seven-slot join, a port, and idle patches."""
    build = SurgeryBuilder()
    for tile in ((0, 0), (1, 1), (2, 0), (0, 2)):
        build.add(Row.INPUT, tile=tile)
    build.add(Row.PREPARE, slab=1, tile=(1, 2), aux=Y)
    build.add(Row.INJECT, slab=1, tile=(2, 2), aux=Magic.T)
    build.add(Row.JOIN, slab=1, operands=encode_join(MIXED["vertical seam"]))
    build.add(Row.MEASURE, slab=1, tile=(2, 0), aux=Y)
    build.add(Row.MEASURE, slab=1, tile=(0, 2), aux=Z)
    for tile in ((0, 0), (1, 1), (1, 2), (2, 2)):
        build.add(Row.OUTPUT, slab=2, tile=tile, aux=build.name(str(tile)))
    return build.freeze()


PROGRAMS: dict[str, Callable[[], Surgery]] = {
    "measured at once": lambda: measured(0),
    "measured later": lambda: measured(1),
    "prepared": lambda: prepared(0),
    "prepared earlier": lambda: prepared(1),
    **{f"S {i}": lambda i=i: one_phase_gate(i) for i in range(4)},
    "T": lambda: t_gate(inverse=False),
    "T^-1": lambda: t_gate(inverse=True),
    "crowd": crowd,
}


@pytest.mark.parametrize("distance", [3, pytest.param(5, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_do_what_the_rows_say(name: str, distance: int) -> None:
    circuit, wanted = flows(PROGRAMS[name](), distance)
    assert wanted
    assert circuit.has_all_flows(wanted)


def random_program(seed: int) -> Surgery:
    """Patches on 2 x 2 tiles that come in any letter, are joined at random, and leave likewise."""
    rng, build = random.Random(seed), SurgeryBuilder()
    tiles = [(x, y) for x in range(2) for y in range(2)]
    busy = dict.fromkeys(tiles, -1)
    """The last slab that keeps a tile from being measured in Y, or joined."""
    alive: set[Tile] = set()
    for slab in range(4):
        for tile in tiles:
            if tile not in alive:
                letter = rng.choice((X, Y, Z))
                build.add(Row.PREPARE, slab=slab, tile=tile, aux=letter)
                busy[tile] = slab if letter == Y else slab - 1
                alive.add(tile)
        letter = rng.choice("XZ")
        for tile in tiles:
            far = (tile[0] + (letter == "X"), tile[1] + (letter == "Z"))
            if far in alive and max(busy[tile], busy[far]) < slab and rng.random() < 0.7:
                edge = (tile, "E" if letter == "X" else "S")
                shape = join([(tile, letter), (far, letter)], [], [edge])
                build.add(Row.JOIN, slab=slab, operands=encode_join(shape))
                busy[tile] = busy[far] = slab
        for tile in tiles:
            if rng.random() < 0.5:
                letters = (X, Z) if busy[tile] == slab else (X, Y, Z)
                build.add(Row.MEASURE, slab=slab, tile=tile, aux=rng.choice(letters))
                alive.remove(tile)
    for tile in sorted(alive):
        build.add(Row.OUTPUT, slab=3, tile=tile, aux=build.name(str(tile)))
    return build.freeze()


@pytest.mark.parametrize("seed", [*range(6), pytest.param(range(6, 100), marks=pytest.mark.slow)])
def test_random_programs_do_what_the_rows_say(seed: int | range) -> None:
    for one in seed if isinstance(seed, range) else [seed]:
        circuit, wanted = flows(random_program(one), 3)
        assert circuit.has_all_flows(wanted), one
        circuit.detector_error_model()


def distance_of(surgery: Surgery, distance: int) -> int:
    """Of the circuit, with every fault possible; also checks determinism and decomposition."""
    circuit = apply_noise(emit(surgery, distance).circuit, NoiseModel.uniform(1e-3))
    circuit.detector_error_model(decompose_errors=True)
    return len(circuit.shortest_graphlike_error())


def memory(slabs: int) -> Surgery:
    """A patch prepared and measured in Y."""
    build = SurgeryBuilder()
    build.add(Row.PREPARE, aux=Y)
    bit = build.add(Row.MEASURE, slab=slabs - 1, aux=Y)
    build.add(Row.OBSERVABLE, aux=build.name("memory"), operands=[bit])
    return build.freeze()


def two_phase_gates(quarters: int) -> Surgery:
    """Two S gates on an eigenstate that they flip."""
    build, shape = SurgeryBuilder(), turned(BELOW, quarters)
    target = shape.terms[0]
    letter = Z if target.letter == X else X
    build.add(Row.PREPARE, tile=target.tile, aux=letter)
    bits = phase_gate(build, shape, 1) + phase_gate(build, shape, 3)
    bits.append(build.add(Row.MEASURE, slab=3, tile=target.tile, aux=letter))
    build.add(Row.OBSERVABLE, aux=build.name("S S"), operands=bits)
    return build.freeze()


def y_after_phase_gate(quarters: int) -> Surgery:
    """S on |+> (or its like), measured in Y."""
    build, shape = SurgeryBuilder(), turned(BELOW, quarters)
    target = shape.terms[0]
    build.add(Row.PREPARE, tile=target.tile, aux=Z if target.letter == X else X)
    bits = phase_gate(build, shape, 1)
    bits.append(build.add(Row.MEASURE, slab=2, tile=target.tile, aux=Y))
    build.add(Row.OBSERVABLE, aux=build.name("Y"), operands=bits)
    return build.freeze()


def joined(quarters: int) -> Surgery:
    """Two patches in Y, joined, and both measured in Y."""
    build, shape = SurgeryBuilder(), turned(BELOW, quarters)
    for term in shape.terms:
        build.add(Row.PREPARE, tile=term.tile, aux=Y)
    build.add(Row.JOIN, slab=1, operands=encode_join(shape))
    bits = [build.add(Row.MEASURE, slab=2, tile=term.tile, aux=Y) for term in shape.terms]
    build.add(Row.OBSERVABLE, aux=build.name("YY"), operands=bits)
    return build.freeze()


def y_after_t(inverse: bool) -> Surgery:
    """The stand-in of T or T^-1 on |+>, measured in Y."""
    build = SurgeryBuilder()
    build.add(Row.PREPARE, aux=X)
    bits = t_rows(build, inverse)
    bits.append(build.add(Row.MEASURE, slab=2, aux=Y))
    build.add(Row.OBSERVABLE, aux=build.name("Y"), operands=bits)
    return build.freeze()


DISTANCES: dict[str, Callable[[], Surgery]] = {
    "memory": lambda: memory(2),
    "longer memory": lambda: memory(3),
    "T": lambda: y_after_t(inverse=False),
    "T^-1": lambda: y_after_t(inverse=True),
    **{f"S S {i}": lambda i=i: two_phase_gates(i) for i in range(4)},
    **{f"S Y {i}": lambda i=i: y_after_phase_gate(i) for i in range(4)},
    **{f"joined {i}": lambda i=i: joined(i) for i in range(4)},
}


@pytest.mark.parametrize(
    "distance", [3, *(pytest.param(distance, marks=pytest.mark.slow) for distance in (5, 7))]
)
@pytest.mark.parametrize("name", DISTANCES)
def test_distance(name: str, distance: int) -> None:
    assert distance_of(DISTANCES[name](), distance) == distance


OUTCOMES = {
    "memory": (memory(2), 0),
    "S S": (two_phase_gates(0), 1),
    "S Y": (y_after_phase_gate(0), 0),
    "T": (y_after_t(inverse=False), 0),
    "T^-1": (y_after_t(inverse=True), 1),
}
"""Programs with what they should find, Pauli corrections made."""


@pytest.mark.parametrize("name", OUTCOMES)
def test_outcomes(name: str) -> None:
    surgery, expected = OUTCOMES[name]
    emission = emit(surgery, 3)
    (row,) = [row for row, kind in enumerate(surgery.kind) if kind == Row.OBSERVABLE]
    bits = [emission.bit_records(bit) for bit in surgery.operands(row)]
    (found,) = emission.circuit.reference_detector_and_observable_signs()[1].tolist()
    assert found ^ sum(bit.constant for bit in bits) % 2 == expected


@pytest.mark.parametrize("distance", [3, 5, 7, 9, 11])
def test_a_patch_keeps_to_its_tile(distance: int) -> None:
    """And its outcome has the right sign at every distance."""
    emission = emit(memory(2), distance)
    assert all(-1 < x < distance and -1 < y < distance for x, y in emission.coordinates)
    assert emission.slab_rounds == [distance] * 2
    assert emission.layers == [6 * distance + 1] * 2
    assert emission.circuit.reference_detector_and_observable_signs()[1].tolist() == [False]


@pytest.mark.parametrize("letter", [X, Z])
def test_other_letters_do_not_reach_the_outcome(letter: Letter) -> None:
    build = SurgeryBuilder()
    build.add(Row.PREPARE, aux=letter)
    bit = build.add(Row.MEASURE, aux=Y)
    emission = emit(build.freeze(), 3)
    shots = emission.circuit.compile_sampler(seed=7).sample(100)
    outcomes = shots[:, emission.bit_records(bit).records].sum(axis=1) % 2
    assert 20 < outcomes.sum() < 80


def test_short_slabs_are_lengthened() -> None:
    emission = emit(memory(2), 7, rounds=2)
    assert emission.slab_rounds == [5, 5]
    assert emission.circuit.num_ticks == sum(emission.layers) == 62


def refused(*rows: tuple[Row, int]) -> Surgery:
    """Rows in slab 0 on one tile, and what they need; columns are kind and aux."""
    build = SurgeryBuilder()
    for kind, aux in rows:
        operands = encode_join(PLAIN["alone"]) if kind == Row.JOIN else ()
        build.add(kind, aux=aux, operands=operands)
    return build.freeze()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(Row.PREPARE, Y), (Row.WAIT, 3)], "a patch in this slab needs 4 rounds for its Y"),
        ([(Row.INJECT, 0), (Row.MEASURE, Y)], "can only idle in the slab that injects it"),
    ],
)
def test_slabs_that_cannot_hold_a_y(rows: list[tuple[Row, int]], message: str) -> None:
    with pytest.raises(CompileError, match=message):
        emit(refused(*rows), 5)


@pytest.mark.parametrize(
    "rows",
    [
        [(Row.PREPARE, Y), (Row.JOIN, 0)],
        [(Row.PREPARE, X), (Row.JOIN, 0), (Row.MEASURE, Y)],
        [(Row.PREPARE, Y), (Row.MEASURE, Y)],
    ],
)
def test_a_patch_idles_while_it_turns_to_y(rows: list[tuple[Row, int]]) -> None:
    with pytest.raises(ValueError, match="its patch does not idle in this slab"):
        emit(refused(*rows), 5)
