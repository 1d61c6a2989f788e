"""Measurements of the copies of qubits, and what outcomes cost: few cz that depend on them.

With outcome 1 it was as if X had acted right after the Hadamard of the copy.  That X goes through
the rest: Clifford gates make a product of Paulis of it, and each T on a parity that it flips leaves
an S, which is s, z and cz on qubits and on copies that are measured later.  A copy has no say in
what comes before it is made.

Other gates are written at once, but a cz waits with all others of the same two qubits until one of
these is measured: it then depends on the parity of many outcomes.  An x that comes in between gives
a z on the other qubit where the cz is due.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qwasmc.passes.third_order.phase_polynomial import Gate, Ints, Paulis, Polynomial
from qwasmc.passes.third_order.writer import Writer

QUARTERS = ("", "s", "z", "sdg")
"""By multiple of pi/2, the gate."""


def measure_copies(writer: Writer, polynomial: Polynomial) -> None:
    """Append the measurements of the copies, corrections, and rotations between them."""
    n, h = polynomial.n, polynomial.h
    errors = _errors(polynomial)
    linear, flipped = _corrections(polynomial, errors)
    waiting = _Waiting(writer, n + h)
    turns = list(polynomial.turns)
    for k in range(h + 1):
        while turns and turns[0][0] == k:
            _, form, angle = turns.pop(0)
            with writer.gathered(form[None]) as (qubit,):
                writer.gate("rz", qubit, angle=angle)
        if k == h:
            break
        waiting.settle(n + k)
        bit = writer.builder.measure("measure_x", writer.wires[n + k])
        writer.builder.gate("free", writer.wires[n + k], loc=writer.loc)
        waiting.flip(np.flatnonzero(errors.x[:, k]).tolist(), bit)
        _s_gates(writer, waiting, polynomial.columns[:, flipped[k]], linear[:, k], bit)
    for q in range(n):
        waiting.settle(q)


class _Waiting:
    """cz gates that depend on parities of bits and are not yet written."""

    def __init__(self, writer: Writer, size: int) -> None:
        self.writer = writer
        self.cz: list[dict[int, list[int]]] = [{} for _ in range(size)]
        """By qubit and other qubit, bits; the same list both ways."""

    def add_cz(self, a: int, b: int, bit: int) -> None:
        """Two qubits have a cz more if a bit is 1."""
        self.cz[b][a] = bits = self.cz[a].setdefault(b, [])
        bits.append(bit)

    def flip(self, qubits: Sequence[int], bit: int) -> None:
        """Append x on some qubits if a bit is 1."""
        moved: dict[int, list[int]] = {}
        for q in qubits:
            self.writer.gate("x", q, cond=bit)
            for other, bits in self.cz[q].items():
                moved.setdefault(other, []).append(self.parity(bits))
        for other, bits in moved.items():
            both = self.writer.builder.combine("and", (bit, self.parity(bits)), self.writer.loc)
            self.writer.gate("z", other, cond=both)

    def parity(self, bits: list[int]) -> int:
        """The bit that is the sum of some; it takes their place."""
        if len(bits) > 1:
            bits[:] = [self.writer.builder.combine("xor", bits, self.writer.loc)]
        return bits[0]

    def settle(self, q: int) -> None:
        """Append all that waits for a qubit."""
        for other, bits in self.cz[q].items():
            self.writer.gate("cz", q, other, cond=self.parity(bits))
            del self.cz[other][q]
        self.cz[q] = {}


def _s_gates(writer: Writer, waiting: _Waiting, parities: Ints, linear: Ints, bit: int) -> None:
    """Append s on parities, and more z and s on qubits, if a bit is 1."""
    for q in np.flatnonzero(linear % 4).tolist():
        writer.gate(QUARTERS[linear[q] % 4], q, cond=bit)
    support = np.flatnonzero(parities.any(axis=1))
    forms = parities[support].astype(np.float32)
    for u, v in support[np.argwhere(np.triu(forms @ forms.T % 2, 1))].tolist():
        waiting.add_cz(u, v, bit)


def _corrections(polynomial: Polynomial, errors: Paulis) -> tuple[Ints, Ints]:
    """By copy, the powers of s on qubits (n + h, h), and which columns leave an S (h, m).

    An S on a parity is s on its qubits and cz between any two; the powers have these s too.
    """
    x = errors.x.astype(np.float32)
    clifford = polynomial.clifford
    columns = polynomial.columns.astype(np.float32)
    flipped = x.T @ columns % 2
    pauli = errors.z + clifford.quadratic.astype(np.float32) @ x + clifford.linear[:, None] * x
    linear = 2 * pauli + columns @ (flipped * polynomial.coefficients).T
    return linear.astype(np.int64), flipped != 0


def _errors(polynomial: Polynomial) -> Paulis:
    """By Hadamard, what X right after it is at the end."""
    n, h = polynomial.n, polynomial.h
    shape = (n + h, h)
    paulis = Paulis(np.zeros(shape, np.uint8), np.zeros(shape, np.uint8), np.zeros(h, np.uint8))
    done: list[Gate] = []
    k = 0
    for gate in polynomial.gates:
        done.append(gate)
        if gate[0] == "h":
            paulis.conjugate(done)
            done = []
            paulis.x[gate[1], k] = 1
            k += 1
    paulis.conjugate(done)
    return paulis
