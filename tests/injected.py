"""A patch injected through a port, idle for some rounds, then read out perfectly.

The readout, which has no noise, measures every stabilizer and a logical operator; detectors compare
the stabilizers with their last measurement, and observable 0 is the logical outcome, 0 without
errors.  What it fails by is the error of the injected state.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import sinter
import stim
from numpy.typing import NDArray

from qwasmc.backends.stim.emission import Emission, OpenPatch
from qwasmc.backends.stim.emit import emit
from qwasmc.backends.stim.noise import apply_noise
from qwasmc.backends.stim.noise_models import NoiseModel
from qwasmc.ir.surgery import Magic, Row, SurgeryBuilder

CORNERS = ((0, 0), (1, 0), (0, 1), (1, 1))


def injected(distance: int, rounds: int, magic: Magic = Magic.T) -> Emission:
    """A port's first slab, of `rounds` rounds; the patch stays open."""
    build = SurgeryBuilder()
    build.add(Row.INJECT, aux=magic)
    build.add(Row.OUTPUT, aux=build.name("t"))
    return emit(build.freeze(), distance, rounds)


def stabilizers(distance: int) -> dict[tuple[float, float], tuple[str, list[tuple[int, int]]]]:
    """Letter and sites of each stabilizer of a patch at the origin, by its ancilla's place."""
    found = {}
    for px in range(-1, distance):
        for py in range(-1, distance):
            sites = [(px + dx, py + dy) for dx, dy in CORNERS]
            sites = [(x, y) for x, y in sites if 0 <= x < distance and 0 <= y < distance]
            letter = "Z" if (px + py) % 2 else "X"
            level = len({y for _, y in sites}) == 1
            if len(sites) == 4 or (len(sites) == 2 and letter == ("X" if level else "Z")):
                found[px + 0.5, py + 0.5] = (letter, sites)
    return found


def operator(patch: OpenPatch, letter: str) -> stim.PauliString:
    """A logical operator, without the sign that records give it."""
    return {"X": patch.x, "Z": patch.z, "Y": 1j * patch.x * patch.z}[letter]


def sign(patch: OpenPatch, letter: str) -> tuple[list[int], int]:
    """The records and the constant that flip a logical operator's sign."""
    records: set[int] = set()
    constant = 0
    for part, given in (("X", patch.sign_x), ("Z", patch.sign_z)):
        if letter in (part, "Y"):
            records ^= set(given.records)
            constant ^= given.constant
    return sorted(records), constant


def product(pauli: stim.PauliString) -> str:
    """An MPP instruction."""
    factors = "*".join(f"{'_XYZ'[pauli[q]]}{q}" for q in pauli.pauli_indices())
    return f"MPP {'!' if pauli.sign == -1 else ''}{factors}\n"


def last_records(circuit: stim.Circuit) -> dict[int, int]:
    """The record of each qubit's last measurement."""
    records: dict[int, int] = {}
    count = 0
    for item in circuit.flattened():
        if stim.gate_data(item.name).produces_measurements:
            for target in item.targets_copy():
                records[target.value] = count
                count += 1
    return records


def readout(emission: Emission, letter: str = "Y", more: Iterable[int] = ()) -> stim.Circuit:
    """The perfect readout to append to a circuit with the emission's measurements.

    `more` records flip the outcome, besides those that the emission says.
    """
    last, end = last_records(emission.circuit), emission.circuit.num_measurements
    text = ""
    for (x, y), (kind, sites) in stabilizers(emission.distance).items():
        pauli = stim.PauliString(emission.num_qubits)
        for site in sites:
            pauli[emission.qubit(*site)] = kind
        text += product(pauli)
        text += f"DETECTOR({x}, {y}, 0) rec[-1] rec[{last[emission.qubit(x, y)] - end - 1}]\n"
        end += 1
    (patch,) = emission.outputs
    records, constant = sign(patch, letter)
    pauli = operator(patch, letter)
    text += product(-pauli if constant else pauli)
    flips = sorted(set(records) ^ set(more))
    parity = " ".join(f"rec[{record - end - 1}]" for record in flips)
    return stim.Circuit(f"{text}OBSERVABLE_INCLUDE(0) rec[-1] {parity}\n")


def noisy(emission: Emission, p: float, letter: str = "Y") -> stim.Circuit:
    """Injection with noise on everything, and the readout."""
    model = NoiseModel.uniform(p)
    return apply_noise(emission.circuit, model, noisy_ports=True) + readout(emission, letter)


def marked(circuit: stim.Circuit) -> NDArray[np.bool_]:
    """The detectors whose firing discards a shot, by sinter's convention."""
    mask = sinter.post_selection_mask_from_4th_coord(circuit)
    return np.unpackbits(mask, bitorder="little", count=circuit.num_detectors).astype(np.bool_)
