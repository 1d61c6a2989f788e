"""Programs with scratch qubits, in QWASM: those that Unqomp and Reqomp are measured on, and adders.

Each function writes one program as a user would: values are computed into scratch qubits of a
reversible segment, something acts on them, and `UNCOMPUTE` undoes the segment.  No program undoes
anything by hand.  Registers are named x, y, a, b; x0 is the least significant bit of x.  Scratch
qubits are c (carries), d (an addend), p (products) and `flag`.

The programs compute what those of Unqomp (Paradis et al., PLDI 2021) and Reqomp (arXiv:2212.10395)
compute.  Where these follow Qiskit's library in products that are not needed, it is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations

REGISTERS = """
; The qubits {name}{first} to {name}{last}
.macro REGISTER(name, first, last)
    ALLOC_LQ n={last - first + 1} -> {", ".join(["{name}{i}" for i in first..last])} [CAP_ALLOC]
.endmacro
"""

ADDITION = """
; The carry out of a + b + carry with one product: next = (a ^ carry)(b ^ carry) ^ carry
.macro MAJORITY(a, b, carry, next)
    QLCNOT {carry}, {a}
    QLCNOT {carry}, {b}
    QLCCX {a}, {b}, {next}
    QLCNOT {carry}, {next}
    QLCNOT {carry}, {a}
    QLCNOT {carry}, {b}
.endmacro

; b += a modulo 2^len(b); `carries` are scratch, one less than there are bits
.macro ADD(name, a, b, carries)
    REV_BEGIN {name}, {", ".join(carries)}
    QLCCX {a[0]}, {b[0]}, {carries[0]}
    .for i in 1..len(b)-2
        MAJORITY({a[i]}, {b[i]}, {carries[i-1]}, {carries[i]})
    .endfor
    REV_END
    .for i in 0..len(b)-1
        QLCNOT {a[i]}, {b[i]}
    .endfor
    .for i in 1..len(b)-1
        QLCNOT {carries[i-1]}, {b[i]}
    .endfor
    UNCOMPUTE {name}
.endmacro
"""

COMPARISON = """
; Whether a or b, onto a target
.macro OR(a, b, target)
    QLX {a}
    QLX {b}
    QLCCX {a}, {b}, {target}
    QLX {target}
    QLX {a}
    QLX {b}
.endmacro

; The carry of x + m out of bit i, from that into it, c{i}
.macro CARRY(m, i, target)
    .if m // 2**i % 2
        OR(x{i}, c{i}, {target})
    .else
        QLCCX x{i}, c{i}, {target}
    .endif
.endmacro

; c1 to c{n-1}: the carries of x + m into bits 1 to n - 1
.macro CARRIES(m, n)
    .if m % 2
        QLCNOT x0, c1
    .endif
    .for i in 1..n-2
        CARRY(m, i, c{i+1})
    .endfor
.endmacro
"""

PRODUCTS = """
; p1 = all of the first two controls, p2 = all of the first three, and so on up to `last`
.macro PRODUCTS(controls, last)
    QLCCX {controls[0]}, {controls[1]}, p1
    .for i in 2..last
        QLCCX {controls[i]}, p{i-1}, p{i}
    .endfor
.endmacro

; Flips the target if all controls, three or more, are 1
.macro MCX(name, controls, target)
    .set last = len(controls) - 2
    REV_BEGIN {name}, {", ".join(["p{i}" for i in 1..last])}
    PRODUCTS(controls, last)
    REV_END
    QLCCX {controls[last+1]}, p{last}, {target}
    UNCOMPUTE {name}
.endmacro

; RY(theta) on the target if all controls, two or more, are 1
.macro MCRY(name, controls, target, theta)
    .set last = len(controls) - 1
    REV_BEGIN {name}, {", ".join(["p{i}" for i in 1..last])}
    PRODUCTS(controls, last)
    REV_END
    APPLY_CONTROLLED p{last}, {target}, gate="RY", theta={theta}
    UNCOMPUTE {name}
