"""Scores schedules under DASCOT's cost model; knows nothing of who made them.

    score(circuit, "square", {0: (2, 2), 1: (4, 2)}, [[Gate(0, [(2, 3), (3, 3), (3, 2)])]])

A circuit is one of Qiskit's, of CX, T, T^-1 and free gates on one qubit; gates are numbered in its
order, without the free ones.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import stim
from qiskit import QuantumCircuit

Tile = tuple[int, int]

COSTLY = ("cx", "t", "tdg")
STIM = {
    **{name: name.upper() for name in ("x", "y", "z", "h", "s")},
    "sdg": "S_DAG",
    "sx": "SQRT_X",
    "sxdg": "SQRT_X_DAG",
}


class Gate(NamedTuple):
    """A gate of a step, and the tiles of its path."""

    number: int
    path: Sequence[Tile]


class InvalidSchedule(Exception):
    """A schedule breaks a rule."""


def check(holds: bool, message: str) -> None:
    if not holds:
        raise InvalidSchedule(message)


class Layout:
    """The tiles of a grid for n qubits, by their definition."""

    def __init__(self, kind: str, n: int) -> None:
        if kind == "square":
            side = math.ceil(math.sqrt(n))
            self.width = self.height = 2 * side + 3
            sites = [(2 * i, 2 * j) for i in range(1, side + 1) for j in range(1, side + 1)]
        else:
            pairs = math.ceil(n / 2)
            self.width, self.height = 2 * pairs + 1, 5
            sites = [(2 * i + 1, y) for i in range(pairs) for y in (1, 3)]
        self.sites = set(sites)
        around = [(x, 0) for x in range(self.width)]
        around += [(self.width - 1, y) for y in range(1, self.height)]
        around += [(x, self.height - 1) for x in range(self.width - 2, -1, -1)]
        around += [(0, y) for y in range(self.height - 2, 0, -1)]
        self.magic = set(around[1::2])

    def holds(self, tile: Tile) -> bool:
        return 0 <= tile[0] < self.width and 0 <= tile[1] < self.height


def costly_gates(circuit: QuantumCircuit) -> Iterator[tuple[str, list[int]]]:
    """Name and qubits of the gates that cost a step."""
    for item in circuit.data:
        if item.operation.name in COSTLY:
            yield item.operation.name, [circuit.find_bit(qubit).index for qubit in item.qubits]


def score(
    circuit: QuantumCircuit,
    kind: str,
    home: Mapping[int, Tile],
    steps: Sequence[Sequence[Gate]],
    commute: bool = False,
) -> int:
    """How many steps a schedule has; raises InvalidSchedule if it breaks a rule."""
    gates = list(costly_gates(circuit))
    used = {qubit for _, qubits in gates for qubit in qubits}
    layout = Layout(kind, len(used))
    check(used <= home.keys(), "a qubit has no tile")
    check(len(set(home.values())) == len(home), "two qubits share a tile")
    check(set(home.values()) <= layout.sites, "a qubit is not on a site")
    numbers = Counter(gate.number for step in steps for gate in step)
    check(numbers == Counter(range(len(gates))), "not every gate runs exactly once")
    walls = layout.magic | set(home.values())
    for step in steps:
        tiles = Counter(tile for gate in step for tile in gate.path)
        check(max(tiles.values(), default=1) == 1, "paths of one step cross")
        check(not walls & tiles.keys(), "a path runs over a qubit or a magic state")
        check(all(map(layout.holds, tiles)), "a path leaves the grid")
        busy = Counter(qubit for gate in step for qubit in gates[gate.number][1])
        check(max(busy.values(), default=1) == 1, "a qubit has two gates in one step")
        for gate in step:
            check_path(layout, gates[gate.number][1], home, gate.path)
    when = {gate.number: number for number, step in enumerate(steps) for gate in step}
    check_order(circuit, when, commute)
    return len(steps)


def check_path(
    layout: Layout, qubits: Sequence[int], home: Mapping[int, Tile], path: Sequence[Tile]
) -> None:
    """A path leaves its first qubit up or down, and comes to the second, or magic, from a side."""
    check(bool(path), "a path is empty")
    for (x, y), (to_x, to_y) in pairwise(path):
        check(abs(x - to_x) + abs(y - to_y) == 1, "a path jumps")
    x, y = home[qubits[0]]
    check(path[0] in ((x, y - 1), (x, y + 1)), "a path starts at the wrong tile")
    x, y = path[-1]
    beside = {(x - 1, y), (x + 1, y)}
    goals = {home[qubits[1]]} if len(qubits) == 2 else layout.magic
    check(bool(beside & goals), "a path ends at the wrong tile")


def check_order(circuit: QuantumCircuit, when: Mapping[int, int], commute: bool) -> None:
    """On each qubit, gates that do not commute run in the order of the program."""
    for gates in letters(circuit).values():
        latest, last, newest = -1, "", -1
        for number, letter in gates:
            if not commute or letter != last:
                latest, last = newest, letter
            check(when[number] > latest, "two gates run in the wrong order")
            newest = max(newest, when[number])


def letters(circuit: QuantumCircuit) -> dict[int, list[tuple[int, str]]]:
    """By qubit: number and letter of each gate; letters differ across a reset or measurement.

    The letter is that of C^-1 P C, with C the product of the free gates before, P the Pauli that
    the gate acts by: Z, or X for the target of a CX.
    """
    found: dict[int, list[tuple[int, str]]] = defaultdict(list)
    free = defaultdict(lambda: stim.Tableau(1))
    walls: Counter[int] = Counter()
    number = 0
    for item in circuit.data:
        qubits = [circuit.find_bit(qubit).index for qubit in item.qubits]
        name = item.operation.name
        if name in COSTLY:
            for pauli, qubit in zip("ZX", qubits, strict=False):
                seen = free[qubit].inverse()(stim.PauliString(pauli))
                found[qubit].append((number, f"{str(seen)[1]}{walls[qubit]}"))
            number += 1
        elif name in STIM:
            free[qubits[0]] = free[qubits[0]].then(stim.gate_data(STIM[name]).tableau)
        elif name != "barrier":
            for qubit in qubits:
                walls[qubit] += 1
    return found
