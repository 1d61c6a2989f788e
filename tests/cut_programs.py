"""Programs to cut, and what the uncut ones and their pieces give by Qiskit's state vectors."""

from __future__ import annotations

import functools
import random
from collections import defaultdict

import numpy as np
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, qasm3
from qiskit.quantum_info import Operator, Pauli, Statevector

from qwasmc import reading
from qwasmc.backends.cutting.knit import Outcomes
from qwasmc.backends.cutting.plan import Plan
from qwasmc.commands.cut import circuit_of
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.options import Options, Watch

KEEP = [Operator(np.diag([1, 0])), Operator(np.diag([0, 1]))]
LOWER = Operator(np.array([[0, 1], [0, 0]]))

# -- oracles ---------------------------------------------------------------------------------------


@functools.cache
def exact_outcomes(text: str) -> Outcomes:
    """The distribution of an experiment's bits, by Qiskit."""
    return branched(qasm3.loads(text))


def branched(circuit: QuantumCircuit) -> Outcomes:
    """The distribution of a circuit's bits, with every outcome of each measurement followed."""
    names = [f"{reg.name}[{at}]" for reg in circuit.cregs for at in range(reg.size)]
    branches = {(0,) * len(names): [Statevector.from_int(0, 2**circuit.num_qubits)]}
    for step in circuit.data:
        name = step.operation.name
        qubits = [circuit.find_bit(qubit).index for qubit in step.qubits]
        found = defaultdict(list)
        for bits, states in branches.items():
            if name == "measure":
                at = circuit.find_bit(step.clbits[0]).index
                for value in (0, 1):
                    after = [state.evolve(KEEP[value], qubits) for state in states]
                    found[(*bits[:at], value, *bits[at + 1 :])] += after
            elif name == "if_else":
                bit, value = step.operation.condition
                (only,) = step.operation.blocks[0].data
                taken = bits[circuit.find_bit(bit).index] == value
                found[bits] += [s.evolve(only.operation, qubits) if taken else s for s in states]
            elif name == "reset":
                found[bits] += [s.evolve(op, qubits) for s in states for op in (KEEP[0], LOWER)]
            else:
                found[bits] += [state.evolve(step.operation, qubits) for state in states]
        branches = {
            bits: [s for s in states if weight(s) > 1e-30] for bits, states in found.items()
        }
    weights = np.array([sum(map(weight, states)) for states in branches.values()])
    bits = np.array(list(branches), dtype=np.int64).reshape(len(weights), -1)
    return Outcomes({name: at for at, name in enumerate(names)}, bits, weights)


def weight(state: Statevector) -> float:
    return float(np.linalg.norm(state.data) ** 2)


def exact(plan: Plan) -> dict[str, Outcomes]:
    return {
        each["name"]: exact_outcomes(each["qasm"])
        for piece in plan["pieces"]
        for each in piece["experiments"]
    }


def shots_of(found: Outcomes, shots: int, rng: np.random.Generator) -> Outcomes:
    counts = rng.multinomial(shots, found.weights / found.weights.sum())
    return Outcomes(found.column, found.bits, counts.astype(float))


def expected(circuit: QuantumCircuit, paulis: str) -> float:
    return float(Statevector(circuit).expectation_value(Pauli(paulis[::-1])).real)


def read(text: str, name: str = "program.qwasm") -> Circuit:
    return circuit_of(reading.Source(name, text.encode()), Options(), Watch())[0]


def compiled(circuit: QuantumCircuit) -> Circuit:
    """A circuit that is measured at the end, as our reader has it."""
    return read(qasm3.dumps(circuit.measure_all(inplace=False)), "program.qasm")


# -- programs --------------------------------------------------------------------------------------


def ghz(n: int) -> QuantumCircuit:
    circuit = QuantumCircuit(n)
    circuit.h(0)
    for at in range(n - 1):
        circuit.cx(at, at + 1)
    return circuit


def blocks(gate: str, times: int) -> QuantumCircuit:
    """Two groups of gates that share a wire."""
    circuit = QuantumCircuit(3)
    for pair in [(0, 1)] * times + [(1, 2)] * times:
        circuit.ry(0.4, pair[0])
        circuit.t(pair[1])
        getattr(circuit, gate)(*pair)
        circuit.h(pair[0])
    return circuit


def rotations() -> QuantumCircuit:
    circuit = QuantumCircuit(4)
    for at in range(4):
        circuit.ry(0.3 + at, at)
    circuit.cp(0.7, 0, 1)
    circuit.crz(-1.1, 1, 2)
    circuit.cy(2, 3)
    circuit.rx(0.2, 3)
    return circuit


def scattered(seed: int, qubits: int, gates: int, pairs: int) -> QuantumCircuit:
    """Any gates on one qubit, and a few on two."""
    rng = random.Random(seed)
    circuit = QuantumCircuit(qubits)
    where = [*["two"] * pairs, *["one"] * (gates - pairs)]
    rng.shuffle(where)
    for kind in where:
        a, b = rng.sample(range(qubits), 2)
        if kind == "two":
            getattr(circuit, rng.choice(["cx", "cz", "cy", "swap"]))(a, b)
        elif rng.random() < 0.5:
            getattr(circuit, rng.choice(["h", "s", "t", "sx", "sdg", "x"]))(a)
        else:
            getattr(circuit, rng.choice(["rx", "ry", "rz", "p"]))(rng.uniform(-3, 3), a)
    return circuit


