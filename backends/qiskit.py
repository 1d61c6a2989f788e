"""Circuit -> Qiskit's QuantumCircuit: one classical bit per measurement, conditions as `if_test`.

    measure_z 4 -> 5, 6        q[0] -> m[0]
    h 5 if 6                   if m[0] { h q[0] }
    and 6 9 -> 10              c[0] = m[0] & m[1]      only if conditions share it, or it is long
    h 7 if 10                  if c[0] { h q[1] }

A qubit that was freed is used again, after a reset.  Results are not computed in the circuit:
`Translated.evaluate` computes them from measured bits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import ClassicalRegister, Clbit, QuantumCircuit, QuantumRegister
from qiskit.circuit.classical import expr

from qwasmc.backends.clifford import Gate, Product, product
from qwasmc.diagnostics import CompileError
from qwasmc.ir.circuit import Circuit
from qwasmc.ops import CODE, OPS, OpSpec

MAX_TERMS = 16
"""Most measured bits in one expression; a longer one is stored in a bit, step by step."""

IGNORED = frozenset(
    {"free", "input", "output", "syndrome", "rev_begin", "rev_end", "require", "pragma"}
    | {"result", "result_int", "result_float"}
)
"""Operations that do nothing to qubits."""

CLASSICAL = (CODE["const"], CODE["xor"], CODE["and"])
"""Codes of the operations that compute bits."""

Bit: TypeAlias = "expr.Expr | Clbit | bool"
"""A bit that a condition may depend on: an expression, a measured or stored bit, or a constant."""

MEASURED = {"measure_z": "Z", "measure_x": "X", "measure_y": "Y"}


@dataclass(slots=True)
class Translated:
    """A Qiskit circuit and what its measured bits mean."""

    circuit: QuantumCircuit
    source: Circuit
    clbit: dict[int, int] = field(default_factory=dict)
    """Index in the register `m` by value number, for every measured bit."""

    def evaluate(self, values: Sequence[int], measured: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Bits of the program from measured ones: (n, measurements) to (n, len(values))."""
        shots = len(measured)
        column = {value: measured[:, at] for value, at in self.clbit.items()}
        for row in _classical_rows(self.source, values):
            name = OPS[self.source.op[row]].name
            operands = [column[value] for value in self.source.values(row)]
            start = bool(self.source.attr[row]) if name == "const" else name == "and"
            made = np.full(shots, start)
            for operand in operands:
                made = made & operand if name == "and" else made ^ operand
            column[int(self.source.first[row])] = made
        bits = np.empty((shots, len(values)), dtype=np.bool_)
        for at, value in enumerate(values):
            bits[:, at] = column[value]
        return bits


def to_qiskit(circuit: Circuit) -> Translated:
    """Translate a circuit; inputs are qubits in |0>, and outputs are left as they are."""
    return _Translation(circuit).run()


def width(circuit: Circuit) -> int:
    """How many qubits the translation has."""
    return max(_qubits(circuit).values(), default=-1) + 1


def _qubits(circuit: Circuit) -> dict[int, int]:
    """The qubit of each wire; a freed one is used again, the one freed last first."""
    wire: list[int] = circuit.wires().tolist()
    qubit: dict[int, int] = {}
    idle: list[int] = []
    fresh = 0
    for row, code in enumerate(circuit.op.tolist()):
        if OPS[code].makes_qubit:
            if not idle:
                idle.append(fresh)
                fresh += 1
            qubit[wire[int(circuit.first[row])]] = idle.pop()
        elif OPS[code].name == "free":
            idle.append(qubit[wire[circuit.values(row)[0]]])
    return qubit


def _classical_rows(circuit: Circuit, values: Sequence[int]) -> list[int]:
    """The rows that compute these bits from measured ones, in order."""
    needed = np.zeros(circuit.n_values, dtype=np.bool_)
    needed[list(values)] = True
    found: list[int] = []
    for row in np.flatnonzero(np.isin(circuit.op, CLASSICAL))[::-1].tolist():
        if needed[circuit.first[row]]:
            found.append(row)
            needed[circuit.values(row)] = True
    return found[::-1]


