"""The physical circuit for Qiskit, with true T gates and the corrections that they need.

    S[T] 17                  t ancilla_1_4[3]
    adapt (1, 5) 12          if bits[7]: the patch idles and is measured in X
                             else:       it is measured in Y, in place
    result "m" 40            store results[0] = bits[9]

Quantum registers: of each tile `patch_X_Y` (data qubits), `ancilla_X_Y`, and `seam_X_Y` (data
qubits between it and its eastern and southern neighbours), each row by row.  Classical registers:
`slab_N`, the measurements of a slab in the order of Stim's records; `x_N_X_Y`, those of a patch
that is measured in X instead; `bits`, parities on the way to conditions and results; `flags`, 1
where a distilled state is bad; `results`.  The names of the last two are in the circuit's metadata.
A measurement in X or Y is a gate and a measurement in Z: what is measured is never used again
without a reset.

For each patch left open (`outputs` in the metadata), `frames` has two bits, of Z and of X: if one
is 1, that operator of the program's is minus the patch's.  A patch's Z is that of its top row, its
X that of its left column; if it is `exchanged`, the program's Z is the patch's X.

A branch does all that its patch does in a slab: the two ways to measure it differ from the first
layer on.  Loops are unrolled, since every record has a place of its own; barriers stand for ticks.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import stim
from qiskit import QuantumCircuit, qpy
from qiskit.circuit import ClassicalRegister, Clbit, IfElseOp, QuantumRegister, Qubit
from qiskit.circuit.classical import expr

from qwasmc.backends.adaptive import Piece, Walk
from qwasmc.backends.physical import Physical
from qwasmc.backends.qiskit_parities import StoredBits
from qwasmc.backends.stim.code import IDLE
from qwasmc.backends.stim.inplace_y import in_place_y
from qwasmc.backends.stim.merge import logical_support
from qwasmc.backends.stim.parity import Node
from qwasmc.backends.stim.port import GATE
from qwasmc.backends.stim.shape import shape
from qwasmc.diagnostics import Kind, error
from qwasmc.ir.surgery import Letter, Magic, Row, Tile

MAX_RECORDS = 300_000
"""Most measurements; each, with the gates before it, takes about 6 kB of memory."""

STEPS = {
    "R": ("reset",),
    "RX": ("reset", "h"),
    "RY": ("reset", "h", "s"),
    "M": ("measure",),
    "MX": ("h", "measure"),
    "MY": ("sdg", "h", "measure"),
    "CX": ("cx",),
    "CY": ("cy",),
    "CZ": ("cz",),
    "H": ("h",),
    "SQRT_X": ("sx",),
    "SQRT_X_DAG": ("sxdg",),
    GATE[Magic.T]: ("t",),
    GATE[Magic.TDG]: ("tdg",),
    "I": (),
}
"""Qiskit's methods for each instruction of the emitted circuit."""

NOTES = ("DETECTOR", "SHIFT_COORDS")
"""Instructions without a counterpart."""

ALWAYS = -1
"""Who owns the qubits that are in no patch that is measured adaptively."""


class Step(NamedTuple):
    """A method of QuantumCircuit, what it acts on, and where a measurement's outcome goes."""

    method: str
    qubits: Sequence[Qubit]
    outcome: Clbit | None = None


class Ways(NamedTuple):
    """What an adapt row asks about: the nodes of its condition and of both outcomes."""

    condition: Node
    in_x: Node
    in_y: Node
    start: int
    """The first record in X; these are numbered from behind Stim's own."""


def write_qpy(physical: Physical) -> bytes:
    """The circuit as a QPY file."""
    file = io.BytesIO()
    qpy.dump(to_qiskit(physical), file)
    return file.getvalue()


def to_qiskit(physical: Physical) -> QuantumCircuit:
    """Translate a physical circuit, without its noise, detectors and observables."""
    records = physical.emission.records
    if records > MAX_RECORDS:
        raise error(
            f"the circuit has {records} measurements: Qiskit's circuits, which hold no records of "
            f"loops, are written for up to {MAX_RECORDS}",
            kind=Kind.LIMIT,
            help="--emit stim writes any number",
        )
    return _Writer(physical).run()


