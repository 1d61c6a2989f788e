"""Emission against Stim: determinism, stabilizer flows with signs, circuit-level distance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
import stim
from surgery_shapes import (
    JOINS,
    MIXED,
    PLAIN,
    TWISTED,
    experiment,
    join,
    memory,
    open_joins,
    turned,
)

from qwasmc.backends.stim.emission import Emission, NonLinearBit, OpenPatch
from qwasmc.backends.stim.emit import emit
from qwasmc.backends.stim.noise import apply_noise
from qwasmc.backends.stim.noise_models import NoiseModel
from qwasmc.diagnostics import CompileError
from qwasmc.ir.surgery import Join, Letter, Magic, Row, Surgery, SurgeryBuilder, encode_join

X, Y, Z = Letter.X, Letter.Y, Letter.Z


def cases(shapes: dict[str, Join], quarters: int = 4) -> list[object]:
    return [
        pytest.param(turned(shape, i), id=f"{name}-{i}")
        for name, shape in shapes.items()
        for i in range(quarters)
    ]


def distances(*slow: int) -> list[object]:
    return [3, *(pytest.param(distance, marks=pytest.mark.slow) for distance in slow)]


def distance_of(surgery: Surgery, distance: int) -> int:
    """Of the circuit, with every fault possible; also checks determinism and decomposition."""
    circuit = apply_noise(emit(surgery, distance).circuit, NoiseModel.uniform(1e-3))
    circuit.detector_error_model(decompose_errors=True)
    return len(circuit.shortest_graphlike_error())


def operator(open_patch: OpenPatch, letter: int) -> stim.PauliString:
    """A logical operator as a physical one, without the sign that records give it."""
    x, z = open_patch.x, open_patch.z
    return {0: stim.PauliString(len(x)), X: x, Z: z, Y: 1j * x * z}[letter]


def product(patches: Sequence[OpenPatch], letters: Sequence[int]) -> stim.PauliString:
    whole = stim.PauliString(len(patches[0].x))
    for patch, letter in zip(patches, letters, strict=True):
        whole *= operator(patch, letter)
    return whole


def signs(patches: Sequence[OpenPatch], letters: Sequence[int]) -> set[int]:
    """The records that give the sign of a product on open outputs."""
    odd: set[int] = set()
    for patch, letter in zip(patches, letters, strict=True):
        for part, sign in ((X, patch.sign_x), (Z, patch.sign_z)):
            if letter & part:
                assert sign.constant == 0
                odd ^= set(sign.records)
    return odd


def kept(letters: Sequence[Letter]) -> Iterator[tuple[int, ...]]:
    """Products of logical operators on one or two patches that commute with the measured one."""
    for i, letter in enumerate(letters):
        yield tuple(letter if k == i else 0 for k in range(len(letters)))
        for first in (X, Y, Z):
            for other in (X, Y, Z):
                if i and first != letters[0] and other != letter:
                    rest = (other if k == i else 0 for k in range(1, len(letters)))
                    yield (first, *rest)


def join_flows(emission: Emission, join: Join, bits: Sequence[int]) -> Iterator[stim.Flow]:
    """The flows of a product measurement, repeated."""
    nothing = stim.PauliString(emission.num_qubits)
    letters = [term.letter for term in join.terms]
    for some in kept(letters):
        yield stim.Flow(
            input=product(emission.inputs, some),
            output=product(emission.outputs, some),
            measurements=sorted(signs(emission.outputs, some)),
        )
    for bit in bits:
        records, constant = emission.bit_records(bit)
        sign = (-1) ** constant
        before, after = (product(ends, letters) for ends in (emission.inputs, emission.outputs))
        yield stim.Flow(input=sign * before, output=nothing, measurements=records)
        last = sorted(set(records) ^ signs(emission.outputs, letters))
        yield stim.Flow(input=nothing, output=sign * after, measurements=last)


@pytest.mark.parametrize("distance", [3, pytest.param(5, marks=pytest.mark.slow)])
@pytest.mark.parametrize("shape", cases(JOINS))
def test_join_is_an_ideal_measurement(shape: Join, distance: int) -> None:
    surgery, bits = open_joins(shape, times=2)
    emission = emit(surgery, distance, rounds=2)
    assert emission.circuit.has_all_flows(list(join_flows(emission, shape, bits)))


@pytest.mark.parametrize("distance", distances(5, 7))
@pytest.mark.parametrize("letter", [X, Z])
def test_memory_distance(letter: Letter, distance: int) -> None:
    assert distance_of(memory(letter), distance) == distance


def partner(letter: Letter) -> Letter:
    return Z if letter == X else X


@pytest.mark.slow
@pytest.mark.parametrize("distance", distances(5, 7))
@pytest.mark.parametrize("shape", cases(PLAIN | MIXED))
def test_join_distance(shape: Join, distance: int) -> None:
    """Of the outcome against what was prepared and against what is measured later, of the terms'
    own operators, and of the partners' correlations."""
    own = [term.letter for term in shape.terms]
    other = [partner(letter) for letter in own]
    each = [[i] for i in range(len(own))]
    together = [-1, *range(len(own))]
    assert distance_of(experiment(shape, own, own, [[-1], *each]), distance) == distance
    assert distance_of(experiment(shape, other, own, [together]), distance) == distance
    if len(own) > 1:
        pairs = [[0, i] for i in range(1, len(own))]
        assert distance_of(experiment(shape, other, other, pairs), distance) == distance


