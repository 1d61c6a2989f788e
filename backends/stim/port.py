"""Ports: patches that appear in a magic state.

The state is injected physically (`injection`).  In each layer of the first round, tagged
instructions (I for the idle) name all the port's qubits, and the phase gate, whose tag is its
meaning, comes on top of the I of its ancilla.  A noise pass has three choices:

- quiet: leave the tagged instructions alone.  The port is then perfect, as if better states came
  from elsewhere; so that the circuit's other parts can be judged by themselves;
- declared: the same, and `declare` adds the error rate of what stands behind the port;
- noisy: ignore the tags.  Then discard the state if one of its first detectors fires: these have a
  fourth coordinate of 1, as `sinter.post_selection_mask_from_4th_coord` expects.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np

from qwasmc.backends.stim import injection
from qwasmc.backends.stim.shape import Placement, targets
from qwasmc.ir.surgery import Letter, Magic

TAG = "port"

GATE = {Magic.T: "S[T]", Magic.TDG: "S_DAG[T]"}
"""Stim has no T gate: it runs the stand-in, and simulators that know the tag the gate itself."""

_PHASE = re.compile(r"^ *S(?:_DAG)?\[T\] (.*)$", re.MULTILINE)


@lru_cache(maxsize=256)
def first_round(placement: Placement, depth: int, magic: Magic) -> tuple[str, ...]:
    """A patch's first round by layer, with data resets and phase gate; `depth` slots, five or more.

    Resets, slots and measurements as in `Placement.layers`.
    """
    code, number = placement.shape.code, placement.number
    plus = injection.plus_sites(code.distance)
    usual = placement.layers(depth)
    resets = placement.in_bases("RX", "R", np.flatnonzero(plus), np.flatnonzero(~plus))
    slots = [_slot(placement, slot) for slot in range(1, depth + 1)]
    layers = [usual[0] + resets, *slots, usual[-1]]
    quiet = [_quiet(layer, number.tolist()) for layer in layers]
    ancilla = number[len(code.sites) + injection.hook_stabilizer(code.distance)]
    quiet[injection.PHASE_SLOT] += f"{GATE[magic]} {ancilla}\n"
    return tuple(quiet)


def _slot(placement: Placement, slot: int) -> str:
    """The gates of a slot of the first round."""
    code, number = placement.shape.code, placement.number
    stabilizer, corner = np.nonzero(injection.slots(code.distance) == slot)
    site = number[code.members[stabilizer, 0, corner]]
    ancilla = number[len(code.sites) + stabilizer]
    is_x = code.letters[stabilizer, 0, corner] == Letter.X
    pairs = np.stack([np.where(is_x, ancilla, site), np.where(is_x, site, ancilla)], axis=1)
    return f"CX {targets(pairs)}\n" if len(pairs) else ""


def _quiet(layer: str, qubits: list[int]) -> str:
    """A layer with tags on its instructions and a tagged I on the qubits it leaves idle."""
    lines: list[str] = []
    touched: set[int] = set()
    for line in layer.splitlines():
        name, _, words = line.partition(" ")
        lines.append(f"{name}[{TAG}] {words}\n")
        touched.update(map(int, words.split()))
    idle = [str(qubit) for qubit in qubits if qubit not in touched]
    if idle:
        lines.append(f"I[{TAG}] {' '.join(idle)}\n")
    return "".join(lines)


def watched_heads(placement: Placement) -> list[str]:
    """`Placement.detectors` in the rounds in which a port is watched: some are marked."""
    watched = injection.watched_stabilizers(placement.shape.code.distance).tolist()
    return [
        head.replace(", 0) ", ", 0, 1) ") if is_watched else head
        for head, is_watched in zip(placement.detectors, watched, strict=True)
    ]


def declare(text: str, error: float) -> str:
    """Circuit text with dephasing of probability `error` on every injected state.

    Right behind its phase gate, Z on the ancilla is the patch's logical Z.  No other errors need be
    declared: twirled with the Clifford whose eigenstate it is, a magic state has only these
    (Bravyi and Kitaev, quant-ph/0403025).
    """
    if not 0 <= error <= 1:
        raise ValueError(f"the error rate of a port is a probability, not {error}")
    return _PHASE.sub(lambda gate: f"{gate[0]}\nZ_ERROR({error!r}) {gate[1]}", text)
