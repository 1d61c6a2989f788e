"""Circuit -> Problem: gates on at most two qubits, and observables at their end.

    ccx a b c                           six cx, with the place of the ccx
    swap a b                            nothing: from here on a is where b was
    measure_z a -> m; x b if m; reset a cx a b; from here on a is somewhere else, in |0>
    measure_x a -> m; xor m n -> r      r is the observable X on a times what n measures

So measurements come last, and each result that is a parity of measured bits is a Pauli product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from qiskit.circuit import Operation, QuantumCircuit

from qwasmc.backends.clifford import MEASURED
from qwasmc.backends.refusals import refusal
from qwasmc.backends.results import KINDS
from qwasmc.backends.structured.circuits import classical_rows
from qwasmc.diagnostics import CompileError, Kind, error
from qwasmc.ir.circuit import Circuit, result_bits
from qwasmc.ops import CODE, OPS, OpSpec

MAX_QUBITS = 1000
"""Most qubits of a circuit that is cut."""

MAX_PAIRS = 2000
"""Most gates on two qubits; the search takes time for each of them at each step."""

MAX_GATES = 100_000
"""Most gates."""

MAX_OBSERVABLES = 256
"""Most observables."""

MAX_PARITIES = 10_000
"""Most computed bits that gates and results depend on."""

CLASSICAL = ("const", "xor", "and")

IGNORED = ("free", "output", "syndrome", "barrier", "require", "pragma")
"""Operations that do nothing to the state."""


class Product(NamedTuple):
    """A Pauli product: a letter for each line it acts on, and its sign."""

    letters: dict[int, str]
    sign: int = 1


class Step(NamedTuple):
    """A gate or reset on lines, which hold the program's qubits of these names then."""

    operation: Operation
    lines: tuple[int, ...]
    names: tuple[str, ...]
    loc: int


@dataclass(slots=True)
class Problem:
    """A circuit to be cut.

    A *line* is a qubit of this circuit: it has what one qubit of the program holds, up to the end
    or until that is reset.
    """

    source: Circuit
    steps: list[Step] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    """By line: the qubit that it ends as, or nothing for one that the compiler added."""
    order: list[int] = field(default_factory=list)
    """The lines with a name; those at the end of the program first, as it allocates its qubits."""
    observables: list[tuple[str, Product]] = field(default_factory=list)
    """With their names."""


def problem_of(circuit: Circuit, observables: Sequence[str] | None = None) -> Problem:
    """What is to be cut, with Pauli letters for the program's qubits as observables, if given.

    Otherwise these are the program's results, bit by bit, and the parity of all of them.  Raises
    CompileError for gates behind a measurement of their qubit, for those that depend on results
    (but for Paulis, on parities), for results that are no parities, and for what is too large.
    """
    made = _Translation(circuit)
    problem = made.run()
    if observables is None:
        problem.observables = made.results()
    else:
        ends = [line for line in made.line if problem.names[line]]
        problem.observables = [(text, _product(text, ends)) for text in observables]
    if len(problem.observables) > MAX_OBSERVABLES:
        message = f"{len(problem.observables)} observables: at most {MAX_OBSERVABLES} can be"
        raise error(message, kind=Kind.LIMIT, help="name fewer: --observables ZZ,XI")
    return problem


def _product(text: str, lines: Sequence[int]) -> Product:
    """The Pauli product of some letters, one for each line."""
    if text.strip("IXYZ") or len(text) != len(lines):
        count = len(lines)
        message = f"'{text}' is not a Pauli product on {count} qubit{'s' if count > 1 else ''}"
        help = "it has one of the letters I, X, Y, Z for each of the program's qubits, in order"
        raise error(message, kind=Kind.USAGE, help=help)
    return Product({at: letter for at, letter in zip(lines, text, strict=True) if letter != "I"})


