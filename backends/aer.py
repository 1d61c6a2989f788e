"""Simulation of programs that are not Clifford, as state vectors, by Qiskit Aer."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable

import numpy as np
from qiskit_aer import AerSimulator
from qiskit_aer.quantum_info.states.aer_state import AerState

from qwasmc.backends.qiskit import Translated, to_qiskit, width
from qwasmc.backends.qubits import Qubits
from qwasmc.backends.results import Counts, Outcome, count, results_of, tally
from qwasmc.diagnostics import Kind, error
from qwasmc.ir.circuit import Circuit

MAX_WIDTH = 30
"""Most qubits of a circuit; its state takes 16 GiB."""

MAX_LIVE = 28
"""Most qubits of a program in execution; its state takes 4 GiB, and twice that for a moment."""

MAX_START = 10
"""Most qubits that a state starts with: a larger one makes the first gates slow."""

MAX_BATCH = 1 << 22
"""Most measured bits (shots times measurements) held at a time."""

MAX_PENDING = 4096
"""Most gates that Aer keeps for later; without a bound it keeps all up to a measurement."""


def sample(circuit: Circuit, shots: int, seed: int | None) -> Counts:
    """Run a closed program `shots` times, from a seed or fresh randomness."""
    qubits = width(circuit)
    if qubits > MAX_WIDTH:
        raise error(
            f"the program needs {qubits} qubits at once and is not Clifford: "
            f"at most {MAX_WIDTH} can be simulated",
            kind=Kind.LIMIT,
        )
    results = results_of(circuit)
    translated = to_qiskit(circuit)
    values = [bit for result in results for bit in result.bits]
    rng = random.Random(seed)
    batch = max(1, MAX_BATCH // max(1, len(translated.clbit)))
    seen: Counter[Outcome] = Counter()
    for start in range(0, shots, batch):
        counts = _counts(translated, min(batch, shots - start), rng.getrandbits(62))
        measured = np.array([list(key) for key in counts], dtype="U1").reshape(len(counts), -1)
        bits = translated.evaluate(values, measured == "1")
        seen.update(tally(results, bits, list(counts.values())))
    return count([result.column for result in results], seen)


def _counts(translated: Translated, shots: int, seed: int) -> dict[str, int]:
    """Shots by measured bits, the first one leftmost."""
    if not translated.clbit:
        return {"": shots}
    # Fusion, which begins at 15 qubits, loses bits that Store instructions write.  Conditions of
    # gates on qubits that no measurement depends on are not found: so all are measured.
    simulator = AerSimulator(method="statevector", fusion_enable=False)
    whole = translated.circuit.measure_all(inplace=False)
    result = simulator.run(whole, shots=shots, seed_simulator=seed).result()
    if not result.success:
        raise error(f"Qiskit Aer cannot run the program: {result.status}", kind=Kind.LIMIT)
    counts: dict[str, int] = result.get_counts()
    # Aer writes the last register first, and the last bit of each first.
    seen: Counter[str] = Counter()
    for key, times in counts.items():
        seen[key.split()[-1][::-1]] += times
    return seen


def _phase(angle: float) -> Callable[[AerState, int], None]:
    return lambda state, qubit: state.apply_mcphase([], qubit, angle)


def _crz(state: AerState, angle: float, control: int, target: int) -> None:
    state.apply_mcphase([], control, -angle / 2)
    state.apply_mcphase([control], target, angle)


GATES: dict[str, Callable[..., None]] = {
    "h": AerState.apply_h,
    "x": AerState.apply_x,
    "y": AerState.apply_y,
    "z": AerState.apply_z,
    "s": _phase(math.pi / 2),
    "sdg": _phase(-math.pi / 2),
    "t": _phase(math.pi / 4),
    "tdg": _phase(-math.pi / 4),
    "sx": lambda state, qubit: TURNS["rx"](state, math.pi / 2, qubit),
    "sxdg": lambda state, qubit: TURNS["rx"](state, -math.pi / 2, qubit),
    "cx": AerState.apply_cx,
    "cy": AerState.apply_cy,
    "cz": AerState.apply_cz,
    "swap": lambda state, a, b: state.apply_mcswap([], a, b),
    "ccx": lambda state, a, b, target: state.apply_mcx([a, b], target),
    "ccz": lambda state, a, b, target: state.apply_mcz([a, b], target),
    "cswap": lambda state, control, a, b: state.apply_mcswap([control], a, b),
}
"""Gates without an angle, up to global phase: their action on qubits of a state."""

TURNS: dict[str, Callable[..., None]] = {
    "rx": lambda state, angle, qubit: state.apply_u(qubit, angle, -math.pi / 2, math.pi / 2),
    "ry": lambda state, angle, qubit: state.apply_u(qubit, angle, 0.0, 0.0),
    "rz": lambda state, angle, qubit: state.apply_mcphase([], qubit, angle),
    "p": lambda state, angle, qubit: state.apply_mcphase([], qubit, angle),
    "cp": lambda state, angle, control, target: state.apply_mcphase([control], target, angle),
    "crz": _crz,
}
"""Gates with an angle, up to global phase."""


class AerQubits(Qubits):
    """Any gates on a state vector, which grows with the number of qubits."""

    limit = MAX_LIVE

    def __init__(self) -> None:
        super().__init__()
        self._state: AerState | None = None
        self._size = 0
        self._pending = 0
        self._rng = random.Random()
        self.gates = {name: self._counted(action) for name, action in GATES.items()}
        self.turns = {name: self._counted(action) for name, action in TURNS.items()}

    def _counted(self, action: Callable[..., None]) -> Callable[..., None]:
        def run(*arguments: float) -> None:
            self._pending += 1
            if self._pending > MAX_PENDING:
                assert self._state is not None
                self._state.flush()
                self._pending = 0
            action(self._state, *arguments)

        return run

    def restart(self, seed: int) -> None:
        """A new state."""
        self._rng = random.Random(seed)
        if self._state is not None:
            self._release()
            self._state = self._new()
            self._size = min(self.used, MAX_START)
            self._state.allocate_qubits(self._size)
            self._state.initialize()

    def grow(self, size: int) -> None:
        """Have at least so many qubits; new ones are in |0>."""
        if size <= self._size:
            return
        data = np.zeros(1 << size, dtype=np.complex128)
        if self._state is None:
            data[0] = 1
        else:
            data[: 1 << self._size] = self._state.move_to_ndarray()
            self._release()
        self._size = size
        self._state = self._new()
        # A copy, because Aer frees the data of others unless it is told not to in time.
        self._state.initialize(data, copy=True)

    def _new(self) -> AerState:
        state = AerState(method="statevector")
        state.set_seed(self._rng.getrandbits(62))
        return state

    def _release(self) -> None:
        """Give the memory back; Aer asks for these two steps."""
        assert self._state is not None
        self._state.move_to_ndarray()
        self._state.close()

    def measure(self, qubit: int) -> int:
        """The outcome of measuring Z."""
        assert self._state is not None
        return int(self._state.apply_measure([qubit]))

    def reset(self, qubit: int) -> None:
        """Put a qubit into |0>."""
        assert self._state is not None
        self._state.apply_reset([qubit])
