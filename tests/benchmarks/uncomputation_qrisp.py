"""Programs of the uncomputation benchmark in Qrisp, as its documentation writes them; prints JSON.

    python uncomputation_qrisp.py PROGRAM ARGUMENTS

`uncomputation.py` runs it with an interpreter that has qrisp 0.9; ARGUMENTS are JSON.  Everything
is by default settings, but where the program's name says otherwise: "mcm" allows measurements in
the middle of the circuit.  Angles that are no multiples of pi/4 count as rotations.
"""

from __future__ import annotations

import json
import math
import sys
import time
from itertools import combinations

from qrisp import (
    QuantumBool,
    QuantumFloat,
    QuantumVariable,
    auto_uncompute,
    control,
    cuccaro_adder,
    gidney_adder,
    mcx,
    ry,
    z,
)


def and_chain(n):
    @auto_uncompute
    def mark(bits):
        product = QuantumBool()
        mcx([bits[0], bits[1]], product)
        for i in range(2, n + 1):
            following = QuantumBool()
            mcx([bits[i], product], following)
            product = following
        z(product)

    bits = QuantumVariable(n + 1)
    mark(bits)
    return bits


def conjunction(n, method):
    bits, target = QuantumVariable(n), QuantumBool()
    mcx(bits, target, method=method)
    return bits


def rotation(n, theta):
    bits, target = QuantumVariable(n), QuantumVariable(1)
    with control(list(bits)):
        ry(theta, target[0])
    return bits


def addition(n, add):
    a, b = QuantumFloat(n), QuantumFloat(n)
    if add is None:
        b += a
    else:
        add(a, b)
    return b


def comparison(n, value):
    x = QuantumFloat(n)
    _flag = x >= value
    return x


def product(n):
    x, y = QuantumFloat(n), QuantumFloat(n)
    _product = x * y
    return x


def weighted(weights):
    bits = QuantumVariable(len(weights))
    total = QuantumFloat(sum(weights).bit_length())
    for i, weight in enumerate(weights):
        with control(bits[i]):
            total += weight
    return bits


def piecewise(n, points, slopes, offsets):
    x, target = QuantumFloat(n), QuantumVariable(1)

    def linear(slope, value):
        ry(value, target[0])
        for i in range(n):
            with control(x[i]):
                ry(slope * 2**i, target[0])

    slope = value = 0.0
    for point, new, offset in zip(points, slopes, offsets, strict=True):
        base = offset - new * point
        if point:
            with x >= point:
                linear(new - slope, base - value)
        else:
            linear(new, base)
        slope, value = new, base
    return x


def polynomial(n, coefficients):
    x, target = QuantumFloat(n), QuantumVariable(1)
    ry(coefficients[0], target[0])
    for size in range(1, min(n, len(coefficients) - 1) + 1):
        for bits in combinations(range(n), size):
            with control([x[i] for i in bits]):
                ry(1.0, target[0])
    return x


PROGRAMS = {
    "and_chain": and_chain,
    "mcx": lambda n: conjunction(n, "auto"),
    "mcx khattar": lambda n: conjunction(n, "khattar"),
    "mcx balauca": lambda n: conjunction(n, "balauca"),
    "mcry": rotation,
    "adder": lambda n: addition(n, None),
    "gidney": lambda n: addition(n, gidney_adder),
    "cuccaro": lambda n: addition(n, cuccaro_adder),
    "comparator": comparison,
    "multiplier": product,
    "weighted_adder": weighted,
    "piecewise_linear": piecewise,
    "polynomial": polynomial,
}


def main() -> None:
    """Build, compile and count one program."""
    name, arguments = sys.argv[1], json.loads(sys.argv[2])
    start = time.process_time()
    variable = PROGRAMS[name.removesuffix(" mcm")](*arguments)
    compiled = variable.qs.compile(compile_mcm=name.endswith(" mcm"))
    seconds = time.process_time() - start
    t = rotations = two = 0
    gates = compiled.transpile().data
    for gate in gates:
        steps = [float(angle) / (math.pi / 4) for angle in gate.op.params]
        generic = any(abs(step - round(step)) > 1e-9 for step in steps)
        rotations += generic
        t += gate.op.name in ("t", "t_dg") or (
            not generic and any(round(step) % 2 for step in steps)
        )
        two += len(gate.qubits) == 2
    counts = {"qubits": compiled.num_qubits(), "gates": len(gates), "two_qubit": two}
    print(json.dumps({**counts, "t": t, "rotations": rotations, "seconds": seconds}))


if __name__ == "__main__":
    main()
