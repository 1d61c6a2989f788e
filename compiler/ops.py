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


OBJECTIVES = ("t", "two-qubit", "volume", "depth")
"""What optimisation may lower; `qwasmc.cost` says what they are."""


class Effect(IntEnum):
    """What an operation does to basis states of its qubits."""

    NONE = 0  # makes or destroys superpositions, or is no gate
    DIAGONAL = 1  # leaves each one as it is, up to a phase or an outcome
    PERMUTES = 2  # takes each one to one, perhaps with a phase; controls are only read


TEXT_ATTRIBUTES = ("name", "paulis", "text", "needs", "predicate", "function", "space", "callee")


MARKERS = ("rev_begin", "rev_end", "uncompute", "ctrl_begin", "ctrl_end")


@dataclass(frozen=True, slots=True)
class OpSpec:
    """One row.

    `qubits` are consumed and produced in order (a linear value each); -1 means any number.
    `bits` are i1 operands; -1 means any number.  `inverse` is None where there is none;
    for an op with an angle the inverse is the named op at minus the angle.
    `stim` is the name of the Clifford gate in Stim, if it is one; `qiskit` the name in
    `qiskit.circuit.library` standard gates; `qir` the `__quantum__qis__*` stem.
    `controls` leading qubits are controls of the remaining ones; `effect` says what becomes of
    basis states.
    `takes` and `makes` are the types of further operands and results, after the qubits and bits;
    a row with `flexible` fixes neither.  Both exist in Program only, as do rows that end a block
    (`ends_block`) and lead to so many others (`targets`).
    """

    name: str
    qubits: int
    doc: str
    bits: int = 0
    makes_qubit: bool = False
    ends_qubit: bool = False
    makes_bit: bool = False
    takes: tuple[Type, ...] = ()
    makes: tuple[Type, ...] = ()
    flexible: bool = False
    ends_block: bool = False
    targets: int = 0
    angle: bool = False
    attr: str = ""
    controls: int = 0
    effect: Effect = Effect.NONE
    inverse: str | None = None
    stim: str = ""
    qiskit: str = ""
    qir: str = ""
    cost: Cost = Cost.FREE

    @property
    def is_gate(self) -> bool:
        """Whether this is a unitary gate."""
        return self.inverse is not None

    @property
    def in_circuit(self) -> bool:
        """Whether a Circuit may have it; the others are run when a program is specialised."""
        return not (self.takes or self.makes or self.flexible or self.ends_block)

    @property
    def attr_is_text(self) -> bool:
        """Whether the attribute is text; any other is a number."""
        return self.attr in TEXT_ATTRIBUTES

    @property
    def is_pauli(self) -> bool:
        """Whether this is a Pauli gate, which may be predicated on a bit for free."""
        return self.name in ("x", "y", "z")

    @property
    def is_marker(self) -> bool:
        """Whether this marks where a segment or a control region begins, ends or is undone."""
        return self.name in MARKERS

    @property
    def may_be_predicated(self) -> bool:
        """Whether it can depend on a bit; where that is 0 its qubits stay, and its bit is 0."""
        lives = self.makes_qubit or self.ends_qubit or self.name == "barrier" or self.is_marker
        return self.qubits != 0 and not lives

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
    permutes, diagonal = name in PERMUTING, name in DIAGONAL
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
        effect=Effect.PERMUTES if permutes else Effect.DIAGONAL if diagonal else Effect.NONE,
    )


PERMUTING = frozenset({"x", "y", "cx", "cy", "swap", "ccx", "cswap"})
DIAGONAL = frozenset({"z", "s", "sdg", "t", "tdg", "rz", "p", "cz", "cp", "crz", "ccz"})


def _classical(
    name: str, takes: tuple[Type, ...], makes: tuple[Type, ...], doc: str, attr: str = ""
) -> OpSpec:
    return OpSpec(name=name, qubits=0, doc=doc, takes=takes, makes=makes, attr=attr)


