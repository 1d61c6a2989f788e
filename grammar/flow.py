"""Builds programs that are more than a straight line: jumps, subroutines, registers that compute.

    loop: QLH r1              ^bb1: %i = "qw.load_i64"(%1) ...; %q = "qw.extract"(%i) ...
          SUB r1, 1           =>    %j = "qw.subi"(%i, %one); "qw.store_i64"(%j, %1)
          JNZ r1, loop              %more = "qw.cmpi"(%j, %zero); "qw.cond_br"(%more)[^bb1, ^bb2]

Qubits are in slots: those of QLINIT in the slots of their numbers.  Registers, flags and named
measurement results are cells of memory.  Blocks therefore share no values, and subroutines.py can
make functions of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from qwasmc.diagnostics import Diagnostic, Locations, did_you_mean
from qwasmc.grammar.evaluator import (
    Compare,
    Context,
    LineError,
    Literal,
    Node,
    Substitution,
    Template,
    Variable,
)
from qwasmc.grammar.evaluator import Value as Constant
from qwasmc.grammar.instructions import (
    NAME,
    REGISTER,
    Builder,
    Instruction,
    Mnemonic,
    Spoilt,
    operand_name,
    taken_twice,
)
from qwasmc.grammar.subroutines import Linker
from qwasmc.grammar.survey import Survey, as_register
from qwasmc.ir.builder import FunctionBuilder, Slot
from qwasmc.ir.program import Attr, Block, Function, Value
from qwasmc.ops import BY_NAME, OpSpec, Type
from qwasmc.scalars import WORD, signed

REGISTERS: dict[str, Attr] = {"space": "register"}
NAMES: dict[str, Attr] = {"space": "clbit"}

FLAGS = {"eq": 32, "lt": 33, "gt": 34}
"""Addresses of what CMP found, after those of r0 to r15 and f0 to f15."""

FIRST_NAMED = 1 << 31
"""The first slot of a qubit with a name; QLINIT makes fewer."""

NOWHERE = -1
"""A slot that is always empty."""

COMPARISONS = {"==": "eq", "!=": "ne", "<": "slt", "<=": "sle", ">": "sgt", ">=": "sge"}


class NeedsFlow(Exception):
    """A program is more than a straight line."""


class StraightBuilder(Builder):
    """Builds programs that are a straight line, and says if one is not."""

    def beyond(self, problem: Exception) -> Exception:
        """The program has to be built anew."""
        return NeedsFlow()


class FlowBuilder(Builder):
    """Builds any program."""

    branches = True

    def __init__(
        self,
        block: Block,
        context: Context,
        rows: Mapping[str, Mnemonic],
        survey: Survey,
    ) -> None:
        super().__init__(block, context, rows)
        self.survey = survey
        self.unknown_names = survey.unknown_names
        self.build = FunctionBuilder("code")
        self.block = self.build.block
        self.entered = [self.block]
        """The blocks in the order of the text."""
        self.labels: dict[str, Block] = {}
        self.called: dict[str, int] = {}
        """Labels that are called, and where first."""
        self.lost: list[int] = []
        """Where instructions are that nothing leads to."""
        self._slots: dict[str, int] = {}
        self._certain: list[str] = []
        """Qubits of QLINIT that are certainly there."""
        self._here: dict[str, None] = {}
        """Qubits that this block has used, and not freed."""
        self._names = {name: n for n, name in enumerate(survey.measured) if not is_register(name)}
        self._functions: list[Function] = []
        for name in survey.measured:  # one that does not run gives 0
            self._put(name, self.build.i1(0))

    # -- blocks

    def enter(self, block: Block) -> None:
        """Go on in a block."""
        self.build.enter(block)
        self.block = block
        self.entered.append(block)
        self._here.clear()
        self.forget()

    def label(self, name: str, loc: int) -> None:
        """Start a block here if anything leads to it."""
        if not NAME.fullmatch(name):
            raise LineError(f"'{name:.60}' is not a label")
        if name not in self.survey.jumps or self.survey.labels[name] > 1:
            return
        self.build.loc = loc
        self.part()
        block = self._block_of(name)
        if not self.build.ended:
            self.build.br(block)
        self.enter(block)

    def target(self, instruction: Instruction) -> Block:
        """The block that an instruction leads to."""
        labels = self.survey.labels
        last = len(instruction.operands) - 1
        name = str(instruction.operands[last])
        if name not in labels:
            if self.unknown_names:
                raise Spoilt
            help = did_you_mean(name, labels) or f"write '{name:.60}:' where it should lead"
            raise instruction.fault(f"undefined label '{name:.60}'", "operand", last, help=help)
        if labels[name] > 1:
            help = "in macros and loops, make a label for each round: label{i}:"
            message = f"there are {labels[name]} labels '{name:.60}'"
            raise instruction.fault(message, "operand", last, help=help)
        self.part()
        return self._block_of(name)

    def _block_of(self, name: str) -> Block:
        if name not in self.labels:
            self.labels[name] = self.build.new_block()
        return self.labels[name]

    def part(self) -> None:
        """Check that a block may end here."""
        if self.open_segments:
            name, _ = self.open_segments[-1]
            raise LineError(
                f"the reversible segment '{name}' cannot branch",
                help="only a straight line can be undone: put REV_END before",
            )
        if self.open_controls:
            raise LineError(
                "a control region cannot branch",
                help="put CTRL_END before, and the controls on each branch",
            )

    def call(self, instruction: Instruction) -> None:
        """Run a subroutine, and go on."""
        self.target(instruction)
        name = str(instruction.operands[-1])
        self.called.setdefault(name, instruction.loc)
        self.build.call(name, [])
        rest = self.build.new_block()
        self.build.br(rest)
        self.enter(rest)

    def branch(self, bit: Value, block: Block) -> None:
        """Go on in a block if the bit is 1, else here."""
        rest = self.build.new_block()
        self.build.cond_br(bit, block, rest)
        self.enter(rest)

    # -- instructions

    def instruction(self, instruction: Instruction) -> None:
        """Append an instruction's operations."""
        self.build.loc = instruction.loc
        if self.build.ended:
            self.lost.append(instruction.loc)
            self.enter(self.build.new_block())
        row = self.admit(instruction)
        block, before = self.block, len(self.block.ops)
        try:
            if row.skips and (instruction.guard or instruction.predicate):
                self._skip(row, instruction)
            else:
                row.handler(self, row, instruction)
        except Spoilt:
            self.spoil(instruction.outputs)
        # The line was counted as one operation.
        extra = len(block.ops) - before - 1
        if extra > 0:
            self.context.expand(extra)

    def _skip(self, row: Mnemonic, instruction: Instruction) -> None:
        """Append an instruction and a way around it."""
        self.part()
        cond = self.condition(instruction)
        assert cond is not None
        then, after = self.build.new_block(), self.build.new_block()
        self.build.cond_br(cond, then, after)
        self.enter(then)
        row.handler(self, row, replace(instruction, guard=None, predicate=None))
        if not self.build.ended:
            self.build.br(after)
        self.enter(after)

    # -- the end

    def end(self, locations: Locations) -> list[Diagnostic]:
        """End a program without other errors."""
        if not self.build.ended:
            self.build.halt()
        self.enter(self.build.new_block())
        for name in self.survey.measured:
            self._result(name)
        self.build.ret()
        linker = Linker(self.entered, self.labels)
        try:
            self._functions = linker.link(self.context.expand)
        except LineError as problem:
            loc = next(iter(self.called.values()))
            found = locations.diagnostic(problem.message, loc, "subroutines are copied")
            return [replace(found, kind=problem.kind)]
        if linker.lost_return >= 0:
            help = "put a HALT before the subroutine"
            return [locations.diagnostic("RET without CALL", linker.lost_return, help=help)]
        return []

    def _result(self, name: str) -> None:
        """A result of the program: a bit, if only measurements have written it."""
        if name in self.survey.written:
            self.build.do("result_i64", [self._get(name)], {"name": name})
            return
        bit = self._get(name)
        if is_register(name):
            bit = self.build.op("trunci", [bit], hint=name)
        self.build.do("result", [bit], {"name": name})

    def functions(self) -> list[Function]:
        """The functions of the finished program."""
        return self._functions

    def warnings(self, locations: Locations) -> list[Diagnostic]:
        """What was ignored."""
        found = super().warnings(locations)
        if self.lost:
            message = "nothing leads here: the line before jumps away, and there is no label"
            lost = locations.diagnostic(message, self.lost[0])
            found.append(replace(lost, severity="warning"))
        return found

    # -- qubits

    def is_name(self, word: str) -> bool:
        """Whether a word names a qubit or a bit."""
        return word in self.survey.named or word in self.survey.measured

    def has_qubit(self, name: str) -> bool:
        """Whether this names a qubit."""
        return name in self.survey.named

    def is_allocated(self, name: str) -> bool:
        """Nothing is certain: what is run decides."""
        return False

    def operands(self, instruction: Instruction, first: int, end: int) -> list[str]:
        """The operands from `first` up to `end` as names of qubits, or registers with numbers."""
        found: dict[str, None] = {}
        for index in range(first, end):
            name = operand_name(instruction, index)
            if self.is_computed(name):
                name = name.lower()
                self.known(name, instruction, index)
            elif name not in self.survey.named and not self._is_number(name):
                raise self._undefined_qubit(instruction, index, name)
            if name in found:
                raise taken_twice(instruction, index, name)
            found[name] = None
        return list(found)

    def is_computed(self, name: str) -> bool:
        """Whether a qubit is given by the register that holds its number."""
        return bool(REGISTER.fullmatch(name.lower())) and name not in self.survey.named

    def _is_number(self, name: str) -> bool:
        return name.isdecimal() and int(name[:20]) < self.survey.size

    def slot(self, name: str) -> Slot:
        """The slot of a qubit."""
        if name.isdecimal():
            return int(name)
        if not self.is_computed(name):
            return self._slots.setdefault(name, FIRST_NAMED + len(self._slots))
        number = self._get(name)
        if not self.survey.named:
            return number
        # Qubits with a name have slots too, but no numbers.
        size = self.build.i64(self.survey.size)
        inside = self.build.op("cmpi", [number, size], {"predicate": "ult"})
        return self.build.op("select_i64", [inside, number, self.build.i64(NOWHERE)])

    def slots(self, names: Sequence[str]) -> list[Slot]:
        """The slots of qubits."""
        self._here.update((name, None) for name in names if not self.is_computed(name))
        return [self.slot(name) for name in names]

    def allocate(self, names: Sequence[str], loc: int, unnamed: bool = False) -> None:
        """Append the allocation of qubits, or of ancillas that have no name in the program."""
        self.context.expand(len(names))
        self.build.loc = loc
        for name in names:
            self.build.alloc(self.slot(name), "" if unnamed else name)
        self._here.update(dict.fromkeys(names))
        if len(self.entered) == 1 and "QLFREE" not in self.survey.mnemonics:
            self._certain += [name for name in names if name.isdecimal()]

    def release(self, name: str, loc: int) -> None:
        """Append the end of a qubit."""
        self.build.loc = loc
        self.build.free(self.slot(name))
        if self.is_computed(name):
            self._here.clear()
        self._here.pop(name, None)

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
        self.build.loc = loc
        self.build.gate(spec.name, self.slots(names), attrs=attrs, cond=cond)

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
        self.build.loc = loc
        value = self.read(angle) if isinstance(angle, str) else angle
        self.build.gate(spec.name, self.slots(names), angle=value, attrs=attrs, cond=cond)

    def barrier(self, names: Sequence[str], loc: int) -> None:
        """Append a barrier, on all qubits that are certainly there if none are named."""
        names = names or [*dict.fromkeys([*self._certain, *self._here])]
        self.context.expand(len(names))
        if names:
            self.apply(BY_NAME["barrier"], names, loc)

    # -- bits and registers

    def has_bit(self, name: str) -> bool:
        """Whether this names a measurement result."""
        return name in self.survey.measured

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
        """Append a measurement."""
        assert cond is None  # there is a way around it instead
        self.build.loc = loc
        self._put(output, self.build.measure(op, self.slots(names), attrs=attrs, hint=output))

    def _put(self, name: str, bit: Value) -> None:
        """Write the result of a measurement."""
        if is_register(name):
            self.write(name, self.build.op("extui", [bit]))
        else:
            self.build.do("store_i1", [bit, self.build.i64(self._names[name])], NAMES)

    def _get(self, name: str) -> Value:
        """Read the result of a measurement, or a register."""
        if is_register(name):
            type = "f64" if name[0] == "f" else "i64"
            return self.build.op(f"load_{type}", [self.address(name)], REGISTERS, name)
        return self.build.op("load_i1", [self.build.i64(self._names[name])], NAMES, name)

    def address(self, register: str) -> Value:
        """The address of a register."""
        return self.build.i64(int(register[1:]) + 16 * (register[0] == "f"))

    def write(self, register: str, value: Value) -> None:
        """Write a register."""
        type = "f64" if register[0] == "f" else "i64"
        self.build.do(f"store_{type}", [value, self.address(register)], REGISTERS)

    def known(self, register: str, instruction: Instruction, index: int) -> None:
        """Check that something writes a register that is read."""
        node = instruction.nodes.get("operand", [None] * (index + 1))[index]
        self._check_read(register, node)

    def read(self, register: str, where: Node | None = None) -> Value:
        """Read a register."""
        self._check_read(register, where)
        return self._get(register)

    def _check_read(self, register: str, where: Node | None) -> None:
        survey = self.survey
        if register in survey.written or register in survey.measured:
            return
        if register in self.spoilt or self.unknown_names:
            raise Spoilt
        raise LineError(f"nothing writes register {register}", where, label="read here")

    def is_needed(self, register: str) -> bool:
        """Whether something reads a register, or it is a result."""
        survey = self.survey
        return bool(register) and (register in survey.read or register in survey.measured)

    def bit(self, name: str, where: Node | None) -> Value:
        """A measurement result by name, or whether a register is not 0."""
        if name in self._names:
            return self._get(name)
        register = as_register(name)
        if register[:1] == "r":
            return self.is_not_zero(self.read(register, where))
        if register:
            message = f"register {register} holds a number, which is no condition"
            raise LineError(message, where, help=f"write CMP {register}, 0.0 and a jump")
        if name in self.spoilt or self.unknown_names:
            raise Spoilt
        if name in self.survey.named:
            raise LineError(f"'{name}' is a qubit, not a measurement result", where)
        help = did_you_mean(name, self._names)
        raise LineError(f"undefined bit '{name}'", where, help=help)

    def is_not_zero(self, value: Value) -> Value:
        """Whether an integer is not 0."""
        return self.build.op("cmpi", [value, self.build.i64(0)], {"predicate": "ne"})

    def comparison(self, node: Compare, loc: int) -> Value:
        """`m == 1`, `r0 < r1`."""
        if len(node.items) != 2:
            raise LineError("a guard compares two values", node)
        sides = [self._operand(item) for item in node.items]
        symbol = node.operators[0]
        if not any(isinstance(side, Value) for side in sides):
            raise LineError("a guard depends on measurement results or registers", node)
        if symbol in ("==", "!=") and all(map(_is_bit, sides)):
            return self.compare_bits(node, sides, loc)
        predicate: dict[str, Attr] = {"predicate": COMPARISONS[symbol]}
        return self.build.op("cmpi", [self._number(side, node) for side in sides], predicate)

    def _number(self, side: Value | int, node: Node) -> Value:
        if isinstance(side, int):
            return self.build.i64(integer(side, node))
        return self.build.op("extui", [side]) if side.type is Type.I1 else side

    def side(self, node: Node) -> Value | int:
        """A condition by itself."""
        found = self._operand(node)
        if isinstance(found, Value) and found.type is Type.I64:
            return self.is_not_zero(found)
        return found

    def _operand(self, node: Node) -> Value | int:
        """A side of a comparison: a bit, a register or an integer."""
        value: Constant
        if isinstance(node, Variable):
            value = node.name
            if not self.is_name(value) and as_register(value) not in self.survey.written:
                found = self.context.find(value)
                value = found if isinstance(found, int) else value
        elif isinstance(node, Literal | Substitution | Template):
            value = node.evaluate(self.context)
        else:
            raise LineError("a guard compares measurement results, registers and integers", node)
        if isinstance(value, str):
            register = as_register(value)
            if register[:1] == "r" and value not in self._names:
                return self.read(register, node)
            return self.bit(value, node)
        if isinstance(value, int):
            return int(value)
        raise LineError("a register holds integers", node)


def _is_bit(side: Value | int) -> bool:
    return side in (0, 1) if isinstance(side, int) else side.type is Type.I1


def is_register(name: str) -> bool:
    """Whether a name is that of a register, as registers are called."""
    return as_register(name) == name


def integer(value: int, where: Node | None = None) -> int:
    """An integer as the 64 bits of a register."""
    if not -(1 << (WORD - 1)) <= value < 1 << WORD:
        raise LineError(f"{value!s:.60} does not fit a register of 64 bits", where)
    return signed(value)