.endmacro
"""


def _program(text: str, *macros: str, **values: int | float) -> str:
    """A whole program: the macros it needs, variables and their values, and its text."""
    settings = [f".set {name} = {value!r}\n" for name, value in values.items()]
    head = ".version 0.1\n.caps CAP_ALLOC\n"
    return "".join([head, REGISTERS, *macros, "\n", *settings, text.lstrip("\n")])


def adder(n: int) -> str:
    """b += a modulo 2^n, n >= 3, with two products for each carry.

    The carries are those of Vedral, Barenco and Ekert (PRA 54, 147), which Unqomp and Reqomp have.
    """
    text = """
REGISTER(a, 0, {n-1})
REGISTER(b, 0, {n-1})
REGISTER(c, 1, {n-1})
REV_BEGIN carries, {", ".join(["c{i}" for i in 1..n-1])}
QLCCX a0, b0, c1
.for i in 1..n-2
    QLCCX a{i}, b{i}, c{i+1}
    QLCNOT a{i}, b{i}
    QLCCX c{i}, b{i}, c{i+1}
    QLCNOT a{i}, b{i}
.endfor
REV_END
QLCNOT a0, b0
.for i in 1..n-1
    QLCNOT a{i}, b{i}
    QLCNOT c{i}, b{i}
.endfor
UNCOMPUTE carries
"""
    return _program(text, n=n)


def gidney(n: int) -> str:
    """b += a modulo 2^n, n >= 2, with one product for each carry (Gidney, arXiv:1709.06648)."""
    text = """
REGISTER(a, 0, {n-1})
REGISTER(b, 0, {n-1})
REGISTER(c, 1, {n-1})
ADD(carries, ["a{i}" for i in 0..n-1], ["b{i}" for i in 0..n-1], ["c{i}" for i in 1..n-1])
"""
    return _program(text, ADDITION, n=n)


def cuccaro(n: int) -> str:
    """b += a modulo 2^n with one ancilla and the carries in a (arXiv:quant-ph/0410184).

    It has nothing to uncompute: the carries are undone where they stand, as part of the sum.
    """
    text = """
.include "adders.qwasm"
REGISTER(a, 0, {n-1})
REGISTER(b, 0, {n-1})
REGISTER(c, 0, 0)
CUCCARO_ADD(c0, ["a{i}" for i in 0..n-1], ["b{i}" for i in 0..n-1])
QLFREE c0
"""
    return _program(text, n=n)


def comparator(n: int, value: int) -> str:
    """y ^= (x >= value), by the carry of x + 2^n - value, for n >= 3 and 0 < value < 2^n."""
    text = """
REGISTER(x, 0, {n-1})
REGISTER(y, 0, 0)
REGISTER(c, 1, {n-1})
REV_BEGIN carries, {", ".join(["c{i}" for i in 1..n-1])}
CARRIES(m, n)
REV_END
CARRY(m, {n-1}, y0)
UNCOMPUTE carries
"""
    return _program(text, COMPARISON, n=n, m=2**n - value)


def and_chain(n: int) -> str:
    """The sign of |1...1> of n + 1 qubits, n >= 2, by n products."""
    text = """
REGISTER(x, 0, {n})
REGISTER(p, 1, {n})
REV_BEGIN all, {", ".join(["p{i}" for i in 1..n])}
PRODUCTS(["x{i}" for i in 0..n], n)
REV_END
QLZ p{n}
UNCOMPUTE all
"""
    return _program(text, PRODUCTS, n=n)


def mcx(n: int) -> str:
    """y ^= x0 & ... & x(n-1), n >= 3."""
    text = """
REGISTER(x, 0, {n-1})
REGISTER(y, 0, 0)
REGISTER(p, 1, {n-2})
MCX(all, ["x{i}" for i in 0..n-1], y0)
"""
    return _program(text, PRODUCTS, n=n)


def mcry(n: int, theta: float) -> str:
    """RY(theta) on y if x0 & ... & x(n-1), n >= 2."""
    text = """
