"""Temporary logical ANDs: a CCZ, or a Toffoli onto a fresh qubit, with four T gates.

The ancilla gets the product of two qubits by four T gates, and loses it again by a measurement in X
whose outcome says if a CZ is left to do (Jones, arXiv:1212.5069; Gidney, arXiv:1709.06648):

    w = alloc                    m = measure_x w
    ... 4 T, T depth 2: w = ab   cz a, b if m
                                 free w

The gates between differ from those of the papers: four CX instead of six.  With w in |+>, the
phases on w, w+a, w+b and w+a+b are (-1)^(wab) i^(-ab) together.  They are done on w and on the wire
of a.  w is left as w+b, which is worth a phase (-1)^(ab), so S-dagger on the product is still due.
"""

from __future__ import annotations

from qwasmc.ir.wires import WireBuilder
from qwasmc.passes.templates import Gate

AND = (
    Gate("h", (2,)),
    Gate("cx", (2, 0)),
    Gate("t", (2,)),
    Gate("tdg", (0,)),
    Gate("cx", (1, 2)),
    Gate("cx", (1, 0)),
    Gate("tdg", (2,)),
    Gate("t", (0,)),
    Gate("cx", (2, 0)),
    Gate("h", (2,)),
    Gate("sdg", (2,)),
)
"""A Toffoli, if its target is in |0>."""


def ccz(builder: WireBuilder, a: int, b: int, c: int, loc: int = -1) -> None:
    """Append a CCZ on three wires: 4 T, 5 two-qubit gates and one that depends on an outcome."""
    wire = and_compute(builder, a, b, loc)
    builder.gate("cz", wire, c, loc=loc)
    and_uncompute(builder, wire, a, b, loc)


def and_compute(builder: WireBuilder, a: int, b: int, loc: int = -1) -> int:
    """Append 4 T gates and 4 CX that make a new wire with the product of two wires; the wire."""
    wire = builder.alloc(loc)
    and_onto(builder, wire, a, b, loc)
    return wire


def and_onto(builder: WireBuilder, wire: int, a: int, b: int, loc: int = -1) -> None:
    """Append 4 T gates and 4 CX that put the product of two wires onto one in |0>."""
    for gate in AND:
        builder.gate(gate.name, *((a, b, wire)[slot] for slot in gate.slots), loc=loc)


def and_uncompute(builder: WireBuilder, wire: int, a: int, b: int, loc: int = -1) -> None:
    """Append the end of a wire that has the product of two wires: no T gate."""
    and_off(builder, wire, a, b, loc)
    builder.gate("free", wire, loc=loc)


def and_off(builder: WireBuilder, wire: int, a: int, b: int, loc: int = -1) -> int:
    """Measure in X a wire that has the product of two wires, and append what that costs the two.

    Gives the outcome, whose eigenstate of X the wire is left in.
    """
    outcome = builder.measure("measure_x", wire)
    builder.gate("cz", a, b, cond=outcome, loc=loc)
    return outcome
