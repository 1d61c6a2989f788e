"""Instructions of QWASM's machine style that compute and jump.

    ADD r0, r1, 5    r0 = r1 + 5            CMP r0, r1     compare, for the jumps that follow
    ADD r0, 5        r0 = r0 + 5            JLT less       jump if r0 was less than r1
    MOV f0, r0       convert                JLT r0, less   jump if r0 is less than 0

Integers have 64 bits, in two's complement, and arithmetic is modulo 2^64; CMP compares signed
numbers, and SHR shifts in zeros.  Only CMP sets what jumps look at.
"""

from __future__ import annotations

from collections.abc import Callable

from qwasmc.diagnostics import did_you_mean
from qwasmc.grammar.flow import FLAGS, REGISTERS, FlowBuilder, integer
from qwasmc.grammar.instructions import (
    Builder,
    Halt,
    Instruction,
    Mnemonic,
)
from qwasmc.grammar.survey import as_register
from qwasmc.ir.program import Value
from qwasmc.ops import Type

ARITHMETIC = {
    **{"ADD": ("addi", "addf"), "SUB": ("subi", "subf"), "MUL": ("muli", "mulf")},
    **{"AND": ("andi", ""), "OR": ("ori", ""), "XOR": ("xori", "")},
    **{"SHL": ("shli", ""), "SHR": ("shrui", "")},
}
"""What an instruction does to integers, and to numbers."""

JUMPS = {
    **{"JZ": ("eq", ("eq",)), "JNZ": ("ne", ("eq",)), "JLT": ("lt", ("lt",))},
    **{"JLE": ("le", ("lt", "eq")), "JGT": ("gt", ("gt",)), "JGE": ("ge", ("gt", "eq"))},
}
"""When a jump is taken: compared with 0, and which of the flags are set (for JNZ, are not)."""

_Handler = Callable[[FlowBuilder, Mnemonic, Instruction], None]


