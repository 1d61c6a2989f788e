"""What each instruction of QWASM means: a table of mnemonics and the builder behind it.

An instruction arrives with its operands evaluated (see expand.py) and leaves as operations of
the Program IR.  A handler checks everything before it appends anything.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from qwasmc.diagnostics import Diagnostic, Locations, did_you_mean
from qwasmc.grammar.evaluator import (
    Choice,
    Compare,
    Context,
    LineError,
    Literal,
    Node,
    Substitution,
    Template,
    Unary,
    Variable,
    kind_of,
    work,
)
from qwasmc.grammar.evaluator import Value as Constant
from qwasmc.ir.program import Attr, Block, Op, Value
from qwasmc.ops import BY_NAME, OPS, OpSpec, Type

GATES = {
    **{spec.name.upper(): spec.name for spec in OPS if spec.is_gate},
    "CNOT": "cx",
    "TOFFOLI": "ccx",
    "FREDKIN": "cswap",
}
"""Gates by their names in APPLY_ mnemonics."""

# fmt: off
MACHINE_GATES = (
    "H", "X", "Y", "Z", "S", "SDG", "T", "TDG", "RX", "RY", "RZ", "CNOT", "CZ", "SWAP", "CCX",
    "CCZ",
)
# fmt: on
"""Gates by their names in QL mnemonics."""

ANGLES = ("theta", "lambda", "phi", "angle")
"""Keys that give the angle of a gate that has one."""

# fmt: off
UNSUPPORTED = frozenset({
    "MOV", "ADD", "SUB", "MUL", "AND", "OR", "XOR", "NOT", "SHL", "SHR", "CMP", "JMP", "JZ",
    "JNZ", "JLT", "JLE", "JGT", "JGE", "CALL", "RET", "QLPPR", "OPMUL", "OPDIV", "OPDIFFUSE",
    "MAGIC_STATE_REQUEST", "MAGIC_STATE_INVENTORY", "MAGIC_DISTILLATION_START",
    "SYNDROME_STREAM_START", "MWPM_DECODE", "ERROR_CORRECTION_APPLY", "CIRCUIT_CUT",
    "CIRCUIT_TRANSPILE", "CIRCUIT_KNIT", "MEASURE_ANGLE", "APPLY_CONTROLLED", "OPEN_CHAN",
    "USE_CHAN", "CLOSE_CHAN",
})
# fmt: on
"""Instructions of the language that this compiler cannot compile."""

SERVICE = re.compile(r"(AGENT|PERF|STATE)_\w+|META_ANALYZE|SET_POLICY")
"""Run-time services: instructions without meaning in a compiler."""

MAX_ATTRIBUTE = 2**31 - 1
"""Largest integer attribute: columns hold 32 bits."""

REGISTER = re.compile(r"r(\d|1[0-5])")
KEYWORDS = frozenset({"if", "and", "or", "not", "for", "in"})
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


@dataclass(slots=True)
class Instruction:
    """An instruction with every expression evaluated.

    An operand is a name (a string) or a number; a guard stays a tree, of names of bits.
    """

    name: str
    operands: Sequence[Constant]
    outputs: Sequence[str]
    loc: int
    named: Mapping[str, Constant] = field(default_factory=dict)
    guard: Node | None = None
    predicate: Node | None = None
    capabilities: Sequence[str] = ()
    nodes: Mapping[str, Sequence[Node]] = field(default_factory=dict)
    """Where its parts were written: `operand`, `output` and the keys of `named`."""

    def names(self) -> list[str]:
        """All names in it: what it would have defined, and what was reported about it."""
        return [*self.outputs, *(word for word in self.operands if isinstance(word, str))]

    def fault(
        self, message: str, part: str = "", index: int = 0, *, label: str = "", help: str = ""
    ) -> LineError:
        """What is wrong with a part of it; with its name if no part is given."""
        nodes = self.nodes.get(part, ())
        where = nodes[index] if index < len(nodes) else None
        return LineError(message, where, label=label, help=help)


class Halt(Exception):
    """The program ends here."""


class _Spoilt(Exception):
    """The instruction depends on something already reported as wrong."""


class Builder:
    """Builds `main` from instructions; knows the qubits and bits that have a name."""

    def __init__(self, block: Block, context: Context) -> None:
        self.block = block
        self.context = context
        self.qubits: dict[str, Value] = {}
        """Live qubits by name; those of QLINIT are called by their numbers."""
        self.bits: dict[str, Value] = {}
        """Measurement results by name."""
        self.freed: set[str] = set()
        self.spoilt: set[str] = set()
        """Names whose definition failed."""
        self.unknown_names = False
        """Whether a definition failed whose names are not known."""
        self.declared: set[str] = set()
        self.needed: dict[str, int] = {}
        """Capabilities that are used, and where first."""
        self.services: dict[str, int] = {}
        """Run-time services that are used, and where first."""
        self.segments: set[str] = set()
        self.open_segments: list[tuple[str, int]] = []
        self.machine_size = 0
        self._one: Value | None = None
        self._inverses: dict[Value, Value] = {}

    # -- what the expander asks

    def is_name(self, word: str) -> bool:
        """Whether a word names a qubit or a bit."""
        return word in self.qubits or word in self.bits

    def takes_angle(self, mnemonic: str, operands: int) -> bool:
        """Whether the last of that many operands is an angle."""
        row = MNEMONICS.get(mnemonic.upper())
        spec = row.spec if row else None
        return spec is not None and spec.angle and operands == spec.qubits + 1

    def spoil(self, names: Iterable[str] | None) -> None:
        """Do not report uses of these names (None: of any name)."""
        if names is None:
            self.unknown_names = True
        else:
            self.spoilt.update(names)

    def instruction(self, instruction: Instruction) -> None:
        """Append an instruction's operations."""
        mnemonic = MNEMONICS.get(instruction.name) or _mnemonic(instruction)
        if mnemonic.capability:
            self.needed.setdefault(mnemonic.capability, instruction.loc)
        for capability in instruction.capabilities:
            self.needed.setdefault(capability, instruction.loc)
        operands = len(instruction.operands)
        if (
            not mnemonic.least <= operands <= mnemonic.most
            or len(instruction.outputs) != mnemonic.outputs
            or instruction.named
            or instruction.guard
            or instruction.predicate
        ):
            _check(mnemonic, instruction)
        before = len(self.block.ops)
        try:
            mnemonic.handler(self, mnemonic, instruction)
        except _Spoilt:
            self.spoil(instruction.outputs)
        # The line was counted as one operation, which has a few operands.
        extra = len(self.block.ops) - before - 1
        if operands > 3:
            extra += operands
        if extra > 0:
            self.context.expand(extra)

    # -- the end

    def finish(self, locations: Locations) -> list[Diagnostic]:
        """End the program; the errors that only its end shows."""
        errors = [
            locations.diagnostic(
                f"capability {capability} is not declared",
                loc,
                "needs it",
                f"add {capability} to .caps",
            )
            for capability, loc in self.needed.items()
            if capability not in self.declared
        ]
        errors += [
            locations.diagnostic(f"segment '{name}' has no REV_END", loc)
            for name, loc in self.open_segments
        ]
        for name, bit in self.bits.items():
            self.block.append("result", [bit], attrs={"name": name})
        self.block.append("return")
        return errors

    def warnings(self, locations: Locations) -> list[Diagnostic]:
        """One warning for each run-time service the program asks for."""
        return [
            Diagnostic(
                f"{mnemonic} has no meaning in a compiler; it is kept as a note",
                locations.place(loc),
                help="nothing in the compiler uses it",
                chain=locations.chain(loc),
                severity="warning",
            )
            for mnemonic, loc in self.services.items()
        ]

    # -- qubits

    def operands(self, instruction: Instruction, first: int, end: int) -> list[str]:
        """The operands from `first` up to `end` as names of different live qubits."""
        found: dict[str, None] = {}
        for index in range(first, end):
            value = instruction.operands[index]
            name = value if isinstance(value, str) else operand_name(instruction, index)
            if name not in self.qubits:
                raise self._no_qubit(instruction, index, name)
            if name in found:
                raise instruction.fault(
                    f"qubit '{name}' is used twice in one instruction",
                    "operand",
                    index,
                    label="a qubit cannot be copied",
                )
            found[name] = None
        return list(found)

    def _no_qubit(self, instruction: Instruction, index: int, name: str) -> Exception:
        message, help = f"undefined qubit '{name}'", ""
        if name in self.freed:
            message = f"qubit '{name}' is used after it was freed"
        elif name in self.spoilt or self.unknown_names:
            return _Spoilt()
        elif name in self.bits:
            message = f"'{name}' is a measurement result, not a qubit"
        elif name.isdecimal():
            message, help = f"there is no qubit {name}", "QLINIT n makes the qubits 0 to n - 1"
            if self.machine_size:
                help = f"QLINIT made the qubits 0 to {self.machine_size - 1}"
        else:
            help = did_you_mean(name, self.qubits)
        return instruction.fault(message, "operand", index, help=help)

    def allocate(self, names: Sequence[str], loc: int) -> None:
        """Append the allocation of qubits."""
        self.context.expand(len(names))
        for name in names:
            (self.qubits[name],) = self.block.append(
                "alloc", attrs={"name": name}, loc=loc, names=(name,)
            )
        self.freed.difference_update(names)

    def apply(
        self,
        spec: OpSpec,
        names: Sequence[str],
        loc: int,
        *,
        attrs: dict[str, Attr] | None = None,
        cond: Value | None = None,
    ) -> None:
        """Append an op that hands its qubits on."""
        qubits = self.qubits
        operands = tuple([qubits[name] for name in names])
        results = tuple([Value(Type.QUBIT, name) for name in names])
        qubits.update(zip(names, results, strict=True))
        self.block.ops.append(Op(spec, operands, results, attrs, cond, loc))

    def barrier(self, names: Sequence[str], loc: int) -> None:
        """Append a barrier, on all live qubits if none are named."""
        names = names or list(self.qubits)
        self.context.expand(len(names))
        if names:
            self.apply(BY_NAME["barrier"], names, loc)

    # -- bits

    def measure(
        self,
        op: str,
        names: Sequence[str],
        output: str,
        loc: int,
        *,
        attrs: dict[str, Attr] | None = None,
    ) -> None:
        """Append a measurement."""
        *qubits, bit = self.block.append(
            op,
            [self.qubits[name] for name in names],
            attrs=attrs,
            loc=loc,
            names=[*names, output],
        )
        self.qubits.update(zip(names, qubits, strict=True))
        self.bits[output] = bit

    def bit(self, name: str, where: Node | None) -> Value:
        """A measurement result by name."""
        register = name.lower()
        if REGISTER.fullmatch(register) and name not in self.bits:
            name = register
        if name in self.bits:
            return self.bits[name]
        if name in self.spoilt or self.unknown_names:
            raise _Spoilt
        if name in self.qubits:
            raise LineError(f"'{name}' is a qubit, not a measurement result", where)
        if REGISTER.fullmatch(name):
            raise LineError(f"register {name} holds no measurement result here", where)
        raise LineError(f"undefined bit '{name}'", where, help=did_you_mean(name, self.bits))

    def logic(self, op: str, bits: Sequence[Value], loc: int) -> Value:
        """Append a function of bits; of one bit it is that bit."""
        if len(bits) == 1:
            return bits[0]
        (result,) = self.block.append(op, bits, loc=loc)
        return result

    def inverted(self, bit: Value, loc: int) -> Value:
        """Append the negation of a bit, unless there is one already."""
        if bit not in self._inverses:
            if self._one is None:
                (self._one,) = self.block.append("const", attrs={"value": 1}, loc=loc)
            inverse = self.logic("xor", [bit, self._one], loc)
            self._inverses[bit], self._inverses[inverse] = inverse, bit
        return self._inverses[bit]

    def condition(self, instruction: Instruction, inputs: Sequence[Value] = ()) -> Value | None:
        """The bit that decides whether an instruction is executed."""
        parts = [self.logic("xor", inputs, instruction.loc)] if inputs else []
        if instruction.predicate is not None:
            parts.append(self._guard(instruction.predicate, instruction.loc))
        if instruction.guard is not None:
            parts.append(self._guard(instruction.guard, instruction.loc))
        return self.logic("and", parts, instruction.loc) if parts else None

    def _guard(self, node: Node, loc: int) -> Value:
        """The bit that a guard's tree comes to."""
        if isinstance(node, Choice):
            # a or b is not (not a and not b).
            bits = [self._guard(item, loc) for item in node.items]
            if not node.decides:
                return self.logic("and", bits, loc)
            none = [self.inverted(bit, loc) for bit in bits]
            return self.inverted(self.logic("and", none, loc), loc)
        if isinstance(node, Unary) and node.operator in ("!", "not"):
            return self.inverted(self._guard(node.operand, loc), loc)
        if isinstance(node, Compare):
            return self._comparison(node, loc)
        value = self._side(node)
        if isinstance(value, int):
            raise LineError("a guard depends on measurement results", node, label="not a bit")
        return value

    def _comparison(self, node: Compare, loc: int) -> Value:
        """`a == 1`, `a != b`."""
        if len(node.items) != 2 or node.operators[0] not in ("==", "!="):
            raise LineError("a guard compares bits with == and !=", node)
        sides = [self._side(item) for item in node.items]
        bits = [side for side in sides if isinstance(side, Value)]
        if not bits:
            raise LineError("a guard depends on measurement results", node)
        # The sides differ where the parity of everything on both of them is odd.
        inverted = sum(side for side in sides if isinstance(side, int)) % 2 == 1
        differ = self.logic("xor", bits, loc)
        if inverted == (node.operators[0] == "!="):
            return self.inverted(differ, loc)
        return differ

    def _side(self, node: Node) -> Value | int:
        """A side of a comparison: a bit, or 0 or 1."""
        if isinstance(node, Variable):
            value: Constant = node.name
            if node.name not in self.bits:
                found = self.context.find(node.name)
                value = found if isinstance(found, int) else node.name
        elif isinstance(node, (Literal, Substitution, Template)):
            value = node.evaluate(self.context)
        else:
            raise LineError("a guard compares bits with == and !=", node)
        if isinstance(value, str):
            return self.bit(value, node)
        if isinstance(value, int) and value in (0, 1):
            return int(value)
        raise LineError("a measurement result is 0 or 1", node)


