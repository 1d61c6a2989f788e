"""Generated circuits to learn from, beside those of a user, as OpenQASM 2.

Of each family there are `SIZES`, drawn from a seed: random Clifford and T gates, phase polynomials,
ripple-carry adders, approximate Fourier transforms, Trotter steps, parity checks, teleportation,
and random gates that are measured in the end.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np

SIZES = range(4)

Lines = list[str]
"""Statements on the qubits q[0], q[1], ... and the bits c[0], c[1], ..."""

ONE_QUBIT = ("h", "s", "sdg", "t", "tdg", "x", "z")


def families(seed: int) -> Iterator[tuple[str, str]]:
    """Name and text of each program."""
    for number, (name, make) in enumerate(FAMILIES.items()):
        for size in SIZES:
            rng = np.random.default_rng([seed, number, size])
            n, bits, lines = make(size, rng)
            head = ["OPENQASM 2.0", 'include "qelib1.inc"', f"qreg q[{n}]"]
            head += [f"creg c{bit}[1]" for bit in range(bits)]  # a condition is on a whole register
            yield f"{name}-{seed}-{size}", "".join(f"{line};\n" for line in [*head, *lines])


def _clifford_t(size: int, rng: np.random.Generator) -> tuple[int, int, Lines]:
    """Random gates."""
    n = 3 + 2 * size
    lines = []
    for _ in range(40 * n):
        a, b = rng.permutation(n)[:2]
        if rng.random() < 0.4:
            lines.append(f"{'cx' if rng.random() < 0.7 else 'cz'} q[{a}],q[{b}]")
        else:
            lines.append(f"{ONE_QUBIT[rng.integers(len(ONE_QUBIT))]} q[{a}]")
    return n, 0, lines


def _phases(size: int, rng: np.random.Generator) -> tuple[int, int, Lines]:
    """Rotations about random parities, between layers of Hadamards."""
    n = 4 + size
    lines = []
    for _ in range(2 + size):
        for _ in range(3 * n):
            qubits = rng.permutation(n)[: rng.integers(2, n)].tolist()
            ladder = [f"cx q[{a}],q[{b}]" for a, b in itertools.pairwise(qubits)]
            lines += [*ladder, f"t q[{qubits[-1]}]", *reversed(ladder)]
        lines += [f"h q[{a}]" for a in rng.permutation(n)[: n // 2]]
    return n, 0, lines


def _adder(size: int, rng: np.random.Generator) -> tuple[int, int, Lines]:
    """b += a (Cuccaro et al., quant-ph/0410184, section 2), some times over."""
    n = 2 + 2 * size
    a, b = [f"q[{1 + 2 * i}]" for i in range(n)], [f"q[{2 + 2 * i}]" for i in range(n)]
    carries = ["q[0]", *a]
    lines = []
    for _ in range(rng.integers(1, 3)):
        for i in range(n):
            lines += [f"cx {a[i]},{b[i]}", f"cx {a[i]},{carries[i]}"]
            lines += [f"ccx {carries[i]},{b[i]},{a[i]}"]
        lines.append(f"cx {a[-1]},q[{2 * n + 1}]")
        for i in reversed(range(n)):
            lines += [f"ccx {carries[i]},{b[i]},{a[i]}", f"cx {a[i]},{carries[i]}"]
            lines += [f"cx {carries[i]},{b[i]}"]
    return 2 * n + 2, 0, lines


def _fourier(size: int, rng: np.random.Generator) -> tuple[int, int, Lines]:
    """A Fourier transform without its small angles, on qubits in a random order."""
    n = 4 + 3 * size
    order = rng.permutation(n)
    lines = []
    for i in range(n):
        lines.append(f"h q[{order[i]}]")
        for j in range(i + 1, min(i + 3, n)):
            lines.append(f"cu1(pi/{2 ** (j - i)}) q[{order[j]}],q[{order[i]}]")
    return n, 0, lines


def _trotter(size: int, rng: np.random.Generator) -> tuple[int, int, Lines]:
    """Steps of a Heisenberg model with angles of pi/4, on a ring with some chords."""
    n = 4 + 2 * size
    pairs = [(i, (i + 1) % n) for i in range(n)]
    pairs += [tuple(rng.permutation(n)[:2].tolist()) for _ in range(n // 2)]
    lines = []
    for _ in range(2):
        for a, b in pairs:
            for before, after in ((), ()), (("h",), ("h",)), (("sdg", "h"), ("h", "s")):
                lines += [f"{gate} q[{each}]" for each in (a, b) for gate in before]
                lines += [f"cx q[{a}],q[{b}]", f"t q[{b}]", f"cx q[{a}],q[{b}]"]
                lines += [f"{gate} q[{each}]" for each in (a, b) for gate in after]
    return n, 0, lines


def _parities(size: int, rng: np.random.Generator) -> tuple[int, int, Lines]:
    """Parities of neighbours, measured by way of one further qubit each, in Z and in X."""
    n = 3 + 2 * size
    lines = [f"{('h', 't', 's')[rng.integers(3)]} q[{rng.integers(n)}]" for _ in range(3 * n)]
    bit = 0
    for i in range(n - 1):
        extra = n + i
        if rng.random() < 0.5:
            lines += [f"cx q[{i}],q[{extra}]", f"cx q[{i + 1}],q[{extra}]"]
        else:
            lines += [f"h q[{extra}]", f"cx q[{extra}],q[{i}]", f"cx q[{extra}],q[{i + 1}]"]
            lines += [f"h q[{extra}]"]
        lines.append(f"measure q[{extra}] -> c{bit}[0]")
        bit += 1
    lines += [f"{('h', 't', 's')[rng.integers(3)]} q[{rng.integers(n)}]" for _ in range(3 * n)]
    for i in range(n):
        lines.append(f"measure q[{i}] -> c{bit}[0]")
        bit += 1
    return 2 * n - 1, bit, lines


def _sampled(size: int, rng: np.random.Generator) -> tuple[int, int, Lines]:
    """Random gates, half of them on two qubits, before all qubits are measured."""
    n = 4 + 3 * size
    lines = []
    for _ in range(8 * n):
        a, b = rng.permutation(n)[:2]
        if rng.random() < 0.5:
            lines.append(f"{'cx' if rng.random() < 0.7 else 'cz'} q[{a}],q[{b}]")
        else:
            lines.append(f"{ONE_QUBIT[rng.integers(len(ONE_QUBIT))]} q[{a}]")
    lines += [f"measure q[{i}] -> c{i}[0]" for i in range(n)]
    return n, n, lines


def _teleported(size: int, rng: np.random.Generator) -> tuple[int, int, Lines]:
    """A qubit that is teleported along a chain, with a gate at each place."""
    n = 5 + 4 * size
    lines = ["h q[0]", "t q[0]"]
    bit = 0
    for i in range(0, n - 2, 2):
        lines += [f"h q[{i + 1}]", f"cx q[{i + 1}],q[{i + 2}]", f"cx q[{i}],q[{i + 1}]"]
        lines += [f"h q[{i}]", f"measure q[{i}] -> c{bit}[0]"]
        lines += [f"measure q[{i + 1}] -> c{bit + 1}[0]"]
        lines += [f"if(c{bit + 1}==1) x q[{i + 2}]", f"if(c{bit}==1) z q[{i + 2}]"]
        lines.append(f"{('h', 't', 's')[rng.integers(3)]} q[{i + 2}]")
        bit += 2
    lines.append(f"measure q[{n - 1}] -> c{bit}[0]")
    return n, bit + 1, lines


FAMILIES: dict[str, Callable[[int, np.random.Generator], tuple[int, int, Lines]]] = {
    "clifford-t": _clifford_t,
    "phases": _phases,
    "adder": _adder,
    "fourier": _fourier,
    "trotter": _trotter,
    "parities": _parities,
    "teleported": _teleported,
    "sampled": _sampled,
}
