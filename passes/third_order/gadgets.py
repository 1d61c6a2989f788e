"""Phase polynomials as circuits: Hadamards become ancillas, measurements and corrections.

    q --[T]--h--[T]--        q ---+---h---[        ]--[corrections if m]---
                                  |       [ fewer T]
                       =>  a |0> -X-------[        ]--- X measured: m --- free

A copy of the qubit, made before the Hadamard, allows all phases to come behind it.  Then the copy
is measured in X.  With outcome 0 it was as if there had been none; with outcome 1 as if Z had acted
on the qubit before the Hadamard, or X after it, which `corrections` undoes.  Rotations by other
angles wait for the copies before them, so that nothing flips their parities.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qwasmc.kernel import kernel
from qwasmc.passes.third_order.corrections import measure_copies
from qwasmc.passes.third_order.phase_polynomial import Bits, Ints, Phases, Polynomial
from qwasmc.passes.third_order.writer import EIGHTHS, Writer, gather
from qwasmc.passes.toffolis.and_gadget import ccz

WIDEST = 12
"""Wires of a parity among which the next cx is chosen."""


@dataclass(slots=True)
class Plan:
    """How the phases of a polynomial are to be made: the sum is the same."""

    columns: Bits
    """(n + h, m): parities with T gates."""
    coefficients: Ints
    """(m,) in units of pi/4, odd."""
    toffolis: Bits
    """(k, 3, n + h): CCZ of three parities."""
    clifford: Phases

    @property
    def t_count(self) -> int:
        """T gates."""
        return int(self.columns.shape[1]) + TOFFOLI_T * len(self.toffolis)


TOFFOLI_T = 4


def write(writer: Writer, polynomial: Polynomial, plan: Plan) -> None:
    """Append the circuit of a polynomial on the qubits of the writer."""
    for _ in range(polynomial.h):
        writer.wires.append(writer.builder.alloc(writer.loc))
    writer.gates(polynomial.gates)
    writer.phases(plan.clifford)
    _toffolis(writer, plan.toffolis)
    _parities(writer, plan)
    measure_copies(writer, polynomial)
    del writer.wires[polynomial.n :]


def _toffolis(writer: Writer, toffolis: Bits) -> None:
    """Append CCZ of parities, where cx gates have made them sparse."""
    rows = toffolis.reshape(-1, toffolis.shape[2]).copy()
    steps = _sparser(rows)
    writer.linear(steps)
    forms = rows.reshape(toffolis.shape)
    for moves, qubits in min(_apart(forms), _chained(forms), key=_length):
        writer.linear(moves)
        if qubits:
            a, b, c = (writer.wires[q] for q in qubits)
            ccz(writer.builder, a, b, c, writer.loc)
    writer.linear(steps[::-1])


Stage = tuple[Sequence[Sequence[int]], list[int]]
"""cx gates, and the qubits of a CCZ behind them, if there is one."""


def _length(stages: Sequence[Stage]) -> int:
    return sum(len(moves) for moves, _ in stages)


def _apart(toffolis: Bits) -> list[Stage]:
    """Each Toffoli's parities gathered, and the cx gates undone."""
    stages: list[Stage] = []
    for forms in toffolis:
        moves, qubits = gather(forms)
        stages += [(moves, qubits), (moves[::-1], [])]
    return stages


def _chained(toffolis: Bits) -> list[Stage]:
    """The parities of a lightest Toffoli gathered from what the last one left, and all undone."""
    left = toffolis.copy()
    stages: list[Stage] = []
    steps: list[tuple[int, int]] = []
    while len(left):
        lightest = int(left.sum(axis=(1, 2)).argmin())
        moves, qubits = gather(left[lightest])
        left = np.delete(left, lightest, axis=0)
        for control, target in moves:
            left[:, :, control] ^= left[:, :, target]
        stages.append((moves, qubits))
        steps += moves
    return [*stages, (_undoing(np.array(steps, np.int64).reshape(-1, 2), toffolis.shape[2]), [])]


def _undoing(steps: Ints, size: int) -> list[list[int]]:
    """cx gates that undo some."""
    forms = np.eye(size, dtype=np.uint8)
    _follow(forms, steps)
    direct = _to_identity(forms)
    found: list[list[int]] = (direct if len(direct) < len(steps) else steps[::-1]).tolist()
    return found