class _Translation:
    """One sweep over the rows."""

    def __init__(self, circuit: Circuit) -> None:
        self.source = circuit
        self.problem = Problem(circuit)
        self.wire: list[int] = circuit.wires().tolist()
        made = np.flatnonzero(np.isin(circuit.op, [CODE["alloc"], CODE["input"]])).tolist()
        self.names = [str(circuit.attribute(row)) for row in made]
        if len(self.names) > MAX_QUBITS:
            message = f"{len(self.names)} qubits are too many to cut: at most {MAX_QUBITS} can be"
            raise error(message, kind=Kind.LIMIT)
        self.line = list(range(len(made)))
        """By wire, the line that has it."""
        self.held = list(range(len(made)))
        """By line, the wire that it has or had last."""
        self.pairs = 0
        self.measured: dict[int, str] = {}
        """The basis that each measured line is measured in."""
        self.bits: dict[int, Product] = {}
        """The observable of each measured bit and each parity, by value number."""
        self.named = [
            (name, value, row)
            for row in np.flatnonzero(np.isin(circuit.op, list(KINDS))).tolist()
            for name, value in result_bits(
                OPS[circuit.op[row]].name, str(circuit.attribute(row)), circuit.values(row)
            )
        ]
        """The bits of the results."""

    def run(self) -> Problem:
        used = np.unique(self.source.cond[self.source.cond >= 0]).tolist()
        needed = classical_rows(self.source, [*used, *(value for _, value, _ in self.named)])
        if len(needed) > MAX_PARITIES:
            message = f"limit passed: the program computes more than {MAX_PARITIES} bits"
            raise self.refusal(needed[MAX_PARITIES], message, "cut a shorter program")
        computed = set(needed)
        for row, code in enumerate(self.source.op.tolist()):
            spec = OPS[code]
            if spec.name in CLASSICAL:
                if row in computed:
                    self.compute(row, spec)
            elif code not in KINDS and spec.name not in IGNORED and spec.name != "alloc":
                self.act(row, spec)
        self.problem.names = [self.names[wire] for wire in self.held]
        ends = set(self.line)
        lines = [*self.line, *(line for line in range(len(self.held)) if line not in ends)]
        self.problem.order = [line for line in lines if self.problem.names[line]]
        return self.problem

    def refusal(self, row: int, message: str, help: str) -> CompileError:
        return refusal(self.source.locations, message, int(self.source.loc[row]), help)

    def compute(self, row: int, spec: OpSpec) -> None:
        """The observable of a computed bit; a conjunction has none, nor what depends on it."""
        bits = self.source.values(row)
        value = int(self.source.first[row])
        if spec.name == "const":
            self.bits[value] = Product({}, -1 if self.source.attr[row] else 1)
        elif all(bit in self.bits for bit in bits) and (spec.name == "xor" or len(bits) == 1):
            self.bits[value] = parity([self.bits[bit] for bit in bits])

    def act(self, row: int, spec: OpSpec) -> None:
        """An operation on qubits."""
        source = self.source
        wires = [self.wire[value] for value in source.values(row)]
        lines = [self.line[wire] for wire in wires]
        paulis = str(source.attribute(row)) if spec.attr == "paulis" else ""
        if spec.is_marker or spec.name == "input":
            help = "cut the closed program" if spec.name == "input" else "run the pass 'uncompute'"
            raise self.refusal(row, f"'{spec.name}' cannot be cut", help)
        if source.cond[row] >= 0:
            self.predicated(row, spec, lines)
        elif spec.makes_bit:
            self.measure(row, lines, MEASURED.get(spec.name) or paulis)
        elif spec.name == "swap":
            self.hold(wires[0], lines[1])
            self.hold(wires[1], lines[0])
        elif spec.name == "reset" and lines[0] in self.measured:
            if len(self.held) == MAX_QUBITS:
                message = (
                    f"limit passed: more than {MAX_QUBITS} qubits, with each one that is reset"
                )
                raise self.refusal(row, message, "cut a shorter program")
            self.held.append(wires[0])
            self.hold(wires[0], len(self.held) - 1)
        else:
            self.check_free(row, spec, lines)
            angle = float(source.angle[row])
            made = rotation(paulis, angle) if spec.name == "ppr" else gate(spec, angle)
            self.append(made, lines, row)

    def hold(self, wire: int, line: int) -> None:
        """Have a wire on a line from here on."""
        self.line[wire], self.held[line] = line, wire

    def predicated(self, row: int, spec: OpSpec, lines: Sequence[int]) -> None:
        """A Pauli under a parity of measured bits: Paulis controlled by what they measure."""
        bit = self.bits.get(int(self.source.cond[row]))
        if not spec.is_pauli or bit is None:
            what = "a conjunction of results" if spec.is_pauli else "a result, and is no Pauli"
            help = "cutting knows no feed-forward; use controlled gates and measure at the end"
            raise self.refusal(row, f"'{spec.name}' depends on {what}", help)
        self.check_free(row, spec, lines)
        for line, letter in bit.letters.items():
            made = QuantumCircuit(2)
            getattr(made, f"c{spec.name}")(0, 1)
            change = to_z(letter + "I")
            self.append(change.compose(made).compose(change.inverse()), [line, *lines], row)
        if bit.sign < 0:
            self.append(gate(spec, 0.0), lines, row)

    def check_free(self, row: int, spec: OpSpec, lines: Sequence[int]) -> None:
        """Refuse a gate behind a measurement."""
        for line in lines:
            if line in self.measured:
                name = self.names[self.held[line]]
                message = f"'{spec.name}' acts on qubit '{name}' after its measurement"
                help = "cutting takes measurements at the end alone; reset it, or use another one"
                raise self.refusal(row, message, help)

    def append(self, made: QuantumCircuit, on: Sequence[int], row: int) -> None:
        """The gates of a small circuit; those on three qubits as gates on two."""
        for instruction in made.data:
            lines = tuple(on[made.find_bit(qubit).index] for qubit in instruction.qubits)
            operation = instruction.operation
            if operation.num_qubits > 2:
                self.append(operation.definition, lines, row)
                continue
            self.pairs += operation.num_qubits == 2
            if self.pairs > MAX_PAIRS or len(self.problem.steps) >= MAX_GATES:
                message = f"limit passed: {MAX_GATES} gates, {MAX_PAIRS} of them on two qubits"
                raise self.refusal(row, message, "cut a shorter circuit")
            names = tuple(self.names[self.held[line]] for line in lines)
            self.problem.steps.append(Step(operation, lines, names, int(self.source.loc[row])))

    def measure(self, row: int, lines: Sequence[int], paulis: str) -> None:
        """A measurement of a Pauli product: an observable, as nothing but measurements follows."""
        letters = {at: letter for at, letter in zip(lines, paulis, strict=True) if letter != "I"}
        for line, letter in letters.items():
            before = self.measured.setdefault(line, letter)
            if before != letter:
                name = self.names[self.held[line]]
                message = f"qubit '{name}' is measured in {letter} and before that in {before}"
                raise self.refusal(row, message, "cutting takes one measurement basis per qubit")
        self.bits[int(self.source.first[row + 1]) - 1] = Product(letters)

    def results(self) -> list[tuple[str, Product]]:
        """The observable of each bit of the results, and of their parity."""
        if not self.named:
            raise error("the program has no results to observe", help="name some: --observables ZZ")
        for name, value, row in self.named:
            if value not in self.bits:
                message = f"result '{name}' is no parity of measured bits"
                raise self.refusal(row, message, "name Pauli products: --observables ZZ,XI")
        found = [(name, self.bits[value]) for name, value, _ in self.named]
        if len(found) > 1:
            names, products = zip(*found, strict=True)
            found.append(("*".join(names), parity(products)))
        return found


