"""A Surgery program as a Circuit with one qubit per patch: what its rows promise to do.

    inject (2,0) T            a = alloc; a = h a; a = t a
    join [Z@(0,0) Z@(2,0)] => q, a, bit = ppm "ZZ" q, a
    measure (2,0) X           a, bit = measure_x a; free a

In the true reading T is T, `adapt` measures in the basis that its bit asks for, and `fix` is a
conjunction; in the stand-in reading T is S, `adapt` measures Y, and `fix` is its first bit.
Shares nothing with the lowering: tests compare the lifted program with the one it came from.
"""

from __future__ import annotations

import numpy as np
from trajectories import TOLERANCE, Run

from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ir.surgery import Letter, Magic, Row, Surgery, Tile
from qwasmc.ops import OPS

BIRTHS = {Row.INPUT, Row.PREPARE, Row.INJECT}
ENDS = {Row.MEASURE, Row.ADAPT}
CLASSICAL = {Row.CONST, Row.XOR, Row.AND, Row.FIX}


def moments(surgery: Surgery) -> list[tuple[int, int]]:
    """Slab and place in it of each row: appear, join, leave, and what is computed from outcomes."""
    when: list[tuple[int, int]] = []
    for row, kind in enumerate(surgery.kind.tolist()):
        if kind in CLASSICAL:
            latest = max((when[bit] for bit in surgery.operands(row)), default=(-1, 3))
            when.append((latest[0], 3))
        else:
            place = 0 if kind in BIRTHS else 1 if kind == Row.JOIN else 2
            when.append((int(surgery.slab[row]), place))
    return when


class Lift:
    """Walks over the rows in their order, which keeps gadgets apart and qubits alive few.

    Rows without a patch in common commute, so this is what happens in the order of time if each
    patch's rows are in that order, and if no bit is read before it is there: both are asserted.
    """

    def __init__(self, surgery: Surgery, stand_in: bool) -> None:
        self.surgery = surgery
        self.stand_in = stand_in
        self.out = CircuitBuilder()
        self.qubit: dict[Tile, int] = {}
        self.entered: dict[int, int] = {}
        """By surgery row, the inputs; the program has them all from its start."""
        self.latest: dict[Tile, tuple[int, int]] = {}
        """When something last happened to the patch on a tile."""
        self.bit: dict[int, int] = {}
        """By surgery row."""

    def run(self) -> Circuit:
        kinds = self.surgery.kind.tolist()
        rows = range(len(kinds))
        inputs = sorted(
            (row for row in rows if kinds[row] == Row.INPUT), key=self.surgery.aux.__getitem__
        )
        for number, row in enumerate(inputs):
            self.entered[row] = self.out.add("input", attr=f"in{number}")
        when = moments(self.surgery)
        for row, kind in enumerate(map(Row, kinds)):
            if kind in CLASSICAL:
                self.compute(row, kind)
            elif kind == Row.JOIN:
                for term in self.surgery.join(row).terms:
                    self.happens(term.tile, when[row])
                self.join(row)
            elif kind in BIRTHS:
                self.latest[self.surgery.tile(row)] = when[row]
                self.appear(row, kind)
            elif kind in ENDS:
                self.happens(self.surgery.tile(row), when[row])
                if kind == Row.ADAPT:
                    asked = when[self.surgery.operands(row)[0]][0]
                    assert asked < when[row][0], f"row {row} needs an outcome of slab {asked}"
                self.leave(row, kind)
        for row in rows:
            if kinds[row] == Row.OUTPUT:
                self.hand_over(row)
            elif kinds[row] == Row.RESULT:
                name = self.surgery.names[self.surgery.aux[row]]
                self.out.add("result", [self.bit[self.surgery.operands(row)[0]]], attr=name)
        return self.out.freeze()

    def happens(self, tile: Tile, when: tuple[int, int]) -> None:
        assert self.latest[tile] < when, f"rows of the patch on {tile} are out of order"
        self.latest[tile] = when

    def gates(self, names: list[str], qubit: int) -> int:
        for name in names:
            qubit = self.out.add(name, [qubit])
        return qubit

    def appear(self, row: int, kind: Row) -> None:
        tile, aux = self.surgery.tile(row), int(self.surgery.aux[row])
        assert tile not in self.qubit
        if kind == Row.INPUT:
            self.qubit[tile] = self.entered[row]
            return
        start = {Letter.Z: [], Letter.X: ["h"], Letter.Y: ["h", "s"]}
        if kind == Row.INJECT:
            magic = ("s", "sdg") if self.stand_in else ("t", "tdg")
            gates = ["h", magic[aux == Magic.TDG]]
        else:
            gates = start[Letter(aux)]
        self.qubit[tile] = self.gates(gates, self.out.add("alloc", attr=""))

    def join(self, row: int) -> None:
        terms = self.surgery.join(row).terms
        letters = "".join(term.letter.name for term in terms)
        first = self.out.add("ppm", [self.qubit[term.tile] for term in terms], attr=letters)
        for slot, term in enumerate(terms):
            self.qubit[term.tile] = first + slot
        self.bit[row] = first + len(terms)

    def leave(self, row: int, kind: Row) -> None:
        qubit = self.qubit.pop(self.surgery.tile(row))
        letter = Letter(int(self.surgery.aux[row])) if kind == Row.MEASURE else Letter.Y
        if kind == Row.ADAPT and not self.stand_in:
            qubit = self.out.add("sdg", [qubit])  # S^-1 takes Y to X
            qubit = self.out.add("s", [qubit], cond=self.bit[self.surgery.operands(row)[0]])
            letter = Letter.X
        qubit = self.out.add(f"measure_{letter.name.lower()}", [qubit])
        self.bit[row] = qubit + 1
        self.out.add("free", [qubit])

    def compute(self, row: int, kind: Row) -> None:
        operands = [self.bit[bit] for bit in self.surgery.operands(row)]
        if kind == Row.CONST:
            self.bit[row] = self.out.add("const", attr=int(self.surgery.aux[row]))
        elif kind == Row.FIX and self.stand_in:
            self.bit[row] = operands[0]
        else:
            self.bit[row] = self.out.add("xor" if kind == Row.XOR else "and", operands)

    def hand_over(self, row: int) -> None:
        """The patch in the program's letters: H if labelled, then its Pauli frame."""
        label, x, z = self.surgery.operands(row)
        qubit = self.gates(["h"] * label, self.qubit.pop(self.surgery.tile(row)))
        qubit = self.out.add("z", [qubit], cond=self.bit[z])
        qubit = self.out.add("x", [qubit], cond=self.bit[x])
        self.out.add("output", [qubit], attr=self.surgery.names[self.surgery.aux[row]])


