"""What a script has to know of a circuit beforehand: which qubits live on, and their homes."""

from __future__ import annotations

from qwasmc.ir.circuit import Circuit
from qwasmc.ops import OPS


def used_again(circuit: Circuit, values: list[list[int]]) -> list[bool]:
    """By row: whether the first qubit it hands on meets more than its end or a reset."""
    met = [False] * (circuit.n_values + 1)
    for used, code in zip(values, circuit.op.tolist(), strict=True):
        if OPS[code].name not in ("free", "reset"):
            for value in used:
                met[value] = True
    return [met[first] for first in circuit.first[:-1].tolist()]


def assign_homes(circuit: Circuit, values: list[list[int]]) -> tuple[dict[int, int], int]:
    """A home number for each row that makes a qubit, and how many homes there are.

    Homes of freed qubits are used again, except by open inputs: those must not stand where
    something was before.
    """
    home_of: dict[int, int] = {}
    home_of_value: dict[int, int] = {}
    spare: list[int] = []
    count = 0
    for row, (used, code, first) in enumerate(
        zip(values, circuit.op.tolist(), circuit.first.tolist(), strict=False)
    ):
        spec = OPS[code]
        homes = [home_of_value.pop(value) for value in used if value in home_of_value]
        if spec.makes_qubit:
            if spare and spec.name == "alloc":
                homes = [spare.pop()]
            else:
                homes, count = [count], count + 1
            home_of[row] = homes[0]
        elif spec.name == "swap":
            homes.reverse()  # the patches stay where they are
        elif spec.ends_qubit:
            spare += homes if spec.name == "free" else []
            continue
        for slot, home in enumerate(homes):
            home_of_value[first + slot] = home
    return home_of, count
