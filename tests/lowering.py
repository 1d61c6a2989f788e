"""Circuits of a few gates, and what they do according to Qiskit; for tests of passes that lower."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit.library import UnitaryGate, get_standard_gate_name_mapping
from qiskit.quantum_info import Operator, Pauli

from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ops import BY_NAME, OPS
from qwasmc.verify import verify

LIBRARY = get_standard_gate_name_mapping()
TOFFOLIS = ("ccx", "ccz", "cswap")
ROTATIONS = ("rx", "ry", "rz", "p", "cp", "crz", "ppr")
EIGHTH = math.pi / 4
WIRES = 3


class Build:
    """Gates on a few wires and a bit to predicate them on."""

    def __init__(self, wires: int = WIRES) -> None:
        self.builder = CircuitBuilder()
        self.file = self.builder.locations.add_file("a.qwasm", "a gate\n" * 1000)
        self.lines = 0
        self.bit = self.builder.add("const", attr=1)
        self.wires = [self.builder.add("alloc", attr=f"q{i}") for i in range(wires)]

    def gate(
        self,
        name: str,
        wires: list[int] | None = None,
        *,
        angle: float = 0.0,
        letters: str = "",
        predicated: bool = False,
    ) -> None:
        """A gate, by default on the first wires, on a source line of its own."""
        wires = wires or list(range(len(letters) or BY_NAME[name].qubits))
        self.lines += 1
        first = self.builder.add(
            name,
            [self.wires[wire] for wire in wires],
            angle=angle,
            attr=letters or 0,
            cond=self.bit if predicated else -1,
            loc=self.builder.locations.add(self.file, self.lines, 1, 2),
        )
        for slot, wire in enumerate(wires):
            self.wires[wire] = first + slot

    def freeze(self) -> Circuit:
        circuit = self.builder.freeze()
        verify(circuit)
        return circuit


def one(name: str, angle: float = 0.0, letters: str = "", *, predicated: bool = False) -> Circuit:
    build = Build()
    build.gate(name, angle=angle, letters=letters, predicated=predicated)
    return build.freeze()


def product_rotation(letters: str, angle: float) -> np.ndarray:
    pauli = Pauli(letters[::-1]).to_matrix()
    return math.cos(angle / 2) * np.eye(len(pauli)) - 1j * math.sin(angle / 2) * pauli


def unitary(circuit: Circuit, bit: int = 1) -> np.ndarray:
    """What the gates do, by Qiskit; predicates are all this bit."""
    wire = circuit.wires()
    program = QuantumCircuit(int(wire.max()) + 1)
    for row, code in enumerate(circuit.op.tolist()):
        spec = OPS[code]
        if not spec.is_gate or (circuit.cond[row] >= 0 and not bit):
            continue
        angle = float(circuit.angle[row])
        if spec.name == "ppr":
            gate = UnitaryGate(product_rotation(str(circuit.attribute(row)), angle))
        else:
            gate = LIBRARY[spec.qiskit]
            gate = gate.base_class(angle) if spec.angle else gate
        program.append(gate, [int(wire[value]) for value in circuit.values(row)])
    return Operator(program).data


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """In operator norm, up to a phase: the shortest arc that holds all eigenvalues of a^-1 b."""
    phases = np.sort(np.angle(np.linalg.eigvals(a.conj().T @ b)))
    gaps = np.diff(phases, append=phases[0] + 2 * np.pi)
    return 2 * math.sin((2 * np.pi - gaps.max()) / 4)


def names(circuit: Circuit) -> list[str]:
    return [OPS[code].name for code in circuit.op if OPS[code].is_gate]


def t_count(circuit: Circuit) -> int:
    return sum(name in ("t", "tdg") for name in names(circuit))


def predicated_names(circuit: Circuit) -> list[str]:
    return [OPS[code].name for code in circuit.op[circuit.cond >= 0]]


GATES = (*TOFFOLIS, *ROTATIONS, "h", "s", "t", "cx", "swap", "x")


@st.composite
def programs(draw: st.DrawFn, angles: st.SearchStrategy[float]) -> Circuit:
    build = Build()
    for _ in range(draw(st.integers(0, 8))):
        name = draw(st.sampled_from(GATES))
        spec = BY_NAME[name]
        count = draw(st.integers(1, WIRES)) if spec.qubits < 0 else spec.qubits
        build.gate(
            name,
            draw(st.permutations(range(WIRES)))[:count],
            angle=draw(angles) if spec.angle else 0.0,
            letters=draw(st.text("XYZ", min_size=count, max_size=count)) if spec.attr else "",
            predicated=draw(st.booleans()),
        )
    return build.freeze()
