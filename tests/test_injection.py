"""Ports: the state that appears, what watches over it, what noise does to it."""

from __future__ import annotations

import re

import numpy as np
import pytest
import stim
from injected import injected, marked, noisy, operator, readout, sign
from statevector import MATRIX, apply
from unseen import faults

from qwasmc.backends.stim import port
from qwasmc.backends.stim.noise import apply_noise
from qwasmc.backends.stim.noise_models import NoiseModel
from qwasmc.ir.surgery import Magic

GATES = {"S": MATRIX["t"], "CX": MATRIX["cx"]}

DISTANCES = [3, 5, pytest.param(7, marks=pytest.mark.slow)]


def flow(
    before: stim.PauliString, after: stim.PauliString, records: tuple[list[int], int]
) -> stim.Flow:
    return stim.Flow(input=before, output=(-1) ** records[1] * after, measurements=records[0])


@pytest.mark.parametrize("distance", DISTANCES)
def test_phase_gate_turns_the_logical_qubit(distance: int) -> None:
    """With CZ to another qubit in its place: the patch starts in +X, and the CZ is its own."""
    emission = injected(distance, 2)
    other = emission.num_qubits
    circuit = stim.Circuit(re.sub(r"S\[T\] (\d+)", rf"CZ \1 {other}", str(emission.circuit)))
    (patch,) = emission.outputs
    nothing = stim.PauliString(other)
    flows = [
        flow(
            nothing + stim.PauliString("Z"),
            operator(patch, "X") + stim.PauliString("_"),
            sign(patch, "X"),
        ),
        flow(
            nothing + stim.PauliString("X"),
            operator(patch, "Z") + stim.PauliString("X"),
            sign(patch, "Z"),
        ),
        flow(nothing + stim.PauliString("Z"), nothing + stim.PauliString("Z"), ([], 0)),
    ]
    assert circuit.has_all_flows(flows)


@pytest.mark.parametrize("magic", list(Magic))
def test_stand_in_state(magic: Magic) -> None:
    emission = injected(3, 3, magic)
    (patch,) = emission.outputs
    turn = 1 if magic == Magic.T else -1
    nothing = stim.PauliString(emission.num_qubits)
    assert emission.circuit.has_flow(flow(nothing, turn * operator(patch, "Y"), sign(patch, "Y")))
    assert not emission.circuit.has_flow(flow(nothing, operator(patch, "X"), sign(patch, "X")))


@pytest.mark.parametrize("distance", DISTANCES)
def test_detectors_that_discard_are_those_near_the_injection(distance: int) -> None:
    circuit = injected(distance, distance).circuit
    places = circuit.get_detector_coordinates()
    near = {
        detector
        for detector, (x, y, round_, *_) in places.items()
        if x > distance - 4 and y < 3 and round_ < 2
    }
    assert set(np.flatnonzero(marked(circuit)).tolist()) == near
    assert near
    if distance == 3:
        assert len(near) == 4 + 8


@pytest.mark.parametrize("distance", DISTANCES)
def test_faults_that_nothing_sees(distance: int) -> None:
    """To first order these are Z from the phase gate and three parts of its neighbours' noise."""
    p = 1e-6
    alone = faults(noisy(injected(distance, 2), p))[1]
    assert alone / p == pytest.approx(1 / 3 + 3 / 15, rel=1e-3)


@pytest.mark.parametrize("distance", DISTANCES)
def test_watching_a_corner_is_enough(distance: int) -> None:
    """Of the faults that discard nothing and yet are seen, it takes three to make an error."""
    circuit = noisy(injected(distance, distance), 1e-3)
    watched = marked(circuit)
    rest = stim.DetectorErrorModel()
    for error in circuit.detector_error_model(decompose_errors=True).flattened():
        targets = error.targets_copy()
        detectors = [target.val for target in targets if target.is_relative_detector_id()]
        if error.type != "error" or (detectors and not watched[detectors].any()):
            rest.append(error)
    assert len(rest.shortest_graphlike_error()) >= 3


@pytest.mark.parametrize("distance", DISTANCES)
def test_port_free_of_noise_has_the_full_distance(distance: int) -> None:
    emission = injected(distance, 3)
    circuit = apply_noise(emission.circuit, NoiseModel.uniform(1e-3)) + readout(emission)
    assert len(circuit.shortest_graphlike_error()) == distance


@pytest.mark.parametrize("magic", list(Magic))
def test_declared_error_is_the_error(magic: Magic) -> None:
    """The one fault that no detector sees, besides the noise of later rounds."""
    emission = injected(3, 3, magic)
    quiet = str(apply_noise(emission.circuit, NoiseModel.uniform(1e-3)))
    circuit = stim.Circuit(port.declare(quiet, 0.125)) + readout(emission)
    assert faults(circuit)[1] == 0.125
    assert faults(stim.Circuit(quiet) + readout(emission))[1] == 0


def test_declared_error_is_a_probability() -> None:
    with pytest.raises(ValueError, match="is a probability"):
        port.declare("S[T] 0", 1.5)


def test_every_port_of_a_line_gets_its_error() -> None:
    assert port.declare("S[T] 3 9\nS 4\n    S_DAG[T] 5\n", 0.25) == (
        "S[T] 3 9\nZ_ERROR(0.25) 3 9\nS 4\n    S_DAG[T] 5\nZ_ERROR(0.25) 5\n"
    )


def test_true_state() -> None:
    """One round with T itself, as a state vector: <X> = <Y> = 1 / sqrt 2, whatever is measured."""
    emission = injected(3, 1)
    rng = np.random.default_rng(5)
    state = np.zeros((2,) * emission.num_qubits, dtype=complex)
    state[(0,) * emission.num_qubits] = 1
    outcomes: list[int] = []
    for item in emission.circuit.flattened():
        if item.name in ("QUBIT_COORDS", "DETECTOR", "SHIFT_COORDS", "TICK", "I"):
            continue
        targets = [target.value for target in item.targets_copy()]
        if item.name in ("S", "CX"):
            width = 2 if item.name == "CX" else 1
            for start in range(0, len(targets), width):
                state = apply(state, GATES[item.name], targets[start : start + width])
            continue
        for qubit in targets:
            if item.name.endswith("X"):
                state = apply(state, MATRIX["h"], [qubit])
            if item.name.startswith("M"):
                outcome, state = project(state, qubit, rng)
                outcomes.append(outcome)
    assert 0 < sum(outcomes) < len(outcomes)
    (patch,) = emission.outputs
    for letter, value in (("X", 0.5**0.5), ("Y", 0.5**0.5), ("Z", 0)):
        pauli, (records, constant) = operator(patch, letter), sign(patch, letter)
        turned = state
        for qubit in pauli.pauli_indices():
            turned = apply(turned, MATRIX["_xyz"[pauli[qubit]]], [qubit])
        flip = (-1) ** (sum(outcomes[record] for record in records) + constant)
        assert flip * pauli.sign * np.vdot(state, turned) == pytest.approx(value, abs=1e-9)


def project(state: np.ndarray, qubit: int, rng: np.random.Generator) -> tuple[int, np.ndarray]:
    """Measure Z and leave the qubit at 0."""
    parts = np.moveaxis(state, qubit, 0)
    outcome = int(rng.random() < np.linalg.norm(parts[1]) ** 2)
    after = np.zeros_like(parts)
    after[0] = parts[outcome] / np.linalg.norm(parts[outcome])
    return outcome, np.moveaxis(after, 0, qubit)