def with_idle_slabs(
    shape: Join, letters: Sequence[Letter], pairs: Sequence[Sequence[int]]
) -> Surgery:
    """Prepare, idle, join twice, idle, measure; observe pairs of terms and that the joins agree."""
    build = SurgeryBuilder()
    for term, letter in zip(shape.terms, letters, strict=True):
        build.add(Row.PREPARE, tile=term.tile, aux=letter)
    joins = [build.add(Row.JOIN, slab=slab, operands=encode_join(shape)) for slab in (1, 2)]
    bits = [
        build.add(Row.MEASURE, slab=3, tile=term.tile, aux=letter)
        for term, letter in zip(shape.terms, letters, strict=True)
    ]
    for operands in [joins, *([bits[i] for i in pair] for pair in pairs)]:
        build.add(Row.OBSERVABLE, aux=build.name("parity"), operands=operands)
    return build.freeze()


@pytest.mark.slow
@pytest.mark.parametrize("distance", distances(5))
@pytest.mark.parametrize("y_as", [X, Z])
@pytest.mark.parametrize("shape", cases(TWISTED))
def test_twisted_join_distance(shape: Join, y_as: Letter, distance: int) -> None:
    own = [term.letter for term in shape.terms]
    other = [y_as if letter == Y else partner(letter) for letter in own]
    pairs = [[0, i] for i in range(1, len(own))]
    assert distance_of(with_idle_slabs(shape, other, pairs), distance) == distance


def phase_gates(shape: Join, prepared: Letter, measured: Letter) -> Surgery:
    """Two S gates on the second term, each by a helper that lives for one slab."""
    helper, target = shape.terms
    letter = partner(target.letter)
    build = SurgeryBuilder()
    build.add(Row.PREPARE, tile=target.tile, aux=letter)
    bits = []
    for slab in (1, 2):
        build.add(Row.PREPARE, slab=slab, tile=helper.tile, aux=prepared)
        bits.append(build.add(Row.JOIN, slab=slab, operands=encode_join(shape)))
        bits.append(build.add(Row.MEASURE, slab=slab, tile=helper.tile, aux=measured))
    bits.append(build.add(Row.MEASURE, slab=3, tile=target.tile, aux=letter))
    build.add(Row.OBSERVABLE, aux=build.name("S S"), operands=bits)
    return build.freeze()


