"""What a small circuit does to its program's qubits, by `statevector`: an oracle for equality."""

from __future__ import annotations

import numpy as np
import statevector

from qwasmc.ir.circuit import Circuit


def instrument(circuit: Circuit, n: int) -> dict[tuple[int, ...], np.ndarray]:
    """By results, the state of wires 0 ... n - 1 and n others they were maximally entangled with.

    The first n wires must be the program's; all other ones are traced out at the end.
    """
    wire = circuit.wires()
    others = int(wire.max()) + 1 - n
    start = np.zeros((2**n, 2**others, 2**n), dtype=complex)
    start[:, 0, :] = np.eye(2**n) / 2 ** (n / 2)
    state = start.reshape((2,) * (2 * n + others))
    branches = [statevector.Branch(state, {})]
    for row in range(len(circuit)):
        branches = [
            new
            for old in branches
            for new in statevector.step(circuit, row, wire, old, statevector.MATRIX)
        ]
    found: dict[tuple[int, ...], np.ndarray] = {}
    for branch in branches:
        tensor = branch.state.reshape(2**n, 2**others, 2**n)
        ours = np.moveaxis(tensor, 1, 2).reshape(4**n, 2**others)
        found[branch.results] = found.get(branch.results, 0) + ours @ ours.conj().T
    return found


def same(one: dict[tuple[int, ...], np.ndarray], other: dict[tuple[int, ...], np.ndarray]) -> bool:
    """Whether two circuits do the same, whatever their inputs are entangled with."""
    return all(
        np.allclose(one.get(key, 0), other.get(key, 0), atol=1e-7) for key in one.keys() | other
    )