def operand_name(instruction: Instruction, index: int) -> str:
    """An operand as the name of a qubit or bit."""
    value = instruction.operands[index]
    if isinstance(value, str):
        return value
    if isinstance(value, int) and value >= 0:
        return str(int(value))
    raise instruction.fault("expected a qubit", "operand", index)


# ---------------------------------------------------------------- the table


ANY = 1 << 30
"""No bound on the number of operands."""


@dataclass(frozen=True, slots=True)
class Mnemonic:
    """A row: what appends an instruction's operations, and how it is written."""

    handler: Callable[[Builder, Mnemonic, Instruction], None]
    usage: str = ""
    least: int = 0
    """Operands."""
    most: int = 0
    outputs: int = 0
    """How many; -1 if the handler looks at them."""
    keys: tuple[str, ...] | None = ()
    """Keys of the arguments; None if any will do."""
    conditional: bool = False
    """Whether it may depend on a measurement result."""
    spec: OpSpec | None = None
    """The op it stands for, if it is just one."""
    capability: str = ""


def _mnemonic(instruction: Instruction) -> Mnemonic:
    """The row of an instruction that is not spelt as in the table."""
    name = instruction.name.upper()
    if name in MNEMONICS:
        return MNEMONICS[name]
    if SERVICE.fullmatch(name):
        return _SERVICE_ROW
    if name in UNSUPPORTED:
        raise instruction.fault(f"{name} is not supported yet")
    raise instruction.fault(
        f"unknown mnemonic '{instruction.name:.60}'",
        label="not an instruction",
        help=did_you_mean(name, [*MNEMONICS, *UNSUPPORTED]),
    )


