"""A patch prepared or measured out in Y without leaving its tile.

After Gidney, "Inplace Access to the Surface Code Y Basis", Quantum 8, 1310 (arXiv:2302.07395),
mirrored to this checkerboard.  One round, the *transition*, makes the north side a Z and the west
side an X boundary.  North-west of the diagonal from the north-east to the south-west corner it
moves the code by one plaquette, which swaps X and Z there, and swaps them back by Hadamards.  So
two of the patch's twists, its corners, meet along that diagonal, and the *degenerate* code that
is left has as many stabilizers as sites, d^2 - 1: the north-east corner is measured in Y.  The
logical Y is a product of the transition's records.  These are guarded by the rounds of the
degenerate code that fill the slab, of which full distance needs d // 2 + 1.  With the last the
sites are measured too, in Z on and above the other diagonal, where the rims are of type Z, and in
X below it.  Preparation is the same in reverse, gate by gate.  The transition takes five slots.

What the transition's records mean is found by elimination: the operators that it measures, taken
back to its start, and those that it resets generate all that it relates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import stim

from qwasmc.backends.stim.code import CORNERS, IDLE, Code, Ints, Site, origin
from qwasmc.backends.stim.merge import logical_support
from qwasmc.backends.stim.schedule import FOUR
from qwasmc.backends.stim.shape import Gates, Placement, Shape, targets
from qwasmc.ir.surgery import Letter, Tile

TRANSITION = {
    ("X", "below"): "CX>SE CX>SW CX>NE CX>NW",
    ("Z", "below"): "CX<SE CX<NE CX<SW CX<NW",
    ("X", "above"): "CX>SE CX>SW CX<NE CX<SE",
    ("Z", "above"): "CX<SE CX<NE CX>SW CX>SE",
    ("X", "on"): "CX>SE CX>SW CX<NE SQRT_X CX>SE",
    ("Z", "on"): "CZ>SE CZ>NE CY>SW",
}
"""What an ancilla does, slot by slot, by its plaquette's type and place with respect to the
diagonal: a gate to a site (>), from a site (<), or alone."""

CORNER_NAMES = ("NW", "NE", "SW", "SE")
MOVE = {name: (x, y) for name, (x, y) in zip(CORNER_NAMES, CORNERS.tolist(), strict=True)}

RESET = {"X": "RX", "Y": "RY", "Z": "R"}
MEASURE = {"X": "MX", "Y": "MY", "Z": "M"}
LETTER = {name: letter for names in (RESET, MEASURE) for letter, name in names.items()}
OTHER = {"X": "Z", "Z": "X"}

Script = tuple[str, Sequence[str], str]
"""What a plaquette's ancilla does in a round: the letters in which it is reset and measured, and
between them its gates slot by slot, as in `TRANSITION`, or "" where it waits."""


class Layers(NamedTuple):
    """The instructions of a round, on local qubits."""

    resets: Gates
    slots: list[Gates]
    measurements: Gates

    def reversed(self) -> Layers:
        """The round backwards in time."""
        resets = [(RESET[LETTER[name]], qubits) for name, qubits in self.measurements]
        measurements = [(MEASURE[LETTER[name]], qubits) for name, qubits in self.resets]
        slots = [[(_inverse(name), qubits) for name, qubits in slot] for slot in self.slots[::-1]]
        return Layers(resets, slots, measurements)


def _inverse(name: str) -> str:
    gate: str = stim.gate_data(name).inverse.name
    return gate


class Round(NamedTuple):
    """A round, and what its records say about the codes that it finds and leaves."""

    layers: Layers
    faces: list[Site]
    """The plaquettes of the k stabilizers of the code that it finds."""
    before: list[list[int]]
    """(k,) the records that repeat the value of each of these."""
    after: list[list[int]]
    """(k,) the records that give each stabilizer of the code that it leaves."""
    outcome: list[int]
    """The records whose parity is the patch's Y; none but in a transition."""


def _letter(face: Site) -> str:
    return "X" if sum(face) % 2 == 0 else "Z"