def _sparser(rows: Bits) -> list[tuple[int, int]]:
    """cx gates that take many ones out of some parities; those change accordingly.

    A one takes two cx gates, as does a step, there and back.
    """
    bits = rows.astype(np.float32)
    steps: list[tuple[int, int]] = []
    common = bits.T @ bits
    while True:
        gain = 2 * common - np.diag(common)  # of a cx from the row to the column
        np.fill_diagonal(gain, 0)
        control, target = np.unravel_index(gain.argmax(), gain.shape)
        if not gain.size or gain[control, target] < 2:
            break
        steps.append((int(control), int(target)))
        bits[:, control] = np.abs(bits[:, control] - bits[:, target])
        common[control] = common[:, control] = bits[:, control] @ bits
    rows[:] = bits
    return steps


def _parities(writer: Writer, plan: Plan) -> None:
    """Append the T gates on parities."""
    events = _network(plan.columns.copy())
    for control, target in events.tolist():
        if target >= 0:
            writer.gate("cx", control, target)
        else:
            for name in EIGHTHS[plan.coefficients[-1 - target] % 8]:
                writer.gate(name, control)
    writer.linear(_undoing(events[events[:, 1] >= 0], len(plan.columns)))


@kernel
def _follow(rows: Bits, steps: Ints) -> None:
    """What rows, as sums of wires, become by cx gates."""
    for step in range(len(steps)):
        control, target = steps[step]
        for row in range(len(rows)):
            rows[row, control] ^= rows[row, target]


@kernel
def _to_identity(forms: Bits) -> Ints:
    """cx gates after which wire i holds the form of row i; the rows become the identity."""
    size = len(forms)
    steps = np.empty((size * size + size, 2), np.int64)
    count = 0
    for i in range(size):
        if not forms[i, i]:
            j = i + 1
            while not forms[i, j]:
                j += 1
            steps[count] = i, j
            count += 1
            forms[:, i] ^= forms[:, j]
        for j in range(size):
            if j != i and forms[i, j]:
                steps[count] = j, i
                count += 1
                forms[:, j] ^= forms[:, i]
    return steps[:count]


@kernel
def _network(columns: Bits) -> Ints:
    """cx gates (control, target) that bring each parity to a wire in turn: (wire, -1 - column).

    A lightest parity is next; of the cx gates that shorten it, the one that shortens the others
    most.  `columns` (wires, parities) is used up.
    """
    n, m = columns.shape
    weight = np.zeros(m, np.int64)
    for q in range(n):
        for k in range(m):
            weight[k] += columns[q, k]
    capacity = 64
    events = np.empty((capacity, 2), np.int64)
    count = left = 0
    left = m
    support = np.empty(WIDEST, np.int64)
    while left:
        if count + m + 1 > capacity:
            capacity = 2 * (count + m + 1)
            grown = np.empty((capacity, 2), np.int64)
            grown[:count] = events[:count]
            events = grown
        best = -1
        for k in range(m):
            if weight[k] == 1:
                wire = 0
                while not columns[wire, k]:
                    wire += 1
                events[count] = wire, -1 - k
                count += 1
                left -= 1
                weight[k] = 0
                columns[wire, k] = 0
            elif weight[k] and (best < 0 or weight[k] < weight[best]):
                best = k
        if best < 0:
            break
        found = 0
        for q in range(n):
            if columns[q, best] and found < WIDEST:
                support[found] = q
                found += 1
        gain = -m - 1
        control, target = support[0], support[0]
        for b in support[:found]:
            ones = np.flatnonzero(columns[b])
            for a in support[:found]:
                if a != b:
                    score = -len(ones)
                    for k in range(len(ones)):
                        score += 2 * int(columns[a, ones[k]])
                    if score > gain:
                        gain, control, target = score, a, b
        events[count] = control, target
        count += 1
        for k in range(m):
            if columns[target, k]:
                weight[k] += 1 - 2 * np.int64(columns[control, k])
                columns[control, k] ^= 1
    return events[:count]
