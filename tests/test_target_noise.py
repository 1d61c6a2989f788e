"""Noise and times of a machine, channel by channel and layer by layer."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
import stim
from laboratory import BELL, MAGIC, lab

import qwasmc
from qwasmc import cli

# -- noise -----------------------------------------------------------------------------------------


def twirled(kraus: list[np.ndarray]) -> tuple[float, ...]:
    """Probabilities of X, Y and Z of a channel twirled by the Paulis: its process matrix."""
    paulis = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
    return tuple(sum(abs(np.trace(p @ k) / 2) ** 2 for k in kraus) for p in paulis)


@cache
def waiting(idle: str, time: float) -> tuple[float, ...]:
    """The same for a qubit of the lab that waits for so many ns, from Kraus operators."""
    if idle == "rate":
        keeps = (1 - 4 / 3 * 0.0005) ** (time / 50)
        return ((1 - keeps) / 4,) * 3
    lost = 1 - math.exp(-time / 20e3) if idle == "t1" else 0.0
    rest = math.exp(-time / 30e3) / math.sqrt(1 - lost)  # what pure dephasing leaves of a coherence
    damping = [np.diag([1, math.sqrt(1 - lost)]), np.array([[0, math.sqrt(lost)], [0, 0]])]
    stays, flips = math.sqrt((1 + rest) / 2), math.sqrt((1 - rest) / 2)
    dephasing = [stays * np.eye(2), flips * np.diag([1, -1])]
    return twirled([a @ b for a in damping for b in dephasing])


TIMES = {"R": 300, "RX": 300, "RY": 300, "M": 400, "MX": 400, "MY": 400}


def layers(circuit: stim.Circuit) -> Iterator[list[stim.CircuitInstruction]]:
    """The operations of a circuit, tick by tick."""
    layer: list[stim.CircuitInstruction] = []
    for step in circuit.flattened():
        if step.name == "TICK":
            yield layer
            layer = []
        elif step.name not in ("DETECTOR", "OBSERVABLE_INCLUDE", "QUBIT_COORDS", "SHIFT_COORDS"):
            layer.append(step)
    yield layer


def expected(layer: list[stim.CircuitInstruction], idle: str, n: int) -> Counter:
    """The channels of a noiseless layer on `n` qubits."""
    found: Counter = Counter()
    busy = dict.fromkeys(range(n), 0.0)
    for step in layer:
        qubits = [target.value for target in step.targets_copy()]
        two = stim.gate_data(step.name).is_two_qubit_gate
        for qubit in qubits:
            busy[qubit] = TIMES.get(step.name, 50 if two else 20)
        if step.name in ("R", "RX", "RY"):
            flip = "Z_ERROR" if step.name == "RX" else "X_ERROR"
            found.update((flip, (0.004,), (q,)) for q in qubits)
        elif step.name in ("M", "MX", "MY"):
            found.update((step.name, (0.003,), (q,)) for q in qubits)
        elif two:
            pairs = zip(qubits[::2], qubits[1::2], strict=True)
            found.update(("DEPOLARIZE2", (0.002,), pair) for pair in pairs)
        else:
            found.update(("DEPOLARIZE1", (0.0001,), (q,)) for q in qubits)
    for qubit, time in busy.items():
        x, y, z = waiting(idle, max(busy.values()) - time)
        if idle == "t1" and z:
            found["PAULI_CHANNEL_1", tuple(round(p, 12) for p in (x, y, z)), (qubit,)] += 1
        elif z:
            name, p = ("DEPOLARIZE1", x + y + z) if idle == "rate" else ("Z_ERROR", z)
            found[name, (round(p, 12),), (qubit,)] += 1
    return found


def channels(layer: list[stim.CircuitInstruction]) -> Counter:
    """The channels that a noisy layer has."""
    found: Counter = Counter()
    for step in layer:
        if stim.gate_data(step.name).is_noisy_gate and step.gate_args_copy():
            arguments = tuple(round(p, 12) for p in step.gate_args_copy())
            for group in step.target_groups():
                found[step.name, arguments, tuple(target.value for target in group)] += 1
    return found


@pytest.mark.parametrize("idle", ["rate", "t2", "t1"])
@pytest.mark.parametrize("program", [BELL, MAGIC], ids=["bell", "magic"])
def test_noise(program, idle: str):
    """Channel by channel, layer by layer, against formulas and Kraus operators of its own."""
    # Injection: the qubits of ports are as noisy as others.
    made = qwasmc.compile(
        program, distance=3, target=lab(idle=idle), noise="target", factory="injection"
    )
    quiet = list(layers(made.emission.circuit))
    noisy = list(layers(made.circuit))
    assert len(quiet) == len(noisy)
    for one, other in zip(quiet, noisy, strict=True):
        acting = [step for step in one if step.tag != "port" or step.name != "I"]
        assert channels(other) == expected(acting, idle, made.emission.num_qubits)
    assert made.circuit.detector_error_model(decompose_errors=True).num_errors > 0


def test_a_port_is_quiet_under_the_noise_of_a_target():
    made = qwasmc.compile(MAGIC, distance=3, target=lab(), noise="target")
    for one, other in zip(layers(made.emission.circuit), layers(made.circuit), strict=True):
        ports = {t.value for step in one if step.tag == "port" for t in step.targets_copy()}
        for name, _, qubits in channels(other):
            assert name == "DEPOLARIZE2" or not ports.intersection(qubits)


@pytest.mark.parametrize("name", ["grid", "qubit_maj_ns_e4"])
def test_no_noise_of_what_has_none(name: str, capsys: pytest.CaptureFixture[str]):
    assert cli.run(["compile", str(BELL), "--target", name, "--noise", "target"]) == 2
    assert "choose with --target one that has: superconducting" in capsys.readouterr().err


# -- times -----------------------------------------------------------------------------------------


def test_time_by_hand():
    """Bell at d = 3: six rounds of a reset, four layers of CX and a measurement."""
    report = qwasmc.compile(BELL, distance=3, target="superconducting").report
    assert report["rounds"] == 6
    assert report["time_s"] == pytest.approx(6 * (160 + 4 * 34 + 500) * 1e-9)
    assert report["round_us"] == pytest.approx(0.796)
    report = qwasmc.compile(BELL, distance=3).report
    assert report["time_s"] is report["round_us"] is None


def test_time_layer_by_layer():
    """With factories, walls and helpers in Y: the longest operation of each layer."""
    made = qwasmc.compile(MAGIC, distance=3, target=lab(), factory="15-to-1")
    gates = {True: 50, False: 20}
    total = 0
    for layer in layers(made.emission.circuit):
        times = [
            TIMES.get(step.name) or gates[stim.gate_data(step.name).is_two_qubit_gate]
            for step in layer
        ]
        total += max(times, default=0)
    assert made.report["time_s"] == pytest.approx(total * 1e-9)


def test_slow_reactions_are_noted():
    """A slab of d = 3 takes 2.4 us; the machine reacts in 10 us, which only T gates wait for."""
    with pytest.warns(UserWarning, match=r"reacts to outcomes in 10 us, a slab takes 2\.388 us"):
        qwasmc.compile(MAGIC, distance=3, target="superconducting")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        qwasmc.compile(BELL, distance=3, target="superconducting")
        qwasmc.compile(MAGIC, distance=13, target="superconducting")
