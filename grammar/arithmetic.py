"""Operator macros on a register of qubits as an integer, the first qubit the least significant.

Multiplication by an odd number modulo 2^n, in place: with p = 2h + 1, bit i of x adds 2^i and,
if it is 1, h to the bits above it.  From the top bit down, each addition still sees the bits it
depends on.  A controlled addition copies its constant into ancillas and adds these with the
ripple-carry adder of Cuccaro et al., arXiv:quant-ph/0410184.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qwasmc.controlled import Machine, Qubit, controlled

_Gates = list[tuple[str, tuple[Qubit, ...]]]


def multiply(machine: Machine[Qubit], factor: int, qubits: Sequence[Qubit]) -> None:
    """|x> -> |factor x mod 2^n>; the factor is odd."""
    for place in reversed(range(len(qubits))):
        _add(machine, factor >> 1, qubits[place], qubits[place + 1 :], lambda gates: gates)


def divide(machine: Machine[Qubit], factor: int, qubits: Sequence[Qubit]) -> None:
    """The adjoint of `multiply`."""
    for place in range(len(qubits)):
        # every gate of the adder is its own inverse
        _add(machine, factor >> 1, qubits[place], qubits[place + 1 :], lambda gates: gates[::-1])


def diffuse(machine: Machine[Qubit], qubits: Sequence[Qubit]) -> None:
    """2 |s><s| - 1, where |s> is the uniform superposition, up to the global phase."""
    *controls, target = qubits
    for name in ("h", "x"):
        for qubit in qubits:
            machine.apply(name, [qubit])
    controlled(machine, "z", controls, [target])
    for name in ("x", "h"):
        for qubit in qubits:
            machine.apply(name, [qubit])


def _add(
    machine: Machine[Qubit],
    constant: int,
    control: Qubit,
    qubits: Sequence[Qubit],
    order: Callable[[_Gates[Qubit]], _Gates[Qubit]],
) -> None:
    """Add a constant to a register modulo 2^n if the control is 1.

    The gates of the adder are applied in the `order` that is given: backwards, it subtracts.
    """
    constant %= 1 << len(qubits)
    if not constant:
        return
    lowest = (constant & -constant).bit_length() - 1
    constant, qubits = constant >> lowest, qubits[lowest:]
    if len(qubits) == 1:
        machine.apply("cx", [control, qubits[0]])
        return
    carry, *addend = [machine.borrow() for _ in range(len(qubits) + 1)]
    loads = [qubit for place, qubit in enumerate(addend) if constant >> place & 1]
    for qubit in loads:
        machine.apply("cx", [control, qubit])
    for name, on in order(_adder(carry, addend, qubits)):
        machine.apply(name, on)
    for qubit in loads:
        machine.apply("cx", [control, qubit])
    for qubit in (*addend, carry):
        machine.give_back(qubit)


def _adder(carry: Qubit, a: Sequence[Qubit], b: Sequence[Qubit]) -> _Gates[Qubit]:
    """|0>|a>|b> -> |0>|a>|a + b mod 2^n>, without the carry out."""
    gates: _Gates[Qubit] = []
    carries = [carry, *a[:-1]]
    for c, y, x in zip(carries[:-1], b, a, strict=False):
        gates += [("cx", (x, y)), ("cx", (x, c)), ("ccx", (c, y, x))]
    gates += [("cx", (carries[-1], b[-1])), ("cx", (a[-1], b[-1]))]
    for c, y, x in reversed(list(zip(carries[:-1], b, a, strict=False))):
        gates += [("ccx", (c, y, x)), ("cx", (x, c)), ("cx", (c, y))]
    return gates