def _check(row: Mnemonic, instruction: Instruction) -> None:
    """Check the numbers of operands and outputs, the keys, and whether a guard may stand."""
    name = instruction.name
    usage = f"write {name} {row.usage}".rstrip()
    got = len(instruction.operands)
    if not row.least <= got <= row.most:
        wanted = row.least if got < row.least else row.most
        at_least = "at least " if got < row.least < row.most else ""
        message = f"{name} takes {at_least}{plural(wanted, 'operand')}, got {got}"
        raise instruction.fault(message, help=usage)
    got = len(instruction.outputs)
    if got != row.outputs and row.outputs >= 0:
        message = f"{name} has {plural(row.outputs, 'output')}, got {got}"
        raise instruction.fault(message, help=usage)
    for key in instruction.named:
        if row.keys is not None and key not in row.keys:
            help = did_you_mean(key, row.keys) or usage
            raise instruction.fault(f"{name} has no argument '{key}'", key, help=help)
    condition = instruction.guard or instruction.predicate
    if condition is not None and not row.conditional:
        raise LineError(f"{name} cannot depend on a measurement result", condition)


def plural(count: int, noun: str) -> str:
    """A number of things."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _gate(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    spec = row.spec
    assert spec is not None
    attrs: dict[str, Attr] | None = None
    if spec.angle:
        attrs = {"angle": _angle(instruction, spec.qubits)}
    names = builder.operands(instruction, 0, spec.qubits)
    guarded = instruction.guard or instruction.predicate
    cond = builder.condition(instruction) if guarded else None
    builder.apply(spec, names, instruction.loc, attrs=attrs, cond=cond)


def _angle(instruction: Instruction, index: int) -> float:
    """The angle, which is the last operand or the argument `theta`."""
    found: list[tuple[Constant, str, int]] = [
        (value, key, 0) for key, value in instruction.named.items()
    ]
    if len(instruction.operands) > index:
        found.append((instruction.operands[index], "operand", index))
    if len(found) != 1:
        message = f"{instruction.name} needs one angle, got {len(found)}"
        raise instruction.fault(message, help="write theta=angle")
    value, part, index = found[0]
    if isinstance(value, str):
        message = f"undefined name '{value:.60}'"
        raise instruction.fault(message, part, index, label="expected an angle")
    try:
        angle = math.inf if isinstance(value, list) else float(value)
    except OverflowError:  # an integer of thousands of bits
        angle = math.inf
    if not math.isfinite(angle):
        raise instruction.fault("an angle is a finite number of radians", part, index)
    return angle


def _alloc(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    names = instruction.outputs
    part, count = "n", instruction.named.get("n")
    if instruction.operands:
        part, count = "operand", instruction.named.get("n", instruction.operands[0])
    if count is not None:
        wanted = _whole(instruction, count, part, 0)
        if wanted != len(names):
            raise instruction.fault(
                f"{plural(wanted, 'qubit')} but {plural(len(names), 'name')}",
                part,
                help="give as many names after '->' as qubits",
            )
    if not names:
        help = f"write {instruction.name} {row.usage}"
        raise instruction.fault("the new qubits need names", help=help)
    seen: set[str] = set()
    for index, name in enumerate(names):
        _check_new(instruction, index)
        if name in builder.qubits:
            message = f"qubit '{name}' is already allocated"
            raise instruction.fault(message, "output", index, help="free it first")
        if name in builder.bits:
            message = f"'{name}' is already a measurement result"
            raise instruction.fault(message, "output", index)
        if name in seen:
            raise instruction.fault(f"qubit '{name}' is allocated twice", "output", index)
        seen.add(name)
    if "profile" in instruction.named:
        _note(builder, instruction)
    builder.allocate(names, instruction.loc)


def _check_new(instruction: Instruction, index: int) -> None:
    name = instruction.outputs[index]
    if not _NAME.fullmatch(name) or name.lower() in KEYWORDS:
        raise instruction.fault(f"'{name:.60}' is not a name", "output", index)


def _init(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    count = _whole(instruction, instruction.operands[0], "operand", 1)
    if builder.machine_size:
        raise instruction.fault("QLINIT can be given once")
    if "distance" in instruction.named:
        _whole(instruction, instruction.named["distance"], "distance", 1)
        _note(builder, instruction)
    # Before the names are made: there may be far too many.
    builder.context.allow(count)
    builder.machine_size = count
    builder.allocate([str(number) for number in range(count)], instruction.loc)


def _free(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    for name in builder.operands(instruction, 0, len(instruction.operands)):
        builder.block.append("free", [builder.qubits.pop(name)], loc=instruction.loc)
        builder.freed.add(name)


def _reset(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    names = builder.operands(instruction, 0, len(instruction.operands))
    cond = builder.condition(instruction)
    for name in names:
        builder.apply(BY_NAME["reset"], [name], instruction.loc, cond=cond)


def _barrier(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    names = builder.operands(instruction, 0, len(instruction.operands))
    # A barrier has no effect on qubits, so nothing depends on its condition.
    builder.condition(instruction)
    if "tag" in instruction.named:
        _note(builder, instruction)
    builder.barrier(names, instruction.loc)


def _measure(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    assert row.spec is not None
    names = builder.operands(instruction, 0, 1)
    output = _new_bit(builder, instruction, 0)
    builder.measure(row.spec.name, names, output, instruction.loc)


def _new_bit(builder: Builder, instruction: Instruction, index: int) -> str:
    """An output as the name of a bit."""
    name = instruction.outputs[index]
    _check_new(instruction, index)
    if name in builder.qubits:
        raise instruction.fault(f"'{name}' is a qubit", "output", index, help="choose another name")
    return name


def _measure_bell(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    names = builder.operands(instruction, 0, 2)
    outputs = [_new_bit(builder, instruction, index) for index in range(2)]
    loc = instruction.loc
    builder.apply(BY_NAME["cx"], names, loc)
    builder.apply(BY_NAME["h"], names[:1], loc)
    for name, output in zip(names, outputs, strict=True):
        builder.measure("measure_z", [name], output, loc)


def _cond_pauli(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    inputs = _inputs(builder, instruction)
    count = len(instruction.operands)
    # Operands after the qubits may be the bits.
    while count > 1 and operand_name(instruction, count - 1) in builder.bits:
        count -= 1
        inputs.append(builder.bits[operand_name(instruction, count)])
    names = builder.operands(instruction, 0, count)
    key = "pauli" if "pauli" in instruction.named else "mask"
    mask = instruction.named.get(key)
    if mask is None:
        raise instruction.fault(
            "COND_PAULI needs a mask", help=f"write {instruction.name} {row.usage}"
        )
    letters = _paulis(instruction, mask, key)
    if len(letters) == 1:
        letters *= count
    if len(letters) != count:
        raise instruction.fault(
            f"{plural(len(letters), 'Pauli')} for {plural(count, 'qubit')}", key
        )
    cond = builder.condition(instruction, inputs)
    if cond is None:
        raise instruction.fault(
            "COND_PAULI needs inputs or a guard", help="write inputs=m or if m==1"
        )
    for name, letter in zip(names, letters, strict=True):
        if letter != "I":
            builder.apply(BY_NAME[letter.lower()], [name], instruction.loc, cond=cond)


def _inputs(builder: Builder, instruction: Instruction) -> list[Value]:
    given = instruction.named.get("inputs", [])
    names: Sequence[Constant] = given.split(",") if isinstance(given, str) else [given]
    if isinstance(given, list):
        names = given
    (where,) = instruction.nodes.get("inputs", [None])
    bits = []
    for name in names:
        if not isinstance(name, str):
            raise instruction.fault(
                f"inputs are measurement results, not {kind_of(name)}", "inputs"
            )
        bits.append(builder.bit(name.strip(), where))
    return bits


def _paulis(instruction: Instruction, value: Constant, part: str) -> str:
    if not isinstance(value, str) or not value or set(value.upper()) - set("IXYZ"):
        raise instruction.fault("expected letters I, X, Y and Z", part)
    return value.upper()


def _inject_t(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    """|0> -> T|+>; that the qubit is |0> is the program's promise."""
    names = builder.operands(instruction, 0, 1)
    cond = builder.condition(instruction)
    for gate in ("h", "t"):
        builder.apply(BY_NAME[gate], names, instruction.loc, cond=cond)


