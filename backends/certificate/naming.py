"""Which qubits of two circuits are the same: those of one name and source location, in order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from qwasmc.ir.circuit import Circuit
from qwasmc.ops import OPS


class Qubit(NamedTuple):
    """A qubit of the program: one that enters, or that is allocated with a name."""

    name: str
    loc: int
    wire: int
    enters: bool


def program_qubits(circuit: Circuit, wire: Sequence[int]) -> list[Qubit]:
    """The qubits of the program, in order; `wire` is that of each value."""
    found = []
    for row, code in enumerate(circuit.op.tolist()):
        if OPS[code].makes_qubit:
            name, enters = str(circuit.attribute(row)), OPS[code].name == "input"
            if name or enters:
                at = wire[int(circuit.first[row])]
                found.append(Qubit(name, int(circuit.loc[row]), at, enters))
    return found


def labels(qubits: Iterable[Qubit]) -> dict[int, str]:
    """By wire, a label of its own: the name, with a number unless it is the first of it."""
    seen: Counter[str] = Counter()
    found = {}
    for qubit in qubits:
        seen[qubit.name] += 1
        first = qubit.name and seen[qubit.name] == 1
        found[qubit.wire] = qubit.name if first else f"{qubit.name}#{seen[qubit.name]}"
    return found


def labels_like(
    qubits: Iterable[Qubit], others: Iterable[Qubit], optional: set[int]
) -> dict[int, str]:
    """By wire, the label of the same qubit among others, or one that is none of theirs.

    Where there are fewer of one name and location than among the others, they are taken not to be
    those on `optional` wires, as far as that is enough.
    """
    theirs = labels(others)
    groups: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for other in others:
        groups[other.name, other.loc].append(other.wire)
    ours: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for qubit in qubits:
        ours[qubit.name, qubit.loc].append(qubit.wire)
    found: dict[int, str] = {}
    for key, wires in ours.items():
        chosen = sorted(groups[key], key=lambda wire: wire in optional)[: len(wires)]
        same = [theirs[wire] for wire in sorted(chosen)]
        same += [f"{key[0]}#new{number}" for number in range(len(wires) - len(same))]
        found.update(zip(wires, same, strict=True))
    return found
