"""The op table: every operation of the Program and Circuit IR is one row here.

Printer, parser, verifier, passes, backends, documentation and tests read this table; nothing
else knows an operation's properties.  The number of a row (its *op code*) is its index.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum


class Type(Enum):
    """Types of SSA values, with their spelling in the text form."""

    QUBIT = "!qw.qubit"
    I1 = "i1"
    I64 = "i64"
    F64 = "f64"


class Cost(IntEnum):
    """What an operation costs on a surface-code machine."""

    FREE = 0  # bookkeeping, Pauli frame, or a relabelling
    CLIFFORD = 1  # lattice surgery without magic states
    MAGIC = 2  # one T state
    SYNTHESIS = 3  # must be rewritten into Clifford+T first


@dataclass(frozen=True, slots=True)
class OpSpec:
    """One row.

    `qubits` are consumed and produced in order (a linear value each); -1 means any number.
    `bits` are i1 operands; -1 means any number.  `inverse` is None where there is none;
    for an op with an angle the inverse is the named op at minus the angle.
    `stim` is the name of the Clifford gate in Stim, if it is one; `qiskit` the name in
    `qiskit.circuit.library` standard gates; `qir` the `__quantum__qis__*` stem.
    `controls` leading qubits are controls of the remaining ones.
    """

    name: str
    qubits: int
    doc: str
    bits: int = 0
    makes_qubit: bool = False
    ends_qubit: bool = False
    makes_bit: bool = False
    angle: bool = False
    attr: str = ""
    controls: int = 0
    inverse: str | None = None
    stim: str = ""
    qiskit: str = ""
    qir: str = ""
    cost: Cost = Cost.FREE

    @property
    def is_gate(self) -> bool:
        """Whether this is a unitary gate."""
        return self.qubits > 0 and self.inverse is not None

    @property
    def attr_is_text(self) -> bool:
        """Whether the attribute is text; any other is an integer."""
        return self.attr in ("name", "paulis", "text")

    @property
    def is_pauli(self) -> bool:
        """Whether this is a Pauli gate, which may be predicated on a bit for free."""
        return self.name in ("x", "y", "z")

    @property
    def may_be_predicated(self) -> bool:
        """Whether it can depend on a bit: not if it makes or ends a value, or the block."""
        makes_or_ends = self.makes_qubit or self.ends_qubit or self.makes_bit
        return not (makes_or_ends or self.bits or self.name == "return")

    def made_qubits(self, taken: int) -> int:
        """How many qubit values it makes from so many."""
        return 1 if self.makes_qubit else 0 if self.ends_qubit else taken


def _gate(
    name: str,
    qubits: int,
    doc: str,
    inverse: str | None = None,
    *,
    stim: str = "",
    qiskit: str = "",
    qir: str = "",
    cost: Cost = Cost.CLIFFORD,
    angle: bool = False,
    controls: int = 0,
) -> OpSpec:
    return OpSpec(
        name=name,
        qubits=qubits,
        doc=doc,
        inverse=inverse or name,
        stim=stim,
        qiskit=qiskit or name,
        qir=qir or f"{name}__body",
        cost=cost,
        angle=angle,
        controls=controls,
    )


OPS: tuple[OpSpec, ...] = (
    # life of a qubit
    OpSpec("alloc", 0, "A new qubit in |0>.", makes_qubit=True, attr="name"),
    OpSpec("input", 0, "A qubit that enters in an unknown state.", makes_qubit=True, attr="name"),
    OpSpec("free", 1, "Discard a qubit.", ends_qubit=True),
    OpSpec("output", 1, "A qubit that leaves, still live.", ends_qubit=True, attr="name"),
    OpSpec("reset", 1, "Put a qubit into |0>.", stim="R", qiskit="reset", qir="reset__body"),
    OpSpec(
        "measure_z",
        1,
        "Measure Z, keep the qubit.",
        makes_bit=True,
        stim="M",
        qiskit="measure",
        qir="mz__body",
        cost=Cost.CLIFFORD,
    ),
    OpSpec(
        "measure_x", 1, "Measure X, keep the qubit.", makes_bit=True, stim="MX", cost=Cost.CLIFFORD
    ),
    OpSpec(
        "measure_y", 1, "Measure Y, keep the qubit.", makes_bit=True, stim="MY", cost=Cost.CLIFFORD
    ),
    OpSpec(
        "ppm",
        -1,
        "Measure a Pauli product; `paulis` has one letter per qubit.",
        makes_bit=True,
        attr="paulis",
        stim="MPP",
        cost=Cost.CLIFFORD,
    ),
    # gates on one qubit
    _gate("h", 1, "Hadamard.", stim="H", cost=Cost.FREE),
    _gate("x", 1, "Pauli X.", stim="X", cost=Cost.FREE),
    _gate("y", 1, "Pauli Y.", stim="Y", cost=Cost.FREE),
    _gate("z", 1, "Pauli Z.", stim="Z", cost=Cost.FREE),
    _gate("s", 1, "diag(1, i).", "sdg", stim="S"),
    _gate("sdg", 1, "diag(1, -i).", "s", stim="S_DAG", qir="s__adj"),
    _gate("sx", 1, "Square root of X.", "sxdg", stim="SQRT_X"),
    _gate("sxdg", 1, "Inverse square root of X.", "sx", stim="SQRT_X_DAG"),
    _gate("t", 1, "diag(1, exp(i pi/4)).", "tdg", cost=Cost.MAGIC),
    _gate("tdg", 1, "diag(1, exp(-i pi/4)).", "t", qir="t__adj", cost=Cost.MAGIC),
    _gate("rx", 1, "exp(-i angle X / 2).", angle=True, cost=Cost.SYNTHESIS),
    _gate("ry", 1, "exp(-i angle Y / 2).", angle=True, cost=Cost.SYNTHESIS),
    _gate("rz", 1, "exp(-i angle Z / 2).", angle=True, cost=Cost.SYNTHESIS),
    _gate("p", 1, "diag(1, exp(i angle)).", angle=True, cost=Cost.SYNTHESIS),
    # gates on two and three qubits
    _gate("cx", 2, "Controlled X.", stim="CX", qir="cnot__body", controls=1),
    _gate("cy", 2, "Controlled Y.", stim="CY", controls=1),
    _gate("cz", 2, "Controlled Z.", stim="CZ", controls=1),
    _gate("swap", 2, "Exchange two qubits.", stim="SWAP", cost=Cost.FREE),
    _gate("cp", 2, "Controlled p.", angle=True, cost=Cost.SYNTHESIS, controls=1),
    _gate("crz", 2, "Controlled rz.", angle=True, cost=Cost.SYNTHESIS, controls=1),
    _gate("ccx", 3, "Toffoli.", cost=Cost.SYNTHESIS, controls=2),
    _gate("ccz", 3, "Doubly controlled Z.", cost=Cost.SYNTHESIS, controls=2),
    _gate("cswap", 3, "Fredkin.", cost=Cost.SYNTHESIS, controls=1),
    # classical bits
    OpSpec("const", 0, "The bit `value`.", makes_bit=True, attr="value"),
    OpSpec("xor", 0, "Parity of bits.", bits=-1, makes_bit=True),
    OpSpec("and", 0, "Conjunction of bits.", bits=-1, makes_bit=True),
    OpSpec("result", 0, "A named classical result of the program.", bits=1, attr="name"),
    # time and structure
    OpSpec("syndrome", 0, "Extract syndromes for `rounds` rounds (0: one slab).", attr="rounds"),
    OpSpec("barrier", -1, "Nothing moves across it on these qubits.", qiskit="barrier"),
    OpSpec("rev_begin", 0, "Start of the reversible segment `name`.", attr="name"),
    OpSpec("rev_end", 0, "End of the innermost reversible segment.", attr="name"),
    OpSpec("uncompute", 0, "Undo the reversible segment `name`.", attr="name"),
    OpSpec("pragma", 0, "A note without meaning for the compiler; kept.", attr="text"),
    OpSpec("return", 0, "End of a function."),
)

CODE: dict[str, int] = {spec.name: code for code, spec in enumerate(OPS)}
"""Op code by name."""

BY_NAME: dict[str, OpSpec] = {spec.name: spec for spec in OPS}
"""Row by name."""