def lift(surgery: Surgery, *, stand_in: bool = False) -> Circuit:
    """The program that a surgery program runs.

    Inputs come first, in order of their numbers; outputs and results last, in order of rows.
    AssertionError if an `adapt` needs an outcome that is not there before its slab.
    """
    return Lift(surgery, stand_in).run()


class OpenRun(Run):
    """A run from a state of the inputs to a state of the outputs, whichever qubits these are."""

    def __init__(self, circuit: Circuit, start: np.ndarray, forced: list[int] | None, seed: int):
        self.leaving: dict[str, int] = {}
        """By name, the value of each output."""
        super().__init__(circuit, start, forced, seed)
        order = [self.axis[self.leaving[name]] for name in sorted(self.leaving)]
        assert sorted(order) == list(range(self.state.ndim)), "a qubit has not left"
        self.state = self.state.transpose(order)

    def step(self, row: int) -> None:
        if OPS[self.circuit.op[row]].name == "output":
            self.leaving[str(self.circuit.attribute(row))] = self.circuit.values(row)[0]
        else:
            super().step(row)
            self.program.clear()  # what is freed goes, whether it was an input or not

    def end(self, axis: int) -> None:
        super().end(axis)
        self.waiting = [other - (other > axis) for other in self.waiting]

    def measure(self, letters: str, axes: list[int], *, extra: bool) -> int:
        return super().measure(letters, axes, extra=False)


def assert_lifts(program: Circuit, lifted: Circuit, seed: int = 0, runs: int = 4) -> None:
    """A lifted program acts like the one it came from, in some runs from random inputs.

    Every measurement of the program is a result, in order, and there are no others.  The lifted
    program takes outcomes as they fall; the program, made to take those that the results tell,
    must end in the same state, up to phase.  The other outcomes are even: 2^n times as likely.
    """
    for at in range(runs):
        rng = np.random.default_rng([seed, at])
        n = sum(OPS[code].name == "input" for code in program.op.tolist())
        start = rng.normal(size=(2,) * n) + 1j * rng.normal(size=(2,) * n)
        start /= np.linalg.norm(start)
        one = OpenRun(lifted, start, None, seed=int(rng.integers(2**32)))
        outcomes = [bits[0] for _, bits in one.results]
        other = OpenRun(program, start, outcomes, seed=0)
        assert not other.forced, "results that no measurement of the program made"
        assert one.results == other.results
        doublings = np.log2(other.probability / one.probability)
        assert abs(doublings - round(doublings)) < TOLERANCE, "added measurements are biased"
        overlap = abs(np.vdot(one.state, other.state))
        assert abs(overlap - 1) < TOLERANCE, f"the states differ: overlap {overlap}"


def all_measured(circuit: Circuit) -> Circuit:
    """The same circuit whose results are its outcomes, in order; resets and frees have some too."""
    out = CircuitBuilder()
    bits: list[int] = []
    number: dict[int, int] = {}
    for row, code in enumerate(circuit.op.tolist()):
        spec, first = OPS[code], int(circuit.first[row])
        values = [number[value] for value in circuit.values(row)]
        cond = int(circuit.cond[row])
        if spec.name == "result":
            continue
        if spec.name in ("reset", "free"):
            values = [out.add("measure_z", values)]
            bits.append(values[0] + 1)
        if spec.name == "reset":
            made = out.add("x", values, cond=bits[-1])
        else:
            made = out.copy(circuit, row, values, -1 if cond < 0 else number[cond])
        for slot in range(int(circuit.first[row + 1]) - first):
            number[first + slot] = made + slot
        if spec.makes_bit and spec.qubits:
            bits.append(number[int(circuit.first[row + 1]) - 1])
    for i, bit in enumerate(bits):
        out.add("result", [bit], attr=f"r{i}")
    return out.freeze()