REGISTER(x, 0, {n-1})
REGISTER(y, 0, 0)
REGISTER(p, 1, {n-1})
MCRY(all, ["x{i}" for i in 0..n-1], y0, theta)
"""
    return _program(text, PRODUCTS, n=n, theta=theta)


def deutsch_jozsa(n: int) -> str:
    """The algorithm of Deutsch and Jozsa on the conjunction of n >= 3 bits: H, the oracle, H."""
    text = """
REGISTER(x, 0, {n-1})
REGISTER(y, 0, 0)
REGISTER(p, 1, {n-2})
.for i in 0..n-1
    QLH x{i}
.endfor
QLX y0
QLH y0
MCX(oracle, ["x{i}" for i in 0..n-1], y0)
.for i in 0..n-1
    QLH x{i}
.endfor
"""
    return _program(text, PRODUCTS, n=n)


def grover(n: int, iterations: int) -> str:
    """Search for |1...1> of n >= 4 qubits, with y in |-> for the sign."""
    text = """
REGISTER(x, 0, {n-1})
REGISTER(y, 0, 0)
REGISTER(p, 1, {n-2})
.set bits = ["x{i}" for i in 0..n-1]
QLX y0
QLH y0
.for bit in bits
    QLH {bit}
.endfor
.for k in 1..iterations
    MCX(oracle{k}, bits, y0)
    .for bit in bits
        QLH {bit}
        QLX {bit}
    .endfor
    QLH x{n-1}
    MCX(diffusion{k}, ["x{i}" for i in 0..n-2], x{n-1})
    QLH x{n-1}
    .for bit in bits
        QLX {bit}
        QLH {bit}
    .endfor
.endfor
"""
    return _program(text, PRODUCTS, n=n, iterations=iterations)


def multiplier(n: int) -> str:
    """b += x y modulo 2^n, n >= 3: for each bit of x an addend, and an addition inside.

    The addend of bit i has n - i bits; Unqomp and Reqomp add n bits, of which i are zero, and have
    two products for each carry.
    """
    text = """
REGISTER(x, 0, {n-1})
REGISTER(y, 0, {n-1})
REGISTER(b, 0, {n-1})
REGISTER(d, 0, {n-1})
REGISTER(c, 1, {n-1})
.for i in 0..n-2
    .set addend = ["d{j}" for j in i..n-1]
    REV_BEGIN addend{i}, {", ".join(addend)}
    .for j in i..n-1
        QLCCX x{i}, y{j-i}, d{j}
    .endfor
    REV_END
    ADD(carries{i}, addend, ["b{j}" for j in i..n-1], ["c{j}" for j in i+1..n-1])
    UNCOMPUTE addend{i}