class _Translation:
    """One sweep over the rows.

    Rows that follow each other and depend on the same bit share an `if`: they wait in `waiting`.
    """

    def __init__(self, circuit: Circuit) -> None:
        self.source = circuit
        qubit = _qubits(circuit)
        self.qubit = [qubit.get(wire, -1) for wire in circuit.wires().tolist()]
        """The qubit of each value, or -1."""
        self.used = [False] * (max(qubit.values(), default=-1) + 1)
        conditions = np.unique(circuit.cond[circuit.cond >= 0]).tolist()
        self.needed = set(_classical_rows(circuit, conditions))
        self.stored = self.choose_stored()
        self.m = ClassicalRegister(sum(_measures(OPS[c]) for c in circuit.op.tolist()), "m")
        self.c = ClassicalRegister(len(self.stored), "c")
        q = QuantumRegister(len(self.used), "q")
        self.circuit = QuantumCircuit(*[r for r in (q, self.m, self.c) if len(r)])
        self.made = Translated(self.circuit, circuit)
        self.bit: dict[int, Bit] = {}
        """What conditions may depend on, by value number."""
        self.waiting: list[int] = []

    def choose_stored(self) -> dict[int, int]:
        """The index in the register `c` of each bit that is computed once and kept."""
        circuit = self.source
        uses = Counter(circuit.cond.tolist())
        for row in self.needed:
            uses.update(circuit.values(row))
        terms: dict[int, int] = {}
        stored: dict[int, int] = {}
        for row in sorted(self.needed):
            value = int(circuit.first[row])
            operands = circuit.values(row)
            terms[value] = sum(terms.get(operand, 1) for operand in operands)
            if len(operands) > 1 and (uses[value] > 1 or terms[value] > MAX_TERMS):
                stored[value] = len(stored)
                terms[value] = 1
        return stored

    def run(self) -> Translated:
        conditions = self.source.cond.tolist()
        for row, code in enumerate(self.source.op.tolist()):
            if self.waiting and 0 <= conditions[row] != conditions[self.waiting[0]]:
                self.flush()
            if _measures(OPS[code]):
                self.measured(row)
            if conditions[row] >= 0:
                self.waiting.append(row)
            else:
                self.step(row, OPS[code])
        self.flush()
        return self.made

    def step(self, row: int, spec: OpSpec) -> None:
        """A row that depends on no bit."""
        if CODE[spec.name] in CLASSICAL:
            if row in self.needed:
                self.classical(row, spec)
        elif spec.name == "alloc":
            self.alloc(self.qubit[int(self.source.first[row])])
        elif spec.name not in IGNORED:
            self.flush()
            self.act(row, spec)

    def flush(self) -> None:
        """Write what waits."""
        rows, self.waiting = self.waiting, []
        if not rows:
            return
        bit = self.bit[int(self.source.cond[rows[0]])]
        if isinstance(bit, bool):
            if bit:
                self.act_all(rows)
            return
        with self.circuit.if_test((bit, True) if isinstance(bit, Clbit) else bit):
            self.act_all(rows)

    def act_all(self, rows: Sequence[int]) -> None:
        for row in rows:
            self.act(row, OPS[self.source.op[row]])

    def act(self, row: int, spec: OpSpec) -> None:
        """An operation on qubits, whatever it depends on."""
        qubits = [self.qubit[value] for value in self.source.values(row)]
        angle = float(self.source.angle[row])
        if _measures(spec):
            self.measure(row, MEASURED.get(spec.name) or self.text(row), qubits)
        elif spec.name == "ppr":
            self.rotate(product(self.text(row)), angle, qubits)
        elif spec.qiskit:
            parameters = [angle] if spec.angle else []
            getattr(self.circuit, spec.qiskit)(*parameters, *qubits)
        else:
            loc = int(self.source.loc[row])
            message = f"'{spec.name}' has no meaning in a Qiskit circuit"
            raise CompileError(self.source.locations.diagnostic(message, loc))

    def text(self, row: int) -> str:
        return str(self.source.attribute(row))

    def gates(self, gates: Sequence[Gate], qubits: Sequence[int]) -> None:
        for gate in gates:
            getattr(self.circuit, gate.name)(*[qubits[at] for at in gate.on])

    def rotate(self, made: Product, angle: float, qubits: Sequence[int]) -> None:
        """A rotation about a Pauli product."""
        if made.target >= 0:
            self.gates(made.gather, qubits)
            self.circuit.rz(angle, qubits[made.target])
            self.gates(made.scatter, qubits)

    def measure(self, row: int, paulis: str, qubits: Sequence[int]) -> None:
        """A measurement of a Pauli product; of nothing, it is 0."""
        made = product(paulis)
        if made.target >= 0:
            self.gates(made.gather, qubits)
            bit = self.m[self.made.clbit[self.made_bit(row)]]
            self.circuit.measure(qubits[made.target], bit)
            self.gates(made.scatter, qubits)

    def alloc(self, qubit: int) -> None:
        """A qubit in |0>, which it is if it was never used."""
        if self.used[qubit]:
            self.flush()
            self.circuit.reset(qubit)
        self.used[qubit] = True

    # -- bits

    def made_bit(self, row: int) -> int:
        """The number of the bit that a row makes, which is its last value."""
        return int(self.source.first[row + 1]) - 1

    def measured(self, row: int) -> None:
        """The bit of a measurement."""
        bit = self.made_bit(row)
        self.made.clbit[bit] = len(self.made.clbit)
        self.bit[bit] = self.m[self.made.clbit[bit]]

    def classical(self, row: int, spec: OpSpec) -> None:
        """A bit that conditions depend on."""
        value = self.made_bit(row)
        if spec.name == "const":
            self.bit[value] = bool(self.source.attr[row])
            return
        operands = [self.bit[operand] for operand in self.source.values(row)]
        bit = _combined(spec.name, operands)
        if value in self.stored and not isinstance(bit, bool):
            self.flush()
            place = self.c[self.stored[value]]
            self.circuit.store(place, bit)
            bit = place
        self.bit[value] = bit


def _measures(spec: OpSpec) -> bool:
    """Whether an operation measures qubits."""
    return spec.makes_bit and spec.qubits != 0


def _combined(name: str, operands: Sequence[Bit]) -> Bit:
    """The parity (`xor`) or conjunction (`and`) of bits, without constants, as a balanced tree."""
    constants = [operand for operand in operands if isinstance(operand, bool)]
    terms = [operand for operand in operands if not isinstance(operand, bool)]
    if name == "and" and not all(constants):
        return False
    odd = name == "xor" and sum(constants) % 2 == 1
    if not terms:
        return odd or name == "and"
    join = expr.bit_and if name == "and" else expr.bit_xor
    while len(terms) > 1:
        pairs = zip(terms[::2], terms[1::2], strict=False)
        rest = terms[-1:] if len(terms) % 2 else []
        terms = [*(join(a, b) for a, b in pairs), *rest]
    return expr.logic_not(terms[0]) if odd else terms[0]