class _Writer:
    """One sweep over the slabs."""

    def __init__(self, physical: Physical) -> None:
        self.surgery = surgery = physical.surgery
        self.walk = Walk(physical)
        self.chip, self.parities = self.walk.state.chip, self.walk.state.parities
        self.distance = self.chip.distance
        self.node = self.walk.bits()
        """The node of each row's bit."""
        self.ways = self._ways()
        """By adapt row."""
        results = np.flatnonzero(surgery.kind == Row.RESULT).tolist()
        outputs = np.flatnonzero(surgery.kind == Row.OUTPUT).tolist()
        flags = self.walk.flags()
        self.finals = {
            "frames": [(row, node) for row in outputs for node in self._frame(row)],
            "flags": [(row, self._parity(row)) for row in flags],
            "results": [(row, self._parity(row)) for row in results],
        }
        """The rows and nodes of the registers that are written at the end."""
        metadata = {
            "flags": [self._named(row) for row in flags],
            "results": [self._named(row) for row in results],
            "outputs": [self._output(row) for row in outputs],
        }
        self.circuit = QuantumCircuit(name="qwasmc", metadata=metadata)
        self.qubits = self._qubits()
        self.bits = StoredBits(self.walk, self.node)
        roots = [node for ways in self.ways.values() for node in ways[:3]]
        roots += [self.node[row] for row in self.ways]
        roots += [node for _, node in chain(*self.finals.values())]
        size = len(self.bits.missing(roots))
        self.bits.start(self.circuit, iter(self._register("bits", size)))

    def run(self) -> QuantumCircuit:
        """The circuit."""
        for piece in self.walk.pieces:
            self._slab(piece)
        for name, found in self.finals.items():
            register = self._register(name, len(found))
            for bit, (row, node) in zip(register, found, strict=True):
                self.bits.store([node], row)
                self.bits.write(bit, expr.lift(self.bits.bit[node]))
        return self.circuit

    def _named(self, row: int) -> str:
        return self.surgery.names[int(self.surgery.aux[row])]

    def _parity(self, row: int) -> Node:
        """The node of a row that reads bits."""
        return self.parities.add(tuple(self.node[bit] for bit in self.surgery.operands(row)))

    # -- registers ---------------------------------------------------------------------------------

    def _register(self, name: str, size: int) -> list[Clbit]:
        """The bits of a new register; without bits there is none."""
        register = ClassicalRegister(size, name)
        if size:
            self.circuit.add_register(register)
        return list(register)

    def _qubits(self) -> list[Qubit]:
        """Registers for the circuit's qubits, which are given in Stim's order."""
        members: dict[str, list[int]] = {}
        pitch = self.distance + 1
        for qubit, (x, y) in enumerate(self.chip.coordinates):
            is_seam = self.distance in (x % pitch, y % pitch)
            kind = "ancilla" if x % 1 else "seam" if is_seam else "patch"
            tile = int((x + 0.5) // pitch), int((y + 0.5) // pitch)
            members.setdefault(f"{kind}_{tile[0]}_{tile[1]}", []).append(qubit)
        found: dict[int, Qubit] = {}
        for name, qubits in members.items():
            register = QuantumRegister(len(qubits), name)
            self.circuit.add_register(register)
            found.update(zip(qubits, register, strict=True))
        return [found[qubit] for qubit in range(len(found))]

    # -- open patches ------------------------------------------------------------------------------

    def _output(self, row: int) -> dict[str, str | bool]:
        """What there is to know of an open patch besides its frame."""
        (x, y), exchanged = self.surgery.tile(row), bool(self.surgery.operands(row)[0])
        return {"name": self._named(row), "patch": f"patch_{x}_{y}", "exchanged": exchanged}

    def _frame(self, row: int) -> tuple[Node, Node]:
        """Whether the program's Z and X are minus what is found on an open patch."""
        label, x, z = self.surgery.operands(row)
        sign_x, sign_z = self.walk.state.outputs[row]
        of_z, of_x = (sign_x, sign_z) if label else (sign_z, sign_x)
        return self.parities.add((self.node[x], of_z)), self.parities.add((self.node[z], of_x))

    # -- slabs -------------------------------------------------------------------------------------

    def _slab(self, piece: Piece) -> None:
        """What always happens, then the patches that are measured one way or another."""
        owner = dict.fromkeys(range(len(self.qubits)), ALWAYS)
        for each in piece.adapted:
            owner.update(dict.fromkeys(self._patch(each.row), each.row))
        steps = self._steps(piece.text.text, piece.start, f"slab_{piece.slab}", owner)
        _apply(self.circuit, steps.get(ALWAYS, []))
        for each in piece.adapted:
            self._adapt(each.row, steps[each.row], piece)

    def _steps(
        self, text: str, start: int, name: str, owner: Mapping[int, int]
    ) -> dict[int, list[Step]]:
        """Stim's text as steps, by who owns their qubits; its records, from `start` on, go to a
        new register."""
        circuit = stim.Circuit(text).flattened()
        outcomes = self._register(name, circuit.num_measurements)
        self.bits.place.update(enumerate(outcomes, start))
        fresh = iter(outcomes)
        found: dict[int, list[Step]] = {}
        everyone: dict[int, list[Qubit]] = {}
        for qubit, row in owner.items():
            everyone.setdefault(row, []).append(self.qubits[qubit])
        for instruction in circuit:
            if instruction.name == "TICK":
                for row, qubits in everyone.items():
                    found.setdefault(row, []).append(Step("barrier", qubits))
            elif instruction.name not in NOTES:
                methods = STEPS[_name(instruction)]
                for group in instruction.target_groups():
                    mine = found.setdefault(owner[group[0].value], [])
                    qubits = [self.qubits[target.value] for target in group]
                    for method in methods:
                        outcome = next(fresh) if method == "measure" else None
                        mine.append(Step(method, qubits, outcome))
        return found

    # -- adaptive measurements ---------------------------------------------------------------------

    def _ways(self) -> dict[int, Ways]:
        """By adapt row."""
        found: dict[int, Ways] = {}
        count = self.walk.state.records
        column = logical_support(self.distance, Letter.X) @ np.array([1, self.distance])
        for piece in self.walk.pieces:
            for row, sign_x, _ in piece.adapted:
                start = count
                count += piece.text.rounds * (self.distance**2 - 1)
                in_x = self.parities.add((sign_x,), count, column)
                count += self.distance**2
                condition = self.node[self.surgery.operands(row)[0]]
                found[row] = Ways(condition, in_x, self.walk.state.nodes[row], start)
        return found

    def _adapt(self, row: int, in_y: list[Step], piece: Piece) -> None:
        """Both ways to measure a patch, and the outcome of the one that was taken."""
        ways, bits, tile = self.ways[row], self.bits, self.surgery.tile(row)
        bits.store([ways.condition], row)
        condition = bits.bit[ways.condition]
        text = self._text_in_x(tile, piece.text.rounds)
        name = f"x_{piece.slab}_{tile[0]}_{tile[1]}"
        patch = self._patch(row)
        in_x = self._steps(text, ways.start, name, dict.fromkeys(patch, row))[row]
        qubits = [self.qubits[qubit] for qubit in patch]
        clbits = [step.outcome for step in in_x + in_y if step.outcome is not None]
        bodies = [QuantumCircuit(qubits, clbits, name=name) for name in ("in_x", "in_y")]
        for body, steps in zip(bodies, (in_x, in_y), strict=True):
            _apply(body, steps)
        self.circuit.append(IfElseOp((condition, True), *bodies), qubits, clbits)
        bits.store([ways.in_x, ways.in_y], row)
        taken = expr.bit_xor(
            expr.bit_and(condition, bits.bit[ways.in_x]),
            expr.bit_and(expr.logic_not(condition), bits.bit[ways.in_y]),
        )
        bits.bit[self.node[row]] = bits.stored(taken)

    def _patch(self, row: int) -> list[int]:
        """The qubits of an adapt row's patch."""
        shape = in_place_y(self.distance, prepared=False)
        qubits: list[int] = self.chip.place(shape, self.surgery.tile(row)).number.tolist()
        return qubits

    def _text_in_x(self, tile: Tile, rounds: int) -> str:
        """A patch that idles for some rounds and is measured in X."""
        idle = self.chip.place(shape(IDLE, self.distance), tile)
        layers = idle.layers(idle.depth) * rounds
        everything = np.arange(self.distance**2)
        layers[-1] += idle.in_bases("MX", "M", everything, everything[:0])
        return "TICK\n".join([*layers, ""])


def _apply(circuit: QuantumCircuit, steps: Iterable[Step]) -> None:
    """Append steps."""
    for method, qubits, outcome in steps:
        if method == "barrier":
            circuit.barrier(qubits)
        elif outcome is None:
            getattr(circuit, method)(*qubits)
        else:
            circuit.measure(*qubits, outcome)


def _name(instruction: stim.CircuitInstruction) -> str:
    """Its name; that of a phase gate, whose tag is its meaning, with the tag."""
    name: str = instruction.name
    return f"{name}[{instruction.tag}]" if name in ("S", "S_DAG") else name
