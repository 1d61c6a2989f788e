"""Cultivation with noise, and a perfect readout of its state."""

from __future__ import annotations

import stim

from qwasmc.backends.stim.cultivation import DATA, FACES, cultivation
from qwasmc.backends.stim.noise import apply_noise
from qwasmc.backends.stim.noise_models import NoiseModel


def readout() -> stim.Circuit:
    """Every stabilizer, with a detector that discards; observable 0 is Y, 0 for the stand-in."""
    text = ""
    for letter in "XZ":
        for face in FACES:
            text += f"MPP {'*'.join(f'{letter}{qubit}' for qubit in face)}\n"
            text += "DETECTOR(0, 0, 0, 1) rec[-1]\n"
    text += f"MPP !{'*'.join(f'Y{qubit}' for qubit in DATA)}\nOBSERVABLE_INCLUDE(0) rec[-1]"
    return stim.Circuit(text)


def noisy(p: float) -> stim.Circuit:
    """Cultivation under uniform noise, then the readout."""
    return apply_noise(cultivation(), NoiseModel.uniform(p)) + readout()
