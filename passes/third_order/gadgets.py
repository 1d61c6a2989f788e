"""Phase polynomials as circuits: Hadamards become ancillas, measurements and corrections.

    q --[T]--h--[T]--        q ---+---h---[        ]--[corrections if m]---
                                  |       [ fewer T]
                       =>  a |0> -X-------[        ]--- X measured: m --- free

A copy of the qubit, made before the Hadamard, allows all phases to come behind it.  Then the copy
is measured in X.  With outcome 0 it was as if there had been none; with outcome 1 as if Z had acted
on the qubit before the Hadamard, or X after it.  That X goes through the rest: gates make a product
of Paulis of it, and each T on a parity that it flips leaves an S.  All of this is undone on qubits
and on copies that are measured later, for a copy has no say in what comes before it is made.
Rotations by other angles wait for the copies before them, so that nothing flips their parities.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import stim

from qwasmc.ir.wires import WireBuilder
from qwasmc.kernel import kernel
from qwasmc.passes.third_order.phase_polynomial import Bits, Gate, Ints, Paulis, Phases, Polynomial
from qwasmc.passes.toffolis.and_gadget import ccz

EIGHTHS = ((), ("t",), ("s",), ("s", "t"), ("z",), ("z", "t"), ("sdg",), ("tdg",))
"""By multiple of pi/4, gates."""

BY_STIM = {"H": "h", "S": "s", "S_DAG": "sdg", "CX": "cx", "X": "x", "Y": "y", "Z": "z", "CZ": "cz"}

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


class Writer:
    """Appends gates on numbered qubits, which are wires of a builder."""

    def __init__(self, builder: WireBuilder, wires: Sequence[int], loc: int) -> None:
        self.builder = builder
        self.wires = list(wires)
        self.loc = loc

    def gate(self, name: str, *qubits: int, cond: int = -1, angle: float = 0.0) -> None:
        """Append a gate."""
        wires = [self.wires[q] for q in qubits]
        self.builder.gate(name, *wires, cond=cond, angle=angle, loc=self.loc)

    def gates(self, gates: Sequence[Gate]) -> None:
        """Append basic gates."""
        for name, a, b in gates:
            self.gate(name, *((a,) if b < 0 else (a, b)))

    def clifford(self, tableau: stim.Tableau) -> None:
        """Append a Clifford gate on all qubits."""
        for instruction in tableau.to_circuit("elimination"):
            for group in instruction.target_groups():
                self.gate(BY_STIM[instruction.name], *(target.value for target in group))

    def phases(self, phases: Phases, cond: int = -1) -> None:
        """Append a diagonal Clifford gate, where cx gates have made it sparse."""
        steps, phases = _shorter(phases)
        self.linear(steps)
        for u, v in np.argwhere(np.triu(phases.quadratic)).tolist():
            self.gate("cz", u, v, cond=cond)
        for q in np.flatnonzero(phases.linear % 4).tolist():
            for name in EIGHTHS[2 * (phases.linear[q] % 4)]:
                self.gate(name, q, cond=cond)
        self.linear(steps[::-1])

    def linear(self, pairs: Sequence[Sequence[int]]) -> None:
        """Append cx gates."""
        for control, target in pairs:
            self.gate("cx", control, target)

    @contextmanager
    def gathered(self, forms: Bits) -> Iterator[list[int]]:
        """Qubits that hold some independent parities for a while."""
        steps, qubits = _gather(forms)
        self.linear(steps)
        yield qubits
        self.linear(steps[::-1])


def _shorter(phases: Phases) -> tuple[list[tuple[int, int]], Phases]:
    """cx gates before a diagonal Clifford gate, to be undone behind it, and what it then is.

    Two cx gates, one there and one back, have to save three cz.
    """
    linear = phases.linear.copy()
    support = np.flatnonzero(phases.quadratic.any(axis=1))
    form = phases.quadratic[np.ix_(support, support)].astype(np.float32)
    np.fill_diagonal(form, linear[support] % 2)  # adds and cancels like the rest
    steps: list[tuple[int, int]] = []
    common = form @ form
    while form.size:
        gain = 2 * common - np.diag(common) - form * (2 * np.diag(form)[:, None] - 1)
        np.fill_diagonal(gain, 0)
        c, t = np.unravel_index(gain.argmax(), gain.shape)
        if gain[c, t] < 3:
            break
        steps.append((int(support[c]), int(support[t])))
        linear[support[c]] += linear[support[t]] + 2 * int(form[c, t])
        common -= np.outer(form[c], form[c])
        form[c] = np.abs(form[c] - form[t])
        form[:, c] = np.abs(form[:, c] - form[:, t])
        common += np.outer(form[c], form[c])
        common[c] = common[:, c] = form @ form[c]
    shorter = Phases(len(linear))
    shorter.linear = linear
    shorter.quadratic[np.ix_(support, support)] = form
    np.fill_diagonal(shorter.quadratic, 0)
    return steps, shorter


def _gather(forms: Bits) -> tuple[list[tuple[int, int]], list[int]]:
    """cx gates after which single qubits hold some independent parities, and those qubits."""
    forms = forms.copy()
    steps: list[tuple[int, int]] = []
    qubits: list[int] = []
    for row in forms:
        support = np.flatnonzero(row).tolist()
        pivot = next(q for q in support if q not in qubits)
        for q in support:
            if q != pivot:
                steps.append((q, pivot))
                forms[:, q] ^= forms[:, pivot]
        qubits.append(pivot)
    return steps, qubits


def write(writer: Writer, polynomial: Polynomial, plan: Plan) -> None:
    """Append the circuit of a polynomial on the qubits of the writer."""
    for _ in range(polynomial.h):
        writer.wires.append(writer.builder.alloc(writer.loc))
    writer.gates(polynomial.gates)
    writer.phases(plan.clifford)
    _toffolis(writer, plan.toffolis)
    _parities(writer, plan)
    _measure(writer, polynomial)
    del writer.wires[polynomial.n :]


def _toffolis(writer: Writer, toffolis: Bits) -> None:
    """Append CCZ of parities, where cx gates have made them sparse."""
    rows = toffolis.reshape(-1, toffolis.shape[2]).copy()
    steps = _sparser(rows)
    writer.linear(steps)
    for forms in rows.reshape(toffolis.shape):
        with writer.gathered(forms) as qubits:
            a, b, c = (writer.wires[q] for q in qubits)
            ccz(writer.builder, a, b, c, writer.loc)
    writer.linear(steps[::-1])


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
    steps = events[events[:, 1] >= 0]
    forms = np.eye(len(plan.columns), dtype=np.uint8)
    _follow(forms, steps)
    direct = _to_identity(forms)
    writer.linear((direct if len(direct) < len(steps) else steps[::-1]).tolist())


def _measure(writer: Writer, polynomial: Polynomial) -> None:
    """Append the measurements of the copies, corrections, and rotations between them."""
    n, h = polynomial.n, polynomial.h
    errors = _errors(polynomial)
    waiting = list(polynomial.turns)
    for k in range(h + 1):
        while waiting and waiting[0][0] == k:
            _, form, angle = waiting.pop(0)
            with writer.gathered(form[None]) as (qubit,):
                writer.gate("rz", qubit, angle=angle)
        if k == h:
            return
        bit = writer.builder.measure("measure_x", writer.wires[n + k])
        writer.builder.gate("free", writer.wires[n + k], loc=writer.loc)
        flipped = errors.x[:, k]
        for q in np.flatnonzero(flipped).tolist():
            writer.gate("x", q, cond=bit)
        writer.phases(_correction(polynomial, flipped, errors.z[:, k]), cond=bit)


def _correction(polynomial: Polynomial, flipped: Bits, signed: Bits) -> Phases:
    """What undoes Z on some qubits and, behind the phases, what X before them leaves."""
    correction = Phases(len(flipped))
    x = flipped.astype(np.int64)
    clifford = polynomial.clifford
    correction.linear += 2 * (signed + clifford.quadratic @ x + clifford.linear * x)
    for column in np.flatnonzero(x @ polynomial.columns % 2).tolist():
        eighths = int(polynomial.coefficients[column])
        correction.add_parity(polynomial.columns[:, column], eighths)
    return correction


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