.endfor
QLCCX x{n-1}, y0, b{n-1}
"""
    return _program(text, ADDITION, n=n)


def weighted_adder(weights: Sequence[int]) -> str:
    """b += sum of weights[i] x_i modulo 2^m, with m > 1 the bits that the sum of all weights has.

    For each bit of x that has a weight the carries of b plus the weight, with a product each.
    Unqomp and Reqomp follow Qiskit's `WeightedAdder`, in which x_i controls each step once more.
    """
    m = sum(weights).bit_length()
    lines = [f"REGISTER(x, 0, {len(weights) - 1})", f"REGISTER(b, 0, {m - 1})"]
    lines += [f"REGISTER(c, 1, {m - 1})"]
    for at, weight in enumerate(weights):
        if weight:
            lines += _add_weight(f"x{at}", weight, m, f"carries{at}")
    return _program("\n".join([*lines, ""]), ADDITION)


def _add_weight(bit: str, weight: int, m: int, name: str) -> list[str]:
    """The lines that add a weight to the m bits of b if `bit` is 1."""
    low = (weight & -weight).bit_length() - 1
    if low == m - 1:
        return [f"QLCNOT {bit}, b{low}"]
    lines = [f"REV_BEGIN {name}, " + ", ".join(f"c{j}" for j in range(low + 1, m))]
    for j in range(low, m - 1):
        if j == low:
            lines.append(f"QLCCX {bit}, b{j}, c{j + 1}")
        elif weight >> j & 1:
            lines.append(f"MAJORITY({bit}, b{j}, c{j}, c{j + 1})")
        else:
            lines.append(f"QLCCX b{j}, c{j}, c{j + 1}")
    lines.append("REV_END")
    lines += [f"QLCNOT {bit}, b{j}" for j in range(low, m) if weight >> j & 1]
    lines += [f"QLCNOT c{j}, b{j}" for j in range(low + 1, m)]
    return [*lines, f"UNCOMPUTE {name}"]


def piecewise_linear(
    n: int, breakpoints: Sequence[int], slopes: Sequence[float], offsets: Sequence[float]
) -> str:
    """RY(slopes[k] (x - breakpoints[k]) + offsets[k]) on y, k the last with breakpoints[k] <= x.

    Where x is below all breakpoints, nothing.  For each of them a comparison of x (n >= 3 bits);
    under its result, what the function changes by there.
    """
    lines = ["REGISTER(x, 0, {n-1})", "REGISTER(y, 0, 0)"]
    lines += ["REGISTER(c, 1, {n-1})", "REGISTER(flag, 0, 0)"]
    slope = value = 0.0
    for k, point in enumerate(breakpoints):
        steeper = slopes[k] - slope
        higher = offsets[k] - slopes[k] * point - value
        slope, value = slope + steeper, value + higher
        rotations = [f"QLRY y0, {higher!r}"] + [
            f'APPLY_CONTROLLED x{i}, y0, gate="RY", theta={steeper * 2**i!r}' for i in range(n)
        ]
        lines += _from(k, 2**n - point, n, rotations) if point else rotations
    return _program("\n".join([*lines, ""]), COMPARISON, n=n)


def _from(k: int, m: int, n: int, rotations: Sequence[str]) -> list[str]:
    """The lines that do something where x + m >= 2^n."""
    scratch = ", ".join([*(f"c{i}" for i in range(1, n)), "flag0"])
    return [
        f".set m = {m}",
        f"REV_BEGIN reached{k}, {scratch}",
        "CARRIES(m, n)",
        "CARRY(m, {n-1}, flag0)",
        "REV_END",
        "CTRL_BEGIN flag0",
        *rotations,
        "CTRL_END",
        f"UNCOMPUTE reached{k}",
    ]


def polynomial(n: int, coefficients: Sequence[int | Fraction]) -> str:
    """RY(sum of coefficients[k] x^k) on y, for n >= 2 bits: a rotation for each product of bits."""
    degree = min(n, len(coefficients) - 1)
    lines = ["REGISTER(x, 0, {n-1})", "REGISTER(y, 0, 0)", f"REGISTER(p, 1, {max(1, degree - 1)})"]
    lines += [f"QLRY y0, {float(coefficients[0])!r}"]
    for size in range(1, degree + 1):
        for at, bits in enumerate(combinations(range(n), size)):
            theta = float(_monomial(coefficients, bits))
            controls = ", ".join(f'"x{i}"' for i in bits)
            line = f"MCRY(term{size}_{at}, [{controls}], y0, {theta!r})"
            if size == 1:
                line = f'APPLY_CONTROLLED x{bits[0]}, y0, gate="RY", theta={theta!r}'
            lines.append(line)
    return _program("\n".join([*lines, ""]), PRODUCTS, n=n)


def _monomial(coefficients: Sequence[int | Fraction], bits: Sequence[int]) -> int | Fraction:
    """The coefficient of a product of bits in a polynomial of x (by inclusion and exclusion)."""
    total: int | Fraction = 0
    for size in range(len(bits) + 1):
        for some in combinations(bits, size):
            x = sum(1 << i for i in some)
            value = sum(c * x**k for k, c in enumerate(coefficients))
            total += value * (-1) ** (len(bits) - size)
    return total
