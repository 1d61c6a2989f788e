"""Gates on numbered qubits: Clifford gates, diagonal ones, and parities gathered on a qubit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import stim

from qwasmc.ir.wires import WireBuilder
from qwasmc.passes.third_order.phase_polynomial import Bits, Gate, Phases

EIGHTHS = ((), ("t",), ("s",), ("s", "t"), ("z",), ("z", "t"), ("sdg",), ("tdg",))
"""By multiple of pi/4, gates."""

BY_STIM = {"H": "h", "S": "s", "S_DAG": "sdg", "CX": "cx", "X": "x", "Y": "y", "Z": "z", "CZ": "cz"}


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

    def phases(self, phases: Phases) -> None:
        """Append a diagonal Clifford gate, where cx gates have made it sparse."""
        steps, phases = _shorter(phases)
        self.linear(steps)
        for u, v in np.argwhere(np.triu(phases.quadratic)).tolist():
            self.gate("cz", u, v)
        for q in np.flatnonzero(phases.linear % 4).tolist():
            for name in EIGHTHS[2 * (phases.linear[q] % 4)]:
                self.gate(name, q)
        self.linear(steps[::-1])

    def linear(self, pairs: Sequence[Sequence[int]]) -> None:
        """Append cx gates."""
        for control, target in pairs:
            self.gate("cx", control, target)

    @contextmanager
    def gathered(self, forms: Bits) -> Iterator[list[int]]:
        """Qubits that hold some independent parities for a while."""
        steps, qubits = gather(forms)
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


def gather(forms: Bits) -> tuple[list[tuple[int, int]], list[int]]:
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