def _machine_measure(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    names = builder.operands(instruction, 0, 1)
    register = _register(instruction, 1)
    basis = _paulis(instruction, instruction.named.get("basis", "Z"), "basis")
    if len(basis) != 1 or basis == "I":
        raise instruction.fault("a basis is X, Y or Z", "basis")
    builder.measure(f"measure_{basis.lower()}", names, register, instruction.loc)


def _register(instruction: Instruction, index: int) -> str:
    name = operand_name(instruction, index).lower()
    if not REGISTER.fullmatch(name):
        raise instruction.fault("expected a register r0 to r15", "operand", index)
    return name


def _pauli_product(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    paulis = _paulis(instruction, instruction.operands[0], "operand")
    last = len(instruction.operands) - 1
    names = builder.operands(instruction, 1, last)
    register = _register(instruction, last)
    if len(paulis) != len(names):
        raise instruction.fault(
            f"{plural(len(paulis), 'Pauli')} for {plural(len(names), 'qubit')}", "operand"
        )
    kept = [(name, letter) for name, letter in zip(names, paulis, strict=True) if letter != "I"]
    if not kept:
        raise instruction.fault("a product of identities has nothing to measure", "operand")
    builder.measure(
        "ppm",
        [name for name, _ in kept],
        register,
        instruction.loc,
        attrs={"paulis": "".join(letter for _, letter in kept)},
    )


def _syndrome(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    rounds = 0
    if "rounds" in instruction.named:
        rounds = _whole(instruction, instruction.named["rounds"], "rounds", 1)
    builder.block.append("syndrome", attrs={"rounds": rounds}, loc=instruction.loc)


def _rev_begin(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    name = operand_name(instruction, 0)
    if name in builder.segments or any(name == other for other, _ in builder.open_segments):
        raise instruction.fault(f"segment '{name}' exists already", "operand")
    builder.open_segments.append((name, instruction.loc))
    builder.block.append("rev_begin", attrs={"name": name}, loc=instruction.loc)


def _rev_end(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    if not builder.open_segments:
        raise instruction.fault("REV_END without REV_BEGIN")
    name, _ = builder.open_segments.pop()
    builder.segments.add(name)
    builder.block.append("rev_end", attrs={"name": name}, loc=instruction.loc)


def _uncompute(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    name = operand_name(instruction, 0)
    if name not in builder.segments:
        help = did_you_mean(name, builder.segments)
        raise instruction.fault(f"there is no complete segment '{name}'", "operand", help=help)
    builder.block.append("uncompute", attrs={"name": name}, loc=instruction.loc)


def _halt(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    if instruction.guard or instruction.predicate:
        raise instruction.fault("a HALT under a condition is not supported yet")
    raise Halt


def _service(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    builder.services.setdefault(instruction.name.upper(), instruction.loc)
    builder.spoil(instruction.outputs)
    _note(builder, instruction)


def _note(builder: Builder, instruction: Instruction) -> None:
    """Keep the instruction's text as a pragma."""
    arguments = [_shown(value) for value in instruction.operands]
    arguments += [f"{key}={_shown(value)}" for key, value in instruction.named.items()]
    text = " ".join([instruction.name.upper(), ", ".join(arguments)]).rstrip()
    if instruction.outputs:
        text += f" -> {', '.join(instruction.outputs)}"
    builder.context.expand(work(len(text)))
    builder.block.append("pragma", attrs={"text": text}, loc=instruction.loc)


def _shown(value: Constant) -> str:
    if isinstance(value, str) and not (_NAME.fullmatch(value) or value.isdecimal()):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def _whole(instruction: Instruction, value: Constant, part: str, least: int) -> int:
    """The value as an integer that is not too small, and fits an attribute."""
    number = float("nan")
    if isinstance(value, (int, float)):
        number = value
    elif isinstance(value, str) and value.isdecimal():
        # A plain line arrives as words.
        number = int(value[:20])
    if not least <= number <= MAX_ATTRIBUTE or number != int(number):
        raise instruction.fault(f"expected an integer from {least} to {MAX_ATTRIBUTE}", part)
    return int(number)


def _gate_usage(spec: OpSpec) -> str:
    operands = ", ".join(["qubit"] * spec.qubits)
    return f"{operands}, theta=angle" if spec.angle else operands


def _gate_row(name: str, capability: str = "") -> Mnemonic:
    spec = BY_NAME[GATES[name]]
    return Mnemonic(
        _gate,
        _gate_usage(spec),
        spec.qubits,
        spec.qubits + spec.angle,
        keys=ANGLES if spec.angle else (),
        conditional=True,
        spec=spec,
        capability=capability,
    )


def _measure_row(basis: str) -> Mnemonic:
    spec = BY_NAME[f"measure_{basis.lower()}"]
    return Mnemonic(_measure, "qubit -> bit", 1, 1, 1, spec=spec)


_RESET_ROW = Mnemonic(_reset, "qubit, ...", 1, ANY, conditional=True)
_FREE_ROW = Mnemonic(_free, "qubit, ...", 1, ANY)

# fmt: off
MNEMONICS: dict[str, Mnemonic] = {
    # graph style
    "ALLOC_LQ": Mnemonic(
        _alloc, "n=count -> names", 0, 1, -1, keys=("n", "profile"), capability="CAP_ALLOC"
    ),
    "FREE_LQ": _FREE_ROW,
    "RESET": _RESET_ROW,
    "FENCE_EPOCH": Mnemonic(_barrier, "", 0, ANY, keys=("tag",), conditional=True),
    "BAR_REGION": Mnemonic(
        _barrier, "qubit, ..., tag=text", 0, ANY, keys=("tag",), conditional=True
    ),
    **{f"APPLY_{name}": _gate_row(name) for name in GATES},
    **{f"MEASURE_{basis}": _measure_row(basis) for basis in "ZXY"},
    "MEASURE_BELL": Mnemonic(_measure_bell, "qubit, qubit -> bit, bit", 2, 2, 2),
    "COND_PAULI": Mnemonic(
        _cond_pauli, "qubit, mask=X, inputs=bit", 1, ANY, keys=("mask", "pauli", "inputs"),
        conditional=True,
    ),
    "TELEPORT_CNOT": _gate_row("CNOT", "CAP_TELEPORT"),
    "INJECT_T_STATE": Mnemonic(
        _inject_t, "qubit", 1, 1, conditional=True, capability="CAP_MAGIC"
    ),
    # machine style
    "QLINIT": Mnemonic(_init, "count, distance=d", 1, 1, keys=("distance",)),
    **{f"QL{name}": _gate_row(name) for name in MACHINE_GATES},
    "QLRESET": _RESET_ROW,
    "QLFREE": _FREE_ROW,
    "QLMEASURE": Mnemonic(_machine_measure, "qubit, register", 2, 2, keys=("basis",)),
    "QLPPM": Mnemonic(_pauli_product, '"XZ", qubit, ..., register', 3, ANY),
    "QLSYNDROME": Mnemonic(_syndrome, "rounds=count", keys=("rounds",)),
    "QLCORRECT": Mnemonic(_barrier),
    "REV_BEGIN": Mnemonic(_rev_begin, "name", 1, 1),
    "REV_END": Mnemonic(_rev_end),
    "UNCOMPUTE": Mnemonic(_uncompute, "name", 1, 1),
    "HALT": Mnemonic(_halt, conditional=True),
}
# fmt: on
"""Every instruction that this compiler compiles."""

_SERVICE_ROW = Mnemonic(_service, "", 0, ANY, -1, keys=None)
