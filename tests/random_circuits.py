"""Seeded random Clifford and T circuits with measurements and feed-forward, as Circuit IR."""

from __future__ import annotations

import numpy as np

from qwasmc.ir.circuit import Circuit, CircuitBuilder

ONE_QUBIT = ("h", "s", "sdg", "x", "y", "z", "sx", "sxdg")
TWO_QUBIT = ("cx", "cy", "cz", "swap")
MEASUREMENTS = ("measure_z", "measure_x", "measure_y")


def random_clifford(
    seed: int, max_qubits: int = 6, max_gates: int = 40, renew: float = 0.0
) -> Circuit:
    """Gates, mid-circuit measurements, resets, Pauli products, predicated Paulis, results.

    With probability `renew` after each, a qubit is freed and a new one takes its place.
    """
    rng = np.random.default_rng(seed)
    builder = CircuitBuilder()
    n = int(rng.integers(1, max_qubits + 1))
    wires = [builder.add("alloc", attr=f"q{i}") for i in range(n)]
    bits: list[int] = []
    for _ in range(int(rng.integers(1, max_gates + 1))):
        add_random_op(builder, rng, wires, bits)
        if rng.random() < renew:
            at = int(rng.integers(len(wires)))
            builder.add("free", [wires[at]])
            wires[at] = builder.add("alloc", attr=f"new{len(builder.op)}")
    for i, bit in enumerate(bits):
        builder.add("result", [bit], attr=f"m{i}")
    return builder.freeze()


def random_guarded(seed: int, max_qubits: int = 4, max_gates: int = 16) -> Circuit:
    """The same with T gates, and conjunctions of any bits for Paulis to depend on."""
    rng = np.random.default_rng(seed)
    builder = CircuitBuilder()
    wires = [
        builder.add("alloc", attr=f"q{i}") for i in range(int(rng.integers(1, max_qubits + 1)))
    ]
    wires[0] = builder.add("measure_x", [wires[0]])
    bits = [wires[0] + 1]
    for _ in range(int(rng.integers(1, max_gates + 1))):
        add_random_op(builder, rng, wires, bits)
        at = int(rng.integers(len(wires)))
        if rng.random() < 0.3:
            guards = [int(bit) for bit in rng.choice(bits, size=2)]
            if rng.random() < 0.5:
                guards[0] = builder.add("xor", [guards[0], builder.add("const", attr=1)])
            bits.append(builder.add("and", guards))
            name = str(rng.choice(["x", "y", "z"]))
            wires[at] = builder.add(name, [wires[at]], cond=bits[-1])
        elif rng.random() < 0.1:
            wires[at] = builder.add(str(rng.choice(["t", "tdg"])), [wires[at]])
    for i, bit in enumerate(bit for bit in bits if rng.random() < 0.8):
        builder.add("result", [bit], attr=f"m{i}")
    return builder.freeze()


def random_products(seed: int, max_qubits: int = 6) -> Circuit:
    """Hadamards here and there, then Pauli products of any letters; all outcomes are results."""
    rng = np.random.default_rng(seed)
    builder = CircuitBuilder()
    wires = [
        builder.add("alloc", attr=f"q{i}") for i in range(int(rng.integers(1, max_qubits + 1)))
    ]
    for number in range(int(rng.integers(1, 4))):
        for q in np.flatnonzero(rng.random(len(wires)) < 0.5).tolist():
            wires[q] = builder.add("h", [wires[q]])
        some = rng.permutation(len(wires))[: int(rng.integers(1, len(wires) + 1))].tolist()
        letters = "".join(rng.choice(list("XYZ"), size=len(some)).tolist())
        first = builder.add("ppm", [wires[q] for q in some], attr=letters)
        for slot, q in enumerate(some):
            wires[q] = first + slot
        builder.add("result", [first + len(some)], attr=f"m{number}")
    return builder.freeze()


def add_random_op(
    builder: CircuitBuilder, rng: np.random.Generator, wires: list[int], bits: list[int]
) -> None:
    """Append one operation and update the current qubit values and bits in place."""
    kind = rng.choice(["one", "two", "measure", "pauli", "ppm", "reset", "xor"], p=P_KIND)
    chosen = rng.permutation(len(wires)).tolist()
    a = chosen[0]
    if kind == "two" and len(wires) > 1:
        first = builder.add(str(rng.choice(TWO_QUBIT)), [wires[a], wires[chosen[1]]])
        wires[a], wires[chosen[1]] = first, first + 1
    elif kind == "measure":
        wires[a] = builder.add(str(rng.choice(MEASUREMENTS)), [wires[a]])
        bits.append(wires[a] + 1)
    elif kind == "pauli" and bits:
        cond = int(rng.choice(bits))
        wires[a] = builder.add(str(rng.choice(["x", "y", "z"])), [wires[a]], cond=cond)
    elif kind == "ppm":
        some = chosen[: int(rng.integers(1, len(wires) + 1))]
        letters = "".join(rng.choice(list("XYZ"), size=len(some)).tolist())
        first = builder.add("ppm", [wires[q] for q in some], attr=letters)
        for slot, q in enumerate(some):
            wires[q] = first + slot
        bits.append(first + len(some))
    elif kind == "reset":
        wires[a] = builder.add("reset", [wires[a]])
    elif kind == "xor" and len(bits) > 1:
        bits.append(builder.add("xor", [int(b) for b in rng.choice(bits, size=2, replace=False)]))
    else:
        wires[a] = builder.add(str(rng.choice(ONE_QUBIT)), [wires[a]])


P_KIND = (0.35, 0.3, 0.1, 0.1, 0.05, 0.03, 0.07)
