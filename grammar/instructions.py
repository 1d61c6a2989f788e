"""Instructions of QWASM, and the builder that turns them into operations of the Program IR.

An instruction arrives with its operands evaluated (see expand.py).  The table of mnemonics
(mnemonics.py) has a handler for each: those of both styles are in handlers.py, the others in
graph_style.py, machine_style.py, classical.py and operators.py.  A handler checks everything before
it appends anything.

`Builder` builds a straight line.  A program that jumps, computes or has qubits by computed numbers
is beyond it (`beyond`), and built by flow.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from qwasmc.diagnostics import Diagnostic, Locations, did_you_mean
from qwasmc.grammar.evaluator import Context, LineError, Node
from qwasmc.grammar.evaluator import Value as Constant
from qwasmc.grammar.guards import Guards
from qwasmc.ir.program import Attr, Block, Function, Op, Value
from qwasmc.ops import BY_NAME, OpSpec, Type

SERVICE = re.compile(r"(AGENT|PERF|STATE)_\w+|META_ANALYZE|SET_POLICY")
"""Run-time services: instructions without meaning in a compiler."""

ANY_SERVICE = "*"
"""The row of the table for all of them."""

MAX_ATTRIBUTE = 2**31 - 1
"""Largest integer attribute: columns hold 32 bits."""

REGISTER = re.compile(r"r(\d|1[0-5])")
FLOAT_REGISTER = re.compile(r"f(\d|1[0-5])")
ANY_REGISTER = re.compile(r"[rf](\d|1[0-5])")
KEYWORDS = frozenset({"if", "and", "or", "not", "for", "in"})
NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


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


class Spoilt(Exception):
    """The instruction depends on something already reported as wrong."""


class Builder(Guards):
    """Builds `main` from instructions; knows the qubits and bits that have a name."""

    branches = False
    """Whether labels have a meaning, and programs are more than a straight line."""

    def __init__(self, block: Block, context: Context, rows: Mapping[str, Mnemonic]) -> None:
        super().__init__(block, context)
        self.rows = rows
        """The table of mnemonics."""
        self.qubits: dict[str, Value] = {}
        """Live qubits by name; those of QLINIT are called by their numbers."""
        self.channels: dict[str, tuple[str, str]] = {}
        """Open channels by name, and the qubits at their ends."""
        self.freed: set[str] = set()
        self.spoilt: set[str] = set()
        """Names whose definition failed."""
        self.unknown_names = False
        """Whether a definition failed whose names are not known."""
        self.declared: set[str] = set()
        self.needed: dict[str, int] = {}
        """Capabilities that are used, and where first."""
        self.services: dict[str, tuple[int, str]] = {}
        """Notes and services that are used, where first, and what uses them."""
        self.segments: set[str] = set()
        self.spent: set[str] = set()
        """Segments that are undone above, whose names may be used again."""
        self.open_segments: list[tuple[str, int]] = []
        self.open_controls: list[tuple[int, int]] = []
        """By open control region, how many segments were open at its beginning, and where."""
        self.undone: dict[str, int] = {}
        """Segments that are undone before the text has them, and where first."""
        self.machine_size = 0

    # -- what the expander asks

    def is_name(self, word: str) -> bool:
        """Whether a word names a qubit or a bit."""
        return word in self.qubits or word in self.bits

    def takes_angle(self, mnemonic: str, operands: int) -> bool:
        """Whether the last of that many operands is an angle."""
        row = self.rows.get(mnemonic.upper())
        spec = row.spec if row else None
        return spec is not None and spec.angle and operands == spec.qubits + 1

    def angle_operand(self, mnemonic: str, operands: int) -> int:
        """Which of so many operands is an angle; -1 if none is."""
        if self.takes_angle(mnemonic, operands):
            return operands - 1
        row = self.rows.get(mnemonic.upper())
        return row.angle_at if row else -1

    def label(self, name: str, loc: int) -> None:
        """A place in the program that jumps may lead to."""

    def spoil(self, names: Iterable[str] | None) -> None:
        """Do not report uses of these names (None: of any name)."""
        if names is None:
            self.unknown_names = True
        else:
            self.spoilt.update(names)

    def admit(self, instruction: Instruction) -> Mnemonic:
        """The row of an instruction that is written as it should be."""
        mnemonic = self.rows.get(instruction.name) or self._row(instruction)
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
            self.check(mnemonic, instruction)
        return mnemonic

    def instruction(self, instruction: Instruction) -> None:
        """Append an instruction's operations."""
        mnemonic = self.admit(instruction)
        before = len(self.block.ops)
        try:
            mnemonic.handler(self, mnemonic, instruction)
        except Spoilt:
            self.spoil(instruction.outputs)
        # The line was counted as one operation, which has a few operands.
        extra = len(self.block.ops) - before - 1
        operands = len(instruction.operands)
        if operands > 3:
            extra += operands
        if extra > 0:
            self.context.expand(extra)

    def check(self, row: Mnemonic, instruction: Instruction) -> None:
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
            message = f"{name} cannot depend on a measurement result"
            problem = LineError(message, condition, help=row.because)
            if not row.skips:
                raise problem
            if not self.branches:
                raise self.beyond(problem)

    def _row(self, instruction: Instruction) -> Mnemonic:
        """The row of an instruction that is not spelt as in the table."""
        name = instruction.name.upper()
        if name in self.rows:
            return self.rows[name]
        if SERVICE.fullmatch(name):
            return self.rows[ANY_SERVICE]
        raise instruction.fault(
            f"unknown mnemonic '{instruction.name:.60}'",
            label="not an instruction",
            help=did_you_mean(name, self.rows),
        )

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
        errors += [
            locations.diagnostic("this control region has no CTRL_END", loc)
            for _, loc in self.open_controls
        ]
        errors += [
            locations.diagnostic(
                f"there is no segment '{name}'", loc, help=did_you_mean(name, self.segments)
            )
            for name, loc in self.undone.items()
            if name not in self.segments
        ]
        return errors or self.end(locations)

    def end(self, locations: Locations) -> list[Diagnostic]:
        """End a program without other errors."""
        for name, bit in self.bits.items():
            self.block.append("result", [bit], attrs={"name": name})
        self.block.append("return")
        return []

    def functions(self) -> list[Function]:
        """The functions of the finished program."""
        return [Function("main", [self.block])]

    def beyond(self, problem: Exception) -> Exception:
        """What to raise where a straight line does not do."""
        return problem

    def warnings(self, locations: Locations) -> list[Diagnostic]:
        """One warning for each kind of note and service."""
        useless = "has no meaning in a compiler; it "
        return [
            Diagnostic(
                f"{mnemonic} {'' if used else useless}is kept as a note",
                locations.place(loc),
                help=used or "nothing in the compiler uses it",
                chain=locations.chain(loc),
                severity="warning",
            )
            for mnemonic, (loc, used) in self.services.items()
        ]

    # -- qubits

    def has_qubit(self, name: str) -> bool:
        """Whether this names a qubit."""
        return name in self.qubits

    def is_allocated(self, name: str) -> bool:
        """Whether a qubit certainly has this name now."""
        return name in self.qubits

    def is_register(self, word: str, pattern: re.Pattern[str]) -> bool:
        """Whether a word names a register, and no variable."""
        return bool(pattern.fullmatch(word.lower())) and self.context.find(word) is None

    def operands(self, instruction: Instruction, first: int, end: int) -> list[str]:
        """The operands from `first` up to `end` as names of different live qubits."""
        found: dict[str, None] = {}
        for index in range(first, end):
            value = instruction.operands[index]
            name = value if isinstance(value, str) else operand_name(instruction, index)
            if name not in self.qubits:
                raise self._no_qubit(instruction, index, name)
            if name in found:
                raise taken_twice(instruction, index, name)
            found[name] = None
        return list(found)

    def _no_qubit(self, instruction: Instruction, index: int, name: str) -> Exception:
        if REGISTER.fullmatch(name.lower()) and name not in self.freed | self.spoilt:
            return self.beyond(self._undefined_qubit(instruction, index, name))
        return self._undefined_qubit(instruction, index, name)

    def _undefined_qubit(self, instruction: Instruction, index: int, name: str) -> Exception:
        message, help = f"undefined qubit '{name}'", ""
        if name in self.freed:
            message = f"qubit '{name}' is used after it was freed"
        elif name in self.spoilt or self.unknown_names:
            return Spoilt()
        elif name in self.bits:
            message = f"'{name}' is a measurement result, not a qubit"
        elif name.isdecimal():
            message, help = f"there is no qubit {name}", "QLINIT n makes the qubits 0 to n - 1"
            if self.machine_size:
                help = f"QLINIT made the qubits 0 to {self.machine_size - 1}"
        else:
            help = did_you_mean(name, self.qubits)
        return instruction.fault(message, "operand", index, help=help)

    def allocate(self, names: Sequence[str], loc: int, unnamed: bool = False) -> None:
        """Append the allocation of qubits, or of ancillas that have no name in the program."""
        self.context.expand(len(names))
        for name in names:
            label = "" if unnamed else name
            (self.qubits[name],) = self.block.append(
                "alloc", attrs={"name": label}, loc=loc, names=(name,)
            )
        self.freed.difference_update(names)

    def release(self, name: str, loc: int) -> None:
        """Append the end of a qubit."""
        self.block.append("free", [self.qubits.pop(name)], loc=loc)

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

    def rotate(
        self,
        spec: OpSpec,
        names: Sequence[str],
        angle: float | str,
        loc: int,
        *,
        attrs: dict[str, Attr] | None = None,
        cond: Value | None = None,
    ) -> None:
        """Append a gate with an angle, which a register may hold."""
        if isinstance(angle, str):
            raise self.beyond(LineError(f"register {angle} holds no angle here"))
        attrs = {**attrs, "angle": angle} if attrs else {"angle": angle}
        self.apply(spec, names, loc, attrs=attrs, cond=cond)

    # -- bits

    def has_bit(self, name: str) -> bool:
        """Whether this names a measurement result."""
        return name in self.bits

    def measure(
        self,
        op: str,
        names: Sequence[str],
        output: str,
        loc: int,
        *,
        attrs: dict[str, Attr] | None = None,
        cond: Value | None = None,
    ) -> None:
        """Append a measurement; one that does not run leaves an older result, else gives 0."""
        *qubits, bit = self.block.append(
            op,
            [self.qubits[name] for name in names],
            attrs=attrs,
            cond=cond,
            loc=loc,
            names=[*names, output],
        )
        self.qubits.update(zip(names, qubits, strict=True))
        if cond is not None and output in self.bits:
            kept = self.logic("and", [self.bits[output], self.inverted(cond, loc)], loc)
            bit = self.logic("xor", [bit, kept], loc)
        self.bits[output] = bit

    def bit(self, name: str, where: Node | None) -> Value:
        """A measurement result by name."""
        register = name.lower()
        if REGISTER.fullmatch(register) and name not in self.bits:
            name = register
        if name in self.bits:
            return self.bits[name]
        if name in self.spoilt or self.unknown_names:
            raise Spoilt
        if name in self.qubits:
            raise LineError(f"'{name}' is a qubit, not a measurement result", where)
        if REGISTER.fullmatch(name):
            raise LineError(f"register {name} holds no measurement result here", where)
        raise LineError(f"undefined bit '{name}'", where, help=did_you_mean(name, self.bits))

    def condition(self, instruction: Instruction, inputs: Sequence[Value] = ()) -> Value | None:
        """The bit that decides whether an instruction is executed."""
        parts = [self.logic("xor", inputs, instruction.loc)] if inputs else []
        if instruction.predicate is not None:
            parts.append(self.guard(instruction.predicate, instruction.loc))
        if instruction.guard is not None:
            parts.append(self.guard(instruction.guard, instruction.loc))
        return self.logic("and", parts, instruction.loc) if parts else None


def taken_twice(instruction: Instruction, index: int, name: str) -> LineError:
    """The error that a qubit is more than one operand of an instruction."""
    return instruction.fault(
        f"qubit '{name}' is used twice in one instruction",
        "operand",
        index,
        label="a qubit cannot be copied",
    )


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
    """Whether it looks at its condition itself."""
    skips: bool = False
    """Whether a program may branch around it where its condition does not hold."""
    because: str = ""
    """Why no condition may stand."""
    angle_at: int = -1
    """Which operand is an angle, if it is not the last."""
    writes: int | None = None
    """Which operand is written if it is a register."""
    measures: bool = False
    """Whether it writes the outcome of a measurement."""
    jumps: bool = False
    """Whether the last operand is a label."""
    used: str = ""
    """What a note is there for."""
    spec: OpSpec | None = None
    """The op it stands for, if it is just one."""
    capability: str = ""


def plural(count: int, noun: str) -> str:
    """A number of things."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
