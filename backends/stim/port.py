"""Ports: patches that appear around one injected physical qubit.

The qubit at the south-east corner is made a magic state; the sites on and north-east of the
diagonal start in |+>, the others in |0>.  So X along the east column is the injected qubit's X,
Z along the south row its Z, and these differ from the canonical column and row by all of the
patch's stabilizers of that type (Li, arXiv:1410.7808; Lao and Criger, arXiv:2109.13500).  The
corner is idle in the first slot, which is when it gets its phase gate.

A port's error rate is that of whatever stands behind it, so its first round is marked for noise
passes to leave alone: in each layer, tagged instructions (I for the idle) name all its qubits.
The phase gate, whose tag is its meaning, comes on top of the I of its qubit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qwasmc.backends.stim.code import patch_code
from qwasmc.backends.stim.shape import Placement
from qwasmc.ir.surgery import Letter, Magic

TAG = "port"

GATE = {Magic.T: "S[T]", Magic.TDG: "S_DAG[T]"}
"""Stim has no T gate: it runs the stand-in, and simulators that know the tag the gate itself."""


def known_stabilizers(distance: int) -> NDArray[np.bool_]:
    """(d^2 - 1,) which of `patch_code`'s stabilizers the first state fixes at +1."""
    code = patch_code(distance)
    start = np.where(code.sites[:, 0] >= code.sites[:, 1], int(Letter.X), int(Letter.Z))
    start[-1] = Letter.I
    members, letters = code.members[:, 0], code.letters[:, 0]
    known: NDArray[np.bool_] = ((start[members] == letters) | (letters == 0)).all(axis=1)
    return known


def first_round(placement: Placement, depth: int, magic: Magic) -> list[str]:
    """A patch's `Placement.layers` for its first round, with data resets and phase gate."""
    sites = placement.shape.code.sites
    plus = sites[:, 0] >= sites[:, 1]
    layers = placement.layers(depth)
    layers[0] += placement.in_bases("RX", "R", np.flatnonzero(plus), np.flatnonzero(~plus))
    quiet = [_quiet(layer, placement.number.tolist()) for layer in layers]
    quiet[1] += f"{GATE[magic]} {placement.number[len(sites) - 1]}\n"
    return quiet


def _quiet(layer: str, qubits: list[int]) -> str:
    """A layer with tags on its instructions and a tagged I on the qubits it leaves idle."""
    lines: list[str] = []
    touched: set[int] = set()
    for line in layer.splitlines():
        name, _, targets = line.partition(" ")
        lines.append(f"{name}[{TAG}] {targets}\n")
        touched.update(map(int, targets.split()))
    idle = [str(qubit) for qubit in qubits if qubit not in touched]
    if idle:
        lines.append(f"I[{TAG}] {' '.join(idle)}\n")
    return "".join(lines)