def toffoli() -> QuantumCircuit:
    circuit = QuantumCircuit(4)
    circuit.h([0, 1])
    circuit.ccx(0, 1, 2)
    circuit.ry(0.5, 2)
    circuit.cx(2, 3)
    return circuit


def alternating() -> QuantumCircuit:
    """Cuts of two wires take turns."""
    circuit = QuantumCircuit(6)
    for at in range(6):
        circuit.ry(0.5 + at, at)
    for a, b in [(0, 1), (1, 0), (2, 3), (3, 2), (1, 4), (4, 1), (2, 5), (5, 2)]:
        circuit.cx(a, b)
        circuit.ry(0.3, b)
        circuit.cx(a, b)
    return circuit


PROGRAMS = {
    "bell": (ghz(2), 1),
    "ghz4": (ghz(4), 2),
    "ghz4 alone": (ghz(4), 1),
    "wire": (blocks("cx", 2), 2),
    "wire cz": (blocks("cz", 3), 2),
    "rotations": (rotations(), 2),
    "rotations alone": (rotations(), 1),
    "toffoli": (toffoli(), 3),
    "alternating": (alternating(), 2),
    "idle": (QuantumCircuit(2), 1),
    "uncut": (ghz(3), 3),
    **{f"random {seed}": (scattered(seed, 4, 14, 4), 2) for seed in range(6)},
}


def products(conjunction: bool = False) -> Circuit:
    """A program whose results are products of two Paulis, negations and parities."""
    builder = CircuitBuilder()
    a, b, c = (builder.add("alloc", attr=name) for name in "abc")
    a = builder.add("rx", [a], angle=0.7)
    a = builder.add("cx", [a, b])
    b = builder.add("ry", [a + 1], angle=0.4)
    b = builder.add("cx", [b, c])
    c = builder.add("rx", [b + 1], angle=0.3)
    a = builder.add("ppm", [a, b], attr="XY")
    product = a + 2
    c = builder.add("measure_y", [c])
    a = builder.add("measure_x", [a])
    odd = builder.add("xor", [c + 1, builder.add("const", attr=1)])
    both = builder.add("and" if conjunction else "xor", [product, odd, a + 1])
    for name, bit in (("r0", product), ("r1", odd), ("r2", a + 1), ("r3", both)):
        builder.add("result", [bit], attr=name)
    return builder.freeze()


def measure(circuit: QuantumCircuit, basis: str, qubit: int, bit: int) -> None:
    """Measure in a basis, and leave the qubit in the state that it was found in."""
    change = QuantumCircuit(circuit.num_qubits)
    {"x": change.h, "y": change.sx, "z": change.id}[basis](qubit)
    circuit.compose(change, inplace=True)
    circuit.measure(qubit, bit)
    circuit.compose(change.inverse(), inplace=True)


def random_program(seed: int) -> tuple[Circuit, QuantumCircuit]:
    """Gates, measurements in any basis, Paulis that depend on parities, resets, swaps.

    Both circuits measure the same; the second one's results are the bits of a register `r`.
    """
    rng = random.Random(seed)
    builder = CircuitBuilder()
    n, bits = 3, []
    wires = [builder.add("alloc", attr=f"q{at}") for at in range(n)]
    whole = QuantumCircuit(QuantumRegister(n, "q"), ClassicalRegister(4, "r"))
    done: set[int] = set()

    def one(name: str, at: int, **more) -> None:
        wires[at] = builder.add(name, [wires[at]], **more)

    for _ in range(14):
        free = [at for at in range(n) if at not in done]
        choice = rng.random()
        if done and choice < 0.15:
            at = rng.choice(sorted(done))
            one("reset", at)
            whole.reset(at)
            done.discard(at)
        elif free and bits and choice < 0.35:
            at, some = rng.choice(free), rng.sample(range(len(bits)), rng.randint(1, len(bits)))
            name = rng.choice("xyz")
            one(name, at, cond=builder.add("xor", [bits[each] for each in some]))
            for each in some:
                with whole.if_test((whole.clbits[each], 1)):
                    getattr(whole, name)(at)
        elif free and len(bits) < 4 and choice < 0.5:
            at, basis = rng.choice(free), rng.choice("xyz")
            one(f"measure_{basis}", at)
            bits.append(wires[at] + 1)
            measure(whole, basis, at, len(bits) - 1)
            done.add(at)
        elif len(free) > 1 and choice < 0.7:
            a, b = rng.sample(free, 2)
            name = rng.choice(["cx", "cz"])
            wires[a] = builder.add(name, [wires[a], wires[b]])
            wires[b] = wires[a] + 1
            getattr(whole, name)(a, b)
        elif choice < 0.75:
            a, b = rng.sample(range(n), 2)
            wires[a] = builder.add("swap", [wires[a], wires[b]])
            wires[b] = wires[a] + 1
            whole.swap(a, b)
            done = {{a: b, b: a}.get(at, at) for at in done}
        elif free:
            at, angle = rng.choice(free), rng.uniform(-3, 3)
            name = rng.choice(["rx", "ry"])
            one(name, at, angle=angle)
            getattr(whole, name)(angle, at)
    for at, bit in enumerate(bits or [builder.add("const", attr=0)]):
        builder.add("result", [bit], attr=f"m{at}")
    return builder.freeze(), whole