@pytest.mark.parametrize("distance", distances(5, 7))
@pytest.mark.parametrize(("quarters", "prepared", "measured"), [(0, Z, X), (2, X, Z)])
@pytest.mark.parametrize("name", ["YZ north", "YZ at the diagonal", "YX east", "YX around"])
def test_phase_gate_distance(
    name: str, quarters: int, prepared: Letter, measured: Letter, distance: int
) -> None:
    """With the loop around the helper's north-east corner, and mirrored around its south-west.

    A helper that lives for just the one slab opens new ways for errors, between a rim and the
    slab's start or end; other corners with these bases fall short of the full distance.
    """
    surgery = phase_gates(turned(TWISTED[name], quarters), prepared, measured)
    assert distance_of(surgery, distance) == distance


def moved(shape: Join, by: int) -> Join:
    """The join so many tiles further along a diagonal."""
    return Join(
        *(
            tuple(part._replace(tile=(part.tile[0] + by, part.tile[1] - 2 * by)) for part in parts)
            for parts in shape
        )
    )


def cnot() -> tuple[Surgery, list[int]]:
    """Control (0, 0), target (1, 1), helper (0, 1); the outcomes of both joins and the helper."""
    build = SurgeryBuilder()
    for tile in ((0, 0), (1, 1)):
        build.add(Row.INPUT, tile=tile)
    build.add(Row.PREPARE, tile=(0, 1), aux=X)
    first = join([((0, 0), "Z"), ((0, 1), "Z")], [], [((0, 0), "S")])
    second = join([((0, 1), "X"), ((1, 1), "X")], [], [((0, 1), "E")])
    bits = [
        build.add(Row.JOIN, slab=0, operands=encode_join(first)),
        build.add(Row.JOIN, slab=1, operands=encode_join(second)),
        build.add(Row.MEASURE, slab=1, tile=(0, 1), aux=Z),
    ]
    for tile in ((0, 0), (1, 1)):
        build.add(Row.OUTPUT, slab=1, tile=tile, aux=build.name("out"))
    return build.freeze(), bits


@pytest.mark.parametrize(("distance", "qubits"), [(3, 65), (5, 169), (7, 321)])
def test_cnot_acts_as_a_cnot_in_six_layers_a_round(distance: int, qubits: int) -> None:
    surgery, (zz, xx, z) = cnot()
    emission = emit(surgery, distance)
    assert emission.num_qubits == qubits == emission.circuit.num_qubits
    assert emission.layers == [6 * distance, 6 * distance]
    assert emission.circuit.num_ticks == 12 * distance
    corrections = {X: set(emission.bit_records(xx).records)}
    flips = set(emission.bit_records(zz).records) ^ set(emission.bit_records(z).records)
    table = stim.Tableau.from_named_gate("CX")
    flows = []
    for letters in ((X, 0), (Z, 0), (0, X), (0, Z)):
        small = stim.PauliString([{0: 0, X: 1, Z: 3}[letter] for letter in letters])
        image = [{0: 0, 1: X, 2: Y, 3: Z}[letter] for letter in table(small)]
        records = signs(emission.outputs, image)
        if image[1] & Z:
            records ^= flips
        if image[0] & X:
            records ^= corrections[X]
        flows.append(
            stim.Flow(
                input=product(emission.inputs, letters),
                output=product(emission.outputs, image),
                measurements=sorted(records),
            )
        )
    assert emission.circuit.has_all_flows(flows)


def test_measurements_of_a_joined_patch_agree_with_the_join() -> None:
    """All signs included: prepared and measured in its slabs, over three joins in a row."""
    shape = PLAIN["T"]
    own = [Z] * 3
    surgery = experiment(shape, [X] * 3, own, [[-1, 0, 1, 2], [0, 1]], joins=3)
    circuit = emit(surgery, 3).circuit
    bits = circuit.compile_sampler(seed=5).sample(20)
    parities = circuit.compile_m2d_converter().convert(measurements=bits, append_observables=True)
    assert not parities[:, : circuit.num_detectors].any()
    assert not parities[:, circuit.num_detectors].any()
    assert parities[:, circuit.num_detectors + 1].any(), "Z1 Z2 is random"


