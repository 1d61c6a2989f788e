"""Circuits of Clifford gates and z rotations as phase polynomials, with the fewest Hadamards.

A unitary circuit is Pauli rotations and then one Clifford gate.  `skeleton` writes it as

    opening Clifford;  cx, cz, s, rotations about products of Z, and some h;  closing Clifford

where the number of h is the least possible (Vandaele, Martiel, Perdrix, Vuillot, arXiv:2302.07040):
each rotation in turn is made diagonal with one h if it is not, and the opening Clifford is what the
same sweep finds backwards.  `polynomial` then moves all rotations to the end of the middle part,
with a copy of each qubit on an ancilla just before its h.  There a rotation is about a parity of
qubits and copies.  In units of pi/4 all phases are one polynomial:

    sum of a_i p_i,  p_i a parity, a_i odd; whatever is even is sum of 2 d_v v + sum of 4 q_uv u v
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import stim
from numpy.typing import NDArray

from qwasmc.kernel import kernel

Bits = NDArray[np.uint8]
Ints = NDArray[Any]
Gate = tuple[str, int, int]
"""Name and qubits; the second is -1 for a gate on one."""

H, S, SDG, CX, CZ, X, Y, Z = range(8)
_NUMBER = {"h": H, "s": S, "sdg": SDG, "cx": CX, "cz": CZ, "x": X, "y": Y, "z": Z}
_INVERSE = {"s": "sdg", "sdg": "s"}
_SPELLED = {
    "sx": (("h", 0, -1), ("s", 0, -1), ("h", 0, -1)),
    "sxdg": (("h", 0, -1), ("sdg", 0, -1), ("h", 0, -1)),
    "cy": (("sdg", 1, -1), ("cx", 0, 1), ("s", 1, -1)),
    "swap": (("cx", 0, 1), ("cx", 1, 0), ("cx", 0, 1)),
}
"""Other Clifford gates in these, on the qubits of the gate."""

CLIFFORD = frozenset((*_NUMBER, *_SPELLED))
"""Names of the gates that a `Sequence` of gates may have besides rotations."""


CHUNK = 1024
"""Parities that are added at a time."""


class Turn(NamedTuple):
    """exp(-i angle P / 2): `eighths` of pi/4 or, if those are 0, any `angle`."""

    eighths: int
    angle: float


class Rotation(NamedTuple):
    """A turn about the product of Z on the qubits where `mask` is 1."""

    mask: Bits
    turn: Turn


Item = Gate | Rotation


@dataclass(slots=True)
class Paulis:
    """Pauli strings as columns: x and z (qubits, strings), and the sign of each."""

    x: Bits
    z: Bits
    sign: Bits

    def copy(self) -> Paulis:
        """The same strings, to be changed."""
        return Paulis(self.x.copy(), self.z.copy(), self.sign.copy())

    def conjugate(self, gates: Sequence[Gate]) -> None:
        """Turn each P into g P g^-1 for one gate after the other."""
        if gates:
            rows = [(_NUMBER[name], a, b, -1) for name, a, b in gates]
            _conjugate(self.x, self.z, self.sign, np.array(rows))


class Skeleton(NamedTuple):
    """See the top of the file.  `closing` is a tableau on all qubits."""

    opening: list[Gate]
    items: list[Item]
    closing: stim.Tableau


class Phases:
    """A diagonal Clifford gate: the sum of 2 d_v v + 4 q_uv u v, in units of pi/4."""

    def __init__(self, size: int) -> None:
        self.linear = np.zeros(size, np.int64)
        self.quadratic = np.zeros((size, size), np.uint8)

    def add(self, other: Phases) -> None:
        """Add another one."""
        self.linear += other.linear
        self.quadratic ^= other.quadratic

    def add_parity(self, form: Bits, quarters: int) -> None:
        """Add 2 `quarters` times a parity: S to that power."""
        self.linear[form != 0] += quarters
        if quarters % 2:
            self.quadratic[form != 0] ^= form
            np.fill_diagonal(self.quadratic, 0)


@dataclass(slots=True)
class Polynomial:
    """Rotations at the end of a Clifford circuit on n qubits and h copies, which are n + k."""

    n: int
    h: int
    gates: list[Gate]
    """The circuit: copies are cx from a qubit to n + k in |0>."""
    columns: Bits
    """(n + h, m): different parities, not 0, with odd coefficients."""
    coefficients: NDArray[np.int64]
    """(m,) modulo 8."""
    clifford: Phases
    """Rotations by multiples of pi/2."""
    turns: list[tuple[int, Bits, float]]
    """Rotations by other angles: how many h came before, parity, angle."""


def basic(name: str, a: int, b: int = -1) -> list[Gate]:
    """A Clifford gate in those that `Paulis` knows."""
    if name not in _SPELLED:
        return [(name, a, b)]
    qubits = (a, b)
    return [
        (part, qubits[first], qubits[second] if second >= 0 else -1)
        for part, first, second in _SPELLED[name]
    ]


def inverse(gates: Sequence[Gate]) -> list[Gate]:
    """The gates that undo these."""
    return [(_INVERSE.get(name, name), a, b) for name, a, b in reversed(gates)]


def skeleton(n: int, gates: Sequence[Gate | tuple[Turn, int]]) -> Skeleton:
    """Basic gates and turns of single qubits, with the fewest h between rotations."""
    turns = [turn for turn, *_ in gates if isinstance(turn, Turn)]
    start = _pulled_back(n, gates, len(turns))
    columns = range(2 * n, 2 * n + len(turns))
    backward = start.copy()
    opening: list[Gate] = []
    for column in reversed(columns):
        opening += _diagonalise(backward, column)
    opening = _shortened(n, opening)
    forward = start
    forward.conjugate(opening)
    items: list[Item] = []
    for column, turn in zip(columns, turns, strict=True):
        items += _diagonalise(forward, column)
        sign = -1 if forward.sign[column] else 1
        mask = forward.z[:, column].copy()
        items.append(Rotation(mask, Turn(sign * turn.eighths % 8, sign * turn.angle)))
    return Skeleton(opening, items, _closing(n, forward))


def _pulled_back(n: int, gates: Sequence[Gate | tuple[Turn, int]], turns: int) -> Paulis:
    """Z of each qubit and then X at the end, then the rotations in order, all as of the start."""
    width = 2 * n + turns
    paulis = Paulis(
        np.zeros((n, width), np.uint8), np.zeros((n, width), np.uint8), np.zeros(width, np.uint8)
    )
    each = np.arange(n)
    paulis.z[each, each] = 1
    paulis.x[each, n + each] = 1
    rows = []
    column = width
    for gate in reversed(gates):
        if isinstance(gate[0], Turn):
            column -= 1
            rows.append((-1, gate[1], -1, column))
        else:
            name, a, b = gate
            rows.append((_NUMBER[_INVERSE.get(name, name)], a, b, -1))
    _conjugate(paulis.x, paulis.z, paulis.sign, np.array(rows))
    return paulis


def _diagonalise(paulis: Paulis, column: int) -> list[Gate]:
    """Gates with at most one h that make a string a product of Z; they are applied to all.

    What the string has of Z on other qubits than the one of the h stays what it is.  The h is on
    the qubit that most strings have Z on, which keeps later strings short.
    """
    support = np.flatnonzero(paulis.x[:, column])
    if not len(support):
        return []
    pivot = int(support[paulis.z[support].sum(axis=1).argmax()])
    gates: list[Gate] = [("cx", pivot, other) for other in support.tolist() if other != pivot]
    if paulis.z[support, column].sum() % 2:
        gates.append(("s", pivot, -1))
    gates.append(("h", pivot, -1))
    paulis.conjugate(gates)
    return gates


def _shortened(n: int, gates: Sequence[Gate]) -> list[Gate]:
    """Gates that make the same Pauli strings diagonal as these, with the fewest h."""
    eye = np.eye(n, dtype=np.uint8)
    paulis = Paulis(np.zeros((n, n), np.uint8), eye, np.zeros(n, np.uint8))
    paulis.conjugate(inverse(gates))
    return [gate for column in range(n) for gate in _diagonalise(paulis, column)]


def _closing(n: int, paulis: Paulis) -> stim.Tableau:
    """The Clifford C with C^-1 Z_q C and C^-1 X_q C as the first 2n strings."""
    zs, xs = slice(0, n), slice(n, 2 * n)
    x, z, sign = (part.astype(bool) for part in (paulis.x, paulis.z, paulis.sign))
    undone = stim.Tableau.from_numpy(
        x2x=x[:, xs].T.copy(),
        x2z=z[:, xs].T.copy(),
        z2x=x[:, zs].T.copy(),
        z2z=z[:, zs].T.copy(),
        x_signs=sign[xs].copy(),
        z_signs=sign[zs].copy(),
    )
    return undone.inverse()


@kernel
def _conjugate(x: Bits, z: Bits, sign: Bits, rows: Ints) -> None:
    """Apply gates (number, qubits); number -1 sets a column to Z of a qubit."""
    for row in range(len(rows)):
        gate, a, b, column = rows[row]
        if gate == -1:
            z[a, column] = 1
            continue
        xa, za = x[a], z[a]
        for k in range(len(sign)):
            if gate == H:
                sign[k] ^= xa[k] & za[k]
                xa[k], za[k] = za[k], xa[k]
            elif gate == S:
                sign[k] ^= xa[k] & za[k]
                za[k] ^= xa[k]
            elif gate == SDG:
                za[k] ^= xa[k]
                sign[k] ^= xa[k] & za[k]
            elif gate == CX:
                sign[k] ^= xa[k] & z[b, k] & (x[b, k] ^ za[k] ^ 1)
                x[b, k] ^= xa[k]
                za[k] ^= z[b, k]
            elif gate == CZ:
                sign[k] ^= xa[k] & x[b, k] & (za[k] ^ z[b, k])
                za[k] ^= x[b, k]
                z[b, k] ^= xa[k]
            else:
                sign[k] ^= (za[k] if gate != Z else 0) ^ (xa[k] if gate != X else 0)


def blocks(items: Sequence[Item], most: int) -> Iterator[tuple[list[Item], int]]:
    """Parts with at most `most` h each, and the qubit of the h that follows each; -1 at the end."""
    part: list[Item] = []
    found = 0
    for item in items:
        if not isinstance(item, Rotation) and item[0] == "h":
            if found == most:
                yield part, item[1]
                part, found = [], 0
                continue
            found += 1
        part.append(item)
    yield part, -1


def polynomial(n: int, items: Sequence[Item]) -> Polynomial:
    """The phases of cx, cz, s, h and rotations about products of Z."""
    h = sum(item[0] == "h" for item in items if not isinstance(item, Rotation))
    holds = np.eye(n, n + h, dtype=np.uint8)
    """What each qubit holds, in terms of the qubits at the end and the copies."""
    phases = Phases(n + h)
    gates: list[Gate] = []
    parities: dict[bytes, int] = {}
    turns: list[tuple[int, Bits, float]] = []
    before = h
    for item in reversed(items):
        if isinstance(item, Rotation):
            form = holds[item.mask != 0].sum(axis=0, dtype=np.int64).astype(np.uint8) & 1
            if item.turn.eighths:
                key = form.tobytes()
                parities[key] = parities.get(key, 0) + item.turn.eighths
            else:
                turns.append((before, form, item.turn.angle))
            continue
        gates.append(item)
        name, a, b = item
        if name == "cx":
            holds[b] ^= holds[a]
        elif name == "h":
            before -= 1
            gates.append(("cx", a, n + before))
            holds[a] = 0
            holds[a, n + before] = 1
    odd = []
    for key, eighths in parities.items():
        form = np.frombuffer(key, np.uint8)
        if eighths % 2:
            odd.append((form, eighths % 8))
        else:
            phases.add_parity(form, eighths // 2)
    return Polynomial(
        n=n,
        h=h,
        gates=gates[::-1],
        columns=np.array([form for form, _ in odd], np.uint8).reshape(-1, n + h).T.copy(),
        coefficients=np.array([eighths for _, eighths in odd], np.int64),
        clifford=phases,
        turns=turns[::-1],
    )


def remainder(columns: Bits, coefficients: Ints, minus: Bits, minus_coefficients: Ints) -> Phases:
    """What is left of some parities after others with the same third-order signature."""
    both = np.concatenate([columns, minus], axis=1)
    weights = np.concatenate([coefficients, -minus_coefficients])
    pairs = np.zeros((len(columns), len(columns)), np.float32)
    for start in range(0, len(weights), CHUNK):
        some = both[:, start : start + CHUNK].astype(np.float32)
        pairs += some * weights[start : start + CHUNK].astype(np.float32) @ some.T
        pairs %= 8
    # Sums of parities as polynomials: v has the number of parities with v, u v -2 times as many
    # with both, u v w 4 times: the last vanish modulo 8.
    whole = pairs.astype(np.int64)
    assert not (whole % 2).any()
    phases = Phases(len(columns))
    phases.linear = np.diag(whole) // 2
    phases.quadratic = (whole // 2 % 2).astype(np.uint8)
    np.fill_diagonal(phases.quadratic, 0)
    return phases
