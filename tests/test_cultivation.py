"""Cultivation: the state, its checks, and that no two faults get past them."""

from __future__ import annotations

import numpy as np
import pytest
import sinter
import stim
from cultivated import noisy
from statevector import MATRIX, apply
from unseen import fault_sets, faults

from qwasmc.backends.stim.cultivation import DATA, FACES, PLACES, cultivation

GATES = {"S": MATRIX["t"], "S_DAG": MATRIX["tdg"], "CX": MATRIX["cx"], "CZ": MATRIX["cz"]}


def test_stand_in_state() -> None:
    """Faces +1 in both letters, and +1 of Y, which is -Y on all."""
    circuit = cultivation()
    paulis = [stim.PauliString(len(PLACES)) for _ in range(7)]
    for number, face in enumerate(FACES):
        for qubit in face:
            paulis[number][qubit] = "X"
            paulis[number + 3][qubit] = "Z"
    for qubit in DATA:
        paulis[6][qubit] = "Y"
    paulis[6].sign = -1
    assert circuit.has_all_flows([stim.Flow(output=pauli) for pauli in paulis])
    assert not circuit.has_flow(stim.Flow(output=-paulis[6]))


def test_every_measurement_discards() -> None:
    circuit = cultivation()
    assert circuit.num_detectors == circuit.num_measurements
    assert circuit.compile_detector_sampler(seed=0).sample(100).sum() == 0
    mask = np.unpackbits(sinter.post_selection_mask_from_4th_coord(circuit), bitorder="little")
    assert mask.sum() == circuit.num_detectors


def test_gates_are_between_neighbours() -> None:
    for layer in str(cultivation()).split("TICK"):
        qubits: list[int] = []
        for line in stim.Circuit(layer):
            if line.name in ("QUBIT_COORDS", "DETECTOR"):
                continue
            targets = [target.value for target in line.targets_copy()]
            qubits += targets
            if line.name in ("CX", "CZ"):
                for a, b in zip(targets[::2], targets[1::2], strict=True):
                    assert np.abs(np.subtract(PLACES[a], PLACES[b])).sum() == 1
        assert len(set(qubits)) == len(qubits)


def run(circuit: stim.Circuit) -> tuple[list[int], np.ndarray]:
    """The circuit with T itself, as a state vector; the outcomes have to be certain."""
    state = np.zeros((2,) * len(PLACES), dtype=complex)
    state[(0,) * len(PLACES)] = 1
    outcomes = []
    for item in circuit:
        if item.name in ("QUBIT_COORDS", "DETECTOR", "TICK"):
            continue
        targets = [target.value for target in item.targets_copy()]
        gate = GATES.get(item.name, MATRIX["z"] if item.name == "Z" else None)
        width = 2 if item.name.startswith("C") else 1
        for start in range(0, len(targets), width):
            group = targets[start : start + width]
            if gate is not None:
                state = apply(state, gate, group)
                continue
            if item.name in ("R", "RX"):
                state = reset(state, group[0])
            if item.name.endswith("X"):
                state = apply(state, MATRIX["h"], group)
            if item.name.startswith("M"):
                one = np.linalg.norm(np.take(state, 1, axis=group[0])) ** 2
                assert min(one, 1 - one) < 1e-9
                outcomes.append(round(one))
                if item.name == "MX":
                    state = apply(state, MATRIX["h"], group)
    return outcomes, state


def reset(state: np.ndarray, qubit: int) -> np.ndarray:
    """A qubit in a product state becomes |0>."""
    zero, one = np.take(state, 0, axis=qubit), np.take(state, 1, axis=qubit)
    kept = zero if np.linalg.norm(zero) > np.linalg.norm(one) else one
    return np.stack([kept / np.linalg.norm(kept), np.zeros_like(kept)], axis=qubit)


def test_true_state() -> None:
    outcomes, state = run(cultivation())
    assert not any(outcomes)
    for gate, value in (("x", 0.5**0.5), ("y", -(0.5**0.5)), ("z", 0)):
        turned = state
        for qubit in DATA:
            turned = apply(turned, MATRIX[gate], [qubit])
        assert np.vdot(state, turned) == pytest.approx(value, abs=1e-9)


def test_wrong_state_is_seen_by_both_checks() -> None:
    """Z right after the T of the encoder, with true T: two outcomes are 1, of B in the checks."""
    text = str(cultivation()).replace("S[T] 1\n", "S[T] 1\nZ 1\n", 1)
    outcomes, _ = run(stim.Circuit(text))
    assert sum(outcomes) == 2


def test_fault_distance_is_three() -> None:
    effects = faults(noisy(1e-3))
    one, two, three = fault_sets(effects)
    assert one == two == 0
    assert three > 0


def test_no_check_is_superfluous() -> None:
    """Without the detectors of one of the two checks, two faults are enough."""
    effects = faults(noisy(1e-3))
    circuit = cultivation()
    wrong = stim.Circuit(str(circuit).replace("S[T] 1\n", "S[T] 1\nZ 1\n", 1))
    checks = np.flatnonzero(wrong.reference_sample())
    assert len(checks) == 2
    for check in checks.tolist():
        blind: dict[int, float] = {}
        for effect, rate in effects.items():
            rest = effect & ~(1 << (check + 1))
            blind[rest] = blind.get(rest, 0.0) + rate
        assert fault_sets(blind)[0] == 0
        assert fault_sets(blind)[1] > 0


def test_rate_is_that_of_the_triples() -> None:
    """At 4e-3, 3e6 shots: about 300 errors in a leading order of 1531 p^3."""
    circuit = noisy(4e-3)
    expected = fault_sets(faults(circuit))[2]
    fired, flips = circuit.compile_detector_sampler(seed=7).sample(
        3_000_000, separate_observables=True
    )
    errors = int((flips[:, 0] & ~fired.any(axis=1)).sum())
    silence = 1 - fired.any(axis=1).mean()
    # The other faults have to stay away, which they do about as often as all do.
    assert errors == pytest.approx(3_000_000 * expected * silence, rel=0.35)
    assert errors > 20
