"""Qubits in a stabilizer state, simulated by Stim (Gidney, Quantum 5, 497)."""

from __future__ import annotations

from collections.abc import Callable

import stim

from qwasmc.backends.qubits import Qubits
from qwasmc.ops import OPS

MAX_QUBITS = 10_000
"""Memory grows with the square; these take 50 MB."""

METHODS = {"sx": "sqrt_x", "sxdg": "sqrt_x_dag", "sdg": "s_dag"}
"""Methods of Stim's simulator whose name is not the gate's."""


class StimQubits(Qubits):
    """Clifford gates only; rotations among them are gates by name."""

    limit = MAX_QUBITS

    def __init__(self) -> None:
        super().__init__()
        self._state = stim.TableauSimulator(seed=0)
        self.gates = {
            spec.name: self._gate(METHODS.get(spec.name, spec.name))
            for spec in OPS
            if spec.is_gate and spec.stim
        }
        self.turns = {}

    def _gate(self, method: str) -> Callable[..., None]:
        def run(*qubits: int) -> None:
            getattr(self._state, method)(*qubits)

        return run

    def restart(self, seed: int) -> None:
        """A new state."""
        self._state = stim.TableauSimulator(seed=seed)

    def grow(self, size: int) -> None:
        """Nothing to do: Stim adds qubits when they are acted on."""

    def measure(self, qubit: int) -> int:
        """The outcome of measuring Z."""
        return int(self._state.measure(qubit))

    def reset(self, qubit: int) -> None:
        """Put a qubit into |0>."""
        self._state.reset(qubit)