class _Tile:
    """The plaquettes of a patch and of its degenerate code, and their local qubits."""

    def __init__(self, code: Code) -> None:
        d = self.distance = code.distance
        self.idle: list[Site] = [(x, y) for x, y in code.faces[:, 0].tolist()]
        rims = [(i, -1) for i in range(d - 1)] + [(-1, i) for i in range(d - 1)]
        self.new = [rim for rim in rims if rim not in self.idle]
        kept = [face for face in self.idle if min(face) >= 0]
        self.degenerate = sorted(kept + self.new, key=_letter)
        self.positions: Ints = np.concatenate(
            [2 * code.sites, 2 * np.array(self.idle + self.new, dtype=np.int64) + 1]
        )
        self.number = {(x, y): q for q, (x, y) in enumerate(self.positions.tolist())}
        """Local qubits by twice their coordinates."""
        self.corner = d - 1
        """The site that the degenerate code lacks."""
        self.rest = {where: q for where, q in self.number.items() if q != self.corner}

    def stabilizers(
        self, faces: Sequence[Site], number: Mapping[Site, int]
    ) -> list[stim.PauliString]:
        """The operators of a code's plaquettes, on the qubits there are."""
        found = []
        for face in faces:
            sites = [number.get(_site(face, name)) for name in CORNER_NAMES]
            found.append(self.pauli(_letter(face), [q for q in sites if q is not None]))
        return found

    def pauli(self, letter: str, qubits: Iterable[int]) -> stim.PauliString:
        """One letter on some qubits."""
        pauli = stim.PauliString(len(self.positions))
        for qubit in qubits:
            pauli[qubit] = letter
        return pauli

    def layers(self, scripts: Mapping[Site, Script], number: Mapping[Site, int]) -> Layers:
        """The round in which every plaquette follows its script, on the qubits there are."""
        depth = max(len(gates) for _, gates, _ in scripts.values())
        resets: dict[str, list[int]] = {}
        # One-qubit gates first: their noise then does not run into that of idle qubits.
        slots: list[dict[str, list[int]]] = [{"SQRT_X": []} for _ in range(depth)]
        measurements: dict[str, list[int]] = {}
        for face, (reset, gates, measured) in scripts.items():
            ancilla = number[2 * face[0] + 1, 2 * face[1] + 1]
            resets.setdefault(RESET[reset], []).append(ancilla)
            measurements.setdefault(MEASURE[measured], []).append(ancilla)
            for slot, gate in zip(slots, gates, strict=False):
                way = ">" if ">" in gate else "<"
                name, _, corner = gate.partition(way)
                site = number.get(_site(face, corner)) if corner else None
                if site is not None:
                    slot.setdefault(name, []).extend((ancilla, site)[:: 1 if way == ">" else -1])
                elif gate and not corner:
                    slot.setdefault(name, []).append(ancilla)
        return Layers(_arrays(resets), [_arrays(slot) for slot in slots], _arrays(measurements))

    def cycle(self) -> Layers:
        """A round of the degenerate code."""
        gates = {}
        for letter, hook, way in (("X", "H", ">"), ("Z", "V", "<")):
            order = sorted(zip(FOUR[hook], CORNER_NAMES, strict=True))
            gates[letter] = [f"CX{way}{name}" for _, name in order]
        scripts = {}
        for face in self.degenerate:
            letter = _letter(face)
            scripts[face] = letter, gates[letter], letter
        return self.layers(scripts, self.rest)

    def transition(self) -> Layers:
        """The round from the patch to its degenerate code."""
        scripts = {face: self._moving(face) for face in self.idle + self.new}
        layers = self.layers(scripts, self.number)
        above = [x + y < self.distance - 1 for x, y in (self.positions[: self.distance**2] // 2)]
        layers.slots[-1].insert(0, ("H", np.flatnonzero(above)))
        measurements = dict(layers.measurements)
        measurements["MY"] = np.append(measurements["MY"], self.corner)
        return layers._replace(measurements=list(measurements.items()))

    def _moving(self, face: Site) -> Script:
        """What a plaquette does in the transition."""
        letter, side = _letter(face), sum(face) + 2 - self.distance
        north, west = face[1] < 0, face[0] < 0
        place = "below" if side > 0 else "above" if side < -1 or north else "on"
        gates = TRANSITION[letter, place].split()
        if face in self.new:
            gates[:2] = ["", ""]
        of_rim = "X" if north else "Z" if west else None
        reset = of_rim or ("X" if place == "on" else letter)
        measured = {"on": "Y", "above": of_rim or OTHER[letter], "below": letter}[place]
        return reset, gates, measured


def _site(face: Site, corner: str) -> Site:
    """Twice the coordinates of a plaquette's site."""
    dx, dy = MOVE[corner]
    return 2 * (face[0] + dx), 2 * (face[1] + dy)


def _arrays(layer: Mapping[str, Sequence[int]]) -> Gates:
    return [(name, np.array(qubits, dtype=np.int64)) for name, qubits in layer.items() if qubits]


class _Relations:
    """What the resets and the measurements of a round say about operators at its start."""

    def __init__(self, tile: _Tile, layers: Layers) -> None:
        text = [f"{name} {targets(qubits)}" for slot in layers.slots for name, qubits in slot]
        self.gates = stim.Circuit("\n".join(text))
        operators = [pauli.before(self.gates) for pauli in _each(tile, layers.measurements)]
        self.records = len(operators)
        operators += _each(tile, layers.resets)
        self._pivots: dict[int, tuple[int, int]] = {}
        for number, operator in enumerate(operators):
            rest, used = self._reduce(_bits(operator))
            if rest:
                self._pivots[rest & -rest] = (rest, used ^ (1 << number))

    def _reduce(self, bits: int) -> tuple[int, int]:
        """An operator without what is known of it, and which of the operators were used."""
        used = 0
        while (low := bits & -bits) in self._pivots:
            known, by = self._pivots[low]
            bits, used = bits ^ known, used ^ by
        return bits, used

    def of(self, operator: stim.PauliString) -> tuple[list[int], list[int]]:
        """The records and the resets whose product an operator is, up to a sign."""
        rest, used = self._reduce(_bits(operator))
        if rest:
            raise ValueError(f"the round does not determine {operator}")
        numbers = [i for i, digit in enumerate(reversed(f"{used:b}")) if digit == "1"]
        count = self.records
        return [i for i in numbers if i < count], [i - count for i in numbers if i >= count]


def _each(tile: _Tile, layer: Gates) -> list[stim.PauliString]:
    """The operators that a layer measures or resets, in order."""
    return [
        tile.pauli(LETTER[name], [qubit]) for name, qubits in layer for qubit in qubits.tolist()
    ]


def _bits(operator: stim.PauliString) -> int:
    x, z = operator.to_numpy(bit_packed=True)
    return int.from_bytes(x.tobytes() + z.tobytes(), "little")


class InPlaceY(Shape):
    """A patch in the slab in which it is prepared or measured out in Y.

    Its local qubits are those of an idle patch, and then the ancillas of the degenerate code.
    """

    def __init__(self, distance: int, *, prepared: bool) -> None:
        super().__init__(IDLE, distance)
        tile = _Tile(self.code)
        self.positions = tile.positions
        self.prepared = prepared
        self.least = distance // 2 + 2
        """The rounds that it needs."""
        x, y = self.code.sites.T
        rest = np.arange(len(x)) != tile.corner
        self.ends_x: Ints = np.flatnonzero(y > x)
        self.ends_z: Ints = np.flatnonzero((y <= x) & rest)
        """Sites by the letter in which they are prepared or measured; records in this order."""
        self._ends(tile)
        self._rounds(tile)

    def _ends(self, tile: _Tile) -> None:
        """Work out `ends`."""
        rank = {q: i for i, q in enumerate([*self.ends_x.tolist(), *self.ends_z.tolist()])}
        split = len(self.ends_x)
        self.ends: dict[int, list[int]] = {}
        """Stabilizers of the degenerate code on sites of their own letter: records of these."""
        for i, stabilizer in enumerate(tile.stabilizers(tile.degenerate, tile.rest)):
            sites = [rank[q] for q in stabilizer.pauli_indices()]
            letter = _letter(tile.degenerate[i])
            if all((site < split) == (letter == "X") for site in sites):
                self.ends[i] = sites

    def _rounds(self, tile: _Tile) -> None:
        """Work out the rounds."""
        cycle, turn = tile.cycle(), tile.transition()
        relations = _Relations(tile, turn)
        x, z = (
            tile.pauli(letter.name, logical_support(tile.distance, letter) @ [1, tile.distance])
            for letter in (Letter.X, Letter.Z)
        )
        left = tile.stabilizers(tile.degenerate, tile.rest)
        way = 1 if self.prepared else 0  # backwards in time, resets are records
        patch, degenerate, (outcome,) = (
            [relations.of(operator)[way] for operator in operators]
            for operators in (
                tile.stabilizers(tile.idle, tile.number),
                [operator.before(relations.gates) for operator in left],
                [1j * x * z],
            )
        )
        if self.prepared:
            cycle, turn = cycle.reversed(), turn.reversed()
            self.transition = Round(turn, tile.degenerate, degenerate, patch, outcome)
        else:
            self.transition = Round(turn, tile.idle, patch, degenerate, outcome)
        single = [[i] for i in range(self.stabilizers)]
        self.degenerate = Round(cycle, tile.degenerate, single, single, [])

    def place(self, tile: Tile, number: Ints) -> Placement:
        """The shape at a place."""
        return InPlacement(self, tile, number)


class InPlacement(Placement):
    """An `InPlaceY` at a place."""

    def __init__(self, shape: InPlaceY, tile: Tile, number: Ints) -> None:
        super().__init__(shape, tile, number)
        self.prepared = shape.prepared
        self.transition = PlacedRound(shape.transition, self)
        self.degenerate = PlacedRound(shape.degenerate, self)

    def phases(self, rounds: int) -> Sequence[tuple[int, PlacedRound]]:
        """What the patch does in a slab of so many rounds: first rounds and their kinds."""
        if self.prepared:
            return [(0, self.degenerate), (rounds - 1, self.transition)]
        return [(0, self.transition), (1, self.degenerate)]


@lru_cache(maxsize=64)
def in_place_y(distance: int, *, prepared: bool) -> InPlaceY:
    """The shape of a patch that is prepared, or else measured out, in Y."""
    return InPlaceY(distance, prepared=prepared)


class PlacedRound:
    """A round of an `InPlaceY` at a place: as much of a `Placement` as a slab needs."""

    def __init__(self, kind: Round, placement: Placement) -> None:
        self.kind = kind
        self.records = sum(len(qubits) for _, qubits in kind.layers.measurements)
        self.depth = len(kind.layers.slots)
        resets, slots, measurements = kind.layers
        self._layers = [
            "".join(f"{name} {targets(placement.number[qubits])}\n" for name, qubits in layer)
            for layer in (resets, *slots, measurements)
        ]
        where = np.array(kind.faces) + 0.5 + origin(placement.tile, placement.shape.code.distance)
        self.detectors = [f"DETECTOR({x:.12g}, {y:.12g}, 0) rec[" for x, y in where.tolist()]

    def layers(self, depth: int) -> list[str]:
        """One round with `depth` slots, of which the last may be idle: Stim text by layer."""
        return [*self._layers[:-1], *[""] * (depth - self.depth), self._layers[-1]]

    def first_detectors(
        self, values: Sequence[list[int] | None], base: int, end: int
    ) -> Iterator[str]:
        """Detectors of the first such round, with records from `base`, when there are `end` of
        them; `values` holds the records that gave each stabilizer, None if it is unknown."""
        for head, mine, value in zip(self.detectors, self.kind.before, values, strict=True):
            if value is not None:
                yield detector(head, [*(base + i - end for i in mine), *(i - end for i in value)])


def detector(head: str, lookbacks: Iterable[int]) -> str:
    """A detector from its head, which ends inside its first target."""
    return f"{head}{'] rec['.join(map(str, lookbacks))}]\n"
