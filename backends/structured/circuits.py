"""Circuit -> Listing: a straight line of statements.

    measure_z 4 -> 5, 6        Measure(0, m)
    h 5 if 6                   If(m, [Gate("h", (0,))])
    and 6 9 -> 10              Assign(c, and(m, n))       only if it is used again, or long
    result 10 "r"              Assign(r, c)

A measured bit that is a result is measured into the result.  A qubit that was freed is used again,
after a reset.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from qwasmc.backends.refusals import refusal
from qwasmc.backends.results import results_of
from qwasmc.backends.structured.operations import add, operation
from qwasmc.backends.structured.tree import (
    FALSE,
    TRUE,
    Assign,
    Constant,
    Expression,
    Listing,
    Read,
    Reset,
    Result,
    Statement,
    Variable,
    conjunction,
    parity,
)
from qwasmc.ir.circuit import Circuit
from qwasmc.ops import CODE, OPS, OpSpec, Type

MAX_TERMS = 16
"""Most measured bits in one expression; a longer one is stored in a bit, step by step."""

IGNORED = frozenset({"free", "input", "output", "syndrome", "rev_begin", "rev_end"}) | {
    *("require", "pragma", "result", "result_int", "result_float")
}
"""Operations that do nothing to qubits."""

CLASSICAL = (CODE["const"], CODE["xor"], CODE["and"])
"""Codes of the operations that compute bits."""


@dataclass(slots=True)
class Straight:
    """A circuit as statements, and the variable of each measured bit, by value number."""

    listing: Listing
    measured: dict[int, Variable]


def straight(circuit: Circuit, *, results: bool = True) -> Straight:
    """The statements of a circuit.

    With `results`, its results are variables; else only what operations depend on is computed.
    Raises CompileError for results that are floating-point numbers, and for segments that are
    still to be undone.
    """
    return _Translation(circuit, results).run()


def qubits_of(circuit: Circuit) -> dict[int, int]:
    """The qubit of each wire; `alloc` uses freed ones again, the one freed last first."""
    wire: list[int] = circuit.wires().tolist()
    qubit: dict[int, int] = {}
    idle: list[int] = []
    fresh = 0
    for row, code in enumerate(circuit.op.tolist()):
        if OPS[code].makes_qubit:
            reused = idle and OPS[code].name == "alloc"  # an input has a state of its own
            qubit[wire[int(circuit.first[row])]] = idle.pop() if reused else fresh
            fresh += not reused
        elif OPS[code].name == "free":
            idle.append(qubit[wire[circuit.values(row)[0]]])
    return qubit


def classical_rows(circuit: Circuit, values: list[int]) -> list[int]:
    """The rows that compute these bits from measured ones, in order."""
    needed = np.zeros(circuit.n_values, dtype=np.bool_)
    needed[values] = True
    found: list[int] = []
    for row in np.flatnonzero(np.isin(circuit.op, CLASSICAL))[::-1].tolist():
        if needed[circuit.first[row]]:
            found.append(row)
            needed[circuit.values(row)] = True
    return found[::-1]


class _Translation:
    """One sweep over the rows."""

    def __init__(self, circuit: Circuit, results: bool) -> None:
        self.source = circuit
        qubit = qubits_of(circuit)
        self.qubit = [qubit.get(wire, -1) for wire in circuit.wires().tolist()]
        """The qubit of each value, or -1."""
        self.names = [""] * (max(qubit.values(), default=-1) + 1)
        self.used = [False] * len(self.names)
        self.results: list[Result] = []
        self.own: dict[int, Variable] = {}
        """The result that each bit is the first one to be."""
        if results:
            self.declare_results()
        roots = [*np.unique(circuit.cond[circuit.cond >= 0]).tolist(), *self.own]
        self.needed = set(classical_rows(circuit, roots))
        self.stored = self.choose_stored()
        self.bit: dict[int, Expression] = {}
        self.measured: dict[int, Variable] = {}
        self.body: list[Statement] = []

    def declare_results(self) -> None:
        """Variables for the bits of results; a measured bit is measured into the first of them."""
        refuse_floats(self.source)
        for column, values in results_of(self.source):
            variables = [Variable(Type.I1) for _ in values]
            self.results.append(Result(column["name"], column["kind"], variables))
            for value, variable in zip(values, variables, strict=True):
                self.own.setdefault(value, variable)

    def choose_stored(self) -> set[int]:
        """The computed bits that are kept, because they are used again or are long."""
        circuit = self.source
        uses = Counter(circuit.cond.tolist())
        uses.update(list(self.own))
        for row in self.needed:
            uses.update(circuit.values(row))
        terms: dict[int, int] = {}
        stored: set[int] = set()
        for row in sorted(self.needed):
            value = int(circuit.first[row])
            operands = circuit.values(row)
            terms[value] = sum(terms.get(operand, 1) for operand in operands)
            if len(operands) > 1 and (uses[value] > 1 or terms[value] > MAX_TERMS):
                stored.add(value)
                terms[value] = 1
        return stored

    def run(self) -> Straight:
        source = self.source
        for row, code in enumerate(source.op.tolist()):
            spec = OPS[code]
            if code in CLASSICAL:
                if row in self.needed:
                    self.classical(row, spec)
            elif spec.makes_qubit:
                self.alloc(row)
            elif spec.name not in IGNORED:
                self.act(row, spec)
        self.write_results()
        listing = Listing(self.names, self.results, self.body, source.locations)
        return Straight(listing, self.measured)

    def alloc(self, row: int) -> None:
        """A qubit in |0>, which it is if it was never used."""
        qubit = self.qubit[int(self.source.first[row])]
        if self.used[qubit]:
            self.body.append(Reset(qubit, int(self.source.loc[row])))
        else:
            self.names[qubit] = str(self.source.attribute(row))
        self.used[qubit] = True

    def act(self, row: int, spec: OpSpec) -> None:
        """An operation on qubits."""
        source, loc = self.source, int(self.source.loc[row])
        if spec.is_marker:
            message = f"'{spec.name}' has no meaning in a circuit of gates"
            raise refusal(source.locations, message, loc, "the pass 'uncompute' resolves it")
        paulis = str(source.attribute(row)) if spec.attr == "paulis" else ""
        cond = int(source.cond[row])
        condition = None if cond < 0 or self.bit[cond] == TRUE else self.bit[cond]
        into = None
        if spec.makes_bit:
            value = int(source.first[row + 1]) - 1
            if condition == FALSE or (spec.name == "ppm" and not paulis.strip("I")):
                self.bit[value] = FALSE  # what is not measured, and the product of nothing
                return
            into = self.measured[value] = self.own.get(value) or Variable(Type.I1)
            self.bit[value] = Read(into)
        made = operation(
            spec,
            [self.qubit[value] for value in source.values(row)],
            angle=Constant(float(source.angle[row]), Type.F64) if spec.angle else None,
            paulis=paulis,
            into=into,
            loc=loc,
        )
        if condition != FALSE:
            add(self.body, condition, made)

    def classical(self, row: int, spec: OpSpec) -> None:
        """A computed bit."""
        value = int(self.source.first[row])
        if spec.name == "const":
            self.bit[value] = TRUE if self.source.attr[row] else FALSE
            return
        operands = [self.bit[operand] for operand in self.source.values(row)]
        bit = parity(operands) if spec.name == "xor" else conjunction(operands)
        if value in self.stored and not isinstance(bit, Constant | Read):
            variable = self.own.get(value) or Variable(Type.I1)
            self.body.append(Assign(variable, bit, int(self.source.loc[row])))
            bit = Read(variable)
        self.bit[value] = bit

    def write_results(self) -> None:
        """Put bits into the results that do not hold them yet."""
        if not self.results:
            return
        for result, (_, values) in zip(self.results, results_of(self.source), strict=True):
            for variable, value in zip(result.variables, values, strict=True):
                bit = self.bit[value]
                if bit != FALSE and not (isinstance(bit, Read) and bit.variable is variable):
                    self.body.append(Assign(variable, bit))


def refuse_floats(circuit: Circuit) -> None:
    """An error at the first result that is a floating-point number."""
    for row in np.flatnonzero(circuit.op == CODE["result_float"])[:1].tolist():
        message = f"the result '{circuit.attribute(row)}' is a floating-point number"
        help = "results of this output are bits and integers; `--emit circuit` has its bits"
        raise refusal(circuit.locations, message, int(circuit.loc[row]), help)