@pytest.mark.parametrize("distance", [3, 5])
@pytest.mark.parametrize("magic", [Magic.T, Magic.TDG])
def test_injected_patch_is_in_the_stand_in_state(magic: Magic, distance: int) -> None:
    build = SurgeryBuilder()
    build.add(Row.INJECT, tile=(0, 1), aux=magic)
    bit = build.add(Row.JOIN, slab=1, operands=encode_join(TWISTED["Y"]))
    build.add(Row.OUTPUT, slab=1, tile=(0, 1), aux=build.name("t"))
    build.add(Row.OBSERVABLE, aux=build.name("Y"), operands=[bit])
    emission = emit(build.freeze(), distance)
    sign = 1 if magic == Magic.T else -1
    records, constant = emission.bit_records(bit)
    nothing = stim.PauliString(emission.num_qubits)
    state = sign * operator(emission.outputs[0], Y)
    flows = [
        stim.Flow(output=state, measurements=sorted(signs(emission.outputs, [Y]))),
        stim.Flow(output=sign * (-1) ** constant * nothing, measurements=records),
    ]
    assert emission.circuit.has_all_flows(flows)
    circuit = apply_noise(emission.circuit, NoiseModel.uniform(1e-3))
    assert len(circuit.shortest_graphlike_error()) == distance


def test_port_is_quiet_for_its_first_round_only() -> None:
    build = SurgeryBuilder()
    build.add(Row.INJECT, tile=(1, 0), aux=Magic.T)
    build.add(Row.PREPARE, tile=(0, 0), aux=Z)
    build.add(Row.OUTPUT, tile=(1, 0), aux=build.name("t"))
    build.add(Row.MEASURE, tile=(0, 0), aux=Z)
    emission = emit(build.freeze(), 3)
    port = {q for q, (x, _) in enumerate(emission.coordinates) if x > 3}
    text = str(emission.circuit)
    assert text.count("S[T]") == 1
    layers = text.split("TICK")
    for number, layer in enumerate(layers[:7]):
        named: set[int] = set()
        for line in layer.strip().splitlines():
            name, *targets = line.split()
            qubits = {int(target) for target in targets if target.isdigit()}
            if "[port]" in name:
                assert qubits <= port
                named |= qubits
            elif not name.startswith(("QUBIT_COORDS", "S[T]")):
                assert qubits.isdisjoint(port), (number, line)
        assert named == port
    assert "[port]" not in "".join(layers[7:])


def test_patch_may_not_be_joined_in_the_slab_that_injects_it() -> None:
    build = SurgeryBuilder()
    build.add(Row.INJECT, aux=Magic.T)
    build.add(Row.JOIN, operands=encode_join(PLAIN["alone"]))
    with pytest.raises(CompileError, match="in the slab that injects it"):
        emit(build.freeze(), 3)


def test_bits_that_are_no_parities() -> None:
    build = SurgeryBuilder()
    build.add(Row.PREPARE, aux=Z)
    bit = build.add(Row.MEASURE, aux=Z)
    one = build.add(Row.CONST, aux=1)
    flipped = build.add(Row.XOR, operands=[bit, one])
    both = build.add(Row.AND, operands=[bit, flipped])
    after = build.add(Row.XOR, operands=[both, one])
    emission = emit(build.freeze(), 3)
    assert emission.bit_records(one) == ([], 1)
    assert emission.bit_records(flipped) == (emission.bit_records(bit).records, 1)
    for row in (both, after):
        with pytest.raises(NonLinearBit, match=f"row {row}"):
            emission.bit_records(row)
    assert emission.bit_parity(after) == ([], 1, [both])
    with pytest.raises(ValueError, match="row 0 defines no bit"):
        emission.bit_records(0)


