"""Optimises one OpenQASM 2 circuit of Clifford and T gates with another tool; prints JSON.

    python t_peers.py TOOL < circuit.qasm

`t_counts.py` runs it with an interpreter that has the tools.  Two-qubit gates are counted as they
come out, and every angle that is not a multiple of pi/2 counts as a T.
"""

from __future__ import annotations

import json
import math
import sys
import time


def turns_to_t(angles: list[float]) -> int:
    """How many angles, in units of pi/2, are not whole."""
    return sum(abs(angle - round(angle)) > 1e-6 for angle in angles)


def pytket(text: str) -> dict[str, float]:
    """GreedyPauliSimp, as its documentation calls it."""
    from pytket.circuit import OpType
    from pytket.passes import GreedyPauliSimp
    from pytket.qasm import circuit_from_qasm_str

    circuit = circuit_from_qasm_str(text)
    start = time.process_time()
    GreedyPauliSimp().apply(circuit)
    seconds = time.process_time() - start
    t = two = 0
    for command in circuit.get_commands():
        two += len(command.qubits) == 2
        if command.op.type in (OpType.T, OpType.Tdg):
            t += 1
        else:
            t += turns_to_t([float(angle) * 2 for angle in command.op.params])
    return {"t": t, "two_qubit": two, "seconds": seconds}


def pyzx(text: str) -> dict[str, float]:
    """Phase teleportation, then PyZX's basic optimisation."""
    import pyzx as zx

    circuit = zx.Circuit.from_qasm(text)
    start = time.process_time()
    graph = zx.simplify.teleport_reduce(circuit.to_graph())
    better = zx.optimize.basic_optimization(zx.Circuit.from_graph(graph).to_basic_gates())
    seconds = time.process_time() - start
    return {"t": better.tcount(), "two_qubit": better.twoqubitcount(), "seconds": seconds}


def qiskit(text: str) -> dict[str, float]:
    """Qiskit's preset pass manager for Clifford+T, at level 3."""
    from qiskit import QuantumCircuit
    from qiskit.transpiler import generate_preset_pass_manager

    circuit = QuantumCircuit.from_qasm_str(text)
    basis = ["h", "s", "sdg", "t", "tdg", "x", "y", "z", "cx"]
    start = time.process_time()
    better = generate_preset_pass_manager(3, basis_gates=basis, seed_transpiler=1).run(circuit)
    seconds = time.process_time() - start
    counts = better.count_ops()
    return {
        "t": counts.get("t", 0) + counts.get("tdg", 0),
        "two_qubit": better.num_nonlocal_gates(),
        "seconds": seconds,
    }


def redundancies(text: str) -> dict[str, float]:
    """pytket's RemoveRedundancies: the clock that other times are compared with."""
    from pytket.passes import RemoveRedundancies
    from pytket.qasm import circuit_from_qasm_str

    circuit = circuit_from_qasm_str(text)
    start = time.process_time()
    RemoveRedundancies().apply(circuit)
    return {"t": math.nan, "two_qubit": math.nan, "seconds": time.process_time() - start}


TOOLS = {
    "pytket": pytket,
    "pyzx": pyzx,
    "qiskit": qiskit,
    "redundancies": redundancies,
}

if __name__ == "__main__":
    print(json.dumps(TOOLS[sys.argv[1]](sys.stdin.read())))
