"""Control regions as nested lists, what they mean, and what circuits without them do.

A program is a list of `Gate` and `Region`.  It means a matrix, by Qiskit: of a region, that of what
is in it where the controls are 1, and the identity elsewhere.  A circuit is run on a random state.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit.library import UnitaryGate, get_standard_gate_name_mapping
from qiskit.quantum_info import Operator, Pauli, Statevector

from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ir.wires import to_circuit, to_wires
from qwasmc.ops import BY_NAME, OPS
from qwasmc.passes.reversible.controlling import control
from qwasmc.verify import verify

QISKIT = get_standard_gate_name_mapping()


class Gate(NamedTuple):
    name: str
    on: tuple[int, ...]
    angle: float = 0.0
    paulis: str = ""
    cond: int | None = None
    """The value of a bit that it depends on."""
    exempt: bool = False


class Region(NamedTuple):
    controls: tuple[int, ...]
    body: list[Gate | Region]


Body = list[Gate | Region]


def put(circuit: QuantumCircuit, name: str, on: list[int], angle: float, paulis: str) -> None:
    """Append a gate to a circuit of Qiskit."""
    if name == "ppr":
        product = Pauli(paulis[::-1]).to_matrix()
        turned = np.cos(angle / 2) * np.eye(len(product)) - 1j * np.sin(angle / 2) * product
        gate = UnitaryGate(turned)
    else:
        gate = type(QISKIT[BY_NAME[name].qiskit])(*([angle] if BY_NAME[name].angle else []))
    circuit.append(gate, on)


def meaning(body: Body, n: int) -> np.ndarray:
    """The matrix of a program."""
    total = np.eye(2**n, dtype=complex)
    for item in body:
        if isinstance(item, Region):
            ones = sum(1 << wire for wire in set(item.controls))
            where = np.flatnonzero(np.arange(2**n) & ones == ones)
            step = np.eye(2**n, dtype=complex)
            step[np.ix_(where, where)] = meaning(item.body, n)[np.ix_(where, where)]
        else:
            circuit = QuantumCircuit(n)
            if item.cond != 0:
                put(circuit, item.name, list(item.on), item.angle, item.paulis)
            step = Operator(circuit).data
        total = step @ total
    return total


def build(body: Body, n: int) -> tuple[Circuit, np.ndarray]:
    """The circuit of a program, and which rows are exempt."""
    builder = CircuitBuilder()
    now = [builder.add("alloc", attr=f"q{wire}") for wire in range(n)]
    bits = [builder.add("const", attr=value) for value in (0, 1)]
    exempt = [False] * (n + 2)

    def add(name: str, on: tuple[int, ...], **more: object) -> None:
        first = builder.add(name, [now[wire] for wire in on], **more)  # type: ignore[arg-type]
        for slot, wire in enumerate(on):
            now[wire] = first + slot

    def write(items: Body) -> None:
        for item in items:
            if isinstance(item, Region):
                add("ctrl_begin", item.controls)
                exempt.append(False)
                write(item.body)
                add("ctrl_end", ())
                exempt.append(False)
            else:
                cond = -1 if item.cond is None else bits[item.cond]
                attr = item.paulis or 0
                add(item.name, item.on, cond=cond, angle=item.angle, attr=attr)
                exempt.append(item.exempt)

    write(body)
    return builder.freeze(), np.array(exempt)


def without_regions(body: Body, n: int) -> Circuit:
    """The circuit that `control` makes of a program."""
    before, exempt = build(body, n)
    after = to_circuit(control(to_wires(before), exempt))
    verify(after)
    return after


def run(circuit: Circuit, start: np.ndarray) -> np.ndarray:
    """The state that a circuit makes of one of its first qubits; others must return to |0>."""
    drawn: list[tuple[str, list[int], float, str]] = []
    wire = circuit.wires()
    place: dict[int, int] = {}
    idle: list[int] = []
    n = 0
    bits: dict[int, int] = {}
    for row in range(len(circuit)):
        spec, values = OPS[circuit.op[row]], circuit.values(row)
        first, cond = int(circuit.first[row]), int(circuit.cond[row])
        if spec.name == "alloc":
            n += not idle
            place[int(wire[first])] = idle.pop() if idle else n - 1
        elif spec.name == "free":
            idle.append(place[int(wire[values[0]])])
        elif spec.name == "const":
            bits[first] = int(circuit.attr[row])
        elif cond < 0 or bits[cond]:
            on = [place[int(wire[value])] for value in values]
            paulis = str(circuit.attribute(row)) if spec.name == "ppr" else ""
            drawn.append((spec.name, on, float(circuit.angle[row]), paulis))
    whole = QuantumCircuit(n)
    for gate in drawn:
        put(whole, *gate)
    state = np.zeros(2**n, dtype=complex)
    state[: len(start)] = start
    state = Statevector(state).evolve(whole).data
    assert np.allclose(state[len(start) :], 0), "an ancilla is left in another state"
    return np.array(state[: len(start)])


def assert_means(circuit: Circuit, body: Body, n: int) -> None:
    """A circuit does what a program means, up to a global phase."""
    rng = np.random.default_rng(n)
    start = rng.normal(size=2**n) + 1j * rng.normal(size=2**n)
    start /= np.linalg.norm(start)
    overlap = np.vdot(meaning(body, n) @ start, run(circuit, start))
    assert np.isclose(abs(overlap), 1), f"overlap {abs(overlap)}"


def counts(circuit: Circuit) -> dict[str, int]:
    """How many gates there are of each kind."""
    names = [OPS[code].name for code in circuit.op if OPS[code].is_gate]
    return {name: names.count(name) for name in sorted(set(names))}
