"""The text of an emission against Stim's reading of it, and what it costs."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise
from random import Random

import pytest
import stim
from surgery_shapes import JOINS, PLAIN, experiment, memory, open_joins

from qwasmc.backends.stim import chip, shape
from qwasmc.backends.stim.emission import Emission
from qwasmc.backends.stim.emit import emit
from qwasmc.backends.stim.kept import Kept
from qwasmc.backends.stim.noise import Noiser, apply_noise
from qwasmc.backends.stim.noise_models import NoiseModel
from qwasmc.ir.surgery import Letter, Magic, Row, Surgery, SurgeryBuilder, encode_join

X, Z = Letter.X, Letter.Z
UNIFORM = NoiseModel.uniform(1e-3)


def chain(slabs: int) -> Surgery:
    """Z Z of two patches in every slab; all its outcomes agree."""
    build = SurgeryBuilder()
    for tile in ((0, 0), (0, 1)):
        build.add(Row.PREPARE, tile=tile, aux=X)
    operands = encode_join(PLAIN["neighbours"])
    bits = [build.add(Row.JOIN, slab=slab, operands=operands) for slab in range(slabs)]
    for before, after in pairwise(bits):
        build.add(Row.OBSERVABLE, aux=build.name("agree"), operands=[before, after])
    last = [build.add(Row.MEASURE, slab=slabs - 1, tile=tile, aux=Z) for tile in ((0, 0), (0, 1))]
    build.add(Row.OBSERVABLE, aux=build.name("end"), operands=[*last, bits[0]])
    return build.freeze()


def port(letter: Letter) -> Surgery:
    build = SurgeryBuilder()
    build.add(Row.INJECT, aux=Magic.T)
    build.add(Row.PREPARE, tile=(1, 1), aux=letter)
    for tile in ((0, 0), (1, 1)):
        build.add(Row.MEASURE, slab=1, tile=tile, aux=letter)
    return build.freeze()


PROGRAMS = {
    "chain": chain(4),
    "memory": memory(Z, 3),
    "port": port(Z),
    "open Y": open_joins(JOINS["YZ north"], 2)[0],
    "plus": experiment(JOINS["plus"], [X] * 4, [Z] * 4, [[0, 1, 2, 3, -1]], joins=2),
    "nothing": SurgeryBuilder().freeze(),
}


def emissions() -> list[object]:
    return [
        pytest.param(emit(surgery, 3, rounds), id=f"{name}-{rounds}")
        for name, surgery in PROGRAMS.items()
        for rounds in (1, 2, 3, 5)
    ]


@pytest.mark.parametrize("emission", emissions())
def test_text_is_what_stim_would_write(emission: Emission) -> None:
    texts = list(emission.texts())
    assert texts == list(emission.texts())
    circuit = stim.Circuit("".join(texts))
    assert circuit == emission.circuit
    # Instructions of a kind that follow each other are written as one once they have noise.
    noiser = Noiser(UNIFORM, range(emission.num_qubits))
    noisy = "".join(map(noiser.text, texts))
    assert stim.Circuit(noisy) == apply_noise(circuit, UNIFORM)
    assert noisy.split() == str(stim.Circuit(noisy)).split()


@pytest.mark.parametrize("emission", emissions())
def test_counts_are_those_of_stim(emission: Emission) -> None:
    circuit = emission.circuit
    assert emission.records == circuit.num_measurements
    assert emission.detectors == circuit.num_detectors
    assert emission.num_qubits == circuit.num_qubits
    assert sum(emission.layers) == circuit.num_ticks


@pytest.mark.parametrize("emission", emissions())
def test_pieces_end_at_ticks_and_look_back_one_piece_for_observables(emission: Emission) -> None:
    _, *pieces, last = map(stim.Circuit, emission.texts())
    assert all(item.name == "OBSERVABLE_INCLUDE" for item in last)
    for piece in pieces:
        lines = [item.name for item in piece.flattened() if item.name != "OBSERVABLE_INCLUDE"]
        assert not lines or lines[-1] == "TICK"
        for item in piece:
            if item.name == "OBSERVABLE_INCLUDE":
                assert all(
                    -target.value <= piece.num_measurements for target in item.targets_copy()
                )


def test_observables_are_complete() -> None:
    """Without one of its records each would be random, and without any nothing would flip it."""
    noisy = apply_noise(emit(chain(5), 3).circuit, UNIFORM)
    model = noisy.detector_error_model(decompose_errors=True)
    flipped = {
        target.val
        for error in model.flattened()
        if error.type == "error"
        for target in error.targets_copy()
        if target.is_logical_observable_id()
    }
    assert flipped == set(range(5))
    assert len(noisy.shortest_graphlike_error()) == 3


def test_an_observable_without_records() -> None:
    build = SurgeryBuilder()
    bit = build.add(Row.CONST, aux=1)
    build.add(Row.OBSERVABLE, aux=build.name("one"), operands=[bit])
    assert str(emit(build.freeze(), 3).circuit) == "OBSERVABLE_INCLUDE(0)"


def test_slabs_in_which_nothing_happens_are_one_loop() -> None:
    apart = emit(memory(Z, 5), 3, rounds=2).circuit
    assert apart.flattened() == emit(memory(Z, 1), 3, rounds=10).circuit.flattened()


def test_waits_in_a_row_add_up() -> None:
    build = SurgeryBuilder()
    build.add(Row.PREPARE, aux=Z)
    for slab, rounds in ((1, 7), (3, 1), (4, 2)):  # slab 2 has the usual three
        build.add(Row.WAIT, slab=slab, aux=rounds)
    bit = build.add(Row.MEASURE, slab=5, aux=Z)
    build.add(Row.OBSERVABLE, aux=build.name("m"), operands=[bit])
    emission = emit(build.freeze(), 3)
    assert emission.slab_rounds == [3, 13, 3]
    assert emission.circuit.flattened() == emit(memory(Z), 3, rounds=19).circuit.flattened()


def test_a_long_wait_costs_nothing() -> None:
    emission = emit(memory(Z, 10**9), 3)
    circuit = emission.circuit
    assert circuit.num_ticks == 6 * 3 * 10**9
    assert circuit.num_detectors == emission.detectors == 8 * 3 * 10**9
    assert len("".join(emission.texts())) < 20_000


def test_what_is_forgotten_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, surgery in PROGRAMS.items():
        usual = "".join(emit(surgery, 3).texts())
        with monkeypatch.context() as patched:
            patched.setattr(chip, "MAX_KEPT", 0)
            patched.setattr(shape, "_shapes", Kept(0, lambda _: 1))
            assert "".join(emit(surgery, 3).texts()) == usual, name


def test_kept_things_are_bounded_and_not_made_twice_in_a_row() -> None:
    made: list[int] = []
    kept: Kept[int, int] = Kept(10, lambda _: 1)
    draw = Random(1)
    recent: list[int] = []
    for _ in range(5000):
        kept.age()
        key = draw.randrange(40)
        before = len(made)
        assert kept.get(key, lambda key=key: made.append(key) or key) == key
        assert len(made) == before or key not in recent
        recent = [*recent, key][-10:]
        assert len(kept._young) + len(kept._old) <= 22
    assert 40 < len(made) < 5000


def peak(surgery: Surgery) -> int:
    """Bytes at most in use while a program is emitted and written with noise."""
    emit(surgery, 3)  # shapes are made once
    tracemalloc.start()
    emission = emit(surgery, 3)
    noiser = Noiser(UNIFORM, range(emission.num_qubits))
    length = sum(len(noiser.text(text)) for text in emission.texts())
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert length > 5000 * surgery.slabs
    return used


def test_memory_is_that_of_a_slab() -> None:
    """And what the meaning of each slab's records takes, which is little beside their text."""
    few, many = peak(chain(20)), peak(chain(120))
    assert many - few < 100 * 2500