def flowing(handler: _Handler) -> Callable[[Builder, Mnemonic, Instruction], None]:
    """A handler of what is beyond a straight line."""

    def checked(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
        if not isinstance(builder, FlowBuilder):
            raise builder.beyond(instruction.fault(f"{instruction.name} cannot stand here"))
        handler(builder, row, instruction)

    return checked


# ---------------------------------------------------------------- operands


def _destination(instruction: Instruction) -> str:
    register = as_register(instruction.operands[0])
    if not register:
        raise instruction.fault("expected a register r0 to r15 or f0 to f15", "operand", 0)
    return register


def _operand(builder: FlowBuilder, instruction: Instruction, index: int, type: Type) -> Value:
    """An operand as a value of a type."""
    value = _known(builder, instruction, index)
    if isinstance(value, str):
        builder.known(value, instruction, index)
        found = builder.read(value)
        if found.type is not type:
            kind = "an integer" if type is Type.I64 else "a number"
            help = "MOV converts: f registers hold numbers, r registers integers"
            raise instruction.fault(f"expected {kind}, not {value}", "operand", index, help=help)
        return found
    if type is Type.F64:
        return builder.build.f64(_real(instruction, index, value))
    if isinstance(value, float):
        raise instruction.fault("expected an integer", "operand", index)
    nodes = instruction.nodes.get("operand", ())
    return builder.build.i64(integer(value, nodes[index] if nodes else None))


def _known(builder: FlowBuilder, instruction: Instruction, index: int) -> int | float | str:
    """An operand as a number, or as the name of a register."""
    value = instruction.operands[index]
    if isinstance(value, str) and not value.isdecimal():
        found = builder.context.find(value)
        if found is None and as_register(value):
            return as_register(value)
        if not isinstance(found, int | float):
            help = did_you_mean(value, builder.context.known())
            raise instruction.fault(
                f"expected a register or a number, not '{value:.60}'", "operand", index, help=help
            )
        return found
    if isinstance(value, list):
        raise instruction.fault("expected a register or a number", "operand", index)
    return int(value[:30]) if isinstance(value, str) else value


def _real(instruction: Instruction, index: int, value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        raise instruction.fault("the number is too large", "operand", index) from None


def _type_of(builder: FlowBuilder, instruction: Instruction) -> Type:
    """What is compared: numbers if one of the operands is one."""
    values = [_known(builder, instruction, index) for index in range(2)]
    real = any(isinstance(value, float) or str(value)[0] == "f" for value in values)
    return Type.F64 if real else Type.I64


# ---------------------------------------------------------------- computing


@flowing
def _move(builder: FlowBuilder, row: Mnemonic, instruction: Instruction) -> None:
    """Copy; between kinds of registers, convert."""
    register = _destination(instruction)
    source = as_register(instruction.operands[1])
    if source and source[0] != register[0]:
        builder.known(source, instruction, 1)
        name = "sitofp" if register[0] == "f" else "fptosi"
        builder.write(register, builder.build.op(name, [builder.read(source)]))
        return
    builder.write(register, _operand(builder, instruction, 1, _kind(register)))


def _kind(register: str) -> Type:
    return Type.F64 if register[0] == "f" else Type.I64


@flowing
def _arithmetic(builder: FlowBuilder, row: Mnemonic, instruction: Instruction) -> None:
    register = _destination(instruction)
    type = _kind(register)
    op = ARITHMETIC[instruction.name.upper()][type is Type.F64]
    if not op:
        message = f"{instruction.name} takes integers, in r registers"
        raise instruction.fault(message, "operand", 0)
    first = len(instruction.operands) - 2
    a, b = (_operand(builder, instruction, first + i, type) for i in range(2))
    builder.write(register, builder.build.op(op, [a, b]))


@flowing
def _not(builder: FlowBuilder, row: Mnemonic, instruction: Instruction) -> None:
    """Flip every bit."""
    register = _destination(instruction)
    if register[0] == "f":
        raise instruction.fault("NOT takes integers, in r registers", "operand", 0)
    source = _operand(builder, instruction, len(instruction.operands) - 1, Type.I64)
    builder.write(register, builder.build.op("xori", [source, builder.build.i64(-1)]))


@flowing
def _compare(builder: FlowBuilder, row: Mnemonic, instruction: Instruction) -> None:
    type = _type_of(builder, instruction)
    operands = [_operand(builder, instruction, index, type) for index in range(2)]
    for flag, address in FLAGS.items():
        bit = _comparison(builder, flag, operands)
        builder.build.do("store_i1", [bit, builder.build.i64(address)], REGISTERS)


def _comparison(builder: FlowBuilder, relation: str, operands: list[Value]) -> Value:
    if operands[0].type is Type.F64:
        predicate = "une" if relation == "ne" else f"o{relation}"
        return builder.build.op("cmpf", operands, {"predicate": predicate})
    predicate = relation if relation in ("eq", "ne") else f"s{relation}"
    return builder.build.op("cmpi", operands, {"predicate": predicate})


# ---------------------------------------------------------------- jumping


@flowing
def _jump(builder: FlowBuilder, row: Mnemonic, instruction: Instruction) -> None:
    builder.build.br(builder.target(instruction))


@flowing
def _jump_if(builder: FlowBuilder, row: Mnemonic, instruction: Instruction) -> None:
    relation, flags = JUMPS[instruction.name.upper()]
    target = builder.target(instruction)
    build = builder.build
    if len(instruction.operands) == 2:
        register = _destination(instruction)
        builder.known(register, instruction, 0)
        zero = build.f64(0.0) if register[0] == "f" else build.i64(0)
        builder.branch(_comparison(builder, relation, [builder.read(register), zero]), target)
        return
    if "CMP" not in builder.survey.mnemonics:
        help = f"write CMP a, b before, or {instruction.name} register, label"
        raise instruction.fault(f"{instruction.name} looks at a CMP, and there is none", help=help)
    bits = [build.op("load_i1", [build.i64(FLAGS[flag])], REGISTERS) for flag in flags]
    bit = bits[0] if len(bits) == 1 else build.or_(*bits)
    builder.branch(build.not_(bit) if relation == "ne" else bit, target)


@flowing
def _call(builder: FlowBuilder, row: Mnemonic, instruction: Instruction) -> None:
    builder.call(instruction)


@flowing
def _return(builder: FlowBuilder, row: Mnemonic, instruction: Instruction) -> None:
    builder.part()
    builder.build.ret()


def _halt(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    if not isinstance(builder, FlowBuilder):
        raise Halt
    builder.part()
    builder.build.halt()


# fmt: off
ROWS: dict[str, Mnemonic] = {
    "MOV": Mnemonic(_move, "register, value", 2, 2, writes=0, skips=True),
    **{
        name: Mnemonic(_arithmetic, "register, value[, value]", 2, 3, writes=0, skips=True)
        for name in ARITHMETIC
    },
    "NOT": Mnemonic(_not, "register[, value]", 1, 2, writes=0, skips=True),
    "CMP": Mnemonic(_compare, "value, value", 2, 2, skips=True),
    "JMP": Mnemonic(_jump, "label", 1, 1, skips=True, jumps=True),
    **{
        name: Mnemonic(_jump_if, "[register, ]label", 1, 2, skips=True, jumps=True)
        for name in JUMPS
    },
    "CALL": Mnemonic(_call, "label", 1, 1, skips=True, jumps=True),
    "RET": Mnemonic(_return, skips=True),
    "HALT": Mnemonic(_halt, skips=True),
}
# fmt: on