def test_what_bits_are_parities_of() -> None:
    build = SurgeryBuilder()
    bits = []
    for tile in ((0, 0), (2, 0)):
        build.add(Row.PREPARE, tile=tile, aux=X)
        bits.append(build.add(Row.MEASURE, tile=tile, aux=Z))
    one = build.add(Row.CONST, aux=1)
    flipped = build.add(Row.XOR, operands=[bits[0], one])
    both = build.add(Row.AND, operands=[bits[0], bits[1]])
    other = build.add(Row.AND, operands=[flipped, bits[1]])
    after = build.add(Row.XOR, operands=[both, flipped])
    twice = build.add(Row.XOR, operands=[both, after, other])
    emission = emit(build.freeze(), 3)
    first, second = (emission.bit_records(bit).records for bit in bits)
    assert first
    assert second
    assert set(first).isdisjoint(second)
    assert emission.bit_records(one) == ([], 1)
    assert emission.bit_records(flipped) == (first, 1)
    assert emission.bit_parity(flipped) == (first, 1, [])
    assert emission.bit_parity(both) == ([], 0, [both])
    assert emission.bit_parity(after) == (first, 1, [both])
    assert emission.bit_parity(twice) == (first, 1, [other])
    for row in (both, after, twice):
        with pytest.raises(NonLinearBit, match=f"row {row}"):
            emission.bit_records(row)


def test_an_observable_leaves_conjunctions_out() -> None:
    build = SurgeryBuilder()
    bits = []
    for tile in ((0, 0), (2, 0)):
        build.add(Row.PREPARE, tile=tile, aux=Z)
        bits.append(build.add(Row.MEASURE, tile=tile, aux=Z))
    mixed = build.add(Row.XOR, operands=[bits[0], build.add(Row.AND, operands=bits)])
    build.add(Row.OBSERVABLE, aux=build.name("mixed"), operands=[mixed])
    emission = emit(build.freeze(), 3)
    circuit = emission.circuit
    (item,) = [item for item in circuit.flattened() if item.name == "OBSERVABLE_INCLUDE"]
    count = circuit.num_measurements
    records = [target.value + count for target in item.targets_copy()]
    assert records == emission.bit_records(bits[0]).records


@pytest.mark.parametrize("rounds", [1, 2, 4])
def test_layers_of_mixed_slabs(rounds: int) -> None:
    """All regions keep step, at the pace of the slowest."""
    build = SurgeryBuilder()
    for tile in ((0, 0), (1, 1), (9, 9)):
        build.add(Row.PREPARE, tile=tile, aux=Z)
    build.add(Row.JOIN, slab=1, operands=encode_join(MIXED["vertical seam"]))
    bits = [build.add(Row.MEASURE, slab=2, tile=(9, 9), aux=Z)]
    for tile in ((0, 0), (1, 1)):
        build.add(Row.MEASURE, slab=4, tile=tile, aux=Z)
    build.add(Row.PREPARE, slab=6, aux=X)
    bits.append(build.add(Row.MEASURE, slab=6, aux=X))
    build.add(Row.OBSERVABLE, aux=build.name("both"), operands=bits)
    emission = emit(build.freeze(), 3, rounds)
    assert emission.layers == [rounds * n for n in (6, 9, 6, 6, 6, 0, 6)]
    assert emission.circuit.num_ticks == sum(emission.layers)
    apply_noise(emission.circuit, NoiseModel.uniform(1e-3)).detector_error_model(
        decompose_errors=True
    )


