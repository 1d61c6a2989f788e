"""Random circuits in which any gate, measurement or reset may depend on any earlier bit."""

from __future__ import annotations

import math
from random import Random

from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ops import BY_NAME, OPS, OpSpec

GATES = tuple(spec.name for spec in OPS if spec.is_gate)
CLIFFORD_GATES = tuple(spec.name for spec in OPS if spec.is_gate and (spec.stim or spec.angle))
"""Some of them at Clifford angles only."""

MEASUREMENTS = ("measure_z", "measure_x", "measure_y", "ppm")
BITS = ("xor", "and", "const")
MAX_WIRES = 6


def random_circuit(rng: Random, rows: int = 16, *, clifford: bool = False) -> Circuit:
    """A closed circuit with a result for every bit, and one for each qubit that is left.

    It frees qubits and allocates new ones, MAX_WIRES in all.
    """
    builder = CircuitBuilder()
    live = [builder.add("alloc", attr=f"q{number}") for number in range(3)]
    wires = 3
    bits: list[int] = []
    for number in range(rows):
        kinds = [CLIFFORD_GATES if clifford else GATES] * 5 + [MEASUREMENTS] * 3
        kinds += [("reset", "barrier")]
        kinds += [BITS] * 3 if bits else []
        kinds += [("free",)] if len(live) > 1 else []
        kinds += [("alloc",)] if wires < MAX_WIRES else []
        able = [name for name in rng.choice(kinds) if BY_NAME[name].qubits <= len(live)]
        spec = BY_NAME[rng.choice(able or ["h"])]
        qubits = taken(rng, live, spec)
        count = rng.randint(0, 3) if spec.bits else 0
        cond = -1
        if bits and spec.may_be_predicated and rng.random() < 0.6:
            cond = rng.choice(bits)
        first = builder.add(
            spec.name,
            qubits + [rng.choice(bits) for _ in range(count)],
            cond=cond,
            angle=angle(rng, spec, clifford),
            attr=attribute(rng, spec, len(qubits), number),
        )
        made = spec.made_qubits(len(qubits))
        wires += spec.makes_qubit
        live += range(first, first + made)
        if spec.makes_bit:
            bits.append(first + made)
            builder.add("result", [first + made], attr=f"b{number}")
    builder.add("result_int", bits, attr="all")
    for value in live:
        builder.add("result", [builder.add("measure_x", [value]) + 1], attr=f"q{value}")
    return builder.freeze()


def attribute(rng: Random, spec: OpSpec, qubits: int, number: int) -> int | str:
    if spec.attr == "paulis":
        return "".join(rng.choice("IXYZ") for _ in range(qubits))
    return {"name": f"q{number}", "value": rng.randint(0, 1)}.get(spec.attr, 0)


def taken(rng: Random, live: list[int], spec: OpSpec) -> list[int]:
    """The qubits of an operation, taken out of `live`."""
    found = rng.sample(live, rng.randint(1, len(live)) if spec.qubits < 0 else spec.qubits)
    for value in found:
        live.remove(value)
    return found


def angle(rng: Random, spec: OpSpec, clifford: bool) -> float:
    if not spec.angle:
        return 0.0
    if clifford:
        return rng.randint(-9, 9) * (math.pi if spec.name in ("cp", "crz") else math.pi / 2)
    return rng.choice([rng.uniform(-7, 7), rng.randint(-9, 9) * math.pi / 4])