I1, I64, F64 = (Type.I1,), (Type.I64,), (Type.F64,)

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
        effect=Effect.DIAGONAL,
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
    OpSpec(
        "ppr",
        -1,
        "Rotate about a Pauli product: exp(-i angle P / 2); `paulis` has one letter per qubit.",
        attr="paulis",
        angle=True,
        inverse="ppr",
        cost=Cost.SYNTHESIS,
    ),
    # gates on two and three qubits
    _gate("cx", 2, "Controlled X.", stim="CX", controls=1),
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
    OpSpec(
        "result_int",
        0,
        "A named integer result: bits in two's complement, the least significant one first.",
        bits=-1,
        attr="name",
    ),
    OpSpec(
        "result_float",
        0,
        "A named floating-point result: the 64 bits of IEEE 754, the least significant one first.",
        bits=-1,
        attr="name",
    ),
    # time and structure
    OpSpec("syndrome", 0, "Extract syndromes for `rounds` rounds (0: one slab).", attr="rounds"),
    OpSpec("barrier", -1, "Nothing moves across it on these qubits.", qiskit="barrier"),
    OpSpec(
        "rev_begin",
        -1,
        "Start of the reversible segment `name`; its scratch qubits, if they are listed.",
        attr="name",
    ),
    OpSpec("rev_end", 0, "End of the innermost reversible segment.", attr="name"),
    OpSpec("uncompute", 0, "Undo what the segment `name` wrote to scratch qubits.", attr="name"),
    OpSpec("ctrl_begin", -1, "What follows is controlled on these qubits."),
    OpSpec("ctrl_end", 0, "End of the innermost control region."),
    OpSpec(
        "require",
        0,
        "A condition on the schedule: `needs` is `MAGIC_STATE_REQUEST count, cycles` or "
        "`MAGIC_DISTILLATION_START inputs, fidelity`.",
        attr="needs",
    ),
    OpSpec("pragma", 0, "A note without meaning for the compiler; kept.", attr="text"),
    # numbers
    _classical("const_i64", (), I64, "The integer `int`.", "int"),
    _classical("const_f64", (), F64, "The number `real`.", "real"),
    _classical("addi", I64 * 2, I64, "Sum modulo 2^64."),
    _classical("subi", I64 * 2, I64, "Difference modulo 2^64."),
    _classical("muli", I64 * 2, I64, "Product modulo 2^64."),
    _classical("divsi", I64 * 2, I64, "Signed quotient, rounded towards 0."),
    _classical("divui", I64 * 2, I64, "Unsigned quotient."),
    _classical("remsi", I64 * 2, I64, "Signed remainder, with the sign of the dividend."),
    _classical("remui", I64 * 2, I64, "Unsigned remainder."),
    _classical("andi", I64 * 2, I64, "Bitwise and."),
    _classical("ori", I64 * 2, I64, "Bitwise or."),
    _classical("xori", I64 * 2, I64, "Bitwise exclusive or."),
    _classical("shli", I64 * 2, I64, "Shift left; 0 if by 64 or more."),
    _classical("shrsi", I64 * 2, I64, "Arithmetic shift right; all sign bits if by 64 or more."),
    _classical("shrui", I64 * 2, I64, "Logical shift right; 0 if by 64 or more."),
    _classical("extsi", I64, I64, "Sign extension of the lowest `bits` bits.", "bits"),
    _classical("extui", I1, I64, "A bit as 0 or 1."),
    _classical("trunci", I64, I1, "The lowest bit."),
    _classical("cmpi", I64 * 2, I1, "Comparison: eq, ne, slt, sle, sgt, ult, ...", "predicate"),
    _classical("addf", F64 * 2, F64, "Sum."),
    _classical("subf", F64 * 2, F64, "Difference."),
    _classical("mulf", F64 * 2, F64, "Product."),
    _classical("divf", F64 * 2, F64, "Quotient."),
    _classical("remf", F64 * 2, F64, "Remainder, with the sign of the dividend."),
    _classical("powf", F64 * 2, F64, "Power."),
    _classical("cmpf", F64 * 2, I1, "Comparison: oeq, one, olt, ..., ueq, une, ...", "predicate"),
    _classical("mathf", F64, F64, "The `function` sqrt, sin, cos, exp, ...", "function"),
    _classical("sitofp", I64, F64, "A signed integer as a number."),
    _classical("uitofp", I64, F64, "An unsigned integer as a number."),
    _classical("fptosi", F64, I64, "A number rounded towards 0, as a signed integer."),
    _classical("fptoui", F64, I64, "A number rounded towards 0, as an unsigned integer."),
    _classical("select_i1", I1 * 3, I1, "The second operand if the first is 1, else the third."),
    _classical("select_i64", I1 + I64 * 2, I64, "The same for integers."),
    _classical("select_f64", I1 + F64 * 2, F64, "The same for numbers."),
    # classical memory: each address of a space holds one value
    _classical("allocate", I64, I64, "The first of so many fresh addresses in `space`.", "space"),
    _classical("load_i1", I64, I1, "The bit at an address in `space`.", "space"),
    _classical("load_i64", I64, I64, "The integer at an address in `space`.", "space"),
    _classical("load_f64", I64, F64, "The number at an address in `space`.", "space"),
    _classical("store_i1", I1 + I64, (), "Put a bit at an address in `space`.", "space"),
    _classical("store_i64", I64 + I64, (), "Put an integer at an address in `space`.", "space"),
    _classical("store_f64", F64 + I64, (), "Put a number at an address in `space`.", "space"),
    # qubits by number: each slot holds one qubit
    _classical("slot", (), I64, "The number of a fresh slot."),
    OpSpec("extract", 0, "Take the qubit out of a slot.", takes=I64, makes_qubit=True),
    OpSpec("insert", 1, "Put a qubit into an empty slot.", takes=I64, ends_qubit=True),
    # results as numbers
    _classical("result_i64", I64, (), "A named integer result of the program.", "name"),
    _classical("result_f64", F64, (), "A named floating-point result of the program.", "name"),
    # control flow
    OpSpec("call", 0, "Run the function `callee`.", flexible=True, attr="callee"),
    OpSpec("br", 0, "Go on in another block.", ends_block=True, targets=1),
    OpSpec(
        "cond_br",
        0,
        "Go on in the first block if the bit is 1, else in the second.",
        bits=1,
        ends_block=True,
        targets=2,
    ),
    OpSpec("halt", 0, "End of the program, wherever it is.", ends_block=True),
    OpSpec("fail", 0, "A run that gets here is an error.", ends_block=True, attr="text"),
    OpSpec("return", 0, "End of a function.", flexible=True, ends_block=True),
)

CODE: dict[str, int] = {spec.name: code for code, spec in enumerate(OPS)}
"""Op code by name."""

BY_NAME: dict[str, OpSpec] = {spec.name: spec for spec in OPS}
"""Row by name."""