def parity(products: Sequence[Product]) -> Product:
    """The product of observables that have the same letter wherever they meet."""
    letters: dict[int, str] = {}
    sign = 1
    for product in products:
        sign *= product.sign
        for line, letter in product.letters.items():
            if letters.pop(line, None) is None:
                letters[line] = letter
    return Product(letters, sign)


def gate(spec: OpSpec, angle: float) -> QuantumCircuit:
    """A gate or reset alone."""
    made = QuantumCircuit(spec.qubits)
    getattr(made, spec.qiskit)(*([angle] if spec.angle else []), *range(spec.qubits))
    return made


def to_z(paulis: str) -> QuantumCircuit:
    """Gates that make Z of each letter of a product."""
    made = QuantumCircuit(len(paulis))
    for at, letter in enumerate(paulis):
        if letter == "X":
            made.h(at)
        elif letter == "Y":
            made.sx(at)
    return made


def rotation(paulis: str, angle: float) -> QuantumCircuit:
    """exp(-i angle P / 2): a ladder of cx around one rzz, which is cheaper to cut than two cx."""
    on = [at for at, letter in enumerate(paulis) if letter != "I"]
    change = to_z(paulis)
    for control, target in pairwise(on[:-1]):
        change.cx(control, target)
    made = QuantumCircuit(len(paulis))
    if len(on) == 1:
        made.rz(angle, on[0])
    elif on:
        made.rzz(angle, on[-2], on[-1])
    return change.compose(made).compose(change.inverse())
