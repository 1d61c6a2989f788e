"""Magic state cultivation at fault distance 3, up to where its state leaves the colour code.

Cultivation (Gidney, Shutty and Jones, arXiv:2409.17595) encodes a bad T|+> in a small colour code
and discards it unless it passes checks of the logical (X + Y) / sqrt 2, whose +1 eigenstate it
should be.  The circuit here needs ten qubits of a square grid, data 0 to 6 and ancillas A, B, C:

      1 3 5      the code's faces are 0123, 0145 and 0246, each with an X and a Z stabilizer
    0 A B C
      2 4 6

1. Qubit 1 gets the magic state, and 15 CX encode it: the fewest, by Dijkstra's search over all
   codes and stabilizer groups, for CX between neighbours or through one ancilla (three CX).
2. A face of each letter is measured.  The last two CX leave pairs of errors with the syndromes of
   single ones, which would meet such a single error later; these faces tell them apart.
3. Twice, the logical operator is measured.  It is transversal: T on each data qubit turns it into X
   on each, which a cat state on A, B, C measures, and T^-1 goes back.

Gates on real magic carry the tag T, as in `port`: Stim runs the stand-in S, for which step 3
measures logical Y, exactly.  Every measurement is 0 without noise and has a detector with a fourth
coordinate: any 1 discards the state.  No two faults go unseen.

The escape into a large surface code patch is not built.  In circuits of a whole chip, a cultivated
state comes through a port with the published error rate of the whole, `port.declare`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import stim

Gate = tuple[str, tuple[int, ...]]

A, B, C = 7, 8, 9

PLACES = ((0, 1), (1, 0), (1, 2), (2, 0), (2, 2), (3, 0), (3, 2), (1, 1), (2, 1), (3, 1))
"""Of the data qubits 0 to 6 and the ancillas A, B, C."""

DATA = range(7)

FACES = ((0, 1, 2, 3), (0, 1, 4, 5), (0, 2, 4, 6))
"""Supports of the stabilizers; logical X, Z and -Y are these letters on all data qubits."""

_NEAR = {A: (0, 1, 2), B: (3, 4), C: (5, 6)}
"""The data qubits that each ancilla touches in a cat state."""


def cultivation() -> stim.Circuit:
    """The noiseless circuit; it ends with the state on the data qubits."""
    there: list[Gate] = [("S[T]", (qubit,)) for qubit in DATA]
    back: list[Gate] = [("S_DAG[T]", (qubit,)) for qubit in DATA]
    check = there + _measure("CX", DATA) + back
    gates = _encode() + _measure("CX", FACES[1]) + check + _measure("CZ", FACES[1]) + check
    lines = [f"QUBIT_COORDS{place} {qubit}" for qubit, place in enumerate(PLACES)]
    for time, layer in enumerate(_layers(gates)):
        lines += ["TICK"] * (time > 0)
        for name, qubits in layer:
            lines.append(f"{name} {' '.join(map(str, qubits))}")
            if name in ("M", "MX"):
                x, y = PLACES[qubits[0]]
                lines.append(f"DETECTOR({x}, {y}, {time}, 1) rec[-1]")
    return stim.Circuit("\n".join(lines))


def _encode() -> list[Gate]:
    """T|+> on qubit 1 becomes logical; A and B, which help, are 0 again and are measured."""
    gates: list[Gate] = [("RX", (qubit,)) for qubit in (0, 1, 2, 3)]
    gates += [("R", (qubit,)) for qubit in (4, 5, 6, A, B)]
    gates += [("S[T]", (1,))]
    gates += [("CX", pair) for pair in ((3, 5), (1, 3), (2, 4), (4, 6))]
    gates += _bridge(0, A, 2) + _bridge(2, A, 1) + _bridge(3, B, 4)
    gates += [("CX", (1, 3)), ("CX", (4, 2)), ("M", (A,)), ("M", (B,))]
    return gates


def _bridge(control: int, ancilla: int, target: int) -> list[Gate]:
    """CX through an ancilla that is 0 before and after."""
    copy = ("CX", (control, ancilla))
    return [copy, ("CX", (ancilla, target)), copy]


def _measure(name: str, data: Iterable[int]) -> list[Gate]:
    """A product of X (`name` CX) or Z (CZ) by a cat state, taken apart again to see its errors."""
    pair: list[Gate] = [("CX", (B, A)), ("CX", (B, C))]
    gates: list[Gate] = [("RX", (B,)), ("R", (A,)), ("R", (C,)), *pair]
    chosen = set(data)
    for ancilla, near in _NEAR.items():
        gates += [(name, (ancilla, qubit)) for qubit in near if qubit in chosen]
    return [*gates, *reversed(pair), ("MX", (B,)), ("M", (A,)), ("M", (C,))]


def _layers(gates: list[Gate]) -> list[list[Gate]]:
    """Gates by time, each as late as possible, so that qubits wait before their resets; but
    measurements at once."""
    depth: defaultdict[int, int] = defaultdict(int)
    times = []
    for _, qubits in reversed(gates):
        time = max(depth[qubit] for qubit in qubits)
        times.append(time)
        for qubit in qubits:
            depth[qubit] = time + 1
    last = max(times)
    layers: list[list[Gate]] = [[] for _ in range(last + 1)]
    free: dict[int, int] = {}
    for gate, late in zip(gates, reversed(times), strict=True):
        name, qubits = gate
        time = free[qubits[0]] if name in ("M", "MX") else last - late
        layers[time].append(gate)
        for qubit in qubits:
            free[qubit] = time + 1
    return layers
