"""The logical program as a noiseless Stim circuit: what ideal qubits would do.

    0  alloc            R 0
    1  h 0              H 0
    2  t 1              S 0               the Clifford stand-in of T
    3  measure_z 2      M 0               record 0; bit 4 is record 0
    5  x 3 if 4         CX rec[-1] 0

Qubit k is wire k of `Circuit.wires()`.  An `input` wire is left in whatever state it has; a
freed or left wire is not touched any more.  Stim knows no T: S stands in for it, which keeps
every correction a Pauli.

Each bit is a `Form`, the parity of measurement records, a constant and conjunctions that do
not reduce.  Stim can predicate a Pauli on records only.  Where one depends on a conjunction,
the X outcome of a qubit of its own, a random bit, stands for it (`Logical.stand_for`): Paulis
commute through Clifford gates whatever they depend on, so what holds for a free bit holds for
every function of the outcomes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import stim
from numpy.typing import NDArray

from qwasmc.diagnostics import CompileError, Diagnostic, Kind
from qwasmc.ir.circuit import RESULTS, Circuit, result_bits
from qwasmc.ops import OPS, Cost, OpSpec

STAND_IN = {"t": "S", "tdg": "S_DAG"}
"""The Clifford gate that is simulated in place of each magic one."""

IGNORED = frozenset(
    {"free", "barrier", "syndrome", "rev_begin", "rev_end", "require", "pragma", "return"}
)
"""Operations that do nothing to ideal qubits."""

MAX_ERRORS = 20


class Form(NamedTuple):
    """A bit: the parity of `records`, of the conjunctions `ands` and of `constant`."""

    records: frozenset[int] = frozenset()
    """Absolute record indices."""
    ands: frozenset[int] = frozenset()
    """Keys of `Logical.ands`."""
    constant: int = 0

    @property
    def linear(self) -> bool:
        """Whether the bit is a parity of records, up to a constant."""
        return not self.ands

    def xor(self, other: Form) -> Form:
        """The parity of two bits."""
        return Form(
            self.records ^ other.records, self.ands ^ other.ands, self.constant ^ other.constant
        )


ZERO, ONE = Form(), Form(constant=1)


class Named(NamedTuple):
    """A named result (`value` is its bit) or a named open qubit (`value` is its wire)."""

    name: str
    value: int


@dataclass(slots=True)
class Logical:
    """The Stim circuit and what its records mean."""

    circuit: stim.Circuit
    wires: int
    """Number of wires; Stim's `num_qubits` is smaller if the last ones are never touched."""
    bits: dict[int, Form] = field(default_factory=dict)
    """By value number, for every bit of the program."""
    ands: dict[int, tuple[Form, ...]] = field(default_factory=dict)
    """Conjunctions by the value number of the first bit that needed them, in that order."""
    stand_for: dict[int, int] = field(default_factory=dict)
    """The record of the free bit that stands for a conjunction some Pauli depends on, by key."""
    inputs: list[Named] = field(default_factory=list)
    outputs: list[Named] = field(default_factory=list)
    results: list[Named] = field(default_factory=list)
    stand_ins: int = 0
    """How many T and T^-1 gates S and S^-1 stand in for."""

    def evaluate(self, values: Sequence[int], records: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Bits in sampled shots: records (shots, all records) to bits (shots, len(values))."""
        conjunctions: dict[int, NDArray[np.bool_]] = {}

        def parity(form: Form) -> NDArray[np.bool_]:
            total = np.full(len(records), bool(form.constant))
            for record in form.records:
                total ^= records[:, record]
            for key in form.ands:
                total ^= conjunctions[key]
            return total

        for key in self._needed(values):
            conjunctions[key] = np.all([parity(form) for form in self.ands[key]], axis=0)
        bits = np.empty((len(records), len(values)), dtype=np.bool_)
        for column, value in enumerate(values):
            bits[:, column] = parity(self.bits[value])
        return bits

    def _needed(self, values: Sequence[int]) -> list[int]:
        """The conjunctions that bits depend on, each after those it depends on itself."""
        open_keys = [key for value in values for key in self.bits[value].ands]
        needed: set[int] = set()
        while open_keys:
            key = open_keys.pop()
            if key not in needed:
                needed.add(key)
                open_keys += [inner for form in self.ands[key] for inner in form.ands]
        return sorted(needed)


def to_stim(circuit: Circuit, *, conjunctions: bool = True) -> Logical:
    """Translate a program of Clifford and T gates; without `conjunctions`, as if all were 0.

    Raises `CompileError` for other gates and for predicated operations that are not Paulis.
    """
    return _Translation(circuit, conjunctions).run()


class _Translation:
    """One sweep over the rows."""

    def __init__(self, circuit: Circuit, conjunctions: bool) -> None:
        self.source = circuit
        self.conjunctions = conjunctions
        self.wire: list[int] = circuit.wires().tolist()
        self.logical = Logical(stim.Circuit(), max(self.wire, default=-1) + 1)
        self.lines: list[str] = []
        """Stim's text: parsing it is many times faster than appending to a circuit."""
        self.records = 0
        self.keys: dict[frozenset[Form], int] = {}
        """Key of each conjunction by its operands."""
        self.errors: list[Diagnostic] = []
        self.special: dict[str, Callable[[int, list[int]], None]] = {
            "alloc": self.alloc,
            "input": self.input,
            "output": self.output,
            "ppm": self.ppm,
            "const": self.const,
            "xor": self.xor,
            "and": self.conjunction,
            **dict.fromkeys(RESULTS, self.result),
        }

    def run(self) -> Logical:
        source = self.source
        columns = zip(source.op.tolist(), source.cond.tolist(), source.all_values(), strict=True)
        for row, (code, cond, values) in enumerate(columns):
            self.step(row, OPS[code], cond, values)
            if len(self.errors) == MAX_ERRORS:
                break
        if self.errors:
            raise CompileError(self.errors)
        self.logical.circuit = stim.Circuit("\n".join(self.lines))
        return self.logical

    def emit(self, gate: str, *targets: int | str) -> None:
        """One line of Stim text."""
        self.lines.append(" ".join((gate, *map(str, targets))))

    def step(self, row: int, spec: OpSpec, cond: int, values: list[int]) -> None:
        if cond >= 0:
            self.predicated(row, spec, values, self.logical.bits[cond])
        elif spec.name in self.special:
            self.special[spec.name](row, values)
        elif spec.stim:
            self.emit(spec.stim, *[self.wire[value] for value in values])
            if spec.makes_bit:
                self.record(row)
        elif spec.name in STAND_IN:
            self.emit(STAND_IN[spec.name], self.wire[values[0]])
            self.logical.stand_ins += 1
        elif spec.name not in IGNORED:
            self.unsupported(row, spec)

    def predicated(self, row: int, spec: OpSpec, values: list[int], form: Form) -> None:
        """A Pauli under a condition: one classically controlled Pauli per record."""
        if spec.makes_bit:
            self.logical.bits[self.bit(row)] = ZERO
        if not spec.is_pauli:
            message = (
                f"'{spec.name}' depends on a measurement result, "
                "which a Stim circuit cannot express"
            )
            help = "only x, y and z may depend on one; `qwasmc simulate` runs any program"
            self.refuse(row, message, "", help, Kind.LIMIT)
        else:
            wire = self.wire[values[0]]
            if form.constant:
                self.emit(spec.stim, wire)
            free = {self.free_bit(key) for key in sorted(form.ands)}
            for record in sorted(form.records | free):
                self.emit(f"C{spec.stim}", f"rec[{record - self.records}]", wire)

    def free_bit(self, key: int) -> int:
        """The record of the random bit that stands for a conjunction."""
        if key not in self.logical.stand_for:
            wire = self.logical.wires
            self.logical.wires += 1
            self.emit("R", wire)
            self.emit("MX", wire)
            self.logical.stand_for[key] = self.records
            self.records += 1
        return self.logical.stand_for[key]

    def unsupported(self, row: int, spec: OpSpec) -> None:
        message, help = f"'{spec.name}' has no meaning on a logical circuit", ""
        if spec.cost is Cost.SYNTHESIS:
            message = f"'{spec.name}' is not a Clifford or T gate"
            help = "lower the program to Clifford+T gates first"
        self.refuse(row, message, "", help)

    def refuse(
        self, row: int, message: str, label: str, help: str, kind: Kind = Kind.PROGRAM
    ) -> None:
        loc = int(self.source.loc[row])
        found = self.source.locations.diagnostic(message, loc, label, help)
        self.errors.append(replace(found, kind=kind))

    def bit(self, row: int) -> int:
        """The number of the bit that a row makes, which is its last value."""
        return int(self.source.first[row + 1]) - 1

    def named(self, row: int, value: int) -> Named:
        return Named(self.source.names[int(self.source.attr[row])], value)

    def record(self, row: int) -> None:
        self.logical.bits[self.bit(row)] = Form(frozenset({self.records}))
        self.records += 1

    def alloc(self, row: int, values: list[int]) -> None:
        self.emit("R", self.wire[int(self.source.first[row])])

    def input(self, row: int, values: list[int]) -> None:
        self.logical.inputs.append(self.named(row, self.wire[int(self.source.first[row])]))

    def output(self, row: int, values: list[int]) -> None:
        self.logical.outputs.append(self.named(row, self.wire[values[0]]))

    def ppm(self, row: int, values: list[int]) -> None:
        letters = self.source.names[int(self.source.attr[row])]
        factors = [
            f"{letter}{self.wire[value]}"
            for letter, value in zip(letters, values, strict=True)
            if letter != "I"
        ]
        if not factors:
            self.logical.bits[self.bit(row)] = ZERO
            return
        self.emit("MPP", "*".join(factors))
        self.record(row)

    def const(self, row: int, values: list[int]) -> None:
        self.logical.bits[self.bit(row)] = ONE if self.source.attr[row] else ZERO

    def xor(self, row: int, values: list[int]) -> None:
        total = ZERO
        for value in values:
            total = total.xor(self.logical.bits[value])
        self.logical.bits[self.bit(row)] = total

    def conjunction(self, row: int, values: list[int]) -> None:
        """Constants and repeated operands drop out; what one operand is left of is linear."""
        bit = self.bit(row)
        if not self.conjunctions:
            self.logical.bits[bit] = ZERO
            return
        factors = {self.logical.bits[value] for value in values} - {ONE}
        if ZERO in factors or any(form.xor(ONE) in factors for form in factors):
            self.logical.bits[bit] = ZERO
        elif len(factors) < 2:
            self.logical.bits[bit] = factors.pop() if factors else ONE
        else:
            key = self.keys.setdefault(frozenset(factors), bit)
            # Sorted, because the order of a set is not the same in every process.
            ordered = sorted(factors, key=lambda f: (sorted(f.records), sorted(f.ands), f.constant))
            self.logical.ands.setdefault(key, tuple(ordered))
            self.logical.bits[bit] = Form(ands=frozenset({key}))

    def result(self, row: int, values: list[int]) -> None:
        name = self.source.names[int(self.source.attr[row])]
        bits = result_bits(OPS[self.source.op[row]].name, name, values)
        self.logical.results += [Named(title, value) for title, value in bits]