@pytest.mark.parametrize("name", ["YZ north", "plus"])
@pytest.mark.parametrize("by", [0, 1, 5, -3])
def test_coordinates_are_those_of_the_circuit(name: str, by: int) -> None:
    """Wherever on the chip the program is."""
    emission = emit(open_joins(moved(JOINS[name], by), 1)[0], 3)
    found = emission.circuit.get_final_qubit_coordinates()
    assert found == {q: list(place) for q, place in enumerate(emission.coordinates)}
    for number, place in enumerate(emission.coordinates):
        assert emission.qubit(*place) == number
    with pytest.raises(KeyError):
        emission.qubit(100, 100)
    used = {
        target.value
        for item in emission.circuit.flattened()
        if item.name not in ("QUBIT_COORDS", "DETECTOR", "SHIFT_COORDS")
        for target in item.targets_copy()
    }
    assert used == set(found)


def test_detectors_are_linear_in_plaquettes_and_slabs() -> None:
    """Per slab their number does not grow with time, nor per patch with the number of patches."""

    def size(pairs: int, slabs: int) -> int:
        build = SurgeryBuilder()
        for y in range(0, 2 * pairs, 2):
            joined = [((0, y), "Z"), ((0, y + 1), "Z")]
            for tile, _ in joined:
                build.add(Row.PREPARE, tile=tile, aux=Z)
            for slab in range(slabs):
                operands = encode_join(join(joined, [], [((0, y), "S")]))
                build.add(Row.JOIN, slab=slab, operands=operands)
        return emit(build.freeze(), 3).detectors

    base = size(1, 4) - size(1, 2)
    assert size(1, 8) - size(1, 6) == base
    assert size(10, 4) - size(10, 2) == 10 * base


def test_empty_program() -> None:
    emission = emit(SurgeryBuilder().freeze(), 3)
    assert emission.circuit == stim.Circuit()
    assert emission.num_qubits == 0


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(Row.PREPARE, 0), (Row.PREPARE, 0)], "row 1: its tile holds a patch"),
        ([(Row.MEASURE, 0)], "row 0: there is no patch"),
        ([(Row.PREPARE, 0), (Row.MEASURE, 0), (Row.OUTPUT, 0)], "row 2: there is no patch"),
        ([(Row.JOIN, 0)], "row 0: a term is no patch"),
        ([(Row.PREPARE, 0), (Row.PREPARE, 1), (Row.JOIN, 0)], "row 2: the route crosses a patch"),
        ([(Row.PREPARE, 0), (Row.JOIN, 0), (Row.JOIN, 0)], "row 2: a tile is in two joins"),
    ],
)
def test_programs_that_use_a_tile_wrongly(rows: Sequence[tuple[Row, int]], message: str) -> None:
    build = SurgeryBuilder()
    for kind, y in rows:
        operands = encode_join(PLAIN["alone"]) if kind == Row.JOIN else ()
        build.add(kind, tile=(0, y), aux=Z, operands=operands)
    with pytest.raises(ValueError, match=message):
        emit(build.freeze(), 3)


@pytest.mark.parametrize(("distance", "rounds"), [(4, None), (1, None), (3, 0)])
def test_distances_and_rounds_that_make_no_sense(distance: int, rounds: int | None) -> None:
    with pytest.raises(ValueError, match=r"distance|round"):
        emit(memory(Z), distance, rounds)


def test_a_wait_row_sets_the_rounds_of_its_slab() -> None:
    builder = SurgeryBuilder()
    builder.add(Row.PREPARE, aux=Letter.Z)
    builder.add(Row.WAIT, aux=7)
    bit = builder.add(Row.MEASURE, slab=1, aux=Letter.Z)
    builder.add(Row.OBSERVABLE, aux=builder.name("m"), operands=[bit])
    emission = emit(builder.freeze(), 3)
    assert emission.layers == [7 * 6, 3 * 6]
    assert emission.circuit.num_ticks == 10 * 6
    noisy = apply_noise(emission.circuit, NoiseModel.uniform(0.001))
    assert len(noisy.shortest_graphlike_error()) == 3
