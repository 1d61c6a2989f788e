"""Programs for outputs in other languages, and what their results are there."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path

import statevector
from chi_square import check
from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator

from qwasmc.ir.builder import FunctionBuilder
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.program import Program, Value
from qwasmc.ops import OPS
from qwasmc.options import Options, Watch
from qwasmc.pipeline import load
from qwasmc.reading import read, read_source

EXAMPLES = Path(__file__).parents[1] / "examples"
CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "circuits"

SMALL = (
    *("bell.qwasm", "ghz.qwasm", "library.qwasm", "machine.qwasm", "macros.qwasm", "magic.qwasm"),
    *("repetition.qwasm", "teleport.qwasm", "subroutine.qwasm", "bell.ll", "teleport.ll"),
    *("repeat.ll", "adder.qasm", "grover.qasm", "teleport.qvm.json", "ghz.stim"),
)
"""Examples that a state vector holds."""

LOOPS = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'
"""How the texts of `TEXTS` begin."""

TEXTS = {
    "until": "qubit q; bit c; h q; c = measure q; while (c) { h q; c = measure q; } x q; "
    "bit last; last = measure q;",
    "tries": "qubit[2] q; bit[2] c; ry(1) q[0]; c = measure q; "
    "while (c == 1) { reset q[0]; rx(0.9) q[0]; cx q[0], q[1]; c = measure q; }",
    "nested": "qubit[2] q; bit[2] c; h q; c = measure q; "
    "if (c[0]) { h q[1]; c[1] = measure q[1]; if (c[1]) { x q[0]; } else { h q[0]; } } "
    "else { t q[1]; h q[1]; } c[0] = measure q[0];",
    "breaks": "qubit[2] q; bit[2] c; for int i in [0:2] { h q[0]; c[0] = measure q[0]; "
    "if (c[0]) { break; } ry(0.4) q[1]; } c[1] = measure q[1];",
    "continues": "qubit[2] q; bit[2] c; for int i in [0:2] { h q[0]; c[0] = measure q[0]; "
    "if (c[0]) { continue; } ry(0.8) q[1]; } c[1] = measure q[1];",
    "whiles": "qubit[2] q; bit[3] c; h q; c[0:1] = measure q; while (c[0]) { "
    "while (c[1]) { h q[1]; c[1] = measure q[1]; if (c == 2) { break; } } "
    "reset q[0]; h q[0]; c[0] = measure q[0]; h q[1]; c[1] = measure q[1]; } "
    "c[2] = measure q[1];",
}
"""Programs in OpenQASM 3 whose control flow depends on what is measured."""

KNOWN = 0.9
"""Least probability of what is known of a distribution."""

Distribution = dict[Hashable, float]
"""By tuple of names and values, the probability."""


def program(path: Path) -> Program | Circuit:
    """The program in a file, with values in place of memory."""
    found = read(read_source(str(path)), Options(), Watch())
    return load("qwasmc.passes.promote:promote")(found) if isinstance(found, Program) else found


def circuit(ir: Program | Circuit) -> Circuit:
    """A program as a straight line."""
    if isinstance(ir, Program):
        ir = load("qwasmc.passes.specialise:specialise")(ir)
    return load("qwasmc.passes.uncompute:uncompute")(ir)


def sizes(found: Circuit) -> list[tuple[str, int]]:
    """The results of a circuit, each with the number of its bits."""
    return [
        (str(found.attribute(row)), len(found.values(row)))
        for row, code in enumerate(found.op.tolist())
        if OPS[code].name.startswith("result")
    ]


def exact(found: Circuit) -> Distribution:
    """The distribution of the results of a circuit, as unsigned numbers."""
    total: Distribution = defaultdict(float)
    for bits, p in statevector.distribution(found).items():
        values, left = [], list(bits)
        for name, size in sizes(found):
            values.append((name, sum(bit << at for at, bit in enumerate(left[:size]))))
            left = left[size:]
        total[tuple(values)] += p
    return dict(total)


def values(made: QuantumCircuit, bits: Sequence[int], names: Iterable[str]) -> Hashable:
    """Results by name, given the clbits of a circuit."""
    registers = {
        register.name: [int(bits[made.find_bit(bit).index]) for bit in register]
        for register in made.cregs
    }
    return tuple((name, _value(registers, name)) for name in names)


def _value(registers: Mapping[str, Sequence[int]], name: str) -> int:
    """The register of this name, that of its element, or those of its bits."""
    if name in registers:
        return sum(bit << at for at, bit in enumerate(registers[name]))
    if match := re.fullmatch(r"(.+)\[(\d+)\]", name):
        base, at = match[1], int(match[2])
        return registers[base][at] if base in registers else registers[f"{base}_{at}"][0]
    parts = [
        registers[f"{name}_{at}"][0] for at in range(len(registers)) if f"{name}_{at}" in registers
    ]
    assert parts, name
    return sum(bit << at for at, bit in enumerate(parts))


def by_result(
    made: QuantumCircuit, found: Mapping[Hashable, float], names: Sequence[str]
) -> Distribution:
    """The distribution of results, given that of all clbits."""
    total: Distribution = defaultdict(float)
    for bits, p in found.items():
        total[values(made, bits, names)] += p
    return dict(total)


def run_aer(made: QuantumCircuit, names: Sequence[str], shots: int = 1000) -> Counter[Hashable]:
    """How often Aer sees which results."""
    simulator = AerSimulator(method="statevector", fusion_enable=False)
    result = simulator.run(made, shots=shots, seed_simulator=11).result()
    assert result.success, result.status
    seen: Counter[Hashable] = Counter()
    for key, times in result.get_counts().items():
        bits = [int(bit) for bit in reversed(key.replace(" ", ""))]
        seen[values(made, bits, names)] += times
    return seen


def check_most(counts: Mapping[Hashable, int], wanted: Mapping[Hashable, float]) -> None:
    """`check`, where improbable runs are missing from the distribution."""
    known = min(1.0, sum(wanted.values()))
    assert known > KNOWN
    shots = sum(counts.values())
    seen = {key: times for key, times in counts.items() if key in wanted}
    assert shots - sum(seen.values()) <= 3 + shots * (1 - known) + 5 * (shots * (1 - known)) ** 0.5
    check(seen, {key: p / known for key, p in wanted.items()})


def coin(build: FunctionBuilder) -> Value:
    """A random bit, measured on qubit 0."""
    build.gate("h", [0])
    return build.measure("measure_z", [0])


def main() -> FunctionBuilder:
    """A program with one qubit, to be written."""
    build = FunctionBuilder("main")
    build.alloc(0, "q")
    return build
